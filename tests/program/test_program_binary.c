/* test_program_binary.c - the binary form: comes back the same; any changed, missing or added byte is refused, and so is content
 * that no program may have under a checksum that fits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/sha256.h"
#include "program_support.h"

static const char source[] = "program t\nscalar f32 s\nbuffer in f32 x\nbuffer out f32 y\narray f32 tile[8]\npool i32 k[4]\n"
                             "register u32 i\nregister f32 a, b\npredicate p\nget i, id\nalloc k\nload a, x[i - 3]\nparam b, s\n"
                             "compare.lt p, a, b\nif p\ncall f\nend\nstore y[i], a\nfunction f\nadd a, a, b\nend\n";

static uint8_t *encoded(size_t *bytes) {
  void *data;
  moho_program *program = program_of(source);
  assert_ok(moho_program_encode(program, &data, bytes));
  moho_program_destroy(&program);
  return data;
}

static void sign(uint8_t *data, size_t bytes) {
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, data, bytes - 32);
  moho_sha256_end(&hash, data + bytes - 32);
}

static void comes_back(void **state) {
  (void)state;
  size_t bytes, again_bytes;
  uint8_t *data = encoded(&bytes);
  void *again;
  char *text, *expected;
  moho_program *program, *first = program_of(source);
  assert_ok(moho_program_decode(data, bytes, &program));
  assert_ok(moho_program_disassemble(program, &text));
  assert_ok(moho_program_disassemble(first, &expected));
  assert_string_equal(text, expected);
  assert_ok(moho_program_encode(program, &again, &again_bytes));
  assert_int_equal(bytes, again_bytes);
  assert_memory_equal(data, again, bytes);
  free(data), free(again), free(text), free(expected);
  moho_program_destroy(&program), moho_program_destroy(&first);
}

/* The bytes of a small program, written down: the form is a contract. */
static void layout(void **state) {
  (void)state;
  static const uint8_t expected[] = {'M', 'O', 'H', 'O', 'P', 'R', 'O', 'G', 1, 0, 0, 0, 102, 0, 0, 0, /* version, bytes */
                                     1,   0,   0,   0,   0,   0,   1,   0,   0, 0, 0, 0, 1,   0,       /* counts */
                                     1,   'r', 5,   1,   'y', 5,   2,                                  /* u16 both; out */
                                     1,   't', 2,   0,   0,   0,   1,   0};
  moho_program *program = program_of("program t\nbuffer out u16 y\nregister u16 r\nset r, 258\nstore y[5], r\n");
  void *data;
  size_t bytes;
  assert_ok(moho_program_encode(program, &data, &bytes));
  const uint8_t *at = data;
  assert_memory_equal(at, expected, 12);
  assert_int_equal(at[12] | at[13] << 8, bytes);
  assert_memory_equal(at + 16, expected + 16, 14 + 7 + 6);
  const uint8_t instructions[] = {1, 0, 0,    0,    0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0,
                                  6, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0};
  assert_memory_equal(at + bytes - 32 - 36, instructions, 36);
  free(data);
  moho_program_destroy(&program);
}

static void any_byte_changed(void **state) {
  (void)state;
  size_t bytes;
  uint8_t *data = encoded(&bytes);
  moho_program *program = NULL;
  for (size_t i = 0; i < bytes; i++)
    for (unsigned bit = 0; bit < 8; bit++) {
      data[i] = (uint8_t)(data[i] ^ 1u << bit);
      assert_int_equal(moho_program_decode(data, bytes, &program), MOHO_ERROR_FORMAT);
      assert_null(program);
      data[i] = (uint8_t)(data[i] ^ 1u << bit);
    }
  for (size_t n = 0; n < bytes; n++) assert_int_equal(moho_program_decode(data, n, &program), MOHO_ERROR_FORMAT);
  uint8_t *longer = calloc(bytes + 1, 1);
  memcpy(longer, data, bytes);
  assert_fails(moho_program_decode(longer, bytes + 1, &program), MOHO_ERROR_FORMAT, "bytes, here are");
  free(data), free(longer);
}

/* Under a checksum that fits: whatever is changed is refused, or is a program that encodes to just these bytes. */
static void any_byte_forged(void **state) {
  (void)state;
  size_t bytes, refused = 0, taken = 0;
  uint8_t *data = encoded(&bytes);
  for (size_t i = 0; i + 32 < bytes; i++)
    for (unsigned value = 0; value < 256; value += i < 40 ? 1 : 7) {
      uint8_t before = data[i];
      moho_program *program = NULL;
      data[i] = (uint8_t)value;
      sign(data, bytes);
      if (moho_program_decode(data, bytes, &program)) {
        assert_null(program);
        assert_true(moho_last_error()->message[0]);
        refused++;
      } else {
        void *again;
        size_t n;
        assert_ok(moho_program_encode(program, &again, &n));
        assert_true(n == bytes && memcmp(again, data, n) == 0);
        free(again);
        moho_program_destroy(&program);
        taken++;
      }
      data[i] = before;
    }
  assert_true(refused > 5000 && taken > 100);
  free(data);
}

static void words(void **state) {
  (void)state;
  size_t bytes;
  uint8_t *data = encoded(&bytes);
  moho_program *program;
  data[8] = 2;
  sign(data, bytes);
  assert_fails(moho_program_decode(data, bytes, &program), MOHO_ERROR_FORMAT,
               "a program of version 2, this library reads version 1");
  data[8] = 1;
  data[bytes - 40] ^= 1;
  assert_fails(moho_program_decode(data, bytes, &program), MOHO_ERROR_FORMAT, "checksum is wrong");
  assert_fails(moho_program_decode("hello", 5, &program), MOHO_ERROR_FORMAT, "are no program");
  free(data);
}

static void files(void **state) {
  (void)state;
  char *text, *expected;
  moho_program *program = program_of(source), *loaded;
  assert_ok(moho_program_disassemble(program, &expected));
  assert_ok(moho_program_save(program, test_path("t.mpb")));
  assert_ok(moho_program_load(test_path("t.mpb"), &loaded));
  assert_ok(moho_program_disassemble(loaded, &text));
  assert_string_equal(text, expected);
  moho_program_destroy(&loaded);
  assert_ok(moho_file_write_all(test_path("t.mp"), source, sizeof source - 1));
  assert_ok(moho_program_load(test_path("t.mp"), &loaded));
  moho_program_destroy(&loaded);
  assert_ok(moho_file_write_all(test_path("bad.mp"), "program t\nfrobnicate\n", 21));
  assert_fails(moho_program_load(test_path("bad.mp"), &loaded), MOHO_ERROR_KEY, "\"frobnicate\" is neither");
  assert_non_null(strstr(moho_last_error()->file, "bad.mp"));
  assert_int_equal(moho_last_error()->line, 2);
  assert_ok(moho_file_write_all(test_path("zero.mp"), "program\0t", 9));
  assert_fails(moho_program_load(test_path("zero.mp"), &loaded), MOHO_ERROR_FORMAT,
               "neither a program's text nor its binary form");
  assert_int_not_equal(moho_program_load(test_path("none.mp"), &loaded), MOHO_OK);
  free(text), free(expected);
  moho_program_destroy(&program);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back),      cmocka_unit_test(layout), cmocka_unit_test(any_byte_changed),
      cmocka_unit_test(any_byte_forged), cmocka_unit_test(words),  cmocka_unit_test(files)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
