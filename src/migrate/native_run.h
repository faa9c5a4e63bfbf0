/* native_run.h - what a migration on the cpu's own loops keeps; its adjoint keeps and uses the same. */
#ifndef MOHO_MIGRATE_NATIVE_RUN_H
#define MOHO_MIGRATE_NATIVE_RUN_H

#include "migrate/migration_internal.h"
#include "migrate/sinc_table.h"
#include "migrate/tile_run.h"

typedef struct native_run {
  moho_column_table shared_table;
  moho_sample_mask mask; /* empty arrays: none */
  moho_loop_tables shared_loops;
  moho_opening_angles angles; /* of gathers by angle */
  moho_angle_search angle_search;
  moho_angle_column shared_angles;
  moho_tile_plan plan;
  moho_tile_frame frame;
  moho_tile_worker **workers; /* [threads] */
  moho_column *columns;
  float *rows, *image, (*sinc)[MOHO_SINC_TAPS];
  int32_t *steps;
  moho_batch_trace *traces; /* [capacity] by bin of the gathers */
  int32_t *bins;            /* [capacity] of a batch's traces; n_bins: outside all */
  size_t *first_of_bin;     /* [bins + 2] of a batch's traces */
  uint8_t *live, *used;
} native_run;

/* r->columns of m's window. */
void moho_native_place_columns(const moho_migration *m, moho_column *columns);
/* r->traces of a batch, whose r->live is known. */
void moho_native_place_traces(const moho_migration *m, native_run *r, const moho_geometry *geometry);

#endif
