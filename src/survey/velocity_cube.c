/* velocity_cube.c - a velocity function a trace or column: SEG-Y by its positions or numbers, Zarr by its grid.
 *
 * The columns are brought to one form, positions or numbers with a shared time axis, and become functions like those of a table.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "survey/grid_estimate.h"
#include "survey/grid_json.h"
#include "survey/velocity_between.h"
#include "survey/velocity_functions_inside.h"
#include "survey/velocity_model.h"
#include "survey/velocity_profiles.h"
#include "survey/velocity_tables.h"

typedef struct columns {
  const char *path, *what; /* what a column is called: "trace", "column" */
  size_t n, n_time;
  float *v;                                       /* [n, n_time] */
  double *time_s;                                 /* [n_time] */
  double *x, *y;                                  /* [n] */
  double *i, *j;                                  /* [n] inline and crossline numbers (or nodes); NULL when there are none */
  size_t *number;                                 /* [n] 1-based number in the file */
  int is_eta;                                     /* the numbers are eta */
  moho_grid grid;                                 /* crooked: the columns lie along it at nodes j */
  double *inline_number, *crossline_number, *cdp; /* [n] as the file has them; NULL: it has none */
  moho_grid own;                                  /* n_time > 0: of which the columns are the nodes, some perhaps left out */
} columns;

static void release_columns(columns *c) {
  free(c->v), free(c->time_s), free(c->x), free(c->y), free(c->i), free(c->j), free(c->number);
  free(c->inline_number), free(c->crossline_number), free(c->cdp);
  moho_grid_release(&c->grid);
  moho_grid_release(&c->own);
}

static moho_status allocate_columns(columns *c) {
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->x));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->y));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->i));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->j));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->inline_number));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->crossline_number));
  MOHO_TRY(moho_allocate(c->n, sizeof(double), "velocity cube", &c->cdp));
  return moho_allocate(c->n, sizeof(size_t), "velocity cube", &c->number);
}

static moho_status check_size(const char *path, size_t n, size_t n_time, moho_velocity_kind kind) {
  size_t samples, bytes;
  char need[32], have[32];
  MOHO_TRY(moho_multiply(n, n_time, "velocity cube", &samples));
  MOHO_TRY(moho_multiply(samples, sizeof(float) + (kind == MOHO_VELOCITY_RMS ? 0 : sizeof(double)), "velocity cube", &bytes));
  if (bytes <= moho_machine_memory_free()) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path}, "decimate the cube: velocities are smooth", MOHO_ERROR_TOO_LARGE,
                      "%s: the velocity cube of %zu x %zu samples needs %s, free are %s", path, n, n_time,
                      moho_bytes_text((double)bytes, need), moho_bytes_text((double)moho_machine_memory_free(), have));
}

/* Keep column `from` as the next one. */
static void keep_column(columns *c, size_t kept, size_t from) {
  if (kept == from) return;
  memmove(c->v + kept * c->n_time, c->v + from * c->n_time, c->n_time * sizeof *c->v);
  c->x[kept] = c->x[from], c->y[kept] = c->y[from], c->i[kept] = c->i[from], c->j[kept] = c->j[from];
  c->inline_number[kept] = c->inline_number[from], c->crossline_number[kept] = c->crossline_number[from];
  c->cdp[kept] = c->cdp[from];
  c->number[kept] = c->number[from];
}

/* ---- into a velocity ---- */

/* The columns' numbers as a frame, where they fit the positions to a fiftieth of a step: then a lattice is seen in spite of the
 * headers' rounding. */
static int frame_of_numbers(const columns *c, moho_frame *frame) {
  moho_affine fit;
  if (!moho_affine_fit(c->n, c->x, c->y, c->i, c->j, &fit)) return 0;
  double det = fit.a_x * fit.b_y - fit.a_y * fit.b_x, p, q;
  for (size_t k = 0; k < c->n; k++) {
    moho_affine_invert(&fit, c->x[k], c->y[k], &p, &q);
    if (fabs(p - c->i[k]) > 0.02 || fabs(q - c->j[k]) > 0.02) return 0;
  }
  *frame = (moho_frame){fit.x0, fit.y0, fit.b_y / det, -fit.b_x / det, -fit.a_y / det, fit.a_x / det};
  return 1;
}

