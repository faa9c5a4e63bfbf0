/* migrate_tile.h - one work item of v2 and v3: a tile of neighbouring columns and a range of their samples, all traces.
 *
 * A SIMD group owns one column; its lanes lie along time, every lane holds CHUNKS samples 32 apart in registers. Traces pass
 * in blocks: each lane stages one trace if it can reach the tile (geometry in group memory, in ascending order), then each
 * SIMD group looks at 32 staged traces at once, one a lane: from bounds over the range a lane decides whether its trace
 * touches none, all or some of the column's samples, in the last case which interval (edges too near for a float by split
 * floats, migrate_sample.h), and writes an item (48 bytes) to a list. Traces that cover the whole range with one weight come
 * first, in a loop without tests, TOGETHER at once to have enough reads under way. The others go chunk by chunk: skipped,
 * clipped to the interval, with the taper of each sample. Only where t may fall with t0, or a stretch mute cuts, samples are
 * tested one by one. Sums take blocks of 32 staged traces in ascending number, in each the whole ones before the others: one
 * order whatever the schedule (it changes with the cut into batches, by rounding).
 *
 * With POLYNOMIAL (v3) the sum of the two leg times over a range of 128 samples is interpolated: four exact evaluations by one
 * lane make a polynomial of degree 3 in t0 for all samples. Error of a leg that lasts p->leg_bound or more: below 0.0025
 * samples for smooth velocity (docs/kernels.md); the group tries its own column's velocity on probing distances first, and
 * where that or the bound fails evaluates exactly. Any law that gives a leg time costs the same in the loop.
 *
 * Group memory: TILE_WORDS words of 4 bytes.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_H
#define MOHO_KERNELS_MIGRATE_TILE_H

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
#define RANGE (32 * CHUNKS)
#define TILE_LANES (32 * COLUMNS)

/* ---- group memory, in words ---- */
#define STAGED_WORDS 12
#define ITEM_WORDS 12
#define BOUND_WORDS 12
#define NODES 4
#define INDEX_AT (STAGED_WORDS * TILE_LANES)
#define COUNT_AT (INDEX_AT + TILE_LANES)
#define USED_AT (COUNT_AT + 32)
#define BOUND_AT (USED_AT + COLUMNS * COLUMNS)
#define NODE_AT (BOUND_AT + COLUMNS * BOUND_WORDS)
#define ITEM_AT ((NODE_AT + COLUMNS * 2 * NODES + 3) / 4 * 4) /* items are read four words at once */
/* Places of a SIMD group's list. From 0 on: items that cover the range and are evaluated as most are (v3: by the polynomial);
 * fewer than TOGETHER are left over and wait there for the next step. Then others that cover the range (v3: the exact ones),
 * filled up to a whole number of TOGETHER with copies of no weight. The rest from the list's end backwards. */
#define LIST_ITEMS (32 + 2 * TOGETHER)
#define TILE_WORDS (ITEM_AT + COLUMNS * LIST_ITEMS * ITEM_WORDS)

/* A staged trace: 8 coordinates (split), then */
#define STAGED_SHIFT 8
#define STAGED_SPACING 9
#define STAGED_SCALE 10
#define STAGED_BASE 11

/* An item. Exact: source2, receiver2, shift | polynomial: c0, c1, c2; then */
#define ITEM_BASE 3                 /* uint: first value of the trace's row, and two bits */
#define ITEM_WEIGHT 4               /* 5-8 exact: projections for the antialias | 5, 6 polynomial: c3, shift */
#define ITEM_FLAGS 9                /* uint: two bits a chunk, ITEM_TESTED, staged place << 16 */
#define ITEM_DISTANCE 10            /* of the midpoint | tested: its square */
#define ITEM_INTERVAL 11            /* uint: first | end << 16 in the range | tested: half_offset2 */
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
#define BOUND_LEG2 9 /* of the range: legs of a smaller squared length grow with t0 */

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

/* ---- what a trace does to a range ---- */

#define RANGE_NONE 0u
#define RANGE_ALL 1u
#define RANGE_PART 2u   /* an interval */
#define RANGE_TESTED 3u /* may be several */

/* How sure a float is of a time t less the shift. */
DEVICE_FUNCTION float time_doubt(float t, float shift) {
  return FMA(TIME_DOUBT, t, FMA(2e-7f, ABS(shift), 1e-6f));
}

/* A trace against the bounds of a range. Found on the way: lower bounds of its shorter leg and of t, an upper bound of t. */
DEVICE_FUNCTION uint classify(const PRIVATE trace_view *view, const LOCAL float *bound, PRIVATE float *shortest,
                              PRIVATE float *least_t, PRIVATE float *most_t, PARAMETERS *p) {
  float first = bound[BOUND_T1SQ_FIRST], last = bound[BOUND_T1SQ_LAST], least = bound[BOUND_S2_LEAST],
        most = bound[BOUND_S2_MOST];
  float radius2 = bound[BOUND_RADIUS2_FIRST], largest2 = bound[BOUND_RADIUS2_LAST];
  float source = FAST_SQRT(FMA(view->source2, least, first)), receiver = FAST_SQRT(FMA(view->receiver2, least, first));
  float slowest = FAST_SQRT(FMA(view->source2, most, last)) + FAST_SQRT(FMA(view->receiver2, most, last));
  float earliest = source + receiver - view->shift, latest = slowest - view->shift, doubt = time_doubt(slowest, view->shift);
  *shortest = MIN(source, receiver);
  *least_t = source + receiver;
  *most_t = slowest;
  int none = view->midpoint2 > FMA(largest2, DISTANCE2_DOUBT, largest2) || earliest > p->high + doubt || latest < p->low - doubt;
  int all = view->midpoint2 < FMA(radius2, -DISTANCE2_DOUBT, radius2) && latest < p->high - doubt && earliest > p->low + doubt;
  int is_cut = 0;
  if (HAS_MUTE) {
    float mute = bound[BOUND_MUTE_FIRST], mute_last = bound[BOUND_MUTE_LAST];
    none = none || view->half_offset2 * least > FMA(mute_last, DISTANCE2_DOUBT, mute_last);
    is_cut = !(view->half_offset2 * most < FMA(mute, -DISTANCE2_DOUBT, mute));
  }
  if (none) return RANGE_NONE;
  if (is_cut || !(MAX(view->source2, view->receiver2) < bound[BOUND_LEG2])) return all && !is_cut ? RANGE_ALL : RANGE_TESTED;
  return all ? RANGE_ALL : RANGE_PART;
}

