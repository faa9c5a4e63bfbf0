/* test_refine.c - refined traces pass through the signal between the samples; the factor fits the data. */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "migrate/refine.h"
#include "migrate/trace_prepare.h"

#define PI 3.14159265358979323846

/* A wave packet around `hz`, negligible above hz + 25. */
static double packet(double t, double hz) {
  return exp(-0.5 * pow((t - 0.5) / 0.03, 2)) * cos(2 * PI * hz * (t - 0.5) + 0.7);
}

static void packets_are_exact_between_samples(void **state) {
  (void)state;
  enum { n = 251 };
  const double dt = 0.004;
  float trace[n];
  for (int j = 0; j < n; j++) trace[j] = (float)packet(j * dt, 70);
  moho_geometry geometry;
  assert_ok(moho_geometry_create(1, &geometry));
  for (int refine = 2; refine <= 8; refine *= 2) {
    moho_migration_options options = moho_migration_options_default();
    options.rho_filter = MOHO_RHO_NONE;
    options.refine = refine;
    moho_trace_preparer *preparer;
    uint8_t live;
    assert_ok(moho_trace_preparer_create(&options, 0, n, dt, 0, &preparer));
    moho_prepared_layout layout = moho_trace_preparer_layout(preparer);
    assert_int_equal(layout.n_samples, (n - 1) * refine + 1);
    assert_true(fabs(layout.dt_s - dt / refine) < 1e-15);
    float *row = malloc(layout.stride * sizeof *row);
    assert_ok(moho_trace_prepare(preparer, &geometry, trace, 1, row, &live));
    double worst = 0, worst_kept = 0;
    for (size_t i = 0; i < layout.n_samples; i++)
      worst = fmax(worst, fabs(row[layout.x0 + i] - packet((double)i * layout.dt_s, 70)));
    for (int j = 0; j < n; j++) worst_kept = fmax(worst_kept, fabs(row[layout.x0 + (size_t)(j * refine)] - trace[j]));
    assert_true(worst < 2e-6);
    assert_true(worst_kept < 1e-6);
    free(row);
    moho_trace_preparer_destroy(&preparer);
  }
  moho_geometry_release(&geometry);
}

static void lone_nyquist_stays_a_cosine(void **state) {
  (void)state;
  float spectrum[2 * 9] = {[8] = 4.0f};           /* length 8: bins 0..4, the last one at Nyquist */
  for (int k = 10; k < 18; k++) spectrum[k] = 99; /* what was there before */
  moho_refine_spectrum(spectrum, 8, 2);
  assert_true(spectrum[8] == 2.0f);
  for (int k = 10; k < 18; k++) assert_true(spectrum[k] == 0);
}

static void fill_ricker(float *traces, size_t n, size_t n_samples, double dt, double hz) {
  for (size_t i = 0; i < n * n_samples; i++) {
    double t = (double)(i % n_samples) * dt - 0.2 - 0.01 * (double)(i / n_samples), x = PI * hz * t * (PI * hz * t);
    traces[i] = (float)((1 - 2 * x) * exp(-x));
  }
}

static void factor_fits_the_data(void **state) {
  (void)state;
  enum { n = 40, n_samples = 400 };
  float *traces = malloc(n * n_samples * sizeof *traces);
  double f_max;
  fill_ricker(traces, n, n_samples, 0.002, 25); /* amplitude x e^{1-x}, x = (f/25)^2: a tenth at 25*sqrt(4.89) = 55 Hz */
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.002, &f_max), 2);
  assert_true(fabs(f_max - 55.3) < 4);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_CUBIC, traces, n, n_samples, 0.002, &f_max), 1);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_SINC8, traces, n, n_samples, 0.002, NULL), 1);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.001, &f_max), 2);
  fill_ricker(traces, n, n_samples, 0.002, 10);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.002, &f_max), 1);
  fill_ricker(traces, n, n_samples, 0.002, 80);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.002, &f_max), 4);
  free(traces);
}

static void white_noise_under_the_signal_does_not_count(void **state) {
  (void)state;
  enum { n = 40, n_samples = 400 };
  float *traces = malloc(n * n_samples * sizeof *traces);
  uint64_t random = 3;
  double f_max;
  fill_ricker(traces, n, n_samples, 0.002, 25);
  for (int i = 0; i < n * n_samples; i++) traces[i] += 0.05f * (float)test_normal(&random);
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.002, &f_max), 2);
  assert_true(f_max > 40 && f_max < 60);
  for (int i = 0; i < n * n_samples; i++) traces[i] = (float)test_normal(&random); /* nothing but it: all of it is data */
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, traces, n, n_samples, 0.002, &f_max), 8);
  assert_true(f_max > 240);
  free(traces);
}

static void silence_needs_nothing(void **state) {
  (void)state;
  float zeros[20] = {0};
  double f_max = -1;
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, zeros, 2, 10, 0.002, &f_max), 1);
  assert_true(f_max == 0);
  f_max = -1;
  assert_int_equal(moho_migration_refine_factor(MOHO_INTERPOLATION_LINEAR, zeros, 0, 10, 0.002, &f_max), 1);
  assert_true(f_max == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(packets_are_exact_between_samples),
                                     cmocka_unit_test(lone_nyquist_stays_a_cosine), cmocka_unit_test(factor_fits_the_data),
                                     cmocka_unit_test(white_noise_under_the_signal_does_not_count),
                                     cmocka_unit_test(silence_needs_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
