/* buffer.c - memory of a device: made from the pool, or the caller's own; mapped; given back when the device is done with it. */
#include "moho/buffer.h"

#include <stdio.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/device_core.h"

enum { DEVICE_ADDRESS_ALIGNMENT = 16 }; /* kernels load four words at a time */

/* ---- a block for a buffer ---- */

static moho_status allocate(moho_device *device, size_t bytes, moho_memory memory, moho_pool_block **out) {
  double began = moho_seconds();
  moho_status status = moho_pool_allocate(device->pool, bytes, memory, out);
  moho_metrics *count = moho_metrics_lock(device);
  count->allocations += !status;
  count->allocation_seconds += moho_seconds() - began;
  moho_metrics_unlock(device);
  return status;
}

/* 1: work in flight keeps the memory of buffers that were destroyed. */
static int memory_is_leaving(moho_device *device) {
  int leaving = 0;
  pthread_mutex_lock(&device->lock);
  for (moho_handle *handle = device->objects[MOHO_KIND_BUFFER]; handle && !leaving; handle = handle->older)
    leaving = !moho_handle_is_alive(handle, MOHO_KIND_BUFFER);
  pthread_mutex_unlock(&device->lock);
  return leaving;
}

static moho_status out_of_memory(moho_device *device, size_t bytes, size_t kept) {
  char asked[32], is_free[32], was_kept[32], handed_out[32], words[300];
  moho_device_report report = device->report;
  moho_pool_figures pool;
  snprintf(words, sizeof words, "%.299s", moho_last_error()->message);
  device->backend->refresh(device->state, &report);
  moho_pool_figures_get(device->pool, &pool);
  return moho_fail_at((moho_place){.key = "device"}, "destroy buffers, or work in smaller pieces", MOHO_ERROR_MEMORY,
                      "buffer of %s: the device has %s free; %s were kept for reuse and given back first, buffers hold %s (%s)",
                      moho_bytes_text((double)bytes, asked), moho_bytes_text((double)report.memory_free_bytes, is_free),
                      moho_bytes_text((double)kept, was_kept), moho_bytes_text((double)pool.active_bytes, handed_out), words);
}

/* No memory: what is kept goes first, then what finished work still holds, then what running work will give back. */
static moho_status allocate_hard(moho_device *device, size_t bytes, moho_memory memory, moho_pool_block **out) {
  moho_pool_figures before;
  moho_pool_figures_get(device->pool, &before);
  moho_pool_trim(device->pool);
  moho_status status = allocate(device, bytes, memory, out);
  if (status == MOHO_ERROR_MEMORY && memory_is_leaving(device)) {
    moho_queues_settle(device, NULL);
    moho_pool_trim(device->pool);
    status = allocate(device, bytes, memory, out);
  }
  return status == MOHO_ERROR_MEMORY ? out_of_memory(device, bytes, before.cached_bytes) : status;
}

static moho_status obtain(moho_device *device, size_t bytes, moho_memory memory, moho_pool_block **out) {
  if ((*out = moho_pool_take(device->pool, bytes, memory))) return MOHO_OK;
  moho_queues_collect(device);
  if ((*out = moho_pool_take(device->pool, bytes, memory))) return MOHO_OK;
  moho_status status = allocate(device, bytes, memory, out);
  if (status == MOHO_ERROR_MEMORY) status = allocate_hard(device, bytes, memory, out);
  return moho_device_seen(device, status);
}

/* ---- making ---- */

static moho_status check_size(const moho_device *device, size_t bytes) {
  size_t largest = device->report.largest_buffer;
  char asked[32], most[32];
  if (!largest || largest > SIZE_MAX / 2) largest = SIZE_MAX / 2;
  if (!bytes) return moho_fail(MOHO_ERROR_RANGE, "buffer: got 0 bytes, expected at least 1");
  if (bytes > largest)
    return moho_fail_at((moho_place){0}, "work in smaller pieces", MOHO_ERROR_RANGE,
                        "buffer: got %zu bytes (%s), the largest that %s can make has %zu (%s)", bytes,
                        moho_bytes_text((double)bytes, asked), device->report.uri, largest,
                        moho_bytes_text((double)largest, most));
  return MOHO_OK;
}

static moho_status make_header(moho_device *device, size_t bytes, moho_memory memory, moho_buffer **out) {
  MOHO_TRY(moho_handle_new(MOHO_KIND_BUFFER, sizeof **out, device, out));
  (*out)->bytes = bytes;
  (*out)->memory = memory;
  (*out)->number = __atomic_add_fetch(&device->buffers_made, 1, __ATOMIC_RELAXED);
  return MOHO_OK;
}

