/* metal_encode.c - launches, copies and fills encoded; pieces begun, signalled and committed.
 *
 * Every encoder is ended on every path: a command buffer with an open one aborts the program. */
#include "device/metal/metal_encode.h"

#include <stdio.h>
#include <string.h>

#define SLICE_S 0.05
enum { BUILTIN_GROUPS = 4096, BUILTIN_AT_ONCE = 1 << 30, BUILTIN_ALIGNMENT = 16 };

/* ---- pieces ---- */

/* Metal blocks for ever when a queue has too many command buffers: there is always room before one is asked for. */
static void wait_for_room(metal_queue *queue) {
  for (;;) {
    pthread_mutex_lock(&queue->lock);
    moho_metal_look(queue);
    int is_full = queue->n_pieces == METAL_PIECES_IN_FLIGHT;
    uint64_t oldest = is_full ? queue->pieces[queue->first_piece].number : 0;
    pthread_mutex_unlock(&queue->lock);
    if (!is_full) return;
    moho_metal_wait_slice(queue, oldest, SLICE_S);
  }
}

static moho_status begin_piece(metal_encoder *encoder) {
  if (encoder->piece.commands) return MOHO_OK;
  wait_for_room(encoder->queue);
  MOHO_TRY(moho_metal_check_lost(encoder->queue->device));
  encoder->pool = moho_metal_pool_push();
  encoder->piece = (metal_piece){.commands = METAL(command_buffer, encoder->queue->queue), .ticket = encoder->ticket};
  encoder->launches = encoder->has_transfers = 0;
  if (moho_metal_retain(encoder->piece.commands)) return MOHO_OK;
  moho_metal_pool_pop(encoder->pool);
  return moho_fail(MOHO_ERROR_DEVICE, "metal: the device gave no command buffer");
}

static void end_encoders(metal_encoder *encoder) {
  if (encoder->compute) METAL(end_compute, encoder->compute);
  if (encoder->blit) METAL(end_blit, encoder->blit);
  encoder->compute = encoder->blit = NULL;
}

static void commit(metal_encoder *encoder) {
  metal_queue *queue = encoder->queue;
  metal_piece *piece = &encoder->piece;
  piece->has_launches = encoder->launches > 0;
  pthread_mutex_lock(&queue->lock);
  piece->number = ++queue->pieces_made;
  METAL(signal_event, piece->commands, queue->event, piece->number);
  METAL(commit, piece->commands);
  encoder->ticket->last_piece = piece->number;
  encoder->ticket->pieces_left++;
  queue->pieces[(queue->first_piece + queue->n_pieces++) % METAL_PIECES_IN_FLIGHT] = *piece;
  pthread_mutex_unlock(&queue->lock);
  encoder->committed++;
}

moho_status moho_metal_end_piece(metal_encoder *encoder) {
  if (!encoder->piece.commands) return MOHO_OK;
  end_encoders(encoder);
  commit(encoder);
  moho_metal_pool_pop(encoder->pool);
  encoder->piece = (metal_piece){0};
  return MOHO_OK;
}

void moho_metal_drop_piece(metal_encoder *encoder) {
  if (!encoder->piece.commands) return;
  end_encoders(encoder);
  for (size_t i = 0; i < encoder->piece.n_events; i++) moho_metal_release(&encoder->piece.events[i]);
  moho_metal_release(&encoder->piece.commands);
  moho_metal_pool_pop(encoder->pool);
  encoder->piece = (metal_piece){0};
}

/* ---- encoders ---- */

static moho_status use_compute(metal_encoder *encoder) {
  MOHO_TRY(begin_piece(encoder));
  if (encoder->compute) return MOHO_OK;
  end_encoders(encoder);
  encoder->compute = METAL(compute_encoder, encoder->piece.commands);
  return encoder->compute ? MOHO_OK : moho_fail(MOHO_ERROR_DEVICE, "metal: the device gave no compute encoder");
}

static moho_status use_blit(metal_encoder *encoder) {
  MOHO_TRY(begin_piece(encoder));
  if (encoder->blit) return MOHO_OK;
  end_encoders(encoder);
  encoder->blit = METAL(blit_encoder, encoder->piece.commands);
  return encoder->blit ? MOHO_OK : moho_fail(MOHO_ERROR_DEVICE, "metal: the device gave no blit encoder");
}

/* Where time is measured, a piece has launches or transfers. */
static moho_status room_for_launch(metal_encoder *encoder) {
  if ((encoder->ticket->timed && encoder->has_transfers) || encoder->launches == METAL_LAUNCHES_A_PIECE)
    return moho_metal_end_piece(encoder);
  return MOHO_OK;
}

static moho_status room_for_transfer(metal_encoder *encoder) {
  return encoder->ticket->timed && encoder->launches ? moho_metal_end_piece(encoder) : MOHO_OK;
}

/* ---- commands ---- */

