/* block_lanes.h - the loops of block_loops.h, compiled once in each instruction set: BLOCK_LOOPS names the table made here.
 *
 * A source is the destination or does not overlap it, so the loops' turns are independent whatever compilers fear.
 */
#include "kernels/kern.h"

#undef DEVICE_FUNCTION
#define DEVICE_FUNCTION static inline __attribute__((always_inline, unused))
#include "kernels/elementary.h"

#include "program/block_loops.h"
#include "kernels/lane_words.h"

#if defined(__clang__)
#define BLOCK_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#pragma clang diagnostic ignored "-Wpass-failed" /* functions of libm and the rare conversions stay lane by lane */
#else
#define BLOCK_INDEPENDENT _Pragma("GCC ivdep")
#endif
/* The end of a loop's parameters where it does not use them. */
#define BLOCK_UNUSED __attribute__((unused))
#define BLOCK_LOOP(name) \
  static void name(void *to, const void *from_a, BLOCK_UNUSED const void *from_b, BLOCK_UNUSED const void *from_c, size_t n)

/* ---- arithmetic ---- */

#define BLOCK_ONE(op, T)                                         \
  BLOCK_LOOP(block_##op##_##T) {                                 \
    T *d = to;                                                   \
    const T *a = from_a;                                         \
    BLOCK_INDEPENDENT                                            \
    for (size_t i = 0; i < n; i++) d[i] = lane_##op##_##T(a[i]); \
  }
#define BLOCK_TWO(op, T)                                               \
  BLOCK_LOOP(block_##op##_##T) {                                       \
    T *d = to;                                                         \
    const T *a = from_a, *b = from_b;                                  \
    BLOCK_INDEPENDENT                                                  \
    for (size_t i = 0; i < n; i++) d[i] = lane_##op##_##T(a[i], b[i]); \
  }
#define BLOCK_THREE(op, T)                                                   \
  BLOCK_LOOP(block_##op##_##T) {                                             \
    T *d = to;                                                               \
    const T *a = from_a, *b = from_b, *c = from_c;                           \
    BLOCK_INDEPENDENT                                                        \
    for (size_t i = 0; i < n; i++) d[i] = lane_##op##_##T(a[i], b[i], c[i]); \
  }

/* What every type has, what integers and floats have: X(form, operation in the table, op, T, type in the table). */
#define BLOCK_ALL_OPERATIONS(X, T, TYPE) \
  X(TWO, ADD, add, T, TYPE)              \
  X(TWO, SUB, sub, T, TYPE)              \
  X(TWO, MUL, mul, T, TYPE)              \
  X(TWO, DIV, div, T, TYPE)              \
  X(TWO, MIN, min, T, TYPE)              \
  X(TWO, MAX, max, T, TYPE)              \
  X(THREE, MAD, mad, T, TYPE)            \
  X(ONE, ABS, abs, T, TYPE)              \
  X(ONE, NEG, neg, T, TYPE)
#define BLOCK_WHOLE_OPERATIONS(X, T, TYPE) \
  X(TWO, AND, and, T, TYPE)                \
  X(TWO, OR, or, T, TYPE)                  \
  X(TWO, XOR, xor, T, TYPE)                \
  X(TWO, SHL, shl, T, TYPE)                \
  X(TWO, SHR, shr, T, TYPE)                \
  X(ONE, NOT, not, T, TYPE)
#define BLOCK_REAL_OPERATIONS(X, T, TYPE) \
  X(THREE, FMA, fma, T, TYPE)             \
  X(ONE, EXP, exp, T, TYPE)               \
  X(ONE, LOG, log, T, TYPE)               \
  X(ONE, LOG2, log2, T, TYPE)             \
  X(ONE, LOG10, log10, T, TYPE)           \
  X(ONE, SQRT, sqrt, T, TYPE)             \
  X(ONE, RSQRT, rsqrt, T, TYPE)           \
  X(ONE, TANH, tanh, T, TYPE)             \
  X(ONE, SIGMOID, sigmoid, T, TYPE)
