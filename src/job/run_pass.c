/* run_pass.c - the next batch of traces is read while the current one is migrated. */
#include "job/run_pass.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"

enum { MOST_PASSES = 8 };

typedef struct traversal {
  moho_run *run;
  moho_run_pass *passes;
  size_t n;
  moho_migration *migrations[MOST_PASSES];
  double begin;
  size_t current; /* whose add or wait reports */
} traversal;

/* The migrations do not know how much is still to come: the plan does. */
static int report_progress(void *user, const moho_progress *step) {
  traversal *t = user;
  const moho_job_run_options *options = t->run->options;
  moho_progress progress = *step;
  double planned = 0;
  for (size_t i = 0; i < t->n; i++) {
    planned += t->passes[i].contributions;
    if (i != t->current && t->migrations[i]) progress.done += (double)moho_migration_get_counts(t->migrations[i]).contributions;
  }
  progress.total = planned > progress.done ? planned : progress.done;
  progress.seconds = moho_seconds() - t->begin;
  return options->progress ? options->progress(options->user, &progress) : 0;
}

/* ---- reading ahead ---- */

typedef struct read_ahead {
  const moho_run_inputs *inputs;
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
  ahead->status = moho_run_inputs_read(ahead->inputs, ahead->first, ahead->n, ahead->into);
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

/* ---- the pass ---- */

static moho_status add_to_all(traversal *t, const moho_geometry *geometry, const float *samples) {
  for (t->current = 0; t->current < t->n; t->current++)
    MOHO_TRY(moho_migration_add(t->migrations[t->current], geometry, samples, report_progress, t));
  return MOHO_OK;
}

static moho_status create_image(const moho_run_pass *pass) {
  MOHO_TRY(moho_image_create(pass->grid, pass->image));
  return pass->options->gathers && !pass->is_stack_only ? moho_image_add_gathers(pass->image, pass->options->gathers) : MOHO_OK;
}

/* The images are made when the first batch is on its way: their pages take time, which a device does not have to wait for; and
 * early enough to be told at once when there is no memory for them. */
static moho_status add_batches(traversal *t, read_ahead *ahead, float *buffers[2], size_t batch) {
  const moho_geometry *geometry = t->run->inputs.geometry;
  read_start(ahead, 0, batch_size(geometry, 0, batch), buffers[0]);
  for (size_t first = 0, turn = 0; first < geometry->n; first += batch, turn ^= 1) {
    size_t n = batch_size(geometry, first, batch);
    MOHO_TRY(read_finish(ahead));
    read_start(ahead, first + n, batch_size(geometry, first + n, batch), buffers[turn ^ 1]);
    moho_geometry slice = moho_geometry_slice(geometry, first, n);
    MOHO_TRY(add_to_all(t, &slice, buffers[turn]));
    for (size_t i = 0; i < t->n && first == 0; i++) MOHO_TRY(create_image(&t->passes[i]));
  }
  return MOHO_OK;
}

static moho_status read_and_add(traversal *t) {
  const moho_run_inputs *in = &t->run->inputs;
  size_t ns = in->info->n_samples, batch = in->geometry->n;
  for (size_t i = 0; i < t->n; i++) {
    size_t wanted = moho_migration_batch_traces(t->migrations[i]);
    batch = wanted < batch ? wanted : batch;
  }
  int one_is_enough = batch == in->geometry->n;
  float *buffers[2] = {NULL, NULL};
  read_ahead ahead = {.inputs = in};
  moho_status status = moho_allocate(batch * ns, sizeof(float), "a batch of traces", &buffers[0]);
  if (!status && !one_is_enough) status = moho_allocate(batch * ns, sizeof(float), "a batch of traces", &buffers[1]);
  if (!status) status = add_batches(t, &ahead, buffers, batch);
  if (ahead.running) { /* after an error: let the reader end before its buffer goes */
    moho_error error = moho_error_take();
    read_finish(&ahead);
    status = moho_error_set(&error);
  }
  t->run->seconds.read += ahead.seconds;
  free(buffers[0]);
  free(buffers[1]);
  return status;
}

/* A migration goes as soon as its image is finished: its memory serves the next, and the writing. */
static moho_status finish(traversal *t) {
  for (size_t i = 0; i < t->n; i++) {
    t->current = i;
    MOHO_TRY(moho_migration_wait(t->migrations[i], report_progress, t));
    MOHO_TRY(moho_migration_finish(t->migrations[i], t->passes[i].image));
    t->passes[i].counts = moho_migration_get_counts(t->migrations[i]);
    moho_migration_destroy(&t->migrations[i]);
  }
  return MOHO_OK;
}

static moho_status create(traversal *t) {
  const moho_run_inputs *in = &t->run->inputs;
  if (t->n > MOST_PASSES) return moho_fail(MOHO_ERROR_ARGUMENT, "%zu images at once, at most %d", t->n, MOST_PASSES);
  for (size_t i = 0; i < t->n; i++)
    MOHO_TRY(moho_migration_create(in->device, t->passes[i].grid, in->velocity, t->passes[i].options, in->geometry,
                                   in->info->n_samples, in->info->dt_s, &t->migrations[i]));
  return MOHO_OK;
}

moho_status moho_run_pass_traces(moho_run *run, moho_run_pass *passes, size_t n) {
  traversal t = {.run = run, .passes = passes, .n = n};
  double begin = moho_seconds();
  moho_status status = create(&t);
  t.begin = moho_seconds();
  run->seconds.create += t.begin - begin;
  if (!status) status = read_and_add(&t);
  if (!status) status = finish(&t);
  run->seconds.migrate += moho_seconds() - t.begin;
  for (size_t i = 0; i < n && i < MOST_PASSES; i++) moho_migration_destroy(&t.migrations[i]);
  return status;
}
