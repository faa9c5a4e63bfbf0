/* test_metal_faults.c - the Metal backend when the device fails: every fault becomes a status with the device's words, on the
 * ticket that failed; what comes after works, unless the device is lost; nobody waits for ever and nothing leaks. */
#include <string.h>

#include "base/timer.h"
#include "backend_support.h"

static moho_status open_status(void) {
  void *device;
  moho_device_report report;
  return metal->open(&(moho_device_uri){.backend = "metal", .ordinal = -1}, &device, &report);
}

static void devices_that_do_not_open(void **state) {
  (void)state;
  static const struct {
    const char *fault, *words;
  } cases[] = {{"no_device", "no GPU"},      {"nil_queue", "queue"},       {"nil_event", "event"},
               {"nil_buffer", "buffer"},     {"nil_encoder", "blit"},      {"nil_command_buffer", "commands"},
               {"compile_error", "error"},   {"nil_pipeline", "pipeline"}, {"nil_function", "no kernel named"},
               {"simd_width_64", "64 lanes"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    fault(cases[i].fault, 0);
    assert_true(open_status() != MOHO_OK);
    if (!strstr(moho_last_error()->message, cases[i].words))
      fail_msg("%s: \"%s\" is not in \"%s\"", cases[i].fault, cases[i].words, moho_last_error()->message);
    fault(cases[i].fault, -1);
    assert_int_equal(live_objects(), 0);
  }
  char reason[200];
  fault("no_device", 1);
  assert_int_equal(metal->count(reason, sizeof reason), 0);
  assert_non_null(strstr(reason, "no GPU"));
  void *device;
  moho_device_report report;
  assert_fails(metal->open(&(moho_device_uri){.backend = "metal", .ordinal = 1}, &device, &report), MOHO_ERROR_NOT_AVAILABLE,
               "metal:1");
}

/* The third pipeline asked for at open is the one with SIMD operations. */
static void gpus_without_simd_operations_open(void **state) {
  (void)state;
  fault("nil_pipeline", 3);
  bench b = bench_open();
  static const char text[] = "#ifndef KERN_NO_SIMD\n#error it should be told\n#endif\n"
                             "#include <metal_stdlib>\nusing namespace metal;\n"
                             "kernel void nothing(device uint *to [[buffer(0)]], uint lane [[thread_index_in_threadgroup]]) {\n"
                             "  to[lane] = lane;\n}\n";
  moho_pipeline pipeline;
  assert_ok(metal->compile(b.device, &(moho_unit){.name = "nothing", .text = text}, &pipeline));
  metal->release_pipeline(b.device, &pipeline);
  bench_close(&b);
}

static void texts_that_do_not_compile(void **state) {
  (void)state;
  static const char good[] = "#include <metal_stdlib>\nkernel void k(device float *x [[buffer(0)]]) {\n  x[0] = 1.0f;\n}\n";
  static const char bad[] = "#include <metal_stdlib>\nkernel void k(device float *x [[buffer(0)]]) {\n  x[0] = wrong;\n}\n";
  static const char named[] = "#line 40 \"mine.k\"\nkernel void k(device float *x [[buffer(0)]]) {\n  x[0] = wrong;\n}\n";
  bench b = bench_open();
  moho_pipeline p;
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = bad}, &p), MOHO_ERROR_COMPILE, ":3:");
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = bad}, &p), MOHO_ERROR_COMPILE, "wrong");
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = named}, &p), MOHO_ERROR_COMPILE, "mine.k:41:");
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "other", .text = good}, &p), MOHO_ERROR_NOT_FOUND, "other");
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k"}, &p), MOHO_ERROR_NOT_FOUND, "processor");
  fault("nil_pipeline", 1);
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = good}, &p), MOHO_ERROR_COMPILE, "pipeline");
  fault("simd_width_16", 1);
  assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = good}, &p), MOHO_ERROR_COMPILE, "16 lanes");
  fault("simd_width_16", -1);
  fault("compile_warning", 1); /* a library and words: no failure */
  assert_ok(metal->compile(b.device, &(moho_unit){.name = "k", .text = good}, &p));
  metal->release_pipeline(b.device, &p);
  bench_close(&b);
}