/* Where an edge of an interval is sought: samples 0 .. n - 1 of a range. */
typedef struct edge_search {
  const GLOBAL migrate_sample *axis;
  const GLOBAL migrate_slowness *slowness;
  float source2, receiver2, midpoint2, shift;
  uint n;
} edge_search;

/* u of a sample, and its doubt. */
DEVICE_FUNCTION float place_at(const PRIVATE edge_search *s, uint i, PRIVATE float *doubt) {
  float t1sq = s->axis[i].t1sq, s2 = s->slowness[i].s2;
  float t = FAST_SQRT(leg_squared_straight(t1sq, s->source2, s2)) + FAST_SQRT(leg_squared_straight(t1sq, s->receiver2, s2));
  *doubt = time_doubt(t, s->shift);
  return t - s->shift;
}

/* First sample that is certainly inside the aperture; the radius is guessed to grow evenly along the range. */
DEVICE_FUNCTION uint aperture_begin(const PRIVATE edge_search *s, float first2, float last2) {
  float first = FAST_SQRT(first2), rise = FAST_SQRT(last2) - first;
  float guess = (FAST_SQRT(s->midpoint2) - first) * FAST_RECIPROCAL(MAX(rise, 1e-3f)) * (float)s->n;
  uint i = (uint)MIN(MAX(guess, 0.0f), (float)(s->n - 1u));
  float least = FMA(s->midpoint2, 1.5f * DISTANCE2_DOUBT, s->midpoint2);
  while (i < s->n && s->slowness[i].radius2 <= least) i++;
  while (i > 0u && s->slowness[i - 1u].radius2 > least) i--;
  return i;
}

/* First sample whose place is certainly past `limit` where `past` is 1, else first that is not certainly before it; t grows.
 * From t_s + t_r = T and t_s^2 - t_r^2 = (d_s^2 - d_r^2) s2 follow t_s and t1: exact for one velocity, a good guess else. */
DEVICE_FUNCTION uint record_edge(const PRIVATE edge_search *s, float limit, int past) {
  float s2 = s->slowness[s->n >> 1].s2, total = MAX(limit + s->shift, 1.0f);
  float source_time = 0.5f * FMA((s->source2 - s->receiver2) * s2, FAST_RECIPROCAL(total), total);
  float t1 = FAST_SQRT(MAX(FMA(-s->source2, s2, source_time * source_time), 0.0f));
  float first = FAST_SQRT(s->axis[0].t1sq), last = FAST_SQRT(s->axis[s->n - 1u].t1sq), doubt;
  float guess = (t1 - first) * FAST_RECIPROCAL(MAX(last - first, 1e-3f)) * (float)(s->n - 1u) + 1.0f;
  uint i = (uint)MIN(MAX(guess, 0.0f), (float)(s->n - 1u));
  float sign = past ? 1.0f : -1.0f;
  for (; i < s->n; i++) {
    float u = place_at(s, i, &doubt);
    if (u > FMA(sign, doubt, limit)) break;
  }
  for (; i > 0u; i--) {
    float u = place_at(s, i - 1u, &doubt);
    if (!(u > FMA(sign, doubt, limit))) break;
  }
  return i;
}

/* 1 where a sample beside a certain interval is inside after all. */
DEVICE_FUNCTION int is_inside_too(const PRIVATE edge_search *s, uint i, const GLOBAL migrate_trace *trace,
                                  const GLOBAL migrate_column *column, PARAMETERS *p) {
  float doubt, u = place_at(s, i, &doubt), radius2 = s->slowness[i].radius2;
  if (s->midpoint2 > FMA(radius2, 2.0f * DISTANCE2_DOUBT, radius2) || u > p->high + doubt || u < p->low - doubt) return 0;
  return inside_exactly(trace, column, s->axis + i, s->slowness + i, p);
}

/* [first, end) of the range's samples that are inside, first | end << 16; t grows along them. What a float is certain of, then
 * the doubtful samples beside the edges one by one. */
