/* test_job_file.c - job files that are right: every form of design, defaults, overrides, the effective job, the help. */
#include "test_support.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "job/job.h"

static moho_job *parse(const char *text) {
  moho_job *job;
  assert_ok(moho_job_parse(text, strlen(text), "jobs/job.yaml", &job));
  return job;
}

static void accepted(const char *text) {
  moho_job *job = parse(text);
  assert_ok(moho_job_check(job));
  moho_job_destroy(&job);
  assert_null(job);
}

static const char minimal[] = "input: {traces: line.sgy}\nvelocity: {constant_mps: 2500}\n";

static void defaults_stand_where_nothing_is_given(void **state) {
  (void)state;
  moho_job *job = parse(minimal);
  assert_ok(moho_job_check(job));
  assert_true(moho_job_number(job, MOHO_KEY_APERTURE_MAX) == 3000);
  assert_true(moho_job_number(job, MOHO_KEY_APERTURE_TAPER) == 0.1);
  assert_int_equal(moho_job_given(job, MOHO_KEY_APERTURE_MAX), 0);
  assert_true(moho_job_is(job, MOHO_KEY_INTERPOLATION, "linear"));
  assert_true(moho_job_is(job, MOHO_KEY_GRID, "auto"));
  assert_true(moho_job_is(job, MOHO_KEY_INPUT_RESAMPLE, "auto"));
  assert_string_equal(moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS), "zarr,segy");
  assert_true(moho_job_number(job, MOHO_KEY_OUTPUT_PNG) == 1);
  assert_true(moho_job_number(job, MOHO_KEY_VELOCITY_MIN) == 500);
  assert_true(moho_job_given(job, MOHO_KEY_VELOCITY_CONSTANT));
  moho_job_destroy(&job);
}

static void every_default_in_the_table_has_its_type(void **state) {
  (void)state;
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) {
    assert_int_equal(moho_job_find(moho_job_keys[id].path), id); /* paths are unique */
    assert_true(strlen(moho_job_keys[id].help) > 8);
    const char *dot = strrchr(moho_job_keys[id].path, '.');
    if (!dot) continue;
    char parent[160];
    snprintf(parent, sizeof parent, "%.*s", (int)(dot - moho_job_keys[id].path), moho_job_keys[id].path);
    int above = moho_job_find(parent);
    assert_true(above >= 0);
    assert_int_equal(moho_job_keys[above].type, MOHO_JOB_SECTION);
  }
}

static void paths_are_relative_to_the_job(void **state) {
  (void)state;
  moho_job *job = parse("input: {traces: line.sgy}\nvelocity: {type: rms, table: /abs/v.txt}\n");
  assert_string_equal(moho_job_text(job, MOHO_KEY_INPUT_TRACES), "jobs/line.sgy");
  assert_string_equal(moho_job_text(job, MOHO_KEY_VELOCITY_TABLE), "/abs/v.txt");
  assert_string_equal(moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY), "jobs/out");
  assert_ok(moho_job_set(job, "input.traces", "other.sgy"));
  assert_string_equal(moho_job_text(job, MOHO_KEY_INPUT_TRACES), "other.sgy");
  moho_job_destroy(&job);
}

static void velocity_forms(void **state) {
  (void)state;
  accepted("input: {traces: a.sgy}\nvelocity: {type: rms, constant_mps: 2500}\n");
  accepted("input: {traces: a.sgy}\nvelocity: {type: rms, linear_t0: {v0_mps: 1800, slope_mps_per_s: 600}}\n");
  accepted("input: {traces: a.sgy}\nvelocity: {linear_z: {v0_mps: 1800, gradient_per_s: 0.6}}\n");
  accepted("input: {traces: a.sgy}\nvelocity: {type: interval, table: v.txt}\n");
  accepted(
      "input: {traces: a.sgy}\nvelocity: {type: average, table: v.txt, format: columns, columns: \"x,y,time_ms,velocity\"}\n");
  accepted("input: {traces: a.sgy}\nvelocity: {type: rms, cube: v.zarr, min_mps: 300}\n");
}

static void grid_forms(void **state) {
  (void)state;
#define START "input: {traces: a.sgy}\nvelocity: {constant_mps: 2500}\ngrid: "
  accepted(START "auto\n");
  accepted(START "{time: {step_s: 0.004}}\n");
  accepted(START "{corners: [[0, 0], [0, 1e3], [500, 1000]], inline: {spacing_m: 25, first: 7}, crossline: {spacing_m: 12.5}}\n");
  accepted(START "{corners: [[0, 0], [0, 1000]], crossline: {spacing_m: 12.5}}\n");
  accepted(START "{origin_m: [5, -6.5], inline_azimuth_deg: 30, flip: true, inline: {first: 1, n: 80, spacing_m: 25},\n"
                 "  crossline: {first: 1, n: 9, spacing_m: 25}, time: {first_s: 0, step_s: 0.002, n: 1001}}\n");
#undef START
  moho_job *job = parse("input: {traces: a}\nvelocity: {constant_mps: 2500}\n"
                        "grid:\n  corners:\n  - [1, 2]\n  - [1, 1002]\n  - [501, 1002]\n  inline: {spacing_m: 25}\n"
                        "  crossline: {spacing_m: 25}\n");
  assert_int_equal(job->values[MOHO_KEY_GRID_CORNERS].n_points, 3);
  assert_true(job->values[MOHO_KEY_GRID_CORNERS].points[2][0] == 501 && job->values[MOHO_KEY_GRID_CORNERS].points[2][1] == 1002);
  moho_job_destroy(&job);
}

