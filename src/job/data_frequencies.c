/* data_frequencies.c - the highest frequency of the traces as a function of record time. */
#include "job/data_frequencies.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/fft.h"

#define PI 3.14159265358979323846

enum { SAMPLED_TRACES = 256 };
static const double window_s = 0.4, floor_ratio = 0.05;

/* Windows half a length apart, from the earliest live sample on. */
typedef struct windows {
  size_t length, n; /* samples a window, even; windows */
  double first_s, dt_s;
  double *power; /* [n, length/2 + 1] */
  float *time, *spectrum;
  moho_fft *fft;
} windows;

static double window_end(const windows *w, size_t k) {
  return w->first_s + (double)((k + 2) * (w->length / 2)) * w->dt_s;
}

static void add_window(windows *w, size_t k, const float *trace, size_t n_samples, ptrdiff_t begin) {
  double *power = w->power + k * (w->length / 2 + 1);
  for (size_t j = 0; j < w->length; j++) {
    ptrdiff_t at = begin + (ptrdiff_t)j;
    double taper = 0.5 - 0.5 * cos(2 * PI * ((double)j + 0.5) / (double)w->length);
    w->time[j] = at >= 0 && at < (ptrdiff_t)n_samples ? (float)(taper * (double)trace[at]) : 0.0f;
  }
  moho_fft_forward(w->fft, w->time, w->spectrum);
  for (size_t i = 0; i <= w->length / 2; i++) {
    double re = (double)w->spectrum[2 * i], im = (double)w->spectrum[2 * i + 1];
    power[i] += re * re + im * im;
  }
}

static moho_status add_traces(const moho_run_inputs *in, windows *w, float *trace) {
  const moho_geometry *g = in->geometry;
  size_t sampled = g->n < SAMPLED_TRACES ? g->n : SAMPLED_TRACES;
  for (size_t s = 0; s < sampled; s++) {
    size_t i = s * g->n / sampled;
    if (!moho_geometry_is_live(g, i)) continue;
    MOHO_TRY(moho_run_inputs_read(in, i, 1, trace));
    ptrdiff_t shift = (ptrdiff_t)lround((w->first_s - g->first_sample_s[i]) / w->dt_s);
    for (size_t k = 0; k < w->n; k++) add_window(w, k, trace, in->info->n_samples, shift + (ptrdiff_t)(k * (w->length / 2)));
  }
  return MOHO_OK;
}

static double highest_of(const windows *w, size_t k) {
  const double *power = w->power + k * (w->length / 2 + 1);
  double most = 0;
  size_t highest = 0;
  for (size_t i = 0; i <= w->length / 2; i++) most = fmax(most, power[i]);
  for (size_t i = 0; i <= w->length / 2 && most > 0; i++)
    if (power[i] > floor_ratio * floor_ratio * most) highest = i;
  /* A window blurs a spectrum by about one of its steps. */
  return most > 0 ? (double)(highest + 1) / ((double)w->length * w->dt_s) : 0;
}

moho_status moho_data_frequencies(const moho_run_inputs *in, double first_s, double step_s, size_t n, double *f_max_hz) {
  windows w = {.first_s = INFINITY, .dt_s = in->info->dt_s};
  double last = -INFINITY;
  for (size_t i = 0; i < in->geometry->n; i++) {
    if (!moho_geometry_is_live(in->geometry, i)) continue;
    w.first_s = fmin(w.first_s, in->geometry->first_sample_s[i]), last = fmax(last, in->geometry->first_sample_s[i]);
  }
  size_t samples = in->info->n_samples + (size_t)lround((last - w.first_s) / w.dt_s);
  w.length = 2 * (size_t)fmax(8, ceil(window_s / w.dt_s / 2));
  w.n = samples / (w.length / 2) + 1;
  float *trace = NULL;
  moho_status status = moho_allocate(w.n * (w.length / 2 + 1), sizeof *w.power, "spectra", &w.power);
  if (!status) status = moho_allocate(w.length, sizeof *w.time, "spectra", &w.time);
  if (!status) status = moho_allocate(w.length + 2, sizeof *w.spectrum, "spectra", &w.spectrum);
  if (!status) status = moho_allocate(in->info->n_samples, sizeof *trace, "a trace", &trace);
  if (!status) status = moho_fft_create(w.length, 0, &w.fft);
  if (!status) status = add_traces(in, &w, trace);
  for (size_t k = 0; !status && k < n; k++) f_max_hz[k] = 0;
  for (size_t each = w.n; !status && each-- > 0;) {
    double highest = highest_of(&w, each), end = window_end(&w, each);
    for (size_t k = 0; k < n && first_s + (double)k * step_s <= end; k++) f_max_hz[k] = fmax(f_max_hz[k], highest);
  }
  moho_fft_destroy(&w.fft);
  free(trace), free(w.power), free(w.time), free(w.spectrum);
  return status;
}
