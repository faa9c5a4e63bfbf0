/* buffer_pool.h - how a device allocates: blocks that were given back are kept for the next one that asks.
 *
 * Small requests (<= 1 MiB) are rounded up to a class (256 x 2^k and 256 x 1.5 x 2^k); large ones are served by the smallest
 * kept block that wastes no more than an eighth. What is kept is bounded in bytes and in number; the longest unused goes
 * first. One pool a device, device and host memory apart in it. Any thread.
 */
#ifndef MOHO_DEVICE_BUFFER_POOL_H
#define MOHO_DEVICE_BUFFER_POOL_H

#include "device/backend.h"

#define MOHO_POOL_LIMIT_BYTES ((size_t)256 << 20)
#define MOHO_POOL_LIMIT_COUNT ((size_t)64)

typedef struct moho_pool moho_pool;

/* A block of the pool; its moho_block stays where it is while the block is handed out. */
typedef struct moho_pool_block {
  moho_block block; /* block.bytes >= asked */
  size_t asked;
  moho_memory memory;
  struct moho_pool_block *used_after, *used_before; /* of those that are kept: by time */
  struct moho_pool_block *next, *previous;          /* of those that are kept: of one class */
} moho_pool_block;

moho_status moho_pool_create(const moho_backend *backend, void *state, moho_pool **out);
/* Everything was put back; releases it all. */
void moho_pool_destroy(moho_pool **pool);

/* A kept block or NULL: no allocation, below a microsecond. */
moho_pool_block *moho_pool_take(moho_pool *pool, size_t bytes, moho_memory memory);
/* A fresh block from the backend: its error is passed on, nothing is trimmed. */
moho_status moho_pool_allocate(moho_pool *pool, size_t bytes, moho_memory memory, moho_pool_block **out);
/* The device is done with it. */
void moho_pool_put(moho_pool *pool, moho_pool_block *block);

void moho_pool_limit(moho_pool *pool, size_t bytes, size_t count);
void moho_pool_trim(moho_pool *pool);
void moho_pool_figures_get(moho_pool *pool, moho_pool_figures *out);
/* Hits, misses and evictions := 0, peak := active. */
void moho_pool_figures_reset(moho_pool *pool);

/* Bytes of the block that a request gets when nothing is kept. */
size_t moho_pool_round(size_t bytes);

#endif
