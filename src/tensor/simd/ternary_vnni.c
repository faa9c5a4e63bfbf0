/* ternary_vnni.c - ternary products by AVX-512 VNNI: one instruction multiplies 64 codes with 64 activations and adds them up.
 *
 * vpdpbusd multiplies unsigned by signed bytes and wraps nowhere before 32 bits: codes 0, 1, 2 are the unsigned side. Six rows by
 * 64 outputs keep 24 sums in registers; four activations of a row are one broadcast word, shared by four instructions.
 */
#include "tensor/ternary_kernel.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "tensor/simd/ternary_rows.h"
#include "device/cpu/cpu_features.h"

static inline __attribute__((always_inline)) __m512i four_of(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return _mm512_set1_epi32(word);
}

/* Codes of four times 16 outputs from 64 packed bytes. */
static inline __attribute__((always_inline)) void unpack_step(const uint8_t *packed, __m512i w[4]) {
  const __m512i low = _mm512_set1_epi8(3);
  __m512i bytes = _mm512_loadu_si512(packed);
  w[0] = _mm512_and_si512(bytes, low);
  w[1] = _mm512_and_si512(_mm512_srli_epi16(bytes, 2), low);
  w[2] = _mm512_and_si512(_mm512_srli_epi16(bytes, 4), low);
  w[3] = _mm512_and_si512(_mm512_srli_epi16(bytes, 6), low);
}

static inline __attribute__((always_inline)) void load_step(const uint8_t *panel, __m512i w[4]) {
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++) w[t] = _mm512_loadu_si512(panel + 64 * t);
}

static inline __attribute__((always_inline)) void add_rows(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride,
                                                           uint32_t *sums, int rows, int is_packed) {
  __m512i sum[TERNARY_MOST_ROWS][4], w[4];
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) sum[r][t] = _mm512_loadu_si512(sums + 64 * r + 16 * t);
  for (size_t s = 0; s < steps; s++) {
    if (is_packed) unpack_step(codes + TERNARY_STEP_BYTES * s, w);
    else load_step(codes + TERNARY_PANEL_STEP * s, w);
#pragma GCC unroll 6
    for (int r = 0; r < rows; r++) {
      __m512i four = four_of(x + (size_t)r * x_stride + 4 * s);
#pragma GCC unroll 4
      for (int t = 0; t < 4; t++) sum[r][t] = _mm512_dpbusd_epi32(sum[r][t], w[t], four);
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) _mm512_storeu_si512(sums + 64 * r + 16 * t, sum[r][t]);
}

/* One row alone waits for its sums: two sets of them, of even and odd steps. */
static void add_one_packed(const uint8_t *codes, size_t steps, const int8_t *x, uint32_t *sums) {
  __m512i even[4], odd[4], w[4];
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++) even[t] = _mm512_loadu_si512(sums + 16 * t), odd[t] = _mm512_setzero_si512();
  size_t s = 0;
  for (; s + 2 <= steps; s += 2) {
    const uint8_t *here = codes + TERNARY_STEP_BYTES * s;
    __builtin_prefetch(here + 4096);
    __builtin_prefetch(here + 4096 + 64);
    unpack_step(here, w);
    __m512i four = four_of(x + 4 * s);
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) even[t] = _mm512_dpbusd_epi32(even[t], w[t], four);
    unpack_step(here + TERNARY_STEP_BYTES, w);
    four = four_of(x + 4 * s + 4);
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) odd[t] = _mm512_dpbusd_epi32(odd[t], w[t], four);
  }
  if (s < steps) {
    unpack_step(codes + TERNARY_STEP_BYTES * s, w);
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) even[t] = _mm512_dpbusd_epi32(even[t], w[t], four_of(x + 4 * s));
  }
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++) _mm512_storeu_si512(sums + 16 * t, _mm512_add_epi32(even[t], odd[t]));
}

static void add_packed(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  switch (rows) {
  case 1: add_one_packed(codes, steps, x, sums); return;
  case 2: add_rows(codes, steps, x, x_stride, sums, 2, 1); return;
  case 3: add_rows(codes, steps, x, x_stride, sums, 3, 1); return;
  default: add_rows(codes, steps, x, x_stride, sums, 4, 1); return;
  }
}

static void add_panel(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  switch (rows) {
  case 1: add_rows(codes, steps, x, x_stride, sums, 1, 0); return;
  case 2: add_rows(codes, steps, x, x_stride, sums, 2, 0); return;
  case 3: add_rows(codes, steps, x, x_stride, sums, 3, 0); return;
  case 4: add_rows(codes, steps, x, x_stride, sums, 4, 0); return;
  case 5: add_rows(codes, steps, x, x_stride, sums, 5, 0); return;
  default: add_rows(codes, steps, x, x_stride, sums, 6, 0); return;
  }
}

static void unpack(const uint8_t *packed, size_t steps, uint8_t *panel) {
  for (size_t s = 0; s < steps; s++) {
    __m512i w[4];
    unpack_step(packed + TERNARY_STEP_BYTES * s, w);
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) _mm512_storeu_si512(panel + TERNARY_PANEL_STEP * s + 64 * t, w[t]);
  }
}

const ternary_kernel ternary_vnni = {.name = "vnni",
                                     .runs_here = moho_cpu_has_dot_products,
                                     .packed_rows = 4,
                                     .panel_rows = 6,
                                     .packed = add_packed,
                                     .panel = add_panel,
                                     .unpack = unpack,
                                     .mean_square = row_mean_square,
                                     .largest = row_largest,
                                     .quantize = row_quantize};
#endif
