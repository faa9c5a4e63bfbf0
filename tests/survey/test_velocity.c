/* test_velocity.c - laws, closed-form v_rms against numeric integration, interpolation between functions, ranges, threads. */
#include "test_support.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "moho/velocity.h"
#include "survey/velocity_between.h"
#include "survey/velocity_tables.h"

static double rms_at(const moho_velocity *velocity, double x, double y, double t) {
  double v = 0;
  assert_ok(moho_velocity_rms(velocity, x, y, t, 0.001, 1, &v));
  return v;
}

static moho_velocity *table(const char *text, moho_velocity_kind kind, const moho_grid *grid) {
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = kind, options.grid = grid;
  assert_ok(moho_velocity_table_from_text(text, strlen(text), "v.txt", &options, &velocity));
  return velocity;
}

/* ---- laws ---- */

static void constant_is_constant(void **state) {
  (void)state;
  moho_velocity *velocity;
  double v[5];
  assert_ok(moho_velocity_create_constant(2500, &velocity));
  assert_true(moho_velocity_is_uniform(velocity));
  assert_string_equal(moho_velocity_describe(velocity), "constant 2500 m/s");
  assert_ok(moho_velocity_rms(velocity, 1e6, -1e6, 0, 0.5, 5, v));
  for (int k = 0; k < 5; k++) assert_true(v[k] == 2500);
  moho_velocity_destroy(&velocity);
  assert_null(velocity);
  moho_velocity_destroy(&velocity);
}

static void wrong_units_are_guessed(void **state) {
  (void)state;
  moho_velocity *velocity;
  assert_fails(moho_velocity_create_constant(2.5, &velocity), MOHO_ERROR_RANGE, "2.5 m/s, expected 500 to 9000");
  assert_non_null(strstr(moho_last_error()->hint, "km/s"));
  assert_null(velocity);
  assert_fails(moho_velocity_create_constant(12000, &velocity), MOHO_ERROR_RANGE, "12000 m/s");
  assert_non_null(strstr(moho_last_error()->hint, "ft/s"));
  assert_fails(moho_velocity_create_constant(-2000, &velocity), MOHO_ERROR_RANGE, "-2000 m/s");
  assert_fails(moho_velocity_create_constant(NAN, &velocity), MOHO_ERROR_RANGE, "constant velocity");
  assert_fails(moho_velocity_create_linear_z(100, 0.6, &velocity), MOHO_ERROR_RANGE, "v0");
  assert_fails(moho_velocity_create_linear_t0(2000, INFINITY, &velocity), MOHO_ERROR_RANGE, "gradient");
}

static void linear_t0_is_linear_until_the_range_ends(void **state) {
  (void)state;
  moho_velocity *velocity;
  double v[2001];
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  assert_ok(moho_velocity_rms(velocity, 0, 0, 0.5, 0.002, 1000, v));
  for (int k = 0; k < 1000; k++) assert_true(fabs(v[k] - (1800 + 600 * (0.5 + k * 0.002))) < 1e-9);
  assert_fails(moho_velocity_rms(velocity, 0, 0, 0, 0.01, 2001, v), MOHO_ERROR_RANGE, "time 12.01 s"); /* 1800 + 600*12 = 9000 */
  moho_velocity_destroy(&velocity);
}

/* dz/dt1 = v0 + k z, v_rms^2 = (1/t1) integral v^2 dt1: fourth-order Runge-Kutta, written from the definition alone. */
static double integrated_linear_z(double v0, double k, double t1) {
  double z = 0, sum = 0, h = t1 / 4000;
  for (int i = 0; i < 4000; i++) {
    double a = v0 + k * z, b = v0 + k * (z + h / 2 * a), c = v0 + k * (z + h / 2 * b), d = v0 + k * (z + h * c);
    double middle = z + h * (5 * a + 4 * b + 4 * c - d) / 24; /* only Simpson's middle; good to h^3 */
    double next = z + h / 6 * (a + 2 * b + 2 * c + d);
    double vm = v0 + k * middle, vn = v0 + k * next;
    sum += h / 6 * (a * a + 4 * vm * vm + vn * vn);
    z = next;
  }
  return sqrt(sum / t1);
}

