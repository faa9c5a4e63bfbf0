/* run_zones.h - late times, whose frequencies are low, computed with a larger step (migration.time_sampling). */
#ifndef MOHO_JOB_RUN_ZONES_H
#define MOHO_JOB_RUN_ZONES_H

#include "job/planned_passes.h"
#include "job/run.h"

/* 1 when the job asks for it. */
int moho_run_has_zones(const moho_job *job);
/* The image and counts of the run, in one pass over the traces. */
moho_status moho_run_zones(moho_run *run);
/* The zones for `explain`: where the data say, a sample of them is read. */
moho_status moho_run_zones_plan(const moho_job *job, const moho_run_inputs *inputs, moho_planned_passes *out);

#endif
