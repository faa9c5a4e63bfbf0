/* command_selftest.c - moho selftest: every kernel of every device of this machine against the double reference. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "image_check.h"
#include "selftest.h"

static char *device_uri, *kernel_name;
static int is_quick;

static const struct poptOption options[] = {
    {"device", '\0', POPT_ARG_STRING, &device_uri, 0, "test this device alone [all there are; cpu with every instruction set]",
     "URI"},
    {"kernel", '\0', POPT_ARG_STRING, &kernel_name, 0, "test this kernel alone: native, baseline, v1, v2, v3 [all]", "V"},
    {"quick", '\0', POPT_ARG_NONE, &is_quick, 0, "a few cases only", NULL},
    POPT_TABLEEND};

enum { MAX_DEVICES = 64, MAX_METHODS = 16 };

/* A device with a kernel. */
typedef struct method {
  char uri[96];
  moho_migration_kernel kernel;
} method;

typedef struct table {
  output_text text;
  json_t *devices, *rows, *runtime; /* rows NULL: as text */
  size_t failed, run, left_out;
  size_t compared; /* images with the reference */
} table;

/* ---- one image ---- */

static moho_status reference_image(const selftest_survey *s, const moho_migration_options *o, double *image, int32_t *fold) {
  moho_reference *reference;
  moho_status status =
      moho_reference_create(&s->grid, s->velocity, o, &s->geometry, s->options.n_samples, s->options.dt_s, NULL, 0, &reference);
  if (status) return status;
  status = moho_reference_add(reference, &s->geometry, s->traces);
  if (!status) status = moho_reference_finish(reference, image, fold);
  moho_reference_destroy(&reference);
  return status;
}

static moho_status fast_image(moho_device *device, const selftest_survey *s, const moho_migration_options *o, moho_image *image) {
  moho_migration *migration = NULL;
  moho_status status =
      moho_migration_create(device, &s->grid, s->velocity, o, &s->geometry, s->options.n_samples, s->options.dt_s, &migration);
  if (!status) status = moho_migration_add(migration, &s->geometry, s->traces, NULL, NULL);
  if (!status) status = moho_migration_finish(migration, image);
  moho_migration_destroy(&migration);
  return status;
}

/* ---- rows ---- */

static void add_row(table *t, const method *m, const selftest_case *test, const image_check *check) {
  const char *kernel = moho_migration_kernel_name(m->kernel);
  t->run++, t->compared++;
  t->failed += !check->passed;
  if (t->rows)
    json_array_append_new(t->rows,
                          json_pack("{s:s, s:s, s:s, s:f, s:f, s:I, s:b}", "device", m->uri, "kernel", kernel, "case", test->name,
                                    "relative_l2", check->error < 1e300 ? check->error : -1.0, "tolerance", check->tolerance,
                                    "fold_differs", (json_int_t)check->fold_differs, "passed", check->passed));
  else
    fprintf(t->text.out, "%-24s %-8s %-40s %9.2e <= %8.1e  %s%s\n", m->uri, kernel, test->name, check->error, check->tolerance,
            check->passed ? "good" : "FAILED", check->fold_differs ? ", fold differs" : "");
}

static void add_left_out(table *t, const method *m, const selftest_case *test) {
  t->left_out++;
  if (!t->rows)
    fprintf(t->text.out, "%-24s %-8s %-40s left out: %s\n", m->uri, moho_migration_kernel_name(m->kernel), test->name,
            moho_last_error()->message);
}

/* The thread's last error. */
static void add_error(table *t, const method *m, const selftest_case *test) {
  const char *kernel = moho_migration_kernel_name(m->kernel), *words = moho_last_error()->message;
  t->run++;
  t->failed++;
  if (t->rows)
    json_array_append_new(t->rows, json_pack("{s:s, s:s, s:s, s:b, s:s}", "device", m->uri, "kernel", kernel, "case", test->name,
                                             "passed", 0, "words", words));
  else fprintf(t->text.out, "%-24s %-8s %-40s FAILED: %s\n", m->uri, kernel, test->name, words);
}