static void linear_z_agrees_with_integration(void **state) {
  (void)state;
  const double gradients[] = {0.6, 1.2, -0.2, 0.01, 1e-6};
  for (size_t g = 0; g < sizeof gradients / sizeof *gradients; g++) {
    moho_velocity *velocity;
    assert_ok(moho_velocity_create_linear_z(1800, gradients[g], &velocity));
    for (double t0 = 0.1; t0 < 3; t0 += 0.37) {
      double want = integrated_linear_z(1800, gradients[g], t0 / 2);
      assert_true(fabs(rms_at(velocity, 0, 0, t0) / want - 1) < 1e-8);
    }
    assert_true(rms_at(velocity, 0, 0, 0) == 1800);
    moho_velocity_destroy(&velocity);
  }
}

/* On both sides of where the series takes over, v_rms^2/v0^2 - 1 = a/2 + a^2/6 + ... */
static void linear_z_is_smooth_at_zero(void **state) {
  (void)state;
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_z(2000, 1, &velocity));
  for (double a = 1e-9; a < 1e-3; a *= 1.7) {
    double square = pow(rms_at(velocity, 0, 0, a) / 2000, 2), want = 1 + a / 2 + a * a / 6 + a * a * a / 24;
    assert_true(fabs(square - want) < 1e-15 + a * a * a * a);
  }
  moho_velocity_destroy(&velocity);
}

/* ---- tables in time ---- */

static void rms_is_linear_between_picks_and_constant_outside(void **state) {
  (void)state;
  moho_velocity *velocity = table("1 0.5 2000\n1 1.5 3000\n1 2.0 3200\n", MOHO_VELOCITY_RMS, NULL);
  const double time[] = {0, 0.25, 0.5, 0.75, 1.0, 1.5, 1.75, 2.0, 5.0},
               want[] = {2000, 2000, 2000, 2250, 2500, 3000, 3100, 3200, 3200};
  for (size_t k = 0; k < 9; k++) assert_true(fabs(rms_at(velocity, 0, 0, time[k]) - want[k]) < 1e-9);
  double v[2501];
  assert_ok(moho_velocity_rms(velocity, 0, 0, 0, 0.002, 2501, v)); /* all at once: the same */
  for (size_t k = 0; k < 2501; k += 7) assert_true(v[k] == rms_at(velocity, 0, 0, (double)k * 0.002));
  assert_ok(moho_velocity_rms(velocity, 0, 0, -0.3, 0.01, 200, v)); /* before 0: as at 0 */
  for (size_t k = 0; k < 200; k++) assert_true(v[k] == rms_at(velocity, 0, 0, fmax(-0.3 + (double)k * 0.01, 0)));
  assert_ok(moho_velocity_rms(velocity, 0, 0, 2, -0.01, 200, v)); /* backwards */
  for (size_t k = 0; k < 200; k++) assert_true(v[k] == rms_at(velocity, 0, 0, 2 - (double)k * 0.01));
  assert_true(moho_velocity_is_uniform(velocity));
  moho_velocity_destroy(&velocity);
}

/* sqrt((1/t) integral v_int^2), with v_int interpolated here by the rule of docs/physics.md. */
static double dix_by_sum(const double *time, const double *v, int n, double t) {
  const int steps = 200000;
  double sum = 0;
  for (int s = 0; s < steps; s++) {
    double at = t * (s + 0.5) / steps, value = v[n - 1];
    for (int k = 0; k < n; k++)
      if (at < time[k]) {
        value = k ? v[k - 1] + (v[k] - v[k - 1]) * (at - time[k - 1]) / (time[k] - time[k - 1]) : v[0];
        break;
      }
    sum += value * value / steps;
  }
  return sqrt(sum);
}

static void interval_becomes_rms_by_dix(void **state) {
  (void)state;
  const double time[] = {0.4, 1.0, 1.1, 2.4}, v[] = {1500, 2200, 3900, 3100};
  moho_velocity *velocity = table("7,0.4,1500\n7,1.0,2200\n7,1.1,3900\n7,2.4,3100\n", MOHO_VELOCITY_INTERVAL, NULL);
  for (double t = 0.13; t < 4; t += 0.31) assert_true(fabs(rms_at(velocity, 0, 0, t) / dix_by_sum(time, v, 4, t) - 1) < 1e-8);
  assert_true(rms_at(velocity, 0, 0, 0) == 1500);
  moho_velocity_destroy(&velocity);
  velocity = table("7 0 1500\n7 2 3500\n", MOHO_VELOCITY_INTERVAL, NULL); /* a knot at 0 */
  const double time2[] = {0, 2}, v2[] = {1500, 3500};
  assert_true(rms_at(velocity, 0, 0, 0) == 1500);
  for (double t = 1e-7; t < 3; t = 3 * t) assert_true(fabs(rms_at(velocity, 0, 0, t) / dix_by_sum(time2, v2, 2, t) - 1) < 1e-8);
  moho_velocity_destroy(&velocity);
}

