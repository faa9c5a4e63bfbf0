/* test_job_errors.c - every kind of mistake in a job file: code, line, column, key, words and remedy. */
#include "test_support.h"

#include <stdio.h>
#include <string.h>

#include "job/job.h"

/* A wrong job and what must be said of it. */
typedef struct mistake {
  const char *text;
  moho_status code;
  int line, column; /* -1: none */
  const char *key, *message, *hint;
} mistake;

static void check_mistake(const mistake *m, moho_status status) {
  const moho_error *error = moho_last_error();
  if (status == m->code && error->line == m->line && error->column == m->column && strcmp(error->key, m->key) == 0 &&
      strstr(error->message, m->message) && strstr(error->hint, m->hint))
    return;
  print_error(
      "job:\n%s\n  expected %s at %d:%d key \"%s\" with \"%s\", hint \"%s\"\n  got      %s at %d:%d key \"%s\": %s\n  hint: %s\n",
      m->text, moho_status_name(m->code), m->line, m->column, m->key, m->message, m->hint, moho_status_name(status), error->line,
      error->column, error->key, error->message, error->hint);
  fail();
}

/* Mistakes found while the text is read. */
static const mistake reading[] = {
    {"migration:\n  aperature: {max_m: 3}\n", MOHO_ERROR_KEY, 2, 3, "migration.aperature",
     "job.yaml:2:3: unknown key \"migration.aperature\"", "did you mean \"migration.aperture\"?"},
    {"migration: {max_m: 3}\n", MOHO_ERROR_KEY, 1, 13, "migration.max_m", "unknown key", "migration.aperture.max_m"},
    {"inputs: {traces: a}\n", MOHO_ERROR_KEY, 1, 1, "inputs", "unknown key \"inputs\"", "did you mean \"input\"?"},
    {"zzzzqqqq: 1\n", MOHO_ERROR_KEY, 1, 1, "zzzzqqqq", "unknown key", "docs/job.md"},
    {"migration.aperture.max_m: 3\n", MOHO_ERROR_KEY, 1, 1, "migration.aperture.max_m", "unknown key",
     "migration.aperture.max_m"},
    {"migration: {aperture: {max_m: 3 km}}\n", MOHO_ERROR_FORMAT, 1, 31, "migration.aperture.max_m",
     "max_m is \"3 km\", expected a number in m", "write 3000"},
    {"migration:\n  aperture:\n    max_m: \"3,000\"\n", MOHO_ERROR_FORMAT, 3, 12, "migration.aperture.max_m", "is \"3,000\"",
     "quotes"},
    {"migration:\n  aperture:\n    max_m: 3,000\n", MOHO_ERROR_FORMAT, 3, 12, "migration.aperture.max_m",
     "is \"3,000\", expected a number in m", "write 3000: digits are not grouped"},
    {"migration: {aperture: {max_m: 3,000}}\n", MOHO_ERROR_KEY, 1, 33, "migration.aperture.000", "unknown key",
     "digits are not grouped"},
    {"migration: {aperture: {max_m: }}\n", MOHO_ERROR_FORMAT, 1, 31, "migration.aperture.max_m", "is empty", "leave the key out"},
    {"migration: {aperture: {max_m: [1]}}\n", MOHO_ERROR_FORMAT, 1, 31, "migration.aperture.max_m", "is a list", "single value"},
    {"migration: {aperture: {max_m: nan}}\n", MOHO_ERROR_FORMAT, 1, 31, "migration.aperture.max_m", "is \"nan\"", ""},
    {"migration: {aperture: {max_m: 1e999}}\n", MOHO_ERROR_FORMAT, 1, 31, "migration.aperture.max_m", "is \"1e999\"", ""},
    {"migration: {aperture: {max_m: 0}}\n", MOHO_ERROR_RANGE, 1, 31, "migration.aperture.max_m",
     "is 0 m, expected 0.01 to 1000000", "unit"},
    {"migration: {aperture: {max_dip_deg: 90}}\n", MOHO_ERROR_RANGE, 1, 37, "migration.aperture.max_dip_deg",
     "is 90 degrees, expected 0.01 to 89", ""},
    {"migration: {aperture: 3000}\n", MOHO_ERROR_FORMAT, 1, 23, "migration.aperture", "is \"3000\", expected a map", "keys"},
    {"migration: {interpolation: linaer}\n", MOHO_ERROR_FORMAT, 1, 28, "migration.interpolation",
     "is \"linaer\", expected linear, cubic or sinc8", "did you mean \"linear\"?"},
    {"grid: {inline: {n: 80.5}}\n", MOHO_ERROR_FORMAT, 1, 20, "grid.inline.n", "is \"80.5\", expected a whole number", ""},
    {"grid: {inline: {n: 0}}\n", MOHO_ERROR_RANGE, 1, 20, "grid.inline.n", "is 0, expected 1", ""},
    {"grid: automatic\n", MOHO_ERROR_FORMAT, 1, 7, "grid", "is \"automatic\", expected a map, or auto", ""},
    {"grid: {corners: [[0, 0], [1]]}\n", MOHO_ERROR_FORMAT, 1, 26, "grid.corners", "is a list", "a point is [x, y]"},
    {"grid: {corners: [[0, 0], [1, 5 km]]}\n", MOHO_ERROR_FORMAT, 1, 30, "grid.corners", "\"5 km\"", "write 5000"},
    {"grid: {corners: [[0, 0]]}\n", MOHO_ERROR_FORMAT, 1, 17, "grid.corners", "has 1 points, expected 2 to 4", "corners"},
    {"grid: {origin_m: 5}\n", MOHO_ERROR_FORMAT, 1, 18, "grid.origin_m", "is \"5\"", "[x, y]"},
    {"grid: {flip: maybe}\n", MOHO_ERROR_FORMAT, 1, 14, "grid.flip", "\"maybe\", expected true or false", ""},
    {"execution: {threads: autp}\n", MOHO_ERROR_FORMAT, 1, 22, "execution.threads", "expected a whole number, or auto",
     "did you mean \"auto\"?"},
    {"execution: {kernel: v9}\n", MOHO_ERROR_FORMAT, 1, 21, "execution.kernel", "expected auto, native, baseline", "\"v1\""},
    {"execution: {storage: hlaf}\n", MOHO_ERROR_FORMAT, 1, 22, "execution.storage", "expected float or half", "\"half\""},
    {"execution: {memory_gb: 500 MB}\n", MOHO_ERROR_FORMAT, 1, 24, "execution.memory_gb", "\"500 MB\"", "write 0.5"},
    {"grid: {time: {step_s: 4 ms}}\n", MOHO_ERROR_FORMAT, 1, 23, "grid.time.step_s", "\"4 ms\"", "write 0.004"},
    {"output: {formats: zarr}\n", MOHO_ERROR_FORMAT, 1, 19, "output.formats", "is \"zarr\", expected a list of zarr or segy",
     "[zarr, segy]"},
    {"output: {formats: []}\n", MOHO_ERROR_FORMAT, 1, 19, "output.formats", "a list", ""},
    {"output: {formats: [zarr, sgy]}\n", MOHO_ERROR_FORMAT, 1, 26, "output.formats", "\"sgy\"", "did you mean \"segy\"?"},
    {"output: {formats: [zarr, zarr]}\n", MOHO_ERROR_FORMAT, 1, 26, "output.formats", "\"zarr\"", "once"},
    {"input: {traces: {}}\n", MOHO_ERROR_FORMAT, 1, 17, "input.traces", "is an empty map, expected a path", "give the path"},
    {"input: {resample: 3}\n", MOHO_ERROR_FORMAT, 1, 19, "input.resample", "expected auto, none, 2, 4 or 8", ""},
    {"input: {headers: {cdp: [21]}}\n", MOHO_ERROR_FORMAT, 1, 24, "input.headers", "is a list", "byte"},
    {"input: {traces: a}\ninput: {traces: b}\n", MOHO_ERROR_KEY, 2, 1, "input", "given twice, first in line 1", "keep one"},
    {"input: {traces: a, traces: b}\n", MOHO_ERROR_KEY, 1, 20, "traces", "given twice", "keep one"},
    {"input: &a {traces: b}\n", MOHO_ERROR_FORMAT, 1, 8, "", "anchors", "write the value out"},
    {"input: {traces: *a}\n", MOHO_ERROR_FORMAT, 1, 17, "", "aliases", "write the value out"},
    {"input: !x {traces: b}\n", MOHO_ERROR_FORMAT, 1, 8, "", "tags", "remove"},
    {"a: [[[[[[[[[[1]]]]]]]]]]\n", MOHO_ERROR_FORMAT, 1, 12, "", "8 levels", ""},
    {"input: {traces: a\n", MOHO_ERROR_FORMAT, 2, 1, "", "not YAML", "brackets"},
    {"input:\n\ttraces: a\n", MOHO_ERROR_FORMAT, 2, 1, "", "not YAML", "spaces"},
    {"- a\n- b\n", MOHO_ERROR_FORMAT, 1, 1, "", "got a list", "input"},
    {"hello\n", MOHO_ERROR_FORMAT, 1, 1, "", "got plain text", "input"},
    {"input: {traces: a}\n---\ninput: {}\n", MOHO_ERROR_FORMAT, 2, 1, "", "second document", "one job"},
    {"? [1, 2]\n: 3\n", MOHO_ERROR_FORMAT, 1, 3, "", "where a key is expected", "key: value"},
    {"input: {traces: \"a\\0b\"}\n", MOHO_ERROR_FORMAT, 1, 17, "", "NUL", ""},
};