static moho_status make_between(const columns *c, moho_between **out) {
  moho_frame frame;
  int equal = 0;
  size_t pair[2];
  if (c->grid.line_x_m) return moho_between_create_along(c->n, c->j, &c->grid, out);
  MOHO_TRY(moho_points_find_equal(c->n, c->x, c->y, &equal, pair));
  if (equal)
    return moho_fail_at((moho_place){.file = c->path, .trace = (int64_t)c->number[pair[1]]},
                        "every function needs its own position", MOHO_ERROR_FORMAT,
                        "%s: %ss %zu and %zu have one position (%.2f, %.2f)", c->path, c->what, c->number[pair[0]],
                        c->number[pair[1]], c->x[pair[0]], c->y[pair[0]]);
  int numbered = frame_of_numbers(c, &frame);
  return moho_between_create(c->n, c->x, c->y, numbered ? &frame : NULL, c->i, c->j, out);
}

static moho_status fail_at_knot(const columns *c, const moho_bad_knot *bad, const moho_velocity_options *options) {
  size_t number = c->number[bad->profile];
  if (c->is_eta)
    return moho_fail_at((moho_place){.file = c->path, .trace = (int64_t)number}, "eta has no unit: is this a cube of eta?",
                        MOHO_ERROR_RANGE, "%s: %s %zu (x %.2f m, y %.2f m), time %.4g s: eta is %.6g, expected %g to %g", c->path,
                        c->what, number, c->x[bad->profile], c->y[bad->profile], c->time_s[bad->knot], bad->v_mps,
                        options->min_mps, options->max_mps);
  return moho_fail_at((moho_place){.file = c->path, .trace = (int64_t)number}, moho_velocity_unit_hint(bad->v_mps),
                      MOHO_ERROR_RANGE, "%s: %s %zu (x %.2f m, y %.2f m), time %.4g s: %s %.6g m/s, expected %g to %g m/s",
                      c->path, c->what, number, c->x[bad->profile], c->y[bad->profile], c->time_s[bad->knot],
                      bad->implied ? "these average velocities imply an interval velocity of" : "velocity is", bad->v_mps,
                      options->min_mps, options->max_mps);
}

/* Told when a law asks for v_int: straight rays do not need it. */
static moho_status note_bad_interval(moho_velocity *velocity, const columns *c, const moho_bad_knot *bad, double time_s,
                                     const moho_velocity_options *options) {
  size_t number = c->number[bad->profile];
  moho_place place = {.file = c->path, .trace = (int64_t)number};
  return moho_velocity_set_problem(velocity, place,
                                   "%.160s: %s %zu (x %.2f m, y %.2f m): the r.m.s. velocities before %.4g s imply %s %.6g %s, "
                                   "expected %g to %g m/s",
                                   c->path, c->what, number, c->x[bad->profile], c->y[bad->profile], time_s,
                                   bad->v_mps < 0 ? "a negative v_int^2," : "v_int", bad->v_mps, bad->v_mps < 0 ? "m2/s2" : "m/s",
                                   options->min_mps, options->max_mps);
}

static moho_status check_times(const columns *c) {
  for (size_t k = 0; k < c->n_time; k++)
    if (!(c->time_s[k] >= 0) || (k && !(c->time_s[k] > c->time_s[k - 1])) || !(c->time_s[k] < 1e4))
      return moho_fail_at((moho_place){.file = c->path}, "two-way vertical times in s, from 0 on", MOHO_ERROR_FORMAT,
                          "%s: time %zu of the velocities is %g s, expected ascending times from 0", c->path, k + 1,
                          c->time_s[k]);
  return MOHO_OK;
}

