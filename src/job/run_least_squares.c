/* run_least_squares.c - the image of a run by least squares: traces kept in memory or read again, the history into the report. */
#include "job/run_least_squares.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "moho/least_squares.h"

int moho_run_has_iterations(const moho_job *job) {
  return moho_job_number(job, MOHO_KEY_ITERATIONS) > 0;
}

/* Where the solver gets its traces from. */
typedef struct traces_keeper {
  const moho_run_inputs *inputs;
  size_t n_samples, kept; /* traces read so far, all kept */
  float *samples;         /* [n_traces, n_samples]; NULL: they do not fit */
  double seconds;
} traces_keeper;

static moho_status give_traces(void *user, size_t first, size_t n, float *out) {
  traces_keeper *k = user;
  double begin = moho_seconds();
  moho_status status = MOHO_OK;
  if (first + n > k->kept || !k->samples) {
    status = moho_run_inputs_read(k->inputs, first, n, out);
    if (!status && k->samples && first == k->kept) {
      memcpy(k->samples + first * k->n_samples, out, n * k->n_samples * sizeof *out);
      k->kept = first + n;
    }
  } else {
    memcpy(out, k->samples + first * k->n_samples, n * k->n_samples * sizeof *out);
  }
  k->seconds += moho_seconds() - begin;
  return status;
}

/* Beside the migration: the demigration with an image of its own, four vectors, and the finished image of each pass. */
static double more_memory(const moho_run_inputs *in) {
  double cells = (double)in->grid.n_inline * (double)in->grid.n_crossline * (double)in->grid.n_time;
  return (double)in->plan.memory_bytes + 6 * cells * sizeof(float);
}

static moho_status make_keeper(moho_run *r, traces_keeper *k) {
  const moho_run_inputs *in = &r->inputs;
  size_t all;
  double needed = (double)in->memory_needed + more_memory(in);
  *k = (traces_keeper){.inputs = in, .n_samples = in->info->n_samples};
  if (needed > (double)in->memory_allowed) {
    char need[32], allowed[32];
    return moho_fail_at(moho_job_place(r->job, MOHO_KEY_ITERATIONS),
                        "use a smaller grid, wider spacing or fewer times, or raise execution.memory_gb", MOHO_ERROR_TOO_LARGE,
                        "least-squares migration needs %s, %s are allowed", moho_bytes_text(needed, need),
                        moho_bytes_text((double)in->memory_allowed, allowed));
  }
  MOHO_TRY(moho_multiply(in->geometry->n, k->n_samples, "traces", &all));
  if (needed + (double)all * sizeof(float) > (double)in->memory_allowed) return MOHO_OK;
  return moho_allocate(all, sizeof(float), "the traces", &k->samples);
}

/* {"iterations": 10, "damping": 0, "traces": "kept in memory", "history": [{"residual": 1, ...}, ...]} */
static moho_status report(moho_run *r, const moho_least_squares_step *steps, const moho_least_squares_counts *counts,
                          double damping, int is_kept) {
  json_t *history = json_array();
  for (int i = 0; history && i <= counts->iterations; i++)
    json_array_append_new(history, json_pack("{s:f, s:f, s:f}", "residual", steps[i].residual, "gradient", steps[i].gradient,
                                             "seconds", steps[i].seconds));
  json_t *entry = json_pack("{s:i, s:f, s:s, s:I, s:o}", "iterations", counts->iterations, "damping", damping, "traces",
                            is_kept ? "kept in memory" : "read again each iteration", "contributions",
                            (json_int_t)counts->contributions, "history", history);
  if (!r->extra) r->extra = json_object();
  if (json_object_set_new(r->extra, "least_squares", entry)) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  return MOHO_OK;
}

/* The solver does not know how much is still to come: the plan does. */
typedef struct passes_progress {
  const moho_run *run;
  double planned;
} passes_progress;

static int report_progress(void *user, const moho_progress *step) {
  const passes_progress *p = user;
  moho_progress progress = *step;
  progress.total = p->planned > step->done ? p->planned : step->done;
  return p->run->options->progress ? p->run->options->progress(p->run->options->user, &progress) : 0;
}

static moho_status solve(moho_run *r, traces_keeper *keeper, moho_least_squares_step *steps, moho_least_squares_counts *counts) {
  const moho_run_inputs *in = &r->inputs;
  moho_least_squares_options options = {.iterations = (int)moho_job_number(r->job, MOHO_KEY_ITERATIONS),
                                        .damping = moho_job_number(r->job, MOHO_KEY_DAMPING)};
  passes_progress progress = {.run = r, .planned = in->plan.contributions * (2 * options.iterations + 1)};
  MOHO_TRY(moho_image_create(&in->grid, &r->image));
  MOHO_TRY(moho_least_squares_migrate(in->device, &in->grid, in->velocity, &in->options, &options, in->geometry,
                                      in->info->n_samples, in->info->dt_s, give_traces, keeper, &r->image, steps, counts,
                                      report_progress, &progress));
  return report(r, steps, counts, options.damping, keeper->samples != NULL);
}

moho_status moho_run_least_squares(moho_run *r) {
  traces_keeper keeper;
  moho_least_squares_counts counts;
  moho_least_squares_step *steps = NULL;
  double begin = moho_seconds();
  moho_status status = make_keeper(r, &keeper);
  if (!status) status = moho_allocate((size_t)moho_job_number(r->job, MOHO_KEY_ITERATIONS) + 1, sizeof *steps, "history", &steps);
  if (!status) status = solve(r, &keeper, steps, &counts);
  if (!status) {
    r->counts = counts.migration;
    r->counts.contributions = counts.contributions;
    r->counts.kernel_seconds = counts.kernel_seconds;
    r->seconds.read += keeper.seconds;
    r->seconds.migrate += moho_seconds() - begin;
  }
  free(keeper.samples), free(steps);
  return status;
}
