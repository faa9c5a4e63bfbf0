/* stream.c - data of any size through two fixed chunks: while chunk k runs, k+1 goes up and k-1 comes down.
 *
 * The host copies between the caller's memory and memory that both sides reach (MOHO_MEMORY_HOST), so that the device's own
 * transfers need not wait for pages. Where memory is unified kernels work in it directly; else chunks go on to device memory
 * and back by two more queues.
 */
#include <string.h>

#include "base/timer.h"
#include "device/device_core.h"

enum { SLOTS = 2 };
#define CHUNK_BYTES ((size_t)16 << 20)

/* One of the two chunks; on a device with memory of its own kernels use far_in and far_out, the host reaches near_in and
 * near_out. */
typedef struct stream_slot {
  moho_buffer *near_in, *near_out, *far_in, *far_out;
  moho_ticket up, computed, down;
} stream_slot;

typedef struct stream_work {
  moho_device *device;
  const moho_stream_options *options;
  int unified;
  size_t chunk_items, n_chunks;
  moho_queue *up, *compute, *down; /* up and down: not where memory is unified */
  stream_slot slots[SLOTS];
  double began;
} stream_work;

/* ---- making ---- */

static moho_status check(const moho_stream_options *options) {
  if (!options || !options->record) return moho_fail(MOHO_ERROR_ARGUMENT, "stream: no function that records the launches");
  size_t in_bytes, out_bytes;
  if (__builtin_mul_overflow(options->n_items, options->item_in_bytes, &in_bytes) ||
      __builtin_mul_overflow(options->n_items, options->item_out_bytes, &out_bytes))
    return moho_fail(MOHO_ERROR_RANGE, "stream: %zu items of %zu and %zu bytes are more than memory can have", options->n_items,
                     options->item_in_bytes, options->item_out_bytes);
  if ((in_bytes && !options->from) || (out_bytes && !options->to))
    return moho_fail(MOHO_ERROR_ARGUMENT, "stream: %zu bytes %s NULL", in_bytes && !options->from ? in_bytes : out_bytes,
                     in_bytes && !options->from ? "from" : "to");
  if (!options->item_in_bytes && !options->item_out_bytes)
    return moho_fail(MOHO_ERROR_ARGUMENT, "stream: items have 0 bytes in and out");
  return MOHO_OK;
}

static size_t chunk_of(const moho_stream_options *options) {
  size_t item = options->item_in_bytes > options->item_out_bytes ? options->item_in_bytes : options->item_out_bytes;
  size_t items = options->chunk_items ? options->chunk_items : CHUNK_BYTES / item;
  if (items > options->n_items) items = options->n_items;
  return items ? items : 1;
}

static moho_status make_buffer(stream_work *stream, size_t item_bytes, moho_memory memory, moho_buffer **out) {
  if (!item_bytes) return MOHO_OK;
  return moho_buffer_create(stream->device, stream->chunk_items * item_bytes, memory, out);
}

static moho_status make_slot(stream_work *stream, stream_slot *slot) {
  size_t in_bytes = stream->options->item_in_bytes, out_bytes = stream->options->item_out_bytes;
  MOHO_TRY(make_buffer(stream, in_bytes, MOHO_MEMORY_HOST, &slot->near_in));
  MOHO_TRY(make_buffer(stream, out_bytes, MOHO_MEMORY_HOST, &slot->near_out));
  if (stream->unified) return MOHO_OK;
  MOHO_TRY(make_buffer(stream, in_bytes, MOHO_MEMORY_DEVICE, &slot->far_in));
  return make_buffer(stream, out_bytes, MOHO_MEMORY_DEVICE, &slot->far_out);
}

static moho_status make(stream_work *stream) {
  size_t slots = stream->n_chunks < SLOTS ? stream->n_chunks : SLOTS;
  MOHO_TRY(moho_queue_create(stream->device, &stream->compute));
  if (!stream->unified) {
    MOHO_TRY(moho_queue_create(stream->device, &stream->up));
    MOHO_TRY(moho_queue_create(stream->device, &stream->down));
  }
  for (size_t i = 0; i < slots; i++) MOHO_TRY(make_slot(stream, &stream->slots[i]));
  return MOHO_OK;
}

/* Queues first: they wait for what still uses the buffers. */
static void take_apart(stream_work *stream) {
  moho_queue_destroy(&stream->up);
  moho_queue_destroy(&stream->compute);
  moho_queue_destroy(&stream->down);
  for (int i = 0; i < SLOTS; i++) {
    stream_slot *slot = &stream->slots[i];
    moho_buffer_destroy(&slot->near_in);
    moho_buffer_destroy(&slot->near_out);
    moho_buffer_destroy(&slot->far_in);
    moho_buffer_destroy(&slot->far_out);
  }
}

/* ---- a chunk's way: fill, send up, compute, drain ---- */

static stream_slot *slot_of(stream_work *stream, size_t k) {
  return &stream->slots[k % SLOTS];
}

static size_t items_of(const stream_work *stream, size_t k) {
  size_t left = stream->options->n_items - k * stream->chunk_items;
  return left < stream->chunk_items ? left : stream->chunk_items;
}

