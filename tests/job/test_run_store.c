/* test_run_store.c - which store a job's traces belong into: where it lies, what makes another one, and what is in it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "job/run_store.h"
#include "moho/synth.h"
#include "test_support.h"

static moho_job *parse(const char *text) {
  moho_job *job;
  assert_ok(moho_job_parse(text, strlen(text), "", &job));
  return job;
}

static void place_is(const char *output, const char *store, const char *expected) {
  char text[300], *place;
  snprintf(text, sizeof text, "output: {directory: %s}\nexecution: {store: %s}\n", output, store);
  moho_job *job = parse(text);
  assert_ok(moho_run_store_place(job, &place));
  assert_string_equal(place, expected);
  free(place);
  moho_job_destroy(&job);
}

static void a_store_lies_beside_the_output(void **state) {
  (void)state;
  place_is("out", "auto", ".moho-store");
  place_is("a/b/out", "auto", "a/b/.moho-store");
  place_is("/data/out//", "auto", "/data/.moho-store");
  place_is("out", "/fast/disk", "/fast/disk");
  place_is("out", "auto/x", "auto/x");
}

/* A survey of a few hundred traces, and a table of velocities that its move-out was taken off with. */
static void write_files(double velocity) {
  moho_synth_options synth;
  char text[200];
  assert_ok(moho_synth_options_preset("tiny", &synth));
  assert_ok(moho_synth_options_set(&synth, "extent_inline_m", "100"));
  assert_ok(moho_synth_options_set(&synth, "extent_crossline_m", "100"));
  assert_ok(moho_synth_options_set(&synth, "n_samples", "301"));
  if (velocity <= 2000) assert_ok(moho_synth_write(&synth, test_path("survey.sgy"), NULL, NULL));
  snprintf(text, sizeof text, "X Y Time(ms) Vrms\n0 0 0 %g\n0 0 2000 3000\n", velocity);
  assert_ok(moho_file_write_all(test_path("nmo.txt"), text, strlen(text)));
}

/* The store that a job with these settings more would take. */
static void plan_of(const char *more, moho_trace_store_plan *plan) {
  char text[2000];
  moho_run_inputs in;
  snprintf(text, sizeof text,
           "input: {traces: %s}\nvelocity: {constant_mps: 2500}\nmigration: {aperture: {max_m: 200}}\n"
           "output: {directory: %s}\nexecution: {device: cpu}\n",
           test_path("survey.sgy"), test_path("out"));
  moho_job *job = parse(text);
  char copy[600];
  snprintf(copy, sizeof copy, "%s", more);
  for (char *next, *setting = copy; *setting; setting = next) {
    next = strchr(setting, ' ');
    if (next) *next++ = '\0';
    else next = setting + strlen(setting);
    char *value = strchr(setting, '=');
    *value++ = '\0';
    assert_ok(moho_job_set(job, setting, value));
  }
  assert_ok(moho_run_inputs_open(job, NULL, NULL, NULL, &in));
  assert_ok(moho_run_store_plan(job, &in, 0, plan));
  assert_int_equal(plan->n_traces, in.geometry->n);
  moho_run_inputs_close(&in);
  moho_job_destroy(&job);
}

static void what_changes_samples_makes_another_store(void **state) {
  (void)state;
  moho_trace_store_plan plain, other;
  char nmo[700];
  write_files(2000);
  plan_of("", &plain);
  assert_int_equal(plain.exists, 0);
  plan_of("migration.aperture.max_m=300 migration.antialias=triangle execution.threads=1 grid.time.n=100", &other);
  assert_string_equal(plain.path, other.path); /* they do not */
  plan_of("input.bad_samples=zero", &other);
  assert_string_not_equal(plain.path, other.path);
  plan_of("input.select.offset_m=[0,250]", &other);
  assert_string_not_equal(plain.path, other.path);
  assert_true(other.n_traces < plain.n_traces);
  plan_of("input.statics.shift_s=0.01", &other);
  assert_string_not_equal(plain.path, other.path);
  snprintf(nmo, sizeof nmo, "input.nmo.applied_with=%s", test_path("nmo.txt"));
  plan_of(nmo, &plain);
  plan_of(nmo, &other);
  assert_string_equal(plain.path, other.path);
  write_files(2001);
  plan_of(nmo, &other);
  assert_string_not_equal(plain.path, other.path);
}

static void a_store_has_the_traces_as_they_are_migrated(void **state) {
  (void)state;
  char text[2000];
  moho_run_inputs in;
  moho_trace_store *store;
  moho_trace_cursor *cursor;
  moho_trace_batch batch;
  write_files(2000);
  snprintf(text, sizeof text,
           "input: {traces: %s, nmo: {applied_with: %s}}\nvelocity: {constant_mps: 2500}\n"
           "output: {directory: %s}\nexecution: {device: cpu, store: %s}\n",
           test_path("survey.sgy"), test_path("nmo.txt"), test_path("out"), test_path("stores"));
  moho_job *job = parse(text);
  assert_ok(moho_run_inputs_open(job, NULL, NULL, NULL, &in));
  assert_ok(moho_run_store_open(job, &in, 0, NULL, NULL, &store));
  size_t ns = in.info->n_samples, next = 0, changed = 0;
  float *read = malloc(ns * sizeof *read), *raw = malloc(ns * sizeof *raw);
  assert_true(read && raw);
  assert_ok(moho_trace_cursor_create(store, NULL, 100, &cursor));
  do {
    assert_ok(moho_trace_cursor_next(cursor, &batch));
    for (size_t i = 0; i < batch.n; i++, next++) {
      assert_int_equal(batch.numbers[i], next);
      assert_ok(moho_run_inputs_read(&in, next, 1, read));
      assert_ok(moho_traces_read(in.traces, next, 1, raw));
      assert_memory_equal(batch.samples + i * ns, read, ns * sizeof *read);
      changed += memcmp(read, raw, ns * sizeof *read) != 0;
    }
  } while (batch.n);
  assert_int_equal(next, in.geometry->n);
  assert_true(changed > next / 2);
  free(read);
  free(raw);
  moho_trace_cursor_destroy(&cursor);
  moho_trace_store_close(&store);
  moho_run_inputs_close(&in);
  moho_job_destroy(&job);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_store_lies_beside_the_output),
                                     cmocka_unit_test(what_changes_samples_makes_another_store),
                                     cmocka_unit_test(a_store_has_the_traces_as_they_are_migrated)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
