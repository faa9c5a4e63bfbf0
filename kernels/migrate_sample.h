/* migrate_sample.h - one trace at one image sample: is it inside, where is the trace read, with what weight. For all device
 * kernels of the migration (docs/physics.md). Compile-time constants: INTERPOLATION, ANTIALIAS, WEIGHT_POWER, HAS_MUTE,
 * HAS_WINDOW, STORAGE, HAS_ANGLES, HAS_MASK; where the text is compiled as C they come from the parameters `p`.
 */
#ifndef MOHO_KERNELS_MIGRATE_SAMPLE_H
#define MOHO_KERNELS_MIGRATE_SAMPLE_H

#include "migrate_device.h"
#include "migrate_law.h"
#include "interpolate.h"

#ifndef INTERPOLATION
#define INTERPOLATION (p->interpolation)
#endif
#ifndef ANTIALIAS
#define ANTIALIAS (p->antialias)
#endif
#ifndef WEIGHT_POWER
#define WEIGHT_POWER (p->weight_power)
#endif
#ifndef HAS_MUTE
#define HAS_MUTE (p->has_mute)
#endif
#ifndef HAS_WINDOW
#define HAS_WINDOW (p->has_window)
#endif
#ifndef STORAGE
#define STORAGE (p->storage)
#endif
#ifndef HAS_ANGLES
#define HAS_ANGLES (p->n_limits != 0u)
#endif
#ifndef HAS_MASK
#define HAS_MASK (p->mask_stride != 0u)
#endif
/* The host's enums (include/moho/migration.h). */
#define LINEAR 0u
#define CUBIC 1u
#define SINC8 2u
#define TRIANGLE 1u
#define FILTER_BANK 2u
#define HAS_WIDTH (ANTIALIAS != 0u)
/* WEIGHT_POWER 0 .. 4: t^-(power/2); from here on a true amplitude (src/migrate/weight.h): 3D, 3D raw, 2D, 2D raw. */
#define TRUE_3D 5u
#define TRUE_2D 7u
#define IS_TRUE (WEIGHT_POWER >= TRUE_3D)

/* ---- distances ---- */

/* a - b of split coordinates, rounded once. */
DEVICE_FUNCTION float difference(float a, float a_low, float b, float b_low) {
  return (a - b) + (a_low - b_low);
}

/* A trace as a column sees it. Lengths in metres, shift in samples. */
typedef struct trace_view {
  float source_x, source_y, receiver_x, receiver_y; /* x - s, x - r */
  float source2, receiver2, midpoint2, half_offset2;
  float shift, spacing;
} trace_view;

DEVICE_FUNCTION void view_fill(PRIVATE trace_view *view) {
  view->source2 = FMA(view->source_x, view->source_x, view->source_y * view->source_y);
  view->receiver2 = FMA(view->receiver_x, view->receiver_x, view->receiver_y * view->receiver_y);
  float mx = 0.5f * (view->source_x + view->receiver_x), my = 0.5f * (view->source_y + view->receiver_y);
  float hx = 0.5f * (view->source_x - view->receiver_x), hy = 0.5f * (view->source_y - view->receiver_y);
  view->midpoint2 = FMA(mx, mx, my * my);
  view->half_offset2 = FMA(hx, hx, hy * hy);
}

/* ---- inside or not (src/migrate/aperture.h in double) ---- */

/* How far a float may be off: squared distances relative, times relative to t. */
#define DISTANCE2_DOUBT 2e-6f
#define TIME_DOUBT 3e-6f

