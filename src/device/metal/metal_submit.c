/* metal_submit.c - a submission as command buffers: what goes into which, the bytes of writes, commit.
 *
 * Nothing is committed before the first piece is whole: a failure until then undoes the submission. Later ones (the device
 * gives no command buffer or encoder any more) belong to the ticket. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/metal/metal_encode.h"

/* ---- staging ---- */

/* What a read copies so that a blit may: whole words around the bytes. */
static moho_span whole_words(moho_span from, size_t bytes) {
  size_t begin = from.offset / METAL_COPY_ALIGNMENT * METAL_COPY_ALIGNMENT;
  size_t end = moho_round_up(from.offset + bytes, METAL_COPY_ALIGNMENT);
  return (moho_span){from.block, begin, end - begin};
}

static size_t staging_bytes(const moho_command *command) {
  if (command->kind == MOHO_COMMAND_WRITE) return moho_round_up(command->bytes, 16);
  if (command->kind == MOHO_COMMAND_READ) return moho_round_up(whole_words(command->from, command->bytes).bytes, 16);
  return 0;
}

static moho_status prepare_staging(metal_queue *queue, const moho_submission *submission, metal_ticket *ticket) {
  size_t bytes = 0, reads = 0;
  for (size_t i = 0; i < submission->n_commands; i++) {
    size_t more = staging_bytes(&submission->commands[i]);
    if (more > SIZE_MAX - bytes) return moho_fail(MOHO_ERROR_RANGE, "metal: more bytes in one submission than can be counted");
    bytes += more;
    reads += submission->commands[i].kind == MOHO_COMMAND_READ;
  }
  if (reads) MOHO_TRY(moho_allocate(reads, sizeof *ticket->reads, "reads of a submission", &ticket->reads));
  return bytes ? moho_metal_staging_take(queue, bytes, &ticket->staging) : MOHO_OK;
}

/* ---- commands ---- */

static moho_status put_write(metal_encoder *encoder, const moho_command *command, size_t at) {
  metal_ticket *ticket = encoder->ticket;
  double begin = moho_seconds();
  memcpy(ticket->staging.host + at, command->host, command->bytes);
  if (ticket->timed) encoder->host_seconds += moho_seconds() - begin;
  metal_range to = {command->to.block->handle, command->to.offset}, from = {ticket->staging.buffer, at};
  return moho_metal_put_copy(encoder, to, from, command->bytes);
}

static moho_status put_read(metal_encoder *encoder, const moho_command *command, size_t at) {
  metal_ticket *ticket = encoder->ticket;
  moho_span words = whole_words(command->from, command->bytes);
  metal_range to = {ticket->staging.buffer, at}, from = {words.block->handle, words.offset};
  MOHO_TRY(moho_metal_put_copy(encoder, to, from, words.bytes));
  ticket->reads[ticket->n_reads++] = (metal_read){at + command->from.offset - words.offset, command->host, command->bytes};
  return MOHO_OK;
}

/* The piece of the other queue that ends its ticket; 0: done already. */
static uint64_t last_piece_of(metal_queue *other, uint64_t number) {
  pthread_mutex_lock(&other->lock);
  metal_ticket *ticket = moho_metal_find_ticket(other, number);
  uint64_t piece = ticket && ticket->state == METAL_RUNNING ? ticket->last_piece : 0;
  pthread_mutex_unlock(&other->lock);
  return piece;
}

static moho_status put_after(metal_encoder *encoder, const moho_command *command) {
  metal_queue *other = command->other_queue;
  if (other == encoder->queue) return MOHO_OK; /* a queue is in order */
  uint64_t piece = last_piece_of(other, command->other_ticket);
  return piece ? moho_metal_put_wait(encoder, other->event, piece) : MOHO_OK;
}

static moho_status put_command(metal_encoder *encoder, const moho_command *command, size_t *staged) {
  size_t at = *staged;
  *staged += staging_bytes(command);
  switch (command->kind) {
  case MOHO_COMMAND_LAUNCH: return moho_metal_put_launch(encoder, command);
  case MOHO_COMMAND_WRITE: return put_write(encoder, command, at);
  case MOHO_COMMAND_READ: return put_read(encoder, command, at);
  case MOHO_COMMAND_COPY:
    return moho_metal_put_copy(encoder, (metal_range){command->to.block->handle, command->to.offset},
                               (metal_range){command->from.block->handle, command->from.offset}, command->bytes);
  case MOHO_COMMAND_FILL:
    return moho_metal_put_fill(encoder, (metal_range){command->to.block->handle, command->to.offset}, command->bytes,
                               command->word);
  case MOHO_COMMAND_AFTER: return put_after(encoder, command);
  }
  return moho_fail(MOHO_ERROR_INTERNAL, "metal: no command of kind %d", (int)command->kind);
}

/* ---- the ticket ---- */

static void list_ticket(metal_queue *queue, metal_ticket *ticket) {
  pthread_mutex_lock(&queue->lock);
  if (queue->newest) queue->newest->next = ticket;
  else queue->oldest = ticket;
  queue->newest = ticket;
  pthread_mutex_unlock(&queue->lock);
}

/* The last in the list, as the queue has one submitter. */
static void unlist_ticket(metal_queue *queue, metal_ticket *ticket) {
  pthread_mutex_lock(&queue->lock);
  metal_ticket **link = &queue->oldest, *before = NULL;
  while (*link != ticket) {
    before = *link;
    link = &before->next;
  }
  *link = NULL;
  queue->newest = before;
  if (ticket->staging.buffer) moho_metal_staging_give(queue, &ticket->staging);
  pthread_mutex_unlock(&queue->lock);
  free(ticket->reads);
  free(ticket);
}

static moho_status encode(metal_encoder *encoder, const moho_submission *submission) {
  size_t staged = 0;
  for (size_t i = 0; i < submission->n_commands; i++) MOHO_TRY(put_command(encoder, &submission->commands[i], &staged));
  return moho_metal_end_piece(encoder);
}

static void complete(metal_queue *queue, const metal_encoder *encoder, moho_status status) {
  metal_ticket *ticket = encoder->ticket;
  pthread_mutex_lock(&queue->lock);
  if (status && !ticket->outcome.status) {
    ticket->outcome.status = status;
    ticket->outcome.error = moho_error_take();
  }
  ticket->outcome.transfer_seconds += encoder->host_seconds;
  ticket->is_complete = 1;
  if (!ticket->pieces_left) ticket->state = METAL_RAN;
  pthread_mutex_unlock(&queue->lock);
}

static moho_status submit(metal_queue *queue, const moho_submission *submission) {
  metal_ticket *ticket;
  MOHO_TRY(moho_allocate(1, sizeof *ticket, "submission", &ticket));
  ticket->number = submission->ticket;
  ticket->timed = submission->timed;
  list_ticket(queue, ticket);
  metal_encoder encoder = {.queue = queue, .ticket = ticket};
  moho_status status = prepare_staging(queue, submission, ticket);
  if (!status) status = encode(&encoder, submission);
  if (status) moho_metal_drop_piece(&encoder);
  if (status && !encoder.committed) {
    unlist_ticket(queue, ticket);
    return status;
  }
  complete(queue, &encoder, status);
  return MOHO_OK;
}

moho_status moho_metal_submit(void *state, const moho_submission *submission) {
  metal_queue *queue = state;
  MOHO_TRY(moho_metal_check_lost(queue->device));
  void *pool = moho_metal_pool_push();
  moho_status status = submit(queue, submission);
  moho_metal_pool_pop(pool);
  return status;
}
