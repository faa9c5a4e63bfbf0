/* buffer_transfer.c - write, read, copy and fill that wait: for what queues still do with the buffer, then for themselves.
 *
 * Memory that the host reaches is copied by the host, the rest by the device's own queue.
 */
#include <string.h>

#include "base/timer.h"
#include "device/device_core.h"

typedef enum { TO_DEVICE, TO_HOST, ON_DEVICE } direction;

static char *host_of(const moho_buffer *buffer, size_t offset) {
  return (char *)buffer->block->host + buffer->start + offset;
}

static double now_if_timed(const moho_device *device) {
  return moho_metrics_timed(device) ? moho_seconds() : 0;
}

/* began 0: the seconds were counted elsewhere, or not at all. */
static void count_bytes(moho_device *device, direction way, size_t bytes, double began) {
  moho_metrics *count = moho_metrics_lock(device);
  if (way == TO_DEVICE) count->bytes_to_device += bytes;
  if (way == TO_HOST) count->bytes_to_host += bytes;
  if (way == ON_DEVICE) count->bytes_on_device += bytes;
  if (began > 0) count->transfer_seconds += moho_seconds() - began;
  moho_metrics_unlock(device);
}

static moho_status run(moho_device *device, const moho_command *command, direction way) {
  MOHO_TRY(moho_device_transfer(device, command, 1));
  count_bytes(device, way, command->bytes, 0);
  return MOHO_OK;
}

static moho_status check(const moho_buffer *buffer, const char *what, size_t offset, size_t bytes) {
  MOHO_TRY(moho_handle_check(buffer, MOHO_KIND_BUFFER));
  MOHO_TRY(moho_buffer_check_use(buffer, buffer->handle.device, what));
  return moho_buffer_check_range(buffer, what, offset, bytes);
}

moho_status moho_buffer_check_host(const char *what, const void *host, size_t bytes) {
  return host || !bytes ? MOHO_OK : moho_fail(MOHO_ERROR_ARGUMENT, "%s: got NULL for the host's memory", what);
}

moho_status moho_buffer_write(moho_buffer *buffer, size_t offset, const void *from, size_t bytes) {
  MOHO_TRY(check(buffer, "write", offset, bytes));
  MOHO_TRY(moho_buffer_check_host("write", from, bytes));
  if (!bytes) return MOHO_OK;
  moho_device *device = buffer->handle.device;
  moho_buffer_settle(buffer);
  double began = now_if_timed(device);
  if (!buffer->block->host)
    return run(device,
               &(moho_command){.kind = MOHO_COMMAND_WRITE,
                               .name = "write",
                               .to = moho_buffer_span(buffer, offset, bytes),
                               .host = (void *)(uintptr_t)from,
                               .bytes = bytes},
               TO_DEVICE);
  memcpy(host_of(buffer, offset), from, bytes);
  count_bytes(device, TO_DEVICE, bytes, began);
  return MOHO_OK;
}

moho_status moho_buffer_read(moho_buffer *buffer, size_t offset, void *to, size_t bytes) {
  MOHO_TRY(check(buffer, "read", offset, bytes));
  MOHO_TRY(moho_buffer_check_host("read", to, bytes));
  if (!bytes) return MOHO_OK;
  moho_device *device = buffer->handle.device;
  moho_buffer_settle(buffer);
  double began = now_if_timed(device);
  if (!buffer->block->host)
    return run(device,
               &(moho_command){.kind = MOHO_COMMAND_READ,
                               .name = "read",
                               .from = moho_buffer_span(buffer, offset, bytes),
                               .host = to,
                               .bytes = bytes},
               TO_HOST);
  memcpy(to, host_of(buffer, offset), bytes);
  count_bytes(device, TO_HOST, bytes, began);
  return MOHO_OK;
}

/* Ranges were checked: the sums do not overflow. */
static moho_status check_apart(const moho_buffer *to, size_t to_offset, const moho_buffer *from, size_t from_offset,
                               size_t bytes) {
  if (to != from || to_offset + bytes <= from_offset || from_offset + bytes <= to_offset || !bytes) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "copy by way of another buffer", MOHO_ERROR_RANGE,
                      "copy: %zu bytes from byte %zu and to byte %zu of one buffer overlap", bytes, from_offset, to_offset);
}

moho_status moho_buffer_check_copy(moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset, size_t bytes) {
  MOHO_TRY(check(to, "copy", to_offset, bytes));
  MOHO_TRY(check(from, "copy", from_offset, bytes));
  MOHO_TRY(moho_buffer_check_use(from, to->handle.device, "copy"));
  return check_apart(to, to_offset, from, from_offset, bytes);
}

moho_status moho_buffer_copy(moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset, size_t bytes) {
  MOHO_TRY(moho_buffer_check_copy(to, to_offset, from, from_offset, bytes));
  if (!bytes) return MOHO_OK;
  moho_device *device = to->handle.device;
  moho_buffer_settle(to);
  moho_buffer_settle(from);
  double began = now_if_timed(device);
  if (!to->block->host || !from->block->host)
    return run(device,
               &(moho_command){.kind = MOHO_COMMAND_COPY,
                               .name = "copy",
                               .to = moho_buffer_span(to, to_offset, bytes),
                               .from = moho_buffer_span(from, from_offset, bytes),
                               .bytes = bytes},
               ON_DEVICE);
  memcpy(host_of(to, to_offset), host_of(from, from_offset), bytes);
  count_bytes(device, ON_DEVICE, bytes, began);
  return MOHO_OK;
}

moho_status moho_buffer_check_fill(moho_buffer *buffer, size_t offset, size_t bytes) {
  MOHO_TRY(check(buffer, "fill", offset, bytes));
  if (offset % 4 || bytes % 4)
    return moho_fail(MOHO_ERROR_ARGUMENT, "fill: offset %zu and length %zu must be multiples of 4: words are filled", offset,
                     bytes);
  return MOHO_OK;
}

moho_status moho_block_fill(moho_device *device, moho_span span, uint32_t word) {
  if (!span.block->host)
    return moho_device_transfer(
        device, &(moho_command){.kind = MOHO_COMMAND_FILL, .name = "fill", .to = span, .bytes = span.bytes, .word = word}, 1);
  uint32_t *words = (uint32_t *)(void *)((char *)span.block->host + span.offset);
  for (size_t i = 0; i < span.bytes / 4; i++) words[i] = word;
  return MOHO_OK;
}

moho_status moho_buffer_fill(moho_buffer *buffer, size_t offset, size_t bytes, uint32_t word) {
  MOHO_TRY(moho_buffer_check_fill(buffer, offset, bytes));
  if (!bytes) return MOHO_OK;
  moho_device *device = buffer->handle.device;
  moho_buffer_settle(buffer);
  double began = buffer->block->host ? now_if_timed(device) : 0;
  MOHO_TRY(moho_block_fill(device, moho_buffer_span(buffer, offset, bytes), word));
  count_bytes(device, ON_DEVICE, bytes, began);
  return MOHO_OK;
}
