/* test_journal.c - the journal of a run: what it was told is there after any stop, and what is wrong with it is seen. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_writer.h"
#include "job/journal.h"
#include "test_support.h"

enum { BLOCKS = 5 };

static json_t *identity(double aperture) {
  return json_pack("{s:s, s:f, s:s}", "input.traces", "1000 traces", "migration.aperture.max_m", aperture, "velocity",
                   "v.txt 71");
}

static const char *output(const char *name) {
  static char path[700];
  char hidden[720];
  snprintf(path, sizeof path, "%s", test_path(name));
  snprintf(hidden, sizeof hidden, "%s/.moho", path);
  assert_ok(moho_directory_make(hidden));
  return path;
}

static const char *file_of(const char *directory) {
  static char path[760];
  snprintf(path, sizeof path, "%s/.moho/journal", directory);
  return path;
}

static moho_status open_as(const char *directory, double aperture, moho_resume policy, moho_journal **out) {
  json_t *id = identity(aperture);
  moho_status status = moho_journal_open(directory, id, policy, out);
  json_decref(id);
  return status;
}

static json_t *facts(size_t block) {
  return json_pack("{s:I, s:f, s:s}", "contributions", (json_int_t)(1000000007 * (block + 1)), "seconds", 0.1 * (double)block,
                   "mark", "00ff");
}

static moho_status finish(moho_journal *journal, size_t block) {
  json_t *f = facts(block);
  moho_status status = moho_journal_finish_block(journal, block, f);
  json_decref(f);
  return status;
}

static moho_status set_plan(moho_journal *journal) {
  json_t *plan = json_pack("{s:[i, i, i]}", "edges", 0, 32, 41);
  moho_status status = moho_journal_set_plan(journal, plan, BLOCKS);
  json_decref(plan);
  return status;
}

static void what_was_told_comes_back(void **state) {
  (void)state;
  const char *directory = output("told");
  moho_journal *journal;
  assert_false(moho_journal_exists(directory));
  assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
  assert_null(moho_journal_get_plan(journal));
  assert_ok(set_plan(journal));
  assert_ok(finish(journal, 3));
  assert_ok(finish(journal, 0));
  assert_ok(moho_journal_undo_block(journal, 3));
  assert_ok(finish(journal, 4));
  assert_fails(finish(journal, BLOCKS), MOHO_ERROR_INTERNAL, "block 5 of 5");
  moho_journal_close(&journal);
  assert_true(moho_journal_exists(directory));
  for (int sitting = 2; sitting < 4; sitting++) {
    assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
    assert_int_equal(moho_journal_sittings(journal), sitting);
    assert_int_equal(moho_journal_done(journal), 2);
    assert_int_equal(json_integer_value(json_array_get(json_object_get(moho_journal_get_plan(journal), "edges"), 2)), 41);
    for (size_t block = 0; block < BLOCKS; block++) {
      json_t *expected = facts(block);
      int is_done = block == 0 || block == 4;
      assert_int_equal(moho_journal_is_done(journal, block), is_done);
      assert_int_equal(json_equal(moho_journal_get_facts(journal, block), expected), is_done);
      json_decref(expected);
    }
    moho_journal_close(&journal);
  }
  assert_ok(open_as(directory, 3000, MOHO_RESUME_NEVER, &journal));
  assert_null(moho_journal_get_plan(journal));
  assert_int_equal(moho_journal_sittings(journal), 1);
  moho_journal_close(&journal);
}

/* It was refused before it was planned, for want of room on the disk perhaps: nothing is lost. */
static void another_job_may_begin_where_none_was_planned(void **state) {
  (void)state;
  const char *directory = output("unplanned");
  moho_journal *journal;
  assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
  moho_journal_close(&journal);
  assert_ok(open_as(directory, 2500, MOHO_RESUME_AUTO, &journal));
  assert_null(moho_journal_get_plan(journal));
  assert_int_equal(moho_journal_sittings(journal), 1);
  assert_ok(set_plan(journal));
  moho_journal_close(&journal);
  assert_fails(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal), MOHO_ERROR_EXISTS, "was 2500.0, is now 3000.0");
  assert_ok(open_as(directory, 2500, MOHO_RESUME_AUTO, &journal));
  assert_non_null(moho_journal_get_plan(journal));
  moho_journal_close(&journal);
}

static void another_job_is_refused_with_what_changed(void **state) {
  (void)state;
  const char *directory = output("changed");
  moho_journal *journal;
  assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
  assert_ok(set_plan(journal));
  assert_ok(finish(journal, 1));
  moho_journal_close(&journal);
  assert_fails(open_as(directory, 2500, MOHO_RESUME_AUTO, &journal), MOHO_ERROR_EXISTS,
               "migration.aperture.max_m was 3000.0, is now 2500.0; 1 of its 5 blocks are done");
  assert_null(journal);
  assert_string_equal(moho_last_error()->key, "migration.aperture.max_m");
  assert_non_null(strstr(moho_last_error()->hint, "execution.resume=never"));
  json_t *id = identity(3000);
  json_object_del(id, "velocity");
  assert_fails(moho_journal_open(directory, id, MOHO_RESUME_AUTO, &journal), MOHO_ERROR_EXISTS,
               "velocity was v.txt 71, is now not there");
  json_object_set_new(id, "velocity", json_string("v.txt 72"));
  json_object_set_new(id, "eta", json_string("none"));
  assert_fails(moho_journal_open(directory, id, MOHO_RESUME_AUTO, &journal), MOHO_ERROR_EXISTS,
               "velocity was v.txt 71, is now v.txt 72 (and 1 more)");
  json_decref(id);
  assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal)); /* a refusal changes nothing */
  assert_int_equal(moho_journal_done(journal), 1);
  moho_journal_close(&journal);
}