/* v_int = d(t v_avg)/dt by differences of the interpolated averages, then summed. */
static void average_becomes_rms(void **state) {
  (void)state;
  moho_velocity *velocity = table("7 0.2 1600\n7 1.2 2100\n7 2.2 2400\n", MOHO_VELOCITY_AVERAGE, NULL);
  double t_end = 2.9, sum = 0;
  const int steps = 400000;
  for (int s = 0; s < steps; s++) {
    double edge[2];
    for (int e = 0; e < 2; e++) {
      double t = t_end * (s + e) / steps;
      edge[e] = t * (t < 0.2 ? 1600 : t < 1.2 ? 1600 + 500 * (t - 0.2) : t < 2.2 ? 2100 + 300 * (t - 1.2) : 2400);
    }
    double v = (edge[1] - edge[0]) * steps / t_end;
    sum += v * v / steps;
  }
  assert_true(fabs(rms_at(velocity, 0, 0, t_end) / sqrt(sum) - 1) < 1e-6);
  assert_true(rms_at(velocity, 0, 0, 0.1) == 1600);
  moho_velocity_destroy(&velocity);
}

/* ---- tables in space ---- */

static void lattice_is_bilinear_in_slowness_squared(void **state) {
  (void)state;
  for (int turned = 0; turned < 2; turned++) {
    double c = turned ? cos(0.5) : 1, s = turned ? sin(0.5) : 0;
    const double v[2][3] = {{2000, 2200, 2500}, {2100, 2600, 3000}}, along[3] = {0, 400, 1000};
    char text[2000] = "X Y Time(ms) Vrms\n";
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 3; j++) {
        double p = 500.0 * i, q = along[j];
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.9f %.9f 1000 %g\n", 600000 + p * c - q * s,
                 6e6 + p * s + q * c, v[i][j]);
      }
    moho_velocity *velocity = table(text, MOHO_VELOCITY_RMS, NULL);
    assert_non_null(strstr(moho_velocity_describe(velocity), "lattice"));
    for (double p = -100; p < 700; p += 50)
      for (double q = -100; q < 1200; q += 50) {
        double f = fmin(fmax(p / 500, 0), 1), g, want;
        int j = q < 400 ? 0 : 1;
        g = fmin(fmax((q - along[j]) / (along[j + 1] - along[j]), 0), 1);
        want = (1 - f) * ((1 - g) / pow(v[0][j], 2) + g / pow(v[0][j + 1], 2)) +
               f * ((1 - g) / pow(v[1][j], 2) + g / pow(v[1][j + 1], 2));
        double got = rms_at(velocity, 600000 + p * c - q * s, 6e6 + p * s + q * c, 1);
        assert_true(fabs(got * sqrt(want) - 1) < 1e-9);
      }
    moho_velocity_destroy(&velocity);
  }
}

