/* test_elementwise.c - every element-wise operation, dtype, odd size and pattern of strides against double and integer formulas.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor_support.h"

/* ---- oracles ---- */

typedef double (*oracle)(const double *x, const double *number);

static double o_add(const double *x, const double *s) {
  return (void)s, x[0] + x[1];
}
static double o_sub(const double *x, const double *s) {
  return (void)s, x[0] - x[1];
}
static double o_mul(const double *x, const double *s) {
  return (void)s, x[0] * x[1];
}
static double o_div(const double *x, const double *s) {
  return (void)s, x[0] / x[1];
}
static double o_min(const double *x, const double *s) {
  return (void)s, fmin(x[0], x[1]);
}
static double o_max(const double *x, const double *s) {
  return (void)s, fmax(x[0], x[1]);
}
static double o_fma(const double *x, const double *s) {
  return (void)s, (double)fmaf((float)x[0], (float)x[1], (float)x[2]);
}
static double o_copy(const double *x, const double *s) {
  return (void)s, x[0];
}
static double o_fill(const double *x, const double *s) {
  return (void)x, s[0];
}
static double o_abs(const double *x, const double *s) {
  return (void)s, fabs(x[0]);
}
static double o_neg(const double *x, const double *s) {
  return (void)s, -x[0];
}
static double o_sqrt(const double *x, const double *s) {
  return (void)s, sqrt(x[0]);
}
static double o_clip(const double *x, const double *s) {
  return x[0] < s[0] ? s[0] : x[0] > s[1] ? s[1] : x[0];
}
static double o_relu(const double *x, const double *s) {
  return (void)s, x[0] < 0 ? 0 : x[0];
}
static double o_leaky(const double *x, const double *s) {
  return x[0] > 0 ? x[0] : s[0] * x[0];
}

static double o_exp(const double *x, const double *s) {
  return (void)s, exp(x[0]);
}
static double o_log(const double *x, const double *s) {
  return (void)s, log(x[0]);
}
static double o_sigmoid(const double *x, const double *s) {
  return (void)s, 1 / (1 + exp(-x[0]));
}
static double o_tanh(const double *x, const double *s) {
  return (void)s, tanh(x[0]);
}
static double o_silu(const double *x, const double *s) {
  return x[0] * o_sigmoid(x, s);
}
static double gelu_u(double x) {
  return sqrt(2 / M_PI) * (x + 0.044715 * x * x * x);
}
static double o_gelu_tanh(const double *x, const double *s) {
  return (void)s, x[0] / (1 + exp(-2 * gelu_u(x[0])));
}
static double o_gelu_erf(const double *x, const double *s) {
  return (void)s, 0.5 * x[0] * erfc(-x[0] / sqrt(2));
}
static double o_relu_back(const double *x, const double *s) {
  return (void)s, x[0] > 0 ? x[1] : 0;
}
static double o_leaky_back(const double *x, const double *s) {
  return x[0] > 0 ? x[1] : s[0] * x[1];
}
static double slope(double x) {
  double e = exp(-fabs(x));
  return e / ((1 + e) * (1 + e));
}
static double o_sigmoid_back(const double *x, const double *s) {
  return (void)s, slope(x[0]) * x[1];
}
static double o_tanh_back(const double *x, const double *s) {
  return (void)s, x[1] / (cosh(x[0]) * cosh(x[0]));
}
static double o_silu_back(const double *x, const double *s) {
  return (o_sigmoid(x, s) + x[0] * slope(x[0])) * x[1];
}
static double o_gelu_tanh_back(const double *x, const double *s) {
  double u = 2 * gelu_u(x[0]), du = 2 * sqrt(2 / M_PI) * (1 + 3 * 0.044715 * x[0] * x[0]);
  return (void)s, (1 / (1 + exp(-u)) + x[0] * slope(u) * du) * x[1];
}
static double o_gelu_erf_back(const double *x, const double *s) {
  return (void)s, (0.5 * erfc(-x[0] / sqrt(2)) + x[0] * exp(-x[0] * x[0] / 2) / sqrt(2 * M_PI)) * x[1];
}

/* What is exact, or rounded once by IEEE's rules, has 0 units of error. */
typedef struct tested {
  moho_operation operation;
  int inputs;
  oracle expected;
  double units; /* of the last place of f32, before it is rounded to the dtype */
  int of_ints;
  double beside; /* and so much of max(1, |dy|) */
} tested;

