/* test_reduce.c - reductions against double and integer sums, and to the bit against the tree as docs/tensor.md states it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor_support.h"

/* ---- oracles ---- */

static float join(moho_operation operation, float a, float b) {
  switch (operation) {
  case MOHO_OPERATION_PROD: return a * b;
  case MOHO_OPERATION_REDUCE_MIN: return isnan(a) || isnan(b) ? NAN : a < b ? a : b;
  case MOHO_OPERATION_REDUCE_MAX: return isnan(a) || isnan(b) ? NAN : a > b ? a : b;
  default: return a + b;
  }
}

static float begin_with(moho_operation operation) {
  return operation == MOHO_OPERATION_PROD         ? 1
         : operation == MOHO_OPERATION_REDUCE_MIN ? INFINITY
         : operation == MOHO_OPERATION_REDUCE_MAX ? -INFINITY
                                                  : 0;
}

/* Blocks of 1024: leaf l of 64 takes l, l + 64, ...; leaves are halved; the blocks' results are a row again. */
static float tree(moho_operation operation, const float *x, size_t n) {
  size_t blocks = (n + 1023) / 1024;
  float *results = malloc(blocks * sizeof *results), last;
  for (size_t b = 0; b < blocks; b++) {
    float leaf[64];
    for (size_t l = 0; l < 64; l++) {
      leaf[l] = begin_with(operation);
      for (size_t i = b * 1024 + l; i < n && i < (b + 1) * 1024; i += 64) leaf[l] = join(operation, leaf[l], x[i]);
    }
    for (size_t half = 32; half; half /= 2)
      for (size_t l = 0; l < half; l++) leaf[l] = join(operation, leaf[l], leaf[l + half]);
    results[b] = leaf[0];
  }
  last = blocks == 1 ? results[0] : tree(operation, results, blocks);
  free(results);
  return last;
}

/* n numbers of a row, exactly; *bound: how far the sum in the tree may be from it. */
static double exactly(moho_operation operation, const double *x, size_t n, double *bound) {
  double sum = 0, size = 0, product = 1, least = INFINITY, most = -INFINITY;
  size_t place = 0;
  int nan_seen = 0;
  for (size_t i = 0; i < n; i++) {
    sum += x[i];
    size += fabs(x[i]);
    product *= x[i];
    if (!nan_seen && (x[i] > x[place] || isnan(x[i]))) place = i;
    nan_seen |= isnan(x[i]);
    least = fmin(least, x[i]);
    most = fmax(most, x[i]);
  }
  *bound = 0;
  if (operation == MOHO_OPERATION_ARGMAX) return (double)place;
  if (nan_seen) return (double)NAN;
  if (operation == MOHO_OPERATION_REDUCE_MIN) return least;
  if (operation == MOHO_OPERATION_REDUCE_MAX) return most;
  if (operation == MOHO_OPERATION_PROD) return *bound = fabs(product) * (double)n * 0x1p-23, product;
  *bound = 50 * 0x1p-24 * size; /* 22 additions a level */
  if (operation == MOHO_OPERATION_SUM) return sum;
  *bound = *bound / (double)n + fabs(sum / (double)n) * 0x1p-23;
  return sum / (double)n;
}

static double exactly_int(moho_operation operation, const double *x, size_t n) {
  uint32_t sum = 0, product = 1;
  for (size_t i = 0; i < n; i++) {
    sum += (uint32_t)(int32_t)x[i];
    product *= (uint32_t)(int32_t)x[i];
  }
  double bound, other = exactly(operation, x, n, &bound);
  return operation == MOHO_OPERATION_SUM ? (int32_t)sum : operation == MOHO_OPERATION_PROD ? (int32_t)product : other;
}

/* ---- one case ---- */

static double draw_for(moho_dtype dtype) {
  double kind = test_uniform(&test_random);
  if (test_is_integer(dtype)) return test_draw_any(dtype);
  return kind < 0.0005 ? (double)NAN : test_normal(&test_random) * (kind < 0.5 ? 1 : 0.01) + 0.1;
}

