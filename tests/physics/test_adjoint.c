/* test_adjoint.c - what must hold, 6: demigration is the exact adjoint of migration, for every option and pair of options.
 *
 *   |<L m, d> - <m, L* d>| <= bound * |L m| |d|      d: a survey's traces, m: noise, L*: the migration
 *
 * in double with the reference, whose image of the survey each scenario brings, to 1e-13; in float with the loops of every
 * instruction set, to 1e-6, and their traces against the reference's; then every pair of law, antialias, interpolation and
 * weight. Dead, muted and delayed traces are among them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/demigration.h"
#include "scenarios.h"

static double dot(const double *a, const double *b, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* What the dot product test finds for traces L m [n] of a model m against the survey of the case, whose image is L* d. */
static double mismatch(const double *modelled, const float *recorded, size_t n, const double *model, const double *migrated,
                       size_t cells) {
  double forward = 0, recorded2 = 0;
  for (size_t i = 0; i < n; i++) forward += modelled[i] * recorded[i], recorded2 += (double)recorded[i] * recorded[i];
  assert_true(dot(modelled, modelled, n) > 0 && recorded2 > 0);
  return fabs(forward - dot(model, migrated, cells)) / (sqrt(dot(modelled, modelled, n)) * sqrt(recorded2));
}

static double *noise(size_t n, uint64_t seed) {
  double *x = malloc(n * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < n; i++) x[i] = 2 * test_uniform(&seed) - 1;
  return x;
}

/* Noise without the highest frequencies, which would only measure how well a float knows the time. */
static float *smooth_noise(const moho_grid *grid, uint64_t seed) {
  size_t n = grid->n_time, cells = grid->n_inline * grid->n_crossline * n;
  double *white = noise(cells, seed);
  float *x = malloc(cells * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < cells; i++) {
    double sum = 0;
    for (long lag = -8; lag <= 8; lag++)
      if ((long)(i % n) + lag >= 0 && (long)(i % n) + lag < (long)n)
        sum += white[(long)i + lag] * (1 + cos(PI * (double)lag / 9));
    x[i] = (float)sum;
  }
  free(white);
  return x;
}

static double *demigrate_reference(const physics_case *c, const double *model) {
  const survey *s = &c->survey;
  double *traces = malloc(s->n * s->n_samples * sizeof *traces);
  moho_reference *reference;
  assert_non_null(traces);
  assert_ok(moho_reference_create(&c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_demigrate(reference, model, c->fold, &s->geometry, s->samples, traces));
  moho_reference_destroy(&reference);
  return traces;
}

static void the_reference_is_exact(void **state) {
  (void)state;
  size_t failures = 0;
  double worst = 0;
  for (size_t i = 0; i < SCENARIOS; i++) {
    physics_case c = case_of_scenario(&scenarios[i]);
    size_t cells = c.grid.n_inline * c.grid.n_crossline * c.grid.n_time;
    double *model = noise(cells, i + 1), *traces = demigrate_reference(&c, model);
    double error = mismatch(traces, c.survey.samples, c.survey.n * c.survey.n_samples, model, c.expected, cells);
    if (!(error <= 1e-13)) print_error("scenario %zu: the reference's dot product test gives %.3g\n", i, error), failures++;
    worst = fmax(worst, error);
    free(model), free(traces);
    case_release(&c);
  }
  print_message("the reference: at most %.2g\n", worst);
  assert_int_equal(failures, 0);
}

/* ---- the cpu's own loops ---- */

static moho_status run_native(const char *uri, const physics_case *c, const float *model, size_t batch, float *traces) {
  const survey *s = &c->survey;
  moho_device *device;
  moho_demigration *demigration;
  assert_ok(moho_device_open(uri, &device));
  assert_ok(
      moho_demigration_create(device, &c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s, &demigration));
  moho_status status = moho_demigration_set_image(demigration, model, c->fold);
  for (size_t first = 0; !status && first < s->n; first += batch) {
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, s->n - first < batch ? s->n - first : batch);
    status =
        moho_demigration_run(demigration, &slice, s->samples + first * s->n_samples, traces + first * s->n_samples, NULL, NULL);
  }
  moho_demigration_destroy(&demigration);
  moho_device_close(&device);
  return status;
}

static double *as_double(const float *x, size_t n) {
  double *y = malloc(n * sizeof *y);
  assert_non_null(y);
  for (size_t i = 0; i < n; i++) y[i] = x[i];
  return y;
}

static int is_available(const char *simd) {
  char uri[60];
  moho_device *device;
  snprintf(uri, sizeof uri, "cpu?simd=%s", simd);
  int good = !moho_device_open(uri, &device);
  if (good) moho_device_close(&device);
  return good;
}

