/* test_least_squares.c - least-squares migration: the residual falls and is what it is said to be, the footprint of a sparse,
 * irregular survey shrinks, and neither threads nor batches matter.
 *
 * The survey: a flat reflector at depth 500 m in 2000 m/s, exact times, 60 traces of 5 offsets at irregular midpoints along 1.5
 * km, where a regular survey would have some hundreds.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "moho/least_squares.h"
#include "physics_support.h"

enum { TRACES = 60, NS = 401, CROSSLINES = 121, TIMES = 351, REFLECTOR = 250, ITERATIONS = 8 };
#define DT 0.002
#define VELOCITY 2000.0
#define DEPTH 500.0

static survey sparse_survey(void) {
  survey s = survey_create(TRACES, NS, DT);
  uint64_t seed = 5;
  for (size_t k = 0; k < TRACES; k++) {
    /* Midpoints crowd and leave gaps: of one offset 125 m lie between neighbours on average, and up to 275 m. */
    double y = -100 + 1500 * ((double)k + 6 * test_uniform(&seed)) / TRACES, offset = 150 * (double)(k % 5);
    survey_place(&s, k, 0, y, offset, 0);
    survey_add(&s, k, ricker_half_derivative, 20, sqrt(4 * DEPTH * DEPTH + offset * offset) / VELOCITY, 1);
  }
  memset(s.samples + 9 * NS, 0, NS * sizeof *s.samples); /* dead without saying so */
  s.geometry.flags[20] = MOHO_TRACE_DEAD;
  return s;
}

static moho_status give(void *user, size_t first, size_t n, float *traces) {
  const survey *s = user;
  memcpy(traces, s->samples + first * s->n_samples, n * s->n_samples * sizeof *traces);
  return MOHO_OK;
}

typedef struct solution {
  moho_image image;
  moho_least_squares_step steps[ITERATIONS + 1];
  moho_least_squares_counts counts;
} solution;

static moho_migration_options line_options(void) {
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 600, options.aperture_max_dip_deg = 40, options.refine = 2;
  return options;
}

static moho_grid line_grid(void) {
  return grid_of(0, 0, 0, 1, CROSSLINES, 10, TIMES, DT);
}

static solution solve_by(const char *uri, moho_migration_kernel kernel, int iterations, survey *s, double damping) {
  solution out = {0};
  moho_device *device;
  moho_velocity *velocity;
  moho_grid grid = line_grid();
  moho_migration_options options = line_options();
  moho_least_squares_options least_squares = {.iterations = iterations, .damping = damping};
  options.kernel = kernel;
  assert_ok(moho_device_open(uri, &device));
  assert_ok(moho_velocity_create_constant(VELOCITY, &velocity));
  assert_ok(moho_image_create(&grid, &out.image));
  assert_ok(moho_least_squares_migrate(device, &grid, velocity, &options, &least_squares, &s->geometry, NS, DT, give, s,
                                       &out.image, out.steps, &out.counts, NULL, NULL));
  moho_velocity_destroy(&velocity);
  moho_device_close(&device);
  return out;
}

static solution solve(const char *uri, survey *s, double damping) {
  return solve_by(uri, MOHO_KERNEL_AUTO, ITERATIONS, s, damping);
}

/* Variation of the reflector's amplitude along the middle of the line: standard deviation over mean. */
static double footprint(const moho_image *image) {
  double sum = 0, sum2 = 0, n = 0;
  for (size_t column = 20; column + 20 < CROSSLINES; column++) {
    double peak = 0;
    for (size_t k = REFLECTOR - 4; k <= REFLECTOR + 4; k++) peak = fmax(peak, image_column(image, 0, column)[k]);
    sum += peak, sum2 += peak * peak, n++;
  }
  return sqrt(sum2 / n - sum / n * (sum / n)) / (sum / n);
}

static void the_footprint_shrinks(void **state) {
  (void)state;
  survey s = sparse_survey();
  moho_grid grid = line_grid();
  moho_migration_options options = line_options();
  moho_image plain = migrate_constant(&grid, VELOCITY, &options, &s);
  solution best = solve("cpu", &s, 0);
  double before = footprint(&plain), after = footprint(&best.image);
  print_message("amplitude along the reflector varies by %.1f %% before, by %.1f %% after %d iterations; residual %.3f\n",
                100 * before, 100 * after, best.counts.iterations, best.steps[ITERATIONS].residual);
  assert_int_equal(best.counts.iterations, ITERATIONS);
  assert_true(before > 0.2);
  assert_true(after < 0.5 * before);
  for (int k = 0; k < ITERATIONS; k++) assert_true(best.steps[k + 1].residual < best.steps[k].residual);
  assert_true(best.steps[ITERATIONS].residual < 0.45);
  assert_memory_equal(plain.fold, best.image.fold, image_size(&plain) * sizeof *plain.fold);
  assert_true(best.counts.contributions > (uint64_t)(2 * ITERATIONS) * best.counts.migration.contributions);
  moho_image_release(&plain), moho_image_release(&best.image);
  survey_release(&s);
}