static void memory_that_is_refused(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = {0};
  static _Alignas(16384) unsigned char host[16384];
  fault("nil_buffer", 1);
  assert_fails(metal->allocate(b.device, 100, MOHO_MEMORY_DEVICE, &x), MOHO_ERROR_MEMORY, "refused");
  fault("no_copy_zero", 1);
  assert_fails(metal->wrap(b.device, host, sizeof host, &x), MOHO_ERROR_NOT_AVAILABLE, "a buffer of 0 bytes");
  fault("no_copy_nil", 1);
  assert_fails(metal->wrap(b.device, host, sizeof host, &x), MOHO_ERROR_NOT_AVAILABLE, "refused");
  x = block_of(&b, 16);
  uint32_t word = 1;
  moho_command write = put_write(&x, 0, &word, 4);
  fault("nil_buffer", 1); /* the staging buffer: the submission changes nothing */
  moho_submission submission = {.ticket = 1, .commands = &write, .n_commands = 1};
  assert_fails(metal->submit(b.queue, &submission), MOHO_ERROR_MEMORY, "refused");
  assert_ok(run(&b, &write, 1).status);
  block_free(&b, &x);
  bench_close(&b);
}

/* Killed with each code: the ticket fails with words and hint, its reads leave the host's memory, the next ticket runs. */
static void killed_command_buffers(void **state) {
  (void)state;
  static const struct {
    const char *fault;
    moho_status status;
    const char *words, *hint;
  } cases[] = {{"command_failed", MOHO_ERROR_DEVICE, "MTLCommandBufferErrorDomain 1: ", "again"},
               {"command_timeout", MOHO_ERROR_DEVICE, "MTLCommandBufferErrorDomain 2: ", "0.1 s"},
               {"page_fault", MOHO_ERROR_DEVICE, "MTLCommandBufferErrorDomain 3: ", "check=1"},
               {"out_of_memory", MOHO_ERROR_MEMORY, "MTLCommandBufferErrorDomain 8: ", "smaller"}};
  bench b = bench_open();
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  add_parameters one = {1, 1};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    uint32_t zero = 0, got = 1234;
    moho_command commands[] = {put_write(&x, 0, &zero, 4), put_add(&b, &span, &one), put_read(&x, 0, &got, 4)};
    fault(cases[i].fault, 1);
    double begin = moho_seconds();
    moho_outcome outcome = run(&b, commands, 3);
    assert_true(moho_seconds() - begin < 5);
    assert_int_equal(outcome.status, cases[i].status);
    assert_int_equal(outcome.error.code, cases[i].status);
    assert_non_null(strstr(outcome.error.message, cases[i].words));
    assert_non_null(strstr(outcome.error.message, "add"));
    assert_non_null(strstr(outcome.error.hint, cases[i].hint));
    assert_int_equal(got, 1234);
    assert_ok(run(&b, commands, 3).status);
    assert_int_equal(got, 1);
  }
  block_free(&b, &x);
  bench_close(&b);
}

/* A later piece dies: the ticket fails with that, and its number of pieces does not matter. */
static void a_piece_in_the_middle(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  add_parameters one = {1, 1};
  moho_command commands[100];
  for (int i = 0; i < 100; i++) commands[i] = put_add(&b, &span, &one);
  fault("page_fault", 5);
  assert_int_equal(run(&b, commands, 100).status, MOHO_ERROR_DEVICE);
  fault("nil_command_buffer", 3); /* two pieces run by then: the ticket's error */
  moho_outcome outcome = run(&b, commands, 100);
  assert_int_equal(outcome.status, MOHO_ERROR_DEVICE);
  assert_non_null(strstr(outcome.error.message, "command buffer"));
  assert_ok(run(&b, commands, 100).status);
  block_free(&b, &x);
  bench_close(&b);
}

static void encoding_that_fails_at_once(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  add_parameters one = {1, 1};
  uint32_t got = 5;
  moho_command launch = put_add(&b, &span, &one), fill = put_fill(&x, 0, 4, 5), read = put_read(&x, 0, &got, 4);
  moho_submission submission = {.ticket = 1, .commands = &launch, .n_commands = 1};
  assert_ok(run(&b, &fill, 1).status);
  submission.ticket = 2;
  static const char *const faults[] = {"nil_command_buffer", "nil_encoder"};
  for (int i = 0; i < 2; i++) {
    fault(faults[i], 1);
    assert_fails(metal->submit(b.queue, &submission), MOHO_ERROR_DEVICE, "gave no");
  }
  submission.commands = &read;
  fault("nil_encoder", 1);
  assert_fails(metal->submit(b.queue, &submission), MOHO_ERROR_DEVICE, "blit");
  assert_ok(run(&b, &read, 1).status);
  assert_int_equal(got, 5);
  block_free(&b, &x);
  bench_close(&b);
}

/* The signal of a piece never comes: statuses are looked at, so the ticket ends, and queues that wait for it go on. Here queue
 * `other` waits for a ticket that was killed, and this queue goes on after the other's. */
