/* test_trace_store_faults.c - a store is whole or is not there: disks that fill or fail at any call, processes killed and power
 * lost at any call, two builders at once, files that change, stores that were damaged, little memory. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <omp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/disk_calls.h"
#include "base/file_state.h"
#include "base/file_writer.h"
#include "store_survey.h"

static const store_survey small_survey = {STORE_SPREAD, 400, 51, 1, 5};

static moho_status try_open(moho_traces *traces, const char *directory, size_t memory, moho_progress_function progress,
                            void *user, moho_trace_store **out) {
  moho_trace_store_options options = moho_trace_store_options_default();
  options.directory = directory, options.memory_bytes = memory;
  options.progress = progress, options.progress_user = user;
  return moho_trace_store_open(&(moho_trace_source){.traces = traces}, &options, out);
}

static const char *keep_path(const char *name, char path[700]) {
  snprintf(path, 700, "%s", test_path(name));
  return path;
}

/* A store can be had and is right; nothing else lies in the place. */
static void assert_recovers(const char *path, const char *directory) {
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  assert_ok(try_open(traces, directory, 0, NULL, NULL, &store));
  store_assert_traces(store, traces, NULL, NULL, 90);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  assert_int_equal(store_count_files(directory), 1);
}

static uint64_t count_calls(const char *path) {
  moho_traces *traces = store_traces(path);
  moho_disk_set_fault(NULL);
  moho_trace_store *store = store_open(traces, "counted", 0);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  return moho_disk_calls();
}

static void a_disk_that_fails_at_any_call_leaves_nothing(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "fails.sgy"));
  uint64_t calls = count_calls(path);
  assert_true(calls > 10);
  for (uint64_t n = 1; n <= calls; n++) {
    char fault[40], name[40];
    snprintf(fault, sizeof fault, "%s@%llu", n % 2 ? "ENOSPC" : "EIO", (unsigned long long)n);
    snprintf(name, sizeof name, "fails-%llu", (unsigned long long)n);
    moho_traces *traces = store_traces(path);
    moho_trace_store *store;
    keep_path(name, directory);
    moho_disk_set_fault(fault);
    moho_status status = try_open(traces, directory, 0, NULL, NULL, &store);
    moho_disk_set_fault(NULL);
    if (status) { /* of the last calls some may fail without harm */
      assert_int_equal(status, MOHO_ERROR_IO);
      assert_non_null(strstr(moho_last_error()->message, strerror(n % 2 ? ENOSPC : EIO)));
      assert_null(store);
      assert_int_equal(store_count_files(directory), 0);
    }
    moho_trace_store_close(&store);
    moho_traces_close(&traces);
    assert_recovers(path, directory);
  }
}

/* ---- processes ---- */

static const char *program; /* this one, which begins anew: threads do not outlive a fork */

static pid_t begin_process(const char *work, const char *path, const char *directory, const char *fault) {
  pid_t child = fork();
  assert_true(child >= 0);
  if (child) return child;
  if (fault) setenv("MOHO_TEST_WRITE_FAULT", fault, 1);
  execlp(program, program, work, path, directory, (char *)NULL);
  _exit(127);
}

static int end_process(pid_t child) {
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

enum { BUILT, REUSED, FAILED };

static int open_alone(const char *path, const char *directory) {
  moho_traces *traces;
  moho_trace_store *store;
  if (moho_traces_open(path, NULL, &traces) || try_open(traces, directory, 0, NULL, NULL, &store)) return FAILED;
  int reused = moho_trace_store_get_info(store)->reused;
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  return reused ? REUSED : BUILT;
}

static void a_builder_killed_at_any_call_is_forgotten(void **state) {
  (void)state;
  static const char *const ways[] = {"KILL", "TORN", "POWER"};
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "killed.sgy"));
  uint64_t calls = count_calls(path);
  size_t killed = 0;
  for (uint64_t n = 1; n <= calls; n++) {
    char fault[40], name[40];
    snprintf(fault, sizeof fault, "%s@%llu", ways[n % 3], (unsigned long long)n);
    snprintf(name, sizeof name, "killed-%llu", (unsigned long long)n);
    int status = end_process(begin_process("open", path, keep_path(name, directory), fault));
    killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    assert_recovers(path, directory);
  }
  assert_true(killed >= calls - 2);
}

