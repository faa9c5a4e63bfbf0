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

/* What is exact, or rounded once by IEEE's rules, has 0 units of error. */
typedef struct tested {
  moho_operation operation;
  int inputs;
  oracle expected;
  double units; /* of the last place of f32, before it is rounded to the dtype */
  int of_ints;
} tested;

static const tested all[] = {
    {MOHO_OPERATION_ADD, 2, o_add, 0, 1},   {MOHO_OPERATION_SUB, 2, o_sub, 0, 1},   {MOHO_OPERATION_MUL, 2, o_mul, 0, 1},
    {MOHO_OPERATION_DIV, 2, o_div, 0, 0},   {MOHO_OPERATION_MIN, 2, o_min, 0, 1},   {MOHO_OPERATION_MAX, 2, o_max, 0, 1},
    {MOHO_OPERATION_FMA, 3, o_fma, 0, 0},   {MOHO_OPERATION_COPY, 1, o_copy, 0, 1}, {MOHO_OPERATION_FILL, 0, o_fill, 0, 1},
    {MOHO_OPERATION_ABS, 1, o_abs, 0, 1},   {MOHO_OPERATION_NEG, 1, o_neg, 0, 1},   {MOHO_OPERATION_SQRT, 1, o_sqrt, 0, 0},
    {MOHO_OPERATION_CLIP, 1, o_clip, 0, 1}, {MOHO_OPERATION_RELU, 1, o_relu, 0, 1}, {MOHO_OPERATION_LEAKY_RELU, 1, o_leaky, 0, 0},
};
enum { N_ALL = sizeof all / sizeof *all };

static const double numbers[MOHO_CALL_SCALARS] = {-0.75, 1.5};
static const double whole_numbers[MOHO_CALL_SCALARS] = {-7, 19};

/* ---- one case ---- */

static double wrap(double x) {
  return (int32_t)(uint32_t)(int64_t)fmod(x, 4294967296.0);
}

static double expected_of(const tested *t, moho_dtype dtype, const double *x, const double *s) {
  double exact = t->expected(x, s);
  if (dtype == MOHO_DTYPE_I32)
    return wrap(t->operation == MOHO_OPERATION_MUL ? (double)(int32_t)((uint32_t)(int32_t)x[0] * (uint32_t)(int32_t)x[1])
                                                   : exact);
  return exact;
}

static int is_close(moho_dtype dtype, double got, double exact, double units) {
  if (isnan(exact)) return isnan(got);
  if (test_is_integer(dtype)) return got == exact;
  double once = test_round(MOHO_DTYPE_F32, exact), nearest = test_round(dtype, once);
  if (got == nearest) return 1;
  if (units == 0 || !isfinite(got)) return 0;
  double allowed = units * test_ulp(MOHO_DTYPE_F32, exact) + (dtype == MOHO_DTYPE_F32 ? 0 : 0.5001 * test_ulp(dtype, exact));
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
    if (!is_close(dtype, got, exact, t->units))
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

static void check_case(const tested *t, moho_dtype dtype, test_pattern pattern, size_t n, moho_queue *queue) {
  test_operand in[3], out = test_operand_make(dtype, pattern, n, 1, test_draw_any);
  for (int k = 0; k < t->inputs; k++) /* operands of different patterns: what is repeated meets what is not */
    in[k] = test_operand_make(dtype, pattern, n, pattern == TEST_REPEATED && k == 0, test_draw_any);
  moho_tensor_call call = call_of(t, dtype, in, &out);
  moho_ticket ticket;
  assert_ok(moho_tensor_run(queue, &call));
  if (queue) assert_ok(moho_queue_submit(queue, &ticket));
  if (queue) assert_ok(moho_queue_wait(queue, ticket, -1));
  check_result(t, dtype, in, &out, test_pattern_name(pattern));
  for (int k = 0; k < t->inputs; k++) test_operand_free(&in[k]);
  test_operand_free(&out);
}

static const size_t sizes[] = {0, 1, 31, 32, 33, 255, 257};
static const moho_dtype dtypes[] = {MOHO_DTYPE_F32, MOHO_DTYPE_F16, MOHO_DTYPE_BF16, MOHO_DTYPE_I32};

static void every_operation(void **state) {
  (void)state;
  moho_queue *queue;
  assert_ok(moho_queue_create(test_device, &queue));
  for (int o = 0; o < N_ALL; o++)
    for (int d = 0; d < 4; d++) {
      if (dtypes[d] == MOHO_DTYPE_I32 && !all[o].of_ints) continue;
      for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        for (int p = 0; p < TEST_PATTERNS; p++) check_case(&all[o], dtypes[d], (test_pattern)p, sizes[k], k % 2 ? queue : NULL);
    }
  assert_ok(moho_queue_destroy(&queue));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_operation)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
