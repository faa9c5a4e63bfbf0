/* kernel_cache.c - compiled kernels of a device, the most recently used first.
 *
 * The cache's lock is held while a kernel compiles: who asks for the same one meanwhile gets it without compiling it again.
 */
#include "device/kernel_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"

typedef struct entry {
  moho_pipeline pipeline; /* first: kernels hold a pointer to it */
  char key[65];
  uint32_t users;
  struct entry *next;
} entry;

struct moho_kernel_cache {
  pthread_mutex_t lock;
  entry *first; /* most recently used */
  size_t count;
};

static moho_status cache_of(moho_device *device, moho_kernel_cache **out) {
  pthread_mutex_lock(&device->lock);
  moho_status status = MOHO_OK;
  if (!device->kernels) {
    status = moho_allocate(1, sizeof *device->kernels, "kernel cache", &device->kernels);
    if (!status) pthread_mutex_init(&device->kernels->lock, NULL);
  }
  *out = device->kernels;
  pthread_mutex_unlock(&device->lock);
  return status;
}

static void count_lookup(moho_device *device, int hit, const entry *made, double seconds) {
  moho_metrics *count = moho_metrics_lock(device);
  count->cache_hits += (uint64_t)hit;
  if (made) {
    int from_disk = strcmp(made->pipeline.origin, "disk") == 0;
    count->cache_disk_hits += (uint64_t)from_disk;
    count->cache_misses += (uint64_t)!from_disk;
    count->compile_seconds += seconds;
  }
  moho_metrics_unlock(device);
}

static entry *take_out(moho_kernel_cache *cache, const char *key) {
  for (entry **at = &cache->first; *at; at = &(*at)->next)
    if (strcmp((*at)->key, key) == 0) {
      entry *found = *at;
      *at = found->next;
      return found;
    }
  return NULL;
}

static void put_first(moho_kernel_cache *cache, entry *used) {
  used->next = cache->first;
  cache->first = used;
}

/* The last in the list that nobody uses. */
static void evict(moho_device *device, moho_kernel_cache *cache) {
  while (cache->count > MOHO_KERNEL_CACHE_LIMIT) {
    entry **victim = NULL;
    for (entry **at = &cache->first; *at; at = &(*at)->next)
      if (!(*at)->users) victim = at;
    if (!victim) return;
    entry *gone = *victim;
    *victim = gone->next;
    cache->count--;
    device->backend->release_pipeline(device->state, &gone->pipeline);
    free(gone);
  }
}

static moho_status compile(moho_device *device, const moho_unit *unit, entry **out, double *seconds) {
  entry *made;
  MOHO_TRY(moho_allocate(1, sizeof *made, "kernel", &made));
  double began = moho_seconds();
  moho_status status = moho_device_seen(device, device->backend->compile(device->state, unit, &made->pipeline));
  *seconds = moho_seconds() - began + 1e-9; /* never 0, which stands for a hit */
  if (status) {
    free(made);
    return status;
  }
  memcpy(made->key, unit->key, sizeof made->key);
  *out = made;
  return MOHO_OK;
}

moho_status moho_kernel_cache_get(moho_device *device, const moho_unit *unit, moho_pipeline **out, double *compile_seconds) {
  moho_kernel_cache *cache;
  moho_status status = MOHO_OK;
  *compile_seconds = 0;
  MOHO_TRY(cache_of(device, &cache));
  pthread_mutex_lock(&cache->lock);
  entry *found = take_out(cache, unit->key);
  int hit = found != NULL;
  if (!hit) {
    status = compile(device, unit, &found, compile_seconds);
    if (!status) cache->count++;
  }
  if (!status) {
    put_first(cache, found);
    found->users++;
    evict(device, cache);
    *out = &found->pipeline;
    count_lookup(device, hit, hit ? NULL : found, *compile_seconds);
  }
  pthread_mutex_unlock(&cache->lock);
  return status;
}

void moho_kernel_cache_put(moho_device *device, moho_pipeline *pipeline) {
  moho_kernel_cache *cache = device->kernels;
  pthread_mutex_lock(&cache->lock);
  ((entry *)(void *)pipeline)->users--;
  evict(device, cache);
  pthread_mutex_unlock(&cache->lock);
}

void moho_kernel_cache_destroy(moho_device *device) {
  moho_kernel_cache *cache = device->kernels;
  if (!cache) return;
  for (entry *at = cache->first, *next; at; at = next) {
    next = at->next;
    device->backend->release_pipeline(device->state, &at->pipeline);
    free(at);
  }
  pthread_mutex_destroy(&cache->lock);
  free(cache);
  device->kernels = NULL;
}
