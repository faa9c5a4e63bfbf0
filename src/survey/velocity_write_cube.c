/* velocity_write_cube.c - velocity functions on one time axis as SEG-Y (a trace a function) or Zarr (as image.zarr). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/grid_json.h"
#include "survey/segy_writer.h"
#include "survey/velocity_write.h"

/* ---- what a cube needs ---- */

/* The knots of every function at the times of the first. */
static moho_status check_axis(const moho_velocity_functions *f, const char *path) {
  size_t n = f->start[1];
  static const char remedy[] = "sample them: --time-step S gives all functions one axis";
  for (size_t p = 1; p < f->n; p++) {
    if (f->start[p + 1] - f->start[p] != n)
      return moho_fail_at((moho_place){.file = path}, remedy, MOHO_ERROR_ARGUMENT,
                          "%s: a cube has one time axis, but function 1 has %zu knots and function %zu has %zu", path, n, p + 1,
                          f->start[p + 1] - f->start[p]);
    for (size_t k = 0; k < n; k++)
      if (!(fabs(f->time_s[f->start[p] + k] - f->time_s[k]) <= 1e-9))
        return moho_fail_at((moho_place){.file = path}, remedy, MOHO_ERROR_ARGUMENT,
                            "%s: a cube has one time axis, but knot %zu of function 1 is at %.9g s, of function %zu at %.9g s",
                            path, k + 1, f->time_s[k], p + 1, f->time_s[f->start[p] + k]);
  }
  return MOHO_OK;
}

static moho_status to_floats(const moho_velocity_functions *f, float **out) {
  size_t samples = f->start[f->n];
  MOHO_TRY(moho_allocate(samples, sizeof **out, "velocity cube", out));
  for (size_t k = 0; k < samples; k++) (*out)[k] = (float)f->v_mps[k];
  return MOHO_OK;
}

/* ---- SEG-Y ---- */

static moho_status find_step(const moho_velocity_functions *f, const char *path, double *step_s) {
  size_t n = f->start[1];
  *step_s = n > 1 ? (f->time_s[n - 1] - f->time_s[0]) / (double)(n - 1) : 0.004;
  double us = rint(*step_s * 1e6);
  for (size_t k = 0; k < n; k++)
    if (!(fabs(f->time_s[0] + (double)k * us * 1e-6 - f->time_s[k]) <= 1e-7))
      return moho_fail_at((moho_place){.file = path}, "sample them: --time-step 0.02", MOHO_ERROR_ARGUMENT,
                          "%s: SEG-Y has an even time axis of whole microseconds, but knot %zu is at %.9g s", path, k + 1,
                          f->time_s[k]);
  *step_s = us * 1e-6;
  return MOHO_OK;
}

static int32_t whole(double value) {
  return value == rint(value) && fabs(value) < 2e9 ? (int32_t)value : 0;
}

static moho_status make_geometry(const moho_velocity_functions *f, const char *path, moho_geometry *g) {
  if (!f->x_m)
    return moho_fail_at((moho_place){.file = path}, "give the grid that turns numbers into positions: --grid image.zarr",
                        MOHO_ERROR_ARGUMENT, "%s: format segy needs x and y, which the functions lack", path);
  MOHO_TRY(moho_geometry_create(f->n, g));
  for (size_t p = 0; p < f->n; p++) {
    g->source_x[p] = g->receiver_x[p] = f->x_m[p];
    g->source_y[p] = g->receiver_y[p] = f->y_m[p];
    g->first_sample_s[p] = f->time_s[0];
    if (f->inline_number) g->inline_number[p] = whole(f->inline_number[p]);
    if (f->crossline_number) g->crossline_number[p] = whole(f->crossline_number[p]);
    if (f->cdp) g->cdp[p] = whole(f->cdp[p]);
  }
  return MOHO_OK;
}