static const tested all[] = {
    {MOHO_OPERATION_ADD, 2, o_add, 0, 1, 0},
    {MOHO_OPERATION_SUB, 2, o_sub, 0, 1, 0},
    {MOHO_OPERATION_MUL, 2, o_mul, 0, 1, 0},
    {MOHO_OPERATION_DIV, 2, o_div, 0, 1, 0},
    {MOHO_OPERATION_MIN, 2, o_min, 0, 1, 0},
    {MOHO_OPERATION_MAX, 2, o_max, 0, 1, 0},
    {MOHO_OPERATION_FMA, 3, o_fma, 0, 1, 0},
    {MOHO_OPERATION_COPY, 1, o_copy, 0, 1, 0},
    {MOHO_OPERATION_FILL, 0, o_fill, 0, 1, 0},
    {MOHO_OPERATION_ABS, 1, o_abs, 0, 1, 0},
    {MOHO_OPERATION_NEG, 1, o_neg, 0, 1, 0},
    {MOHO_OPERATION_SQRT, 1, o_sqrt, 0, 0, 0},
    {MOHO_OPERATION_EXP, 1, o_exp, 1.1, 0, 0},
    {MOHO_OPERATION_LOG, 1, o_log, 1.1, 0, 0},
    {MOHO_OPERATION_CLIP, 1, o_clip, 0, 1, 0},
    {MOHO_OPERATION_RELU, 1, o_relu, 0, 1, 0},
    {MOHO_OPERATION_LEAKY_RELU, 1, o_leaky, 0, 0, 0},
    {MOHO_OPERATION_SIGMOID, 1, o_sigmoid, 2.5, 0, 0},
    {MOHO_OPERATION_TANH, 1, o_tanh, 1.5, 0, 0},
    {MOHO_OPERATION_SILU, 1, o_silu, 4, 0, 2e-36},
    {MOHO_OPERATION_GELU_TANH, 1, o_gelu_tanh, 4, 0, 1e-7},
    {MOHO_OPERATION_GELU_ERF, 1, o_gelu_erf, 4, 0, 1e-7},
    {MOHO_OPERATION_RELU_BACKWARD, 2, o_relu_back, 0, 0, 0},
    {MOHO_OPERATION_LEAKY_RELU_BACKWARD, 2, o_leaky_back, 0, 0, 0},
    {MOHO_OPERATION_SIGMOID_BACKWARD, 2, o_sigmoid_back, 6, 0, 2e-36},
    {MOHO_OPERATION_TANH_BACKWARD, 2, o_tanh_back, 6, 0, 2e-36},
    {MOHO_OPERATION_SILU_BACKWARD, 2, o_silu_back, 4, 0, 2.5e-7},
    {MOHO_OPERATION_GELU_TANH_BACKWARD, 2, o_gelu_tanh_back, 4, 0, 2.5e-7},
    {MOHO_OPERATION_GELU_ERF_BACKWARD, 2, o_gelu_erf_back, 4, 0, 2.5e-7},
};
enum { N_ALL = sizeof all / sizeof *all };

static const double numbers[MOHO_CALL_SCALARS] = {-0.75, 1.5};
static const double whole_numbers[MOHO_CALL_SCALARS] = {-7, 19};

/* ---- one case ---- */

static double wrap(double x) {
  return (int32_t)(uint32_t)(int64_t)fmod(x, 4294967296.0);
}

static uint32_t word_of(double x) {
  return (uint32_t)(int32_t)x;
}

static double expected_of(const tested *t, moho_dtype dtype, const double *x, const double *s) {
  if (dtype != MOHO_DTYPE_I32) return t->expected(x, s);
  if (t->operation == MOHO_OPERATION_MUL) return (int32_t)(word_of(x[0]) * word_of(x[1]));
  if (t->operation == MOHO_OPERATION_FMA) return (int32_t)(word_of(x[0]) * word_of(x[1]) + word_of(x[2]));
  if (t->operation == MOHO_OPERATION_DIV) return x[1] == 0 ? 0 : wrap(trunc(x[0] / x[1]));
  return wrap(t->expected(x, s));
}

static int is_close(const tested *t, moho_dtype dtype, double got, double exact, double dy) {
  if (isnan(exact)) return isnan(got);
  if (test_is_integer(dtype)) return got == exact;
  double once = test_round(MOHO_DTYPE_F32, exact), nearest = test_round(dtype, once);
  if (got == nearest || (got == 0 && fabs(once) < 0x1p-126 && test_may_flush())) return 1;
  if (t->units == 0 || !isfinite(got)) return 0;
  double allowed = t->units * test_ulp(MOHO_DTYPE_F32, exact) + t->beside * fmax(1, fabs(dy)) +
                   (dtype == MOHO_DTYPE_F32 ? 0 : 0.5001 * test_ulp(dtype, exact));
  return fabs(got - exact) <= allowed;
}

