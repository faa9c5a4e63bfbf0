/* migrate_tile_shape.h - the shape of a tile of v2 and v3: constants, what group memory holds, what a lane holds.
 *
 * Group memory: TILE_WORDS words of 4 bytes.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_SHAPE_H
#define MOHO_KERNELS_MIGRATE_TILE_SHAPE_H

#if defined(ANTIALIAS) && !defined(TOGETHER) /* a constant of the text */
#if ANTIALIAS
#define TOGETHER 2 /* five picks each */
#endif
#endif
#include "migrate_sample.h"

#ifndef COLUMNS
#define COLUMNS 8 /* SIMD groups: columns of a tile */
#endif
#ifndef CHUNKS
#define CHUNKS 4 /* samples a lane */
#endif
#ifndef NO_SHIFT
#define NO_SHIFT 0 /* 1: all traces begin at time 0 */
#endif
#ifndef TOGETHER
#define TOGETHER 4 /* items at once where all cover their range: 1, 2, 4 or 8 */
#endif
#ifdef POLYNOMIAL
#define IS_POLYNOMIAL 1
#else
#define IS_POLYNOMIAL 0
#endif
/* Where a range's bounds and nodes lie: where the column's own SIMD group puts them, or made by a launch before
 * (demigrate_tile.h). */
#ifdef BOUNDS_GIVEN
#define BOUND_SPACE GLOBAL
#else
#define BOUND_SPACE LOCAL
#endif
#define RANGE (32 * CHUNKS)
#define TILE_LANES (32 * COLUMNS)

/* ---- group memory, in words ---- */
#define STAGED_WORDS 12
#define ITEM_WORDS 12
#define BOUND_WORDS 20
#define NODES 4
#define INDEX_AT (STAGED_WORDS * TILE_LANES)
#define COUNT_AT (INDEX_AT + TILE_LANES)
#define USED_AT (COUNT_AT + 32)
#define BOUND_AT (USED_AT + COLUMNS * COLUMNS)
#define NODE_WORDS 4 /* leg terms */
#define NODE_AT (BOUND_AT + COLUMNS * BOUND_WORDS)
#define ITEM_AT ((NODE_AT + COLUMNS * NODE_WORDS * NODES + 3) / 4 * 4) /* items are read four words at once */
/* Places of a SIMD group's list. From 0 on: items that cover the range and are evaluated as most are (v3: by the polynomial);
 * fewer than TOGETHER are left over and wait there for the next step. Then others that cover the range (v3: the exact ones),
 * filled up to a whole number of TOGETHER with copies of no weight. The rest from the list's end backwards. */
#define LIST_ITEMS (32 + 2 * TOGETHER)
#define ACROSS_AT (ITEM_AT + COLUMNS * LIST_ITEMS * ITEM_WORDS) /* by opening angle: a word a place of the lists */
#define TILE_WORDS (ACROSS_AT + (HAS_ANGLES ? COLUMNS * LIST_ITEMS : 0))

/* A staged trace: 8 coordinates (split), then */
#define STAGED_SHIFT 8
#define STAGED_SPACING 9
#define STAGED_SCALE 10
#define STAGED_BASE 11

/* An item. Exact: source2, receiver2, shift | polynomials: of u 0, 1, 2, 5, of the antialias' half-width 7 - 10; then */
#define ITEM_BASE 3 /* uint: first value of the trace's row, and two bits */
#define ITEM_WEIGHT 4
#define ITEM_DISTANCE 5        /* of the midpoint | tested: its square */
#define ITEM_INTERVAL 6        /* uint: first | end << 16 in the range | tested: half_offset2 | polynomial: shift */
#define ITEM_FLAGS 7           /* uint: two bits a chunk, ITEM_TESTED, staged place << 16 */
#define ITEM_PROJECTIONS 8     /* for the antialias, times spacing: along from source, receiver; across from source, receiver */
#define ITEM_ACROSS ITEM_WORDS /* by opening angle: product of the legs' vectors; it is kept apart from the list */
#define ITEM_MADE_WORDS (ITEM_WORDS + 1)
#define ITEM_TESTED 0x8000u         /* sample by sample */
#define BASE_WHOLE 0x80000000u      /* covers the range with one weight */
#define BASE_POLYNOMIAL 0x40000000u /* by the polynomial */
#define BASE_MASK 0x3fffffffu

