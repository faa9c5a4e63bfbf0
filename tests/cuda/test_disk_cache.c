/* test_disk_cache.c - compiled kernels kept between runs: found again, damage and foreign files ignored, bounded, private. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "base/file_writer.h"
#include "device/cuda/cuda_disk_cache.h"
#include "test_support.h"

static char folder[400];

static const char *key_of(unsigned number, char key[65]) {
  snprintf(key, 65, "%064x", number);
  return key;
}

static void file_of(unsigned number, char path[500]) {
  char key[65];
  snprintf(path, 500, "%s/%s.cuda", folder, key_of(number, key));
}

static int fresh(void **state) {
  static int made;
  char base[300];
  (void)state;
  snprintf(base, sizeof base, "%s/cache%d", test_directory(), made++);
  snprintf(folder, sizeof folder, "%s/moho", base);
  setenv("XDG_CACHE_HOME", base, 1);
  unsetenv("MOHO_CACHE");
  return 0;
}

static size_t count_files(void) {
  size_t n = 0;
  DIR *entries = opendir(folder);
  if (!entries) return 0;
  for (struct dirent *entry; (entry = readdir(entries));) n += entry->d_name[0] != '.';
  closedir(entries);
  return n;
}

static void assert_holds(unsigned number, const char *text) {
  char key[65], *data;
  size_t bytes;
  assert_true(moho_disk_cache_load(key_of(number, key), &data, &bytes));
  assert_int_equal(bytes, strlen(text) + 1);
  assert_string_equal(data, text);
  free(data);
}

static void assert_lacks(unsigned number) {
  char key[65], *data = (char *)1;
  size_t bytes = 1;
  assert_false(moho_disk_cache_load(key_of(number, key), &data, &bytes));
  assert_null(data);
  assert_int_equal(bytes, 0);
}

static void store(unsigned number, const char *text) {
  char key[65];
  assert_true(moho_disk_cache_store(key_of(number, key), text, strlen(text) + 1));
}

static void what_was_stored_is_found(void **state) {
  struct stat status;
  (void)state;
  assert_lacks(1);
  store(1, "machine code");
  store(2, "other code");
  assert_holds(1, "machine code");
  assert_holds(2, "other code");
  store(1, "better code");
  assert_holds(1, "better code");
  assert_int_equal(stat(folder, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0700);
  assert_int_equal(count_files(), 2);
}

/* A bit anywhere, and every shorter length. */
static void damage_is_ignored_and_rewritten(void **state) {
  char path[500], *whole;
  size_t bytes;
  (void)state;
  store(1, "machine code");
  file_of(1, path);
  assert_ok(moho_file_read_all(path, 1 << 20, &whole, &bytes));
  for (size_t i = 0; i < bytes; i++) {
    whole[i] = (char)(whole[i] ^ 4);
    assert_ok(moho_file_write_all(path, whole, bytes));
    assert_lacks(1);
    whole[i] = (char)(whole[i] ^ 4);
    assert_ok(moho_file_write_all(path, whole, i));
    assert_lacks(1);
  }
  store(1, "machine code");
  assert_holds(1, "machine code");
  free(whole);
}

static void a_file_of_another_key_is_ignored(void **state) {
  char from[500], to[500];
  (void)state;
  store(1, "machine code");
  file_of(1, from), file_of(2, to);
  assert_int_equal(rename(from, to), 0);
  assert_lacks(2);
}

static void off_is_off(void **state) {
  char key[65];
  (void)state;
  store(1, "machine code");
  setenv("MOHO_CACHE", "off", 1);
  assert_lacks(1);
  assert_false(moho_disk_cache_store(key_of(2, key), "x", 2));
  unsetenv("MOHO_CACHE");
  assert_holds(1, "machine code");
  assert_lacks(2);
}

