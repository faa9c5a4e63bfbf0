/* trace_prepare_adjoint.h - the transpose of trace_prepare.h: from what the adjoint's loops summed to traces as recorded.
 *
 * A row here is one of doubles with the places of a prepared row (moho_prepared_layout): sums for the trace at x0, and for the
 * trace integrated twice at c0, or for the copies of a filter bank. Steps in reverse order: integration or low passes,
 * refinement and rho filter, mutes and the trace's factor.
 */
#ifndef MOHO_MIGRATE_TRACE_PREPARE_ADJOINT_H
#define MOHO_MIGRATE_TRACE_PREPARE_ADJOINT_H

#include "migrate/trace_prepare.h"

typedef struct moho_trace_unpreparer moho_trace_unpreparer;

/* As moho_trace_preparer_create() and moho_trace_preparer_weigh(): BORROW options and classes (NULL: traces are not weighed). */
moho_status moho_trace_unpreparer_create(const moho_migration_options *options, int is_line, size_t n_samples, double dt_s,
                                         int k_max, const moho_offset_classes *classes, moho_trace_unpreparer **out);
void moho_trace_unpreparer_destroy(moho_trace_unpreparer **unpreparer);

/* Which traces are live, as moho_trace_prepare() would find: like [n, n_samples] recorded traces, NULL: by headers alone. */
moho_status moho_trace_unprepare_live(moho_trace_unpreparer *unpreparer, const moho_geometry *geometry, const float *like,
                                      int threads, uint8_t *live);
/* rows [n, stride] (overwritten) into traces [n, n_samples]; zeros for traces that are not live. */
moho_status moho_trace_unprepare(moho_trace_unpreparer *unpreparer, const moho_geometry *geometry, const float *like, int threads,
                                 double *rows, float *traces);

#endif
