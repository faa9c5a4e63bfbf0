/* quality_geometry.c - fold, offsets and azimuths of a survey on its grid: counts, maps, histograms, holes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

#define DEGREES (180.0 / 3.14159265358979323846)

/* ---- the bin of a midpoint ---- */

/* Finds nodes; on a crooked line from the one before, since neighbouring traces lie near each other. */
typedef struct locator {
  const moho_grid *grid;
  double longest_m; /* between nodes of a crooked line */
  size_t hint;
} locator;

static locator make_locator(const moho_grid *grid) {
  locator l = {.grid = grid};
  for (size_t k = 0; grid->line_x_m && k + 1 < grid->n_crossline; k++)
    l.longest_m = fmax(l.longest_m, hypot(grid->line_x_m[k + 1] - grid->line_x_m[k], grid->line_y_m[k + 1] - grid->line_y_m[k]));
  return l;
}

/* The nearest node of a crooked line. Nodes lie at most longest_m apart, so from one that is D away those nearer than the best
 * are at least (D - best)/longest_m nodes on: the others are passed over. */
static size_t nearest_on_line(locator *l, double x, double y) {
  const moho_grid *g = l->grid;
  double best = hypot(x - g->line_x_m[l->hint], y - g->line_y_m[l->hint]);
  size_t nearest = l->hint;
  for (size_t k = 0; k < g->n_crossline;) {
    double distance = hypot(x - g->line_x_m[k], y - g->line_y_m[k]);
    if (distance < best) best = distance, nearest = k;
    double skip = l->longest_m > 0 ? floor((distance - best) / l->longest_m) : 1;
    k += skip > 1 ? (size_t)fmin(skip, (double)g->n_crossline) : 1;
  }
  return l->hint = nearest;
}

/* 0 when the point lies beyond half a bin from the outermost nodes; beside a line is still on it. */
static int find_bin(locator *l, double x, double y, size_t *bin) {
  const moho_grid *g = l->grid;
  double i, j;
  if (g->line_x_m) {
    *bin = nearest_on_line(l, x, y);
    return 1;
  }
  moho_grid_locate(g, x, y, &i, &j);
  i = rint(i), j = rint(j);
  if (g->n_inline == 1) i = 0; /* midpoints scatter beside a line */
  if (!(i >= 0 && j >= 0 && i < (double)g->n_inline && j < (double)g->n_crossline)) return 0;
  *bin = (size_t)i * g->n_crossline + (size_t)j;
  return 1;
}

/* ---- all traces ---- */

static int has_place(const moho_geometry *g, size_t i) {
  return moho_geometry_is_live(g, i) && isfinite(g->source_x[i] + g->source_y[i] + g->receiver_x[i] + g->receiver_y[i]);
}

static void count_offsets(const moho_geometry *g, moho_survey_quality *out) {
  double most = 0;
  for (size_t i = 0; i < g->n; i++)
    if (has_place(g, i)) most = fmax(most, moho_geometry_offset(g, i));
  out->offset_histogram = moho_histogram_from_zero(most, MOHO_HISTOGRAM - 1);
  out->azimuth_histogram = (moho_histogram){.first = -5, .step = 10, .n = 36};
  for (size_t i = 0; i < g->n; i++) {
    if (!has_place(g, i)) continue;
    double offset = moho_geometry_offset(g, i);
    out->n_live++;
    out->offset_histogram.count[moho_histogram_class(&out->offset_histogram, offset)]++;
    if (offset > 0) out->azimuth_histogram.count[(size_t)((moho_geometry_azimuth_deg(g, i) + 5) / 10) % 36]++;
  }
}

/* Sums of cos and sin of twice the direction: a line has no head. */
typedef struct directions {
  float *cosine, *sine;
} directions;

static moho_status allocate_maps(moho_survey_quality *out, directions *d) {
  size_t bins = out->bins;
  int line = out->grid.n_inline == 1;
  MOHO_TRY(moho_allocate(bins, sizeof *out->fold, "fold map", &out->fold));
  if (line) return moho_allocate(bins * out->offset_histogram.n, sizeof *out->chart, "stacking chart", &out->chart);
  MOHO_TRY(moho_allocate(bins, sizeof(float), "offset map", &out->offset_least_m));
  MOHO_TRY(moho_allocate(bins, sizeof(float), "offset map", &out->offset_most_m));
  MOHO_TRY(moho_allocate(bins, sizeof(float), "azimuth map", &out->azimuth_deg));
  d->cosine = out->azimuth_deg; /* becomes the angle in the end */
  return moho_allocate(bins, sizeof(float), "azimuth map", &d->sine);
}

static void add_trace(const moho_geometry *g, size_t i, size_t bin, moho_survey_quality *out, directions *d) {
  float offset = (float)moho_geometry_offset(g, i);
  if (out->chart) {
    out->chart[bin * out->offset_histogram.n + moho_histogram_class(&out->offset_histogram, moho_geometry_offset(g, i))]++;
  } else {
    int first = out->fold[bin] == 0;
    if (first || offset < out->offset_least_m[bin]) out->offset_least_m[bin] = offset;
    if (first || offset > out->offset_most_m[bin]) out->offset_most_m[bin] = offset;
    double twice = 2 * moho_geometry_azimuth_deg(g, i) / DEGREES;
    if (offset > 0) d->cosine[bin] += (float)cos(twice), d->sine[bin] += (float)sin(twice);
  }
  out->fold[bin]++;
}

