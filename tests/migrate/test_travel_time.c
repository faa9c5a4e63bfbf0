/* test_travel_time.c - every law of the leg time against numbers from outside: docs/physics.md, circles, exact VTI rays; slopes
 * against differences; what a law refuses.
 */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "migrate/travel_time.h"

/* float_physics.c: kernels/physics.h in float, with its own series for circles. */
float float_leg_time_linear(float d2, float base, float s2, float c2);
float float_leg_time_linear_near(float d2, float base, float s2, float c2);

#define PI 3.14159265358979323846
enum { SAMPLES = 501 };
static const double DT = 0.002, STEP = 0.008;

typedef struct bench {
  moho_velocity *velocity;
  moho_eta *eta;
  moho_travel_law law;
  moho_travel_column column;
} bench;

static bench make_bench(moho_traveltime kind, moho_velocity *velocity, moho_eta *eta) {
  moho_migration_options options = moho_migration_options_default();
  options.traveltime = kind, options.eta = eta, options.aperture_max_m = 8000;
  bench b = {.velocity = velocity, .eta = eta};
  assert_ok(moho_travel_law_create(&options, velocity, 0, STEP, SAMPLES, DT, 8000, &b.law));
  assert_ok(moho_travel_column_create(&b.law, &b.column));
  assert_ok(moho_travel_column_fill(&b.law, 0, 0, &b.column));
  return b;
}

static void free_bench(bench *b) {
  moho_travel_column_release(&b->column);
  moho_travel_law_release(&b->law);
  moho_velocity_destroy(&b->velocity);
  moho_eta_destroy(&b->eta);
}

static moho_velocity *linear_z(double v0, double k) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_z(v0, k, &velocity));
  return velocity;
}

static moho_velocity *constant(double v) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_constant(v, &velocity));
  return velocity;
}

static moho_eta *constant_eta(double value) {
  moho_eta *eta;
  assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, value, &eta));
  return eta;
}

/* Leg time in s with t0 on the sample that lies at `t0`. */
static double leg_at(moho_traveltime kind, moho_velocity *velocity, moho_eta *eta, double t0, double d) {
  moho_migration_options options = moho_migration_options_default();
  moho_travel_law law;
  moho_travel_column column;
  options.traveltime = kind, options.eta = eta;
  assert_ok(moho_travel_law_create(&options, velocity, t0, STEP, 1, DT, 9000, &law));
  assert_ok(moho_travel_column_create(&law, &column));
  assert_ok(moho_travel_column_fill(&law, 0, 0, &column));
  moho_leg leg = moho_leg_of(&law, d * d);
  double t = moho_leg_time(&law, &column, &leg, 0) * DT;
  moho_travel_column_release(&column);
  moho_travel_law_release(&law);
  return t;
}

/* docs/physics.md: V0 = 2000, k = 0.5, z = 1500. */
static void circles_take_the_times_of_the_table(void **state) {
  (void)state;
  static const double d[5] = {0, 1000, 2000, 4000, 8000}, t[5] = {.636907, .764051, 1.053772, 1.763865, 3.138551};
  moho_velocity *velocity = linear_z(2000, 0.5);
  double t0 = 2 * log(1 + 0.5 * 1500 / 2000) / 0.5;
  for (int i = 0; i < 5; i++) {
    double circle = leg_at(MOHO_TRAVELTIME_CURVED_LINEAR, velocity, NULL, t0, d[i]);
    double ray = leg_at(MOHO_TRAVELTIME_CURVED_RAY, velocity, NULL, t0, d[i]);
    if (!(fabs(circle - t[i]) < 6e-7) || !(fabs(ray - t[i]) < MOHO_LEG_TIME_ERROR * DT))
      fail_msg("d = %g: circles %.7f s, rays %.7f s, expected %.6f", d[i], circle, ray, t[i]);
  }
  moho_velocity_destroy(&velocity);
}

