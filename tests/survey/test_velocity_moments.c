/* test_velocity_moments.c - v_int, the fourth moment and eta: against integration by small steps, Dix's layers, and bad picks. */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/velocity.h"
#include "survey/velocity_tables.h"

static moho_velocity *table(const char *text, moho_velocity_kind kind) {
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = kind, options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_table_from_text(text, strlen(text), "v.txt", &options, &velocity));
  return velocity;
}

static double interval_at(const moho_velocity *velocity, double x, double t) {
  double v;
  assert_ok(moho_velocity_interval(velocity, x, 0, t, 0, 1, &v));
  return v;
}

/* mu2 and mu4 of v_int at cell middles, `cells` from 0 to t. */
static void integrate(const moho_velocity *velocity, double x, double t, double *mu2, double *mu4) {
  enum { CELLS = 20000 };
  double *v = malloc(CELLS * sizeof *v), square = 0, fourth = 0;
  assert_ok(moho_velocity_interval(velocity, x, 0, t / CELLS / 2, t / CELLS, CELLS, v));
  for (int k = 0; k < CELLS; k++) square += v[k] * v[k], fourth += v[k] * v[k] * v[k] * v[k];
  *mu2 = square / CELLS, *mu4 = fourth / CELLS;
  free(v);
}

/* Of every kind: v_rms^2 is the mean of v_int^2, mu4 that of v_int^4. Of r.m.s. picks at the picks. */
static void moments_are_means_of_v_int(void **state) {
  (void)state;
  static const char *const picks = "0 0 0.4 1600\n0 0 1.0 2100\n0 0 1.8 2450\n0 0 3.0 2900\n";
  moho_velocity *velocities[7];
  assert_ok(moho_velocity_create_constant(2500, &velocities[0]));
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocities[1]));
  assert_ok(moho_velocity_create_linear_z(1800, 0.6, &velocities[2]));
  assert_ok(moho_velocity_create_linear_z(4000, -0.2, &velocities[3]));
  for (int kind = 0; kind < 3; kind++) velocities[4 + kind] = table(picks, (moho_velocity_kind)kind);
  static const double times[] = {0.2, 0.4, 1.0, 1.4, 1.8, 3.0, 3.7};
  for (int which = 0; which < 7; which++)
    for (int i = 0; i < 7; i++) {
      double v, mu4, mean2, mean4, ratio, t = times[i];
      assert_ok(moho_velocity_rms(velocities[which], 0, 0, t, 0, 1, &v));
      assert_ok(moho_velocity_fourth_moment(velocities[which], 0, 0, t, 0, 1, &mu4));
      assert_ok(moho_velocity_heterogeneity(velocities[which], 0, 0, t, 0, 1, &ratio));
      integrate(velocities[which], 0, t, &mean2, &mean4);
      if (!(fabs(ratio / (mean4 / (mean2 * mean2)) - 1) < 2e-4))
        fail_msg("velocity %d, %g s: S %.8g, integrated %.8g", which, t, ratio, mean4 / (mean2 * mean2));
      if (which == 4 && i != 1 && i != 2 && i != 4 && i != 5) continue; /* between picks v_rms is linear, Dix's is not */
      if (!(fabs(mean2 / (v * v) - 1) < 2e-4) || !(fabs(mu4 / mean4 - 1) < 4e-4))
        fail_msg("velocity %d, %g s: v_rms %.8g, integrated %.8g; mu4 %.8g, integrated %.8g", which, t, v, sqrt(mean2), mu4,
                 mean4);
    }
  for (int which = 0; which < 7; which++) moho_velocity_destroy(&velocities[which]);
}

/* Three layers of 1500, 2500, 2000 m/s, 0.4 s each two-way: their r.m.s. velocities at the bases give them back. */
static void dix_gives_layers_back(void **state) {
  (void)state;
  static const double layer[3] = {1500, 2500, 2000};
  char text[200];
  size_t n = 0;
  double sum = 0;
  for (int k = 0; k < 3; k++) {
    sum += layer[k] * layer[k];
    n += (size_t)snprintf(text + n, sizeof text - n, "0 0 %.1f %.9f\n", 0.4 * (k + 1), sqrt(sum / (k + 1)));
  }
  moho_velocity *velocity = table(text, MOHO_VELOCITY_RMS);
  for (int k = 0; k < 3; k++)
    for (double t = 0.4 * k + 0.01; t < 0.4 * (k + 1); t += 0.05)
      assert_true(fabs(interval_at(velocity, 0, t) - layer[k]) < 1e-5);
  double v0;
  assert_ok(moho_velocity_surface(velocity, 0, 0, &v0));
  assert_true(fabs(v0 - 1500) < 1e-5);
  moho_velocity_destroy(&velocity);
}