static void headers_become_one_text(void **state) {
  (void)state;
  moho_job *job = parse("input: {traces: a.sgy, headers: {source_x: 73, cdp: \"21:i4\", offset: 37:i2}}\n");
  assert_string_equal(moho_job_text(job, MOHO_KEY_INPUT_HEADERS), "source_x=73,cdp=21:i4,offset=37:i2");
  moho_job_destroy(&job);
  job = parse("input: {traces: a.sgy, headers: su}\n");
  assert_string_equal(moho_job_text(job, MOHO_KEY_INPUT_HEADERS), "su");
  moho_job_destroy(&job);
}

static void overrides_replace_values_and_sections(void **state) {
  (void)state;
  moho_job *job = parse(minimal);
  assert_ok(moho_job_set(job, "migration.aperture.max_m", "1500"));
  assert_true(moho_job_number(job, MOHO_KEY_APERTURE_MAX) == 1500);
  assert_true(moho_job_given(job, MOHO_KEY_APERTURE_MAX));
  assert_ok(moho_job_set(job, "velocity", "{linear_z: {v0_mps: 1800, gradient_per_s: 0.6}}"));
  assert_false(moho_job_given(job, MOHO_KEY_VELOCITY_CONSTANT));
  assert_true(moho_job_number(job, MOHO_KEY_VELOCITY_LINEAR_Z_V0) == 1800);
  assert_ok(moho_job_check(job));
  assert_ok(moho_job_set(job, "grid.time.n", "500"));
  assert_ok(moho_job_check(job));
  assert_ok(moho_job_set(job, "grid", "auto"));
  assert_false(moho_job_given(job, MOHO_KEY_GRID_TIME_N));
  assert_ok(moho_job_set(job, "output.formats", "[segy]"));
  assert_string_equal(moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS), "segy");
  moho_job_destroy(&job);
}

static void a_wrong_override_leaves_the_job_as_it_was(void **state) {
  (void)state;
  moho_job *job = parse(minimal);
  assert_fails(moho_job_set(job, "velocity", "{constant_mps: fast}"), MOHO_ERROR_FORMAT, "velocity.constant_mps is \"fast\"");
  assert_true(moho_job_number(job, MOHO_KEY_VELOCITY_CONSTANT) == 2500);
  assert_fails(moho_job_set(job, "migration.aperture.max_m", "3 km"), MOHO_ERROR_FORMAT, "migration.aperture.max_m is \"3 km\"");
  assert_true(moho_job_number(job, MOHO_KEY_APERTURE_MAX) == 3000);
  assert_fails(moho_job_set(job, "migration.aperture.max", "3"), MOHO_ERROR_KEY, "unknown key \"migration.aperture.max\"");
  assert_string_equal(moho_last_error()->hint, "did you mean \"migration.aperture.max_m\"?");
  assert_fails(moho_job_set(job, "output.directory", ""), MOHO_ERROR_FORMAT, "output.directory is empty");
  moho_job_destroy(&job);
}

static json_t *at(json_t *root, const char *path) {
  char part[64];
  while (*path) {
    size_t length = strcspn(path, ".");
    snprintf(part, sizeof part, "%.*s", (int)length, path);
    root = json_object_get(root, part);
    assert_non_null(root);
    path += length + (path[length] == '.');
  }
  return root;
}

static void the_effective_job_says_value_unit_and_origin(void **state) {
  (void)state;
  moho_job *job = parse("input: {traces: line.sgy, headers: {cdp: 21}}\nvelocity: {constant_mps: 2500}\n"
                        "grid: {origin_m: [0.5, 2], inline: {n: 3, spacing_m: 25}, crossline: {n: 4, spacing_m: 25}}\n"
                        "migration: {aperture: {max_m: 1234.5}}\n");
  char *text;
  assert_ok(moho_job_effective(job, &text));
  json_t *root = json_loads(text, 0, NULL);
  assert_non_null(root);
  assert_true(json_real_value(at(root, "migration.aperture.max_m.value")) == 1234.5);
  assert_string_equal(json_string_value(at(root, "migration.aperture.max_m.unit")), "m");
  assert_true(json_is_true(at(root, "migration.aperture.max_m.given")));
  assert_true(json_is_false(at(root, "migration.aperture.min_m.given")));
  assert_int_equal(json_integer_value(at(root, "migration.aperture.max_dip_deg.value")), 60);
  assert_true(json_is_null(at(root, "velocity.table.value")));
  assert_string_equal(json_string_value(at(root, "input.headers.value.cdp")), "21");
  assert_true(json_number_value(json_array_get(at(root, "grid.origin_m.value"), 0)) == 0.5);
  assert_int_equal(json_array_size(at(root, "output.formats.value")), 2);
  json_decref(root);
  free(text);
  moho_job_destroy(&job);
}

