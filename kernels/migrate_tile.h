/* migrate_tile.h - one work item of v2 and v3: a tile of neighbouring columns and a range of their samples, all traces.
 *
 * A SIMD group owns one column; its lanes lie along time, every lane holds CHUNKS samples 32 apart in registers. Traces pass
 * in blocks: each lane stages one trace if it can reach the tile (geometry in group memory, in ascending order), then each
 * SIMD group looks at 32 staged traces at once, one a lane: from bounds over the range a lane decides whether its trace
 * touches none, all or some of the column's samples, and writes an item (48 bytes) to a list, again in order. The loop over
 * the list has no tests where a trace covers the whole range with one weight; else chunk by chunk: untested, with the taper
 * of each sample, or tested sample by sample near an edge (migrate_sample.h). A sum starts at the image's value and takes
 * traces in ascending number, so the bits do not depend on batches or the order of work.
 *
 * With POLYNOMIAL (v3) the sum of the two leg times over a range of 128 samples is interpolated: six exact evaluations by one
 * lane make a polynomial of degree 5 in t0 for all samples. Error of a leg that lasts p->leg_bound or more: below 0.0012
 * samples for smooth velocity (docs/kernels.md); the group tries its own column's velocity on probing distances first, and
 * where that or the bound fails evaluates exactly. Any law that gives a leg time costs the same in the loop.
 *
 * Group memory: TILE_WORDS words of 4 bytes.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_H
#define MOHO_KERNELS_MIGRATE_TILE_H

#include "migrate_sample.h"

#ifndef COLUMNS
#define COLUMNS 8 /* SIMD groups: columns of a tile */
#endif
#ifndef CHUNKS
#define CHUNKS 4 /* samples a lane */
#endif
#define RANGE (32 * CHUNKS)
#define TILE_LANES (32 * COLUMNS)

/* ---- group memory, in words ---- */
#define STAGED_WORDS 12
#define ITEM_WORDS 12
#define BOUND_WORDS 12
#define NODES 6
#define INDEX_AT (STAGED_WORDS * TILE_LANES)
#define COUNT_AT (INDEX_AT + TILE_LANES)
#define USED_AT (COUNT_AT + 32)
#define BOUND_AT (USED_AT + COLUMNS * COLUMNS)
#define NODE_AT (BOUND_AT + COLUMNS * (CHUNKS + 1) * BOUND_WORDS)
#define ITEM_AT (NODE_AT + COLUMNS * 2 * NODES)
#define TILE_WORDS (ITEM_AT + COLUMNS * 32 * ITEM_WORDS)

/* A staged trace: 8 coordinates (split), then */
#define STAGED_SHIFT 8
#define STAGED_SPACING 9
#define STAGED_SCALE 10
#define STAGED_BASE 11

/* An item. Exact: source2, receiver2, shift | polynomial: c0, c1, c2; then */
#define ITEM_BASE 3   /* uint: first value of the trace's row, and two bits */
#define ITEM_WEIGHT 4 /* 5-8 exact: projections for the antialias | polynomial: c3, c4, c5, shift */
#define ITEM_FLAGS 9  /* uint: two bits a chunk, staged place << 16 */
#define ITEM_MIDPOINT2 10
#define ITEM_HALF_OFFSET2 11
#define BASE_WHOLE 0x80000000u      /* covers the range with one weight */
#define BASE_POLYNOMIAL 0x40000000u /* by the polynomial */
#define BASE_MASK 0x3fffffffu

/* What a trace does to a chunk. */
#define CHUNK_NONE 0u
#define CHUNK_INSIDE 1u
#define CHUNK_TAPERED 2u
#define CHUNK_TESTED 3u

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

/* ---- bounds ---- */

