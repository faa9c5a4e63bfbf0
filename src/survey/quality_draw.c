/* quality_draw.c - the pictures of a survey: maps on its grid, histograms, the spectrum. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "moho/view.h"
#include "survey/quality_draw.h"
#include "survey/quality_parts.h"

moho_status moho_quality_path(const char *directory, const char *name, char **path) {
  if (asprintf(path, "%s/%s", directory, name) >= 0) return MOHO_OK;
  *path = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "pictures: out of memory");
}

/* ---- graphs ---- */

static moho_status draw_histogram(const moho_histogram *h, moho_view_graph *graph, const char *directory, const char *name) {
  double x[MOHO_HISTOGRAM], y[MOHO_HISTOGRAM], half = h->step == 1 ? 0 : 0.5; /* a class of one whole number: over it */
  moho_view_series series = {.n = h->n, .x = x, .y = y, .red = 52, .green = 104, .blue = 160, .bars = 1};
  char *path;
  for (size_t k = 0; k < h->n; k++) x[k] = h->first + ((double)k + half) * h->step, y[k] = (double)h->count[k];
  graph->series = &series, graph->n_series = 1;
  MOHO_TRY(moho_quality_path(directory, name, &path));
  moho_status status = moho_view_write_graph_png(path, graph);
  free(path);
  return status;
}

static moho_status draw_histograms(const moho_survey_quality *q, const char *directory) {
  char subtitle[120];
  moho_view_graph graph = {.title = "Offsets", .x_label = "offset", .x_unit = "m", .y_label = "traces"};
  snprintf(subtitle, sizeof subtitle, "%zu live traces", q->n_live);
  graph.subtitle = subtitle;
  MOHO_TRY(draw_histogram(&q->offset_histogram, &graph, directory, "offset_histogram.png"));
  graph.title = "Azimuths, source to receiver", graph.x_label = "azimuth", graph.x_unit = "degrees from north";
  MOHO_TRY(draw_histogram(&q->azimuth_histogram, &graph, directory, "azimuth_histogram.png"));
  if (!q->fold) return MOHO_OK;
  graph.title = "Fold", graph.x_label = "traces in a bin", graph.x_unit = "", graph.y_label = "bins";
  snprintf(subtitle, sizeof subtitle, "%zu of %zu bins filled, median %zu, largest %zu", q->bins_filled, q->bins, q->fold_median,
           q->fold_most);
  return draw_histogram(&q->fold_histogram, &graph, directory, "fold_histogram.png");
}

moho_status moho_spectrum_draw(const moho_spectrum *const *spectra, const char *const *labels, size_t n, const char *title,
                               const char *path) {
  double x[4][MOHO_SPECTRUM], y[4][MOHO_SPECTRUM];
  moho_view_series series[4];
  static const unsigned char inks[4][3] = {{52, 104, 160}, {196, 78, 40}, {60, 140, 70}, {110, 80, 150}};
  char subtitle[160];
  if (n > 4) n = 4;
  for (size_t i = 0; i < n; i++) {
    const moho_spectrum *s = spectra[i];
    for (size_t k = 0; k < s->n; k++) {
      x[i][k] = (double)k * s->step_hz;
      y[i][k] = s->amplitude[k] > 1e-4 ? 20 * log10(s->amplitude[k]) : -80;
    }
    series[i] = (moho_view_series){.n = s->n,
                                   .x = x[i],
                                   .y = y[i],
                                   .red = inks[i][0],
                                   .green = inks[i][1],
                                   .blue = inks[i][2],
                                   .label = n > 1 ? labels[i] : NULL};
  }
  snprintf(subtitle, sizeof subtitle, "usable band %.3g to %.3g Hz, largest at %.3g Hz", spectra[0]->low_hz, spectra[0]->high_hz,
           spectra[0]->peak_hz);
  moho_view_graph graph = {.title = title,
                           .subtitle = subtitle,
                           .x_label = "frequency",
                           .x_unit = "Hz",
                           .y_label = "amplitude",
                           .y_unit = "dB",
                           .y_low = -60,
                           .y_high = 3,
                           .band_low = spectra[0]->low_hz,
                           .band_high = spectra[0]->high_hz,
                           .series = series,
                           .n_series = n};
  return moho_view_write_graph_png(path, &graph);
}

/* ---- maps ---- */

static moho_view_axis crossline_axis(const moho_grid *g) {
  return (moho_view_axis){
      .label = moho_grid_is_line(g) ? "CDP" : "crossline", .unit = "", .first = g->crossline_first, .step = g->crossline_step};
}

