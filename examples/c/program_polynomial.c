/* program_polynomial.c - a portable program built in C: y = 1 + x (2 + 3 x) for each x, then the sum of each group.
 *
 *   example_program_polynomial [DEVICE]
 *
 * The same calls run it on the processor and on any GPU; nobody compiles a kernel by hand.
 */
#include <math.h>
#include <moho/program.h>

#include "example.h"

enum { N = 100000, LANES = 128, GROUPS = (N + LANES - 1) / LANES };

/* What a text would declare as x, y and sums, in this order. */
static moho_program *build(void) {
  moho_program_builder *b;
  check(moho_program_builder_create("polynomial", &b));
  int x = moho_program_add_buffer(b, MOHO_PROGRAM_F32, MOHO_PROGRAM_IN, "x");
  int y = moho_program_add_buffer(b, MOHO_PROGRAM_F32, MOHO_PROGRAM_OUT, "y");
  int sums = moho_program_add_buffer(b, MOHO_PROGRAM_F32, MOHO_PROGRAM_OUT, "sums");
  int i = moho_program_add_register(b, MOHO_PROGRAM_U32, "i"), n = moho_program_add_register(b, MOHO_PROGRAM_U32, "n");
  int v = moho_program_add_register(b, MOHO_PROGRAM_F32, "v"), r = moho_program_add_register(b, MOHO_PROGRAM_F32, "r");
  int c = moho_program_add_register(b, MOHO_PROGRAM_F32, "c");
  int inside = moho_program_add_predicate(b, "inside");

  moho_program_get(b, i, MOHO_PROGRAM_ID_X);
  moho_program_get_length(b, n, x);
  moho_program_compare(b, inside, MOHO_PROGRAM_LT, i, n);
  moho_program_set_real(b, r, 0);
  moho_program_if(b, inside, 0); /* groups are whole: some lanes lie past the end */
  moho_program_load_element(b, v, (moho_program_address){MOHO_PROGRAM_BUFFER, x, i, 0});
  moho_program_set_real(b, r, 3);
  moho_program_set_real(b, c, 2);
  moho_program_emit(b, MOHO_PROGRAM_FMA, r, r, v, c);
  moho_program_set_real(b, c, 1);
  moho_program_emit(b, MOHO_PROGRAM_FMA, r, r, v, c);
  moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_BUFFER, y, i, 0}, r);
  moho_program_end(b);
  moho_program_group_reduce(b, MOHO_PROGRAM_REDUCE_ADD, r, r); /* here all lanes are together again */
  moho_program_get(b, i, MOHO_PROGRAM_GROUP);
  moho_program_store_element(b, (moho_program_address){MOHO_PROGRAM_BUFFER, sums, i, 0}, r);

  moho_program *program;
  check(moho_program_builder_finish(&b, &program)); /* checked here; the first mistake of all calls is told here too */
  return program;
}

static float x[N], y[N], sums[GROUPS];

int main(int argc, char **argv) {
  moho_device *device = open_device(argc, argv);
  moho_program *program = build();

  moho_program_executable *executable;
  check(moho_program_prepare(program, device, &executable));

  moho_queue *queue;
  check(moho_queue_create(device, &queue));
  moho_buffer *on_device[3];
  const size_t bytes[3] = {sizeof x, sizeof y, sizeof sums};
  for (int k = 0; k < 3; k++) check(moho_buffer_create(device, bytes[k], MOHO_MEMORY_DEVICE, &on_device[k]));
  for (int k = 0; k < N; k++) x[k] = (float)(k % 100) / 64;
  check(moho_buffer_write(on_device[0], 0, x, sizeof x));

  moho_program_run *run;
  moho_ticket ticket;
  moho_program_fault fault;
  check(moho_program_launch(
      executable, queue,
      &(moho_program_launch_options){
          .buffers = (moho_program_binding[]){{on_device[0], 0, N}, {on_device[1], 0, N}, {on_device[2], 0, GROUPS}},
          .n_buffers = 3,
          .groups = {GROUPS},
          .lanes = {LANES}},
      &run));
  check(moho_queue_submit(queue, &ticket));
  check(moho_program_wait(&run, -1, &fault));
  if (fault.happened) printf("a fault at instruction %zu, lane %llu\n", fault.instruction, (unsigned long long)fault.id);
  check(moho_buffer_read(on_device[1], 0, y, sizeof y));
  check(moho_buffer_read(on_device[2], 0, sums, sizeof sums));

  int wrong = fault.happened;
  for (int k = 0; k < N; k++) wrong += y[k] != fmaf(fmaf(3, x[k], 2), x[k], 1);
  double sum = 0, expected = 0;
  for (int k = 0; k < GROUPS; k++) sum += (double)sums[k];
  for (int k = 0; k < N; k++) expected += (double)y[k];
  wrong += !(fabs(sum - expected) <= 1e-6 * expected);
  printf("%d values in %d groups of %d lanes, sum %.1f, %d wrong\n", N, GROUPS, LANES, sum, wrong);

  check(moho_queue_destroy(&queue));
  for (int k = 0; k < 3; k++) check(moho_buffer_destroy(&on_device[k]));
  check(moho_program_executable_destroy(&executable));
  moho_program_destroy(&program);
  check(moho_device_close(&device));
  return wrong != 0;
}