static void killed_pieces_release_other_queues(void **state) {
  (void)state;
  static const char *const faults[] = {"command_timeout", "never_signals"};
  for (int i = 0; i < 2; i++) {
    bench b = bench_open(), other = b;
    other.tickets = 0;
    assert_ok(metal->queue_create(b.device, &other.queue));
    moho_block x = block_of(&b, 4);
    moho_span span = {&x, 0, 4};
    add_parameters one = {1, 1};
    moho_command start = put_fill(&x, 0, 4, 10), add = put_add(&b, &span, &one);
    assert_ok(run(&b, &start, 1).status);
    fault(faults[i], 1);
    uint64_t killed = submit(&b, &add, 1);
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL); /* it is this piece that the fault meets */
    uint32_t got = 0;
    moho_command theirs[] = {put_after(b.queue, killed), add},
                 mine[] = {put_after(other.queue, 1), add, put_read(&x, 0, &got, 4)};
    uint64_t second = submit(&other, theirs, 2), third = submit(&b, mine, 3);
    double begin = moho_seconds();
    assert_ok(finish(&other, second).status);
    assert_int_equal(finish(&b, killed).status, i ? MOHO_OK : MOHO_ERROR_DEVICE);
    assert_ok(finish(&b, third).status);
    assert_true(moho_seconds() - begin < 5);
    assert_int_equal(got, i ? 13 : 12);
    metal->queue_destroy(other.queue);
    block_free(&b, &x);
    bench_close(&b);
  }
}

/* Access revoked: the ticket and all after it, on every queue, and every call that makes something. */
static void a_lost_device_says_so(void **state) {
  (void)state;
  static const char *const faults[] = {"access_revoked", "device_removed"};
  for (int i = 0; i < 2; i++) {
    bench b = bench_open(), other = b;
    other.tickets = 0;
    assert_ok(metal->queue_create(b.device, &other.queue));
    moho_block x = block_of(&b, 4), y;
    moho_span span = {&x, 0, 4};
    add_parameters one = {1, 1};
    moho_command add = put_add(&b, &span, &one);
    fault(faults[i], 1);
    fault("slow", 1); /* both are in flight before it is noticed */
    uint64_t first = submit(&b, &add, 1), next = submit(&b, &add, 1);
    assert_ok(metal->wait(b.queue, next, 20));
    assert_int_equal(finish(&b, first).status, MOHO_ERROR_LOST);
    assert_int_equal(finish(&b, next).status, MOHO_ERROR_LOST);
    moho_submission submission = {.ticket = 1, .commands = &add, .n_commands = 1};
    void *queue;
    moho_pipeline pipeline;
    assert_fails(metal->submit(other.queue, &submission), MOHO_ERROR_LOST, "lost");
    assert_fails(metal->allocate(b.device, 4, MOHO_MEMORY_DEVICE, &y), MOHO_ERROR_LOST, "lost");
    assert_fails(metal->queue_create(b.device, &queue), MOHO_ERROR_LOST, "lost");
    assert_fails(metal->compile(b.device, &(moho_unit){.name = "k", .text = "k"}, &pipeline), MOHO_ERROR_LOST, "lost");
    metal->queue_destroy(other.queue);
    block_free(&b, &x);
    bench_close(&b);
    fault(faults[i], -1);
  }
}

/* Work that a lost device never ends is given up, so that nobody waits for ever. */
static void a_lost_device_ends_all_waits(void **state) {
  (void)state;
  bench b = bench_open(), other = b;
  other.tickets = 0;
  assert_ok(metal->queue_create(b.device, &other.queue));
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  add_parameters one = {1, 1};
  moho_command add = put_add(&b, &span, &one);
  fault("never_ends", 1);
  uint64_t hung = submit(&other, &add, 1);
  assert_int_equal(metal->wait(other.queue, hung, 0.3), MOHO_ERROR_TIMEOUT);
  fault("access_revoked", 1);
  assert_int_equal(run(&b, &add, 1).status, MOHO_ERROR_LOST);
  assert_ok(metal->wait(other.queue, hung, 20));
  assert_int_equal(finish(&other, hung).status, MOHO_ERROR_LOST);
  fault("access_revoked", -1);
  metal->queue_destroy(other.queue);
  block_free(&b, &x);
  metal->release_pipeline(b.device, &b.add);
  metal->queue_destroy(b.queue);
  metal->close(b.device); /* what hangs keeps its objects: nothing is counted here */
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(devices_that_do_not_open),    cmocka_unit_test(gpus_without_simd_operations_open),
      cmocka_unit_test(texts_that_do_not_compile),   cmocka_unit_test(memory_that_is_refused),
      cmocka_unit_test(killed_command_buffers),      cmocka_unit_test(a_piece_in_the_middle),
      cmocka_unit_test(encoding_that_fails_at_once), cmocka_unit_test(killed_pieces_release_other_queues),
      cmocka_unit_test(a_lost_device_says_so),       cmocka_unit_test(a_lost_device_ends_all_waits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
