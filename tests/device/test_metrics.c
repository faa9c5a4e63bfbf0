/* test_metrics.c - what a device counts: bytes, calls, seconds; reset; JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "far_backend.h"

static void move(moho_device *device, size_t bytes) {
  moho_buffer *a, *b;
  void *host = calloc(1, bytes);
  assert_ok(moho_buffer_create(device, bytes, MOHO_MEMORY_DEVICE, &a));
  assert_ok(moho_buffer_create(device, bytes, MOHO_MEMORY_DEVICE, &b));
  assert_ok(moho_buffer_write(a, 0, host, bytes));
  assert_ok(moho_buffer_write(a, 0, host, bytes / 2));
  assert_ok(moho_buffer_copy(b, 0, a, 0, bytes));
  assert_ok(moho_buffer_fill(b, 0, bytes / 4, 1));
  assert_ok(moho_buffer_read(b, 0, host, bytes));
  assert_ok(moho_buffer_destroy(&a));
  assert_ok(moho_buffer_destroy(&b));
  free(host);
}

static void bytes_are_counted(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    far_reset();
    moho_device *device = kind ? far_open(0) : test_device_open("");
    const size_t n = 40000;
    move(device, n);
    moho_metrics m = test_metrics_of(device);
    assert_int_equal(m.bytes_to_device, n + n / 2);
    assert_int_equal(m.bytes_to_host, n);
    assert_int_equal(m.bytes_on_device, n + n / 4);
    assert_int_equal(m.allocations, 2);
    assert_int_equal(m.pool.misses, 2);
    assert_true(m.allocation_seconds > 0);
    assert_int_equal(m.failures, 0);
    if (kind) assert_int_equal(m.submissions, 5);
    move(device, n);
    m = test_metrics_of(device);
    assert_int_equal(m.allocations, 2); /* from the pool */
    assert_int_equal(m.pool.hits, 2);
    assert_int_equal(m.bytes_to_host, 2 * n);
    assert_ok(moho_device_metrics_reset(device));
    m = test_metrics_of(device);
    assert_true(m.bytes_to_device == 0 && m.bytes_to_host == 0 && m.bytes_on_device == 0 && m.allocations == 0);
    assert_true(m.submissions == 0 && m.allocation_seconds == 0 && m.wait_seconds == 0);
    assert_int_equal(m.pool.cached_count, 2); /* what is, is */
    assert_ok(moho_device_close(&device));
  }
}

/* Off: no clock is read for a transfer. On: its seconds are there. */
static void timing_is_asked_for(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    far_reset();
    moho_device *device = kind ? far_open(0) : test_device_open("");
    move(device, 1 << 20);
    assert_true(test_metrics_of(device).transfer_seconds == 0);
    assert_ok(moho_device_metrics_enable(device, 1));
    move(device, 1 << 20);
    double seconds = test_metrics_of(device).transfer_seconds;
    assert_true(seconds > 0 && seconds < 60);
    assert_ok(moho_device_metrics_enable(device, 0));
    move(device, 1 << 20);
    assert_true(test_metrics_of(device).transfer_seconds == seconds);
    assert_ok(moho_device_close(&device));
  }
}

/* Every member is in the JSON under its own name. */
static void json(void **state) {
  (void)state;
  moho_metrics m = {.launches = 1,
                    .submissions = 2,
                    .failures = 3,
                    .kernel_seconds = 0.5,
                    .wait_seconds = 1.5,
                    .bytes_to_device = 4,
                    .bytes_to_host = 5,
                    .bytes_on_device = 6,
                    .transfer_seconds = 2.5,
                    .allocations = 7,
                    .allocation_seconds = 3.5,
                    .cache_hits = 8,
                    .cache_disk_hits = 9,
                    .cache_misses = 10,
                    .compile_seconds = 4.5,
                    .pool = {.active_bytes = (size_t)1 << 40,
                             .peak_bytes = 12,
                             .cached_bytes = 13,
                             .active_count = 14,
                             .cached_count = 15,
                             .limit_bytes = 16,
                             .limit_count = 17,
                             .hits = 18,
                             .misses = 19,
                             .evictions = 20,
                             .fragmentation = 0.25}};
  char *text = moho_metrics_json(&m);
  json_t *root = json_loads(text, 0, NULL);
  json_int_t launches, submissions, failures, up, down, on, allocations, hits, disk, misses, p[10];
  double kernel, wait, transfer, allocation, compile, fragmentation;
  assert_int_equal(json_unpack(root,
                               "{s:I, s:I, s:I, s:f, s:f, s:I, s:I, s:I, s:f, s:I, s:f, s:I, s:I, s:I, s:f,"
                               " s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f !} !}",
                               "launches", &launches, "submissions", &submissions, "failures", &failures, "kernel_seconds",
                               &kernel, "wait_seconds", &wait, "bytes_to_device", &up, "bytes_to_host", &down, "bytes_on_device",
                               &on, "transfer_seconds", &transfer, "allocations", &allocations, "allocation_seconds", &allocation,
                               "cache_hits", &hits, "cache_disk_hits", &disk, "cache_misses", &misses, "compile_seconds",
                               &compile, "pool", "active_bytes", &p[0], "peak_bytes", &p[1], "cached_bytes", &p[2],
                               "active_count", &p[3], "cached_count", &p[4], "limit_bytes", &p[5], "limit_count", &p[6], "hits",
                               &p[7], "misses", &p[8], "evictions", &p[9], "fragmentation", &fragmentation),
                   0);
  assert_true(launches == 1 && submissions == 2 && failures == 3 && up == 4 && down == 5 && on == 6 && allocations == 7);
  assert_true(hits == 8 && disk == 9 && misses == 10 && p[0] == (json_int_t)1 << 40);
  for (int i = 1; i < 10; i++) assert_int_equal(p[i], 11 + i);
  assert_true(kernel == 0.5 && wait == 1.5 && transfer == 2.5 && allocation == 3.5 && compile == 4.5 && fragmentation == 0.25);
  json_decref(root);
  free(text);
  assert_null(moho_metrics_json(NULL));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(bytes_are_counted), cmocka_unit_test(timing_is_asked_for),
                                     cmocka_unit_test(json)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
