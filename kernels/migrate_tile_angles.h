/* migrate_tile_angles.h - items of a list into bins by opening angle (src/migrate/opening_angle.h tells what it is).
 *
 * The bin of a lane's sample changes slowly from trace to trace: the lane holds sum and count of one bin, and when that changes
 * they go to memory and those of the other come. In all its bins a sample is one lane's alone, so no atomics are needed, and each
 * bin's sum takes its traces in the list's order. Every sample has its angle evaluated: cosines in float with a bound on their
 * error, and beside an edge in split floats, which makes the bins' folds exact.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_ANGLES_H
#define MOHO_KERNELS_MIGRATE_TILE_ANGLES_H

#include "migrate_tile_sums.h"

/* ---- which bin ---- */

/* Bin k holds cosines in (limits[k + 1], limits[k]]: with `edges` limits at or above its cosine a sample is in bin edges - 1. */
DEVICE_FUNCTION int is_binned(uint edges, PARAMETERS *p) {
  return edges - 1u < p->n_limits - 1u; /* 0 wraps round */
}

DEVICE_FUNCTION float upper_limit(const GLOBAL migrate_split *limits, uint edges) {
  return edges > 0u ? limits[edges - 1u].value : 3e38f;
}

DEVICE_FUNCTION float lower_limit(const GLOBAL migrate_split *limits, uint edges, PARAMETERS *p) {
  return edges < p->n_limits ? limits[edges].value : -3e38f;
}

/* Squared sines of inclination beyond this of themselves are doubtful: some fifteen roundings, more where laws are long. */
#define SINE2_DOUBT (LAW == STRAIGHT ? 2e-6f : 4e-6f)

/* Cosine of the opening angle; rates: v_int dt times the leg's slope a metre, so that rate times distance is the sine of its
 * inclination; across: the product of both legs' vectors on the ground. The error of a^2 and b^2 weighs most where the root of
 * their rests is small. */
DEVICE_FUNCTION float cosine_of(float source2, float receiver2, float across, float source_rate, float receiver_rate,
                                PRIVATE float *doubt, PARAMETERS *p) {
  float a2 = source_rate * source_rate * source2, b2 = receiver_rate * receiver_rate * receiver2;
  float product = source_rate * receiver_rate * across, under = (1.0f - a2) * (1.0f - b2);
  if (MAX(a2, b2) > 1.0f) { /* beyond the horizontal: sines are cut at 1 */
    product *= FAST_RSQRT(MAX(a2, 1.0f) * MAX(b2, 1.0f));
    under = 0.0f;
  }
  float inverse = FAST_RSQRT(MAX(under, 1e-6f));
  *doubt = FMA(a2 + b2, SINE2_DOUBT * inverse, 5e-7f);
  return FMA(under, inverse, product);
}

/* The same in split floats. */
DEVICE_FUNCTION float2 cosine_split(float2 source_rate, float2 receiver_rate, float2 source2, float2 receiver2, float2 across) {
  float2 one = FLOAT2(1.0f, 0.0f);
  float2 a2 = split_product(split_product(source_rate, source_rate), source2);
  float2 b2 = split_product(split_product(receiver_rate, receiver_rate), receiver2);
  float2 cosine = split_product(split_product(source_rate, receiver_rate), across);
  if (split_exceeds(a2, one)) cosine = split_quotient(cosine, split_root(a2));
  if (split_exceeds(b2, one)) cosine = split_quotient(cosine, split_root(b2));
  if (!split_exceeds(one, a2) || !split_exceeds(one, b2)) return cosine;
  float2 under = split_product(split_add(one, split_negative(a2)), split_add(one, split_negative(b2)));
  return split_add(cosine, split_root(under));
}

