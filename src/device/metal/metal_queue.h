/* metal_queue.h - a queue of Moho on Metal: one MTLCommandQueue and one MTLSharedEvent that counts its command buffers.
 *
 * A submission becomes pieces, each a command buffer that signals its number on the queue's event when the GPU is done with
 * it. A piece ends after a few launches (macOS stops command buffers that run for seconds), where timing wants launches and
 * transfers apart, and before what waits for another queue.
 *
 * Order. Memory is shared, but a host copy at the moment of submit would overtake work in flight. So:
 *   write   at submit the bytes go to a staging buffer; the GPU copies them on in the queue's order;
 *   read    the GPU copies to the staging buffer in the queue's order; who first waits for the ticket copies on to the host.
 *
 * Killed pieces never signal. Whoever waits does so in slices and looks at the statuses: a finished piece whose number the
 * event lacks is signalled by the host, so that other queues that wait for it go on. A late GPU signal may be overwritten
 * by that with a smaller number; then the next look mends it.
 *
 * Locks, outer first: the device's list of queues, a queue's, the device's for its loss.
 */
#ifndef MOHO_DEVICE_METAL_QUEUE_H
#define MOHO_DEVICE_METAL_QUEUE_H

#include "device/metal/metal_device.h"

enum {
  METAL_PIECES_IN_FLIGHT = 8, /* a queue; Metal blocks for ever in the 65th */
  METAL_LAUNCHES_A_PIECE = 8, /* of at most 0.1 s each */
  METAL_EVENTS_A_PIECE = 4,
  METAL_STAGING_KEPT = 4
};
#define METAL_QUEUE_COMMAND_BUFFERS 64

typedef struct metal_read {
  size_t from; /* offset in the staging buffer */
  void *host;
  size_t bytes;
} metal_read;

typedef struct metal_staging {
  metal_id buffer;
  unsigned char *host;
  size_t bytes;
} metal_staging;

typedef enum { METAL_RUNNING, METAL_RAN, METAL_COPYING, METAL_DONE } metal_state; /* COPYING: reads go to the host */

typedef struct metal_ticket {
  uint64_t number, last_piece;
  metal_state state;
  int timed, is_complete; /* all pieces are committed */
  size_t pieces_left;     /* committed, not looked at */
  metal_staging staging;
  metal_read *reads;
  size_t n_reads;
  moho_outcome outcome;
  struct metal_ticket *next;
} metal_ticket;

/* A committed command buffer. */
typedef struct metal_piece {
  metal_id commands;
  metal_id events[METAL_EVENTS_A_PIECE]; /* of other queues, kept alive */
  size_t n_events;
  uint64_t number;
  metal_ticket *ticket;
  int has_launches;
  char name[64]; /* of its first kernel */
} metal_piece;

struct metal_queue {
  metal_device *device;
  metal_queue *next; /* in the device's list */
  metal_id queue, event;
  pthread_mutex_t lock;
  metal_piece pieces[METAL_PIECES_IN_FLIGHT]; /* a ring, oldest first */
  size_t first_piece, n_pieces;
  uint64_t pieces_made, pieces_over; /* numbers: committed; looked at and finished */
  metal_ticket *oldest, *newest;     /* not collected */
  metal_staging kept[METAL_STAGING_KEPT];
};

/* ---- metal_queue.c ---- */
moho_status moho_metal_queue_create(void *state, void **queue);
void moho_metal_queue_destroy(void *queue);
/* With the queue's lock held; NULL: collected. */
metal_ticket *moho_metal_find_ticket(const metal_queue *queue, uint64_t number);
moho_status moho_metal_wait(void *queue, uint64_t ticket, double timeout_s);
void moho_metal_collect(void *queue, uint64_t ticket, moho_outcome *outcome);

/* ---- metal_progress.c ---- */
/* Look at what has finished on this queue; with its lock held. */
void moho_metal_look(metal_queue *queue);
/* Wait at most seconds for the GPU to pass piece `number` of the queue, then look at all queues of the device: what this one
 * waits for may be on another, and killed. No lock held. */
void moho_metal_wait_slice(metal_queue *queue, uint64_t number, double seconds);

/* ---- metal_submit.c ---- */
moho_status moho_metal_submit(void *queue, const moho_submission *submission);

/* ---- metal_staging.c ---- */
/* A staging buffer of at least `bytes`, kept or new; given back it is kept for the next (bounded). One thread at a time. */
moho_status moho_metal_staging_take(metal_queue *queue, size_t bytes, metal_staging *out);
void moho_metal_staging_give(metal_queue *queue, metal_staging *staging);
void moho_metal_staging_free(metal_queue *queue);

#endif