/* TAKE: v and time_s of the columns. */
static moho_status make_velocity(columns *c, const moho_velocity_options *options, moho_velocity **out) {
  static const char *const kinds[] = {"rms", "interval", "average", "eta"};
  if (c->n == 0 || c->n_time == 0)
    return moho_fail_at((moho_place){.file = c->path}, "check positions and dead traces", MOHO_ERROR_FORMAT,
                        "%s: no %s has a position and velocities", c->path, c->what);
  MOHO_TRY(check_times(c));
  moho_between *between = NULL;
  MOHO_TRY(make_between(c, &between));
  moho_profiles profiles = {.kind = options->kind, .n = c->n, .n_shared = c->n_time, .time_s = c->time_s, .cube_mps = c->v};
  moho_bad_knot bad = {0};
  c->v = NULL;
  moho_status status = moho_profiles_prepare(&profiles, options->min_mps, options->max_mps, &bad);
  if (status == MOHO_ERROR_RANGE) status = fail_at_knot(c, &bad, options);
  c->time_s = NULL; /* the profiles' own now */
  if (status) {
    moho_profiles_release(&profiles);
    moho_between_destroy(&between);
    return status;
  }
  char text[256];
  const char *slash = strrchr(c->path, '/');
  snprintf(text, sizeof text, "cube %.80s: %zu %s functions, %s, %g..%g%s", slash ? slash + 1 : c->path, c->n,
           kinds[options->kind], moho_between_describe(between), profiles.low_mps, profiles.high_mps,
           options->kind == MOHO_VELOCITY_ETA ? "" : " m/s");
  bad = (moho_bad_knot){0};
  int is_bad = moho_profiles_find_bad_interval(&profiles, options->min_mps, options->max_mps, &bad);
  double time = is_bad ? profiles.time_s[bad.knot] : 0;
  status = moho_profiles_make_velocity(&profiles, &between, text, options, out);
  if (!status && is_bad) status = note_bad_interval(*out, c, &bad, time, options);
  if (status) moho_velocity_destroy(out);
  return status;
}

/* Numbers to positions by the image grid: nodes i, j, and x, y of them. */
static moho_status place_by_grid(columns *c, const moho_grid *grid) {
  if (!grid)
    return moho_fail_at((moho_place){.file = c->path}, "give the image grid, or write cdp_x and cdp_y into the cube",
                        MOHO_ERROR_ARGUMENT, "%s: the velocity cube has inline and crossline numbers but no positions", c->path);
  if (!(grid->inline_spacing_m > 0) || !(grid->crossline_spacing_m > 0) || !grid->inline_step || !grid->crossline_step)
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: the image grid has no spacing or no numbers to place the functions with", c->path);
  moho_frame f = moho_frame_of_grid(grid);
  double scale = f.u_x * f.v_y - f.u_y * f.v_x;
  for (size_t k = 0; k < c->n; k++) {
    c->i[k] = (c->i[k] - grid->inline_first) / grid->inline_step,
    c->j[k] = (c->j[k] - grid->crossline_first) / grid->crossline_step;
    c->x[k] = f.x0 + (c->i[k] * f.v_y - c->j[k] * f.u_y) / scale, c->y[k] = f.y0 + (c->j[k] * f.u_x - c->i[k] * f.v_x) / scale;
  }
  return grid->line_x_m ? moho_grid_copy(grid, &c->grid) : MOHO_OK;
}

/* ---- SEG-Y ---- */

/* With positions where the headers have them (stacked data: at the source's bytes), else numbers read as if they were positions.
 */
static moho_status open_segy(const char *path, moho_traces **out, int *by_number) {
  moho_traces_options options = moho_traces_options_default();
  *by_number = 0;
  options.bad_samples = MOHO_BAD_SAMPLES_ERROR;
  moho_status status = moho_traces_open(path, &options, out);
  if (status != MOHO_ERROR_FORMAT || !strstr(moho_last_error()->message, "no coordinates")) return status;
  moho_error first = moho_error_take();
  options.geometry = MOHO_GEOMETRY_MIDPOINT_OFFSET;
  options.headers = "cdp_x=73,cdp_y=77";
  if (moho_traces_open(path, &options, out) == MOHO_OK) return MOHO_OK;
  options.headers = "cdp_x=189:i4,cdp_y=193:i4";
  options.coordinate_scalar_given = 1, options.coordinate_scalar = 1, options.units = MOHO_UNITS_M;
  *by_number = 1;
  if (moho_traces_open(path, &options, out) == MOHO_OK) return MOHO_OK;
  return moho_error_set(&first);
}

