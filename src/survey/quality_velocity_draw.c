/* quality_velocity_draw.c - velocity functions as curves and side by side. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "moho/view.h"
#include "survey/quality_draw.h"

enum { CURVES = 8, SIDE_BY_SIDE = 400, TIMES = 300 };

static const unsigned char inks[CURVES][3] = {{52, 104, 160}, {196, 78, 40},  {60, 140, 70},  {110, 80, 150},
                                              {180, 140, 20}, {30, 150, 150}, {150, 60, 110}, {90, 90, 90}};

/* The k-th of n functions spread evenly over all. */
static size_t chosen(const moho_velocity_functions *f, size_t k, size_t n) {
  return n > 1 ? k * (f->n - 1) / (n - 1) : 0;
}

/* Curves step where velocities are constant in layers: knots are joined as the readers do, linearly. */
static moho_status draw_curves(const moho_velocity_functions *f, const char *directory) {
  size_t n = moho_smaller(f->n, CURVES);
  moho_view_series series[CURVES];
  char labels[CURVES][40], subtitle[100], *path;
  double last = 0;
  for (size_t k = 0; k < n; k++) {
    size_t p = chosen(f, k, n), first = f->start[p];
    snprintf(labels[k], sizeof labels[k], "function %zu", p + 1);
    series[k] = (moho_view_series){.n = f->start[p + 1] - first,
                                   .x = f->v_mps + first,
                                   .y = f->time_s + first,
                                   .red = inks[k][0],
                                   .green = inks[k][1],
                                   .blue = inks[k][2],
                                   .label = labels[k]};
    if (series[k].n) last = fmax(last, series[k].y[series[k].n - 1]);
  }
  snprintf(subtitle, sizeof subtitle, "%zu of %zu functions", n, f->n);
  moho_view_graph graph = {.height = 760,
                           .title = "Velocity functions",
                           .subtitle = subtitle,
                           .x_label = "velocity",
                           .x_unit = "m/s",
                           .y_label = "time",
                           .y_unit = "s",
                           .y_low = last > 0 ? last : 1,
                           .y_high = 0,
                           .series = series,
                           .n_series = n};
  MOHO_TRY(moho_quality_path(directory, "functions.png", &path));
  moho_status status = moho_view_write_graph_png(path, &graph);
  free(path);
  return status;
}

static float value_at(const moho_velocity_functions *f, size_t p, double t) {
  size_t k = f->start[p], end = f->start[p + 1];
  if (k == end || t > f->time_s[end - 1] + 1e-9) return NAN; /* beyond the last knot nothing was given */
  if (t <= f->time_s[k]) return (float)f->v_mps[k];
  while (k + 1 < end && f->time_s[k + 1] < t) k++;
  double w = (t - f->time_s[k]) / (f->time_s[k + 1] - f->time_s[k]);
  return (float)(f->v_mps[k] + w * (f->v_mps[k + 1] - f->v_mps[k]));
}

static moho_status draw_side_by_side(const moho_velocity_functions *f, const char *directory) {
  size_t n = moho_smaller(f->n, SIDE_BY_SIDE);
  float *values;
  char *path, subtitle[100];
  double last = 0;
  MOHO_TRY(moho_allocate(n * TIMES, sizeof *values, "velocity picture", &values));
  for (size_t k = 0; k < f->start[f->n]; k++) last = fmax(last, f->time_s[k]);
  double step = last / (TIMES - 1);
  for (size_t k = 0; k < n; k++)
    for (size_t j = 0; j < TIMES; j++) values[k * TIMES + j] = value_at(f, chosen(f, k, n), (double)j * step);
  moho_view_options options = moho_view_options_default();
  snprintf(subtitle, sizeof subtitle, "%zu of %zu functions, in the order of the file", n, f->n);
  options.title = "Velocity", options.subtitle = subtitle, options.value_label = "m/s";
  options.colours = MOHO_VIEW_SEQUENTIAL, options.symmetric = 0;
  options.across =
      (moho_view_axis){.label = "function", .unit = "", .first = 1, .step = n > 1 ? (double)(f->n - 1) / (double)(n - 1) : 1};
  options.down = (moho_view_axis){.label = "time", .unit = "s", .first = 0, .step = step > 0 ? step : 1};
  moho_status status = moho_quality_path(directory, "velocity.png", &path);
  if (!status) status = moho_view_write_png(path, values, n, TIMES, TIMES, 1, &options);
  free(values);
  free(path);
  return status;
}

moho_status moho_velocity_functions_draw(const moho_velocity_functions *f, const char *directory) {
  MOHO_TRY(moho_directory_make(directory));
  MOHO_TRY(draw_curves(f, directory));
  return f->n > 1 ? draw_side_by_side(f, directory) : MOHO_OK;
}
