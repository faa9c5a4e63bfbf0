/* velocity_table.c - a table of velocity functions: picks gathered into functions, placed by X, Y, by numbers or by CDP. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "survey/velocity_between.h"
#include "survey/velocity_functions_inside.h"
#include "survey/velocity_model.h"
#include "survey/velocity_profiles.h"
#include "survey/velocity_table_text.h"
#include "survey/velocity_tables.h"

static const size_t largest_table = (size_t)1 << 28;

/* ---- picks into functions ---- */

static int by_position_and_line(const void *a, const void *b) {
  const moho_pick *p = a, *q = b;
  if (p->a != q->a) return p->a < q->a ? -1 : 1;
  if (p->b != q->b) return p->b < q->b ? -1 : 1;
  if (p->line != q->line) return p->line < q->line ? -1 : 1;
  return (p->time_s > q->time_s) - (p->time_s < q->time_s);
}

static int same_position(const moho_pick *p, const moho_pick *q) {
  return p->a == q->a && p->b == q->b;
}

static moho_status check_order(const char *name, const moho_pick *before, const moho_pick *pick) {
  if (pick->time_s > before->time_s) return MOHO_OK;
  return moho_fail_at((moho_place){.file = name, .line = pick->line},
                      "times of a function ascend: sort them, and give every function once", MOHO_ERROR_FORMAT,
                      "%s:%d: time %.6g s does not follow %.6g s (line %d) of the same function", name, pick->line, pick->time_s,
                      before->time_s, before->line);
}

/* Sorts the picks by position; times within one must ascend in the order of the file. start: [functions + 1], fresh. SU lists
 * keep many picks on one line, in the order of their times: sorting by line then time leaves a falling time unseen, so SU
 * functions are checked before. */
static moho_status gather_functions(const char *name, moho_picks *picks, size_t **start, size_t *functions) {
  for (size_t i = 1; i < picks->n; i++) { /* neighbours in the file first: their order is not yet changed */
    const moho_pick *before = &picks->pick[i - 1], *pick = &picks->pick[i];
    if (same_position(before, pick)) MOHO_TRY(check_order(name, before, pick));
  }
  MOHO_TRY(moho_allocate(picks->n + 1, sizeof **start, "velocity functions", start));
  qsort(picks->pick, picks->n, sizeof *picks->pick, by_position_and_line);
  size_t n = 0;
  for (size_t i = 0; i < picks->n; i++) {
    if (i == 0 || !same_position(&picks->pick[i - 1], &picks->pick[i])) (*start)[n++] = i;
    else MOHO_TRY(check_order(name, &picks->pick[i - 1], &picks->pick[i]));
  }
  (*start)[n] = picks->n;
  *functions = n;
  return MOHO_OK;
}

/* TAKE: start. */
static moho_status make_profiles(const moho_picks *picks, size_t **start, size_t functions, moho_velocity_kind kind,
                                 moho_profiles *p) {
  *p = (moho_profiles){.kind = kind, .n = functions, .start = *start};
  *start = NULL;
  MOHO_TRY(moho_allocate(picks->n, sizeof(double), "velocity functions", &p->time_s));
  MOHO_TRY(moho_allocate(picks->n, sizeof(double), "velocity functions", &p->v_mps));
  for (size_t i = 0; i < picks->n; i++) p->time_s[i] = picks->pick[i].time_s, p->v_mps[i] = picks->pick[i].v_mps;
  return MOHO_OK;
}

static moho_status prepare(const char *name, const moho_picks *picks, const moho_velocity_options *options, moho_profiles *p) {
  moho_bad_knot bad = {0};
  moho_status status = moho_profiles_prepare(p, options->min_mps, options->max_mps, &bad);
  if (status != MOHO_ERROR_RANGE) return status;
  const moho_pick *pick = &picks->pick[p->start[bad.profile] + bad.knot];
  return moho_fail_at((moho_place){.file = name, .line = pick->line},
                      "check this pick and the next, or what kind of velocity they are", MOHO_ERROR_RANGE,
                      "%s:%d: %s %.6g m/s after time %.4g s, expected %g to %g m/s", name, pick->line,
                      bad.implied ? "these average velocities imply an interval velocity of" : "velocity", bad.v_mps,
                      pick->time_s, options->min_mps, options->max_mps);
}

/* ---- places ---- */

static moho_status need_grid(const char *name, const char *position) {
  return moho_fail_at((moho_place){.file = name}, "give the image grid, or a table with x and y", MOHO_ERROR_ARGUMENT,
                      "%s: positions by %s need the image grid to become x and y", name, position);
}

