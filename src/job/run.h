/* run.h - a job run as its parts see it. */
#ifndef MOHO_JOB_RUN_H
#define MOHO_JOB_RUN_H

#include "job/run_inputs.h"
#include "job/run_outputs.h"
#include "job/run_report.h"

typedef struct moho_run {
  const moho_job *job;
  const moho_job_run_options *options;
  moho_run_inputs inputs;
  moho_run_outputs outputs;
  moho_image image;
  moho_migration_counts counts;
  moho_run_seconds seconds;
  double begin;                 /* of the run, by moho_seconds() */
  struct moho_run_saved *saved; /* of a run by blocks; else NULL: `image` is the whole */
  json_t *extra;                /* more members of report.json; NULL: none */
  moho_image_quality quality;   /* of the finished image */
  int is_measured;              /* 1: there is `quality` */
} moho_run;

/* Tells the stage; MOHO_ERROR_INTERRUPTED when the caller wants the run to stop. */
moho_status moho_run_report_stage(moho_run *run, const char *stage, double done, double total);

#endif
