/* test_in_use.c - buffers that queues are still busy with: the host waits for them, their memory stays, closing tells of them;
 * and what the checking mode says of real launches. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "far_backend.h"
#include "kernels/kern.h"
#include "kernels/measure.k"

extern const char moho_text_measure[];
static const moho_kernel_definition definition = {.name = "measure_fma",
                                                  .text = moho_text_measure,
                                                  .c = KERN_C_FUNCTION(measure_fma),
                                                  .max_lanes = KERN_MAX_LANES(measure_fma)};

enum { LANES_OF_GROUP = 64, GROUPS = 4, N = LANES_OF_GROUP * GROUPS };

typedef struct bench {
  moho_device *device;
  moho_queue *queue;
  moho_kernel *kernel;
} bench;

static bench begin(const char *options) {
  bench b = {.device = test_device_open(options)};
  (void)measure_nothing_as_c;
  assert_ok(moho_kernel_register(&definition));
  assert_ok(moho_queue_create(b.device, &b.queue));
  assert_ok(moho_kernel_create(b.device, &(moho_kernel_options){.name = "measure_fma"}, &b.kernel));
  return b;
}

static void end(bench *b) {
  assert_ok(moho_queue_destroy(&b->queue));
  assert_ok(moho_kernel_destroy(&b->kernel));
  test_device_close(&b->device);
}

/* x := a*x + b, so often that the host comes too early unless it waits; a = 0: the result is 8 b. */
static void record(bench *b, moho_buffer *out, uint32_t rounds, float a, float add) {
  moho_binding binding = {out, 0};
  measure_parameters p = {rounds, a, add, 0};
  assert_ok(moho_queue_launch(b->queue, &(moho_launch){.kernel = b->kernel,
                                                       .buffers = &binding,
                                                       .n_buffers = 1,
                                                       .parameters = &p,
                                                       .parameter_bytes = sizeof p,
                                                       .groups = {GROUPS, 1},
                                                       .lanes = LANES_OF_GROUP}));
}

static moho_buffer *create(bench *b, size_t bytes, moho_memory memory) {
  moho_buffer *buffer;
  assert_ok(moho_buffer_create(b->device, bytes, memory, &buffer));
  return buffer;
}

enum { SLOW = 20000 };

static void the_host_waits(void **state) {
  (void)state;
  bench b = begin("");
  moho_buffer *out = create(&b, 4 * N, MOHO_MEMORY_HOST), *copy = create(&b, 4 * N, MOHO_MEMORY_DEVICE);
  moho_ticket ticket;
  float got[N];
  void *view;
  for (int way = 0; way < 5; way++) {
    assert_ok(moho_buffer_fill(out, 0, 4 * N, 0));
    record(&b, out, SLOW, 0, (float)(way + 1));
    assert_ok(moho_queue_submit(b.queue, &ticket));
    float expected = 8 * (float)(way + 1);
    switch (way) {
    case 0: assert_ok(moho_buffer_read(out, 0, got, sizeof got)); break;
    case 1:
      assert_ok(moho_buffer_map(out, MOHO_MAP_READ, &view));
      memcpy(got, view, sizeof got);
      assert_ok(moho_buffer_unmap(out));
      break;
    case 2:
      assert_ok(moho_buffer_copy(copy, 0, out, 0, 4 * N));
      assert_ok(moho_buffer_read(copy, 0, got, sizeof got));
      break;
    case 3: /* written and filled after the launch, not before */
      assert_ok(moho_buffer_write(out, 0, &(float){-1}, 4));
      assert_ok(moho_queue_wait(b.queue, ticket, -1));
      assert_ok(moho_buffer_read(out, 0, got, sizeof got));
      assert_true(got[0] == -1);
      got[0] = expected;
      break;
    default:
      assert_ok(moho_buffer_fill(out, 4, 4, 0));
      assert_ok(moho_queue_wait(b.queue, ticket, -1));
      assert_ok(moho_buffer_read(out, 0, got, sizeof got));
      assert_true(got[1] == 0);
      got[1] = expected;
    }
    for (size_t i = 0; i < N; i++) assert_true(got[i] == expected);
  }
  assert_ok(moho_buffer_destroy(&out));
  assert_ok(moho_buffer_destroy(&copy));
  end(&b);
}

/* Destroyed while a launch writes to it: its memory is nobody else's until the launch is done. */
static void destroyed_in_use(void **state) {
  (void)state;
  bench b = begin("");
  moho_metrics metrics;
  moho_ticket ticket;
  float got[N], want[N];
  moho_buffer *out = create(&b, 4 * N, MOHO_MEMORY_DEVICE), *next;
  for (size_t i = 0; i < N; i++) want[i] = (float)i;
  record(&b, out, SLOW, 0, 1);
  assert_ok(moho_queue_submit(b.queue, &ticket));
  assert_ok(moho_buffer_destroy(&out));
  next = create(&b, 4 * N, MOHO_MEMORY_DEVICE);
  assert_ok(moho_buffer_write(next, 0, want, sizeof want));
  assert_ok(moho_queue_wait(b.queue, ticket, -1));
  assert_ok(moho_buffer_read(next, 0, got, sizeof got));
  assert_memory_equal(got, want, sizeof want);
  record(&b, next, 1, 0, 1); /* recorded only: held too */
  assert_ok(moho_buffer_destroy(&next));
  assert_ok(moho_device_metrics_get(b.device, &metrics));
  assert_int_equal(metrics.pool.active_count, 1);
  assert_ok(moho_queue_discard(b.queue));
  assert_ok(moho_device_metrics_get(b.device, &metrics));
  assert_int_equal(metrics.pool.active_count, 0);
  end(&b);
}

