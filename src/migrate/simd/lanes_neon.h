/* lanes_neon.h - four lanes: AArch64 NEON. */
#ifndef MOHO_LANES_H
#define MOHO_LANES_H

#include <arm_neon.h>
#include <stdint.h>

#define LANES 4
#define VECTORS 2 /* in flight at once in the first step */
#define LANES_NAME(name) name##_neon
#define INLINE static inline __attribute__((always_inline, unused))

typedef float32x4_t vfloat;
typedef int32x4_t vint;
typedef uint32x4_t vmask;

#define REAL vfloat
#define R(x) vdupq_n_f32((float)(x))
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define MAX(a, b) vmaxq_f32(a, b)
#define MIN(a, b) vminq_f32(a, b)
#define ABS(x) vabsq_f32(x)
#define PHYSICS_FUNCTION INLINE

/* AArch64 has correctly rounded roots and divisions of four lanes. */
INLINE vfloat lanes_sqrt(vfloat a) {
  return vsqrtq_f32(a);
}
INLINE vfloat lanes_reciprocal(vfloat a) {
  return vdivq_f32(R(1.0), a);
}
INLINE vfloat lanes_rsqrt(vfloat a) {
  return lanes_reciprocal(lanes_sqrt(a));
}

INLINE void lanes_sum_of_roots(const vfloat *a, const vfloat *b, vfloat shift, vfloat *out, int count) {
  for (int k = 0; k < count; k++) out[k] = lanes_sqrt(a[k]) + (lanes_sqrt(b[k]) - shift);
}

INLINE vfloat lanes_load(const float *p) {
  return vld1q_f32(p);
}
INLINE void lanes_store(float *p, vfloat x) {
  vst1q_f32(p, x);
}
/* a0 b0 a1 b1 ... */
INLINE void lanes_store_pairs(float *p, vfloat a, vfloat b) {
  vst2q_f32(p, ((float32x4x2_t){{a, b}}));
}
INLINE vint lanes_load_int(const int32_t *p) {
  return vld1q_s32(p);
}
INLINE void lanes_store_int(int32_t *p, vint x) {
  vst1q_s32(p, x);
}
INLINE vfloat lanes_set(float x) {
  return vdupq_n_f32(x);
}
INLINE vint lanes_set_int(int x) {
  return vdupq_n_s32(x);
}
INLINE vint lanes_floor(vfloat x) {
  return vcvtmq_s32_f32(x);
}
INLINE vfloat lanes_float(vint x) {
  return vcvtq_f32_s32(x);
}
/* x = mantissa * 2^exponent, mantissa in [1, 2); x > 0 */
INLINE vfloat lanes_exponent(vfloat x) {
  return vcvtq_f32_s32(vsubq_s32(vshrq_n_s32(vreinterpretq_s32_f32(x), 23), vdupq_n_s32(127)));
}
INLINE vfloat lanes_mantissa(vfloat x) {
  vint fraction = vandq_s32(vreinterpretq_s32_f32(x), vdupq_n_s32(0x7fffff));
  return vreinterpretq_f32_s32(vorrq_s32(fraction, vdupq_n_s32(0x3f800000)));
}
INLINE vint lanes_add(vint a, vint b) {
  return vaddq_s32(a, b);
}
INLINE vint lanes_sub(vint a, vint b) {
  return vsubq_s32(a, b);
}
INLINE vint lanes_shift_left(vint a, int n) {
  return vshlq_s32(a, vdupq_n_s32(n));
}
INLINE vint lanes_clamp(vint x, int low, int high) {
  return vminq_s32(vmaxq_s32(x, lanes_set_int(low)), lanes_set_int(high));
}
INLINE int lanes_first(vint x) {
  return vgetq_lane_s32(x, 0);
}
INLINE int lanes_last(vint x) {
  return vgetq_lane_s32(x, 3);
}
INLINE int lanes_any_above(vfloat x, float limit) {
  return vmaxvq_u32(vcgtq_f32(x, lanes_set(limit))) != 0;
}
INLINE vfloat lanes_select_above(vfloat x, float limit, vfloat above, vfloat otherwise) {
  return vbslq_f32(vcgtq_f32(x, lanes_set(limit)), above, otherwise);
}
INLINE int lanes_within(vint x, unsigned limit) {
  return vmaxvq_u32(vreinterpretq_u32_s32(x)) <= limit;
}
/* count, one more where limit >= x. */
INLINE vint lanes_count(vint count, vfloat limit, vfloat x) {
  return vsubq_s32(count, vreinterpretq_s32_u32(vcgeq_f32(limit, x)));
}

INLINE vfloat lanes_gather(const float *p, vint index) {
  vfloat x = vdupq_n_f32(p[vgetq_lane_s32(index, 0)]);
  x = vsetq_lane_f32(p[vgetq_lane_s32(index, 1)], x, 1);
  x = vsetq_lane_f32(p[vgetq_lane_s32(index, 2)], x, 2);
  return vsetq_lane_f32(p[vgetq_lane_s32(index, 3)], x, 3);
}

/* Four loads are as quick as a table look-up here: a window is the place in memory. */
#define NARROW_WINDOW 64
#define WIDE_WINDOW 64
typedef struct narrow_window {
  const float *p;
} narrow_window;
typedef narrow_window wide_window;
INLINE narrow_window narrow_load(const float *p) {
  return (narrow_window){p};
}
INLINE vfloat narrow_pick(narrow_window w, vint index) {
  return lanes_gather(w.p, index);
}
INLINE wide_window wide_load(const float *p) {
  return (wide_window){p};
}
INLINE vfloat wide_pick(wide_window w, vint index) {
  return lanes_gather(w.p, index);
}

INLINE vmask lanes_mask(int at, int first, int end) {
  static const int32_t numbers[4] = {0, 1, 2, 3};
  vint lane = vaddq_s32(vdupq_n_s32(at), vld1q_s32(numbers));
  return vandq_u32(vcgeq_s32(lane, vdupq_n_s32(first)), vcltq_s32(lane, vdupq_n_s32(end)));
}
INLINE void lanes_accumulate(float *p, vfloat x) {
  vst1q_f32(p, vaddq_f32(vld1q_f32(p), x));
}
INLINE void lanes_accumulate_masked(float *p, vfloat x, vmask mask) {
  vfloat old = vld1q_f32(p);
  vst1q_f32(p, vbslq_f32(mask, vaddq_f32(old, x), old));
}

#endif