static void the_help_has_every_key(void **state) {
  (void)state;
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) {
    assert_non_null(strstr(moho_job_keys_help(), moho_job_keys[id].path));
    assert_non_null(strstr(moho_job_keys_markdown(), moho_job_keys[id].path));
  }
}

static void a_job_is_read_from_its_file(void **state) {
  (void)state;
  const char *path = test_path("job.yaml");
  assert_ok(moho_file_write_all(path, minimal, strlen(minimal)));
  moho_job *job;
  assert_ok(moho_job_read(path, &job));
  assert_string_equal(moho_job_text(job, MOHO_KEY_INPUT_TRACES), test_path("line.sgy"));
  moho_job_destroy(&job);
  assert_fails(moho_job_read(test_path("none.yaml"), &job), MOHO_ERROR_NOT_FOUND, "no such file");
  assert_null(job);
  assert_fails(moho_job_read(test_directory(), &job), MOHO_ERROR_FORMAT, "is a directory");
}

/* ---- a migration without a run ---- */

static void a_job_tells_the_options_of_a_migration(void **state) {
  (void)state;
  moho_migration_options options;
  moho_gather_bins bins;
  moho_least_squares_options least_squares;
  moho_job *job =
      parse("migration: {traveltime: curved_rms, aperture: {max_m: 1500, taper: 0}, weight: none, stretch_mute: 0.5,\n"
            "  iterations: 7, damping: 0.25}\n"
            "input: {resample: 4, amplitude: raw}\nexecution: {kernel: v3, memory_gb: 2}\n");
  assert_ok(moho_job_migration_options(job, &options, &bins, &least_squares));
  assert_int_equal(options.traveltime, MOHO_TRAVELTIME_CURVED_RMS);
  assert_true(options.aperture_max_m == 1500 && options.aperture_taper == 0 && options.aperture_max_dip_deg == 60);
  assert_true(options.weight == MOHO_WEIGHT_NONE && options.stretch_mute == 0.5 && options.amplitude == MOHO_AMPLITUDE_RAW);
  assert_true(options.refine == 4 && options.kernel == MOHO_KERNEL_V3 && options.memory_bytes == 2000000000);
  assert_true(options.gathers == NULL && bins.kind == MOHO_GATHERS_NONE && options.eta == NULL);
  assert_true(least_squares.iterations == 7 && least_squares.damping == 0.25);
  assert_fails(moho_job_migration_options(job, &options, &bins, NULL), MOHO_ERROR_NOT_AVAILABLE, "migration.iterations");
  moho_job_destroy(&job);
  job = parse("gathers: {kind: offset, edges_m: [0, 500, 1500]}\n");
  assert_ok(moho_job_migration_options(job, &options, &bins, NULL));
  assert_true(options.gathers == &bins && bins.n_edges == 3 && bins.edges[1] == 500 && options.refine == 0);
  moho_gather_bins_release(&bins);
  assert_fails(moho_job_migration_options(job, &options, NULL, NULL), MOHO_ERROR_NOT_AVAILABLE, "gathers.kind");
  moho_job_destroy(&job);
}

static void what_only_a_run_can_do_is_refused(void **state) {
  (void)state;
  static const char *const texts[][2] = {{"migration: {levels: [2, 1]}\n", "migration.levels"},
                                         {"migration: {time_sampling: auto}\n", "migration.time_sampling"},
                                         {"migration: {adaptive: on}\n", "migration.adaptive"},
                                         {"execution: {resume: never}\n", "execution.resume"}};
  moho_migration_options options;
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    moho_job *job = parse(texts[i][0]);
    assert_fails(moho_job_migration_options(job, &options, NULL, NULL), MOHO_ERROR_NOT_AVAILABLE, texts[i][1]);
    assert_string_equal(moho_last_error()->key, texts[i][1]);
    moho_job_destroy(&job);
  }
  moho_job *job = parse("migration: {aperture: {min_m: 10, max_m: 5}}\n");
  assert_fails(moho_job_migration_options(job, &options, NULL, NULL), MOHO_ERROR_KEY, "cannot be combined");
  moho_job_destroy(&job);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(defaults_stand_where_nothing_is_given),
      cmocka_unit_test(every_default_in_the_table_has_its_type),
      cmocka_unit_test(paths_are_relative_to_the_job),
      cmocka_unit_test(velocity_forms),
      cmocka_unit_test(grid_forms),
      cmocka_unit_test(headers_become_one_text),
      cmocka_unit_test(overrides_replace_values_and_sections),
      cmocka_unit_test(a_wrong_override_leaves_the_job_as_it_was),
      cmocka_unit_test(the_effective_job_says_value_unit_and_origin),
      cmocka_unit_test(the_help_has_every_key),
      cmocka_unit_test(a_job_is_read_from_its_file),
      cmocka_unit_test(a_job_tells_the_options_of_a_migration),
      cmocka_unit_test(what_only_a_run_can_do_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
