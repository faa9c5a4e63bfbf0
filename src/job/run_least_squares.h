/* run_least_squares.h - the image of a run by least squares (migration.iterations). */
#ifndef MOHO_JOB_RUN_LEAST_SQUARES_H
#define MOHO_JOB_RUN_LEAST_SQUARES_H

#include "job/run.h"

/* 1 when the job asks for it. */
int moho_run_has_iterations(const moho_job *job);
/* The image and counts of the run, in one pass over the traces and another an iteration; the history into the report. Traces
 * that fit into the memory that is allowed are read once. */
moho_status moho_run_least_squares(moho_run *run);

#endif
