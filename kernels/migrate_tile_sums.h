/* migrate_tile_sums.h - items of a list into a column's sums: those that cover the range, those that cover chunks of it, edges,
 * and those whose samples are tested one by one.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_SUMS_H
#define MOHO_KERNELS_MIGRATE_TILE_SUMS_H

#include "migrate_tile_times.h"

/* Items e .. e + TOGETHER - 1, each covering the range with one weight. First all reads, then all sums. */
DEVICE_FUNCTION void whole_items(PRIVATE tile_lane *own, const LOCAL float *items, uint e, int is_polynomial,
                                 const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p) {
  float value[TOGETHER * CHUNKS], weight[TOGETHER * CHUNKS];
  UNROLL_ALL
  for (uint k = 0u; k < (uint)TOGETHER; k++) {
    const LOCAL float *item = items + (e + k) * (uint)ITEM_WORDS;
    float4 head = LOCAL_LOAD4(items, (e + k) * 3u), tail = LOCAL_LOAD4(items, (e + k) * 3u + 1u);
    float4 last = is_polynomial && (HAS_WIDTH || IS_TRUE) ? LOCAL_LOAD4(items, (e + k) * 3u + 2u) : head;
    uint base = AS_UINT(head.w);
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      float width = 1.0f, part = 1.0f, t, u;
      if (is_polynomial) {
        float x = own->x + PLACE_STEP * (float)c;
        u = polynomial(head.x, head.y, head.z, tail.y, x);
        if (HAS_WIDTH) width = polynomial(tail.w, last.x, last.y, last.z, x);
        else if (IS_TRUE) part = polynomial(tail.w, last.x, last.y, last.z, x);
        t = WEIGHT_POWER && !NO_SHIFT ? u + tail.z : u;
      } else {
        t = exact_time(item, head.x, head.y, &own->terms[c], own->nodes, &width, &part, p);
        u = NO_SHIFT ? t : t - head.z;
      }
      value[k * (uint)CHUNKS + c] = trace_at(rows, base, u, width, sinc, p);
      weight[k * (uint)CHUNKS + c] = weighted(tail.x, t, part, p);
    }
  }
  UNROLL_ALL
  for (uint k = 0u; k < (uint)(TOGETHER * CHUNKS); k++)
    own->sum[k % (uint)CHUNKS] = FMA(weight[k], value[k], own->sum[k % (uint)CHUNKS]);
}

/* An item that does not cover the range with one weight, in one sample; `inverse` of the aperture's radius there. A lane beside
 * the interval reads somewhere near the record. */
DEVICE_FUNCTION float part_at(const LOCAL float *item, const PRIVATE leg_terms *m, const GLOBAL migrate_node *nodes,
                              float distance, float inverse, PRIVATE float *weight, const GLOBAL float *rows,
                              const GLOBAL float *sinc, PARAMETERS *p) {
  float4 head = LOCAL_LOAD4(item, 0);
  float width, part, t = exact_time(item, head.x, head.y, m, nodes, &width, &part, p);
  float u = NO_SHIFT ? t : MAX(t - head.z, -8.0f);
  *weight = weighted(item[ITEM_WEIGHT], t, part, p) * (p->taper_inv_fraction > 0.0f ? taper_at(distance, inverse, p) : 1.0f);
  return trace_at(rows, AS_UINT(head.w), MIN(u, p->high + 8.0f), width, sinc, p);
}

/* Items `bits` of the list's end that cover the samples of a chunk with one weight, TOGETHER at once; the others, fewer than
 * TOGETHER, are left. */
DEVICE_FUNCTION uint run_full_chunk(PRIVATE float *sum, const LOCAL float *last, uint bits, const PRIVATE leg_terms *m,
                                    const GLOBAL migrate_node *nodes, const GLOBAL float *rows, const GLOBAL float *sinc,
                                    PARAMETERS *p) {
  while (POPCOUNT(bits) >= (uint)TOGETHER) {
    float value[TOGETHER], weight[TOGETHER];
    UNROLL_ALL
    for (uint k = 0u; k < (uint)TOGETHER; k++) {
      const LOCAL float *item = last - CTZ(bits) * (uint)ITEM_WORDS;
      bits &= bits - 1u;
      float4 head = LOCAL_LOAD4(item, 0);
      float width, part, t = exact_time(item, head.x, head.y, m, nodes, &width, &part, p);
      value[k] = trace_at(rows, AS_UINT(head.w), NO_SHIFT ? t : t - head.z, width, sinc, p);
      weight[k] = weighted(item[ITEM_WEIGHT], t, part, p);
    }
    UNROLL_ALL
    for (uint k = 0u; k < (uint)TOGETHER; k++) *sum = FMA(weight[k], value[k], *sum);
  }
  return bits;
}

/* Items `bits` of the list's end in a chunk, two at once. mask: of the lane's own item, the samples inside. */
DEVICE_FUNCTION void run_edge_chunk(PRIVATE float *sum, PRIVATE int *count, const LOCAL float *last, uint bits, uint mask,
                                    const PRIVATE leg_terms *m, const GLOBAL migrate_node *nodes, float inverse,
                                    const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  uint lane_bit = 1u << SIMD_LANE;
  while (bits) {
    uint e = CTZ(bits), rest = bits & (bits - 1u), f = rest ? CTZ(rest) : e;
    uint inside = SIMD_SHUFFLE(mask, e), other_inside = SIMD_SHUFFLE(mask, f);
    const LOCAL float *item = last - e * (uint)ITEM_WORDS, *other = last - f * (uint)ITEM_WORDS;
    float weight, other_weight;
    float value = part_at(item, m, nodes, item[ITEM_DISTANCE], inverse, &weight, rows, sinc, p);
    float other_value = part_at(other, m, nodes, other[ITEM_DISTANCE], inverse, &other_weight, rows, sinc, p);
    other_inside = rest ? other_inside : 0u;
    bits = rest & (rest - 1u);
    if (inside & lane_bit) *sum = FMA(weight, value, *sum), *count += 1;
    if (other_inside & lane_bit) *sum = FMA(other_weight, other_value, *sum), *count += 1;
  }
}

