/* migrate_lanes.h - the migration loop, one source for every instruction set (lanes_*.h, included before this file).
 *
 * A run passes in blocks of two steps: times first (lanes_times.h), then picks (lanes_read.h). One long chain from roots to
 * picks would fill the processor's scheduler with waiting operations (measured with data in cache, G contributions/s: 1.8 in one
 * step, 2.5 in two; AVX2 0.75 and 1.1). Each step is a function of its own with its options as compile-time constants, chosen
 * once a launch, so laws, weights, interpolations and antialias filters do not multiply. Vectors begin at multiples of LANES of
 * the image's time axis, so the bits do not depend on tiles.
 */
#define SQRT(x) lanes_sqrt(x)
#define RSQRT(x) lanes_rsqrt(x)
#define RECIPROCAL(x) lanes_reciprocal(x)

#include "kernels/interpolate.h"
#include "kernels/physics.h"
#include "migrate/migrate_kernel.h"
#include "migrate/sinc_table.h"
#include "moho/migration.h"
#include "migrate/simd/lanes_read.h"
#include "migrate/simd/lanes_times.h"

/* The steps of all runs of a launch. */
typedef struct loop_steps {
  times_step *times;
  read_step *const (*read)[2]; /* [1: weighted][1: to values] */
} loop_steps;

/* ---- a run ---- */

static void piece_of_run(const run_frame *run, const loop_steps *steps, int first, int end, int tapered) {
  loop_block block;
  read_step *read = steps->read[run->t_part || tapered][0];
  for (int begin = first - first % LANES; begin < end; begin += BLOCK) {
    int stop = end < begin + BLOCK ? end : begin + BLOCK;
    steps->times(run, begin, begin, stop, tapered, &block);
    read(run, &block, begin, stop, first, end);
  }
}

/* The taper's end is moved to the next whole vector: beyond it the taper is 1 (to rounding) anyway. */
INLINE int end_of_taper(int first, int full, int end) {
  int whole = (full + LANES - 1) / LANES * LANES;
  return full <= first ? first : whole < end ? whole : end;
}

static void add_run(const moho_run *run, const run_frame *frame, const loop_steps *steps) {
  int full = end_of_taper(run->first, run->full, run->end);
  if (run->first < full) piece_of_run(frame, steps, run->first, full, 1);
  if (full < run->end) piece_of_run(frame, steps, full, run->end, 0);
}

/* ---- a run of several parts ---- */

/* Where the parts of a run go: they share both steps, and a vector is added to the row of the part that it lies in. Vectors that
 * more than one part shares wait in the block and then are dealt out lane by lane. */
typedef struct part_rows {
  const moho_run_part *part; /* the one that is next */
  float *image;              /* row 0 */
  size_t stride;
} part_rows;

INLINE void let_wait(loop_block *block, int slot) {
  block->part[slot / LANES] = 0;
  lanes_store(block->value + slot, R(0.0));
}

/* The rows of samples [first, stop) of a block. Of a part many vectors are noted at once, past its end if need be, for loops of
 * unforeseeable lengths are what costs here; the next part notes its own after. */
INLINE void note_rows(const part_rows *rows, loop_block *block, int begin, int first, int stop) {
  const moho_run_part *part = rows->part;
  block->row[0] = block->value;
  for (uint16_t number = 1;; number++, part++) {
    int from = first - begin, v = (from + LANES - 1) / LANES;
    block->row[number] = rows->image + (size_t)part->column * rows->stride + begin;
    let_wait(block, from - from % LANES);
    first = part->end < stop ? part->end : stop;
    do {
      for (int k = 0; k < PARTS_AT_ONCE; k++) block->part[v + k] = number;
      v += PARTS_AT_ONCE;
    } while (v * LANES < first - begin);
    if (first == stop) break;
  }
  let_wait(block, (stop - begin) / LANES * LANES);
}

/* What waits in the vector at `at` of samples [first, end) to a row; nothing where another edge, that comes next, lies in it too.
 */
INLINE void deal_vector(const loop_block *block, int begin, float *row, int at, int first, int end) {
  lanes_accumulate_masked(row + at, lanes_load(block->value + (at - begin)), lanes_mask(at, first, end));
}

/* What waits of samples [first, stop) to its rows, edge by edge between parts: before it from the edge before, or from where the
 * vector begins; after it to where the vector ends, unless the next edge comes before. */
INLINE void deal_out(part_rows *rows, const loop_block *block, int begin, int first, int stop) {
  const moho_run_part *part = rows->part;
  float *row = rows->image + (size_t)part->column * rows->stride;
  int from = first, end = part->end < stop ? part->end : stop, at = first - first % LANES;
  if (at < first) deal_vector(block, begin, row, at, first, end - end % LANES == at ? first : at + LANES);
  while (end < stop) {
    const int edge = end;
    float *const row_before = row;
    part++;
    row = rows->image + (size_t)part->column * rows->stride;
    end = part->end < stop ? part->end : stop;
    at = edge - edge % LANES;
    if (at < edge) {
      deal_vector(block, begin, row_before, at, from, edge);
      deal_vector(block, begin, row, at, edge, end - end % LANES == at ? edge : at + LANES);
    }
    from = edge;
  }
  at = stop - stop % LANES;
  if (at < stop) deal_vector(block, begin, row, at, from, stop);
  rows->part = part + (part->end <= stop);
}

