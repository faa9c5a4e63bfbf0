/* test_reference.c - the double reference against the formulas of docs/physics.md, written here a second time: in metres and
 * seconds, the filter as a Fourier sum, the triangle as a weighted sum of samples, the sinc without its table.
 */
#include "test_support.h"

#include <complex.h>
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "migrate/rho_filter.h"
#include "moho/migration.h"

#define PI 3.14159265358979323846

enum { N_SAMPLES = 90, N_TIME = 47, MAX_TRACES = 32, MAX_COLUMNS = 25 };
static const double dt = 0.004;

/* ---- the survey: 3 x 3 midpoints 30 m apart (or 5 along a line), one offset, so the class's spacing is 30 m; a dead trace ----
 */

typedef struct survey {
  moho_grid grid;
  moho_geometry geometry;
  moho_velocity *velocity;
  float traces[MAX_TRACES * N_SAMPLES];
  size_t columns;
} survey;

static double velocity_at(double t0) {
  return 1500 + 800 * t0;
}

static survey make_survey(int is_line) {
  survey s = {.grid = moho_grid_default()};
  uint64_t random = 11;
  s.grid.origin_x_m = 5123.4, s.grid.origin_y_m = 987654.3;
  s.grid.inline_azimuth_deg = 37;
  s.grid.n_inline = is_line ? 1 : 3, s.grid.n_crossline = 4;
  s.grid.inline_spacing_m = 23.7, s.grid.crossline_spacing_m = 17.9;
  s.grid.first_s = 0, s.grid.step_s = 0.0071, s.grid.n_time = N_TIME;
  s.columns = s.grid.n_inline * s.grid.n_crossline;
  size_t rows = is_line ? 1 : 3, across = is_line ? 5 : 3;
  assert_ok(moho_geometry_create(rows * across + 1, &s.geometry));
  double a = 37 * PI / 180, ux[2] = {sin(a), cos(a)}, ui[2] = {cos(a), -sin(a)};
  for (size_t k = 0; k <= rows * across; k++) {
    double i = (double)(k / across) * 30 - 11.3, j = (double)(k % across) * 30 - 7.7, h = 61.7;
    double turn = is_line ? a : a + 0.6, hx = h * sin(turn), hy = h * cos(turn);
    double mx = s.grid.origin_x_m + i * ui[0] * !is_line + j * ux[0], my = s.grid.origin_y_m + i * ui[1] * !is_line + j * ux[1];
    s.geometry.source_x[k] = mx - hx, s.geometry.source_y[k] = my - hy;
    s.geometry.receiver_x[k] = mx + hx, s.geometry.receiver_y[k] = my + hy;
    s.geometry.first_sample_s[k] = 0.0123 * (double)(k % 3);
  }
  for (size_t k = 0; k < s.geometry.n * N_SAMPLES; k++) s.traces[k] = (float)test_normal(&random);
  s.geometry.flags[rows * across] = MOHO_TRACE_DEAD; /* the last one */
  assert_ok(moho_velocity_create_linear_t0(1500, 800, &s.velocity));
  return s;
}

static void release(survey *s) {
  moho_geometry_release(&s->geometry);
  moho_velocity_destroy(&s->velocity);
}

/* ---- the formulas again ---- */

/* The trace filtered and refined, by Fourier sums; refined samples n = (N-1)*refine + 1. */
static void prepare(const float *trace, moho_rho rho, int refine, double *out) {
  size_t length = moho_filter_length(N_SAMPLES), n = (N_SAMPLES - 1) * (size_t)refine + 1;
  memset(out, 0, n * sizeof *out);
  for (size_t k = 0; k <= length / 2; k++) {
    double w = 2 * PI * (double)k / ((double)length * dt), x = 2.0 * (double)k / (double)length;
    double fade = x <= 0.8 ? 1 : 0.5 * (1 + cos(PI * (x - 0.8) / 0.2));
    double complex u = 0, h = rho == MOHO_RHO_3D ? -I * w * fade : rho == MOHO_RHO_2D ? csqrt(-I * w) * fade : 1;
    for (size_t j = 0; j < N_SAMPLES; j++) u += trace[j] * cexp(-I * w * (double)j * dt);
    u *= h / (double)length;
    for (size_t i = 0; i < n; i++)
      out[i] += (k == 0 || k == length / 2 ? 1 : 2) * creal(u * cexp(I * w * (double)i * dt / refine));
  }
}

