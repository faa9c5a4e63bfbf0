/* test_where.c - conditions on headers: what they take, against the same written in C; what is refused, with its column. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "survey/where.h"
#include "test_support.h"

/* Names a, b, c are whole, x and y are double. */
static const char *const names[] = {"a", "b", "c", "x", "y", "offset"};
enum { NAMES = sizeof names / sizeof *names };

static const char *find(const char *name) {
  for (int i = 0; i < NAMES; i++)
    if (strcasecmp(name, names[i]) == 0) return names[i];
  return NULL;
}

static size_t list(const char **out, size_t capacity) {
  size_t n = NAMES < capacity ? NAMES : capacity;
  memcpy(out, names, n * sizeof *out);
  return n;
}

static const moho_where_vocabulary vocabulary = {find, list};

typedef struct values {
  int64_t a, b, c;
  double x, y;
} values;

/* Divides like the language: rounded down, so that the remainder has the divisor's sign. */
static int64_t mod(int64_t a, int64_t b) {
  return a - b * (int64_t)floor((double)a / (double)b);
}

typedef struct sample {
  const char *text;
  int (*in_c)(const values *);
} sample;

#define SAMPLE(name, expression)                 \
  static int name(const values *v) {             \
    int64_t a = v->a, b = v->b, c = v->c;        \
    double x = v->x, y = v->y;                   \
    (void)a, (void)b, (void)c, (void)x, (void)y; \
    return expression;                           \
  }
SAMPLE(s0, a > 200)
SAMPLE(s1, a > 20 && mod(b, 2) == 0)
SAMPLE(s2, a > 20 || (b < 0 && c != 3))
SAMPLE(s3, !(a > 20) || b < 0)
SAMPLE(s4, -50 < a && a <= 50)
SAMPLE(s5, a < b && b < c)
SAMPLE(s6, (a + b) * c - 7 >= 3 * a)
SAMPLE(s7, mod(a, 7) == 3)
SAMPLE(s8, mod(a, -7) == -3)
SAMPLE(s9, (double)a / 4 > x)
SAMPLE(s10, x * 2 + y < 10.5 - (double)a)
SAMPLE(s11, (a >= 10 && a <= 20) || a == -3 || (a >= 40 && a <= 45))
SAMPLE(s12, !((b >= -5 && b <= 5) || b == 77))
SAMPLE(s13, llabs(a) < 30)
SAMPLE(s14, fabs(x - 3) <= 1.5)
SAMPLE(s15, a - b - c == a - (b + c))
SAMPLE(s16, -a * -2 == 2 * a && -(-b) == b)
SAMPLE(s17, c == 0 || mod(a, c) == 0)
SAMPLE(s18, c != 0 && (double)a / (double)c > 2)
SAMPLE(s19, x == y || !(x < y))
SAMPLE(s20, 2 + 3 * 4 == 14 && a * 1000000007LL != b * 1000000007LL)
SAMPLE(s21, fmod(x, 2) < 0 ? fmod(x, 2) + 2 > 1 : fmod(x, 2) > 1)
SAMPLE(s22, (a > 0) + (b > 0) + (c > 0) >= 2)
static const sample samples[] = {
    {"a > 200", s0},
    {"a > 20 and b % 2 == 0", s1},
    {"a > 20 || b < 0 && c <> 3", s2}, /* and binds tighter than or */
    {"NOT a > 20 Or B < 0", s3},
    {"-50 < a <= 50", s4},
    {"a < b < c", s5},
    {"(a + b) * c - 7 >= 3*a", s6},
    {"a % 7 == 3", s7},
    {"a % -7 == -3", s8},
    {"a / 4 > x", s9},
    {"x*2 + y < 1.05e1 - a", s10},
    {"a in [40..45, 12..20, 10..15, -3]", s11},
    {"b not in [-5..5, 77]", s12},
    {"abs(a) < 30", s13},
    {"abs(x - 3) <= 1.5", s14},
    {"a - b - c == a - (b + c)", s15},
    {"-a * -2 == 2 * a and - -b == b", s16},
    {"c == 0 or a % c == 0", s17},
    {"c != 0 and a / c > 2", s18},
    {"x == y or ! (x < y)", s19},
    {"2 + 3 * 4 == 14 and a * 1000000007 != b * 1000000007", s20},
    {"x % 2 > 1", s21},
    {"(a > 0 and b > 0) or (a > 0 and c > 0) or (b > 0 and c > 0)", s22},
};

