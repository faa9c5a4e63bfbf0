/* job_run.c - a job run: the next batch of traces is read while the current one is migrated; results appear at the very end. */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "job/run_inputs.h"
#include "job/run_outputs.h"
#include "job/run_report.h"

typedef struct run {
  const moho_job *job;
  const moho_job_run_options *options;
  moho_run_inputs inputs;
  moho_run_outputs outputs;
  moho_migration *migration;
  moho_image image;
  moho_migration_counts counts;
  moho_run_seconds seconds;
  double begin, migrate_begin;
} run;

/* ---- progress ---- */

static moho_status interrupted(void) {
  return moho_fail_at((moho_place){0}, "nothing was written; resuming is not yet available, start the job again",
                      MOHO_ERROR_INTERRUPTED, "the run was interrupted");
}

static moho_status report_stage(run *r, const char *stage, double done, double total) {
  moho_progress progress = {.stage = stage, .unit = "files", .done = done, .total = total, .seconds = moho_seconds() - r->begin};
  return r->options->progress && r->options->progress(r->options->user, &progress) ? interrupted() : MOHO_OK;
}

/* The migration does not know how much is still to come: the plan does. */
static int migration_progress(void *user, const moho_progress *step) {
  run *r = user;
  moho_progress progress = *step;
  double planned = r->inputs.plan.contributions;
  progress.total = planned > step->done ? planned : step->done;
  progress.seconds = moho_seconds() - r->migrate_begin;
  return r->options->progress ? r->options->progress(r->options->user, &progress) : 0;
}

/* ---- reading ahead ---- */

typedef struct read_ahead {
  moho_traces *traces;
  size_t first, n;
  float *into;
  pthread_t thread;
  int running;
  moho_status status;
  moho_error error;
  double seconds;
} read_ahead;

static void *read_batch(void *argument) {
  read_ahead *ahead = argument;
  double begin = moho_seconds();
  ahead->status = moho_traces_read(ahead->traces, ahead->first, ahead->n, ahead->into);
  if (ahead->status) ahead->error = moho_error_take();
  ahead->seconds += moho_seconds() - begin;
  return NULL;
}

static void read_start(read_ahead *ahead, size_t first, size_t n, float *into) {
  ahead->first = first, ahead->n = n, ahead->into = into, ahead->status = MOHO_OK;
  if (!n) return;
  ahead->running = pthread_create(&ahead->thread, NULL, read_batch, ahead) == 0;
  if (!ahead->running) read_batch(ahead); /* no thread to be had: read here and now */
}

static moho_status read_finish(read_ahead *ahead) {
  if (ahead->running) pthread_join(ahead->thread, NULL);
  ahead->running = 0;
  return ahead->status ? moho_error_set(&ahead->error) : MOHO_OK;
}

static size_t batch_size(const moho_geometry *geometry, size_t first, size_t batch) {
  return first >= geometry->n ? 0 : geometry->n - first < batch ? geometry->n - first : batch;
}

/* The image is made when the first batch is on its way: its pages take time, which a device does not have to wait for; and
 * early enough to be told at once when there is no memory for it. */
static moho_status add_batches(run *r, read_ahead *ahead, float *buffers[2], size_t batch) {
  const moho_geometry *geometry = r->inputs.geometry;
  read_start(ahead, 0, batch_size(geometry, 0, batch), buffers[0]);
  for (size_t first = 0, turn = 0; first < geometry->n; first += batch, turn ^= 1) {
    size_t n = batch_size(geometry, first, batch);
    MOHO_TRY(read_finish(ahead));
    read_start(ahead, first + n, batch_size(geometry, first + n, batch), buffers[turn ^ 1]);
    moho_geometry slice = moho_geometry_slice(geometry, first, n);
    MOHO_TRY(moho_migration_add(r->migration, &slice, buffers[turn], migration_progress, r));
    if (first == 0) MOHO_TRY(moho_image_create(&r->inputs.grid, &r->image));
  }
  return MOHO_OK;
}

static moho_status migrate_traces(run *r) {
  size_t ns = r->inputs.info->n_samples, batch = moho_migration_batch_traces(r->migration);
  if (batch > r->inputs.geometry->n) batch = r->inputs.geometry->n;
  int one_is_enough = batch == r->inputs.geometry->n;
  float *buffers[2] = {NULL, NULL};
  read_ahead ahead = {.traces = r->inputs.traces};
  moho_status status = moho_allocate(batch * ns, sizeof(float), "a batch of traces", &buffers[0]);
  if (!status && !one_is_enough) status = moho_allocate(batch * ns, sizeof(float), "a batch of traces", &buffers[1]);
  if (!status) status = add_batches(r, &ahead, buffers, batch);
  if (ahead.running) { /* after an error: let the reader end before its buffer goes */
    moho_error error = moho_error_take();
    read_finish(&ahead);
    status = moho_error_set(&error);
  }
  r->seconds.read = ahead.seconds;
  free(buffers[0]);
  free(buffers[1]);
  return status;
}

