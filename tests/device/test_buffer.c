/* test_buffer.c - buffers: written, read, copied, filled, mapped, wrapped; every range at its edges. */
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "far_backend.h"

/* Each test runs on the device under test, on it in checking mode, and on one whose memory the host does not reach. */
static moho_device *open_kind(int kind) {
  far_reset();
  return kind == 2 ? far_open(0) : kind == 3 ? far_open(1) : test_device_open(kind ? "?check=1" : "");
}
enum { KINDS = 4 };

static void pattern(uint8_t *bytes, size_t n, unsigned seed) {
  for (size_t i = 0; i < n; i++) bytes[i] = (uint8_t)(i * 7 + i / 251 + seed);
}

static void write_and_read(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 3, 4, 255, 256, 257, 4096, 100001, 1048576, 1048577, 3000000};
  for (int kind = 0; kind < KINDS; kind++) {
    moho_device *device = open_kind(kind);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
      for (moho_memory memory = MOHO_MEMORY_DEVICE; memory <= MOHO_MEMORY_HOST; memory++) {
        size_t n = sizes[k], from = n / 3, part = n - from;
        uint8_t *data = malloc(n), *back = calloc(1, n);
        moho_buffer *buffer;
        pattern(data, n, (unsigned)k);
        assert_ok(moho_buffer_create(device, n, memory, &buffer));
        assert_int_equal(moho_buffer_bytes(buffer), n);
        assert_ok(moho_buffer_write(buffer, 0, data, n));
        assert_ok(moho_buffer_read(buffer, 0, back, n));
        assert_memory_equal(data, back, n);
        pattern(data, n, 99);
        assert_ok(moho_buffer_write(buffer, from, data, part));
        assert_ok(moho_buffer_read(buffer, from, back + from, part));
        assert_memory_equal(data, back + from, part);
        assert_ok(moho_buffer_destroy(&buffer));
        free(data), free(back);
      }
    assert_ok(moho_device_close(&device));
  }
}

static void ranges(void **state) {
  (void)state;
  uint8_t host[128] = {0};
  for (int kind = 0; kind < KINDS; kind++) {
    moho_device *device = open_kind(kind);
    moho_buffer *a, *b;
    assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_DEVICE, &a));
    assert_ok(moho_buffer_create(device, 40, MOHO_MEMORY_DEVICE, &b));
    assert_ok(moho_buffer_write(a, 100, host, 0));
    assert_ok(moho_buffer_write(a, 100, NULL, 0));
    assert_ok(moho_buffer_write(a, 99, host, 1));
    assert_fails(moho_buffer_write(a, 99, host, 2), MOHO_ERROR_RANGE, "write: 2 bytes from byte 99 on pass the end of buffer");
    assert_fails(moho_buffer_write(a, 101, host, 0), MOHO_ERROR_RANGE, "pass the end");
    assert_fails(moho_buffer_read(a, SIZE_MAX, host, 2), MOHO_ERROR_RANGE, "pass the end");
    assert_fails(moho_buffer_read(a, 2, host, SIZE_MAX), MOHO_ERROR_RANGE, "pass the end");
    assert_fails(moho_buffer_read(a, 50, host, SIZE_MAX - 49), MOHO_ERROR_RANGE, "which has 100");
    assert_fails(moho_buffer_write(a, 0, NULL, 1), MOHO_ERROR_ARGUMENT, "write: got NULL");
    assert_fails(moho_buffer_read(a, 0, NULL, 1), MOHO_ERROR_ARGUMENT, "read: got NULL");
    assert_fails(moho_buffer_copy(b, 0, a, 0, 41), MOHO_ERROR_RANGE, "copy: 41 bytes from byte 0 on pass the end");
    assert_fails(moho_buffer_copy(b, 8, a, 70, 31), MOHO_ERROR_RANGE, "copy: 31 bytes from byte 70 on");
    assert_fails(moho_buffer_copy(b, 0, NULL, 0, 4), MOHO_ERROR_ARGUMENT, "got NULL");
    assert_fails(moho_buffer_fill(a, 2, 4, 0), MOHO_ERROR_ARGUMENT, "multiples of 4");
    assert_fails(moho_buffer_fill(a, 0, 6, 0), MOHO_ERROR_ARGUMENT, "multiples of 4");
    assert_fails(moho_buffer_fill(a, 4, 100, 0), MOHO_ERROR_RANGE, "fill: 100 bytes");
    assert_ok(moho_buffer_destroy(&a));
    assert_ok(moho_buffer_destroy(&b));
    assert_ok(moho_device_close(&device));
  }
}

