/* test_lanes.c - the native loops of every instruction set against the formulas in double, on runs made to reach all of
 * their ways: whole and broken vectors, narrow and wide windows, gathers, the taper's edge, records' ends.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "device/cpu/cpu_features.h"
#include "migrate/migrate_kernel.h"
#include "migrate/real_double.h"
#include "migrate/simd/migrate_native.h"
#include "migrate/sinc_table.h"
#include "migrate/trace_prepare.h"
#include "test_support.h"

enum {
  TIMES = 333,
  STRIDE = 336,
  TABLE = STRIDE + 80,
  SAMPLES = 1500,
  K_MAX = 30,
  ROW = SAMPLES + 2 * MOHO_ROW_PAD + 2 * K_MAX + 20
};

#define TAPER_INVERSE 4

typedef struct bench {
  float *rows, *t1sq, *s2, *inverse_radius, *image;
  float (*sinc)[MOHO_SINC_TAPS];
  double (*sinc_double)[MOHO_SINC_TAPS];
  size_t x0, c0;
} bench;

/* A smooth trace (below a tenth of the sampling rate) and its second integral, written with its line removed. */
static void fill_rows(bench *b) {
  b->x0 = MOHO_ROW_PAD, b->c0 = ROW + MOHO_ROW_PAD + K_MAX;
  double sum = 0, c = 0, values[ROW] = {0};
  for (int i = 0; i < SAMPLES; i++) {
    double x = sin(0.31 * i) + 0.5 * cos(0.11 * i + 1);
    b->rows[b->x0 + (size_t)i] = (float)x;
  }
  /* c'' = -x on whole samples: c[i+1] = 2c[i] - c[i-1] - x[i] */
  for (int i = -K_MAX - 10; i < SAMPLES + K_MAX + 10; i++) {
    values[i + K_MAX + 10] = c;
    sum -= i >= 0 && i < SAMPLES ? (double)b->rows[b->x0 + (size_t)i] : 0;
    c += sum;
  }
  for (int i = -K_MAX - 10; i < SAMPLES + K_MAX + 10; i++) b->rows[(size_t)((long)b->c0 + i)] = (float)values[i + K_MAX + 10];
}

static bench make_bench(void) {
  bench b;
  assert_ok(moho_allocate(2 * ROW + 200, sizeof(float), "rows", &b.rows));
  assert_ok(moho_allocate(TABLE, sizeof(float), "t1sq", &b.t1sq));
  assert_ok(moho_allocate(TABLE, sizeof(float), "s2", &b.s2));
  assert_ok(moho_allocate(TABLE, sizeof(float), "radius", &b.inverse_radius));
  assert_ok(moho_allocate(STRIDE, sizeof(float), "image", &b.image));
  assert_ok(moho_allocate(MOHO_SINC_ROWS, sizeof *b.sinc, "sinc", &b.sinc));
  assert_ok(moho_allocate(MOHO_SINC_ROWS, sizeof *b.sinc_double, "sinc", &b.sinc_double));
  moho_sinc_table_float(b.sinc);
  moho_sinc_table_double(b.sinc_double);
  fill_rows(&b);
  return b;
}

static void free_bench(bench *b) {
  free(b->rows), free(b->t1sq), free(b->s2), free(b->inverse_radius), free(b->image), free(b->sinc), free(b->sinc_double);
}

static double trace_at(const bench *b, long i) {
  return i < 0 || i >= SAMPLES ? 0 : (double)b->rows[b->x0 + (size_t)i];
}

static double integrated_at(const bench *b, long i) {
  return (double)b->rows[(size_t)((long)b->c0 + i)];
}

