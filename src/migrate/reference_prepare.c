/* reference_prepare.c - traces prepared in double for the reference: the definitions of trace_prepare.h, done plainly. */
#include "migrate/reference_prepare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/migration_options.h"
#include "migrate/refine.h"
#include "migrate/rho_filter.h"
#include "migrate/trace_integrate.h"
#include "migrate/trace_mute.h"

#define PI 3.14159265358979323846

/*
 * g[m] = 1/N sum over k = -N/2 .. N/2 of H[k] e^{2 pi i km/M}, M = refine*N, H[-k] = conj H[k], the two ends k = +-N/2 with
 * half weight: they are one bin of the transform of length N. cosine[j] = cos(2 pi j/M); a sine is found a quarter of M before.
 */
static double impulse_at(size_t m, const double (*response)[2], size_t length, size_t refined, const double *cosine) {
  double sum = response[0][0];
  for (size_t k = 1; k <= length / 2; k++) {
    size_t angle = k * m % refined;
    double c = cosine[angle], s = cosine[(angle + 3 * (refined / 4)) % refined];
    double both = 2 * (response[k][0] * c - response[k][1] * s);
    sum += k == length / 2 ? 0.5 * both : both;
  }
  return sum / (double)length;
}

/* Of the filter, and of the filter with copy j's low pass. */
static moho_status make_impulse(moho_rho rho, const moho_reference_preparer *p, int j, double *impulse) {
  size_t length = moho_filter_length(p->n_input), refined = length * (size_t)p->refine,
         reach = (p->n_input - 1) * (size_t)p->refine;
  double(*response)[2] = NULL, *cosine = NULL;
  moho_status status = moho_allocate(length / 2 + 1, sizeof *response, "reference filter", &response);
  if (!status) status = moho_allocate(refined, sizeof *cosine, "reference filter", &cosine);
  if (!status) {
    moho_rho_response(rho, length, p->dt_input_s, response);
    moho_high_cut_apply(p->high_cut_hz, length, p->dt_input_s, response);
    for (size_t k = 0; k <= length / 2 && p->bank.n; k++) {
      double pass = moho_filter_bank_response(&p->bank, j, (double)k / (double)refined);
      response[k][0] *= pass, response[k][1] *= pass;
    }
    for (size_t i = 0; i < refined; i++) cosine[i] = cos(2 * PI * (double)i / (double)refined);
#pragma omp parallel for schedule(static)
    for (long lag = -(long)reach; lag <= (long)reach; lag++) {
      size_t m = lag < 0 ? refined - (size_t)-lag : (size_t)lag;
      impulse[(long)reach + lag] = impulse_at(m, (const double(*)[2])response, length, refined, cosine);
    }
  }
  free(response), free(cosine);
  return status;
}

static moho_status make_impulses(moho_rho rho, moho_reference_preparer *p) {
  int copies = p->bank.n ? p->bank.n : 1;
  MOHO_TRY(moho_allocate((size_t)copies * p->lags, sizeof *p->impulse, "reference filter", &p->impulse));
  for (int j = 0; j < copies; j++) MOHO_TRY(make_impulse(rho, p, j, p->impulse + (size_t)j * p->lags));
  return MOHO_OK;
}

moho_status moho_reference_preparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                           int k_max, moho_reference_preparer *out) {
  moho_rho rho = moho_rho_resolve(options->rho_filter, is_line);
  *out = (moho_reference_preparer){.n_input = n_samples,
                                   .n_samples = moho_refined_samples(n_samples, options->refine),
                                   .dt_input_s = dt_s,
                                   .dt_s = dt_s / options->refine,
                                   .refine = options->refine,
                                   .filter_follows = moho_trace_is_filtered(options, rho),
                                   .zeros_are_data = options->zeros_are_data,
                                   .high_cut_hz = options->high_cut_hz,
                                   .k_max = k_max};
  out->stride = out->n_samples + 2 * MOHO_REFERENCE_PAD;
  out->lags = 2 * (n_samples - 1) * (size_t)options->refine + 1;
  if (k_max > 0 && options->antialias == MOHO_ANTIALIAS_FILTER_BANK) {
    out->bank = moho_filter_bank_make(options->antialias_filters, options->refine, k_max);
    out->stride *= (size_t)out->bank.n;
  } else if (k_max > 0) {
    out->c_margin = (size_t)k_max + MOHO_REFERENCE_PAD;
    out->stride += out->n_samples + 2 * out->c_margin;
  }
  if (!out->filter_follows && options->refine == 1 && !out->bank.n) return MOHO_OK;
  return make_impulses(rho, out);
}

void moho_reference_preparer_release(moho_reference_preparer *preparer) {
  free(preparer->impulse);
  *preparer = (moho_reference_preparer){0};
}

/* y[i] = sum_j x[j] g[i - refine*j], summed over j in ascending order. */
static void convolve(const moho_reference_preparer *p, const double *impulse, const double *x, double *y) {
  size_t reach = (p->n_input - 1) * (size_t)p->refine;
  for (size_t i = 0; i < p->n_samples; i++) y[i] = 0;
  for (size_t j = 0; j < p->n_input; j++) {
    const double *g = impulse + reach - j * (size_t)p->refine;
    if (x[j] != 0)
      for (size_t i = 0; i < p->n_samples; i++) y[i] += x[j] * g[i];
  }
}

int moho_reference_prepare(const moho_reference_preparer *p, const moho_geometry *geometry, size_t trace, const float *samples,
                           double *muted, double *row) {
  double *y = row + MOHO_REFERENCE_PAD;
  memset(row, 0, p->stride * sizeof *row);
  if (!moho_trace_mute(geometry, trace, p->zeros_are_data ? NULL : samples, p->n_input, p->dt_input_s, p->filter_follows, muted))
    return 0;
  for (size_t j = 0; j < p->n_input; j++) muted[j] *= (double)samples[j];
  for (int j = 1; j < p->bank.n; j++) convolve(p, p->impulse + (size_t)j * p->lags, muted, row + moho_reference_copy_at(p, j));
  if (p->impulse) convolve(p, p->impulse, muted, y);
  else memcpy(y, muted, p->n_input * sizeof *y);
  if (p->c_margin) moho_trace_integrate(y, p->n_samples, p->c_margin, y + p->n_samples + MOHO_REFERENCE_PAD);
  return 1;
}