/* Bit c: the lane's sample in chunk c is inside, of an item whose samples are tested one by one: rare. */
RARE_FUNCTION uint inside_tested(const LOCAL float *item, uint lane, uint begin, const GLOBAL migrate_trace *trace,
                                 const GLOBAL migrate_column *column, const PRIVATE range_view *range,
                                 const GLOBAL migrate_slowness *slowness, PARAMETERS *p) {
  const GLOBAL migrate_sample *axis = range->axis;
  trace_view view;
  uint bits = 0u;
  view.source2 = item[0], view.receiver2 = item[1], view.shift = item[2];
  view.midpoint2 = item[ITEM_DISTANCE], view.half_offset2 = item[ITEM_INTERVAL];
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = begin + 32u * c + lane;
    if (i >= p->n_time) break;
    if (HAS_MASK && !(range->mask[c] >> lane & 1u)) continue;
    const GLOBAL migrate_slowness *here = slowness + i * LAW_STRIDE;
    leg_terms m;
    terms_load(&m, axis + i, here, p);
    float t = leg_time(&m, view.source2, p) + leg_time(&m, view.receiver2, p); /* legs by their coordinates, as in the item */
    int inside = inside_or_doubtful(&view, t, m.s2, here->radius2, mute_of(axis + i, here, p), p);
    if (inside == 2) inside = inside_exactly(trace, column, axis + i, here, nodes_of(axis, p), p);
    if (HAS_WINDOW && (i < trace->first || i >= trace->end)) inside = 0;
    bits |= (uint)(inside != 0) << c;
  }
  return bits;
}

DEVICE_FUNCTION void terms_move(PRIVATE leg_terms *to, const PRIVATE leg_terms *from) {
  to->base = from->base, to->s2 = from->s2, to->a = from->a, to->b = from->b;
  to->squares = from->squares;
}

DEVICE_FUNCTION void next_chunk(PRIVATE tile_lane *own) {
  leg_terms terms;
  float sum = own->sum[0];
  int count = own->count[0];
  terms_move(&terms, &own->terms[0]);
  UNROLL_ALL
  for (uint c = 0u; c + 1u < (uint)CHUNKS; c++) {
    terms_move(&own->terms[c], &own->terms[c + 1u]);
    own->sum[c] = own->sum[c + 1u], own->count[c] = own->count[c + 1u];
  }
  terms_move(&own->terms[CHUNKS - 1], &terms);
  own->sum[CHUNKS - 1] = sum, own->count[CHUNKS - 1] = count;
}

/* Items whose samples are tested: rare. @return those of `bits` of which a sample was inside. */
DEVICE_FUNCTION uint run_tested(PRIVATE tile_lane *own, const LOCAL float *items, uint bits, uint begin, const LOCAL float *index,
                                const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                                const PRIVATE range_view *range, const GLOBAL migrate_slowness *slowness,
                                const GLOBAL float *rows, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  uint reached = 0u;
  for (; bits; bits &= bits - 1u) {
    uint e = CTZ(bits);
    const LOCAL float *item = items + ((uint)LIST_ITEMS - 1u - e) * (uint)ITEM_WORDS;
    const GLOBAL migrate_trace *trace = traces + AS_UINT(index[AS_UINT(item[ITEM_FLAGS]) >> 16]);
    uint inside = inside_tested(item, SIMD_LANE, begin, trace, column, range, slowness, p);
    reached |= SIMD_ANY(inside) ? 1u << e : 0u;
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      float inverse = inverse_radius(slowness[sample_of(begin, c, p HERE) * LAW_STRIDE].radius2), weight;
      float value = part_at(item, &own->terms[c], own->nodes, FAST_SQRT(item[ITEM_DISTANCE]), inverse, &weight, rows, sinc, p);
      if (inside >> c & 1u) own->sum[c] = FMA(weight, value, own->sum[c]), own->count[c] += 1;
    }
  }
  return reached;
}

/* The items of a list that do not cover the range: places LIST_ITEMS - 1, - 2 ... @return bit e: item e is tested and a
 * sample of it was inside. */
DEVICE_FUNCTION uint run_parts(PRIVATE tile_lane *own, const LOCAL float *items, uint n_parts, uint begin,
                               const LOCAL float *index, const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                               const PRIVATE range_view *range, const GLOBAL migrate_slowness *slowness, const GLOBAL float *rows,
                               const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
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
      full = run_full_chunk(&own->sum[0], last, full, &own->terms[0], own->nodes, rows, sinc, p);
      own->count[0] -= (int)POPCOUNT(full); /* those left are counted with the edges */
      float inverse = inverse_radius(slowness[sample_of(begin, c, p HERE) * LAW_STRIDE].radius2);
      run_edge_chunk(&own->sum[0], &own->count[0], last, edges | full, mask, &own->terms[0], own->nodes, inverse, rows, sinc,
                     p HERE);
      next_chunk(own);
    }
  }
  return tested ? run_tested(own, items, tested, begin, index, traces, column, range, slowness, rows, sinc, p HERE) : 0u;
}

#endif
