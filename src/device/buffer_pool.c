/* buffer_pool.c - how a device allocates: classes for small blocks, best fit for large ones, the longest unused goes first. */
#include "device/buffer_pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/memory.h"

enum { SMALLEST = 256, CLASSES = 25, KINDS = 2 };
#define LARGEST_SMALL ((size_t)1 << 20)
#define LARGE_STEP ((size_t)64 << 10)

/* A list of kept blocks, the last put back first: its memory is the warmest. */
typedef struct kept {
  moho_pool_block *newest;
} kept;

struct moho_pool {
  const moho_backend *backend;
  void *state;
  pthread_mutex_t lock;
  kept small[KINDS][CLASSES];       /* by class: 256, 384, 512, 768 ... 1 MiB */
  kept large[KINDS];                /* few (limit_count), looked through */
  moho_pool_block *newest, *oldest; /* all kept blocks by time */
  size_t asked_bytes;               /* of the blocks that are handed out */
  moho_pool_figures figures;
};

/* Class k holds 256 * 2^(k/2), and half as much again for odd k. */
static size_t class_bytes(size_t k) {
  return ((size_t)SMALLEST << k / 2) * (k % 2 ? 3 : 2) / 2;
}

static size_t class_of(size_t bytes) {
  if (bytes <= SMALLEST) return 0;
  size_t doublings = 63 - (size_t)__builtin_clzll((bytes - 1) / SMALLEST); /* 256 * 2^doublings < bytes <= twice that */
  return 2 * doublings + (bytes <= class_bytes(2 * doublings + 1) ? 1 : 2);
}

size_t moho_pool_round(size_t bytes) {
  if (bytes <= LARGEST_SMALL) return class_bytes(class_of(bytes));
  return bytes > SIZE_MAX - LARGE_STEP ? bytes : moho_round_up(bytes, LARGE_STEP);
}

static kept *list_of(moho_pool *pool, const moho_pool_block *block) {
  size_t bytes = block->block.bytes;
  return bytes <= LARGEST_SMALL ? &pool->small[block->memory][class_of(bytes)] : &pool->large[block->memory];
}

/* ---- what is kept ---- */

static void keep(moho_pool *pool, moho_pool_block *block) {
  kept *list = list_of(pool, block);
  block->previous = NULL;
  block->next = list->newest;
  if (block->next) block->next->previous = block;
  list->newest = block;
  block->used_after = NULL;
  block->used_before = pool->newest;
  if (pool->newest) pool->newest->used_after = block;
  else pool->oldest = block;
  pool->newest = block;
  pool->figures.cached_bytes += block->block.bytes;
  pool->figures.cached_count++;
}

static void unkeep(moho_pool *pool, moho_pool_block *block) {
  if (block->next) block->next->previous = block->previous;
  if (block->previous) block->previous->next = block->next;
  else list_of(pool, block)->newest = block->next;
  if (block->used_before) block->used_before->used_after = block->used_after;
  else pool->oldest = block->used_after;
  if (block->used_after) block->used_after->used_before = block->used_before;
  else pool->newest = block->used_before;
  pool->figures.cached_bytes -= block->block.bytes;
  pool->figures.cached_count--;
}

/* Unlinks the oldest blocks beyond the limits; they are released after the lock was let go (a driver takes its time). */
static moho_pool_block *evict(moho_pool *pool, size_t bytes, size_t count) {
  moho_pool_block *evicted = NULL;
  while (pool->figures.cached_bytes > bytes || pool->figures.cached_count > count) {
    moho_pool_block *block = pool->oldest;
    unkeep(pool, block);
    pool->figures.evictions++;
    block->next = evicted;
    evicted = block;
  }
  return evicted;
}

static void release(moho_pool *pool, moho_pool_block *blocks) {
  for (moho_pool_block *next; blocks; blocks = next) {
    next = blocks->next;
    pool->backend->release(pool->state, &blocks->block);
    free(blocks);
  }
}

/* ---- handing out ---- */

static moho_pool_block *best_fit(const kept *list, size_t bytes) {
  moho_pool_block *best = NULL;
  size_t most = bytes + bytes / 8 < bytes ? SIZE_MAX : bytes + bytes / 8;
  for (moho_pool_block *block = list->newest; block; block = block->next) {
    size_t has = block->block.bytes;
    if (has >= bytes && has <= most && (!best || has < best->block.bytes)) best = block;
  }
  return best;
}

