/* test_file_writer.c - the one way anything is written: nothing partial under a final name, whatever goes wrong. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "test_support.h"

static int exists(const char *path) {
  struct stat status;
  return stat(path, &status) == 0;
}

static void assert_holds(const char *path, const char *text) {
  char *data;
  size_t bytes;
  assert_ok(moho_file_read_all(path, 1000, &data, &bytes));
  assert_string_equal(data, text);
  assert_int_equal(bytes, strlen(text));
  free(data);
}

/* The name under which `path` is written before it is whole, or an older one waits ("partial", "old"). */
static const char *beside(const char *path, const char *word) {
  static char name[600];
  snprintf(name, sizeof name, "%s.%s-%ld", path, word, (long)getpid());
  return name;
}

static void a_file_appears_when_it_is_whole(void **state) {
  (void)state;
  const char *path = test_path("file");
  moho_file_writer *writer;
  assert_ok(moho_file_writer_open(path, &writer));
  assert_ok(moho_file_writer_write(writer, "hello", 5));
  assert_ok(moho_file_writer_write_at(writer, 0, "J", 1));
  assert_false(exists(path));
  assert_ok(moho_file_writer_commit(&writer));
  assert_null(writer);
  assert_holds(path, "Jello");
  assert_ok(moho_file_write_all(path, "new", 3));
  assert_holds(path, "new");
}

static void a_full_disk_leaves_what_was_there(void **state) {
  (void)state;
  const char *path = test_path("kept");
  assert_ok(moho_file_write_all(path, "old", 3));
  moho_file_writer_set_fault(ENOSPC, 4);
  assert_fails(moho_file_write_all(path, "12345", 5), MOHO_ERROR_IO, "writing failed");
  moho_file_writer_set_fault(0, -1);
  assert_non_null(strstr(moho_last_error()->hint, "free some space"));
  assert_holds(path, "old");
  assert_false(exists(beside(path, "partial")));
}

static void only_ordinary_files_are_replaced(void **state) {
  (void)state;
  char pipe_path[600], link_path[600], target[600];
  snprintf(pipe_path, sizeof pipe_path, "%s", test_path("pipe"));
  snprintf(link_path, sizeof link_path, "%s", test_path("link"));
  snprintf(target, sizeof target, "%s", test_path("target"));
  moho_file_writer *writer;
  assert_int_equal(mkfifo(pipe_path, 0600), 0);
  assert_fails(moho_file_writer_open(pipe_path, &writer), MOHO_ERROR_ARGUMENT, "is a device or pipe, expected an ordinary file");
  assert_null(writer);
  struct stat status;
  assert_true(stat(pipe_path, &status) == 0 && S_ISFIFO(status.st_mode));
  assert_fails(moho_file_writer_open(test_directory(), &writer), MOHO_ERROR_ARGUMENT, "is a directory");
  /* A link stays a link: its file is what is written. */
  assert_ok(moho_file_write_all(target, "old", 3));
  assert_int_equal(symlink(target, link_path), 0);
  assert_ok(moho_file_write_all(link_path, "new", 3));
  assert_true(lstat(link_path, &status) == 0 && S_ISLNK(status.st_mode));
  assert_holds(target, "new");
}

static void a_directory_is_replaced_whole(void **state) {
  (void)state;
  const char *path = test_path("directory"), *inside = test_path("directory/part");
  for (int turn = 0; turn < 2; turn++) {
    char *temporary, part[1024];
    assert_ok(moho_directory_begin(path, &temporary));
    snprintf(part, sizeof part, "%s/part", temporary);
    assert_ok(moho_file_write_all(part, turn ? "second" : "first", turn ? 6 : 5));
    if (turn) assert_holds(inside, "first");
    /* a process of this number was killed here once: what it put aside must not stand in the way */
    assert_ok(moho_directory_make(beside(path, "old")));
    snprintf(part, sizeof part, "%s/part", beside(path, "old"));
    assert_ok(moho_file_write_all(part, "stale", 5));
    assert_ok(moho_directory_commit(path, &temporary));
    assert_null(temporary);
    assert_holds(inside, turn ? "second" : "first");
    assert_false(exists(beside(path, "old")) || exists(beside(path, "partial")));
  }
}

static void a_directory_that_is_given_up_leaves_nothing(void **state) {
  (void)state;
  const char *path = test_path("given-up");
  char *temporary;
  assert_ok(moho_directory_begin(path, &temporary));
  assert_true(exists(temporary));
  moho_directory_discard(&temporary);
  assert_null(temporary);
  assert_false(exists(path) || exists(beside(path, "partial")));
}

static void directories_are_made_with_their_parents(void **state) {
  (void)state;
  assert_ok(moho_directory_make(test_path("a/b/c")));
  assert_true(exists(test_path("a/b/c")));
  assert_ok(moho_directory_make(test_path("a/b/c")));
  assert_ok(moho_file_write_all(test_path("a/file"), "", 0));
  assert_fails(moho_directory_make(test_path("a/file/d")), MOHO_ERROR_IO, "creating the directory failed");
  assert_fails(moho_directory_make(test_path("a/file")), MOHO_ERROR_IO, "Not a directory");
  char *empty = strdup("");
  assert_fails(moho_directory_make(empty), MOHO_ERROR_IO, "creating the directory failed");
  free(empty);
}

static void what_cannot_be_read_is_named(void **state) {
  (void)state;
  char *data;
  size_t bytes;
  assert_fails(moho_file_read_all(test_path("nothing"), 10, &data, &bytes), MOHO_ERROR_NOT_FOUND, "no such file");
  assert_fails(moho_file_read_all(test_directory(), 10, &data, &bytes), MOHO_ERROR_FORMAT, "is a directory");
  assert_ok(moho_file_write_all(test_path("long"), "0123456789A", 11));
  assert_fails(moho_file_read_all(test_path("long"), 10, &data, &bytes), MOHO_ERROR_TOO_LARGE, "expected at most 10");
  assert_null(data);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_file_appears_when_it_is_whole),  cmocka_unit_test(a_full_disk_leaves_what_was_there),
      cmocka_unit_test(a_directory_is_replaced_whole),    cmocka_unit_test(a_directory_that_is_given_up_leaves_nothing),
      cmocka_unit_test(only_ordinary_files_are_replaced), cmocka_unit_test(directories_are_made_with_their_parents),
      cmocka_unit_test(what_cannot_be_read_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
