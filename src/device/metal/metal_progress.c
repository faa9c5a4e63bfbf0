/* metal_progress.c - how far the GPU is: statuses of command buffers, how they ended, and waiting in slices. */
#include <stdio.h>
#include <string.h>

#include "base/timer.h"
#include "device/metal/metal_queue.h"

#define LOST_PATIENCE_S 2.0 /* what a lost device has not ended by then is taken for ended */
#define SPIN_S 50e-6
#define POLL_NS 50000 /* between looks at a status that is late */

/* What an error means for Moho; codes are those of Metal's own domain only. */
static moho_status meaning(metal_int code, const char *words, const char **hint) {
  static const char domain[] = "MTLCommandBufferErrorDomain ";
  switch (strncmp(words, domain, sizeof domain - 1) == 0 ? code : METAL_ERROR_INTERNAL) {
  case METAL_ERROR_TIMEOUT:
    *hint = "macOS stops work that keeps the GPU from the screen: make launches of at most 0.1 s (smaller tiles)";
    return MOHO_ERROR_DEVICE;
  case METAL_ERROR_PAGE_FAULT:
    *hint = "a kernel read or wrote past its buffers: run with ?check=1, or on cpu";
    return MOHO_ERROR_DEVICE;
  case METAL_ERROR_ACCESS_REVOKED:
  case METAL_ERROR_DEVICE_REMOVED:
    *hint = "start the program anew; shorter launches keep the system from taking the GPU away";
    return MOHO_ERROR_LOST;
  case METAL_ERROR_OUT_OF_MEMORY: *hint = "free buffers, trim the pool, or work in smaller pieces"; return MOHO_ERROR_MEMORY;
  case METAL_ERROR_NOT_PERMITTED: *hint = "the system lets no process in the background use the GPU"; return MOHO_ERROR_DEVICE;
  default: *hint = "run it again; on a Mac also with MTL_DEBUG_LAYER=1"; return MOHO_ERROR_DEVICE;
  }
}

/* The first failure is the ticket's. */
static void ticket_failed(metal_ticket *ticket, moho_status status) {
  if (ticket->outcome.status) return;
  ticket->outcome.status = status;
  ticket->outcome.error = moho_error_take();
}

static void piece_failed(metal_queue *queue, const metal_piece *piece) {
  metal_int code;
  char words[400];
  const char *hint;
  moho_metal_error_text(METAL(commands_error, piece->commands), &code, words, sizeof words);
  moho_status status = meaning(code, words, &hint);
  ticket_failed(piece->ticket, moho_fail_at((moho_place){0}, hint, status, "metal: the command buffer of %s%s failed: %s",
                                            *piece->name ? "kernel " : "transfers", piece->name, words));
  if (status == MOHO_ERROR_LOST) moho_metal_lose(queue->device, words);
}

static void piece_ran(const metal_piece *piece) {
  if (!piece->ticket->timed) return;
  double seconds = METAL(gpu_end, piece->commands) - METAL(gpu_start, piece->commands);
  if (!(seconds > 0)) return;
  moho_outcome *outcome = &piece->ticket->outcome;
  *(piece->has_launches ? &outcome->kernel_seconds : &outcome->transfer_seconds) += seconds;
}

static int is_given_up(metal_device *device) {
  if (!__atomic_load_n(&device->lost, __ATOMIC_ACQUIRE)) return 0;
  return moho_seconds() > device->lost_at + LOST_PATIENCE_S;
}

static void take_oldest(metal_queue *queue) {
  metal_piece *piece = &queue->pieces[queue->first_piece];
  queue->first_piece = (queue->first_piece + 1) % METAL_PIECES_IN_FLIGHT;
  queue->n_pieces--;
  queue->pieces_over = piece->number;
  metal_ticket *ticket = piece->ticket;
  if (!--ticket->pieces_left && ticket->is_complete) ticket->state = METAL_RAN;
  for (size_t i = 0; i < piece->n_events; i++) moho_metal_release(&piece->events[i]);
  moho_metal_release(&piece->commands);
}

void moho_metal_look(metal_queue *queue) {
  while (queue->n_pieces) {
    const metal_piece *piece = &queue->pieces[queue->first_piece];
    metal_uint status = METAL(status, piece->commands);
    if (status == METAL_STATUS_COMPLETED) {
      piece_ran(piece);
    } else if (status == METAL_STATUS_ERROR) {
      piece_failed(queue, piece);
    } else if (is_given_up(queue->device)) {
      ticket_failed(piece->ticket, moho_metal_check_lost(queue->device));
    } else {
      break;
    }
    take_oldest(queue);
  }
  if (METAL(event_value, queue->event) < queue->pieces_over) METAL(event_set, queue->event, queue->pieces_over);
}

static void look_at_all(metal_device *device) {
  pthread_mutex_lock(&device->lock);
  for (metal_queue *queue = device->queues; queue; queue = queue->next) {
    pthread_mutex_lock(&queue->lock);
    moho_metal_look(queue);
    pthread_mutex_unlock(&queue->lock);
  }
  pthread_mutex_unlock(&device->lock);
}

static int is_over(metal_queue *queue, uint64_t number) {
  pthread_mutex_lock(&queue->lock);
  moho_metal_look(queue);
  int over = queue->pieces_over >= number;
  pthread_mutex_unlock(&queue->lock);
  return over;
}

/* The status follows the signal within microseconds: looked for without sleep at first, for short launches. */
static void wait_for_status(metal_queue *queue, uint64_t number) {
  double until = moho_seconds() + SPIN_S;
  do
    if (is_over(queue, number)) return;
  while (moho_seconds() < until);
  nanosleep(&(struct timespec){.tv_nsec = POLL_NS}, NULL);
}

void moho_metal_wait_slice(metal_queue *queue, uint64_t number, double seconds) {
  void *pool = moho_metal_pool_push();
  if (METAL(event_wait, queue->event, number, seconds > 1e-3 ? (uint64_t)(seconds * 1e3) : 1)) wait_for_status(queue, number);
  else if (!is_over(queue, number)) look_at_all(queue->device);
  moho_metal_pool_pop(pool);
}
