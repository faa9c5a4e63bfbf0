/* migrate_lanes.h - the migration loop, one source for every instruction set (lanes_*.h, included before this file).
 *
 * Along t0 a run reads neighbouring trace samples: dt/dt0 <= 1 for ordinary velocities, so the values that a vector of
 * image samples needs lie in a window of two registers and are picked by permutes; a wider span (coarser image steps,
 * refined traces, velocity that changes fast) takes four registers, and only then gathers. Whichever way, the same
 * values are read and the same arithmetic done. Vectors begin at multiples of LANES of the image's time axis, so the
 * bits do not depend on tiles. Options are compile-time constants of `run_samples`: one specialised loop each.
 */
#define SQRT(x) lanes_sqrt(x)
#define RSQRT(x) lanes_rsqrt(x)

#include "kernels/interpolate.h"
#include "kernels/physics.h"
#include "migrate/migrate_kernel.h"
#include "migrate/sinc_table.h"
#include "moho/migration.h"

/* Rows are readable this far (and a window further) beyond the samples that may count. */
enum { WINDOW_BEFORE = 24, WINDOW_AFTER = 8 };

/* count <= 8 consecutive values from row[index] on, each lane its own place; low and high bound the places that may
 * count, masked lanes may lie anywhere and only must not leave memory. */
INLINE void pick(const float *row, vint index, int base, int low, int high, int count, vfloat *out) {
  base = base < low - WINDOW_BEFORE ? low - WINDOW_BEFORE : base > high + WINDOW_AFTER ? high + WINDOW_AFTER : base;
  vint relative = lanes_sub(index, lanes_set_int(base));
  if (__builtin_expect(lanes_within(relative, (unsigned)(NARROW_WINDOW - count)), 1)) {
    narrow_window window = narrow_load(row + base);
    for (int j = 0; j < count; j++) out[j] = narrow_pick(window, lanes_add(relative, lanes_set_int(j)));
  } else if (lanes_within(relative, (unsigned)(WIDE_WINDOW - count))) {
    wide_window window = wide_load(row + base);
    for (int j = 0; j < count; j++) out[j] = wide_pick(window, lanes_add(relative, lanes_set_int(j)));
  } else {
    vint safe = lanes_clamp(index, low - WINDOW_BEFORE, high + WINDOW_AFTER);
    for (int j = 0; j < count; j++) out[j] = lanes_gather(row, lanes_add(safe, lanes_set_int(j)));
  }
}

/* 1/2 (1 + cos(pi x)), x in [0, 1]: the sine series about x = 1/2, error 6e-8. */
INLINE vfloat half_cosine(vfloat x) {
  vfloat z = (x - R(0.5)) * R(3.14159265358979);
  vfloat z2 = z * z;
  vfloat s = FMA(z2, R(-2.50521084e-8), R(2.75573192e-6));
  s = FMA(z2, s, R(-1.98412698e-4));
  s = FMA(z2, s, R(8.33333333e-3));
  s = FMA(z2, s, R(-1.66666667e-1));
  return FMA(FMA(z * z2, s, z), R(-0.5), R(0.5));
}

/* t^-(power/2) */
INLINE vfloat weight_of_time(vfloat t, int power) {
  if (power == 1) return RSQRT(t);
  if (power == 2) return lanes_reciprocal(t);
  if (power == 3) return RSQRT(t) * lanes_reciprocal(t);
  return lanes_reciprocal(t * t);
}

INLINE vfloat interpolate_sinc8(const vfloat *y, vfloat f, const float *table) {
  vfloat place = f * R(MOHO_SINC_FRACTIONS);
  vint row = lanes_clamp(lanes_floor(place), 0, MOHO_SINC_FRACTIONS - 1);
  vfloat g = place - lanes_float(row), sum = R(0.0);
  vint at = lanes_shift_left(row, 3);
  for (int j = 0; j < 8; j++) {
    vfloat h0 = lanes_gather(table + j, at), h1 = lanes_gather(table + 8 + j, at);
    sum = FMA(FMA(g, h1 - h0, h0), y[j], sum);
  }
  return sum;
}

