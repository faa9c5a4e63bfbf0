/* lanes_avx2.h - eight lanes: AVX2 and FMA. */
#ifndef MOHO_LANES_H
#define MOHO_LANES_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 8
#define VECTORS 2 /* in flight at once in the first step */
#define LANES_NAME(name) name##_avx2
#define INLINE static inline __attribute__((always_inline, unused))

typedef __m256 vfloat;
typedef __m256i vint;
typedef __m256i vmask;

#define REAL vfloat
#define R(x) _mm256_set1_ps((float)(x))
#define FMA(a, b, c) _mm256_fmadd_ps(a, b, c)
#define MAX(a, b) _mm256_max_ps(a, b)
#define MIN(a, b) _mm256_min_ps(a, b)
#define ABS(x) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x)
#define PHYSICS_FUNCTION INLINE

/* The estimate has 12 bits; a step of third order gives about 1 ulp. */
INLINE vfloat lanes_rsqrt(vfloat a) {
  vfloat r = _mm256_rsqrt_ps(a);
  vfloat e = _mm256_fnmadd_ps(a * r, r, R(1.0));
  return FMA(r * FMA(e, R(0.375), R(0.5)), e, r);
}

/* Correctly rounded, and as quick here as an estimate of 12 bits mended twice. */
INLINE vfloat lanes_sqrt(vfloat a) {
  return _mm256_sqrt_ps(a);
}

INLINE vfloat lanes_reciprocal(vfloat a) {
  return R(1.0) / a;
}

INLINE void lanes_sum_of_roots(const vfloat *a, const vfloat *b, vfloat shift, vfloat *out, int count) {
  for (int k = 0; k < count; k++) out[k] = lanes_sqrt(a[k]) + (lanes_sqrt(b[k]) - shift);
}

INLINE vfloat lanes_load(const float *p) {
  return _mm256_load_ps(p);
}
INLINE void lanes_store(float *p, vfloat x) {
  _mm256_store_ps(p, x);
}
/* a0 b0 a1 b1 ... */
INLINE void lanes_store_pairs(float *p, vfloat a, vfloat b) {
  vfloat low = _mm256_unpacklo_ps(a, b), high = _mm256_unpackhi_ps(a, b);
  _mm256_store_ps(p, _mm256_permute2f128_ps(low, high, 0x20));
  _mm256_store_ps(p + 8, _mm256_permute2f128_ps(low, high, 0x31));
}
INLINE vint lanes_load_int(const int32_t *p) {
  return _mm256_load_si256((const __m256i *)p);
}
INLINE void lanes_store_int(int32_t *p, vint x) {
  _mm256_store_si256((__m256i *)p, x);
}
INLINE vfloat lanes_set(float x) {
  return _mm256_set1_ps(x);
}
INLINE vint lanes_set_int(int x) {
  return _mm256_set1_epi32(x);
}
INLINE vint lanes_floor(vfloat x) {
  return _mm256_cvttps_epi32(_mm256_floor_ps(x));
}
INLINE vfloat lanes_float(vint x) {
  return _mm256_cvtepi32_ps(x);
}
/* x = mantissa * 2^exponent, mantissa in [1, 2); x > 0 */
INLINE vfloat lanes_exponent(vfloat x) {
  return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_srli_epi32(_mm256_castps_si256(x), 23), _mm256_set1_epi32(127)));
}
INLINE vfloat lanes_mantissa(vfloat x) {
  return _mm256_or_ps(_mm256_and_ps(x, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffff))), R(1.0));
}
INLINE vint lanes_add(vint a, vint b) {
  return _mm256_add_epi32(a, b);
}
INLINE vint lanes_sub(vint a, vint b) {
  return _mm256_sub_epi32(a, b);
}
INLINE vint lanes_shift_left(vint a, int n) {
  return _mm256_slli_epi32(a, n);
}
INLINE vint lanes_clamp(vint x, int low, int high) {
  return _mm256_min_epi32(_mm256_max_epi32(x, lanes_set_int(low)), lanes_set_int(high));
}
INLINE int lanes_first(vint x) {
  return _mm_cvtsi128_si32(_mm256_castsi256_si128(x));
}
INLINE int lanes_last(vint x) {
  return _mm_extract_epi32(_mm256_extracti128_si256(x, 1), 3);
}
INLINE int lanes_any_above(vfloat x, float limit) {
  return _mm256_movemask_ps(_mm256_cmp_ps(x, lanes_set(limit), _CMP_GT_OQ)) != 0;
}
INLINE vfloat lanes_select_above(vfloat x, float limit, vfloat above, vfloat otherwise) {
  return _mm256_blendv_ps(otherwise, above, _mm256_cmp_ps(x, lanes_set(limit), _CMP_GT_OQ));
}
INLINE int lanes_within(vint x, unsigned limit) {
  vint most = _mm256_max_epu32(x, _mm256_set1_epi32((int)limit));
  return _mm256_movemask_epi8(_mm256_cmpeq_epi32(most, _mm256_set1_epi32((int)limit))) == -1;
}
/* count, one more where limit >= x. */
INLINE vint lanes_count(vint count, vfloat limit, vfloat x) {
  return _mm256_sub_epi32(count, _mm256_castps_si256(_mm256_cmp_ps(limit, x, _CMP_GE_OQ)));
}

INLINE vfloat lanes_gather(const float *p, vint index) {
  return _mm256_i32gather_ps(p, index, 4);
}

#define NARROW_WINDOW 16
#define WIDE_WINDOW 32
typedef struct narrow_window {
  vfloat a, b;
} narrow_window;
typedef struct wide_window {
  narrow_window low, high;
} wide_window;
INLINE narrow_window narrow_load(const float *p) {
  return (narrow_window){_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)};
}
/* The blend looks at the sign bit: bit 3 of the index moved there says which half. */
INLINE vfloat narrow_pick(narrow_window w, vint index) {
  vfloat low = _mm256_permutevar8x32_ps(w.a, index), high = _mm256_permutevar8x32_ps(w.b, index);
  return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(index, 28)));
}
INLINE wide_window wide_load(const float *p) {
  return (wide_window){narrow_load(p), narrow_load(p + 16)};
}
INLINE vfloat wide_pick(wide_window w, vint index) {
  return _mm256_blendv_ps(narrow_pick(w.low, index), narrow_pick(w.high, index),
                          _mm256_castsi256_ps(_mm256_slli_epi32(index, 27)));
}

INLINE vmask lanes_mask(int at, int first, int end) {
  vint lane = _mm256_add_epi32(_mm256_set1_epi32(at), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  return _mm256_andnot_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32(first), lane),
                             _mm256_cmpgt_epi32(_mm256_set1_epi32(end), lane));
}
INLINE void lanes_accumulate(float *p, vfloat x) {
  _mm256_store_ps(p, _mm256_load_ps(p) + x);
}
INLINE void lanes_accumulate_masked(float *p, vfloat x, vmask mask) {
  _mm256_maskstore_ps(p, mask, _mm256_load_ps(p) + x);
}

#endif
