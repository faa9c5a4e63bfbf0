/* evaluate.c - see evaluate.h. Integers are computed in 64 bits and cut, which is what wrapping is; f16 and bf16 in f32 and
 * rounded once.
 */
#include "program/evaluate.h"

#include <math.h>
#include <string.h>

#include "base/small_float.h"

/* ---- bits and values ---- */

static unsigned width_of(unsigned type) {
  return 8 * (unsigned)moho_program_type_bytes((moho_program_type)type);
}

static uint64_t cut(unsigned type, uint64_t bits) {
  return bits & ~0ull >> (64 - width_of(type));
}

static int64_t extend(unsigned type, uint64_t bits) {
  unsigned unused = 64 - width_of(type);
  return (int64_t)(bits << unused) >> unused;
}

static double double_of(uint64_t bits) {
  double value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static uint64_t bits_of(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* f16, bf16, f32 */
static float float_of(unsigned type, uint64_t bits) {
  if (type == MOHO_PROGRAM_F16) return moho_f16_to_float((uint16_t)bits);
  if (type == MOHO_PROGRAM_BF16) return moho_bf16_to_float((uint16_t)bits);
  return moho_float_of_bits((uint32_t)bits);
}

static uint64_t round_to(unsigned type, float value) {
  if (type == MOHO_PROGRAM_F16) return moho_float_to_f16(value);
  if (type == MOHO_PROGRAM_BF16) return moho_float_to_bf16(value);
  return moho_bits_of_float(value);
}

/* ---- integers ---- */

static uint64_t divide(unsigned type, uint64_t a, uint64_t b, int *fault) {
  if (!b) {
    *fault = 1;
    return 0;
  }
  if (!moho_type_is_signed((int)type)) return a / b;
  if (extend(type, b) == -1) return 0 - a; /* the least number over -1 wraps to itself */
  return (uint64_t)(extend(type, a) / extend(type, b));
}

static int whole_less(unsigned type, uint64_t a, uint64_t b) {
  return moho_type_is_signed((int)type) ? extend(type, a) < extend(type, b) : a < b;
}

static uint64_t shift(unsigned op, unsigned type, uint64_t a, uint64_t b) {
  unsigned count = (unsigned)b & (width_of(type) - 1);
  if (op == MOHO_PROGRAM_SHL) return a << count;
  return moho_type_is_signed((int)type) ? (uint64_t)(extend(type, a) >> count) : a >> count;
}

static uint64_t whole(unsigned op, unsigned type, uint64_t a, uint64_t b, uint64_t c, int *fault) {
  switch (op) {
  case MOHO_PROGRAM_ADD: return a + b;
  case MOHO_PROGRAM_SUB: return a - b;
  case MOHO_PROGRAM_MUL: return a * b;
  case MOHO_PROGRAM_DIV: return divide(type, a, b, fault);
  case MOHO_PROGRAM_MAD: return a * b + c;
  case MOHO_PROGRAM_MIN: return whole_less(type, b, a) ? b : a;
  case MOHO_PROGRAM_MAX: return whole_less(type, a, b) ? b : a;
  case MOHO_PROGRAM_ABS: return moho_type_is_signed((int)type) && extend(type, a) < 0 ? 0 - a : a;
  case MOHO_PROGRAM_NEG: return 0 - a;
  case MOHO_PROGRAM_AND: return a & b;
  case MOHO_PROGRAM_OR: return a | b;
  case MOHO_PROGRAM_XOR: return a ^ b;
  case MOHO_PROGRAM_NOT: return ~a;
  case MOHO_PROGRAM_SHL:
  case MOHO_PROGRAM_SHR: return shift(op, type, a, b);
  default: return a; /* move */
  }
}

/* ---- floats ---- */

static float exact_exp(float x) {
  return (float)exp((double)x);
}
static float exact_log(float x) {
  return (float)log((double)x);
}
static float exact_log2(float x) {
  return (float)log2((double)x);
}
static float exact_log10(float x) {
  return (float)log10((double)x);
}
static float exact_sqrt(float x) {
  return sqrtf(x);
}
static float exact_rsqrt(float x) {
  return (float)(1 / sqrt((double)x));
}
static float exact_sin(float x) {
  return (float)sin((double)x);
}
static float exact_cos(float x) {
  return (float)cos((double)x);
}
static float exact_tan(float x) {
  return (float)tan((double)x);
}
static float exact_tanh(float x) {
  return (float)tanh((double)x);
}

/* 1 / (1 + exp(-x)), without overflow on either side. */
static double sigmoid(double x) {
  double small = exp(-fabs(x));
  return x < 0 ? small / (1 + small) : 1 / (1 + small);
}
static float exact_sigmoid(float x) {
  return (float)sigmoid((double)x);
}

const moho_elementary moho_elementary_exact = {exact_exp, exact_log, exact_log2, exact_log10, exact_sqrt,   exact_rsqrt,
                                               exact_sin, exact_cos, exact_tan,  exact_tanh,  exact_sigmoid};

/* IEEE 754-2019 minimumNumber: NaN loses to a number, -0 is less than +0. */
static int is_lesser(double a, double b) {
  return a < b || (!(b < a) && signbit(a) && !signbit(b));
}

static double real_minimum(double a, double b) {
  if (isnan(a)) return b;
  return isnan(b) || is_lesser(a, b) ? a : b;
}

static double real_maximum(double a, double b) {
  if (isnan(a)) return b;
  return isnan(b) || is_lesser(b, a) ? a : b;
}

static float real32(const moho_elementary functions, unsigned op, float a, float b, float c) {
  switch (op) {
  case MOHO_PROGRAM_ADD: return a + b;
  case MOHO_PROGRAM_SUB: return a - b;
  case MOHO_PROGRAM_MUL: return a * b;
  case MOHO_PROGRAM_DIV: return a / b;
  case MOHO_PROGRAM_MAD: {
    float product = a * b;
    return product + c;
  }
  case MOHO_PROGRAM_FMA: return fmaf(a, b, c);
  case MOHO_PROGRAM_MIN: return (float)real_minimum((double)a, (double)b);
  case MOHO_PROGRAM_MAX: return (float)real_maximum((double)a, (double)b);
  case MOHO_PROGRAM_SQRT: return sqrtf(a);
  default: return functions[op - MOHO_PROGRAM_EXP](a);
  }
}

static double real64(unsigned op, double a, double b, double c) {
  switch (op) {
  case MOHO_PROGRAM_ADD: return a + b;
  case MOHO_PROGRAM_SUB: return a - b;
  case MOHO_PROGRAM_MUL: return a * b;
  case MOHO_PROGRAM_DIV: return a / b;
  case MOHO_PROGRAM_MAD: {
    double product = a * b;
    return product + c;
  }
  case MOHO_PROGRAM_FMA: return fma(a, b, c);
  case MOHO_PROGRAM_MIN: return real_minimum(a, b);
  case MOHO_PROGRAM_MAX: return real_maximum(a, b);
  case MOHO_PROGRAM_EXP: return exp(a);
  case MOHO_PROGRAM_LOG: return log(a);
  case MOHO_PROGRAM_LOG2: return log2(a);
  case MOHO_PROGRAM_LOG10: return log10(a);
  case MOHO_PROGRAM_SQRT: return sqrt(a);
  case MOHO_PROGRAM_RSQRT: return 1 / sqrt(a);
  case MOHO_PROGRAM_SIN: return sin(a);
  case MOHO_PROGRAM_COS: return cos(a);
  case MOHO_PROGRAM_TAN: return tan(a);
  case MOHO_PROGRAM_TANH: return tanh(a);
  default: return sigmoid(a);
  }
}

uint64_t moho_evaluate(const moho_elementary functions, unsigned op, unsigned type, uint64_t a, uint64_t b, uint64_t c,
                       int *fault) {
  uint64_t sign = 1ull << (width_of(type) - 1);
  if (!moho_type_is_real((int)type)) return cut(type, whole(op, type, a, b, c, fault));
  if (op == MOHO_PROGRAM_MOVE) return a;
  if (op == MOHO_PROGRAM_ABS) return a & ~sign;
  if (op == MOHO_PROGRAM_NEG) return a ^ sign;
  if (type == MOHO_PROGRAM_F64) return bits_of(real64(op, double_of(a), double_of(b), double_of(c)));
  return round_to(type, real32(functions, op, float_of(type, a), float_of(type, b), float_of(type, c)));
}

/* ---- convert ---- */

static uint64_t saturate(unsigned to, int64_t value) {
  unsigned width = width_of(to);
  int64_t most = moho_type_is_signed((int)to) ? INT64_MAX >> (64 - width)
                 : width == 64                ? INT64_MAX
                                              : (int64_t)(~0ull >> (64 - width));
  int64_t least = moho_type_is_signed((int)to) ? -most - 1 : 0;
  return cut(to, (uint64_t)(value < least ? least : value > most ? most : value));
}

static uint64_t whole_of_whole(unsigned to, unsigned from, uint64_t a) {
  if (moho_type_is_signed((int)from)) return saturate(to, extend(from, a));
  if (a > INT64_MAX) return to == MOHO_PROGRAM_U64 ? a : saturate(to, INT64_MAX); /* the most of any type but u64 */
  return saturate(to, (int64_t)a);
}

static uint64_t whole_of_real(unsigned to, double value) {
  if (isnan(value)) return 0;
  if (to == MOHO_PROGRAM_U64) return value <= 0 ? 0 : value >= 0x1p64 ? UINT64_MAX : (uint64_t)value;
  if (value >= 0x1p63) return saturate(to, INT64_MAX);
  return saturate(to, value < -0x1p63 ? INT64_MIN : (int64_t)value);
}

/* A double that rounds to f32 and smaller as the integer itself would: what a double cannot hold is one bit that says that more
 * follows. */
static double double_of_whole(int is_negative, uint64_t bits) {
  uint64_t size = is_negative ? 0 - bits : bits;
  if (size >> 53) size = (size | (size & 0xfff ? 0x1000 : 0)) & ~0xfffull;
  return is_negative ? -(double)size : (double)size;
}

uint64_t moho_evaluate_convert(unsigned to, unsigned from, uint64_t a) {
  int to_real = moho_type_is_real((int)to), from_real = moho_type_is_real((int)from);
  double value = from == MOHO_PROGRAM_F64 ? double_of(a) : from_real ? (double)float_of(from, a) : 0;
  if (!to_real) return from_real ? whole_of_real(to, value) : whole_of_whole(to, from, a);
  if (from_real) return moho_real_bits((int)to, value);
  int is_signed = moho_type_is_signed((int)from);
  if (to == MOHO_PROGRAM_F64) return bits_of(is_signed ? (double)extend(from, a) : (double)a);
  return moho_real_bits((int)to, double_of_whole(is_signed && extend(from, a) < 0, is_signed ? (uint64_t)extend(from, a) : a));
}

/* ---- compare ---- */

static int holds(unsigned condition, int is_less, int is_equal, int is_unordered) {
  switch (condition) {
  case MOHO_PROGRAM_EQ: return is_equal;
  case MOHO_PROGRAM_NE: return !is_equal;
  case MOHO_PROGRAM_LT: return is_less;
  case MOHO_PROGRAM_LE: return is_less || is_equal;
  case MOHO_PROGRAM_GT: return !is_less && !is_equal && !is_unordered;
  case MOHO_PROGRAM_GE: return !is_less && !is_unordered;
  case MOHO_PROGRAM_ULT: return is_less || is_unordered;
  case MOHO_PROGRAM_ULE: return is_less || is_equal || is_unordered;
  case MOHO_PROGRAM_UGT: return !is_less && !is_equal;
  default: return !is_less;
  }
}

int moho_evaluate_compare(unsigned condition, unsigned type, uint64_t a, uint64_t b) {
  if (!moho_type_is_real((int)type)) {
    int as_unsigned = condition >= MOHO_PROGRAM_ULT;
    return holds(condition, as_unsigned ? a < b : whole_less(type, a, b), a == b, 0);
  }
  double x = type == MOHO_PROGRAM_F64 ? double_of(a) : (double)float_of(type, a);
  double y = type == MOHO_PROGRAM_F64 ? double_of(b) : (double)float_of(type, b);
  int is_unordered = isnan(x) || isnan(y);
  return holds(condition, x < y, !is_unordered && !(x < y) && !(y < x), is_unordered);
}

/* ---- the tree ---- */

uint64_t moho_evaluate_tree(unsigned reduction, unsigned type, uint64_t *values, size_t n) {
  static const uint8_t operations[MOHO_PROGRAM_REDUCTIONS] = {MOHO_PROGRAM_ADD, MOHO_PROGRAM_MUL, MOHO_PROGRAM_MIN,
                                                              MOHO_PROGRAM_MAX, MOHO_PROGRAM_AND, MOHO_PROGRAM_OR,
                                                              MOHO_PROGRAM_XOR};
  int is_small = type == MOHO_PROGRAM_F16 || type == MOHO_PROGRAM_BF16, fault = 0;
  unsigned within = is_small ? MOHO_PROGRAM_F32 : type;
  for (size_t i = 0; i < n && is_small; i++) values[i] = moho_bits_of_float(float_of(type, values[i]));
  size_t half = 1;
  while (2 * half < n) half *= 2;
  for (size_t count = n; count > 1; count = half, half /= 2)
    for (size_t i = 0; i + half < count; i++)
      values[i] = moho_evaluate(moho_elementary_exact, operations[reduction], within, values[i], values[i + half], 0, &fault);
  return is_small ? round_to(type, moho_float_of_bits((uint32_t)values[0])) : values[0];
}
