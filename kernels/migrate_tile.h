/* migrate_tile.h - one work item of v2 and v3: a tile of neighbouring columns and a range of their samples, all traces.
 *
 * A SIMD group owns one column; its lanes lie along time, every lane holds CHUNKS samples 32 apart in registers. Traces pass
 * in blocks: each lane stages one trace if it can reach the tile (geometry in group memory, in ascending order), then each
 * SIMD group looks at 32 staged traces at once, one a lane: from bounds over the range a lane decides whether its trace
 * touches none, all or some of the column's samples, in the last case which interval (edges too near for a float by split
 * floats, migrate_sample.h), and writes an item (48 bytes) to a list. Traces that cover the whole range with one weight come
 * first, in a loop without tests, TOGETHER at once to have enough reads under way. The others go chunk by chunk: skipped,
 * without tests where they are covered, clipped to the interval at its edges, with the taper of each sample. Only where t may
 * fall with t0, or a stretch mute cuts, samples are tested one by one. Sums take staged traces in ascending number, of each 32
 * the whole ones before the others, up to TOGETHER - 1 whole ones waiting for the next 32: one order whatever the schedule (it
 * changes with the cut into batches, by rounding).
 *
 * With POLYNOMIAL (v3) the sum of the two leg times over a range of 128 samples is interpolated: four exact evaluations by one
 * lane make a polynomial of degree 3 in t0 for all samples. Error of a leg that lasts p->leg_bound or more: below 0.0025
 * samples for smooth velocity (docs/kernels.md); the group tries its own column's velocity on probing distances first, and
 * where that or the bound fails evaluates exactly. Any law that gives a leg time costs the same in the loop.
 */
#ifndef MOHO_KERNELS_MIGRATE_TILE_H
#define MOHO_KERNELS_MIGRATE_TILE_H

#include "migrate_tile_angles.h"
#include "migrate_tile_interval.h"

#ifndef BOUNDS_GIVEN
DEVICE_FUNCTION void keep_terms(LOCAL float *to, const PRIVATE leg_terms *m) {
  to[0] = m->base, to[1] = m->s2, to[2] = m->a, to[3] = m->b;
}

DEVICE_FUNCTION void load_column(PRIVATE tile_lane *own, uint begin, const GLOBAL migrate_column *column,
                                 const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *table,
                                 const GLOBAL float *image, LOCAL float *bound, PARAMETERS *p HERE_PARAMETER) {
  uint row = own->is_real ? column->row : 0u;
  float first = 3e38f, last = 0.0f, least = 3e38f, most = 0.0f, smallest = 3e38f, largest = 0.0f, mute_first = 3e38f,
        mute_last = 0.0f, leg2 = 3e38f;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = sample_of(begin, c, p HERE), next = MIN(i + 1u, p->n_time - 1u);
    const GLOBAL migrate_slowness *slowness = table + row * p->table_stride + i * LAW_STRIDE;
    float radius2 = slowness->radius2, mute = mute_of(axis + i, slowness, p);
    PRIVATE leg_terms *m = &own->terms[c];
    terms_load(m, axis + i, slowness, p);
    own->sum[c] = own->is_real && begin + 32u * c + SIMD_LANE < p->n_time ? image[row * p->image_stride + i] : 0.0f;
    own->count[c] = 0;
    first = MIN(first, m->base), last = MAX(last, m->base);
    least = MIN(least, m->s2), most = MAX(most, m->s2);
    smallest = MIN(smallest, radius2), largest = MAX(largest, radius2);
    mute_first = MIN(mute_first, mute), mute_last = MAX(mute_last, mute);
    if (LAW == STRAIGHT) {
      /* A leg grows from i to the next sample when t1sq grows by more than its squared length times the fall of s2. */
      float fall = m->s2 - table[row * p->table_stride + next].s2;
      if (fall > 0.0f) leg2 = MIN(leg2, (axis[next].t1sq - axis[i].t1sq) / fall);
    } else {
      leg2 = MIN(leg2, terms_of(slowness)->grows2);
      if (c == 0u && SIMD_LANE == 0u) keep_terms(bound + BOUND_FIRST_TERMS, m);
      if (c == (uint)CHUNKS - 1u && SIMD_LANE == 31u) keep_terms(bound + BOUND_LAST_TERMS, m);
    }
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
    bound[BOUND_RADIUS2_LAST] = own->is_real ? h : -1.0f; /* every distance is beyond */
    bound[BOUND_MUTE_FIRST] = k;
    bound[BOUND_MUTE_LAST] = l;
    bound[BOUND_INVERSE_FIRST] = g > 4e-6f ? inverse_radius(g) : 3e38f;
    /* s2 of two samples may differ by less than its rounding: the quotient's tenth is surely too small. */
    bound[BOUND_LEG2] = LAW == STRAIGHT ? 0.1f * m : m;
  }
  own->nodes = nodes_of(axis, p);
  own->x = (2.0f * (float)SIMD_LANE + 1.0f) / (float)RANGE - 1.0f;
}
#endif

