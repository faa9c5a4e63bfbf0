/* demigrate_tile.h - one trace of the adjoint: all columns that reach it, added into its row in group memory.
 *
 * Roles are changed against migrate_tile.h. A group owns a trace (a window of its time where the row is long); its SIMD groups
 * take blocks of 32 columns from a counter. For each range of a column's samples one lane makes v3's own item of it, polynomial,
 * interval, weight; then all lanes pass through the items with the samples along the lanes, so that the image is read in one
 * piece: u from the item, weight times image, split into the taps of the interpolation.
 *
 * Neighbouring samples meet in the same places of the trace, in no order. So taps are integers: the product times a power of
 * two, rounded to a quantum. Integers add up to the same sum in any order, which makes the result the same bits whatever the
 * schedule, the batch and the cut into launches. A place is a 32-bit word of group memory that wraps; an addition that wraps it
 * (one sees it: the atomic gives what was there before) carries 1 into the place's high word in global memory. That is
 * exact 64-bit addition at one atomic of group memory a tap. A contribution as large as the image's root mean square is some 2^24
 * quanta, so that rounding is a float's, carries are rare, and rarer still taps that no word holds (scatter_far).
 *
 * The trace under triangles is summed as taps on the trace integrated twice, -n, 2n, -n of one integer n: they cancel exactly. A
 * rounding there comes back as a triangle, k^2 times as large in all: those taps count in quanta p->finer times as fine, are
 * often longer than a word, and so have their high words in group memory too.
 */
#ifndef MOHO_KERNELS_DEMIGRATE_TILE_H
#define MOHO_KERNELS_DEMIGRATE_TILE_H

/* Chunks of an item at once: where a value has many taps one by one, or the code grows and grows. */
#ifndef SCATTER_UNROLL
#if defined(INTERPOLATION) && defined(ANTIALIAS)
#if INTERPOLATION == 0 && ANTIALIAS == 0
#define SCATTER_UNROLL 4
#else
#define SCATTER_UNROLL 1
#endif
#else
#define SCATTER_UNROLL 1
#endif
#endif

#define BOUNDS_GIVEN 1 /* demigrate_ranges.k made them */
#ifndef HAS_ANGLES
#define HAS_ANGLES 0 /* the stack, whole, is what is demigrated */
#endif
#ifndef HAS_MASK
#define HAS_MASK 0
#endif
#include "demigrate_record.h"
#include "migrate_tile.h"

/* ---- group memory, in words ---- */
/* From 0: the staged trace; then the number of the next block of columns; the SIMD groups' items; the row. */
#define NEXT_AT STAGED_WORDS
#define OWN_ITEM_AT 16
#define DEMIGRATE_ROW_AT (OWN_ITEM_AT + COLUMNS * 32 * ITEM_WORDS)

/* A copy of the trace in the row: places -TAP_PAD .. window + TAP_PAD of the window. */
#define TAP_PAD 8
#define COPY_PLACES (p->window + 2u * (uint)TAP_PAD)
/* Behind the copies the trace integrated twice, k_max + TAP_PAD places beyond either end; behind it its high words. */
#define TRIANGLE_PAD (p->k_max + (uint)TAP_PAD)
#define FINE_PLACES (ANTIALIAS == TRIANGLE ? p->window + 2u * TRIANGLE_PAD : 0u)

DEVICE_FUNCTION uint row_words(PARAMETERS *p) {
  return p->copies * COPY_PLACES + 2u * FINE_PLACES;
}

/* Where a trace's taps go: low words in group memory, high words in global memory. */
typedef struct scatter_frame {
  LOCAL uint *row;          /* the row's first word */
  GLOBAL ATOMIC_WORD *high; /* of the window's first place */
  int origin;               /* the sample there */
} scatter_frame;

/* A low word of the row among the trace's places; beyond the record's pads nothing is ever added. */
DEVICE_FUNCTION uint place_of(int origin, uint word, PARAMETERS *p) {
  uint copies = p->copies * COPY_PLACES;
  if (word >= copies) return (uint)((int)(p->c0 + word - copies) - (int)TRIANGLE_PAD + origin);
  uint copy = word / COPY_PLACES;
  return (uint)((int)(p->x0 + copy * p->bank_stride + word - copy * COPY_PLACES) - TAP_PAD + origin);
}

