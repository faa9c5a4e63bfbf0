/* queue.c - queues: created, what was recorded handed over or forgotten, destroyed. */
#include "moho/queue.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/queue_core.h"

moho_status moho_queue_create(moho_device *device, moho_queue **out) {
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "queue: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  void *state;
  MOHO_TRY(moho_device_seen(device, device->backend->queue_create(device->state, &state)));
  moho_queue *queue;
  moho_status status = moho_handle_new(MOHO_KIND_QUEUE, sizeof *queue, device, &queue);
  if (status) {
    device->backend->queue_destroy(state);
    return status;
  }
  pthread_mutex_init(&queue->lock, NULL);
  pthread_cond_init(&queue->changed, NULL);
  queue->state = state;
  *out = queue;
  return MOHO_OK;
}

static void discard(moho_queue *queue) {
  moho_recorded_release(queue->first, 0);
  queue->first = queue->last = NULL;
}

moho_status moho_queue_discard(moho_queue *queue) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  discard(queue);
  return MOHO_OK;
}

moho_status moho_queue_next_ticket(moho_queue *queue, moho_ticket *ticket) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  pthread_mutex_lock(&queue->lock);
  *ticket = queue->submitted + 1;
  pthread_mutex_unlock(&queue->lock);
  return MOHO_OK;
}

/* ---- letting go ---- */

void moho_queue_release(moho_queue *queue) {
  if (!moho_handle_release(queue)) return;
  queue->handle.device->backend->queue_destroy(queue->state);
  for (moho_submitted *at = queue->failed, *next; at; at = next) {
    next = at->next;
    free(at);
  }
  pthread_cond_destroy(&queue->changed);
  pthread_mutex_destroy(&queue->lock);
  moho_handle_free(queue, MOHO_KIND_QUEUE);
}

void moho_queue_dismantle(moho_queue *queue) {
  discard(queue);
  moho_queue_settle(queue);
  moho_queue_stop_watching(queue);
  moho_queue_release(queue);
}

/* The first failure that nobody asked for becomes the caller's. A lost device has said so on every call. */
static moho_status tell_untold(const moho_queue *queue) {
  const moho_submitted *first = NULL;
  size_t count = 0;
  if (__atomic_load_n(&queue->handle.device->lost, __ATOMIC_ACQUIRE)) return MOHO_OK;
  for (const moho_submitted *at = queue->failed; at; at = at->next)
    if (!at->told) first = at, count++;
  if (!first) return MOHO_OK;
  return moho_fail_at((moho_place){0}, first->error.hint[0] ? first->error.hint : "wait for each ticket", first->status,
                      "queue: destroyed with %zu failed ticket%s that nobody waited for, the first is %llu: %s", count,
                      count == 1 ? "" : "s", (unsigned long long)first->ticket, first->error.message);
}

/* Takes a reference, lets go of its own with the public pointer's, and answers for what was never asked. */
static moho_status dismantle_and_tell(moho_queue *queue) {
  moho_handle_retain(queue);
  moho_queue_dismantle(queue);
  moho_status status = tell_untold(queue);
  moho_queue_release(queue);
  return status;
}

moho_status moho_queue_destroy(moho_queue **pointer) {
  if (!pointer || !*pointer) return MOHO_OK;
  moho_queue *queue = *pointer;
  if (moho_handle_is_alive(queue, MOHO_KIND_QUEUE) && queue->is_watched && pthread_equal(queue->watcher, pthread_self()))
    return moho_fail_at((moho_place){0}, "destroy it from another thread", MOHO_ERROR_ARGUMENT,
                        "queue: it cannot be destroyed by a function that it calls itself");
  *pointer = NULL;
  MOHO_TRY(moho_handle_check_alive(queue, MOHO_KIND_QUEUE));
  MOHO_TRY(moho_handle_kill(queue, MOHO_KIND_QUEUE));
  return dismantle_and_tell(queue);
}

/* ---- submitting ---- */

static moho_status copy_commands(const moho_recorded *recorded, moho_command **out, size_t *n) {
  *n = 0;
  for (const moho_recorded *at = recorded; at; at = at->next) ++*n;
  MOHO_TRY(moho_allocate(*n, sizeof **out, "a submission", out));
  size_t i = 0;
  for (const moho_recorded *at = recorded; at; at = at->next) (*out)[i++] = at->command;
  return MOHO_OK;
}

/* In the list before the backend has it: who settles a buffer meanwhile waits until it has. */
static void enlist(moho_queue *queue, moho_submitted *submitted) {
  pthread_mutex_lock(&queue->lock);
  submitted->ticket = queue->submitted + 1;
  if (queue->newest) queue->newest->next = submitted;
  else queue->oldest = submitted;
  queue->newest = submitted;
  pthread_mutex_unlock(&queue->lock);
}

