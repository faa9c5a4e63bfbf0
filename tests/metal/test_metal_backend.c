/* test_metal_backend.c - what the Metal backend does when nothing fails: order, odd bytes, pieces, other queues, limits. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "backend_support.h"

static void describes_itself(void **state) {
  (void)state;
  char reason[200];
  assert_int_equal(metal->count(reason, sizeof reason), 1);
  bench b = bench_open();
  assert_non_null(strstr(b.report.name, "test double"));
  assert_non_null(strstr(b.report.reason, "MOHO_METAL_LIBRARY"));
  assert_string_equal(b.report.architecture, "apple7");
  assert_int_equal(b.report.max_lanes, 1024);
  assert_int_equal(b.report.group_memory, 32768);
  assert_int_equal(b.report.wrap_alignment, 16384);
  assert_true(b.report.unified_memory && b.report.working_set_bytes > 0 && b.report.largest_buffer > 0);
  assert_int_equal(b.add.max_lanes, 64);
  bench_close(&b);
}

/* Writes, copies and reads at every offset and length around words, against the same on the host. */
static void odd_bytes_in_order(void **state) {
  (void)state;
  enum { N = 4099 };
  bench b = bench_open();
  moho_block x = block_of(&b, N), y = block_of(&b, N);
  unsigned char expected_x[N] = {0}, expected_y[N] = {0}, data[64], got_x[N], got_y[N];
  for (int i = 0; i < 64; i++) data[i] = (unsigned char)(17 * i + 3);
  moho_command clear[] = {put_fill(&x, 0, N / 4 * 4, 0), put_fill(&y, 0, N / 4 * 4, 0), put_write(&x, N - 3, expected_x, 3),
                          put_write(&y, N - 3, expected_y, 3)};
  assert_ok(run(&b, clear, 4).status);
  uint64_t random = 7;
  for (int round = 0; round < 60; round++) {
    size_t at = (size_t)(test_uniform(&random) * (N - 64)), to = (size_t)(test_uniform(&random) * (N - 64));
    size_t n = 1 + (size_t)(test_uniform(&random) * 63);
    moho_command commands[] = {put_write(&x, at, data, n), put_copy(&y, to, &x, at, n), put_read(&y, to, got_y + to, n)};
    memcpy(expected_x + at, data, n);
    memcpy(expected_y + to, data, n);
    assert_ok(run(&b, commands, 3).status);
    assert_memory_equal(got_y + to, expected_y + to, n);
  }
  moho_command all[] = {put_read(&x, 0, got_x, N), put_read(&y, 0, got_y, N)};
  assert_ok(run(&b, all, 2).status);
  assert_memory_equal(got_x, expected_x, N);
  assert_memory_equal(got_y, expected_y, N);
  block_free(&b, &x);
  block_free(&b, &y);
  bench_close(&b);
}

static void fills_words(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4096);
  uint32_t got[1024];
  moho_command commands[] = {put_fill(&x, 0, 4096, 0x01020304u), put_fill(&x, 12, 40, 0xdeadbeefu), put_read(&x, 0, got, 4096)};
  assert_ok(run(&b, commands, 3).status);
  for (size_t i = 0; i < 1024; i++) assert_int_equal(got[i], i >= 3 && i < 13 ? 0xdeadbeefu : 0x01020304u);
  block_free(&b, &x);
  bench_close(&b);
}

/* The bytes of a write are taken at submit; a read gives what was there at its place in the queue, though later work that is
 * submitted before anybody waits writes the same memory. */
static void host_copies_keep_the_order(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  add_parameters one = {1, 1};
  uint32_t value = 40, got[4] = {0};
  uint64_t tickets[4];
  for (uint32_t i = 0; i < 4; i++) {
    moho_command commands[] = {put_write(&x, 0, &value, 4), put_add(&b, &span, &one), put_read(&x, 0, &got[i], 4)};
    tickets[i] = submit(&b, commands, 3);
    value += 10; /* after submit the memory may be used again */
  }
  for (uint32_t i = 4; i-- > 0;) assert_ok(metal->wait(b.queue, tickets[i], -1)); /* the last first */
  for (uint32_t i = 0; i < 4; i++) {
    assert_int_equal(got[i], 41 + 10 * i);
    assert_ok(finish(&b, tickets[i]).status);
  }
  block_free(&b, &x);
  bench_close(&b);
}