static double sample(const double *x, long n, long i) {
  return i < 0 || i >= n ? 0 : x[i];
}

static double bessel_i0(double x) {
  double sum = 0; /* 1/pi integral of e^{x cos a} */
  for (int k = 0; k < 200; k++) sum += exp(x * cos(PI * (k + 0.5) / 200)) / 200;
  return sum;
}

static double interpolate(const double *x, long n, double u, moho_interpolation interpolation) {
  long i = (long)floor(u);
  double f = u - (double)i, sum = 0, gain = 0;
  if (interpolation == MOHO_INTERPOLATION_LINEAR) return (1 - f) * sample(x, n, i) + f * sample(x, n, i + 1);
  if (interpolation == MOHO_INTERPOLATION_CUBIC)
    return 0.5 * ((-f * f * f + 2 * f * f - f) * sample(x, n, i - 1) + (3 * f * f * f - 5 * f * f + 2) * sample(x, n, i) +
                  (-3 * f * f * f + 4 * f * f + f) * sample(x, n, i + 1) + (f * f * f - f * f) * sample(x, n, i + 2));
  for (long j = i - 3; j <= i + 4; j++) {
    double d = (double)j - u, h = (d == 0 ? 1 : sin(PI * d) / (PI * d)) * bessel_i0(6 * sqrt(fmax(0, 1 - d * d / 16)));
    sum += h * sample(x, n, j), gain += h;
  }
  return sum / gain;
}

/* sum over |m| < k of (k - |m|)/k^2 x[i+m] */
static double triangle(const double *x, long n, long i, long k) {
  double sum = 0;
  for (long m = 1 - k; m < k; m++) sum += (double)(k - labs(m)) / (double)(k * k) * sample(x, n, i + m);
  return sum;
}

static double antialiased(const double *x, long n, double u, double k, moho_interpolation interpolation) {
  if (k <= 1) return interpolate(x, n, u, interpolation);
  long i = (long)floor(u), K = (long)floor(k);
  double f = u - (double)i, g = k - (double)K;
  return (1 - g) * ((1 - f) * triangle(x, n, i, K) + f * triangle(x, n, i + 1, K)) +
         g * ((1 - f) * triangle(x, n, i, K + 1) + f * triangle(x, n, i + 1, K + 1));
}

/* One trace at one image point; returns 1 when it counts. spacing 30 m. */
static int contribution(const survey *s, const moho_migration_options *o, size_t trace, const double *x, long n, double px,
                        double py, double t0, double *image) {
  const moho_geometry *g = &s->geometry;
  int is_line = s->grid.n_inline == 1;
  double v = velocity_at(t0), fine = dt / o->refine;
  double sx = px - g->source_x[trace], sy = py - g->source_y[trace], rx = px - g->receiver_x[trace],
         ry = py - g->receiver_y[trace];
  double radius = fmin(fmax(v * t0 / 2 * tan(o->aperture_max_dip_deg * PI / 180), o->aperture_min_m), o->aperture_max_m);
  double away = hypot(0.5 * (sx + rx), 0.5 * (sy + ry)), half = 0.5 * hypot(sx - rx, sy - ry);
  if (away > radius) return 0;
  if (o->stretch_mute >= 0 && 2 * sqrt(t0 * t0 / 4 + half * half / (v * v)) > (1 + o->stretch_mute) * t0) return 0;
  double ts = sqrt(t0 * t0 / 4 + (sx * sx + sy * sy) / (v * v)), tr = sqrt(t0 * t0 / 4 + (rx * rx + ry * ry) / (v * v));
  double u = (ts + tr - g->first_sample_s[trace]) / fine;
  if (u < 0 || u > (double)(n - 1)) return 0;
  double value, a = 37 * PI / 180;
  if (o->antialias == MOHO_ANTIALIAS_TRIANGLE) {
    double along = ((sx * sin(a) + sy * cos(a)) / ts + (rx * sin(a) + ry * cos(a)) / tr) / (v * v);
    double across = is_line ? 0 : ((sx * cos(a) - sy * sin(a)) / ts + (rx * cos(a) - ry * sin(a)) / tr) / (v * v);
    value = antialiased(x, n, u, o->antialias_factor * 30 * fmax(fabs(along), fabs(across)) / fine, o->interpolation);
  } else {
    value = interpolate(x, n, u, o->interpolation);
  }
  double t = fmax(ts + tr, dt), w = 1, taper = 1, f = o->aperture_taper;
  if (o->weight == MOHO_WEIGHT_SPREADING || o->weight == MOHO_WEIGHT_SPREADING_OBLIQUITY)
    w *= is_line ? 1 / sqrt(v * t) : 1 / (v * t);
  if (o->weight == MOHO_WEIGHT_OBLIQUITY || o->weight == MOHO_WEIGHT_SPREADING_OBLIQUITY) w *= t0 / t;
  if (f > 0 && radius > 0 && away > radius * (1 - f)) taper = 0.5 * (1 + cos(PI * (away - radius * (1 - f)) / (f * radius)));
  *image += w * taper * value;
  return 1;
}