static void unlist(moho_queue *queue, const moho_submitted *submitted) {
  moho_submitted *before = NULL;
  for (moho_submitted *at = queue->oldest; at != submitted; at = at->next) before = at;
  if (before) before->next = NULL;
  else queue->oldest = NULL;
  queue->newest = before;
}

static int is_timed(const moho_queue *queue) {
  return __atomic_load_n(&queue->measured, __ATOMIC_RELAXED) || moho_metrics_timed(queue->handle.device);
}

static moho_status hand_over(moho_queue *queue, moho_submitted *submitted) {
  moho_device *device = queue->handle.device;
  moho_submission submission = {.timed = is_timed(queue)};
  moho_command *commands;
  MOHO_TRY(copy_commands(submitted->commands, &commands, &submission.n_commands));
  enlist(queue, submitted);
  submission.commands = commands;
  submission.ticket = submitted->ticket;
  moho_status status = moho_device_seen(device, device->backend->submit(queue->state, &submission));
  if (!status) moho_recorded_count(device, submitted->commands); /* nobody collects before it counts as handed over */
  pthread_mutex_lock(&queue->lock);
  if (status) {
    unlist(queue, submitted);
  } else {
    queue->submitted = submitted->ticket;
    submitted->handed_over = 1;
  }
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  free(commands);
  return status;
}

/* ---- under check=1: command after command, each launch looked at when it is done ---- */

static moho_status run_alone(moho_queue *queue, const moho_recorded *command, moho_outcome *outcome) {
  const moho_backend *backend = queue->handle.device->backend;
  moho_submission submission = {
      .ticket = queue->backend_ticket + 1, .commands = &command->command, .n_commands = 1, .timed = is_timed(queue)};
  MOHO_TRY(backend->submit(queue->state, &submission));
  queue->backend_ticket++;
  MOHO_TRY(backend->wait(queue->state, submission.ticket, -1));
  moho_outcome one;
  backend->collect(queue->state, submission.ticket, &one);
  outcome->kernel_seconds += one.kernel_seconds;
  outcome->transfer_seconds += one.transfer_seconds;
  if (one.status) return moho_error_set(&one.error);
  if (command->command.kind != MOHO_COMMAND_LAUNCH) return MOHO_OK;
  return moho_check_after_launch(command->kernel->name, &command->kernel->signature, command->bindings, command->n_bindings);
}

/* The first finding ends the ticket: what follows would only spread it. Tickets of other queues are done when they are known. */
static void run_checked(moho_queue *queue, moho_submitted *submitted) {
  moho_outcome outcome = {0};
  moho_error before = moho_error_take();
  for (const moho_recorded *at = submitted->commands; at && !outcome.status; at = at->next)
    if (at->command.kind != MOHO_COMMAND_AFTER) outcome.status = run_alone(queue, at, &outcome);
  if (outcome.status) outcome.error = *moho_last_error();
  moho_recorded_count(queue->handle.device, submitted->commands);
  moho_recorded_release(submitted->commands, 1);
  submitted->commands = NULL;
  pthread_mutex_lock(&queue->lock);
  submitted->ticket = queue->collected = ++queue->submitted;
  moho_queue_note(queue, submitted, &outcome);
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  moho_error_set(&before); /* the finding is the ticket's */
}

static moho_status submit_recorded(moho_queue *queue) {
  moho_submitted *submitted;
  MOHO_TRY(moho_allocate(1, sizeof *submitted, "a submission", &submitted));
  submitted->commands = queue->first;
  moho_status status = moho_recorded_mark(queue->first);
  if (!status && !queue->handle.device->check) {
    status = hand_over(queue, submitted);
    if (status) moho_recorded_unmark(queue->first);
  } else if (!status) {
    run_checked(queue, submitted);
  }
  if (status) free(submitted);
  else queue->first = queue->last = NULL;
  return status;
}

moho_status moho_queue_submit(moho_queue *queue, moho_ticket *ticket) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  moho_queue_collect(queue); /* who submits and never waits does not pile up what is done */
  if (queue->first) MOHO_TRY(submit_recorded(queue));
  if (!ticket) return MOHO_OK;
  pthread_mutex_lock(&queue->lock);
  *ticket = queue->submitted;
  pthread_mutex_unlock(&queue->lock);
  return MOHO_OK;
}

/* ---- its own clock ---- */

moho_status moho_queue_measure(moho_queue *queue, int on) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  __atomic_store_n(&queue->measured, on != 0, __ATOMIC_RELAXED);
  return MOHO_OK;
}

moho_status moho_queue_seconds(moho_queue *queue, double *kernel_seconds, double *transfer_seconds) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  moho_queue_collect(queue);
  pthread_mutex_lock(&queue->lock);
  if (kernel_seconds) *kernel_seconds = queue->kernel_seconds;
  if (transfer_seconds) *transfer_seconds = queue->transfer_seconds;
  pthread_mutex_unlock(&queue->lock);
  return MOHO_OK;
}
