/* metal_queue.c - queues made and taken apart; tickets waited for, their reads handed to the host, collected. */
#include "device/metal/metal_queue.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/timer.h"

#define SLICE_S 0.05 /* a killed command buffer is noticed within it */

static void take_apart(metal_queue *queue) {
  moho_metal_staging_free(queue);
  moho_metal_release(&queue->event);
  moho_metal_release(&queue->queue);
  pthread_mutex_destroy(&queue->lock);
  free(queue);
}

static moho_status make_objects(metal_queue *queue) {
  queue->queue = METAL(new_queue, queue->device->device, METAL_QUEUE_COMMAND_BUFFERS);
  queue->event = METAL(new_event, queue->device->device);
  if (queue->queue && queue->event) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "fewer queues", MOHO_ERROR_DEVICE, "metal: the device gave no %s for a new queue",
                      queue->queue ? "shared event" : "command queue");
}

moho_status moho_metal_queue_create(void *state, void **out) {
  metal_device *device = state;
  MOHO_TRY(moho_metal_check_lost(device));
  metal_queue *queue;
  MOHO_TRY(moho_allocate(1, sizeof *queue, "metal queue", &queue));
  queue->device = device;
  pthread_mutex_init(&queue->lock, NULL);
  void *pool = moho_metal_pool_push();
  moho_status status = make_objects(queue);
  if (status) take_apart(queue);
  moho_metal_pool_pop(pool);
  if (status) return status;
  pthread_mutex_lock(&device->lock);
  queue->next = device->queues;
  device->queues = queue;
  pthread_mutex_unlock(&device->lock);
  *out = queue;
  return MOHO_OK;
}

static void unlist(metal_queue *queue) {
  pthread_mutex_lock(&queue->device->lock);
  metal_queue **link = &queue->device->queues;
  while (*link != queue) link = &(*link)->next;
  *link = queue->next;
  pthread_mutex_unlock(&queue->device->lock);
}

/* Gives back what a ticket holds; with the queue's lock held. */
static void free_ticket(metal_queue *queue, metal_ticket *ticket) {
  if (ticket->staging.buffer) moho_metal_staging_give(queue, &ticket->staging);
  free(ticket->reads);
  free(ticket);
}

void moho_metal_queue_destroy(void *state) {
  metal_queue *queue = state;
  void *pool = moho_metal_pool_push();
  unlist(queue);
  pthread_mutex_lock(&queue->lock);
  moho_metal_look(queue); /* everything was waited for: nothing is left running */
  while (queue->oldest) {
    metal_ticket *ticket = queue->oldest;
    queue->oldest = ticket->next;
    free_ticket(queue, ticket);
  }
  pthread_mutex_unlock(&queue->lock);
  take_apart(queue);
  moho_metal_pool_pop(pool);
}

metal_ticket *moho_metal_find_ticket(const metal_queue *queue, uint64_t number) {
  metal_ticket *ticket = queue->oldest;
  while (ticket && ticket->number != number) ticket = ticket->next;
  return ticket;
}

/* The bytes of reads go to the host without the lock: others may submit and wait meanwhile. */
static void copy_reads(metal_queue *queue, metal_ticket *ticket) {
  ticket->state = METAL_COPYING;
  pthread_mutex_unlock(&queue->lock);
  double begin = moho_seconds();
  if (!ticket->outcome.status)
    for (size_t i = 0; i < ticket->n_reads; i++)
      memcpy(ticket->reads[i].host, ticket->staging.host + ticket->reads[i].from, ticket->reads[i].bytes);
  double seconds = moho_seconds() - begin;
  pthread_mutex_lock(&queue->lock);
  if (ticket->timed && ticket->n_reads) ticket->outcome.transfer_seconds += seconds;
  if (ticket->staging.buffer) moho_metal_staging_give(queue, &ticket->staging);
  ticket->state = METAL_DONE;
}

/* Look once. 1: the ticket is done; else *piece is what to wait for, 0 where another thread copies its reads. */
static int look_at_ticket(metal_queue *queue, uint64_t number, uint64_t *piece) {
  pthread_mutex_lock(&queue->lock);
  moho_metal_look(queue);
  metal_ticket *ticket = moho_metal_find_ticket(queue, number);
  if (ticket && ticket->state == METAL_RAN) copy_reads(queue, ticket);
  int is_done = !ticket || ticket->state == METAL_DONE;
  *piece = is_done || ticket->state == METAL_COPYING ? 0 : ticket->last_piece;
  pthread_mutex_unlock(&queue->lock);
  return is_done;
}

moho_status moho_metal_wait(void *state, uint64_t number, double timeout_s) {
  metal_queue *queue = state;
  double begin = moho_seconds();
  for (;;) {
    uint64_t piece;
    void *pool = moho_metal_pool_push();
    int is_done = look_at_ticket(queue, number, &piece);
    moho_metal_pool_pop(pool);
    if (is_done) return MOHO_OK;
    double left = timeout_s < 0 ? SLICE_S : begin + timeout_s - moho_seconds();
    if (left <= 0) return MOHO_ERROR_TIMEOUT; /* the front finds the words */
    if (piece) {
      moho_metal_wait_slice(queue, piece, left < SLICE_S ? left : SLICE_S);
    } else {
      nanosleep(&(struct timespec){.tv_nsec = 50000}, NULL);
    }
  }
}

void moho_metal_collect(void *state, uint64_t number, moho_outcome *outcome) {
  metal_queue *queue = state;
  void *pool = moho_metal_pool_push();
  pthread_mutex_lock(&queue->lock);
  *outcome = (moho_outcome){0};
  metal_ticket **link = &queue->oldest, *before = NULL;
  while (*link && (*link)->number != number) {
    before = *link;
    link = &before->next;
  }
  metal_ticket *ticket = *link;
  if (ticket) {
    *outcome = ticket->outcome;
    *link = ticket->next;
    if (queue->newest == ticket) queue->newest = before;
    free_ticket(queue, ticket);
  }
  pthread_mutex_unlock(&queue->lock);
  moho_metal_pool_pop(pool);
}
