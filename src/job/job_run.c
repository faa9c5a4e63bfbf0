/* job_run.c - a job run: inputs opened, traces migrated, results that appear at the very end. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "base/timer.h"
#include "job/expected_rate.h"
#include "job/journal.h"
#include "job/run.h"
#include "job/run_adaptive.h"
#include "job/run_blocks.h"
#include "job/run_gathers.h"
#include "job/run_least_squares.h"
#include "job/run_levels.h"
#include "job/run_pass.h"
#include "job/run_quality.h"
#include "job/run_zones.h"

/* ---- progress ---- */

static moho_status interrupted(const moho_run *r) {
  const char *hint = r->extra && json_object_get(r->extra, "levels")
                         ? "the coarse levels that were ready stay; start the job again with --overwrite"
                         : "nothing was written; start the job again";
  if (!r->saved) return moho_fail_at((moho_place){0}, hint, MOHO_ERROR_INTERRUPTED, "the run was interrupted");
  return moho_fail_at((moho_place){0}, "the same command goes on from there; execution.resume=never starts over",
                      MOHO_ERROR_INTERRUPTED, "the run was interrupted: %zu of %zu blocks are saved in %s",
                      moho_run_saved_done(r->saved), moho_run_saved_get_windows(r->saved, NULL), r->outputs.directory);
}

moho_status moho_run_report_stage(moho_run *r, const char *stage, double done, double total) {
  moho_progress progress = {.stage = stage, .unit = "files", .done = done, .total = total, .seconds = moho_seconds() - r->begin};
  return r->options->progress && r->options->progress(r->options->user, &progress) ? interrupted(r) : MOHO_OK;
}

/* ---- the run ---- */

static moho_status refuse_all_outside(const moho_run *r) {
  const moho_run_inputs *in = &r->inputs;
  const moho_geometry *g = in->geometry;
  double x[4], y[4], least_x = 0, most_x = 0, least_y = 0, most_y = 0;
  int first = 1;
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    double mx = (g->source_x[i] + g->receiver_x[i]) / 2, my = (g->source_y[i] + g->receiver_y[i]) / 2;
    least_x = first || mx < least_x ? mx : least_x, most_x = first || mx > most_x ? mx : most_x;
    least_y = first || my < least_y ? my : least_y, most_y = first || my > most_y ? my : most_y;
    first = 0;
  }
  moho_grid_corners(&in->grid, x, y);
  return moho_fail_at(
      moho_job_place(r->job, MOHO_KEY_GRID),
      "moho info suggests a grid that fits; check also input.coordinate_scalar and input.units", MOHO_ERROR_RANGE,
      "every trace is outside the grid: midpoints x %.1f..%.1f, y %.1f..%.1f m; grid corners (%.1f, %.1f), (%.1f, %.1f), "
      "(%.1f, %.1f), (%.1f, %.1f), aperture %g m",
      least_x, most_x, least_y, most_y, x[0], y[0], x[1], y[1], x[2], y[2], x[3], y[3], in->options.aperture_max_m);
}

/* Midpoints lie in the grid's reach, and yet no sample does: the times are to blame, or the traces are empty. */
static moho_status refuse_none_used(const moho_run *r) {
  const moho_run_inputs *in = &r->inputs;
  const moho_grid *grid = &in->grid;
  const moho_geometry *g = in->geometry;
  double least = INFINITY, begin = INFINITY, end = -INFINITY;
  if (r->counts.traces_dead >= in->n_live)
    return moho_fail_at(moho_job_place(r->job, MOHO_KEY_INPUT_TRACES), "check that this is the right file, or what wrote it",
                        MOHO_ERROR_RANGE, "all samples of all %zu live traces are zero", in->n_live);
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    least = fmin(least, moho_geometry_offset(g, i));
    begin = fmin(begin, g->first_sample_s[i]), end = fmax(end, g->first_sample_s[i]);
  }
  end += (double)(in->info->n_samples - 1) * in->info->dt_s;
  return moho_fail_at(moho_job_place(r->job, MOHO_KEY_GRID_TIME),
                      "compare the record with offset/velocity; check grid.time, input.first_sample_s, migration.stretch_mute, "
                      "the aperture and the units of velocity",
                      MOHO_ERROR_RANGE,
                      "no trace reaches the image: the records hold %g..%g s, offsets begin at %.1f m, the image takes %g..%g s",
                      begin, end, least, grid->first_s, grid->first_s + (double)(grid->n_time - 1) * grid->step_s);
}