/* What the mutes by offset leave of samples [begin, begin + n): first | end << 16; 0: nothing. */
DEVICE_FUNCTION uint window_of(const GLOBAL migrate_trace *trace, uint begin, uint n) {
  uint first = MAX(trace->first, begin) - begin, end = MIN(MAX(trace->end, begin) - begin, n);
  return first < end ? first | end << 16 : 0u;
}

/* One lane's trace of the staged ones into an item, or nothing. @return its base word, flags in item[ITEM_FLAGS]; ~0 nothing. */
DEVICE_FUNCTION uint make_item(const LOCAL float *staged, uint place, const GLOBAL migrate_trace *trace,
                               const GLOBAL migrate_column *column, const PRIVATE range_view *range,
                               const BOUND_SPACE float *bound, const BOUND_SPACE float *node, int is_smooth, uint begin,
                               PRIVATE float *item, PARAMETERS *p) {
  trace_view view;
  view_staged(&view, staged, column);
  view.source2 = leg_coordinate(view.source2, range->axis, p), view.receiver2 = leg_coordinate(view.receiver2, range->axis, p);
  uint n = range->n;
  float shortest, earliest, latest, weight = staged[STAGED_SCALE], distance = FAST_SQRT(view.midpoint2);
  uint kind = classify(&view, range, bound, &shortest, &earliest, &latest, p), base = AS_UINT(staged[STAGED_BASE]), flags = 0u;
  if (kind == RANGE_NONE) return 0xffffffffu;
  uint window = HAS_WINDOW ? window_of(trace, begin, n) : n << 16;
  if (window == 0u) return 0xffffffffu;
  if (kind == RANGE_ALL && (window != n << 16 || HAS_ANGLES || (HAS_MASK && !has_every_chunk(range)))) kind = RANGE_WINDOW;
  int is_tapered = distance * bound[BOUND_INVERSE_FIRST] > p->taper_begin;
  if (is_tapered && bound[BOUND_RADIUS2_FIRST] == bound[BOUND_RADIUS2_LAST] && kind != RANGE_TESTED) {
    weight *= taper_at(distance, bound[BOUND_INVERSE_FIRST], p); /* the radius is at its largest: one taper */
    is_tapered = 0, distance = 0.0f;
  }
  item[0] = view.source2, item[1] = view.receiver2, item[2] = view.shift;
  item[ITEM_WEIGHT] = weight;
  item[ITEM_DISTANCE] = distance;
  if (HAS_ANGLES) item[ITEM_ACROSS] = FMA(view.source_x, view.receiver_x, view.source_y * view.receiver_y);
  if (HAS_WIDTH) {
    float spacing = staged[STAGED_SPACING];
    item[ITEM_PROJECTIONS] = spacing * FMA(view.source_x, column->along_x, view.source_y * column->along_y);
    item[ITEM_PROJECTIONS + 1] = spacing * FMA(view.receiver_x, column->along_x, view.receiver_y * column->along_y);
    item[ITEM_PROJECTIONS + 2] = spacing * FMA(view.source_x, column->across_x, view.source_y * column->across_y);
    item[ITEM_PROJECTIONS + 3] = spacing * FMA(view.receiver_x, column->across_x, view.receiver_y * column->across_y);
  }
  if (kind == RANGE_TESTED) {
    flags = ITEM_TESTED;
    item[ITEM_DISTANCE] = view.midpoint2, item[ITEM_INTERVAL] = view.half_offset2;
  } else if (kind == RANGE_ALL && !is_tapered) { /* window: the whole range */
    base |= BASE_WHOLE;
#ifdef POLYNOMIAL
    float c[NODES], w[NODES] = {0};
    if (is_smooth && shortest >= p->leg_bound && !(HAS_WIDTH && IS_TRUE) && (!HAS_WIDTH || fit_widths(item, range, node, w, p))) {
      if (IS_TRUE) fit_parts(item, range, node, w, p);
      fit_times(view.source2, view.receiver2, view.shift, range, node, c, p);
      item[0] = c[0], item[1] = c[1], item[2] = c[2];
      item[5] = c[3], item[6] = view.shift;
      item[7] = w[0], item[8] = w[1], item[9] = w[2], item[10] = w[3];
      return base | BASE_POLYNOMIAL;
    }
#endif
  } else {
    uint interval = n << 16;
    if (kind == RANGE_PART) {
      edge_search search;
      search.axis = range->axis + begin, search.slowness = range->slowness, search.n = n;
      search.nodes = nodes_of(range->axis, p);
      search.source2 = view.source2, search.receiver2 = view.receiver2;
      search.midpoint2 = view.midpoint2, search.shift = view.shift;
      interval = find_interval(&search, bound, earliest, latest, trace, column, p);
    }
    uint first = MAX(interval & 0xffffu, window & 0xffffu), end = MIN(interval >> 16, window >> 16);
    interval = first | end << 16;
    if (first >= end) return 0xffffffffu;
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      int here = first < 32u * c + 32u && end > 32u * c, tapers = 0;
      if (HAS_MASK && here) here = (chunk_mask(first | end << 16, c) & range->mask[c]) != 0u;
      if (is_tapered && here) {
        uint i = MAX(32u * c, first);
        tapers = distance * inverse_radius(range->slowness[i * LAW_STRIDE].radius2) > p->taper_begin;
      }
      int is_full = first <= 32u * c && end >= 32u * c + 32u;
      flags |= (here ? tapers ? CHUNK_TAPERED : is_full ? CHUNK_FULL : CHUNK_PLAIN : CHUNK_NONE) << (2u * c);
    }
    if (HAS_MASK && flags == 0u) return 0xffffffffu;
    item[ITEM_INTERVAL] = AS_FLOAT(interval);
  }
  (void)node;
  (void)is_smooth;
  (void)shortest;
  item[ITEM_FLAGS] = AS_FLOAT(flags | place << 16);
  return base;
}

