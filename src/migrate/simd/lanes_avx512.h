/* lanes_avx512.h - sixteen lanes: AVX-512 F, DQ, BW, VL. */
#ifndef MOHO_LANES_H
#define MOHO_LANES_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 16
#define VECTORS 4 /* in flight at once in the first step: 32 registers hold them */
#define LANES_NAME(name) name##_avx512
#define INLINE static inline __attribute__((always_inline, unused))

typedef __m512 vfloat;
typedef __m512i vint;
typedef __mmask16 vmask;

#define REAL vfloat
#define R(x) _mm512_set1_ps((float)(x))
#define FMA(a, b, c) _mm512_fmadd_ps(a, b, c)
#define MAX(a, b) _mm512_max_ps(a, b)
#define MIN(a, b) _mm512_min_ps(a, b)
#define ABS(x) _mm512_abs_ps(x)
#define PHYSICS_FUNCTION INLINE

/* 1/sqrt and 1/x: estimate of 14 bits and one Newton step, about 1 ulp. */
INLINE vfloat lanes_rsqrt(vfloat a) {
  vfloat r = _mm512_rsqrt14_ps(a);
  vfloat e = _mm512_fnmadd_ps(a * r, r, R(1.0));
  return FMA(r * R(0.5), e, r);
}

INLINE vfloat lanes_sqrt(vfloat a) {
  vfloat r = _mm512_rsqrt14_ps(a), y = a * r;
  return FMA(r * R(0.5), _mm512_fnmadd_ps(y, y, a), y);
}

/* sqrt(a) + sqrt(b) - shift of count (VECTORS at most) vectors, operation by operation so that none waits for the one before:
 * y = a r, sqrt(a) = y + r/2 (a - y^2), the two halves added first. */
INLINE void lanes_sum_of_roots(const vfloat *a, const vfloat *b, vfloat shift, vfloat *out, int count) {
  vfloat ra[VECTORS], rb[VECTORS], ya[VECTORS], yb[VECTORS], correction[VECTORS];
  for (int k = 0; k < count; k++) ra[k] = _mm512_rsqrt14_ps(a[k]), rb[k] = _mm512_rsqrt14_ps(b[k]);
  for (int k = 0; k < count; k++) ya[k] = a[k] * ra[k], yb[k] = b[k] * rb[k];
  for (int k = 0; k < count; k++) correction[k] = rb[k] * _mm512_fnmadd_ps(yb[k], yb[k], b[k]);
  for (int k = 0; k < count; k++) correction[k] = FMA(ra[k], _mm512_fnmadd_ps(ya[k], ya[k], a[k]), correction[k]);
  for (int k = 0; k < count; k++) out[k] = FMA(correction[k], R(0.5), ya[k] + (yb[k] - shift));
}

INLINE vfloat lanes_reciprocal(vfloat a) {
  vfloat r = _mm512_rcp14_ps(a);
  return FMA(r, _mm512_fnmadd_ps(a, r, R(1.0)), r);
}

