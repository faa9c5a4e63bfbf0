/* job_traces.h - the traces that a job names. */
#ifndef MOHO_JOB_JOB_TRACES_H
#define MOHO_JOB_JOB_TRACES_H

#include "job/job.h"

/* Those that a checked job selects, shifted as it says. */
moho_status moho_job_open_traces(const moho_job *job, moho_progress_function progress, void *user, moho_traces **out);

#endif
