/* lane_words.h - what one lane computes in each instruction: one text for the vectorised cpu execution (C, in loops over lanes),
 * CUDA and Metal (in front of generated text, after kern.h and elementary.h).
 *
 *   lane_<operation>_<type>(x, y, z)      lane_convert_<from>_<to>(x)
 *
 * Integers wrap; nothing is undefined: division by zero gives 0 (whoever calls asks for it first), shifts count modulo the width.
 * f16 and bf16 are their bits (unsigned short) and compute in f32, rounded once. f64 is there where LANE_HAS_DOUBLE is.
 * Written without branches where loops of it are to become vectors.
 */
#ifndef MOHO_KERNELS_LANE_WORDS_H
#define MOHO_KERNELS_LANE_WORDS_H

#if defined(__METAL_VERSION__)
typedef char i8;
typedef short i16;
typedef long i64;
typedef ulong u64;
#define LANE_HAS_DOUBLE 0
#elif defined(__CUDACC__)
typedef signed char i8;
typedef short i16;
typedef long long i64;
typedef unsigned long long u64;
#define LANE_HAS_DOUBLE 1
#else
typedef int8_t i8;
typedef int16_t i16;
typedef int64_t i64;
typedef uint64_t u64;
#define LANE_HAS_DOUBLE 1
#endif
typedef int i32;
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef float f32;
typedef unsigned short f16; /* bits */
typedef unsigned short bf16;
#if LANE_HAS_DOUBLE
typedef double f64;
#endif

/* name, its unsigned type, one in which it computes without promotion to a signed one, bits, smallest, largest */
#define LANE_U64_MOST (~(u64)0)
#define LANE_I64_MOST ((i64)(LANE_U64_MOST >> 1))
#define LANE_SIGNED_TYPES(X)                        \
  X(i8, u8, u32, 8, -128, 127)                      \
  X(i16, u16, u32, 16, -32768, 32767)               \
  X(i32, u32, u32, 32, -2147483647 - 1, 2147483647) \
  X(i64, u64, u64, 64, -LANE_I64_MOST - 1, LANE_I64_MOST)
#define LANE_UNSIGNED_TYPES(X)         \
  X(u8, u8, u32, 8, 0, 255)            \
  X(u16, u16, u32, 16, 0, 65535)       \
  X(u32, u32, u32, 32, 0, 4294967295u) \
  X(u64, u64, u64, 64, 0, LANE_U64_MOST)
#define LANE_WHOLE_TYPES(X) LANE_SIGNED_TYPES(X) LANE_UNSIGNED_TYPES(X)

/* ---- integers ---- */

#define LANE_WHOLE(T, U, W, bits, least, most)    \
  DEVICE_FUNCTION T lane_add_##T(T x, T y) {      \
    return (T)((W)x + (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_sub_##T(T x, T y) {      \
    return (T)((W)x - (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_mul_##T(T x, T y) {      \
    return (T)((W)x * (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_mad_##T(T x, T y, T z) { \
    return (T)((W)x * (W)y + (W)z);               \
  }                                               \
  DEVICE_FUNCTION T lane_min_##T(T x, T y) {      \
    return (T)(x < y ? x : y);                    \
  }                                               \
  DEVICE_FUNCTION T lane_max_##T(T x, T y) {      \
    return (T)(x > y ? x : y);                    \
  }                                               \
  DEVICE_FUNCTION T lane_neg_##T(T x) {           \
    return (T)((W)0 - (W)x);                      \
  }                                               \
  DEVICE_FUNCTION T lane_and_##T(T x, T y) {      \
    return (T)((W)x & (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_or_##T(T x, T y) {       \
    return (T)((W)x | (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_xor_##T(T x, T y) {      \
    return (T)((W)x ^ (W)y);                      \
  }                                               \
  DEVICE_FUNCTION T lane_not_##T(T x) {           \
    return (T) ~(W)x;                             \
  }                                               \
  DEVICE_FUNCTION T lane_shl_##T(T x, T y) {      \
    return (T)((W)x << ((W)y & (W)(bits - 1)));   \
  }                                               \
  DEVICE_FUNCTION T lane_shr_##T(T x, T y) {      \
    return (T)(x >> ((W)y & (W)(bits - 1)));      \
  }                                               \
  DEVICE_FUNCTION int lane_ult_##T(T x, T y) {    \
    return (U)x < (U)y;                           \
  }                                               \
  DEVICE_FUNCTION int lane_ule_##T(T x, T y) {    \
    return (U)x <= (U)y;                          \
  }                                               \
  DEVICE_FUNCTION int lane_ugt_##T(T x, T y) {    \
    return (U)x > (U)y;                           \
  }                                               \
  DEVICE_FUNCTION int lane_uge_##T(T x, T y) {    \
    return (U)x >= (U)y;                          \
  }