/* No number in it; of velocities zeros are none either, of eta they are good. */
static int is_dead(const columns *c, size_t column) {
  const float *v = c->v + column * c->n_time;
  for (size_t k = 0; k < c->n_time; k++)
    if ((v[k] != 0 || c->is_eta) && !isnan(v[k])) return 0;
  return 1;
}

/* Headers of 0, 0 tell of no position, unless the others lie about there: a survey in coordinates of its own may begin at 0, 0,
 * and the functions of a cube may lie far apart. */
static int origin_is_near(const moho_geometry *g) {
  double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
  for (size_t t = 0; t < g->n; t++) {
    if (g->flags[t] & MOHO_TRACE_NO_POSITION) continue;
    low_x = fmin(low_x, g->source_x[t]), high_x = fmax(high_x, g->source_x[t]);
    low_y = fmin(low_y, g->source_y[t]), high_y = fmax(high_y, g->source_y[t]);
  }
  double room = fmax(high_x - low_x, high_y - low_y);
  return fmax(low_x, -high_x) <= room && fmax(low_y, -high_y) <= room;
}

static moho_status fill_from_traces(const moho_geometry *g, int by_number, columns *c) {
  size_t kept = 0;
  int any_position = by_number || origin_is_near(g);
  for (size_t t = 0; t < g->n; t++) {
    double x = (g->source_x[t] + g->receiver_x[t]) / 2, y = (g->source_y[t] + g->receiver_y[t]) / 2;
    if (g->first_sample_s[t] != g->first_sample_s[0])
      return moho_fail_at((moho_place){.file = c->path, .trace = (int64_t)t + 1}, "all functions begin at one time",
                          MOHO_ERROR_FORMAT, "%s: trace %zu begins at %g s, the first at %g s", c->path, t + 1,
                          g->first_sample_s[t], g->first_sample_s[0]);
    c->x[t] = x, c->y[t] = y, c->number[t] = t + 1;
    c->inline_number[t] = by_number ? rint(x) : g->inline_number[t];
    c->crossline_number[t] = by_number ? rint(y) : g->crossline_number[t];
    c->cdp[t] = g->cdp[t];
    c->i[t] = by_number ? rint(x) : g->inline_number[t], c->j[t] = by_number ? rint(y) : g->crossline_number[t];
    if ((g->flags[t] & MOHO_TRACE_NO_POSITION && !any_position) || is_dead(c, t)) continue;
    keep_column(c, kept++, t);
  }
  c->n = kept;
  return MOHO_OK;
}

/* A line's CDPs are the nodes of a crooked grid, when the cube has such numbers. */
static moho_status follow_crooked_grid(const moho_geometry *g, columns *c, const moho_grid *grid) {
  if (!grid || !grid->line_x_m || grid->crossline_step == 0) return MOHO_OK;
  for (size_t k = 0; k < c->n; k++)
    if (g->cdp[c->number[k] - 1] == 0) return MOHO_OK;
  for (size_t k = 0; k < c->n; k++) c->j[k] = (double)(g->cdp[c->number[k] - 1] - grid->crossline_first) / grid->crossline_step;
  return moho_grid_copy(grid, &c->grid);
}

static moho_status read_open_segy(moho_traces *traces, int by_number, const moho_velocity_options *options, columns *c) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  c->n = info->n_traces, c->n_time = info->n_samples;
  MOHO_TRY(check_size(c->path, c->n, c->n_time, options->kind));
  MOHO_TRY(moho_allocate(c->n * c->n_time, sizeof(float), "velocity cube", &c->v));
  MOHO_TRY(moho_allocate(c->n_time, sizeof(double), "velocity cube", &c->time_s));
  MOHO_TRY(allocate_columns(c));
  MOHO_TRY(moho_traces_read(traces, 0, c->n, c->v));
  for (size_t k = 0; k < c->n_time; k++) c->time_s[k] = g->first_sample_s[0] + (double)k * info->dt_s;
  MOHO_TRY(fill_from_traces(g, by_number, c));
  if (by_number) return place_by_grid(c, options->grid);
  return follow_crooked_grid(g, c, options->grid);
}