/* What belongs to later work is refused with its line, never ignored. */
static const mistake later[] = {
    {"input: {nmo: yes}\n", MOHO_ERROR_FORMAT, 1, 14, "input.nmo", "is \"yes\"", ""},
    {"eta: {constant: 1.5}\n", MOHO_ERROR_RANGE, 1, 17, "eta.constant", "is 1.5, expected -0.2 to 1", ""},
    {"gathers: {kind: angel}\n", MOHO_ERROR_FORMAT, 1, 17, "gathers.kind", "angel", "angle"},
    {"gathers: {edges_m: 500}\n", MOHO_ERROR_FORMAT, 1, 20, "gathers.edges_m", "a list of numbers", "[0, 500, 1000]"},
    {"gathers: {edges_m: [0, 5e7]}\n", MOHO_ERROR_RANGE, 1, 24, "gathers.edges_m", "50000000", ""},
    {"execution: {checkpoint_s: 0}\n", MOHO_ERROR_RANGE, 1, 27, "execution.checkpoint_s", "is 0", ""},
    {"execution: {resume: yes}\n", MOHO_ERROR_FORMAT, 1, 21, "execution.resume", "expected auto or never", ""},
};

#define IN "input: {traces: a.sgy}\n"
#define V "velocity: {constant_mps: 2500}\n"

