/* test_disk_faults.c - a disk that fails, a process that dies, a power that goes, at every single call that changes the disk. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_append.h"
#include "base/file_writer.h"
#include "test_support.h"

enum { BYTES = 5000, LINES = 6 };

static char older[BYTES], newer[BYTES + 700];

static void read_whole(const char *path, char **data, size_t *bytes) {
  assert_ok(moho_file_read_all(path, 1 << 20, data, bytes));
}

static int holds(const char *path, const char *expected, size_t n) {
  char *data;
  size_t bytes;
  read_whole(path, &data, &bytes);
  int same = bytes == n && memcmp(data, expected, n) == 0;
  free(data);
  return same;
}

static moho_status replace(const char *path) {
  moho_file_writer *writer;
  MOHO_TRY(moho_file_writer_open(path, &writer));
  moho_status status = moho_file_writer_write(writer, newer, 3000);
  if (!status) status = moho_file_writer_write(writer, newer + 3000, sizeof newer - 3000);
  if (!status) status = moho_file_writer_commit(&writer);
  else moho_file_writer_discard(&writer);
  return status ? status : moho_directory_sync(test_directory());
}

/* The act in a process of its own, with a fault; 1 when it died. *result: what the act returned, where it lived. */
static int in_a_child(const char *fault, moho_status (*act)(const char *), const char *path, int *result) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    moho_disk_set_fault(fault);
    _exit(act(path) ? 1 : 0);
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  if (WIFSIGNALED(status)) {
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return 1;
  }
  *result = WEXITSTATUS(status);
  return 0;
}

static void short_writes_lose_nothing(void **state) {
  (void)state;
  const char *path = test_path("short");
  for (int n = 1; n < 12; n++) {
    char fault[20];
    snprintf(fault, sizeof fault, "SHORT@%d", n);
    assert_ok(moho_file_write_all(path, older, sizeof older));
    moho_disk_set_fault(fault);
    assert_ok(replace(path));
    moho_disk_set_fault(NULL);
    assert_true(holds(path, newer, sizeof newer));
  }
}

static void a_call_that_fails_leaves_the_older_file(void **state) {
  (void)state;
  const char *path = test_path("fails");
  int failures = 0, successes = 0;
  for (int n = 1; n < 12; n++) {
    char fault[20];
    snprintf(fault, sizeof fault, n % 2 ? "EIO@%d" : "ENOSPC@%d", n);
    assert_ok(moho_file_write_all(path, older, sizeof older));
    moho_disk_set_fault(fault);
    moho_status status = replace(path);
    uint64_t calls = moho_disk_calls();
    moho_disk_set_fault(NULL);
    if (status) assert_int_equal(status, MOHO_ERROR_IO);
    status ? failures++ : successes++;
    /* The fifth call syncs the directory: the file is there, its name may not last. */
    assert_true(holds(path, !status || n == 5 ? newer : older, !status || n == 5 ? sizeof newer : sizeof older));
    assert_true(status ? calls == (uint64_t)n : calls == 5);
  }
  assert_int_equal(failures, 5); /* write, write, sync, rename, sync of the directory */
  assert_int_equal(successes, 6);
}

static void a_process_that_dies_leaves_one_or_the_other(void **state) {
  (void)state;
  static const char *const words[] = {"KILL", "POWER", "TORN"};
  const char *path = test_path("dies");
  for (int w = 0; w < 3; w++) {
    int deaths = 0, result = 1;
    for (int n = 1; n < 9; n++) {
      char fault[20];
      snprintf(fault, sizeof fault, "%s@%d", words[w], n);
      assert_ok(moho_file_write_all(path, older, sizeof older));
      int died = in_a_child(fault, replace, path, &result);
      deaths += died;
      if (!died) assert_int_equal(result, 0);
      int is_new = access(path, F_OK) == 0 && holds(path, newer, sizeof newer);
      if (!died) assert_true(is_new);
      /* Before the directory is synced a loss of power takes the new name back; a torn rename is what fsync excludes: it must be
       * seen to do what it says. */
      if (died && w == 1) assert_false(is_new);
      if (died && !is_new && w < 2) assert_true(holds(path, older, sizeof older));
      if (died && w == 2 && n == 4) assert_true(!is_new && !holds(path, older, sizeof older));
      moho_directory_sweep(test_directory());
    }
    assert_int_equal(deaths, 5);
  }
}

