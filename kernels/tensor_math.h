/* tensor_math.h - the formulas of element-wise operations, once for all devices; a constant `operation` leaves one of them.
 *
 * Numbers of operations are moho_operation's (src/tensor/elementwise.c asserts it). No branch on data: native loops vectorise.
 */
#ifndef MOHO_KERNELS_TENSOR_MATH_H
#define MOHO_KERNELS_TENSOR_MATH_H

#include "elementary.h"

#define TENSOR_ADD 0u
#define TENSOR_SUB 1u
#define TENSOR_MUL 2u
#define TENSOR_DIV 3u
#define TENSOR_MIN 4u
#define TENSOR_MAX 5u
#define TENSOR_FMA 6u
#define TENSOR_COPY 7u
#define TENSOR_CONVERT 8u
#define TENSOR_FILL 9u
#define TENSOR_ABS 10u
#define TENSOR_NEG 11u
#define TENSOR_SQRT 12u
#define TENSOR_EXP 13u
#define TENSOR_LOG 14u
#define TENSOR_CLIP 15u
#define TENSOR_RELU 16u
#define TENSOR_LEAKY_RELU 17u
#define TENSOR_SIGMOID 18u
#define TENSOR_TANH 19u
#define TENSOR_SILU 20u
#define TENSOR_GELU_TANH 21u
#define TENSOR_GELU_ERF 22u
#define TENSOR_RELU_BACKWARD 23u
#define TENSOR_LEAKY_RELU_BACKWARD 24u
#define TENSOR_SIGMOID_BACKWARD 25u
#define TENSOR_TANH_BACKWARD 26u
#define TENSOR_SILU_BACKWARD 27u
#define TENSOR_GELU_TANH_BACKWARD 28u
#define TENSOR_GELU_ERF_BACKWARD 29u
#define TENSOR_SQUARED_ERROR 30u
#define TENSOR_BINARY_CROSS_ENTROPY 31u
#define TENSOR_QUANTIZE 32u
#define TENSOR_DEQUANTIZE 33u

/* Beyond +-200 activations are their limits to the last bit; arguments stay where no product overflows. */
#define TENSOR_LIMIT 200.0f

DEVICE_FUNCTION float tensor_inside(float x, float limit) {
  float low = x < -limit ? -limit : x;
  return low > limit ? limit : low;
}

/* sigmoid'(x) = e / (1 + e)^2, e = exp(-|x|): no difference of neighbours. */
DEVICE_FUNCTION float tensor_sigmoid_slope(float x) {
  float e = elementary_exp_below(-ABS(x)), sum = 1.0f + e;
  return e / (sum * sum);
}

/* x sigmoid(y), where y goes to -infinity with x: -0 there, not infinity times 0. */
DEVICE_FUNCTION float tensor_gated(float x, float y) {
  return x < -TENSOR_LIMIT ? -0.0f : x * elementary_sigmoid(y);
}

/* sqrt(2/pi) (x + 0.044715 x^3), doubled: (1 + tanh u) / 2 = sigmoid(2 u). */
DEVICE_FUNCTION float tensor_gelu_argument(float x) {
  return 1.59576912f * FMA(0.044715f * x * x, x, x);
}

/* exp(-x^2/2), with what x^2 loses in rounding. */
DEVICE_FUNCTION float tensor_bell(float x) {
  float square = x * x, lost = FMA(x, x, -square);
  float e = elementary_exp_below(-0.5f * square);
  return FMA(-0.5f * lost, e, e);
}

/* Phi(-t) of the normal distribution, as 2^P(t): P(t) = -1 + t Q(t), Q a minimax fit of our own, 1.4e-7 of Phi where t Phi(-t) is
 * large, 2e-5 at t = 8, from where on it stays. Only sums and products: a quotient costs a GPU ten of them. */
