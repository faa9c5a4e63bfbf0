/* reference_prepare_adjoint.c - the transpose of reference_prepare.c, step by step in reverse order. */
#include <stdlib.h>
#include <string.h>

#include "migrate/reference_prepare.h"
#include "migrate/trace_integrate.h"
#include "migrate/trace_mute.h"

/* x[j] += sum_i y[i] g[i - refine*j] */
static void correlate(const moho_reference_preparer *p, const double *impulse, const double *y, double *x) {
  size_t reach = (p->n_input - 1) * (size_t)p->refine;
  for (size_t j = 0; j < p->n_input; j++) {
    const double *g = impulse + reach - j * (size_t)p->refine;
    for (size_t i = 0; i < p->n_samples; i++) x[j] += y[i] * g[i];
  }
}

/* What lies beyond the trace's ends was read as zero: it is dropped. */
void moho_reference_prepare_adjoint(const moho_reference_preparer *p, const moho_geometry *geometry, size_t trace,
                                    const float *like, double *row, double *samples) {
  double *y = row + moho_reference_samples_at(), *mute = row + moho_reference_integrated_at(p);
  if (p->c_margin) moho_trace_integrate_adjoint(mute - p->c_margin, p->n_samples, p->c_margin, y);
  memset(samples, 0, p->n_input * sizeof *samples);
  for (int j = 1; j < p->bank.n; j++) correlate(p, p->impulse + (size_t)j * p->lags, row + moho_reference_copy_at(p, j), samples);
  if (p->impulse) correlate(p, p->impulse, y, samples);
  else memcpy(samples, y, p->n_input * sizeof *samples);
  mute = row; /* done with: a row is longer than a trace was, refined or not */
  int live =
      moho_trace_mute(geometry, trace, p->zeros_are_data ? NULL : like, p->n_input, p->dt_input_s, p->filter_follows, mute);
  for (size_t j = 0; j < p->n_input; j++) samples[j] = live ? samples[j] * mute[j] : 0;
}