static moho_status prepare(moho_run *r) {
  r->begin = moho_seconds();
  MOHO_TRY(moho_job_check(r->job));
  if (moho_job_given(r->job, MOHO_KEY_MEMORY)) moho_give_back_freed();
  MOHO_TRY(moho_run_outputs_open(r->job, r->options->overwrite, &r->outputs));
  MOHO_TRY(moho_run_inputs_open(r->job, r->options->device, r->options->progress, r->options->user, &r->inputs));
  if (moho_run_inputs_outside(&r->inputs) == r->inputs.n_live) return refuse_all_outside(r);
  r->seconds.open = moho_seconds() - r->begin;
  return MOHO_OK;
}

/* A run that was stopped goes on by its blocks, even where it would fit into memory by now. */
static moho_status plan_blocks(const moho_run *r, moho_planned_blocks *out) {
  double seconds;
  MOHO_TRY(moho_expected_seconds(&r->inputs, &seconds));
  return moho_run_plan_blocks(r->job, &r->inputs, seconds, moho_journal_exists(r->outputs.directory), out);
}

/* A job that does not go by blocks, where one that does was stopped: what is saved there is not to be dropped unasked. */
static moho_status refuse_stopped(moho_run *r) {
  if (!moho_journal_exists(r->outputs.directory) || moho_job_is(r->job, MOHO_KEY_RESUME, "never")) return MOHO_OK;
  MOHO_TRY(moho_run_saved_open(r->job, &r->inputs, &r->outputs, &r->saved)); /* says what is different */
  size_t n = moho_run_saved_get_windows(r->saved, NULL);
  moho_run_saved_close(&r->saved);
  if (!n) return MOHO_OK; /* it was never planned */
  return moho_fail_at(moho_job_place(r->job, MOHO_KEY_OUTPUT_DIRECTORY),
                      "name another output.directory; execution.resume=never drops what is saved there", MOHO_ERROR_EXISTS,
                      "%s holds a run of blocks that was stopped, and this job does not go by blocks", r->outputs.directory);
}

static moho_status migrate(moho_run *r) {
  const moho_run_inputs *in = &r->inputs;
  moho_planned_blocks blocks;
  MOHO_TRY(plan_blocks(r, &blocks));
  if (!blocks.by_blocks) MOHO_TRY(refuse_stopped(r));
  if (blocks.by_blocks) {
    moho_status status = moho_run_blocks(r, &blocks, &r->saved);
    moho_planned_blocks_release(&blocks);
    return status ? status : r->counts.traces_used ? MOHO_OK : refuse_none_used(r);
  }
  moho_run_pass pass = {.grid = &in->grid, .options = &in->options, .contributions = in->plan.contributions, .image = &r->image};
  if (moho_run_has_levels(r->job)) MOHO_TRY(moho_run_levels(r));
  if (moho_run_has_iterations(r->job)) {
    MOHO_TRY(moho_run_least_squares(r));
  } else if (moho_run_has_zones(r->job)) {
    MOHO_TRY(moho_run_zones(r));
  } else if (moho_run_is_adaptive(r->job)) {
    MOHO_TRY(moho_run_adaptive(r));
  } else {
    MOHO_TRY(moho_run_pass_traces(r, &pass, 1));
    r->counts = pass.counts;
  }
  return r->counts.traces_used ? MOHO_OK : refuse_none_used(r);
}

