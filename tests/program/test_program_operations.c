/* test_program_operations.c - each operation on each of its types, many values, against its meaning computed another way:
 * integers in 128 bits, floats in double and long double, f16 and bf16 by search. Lanes of a program of one instruction are the
 * cases.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "program_support.h"

enum { N = 1536, LANES = 96 };

typedef struct operands {
  uint64_t a[N], b[N], c[N], result[N];
  uint64_t memory[4][N]; /* what the program sees of them */
} operands;
static operands given;

static uint64_t seed = 20240229;

/* Run `body` with x, y, z = a, b, c of the lane; w is what it leaves. */
static moho_program_fault run_cases(int type, int result_type, const char *body, uint32_t lanes) {
  char text[1200];
  const char *t = type_words[type], *to = type_words[result_type];
  snprintf(text, sizeof text,
           "program cases\nbuffer in %s a, b, c\nbuffer out %s d\nregister u32 i\nregister %s x, y, z\nregister %s w\n"
           "predicate p\nget i, id\nload x, a[i]\nload y, b[i]\nload z, c[i]\n%s\nstore d[i], w\n",
           t, to, t, to, body);
  for (size_t i = 0; i < N; i++) {
    set_element(given.memory[0], type, i, given.a[i]);
    set_element(given.memory[1], type, i, given.b[i]);
    set_element(given.memory[2], type, i, given.c[i]);
  }
  moho_program *program = program_of(text);
  const moho_program_memory buffers[] = {{given.memory[0], N}, {given.memory[1], N}, {given.memory[2], N}, {given.memory[3], N}};
  moho_program_fault fault = run_program(program, buffers, NULL, N / lanes, lanes);
  for (size_t i = 0; i < N; i++) given.result[i] = element_of(given.memory[3], result_type, i);
  moho_program_destroy(&program);
  return fault;
}

static void fill(int type) {
  for (size_t i = 0; i < N; i++) {
    given.a[i] = example(type, i / 24, &seed);
    given.b[i] = example(type, i % 24, &seed);
    if (i >= 24 * 24) given.a[i] = example(type, 100 + i, &seed), given.b[i] = example(type, 100 + i, &seed);
    given.c[i] = example(type, i, &seed);
  }
}

static void expect(int type, const char *what, size_t i, uint64_t expected) {
  if (same_value(type, given.result[i], expected)) return;
  fail_msg("%s %s of %#llx %#llx %#llx: got %#llx, expected %#llx", what, type_words[type], (unsigned long long)given.a[i],
           (unsigned long long)given.b[i], (unsigned long long)given.c[i], (unsigned long long)given.result[i],
           (unsigned long long)expected);
}

/* ---- integers ---- */

static wide floor_shift(wide value, unsigned count) {
  wide by = (wide)1 << count;
  return value >= 0 ? value / by : -((-value + by - 1) / by);
}

static wide whole_meaning(const char *op, int type, size_t i) {
  wide a = whole_value(type, given.a[i]), b = whole_value(type, given.b[i]);
  unsigned count = (unsigned)(given.b[i] % bits_in(type));
  if (strcmp(op, "add") == 0) return a + b;
  if (strcmp(op, "sub") == 0) return a - b;
  if (strcmp(op, "mul") == 0) return (wide)(given.a[i] * given.b[i]); /* its lowest 64 bits */
  if (strcmp(op, "mad") == 0) return (wide)(given.a[i] * given.b[i] + given.c[i]);
  if (strcmp(op, "div") == 0) return b == 0 ? 0 : a / b;
  if (strcmp(op, "min") == 0) return a < b ? a : b;
  if (strcmp(op, "max") == 0) return a > b ? a : b;
  if (strcmp(op, "abs") == 0) return a < 0 ? -a : a;
  if (strcmp(op, "neg") == 0) return -a;
  if (strcmp(op, "not") == 0) return -a - 1;
  if (strcmp(op, "shl") == 0) return (wide)(given.a[i] << count);
  if (strcmp(op, "shr") == 0) return floor_shift(a, count);
  if (strcmp(op, "move") == 0) return a;
  wide bits = 0; /* and or xor: bit by bit */
  for (unsigned k = 0; k < bits_in(type); k++) {
    int one = given.a[i] >> k & 1, two = given.b[i] >> k & 1;
    int bit = strcmp(op, "and") == 0 ? one + two == 2 : strcmp(op, "or") == 0 ? one + two > 0 : one + two == 1;
    bits += (wide)bit << k;
  }
  return bits;
}

