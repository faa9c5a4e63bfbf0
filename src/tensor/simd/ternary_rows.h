/* ternary_rows.h - activations to bytes: plain loops that the compiler makes vectors of, once an instruction set. */
#ifndef MOHO_TENSOR_TERNARY_ROWS_H
#define MOHO_TENSOR_TERNARY_ROWS_H

#include <math.h>
#include <string.h>

#include "tensor/ternary_kernel.h"

enum { ROW_LANES = 64 };

/* As integers, |x| of floats are in order, and NaN comes after infinity. */
static inline uint32_t magnitude_bits(float x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits & 0x7fffffffu;
}

static float row_largest(const float *x, size_t k) {
  uint32_t lanes[ROW_LANES] = {0}, largest = 0;
  size_t i = 0;
  for (; i + ROW_LANES <= k; i += ROW_LANES)
    for (size_t j = 0; j < ROW_LANES; j++) {
      uint32_t bits = magnitude_bits(x[i + j]);
      lanes[j] = lanes[j] > bits ? lanes[j] : bits;
    }
  for (; i < k; i++) {
    uint32_t bits = magnitude_bits(x[i]);
    largest = largest > bits ? largest : bits;
  }
  for (size_t j = 0; j < ROW_LANES; j++) largest = largest > lanes[j] ? largest : lanes[j];
  if (largest > 0x7f800000u) largest = 0x7f800000u;
  float result;
  memcpy(&result, &largest, sizeof result);
  return result;
}

static float row_mean_square(const float *x, size_t k) {
  float lanes[256] = {0};
  size_t i = 0;
  for (; i + 256 <= k; i += 256)
    for (size_t j = 0; j < 256; j++) lanes[j] = fmaf(x[i + j], x[i + j], lanes[j]);
  for (size_t j = 0; i + j < k; j++) lanes[j] = fmaf(x[i + j], x[i + j], lanes[j]);
  for (size_t rest = 128; rest > 0; rest /= 2)
    for (size_t j = 0; j < rest; j++) lanes[j] += lanes[j + rest];
  return lanes[0] / (float)k;
}

/* Adding 1.5 2^23 rounds to an integer, halves to even, which then lies in the lowest bits. */
static inline int32_t nearest(float x) {
  float shifted = x + 12582912.0f;
  int32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits -= 0x4b400000;
  return bits < -128 ? -128 : bits > 127 ? 127 : bits;
}

static int32_t row_quantize(const float *x, size_t k, float s, int8_t *xq) {
  int32_t sum = 0;
  for (size_t i = 0; i < k; i++) {
    int32_t q = nearest(x[i] * s);
    xq[i] = (int8_t)q;
    sum += q;
  }
  return sum;
}

#endif