static void of_many_builders_one_builds(void **state) {
  (void)state;
  enum { BUILDERS = 6 };
  const store_survey survey = {STORE_SPREAD, 6000, 301, 0, 9};
  char path[700], directory[700];
  pid_t children[BUILDERS];
  int built = 0;
  snprintf(path, sizeof path, "%s", store_survey_save(&survey, "many.sgy"));
  keep_path("many", directory);
  for (int i = 0; i < BUILDERS; i++) children[i] = begin_process("open", path, directory, NULL);
  for (int i = 0; i < BUILDERS; i++) {
    int status = end_process(children[i]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) < FAILED);
    built += WEXITSTATUS(status) == BUILT;
  }
  assert_int_equal(built, 1);
  assert_recovers(path, directory);
}

/* ---- interruption ---- */

static int stop_half_way(void *user, const moho_progress *progress) {
  int *calls = user;
  ++*calls;
  return progress->total > 0 && progress->done >= progress->total / 2;
}

static void an_interrupted_build_leaves_nothing(void **state) {
  (void)state;
  const store_survey survey = {STORE_SPREAD, 20000, 251, 0, 15};
  char path[700], directory[700];
  int calls = 0;
  snprintf(path, sizeof path, "%s", store_survey_save(&survey, "stop.sgy"));
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  assert_fails(try_open(traces, keep_path("stop", directory), 16 << 20, stop_half_way, &calls, &store), MOHO_ERROR_INTERRUPTED,
               "interrupted");
  assert_true(calls >= 2);
  assert_int_equal(store_count_files(directory), 0);
  moho_traces_close(&traces);
  assert_recovers(path, directory);
}

/* ---- changes ---- */

static void change_byte(const char *path, int64_t at) {
  int file = open(path, O_RDWR);
  unsigned char byte;
  assert_true(file >= 0);
  assert_int_equal(pread(file, &byte, 1, at), 1);
  byte ^= 0x10;
  assert_int_equal(pwrite(file, &byte, 1, at), 1);
  assert_int_equal(close(file), 0);
}

/* A sample that no hash of headers sees, in a trace that no sample of traces holds: the time of change tells. */
static void a_file_that_changed_gets_a_new_store(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "changed.sgy"));
  keep_path("changed", directory);
  assert_recovers(path, directory);
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  change_byte(path, 3600 + 3 * (240 + 4 * 51) + 240 + 4 * 20);
  moho_traces_close(&traces);
  traces = store_traces(path);
  assert_ok(try_open(traces, directory, 0, NULL, NULL, &store));
  const moho_trace_store_info *info = moho_trace_store_get_info(store);
  assert_int_equal(info->reused, 0);
  assert_non_null(strstr(info->note, "the trace file changed: 1 store of what it was removed"));
  store_assert_traces(store, traces, NULL, NULL, 90);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  assert_int_equal(store_count_files(directory), 1);
}

static moho_status read_and_change(void *user, size_t first, size_t n, float *out) {
  moho_traces *traces = user;
  if (n > 1) change_byte(test_path("during.sgy"), 3600 + 300 * (240 + 4 * 51) + 240);
  return moho_traces_read(traces, first, n, out);
}

static void a_file_that_changes_meanwhile_is_refused(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "during.sgy"));
  keep_path("during", directory);
  moho_traces *traces = store_traces(path);
  moho_trace_store_options options = moho_trace_store_options_default();
  moho_trace_store *store;
  moho_trace_source source = {.traces = traces, .read = read_and_change, .user = traces};
  options.directory = directory;
  assert_fails(moho_trace_store_open(&source, &options, &store), MOHO_ERROR_FORMAT, "changed while its 400 traces were read");
  assert_int_equal(store_count_files(directory), 0);
  moho_traces_close(&traces);
}

static void a_bad_sample_is_an_error_of_its_trace(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "nan.sgy"));
  int file = open(path, O_WRONLY);
  const unsigned char nan[4] = {0x7f, 0xc0, 0, 0};
  assert_int_equal(pwrite(file, nan, 4, 3600 + 3 * (240 + 4 * 51) + 240 + 8), 4);
  close(file);
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  assert_fails(try_open(traces, keep_path("nan", directory), 0, NULL, NULL, &store), MOHO_ERROR_FORMAT,
               "trace 4, sample 3 is NaN");
  assert_int_equal(store_count_files(directory), 0);
  moho_traces_close(&traces);
}

/* ---- damage ---- */

static void in_store(const moho_trace_store *store, const char *name, char path[1100]) {
  snprintf(path, 1100, "%s/%s", moho_trace_store_get_info(store)->path, name);
}

