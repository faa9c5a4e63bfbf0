/* demigrate_lanes.h - the adjoint of the migration loop, one source for every instruction set (after migrate_lanes.h).
 *
 *   D(t) += T * t-part * image[column, i],   t = t_s + t_r,   i = first .. end-1
 *
 * The first step is the migration's (lanes_times.h): the same places, fractions, widths and weights to the last bit. The second
 * makes the taps, a vector at a time, and then adds them to the row in pairs of neighbours, a sample at a time: neighbouring
 * image samples add to the same places of the trace, which a vector cannot. So that no sample waits for the one before,
 * sample i adds to copy i % COPIES of the row; the host adds the copies up in their order. Samples go in order, runs in order:
 * the result is the same whatever the threads.
 *
 * The trace integrated twice is summed in double: its transpose integrates the sums twice, which would blow up the rounding
 * of floats to 1e-3 of a trace of 1000 samples. The three values of a triangle, -a, 2a, -a, then cancel exactly.
 */
#include <string.h>

#include "migrate/scatter_copies.h"

enum { COPIES = MOHO_ROW_COPIES, SUM_COPIES = MOHO_SUM_COPIES, MOST_PAIRS = 4 };

/* Taps of a block: pairs of neighbours, [pair][sample][2]; of triangles the four values that are laid out three times. */
typedef struct tap_block {
  _Alignas(64) float pairs[MOST_PAIRS][2 * BLOCK];
  _Alignas(64) float narrow[2][BLOCK], wide[2][BLOCK];
  _Alignas(64) int32_t copy[BLOCK];     /* of a filter bank: the copy before the place between them, and */
  _Alignas(64) float next_share[BLOCK]; /* the share of the one after it */
} tap_block;

/* Where a run's samples go. */
typedef struct scatter_frame {
  float *rows;
  double *sums;
  ptrdiff_t row_stride, sums_stride; /* between copies */
  size_t bank_stride;                /* between the filter bank's copies within one */
} scatter_frame;

/* ---- second step: taps ---- */

/* The interpolation's coefficients come from its formula, put to unit traces. */
INLINE void taps_linear(vfloat value, vfloat f, tap_block *taps, int slot) {
  vfloat after = value * f;
  lanes_store_pairs(taps->pairs[0] + 2 * slot, value - after, after);
}

INLINE void taps_cubic(vfloat value, vfloat f, tap_block *taps, int slot) {
  const vfloat one = R(1.0), none = R(0.0);
  lanes_store_pairs(taps->pairs[0] + 2 * slot, value * interpolate_cubic(one, none, none, none, f),
                    value * interpolate_cubic(none, one, none, none, f));
  lanes_store_pairs(taps->pairs[1] + 2 * slot, value * interpolate_cubic(none, none, one, none, f),
                    value * interpolate_cubic(none, none, none, one, f));
}

INLINE void taps_sinc8(vfloat value, vfloat f, const float *table, tap_block *taps, int slot) {
  vfloat place = f * R(MOHO_SINC_FRACTIONS), h[8];
  vint row = lanes_clamp(lanes_floor(place), 0, MOHO_SINC_FRACTIONS - 1);
  vfloat g = place - lanes_float(row);
  vint at = lanes_shift_left(row, 3);
  for (int j = 0; j < 8; j++) {
    vfloat h0 = lanes_gather(table + j, at), h1 = lanes_gather(table + 8 + j, at);
    h[j] = value * FMA(g, h1 - h0, h0);
  }
  for (int pair = 0; pair < 4; pair++) lanes_store_pairs(taps->pairs[pair] + 2 * slot, h[2 * pair], h[2 * pair + 1]);
}

/* Shares of the triangles of half-width K and K+1, at sample u's floor and at the next. */
INLINE void taps_triangle(vfloat value, vfloat f, vfloat width, tap_block *taps, int slot) {
  vfloat narrow = MAX(lanes_float(lanes_floor(width)), R(1.0)), wide = narrow + R(1.0), blend = width - narrow;
  vfloat to_wide = value * blend * lanes_reciprocal(wide * wide);
  vfloat to_narrow = (value - value * blend) * lanes_reciprocal(narrow * narrow);
  vfloat narrow_after = to_narrow * f, wide_after = to_wide * f;
  lanes_store(taps->narrow[0] + slot, to_narrow - narrow_after), lanes_store(taps->narrow[1] + slot, narrow_after);
  lanes_store(taps->wide[0] + slot, to_wide - wide_after), lanes_store(taps->wide[1] + slot, wide_after);
}

INLINE void taps_bank(const run_frame *run, vfloat width, tap_block *taps, int slot) {
  vfloat place = place_in_bank(run, width);
  vint copy = lanes_floor(place);
  lanes_store_int(taps->copy + slot, copy);
  lanes_store(taps->next_share + slot, place - lanes_float(copy));
}