/* ---- comparison ---- */

static void compare(const survey *s, const moho_migration_options *o, double tolerance) {
  static double prepared[MAX_TRACES][8 * N_SAMPLES], image[MAX_COLUMNS * N_TIME];
  static int32_t fold[MAX_COLUMNS * N_TIME];
  long n = (N_SAMPLES - 1) * o->refine + 1;
  moho_reference *reference;
  assert_ok(moho_reference_create(&s->grid, s->velocity, o, &s->geometry, N_SAMPLES, dt, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->traces));
  assert_ok(moho_reference_finish(reference, image, fold));
  moho_reference_destroy(&reference);
  assert_null(reference);
  for (size_t i = 0; i < s->geometry.n; i++) prepare(s->traces + i * N_SAMPLES, o->rho_filter, o->refine, prepared[i]);
  double worst = 0, largest = 0;
  long contributions = 0;
  for (size_t c = 0; c < s->columns; c++)
    for (size_t k = 0; k < N_TIME; k++) {
      double px, py, expected = 0;
      int count = 0;
      moho_grid_node(&s->grid, c / s->grid.n_crossline, c % s->grid.n_crossline, &px, &py);
      for (size_t i = 0; i < s->geometry.n; i++)
        if (!s->geometry.flags[i]) count += contribution(s, o, i, prepared[i], n, px, py, (double)k * s->grid.step_s, &expected);
      if (o->normalise == MOHO_NORMALISE_FOLD && count > 1) expected /= count;
      assert_int_equal(fold[c * N_TIME + k], count);
      assert_true(isfinite(image[c * N_TIME + k]));
      worst = fmax(worst, fabs(image[c * N_TIME + k] - expected)), largest = fmax(largest, fabs(expected));
      contributions += count;
    }
  assert_true(contributions > 100);
  assert_true(largest > 0);
  if (worst > tolerance * largest)
    print_error("off by %.3g: interpolation %d antialias %d factor %g weight %d rho %d refine %d taper %g mute %g line %d\n",
                worst / largest, (int)o->interpolation, (int)o->antialias, o->antialias_factor, (int)o->weight,
                (int)o->rho_filter, o->refine, o->aperture_taper, o->stretch_mute, s->grid.n_inline == 1);
  assert_true(worst <= tolerance * largest);
}

static moho_migration_options plain_options(void) {
  moho_migration_options o = moho_migration_options_default();
  o.rho_filter = MOHO_RHO_NONE;
  o.weight = MOHO_WEIGHT_NONE;
  o.aperture_max_m = 70, o.aperture_max_dip_deg = 35, o.aperture_min_m = 5;
  return o;
}

static void every_option_is_its_formula(void **state) {
  (void)state;
  for (int is_line = 0; is_line <= 1; is_line++) {
    survey s = make_survey(is_line);
    for (int interpolation = 0; interpolation <= MOHO_INTERPOLATION_SINC8; interpolation++)
      for (int antialias = 0; antialias <= 1; antialias++)
        for (int weight = MOHO_WEIGHT_NONE; weight <= MOHO_WEIGHT_SPREADING_OBLIQUITY; weight++)
          for (int rho = MOHO_RHO_NONE; rho <= MOHO_RHO_3D; rho++) {
            moho_migration_options o = plain_options();
            o.interpolation = (moho_interpolation)interpolation;
            o.antialias = (moho_antialias)antialias;
            o.weight = (moho_weight)weight;
            o.rho_filter = (moho_rho)rho;
            compare(&s, &o, interpolation == MOHO_INTERPOLATION_SINC8 ? 1e-5 : 1e-10); /* the sinc's table is blended */
          }
    release(&s);
  }
}

