/* elementary.h - exp, log, log2, log10, sin, cos, tan, tanh, sigmoid, 1/sqrt of a float: one text for every device.
 *
 * Made of FMA, +, -, *, / and integers only, each rounded the same everywhere: the results are the same bits on all devices that
 * keep denormal numbers. Without branches, so that loops of them become vectors; only arguments of sin, cos and tan beyond
 * ELEMENTARY_FAR have a slow way of their own (elementary_sin_near and the like must not be given those).
 * Largest errors, in units of the last place (tests/unit/test_elementary.c, against double):
 *   exp 1, log 1, log2 2, log10 2, sin 2, cos 2, tan 4, tanh 1.5, sigmoid 2.5, 1/sqrt 1.5.
 * Outside their domain they give NaN, log 0 = -infinity. Polynomials: minimax fits of our own (Lawson), rounded term after term.
 */
#ifndef MOHO_KERNELS_ELEMENTARY_H
#define MOHO_KERNELS_ELEMENTARY_H

#define ELEMENTARY_NAN AS_FLOAT(0x7fc00000u)
#define ELEMENTARY_INFINITY AS_FLOAT(0x7f800000u)
#define ELEMENTARY_MAGIC 12582912.0f /* 1.5 * 2^23: adding it rounds to an integer, which stands in its last bits */

/* ---- exponentials ---- */

/* exp r, |r| <= ln 2 / 2 */
DEVICE_FUNCTION float elementary_exp_inside(float r) {
  float p = FMA(r, 0.00139405299f, 0.00836882275f);
  p = FMA(r, p, 0.0416664034f);
  p = FMA(r, p, 0.166665196f);
  p = FMA(r, p, 0.5f);
  return FMA(r * r, p, r) + 1.0f;
}

/* exp x = 2^k exp r, |r| <= ln 2 / 2; 2^k in two steps, 2^64 either way and the rest, so that it may end in a denormal number or
 * in infinity. The integer k stands in the last bits of `shifted`. */
DEVICE_FUNCTION float elementary_exp(float x) {
  float bounded = x < -104.0f ? -104.0f : x;
  bounded = bounded > 89.0f ? 89.0f : bounded;
  float shifted = FMA(bounded, 1.44269502f, ELEMENTARY_MAGIC), k = shifted - ELEMENTARY_MAGIC;
  float r = FMA(k, -0.693147182f, bounded);
  r = FMA(k, 1.90465421e-9f, r);
  float p = elementary_exp_inside(r);
  uint one = bounded < 0.0f ? 0x5f800000u : 0x1f800000u; /* 2^64, 2^-64 */
  float rest = bounded < 0.0f ? 5.42101086e-20f : 18446744073709551616.0f;
  return p * AS_FLOAT((AS_UINT(shifted) << 23) + one) * rest;
}

/* The same bits where x <= 0, at half the cost: 2^64 exp x is a normal number, so that one product brings it back, rounded once.
 */
DEVICE_FUNCTION float elementary_exp_below(float x) {
  float bounded = x < -104.0f ? -104.0f : x;
  float shifted = FMA(bounded, 1.44269502f, ELEMENTARY_MAGIC + 64.0f), k = shifted - (ELEMENTARY_MAGIC + 64.0f);
  float r = FMA(k, -0.693147182f, bounded);
  r = FMA(k, 1.90465421e-9f, r);
  float p = elementary_exp_inside(r);
  return p * AS_FLOAT((AS_UINT(shifted) << 23) + 0x3f800000u) * 5.42101086e-20f; /* 2^(k + 64), 2^-64 */
}

/* 1 / (1 + exp(-x)), by the exponential that does not overflow. */
DEVICE_FUNCTION float elementary_sigmoid(float x) {
  float small = elementary_exp_below(-ABS(x));
  return (x < 0.0f ? small : 1.0f) / (1.0f + small);
}

DEVICE_FUNCTION float elementary_tanh(float x) {
  float size = ABS(x), square = x * x;
  float p = FMA(square, 0.00215763575f, -0.00819508638f);
  p = FMA(square, p, 0.0217087492f);
  p = FMA(square, p, -0.053948462f);
  p = FMA(square, p, 0.133332223f);
  p = FMA(square, p, -0.333333313f);
  float near = FMA(p * square, size, size), far = 1.0f - 2.0f / (elementary_exp(2.0f * size) + 1.0f);
  float y = size < 0.625f ? near : far;
  return AS_FLOAT(AS_UINT(y) | (AS_UINT(x) & 0x80000000u));
}