/* How many limits are at or above the cosine of the opening angle, exactly (but for 1e-13). */
RARE_FUNCTION uint edges_exactly(const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column,
                                 const GLOBAL migrate_sample *sample, const GLOBAL migrate_slowness *slowness,
                                 const GLOBAL migrate_node *nodes, const GLOBAL migrate_split *v_dt,
                                 const GLOBAL migrate_split *limits, PARAMETERS *p) {
  float2 x = FLOAT2(column->x, column->x_low), y = FLOAT2(column->y, column->y_low), v = FLOAT2(v_dt->value, v_dt->low);
  float2 sx = split_add(x, FLOAT2(-trace->source_x, -trace->source_x_low));
  float2 sy = split_add(y, FLOAT2(-trace->source_y, -trace->source_y_low));
  float2 rx = split_add(x, FLOAT2(-trace->receiver_x, -trace->receiver_x_low));
  float2 ry = split_add(y, FLOAT2(-trace->receiver_y, -trace->receiver_y_low));
  float2 source2 = split_add(split_product(sx, sx), split_product(sy, sy));
  float2 receiver2 = split_add(split_product(rx, rx), split_product(ry, ry));
  float2 across = split_add(split_product(sx, rx), split_product(sy, ry));
  float2 source_rate = split_product(v, leg_rate_split(sample, slowness, nodes, source2, p));
  float2 receiver_rate = split_product(v, leg_rate_split(sample, slowness, nodes, receiver2, p));
  float2 cosine = cosine_split(source_rate, receiver_rate, source2, receiver2, across);
  uint edges = 0u;
  while (edges < p->n_limits && !split_exceeds(cosine, FLOAT2(limits[edges].value, limits[edges].low))) edges++;
  return edges;
}

/* From the float, where it can tell; else ~0. */
DEVICE_FUNCTION uint edges_or_doubtful(const GLOBAL migrate_split *limits, float cosine, float doubt, PARAMETERS *p) {
  uint low = 0u, high = p->n_limits;
  while (low < high) {
    uint middle = (low + high) >> 1;
    if (limits[middle].value >= cosine) low = middle + 1u;
    else high = middle;
  }
  int is_sure = cosine < upper_limit(limits, low) - doubt && cosine > lower_limit(limits, low, p) + doubt;
  return is_sure ? low : 0xffffffffu;
}

/* ---- sums ---- */

DEVICE_FUNCTION void begin_bins(PRIVATE tile_lane *own, uint begin, const PRIVATE tile_bins *bins, PARAMETERS *p HERE_PARAMETER) {
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    own->v_dt[c] = bins->v_dt[sample_of(begin, c, p HERE)].value;
    own->edges[c] = 0xffffffffu, own->lower[c] = 3e38f, own->upper[c] = -3e38f;
    own->sum[c] = 0.0f, own->count[c] = 0;
  }
}

/* Sum and count of a chunk's bin into memory. i: the lane's sample. */
DEVICE_FUNCTION void keep_bin(const PRIVATE tile_lane *own, uint c, uint i, const PRIVATE tile_bins *bins, PARAMETERS *p) {
  if (!is_binned(own->edges[c], p)) return;
  uint at = (own->edges[c] - 1u) * p->bin_stride + i;
  bins->image[at] = own->sum[c];
  bins->fold[at] += own->count[c];
}

DEVICE_FUNCTION void change_bin(PRIVATE tile_lane *own, uint c, uint i, uint edges, const PRIVATE tile_bins *bins,
                                PARAMETERS *p) {
  keep_bin(own, c, i, bins, p);
  own->edges[c] = edges;
  own->lower[c] = lower_limit(bins->limits, edges, p), own->upper[c] = upper_limit(bins->limits, edges);
  own->sum[c] = is_binned(edges, p) ? bins->image[(edges - 1u) * p->bin_stride + i] : 0.0f;
  own->count[c] = 0;
}

DEVICE_FUNCTION void keep_bins(const PRIVATE tile_lane *own, uint begin, const PRIVATE tile_bins *bins,
                               PARAMETERS *p HERE_PARAMETER) {
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) keep_bin(own, c, sample_of(begin, c, p HERE), bins, p);
}

/* The squared length that a leg's coordinate stands for. */
DEVICE_FUNCTION float leg_distance2(float leg, const GLOBAL migrate_node *nodes, PARAMETERS *p) {
  if (LAW != CURVED_RAY) return leg;
  uint node = (uint)MIN(leg, (float)(p->law_nodes - 2u));
  return FMA(leg - (float)node, FAST_RECIPROCAL(nodes[node].inverse_step), nodes[node].d2);
}

/* How far a place between nodes is from the nearest. */
DEVICE_FUNCTION float from_a_node(float place) {
  float nearest = ROUND_DOWN_ADD(place + 0.5f, KERN_MAGIC) - KERN_MAGIC;
  return ABS(place - nearest);
}

