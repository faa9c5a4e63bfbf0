/* queue.h - work for a device, in order, without waiting.
 *
 *   record launches, copies, writes, reads;  submit -> ticket;  wait(ticket)
 *
 * A queue is one timeline: tickets count its submissions 1, 2, 3 ...; done, wait, after, on_done are views of it. Commands of
 * a queue run in the order recorded; several queues overlap. Parameters are copied when recorded; host memory of write and
 * read must stay until the ticket is done, buffers are kept alive by the queue.
 *
 * Errors: a wrong argument is refused when recorded and changes nothing. What fails on the device belongs to the ticket that
 * failed: every wait for it returns its status and words, also later; submissions after it go on unless the device is lost, and
 * so does what comes after() it on other queues. Nothing is lost: a failure that nobody asked for is told by destroy.
 * One thread records into a queue at a time; done and wait may be called from any.
 */
#ifndef MOHO_QUEUE_H
#define MOHO_QUEUE_H

#include "moho/buffer.h"
#include "moho/kernel.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_queue moho_queue;
typedef uint64_t moho_ticket; /* of one queue; 0: nothing, always done */

enum { MOHO_LAUNCH_BUFFERS = 30, MOHO_LAUNCH_PARAMETER_BYTES = 4096 };

typedef struct moho_binding {
  moho_buffer *buffer;
  size_t offset; /* bytes, a multiple of 16 */
} moho_binding;

typedef struct moho_launch {
  const moho_kernel *kernel;
  const moho_binding *buffers; /* [n_buffers] in the order of the text's indices */
  size_t n_buffers;
  const void *parameters; /* the PARAM struct, its index is n_buffers; NULL: none */
  size_t parameter_bytes; /* <= 4096, a multiple of 4 */
  uint32_t groups[2];     /* whole groups; groups[1] 0 counts as 1 */
  uint32_t lanes;         /* of a group; 0: moho_kernel_group_1d's */
  size_t group_memory;    /* bytes of the KERNEL_GROUP block, a multiple of 16 */
} moho_launch;

MOHO_API moho_status moho_queue_create(moho_device *device, moho_queue **out);
/** Waits for what was submitted and for the functions of moho_queue_on_done(); discards what was only recorded. NULL is fine;
 * leaves NULL. @return MOHO_OK; the error of the first failed ticket that nobody waited for (the queue is gone all the same; not
 * where the device is lost); MOHO_ERROR_ARGUMENT from a function that the queue itself calls (it stays). */
MOHO_API moho_status moho_queue_destroy(moho_queue **queue);

/* ---- record ---- */

/** @return MOHO_OK; MOHO_ERROR_RANGE (too many lanes for kernel or device, grid of 0 or beyond the device's limit, group memory);
 *  MOHO_ERROR_ARGUMENT (a buffer missing, mapped, of another device); MOHO_ERROR_HANDLE. */
MOHO_API moho_status moho_queue_launch(moho_queue *queue, const moho_launch *launch);
MOHO_API moho_status moho_queue_write(moho_queue *queue, moho_buffer *to, size_t offset, const void *from, size_t bytes);
/** Where `to` is plain memory cuda completes the read before moho_queue_submit() returns: the driver copies so. To have it
 * overlap, copy into a buffer of MOHO_MEMORY_HOST and read that when the ticket is done. */
MOHO_API moho_status moho_queue_read(moho_queue *queue, moho_buffer *from, size_t offset, void *to, size_t bytes);
MOHO_API moho_status moho_queue_copy(moho_queue *queue, moho_buffer *to, size_t to_offset, moho_buffer *from, size_t from_offset,
                                     size_t bytes);
MOHO_API moho_status moho_queue_fill(moho_queue *queue, moho_buffer *buffer, size_t offset, size_t bytes, uint32_t word);
/** What is recorded from here on begins when `ticket` of the other queue (of the same device) is done, well or not: its error is
 *  known by waiting for it. */
MOHO_API moho_status moho_queue_after(moho_queue *queue, moho_queue *other, moho_ticket ticket);
/** Forget what was recorded and not submitted. */
MOHO_API moho_status moho_queue_discard(moho_queue *queue);

/* ---- the timeline ---- */

/** Hand over what was recorded; nothing recorded gives the last ticket. @return MOHO_ERROR_ARGUMENT (a buffer was mapped
 *  meanwhile), MOHO_ERROR_DEVICE, MOHO_ERROR_LOST: nothing was submitted, it is recorded still. */
MOHO_API moho_status moho_queue_submit(moho_queue *queue, moho_ticket *ticket);
/** @param timeout_s  < 0: for ever. @return MOHO_OK; MOHO_ERROR_TIMEOUT (nothing changed: wait again); the ticket's own error. */
MOHO_API moho_status moho_queue_wait(moho_queue *queue, moho_ticket ticket, double timeout_s);
/** 1: done, well or not; 0: not yet. */
MOHO_API int moho_queue_done(moho_queue *queue, moho_ticket ticket);
/** Called once, from a thread of the runtime, when the ticket is done; it may record and submit on other queues, not wait. Where
 *  the status is not MOHO_OK moho_last_error() has the ticket's words. */
typedef void (*moho_done_function)(void *user, moho_ticket ticket, moho_status status);
MOHO_API moho_status moho_queue_on_done(moho_queue *queue, moho_ticket ticket, moho_done_function function, void *user);

/* ---- its own clock ---- */

/** Measure this queue's submissions from here on, whether the device's metrics are on or not. */
MOHO_API moho_status moho_queue_measure(moho_queue *queue, int on);
/** Seconds of launches and of transfers on the device, of the tickets that were waited for or seen done while measured. */
MOHO_API moho_status moho_queue_seconds(moho_queue *queue, double *kernel_seconds, double *transfer_seconds);

/* ---- data of any size through two fixed chunks ---- */

/* Upload, compute and download overlap: while chunk k runs, k+1 goes up and k-1 comes down. */
typedef struct moho_stream_options {
  const void *from; /* [n_items, item_in_bytes] on the host */
  void *to;         /* [n_items, item_out_bytes] on the host */
  size_t n_items, item_in_bytes, item_out_bytes;
  size_t chunk_items; /* 0: about 16 MiB */
  /* Record the launch that turns `in` into `out` for items first .. first+n-1; they lie at the buffers' beginning. A buffer is
   * NULL where its item has 0 bytes. What it returns, unless MOHO_OK, ends the stream and is its result. */
  moho_status (*record)(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n);
  void *user;
  moho_progress_function progress; /* between chunks; non-zero stops with MOHO_ERROR_INTERRUPTED */
  void *progress_user;
} moho_stream_options;
/** @return MOHO_OK: all items are in `to`; MOHO_ERROR_INTERRUPTED: those that progress was told of are; any other error: some may
 * be. No object of it is left. Cost: memory for two chunks each way (twice that where device memory is apart). */
MOHO_API moho_status moho_stream_run(moho_device *device, const moho_stream_options *options);

#ifdef __cplusplus
}
#endif
#endif
