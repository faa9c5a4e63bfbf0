/* test_device.c - devices: opened by URI, chosen, listed, described, closed with what was left, lost. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "far_backend.h"

static void wrong_uris(void **state) {
  (void)state;
  static const struct {
    const char *uri, *words, *hint;
  } cases[] = {
      {"cdua", "unknown backend \"cdua\"", "did you mean \"cuda\"?"},
      {"mtal:0", "unknown backend \"mtal\"", "did you mean \"metal\"?"},
      {"", "unknown backend \"\"", ""},
      {"cpu?thread=4", "unknown option \"thread\"", "did you mean \"threads\"?"},
      {"cpu?chek=1", "unknown option \"chek\"", "did you mean \"check\"?"},
      {"cpu?simd=avx3", "unknown simd \"avx3\"", "did you mean"},
      {"cpu?threads", "has no value", "cpu?threads=4"},
      {"cpu?threads=0", "threads is 0, expected 1 to 4096", ""},
      {"cpu?threads=two", "expected a whole number", ""},
      {"cpu?check=2", "check is 2, expected 0 to 1", ""},
      {"cpu:0", "takes no number", ""},
      {"auto:1", "takes no number", ""},
      {"cuda:", "expected a whole number", ""},
      {"cuda:-1", "is -1, expected 0", ""},
      {"cuda:1x", "expected a whole number", ""},
      {"cuda?simd=avx2", "takes no simd", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    moho_device *device = (moho_device *)(void *)&device;
    moho_status status = moho_device_open(cases[i].uri, &device);
    if (status <= 0 || !strstr(moho_last_error()->message, cases[i].words) || !strstr(moho_last_error()->hint, cases[i].hint))
      fail_msg("%s: %s: %s (%s)", cases[i].uri, moho_status_name(status), moho_last_error()->message, moho_last_error()->hint);
    assert_null(device);
  }
  char longer[200];
  memset(longer, 'c', sizeof longer - 1), longer[sizeof longer - 1] = '\0';
  moho_device *device;
  assert_fails(moho_device_open(longer, &device), MOHO_ERROR_ARGUMENT, "too long");
  assert_fails(moho_device_open("cpu", NULL), MOHO_ERROR_ARGUMENT, "NULL");
}

static void cpu_is_always_there(void **state) {
  (void)state;
  moho_device *device, *again;
  moho_device_report report, second;
  assert_ok(moho_device_open("cpu?threads=3&check=1", &device));
  assert_ok(moho_device_describe(device, &report));
  assert_int_equal(report.available, 1);
  assert_int_equal(report.threads, 3);
  assert_string_equal(report.kind, "cpu");
  assert_non_null(strstr(report.uri, "cpu?threads=3&simd="));
  assert_non_null(strstr(report.uri, "&check=1"));
  assert_true(report.launch_seconds > 0);
  assert_true(report.memory_free_bytes > 0 && report.memory_free_bytes <= report.memory_bytes);
  assert_true(report.largest_buffer > 0 && report.max_lanes >= 256 && report.wrap_alignment > 0);
  assert_ok(moho_device_open(report.uri, &again)); /* the URI opens the same */
  assert_ok(moho_device_describe(again, &second));
  assert_string_equal(report.uri, second.uri);
  assert_int_equal(moho_device_threads(device), 3);
  assert_ok(moho_device_close(&again));
  assert_ok(moho_device_close(&device));
}

/* "auto" says why each one before its choice was not taken. */
static void auto_says_why(void **state) {
  (void)state;
  char *kept = getenv("MOHO_DEVICE") ? strdup(getenv("MOHO_DEVICE")) : NULL;
  unsetenv("MOHO_DEVICE");
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(NULL, &device));
  assert_ok(moho_device_describe(device, &report));
  assert_non_null(strstr(report.reason, "chosen by auto: "));
  if (strcmp(report.kind, "metal")) assert_non_null(strstr(report.reason, "auto: metal: "));
  if (strcmp(report.kind, "cpu") == 0) assert_non_null(strstr(report.reason, ", cuda: "));
  print_message("auto: %s, %s\n", report.uri, report.reason);
  assert_ok(moho_device_close(&device));
  assert_ok(moho_device_open("auto?threads=2&check=1", &device));
  assert_ok(moho_device_describe(device, &report));
  assert_int_equal(report.threads, 2);
  assert_non_null(strstr(report.uri, "check=1"));
  assert_ok(moho_device_close(&device));
  if (kept) setenv("MOHO_DEVICE", kept, 1);
  free(kept);
}

static void environment_replaces_auto(void **state) {
  (void)state;
  char *kept = getenv("MOHO_DEVICE") ? strdup(getenv("MOHO_DEVICE")) : NULL;
  moho_device *device;
  moho_device_report report;
  setenv("MOHO_DEVICE", "cpu?threads=5", 1);
  assert_ok(moho_device_open("auto?check=1", &device));
  assert_ok(moho_device_describe(device, &report));
  assert_string_equal(report.reason, "named by MOHO_DEVICE");
  assert_int_equal(report.threads, 5);
  assert_non_null(strstr(report.uri, "check=1"));
  assert_ok(moho_device_close(&device));
  assert_ok(moho_device_open("cpu?threads=2", &device)); /* a name is what it says */
  assert_int_equal(moho_device_threads(device), 2);
  assert_ok(moho_device_close(&device));
  setenv("MOHO_DEVICE", "cppu", 1);
  assert_fails(moho_device_open("auto", &device), MOHO_ERROR_ARGUMENT, "unknown backend \"cppu\"");
  assert_string_equal(moho_last_error()->hint, "did you mean \"cpu\"?");
  setenv("MOHO_DEVICE", "cuda:4000", 1);
  assert_fails(moho_device_open("auto", &device), MOHO_ERROR_NOT_AVAILABLE, "(named by the variable MOHO_DEVICE)");
  setenv("MOHO_DEVICE", "", 1);
  assert_ok(moho_device_open("auto", &device));
  assert_ok(moho_device_close(&device));
  if (kept) setenv("MOHO_DEVICE", kept, 1);
  else unsetenv("MOHO_DEVICE");
  free(kept);
}