static moho_status draw_map(const moho_survey_quality *q, const float *values, const char *title, const char *label,
                            const char *directory, const char *name) {
  const moho_grid *g = &q->grid;
  moho_view_options options = moho_view_options_default();
  char *path;
  options.title = title, options.value_label = label;
  options.colours = MOHO_VIEW_SEQUENTIAL, options.symmetric = 0;
  options.across = crossline_axis(g);
  options.down = (moho_view_axis){.label = "inline", .unit = "", .first = g->inline_first, .step = g->inline_step};
  MOHO_TRY(moho_quality_path(directory, name, &path));
  moho_status status = moho_view_write_png(path, values, g->n_crossline, g->n_inline, 1, g->n_crossline, &options);
  free(path);
  return status;
}

static moho_status draw_maps(const moho_survey_quality *q, const char *directory) {
  float *fold;
  MOHO_TRY(moho_allocate(q->bins, sizeof *fold, "fold map", &fold));
  for (size_t b = 0; b < q->bins; b++) fold[b] = q->fold[b] ? (float)q->fold[b] : NAN;
  moho_status status = draw_map(q, fold, "Fold", "traces", directory, "fold.png");
  free(fold);
  if (!status) status = draw_map(q, q->offset_least_m, "Least offset of each bin", "m", directory, "offset_least.png");
  if (!status) status = draw_map(q, q->offset_most_m, "Largest offset of each bin", "m", directory, "offset_most.png");
  if (!status) status = draw_map(q, q->azimuth_deg, "Usual azimuth of each bin, modulo 180", "degrees", directory, "azimuth.png");
  return status;
}

/* ---- lines ---- */

static moho_status draw_line_fold(const moho_survey_quality *q, const char *directory) {
  size_t n = q->grid.n_crossline;
  double *x = NULL, *y = NULL;
  char *path = NULL, subtitle[120];
  moho_status status = moho_allocate(n, sizeof *x, "fold", &x);
  if (!status) status = moho_allocate(n, sizeof *y, "fold", &y);
  if (!status) status = moho_quality_path(directory, "fold.png", &path);
  if (!status) {
    for (size_t j = 0; j < n; j++) x[j] = q->grid.crossline_first + (double)j * q->grid.crossline_step, y[j] = q->fold[j];
    snprintf(subtitle, sizeof subtitle, "median %zu, %zu empty CDPs within the line", q->fold_median, q->holes);
    moho_view_series series = {.n = n, .x = x, .y = y, .red = 52, .green = 104, .blue = 160, .bars = n <= 400};
    moho_view_graph graph = {.title = "Fold along the line",
                             .subtitle = subtitle,
                             .x_label = "CDP",
                             .y_label = "traces",
                             .series = &series,
                             .n_series = 1};
    status = moho_view_write_graph_png(path, &graph);
  }
  free(x), free(y), free(path);
  return status;
}

static moho_status draw_chart(const moho_survey_quality *q, const char *directory) {
  size_t n = q->bins * q->offset_histogram.n;
  const moho_histogram *h = &q->offset_histogram;
  float *values;
  char *path;
  MOHO_TRY(moho_allocate(n, sizeof *values, "stacking chart", &values));
  for (size_t i = 0; i < n; i++) values[i] = q->chart[i] ? (float)q->chart[i] : NAN;
  moho_view_options options = moho_view_options_default();
  options.title = "Stacking chart: traces by CDP and offset", options.value_label = "traces";
  options.colours = MOHO_VIEW_SEQUENTIAL, options.symmetric = 0;
  options.across = crossline_axis(&q->grid);
  options.down = (moho_view_axis){.label = "offset", .unit = "m", .first = h->first + 0.5 * h->step, .step = h->step};
  moho_status status = moho_quality_path(directory, "stacking_chart.png", &path);
  if (!status) status = moho_view_write_png(path, values, q->bins, h->n, h->n, 1, &options);
  free(values);
  free(path);
  return status;
}

/* ---- together ---- */

enum { MOST_LINES = 4000000 };

static moho_status write_table(const moho_survey_quality *q, const char *directory) {
  char *path;
  if (!q->fold || q->bins_filled > MOST_LINES) return MOHO_OK;
  MOHO_TRY(moho_quality_path(directory, "bins.csv", &path));
  moho_status status = moho_quality_write_table(q, path);
  free(path);
  return status;
}

moho_status moho_survey_quality_draw(const moho_survey_quality *q, const char *directory) {
  const moho_spectrum *spectrum = &q->spectrum;
  char *path;
  MOHO_TRY(moho_directory_make(directory));
  MOHO_TRY(draw_histograms(q, directory));
  if (q->fold && q->chart) {
    MOHO_TRY(draw_line_fold(q, directory));
    MOHO_TRY(draw_chart(q, directory));
  } else if (q->fold) {
    MOHO_TRY(draw_maps(q, directory));
  }
  MOHO_TRY(write_table(q, directory));
  if (!spectrum->traces) return MOHO_OK;
  MOHO_TRY(moho_quality_path(directory, "spectrum.png", &path));
  moho_status status = moho_spectrum_draw(&spectrum, NULL, 1, "Mean amplitude spectrum of the traces", path);
  free(path);
  return status;
}
