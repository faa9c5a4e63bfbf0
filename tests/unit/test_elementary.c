/* test_elementary.c - kernels/elementary.h against libm in double: errors, ends of the domain, and zeros' signs. */
#include <math.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernels/kern.h"

#include "kernels/elementary.h"

/* Floats looked at, by their bits: a prime apart, so that all exponents and both signs are met. */
enum { STRIDE = 6007 };

static double sigmoid(double x) {
  return 1 / (1 + exp(-x));
}

static double rsqrt(double x) {
  return 1 / sqrt(x);
}

static const struct {
  const char *name;
  float (*ours)(float);
  double (*exact)(double);
  double ulps; /* what the header promises */
} functions[] = {
    {"exp", elementary_exp, exp, 1},        {"log", elementary_log, log, 1},      {"log2", elementary_log2, log2, 2},
    {"log10", elementary_log10, log10, 2},  {"sin", elementary_sin, sin, 2},      {"cos", elementary_cos, cos, 2},
    {"tan", elementary_tan, tan, 4},        {"tanh", elementary_tanh, tanh, 1.5}, {"sigmoid", elementary_sigmoid, sigmoid, 2.5},
    {"rsqrt", elementary_rsqrt, rsqrt, 1.5}};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

/* In units of the last place of a float at `exact`; beyond the largest float both it and infinity are right. */
static double error_in_ulps(float got, double exact) {
  if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : INFINITY;
  if (isinf(exact)) return (double)got == exact ? 0 : INFINITY;
  int exponent;
  frexp(exact, &exponent);
  if (isinf(got)) return fabs(exact) >= 0x1.fffffep127 && (got > 0) == (exact > 0) ? 0 : INFINITY;
  return fabs((double)got - exact) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

static void promised_errors(void **state) {
  (void)state;
  for (int f = 0; f < FUNCTIONS; f++) {
    double worst = 0;
    float at = 0;
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += STRIDE) {
      float x = kern_as_float((uint)bits);
      double error = error_in_ulps(functions[f].ours(x), functions[f].exact((double)x));
      if (error > worst) worst = error, at = x;
    }
    printf("%-8s %.3f ulp, at %.9g\n", functions[f].name, worst, (double)at);
    if (!(worst <= functions[f].ulps))
      fail_msg("%s(%.9g): %g ulp, promised %g", functions[f].name, (double)at, worst, functions[f].ulps);
  }
}

/* Where the reduction's words meet, where the result ends, and next to the multiples of pi/2 that floats come nearest to. */
static void difficult_places(void **state) {
  (void)state;
  static const float places[] = {32768.0f,
                                 32768.004f,
                                 16367173.0f * 0x1p72f,
                                 16367173.0f * 0x1.0p100f,
                                 0x1.fffffep127f,
                                 6381956.0f * 0x1p45f,
                                 1.5707963f,
                                 3.1415927f,
                                 0x1p33f,
                                 0x1p65f,
                                 0x1p97f,
                                 0x1p-149f,
                                 88.7228394f,
                                 88.7228317f,
                                 -87.3365479f,
                                 -103.972076f,
                                 0x1p-126f,
                                 0.625f,
                                 0.62499994f,
                                 9.01091385f,
                                 1.0f,
                                 0.99999994f,
                                 1.33333337f,
                                 0.66666669f};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    for (int sign = -1; sign <= 1; sign += 2)
      for (int f = 0; f < FUNCTIONS; f++) {
        float x = (float)sign * places[i];
        double error = error_in_ulps(functions[f].ours(x), functions[f].exact((double)x));
        if (!(error <= functions[f].ulps)) fail_msg("%s(%.9g): %g ulp", functions[f].name, (double)x, error);
      }
}

static void ends_and_zeros(void **state) {
  (void)state;
  for (int f = 0; f < FUNCTIONS; f++) {
    assert_true(isnan(functions[f].ours(NAN)));
    const double ends[] = {INFINITY, -INFINITY, 0.0, -0.0};
    for (size_t i = 0; i < 4; i++) {
      double exact = functions[f].exact(ends[i]);
      float got = functions[f].ours((float)ends[i]);
      if (isnan(exact) ? !isnan(got) : (double)got != exact) fail_msg("%s(%g) = %g", functions[f].name, ends[i], (double)got);
      if (exact == 0 && !isinf(ends[i])) assert_int_equal(signbit(got) != 0, signbit(exact) != 0);
    }
  }
  assert_true(elementary_log2(8.0f) == 3.0f && elementary_log10(1000.0f) == 3.0f && elementary_exp(0.0f) == 1.0f);
}

/* The short way of what is never above 1: the same bits. */
static void below_is_exp(void **state) {
  (void)state;
  for (uint64_t bits = 0x80000000u; bits <= 0xff800000u; bits += 997) {
    float x = kern_as_float((uint)bits), short_way = elementary_exp_below(x), long_way = elementary_exp(x);
    if (kern_as_uint(short_way) != kern_as_uint(long_way))
      fail_msg("exp(%.9g): %.9g by the short way, %.9g by the other", (double)x, (double)short_way, (double)long_way);
  }
  assert_true(elementary_exp_below(0.0f) == 1.0f && elementary_exp_below(-INFINITY) == 0.0f && isnan(elementary_exp_below(NAN)));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(promised_errors), cmocka_unit_test(difficult_places),
                                     cmocka_unit_test(ends_and_zeros), cmocka_unit_test(below_is_exp)};
  return cmocka_run_group_tests_name("elementary", tests, NULL, NULL);
}
