/* reference_prepare.h - traces prepared in double for the reference: the definitions of trace_prepare.h, done plainly.
 *
 * Filter and refinement are one circular convolution with the impulse response, which a plain O(n^2) Fourier sum gives:
 *   g[m] = 1/N sum_k H[k] e^{2 pi i km/(refine N)},   y[i] = sum_j x[j] g[i - refine*j]
 * Each copy of a filter bank has an impulse response of its own.
 */
#ifndef MOHO_MIGRATE_REFERENCE_PREPARE_H
#define MOHO_MIGRATE_REFERENCE_PREPARE_H

#include "migrate/filter_bank.h"
#include "moho/migration.h"

enum { MOHO_REFERENCE_PAD = 8 };

typedef struct moho_reference_preparer {
  size_t n_input, n_samples; /* before and after refinement */
  double dt_input_s, dt_s;
  int refine, filter_follows, zeros_are_data, k_max;
  double high_cut_hz;
  size_t c_margin;       /* of the integrated trace beyond either end; 0 without antialias */
  moho_filter_bank bank; /* n = 0: none */
  size_t stride;         /* doubles a row: pad, trace, pad [, margin, integrated trace, margin | other copies, each in pads] */
  size_t lags;           /* 2*(n_input-1)*refine + 1 */
  double *impulse;       /* [1 or bank.n, lags], lag 0 in the middle; NULL: the identity */
} moho_reference_preparer;

/* k_max 0: no antialias. */
moho_status moho_reference_preparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                           int k_max, moho_reference_preparer *out);
void moho_reference_preparer_release(moho_reference_preparer *preparer);

/* One trace into row [stride]; muted: scratch [n_input]. Returns 1 when it is live, else the row is zero. */
int moho_reference_prepare(const moho_reference_preparer *preparer, const moho_geometry *geometry, size_t trace,
                           const float *samples, double *muted, double *row);

/* The transpose (reference_prepare_adjoint.c): what a row (overwritten) means for the samples [n_input] of a trace whose mutes
 * follow from `like` (NULL: from the header alone). Zeros for a trace that is not live. */
void moho_reference_prepare_adjoint(const moho_reference_preparer *preparer, const moho_geometry *geometry, size_t trace,
                                    const float *like, double *row, double *samples);

/* Where in a row sample 0 of the trace is, of copy j of a filter bank, and of the trace integrated twice. */
static inline size_t moho_reference_samples_at(void) {
  return MOHO_REFERENCE_PAD;
}
static inline size_t moho_reference_copy_at(const moho_reference_preparer *p, int j) {
  return MOHO_REFERENCE_PAD + (size_t)j * (p->n_samples + 2 * MOHO_REFERENCE_PAD);
}
static inline size_t moho_reference_integrated_at(const moho_reference_preparer *p) {
  return p->n_samples + 2 * MOHO_REFERENCE_PAD + p->c_margin;
}

#endif