INLINE vfloat lanes_load(const float *p) {
  return _mm512_load_ps(p);
}
INLINE void lanes_store(float *p, vfloat x) {
  _mm512_store_ps(p, x);
}
/* a0 b0 a1 b1 ... */
INLINE void lanes_store_pairs(float *p, vfloat a, vfloat b) {
  const vint first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  _mm512_store_ps(p, _mm512_permutex2var_ps(a, first, b));
  _mm512_store_ps(p + 16, _mm512_permutex2var_ps(a, _mm512_add_epi32(first, _mm512_set1_epi32(8)), b));
}
INLINE vint lanes_load_int(const int32_t *p) {
  return _mm512_load_si512(p);
}
INLINE void lanes_store_int(int32_t *p, vint x) {
  _mm512_store_si512(p, x);
}
INLINE vfloat lanes_set(float x) {
  return _mm512_set1_ps(x);
}
INLINE vint lanes_set_int(int x) {
  return _mm512_set1_epi32(x);
}
INLINE vint lanes_floor(vfloat x) {
  return _mm512_cvt_roundps_epi32(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
}
INLINE vfloat lanes_float(vint x) {
  return _mm512_cvtepi32_ps(x);
}
/* Without optimisation gcc's header makes macros of these two, with an all-ones mask that it warns of. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif
/* x = mantissa * 2^exponent, mantissa in [1, 2); x > 0 */
INLINE vfloat lanes_exponent(vfloat x) {
  return _mm512_getexp_ps(x);
}
INLINE vfloat lanes_mantissa(vfloat x) {
  return _mm512_getmant_ps(x, _MM_MANT_NORM_1_2, _MM_MANT_SIGN_src);
}
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
INLINE vint lanes_add(vint a, vint b) {
  return _mm512_add_epi32(a, b);
}
INLINE vint lanes_sub(vint a, vint b) {
  return _mm512_sub_epi32(a, b);
}
INLINE vint lanes_shift_left(vint a, int n) {
  return _mm512_slli_epi32(a, (unsigned)n);
}
INLINE vint lanes_clamp(vint x, int low, int high) {
  return _mm512_min_epi32(_mm512_max_epi32(x, lanes_set_int(low)), lanes_set_int(high));
}
INLINE int lanes_first(vint x) {
  return _mm_cvtsi128_si32(_mm512_castsi512_si128(x));
}
INLINE int lanes_last(vint x) {
  return _mm_extract_epi32(_mm512_extracti32x4_epi32(x, 3), 3);
}
INLINE int lanes_any_above(vfloat x, float limit) {
  return _mm512_cmp_ps_mask(x, lanes_set(limit), _CMP_GT_OQ) != 0;
}
INLINE vfloat lanes_select_above(vfloat x, float limit, vfloat above, vfloat otherwise) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, lanes_set(limit), _CMP_GT_OQ), otherwise, above);
}

/* count, one more where limit >= x. */
INLINE vint lanes_count(vint count, vfloat limit, vfloat x) {
  return _mm512_mask_add_epi32(count, _mm512_cmp_ps_mask(limit, x, _CMP_GE_OQ), count, _mm512_set1_epi32(1));
}

/* All of x in [0, limit], as unsigned numbers. */
INLINE int lanes_within(vint x, unsigned limit) {
  return _mm512_cmpgt_epu32_mask(x, _mm512_set1_epi32((int)limit)) == 0;
}
/* Without optimisation gcc's gather is a macro whose mask of 16 ones it then takes for a changed sign. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
INLINE vfloat lanes_gather(const float *p, vint index) {
  return _mm512_i32gather_ps(index, p, 4);
}
#pragma GCC diagnostic pop

/* Windows of consecutive values in registers, read by a permute: far cheaper than a gather. */
#define NARROW_WINDOW 32
#define WIDE_WINDOW 64
typedef struct narrow_window {
  vfloat a, b;
} narrow_window;
typedef struct wide_window {
  vfloat a, b, c, d;
} wide_window;
INLINE narrow_window narrow_load(const float *p) {
  return (narrow_window){_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16)};
}
INLINE vfloat narrow_pick(narrow_window w, vint index) {
  return _mm512_permutex2var_ps(w.a, index, w.b);
}
INLINE wide_window wide_load(const float *p) {
  return (wide_window){_mm512_loadu_ps(p), _mm512_loadu_ps(p + 16), _mm512_loadu_ps(p + 32), _mm512_loadu_ps(p + 48)};
}
INLINE vfloat wide_pick(wide_window w, vint index) {
  vfloat low = _mm512_permutex2var_ps(w.a, index, w.b), high = _mm512_permutex2var_ps(w.c, index, w.d);
  return _mm512_mask_blend_ps(_mm512_test_epi32_mask(index, _mm512_set1_epi32(32)), low, high);
}

/* Lanes first..end-1 of the vector that begins at `at`. */
INLINE vmask lanes_mask(int at, int first, int end) {
  unsigned low = first > at ? 0xffffu << (first - at) : 0xffffu;
  unsigned high = end - at < LANES ? (1u << (end - at)) - 1u : 0xffffu;
  return (vmask)(low & high);
}
INLINE void lanes_accumulate(float *p, vfloat x) {
  _mm512_store_ps(p, _mm512_load_ps(p) + x);
}
INLINE void lanes_accumulate_masked(float *p, vfloat x, vmask mask) {
  _mm512_mask_store_ps(p, mask, _mm512_load_ps(p) + x);
}

#endif