#define TENSOR_NORMAL_END 8.0f
DEVICE_FUNCTION float tensor_normal_tail(float size) {
  float t = size > TENSOR_NORMAL_END ? TENSOR_NORMAL_END : size;
  float q = FMA(t, -1.02993241e-08f, 3.81505629e-07f);
  q = FMA(t, q, -5.88170724e-06f);
  q = FMA(t, q, 4.73888213e-05f);
  q = FMA(t, q, -0.000182721837f);
  q = FMA(t, q, -0.000192788124f);
  q = FMA(t, q, 0.00717130955f);
  q = FMA(t, q, -0.0525848791f);
  q = FMA(t, q, -0.459176868f);
  q = FMA(t, q, -1.15110874f);
  float power = FMA(t, q, -1.0f), shifted = power + ELEMENTARY_MAGIC, r = power - (shifted - ELEMENTARY_MAGIC);
  float p = FMA(r, 0.00132647273f, 0.00967151299f);
  p = FMA(r, p, 0.0555073358f);
  p = FMA(r, p, 0.240222424f);
  p = FMA(r, p, 0.693147004f);
  p = FMA(r, p, 1.0f);
  return AS_FLOAT(AS_UINT(p) + (AS_UINT(shifted) << 23)); /* the integer stands in the last bits of `shifted` */
}

/* x Phi(x) = max(x, 0) - |x| Phi(-|x|) */
DEVICE_FUNCTION float tensor_gelu_erf(float x) {
  float size = ABS(x), positive = x > 0.0f ? x : 0.0f;
  float bounded = size > TENSOR_NORMAL_END ? TENSOR_NORMAL_END : size;
  float y = FMA(-bounded, tensor_normal_tail(bounded), positive);
  return x < -TENSOR_NORMAL_END ? -0.0f : y;
}

DEVICE_FUNCTION float tensor_gelu_erf_slope(float x) {
  float inside = tensor_inside(x, 20.0f), tail = tensor_normal_tail(ABS(inside));
  return FMA(inside * 0.398942280f, tensor_bell(inside), x > 0.0f ? 1.0f - tail : tail);
}

DEVICE_FUNCTION float tensor_gelu_tanh_slope(float x) {
  float inside = tensor_inside(x, TENSOR_LIMIT), u = tensor_gelu_argument(inside);
  float slope = 1.59576912f * FMA(0.134145f * inside, inside, 1.0f);
  return FMA(inside * tensor_sigmoid_slope(u), slope, elementary_sigmoid(u));
}

DEVICE_FUNCTION float tensor_silu_slope(float x) {
  float inside = tensor_inside(x, TENSOR_LIMIT);
  return FMA(inside, tensor_sigmoid_slope(inside), elementary_sigmoid(inside));
}

/* -(y log p + (1 - y) log(1 - p)), logarithms of at least epsilon; no loss is +0. Not the negative of an FMA: gcc 12 makes one
 * operation of the two, whose zero has the other sign. */
DEVICE_FUNCTION float tensor_binary_loss(float p, float y, float epsilon) {
  float there = p < epsilon ? epsilon : p, not_there = 1.0f - p < epsilon ? epsilon : 1.0f - p;
  return 0.0f - FMA(y, elementary_log(there), (1.0f - y) * elementary_log(not_there));
}

/* round_half_even(x / scale) + zero; the store saturates. Beyond 2^22 a float is far outside every range of 8 bits. */
DEVICE_FUNCTION float tensor_quantized(float x, float scale, float zero) {
  float q = tensor_inside(x / scale, 4194304.0f);
  return ((q + ELEMENTARY_MAGIC) - ELEMENTARY_MAGIC) + zero;
}