/* Decided with split floats: agrees with double unless the edge is nearer than 1e-13 of it. */
RARE_FUNCTION int inside_exactly(const GLOBAL migrate_trace *trace, const GLOBAL migrate_column *column,
                                 const GLOBAL migrate_sample *sample, const GLOBAL migrate_slowness *slowness,
                                 const GLOBAL migrate_node *nodes, PARAMETERS *p) {
  float2 x = FLOAT2(column->x, column->x_low), y = FLOAT2(column->y, column->y_low);
  float2 sx = split_add(x, FLOAT2(-trace->source_x, -trace->source_x_low));
  float2 sy = split_add(y, FLOAT2(-trace->source_y, -trace->source_y_low));
  float2 rx = split_add(x, FLOAT2(-trace->receiver_x, -trace->receiver_x_low));
  float2 ry = split_add(y, FLOAT2(-trace->receiver_y, -trace->receiver_y_low));
  float2 mx = split_add(sx, rx), my = split_add(sy, ry);
  float2 d2 = split_product(FLOAT2(0.25f, 0.0f), split_add(split_product(mx, mx), split_product(my, my)));
  if (split_exceeds(d2, FLOAT2(slowness->radius2, slowness->radius2_low))) return 0;
  if (HAS_MUTE) {
    float2 half_offset2 = FLOAT2(trace->half_offset2, trace->half_offset2_low), s2 = FLOAT2(slowness->s2, slowness->s2_low);
    const GLOBAL migrate_terms *m = terms_of(slowness);
    if (LAW == STRAIGHT ? split_exceeds(split_product(half_offset2, s2), FLOAT2(sample->mute, sample->mute_low))
                        : split_exceeds(half_offset2, FLOAT2(m->mute2, m->mute2_low)))
      return 0;
  }
  float2 source2 = split_add(split_product(sx, sx), split_product(sy, sy));
  float2 receiver2 = split_add(split_product(rx, rx), split_product(ry, ry));
  float2 t =
      split_add(leg_time_split(sample, slowness, nodes, source2, p), leg_time_split(sample, slowness, nodes, receiver2, p));
  float2 u = split_add(t, FLOAT2(-trace->shift, -trace->shift_low));
  return !split_exceeds(FLOAT2(p->low, 0.0f), u) && !split_exceeds(u, FLOAT2(p->high, p->high_low));
}

/* 1 inside, 0 outside, 2 too near to an edge for a float. t: t_s + t_r of the sample. */
DEVICE_FUNCTION int inside_or_doubtful(const PRIVATE trace_view *view, float t, float s2, float radius2, float mute,
                                       PARAMETERS *p) {
  float u = t - view->shift, doubt = FMA(TIME_DOUBT, t, FMA(2e-7f, ABS(view->shift), 1e-6f));
  float past = MAX(u - p->high, p->low - u);
  float beyond = view->midpoint2 - radius2, doubt2 = DISTANCE2_DOUBT * radius2;
  int outside = past > doubt || beyond > doubt2, inside = past < -doubt && beyond < -doubt2;
  if (HAS_MUTE) {
    float stretched = stretch_of(view->half_offset2, s2, p) - mute, doubt3 = DISTANCE2_DOUBT * mute;
    outside = outside || stretched > doubt3;
    inside = inside && stretched < -doubt3;
  }
  return outside ? 0 : inside ? 1 : 2;
}

/* ---- weights ---- */

/* 1/A from the square of the widened radius, A = (sqrt(radius2) - 1 mm) / (1 + 4e-6), to the second order in 1 mm / A. Where A
 * is 0 only d = 0 is inside; its taper argument must be 0: 0 * inverse = 0 < 1 - f. */
DEVICE_FUNCTION float inverse_radius(float radius2) {
  float widened = FAST_RSQRT(radius2), inverse = FMA(widened * widened, 1e-3f, widened) * 1.000004f;
  return radius2 > 4e-6f ? inverse : 0.0f;
}

DEVICE_FUNCTION float taper_at(float distance, float inverse, PARAMETERS *p) {
  return FMA(COS_PI(taper_argument(distance, inverse, p->taper_inv_fraction)), 0.5f, 0.5f);
}

/* t^-(power/2) */
DEVICE_FUNCTION float weight_of_time(float t, uint power) {
  if (power == 1u) return FAST_RSQRT(t);
  if (power == 2u) return FAST_RECIPROCAL(t);
  if (power == 3u) return FAST_RSQRT(t) * FAST_RECIPROCAL(t);
  return FAST_RECIPROCAL(t * t);
}

/* The t-part of a true amplitude from the legs' inverse times. */
DEVICE_FUNCTION float true_amplitude(float source_inverse, float receiver_inverse, float t, PARAMETERS *p) {
  float most = FAST_RECIPROCAL(p->shortest_time), si = MIN(source_inverse, most), ri = MIN(receiver_inverse, most);
  float time = MAX(t, p->shortest_time);
  float part = WEIGHT_POWER < TRUE_2D ? true_amplitude_3d(si, ri) : true_amplitude_2d(si, ri, time);
  return (WEIGHT_POWER - TRUE_3D) & 1u ? part * time : part;
}

/* ---- the trace ---- */

/* Value number `at` of all rows. */
DEVICE_FUNCTION float stored(const GLOBAL float *rows, uint at, PARAMETERS *p) {
  if (STORAGE == STORAGE_VALUES) return rows[at];
  if (STORAGE == STORAGE_PAIRS) return rows[2u * at];
  uint word = ((const GLOBAL uint *)rows)[at];
  return HALF_LOW(word);
}