enum { N = MOHO_WHERE_BLOCK };

static moho_where *parse(const char *text) {
  moho_where *where = NULL;
  assert_ok(moho_where_parse(text, &vocabulary, &where));
  return where;
}

static moho_status bind(moho_where *where) {
  moho_where_type types[MOHO_WHERE_NAMES];
  for (size_t i = 0; i < moho_where_count(where); i++) {
    char name = moho_where_name(where, i)[0];
    int64_t most = name == 'a' ? INT32_MAX : 1 << 20;
    types[i] = (moho_where_type){name < 'x', -most, most};
  }
  return moho_where_bind(where, types);
}

typedef struct block {
  int64_t whole[3][N];
  double real[2][N];
} block;

static void fill(block *b, uint64_t seed) {
  for (size_t i = 0; i < N; i++) {
    for (int k = 0; k < 3; k++) b->whole[k][i] = (int64_t)floor((test_uniform(&seed) - 0.5) * (k == 2 ? 12 : 200));
    for (int k = 0; k < 2; k++) b->real[k][i] = floor((test_uniform(&seed) - 0.5) * 40) / 2;
    if (i % 5 == 0) b->real[1][i] = b->real[0][i];
  }
}

static moho_status evaluate(moho_where *where, const block *b, size_t first, size_t n, uint8_t *out, size_t *failed) {
  moho_where_column columns[MOHO_WHERE_NAMES];
  for (size_t i = 0; i < moho_where_count(where); i++) {
    char name = moho_where_name(where, i)[0];
    if (name >= 'x') columns[i].real = b->real[name - 'x'] + first;
    else columns[i].whole = b->whole[name - 'a'] + first;
  }
  void *scratch = malloc(moho_where_scratch_bytes(where));
  memset(scratch, 0xa5, moho_where_scratch_bytes(where));
  moho_status status = moho_where_evaluate(where, scratch, columns, n, out, failed);
  free(scratch);
  return status;
}

static void takes_what_c_takes(void **state) {
  (void)state;
  static block b;
  uint8_t out[N];
  size_t failed;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    fill(&b, seed);
    for (size_t k = 0; k < sizeof samples / sizeof *samples; k++) {
      moho_where *where = parse(samples[k].text);
      assert_ok(bind(where));
      size_t first = seed * 3, n = N - 5 * seed;
      assert_ok(evaluate(where, &b, first, n - first, out, &failed));
      for (size_t i = first; i < n; i++) {
        values v = {b.whole[0][i], b.whole[1][i], b.whole[2][i], b.real[0][i], b.real[1][i]};
        if (out[i - first] != (samples[k].in_c(&v) != 0))
          fail_msg("\"%s\" gives %d for a %d, b %d, c %d, x %g, y %g", samples[k].text, out[i - first], (int)v.a, (int)v.b,
                   (int)v.c, v.x, v.y);
      }
      moho_where_destroy(&where);
    }
  }
}

/* Beyond 2^53 doubles no longer tell neighbours apart; whole numbers do. */
static void whole_numbers_are_exact(void **state) {
  (void)state;
  static block b;
  uint8_t out[N];
  size_t failed;
  for (size_t i = 0; i < N; i++) b.whole[0][i] = 2147483647 - (int64_t)i;
  moho_where *where = parse("a * 4294967295 == 9223372030412324866"); /* one more than the largest is */
  assert_ok(bind(where));
  assert_ok(evaluate(where, &b, 0, N, out, &failed));
  moho_where_destroy(&where);
  for (size_t i = 0; i < N; i++) assert_int_equal(out[i], 0);
  where = parse("a * 4294967295 == 9223372030412324865 - 4294967295 * 3");
  assert_ok(bind(where));
  assert_ok(evaluate(where, &b, 0, N, out, &failed));
  moho_where_destroy(&where);
  for (size_t i = 0; i < N; i++) assert_int_equal(out[i], i == 3);
}

