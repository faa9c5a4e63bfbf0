/* queue_timeline.c - tickets: waited for, collected when done, their errors kept.
 *
 * done, wait, after, on_done and settling are views of one timeline: a ticket is done when the backend says so, and whoever
 * notices first collects it. No lock is held while the backend waits.
 */
#include <stdlib.h>

#include "base/timer.h"
#include "device/queue_core.h"

/* ---- collecting ---- */

void moho_queue_note(moho_queue *queue, moho_submitted *submitted, const moho_outcome *outcome) {
  moho_device *device = queue->handle.device;
  queue->kernel_seconds += outcome->kernel_seconds;
  queue->transfer_seconds += outcome->transfer_seconds;
  moho_metrics *count = moho_metrics_lock(device);
  count->failures += outcome->status != MOHO_OK;
  if (moho_metrics_timed(device)) {
    count->kernel_seconds += outcome->kernel_seconds;
    count->transfer_seconds += outcome->transfer_seconds;
  }
  moho_metrics_unlock(device);
  if (!outcome->status) {
    free(submitted);
    return;
  }
  moho_device_outcome(device, outcome);
  submitted->status = outcome->status;
  submitted->error = outcome->error;
  submitted->next = queue->failed;
  queue->failed = submitted;
}

static int is_done(moho_queue *queue, const moho_submitted *submitted) {
  return submitted->handed_over && queue->handle.device->backend->wait(queue->state, submitted->ticket, 0) == MOHO_OK;
}

/* What its commands hold is let go after the lock: that may take other locks, and time. */
void moho_queue_collect(moho_queue *queue) {
  moho_recorded *done = NULL, **end = &done;
  moho_error before = moho_error_take(); /* noticing another's failure is not the caller's failure */
  pthread_mutex_lock(&queue->lock);
  for (moho_submitted *at; (at = queue->oldest) && is_done(queue, at);) {
    moho_outcome outcome;
    queue->handle.device->backend->collect(queue->state, at->ticket, &outcome);
    queue->oldest = at->next;
    if (!queue->oldest) queue->newest = NULL;
    queue->collected = at->ticket;
    *end = at->commands;
    while (*end) end = &(*end)->next;
    at->commands = NULL;
    moho_queue_note(queue, at, &outcome);
  }
  pthread_mutex_unlock(&queue->lock);
  moho_recorded_release(done, 1);
  moho_error_set(&before);
}

/* ---- waiting ---- */

moho_status moho_queue_result(moho_queue *queue, uint64_t ticket) {
  moho_status status = MOHO_OK;
  pthread_mutex_lock(&queue->lock);
  for (moho_submitted *at = queue->failed; at && !status; at = at->next)
    if (at->ticket == ticket) {
      at->told = 1;
      status = moho_error_set(&at->error);
    }
  pthread_mutex_unlock(&queue->lock);
  return status;
}

static int is_collected(moho_queue *queue, uint64_t ticket, uint64_t *submitted) {
  pthread_mutex_lock(&queue->lock);
  int collected = ticket <= queue->collected;
  *submitted = queue->submitted;
  pthread_mutex_unlock(&queue->lock);
  return collected;
}

static moho_status wait_for(moho_queue *queue, uint64_t ticket, double timeout_s) {
  moho_device *device = queue->handle.device;
  double began = moho_seconds();
  moho_status status = device->backend->wait(queue->state, ticket, timeout_s);
  moho_metrics *count = moho_metrics_lock(device);
  count->wait_seconds += moho_seconds() - began;
  moho_metrics_unlock(device);
  if (status == MOHO_ERROR_TIMEOUT)
    return moho_fail_at((moho_place){0}, "it goes on: wait again", MOHO_ERROR_TIMEOUT, "queue: ticket %llu was not done in %g s",
                        (unsigned long long)ticket, timeout_s);
  return moho_device_seen(device, status);
}