INLINE void taps_of_block(const run_frame *run, const loop_block *block, int begin, int first, int stop, int interpolation,
                          int antialias, int weighted, tap_block *taps) {
  for (int at = first - first % LANES; at < stop; at += LANES) {
    const int slot = at - begin;
    vfloat value = lanes_load(run->image + at), f = lanes_load(block->fraction + slot);
    if (weighted) value = value * lanes_load(block->weight + slot);
    if (interpolation == MOHO_INTERPOLATION_LINEAR) taps_linear(value, f, taps, slot);
    if (interpolation == MOHO_INTERPOLATION_CUBIC) taps_cubic(value, f, taps, slot);
    if (interpolation == MOHO_INTERPOLATION_SINC8) taps_sinc8(value, f, run->sinc, taps, slot);
    if (antialias == MOHO_ANTIALIAS_TRIANGLE) taps_triangle(value, f, lanes_load(block->width + slot), taps, slot);
    if (antialias == MOHO_ANTIALIAS_FILTER_BANK) taps_bank(run, lanes_load(block->width + slot), taps, slot);
  }
}

/* ---- second step: into the rows ---- */

typedef float two_floats __attribute__((vector_size(8)));
typedef double two_doubles __attribute__((vector_size(16)));

INLINE void add_pair(float *at, const float *pair) {
  two_floats sum, more;
  memcpy(&sum, at, sizeof sum);
  memcpy(&more, pair, sizeof more);
  sum += more;
  memcpy(at, &sum, sizeof sum);
}

INLINE void add_two(double *at, double a, double b) {
  two_doubles sum;
  memcpy(&sum, at, sizeof sum);
  sum += (two_doubles){a, b};
  memcpy(at, &sum, sizeof sum);
}

/* How many pairs an interpolation has; the first begins one less before the sample at the floor of u. */
INLINE int count_pairs(int interpolation) {
  return interpolation == MOHO_INTERPOLATION_LINEAR ? 1 : interpolation == MOHO_INTERPOLATION_CUBIC ? 2 : 4;
}

INLINE void scatter_trace(const scatter_frame *to, const loop_block *block, const tap_block *taps, int slot, int copy,
                          int interpolation) {
  const int pairs = count_pairs(interpolation);
  float *at = to->rows + copy * to->row_stride + block->index[slot] - (pairs - 1);
  for (int pair = 0; pair < pairs; pair++) add_pair(at + 2 * pair, taps->pairs[pair] + 2 * slot);
}

INLINE void scatter_share(float *at, const tap_block *taps, int slot, int pairs, float share) {
  for (int pair = 0; pair < pairs; pair++) {
    const float *from = taps->pairs[pair] + 2 * slot, scaled[2] = {from[0] * share, from[1] * share};
    add_pair(at + 2 * pair, scaled);
  }
}

INLINE void scatter_bank(const scatter_frame *to, const loop_block *block, const tap_block *taps, int slot, int copy,
                         int interpolation) {
  const int pairs = count_pairs(interpolation);
  const float share = taps->next_share[slot];
  float *at = to->rows + copy * to->row_stride + block->index[slot] - (pairs - 1) + (size_t)taps->copy[slot] * to->bank_stride;
  scatter_share(at, taps, slot, pairs, 1.0f - share);
  if (share > 0) scatter_share(at + to->bank_stride, taps, slot, pairs, share);
}

INLINE void scatter_triangle(const scatter_frame *to, const loop_block *block, const tap_block *taps, int slot, int copy) {
  const ptrdiff_t width = (ptrdiff_t)block->width[slot];
  const double narrow = taps->narrow[0][slot], narrow_after = taps->narrow[1][slot], wide = taps->wide[0][slot],
               wide_after = taps->wide[1][slot];
  double *at = to->sums + copy * to->sums_stride + block->index[slot], *before = at - width - 1, *after = at + width;
  add_two(before, -wide, -(narrow + wide_after));
  before[2] -= narrow_after;
  add_two(at, 2 * (narrow + wide), 2 * (narrow_after + wide_after));
  add_two(after, -narrow, -(narrow_after + wide));
  after[2] -= wide_after;
}

INLINE void scatter_sample(const scatter_frame *to, const loop_block *block, const tap_block *taps, int slot, int copy,
                           int interpolation, int antialias) {
  if (antialias == MOHO_ANTIALIAS_TRIANGLE && block->width[slot] > 1.0f)
    scatter_triangle(to, block, taps, slot, copy % SUM_COPIES);
  else if (antialias == MOHO_ANTIALIAS_FILTER_BANK) scatter_bank(to, block, taps, slot, copy, interpolation);
  else scatter_trace(to, block, taps, slot, copy, interpolation);
}