/* A session of known lines; the file's bytes. */
static void write_session(const char *directory, char **data, size_t *bytes) {
  moho_journal *journal;
  unlink(file_of(directory));
  assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
  assert_ok(set_plan(journal));
  for (size_t block = 0; block < 3; block++) assert_ok(finish(journal, block));
  moho_journal_close(&journal);
  assert_ok(moho_file_read_all(file_of(directory), 1 << 20, data, bytes));
}

static void a_torn_end_is_cut_off(void **state) {
  (void)state;
  const char *directory = output("torn");
  char *data;
  size_t bytes;
  moho_journal *journal;
  write_session(directory, &data, &bytes);
  for (size_t kept = 0; kept <= bytes; kept += kept % 50 < 40 ? 9 : 1) {
    size_t lines = 0;
    for (size_t i = 0; i < kept; i++) lines += data[i] == '\n';
    assert_ok(moho_file_write_all(file_of(directory), data, kept));
    assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
    /* identity, sitting, plan, three blocks */
    assert_int_equal(moho_journal_done(journal), lines > 3 ? lines - 3 : 0);
    assert_int_equal(moho_journal_get_plan(journal) != NULL, lines >= 3);
    if (lines < 3) assert_ok(set_plan(journal));
    assert_ok(finish(journal, 4));
    moho_journal_close(&journal);
    assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
    assert_true(moho_journal_is_done(journal, 4));
    moho_journal_close(&journal);
  }
  free(data);
}

static void a_wrong_line_in_the_middle_is_refused(void **state) {
  (void)state;
  const char *directory = output("wrong");
  char *data;
  size_t bytes, last;
  moho_journal *journal;
  write_session(directory, &data, &bytes);
  for (last = bytes - 1; data[last - 1] != '\n'; last--) continue; /* where the last line begins */
  for (size_t at = 0; at < bytes; at += at + 200 < bytes ? 3 : 1) {
    char kept = data[at];
    data[at] ^= 1;
    assert_ok(moho_file_write_all(file_of(directory), data, bytes));
    moho_status status = open_as(directory, 3000, MOHO_RESUME_AUTO, &journal);
    data[at] = kept;
    if (at + 1 >= last) {
      /* The last line may have been torn in any way, and it is the last two where no end parts them: done again. */
      assert_ok(status);
      assert_int_equal(moho_journal_done(journal), at < last ? 1 : 2);
    } else {
      assert_int_equal(status, MOHO_ERROR_FORMAT);
      assert_non_null(strstr(moho_last_error()->message, "the journal is damaged"));
      assert_non_null(strstr(moho_last_error()->hint, "execution.resume=never"));
    }
    moho_journal_close(&journal);
  }
  /* Lines that are right by themselves, and one of them gone. */
  char *second = memchr(data, '\n', bytes), *third = memchr(second + 1, '\n', bytes - (size_t)(second + 1 - data));
  size_t gone = (size_t)(third - second);
  memmove(second, third, bytes - (size_t)(third - data));
  assert_ok(moho_file_write_all(file_of(directory), data, bytes - gone));
  assert_fails(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal), MOHO_ERROR_FORMAT, ":2: the journal is damaged");
  free(data);
}

/* ---- stops ---- */

static int *told; /* shared with the child: blocks that finish() returned for */

static void session_with(const char *fault, const char *directory) {
  moho_journal *journal;
  moho_disk_set_fault(fault);
  moho_status status = open_as(directory, 3000, MOHO_RESUME_AUTO, &journal);
  if (!status && !moho_journal_get_plan(journal)) status = set_plan(journal);
  for (size_t block = 0; !status && block < BLOCKS; block++) {
    if (!moho_journal_is_done(journal, block)) status = finish(journal, block);
    if (!status) *told = (int)block + 1;
  }
  moho_journal_close(&journal);
  _exit(status ? 1 : 0);
}

/* However it is stopped, and stopped again on the way: what was told is there, and in the end all of it. */
static void any_stop_keeps_what_was_told(void **state) {
  (void)state;
  static const char *const words[] = {"KILL", "POWER", "TORN", "EIO", "ENOSPC", "SHORT"};
  const char *directory = output("stops");
  int stops = 0;
  for (int w = 0; w < 6; w++)
    for (int first = 1; first < 20; first += 4) {
      unlink(file_of(directory));
      *told = 0;
      for (int n = first, tries = 0;; n = 2 + n % 11) {
        char fault[20];
        int status;
        snprintf(fault, sizeof fault, "%s@%d", words[w], n);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) session_with(fault, directory);
        assert_int_equal(waitpid(child, &status, 0), child);
        int is_good = WIFEXITED(status) && WEXITSTATUS(status) == 0;
        stops += !is_good;
        moho_journal *journal;
        assert_ok(open_as(directory, 3000, MOHO_RESUME_AUTO, &journal));
        for (size_t block = 0; block < (size_t)*told; block++) assert_true(moho_journal_is_done(journal, block));
        assert_true(moho_journal_done(journal) <= (size_t)*told + 1);
        moho_journal_close(&journal);
        if (is_good) break;
        assert_true(++tries < 60);
      }
      assert_int_equal(*told, BLOCKS);
    }
  assert_true(stops > 30);
}

int main(void) {
  told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (told == MAP_FAILED) return 1;
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_told_comes_back),
                                     cmocka_unit_test(another_job_is_refused_with_what_changed),
                                     cmocka_unit_test(another_job_may_begin_where_none_was_planned),
                                     cmocka_unit_test(a_torn_end_is_cut_off),
                                     cmocka_unit_test(a_wrong_line_in_the_middle_is_refused),
                                     cmocka_unit_test(any_stop_keeps_what_was_told)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