static const char *line_of(const char *op, unsigned reads) {
  static char line[64];
  snprintf(line, sizeof line, reads == 1 ? "%s w, x" : reads == 2 ? "%s w, x, y" : "%s w, x, y, z", op);
  return line;
}

static void integers(void **state) {
  (void)state;
  static const struct {
    const char *op;
    unsigned reads;
  } operations[] = {{"move", 1}, {"add", 2}, {"sub", 2}, {"mul", 2}, {"div", 2}, {"mad", 3}, {"min", 2}, {"max", 2},
                    {"abs", 1},  {"neg", 1}, {"and", 2}, {"or", 2},  {"xor", 2}, {"not", 1}, {"shl", 2}, {"shr", 2}};
  for (int type = MOHO_PROGRAM_I8; type <= MOHO_PROGRAM_U64; type++)
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
      const char *op = operations[k].op;
      fill(type);
      moho_program_fault fault = run_cases(type, type, line_of(op, operations[k].reads), LANES);
      size_t first = N;
      for (size_t i = N; i-- > 0;) {
        expect(type, op, i, whole_bits(type, whole_meaning(op, type, i)));
        if (strcmp(op, "div") == 0 && given.b[i] == 0) first = i;
      }
      assert_int_equal(fault.happened, first < N);
      if (fault.happened) assert_int_equal(fault.id, first);
      if (fault.happened) assert_int_equal(fault.kind, MOHO_PROGRAM_DIV);
    }
}

/* ---- floats ---- */

/* f16, bf16 and f32 are added, multiplied, divided in double and rounded to float once more: double has more than twice its
 * digits and two, so that this is the correctly rounded result (Figueroa 1995). */
static uint64_t rounded(int type, double exact) {
  return type == MOHO_PROGRAM_F64 ? nearest_bits(type, exact) : nearest_bits(type, (double)(float)exact);
}

/* Numbers below numbers, -0 below +0; NaN is never asked. */
static int is_below(double a, double b) {
  return a < b || (!(b < a) && signbit(a) > signbit(b));
}

static uint64_t real_meaning(const char *op, int type, size_t i) {
  double a = real_value(type, given.a[i]), b = real_value(type, given.b[i]), c = real_value(type, given.c[i]);
  if (strcmp(op, "add") == 0) return rounded(type, a + b);
  if (strcmp(op, "sub") == 0) return rounded(type, a - b);
  if (strcmp(op, "mul") == 0) return rounded(type, a * b);
  if (strcmp(op, "div") == 0) return rounded(type, a / b);
  if (strcmp(op, "sqrt") == 0) return rounded(type, sqrt(a));
  if (strcmp(op, "abs") == 0) return nearest_bits(type, fabs(a));
  if (strcmp(op, "neg") == 0) return nearest_bits(type, -a);
  if (strcmp(op, "move") == 0) return nearest_bits(type, a);
  if (strcmp(op, "mad") == 0) {
    double product = type == MOHO_PROGRAM_F64 ? a * b : (double)(float)(a * b);
    return rounded(type, product + c);
  }
  if (isnan(a)) return nearest_bits(type, b);
  if (isnan(b)) return nearest_bits(type, a);
  return nearest_bits(type, (strcmp(op, "min") == 0) == is_below(a, b) ? a : b);
}

static void floats(void **state) {
  (void)state;
  static const struct {
    const char *op;
    unsigned reads;
  } operations[] = {{"move", 1}, {"add", 2}, {"sub", 2}, {"mul", 2}, {"div", 2}, {"mad", 3},
                    {"min", 2},  {"max", 2}, {"abs", 1}, {"neg", 1}, {"sqrt", 1}};
  for (int type = MOHO_PROGRAM_F16; type <= MOHO_PROGRAM_F64; type++)
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
      fill(type);
      moho_program_fault fault = run_cases(type, type, line_of(operations[k].op, operations[k].reads), LANES);
      for (size_t i = 0; i < N; i++) expect(type, operations[k].op, i, real_meaning(operations[k].op, type, i));
      assert_false(fault.happened);
    }
}

/* (1 + e)^2 - (1 + 2e) = e^2 is lost where the product is rounded first: f32 with e = 2^-12, f64 with e = 2^-27. f16 and bf16 in
 * f32: 2049 * 2049 + 1 for f16 needs more than its digits; all of f32's are there. */
