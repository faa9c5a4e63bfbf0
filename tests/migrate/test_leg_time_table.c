/* test_leg_time_table.c - tables of leg times against circles, against rays traced by brute force, and between functions. */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/leg_time_table.h"
#include "survey/velocity_tables.h"

static const double STEP = 0.004, LONGEST = 6000;
enum { SAMPLES = 751 };

static moho_velocity *table_of(const char *text, moho_velocity_kind kind) {
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = kind, options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_table_from_text(text, strlen(text), "v.txt", &options, &velocity));
  return velocity;
}

static double leg(const moho_leg_time_model *m, const float *rows, size_t i, double d) {
  return sqrt(moho_leg_time_squared(m, rows, moho_leg_time_place(m, d * d), i));
}

/* Between all nodes and beyond turning points, at sample intervals of 2 and of 0.5 ms. */
static void circles_within_the_bound(void **state) {
  (void)state;
  static const struct {
    double v0, k, dt;
  } media[] = {{1800, 0.6, 0.002}, {1800, 0.6, 0.0005}, {2000, 0.5, 0.002}, {1500, 1.1, 0.002}, {2500, 1e-4, 0.002}};
  for (size_t c = 0; c < sizeof media / sizeof *media; c++) {
    double v0 = media[c].v0, k = media[c].k, dt = media[c].dt, worst = 0;
    moho_velocity *velocity;
    moho_leg_time_model *m;
    assert_ok(moho_velocity_create_linear_z(v0, k, &velocity));
    assert_ok(moho_leg_time_model_create(velocity, 0, STEP, SAMPLES, dt, LONGEST, &m));
    float *rows = malloc(moho_leg_time_rows_bytes(m));
    assert_ok(moho_leg_time_rows_fill(m, 0, 0, rows));
    for (size_t i = 0; i < SAMPLES; i += 3)
      for (double d = 0; d < LONGEST; d += 7.3) {
        double t1 = (double)i * STEP / 2, deep = sinh(k * t1 / 2), far = k * d / (2 * v0);
        double exact = 2 / k * asinh(sqrt(deep * deep + far * far * exp(-k * t1))) / dt;
        if (v0 * exp(k * t1) > 8900) continue;
        worst = fmax(worst, fabs(leg(m, rows, i, d) - exact));
      }
    print_message("v = %g + %g z, dt %g ms: %zu nodes, %.4f samples\n", v0, k, 1e3 * dt, m->n_nodes, worst);
    assert_true(worst <= MOHO_LEG_TIME_ERROR);
    free(rows);
    moho_leg_time_model_destroy(&m);
    moho_velocity_destroy(&velocity);
  }
}

/* ---- by brute force ---- */

/* v_int of the table below, linear between its knots. */
static const double knot_t[] = {0, 0.6, 1.1, 1.3, 2.0}, knot_v[] = {1500, 1700, 2600, 2400, 3300};
static double v_of(double t) {
  for (int k = 0; k < 4; k++)
    if (t < knot_t[k + 1]) return knot_v[k] + (t - knot_t[k]) / (knot_t[k + 1] - knot_t[k]) * (knot_v[k + 1] - knot_v[k]);
  return knot_v[4];
}

/* Distance and time of slowness p down to t0, through 20 000 layers of constant velocity. */
static double ray_down(double p, double t0, double *time) {
  enum { LAYERS = 20000 };
  double x = 0;
  *time = 0;
  for (int k = 0; k < LAYERS; k++) {
    double step = t0 / 2 / LAYERS, v = v_of((k + 0.5) * t0 / LAYERS), cosine = sqrt(1 - p * p * v * v);
    x += p * v * v * step / cosine;
    *time += step / cosine;
  }
  return x;
}

static void rays_by_brute_force(void **state) {
  (void)state;
  moho_velocity *velocity =
      table_of("0 0 0 1500\n0 0 0.6 1700\n0 0 1.1 2600\n0 0 1.3 2400\n0 0 2.0 3300\n", MOHO_VELOCITY_INTERVAL);
  const double dt = 0.002;
  moho_leg_time_model *m;
  assert_ok(moho_leg_time_model_create(velocity, 0, STEP, SAMPLES, dt, LONGEST, &m));
  float *rows = malloc(moho_leg_time_rows_bytes(m));
  assert_ok(moho_leg_time_rows_fill(m, 0, 0, rows));
  double worst = 0;
  for (size_t i = 50; i < SAMPLES; i += 100) {
    double t0 = (double)i * STEP, fastest = 0;
    for (double t = 0; t <= t0; t += 0.001) fastest = fmax(fastest, v_of(t));
    for (int part = 0; part < 19; part++) { /* rays on their way down */
      double time, p = 0.05 * part / fastest, x = ray_down(p, t0, &time);
      if (x < LONGEST) worst = fmax(worst, fabs(leg(m, rows, i, x) - time / dt));
    }
  }
  print_message("%zu nodes, %.4f samples\n", m->n_nodes, worst);
  assert_true(worst <= MOHO_LEG_TIME_ERROR);
  free(rows);
  moho_leg_time_model_destroy(&m);
  moho_velocity_destroy(&velocity);
}