/* More launches than fit into the pieces in flight; timed, launches and transfers apart. */
static void long_submissions(void **state) {
  (void)state;
  enum { LAUNCHES = 150 };
  bench b = bench_open();
  moho_block x = block_of(&b, 1000 * 4);
  moho_span span = {&x, 0, 4000};
  add_parameters one = {1000, 1};
  uint32_t got[1000];
  for (int timed = 0; timed < 2; timed++) {
    moho_command commands[LAUNCHES + 3] = {put_fill(&x, 0, 4000, 5)};
    for (int i = 0; i < LAUNCHES; i++) commands[1 + i] = put_add(&b, &span, &one);
    commands[LAUNCHES + 1] = put_copy(&x, 0, &x, 400, 400);
    commands[LAUNCHES + 2] = put_read(&x, 0, got, 4000);
    moho_submission submission = {.ticket = ++b.tickets, .commands = commands, .n_commands = LAUNCHES + 3, .timed = timed};
    assert_ok(metal->submit(b.queue, &submission));
    moho_outcome outcome = finish(&b, b.tickets);
    assert_ok(outcome.status);
    for (int i = 0; i < 1000; i++) assert_int_equal(got[i], 5 + LAUNCHES);
    assert_int_equal(outcome.kernel_seconds > 0, timed);
    assert_int_equal(outcome.transfer_seconds > 0, timed);
  }
  block_free(&b, &x);
  bench_close(&b);
}

static void nothing_to_do_is_done(void **state) {
  (void)state;
  bench b = bench_open();
  uint64_t ticket = submit(&b, NULL, 0);
  assert_ok(metal->wait(b.queue, ticket, 0));
  assert_ok(finish(&b, ticket).status);
  bench_close(&b);
}

/* Two queues take turns at one word; without `after` the slow ones would come late. */
static void queues_wait_for_one_another(void **state) {
  (void)state;
  bench b = bench_open(), other = b;
  other.tickets = 0;
  assert_ok(metal->queue_create(b.device, &other.queue));
  moho_block x = block_of(&b, 4);
  moho_span span = {&x, 0, 4};
  uint32_t zero = 0, got[8];
  moho_command first = put_write(&x, 0, &zero, 4);
  uint64_t mine = submit(&b, &first, 1), theirs = 0;
  add_parameters by[8];
  for (uint32_t i = 0; i < 8; i++) {
    bench *turn = i % 2 ? &b : &other;
    by[i] = (add_parameters){1, i + 1};
    if (i % 3 == 0) fault("slow", 1);
    moho_command commands[] = {put_after(i % 2 ? other.queue : b.queue, i % 2 ? theirs : mine), put_add(&b, &span, &by[i]),
                               put_read(&x, 0, &got[i], 4)};
    *(i % 2 ? &mine : &theirs) = submit(turn, commands, 3);
  }
  assert_ok(metal->wait(b.queue, mine, 20));
  for (uint64_t i = 1; i <= other.tickets; i++) assert_ok(finish(&other, i).status);
  for (uint64_t i = 1; i <= b.tickets; i++) assert_ok(finish(&b, i).status);
  for (uint32_t i = 0; i < 8; i++) assert_int_equal(got[i], (i + 1) * (i + 2) / 2);
  metal->queue_destroy(other.queue);
  block_free(&b, &x);
  bench_close(&b);
}

static void a_wait_that_times_out_changes_nothing(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4);
  uint32_t seven = 7, got = 0;
  moho_command commands[] = {put_write(&x, 0, &seven, 4), put_read(&x, 0, &got, 4)};
  fault("slow", 1);
  uint64_t ticket = submit(&b, commands, 2);
  assert_int_equal(metal->wait(b.queue, ticket, 0), MOHO_ERROR_TIMEOUT);
  assert_int_equal(metal->wait(b.queue, ticket, 0.01), MOHO_ERROR_TIMEOUT);
  assert_int_equal(got, 0);
  assert_ok(finish(&b, ticket).status);
  assert_int_equal(got, 7);
  block_free(&b, &x);
  bench_close(&b);
}

typedef struct waiter {
  bench *b;
  uint64_t ticket;
  moho_status status;
  const uint32_t *words;
  int is_right;
} waiter;