static moho_status read_segy(const moho_velocity_options *options, columns *c) {
  moho_traces *traces = NULL;
  int by_number;
  c->what = "trace";
  MOHO_TRY(open_segy(c->path, &traces, &by_number));
  moho_status status = read_open_segy(traces, by_number, options, c);
  moho_traces_close(&traces);
  return status;
}

/* ---- Zarr ---- */

static int has_three_axes(const char *path, const char *name) {
  moho_zarr_array *array;
  if (!moho_zarr_group_has(path, name) || moho_zarr_array_open(path, name, &array)) return 0;
  int three = moho_zarr_array_get_layout(array)->n_axes == 3;
  moho_zarr_array_close(&array);
  return three;
}

/* "velocity", else the one array of three axes. */
static moho_status find_array(const char *path, const char *wanted, char name[MOHO_ZARR_NAME]) {
  snprintf(name, MOHO_ZARR_NAME, "%s", wanted);
  if (moho_zarr_group_has(path, name)) return MOHO_OK;
  size_t found = 0;
  DIR *directory = opendir(path);
  for (struct dirent *entry; directory && (entry = readdir(directory));) {
    if (entry->d_name[0] == '.' || strlen(entry->d_name) >= MOHO_ZARR_NAME || !has_three_axes(path, entry->d_name)) continue;
    found++;
    memcpy(name, entry->d_name, strlen(entry->d_name) + 1);
  }
  if (directory) closedir(directory);
  if (found == 1) return MOHO_OK;
  return moho_fail_at((moho_place){.file = path},
                      "name the array \"velocity\" (of eta: \"eta\"), with axes inline, crossline, time", MOHO_ERROR_FORMAT,
                      "%s: no array \"%s\", and %zu arrays of three axes, expected 1", path, wanted, found);
}

static moho_status take_times(const moho_zarr_cube *cube, const moho_grid *grid, columns *c) {
  double scale = strcmp(cube->units[2], "ms") == 0 ? 1e-3 : 1;
  MOHO_TRY(moho_allocate(c->n_time, sizeof(double), "velocity cube", &c->time_s));
  if (!cube->coordinates[2] && !(grid && grid->step_s > 0))
    return moho_fail_at((moho_place){.file = c->path}, "add the coordinate time, in s", MOHO_ERROR_FORMAT,
                        "%s: the velocity cube has no times", c->path);
  for (size_t k = 0; k < c->n_time; k++)
    c->time_s[k] = cube->coordinates[2] ? scale * cube->coordinates[2][k] : grid->first_s + (double)k * grid->step_s;
  return MOHO_OK;
}

static void scale_values(moho_zarr_cube *cube, size_t n) {
  double scale = strcmp(cube->value_unit, "km/s") == 0 ? 1000 : strcmp(cube->value_unit, "ft/s") == 0 ? 0.3048 : 1;
  if (scale == 1) return;
  for (size_t k = 0; k < n; k++) cube->values[k] = (float)(scale * (double)cube->values[k]);
}

/* Columns of which no sample is a number (outside the surveyed area) are left out. */
static void keep_live_columns(columns *c) {
  size_t kept = 0;
  for (size_t k = 0; k < c->n; k++)
    if (!is_dead(c, k)) keep_column(c, kept++, k);
  c->n = kept;
}

