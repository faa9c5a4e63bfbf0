/* velocity_functions.c - velocity functions in memory: made, released, evaluated, compared, and turned into a velocity. */
#include "moho/velocity_functions.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/velocity_between.h"
#include "survey/velocity_functions_inside.h"
#include "survey/velocity_tables.h"

/* ---- memory ---- */

moho_status moho_velocity_functions_create(size_t n, size_t knots, moho_velocity_functions *out) {
  *out = (moho_velocity_functions){.n = n, .grid = moho_grid_default()};
  moho_status status = moho_allocate(n + 1, sizeof *out->start, "velocity functions", &out->start);
  if (!status) status = moho_allocate(knots, sizeof(double), "velocity functions", &out->time_s);
  if (!status) status = moho_allocate(knots, sizeof(double), "velocity functions", &out->v_mps);
  if (status) moho_velocity_functions_release(out);
  return status;
}

static moho_status add_array(size_t n, int wanted, double **array) {
  return wanted && !*array ? moho_allocate(n, sizeof **array, "velocity positions", array) : MOHO_OK;
}

moho_status moho_velocity_functions_add_places(moho_velocity_functions *f, int positions, int numbers, int cdps) {
  MOHO_TRY(add_array(f->n, positions, &f->x_m));
  MOHO_TRY(add_array(f->n, positions, &f->y_m));
  MOHO_TRY(add_array(f->n, numbers, &f->inline_number));
  MOHO_TRY(add_array(f->n, numbers, &f->crossline_number));
  return add_array(f->n, cdps, &f->cdp);
}

void moho_velocity_functions_release(moho_velocity_functions *f) {
  free(f->start), free(f->time_s), free(f->v_mps), free(f->x_m), free(f->y_m);
  free(f->inline_number), free(f->crossline_number), free(f->cdp), free(f->file), free(f->line), free(f->number);
  moho_grid_release(&f->grid);
  *f = (moho_velocity_functions){0};
}

static void copy_array(size_t n, const double *from, double *to) {
  if (from) memcpy(to, from, n * sizeof *to);
}

moho_status moho_functions_copy_places(const moho_velocity_functions *from, moho_velocity_functions *to) {
  MOHO_TRY(moho_velocity_functions_add_places(to, from->x_m != NULL, from->inline_number != NULL, from->cdp != NULL));
  copy_array(from->n, from->x_m, to->x_m);
  copy_array(from->n, from->y_m, to->y_m);
  copy_array(from->n, from->inline_number, to->inline_number);
  copy_array(from->n, from->crossline_number, to->crossline_number);
  copy_array(from->n, from->cdp, to->cdp);
  to->on_grid = from->on_grid;
  return from->on_grid ? moho_grid_copy(&from->grid, &to->grid) : MOHO_OK;
}

/* ---- v_rms ---- */

/* Any velocity above 0 is let through: the range is checked where functions are read and where they become a velocity. */
static const double lowest_mps = 1e-6, highest_mps = 1e12;

moho_status moho_functions_to_profiles(const moho_velocity_functions *f, moho_profiles *out) {
  size_t knots = f->start[f->n];
  moho_bad_knot bad;
  *out = (moho_profiles){.kind = f->kind, .n = f->n};
  moho_status status = moho_allocate(f->n + 1, sizeof *out->start, "velocity functions", &out->start);
  if (!status) status = moho_allocate(knots, sizeof(double), "velocity functions", &out->time_s);
  if (!status) status = moho_allocate(knots, sizeof(double), "velocity functions", &out->v_mps);
  if (!status) {
    memcpy(out->start, f->start, (f->n + 1) * sizeof *f->start);
    memcpy(out->time_s, f->time_s, knots * sizeof(double));
    memcpy(out->v_mps, f->v_mps, knots * sizeof(double));
    status = moho_profiles_prepare(out, lowest_mps, highest_mps, &bad);
    if (status == MOHO_ERROR_RANGE)
      status = moho_functions_fail(f, f->start[bad.profile] + bad.knot, "check this pick and the next", MOHO_ERROR_RANGE,
                                   bad.implied ? "these average velocities imply an interval velocity of %.6g m/s"
                                               : "velocity is %.6g m/s, expected above 0",
                                   bad.v_mps);
  }
  if (status) moho_profiles_release(out);
  return status;
}

double moho_profiles_rms_at(const moho_profiles *profiles, size_t p, double time_s) {
  double slowness2 = 0;
  moho_profiles_add_slowness2(profiles, p, 1, time_s, 1, 1, &slowness2);
  return 1 / sqrt(slowness2);
}

