/* test_queue_failures.c - what goes wrong on a device: errors stay with the ticket that failed and are never lost, a wait that
 * times out changes nothing, a lost device says so on every call, data on the host stay as they are. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sys/wait.h>

#include "base/timer.h"
#include "far_backend.h"
#include "queue_support.h"

enum { N = 64 };

static rig far_rig(int check) {
  far_reset();
  return rig_begin(far_open(check));
}

static moho_ticket submit_fill(moho_queue *queue, moho_buffer *x, uint32_t word) {
  moho_ticket ticket;
  assert_ok(moho_queue_fill(queue, x, 0, N * 4, word));
  assert_ok(moho_queue_submit(queue, &ticket));
  return ticket;
}

static void hold(int on) {
  __atomic_store_n(&far.hold, on, __ATOMIC_RELEASE);
}

static void timeouts_change_nothing(void **state) {
  (void)state;
  rig r = far_rig(0);
  uint32_t words[N];
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  hold(1);
  moho_ticket ticket = submit_fill(r.queue, x, 5);
  double began = moho_seconds();
  assert_fails(moho_queue_wait(r.queue, ticket, 0.02), MOHO_ERROR_TIMEOUT, "ticket 1 was not done in 0.02 s");
  assert_true(moho_seconds() - began >= 0.02);
  assert_fails(moho_queue_wait(r.queue, ticket, 0), MOHO_ERROR_TIMEOUT, "ticket 1");
  assert_int_equal(moho_queue_done(r.queue, ticket), 0);
  assert_int_equal(submit_fill(r.queue, x, 6), 2); /* it goes on meanwhile */
  hold(0);
  assert_ok(moho_queue_wait(r.queue, ticket, -1));
  assert_ok(moho_queue_wait(r.queue, 2, 60));
  assert_ok(moho_buffer_read(x, 0, words, sizeof words));
  assert_int_equal(words[N - 1], 6);
  moho_buffer_destroy(&x);
  rig_end(&r);
}

static void errors_stay_with_their_ticket(void **state) {
  (void)state;
  rig r = far_rig(0);
  moho_metrics metrics;
  uint32_t words[N];
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  hold(1);
  for (uint32_t k = 1; k <= 4; k++) submit_fill(r.queue, x, k);
  far.kill_ticket = 2;
  hold(0);
  assert_ok(moho_queue_wait(r.queue, 4, -1)); /* those after it went on */
  assert_ok(moho_queue_wait(r.queue, 1, -1));
  for (int i = 0; i < 3; i++) { /* each time it is asked for, with the device's words */
    assert_fails(moho_queue_wait(r.queue, 2, 0), MOHO_ERROR_DEVICE, "far: the command was killed");
    assert_int_equal(moho_queue_done(r.queue, 2), 1);
    assert_ok(moho_queue_wait(r.queue, 3, 0));
  }
  assert_ok(moho_buffer_read(x, 0, words, sizeof words)); /* nobody else's calls fail for it */
  assert_int_equal(words[0], 4);
  assert_ok(moho_device_metrics_get(r.device, &metrics));
  assert_int_equal(metrics.failures, 1);
  moho_buffer_destroy(&x);
  rig_end(&r); /* it was told: destroying the queue is good */
}

/* Collected by somebody else, waited for by nobody: the queue tells at its end, and the last error of the thread that happened to
 * collect it is untouched. */