static void division_by_zero_names_its_trace(void **state) {
  (void)state;
  static block b;
  uint8_t out[N];
  size_t failed = 0;
  fill(&b, 5);
  for (size_t i = 0; i < N; i++) b.whole[2][i] = i == 700 ? 0 : 3;
  moho_where *where = parse("a % c == 1");
  assert_ok(bind(where));
  assert_fails(evaluate(where, &b, 0, N, out, &failed), MOHO_ERROR_RANGE, "column 3: % divides by zero");
  assert_int_equal(failed, 700);
  moho_where_destroy(&where);
  where = parse("x < 1e9 and b / c > 0");
  assert_ok(bind(where));
  assert_fails(evaluate(where, &b, 0, N, out, &failed), MOHO_ERROR_RANGE, "column 15: / divides by zero");
  moho_where_destroy(&where);
}

typedef struct refusal {
  const char *text;
  moho_status code;
  const char *message, *hint;
} refusal;

static const refusal refusals[] = {
    {"", MOHO_ERROR_FORMAT, "column 1: expected a header name, a number or \"(\", found the end", ""},
    {"  ", MOHO_ERROR_FORMAT, "column 3: expected a header name", ""},
    {"ofset > 3", MOHO_ERROR_KEY, "column 1: unknown trace header \"ofset\"", "did you mean offset?"},
    {"a > 3 and zzzz < 2", MOHO_ERROR_KEY, "column 11: unknown trace header \"zzzz\"", "names:"},
    {"a > ", MOHO_ERROR_FORMAT, "column 5: expected a header name, a number or \"(\", found the end", ""},
    {"a = 3", MOHO_ERROR_FORMAT, "column 3: expected a comparison, found \"=\"", "equality is written =="},
    {"a", MOHO_ERROR_FORMAT, "column 1: expected a condition such as offset > 200, found a number", "!= 0"},
    {"a > 3 > b > (c < 2)", MOHO_ERROR_FORMAT, "column 16: expected a number as operand of >, found a condition", ""},
    {"(a > 3) + 1 > 0", MOHO_ERROR_FORMAT, "column 4: expected a number as operand of +", ""},
    {"a and b > 1", MOHO_ERROR_FORMAT, "column 1: expected a condition beside and, found a number", ""},
    {"not a", MOHO_ERROR_FORMAT, "column 5: expected a condition after not", ""},
    {"a in (1, 2)", MOHO_ERROR_FORMAT, "column 6: expected \"[\" after in", "write cdp in [100..200, 250]"},
    {"a in [1, b]", MOHO_ERROR_FORMAT, "column 10: expected a number in the list", "=="},
    {"a in [5..1]", MOHO_ERROR_RANGE, "column 7: the range 5..1 is empty", "smaller"},
    {"a in [1 2]", MOHO_ERROR_FORMAT, "column 9: expected \",\", \"..\" or \"]\", found \"2\"", ""},
    {"a in [1", MOHO_ERROR_FORMAT, "column 8: expected", ""},
    {"a not > 3", MOHO_ERROR_FORMAT, "column 7: expected in after not, found \">\"", "!="},
    {"a % 0 == 1", MOHO_ERROR_RANGE, "column 5: % divides by zero", ""},
    {"a / (2 - 2.0) == 1", MOHO_ERROR_RANGE, "divides by zero", ""},
    {"a > 3,000", MOHO_ERROR_FORMAT, "column 6: expected an operator", "3000, not 3,000"},
    {"(a > 3,000)", MOHO_ERROR_FORMAT, "column 7: expected an operator or \")\"", "3000, not 3,000"},
    {"a > 3 km", MOHO_ERROR_FORMAT, "column 7: expected an operator", "without units"},
    {"a > 3km", MOHO_ERROR_FORMAT, "column 6: expected an operator after 3, found \"km\"", "without units"},
    {"a > 3 andd b < 2", MOHO_ERROR_FORMAT, "column 7: expected an operator", "did you mean and?"},
    {"((a > 3)", MOHO_ERROR_FORMAT, "column 9: expected an operator or \")\", found the end", ""},
    {"a > 3)", MOHO_ERROR_FORMAT, "column 6: expected an operator", ""},
    {"a @ 3", MOHO_ERROR_FORMAT, "column 3: \"@\" has no meaning here", ""},
    {"a \xc3\xa9 3", MOHO_ERROR_FORMAT, "column 3: a byte 0xC3 has no meaning here", ""},
    {"a > 99999999999999999999", MOHO_ERROR_RANGE, "column 5: 99999999999999999999 is larger than a whole number", ""},
    {"a > 9223372036854775807 + 1", MOHO_ERROR_RANGE, "larger than a whole number of 64 bits", ""},
    {"a > 1e999", MOHO_ERROR_FORMAT, "1e999", ""},
    {"abs a > 1", MOHO_ERROR_FORMAT, "column 5: expected \"(\" after abs", "abs(offset)"},
    {"a > 1 | b > 2", MOHO_ERROR_FORMAT, "column 7: expected an operator", ""},
};

