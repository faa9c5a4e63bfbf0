/* ternary_neon.c - ternary products by NEON's dot product (Armv8.2 DotProd), which all Apple processors have: signed bytes on
 * both sides, and codes 0, 1, 2 are the same as signed ones. Four rows by 16 outputs keep 16 sums in registers. */
#include "tensor/ternary_kernel.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include "tensor/simd/ternary_rows.h"
#include "device/cpu/cpu_features.h"

static inline __attribute__((always_inline)) int8x16_t four_of(const int8_t *x) {
  int32_t word;
  memcpy(&word, x, sizeof word);
  return vreinterpretq_s8_s32(vdupq_n_s32(word));
}

static inline __attribute__((always_inline)) int8x16_t code_of(uint8x16_t bytes, int t) {
  uint8x16_t low = vdupq_n_u8(3);
  switch (t) {
  case 0: return vreinterpretq_s8_u8(vandq_u8(bytes, low));
  case 1: return vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(bytes, 2), low));
  case 2: return vreinterpretq_s8_u8(vandq_u8(vshrq_n_u8(bytes, 4), low));
  default: return vreinterpretq_s8_u8(vshrq_n_u8(bytes, 6));
  }
}

/* 16 outputs at `codes`, 64 bytes of each step of a panel. */
static inline __attribute__((always_inline)) void add_rows(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride,
                                                           uint32_t *sums, int rows) {
  int32x4_t sum[4][4];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) sum[r][t] = vreinterpretq_s32_u32(vld1q_u32(sums + 64 * r + 4 * t));
  for (size_t s = 0; s < steps; s++) {
    int8x16_t w[4];
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) w[t] = vreinterpretq_s8_u8(vld1q_u8(codes + TERNARY_PANEL_STEP * s + 16 * t));
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) {
      int8x16_t four = four_of(x + (size_t)r * x_stride + 4 * s);
#pragma GCC unroll 4
      for (int t = 0; t < 4; t++) sum[r][t] = vdotq_s32(sum[r][t], w[t], four);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) vst1q_u32(sums + 64 * r + 4 * t, vreinterpretq_u32_s32(sum[r][t]));
}

static void add_panel(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  for (size_t t = 0; t < 4; t++) {
    if (rows == 4) add_rows(codes + 64 * t, steps, x, x_stride, sums + 16 * t, 4);
    else
      for (size_t r = 0; r < rows; r++) add_rows(codes + 64 * t, steps, x + r * x_stride, 0, sums + 64 * r + 16 * t, 1);
  }
}

/* One row: 64 outputs from 64 packed bytes; output 16 t + 4 h ... lies in bits 2 t of bytes 16 h ... */
static void add_packed(const uint8_t *codes, size_t steps, const int8_t *x, size_t x_stride, size_t rows, uint32_t *sums) {
  (void)x_stride, (void)rows;
  int32x4_t sum[4][4];
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++)
#pragma GCC unroll 4
    for (int h = 0; h < 4; h++) sum[t][h] = vreinterpretq_s32_u32(vld1q_u32(sums + 16 * t + 4 * h));
  for (size_t s = 0; s < steps; s++) {
    int8x16_t four = four_of(x + 4 * s);
#pragma GCC unroll 4
    for (int h = 0; h < 4; h++) {
      uint8x16_t bytes = vld1q_u8(codes + TERNARY_STEP_BYTES * s + 16 * h);
#pragma GCC unroll 4
      for (int t = 0; t < 4; t++) sum[t][h] = vdotq_s32(sum[t][h], code_of(bytes, t), four);
    }
  }
#pragma GCC unroll 4
  for (int t = 0; t < 4; t++)
#pragma GCC unroll 4
    for (int h = 0; h < 4; h++) vst1q_u32(sums + 16 * t + 4 * h, vreinterpretq_u32_s32(sum[t][h]));
}

static void unpack(const uint8_t *packed, size_t steps, uint8_t *panel) {
  for (size_t i = 0; i < 4 * steps; i++) {
    uint8x16_t bytes = vld1q_u8(packed + 16 * i);
    uint8_t *out = panel + TERNARY_PANEL_STEP * (i / 4) + 16 * (i & 3);
#pragma GCC unroll 4
    for (int t = 0; t < 4; t++) vst1q_s8((int8_t *)out + 64 * t, code_of(bytes, t));
  }
}

const ternary_kernel ternary_neon = {.name = "neon",
                                     .runs_here = moho_cpu_has_dot_products,
                                     .packed_rows = 1,
                                     .panel_rows = 4,
                                     .packed = add_packed,
                                     .panel = add_panel,
                                     .unpack = unpack,
                                     .mean_square = row_mean_square,
                                     .largest = row_largest,
                                     .quantize = row_quantize};
#endif
