/* kernel_cache.c - compiled kernels of a device, the most recently used first.
 *
 * Kernels compile outside the lock, several at once; who asks for one that is being compiled waits and gets it without
 * compiling it again.
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
  int is_compiling; /* its pipeline is not there yet; never dropped */
  struct entry *next;
} entry;

struct moho_kernel_cache {
  pthread_mutex_t lock;
  pthread_cond_t compiled; /* something was, well or not */
  entry *first;            /* most recently used */
  size_t count;
};

static moho_status cache_of(moho_device *device, moho_kernel_cache **out) {
  pthread_mutex_lock(&device->lock);
  moho_status status = MOHO_OK;
  if (!device->kernels) {
    status = moho_allocate(1, sizeof *device->kernels, "kernel cache", &device->kernels);
    if (!status) pthread_mutex_init(&device->kernels->lock, NULL), pthread_cond_init(&device->kernels->compiled, NULL);
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
      if (!(*at)->users) victim = at; /* what compiles has its first user already */
    if (!victim) return;
    entry *gone = *victim;
    *victim = gone->next;
    cache->count--;
    device->backend->release_pipeline(device->state, &gone->pipeline);
    free(gone);
  }
}

/* The lock is held before and after, not while the backend compiles. After an error the entry is gone. */
static moho_status compile(moho_device *device, moho_kernel_cache *cache, const moho_unit *unit, entry **out, double *seconds) {
  entry *made;
  MOHO_TRY(moho_allocate(1, sizeof *made, "kernel", &made));
  memcpy(made->key, unit->key, sizeof made->key);
  made->users = 1, made->is_compiling = 1;
  put_first(cache, made);
  pthread_mutex_unlock(&cache->lock);
  double began = moho_seconds();
  moho_pipeline pipeline = {0};
  moho_status status = moho_device_seen(device, device->backend->compile(device->state, unit, &pipeline));
  *seconds = moho_seconds() - began + 1e-9; /* never 0, which stands for a hit */
  pthread_mutex_lock(&cache->lock);
  made->pipeline = pipeline;
  made->is_compiling = 0;
  pthread_cond_broadcast(&cache->compiled);
  if (status) {
    free(take_out(cache, unit->key));
    return status;
  }
  cache->count++;
  *out = made;
  return MOHO_OK;
}

/* The entry of this key when its compilation has ended; NULL: there is none. The lock is held. */
static entry *find(moho_kernel_cache *cache, const char *key) {
  for (;;) {
    entry *found = cache->first;
    while (found && strcmp(found->key, key)) found = found->next;
    if (!found || !found->is_compiling) return found;
    pthread_cond_wait(&cache->compiled, &cache->lock); /* it may fail, and be gone */
  }
}

moho_status moho_kernel_cache_get(moho_device *device, const moho_unit *unit, moho_pipeline **out, double *compile_seconds) {
  moho_kernel_cache *cache;
  moho_status status = MOHO_OK;
  *compile_seconds = 0;
  MOHO_TRY(cache_of(device, &cache));
  pthread_mutex_lock(&cache->lock);
  entry *found = find(cache, unit->key);
  int hit = found != NULL;
  if (hit) {
    put_first(cache, take_out(cache, unit->key));
    found->users++;
  } else {
    status = compile(device, cache, unit, &found, compile_seconds);
  }
  if (!status) {
    evict(device, cache);
    *out = &found->pipeline;
    count_lookup(device, hit, hit ? NULL : found, *compile_seconds);
  }
  pthread_mutex_unlock(&cache->lock);
  return status;
}

moho_pipeline *moho_kernel_cache_find(moho_device *device, const char *key) {
  moho_kernel_cache *cache;
  if (cache_of(device, &cache)) return NULL;
  pthread_mutex_lock(&cache->lock);
  entry *found = find(cache, key);
  if (found) {
    put_first(cache, take_out(cache, key));
    found->users++;
    count_lookup(device, 1, NULL, 0);
  }
  pthread_mutex_unlock(&cache->lock);
  return found ? &found->pipeline : NULL;
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
  pthread_cond_destroy(&cache->compiled);
  pthread_mutex_destroy(&cache->lock);
  free(cache);
  device->kernels = NULL;
}
