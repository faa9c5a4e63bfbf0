/* queue_watch.c - functions called when tickets are done, from a thread that a queue starts when it is first asked to. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/queue_core.h"

/* A new watch for an earlier ticket is noticed after this long at most. */
#define SLICE_S 0.02

/* The watch to be called next; NULL: the queue is closing and all were called. */
static moho_watch *next_watch(moho_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  while (!queue->watches && !queue->closing) pthread_cond_wait(&queue->changed, &queue->lock);
  moho_watch *watch = queue->watches;
  pthread_mutex_unlock(&queue->lock);
  return watch;
}

static void take_out(moho_queue *queue, const moho_watch *watch) {
  pthread_mutex_lock(&queue->lock);
  moho_watch **at = &queue->watches;
  while (*at != watch) at = &(*at)->next;
  *at = watch->next;
  pthread_mutex_unlock(&queue->lock);
}

static void call(moho_queue *queue, moho_watch *watch) {
  moho_queue_collect(queue);
  moho_status status = moho_queue_result(queue, watch->ticket);
  take_out(queue, watch);
  watch->function(watch->user, watch->ticket, status);
  free(watch);
}

static int is_done(moho_queue *queue, uint64_t ticket, double timeout_s) {
  pthread_mutex_lock(&queue->lock);
  int collected = ticket <= queue->collected;
  pthread_mutex_unlock(&queue->lock);
  return collected || queue->handle.device->backend->wait(queue->state, ticket, timeout_s) == MOHO_OK;
}

static void *watch_tickets(void *argument) {
  moho_queue *queue = argument;
  for (moho_watch *watch; (watch = next_watch(queue));)
    if (is_done(queue, watch->ticket, SLICE_S)) call(queue, watch);
  return NULL;
}

/* The thread takes no signals: they are for the program's own. */
static moho_status start(moho_queue *queue) {
  sigset_t all, before;
  if (queue->is_watched) return MOHO_OK;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&queue->watcher, NULL, watch_tickets, queue);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) return moho_fail(MOHO_ERROR_MEMORY, "queue: no thread to watch its tickets: %s", strerror(failed));
  queue->is_watched = 1;
  return MOHO_OK;
}

static void insert(moho_queue *queue, moho_watch *watch) {
  moho_watch **at = &queue->watches;
  while (*at && (*at)->ticket <= watch->ticket) at = &(*at)->next;
  watch->next = *at;
  *at = watch;
  pthread_cond_broadcast(&queue->changed);
}

moho_status moho_queue_on_done(moho_queue *queue, moho_ticket ticket, moho_done_function function, void *user) {
  MOHO_TRY(moho_handle_check(queue, MOHO_KIND_QUEUE));
  if (!function) return moho_fail(MOHO_ERROR_ARGUMENT, "queue: no function to call, got NULL");
  moho_watch *watch;
  MOHO_TRY(moho_allocate(1, sizeof *watch, "a watch", &watch));
  *watch = (moho_watch){.ticket = ticket, .function = function, .user = user};
  pthread_mutex_lock(&queue->lock);
  uint64_t submitted = queue->submitted;
  moho_status status = ticket > submitted ? MOHO_ERROR_ARGUMENT : start(queue);
  if (!status) insert(queue, watch);
  pthread_mutex_unlock(&queue->lock);
  if (!status) return MOHO_OK;
  free(watch);
  if (ticket <= submitted) return status;
  return moho_fail(MOHO_ERROR_ARGUMENT, "queue: ticket %llu was never submitted, the last is %llu", (unsigned long long)ticket,
                   (unsigned long long)submitted);
}

void moho_queue_stop_watching(moho_queue *queue) {
  pthread_mutex_lock(&queue->lock);
  queue->closing = 1;
  pthread_cond_broadcast(&queue->changed);
  pthread_mutex_unlock(&queue->lock);
  if (queue->is_watched) pthread_join(queue->watcher, NULL);
  queue->is_watched = 0;
}
