/* run_adaptive.h - a coarse pass finds where there is anything, a fine pass computes only that (migration.adaptive). */
#ifndef MOHO_JOB_RUN_ADAPTIVE_H
#define MOHO_JOB_RUN_ADAPTIVE_H

#include "job/run.h"

int moho_run_is_adaptive(const moho_job *job);
/* The image and counts of the run; mask.zarr, mask.sgy and mask.png; what was skipped into the report. */
moho_status moho_run_adaptive(moho_run *run);

#endif