/* A trace against bounds: CHUNK_NONE, _INSIDE, _TAPERED or _TESTED. *shortest: a lower bound of its shorter leg. */
DEVICE_FUNCTION uint classify(const PRIVATE trace_view *view, float distance, const LOCAL float *bound, PRIVATE float *shortest,
                              PARAMETERS *p) {
  float first = bound[BOUND_T1SQ_FIRST], last = bound[BOUND_T1SQ_LAST], least = bound[BOUND_S2_LEAST], most = bound[BOUND_S2_MOST];
  float radius2 = bound[BOUND_RADIUS2_FIRST], largest2 = bound[BOUND_RADIUS2_LAST];
  float source = FAST_SQRT(FMA(view->source2, least, first)), receiver = FAST_SQRT(FMA(view->receiver2, least, first));
  float earliest = source + receiver - view->shift;
  float slowest = FAST_SQRT(FMA(view->source2, most, last)) + FAST_SQRT(FMA(view->receiver2, most, last));
  float latest = slowest - view->shift, doubt = FMA(TIME_DOUBT, slowest, FMA(2e-7f, ABS(view->shift), 1e-6f));
  *shortest = MIN(source, receiver);
  int none = view->midpoint2 > FMA(largest2, DISTANCE2_DOUBT, largest2) || earliest > p->high + doubt || latest < p->low - doubt;
  int all = view->midpoint2 < FMA(radius2, -DISTANCE2_DOUBT, radius2) && latest < p->high - doubt && earliest > p->low + doubt;
  if (HAS_MUTE) {
    float mute = bound[BOUND_MUTE_FIRST], mute_last = bound[BOUND_MUTE_LAST];
    none = none || view->half_offset2 * least > FMA(mute_last, DISTANCE2_DOUBT, mute_last);
    all = all && view->half_offset2 * most < FMA(mute, -DISTANCE2_DOUBT, mute);
  }
  if (none) return CHUNK_NONE;
  if (!all) return CHUNK_TESTED;
  return distance * bound[BOUND_INVERSE_FIRST] > p->taper_begin ? CHUNK_TAPERED : CHUNK_INSIDE;
}

/* ---- the polynomial ---- */

/* Samples 2, 19, 47, 80, 108, 125 of the range lie near Chebyshev's nodes, symmetric about its middle: even and odd part are
 * solved apart. x = (sample - 63.5)/64. Inverses of the 3x3 Vandermonde systems, made in double. */
#define NODE_SAMPLE(k) ((k) == 0u ? 2u : (k) == 1u ? 19u : (k) == 2u ? 47u : (k) == 3u ? 80u : (k) == 4u ? 108u : 125u)

DEVICE_FUNCTION void fit_polynomial(const PRIVATE float *value, PRIVATE float *c) {
  float e0 = 0.5f * (value[3] + value[2]), e1 = 0.5f * (value[4] + value[1]), e2 = 0.5f * (value[5] + value[0]);
  float o0 = 0.5f * (value[3] - value[2]), o1 = 0.5f * (value[4] - value[1]), o2 = 0.5f * (value[5] - value[0]);
  c[0] = FMA(1.24932454f, e0, FMA(-0.334561118f, e1, 0.085236578f * e2));
  c[2] = FMA(-3.937095085f, e0, FMA(5.395784543f, e1, -1.458689459f * e2));
  c[4] = FMA(2.798497435f, e0, FMA(-5.451013316f, e1, 2.652515881f * e2));
  c[1] = FMA(4.845864882f, o0, FMA(-0.481166552f, o1, 0.08870148f * o2));
  c[3] = FMA(-15.271156692f, o0, FMA(7.760229456f, o1, -1.517985778f * o2));
  c[5] = FMA(10.854777928f, o0, FMA(-7.8396596f, o1, 2.76034173f * o2));
}

DEVICE_FUNCTION float polynomial(float c0, float c1, float c2, float c3, float c4, float c5, float x) {
  return FMA(x, FMA(x, FMA(x, FMA(x, FMA(x, c5, c4), c3), c2), c1), c0);
}