/* |L x - d| / |d| over the traces that are live: nothing here is muted. */
static double residual_of(const moho_image *image, const survey *s) {
  moho_device *device;
  moho_velocity *velocity;
  moho_demigration *demigration;
  moho_grid grid = line_grid();
  moho_migration_options options = line_options();
  float *modelled = malloc(TRACES * NS * sizeof *modelled);
  double difference2 = 0, data2 = 0;
  assert_non_null(modelled);
  assert_ok(moho_device_open("cpu", &device));
  assert_ok(moho_velocity_create_constant(VELOCITY, &velocity));
  assert_ok(moho_demigration_create(device, &grid, velocity, &options, &s->geometry, NS, DT, &demigration));
  assert_ok(moho_demigration_set_image(demigration, image->stack, NULL));
  assert_ok(moho_demigration_run(demigration, &s->geometry, s->samples, modelled, NULL, NULL));
  for (size_t i = 0; i < TRACES * NS; i++) {
    if (s->geometry.flags[i / NS]) continue;
    double d = s->samples[i], error = modelled[i] - d;
    difference2 += error * error, data2 += d * d;
  }
  moho_demigration_destroy(&demigration);
  moho_velocity_destroy(&velocity);
  moho_device_close(&device);
  free(modelled);
  return sqrt(difference2 / data2);
}

static void the_residual_is_what_it_is_said_to_be(void **state) {
  (void)state;
  survey s = sparse_survey();
  solution best = solve("cpu", &s, 0), damped = solve("cpu", &s, 0.3);
  double free_size = 0, damped_size = 0;
  assert_float_equal(best.steps[ITERATIONS].residual, residual_of(&best.image, &s), 1e-4);
  assert_float_equal(damped.steps[ITERATIONS].residual, residual_of(&damped.image, &s), 1e-4);
  for (size_t i = 0; i < image_size(&best.image); i++)
    free_size += pow(best.image.stack[i], 2), damped_size += pow(damped.image.stack[i], 2);
  assert_true(damped_size < 0.8 * free_size);
  assert_true(damped.steps[ITERATIONS].residual > best.steps[ITERATIONS].residual);
  moho_image_release(&best.image), moho_image_release(&damped.image);
  survey_release(&s);
}

/* The same by kernels on a device, MOHO_DEVICE, else the texts as C: its own operator and adjoint. */
static void kernels_on_a_device_do_it_too(void **state) {
  (void)state;
  survey s = sparse_survey();
  solution host = solve_by("cpu", MOHO_KERNEL_NATIVE, 2, &s, 0);
  solution device = solve_by(physics_device(), MOHO_KERNEL_V3, 2, &s, 0);
  double difference = relative_difference(device.image.stack, host.image.stack, image_size(&host.image));
  for (int k = 0; k <= 2; k++) assert_true(fabs(device.steps[k].residual - host.steps[k].residual) < 1e-3);
  print_message("by kernels: residual %.4f, native %.4f, images differ by %.2g\n", device.steps[2].residual,
                host.steps[2].residual, difference);
  assert_true(difference < 1e-3);
  assert_int_equal(device.counts.contributions, host.counts.contributions);
  moho_image_release(&host.image), moho_image_release(&device.image);
  survey_release(&s);
}

static void threads_do_not_matter(void **state) {
  (void)state;
  survey s = sparse_survey();
  solution one = solve("cpu?threads=1", &s, 0.01), three = solve("cpu?threads=3", &s, 0.01);
  assert_memory_equal(one.image.stack, three.image.stack, image_size(&one.image) * sizeof(float));
  moho_image_release(&one.image), moho_image_release(&three.image);
  survey_release(&s);
}

static void mistakes_are_named(void **state) {
  (void)state;
  survey s = sparse_survey();
  moho_device *device;
  moho_velocity *velocity;
  moho_grid grid = line_grid();
  moho_migration_options options = line_options();
  moho_least_squares_options least_squares = {.iterations = 0};
  solution out = {0};
  assert_ok(moho_device_open("cpu", &device));
  assert_ok(moho_velocity_create_constant(VELOCITY, &velocity));
  assert_ok(moho_image_create(&grid, &out.image));
#define SOLVE                                                                                                              \
  moho_least_squares_migrate(device, &grid, velocity, &options, &least_squares, &s.geometry, NS, DT, give, &s, &out.image, \
                             out.steps, &out.counts, NULL, NULL)
  assert_fails(SOLVE, MOHO_ERROR_RANGE, "migration.iterations is 0");
  least_squares.iterations = 1, least_squares.damping = -1;
  assert_fails(SOLVE, MOHO_ERROR_RANGE, "migration.damping is -1");
  least_squares.damping = 0, options.normalise = MOHO_NORMALISE_FOLD;
  assert_fails(SOLVE, MOHO_ERROR_NOT_AVAILABLE, "normalise fold");
  options.normalise = MOHO_NORMALISE_NONE, options.kernel = MOHO_KERNEL_BASELINE;
  assert_fails(SOLVE, MOHO_ERROR_NOT_AVAILABLE, "kernel baseline does not demigrate");
  moho_image_release(&out.image);
  moho_velocity_destroy(&velocity);
  moho_device_close(&device);
  survey_release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_footprint_shrinks),
                                     cmocka_unit_test(the_residual_is_what_it_is_said_to_be),
                                     cmocka_unit_test(kernels_on_a_device_do_it_too), cmocka_unit_test(threads_do_not_matter),
                                     cmocka_unit_test(mistakes_are_named)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