static void float_circles_err_less_than_a_microsecond(void **state) {
  (void)state;
  static const double gradients[] = {1e-6, 1e-3, 0.01, 0.1, 0.6, 1.5, -0.2};
  uint64_t random = 7;
  for (size_t g = 0; g < sizeof gradients / sizeof *gradients; g++) {
    double k = gradients[g], v0 = k < 0 ? 4000 : 1800, c = k * DT / 2, worst = 0;
    for (int i = 0; i < 20000; i++) {
      double t1 = 2.5 * test_uniform(&random), d = 8000 * test_uniform(&random), deep = k * t1 / 2, far = k * d / (2 * v0);
      if (v0 * exp(k * t1) > 9000) continue;
      double exact = 2 / fabs(k) * asinh(sqrt(sinh(deep) * sinh(deep) + far * far * exp(-k * t1)));
      double base = pow(sinh(c * t1 / DT) / c, 2), s2 = exp(-k * t1) / (v0 * DT * v0 * DT);
      float t = float_leg_time_linear((float)(d * d), (float)fmax(base, 1e-12), (float)s2, (float)(c * c));
      worst = fmax(worst, fabs((double)t * DT - exact));
      if (sinh(deep) * sinh(deep) + far * far * exp(-k * t1) > 2.25) continue;
      t = float_leg_time_linear_near((float)(d * d), (float)fmax(base, 1e-12), (float)s2, (float)(c * c));
      worst = fmax(worst, fabs((double)t * DT - exact));
    }
    if (!(worst < 1e-6)) fail_msg("k = %g: %.3g s off", k, worst);
  }
}

/* 1800 + 0.6 z, z = d = 2 km: docs/physics.md "straight errs 6.0 ms a leg, this 1.8". */
static void castle_errs_a_third_of_straight(void **state) {
  (void)state;
  moho_velocity *velocity = linear_z(1800, 0.6);
  double t0 = 2 * log(1 + 0.6 * 2000 / 1800) / 0.6, exact = leg_at(MOHO_TRAVELTIME_CURVED_LINEAR, velocity, NULL, t0, 2000);
  assert_true(fabs(leg_at(MOHO_TRAVELTIME_STRAIGHT, velocity, NULL, t0, 2000) - exact - 6.01e-3) < 5e-5);
  assert_true(fabs(leg_at(MOHO_TRAVELTIME_CURVED_RMS, velocity, NULL, t0, 2000) - exact - 1.83e-3) < 5e-5);
  moho_velocity_destroy(&velocity);
}

/* Acoustic VTI (Alkhalifah 1998), a ray of horizontal slowness p: g = p_z v_vertical, g^2 = 1 - q/(1 - 2 eta q), q = (p v)^2,
 * x = t1 p v^2/(g (1 - 2 eta q)^2), t = t1 g + p x. */
static double exact_vti(double t1, double v, double eta, double d) {
  double low = 0, high = 1 / (v * sqrt(1 + 2 * eta)), time = t1;
  for (int round = 0; round < 200; round++) {
    double p = (low + high) / 2, q = p * p * v * v, h = 1 - 2 * eta * q, g = sqrt(fmax(1 - q / h, 0));
    double x = t1 * p * v * v / (g * h * h);
    time = t1 * g + p * x;
    if (x > d) high = p;
    else low = p;
  }
  return time;
}

/* eta = 0.2, d = z: docs/physics.md "errs 0.25 ms a leg" and "5.3 ms". */
static void vti_errs_as_stated(void **state) {
  (void)state;
  moho_velocity *velocity = constant(2000);
  moho_eta *eta = constant_eta(0.2);
  double exact = exact_vti(0.675, 2000, 0.2, 1350);
  double fomel = leg_at(MOHO_TRAVELTIME_VTI, velocity, eta, 1.35, 1350) - exact;
  double rational = leg_at(MOHO_TRAVELTIME_VTI_RATIONAL, velocity, eta, 1.35, 1350) - exact;
  if (!(fabs(fomel) < 2.6e-4 && fabs(fomel) > 2e-4) || !(fabs(fabs(rational) - 5.3e-3) < 1e-4))
    fail_msg("vti errs %.3g s, vti_rational %.3g s", fomel, rational);
  moho_velocity_destroy(&velocity);
  moho_eta_destroy(&eta);
}

static bench bench_of(moho_traveltime kind, double eta) {
  switch (kind) {
  case MOHO_TRAVELTIME_VTI:
  case MOHO_TRAVELTIME_VTI_RATIONAL: return make_bench(kind, linear_z(1800, 0.4), constant_eta(eta));
  default: return make_bench(kind, linear_z(1800, 0.4), NULL);
  }
}

/* Where nothing bends, all laws are the straight ray. */
static void laws_agree_where_nothing_bends(void **state) {
  (void)state;
  for (int kind = MOHO_TRAVELTIME_STRAIGHT; kind <= MOHO_TRAVELTIME_VTI_RATIONAL; kind++) {
    int is_vti = kind >= MOHO_TRAVELTIME_VTI;
    bench b = make_bench((moho_traveltime)kind, constant(2500), is_vti ? constant_eta(0) : NULL);
    for (size_t i = 0; i < SAMPLES; i += 20)
      for (double d = 0; d < 7000; d += 631) {
        moho_leg leg = moho_leg_of(&b.law, d * d);
        double t1 = (double)i * STEP / 2 / DT, straight = sqrt(fmax(t1 * t1, 1e-12) + d * d / (2500 * DT * 2500 * DT));
        double t = moho_leg_time(&b.law, &b.column, &leg, i), bound = kind == MOHO_TRAVELTIME_CURVED_RAY ? 2e-4 : 1e-9;
        if (!(fabs(t - straight) < bound)) fail_msg("law %d: sample %zu, d = %g: %.9g, expected %.9g", kind, i, d, t, straight);
      }
    free_bench(&b);
  }
}

