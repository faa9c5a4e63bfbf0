/* quality_trace.c - what one trace looks like by itself. */
#include <math.h>

#include "survey/quality_parts.h"

/* A spike is this many times its neighbours, the r.m.s. of the samples about it, and that of the trace: a band-limited signal has
 * neighbouring samples of one size, noise does not reach 8 standard deviations. */
static const double over_neighbours = 5, over_local = 8, over_trace = 3;
enum { LOCAL = 25 };

static double energy_about(const float *trace, size_t n, size_t j, size_t *count) {
  size_t first = j > LOCAL ? j - LOCAL : 0, end = j + LOCAL + 1 < n ? j + LOCAL + 1 : n;
  double sum = 0;
  for (size_t k = first; k < end; k++) sum += k == j ? 0 : (double)trace[k] * (double)trace[k];
  *count = end - first - 1;
  return sum;
}

static int is_spike(const float *trace, size_t n, size_t j, double energy) {
  double size = fabs((double)trace[j]), before = fabs((double)trace[j - 1]), after = fabs((double)trace[j + 1]);
  size_t about;
  if (!(size > over_neighbours * fmax(before, after))) return 0;
  double rest = fmax(energy - size * size, 0) / (double)(n - 1);
  if (!(size * size > over_trace * over_trace * rest)) return 0;
  double local = energy_about(trace, n, j, &about);
  return size * size * (double)about > over_local * over_local * local;
}

/* Where the trace first reaches a fifth of its largest sample, if it is quiet before. */
static double first_arrival(const float *trace, size_t n, double dt_s, double most) {
  enum { GAP = 10, LEAST = 20 };
  size_t p = 0;
  double quiet = 0;
  while (p < n && fabs((double)trace[p]) < 0.2 * most) p++;
  if (p < LEAST || p == n) return -1;
  for (size_t k = 0; k + GAP < p; k++) quiet += (double)trace[k] * (double)trace[k];
  return sqrt(quiet / (double)(p - GAP)) < 0.03 * most ? (double)p * dt_s : -1;
}

moho_trace_look moho_trace_look_at(float *trace, size_t n, double dt_s) {
  moho_trace_look look = {.constant = 1, .first_arrival_s = -1};
  double energy = 0, most = 0;
  for (size_t j = 0; j < n; j++)
    if (!isfinite(trace[j])) trace[j] = 0, look.bad++;
  for (size_t j = 0; j < n; j++) {
    double size = fabs((double)trace[j]);
    look.constant &= trace[j] == trace[0];
    energy += size * size, most = fmax(most, size);
  }
  look.rms = sqrt(energy / (double)n);
  if (look.constant || n < 8) return look;
  /* The record may cut a wavelet: its ends have but one neighbour. */
  for (size_t j = 1; j + 1 < n && !look.spiky; j++) look.spiky = is_spike(trace, n, j, energy);
  look.first_arrival_s = first_arrival(trace, n, dt_s, most);
  return look;
}