/* What an item adds to the lane's sample of the chunk in hand, and the cosine there. */
DEVICE_FUNCTION float angled_part(const PRIVATE tile_lane *own, const LOCAL float *item, float across, PRIVATE float *cosine,
                                  PRIVATE float *doubt, const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p) {
  const PRIVATE leg_terms *m = &own->terms[0];
  float4 head = LOCAL_LOAD4(item, 0);
  float source_time, receiver_time, source_inverse, receiver_inverse, width = 1.0f, part = 1.0f, v = own->v_dt[0];
  leg_pair(m, head.x, head.y, &source_time, &receiver_time, &source_inverse, &receiver_inverse, p);
  float source_rate = leg_rate(m, head.x, source_time, source_inverse, own->nodes, p);
  float receiver_rate = leg_rate(m, head.y, receiver_time, receiver_inverse, own->nodes, p);
  float t = source_time + receiver_time, u = NO_SHIFT ? t : MAX(t - head.z, -8.0f);
  if (HAS_WIDTH) width = width_of(item, source_rate, receiver_rate, 1.0f, p);
  if (IS_TRUE) part = true_amplitude(source_inverse, receiver_inverse, t, p);
  *cosine = cosine_of(leg_distance2(head.x, own->nodes, p), leg_distance2(head.y, own->nodes, p), across, v * source_rate,
                      v * receiver_rate, doubt, p);
  /* Slopes jump at nodes, which a float may be beside. */
  if (LAW == CURVED_RAY && MIN(from_a_node(head.x), from_a_node(head.y)) < 1e-4f) *doubt = 4.0f;
  return weighted(item[ITEM_WEIGHT], t, part, p) * trace_at(rows, AS_UINT(head.w), MIN(u, p->high + 8.0f), width, sinc, p);
}

/* Items of a list by their number, and what they need besides. */
typedef struct angled_list {
  const LOCAL float *items, *across, *index;
  const GLOBAL migrate_trace *traces;
  const GLOBAL migrate_column *column;
  const PRIVATE range_view *range;
  const GLOBAL migrate_slowness *slowness;
  const PRIVATE tile_bins *bins;
} angled_list;

DEVICE_FUNCTION const LOCAL float *angled_item(const PRIVATE angled_list *list, uint e) {
  return list->items + ((uint)LIST_ITEMS - 1u - e) * (uint)ITEM_WORDS;
}

DEVICE_FUNCTION const GLOBAL migrate_trace *trace_of(const PRIVATE angled_list *list, const LOCAL float *item) {
  return list->traces + AS_UINT(list->index[AS_UINT(item[ITEM_FLAGS]) >> 16]);
}

/* Of the midpoint from the column. */
DEVICE_FUNCTION float distance_of(const LOCAL float *item) {
  return AS_UINT(item[ITEM_FLAGS]) & ITEM_TESTED ? FAST_SQRT(item[ITEM_DISTANCE]) : item[ITEM_DISTANCE];
}

/* The value of item e into the bin of its angle, at the lane's sample i. @return 1 where it fell into one */
DEVICE_FUNCTION int add_angled(PRIVATE tile_lane *own, const PRIVATE angled_list *list, uint e, uint i, float value, float cosine,
                               float doubt, PARAMETERS *p) {
  if (!(cosine < own->upper[0] - doubt && cosine > own->lower[0] + doubt)) {
    const PRIVATE tile_bins *bins = list->bins;
    uint edges = edges_or_doubtful(bins->limits, cosine, doubt, p);
    if (edges == 0xffffffffu) {
      edges = edges_exactly(trace_of(list, angled_item(list, e)), list->column, list->range->axis + i,
                            list->slowness + i * LAW_STRIDE, own->nodes, bins->v_dt + i, bins->limits, p);
    }
    if (edges != own->edges[0]) change_bin(own, 0u, i, edges, bins, p);
  }
  if (!is_binned(own->edges[0], p)) return 0;
  own->sum[0] += value, own->count[0] += 1;
  return 1;
}

/* Items `bits` into the chunk in hand, two at once. inside, tapers: of the lane's own item, the samples inside; whether they
 * are tapered. @return those of which a sample of the lane's fell into a bin. */