/* What a float knows of the time, 1e-8*ns samples, times the steepness of what image samples leave behind when they fall
 * between trace samples, now one and now two: that is a comb, however smooth the image. */
#define TRACES_BOUND (4e-7 * SCENARIO_NS)

/* The kernels interpolate times to 0.0025 samples a leg (docs/kernels.md). */
#define DEVICE_BOUND 1e-3

static double worst_mismatch, worst_difference;

/* On one device with the case's kernel; 1 when the test fails. bound: of the traces' difference from the reference's. */
static int fails_on(const char *uri, size_t number, const physics_case *c, const float *model, const double *expected,
                    double bound) {
  const survey *s = &c->survey;
  size_t cells = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time, samples = s->n * s->n_samples;
  float *traces = malloc(samples * sizeof *traces);
  assert_non_null(traces);
  assert_ok(run_native(uri, c, model, 40, traces));
  moho_image image = migrate(uri, &c->grid, c->velocity, &c->options, s, 40);
  double *modelled = as_double(traces, samples), *wide = as_double(model, cells), *migrated = as_double(image.stack, cells);
  double error = mismatch(modelled, s->samples, samples, wide, migrated, cells);
  double difference = test_relative_l2(traces, expected, samples);
  int bad = !(error <= 1e-6) || !(difference <= bound);
  if (bad)
    print_error("%s, case %zu: the dot product test gives %.3g, expected <= 1e-6; traces differ from the reference's by %.3g, "
                "expected <= %.3g\n",
                uri, number, error, difference, bound);
  worst_mismatch = fmax(worst_mismatch, error), worst_difference = fmax(worst_difference, difference);
  moho_image_release(&image);
  free(traces), free(modelled), free(wide), free(migrated);
  return bad;
}

/* On one instruction set, NULL the best. */
static int fails(const char *simd, size_t number, const physics_case *c, const float *model, const double *expected) {
  char uri[60];
  snprintf(uri, sizeof uri, "cpu?threads=2%s%s", simd ? "&simd=" : "", simd ? simd : "");
  return fails_on(uri, number, c, model, expected, TRACES_BOUND);
}

static void every_instruction_set_is_exact(void **state) {
  static const char *const simds[] = {"scalar", "avx2", "avx512", "neon"};
  (void)state;
  size_t failures = 0, ran = 0;
  for (size_t i = 0; i < SCENARIOS; i++) {
    physics_case c = case_of_scenario(&scenarios[i]);
    float *model = smooth_noise(&c.grid, i + 1);
    double *exact = as_double(model, c.grid.n_inline * c.grid.n_crossline * c.grid.n_time);
    double *expected = demigrate_reference(&c, exact);
    for (size_t k = 0; k < 4; k++)
      if (is_available(simds[k])) failures += (size_t)fails(simds[k], i, &c, model, expected), ran++;
    free(model), free(exact), free(expected);
    case_release(&c);
  }
  print_message("%zu runs: dot products within %.2g, traces within %.2g of the reference's\n", ran, worst_mismatch,
                worst_difference);
  assert_true(ran >= SCENARIOS);
  assert_int_equal(failures, 0);
}

/* ---- every pair of law, weight, antialias and interpolation ---- */

static int pair_fails(size_t number, const physics_case *c) {
  size_t cells = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time;
  float *model = smooth_noise(&c->grid, number + 1);
  double *exact = as_double(model, cells), *expected = demigrate_reference(c, exact);
  double error = mismatch(expected, c->survey.samples, c->survey.n * c->survey.n_samples, exact, c->expected, cells);
  int bad = !(error <= 1e-13);
  if (bad) print_error("pair %zu: the reference's dot product test gives %.3g\n", number, error);
  bad |= fails(number % 3 ? NULL : "scalar", number, c, model, expected);
  free(model), free(exact), free(expected);
  return bad;
}

static void every_pair_of_options_is_exact(void **state) {
  (void)state;
  size_t failures = 0;
  worst_mismatch = worst_difference = 0;
  for (size_t number = 0; number < LAW_SCENARIOS; number++) {
    scenario chosen = law_scenario(number);
    physics_case c = case_of_scenario(&chosen);
    failures += (size_t)pair_fails(number, &c);
    case_release(&c);
  }
  print_message("pairs: dot products within %.2g, traces within %.2g of the reference's\n", worst_mismatch, worst_difference);
  assert_int_equal(failures, 0);
}

/* ---- by kernels on a device: MOHO_DEVICE, else the texts as C ---- */