static void told_at_the_end(void **state) {
  (void)state;
  rig r = far_rig(0);
  moho_queue *queue;
  moho_metrics metrics;
  assert_ok(moho_queue_create(r.device, &queue));
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  submit_fill(queue, x, 1);
  assert_ok(moho_queue_wait(queue, 1, -1));
  hold(1);
  for (int k = 0; k < 3; k++) submit_fill(queue, x, 1);
  far.kill_ticket = 3;
  hold(0);
  assert_fails(moho_buffer_read(x, 1000, NULL, 1), MOHO_ERROR_RANGE, "pass the end");
  while (!moho_queue_done(queue, 4)) {}
  assert_ok(moho_device_metrics_get(r.device, &metrics));
  assert_int_equal(metrics.failures, 1);
  assert_int_equal(moho_last_error()->code, MOHO_ERROR_RANGE);
  moho_queue *late = queue;
  assert_fails(moho_queue_destroy(&queue), MOHO_ERROR_DEVICE,
               "queue: destroyed with 1 failed ticket that nobody waited for, the first is 3: far: the command was killed");
  assert_null(queue);
  assert_fails(moho_queue_destroy(&late), MOHO_ERROR_HANDLE, "queue: not a live object"); /* it is gone all the same */
  assert_null(late);
  /* The same for what is still in flight when the queue is destroyed. */
  assert_ok(moho_queue_create(r.device, &queue));
  submit_fill(queue, x, 1);
  far.kill = 1;
  assert_fails(moho_queue_destroy(&queue), MOHO_ERROR_DEVICE, "the first is 1");
  moho_buffer_destroy(&x);
  rig_end(&r);
}

typedef struct ending {
  atomic_int calls;
  moho_status status;
  char words[64];
} ending;

static void note(void *user, moho_ticket ticket, moho_status status) {
  ending *e = user;
  assert_int_equal(ticket, 1);
  e->status = status;
  snprintf(e->words, sizeof e->words, "%.63s", moho_last_error()->message);
  atomic_fetch_add(&e->calls, 1);
}

static void functions_are_told(void **state) {
  (void)state;
  rig r = far_rig(0);
  ending e = {0};
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  hold(1);
  submit_fill(r.queue, x, 1);
  assert_ok(moho_queue_on_done(r.queue, 1, note, &e));
  nanosleep(&(struct timespec){0, 50000000}, NULL);
  assert_int_equal(e.calls, 0); /* not before it is done */
  far.kill = 1;
  hold(0);
  while (!atomic_load(&e.calls)) nanosleep(&(struct timespec){0, 1000000}, NULL);
  assert_int_equal(e.status, MOHO_ERROR_DEVICE);
  assert_string_equal(e.words, "far: the command was killed");
  moho_buffer_destroy(&x);
  rig_end(&r); /* told by the function */
}

typedef struct self_destroyer {
  moho_queue *queue;
  atomic_int tried;
} self_destroyer;

static void destroy_me(void *user, moho_ticket ticket, moho_status status) {
  (void)ticket, (void)status;
  self_destroyer *s = user;
  assert_fails(moho_queue_destroy(&s->queue), MOHO_ERROR_ARGUMENT, "cannot be destroyed by a function that it calls itself");
  assert_non_null(s->queue);
  atomic_store(&s->tried, 1);
}

static void not_by_itself(void **state) {
  (void)state;
  rig r = far_rig(0);
  self_destroyer s = {.queue = r.queue};
  assert_ok(moho_queue_on_done(r.queue, 0, destroy_me, &s));
  while (!atomic_load(&s.tried)) nanosleep(&(struct timespec){0, 1000000}, NULL);
  rig_end(&r);
}

/* What the device does not take is still recorded, and can be submitted again. */
static void refused_submissions(void **state) {
  (void)state;
  rig r = far_rig(0);
  uint32_t words[N];
  moho_ticket ticket = 77;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  submit_fill(r.queue, x, 1);
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 2));
  far.refuse_submit = 1;
  assert_fails(moho_queue_submit(r.queue, &ticket), MOHO_ERROR_DEVICE, "far: the line is busy");
  assert_int_equal(ticket, 77);
  assert_ok(moho_buffer_read(x, 0, words, sizeof words)); /* not waited for: nobody works on it */
  assert_int_equal(words[0], 1);
  assert_ok(moho_queue_submit(r.queue, &ticket));
  assert_int_equal(ticket, 2);
  assert_ok(moho_buffer_read(x, 0, words, sizeof words));
  assert_int_equal(words[0], 2);
  moho_buffer_destroy(&x);
  rig_end(&r);
}

