/* trace_prepare.h - from recorded traces to what the loops read: mutes tapered, rho-filtered, refined, integrated twice,
 * low-passed; multiplied by the trace's factor of true amplitudes (weight.h).
 *
 * A prepared row holds, in floats: at row + x0 the (refined) trace, n_samples values, with at least MOHO_ROW_PAD zeros
 * before and after; for the triangle antialias at row + c0 the trace integrated twice, valid from -k_max-1 to
 * n_samples+k_max+1, with MOHO_ROW_PAD finite values beyond either end; for a filter bank of n copies copy j (0: the trace) at
 * row + x0 + j*bank_stride, MOHO_ROW_PAD zeros before and after each (shared by neighbours). Rows are 64-byte aligned, stride
 * and bank_stride multiples of 16.
 */
#ifndef MOHO_MIGRATE_TRACE_PREPARE_H
#define MOHO_MIGRATE_TRACE_PREPARE_H

#include "migrate/filter_bank.h"
#include "migrate/offset_class.h"
#include "moho/migration.h"

enum { MOHO_ROW_PAD = 96 };

typedef struct moho_prepared_layout {
  size_t n_samples; /* after refinement: (n-1)*refine + 1 */
  double dt_s;      /* after refinement */
  size_t stride;    /* floats a row */
  size_t x0, c0;    /* index of sample 0 in a row; c0 = 0 when there is no antialias */
  size_t bank_stride;
  moho_filter_bank bank; /* n = 0: none */
  int k_max;
} moho_prepared_layout;

/* k_max: largest half-width in refined samples (0 without antialias); which antialias the options say. */
moho_prepared_layout moho_prepared_layout_make(const moho_migration_options *options, size_t n_input, double dt_input_s,
                                               int k_max);
/* Samples of the integrated trace beyond either end. */
static inline size_t moho_prepared_margin(int k_max) {
  return k_max > 0 ? (size_t)k_max + 2 + MOHO_ROW_PAD : 0;
}
/* What a worker needs besides the rows, at most (a rho filter or refinement wants transforms). */
size_t moho_trace_workspace_bytes(const moho_migration_options *options, size_t n_input, int k_max);

typedef struct moho_trace_preparer moho_trace_preparer;

/* is_line picks the rho filter when it is auto. */
moho_status moho_trace_preparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                       int k_max, moho_trace_preparer **out);
/* Traces are multiplied by moho_weight_of_trace() from now on. BORROW: classes must outlive the preparer. */
void moho_trace_preparer_weigh(moho_trace_preparer *preparer, const moho_offset_classes *classes);
void moho_trace_preparer_destroy(moho_trace_preparer **preparer);
moho_prepared_layout moho_trace_preparer_layout(const moho_trace_preparer *preparer);

/* Prepare geometry->n traces [n, n_samples] into rows [n, stride]; dead traces give zero rows, and live[i] = 0 for those
 * that must not count (flags, or all samples zero). `threads` workers; the result does not depend on their number. */
moho_status moho_trace_prepare(moho_trace_preparer *preparer, const moho_geometry *geometry, const float *traces, int threads,
                               float *rows, uint8_t *live);

#endif
