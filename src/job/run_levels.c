/* run_levels.c - images of 4 and 2 times the spacing and time step, before the image itself.
 *
 * Level x costs 1/x^3 of the image in 3D, 1/x^2 on a line: a first look after a few per cent of the time. Space and time are
 * thinned alike, and the traces low-passed to the level's Nyquist frequency, so that dips alias no more than in the image itself.
 */
#include "job/run_levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/timer.h"
#include "job/coarse_grid.h"
#include "job/run_pass.h"

static int has_level(const moho_job *job, char level) {
  return strchr(moho_job_text(job, MOHO_KEY_LEVELS), level) != NULL;
}

int moho_run_has_levels(const moho_job *job) {
  return has_level(job, '2') || has_level(job, '4');
}

static moho_status add_to_report(moho_run *run, const moho_run_pass *pass, int level, double seconds) {
  json_t *list = run->extra ? json_object_get(run->extra, "levels") : NULL;
  if (!run->extra) run->extra = json_object();
  if (!list && json_object_set_new(run->extra, "levels", list = json_array())) list = NULL;
  json_t *entry = json_pack("{s:i, s:f, s:f, s:f, s:I, s:f}", "level", level, "spacing_m", pass->grid->crossline_spacing_m,
                            "step_s", pass->grid->step_s, "high_cut_hz", pass->options->high_cut_hz, "contributions",
                            (json_int_t)pass->counts.contributions, "seconds", seconds);
  return json_array_append_new(list, entry) ? moho_fail(MOHO_ERROR_MEMORY, "report: out of memory") : MOHO_OK;
}

static moho_status write_level(moho_run *run, const moho_run_pass *pass, int level) {
  char *description = NULL, *lines = NULL, title[40], zarr_stem[20], stem[20];
  MOHO_TRY(moho_report_attributes(run->job, &run->inputs, NULL, &pass->image->attributes));
  MOHO_TRY(moho_report_processing(run->job, &run->inputs, &description));
  int length = asprintf(&lines, "%sLEVEL %d: SPACING AND STEP TIMES %d, LOW-PASSED TO %.4g HZ\n", description, level, level,
                        pass->options->high_cut_hz);
  free(description);
  if (length < 0) return moho_fail(MOHO_ERROR_MEMORY, "output: out of memory");
  snprintf(title, sizeof title, "Migrated stack, level x%d", level);
  snprintf(zarr_stem, sizeof zarr_stem, "image_x%d", level);
  snprintf(stem, sizeof stem, "stack_x%d", level);
  moho_status status = moho_run_outputs_write_now(&run->outputs, pass->image, lines, title, zarr_stem, stem);
  free(lines);
  return status;
}

static moho_status tell(moho_run *run, int level) {
  char stage[40];
  snprintf(stage, sizeof stage, "level x%d is ready", level);
  return moho_run_report_stage(run, stage, 1, 1);
}

static moho_status plan_level(const moho_run_inputs *in, const moho_grid *grid, moho_migration_options *options,
                              moho_migration_plan *plan) {
  double nyquist = 0.5 / grid->step_s;
  *options = in->options;
  if (!(options->high_cut_hz > 0 && options->high_cut_hz < nyquist)) options->high_cut_hz = nyquist;
  return moho_migration_make_plan(in->device, grid, in->velocity, options, in->geometry, in->info->n_samples, in->info->dt_s,
                                  plan);
}

static moho_status run_level(moho_run *run, int level, const moho_grid *grid) {
  double begin = moho_seconds();
  moho_migration_options options;
  moho_migration_plan plan;
  moho_image image = {0};
  MOHO_TRY(plan_level(&run->inputs, grid, &options, &plan));
  moho_run_pass pass = {
      .grid = grid, .options = &options, .contributions = plan.contributions, .image = &image, .is_stack_only = 1};
  moho_status status = moho_run_pass_traces(run, &pass, 1);
  if (!status) status = write_level(run, &pass, level);
  if (!status) status = add_to_report(run, &pass, level, moho_seconds() - begin);
  if (!status) status = tell(run, level);
  moho_image_release(&image);
  return status;
}

moho_status moho_run_levels(moho_run *run) {
  for (int level = 4; level > 1; level /= 2) {
    moho_grid grid;
    if (!has_level(run->job, (char)('0' + level))) continue;
    MOHO_TRY(moho_grid_coarsen(&run->inputs.grid, (size_t)level, (size_t)level, &grid));
    moho_status status = run_level(run, level, &grid);
    moho_grid_release(&grid);
    if (status) return status;
  }
  return MOHO_OK;
}

moho_status moho_run_levels_plan(const moho_job *job, const moho_run_inputs *in, moho_planned_passes *out) {
  for (int level = 4; level > 1; level /= 2) {
    moho_grid grid;
    moho_migration_options options;
    if (!has_level(job, (char)('0' + level))) continue;
    moho_planned_pass *pass = &out->passes[out->n++];
    snprintf(pass->name, sizeof pass->name, "level x%d", level);
    MOHO_TRY(moho_grid_coarsen(&in->grid, (size_t)level, (size_t)level, &grid));
    moho_status status = plan_level(in, &grid, &options, &pass->plan);
    moho_grid_release(&grid);
    if (status) return status;
  }
  return MOHO_OK;
}