static void fused(void **state) {
  (void)state;
  static const struct {
    int type;
    double x, y, z, fma, mad;
  } cases[] = {{MOHO_PROGRAM_F32, 1 + 0x1p-12, 1 + 0x1p-12, -(1 + 0x1p-11), 0x1p-24, 0},
               {MOHO_PROGRAM_F64, 1 + 0x1p-27, 1 + 0x1p-27, -(1 + 0x1p-26), 0x1p-54, 0},
               {MOHO_PROGRAM_F16, 1 + 0x1p-10, 1 + 0x1p-10, -(1 + 0x1p-9), 0x1p-20, 0x1p-20},
               {MOHO_PROGRAM_BF16, 1 + 0x1p-7, 1 + 0x1p-7, -(1 + 0x1p-6), 0x1p-14, 0x1p-14}};
  for (size_t k = 0; k < 4; k++) {
    int type = cases[k].type;
    for (size_t i = 0; i < N; i++) {
      given.a[i] = nearest_bits(type, cases[k].x);
      given.b[i] = nearest_bits(type, cases[k].y);
      given.c[i] = nearest_bits(type, cases[k].z);
    }
    run_cases(type, type, "fma w, x, y, z", LANES);
    expect(type, "fma", 0, nearest_bits(type, cases[k].fma));
    run_cases(type, type, "mad w, x, y, z", LANES);
    expect(type, "mad", 0, nearest_bits(type, cases[k].mad));
  }
}

/* Random fma of numbers of few digits is exact in double (f32) and rounds once from there. */
static void fused_random(void **state) {
  (void)state;
  for (int type = MOHO_PROGRAM_F16; type <= MOHO_PROGRAM_F32; type++) {
    for (size_t i = 0; i < N; i++) {
      given.a[i] = nearest_bits(type, floor(test_normal(&seed) * 1000));
      given.b[i] = nearest_bits(type, floor(test_normal(&seed) * 1000));
      given.c[i] = nearest_bits(type, floor(test_normal(&seed) * 1e5) / 64);
    }
    run_cases(type, type, "fma w, x, y, z", LANES);
    for (size_t i = 0; i < N; i++)
      expect(type, "fma", i,
             rounded(type, real_value(type, given.a[i]) * real_value(type, given.b[i]) + real_value(type, given.c[i])));
  }
}

/* ---- transcendental functions ---- */

static long double meaning(const char *op, long double x) {
  if (strcmp(op, "exp") == 0) return expl(x);
  if (strcmp(op, "log") == 0) return logl(x);
  if (strcmp(op, "log2") == 0) return log2l(x);
  if (strcmp(op, "log10") == 0) return log10l(x);
  if (strcmp(op, "rsqrt") == 0) return 1 / sqrtl(x);
  if (strcmp(op, "sin") == 0) return sinl(x);
  if (strcmp(op, "cos") == 0) return cosl(x);
  if (strcmp(op, "tan") == 0) return tanl(x);
  if (strcmp(op, "tanh") == 0) return tanhl(x);
  return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
}

/* Units in the last place between a result and the exact value. */
static long double units(int type, uint64_t bits, long double exact) {
  static const int digits[] = {11, 8, 24, 53}, least[] = {-24, -133, -149, -1074};
  double got = real_value(type, bits), limit = type == MOHO_PROGRAM_F16   ? 65520
                                               : type == MOHO_PROGRAM_F64 ? (double)INFINITY
                                                                          : 0x1.ffp127;
  if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : (long double)INFINITY;
  if (isinf(got))
    return (got > 0) == (exact > 0) && fabsl(exact) >= (long double)(isinf(limit) ? DBL_MAX : limit) ? 0 : (long double)INFINITY;
  if (isinf(exact)) return (long double)INFINITY;
  int k = type - MOHO_PROGRAM_F16, exponent = exact == 0 ? least[k] : ilogbl(exact) - digits[k] + 1;
  return fabsl((long double)got - exact) / ldexpl(1, exponent < least[k] ? least[k] : exponent);
}

static void functions(void **state) {
  (void)state;
  static const char *const names[] = {"exp", "log", "log2", "log10", "rsqrt", "sin", "cos", "tan", "tanh", "sigmoid"};
  static const double bounds[] = {0.501, 0.501, 0.501,
                                  3}; /* of f16 and bf16 half a unit and what the float before adds; f64: the C library's own */
  for (int type = MOHO_PROGRAM_F16; type <= MOHO_PROGRAM_F64; type++)
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
      double bound =
          bounds[type - MOHO_PROGRAM_F16] + (type == MOHO_PROGRAM_F16 || type == MOHO_PROGRAM_BF16 ? 1e-3 + 0x1p-9 : 0);
      fill(type);
      run_cases(type, type, line_of(names[k], 1), LANES);
      for (size_t i = 0; i < N; i++) {
        double x = real_value(type, given.a[i]);
        if (fabs(x) > 1e15 && isfinite(x) && names[k][0] != 'l' && names[k][0] != 'r') continue; /* long double's own reduction */
        long double away = units(type, given.result[i], meaning(names[k], (long double)x));
        if (away > (long double)bound)
          fail_msg("%s %s(%.17g) = %.17g is %Lg units away", names[k], type_words[type], x, real_value(type, given.result[i]),
                   away);
      }
    }
}

