/* planned_blocks.c - whether a run goes by blocks, for memory or for what is saved, and by which. */
#include "job/planned_blocks.h"

#include <math.h>
#include <stdio.h>

#include "base/memory.h"
#include "job/job_table.h"

static moho_status refuse_whole(const moho_job *job, const moho_run_inputs *in, moho_job_id key) {
  char need[32], allowed[32], more[32] = "";
  int of_device = in->memory_needed <= in->memory_allowed;
  double bytes = (double)(of_device ? in->plan.device_bytes : in->memory_needed);
  if (of_device) snprintf(more, sizeof more, " on the device");
  return moho_fail_at(
      moho_job_place(job, key), "use a smaller grid, wider spacing or fewer times, or raise execution.memory_gb, or leave it out",
      MOHO_ERROR_TOO_LARGE,
      "the run needs %s%s, %s are allowed: the image of %zu x %zu x %zu samples stays in memory as a whole with %s",
      moho_bytes_text(bytes, need), more,
      moho_bytes_text((double)(of_device ? in->plan.device_allowed_bytes : in->memory_allowed), allowed), in->grid.n_inline,
      in->grid.n_crossline, in->grid.n_time, moho_job_keys[key].path);
}

/* Blocks for the sake of what is saved: as many as leave a trace's preparation, done once a block, a small part of the work. */
static size_t blocks_by_time(const moho_job *job, const moho_run_inputs *in, double seconds) {
  double every = moho_job_is(job, MOHO_KEY_CHECKPOINT, "none") ? 0 : moho_job_number(job, MOHO_KEY_CHECKPOINT);
  return every > 0 && seconds > every && in->n_live ? (size_t)fmin(ceil(seconds / every), 1e6) : 1;
}

static void measure(const moho_run_inputs *in, moho_planned_blocks *out) {
  double all = 0;
  for (size_t k = 0; k < out->plan.n; k++) all += out->plan.traces[k];
  double inside = (double)(in->n_live - moho_run_inputs_outside(in));
  out->read_times = inside > 0 ? fmax(all / inside, 1) : 1;
}

/* Fewer blocks where those of `wanted` would prepare traces too often. Preparing and reading a sample takes about so long. */
static const double second_a_sample = 1.2e-8, most_repeated = 0.1;

static moho_status cut(const moho_run_inputs *in, size_t wanted, double seconds, moho_planned_blocks *out) {
  moho_block_request request = {.grid = &in->grid,
                                .geometry = in->geometry,
                                .reach_m = in->options.aperture_max_m,
                                .lattice_inline = out->sizes.lattice_inline,
                                .lattice_crossline = out->sizes.lattice_crossline,
                                .most_columns = out->sizes.most_columns,
                                .least_blocks = wanted};
  double samples = (double)in->n_live * (double)in->info->n_samples * in->options.refine;
  for (;; request.least_blocks = request.least_blocks * 2 / 3) {
    moho_block_plan_release(&out->plan);
    MOHO_TRY(moho_block_plan_make(&request, &out->plan));
    measure(in, out);
    double repeated = (out->read_times - 1) * samples * second_a_sample;
    if (request.least_blocks <= 1 || repeated <= most_repeated * seconds) return MOHO_OK;
  }
}

moho_status moho_run_plan_blocks(const moho_job *job, const moho_run_inputs *in, double seconds, int must,
                                 moho_planned_blocks *out) {
  *out = (moho_planned_blocks){.read_times = 1};
  int too_large = moho_run_needs_blocks(in);
  moho_job_id whole = moho_run_stays_whole(job);
  size_t wanted = blocks_by_time(job, in, seconds);
  if (whole != MOHO_JOB_KEY_COUNT) return too_large ? refuse_whole(job, in, whole) : MOHO_OK;
  if (!too_large && !must && wanted <= 1) return MOHO_OK;
  moho_status status = moho_block_sizes_make(job, in, &out->sizes);
  if (status && !too_large && !must) return MOHO_OK; /* in memory as a whole, then */
  MOHO_TRY(status);
  MOHO_TRY(cut(in, wanted, seconds, out));
  out->by_blocks = too_large || must || out->plan.n > 1;
  return MOHO_OK;
}

void moho_planned_blocks_release(moho_planned_blocks *planned) {
  moho_block_plan_release(&planned->plan);
}