static void finish_maps(moho_survey_quality *out, const directions *d) {
  for (size_t b = 0; b < out->bins && !out->chart; b++) {
    double angle = 0.5 * DEGREES * atan2((double)d->sine[b], (double)d->cosine[b]);
    int known = out->fold[b] && hypot((double)d->sine[b], (double)d->cosine[b]) > 1e-3;
    out->azimuth_deg[b] = known ? (float)(angle < -0.05 ? angle + 180 : fmax(angle, 0)) : NAN;
    if (!out->fold[b]) out->offset_least_m[b] = out->offset_most_m[b] = NAN;
  }
}

/* ---- what the fold tells ---- */

static int compare_counts(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static moho_status measure_fold(moho_survey_quality *out) {
  uint32_t *sorted;
  size_t empty = 0;
  MOHO_TRY(moho_allocate(out->bins, sizeof *sorted, "fold", &sorted));
  memcpy(sorted, out->fold, out->bins * sizeof *sorted);
  qsort(sorted, out->bins, sizeof *sorted, compare_counts);
  while (empty < out->bins && !sorted[empty]) empty++;
  out->bins_filled = out->bins - empty;
  if (out->bins_filled) {
    out->fold_least = sorted[empty], out->fold_most = sorted[out->bins - 1];
    out->fold_median = sorted[empty + (out->bins - empty) / 2];
  }
  free(sorted);
  out->fold_histogram = moho_histogram_from_zero((double)out->fold_most, MOHO_HISTOGRAM - 1);
  if (out->fold_histogram.step < 1) out->fold_histogram.step = 1, out->fold_histogram.n = out->fold_most + 1;
  for (size_t b = 0; b < out->bins; b++) out->fold_histogram.count[moho_histogram_class(&out->fold_histogram, out->fold[b])]++;
  return MOHO_OK;
}

/* Bins with between `low` and `high` traces that lie, along their row and their column, between two with at least `full`: the
 * ramps at a survey's rim are no holes. */
static moho_status count_gaps(const moho_survey_quality *q, uint32_t low, uint32_t high, uint32_t full, size_t *count) {
  size_t ni = q->grid.n_inline, nx = q->grid.n_crossline, (*ends)[2];
  *count = 0;
  MOHO_TRY(moho_allocate(nx, sizeof *ends, "fold", &ends));
  for (size_t j = 0; j < nx; j++) {
    ends[j][0] = SIZE_MAX;
    for (size_t i = 0; i < ni; i++)
      if (q->fold[i * nx + j] >= full) ends[j][0] = ends[j][0] == SIZE_MAX ? i : ends[j][0], ends[j][1] = i;
  }
  for (size_t i = 0; i < ni; i++) {
    const uint32_t *row = q->fold + i * nx;
    size_t first = 0, last = nx;
    while (first < nx && row[first] < full) first++;
    while (last > first && row[last - 1] < full) last--;
    for (size_t j = first; j < last; j++)
      *count += row[j] >= low && row[j] <= high && (ni == 1 || (ends[j][0] < i && i < ends[j][1]));
  }
  free(ends);
  return MOHO_OK;
}

/* ---- together ---- */

static moho_status find_grid(const moho_geometry *g, const moho_traces_info *info, const moho_survey_quality_options *options,
                             moho_survey_quality *out) {
  char note[400] = "";
  out->is_suggested = !options->grid;
  if (options->grid) MOHO_TRY(moho_grid_copy(options->grid, &out->grid));
  else if (moho_grid_estimate(g, info->dt_s, info->n_samples, &out->grid, note)) {
    if (moho_last_error()->code == MOHO_ERROR_MEMORY) return MOHO_ERROR_MEMORY;
    snprintf(out->grid_note, sizeof out->grid_note, "%s", moho_last_error()->message);
    moho_error_take();
    return MOHO_OK;
  }
  if (!out->grid_note[0]) snprintf(out->grid_note, sizeof out->grid_note, "%s", note);
  out->has_grid = 1;
  return moho_multiply(out->grid.n_inline, out->grid.n_crossline, "bins", &out->bins);
}

static void fill_maps(const moho_geometry *g, moho_survey_quality *out, directions *d) {
  locator l = make_locator(&out->grid);
  for (size_t i = 0; i < g->n; i++) {
    size_t bin;
    if (!has_place(g, i)) continue;
    if (find_bin(&l, 0.5 * (g->source_x[i] + g->receiver_x[i]), 0.5 * (g->source_y[i] + g->receiver_y[i]), &bin))
      add_trace(g, i, bin, out, d);
    else out->n_outside++;
  }
}

moho_status moho_quality_geometry(const moho_geometry *g, const moho_traces_info *info,
                                  const moho_survey_quality_options *options, moho_survey_quality *out) {
  directions d = {0};
  out->n_traces = g->n;
  count_offsets(g, out);
  MOHO_TRY(find_grid(g, info, options, out));
  if (!out->has_grid || out->bins > MOHO_QUALITY_MOST_BINS) return MOHO_OK;
  moho_status status = allocate_maps(out, &d);
  if (!status) {
    fill_maps(g, out, &d);
    finish_maps(out, &d);
    status = measure_fold(out);
  }
  uint32_t median = (uint32_t)out->fold_median;
  if (!status) status = count_gaps(out, 0, 0, 1, &out->holes);
  if (!status && median >= 4) status = count_gaps(out, 1, median / 4, median / 2, &out->thin);
  free(d.sine);
  return status;
}