static void check_result(const tested *t, moho_dtype dtype, const test_operand *in, const test_operand *out, const char *what) {
  void *now = test_read_outside_unchanged(out);
  const double *s = test_is_integer(dtype) ? whole_numbers : numbers;
  size_t n = moho_tensor_elements(&out->view);
  for (size_t i = 0; i < n; i++) {
    double x[3] = {0}, rounded[4];
    for (int k = 0; k < 4; k++) rounded[k] = test_is_integer(dtype) ? s[k] : (double)(float)s[k];
    for (int k = 0; k < t->inputs; k++) x[k] = test_at(&in[k], i);
    double exact = expected_of(t, dtype, x, rounded), got = test_get(dtype, now, test_place(&out->view, i));
    if (!is_close(t, dtype, got, exact, x[1]))
      fail_msg("%s %s %s of %zu: element %zu of %g, %g, %g is %.9g, expected %.9g", moho_operation_name(t->operation),
               moho_dtype_name(dtype), what, n, i, x[0], x[1], x[2], got, exact);
  }
  free(now);
}

static moho_tensor_call call_of(const tested *t, moho_dtype dtype, test_operand *in, test_operand *out) {
  moho_tensor_call call = {.operation = t->operation, .output = &out->view};
  for (int k = 0; k < t->inputs; k++) call.inputs[k] = &in[k].view;
  memcpy(call.scalars, test_is_integer(dtype) ? whole_numbers : numbers, sizeof call.scalars);
  return call;
}

/* Integers divided by zero: told, and 0. */
static int divides_by_zero(const tested *t, moho_dtype dtype, const moho_tensor_call *call, const test_operand *in) {
  if (t->operation != MOHO_OPERATION_DIV || dtype != MOHO_DTYPE_I32) return 0;
  if (!call->inputs[1]) return call->scalars[0] == 0;
  for (size_t i = 0; i < moho_tensor_elements(&in[1].view); i++)
    if (test_at(&in[1], i) == 0) return 1;
  return 0;
}

static void run_on(moho_queue *on, const moho_tensor_call *call, int by_zero) {
  if (by_zero && !on) assert_fails(test_run(on, call), MOHO_ERROR_RANGE, "div: an i32 divisor is 0");
  else assert_ok(test_run(on, call));
}

static void check_case(const tested *t, moho_dtype dtype, test_pattern pattern, size_t n, moho_queue *on) {
  test_operand in[3], out = test_operand_make(dtype, pattern, n, 1, test_draw_any);
  for (int k = 0; k < t->inputs; k++) /* operands of different patterns: what is repeated meets what is not */
    in[k] = test_operand_make(dtype, pattern, n, pattern == TEST_REPEATED && k == 0, test_draw_any);
  moho_tensor_call call = call_of(t, dtype, in, &out);
  run_on(on, &call, divides_by_zero(t, dtype, &call, in));
  check_result(t, dtype, in, &out, test_pattern_name(pattern));
  for (int k = 0; k < t->inputs; k++) test_operand_free(&in[k]);
  test_operand_free(&out);
}

static const size_t sizes[] = {0, 1, 31, 32, 33, 255, 257};
static const moho_dtype dtypes[] = {MOHO_DTYPE_F32, MOHO_DTYPE_F16, MOHO_DTYPE_BF16, MOHO_DTYPE_I32};

/* Where each case is a kernel to compile, f32 and by turns one dtype more. */
static int is_left_out(int operation, int dtype) {
  return !test_on_cpu() && dtype && (operation + (int)(test_random % 3)) % 3 + 1 != dtype;
}

static void every_operation(void **state) {
  (void)state;
  for (int o = 0; o < N_ALL; o++)
    for (int d = 0; d < 4; d++) {
      if ((dtypes[d] == MOHO_DTYPE_I32 && !all[o].of_ints) || is_left_out(o, d)) continue;
      for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int p = 0; p < TEST_PATTERNS; p++)
          check_case(&all[o], dtypes[d], (test_pattern)p, sizes[k], k % 2 ? test_queue : NULL);
    }
}

/* All threads, blocks and the way past the caches. */
static void large(void **state) {
  (void)state;
  static const int some[] = {0, 3, 7, 12, 21, 25};
  for (size_t i = 0; i < sizeof some / sizeof *some; i++)
    check_case(&all[some[i]], MOHO_DTYPE_F32, TEST_CONTIGUOUS, 1000003, NULL);
  check_case(&all[0], MOHO_DTYPE_F16, TEST_OFFSET, 1000003, NULL);
  check_case(&all[0], MOHO_DTYPE_I32, TEST_STEPS, 1000003, test_queue);
  if (test_on_cpu()) check_case(&all[2], MOHO_DTYPE_F32, TEST_CONTIGUOUS, 4500003, NULL); /* more than 16 MiB: streamed */
  if (test_on_cpu()) check_case(&all[7], MOHO_DTYPE_F32, TEST_OFFSET, 4500003, NULL);
  if (test_on_cpu()) check_case(&all[0], MOHO_DTYPE_F16, TEST_CONTIGUOUS, 8400003, NULL);
  if (test_on_cpu()) check_case(&all[14], MOHO_DTYPE_BF16, TEST_CONTIGUOUS, 8400003, NULL);
}