/* Mistakes that only the keys together show. */
static const mistake combining[] = {
    {"", MOHO_ERROR_KEY, -1, -1, "input.traces", "key input.traces is missing", "name the trace file"},
    {IN, MOHO_ERROR_KEY, -1, -1, "velocity", "no velocity is given", "constant_mps"},
    {IN V "migration: {traveltime: vti}\n", MOHO_ERROR_KEY, -1, -1, "eta", "migration.traveltime vti needs it", "constant: 0.1"},
    {IN V "eta: {constant: 0.1}\n", MOHO_ERROR_KEY, 3, 17, "eta.constant", "cannot be combined with migration.traveltime",
     "vti_rational"},
    {IN V "eta: {constant: 0.1, cube: e.zarr}\nmigration: {traveltime: vti}\n", MOHO_ERROR_KEY, 3, 28, "eta.cube",
     "cannot be combined with eta.constant", "keep one"},
    {IN "velocity: {type: rms, table: v.txt}\nmigration: {traveltime: curved_linear}\n", MOHO_ERROR_KEY, -1, -1,
     "velocity.linear_z", "curved_linear needs it", "curved_ray"},
    {IN "velocity: {type: rms}\n", MOHO_ERROR_KEY, -1, -1, "velocity", "no velocity is given", "constant_mps"},
    {IN "velocity: {constant_mps: 2500, linear_z: {v0_mps: 1800, gradient_per_s: 0.6}}\n", MOHO_ERROR_KEY, 2, 42,
     "velocity.linear_z", "cannot be combined with velocity.constant_mps (line 2)", "keep one"},
    {IN "velocity: {constant_mps: 0}\n", MOHO_ERROR_RANGE, 2, 26, "velocity.constant_mps", "is 0 m/s, expected 500 to 9000",
     "m/s"},
    {IN "velocity: {constant_mps: 2.5}\n", MOHO_ERROR_RANGE, 2, 26, "velocity.constant_mps", "is 2.5 m/s", "2.5 km/s is 2500"},
    {IN "velocity: {constant_mps: 12000}\n", MOHO_ERROR_RANGE, 2, 26, "velocity.constant_mps", "is 12000 m/s",
     "12000 ft/s is 3657.6"},
    {IN "velocity: {linear_t0: {v0_mps: 1800}}\n", MOHO_ERROR_KEY, -1, -1, "velocity.linear_t0.slope_mps_per_s", "missing",
     "both"},
    {IN "velocity: {type: rms, linear_z: {v0_mps: 1800, gradient_per_s: 0.5}}\n", MOHO_ERROR_KEY, 2, 18, "velocity.type",
     "is rms, but this law is one of interval velocity", "leave"},
    {IN "velocity: {table: v.txt}\n", MOHO_ERROR_KEY, -1, -1, "velocity.type", "key velocity.type is missing",
     "rms, interval or average"},
    {IN "velocity: {constant_mps: 2500, columns: x}\n", MOHO_ERROR_KEY, 2, 41, "velocity.columns", "cannot be combined", "table"},
    {IN "velocity: {type: rms, table: v, format: columns}\n", MOHO_ERROR_KEY, -1, -1, "velocity.columns", "missing", "columns:"},
    {IN "velocity: {type: rms, table: v, min_mps: 3000, max_mps: 2000}\n", MOHO_ERROR_KEY, 2, 57, "velocity.max_mps",
     "cannot be combined", "less"},
    {IN "velocity: {constant_mps: 2500, min_mps: 300}\n", MOHO_ERROR_KEY, 2, 41, "velocity.min_mps",
     "cannot be combined with velocity.constant_mps", "table or cube"},
    {IN V "grid: {corners: [[0,0],[0,1],[1,1]], origin_m: [0, 0]}\n", MOHO_ERROR_KEY, 3, 48, "grid.origin_m",
     "cannot be combined with grid.corners", "explain"},
    {IN V "grid: {corners: [[0,0],[0,1],[1,1]], crossline: {spacing_m: 25}}\n", MOHO_ERROR_KEY, -1, -1, "grid.inline.spacing_m",
     "missing", "spacing_m"},
    {IN V "grid: {origin_m: [0, 0], crossline: {n: 3, spacing_m: 2}}\n", MOHO_ERROR_KEY, -1, -1, "grid.inline.n", "missing",
     "first"},
    {IN V "grid: {inline: {n: 8}}\n", MOHO_ERROR_KEY, 3, 20, "grid.inline.n", "neither corners nor origin_m", "moho info"},
    {IN V "grid: {origin_m: [0, 0], inline: {n: 1, step: 0}, crossline: {n: 3, spacing_m: 2}}\n", MOHO_ERROR_RANGE, 3, 47,
     "grid.inline.step", "is 0", ""},
    {IN V "migration: {aperture: {max_m: 100, min_m: 200}}\n", MOHO_ERROR_KEY, 3, 43, "migration.aperture.min_m",
     "cannot be combined", "exceed"},
    {IN V "migration: {antialias_factor: 2}\n", MOHO_ERROR_KEY, 3, 31, "migration.antialias_factor",
     "cannot be combined with migration.antialias", "triangle"},
    {IN V "execution: {device: \"cpu?threads=2\", threads: 2}\n", MOHO_ERROR_KEY, 3, 47, "execution.threads",
     "cannot be combined", "once"},
    {"input: {traces: a, coordinate_scalar: 0}\n" V, MOHO_ERROR_RANGE, 1, 39, "input.coordinate_scalar", "scales nothing",
     "-100"},
};