/* Every backend is in the list; one that cannot be used has a reason, and opening it by name gives that reason. */
static void list(void **state) {
  (void)state;
  static moho_device_report reports[64];
  size_t count, short_count;
  assert_ok(moho_device_list(reports, 64, &count));
  assert_in_range(count, 3, 64);
  assert_string_equal(reports[0].kind, "cpu");
  int cuda = 0, metal = 0;
  for (size_t i = 0; i < count; i++) {
    moho_device *device;
    cuda += strcmp(reports[i].kind, "cuda") == 0;
    metal += strcmp(reports[i].kind, "metal") == 0;
    if (reports[i].available) {
      assert_ok(moho_device_open(reports[i].uri, &device));
      assert_ok(moho_device_close(&device));
    } else {
      assert_true(reports[i].reason[0]);
      assert_fails(moho_device_open(reports[i].uri, &device), MOHO_ERROR_NOT_AVAILABLE, reports[i].reason);
    }
  }
  assert_true(cuda >= 1 && metal >= 1);
  assert_ok(moho_device_list(NULL, 0, &short_count));
  assert_int_equal(short_count, count);
  assert_fails(moho_device_list(NULL, 2, &short_count), MOHO_ERROR_ARGUMENT, "NULL");
}

static void numbers_beyond_the_last(void **state) {
  (void)state;
  moho_device *device;
  moho_status status = moho_device_open("cuda:4000", &device);
  assert_int_equal(status, MOHO_ERROR_NOT_AVAILABLE);
  assert_non_null(strstr(moho_last_error()->message, "is not available: "));
}

static void closing(void **state) {
  (void)state;
  moho_device *device = NULL, *copy;
  assert_ok(moho_device_close(&device));
  assert_ok(moho_device_close(NULL));
  copy = device = test_device_open("");
  assert_ok(moho_device_close(&device));
  assert_fails(moho_device_close(&copy), MOHO_ERROR_HANDLE, "not a live object");
  assert_null(copy);
}

static void leaks_are_told(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_buffer *first, *second, *third;
  assert_ok(moho_buffer_create(device, 4096, MOHO_MEMORY_DEVICE, &first));
  assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_HOST, &second));
  assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_HOST, &third));
  assert_ok(moho_buffer_destroy(&third));
  assert_fails(moho_device_close(&device), MOHO_ERROR_HANDLE,
               "2 buffers (the first of 4.0 KiB), 0 kernels and 0 queues were left");
  assert_null(device);
  assert_fails(moho_buffer_fill(first, 0, 4, 0), MOHO_ERROR_HANDLE, "not a live object");
  assert_int_equal(moho_buffer_bytes(second), 0);
  assert_fails(moho_buffer_destroy(&first), MOHO_ERROR_HANDLE, "not a live object");
}

static void failures_to_open_leave_nothing(void **state) {
  (void)state;
  moho_device *device;
  moho_device_uri uri = {.backend = "far", .ordinal = -1, .simd = -1};
  far_reset();
  far.refuse_open = 1;
  assert_fails(moho_device_open_backend(&far_backend, &uri, "", &device), MOHO_ERROR_DEVICE, "the cable is unplugged");
  assert_null(device);
  assert_int_equal(far.live_states, 0);
}

/* A lost device says so on every later call, with its own words; what it holds can be taken apart; the host's data stay. */
static void lost(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0), *other = far_open(0);
  moho_buffer *buffer, *more;
  moho_metrics metrics;
  float data[256] = {1, 2, 3}, back[256] = {7};
  moho_device_report report;
  assert_ok(moho_buffer_create(device, sizeof data, MOHO_MEMORY_DEVICE, &buffer));
  far.lose = 1;
  assert_fails(moho_buffer_write(buffer, 0, data, sizeof data), MOHO_ERROR_LOST, "fallen off the bus");
  far.lose = 0;
  assert_fails(moho_buffer_read(buffer, 0, back, sizeof back), MOHO_ERROR_LOST, "is lost: far: fallen off the bus");
  assert_true(back[0] == 7 && data[1] == 2);
  assert_fails(moho_buffer_create(device, 4, MOHO_MEMORY_DEVICE, &more), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_device_describe(device, &report), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_device_metrics_get(device, &metrics), MOHO_ERROR_LOST, "fallen off the bus");
  assert_fails(moho_device_pool_trim(device), MOHO_ERROR_LOST, "fallen off the bus");
  assert_ok(moho_device_describe(other, &report)); /* others are not concerned */
  assert_ok(moho_buffer_destroy(&buffer));
  assert_ok(moho_device_close(&device));
  assert_ok(moho_device_close(&other));
  assert_int_equal(far.live_states, 0);
  assert_int_equal(far.held, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wrong_uris),
      cmocka_unit_test(cpu_is_always_there),
      cmocka_unit_test(auto_says_why),
      cmocka_unit_test(environment_replaces_auto),
      cmocka_unit_test(list),
      cmocka_unit_test(numbers_beyond_the_last),
      cmocka_unit_test(closing),
      cmocka_unit_test(leaks_are_told),
      cmocka_unit_test(failures_to_open_leave_nothing),
      cmocka_unit_test(lost),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