static void check_damage(const char *path, const char *directory, const char *file_name, int64_t change, int64_t cut,
                         const char *words) {
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  char file[1100];
  assert_ok(try_open(traces, directory, 0, NULL, NULL, &store));
  in_store(store, file_name, file);
  moho_trace_store_close(&store);
  if (change >= 0) change_byte(file, change);
  else if (cut >= 0) assert_int_equal(truncate(file, cut), 0);
  else assert_int_equal(unlink(file), 0);
  assert_ok(try_open(traces, directory, 0, NULL, NULL, &store));
  const moho_trace_store_info *info = moho_trace_store_get_info(store);
  assert_int_equal(info->reused, 0);
  if (!strstr(info->note, words)) fail_msg("note \"%s\", expected \"%s\"", info->note, words);
  assert_non_null(strstr(info->note, "it is built again"));
  store_assert_traces(store, traces, NULL, NULL, 90);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  assert_int_equal(store_count_files(directory), 1);
}

static void a_damaged_store_is_built_again(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "damaged.sgy"));
  keep_path("damaged", directory);
  check_damage(path, directory, "meta.json", 30, -1, "meta.json");
  check_damage(path, directory, "meta.json", -1, 50, "is not JSON");
  check_damage(path, directory, "meta.json", -1, -1, "has no meta.json");
  for (int64_t at = 3; at < 20000; at += 4999) check_damage(path, directory, "geometry.bin", at, -1, "checksum differs");
  check_damage(path, directory, "geometry.bin", -1, 4096, "holds 4096 bytes, expected");
  check_damage(path, directory, "geometry.bin", -1, -1, "geometry.bin: holds 0 bytes");
  check_damage(path, directory, "samples.bin", -1, 4 * 51 * 100, "holds 20400 bytes, expected");
  check_damage(path, directory, "samples.bin", -1, -1, "samples.bin");
}

static void damaged_samples_are_told_when_they_are_read(void **state) {
  (void)state;
  char path[700], directory[700], file[1100];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "bits.sgy"));
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  moho_trace_cursor *cursor;
  moho_trace_batch batch;
  assert_ok(try_open(traces, keep_path("bits", directory), 0, NULL, NULL, &store));
  size_t row = 0; /* some trace that is live */
  while (moho_trace_store_get_geometry(store)->flags[row]) row++;
  in_store(store, "samples.bin", file);
  change_byte(file, (int64_t)(row * 51 * 4) + 77);
  assert_ok(moho_trace_cursor_create(store, NULL, 50, &cursor));
  moho_status status = MOHO_OK;
  uint64_t damaged = moho_trace_store_get_numbers(store)[row], seen = 0;
  do {
    status = moho_trace_cursor_next(cursor, &batch);
    for (size_t i = 0; i < batch.n; i++) assert_int_not_equal(batch.numbers[i], damaged);
    seen += batch.n;
  } while (!status && batch.n);
  assert_true(seen <= damaged);
  assert_fails(moho_trace_cursor_next(cursor, &batch), MOHO_ERROR_FORMAT, "not what was stored");
  assert_int_equal(moho_last_error()->trace, (int64_t)damaged + 1);
  moho_trace_cursor_destroy(&cursor);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
}

/* ---- room and memory ---- */

static void a_full_disk_is_told_first(void **state) {
  (void)state;
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&small_survey, "room.sgy"));
  moho_traces *traces = store_traces(path);
  moho_trace_store *store;
  moho_disk_set_free(50000);
  assert_fails(try_open(traces, keep_path("room", directory), 0, NULL, NULL, &store), MOHO_ERROR_TOO_LARGE,
               "the trace store takes");
  assert_string_equal(moho_last_error()->key, "execution.store");
  assert_int_equal(store_count_files(directory), 0);
  moho_disk_set_free(UINT64_MAX);
  assert_fails(try_open(traces, directory, 100000, NULL, NULL, &store), MOHO_ERROR_TOO_LARGE, "97.7 KiB are allowed");
  moho_traces_close(&traces);
  assert_recovers(path, directory);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { HAS_SHADOW_MEMORY = 1 };
#elif defined(__has_feature)
enum { HAS_SHADOW_MEMORY = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) };
#else
enum { HAS_SHADOW_MEMORY = 0 };
#endif

enum { LIMIT_MIB = 40, LIMITED_TRACES = 42000, LIMITED_NS = 1000, NO_LIMITS = 100 };