LANE_WHOLE_TYPES(LANE_WHOLE)

/* The smallest divided by -1 wraps to itself. */
#define LANE_SIGNED(T, U, W, bits, least, most)                        \
  DEVICE_FUNCTION T lane_abs_##T(T x) {                                \
    return (T)(x < 0 ? lane_neg_##T(x) : x);                           \
  }                                                                    \
  DEVICE_FUNCTION T lane_div_##T(T x, T y) {                           \
    T safe = (T)(y == 0 || y == -1 ? 1 : y), quotient = (T)(x / safe); \
    quotient = (T)(y == -1 ? lane_neg_##T(x) : quotient);              \
    return (T)(y == 0 ? 0 : quotient);                                 \
  }
LANE_SIGNED_TYPES(LANE_SIGNED)

#define LANE_UNSIGNED(T, U, W, bits, least, most)           \
  DEVICE_FUNCTION T lane_abs_##T(T x) {                     \
    return x;                                               \
  }                                                         \
  DEVICE_FUNCTION T lane_div_##T(T x, T y) {                \
    T safe = (T)(y == 0 ? 1 : y), quotient = (T)(x / safe); \
    return (T)(y == 0 ? 0 : quotient);                      \
  }
LANE_UNSIGNED_TYPES(LANE_UNSIGNED)

/* ---- floats ---- */

/* Where one is NaN the other; zeros differ by sign: -0 < +0. */
#define LANE_ENDS(T, AS_BITS, AS_REAL)                                                 \
  DEVICE_FUNCTION T lane_min_##T(T x, T y) {                                           \
    T equal = AS_REAL(AS_BITS(x) | AS_BITS(y)), least = x < y ? x : y < x ? y : equal; \
    least = x != x ? y : least;                                                        \
    return y != y ? x : least;                                                         \
  }                                                                                    \
  DEVICE_FUNCTION T lane_max_##T(T x, T y) {                                           \
    T equal = AS_REAL(AS_BITS(x) & AS_BITS(y)), most = x > y ? x : y > x ? y : equal;  \
    most = x != x ? y : most;                                                          \
    return y != y ? x : most;                                                          \
  }
#define LANE_REAL(T, U, AS_BITS, AS_REAL)               \
  DEVICE_FUNCTION T lane_add_##T(T x, T y) {            \
    return x + y;                                       \
  }                                                     \
  DEVICE_FUNCTION T lane_sub_##T(T x, T y) {            \
    return x - y;                                       \
  }                                                     \
  DEVICE_FUNCTION T lane_mul_##T(T x, T y) {            \
    return x * y;                                       \
  }                                                     \
  DEVICE_FUNCTION T lane_div_##T(T x, T y) {            \
    return x / y;                                       \
  }                                                     \
  DEVICE_FUNCTION T lane_mad_##T(T x, T y, T z) {       \
    T product = x * y;                                  \
    return product + z;                                 \
  }                                                     \
  DEVICE_FUNCTION T lane_abs_##T(T x) {                 \
    return AS_REAL(AS_BITS(x) & (U) ~(U)0 >> 1);        \
  }                                                     \
  DEVICE_FUNCTION T lane_neg_##T(T x) {                 \
    return AS_REAL(AS_BITS(x) ^ (U) ~((U) ~(U)0 >> 1)); \
  }                                                     \
  DEVICE_FUNCTION int lane_ult_##T(T x, T y) {          \
    return !(x >= y);                                   \
  }                                                     \
  DEVICE_FUNCTION int lane_ule_##T(T x, T y) {          \
    return !(x > y);                                    \
  }                                                     \
  DEVICE_FUNCTION int lane_ugt_##T(T x, T y) {          \
    return !(x <= y);                                   \
  }                                                     \
  DEVICE_FUNCTION int lane_uge_##T(T x, T y) {          \
    return !(x < y);                                    \
  }