/* ---- exact sums: high * 2^32 + (int)low ---- */

/* What `value`, added to a low word that was `before`, carries into the high one: 0, 1 or -1. */
DEVICE_FUNCTION uint carry_of(uint before, uint value) {
  uint sum = before + value;
  if ((int)((sum ^ before) & (sum ^ value)) >= 0) return 0u;
  return (int)value < 0 ? 0xffffffffu : 1u;
}

DEVICE_FUNCTION void add_to_sum(GLOBAL ATOMIC_WORD *low, GLOBAL ATOMIC_WORD *high, uint value, uint more) {
  uint carry = more + carry_of(ATOMIC_ADD(low, value), value);
  if (carry) ATOMIC_ADD(high, carry);
}

/* Taps below this are words; above it a float is whole. */
#define WORD_LIMIT 1073741824.0f

/* A whole number into its two words, exactly. |x| < 2^54. @return the high one. */
DEVICE_FUNCTION uint split_far(float x, PRIVATE uint *low) {
  float magic = x * 2.3283064365386963e-10f + KERN_MAGIC, left = FMA(KERN_MAGIC - magic, 4294967296.0f, x);
  *low = left < 0.0f ? 0u - (uint)-left : (uint)left;
  return AS_UINT(magic) - KERN_MAGIC_BITS + (left > 0.0f ? *low >> 31 : 0u); /* the low word has a sign */
}

DEVICE_FUNCTION float whole_number(float x) {
  return ABS(x) < WORD_LIMIT ? (float)ROUND_INT(x) : x;
}

DEVICE_FUNCTION void add_far(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float x) {
  uint value, carry = split_far(whole_number(x), &value);
  carry += carry_of(LOCAL_ATOMIC_ADD(low, value), value);
  if (carry) ATOMIC_ADD(high, carry);
}

/* Two neighbours; both atomics are under way together. */
DEVICE_FUNCTION void add_pair(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float a, float b, int is_far) {
  if (is_far) {
    add_far(low, high, a), add_far(low + 1, high + 1, b);
    return;
  }
  uint x = (uint)ROUND_INT(a), y = (uint)ROUND_INT(b);
  uint before_x = LOCAL_ATOMIC_ADD(low, x), before_y = LOCAL_ATOMIC_ADD(low + 1, y);
  uint sum_x = before_x + x, sum_y = before_y + y;
  uint wraps = ((sum_x ^ before_x) & (sum_x ^ x)) | ((sum_y ^ before_y) & (sum_y ^ y));
  if ((int)wraps < 0) {
    uint carry_x = carry_of(before_x, x), carry_y = carry_of(before_y, y);
    if (carry_x) ATOMIC_ADD(high, carry_x);
    if (carry_y) ATOMIC_ADD(high + 1, carry_y);
  }
}

/* On the trace integrated twice. */
DEVICE_FUNCTION void add_fine_words(LOCAL uint *low, uint value, uint more, PARAMETERS *p) {
  uint carry = more + carry_of(LOCAL_ATOMIC_ADD(low, value), value);
  if (carry) LOCAL_ATOMIC_ADD(low + FINE_PLACES, carry);
}

DEVICE_FUNCTION void add_fine(LOCAL uint *low, float x, PARAMETERS *p) {
  uint value = 0u, more = 0u;
  if (ABS(x) < WORD_LIMIT) value = (uint)ROUND_INT(x);
  else more = split_far(x, &value);
  add_fine_words(low, value, more, p);
}

DEVICE_FUNCTION uint simd_sum_uint(uint x HERE_PARAMETER) {
  for (uint mask = 16u; mask > 0u; mask >>= 1) x += SIMD_SHUFFLE_XOR(x, mask);
  return x;
}

/* ---- taps ---- */

