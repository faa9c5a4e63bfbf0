/* adjoint_run.h - batches of traces from an image on the cpu's own loops.
 *
 * The image lies in the native run of a migration that is never fed. Slabs of tiles pass in order; within a slab slices of
 * traces are dealt to the workers, each of which sums its traces into copies of their rows (scatter_copies.h) and at the
 * slab's end adds them to the traces' sums in double. What a trace receives, and in which order, does not depend on workers
 * or batches.
 */
#ifndef MOHO_MIGRATE_ADJOINT_RUN_H
#define MOHO_MIGRATE_ADJOINT_RUN_H

#include "migrate/native_run.h"
#include "migrate/trace_prepare_adjoint.h"
#include "moho/demigration.h"

struct moho_demigration {
  moho_migration *m; /* grid, tables, columns, options; its image holds the model */
  moho_tile_plan plan;
  moho_tile_frame frame;       /* of the adjoint's loops */
  size_t slab;                 /* tiles a slab */
  moho_tile_columns **columns; /* [slab] */
  moho_trace_unpreparer *unpreparer;
  double *weights; /* [threads, time] scratch */
  double *sums;    /* [capacity, layout.stride] */
  float *copies;   /* [threads, slice, row_stride] */
  size_t capacity; /* traces a batch */
  moho_demigration_counts counts;
  int has_image;
};

/* What is allocated beside the migration. */
moho_status moho_adjoint_create(moho_demigration *d, double dt_s);
void moho_adjoint_destroy(moho_demigration *d);
/* At most d->capacity traces, checked. */
moho_status moho_adjoint_run(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                             const moho_reporter *reporter);

#endif