/* ---- the same view in and out, numbers for operands, shapes that broadcast ---- */

/* The output is the very view of each input in turn. */
static void every_operation_in_place(void **state) {
  (void)state;
  for (int o = 0; o < N_ALL; o++)
    for (int d = 0; d < 4; d++)
      for (int k = 0; k < all[o].inputs; k++) {
        test_pattern pattern = (test_pattern)((o + d + k) % TEST_REPEATED);
        if ((dtypes[d] == MOHO_DTYPE_I32 && !all[o].of_ints) || (!test_on_cpu() && (d || pattern != TEST_CONTIGUOUS))) continue;
        test_operand in[3];
        for (int i = 0; i < all[o].inputs; i++) in[i] = test_operand_make(dtypes[d], pattern, 257, 1, test_draw_any);
        moho_tensor_call call = call_of(&all[o], dtypes[d], in, &in[k]);
        run_on(d % 2 ? test_queue : NULL, &call, divides_by_zero(&all[o], dtypes[d], &call, in));
        check_result(&all[o], dtypes[d], in, &in[k], "in place");
        for (int i = 0; i < all[o].inputs; i++) test_operand_free(&in[i]);
      }
}

static double o_swapped(const tested *t, const double *x, const double *s, int number_first, moho_dtype dtype) {
  const double turned[2] = {number_first ? s[0] : x[0], number_first ? x[0] : s[0]};
  return expected_of(t, dtype, turned, s);
}

/* One of two operands is a number, on either side, of every dtype. */
static void numbers_for_operands(void **state) {
  (void)state;
  for (int o = 0; all[o].operation <= MOHO_OPERATION_MAX; o++)
    for (int d = 0; d < 4; d++)
      for (int first = 0; first < 2; first++) {
        if (is_left_out(o, d) || (!test_on_cpu() && first != o % 2)) continue;
        double s = test_is_integer(dtypes[d]) ? -7 : -0.75;
        test_operand x = test_operand_make(dtypes[d], TEST_OFFSET, 33, 0, test_draw_any),
                     out = test_operand_make(dtypes[d], TEST_CONTIGUOUS, 33, 1, test_draw_any);
        moho_tensor_call call = {.operation = all[o].operation, .output = &out.view, .scalars = {s}};
        call.inputs[first] = &x.view;
        int by_zero = 0;
        for (size_t i = 0; i < 33; i++) by_zero |= first && test_at(&x, i) == 0;
        run_on(NULL, &call, by_zero && all[o].operation == MOHO_OPERATION_DIV && test_is_integer(dtypes[d]));
        void *now = test_read_outside_unchanged(&out);
        for (size_t i = 0; i < 33; i++) {
          double at = test_at(&x, i), exact = o_swapped(&all[o], &at, &s, first, dtypes[d]), got = test_get(dtypes[d], now, i);
          if (!is_close(&all[o], dtypes[d], got, exact, 0))
            fail_msg("%s %s with a number %s: of %g is %g, expected %g", moho_operation_name(all[o].operation),
                     moho_dtype_name(dtypes[d]), first ? "first" : "last", at, got, exact);
        }
        free(now);
        test_operand_free(&x);
        test_operand_free(&out);
      }
}

/* [5, 1, 7] - [3, 1] into [5, 3, 7]: axes of 1 and those that are missing are repeated without being asked. */
static void shapes_broadcast_by_themselves(void **state) {
  (void)state;
  for (int d = 0; d < 4; d++) {
    test_operand a = test_operand_make(dtypes[d], TEST_CONTIGUOUS, 35, 0, test_draw_any),
                 b = test_operand_make(dtypes[d], TEST_CONTIGUOUS, 3, 0, test_draw_any),
                 out = test_operand_make(dtypes[d], TEST_CONTIGUOUS, 105, 1, test_draw_any);
    moho_tensor x, y, z;
    assert_ok(moho_tensor_reshape(&a.view, 3, (size_t[]){5, 1, 7}, &x));
    assert_ok(moho_tensor_reshape(&b.view, 2, (size_t[]){3, 1}, &y));
    assert_ok(moho_tensor_reshape(&out.view, 3, (size_t[]){5, 3, 7}, &z));
    assert_ok(moho_tensor_binary(NULL, MOHO_OPERATION_SUB, &x, &y, &z));
    void *now = test_read_outside_unchanged(&out);
    for (size_t i = 0; i < 105; i++) {
      double at[2] = {test_at(&a, i / 21 * 7 + i % 7), test_at(&b, i / 7 % 3)}, got = test_get(dtypes[d], now, i);
      double exact = expected_of(&all[1], dtypes[d], at, NULL);
      if (!is_close(&all[1], dtypes[d], got, exact, 0)) fail_msg("element %zu is %g, expected %g", i, got, exact);
    }
    free(now);
    assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_SUB, &x, &y, &x), MOHO_ERROR_SHAPE, "sub: operand b: [3, 1]");
    test_operand_free(&a), test_operand_free(&b), test_operand_free(&out);
  }
}

