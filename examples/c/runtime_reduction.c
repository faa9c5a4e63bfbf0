/* runtime_reduction.c - a sum of many numbers: group memory, SIMD groups, two levels in one submission.
 *
 *   runtime_reduction [DEVICE]
 *
 * No atomics: the order of the additions is fixed, so the sum has the same bits each time. The second launch reads what the
 * first one wrote: commands of a queue run in order, the host does not wait in between.
 */
#include <moho/kernels/kern.h>

#include "reduce.k"

#include <math.h>
#include <string.h>

#include <moho/queue.h>

#include "example.h"

extern const char moho_text_reduce[];

static const moho_kernel_definition definition = {.name = "reduce",
                                                  .text = moho_text_reduce,
                                                  .c = KERN_C_FUNCTION(reduce),
                                                  .max_lanes = KERN_MAX_LANES(reduce),
                                                  .uses_group = 1};

enum { N = 1 << 20, GROUPS = 64, ONE_GROUP = 1, GROUP_LANES = 256 };
static float x[N];

typedef struct reduction {
  moho_queue *queue;
  moho_kernel *kernel;
  moho_buffer *x, *sums, *total;
} reduction;

static void add_up(reduction *r, moho_buffer *from, uint32_t n, moho_buffer *to, uint32_t groups) {
  check(moho_queue_launch(r->queue, &(moho_launch){.kernel = r->kernel,
                                                   .buffers = (moho_binding[]){{from, 0}, {to, 0}},
                                                   .n_buffers = 2,
                                                   .parameters = &(reduce_parameters){.n = n},
                                                   .parameter_bytes = sizeof(reduce_parameters),
                                                   .groups = {groups},
                                                   .lanes = GROUP_LANES,
                                                   .group_memory = GROUP_LANES * sizeof(float)}));
}

static float sum_of_x(reduction *r) {
  float sum;
  moho_ticket ticket;
  add_up(r, r->x, N, r->sums, GROUPS);
  add_up(r, r->sums, GROUPS, r->total, ONE_GROUP);
  check(moho_queue_read(r->queue, r->total, 0, &sum, sizeof sum));
  check(moho_queue_submit(r->queue, &ticket));
  check(moho_queue_wait(r->queue, ticket, -1));
  return sum;
}

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  reduction r;
  check(moho_kernel_register(&definition));
  check(moho_kernel_create(device, &(moho_kernel_options){.name = "reduce"}, &r.kernel));
  check(moho_queue_create(device, &r.queue));
  check(moho_buffer_create(device, sizeof x, MOHO_MEMORY_DEVICE, &r.x));
  check(moho_buffer_create(device, GROUPS * sizeof(float), MOHO_MEMORY_DEVICE, &r.sums));
  check(moho_buffer_create(device, sizeof(float), MOHO_MEMORY_DEVICE, &r.total));

  double exact = 0;
  for (int i = 0; i < N; i++) exact += x[i] = 1.0f / (float)(1 + i % 1000);
  check(moho_buffer_write(r.x, 0, x, sizeof x));

  float sum = sum_of_x(&r), again = sum_of_x(&r);
  double error = fabs(sum - exact) / exact;
  int same = memcmp(&sum, &again, sizeof sum) == 0;
  printf("%d numbers: %.3f, in double %.3f (relative error %.1e); once more: %s\n", N, (double)sum, exact, error,
         same ? "the same bits" : "OTHER BITS");

  check(moho_queue_destroy(&r.queue));
  check(moho_buffer_destroy(&r.x));
  check(moho_buffer_destroy(&r.sums));
  check(moho_buffer_destroy(&r.total));
  check(moho_kernel_destroy(&r.kernel));
  check(moho_device_close(&device));
  return !(same && error < 1e-6);
}