static void slopes_are_differences(void **state) {
  (void)state;
  static const double etas[] = {-0.15, 0.2, 0.8};
  for (int kind = MOHO_TRAVELTIME_STRAIGHT; kind <= MOHO_TRAVELTIME_VTI_RATIONAL; kind++)
    for (int e = 0; e < (kind >= MOHO_TRAVELTIME_VTI ? 3 : 1); e++) {
      bench b = bench_of((moho_traveltime)kind, etas[e]);
      double bound = kind == MOHO_TRAVELTIME_CURVED_RAY ? 0.02 : 1e-6; /* a table's slope is that of its line */
      for (size_t i = 0; i < SAMPLES; i += 50)
        for (double d = 50; d < 7000; d += 433) {
          const double h = kind == MOHO_TRAVELTIME_CURVED_RAY ? 30 : 0.05, share = 0.6;
          moho_leg leg = moho_leg_of(&b.law, d * d), before = moho_leg_of(&b.law, (d - h) * (d - h)),
                   after = moho_leg_of(&b.law, (d + h) * (d + h));
          double t = moho_leg_time(&b.law, &b.column, &leg, i);
          double difference =
              (moho_leg_time(&b.law, &b.column, &after, i) - moho_leg_time(&b.law, &b.column, &before, i)) / (2 * h);
          double slope = moho_leg_slope(&b.law, &b.column, &leg, i, share * d, t);
          if (!(fabs(slope - share * difference) <= bound * share * difference + 1e-9))
            fail_msg("law %d, sample %zu, d = %g: slope %.9g, difference %.9g", kind, i, d, slope, share * difference);
          double steepest = moho_travel_steepest(b.law.kind) / (b.column.v[i] * DT) * (1 + bound);
          if (!(slope <= share * steepest))
            fail_msg("law %d, sample %zu, d = %g: slope %.9g above %.9g", kind, i, d, slope, steepest);
        }
      free_bench(&b);
    }
}

static void reach_is_the_inverse_of_time(void **state) {
  (void)state;
  for (int kind = MOHO_TRAVELTIME_STRAIGHT; kind <= MOHO_TRAVELTIME_VTI_RATIONAL; kind++) {
    bench b = bench_of((moho_traveltime)kind, 0.15);
    for (size_t i = 5; i < SAMPLES; i += 45)
      for (double d = 100; d < 7000; d += 700) {
        moho_leg leg = moho_leg_of(&b.law, d * d);
        double reach = sqrt(moho_leg_reach2(&b.law, &b.column, i, moho_leg_time(&b.law, &b.column, &leg, i)));
        if (!(fabs(reach - d) < 1e-6 * d)) fail_msg("law %d, sample %zu: %.9g m for %.9g m", kind, i, reach, d);
      }
    assert_true(moho_leg_reach2(&b.law, &b.column, 100, 1) < 0); /* the vertical leg takes 200 samples */
    free_bench(&b);
  }
}

/* Within the aperture of a 60-degree dip legs grow with t0, for every law; docs/physics.md "t grows with t0 (test it per law)".
 */
static void legs_grow_with_t0(void **state) {
  (void)state;
  static const double etas[] = {-0.1, 0.2, 1};
  for (int kind = MOHO_TRAVELTIME_STRAIGHT; kind <= MOHO_TRAVELTIME_VTI_RATIONAL; kind++)
    for (int e = 0; e < (kind >= MOHO_TRAVELTIME_VTI ? 3 : 1); e++) {
      bench b = bench_of((moho_traveltime)kind, etas[e]);
      for (size_t i = 0; i + 1 < SAMPLES; i++) {
        double reach = b.column.v[i] * (double)i * STEP / 2;
        for (int part = 0; part <= 10; part++) {
          moho_leg leg = moho_leg_of(&b.law, reach * reach * part * part / 100);
          double now = moho_leg_time(&b.law, &b.column, &leg, i), next = moho_leg_time(&b.law, &b.column, &leg, i + 1);
          if (reach < 8000 && !(next > now))
            fail_msg("law %d, eta %g: at sample %zu, d = %g a leg falls from %.9g to %.9g", kind, etas[e], i, reach * part / 10,
                     now, next);
        }
      }
      free_bench(&b);
    }
}