moho_status moho_buffer_create(moho_device *device, size_t bytes, moho_memory memory, moho_buffer **out) {
  moho_pool_block *block;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  MOHO_TRY(check_size(device, bytes));
  if (memory != MOHO_MEMORY_DEVICE && memory != MOHO_MEMORY_HOST)
    return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: unknown kind of memory %d, expected MOHO_MEMORY_DEVICE or _HOST", (int)memory);
  MOHO_TRY(obtain(device, device->check ? moho_check_padded(bytes) : bytes, memory, &block));
  moho_buffer *buffer;
  moho_status status = make_header(device, bytes, memory, &buffer);
  if (status) {
    moho_pool_put(device->pool, block);
    return status;
  }
  buffer->owned = block;
  buffer->block = &block->block;
  if (device->check) {
    buffer->start = MOHO_GUARD_BYTES;
    if ((status = moho_check_poison(buffer))) {
      moho_handle_kill(buffer, MOHO_KIND_BUFFER);
      moho_buffer_release(buffer);
      return status;
    }
  }
  *out = buffer;
  return MOHO_OK;
}

static moho_status check_wrap(const moho_device *device, const void *host, size_t bytes) {
  size_t alignment = device->report.wrap_alignment ? device->report.wrap_alignment : 1;
  if (!host) return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: nothing to wrap, got NULL");
  if (!device->report.zero_copy)
    return moho_fail_at((moho_place){.key = "device"}, "create a buffer and write to it", MOHO_ERROR_NOT_AVAILABLE,
                        "buffer: %s cannot use the host's memory without a copy", device->report.uri);
  if ((uintptr_t)host % alignment || bytes % alignment)
    return moho_fail_at((moho_place){0},
                        "take the memory from aligned_alloc() and round its length up, or create a buffer and write to it",
                        MOHO_ERROR_ARGUMENT,
                        "buffer: memory at %p of %zu bytes cannot be wrapped, address and length must be multiples of %zu on %s",
                        host, bytes, alignment, device->report.uri);
  return MOHO_OK;
}

/* The header of memory that is not the pool's. */
static moho_status adopt(moho_device *device, size_t bytes, moho_memory memory, moho_block *block, moho_buffer **out) {
  moho_status status = make_header(device, bytes, memory, out);
  if (status) {
    device->backend->release(device->state, block);
    return status;
  }
  (*out)->wrapped = *block;
  (*out)->block = &(*out)->wrapped;
  return MOHO_OK;
}

moho_status moho_buffer_wrap(moho_device *device, void *host, size_t bytes, moho_buffer **out) {
  moho_block block = {0};
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  MOHO_TRY(check_size(device, bytes));
  MOHO_TRY(check_wrap(device, host, bytes));
  MOHO_TRY(moho_device_seen(device, device->backend->wrap(device->state, host, bytes, &block)));
  return adopt(device, bytes, MOHO_MEMORY_HOST, &block, out);
}

moho_status moho_buffer_wrap_device(moho_device *device, uint64_t address, size_t bytes, moho_buffer **out) {
  moho_block block = {0};
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: nowhere to put it, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  MOHO_TRY(check_size(device, bytes));
  if (!device->backend->wrap_device)
    return moho_fail_at((moho_place){.key = "device"}, "create a buffer and write to it", MOHO_ERROR_NOT_AVAILABLE,
                        "buffer: memory on %s has no address that libraries could pass", device->report.uri);
  if (!address || address % DEVICE_ADDRESS_ALIGNMENT)
    return moho_fail_at((moho_place){0}, "begin at the multiple below and take a view", MOHO_ERROR_ARGUMENT,
                        "buffer: device memory at 0x%llx cannot be wrapped, the address must be a multiple of %d",
                        (unsigned long long)address, (int)DEVICE_ADDRESS_ALIGNMENT);
  MOHO_TRY(moho_device_seen(device, device->backend->wrap_device(device->state, address, bytes, &block)));
  return adopt(device, bytes, MOHO_MEMORY_DEVICE, &block, out);
}

/* ---- letting go ---- */

void moho_buffer_retain(moho_buffer *buffer) {
  moho_handle_retain(buffer);
}

void moho_buffer_release(moho_buffer *buffer) {
  if (!moho_handle_release(buffer)) return;
  moho_device *device = buffer->handle.device;
  if (buffer->owned) moho_pool_put(device->pool, buffer->owned);
  else device->backend->release(device->state, &buffer->wrapped);
  moho_handle_free(buffer, MOHO_KIND_BUFFER);
}

moho_status moho_buffer_destroy(moho_buffer **pointer) {
  if (!pointer || !*pointer) return MOHO_OK;
  moho_buffer *buffer = *pointer;
  *pointer = NULL;
  MOHO_TRY(moho_handle_check_alive(buffer, MOHO_KIND_BUFFER));
  MOHO_TRY(moho_handle_kill(buffer, MOHO_KIND_BUFFER));
  moho_device *device = buffer->handle.device;
  int look = device->check && !__atomic_load_n(&device->lost, __ATOMIC_ACQUIRE);
  moho_status status = look ? moho_check_guards(buffer, "something") : MOHO_OK;
  moho_buffer_release(buffer);
  return status;
}

/* ---- asking ---- */