static void mistakes_in_reading(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof reading / sizeof *reading; i++) {
    moho_job *job;
    check_mistake(&reading[i], moho_job_parse(reading[i].text, strlen(reading[i].text), "job.yaml", &job));
    assert_null(job);
  }
}

static void later_work_is_refused(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
    moho_job *job;
    check_mistake(&later[i], moho_job_parse(later[i].text, strlen(later[i].text), "job.yaml", &job));
    assert_null(job);
  }
}

static void impossible_combinations(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof combining / sizeof *combining; i++) {
    moho_job *job;
    assert_ok(moho_job_parse(combining[i].text, strlen(combining[i].text), "job.yaml", &job));
    check_mistake(&combining[i], moho_job_check(job));
    moho_job_destroy(&job);
  }
}

static void every_later_word_of_the_table_is_refused(void **state) {
  (void)state;
  moho_job *job;
  assert_ok(moho_job_parse("", 0, "job.yaml", &job));
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) {
    char word[64];
    const char *rest = moho_job_keys[id].later;
    if (moho_job_keys[id].type == MOHO_JOB_LATER) rest = "1";
    for (; *rest; rest += strspn(rest, "|")) {
      size_t length = strcspn(rest, "|");
      snprintf(word, sizeof word, "%.*s", (int)length, rest);
      rest += length;
      if (strcmp(word, "applied_with") == 0) snprintf(word, sizeof word, "{applied_with: v}");
      assert_int_equal(moho_job_set(job, moho_job_keys[id].path, word), MOHO_ERROR_NOT_AVAILABLE);
      assert_string_equal(moho_last_error()->key, moho_job_keys[id].path);
    }
  }
  moho_job_destroy(&job);
}

static void text_that_is_no_text(void **state) {
  (void)state;
  moho_job *job;
  assert_fails(moho_job_parse("input: {traces: \xff\xfe}\n", 20, "job.yaml", &job), MOHO_ERROR_FORMAT, "is not text");
  assert_int_equal(moho_last_error()->byte, 16);
}

static void size_is_bounded(void **state) {
  (void)state;
  static char text[(1 << 20) + 2];
  moho_job *job;
  memset(text, ' ', sizeof text);
  assert_fails(moho_job_parse(text, sizeof text, "job.yaml", &job), MOHO_ERROR_TOO_LARGE, "expected a job of at most");
  strcpy(text, "a: [");
  for (size_t i = 4; i < 20000; i += 2) memcpy(text + i, "1,", 2);
  assert_fails(moho_job_parse(text, 20000, "job.yaml", &job), MOHO_ERROR_TOO_LARGE, "more than 4096 values");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mistakes_in_reading),     cmocka_unit_test(later_work_is_refused),
      cmocka_unit_test(impossible_combinations), cmocka_unit_test(every_later_word_of_the_table_is_refused),
      cmocka_unit_test(text_that_is_no_text),    cmocka_unit_test(size_is_bounded),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