/* copy and fill of the dtypes that nothing is computed in. */
static void bytes_are_copied_and_filled(void **state) {
  (void)state;
  static const tested moved[] = {{MOHO_OPERATION_COPY, 1, o_copy, 0, 1, 0}, {MOHO_OPERATION_FILL, 0, o_fill, 0, 1, 0}};
  for (moho_dtype dtype = MOHO_DTYPE_I8; dtype <= MOHO_DTYPE_U8; dtype++)
    for (int m = 0; m < 2; m++)
      for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int p = 0; p < TEST_PATTERNS; p++) {
          if (!test_on_cpu() && k < 5) continue;
          test_operand in = test_operand_make(dtype, (test_pattern)p, sizes[k], p == TEST_REPEATED, test_draw_any),
                       out = test_operand_make(dtype, (test_pattern)p, sizes[k], 1, test_draw_any);
          moho_tensor_call call = {.operation = moved[m].operation, .inputs = {m ? NULL : &in.view}, .output = &out.view};
          call.scalars[0] = 19;
          assert_ok(moho_tensor_run(NULL, &call));
          void *now = test_read_outside_unchanged(&out);
          for (size_t i = 0; i < moho_tensor_elements(&out.view); i++)
            assert_true(test_get(dtype, now, test_place(&out.view, i)) == (m ? 19 : test_at(&in, i)));
          free(now);
          test_operand_free(&in), test_operand_free(&out);
        }
}

/* ---- numbers ---- */

static moho_tensor of_floats(size_t n, const float *data) {
  moho_tensor t;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, &n, (void *)(uintptr_t)data, MOHO_HOST_COPY, &t));
  return t;
}

static void assert_floats(const moho_tensor *t, const float *expected, size_t n) {
  float got[64];
  assert_int_equal(moho_tensor_elements(t), n);
  assert_ok(moho_tensor_read(t, got));
  for (size_t i = 0; i < n; i++)
    if (!(got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i]))))
      fail_msg("element %zu is %g, expected %g", i, (double)got[i], (double)expected[i]);
}

static void scalars_and_in_place(void **state) {
  (void)state;
  moho_tensor x = of_floats(5, (const float[]){1, 2, -3, 4, 0.5f});
  assert_ok(moho_tensor_scalar(NULL, MOHO_OPERATION_MUL, &x, 2, &x));
  assert_floats(&x, (const float[]){2, 4, -6, 8, 1}, 5);
  moho_tensor_call from_ten = {.operation = MOHO_OPERATION_SUB, .inputs = {NULL, &x}, .output = &x, .scalars = {10}};
  assert_ok(moho_tensor_run(NULL, &from_ten));
  assert_floats(&x, (const float[]){8, 6, 16, 2, 9}, 5);
  assert_ok(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &x, &x, &x));
  assert_floats(&x, (const float[]){16, 12, 32, 4, 18}, 5);
  assert_ok(moho_tensor_fill(NULL, &x, -1));
  assert_floats(&x, (const float[]){-1, -1, -1, -1, -1}, 5);
  assert_ok(moho_tensor_destroy(&x));
}