/* Between value `at` and the next. */
DEVICE_FUNCTION float stored_linear(const GLOBAL float *rows, uint at, float f, PARAMETERS *p) {
  if (STORAGE == STORAGE_VALUES) return interpolate_linear(rows[at], rows[at + 1u], f);
  if (STORAGE == STORAGE_PAIRS) {
    float2 pair = LOAD2(rows, at);
    return FMA(f, pair.y, pair.x);
  }
  uint word = ((const GLOBAL uint *)rows)[at];
  return FMA(f, HALF_HIGH(word), HALF_LOW(word));
}

DEVICE_FUNCTION float stored_sinc8(const GLOBAL float *rows, uint at, float f, const GLOBAL float *sinc, PARAMETERS *p) {
  float place = f * 1024.0f, floor_bits = ROUND_DOWN_ADD(place, KERN_MAGIC);
  uint row = MIN(AS_UINT(floor_bits) - KERN_MAGIC_BITS, 1023u);
  float g = place - (float)row, sum = 0.0f;
  for (uint j = 0u; j < 8u; j++) {
    float h0 = sinc[8u * row + j], h1 = sinc[8u * row + 8u + j];
    sum = FMA(FMA(g, h1 - h0, h0), stored(rows, at - 3u + j, p), sum);
  }
  return sum;
}

DEVICE_FUNCTION float interpolated(const GLOBAL float *rows, uint at, float f, const GLOBAL float *sinc, PARAMETERS *p) {
  if (INTERPOLATION == LINEAR) return stored_linear(rows, at, f, p);
  if (INTERPOLATION == CUBIC)
    return interpolate_cubic(stored(rows, at - 1u, p), stored(rows, at, p), stored(rows, at + 1u, p), stored(rows, at + 2u, p),
                             f);
  return stored_sinc8(rows, at, f, sinc, p);
}

/* A row so far before its first value (number `begin` of all) that the bits of a rounded-down place index it. */
DEVICE_FUNCTION const GLOBAL float *row_of(const GLOBAL float *rows, uint begin, PARAMETERS *p) {
  if (STORAGE == STORAGE_PAIRS || STORAGE == STORAGE_LINES)
    return FAR_ROW((const GLOBAL float2 *)rows - KERN_MAGIC_BITS, begin, 8, p->zero);
  return FAR_ROW(rows - KERN_MAGIC_BITS, begin, 4, p->zero);
}

/* Linear between element bits + offset of a row of pairs and the next; offset a constant. */
#define PICK(row, bits, offset, f) \
  (STORAGE == STORAGE_PAIRS ? between_pair(READ_PAIR(row, bits, offset), f) : between_halves(READ_WORD(row, bits, offset), f))

DEVICE_FUNCTION float between_pair(float2 pair, float f) {
  return FMA(f, pair.y, pair.x);
}

DEVICE_FUNCTION float between_halves(uint word, float f) {
  return FMA(f, HALF_HIGH(word), HALF_LOW(word));
}

/* The trace under triangles of half-width k > 1 (interpolate.h, triangle_of): c is the trace integrated twice, five picks of
 * it. Whole half-widths k and k+1 are blended; the linear pick of c commutes with the triangle's sum. */
DEVICE_FUNCTION float under_triangle(float here, float left, float right, float left_wider, float right_wider, float whole,
                                     float width) {
  float wider = whole + 1.0f;
  float narrow = triangle_of(left, here, right, FAST_RECIPROCAL(whole * whole));
  return interpolate_linear(narrow, triangle_of(left_wider, here, right_wider, FAST_RECIPROCAL(wider * wider)), width - whole);
}

DEVICE_FUNCTION float triangle_at(const GLOBAL float *rows, uint at, float f, float width, PARAMETERS *p) {
  float magic = ROUND_DOWN_ADD(width, KERN_MAGIC), whole = magic - KERN_MAGIC;
  uint k = AS_UINT(magic) - KERN_MAGIC_BITS;
  return under_triangle(stored_linear(rows, at, f, p), stored_linear(rows, at - k, f, p), stored_linear(rows, at + k, f, p),
                        stored_linear(rows, at - k - 1u, f, p), stored_linear(rows, at + k + 1u, f, p), whole, width);
}

