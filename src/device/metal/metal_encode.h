/* metal_encode.h - commands into the command buffer that is being written, which ends and begins as they need. */
#ifndef MOHO_DEVICE_METAL_ENCODE_H
#define MOHO_DEVICE_METAL_ENCODE_H

#include "device/metal/metal_queue.h"

/* A place in an MTLBuffer. */
typedef struct metal_range {
  metal_id buffer;
  size_t offset;
} metal_range;

typedef struct metal_encoder {
  metal_queue *queue;
  metal_ticket *ticket;
  void *pool;             /* of the piece, so that long submissions keep no finished command buffers */
  metal_piece piece;      /* being written; commands NULL: none */
  metal_id compute, blit; /* the open encoder, one at most */
  int launches, has_transfers;
  int committed; /* pieces */
  double host_seconds;
} metal_encoder;

moho_status moho_metal_put_launch(metal_encoder *encoder, const moho_command *command);
moho_status moho_metal_put_copy(metal_encoder *encoder, metal_range to, metal_range from, size_t bytes);
/* offset and bytes are multiples of 4. */
moho_status moho_metal_put_fill(metal_encoder *encoder, metal_range to, size_t bytes, uint32_t word);
/* What follows begins when the event has reached value. */
moho_status moho_metal_put_wait(metal_encoder *encoder, metal_id event, uint64_t value);

/* Commit what was written; nothing written is fine. Waits while too many pieces are in flight. */
moho_status moho_metal_end_piece(metal_encoder *encoder);
/* Forget it. */
void moho_metal_drop_piece(metal_encoder *encoder);

#endif