static double interpolated(const bench *b, double u, int interpolation) {
  long i = (long)floor(u);
  double f = u - (double)i, sum = 0;
  if (interpolation == MOHO_INTERPOLATION_LINEAR) return interpolate_linear(trace_at(b, i), trace_at(b, i + 1), f);
  if (interpolation == MOHO_INTERPOLATION_CUBIC)
    return interpolate_cubic(trace_at(b, i - 1), trace_at(b, i), trace_at(b, i + 1), trace_at(b, i + 2), f);
  long row = (long)(f * MOHO_SINC_FRACTIONS);
  double g = f * MOHO_SINC_FRACTIONS - (double)row;
  for (int j = 0; j < 8; j++)
    sum += (b->sinc_double[row][j] + g * (b->sinc_double[row + 1][j] - b->sinc_double[row][j])) * trace_at(b, i - 3 + j);
  return sum;
}

static double one_triangle(const bench *b, long i, long k) {
  return triangle_of(integrated_at(b, i - k), integrated_at(b, i), integrated_at(b, i + k), 1.0 / ((double)k * (double)k));
}

static double under_triangle(const bench *b, double u, double k) {
  long i = (long)floor(u), whole = (long)floor(k);
  double f = u - (double)i, g = k - (double)whole;
  double narrow = interpolate_linear(one_triangle(b, i, whole), one_triangle(b, i + 1, whole), f);
  double wide = interpolate_linear(one_triangle(b, i, whole + 1), one_triangle(b, i + 1, whole + 1), f);
  return interpolate_linear(narrow, wide, g);
}

static double expected_at(const bench *b, const moho_run *run, const moho_migrate_parameters *p, int i) {
  double t1sq = (double)b->t1sq[i], s2 = (double)b->s2[i];
  double ts = sqrt(leg_squared_straight(t1sq, (double)run->source2, s2)),
         tr = sqrt(leg_squared_straight(t1sq, (double)run->receiver2, s2));
  double t = ts + tr, u = t - (double)run->shift, value = interpolated(b, u, p->interpolation);
  if (p->antialias == MOHO_ANTIALIAS_TRIANGLE) {
    double px = leg_slope_straight((double)run->source_x, s2, 1 / ts) + leg_slope_straight((double)run->receiver_x, s2, 1 / tr);
    double py = leg_slope_straight((double)run->source_y, s2, 1 / ts) + leg_slope_straight((double)run->receiver_y, s2, 1 / tr);
    double k = MIN(triangle_half_width(px, py, (double)run->spacing), (double)p->k_max);
    if (k > 1) value = under_triangle(b, u, k);
  }
  value *= pow(MAX(t, (double)p->shortest_time), -0.5 * p->t_part);
  if (i < run->full)
    value *= 0.5 + 0.5 * cos(3.14159265358979323846 *
                             taper_argument((double)run->distance, (double)b->inverse_radius[i], (double)p->taper_inv_fraction));
  return value;
}

/* Image steps of `pace` trace samples: 1 reads narrow windows, 2.5 wide ones, 7 gathers. */
static void fill_tables(bench *b, double pace) {
  for (int i = 0; i < TABLE; i++) {
    double t1 = 0.5 * pace * i, radius = 40 + 3.0 * i;
    b->t1sq[i] = (float)vertical_squared(t1);
    b->s2[i] = (float)(0.04 * (1 + 0.3 * sin(0.02 * i)));
    b->inverse_radius[i] = (float)(1 / (radius < 600 ? radius : 600));
  }
}

static double place(const bench *b, const moho_run *run, int i) {
  double t1sq = (double)b->t1sq[i], s2 = (double)b->s2[i];
  return sqrt(leg_squared_straight(t1sq, (double)run->source2, s2)) +
         sqrt(leg_squared_straight(t1sq, (double)run->receiver2, s2)) - (double)run->shift;
}