static void add_runtime_row(table *t, const char *uri, const char *name, const char *words) {
  t->run++;
  t->failed += words[0] != '\0';
  if (t->rows)
    json_array_append_new(
        t->runtime, json_pack("{s:s, s:s, s:b, s:s}", "device", uri, "case", name, "passed", words[0] == '\0', "words", words));
  else fprintf(t->text.out, "%-24s %-8s %-40s %s%s\n", uri, "", name, words[0] ? "FAILED: " : "good", words);
}

/* ---- cases ---- */

/* Native loops keep floats and know no tuning: such a case is not theirs. */
static int concerns(const selftest_case *test, const method *m) {
  return m->kernel != MOHO_KERNEL_NATIVE || (test->options.storage == MOHO_STORAGE_FLOAT && !test->options.constants);
}

/* On an open device: the comparison, or a case left out. */
static moho_status compare_on(moho_device *device, table *t, const method *m, const selftest_case *test, const selftest_survey *s,
                              const double *expected, const int32_t *fold) {
  moho_image image = {0};
  moho_migration_options o = test->options;
  o.kernel = m->kernel;
  if (moho_migration_supports(device, &o)) {
    add_left_out(t, m, test);
    return MOHO_OK;
  }
  moho_status status = moho_image_create(&s->grid, &image);
  if (!status) status = fast_image(device, s, &o, &image);
  if (!status) {
    image_check check;
    double tolerance = image_tolerance(&o, moho_migration_kernel_name(m->kernel), s->options.n_samples);
    image_compare(&image, s->grid.n_time, NULL, s->grid.n_inline * s->grid.n_crossline, expected, fold, tolerance, &check);
    add_row(t, m, test, &check);
  }
  moho_image_release(&image);
  return status;
}

/* A case that ends in an error has failed, and the next one is tried: a device that is lost says so each time. */
static void test_method(table *t, const method *m, const selftest_case *test, const selftest_survey *s, const double *expected,
                        const int32_t *fold) {
  moho_device *device = NULL;
  moho_status status = moho_device_open(m->uri, &device);
  if (!status) status = compare_on(device, t, m, test, s, expected, fold);
  if (status) add_error(t, m, test);
  if (moho_device_close(&device) && !status) add_error(t, m, test); /* what was left behind is a fault */
}

static int test_case_everywhere(table *t, selftest_case *test, const selftest_survey *s, const method *methods,
                                size_t n_methods) {
  int is_vti = test->options.traveltime == MOHO_TRAVELTIME_VTI || test->options.traveltime == MOHO_TRAVELTIME_VTI_RATIONAL;
  if (is_vti) test->options.eta = s->eta;
  size_t n = s->grid.n_inline * s->grid.n_crossline * s->grid.n_time;
  double *expected = calloc(n, sizeof *expected);
  int32_t *fold = calloc(n, sizeof *fold);
  moho_status status = expected && fold ? reference_image(s, &test->options, expected, fold) : MOHO_ERROR_MEMORY;
  int code = status ? print_error() : EXIT_GOOD;
  for (size_t k = 0; !code && k < n_methods; k++)
    if (concerns(test, &methods[k])) test_method(t, &methods[k], test, s, expected, fold);
  free(expected);
  free(fold);
  return code;
}