DEVICE_FUNCTION uint find_interval(const PRIVATE edge_search *s, const LOCAL float *bound, float earliest, float latest,
                                   const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column, PARAMETERS *p) {
  float first2 = bound[BOUND_RADIUS2_FIRST], doubt = time_doubt(latest, s->shift);
  uint first = 0u, end = s->n;
  if (!(s->midpoint2 < FMA(first2, -DISTANCE2_DOUBT, first2))) first = aperture_begin(s, first2, bound[BOUND_RADIUS2_LAST]);
  if (!(earliest - s->shift > p->low + doubt)) {
    uint begin = record_edge(s, p->low, 1);
    first = MAX(first, begin);
  }
  if (!(latest - s->shift < p->high - doubt)) end = record_edge(s, p->high, 0);
  end = MAX(end, first);
  while (first > 0u && is_inside_too(s, first - 1u, trace, column, p)) first--;
  while (end < s->n && is_inside_too(s, end, trace, column, p)) end++;
  return first | end << 16;
}

/* ---- the polynomial ---- */

/* Four samples near Chebyshev's nodes of the range (4, 39, 88, 123 of 128), symmetric about its middle: even and odd part are
 * solved apart. At them x, which is -1 .. 1 over the range, is -NODE_FAR, -NODE_NEAR, NODE_NEAR, NODE_FAR. */
#define NODE_FAR_SAMPLE ((uint)CHUNKS)
#define NODE_NEAR_SAMPLE (39u * (uint)CHUNKS / 4u)
#define NODE_SAMPLE(k)                               \
  ((k) == 0u   ? NODE_FAR_SAMPLE                     \
   : (k) == 1u ? NODE_NEAR_SAMPLE                    \
   : (k) == 2u ? (uint)RANGE - 1u - NODE_NEAR_SAMPLE \
               : (uint)RANGE - 1u - NODE_FAR_SAMPLE)
#define NODE_FAR (1.0f - (2.0f * (float)NODE_FAR_SAMPLE + 1.0f) / (float)RANGE)
#define NODE_NEAR (1.0f - (2.0f * (float)NODE_NEAR_SAMPLE + 1.0f) / (float)RANGE)
#define NODE_INVERSE (1.0f / (NODE_FAR * NODE_FAR - NODE_NEAR * NODE_NEAR))
#define PLACE_STEP (2.0f / (float)CHUNKS) /* x from one chunk to the next */

DEVICE_FUNCTION void fit_polynomial(const PRIVATE float *value, PRIVATE float *c) {
  float even_near = 0.5f * (value[2] + value[1]), even_far = 0.5f * (value[3] + value[0]);
  float odd_near = (0.5f / NODE_NEAR) * (value[2] - value[1]), odd_far = (0.5f / NODE_FAR) * (value[3] - value[0]);
  c[2] = NODE_INVERSE * (even_far - even_near);
  c[3] = NODE_INVERSE * (odd_far - odd_near);
  c[0] = FMA(-NODE_NEAR * NODE_NEAR, c[2], even_near);
  c[1] = FMA(-NODE_NEAR * NODE_NEAR, c[3], odd_near);
}

DEVICE_FUNCTION float polynomial(float c0, float c1, float c2, float c3, float x) {
  return FMA(x, FMA(x, FMA(x, c3, c2), c1), c0);
}

/* The times of the trace at the nodes make c; one of them is taken off meanwhile, which keeps the coefficients small. */
DEVICE_FUNCTION void fit_times(float source2, float receiver2, float shift, const LOCAL float *node, PRIVATE float *c) {
  float value[NODES];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) {
    float t1sq = node[2u * k], s2 = node[2u * k + 1u];
    value[k] = FAST_SQRT(leg_squared_straight(t1sq, source2, s2)) + FAST_SQRT(leg_squared_straight(t1sq, receiver2, s2));
  }
  float middle = value[2];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) value[k] -= middle;
  fit_polynomial(value, c);
  c[0] += middle - shift;
}

/* ---- the work item ---- */

/* What a lane holds of its column. */
typedef struct tile_lane {
  float t1sq[CHUNKS], s2[CHUNKS], sum[CHUNKS];
  int count[CHUNKS];
  float x; /* of the polynomial, in the first chunk */
} tile_lane;

DEVICE_FUNCTION uint sample_of(uint begin, uint chunk, PARAMETERS *p HERE_PARAMETER) {
  uint i = begin + 32u * chunk + SIMD_LANE;
  return MIN(i, p->n_time - 1u);
}

