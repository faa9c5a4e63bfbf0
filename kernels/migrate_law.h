/* migrate_law.h - leg times of every law in a kernel: fast in float, and in split floats for the samples beside an edge.
 *
 * The formulas are physics.h's; LAW is the host's moho_traveltime. Straight rays take base = t1^2 from the axis and s2 from the
 * table; every other law has its terms in the table, behind a sample's slowness (migrate_device.h). A leg is known by its
 * coordinate: its squared length, for curved_ray its place between the nodes, node + fraction.
 */
#ifndef MOHO_KERNELS_MIGRATE_LAW_H
#define MOHO_KERNELS_MIGRATE_LAW_H

#include "migrate_device.h"
#include "physics.h"
#include "split_float.h"

#ifndef LAW
#define LAW (p->law)
#endif
#define STRAIGHT 0u
#define CURVED_LINEAR 1u
#define CURVED_RMS 2u
#define CURVED_RAY 3u
#define VTI 4u
#define VTI_RATIONAL 5u

#define PARAMETERS CONSTANT const migrate_device_parameters

/* Entries of the table a sample. */
#define LAW_STRIDE (LAW == STRAIGHT ? 1u : LAW == CURVED_RAY ? p->law_entries : MIGRATE_LAW_ENTRIES)

DEVICE_FUNCTION const GLOBAL migrate_terms *terms_of(const GLOBAL migrate_slowness *slowness) {
  return (const GLOBAL migrate_terms *)(slowness + 1);
}

/* physics.h's leg terms of a sample; curved_ray: squared times at the nodes. */
typedef struct leg_terms {
  float base, s2, a, b;
  const GLOBAL float *squares;
} leg_terms;

DEVICE_FUNCTION const GLOBAL float *squares_of(const GLOBAL migrate_slowness *slowness) {
  return (const GLOBAL float *)(slowness + MIGRATE_LAW_ENTRIES);
}

DEVICE_FUNCTION void terms_load(PRIVATE leg_terms *m, const GLOBAL migrate_sample *sample,
                                const GLOBAL migrate_slowness *slowness, PARAMETERS *p) {
  m->s2 = slowness->s2;
  m->base = LAW == STRAIGHT ? sample->t1sq : terms_of(slowness)->base;
  m->a = LAW == STRAIGHT ? 0.0f : terms_of(slowness)->a;
  m->b = LAW == STRAIGHT ? 0.0f : terms_of(slowness)->b;
  m->squares = squares_of(slowness);
}

DEVICE_FUNCTION const GLOBAL migrate_node *nodes_of(const GLOBAL migrate_sample *axis, PARAMETERS *p) {
  return (const GLOBAL migrate_node *)(axis + p->n_time);
}

/* The last node but one that is not beyond d2. */
DEVICE_FUNCTION uint node_before(const GLOBAL migrate_node *nodes, float d2, PARAMETERS *p) {
  uint low = 0u, high = p->law_nodes - 1u; /* nodes[low] <= d2 < nodes[high], or the last line goes on */
  while (high - low > 1u) {
    uint middle = (low + high) >> 1;
    if (nodes[middle].d2 <= d2) low = middle;
    else high = middle;
  }
  return low;
}

/* axis: from sample 0 on. */
DEVICE_FUNCTION float leg_coordinate(float d2, const GLOBAL migrate_sample *axis, PARAMETERS *p) {
  if (LAW != CURVED_RAY) return d2;
  const GLOBAL migrate_node *nodes = nodes_of(axis, p);
  uint node = node_before(nodes, d2, p);
  return (float)node + (d2 - nodes[node].d2) * nodes[node].inverse_step;
}

/* t^2 between two nodes, and what it grows by from one to the other. */
DEVICE_FUNCTION float squared_between(const PRIVATE leg_terms *m, float coordinate, PRIVATE float *growth, PARAMETERS *p) {
  float magic = ROUND_DOWN_ADD(MIN(coordinate, (float)(p->law_nodes - 2u)), KERN_MAGIC), before = magic - KERN_MAGIC;
  uint node = AS_UINT(magic) - KERN_MAGIC_BITS;
  *growth = m->squares[node + 1u] - m->squares[node];
  return FMA(coordinate - before, *growth, m->squares[node]);
}