LANE_REAL(f32, u32, AS_UINT, AS_FLOAT)
#if defined(__CUDACC__)
/* One operation, but for zeros: which of them it gives is not said. */
DEVICE_FUNCTION f32 lane_min_f32(f32 x, f32 y) {
  f32 equal = AS_FLOAT(AS_UINT(x) | AS_UINT(y));
  return x == y ? equal : MIN(x, y);
}
DEVICE_FUNCTION f32 lane_max_f32(f32 x, f32 y) {
  f32 equal = AS_FLOAT(AS_UINT(x) & AS_UINT(y));
  return x == y ? equal : MAX(x, y);
}
#else
LANE_ENDS(f32, AS_UINT, AS_FLOAT)
#endif
DEVICE_FUNCTION f32 lane_fma_f32(f32 x, f32 y, f32 z) {
  return FMA(x, y, z);
}
DEVICE_FUNCTION f32 lane_sqrt_f32(f32 x) {
  return SQRT(x);
}

#if LANE_HAS_DOUBLE
#if defined(__CUDACC__)
#define LANE_AS_U64(x) ((u64)__double_as_longlong(x))
#define LANE_AS_F64(x) __longlong_as_double((i64)(x))
#else
DEVICE_FUNCTION u64 lane_as_u64(double x) {
  u64 bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
DEVICE_FUNCTION double lane_as_f64(u64 bits) {
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
#define LANE_AS_U64(x) lane_as_u64(x)
#define LANE_AS_F64(x) lane_as_f64(x)
#endif
LANE_REAL(f64, u64, LANE_AS_U64, LANE_AS_F64)
LANE_ENDS(f64, LANE_AS_U64, LANE_AS_F64)
DEVICE_FUNCTION f64 lane_fma_f64(f64 x, f64 y, f64 z) {
  return fma(x, y, z);
}
DEVICE_FUNCTION f64 lane_sqrt_f64(f64 x) {
  return sqrt(x);
}
DEVICE_FUNCTION f64 lane_rsqrt_f64(f64 x) {
  return 1.0 / sqrt(x);
}
DEVICE_FUNCTION f64 lane_sigmoid_f64(f64 x) {
  f64 small = exp(-fabs(x));
  return (x < 0.0 ? small : 1.0) / (1.0 + small);
}
#define LANE_OF_LIBRARY(function)                    \
  DEVICE_FUNCTION f64 lane_##function##_f64(f64 x) { \
    return function(x);                              \
  }
LANE_OF_LIBRARY(exp)
LANE_OF_LIBRARY(log)
LANE_OF_LIBRARY(log2)
LANE_OF_LIBRARY(log10)
LANE_OF_LIBRARY(sin)
LANE_OF_LIBRARY(cos)
LANE_OF_LIBRARY(tan)
LANE_OF_LIBRARY(tanh)
#endif

/* ---- small floats ---- */

DEVICE_FUNCTION f32 lane_convert_bf16_f32(bf16 x) {
  return AS_FLOAT((u32)x << 16);
}

DEVICE_FUNCTION bf16 lane_convert_f32_bf16(f32 x) {
  u32 bits = AS_UINT(x), rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return (bf16)((bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16 | 0x40u) : rounded);
}

/* Through an integer where the half is subnormal: devices may flush floats that small. */
DEVICE_FUNCTION f32 lane_convert_f16_f32(f16 x) {
  u32 sign = ((u32)x & 0x8000u) << 16, magnitude = ((u32)x & 0x7fffu) << 13;
  u32 subnormal = AS_UINT((f32)((i32)x & 0x3ff) * 5.9604644775390625e-8f); /* 2^-24 */
  u32 bits = magnitude + 0x38000000u;
  bits = magnitude < 0x00800000u ? subnormal : bits;
  bits = magnitude >= 0x0f800000u ? (magnitude | 0x7f800000u) : bits;
  return AS_FLOAT(sign | bits);
}

/* Adding 0.5 leaves a subnormal half's bits, rounded, in the last places. */
DEVICE_FUNCTION f16 lane_convert_f32_f16(f32 x) {
  u32 bits = AS_UINT(x), sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
  u32 normal = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
  u32 subnormal = AS_UINT(AS_FLOAT(magnitude) + 0.5f) - 0x3f000000u;
  u32 y = magnitude < 0x38800000u ? subnormal : normal;
  y = magnitude >= 0x477ff000u ? 0x7c00u : y;
  y = magnitude > 0x7f800000u ? 0x7e00u : y;
  return (f16)(sign | y);
}

DEVICE_FUNCTION bf16 lane_convert_f16_bf16(f16 x) {
  return lane_convert_f32_bf16(lane_convert_f16_f32(x));
}
DEVICE_FUNCTION f16 lane_convert_bf16_f16(bf16 x) {
  return lane_convert_f32_f16(lane_convert_bf16_f32(x));
}

/* ---- conversions: to integers toward zero and saturating, NaN gives 0; to floats to the nearest ---- */

#define LANE_SIGNED_TO(F, T, least, most)                    \
  DEVICE_FUNCTION T lane_convert_##F##_##T(F x) {            \
    i64 wide = (i64)x, low = (i64)(least);                   \
    u64 high = (u64)(most);                                  \
    wide = wide < low ? low : wide;                          \
    return wide > 0 && (u64)wide > high ? (T)high : (T)wide; \
  }