/* Six times of the trace, less the middle of them (which keeps the coefficients small). */
DEVICE_FUNCTION void fit_times(float source2, float receiver2, float shift, const LOCAL float *node, PRIVATE float *c) {
  float value[NODES];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) {
    float t1sq = node[2u * k], s2 = node[2u * k + 1u];
    value[k] = SQRT(leg_squared_straight(t1sq, source2, s2)) + SQRT(leg_squared_straight(t1sq, receiver2, s2));
  }
  float middle = value[3] - shift;
  float base = value[3];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) value[k] -= base;
  fit_polynomial(value, c);
  c[0] += middle;
}

/* ---- the work item ---- */

/* What a lane holds of its column. */
typedef struct tile_lane {
  float t1sq[CHUNKS], s2[CHUNKS], inverse[CHUNKS], sum[CHUNKS];
  int count[CHUNKS];
  float x; /* of the polynomial, in the first chunk */
} tile_lane;

DEVICE_FUNCTION uint sample_of(uint begin, uint chunk, PARAMETERS *p HERE_PARAMETER) {
  uint i = begin + 32u * chunk + SIMD_LANE;
  return MIN(i, p->n_time - 1u);
}

DEVICE_FUNCTION void write_bounds(LOCAL float *bound, float t1sq, float s2, float radius2, float mute, float inverse,
                                  int is_there HERE_PARAMETER) {
  float first = simd_least(t1sq HERE), last = simd_most(t1sq HERE), least = simd_least(s2 HERE), most = simd_most(s2 HERE);
  float smallest = simd_least(radius2 HERE), largest = simd_most(radius2 HERE);
  float mute_first = simd_least(mute HERE), mute_last = simd_most(mute HERE), inverse_first = simd_most(inverse HERE);
  if (SIMD_LANE == 0u) {
    bound[BOUND_T1SQ_FIRST] = first;
    bound[BOUND_T1SQ_LAST] = last;
    bound[BOUND_S2_LEAST] = least;
    bound[BOUND_S2_MOST] = most;
    bound[BOUND_RADIUS2_FIRST] = smallest;
    bound[BOUND_RADIUS2_LAST] = is_there ? largest : -1.0f; /* a chunk past the end: every distance is beyond */
    bound[BOUND_MUTE_FIRST] = mute_first;
    bound[BOUND_MUTE_LAST] = mute_last;
    bound[BOUND_INVERSE_FIRST] = inverse_first;
  }
}

DEVICE_FUNCTION void load_column(PRIVATE tile_lane *own, uint begin, const GLOBAL migrate_column *column,
                                 const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table,
                                 const GLOBAL float *image, LOCAL float *bound, PARAMETERS *p HERE_PARAMETER) {
  int is_real = column->row != 0xffffffffu;
  uint row = is_real ? column->row : 0u;
  float first = 3e38f, last = 0.0f, least = 3e38f, most = 0.0f, smallest = 3e38f, largest = -1.0f, mute_first = 3e38f,
        mute_last = 0.0f, inverse_first = 0.0f;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = sample_of(begin, c, p HERE);
    const GLOBAL migrate_slowness *slowness = table + (row * p->table_stride + i);
    int is_there = is_real && begin + 32u * c < p->n_time;
    float radius2 = slowness->radius2, mute = axis[i].mute;
    own->t1sq[c] = axis[i].t1sq;
    own->s2[c] = slowness->s2;
    own->inverse[c] = inverse_radius(radius2);
    own->sum[c] = is_there ? image[row * p->image_stride + i] : 0.0f;
    own->count[c] = 0;
    write_bounds(bound + (c + 1u) * (uint)BOUND_WORDS, own->t1sq[c], own->s2[c], radius2, mute, own->inverse[c], is_there HERE);
    first = MIN(first, own->t1sq[c]), last = MAX(last, own->t1sq[c]);
    least = MIN(least, own->s2[c]), most = MAX(most, own->s2[c]);
    smallest = MIN(smallest, radius2), largest = MAX(largest, radius2);
    mute_first = MIN(mute_first, mute), mute_last = MAX(mute_last, mute);
    inverse_first = MAX(inverse_first, own->inverse[c]);
  }
  /* The range's bounds: as of a chunk, with both ends of each member. */
  float a = simd_least(first HERE), b = simd_most(last HERE), d = simd_least(least HERE), e = simd_most(most HERE);
  float g = simd_least(smallest HERE), h = simd_most(largest HERE), k = simd_least(mute_first HERE),
        l = simd_most(mute_last HERE), m = simd_most(inverse_first HERE);
  if (SIMD_LANE == 0u) {
    bound[BOUND_T1SQ_FIRST] = a;
    bound[BOUND_T1SQ_LAST] = b;
    bound[BOUND_S2_LEAST] = d;
    bound[BOUND_S2_MOST] = e;
    bound[BOUND_RADIUS2_FIRST] = g;
    bound[BOUND_RADIUS2_LAST] = is_real ? h : -1.0f;
    bound[BOUND_MUTE_FIRST] = k;
    bound[BOUND_MUTE_LAST] = l;
    bound[BOUND_INVERSE_FIRST] = m;
  }
  own->x = ((float)SIMD_LANE - 63.5f) * 0.015625f;
}