/* ---- the run ---- */

static moho_status refuse_too_large(const run *r) {
  const moho_run_inputs *in = &r->inputs;
  char need[32], allowed[32], image[32];
  double cells = (double)in->grid.n_inline * (double)in->grid.n_crossline * (double)in->grid.n_time;
  moho_place place = moho_job_place(r->job, moho_job_given(r->job, MOHO_KEY_MEMORY) ? MOHO_KEY_MEMORY : MOHO_KEY_GRID);
  return moho_fail_at(
      place,
      "use a smaller grid, wider spacing or fewer times, or raise execution.memory_gb; working from disk is not yet available",
      MOHO_ERROR_TOO_LARGE, "the run needs %s, %s are allowed: the grid of %zu x %zu x %zu samples takes %s as stack and fold",
      moho_bytes_text((double)in->memory_needed, need), moho_bytes_text((double)in->memory_allowed, allowed), in->grid.n_inline,
      in->grid.n_crossline, in->grid.n_time, moho_bytes_text(8 * cells, image));
}

static moho_status refuse_all_outside(const run *r) {
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
static moho_status refuse_none_used(const run *r) {
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

static moho_status prepare(run *r) {
  r->begin = moho_seconds();
  MOHO_TRY(moho_job_check(r->job));
  MOHO_TRY(moho_run_outputs_open(r->job, r->options->overwrite, &r->outputs));
  MOHO_TRY(moho_run_inputs_open(r->job, r->options->progress, r->options->user, &r->inputs));
  if (moho_run_inputs_outside(&r->inputs) == r->inputs.n_live) return refuse_all_outside(r);
  if (r->inputs.memory_needed > r->inputs.memory_allowed) return refuse_too_large(r);
  r->seconds.open = moho_seconds() - r->begin;
  return MOHO_OK;
}

static moho_status migrate(run *r) {
  const moho_run_inputs *in = &r->inputs;
  double begin = moho_seconds();
  MOHO_TRY(moho_migration_create(in->device, &in->grid, in->velocity, &in->options, in->geometry, in->info->n_samples,
                                 in->info->dt_s, &r->migration));
  r->migrate_begin = moho_seconds();
  r->seconds.create = r->migrate_begin - begin;
  MOHO_TRY(migrate_traces(r));
  MOHO_TRY(moho_migration_wait(r->migration, migration_progress, r));
  MOHO_TRY(moho_migration_finish(r->migration, &r->image));
  r->counts = moho_migration_get_counts(r->migration);
  moho_migration_destroy(&r->migration); /* its memory serves the writing */
  r->seconds.migrate = moho_seconds() - r->migrate_begin;
  return r->counts.traces_used ? MOHO_OK : refuse_none_used(r);
}

static moho_status write_results(run *r, char **report) {
  char *processing = NULL;
  double begin = moho_seconds();
  MOHO_TRY(report_stage(r, "writing", 0, 1));
  MOHO_TRY(moho_report_attributes(r->job, &r->inputs, &r->image.attributes));
  MOHO_TRY(moho_report_processing(r->job, &r->inputs, &processing));
  moho_status status = moho_run_outputs_write(&r->outputs, &r->image, processing, "Migrated stack");
  free(processing);
  if (!status) status = report_stage(r, "writing", 1, 1);
  r->seconds.write = moho_seconds() - begin;
  r->seconds.total = moho_seconds() - r->begin;
  if (!status) status = moho_report_text(r->job, &r->inputs, &r->counts, &r->seconds, report);
  return status ? status : moho_run_outputs_commit(&r->outputs, *report);
}

MOHO_API moho_status moho_job_run(const moho_job *job, const moho_job_run_options *options, char **report) {
  static const moho_job_run_options none = {0};
  run r = {.job = job, .options = options ? options : &none};
  char *text = NULL;
  if (report) *report = NULL;
  moho_status status = prepare(&r);
  if (!status) status = migrate(&r);
  if (!status) status = write_results(&r, &text);
  moho_error error = moho_error_take();
  if (status == MOHO_ERROR_INTERRUPTED) {
    interrupted();
    error = moho_error_take();
  }
  moho_migration_destroy(&r.migration);
  moho_image_release(&r.image);
  moho_run_inputs_close(&r.inputs);
  moho_run_outputs_close(&r.outputs);
  if (!status && report) *report = text;
  else free(text);
  return status ? moho_error_set(&error) : MOHO_OK;
}
