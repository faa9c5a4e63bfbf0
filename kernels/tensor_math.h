/* tensor_math.h - the formulas of element-wise operations, once for all devices; a constant `operation` leaves one of them.
 *
 * Numbers of operations are moho_operation's (src/tensor/elementwise.c asserts it). No branch on data: native loops vectorise.
 */
#ifndef MOHO_KERNELS_TENSOR_MATH_H
#define MOHO_KERNELS_TENSOR_MATH_H

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