/* Scattered functions whose 1/v^2 is a plane: triangles give the plane back inside, exactly the functions at their places. */
static void scattered_functions_reproduce_a_plane(void **state) {
  (void)state;
  enum { N = 60 };
  double x[N], y[N], offset = 0;
  for (int shifted = 0; shifted < 2; shifted++, offset = 5e6) {
    uint64_t random = 3;
    char text[N * 80] = "x y time_s velocity\n";
    for (int i = 0; i < N; i++) {
      x[i] = floor(10000 * test_uniform(&random)), y[i] = floor(8000 * test_uniform(&random));
      if (i < 4) x[i] = i % 2 ? 10000 : 0, y[i] = i / 2 ? 8000 : 0;
      double v = 1 / sqrt(2e-7 + 3e-12 * x[i] - 1e-12 * y[i]);
      snprintf(text + strlen(text), sizeof text - strlen(text), "%.0f %.0f 0 %.17g\n", x[i] + offset, y[i] + offset, v);
    }
    moho_velocity *velocity = table(text, MOHO_VELOCITY_RMS, NULL);
    assert_non_null(strstr(moho_velocity_describe(velocity), "scattered"));
    for (int i = 0; i < N; i++) {
      double want = 1 / sqrt(2e-7 + 3e-12 * x[i] - 1e-12 * y[i]);
      assert_true(fabs(rms_at(velocity, x[i] + offset, y[i] + offset, 1) / want - 1) < 1e-14);
    }
    for (int i = 0; i < 2000; i++) {
      double px = 10000 * test_uniform(&random), py = 8000 * test_uniform(&random);
      double want = 1 / sqrt(2e-7 + 3e-12 * px - 1e-12 * py);
      assert_true(fabs(rms_at(velocity, px + offset, py + offset, 1) / want - 1) < 1e-9);
    }
    /* outside: the nearest point of the hull */
    assert_true(fabs(rms_at(velocity, -3000 + offset, 4000 + offset, 1) / (1 / sqrt(2e-7 - 1e-12 * 4000)) - 1) < 1e-9);
    assert_true(fabs(rms_at(velocity, 15000 + offset, 9000 + offset, 1) / (1 / sqrt(2e-7 + 3e-12 * 10000 - 1e-12 * 8000)) - 1) <
                1e-9);
    moho_velocity_destroy(&velocity);
  }
}

static double weighted(const moho_weights *w, const double *values) {
  double sum = 0;
  for (size_t i = 0; i < w->n; i++) sum += w->weight[i] * values[w->index[i]];
  return sum;
}

/* Neighbouring places have neighbouring values, inside, across the hull and far outside; no value beyond the functions'. */
static void scattered_interpolation_is_continuous(void **state) {
  (void)state;
  enum { N = 200 };
  double x[N], y[N], value[N];
  for (int shape = 0; shape < 4; shape++) { /* random; a lattice less one; a circle and its centre; two parallel lines */
    uint64_t random = 11;
    for (int i = 0; i < N; i++) {
      x[i] = 1000 * test_uniform(&random), y[i] = 1000 * test_uniform(&random), value[i] = test_uniform(&random);
      if (shape == 1) x[i] = 50.0 * (i % 14), y[i] = 50.0 * (i / 14);
      if (shape == 2) x[i] = i ? 500 + 500 * cos(0.0314159 * i) : 500, y[i] = i ? 500 + 500 * sin(0.0314159 * i) : 500;
      if (shape == 3) x[i] = 10.0 * (i / 2), y[i] = 1000 * (i % 2);
    }
    moho_between *between;
    assert_ok(moho_between_create(shape == 3 ? N - 1 : N, x, y, NULL, NULL, NULL, &between));
    assert_non_null(strstr(moho_between_describe(between), "scattered"));
    for (int path = 0; path < 30; path++) {
      double ax = -500 + 2000 * test_uniform(&random), ay = -500 + 2000 * test_uniform(&random);
      double bx = -500 + 2000 * test_uniform(&random), by = -500 + 2000 * test_uniform(&random), last = -1;
      for (int s = 0; s <= 1000; s++) {
        double f = 0.5 + (s - 500) * 1e-9; /* steps of some micrometres: slopes are below 1 a metre but for slivers */
        moho_weights w = moho_between_at(between, ax + f * (bx - ax), ay + f * (by - ay));
        double got = weighted(&w, value), sum = 0;
        for (size_t i = 0; i < w.n; i++) sum += w.weight[i], assert_true(w.weight[i] >= 0);
        assert_true(fabs(sum - 1) < 1e-12);
        if (s) assert_true(fabs(got - last) < 1e-3);
        last = got;
      }
    }
    for (int i = 0; i < N - 1; i++) {
      moho_weights w = moho_between_at(between, x[i], y[i]);
      assert_true(fabs(weighted(&w, value) - value[i]) < 1e-12);
    }
    moho_between_destroy(&between);
  }
}

