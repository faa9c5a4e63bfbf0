/* migrate_lanes.h - the migration loop, one source for every instruction set (lanes_*.h, included before this file).
 *
 * Along t0 a run reads neighbouring trace samples: dt/dt0 <= 1 for ordinary velocities, so the values that a vector of
 * image samples needs lie in a window of two registers and are picked by permutes; a wider span (coarser image steps,
 * refined traces, velocity that changes fast) takes four registers, and only then gathers. Whichever way, the same
 * values are read and the same arithmetic done. Vectors begin at multiples of LANES of the image's time axis, so the
 * bits do not depend on tiles.
 *
 * A run passes in blocks of two steps: times first, then picks. One long chain from roots to picks would fill the
 * processor's scheduler with waiting operations (measured with data in cache, G contributions/s: 1.8 in one step, 2.5 in two;
 * AVX2 0.75 and 1.1). Options are compile-time constants of `run_samples`: one specialised loop each.
 */
#define SQRT(x) lanes_sqrt(x)
#define RSQRT(x) lanes_rsqrt(x)
#define RECIPROCAL(x) lanes_reciprocal(x)

#include "kernels/interpolate.h"
#include "kernels/physics.h"
#include "migrate/migrate_kernel.h"
#include "migrate/sinc_table.h"
#include "moho/migration.h"

/* Rows are readable this far (and a window further) beyond the samples that may count. */
enum { WINDOW_BEFORE = 24, WINDOW_AFTER = 8 };

/* count <= 8 consecutive values from row[index] on, each lane its own place; low and high bound the places that may count.
 * Of a vector that is not whole the masked lanes may lie anywhere and only must not leave memory. */