static void edges_and_refinement_are_their_formulas(void **state) {
  (void)state;
  const double tapers[] = {0, 0.3, 1}, mutes[] = {-1, 0.05, 0.8};
  for (int is_line = 0; is_line <= 1; is_line++) {
    survey s = make_survey(is_line);
    for (int k = 0; k < 9; k++) {
      moho_migration_options o = plain_options();
      o.aperture_taper = tapers[k % 3], o.stretch_mute = mutes[k / 3];
      compare(&s, &o, 1e-10);
      o.normalise = MOHO_NORMALISE_FOLD;
      compare(&s, &o, 1e-10);
    }
    for (int refine = 1; refine <= 8; refine *= 2)
      for (double factor = 0.5; factor <= 4; factor *= 2) {
        moho_migration_options o = plain_options();
        o.refine = refine;
        o.antialias = MOHO_ANTIALIAS_TRIANGLE, o.antialias_factor = factor;
        o.weight = MOHO_WEIGHT_SPREADING_OBLIQUITY, o.rho_filter = MOHO_RHO_2D;
        o.aperture_max_m = 500, o.aperture_max_dip_deg = 70;
        compare(&s, &o, 1e-10);
      }
    release(&s);
  }
}

/* Zero offset on a node: t = 0 at t0 = 0, where weights take one input dt for t. */
static void weights_stay_finite_at_time_zero(void **state) {
  (void)state;
  survey s = make_survey(0);
  s.geometry.n = 1;
  moho_grid_node(&s.grid, 1, 2, &s.geometry.source_x[0], &s.geometry.source_y[0]);
  s.geometry.receiver_x[0] = s.geometry.source_x[0], s.geometry.receiver_y[0] = s.geometry.source_y[0];
  s.grid.step_s = 0.0005;
  for (int refine = 1; refine <= 4; refine *= 4)
    for (int weight = MOHO_WEIGHT_SPREADING; weight <= MOHO_WEIGHT_SPREADING_OBLIQUITY; weight++) {
      moho_migration_options o = plain_options();
      o.weight = (moho_weight)weight, o.refine = refine;
      o.aperture_min_m = 30;
      compare(&s, &o, 1e-5); /* a leg of no length is a millionth of a sample long */
    }
  release(&s);
}

/* ---- what it does with columns, batches, threads and mistakes ---- */

static void run(const survey *s, const moho_migration_options *o, const size_t *columns, size_t n_columns, size_t batch,
                double *image, int32_t *fold) {
  moho_reference *reference;
  assert_ok(moho_reference_create(&s->grid, s->velocity, o, &s->geometry, N_SAMPLES, dt, columns, n_columns, &reference));
  for (size_t first = 0; first < s->geometry.n; first += batch) {
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, first + batch < s->geometry.n ? batch : s->geometry.n - first);
    assert_ok(moho_reference_add(reference, &slice, s->traces + first * N_SAMPLES));
  }
  assert_ok(moho_reference_finish(reference, image, fold));
  moho_reference_destroy(&reference);
}

static void columns_batches_and_threads_do_not_matter(void **state) {
  (void)state;
  static double all[MAX_COLUMNS * N_TIME], some[MAX_COLUMNS * N_TIME];
  static int32_t all_fold[MAX_COLUMNS * N_TIME], some_fold[MAX_COLUMNS * N_TIME];
  survey s = make_survey(0);
  moho_migration_options o = moho_migration_options_default();
  o.antialias = MOHO_ANTIALIAS_TRIANGLE, o.refine = 2;
  int threads = omp_get_max_threads();
  run(&s, &o, NULL, 0, s.geometry.n, all, all_fold);
  for (size_t batch = 1; batch <= 4; batch += 3) {
    omp_set_num_threads((int)batch);
    run(&s, &o, NULL, 0, batch, some, some_fold);
    assert_memory_equal(all, some, s.columns * N_TIME * sizeof *all);
    assert_memory_equal(all_fold, some_fold, s.columns * N_TIME * sizeof *all_fold);
  }
  omp_set_num_threads(threads);
  const size_t columns[] = {10, 3};
  run(&s, &o, columns, 2, 100, some, some_fold);
  for (size_t c = 0; c < 2; c++) {
    assert_memory_equal(some + c * N_TIME, all + columns[c] * N_TIME, N_TIME * sizeof *all);
    assert_memory_equal(some_fold + c * N_TIME, all_fold + columns[c] * N_TIME, N_TIME * sizeof *all_fold);
  }
  release(&s);
}