moho_status moho_queue_wait(moho_queue *queue, moho_ticket ticket, double timeout_s) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  uint64_t submitted;
  if (!is_collected(queue, ticket, &submitted)) {
    if (ticket > submitted)
      return moho_fail_at((moho_place){0}, "wait for what moho_queue_submit() gave", MOHO_ERROR_ARGUMENT,
                          "queue: ticket %llu was never submitted, the last is %llu", (unsigned long long)ticket,
                          (unsigned long long)submitted);
    moho_handle_retain(queue);
    moho_status status = wait_for(queue, ticket, timeout_s);
    if (!status) moho_queue_collect(queue);
    if (!status) status = moho_queue_result(queue, ticket);
    moho_queue_release(queue);
    return status;
  }
  return moho_queue_result(queue, ticket);
}

int moho_queue_done(moho_queue *queue, moho_ticket ticket) {
  uint64_t submitted;
  if (moho_handle_check(queue, MOHO_KIND_QUEUE)) return 1; /* nothing will change any more */
  if (is_collected(queue, ticket, &submitted)) return 1;
  moho_queue_collect(queue);
  return is_collected(queue, ticket, &submitted);
}

/* ---- settling ---- */

void moho_queue_settle(moho_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  while (queue->newest && !queue->newest->handed_over) pthread_cond_wait(&queue->changed, &queue->lock);
  uint64_t ticket = queue->newest ? queue->newest->ticket : 0;
  pthread_mutex_unlock(&queue->lock);
  if (!ticket) return;
  queue->handle.device->backend->wait(queue->state, ticket, -1);
  moho_queue_collect(queue);
}

static int names(const moho_recorded *commands, const moho_buffer *buffer) {
  for (; commands; commands = commands->next) {
    if (commands->to == buffer || commands->from == buffer) return 1;
    for (size_t i = 0; i < commands->n_bindings; i++)
      if (commands->bindings[i].buffer == buffer) return 1;
  }
  return 0;
}

/* The newest ticket that uses the buffer, once the backend has it; 0: none does. */
static uint64_t last_use(moho_queue *queue, const moho_buffer *buffer) {
  uint64_t ticket = 0;
  pthread_mutex_lock(&queue->lock);
  for (moho_submitted *at = queue->oldest; at;) {
    if (!names(at->commands, buffer)) {
      at = at->next;
    } else if (at->handed_over) {
      ticket = at->ticket;
      at = at->next;
    } else {
      pthread_cond_wait(&queue->changed, &queue->lock);
      at = queue->oldest; /* the list may be another one now */
    }
  }
  pthread_mutex_unlock(&queue->lock);
  return ticket;
}

/* ---- all queues of a device ---- */

/* A reference unless the last one is gone: who lets the last go takes the queue out of the list next. */
static int try_retain(moho_handle *handle) {
  uint32_t n = __atomic_load_n(&handle->references, __ATOMIC_RELAXED);
  while (n && !__atomic_compare_exchange_n(&handle->references, &n, n + 1, 1, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {}
  return n != 0;
}

/* The queue after `at` in the device's list (NULL: the first) with a reference; the one to `at`, which kept its place in the
 * list, is let go. */
static moho_queue *next_queue(moho_device *device, moho_queue *at) {
  pthread_mutex_lock(&device->lock);
  moho_handle *next = at ? at->handle.older : device->objects[MOHO_KIND_QUEUE];
  while (next && !try_retain(next)) next = next->older;
  pthread_mutex_unlock(&device->lock);
  if (at) moho_queue_release(at);
  return (moho_queue *)(void *)next;
}

void moho_queues_collect(moho_device *device) {
  for (moho_queue *queue = NULL; (queue = next_queue(device, queue));) moho_queue_collect(queue);
}

void moho_queues_settle(moho_device *device, const moho_buffer *buffer) {
  for (moho_queue *queue = NULL; (queue = next_queue(device, queue));) {
    if (!buffer) {
      moho_queue_settle(queue);
      continue;
    }
    uint64_t ticket = last_use(queue, buffer);
    if (ticket) device->backend->wait(queue->state, ticket, -1);
    moho_queue_collect(queue);
  }
}