moho_status moho_functions_sample_rms(const moho_velocity_functions *f, double first_s, double step_s, size_t n,
                                      moho_velocity_functions *out) {
  moho_profiles profiles = {0};
  size_t knots;
  *out = (moho_velocity_functions){0};
  if (!(first_s >= 0) || !(step_s > 0) || n < 1 || n > INT32_MAX || !(first_s + (double)n * step_s < 1e4))
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocities sampled at %g s + k * %g s, k < %zu: expected times from 0 s that ascend",
                     first_s, step_s, n);
  MOHO_TRY(moho_multiply(f->n, n, "velocity samples", &knots));
  MOHO_TRY(moho_functions_to_profiles(f, &profiles));
  moho_status status = moho_velocity_functions_create(f->n, knots, out);
  if (!status) status = moho_functions_copy_places(f, out);
  for (size_t p = 0; !status && p < f->n; p++) {
    double *v = out->v_mps + p * n;
    out->start[p + 1] = (p + 1) * n;
    moho_profiles_add_slowness2(&profiles, p, 1, first_s, step_s, (int)n, v);
    for (size_t k = 0; k < n; k++) v[k] = 1 / sqrt(v[k]), out->time_s[p * n + k] = first_s + (double)k * step_s;
  }
  moho_profiles_release(&profiles);
  if (status) moho_velocity_functions_release(out);
  return status;
}

/* ---- on a grid ---- */

static void place_node(const moho_grid *grid, size_t i, size_t j, moho_velocity_functions *out) {
  size_t p = i * grid->n_crossline + j;
  moho_grid_node(grid, i, j, &out->x_m[p], &out->y_m[p]);
  out->inline_number[p] = (double)grid->inline_first + (double)i * grid->inline_step;
  out->crossline_number[p] = (double)grid->crossline_first + (double)j * grid->crossline_step;
  if (out->cdp) out->cdp[p] = out->crossline_number[p];
}

moho_status moho_functions_place_on_grid(const moho_grid *grid, moho_velocity_functions *out) {
  MOHO_TRY(moho_velocity_functions_add_places(out, 1, 1, grid->n_inline == 1));
  for (size_t i = 0; i < grid->n_inline; i++)
    for (size_t j = 0; j < grid->n_crossline; j++) place_node(grid, i, j, out);
  out->on_grid = 1;
  return moho_grid_copy(grid, &out->grid);
}

static moho_status fill_from_velocity(const moho_velocity *velocity, const moho_grid *grid, moho_velocity_functions *out) {
  size_t n = grid->n_time;
  for (size_t p = 0; p < out->n; p++) {
    out->start[p + 1] = (p + 1) * n;
    MOHO_TRY(moho_velocity_rms(velocity, out->x_m[p], out->y_m[p], grid->first_s, grid->step_s, n, out->v_mps + p * n));
    for (size_t k = 0; k < n; k++) out->time_s[p * n + k] = grid->first_s + (double)k * grid->step_s;
  }
  return MOHO_OK;
}

moho_status moho_velocity_functions_on_grid(const moho_velocity *velocity, const moho_grid *grid, moho_velocity_functions *out) {
  size_t n, knots;
  *out = (moho_velocity_functions){0};
  MOHO_TRY(moho_grid_check(grid));
  if (!(grid->first_s >= 0)) return moho_fail(MOHO_ERROR_ARGUMENT, "velocities begin at time 0, the grid at %g s", grid->first_s);
  MOHO_TRY(moho_multiply(grid->n_inline, grid->n_crossline, "velocity functions", &n));
  MOHO_TRY(moho_multiply(n, grid->n_time, "velocity samples", &knots));
  MOHO_TRY(moho_velocity_functions_create(n, knots, out));
  moho_status status = moho_functions_place_on_grid(grid, out);
  if (!status) status = fill_from_velocity(velocity, grid, out);
  if (status) moho_velocity_functions_release(out);
  return status;
}

/* ---- a velocity ---- */

static moho_status place_velocity(const moho_velocity_functions *f, moho_between **out) {
  double nowhere = 0;
  size_t pair[2];
  int equal;
  if (!f->x_m || !f->y_m) {
    if (f->n == 1) return moho_between_create(1, &nowhere, &nowhere, NULL, NULL, NULL, out);
    return moho_fail(MOHO_ERROR_ARGUMENT, "%zu velocity functions have no positions; give the image grid", f->n);
  }
  if (f->on_grid && !f->grid.line_x_m) {
    moho_frame frame = moho_frame_of_grid(&f->grid);
    double *i = NULL, *j = NULL;
    moho_status status = moho_allocate(f->n, sizeof *i, "velocity positions", &i);
    if (!status) status = moho_allocate(f->n, sizeof *j, "velocity positions", &j);
    for (size_t p = 0; !status && p < f->n; p++)
      i[p] = (double)(p / f->grid.n_crossline), j[p] = (double)(p % f->grid.n_crossline);
    if (!status) status = moho_between_create(f->n, f->x_m, f->y_m, &frame, i, j, out);
    free(i), free(j);
    return status;
  }
  MOHO_TRY(moho_points_find_equal(f->n, f->x_m, f->y_m, &equal, pair));
  if (equal)
    return moho_functions_fail(f, f->start[pair[1]], "every function needs its own position", MOHO_ERROR_FORMAT,
                               "a second function at one position");
  return moho_between_create(f->n, f->x_m, f->y_m, NULL, NULL, NULL, out);
}