/* Where the columns are: by the grid in the attributes, by cdp_x and cdp_y, or by the numbers on the image grid. */
static moho_status place_columns(const moho_zarr_cube *cube, const moho_grid *own, const moho_grid *grid, columns *c) {
  size_t n_j = cube->shape[1];
  for (size_t k = 0; k < c->n; k++) {
    size_t i = k / n_j, j = k % n_j;
    c->number[k] = k + 1, c->i[k] = (double)i, c->j[k] = (double)j;
    if (cube->coordinates[0] && cube->coordinates[1])
      c->inline_number[k] = cube->coordinates[0][i], c->crossline_number[k] = cube->coordinates[1][j];
    if (own) moho_grid_node(own, i, j, &c->x[k], &c->y[k]);
    else if (cube->cdp_x && cube->cdp_y) c->x[k] = cube->cdp_x[k], c->y[k] = cube->cdp_y[k];
    else if (cube->coordinates[0] && cube->coordinates[1]) c->i[k] = cube->coordinates[0][i], c->j[k] = cube->coordinates[1][j];
    if (!isfinite(c->x[k]) || !isfinite(c->y[k]) || !isfinite(c->i[k]) || !isfinite(c->j[k]))
      return moho_fail_at((moho_place){.file = c->path}, NULL, MOHO_ERROR_FORMAT, "%s: column %zu has no finite position",
                          c->path, k + 1);
  }
  if (own) return own->line_x_m ? moho_grid_copy(own, &c->grid) : MOHO_OK;
  if (cube->cdp_x && cube->cdp_y) return MOHO_OK;
  if (cube->coordinates[0] && cube->coordinates[1]) return place_by_grid(c, grid);
  return moho_fail_at((moho_place){.file = c->path},
                      "add cdp_x and cdp_y [inline, crossline], or the coordinates inline and crossline", MOHO_ERROR_FORMAT,
                      "%s: nothing says where the columns of the velocity cube are", c->path);
}

static moho_status check_axes(const moho_zarr_cube *cube, const moho_grid *own, const char *path) {
  static const char *const names[] = {"inline", "crossline", "time"};
  for (size_t a = 0; a < 3; a++)
    if (cube->axes[a][0] && strcmp(cube->axes[a], names[a]) != 0)
      return moho_fail_at((moho_place){.file = path}, "transpose the array to inline, crossline, time", MOHO_ERROR_FORMAT,
                          "%s: axis %zu of the velocities is \"%s\", expected \"%s\"", path, a + 1, cube->axes[a], names[a]);
  if (own && (own->n_inline != cube->shape[0] || own->n_crossline != cube->shape[1]))
    return moho_fail_at((moho_place){.file = path}, NULL, MOHO_ERROR_FORMAT,
                        "%s: the velocities are [%zu, %zu], the grid %zu x %zu", path, cube->shape[0], cube->shape[1],
                        own->n_inline, own->n_crossline);
  return MOHO_OK;
}

static moho_status take_cube(moho_zarr_cube *cube, const moho_grid *own, const moho_velocity_options *options, columns *c) {
  MOHO_TRY(check_axes(cube, own, c->path));
  c->n = cube->shape[0] * cube->shape[1], c->n_time = cube->shape[2];
  MOHO_TRY(check_size(c->path, c->n, options->kind == MOHO_VELOCITY_RMS ? 0 : c->n_time, options->kind));
  MOHO_TRY(take_times(cube, own, c));
  MOHO_TRY(allocate_columns(c));
  MOHO_TRY(place_columns(cube, own, options->grid, c));
  scale_values(cube, c->n * c->n_time);
  c->v = cube->values, cube->values = NULL;
  keep_live_columns(c);
  return MOHO_OK;
}

static moho_status read_zarr(const moho_velocity_options *options, columns *c) {
  char name[MOHO_ZARR_NAME];
  json_t *attributes = NULL;
  moho_grid own = {0};
  moho_zarr_cube cube = {0};
  c->what = "column";
  MOHO_TRY(moho_zarr_group_read_attributes(c->path, &attributes));
  const json_t *grid = json_object_get(attributes, "grid");
  moho_status status = find_array(c->path, c->is_eta ? "eta" : "velocity", name);
  if (!status && grid) status = moho_grid_from_json(grid, c->path, &own);
  if (!status) status = moho_zarr_cube_read(c->path, name, &cube);
  if (!status) status = take_cube(&cube, grid ? &own : NULL, options, c);
  if (!status && grid) status = moho_grid_copy(&own, &c->own);
  moho_zarr_cube_release(&cube);
  moho_grid_release(&own);
  json_decref(attributes);
  return status;
}