/* Under temporary names: out of memory, or out of the file that the blocks were saved in. */
static moho_status write_image(moho_run *r, const char *processing, const char *gathers) {
  static const char title[] = "Migrated stack";
  if (!r->saved) return moho_run_outputs_write(&r->outputs, &r->image, processing, gathers, title);
  MOHO_TRY(moho_run_saved_finish(r->saved, r->image.attributes));
  return moho_run_outputs_write_saved(&r->outputs, moho_run_saved_image(r->saved), r->inputs.memory_allowed / 4, processing,
                                      gathers, title);
}

static moho_status write_results(moho_run *r, char **report) {
  char *processing = NULL, *gathers = NULL;
  double begin = moho_seconds();
  moho_window whole = moho_grid_whole(&r->inputs.grid);
  if (!r->saved) MOHO_TRY(moho_run_finish_gathers(r, &whole, &r->image));
  MOHO_TRY(moho_run_report_stage(r, "writing", 0, 1));
  MOHO_TRY(moho_run_measure_image(r));
  MOHO_TRY(moho_report_attributes(r->job, &r->inputs, &r->quality, &r->image.attributes));
  MOHO_TRY(moho_report_processing(r->job, &r->inputs, &processing));
  moho_status status = moho_report_gathers(r->job, &r->inputs, processing, &gathers);
  if (!status) status = write_image(r, processing, gathers);
  free(processing), free(gathers);
  if (!status) status = moho_run_measure_quality(r);
  if (!status) status = moho_run_report_stage(r, "writing", 1, 1);
  r->seconds.write += moho_seconds() - begin;
  r->seconds.total = moho_seconds() - r->begin;
  if (!status) status = moho_report_text(r->job, &r->inputs, &r->counts, &r->seconds, r->extra, report);
  if (!status) status = moho_run_write_page(r, *report);
  return status ? status : moho_run_outputs_commit(&r->outputs, *report);
}

/* A run was stopped here while it moved its results, which was finished when the directory was opened. Where it was this job
 * there is nothing more to do: its report is the report. */
static moho_status take_ended(const moho_run *r, char **report) {
  const moho_run_directory *place = &r->outputs.place;
  char *path, *text;
  size_t bytes;
  if (asprintf(&path, "%s/report.json", place->path) < 0) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  moho_status status = moho_file_read_all(path, (size_t)1 << 30, &text, &bytes);
  free(path);
  if (status) return status;
  char *job = NULL; /* through the same digits as in the report */
  status = moho_job_effective(r->job, &job);
  json_t *there = json_loads(text, 0, NULL), *ours = job ? json_loads(job, 0, NULL) : NULL;
  int is_ours = ours && json_equal(json_object_get(there, "job"), ours);
  free(job);
  json_decref(there), json_decref(ours);
  if (is_ours) *report = text;
  else free(text);
  if (status) return status;
  return is_ours ? MOHO_OK : moho_run_directory_refuse_other(place);
}

MOHO_API moho_status moho_job_run(const moho_job *job, const moho_job_run_options *options, char **report) {
  static const moho_job_run_options none = {0};
  moho_run r = {.job = job, .options = options ? options : &none};
  char *text = NULL;
  if (report) *report = NULL;
  moho_status status = prepare(&r);
  if (!status && r.outputs.place.has_ended && !r.options->overwrite) status = take_ended(&r, &text);
  if (!status && !text) status = migrate(&r);
  if (!status && !text) status = write_results(&r, &text);
  moho_error error = moho_error_take();
  if (status == MOHO_ERROR_INTERRUPTED) {
    interrupted(&r);
    error = moho_error_take();
  }
  moho_image_release(&r.image);
  moho_run_saved_close(&r.saved);
  json_decref(r.extra);
  moho_run_inputs_close(&r.inputs);
  moho_run_outputs_close(&r.outputs);
  if (!status && report) *report = text;
  else free(text);
  return status ? moho_error_set(&error) : MOHO_OK;
}
