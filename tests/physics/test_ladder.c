/* test_ladder.c - what must hold, 10 and 8, of the kernels on a device (MOHO_DEVICE, else the texts as C on the cpu): every
 * kernel against the double reference on every scenario; any batch, launch and slab gives the same bits.
 *
 * Relative L2 <= 2e-8*ns, triangle antialias 1e-4, v3's interpolated leg times 1e-3; the fold is the reference's but for one
 * sample in a million (devices have no double).
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/buffer.h"
#include "scenarios.h"

static const moho_migration_kernel ladder[] = {MOHO_KERNEL_BASELINE, MOHO_KERNEL_V1, MOHO_KERNEL_V2, MOHO_KERNEL_V3};
enum { LADDER = sizeof ladder / sizeof *ladder };

static moho_image migrate_case(const physics_case *c, const moho_migration_options *options, size_t batch) {
  return migrate(physics_device(), &c->grid, c->velocity, options, &c->survey, batch);
}

/* ---- against the reference ---- */

static int disagrees(const char *what, size_t number, const physics_case *c, moho_migration_kernel kernel) {
  size_t n = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time;
  char name[60];
  moho_migration_options options = c->options;
  options.kernel = kernel;
  snprintf(name, sizeof name, "%s, %s", moho_migration_kernel_name(kernel), what);
  moho_image image = migrate_case(c, &options, 40);
  double bound = kernel == MOHO_KERNEL_V3 ? fmax(c->bound, 1e-3) : c->bound;
  int is_bad = !case_agrees(name, number, c, &image, bound, n / 1000000);
  moho_image_release(&image);
  return is_bad;
}

static size_t disagreements(const char *what, size_t number, physics_case c) {
  size_t failures = 0;
  for (int k = 0; k < LADDER; k++) failures += (size_t)disagrees(what, number, &c, ladder[k]);
  case_release(&c);
  return failures;
}

static void every_kernel_agrees_with_the_reference(void **state) {
  (void)state;
  size_t failures = 0;
  for (size_t i = 0; i < SCENARIOS; i++) failures += disagreements("scenario", i, case_of_scenario(&scenarios[i]));
  assert_int_equal(failures, 0);
}

/* Every pair of law, weight, antialias and interpolation (test_backends.c counts them). Small: one kernel a case, by turns; each
 * still has every law, weight, antialias and interpolation. Slowed by a sanitizer: each law once or twice. */
static void every_law_agrees_with_the_reference(void **state) {
  (void)state;
  size_t failures = 0;
  int is_brief = getenv("MOHO_TEST_BRIEF") != NULL, is_whole = !physics_is_small() && !is_brief;
  for (size_t i = 0; i < LAW_SCENARIOS; i += is_brief ? 5 : 1) {
    scenario s = law_scenario(i);
    physics_case c = case_of_scenario(&s);
    for (int k = MOHO_KERNEL_V2; k <= MOHO_KERNEL_V3; k++)
      if (is_whole || (i + i / 6) % 2 == (k == MOHO_KERNEL_V3))
        failures += (size_t)disagrees("law scenario", i, &c, (moho_migration_kernel)k);
    case_release(&c);
  }
  assert_int_equal(failures, 0);
}

static void long_traces_agree_with_the_reference(void **state) {
  (void)state;
  assert_int_equal(disagreements("samples", 1001, case_of_length(1001)) + disagreements("samples", 4001, case_of_length(4001)),
                   0);
}

/* Half storage: 11 bits a value, so 2^-12 of it at most, and less in a sum of many. */
static void half_storage_costs_what_it_says(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  for (int k = 1; k < LADDER; k++) {
    moho_migration_options options = c.options;
    options.kernel = ladder[k], options.storage = MOHO_STORAGE_HALF;
    moho_image image = migrate_case(&c, &options, 0);
    double error = test_relative_l2(image.stack, c.expected, image_size(&image));
    print_message("half storage, %s: relative L2 %.2g\n", moho_migration_kernel_name(ladder[k]), error);
    assert_true(error <= 5e-4 && error > 1e-6); /* and it was half indeed */
    assert_memory_equal(image.fold, c.fold, image_size(&image) * sizeof *c.fold);
    moho_image_release(&image);
  }
  case_release(&c);
}

/* ---- the same bits ---- */

/* How the work is cut. v2 and v3 add the traces of a batch in blocks, so other batches round otherwise; nothing else may change
 * a bit, nor may anything with the other kernels. */