static int device_fails(size_t number, const scenario *chosen) {
  physics_case c = case_of_scenario(chosen);
  c.options.kernel = MOHO_KERNEL_V3;
  float *model = smooth_noise(&c.grid, number + 1);
  double *exact = as_double(model, c.grid.n_inline * c.grid.n_crossline * c.grid.n_time);
  double *expected = demigrate_reference(&c, exact);
  int bad = fails_on(physics_device(), number, &c, model, expected, DEVICE_BOUND);
  free(model), free(exact), free(expected);
  case_release(&c);
  return bad;
}

/* Small: two laws, with different weights and antialiases. */
static void kernels_on_a_device_are_exact(void **state) {
  (void)state;
  size_t failures = 0, step = physics_is_small() ? 14 : 1;
  worst_mismatch = worst_difference = 0;
  for (size_t i = 0; step == 1 && i < SCENARIOS; i += 3) failures += (size_t)device_fails(i, &scenarios[i]);
  for (size_t i = 0; i < LAW_SCENARIOS; i += step) {
    scenario chosen = law_scenario(i);
    failures += (size_t)device_fails(SCENARIOS + i, &chosen);
  }
  print_message("%s: dot products within %.2g, traces within %.2g of the reference's\n", physics_device(), worst_mismatch,
                worst_difference);
  assert_int_equal(failures, 0);
}

/* Bitwise the same traces whatever the batches, launches, slabs of the image and schedules: of the trace itself, of a filter
 * bank, of triangles, whose sums carry. */
static void kernels_on_a_device_give_the_same_bits(void **state) {
  static const char *const cuts[] = {NULL, "LAUNCH_TRACES=7", "SLAB_SAMPLES=4000", NULL, "BATCH_TRACES=50,SLAB_SAMPLES=9000"};
  static const char *const schedules[] = {"0", "1", "7", "12", "33"}; /* of Metal's test double; else nobody asks */
  (void)state;
  for (size_t i = physics_is_small() ? 2 : 0; i < 3; i++) {
    scenario chosen = law_scenario((size_t[]){0, 2, 1}[i]);
    physics_case c = case_of_scenario(&chosen);
    size_t samples = c.survey.n * c.survey.n_samples;
    float *model = smooth_noise(&c.grid, 78), *one = malloc(samples * sizeof *one), *other = malloc(samples * sizeof *other);
    assert_true(one && other);
    c.options.kernel = MOHO_KERNEL_V3;
    for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) {
      c.options.constants = cuts[k];
      assert_int_equal(setenv("MOHO_METAL_DOUBLE_SCHEDULE", schedules[k], 1), 0);
      assert_ok(run_native(physics_device(), &c, model, k == 3 ? 11 : c.survey.n, k ? other : one));
      if (k) assert_memory_equal(one, other, samples * sizeof *one);
    }
    free(model), free(one), free(other);
    case_release(&c);
  }
}

/* Bitwise the same traces whatever the threads and batches: with tables a column, and one for all. */
static void threads_and_batches_do_not_matter(void **state) {
  (void)state;
  for (size_t i = 1; i < 4; i++) {
    physics_case c = case_of_scenario(&scenarios[i]);
    size_t samples = c.survey.n * c.survey.n_samples;
    float *model = smooth_noise(&c.grid, 77), *one = malloc(samples * sizeof *one), *other = malloc(samples * sizeof *other);
    assert_true(one && other);
    assert_ok(run_native("cpu?threads=1", &c, model, c.survey.n, one));
    for (int threads = 2; threads <= 5; threads += 3) {
      char uri[40];
      snprintf(uri, sizeof uri, "cpu?threads=%d", threads);
      assert_ok(run_native(uri, &c, model, (size_t)(7 * threads), other));
      assert_memory_equal(one, other, samples * sizeof *one);
    }
    free(model), free(one), free(other);
    case_release(&c);
  }
}

/* ---- zeros that are data ---- */

/* A spike a trace, a trace of zeros: what a solver hands to an operator. */
static void put_spikes(survey *s) {
  memset(s->samples, 0, s->n * s->n_samples * sizeof *s->samples);
  for (size_t i = 0; i < s->n; i++)
    if (i != 3) s->samples[i * s->n_samples + 60 + i % 120] = i % 2 ? 1 : -2;
}

