/* half_words.h - sixteen-bit floats and words: by their bits, and by the vectors of an instruction set, which round alike.
 *
 * Included by tensor_loops.h, once for each instruction set. A NaN keeps the head of its fraction and is quiet.
 */
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* ---- one number ---- */

/* A half's bits moved into a float's are the number times 2^-112, subnormal halves too; infinities and NaN get their exponent. */
static inline float float_of_half(uint16_t half) {
  uint32_t bits = (uint32_t)(half & 0x7fffu) << 13;
  float scaled = AS_FLOAT(bits) * 0x1p112f;
  uint32_t endless = bits | (bits > 0x0f800000u ? 0x7fc00000u : 0x7f800000u);
  uint32_t magnitude = bits >= 0x0f800000u ? endless : AS_UINT(scaled);
  return AS_FLOAT(magnitude | (uint32_t)(half & 0x8000u) << 16);
}

/* Rounded to nearest even; below the least normal half an addition rounds at its last place. */
static inline uint16_t half_of_float(float x) {
  uint32_t bits = AS_UINT(x), magnitude = bits & 0x7fffffffu;
  uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
  uint32_t small = AS_UINT(AS_FLOAT(magnitude) + 0.5f) - 0x3f000000u;
  uint32_t finite = magnitude < 0x38800000u ? small : normal;
  uint32_t large = magnitude > 0x7f800000u ? 0x7e00u | (magnitude >> 13 & 0x1ffu) : 0x7c00u;
  return (uint16_t)((magnitude >= 0x477ff000u ? large : finite) | (bits >> 16 & 0x8000u));
}

static inline float float_of_bfloat(uint16_t bfloat) {
  return AS_FLOAT((uint32_t)bfloat << 16);
}

static inline uint16_t bfloat_of_float(float x) {
  uint32_t bits = AS_UINT(x), rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
}

/* ---- a vector ---- */

/* HALVES at once: wide_f16(from), narrow_f16(float vector) and the same of bf16; wide_pair_ and stream_pair_: two vectors, stored
 * past the caches to a multiple of their bytes. */
#if defined(__AVX512F__) && defined(__AVX512BW__)
enum { HALVES = 16 };
typedef __m512 wide_vector;
typedef __m256i narrow_vector;
#define WIDE_LOAD(from) _mm512_loadu_ps(from)
#define WIDE_STORE(to, x) _mm512_storeu_ps(to, x)
#define NARROW_LOAD(from) _mm256_loadu_si256((const __m256i_u *)(from))
#define NARROW_STORE(to, x) _mm256_storeu_si256((__m256i_u *)(to), x)
/* A whole line. (Of half a line clang 14 makes a truncating store that goes through the caches.) */
#define NARROW_STREAM(to, x, y) _mm512_stream_si512((__m512i *)(void *)(to), _mm512_inserti64x4(_mm512_castsi256_si512(x), y, 1))
static inline wide_vector wide_f16(narrow_vector x) {
  return _mm512_cvtph_ps(x);
}
static inline narrow_vector narrow_f16(wide_vector x) {
  return _mm512_maskz_cvtps_ph(0xffffu, x, _MM_FROUND_TO_NEAREST_INT); /* all lanes */
}
static inline wide_vector wide_bf16(narrow_vector x) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16));
}
/* The rounded bfloat in the upper half of each lane. */
static inline __m512i upper_bf16(wide_vector x) {
  __m512i bits = _mm512_castps_si512(x);
  __mmask16 is_odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000)), is_nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  __m512i rounded = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
  rounded = _mm512_mask_add_epi32(rounded, is_odd, bits, _mm512_set1_epi32(0x8000));
  return _mm512_mask_or_epi32(rounded, is_nan, bits, _mm512_set1_epi32(0x400000));
}
static inline narrow_vector narrow_bf16(wide_vector x) {
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(upper_bf16(x), 16));
}
/* Two vectors at once, in any order that the way back has too: of bfloats the even ones, then the odd ones. */
static inline void wide_pair_bf16(float *to, const uint16_t *from) {
  __m512i words = _mm512_loadu_si512(from);
  WIDE_STORE(to, _mm512_castsi512_ps(_mm512_slli_epi32(words, 16)));
  WIDE_STORE(to + HALVES, _mm512_castsi512_ps(_mm512_and_si512(words, _mm512_set1_epi32((int)0xffff0000u))));
}
static inline void stream_pair_bf16(uint16_t *to, const float *from) {
  __m512i even = _mm512_srli_epi32(upper_bf16(WIDE_LOAD(from)), 16), odd = upper_bf16(WIDE_LOAD(from + HALVES));
  _mm512_stream_si512((__m512i *)(void *)to, _mm512_mask_blend_epi16(0xaaaaaaaau, even, odd));
}
#elif defined(__AVX2__) && defined(__F16C__)
enum { HALVES = 8 };
typedef __m256 wide_vector;
typedef __m128i narrow_vector;
#define WIDE_LOAD(from) _mm256_loadu_ps((const float *)(from))
#define WIDE_STORE(to, x) _mm256_storeu_ps((float *)(to), x)
#define NARROW_LOAD(from) _mm_loadu_si128((const __m128i_u *)(from))
#define NARROW_STORE(to, x) _mm_storeu_si128((__m128i_u *)(to), x)
#define NARROW_STREAM(to, x, y) _mm256_stream_si256((__m256i *)(void *)(to), _mm256_set_m128i(y, x))
static inline wide_vector wide_f16(narrow_vector x) {
  return _mm256_cvtph_ps(x);
}
static inline narrow_vector narrow_f16(wide_vector x) {
  return _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT);
}
static inline wide_vector wide_bf16(narrow_vector x) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16));
}
static inline __m256i upper_bf16(wide_vector x) {
  __m256i bits = _mm256_castps_si256(x), odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
  __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
  return _mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q)));
}
static inline narrow_vector narrow_bf16(wide_vector x) {
  __m256i rounded = _mm256_srli_epi32(upper_bf16(x), 16);
  return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}
