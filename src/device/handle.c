/* handle.c - headers that stay mapped for ever: who still lives is told without touching freed memory. */
#include "device/handle.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "device/device_core.h"

static const uint32_t magics[MOHO_KIND_COUNT] = {0x4d446576u, 0x4d427566u, 0x4d4b6572u, 0x4d517565u};
static const char *const kind_names[MOHO_KIND_COUNT] = {"device", "buffer", "kernel", "queue"};
enum { STATE_DEAD = 0x44656164 };

/* Headers that rest, the longest dead first. Those of check=1 rest for ever: they are in `retired` (so that they stay reachable).
 */
static struct {
  moho_handle *first, *last, *retired;
  size_t count;
} resting[MOHO_KIND_COUNT];
static pthread_mutex_t resting_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- fork ---- */

static uint32_t process_generation;
static pthread_once_t fork_watch = PTHREAD_ONCE_INIT;

/* The lock is held across fork(), so that the child finds the lists whole and can open a device of its own. */
static void before_fork(void) {
  pthread_mutex_lock(&resting_lock);
}

static void after_fork_parent(void) {
  pthread_mutex_unlock(&resting_lock);
}

static void after_fork_child(void) {
  process_generation++;
  pthread_mutex_unlock(&resting_lock);
}

static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

uint32_t moho_process_generation(void) {
  return process_generation;
}

/* ---- life ---- */

static moho_handle *take_rested(moho_kind kind) {
  moho_handle *handle = NULL;
  pthread_mutex_lock(&resting_lock);
  if (resting[kind].count > MOHO_HANDLE_REST) {
    handle = resting[kind].first;
    resting[kind].first = handle->newer;
    resting[kind].count--;
  }
  pthread_mutex_unlock(&resting_lock);
  return handle;
}

static void enlist(moho_device *device, moho_kind kind, moho_handle *handle) {
  pthread_mutex_lock(&device->lock);
  handle->newer = NULL;
  handle->older = device->objects[kind];
  if (handle->older) handle->older->newer = handle;
  device->objects[kind] = handle;
  device->counts[kind]++;
  pthread_mutex_unlock(&device->lock);
}

static void unlist(moho_device *device, moho_kind kind, moho_handle *handle) {
  pthread_mutex_lock(&device->lock);
  if (handle->older) handle->older->newer = handle->newer;
  if (handle->newer) handle->newer->older = handle->older;
  else device->objects[kind] = handle->older;
  device->counts[kind]--;
  pthread_mutex_unlock(&device->lock);
}

moho_status moho_handle_new(moho_kind kind, size_t size, moho_device *device, void *out) {
  pthread_once(&fork_watch, watch_forks);
  moho_handle *handle = take_rested(kind);
  if (!handle && !(handle = calloc(1, size)))
    return moho_fail(MOHO_ERROR_MEMORY, "%s: no memory for its header", kind_names[kind]);
  uint32_t generation = handle->generation + 1;
  memset((char *)handle + sizeof *handle, 0, size - sizeof *handle);
  handle->generation = generation;
  handle->process = process_generation;
  handle->device = device ? device : (moho_device *)(void *)handle;
  handle->older = handle->newer = NULL;
  __atomic_store_n(&handle->references, 1, __ATOMIC_RELAXED);
  if (device) enlist(device, kind, handle);
  __atomic_store_n(&handle->state, magics[kind], __ATOMIC_RELEASE);
  *(void **)out = handle;
  return MOHO_OK;
}

static moho_status dead(moho_kind kind) {
  return moho_fail_at((moho_place){0}, "was it destroyed, or its device closed? open the device with ?check=1 to be sure",
                      MOHO_ERROR_HANDLE, "%s: not a live object", kind_names[kind]);
}

moho_status moho_handle_check_alive(const void *object, moho_kind kind) {
  const moho_handle *handle = object;
  if (!handle) return moho_fail(MOHO_ERROR_ARGUMENT, "%s: got NULL", kind_names[kind]);
  if (__atomic_load_n(&handle->state, __ATOMIC_ACQUIRE) != magics[kind]) return dead(kind);
  if (handle->process != process_generation)
    return moho_fail_at((moho_place){.key = "device"}, "open the device after fork(), in the process that uses it",
                        MOHO_ERROR_DEVICE, "%s: inherited by fork(), a device works only in the process that opened it",
                        kind_names[kind]);
  return MOHO_OK;
}

moho_status moho_handle_check(const void *object, moho_kind kind) {
  MOHO_TRY(moho_handle_check_alive(object, kind));
  const moho_device *device = ((const moho_handle *)object)->device;
  if (!__atomic_load_n(&device->lost, __ATOMIC_ACQUIRE)) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "device"}, "close the device and open it again; data on the host are intact",
                      MOHO_ERROR_LOST, "%s: the device is lost: %s", device->report.uri, device->lost_error.message);
}

moho_status moho_handle_kill(void *object, moho_kind kind) {
  uint32_t alive = magics[kind];
  moho_handle *handle = object;
  if (__atomic_compare_exchange_n(&handle->state, &alive, STATE_DEAD, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) return MOHO_OK;
  return dead(kind);
}

int moho_handle_is_alive(const void *object, moho_kind kind) {
  return __atomic_load_n(&((const moho_handle *)object)->state, __ATOMIC_ACQUIRE) == magics[kind];
}

/* The count of references is no part of what the object means: const objects are held too. */
void moho_handle_retain(const void *object) {
  moho_handle *handle = (moho_handle *)(uintptr_t)object;
  __atomic_fetch_add(&handle->references, 1, __ATOMIC_RELAXED);
}

int moho_handle_release(const void *object) {
  moho_handle *handle = (moho_handle *)(uintptr_t)object;
  return __atomic_sub_fetch(&handle->references, 1, __ATOMIC_ACQ_REL) == 0;
}

void moho_handle_free(void *object, moho_kind kind) {
  moho_handle *handle = object;
  moho_device *device = handle->device;
  int retire = device->check;
  if (kind != MOHO_KIND_DEVICE) unlist(device, kind, handle);
  __atomic_store_n(&handle->state, STATE_DEAD, __ATOMIC_RELEASE);
  pthread_mutex_lock(&resting_lock);
  handle->newer = NULL;
  if (retire) {
    handle->older = resting[kind].retired;
    resting[kind].retired = handle;
  } else {
    if (resting[kind].count++) resting[kind].last->newer = handle;
    else resting[kind].first = handle;
    resting[kind].last = handle;
  }
  pthread_mutex_unlock(&resting_lock);
}
