/* test_cuda_runtime.c - the public runtime on cuda, a GPU or the double: what only this backend can show. Memory that is nearly
 * full, kernels that the compiler refuses, queues that wait for one another, and a device that is lost for good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cuda_checks.h"

static moho_device *device;
static moho_device_report report;

static moho_kernel *kernel_of(const char *name) {
  moho_kernel *kernel;
  const moho_kernel_options options = {.name = name, .text = check_text, .file = "check.k"};
  assert_ok(moho_kernel_create(device, &options, &kernel));
  return kernel;
}

static void launch(moho_queue *queue, const moho_kernel *kernel, moho_buffer *buffer, const check_values *values) {
  const moho_binding binding = {.buffer = buffer};
  assert_ok(moho_queue_launch(queue, &(moho_launch){.kernel = kernel,
                                                    .buffers = &binding,
                                                    .n_buffers = 1,
                                                    .parameters = values,
                                                    .parameter_bytes = sizeof *values,
                                                    .groups = {1, 1},
                                                    .lanes = 64}));
}

static void kernels_tell_what_they_are(void **state) {
  moho_kernel_report told;
  moho_kernel *add = kernel_of("add"), *again = kernel_of("add"), *none;
  (void)state;
  assert_ok(moho_kernel_describe(add, &told));
  printf("    %s: %d lanes, %d registers, %s\n", told.name, told.max_lanes, told.registers, told.origin);
  assert_int_equal(told.simd_width, 32);
  assert_int_equal(told.max_lanes, 256);
  assert_ok(moho_kernel_describe(again, &told));
  assert_string_equal(told.origin, "cache");
  const moho_kernel_options absent = {.name = "ad", .text = check_text, .file = "check.k"};
  assert_fails(moho_kernel_create(device, &absent, &none), MOHO_ERROR_NOT_FOUND, "no kernel ad");
  const moho_kernel_options wrong = {
      .name = "wrong",
      .text = "#include \"kern.h\"\n\nKERNEL(wrong, 64, INOUT(0, float, y)) {\n  y[LANE] = unknown_word;\n}\n",
      .file = "user.k"};
  assert_fails(moho_kernel_create(device, &wrong, &none), MOHO_ERROR_COMPILE, "unknown_word");
  assert_string_equal(moho_last_error()->file, "user.k");
  assert_int_equal(moho_last_error()->line, 4);
  assert_ok(moho_kernel_destroy(&add));
  assert_ok(moho_kernel_destroy(&again));
}

/* What the pool keeps is given back before memory is said to be out. */
static void nearly_full_memory_is_used(void **state) {
  enum { PIECES = 6 };
  moho_buffer *pieces[PIECES], *large, *too_large;
  size_t piece = report.memory_free_bytes / 8;
  (void)state;
  assert_ok(moho_device_pool_limit(device, report.memory_bytes, 64));
  for (int i = 0; i < PIECES; i++) assert_ok(moho_buffer_create(device, piece, MOHO_MEMORY_DEVICE, &pieces[i]));
  assert_fails(moho_buffer_create(device, 4 * piece, MOHO_MEMORY_DEVICE, &too_large), MOHO_ERROR_MEMORY, "free");
  for (int i = 0; i < PIECES; i++) assert_ok(moho_buffer_destroy(&pieces[i]));
  assert_ok(moho_buffer_create(device, 7 * piece, MOHO_MEMORY_DEVICE, &large));
  uint32_t word = 0;
  assert_ok(moho_buffer_fill(large, 7 * piece / 4 * 4 - 4, 4, 0xabcd));
  assert_ok(moho_buffer_read(large, 7 * piece / 4 * 4 - 4, &word, 4));
  assert_int_equal(word, 0xabcd);
  assert_ok(moho_buffer_destroy(&large));
  assert_ok(moho_device_pool_trim(device));
  assert_ok(moho_device_pool_limit(device, (size_t)256 << 20, 64));
}