#ifdef POLYNOMIAL
/* 1 where the velocity over the range is so smooth that the polynomial holds to 0.0015 samples: tried on this column, at
 * distances whose horizontal time is 64 to 4096 samples. */
DEVICE_FUNCTION int prepare_nodes(PRIVATE tile_lane *own, uint begin, uint row, const GLOBAL migrate_sample *axis,
                                  const GLOBAL migrate_slowness *table, LOCAL float *node, PARAMETERS *p HERE_PARAMETER) {
  if (SIMD_LANE < (uint)NODES) {
    uint i = begin + NODE_SAMPLE(SIMD_LANE);
    i = MIN(i, p->n_time - 1u);
    node[2u * SIMD_LANE] = axis[i].t1sq;
    node[2u * SIMD_LANE + 1u] = table[row * p->table_stride + i].s2;
  }
  SIMD_BARRIER();
  float error = begin + (uint)RANGE > p->n_time ? 1.0f : 0.0f, s2 = node[1];
  for (float horizontal = 64.0f; horizontal < 5000.0f; horizontal *= 2.0f) {
    float d2 = horizontal * horizontal / s2, c[NODES];
    fit_times(d2, d2, 0.0f, node, c);
    UNROLL_ALL
    for (uint k = 0u; k < (uint)CHUNKS; k++) {
      float t = polynomial(c[0], c[1], c[2], c[3], c[4], c[5], own->x + 0.5f * (float)k);
      float exact = 2.0f * SQRT(leg_squared_straight(own->t1sq[k], d2, own->s2[k]));
      /* Both legs are the same here: half the error; a float's rounding is not the velocity's fault. */
      error = MAX(error, 0.5f * ABS(t - exact) - 2e-7f * exact);
    }
  }
  return simd_most(error HERE) < 0.0015f;
}
#endif

/* One chunk of one trace, weight w and its parts known: the sample's value is added. */
DEVICE_FUNCTION float chunk_value(const GLOBAL float *rows, uint base, float u, float t, float width, const GLOBAL float *sinc,
                                  float w, float sum, PARAMETERS *p) {
  float value = trace_at(rows, base, u, width, sinc, p);
  if (WEIGHT_POWER) w *= weight_of_time(MAX(t, p->shortest_time), WEIGHT_POWER);
  return FMA(w, value, sum);
}

/* Half-width from an item's projections (spacing is in them). */
DEVICE_FUNCTION float width_of(const LOCAL float *item, float s2, float source_inverse, float receiver_inverse, PARAMETERS *p) {
  float px = leg_slope_straight(item[5], s2, source_inverse) + leg_slope_straight(item[6], s2, receiver_inverse);
  float py = leg_slope_straight(item[7], s2, source_inverse) + leg_slope_straight(item[8], s2, receiver_inverse);
  return MIN(triangle_half_width(px, py, 1.0f), (float)p->k_max);
}