/* The slot's chunk went up and was computed, well: an error of either stays with its own ticket. */
static moho_status computed(stream_work *stream, const stream_slot *slot) {
  if (slot->far_in) MOHO_TRY(moho_queue_wait(stream->up, slot->up, -1));
  return moho_queue_wait(stream->compute, slot->computed, -1);
}

/* The caller's items into the slot, when the chunk before has been computed from it. */
static moho_status fill(stream_work *stream, size_t k) {
  const moho_stream_options *options = stream->options;
  stream_slot *slot = slot_of(stream, k);
  size_t item = options->item_in_bytes;
  MOHO_TRY(computed(stream, slot));
  if (!item) return MOHO_OK;
  return moho_buffer_write(slot->near_in, 0, (const char *)options->from + k * stream->chunk_items * item,
                           items_of(stream, k) * item);
}

static moho_status send_up(stream_work *stream, size_t k) {
  stream_slot *slot = slot_of(stream, k);
  if (!slot->far_in) return MOHO_OK;
  MOHO_TRY(moho_queue_copy(stream->up, slot->far_in, 0, slot->near_in, 0, items_of(stream, k) * stream->options->item_in_bytes));
  MOHO_TRY(moho_queue_submit(stream->up, &slot->up));
  return moho_queue_after(stream->compute, stream->up, slot->up);
}

/* The caller's function may fail for a reason of its own: then the thread's last error is not its. */
static moho_status record_failed(moho_status status, size_t first, size_t n) {
  if (moho_last_error()->code == status) return status;
  return moho_fail(status, "stream: the function that records the work of items %zu to %zu returned %d", first, first + n - 1,
                   status);
}

/* And send down. What the slot held before has been drained. */
static moho_status compute(stream_work *stream, size_t k) {
  const moho_stream_options *options = stream->options;
  stream_slot *slot = slot_of(stream, k);
  moho_buffer *in = stream->unified ? slot->near_in : slot->far_in, *out = stream->unified ? slot->near_out : slot->far_out;
  size_t first = k * stream->chunk_items, n = items_of(stream, k);
  moho_status status = options->record(options->user, stream->compute, in, out, first, n);
  if (status) return record_failed(status, first, n);
  MOHO_TRY(moho_queue_submit(stream->compute, &slot->computed));
  if (!slot->far_out) return MOHO_OK;
  MOHO_TRY(moho_queue_after(stream->down, stream->compute, slot->computed));
  MOHO_TRY(moho_queue_copy(stream->down, slot->near_out, 0, slot->far_out, 0, items_of(stream, k) * options->item_out_bytes));
  return moho_queue_submit(stream->down, &slot->down);
}

static moho_status report(const stream_work *stream, size_t done) {
  const moho_stream_options *options = stream->options;
  moho_progress progress = {.stage = "streaming",
                            .unit = "items",
                            .done = (double)done,
                            .total = (double)options->n_items,
                            .seconds = moho_seconds() - stream->began};
  if (options->progress && options->progress(options->progress_user, &progress))
    return moho_fail(MOHO_ERROR_INTERRUPTED, "stream: stopped after %zu of %zu items", done, options->n_items);
  return MOHO_OK;
}

/* The computed slot's results to the caller. */
static moho_status drain(stream_work *stream, size_t k) {
  const moho_stream_options *options = stream->options;
  stream_slot *slot = slot_of(stream, k);
  size_t item = options->item_out_bytes, n = items_of(stream, k);
  if (slot->far_out) MOHO_TRY(moho_queue_wait(stream->down, slot->down, -1));
  if (item) MOHO_TRY(moho_buffer_read(slot->near_out, 0, (char *)options->to + k * stream->chunk_items * item, n * item));
  return report(stream, k * stream->chunk_items + n);
}

static moho_status run(stream_work *stream) {
  MOHO_TRY(make(stream));
  for (size_t k = 0; k < stream->n_chunks; k++) {
    MOHO_TRY(fill(stream, k));
    MOHO_TRY(send_up(stream, k));
    if (k >= SLOTS) MOHO_TRY(drain(stream, k - SLOTS));
    MOHO_TRY(compute(stream, k));
  }
  for (size_t k = stream->n_chunks < SLOTS ? 0 : stream->n_chunks - SLOTS; k < stream->n_chunks; k++) {
    MOHO_TRY(computed(stream, slot_of(stream, k)));
    MOHO_TRY(drain(stream, k));
  }
  return MOHO_OK;
}

moho_status moho_stream_run(moho_device *device, const moho_stream_options *options) {
  MOHO_TRY(moho_handle_check(device, MOHO_KIND_DEVICE));
  MOHO_TRY(check(options));
  if (!options->n_items) return MOHO_OK;
  stream_work stream = {.device = device,
                        .options = options,
                        .unified = device->report.unified_memory,
                        .chunk_items = chunk_of(options),
                        .began = moho_seconds()};
  stream.n_chunks = (options->n_items - 1) / stream.chunk_items + 1;
  moho_status status = run(&stream);
  moho_error error = *moho_last_error();
  take_apart(&stream);
  return status ? moho_error_set(&error) : MOHO_OK;
}