DEVICE_FUNCTION uint run_angled_chunk(PRIVATE tile_lane *own, const PRIVATE angled_list *list, uint bits, uint inside,
                                      uint tapers, uint i, const GLOBAL float *rows, const GLOBAL float *sinc,
                                      PARAMETERS *p HERE_PARAMETER) {
  float inverse = inverse_radius(list->slowness[i * LAW_STRIDE].radius2);
  uint found = 0u;
  while (bits) {
    uint e = CTZ(bits), rest = bits & (bits - 1u), f = rest ? CTZ(rest) : e;
    uint mask = SIMD_SHUFFLE(inside, e), other_mask = SIMD_SHUFFLE(inside, f);
    const LOCAL float *item = angled_item(list, e), *other = angled_item(list, f);
    float cosine, doubt, other_cosine, other_doubt;
    float value = angled_part(own, item, list->across[(uint)LIST_ITEMS - 1u - e], &cosine, &doubt, rows, sinc, p);
    float other_value =
        angled_part(own, other, list->across[(uint)LIST_ITEMS - 1u - f], &other_cosine, &other_doubt, rows, sinc, p);
    if (tapers >> e & 1u) value *= taper_at(distance_of(item), inverse, p);
    if (tapers >> f & 1u) other_value *= taper_at(distance_of(other), inverse, p);
    other_mask = rest ? other_mask : 0u;
    bits = rest & (rest - 1u);
    if (mask >> SIMD_LANE & 1u) found |= (uint)add_angled(own, list, e, i, value, cosine, doubt, p) << e;
    if (other_mask >> SIMD_LANE & 1u) found |= (uint)add_angled(own, list, f, i, other_value, other_cosine, other_doubt, p) << f;
  }
  return found;
}

DEVICE_FUNCTION void next_bin(PRIVATE tile_lane *own) {
  float v_dt = own->v_dt[0], lower = own->lower[0], upper = own->upper[0];
  uint edges = own->edges[0];
  UNROLL_ALL
  for (uint c = 0u; c + 1u < (uint)CHUNKS; c++) {
    own->v_dt[c] = own->v_dt[c + 1u], own->edges[c] = own->edges[c + 1u];
    own->lower[c] = own->lower[c + 1u], own->upper[c] = own->upper[c + 1u];
  }
  own->v_dt[CHUNKS - 1] = v_dt, own->edges[CHUNKS - 1] = edges;
  own->lower[CHUNKS - 1] = lower, own->upper[CHUNKS - 1] = upper;
}

/* The items of a list, none of which covers the range: run_parts() tells where they lie. @return bit e: a sample of item e fell
 * into a bin. */
DEVICE_FUNCTION uint run_parts_by_angle(PRIVATE tile_lane *own, const PRIVATE angled_list *list, uint n_parts, uint begin,
                                        const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  const LOCAL float *mine = angled_item(list, SIMD_LANE);
  uint flags = SIMD_LANE < n_parts ? AS_UINT(mine[ITEM_FLAGS]) : 0u, found = 0u;
  uint interval = SIMD_LANE < n_parts ? AS_UINT(mine[ITEM_INTERVAL]) : 0u;
  uint tested = SIMD_BALLOT(flags & ITEM_TESTED);
  UNROLL(1)
  for (uint c = 0u; c < (uint)CHUNKS; c++) { /* the chunk in hand is number 0; they go round */
    uint kind = flags & ITEM_TESTED ? CHUNK_NONE : flags >> (2u * c) & 3u;
    uint inside = kind == CHUNK_NONE ? 0u : chunk_mask(interval, c);
    uint tapers = SIMD_BALLOT(kind == CHUNK_TAPERED);
    if (HAS_MASK) inside &= list->range->mask[c];
    if (p->taper_inv_fraction > 0.0f) tapers |= tested;
    for (uint rest = tested; rest; rest &= rest - 1u) {
      uint e = CTZ(rest);
      const LOCAL float *item = angled_item(list, e);
      uint bits = inside_tested(item, SIMD_LANE, begin, trace_of(list, item), list->column, list->range, list->slowness, p);
      uint all = SIMD_BALLOT(bits >> c & 1u);
      if (SIMD_LANE == e) inside = all;
    }
    found |= run_angled_chunk(own, list, SIMD_BALLOT(inside), inside, tapers, sample_of(begin, c, p HERE), rows, sinc, p HERE);
    next_chunk(own);
    next_bin(own);
  }
  for (uint mask = 16u; mask > 0u; mask >>= 1) {
    uint other = SIMD_SHUFFLE_XOR(found, mask);
    found |= other;
  }
  return found;
}

#endif