static void *wait_for_words(void *argument) {
  waiter *w = argument;
  w->status = metal->wait(w->b->queue, w->ticket, 20);
  w->is_right = 1; /* whoever waited sees the bytes of the read */
  for (uint32_t i = 0; i < 1 << 18; i++) w->is_right &= w->words[i] == 9;
  return NULL;
}

static void many_may_wait(void **state) {
  (void)state;
  bench b = bench_open();
  moho_block x = block_of(&b, 4 << 18);
  uint32_t *got = calloc(1 << 18, 4);
  for (int round = 0; round < 5; round++) {
    memset(got, 0, 4 << 18);
    moho_command commands[] = {put_fill(&x, 0, 4 << 18, 9), put_read(&x, 0, got, 4 << 18)};
    uint64_t ticket = submit(&b, commands, 2);
    waiter waiters[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
      waiters[i] = (waiter){.b = &b, .ticket = ticket, .words = got};
      assert_int_equal(pthread_create(&threads[i], NULL, wait_for_words, &waiters[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
      pthread_join(threads[i], NULL);
      assert_ok(waiters[i].status);
      assert_true(waiters[i].is_right);
    }
    assert_ok(finish(&b, ticket).status);
  }
  free(got);
  block_free(&b, &x);
  bench_close(&b);
}

static void wrapped_memory_is_the_callers(void **state) {
  (void)state;
  bench b = bench_open();
  uint32_t *host = aligned_alloc(16384, 32768);
  moho_block x;
  for (int i = 0; i < 8192; i++) host[i] = 3;
  assert_ok(metal->wrap(b.device, host, 32768, &x));
  assert_ptr_equal(x.host, host);
  moho_span span = {&x, 0, 32768};
  add_parameters parameters = {8192, 4};
  moho_command command = put_add(&b, &span, &parameters);
  assert_ok(run(&b, &command, 1).status);
  for (int i = 0; i < 8192; i++) assert_int_equal(host[i], 7);
  block_free(&b, &x);
  assert_fails(metal->wrap(b.device, host, 16000, &x), MOHO_ERROR_NOT_AVAILABLE, "pages of 16384");
  assert_fails(metal->wrap(b.device, host + 4, 16384, &x), MOHO_ERROR_NOT_AVAILABLE, "pages of 16384");
  free(host);
  bench_close(&b);
}

static void the_working_set_is_kept(void **state) {
  (void)state;
  enum { MIB = 1 << 20, SET = 16 * MIB };
  setenv("MOHO_METAL_DOUBLE_WORKING_SET", "16777216", 1);
  bench b = bench_open();
  assert_int_equal(b.report.working_set_bytes, SET);
  moho_block most = block_of(&b, 15 * MIB), more;
  assert_fails(metal->allocate(b.device, MIB + 16, MOHO_MEMORY_DEVICE, &more), MOHO_ERROR_MEMORY, "working set of 16.0 MiB");
  moho_device_report report = b.report;
  metal->refresh(b.device, &report);
  assert_in_range(report.memory_free_bytes, 1, MIB);
  void *host = malloc(2 * MIB); /* the staging of a write counts too: the submission is refused and changes nothing */
  moho_command write = put_write(&most, 0, host, 2 * MIB);
  moho_submission submission = {.ticket = 1, .commands = &write, .n_commands = 1};
  assert_fails(metal->submit(b.queue, &submission), MOHO_ERROR_MEMORY, "working set");
  free(host);
  block_free(&b, &most);
  more = block_of(&b, 15 * MIB);
  block_free(&b, &more);
  assert_fails(metal->allocate(b.device, b.report.largest_buffer + 1, MOHO_MEMORY_HOST, &more), MOHO_ERROR_MEMORY, "largest");
  bench_close(&b);
  unsetenv("MOHO_METAL_DOUBLE_WORKING_SET");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(describes_itself),
      cmocka_unit_test(odd_bytes_in_order),
      cmocka_unit_test(fills_words),
      cmocka_unit_test(host_copies_keep_the_order),
      cmocka_unit_test(long_submissions),
      cmocka_unit_test(nothing_to_do_is_done),
      cmocka_unit_test(queues_wait_for_one_another),
      cmocka_unit_test(a_wait_that_times_out_changes_nothing),
      cmocka_unit_test(many_may_wait),
      cmocka_unit_test(wrapped_memory_is_the_callers),
      cmocka_unit_test(the_working_set_is_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