/* Exact times of one sample: t and, for the antialias, the half-width. */
DEVICE_FUNCTION float exact_time(const LOCAL float *item, float source2, float receiver2, float t1sq, float s2,
                                 PRIVATE float *width, PARAMETERS *p) {
  float source_squared = leg_squared_straight(t1sq, source2, s2), receiver_squared = leg_squared_straight(t1sq, receiver2, s2);
  *width = 1.0f;
  if (ANTIALIAS == TRIANGLE)
    *width = width_of(item, s2, FAST_RSQRT(source_squared), FAST_RSQRT(receiver_squared), p);
  return FAST_SQRT(source_squared) + FAST_SQRT(receiver_squared);
}

/* An item that does not cover the range with one weight: chunk by chunk. @return 1 where a tested sample was inside. */
DEVICE_FUNCTION int broken_item(PRIVATE tile_lane *own, const LOCAL float *item, uint flags, uint base, uint begin,
                                const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column,
                                const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table,
                                const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  trace_view view;
  view.source2 = item[0], view.receiver2 = item[1], view.shift = item[2];
  view.midpoint2 = item[ITEM_MIDPOINT2], view.half_offset2 = item[ITEM_HALF_OFFSET2];
  float distance = SQRT(view.midpoint2), weight = item[ITEM_WEIGHT];
  int reached = 0;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint kind = flags >> (2u * c) & 3u;
    if (kind == CHUNK_NONE) continue;
    float width, t = exact_time(item, view.source2, view.receiver2, own->t1sq[c], own->s2[c], &width, p), u = t - view.shift;
    int inside = 1;
    if (kind == CHUNK_TESTED) {
      uint i = sample_of(begin, c, p HERE);
      const GLOBAL migrate_slowness *slowness = table + (column->row * p->table_stride + i);
      inside = inside_or_doubtful(&view, t, own->s2[c], slowness->radius2, axis[i].mute, p);
      if (inside == 2) inside = inside_exactly(trace, column, axis + i, slowness, p);
      reached = SIMD_ANY(inside) || reached;
      u = MIN(MAX(u, -8.0f), (float)p->n_samples + 8.0f);
    }
    float w = weight;
    if (kind != CHUNK_INSIDE && distance * own->inverse[c] > p->taper_begin) w *= taper_at(distance, own->inverse[c], p);
    float sum = chunk_value(rows, base, u, t, width, sinc, w, own->sum[c], p);
    own->sum[c] = inside ? sum : own->sum[c];
    own->count[c] += inside;
  }
  return reached;
}

/* One lane's trace of the staged ones into an item, or nothing. @return flags of the item: 0 nothing. */
DEVICE_FUNCTION uint make_item(const LOCAL float *staged, uint place, const GLOBAL migrate_column *column,
                               const LOCAL float *bound, const LOCAL float *node, int is_smooth, PRIVATE float *item,
                               PRIVATE uint *base, PRIVATE uint *reached, PARAMETERS *p) {
  trace_view view;
  view.source_x = difference(column->x, column->x_low, staged[0], staged[1]);
  view.source_y = difference(column->y, column->y_low, staged[2], staged[3]);
  view.receiver_x = difference(column->x, column->x_low, staged[4], staged[5]);
  view.receiver_y = difference(column->y, column->y_low, staged[6], staged[7]);
  view.shift = staged[STAGED_SHIFT];
  view_fill(&view);
  float distance = SQRT(view.midpoint2), weight = staged[STAGED_SCALE], shortest, ignored;
  uint kind = classify(&view, distance, bound, &shortest, p), flags = 0u, whole = 0u;
  *base = AS_UINT(staged[STAGED_BASE]);
  *reached = 0u;
  if (kind == CHUNK_NONE) return 0u;
  if (kind == CHUNK_TAPERED && bound[BOUND_RADIUS2_FIRST] == bound[BOUND_RADIUS2_LAST]) {
    weight *= taper_at(distance, bound[BOUND_INVERSE_FIRST], p); /* the radius is at its largest: one taper */
    kind = CHUNK_INSIDE;
  }
  if (kind == CHUNK_INSIDE) whole = BASE_WHOLE, flags = 0x5555u;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    if (kind == CHUNK_INSIDE) break;
    flags |= classify(&view, distance, bound + (c + 1u) * (uint)BOUND_WORDS, &ignored, p) << (2u * c);
  }
  if (!flags) return 0u;
  item[0] = view.source2, item[1] = view.receiver2, item[2] = view.shift;
  item[ITEM_WEIGHT] = weight;
  item[5] = item[6] = item[7] = item[8] = 0.0f;
  if (ANTIALIAS == TRIANGLE) {
    float spacing = staged[STAGED_SPACING];
    item[5] = spacing * FMA(view.source_x, column->along_x, view.source_y * column->along_y);
    item[6] = spacing * FMA(view.receiver_x, column->along_x, view.receiver_y * column->along_y);
    item[7] = spacing * FMA(view.source_x, column->across_x, view.source_y * column->across_y);
    item[8] = spacing * FMA(view.receiver_x, column->across_x, view.receiver_y * column->across_y);
  }
