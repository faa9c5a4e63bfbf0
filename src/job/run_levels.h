/* run_levels.h - images of 4 and 2 times the spacing and time step, before the image itself. */
#ifndef MOHO_JOB_RUN_LEVELS_H
#define MOHO_JOB_RUN_LEVELS_H

#include "job/planned_passes.h"
#include "job/run.h"

/* 1 when the job asks for levels besides the image itself. */
int moho_run_has_levels(const moho_job *job);
/* The coarse levels, each written under its final name (image_x4.zarr, stack_x4.sgy, stack_x4.png) and told through progress as
 * soon as it is ready. A level is what a job of its own with that grid and migration.high_cut_hz gives. */
moho_status moho_run_levels(moho_run *run);
/* The coarse levels for `explain`. */
moho_status moho_run_levels_plan(const moho_job *job, const moho_run_inputs *inputs, moho_planned_passes *out);

#endif