static double draw_near_one(moho_dtype dtype) {
  return test_is_integer(dtype) ? test_draw_any(dtype) : 1 + 0.01 * test_normal(&test_random);
}

/* One row of the input, as numbers: element i of axis `axis` at the place of output element `row`. */
static void row_of(const test_operand *in, int axis, size_t row, size_t n, double *x) {
  const moho_tensor *view = &in->view;
  for (size_t i = 0; i < n; i++) {
    size_t rest = row, linear = 0, unit = 1;
    for (int k = view->rank; k-- > 0; unit *= view->shape[k]) {
      size_t place = axis == MOHO_ALL_AXES ? 0 : k == axis ? i : rest % view->shape[k];
      if (axis != MOHO_ALL_AXES && k != axis) rest /= view->shape[k];
      linear += place * unit;
    }
    x[i] = test_at(in, axis == MOHO_ALL_AXES ? i : linear);
  }
}

static void check_row(moho_operation operation, moho_dtype dtype, const double *x, size_t n, double got, const char *what) {
  double bound = 0, exact = test_is_integer(dtype) ? exactly_int(operation, x, n) : exactly(operation, x, n, &bound);
  if (isnan(exact) ? isnan(got) : got == exact) return;
  if (!test_is_integer(dtype) && operation != MOHO_OPERATION_ARGMAX && !isnan(exact)) {
    float *as_float = malloc(n * sizeof *as_float);
    for (size_t i = 0; i < n; i++) as_float[i] = (float)x[i];
    float once = tree(operation, as_float, n);
    if (operation == MOHO_OPERATION_MEAN) once /= (float)n;
    free(as_float);
    if (got != test_round(dtype, (double)once))
      fail_msg("%s %s %s of %zu is %.9g, expected %.9g to the bit", moho_operation_name(operation), moho_dtype_name(dtype), what,
               n, got, (double)once);
    if (fabs((double)once - exact) <= bound) return;
  }
  fail_msg("%s %s %s of %zu is %.9g, expected %.9g", moho_operation_name(operation), moho_dtype_name(dtype), what, n, got, exact);
}

static void check_case(moho_operation operation, moho_dtype dtype, test_pattern pattern, size_t n, int axis, moho_queue *on) {
  test_operand in = test_operand_make(dtype, pattern, n, 0, operation == MOHO_OPERATION_PROD ? draw_near_one : draw_for);
  size_t shape[MOHO_TENSOR_RANK], rank = 0, length = axis == MOHO_ALL_AXES ? moho_tensor_elements(&in.view) : in.view.shape[axis];
  for (int i = 0; axis != MOHO_ALL_AXES && i < in.view.rank; i++)
    if (i != axis) shape[rank++] = in.view.shape[i];
  moho_dtype kind = operation == MOHO_OPERATION_ARGMAX ? MOHO_DTYPE_I32 : dtype;
  moho_tensor out;
  assert_ok(moho_tensor_create(test_device, kind, (int)rank, shape, &out));
  size_t rows = moho_tensor_elements(&out);
  moho_tensor_call call = {.operation = operation, .inputs = {&in.view}, .output = &out, .axis = axis};
  moho_status status = test_run(on, &call);
  if (!length && rows && operation >= MOHO_OPERATION_REDUCE_MIN) {
    assert_int_equal(status, MOHO_ERROR_RANGE);
  } else {
    assert_ok(status);
    void *got = malloc((rows + 1) * 4);
    double *x = malloc((length + 1) * sizeof *x);
    assert_ok(moho_tensor_read(&out, got));
    for (size_t r = 0; r < rows; r++) {
      row_of(&in, axis, r, length, x);
      if (!length && operation == MOHO_OPERATION_MEAN) assert_true(isnan(test_get(kind, got, r)));
      else check_row(operation, dtype, x, length, test_get(kind, got, r), test_pattern_name(pattern));
    }
    free(x);
    free(got);
  }
  assert_ok(moho_tensor_destroy(&out));
  test_operand_free(&in);
}

static const moho_operation operations[] = {MOHO_OPERATION_SUM,        MOHO_OPERATION_MEAN,       MOHO_OPERATION_PROD,
                                            MOHO_OPERATION_REDUCE_MIN, MOHO_OPERATION_REDUCE_MAX, MOHO_OPERATION_ARGMAX};