/* Fractional node indices of a pick's numbers. */
static moho_status node_of(const char *name, const moho_picks *picks, const moho_pick *pick, const moho_grid *grid, double *i,
                           double *j) {
  int cdp = picks->position == MOHO_PICK_CDP;
  if (cdp && grid->n_inline != 1)
    return moho_fail_at((moho_place){.file = name, .line = pick->line}, "give inline and crossline, or x and y",
                        MOHO_ERROR_FORMAT, "%s:%d: positions by CDP are for a line, but the grid has %zu inlines", name,
                        pick->line, grid->n_inline);
  *i = cdp ? 0 : (pick->a - grid->inline_first) / grid->inline_step;
  *j = ((cdp ? pick->a : pick->b) - grid->crossline_first) / grid->crossline_step;
  return MOHO_OK;
}

/* Positions of the functions (their first picks): x, y and, by numbers, fractional nodes. */
typedef struct places {
  double *x, *y, *i, *j;
} places;

static moho_status allocate_places(size_t n, places *p) {
  MOHO_TRY(moho_allocate(n, sizeof(double), "velocity positions", &p->x));
  MOHO_TRY(moho_allocate(n, sizeof(double), "velocity positions", &p->y));
  MOHO_TRY(moho_allocate(n, sizeof(double), "velocity positions", &p->i));
  return moho_allocate(n, sizeof(double), "velocity positions", &p->j);
}

static void release_places(places *p) {
  free(p->x), free(p->y), free(p->i), free(p->j);
}

static moho_status find_places(const char *name, const moho_picks *picks, const size_t *start, size_t n, const moho_grid *grid,
                               places *p) {
  moho_frame frame = {0};
  if (picks->position != MOHO_PICK_XY) frame = moho_frame_of_grid(grid);
  double scale = frame.u_x * frame.v_y - frame.u_y * frame.v_x;
  for (size_t f = 0; f < n; f++) {
    const moho_pick *pick = &picks->pick[start[f]];
    p->x[f] = pick->a, p->y[f] = pick->b;
    if (picks->position == MOHO_PICK_XY) continue;
    MOHO_TRY(node_of(name, picks, pick, grid, &p->i[f], &p->j[f]));
    p->x[f] = frame.x0 + (p->i[f] * frame.v_y - p->j[f] * frame.u_y) / scale;
    p->y[f] = frame.y0 + (p->j[f] * frame.u_x - p->i[f] * frame.v_x) / scale;
  }
  return MOHO_OK;
}

static moho_status fail_equal(const char *name, const moho_pick *p, const moho_pick *q) {
  return moho_fail_at((moho_place){.file = name, .line = q->line > p->line ? q->line : p->line}, "remove one of them",
                      MOHO_ERROR_FORMAT, "%s: the functions of lines %d and %d have one position", name,
                      p->line < q->line ? p->line : q->line, p->line < q->line ? q->line : p->line);
}

static moho_status place_functions(const char *name, const moho_picks *picks, const size_t *start, size_t n,
                                   const moho_grid *grid, places *p, moho_between **out) {
  int equal, by_number = picks->position != MOHO_PICK_XY;
  size_t pair[2];
  MOHO_TRY(find_places(name, picks, start, n, grid, p));
  if (by_number && grid->line_x_m) return moho_between_create_along(n, p->j, grid, out);
  MOHO_TRY(moho_points_find_equal(n, p->x, p->y, &equal, pair));
  if (equal) return fail_equal(name, &picks->pick[start[pair[0]]], &picks->pick[start[pair[1]]]);
  moho_frame frame = by_number ? moho_frame_of_grid(grid) : (moho_frame){0};
  return moho_between_create(n, p->x, p->y, by_number ? &frame : NULL, p->i, p->j, out);
}

static moho_status make_between(const char *name, const moho_picks *picks, const size_t *start, size_t n, const moho_grid *grid,
                                moho_between **out) {
  places p = {0};
  double nowhere = 0;
  if (picks->position == MOHO_PICK_ANYWHERE || (n == 1 && !grid))
    return moho_between_create(1, &nowhere, &nowhere, NULL, NULL, NULL, out);
  if (grid && (!(grid->inline_spacing_m > 0) || !(grid->crossline_spacing_m > 0) || !grid->inline_step || !grid->crossline_step))
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image grid has no spacing or no numbers to place the functions with", name);
  if (picks->position == MOHO_PICK_CDP && !grid) return need_grid(name, "CDP");
  if (picks->position == MOHO_PICK_INLINE_CROSSLINE && !grid) return need_grid(name, "inline and crossline");
  moho_status status = allocate_places(n, &p);
  if (!status) status = place_functions(name, picks, start, n, grid, &p, out);
  release_places(&p);
  return status;
}

/* ---- the velocity ---- */