/* <L m, d> against <m, L* d>, with the reference or the loops. */
static double spikes_mismatch(const physics_case *c, int by_reference) {
  const survey *s = &c->survey;
  size_t cells = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time, samples = s->n * s->n_samples;
  float *model = smooth_noise(&c->grid, 5), *traces = malloc(samples * sizeof *traces);
  double *wide = as_double(model, cells), *migrated, *modelled;
  assert_non_null(traces);
  if (by_reference) {
    moho_reference *reference;
    migrated = malloc(cells * sizeof *migrated);
    int32_t *fold = malloc(cells * sizeof *fold);
    assert_true(migrated && fold);
    assert_ok(
        moho_reference_create(&c->grid, c->velocity, &c->options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
    assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
    assert_ok(moho_reference_finish(reference, migrated, fold));
    moho_reference_destroy(&reference);
    free(fold);
    modelled = demigrate_reference(c, wide);
  } else {
    moho_image image = migrate("cpu?threads=2", &c->grid, c->velocity, &c->options, s, 40);
    migrated = as_double(image.stack, cells);
    moho_image_release(&image);
    assert_ok(run_native("cpu?threads=2", c, model, 40, traces));
    modelled = as_double(traces, samples);
  }
  double error = mismatch(modelled, s->samples, samples, wide, migrated, cells);
  free(model), free(traces), free(wide), free(migrated), free(modelled);
  return error;
}

/* As recorded, the zeros before a spike are a mute that the demigration is told of; as data they are not, and the modelled
 * traces do not depend on them. */
static void zeros_can_be_data(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[1]);
  size_t samples = c.survey.n * c.survey.n_samples;
  put_spikes(&c.survey);
  c.options.zeros_are_data = 1;
  assert_true(spikes_mismatch(&c, 1) <= 1e-13);
  assert_true(spikes_mismatch(&c, 0) <= 1e-6);
  float *model = smooth_noise(&c.grid, 6), *one = malloc(samples * sizeof *one), *other = malloc(samples * sizeof *other);
  assert_true(one && other);
  assert_ok(run_native("cpu", &c, model, 40, one));
  double live = 0;
  for (size_t j = 0; j < c.survey.n_samples; j++) live += fabs((double)one[3 * c.survey.n_samples + j]);
  assert_true(live > 0);
  c.options.zeros_are_data = 0;
  assert_ok(run_native("cpu", &c, model, 40, other));
  for (size_t j = 0; j < c.survey.n_samples; j++) assert_true(other[3 * c.survey.n_samples + j] == 0);
  double *wide = as_double(one, samples);
  assert_true(test_relative_l2(other, wide, samples) > 0.1);
  free(model), free(one), free(other), free(wide);
  case_release(&c);
}

static void mistakes_are_named(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[4]); /* divided by the fold */
  const survey *s = &c.survey;
  size_t cells = c.grid.n_inline * c.grid.n_crossline * c.grid.n_time;
  float *model = calloc(cells, sizeof *model), *traces = malloc(s->n * s->n_samples * sizeof *traces);
  moho_device *device;
  moho_demigration *demigration;
  assert_true(model && traces);
  assert_ok(moho_device_open("cpu", &device));
  c.options.kernel = MOHO_KERNEL_V1;
  assert_fails(
      moho_demigration_create(device, &c.grid, c.velocity, &c.options, &s->geometry, s->n_samples, s->dt_s, &demigration),
      MOHO_ERROR_NOT_AVAILABLE, "kernel v1 does not demigrate");
  c.options.kernel = MOHO_KERNEL_AUTO;
  assert_ok(moho_demigration_create(device, &c.grid, c.velocity, &c.options, &s->geometry, s->n_samples, s->dt_s, &demigration));
  assert_fails(moho_demigration_run(demigration, &s->geometry, NULL, traces, NULL, NULL), MOHO_ERROR_ARGUMENT, "no image");
  assert_fails(moho_demigration_set_image(demigration, model, NULL), MOHO_ERROR_ARGUMENT, "needs that fold");
  model[c.grid.n_time + 3] = NAN;
  assert_fails(moho_demigration_set_image(demigration, model, c.fold), MOHO_ERROR_RANGE, "crossline 2");
  moho_demigration_destroy(&demigration);
  moho_device_close(&device);
  free(model), free(traces);
  case_release(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_reference_is_exact),
                                     cmocka_unit_test(every_instruction_set_is_exact),
                                     cmocka_unit_test(every_pair_of_options_is_exact),
                                     cmocka_unit_test(threads_and_batches_do_not_matter),
                                     cmocka_unit_test(zeros_can_be_data),
                                     cmocka_unit_test(mistakes_are_named),
                                     cmocka_unit_test(kernels_on_a_device_are_exact),
                                     cmocka_unit_test(kernels_on_a_device_give_the_same_bits)};
  if (getenv("MOHO_DEVICE")) cmocka_set_test_filter("kernels_*"); /* the rest concerns no device */
  else cmocka_set_skip_filter("kernels_*");
  return cmocka_run_group_tests(tests, NULL, NULL);
}
