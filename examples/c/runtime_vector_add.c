/* runtime_vector_add.c - a first program for the runtime: a kernel of one's own, three buffers, one launch.
 *
 *   runtime_vector_add [DEVICE]
 *
 * vector_add.k is used twice: as a string, which the GPU's compiler is given at run time, and as C, which the cpu runs.
 * moho_embed_kernels(program vector_add.k) in CMakeLists.txt makes the string and finds kern.h.
 */
#include <moho/kernels/kern.h>

#include "vector_add.k"

#include <moho/queue.h>

#include "example.h"

extern const char moho_text_vector_add[]; /* the text, embedded */

static const moho_kernel_definition definition = {.name = "vector_add",
                                                  .text = moho_text_vector_add,
                                                  .c = KERN_C_FUNCTION(vector_add),
                                                  .max_lanes = KERN_MAX_LANES(vector_add)};

enum { N = 1000003 };
static float a[N], b[N], c[N];

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);

  /* Compiled for this device now, or taken from a cache. */
  moho_kernel *kernel;
  check(moho_kernel_register(&definition));
  check(moho_kernel_create(device, &(moho_kernel_options){.name = "vector_add"}, &kernel));

  moho_buffer *on_device[3];
  for (int i = 0; i < 3; i++) check(moho_buffer_create(device, sizeof a, MOHO_MEMORY_DEVICE, &on_device[i]));
  for (int i = 0; i < N; i++) a[i] = (float)i, b[i] = 0.5f * (float)(i % 7);

  /* Recorded first, then handed over together; commands of a queue run in this order. Parameters are copied now, the arrays
   * must stay until the ticket is done. */
  moho_queue *queue;
  check(moho_queue_create(device, &queue));
  check(moho_queue_write(queue, on_device[0], 0, a, sizeof a));
  check(moho_queue_write(queue, on_device[1], 0, b, sizeof b));
  uint32_t lanes, groups;
  check(moho_kernel_group_1d(kernel, N, &lanes, &groups));
  check(moho_queue_launch(queue,
                          &(moho_launch){.kernel = kernel,
                                         .buffers = (moho_binding[]){{on_device[0], 0}, {on_device[1], 0}, {on_device[2], 0}},
                                         .n_buffers = 3,
                                         .parameters = &(vector_add_parameters){.n = N},
                                         .parameter_bytes = sizeof(vector_add_parameters),
                                         .groups = {groups},
                                         .lanes = lanes}));
  check(moho_queue_read(queue, on_device[2], 0, c, sizeof c));
  moho_ticket ticket;
  check(moho_queue_submit(queue, &ticket));
  check(moho_queue_wait(queue, ticket, -1));

  int wrong = 0;
  for (int i = 0; i < N; i++) wrong += c[i] != a[i] + b[i];
  printf("%d sums in %u groups of %u lanes, %d wrong\n", N, groups, lanes, wrong);

  /* What is left at close would be told: every object is destroyed by who made it. */
  check(moho_queue_destroy(&queue));
  for (int i = 0; i < 3; i++) check(moho_buffer_destroy(&on_device[i]));
  check(moho_kernel_destroy(&kernel));
  check(moho_device_close(&device));
  return wrong != 0;
}