#ifdef POLYNOMIAL
  if (whole && is_smooth && ANTIALIAS != TRIANGLE && shortest >= p->leg_bound) {
    float c[NODES];
    fit_times(view.source2, view.receiver2, view.shift, node, c);
    item[0] = c[0], item[1] = c[1], item[2] = c[2];
    item[5] = c[3], item[6] = c[4], item[7] = c[5], item[8] = view.shift;
    whole |= BASE_POLYNOMIAL;
  }
#else
  (void)node;
  (void)is_smooth;
  (void)shortest;
#endif
  item[ITEM_MIDPOINT2] = view.midpoint2, item[ITEM_HALF_OFFSET2] = view.half_offset2;
  item[ITEM_FLAGS] = AS_FLOAT(flags | place << 16);
  /* One chunk that is inside for certain makes a trace used; a tested one only where a sample is. */
  *reached = (flags & ~(flags >> 1) & 0x5555u) || (flags >> 1 & ~flags & 0x5555u) ? 1u : 0u;
  *base |= whole;
  return flags;
}

/* The list of up to 32 items of one SIMD group. @return bits of the traces whose tested samples were inside, by item. */
DEVICE_FUNCTION uint run_items(PRIVATE tile_lane *own, const LOCAL float *items, uint n_items, uint begin,
                               const LOCAL float *index, const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                               const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table,
                               const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  uint reached = 0u;
  for (uint e = 0u; e < n_items; e++) {
    const LOCAL float *item = items + e * (uint)ITEM_WORDS;
    float4 head = LOCAL_LOAD4(items, e * 3u);
    uint base = AS_UINT(head.w);
#ifdef POLYNOMIAL
    if (base >= (BASE_WHOLE | BASE_POLYNOMIAL)) {
      float4 tail = LOCAL_LOAD4(items, e * 3u + 1u);
      float shift = WEIGHT_POWER ? item[8] : 0.0f;
      UNROLL_ALL
      for (uint c = 0u; c < (uint)CHUNKS; c++) {
        float u = polynomial(head.x, head.y, head.z, tail.y, tail.z, tail.w, own->x + 0.5f * (float)c);
        own->sum[c] = chunk_value(rows, base & BASE_MASK, u, u + shift, 1.0f, sinc, tail.x, own->sum[c], p);
      }
      continue;
    }
#endif
    if (base & BASE_WHOLE) {
      float weight = item[ITEM_WEIGHT];
      UNROLL_ALL
      for (uint c = 0u; c < (uint)CHUNKS; c++) {
        float width, t = exact_time(item, head.x, head.y, own->t1sq[c], own->s2[c], &width, p);
        own->sum[c] = chunk_value(rows, base & BASE_MASK, t - head.z, t, width, sinc, weight, own->sum[c], p);
      }
      continue;
    }
    uint flags = AS_UINT(item[ITEM_FLAGS]);
    const GLOBAL migrate_trace *trace = traces + AS_UINT(index[flags >> 16]);
    if (broken_item(own, item, flags & 0xffffu, base, begin, trace, column, axis, table, rows, sinc, p HERE)) reached |= 1u << e;
  }
  return reached;
}