static void special_numbers(void **state) {
  (void)state;
  const float inf = INFINITY, nan = NAN;
  moho_tensor a = of_floats(6, (const float[]){nan, 1, nan, inf, -inf, -0.0f});
  moho_tensor b = of_floats(6, (const float[]){2, nan, nan, 1, 1, 0}), out = of_floats(6, (const float[6]){0});
  assert_ok(moho_tensor_binary(NULL, MOHO_OPERATION_MIN, &a, &b, &out));
  assert_floats(&out, (const float[]){2, 1, nan, 1, -inf, 0}, 6);
  assert_ok(moho_tensor_binary(NULL, MOHO_OPERATION_MAX, &a, &b, &out));
  assert_floats(&out, (const float[]){2, 1, nan, inf, 1, 0}, 6);
  static const struct {
    moho_operation operation;
    float expected[6];
  } ends[] = {{MOHO_OPERATION_RELU, {NAN, 1, NAN, INFINITY, 0, 0}},
              {MOHO_OPERATION_EXP, {NAN, 2.71828175f, NAN, INFINITY, 0, 1}},
              {MOHO_OPERATION_LOG, {NAN, 0, NAN, INFINITY, NAN, -INFINITY}},
              {MOHO_OPERATION_SIGMOID, {NAN, 0.731058598f, NAN, 1, 0, 0.5f}},
              {MOHO_OPERATION_TANH, {NAN, 0.761594176f, NAN, 1, -1, 0}},
              {MOHO_OPERATION_SILU, {NAN, 0.731058598f, NAN, INFINITY, 0, 0}},
              {MOHO_OPERATION_GELU_TANH, {NAN, 0.841192007f, NAN, INFINITY, 0, 0}},
              {MOHO_OPERATION_GELU_ERF, {NAN, 0.841344774f, NAN, INFINITY, 0, 0}}};
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    float got[6];
    assert_ok(moho_tensor_unary(NULL, ends[i].operation, &a, &out));
    assert_ok(moho_tensor_read(&out, got));
    for (int k = 0; k < 6; k++)
      if (!(isnan(ends[i].expected[k]) ? isnan(got[k])
                                       : fabsf(got[k] - ends[i].expected[k]) <= 2e-7f || got[k] == ends[i].expected[k]))
        fail_msg("%s: element %d is %.9g, expected %.9g", moho_operation_name(ends[i].operation), k, (double)got[k],
                 (double)ends[i].expected[k]);
  }
  moho_tensor_destroy(&a);
  moho_tensor_destroy(&b);
  moho_tensor_destroy(&out);
}

/* ---- integers ---- */

static void division_of_integers(void **state) {
  (void)state;
  const int32_t a[] = {7, -7, 7, INT32_MIN, 5, 0}, b[] = {2, 2, -2, -1, 0, 3}, expected[] = {3, -3, -3, INT32_MIN, 0, 0};
  int32_t got[6];
  moho_tensor x, y, z;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_I32, 1, (size_t[]){6}, (void *)(uintptr_t)a, MOHO_HOST_COPY, &x));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_I32, 1, (size_t[]){6}, (void *)(uintptr_t)b, MOHO_HOST_COPY, &y));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 1, (size_t[]){6}, &z));
  assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_DIV, &x, &y, &z), MOHO_ERROR_RANGE, "div: an i32 divisor is 0");
  assert_ok(moho_tensor_read(&z, got));
  assert_memory_equal(got, expected, sizeof got);
  moho_tensor_call call = {.operation = MOHO_OPERATION_DIV, .inputs = {&x, &y}, .output = &z};
  moho_prepared *prepared;
  moho_ticket ticket;
  assert_ok(moho_tensor_prepare(&call, &prepared));
  for (int round = 0; round < 2; round++) { /* the second time all divisors are good */
    assert_ok(moho_prepared_run(prepared, test_queue));
    assert_ok(moho_queue_submit(test_queue, &ticket));
    assert_ok(moho_queue_wait(test_queue, ticket, -1));
    if (round) assert_ok(moho_tensor_fault(prepared));
    else assert_fails(moho_tensor_fault(prepared), MOHO_ERROR_RANGE, "divisor is 0");
    assert_ok(moho_tensor_fill(NULL, &y, 3));
  }
  assert_ok(moho_prepared_destroy(&prepared));
  moho_tensor_destroy(&x);
  moho_tensor_destroy(&y);
  moho_tensor_destroy(&z);
}

/* ---- conversions ---- */

static double draw_for_conversion(moho_dtype dtype) {
  double x = test_draw_any(dtype), kind = test_uniform(&test_random);
  if (test_is_integer(dtype)) return x;
  return kind < 0.1 ? (double)NAN : kind < 0.2 ? (kind < 0.15 ? (double)INFINITY : -(double)INFINITY) : kind < 0.4 ? 1e9 * x : x;
}

/* To integers: toward zero, saturating, NaN 0. To floats: rounded once. */
static double converted(moho_dtype to, double x) {
  return test_round(to, test_is_integer(to) && isfinite(x) ? trunc(x) : x);
}

