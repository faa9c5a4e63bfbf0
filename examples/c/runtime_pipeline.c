/* runtime_pipeline.c - work that overlaps: two queues that wait for one another on the device, a function that is called when a
 * ticket is done, and data larger than their buffers.
 *
 *   runtime_pipeline [DEVICE]
 *
 * First by hand, to show how the parts fit; then by moho_stream_run(), which does the same for data of any size; then stopped
 * half-way.
 */
#include <moho/kernels/kern.h>

#include "hypotenuse.k"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#include <moho/queue.h>

#include "example.h"

extern const char moho_text_hypotenuse[];

static const moho_kernel_definition definition = {.name = "hypotenuse",
                                                  .text = moho_text_hypotenuse,
                                                  .c = KERN_C_FUNCTION(hypotenuse),
                                                  .max_lanes = KERN_MAX_LANES(hypotenuse)};

enum { N = 1000003, CHUNK = 100000, CHUNKS = (N + CHUNK - 1) / CHUNK, SLOTS = 2 };
static float xy[2 * N], length[N];

static int count_wrong(void) {
  int wrong = 0;
  for (int i = 0; i < N; i++) wrong += length[i] != sqrtf(fmaf(xy[2 * i], xy[2 * i], xy[2 * i + 1] * xy[2 * i + 1]));
  return wrong;
}

/* Also the function that moho_stream_run() calls: `user` is the kernel. */
static moho_status launch(void *user, moho_queue *queue, moho_buffer *in, moho_buffer *out, size_t first, size_t n) {
  (void)first;
  uint32_t lanes, groups;
  moho_status status = moho_kernel_group_1d(user, n, &lanes, &groups);
  if (status) return status;
  return moho_queue_launch(queue, &(moho_launch){.kernel = user,
                                                 .buffers = (moho_binding[]){{in, 0}, {out, 0}},
                                                 .n_buffers = 2,
                                                 .parameters = &(hypotenuse_parameters){.n = (uint32_t)n},
                                                 .parameter_bytes = sizeof(hypotenuse_parameters),
                                                 .groups = {groups},
                                                 .lanes = lanes});
}

/* Called from a thread of the runtime. */
static void count_done(void *user, moho_ticket ticket, moho_status status) {
  (void)ticket;
  if (status == MOHO_OK) atomic_fetch_add((atomic_int *)user, 1);
}

static int by_hand(moho_device *device, moho_kernel *kernel) {
  moho_queue *up, *work;
  moho_buffer *in[SLOTS], *out[SLOTS];
  moho_ticket sent, computed[SLOTS] = {0}; /* ticket 0 is always done */
  atomic_int done = 0;
  check(moho_queue_create(device, &up));
  check(moho_queue_create(device, &work));
  for (int i = 0; i < SLOTS; i++) {
    check(moho_buffer_create(device, CHUNK * 2 * sizeof(float), MOHO_MEMORY_DEVICE, &in[i]));
    check(moho_buffer_create(device, CHUNK * sizeof(float), MOHO_MEMORY_DEVICE, &out[i]));
  }
  for (int k = 0; k < CHUNKS; k++) {
    int slot = k % SLOTS;
    size_t first = (size_t)k * CHUNK, n = N - first < CHUNK ? N - first : CHUNK;
    check(moho_queue_after(up, work, computed[slot])); /* the slot is read no more: it may be written again */
    check(moho_queue_write(up, in[slot], 0, xy + 2 * first, n * 2 * sizeof(float)));
    check(moho_queue_submit(up, &sent));
    check(moho_queue_after(work, up, sent));
    check(launch(kernel, work, in[slot], out[slot], first, n));
    check(moho_queue_read(work, out[slot], 0, length + first, n * sizeof(float)));
    check(moho_queue_submit(work, &computed[slot]));
    check(moho_queue_on_done(work, computed[slot], count_done, &done));
  }
  /* Everything was handed over; the host is free until it wants the result. A wait that times out changes nothing. */
  int waits = 1;
  moho_status status;
  while ((status = moho_queue_wait(work, computed[(CHUNKS - 1) % SLOTS], 0.01)) == MOHO_ERROR_TIMEOUT) waits++;
  check(status);
  check(moho_queue_destroy(&work)); /* and no function of it is called any more */
  check(moho_queue_destroy(&up));
  for (int i = 0; i < SLOTS; i++) check(moho_buffer_destroy(&in[i])), check(moho_buffer_destroy(&out[i]));
  int wrong = count_wrong();
  printf("by hand: %d of %d chunks done after %d wait%s of 10 ms, %d wrong\n", done, CHUNKS, waits, waits == 1 ? "" : "s", wrong);
  return wrong + (done != CHUNKS);
}

/* Called between chunks from this thread; anything but 0 stops the stream. */
static int stop_after(void *user, const moho_progress *progress) {
  return progress->done >= *(const double *)user * progress->total;
}

static int by_stream(moho_device *device, moho_kernel *kernel) {
  double share = 2, half = 0.5;
  moho_stream_options stream = {.from = xy,
                                .to = length,
                                .n_items = N,
                                .item_in_bytes = 2 * sizeof(float),
                                .item_out_bytes = sizeof(float),
                                .chunk_items = CHUNK,
                                .record = launch,
                                .user = kernel,
                                .progress = stop_after,
                                .progress_user = &share};
  memset(length, 0, sizeof length);
  check(moho_stream_run(device, &stream));
  int wrong = count_wrong();
  printf("by moho_stream_run: %d items through %d chunks of %d, %d wrong\n", N, SLOTS, CHUNK, wrong);

  stream.progress_user = &half;
  moho_status status = moho_stream_run(device, &stream);
  printf("stopped half-way: %s, \"%s\"\n", moho_status_name(status), moho_last_error()->message);
  return wrong + (status != MOHO_ERROR_INTERRUPTED);
}

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  moho_kernel *kernel;
  check(moho_kernel_register(&definition));
  check(moho_kernel_create(device, &(moho_kernel_options){.name = "hypotenuse"}, &kernel));
  for (int i = 0; i < 2 * N; i++) xy[i] = 0.001f * (float)(i % 9973);
  int wrong = by_hand(device, kernel) + by_stream(device, kernel);
  check(moho_kernel_destroy(&kernel));
  check(moho_device_close(&device));
  return wrong != 0;
}
