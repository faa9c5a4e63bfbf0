/* run_forecast.h - what a run will take, before it begins: blocks, memory, disk, contributions, seconds. */
#ifndef MOHO_JOB_RUN_FORECAST_H
#define MOHO_JOB_RUN_FORECAST_H

#include <jansson.h>
#include <stdio.h>

#include "job/planned_blocks.h"
#include "job/planned_passes.h"
#include "job/run_trial.h"

typedef struct moho_run_forecast {
  moho_planned_blocks blocks;
  char refusal[700];      /* why migrate would refuse the job; "": it would not */
  double memory_bytes;    /* of the host: of the whole run, or with the largest block */
  double store_bytes;     /* traces sorted on disk; 0: none is needed */
  int store_exists;       /* it is there: nothing of it is to be written */
  double image_bytes;     /* of the results on disk, at most */
  double disk_free_bytes; /* where the results go */
  moho_contribution_count count;
  double contributions; /* of all passes */
  moho_run_trial trial;
  double rate, seconds; /* contributions a second, measured where trial.is_measured; the whole run */
} moho_run_forecast;

moho_status moho_run_forecast_make(const moho_job *job, const moho_run_inputs *inputs, const moho_planned_passes *passes,
                                   moho_run_forecast *out);
void moho_run_forecast_release(moho_run_forecast *forecast);

void moho_run_forecast_print(const moho_run_inputs *inputs, const moho_run_forecast *forecast, FILE *out);
/* Members to join the plan's; NULL: out of memory. */
json_t *moho_run_forecast_json(const moho_run_forecast *forecast);

/* Bytes of the results, uncompressed. */
double moho_run_results_bytes(const moho_job *job, const moho_run_inputs *inputs);

#endif