#define BLOCK_ANGLE_OPERATIONS(X, T, TYPE) \
  X(ONE, SIN, sin, T, TYPE)                \
  X(ONE, COS, cos, T, TYPE)                \
  X(ONE, TAN, tan, T, TYPE)
/* T, its type in the table, its unsigned type, log2 of its bytes */
#define BLOCK_WHOLE_TYPES(X) X(i8, I8) X(i16, I16) X(i32, I32) X(i64, I64) X(u8, U8) X(u16, U16) X(u32, U32) X(u64, U64)

#define BLOCK_DEFINE(form, OP, op, T, TYPE) BLOCK_##form(op, T)
#define BLOCK_DEFINE_WHOLE(T, TYPE)           \
  BLOCK_ALL_OPERATIONS(BLOCK_DEFINE, T, TYPE) \
  BLOCK_WHOLE_OPERATIONS(BLOCK_DEFINE, T, TYPE)
BLOCK_WHOLE_TYPES(BLOCK_DEFINE_WHOLE)

#define lane_exp_f32 elementary_exp
#define lane_log_f32 elementary_log
#define lane_log2_f32 elementary_log2
#define lane_log10_f32 elementary_log10
#define lane_rsqrt_f32 elementary_rsqrt
#define lane_tanh_f32 elementary_tanh
#define lane_sigmoid_f32 elementary_sigmoid
BLOCK_ALL_OPERATIONS(BLOCK_DEFINE, f32, F32)
BLOCK_REAL_OPERATIONS(BLOCK_DEFINE, f32, F32)
BLOCK_ALL_OPERATIONS(BLOCK_DEFINE, f64, F64)
BLOCK_REAL_OPERATIONS(BLOCK_DEFINE, f64, F64)
BLOCK_ANGLE_OPERATIONS(BLOCK_DEFINE, f64, F64)

/* The lanes whose angle is far are done again: those of the near way are wrong there, and rare. */
#define BLOCK_ANGLE(form, OP, op, T, TYPE)                                           \
  BLOCK_LOOP(block_##op##_f32) {                                                     \
    f32 *d = to, copy[64];                                                           \
    const f32 *a = from_a;                                                           \
    for (size_t first = 0; first < n; first += 64) {                                 \
      size_t m = n - first < 64 ? n - first : 64;                                    \
      u32 far = 0;                                                                   \
      memcpy(copy, a + first, m * sizeof *copy); /* a may be d */                    \
      BLOCK_INDEPENDENT                                                              \
      for (size_t i = 0; i < m; i++) far |= (u32)ELEMENTARY_IS_FAR(copy[i]);         \
      BLOCK_INDEPENDENT                                                              \
      for (size_t i = 0; i < m; i++) d[first + i] = elementary_##op##_near(copy[i]); \
      for (size_t i = 0; far && i < m; i++)                                          \
        if (ELEMENTARY_IS_FAR(copy[i])) d[first + i] = elementary_##op(copy[i]);     \
    }                                                                                \
  }
BLOCK_ANGLE_OPERATIONS(BLOCK_ANGLE, f32, F32)

/* ---- comparisons ---- */

#define BLOCK_COMPARE_BY(name, T, condition)                    \
  BLOCK_LOOP(block_##name##_##T) {                              \
    uint8_t *d = to;                                            \
    const T *a = from_a, *b = from_b;                           \
    BLOCK_INDEPENDENT                                           \
    for (size_t i = 0; i < n; i++) d[i] = (uint8_t)(condition); \
  }
