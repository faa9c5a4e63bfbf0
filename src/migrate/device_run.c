/* device_run.c - the migration by kernels on a device: its two threads, and what they share. */
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
  r->counts.compile_seconds += p->compile_seconds;
  pthread_mutex_unlock(&r->lock);
}

/* In the order in which traces were added; kernels say it in the order of bins. */
static void tell_used(const moho_device_run *r, const moho_device_slot *slot) {
  uint8_t *out = r->m->used + (slot->first - r->m->used_from);
  size_t *next = slot->bins ? slot->first_of_bin : NULL; /* no one asks for it after this */
  for (size_t i = 0; i < slot->n; i++) {
    size_t at = next ? next[slot->bins[i]]++ : i;
    out[i] = slot->live[i] == MOHO_PLACE_LIVE && r->used_host[at] != 0;
  }
}

void moho_device_slot_done(moho_device_run *r, moho_device_slot *slot) {
  moho_migration_counts sum = {0};
  for (size_t i = 0; i < slot->n; i++) {
    sum.traces_dead += slot->live[i] == 0;
    sum.traces_unbinned += slot->live[i] == MOHO_PLACE_UNBINNED;
  }
  for (size_t i = 0; i < slot->n_sorted; i++) sum.traces_used += r->used_host[i] != 0; /* in the order of bins */
  if (r->m->used) tell_used(r, slot);
  sum.traces_outside = slot->n - sum.traces_dead - sum.traces_unbinned - sum.traces_used;
  pthread_mutex_lock(&r->lock);
  r->counts.traces_dead += sum.traces_dead;
  r->counts.traces_used += sum.traces_used;
  r->counts.traces_outside += sum.traces_outside;
  r->counts.traces_unbinned += sum.traces_unbinned;
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

/* One kernel, in a thread of its own. */
typedef struct compilation {
  moho_device_run *r;
  const moho_kernel_version *version; /* NULL: the packing */
  moho_kernel **out;
  pthread_t thread;
  int running;
  moho_status status;
  moho_error error;
} compilation;

static void *compile_one(void *argument) {
  compilation *c = argument;
  c->status = moho_device_kernel_create(c->r->m->device, c->version, &c->r->parameters, &c->r->plan, c->out);
  if (c->status) c->error = moho_error_take();
  return NULL;
}

/* All at once: each takes a second or two. The first that failed is told. */
static moho_status create_kernels(moho_device_run *r) {
  compilation all[MOHO_MOST_CANDIDATES + 1];
  moho_status status = MOHO_OK;
  double begin = moho_seconds();
  int n = 0;
  for (; n < r->choice.n; n++) all[n] = (compilation){.r = r, .version = r->choice.candidates[n], .out = &r->kernels[n]};
  if (r->plan.is_packed) all[n++] = (compilation){.r = r, .out = &r->pack};
  for (int i = 1; i < n; i++) all[i].running = pthread_create(&all[i].thread, NULL, compile_one, &all[i]) == 0;
  for (int i = 0; i < n; i++)
    if (!all[i].running) compile_one(&all[i]);
  for (int i = 0; i < n; i++) {
    if (all[i].running) pthread_join(all[i].thread, NULL);
    if (all[i].status && !status) status = moho_error_set(&all[i].error);
  }
  moho_device_advance(r, &(moho_device_progress){.compile_seconds = moho_seconds() - begin});
  return status;
}

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

/* The text takes seconds to compile: meanwhile the caller's thread prepares the first batches. */
static void *launch_slots(void *argument) {
  moho_device_run *r = argument;
  moho_device_slot *slot;
  moho_status compiled = r->kernels[0] ? MOHO_OK : create_kernels(r);
  if (compiled) fail(r, compiled);
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

/* Lines cost a little accuracy: they suit a version whose travel times are no better. */
static unsigned storage_of(const moho_migration *m, const moho_device_plan *plan, const moho_kernel_version *first) {
  if (!plan->is_packed) return STORAGE_VALUES;
  if (m->options.storage == MOHO_STORAGE_HALF) return STORAGE_HALF_PAIRS;
  int is_linear = m->options.interpolation == MOHO_INTERPOLATION_LINEAR && m->options.antialias == MOHO_ANTIALIAS_NONE;
  return first->plan.reads_lines && is_linear ? STORAGE_LINES : STORAGE_PAIRS;
}

static moho_status start(moho_device_run *r) {
  MOHO_TRY(moho_queue_create(r->m->device, &r->queue));
  MOHO_TRY(moho_queue_measure(r->queue, 1));
  if (!r->plan.is_kept || r->plan.is_adjoint) return MOHO_OK;
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
  r->parameters =
      moho_device_parameters(m, s->is_uniform, storage_of(m, &r->plan, s->choice.candidates[0]), r->plan.constants.chunks);
  r->parameters.mask_stride = (unsigned)r->plan.mask_stride;
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  MOHO_TRY(moho_device_kernels_register());
  /* Constants that somebody gave may be refused: then here. */
  if (!r->plan.is_adjoint && (!r->plan.is_kept || r->plan.constants.changes_text)) MOHO_TRY(create_kernels(r));
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

moho_status moho_device_interrupted(void) {
  return moho_fail(MOHO_ERROR_INTERRUPTED, "the migration was interrupted");
}

moho_status moho_device_report_progress(moho_device_run *r, const moho_reporter *reporter) {
  if (!moho_reporter_stops(reporter, contributions_done(r))) return MOHO_OK;
  stop(r);
  return moho_device_interrupted();
}

moho_status moho_device_wait(moho_device_run *r, const moho_device_slot *slot, const moho_reporter *reporter) {
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
    MOHO_TRY(moho_device_report_progress(r, reporter));
  }
}

const moho_migration_method moho_device_method = {.size = moho_device_plan_size,
                                                  .create = device_create,
                                                  .add = moho_device_add,
                                                  .wait = moho_device_flush,
                                                  .finish = moho_device_finish,
                                                  .count = moho_device_count,
                                                  .destroy = device_destroy};