moho_status moho_velocity_read_cube(const char *path, const moho_velocity_options *options, moho_velocity **out) {
  moho_velocity_options defaults = moho_velocity_options_default();
  struct stat status_of_path;
  *out = NULL;
  if (!options) options = &defaults;
  MOHO_TRY(moho_velocity_check_options(options));
  columns c = {.path = path, .is_eta = options->kind == MOHO_VELOCITY_ETA};
  int is_directory = stat(path, &status_of_path) == 0 && S_ISDIR(status_of_path.st_mode);
  moho_status status = is_directory ? read_zarr(options, &c) : read_segy(options, &c);
  if (!status) status = make_velocity(&c, options, out);
  release_columns(&c);
  return status;
}

/* ---- the functions as numbers ---- */

static int any_but_zero(const double *values, size_t n) {
  for (size_t k = 0; k < n; k++)
    if (values[k] != 0) return 1;
  return 0;
}

static moho_status check_values(const columns *c, const moho_velocity_options *options) {
  for (size_t k = 0; k < c->n * c->n_time; k++)
    if (!((double)c->v[k] >= options->min_mps && (double)c->v[k] <= options->max_mps)) {
      moho_bad_knot bad = {k / c->n_time, k % c->n_time, (double)c->v[k], 0};
      return fail_at_knot(c, &bad, options);
    }
  return MOHO_OK;
}

static void take_values(const columns *c, moho_velocity_functions *out) {
  for (size_t p = 0; p < c->n; p++) {
    out->start[p + 1] = (p + 1) * c->n_time;
    for (size_t k = 0; k < c->n_time; k++) {
      out->time_s[p * c->n_time + k] = c->time_s[k];
      out->v_mps[p * c->n_time + k] = (double)c->v[p * c->n_time + k];
    }
  }
}

/* TAKE: positions, numbers and the grid of the columns. */
static moho_status make_functions(columns *c, const moho_velocity_options *options, moho_velocity_functions *out) {
  if (c->n == 0 || c->n_time == 0)
    return moho_fail_at((moho_place){.file = c->path}, "check positions and dead traces", MOHO_ERROR_FORMAT,
                        "%s: no %s has a position and velocities", c->path, c->what);
  MOHO_TRY(check_times(c));
  MOHO_TRY(check_values(c, options));
  MOHO_TRY(check_size(c->path, c->n, 2 * c->n_time, MOHO_VELOCITY_AVERAGE));
  MOHO_TRY(moho_velocity_functions_create(c->n, c->n * c->n_time, out));
  take_values(c, out);
  out->kind = options->kind;
  out->x_m = c->x, out->y_m = c->y, out->number = c->number;
  c->x = c->y = NULL, c->number = NULL;
  if (any_but_zero(c->inline_number, c->n) || any_but_zero(c->crossline_number, c->n)) {
    out->inline_number = c->inline_number, out->crossline_number = c->crossline_number;
    c->inline_number = c->crossline_number = NULL;
  }
  if (any_but_zero(c->cdp, c->n)) out->cdp = c->cdp, c->cdp = NULL;
  if (!(out->file = strdup(c->path))) return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", c->path);
  if (c->own.n_time == 0 || c->own.n_inline * c->own.n_crossline != c->n) return MOHO_OK;
  return moho_functions_place_on_grid(&c->own, out);
}

moho_status moho_velocity_cube_read_functions(const char *path, const moho_velocity_options *options,
                                              moho_velocity_functions *out) {
  struct stat status_of_path;
  *out = (moho_velocity_functions){0};
  MOHO_TRY(moho_velocity_check_options(options));
  columns c = {.path = path};
  int is_directory = stat(path, &status_of_path) == 0 && S_ISDIR(status_of_path.st_mode);
  moho_status status = is_directory ? read_zarr(options, &c) : read_segy(options, &c);
  if (!status) status = make_functions(&c, options, out);
  release_columns(&c);
  if (status) moho_velocity_functions_release(out);
  return status;
}
