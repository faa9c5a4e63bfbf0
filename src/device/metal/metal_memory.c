/* metal_memory.c - buffers in shared storage: the host and the GPU see the same bytes, so `device` and `host` memory are one.
 *
 * The working set is checked before: Metal itself overcommits, and the machine would swap or stop command buffers later. */
#include <stdlib.h>

#include "base/memory.h"
#include "device/metal/metal_device.h"

enum { LENGTH_MULTIPLE = 16 }; /* blits and vector loads may touch the rest of the last 16 bytes */

static moho_status check_working_set(metal_device *device, size_t bytes) {
  size_t used = METAL(allocated, device->device), set = device->working_set;
  if (!set || (used <= set && bytes <= set - used)) return MOHO_OK;
  char asked[32], free_text[32], all[32];
  return moho_fail_at((moho_place){0}, "free buffers, trim the pool, or work in smaller pieces", MOHO_ERROR_MEMORY,
                      "metal: %s asked, %s free of the working set of %s", moho_bytes_text((double)bytes, asked),
                      moho_bytes_text(used < set ? (double)(set - used) : 0, free_text), moho_bytes_text((double)set, all));
}

moho_status moho_metal_buffer_create(metal_device *device, size_t bytes, metal_id *out) {
  char asked[32], largest[32];
  if (bytes > device->largest_buffer || bytes > SIZE_MAX - LENGTH_MULTIPLE)
    return moho_fail(MOHO_ERROR_MEMORY, "metal: a buffer of %s asked, the largest is %s", moho_bytes_text((double)bytes, asked),
                     moho_bytes_text((double)device->largest_buffer, largest));
  size_t length = moho_round_up(bytes, LENGTH_MULTIPLE);
  MOHO_TRY(check_working_set(device, length));
  metal_id buffer = METAL(new_buffer, device->device, length, METAL_STORAGE_SHARED);
  if (buffer && (METAL(buffer_length, buffer) < length || !METAL(buffer_contents, buffer))) moho_metal_release(&buffer);
  if (!buffer)
    return moho_fail_at((moho_place){0}, "free buffers, trim the pool, or work in smaller pieces", MOHO_ERROR_MEMORY,
                        "metal: the device refused a buffer of %s", moho_bytes_text((double)length, asked));
  *out = buffer;
  return MOHO_OK;
}

moho_status moho_metal_allocate(void *state, size_t bytes, moho_memory memory, moho_block *out) {
  (void)memory;
  metal_device *device = state;
  MOHO_TRY(moho_metal_check_lost(device));
  void *pool = moho_metal_pool_push();
  metal_id buffer = NULL;
  moho_status status = moho_metal_buffer_create(device, bytes, &buffer);
  if (!status) *out = (moho_block){.handle = buffer, .host = METAL(buffer_contents, buffer), .bytes = bytes};
  moho_metal_pool_pop(pool);
  return status;
}

/* No deallocator: the memory stays the caller's. */
static moho_status wrap(metal_device *device, void *host, size_t bytes, moho_block *out) {
  if ((uintptr_t)host % device->page || bytes % device->page || !bytes)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: memory without a copy begins and ends at pages of %zu bytes",
                     device->page);
  if (bytes > device->largest_buffer)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: %zu bytes are more than the largest buffer of %zu", bytes,
                     device->largest_buffer);
  metal_id buffer = METAL(new_buffer_no_copy, device->device, host, bytes, METAL_STORAGE_SHARED, NULL);
  if (!buffer) return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "metal: the device refused memory that is not its own");
  size_t length = METAL(buffer_length, buffer); /* 0 on some virtual machines, where using the buffer would crash */
  if (length != bytes || METAL(buffer_contents, buffer) != host) {
    moho_metal_release(&buffer);
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE,
                     "metal: the device gave a buffer of %zu bytes for %zu that it should use without a copy "
                     "(virtual machines do)",
                     length, bytes);
  }
  *out = (moho_block){.handle = buffer, .host = host, .bytes = bytes};
  return MOHO_OK;
}

moho_status moho_metal_wrap(void *state, void *host, size_t bytes, moho_block *out) {
  metal_device *device = state;
  MOHO_TRY(moho_metal_check_lost(device));
  void *pool = moho_metal_pool_push();
  moho_status status = wrap(device, host, bytes, out);
  moho_metal_pool_pop(pool);
  return status;
}

void moho_metal_free_block(void *state, moho_block *block) {
  (void)state;
  void *pool = moho_metal_pool_push();
  metal_id buffer = block->handle;
  moho_metal_release(&buffer);
  *block = (moho_block){0};
  moho_metal_pool_pop(pool);
}
