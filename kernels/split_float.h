/* split_float.h - numbers as the sum of two floats (x + y, |y| <= half a unit of x): some 46 bits without a double.
 *
 * For the few samples so near to an edge of aperture, record or mute that a float cannot tell. Error-free sum and product:
 * Dekker 1971, Knuth; they hold because nothing is contracted or reassociated.
 */
#ifndef MOHO_KERNELS_SPLIT_FLOAT_H
#define MOHO_KERNELS_SPLIT_FLOAT_H

DEVICE_FUNCTION float2 split_sum(float a, float b) {
  float s = a + b, t = s - a;
  return FLOAT2(s, (a - (s - t)) + (b - t));
}

/* |a| >= |b| */
DEVICE_FUNCTION float2 split_normal(float a, float b) {
  float s = a + b;
  return FLOAT2(s, b - (s - a));
}

DEVICE_FUNCTION float2 split_add(float2 a, float2 b) {
  float2 s = split_sum(a.x, b.x), t = split_sum(a.y, b.y);
  s = split_normal(s.x, s.y + t.x);
  return split_normal(s.x, s.y + t.y);
}

DEVICE_FUNCTION float2 split_negative(float2 a) {
  return FLOAT2(-a.x, -a.y);
}

DEVICE_FUNCTION float2 split_product(float2 a, float2 b) {
  float high = a.x * b.x;
  return split_normal(high, FMA(a.x, b.x, -high) + (a.x * b.y + a.y * b.x));
}

/* a > 0 (Karp & Markstein 1997: a rounded root and its remainder). */
DEVICE_FUNCTION float2 split_root(float2 a) {
  float root = SQRT(a.x);
  float2 rest = split_add(a, split_negative(split_product(FLOAT2(root, 0.0f), FLOAT2(root, 0.0f))));
  return split_normal(root, rest.x / (2.0f * root));
}

/* a / x, x a float. */
DEVICE_FUNCTION float2 split_over(float2 a, float x) {
  float quotient = a.x / x;
  return split_normal(quotient, (FMA(-quotient, x, a.x) + a.y) / x);
}

DEVICE_FUNCTION float2 split_quotient(float2 a, float2 b) {
  float quotient = a.x / b.x;
  float2 rest = split_add(a, split_negative(split_product(FLOAT2(quotient, 0.0f), b)));
  return split_normal(quotient, rest.x / b.x);
}

/* 1 where a > b. */
DEVICE_FUNCTION int split_exceeds(float2 a, float2 b) {
  float2 d = split_add(a, split_negative(b));
  return d.x > 0.0f || (d.x == 0.0f && d.y > 0.0f);
}

#endif
