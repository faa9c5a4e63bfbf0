/* test_file_lock.c - one holder at a time, also after the holder was killed; and checksums, in the same words and others. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/file_lock.h"
#include "moho/status.h"
#include "test_support.h"

static void one_holder_at_a_time(void **state) {
  (void)state;
  const char *path = test_path("lock");
  moho_file_lock *mine, *other;
  long holder;
  assert_ok(moho_file_lock_try(path, &mine, NULL));
  assert_non_null(mine);
  assert_ok(moho_file_lock_try(path, &other, &holder));
  assert_null(other);
  assert_int_equal(holder, (long)getpid());
  moho_file_lock_release(&mine);
  assert_int_not_equal(access(path, F_OK), 0);
  assert_ok(moho_file_lock_try(path, &other, NULL));
  assert_non_null(other);
  moho_file_lock_release(&other);
  assert_fails(moho_file_lock_try(test_path("missing/lock"), &mine, NULL), MOHO_ERROR_IO, "No such file");
}

/* A child takes the lock, says so through a pipe, and is killed. */
static void a_killed_holder_lets_go(void **state) {
  (void)state;
  char path[600], byte;
  int ends[2];
  moho_file_lock *lock;
  long holder;
  snprintf(path, sizeof path, "%s", test_path("killed"));
  assert_int_equal(pipe(ends), 0);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    byte = moho_file_lock_try(path, &lock, NULL) || !lock ? 'n' : 'y';
    if (write(ends[1], &byte, 1) == 1)
      for (;;) pause();
    _exit(1);
  }
  assert_int_equal(read(ends[0], &byte, 1), 1);
  assert_int_equal(byte, 'y');
  assert_ok(moho_file_lock_try(path, &lock, &holder));
  assert_null(lock);
  assert_int_equal(holder, (long)child);
  assert_int_equal(kill(child, SIGKILL), 0);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_ok(moho_file_lock_try(path, &lock, NULL));
  assert_non_null(lock);
  moho_file_lock_release(&lock);
  close(ends[0]), close(ends[1]);
}

/* Every bit of every length up to three blocks matters, and so do length, seed and two equal changes in one lane. */
static void a_checksum_sees_every_bit(void **state) {
  (void)state;
  unsigned char bytes[97], copy[97];
  uint64_t random = 7;
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)(256 * test_uniform(&random));
  for (size_t n = 0; n <= sizeof bytes; n++) {
    uint64_t sum = moho_checksum(bytes, n, 5);
    assert_true(sum != moho_checksum(bytes, n, 6));
    if (n) assert_true(sum != moho_checksum(bytes, n - 1, 5));
    for (size_t bit = 0; bit < 8 * n; bit++) {
      memcpy(copy, bytes, n);
      copy[bit / 8] ^= (unsigned char)(1 << bit % 8);
      assert_true(sum != moho_checksum(copy, n, 5));
    }
  }
  memcpy(copy, bytes, sizeof bytes);
  copy[7] ^= 0x80, copy[39] ^= 0x80;
  assert_true(moho_checksum(bytes, sizeof bytes, 0) != moho_checksum(copy, sizeof copy, 0));
  memset(copy, 0, sizeof copy);
  assert_true(moho_checksum(copy, 31, 0) != moho_checksum(copy, 32, 0));
}

/* Files keep checksums. The numbers are those of a few lines of Python that follow checksum.h. */
static void checksums_stay_what_they_are(void **state) {
  (void)state;
  unsigned char bytes[100];
  for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (unsigned char)i;
  assert_true(moho_checksum(bytes, 0, 0) == UINT64_C(0x82a3920a75ce1121));
  assert_true(moho_checksum(bytes, sizeof bytes, 42) == UINT64_C(0x22e4956387ef9f7b));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(one_holder_at_a_time), cmocka_unit_test(a_killed_holder_lets_go),
                                     cmocka_unit_test(a_checksum_sees_every_bit), cmocka_unit_test(checksums_stay_what_they_are)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