static void copies(void **state) {
  (void)state;
  uint8_t data[1000], back[1000];
  pattern(data, sizeof data, 1);
  for (int kind = 0; kind < KINDS; kind++)
    for (int host = 0; host < 4; host++) { /* device and host memory, both ways */
      moho_device *device = open_kind(kind), *other = open_kind(kind);
      moho_buffer *a, *b, *far_away;
      assert_ok(moho_buffer_create(device, 1000, host & 1 ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE, &a));
      assert_ok(moho_buffer_create(device, 1000, host & 2 ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE, &b));
      assert_ok(moho_buffer_create(other, 1000, MOHO_MEMORY_DEVICE, &far_away));
      assert_ok(moho_buffer_write(a, 0, data, 1000));
      assert_ok(moho_buffer_fill(b, 0, 1000, 0x01020304));
      assert_ok(moho_buffer_copy(b, 100, a, 200, 300));
      assert_ok(moho_buffer_read(b, 0, back, 1000));
      assert_memory_equal(back + 100, data + 200, 300);
      assert_int_equal(back[99], 1), assert_int_equal(back[400], 4);
      assert_ok(moho_buffer_copy(a, 500, a, 0, 500)); /* within one, side by side */
      assert_ok(moho_buffer_read(a, 500, back, 500));
      assert_memory_equal(back, data, 500);
      assert_fails(moho_buffer_copy(a, 499, a, 0, 500), MOHO_ERROR_RANGE, "overlap");
      assert_fails(moho_buffer_copy(a, 0, a, 0, 4), MOHO_ERROR_RANGE, "overlap");
      assert_ok(moho_buffer_copy(a, 0, a, 0, 0));
      assert_fails(moho_buffer_copy(far_away, 0, a, 0, 4), MOHO_ERROR_ARGUMENT, "belongs to another device");
      assert_ok(moho_buffer_destroy(&a));
      assert_ok(moho_buffer_destroy(&b));
      assert_ok(moho_buffer_destroy(&far_away));
      assert_ok(moho_device_close(&device));
      assert_ok(moho_device_close(&other));
    }
}

static void fills(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    moho_device *device = open_kind(kind);
    moho_buffer *buffer;
    uint32_t words[64];
    assert_ok(moho_buffer_create(device, sizeof words, MOHO_MEMORY_DEVICE, &buffer));
    assert_ok(moho_buffer_fill(buffer, 0, sizeof words, 0xdeadbeef));
    assert_ok(moho_buffer_fill(buffer, 16, 32, 7));
    assert_ok(moho_buffer_fill(buffer, 256, 0, 7));
    assert_ok(moho_buffer_read(buffer, 0, words, sizeof words));
    for (size_t i = 0; i < 64; i++) assert_int_equal(words[i], i >= 4 && i < 12 ? 7 : 0xdeadbeef);
    assert_ok(moho_buffer_destroy(&buffer));
    assert_ok(moho_device_close(&device));
  }
}

static void sizes(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_report report;
  moho_buffer *buffer;
  assert_ok(moho_device_describe(device, &report));
  assert_fails(moho_buffer_create(device, 0, MOHO_MEMORY_DEVICE, &buffer), MOHO_ERROR_RANGE, "0 bytes");
  assert_fails(moho_buffer_create(device, SIZE_MAX, MOHO_MEMORY_DEVICE, &buffer), MOHO_ERROR_RANGE, "the largest that");
  assert_fails(moho_buffer_create(device, report.largest_buffer + 1, MOHO_MEMORY_DEVICE, &buffer), MOHO_ERROR_RANGE,
               "the largest");
  assert_null(buffer);
  assert_fails(moho_buffer_create(device, 4, (moho_memory)7, &buffer), MOHO_ERROR_ARGUMENT, "unknown kind of memory 7");
  assert_fails(moho_buffer_create(device, 4, MOHO_MEMORY_DEVICE, NULL), MOHO_ERROR_ARGUMENT, "NULL");
  assert_fails(moho_buffer_create(NULL, 4, MOHO_MEMORY_DEVICE, &buffer), MOHO_ERROR_ARGUMENT, "device: got NULL");
  test_device_close(&device);
}

