/* test_lanes.c - the native loops of every instruction set against the formulas in double, on runs made to reach all of
 * their ways: whole and broken vectors, narrow and wide windows, gathers, the taper's edge, records' ends; every law of the leg
 * time, every weight, triangles and filter banks.
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
#include "migrate/weight.h"
#include "moho/migration.h"
#include "test_support.h"

enum {
  TIMES = 333,
  STRIDE = 336,
  TABLE = STRIDE + 80,
  SAMPLES = 1500,
  K_MAX = 30,
  ROW = SAMPLES + 2 * MOHO_ROW_PAD + 2 * K_MAX + 20,
  COPIES = 5, /* of a trace in its filter bank */
  BANK = (SAMPLES + MOHO_ROW_PAD + 15) / 16 * 16,
  NODES = 12
};

#define TAPER_INVERSE 4
#define UNTOUCHED 1e-30f /* adds nothing to a sum of floats that are not */

typedef struct bench {
  float *rows, *base, *s2, *a, *b, *leg_rows, *nodes, *inverse_radius, *image;
  float (*sinc)[MOHO_SINC_TAPS];
  double (*sinc_double)[MOHO_SINC_TAPS];
  size_t x0, c0, bank0; /* of copies 1 and on: copy 0 is the trace */
  double c2;
} bench;

/* A smooth trace (below a tenth of the sampling rate) and its second integral, written with its line removed. */
static void fill_rows(bench *b) {
  b->x0 = MOHO_ROW_PAD, b->c0 = ROW + MOHO_ROW_PAD + K_MAX, b->bank0 = (2 * ROW + 100 + MOHO_ROW_PAD + 15) / 16 * 16;
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
  /* Copies of the bank need not be low-passed here, only different. */
  for (int j = 0; j < COPIES; j++)
    for (int i = 0; i < SAMPLES; i++)
      b->rows[b->bank0 + (size_t)(j * BANK + i)] = (float)(sin(0.31 * i) + 0.5 * cos((0.11 - 0.02 * j) * i + 1));
}

static bench make_bench(void) {
  bench b;
  assert_ok(moho_allocate(2 * ROW + 300 + (COPIES + 1) * BANK, sizeof(float), "rows", &b.rows));
  assert_ok(moho_allocate(TABLE, sizeof(float), "base", &b.base));
  assert_ok(moho_allocate(TABLE, sizeof(float), "a", &b.a));
  assert_ok(moho_allocate(TABLE, sizeof(float), "b", &b.b));
  assert_ok(moho_allocate(NODES * TABLE, sizeof(float), "leg times", &b.leg_rows));
  assert_ok(moho_allocate(NODES, sizeof(float), "leg times", &b.nodes));
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
  free(b->rows), free(b->base), free(b->s2), free(b->a), free(b->b), free(b->leg_rows), free(b->nodes), free(b->inverse_radius),
      free(b->image), free(b->sinc), free(b->sinc_double);
}

static double trace_at(const bench *b, int copy, long i) {
  size_t at = copy < 0 ? b->x0 : b->bank0 + (size_t)copy * BANK;
  return i < 0 || i >= SAMPLES ? 0 : (double)b->rows[at + (size_t)i];
}

static double integrated_at(const bench *b, long i) {
  return (double)b->rows[(size_t)((long)b->c0 + i)];
}