DEVICE_FUNCTION void load_column(PRIVATE tile_lane *own, uint begin, const GLOBAL migrate_column *column,
                                 const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table,
                                 const GLOBAL float *image, LOCAL float *bound, PARAMETERS *p HERE_PARAMETER) {
  int is_real = column->row != 0xffffffffu;
  uint row = is_real ? column->row : 0u;
  float first = 3e38f, last = 0.0f, least = 3e38f, most = 0.0f, smallest = 3e38f, largest = 0.0f, mute_first = 3e38f,
        mute_last = 0.0f, leg2 = 3e38f;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = sample_of(begin, c, p HERE), next = MIN(i + 1u, p->n_time - 1u);
    const GLOBAL migrate_slowness *slowness = table + row * p->table_stride;
    float radius2 = slowness[i].radius2, mute = axis[i].mute, fall = slowness[i].s2 - slowness[next].s2;
    own->t1sq[c] = axis[i].t1sq;
    own->s2[c] = slowness[i].s2;
    own->sum[c] = is_real && begin + 32u * c + SIMD_LANE < p->n_time ? image[row * p->image_stride + i] : 0.0f;
    own->count[c] = 0;
    first = MIN(first, own->t1sq[c]), last = MAX(last, own->t1sq[c]);
    least = MIN(least, own->s2[c]), most = MAX(most, own->s2[c]);
    smallest = MIN(smallest, radius2), largest = MAX(largest, radius2);
    mute_first = MIN(mute_first, mute), mute_last = MAX(mute_last, mute);
    /* A leg grows from i to the next sample when t1sq grows by more than its squared length times the fall of s2. */
    if (fall > 0.0f) leg2 = MIN(leg2, (axis[next].t1sq - axis[i].t1sq) / fall);
  }
  float a = simd_least(first HERE), b = simd_most(last HERE), d = simd_least(least HERE), e = simd_most(most HERE);
  float g = simd_least(smallest HERE), h = simd_most(largest HERE), k = simd_least(mute_first HERE),
        l = simd_most(mute_last HERE), m = simd_least(leg2 HERE);
  if (SIMD_LANE == 0u) {
    bound[BOUND_T1SQ_FIRST] = a;
    bound[BOUND_T1SQ_LAST] = b;
    bound[BOUND_S2_LEAST] = d;
    bound[BOUND_S2_MOST] = e;
    bound[BOUND_RADIUS2_FIRST] = g;
    bound[BOUND_RADIUS2_LAST] = is_real ? h : -1.0f; /* padding: every distance is beyond */
    bound[BOUND_MUTE_FIRST] = k;
    bound[BOUND_MUTE_LAST] = l;
    bound[BOUND_INVERSE_FIRST] = g > 4e-6f ? inverse_radius(g) : 3e38f;
    /* s2 of two samples may differ by less than its rounding: the quotient's tenth is surely too small. */
    bound[BOUND_LEG2] = 0.1f * m;
  }
  own->x = (2.0f * (float)SIMD_LANE + 1.0f) / (float)RANGE - 1.0f;
}

#ifdef POLYNOMIAL
/* 1 where the velocity over the range is so smooth that the polynomial holds to 0.003 samples a leg: tried on this column, at
 * distances whose horizontal time is 64 to 4096 samples, where the leg is long enough. */
DEVICE_FUNCTION int prepare_nodes(PRIVATE tile_lane *own, uint begin, const GLOBAL migrate_sample *axis,
                                  const GLOBAL migrate_slowness *slowness, LOCAL float *node, PARAMETERS *p HERE_PARAMETER) {
  if (SIMD_LANE < (uint)NODES) {
    uint i = begin + NODE_SAMPLE(SIMD_LANE);
    i = MIN(i, p->n_time - 1u);
    node[2u * SIMD_LANE] = axis[i].t1sq;
    node[2u * SIMD_LANE + 1u] = slowness[i].s2;
  }
  SIMD_BARRIER();
  float error = begin + (uint)RANGE > p->n_time ? 1.0f : 0.0f, s2 = node[1], bound2 = p->leg_bound * p->leg_bound;
  for (float horizontal = 64.0f; horizontal < 5000.0f; horizontal *= 2.0f) {
    float d2 = horizontal * horizontal / s2, c[NODES];
    if (FMA(horizontal, horizontal, node[0]) < bound2) continue;
    fit_times(d2, d2, 0.0f, node, c);
    UNROLL_ALL
    for (uint k = 0u; k < (uint)CHUNKS; k++) {
      float t = polynomial(c[0], c[1], c[2], c[3], own->x + PLACE_STEP * (float)k);
      float exact = 2.0f * SQRT(leg_squared_straight(own->t1sq[k], d2, own->s2[k]));
      /* Both legs are the same here: half the error; a float's rounding is not the velocity's fault. */
      error = MAX(error, 0.5f * ABS(t - exact) - 4e-7f * exact);
    }
  }
  return simd_most(error HERE) < 0.0027f;
}
#endif

/* Half-width from an item's projections (spacing is in them); s2 of leg_slope_straight comes last. */
DEVICE_FUNCTION float width_of(const LOCAL float *item, float s2, float source_inverse, float receiver_inverse, PARAMETERS *p) {
  float px = FMA(item[5], source_inverse, item[6] * receiver_inverse);
  float py = FMA(item[7], source_inverse, item[8] * receiver_inverse);
  return MIN(triangle_half_width(px, py, s2), (float)p->k_max);
}

/* Exact times of one sample: t and, for the antialias, the half-width. */
DEVICE_FUNCTION float exact_time(const LOCAL float *item, float source2, float receiver2, float t1sq, float s2,
                                 PRIVATE float *width, PARAMETERS *p) {
  float source_squared = leg_squared_straight(t1sq, source2, s2), receiver_squared = leg_squared_straight(t1sq, receiver2, s2);
  *width = 1.0f;
  if (ANTIALIAS == TRIANGLE) {
    float source_inverse = FAST_RSQRT(source_squared), receiver_inverse = FAST_RSQRT(receiver_squared);
    *width = width_of(item, s2, source_inverse, receiver_inverse, p);
    return FMA(source_squared, source_inverse, receiver_squared * receiver_inverse);
  }
  return FAST_SQRT(source_squared) + FAST_SQRT(receiver_squared);
}

/* w times t^-p. */
DEVICE_FUNCTION float weighted(float w, float t, PARAMETERS *p) {
  return WEIGHT_POWER ? w * weight_of_time(MAX(t, p->shortest_time), WEIGHT_POWER) : w;
}