static const moho_dtype dtypes[] = {MOHO_DTYPE_F32, MOHO_DTYPE_F16, MOHO_DTYPE_BF16, MOHO_DTYPE_I32};

static void every_reduction(void **state) {
  static const size_t sizes[] = {0, 1, 31, 32, 33, 255, 257};
  (void)state;
  for (size_t o = 0; o < 6; o++)
    for (size_t d = 0; d < 4; d++) {
      if (operations[o] == MOHO_OPERATION_MEAN && dtypes[d] == MOHO_DTYPE_I32) continue;
      if (!test_on_cpu() && d && (o + d + test_random) % 3) continue; /* where each case is a kernel to compile */
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int p = 0; p < TEST_PATTERNS; p++) {
          int rank = p <= TEST_STEPS ? 1 : p == TEST_INNER ? 3 : 2;
          for (int axis = MOHO_ALL_AXES; axis < rank; axis++)
            check_case(operations[o], dtypes[d], (test_pattern)p, sizes[s], axis, (axis + p) % 3 ? NULL : test_queue);
        }
    }
}

static void long_rows(void **state) {
  (void)state;
  for (size_t o = 0; o < 6; o++) {
    check_case(operations[o], MOHO_DTYPE_F32, TEST_CONTIGUOUS, 3000 + (size_t)(test_random % 97), 0, NULL);
    check_case(operations[o], MOHO_DTYPE_F32, TEST_TRANSPOSED, 2500, 1, NULL);
    if (operations[o] != MOHO_OPERATION_PROD) check_case(operations[o], MOHO_DTYPE_F32, TEST_OFFSET, 1000003, 0, test_queue);
  }
  check_case(MOHO_OPERATION_SUM, MOHO_DTYPE_I32, TEST_STEPS, 1000003, 0, NULL);
  check_case(MOHO_OPERATION_ARGMAX, MOHO_DTYPE_F16, TEST_CONTIGUOUS, 1000003, 0, NULL);
}

/* Many columns, by the way that goes along them. */
static void columns(void **state) {
  (void)state;
  enum { ROWS = 1090, COLUMNS = 1097 }; /* two blocks, and more than a panel */
  static float x[ROWS * COLUMNS], sums[COLUMNS], one[ROWS];
  moho_tensor in, out;
  for (int i = 0; i < ROWS * COLUMNS; i++) x[i] = (float)test_normal(&test_random);
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){ROWS, COLUMNS}, x, MOHO_HOST_COPY, &in));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){COLUMNS}, &out));
  assert_ok(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &in, 0, &out));
  assert_ok(moho_tensor_read(&out, sums));
  for (int c = 0; c < COLUMNS; c++) {
    for (int r = 0; r < ROWS; r++) one[r] = x[r * COLUMNS + c];
    assert_memory_equal(&sums[c], &(float){tree(MOHO_OPERATION_SUM, one, ROWS)}, 4);
  }
  moho_tensor_destroy(&in);
  moho_tensor_destroy(&out);
}

static void wrong_calls(void **state) {
  (void)state;
  moho_tensor x, out;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 6}, &x));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, &out));
  assert_fails(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &x, 0, &out), MOHO_ERROR_SHAPE,
               "sum: operand out has shape [4], expected that of x, [4, 6], without axis 0");
  assert_fails(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &x, 2, &out), MOHO_ERROR_RANGE, "sum: axis 2");
  assert_fails(moho_tensor_reduce(NULL, MOHO_OPERATION_ARGMAX, &x, 1, &out), MOHO_ERROR_NOT_AVAILABLE,
               "argmax: operand out is f32, expected i32");
  assert_fails(moho_tensor_reduce(NULL, MOHO_OPERATION_SUM, &x, MOHO_ALL_AXES, &out), MOHO_ERROR_SHAPE, "expected 1");
  moho_tensor_destroy(&x);
  moho_tensor_destroy(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_reduction), cmocka_unit_test(long_rows), cmocka_unit_test(columns),
                                     cmocka_unit_test(wrong_calls)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