/* No point inside a triangle's circle, by the values: on a paraboloid the Delaunay interpolant is the lowest of all. */
static void triangles_are_delaunay(void **state) {
  (void)state;
  enum { N = 40 };
  double x[N], y[N], value[N];
  uint64_t random = 5;
  for (int i = 0; i < N; i++) {
    x[i] = 100 * test_uniform(&random), y[i] = 100 * test_uniform(&random);
    value[i] = x[i] * x[i] + y[i] * y[i];
  }
  moho_between *between;
  assert_ok(moho_between_create(N, x, y, NULL, NULL, NULL, &between));
  for (int trial = 0; trial < 300; trial++) {
    double px = 30 + 40 * test_uniform(&random), py = 30 + 40 * test_uniform(&random), lowest = INFINITY;
    for (int a = 0; a < N; a++)
      for (int b = a + 1; b < N; b++)
        for (int c = b + 1; c < N; c++) {
          double d = (x[b] - x[a]) * (y[c] - y[a]) - (y[b] - y[a]) * (x[c] - x[a]);
          double wb = ((px - x[a]) * (y[c] - y[a]) - (py - y[a]) * (x[c] - x[a])) / d;
          double wc = ((x[b] - x[a]) * (py - y[a]) - (y[b] - y[a]) * (px - x[a])) / d;
          if (wb >= 0 && wc >= 0 && wb + wc <= 1) lowest = fmin(lowest, (1 - wb - wc) * value[a] + wb * value[b] + wc * value[c]);
        }
    moho_weights w = moho_between_at(between, px, py);
    assert_true(fabs(weighted(&w, value) - lowest) < 1e-7);
  }
  moho_between_destroy(&between);
}

/* A turned lattice with its positions rounded to a metre has a border that is not quite convex: the functions along it count all
 * the same, outside too. */
static void rounded_borders_keep_their_functions(void **state) {
  (void)state;
  enum { SIDE = 9, N = SIDE * SIDE };
  double x[N], y[N], value[N];
  for (int i = 0; i < N; i++) {
    double p = 500.0 * (i % SIDE), q = 500.0 * (i / SIDE);
    x[i] = rint(6e5 + p * cos(0.4) - q * sin(0.4)), y[i] = rint(6e6 + p * sin(0.4) + q * cos(0.4));
    value[i] = i % 2 ? 1 : (double)(i % SIDE);
  }
  moho_between *between;
  assert_ok(moho_between_create(N, x, y, NULL, NULL, NULL, &between));
  assert_non_null(strstr(moho_between_describe(between), "scattered"));
  for (int k = 0; k < N; k++) {
    if (k % SIDE && k % SIDE != SIDE - 1 && k / SIDE && k / SIDE != SIDE - 1) continue;
    double out_p = k % SIDE == 0 ? -1 : k % SIDE == SIDE - 1 ? 1 : 0, out_q = k / SIDE == 0 ? -1 : k / SIDE == SIDE - 1 ? 1 : 0;
    for (double d = 0; d < 700; d += 10) { /* straight out from each border function: its value, but for the rounding */
      double px = x[k] + d * (out_p * cos(0.4) - out_q * sin(0.4)), py = y[k] + d * (out_p * sin(0.4) + out_q * cos(0.4));
      moho_weights w = moho_between_at(between, px, py);
      assert_true(fabs(weighted(&w, value) - value[k]) < 0.05);
    }
  }
  uint64_t random = 4;
  for (int path = 0; path < 300; path++) { /* continuous along the border and across it */
    double ax = 6e5 - 2500 + 7000 * test_uniform(&random), ay = 6e6 - 500 + 7000 * test_uniform(&random), last = 0;
    double angle = 6.28 * test_uniform(&random);
    for (int s = 0; s <= 20000; s++) {
      moho_weights w = moho_between_at(between, ax + 0.05 * s * cos(angle), ay + 0.05 * s * sin(angle));
      double got = weighted(&w, value);
      if (s) assert_true(fabs(got - last) < 0.05); /* 8 in 500 m, more in slivers of a metre */
      last = got;
    }
  }
  moho_between_destroy(&between);
}

