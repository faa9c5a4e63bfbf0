/* trace_mute.c - which samples of a recorded trace are kept, and how its mutes are tapered; which traces are dead. */
#include "migrate/trace_mute.h"

#include <math.h>

#define PI 3.14159265358979323846

size_t moho_mute_ramp(double dt_s) {
  double length = round(0.040 / dt_s);
  return length > 10 ? (length < 1e6 ? (size_t)length : 1000000) : 10;
}

static double ramp_at(size_t j, size_t length) {
  return j >= length ? 1 : 0.5 * (1 - cos(PI * (double)(j + 1) / (double)(length + 1)));
}

/* Samples [first, last) that the header mutes; first = last: none. */
static void header_mute(const moho_geometry *geometry, size_t trace, size_t n, double dt_s, size_t *first, size_t *last) {
  *first = *last = 0;
  double start = geometry->mute_start_s[trace], end = geometry->mute_end_s[trace], t0 = geometry->first_sample_s[trace];
  if (!(end > 0) || !(end >= start)) return;
  double from = ceil((start - t0) / dt_s - 1e-3), past = floor((end - t0) / dt_s + 1e-3) + 1;
  *first = from <= 0 ? 0 : from < (double)n ? (size_t)from : n;
  *last = past <= 0 ? 0 : past < (double)n ? (size_t)past : n;
  if (*last < *first) *last = *first;
}

static size_t count_leading_zeros(const float *samples, size_t from, size_t n) {
  while (from < n && samples[from] == 0) from++;
  return from;
}

int moho_trace_mute(const moho_geometry *geometry, size_t trace, const float *samples, size_t n, double dt_s, int filter_follows,
                    double *weights) {
  size_t first, last, ramp = moho_mute_ramp(dt_s);
  header_mute(geometry, trace, n, dt_s, &first, &last);
  size_t edge = first == 0 ? last : 0; /* samples before it are muted at the top of the trace */
  if (filter_follows && samples) {
    size_t zeros = count_leading_zeros(samples, edge, n);
    if (zeros >= MOHO_MUTE_ZEROS) edge = zeros;
  }
  for (size_t j = 0; j < n; j++) {
    double weight = edge == 0 ? 1 : j < edge ? 0 : ramp_at(j - edge, ramp);
    if (first > 0 && last > first) weight *= j < first ? ramp_at(first - 1 - j, ramp) : j < last ? 0 : ramp_at(j - last, ramp);
    weights[j] = weight;
  }
  if (!moho_geometry_is_live(geometry, trace)) return 0;
  if (!samples) return 1;
  for (size_t j = 0; j < n; j++)
    if (weights[j] * (double)samples[j] != 0) return 1;
  return 0;
}
