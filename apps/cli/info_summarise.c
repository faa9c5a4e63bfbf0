/* info_summarise.c - coordinate ranges, offsets, azimuths and fold of a trace file. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "info_traces.h"

static void widen(value_range *range, double value) {
  range->least = !range->count || value < range->least ? value : range->least;
  range->most = !range->count || value > range->most ? value : range->most;
  range->count++;
}

static void count_flags(const moho_geometry *g, size_t i, traces_summary *s) {
  s->live += (size_t)moho_geometry_is_live(g, i);
  s->dead += (g->flags[i] & MOHO_TRACE_DEAD) != 0;
  s->not_seismic += (g->flags[i] & MOHO_TRACE_NOT_SEISMIC) != 0;
  s->no_position += (g->flags[i] & MOHO_TRACE_NO_POSITION) != 0;
  s->muted += g->mute_end_s[i] > 0;
}

static void widen_all(const moho_geometry *g, size_t i, traces_summary *s, size_t azimuths[72]) {
  double offset = moho_geometry_offset(g, i);
  widen(&s->source_x, g->source_x[i]);
  widen(&s->source_y, g->source_y[i]);
  widen(&s->receiver_x, g->receiver_x[i]);
  widen(&s->receiver_y, g->receiver_y[i]);
  widen(&s->midpoint_x, (g->source_x[i] + g->receiver_x[i]) / 2);
  widen(&s->midpoint_y, (g->source_y[i] + g->receiver_y[i]) / 2);
  widen(&s->offset, offset);
  widen(&s->first_s, g->first_sample_s[i]);
  if (offset > 0) {
    double azimuth = moho_geometry_azimuth_deg(g, i);
    widen(&s->azimuth, azimuth);
    azimuths[(size_t)((azimuth + 2.5) / 5) % 72]++;
  }
  if (g->cdp[i]) widen(&s->cdp, g->cdp[i]);
  if (g->inline_number[i]) widen(&s->inline_number, g->inline_number[i]);
  if (g->crossline_number[i]) widen(&s->crossline_number, g->crossline_number[i]);
}

static int compare_counts(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* Traces a bin of the suggested grid; its median is over bins that hold any. */
static int count_fold(const moho_geometry *g, traces_summary *s) {
  size_t bins = s->grid.n_inline * s->grid.n_crossline;
  uint32_t *fold = bins < ((size_t)1 << 28) ? calloc(bins, sizeof *fold) : NULL;
  if (!fold) return -1;
  for (size_t k = 0; k < g->n; k++) {
    double i, j;
    if (!moho_geometry_is_live(g, k)) continue;
    moho_grid_locate(&s->grid, (g->source_x[k] + g->receiver_x[k]) / 2, (g->source_y[k] + g->receiver_y[k]) / 2, &i, &j);
    i = rint(i), j = rint(j);
    if (s->grid.n_inline == 1) i = 0; /* a crooked line's midpoints scatter beside it */
    if (i < 0 || j < 0 || i >= (double)s->grid.n_inline || j >= (double)s->grid.n_crossline) continue;
    fold[(size_t)i * s->grid.n_crossline + (size_t)j]++;
  }
  qsort(fold, bins, sizeof *fold, compare_counts);
  size_t empty = 0;
  while (empty < bins && !fold[empty]) empty++;
  s->bins = bins, s->bins_filled = bins - empty;
  if (s->bins_filled)
    s->fold_least = fold[empty], s->fold_median = fold[empty + (bins - empty) / 2], s->fold_most = fold[bins - 1];
  free(fold);
  return 0;
}

int traces_summarise(const moho_traces_info *info, const moho_geometry *g, traces_summary *out) {
  size_t azimuths[72] = {0};
  *out = (traces_summary){0};
  for (size_t i = 0; i < g->n; i++) {
    count_flags(g, i, out);
    if (!(g->flags[i] & MOHO_TRACE_NO_POSITION)) widen_all(g, i, out, azimuths);
  }
  for (size_t k = 0, most = 0; k < 72; k++)
    if (azimuths[k] > most) most = azimuths[k], out->usual_azimuth_deg = 5.0 * (double)k;
  if (moho_grid_estimate(g, info->dt_s, info->n_samples, &out->grid, out->grid_note)) {
    snprintf(out->grid_problem, sizeof out->grid_problem, "%s", moho_last_error()->message);
    return moho_last_error()->code == MOHO_ERROR_MEMORY ? -1 : 0;
  }
  out->has_grid = 1;
  return count_fold(g, out);
}

void traces_summary_release(traces_summary *summary) {
  if (summary->has_grid) moho_grid_release(&summary->grid);
  *summary = (traces_summary){0};
}