static void many_points_and_awkward_ones(void **state) {
  (void)state;
  enum { N = 20000 };
  static double x[N], y[N], value[N];
  uint64_t random = 9;
  for (int shape = 0; shape < 3; shape++) {
    for (int i = 0; i < N; i++) {
      x[i] = 5e5 + 1e5 * test_uniform(&random), y[i] = 6e6 + 1e5 * test_uniform(&random);
      if (shape == 1) x[i] = 5e5 + 25 * (i % 200), y[i] = 6e6 + 25 * (i / 200);                   /* cocircular everywhere */
      if (shape == 2) x[i] = 5e5 + 100.0 * i, y[i] = 6e6 + (i % 7 ? 0 : 60.0) + (i == 5 ? 1 : 0); /* nearly one line */
      value[i] = 3 * (x[i] - 5e5) - 2 * (y[i] - 6e6);
    }
    if (shape == 1) x[N - 1] += 3, value[N - 1] += 9; /* no lattice */
    moho_between *between;
    assert_ok(moho_between_create(N, x, y, NULL, NULL, NULL, &between));
    for (int trial = 0; trial < 3000; trial++) {
      int a = (int)(N * test_uniform(&random)), b = (int)(N * test_uniform(&random));
      double f = test_uniform(&random), px = x[a] + f * (x[b] - x[a]), py = y[a] + f * (y[b] - y[a]);
      moho_weights w = moho_between_at(between, px, py);
      double want = 3 * (px - 5e5) - 2 * (py - 6e6);
      assert_true(fabs(weighted(&w, value) - want) < 1e-4 + 1e-9 * fabs(want));
    }
    moho_between_destroy(&between);
  }
}

static void functions_on_a_line_are_linear_along_it(void **state) {
  (void)state;
  moho_velocity *velocity = table("X Y Time(s) Vrms\n0 0 1 2000\n300 400 1 2500\n900 1200 1 3000\n", MOHO_VELOCITY_RMS, NULL);
  assert_non_null(strstr(moho_velocity_describe(velocity), "along a line"));
  assert_true(fabs(rms_at(velocity, 150, 200, 1) - 1 / sqrt(0.5 / (2000. * 2000) + 0.5 / (2500. * 2500))) < 1e-9);
  assert_true(fabs(rms_at(velocity, 150 - 400, 200 + 300, 1) - 1 / sqrt(0.5 / (2000. * 2000) + 0.5 / (2500. * 2500))) < 1e-9);
  assert_true(fabs(rms_at(velocity, -500, -500, 1) - 2000) < 1e-9);
  assert_true(fabs(rms_at(velocity, 5000, 5000, 1) - 3000) < 1e-9);
  moho_velocity_destroy(&velocity);
}

static void cdps_follow_a_crooked_line(void **state) {
  (void)state;
  double line_x[] = {0, 1000, 1000, 0}, line_y[] = {0, 0, 1000, 1000}; /* a hairpin */
  moho_grid grid = moho_grid_default();
  grid.n_crossline = 4, grid.crossline_first = 101, grid.line_x_m = line_x, grid.line_y_m = line_y;
  moho_velocity *velocity = table("cdp=101,104 tnmo=1 vnmo=2000 tnmo=1 vnmo=3000\n", MOHO_VELOCITY_RMS, &grid);
  for (int j = 0; j < 4; j++) {
    double f = j / 3.0, want = 1 / sqrt((1 - f) / 4e6 + f / 9e6);
    assert_true(fabs(rms_at(velocity, line_x[j], line_y[j], 1) - want) < 1e-9);
  }
  moho_velocity_destroy(&velocity);
}

static void numbers_become_positions_by_the_grid(void **state) {
  (void)state;
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 5e5, grid.origin_y_m = 6e6, grid.inline_azimuth_deg = 33, grid.n_inline = 50, grid.n_crossline = 70;
  grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5, grid.inline_first = 1000, grid.inline_step = 2,
  grid.crossline_first = 300;
  moho_velocity *velocity =
      table("inline crossline time(ms) vrms\n1000 300 1000 2000\n1000 340 1000 2200\n1040 300 1000 2400\n1040 340 1000 2600\n",
            MOHO_VELOCITY_RMS, &grid);
  assert_non_null(strstr(moho_velocity_describe(velocity), "lattice 2 x 2"));
  double x, y;
  const size_t node[4][2] = {{0, 0}, {0, 40}, {20, 0}, {20, 40}};
  for (int f = 0; f < 4; f++) {
    moho_grid_node(&grid, node[f][0], node[f][1], &x, &y);
    assert_true(fabs(rms_at(velocity, x, y, 1) - (2000 + 200 * f)) < 1e-6);
  }
  moho_grid_node(&grid, 10, 20, &x, &y);
  assert_true(fabs(rms_at(velocity, x, y, 1) - 1 / sqrt((1 / 4e6 + 1 / 4.84e6 + 1 / 5.76e6 + 1 / 6.76e6) / 4)) < 1e-6);
  moho_velocity_destroy(&velocity);
}