static void check_conversion(moho_dtype from, moho_dtype to, test_pattern pattern, size_t n) {
  test_operand in = test_operand_make(from, pattern, n, 0, draw_for_conversion),
               out = test_operand_make(to, pattern, n, 1, test_draw_any);
  assert_ok(moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &in.view, &out.view));
  void *now = test_read_outside_unchanged(&out);
  for (size_t i = 0; i < moho_tensor_elements(&out.view); i++) {
    double expected = converted(to, test_at(&in, i)), got = test_get(to, now, test_place(&out.view, i));
    if (!(got == expected || (isnan(got) && isnan(expected))))
      fail_msg("convert %s to %s, %s: element %zu, %.12g, is %.12g, expected %.12g", moho_dtype_name(from), moho_dtype_name(to),
               test_pattern_name(pattern), i, test_at(&in, i), got, expected);
  }
  free(now);
  test_operand_free(&in);
  test_operand_free(&out);
}

static void conversions(void **state) {
  (void)state;
  for (int from = 0; from <= MOHO_DTYPE_U8; from++)
    for (int to = 0; to <= MOHO_DTYPE_U8; to++)
      for (int p = 0; p < TEST_PATTERNS; p++)
        if (test_on_cpu() || p == (from + to) % TEST_PATTERNS)
          check_conversion((moho_dtype)from, (moho_dtype)to, (test_pattern)p, 257);
}

/* ---- what is refused ---- */

static void wrong_calls(void **state) {
  (void)state;
  moho_tensor a, b, half, out, part;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 6}, &a));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 5}, &b));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F16, 2, (size_t[]){4, 6}, &half));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 6}, &out));
  assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &a, &b, &out), MOHO_ERROR_SHAPE,
               "add: operand b: [4, 5], expected [4, 6]");
  assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &a, &half, &out), MOHO_ERROR_NOT_AVAILABLE,
               "add: operand b is f16, expected f32");
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_RELU, &a, &half), MOHO_ERROR_NOT_AVAILABLE,
               "relu: operand out is f16, expected f32");
  assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &a, NULL, &out), MOHO_ERROR_ARGUMENT, "operand b is missing");
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_EXP, NULL, &out), MOHO_ERROR_ARGUMENT, "exp: operand x is missing");
  assert_ok(moho_tensor_slice(&a, 0, 0, 2, 1, &part));
  moho_tensor shifted;
  assert_ok(moho_tensor_slice(&a, 0, 1, 3, 1, &shifted));
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_RELU, &part, &shifted), MOHO_ERROR_ARGUMENT,
               "relu: out overlaps operand x");
  moho_tensor row, rows;
  assert_ok(moho_tensor_slice(&a, 0, 0, 1, 1, &row));
  assert_ok(moho_tensor_broadcast(&row, 2, (size_t[]){4, 6}, &rows));
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_RELU, &b, &rows), MOHO_ERROR_ARGUMENT, "repeats its elements along axis 0");
  assert_fails(moho_tensor_supports(test_device, MOHO_OPERATION_SQRT, MOHO_DTYPE_I32, MOHO_DTYPE_I32), MOHO_ERROR_NOT_AVAILABLE,
               "sqrt: operand x is i32, expected f32, f16 or bf16");
  assert_ok(moho_tensor_supports(test_device, MOHO_OPERATION_ADD, MOHO_DTYPE_I32, MOHO_DTYPE_I32));
  moho_operation found;
  assert_fails(moho_operation_find("gelu_er", &found), MOHO_ERROR_NOT_FOUND, "no tensor operation");
  assert_string_equal(moho_last_error()->hint, "did you mean \"gelu_erf\"?");
  moho_tensor *const made[] = {&a, &b, &half, &out};
  for (int i = 0; i < 4; i++) assert_ok(moho_tensor_destroy(made[i]));
}

static int inputs_of(moho_operation operation) {
  if (operation == MOHO_OPERATION_FILL) return 0;
  if (operation == MOHO_OPERATION_FMA) return 3;
  int is_back_or_loss = operation >= MOHO_OPERATION_RELU_BACKWARD && operation <= MOHO_OPERATION_BINARY_CROSS_ENTROPY;
  return operation <= MOHO_OPERATION_MAX || is_back_or_loss ? 2 : 1;
}