static void bad_picks_are_named(void **state) {
  (void)state;
  double v;
  moho_velocity *falling = table("0 0 0.5 2000\n0 0 1.0 2600\n0 0 1.2 2100\n", MOHO_VELOCITY_RMS);
  assert_ok(moho_velocity_rms(falling, 0, 0, 1.1, 0, 1, &v)); /* straight rays need no v_int */
  assert_fails(moho_velocity_interval(falling, 0, 0, 0.1, 0, 1, &v), MOHO_ERROR_RANGE,
               "v.txt:3: v_rms 2100 m/s at 1.2 s after 2600 m/s at 1 s");
  assert_non_null(strstr(moho_last_error()->message, "v_int^2 between them is negative"));
  assert_int_equal(moho_last_error()->line, 3);
  assert_fails(moho_velocity_fourth_moment(falling, 0, 0, 0.1, 0, 1, &v), MOHO_ERROR_RANGE, "v.txt:3");
  moho_velocity *steep = table("0 0 1.0 3000\n0 0 1.1 5000\n", MOHO_VELOCITY_RMS);
  assert_fails(moho_velocity_interval(steep, 0, 0, 0.1, 0, 1, &v), MOHO_ERROR_RANGE, "expected 500 to 9000");
  moho_velocity *law;
  assert_ok(moho_velocity_create_linear_t0(3000, -800, &law));
  assert_ok(moho_velocity_interval(law, 0, 0, 1.0, 0, 1, &v)); /* v = 2200, v_int^2 = 2200 (2200 - 1600) */
  assert_true(fabs(v - sqrt(2200 * 600)) < 1e-6);
  assert_fails(moho_velocity_interval(law, 0, 0, 1.5, 0, 1, &v), MOHO_ERROR_RANGE, "time 1.5 s");
  assert_fails(moho_velocity_fourth_moment(law, 0, 0, 1.5, 0, 1, &v), MOHO_ERROR_RANGE, "time 1.5 s");
  moho_velocity_destroy(&falling);
  moho_velocity_destroy(&steep);
  moho_velocity_destroy(&law);
}

static void linear_z_is_told(void **state) {
  (void)state;
  double v0, k;
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_z(1800, 0.6, &velocity));
  assert_int_equal(moho_velocity_get_linear_z(velocity, &v0, &k), 1);
  assert_true(v0 == 1800 && k == 0.6);
  moho_velocity_destroy(&velocity);
  assert_ok(moho_velocity_create_constant(2200, &velocity));
  assert_int_equal(moho_velocity_get_linear_z(velocity, &v0, &k), 1);
  assert_true(v0 == 2200 && k == 0);
  moho_velocity_destroy(&velocity);
  assert_ok(moho_velocity_create_linear_t0(1800, 0, &velocity));
  assert_int_equal(moho_velocity_get_linear_z(velocity, &v0, &k), 0);
  moho_velocity_destroy(&velocity);
}

/* ---- eta ---- */