static moho_run random_run(uint64_t *random, const bench *b) {
  double sx = 600 * (test_uniform(random) - 0.5), rx = 600 * (test_uniform(random) - 0.5), sy = 300 * test_uniform(random),
         ry = 200 * test_uniform(random);
  moho_run run = {.source_x = (float)sx, .source_y = (float)sy, .receiver_x = (float)rx, .receiver_y = (float)ry};
  run.source2 = (float)(sx * sx + sy * sy), run.receiver2 = (float)(rx * rx + ry * ry);
  run.distance = (float)(600 * test_uniform(random));
  run.spacing = (float)(40 * test_uniform(random));
  run.first = (int32_t)(60 * test_uniform(random));
  run.end = run.first;
  run.shift = (float)(30 * test_uniform(random) * (test_uniform(random) < 0.5));
  /* to the end of the record at the most, and from its beginning */
  for (int i = run.first; i < TIMES; i++) {
    double u = place(b, &run, i);
    if (u < 0) run.first = i + 1;
    if (u > SAMPLES - 1) break;
    run.end = i + 1;
  }
  if (run.end <= run.first) run.end = run.first;
  run.full = run.first;
  while (run.full < run.end && taper_argument((double)run.distance, (double)b->inverse_radius[run.full], TAPER_INVERSE) > 0)
    run.full++;
  return run;
}

static void check_run(bench *b, moho_native_function migrate, const moho_run *run, const moho_migrate_parameters *parameters) {
  for (int i = 0; i < STRIDE; i++) b->image[i] = 0.25f;
  moho_run copy = *run;
  void *buffers[MOHO_BUFFER_COUNT] = {[MOHO_BUFFER_ROWS] = b->rows,
                                      [MOHO_BUFFER_RUNS] = &copy,
                                      [MOHO_BUFFER_BASE] = b->t1sq,
                                      [MOHO_BUFFER_S2] = b->s2,
                                      [MOHO_BUFFER_INVERSE_RADIUS] = b->inverse_radius,
                                      [MOHO_BUFFER_SINC] = b->sinc,
                                      [MOHO_BUFFER_IMAGE] = b->image};
  migrate(buffers, parameters);
  for (int i = 0; i < STRIDE; i++) {
    if (i < run->first || i >= run->end) {
      assert_true(b->image[i] == 0.25f);
      continue;
    }
    double expected = 0.25 + expected_at(b, run, parameters, i);
    /* a float's place in 1500 samples errs by 1e-4; c reaches 1e4 and is divided by k^2 */
    double tolerance = parameters->antialias == MOHO_ANTIALIAS_TRIANGLE ? 4e-3 : 3e-4;
    if (fabs((double)b->image[i] - expected) > tolerance)
      fail_msg("sample %d of [%d, %d) full %d: %.7g, expected %.7g", i, run->first, run->end, run->full, (double)b->image[i],
               expected);
  }
}

static void check_simd(moho_simd simd) {
  bench b = make_bench();
  moho_native_function migrate = moho_native_pick(&moho_migrate_native, simd);
  const double paces[] = {1, 2.5, 7};
  uint64_t random = 99;
  for (int pace = 0; pace < 3; pace++) {
    fill_tables(&b, paces[pace]);
    for (int variant = 0; variant < 3 * 2 * 5; variant++) {
      moho_migrate_parameters p = {.n_runs = 1,
                                   .row_stride = 2 * ROW,
                                   .x0 = (int32_t)b.x0,
                                   .c0 = (int32_t)b.c0,
                                   .image_stride = STRIDE,
                                   .n_samples = SAMPLES,
                                   .k_max = K_MAX,
                                   .interpolation = variant % 3,
                                   .antialias = variant / 3 % 2,
                                   .t_part = variant / 6,
                                   .taper_inv_fraction = TAPER_INVERSE,
                                   .shortest_time = 1};
      for (int trial = 0; trial < 40; trial++) {
        moho_run run = random_run(&random, &b);
        check_run(&b, migrate, &run, &p);
      }
    }
  }
  free_bench(&b);
}

static void loops_follow_the_formulas(void **state) {
  (void)state;
  for (moho_simd simd = MOHO_SIMD_SCALAR; simd < MOHO_SIMD_COUNT; simd++) {
    if (moho_cpu_has_simd(simd)) check_simd(simd);
    else print_message("skipped: this processor has no %s\n", moho_simd_name(simd));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(loops_follow_the_formulas)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
