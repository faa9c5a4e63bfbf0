/* job_effective.h - the effective job: every key with its value, unit, and whether it was given. */
#ifndef MOHO_JOB_EFFECTIVE_H
#define MOHO_JOB_EFFECTIVE_H

#include <jansson.h>

#include "job/job.h"

/* A new reference; NULL when out of memory. */
json_t *moho_job_effective_json(const moho_job *job);
/* The value alone, as JSON; a new reference. */
json_t *moho_job_value_json(const moho_job *job, moho_job_id id);
/* "3000", "auto", "[zarr, segy]"; "-" when there is none; malloc, NULL when out of memory. */
char *moho_job_value_text(const moho_job *job, moho_job_id id);

#endif