/* Items e .. e + TOGETHER - 1, each covering the range with one weight. First all reads, then all sums. */
DEVICE_FUNCTION void whole_items(PRIVATE tile_lane *own, const LOCAL float *items, uint e, int is_polynomial,
                                 const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p) {
  float value[TOGETHER * CHUNKS], weight[TOGETHER * CHUNKS];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)TOGETHER; k++) {
    const LOCAL float *item = items + (e + k) * (uint)ITEM_WORDS;
    float4 head = LOCAL_LOAD4(items, (e + k) * 3u), tail = LOCAL_LOAD4(items, (e + k) * 3u + 1u);
    uint base = AS_UINT(head.w);
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      float width = 1.0f, t, u;
      if (is_polynomial) {
        u = polynomial(head.x, head.y, head.z, tail.y, own->x + PLACE_STEP * (float)c);
        t = WEIGHT_POWER && !NO_SHIFT ? u + tail.z : u;
      } else {
        t = exact_time(item, head.x, head.y, own->t1sq[c], own->s2[c], &width, p);
        u = NO_SHIFT ? t : t - head.z;
      }
      value[k * (uint)CHUNKS + c] = trace_at(rows, base, u, width, sinc, p);
      weight[k * (uint)CHUNKS + c] = weighted(tail.x, t, p);
    }
  }
  UNROLL_ALL
  for (uint k = 0u; k < (uint)(TOGETHER * CHUNKS); k++)
    own->sum[k % (uint)CHUNKS] = FMA(weight[k], value[k], own->sum[k % (uint)CHUNKS]);
}

/* An item that does not cover the range with one weight, in one sample; `inverse` of the aperture's radius there. A lane beside
 * the interval reads somewhere near the record. */
DEVICE_FUNCTION float part_at(const LOCAL float *item, float t1sq, float s2, float distance, float inverse, PRIVATE float *weight,
                              const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p) {
  float width, t = exact_time(item, item[0], item[1], t1sq, s2, &width, p);
  float u = NO_SHIFT ? t : MAX(t - item[2], -8.0f);
  *weight = weighted(item[ITEM_WEIGHT], t, p) * (p->taper_inv_fraction > 0.0f ? taper_at(distance, inverse, p) : 1.0f);
  return trace_at(rows, AS_UINT(item[ITEM_BASE]), MIN(u, p->high + 8.0f), width, sinc, p);
}

/* Items `bits` of the list's end that cover the samples of a chunk with one weight, TOGETHER at once; the others, fewer than
 * TOGETHER, are left. */
DEVICE_FUNCTION uint run_full_chunk(PRIVATE float *sum, const LOCAL float *last, uint bits, float t1sq, float s2,
                                    const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p) {
  while (POPCOUNT(bits) >= (uint)TOGETHER) {
    float value[TOGETHER], weight[TOGETHER];
    UNROLL_ALL
    for (uint k = 0u; k < (uint)TOGETHER; k++) {
      const LOCAL float *item = last - CTZ(bits) * (uint)ITEM_WORDS;
      bits &= bits - 1u;
      float width, t = exact_time(item, item[0], item[1], t1sq, s2, &width, p);
      value[k] = trace_at(rows, AS_UINT(item[ITEM_BASE]), NO_SHIFT ? t : t - item[2], width, sinc, p);
      weight[k] = weighted(item[ITEM_WEIGHT], t, p);
    }
    UNROLL_ALL
    for (uint k = 0u; k < (uint)TOGETHER; k++) *sum = FMA(weight[k], value[k], *sum);
  }
  return bits;
}

/* Items `bits` of the list's end in a chunk, two at once. mask: of the lane's own item, the samples inside. */
DEVICE_FUNCTION void run_edge_chunk(PRIVATE float *sum, PRIVATE int *count, const LOCAL float *last, uint bits, uint mask,
                                    float t1sq, float s2, float inverse, const GLOBAL float *rows, const GLOBAL float *sinc,
                                    PARAMETERS *p HERE_PARAMETER) {
  uint lane_bit = 1u << SIMD_LANE;
  while (bits) {
    uint e = CTZ(bits), rest = bits & (bits - 1u), f = rest ? CTZ(rest) : e;
    uint inside = SIMD_SHUFFLE(mask, e), other_inside = SIMD_SHUFFLE(mask, f);
    const LOCAL float *item = last - e * (uint)ITEM_WORDS, *other = last - f * (uint)ITEM_WORDS;
    float weight, other_weight;
    float value = part_at(item, t1sq, s2, item[ITEM_DISTANCE], inverse, &weight, rows, sinc, p);
    float other_value = part_at(other, t1sq, s2, other[ITEM_DISTANCE], inverse, &other_weight, rows, sinc, p);
    other_inside = rest ? other_inside : 0u;
    bits = rest & (rest - 1u);
    if (inside & lane_bit) *sum = FMA(weight, value, *sum), *count += 1;
    if (other_inside & lane_bit) *sum = FMA(other_weight, other_value, *sum), *count += 1;
  }
}

/* Bit c: the lane's sample in chunk c is inside, of an item whose samples are tested one by one: rare. */
RARE_FUNCTION uint inside_tested(const LOCAL float *item, uint lane, uint begin, const GLOBAL migrate_trace *trace,
                                 const GLOBAL migrate_column *column, const GLOBAL migrate_sample *axis,
                                 const GLOBAL migrate_slowness *slowness, PARAMETERS *p) {
  trace_view view;
  uint bits = 0u;
  view.source2 = item[0], view.receiver2 = item[1], view.shift = item[2];
  view.midpoint2 = item[ITEM_DISTANCE], view.half_offset2 = item[ITEM_INTERVAL];
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = begin + 32u * c + lane;
    if (i >= p->n_time) break;
    float t1sq = axis[i].t1sq, s2 = slowness[i].s2;
    float t = FAST_SQRT(leg_squared_straight(t1sq, view.source2, s2)) + FAST_SQRT(leg_squared_straight(t1sq, view.receiver2, s2));
    int inside = inside_or_doubtful(&view, t, s2, slowness[i].radius2, axis[i].mute, p);
    if (inside == 2) inside = inside_exactly(trace, column, axis + i, slowness + i, p);
    bits |= (uint)(inside != 0) << c;
  }
  return bits;
}