/* ---- beside each other ---- */

/* v_int of 1700 + 0.5 z at x = 0, and of v0 + k z at 4 km, in 0.1 s steps. */
static moho_velocity *lateral(double v0, double k) {
  static char text[4000];
  size_t n = 0;
  for (int f = 0; f < 2; f++)
    for (int i = 0; i <= 40; i++)
      n += (size_t)snprintf(text + n, sizeof text - n, "%d 0 %.1f %.6f\n", f * 4000, 0.1 * i,
                            f ? v0 * exp(k * 0.05 * i) : 1700 * exp(0.5 * 0.05 * i));
  return table_of(text, MOHO_VELOCITY_INTERVAL);
}

/* Largest difference, to 45 degrees, of the interpolated table from rays in the velocity of the place itself; ms. */
static double difference_at(const moho_velocity *velocity, moho_leg_time_model *m, double x) {
  float *rows = malloc(moho_leg_time_rows_bytes(m)), *own = malloc(moho_leg_time_rows_bytes(m)), *functions = m->functions;
  double worst = 0;
  assert_ok(moho_leg_time_rows_fill(m, x, 0, rows));
  m->functions = NULL; /* as where functions are too many to keep: the column itself is traced */
  assert_ok(moho_leg_time_rows_fill(m, x, 0, own));
  m->functions = functions;
  for (size_t i = 25; i < SAMPLES; i += 5) {
    double v;
    assert_ok(moho_velocity_rms(velocity, x, 0, (double)i * STEP, 0, 1, &v));
    for (double d = 0; d < fmin(v * (double)i * STEP / 2, 4000); d += 50)
      worst = fmax(worst, fabs(leg(m, rows, i, d) - leg(m, own, i, d)) * m->dt_s * 1e3);
  }
  free(rows), free(own);
  return worst;
}

/* At a function the table is the function's own; between two it is their mean in t^2, as v_rms is in 1/v^2, which is rays in the
 * velocity there to second order in what sets the two apart: 5 % apart 0.05 ms, 12 % above and 50 % below 2.7 ms. */
static void functions_beside_each_other(void **state) {
  (void)state;
  static const struct { double v0, k, bound_ms; } others[] = {{1785, 0.5, 0.05}, {1900, 0.7, 3}};
  for (int c = 0; c < 2; c++) {
    moho_velocity *velocity = lateral(others[c].v0, others[c].k);
    moho_leg_time_model *m;
    assert_ok(moho_leg_time_model_create(velocity, 0, STEP, SAMPLES, 0.002, 4000, &m));
    assert_int_equal(m->n_functions, 2);
    double at = fmax(difference_at(velocity, m, 0), difference_at(velocity, m, 4000)), between = 0;
    for (int place = 1; place < 4; place++) between = fmax(between, difference_at(velocity, m, 1000 * place));
    print_message("beside %g + %g z: at functions %.2g ms, between %.3g ms\n", others[c].v0, others[c].k, at, between);
    assert_true(at < 1e-3);
    assert_true(between < others[c].bound_ms);
    moho_leg_time_model_destroy(&m);
    moho_velocity_destroy(&velocity);
  }
}

/* curved_ray from picks that no medium has: the pick is named. */
static void impossible_picks_are_named(void **state) {
  (void)state;
  moho_velocity *velocity = table_of("0 0 0.5 2000\n0 0 1.0 2600\n0 0 1.2 2100\n", MOHO_VELOCITY_RMS);
  moho_leg_time_model *m;
  assert_fails(moho_leg_time_model_create(velocity, 0, STEP, SAMPLES, 0.002, 4000, &m), MOHO_ERROR_RANGE,
               "v.txt:3: v_rms 2100 m/s at 1.2 s");
  assert_null(m);
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(circles_within_the_bound),
      cmocka_unit_test(rays_by_brute_force),
      cmocka_unit_test(functions_beside_each_other),
      cmocka_unit_test(impossible_picks_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
