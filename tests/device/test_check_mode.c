/* test_check_mode.c - "?check=1": fresh memory is poisoned, guards and NaN tell of the kernel and the buffer, parameters are
 * read from texts. The damage is done here by hand, through the runtime's insides, as a kernel out of range would do it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "device_support.h"
#include "far_backend.h"

static const char *const text = "#include \"kern.h\"\n"
                                "/* KERNEL(add, 1, IN(0, float, not_this)) in a comment */\n"
                                "// KERNEL(add, 1, IN(0, float, nor_this))\n"
                                "KERNEL(other, 64, INOUT(0, int, x), PARAM(1, other_parameters, p)) { x[0] = MAX(1, 2); }\n"
                                "KERNEL_GROUP(add, 256,\n"
                                "    IN(0, float, a), /* first, ( */ IN (1, ushort, b),\n"
                                "    INOUT(2, float, c), INOUT(3, float4, d), INOUT(4, uint, e),\n"
                                "    INOUT_ATOMIC(5, counts), PARAM(6, add_parameters, p)) {\n"
                                "  IN_NOTHING(7, float, z);\n"
                                "}\n"
                                "KERNEL(last, 64, INOUT(0, float, x)) {}\n";

static void signatures(void **state) {
  (void)state;
  static const moho_binding_kind kinds[] = {MOHO_BINDING_IN,          MOHO_BINDING_IN,    MOHO_BINDING_INOUT_FLOAT,
                                            MOHO_BINDING_INOUT_FLOAT, MOHO_BINDING_INOUT, MOHO_BINDING_INOUT};
  static const char *const names[] = {"a", "b", "c", "d", "e", "counts"};
  moho_signature s;
  moho_signature_read(text, "add", &s);
  assert_true(s.known && s.has_parameters);
  assert_int_equal(s.n_buffers, 6);
  for (size_t i = 0; i < 6; i++) {
    assert_int_equal(s.kinds[i], kinds[i]);
    assert_string_equal(s.names[i], names[i]);
  }
  moho_signature_read(text, "other", &s);
  assert_true(s.known && s.has_parameters && s.n_buffers == 1 && s.kinds[0] == MOHO_BINDING_INOUT);
  moho_signature_read(text, "last", &s);
  assert_true(s.known && !s.has_parameters && s.n_buffers == 1 && s.kinds[0] == MOHO_BINDING_INOUT_FLOAT);
  moho_signature_read(text, "ad", &s);
  assert_false(s.known);
  moho_signature_read(NULL, "add", &s);
  assert_false(s.known);
  moho_signature_read("KERNEL(add, 64, INOUT(0, float", "add", &s); /* cut short: no harm */
  assert_true(s.known && s.n_buffers == 0);
  moho_signature_read("KERNEL(add, 64, INOUT(99, float, x), IN(3, float, y)) /* open", "add", &s);
  assert_int_equal(s.n_buffers, 4);
}

static void fresh_memory_is_poisoned(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    far_reset();
    moho_device *device = kind ? far_open(1) : test_device_open("?check=1");
    moho_buffer *buffer;
    uint32_t words[100], one = 1;
    for (int round = 0; round < 2; round++) { /* also what comes from the pool */
      assert_ok(moho_buffer_create(device, sizeof words, round ? MOHO_MEMORY_DEVICE : MOHO_MEMORY_HOST, &buffer));
      assert_ok(moho_buffer_read(buffer, 0, words, sizeof words));
      for (size_t i = 0; i < 100; i++) assert_int_equal(words[i], MOHO_UNWRITTEN);
      assert_ok(moho_buffer_write(buffer, 0, &one, 4));
      assert_ok(moho_buffer_destroy(&buffer));
    }
    float unwritten;
    memcpy(&unwritten, words, 4);
    assert_true(isnan(unwritten));
    volatile float quiet = unwritten;
    quiet += 1.0f; /* arithmetic tells what was made of it */
    memcpy(words, (float[]){quiet}, 4);
    assert_int_not_equal(words[0], MOHO_UNWRITTEN);
    assert_ok(moho_device_close(&device));
  }
}

/* Where the buffer's bytes are, in the host's sight: of far memory only the test knows. */
static uint8_t *bytes_of(moho_buffer *buffer) {
  const moho_block *block = buffer->handle.device->backend == &far_backend ? buffer->block->handle : buffer->block;
  return (uint8_t *)block->host + buffer->start;
}

static moho_device *open_kind(int kind) {
  moho_device *device;
  far_reset();
  if (kind) return far_open(1);
  assert_ok(moho_device_open("cpu?check=1", &device));
  return device;
}

static void guards_at_destroy(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 2, 3, 4, 5, 64, 100, 255, 256, 4096, 1 << 20, (1 << 20) + 5};
  for (int kind = 0; kind < 2; kind++) {
    moho_device *device = open_kind(kind);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
      moho_buffer *buffer;
      size_t n = sizes[k];
      assert_ok(moho_buffer_create(device, n, MOHO_MEMORY_DEVICE, &buffer));
      memset(bytes_of(buffer), 0, n); /* all of it is the caller's */
      assert_ok(moho_buffer_destroy(&buffer));
      assert_ok(moho_buffer_create(device, n, MOHO_MEMORY_DEVICE, &buffer));
      bytes_of(buffer)[n] ^= 1;
      assert_fails(moho_buffer_destroy(&buffer), MOHO_ERROR_DEVICE, "check: something wrote past the end of buffer");
      assert_null(buffer);
      assert_ok(moho_buffer_create(device, n, MOHO_MEMORY_DEVICE, &buffer));
      bytes_of(buffer)[n + MOHO_GUARD_BYTES - 1] ^= 0x80;
      assert_fails(moho_buffer_destroy(&buffer), MOHO_ERROR_DEVICE, "wrote past the end of buffer");
      assert_ok(moho_buffer_create(device, n, MOHO_MEMORY_DEVICE, &buffer));
      memset(bytes_of(buffer) - 8, 0, 8);
      assert_fails(moho_buffer_destroy(&buffer), MOHO_ERROR_DEVICE, "wrote before buffer");
      assert_non_null(strstr(moho_last_error()->message, "8 bytes changed, the first at 8 bytes before its beginning"));
    }
    assert_ok(moho_device_close(&device));
  }
}