typedef struct cut {
  const char *constants;
  size_t add; /* traces an add call */
  int changes_batches;
} cut;
static const cut cuts[] = {{NULL, 0, 0},
                           {NULL, 7, 0},
                           {"LAUNCH_COLUMNS=8", 0, 0},
                           {"SLAB_SAMPLES=5000", 50, 0},
                           {"SLAB_SAMPLES=2500,LAUNCH_COLUMNS=16", 0, 0},
                           {"BATCH_TRACES=17", 0, 1},
                           {"BATCH_TRACES=64,LAUNCH_COLUMNS=8", 7, 1},
                           {"LAUNCH_TRACES=64", 0, 1},
                           {"SLAB_SAMPLES=2500,BATCH_TRACES=30,LAUNCH_COLUMNS=16", 0, 1}};

/* 1 when the cut gives the image of the whole. */
static int is_the_same(const physics_case *c, const moho_migration_options *options, const cut *how, const moho_image *whole) {
  moho_migration_options cut_options = *options;
  cut_options.constants = how->constants;
  moho_image image = migrate_case(c, &cut_options, how->add);
  size_t n = image_size(&image), bytes = n * sizeof(float);
  int may_round = how->changes_batches && options->kernel >= MOHO_KERNEL_V2;
  double difference = relative_difference(image.stack, whole->stack, n);
  int same =
      (may_round ? difference < 1e-6 : !memcmp(image.stack, whole->stack, bytes)) && !memcmp(image.fold, whole->fold, bytes);
  if (!same)
    print_error("%s: %s, %zu traces an add: differs by %g\n", moho_migration_kernel_name(options->kernel),
                how->constants ? how->constants : "no constants", how->add, difference);
  moho_image_release(&image);
  return same;
}

static void any_cut_gives_the_same_bits(void **state) {
  (void)state;
  static const size_t cases[] = {2, 3, 11}; /* tables that differ from column to column, a line, an antialias filter */
  size_t failures = 0;
  for (int i = 0; i < 3; i++) {
    physics_case c = case_of_scenario(&scenarios[cases[i]]);
    for (int k = 0; k < LADDER; k++) {
      moho_migration_options options = c.options;
      options.kernel = ladder[k];
      moho_image whole = migrate_case(&c, &options, 0);
      for (size_t j = 0; j < sizeof cuts / sizeof *cuts; j++) failures += !is_the_same(&c, &options, &cuts[j], &whole);
      moho_image_release(&whole);
    }
    case_release(&c);
  }
  assert_int_equal(failures, 0);
}

/* ---- counts, constants ---- */

static void run_whole(moho_device *device, const physics_case *c, const moho_migration_options *options, moho_image *image,
                      moho_migration_counts *counts) {
  moho_migration *m;
  assert_ok(moho_image_create(&c->grid, image));
  assert_ok(moho_migration_create(device, &c->grid, c->velocity, options, &c->survey.geometry, c->survey.n_samples,
                                  c->survey.dt_s, &m));
  assert_ok(moho_migration_add(m, &c->survey.geometry, c->survey.samples, NULL, NULL));
  assert_ok(moho_migration_finish(m, image));
  *counts = moho_migration_get_counts(m);
  moho_migration_destroy(&m);
}

static void counts_are_the_native_paths(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[3]);
  moho_migration_counts native, counts;
  moho_image image;
  moho_device *cpu, *device;
  assert_ok(moho_device_open("cpu?threads=2", &cpu));
  assert_ok(moho_device_open(physics_device(), &device));
  moho_migration_options options = c.options;
  run_whole(cpu, &c, &options, &image, &native);
  moho_image_release(&image);
  assert_string_equal(native.kernel, "native");
  for (int k = 0; k < LADDER; k++) {
    options.kernel = ladder[k];
    run_whole(device, &c, &options, &image, &counts);
    assert_string_equal(counts.kernel, moho_migration_kernel_name(ladder[k]));
    assert_int_equal(counts.traces_added, native.traces_added);
    assert_int_equal(counts.traces_dead, native.traces_dead);
    assert_int_equal(counts.traces_used, native.traces_used);
    assert_int_equal(counts.traces_outside, native.traces_outside);
    assert_int_equal(counts.contributions, native.contributions);
    assert_true(counts.launches >= 1 && counts.kernel_seconds > 0);
    moho_image_release(&image);
  }
  assert_ok(moho_device_close(&cpu));
  assert_ok(moho_device_close(&device)); /* and nothing was left behind */
  case_release(&c);
}

