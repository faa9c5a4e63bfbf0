/* device_core.h - the four objects of the runtime as its front (device.c, buffer.c, kernel.c, queue.c) sees them.
 *
 * Order of locks, outer first: a queue's lock, moho_device.transfer_lock, then one of: moho_device.lock (lists), the pool's, the
 * meter's, the handles'. No lock is held while a backend waits, but transfer_lock.
 */
#ifndef MOHO_DEVICE_CORE_H
#define MOHO_DEVICE_CORE_H

#include <pthread.h>

#include "device/backend.h"
#include "device/buffer_pool.h"
#include "device/check_mode.h"
#include "device/handle.h"
#include "device/metrics.h"

typedef struct moho_kernel_cache moho_kernel_cache; /* kernel_cache.c */

struct moho_device {
  moho_handle handle;
  const moho_backend *backend;
  void *state; /* the backend's */
  moho_device_report report;
  moho_simd simd;                        /* of the host */
  int check;                             /* "?check=1" */
  int lost;                              /* atomic; lost_error is set before it */
  moho_error lost_error;                 /* the device's own words */
  uint64_t buffers_made;                 /* atomic: numbers of buffers in messages */
  pthread_mutex_t lock;                  /* of objects[], counts[] */
  moho_handle *objects[MOHO_KIND_COUNT]; /* newest first; dead ones that work in flight still holds are among them */
  size_t counts[MOHO_KIND_COUNT];
  moho_pool *pool;
  moho_meter meter;
  moho_kernel_cache *kernels; /* made and used by kernel_cache.c; NULL until the first kernel */
  pthread_mutex_t transfer_lock;
  void *transfer_queue; /* the backend's; of moho_device_transfer(); NULL until the first */
  uint64_t transfer_ticket;
};

struct moho_buffer {
  moho_handle handle;
  size_t bytes;           /* as asked for */
  size_t start;           /* of the buffer in its block: MOHO_GUARD_BYTES under check=1, else 0 */
  moho_pool_block *owned; /* NULL: wrapped */
  moho_block wrapped;     /* the caller's memory */
  const moho_block *block;
  moho_memory memory;
  uint64_t number;  /* in messages: "buffer 3" */
  int mapped;       /* atomic: no launch may use it */
  uint32_t pending; /* atomic: submissions not yet collected that use it (moho_buffer_submitted, moho_buffer_collected) */
};

struct moho_kernel {
  moho_handle handle;
  char name[64];
  moho_signature signature;
  int uses_group;          /* the text says KERNEL_GROUP */
  moho_pipeline *pipeline; /* the cache's */
  double compile_seconds;
  char origin[16];
};

/* ---- device.c ---- */

/* What a call to the backend returned; MOHO_ERROR_LOST marks the device lost with the thread's last error. Returns status. */
moho_status moho_device_seen(moho_device *device, moho_status status);
/* An outcome's error as the thread's; the device is marked lost where it says so. */
moho_status moho_device_outcome(moho_device *device, const moho_outcome *outcome);
/* Open a device of a given backend (tests bring their own). */
moho_status moho_device_open_backend(const moho_backend *backend, const moho_device_uri *uri, const char *reason,
                                     moho_device **out);

/* ---- device_transfer.c ---- */

/* Run commands on the device's own queue and wait: transfers and fills. Does not wait for other queues. */
moho_status moho_device_transfer(moho_device *device, const moho_command *commands, size_t n);

/* ---- buffer.c: for the queue ---- */

/* Where `bytes` from `offset` lie. Checks nothing. */
moho_span moho_buffer_span(const moho_buffer *buffer, size_t offset, size_t bytes);
/* "buffer 3 (4.0 KiB)" for messages; returns text. */
const char *moho_buffer_text(const moho_buffer *buffer, char text[64]);
/* MOHO_OK, or MOHO_ERROR_RANGE for offset + bytes past the end (without overflow) with `what` in the message: "write". */
moho_status moho_buffer_check_range(const moho_buffer *buffer, const char *what, size_t offset, size_t bytes);
/* The buffer is alive (MOHO_ERROR_HANDLE ...), of this device and not mapped (MOHO_ERROR_ARGUMENT); `what` names it in the
 * message: "kernel add, binding 2". */
moho_status moho_buffer_check_use(const moho_buffer *buffer, const moho_device *device, const char *what);
/* Work that is recorded holds a reference each time it names the buffer. Memory returns to the pool with the last. */
void moho_buffer_retain(moho_buffer *buffer);
void moho_buffer_release(moho_buffer *buffer);
/* Around a submission that uses the buffer: the synchronous functions wait while some are pending. */
void moho_buffer_submitted(moho_buffer *buffer);
void moho_buffer_collected(moho_buffer *buffer);
/* Wait while a submission uses it. */
void moho_buffer_settle(const moho_buffer *buffer);

/* ---- buffer_transfer.c ---- */

/* What moho_buffer_copy() and _fill() refuse; the queue's refuse the same. */
moho_status moho_buffer_check_copy(moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset, size_t bytes);
moho_status moho_buffer_check_fill(moho_buffer *buffer, size_t offset, size_t bytes);
/* MOHO_ERROR_ARGUMENT for bytes at NULL; `what` is "write" or "read". */
moho_status moho_buffer_check_host(const char *what, const void *host, size_t bytes);
/* Words of a span := word, by the host where it reaches them. Waits. */
moho_status moho_block_fill(moho_device *device, moho_span span, uint32_t word);

/* ---- queue.c: for the front ---- */

/* Collect, on all queues of the device, what is done already: references to buffers go. Does not wait. */
void moho_queues_collect(moho_device *device);
/* Wait until no submission of any queue uses `buffer` (NULL: until none is left). Errors stay with their tickets. */
void moho_queues_settle(moho_device *device, const moho_buffer *buffer);
/* Device is closing: everything was settled, the handle is dead already. Take the object apart and free its header (the same for
 * kernels). */
void moho_queue_dismantle(moho_queue *queue);
/* ---- kernel.c, kernel_cache.c ---- */

/* Lanes of a group: the most that kernel and device allow; what a launch with lanes 0 has. */
uint32_t moho_kernel_lanes_limit(const moho_kernel *kernel);
uint32_t moho_kernel_preferred_lanes(const moho_kernel *kernel);
/* Lets one reference go, as work in flight holds them; with the last the kernel. */
void moho_kernel_dismantle(moho_kernel *kernel);
void moho_kernel_cache_destroy(moho_device *device);

#endif
