/* metal_staging.c - the shared memory through which writes and reads pass in the queue's order. A few buffers are kept. */
#include "device/metal/metal_queue.h"

enum { SMALLEST = 64 << 10, LARGEST_KEPT = 64 << 20 };

static int fits(const metal_staging *kept, size_t bytes) {
  return kept->buffer && kept->bytes >= bytes && kept->bytes / 4 <= bytes + SMALLEST;
}

moho_status moho_metal_staging_take(metal_queue *queue, size_t bytes, metal_staging *out) {
  pthread_mutex_lock(&queue->lock);
  metal_staging *best = NULL;
  for (int i = 0; i < METAL_STAGING_KEPT; i++) {
    metal_staging *kept = &queue->kept[i];
    if (fits(kept, bytes) && (!best || kept->bytes < best->bytes)) best = kept;
  }
  *out = best ? *best : (metal_staging){0};
  if (best) *best = (metal_staging){0};
  pthread_mutex_unlock(&queue->lock);
  if (out->buffer) return MOHO_OK;
  size_t rounded = bytes < SMALLEST ? SMALLEST : bytes; /* small ones serve one another */
  MOHO_TRY(moho_metal_buffer_create(queue->device, rounded, &out->buffer));
  *out = (metal_staging){out->buffer, METAL(buffer_contents, out->buffer), rounded};
  return MOHO_OK;
}

/* With the queue's lock held. The smallest goes when there is no place. */
void moho_metal_staging_give(metal_queue *queue, metal_staging *staging) {
  metal_staging *place = &queue->kept[0];
  for (int i = 1; i < METAL_STAGING_KEPT; i++)
    if (queue->kept[i].bytes < place->bytes) place = &queue->kept[i];
  metal_staging gone = *staging;
  if (staging->bytes <= LARGEST_KEPT && staging->bytes >= place->bytes) {
    gone = *place;
    *place = *staging;
  }
  moho_metal_release(&gone.buffer);
  *staging = (metal_staging){0};
}

void moho_metal_staging_free(metal_queue *queue) {
  for (int i = 0; i < METAL_STAGING_KEPT; i++) moho_metal_release(&queue->kept[i].buffer);
}