static void mistakes_are_told(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
    const refusal *r = &refusals[i];
    moho_where *where = NULL;
    moho_status status = moho_where_parse(r->text, &vocabulary, &where);
    const moho_error *error = moho_last_error();
    if (status != r->code || !strstr(error->message, r->message) || !strstr(error->hint, r->hint) || where)
      fail_msg("\"%s\": %s: %s; hint: %s", r->text, moho_status_name(status), error->message, error->hint);
    assert_string_equal(error->key, "input.select.where");
  }
}

static void products_that_may_pass_64_bits(void **state) {
  (void)state;
  moho_where *where = parse("a * b * c > 3");
  assert_fails(bind(where), MOHO_ERROR_RANGE, "column 7: the result may be larger than a whole number of 64 bits");
  moho_where_destroy(&where);
  where = parse("1.0 * a * b * c > 3");
  assert_ok(bind(where));
  moho_where_destroy(&where);
}

static void bounds_are_kept(void **state) {
  (void)state;
  enum { SIZE = 200000 };
  char *text = calloc(SIZE, 1);
  moho_where *where = NULL;
  for (int i = 0; i < 100; i++) strcat(text, "(");
  strcat(text, "a > 1");
  assert_fails(moho_where_parse(text, &vocabulary, &where), MOHO_ERROR_TOO_LARGE, "nested more than 64 deep");
  memset(text, '-', 100), strcpy(text + 100, "a > 1");
  assert_fails(moho_where_parse(text, &vocabulary, &where), MOHO_ERROR_TOO_LARGE, "nested more than 64 deep");
  strcpy(text, "a > 0");
  for (int i = 0; i < 3000; i++) strcat(text, " + b");
  assert_fails(moho_where_parse(text, &vocabulary, &where), MOHO_ERROR_TOO_LARGE, "operators and operands");
  strcpy(text, "a in [0");
  for (int i = 1; i < 4000; i++) sprintf(text + strlen(text), ",-%d", 2 * i);
  strcat(text, "]");
  where = parse(text);
  static block b;
  uint8_t out[N];
  size_t failed;
  for (size_t i = 0; i < N; i++) b.whole[0][i] = 10 - 9 * (int64_t)i;
  assert_ok(bind(where));
  assert_ok(evaluate(where, &b, 0, N, out, &failed));
  for (size_t i = 0; i < N; i++) assert_int_equal(out[i], b.whole[0][i] <= 0 && b.whole[0][i] >= -7998 && b.whole[0][i] % 2 == 0);
  moho_where_destroy(&where);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_what_c_takes),
      cmocka_unit_test(whole_numbers_are_exact),
      cmocka_unit_test(division_by_zero_names_its_trace),
      cmocka_unit_test(mistakes_are_told),
      cmocka_unit_test(products_that_may_pass_64_bits),
      cmocka_unit_test(bounds_are_kept),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
