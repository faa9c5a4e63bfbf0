/* program_support.c - see program_support.h. */
#include "program_support.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const type_words[MOHO_PROGRAM_TYPES] = {"i8",  "i16", "i32", "i64",  "u8",  "u16",
                                                    "u32", "u64", "f16", "bf16", "f32", "f64"};

moho_program *program_of(const char *text) {
  moho_program *program = NULL;
  moho_status status = moho_program_assemble(text, NULL, &program);
  if (status) {
    const moho_error *e = moho_last_error();
    fail_msg("line %d column %d: %s (%s)\n%s", e->line, e->column, e->message, e->hint, text);
  }
  return program;
}

void assert_refused(const char *text, int code, const char *words, int line, const char *hint) {
  moho_program *program = NULL;
  moho_status status = moho_program_assemble(text, "test.mp", &program);
  const moho_error *e = moho_last_error();
  if (status != code || !strstr(e->message, words) || (line && e->line != line) || (hint && !strstr(e->hint, hint)))
    fail_msg("expected %s \"%s\" in line %d, hint \"%s\"; got %s \"%s\" in line %d, hint \"%s\"\n%s", moho_status_name(code),
             words, line, hint ? hint : "", moho_status_name(status), status ? e->message : "", e->line, e->hint, text);
  assert_null(program);
}

moho_program_fault run_program(const moho_program *program, const moho_program_memory *buffers, const moho_program_value *scalars,
                               uint32_t groups, uint32_t lanes) {
  moho_program_report report;
  moho_program_fault fault;
  assert_ok(moho_program_describe(program, &report));
  assert_ok(moho_program_run_reference(program,
                                       &(moho_program_reference_launch){.buffers = buffers,
                                                                        .n_buffers = report.buffers,
                                                                        .scalars = scalars,
                                                                        .n_scalars = report.scalars,
                                                                        .groups = {groups},
                                                                        .lanes = {lanes}},
                                       &fault));
  return fault;
}

/* ---- values ---- */

int is_real(int type) {
  return type >= MOHO_PROGRAM_F16;
}

int is_signed(int type) {
  return type <= MOHO_PROGRAM_I64;
}

unsigned bits_in(int type) {
  static const unsigned bits[MOHO_PROGRAM_TYPES] = {8, 16, 32, 64, 8, 16, 32, 64, 16, 16, 32, 64};
  return bits[type];
}

wide whole_value(int type, uint64_t bits) {
  wide value = (wide)bits;
  if (is_signed(type) && bits >> (bits_in(type) - 1) & 1) value -= (wide)1 << bits_in(type);
  return value;
}

uint64_t whole_bits(int type, wide value) {
  wide modulus = (wide)1 << bits_in(type), rest = value % modulus;
  return (uint64_t)(rest < 0 ? rest + modulus : rest);
}

/* Sign, exponent and fraction by the definition of the format. */
static double small_value(unsigned bits, int exponent_bits, int fraction_bits) {
  int bias = (1 << (exponent_bits - 1)) - 1, exponent = (int)(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
  double fraction = (double)(bits & ((1u << fraction_bits) - 1)), sign = bits >> 15 & 1 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) return fraction > 0 ? (double)NAN : sign * (double)INFINITY;
  if (exponent == 0) return sign * ldexp(fraction, 1 - bias - fraction_bits);
  return sign * ldexp(fraction + ldexp(1, fraction_bits), exponent - bias - fraction_bits);
}

double real_value(int type, uint64_t bits) {
  float f;
  double d;
  uint32_t word = (uint32_t)bits;
  if (type == MOHO_PROGRAM_F16) return small_value(word, 5, 10);
  if (type == MOHO_PROGRAM_BF16) return small_value(word, 8, 7);
  memcpy(&f, &word, sizeof f);
  memcpy(&d, &bits, sizeof d);
  return type == MOHO_PROGRAM_F32 ? (double)f : d;
}

