/* device_run.c - the migration by kernels on a device: the caller's thread fills slots, the run's thread launches. */
#include "migrate/device_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/device_kernels.h"

/* While the caller waits it hears of progress about so often. */
#define PROGRESS_SECONDS 0.1

/* ---- what both sides share ---- */

static void stop(moho_device_run *r) {
  pthread_mutex_lock(&r->lock);
  r->is_stopped = 1;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

static double contributions_done(moho_device_run *r) {
  pthread_mutex_lock(&r->lock);
  double done = r->traces_done * r->contributions_expected;
  pthread_mutex_unlock(&r->lock);
  return done;
}

int moho_device_is_stopped(moho_device_run *r) {
  if (r->reporter && moho_reporter_stops(r->reporter, contributions_done(r))) stop(r);
  pthread_mutex_lock(&r->lock);
  int stopped = r->is_stopped;
  pthread_mutex_unlock(&r->lock);
  return stopped;
}

void moho_device_advance(moho_device_run *r, const moho_device_progress *p) {
  pthread_mutex_lock(&r->lock);
  r->traces_done += p->share;
  r->counts.launches += p->launches;
  r->counts.transfer_seconds += p->transfer_seconds;
  r->counts.allocation_seconds += p->allocation_seconds;
  pthread_mutex_unlock(&r->lock);
}

void moho_device_slot_done(moho_device_run *r, moho_device_slot *slot) {
  moho_migration_counts sum = {0};
  for (size_t i = 0; i < slot->n; i++) {
    if (!slot->live[i]) sum.traces_dead++;
    else if (r->used_host[i]) sum.traces_used++;
    else sum.traces_outside++;
  }
  pthread_mutex_lock(&r->lock);
  r->counts.traces_dead += sum.traces_dead;
  r->counts.traces_used += sum.traces_used;
  r->counts.traces_outside += sum.traces_outside;
  slot->n = 0;
  slot->state = MOHO_SLOT_FREE;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

/* The calling thread's last error is the run's, unless there was one before; nothing is launched any more. */
static void fail(moho_device_run *r, moho_status status) {
  moho_error error = moho_error_take();
  pthread_mutex_lock(&r->lock);
  if (!r->status) r->status = status, r->error = error;
  r->is_stopped = 1;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

/* ---- the run's thread ---- */

/* The slot to launch next; NULL when the run ends. With nothing to launch it waits for what the device still does. */
static moho_device_slot *next_slot(moho_device_run *r, int turn) {
  moho_device_slot *slot = &r->slots[turn];
  for (;;) {
    pthread_mutex_lock(&r->lock);
    while (slot->state != MOHO_SLOT_HANDED_OVER && !r->n_flights && !r->is_stopped) pthread_cond_wait(&r->changed, &r->lock);
    int ends = r->is_stopped, is_there = slot->state == MOHO_SLOT_HANDED_OVER;
    if (is_there) slot->state = MOHO_SLOT_LAUNCHING;
    pthread_mutex_unlock(&r->lock);
    if (ends) return NULL;
    if (is_there) return slot;
    moho_status status = moho_device_retire(r);
    if (status) fail(r, status);
  }
}

static void *launch_slots(void *argument) {
  moho_device_run *r = argument;
  moho_device_slot *slot;
  for (int turn = 0; (slot = next_slot(r, turn)); turn = (turn + 1) % (int)r->plan.slots) {
    moho_status status = moho_device_run_batch(r, slot);
    if (status) fail(r, status);
  }
  while (r->n_flights) { /* stopped: the first failure is told, later ones are its consequences */
    moho_status status = moho_device_retire(r);
    if (status) fail(r, status);
  }
  moho_queue_discard(r->queue);
  return NULL;
}

/* ---- create, destroy ---- */

static unsigned storage_of(const moho_migration *m, const moho_device_plan *plan) {
  if (!plan->is_packed) return STORAGE_VALUES;
  return m->options.storage == MOHO_STORAGE_HALF ? STORAGE_HALF_PAIRS : STORAGE_PAIRS;
}

static moho_status create_kernels(moho_device_run *r) {
  moho_device *device = r->m->device;
  double begin = moho_seconds();
  MOHO_TRY(moho_device_kernels_register());
  for (int c = 0; c < r->choice.n; c++)
    MOHO_TRY(moho_device_kernel_create(device, r->choice.candidates[c], &r->parameters, &r->plan, &r->kernels[c]));
  if (r->plan.is_packed) MOHO_TRY(moho_device_kernel_create(device, NULL, &r->parameters, &r->plan, &r->pack));
  moho_device_advance(r, &(moho_device_progress){.allocation_seconds = moho_seconds() - begin});
  return MOHO_OK;
}

static moho_status start(moho_device_run *r) {
  MOHO_TRY(moho_queue_create(r->m->device, &r->queue));
  MOHO_TRY(moho_queue_measure(r->queue, 1));
  if (!r->plan.is_kept) return MOHO_OK;
  if (!r->plan.is_unified) {
    MOHO_TRY(moho_queue_create(r->m->device, &r->upload));
    MOHO_TRY(moho_queue_measure(r->upload, 1));
  }
  r->has_thread = pthread_create(&r->thread, NULL, launch_slots, r) == 0;
  return r->has_thread ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "the migration's thread could not be started");
}

static moho_status device_create(moho_migration *m, const moho_migration_setup *s) {
  moho_device_run *r;
  MOHO_TRY(moho_allocate(1, sizeof *r, "migration", &r));
  m->run = r;
  r->m = m, r->plan = s->device, r->choice = s->choice, r->is_uniform = s->is_uniform;
  r->settled = r->choice.n == 1;
  r->counts.kernel = m->counts.kernel;
  memcpy(r->counts.kernel_reason, m->counts.kernel_reason, sizeof r->counts.kernel_reason);
  r->contributions_expected = s->contributions_a_trace;
  r->parameters = moho_device_parameters(m, s->is_uniform, storage_of(m, &r->plan));
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  MOHO_TRY(create_kernels(r));
  MOHO_TRY(moho_device_allocate(r));
  return start(r);
}

static void device_destroy(moho_migration *m) {
  moho_device_run *r = m->run;
  stop(r);
  if (r->has_thread) pthread_join(r->thread, NULL);
  moho_queue_destroy(&r->upload), moho_queue_destroy(&r->queue);
  moho_device_release(r);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->lock);
  free(r);
  m->run = NULL;
}

/* ---- waiting with progress ---- */

static moho_status interrupted(void) {
  return moho_fail(MOHO_ERROR_INTERRUPTED, "the migration was interrupted");
}

static moho_status report(moho_device_run *r, const moho_reporter *reporter) {
  if (!moho_reporter_stops(reporter, contributions_done(r))) return MOHO_OK;
  stop(r);
  return interrupted();
}

/* Until `slot` (NULL: every slot) is free, or the run has failed, or the caller wants it to stop. */
static moho_status wait_for(moho_device_run *r, const moho_device_slot *slot, const moho_reporter *reporter) {
  for (;;) {
    pthread_mutex_lock(&r->lock);
    int busy = 0;
    for (size_t i = 0; i < r->plan.slots; i++) busy |= r->slots[i].state != MOHO_SLOT_FREE && (!slot || slot == &r->slots[i]);
    if (busy && !r->status) {
      struct timespec until;
      clock_gettime(CLOCK_REALTIME, &until);
      until.tv_nsec += (long)(PROGRESS_SECONDS * 1e9);
      if (until.tv_nsec >= 1000000000) until.tv_sec++, until.tv_nsec -= 1000000000;
      pthread_cond_timedwait(&r->changed, &r->lock, &until);
    }
    moho_status status = r->status;
    pthread_mutex_unlock(&r->lock);
    if (status) return moho_error_set(&r->error);
    if (!busy) return MOHO_OK;
    MOHO_TRY(report(r, reporter));
  }
}

/* ---- add ---- */

/* The slot's memory as the host sees it. */
static moho_status open_slot(moho_device_run *r, moho_device_slot *slot, const moho_reporter *reporter) {
  if (r->is_open) return MOHO_OK; /* and partly filled */
  MOHO_TRY(wait_for(r, slot, reporter));
  r->is_open = 1;
  if (!r->plan.is_kept) return MOHO_OK;
  void *host;
  MOHO_TRY(moho_buffer_map(slot->staging ? slot->staging : slot->data, MOHO_MAP_WRITE, &host));
  slot->rows = host;
  slot->traces = (migrate_trace *)(void *)((char *)host + r->plan.traces_offset);
  return MOHO_OK;
}

/* The upload begins at once, beside what the device computes. */
static moho_status upload_slot(moho_device_run *r, moho_device_slot *slot) {
  size_t rows = slot->n * r->plan.row_floats * sizeof(float), traces = slot->n * sizeof(migrate_trace);
  MOHO_TRY(moho_buffer_unmap(slot->staging ? slot->staging : slot->data));
  slot->rows = NULL, slot->traces = NULL;
  if (!slot->staging) return MOHO_OK;
  MOHO_TRY(moho_queue_copy(r->upload, slot->data, 0, slot->staging, 0, rows));
  MOHO_TRY(moho_queue_copy(r->upload, slot->data, r->plan.traces_offset, slot->staging, r->plan.traces_offset, traces));
  return moho_queue_submit(r->upload, &slot->uploaded);
}

static moho_status hand_over(moho_device_run *r, const moho_reporter *reporter) {
  moho_device_slot *slot = &r->slots[r->filling];
  if (!r->is_open) return MOHO_OK;
  r->is_open = 0;
  r->filling = (r->filling + 1) % (int)r->plan.slots;
  if (!r->plan.is_kept) {
    r->reporter = reporter;
    moho_status status = moho_device_run_batch(r, slot);
    r->reporter = NULL;
    return !status && r->is_stopped ? interrupted() : status;
  }
  MOHO_TRY(upload_slot(r, slot));
  pthread_mutex_lock(&r->lock);
  slot->state = MOHO_SLOT_HANDED_OVER;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
  return MOHO_OK;
}

/* Kernels were compiled for what the survey's geometry said. */
static moho_status check_starts(const moho_device_run *r, const moho_geometry *geometry) {
  for (size_t i = 0; r->plan.begins_at_zero && i < geometry->n; i++)
    if (geometry->first_sample_s[i] != 0 && moho_geometry_is_live(geometry, i))
      return moho_fail_at((moho_place){.trace = (int64_t)(r->m->counts.traces_added + i + 1)},
                          "create the migration with the geometry of all traces that will be added", MOHO_ERROR_ARGUMENT,
                          "a trace begins at %g s; by the survey's geometry all begin at 0 s", geometry->first_sample_s[i]);
  return MOHO_OK;
}

/* As many of the traces as the slot still takes. */
static moho_status fill_slot(moho_device_run *r, const moho_geometry *geometry, const float *traces, moho_device_slot *slot) {
  moho_migration *m = r->m;
  double begin = moho_seconds();
  float *rows = slot->rows + slot->n * r->plan.row_floats;
  uint8_t *live = slot->live + slot->n;
  MOHO_TRY(check_starts(r, geometry));
  MOHO_TRY(moho_trace_prepare(m->preparer, geometry, traces, m->threads, rows, live));
  moho_device_fill_traces(m, geometry, live, rows, slot->n, slot->traces + slot->n);
  slot->n += geometry->n;
  m->counts.prepare_seconds += moho_seconds() - begin;
  return MOHO_OK;
}

static moho_status device_add(moho_migration *m, const moho_geometry *geometry, const float *traces,
                              const moho_reporter *reporter) {
  moho_device_run *r = m->run;
  for (size_t first = 0, n; first < geometry->n; first += n) {
    moho_device_slot *slot = &r->slots[r->filling];
    MOHO_TRY(open_slot(r, slot, reporter));
    n = geometry->n - first;
    if (n > m->capacity - slot->n) n = m->capacity - slot->n;
    moho_geometry part = moho_geometry_slice(geometry, first, n);
    MOHO_TRY(fill_slot(r, &part, traces + first * m->input_samples, slot));
    if (slot->n == m->capacity) MOHO_TRY(hand_over(r, reporter));
  }
  return report(r, reporter);
}

static moho_status device_wait(moho_migration *m, const moho_reporter *reporter) {
  moho_device_run *r = m->run;
  MOHO_TRY(hand_over(r, reporter));
  MOHO_TRY(wait_for(r, NULL, reporter));
  return report(r, reporter);
}

/* ---- finish ---- */

/* Rows of a slab as they came back. */
typedef struct finished_rows {
  const moho_device_run *r;
  size_t first_row; /* of all */
  const float *image;
  const int32_t *fold;
} finished_rows;

static size_t read_row(const moho_migration *m, const void *from, size_t k, const float **sums, int32_t *fold) {
  const finished_rows *rows = from;
  *sums = rows->image + k * m->axis.stride;
  memcpy(fold, rows->fold + k * m->axis.stride, m->axis.n * sizeof *fold);
  return rows->r->flat[rows->first_row + k];
}

/* Where memory is shared the sums are read where they are. */
static moho_status finish_in_place(moho_device_run *r, const moho_device_slab *slab, moho_image *image) {
  void *sums, *fold;
  MOHO_TRY(moho_buffer_map(slab->image, MOHO_MAP_READ, &sums));
  moho_status status = moho_buffer_map(slab->fold, MOHO_MAP_READ, &fold);
  if (!status) {
    finished_rows rows = {.r = r, .first_row = slab->first_row, .image = sums, .fold = fold};
    moho_unfinished columns = {.n = slab->n_rows, .from = &rows, .read = read_row};
    status = moho_migration_finish_columns(r->m, &columns, image, &r->counts.contributions);
    moho_buffer_unmap(slab->fold);
  }
  moho_buffer_unmap(slab->image);
  return status;
}

/* Sums come down in pieces through a buffer of two halves: one is finished while the next comes. */
typedef struct download {
  moho_buffer *halves[2]; /* MOHO_MEMORY_HOST: image rows, then fold rows */
  moho_ticket tickets[2];
  size_t rows; /* of a half */
} download;

static moho_status request_rows(moho_device_run *r, const moho_device_slab *slab, download *d, size_t piece) {
  size_t row_bytes = r->plan.image_stride * sizeof(float), first = piece * d->rows;
  if (first >= slab->n_rows) return MOHO_OK;
  size_t n = slab->n_rows - first < d->rows ? slab->n_rows - first : d->rows;
  moho_buffer *half = d->halves[piece % 2];
  MOHO_TRY(moho_queue_copy(r->queue, half, 0, slab->image, first * row_bytes, n * row_bytes));
  MOHO_TRY(moho_queue_copy(r->queue, half, d->rows * row_bytes, slab->fold, first * row_bytes, n * row_bytes));
  return moho_queue_submit(r->queue, &d->tickets[piece % 2]);
}

static moho_status finish_piece(moho_device_run *r, const moho_device_slab *slab, download *d, size_t piece, moho_image *image) {
  size_t row_samples = r->plan.image_stride, first = piece * d->rows;
  MOHO_TRY(moho_queue_wait(r->queue, d->tickets[piece % 2], -1));
  MOHO_TRY(request_rows(r, slab, d, piece + 1));
  void *host;
  MOHO_TRY(moho_buffer_map(d->halves[piece % 2], MOHO_MAP_READ, &host));
  finished_rows rows = {
      .r = r, .first_row = slab->first_row + first, .image = host, .fold = (const int32_t *)host + d->rows * row_samples};
  moho_unfinished columns = {
      .n = slab->n_rows - first < d->rows ? slab->n_rows - first : d->rows, .from = &rows, .read = read_row};
  moho_status status = moho_migration_finish_columns(r->m, &columns, image, &r->counts.contributions);
  moho_buffer_unmap(d->halves[piece % 2]);
  return status;
}

static moho_status finish_by_download(moho_device_run *r, moho_image *image) {
  size_t row_bytes = 2 * r->plan.image_stride * sizeof(float);
  download d = {.rows = MOHO_DOWNLOAD_BYTES / row_bytes + 1};
  if (d.rows > r->m->n_columns) d.rows = r->m->n_columns;
  static const char hint[] = "there is no memory left to bring the image back";
  moho_status status = MOHO_OK;
  for (int i = 0; !status && i < 2; i++) status = moho_device_buffer(r, d.rows * row_bytes, MOHO_MEMORY_HOST, hint, &d.halves[i]);
  for (size_t s = 0; !status && s < r->n_slabs; s++) {
    const moho_device_slab *slab = &r->slabs[s];
    status = request_rows(r, slab, &d, 0);
    for (size_t piece = 0; !status && piece * d.rows < slab->n_rows; piece++) status = finish_piece(r, slab, &d, piece, image);
  }
  moho_error error = moho_error_take();
  moho_buffer_destroy(&d.halves[0]), moho_buffer_destroy(&d.halves[1]);
  return status ? moho_error_set(&error) : MOHO_OK;
}

static moho_status device_finish(moho_migration *m, moho_image *image) {
  moho_device_run *r = m->run;
  r->counts.contributions = 0;
  if (!r->plan.is_unified) return finish_by_download(r, image);
  for (size_t s = 0; s < r->n_slabs; s++) MOHO_TRY(finish_in_place(r, &r->slabs[s], image));
  return MOHO_OK;
}

/* What the device measured itself. */
static void add_seconds(moho_queue *queue, moho_migration_counts *counts) {
  double kernel = 0, transfer = 0;
  if (!queue || moho_queue_seconds(queue, &kernel, &transfer)) return; /* a lost device tells nothing any more */
  counts->kernel_seconds += kernel;
  counts->transfer_seconds += transfer;
}

static void device_count(const moho_migration *m, moho_migration_counts *counts) {
  moho_device_run *r = m->run;
  pthread_mutex_lock(&r->lock);
  const moho_migration_counts *c = &r->counts;
  counts->traces_used = c->traces_used, counts->traces_outside = c->traces_outside, counts->traces_dead = c->traces_dead;
  counts->contributions = c->contributions, counts->launches = c->launches;
  counts->transfer_seconds = c->transfer_seconds;
  counts->allocation_seconds = c->allocation_seconds;
  counts->kernel = c->kernel;
  memcpy(counts->kernel_reason, c->kernel_reason, sizeof counts->kernel_reason);
  pthread_mutex_unlock(&r->lock);
  add_seconds(r->queue, counts), add_seconds(r->upload, counts);
}

const moho_migration_method moho_device_method = {.size = moho_device_plan_size,
                                                  .create = device_create,
                                                  .add = device_add,
                                                  .wait = device_wait,
                                                  .finish = device_finish,
                                                  .count = device_count,
                                                  .destroy = device_destroy};
