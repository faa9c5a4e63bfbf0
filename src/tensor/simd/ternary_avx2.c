/* ternary_avx2.c - ternary products by AVX2: vpmaddubsw multiplies codes with activations and adds pairs into 16 bits.
 *
 * A pair is at most 2 (2 * 127) = 508 and at least 2 (2 * -128) = -512: CHAIN = 64 of them reach 32512 and -32768, which 16 bits
 * hold exactly; one more could wrap. So sums are widened to 32 bits every 64 steps, never later.
 */
#include "tensor/ternary_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tensor/simd/ternary_rows.h"

enum { CHAIN = 64 };

static int runs_here(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static inline __attribute__((always_inline)) __m256i four_of(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return _mm256_set1_epi32(word);
}

/* Pairs of 16 bits into the 32-bit sums of 8 outputs. */
static inline __attribute__((always_inline)) void widen(uint32_t *sums, __m256i pairs) {
  __m256i wide = _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
  _mm256_storeu_si256((__m256i *)sums, _mm256_add_epi32(_mm256_loadu_si256((const __m256i *)sums), wide));
}

/* At most CHAIN steps of `rows` rows and 16 outputs. */
static inline __attribute__((always_inline)) void add_chain(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride,
                                                            uint32_t *sums, int rows) {
  __m256i pairs[4][2];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) pairs[r][0] = pairs[r][1] = _mm256_setzero_si256();
  for (size_t s = 0; s < steps; s++) {
    const uint8_t *here = codes + TERNARY_PANEL_STEP * s;
    __m256i w[2] = {_mm256_loadu_si256((const __m256i *)here), _mm256_loadu_si256((const __m256i *)(here + 32))};
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      __m256i four = four_of(x + (size_t)r * x_stride + 4 * s);
      pairs[r][0] = _mm256_add_epi16(pairs[r][0], _mm256_maddubs_epi16(w[0], four));
      pairs[r][1] = _mm256_add_epi16(pairs[r][1], _mm256_maddubs_epi16(w[1], four));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) widen(sums + 64 * r, pairs[r][0]), widen(sums + 64 * r + 8, pairs[r][1]);
}

static void add_panel(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  for (size_t s = 0; s < steps; s += CHAIN) {
    size_t n = steps - s < CHAIN ? steps - s : CHAIN;
    for (size_t t = 0; t < 4; t++) {
      const uint8_t *here = codes + TERNARY_PANEL_STEP * s + 64 * t;
      uint32_t *out = sums + 16 * t;
      if (rows == 4) add_chain(here, n, x + 4 * s, x_stride, out, 4);
      else
        for (size_t r = 0; r < rows; r++) add_chain(here, n, x + r * x_stride + 4 * s, 0, out + 64 * r, 1);
    }
  }
}

/* One row: 64 outputs from 64 packed bytes, in eight registers. */
static void add_packed(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  (void)x_stride, (void)rows;
  const __m256i low = _mm256_set1_epi8(3);
  for (size_t s = 0; s < steps; s += CHAIN) {
    size_t end = steps - s < CHAIN ? steps : s + CHAIN;
    __m256i pairs[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) pairs[i] = _mm256_setzero_si256();
    for (size_t j = s; j < end; j++) {
      const uint8_t *here = codes + TERNARY_STEP_BYTES * j;
      __builtin_prefetch(here + 4096);
      __m256i four = four_of(x + 4 * j);
#pragma GCC unroll 2
      for (int h = 0; h < 2; h++) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(here + 32 * h));
        pairs[h] = _mm256_add_epi16(pairs[h], _mm256_maddubs_epi16(_mm256_and_si256(bytes, low), four));
        __m256i next = _mm256_and_si256(_mm256_srli_epi16(bytes, 2), low);
        pairs[2 + h] = _mm256_add_epi16(pairs[2 + h], _mm256_maddubs_epi16(next, four));
        next = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low);
        pairs[4 + h] = _mm256_add_epi16(pairs[4 + h], _mm256_maddubs_epi16(next, four));
        next = _mm256_and_si256(_mm256_srli_epi16(bytes, 6), low);
        pairs[6 + h] = _mm256_add_epi16(pairs[6 + h], _mm256_maddubs_epi16(next, four));
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) widen(sums + 8 * i, pairs[i]);
  }
}

static void unpack(const uint8_t *packed, size_t steps, uint8_t *panel) {
  const __m256i low = _mm256_set1_epi8(3);
  for (size_t i = 0; i < 2 * steps; i++) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(packed + 32 * i));
    uint8_t *out = panel + TERNARY_PANEL_STEP * (i / 2) + 32 * (i & 1);
    _mm256_storeu_si256((__m256i *)out, _mm256_and_si256(bytes, low));
    _mm256_storeu_si256((__m256i *)(out + 64), _mm256_and_si256(_mm256_srli_epi16(bytes, 2), low));
    _mm256_storeu_si256((__m256i *)(out + 128), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), low));
    _mm256_storeu_si256((__m256i *)(out + 192), _mm256_and_si256(_mm256_srli_epi16(bytes, 6), low));
  }
}

const ternary_kernel ternary_avx2 = {.name = "avx2",
                                     .runs_here = runs_here,
                                     .packed_rows = 1,
                                     .panel_rows = 4,
                                     .packed = add_packed,
                                     .panel = add_panel,
                                     .unpack = unpack,
                                     .mean_square = row_mean_square,
                                     .largest = row_largest,
                                     .quantize = row_quantize};
#endif
