/* lanes_read.h - step two of the loops: values of a prepared trace at the places that step one found.
 *
 * Along t0 a run reads neighbouring trace samples: dt/dt0 <= 1 for ordinary velocities, so the values that a vector of
 * image samples needs lie in a window of two registers and are picked by permutes; a wider span (coarser image steps,
 * refined traces, velocity that changes fast) takes four registers, and only then gathers. Whichever way, the same
 * values are read and the same arithmetic done.
 */
#ifndef MOHO_LANES_READ_H
#define MOHO_LANES_READ_H

#include "migrate/simd/lanes_times.h"

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

/* Where among the copies of a filter bank a half-width lies. */
INLINE vfloat place_in_bank(const run_frame *run, vfloat width) {
  vfloat ratio = MAX(width * lanes_set(run->bank_inverse_narrowest), R(1.0));
  return filter_bank_place(octaves(lanes_exponent(ratio), lanes_mantissa(ratio)), lanes_set(run->bank_per_octave),
                           lanes_set((float)run->bank_last));
}

/* The copies of a filter bank on either side of each lane's half-width, blended: copy by copy, a lane with its share of it.
 * Neighbouring lanes nearly always lie between the same two. */
INLINE vfloat from_bank(const run_frame *run, vint index, int base, vfloat f, vfloat width, int interpolation, int whole) {
  vfloat place = place_in_bank(run, width);
  if (!lanes_any_above(place, 0.0f))
    return interpolate(run->row, index, base, f, run->n_samples, run->sinc, interpolation, whole);
  vint copy = lanes_floor(place);
  int one = lanes_first(copy), other = lanes_last(copy), low = one < other ? one : other, high = one < other ? other : one;
  if (!lanes_within(lanes_sub(copy, lanes_set_int(low)), (unsigned)(high - low))) low = 0, high = run->bank_last;
  vfloat value = R(0.0);
  for (int j = low; j <= high + 1 && j <= run->bank_last; j++) {
    vfloat share = MAX(R(1.0) - ABS(place - lanes_set((float)j)), R(0.0));
    const float *row = run->row + (size_t)j * run->bank_stride;
    value = FMA(share, interpolate(row, index, base, f, run->n_samples, run->sinc, interpolation, whole), value);
  }
  return value;
}

/* One vector: the weighted trace. */
INLINE vfloat read_trace(const run_frame *run, const loop_block *block, int slot, int interpolation, int antialias, int weighted,
                         int whole) {
  const int base = block->index[slot];
  vint index = lanes_load_int(block->index + slot);
  vfloat f = lanes_load(block->fraction + slot), value;
  if (antialias == MOHO_ANTIALIAS_FILTER_BANK) {
    value = from_bank(run, index, base, f, lanes_load(block->width + slot), interpolation, whole);
  } else {
    value = interpolate(run->row, index, base, f, run->n_samples, run->sinc, interpolation, whole);
  }
  if (antialias == MOHO_ANTIALIAS_TRIANGLE) {
    vfloat width = lanes_load(block->width + slot);
    if (lanes_any_above(width, 1.0f))
      value = lanes_select_above(
          width, 1.0f, under_triangle(run->integrated, index, base, f, width, run->n_samples, run->k_max, whole), value);
  }
  if (weighted) value = value * lanes_load(block->weight + slot);
  return value;
}

/* Samples [first, end) before `stop` of the block that begins at `begin` into the image, or to the block's rows. */
typedef void read_step(const run_frame *run, loop_block *block, int begin, int stop, int first, int end);
/* Of them a vector that is not wholly in the run. */
typedef void read_broken(const run_frame *run, loop_block *block, int slot, int at, int first, int end);

INLINE void read_block(const run_frame *shared, loop_block *block, int begin, int stop, int first, int end, int interpolation,
                       int antialias, int weighted, int to_rows, read_broken *broken) {
  const run_frame own = *shared, *run = &own; /* a copy that no store can change: it stays in registers */
  int at = begin > first ? begin : first - first % LANES;
  if (at < first) {
    broken(shared, block, at - begin, at, first, end);
    at += LANES;
  }
  for (; at + LANES <= stop; at += LANES) {
    vfloat value = read_trace(run, block, at - begin, interpolation, antialias, weighted, 1);
    lanes_accumulate(to_rows ? block->row[block->part[(at - begin) / LANES]] + (at - begin) : run->image + at, value);
  }
  if (at < stop) broken(shared, block, at - begin, at, first, end);
}
#define READ_STEP(name, interpolation, antialias, weighted, to_rows)                                                        \
  static __attribute__((noinline)) void name##_broken(const run_frame *run, loop_block *block, int slot, int at, int first, \
                                                      int end) {                                                            \
    vfloat value = read_trace(run, block, slot, interpolation, antialias, weighted, 0);                                     \
    if (to_rows) lanes_store(block->value + slot, value);                                                                   \
    else lanes_accumulate_masked(run->image + at, value, lanes_mask(at, first, end));                                       \
  }                                                                                                                         \
  static void name(const run_frame *run, loop_block *block, int begin, int stop, int first, int end) {                      \
    read_block(run, block, begin, stop, first, end, interpolation, antialias, weighted, to_rows, name##_broken);            \
  }
#define READ_STEPS(name, interpolation, antialias)             \
  READ_STEP(name##_plain, interpolation, antialias, 0, 0)      \
  READ_STEP(name##_weighted, interpolation, antialias, 1, 0)   \
  READ_STEP(name##_plain_rows, interpolation, antialias, 0, 1) \
  READ_STEP(name##_weighted_rows, interpolation, antialias, 1, 1)
READ_STEPS(linear, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_NONE)
READ_STEPS(cubic, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_NONE)
READ_STEPS(sinc8, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_NONE)
READ_STEPS(linear_triangle, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_TRIANGLE)
READ_STEPS(cubic_triangle, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_TRIANGLE)
READ_STEPS(sinc8_triangle, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_TRIANGLE)
READ_STEPS(linear_bank, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_FILTER_BANK)
READ_STEPS(cubic_bank, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_FILTER_BANK)
READ_STEPS(sinc8_bank, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_FILTER_BANK)

/* [interpolation][antialias][1: weighted][1: to the block's rows] */
#define READ_FOUR(name)                     \
  {                                         \
    {name##_plain, name##_plain_rows}, {    \
      name##_weighted, name##_weighted_rows \
    }                                       \
  }
static read_step *const read_steps[3][3][2][2] = {
    [MOHO_INTERPOLATION_LINEAR] = {READ_FOUR(linear), READ_FOUR(linear_triangle), READ_FOUR(linear_bank)},
    [MOHO_INTERPOLATION_CUBIC] = {READ_FOUR(cubic), READ_FOUR(cubic_triangle), READ_FOUR(cubic_bank)},
    [MOHO_INTERPOLATION_SINC8] = {READ_FOUR(sinc8), READ_FOUR(sinc8_triangle), READ_FOUR(sinc8_bank)}};

#endif