DEVICE_FUNCTION void view_staged(PRIVATE trace_view *view, const LOCAL float *staged, const GLOBAL migrate_column *column) {
  view->source_x = difference(column->x, column->x_low, staged[0], staged[1]);
  view->source_y = difference(column->y, column->y_low, staged[2], staged[3]);
  view->receiver_x = difference(column->x, column->x_low, staged[4], staged[5]);
  view->receiver_y = difference(column->y, column->y_low, staged[6], staged[7]);
  view->shift = staged[STAGED_SHIFT];
  view_fill(view);
}

/* One lane's trace of the staged ones into an item, or nothing. @return its base word, flags in item[ITEM_FLAGS]; ~0 nothing. */
DEVICE_FUNCTION uint make_item(const LOCAL float *staged, uint place, const GLOBAL migrate_trace *trace,
                               const GLOBAL migrate_column *column, const GLOBAL migrate_sample *axis,
                               const GLOBAL migrate_slowness *slowness, uint n, const LOCAL float *bound, const LOCAL float *node,
                               int is_smooth, PRIVATE float *item, PARAMETERS *p) {
  trace_view view;
  view_staged(&view, staged, column);
  float shortest, earliest, latest, weight = staged[STAGED_SCALE], distance = FAST_SQRT(view.midpoint2);
  uint kind = classify(&view, bound, &shortest, &earliest, &latest, p), base = AS_UINT(staged[STAGED_BASE]), flags = 0u;
  if (kind == RANGE_NONE) return 0xffffffffu;
  int is_tapered = distance * bound[BOUND_INVERSE_FIRST] > p->taper_begin;
  if (is_tapered && bound[BOUND_RADIUS2_FIRST] == bound[BOUND_RADIUS2_LAST] && kind != RANGE_TESTED) {
    weight *= taper_at(distance, bound[BOUND_INVERSE_FIRST], p); /* the radius is at its largest: one taper */
    is_tapered = 0, distance = 0.0f;
  }
  item[0] = view.source2, item[1] = view.receiver2, item[2] = view.shift;
  item[ITEM_WEIGHT] = weight;
  item[5] = item[6] = item[7] = item[8] = 0.0f;
  item[ITEM_DISTANCE] = distance;
  if (ANTIALIAS == TRIANGLE) {
    float spacing = staged[STAGED_SPACING];
    item[5] = spacing * FMA(view.source_x, column->along_x, view.source_y * column->along_y);
    item[6] = spacing * FMA(view.receiver_x, column->along_x, view.receiver_y * column->along_y);
    item[7] = spacing * FMA(view.source_x, column->across_x, view.source_y * column->across_y);
    item[8] = spacing * FMA(view.receiver_x, column->across_x, view.receiver_y * column->across_y);
  }
  if (kind == RANGE_TESTED) {
    flags = ITEM_TESTED;
    item[ITEM_DISTANCE] = view.midpoint2, item[ITEM_INTERVAL] = view.half_offset2;
  } else if (kind == RANGE_ALL && !is_tapered) {
    base |= BASE_WHOLE;
#ifdef POLYNOMIAL
    if (is_smooth && ANTIALIAS != TRIANGLE && shortest >= p->leg_bound) {
      float c[NODES];
      fit_times(view.source2, view.receiver2, view.shift, node, c);
      item[0] = c[0], item[1] = c[1], item[2] = c[2];
      item[5] = c[3], item[6] = view.shift;
      base |= BASE_POLYNOMIAL;
    }
#endif
  } else {
    uint interval = n << 16;
    if (kind != RANGE_ALL) {
      edge_search search;
      search.axis = axis, search.slowness = slowness, search.n = n;
      search.source2 = view.source2, search.receiver2 = view.receiver2;
      search.midpoint2 = view.midpoint2, search.shift = view.shift;
      interval = find_interval(&search, bound, earliest, latest, trace, column, p);
    }
    uint first = interval & 0xffffu, end = interval >> 16;
    if (first >= end) return 0xffffffffu;
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      int here = first < 32u * c + 32u && end > 32u * c, tapers = 0;
      if (is_tapered && here) {
        uint i = MAX(32u * c, first);
        tapers = distance * inverse_radius(slowness[i].radius2) > p->taper_begin;
      }
      int is_full = first <= 32u * c && end >= 32u * c + 32u;
      flags |= (here ? tapers ? CHUNK_TAPERED : is_full ? CHUNK_FULL : CHUNK_PLAIN : CHUNK_NONE) << (2u * c);
    }
    item[ITEM_INTERVAL] = AS_FLOAT(interval);
  }
  (void)node;
  (void)is_smooth;
  item[ITEM_FLAGS] = AS_FLOAT(flags | place << 16);
  return base;
}

DEVICE_FUNCTION void write_item(LOCAL float *to, const PRIVATE float *item, uint base) {
  UNROLL_ALL
  for (uint k = 0u; k < (uint)ITEM_WORDS; k++) to[k] = k == (uint)ITEM_BASE ? AS_FLOAT(base & BASE_MASK) : item[k];
}