DEVICE_FUNCTION float leg_time(const PRIVATE leg_terms *m, float leg, PARAMETERS *p) {
  float growth;
  if (LAW == CURVED_RAY) return FAST_SQRT(squared_between(m, leg, &growth, p));
  if (LAW == CURVED_LINEAR) return leg_time_linear(leg_squared_straight(m->base, leg, m->s2), p->law_c2);
  if (LAW == CURVED_RMS) return m->a + FAST_SQRT(leg_squared_straight(m->base, leg, m->s2));
  if (LAW == VTI) return FAST_SQRT(leg_squared_vti(m->base, leg, m->s2, m->a, m->b));
  if (LAW == VTI_RATIONAL) return FAST_SQRT(leg_squared_vti_rational(m->base, leg, m->s2, m->a));
  return FAST_SQRT(leg_squared_straight(m->base, leg, m->s2));
}

/* Slope along an axis a metre of the distance along it; t of leg_time(), inverse 1/t. */
DEVICE_FUNCTION float leg_rate(const PRIVATE leg_terms *m, float leg, float t, float inverse, const GLOBAL migrate_node *nodes,
                               PARAMETERS *p) {
  if (LAW == CURVED_RAY) {
    float growth, squared = squared_between(m, leg, &growth, p);
    (void)squared;
    return growth * nodes[(uint)MIN(leg, (float)(p->law_nodes - 2u))].inverse_step * inverse;
  }
  if (LAW == CURVED_LINEAR) return leg_slope_linear(1.0f, m->s2, leg_squared_straight(m->base, leg, m->s2), p->law_c2);
  if (LAW == CURVED_RMS) return m->s2 * FAST_RECIPROCAL(t - m->a);
  if (LAW == VTI) return leg_slope_vti(1.0f, m->base, leg, m->s2, m->a, m->b, inverse);
  if (LAW == VTI_RATIONAL) return leg_slope_vti_rational(1.0f, m->base, leg, m->s2, m->a, inverse);
  return m->s2 * inverse;
}

/* Half-offsets beyond the stretch mute: this against sample->mute of straight rays, else against the terms' mute2. */
DEVICE_FUNCTION float stretch_of(float half_offset2, float s2, PARAMETERS *p) {
  return LAW == STRAIGHT ? half_offset2 * s2 : half_offset2;
}

DEVICE_FUNCTION float mute_of(const GLOBAL migrate_sample *sample, const GLOBAL migrate_slowness *slowness, PARAMETERS *p) {
  return LAW == STRAIGHT ? sample->mute : terms_of(slowness)->mute2;
}

/* ---- in split floats ---- */

/* (sinh(c t)/c)^2 = t^2 sum 2^(2n+1) y^n/(2n+2)!, y = c2 t^2 <= 5.3: 18 terms leave less than 1e-14 of it. */
DEVICE_FUNCTION float2 squared_sinh_split(float2 t, float2 c2) {
  float2 t2 = split_product(t, t), y = split_product(c2, t2), sum = FLOAT2(1.0f, 0.0f);
  for (int n = 18; n > 0; n--) {
    float2 term = split_over(split_product(y, sum), (float)((2 * n + 1) * (n + 1)) * 0.5f);
    sum = split_add(FLOAT2(1.0f, 0.0f), term);
  }
  return split_product(t2, sum);
}

/* t of (sinh(c t)/c)^2 = q: one step of Newton's from the float's t. */
DEVICE_FUNCTION float2 linear_time_split(float2 q, float2 c2) {
  float guess = leg_time_linear(q.x, c2.x), growth = 2.0f * SQRT(q.x * FMA(c2.x, q.x, 1.0f));
  float2 rest = split_add(q, split_negative(squared_sinh_split(FLOAT2(guess, 0.0f), c2)));
  return split_normal(guess, rest.x / growth);
}

/* Between the two nodes, as the host does it in double. */
DEVICE_FUNCTION float2 ray_time_split(const GLOBAL float *squares, const GLOBAL migrate_node *nodes, float2 d2, PARAMETERS *p) {
  uint node = node_before(nodes, d2.x, p);
  const GLOBAL migrate_node *at = nodes + node;
  float2 past = split_add(d2, FLOAT2(-at->d2, -at->d2_low)), step = FLOAT2(at->inverse_step, at->inverse_low);
  float2 growth = split_sum(squares[node + 1u], -squares[node]);
  return split_root(split_add(FLOAT2(squares[node], 0.0f), split_product(split_product(past, step), growth)));
}