static void lost(void **state) {
  (void)state;
  rig r = far_rig(0);
  uint32_t before[N], after[N];
  moho_device_report report;
  moho_ticket ticket;
  for (uint32_t i = 0; i < N; i++) before[i] = after[i] = i;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  submit_fill(r.queue, x, 1);
  assert_ok(moho_queue_write(r.queue, x, 0, after, sizeof after));
  far.lose = 1;
  assert_fails(moho_queue_submit(r.queue, &ticket), MOHO_ERROR_LOST, "far: fallen off the bus");
  assert_fails(moho_queue_submit(r.queue, &ticket), MOHO_ERROR_LOST, "the device is lost: far: fallen off the bus");
  assert_fails(moho_queue_wait(r.queue, 1, -1), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_queue_fill(r.queue, x, 0, 4, 0), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_queue_discard(r.queue), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_queue_on_done(r.queue, 1, note, NULL), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_buffer_write(x, 0, before, 4), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_kernel_group_1d(r.stir, 1, &(uint32_t){0}, &(uint32_t){0}), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_device_describe(r.device, &report), MOHO_ERROR_LOST, "fallen off the bus");
  assert_int_equal(moho_queue_done(r.queue, 1), 1); /* nothing will change any more */
  assert_memory_equal(before, after, sizeof before);
  assert_ok(moho_buffer_destroy(&x));
  rig_end(&r); /* destroying and closing work */
}

/* The checking mode runs command after command: the ticket ends at the first finding, later tickets go on. */
static void checked(void **state) {
  (void)state;
  rig r = far_rig(1);
  float result[N];
  moho_ticket first, second;
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE), *y = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  assert_ok(record_stir(r.queue, r.stir, x, y, (stir_parameters){N, 1, 2, 1})); /* of what was never written */
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 0x3f800000));
  assert_ok(moho_queue_submit(r.queue, &first));
  assert_ok(moho_queue_fill(r.queue, x, 0, N * 4, 0));
  assert_ok(record_stir(r.queue, r.stir, x, y, (stir_parameters){N, 1, 2, 1}));
  assert_ok(moho_queue_read(r.queue, y, 0, result, sizeof result));
  assert_ok(moho_queue_submit(r.queue, &second));
  assert_int_equal(second, 2);
  assert_ok(moho_queue_wait(r.queue, second, 0));
  assert_true(result[0] == 1 && result[N - 1] == 1);
  assert_fails(moho_queue_wait(r.queue, first, 0), MOHO_ERROR_DEVICE, "check: kernel stir left NaN in buffer");
  moho_buffer_destroy(&x), moho_buffer_destroy(&y);
  rig_end(&r);
}

/* In the child of fork() every call says so; the parent goes on. */
static void forked(void **state) {
  (void)state;
  rig r = far_rig(0);
  moho_buffer *x = rig_buffer(&r, N, MOHO_MEMORY_DEVICE);
  submit_fill(r.queue, x, 1);
  pid_t child = fork();
  if (child == 0) {
    moho_ticket ticket;
    int good = moho_queue_wait(r.queue, 1, -1) == MOHO_ERROR_DEVICE &&
               strstr(moho_last_error()->message, "inherited by fork()") &&
               moho_queue_submit(r.queue, &ticket) == MOHO_ERROR_DEVICE &&
               moho_queue_fill(r.queue, x, 0, 4, 0) == MOHO_ERROR_DEVICE && moho_queue_destroy(&r.queue) == MOHO_ERROR_DEVICE &&
               moho_kernel_destroy(&r.stir) == MOHO_ERROR_DEVICE && moho_device_close(&r.device) == MOHO_ERROR_DEVICE;
    _exit(good ? 0 : 1);
  }
  int status = -1;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  assert_ok(moho_queue_wait(r.queue, 1, -1));
  moho_buffer_destroy(&x);
  rig_end(&r);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(timeouts_change_nothing),
                                     cmocka_unit_test(errors_stay_with_their_ticket),
                                     cmocka_unit_test(told_at_the_end),
                                     cmocka_unit_test(functions_are_told),
                                     cmocka_unit_test(not_by_itself),
                                     cmocka_unit_test(refused_submissions),
                                     cmocka_unit_test(lost),
                                     cmocka_unit_test(checked),
                                     cmocka_unit_test(forked)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