/* Among the finite values 0 .. most of the format, which are in order, and infinity, which stands for the next one. */
static uint64_t search(int type, long double magnitude) {
  uint64_t low = 0, high = type == MOHO_PROGRAM_F16 ? 0x7c00 : 0x7f80; /* value(low) <= magnitude < value(high) */
  if (isinf(magnitude)) return high;
  while (high - low > 1) {
    uint64_t middle = (low + high) / 2;
    if ((long double)real_value(type, middle) <= magnitude) low = middle;
    else high = middle;
  }
  double below = real_value(type, low), above = 2 * below - real_value(type, low - (low > 0));
  if (isfinite(real_value(type, high))) above = real_value(type, high);
  long double down = magnitude - (long double)below, up = (long double)above - magnitude;
  return down < up || (!(up < down) && low % 2 == 0) ? low : high;
}

uint64_t nearest_bits(int type, double value) {
  float f = (float)value;
  uint64_t bits = 0;
  if (type == MOHO_PROGRAM_F64) {
    memcpy(&bits, &value, sizeof value);
  } else if (type == MOHO_PROGRAM_F32) {
    memcpy(&bits, &f, sizeof f);
  } else {
    if (isnan(f)) return type == MOHO_PROGRAM_F16 ? 0x7e00 : 0x7fc0;
    bits = search(type, (long double)fabsf(f)) | (signbit(f) ? 0x8000u : 0u);
  }
  return bits;
}

uint64_t nearest_exact(int type, long double value) {
  if (type == MOHO_PROGRAM_F64 || isnan(value)) return nearest_bits(type, (double)value);
  if (type == MOHO_PROGRAM_F32) return nearest_bits(type, (double)(float)value);
  return search(type, fabsl(value)) | (signbit(value) ? 0x8000u : 0u);
}

int same_value(int type, uint64_t a, uint64_t b) {
  return a == b || (is_real(type) && isnan(real_value(type, a)) && isnan(real_value(type, b)));
}

static uint64_t random_bits(uint64_t *random) {
  uint64_t high = (uint64_t)(test_uniform(random) * 4294967296.0), low = (uint64_t)(test_uniform(random) * 4294967296.0);
  return high << 32 | low;
}

uint64_t example(int type, size_t i, uint64_t *random) {
  static const double reals[] = {0.0,  -0.0,  1,    -1,    0.5,  -2,   3,     1e-3,  7e4,
                                 -1e5, 1e-30, 3e38, 1e-45, 6e-8, 2e-7, 65519, 65520, 255};
  static const int64_t wholes[] = {0,   1,   -1,    2,      -2,        3,         7,         127,      -128,
                                   128, 255, 32767, -32768, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN};
  enum { REALS = sizeof reals / sizeof *reals, WHOLES = sizeof wholes / sizeof *wholes };
  if (!is_real(type)) {
    if (i < WHOLES) return whole_bits(type, (wide)wholes[i]);
    uint64_t bits = random_bits(random);
    return whole_bits(type, (wide)(i % 2 ? bits : bits >> (16 + (bits & 31) + 12)));
  }
  if (i < REALS) return nearest_bits(type, reals[i]);
  if (i == REALS) return nearest_bits(type, (double)INFINITY);
  if (i == REALS + 1) return nearest_bits(type, -(double)INFINITY);
  if (i == REALS + 2) return nearest_bits(type, (double)NAN);
  if (i % 3 == 0) return whole_bits(MOHO_PROGRAM_U64, (wide)random_bits(random)) >> (64 - bits_in(type)); /* any bits */
  return nearest_bits(type, test_normal(random) * pow(10, 2 * test_normal(random)));
}

uint64_t element_of(const void *data, int type, size_t i) {
  uint64_t bits = 0;
  size_t bytes = bits_in(type) / 8;
  memcpy(&bits, (const char *)data + i * bytes, bytes); /* hosts are little-endian */
  return bits;
}

void set_element(void *data, int type, size_t i, uint64_t bits) {
  size_t bytes = bits_in(type) / 8;
  memcpy((char *)data + i * bytes, &bits, bytes);
}
