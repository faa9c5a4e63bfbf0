/* command_selftest.c - moho selftest: every fast path of this machine against the double reference, on generated data. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static char *device_uri;

static const struct poptOption options[] = {
    {"device", '\0', POPT_ARG_STRING, &device_uri, 0, "test this device alone [cpu, with every instruction set]", "URI"},
    POPT_TABLEEND};

/* ---- what is tested ---- */

typedef struct test_case {
  const char *name;
  int line; /* a 2D line in place of a 3D survey */
  moho_migration_options options;
} test_case;

enum { MAX_CASES = 16, MAX_DEVICES = 8 };

static moho_migration_options plain(void) {
  moho_migration_options o = moho_migration_options_default();
  o.aperture_max_m = 300;
  o.aperture_max_dip_deg = 50;
  o.weight = MOHO_WEIGHT_NONE;
  o.rho_filter = MOHO_RHO_NONE;
  return o;
}

static size_t list_cases(test_case cases[MAX_CASES]) {
  size_t n = 0;
#define CASE(words, is_line, change)                        \
  do {                                                      \
    cases[n] = (test_case){.name = words, .line = is_line}; \
    moho_migration_options *o = &cases[n++].options;        \
    *o = plain();                                           \
    change;                                                 \
  } while (0)
  CASE("linear", 0, o->refine = 1);
  CASE("cubic", 0, o->interpolation = MOHO_INTERPOLATION_CUBIC);
  CASE("sinc8", 0, o->interpolation = MOHO_INTERPOLATION_SINC8);
  CASE("linear, refined by 4", 0, o->refine = 4);
  CASE("spreading and obliquity", 0, o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("rho filter 3d, no taper", 0, o->rho_filter = MOHO_RHO_3D; o->aperture_taper = 0);
  CASE("stretch mute, over fold", 0, o->stretch_mute = 0.3; o->normalise = MOHO_NORMALISE_FOLD);
  CASE("triangle antialias", 0, o->antialias = MOHO_ANTIALIAS_TRIANGLE);
  CASE("line: 2.5D weights, rho 2d", 1, o->weight = MOHO_WEIGHT_AUTO; o->rho_filter = MOHO_RHO_AUTO);
  CASE("line: triangle antialias", 1, o->antialias = MOHO_ANTIALIAS_TRIANGLE);
#undef CASE
  return n;
}

static moho_status survey_options(int line, moho_synth_options *o) {
  static const char *const settings[][2] = {
      {"extent_inline_m", "150"},      {"extent_crossline_m", "200"},         {"n_samples", "301"}, {"noise", "0"},
      {"diffractors", "75:100:250:1"}, {"reflectors", "75:100:180:20:60:0.3"}};
  moho_status status = moho_synth_options_preset("tiny", o);
  for (size_t i = 0; !status && i < sizeof settings / sizeof *settings; i++)
    status = moho_synth_options_set(o, settings[i][0], line && i == 0 ? "0" : settings[i][1]);
  return status;
}

/* ---- data ---- */

typedef struct survey {
  moho_synth_options options;
  moho_geometry geometry;
  moho_grid grid;
  moho_velocity *velocity;
  float *traces;
} survey;

static void survey_release(survey *s) {
  moho_geometry_release(&s->geometry);
  moho_grid_release(&s->grid);
  moho_velocity_destroy(&s->velocity);
  free(s->traces);
  *s = (survey){0};
}

static moho_status survey_fill(int line, survey *s) {
  moho_status status = survey_options(line, &s->options);
  size_t n = status ? 0 : moho_synth_trace_count(&s->options);
  if (!status) status = moho_synth_grid(&s->options, &s->grid);
  if (!status) status = moho_geometry_create(n, &s->geometry);
  if (!status) status = moho_velocity_create_linear_t0(2200, 500, &s->velocity);
  s->traces = status ? NULL : malloc(n * s->options.n_samples * sizeof *s->traces);
  if (!status && !s->traces) return MOHO_ERROR_MEMORY;
  return status ? status : moho_synth_generate(&s->options, 0, n, &s->geometry, s->traces);
}

static moho_status reference_image(const survey *s, const moho_migration_options *o, double *image, int32_t *fold) {
  moho_reference *reference;
  moho_status status =
      moho_reference_create(&s->grid, s->velocity, o, &s->geometry, s->options.n_samples, s->options.dt_s, NULL, 0, &reference);
  if (status) return status;
  status = moho_reference_add(reference, &s->geometry, s->traces);
  if (!status) status = moho_reference_finish(reference, image, fold);
  moho_reference_destroy(&reference);
  return status;
}

static moho_status fast_image(const char *uri, const survey *s, const moho_migration_options *o, moho_image *image) {
  moho_device *device;
  moho_migration *migration = NULL;
  moho_status status = moho_device_open(uri, &device);
  if (status) return status;
  status =
      moho_migration_create(device, &s->grid, s->velocity, o, &s->geometry, s->options.n_samples, s->options.dt_s, &migration);
  if (!status) status = moho_migration_add(migration, &s->geometry, s->traces, NULL, NULL);
  if (!status) status = moho_migration_finish(migration, image);
  moho_migration_destroy(&migration);
  moho_device_close(&device);
  return status;
}

/* ---- comparison ---- */

typedef struct outcome {
  double error, tolerance;
  size_t fold_differs;
  int passed;
} outcome;

/* docs/physics.md, "What must hold" 10: relative L2 within 2e-8 per sample of a trace (triangle 1e-4), fold identical. */
static outcome compare(const test_case *test, size_t n_samples, const moho_image *image, const double *expected,
                       const int32_t *fold, size_t n) {
  double difference = 0, norm = 0;
  outcome result = {.tolerance = test->options.antialias == MOHO_ANTIALIAS_TRIANGLE ? 1e-4 : 2e-8 * (double)n_samples};
  for (size_t i = 0; i < n; i++) {
    double d = (double)image->stack[i] - expected[i];
    difference += d * d;
    norm += expected[i] * expected[i];
    result.fold_differs += image->fold[i] != fold[i];
  }
  result.error = norm > 0 ? sqrt(difference / norm) : INFINITY; /* an empty reference proves nothing */
  result.passed = result.error <= result.tolerance && !result.fold_differs;
  return result;
}

typedef struct table {
  output_text text;
  json_t *rows; /* NULL: as text */
  size_t failed, run;
} table;

static void add_row(table *t, const char *uri, const test_case *test, const outcome *result) {
  t->run++;
  t->failed += !result->passed;
  if (t->rows)
    json_array_append_new(t->rows, json_pack("{s:s, s:s, s:f, s:f, s:I, s:b}", "device", uri, "case", test->name, "relative_l2",
                                             isfinite(result->error) ? result->error : -1.0, "tolerance", result->tolerance,
                                             "fold_differs", (json_int_t)result->fold_differs, "passed", result->passed));
  else
    fprintf(t->text.out, "%-28s %-28s %9.2e <= %8.1e  %s%s\n", uri, test->name, result->error, result->tolerance,
            result->passed ? "good" : "FAILED", result->fold_differs ? ", fold differs" : "");
}

static int test_one(table *t, const test_case *test, const survey *s, char uris[][96], size_t n_uris) {
  size_t n = s->grid.n_inline * s->grid.n_crossline * s->grid.n_time;
  double *expected = calloc(n, sizeof *expected);
  int32_t *fold = calloc(n, sizeof *fold);
  moho_status status = expected && fold ? reference_image(s, &test->options, expected, fold) : MOHO_ERROR_MEMORY;
  for (size_t k = 0; !status && k < n_uris; k++) {
    moho_image image = {0};
    status = moho_image_create(&s->grid, &image);
    if (!status) status = fast_image(uris[k], s, &test->options, &image);
    if (!status) {
      outcome result = compare(test, s->options.n_samples, &image, expected, fold, n);
      add_row(t, uris[k], test, &result);
    }
    moho_image_release(&image);
  }
  free(expected);
  free(fold);
  return status ? print_error() : EXIT_GOOD;
}

/* ---- devices ---- */

/* A device named with its instruction set is tested as it is; else every instruction set that it can run. */
static int list_devices(char uris[MAX_DEVICES][96], size_t *count) {
  static const char *const sets[] = {"scalar", "avx2", "avx512", "neon"};
  const char *base = device_uri ? device_uri : "cpu";
  moho_device *device;
  *count = 0;
  if (strcmp(base, "auto") == 0) base = "cpu";
  if (moho_device_open(base, &device)) return print_error();
  moho_device_close(&device);
  if (strstr(base, "simd=")) {
    snprintf(uris[(*count)++], 96, "%.95s", base);
    return EXIT_GOOD;
  }
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    char uri[96];
    snprintf(uri, sizeof uri, "%.70s%csimd=%s", base, strchr(base, '?') ? '&' : '?', sets[i]);
    if (moho_device_open(uri, &device)) continue; /* not of this processor */
    moho_device_close(&device);
    snprintf(uris[(*count)++], 96, "%s", uri);
  }
  return EXIT_GOOD;
}