INLINE vfloat interpolate(const float *row, vint index, vfloat f, int n_samples, const float *sinc, int interpolation) {
  vfloat y[8];
  int first = lanes_first(index);
  if (interpolation == MOHO_INTERPOLATION_LINEAR) {
    pick(row, index, first, 0, n_samples, 2, y);
    return interpolate_linear(y[0], y[1], f);
  }
  if (interpolation == MOHO_INTERPOLATION_CUBIC) {
    pick(row - 1, index, first, 0, n_samples, 4, y);
    return interpolate_cubic(y[0], y[1], y[2], y[3], f);
  }
  pick(row - 3, index, first, 0, n_samples, 8, y);
  return interpolate_sinc8(y, f, sinc);
}

/* The trace under triangles of half-width k > 1: c is the trace integrated twice (interpolate.h, triangle_of). */
INLINE vfloat under_triangle(const float *c, vint index, vfloat f, vfloat k, int n_samples, int k_max) {
  vint whole = lanes_floor(k);
  vfloat fraction = k - lanes_float(whole), width = MAX(lanes_float(whole), R(1.0));
  vfloat before[3], here[2], after[3];
  vint left = lanes_sub(index, lanes_add(whole, lanes_set_int(1))), right = lanes_add(index, whole);
  int right_first = lanes_first(right), right_last = lanes_last(right);
  int left_first = lanes_first(left), left_last = lanes_last(left);
  pick(c, left, left_first < left_last ? left_first : left_last, -k_max, n_samples + k_max, 3, before);
  pick(c, index, lanes_first(index), -k_max, n_samples + k_max, 2, here);
  pick(c, right, right_first < right_last ? right_first : right_last, -k_max, n_samples + k_max, 3, after);
  vfloat inverse = lanes_reciprocal(width * width), wider = width + R(1.0);
  vfloat inverse_wider = lanes_reciprocal(wider * wider);
  vfloat narrow = interpolate_linear(triangle_of(before[1], here[0], after[0], inverse), triangle_of(before[2], here[1], after[1], inverse), f);
  vfloat wide = interpolate_linear(triangle_of(before[0], here[0], after[1], inverse_wider),
                                   triangle_of(before[1], here[1], after[2], inverse_wider), f);
  return interpolate_linear(narrow, wide, fraction);
}

typedef struct loop_context {
  const float *row, *integrated, *t1sq, *s2, *inverse_radius, *sinc;
  float *image;
  const moho_migrate_parameters *parameters;
} loop_context;

/* One run; interpolation, antialias and power are constants where this is called. */
INLINE void run_samples(const moho_run *run, const loop_context *context, int interpolation, int antialias, int power) {
  const moho_migrate_parameters *parameters = context->parameters;
  const int n_samples = parameters->n_samples, k_max = parameters->k_max, first = run->first, full = run->full, end = run->end;
  const vfloat source2 = lanes_set(run->source2), receiver2 = lanes_set(run->receiver2), shift = lanes_set(run->shift);
  for (int at = first - first % LANES; at < end; at += LANES) {
    vfloat t1sq = lanes_load(context->t1sq + at), s2 = lanes_load(context->s2 + at);
    vfloat source_squared = leg_squared_straight(t1sq, source2, s2), receiver_squared = leg_squared_straight(t1sq, receiver2, s2);
    vfloat source_time, receiver_time, width = R(0.0);
    if (antialias == MOHO_ANTIALIAS_TRIANGLE) {
      vfloat source_inverse = RSQRT(source_squared), receiver_inverse = RSQRT(receiver_squared);
      source_time = source_squared * source_inverse, receiver_time = receiver_squared * receiver_inverse;
      vfloat px = leg_slope_straight(lanes_set(run->source_x), s2, source_inverse) + leg_slope_straight(lanes_set(run->receiver_x), s2, receiver_inverse);
      vfloat py = leg_slope_straight(lanes_set(run->source_y), s2, source_inverse) + leg_slope_straight(lanes_set(run->receiver_y), s2, receiver_inverse);
      width = MIN(triangle_half_width(px, py, lanes_set(run->spacing)), lanes_set((float)k_max));
    } else {
      source_time = SQRT(source_squared), receiver_time = SQRT(receiver_squared);
    }
    vfloat t = source_time + receiver_time, u = t - shift;
    vint index = lanes_floor(u);
    vfloat f = u - lanes_float(index);
    vfloat value = interpolate(context->row, index, f, n_samples, context->sinc, interpolation);
    if (antialias == MOHO_ANTIALIAS_TRIANGLE && lanes_any_above(width, 1.0f))
      value = lanes_select_above(width, 1.0f, under_triangle(context->integrated, index, f, width, n_samples, k_max), value);
    if (power) value = value * weight_of_time(MAX(t, lanes_set(parameters->shortest_time)), power);
    if (at < full)
      value = value * half_cosine(taper_argument(lanes_set(run->distance), lanes_load(context->inverse_radius + at), lanes_set(parameters->taper_inv_fraction)));
    if (__builtin_expect(at < first || at + LANES > end, 0)) lanes_accumulate_masked(context->image + at, value, lanes_mask(at, first, end));
    else lanes_accumulate(context->image + at, value);
  }
}

