/* test_kernel_cache.c - kernels asked for by several threads at once: different ones compile beside each other, the same one
 * once, and what does not compile is told to each of those who asked. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "far_backend.h"
#include "queue_support.h"

enum { ASKING = 6 };

typedef struct asking {
  moho_device *device;
  const char *text; /* NULL: the one that was compiled in */
  double which;     /* a constant */
  moho_kernel *kernel;
  moho_status status;
  char message[200];
  pthread_t thread;
} asking;

static void *ask(void *argument) {
  asking *a = argument;
  moho_constant constant = {"WHICH", a->which, 0};
  moho_kernel_options options = {.name = "stir", .text = a->text, .constants = &constant, .n_constants = 1};
  a->status = moho_kernel_create(a->device, &options, &a->kernel);
  snprintf(a->message, sizeof a->message, "%.199s", a->status ? moho_last_error()->message : "");
  return NULL;
}

/* All ask while the compiler is held, until `expected` compilations are under way; then it goes on. */
static void ask_all(asking all[ASKING], int expected) {
  __atomic_store_n(&far.hold_compile, 1, __ATOMIC_RELEASE);
  for (int i = 0; i < ASKING; i++) assert_int_equal(pthread_create(&all[i].thread, NULL, ask, &all[i]), 0);
  for (int i = 0; i < 20000 && __atomic_load_n(&far.compiling, __ATOMIC_ACQUIRE) < expected; i++)
    nanosleep(&(struct timespec){0, 1000000}, NULL);
  nanosleep(&(struct timespec){0, 20000000}, NULL); /* time for one too many */
  int compiling = __atomic_load_n(&far.compiling, __ATOMIC_ACQUIRE);
  __atomic_store_n(&far.hold_compile, 0, __ATOMIC_RELEASE);
  for (int i = 0; i < ASKING; i++) pthread_join(all[i].thread, NULL);
  assert_int_equal(compiling, expected);
}

static void different_kernels_compile_at_once_the_same_one_once(void **state) {
  (void)state;
  far_reset();
  rig_register();
  moho_device *device = far_open(0);
  asking all[ASKING];
  assert_ok(moho_device_metrics_enable(device, 1));
  for (int i = 0; i < ASKING; i++) all[i] = (asking){.device = device, .which = i % 3};
  ask_all(all, 3);
  for (int i = 0; i < ASKING; i++) assert_int_equal(all[i].status, MOHO_OK);
  moho_metrics m = test_metrics_of(device);
  assert_int_equal(m.cache_misses, 3);
  assert_int_equal(m.cache_hits, ASKING - 3);
  for (int i = 0; i < ASKING; i++) assert_ok(moho_kernel_destroy(&all[i].kernel));
  test_device_close(&device);
}

/* The cpu has no compiler: it refuses a text that is not compiled in. */
static void what_does_not_compile_is_told_to_all(void **state) {
  (void)state;
  static const char text[] = "#include \"kern.h\"\nKERNEL(stir, 64, INOUT(0, float, y)) { y[LANE] = 1.0f; }\n";
  far_reset();
  rig_register();
  moho_device *device = far_open(0);
  asking all[ASKING];
  for (int i = 0; i < ASKING; i++) all[i] = (asking){.device = device, .text = text};
  ask_all(all, 1);
  for (int i = 0; i < ASKING; i++) {
    assert_true(all[i].status != MOHO_OK && !all[i].kernel);
    assert_non_null(strstr(all[i].message, "stir"));
  }
  for (int i = 0; i < ASKING; i++) all[i] = (asking){.device = device}; /* and the cache goes on */
  ask_all(all, 1);
  for (int i = 0; i < ASKING; i++) assert_int_equal(all[i].status, MOHO_OK);
  for (int i = 0; i < ASKING; i++) assert_ok(moho_kernel_destroy(&all[i].kernel));
  test_device_close(&device);
}

/* What was read of a text is kept (kernel_memo.c): by kernel and constants, more than there are places for, on two devices. */
static void kernels_asked_for_again_are_the_same(void **state) {
  (void)state;
  enum { OTHERS = 100 };
  far_reset();
  rig_register();
  moho_device *devices[2] = {far_open(0), far_open(0)};
  moho_kernel_report first, again;
  for (int d = 0; d < 2; d++) {
    assert_ok(moho_device_metrics_enable(devices[d], 1));
    for (int round = 0; round < 2; round++)
      for (int i = 0; i <= OTHERS; i++) { /* i 0: without a constant */
        const moho_constant constant = {"STEP", i / 2, i % 2};
        const moho_kernel_options options = {.name = "stir", .constants = &constant, .n_constants = i > 0};
        moho_kernel *kernel;
        assert_ok(moho_kernel_create(devices[d], &options, &kernel));
        assert_ok(moho_kernel_describe(kernel, &first));
        assert_string_equal(first.name, options.name);
        assert_ok(moho_kernel_destroy(&kernel));
        assert_ok(moho_kernel_create(devices[d], &options, &kernel));
        assert_ok(moho_kernel_describe(kernel, &again));
        assert_string_equal(again.origin, "cache");
        assert_string_equal(again.name, options.name);
        assert_int_equal(again.max_lanes, first.max_lanes);
        assert_ok(moho_kernel_destroy(&kernel));
      }
    moho_metrics m = test_metrics_of(devices[d]);
    assert_int_equal(m.cache_hits + m.cache_misses, 4 * (OTHERS + 1));
    assert_true(m.cache_misses >= OTHERS + 1 && m.cache_hits >= 2 * (OTHERS + 1));
    test_device_close(&devices[d]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(different_kernels_compile_at_once_the_same_one_once),
                                     cmocka_unit_test(what_does_not_compile_is_told_to_all),
                                     cmocka_unit_test(kernels_asked_for_again_are_the_same)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