/* The kernel, the binding by index and name, the buffer by number and size, the place; told once. */
static void guards_after_a_launch(void **state) {
  (void)state;
  moho_signature signature;
  moho_signature_read(text, "add", &signature);
  for (int kind = 0; kind < 2; kind++) {
    moho_device *device = open_kind(kind);
    moho_buffer *buffers[3];
    moho_binding bindings[3];
    for (size_t i = 0; i < 3; i++) {
      assert_ok(moho_buffer_create(device, 4096, MOHO_MEMORY_DEVICE, &buffers[i]));
      bindings[i] = (moho_binding){buffers[i], 0};
    }
    assert_ok(moho_check_after_launch("add", &signature, bindings, 3));
    memset(bytes_of(buffers[2]) + 4096, 0, 4);
    assert_fails(
        moho_check_after_launch("add", &signature, bindings, 3), MOHO_ERROR_DEVICE,
        "check: kernel add, binding 2 (c), wrote past the end of buffer 3 (4.0 KiB): 4 bytes changed, the first at byte 4096");
    assert_ok(moho_check_after_launch("add", &signature, bindings, 3));
    for (size_t i = 0; i < 3; i++) assert_ok(moho_buffer_destroy(&buffers[i]));
    assert_ok(moho_device_close(&device));
  }
}

static void put_float(moho_buffer *buffer, size_t index, float value) {
  assert_ok(moho_buffer_write(buffer, 4 * index, &value, 4));
}

static void nan_after_a_launch(void **state) {
  (void)state;
  moho_signature signature;
  moho_signature_read(text, "add", &signature);
  for (int kind = 0; kind < 2; kind++) {
    moho_device *device = open_kind(kind);
    moho_buffer *in, *words, *out;
    const size_t n = 600000; /* more than one piece */
    assert_ok(moho_buffer_create(device, 4 * n, MOHO_MEMORY_DEVICE, &in));
    assert_ok(moho_buffer_create(device, 4 * n, MOHO_MEMORY_DEVICE, &words));
    assert_ok(moho_buffer_create(device, 4 * n + 2, MOHO_MEMORY_DEVICE, &out));
    moho_binding bindings[] = {{in, 0}, {in, 0}, {out, 16}, {out, 1600}, {words, 0}};
    put_float(in, 5, NAN);    /* an input is not the kernel's */
    put_float(words, 5, NAN); /* nor are bits of integers a NaN */
    put_float(out, 3, NAN);   /* before the binding's offset */
    put_float(out, 9, INFINITY);
    assert_ok(moho_check_after_launch("add", &signature, bindings, 5)); /* what was not written is no finding */
    put_float(out, 599999, NAN);
    put_float(out, 17, -NAN);
    assert_fails(moho_check_after_launch("add", &signature, bindings, 5), MOHO_ERROR_DEVICE,
                 "check: kernel add left NaN in buffer 3 (2.3 MiB), binding 2 (c): 2 of 600000 floats, the first at 17");
    put_float(out, 17, 0);
    put_float(out, 599999, 0);
    uint32_t quiet = MOHO_UNWRITTEN | 0x00400000u;
    assert_ok(moho_buffer_write(out, 4 * 500, &quiet, 4));
    assert_fails(moho_check_after_launch("add", &signature, bindings + 0, 5), MOHO_ERROR_DEVICE,
                 "the first at 500, made from memory that was never written");
    assert_ok(moho_buffer_destroy(&in));
    assert_ok(moho_buffer_destroy(&words));
    assert_ok(moho_buffer_destroy(&out));
    assert_ok(moho_device_close(&device));
  }
}

static void the_host_past_the_end(void **state) {
  (void)state;
  moho_device *device = test_device_open("?check=1");
  moho_buffer *buffer;
  void *view;
  assert_ok(moho_buffer_create(device, 100, MOHO_MEMORY_HOST, &buffer));
  assert_ok(moho_buffer_map(buffer, MOHO_MAP_WRITE, &view));
  memset(view, 0, 104);
  assert_fails(moho_buffer_unmap(buffer), MOHO_ERROR_DEVICE, "the host, while it was mapped, wrote past the end of buffer 1");
  assert_ok(moho_buffer_destroy(&buffer));
  test_device_close(&device);
}

/* Poisoning that the device refuses: an error, and nothing is kept from the pool. */
static void poison_refused(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(1);
  moho_buffer *buffer;
  far.kill = 1;
  assert_fails(moho_buffer_create(device, 100, MOHO_MEMORY_DEVICE, &buffer), MOHO_ERROR_DEVICE, "killed");
  assert_null(buffer);
  assert_ok(moho_device_close(&device));
  assert_int_equal(far.held, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signatures),         cmocka_unit_test(fresh_memory_is_poisoned),
      cmocka_unit_test(guards_at_destroy),  cmocka_unit_test(guards_after_a_launch),
      cmocka_unit_test(nan_after_a_launch), cmocka_unit_test(the_host_past_the_end),
      cmocka_unit_test(poison_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