/* What the table says of every operation and pair of dtypes is what happens, on every device. */
static void what_is_supported_runs(void **state) {
  (void)state;
  for (int o = 0; o < MOHO_OPERATION_COUNT; o++)
    for (int from = 0; from < MOHO_DTYPE_COUNT; from++)
      for (int to = 0; to < MOHO_DTYPE_COUNT; to++) {
        moho_operation operation = (moho_operation)o;
        if (!test_on_cpu() && (3 * o + 5 * from + to) % 12 != (int)(test_random % 12))
          continue; /* each may be a kernel to compile */
        moho_tensor x, classes, out, *made[] = {&x, &classes, &out};
        int reduces = operation >= MOHO_OPERATION_SUM && operation <= MOHO_OPERATION_ARGMAX;
        int is_loss = operation == MOHO_OPERATION_CROSS_ENTROPY;
        assert_ok(moho_tensor_create(test_device, (moho_dtype)from, 2, (size_t[]){3, 4}, &x));
        assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 1, (size_t[]){3}, &classes));
        assert_ok(moho_tensor_create(test_device, (moho_dtype)to, reduces || is_loss ? 1 : 2, (size_t[]){3, 4}, &out));
        if (from != MOHO_DTYPE_TERNARY) assert_ok(moho_tensor_fill(NULL, &x, 1));
        assert_ok(moho_tensor_fill(NULL, &classes, 2));
        moho_status said = moho_tensor_supports(test_device, operation, x.dtype, out.dtype);
        moho_tensor_call call = {.operation = operation, .output = &out, .axis = 1, .scalars = {0.5, 1}, .loss = MOHO_LOSS_NONE};
        for (int i = 0; i < inputs_of(operation); i++) call.inputs[i] = &x;
        if (is_loss) call.inputs[1] = &classes;
        moho_status ran = moho_tensor_run(NULL, &call);
        if (said != ran || (said && said != MOHO_ERROR_NOT_AVAILABLE))
          fail_msg("%s from %s to %s: supports() says %d, a run %d: %s", moho_operation_name(operation), moho_dtype_name(x.dtype),
                   moho_dtype_name(out.dtype), said, ran, moho_last_error()->message);
        for (int i = 0; i < 3; i++) assert_ok(moho_tensor_destroy(made[i]));
      }
}

/* Any overlap but the very same view is refused, by every operation, of every operand. */
static void overlap_is_refused(void **state) {
  (void)state;
  moho_tensor base, other, head, tail;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){40}, &base));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){33}, &other));
  assert_ok(moho_tensor_slice(&base, 0, 0, 33, 1, &head));
  assert_ok(moho_tensor_slice(&base, 0, 1, 34, 1, &tail));
  for (int o = 0; o < N_ALL; o++)
    for (int k = 0; k < all[o].inputs; k++) {
      moho_tensor_call call = {.operation = all[o].operation, .output = &tail};
      for (int i = 0; i < all[o].inputs; i++) call.inputs[i] = i == k ? &head : &other;
      assert_fails(moho_tensor_run(NULL, &call), MOHO_ERROR_ARGUMENT, "out overlaps operand ");
    }
  assert_ok(moho_tensor_destroy(&base));
  assert_ok(moho_tensor_destroy(&other));
}

/* Ternary tensors are for ternary products: every operation refuses them, by the operand's name and theirs. */
static void ternary_is_refused_by_name(void **state) {
  (void)state;
  moho_tensor ternary, out;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_TERNARY, 1, (size_t[]){8}, &ternary));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){8}, &out));
  for (int i = 0; i < MOHO_OPERATION_COUNT; i++) {
    moho_operation operation = (moho_operation)i;
    char words[80];
    snprintf(words, sizeof words, "%s: operand ", moho_operation_name(operation));
    assert_fails(moho_tensor_supports(test_device, operation, MOHO_DTYPE_TERNARY, MOHO_DTYPE_TERNARY), MOHO_ERROR_NOT_AVAILABLE,
                 words);
    assert_non_null(strstr(moho_last_error()->message, "is ternary, expected "));
  }
  assert_fails(moho_tensor_binary(NULL, MOHO_OPERATION_ADD, &ternary, &ternary, &ternary), MOHO_ERROR_NOT_AVAILABLE,
               "add: operand a is ternary, expected f32, f16, bf16 or i32");
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &ternary, &out), MOHO_ERROR_NOT_AVAILABLE, "operand x is ternary");
  assert_fails(moho_tensor_unary(NULL, MOHO_OPERATION_CONVERT, &out, &ternary), MOHO_ERROR_NOT_AVAILABLE,
               "operand out is ternary");
  assert_ok(moho_tensor_destroy(&ternary));
  assert_ok(moho_tensor_destroy(&out));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(ternary_is_refused_by_name),
      cmocka_unit_test(every_operation),
      cmocka_unit_test(large),
      cmocka_unit_test(every_operation_in_place),
      cmocka_unit_test(numbers_for_operands),
      cmocka_unit_test(shapes_broadcast_by_themselves),
      cmocka_unit_test(bytes_are_copied_and_filled),
      cmocka_unit_test(scalars_and_in_place),
      cmocka_unit_test(special_numbers),
      cmocka_unit_test(conversions),
      cmocka_unit_test(division_of_integers),
      cmocka_unit_test(what_is_supported_runs),
      cmocka_unit_test(overlap_is_refused),
      cmocka_unit_test(wrong_calls),
  };
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