static void mapping(void **state) {
  (void)state;
  for (int kind = 0; kind < KINDS; kind++) {
    moho_device *device = open_kind(kind);
    moho_buffer *buffer;
    moho_buffer_report report;
    void *view, *second;
    uint8_t back[100];
    assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_HOST, &buffer));
    assert_ok(moho_buffer_describe(buffer, &report));
    assert_int_equal(report.bytes, 100);
    assert_int_equal(report.memory, MOHO_MEMORY_HOST);
    assert_true(report.is_mappable && !report.is_wrapped);
    assert_ok(moho_buffer_fill(buffer, 0, 100, 0x05050505));
    assert_ok(moho_buffer_map(buffer, MOHO_MAP_READ_WRITE, &view));
    assert_int_equal(((uint8_t *)view)[99], 5);
    memset(view, 6, 100);
    assert_fails(moho_buffer_map(buffer, MOHO_MAP_READ, &second), MOHO_ERROR_ARGUMENT, "mapped already");
    assert_null(second);
    assert_fails(moho_buffer_read(buffer, 0, back, 4), MOHO_ERROR_ARGUMENT, "is mapped by the host");
    assert_ok(moho_buffer_unmap(buffer));
    assert_fails(moho_buffer_unmap(buffer), MOHO_ERROR_ARGUMENT, "is not mapped");
    assert_ok(moho_buffer_read(buffer, 0, back, 100));
    for (size_t i = 0; i < 100; i++) assert_int_equal(back[i], 6);
    assert_fails(moho_buffer_map(buffer, (moho_map_intent)9, &view), MOHO_ERROR_ARGUMENT, "unknown intent 9");
    assert_ok(moho_buffer_map(buffer, MOHO_MAP_WRITE, &view));
    assert_ok(moho_buffer_destroy(&buffer)); /* destroyed while mapped: the view is gone with it */
    assert_ok(moho_device_close(&device));
  }
}

static void far_memory_is_not_mapped(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0);
  moho_buffer *buffer;
  void *view;
  assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_DEVICE, &buffer));
  assert_fails(moho_buffer_map(buffer, MOHO_MAP_READ, &view), MOHO_ERROR_NOT_AVAILABLE, "lies in the device's memory");
  assert_ok(moho_buffer_destroy(&buffer));
  assert_ok(moho_device_close(&device));
}

/* Wrapped memory is the caller's own, seen by both; what cannot be wrapped is refused with the reason. */
static void wrapping(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_report device_report;
  assert_ok(moho_device_describe(device, &device_report));
  size_t align = device_report.wrap_alignment ? device_report.wrap_alignment : 64, bytes = 4 * align;
  uint8_t *memory = aligned_alloc(align, bytes);
  moho_buffer *buffer;
  moho_buffer_report report;
  uint8_t seven = 7, back;
  memset(memory, 3, bytes);
  if (!device_report.zero_copy) {
    assert_fails(moho_buffer_wrap(device, memory, bytes, &buffer), MOHO_ERROR_NOT_AVAILABLE, "without a copy");
  } else {
    assert_fails(moho_buffer_wrap(device, memory + 1, align, &buffer), MOHO_ERROR_ARGUMENT, "must be multiples of");
    assert_fails(moho_buffer_wrap(device, memory, align - 1, &buffer), MOHO_ERROR_ARGUMENT, "must be multiples of");
    assert_fails(moho_buffer_wrap(device, NULL, align, &buffer), MOHO_ERROR_ARGUMENT, "NULL");
    assert_fails(moho_buffer_wrap(device, memory, 0, &buffer), MOHO_ERROR_RANGE, "0 bytes");
    moho_status status = moho_buffer_wrap(device, memory, bytes, &buffer);
    if (status == MOHO_ERROR_NOT_AVAILABLE) { /* some virtual machines: said, not copied */
      assert_true(moho_last_error()->message[0]);
    } else {
      assert_ok(status);
      assert_ok(moho_buffer_describe(buffer, &report));
      assert_true(report.is_wrapped && report.is_mappable && report.bytes == bytes);
      assert_ok(moho_buffer_read(buffer, bytes - 1, &back, 1));
      assert_int_equal(back, 3);
      assert_ok(moho_buffer_write(buffer, align, &seven, 1));
      assert_int_equal(memory[align], 7);
      assert_ok(moho_buffer_destroy(&buffer));
      assert_int_equal(memory[align], 7); /* and stays */
    }
  }
  free(memory);
  test_device_close(&device);
}