/* x of a, b, c and the call's numbers s, t. */
DEVICE_FUNCTION float tensor_apply(uint operation, float a, float b, float c, float s, float t) {
  switch (operation) {
  case TENSOR_ADD: return a + b;
  case TENSOR_SUB: return a - b;
  case TENSOR_MUL: return a * b;
  case TENSOR_DIV: return a / b;
  case TENSOR_MIN: return (a < b || b != b) ? a : b; /* minimumNumber: a NaN loses */
  case TENSOR_MAX: return (a > b || b != b) ? a : b;
  case TENSOR_FMA: return FMA(a, b, c);
  case TENSOR_FILL: return s;
  case TENSOR_ABS: return ABS(a);
  case TENSOR_NEG: return -a;
  case TENSOR_SQRT: return SQRT(a);
  case TENSOR_CLIP: return a < s ? s : (a > t ? t : a);
  case TENSOR_RELU: return a < 0.0f ? 0.0f : a;
  case TENSOR_LEAKY_RELU: return a > 0.0f ? a : s * a;
  case TENSOR_EXP: return elementary_exp(a);
  case TENSOR_LOG: return elementary_log(a);
  case TENSOR_SIGMOID: return elementary_sigmoid(a);
  case TENSOR_TANH: return elementary_tanh(a);
  case TENSOR_SILU: return tensor_gated(a, a);
  case TENSOR_GELU_TANH: return tensor_gated(a, tensor_gelu_argument(a));
  case TENSOR_GELU_ERF: return tensor_gelu_erf(a);
  case TENSOR_RELU_BACKWARD: return a > 0.0f ? b : (a <= 0.0f ? 0.0f : a);
  case TENSOR_LEAKY_RELU_BACKWARD: return a > 0.0f ? b : s * b;
  case TENSOR_SIGMOID_BACKWARD: return tensor_sigmoid_slope(a) * b;
  case TENSOR_TANH_BACKWARD: return 4.0f * tensor_sigmoid_slope(2.0f * a) * b;
  case TENSOR_SILU_BACKWARD: return tensor_silu_slope(a) * b;
  case TENSOR_GELU_TANH_BACKWARD: return tensor_gelu_tanh_slope(a) * b;
  case TENSOR_GELU_ERF_BACKWARD: return tensor_gelu_erf_slope(a) * b;
  case TENSOR_SQUARED_ERROR: return (a - b) * (a - b);
  case TENSOR_BINARY_CROSS_ENTROPY: return tensor_binary_loss(a, b, s);
  case TENSOR_QUANTIZE: return tensor_quantized(a, s, t);
  case TENSOR_DEQUANTIZE: return (a - t) * s;
  default: return a; /* copy, convert */
  }
}

/* Quotients by 0 are 0 here; the caller marks the fault. */
DEVICE_FUNCTION int tensor_divide(int a, int b) {
  int safe = (b == 0 || b == -1) ? 1 : b;
  int quotient = a / safe;
  return b == 0 ? 0 : (b == -1 ? (int)(0u - (uint)a) : quotient);
}

/* Integers wrap. */
DEVICE_FUNCTION int tensor_apply_int(uint operation, int a, int b, int c, int s, int t) {
  switch (operation) {
  case TENSOR_ADD: return (int)((uint)a + (uint)b);
  case TENSOR_SUB: return (int)((uint)a - (uint)b);
  case TENSOR_MUL: return (int)((uint)a * (uint)b);
  case TENSOR_DIV: return tensor_divide(a, b);
  case TENSOR_MIN: return a < b ? a : b;
  case TENSOR_MAX: return a > b ? a : b;
  case TENSOR_FMA: return (int)((uint)a * (uint)b + (uint)c);
  case TENSOR_FILL: return s;
  case TENSOR_ABS: return a < 0 ? (int)(0u - (uint)a) : a;
  case TENSOR_NEG: return (int)(0u - (uint)a);
  case TENSOR_CLIP: return a < s ? s : (a > t ? t : a);
  case TENSOR_RELU: return a < 0 ? 0 : a;
  default: return a;
  }
}

/* Toward zero, saturating; NaN is 0. */
DEVICE_FUNCTION int tensor_float_to_int(float x) {
  float inside = (x > -2147483648.0f && x < 2147483648.0f) ? x : 0.0f;
  int whole = (int)inside;
  return x >= 2147483648.0f ? 0x7fffffff : (x <= -2147483648.0f ? (int)0x80000000u : whole);
}

/* The lower of the floats around n that has an odd last bit where n is none: what is rounded from it is rounded once. */
DEVICE_FUNCTION float tensor_int_to_float_odd(int n) {
  uint size = n < 0 ? 0u - (uint)n : (uint)n, sign = n < 0 ? 0x80000000u : 0u;
  uint kept = size & 0xffffff00u, lost = size & 0xffu; /* 24 bits hold what a float has above 2^24 */
  uint odd = kept | (lost != 0u ? 0x100u : 0u);
  float exact = (float)size, large = (float)odd;
  return AS_FLOAT(AS_UINT(size < 0x1000000u ? exact : large) | sign);
}
#endif