static int test_all(table *t, const method *methods, size_t n_methods) {
  selftest_case cases[SELFTEST_MAX_CASES];
  selftest_survey surveys[SELFTEST_SURVEYS] = {0};
  size_t n_cases = selftest_list_cases(is_quick, cases);
  int code = EXIT_GOOD;
  for (int i = 0; !code && i < SELFTEST_SURVEYS; i++)
    if (selftest_survey_create((selftest_survey_kind)i, &surveys[i])) code = print_error();
  for (size_t i = 0; !code && i < n_cases; i++) {
    moho_progress progress = {
        .stage = "testing", .unit = "cases", .done = (double)i, .total = (double)n_cases, .seconds = (double)i};
    if (progress_step(NULL, &progress)) code = EXIT_INTERRUPTED;
    else code = test_case_everywhere(t, &cases[i], &surveys[cases[i].survey], methods, n_methods);
  }
  for (int i = 0; i < SELFTEST_SURVEYS; i++) selftest_survey_release(&surveys[i]);
  return code;
}

/* ---- devices ---- */

/* The devices asked for: the one named, that of MOHO_DEVICE, or all that can be opened. */
static int list_devices(char uris[MAX_DEVICES][96], size_t *count) {
  moho_device_report *reports = calloc(MAX_DEVICES, sizeof *reports);
  const char *named = device_uri ? device_uri : getenv("MOHO_DEVICE");
  moho_device *device = NULL;
  moho_status status = reports ? MOHO_OK : MOHO_ERROR_MEMORY;
  size_t listed = 1;
  if (!status && named && *named) {
    status = moho_device_open(named, &device);
    if (!status) status = moho_device_describe(device, &reports[0]);
    if (device) moho_device_close(&device);
  } else if (!status) {
    status = moho_device_list(reports, MAX_DEVICES, &listed);
  }
  *count = 0;
  for (size_t i = 0; !status && i < listed && i < MAX_DEVICES; i++)
    if (reports[i].available) snprintf(uris[(*count)++], 96, "%s", reports[i].uri);
  free(reports);
  return status ? print_error() : EXIT_GOOD;
}

static void add_method(method *methods, size_t *n, const char *uri, moho_migration_kernel kernel) {
  if (kernel_name && strcmp(kernel_name, moho_migration_kernel_name(kernel)) != 0) return;
  snprintf(methods[*n].uri, sizeof methods[*n].uri, "%.95s", uri);
  methods[(*n)++].kernel = kernel;
}

/* Native loops in every instruction set, where none was named. The report's address names the one in use: it is taken out. */
static void add_native(method *methods, size_t *n, const char *uri) {
  static const char *const sets[] = {"scalar", "avx2", "avx512", "neon"};
  char base[96], each[112];
  if (device_uri && strstr(device_uri, "simd=")) {
    add_method(methods, n, uri, MOHO_KERNEL_NATIVE);
    return;
  }
  const char *simd = strstr(uri, "simd=");
  snprintf(base, sizeof base, "%.*s", (int)(simd ? (size_t)(simd - uri) : strlen(uri)), uri);
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    moho_device *device;
    snprintf(each, sizeof each, "%s%ssimd=%s", base, simd ? "" : strchr(base, '?') ? "&" : "?", sets[i]);
    if (moho_device_open(each, &device)) continue; /* not of this processor */
    moho_device_close(&device);
    add_method(methods, n, each, MOHO_KERNEL_NATIVE);
  }
}

static void add_methods(method *methods, size_t *n, const char *uri, const moho_device_report *report) {
  if (report->has_native) add_native(methods, n, uri);
  for (int k = MOHO_KERNEL_BASELINE; k <= MOHO_KERNEL_V3; k++) add_method(methods, n, uri, (moho_migration_kernel)k);
}

static void add_device(table *t, const moho_device_report *d) {
  if (t->rows)
    json_array_append_new(t->devices, json_pack("{s:s, s:s, s:s, s:s}", "uri", d->uri, "name", d->name, "architecture",
                                                d->architecture, "driver", d->driver));
  else fprintf(t->text.out, "%s: %s, %s%s%s\n", d->uri, d->name, d->architecture, d->driver[0] ? ", " : "", d->driver);
}