static void wrong_constants_are_refused(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  static const char *const wrong[] = {"COLUMNS", "COLUMNS=", "COLUMNS=x", "columns=8", "COLUMNS=8;CHUNKS=4", "CHUNKS=0"};
  moho_device *device;
  moho_migration *m;
  assert_ok(moho_device_open(physics_device(), &device));
  moho_migration_options options = c.options;
  options.kernel = MOHO_KERNEL_V2;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    options.constants = wrong[i];
    assert_fails(
        moho_migration_create(device, &c.grid, c.velocity, &options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m),
        MOHO_ERROR_ARGUMENT, "NAME=whole number");
    assert_null(m);
  }
  static const char *const unsuited[] = {"COLUMNS=12", "COLUMNS=32",  "CHUNKS=3",
                                         "CHUNKS=8",   "TOGETHER=16", "COLUMNS=8,COLUMNS_X=3"};
  for (size_t i = 0; i < sizeof unsuited / sizeof *unsuited; i++) {
    options.constants = unsuited[i];
    assert_fails(
        moho_migration_create(device, &c.grid, c.velocity, &options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m),
        MOHO_ERROR_ARGUMENT, "constants: ");
  }
  assert_ok(moho_device_close(&device));
  case_release(&c);
}

/* ---- stopping, failing, sharing ---- */

static int stop_at_once(void *user, const moho_progress *progress) {
  (void)progress;
  return ++*(int *)user >= 1;
}

static void a_stop_is_heard(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  moho_device *device;
  assert_ok(moho_device_open(physics_device(), &device));
  for (int k = 0; k < LADDER; k++) {
    moho_migration *m;
    moho_image image;
    int calls = 0;
    moho_migration_options options = c.options;
    options.kernel = ladder[k], options.constants = "BATCH_TRACES=16,LAUNCH_COLUMNS=8";
    assert_ok(
        moho_migration_create(device, &c.grid, c.velocity, &options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m));
    assert_fails(moho_migration_add(m, &c.survey.geometry, c.survey.samples, stop_at_once, &calls), MOHO_ERROR_INTERRUPTED,
                 "interrupted");
    assert_int_equal(calls, 1);
    assert_ok(moho_image_create(&c.grid, &image));
    assert_fails(moho_migration_finish(m, &image), MOHO_ERROR_ARGUMENT, "not complete");
    moho_image_release(&image);
    moho_migration_destroy(&m);
  }
  assert_ok(moho_device_close(&device));
  case_release(&c);
}

static void too_little_memory_is_told(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  moho_device *device;
  moho_migration *m;
  moho_device_report report;
  moho_migration_plan plan;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  moho_migration_options options = c.options;
  options.kernel = MOHO_KERNEL_V2;
  options.memory_bytes = report.unified_memory ? 1000 : 0, options.device_memory_bytes = 1000;
  assert_fails(
      moho_migration_create(device, &c.grid, c.velocity, &options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m),
      MOHO_ERROR_TOO_LARGE, report.unified_memory ? "image of" : "on the device");
  assert_ok(moho_migration_make_plan(device, &c.grid, c.velocity, &options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s,
                                     &plan));
  assert_string_equal(plan.kernel, "v2");
  assert_true((report.unified_memory ? plan.memory_bytes : plan.device_bytes) > plan.image_bytes);
  assert_ok(moho_device_close(&device));
  case_release(&c);
}

/* Somebody else holds all of the device's memory but `left` bytes. */
enum { MOST_FILLERS = 64 };
static void fill_memory(moho_device *device, size_t left, moho_buffer *fillers[MOST_FILLERS]) {
  moho_device_report report;
  memset(fillers, 0, MOST_FILLERS * sizeof *fillers);
  assert_ok(moho_device_pool_trim(device));
  for (int i = 0; i < MOST_FILLERS; i++) {
    assert_ok(moho_device_describe(device, &report));
    if (report.memory_free_bytes <= left + (1 << 21)) return;
    size_t bytes = report.memory_free_bytes - left;
    if (report.largest_buffer && bytes > report.largest_buffer) bytes = report.largest_buffer;
    assert_ok(moho_buffer_create(device, bytes, MOHO_MEMORY_DEVICE, &fillers[i]));
  }
  fail_msg("%zu bytes are still free", report.memory_free_bytes);
}

static void empty_memory(moho_device *device, moho_buffer *fillers[MOST_FILLERS]) {
  for (int i = 0; i < MOST_FILLERS; i++) assert_ok(moho_buffer_destroy(&fillers[i]));
  assert_ok(moho_device_pool_trim(device));
}

