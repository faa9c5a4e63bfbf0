/* queue_core.h - a queue as its files see it: what is recorded, what is in flight, how tickets ended.
 *
 *   queue_record.c     commands are checked and noted down        (one thread)
 *   queue.c            created, submitted, discarded, destroyed
 *   queue_timeline.c   waited for, collected; errors kept         (any thread)
 *   queue_watch.c      functions called when tickets are done     (a thread of its own)
 */
#ifndef MOHO_DEVICE_QUEUE_CORE_H
#define MOHO_DEVICE_QUEUE_CORE_H

#include "device/device_core.h"

/* A command with what it points to; holds a reference to all it names. */
typedef struct moho_recorded {
  struct moho_recorded *next;
  moho_command command;
  moho_buffer *to, *from; /* of transfers and fills */
  moho_kernel *kernel;
  moho_binding *bindings; /* [n_bindings] of a launch; with spans and parameters in this same memory */
  size_t n_bindings;
  moho_queue *other; /* of `after` */
} moho_recorded;

/* A submission: in flight, and later where it failed, kept with its error. */
typedef struct moho_submitted {
  struct moho_submitted *next;
  uint64_t ticket;
  int handed_over; /* the backend has it */
  moho_recorded *commands;
  moho_status status;
  moho_error error; /* where status is not MOHO_OK */
  int told;         /* somebody has asked how it ended */
} moho_submitted;

/* A function to call. */
typedef struct moho_watch {
  struct moho_watch *next;
  uint64_t ticket;
  moho_done_function function;
  void *user;
} moho_watch;

struct moho_queue {
  moho_handle handle;
  void *state;                     /* the backend's queue */
  moho_recorded *first, *last;     /* not submitted; the recording thread's alone */
  uint64_t backend_ticket;         /* as `submitted`, but under check=1, where each command is a submission */
  pthread_mutex_t lock;            /* of all that follows */
  pthread_cond_t changed;          /* handed over, a new watch, closing */
  moho_submitted *oldest, *newest; /* in flight */
  uint64_t submitted, collected;
  moho_submitted *failed; /* newest first; they stay, so that each can be asked for at any time */
  int measured;
  double kernel_seconds, transfer_seconds;
  moho_watch *watches; /* by ticket, then in the order they came */
  pthread_t watcher;
  int is_watched, closing;
};

/* ---- queue_record.c ---- */

/* Give back what commands hold; `submitted`: they were handed over (moho_buffer_collected). */
void moho_recorded_release(moho_recorded *commands, int submitted);
/* Before handing over: all buffers are marked as in use. MOHO_ERROR_ARGUMENT: one is mapped; then none is marked. */
moho_status moho_recorded_mark(moho_recorded *commands);
void moho_recorded_unmark(moho_recorded *commands);
/* What the metrics count of them. */
void moho_recorded_count(moho_device *device, const moho_recorded *commands);

/* ---- queue_timeline.c ---- */

/* Collect what is done. Does not wait. */
void moho_queue_collect(moho_queue *queue);
/* How a collected ticket ended, as the thread's error. */
moho_status moho_queue_result(moho_queue *queue, uint64_t ticket);
/* Wait for everything that was submitted. */
void moho_queue_settle(moho_queue *queue);
/* An outcome becomes part of queue, metrics and device. Called with the queue's lock held. */
void moho_queue_note(moho_queue *queue, moho_submitted *submitted, const moho_outcome *outcome);
/* Let a reference go; with the last one the queue. */
void moho_queue_release(moho_queue *queue);

/* ---- queue_watch.c ---- */

/* Calls what is left, which must be done already, and ends the thread. */
void moho_queue_stop_watching(moho_queue *queue);

#endif