static int test_device(table *t, const char *uri) {
  moho_device *device;
  moho_device_report report;
  method methods[MAX_METHODS];
  size_t n_methods = 0;
  if (moho_device_open(uri, &device)) return print_error();
  moho_status status = moho_device_describe(device, &report);
  if (!status) add_device(t, &report);
  for (size_t i = 0; !status && i < selftest_n_runtime_checks; i++) {
    char words[200];
    selftest_runtime_checks[i].run(device, words);
    add_runtime_row(t, uri, selftest_runtime_checks[i].name, words);
  }
  if (!status) add_methods(methods, &n_methods, uri, &report);
  int code = status ? print_error() : EXIT_GOOD;
  if (moho_device_close(&device) && !code) code = print_error(); /* what was left behind is a fault */
  return code ? code : test_all(t, methods, n_methods);
}

/* ---- the command ---- */

static int finish(table *t, const command_line *line, int code) {
  if (!code && t->rows) {
    json_t *root = json_pack("{s:I, s:I, s:I, s:O, s:O, s:O}", "run", (json_int_t)t->run, "failed", (json_int_t)t->failed,
                             "left_out", (json_int_t)t->left_out, "devices", t->devices, "cases", t->rows, "runtime", t->runtime);
    json_dumpf(root, t->text.out, JSON_INDENT(2));
    fprintf(t->text.out, "\n");
    json_decref(root);
  } else if (!code) {
    fprintf(t->text.out, "%zu comparisons with what is known, %zu failed", t->run, t->failed);
    fprintf(t->text.out, t->left_out ? ", %zu left out\n" : "\n", t->left_out);
  }
  json_decref(t->rows);
  json_decref(t->devices);
  json_decref(t->runtime);
  progress_end();
  int given = output_finish(&t->text, line);
  if (code || given) return code ? code : given;
  if (!t->compared) fprintf(stderr, "moho: selftest: no kernel was compared with the reference: nothing is proven\n");
  return t->failed || !t->compared ? EXIT_FAILED : EXIT_GOOD;
}

static int run(const command_line *line) {
  if (line->n_arguments) return usage_error("selftest: \"%s\" is too much, it takes no arguments", line->arguments[0]);
  if (kernel_name && choose_word("kernel", kernel_name, "native|baseline|v1|v2|v3") < 0) return EXIT_USAGE;
  char uris[MAX_DEVICES][96];
  size_t n_devices;
  table t = {0};
  int code = list_devices(uris, &n_devices);
  if (!code) code = output_begin(&t.text);
  if (code) return code;
  if (line->json) t.rows = json_array(), t.devices = json_array(), t.runtime = json_array();
  for (size_t i = 0; !code && i < n_devices; i++) code = test_device(&t, uris[i]);
  return finish(&t, line, code);
}

const command command_selftest = {.name = "selftest",
                                  .synopsis = "selftest [--device URI] [--kernel V] [--quick]",
                                  .summary = "compare every kernel of this machine's devices with the double reference",
                                  .teaching = "Migrates small generated surveys with every version of the kernel that a device\n"
                                              "runs (on the processor: with every instruction set, and the kernels' text as\n"
                                              "C), under the options that matter, and compares image and fold with the plain\n"
                                              "double-precision reference. Relative L2 within 2e-8 per sample of a trace\n"
                                              "(triangle 1e-4; v3 and storage as halves 1e-3), fold identical. Before that the\n"
                                              "runtime alone: vectors added, group memory, arithmetic to the bit, queues,\n"
                                              "copies, the pool, streaming. A case that a kernel refuses is left out aloud.\n"
                                              "Exit code 1 when anything differs, or when nothing was compared.\n"
                                              "\n"
                                              "    moho selftest\n"
                                              "    moho selftest --device cuda:0 --kernel v3\n"
                                              "    moho selftest --device metal --quick\n"
                                              "    moho selftest --device \"cpu?simd=avx2\" --json",
                                  .options = options,
                                  .output_help = "write the table to FILE",
                                  .is_long = 1,
                                  .run = run};