DEVICE_FUNCTION void next_chunk(PRIVATE tile_lane *own) {
  float t1sq = own->t1sq[0], s2 = own->s2[0], sum = own->sum[0];
  int count = own->count[0];
  UNROLL_ALL
  for (uint c = 0u; c + 1u < (uint)CHUNKS; c++) {
    own->t1sq[c] = own->t1sq[c + 1u], own->s2[c] = own->s2[c + 1u];
    own->sum[c] = own->sum[c + 1u], own->count[c] = own->count[c + 1u];
  }
  own->t1sq[CHUNKS - 1] = t1sq, own->s2[CHUNKS - 1] = s2, own->sum[CHUNKS - 1] = sum, own->count[CHUNKS - 1] = count;
}

/* Items whose samples are tested: rare. @return those of `bits` of which a sample was inside. */
DEVICE_FUNCTION uint run_tested(PRIVATE tile_lane *own, const LOCAL float *items, uint bits, uint begin, const LOCAL float *index,
                                const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                                const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness,
                                const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  uint reached = 0u;
  for (; bits; bits &= bits - 1u) {
    uint e = CTZ(bits);
    const LOCAL float *item = items + ((uint)LIST_ITEMS - 1u - e) * (uint)ITEM_WORDS;
    const GLOBAL migrate_trace *trace = traces + AS_UINT(index[AS_UINT(item[ITEM_FLAGS]) >> 16]);
    uint inside = inside_tested(item, SIMD_LANE, begin, trace, column, axis, slowness, p);
    reached |= SIMD_ANY(inside) ? 1u << e : 0u;
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      float inverse = inverse_radius(slowness[sample_of(begin, c, p HERE)].radius2), weight;
      float value = part_at(item, own->t1sq[c], own->s2[c], FAST_SQRT(item[ITEM_DISTANCE]), inverse, &weight, rows, sinc, p);
      if (inside >> c & 1u) own->sum[c] = FMA(weight, value, own->sum[c]), own->count[c] += 1;
    }
  }
  return reached;
}

/* Bit i: sample i of chunk c is in the interval. */
DEVICE_FUNCTION uint chunk_mask(uint interval, uint c) {
  int first = (int)(interval & 0xffffu) - 32 * (int)c, end = (int)(interval >> 16) - 32 * (int)c;
  first = MIN(MAX(first, 0), 32), end = MIN(MAX(end, 0), 32);
  uint below_end = end == 32 ? 0xffffffffu : (1u << (uint)end) - 1u, below = first == 32 ? 0xffffffffu : (1u << (uint)first) - 1u;
  return below_end & ~below;
}

/* The items of a list that do not cover the range: places LIST_ITEMS - 1, - 2 ... @return bit e: item e is tested and a
 * sample of it was inside. */
DEVICE_FUNCTION uint run_parts(PRIVATE tile_lane *own, const LOCAL float *items, uint n_parts, uint begin,
                               const LOCAL float *index, const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                               const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness,
                               const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  const LOCAL float *last = items + ((uint)LIST_ITEMS - 1u) * (uint)ITEM_WORDS, *mine = last - SIMD_LANE * (uint)ITEM_WORDS;
  uint flags = SIMD_LANE < n_parts ? AS_UINT(mine[ITEM_FLAGS]) : 0u;
  uint interval = SIMD_LANE < n_parts ? AS_UINT(mine[ITEM_INTERVAL]) : 0u;
  uint tested = SIMD_BALLOT(flags & ITEM_TESTED);
  if (flags & ITEM_TESTED) flags = 0u;
  if (SIMD_ANY(flags)) {
    UNROLL(1)                                  /* less code is faster */
    for (uint c = 0u; c < (uint)CHUNKS; c++) { /* the chunk in hand is number 0; they go round */
      uint kind = flags >> (2u * c) & 3u, full = SIMD_BALLOT(kind == CHUNK_FULL);
      uint edges = SIMD_BALLOT(kind != CHUNK_NONE) & ~full, mask = chunk_mask(interval, c);
      own->count[0] += (int)POPCOUNT(full);
      full = run_full_chunk(&own->sum[0], last, full, own->t1sq[0], own->s2[0], rows, sinc, p);
      own->count[0] -= (int)POPCOUNT(full); /* those left are counted with the edges */
      float inverse = inverse_radius(slowness[sample_of(begin, c, p HERE)].radius2);
      run_edge_chunk(&own->sum[0], &own->count[0], last, edges | full, mask, own->t1sq[0], own->s2[0], inverse, rows, sinc,
                     p HERE);
      next_chunk(own);
    }
  }
  return tested ? run_tested(own, items, tested, begin, index, traces, column, axis, slowness, rows, sinc, p HERE) : 0u;
}

DEVICE_FUNCTION uint rounded_up(uint n) {
  return (n + (uint)TOGETHER - 1u) & ~((uint)TOGETHER - 1u);
}

/* Up to 32 staged traces into one column. @return bits of the traces that have a contribution. */
DEVICE_FUNCTION uint run_step(PRIVATE tile_lane *own, PRIVATE uint *waiting, LOCAL float *block, uint step, uint total,
                              uint begin, int is_smooth, const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                              const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness,
                              const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  const LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)BOUND_WORDS;
  const LOCAL float *node = block + NODE_AT + SIMD_GROUP * (uint)(2 * NODES);
  LOCAL float *items = block + ITEM_AT + SIMD_GROUP * (uint)(LIST_ITEMS * ITEM_WORDS);
  uint place = 32u * step + SIMD_LANE, base = 0xffffffffu;
  float item[ITEM_WORDS] = {0}; /* lanes without an item write it nowhere */
  if (place < total && column->row != 0xffffffffu)
    base = make_item(block + place * (uint)STAGED_WORDS, place, traces + AS_UINT(block[(uint)INDEX_AT + place]), column,
                     axis + begin, slowness + begin, MIN((uint)RANGE, p->n_time - begin), bound, node, is_smooth, item, p);
  int is_listed = base != 0xffffffffu, is_part = is_listed && base < BASE_WHOLE, is_whole = is_listed && !is_part;