#ifndef BOUNDS_GIVEN
DEVICE_FUNCTION void write_item(LOCAL float *to, const PRIVATE float *item, uint base) {
  UNROLL_ALL
  for (uint k = 0u; k < (uint)ITEM_WORDS; k++) to[k] = k == (uint)ITEM_BASE ? AS_FLOAT(base & BASE_MASK) : item[k];
}

DEVICE_FUNCTION uint rounded_up(uint n) {
  return (n + (uint)TOGETHER - 1u) & ~((uint)TOGETHER - 1u);
}

/* Up to 32 staged traces into one column. @return bits of the traces that have a contribution. */
DEVICE_FUNCTION uint run_step(PRIVATE tile_lane *own, PRIVATE uint *waiting, LOCAL float *block, uint step, uint total,
                              uint begin, int is_smooth, const GLOBAL migrate_trace *traces, const GLOBAL migrate_column *column,
                              const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness, const GLOBAL uint *mask,
                              const PRIVATE tile_bins *bins, const GLOBAL float *rows, const GLOBAL float *sinc,
                              PARAMETERS *p HERE_PARAMETER) {
  const LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)BOUND_WORDS;
  const LOCAL float *node = block + NODE_AT + SIMD_GROUP * (uint)(NODE_WORDS * NODES);
  LOCAL float *items = block + ITEM_AT + SIMD_GROUP * (uint)(LIST_ITEMS * ITEM_WORDS);
  uint place = 32u * step + SIMD_LANE, base = 0xffffffffu;
  range_view range;
  range.axis = axis, range.slowness = slowness + begin * LAW_STRIDE, range.n = MIN((uint)RANGE, p->n_time - begin);
  range.mask = mask;
  float item[ITEM_MADE_WORDS] = {0}; /* lanes without an item write it nowhere */
  if (place < total && (HAS_MASK ? own->is_real : column->row != 0xffffffffu))
    base = make_item(block + place * (uint)STAGED_WORDS, place, traces + AS_UINT(block[(uint)INDEX_AT + place]), column, &range,
                     bound, node, is_smooth, begin, item, p);
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
  if (HAS_ANGLES && is_listed) block[(uint)ACROSS_AT + SIMD_GROUP * (uint)LIST_ITEMS + at] = item[ITEM_ACROSS];
  item[ITEM_WEIGHT] = 0.0f;
  if (is_other && at + 1u == n_main + n_other) /* the last one fills their places up, without weight */
    for (uint k = n_other; k < rounded_up(n_other); k++) write_item(items + (n_main + k) * (uint)ITEM_WORDS, item, base);
  SIMD_BARRIER();
  int n_whole = (int)(POPCOUNT(mains) + n_other);
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) own->count[c] += n_whole;
  uint reached = mains | others | (HAS_ANGLES ? 0u : parts & ~tested);
  for (uint e = 0u; e < whole_main; e += (uint)TOGETHER) whole_items(own, items, e, IS_POLYNOMIAL, rows, sinc, p);
