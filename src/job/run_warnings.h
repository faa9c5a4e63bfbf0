/* run_warnings.h - what looks wrong with a job and its input, although it can run: told by explain and by migrate alike. */
#ifndef MOHO_JOB_RUN_WARNINGS_H
#define MOHO_JOB_RUN_WARNINGS_H

#include <jansson.h>

#include "job/run_inputs.h"

/* A list of sentences; NULL when out of memory. */
json_t *moho_run_warnings(const moho_run_inputs *in);

#endif