#define LANE_UNSIGNED_TO(F, T, least, most)       \
  DEVICE_FUNCTION T lane_convert_##F##_##T(F x) { \
    u64 wide = (u64)x, high = (u64)(most);        \
    return wide > high ? (T)high : (T)wide;       \
  }
/* above: the first float beyond the largest; below: the smallest itself, and less is outside. */
#define LANE_REAL_TO(F, T, least, most, below, above) \
  DEVICE_FUNCTION T lane_convert_##F##_##T(F x) {     \
    int inside = x > (F)(below) && x < (F)(above);    \
    T y = (T)(inside ? x : (F)0);                     \
    y = x >= (F)(above) ? (T)(most) : y;              \
    return x <= (F)(below) ? (T)(least) : y;          \
  }
#define LANE_SMALL_TO(F, T)                                 \
  DEVICE_FUNCTION T lane_convert_##F##_##T(F x) {           \
    return lane_convert_f32_##T(lane_convert_##F##_f32(x)); \
  }
#if LANE_HAS_DOUBLE
#define LANE_DOUBLE_TO(T, least, most, below, above) LANE_REAL_TO(f64, T, least, most, below, above)
#else
#define LANE_DOUBLE_TO(T, least, most, below, above)
#endif
#define LANE_TO(T, least, most, below, above)     \
  LANE_SIGNED_TO(i8, T, least, most)              \
  LANE_SIGNED_TO(i16, T, least, most)             \
  LANE_SIGNED_TO(i32, T, least, most)             \
  LANE_SIGNED_TO(i64, T, least, most)             \
  LANE_UNSIGNED_TO(u8, T, least, most)            \
  LANE_UNSIGNED_TO(u16, T, least, most)           \
  LANE_UNSIGNED_TO(u32, T, least, most)           \
  LANE_UNSIGNED_TO(u64, T, least, most)           \
  LANE_REAL_TO(f32, T, least, most, below, above) \
  LANE_SMALL_TO(f16, T)                           \
  LANE_SMALL_TO(bf16, T)                          \
  LANE_DOUBLE_TO(T, least, most, below, above)
