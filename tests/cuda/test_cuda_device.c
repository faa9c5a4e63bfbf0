/* test_cuda_device.c - every function of the CUDA backend on a GPU, or on the tests' double of libcuda (MOHO_CUDA_LIBRARY), which
 * moves memory and runs no kernel: there the host's side of everything is tested, and that nothing is left over. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/timer.h"
#include "cuda_checks.h"
#include "device/cuda/cuda_disk_cache.h"
#include "device/cuda/cuda_state.h"

static const moho_device_uri uri = {.backend = "cuda", .ordinal = -1, .simd = -1};

static void the_report_is_filled(void **state) {
  (void)state;
  printf("    %s, %s, %s\n", check_report.name, check_report.architecture, check_report.driver);
  assert_string_equal(check_report.kind, "cuda");
  assert_true(check_report.available);
  assert_true(check_report.memory_bytes > 0 && check_report.memory_free_bytes <= check_report.memory_bytes);
  assert_true(check_report.max_lanes >= 1024 && check_report.simd_width == 32 && check_report.multiprocessors > 0);
  assert_true(check_report.group_memory >= 48 << 10);
  assert_true(check_report.launch_seconds > 0);
  assert_int_equal(check_report.wrap_alignment, sysconf(_SC_PAGESIZE));
}

static void a_device_that_is_not_there_is_told(void **state) {
  moho_device_uri far = uri;
  moho_device_report report;
  void *none;
  (void)state;
  far.ordinal = 77;
  assert_fails(cuda->open(&far, &none, &report), MOHO_ERROR_NOT_AVAILABLE, "CUDA device");
  assert_null(none);
}

/* ---- memory ---- */

static void fill_random(unsigned char *bytes, size_t n) {
  uint64_t seed = n;
  for (size_t i = 0; i < n; i++) bytes[i] = (unsigned char)(256 * test_uniform(&seed));
}