/* ---- convert ---- */

static wide limit(wide value, wide least, wide most) {
  return value < least ? least : value > most ? most : value;
}

static uint64_t converted(int to, int from, uint64_t bits) {
  wide most = is_signed(to) ? ((wide)1 << (bits_in(to) - 1)) - 1 : ((wide)1 << bits_in(to)) - 1,
       least = is_signed(to) ? -most - 1 : 0;
  if (is_real(from)) {
    double value = real_value(from, bits);
    if (is_real(to)) return nearest_exact(to, (long double)value);
    if (isnan(value)) return 0;
    return whole_bits(to, value >= 0x1p100 ? most : value <= -0x1p100 ? least : limit((wide)value, least, most));
  }
  wide value = whole_value(from, bits);
  if (!is_real(to)) return whole_bits(to, limit(value, least, most));
  return nearest_exact(to, (long double)value);
}

/* Just at or beside the middle between two values of a small float type, where rounding twice goes wrong. */
static uint64_t near_tie(int from, size_t i) {
  int digits = i & 1 ? 11 : 8, exponent = 9 + (int)(i >> 1) % (LDBL_MANT_DIG < 64 ? 43 : 53), beside = (int)(i % 3) - 1;
  int shift = exponent - digits;
  wide value = ((wide)1 << exponent) + (shift >= 0 ? (wide)1 << shift : 0) + beside;
  if (!is_real(from)) return whole_bits(from, i & 4 ? -value : value);
  return nearest_bits(from, (double)value * (i & 4 ? -0x1p-16 : 1));
}

static void converts(void **state) {
  (void)state;
  for (int from = 0; from < MOHO_PROGRAM_TYPES; from++)
    for (int to = 0; to < MOHO_PROGRAM_TYPES; to++) {
      fill(from);
      for (size_t i = 0; i < N / 4; i++) given.a[i] = near_tie(from, i);
      run_cases(from, to, "convert w, x", LANES);
      for (size_t i = 0; i < N; i++)
        if (!same_value(to, given.result[i], converted(to, from, given.a[i])))
          fail_msg("convert %s to %s of %#llx: got %#llx, expected %#llx", type_words[from], type_words[to],
                   (unsigned long long)given.a[i], (unsigned long long)given.result[i],
                   (unsigned long long)converted(to, from, given.a[i]));
    }
}

/* ---- compare, select ---- */

static int holds(const char *condition, int type, uint64_t a, uint64_t b) {
  int is_u = condition[0] == 'u', is_nan = 0;
  const char *word = condition + is_u;
  int order; /* of a and b: -1, 0, 1 */
  if (is_real(type)) {
    double x = real_value(type, a), y = real_value(type, b);
    is_nan = isnan(x) || isnan(y);
    order = x < y ? -1 : x > y;
  } else {
    wide x = is_u ? (wide)a : whole_value(type, a), y = is_u ? (wide)b : whole_value(type, b);
    order = x < y ? -1 : x > y;
  }
  if (is_nan) return is_u || strcmp(word, "ne") == 0;
  return strcmp(word, "eq") == 0   ? order == 0
         : strcmp(word, "ne") == 0 ? order != 0
         : strcmp(word, "lt") == 0 ? order < 0
         : strcmp(word, "le") == 0 ? order <= 0
         : strcmp(word, "gt") == 0 ? order > 0
                                   : order >= 0;
}

static void compares(void **state) {
  (void)state;
  static const char *const conditions[] = {"eq", "ne", "lt", "le", "gt", "ge", "ult", "ule", "ugt", "uge"};
  for (int type = 0; type < MOHO_PROGRAM_TYPES; type++)
    for (size_t k = 0; k < 10; k++) {
      char body[80];
      snprintf(body, sizeof body, "compare.%s p, x, y\nselect w, p, x, z", conditions[k]);
      fill(type);
      run_cases(type, type, body, LANES);
      for (size_t i = 0; i < N; i++)
        expect(type, conditions[k], i, holds(conditions[k], type, given.a[i], given.b[i]) ? given.a[i] : given.c[i]);
    }
}