#define RUN_LOOP(name, interpolation, antialias, power)                                \
  static void name(const moho_run *run, const loop_context *context) {                 \
    run_samples(run, context, interpolation, antialias, power);                        \
  }
#define RUN_LOOPS_OF_POWER(name, interpolation, antialias)                             \
  RUN_LOOP(name##_0, interpolation, antialias, 0)                                      \
  RUN_LOOP(name##_1, interpolation, antialias, 1)                                      \
  RUN_LOOP(name##_2, interpolation, antialias, 2)                                      \
  RUN_LOOP(name##_3, interpolation, antialias, 3)                                      \
  RUN_LOOP(name##_4, interpolation, antialias, 4)
RUN_LOOPS_OF_POWER(linear, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(cubic, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(sinc8, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(linear_triangle, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_TRIANGLE)
RUN_LOOPS_OF_POWER(cubic_triangle, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_TRIANGLE)
RUN_LOOPS_OF_POWER(sinc8_triangle, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_TRIANGLE)

#define LOOPS_OF_POWER(name) {name##_0, name##_1, name##_2, name##_3, name##_4}
static void (*const loops[3][2][5])(const moho_run *, const loop_context *) = {
    [MOHO_INTERPOLATION_LINEAR] = {LOOPS_OF_POWER(linear), LOOPS_OF_POWER(linear_triangle)},
    [MOHO_INTERPOLATION_CUBIC] = {LOOPS_OF_POWER(cubic), LOOPS_OF_POWER(cubic_triangle)},
    [MOHO_INTERPOLATION_SINC8] = {LOOPS_OF_POWER(sinc8), LOOPS_OF_POWER(sinc8_triangle)}};

/* The native function of kernel "migrate". */
void LANES_NAME(moho_migrate)(void *const *buffers, const void *parameters_pointer) {
  const moho_migrate_parameters *parameters = parameters_pointer;
  const float *rows = buffers[MOHO_BUFFER_ROWS], *s2 = buffers[MOHO_BUFFER_S2], *inverse_radius = buffers[MOHO_BUFFER_INVERSE_RADIUS];
  const moho_run *runs = buffers[MOHO_BUFFER_RUNS];
  float *image = buffers[MOHO_BUFFER_IMAGE];
  void (*loop)(const moho_run *, const loop_context *) =
      loops[parameters->interpolation][parameters->antialias][parameters->weight_power];
  for (int32_t i = 0; i < parameters->n_runs; i++) {
    const moho_run *run = &runs[i];
    const float *row = rows + (size_t)run->row * (size_t)parameters->row_stride;
    size_t table = (size_t)run->table * (size_t)parameters->table_stride;
    loop_context context = {.row = row + parameters->x0,
                            .integrated = row + parameters->c0,
                            .t1sq = buffers[MOHO_BUFFER_T1SQ],
                            .s2 = s2 + table,
                            .inverse_radius = inverse_radius + table,
                            .sinc = buffers[MOHO_BUFFER_SINC],
                            .image = image + (size_t)run->column * (size_t)parameters->image_stride,
                            .parameters = parameters};
    loop(run, &context);
  }
}
