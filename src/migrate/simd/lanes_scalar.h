/* lanes_scalar.h - one lane: plain C, for every processor. */
#ifndef MOHO_LANES_H
#define MOHO_LANES_H

#include <math.h>
#include <stdint.h>

#define LANES 1
#define VECTORS 1
#define LANES_NAME(name) name##_scalar
#define INLINE static inline __attribute__((always_inline, unused))

typedef float vfloat;
typedef int vint;
typedef int vmask;

#define REAL vfloat
#define R(x) ((float)(x))
#define FMA(a, b, c) ((a) * (b) + (c))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ABS(x) fabsf(x)
#define PHYSICS_FUNCTION INLINE

INLINE vfloat lanes_sqrt(vfloat a) {
  return sqrtf(a);
}
INLINE vfloat lanes_reciprocal(vfloat a) {
  return 1.0f / a;
}
INLINE vfloat lanes_rsqrt(vfloat a) {
  return 1.0f / sqrtf(a);
}
INLINE void lanes_sum_of_roots(const vfloat *a, const vfloat *b, vfloat shift, vfloat *out, int count) {
  for (int k = 0; k < count; k++) out[k] = lanes_sqrt(a[k]) + (lanes_sqrt(b[k]) - shift);
}

INLINE vfloat lanes_load(const float *p) {
  return *p;
}
INLINE void lanes_store(float *p, vfloat x) {
  *p = x;
}
/* a0 b0 a1 b1 ... */
INLINE void lanes_store_pairs(float *p, vfloat a, vfloat b) {
  p[0] = a, p[1] = b;
}
INLINE vint lanes_load_int(const int32_t *p) {
  return *p;
}
INLINE void lanes_store_int(int32_t *p, vint x) {
  *p = x;
}
INLINE vfloat lanes_set(float x) {
  return x;
}
INLINE vint lanes_set_int(int x) {
  return x;
}
INLINE vint lanes_floor(vfloat x) {
  int i = (int)x;
  return i - ((float)i > x);
}
INLINE vfloat lanes_float(vint x) {
  return (float)x;
}
/* x = mantissa * 2^exponent, mantissa in [1, 2); x > 0 */
INLINE vfloat lanes_exponent(vfloat x) {
  int exponent;
  (void)frexpf(x, &exponent);
  return (float)(exponent - 1);
}
INLINE vfloat lanes_mantissa(vfloat x) {
  int exponent;
  return 2.0f * frexpf(x, &exponent);
}
INLINE vint lanes_add(vint a, vint b) {
  return a + b;
}
INLINE vint lanes_sub(vint a, vint b) {
  return a - b;
}
INLINE vint lanes_shift_left(vint a, int n) {
  return a << n;
}
INLINE vint lanes_clamp(vint x, int low, int high) {
  return x < low ? low : x > high ? high : x;
}
INLINE int lanes_first(vint x) {
  return x;
}
INLINE int lanes_last(vint x) {
  return x;
}
INLINE int lanes_any_above(vfloat x, float limit) {
  return x > limit;
}
INLINE vfloat lanes_select_above(vfloat x, float limit, vfloat above, vfloat otherwise) {
  return x > limit ? above : otherwise;
}
INLINE int lanes_within(vint x, unsigned limit) {
  return (unsigned)x <= limit;
}
/* count, one more where limit >= x. */
INLINE vint lanes_count(vint count, vfloat limit, vfloat x) {
  return count + (limit >= x);
}

INLINE vfloat lanes_gather(const float *p, vint index) {
  return p[index];
}

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
  return w.p[index];
}
INLINE wide_window wide_load(const float *p) {
  return (wide_window){p};
}
INLINE vfloat wide_pick(wide_window w, vint index) {
  return w.p[index];
}

INLINE vmask lanes_mask(int at, int first, int end) {
  return at >= first && at < end;
}
INLINE void lanes_accumulate(float *p, vfloat x) {
  *p += x;
}
INLINE void lanes_accumulate_masked(float *p, vfloat x, vmask mask) {
  if (mask) *p += x;
}

#endif