static void add_run_of_parts(const moho_run *run, const run_frame *frame, const loop_steps *steps, part_rows *rows) {
  loop_block block;
  const int full = end_of_taper(run->first, run->full, run->end);
  for (int begin = run->first - run->first % LANES; begin < run->end; begin += BLOCK) {
    const int first = begin < run->first ? run->first : begin, stop = run->end < begin + BLOCK ? run->end : begin + BLOCK;
    const int middle = full < first ? first : full < stop ? full : stop;
    note_rows(rows, &block, begin, first, stop);
    if (first < middle) {
      steps->times(frame, begin, begin, middle, 1, &block);
      steps->read[1][1](frame, &block, begin, middle, first, middle);
    }
    if (middle < stop) {
      steps->times(frame, begin, middle - middle % LANES, stop, 0, &block);
      steps->read[frame->t_part != 0][1](frame, &block, begin, stop, middle, stop);
    }
    deal_out(rows, &block, begin, first, stop);
  }
}

/* ---- runs ---- */

/* Columns of a table that lie `stride` floats apart. */
INLINE const float *table_of_run(void *const *buffers, int buffer, const moho_run *run, int32_t stride) {
  const float *table = buffers[buffer];
  return table ? table + (size_t)run->table * (size_t)stride : NULL;
}

INLINE run_leg leg_of_run(const moho_run *run, void *const *buffers, const moho_migrate_parameters *parameters, float d2, float x,
                          float y, unsigned node) {
  run_leg leg = {.d2 = d2, .x = x, .y = y};
  const float *nodes = buffers[MOHO_BUFFER_LEG_NODES];
  if (!nodes) return leg;
  size_t column = (size_t)parameters->node_stride * (size_t)parameters->nodes;
  leg.low = (const float *)buffers[MOHO_BUFFER_LEG_ROWS] + (size_t)parameters->node_stride * node;
  if (parameters->table_stride) leg.low += (size_t)run->table * column;
  leg.high = leg.low + parameters->node_stride;
  leg.node_inverse = 1.0f / (nodes[node + 1] - nodes[node]);
  leg.node_fraction = (d2 - nodes[node]) * leg.node_inverse;
  return leg;
}

/* What all runs of a launch share. */
INLINE run_frame frame_of_launch(void *const *buffers, const moho_migrate_parameters *parameters) {
  return (run_frame){.sinc = buffers[MOHO_BUFFER_SINC],
                     .n_samples = parameters->n_samples,
                     .k_max = parameters->k_max,
                     .t_part = parameters->t_part,
                     .bank_stride = (size_t)parameters->bank_stride,
                     .bank_last = parameters->bank_last,
                     .bank_inverse_narrowest = parameters->bank_inverse_narrowest,
                     .bank_per_octave = parameters->bank_per_octave,
                     .c2 = parameters->c2,
                     .taper_inv_fraction = parameters->taper_inv_fraction,
                     .shortest_time = parameters->shortest_time,
                     .longest_inverse = 1.0f / parameters->shortest_time};
}

/* What is the run's own. */
INLINE void frame_to_run(run_frame *frame, const moho_run *run, void *const *buffers, const moho_migrate_parameters *parameters) {
  const float *row = (const float *)buffers[MOHO_BUFFER_ROWS] + (size_t)run->row * (size_t)parameters->row_stride;
  frame->row = row + parameters->x0;
  frame->integrated = row + parameters->c0;
  frame->base = table_of_run(buffers, MOHO_BUFFER_BASE, run, parameters->table_stride);
  frame->s2 = table_of_run(buffers, MOHO_BUFFER_S2, run, parameters->table_stride);
  frame->a = table_of_run(buffers, MOHO_BUFFER_A, run, parameters->table_stride);
  frame->b = table_of_run(buffers, MOHO_BUFFER_B, run, parameters->table_stride);
  frame->inverse_radius = table_of_run(buffers, MOHO_BUFFER_INVERSE_RADIUS, run, parameters->table_stride);
  frame->image = (float *)buffers[MOHO_BUFFER_IMAGE] + (size_t)run->column * (size_t)parameters->image_stride;
  frame->source = leg_of_run(run, buffers, parameters, run->source2, run->source_x, run->source_y, run->source_node);
  frame->receiver = leg_of_run(run, buffers, parameters, run->receiver2, run->receiver_x, run->receiver_y, run->receiver_node);
  frame->distance = run->distance;
  frame->shift = run->shift;
  frame->spacing = run->spacing;
}

/* The first step of a launch's runs. */
static times_step *times_of(const moho_migrate_parameters *parameters) {
  return times_steps[parameters->traveltime][parameters->antialias != MOHO_ANTIALIAS_NONE];
}

/* The native function of kernel "migrate". */
void LANES_NAME(moho_migrate)(void *const *buffers, const void *parameters_pointer) {
  const moho_migrate_parameters *parameters = parameters_pointer;
  const moho_run *runs = buffers[MOHO_BUFFER_RUNS];
  const moho_run_part *parts = buffers[MOHO_BUFFER_PARTS];
  const int32_t *first_part = buffers[MOHO_BUFFER_FIRST_PART];
  part_rows rows = {.image = buffers[MOHO_BUFFER_IMAGE], .stride = (size_t)parameters->image_stride};
  const loop_steps steps = {.times = times_of(parameters), .read = read_steps[parameters->interpolation][parameters->antialias]};
  run_frame frame = frame_of_launch(buffers, parameters);
  for (int32_t i = 0; i < parameters->n_runs; i++) {
    frame_to_run(&frame, &runs[i], buffers, parameters);
    if (parts) {
      rows.part = parts + first_part[i];
      add_run_of_parts(&runs[i], &frame, &steps, &rows);
    } else {
      add_run(&runs[i], &frame, &steps);
    }
  }
}