/* ---- a file that grows ---- */

static int *acknowledged; /* shared with the child: lines that it was told are on disk */

static moho_status append_lines(const char *path) {
  moho_file_append *file;
  MOHO_TRY(moho_file_append_open(path, 0, &file));
  moho_status status = MOHO_OK;
  for (int i = 0; i < LINES && !status; i++) {
    char line[40];
    snprintf(line, sizeof line, "line %d of several\n", i);
    status = moho_file_append_write(file, line, strlen(line));
    if (!status) *acknowledged = i + 1;
  }
  moho_file_append_close(&file);
  return status;
}

/* Whole lines at the beginning, each as it was written. */
static int whole_lines(const char *path, int *torn) {
  char *data;
  size_t bytes, at = 0;
  int n = 0;
  *torn = 0;
  if (access(path, F_OK)) return 0;
  read_whole(path, &data, &bytes);
  for (; n < LINES; n++) {
    char line[40];
    int length = snprintf(line, sizeof line, "line %d of several\n", n);
    if (bytes - at < (size_t)length || memcmp(data + at, line, (size_t)length) != 0) break;
    at += (size_t)length;
  }
  *torn = at < bytes;
  free(data);
  return n;
}

static void a_line_that_was_acknowledged_is_there(void **state) {
  (void)state;
  static const char *const words[] = {"KILL", "POWER", "TORN", "EIO", "ENOSPC", "SHORT"};
  const char *path = test_path("lines");
  for (int w = 0; w < 6; w++)
    for (int n = 1; n < 2 * LINES + 6; n++) {
      char fault[20];
      int torn, result = 1;
      snprintf(fault, sizeof fault, "%s@%d", words[w], n);
      unlink(path);
      *acknowledged = 0;
      int died = in_a_child(fault, append_lines, path, &result);
      int lines = whole_lines(path, &torn);
      assert_true(lines >= *acknowledged && lines <= *acknowledged + 1);
      if (torn) assert_true(died && w == 2); /* half a line only where the process died in the middle of it */
      if (!died && result == 0) assert_int_equal(lines, LINES);
      if (w == 5) assert_true(!died && result == 0);
      if ((w == 3 || w == 4) && result) assert_true(lines == *acknowledged);
    }
}

static void a_file_that_grows_can_be_cut(void **state) {
  (void)state;
  moho_file_append *file;
  const char *path = test_path("cut");
  assert_ok(moho_file_write_all(path, "one\ntwo\nthr", 11));
  assert_ok(moho_file_append_open(path, 8, &file));
  assert_ok(moho_file_append_write(file, "three\n", 6));
  moho_file_append_close(&file);
  assert_true(holds(path, "one\ntwo\nthree\n", 14));
  assert_fails(moho_file_append_open(test_path("no/such/file"), 0, &file), MOHO_ERROR_IO, "opening failed");
  assert_null(file);
}

int main(void) {
  acknowledged = mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (acknowledged == MAP_FAILED) return 1;
  for (size_t i = 0; i < sizeof newer; i++) newer[i] = (char)(i % 251), older[i % BYTES] = (char)(i % 13);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(short_writes_lose_nothing), cmocka_unit_test(a_call_that_fails_leaves_the_older_file),
      cmocka_unit_test(a_process_that_dies_leaves_one_or_the_other), cmocka_unit_test(a_line_that_was_acknowledged_is_there),
      cmocka_unit_test(a_file_that_grows_can_be_cut)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
