/* quality_spectrum.c - mean amplitude spectrum of traces and the band in which they have signal. */
#include <kiss_fftr.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

#define PI 3.14159265358979323846

static const double usable = 0.1, over_floor = 1.25,
                    taper = 0.05; /* 20 dB below the largest; 2 dB; of the length at either end */

struct moho_spectrum_sums {
  size_t n, length;
  kiss_fftr_cfg plan;
  float *time;
  kiss_fft_cpx *spectrum;
  double power[MOHO_SPECTRUM];
  moho_spectrum result;
};

static double taper_at(size_t j, size_t n) {
  double edge = fmax(1, taper * (double)n), from_end = fmin((double)j, (double)(n - 1 - j)) + 0.5;
  return from_end < edge ? 0.5 - 0.5 * cos(PI * from_end / edge) : 1;
}

/* Adds |U|^2 of one trace, its energy 1, to the classes of frequency. */
static int add_trace(moho_spectrum_sums *t, const float *trace) {
  double energy = 0, nyquist = (double)(t->length / 2);
  for (size_t j = 0; j < t->n; j++) {
    double value = isfinite(trace[j]) ? (double)trace[j] : 0;
    energy += value * value;
    t->time[j] = (float)value;
  }
  if (!(energy > 0)) return 0;
  for (size_t j = 0; j < t->length; j++)
    t->time[j] = j < t->n ? (float)((double)t->time[j] * taper_at(j, t->n) / sqrt(energy)) : 0.0f;
  kiss_fftr(t->plan, t->time, t->spectrum);
  for (size_t k = 0; k <= t->length / 2; k++) {
    double re = (double)t->spectrum[k].r, im = (double)t->spectrum[k].i;
    size_t class = (size_t)floor((double)k / nyquist * (double)(t->result.n - 1) + 0.5);
    t->power[class] += re * re + im * im;
  }
  return 1;
}

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

static double find_floor(const moho_spectrum *s) {
  double highest[MOHO_SPECTRUM];
  size_t n = s->n / 10 + 1;
  for (size_t k = 0; k < n; k++) highest[k] = s->amplitude[s->n - 1 - k];
  qsort(highest, n, sizeof *highest, ascending);
  return highest[n / 2];
}

/* Classes hold unequal numbers of frequencies where they are few. */
static void finish(const moho_spectrum_sums *t, moho_spectrum *s) {
  size_t bins[MOHO_SPECTRUM] = {0}, peak = 0;
  for (size_t k = 0; k <= t->length / 2; k++)
    bins[(size_t)floor((double)k / (double)(t->length / 2) * (double)(s->n - 1) + 0.5)]++;
  for (size_t k = 0; k < s->n; k++) {
    s->amplitude[k] = bins[k] ? sqrt(t->power[k] / (double)bins[k]) : 0;
    if (s->amplitude[k] > s->amplitude[peak]) peak = k;
  }
  double most = s->amplitude[peak];
  if (!(most > 0)) return;
  for (size_t k = 0; k < s->n; k++) s->amplitude[k] /= most;
  s->floor = find_floor(s);
  double least = fmin(1, fmax(usable, over_floor * s->floor));
  size_t low = peak, high = peak;
  for (size_t k = 0; k < s->n; k++)
    if (s->amplitude[k] >= least) low = k < low ? k : low, high = k;
  s->low_hz = (double)low * s->step_hz, s->high_hz = (double)high * s->step_hz, s->peak_hz = (double)peak * s->step_hz;
}

moho_status moho_spectrum_begin(size_t n_samples, double dt_s, moho_spectrum_sums **out) {
  moho_spectrum_sums *t;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *t, "spectrum", &t));
  *out = t;
  if (n_samples < 8 || n_samples > INT_MAX / 4 || !(dt_s > 0)) return MOHO_OK; /* too short for one: it stays empty */
  t->n = n_samples;
  t->length = (size_t)kiss_fftr_next_fast_size_real((int)n_samples);
  t->result.n = moho_smaller(t->length / 2 + 1, MOHO_SPECTRUM);
  t->result.step_hz = 0.5 / dt_s / (double)(t->result.n - 1);
  t->plan = kiss_fftr_alloc((int)t->length, 0, NULL, NULL);
  moho_status status = t->plan ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "spectrum: out of memory");
  if (!status) status = moho_allocate(t->length, sizeof *t->time, "spectrum", &t->time);
  if (!status) status = moho_allocate(t->length / 2 + 1, sizeof *t->spectrum, "spectrum", &t->spectrum);
  if (status) moho_spectrum_end(out, NULL);
  return status;
}

void moho_spectrum_add(moho_spectrum_sums *t, const float *trace) {
  if (t->n) t->result.traces += (size_t)add_trace(t, trace);
}

void moho_spectrum_end(moho_spectrum_sums **sums, moho_spectrum *out) {
  moho_spectrum_sums *t = *sums;
  if (!t) return;
  if (out) {
    *out = t->result;
    if (t->n) finish(t, out);
  }
  if (t->plan) kiss_fftr_free(t->plan);
  free(t->time), free(t->spectrum), free(t);
  *sums = NULL;
}

moho_status moho_spectrum_measure(const float *samples, size_t n_traces, size_t n_samples, double dt_s, moho_spectrum *out) {
  moho_spectrum_sums *sums;
  *out = (moho_spectrum){0};
  MOHO_TRY(moho_spectrum_begin(n_samples, dt_s, &sums));
  for (size_t i = 0; i < n_traces; i++) moho_spectrum_add(sums, samples + i * n_samples);
  moho_spectrum_end(&sums, out);
  return MOHO_OK;
}