static void bytes_travel_between_all_kinds_of_memory(void **state) {
  enum { N = 100003 };
  static unsigned char there[N], back[N];
  (void)state;
  fill_random(there, N);
  for (int from = 0; from < 2; from++)
    for (int to = 0; to < 2; to++) {
      moho_block a = make_block(N, from ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
      moho_block b = make_block(N + 5, to ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
      memset(back, 0, N);
      RUN(write_command(&a, 0, there, N), copy_command(&b, 5, &a, 3, N - 3), read_command(&b, 5, back + 3, N - 3));
      assert_memory_equal(back + 3, there + 3, N - 3);
      drop_block(&a), drop_block(&b);
    }
}

static void words_are_filled(void **state) {
  uint32_t back[1000];
  (void)state;
  for (int memory = 0; memory < 2; memory++) {
    moho_block block = make_block(sizeof back, memory ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
    RUN(fill_command(&block, 0, sizeof back, 7), fill_command(&block, 40, 4 * 500, 0x7fa0dead),
        read_command(&block, 0, back, sizeof back));
    for (uint32_t i = 0; i < 1000; i++) assert_int_equal(back[i], i >= 10 && i < 510 ? 0x7fa0dead : 7);
    drop_block(&block);
  }
}

static void memory_that_is_not_there_is_refused_in_words(void **state) {
  moho_block block;
  (void)state;
  assert_fails(cuda->allocate(check_device, check_report.memory_bytes + (1u << 30), MOHO_MEMORY_DEVICE, &block),
               MOHO_ERROR_MEMORY, "are free");
  assert_null(block.host);
  block = make_block(1 << 20, MOHO_MEMORY_DEVICE);
  drop_block(&block);
}

/* Nearly all of the device's memory, piece by piece; the device goes on. */
static void a_full_device_goes_on(void **state) {
  static moho_block blocks[4096];
  size_t n = 0, piece = check_report.memory_bytes / 256;
  moho_status status = MOHO_OK;
  (void)state;
  while (n < 4096 && !(status = cuda->allocate(check_device, piece, MOHO_MEMORY_DEVICE, &blocks[n]))) n++;
  assert_int_equal(status, MOHO_ERROR_MEMORY);
  printf("    %zu blocks of %zu MiB\n", n, piece >> 20);
  uint32_t word = 0;
  RUN(fill_command(&blocks[n - 1], piece / 4 * 4 - 4, 4, 12345), read_command(&blocks[n - 1], piece / 4 * 4 - 4, &word, 4));
  assert_int_equal(word, 12345);
  while (n) drop_block(&blocks[--n]);
}

static void the_callers_memory_is_used_in_place(void **state) {
  size_t bytes = 4 * check_report.wrap_alignment;
  moho_block wrapped, again, other = make_block(bytes, MOHO_MEMORY_DEVICE);
  (void)state;
  if (!check_report.zero_copy) skip();
  float *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  assert_true(memory != MAP_FAILED);
  assert_ok(cuda->wrap(check_device, memory, bytes, &wrapped));
  assert_ptr_equal(wrapped.host, memory);
  RUN(fill_command(&wrapped, 0, bytes, 0x3f800000), copy_command(&other, 0, &wrapped, 0, bytes));
  assert_float_equal(memory[0], 1, 0);
  assert_float_equal(memory[bytes / 4 - 1], 1, 0);
  assert_fails(cuda->wrap(check_device, memory, bytes, &again), MOHO_ERROR_NOT_AVAILABLE, "without a copy");
  moho_pipeline add = make_pipeline("add");
  const check_values values = {.n = (uint32_t)(bytes / 4), .scale = 2};
  RUN(launch_command(&add, "add", (const moho_block *[]){&other, &other, &wrapped}, 3, &values, values.n / 256 + 1, 256));
  if (!is_double()) assert_float_equal(memory[bytes / 4 - 1], 3, 0);
  cuda->release_pipeline(check_device, &add);
  drop_block(&wrapped), drop_block(&other);
  munmap(memory, bytes);
}

/* ---- kernels ---- */

static void a_kernel_computes(void **state) {
  enum { N = 100001 };
  static float a[N], b[N], c[N];
  const check_values values = {.n = N, .scale = 0.5f};
  (void)state;
  for (int i = 0; i < N; i++) a[i] = (float)i, b[i] = (float)(3 * i + 1);
  moho_block blocks[3];
  for (int i = 0; i < 3; i++) blocks[i] = make_block(sizeof a, i == 1 ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
  moho_pipeline add = make_pipeline("add");
  assert_int_equal(add.simd_width, 32);
  assert_true(add.max_lanes == 256);
  moho_command launch =
      launch_command(&add, "add", (const moho_block *[]){&blocks[0], &blocks[1], &blocks[2]}, 3, &values, 100, 256);
  launch.groups[1] = 4;
  RUN(write_command(&blocks[0], 0, a, sizeof a), write_command(&blocks[1], 0, b, sizeof b), launch,
      read_command(&blocks[2], 0, c, sizeof c));
  for (int i = 0; i < N && !is_double(); i++) assert_float_equal(c[i], a[i] + 0.5f * b[i], 0);
  cuda->release_pipeline(check_device, &add);
  for (int i = 0; i < 3; i++) drop_block(&blocks[i]);
}

/* As much group memory as the device has, above the 48 KiB that need no asking. */
static void groups_have_all_their_memory(void **state) {
  uint32_t n = (uint32_t)(check_report.group_memory / 16 * 4), *back = calloc(n, 4);
  const check_values values = {.n = n};
  (void)state;
  moho_block y = make_block(4 * n, MOHO_MEMORY_DEVICE);
  moho_pipeline group = make_pipeline("group");
  assert_int_equal(group.group_memory, 0);
  moho_command launch = launch_command(&group, "group", (const moho_block *[]){&y}, 1, &values, 1, 128);
  launch.group_memory = 4 * n;
  RUN(launch, read_command(&y, 0, back, 4 * n));
  for (uint32_t i = 0; i < n && !is_double(); i++) assert_int_equal(back[i], n - 1 - i);
  printf("    %u bytes\n", 4 * n);
  cuda->release_pipeline(check_device, &group);
  drop_block(&y);
  free(back);
}

static void kernels_come_from_the_disk_the_second_time(void **state) {
  (void)state;
  static const moho_constant constant = {.name = "ONLY_HERE", .value = 1};
  moho_unit unit = kernel_unit("add", &constant, 1, check_text);
  moho_pipeline first, second;
  assert_ok(cuda->compile(check_device, &unit, &first));
  assert_ok(cuda->compile(check_device, &unit, &second));
  assert_string_equal(first.origin, "compiled");
  assert_string_equal(second.origin, "disk");
  assert_int_equal(first.registers, second.registers);
  cuda->release_pipeline(check_device, &first);
  cuda->release_pipeline(check_device, &second);
  kernel_unit_free(&unit);
}

/* The hash is right and the driver takes it not: compiled again, and the file replaced. */
static void what_the_driver_refuses_is_compiled_again(void **state) {
  static const moho_constant constant = {.name = "ONLY_THERE", .value = 1};
  moho_cuda_state *s = check_device;
  moho_unit unit = kernel_unit("add", &constant, 1, check_text);
  moho_pipeline pipeline;
  char key[65];
  (void)state;
  moho_cuda_compile_key(&s->nvrtc, s->target, &unit, key);
  assert_true(moho_disk_cache_store(key, "no machine code of any kind", 28));
  for (int i = 0; i < 2; i++) {
    assert_ok(cuda->compile(check_device, &unit, &pipeline));
    assert_string_equal(pipeline.origin, i ? "disk" : "compiled");
    cuda->release_pipeline(check_device, &pipeline);
  }
  kernel_unit_free(&unit);
}

/* As on a GPU that is newer than NVRTC. A driver that is older than NVRTC may refuse its PTX: in words. */
static void ptx_is_translated_by_the_driver(void **state) {
  (void)state;
  if (is_double()) skip();
  moho_cuda_state *s = check_device;
  const check_values values = {.n = 64, .scale = 2};
  moho_unit unit = kernel_unit("add", NULL, 0, check_text);
  moho_pipeline add;
  float back[64] = {0};
  s->target.is_cubin = 0;
  moho_status status = cuda->compile(check_device, &unit, &add);
  s->target.is_cubin = 1;
  kernel_unit_free(&unit);
  if (status) {
    assert_non_null(strstr(moho_last_error()->message, "does not understand PTX"));
    return;
  }
  moho_block y = make_block(sizeof back, MOHO_MEMORY_DEVICE);
  RUN(fill_command(&y, 0, sizeof back, 0x3f800000),
      launch_command(&add, "add", (const moho_block *[]){&y, &y, &y}, 3, &values, 1, 64), read_command(&y, 0, back, sizeof back));
  for (int i = 0; i < 64; i++) assert_float_equal(back[i], 3, 0);
  cuda->release_pipeline(check_device, &add);
  drop_block(&y);
}

static void wrong_texts_are_refused_in_the_compilers_words(void **state) {
  moho_pipeline pipeline;
  (void)state;
  moho_unit unit = kernel_unit("wrong", NULL, 0,
                               "#line 1 \"user.k\"\n#include \"kern.h\"\nKERNEL(wrong, 64, INOUT(0, float, y)) {\n"
                               "  y[LANE] = unknown_word;\n}\n");
  assert_fails(cuda->compile(check_device, &unit, &pipeline), MOHO_ERROR_COMPILE, "unknown_word");
  assert_string_equal(moho_last_error()->file, "user.k");
  assert_int_equal(moho_last_error()->line, 3);
  kernel_unit_free(&unit);
  unit = kernel_unit("no_such_kernel", NULL, 0, check_text);
  assert_fails(cuda->compile(check_device, &unit, &pipeline), MOHO_ERROR_NOT_FOUND, "no_such_kernel");
  kernel_unit_free(&unit);
  unit = (moho_unit){.name = "only_native"};
  assert_fails(cuda->compile(check_device, &unit, &pipeline), MOHO_ERROR_NOT_FOUND, "no text");
}

/* ---- launches that cannot be ---- */

static void expect_refused(moho_command launch, moho_status status, const char *words) {
  static uint32_t marks[2];
  moho_block block = make_block(8, MOHO_MEMORY_DEVICE);
  void *queue;
  assert_ok(cuda->queue_create(check_device, &queue));
  const moho_command commands[] = {fill_command(&block, 0, 8, 1), launch, fill_command(&block, 4, 4, 2)};
  submit(queue, 1, commands, 3, 1);
  moho_outcome outcome = finish(queue, 1);
  if (outcome.status) moho_error_set(&outcome.error);
  assert_fails(outcome.status, status, words);
  /* What came before has run, what came after has not, and the next ticket is none the worse for it. */
  submit(queue, 2, (const moho_command[]){read_command(&block, 0, marks, 8)}, 1, 0);
  assert_ok(finish(queue, 2).status);
  assert_int_equal(marks[0], 1);
  assert_int_equal(marks[1], 1);
  cuda->queue_destroy(queue);
  drop_block(&block);
}

static void launches_that_cannot_be_are_refused(void **state) {
  const check_values values = {.n = 1};
  moho_block y = make_block(1024, MOHO_MEMORY_DEVICE);
  moho_pipeline spin = make_pipeline("spin"), group = make_pipeline("group");
  const moho_block *const one[] = {&y, &y};
  (void)state;
  expect_refused(launch_command(&spin, "spin", one, 1, &values, 1, 65), MOHO_ERROR_RANGE, "spin");
  moho_command launch = launch_command(&group, "group", one, 1, &values, 1, 128);
  launch.group_memory = (uint32_t)check_report.group_memory + 16;
  expect_refused(launch, MOHO_ERROR_RANGE, "bytes of group memory");
  launch = launch_command(&spin, "spin", one, 1, &values, 1, 64);
  launch.groups[1] = 70000;
  expect_refused(launch, MOHO_ERROR_RANGE, "second axis");
  const moho_cuda_kernel *kernel = spin.handle;
  if (kernel->n_parameters >= 0) {
    assert_int_equal(kernel->n_parameters, 2);
    assert_int_equal(kernel->parameter_bytes, 8);
    expect_refused(launch_command(&spin, "spin", one, 2, &values, 1, 64), MOHO_ERROR_ARGUMENT, "takes 2 parameters");
    expect_refused(launch_command(&spin, "spin", one, 1, NULL, 1, 64), MOHO_ERROR_ARGUMENT, "takes 2 parameters");
    launch = launch_command(&spin, "spin", one, 1, &values, 1, 64);
    launch.parameter_bytes = 4;
    expect_refused(launch, MOHO_ERROR_ARGUMENT, "a struct of 8 bytes");
  }
  cuda->release_pipeline(check_device, &spin);
  cuda->release_pipeline(check_device, &group);
  drop_block(&y);
}

/* ---- time ---- */

/* Steps of spin() that take about a tenth of a second. */
enum { LONG_SPIN = 40000000 };

static void a_wait_that_times_out_changes_nothing(void **state) {
  const check_values values = {.n = LONG_SPIN, .scale = 0.5f};
  moho_block y = make_block(256, MOHO_MEMORY_DEVICE);
  moho_pipeline spin = make_pipeline("spin");
  void *queue;
  (void)state;
  assert_ok(cuda->queue_create(check_device, &queue));
  const moho_command launch = launch_command(&spin, "spin", (const moho_block *[]){&y}, 1, &values, 1, 64);
  double begin = moho_seconds();
  submit(queue, 1, &launch, 1, 1);
  assert_int_equal(cuda->wait(queue, 1, 0), MOHO_ERROR_TIMEOUT);
  assert_int_equal(cuda->wait(queue, 1, 2e-3), MOHO_ERROR_TIMEOUT);
  double looked = moho_seconds() - begin;
  assert_true(looked >= 2e-3);
  moho_outcome outcome = finish(queue, 1);
  double waited = moho_seconds() - begin;
  assert_ok(outcome.status);
  printf("    waited %.1f ms, the kernel took %.1f ms\n", 1e3 * waited, 1e3 * outcome.kernel_seconds);
  assert_true(outcome.kernel_seconds > 2e-3 && outcome.kernel_seconds <= 1.01 * waited);
  assert_true(outcome.transfer_seconds == 0);
  assert_int_equal(cuda->wait(queue, 1, 0), MOHO_OK); /* also later */
  cuda->queue_destroy(queue);
  cuda->release_pipeline(check_device, &spin);
  drop_block(&y);
}

static void kernels_and_transfers_are_timed_apart(void **state) {
  enum { BYTES = 64 << 20 };
  const check_values values = {.n = LONG_SPIN / 4, .scale = 0.5f};
  moho_block y = make_block(BYTES, MOHO_MEMORY_DEVICE), host = make_block(BYTES, MOHO_MEMORY_HOST);
  moho_pipeline spin = make_pipeline("spin");
  (void)state;
  const moho_command launch = launch_command(&spin, "spin", (const moho_block *[]){&y}, 1, &values, 1, 64);
  const moho_command all[] = {write_command(&y, 0, host.host, BYTES), launch, launch, read_command(&y, 0, host.host, BYTES),
                              launch};
  moho_outcome outcome = run(all, 5, 1), alone = run(&launch, 1, 1), untimed = run(all, 5, 0);
  printf("    kernels %.2f ms, transfers %.2f ms; one kernel %.2f ms\n", 1e3 * outcome.kernel_seconds,
         1e3 * outcome.transfer_seconds, 1e3 * alone.kernel_seconds);
  assert_true(outcome.transfer_seconds > 0);
  assert_true(outcome.kernel_seconds > 2.5 * alone.kernel_seconds && outcome.kernel_seconds < 3.5 * alone.kernel_seconds);
  assert_true(untimed.kernel_seconds == 0 && untimed.transfer_seconds == 0);
  cuda->release_pipeline(check_device, &spin);
  drop_block(&y), drop_block(&host);
}

static void a_queue_begins_after_anothers_ticket(void **state) {
  const check_values values = {.n = LONG_SPIN / 4, .scale = 0.5f};
  moho_block y = make_block(256, MOHO_MEMORY_DEVICE), z = make_block(256, MOHO_MEMORY_DEVICE);
  moho_pipeline spin = make_pipeline("spin");
  void *first, *second;
  float back = 0;
  (void)state;
  assert_ok(cuda->queue_create(check_device, &first));
  assert_ok(cuda->queue_create(check_device, &second));
  const moho_command launch = launch_command(&spin, "spin", (const moho_block *[]){&y}, 1, &values, 1, 64);
  for (uint64_t ticket = 1; ticket <= 3; ticket++) {
    const moho_command slow[] = {fill_command(&y, 0, 256, 0), launch};
    const moho_command then[] = {after_command(first, ticket), copy_command(&z, 0, &y, 0, 256), read_command(&z, 0, &back, 4)};
    back = 0;
    submit(first, ticket, slow, 2, 0);
    submit(second, ticket, then, 3, 1);
    moho_outcome outcome = finish(second, ticket);
    assert_ok(outcome.status);
    assert_true(outcome.kernel_seconds == 0);
    assert_int_equal(cuda->wait(first, ticket, 0), MOHO_OK);
    if (!is_double()) assert_float_equal(back, 2, 1e-6); /* x = x/2 + 1 */
    assert_ok(finish(first, ticket).status);
  }
  /* Collected ones are done; what was not submitted cannot be waited for. */
  const moho_command old = after_command(first, 1), future = after_command(first, 4);
  submit(second, 4, &old, 1, 0);
  assert_ok(finish(second, 4).status);
  submit(second, 5, &future, 1, 0);
  assert_int_equal(finish(second, 5).status, MOHO_ERROR_ARGUMENT);
  cuda->queue_destroy(first);
  cuda->queue_destroy(second);
  cuda->release_pipeline(check_device, &spin);
  drop_block(&y), drop_block(&z);
}

static void many_tickets_stand_in_line(void **state) {
  enum { TICKETS = 1500 };
  static uint32_t words[TICKETS];
  moho_block y = make_block(4, MOHO_MEMORY_HOST);
  void *queue;
  (void)state;
  assert_ok(cuda->queue_create(check_device, &queue));
  for (uint32_t t = 1; t <= TICKETS; t++) {
    const moho_command commands[] = {fill_command(&y, 0, 4, t), read_command(&y, 0, &words[t - 1], 4)};
    submit(queue, t, commands, 2, t % 2);
    if (t % 3 == 0) assert_ok(finish(queue, t / 3).status);
  }
  for (uint64_t t = TICKETS / 3 + 1; t <= TICKETS; t++) assert_ok(finish(queue, t).status);
  for (uint32_t t = 1; t <= TICKETS; t++) assert_int_equal(words[t - 1], t);
  cuda->queue_destroy(queue);
  drop_block(&y);
}

/* ---- several at once ---- */

typedef struct worker {
  pthread_t thread;
  const moho_pipeline *spin;
  int good;
} worker;

static void *work(void *pointer) {
  worker *me = pointer;
  const check_values values = {.n = 100, .scale = 0.5f};
  moho_block y, back;
  void *queue;
  if (cuda->allocate(check_device, 256, MOHO_MEMORY_DEVICE, &y) || cuda->allocate(check_device, 256, MOHO_MEMORY_HOST, &back) ||
      cuda->queue_create(check_device, &queue))
    return NULL;
  me->good = 1;
  for (uint64_t t = 1; t <= 300; t++) {
    const moho_command commands[] = {fill_command(&y, 0, 256, 0),
                                     launch_command(me->spin, "spin", (const moho_block *[]){&y}, 1, &values, 1, 64),
                                     copy_command(&back, 0, &y, 0, 256)};
    const moho_submission submission = {.ticket = t, .commands = commands, .n_commands = 3, .timed = (int)(t % 2)};
    moho_outcome outcome = {0};
    me->good &= !cuda->submit(queue, &submission) && !cuda->wait(queue, t, 60);
    cuda->collect(queue, t, &outcome);
    me->good &= !outcome.status && (is_double() || *(float *)back.host == 2.0f);
  }
  cuda->queue_destroy(queue);
  cuda->release(check_device, &y), cuda->release(check_device, &back);
  return NULL;
}

static void threads_have_queues_of_their_own(void **state) {
  worker workers[4] = {{0}};
  moho_pipeline spin = make_pipeline("spin");
  (void)state;
  for (int i = 0; i < 4; i++) {
    workers[i].spin = &spin;
    assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    pthread_join(workers[i].thread, NULL);
    assert_true(workers[i].good);
  }
  cuda->release_pipeline(check_device, &spin);
}

static void one_process_opens_a_device_twice(void **state) {
  void *second, *first = check_device;
  moho_device_report report;
  (void)state;
  assert_ok(cuda->open(&uri, &second, &report));
  moho_block mine = make_block(64, MOHO_MEMORY_DEVICE);
  check_device = second;
  moho_block its = make_block(64, MOHO_MEMORY_DEVICE);
  uint32_t a = 0, b = 0;
  RUN(fill_command(&its, 0, 64, 2), read_command(&its, 0, &b, 4));
  drop_block(&its);
  check_device = first;
  cuda->close(second);
  RUN(fill_command(&mine, 0, 64, 1), read_command(&mine, 0, &a, 4));
  assert_int_equal(a, 1);
  assert_int_equal(b, 2);
  drop_block(&mine);
}

static void a_forked_child_is_told(void **state) {
  (void)state;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    char reason[200] = "";
    moho_device_report report;
    void *none;
    int good = cuda->count(reason, sizeof reason) == 0 && strstr(reason, "forked") &&
               cuda->open(&uri, &none, &report) == MOHO_ERROR_NOT_AVAILABLE;
    _exit(good ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- a device that is lost: in a program of its own, which it ends ---- */

static int lose_the_device(void) {
  const check_values values = {.n = 1};
  moho_block y = make_block(256, MOHO_MEMORY_DEVICE), block;
  moho_pipeline wild = make_pipeline("wild"), none;
  void *first, *second, *third;
  assert_ok(cuda->queue_create(check_device, &first));
  assert_ok(cuda->queue_create(check_device, &second));
  const moho_command fill = fill_command(&y, 0, 256, 0);
  submit(first, 1, &fill, 1, 0);
  assert_ok(finish(first, 1).status);
  const moho_command launch = launch_command(&wild, "wild", (const moho_block *[]){&y}, 1, &values, 1, 64);
  submit(first, 2, &launch, 1, 1);
  moho_outcome outcome = finish(first, 2);
  printf("    %s\n", outcome.error.message);
  assert_int_equal(outcome.status, MOHO_ERROR_LOST);
  assert_non_null(strstr(outcome.error.message, "CUDA_ERROR_ILLEGAL_ADDRESS"));
  assert_non_null(strstr(outcome.error.message, "kernel wild"));
  assert_int_equal(cuda->wait(first, 1, 0), MOHO_OK);
  const moho_submission more = {.ticket = 3, .commands = &fill, .n_commands = 1};
  assert_fails(cuda->submit(first, &more), MOHO_ERROR_LOST, "CUDA_ERROR_ILLEGAL_ADDRESS");
  assert_fails(cuda->allocate(check_device, 64, MOHO_MEMORY_DEVICE, &block), MOHO_ERROR_LOST, "the device is lost");
  assert_fails(cuda->queue_create(check_device, &third), MOHO_ERROR_LOST, "the device is lost");
  moho_unit unit = kernel_unit("add", NULL, 0, check_text);
  assert_fails(cuda->compile(check_device, &unit, &none), MOHO_ERROR_LOST, "the device is lost");
  kernel_unit_free(&unit);
  cuda->refresh(check_device, &check_report);
  cuda->queue_destroy(first);
  cuda->queue_destroy(second);
  cuda->release_pipeline(check_device, &wild);
  cuda->release(check_device, &y);
  cuda->close(check_device);
  return 0;
}

static char *program;

static void a_kernel_that_goes_astray_loses_the_device(void **state) {
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

/* ---- as fast as the driver ---- */

enum { ROUNDS = 10 };

static size_t large(void) {
  return is_double() ? (size_t)4 << 20 : (size_t)256 << 20;
}

static double least(double a, double b) {
  return a < b ? a : b;
}

static moho_cu_result raw_copy(const moho_cuda_driver *cu, const moho_command *c, moho_cu_stream stream) {
  if (c->kind == MOHO_COMMAND_WRITE) return cu->cuMemcpyHtoDAsync_v2(c->to.block->address, c->host, c->bytes, stream);
  if (c->kind == MOHO_COMMAND_READ) return cu->cuMemcpyDtoHAsync_v2(c->host, c->from.block->address, c->bytes, stream);
  return cu->cuMemcpyDtoDAsync_v2(c->to.block->address, c->from.block->address, c->bytes, stream);
}

/* The driver alone: its best of ROUNDS, from the first call to the event, polled. */
static double raw_seconds(const moho_command *command, int n) {
  moho_cuda_state *s = check_device;
  moho_cu_stream stream;
  moho_cu_event done;
  double best = 1e9;
  assert_ok(moho_cuda_enter(s));
  assert_int_equal(s->cu->cuStreamCreate(&stream, MOHO_CU_STREAM_NOT_BLOCKING), 0);
  assert_int_equal(s->cu->cuEventCreate(&done, MOHO_CU_EVENT_UNTIMED), 0);
  for (int round = 0; round < ROUNDS; round++) {
    double begin = moho_seconds();
    for (int i = 0; i < n; i++) assert_int_equal(raw_copy(s->cu, command, stream), 0);
    assert_int_equal(s->cu->cuEventRecord(done, stream), 0);
    while (s->cu->cuEventQuery(done) == MOHO_CU_NOT_READY) {}
    best = least(best, moho_seconds() - begin);
  }
  s->cu->cuEventDestroy_v2(done);
  s->cu->cuStreamDestroy_v2(stream);
  moho_cuda_leave(s);
  return best;
}

static double our_seconds(const moho_command *command, int n) {
  double best = 1e9;
  moho_command commands[8];
  void *queue;
  for (int i = 0; i < n; i++) commands[i] = *command;
  assert_ok(cuda->queue_create(check_device, &queue));
  for (uint64_t t = 1; t <= ROUNDS; t++) {
    double begin = moho_seconds();
    submit(queue, t, commands, (size_t)n, 0);
    assert_ok(finish(queue, t).status);
    best = least(best, moho_seconds() - begin);
  }
  cuda->queue_destroy(queue);
  return best;
}

static void compare(const char *what, const moho_command *command) {
  for (int n = 1; n <= 8; n += 7) {
    double ours = our_seconds(command, n), raw = raw_seconds(command, n), bytes = (double)large() * n;
    for (int again = 0; raw / ours < 0.95 && again < 3; again++) /* somebody else was busy: the best of either */
      ours = least(ours, our_seconds(command, n)), raw = least(raw, raw_seconds(command, n));
    printf("    %d x %-8s %7.1f GB/s, the driver alone %7.1f GB/s: %.3f\n", n, what, 1e-9 * bytes / ours, 1e-9 * bytes / raw,
           raw / ours);
    if (!is_double()) assert_true(raw / ours >= 0.95);
  }
}

static void copies_are_as_fast_as_the_drivers(void **state) {
  moho_block host = make_block(large(), MOHO_MEMORY_HOST), a = make_block(large(), MOHO_MEMORY_DEVICE),
             b = make_block(large(), MOHO_MEMORY_DEVICE);
  (void)state;
  const moho_command up = write_command(&a, 0, host.host, large()), down = read_command(&a, 0, host.host, large()),
                     on = copy_command(&b, 0, &a, 0, large());
  compare("upload", &up);
  compare("download", &down);
  compare("on it", &on);
  drop_block(&host), drop_block(&a), drop_block(&b);
}

static void an_empty_launch_is_short(void **state) {
  moho_block y = make_block(256, MOHO_MEMORY_DEVICE);
  moho_pipeline nothing = make_pipeline("nothing");
  const moho_command launch = launch_command(&nothing, "nothing", (const moho_block *[]){&y}, 1, NULL, 1, 64);
  double best = 1e9, sum = 0;
  void *queue;
  (void)state;
  assert_ok(cuda->queue_create(check_device, &queue));
  for (uint64_t t = 1; t <= 1000; t++) {
    double begin = moho_seconds();
    submit(queue, t, &launch, 1, 0);
    assert_ok(finish(queue, t).status);
    double seconds = moho_seconds() - begin;
    best = least(best, seconds);
    sum += seconds;
  }
  printf("    submit, wait and collect: %.1f us at best, %.1f us on average\n", 1e6 * best, 1e3 * sum);
  if (!is_double()) assert_true(sum / 1000 < 100e-6);
  cuda->queue_destroy(queue);
  cuda->release_pipeline(check_device, &nothing);
  drop_block(&y);
}

/* ---- all ---- */

static int open_device(void **state) {
  (void)state;
  setenv("XDG_CACHE_HOME", test_directory(), 1);
  assert_ok(cuda->open(&uri, &check_device, &check_report));
  return 0;
}

/* The double tells what is left and what was done against the driver's rules. */
static int close_device(void **state) {
  (void)state;
  cuda->close(check_device);
  const char *library = getenv("MOHO_CUDA_LIBRARY");
  if (!library) return 0;
  void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  int (*verdict)(void) = NULL;
  if (opened) *(void **)&verdict = dlsym(opened, "moho_cuda_double_verdict");
  return verdict ? verdict() : 0;
}

int main(int n_arguments, char **arguments) {
  char reason[200];
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_report_is_filled),
                                     cmocka_unit_test(a_device_that_is_not_there_is_told),
                                     cmocka_unit_test(bytes_travel_between_all_kinds_of_memory),
                                     cmocka_unit_test(words_are_filled),
                                     cmocka_unit_test(memory_that_is_not_there_is_refused_in_words),
                                     cmocka_unit_test(a_full_device_goes_on),
                                     cmocka_unit_test(the_callers_memory_is_used_in_place),
                                     cmocka_unit_test(a_kernel_computes),
                                     cmocka_unit_test(groups_have_all_their_memory),
                                     cmocka_unit_test(kernels_come_from_the_disk_the_second_time),
                                     cmocka_unit_test(what_the_driver_refuses_is_compiled_again),
                                     cmocka_unit_test(ptx_is_translated_by_the_driver),
                                     cmocka_unit_test(wrong_texts_are_refused_in_the_compilers_words),
                                     cmocka_unit_test(launches_that_cannot_be_are_refused),
                                     cmocka_unit_test(a_wait_that_times_out_changes_nothing),
                                     cmocka_unit_test(kernels_and_transfers_are_timed_apart),
                                     cmocka_unit_test(a_queue_begins_after_anothers_ticket),
                                     cmocka_unit_test(many_tickets_stand_in_line),
                                     cmocka_unit_test(threads_have_queues_of_their_own),
                                     cmocka_unit_test(one_process_opens_a_device_twice),
                                     cmocka_unit_test(a_forked_child_is_told),
                                     cmocka_unit_test(a_kernel_that_goes_astray_loses_the_device),
                                     cmocka_unit_test(copies_are_as_fast_as_the_drivers),
                                     cmocka_unit_test(an_empty_launch_is_short)};
  program = arguments[0];
  if (cuda->count(reason, sizeof reason) == 0) {
    printf("skipped: %s\n", reason);
    return TEST_SKIPPED;
  }
  if (n_arguments > 1 && strcmp(arguments[1], "lose") == 0) return open_device(NULL) || lose_the_device();
  return cmocka_run_group_tests(tests, open_device, close_device);
}
