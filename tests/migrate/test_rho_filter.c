/* test_rho_filter.c - the rho filter: float transforms against a plain sum in double, known derivatives, zero-phase images. */
#include "test_support.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>

#include "migrate/reference_prepare.h"
#include "migrate/rho_filter.h"
#include "migrate/trace_prepare.h"

#define PI 3.14159265358979323846

/* One trace through the float path, refined by `refine`; returns malloc'ed samples. */
static float *filtered(const float *trace, size_t n, double dt, moho_rho rho, int refine) {
  moho_migration_options options = moho_migration_options_default();
  options.rho_filter = rho;
  options.refine = refine;
  moho_trace_preparer *preparer;
  moho_geometry geometry;
  uint8_t live;
  assert_ok(moho_trace_preparer_create(&options, 0, n, dt, 0, &preparer));
  assert_ok(moho_geometry_create(1, &geometry));
  moho_prepared_layout layout = moho_trace_preparer_layout(preparer);
  float *row = malloc(layout.stride * sizeof *row), *out = malloc(layout.n_samples * sizeof *out);
  assert_ok(moho_trace_prepare(preparer, &geometry, trace, 1, row, &live));
  assert_int_equal(live, 1);
  for (size_t i = 0; i < layout.n_samples; i++) out[i] = row[layout.x0 + i];
  free(row);
  moho_geometry_release(&geometry);
  moho_trace_preparer_destroy(&preparer);
  return out;
}

/* The same by its definition: transform, multiply and transform back by plain sums. */
static double *filtered_plainly(const float *trace, size_t n, double dt, moho_rho rho, int refine) {
  size_t length = moho_filter_length(n), n_out = (n - 1) * (size_t)refine + 1;
  double(*response)[2] = malloc((length / 2 + 1) * sizeof *response), *out = calloc(n_out, sizeof *out);
  moho_rho_response(rho, length, dt, response);
  for (size_t k = 0; k <= length / 2; k++) {
    double complex u = 0, h = response[k][0] + response[k][1] * I;
    for (size_t j = 0; j < n; j++) u += trace[j] * cexp(-2 * PI * I * (double)(j * k % length) / (double)length);
    u *= h * (k == 0 || k == length / 2 ? 1.0 : 2.0) / (double)length;
    for (size_t i = 0; i < n_out; i++) out[i] += creal(u * cexp(2 * PI * I * (double)k * (double)i / ((double)length * refine)));
  }
  free(response);
  return out;
}

/* u = Re Gamma(p+1) a^(p+1) (a - it)^-(p+1), whose spectrum is w^p e^{-aw}: its half-derivative and derivative in closed
 * form are further powers. order 0, 1/2, 1 by H = 1, sqrt(w) e^{-i pi/4}, -iw. */
static double known(double t, double order) {
  double a = 8 / (2 * PI * 25), p = 8;
  double complex phase = cexp(-I * PI / 2 * order);
  return creal(phase * tgamma(p + 1 + order) / tgamma(p + 1) * pow(a, p + 1) * cpow(a - I * t, -(p + 1 + order)));
}

static void check_known(moho_rho rho, double order) {
  enum { n = 501 };
  const double dt = 0.002;
  float trace[n];
  double exact[n];
  for (int j = 0; j < n; j++) trace[j] = (float)known(((double)j - 250) * dt, 0), exact[j] = known(((double)j - 250) * dt, order);
  float *y = filtered(trace, n, dt, rho, 1);
  assert_true(test_relative_l2(y, exact, n) < 1e-5);
  free(y);
}

static void derivatives_of_known_functions(void **state) {
  (void)state;
  check_known(MOHO_RHO_NONE, 0);
  check_known(MOHO_RHO_2D, 0.5);
  check_known(MOHO_RHO_3D, 1);
}

static void float_path_is_the_plain_sum(void **state) {
  (void)state;
  const size_t lengths[] = {1, 2, 37, 300};
  for (size_t c = 0; c < 4; c++)
    for (int rho = MOHO_RHO_NONE; rho <= MOHO_RHO_3D; rho++)
      for (int refine = 1; refine <= 8; refine *= 2) {
        size_t n = lengths[c];
        float trace[300];
        uint64_t random = 7 + c;
        for (size_t j = 0; j < n; j++) trace[j] = (float)test_normal(&random);
        float *y = filtered(trace, n, 0.004, (moho_rho)rho, refine);
        double *exact = filtered_plainly(trace, n, 0.004, (moho_rho)rho, refine);
        assert_true(test_relative_l2(y, exact, (n - 1) * (size_t)refine + 1) < 1e-6);
        free(y), free(exact);
      }
}

static void two_half_derivatives_are_one(void **state) {
  (void)state;
  enum { length = 1000 };
  double half[length / 2 + 1][2], whole[length / 2 + 1][2];
  moho_rho_response(MOHO_RHO_2D, length, 0.002, half);
  moho_rho_response(MOHO_RHO_3D, length, 0.002, whole);
  for (int k = 0; k <= length / 2; k++) {
    double complex h = half[k][0] + half[k][1] * I, square = h * h;
    double fade = k <= 0.8 * length / 2 ? 1 : 0.5 * (1 + cos(PI * (k / (length / 2.0) - 0.8) / 0.2));
    assert_true(fabs(creal(square)) < 1e-9);
    assert_true(fabs(cimag(square) - whole[k][1] * fade) < 1e-9 * (1 + fabs(whole[k][1])));
    assert_true(fabs(whole[k][1] + 2 * PI * k / (length * 0.002) * fade) < 1e-9 * (1 + fabs(whole[k][1])));
  }
}

