/* run_adaptive.c - a coarse pass finds where there is anything, a fine pass computes only that. */
#include "job/run_adaptive.h"

#include <stdio.h>
#include <stdlib.h>

#include "job/amplitude_mask.h"
#include "job/coarse_grid.h"
#include "job/run_pass.h"

/* Every second time of the image is enough to see where there is anything. */
enum { COARSE_TIMES = 2 };
/* Where the mask leaves out less, it saves less than it costs: everything is computed. */
static const double most_share = 0.9;

int moho_run_is_adaptive(const moho_job *job) {
  return moho_job_is(job, MOHO_KEY_ADAPTIVE, "on") || moho_job_given_below(job, MOHO_KEY_ADAPTIVE);
}

/* Fails before the coarse pass where the fine one could not run. */
static moho_status check_kernel(const moho_run_inputs *in) {
  static const uint8_t any = 1;
  moho_migration_options options = in->options;
  options.mask = &any;
  return moho_migration_supports(in->device, &options);
}

/* The caller releases the grid after an error too. */
static moho_status plan_coarse_pass(const moho_run_inputs *in, size_t columns, moho_grid *grid, moho_migration_plan *plan) {
  *grid = (moho_grid){0};
  MOHO_TRY(moho_grid_coarsen(&in->grid, columns, COARSE_TIMES, grid));
  return moho_migration_make_plan(in->device, grid, in->velocity, &in->options, in->geometry, in->info->n_samples, in->info->dt_s,
                                  plan);
}

static moho_status coarse_pass(moho_run *run, size_t columns, moho_amplitude_mask *mask, uint64_t *contributions) {
  const moho_run_inputs *in = &run->inputs;
  moho_grid grid;
  moho_image image = {0};
  moho_migration_plan plan = {0};
  moho_status status = plan_coarse_pass(in, columns, &grid, &plan);
  moho_run_pass pass = {
      .grid = &grid, .options = &in->options, .contributions = plan.contributions, .image = &image, .is_stack_only = 1};
  if (!status) status = moho_run_pass_traces(run, &pass, 1);
  if (!status)
    status =
        moho_amplitude_mask_make(&image, &in->grid, columns, COARSE_TIMES, moho_job_number(run->job, MOHO_KEY_ADAPTIVE_ENERGY),
                                 (size_t)moho_job_number(run->job, MOHO_KEY_ADAPTIVE_DILATE), mask);
  *contributions = pass.counts.contributions;
  moho_image_release(&image);
  moho_grid_release(&grid);
  return status;
}

/* As an image of ones and zeros. */
static moho_status write_mask(moho_run *run, const moho_amplitude_mask *mask) {
  const moho_grid *grid = &run->inputs.grid;
  moho_image image = {0};
  moho_status status = moho_image_create(grid, &image);
  size_t cells = grid->n_inline * grid->n_crossline * grid->n_time;
  for (size_t i = 0; !status && i < cells; i++) image.stack[i] = mask->samples[i], image.fold[i] = mask->samples[i];
  if (!status) status = moho_report_attributes(run->job, &run->inputs, NULL, &image.attributes);
  if (!status)
    status = moho_run_outputs_write_now(&run->outputs, &image, "MASK OF THE MIGRATION: 1 WHERE THE IMAGE WAS COMPUTED\n",
                                        "Mask: where the image was computed", "mask", "mask");
  moho_image_release(&image);
  return status;
}

static moho_status add_to_report(moho_run *run, const moho_amplitude_mask *mask, uint64_t coarse, int is_used) {
  uint64_t fine = run->counts.contributions;
  double whole = is_used ? run->inputs.plan.contributions : (double)fine;
  if (!run->extra) run->extra = json_object();
  json_t *entry = json_pack("{s:b, s:f, s:f, s:f, s:I, s:I, s:f, s:f}", "mask_used", is_used, "mask_share", mask->share,
                            "threshold", mask->threshold, "largest_amplitude", mask->largest, "coarse_contributions",
                            (json_int_t)coarse, "fine_contributions", (json_int_t)fine, "contributions_of_the_whole", whole,
                            "work", whole > 0 ? ((double)coarse + (double)fine) / whole : 1);
  if (json_object_set_new(run->extra, "adaptive", entry)) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  return MOHO_OK;
}

moho_status moho_run_adaptive(moho_run *run) {
  const moho_run_inputs *in = &run->inputs;
  moho_amplitude_mask mask = {0};
  uint64_t coarse;
  MOHO_TRY(check_kernel(in));
  MOHO_TRY(coarse_pass(run, (size_t)moho_job_number(run->job, MOHO_KEY_ADAPTIVE_COARSEN), &mask, &coarse));
  moho_migration_options options = in->options;
  int is_used = mask.share <= most_share;
  if (is_used) options.mask = mask.samples;
  moho_run_pass pass = {
      .grid = &in->grid, .options = &options, .contributions = in->plan.contributions * mask.share, .image = &run->image};
  moho_status status = write_mask(run, &mask);
  if (!status) status = moho_run_pass_traces(run, &pass, 1);
  run->counts = pass.counts;
  if (!status) status = add_to_report(run, &mask, coarse, is_used);
  moho_amplitude_mask_release(&mask);
  return status;
}

moho_status moho_run_adaptive_plan(const moho_job *job, const moho_run_inputs *in, moho_planned_passes *out) {
  moho_grid grid;
  MOHO_TRY(check_kernel(in));
  moho_planned_pass *coarse = &out->passes[out->n++], *fine = &out->passes[out->n++];
  snprintf(coarse->name, sizeof coarse->name, "coarse");
  moho_status status = plan_coarse_pass(in, (size_t)moho_job_number(job, MOHO_KEY_ADAPTIVE_COARSEN), &grid, &coarse->plan);
  moho_grid_release(&grid);
  snprintf(fine->name, sizeof fine->name, "fine, at most");
  fine->plan = in->plan;
  fine->is_upper_bound = 1;
  return status;
}