static const char *kind_text(moho_velocity_kind kind) {
  return kind == MOHO_VELOCITY_RMS        ? "RMS VELOCITY, M/S"
         : kind == MOHO_VELOCITY_INTERVAL ? "INTERVAL VELOCITY, M/S"
                                          : "AVERAGE VELOCITY, M/S";
}

static moho_status write_traces(const moho_velocity_functions *f, const char *path, double step_s, const char *description,
                                const moho_geometry *g, const float *samples) {
  moho_segy_writer_options o = {
      .stacked = 1, .n_traces = f->n, .n_samples = f->start[1], .dt_s = step_s, .description = description};
  moho_segy_writer *writer;
  MOHO_TRY(moho_segy_writer_create(path, &o, &writer));
  moho_status status = moho_segy_writer_append(writer, g, samples);
  if (!status) return moho_segy_writer_finish(&writer);
  moho_segy_writer_discard(&writer);
  return status;
}

moho_status moho_velocity_write_segy(const moho_velocity_functions *f, const char *path,
                                     const moho_velocity_write_options *options) {
  double step_s;
  moho_geometry g = {0};
  float *samples = NULL;
  char *text = NULL;
  MOHO_TRY(check_axis(f, path));
  MOHO_TRY(find_step(f, path, &step_s));
  moho_status status = make_geometry(f, path, &g);
  if (!status) status = to_floats(f, &samples);
  if (!status && asprintf(&text, "%s\n%s", kind_text(f->kind), options->description ? options->description : "") < 0)
    text = NULL, status = moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  if (!status) status = write_traces(f, path, step_s, text, &g, samples);
  free(text), free(samples);
  moho_geometry_release(&g);
  return status;
}

/* ---- Zarr ---- */

/* How the functions lie: the grid's nodes, the lattice of their numbers in order, else one row. */
typedef struct shape {
  size_t n_inline, n_crossline;
} shape;

static shape find_shape(const moho_velocity_functions *f) {
  shape row = {1, f->n};
  if (f->on_grid) return (shape){f->grid.n_inline, f->grid.n_crossline};
  if (!f->inline_number) return row;
  size_t n_x = 1;
  while (n_x < f->n && f->inline_number[n_x] == f->inline_number[0]) n_x++;
  if (f->n % n_x) return row;
  for (size_t p = 0; p < f->n; p++)
    if (f->inline_number[p] != f->inline_number[p - p % n_x] || f->crossline_number[p] != f->crossline_number[p % n_x])
      return row;
  return (shape){f->n / n_x, n_x};
}

static moho_status put_axis(moho_zarr_writer *writer, const char *name, size_t n, const double *values, size_t stride) {
  moho_zarr_layout layout = {.type = MOHO_ZARR_F8, .n_axes = 1, .shape = {n}, .chunk = {n}};
  double *axis;
  int is_time = strcmp(name, "time") == 0;
  strcpy(layout.axes[0], name);
  MOHO_TRY(moho_allocate(n, sizeof *axis, name, &axis));
  for (size_t i = 0; i < n; i++) axis[i] = values ? values[i * stride] : (double)(i + 1);
  moho_status status = moho_zarr_writer_put_array(writer, name, &layout, json_pack("{s:s}", "units", is_time ? "s" : "1"), axis);
  free(axis);
  return status;
}

static moho_status put_position(moho_zarr_writer *writer, const char *name, shape s, const double *values) {
  moho_zarr_layout layout = {.type = MOHO_ZARR_F8,
                             .n_axes = 2,
                             .shape = {s.n_inline, s.n_crossline},
                             .chunk = {s.n_inline < 512 ? s.n_inline : 512, s.n_crossline < 512 ? s.n_crossline : 512},
                             .axes = {"inline", "crossline"}};
  return moho_zarr_writer_put_array(writer, name, &layout, json_pack("{s:s}", "units", "m"), values);
}

