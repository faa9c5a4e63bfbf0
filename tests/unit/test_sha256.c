/* test_sha256.c - the fingerprint against the standard's own examples (FIPS 180-4; NIST's example values). */
#include <string.h>

#include "base/sha256.h"
#include "test_support.h"

static void assert_hash(const void *data, size_t bytes, size_t times, size_t step, const char *expected) {
  moho_sha256 hash = moho_sha256_begin();
  uint8_t digest[32];
  char text[65];
  for (size_t i = 0; i < times; i++)
    for (size_t at = 0; at < bytes; at += step)
      moho_sha256_add(&hash, (const char *)data + at, bytes - at < step ? bytes - at : step);
  moho_sha256_end(&hash, digest);
  moho_sha256_text(digest, text);
  assert_string_equal(text, expected);
}

static void standard_examples(void **state) {
  (void)state;
  const char *two_blocks = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
  char a[1000];
  memset(a, 'a', sizeof a);
  assert_hash("", 0, 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  assert_hash("abc", 3, 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  for (size_t step = 1; step <= 56; step++) /* any slicing gives the same */
    assert_hash(two_blocks, 56, 1, step, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  assert_hash(a, 1000, 1000, 1000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  assert_hash(a, 1000, 1000, 77, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(standard_examples)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