static void a_folder_that_others_may_write_to_is_not_used(void **state) {
  char key[65];
  (void)state;
  store(1, "machine code");
  for (unsigned mode = 0720; mode >= 0702; mode -= 016) {
    assert_int_equal(chmod(folder, mode), 0);
    assert_lacks(1);
    assert_false(moho_disk_cache_store(key_of(2, key), "x", 2));
  }
  assert_int_equal(chmod(folder, 0700), 0);
  assert_holds(1, "machine code");
  if (geteuid()) return;
  assert_int_equal(chown(folder, 12345, 0), 0); /* another one's */
  assert_lacks(1);
  assert_false(moho_disk_cache_store(key_of(2, key), "x", 2));
  assert_int_equal(chown(folder, 0, 0), 0);
}

static void no_more_files_than_allowed(void **state) {
  char path[500];
  (void)state;
  for (unsigned i = 1; i <= MOHO_DISK_CACHE_FILES; i++) {
    store(i, "machine code");
    file_of(i, path);
    assert_int_equal(utime(path, &(struct utimbuf){.actime = 1000000 + i, .modtime = 1000000 + i}), 0);
  }
  assert_holds(1, "machine code"); /* used just now: the next oldest goes */
  store(9999, "machine code");
  assert_int_equal(count_files(), MOHO_DISK_CACHE_FILES);
  assert_lacks(2);
  assert_holds(1, "machine code");
  assert_holds(3, "machine code");
  assert_holds(9999, "machine code");
}

static void no_more_bytes_than_allowed(void **state) {
  char path[500], key[65], *large = calloc(1, MOHO_DISK_CACHE_BYTES / 4);
  size_t each = MOHO_DISK_CACHE_BYTES / 4 - 200;
  (void)state;
  assert_non_null(large);
  for (unsigned i = 1; i <= 4; i++) {
    assert_true(moho_disk_cache_store(key_of(i, key), large, each));
    file_of(i, path);
    assert_int_equal(utime(path, &(struct utimbuf){.actime = 1000000 + i, .modtime = 1000000 + i}), 0);
  }
  assert_int_equal(count_files(), 4);
  assert_true(moho_disk_cache_store(key_of(5, key), large, each));
  assert_int_equal(count_files(), 4);
  assert_lacks(1);
  free(large);
}

static void a_full_disk_is_no_error(void **state) {
  char key[65];
  (void)state;
  assert_fails(moho_fail(MOHO_ERROR_RANGE, "an error from before"), MOHO_ERROR_RANGE, "from before");
  moho_file_writer_set_fault(28 /* ENOSPC */, 50);
  assert_false(moho_disk_cache_store(key_of(1, key), "machine code", 13));
  moho_file_writer_set_fault(0, -1);
  assert_lacks(1);
  assert_int_equal(count_files(), 0);
  assert_string_equal(moho_last_error()->message, "an error from before");
}

static void files_that_a_killed_process_left_are_removed(void **state) {
  char path[600];
  (void)state;
  store(1, "machine code");
  snprintf(path, sizeof path, "%s/x.cuda.partial-12", folder);
  assert_ok(moho_file_write_all(path, "half", 4));
  store(2, "machine code");
  assert_int_equal(count_files(), 3); /* it may be at work still */
  assert_int_equal(utime(path, &(struct utimbuf){.actime = 1000000, .modtime = 1000000}), 0);
  store(3, "machine code");
  assert_int_equal(count_files(), 3);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test_setup(what_was_stored_is_found, fresh),
                                     cmocka_unit_test_setup(damage_is_ignored_and_rewritten, fresh),
                                     cmocka_unit_test_setup(a_file_of_another_key_is_ignored, fresh),
                                     cmocka_unit_test_setup(off_is_off, fresh),
                                     cmocka_unit_test_setup(a_folder_that_others_may_write_to_is_not_used, fresh),
                                     cmocka_unit_test_setup(no_more_files_than_allowed, fresh),
                                     cmocka_unit_test_setup(no_more_bytes_than_allowed, fresh),
                                     cmocka_unit_test_setup(a_full_disk_is_no_error, fresh),
                                     cmocka_unit_test_setup(files_that_a_killed_process_left_are_removed, fresh)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
