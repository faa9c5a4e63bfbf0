/* run_adaptive.h - a coarse pass finds where there is anything, a fine pass computes only that (migration.adaptive). */
#ifndef MOHO_JOB_RUN_ADAPTIVE_H
#define MOHO_JOB_RUN_ADAPTIVE_H

#include "job/planned_passes.h"
#include "job/run.h"

int moho_run_is_adaptive(const moho_job *job);
/* The image and counts of the run; mask.zarr, mask.sgy and mask.png; what was skipped into the report. */
moho_status moho_run_adaptive(moho_run *run);
/* Both passes for `explain`; how much the mask leaves only the run can tell. */
moho_status moho_run_adaptive_plan(const moho_job *job, const moho_run_inputs *inputs, moho_planned_passes *out);

#endif
