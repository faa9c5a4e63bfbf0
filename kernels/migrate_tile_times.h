/* migrate_tile_times.h - travel times in a tile: exact, or for v3 by a polynomial along t0 (docs/kernels.md), with the half-width
 * of the antialias and the weight.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_TIMES_H
#define MOHO_KERNELS_MIGRATE_TILE_TIMES_H

#include "migrate_tile_shape.h"

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

/* Large values less the shift. */
DEVICE_FUNCTION void fit_around(PRIVATE float *value, float shift, PRIVATE float *c) {
  float middle = value[2];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) value[k] -= middle;
  fit_polynomial(value, c);
  c[0] += middle - shift;
}

DEVICE_FUNCTION float polynomial(float c0, float c1, float c2, float c3, float x) {
  return FMA(x, FMA(x, FMA(x, c3, c2), c1), c0);
}

DEVICE_FUNCTION void node_terms(PRIVATE leg_terms *m, const PRIVATE range_view *range, const BOUND_SPACE float *node, uint k,
                                PARAMETERS *p) {
  uint i = NODE_SAMPLE(k);
  m->squares = squares_of(range->slowness + MIN(i, range->n - 1u) * LAW_STRIDE);
  m->base = node[4u * k], m->s2 = node[4u * k + 1u], m->a = node[4u * k + 2u], m->b = node[4u * k + 3u];
}

/* The times of the trace at the nodes make c; one of them is taken off meanwhile, which keeps the coefficients small. */
DEVICE_FUNCTION void fit_times(float source2, float receiver2, float shift, const PRIVATE range_view *range,
                               const BOUND_SPACE float *node, PRIVATE float *c, PARAMETERS *p) {
  float value[NODES];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) {
    leg_terms m;
    node_terms(&m, range, node, k, p);
    value[k] = leg_time(&m, source2, p) + leg_time(&m, receiver2, p);
  }
  fit_around(value, shift, c);
}

/* Both legs' times and their inverses. */
DEVICE_FUNCTION void leg_pair(const PRIVATE leg_terms *m, float source2, float receiver2, PRIVATE float *source_time,
                              PRIVATE float *receiver_time, PRIVATE float *source_inverse, PRIVATE float *receiver_inverse,
                              PARAMETERS *p) {
  if (LAW == STRAIGHT) {
    float source_squared = leg_squared_straight(m->base, source2, m->s2);
    float receiver_squared = leg_squared_straight(m->base, receiver2, m->s2);
    *source_inverse = FAST_RSQRT(source_squared), *receiver_inverse = FAST_RSQRT(receiver_squared);
    *source_time = source_squared * *source_inverse, *receiver_time = receiver_squared * *receiver_inverse;
  } else {
    *source_time = leg_time(m, source2, p), *receiver_time = leg_time(m, receiver2, p);
    *source_inverse = FAST_RECIPROCAL(MAX(*source_time, 1e-6f)), *receiver_inverse = FAST_RECIPROCAL(MAX(*receiver_time, 1e-6f));
  }
}

/* The half-widths at the nodes make w, times spacing: projections as in an item. @return 0 where not the same of
 * the grid's axes, to the same side, is the steeper at all nodes, or k_max may cut them: there they are no polynomial. */
DEVICE_FUNCTION int fit_widths(const PRIVATE float *item, const PRIVATE range_view *range, const BOUND_SPACE float *node,
                               PRIVATE float *w, PARAMETERS *p) {
  const GLOBAL migrate_node *nodes = nodes_of(range->axis, p);
  float value[NODES], largest = 0.0f;
  uint steeper = 0u;
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) {
    leg_terms m;
    node_terms(&m, range, node, k, p);
    float source_time, receiver_time, source_inverse, receiver_inverse;
    leg_pair(&m, item[0], item[1], &source_time, &receiver_time, &source_inverse, &receiver_inverse, p);
    float source_rate = leg_rate(&m, item[0], source_time, source_inverse, nodes, p);
    float receiver_rate = leg_rate(&m, item[1], receiver_time, receiver_inverse, nodes, p);
    float px = FMA(item[ITEM_PROJECTIONS], source_rate, item[ITEM_PROJECTIONS + 1] * receiver_rate);
    float py = FMA(item[ITEM_PROJECTIONS + 2], source_rate, item[ITEM_PROJECTIONS + 3] * receiver_rate);
    float most = MAX(ABS(px), ABS(py));
    value[k] = most;
    largest = MAX(largest, value[k]);
    steeper |= px == most ? 1u : -px == most ? 2u : py == most ? 4u : 8u;
  }
  fit_polynomial(value, w);
  return (steeper & (steeper - 1u)) == 0u && largest < (float)p->k_max - 1.0f;
}
#if defined(POLYNOMIAL) && !defined(BOUNDS_GIVEN)
/* 1 where the velocity over the range is so smooth that the polynomial holds to 0.003 samples a leg: tried on this column, at
 * distances whose horizontal time is 64 to 4096 samples, where the leg is long enough. */
