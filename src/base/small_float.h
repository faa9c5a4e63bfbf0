/* small_float.h - f16 (IEEE binary16) and bf16 as bits, to and from float: exact one way, rounded to nearest even the other, on
 * any host. NaN stays NaN (quiet), overflow becomes infinity, subnormals are kept.
 */
#ifndef MOHO_BASE_SMALL_FLOAT_H
#define MOHO_BASE_SMALL_FLOAT_H

#include <stdint.h>
#include <string.h>

static inline float moho_float_of_bits(uint32_t bits) {
  float f;
  memcpy(&f, &bits, sizeof f);
  return f;
}

static inline uint32_t moho_bits_of_float(float f) {
  uint32_t bits;
  memcpy(&bits, &f, sizeof bits);
  return bits;
}

static inline float moho_bf16_to_float(uint16_t bits) {
  return moho_float_of_bits((uint32_t)bits << 16);
}

static inline uint16_t moho_float_to_bf16(float f) {
  uint32_t bits = moho_bits_of_float(f);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return (uint16_t)(bits >> 16 | 0x40u);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float moho_f16_to_float(uint16_t bits) {
  uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, exponent = bits >> 10 & 0x1fu, fraction = bits & 0x3ffu;
  if (exponent == 0x1fu) return moho_float_of_bits(sign | 0x7f800000u | fraction << 13 | (fraction ? 0x400000u : 0u));
  if (exponent) return moho_float_of_bits(sign | (exponent + 112u) << 23 | fraction << 13);
  float magnitude = (float)fraction * 0x1p-24f; /* exact: subnormal, or zero */
  return moho_float_of_bits(sign | moho_bits_of_float(magnitude));
}

static inline uint16_t moho_float_to_f16(float f) {
  uint32_t bits = moho_bits_of_float(f), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return (uint16_t)(sign | 0x7e00u | (magnitude >> 13 & 0x3ffu));
  if (magnitude >= 0x477ff000u) return (uint16_t)(sign | 0x7c00u); /* from 65520 on: infinity */
  if (magnitude >= 0x38800000u) {                                  /* normal: 2^-14 and more */
    uint32_t rounded = magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u);
    return (uint16_t)(sign | rounded >> 13);
  }
  if (magnitude < 0x33000000u) return (uint16_t)sign; /* below 2^-25: nearest is 0 */
  uint32_t shift = 126u - (magnitude >> 23), fraction = (magnitude & 0x7fffffu) | 0x800000u;
  uint32_t kept = fraction >> shift, rest = fraction & ((1u << shift) - 1u), half = 1u << (shift - 1u);
  return (uint16_t)(sign | (kept + (rest > half || (rest == half && (kept & 1u)))));
}

/* A double's nearest f16 or bf16, rounded once: on the way it becomes a float whose last bit is 1 where anything was cut off
 * ("rounding to odd"), which the second rounding cannot mistake for a tie. */
static inline float moho_double_to_odd_float(double d) {
  float f = (float)d;
  uint32_t bits = moho_bits_of_float(f);
  double back = (double)f;
  if (!(back < d || back > d) || (bits & 0x7fffffffu) == 0x7f800000u || (bits & 1u)) return f; /* exact, NaN, infinite, odd */
  int is_smaller = d < 0 ? back > d : back < d;                                                /* in magnitude */
  if ((bits & 0x7fffffffu) == 0) return moho_float_of_bits((d < 0 ? 0x80000000u : 0u) | 1u);
  return moho_float_of_bits(is_smaller ? bits + 1u : bits - 1u);
}

static inline uint16_t moho_double_to_f16(double d) {
  return moho_float_to_f16(moho_double_to_odd_float(d));
}

static inline uint16_t moho_double_to_bf16(double d) {
  return moho_float_to_bf16(moho_double_to_odd_float(d));
}

#endif