moho_status moho_metal_put_launch(metal_encoder *encoder, const moho_command *command) {
  MOHO_TRY(room_for_launch(encoder));
  MOHO_TRY(use_compute(encoder));
  metal_id compute = encoder->compute;
  METAL(set_pipeline, compute, command->pipeline->handle);
  for (uint32_t i = 0; i < command->n_buffers; i++)
    METAL(set_buffer, compute, command->buffers[i].block->handle, command->buffers[i].offset, i);
  if (command->parameter_bytes) METAL(set_bytes, compute, command->parameters, command->parameter_bytes, command->n_buffers);
  if (command->group_memory) METAL(set_group_memory, compute, command->group_memory, 0);
  METAL(dispatch, compute, (metal_size){command->groups[0], command->groups[1] ? command->groups[1] : 1, 1},
        (metal_size){command->lanes, 1, 1});
  if (!encoder->launches++) snprintf(encoder->piece.name, sizeof encoder->piece.name, "%s", command->name);
  return MOHO_OK;
}

static void dispatch_builtin(metal_encoder *encoder, size_t items) {
  size_t lanes = encoder->queue->device->builtin.lanes, groups = (items + lanes - 1) / lanes;
  METAL(dispatch, encoder->compute, (metal_size){groups < BUILTIN_GROUPS ? groups : BUILTIN_GROUPS, 1, 1},
        (metal_size){lanes, 1, 1});
}

/* Offsets of buffers are bound in multiples of 16, the rest is the kernel's. */
static void set_range(metal_encoder *encoder, metal_range range, metal_uint index) {
  METAL(set_buffer, encoder->compute, range.buffer, range.offset / BUILTIN_ALIGNMENT * BUILTIN_ALIGNMENT, index);
}

static moho_status copy_by_kernel(metal_encoder *encoder, metal_range to, metal_range from, size_t bytes) {
  MOHO_TRY(use_compute(encoder));
  METAL(set_pipeline, encoder->compute, encoder->queue->device->builtin.copy_bytes);
  for (size_t done = 0; done < bytes; done += BUILTIN_AT_ONCE) {
    size_t left = bytes - done, now = left < BUILTIN_AT_ONCE ? left : BUILTIN_AT_ONCE;
    metal_range here = {from.buffer, from.offset + done}, there = {to.buffer, to.offset + done};
    uint32_t parameters[3] = {(uint32_t)(here.offset % BUILTIN_ALIGNMENT), (uint32_t)(there.offset % BUILTIN_ALIGNMENT),
                              (uint32_t)now};
    set_range(encoder, here, 0);
    set_range(encoder, there, 1);
    METAL(set_bytes, encoder->compute, parameters, sizeof parameters, 2);
    dispatch_builtin(encoder, now);
  }
  return MOHO_OK;
}

moho_status moho_metal_put_copy(metal_encoder *encoder, metal_range to, metal_range from, size_t bytes) {
  if (!bytes) return MOHO_OK;
  MOHO_TRY(room_for_transfer(encoder));
  if ((to.offset | from.offset | bytes) % METAL_COPY_ALIGNMENT) {
    MOHO_TRY(copy_by_kernel(encoder, to, from, bytes));
  } else {
    MOHO_TRY(use_blit(encoder));
    METAL(copy, encoder->blit, from.buffer, from.offset, to.buffer, to.offset, bytes);
  }
  encoder->has_transfers = 1;
  return MOHO_OK;
}

moho_status moho_metal_put_fill(metal_encoder *encoder, metal_range to, size_t bytes, uint32_t word) {
  if (!bytes) return MOHO_OK;
  MOHO_TRY(room_for_transfer(encoder));
  MOHO_TRY(use_compute(encoder));
  METAL(set_pipeline, encoder->compute, encoder->queue->device->builtin.fill);
  for (size_t done = 0; done < bytes; done += BUILTIN_AT_ONCE) {
    size_t left = bytes - done, now = left < BUILTIN_AT_ONCE ? left : BUILTIN_AT_ONCE;
    uint32_t parameters[2] = {(uint32_t)(now / 4), word};
    METAL(set_buffer, encoder->compute, to.buffer, to.offset + done, 0);
    METAL(set_bytes, encoder->compute, parameters, sizeof parameters, 1);
    dispatch_builtin(encoder, now / 4);
  }
  encoder->has_transfers = 1;
  return MOHO_OK;
}

/* What was recorded before does not wait: it has a piece of its own. Command buffers of a queue run in order, so the pieces
 * after this one wait too. */
moho_status moho_metal_put_wait(metal_encoder *encoder, metal_id event, uint64_t value) {
  metal_piece *piece = &encoder->piece;
  if (encoder->launches || encoder->has_transfers || piece->n_events == METAL_EVENTS_A_PIECE)
    MOHO_TRY(moho_metal_end_piece(encoder));
  MOHO_TRY(begin_piece(encoder));
  METAL(wait_for_event, piece->commands, event, value);
  piece->events[piece->n_events++] = moho_metal_retain(event);
  return MOHO_OK;
}