DEVICE_FUNCTION int prepare_nodes(PRIVATE tile_lane *own, uint begin, const PRIVATE range_view *range, LOCAL float *node,
                                  PARAMETERS *p HERE_PARAMETER) {
  if (SIMD_LANE < (uint)NODES) {
    uint i = NODE_SAMPLE(SIMD_LANE);
    i = MIN(i, range->n - 1u);
    leg_terms m;
    terms_load(&m, range->axis + begin + i, range->slowness + i * LAW_STRIDE, p);
    LOCAL float *to = node + 4u * SIMD_LANE;
    to[0] = m.base, to[1] = m.s2, to[2] = m.a, to[3] = m.b;
  }
  SIMD_BARRIER();
  float error = begin + (uint)RANGE > p->n_time ? 1.0f : 0.0f, s2 = node[1];
  leg_terms first;
  node_terms(&first, range, node, 0u, p);
  for (float horizontal = 64.0f; horizontal < 5000.0f; horizontal *= 2.0f) {
    float leg = leg_coordinate(horizontal * horizontal / s2, range->axis, p), c[NODES];
    if (leg_time(&first, leg, p) < p->leg_bound || (LAW == CURVED_RAY && leg > (float)p->law_nodes)) continue;
    fit_times(leg, leg, 0.0f, range, node, c, p);
    UNROLL_ALL
    for (uint k = 0u; k < (uint)CHUNKS; k++) {
      float t = polynomial(c[0], c[1], c[2], c[3], own->x + PLACE_STEP * (float)k);
      float exact = 2.0f * leg_time(&own->terms[k], leg, p);
      /* Both legs are the same here: half the error; a float's rounding is not the velocity's fault. */
      error = MAX(error, 0.5f * ABS(t - exact) - 4e-7f * exact);
    }
  }
  return simd_most(error HERE) < 0.0027f;
}
#endif

/* True amplitudes' parts at the nodes make w. */
DEVICE_FUNCTION void fit_parts(const PRIVATE float *item, const PRIVATE range_view *range, const BOUND_SPACE float *node,
                               PRIVATE float *w, PARAMETERS *p) {
  float value[NODES];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)NODES; k++) {
    leg_terms m;
    node_terms(&m, range, node, k, p);
    float source_time, receiver_time, source_inverse, receiver_inverse;
    leg_pair(&m, item[0], item[1], &source_time, &receiver_time, &source_inverse, &receiver_inverse, p);
    value[k] = true_amplitude(source_inverse, receiver_inverse, source_time + receiver_time, p);
  }
  fit_polynomial(value, w);
}

/* Half-width from an item's projections and its legs' slopes a metre, over `common`. */
DEVICE_FUNCTION float width_of(const LOCAL float *item, float source_rate, float receiver_rate, float common, PARAMETERS *p) {
  float px = FMA(item[ITEM_PROJECTIONS], source_rate, item[ITEM_PROJECTIONS + 1] * receiver_rate);
  float py = FMA(item[ITEM_PROJECTIONS + 2], source_rate, item[ITEM_PROJECTIONS + 3] * receiver_rate);
  return MIN(triangle_half_width(px, py, common), (float)p->k_max);
}

/* Exact times of one sample: t and, where they are wanted, the half-width and a true amplitude's part. */
DEVICE_FUNCTION float exact_time(const LOCAL float *item, float source2, float receiver2, const PRIVATE leg_terms *m,
                                 const GLOBAL migrate_node *nodes, PRIVATE float *width, PRIVATE float *part, PARAMETERS *p) {
  *width = 1.0f, *part = 1.0f;
  if (!HAS_WIDTH && !IS_TRUE) return leg_time(m, source2, p) + leg_time(m, receiver2, p);
  float source_time, receiver_time, source_inverse, receiver_inverse;
  leg_pair(m, source2, receiver2, &source_time, &receiver_time, &source_inverse, &receiver_inverse, p);
  if (HAS_WIDTH && LAW == STRAIGHT) *width = width_of(item, source_inverse, receiver_inverse, m->s2, p);
  if (HAS_WIDTH && LAW != STRAIGHT)
    *width = width_of(item, leg_rate(m, source2, source_time, source_inverse, nodes, p),
                      leg_rate(m, receiver2, receiver_time, receiver_inverse, nodes, p), 1.0f, p);
  if (IS_TRUE) *part = true_amplitude(source_inverse, receiver_inverse, source_time + receiver_time, p);
  return source_time + receiver_time;
}

/* w times t^-p, or a true amplitude's part. */
DEVICE_FUNCTION float weighted(float w, float t, float part, PARAMETERS *p) {
  if (IS_TRUE) return w * part;
  return WEIGHT_POWER ? w * weight_of_time(MAX(t, p->shortest_time), WEIGHT_POWER) : w;
}

#endif