/* Up to 32 staged traces into one column. @return bits of the traces that have a contribution. */
DEVICE_FUNCTION uint run_step(PRIVATE tile_lane *own, LOCAL float *block, uint step, uint total, uint begin, int is_smooth,
                              const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                              const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table, const GLOBAL float *rows,
                              const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  const LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)((CHUNKS + 1) * BOUND_WORDS);
  const LOCAL float *node = block + NODE_AT + SIMD_GROUP * (uint)(2 * NODES);
  LOCAL float *items = block + ITEM_AT + SIMD_GROUP * (uint)(32 * ITEM_WORDS);
  uint place = 32u * step + SIMD_LANE, flags = 0u, base = 0u, sure = 0u;
  float item[ITEM_WORDS];
  if (place < total && column->row != 0xffffffffu)
    flags = make_item(block + place * (uint)STAGED_WORDS, place, column, bound, node, is_smooth, item, &base, &sure, p);
  uint listed = SIMD_BALLOT(flags != 0u), whole = SIMD_BALLOT(flags != 0u && (base & BASE_WHOLE)), reached = SIMD_BALLOT(sure);
  if (flags) {
    LOCAL float *to = items + POPCOUNT(listed & ((1u << SIMD_LANE) - 1u)) * (uint)ITEM_WORDS;
    UNROLL_ALL
    for (uint k = 0u; k < (uint)ITEM_WORDS; k++) to[k] = k == (uint)ITEM_BASE ? AS_FLOAT(base) : item[k];
  }
  SIMD_BARRIER();
  int n_whole = (int)POPCOUNT(whole);
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) own->count[c] += n_whole;
  uint tested = run_items(own, items, POPCOUNT(listed), begin, block + INDEX_AT, traces, column, axis, table, rows, sinc, p HERE);
  SIMD_BARRIER();
  for (uint e = 0u; tested; e++, listed &= listed - 1u, tested >>= 1) /* from items back to traces */
    if (tested & 1u) reached |= listed & (~listed + 1u);
  return reached;
}

/* One block of traces, [first, first + lanes): those that may reach the tile go to group memory. @return their number. */
DEVICE_FUNCTION uint stage_traces(LOCAL float *block, LOCAL uint *words, const GLOBAL migrate_trace *traces, uint first,
                                  const GLOBAL migrate_column *centre, float reach2, PARAMETERS *p HERE_PARAMETER) {
  uint j = first + LANE;
  const GLOBAL migrate_trace *trace = traces + MIN(j, p->n_traces - 1u);
  int is_near = j < p->n_traces && trace->live;
  if (is_near) {
    float x = 0.5f * (difference(centre->x, centre->x_low, trace->source_x, trace->source_x_low) +
                      difference(centre->x, centre->x_low, trace->receiver_x, trace->receiver_x_low));
    float y = 0.5f * (difference(centre->y, centre->y_low, trace->source_y, trace->source_y_low) +
                      difference(centre->y, centre->y_low, trace->receiver_y, trace->receiver_y_low));
    is_near = FMA(x, x, y * y) <= reach2;
  }
  uint bits = SIMD_BALLOT(is_near), before = 0u, total = 0u;
  if (SIMD_LANE == 0u) words[(uint)COUNT_AT + SIMD_GROUP] = POPCOUNT(bits);
  BARRIER();
  for (uint g = 0u; g < (uint)COLUMNS; g++) {
    uint count = words[(uint)COUNT_AT + g];
    before += g < SIMD_GROUP ? count : 0u;
    total += count;
  }
  if (is_near) {
    uint place = before + POPCOUNT(bits & ((1u << SIMD_LANE) - 1u));
    LOCAL float *to = block + place * (uint)STAGED_WORDS;
    to[0] = trace->source_x, to[1] = trace->source_x_low, to[2] = trace->source_y, to[3] = trace->source_y_low;
    to[4] = trace->receiver_x, to[5] = trace->receiver_x_low, to[6] = trace->receiver_y, to[7] = trace->receiver_y_low;
    to[STAGED_SHIFT] = trace->shift, to[STAGED_SPACING] = trace->spacing, to[STAGED_SCALE] = trace->scale;
    words[place * (uint)STAGED_WORDS + (uint)STAGED_BASE] = trace->row * p->row_stride + p->x0;
    words[(uint)INDEX_AT + place] = j;
  }
  BARRIER();
  return total;
}