static void hand_out(moho_pool *pool, moho_pool_block *block, size_t asked) {
  moho_pool_figures *figures = &pool->figures;
  block->asked = asked;
  pool->asked_bytes += asked;
  figures->active_bytes += block->block.bytes;
  figures->active_count++;
  if (figures->active_bytes > figures->peak_bytes) figures->peak_bytes = figures->active_bytes;
}

moho_pool_block *moho_pool_take(moho_pool *pool, size_t bytes, moho_memory memory) {
  int is_small = bytes <= LARGEST_SMALL;
  pthread_mutex_lock(&pool->lock);
  moho_pool_block *block = is_small ? pool->small[memory][class_of(bytes)].newest : best_fit(&pool->large[memory], bytes);
  if (block) {
    unkeep(pool, block);
    hand_out(pool, block, bytes);
    pool->figures.hits++;
  }
  pthread_mutex_unlock(&pool->lock);
  return block;
}

moho_status moho_pool_allocate(moho_pool *pool, size_t bytes, moho_memory memory, moho_pool_block **out) {
  moho_pool_block *block = calloc(1, sizeof *block);
  *out = NULL;
  if (!block) return moho_fail(MOHO_ERROR_MEMORY, "buffer: no memory for its description");
  size_t rounded = moho_pool_round(bytes);
  moho_status status = pool->backend->allocate(pool->state, rounded, memory, &block->block);
  if (status) {
    free(block);
    return status;
  }
  block->block.bytes = rounded;
  block->memory = memory;
  pthread_mutex_lock(&pool->lock);
  hand_out(pool, block, bytes);
  pool->figures.misses++;
  pthread_mutex_unlock(&pool->lock);
  *out = block;
  return MOHO_OK;
}

void moho_pool_put(moho_pool *pool, moho_pool_block *block) {
  pthread_mutex_lock(&pool->lock);
  pool->asked_bytes -= block->asked;
  pool->figures.active_bytes -= block->block.bytes;
  pool->figures.active_count--;
  moho_pool_block *evicted = block;
  if (block->block.bytes > pool->figures.limit_bytes) { /* kept, it would drive out all others and then itself */
    block->next = NULL;
    pool->figures.evictions++;
  } else {
    keep(pool, block);
    evicted = evict(pool, pool->figures.limit_bytes, pool->figures.limit_count);
  }
  pthread_mutex_unlock(&pool->lock);
  release(pool, evicted);
}

/* ---- limits and figures ---- */

void moho_pool_limit(moho_pool *pool, size_t bytes, size_t count) {
  pthread_mutex_lock(&pool->lock);
  pool->figures.limit_bytes = bytes;
  pool->figures.limit_count = count;
  moho_pool_block *evicted = evict(pool, bytes, count);
  pthread_mutex_unlock(&pool->lock);
  release(pool, evicted);
}

void moho_pool_trim(moho_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  moho_pool_block *evicted = evict(pool, 0, 0);
  pthread_mutex_unlock(&pool->lock);
  release(pool, evicted);
}

void moho_pool_figures_get(moho_pool *pool, moho_pool_figures *out) {
  pthread_mutex_lock(&pool->lock);
  *out = pool->figures;
  size_t active = pool->figures.active_bytes;
  out->fragmentation = active ? (double)(active - pool->asked_bytes) / (double)active : 0;
  pthread_mutex_unlock(&pool->lock);
}

void moho_pool_figures_reset(moho_pool *pool) {
  pthread_mutex_lock(&pool->lock);
  pool->figures.hits = pool->figures.misses = pool->figures.evictions = 0;
  pool->figures.peak_bytes = pool->figures.active_bytes;
  pthread_mutex_unlock(&pool->lock);
}

moho_status moho_pool_create(const moho_backend *backend, void *state, moho_pool **out) {
  MOHO_TRY(moho_allocate(1, sizeof **out, "pool", out));
  (*out)->backend = backend;
  (*out)->state = state;
  (*out)->figures = (moho_pool_figures){.limit_bytes = MOHO_POOL_LIMIT_BYTES, .limit_count = MOHO_POOL_LIMIT_COUNT};
  pthread_mutex_init(&(*out)->lock, NULL);
  return MOHO_OK;
}

void moho_pool_destroy(moho_pool **pool) {
  if (!*pool) return;
  moho_pool_trim(*pool);
  pthread_mutex_destroy(&(*pool)->lock);
  free(*pool);
  *pool = NULL;
}
