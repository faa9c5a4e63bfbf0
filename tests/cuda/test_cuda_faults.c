/* test_cuda_faults.c - on the double: each call of the driver and of NVRTC fails once, in each way, in the middle of everything a
 * device is used for. Every failure must come out as a status with words, leave nothing behind and break no rule. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_checks.h"
#include "device/cuda/cuda_types.h"

static struct {
  int (*verdict)(void);
  void (*fail_call)(int nth, moho_cu_result result);
  int (*calls)(void);
  void (*revive)(void);
} double_of_cuda;

static int failures; /* statuses of one run that were not MOHO_OK */

static int seen(moho_status status) {
  if (!status) return 1;
  failures++;
  assert_int_equal(moho_last_error()->code, status);
  assert_true(strlen(moho_last_error()->message) > 10);
  return 0;
}

static int outcome_seen(const moho_outcome *outcome) {
  if (outcome->status) assert_int_equal(moho_error_set(&outcome->error), outcome->status);
  return seen(outcome->status);
}

static void use_queue(void *queue, void *other, const moho_block *device, const moho_block *host, const moho_pipeline *spin) {
  static const check_values values = {.n = 10};
  static uint32_t words[16];
  uint64_t ticket = 0;
  for (int timed = 0; timed < 2; timed++) {
    const moho_command commands[] = {
        write_command(device, 0, words, 64),  launch_command(spin, "spin", &device, 1, &values, 1, 64),
        copy_command(host, 0, device, 0, 64), after_command(other, 1),
        fill_command(device, 0, 64, 3),       launch_command(spin, "spin", &device, 1, &values, 1, 64),
        read_command(device, 0, words, 64)};
    const moho_submission submission = {.ticket = ticket + 1, .commands = commands, .n_commands = 7, .timed = timed};
    moho_outcome outcome;
    if (!seen(cuda->submit(queue, &submission))) continue;
    ticket++;
    assert_int_equal(cuda->wait(queue, ticket, 10), MOHO_OK);
    cuda->collect(queue, ticket, &outcome);
    outcome_seen(&outcome);
  }
}

static void use_queues(const moho_block *device, const moho_block *host, const moho_pipeline *spin) {
  void *queue, *other;
  if (seen(cuda->queue_create(check_device, &other))) {
    const moho_command fill = fill_command(device, 0, 64, 1);
    const moho_submission submission = {.ticket = 1, .commands = &fill, .n_commands = 1};
    int submitted = seen(cuda->submit(other, &submission));
    if (submitted && seen(cuda->queue_create(check_device, &queue))) {
      use_queue(queue, other, device, host, spin);
      cuda->queue_destroy(queue);
    }
    moho_outcome outcome;
    if (submitted) {
      assert_int_equal(cuda->wait(other, 1, 10), MOHO_OK);
      cuda->collect(other, 1, &outcome);
      outcome_seen(&outcome);
    }
    cuda->queue_destroy(other);
  }
}

static void use_device(void) {
  static _Alignas(65536) unsigned char mine[65536];
  moho_block device, host, wrapped;
  moho_pipeline spin;
  if (seen(cuda->wrap(check_device, mine, sizeof mine, &wrapped))) cuda->release(check_device, &wrapped);
  if (seen(cuda->allocate(check_device, 256, MOHO_MEMORY_DEVICE, &device))) {
    if (seen(cuda->allocate(check_device, 256, MOHO_MEMORY_HOST, &host))) {
      moho_unit unit = kernel_unit("spin", NULL, 0, check_text);
      if (seen(cuda->compile(check_device, &unit, &spin))) {
        use_queues(&device, &host, &spin);
        cuda->release_pipeline(check_device, &spin);
      }
      kernel_unit_free(&unit);
      cuda->release(check_device, &host);
    }
    if (seen(cuda->wrap_device(check_device, device.address, 256, &wrapped))) cuda->release(check_device, &wrapped);
    cuda->release(check_device, &device);
  }
  cuda->refresh(check_device, &check_report);
}