/* copy -1: the trace */
static double interpolated(const bench *b, int copy, double u, int interpolation) {
  long i = (long)floor(u);
  double f = u - (double)i, sum = 0;
  if (interpolation == MOHO_INTERPOLATION_LINEAR) return interpolate_linear(trace_at(b, copy, i), trace_at(b, copy, i + 1), f);
  if (interpolation == MOHO_INTERPOLATION_CUBIC)
    return interpolate_cubic(trace_at(b, copy, i - 1), trace_at(b, copy, i), trace_at(b, copy, i + 1), trace_at(b, copy, i + 2),
                             f);
  long row = (long)(f * MOHO_SINC_FRACTIONS);
  double g = f * MOHO_SINC_FRACTIONS - (double)row;
  for (int j = 0; j < 8; j++)
    sum += (b->sinc_double[row][j] + g * (b->sinc_double[row + 1][j] - b->sinc_double[row][j])) * trace_at(b, copy, i - 3 + j);
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

/* A leg of the law in double: its time, and its slope over its component along an axis. */
typedef struct leg {
  double t, slope;
} leg;

static leg leg_at(const bench *b, int law, double d2, unsigned node, int i) {
  double base = (double)b->base[i], s2 = (double)b->s2[i], first = (double)b->a[i], second = (double)b->b[i], t, q;
  switch (law) {
  case MOHO_TRAVELTIME_CURVED_LINEAR:
    q = leg_squared_straight(base, d2, s2);
    return (leg){leg_time_linear(q, b->c2), leg_slope_linear(1, s2, q, b->c2)};
  case MOHO_TRAVELTIME_CURVED_RMS:
    q = leg_squared_straight(base, d2, s2);
    return (leg){first + sqrt(q), leg_slope_straight(1, s2, 1 / sqrt(q))};
  case MOHO_TRAVELTIME_CURVED_RAY: {
    double near = (double)b->leg_rows[node * TABLE + (unsigned)i], far = (double)b->leg_rows[(node + 1) * TABLE + (unsigned)i];
    double step = (double)b->nodes[node + 1] - (double)b->nodes[node];
    t = sqrt(near + (d2 - (double)b->nodes[node]) / step * (far - near));
    return (leg){t, leg_slope_straight(1, (far - near) / step, 1 / t)};
  }
  case MOHO_TRAVELTIME_VTI:
    t = sqrt(leg_squared_vti(base, d2, s2, first, second));
    return (leg){t, leg_slope_vti(1, base, d2, s2, first, second, 1 / t)};
  case MOHO_TRAVELTIME_VTI_RATIONAL:
    t = sqrt(leg_squared_vti_rational(base, d2, s2, first));
    return (leg){t, leg_slope_vti_rational(1, base, d2, s2, first, 1 / t)};
  default: t = sqrt(leg_squared_straight(base, d2, s2)); return (leg){t, leg_slope_straight(1, s2, 1 / t)};
  }
}

static double weight_at(const moho_migrate_parameters *p, double t_s, double t_r) {
  double shortest = (double)p->shortest_time, t = MAX(t_s + t_r, shortest), source = 1 / MAX(t_s, shortest),
         receiver = 1 / MAX(t_r, shortest);
  switch (p->t_part) {
  case MOHO_T_PART_TRUE_3D: return true_amplitude_3d(source, receiver);
  case MOHO_T_PART_TRUE_3D_RAW: return true_amplitude_3d(source, receiver) * t;
  case MOHO_T_PART_TRUE_2D: return true_amplitude_2d(source, receiver, t);
  case MOHO_T_PART_TRUE_2D_RAW: return true_amplitude_2d(source, receiver, t) * t;
  default: return pow(t, -0.5 * p->t_part);
  }
}

static double from_bank(const bench *b, const moho_migrate_parameters *p, double u, double width) {
  int exponent;
  double mantissa = 2 * frexp(MAX(width * (double)p->bank_inverse_narrowest, 1.0), &exponent);
  double place = filter_bank_place(octaves(exponent - 1, mantissa), (double)p->bank_per_octave, p->bank_last), f;
  int copy = (int)floor(place);
  f = place - copy;
  double one = interpolated(b, copy, u, p->interpolation);
  return f > 0 ? one + f * (interpolated(b, copy + 1, u, p->interpolation) - one) : one;
}

static double expected_at(const bench *b, const moho_run *run, const moho_migrate_parameters *p, int i, double *weight) {
  leg s = leg_at(b, p->traveltime, (double)run->source2, run->source_node, i),
      r = leg_at(b, p->traveltime, (double)run->receiver2, run->receiver_node, i);
  double u = s.t + r.t - (double)run->shift, value;
  double px = (double)run->source_x * s.slope + (double)run->receiver_x * r.slope,
         py = (double)run->source_y * s.slope + (double)run->receiver_y * r.slope;
  double k = MIN(triangle_half_width(px, py, (double)run->spacing), (double)p->k_max);
  if (p->antialias == MOHO_ANTIALIAS_FILTER_BANK) value = from_bank(b, p, u, k);
  else if (p->antialias == MOHO_ANTIALIAS_TRIANGLE && k > 1) value = under_triangle(b, u, k);
  else value = interpolated(b, -1, u, p->interpolation);
  *weight = weight_at(p, s.t, r.t);
  value *= *weight;
  if (i < run->full)
    value *= 0.5 + 0.5 * cos(3.14159265358979323846 *
                             taper_argument((double)run->distance, (double)b->inverse_radius[i], (double)p->taper_inv_fraction));
  return value;
}

/* Image steps of `pace` trace samples: 1 reads narrow windows, 2.5 wide ones, 7 gathers. */
static void fill_tables(bench *b, double pace, int law) {
  const double c = 0.0012, lead = 0.1;
  b->c2 = (double)(float)(c * c);
  for (int n = 0; n < NODES; n++) b->nodes[n] = (float)(16000.0 * n + 900.0 * n * n);
  for (int i = 0; i < TABLE; i++) {
    double t1 = 0.5 * pace * i, radius = 40 + 3.0 * i, s2 = 0.04 * (1 + 0.3 * sin(0.02 * i)), eta = 0.15 - 0.0006 * i;
    double vertical = law == MOHO_TRAVELTIME_CURVED_LINEAR ? sinh(c * t1) / c
                      : law == MOHO_TRAVELTIME_CURVED_RMS  ? t1 * (1 - lead)
                                                           : t1;
    b->base[i] = (float)vertical_squared(vertical);
    b->s2[i] = (float)s2;
    b->a[i] = law == MOHO_TRAVELTIME_CURVED_RMS     ? (float)(t1 * lead)
              : law == MOHO_TRAVELTIME_VTI          ? (float)(1 / (4 * (1 + eta)))
              : law == MOHO_TRAVELTIME_VTI_RATIONAL ? (float)(2 * eta)
                                                    : 0.0f;
    b->b[i] = (float)(16 * eta * (1 + eta) * vertical_squared(vertical) * s2);
    b->inverse_radius[i] = (float)(1 / (radius < 600 ? radius : 600));
    for (int n = 0; n < NODES; n++)
      b->leg_rows[n * TABLE + i] = (float)(vertical_squared(t1) + (double)b->nodes[n] * s2 * (1 - 0.01 * n));
  }
}

static unsigned node_of(const bench *b, double d2) {
  unsigned node = 0;
  while (node + 2 < NODES && (double)b->nodes[node + 1] <= d2) node++;
  return node;
}

static double place(const bench *b, const moho_run *run, int law, int i) {
  return leg_at(b, law, (double)run->source2, run->source_node, i).t +
         leg_at(b, law, (double)run->receiver2, run->receiver_node, i).t - (double)run->shift;
}

static moho_run random_run(uint64_t *random, const bench *b, int law) {
  double sx = 600 * (test_uniform(random) - 0.5), rx = 600 * (test_uniform(random) - 0.5), sy = 300 * test_uniform(random),
         ry = 200 * test_uniform(random);
  const int is_short = test_uniform(random) < 0.2; /* a leg below one sample: weights hold it at one */
  if (is_short) sx = sy = 0;
  moho_run run = {.source_x = (float)sx, .source_y = (float)sy, .receiver_x = (float)rx, .receiver_y = (float)ry};
  run.source2 = (float)(sx * sx + sy * sy), run.receiver2 = (float)(rx * rx + ry * ry);
  run.source_node = (uint16_t)node_of(b, (double)run.source2), run.receiver_node = (uint16_t)node_of(b, (double)run.receiver2);
  run.distance = (float)(600 * test_uniform(random));
  run.spacing = (float)(40 * test_uniform(random));
  run.first = is_short ? 0 : (int32_t)(60 * test_uniform(random));
  run.end = run.first;
  run.shift = (float)(30 * test_uniform(random) * (test_uniform(random) < 0.5));
  /* to the end of the record at the most, and from its beginning */
  for (int i = run.first; i < TIMES; i++) {
    double u = place(b, &run, law, i);
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
  for (int i = 0; i < STRIDE; i++) b->image[i] = UNTOUCHED;
  moho_run copy = *run;
  const int has_rows = parameters->traveltime == MOHO_TRAVELTIME_CURVED_RAY;
  void *buffers[MOHO_BUFFER_COUNT] = {[MOHO_BUFFER_ROWS] = b->rows,
                                      [MOHO_BUFFER_RUNS] = &copy,
                                      [MOHO_BUFFER_BASE] = b->base,
                                      [MOHO_BUFFER_S2] = b->s2,
                                      [MOHO_BUFFER_A] = b->a,
                                      [MOHO_BUFFER_B] = b->b,
                                      [MOHO_BUFFER_LEG_ROWS] = has_rows ? b->leg_rows : NULL,
                                      [MOHO_BUFFER_LEG_NODES] = has_rows ? b->nodes : NULL,
                                      [MOHO_BUFFER_INVERSE_RADIUS] = b->inverse_radius,
                                      [MOHO_BUFFER_SINC] = b->sinc,
                                      [MOHO_BUFFER_IMAGE] = b->image};
  migrate(buffers, parameters);
  for (int i = 0; i < STRIDE; i++) {
    if (i < run->first || i >= run->end) {
      assert_true(b->image[i] == UNTOUCHED);
      continue;
    }
    double weight, expected = expected_at(b, run, parameters, i, &weight);
    /* a float's place in 1500 samples errs by 1e-4; c reaches 1e4 and is divided by k^2 */
    double tolerance = weight * (parameters->antialias == MOHO_ANTIALIAS_TRIANGLE ? 4e-3 : 3e-4);
    if (fabs((double)b->image[i] - expected) > tolerance)
      fail_msg("law %d, antialias %d, t-part %d, sample %d of [%d, %d) full %d: %.7g, expected %.7g", parameters->traveltime,
               parameters->antialias, parameters->t_part, i, run->first, run->end, run->full, (double)b->image[i], expected);
  }
}

static void check_variant(bench *b, moho_native_function migrate, int law, int antialias, int interpolation, int t_part,
                          uint64_t *random, int trials) {
  moho_migrate_parameters p = {.n_runs = 1,
                               .row_stride = 2 * ROW,
                               .x0 = (int32_t)(antialias == MOHO_ANTIALIAS_FILTER_BANK ? b->bank0 : b->x0),
                               .c0 = (int32_t)b->c0,
                               .image_stride = STRIDE,
                               .node_stride = TABLE,
                               .nodes = NODES,
                               .n_samples = SAMPLES,
                               .k_max = K_MAX,
                               .bank_stride = BANK,
                               .bank_last = COPIES - 1,
                               .bank_inverse_narrowest = 0.8f,
                               .bank_per_octave = 1.3f,
                               .traveltime = law,
                               .interpolation = interpolation,
                               .antialias = antialias,
                               .t_part = t_part,
                               .c2 = (float)b->c2,
                               .taper_inv_fraction = TAPER_INVERSE,
                               .shortest_time = 1};
  for (int trial = 0; trial < trials; trial++) {
    moho_run run = random_run(random, b, law);
    check_run(b, migrate, &run, &p);
  }
}

static void check_simd(moho_simd simd) {
  bench b = make_bench();
  moho_native_function migrate = moho_native_pick(&moho_migrate_native, simd);
  const double paces[] = {1, 2.5, 7};
  uint64_t random = 99;
  for (int pace = 0; pace < 3; pace++)
    for (int law = MOHO_TRAVELTIME_STRAIGHT; law <= MOHO_TRAVELTIME_VTI_RATIONAL; law++) {
      fill_tables(&b, paces[pace], law);
      for (int variant = 0; variant < 9 * MOHO_T_PARTS; variant++)
        check_variant(&b, migrate, law, variant % 3, variant / 3 % 3, variant / 9, &random, law ? 5 : 25);
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