/* A ray of dip theta at depth z comes up at X = (sqrt(1 - (p V0)^2) - cos theta)/(p k), p = sin(theta)/v(z): the rule's radius is
 * near it, and the straight rule opens several times the area. */
static void the_aperture_follows_rays(void **state) {
  (void)state;
  const double v0 = 1800, k = 0.6, step = 0.1;
  moho_velocity *velocity = linear_z(v0, k);
  for (int dip = 15; dip <= 60; dip += 15) {
    moho_migration_options options = moho_migration_options_default();
    moho_travel_law law[2];
    moho_travel_column column[2];
    options.aperture_max_dip_deg = dip, options.aperture_max_m = 1e5;
    for (int rule = 0; rule < 2; rule++) {
      options.aperture_rule = (moho_aperture_rule)rule;
      assert_ok(moho_travel_law_create(&options, velocity, 0, step, 31, DT, 4000, &law[rule]));
      assert_ok(moho_travel_column_create(&law[rule], &column[rule]));
      assert_ok(moho_travel_column_fill(&law[rule], 0, 0, &column[rule]));
    }
    assert_true(column[1].radius[0] == 0);
    for (int i = 1; i < 31; i++) {
      double v = v0 * exp(k * i * step / 2), sine = sin(dip * PI / 180), p = sine / v;
      double exact = (sqrt(1 - p * v0 * p * v0) - sqrt(1 - sine * sine)) / (p * k), area = pow(column[0].radius[i] / exact, 2);
      if (!(fabs(column[1].radius[i] / exact - 1) < (dip < 45 ? 0.02 : dip < 60 ? 0.055 : 0.12)))
        fail_msg("%d degrees, %g s: %g m, expected %g", dip, i * step, column[1].radius[i], exact);
      if (i == 20 && dip == 45) assert_true(area > 2 && area < 4);
    }
    for (int rule = 0; rule < 2; rule++) moho_travel_column_release(&column[rule]), moho_travel_law_release(&law[rule]);
  }
  moho_velocity_destroy(&velocity);
}

static void laws_refuse_what_they_cannot_do(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  moho_travel_law law;
  moho_velocity *v, *bent = linear_z(1500, 1.5);
  moho_eta *eta = constant_eta(0.1);
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &v));
  options.traveltime = MOHO_TRAVELTIME_CURVED_LINEAR;
  assert_fails(moho_travel_law_create(&options, v, 0, STEP, SAMPLES, DT, 4000, &law), MOHO_ERROR_ARGUMENT, "linear_z");
  assert_ok(moho_travel_law_create(&options, bent, 0, 0.004, 251, DT, 6000, &law));
  moho_travel_law_release(&law);
  assert_fails(moho_travel_law_create(&options, bent, 0, 0.004, 251, DT, 20000, &law), MOHO_ERROR_RANGE, "curved_linear");
  options.traveltime = MOHO_TRAVELTIME_VTI;
  assert_fails(moho_travel_law_create(&options, v, 0, STEP, SAMPLES, DT, 4000, &law), MOHO_ERROR_ARGUMENT, "needs eta");
  options.traveltime = MOHO_TRAVELTIME_CURVED_RMS, options.eta = eta;
  assert_fails(moho_travel_law_create(&options, v, 0, STEP, SAMPLES, DT, 4000, &law), MOHO_ERROR_ARGUMENT, "does not use it");
  moho_eta *bad;
  assert_fails(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, 1.2, &bad), MOHO_ERROR_RANGE, "expected -0.2 to 1");
  assert_fails(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, NAN, &bad), MOHO_ERROR_RANGE, "expected -0.2 to 1");
  assert_null(bad);
  moho_velocity_destroy(&v);
  moho_velocity_destroy(&bent);
  moho_eta_destroy(&eta);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(circles_take_the_times_of_the_table), cmocka_unit_test(float_circles_err_less_than_a_microsecond),
      cmocka_unit_test(castle_errs_a_third_of_straight),     cmocka_unit_test(vti_errs_as_stated),
      cmocka_unit_test(laws_agree_where_nothing_bends),      cmocka_unit_test(slopes_are_differences),
      cmocka_unit_test(reach_is_the_inverse_of_time),        cmocka_unit_test(legs_grow_with_t0),
      cmocka_unit_test(the_aperture_follows_rays),           cmocka_unit_test(laws_refuse_what_they_cannot_do),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