/* Told when a law asks for v_int: straight rays do not need it. */
static moho_status note_bad_interval(moho_velocity *velocity, const char *name, const moho_pick *pick, const moho_bad_knot *bad,
                                     const moho_velocity_options *options) {
  moho_place place = {.file = name, .line = pick->line};
  const moho_pick *before = pick - 1;
  if (bad->v_mps < 0)
    return moho_velocity_set_problem(
        velocity, place, "%.160s:%d: v_rms %.6g m/s at %.4g s after %.6g m/s at %.4g s: v_int^2 between them is negative", name,
        pick->line, pick->v_mps, pick->time_s, before->v_mps, before->time_s);
  return moho_velocity_set_problem(
      velocity, place,
      "%.160s:%d: v_rms %.6g m/s at %.4g s after %.6g m/s at %.4g s: v_int between them is %.6g m/s, expected %g to %g m/s", name,
      pick->line, pick->v_mps, pick->time_s, before->v_mps, before->time_s, bad->v_mps, options->min_mps, options->max_mps);
}

static moho_status make_velocity(const char *name, const moho_picks *picks, size_t **start, size_t functions,
                                 const moho_velocity_options *options, moho_velocity **out) {
  static const char *const kinds[] = {"rms", "interval", "average", "eta"};
  moho_profiles profiles = {0};
  moho_between *between = NULL;
  moho_status status = make_profiles(picks, start, functions, options->kind, &profiles);
  if (!status) status = prepare(name, picks, options, &profiles);
  if (!status) status = make_between(name, picks, profiles.start, functions, options->grid, &between);
  if (status) {
    moho_profiles_release(&profiles);
    return status;
  }
  char text[256];
  const char *slash = strrchr(name, '/');
  snprintf(text, sizeof text, "table %.80s (%s): %zu %s function%s, %s, %g..%g%s", slash ? slash + 1 : name, picks->format,
           functions, kinds[options->kind], functions == 1 ? "" : "s", moho_between_describe(between), profiles.low_mps,
           profiles.high_mps, options->kind == MOHO_VELOCITY_ETA ? "" : " m/s");
  moho_bad_knot bad = {0};
  int is_bad = moho_profiles_find_bad_interval(&profiles, options->min_mps, options->max_mps, &bad);
  const moho_pick *pick = is_bad ? &picks->pick[profiles.start[bad.profile] + bad.knot] : NULL;
  status = moho_profiles_make_velocity(&profiles, &between, text, options, out);
  if (!status && is_bad) status = note_bad_interval(*out, name, pick, &bad, options);
  if (status) moho_velocity_destroy(out);
  return status;
}

moho_status moho_velocity_check_options(const moho_velocity_options *options) {
  if (options->kind == MOHO_VELOCITY_ETA) return MOHO_OK; /* made by eta.c */
  if (!(options->min_mps > 0) || !(options->max_mps > options->min_mps) || !isfinite(options->max_mps))
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity range %g to %g m/s, expected 0 < min < max", options->min_mps,
                     options->max_mps);
  if (options->kind != MOHO_VELOCITY_RMS && options->kind != MOHO_VELOCITY_INTERVAL && options->kind != MOHO_VELOCITY_AVERAGE)
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity kind %d, expected rms, interval or average", (int)options->kind);
  return MOHO_OK;
}

moho_status moho_velocity_table_from_text(const char *text, size_t length, const char *name, const moho_velocity_options *options,
                                          moho_velocity **out) {
  moho_velocity_options defaults = moho_velocity_options_default();
  if (!options) options = &defaults;
  *out = NULL;
  MOHO_TRY(moho_velocity_check_options(options));
  moho_picks picks;
  size_t *start = NULL, functions = 0;
  MOHO_TRY(moho_picks_parse(text, length, name, options, &picks));
  moho_status status = gather_functions(name, &picks, &start, &functions);
  if (!status) status = make_velocity(name, &picks, &start, functions, options, out);
  free(start);
  moho_picks_release(&picks);
  return status;
}

moho_status moho_velocity_read_table(const char *path, const moho_velocity_options *options, moho_velocity **out) {
  char *text;
  size_t length;
  *out = NULL;
  MOHO_TRY(moho_file_read_all(path, largest_table, &text, &length));
  moho_status status = moho_velocity_table_from_text(text, length, path, options, out);
  free(text);
  return status;
}

/* ---- the functions as numbers ---- */

/* What the grid adds: positions of numbers, numbers of positions (whole where they are so to a thousandth). */
static double nearly_whole(double value) {
  return fabs(value - rint(value)) < 1e-3 ? rint(value) : value;
}

static void number_by_grid(const moho_grid *grid, moho_velocity_functions *f) {
  double i, j;
  for (size_t p = 0; p < f->n; p++) {
    moho_grid_locate(grid, f->x_m[p], f->y_m[p], &i, &j);
    f->inline_number[p] = nearly_whole(grid->inline_first + i * grid->inline_step);
    f->crossline_number[p] = nearly_whole(grid->crossline_first + j * grid->crossline_step);
    if (f->cdp) f->cdp[p] = f->crossline_number[p];
  }
}