static moho_status check_range(const moho_velocity_functions *f, const moho_velocity_options *options) {
  for (size_t k = 0; k < f->start[f->n]; k++)
    if (!(f->v_mps[k] >= options->min_mps && f->v_mps[k] <= options->max_mps))
      return moho_functions_fail(f, k, "widen the accepted range if it is right", MOHO_ERROR_RANGE,
                                 "velocity is %.6g m/s, expected %g to %g m/s", f->v_mps[k], options->min_mps, options->max_mps);
  return MOHO_OK;
}

moho_status moho_velocity_create_functions(const moho_velocity_functions *f, const moho_velocity_options *options,
                                           moho_velocity **out) {
  static const char *const kinds[] = {"rms", "interval", "average"};
  moho_velocity_options defaults = moho_velocity_options_default();
  moho_profiles profiles = {0};
  moho_between *between = NULL;
  char text[128];
  *out = NULL;
  if (!options) options = &defaults;
  MOHO_TRY(moho_velocity_check_options(options));
  if (f->n == 0) return moho_fail(MOHO_ERROR_ARGUMENT, "a velocity needs at least one function");
  MOHO_TRY(check_range(f, options));
  MOHO_TRY(moho_functions_to_profiles(f, &profiles));
  moho_status status = place_velocity(f, &between);
  if (status) {
    moho_profiles_release(&profiles);
    return status;
  }
  snprintf(text, sizeof text, "%zu %s function%s, %s, %g..%g m/s", f->n, kinds[f->kind], f->n == 1 ? "" : "s",
           moho_between_describe(between), profiles.low_mps, profiles.high_mps);
  return moho_profiles_make_velocity(&profiles, &between, text, options, out);
}

/* ---- comparing ---- */

typedef struct place_key {
  double a, b;
  size_t index;
} place_key;

static int by_place(const void *a, const void *b) {
  const place_key *p = a, *q = b;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  if (p->b != q->b) return p->b < q->b ? -1 : 1;
  return (p->index > q->index) - (p->index < q->index);
}

/* Files keep their functions in an order of their own: both sides are sorted by the place that both know. Headers may hold
 * centimetres; the odd shift keeps round coordinates away from where rounding turns. */
static void fill_keys(const moho_velocity_functions *f, const moho_velocity_functions *other, place_key *keys) {
  const double *a = NULL, *b = NULL;
  double scale = 1, shift = 0;
  if (f->x_m && other->x_m) a = f->x_m, b = f->y_m, scale = 100, shift = 0.2137;
  else if (f->inline_number && other->inline_number) a = f->inline_number, b = f->crossline_number;
  else if (f->cdp && other->cdp) a = f->cdp;
  for (size_t p = 0; p < f->n; p++)
    keys[p] = (place_key){a ? rint(scale * a[p] + shift) : 0, b ? rint(scale * b[p] + shift) : 0, p};
  if (a) qsort(keys, f->n, sizeof *keys, by_place);
}

static double difference(const moho_profiles *a, size_t p, const moho_profiles *b, size_t q, double time_s) {
  return fabs(moho_profiles_rms_at(a, p, time_s) - moho_profiles_rms_at(b, q, time_s));
}

static void compare_profiles(const moho_velocity_functions *f, const moho_profiles *a, const moho_profiles *b,
                             const place_key *keys_a, const place_key *keys_b, double *at_knots, double *between) {
  enum { EVEN_TIMES = 200 };
  *at_knots = *between = 0;
  for (size_t i = 0; i < f->n; i++) {
    size_t p = keys_a[i].index, q = keys_b[i].index;
    double last = f->time_s[f->start[p + 1] - 1];
    for (size_t k = f->start[p]; k < f->start[p + 1]; k++) { /* the lower knot of a step is the upper one again */
      int step = k > f->start[p] && f->time_s[k] - f->time_s[k - 1] < 1.5 * MOHO_VELOCITY_STEP_S;
      if (!step) *at_knots = fmax(*at_knots, difference(a, p, b, q, f->time_s[k]));
    }
    for (int k = 0; k <= EVEN_TIMES; k++) *between = fmax(*between, difference(a, p, b, q, last * k / EVEN_TIMES));
  }
}

moho_status moho_velocity_functions_compare(const moho_velocity_functions *a, const moho_velocity_functions *b,
                                            double *at_knots_mps, double *between_mps) {
  moho_profiles of_a = {0}, of_b = {0};
  place_key *keys = NULL;
  if (a->n != b->n)
    return moho_fail_at((moho_place){0},
                        "in SEG-Y a function at x 0, y 0 away from the others counts as one without a position: write .zarr",
                        MOHO_ERROR_SHAPE, "%zu velocity functions against %zu", a->n, b->n);
  moho_status status = moho_functions_to_profiles(a, &of_a);
  if (!status) status = moho_functions_to_profiles(b, &of_b);
  if (!status) status = moho_allocate(2 * a->n, sizeof *keys, "velocity functions", &keys);
  if (!status) {
    fill_keys(a, b, keys);
    fill_keys(b, a, keys + a->n);
    compare_profiles(a, &of_a, &of_b, keys, keys + a->n, at_knots_mps, between_mps);
  }
  free(keys);
  moho_profiles_release(&of_a);
  moho_profiles_release(&of_b);
  return status;
}