#ifdef POLYNOMIAL
  int is_other = is_whole && !(base & BASE_POLYNOMIAL);
#else
  int is_other = 0;
#endif
  int is_main = is_whole && !is_other;
  uint parts = SIMD_BALLOT(is_part), mains = SIMD_BALLOT(is_main), others = SIMD_BALLOT(is_other);
  uint tested = SIMD_BALLOT(is_part && (AS_UINT(item[ITEM_FLAGS]) & ITEM_TESTED)), before = (1u << SIMD_LANE) - 1u;
  uint n_main = *waiting + POPCOUNT(mains), n_other = POPCOUNT(others), whole_main = n_main & ~((uint)TOGETHER - 1u);
  uint at = is_part   ? (uint)LIST_ITEMS - 1u - POPCOUNT(parts & before)
            : is_main ? *waiting + POPCOUNT(mains & before)
                      : n_main + POPCOUNT(others & before);
  if (is_listed) write_item(items + at * (uint)ITEM_WORDS, item, base);
  item[ITEM_WEIGHT] = 0.0f;
  if (is_other && at + 1u == n_main + n_other) /* the last one fills their places up, without weight */
    for (uint k = n_other; k < rounded_up(n_other); k++) write_item(items + (n_main + k) * (uint)ITEM_WORDS, item, base);
  SIMD_BARRIER();
  int n_whole = (int)(POPCOUNT(mains) + n_other);
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) own->count[c] += n_whole;
  uint reached = (mains | others | parts) & ~tested;
  for (uint e = 0u; e < whole_main; e += (uint)TOGETHER) whole_items(own, items, e, IS_POLYNOMIAL, rows, sinc, p);
#ifdef POLYNOMIAL
  for (uint e = 0u; e < n_other; e += (uint)TOGETHER) whole_items(own, items, n_main + e, 0, rows, sinc, p);
#endif
  *waiting = n_main - whole_main;
  uint found =
      run_parts(own, items, POPCOUNT(parts), begin, block + INDEX_AT, traces, column, axis, slowness, rows, sinc, p HERE);
  SIMD_BARRIER(); /* the items are read */
  if (whole_main)
    for (uint w = SIMD_LANE; w < *waiting * (uint)ITEM_WORDS; w += 32u) items[w] = items[whole_main * (uint)ITEM_WORDS + w];
  SIMD_BARRIER();
  for (; found; parts &= parts - 1u, found >>= 1) /* from items back to traces */
    if (found & 1u) reached |= parts & (~parts + 1u);
  return reached;
}

/* The items that wait, at the end. */
DEVICE_FUNCTION void run_waiting(PRIVATE tile_lane *own, LOCAL float *items, uint waiting, const GLOBAL float *rows,
                                 const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  if (waiting == 0u) return;
  uint w = SIMD_LANE; /* copies of the first without weight fill up */
  if (w < (uint)ITEM_WORDS)
    for (uint k = waiting; k < (uint)TOGETHER; k++) items[k * (uint)ITEM_WORDS + w] = w == (uint)ITEM_WEIGHT ? 0.0f : items[w];
  SIMD_BARRIER();
  whole_items(own, items, 0u, IS_POLYNOMIAL, rows, sinc, p);
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
  LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)BOUND_WORDS;
  tile_lane own;
  const GLOBAL migrate_slowness *slowness = table + (column->row != 0xffffffffu ? column->row : 0u) * p->table_stride;
  int is_smooth = 0;
  load_column(&own, begin, column, axis, table, image, bound, p HERE);
  SIMD_BARRIER();
#ifdef POLYNOMIAL
  is_smooth = prepare_nodes(&own, begin, axis, slowness, block + NODE_AT + SIMD_GROUP * (uint)(2 * NODES), p HERE);
#endif
  uint waiting = 0u;
  float reach2 = tile_reach2(block, centre, column, bound[BOUND_RADIUS2_LAST] HERE);
  for (uint first = 0u; first < p->n_traces; first += (uint)TILE_LANES) {
    uint total = stage_traces(block, words, traces, first, centre, reach2, p HERE);
    for (uint step = 0u; 32u * step < total; step++) {
      uint reached =
          run_step(&own, &waiting, block, step, total, begin, is_smooth, traces, column, axis, slowness, rows, sinc, p HERE);
      if (SIMD_LANE == 0u) words[(uint)USED_AT + SIMD_GROUP * (uint)COLUMNS + step] = reached;
    }
    BARRIER();
    if (LANE < total) {
      uint reached = 0u;
      for (uint g = 0u; g < (uint)COLUMNS; g++) reached |= words[(uint)USED_AT + g * (uint)COLUMNS + (LANE >> 5)];
      if (reached >> SIMD_LANE & 1u) MARK(used + words[(uint)INDEX_AT + LANE]);
    }
  }
  run_waiting(&own, block + ITEM_AT + SIMD_GROUP * (uint)(LIST_ITEMS * ITEM_WORDS), waiting, rows, sinc, p HERE);
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
