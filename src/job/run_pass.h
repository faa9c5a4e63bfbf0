/* run_pass.h - all traces of a run once through: read, migrated, finished into images. */
#ifndef MOHO_JOB_RUN_PASS_H
#define MOHO_JOB_RUN_PASS_H

#include "job/run.h"

/* One image of a pass; the inputs of the run say all the rest. */
typedef struct moho_run_pass {
  const moho_grid *grid;
  const moho_migration_options *options;
  double contributions;         /* expected, for progress */
  int is_stack_only;            /* with gathers: the image has the stack of their bins, not the bins */
  moho_image *image;            /* out: made by the pass; on failure the caller releases what there is */
  moho_migration_counts counts; /* out */
} moho_run_pass;

/* Reads every trace once and migrates it into each of the n images; the next batch is read while the current one is migrated.
 * run->seconds grows by what it took. */
moho_status moho_run_pass_traces(moho_run *run, moho_run_pass *passes, size_t n);

#endif
