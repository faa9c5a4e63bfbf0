/* test_repeats.c - twenty runs of every kernel on one device (MOHO_DEVICE, else the texts as C on the cpu) give the same bits,
 * whatever the order in which groups take their work, and whatever memory they find.
 */
#include <stdlib.h>
#include <string.h>

#include "../physics/physics_support.h"

enum { REPEATS = 20 };
static const double DT = 0.002;

/* What is migrated again and again: larger on a GPU, where groups outnumber what it holds at once. */
typedef struct repeated {
  moho_device *device;
  survey survey;
  moho_grid grid;
  moho_velocity *velocity;
  const char *parts; /* constants that cut it into batches and launches */
} repeated;

static moho_device *open_device(int *is_large) {
  const char *uri = getenv("MOHO_DEVICE");
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(uri && *uri ? uri : "cpu?threads=2", &device));
  assert_ok(moho_device_describe(device, &report));
  *is_large = !report.has_native && !strstr(report.name, "double");
  return device;
}

static repeated repeated_create(void) {
  int is_large;
  repeated r = {.device = open_device(&is_large)};
  size_t traces = is_large ? 2000 : 40, samples = is_large ? 601 : 201, columns = is_large ? 40 : 4;
  uint64_t seed = 11;
  r.parts = is_large ? "BATCH_TRACES=700,LAUNCH_COLUMNS=400" : "BATCH_TRACES=15,LAUNCH_COLUMNS=8";
  r.survey = survey_create(traces, samples, DT);
  for (size_t k = 0; k < traces; k++)
    survey_place(&r.survey, k, 25 * (double)columns * test_uniform(&seed), 25 * (double)columns * test_uniform(&seed),
                 600 * test_uniform(&seed), 360 * test_uniform(&seed));
  survey_fill_with_events(&r.survey, 80, 5);
  r.grid = grid_of(0, 0, 30, columns, columns, 25, samples, DT);
  assert_ok(moho_velocity_create_linear_t0(1800, 700, &r.velocity));
  return r;
}

static void repeated_release(repeated *r) {
  moho_velocity_destroy(&r->velocity);
  survey_release(&r->survey);
  moho_grid_release(&r->grid);
  assert_ok(moho_device_close(&r->device));
}

static moho_image run_once(const repeated *r, const moho_migration_options *options) {
  moho_image image;
  moho_migration *m;
  assert_ok(moho_image_create(&r->grid, &image));
  assert_ok(moho_migration_create(r->device, &r->grid, r->velocity, options, &r->survey.geometry, r->survey.n_samples,
                                  r->survey.dt_s, &m));
  assert_ok(moho_migration_add(m, &r->survey.geometry, r->survey.samples, NULL, NULL));
  assert_ok(moho_migration_finish(m, &image));
  moho_migration_destroy(&m);
  return image;
}

static size_t count_different(const repeated *r, const moho_migration_options *options) {
  moho_image first = run_once(r, options);
  size_t n = image_size(&first), different = 0;
  assert_true(relative_difference(first.stack, first.stack, n) == 0); /* it is not empty */
  for (int run = 1; run < REPEATS; run++) {
    moho_image image = run_once(r, options);
    int same = !memcmp(image.stack, first.stack, n * sizeof(float)) && !memcmp(image.fold, first.fold, n * sizeof(int32_t));
    if (!same) print_error("%s: run %d differs from the first\n", moho_migration_kernel_name(options->kernel), run + 1);
    different += !same;
    moho_image_release(&image);
  }
  moho_image_release(&first);
  return different;
}

static void check(moho_migration_options options, int in_parts) {
  repeated r = repeated_create();
  size_t different = 0;
  if (in_parts) options.constants = r.parts;
  for (options.kernel = MOHO_KERNEL_NATIVE; options.kernel <= MOHO_KERNEL_V3; options.kernel++) {
    if (moho_migration_supports(r.device, &options)) {
      assert_true(options.kernel == MOHO_KERNEL_NATIVE || options.storage == MOHO_STORAGE_HALF); /* nothing else is left out */
      continue;
    }
    different += count_different(&r, &options);
  }
  repeated_release(&r);
  assert_int_equal(different, 0);
}

static void plain_images_repeat(void **state) {
  (void)state;
  moho_migration_options options = plain_options(400);
  options.aperture_taper = 0.2;
  check(options, 0);
}

static void weighted_and_antialiased_images_repeat(void **state) {
  (void)state;
  moho_migration_options options = plain_options(300);
  options.antialias = MOHO_ANTIALIAS_TRIANGLE, options.weight = MOHO_WEIGHT_SPREADING_OBLIQUITY;
  check(options, 0);
}

/* Several batches, launches of a part, halves: more is in flight. */
static void images_in_parts_repeat(void **state) {
  (void)state;
  moho_migration_options options = plain_options(400);
  options.storage = MOHO_STORAGE_HALF;
  check(options, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(plain_images_repeat),
      cmocka_unit_test(weighted_and_antialiased_images_repeat),
      cmocka_unit_test(images_in_parts_repeat),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