/* Files larger than memory are written piece by piece, too. */
static void write_large_survey(const char *path) {
  moho_traces_writer *writer;
  moho_geometry g;
  uint64_t random = 77;
  enum { PIECE = 1000 };
  static float samples[PIECE * LIMITED_NS];
  assert_ok(moho_geometry_create(PIECE, &g));
  assert_ok(moho_traces_writer_create(path, LIMITED_TRACES, LIMITED_NS, 0.004, "a test", &writer));
  for (size_t first = 0; first < LIMITED_TRACES; first += PIECE) {
    for (size_t i = 0; i < PIECE; i++) {
      g.source_x[i] = rint(20000 * test_uniform(&random)), g.source_y[i] = rint(20000 * test_uniform(&random));
      g.receiver_x[i] = g.source_x[i] + 200, g.receiver_y[i] = g.source_y[i] + 100;
      for (size_t j = 0; j < LIMITED_NS; j++) samples[i * LIMITED_NS + j] = (float)(first + i + 1) + 0.5f * (float)(j % 2);
    }
    assert_ok(moho_traces_writer_append(writer, &g, samples));
  }
  assert_ok(moho_traces_writer_finish(&writer));
  moho_geometry_release(&g);
}

/* Builds and reads all of it again; the exit code says what went wrong. */
static int work_in_little_memory(const char *path, const char *directory) {
  struct rlimit limit = {(rlim_t)LIMIT_MIB << 20, (rlim_t)LIMIT_MIB << 20};
  moho_traces *traces;
  moho_trace_store *store;
  moho_trace_cursor *cursor;
  moho_trace_batch batch = {0};
  uint64_t next = 0;
  omp_set_num_threads(2); /* each has a stack, which is data */
  if (setrlimit(RLIMIT_DATA, &limit)) return 1;
  void *volatile too_much = malloc((size_t)LIMIT_MIB << 20);
  if (too_much) return NO_LIMITS;
  if (moho_traces_open(path, NULL, &traces)) return 3;
  if (try_open(traces, directory, (size_t)14 << 20, NULL, NULL, &store)) return 4;
  moho_traces_close(&traces);
  if (moho_trace_cursor_create(store, NULL, 500, &cursor)) return 5;
  do {
    if (moho_trace_cursor_next(cursor, &batch)) return 6;
    for (size_t i = 0; i < batch.n; i++, next++)
      if (batch.numbers[i] != next || batch.samples[i * LIMITED_NS] != (float)(next + 1)) return 7;
  } while (batch.n);
  return next == LIMITED_TRACES ? 0 : 8;
}

/* 160 MiB of samples through a process that may hold 40 MiB of data, its threads' stacks included. */
static void a_survey_of_four_times_the_memory(void **state) {
  (void)state;
  if (HAS_SHADOW_MEMORY) skip(); /* whose shadow is counted as data */
  char path[700], directory[700];
  keep_path("large.sgy", path);
  keep_path("large", directory);
  write_large_survey(path);
  assert_true(moho_file_state_of(path).bytes > (uint64_t)4 * LIMIT_MIB << 20);
  int status = end_process(begin_process("limited", path, directory, NULL));
  assert_true(WIFEXITED(status));
  if (WEXITSTATUS(status) == NO_LIMITS) skip(); /* the system sets none */
  assert_int_equal(WEXITSTATUS(status), 0);
}

int main(int n_arguments, char **arguments) {
  program = arguments[0];
  if (n_arguments == 4)
    return strcmp(arguments[1], "open") == 0 ? open_alone(arguments[2], arguments[3])
                                             : work_in_little_memory(arguments[2], arguments[3]);
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_survey_of_four_times_the_memory),
                                     cmocka_unit_test(of_many_builders_one_builds),
                                     cmocka_unit_test(a_builder_killed_at_any_call_is_forgotten),
                                     cmocka_unit_test(a_disk_that_fails_at_any_call_leaves_nothing),
                                     cmocka_unit_test(an_interrupted_build_leaves_nothing),
                                     cmocka_unit_test(a_file_that_changed_gets_a_new_store),
                                     cmocka_unit_test(a_file_that_changes_meanwhile_is_refused),
                                     cmocka_unit_test(a_bad_sample_is_an_error_of_its_trace),
                                     cmocka_unit_test(a_damaged_store_is_built_again),
                                     cmocka_unit_test(damaged_samples_are_told_when_they_are_read),
                                     cmocka_unit_test(a_full_disk_is_told_first)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