/* ---- logarithms ---- */

/* x = 2^*exponent (1 + f), 2/3 <= 1 + f < 4/3: ln(1 + f) is returned. For normal and denormal x > 0. */
DEVICE_FUNCTION float elementary_log_parts(float x, PRIVATE float *exponent) {
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  uint bits = AS_UINT(scaled) - 0x3f2aaaabu;
  *exponent = (float)((int)bits >> 23) - (x < 1.17549435e-38f ? 23.0f : 0.0f);
  float f = AS_FLOAT((bits & 0x7fffffu) + 0x3f2aaaabu) - 1.0f;
  float p = FMA(f, 0.123129331f, -0.128333405f);
  p = FMA(f, p, 0.106759295f);
  p = FMA(f, p, -0.121986315f);
  p = FMA(f, p, 0.143111423f);
  p = FMA(f, p, -0.16679357f);
  p = FMA(f, p, 0.199993894f);
  p = FMA(f, p, -0.249998257f);
  p = FMA(f, p, 0.333333373f);
  p = FMA(f, p, -0.5f);
  return FMA(p, f * f, f);
}

/* What all logarithms give beyond the positive numbers. */
DEVICE_FUNCTION float elementary_log_ends(float x, float inside) {
  float y = x < ELEMENTARY_INFINITY ? inside : x;
  y = x == 0.0f ? -ELEMENTARY_INFINITY : y;
  return x < 0.0f ? ELEMENTARY_NAN : y;
}

DEVICE_FUNCTION float elementary_log(float x) {
  float e, l = elementary_log_parts(x, &e);
  return elementary_log_ends(x, FMA(e, 0.693147182f, FMA(e, -1.90465421e-9f, l)));
}

DEVICE_FUNCTION float elementary_log2(float x) {
  float e, l = elementary_log_parts(x, &e);
  return elementary_log_ends(x, e + FMA(l, 1.44269502f, l * 1.92596303e-8f));
}

DEVICE_FUNCTION float elementary_log10(float x) {
  float e, l = elementary_log_parts(x, &e);
  float low = FMA(e, -1.43209888e-8f, l * -1.010305e-8f);
  return elementary_log_ends(x, FMA(e, 0.30103001f, FMA(l, 0.434294492f, low)));
}

DEVICE_FUNCTION float elementary_rsqrt(float x) {
  return 1.0f / SQRT(x);
}

/* ---- angles ---- */

/* From here on x is reduced with more digits of 2/pi than three floats hold. */
#define ELEMENTARY_FAR 32768.0f

/* x = quarters * pi/2 + result, |result| <= pi/4 and a little; |x| <= ELEMENTARY_FAR. */
DEVICE_FUNCTION float elementary_quarters_near(float x, PRIVATE uint *quarters) {
  float shifted = FMA(x, 0.636619747f, ELEMENTARY_MAGIC), k = shifted - ELEMENTARY_MAGIC;
  *quarters = AS_UINT(shifted);
  float r = FMA(k, -1.57079637f, x); /* exact */
  r = FMA(k, 4.37113883e-8f, r);
  return FMA(k, 1.71512451e-15f, r);
}

DEVICE_FUNCTION uint elementary_multiply_high(uint a, uint b) {
  uint low = (a & 0xffffu) * (b & 0xffffu), cross = (a >> 16) * (b & 0xffffu) + (low >> 16);
  uint other = (a & 0xffffu) * (b >> 16) + (cross & 0xffffu);
  return (a >> 16) * (b >> 16) + (cross >> 16) + (other >> 16);
}

/* 32 bits of 2/pi, from bit 32 k on behind the point. */
DEVICE_FUNCTION uint elementary_two_over_pi(uint k) {
  uint low = k == 0u ? 0xa2f9836eu : k == 1u ? 0x4e441529u : 0xfc2757d1u;
  return k < 3u ? low : k == 3u ? 0xf534ddc0u : k == 4u ? 0xdb629599u : 0x3c439041u;
}

/* 32 bits of 2/pi * 2^shift, from bit 32 k on. */
DEVICE_FUNCTION uint elementary_two_over_pi_shifted(uint k, uint shift) {
  uint word = elementary_two_over_pi(k), next = elementary_two_over_pi(k + 1u);
  return shift ? word << shift | next >> (32u - shift) : word;
}