/* ---- reductions ---- */

static uint64_t combine(const char *op, int type, uint64_t a, uint64_t b) {
  given.a[0] = a, given.b[0] = b, given.c[0] = 0;
  return is_real(type) ? real_meaning(op, type, 0) : whole_bits(type, whole_meaning(op, type, 0));
}

/* Element k over k, k + stride, k + 2 stride ...: what the tree of halves leaves there when `stride` elements are left. */
static uint64_t tree(const char *op, int type, const uint64_t *values, size_t n, size_t k, size_t stride) {
  if (stride >= n) return values[k];
  uint64_t left = tree(op, type, values, n, k, 2 * stride);
  if (k + stride >= n) return left;
  return combine(op, type, left, tree(op, type, values, n, k + stride, 2 * stride));
}

static uint64_t tree_meaning(const char *op, int type, const uint64_t *values, size_t n) {
  uint64_t widened[1024];
  if (type != MOHO_PROGRAM_F16 && type != MOHO_PROGRAM_BF16) return tree(op, type, values, n, 0, 1);
  for (size_t i = 0; i < n; i++) widened[i] = nearest_bits(MOHO_PROGRAM_F32, real_value(type, values[i]));
  return nearest_bits(type, real_value(MOHO_PROGRAM_F32, tree(op, MOHO_PROGRAM_F32, widened, n, 0, 1)));
}

static const char *const reductions[] = {"add", "mul", "min", "max", "and", "or", "xor"};

static void group_reductions(void **state) {
  (void)state;
  static const uint32_t sizes[] = {1, 2, 3, 32, 48, 96, 512};
  uint64_t values[512];
  for (int type = 0; type < MOHO_PROGRAM_TYPES; type++)
    for (size_t k = 0; k < (is_real(type) ? 4 : 7); k++)
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        char body[64];
        fill(type);
        for (size_t i = 0; i < N; i++) given.a[i] = example(type, 40 + 3 * i + (i % 3 != 0), &seed);
        memcpy(values, given.a, sizeof values);
        uint64_t second[512];
        memcpy(second, given.a + sizes[s], sizeof second);
        snprintf(body, sizeof body, "group.%s w, x", reductions[k]);
        run_cases(type, type, body, sizes[s]);
        uint64_t expected = tree_meaning(reductions[k], type, values, sizes[s]);
        for (size_t i = 0; i < sizes[s]; i++) expect(type, body, i, expected);
        if (N / sizes[s] > 1) expect(type, body, sizes[s], tree_meaning(reductions[k], type, second, sizes[s]));
      }
}

static void range_reductions(void **state) {
  (void)state;
  static const unsigned counts[] = {1, 2, 3, 5, 8, 31};
  for (int type = 0; type < MOHO_PROGRAM_TYPES; type++)
    for (size_t k = 0; k < (is_real(type) ? 4 : 7); k++)
      for (size_t s = 0; s < sizeof counts / sizeof *counts; s++) {
        char text[4000];
        uint64_t values[32], memory[32], result = 0;
        unsigned n = counts[s];
        int used = snprintf(text, sizeof text, "program range\nbuffer in %s a\nbuffer out %s d\nregister %s w, t[%u]\n",
                            type_words[type], type_words[type], type_words[type], n);
        for (unsigned i = 0; i < n; i++) {
          values[i] = example(type, 41 + 3 * i, &seed);
          set_element(memory, type, i, values[i]);
          used += snprintf(text + used, sizeof text - (size_t)used, "load t%u, a[%u]\n", i, i);
        }
        snprintf(text + used, sizeof text - (size_t)used, "reduce.%s w, t0..t%u\nstore d[0], w\n", reductions[k], n - 1);
        moho_program *program = program_of(text);
        run_program(program, (moho_program_memory[]){{memory, n}, {&result, 1}}, NULL, 1, 1);
        moho_program_destroy(&program);
        uint64_t expected = tree_meaning(reductions[k], type, values, n);
        if (!same_value(type, result, expected))
          fail_msg("reduce.%s of %u %s: got %#llx, expected %#llx", reductions[k], n, type_words[type],
                   (unsigned long long)result, (unsigned long long)expected);
      }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),     cmocka_unit_test(floats),           cmocka_unit_test(fused),
      cmocka_unit_test(fused_random), cmocka_unit_test(functions),        cmocka_unit_test(converts),
      cmocka_unit_test(compares),     cmocka_unit_test(group_reductions), cmocka_unit_test(range_reductions)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
