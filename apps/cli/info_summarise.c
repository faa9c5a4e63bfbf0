/* info_summarise.c - coordinate ranges, offsets and azimuths of a trace file. */
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

void traces_summarise(const moho_geometry *g, traces_summary *out) {
  size_t azimuths[72] = {0};
  *out = (traces_summary){0};
  for (size_t i = 0; i < g->n; i++) {
    count_flags(g, i, out);
    if (!(g->flags[i] & MOHO_TRACE_NO_POSITION)) widen_all(g, i, out, azimuths);
  }
  for (size_t k = 0, most = 0; k < 72; k++)
    if (azimuths[k] > most) most = azimuths[k], out->usual_azimuth_deg = 5.0 * (double)k;
}