/* value between a place and the next, by the interpolation's own coefficients. */
DEVICE_FUNCTION void scatter_taps(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float f, float value, int is_far,
                                  const GLOBAL float *sinc, PARAMETERS *p) {
  if (INTERPOLATION == LINEAR) {
    float after = value * f;
    add_pair(low, high, value - after, after, is_far);
  } else if (INTERPOLATION == CUBIC) {
    add_pair(low - 1, high - 1, value * interpolate_cubic(1.0f, 0.0f, 0.0f, 0.0f, f),
             value * interpolate_cubic(0.0f, 1.0f, 0.0f, 0.0f, f), is_far);
    add_pair(low + 1, high + 1, value * interpolate_cubic(0.0f, 0.0f, 1.0f, 0.0f, f),
             value * interpolate_cubic(0.0f, 0.0f, 0.0f, 1.0f, f), is_far);
  } else {
    float place = f * 1024.0f, floor_bits = ROUND_DOWN_ADD(place, KERN_MAGIC);
    uint row = MIN(AS_UINT(floor_bits) - KERN_MAGIC_BITS, 1023u);
    float g = place - (float)row;
    const GLOBAL float *near = sinc + 8u * row, *next = near + 8;
    for (int j = 0; j < 8; j += 2)
      add_pair(low + (j - 3), high + (j - 3), value * FMA(g, next[j] - near[j], near[j]),
               value * FMA(g, next[j + 1] - near[j + 1], near[j + 1]), is_far);
  }
}

RARE_FUNCTION void scatter_far(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float f, float value, const GLOBAL float *sinc,
                               PARAMETERS *p) {
  scatter_taps(low, high, f, value, 1, sinc, p);
}

DEVICE_FUNCTION void scatter_interpolated(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float f, float value,
                                          const GLOBAL float *sinc, PARAMETERS *p) {
  if (ABS(value) < 0.5f * WORD_LIMIT) scatter_taps(low, high, f, value, 0, sinc, p);
  else scatter_far(low, high, f, value, sinc, p);
}

/* -n, 2n, -n, k apart. */
DEVICE_FUNCTION void add_three(LOCAL uint *at, uint k, float n, PARAMETERS *p) {
  add_fine(at, 2.0f * n, p);
  add_fine(at - k, -n, p);
  add_fine(at + k, -n, p);
}

/* Of scatter_triangle(), what does not fit into words. */
RARE_FUNCTION void scatter_far_triangle(LOCAL uint *at, uint k, float f, float to_narrow, float to_wide, PARAMETERS *p) {
  float narrow_after = to_narrow * f, wide_after = to_wide * f;
  add_three(at, k, whole_number(to_narrow - narrow_after), p);
  add_three(at + 1, k, whole_number(narrow_after), p);
  add_three(at, k + 1u, whole_number(to_wide - wide_after), p);
  add_three(at + 1, k + 1u, whole_number(wide_after), p);
}

/* The transpose of under_triangle(). at: the place before u on the trace integrated twice. */
DEVICE_FUNCTION void scatter_triangle(LOCAL uint *at, float f, float width, float value, PARAMETERS *p) {
  float magic = ROUND_DOWN_ADD(width, KERN_MAGIC), whole = magic - KERN_MAGIC, wider = whole + 1.0f;
  uint k = AS_UINT(magic) - KERN_MAGIC_BITS;
  float finer = value * p->finer, blended = finer * (width - whole);
  float to_wide = blended * FAST_RECIPROCAL(wider * wider), to_narrow = (finer - blended) * FAST_RECIPROCAL(whole * whole);
  if (ABS(to_narrow) + ABS(to_wide) >= 0.5f * WORD_LIMIT) {
    scatter_far_triangle(at, k, f, to_narrow, to_wide, p);
    return;
  }
  float narrow_after = to_narrow * f, wide_after = to_wide * f;
  int n0 = ROUND_INT(to_narrow - narrow_after), n1 = ROUND_INT(narrow_after);
  int w0 = ROUND_INT(to_wide - wide_after), w1 = ROUND_INT(wide_after);
  add_fine_words(at, (uint)(2 * (n0 + w0)), 0u, p);
  add_fine_words(at + 1, (uint)(2 * (n1 + w1)), 0u, p);
  add_fine_words(at - k - 1, (uint)-w0, 0u, p);
  add_fine_words(at - k, (uint)(-n0 - w1), 0u, p);
  add_fine_words(at - k + 1, (uint)-n1, 0u, p);
  add_fine_words(at + k, (uint)-n0, 0u, p);
  add_fine_words(at + k + 1, (uint)(-n1 - w0), 0u, p);
  add_fine_words(at + k + 2, (uint)-w1, 0u, p);
}

