/* buffer.h - memory of a device.
 *
 * MOHO_MEMORY_DEVICE is where kernels are fastest; MOHO_MEMORY_HOST is memory that both sides reach: pinned on cuda, shared on
 * metal (the same as device memory there), plain memory on the cpu. All buffers come from the device's pool. Fresh contents
 * are undefined ("?check=1": NaN).
 *
 * The functions here are synchronous: they wait for what queues still do with the buffer. In a queue: moho_queue_write ...
 * A destroyed buffer's memory lives until the device is done with it. Using a destroyed buffer is MOHO_ERROR_HANDLE.
 */
#ifndef MOHO_BUFFER_H
#define MOHO_BUFFER_H

#include "moho/device.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_buffer moho_buffer;

typedef enum { MOHO_MEMORY_DEVICE, MOHO_MEMORY_HOST } moho_memory;
typedef enum { MOHO_MAP_READ, MOHO_MAP_WRITE, MOHO_MAP_READ_WRITE } moho_map_intent;

typedef struct moho_buffer_report {
  size_t bytes;
  moho_memory memory;
  int is_wrapped;  /* the caller's memory */
  int is_mappable; /* moho_buffer_map() works */
} moho_buffer_report;

/** @return MOHO_OK; MOHO_ERROR_RANGE (0 bytes, or more than the largest buffer: says how many); MOHO_ERROR_MEMORY (with the
 *  device's free bytes). Cost: below a microsecond when the pool has a block. */
MOHO_API moho_status moho_buffer_create(moho_device *device, size_t bytes, moho_memory memory, moho_buffer **out);

/** BORROW the caller's memory without a copy; it must stay until the buffer is destroyed and the device is done. Address and
 *  length must be multiples of the report's wrap_alignment. @return MOHO_ERROR_ARGUMENT with the reason where they are not,
 *  MOHO_ERROR_NOT_AVAILABLE where the device cannot: nothing is copied silently. */
MOHO_API moho_status moho_buffer_wrap(moho_device *device, void *host, size_t bytes, moho_buffer **out);

/** BORROW memory that another library of this process has on this device, without a copy. @param address  a CUdeviceptr on cuda,
 *  the pointer on the cpu; a multiple of 16. Waits for what that library handed to cuda's default stream: what it does on other
 *  streams it must have ordered before (DLPack: __dlpack__(stream=1)). @return MOHO_ERROR_ARGUMENT (not memory of this device,
 * not aligned), MOHO_ERROR_NOT_AVAILABLE (metal: its libraries pass objects, not addresses). */
MOHO_API moho_status moho_buffer_wrap_device(moho_device *device, uint64_t address, size_t bytes, moho_buffer **out);

/** NULL is fine; leaves NULL. @return MOHO_ERROR_HANDLE for a buffer destroyed before (under check=1 always noticed). */
MOHO_API moho_status moho_buffer_destroy(moho_buffer **buffer);

MOHO_API moho_status moho_buffer_describe(const moho_buffer *buffer, moho_buffer_report *out);
MOHO_API size_t moho_buffer_bytes(const moho_buffer *buffer); /* 0: not a live buffer */

/* Where a buffer lies, for other libraries of this process. */
typedef struct moho_buffer_place {
  void *host;      /* its first byte as the host reaches it; NULL: the host does not */
  uint64_t device; /* the same for the device's own libraries: a CUdeviceptr, the pointer on the cpu; 0: metal has no addresses */
} moho_buffer_place;
/** Waits for what queues still do with the buffer. Its place stays until it is destroyed. Unlike moho_buffer_map() this keeps
 *  nothing away: that those who use the place and Moho's own work take turns is up to the caller. */
MOHO_API moho_status moho_buffer_locate(moho_buffer *buffer, moho_buffer_place *out);

/** Copy host -> buffer and buffer -> host. @return MOHO_ERROR_RANGE when offset + bytes passes the end. */
MOHO_API moho_status moho_buffer_write(moho_buffer *buffer, size_t offset, const void *from, size_t bytes);
MOHO_API moho_status moho_buffer_read(moho_buffer *buffer, size_t offset, void *to, size_t bytes);
/** Buffer -> buffer of one device; ranges of one buffer must not overlap. */
MOHO_API moho_status moho_buffer_copy(moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset, size_t bytes);
/** Every 4-byte word of the range := word; offset and bytes multiples of 4. */
MOHO_API moho_status moho_buffer_fill(moho_buffer *buffer, size_t offset, size_t bytes, uint32_t word);

/** The host's view of MOHO_MEMORY_HOST (and of any buffer where memory is unified); one at a time. Waits for what queues do
 *  with the buffer; no launch may use it until unmapped. @return MOHO_ERROR_NOT_AVAILABLE for device memory. */
MOHO_API moho_status moho_buffer_map(moho_buffer *buffer, moho_map_intent intent, void **out);
MOHO_API moho_status moho_buffer_unmap(moho_buffer *buffer);

#ifdef __cplusplus
}
#endif
#endif
