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

/* A column of a law; released with end(). */
typedef struct made_column {
  moho_velocity *velocity;
  moho_eta *eta;
  moho_travel_law law;
  moho_moveout_column column;
} made_column;

static void begin(made_column *c, moho_velocity *velocity, moho_traveltime law, double eta, double first_s) {
  moho_migration_options o = moho_migration_options_default();
  *c = (made_column){.velocity = velocity};
  if (eta != 0) assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, eta, &c->eta));
  o.traveltime = law, o.eta = c->eta;
  assert_ok(moho_travel_law_create(&o, velocity, first_s, step_s, N, step_s, 2000, &c->law));
  assert_ok(moho_moveout_column_create(&c->law, &c->column));
  assert_ok(moho_moveout_column_fill(&c->column, 0, 0));
}

static void end(made_column *c) {
  moho_moveout_column_release(&c->column);
  moho_travel_law_release(&c->law);
  moho_velocity_destroy(&c->velocity);
  moho_eta_destroy(&c->eta);
}

static moho_velocity *constant(double v) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_constant(v, &velocity));
  return velocity;
}

/* t0 at which the gather of half offset h has the event of T0, in s. */
static double predicted_s(const made_column *c, double h, double factor, double time_s) {
  double legs[N], trial[N];
  float place[N];
  moho_moveout_legs(&c->column, h, legs);
  moho_moveout_legs(&c->column, h / factor, trial);
  moho_moveout_places(N, legs, trial, place);
  return c->law.first_s + (double)place[lrint((time_s - c->law.first_s) / step_s)] * step_s;
}

static void flat_reflector_bends_as_predicted(void **state) {
  (void)state;
  for (int fast = 0; fast < 2; fast++) {
    double v_true = 2500, v = fast ? 2700 : 2300;
    made_column c;
    begin(&c, constant(v), MOHO_TRAVELTIME_STRAIGHT, 0, 0);
    for (double h = 100; h <= 800; h += 100) {
      double image = image_s(0, h, 1000, 0, v_true, v), predicted = predicted_s(&c, h, v_true / v, 0.8);
      assert_true(fabs(image - predicted) < 2e-5);
      assert_true((image < 0.8) == !fast); /* too slow curves up, too fast down */
    }
    end(&c);
  }
}

/* A dip bends less, by (h sin cos/(v tau))^2 at most and not at all at near offsets; where it lies is another matter. */
static void dip_bends_like_flat_at_near_offsets(void **state) {
  (void)state;
  double v_true = 2500, v = 2550, z = 1000;
  made_column c;
  begin(&c, constant(v), MOHO_TRAVELTIME_STRAIGHT, 0, 0);
  for (double theta = 0.17; theta < 0.6; theta += 0.17)
    for (double h = 50; h <= 500; h *= 2) {
      double near = image_s(0, 1e-3, z, theta, v_true, v), far = image_s(0, h, z, theta, v_true, v);
      double even = rint(near / step_s) * step_s, flat = predicted_s(&c, h, v_true / v, even) - even;
      double tau = near / 2, reduced = h * sin(theta) * cos(theta) / (v * tau), ratio = (far - near) / flat;
      if (!(ratio < 1.02 && ratio > 1 - reduced * reduced - 0.02)) fail_msg("dip %g, h %g: %g of flat", theta, h, ratio);
      if (h == 50) assert_true(fabs(ratio - 1) < 0.02);
    }
  end(&c);
}

/* v(t0): the curve still reads samples that came from one data time. */
static void varying_velocity_keeps_the_data_time(void **state) {
  (void)state;
  double time_s = 1.2, h = 700, f = 1.06;
  made_column c;
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  begin(&c, velocity, MOHO_TRAVELTIME_STRAIGHT, 0, 0.1);
  double t0 = predicted_s(&c, h, f, time_s), v0 = 1800 + 600 * t0, v1 = f * (1800 + 600 * time_s);
  assert_true(fabs(sqrt(t0 * t0 + 4 * h * h / (v0 * v0)) - sqrt(time_s * time_s + 4 * h * h / (v1 * v1))) < 1e-5);
  end(&c);
}

/* Every law: what its migration with v makes of a flat event of the velocity f*v. The data time is the law's own of a medium in
 * which every velocity is f times as large: there, and not by dividing distances. */
static void every_law_has_its_own_curve(void **state) {
  (void)state;
  const double v0 = 2000, k = 0.6, f = 0.95, time_s = 1.0, h = 600;
  for (int law = MOHO_TRAVELTIME_STRAIGHT; law <= MOHO_TRAVELTIME_VTI_RATIONAL; law++) {
    int is_vti = law >= MOHO_TRAVELTIME_VTI;
    moho_velocity *slow, *fast;
    made_column c, true_column;
    double legs[N], times[N];
    /* v(t1) = v0 exp(k t1): f times it everywhere is f*v0 with the same k t1 */
    assert_ok(moho_velocity_create_linear_z(v0, k, &slow));
    assert_ok(moho_velocity_create_linear_z(f * v0, k, &fast));
    begin(&c, slow, (moho_traveltime)law, is_vti ? 0.1 : 0, 0);
    begin(&true_column, fast, (moho_traveltime)law, is_vti ? 0.1 : 0, 0);
    moho_moveout_legs(&c.column, h, legs);
    moho_moveout_legs(&true_column.column, h, times);
    double data = times[lrint(time_s / step_s)], t0 = predicted_s(&c, h, f, time_s) / step_s;
    size_t below = (size_t)t0;
    double found = legs[below] + (t0 - (double)below) * (legs[below + 1] - legs[below]);
    if (!(fabs(found - data) < 0.005)) fail_msg("law %d: leg %g samples, expected %g", law, found, data);
    end(&c);
    end(&true_column);
  }
}

static void outside_is_missing(void **state) {
  (void)state;
  double legs[N], trial[N];
  float place[N], trace[N], late;
  made_column c;
  begin(&c, constant(2000), MOHO_TRAVELTIME_STRAIGHT, 0, 0);
  moho_moveout_legs(&c.column, 900, legs);
  moho_moveout_legs(&c.column, 300, trial);
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
  moho_moveout_legs(&c.column, 500, legs);
  size_t first = moho_moveout_first(&c.column, legs, 0.5);
  assert_true(fabs((double)first * step_s - sqrt(0.25 / 1.25)) <= step_s);
  end(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(flat_reflector_bends_as_predicted),
                                     cmocka_unit_test(dip_bends_like_flat_at_near_offsets),
                                     cmocka_unit_test(varying_velocity_keeps_the_data_time),
                                     cmocka_unit_test(every_law_has_its_own_curve), cmocka_unit_test(outside_is_missing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