INLINE void pick(const float *row, vint index, int base, int low, int high, int count, int whole, vfloat *out) {
  if (!whole) base = base < low - WINDOW_BEFORE ? low - WINDOW_BEFORE : base > high + WINDOW_AFTER ? high + WINDOW_AFTER : base;
  vint relative = lanes_sub(index, lanes_set_int(base));
  if (__builtin_expect(lanes_within(relative, (unsigned)(NARROW_WINDOW - count)), 1)) {
    narrow_window window = narrow_load(row + base);
    for (int j = 0; j < count; j++) out[j] = narrow_pick(window, lanes_add(relative, lanes_set_int(j)));
  } else if (lanes_within(relative, (unsigned)(WIDE_WINDOW - count))) {
    wide_window window = wide_load(row + base);
    for (int j = 0; j < count; j++) out[j] = wide_pick(window, lanes_add(relative, lanes_set_int(j)));
  } else {
    vint safe = whole ? index : lanes_clamp(index, low - WINDOW_BEFORE, high + WINDOW_AFTER);
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

INLINE vfloat interpolate(const float *row, vint index, int base, vfloat f, int n_samples, const float *sinc, int interpolation,
                          int whole) {
  vfloat y[8];
  if (interpolation == MOHO_INTERPOLATION_LINEAR) {
    pick(row, index, base, 0, n_samples, 2, whole, y);
    return interpolate_linear(y[0], y[1], f);
  }
  if (interpolation == MOHO_INTERPOLATION_CUBIC) {
    pick(row - 1, index, base, 0, n_samples, 4, whole, y);
    return interpolate_cubic(y[0], y[1], y[2], y[3], f);
  }
  pick(row - 3, index, base, 0, n_samples, 8, whole, y);
  return interpolate_sinc8(y, f, sinc);
}

/* The trace under triangles of half-width k > 1: c is the trace integrated twice (interpolate.h, triangle_of). */
INLINE vfloat under_triangle(const float *c, vint index, int base, vfloat f, vfloat k, int n_samples, int k_max, int whole) {
  vint steps = lanes_floor(k);
  vfloat width = MAX(lanes_float(steps), R(1.0)), wider = width + R(1.0);
  vfloat before[3], here[2], after[3];
  vint left = lanes_sub(index, lanes_add(steps, lanes_set_int(1))), right = lanes_add(index, steps);
  int left_first = lanes_first(left), left_last = lanes_last(left), right_first = lanes_first(right),
      right_last = lanes_last(right);
  pick(c, left, left_first < left_last ? left_first : left_last, -k_max, n_samples + k_max, 3, whole, before);
  pick(c, index, base, -k_max, n_samples + k_max, 2, whole, here);
  pick(c, right, right_first < right_last ? right_first : right_last, -k_max, n_samples + k_max, 3, whole, after);
  vfloat inverse = lanes_reciprocal(width * width), inverse_wider = lanes_reciprocal(wider * wider);
  vfloat narrow = interpolate_linear(triangle_of(before[1], here[0], after[0], inverse),
                                     triangle_of(before[2], here[1], after[1], inverse), f);
  vfloat wide = interpolate_linear(triangle_of(before[0], here[0], after[1], inverse_wider),
                                   triangle_of(before[1], here[1], after[2], inverse_wider), f);
  return interpolate_linear(narrow, wide, k - lanes_float(steps));
}

enum { BLOCK = 256 }; /* samples between the two steps: its arrays stay in the first-level cache */

/* What the first step leaves for the second; it may run on past the run's end by less than VECTORS vectors. */
typedef struct loop_block {
  _Alignas(64) int32_t index[BLOCK + VECTORS * LANES];
  _Alignas(64) float fraction[BLOCK + VECTORS * LANES], width[BLOCK + VECTORS * LANES], weight[BLOCK + VECTORS * LANES];
} loop_block;

/* One run's constants and arrays. */
typedef struct run_frame {
  const float *restrict row, *restrict integrated, *restrict t1sq, *restrict s2, *restrict inverse_radius, *restrict sinc;
  float *restrict image;
  int n_samples, k_max;
  float source2, receiver2, distance, shift, spacing, source_x, source_y, receiver_x, receiver_y;
  float taper_inv_fraction, shortest_time;
} run_frame;

INLINE vfloat half_width(const run_frame *run, vfloat s2, vfloat source_squared, vfloat receiver_squared) {
  vfloat source_inverse = RSQRT(source_squared), receiver_inverse = RSQRT(receiver_squared);
  vfloat px = leg_slope_straight(lanes_set(run->source_x), s2, source_inverse) +
              leg_slope_straight(lanes_set(run->receiver_x), s2, receiver_inverse);
  vfloat py = leg_slope_straight(lanes_set(run->source_y), s2, source_inverse) +
              leg_slope_straight(lanes_set(run->receiver_y), s2, receiver_inverse);
  return MIN(triangle_half_width(px, py, lanes_set(run->spacing)), lanes_set((float)run->k_max));
}

/* First step, `count` (VECTORS or 1) vectors from `at`: where they read the trace, how wide, with what weight. */
INLINE void find_times(const run_frame *run, int at, loop_block *block, int slot, int count, int antialias, int power,
                       int tapered) {
  vfloat source_squared[VECTORS], receiver_squared[VECTORS], u[VECTORS];
  for (int k = 0; k < count; k++) {
    vfloat t1sq = lanes_load(run->t1sq + at + k * LANES), s2 = lanes_load(run->s2 + at + k * LANES);
    source_squared[k] = leg_squared_straight(t1sq, lanes_set(run->source2), s2);
    receiver_squared[k] = leg_squared_straight(t1sq, lanes_set(run->receiver2), s2);
  }
  lanes_sum_of_roots(source_squared, receiver_squared, lanes_set(run->shift), u, count);
  for (int k = 0; k < count; k++) {
    vint index = lanes_floor(u[k]);
    lanes_store_int(block->index + slot + k * LANES, index);
    lanes_store(block->fraction + slot + k * LANES, u[k] - lanes_float(index));
  }
  for (int k = 0; antialias == MOHO_ANTIALIAS_TRIANGLE && k < count; k++)
    lanes_store(block->width + slot + k * LANES,
                half_width(run, lanes_load(run->s2 + at + k * LANES), source_squared[k], receiver_squared[k]));
  for (int k = 0; (power || tapered) && k < count; k++) {
    vfloat weight = R(1.0);
    if (power) weight = weight_of_time(MAX(u[k] + lanes_set(run->shift), lanes_set(run->shortest_time)), power);
    if (tapered)
      weight = weight * half_cosine(taper_argument(lanes_set(run->distance), lanes_load(run->inverse_radius + at + k * LANES),
                                                   lanes_set(run->taper_inv_fraction)));
    lanes_store(block->weight + slot + k * LANES, weight);
  }
}

/* Second step, one vector: the weighted trace. */
INLINE vfloat read_trace(const run_frame *run, const loop_block *block, int slot, int interpolation, int antialias, int weighted,
                         int whole) {
  const int base = block->index[slot];
  vint index = lanes_load_int(block->index + slot);
  vfloat f = lanes_load(block->fraction + slot);
  vfloat value = interpolate(run->row, index, base, f, run->n_samples, run->sinc, interpolation, whole);
  if (antialias == MOHO_ANTIALIAS_TRIANGLE) {
    vfloat width = lanes_load(block->width + slot);
    if (lanes_any_above(width, 1.0f))
      value = lanes_select_above(
          width, 1.0f, under_triangle(run->integrated, index, base, f, width, run->n_samples, run->k_max, whole), value);
  }
  if (weighted) value = value * lanes_load(block->weight + slot);
  return value;
}

/* Second step of a vector that is not wholly in the run. Rare: one copy, its options looked at as it runs. */
static __attribute__((noinline)) void add_broken_vector(const run_frame *run, const loop_block *block, int slot, int at,
                                                        int first, int end, int interpolation, int antialias, int weighted) {
  vfloat value = read_trace(run, block, slot, interpolation, antialias, weighted, 0);
  lanes_accumulate_masked(run->image + at, value, lanes_mask(at, first, end));
}

/* Samples [first, end) of a run; interpolation, antialias, power and tapered are constants where this is called. */
INLINE void part_of_run(const run_frame *shared, int first, int end, int interpolation, int antialias, int power, int tapered) {
  loop_block block;
  const run_frame own = *shared, *run = &own; /* a copy that no store can change: it stays in registers */
  const int weighted = power || tapered;
  for (int begin = first - first % LANES; begin < end; begin += BLOCK) {
    int stop = end < begin + BLOCK ? end : begin + BLOCK;
    /* A taper is short: one vector at a time. Else VECTORS, past the end if need be: cheaper than another loop's end. */
    const int count = tapered ? 1 : VECTORS;
    for (int at = begin; at < stop; at += count * LANES)
      find_times(run, at, &block, at - begin, count, antialias, power, tapered);
    int at = begin;
    if (at < first) {
      add_broken_vector(shared, &block, 0, at, first, end, interpolation, antialias, weighted);
      at += LANES;
    }
    for (; at + LANES <= stop; at += LANES)
      lanes_accumulate(run->image + at, read_trace(run, &block, at - begin, interpolation, antialias, weighted, 1));
    if (at < stop) add_broken_vector(shared, &block, at - begin, at, first, end, interpolation, antialias, weighted);
  }
}

/* The taper's end is moved to the next whole vector: beyond it the taper is 1 (to rounding) anyway. */
INLINE void run_samples(const moho_run *run, const run_frame *frame, int interpolation, int antialias, int power) {
  int full = (run->full + LANES - 1) / LANES * LANES;
  if (full > run->end) full = run->end;
  if (run->full > run->first) part_of_run(frame, run->first, full, interpolation, antialias, power, 1);
  else full = run->first;
  if (full < run->end) part_of_run(frame, full, run->end, interpolation, antialias, power, 0);
}

#define RUN_LOOP(name, interpolation, antialias, power)           \
  static void name(const moho_run *run, const run_frame *frame) { \
    run_samples(run, frame, interpolation, antialias, power);     \
  }
#define RUN_LOOPS_OF_POWER(name, interpolation, antialias) \
  RUN_LOOP(name##_0, interpolation, antialias, 0)          \
  RUN_LOOP(name##_1, interpolation, antialias, 1)          \
  RUN_LOOP(name##_2, interpolation, antialias, 2)          \
  RUN_LOOP(name##_3, interpolation, antialias, 3)          \
  RUN_LOOP(name##_4, interpolation, antialias, 4)
RUN_LOOPS_OF_POWER(linear, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(cubic, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(sinc8, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_NONE)
RUN_LOOPS_OF_POWER(linear_triangle, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_TRIANGLE)
RUN_LOOPS_OF_POWER(cubic_triangle, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_TRIANGLE)
RUN_LOOPS_OF_POWER(sinc8_triangle, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_TRIANGLE)

#define LOOPS_OF_POWER(name) \
  { name##_0, name##_1, name##_2, name##_3, name##_4 }
static void (*const loops[3][2][5])(const moho_run *, const run_frame *) = {
    [MOHO_INTERPOLATION_LINEAR] = {LOOPS_OF_POWER(linear), LOOPS_OF_POWER(linear_triangle)},
    [MOHO_INTERPOLATION_CUBIC] = {LOOPS_OF_POWER(cubic), LOOPS_OF_POWER(cubic_triangle)},
    [MOHO_INTERPOLATION_SINC8] = {LOOPS_OF_POWER(sinc8), LOOPS_OF_POWER(sinc8_triangle)}};

INLINE run_frame frame_of_run(const moho_run *run, void *const *buffers, const moho_migrate_parameters *parameters) {
  const float *row = (const float *)buffers[MOHO_BUFFER_ROWS] + (size_t)run->row * (size_t)parameters->row_stride;
  size_t table = (size_t)run->table * (size_t)parameters->table_stride;
  return (run_frame){.row = row + parameters->x0,
                     .integrated = row + parameters->c0,
                     .t1sq = buffers[MOHO_BUFFER_T1SQ],
                     .s2 = (const float *)buffers[MOHO_BUFFER_S2] + table,
                     .inverse_radius = (const float *)buffers[MOHO_BUFFER_INVERSE_RADIUS] + table,
                     .sinc = buffers[MOHO_BUFFER_SINC],
                     .image = (float *)buffers[MOHO_BUFFER_IMAGE] + (size_t)run->column * (size_t)parameters->image_stride,
                     .n_samples = parameters->n_samples,
                     .k_max = parameters->k_max,
                     .source2 = run->source2,
                     .receiver2 = run->receiver2,
                     .distance = run->distance,
                     .shift = run->shift,
                     .spacing = run->spacing,
                     .source_x = run->source_x,
                     .source_y = run->source_y,
                     .receiver_x = run->receiver_x,
                     .receiver_y = run->receiver_y,
                     .taper_inv_fraction = parameters->taper_inv_fraction,
                     .shortest_time = parameters->shortest_time};
}

/* The native function of kernel "migrate". */
void LANES_NAME(moho_migrate)(void *const *buffers, const void *parameters_pointer) {
  const moho_migrate_parameters *parameters = parameters_pointer;
  const moho_run *runs = buffers[MOHO_BUFFER_RUNS];
  void (*loop)(const moho_run *, const run_frame *) =
      loops[parameters->interpolation][parameters->antialias][parameters->weight_power];
  for (int32_t i = 0; i < parameters->n_runs; i++) {
    run_frame frame = frame_of_run(&runs[i], buffers, parameters);
    loop(&runs[i], &frame);
  }
}