/* Where the device has memory of its own; test_far_device shows the same without such a device. */
static void a_device_that_is_nearly_full_works_or_says_so(void **state) {
  (void)state;
  physics_case c = case_of_length(1001);
  moho_buffer *fillers[MOST_FILLERS];
  moho_device *device;
  moho_device_report report;
  moho_migration_plan plan;
  moho_migration_counts counts;
  moho_migration *m;
  moho_image image;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  if (report.unified_memory) {
    assert_ok(moho_device_close(&device));
    case_release(&c);
    skip();
  }
  moho_migration_options options = c.options;
  options.kernel = MOHO_KERNEL_V3;
  const moho_geometry *g = &c.survey.geometry;
  assert_ok(moho_migration_make_plan(device, &c.grid, c.velocity, &options, g, c.survey.n_samples, c.survey.dt_s, &plan));
  fill_memory(device, plan.device_bytes / 8 * 10 + ((size_t)256 << 20), fillers);
  run_whole(device, &c, &options, &image, &counts);
  assert_true(case_agrees("nearly full", 0, &c, &image, 1e-3, image_size(&image) / 1000000));
  moho_image_release(&image);
  empty_memory(device, fillers);
  c.grid.n_inline = c.grid.n_crossline = 400; /* 1.3 GB, whatever a batch takes: beside it 64 MiB are nothing */
  fill_memory(device, (size_t)64 << 20, fillers);
  assert_fails(moho_migration_create(device, &c.grid, c.velocity, &options, g, c.survey.n_samples, c.survey.dt_s, &m),
               MOHO_ERROR_TOO_LARGE, "on the device");
  assert_null(m);
  empty_memory(device, fillers);
  assert_ok(moho_device_close(&device));
  case_release(&c);
}

typedef struct sharer {
  moho_device *device;
  const physics_case *c;
  moho_migration_kernel kernel;
  moho_image image;
  moho_status status;
  moho_error error;
} sharer;

static void *run_shared(void *argument) {
  sharer *s = argument;
  moho_migration_options options = s->c->options;
  moho_migration *m = NULL;
  options.kernel = s->kernel, options.constants = "BATCH_TRACES=32";
  const survey *v = &s->c->survey;
  s->status = moho_migration_create(s->device, &s->c->grid, s->c->velocity, &options, &v->geometry, v->n_samples, v->dt_s, &m);
  if (!s->status) s->status = moho_migration_add(m, &v->geometry, v->samples, NULL, NULL);
  if (!s->status) s->status = moho_migration_finish(m, &s->image);
  if (s->status) s->error = *moho_last_error();
  moho_migration_destroy(&m);
  return NULL;
}

static void four_at_once_share_a_device(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[2]);
  sharer sharers[LADDER];
  pthread_t threads[LADDER];
  moho_device *device;
  assert_ok(moho_device_open(physics_device(), &device));
  for (int k = 0; k < LADDER; k++) {
    sharers[k] = (sharer){.device = device, .c = &c, .kernel = ladder[k]};
    assert_ok(moho_image_create(&c.grid, &sharers[k].image));
    assert_int_equal(pthread_create(&threads[k], NULL, run_shared, &sharers[k]), 0);
  }
  for (int k = 0; k < LADDER; k++) {
    pthread_join(threads[k], NULL);
    if (sharers[k].status) print_error("%s\n", sharers[k].error.message);
    assert_int_equal(sharers[k].status, MOHO_OK);
    assert_true(case_agrees("shared, kernel", (size_t)k, &c, &sharers[k].image, 1e-3, 0));
    moho_image_release(&sharers[k].image);
  }
  assert_ok(moho_device_close(&device));
  case_release(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_kernel_agrees_with_the_reference),
      cmocka_unit_test(every_law_agrees_with_the_reference),
      cmocka_unit_test(long_traces_agree_with_the_reference),
      cmocka_unit_test(half_storage_costs_what_it_says),
      cmocka_unit_test(any_cut_gives_the_same_bits),
      cmocka_unit_test(counts_are_the_native_paths),
      cmocka_unit_test(wrong_constants_are_refused),
      cmocka_unit_test(a_stop_is_heard),
      cmocka_unit_test(too_little_memory_is_told),
      cmocka_unit_test(a_device_that_is_nearly_full_works_or_says_so),
      cmocka_unit_test(four_at_once_share_a_device),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