/* How many calls there were that could have failed. */
static int use_all(int nth, moho_cu_result result) {
  const moho_device_uri uri = {.backend = "cuda", .ordinal = 0};
  failures = 0;
  double_of_cuda.fail_call(nth, result);
  if (seen(cuda->open(&uri, &check_device, &check_report))) {
    use_device();
    cuda->close(check_device);
  }
  int calls = double_of_cuda.calls();
  double_of_cuda.fail_call(0, 0);
  assert_int_equal(double_of_cuda.verdict(), 0);
  double_of_cuda.revive();
  return calls;
}

static void nothing_fails_unprovoked(void **state) {
  (void)state;
  int calls = use_all(0, 0);
  assert_int_equal(failures, 0);
  printf("    %d calls\n", calls);
  assert_true(calls > 60);
}

/* A few calls may fail without harm: figures that are told on request, times, and looking again at an event that is not done. */
static void each_call_fails_once(void **state) {
  static const moho_cu_result results[] = {MOHO_CU_OUT_OF_MEMORY, MOHO_CU_INVALID_HANDLE, MOHO_CU_ILLEGAL_ADDRESS,
                                           MOHO_CU_CONTEXT_IS_DESTROYED};
  (void)state;
  for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
    int calls = use_all(0, 0), told = 0;
    for (int nth = 1; nth <= calls; nth++) {
      use_all(nth, results[i]);
      told += failures > 0;
    }
    printf("    result %u: %d calls, %d failures told\n", results[i], calls, told);
    assert_true(told > calls / 2);
  }
}

/* A queue that is let go of serves the next one who asks, whose tickets begin at 1 again. */
static void queues_are_used_again(void **state) {
  (void)state;
  const moho_device_uri uri = {.backend = "cuda", .ordinal = 0};
  moho_block device;
  void *first, *again, *other;
  assert_int_equal(cuda->open(&uri, &check_device, &check_report), MOHO_OK);
  assert_int_equal(cuda->allocate(check_device, 256, MOHO_MEMORY_DEVICE, &device), MOHO_OK);
  const moho_command fill = fill_command(&device, 0, 64, 1);
  for (int round = 0; round < 20; round++) {
    moho_outcome outcome;
    assert_int_equal(cuda->queue_create(check_device, &again), MOHO_OK);
    if (round > 0) assert_ptr_equal(again, first);
    first = again;
    const moho_submission submission = {.ticket = 1, .commands = &fill, .n_commands = 1, .timed = round % 2};
    assert_int_equal(cuda->submit(again, &submission), MOHO_OK);
    assert_int_equal(cuda->wait(again, 1, 10), MOHO_OK);
    cuda->collect(again, 1, &outcome);
    assert_int_equal(outcome.status, MOHO_OK);
    cuda->queue_destroy(again);
  }
  assert_int_equal(cuda->queue_create(check_device, &again), MOHO_OK);
  assert_int_equal(cuda->queue_create(check_device, &other), MOHO_OK);
  assert_ptr_not_equal(again, other);
  cuda->queue_destroy(again), cuda->queue_destroy(other);
  cuda->release(check_device, &device);
  cuda->close(check_device);
  assert_int_equal(double_of_cuda.verdict(), 0); /* nothing of the driver's is left */
}

static int find_double(void **state) {
  (void)state;
  setenv("MOHO_CACHE", "off", 1);
  void *library = dlopen(getenv("MOHO_CUDA_LIBRARY"), RTLD_NOW | RTLD_LOCAL);
  assert_non_null(library);
  *(void **)&double_of_cuda.verdict = dlsym(library, "moho_cuda_double_verdict");
  *(void **)&double_of_cuda.fail_call = dlsym(library, "moho_cuda_double_fail");
  *(void **)&double_of_cuda.calls = dlsym(library, "moho_cuda_double_calls");
  *(void **)&double_of_cuda.revive = dlsym(library, "moho_cuda_double_revive");
  return !double_of_cuda.verdict || !double_of_cuda.fail_call || !double_of_cuda.calls || !double_of_cuda.revive;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_fails_unprovoked), cmocka_unit_test(each_call_fails_once),
                                     cmocka_unit_test(queues_are_used_again)};
  return cmocka_run_group_tests(tests, find_double, NULL);
}