static int test_all(table *t, char uris[][96], size_t n_uris) {
  test_case cases[MAX_CASES];
  survey surveys[2] = {0};
  size_t n_cases = list_cases(cases);
  int code = survey_fill(0, &surveys[0]) || survey_fill(1, &surveys[1]) ? print_error() : EXIT_GOOD;
  for (size_t i = 0; !code && i < n_cases; i++) {
    moho_progress progress = {
        .stage = "testing", .unit = "cases", .done = (double)i, .total = (double)n_cases, .seconds = (double)i};
    if (progress_step(NULL, &progress)) code = EXIT_INTERRUPTED;
    else code = test_one(t, &cases[i], &surveys[cases[i].line], uris, n_uris);
  }
  survey_release(&surveys[0]);
  survey_release(&surveys[1]);
  return code;
}

static int finish(table *t, const command_line *line, int code) {
  if (!code && t->rows) {
    json_t *root = json_pack("{s:I, s:I, s:O}", "run", (json_int_t)t->run, "failed", (json_int_t)t->failed, "cases", t->rows);
    json_dumpf(root, t->text.out, JSON_INDENT(2));
    fprintf(t->text.out, "\n");
    json_decref(root);
  } else if (!code) {
    fprintf(t->text.out, "%zu comparisons with the double reference, %zu failed\n", t->run, t->failed);
  }
  json_decref(t->rows);
  progress_end();
  int given = output_finish(&t->text, line);
  if (code || given) return code ? code : given;
  return t->failed || !t->run ? EXIT_FAILED : EXIT_GOOD;
}

static int run(const command_line *line) {
  if (line->n_arguments) return usage_error("selftest: \"%s\" is too much, it takes no arguments", line->arguments[0]);
  char uris[MAX_DEVICES][96];
  size_t n_uris;
  table t = {0};
  int code = list_devices(uris, &n_uris);
  if (!code) code = output_begin(&t.text);
  if (code) return code;
  if (line->json) t.rows = json_array();
  code = test_all(&t, uris, n_uris);
  return finish(&t, line, code);
}

const command command_selftest = {.name = "selftest",
                                  .synopsis = "selftest [--device URI]",
                                  .summary = "compare every fast path of this machine with the double reference",
                                  .teaching = "Migrates small generated surveys with every instruction set that the processor\n"
                                              "has, under the options that matter, and compares image and fold with the plain\n"
                                              "double-precision reference. Relative L2 within 2e-8 per sample of a trace\n"
                                              "(triangle 1e-4), fold identical; exit code 1 when anything differs.\n"
                                              "\n"
                                              "    moho selftest\n"
                                              "    moho selftest --device \"cpu?simd=avx2\" --json",
                                  .options = options,
                                  .output_help = "write the table to FILE",
                                  .is_long = 1,
                                  .run = run};