#ifdef POLYNOMIAL
  for (uint e = 0u; e < n_other; e += (uint)TOGETHER) whole_items(own, items, n_main + e, 0, rows, sinc, p);
#endif
  *waiting = n_main - whole_main;
  uint found = 0u;
  if (HAS_ANGLES) {
    angled_list list;
    list.items = items, list.across = block + ACROSS_AT + SIMD_GROUP * (uint)LIST_ITEMS, list.index = block + INDEX_AT;
    list.traces = traces, list.column = column, list.range = &range, list.slowness = slowness, list.bins = bins;
    found = run_parts_by_angle(own, &list, POPCOUNT(parts), begin, rows, sinc, p HERE);
  } else
    found = run_parts(own, items, POPCOUNT(parts), begin, block + INDEX_AT, traces, column, &range, slowness, rows, sinc, p HERE);
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
                                  float radius2, int is_real HERE_PARAMETER) {
  float x = difference(column->x, column->x_low, centre->x, centre->x_low);
  float y = difference(column->y, column->y_low, centre->y, centre->y_low);
  float own = is_real ? SQRT(FMA(x, x, y * y)) + SQRT(MAX(radius2, 0.0f)) : 0.0f, reach = 0.0f;
  if (SIMD_LANE == 0u) block[(uint)COUNT_AT + SIMD_GROUP] = own;
  BARRIER();
  for (uint g = 0u; g < (uint)COLUMNS; g++) reach = MAX(reach, block[(uint)COUNT_AT + g]);
  BARRIER();
  reach = FMA(reach, 1e-5f, reach) + 0.01f;
  return reach * reach;
}

/* 1 where a column has samples to compute in the range; the mask's words of it. */
DEVICE_FUNCTION int begin_column(PRIVATE range_view *range, const GLOBAL migrate_column *column, uint begin,
                                 const GLOBAL uint *mask, PARAMETERS *p) {
  uint any = 0u;
  range->mask = mask;
  if (column->row == 0xffffffffu) return 0;
  if (!HAS_MASK) return 1;
  range->mask = mask + column->row * p->mask_stride + begin / 32u;
  for (uint c = 0u; c < (uint)CHUNKS; c++) any |= range->mask[c];
  return any != 0u;
}