/* The transpose of bank_at(). low, high: of the first copy. */
DEVICE_FUNCTION void scatter_bank(LOCAL uint *low, GLOBAL ATOMIC_WORD *high, float f, float width, float value,
                                  const GLOBAL float *sinc, PARAMETERS *p) {
  float share;
  uint copy = bank_copy(width, &share, p);
  float wider = value * share;
  scatter_interpolated(low + copy * COPY_PLACES, high + copy * p->bank_stride, f, value - wider, sinc, p);
  scatter_interpolated(low + (copy + 1u) * COPY_PLACES, high + (copy + 1u) * p->bank_stride, f, wider, sinc, p);
}

/* The transpose of trace_at(): a value in quanta at place u. @return 1 where u is in the window. */
DEVICE_FUNCTION uint scatter(const PRIVATE scatter_frame *to, float u, float width, float value, const GLOBAL float *sinc,
                             PARAMETERS *p) {
  float magic = ROUND_DOWN_ADD(u, KERN_MAGIC), f = u - (magic - KERN_MAGIC);
  uint at = AS_UINT(magic) - (KERN_MAGIC_BITS + (uint)to->origin);
  if (at >= p->window) return 0u;
  LOCAL uint *low = to->row + (uint)TAP_PAD + at;
  if (ANTIALIAS == TRIANGLE && width > 1.0f) scatter_triangle(low + p->window + (uint)TAP_PAD + TRIANGLE_PAD, f, width, value, p);
  else if (ANTIALIAS == FILTER_BANK) scatter_bank(low, to->high + at, f, width, value, sinc, p);
  else scatter_interpolated(low, to->high + at, f, value, sinc, p);
  return 1u;
}

/* ---- items ---- */

DEVICE_FUNCTION void read_image(PRIVATE float *value, const LOCAL float *item, const GLOBAL float *image HERE_PARAMETER) {
  uint base = AS_UINT(item[ITEM_BASE]) + SIMD_LANE;
  UNROLL_ALL
  for (uint c = 0u; c < (uint)CHUNKS; c++) value[c] = image[base + 32u * c];
}

/* Items 0 .. n - 1 of the list, which cover their range with one weight and go by the polynomial. The next item's samples are
 * read while one is scattered. @return contributions. */
DEVICE_FUNCTION uint scatter_whole(const PRIVATE scatter_frame *to, const LOCAL float *items, uint n, const GLOBAL float *image,
                                   const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  float first = (2.0f * (float)SIMD_LANE + 1.0f) / (float)RANGE - 1.0f, ahead[CHUNKS];
  uint count = 0u;
  if (n > 0u) read_image(ahead, items, image HERE);
  for (uint e = 0u; e < n; e++) {
    float value[CHUNKS];
    float4 head = LOCAL_LOAD4(items, e * 3u), tail = LOCAL_LOAD4(items, e * 3u + 1u);
    float4 last = HAS_WIDTH || IS_TRUE ? LOCAL_LOAD4(items, e * 3u + 2u) : head;
    UNROLL_ALL
    for (uint c = 0u; c < (uint)CHUNKS; c++) value[c] = ahead[c];
    read_image(ahead, items + MIN(e + 1u, n - 1u) * (uint)ITEM_WORDS, image HERE);
    UNROLL(SCATTER_UNROLL)
    for (uint c = 0u; c < (uint)CHUNKS; c++) {
      float x = first + PLACE_STEP * (float)c, u = polynomial(head.x, head.y, head.z, tail.y, x), width = 1.0f, part = 1.0f;
      if (HAS_WIDTH) width = polynomial(tail.w, last.x, last.y, last.z, x);
      else if (IS_TRUE) part = polynomial(tail.w, last.x, last.y, last.z, x);
      float t = WEIGHT_POWER && !NO_SHIFT ? u + tail.z : u;
      count += scatter(to, u, width, weighted(tail.x, t, part, p) * value[0], sinc, p);
      UNROLL_ALL
      for (uint k = 1u; k < (uint)CHUNKS; k++) value[k - 1u] = value[k];
    }
  }
  return count;
}