/* The host has it: neither recorded nor handed over. */
static void mapped_buffers_are_refused(void **state) {
  (void)state;
  bench b = begin("");
  moho_buffer *out = create(&b, 4 * N, MOHO_MEMORY_HOST);
  moho_ticket ticket;
  void *view;
  uint32_t word;
  record(&b, out, 1, 0, 1);
  assert_ok(moho_buffer_map(out, MOHO_MAP_WRITE, &view));
  assert_fails(moho_queue_submit(b.queue, &ticket), MOHO_ERROR_ARGUMENT, "mapped");
  assert_fails(moho_queue_read(b.queue, out, 0, &word, 4), MOHO_ERROR_ARGUMENT, "mapped");
  assert_ok(moho_buffer_unmap(out));
  assert_ok(moho_queue_discard(b.queue));
  assert_ok(moho_buffer_destroy(&out));
  end(&b);
}

static void closing_tells_of_all(void **state) {
  (void)state;
  bench b = begin("");
  moho_buffer *out = create(&b, 4 * N, MOHO_MEMORY_DEVICE);
  moho_ticket ticket;
  record(&b, out, SLOW, 0, 1);
  assert_ok(moho_queue_submit(b.queue, &ticket)); /* runs */
  record(&b, out, 1, 0, 1);                       /* never handed over */
  assert_fails(moho_device_close(&b.device), MOHO_ERROR_HANDLE,
               "1 buffer (the first of 1.0 KiB), 1 kernel and 1 queue were left");
  assert_fails(moho_queue_submit(b.queue, &ticket), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_queue_destroy(&b.queue), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_kernel_destroy(&b.kernel), MOHO_ERROR_HANDLE, "not a live object");
  assert_fails(moho_buffer_destroy(&out), MOHO_ERROR_HANDLE, "not a live object");
}

/* No memory, but work in flight holds that of destroyed buffers: it is waited for. */
static void memory_that_is_leaving(void **state) {
  (void)state;
  const size_t MiB = (size_t)1 << 20;
  far_reset();
  far.memory = 100 * MiB;
  moho_device *device = far_open(0);
  moho_queue *queue;
  moho_buffer *buffer, *next;
  moho_ticket ticket;
  void *data = calloc(1, 60 * MiB);
  assert_ok(moho_queue_create(device, &queue));
  assert_ok(moho_buffer_create(device, 60 * MiB, MOHO_MEMORY_DEVICE, &buffer));
  for (int i = 0; i < 4; i++) assert_ok(moho_queue_write(queue, buffer, 0, data, 60 * MiB));
  assert_ok(moho_queue_submit(queue, &ticket));
  assert_ok(moho_buffer_destroy(&buffer));
  assert_ok(moho_buffer_create(device, 80 * MiB, MOHO_MEMORY_DEVICE, &next));
  assert_int_equal(far.held, 80 * MiB);
  assert_ok(moho_buffer_destroy(&next));
  assert_ok(moho_queue_destroy(&queue));
  assert_ok(moho_device_close(&device));
  free(data);
}

/* ---- the checking mode ---- */

static void a_launch_beyond_the_end(void **state) {
  (void)state;
  bench b = begin("?check=1");
  moho_buffer *out = create(&b, 4 * (N - 3), MOHO_MEMORY_DEVICE);
  moho_ticket ticket;
  record(&b, out, 1, 0, 1);
  assert_ok(moho_queue_submit(b.queue, &ticket));
  for (int again = 0; again < 2; again++) /* the error is the ticket's, also later */
    assert_fails(
        moho_queue_wait(b.queue, ticket, -1), MOHO_ERROR_DEVICE,
        "kernel measure_fma, binding 0 (out), wrote past the end of buffer 1 (1012 bytes): 12 bytes changed, the first at "
        "byte 1012");
  assert_ok(moho_buffer_destroy(&out));
  end(&b);
}

static void a_launch_that_leaves_nan(void **state) {
  (void)state;
  bench b = begin("?check=1");
  moho_buffer *out = create(&b, 4 * N, MOHO_MEMORY_DEVICE);
  moho_ticket ticket;
  float got;
  record(&b, out, 1, 0, 1);
  assert_ok(moho_queue_submit(b.queue, &ticket));
  assert_ok(moho_queue_wait(b.queue, ticket, -1));
  record(&b, out, 1, NAN, 1);
  assert_ok(moho_queue_submit(b.queue, &ticket));
  assert_fails(moho_queue_wait(b.queue, ticket, -1), MOHO_ERROR_DEVICE,
               "kernel measure_fma left NaN in buffer 1 (1.0 KiB), binding 0 (out): 256 of 256 floats, the first at 0");
  record(&b, out, 1, 0, 2); /* the queue goes on */
  assert_ok(moho_queue_submit(b.queue, &ticket));
  assert_ok(moho_queue_wait(b.queue, ticket, -1));
  assert_ok(moho_buffer_read(out, 0, &got, 4));
  assert_true(got == 16);
  assert_ok(moho_buffer_destroy(&out));
  end(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_host_waits),
      cmocka_unit_test(destroyed_in_use),
      cmocka_unit_test(mapped_buffers_are_refused),
      cmocka_unit_test(closing_tells_of_all),
      cmocka_unit_test(memory_that_is_leaving),
      cmocka_unit_test(a_launch_beyond_the_end),
      cmocka_unit_test(a_launch_that_leaves_nan),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