/* ---- what must not matter ---- */

typedef struct task {
  const moho_velocity *velocity;
  const double *want;
  int order, bad;
} task;

enum { PLACES = 400, SAMPLES = 501 };

static void ask(const moho_velocity *velocity, int place, double *v) {
  moho_velocity_rms(velocity, 37.0 * (place % 20) - 100, 41.0 * (place / 20) - 100, 0, 0.004, SAMPLES, v);
}

static void *ask_all(void *data) {
  task *t = data;
  double v[SAMPLES];
  for (int p = 0; p < PLACES; p++) {
    int place = t->order == 0 ? p : t->order == 1 ? PLACES - 1 - p : (p * 171 + 13) % PLACES;
    ask(t->velocity, place, v);
    t->bad += memcmp(v, t->want + (size_t)place * SAMPLES, sizeof v) != 0;
  }
  return NULL;
}

static void threads_and_order_do_not_matter(void **state) {
  (void)state;
  static double want[PLACES * SAMPLES];
  uint64_t random = 21;
  char text[20000] = "x y time_s velocity\n";
  for (int f = 0; f < 40; f++) {
    double x = floor(700 * test_uniform(&random)), y = floor(800 * test_uniform(&random));
    for (int k = 0; k < 5; k++)
      snprintf(text + strlen(text), sizeof text - strlen(text), "%g %g %g %g\n", x, y, 0.3 * k,
               1500 + 300 * k + 200 * test_uniform(&random));
  }
  moho_velocity *velocity = table(text, MOHO_VELOCITY_INTERVAL, NULL);
  for (int p = 0; p < PLACES; p++) ask(velocity, p, want + (size_t)p * SAMPLES);
  pthread_t threads[3];
  task tasks[3];
  for (int i = 0; i < 3; i++) {
    tasks[i] = (task){velocity, want, i, 0};
    assert_int_equal(pthread_create(&threads[i], NULL, ask_all, &tasks[i]), 0);
  }
  for (int i = 0; i < 3; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 3; i++) assert_int_equal(tasks[i].bad, 0);
  moho_velocity_destroy(&velocity);
}

static void questions_without_sense_are_refused(void **state) {
  (void)state;
  moho_velocity *velocity = table("1 0 2000\n", MOHO_VELOCITY_RMS, NULL);
  double v[1];
  assert_fails(moho_velocity_rms(velocity, NAN, 0, 0, 0.002, 1, v), MOHO_ERROR_ARGUMENT, "finite");
  assert_ok(moho_velocity_rms(velocity, 0, 0, 0, 0.002, 0, v));
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(constant_is_constant),
      cmocka_unit_test(wrong_units_are_guessed),
      cmocka_unit_test(linear_t0_is_linear_until_the_range_ends),
      cmocka_unit_test(linear_z_agrees_with_integration),
      cmocka_unit_test(linear_z_is_smooth_at_zero),
      cmocka_unit_test(rms_is_linear_between_picks_and_constant_outside),
      cmocka_unit_test(interval_becomes_rms_by_dix),
      cmocka_unit_test(average_becomes_rms),
      cmocka_unit_test(lattice_is_bilinear_in_slowness_squared),
      cmocka_unit_test(scattered_functions_reproduce_a_plane),
      cmocka_unit_test(scattered_interpolation_is_continuous),
      cmocka_unit_test(triangles_are_delaunay),
      cmocka_unit_test(rounded_borders_keep_their_functions),
      cmocka_unit_test(many_points_and_awkward_ones),
      cmocka_unit_test(functions_on_a_line_are_linear_along_it),
      cmocka_unit_test(cdps_follow_a_crooked_line),
      cmocka_unit_test(numbers_become_positions_by_the_grid),
      cmocka_unit_test(threads_and_order_do_not_matter),
      cmocka_unit_test(questions_without_sense_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