static void queues_wait_for_one_another(void **state) {
  const check_values values = {.n = 4000000, .scale = 0.5f};
  moho_queue *first, *second;
  moho_buffer *y, *z;
  moho_kernel *spin = kernel_of("spin");
  moho_ticket slow, then;
  float back[64];
  (void)state;
  assert_ok(moho_buffer_create(device, sizeof back, MOHO_MEMORY_DEVICE, &y));
  assert_ok(moho_buffer_create(device, sizeof back, MOHO_MEMORY_HOST, &z));
  assert_ok(moho_queue_create(device, &first));
  assert_ok(moho_queue_create(device, &second));
  assert_ok(moho_queue_fill(first, y, 0, sizeof back, 0));
  launch(first, spin, y, &values);
  assert_ok(moho_queue_submit(first, &slow));
  assert_ok(moho_queue_after(second, first, slow));
  assert_ok(moho_queue_copy(second, z, 0, y, 0, sizeof back)); /* a read into plain memory would be waited for at submission */
  assert_ok(moho_queue_submit(second, &then));
  moho_status early = moho_queue_wait(second, then, 1e-4); /* the double's launches are short beside a busy machine's pauses */
  assert_true(early == MOHO_ERROR_TIMEOUT || (is_double() && early == MOHO_OK));
  assert_ok(moho_queue_wait(second, then, 60));
  assert_int_equal(moho_queue_done(first, slow), 1);
  assert_ok(moho_buffer_read(z, 0, back, sizeof back));
  if (!is_double()) assert_float_equal(back[63], 2, 1e-6);
  assert_ok(moho_queue_destroy(&first));
  assert_ok(moho_queue_destroy(&second));
  assert_ok(moho_kernel_destroy(&spin));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_buffer_destroy(&z));
}

/* ---- lost, in a program of its own ---- */

static int lose_the_device(void) {
  const check_values values = {.n = 1};
  moho_queue *queue, *none;
  moho_buffer *y, *kept, *another;
  moho_kernel *wild = kernel_of("wild");
  moho_ticket good, bad;
  float host[64] = {0};
  assert_ok(moho_buffer_create(device, sizeof host, MOHO_MEMORY_DEVICE, &y));
  assert_ok(moho_buffer_create(device, sizeof host, MOHO_MEMORY_DEVICE, &kept));
  assert_ok(moho_buffer_destroy(&kept)); /* the pool has one of this size */
  assert_ok(moho_queue_create(device, &queue));
  assert_ok(moho_queue_write(queue, y, 0, host, sizeof host));
  assert_ok(moho_queue_submit(queue, &good));
  assert_ok(moho_queue_wait(queue, good, 60));
  launch(queue, wild, y, &values);
  assert_ok(moho_queue_submit(queue, &bad));
  assert_fails(moho_queue_wait(queue, bad, 60), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  printf("    %s\n", moho_last_error()->message);
  assert_non_null(strstr(moho_last_error()->message, "kernel wild"));
  /* Every later call says so, with the device's words; destroying and closing work. */
  assert_fails(moho_queue_wait(queue, bad, 60), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_fails(moho_buffer_create(device, sizeof host, MOHO_MEMORY_DEVICE, &another), MOHO_ERROR_LOST,
               "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_fails(moho_buffer_read(y, 0, host, sizeof host), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_fails(moho_queue_create(device, &none), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_fails(moho_device_describe(device, &report), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_ok(moho_queue_destroy(&queue));
  assert_ok(moho_kernel_destroy(&wild));
  assert_ok(moho_buffer_destroy(&y));
  assert_ok(moho_device_close(&device));
  return 0;
}

static char *program;

static void a_lost_device_says_so_on_every_call(void **state) {
  (void)state;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    execl(program, program, "lose", (char *)NULL);
    _exit(2);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int open_device(void **state) {
  (void)state;
  setenv("XDG_CACHE_HOME", test_directory(), 1);
  assert_ok(moho_device_open("cuda", &device));
  assert_ok(moho_device_describe(device, &report));
  check_report = report;
  return 0;
}

static int close_device(void **state) {
  (void)state;
  return moho_device_close(&device);
}

int main(int n_arguments, char **arguments) {
  char reason[200];
  const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_tell_what_they_are), cmocka_unit_test(nearly_full_memory_is_used),
                                     cmocka_unit_test(queues_wait_for_one_another),
                                     cmocka_unit_test(a_lost_device_says_so_on_every_call)};
  program = arguments[0];
  if (cuda->count(reason, sizeof reason) == 0) {
    printf("skipped: %s\n", reason);
    return TEST_SKIPPED;
  }
  if (n_arguments > 1 && strcmp(arguments[1], "lose") == 0) return open_device(NULL) || lose_the_device();
  return cmocka_run_group_tests(tests, open_device, close_device);
}