static inline void wide_pair_bf16(float *to, const uint16_t *from) {
  __m256i words = _mm256_loadu_si256((const __m256i_u *)from);
  WIDE_STORE(to, _mm256_castsi256_ps(_mm256_slli_epi32(words, 16)));
  WIDE_STORE(to + HALVES, _mm256_castsi256_ps(_mm256_and_si256(words, _mm256_set1_epi32((int)0xffff0000u))));
}
static inline void stream_pair_bf16(uint16_t *to, const float *from) {
  __m256i even = _mm256_srli_epi32(upper_bf16(WIDE_LOAD(from)), 16), odd = upper_bf16(WIDE_LOAD(from + HALVES));
  _mm256_stream_si256((__m256i *)(void *)to, _mm256_blend_epi16(even, odd, 0xaa));
}
#endif
#if defined(WIDE_LOAD)
static inline void wide_pair_f16(float *to, const uint16_t *from) {
  WIDE_STORE(to, wide_f16(NARROW_LOAD(from)));
  WIDE_STORE(to + HALVES, wide_f16(NARROW_LOAD(from + HALVES)));
}
static inline void stream_pair_f16(uint16_t *to, const float *from) {
  NARROW_STREAM(to, narrow_f16(WIDE_LOAD(from)), narrow_f16(WIDE_LOAD(from + HALVES)));
}
#else
enum { HALVES = 16 };
#define PAIR_LOOPS(kind, name)                                                \
  static inline void wide_pair_##kind(float *to, const uint16_t *from) {      \
    for (size_t k = 0; k < 2 * HALVES; k++) to[k] = float_of_##name(from[k]); \
  }                                                                           \
  static inline void stream_pair_##kind(uint16_t *to, const float *from) {    \
    for (size_t k = 0; k < 2 * HALVES; k++) to[k] = name##_of_float(from[k]); \
  }
PAIR_LOOPS(f16, half)
PAIR_LOOPS(bf16, bfloat)
#endif

/* ---- many ---- */

/* Neighbours as vectors, by the processor's conversions or the compiler's loop; what is left, and other strides, one by one.
 */
#if defined(WIDE_LOAD)
#define NEIGHBOURS(vectors, numbers) \
  for (; k + HALVES <= n; k += HALVES) vectors
#else
#define NEIGHBOURS(vectors, numbers) \
  for (; k < n; k++) numbers
#endif
/* Of neighbours those that will be needed soon are asked for, 4 KiB ahead. */
enum { HALVES_AHEAD = 2048 };
static inline void wide_ahead(const uint16_t *at) {
  __builtin_prefetch(at + HALVES_AHEAD, 0, 2);
}
#define HALF_MANY(kind, name)                                                                                                   \
  static void load_##kind(moho_word *to, const void *from, size_t first, size_t stride, size_t n) {                             \
    const uint16_t *at = (const uint16_t *)from + first;                                                                        \
    size_t k = 0;                                                                                                               \
    if (stride == 1)                                                                                                            \
      NEIGHBOURS((wide_ahead(at + k), WIDE_STORE(to + k, wide_##kind(NARROW_LOAD(at + k)))), to[k].f = float_of_##name(at[k])); \
    for (; k < n; k++) to[k].f = float_of_##name(at[k * stride]);                                                               \
  }                                                                                                                             \
  static void store_##kind(void *to, size_t first, size_t stride, const moho_word *from, size_t n) {                            \
    uint16_t *at = (uint16_t *)to + first;                                                                                      \
    size_t k = 0;                                                                                                               \
    if (stride == 1) NEIGHBOURS(NARROW_STORE(at + k, narrow_##kind(WIDE_LOAD(from + k))), at[k] = name##_of_float(from[k].f));  \
    for (; k < n; k++) at[k * stride] = name##_of_float(from[k].f);                                                             \
  }
HALF_MANY(f16, half)
HALF_MANY(bf16, bfloat)
