/* test_residual_moveout.c - the residual move-out against the exact kinematics of flat and dipping planes: reflection times by
 * Levin's formula, migrated by hand with a wrong velocity.
 */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "migrate/residual_moveout.h"

enum { N = 1001 };
static const double step_s = 0.002;

/* Time of a reflection from a plane of dip theta through depth z below x = 0, midpoint m, in constant velocity (Levin 1971):
 * t^2 v^2 = 4 D^2 + 4 h^2 cos^2 theta, D the distance of the midpoint from the plane. */
static double reflection_s(double m, double h, double z, double theta, double v) {
  double distance = (z + m * tan(theta)) * cos(theta);
  return sqrt(4 * distance * distance + 4 * h * h * cos(theta) * cos(theta)) / v;
}

/* Image time below x: every midpoint's trace paints an ellipse, and the reflector is where the deepest one lies (a diffraction
 * from a point of the reflector comes no earlier than the reflection). */
static double image_s(double x, double h, double z, double theta, double v_true, double v) {
  double deepest = 0;
  for (double m = x - 3000; m <= x + 3000; m += 0.25) {
    double t = reflection_s(m, h, z, theta, v_true), y = m - x;
    /* t = sqrt(tau^2 + (y+h)^2/v^2) + sqrt(tau^2 + (y-h)^2/v^2) solved for tau */
    double square = (t * t / 4 - h * h / (v * v)) * (1 - 4 * y * y / (v * v * t * t));
    if (z + m * tan(theta) > 0 && square > 0 && fabs(2 * y) < v * t) deepest = fmax(deepest, 2 * sqrt(square));
  }
  return deepest;
}

static moho_moveout_column constant(double v, double *values) {
  for (size_t k = 0; k < N; k++) values[k] = v;
  return (moho_moveout_column){.n = N, .step_s = step_s, .v_mps = values};
}

/* t0 at which the gather of half offset h has the event of T0, in s. */
static double predicted_s(const moho_moveout_column *c, double h, double factor, double time_s) {
  double legs[N], trial[N];
  float place[N];
  moho_moveout_legs(c, h, legs);
  moho_moveout_legs(c, h / factor, trial);
  moho_moveout_places(N, legs, trial, place);
  return c->first_s + (double)place[lrint((time_s - c->first_s) / c->step_s)] * c->step_s;
}

static void flat_reflector_bends_as_predicted(void **state) {
  (void)state;
  double values[N];
  for (int fast = 0; fast < 2; fast++) {
    double v_true = 2500, v = fast ? 2700 : 2300;
    moho_moveout_column c = constant(v, values);
    for (double h = 100; h <= 800; h += 100) {
      double image = image_s(0, h, 1000, 0, v_true, v), predicted = predicted_s(&c, h, v_true / v, 0.8);
      assert_true(fabs(image - predicted) < 2e-5);
      assert_true((image < 0.8) == !fast); /* too slow curves up, too fast down */
    }
  }
}

/* A dip bends less, by (h sin cos/(v tau))^2 at most and not at all at near offsets; where it lies is another matter. */
static void dip_bends_like_flat_at_near_offsets(void **state) {
  (void)state;
  double values[N], v_true = 2500, v = 2550, z = 1000;
  moho_moveout_column c = constant(v, values);
  for (double theta = 0.17; theta < 0.6; theta += 0.17)
    for (double h = 50; h <= 500; h *= 2) {
      double near = image_s(0, 1e-3, z, theta, v_true, v), far = image_s(0, h, z, theta, v_true, v);
      double even = rint(near / step_s) * step_s, flat = predicted_s(&c, h, v_true / v, even) - even;
      double tau = near / 2, reduced = h * sin(theta) * cos(theta) / (v * tau), ratio = (far - near) / flat;
      if (!(ratio < 1.02 && ratio > 1 - reduced * reduced - 0.02)) fail_msg("dip %g, h %g: %g of flat", theta, h, ratio);
      if (h == 50) assert_true(fabs(ratio - 1) < 0.02);
    }
}

/* v(t0): the curve still reads samples that came from one data time. */
static void varying_velocity_keeps_the_data_time(void **state) {
  (void)state;
  double values[N], time_s = 1.2, h = 700, f = 1.06;
  for (size_t k = 0; k < N; k++) values[k] = 1800 + 600 * (0.1 + (double)k * step_s);
  moho_moveout_column c = {.n = N, .first_s = 0.1, .step_s = step_s, .v_mps = values};
  double t0 = predicted_s(&c, h, f, time_s), v0 = 1800 + 600 * t0, v1 = f * (1800 + 600 * time_s);
  assert_true(fabs(sqrt(t0 * t0 + 4 * h * h / (v0 * v0)) - sqrt(time_s * time_s + 4 * h * h / (v1 * v1))) < 1e-5);
}

static void outside_is_missing(void **state) {
  (void)state;
  double values[N], legs[N];
  float place[N], trace[N], late;
  moho_moveout_column c = constant(2000, values);
  moho_moveout_legs(&c, 900, legs);
  double trial[N];
  moho_moveout_legs(&c, 300, trial);
  moho_moveout_places(N, legs, trial, place);
  assert_true(place[0] == -1 && isnan(moho_moveout_sample(trace, N, place[0])));
  moho_moveout_places(N, trial, legs, place);
  late = place[N - 1];
  assert_true(late == N && isnan(moho_moveout_sample(trace, N, late)));
  /* A parabola through the samples is found again between them; a missing neighbour is told. */
  for (size_t k = 0; k < N; k++) trace[k] = (float)k * (float)k;
  assert_true(fabs((double)moho_moveout_sample(trace, N, 10.25f) - 10.25 * 10.25) < 1e-3);
  trace[12] = NAN;
  assert_true(isnan(moho_moveout_sample(trace, N, 10.25f)) && !isnan(moho_moveout_sample(trace, N, 9.25f)));
  /* Stretch: 2 leg <= 1.5 T0 from T0^2 = (4h^2/v^2)/1.25 on */
  moho_moveout_legs(&c, 500, legs);
  size_t first = moho_moveout_first(&c, legs, 0.5);
  assert_true(fabs((double)first * step_s - sqrt(0.25 / 1.25)) <= step_s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flat_reflector_bends_as_predicted), cmocka_unit_test(dip_bends_like_flat_at_near_offsets),
      cmocka_unit_test(varying_velocity_keeps_the_data_time), cmocka_unit_test(outside_is_missing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