LANE_TO(i8, -128, 127, -128.0f, 128.0f)
LANE_TO(i16, -32768, 32767, -32768.0f, 32768.0f)
LANE_TO(i32, -2147483647 - 1, 2147483647, -2147483648.0f, 2147483648.0f)
LANE_TO(i64, -LANE_I64_MOST - 1, LANE_I64_MOST, -9223372036854775808.0f, 9223372036854775808.0f)
LANE_TO(u8, 0, 255, 0.0f, 256.0f)
LANE_TO(u16, 0, 65535, 0.0f, 65536.0f)
LANE_TO(u32, 0, 4294967295u, 0.0f, 4294967296.0f)
LANE_TO(u64, 0, LANE_U64_MOST, 0.0f, 18446744073709551616.0f)

/* An integer as a float that rounds on to any smaller one as the integer itself would: 24 bits, the last set where more follow.
 */
DEVICE_FUNCTION f32 lane_odd_of_whole(u64 magnitude) {
  f32 scale = 1.0f;
  while (magnitude >> 24 != 0) {
    magnitude = magnitude >> 1 | (magnitude & 1u);
    scale *= 2.0f;
  }
  return (f32)(u32)magnitude * scale;
}

#define LANE_WHOLE_TO_REAL(T, U, W, bits, least, most)             \
  DEVICE_FUNCTION f32 lane_convert_##T##_f32(T x) {                \
    return (f32)x;                                                 \
  }                                                                \
  DEVICE_FUNCTION f16 lane_convert_##T##_f16(T x) {                \
    return lane_convert_f32_f16((f32)x);                           \
  } /* beyond 24 bits: infinity */                                 \
  DEVICE_FUNCTION bf16 lane_convert_##T##_bf16(T x) {              \
    f32 odd = lane_odd_of_whole(x < 0 ? (u64)0 - (u64)x : (u64)x); \
    return lane_convert_f32_bf16(x < 0 ? -odd : odd);              \
  }
LANE_SIGNED_TYPES(LANE_WHOLE_TO_REAL)
#undef LANE_WHOLE_TO_REAL
#define LANE_WHOLE_TO_REAL(T, U, W, bits, least, most)       \
  DEVICE_FUNCTION f32 lane_convert_##T##_f32(T x) {          \
    return (f32)x;                                           \
  }                                                          \
  DEVICE_FUNCTION f16 lane_convert_##T##_f16(T x) {          \
    return lane_convert_f32_f16((f32)x);                     \
  }                                                          \
  DEVICE_FUNCTION bf16 lane_convert_##T##_bf16(T x) {        \
    return lane_convert_f32_bf16(lane_odd_of_whole((u64)x)); \
  }
LANE_UNSIGNED_TYPES(LANE_WHOLE_TO_REAL)

#if LANE_HAS_DOUBLE
#define LANE_WHOLE_TO_DOUBLE(T, U, W, bits, least, most) \
  DEVICE_FUNCTION f64 lane_convert_##T##_f64(T x) {      \
    return (f64)x;                                       \
  }
LANE_WHOLE_TYPES(LANE_WHOLE_TO_DOUBLE)
DEVICE_FUNCTION f64 lane_convert_f32_f64(f32 x) {
  return (f64)x;
}
DEVICE_FUNCTION f64 lane_convert_f16_f64(f16 x) {
  return (f64)lane_convert_f16_f32(x);
}
DEVICE_FUNCTION f64 lane_convert_bf16_f64(bf16 x) {
  return (f64)lane_convert_bf16_f32(x);
}
DEVICE_FUNCTION f32 lane_convert_f64_f32(f64 x) {
  return (f32)x;
}
/* As lane_odd_of_whole. */
DEVICE_FUNCTION f32 lane_odd_of_double(f64 x) {
  f32 y = (f32)x;
  f64 back = (f64)y, size = x < 0.0 ? -x : x, got = back < 0.0 ? -back : back;
  u32 bits = AS_UINT(y), odd = (bits - (got > size ? 1u : 0u)) | 1u;
  return AS_FLOAT(x != x || back == x ? bits : odd);
}
DEVICE_FUNCTION f16 lane_convert_f64_f16(f64 x) {
  return lane_convert_f32_f16(lane_odd_of_double(x));
}
DEVICE_FUNCTION bf16 lane_convert_f64_bf16(f64 x) {
  return lane_convert_f32_bf16(lane_odd_of_double(x));
}
#endif

#endif