/* What a trace does to a chunk. */
#define CHUNK_NONE 0u
#define CHUNK_PLAIN 1u
#define CHUNK_TAPERED 2u
#define CHUNK_FULL 3u /* all its samples, with one weight */

/* Bounds over a chunk, or the whole range. */
#define BOUND_T1SQ_FIRST 0
#define BOUND_T1SQ_LAST 1
#define BOUND_S2_LEAST 2
#define BOUND_S2_MOST 3
#define BOUND_RADIUS2_FIRST 4 /* the radius does not fall along a column */
#define BOUND_RADIUS2_LAST 5
#define BOUND_MUTE_FIRST 6
#define BOUND_MUTE_LAST 7
#define BOUND_INVERSE_FIRST 8
#define BOUND_LEG2 9         /* of the range: legs of a smaller squared length grow with t0 */
#define BOUND_FIRST_TERMS 10 /* other laws than straight: leg terms of the first sample */
#define BOUND_LAST_TERMS 14

/* A range as legs want it: the column's slowness from its first sample on, n samples. */
typedef struct range_view {
  const GLOBAL migrate_slowness *slowness;
  const GLOBAL migrate_sample *axis; /* from sample 0 of the image on */
  const GLOBAL uint *mask;           /* with a mask: a word a chunk */
  uint n;
} range_view;

/* What a lane holds of its column. */
typedef struct tile_lane {
  leg_terms terms[CHUNKS];
  const GLOBAL migrate_node *nodes;
  float sum[CHUNKS];
  int count[CHUNKS];
  float x;     /* of the polynomial, in the first chunk */
  int is_real; /* not padding, and the mask leaves something of the range */
  /* By opening angle: the sums are those of one bin, whose samples have so many edges' cosines at or above their own. */
  float v_dt[CHUNKS], lower[CHUNKS], upper[CHUNKS];
  uint edges[CHUNKS];
} tile_lane;

/* What only gathers by opening angle need. */
typedef struct tile_bins {
  const GLOBAL migrate_split *limits;
  const GLOBAL migrate_split *v_dt; /* the column's, from sample 0 on */
  GLOBAL float *image;              /* the column's of bin 0, from sample 0 on */
  GLOBAL int *fold;
} tile_bins;

DEVICE_FUNCTION uint sample_of(uint begin, uint chunk, PARAMETERS *p HERE_PARAMETER) {
  uint i = begin + 32u * chunk + SIMD_LANE;
  return MIN(i, p->n_time - 1u);
}

/* Bit i: sample i of chunk c is in the interval. */
DEVICE_FUNCTION uint chunk_mask(uint interval, uint c) {
  int first = (int)(interval & 0xffffu) - 32 * (int)c, end = (int)(interval >> 16) - 32 * (int)c;
  first = MIN(MAX(first, 0), 32), end = MIN(MAX(end, 0), 32);
  uint below_end = end == 32 ? 0xffffffffu : (1u << (uint)end) - 1u, below = first == 32 ? 0xffffffffu : (1u << (uint)first) - 1u;
  return below_end & ~below;
}

/* 1 where the mask leaves something of every chunk. */
DEVICE_FUNCTION int has_every_chunk(const PRIVATE range_view *range) {
  int every = 1;
  for (uint c = 0u; c < (uint)CHUNKS && 32u * c < range->n; c++) every = every && range->mask[c] != 0u;
  return every;
}

DEVICE_FUNCTION void view_staged(PRIVATE trace_view *view, const LOCAL float *staged, const GLOBAL migrate_column *column) {
  view->source_x = difference(column->x, column->x_low, staged[0], staged[1]);
  view->source_y = difference(column->y, column->y_low, staged[2], staged[3]);
  view->receiver_x = difference(column->x, column->x_low, staged[4], staged[5]);
  view->receiver_y = difference(column->y, column->y_low, staged[6], staged[7]);
  view->shift = staged[STAGED_SHIFT];
  view_fill(view);
}

/* ---- small reductions ---- */

DEVICE_FUNCTION float simd_least(float x HERE_PARAMETER) {
  for (uint mask = 16u; mask > 0u; mask >>= 1) {
    float other = SIMD_SHUFFLE_XOR(x, mask);
    x = MIN(x, other);
  }
  return x;
}

DEVICE_FUNCTION float simd_most(float x HERE_PARAMETER) {
  for (uint mask = 16u; mask > 0u; mask >>= 1) {
    float other = SIMD_SHUFFLE_XOR(x, mask);
    x = MAX(x, other);
  }
  return x;
}

#endif