/* nodes: curved_ray's. */
RARE_FUNCTION float2 leg_time_split(const GLOBAL migrate_sample *sample, const GLOBAL migrate_slowness *slowness,
                                    const GLOBAL migrate_node *nodes, float2 d2, PARAMETERS *p) {
  if (LAW == CURVED_RAY) return ray_time_split(squares_of(slowness), nodes, d2, p);
  float2 s2 = FLOAT2(slowness->s2, slowness->s2_low), one = FLOAT2(1.0f, 0.0f);
  if (LAW == STRAIGHT) return split_root(split_add(FLOAT2(sample->t1sq, sample->t1sq_low), split_product(d2, s2)));
  const GLOBAL migrate_terms *m = terms_of(slowness);
  float2 base = FLOAT2(m->base, m->base_low), a = FLOAT2(m->a, m->a_low), b = FLOAT2(m->b, m->b_low);
  float2 far = split_product(d2, s2), q = split_add(base, far);
  if (LAW == CURVED_LINEAR) return linear_time_split(q, FLOAT2(p->law_c2, p->law_c2_low));
  if (LAW == CURVED_RMS) return split_add(a, split_root(q));
  if (LAW == VTI) {
    float2 root = split_root(split_add(split_product(q, q), split_product(b, d2)));
    return split_root(split_add(q, split_product(a, split_add(root, split_negative(q)))));
  }
  float2 share = split_quotient(far, split_add(split_product(a, far), q));
  return split_root(split_add(base, split_product(far, split_add(one, split_negative(split_product(a, share))))));
}

/* The slope jumps from node to node: here the low parts count. */
DEVICE_FUNCTION float2 ray_rate_split(const GLOBAL float *squares, const GLOBAL migrate_node *nodes, float2 d2, float2 t,
                                      PARAMETERS *p) {
  uint node = node_before(nodes, d2.x, p);
  if (node > 0u && split_exceeds(FLOAT2(nodes[node].d2, nodes[node].d2_low), d2)) node--;
  float2 growth = split_sum(squares[node + 1u], -squares[node]), step = FLOAT2(nodes[node].inverse_step, nodes[node].inverse_low);
  return split_quotient(split_product(growth, step), t);
}

/* Slope a metre of the distance, as leg_rate(); the leg's time is not 0. */
RARE_FUNCTION float2 leg_rate_split(const GLOBAL migrate_sample *sample, const GLOBAL migrate_slowness *slowness,
                                    const GLOBAL migrate_node *nodes, float2 d2, PARAMETERS *p) {
  float2 t = leg_time_split(sample, slowness, nodes, d2, p), s2 = FLOAT2(slowness->s2, slowness->s2_low);
  if (LAW == STRAIGHT) return split_quotient(s2, t);
  if (LAW == CURVED_RAY) return ray_rate_split(squares_of(slowness), nodes, d2, t, p);
  const GLOBAL migrate_terms *m = terms_of(slowness);
  float2 base = FLOAT2(m->base, m->base_low), a = FLOAT2(m->a, m->a_low), b = FLOAT2(m->b, m->b_low), one = FLOAT2(1.0f, 0.0f);
  float2 far = split_product(d2, s2), q = split_add(base, far);
  if (LAW == CURVED_LINEAR) {
    float2 bent = split_add(one, split_product(FLOAT2(p->law_c2, p->law_c2_low), q));
    return split_quotient(s2, split_root(split_product(q, bent)));
  }
  if (LAW == CURVED_RMS) return split_quotient(s2, split_root(q));
  if (LAW == VTI) {
    float2 root = split_root(split_add(split_product(q, q), split_product(b, d2)));
    float2 rise = split_add(split_product(q, s2), FLOAT2(0.5f * b.x, 0.5f * b.y));
    float2 more = split_product(a, split_add(split_quotient(rise, root), split_negative(s2)));
    return split_quotient(split_add(s2, more), t);
  }
  float2 inverse = split_quotient(one, split_add(split_product(a, far), q));
  float2 share = split_product(split_product(a, split_product(far, inverse)), split_add(split_product(base, inverse), one));
  return split_quotient(split_product(s2, split_add(one, split_negative(share))), t);
}

#endif
