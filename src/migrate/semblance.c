/* semblance.c - the sums of a semblance panel, factor by factor. */
#include "migrate/semblance.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { LEAST_TRACES = 3 }; /* one or two traces are alike along every curve */

struct moho_semblance {
  moho_semblance_axes axes;
  double *numerator, *denominator; /* [factor, sample] */
  double *legs;                    /* [offset, sample] of the column at hand */
  size_t *first;                   /* [offset] first sample that is not stretched */
  double *trial, *sum, *power;     /* [sample] */
  float *place;                    /* [sample] */
  int32_t *count;                  /* [sample] */
};

moho_status moho_semblance_create(const moho_semblance_axes *axes, moho_semblance **out) {
  moho_semblance *p;
  size_t n = axes->n_samples;
  *out = NULL;
  MOHO_TRY(moho_allocate(1, sizeof *p, "semblance", &p));
  p->axes = *axes;
  moho_status status = moho_allocate(axes->n_factors * n, sizeof(double), "semblance panel", &p->numerator);
  if (!status) status = moho_allocate(axes->n_factors * n, sizeof(double), "semblance panel", &p->denominator);
  if (!status) status = moho_allocate(axes->n_offsets * n, sizeof(double), "semblance", &p->legs);
  if (!status) status = moho_allocate(axes->n_offsets, sizeof *p->first, "semblance", &p->first);
  if (!status) status = moho_allocate(n, sizeof(double), "semblance", &p->trial);
  if (!status) status = moho_allocate(n, sizeof(double), "semblance", &p->sum);
  if (!status) status = moho_allocate(n, sizeof(double), "semblance", &p->power);
  if (!status) status = moho_allocate(n, sizeof(float), "semblance", &p->place);
  if (!status) status = moho_allocate(n, sizeof(int32_t), "semblance", &p->count);
  if (status) moho_semblance_destroy(&p);
  *out = p;
  return status;
}

void moho_semblance_destroy(moho_semblance **panel) {
  moho_semblance *p = *panel;
  if (!p) return;
  free(p->numerator), free(p->denominator), free(p->legs), free(p->first), free(p->trial), free(p->sum), free(p->power);
  free(p->place), free(p->count), free(p);
  *panel = NULL;
}

void moho_semblance_clear(moho_semblance *p) {
  memset(p->numerator, 0, p->axes.n_factors * p->axes.n_samples * sizeof(double));
  memset(p->denominator, 0, p->axes.n_factors * p->axes.n_samples * sizeof(double));
}

static void add_trace(moho_semblance *p, const float *trace, const double *legs, size_t first) {
  size_t n = p->axes.n_samples;
  moho_moveout_places(n, legs, p->trial, p->place);
  for (size_t k = first; k < n; k++) {
    double a = (double)moho_moveout_sample(trace, n, p->place[k]);
    if (!isfinite(a)) continue;
    p->sum[k] += a, p->power[k] += a * a, p->count[k]++;
  }
}

static void add_factor(moho_semblance *p, const moho_moveout_column *column, size_t factor, const float *gather,
                       const uint8_t *used) {
  size_t n = p->axes.n_samples;
  double f = p->axes.factor_first + (double)factor * p->axes.factor_step;
  memset(p->sum, 0, n * sizeof *p->sum);
  memset(p->power, 0, n * sizeof *p->power);
  memset(p->count, 0, n * sizeof *p->count);
  for (size_t o = 0; o < p->axes.n_offsets; o++) {
    if (!used[o]) continue;
    moho_moveout_legs(column, p->axes.half_offset_m[o] / f, p->trial);
    add_trace(p, gather + o * n, p->legs + o * n, p->first[o]);
  }
  double *numerator = p->numerator + factor * n, *denominator = p->denominator + factor * n;
  for (size_t k = 0; k < n; k++)
    if (p->count[k] >= LEAST_TRACES) numerator[k] += p->sum[k] * p->sum[k], denominator[k] += p->count[k] * p->power[k];
}

void moho_semblance_add(moho_semblance *p, const moho_moveout_column *column, const float *gather, const uint8_t *used) {
  for (size_t o = 0; o < p->axes.n_offsets; o++) {
    if (!used[o]) continue;
    moho_moveout_legs(column, p->axes.half_offset_m[o], p->legs + o * p->axes.n_samples);
    p->first[o] = moho_moveout_first(column, p->legs + o * p->axes.n_samples, p->axes.stretch);
  }
  for (size_t f = 0; f < p->axes.n_factors; f++) add_factor(p, column, f, gather, used);
}

/* Sum of the samples of the window about panel time k. */
static double window(const moho_semblance_axes *a, const double *row, size_t k) {
  size_t centre = a->first_sample + k * a->every, from = centre > a->half_window ? centre - a->half_window : 0;
  size_t to = centre + a->half_window < a->n_samples ? centre + a->half_window + 1 : a->n_samples;
  double sum = 0;
  for (size_t s = from; s < to; s++) sum += row[s];
  return sum;
}

void moho_semblance_finish(const moho_semblance *p, float *semblance, float *power) {
  const moho_semblance_axes *a = &p->axes;
  double strongest = 0;
  for (size_t f = 0; f < a->n_factors; f++)
    for (size_t k = 0; k < a->n_times; k++) strongest = fmax(strongest, window(a, p->denominator + f * a->n_samples, k));
  for (size_t f = 0; f < a->n_factors; f++)
    for (size_t k = 0; k < a->n_times; k++) {
      double whole = window(a, p->denominator + f * a->n_samples, k) + a->floor * strongest;
      double alike = window(a, p->numerator + f * a->n_samples, k);
      semblance[f * a->n_times + k] = whole > 0 ? (float)(alike / whole) : 0;
      if (power) power[f * a->n_times + k] = (float)alike;
    }
}