INLINE void scatter_block(const scatter_frame *frame, const loop_block *block, const tap_block *taps, int begin, int first,
                          int stop, int interpolation, int antialias) {
  const scatter_frame own = *frame, *to = &own;
  int at = first;
  for (; at < stop && at % COPIES; at++) scatter_sample(to, block, taps, at - begin, at % COPIES, interpolation, antialias);
  for (; at + COPIES <= stop; at += COPIES)
    for (int copy = 0; copy < COPIES; copy++) scatter_sample(to, block, taps, at - begin + copy, copy, interpolation, antialias);
  for (; at < stop; at++) scatter_sample(to, block, taps, at - begin, at % COPIES, interpolation, antialias);
}

/* Samples [first, stop) of a block. */
typedef void scatter_step(const run_frame *run, const scatter_frame *to, const loop_block *block, int begin, int first, int stop,
                          int weighted);

#define SCATTER_STEP(name, interpolation, antialias)                                                                       \
  static void name(const run_frame *run, const scatter_frame *to, const loop_block *block, int begin, int first, int stop, \
                   int weighted) {                                                                                         \
    tap_block taps;                                                                                                        \
    if (weighted) taps_of_block(run, block, begin, first, stop, interpolation, antialias, 1, &taps);                       \
    else taps_of_block(run, block, begin, first, stop, interpolation, antialias, 0, &taps);                                \
    scatter_block(to, block, &taps, begin, first, stop, interpolation, antialias);                                         \
  }
SCATTER_STEP(scatter_linear, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_NONE)
SCATTER_STEP(scatter_cubic, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_NONE)
SCATTER_STEP(scatter_sinc8, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_NONE)
SCATTER_STEP(scatter_linear_triangle, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_TRIANGLE)
SCATTER_STEP(scatter_cubic_triangle, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_TRIANGLE)
SCATTER_STEP(scatter_sinc8_triangle, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_TRIANGLE)
SCATTER_STEP(scatter_linear_bank, MOHO_INTERPOLATION_LINEAR, MOHO_ANTIALIAS_FILTER_BANK)
SCATTER_STEP(scatter_cubic_bank, MOHO_INTERPOLATION_CUBIC, MOHO_ANTIALIAS_FILTER_BANK)
SCATTER_STEP(scatter_sinc8_bank, MOHO_INTERPOLATION_SINC8, MOHO_ANTIALIAS_FILTER_BANK)

static scatter_step *const scatter_steps[3][3] = {
    [MOHO_INTERPOLATION_LINEAR] = {scatter_linear, scatter_linear_triangle, scatter_linear_bank},
    [MOHO_INTERPOLATION_CUBIC] = {scatter_cubic, scatter_cubic_triangle, scatter_cubic_bank},
    [MOHO_INTERPOLATION_SINC8] = {scatter_sinc8, scatter_sinc8_triangle, scatter_sinc8_bank}};

/* ---- runs ---- */

/* The steps of all runs of a launch. */
typedef struct adjoint_steps {
  times_step *times;
  scatter_step *scatter;
} adjoint_steps;

/* Samples [first, end), in the blocks of part_of_run(). */
static void scatter_part(const run_frame *run, const scatter_frame *to, const adjoint_steps *steps, int first, int end,
                         int tapered) {
  loop_block block;
  for (int begin = first - first % LANES; begin < end; begin += BLOCK) {
    int stop = end < begin + BLOCK ? end : begin + BLOCK;
    steps->times(run, begin, begin, stop, tapered, &block);
    steps->scatter(run, to, &block, begin, begin < first ? first : begin, stop, run->t_part || tapered);
  }
}

/* The taper ends where add_run() ends it. */
static void scatter_run(const moho_run *run, const run_frame *frame, const scatter_frame *to, const adjoint_steps *steps) {
  int full = (run->full + LANES - 1) / LANES * LANES;
  if (full > run->end) full = run->end;
  if (run->full > run->first) scatter_part(frame, to, steps, run->first, full, 1);
  else full = run->first;
  if (full < run->end) scatter_part(frame, to, steps, full, run->end, 0);
}

/* The native function of kernel "demigrate". */
void LANES_NAME(moho_demigrate)(void *const *buffers, const void *parameters_pointer) {
  const moho_migrate_parameters *parameters = parameters_pointer;
  const moho_run *runs = buffers[MOHO_BUFFER_RUNS];
  const adjoint_steps steps = {.times = times_of(parameters),
                               .scatter = scatter_steps[parameters->interpolation][parameters->antialias]};
  run_frame frame = frame_of_launch(buffers, parameters);
  for (int32_t i = 0; i < parameters->n_runs; i++) {
    frame_to_run(&frame, &runs[i], buffers, parameters);
    float *row = (float *)buffers[MOHO_BUFFER_ROWS] + (size_t)runs[i].row * (size_t)parameters->row_stride;
    scatter_frame to = {.rows = row + parameters->x0,
                        .sums = (double *)(void *)(row + parameters->sums0),
                        .row_stride = parameters->lane_stride,
                        .sums_stride = parameters->sums_stride,
                        .bank_stride = (size_t)parameters->bank_stride};
    scatter_run(&runs[i], &frame, &to, &steps);
  }
}