/* An item that goes chunk by chunk with exact times; its column's table and image. @return contributions. */
DEVICE_FUNCTION uint scatter_part(const PRIVATE scatter_frame *to, const LOCAL float *item, uint begin,
                                  const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column,
                                  const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness,
                                  const GLOBAL float *image, const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  uint flags = AS_UINT(item[ITEM_FLAGS]), interval = AS_UINT(item[ITEM_INTERVAL]), base = AS_UINT(item[ITEM_BASE]), count = 0u;
  uint is_tested = flags & ITEM_TESTED, inside = 0u;
  float distance = is_tested ? FAST_SQRT(item[ITEM_DISTANCE]) : item[ITEM_DISTANCE];
  if (is_tested) {
    range_view range;
    range.axis = axis;
    inside = inside_tested(item, SIMD_LANE, begin, trace, column, &range, slowness, p);
  }
  UNROLL(1)
  for (uint c = 0u; c < (uint)CHUNKS; c++) {
    uint kind = is_tested ? CHUNK_TAPERED : flags >> (2u * c) & 3u;
    uint mask = is_tested ? inside >> c : chunk_mask(interval, c) >> SIMD_LANE;
    if (kind == CHUNK_NONE || !(mask & 1u)) continue;
    uint i = sample_of(begin, c, p HERE);
    leg_terms m;
    terms_load(&m, axis + i, slowness + i * LAW_STRIDE, p);
    float width, part, t = exact_time(item, item[0], item[1], &m, nodes_of(axis, p), &width, &part, p);
    float weight = weighted(item[ITEM_WEIGHT], t, part, p);
    if (kind != CHUNK_FULL && p->taper_inv_fraction > 0.0f)
      weight *= taper_at(distance, inverse_radius(slowness[i * LAW_STRIDE].radius2), p);
    count += scatter(to, NO_SHIFT ? t : t - item[2], width, weight * image[base + 32u * c + SIMD_LANE], sinc, p);
  }
  return count;
}

/* ---- blocks of columns ---- */

DEVICE_FUNCTION void stage_one(LOCAL float *to, const GLOBAL migrate_trace *trace) {
  to[0] = trace->source_x, to[1] = trace->source_x_low, to[2] = trace->source_y, to[3] = trace->source_y_low;
  to[4] = trace->receiver_x, to[5] = trace->receiver_x_low, to[6] = trace->receiver_y, to[7] = trace->receiver_y_low;
  to[STAGED_SHIFT] = trace->shift, to[STAGED_SPACING] = trace->spacing, to[STAGED_SCALE] = trace->scale;
  to[STAGED_BASE] = 0.0f;
}

/* Where the row is cut into windows: may the item touch this one? u at the ends of the range, where t grows between them. */
DEVICE_FUNCTION int meets_window(const PRIVATE scatter_frame *to, const PRIVATE float *item, uint is_main, uint begin, uint n,
                                 const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness, PARAMETERS *p) {
  float first, last;
  if (is_main) {
    first = polynomial(item[0], item[1], item[2], item[5], -1.0f), last = polynomial(item[0], item[1], item[2], item[5], 1.0f);
  } else {
    if (AS_UINT(item[ITEM_FLAGS]) & ITEM_TESTED) return 1;
    leg_terms m;
    terms_load(&m, axis + begin, slowness + begin * LAW_STRIDE, p);
    first = leg_time(&m, item[0], p) + leg_time(&m, item[1], p) - item[2];
    terms_load(&m, axis + begin + n - 1u, slowness + (begin + n - 1u) * LAW_STRIDE, p);
    last = leg_time(&m, item[0], p) + leg_time(&m, item[1], p) - item[2];
  }
  float least = MIN(first, last), most = MAX(first, last);
  return most > (float)to->origin - 2.0f && least < (float)(to->origin + (int)p->window) + 2.0f;
}

/* One range of 32 columns: a lane makes each one's item into the list. @return number of items by polynomials | of others << 8;
 * those come behind. */