#define BLOCK_DEFINE_COMPARE(T, TYPE)                \
  BLOCK_COMPARE_BY(eq, T, a[i] == b[i])              \
  BLOCK_COMPARE_BY(ne, T, a[i] != b[i])              \
  BLOCK_COMPARE_BY(lt, T, a[i] < b[i])               \
  BLOCK_COMPARE_BY(le, T, a[i] <= b[i])              \
  BLOCK_COMPARE_BY(gt, T, a[i] > b[i])               \
  BLOCK_COMPARE_BY(ge, T, a[i] >= b[i])              \
  BLOCK_COMPARE_BY(ult, T, lane_ult_##T(a[i], b[i])) \
  BLOCK_COMPARE_BY(ule, T, lane_ule_##T(a[i], b[i])) \
  BLOCK_COMPARE_BY(ugt, T, lane_ugt_##T(a[i], b[i])) \
  BLOCK_COMPARE_BY(uge, T, lane_uge_##T(a[i], b[i]))
BLOCK_WHOLE_TYPES(BLOCK_DEFINE_COMPARE)
BLOCK_DEFINE_COMPARE(f32, F32)
BLOCK_DEFINE_COMPARE(f64, F64)

#define BLOCK_DEFINE_ZERO(T, TYPE)                              \
  BLOCK_LOOP(block_is_zero_##T) {                               \
    uint8_t *d = to;                                            \
    const T *a = from_a;                                        \
    BLOCK_INDEPENDENT                                           \
    for (size_t i = 0; i < n; i++) d[i] = (uint8_t)(a[i] == 0); \
  }
BLOCK_WHOLE_TYPES(BLOCK_DEFINE_ZERO)

/* ---- conversions ---- */

#define BLOCK_CONVERT(F, T)                                             \
  BLOCK_LOOP(block_convert_##F##_##T) {                                 \
    T *d = to;                                                          \
    const F *a = from_a;                                                \
    BLOCK_INDEPENDENT                                                   \
    for (size_t i = 0; i < n; i++) d[i] = lane_convert_##F##_##T(a[i]); \
  }
/* X(F, T, from, to) for all targets but F itself where it is a float: that is a move. */
#define BLOCK_TO_WHOLE(X, F, FROM) \
  X(F, i8, FROM, I8)               \
  X(F, i16, FROM, I16)             \
  X(F, i32, FROM, I32) X(F, i64, FROM, I64) X(F, u8, FROM, U8) X(F, u16, FROM, U16) X(F, u32, FROM, U32) X(F, u64, FROM, U64)
#define BLOCK_TO_REAL(X, F, FROM) X(F, f16, FROM, F16) X(F, bf16, FROM, BF16) X(F, f32, FROM, F32) X(F, f64, FROM, F64)
#define BLOCK_CONVERSIONS_FROM(X, F, FROM) BLOCK_TO_WHOLE(X, F, FROM) BLOCK_TO_REAL(X, F, FROM)
#define BLOCK_CONVERSIONS(X)          \
  BLOCK_CONVERSIONS_FROM(X, i8, I8)   \
  BLOCK_CONVERSIONS_FROM(X, i16, I16) \
  BLOCK_CONVERSIONS_FROM(X, i32, I32) \
  BLOCK_CONVERSIONS_FROM(X, i64, I64) \
  BLOCK_CONVERSIONS_FROM(X, u8, U8)   \
  BLOCK_CONVERSIONS_FROM(X, u16, U16) \
  BLOCK_CONVERSIONS_FROM(X, u32, U32) \
  BLOCK_CONVERSIONS_FROM(X, u64, U64) \
  BLOCK_TO_WHOLE(X, f16, F16)         \
  BLOCK_TO_WHOLE(X, bf16, BF16)       \
  BLOCK_TO_WHOLE(X, f32, F32)         \
  BLOCK_TO_WHOLE(X, f64, F64)         \
  X(f16, bf16, F16, BF16)             \
  X(f16, f32, F16, F32)               \
  X(f16, f64, F16, F64)               \
  X(bf16, f16, BF16, F16)             \
  X(bf16, f32, BF16, F32)             \
  X(bf16, f64, BF16, F64)             \
  X(f32, f16, F32, F16)               \
  X(f32, bf16, F32, BF16) X(f32, f64, F32, F64) X(f64, f16, F64, F16) X(f64, bf16, F64, BF16) X(f64, f32, F64, F32)
#define BLOCK_DEFINE_CONVERT(F, T, FROM, TO) BLOCK_CONVERT(F, T)
BLOCK_CONVERSIONS(BLOCK_DEFINE_CONVERT)

/* ---- by width ---- */

#define BLOCK_BY_WIDTH(T)                                          \
  BLOCK_LOOP(block_select_##T) {                                   \
    T *d = to;                                                     \
    const uint8_t *p = from_a;                                     \
    const T *b = from_b, *c = from_c;                              \
    BLOCK_INDEPENDENT                                              \
    for (size_t i = 0; i < n; i++) d[i] = (T)(p[i] ? b[i] : c[i]); \
  }                                                                \
  BLOCK_LOOP(block_fill_##T) {                                     \
    T *d = to, value = *(const T *)from_a;                         \
    for (size_t i = 0; i < n; i++) d[i] = value;                   \
  }
BLOCK_BY_WIDTH(u8)
BLOCK_BY_WIDTH(u16)
BLOCK_BY_WIDTH(u32)
BLOCK_BY_WIDTH(u64)

#define BLOCK_DEFINE_ADDRESS(T, TYPE)                              \
  BLOCK_LOOP(block_address_##T) {                                  \
    u64 *d = to, offset = *(const u64 *)from_b;                    \
    const T *a = from_a;                                           \
    for (size_t i = 0; i < n; i++) d[i] = (u64)(i64)a[i] + offset; \
  }
BLOCK_WHOLE_TYPES(BLOCK_DEFINE_ADDRESS)

#define BLOCK_COUNT_UP(T)                                      \
  BLOCK_LOOP(block_count_up_##T) {                             \
    T *d = to;                                                 \
    u32 first = *(const u32 *)from_a;                          \
    for (size_t i = 0; i < n; i++) d[i] = (T)(first + (u32)i); \
  }
BLOCK_COUNT_UP(u32)
BLOCK_COUNT_UP(u64)

static int block_is_run(const uint64_t *addresses, size_t n) {
  u64 differs = 0, first = addresses[0];
  for (size_t i = 0; i < n; i++) differs |= addresses[i] ^ (first + i);
  return differs == 0;
}

BLOCK_LOOP(block_still) {
  uint8_t *d = to;
  const uint8_t *a = from_a;
  const u64 *b = from_b, c = *(const u64 *)from_c;
  BLOCK_INDEPENDENT
  for (size_t i = 0; i < n; i++) d[i] = (uint8_t)(a[i] & (b[i] > c));
}

/* ---- bytes ---- */

#define BLOCK_BYTES(name, expression)                            \
  BLOCK_LOOP(block_##name) {                                     \
    uint8_t *d = to;                                             \
    BLOCK_UNUSED const uint8_t *a = from_a, *b = from_b;         \
    BLOCK_INDEPENDENT                                            \
    for (size_t i = 0; i < n; i++) d[i] = (uint8_t)(expression); \
  }
BLOCK_BYTES(both, a[i] & b[i])
BLOCK_BYTES(either, a[i] | b[i])
BLOCK_BYTES(opposite, a[i] ^ 1)
BLOCK_BYTES(without, a[i] & (b[i] ^ 1))

static size_t block_count(const uint8_t *mask, size_t n) {
  size_t total = 0;
  for (size_t first = 0; first < n; first += 64) {
    size_t m = n - first < 64 ? n - first : 64;
    uint8_t sum = 0;
    for (size_t i = 0; i < m; i++) sum = (uint8_t)(sum + mask[first + i]);
    total += sum;
  }
  return total;
}

/* ---- the table ---- */

#define BLOCK_ENTER(form, OP, op, T, TYPE) .arithmetic[MOHO_PROGRAM_##OP][MOHO_PROGRAM_##TYPE] = block_##op##_##T,
#define BLOCK_ENTER_COMPARE(T, TYPE)                                                                                            \
  .compare[MOHO_PROGRAM_EQ][MOHO_PROGRAM_##TYPE] = block_eq_##T, .compare[MOHO_PROGRAM_NE][MOHO_PROGRAM_##TYPE] = block_ne_##T, \
  .compare[MOHO_PROGRAM_LT][MOHO_PROGRAM_##TYPE] = block_lt_##T, .compare[MOHO_PROGRAM_LE][MOHO_PROGRAM_##TYPE] = block_le_##T, \
  .compare[MOHO_PROGRAM_GT][MOHO_PROGRAM_##TYPE] = block_gt_##T, .compare[MOHO_PROGRAM_GE][MOHO_PROGRAM_##TYPE] = block_ge_##T, \
  .compare[MOHO_PROGRAM_ULT][MOHO_PROGRAM_##TYPE] = block_ult_##T,                                                              \
  .compare[MOHO_PROGRAM_ULE][MOHO_PROGRAM_##TYPE] = block_ule_##T,                                                              \
  .compare[MOHO_PROGRAM_UGT][MOHO_PROGRAM_##TYPE] = block_ugt_##T,                                                              \
  .compare[MOHO_PROGRAM_UGE][MOHO_PROGRAM_##TYPE] = block_uge_##T,
#define BLOCK_ENTER_WHOLE(T, TYPE)                                               \
  BLOCK_ALL_OPERATIONS(BLOCK_ENTER, T, TYPE)                                     \
  BLOCK_WHOLE_OPERATIONS(BLOCK_ENTER, T, TYPE)                                   \
  BLOCK_ENTER_COMPARE(T, TYPE).is_zero[MOHO_PROGRAM_##TYPE] = block_is_zero_##T, \
                         .address[MOHO_PROGRAM_##TYPE] = block_address_##T,
#define BLOCK_ENTER_CONVERT(F, T, FROM, TO) .convert[MOHO_PROGRAM_##FROM][MOHO_PROGRAM_##TO] = block_convert_##F##_##T,

const moho_block_loops BLOCK_LOOPS = {
    BLOCK_WHOLE_TYPES(BLOCK_ENTER_WHOLE) BLOCK_ALL_OPERATIONS(BLOCK_ENTER, f32, F32) BLOCK_REAL_OPERATIONS(BLOCK_ENTER, f32, F32)
        BLOCK_ANGLE_OPERATIONS(BLOCK_ENTER, f32, F32) BLOCK_ENTER_COMPARE(f32, F32) BLOCK_ALL_OPERATIONS(BLOCK_ENTER, f64, F64)
            BLOCK_REAL_OPERATIONS(BLOCK_ENTER, f64, F64) BLOCK_ANGLE_OPERATIONS(BLOCK_ENTER, f64, F64)
                BLOCK_ENTER_COMPARE(f64, F64) BLOCK_CONVERSIONS(BLOCK_ENTER_CONVERT)
                    .select = {block_select_u8, block_select_u16, block_select_u32, block_select_u64},
    .fill = {block_fill_u8, block_fill_u16, block_fill_u32, block_fill_u64},
    .count_up[MOHO_PROGRAM_I32] = block_count_up_u32,
    .count_up[MOHO_PROGRAM_U32] = block_count_up_u32,
    .count_up[MOHO_PROGRAM_I64] = block_count_up_u64,
    .count_up[MOHO_PROGRAM_U64] = block_count_up_u64,
    .still = block_still,
    .both = block_both,
    .either = block_either,
    .opposite = block_opposite,
    .without = block_without,
    .count = block_count,
    .is_run = block_is_run,
};