static moho_status put_velocity(moho_zarr_writer *writer, const moho_velocity_functions *f, shape s, const float *samples) {
  size_t n = f->start[1], columns = ((size_t)1 << 20) / n + 1;
  moho_zarr_layout layout = {.type = MOHO_ZARR_F4,
                             .n_axes = 3,
                             .shape = {s.n_inline, s.n_crossline, n},
                             .axes = {"inline", "crossline", "time"},
                             .has_fill = 1,
                             .fill = NAN};
  layout.chunk[1] = s.n_crossline < columns ? s.n_crossline : columns;
  layout.chunk[0] = columns / layout.chunk[1] ? columns / layout.chunk[1] : 1;
  layout.chunk[2] = n;
  static const char *const names[] = {"rms velocity", "interval velocity", "average velocity"};
  return moho_zarr_writer_put_array(
      writer, "velocity", &layout,
      json_pack("{s:s, s:s, s:s}", "long_name", names[f->kind], "units", "m/s", "coordinates", "cdp_x cdp_y"), samples);
}

/* The grid goes along with its time axis set to the velocities' own, where that is even. */
static moho_status put_attributes(moho_zarr_writer *writer, const moho_velocity_functions *f, const char *path,
                                  const moho_velocity_write_options *options) {
  json_t *attributes = json_pack("{s:s, s:s*}", "velocity_kind",
                                 f->kind == MOHO_VELOCITY_RMS        ? "rms"
                                 : f->kind == MOHO_VELOCITY_INTERVAL ? "interval"
                                                                     : "average",
                                 "description", options->description);
  moho_grid grid = f->grid;
  size_t n = f->start[1];
  grid.first_s = f->time_s[0], grid.n_time = n;
  grid.step_s = n > 1 ? (f->time_s[n - 1] - f->time_s[0]) / (double)(n - 1) : 0.004;
  if (!attributes || (f->on_grid && json_object_set_new(attributes, "grid", moho_grid_to_json(&grid)))) {
    json_decref(attributes);
    return moho_fail(MOHO_ERROR_MEMORY, "%s: out of memory", path);
  }
  return moho_zarr_writer_set_attributes(writer, attributes);
}

static moho_status put_all(moho_zarr_writer *writer, const moho_velocity_functions *f, const char *path, const float *samples,
                           const moho_velocity_write_options *options) {
  shape s = find_shape(f);
  MOHO_TRY(put_attributes(writer, f, path, options));
  MOHO_TRY(put_velocity(writer, f, s, samples));
  int numbered = f->inline_number && (s.n_inline > 1 || f->inline_number[f->n - 1] == f->inline_number[0]);
  MOHO_TRY(put_axis(writer, "inline", s.n_inline, numbered ? f->inline_number : NULL, s.n_crossline));
  MOHO_TRY(put_axis(writer, "crossline", s.n_crossline, numbered ? f->crossline_number : NULL, 1));
  MOHO_TRY(put_axis(writer, "time", f->start[1], f->time_s, 1));
  if (!f->x_m) return MOHO_OK;
  MOHO_TRY(put_position(writer, "cdp_x", s, f->x_m));
  return put_position(writer, "cdp_y", s, f->y_m);
}

moho_status moho_velocity_write_zarr(const moho_velocity_functions *f, const char *path,
                                     const moho_velocity_write_options *options) {
  moho_zarr_writer *writer;
  float *samples = NULL;
  MOHO_TRY(check_axis(f, path));
  if (!f->x_m && !(f->inline_number && find_shape(f).n_inline * find_shape(f).n_crossline == f->n && f->n > 1))
    return moho_fail_at((moho_place){.file = path}, "give the grid that turns numbers into positions: --grid image.zarr",
                        MOHO_ERROR_ARGUMENT, "%s: format zarr needs x and y, which the functions lack", path);
  MOHO_TRY(to_floats(f, &samples));
  moho_status status = moho_zarr_writer_create(path, &writer);
  if (!status) {
    status = put_all(writer, f, path, samples, options);
    if (!status) status = moho_zarr_writer_finish(&writer);
    else moho_zarr_writer_discard(&writer);
  }
  free(samples);
  return status;
}