/* Memory of the device under its address: seen by both buffers, and not given back with the one that borrowed it. */
static void device_memory_is_borrowed(void **state) {
  (void)state;
  moho_device *device = test_device_open("");
  moho_device_report device_report;
  moho_buffer *owner, *borrowed;
  moho_buffer_place place, same;
  float numbers[1000], back = 0;
  for (int i = 0; i < 1000; i++) numbers[i] = (float)i;
  assert_ok(moho_device_describe(device, &device_report));
  assert_ok(moho_buffer_create(device, sizeof numbers, MOHO_MEMORY_DEVICE, &owner));
  assert_ok(moho_buffer_write(owner, 0, numbers, sizeof numbers));
  assert_ok(moho_buffer_locate(owner, &place));
  assert_true(!place.host == !device_report.unified_memory);
  if (place.host) assert_memory_equal(place.host, numbers, sizeof numbers);
  if (strcmp(device_report.kind, "metal") == 0) {
    assert_true(!place.device);
    assert_fails(moho_buffer_wrap_device(device, 4096, sizeof numbers, &borrowed), MOHO_ERROR_NOT_AVAILABLE, "no address");
  } else {
    assert_ok(moho_buffer_wrap_device(device, place.device + 16, sizeof numbers - 16, &borrowed));
    assert_ok(moho_buffer_locate(borrowed, &same));
    assert_true(same.device == place.device + 16);
    assert_ok(moho_buffer_read(borrowed, 0, &back, sizeof back));
    assert_float_equal(back, 4, 0);
    assert_ok(moho_buffer_fill(borrowed, 4, 4, 0x40e00000));
    assert_ok(moho_buffer_destroy(&borrowed));
    assert_ok(moho_buffer_read(owner, 20, &back, sizeof back));
    assert_float_equal(back, 7, 0);
    assert_fails(moho_buffer_wrap_device(device, place.device + 4, 64, &borrowed), MOHO_ERROR_ARGUMENT, "multiple of 16");
    assert_fails(moho_buffer_wrap_device(device, 0, 64, &borrowed), MOHO_ERROR_ARGUMENT, "multiple of 16");
    assert_fails(moho_buffer_wrap_device(device, place.device, 0, &borrowed), MOHO_ERROR_RANGE, "0 bytes");
    assert_null(borrowed);
  }
  if (strcmp(device_report.kind, "cuda") == 0) {
    static float mine[16] __attribute__((aligned(16)));
    assert_fails(moho_buffer_wrap_device(device, (uint64_t)(uintptr_t)mine, sizeof mine, &borrowed), MOHO_ERROR_ARGUMENT,
                 "expected memory of this device");
  }
  assert_ok(moho_buffer_destroy(&owner));
  assert_fails(moho_buffer_locate(owner, &place), MOHO_ERROR_ARGUMENT, "NULL");
  test_device_close(&device);
}

static void far_memory_is_not_wrapped(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0);
  static uint8_t memory[4096] __attribute__((aligned(4096)));
  moho_buffer *buffer;
  assert_fails(moho_buffer_wrap(device, memory, 4096, &buffer), MOHO_ERROR_NOT_AVAILABLE, "without a copy");
  assert_null(buffer);
  assert_ok(moho_device_close(&device));
}

/* A transfer that the device kills becomes a status with its words; the next one works. */
static void killed_transfers(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0);
  moho_buffer *buffer;
  uint32_t word = 3;
  moho_metrics metrics;
  assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_DEVICE, &buffer));
  far.kill = 1;
  assert_fails(moho_buffer_write(buffer, 0, &word, 4), MOHO_ERROR_DEVICE, "the command was killed");
  assert_ok(moho_buffer_write(buffer, 0, &word, 4));
  assert_ok(moho_device_metrics_get(device, &metrics));
  assert_int_equal(metrics.failures, 1);
  assert_ok(moho_buffer_destroy(&buffer));
  assert_ok(moho_device_close(&device));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(write_and_read),
      cmocka_unit_test(ranges),
      cmocka_unit_test(copies),
      cmocka_unit_test(fills),
      cmocka_unit_test(sizes),
      cmocka_unit_test(mapping),
      cmocka_unit_test(far_memory_is_not_mapped),
      cmocka_unit_test(wrapping),
      cmocka_unit_test(device_memory_is_borrowed),
      cmocka_unit_test(far_memory_is_not_wrapped),
      cmocka_unit_test(killed_transfers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