static void take_positions(const moho_picks *picks, moho_velocity_functions *f) {
  for (size_t p = 0; p < f->n; p++) {
    const moho_pick *pick = &picks->pick[f->start[p]];
    if (picks->position == MOHO_PICK_XY) f->x_m[p] = pick->a, f->y_m[p] = pick->b;
    if (picks->position == MOHO_PICK_INLINE_CROSSLINE) f->inline_number[p] = pick->a, f->crossline_number[p] = pick->b;
    if (picks->position == MOHO_PICK_CDP) f->cdp[p] = pick->a;
  }
}

/* A crooked line's nodes are not where a straight frame has them. */
static void follow_line(const moho_grid *grid, moho_velocity_functions *f) {
  for (size_t p = 0; p < f->n; p++) {
    double j = (f->crossline_number[p] - grid->crossline_first) / grid->crossline_step, last = (double)grid->n_crossline - 1;
    size_t k = (size_t)fmin(fmax(floor(j), 0), fmax(last - 1, 0)), next = k + 1 < grid->n_crossline ? k + 1 : k;
    double part = fmin(fmax(j - (double)k, 0), 1);
    f->x_m[p] = grid->line_x_m[k] + part * (grid->line_x_m[next] - grid->line_x_m[k]);
    f->y_m[p] = grid->line_y_m[k] + part * (grid->line_y_m[next] - grid->line_y_m[k]);
  }
}

static moho_status position_by_grid(const char *name, const moho_picks *picks, const moho_grid *grid,
                                    moho_velocity_functions *f) {
  places at = {.x = f->x_m, .y = f->y_m};
  moho_status status = moho_allocate(f->n, sizeof(double), "velocity positions", &at.i);
  if (!status) status = moho_allocate(f->n, sizeof(double), "velocity positions", &at.j);
  if (!status) status = find_places(name, picks, f->start, f->n, grid, &at);
  for (size_t p = 0; !status && p < f->n && picks->position == MOHO_PICK_CDP; p++)
    f->inline_number[p] = grid->inline_first, f->crossline_number[p] = f->cdp[p];
  if (!status && grid->line_x_m) follow_line(grid, f);
  free(at.i), free(at.j);
  return status;
}

static moho_status place_read_functions(const char *name, const moho_picks *picks, const moho_grid *grid,
                                        moho_velocity_functions *f) {
  int by_cdp = picks->position == MOHO_PICK_CDP, by_xy = picks->position == MOHO_PICK_XY;
  int by_number = picks->position == MOHO_PICK_INLINE_CROSSLINE;
  if (picks->position == MOHO_PICK_ANYWHERE) return MOHO_OK;
  if (grid) MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_velocity_functions_add_places(f, by_xy || grid, by_number || grid, by_cdp || (grid && grid->n_inline == 1)));
  take_positions(picks, f);
  if (!grid) return MOHO_OK;
  if (by_xy) number_by_grid(grid, f);
  else MOHO_TRY(position_by_grid(name, picks, grid, f));
  for (size_t p = 0; p < f->n && by_number && f->cdp; p++) f->cdp[p] = f->crossline_number[p];
  return MOHO_OK;
}

static moho_status make_functions(const char *name, const moho_picks *picks, const size_t *start, size_t n,
                                  const moho_velocity_options *options, moho_velocity_functions *out) {
  MOHO_TRY(moho_velocity_functions_create(n, picks->n, out));
  MOHO_TRY(moho_allocate(picks->n, sizeof *out->line, "velocity functions", &out->line));
  if (!(out->file = strdup(name))) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", name);
  out->kind = options->kind;
  memcpy(out->start, start, (n + 1) * sizeof *start);
  for (size_t i = 0; i < picks->n; i++)
    out->time_s[i] = picks->pick[i].time_s, out->v_mps[i] = picks->pick[i].v_mps, out->line[i] = picks->pick[i].line;
  return place_read_functions(name, picks, options->grid, out);
}

moho_status moho_velocity_table_read_functions(const char *path, const moho_velocity_options *options,
                                               moho_velocity_functions *out) {
  char *text;
  size_t length, *start = NULL, functions = 0;
  moho_picks picks;
  *out = (moho_velocity_functions){0};
  MOHO_TRY(moho_velocity_check_options(options));
  MOHO_TRY(moho_file_read_all(path, largest_table, &text, &length));
  moho_status status = moho_picks_parse(text, length, path, options, &picks);
  free(text);
  if (status) return status;
  status = gather_functions(path, &picks, &start, &functions);
  if (!status) status = make_functions(path, &picks, start, functions, options, out);
  free(start);
  moho_picks_release(&picks);
  if (status) moho_velocity_functions_release(out);
  return status;
}
