/* run_trial.h - how fast a job goes on this machine, from a moment of it: some of its traces into some of its columns. */
#ifndef MOHO_JOB_RUN_TRIAL_H
#define MOHO_JOB_RUN_TRIAL_H

#include "job/run_inputs.h"

typedef struct moho_run_trial {
  int is_measured;            /* 0: there was nothing to measure with (no trace reaches the columns) */
  double contributions_per_s; /* of the kernel */
  double prepare_s, read_s;   /* of a trace */
  double finish_s;            /* of an image sample, in memory */
  double pack_s;              /* of a float of the results, by one core: image and fold of the trial */
  double seconds;             /* that the trial took */
} moho_run_trial;

/* The job's own options on its own device, about a second where `rate`, contributions a second, is about right; contributions:
 * of the whole image. Takes some tens of MB, whatever execution.memory_gb says. */
moho_status moho_run_trial_make(const moho_run_inputs *inputs, double contributions, double rate, moho_run_trial *out);

#endif