/* 1 where any column of the tile is real; each has told so in group memory. */
DEVICE_FUNCTION int is_tile_real(const LOCAL uint *words) {
  uint any = 0u;
  for (uint g = 0u; g < (uint)COLUMNS; g++) any |= words[(uint)COUNT_AT + g];
  return any != 0u;
}

/* All traces of the launch into samples [begin, begin + RANGE) of the tile whose first column is `centre`. limits, v_dt: by
 * opening angle; mask: with a mask (migrate_device.h). */
DEVICE_FUNCTION void run_tile(LOCAL float *block, LOCAL uint *words, uint begin, const GLOBAL migrate_column *centre,
                              const GLOBAL float *rows, const GLOBAL migrate_trace *traces, const GLOBAL migrate_sample *axis,
                              const GLOBAL migrate_slowness *table, const GLOBAL float *sinc, GLOBAL float *image,
                              GLOBAL int *fold, GLOBAL uint *used, const GLOBAL migrate_split *limits,
                              const GLOBAL migrate_split *v_dt, const GLOBAL uint *mask, PARAMETERS *p HERE_PARAMETER) {
  const GLOBAL migrate_column *column = centre + SIMD_GROUP;
  LOCAL float *bound = block + BOUND_AT + SIMD_GROUP * (uint)BOUND_WORDS;
  tile_lane own;
  tile_bins bins;
  range_view range;
  own.is_real = begin_column(&range, column, begin, mask, p);
  if (HAS_MASK) {
    if (SIMD_LANE == 0u) words[(uint)COUNT_AT + SIMD_GROUP] = (uint)own.is_real;
    BARRIER();
    int is_empty = !is_tile_real(words);
    BARRIER();
    if (is_empty) return;
  }
  uint row = own.is_real ? column->row : 0u, waiting = 0u;
  int is_smooth = 0;
  const GLOBAL migrate_slowness *slowness = table + row * p->table_stride;
  range.axis = axis, range.slowness = slowness + begin * LAW_STRIDE, range.n = MIN((uint)RANGE, p->n_time - begin);
  load_column(&own, begin, column, axis, table, image, bound, p HERE);
  if (HAS_ANGLES) {
    bins.limits = limits, bins.v_dt = v_dt + row * p->v_dt_stride;
    bins.image = image + row * p->image_stride, bins.fold = fold + row * p->image_stride;
    begin_bins(&own, begin, &bins, p HERE);
  }
  SIMD_BARRIER();
#ifdef POLYNOMIAL
  if (!HAS_ANGLES)
    is_smooth = prepare_nodes(&own, begin, &range, block + NODE_AT + SIMD_GROUP * (uint)(NODE_WORDS * NODES), p HERE);
#endif
  float reach2 = tile_reach2(block, centre, column, bound[BOUND_RADIUS2_LAST], own.is_real HERE);
  for (uint first = 0u; first < p->n_traces; first += (uint)TILE_LANES) {
    uint total = stage_traces(block, words, traces, first, centre, reach2, p HERE);
    for (uint step = 0u; 32u * step < total; step++) {
      uint reached = run_step(&own, &waiting, block, step, total, begin, is_smooth, traces, column, axis, slowness, range.mask,
                              &bins, rows, sinc, p HERE);
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
  if (HAS_MASK ? !own.is_real : column->row == 0xffffffffu) return;
  if (HAS_ANGLES) {
    keep_bins(&own, begin, &bins, p HERE);
    return;
  }
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint i = begin + 32u * c + SIMD_LANE;
    if (i < p->n_time && (!HAS_MASK || (range.mask[c] >> SIMD_LANE & 1u))) {
      image[column->row * p->image_stride + i] = own.sum[c];
      fold[column->row * p->image_stride + i] += own.count[c];
    }
  }
}
#endif

#endif