static void mistakes_are_named(void **state) {
  (void)state;
  survey s = make_survey(0);
  moho_migration_options o = moho_migration_options_default();
  moho_reference *reference;
  const size_t beyond[] = {0, 12};
  assert_fails(moho_reference_create(&s.grid, s.velocity, &o, &s.geometry, N_SAMPLES, dt, beyond, 2, &reference),
               MOHO_ERROR_ARGUMENT, "column 1 is 12, expected below 12");
  assert_null(reference);
  o.aperture_taper = 2;
  assert_fails(moho_reference_create(&s.grid, s.velocity, &o, &s.geometry, N_SAMPLES, dt, NULL, 0, &reference), MOHO_ERROR_RANGE,
               "migration.aperture.taper is 2");
  o = moho_migration_options_default();
  assert_fails(moho_reference_create(&s.grid, s.velocity, &o, &s.geometry, 0, dt, NULL, 0, &reference), MOHO_ERROR_RANGE,
               "0 samples");
  s.grid.n_time = 0;
  assert_fails(moho_reference_create(&s.grid, s.velocity, &o, &s.geometry, N_SAMPLES, dt, NULL, 0, &reference), MOHO_ERROR_RANGE,
               "time");
  moho_reference_destroy(&reference);
  release(&s);
}

/* One trace, rho none: on the ellipse (x/a)^2 + (z/b)^2 = 1 and nowhere else (docs/physics.md, What must hold, 1). */
static void one_spike_is_an_ellipse(void **state) {
  (void)state;
  enum { n = 400, nodes = 41 };
  const double step = 0.002, T = 0.5, v = 2000, half = 150;
  moho_grid grid = moho_grid_default();
  grid.n_crossline = nodes, grid.n_inline = 2, grid.crossline_spacing_m = grid.inline_spacing_m = 20;
  grid.origin_y_m = -400, grid.step_s = step, grid.n_time = n;
  moho_geometry geometry;
  moho_velocity *velocity;
  assert_ok(moho_geometry_create(1, &geometry));
  assert_ok(moho_velocity_create_constant(v, &velocity));
  geometry.source_y[0] = -half, geometry.receiver_y[0] = half;
  float trace[n] = {0};
  trace[250] = 1;
  moho_migration_options o = plain_options();
  o.aperture_max_m = 2000, o.aperture_max_dip_deg = 89, o.aperture_taper = 0;
  double *image = malloc(2 * nodes * n * sizeof *image);
  moho_reference *reference;
  assert_ok(moho_reference_create(&grid, velocity, &o, &geometry, n, step, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &geometry, trace));
  assert_ok(moho_reference_finish(reference, image, NULL));
  moho_reference_destroy(&reference);
  double a = v * T / 2, b = sqrt(a * a - half * half);
  int peaks = 0;
  for (int j = 0; j < nodes; j++) {
    double x = -400 + 20.0 * j, z2 = b * b * (1 - x * x / (a * a));
    int best = 0;
    for (int k = 1; k < n; k++)
      if (image[(size_t)j * n + (size_t)k] > image[(size_t)j * n + (size_t)best]) best = k;
    assert_true(fabs(best * step - 2 * sqrt(z2) / v) <= 0.51 * step * sqrt(1 + x * x / z2) + 0.51 * step);
    peaks += image[(size_t)j * n + (size_t)best] > 0.4;
  }
  assert_int_equal(peaks, nodes);
  free(image);
  moho_geometry_release(&geometry);
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_option_is_its_formula),
                                     cmocka_unit_test(edges_and_refinement_are_their_formulas),
                                     cmocka_unit_test(weights_stay_finite_at_time_zero),
                                     cmocka_unit_test(columns_batches_and_threads_do_not_matter),
                                     cmocka_unit_test(mistakes_are_named),
                                     cmocka_unit_test(one_spike_is_an_ellipse)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