static double eta_at(const moho_eta *eta, const moho_velocity *velocity, double x, double t) {
  double value;
  assert_ok(moho_eta_effective(eta, velocity, x, 0, t, 0, 1, &value));
  return value;
}

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* eta in a column of its own, by the heading or declared; linear in time and between places, as it is. */
static void eta_from_tables(void **state) {
  (void)state;
  moho_velocity *velocity;
  moho_eta *eta;
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  const char *path = test_path("eta.txt");
  write_file(path, "# X Y Time(ms) Eta\n0 0 0 0.0\n0 0 1000 0.1\n1000 0 0 0.1\n1000 0 1000 0.3\n");
  assert_ok(moho_eta_read_table(path, MOHO_ETA_EFFECTIVE, NULL, &eta));
  assert_false(moho_eta_is_uniform(eta));
  assert_true(fabs(eta_at(eta, velocity, 0, 0.5) - 0.05) < 1e-12);
  assert_true(fabs(eta_at(eta, velocity, 1000, 0.5) - 0.2) < 1e-12);
  assert_true(fabs(eta_at(eta, velocity, 500, 0.5) - 0.125) < 1e-12);
  assert_true(fabs(eta_at(eta, velocity, 500, 2) - 0.2) < 1e-12);
  moho_eta_destroy(&eta);
  moho_velocity_options options = moho_velocity_options_default();
  options.format = "columns", options.columns = "x,y,time_s,eta";
  write_file(path, "0 0 0 -0.1\n0 0 1 0.1\n");
  assert_ok(moho_eta_read_table(path, MOHO_ETA_EFFECTIVE, &options, &eta));
  assert_true(moho_eta_is_uniform(eta));
  assert_true(fabs(eta_at(eta, velocity, 77, 0.25) + 0.05) < 1e-12);
  moho_eta_destroy(&eta);
  write_file(path, "0 0 0 0.1\n0 0 1 1.1\n");
  assert_fails(moho_eta_read_table(path, MOHO_ETA_EFFECTIVE, &options, &eta), MOHO_ERROR_RANGE,
               "2:7: eta is 1.1, expected -0.2 to 1");
  assert_null(eta);
  assert_fails(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, -0.3, &eta), MOHO_ERROR_RANGE, "eta is -0.3, expected -0.2 to 1");
  moho_velocity_destroy(&velocity);
}

/* eta_eff = 1/8 {[1/(v^4 t0)] integral of v_int^4 (1 + 8 eta_int) dt - 1}: two layers of 2000 and 3000 m/s, eta 0.1 and 0.3, of
 * 0.5 s each. At their base v^2 = 6.5e6, sum = 0.5 (16e12*1.8 + 81e12*3.4) = 152.1e12, so eta_eff = (152.1/42.25 - 1)/8 = 0.325.
 */
static void interval_eta_becomes_effective(void **state) {
  (void)state;
  moho_velocity *velocity = table("0 0 0.4999999 2000\n0 0 0.5000001 3000\n", MOHO_VELOCITY_INTERVAL), *constant;
  moho_eta *eta;
  const char *path = test_path("eta_interval.txt");
  write_file(path, "X Y Time(s) Eta\n0 0 0.4999999 0.1\n0 0 0.5000001 0.3\n");
  assert_ok(moho_eta_read_table(path, MOHO_ETA_INTERVAL, NULL, &eta));
  assert_true(fabs(eta_at(eta, velocity, 0, 0.4) - 0.1) < 1e-9);
  if (!(fabs(eta_at(eta, velocity, 0, 1) - 0.325) < 1e-6)) fail_msg("eta_eff %.9g", eta_at(eta, velocity, 0, 1));
  assert_true(fabs(eta_at(eta, velocity, 0, 0) - 0.1) < 1e-9);
  moho_eta_destroy(&eta);
  /* Isotropic layers look anisotropic by (S - 1)/8; a constant medium keeps its eta. */
  assert_ok(moho_eta_create_constant(MOHO_ETA_INTERVAL, 0, &eta));
  assert_true(fabs(eta_at(eta, velocity, 0, 1) - (48.5 / 42.25 - 1) / 8) < 1e-6);
  moho_eta_destroy(&eta);
  assert_ok(moho_velocity_create_constant(2400, &constant));
  assert_ok(moho_eta_create_constant(MOHO_ETA_INTERVAL, 0.17, &eta));
  assert_true(fabs(eta_at(eta, constant, 0, 1.234) - 0.17) < 1e-9);
  moho_eta_destroy(&eta);
  /* Interval values in range whose effective one is not. */
  assert_ok(moho_eta_create_constant(MOHO_ETA_INTERVAL, 1, &eta));
  double value;
  assert_fails(moho_eta_effective(eta, velocity, 0, 0, 1, 0, 1, &value), MOHO_ERROR_RANGE, "effective eta at x 0.00 m");
  moho_eta_destroy(&eta);
  moho_velocity_destroy(&velocity);
  moho_velocity_destroy(&constant);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments_are_means_of_v_int),
      cmocka_unit_test(dix_gives_layers_back),
      cmocka_unit_test(bad_picks_are_named),
      cmocka_unit_test(linear_z_is_told),
      cmocka_unit_test(eta_from_tables),
      cmocka_unit_test(interval_eta_becomes_effective),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