/* Half-width of the triangle from the legs' squared times. */
DEVICE_FUNCTION float half_width(const PRIVATE trace_view *view, const GLOBAL migrate_column *column, float s2,
                                 float source_squared, float receiver_squared, PARAMETERS *p) {
  float si = FAST_RSQRT(source_squared), ri = FAST_RSQRT(receiver_squared);
  float px = leg_slope_straight(FMA(view->source_x, column->along_x, view->source_y * column->along_y), s2, si) +
             leg_slope_straight(FMA(view->receiver_x, column->along_x, view->receiver_y * column->along_y), s2, ri);
  float py = leg_slope_straight(FMA(view->source_x, column->across_x, view->source_y * column->across_y), s2, si) +
             leg_slope_straight(FMA(view->receiver_x, column->across_x, view->receiver_y * column->across_y), s2, ri);
  return MIN(triangle_half_width(px, py, view->spacing), (float)p->k_max);
}

/* Linear, of pairs, without a branch: reads of several samples are under way together. A sample whose half-width is 1 or less
 * takes the plain trace; what it reads beside is not used. */
DEVICE_FUNCTION float pair_under_triangle(const GLOBAL float *row, uint bits, float f, float width, PARAMETERS *p) {
  int is_wide = width > 1.0f;
  float magic = ROUND_DOWN_ADD(MAX(width, 1.0f), KERN_MAGIC), whole = magic - KERN_MAGIC;
  uint k = AS_UINT(magic), to_c = p->c0 - p->x0;
  uint left = bits - k + (to_c + KERN_MAGIC_BITS), right = bits + k + (to_c - KERN_MAGIC_BITS);
  float here = PICK(row, bits + (is_wide ? to_c : 0u), 0, f);
  float narrow_left = PICK(row, left, 0, f), wide_left = PICK(row, left, -1, f);
  float narrow_right = PICK(row, right, 0, f), wide_right = PICK(row, right, 1, f);
  float value = under_triangle(here, narrow_left, narrow_right, wide_left, wide_right, whole, width);
  return is_wide ? value : here;
}

/* The copy of a filter bank before a half-width's place, and the next copy's share. */
DEVICE_FUNCTION uint bank_copy(float width, PRIVATE float *share, PARAMETERS *p) {
  float widths = MAX(width * p->bank_inverse, 1.0f);
  uint bits = AS_UINT(widths);
  float exponent = (float)(bits >> 23) - 127.0f, mantissa = AS_FLOAT((bits & 0x7fffffu) | 0x3f800000u);
  float place = filter_bank_place(octaves(exponent, mantissa), p->bank_per_octave, p->bank_last);
  float magic = ROUND_DOWN_ADD(MIN(place, p->bank_last - 1.0f), KERN_MAGIC);
  *share = place - (magic - KERN_MAGIC);
  return AS_UINT(magic) - KERN_MAGIC_BITS;
}

/* Between two copies of a filter bank. at: of the trace's value before u. */
DEVICE_FUNCTION float bank_at(const GLOBAL float *rows, uint at, float f, float width, const GLOBAL float *sinc, PARAMETERS *p) {
  float share;
  uint copy = at + bank_copy(width, &share, p) * p->bank_stride;
  float wider = interpolated(rows, copy + p->bank_stride, f, sinc, p);
  return interpolate_linear(interpolated(rows, copy, f, sinc, p), wider, share);
}

/* A row at place u (inside the record, or clamped near it), antialiased for half-width `width` (1 or less: not at all).
 * row_begin: its first value's number among all. */
DEVICE_FUNCTION float trace_at(const GLOBAL float *rows, uint row_begin, float u, float width, const GLOBAL float *sinc,
                               PARAMETERS *p) {
  float magic = ROUND_DOWN_ADD(u, KERN_MAGIC), f = u - (magic - KERN_MAGIC);
  if (STORAGE == STORAGE_LINES) return between_pair(READ_PAIR(row_of(rows, row_begin, p), AS_UINT(magic), 0), u);
  if (STORAGE != STORAGE_VALUES && INTERPOLATION == LINEAR && ANTIALIAS != FILTER_BANK) {
    const GLOBAL float *row = row_of(rows, row_begin, p);
    return ANTIALIAS == TRIANGLE ? pair_under_triangle(row, AS_UINT(magic), f, width, p) : PICK(row, AS_UINT(magic), 0, f);
  }
  uint at = row_begin + (AS_UINT(magic) - KERN_MAGIC_BITS);
  if (ANTIALIAS == TRIANGLE && width > 1.0f) return triangle_at(rows, at + (p->c0 - p->x0), f, width, p);
  if (ANTIALIAS == FILTER_BANK) return bank_at(rows, at, f, width, sinc, p);
  return interpolated(rows, at, f, sinc, p);
}

#endif
