/* job_migration.c - what a job says of a migration alone, for callers that have traces, grid and velocity in memory. */
#include <stdlib.h>
#include <string.h>

#include "job/job.h"
#include "job/run_inputs.h"

static moho_status refuse(const moho_job *job, moho_job_id id, const char *why) {
  char here[400];
  return moho_fail_at(moho_job_place(job, id), "leave it out, or run a job file", MOHO_ERROR_NOT_AVAILABLE, "%s: %s",
                      moho_job_where(job, id, here), why);
}

/* Keys that do something before or after a migration, or in more than one. */
static moho_status refuse_run_keys(const moho_job *job) {
  static const moho_job_id ids[] = {MOHO_KEY_GATHERS_INVERSE_NMO, MOHO_KEY_GATHERS_MUTE, MOHO_KEY_STORE,
                                    MOHO_KEY_CHECKPOINT,          MOHO_KEY_RESUME,       MOHO_KEY_TIME_SAMPLING_F_MAX};
  for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
    if (moho_job_given(job, ids[i])) return refuse(job, ids[i], "belongs to the run of a whole job");
  if (strpbrk(moho_job_text(job, MOHO_KEY_LEVELS), "24"))
    return refuse(job, MOHO_KEY_LEVELS, "belongs to the run of a whole job");
  if (moho_job_is(job, MOHO_KEY_TIME_SAMPLING, "auto"))
    return refuse(job, MOHO_KEY_TIME_SAMPLING, "belongs to the run of a whole job");
  if (moho_job_is(job, MOHO_KEY_ADAPTIVE, "on") || moho_job_given_below(job, MOHO_KEY_ADAPTIVE))
    return refuse(job, MOHO_KEY_ADAPTIVE, "belongs to the run of a whole job");
  return MOHO_OK;
}

static int refine_factor(const moho_job *job) {
  if (moho_job_is(job, MOHO_KEY_INPUT_RESAMPLE, "auto")) return 0;
  return moho_job_is(job, MOHO_KEY_INPUT_RESAMPLE, "none") ? 1 : atoi(moho_job_text(job, MOHO_KEY_INPUT_RESAMPLE));
}

MOHO_API moho_status moho_job_migration_options(const moho_job *job, moho_migration_options *options, moho_gather_bins *bins,
                                                moho_least_squares_options *least_squares) {
  MOHO_TRY(moho_job_check_migration(job));
  MOHO_TRY(refuse_run_keys(job));
  int iterations = (int)moho_job_number(job, MOHO_KEY_ITERATIONS);
  if (iterations && !least_squares) return refuse(job, MOHO_KEY_ITERATIONS, "least squares are not available here");
  if (!moho_job_is(job, MOHO_KEY_GATHERS_KIND, "none") && !bins)
    return refuse(job, MOHO_KEY_GATHERS_KIND, "gathers are not available here");
  if (least_squares)
    *least_squares = (moho_least_squares_options){.iterations = iterations, .damping = moho_job_number(job, MOHO_KEY_DAMPING)};
  *options = moho_run_inputs_options(job);
  options->refine = refine_factor(job);
  if (!moho_job_is(job, MOHO_KEY_MEMORY, "auto")) options->memory_bytes = (size_t)(1e9 * moho_job_number(job, MOHO_KEY_MEMORY));
  if (!bins) return MOHO_OK;
  MOHO_TRY(moho_run_inputs_bins(job, bins));
  if (bins->kind != MOHO_GATHERS_NONE) options->gathers = bins;
  return MOHO_OK;
}
