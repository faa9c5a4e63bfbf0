/* reference_prepare_adjoint.c - the transpose of reference_prepare.c, step by step in reverse order. */
#include <stdlib.h>
#include <string.h>

#include "migrate/reference_prepare.h"
#include "migrate/trace_integrate.h"
#include "migrate/trace_mute.h"

/* x[j] = sum_i y[i] g[i - refine*j] */
static void correlate(const moho_reference_preparer *p, const double *y, double *x) {
  size_t reach = (p->n_input - 1) * (size_t)p->refine;
  for (size_t j = 0; j < p->n_input; j++) {
    const double *g = p->impulse + reach - j * (size_t)p->refine;
    x[j] = 0;
    for (size_t i = 0; i < p->n_samples; i++) x[j] += y[i] * g[i];
  }
}

/* What lies beyond the trace's ends was read as zero: it is dropped. */
void moho_reference_prepare_adjoint(const moho_reference_preparer *p, const moho_geometry *geometry, size_t trace,
                                    const float *like, double *row, double *samples) {
  double *y = row + moho_reference_samples_at(), *mute = row + moho_reference_integrated_at(p);
  if (p->c_margin) moho_trace_integrate_adjoint(mute - p->c_margin, p->n_samples, p->c_margin, y);
  if (p->impulse) correlate(p, y, samples);
  else memcpy(samples, y, p->n_input * sizeof *samples);
  mute = row; /* done with: a row is longer than a trace was, refined or not */
  int live = moho_trace_mute(geometry, trace, like, p->n_input, p->dt_input_s, p->filter_follows, mute);
  for (size_t j = 0; j < p->n_input; j++) samples[j] = live ? samples[j] * mute[j] : 0;
}