static void lengths_suit_the_transform(void **state) {
  (void)state;
  for (size_t n = 1; n < 5000; n += 13) {
    size_t length = moho_filter_length(n), rest = length;
    assert_true(length >= 2 * n && length % 4 == 0);
    while (rest % 2 == 0) rest /= 2;
    while (rest % 3 == 0) rest /= 3;
    while (rest % 5 == 0) rest /= 5;
    assert_int_equal(rest, 1);
    assert_true(length < 3 * n + 32);
  }
}

static double ricker(double t) {
  double x = PI * 25 * t * (PI * 25 * t);
  return (1 - 2 * x) * exp(-x);
}

static double linear_at(const float *y, size_t n, double u) {
  size_t i = (size_t)u;
  return i + 1 < n ? y[i] + (u - (double)i) * (y[i + 1] - y[i]) : 0;
}

/* A flat reflector at 0.8 s recorded at zero offset everywhere, v 2500, summed along t = sqrt(t0^2 + (2r/v)^2) over a line or
 * over the plane: the image must be the wavelet again, upright. */
static void check_zero_phase(moho_rho rho) {
  enum { n = 4001, half_width = 100 };
  const double dt = 0.0005, reflector = 0.8, v = 2500, reach = 1500, step = 1;
  float *trace = malloc(n * sizeof *trace);
  for (int j = 0; j < n; j++) trace[j] = (float)ricker(j * dt - reflector);
  float *y = filtered(trace, n, dt, rho, 1);
  double product = 0, image2 = 0, wavelet2 = 0, largest = 0;
  int peak = 0;
  for (int s = -half_width; s <= half_width; s++) {
    double t0 = reflector + s * dt, image = 0;
    for (double r = 0.5 * step; r < reach; r += step) {
      double t = sqrt(t0 * t0 + 4 * r * r / (v * v)), fade = r < 0.5 * reach ? 1 : 0.5 * (1 + cos(PI * (r / reach - 0.5) / 0.5));
      image += (rho == MOHO_RHO_3D ? r * t0 / t : 1) * fade * linear_at(y, n, t / dt);
    }
    double wavelet = ricker(s * dt);
    product += image * wavelet, image2 += image * image, wavelet2 += wavelet * wavelet;
    if (fabs(image) > fabs(largest)) largest = image, peak = s;
  }
  assert_true(largest > 0);
  assert_true(abs(peak) <= 2); /* 1 ms */
  assert_true(product / sqrt(image2 * wavelet2) > 0.995);
  free(trace), free(y);
}

static void reflectors_come_out_zero_phase(void **state) {
  (void)state;
  check_zero_phase(MOHO_RHO_2D);
  check_zero_phase(MOHO_RHO_3D);
}

/* 25 and 55 Hz under one bell; a cut at 50 Hz leaves the first as it was and nothing of the second, in float and in double. */
static void a_high_cut_keeps_what_is_below(void **state) {
  (void)state;
  enum { n = 601 };
  const double dt = 0.002;
  float trace[n], low[n];
  for (int j = 0; j < n; j++) {
    double t = j * dt - 0.6, bell = exp(-t * t / (2 * 0.08 * 0.08));
    low[j] = (float)(bell * cos(2 * PI * 25 * t));
    trace[j] = (float)(low[j] + bell * cos(2 * PI * 57 * t + 1));
  }
  moho_migration_options options = moho_migration_options_default();
  options.rho_filter = MOHO_RHO_NONE;
  options.high_cut_hz = 50;
  moho_trace_preparer *preparer;
  moho_reference_preparer reference;
  moho_geometry geometry;
  uint8_t live;
  double muted[n];
  assert_ok(moho_trace_preparer_create(&options, 0, n, dt, 0, &preparer));
  assert_ok(moho_reference_preparer_create(&options, 0, n, dt, 0, &reference));
  assert_ok(moho_geometry_create(1, &geometry));
  moho_prepared_layout layout = moho_trace_preparer_layout(preparer);
  float *row = malloc(layout.stride * sizeof *row);
  double *exact = malloc(reference.stride * sizeof *exact);
  assert_ok(moho_trace_prepare(preparer, &geometry, trace, 1, row, &live));
  assert_int_equal(moho_reference_prepare(&reference, &geometry, 0, trace, muted, exact), 1);
  for (size_t j = 0; j < n; j++) {
    assert_true(fabsf(row[layout.x0 + j] - low[j]) < 2e-4);
    assert_true(fabs(exact[moho_reference_samples_at() + j] - (double)row[layout.x0 + j]) < 2e-6);
  }
  free(row), free(exact);
  moho_geometry_release(&geometry);
  moho_reference_preparer_release(&reference);
  moho_trace_preparer_destroy(&preparer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(derivatives_of_known_functions), cmocka_unit_test(float_path_is_the_plain_sum),
      cmocka_unit_test(two_half_derivatives_are_one),   cmocka_unit_test(lengths_suit_the_transform),
      cmocka_unit_test(reflectors_come_out_zero_phase), cmocka_unit_test(a_high_cut_keeps_what_is_below)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