DEVICE_FUNCTION uint list_range(LOCAL float *block, const PRIVATE scatter_frame *to, int is_near, uint number,
                                const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column,
                                const GLOBAL migrate_sample *axis, const GLOBAL migrate_slowness *slowness,
                                const GLOBAL float *record, PARAMETERS *p HERE_PARAMETER) {
  uint begin = number * (uint)RANGE, base = 0xffffffffu;
  float item[ITEM_ACROSS + 1] = {0};
  range_view range;
  range.axis = axis, range.slowness = slowness + begin * LAW_STRIDE, range.n = MIN((uint)RANGE, p->n_time - begin);
  if (is_near)
    base = make_item(block, SIMD_LANE, trace, column, &range, record, record + RECORD_NODES, record[RECORD_SMOOTH] > 0.5f, begin,
                     item, p);
  int is_listed = base != 0xffffffffu, is_main = is_listed && (base & BASE_POLYNOMIAL);
  if (is_listed && !is_main && (base & BASE_WHOLE)) { /* its chunks are covered, with one weight */
    item[ITEM_FLAGS] = AS_FLOAT(((1u << (2u * (uint)CHUNKS)) - 1u) | SIMD_LANE << 16);
    item[ITEM_INTERVAL] = AS_FLOAT(range.n << 16);
  }
  if (is_listed && p->n_windows > 1u && !meets_window(to, item, (uint)is_main, begin, range.n, axis, slowness, p)) is_listed = 0;
  is_main = is_main && is_listed;
  uint mains = SIMD_BALLOT(is_main), others = SIMD_BALLOT(is_listed && !is_main), before = (1u << SIMD_LANE) - 1u;
  uint n_main = POPCOUNT(mains), at = is_main ? POPCOUNT(mains & before) : n_main + POPCOUNT(others & before);
  if (is_listed) {
    LOCAL float *list = block + OWN_ITEM_AT + (SIMD_GROUP * 32u + at) * (uint)ITEM_WORDS;
    item[ITEM_BASE] = AS_FLOAT(column->row * p->image_stride + begin);
    UNROLL_ALL
    for (uint k = 0u; k < (uint)ITEM_WORDS; k++) list[k] = item[k];
  }
  return n_main | POPCOUNT(others) << 8;
}

/* Columns [first, first + 32) of the launch's, their deepest ranges first. @return contributions of the lane. */
DEVICE_FUNCTION uint run_block(LOCAL float *block, const PRIVATE scatter_frame *to, uint first, const GLOBAL migrate_trace *trace,
                               const GLOBAL migrate_column *columns, const GLOBAL migrate_sample *axis,
                               const GLOBAL migrate_slowness *table, const GLOBAL float *ranges, const GLOBAL float *image,
                               const GLOBAL float *sinc, PARAMETERS *p HERE_PARAMETER) {
  const GLOBAL migrate_column *column = columns + MIN(first + SIMD_LANE, p->n_columns - 1u);
  const LOCAL float *items = block + OWN_ITEM_AT + SIMD_GROUP * (uint)(32 * ITEM_WORDS);
  int is_near = first + SIMD_LANE < p->n_columns && column->row != 0xffffffffu;
  uint row = is_near ? column->row : 0u, count = 0u;
  const GLOBAL float *records = ranges + row * p->range_stride * (uint)RECORD_WORDS;
  trace_view view;
  view_staged(&view, block, column);
  float largest2 = records[(p->n_ranges - 1u) * (uint)RECORD_WORDS + (uint)BOUND_RADIUS2_LAST];
  is_near = is_near && view.midpoint2 <= FMA(largest2, DISTANCE2_DOUBT, largest2);
  uint n_ranges = SIMD_ANY(is_near) ? p->n_ranges : 0u;
  for (uint number = n_ranges; number > 0u; number--) {
    uint begin = (number - 1u) * (uint)RANGE;
    uint listed = list_range(block, to, is_near, number - 1u, trace, column, axis, table + row * p->table_stride,
                             records + (number - 1u) * (uint)RECORD_WORDS, p HERE);
    uint n_main = listed & 0xffu, n = n_main + (listed >> 8);
    SIMD_BARRIER();
    count += scatter_whole(to, items, n_main, image, sinc, p HERE);
    for (uint e = n_main; e < n; e++) {
      const LOCAL float *item = items + e * (uint)ITEM_WORDS;
      const GLOBAL migrate_column *its = columns + first + (AS_UINT(item[ITEM_FLAGS]) >> 16);
      count += scatter_part(to, item, begin, trace, its, axis, table + its->row * p->table_stride, image, sinc, p HERE);
    }
    SIMD_BARRIER(); /* the items are read */
  }
  return count;
}

#endif