moho_status moho_buffer_describe(const moho_buffer *buffer, moho_buffer_report *out) {
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "buffer: nowhere to put the report, got NULL");
  *out = (moho_buffer_report){
      .bytes = buffer->bytes, .memory = buffer->memory, .is_wrapped = !buffer->owned, .is_mappable = buffer->block->host != NULL};
  return MOHO_OK;
}

moho_status moho_buffer_locate(moho_buffer *buffer, moho_buffer_place *out) {
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "locate: nowhere to put the place, got NULL");
  *out = (moho_buffer_place){0};
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  MOHO_TRY(moho_buffer_check_use(buffer, buffer->handle.device, "locate"));
  moho_buffer_settle(buffer);
  if (buffer->block->host) out->host = (char *)buffer->block->host + buffer->start;
  if (buffer->block->address) out->device = buffer->block->address + buffer->start;
  return MOHO_OK;
}

size_t moho_buffer_bytes(const moho_buffer *buffer) {
  return moho_handle_check(buffer, MOHO_KIND_BUFFER) ? 0 : buffer->bytes;
}

moho_span moho_buffer_span(const moho_buffer *buffer, size_t offset, size_t bytes) {
  return (moho_span){.block = buffer->block, .offset = buffer->start + offset, .bytes = bytes};
}

const char *moho_buffer_text(const moho_buffer *buffer, char text[64]) {
  char bytes[32];
  snprintf(text, 64, "buffer %llu (%s)", (unsigned long long)buffer->number, moho_bytes_text((double)buffer->bytes, bytes));
  return text;
}

/* ---- what the queue asks ---- */

moho_status moho_buffer_check_range(const moho_buffer *buffer, const char *what, size_t offset, size_t bytes) {
  char text[64];
  if (offset <= buffer->bytes && bytes <= buffer->bytes - offset) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%s: %zu bytes from byte %zu on pass the end of %s, which has %zu", what, bytes, offset,
                   moho_buffer_text(buffer, text), buffer->bytes);
}

moho_status moho_buffer_check_use(const moho_buffer *buffer, const moho_device *device, const char *what) {
  char text[64];
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  if (buffer->handle.device != device)
    return moho_fail(MOHO_ERROR_ARGUMENT, "%s: %s belongs to another device, %s", what, moho_buffer_text(buffer, text),
                     buffer->handle.device->report.uri);
  if (__atomic_load_n(&buffer->mapped, __ATOMIC_SEQ_CST))
    return moho_fail_at((moho_place){0}, "moho_buffer_unmap() first", MOHO_ERROR_ARGUMENT, "%s: %s is mapped by the host", what,
                        moho_buffer_text(buffer, text));
  return MOHO_OK;
}

/* Mapping sets `mapped` and then looks at `pending`, submitting the other way round: in one order for all, so one sees the other.
 */
void moho_buffer_submitted(moho_buffer *buffer) {
  __atomic_fetch_add(&buffer->pending, 1, __ATOMIC_SEQ_CST);
}

void moho_buffer_collected(moho_buffer *buffer) {
  __atomic_fetch_sub(&buffer->pending, 1, __ATOMIC_ACQ_REL);
}

void moho_buffer_settle(const moho_buffer *buffer) {
  if (__atomic_load_n(&buffer->pending, __ATOMIC_SEQ_CST)) moho_queues_settle(buffer->handle.device, buffer);
}

/* ---- the host's view ---- */

moho_status moho_buffer_map(moho_buffer *buffer, moho_map_intent intent, void **out) {
  char text[64];
  int unmapped = 0;
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "map: nowhere to put the address, got NULL");
  *out = NULL;
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  if (intent != MOHO_MAP_READ && intent != MOHO_MAP_WRITE && intent != MOHO_MAP_READ_WRITE)
    return moho_fail(MOHO_ERROR_ARGUMENT, "map: unknown intent %d, expected MOHO_MAP_READ, _WRITE or _READ_WRITE", (int)intent);
  if (!buffer->block->host)
    return moho_fail_at((moho_place){0}, "create it with MOHO_MEMORY_HOST, or use moho_buffer_read() and _write()",
                        MOHO_ERROR_NOT_AVAILABLE, "map: the host does not reach %s, which lies in the device's memory",
                        moho_buffer_text(buffer, text));
  if (!__atomic_compare_exchange_n(&buffer->mapped, &unmapped, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    return moho_fail_at((moho_place){0}, "one at a time: moho_buffer_unmap() first", MOHO_ERROR_ARGUMENT,
                        "map: %s is mapped already", moho_buffer_text(buffer, text));
  moho_buffer_settle(buffer);
  *out = (char *)buffer->block->host + buffer->start;
  return MOHO_OK;
}

moho_status moho_buffer_unmap(moho_buffer *buffer) {
  char text[64];
  int mapped = 1;
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  if (!__atomic_compare_exchange_n(&buffer->mapped, &mapped, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    return moho_fail(MOHO_ERROR_ARGUMENT, "unmap: %s is not mapped", moho_buffer_text(buffer, text));
  return buffer->handle.device->check ? moho_check_guards(buffer, "the host, while it was mapped,") : MOHO_OK;
}