/* The same for any |x| >= 8 (Payne and Hanek 1983): x/4 * 2/pi modulo 1 in 64 bits, of which the two highest are the quarters. */
RARE_FUNCTION float elementary_quarters_far(float x, PRIVATE uint *quarters) {
  uint bits = AS_UINT(x), e = (bits >> 23 & 0xffu) - 128u, k = e >> 5, shift = e & 31u, mantissa = bits << 8 | 0x80000000u;
  uint above = k ? elementary_two_over_pi_shifted(k - 1u, shift) : shift ? elementary_two_over_pi(0u) >> (32u - shift) : 0u;
  uint middle = elementary_two_over_pi_shifted(k, shift), below = elementary_two_over_pi_shifted(k + 1u, shift);
  uint carried = elementary_multiply_high(mantissa, below), low = mantissa * middle + carried;
  uint high = mantissa * above + elementary_multiply_high(mantissa, middle) + (low < carried ? 1u : 0u);
  uint q = high >> 30;
  int negative = (high & 0x20000000u) != 0u;
  high &= 0x3fffffffu;
  if (negative) {
    high = 0x40000000u - high - (low ? 1u : 0u);
    low = 0u - low;
    q++;
  }
  float first = (float)(high >> 6) * 5.9604644775390625e-8f;                              /* 2^-24 */
  float rest = (float)((high & 63u) << 26 | low >> 6) * 1.3877787807814456755295396e-17f; /* 2^-56 */
  float r = first * 1.57079637f, error = FMA(first, 1.57079637f, -r);
  r += FMA(rest, 1.57079637f, FMA(first, -4.37113883e-8f, error));
  int flip = (bits >> 31) != 0u;
  *quarters = flip ? 0u - q : q;
  return negative != flip ? -r : r;
}

DEVICE_FUNCTION float elementary_sin_inside(float r) {
  float z = r * r, p = FMA(z, 2.83695294e-6f, -0.000198534835f);
  p = FMA(z, p, 0.00833338033f);
  p = FMA(z, p, -0.166666672f);
  return FMA(p * z, r, r);
}

DEVICE_FUNCTION float elementary_cos_inside(float r) {
  float z = r * r, p = FMA(z, 2.4430663e-5f, -0.00138873013f);
  p = FMA(z, p, 0.0416666456f);
  return FMA(p * z, z, FMA(z, -0.5f, 1.0f));
}

/* sin of r + quarters * pi/2 */
DEVICE_FUNCTION float elementary_sin_of(float r, uint quarters) {
  float y = (quarters & 1u) != 0u ? elementary_cos_inside(r) : elementary_sin_inside(r);
  return AS_FLOAT(AS_UINT(y) ^ (quarters & 2u) << 30);
}

DEVICE_FUNCTION float elementary_tan_of(float r, uint quarters) {
  float s = elementary_sin_inside(r), c = elementary_cos_inside(r);
  return (quarters & 1u) != 0u ? -c / s : s / c;
}

DEVICE_FUNCTION float elementary_sin_near(float x) {
  uint quarters;
  float r = elementary_quarters_near(x, &quarters);
  return x == 0.0f ? x : elementary_sin_of(r, quarters); /* the sign of zero */
}

DEVICE_FUNCTION float elementary_cos_near(float x) {
  uint quarters;
  float r = elementary_quarters_near(x, &quarters);
  return elementary_sin_of(r, quarters + 1u);
}

DEVICE_FUNCTION float elementary_tan_near(float x) {
  uint quarters;
  float r = elementary_quarters_near(x, &quarters);
  return x == 0.0f ? x : elementary_tan_of(r, quarters);
}

#define ELEMENTARY_IS_FAR(x) (!(ABS(x) <= ELEMENTARY_FAR)) /* NaN too */

/* kind: 0 sin, 1 cos, 2 tan */
RARE_FUNCTION float elementary_angle_far(float x, int kind) {
  if (!(ABS(x) < ELEMENTARY_INFINITY)) return ELEMENTARY_NAN;
  uint quarters;
  float r = elementary_quarters_far(x, &quarters);
  return kind == 2 ? elementary_tan_of(r, quarters) : elementary_sin_of(r, quarters + (uint)kind);
}

DEVICE_FUNCTION float elementary_sin(float x) {
  return ELEMENTARY_IS_FAR(x) ? elementary_angle_far(x, 0) : elementary_sin_near(x);
}

DEVICE_FUNCTION float elementary_cos(float x) {
  return ELEMENTARY_IS_FAR(x) ? elementary_angle_far(x, 1) : elementary_cos_near(x);
}

DEVICE_FUNCTION float elementary_tan(float x) {
  return ELEMENTARY_IS_FAR(x) ? elementary_angle_far(x, 2) : elementary_tan_near(x);
}

#endif