/* Square of the distance from the tile's first column at which a midpoint can still reach one of its columns. */
DEVICE_FUNCTION float tile_reach2(LOCAL float *block, const GLOBAL migrate_column *centre, const GLOBAL migrate_column *column,
                                  float radius2 HERE_PARAMETER) {
  float x = difference(column->x, column->x_low, centre->x, centre->x_low);
  float y = difference(column->y, column->y_low, centre->y, centre->y_low);
  float own = column->row != 0xffffffffu ? SQRT(FMA(x, x, y * y)) + SQRT(MAX(radius2, 0.0f)) : 0.0f, reach = 0.0f;
  if (SIMD_LANE == 0u) block[(uint)COUNT_AT + SIMD_GROUP] = own;
  BARRIER();
  for (uint g = 0u; g < (uint)COLUMNS; g++) reach = MAX(reach, block[(uint)COUNT_AT + g]);
  BARRIER();
  reach = FMA(reach, 1e-5f, reach) + 0.01f;
  return reach * reach;
}

/* All traces of the launch into samples [begin, begin + RANGE) of the tile whose first column is `centre`. */
DEVICE_FUNCTION void run_tile(LOCAL float *block, LOCAL uint *words, uint begin, const GLOBAL migrate_column *centre,
                              const GLOBAL float *rows, const GLOBAL migrate_trace *traces, const GLOBAL migrate_sample *axis,
                              const GLOBAL migrate_slowness *table, const GLOBAL float *sinc, GLOBAL float *image,
                              GLOBAL int *fold, GLOBAL uint *used, PARAMETERS *p HERE_PARAMETER) {
  const GLOBAL migrate_column *column = centre + SIMD_GROUP;
  LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)((CHUNKS + 1) * BOUND_WORDS);
  tile_lane own;
  int is_smooth = 0;
  load_column(&own, begin, column, axis, table, image, bound, p HERE);
  SIMD_BARRIER();
#ifdef POLYNOMIAL
  is_smooth = prepare_nodes(&own, begin, column->row != 0xffffffffu ? column->row : 0u, axis, table,
                            block + NODE_AT + SIMD_GROUP * (uint)(2 * NODES), p HERE);
#endif
  float reach2 = tile_reach2(block, centre, column, bound[BOUND_RADIUS2_LAST] HERE);
  for (uint first = 0u; first < p->n_traces; first += (uint)TILE_LANES) {
    uint total = stage_traces(block, words, traces, first, centre, reach2, p HERE);
    for (uint step = 0u; 32u * step < total; step++) {
      uint reached = run_step(&own, block, step, total, begin, is_smooth, traces, column, axis, table, rows, sinc, p HERE);
      if (SIMD_LANE == 0u) words[(uint)USED_AT + SIMD_GROUP * (uint)COLUMNS + step] = reached;
    }
    BARRIER();
    if (LANE < total) {
      uint reached = 0u;
      for (uint g = 0u; g < (uint)COLUMNS; g++) reached |= words[(uint)USED_AT + g * (uint)COLUMNS + (LANE >> 5)];
      if (reached >> SIMD_LANE & 1u) used[words[(uint)INDEX_AT + LANE]] = 1u;
    }
  }
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = begin + 32u * c + SIMD_LANE;
    if (column->row != 0xffffffffu && i < p->n_time) {
      image[column->row * p->image_stride + i] = own.sum[c];
      fold[column->row * p->image_stride + i] += own.count[c];
    }
  }
}

#endif
