/* test_same_bits.c - docs/tensor.md promises the same bits by every instruction set, with any number of threads and on every
 * device: of element-wise operations and activations, reductions, and operations on rows. Here all of them give theirs, the
 * device of MOHO_DEVICE too; values are other tests' business.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor_support.h"

static const char *const ways[] = {"cpu?threads=1&simd=scalar", "cpu?threads=1&simd=avx2", "cpu?threads=1&simd=avx512",
                                   "cpu?threads=1&simd=neon", "cpu?threads=3"};
enum { WAYS = sizeof ways / sizeof *ways };
static moho_device *devices[WAYS + 1];
static int n_devices, is_cpu, flushes;

static int begin(void **state) {
  test_tensor_begin(state);
  is_cpu = test_on_cpu(), flushes = test_may_flush();
  for (int i = 0; i < WAYS; i++) /* those that this processor has */
    if (moho_device_open(ways[i], &devices[n_devices]) == MOHO_OK) n_devices++;
  assert_true(n_devices >= 2);
  if (!is_cpu) devices[n_devices++] = test_device;
  return 0;
}

static int end(void **state) {
  for (int i = 0; i < n_devices; i++)
    if (devices[i] != test_device) assert_ok(moho_device_close(&devices[i]));
  return test_tensor_end(state);
}

/* ---- one call on all of them ---- */

typedef struct same_case {
  moho_operation operation;
  moho_dtype dtype, result;
  size_t rows, columns; /* inputs are [rows, columns] */
  int axis;             /* of reductions and rows; else -2 */
  int inputs;
} same_case;

/* 1: the result has the input's shape; else a row is one number. */
static int keeps_shape(const same_case *c) {
  return c->axis == -2 || (c->operation >= MOHO_OPERATION_SOFTMAX && c->operation != MOHO_OPERATION_CROSS_ENTROPY);
}

static size_t results_of(const same_case *c) {
  if (keeps_shape(c)) return c->rows * c->columns;
  return c->axis == MOHO_ALL_AXES ? 1 : c->axis ? c->rows : c->columns;
}

/* Weights of a norm lie along the axis, classes across it; else inputs have one shape. */
static size_t length_of_input(const same_case *c, int k) {
  if (!k || c->operation < MOHO_OPERATION_SOFTMAX) return c->rows * c->columns;
  size_t along = c->axis ? c->columns : c->rows, across = c->axis ? c->rows : c->columns;
  return c->operation == MOHO_OPERATION_CROSS_ENTROPY ? across : along;
}

static void run_on(moho_device *device, const same_case *c, void *const data[3], void *got) {
  moho_tensor in[3], out;
  const size_t n = results_of(c), shape[2] = {keeps_shape(c) ? c->rows : n, c->columns};
  int rank = keeps_shape(c) ? 2 : c->axis == MOHO_ALL_AXES ? 0 : 1;
  moho_tensor_call call = {.operation = c->operation, .output = &out, .axis = c->axis, .scalars = {0.01, 0.75}};
  call.loss = MOHO_LOSS_NONE;
  for (int k = 0; k < c->inputs; k++) {
    size_t length = length_of_input(c, k), whole[2] = {c->rows, c->columns};
    int is_whole = length == c->rows * c->columns && (!k || c->operation < MOHO_OPERATION_SOFTMAX);
    moho_dtype dtype = k && c->operation == MOHO_OPERATION_CROSS_ENTROPY ? MOHO_DTYPE_I32 : c->dtype;
    assert_ok(
        moho_tensor_from_host(device, dtype, is_whole ? 2 : 1, is_whole ? whole : &length, data[k], MOHO_HOST_COPY, &in[k]));
    call.inputs[k] = &in[k];
  }
  assert_ok(moho_tensor_create(device, c->result, rank, shape, &out));
  assert_ok(moho_tensor_run(NULL, &call));
  assert_ok(moho_tensor_read(&out, got));
  for (int k = 0; k < c->inputs; k++) assert_ok(moho_tensor_destroy(&in[k]));
  assert_ok(moho_tensor_destroy(&out));
}

/* Any NaN stands for any. Apple's GPUs may put 0 in the place of denormal numbers, which products then have as a factor. */
static int is_same(const same_case *c, const void *a, const void *b, size_t i) {
  double x = test_get(c->result, a, i), y = test_get(c->result, b, i);
  if (isnan(x) || isnan(y)) return isnan(x) && isnan(y);
  if (x == y && signbit(x) == signbit(y)) return 1;
  return x == y && c->operation <= MOHO_OPERATION_MAX && c->operation >= MOHO_OPERATION_MIN
             ? 1 /* of zeros either sign */
             : flushes && fabs(x) < 1e-32 && fabs(y) < 1e-32;
}

static void check(const same_case *c) {
  size_t n = results_of(c);
  void *data[3], *first = malloc(4 * n + 4), *now = malloc(4 * n + 4);
  for (int k = 0; k < 3; k++) {
    size_t length = k < c->inputs ? length_of_input(c, k) : 0;
    data[k] = calloc(length + 1, 4);
    for (size_t i = 0; i < length; i++) {
      if (k && c->operation == MOHO_OPERATION_CROSS_ENTROPY)
        ((int32_t *)data[k])[i] = (int32_t)(test_uniform(&test_random) * (double)(c->axis ? c->columns : c->rows));
      else test_put(c->dtype, data[k], i, test_draw_any(c->dtype));
    }
  }
  run_on(devices[0], c, data, first);
  for (int d = 1; d < n_devices; d++) {
    run_on(devices[d], c, data, now);
    for (size_t i = 0; i < n; i++)
      if (!is_same(c, first, now, i))
        fail_msg("%s %s [%zu, %zu] axis %d: element %zu is %.9g by %s, %.9g by %s", moho_operation_name(c->operation),
                 moho_dtype_name(c->dtype), c->rows, c->columns, c->axis, i, test_get(c->result, now, i),
                 d < n_devices - !is_cpu ? ways[d] : "the device", test_get(c->result, first, i), ways[0]);
  }
  for (int k = 0; k < 3; k++) free(data[k]);
  free(first), free(now);
}

/* ---- which ---- */

static const moho_dtype dtypes[] = {MOHO_DTYPE_F32, MOHO_DTYPE_F16, MOHO_DTYPE_BF16, MOHO_DTYPE_I32};

/* Where each case may be a kernel to compile, f32 and by turns another. */
static int is_left_out(int operation, int d) {
  return !is_cpu && d && (operation + (int)(test_random % 3)) % 3 + 1 != d;
}

static int takes(moho_operation operation, moho_dtype dtype, moho_dtype result) {
  return moho_tensor_supports(test_device, operation, dtype, result) == MOHO_OK;
}

static void elementwise(void **state) {
  (void)state;
  for (int o = MOHO_OPERATION_ADD; o <= MOHO_OPERATION_BINARY_CROSS_ENTROPY; o++)
    for (int d = 0; d < 4; d++) {
      moho_operation operation = (moho_operation)o;
      int back = o >= MOHO_OPERATION_RELU_BACKWARD;
      if (o == MOHO_OPERATION_CONVERT || o == MOHO_OPERATION_FILL || is_left_out(o, d) || !takes(operation, dtypes[d], dtypes[d]))
        continue;
      if (o == MOHO_OPERATION_DIV && dtypes[d] == MOHO_DTYPE_I32) continue; /* it stops at zeros */
      int inputs = o == MOHO_OPERATION_FMA ? 3 : o <= MOHO_OPERATION_MAX || back ? 2 : 1;
      check(&(same_case){operation, dtypes[d], dtypes[d], 67, 131, -2, inputs});
      if (is_cpu && !d && o % 5 == 0) check(&(same_case){operation, dtypes[d], dtypes[d], 300, 701, -2, inputs}); /* threads */
    }
}

static void reductions(void **state) {
  static const size_t shapes[][2] = {{1, 1}, {33, 257}, {3, 1025}, {1100, 40}, {2, 100001}}; /* the last on threads */
  (void)state;
  for (int o = MOHO_OPERATION_SUM; o <= MOHO_OPERATION_ARGMAX; o++)
    for (int d = 0; d < 4; d++)
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int axis = MOHO_ALL_AXES; axis < 2; axis++) {
          moho_dtype result = o == MOHO_OPERATION_ARGMAX ? MOHO_DTYPE_I32 : dtypes[d];
          if (is_left_out(o, d) || !takes((moho_operation)o, dtypes[d], result) || (s == 4 && d)) continue;
          check(&(same_case){(moho_operation)o, dtypes[d], result, shapes[s][0], shapes[s][1], axis, 1});
        }
}

/* Of one block of the tree, and more; along the fastest axis and not; weights there and not. */
static void rows(void **state) {
  static const size_t shapes[][2] = {{1, 1}, {5, 31}, {257, 33}, {7, 1024}, {50, 1025}, {2, 8200}};
  (void)state;
  for (int o = MOHO_OPERATION_SOFTMAX; o <= MOHO_OPERATION_CROSS_ENTROPY; o++)
    for (int d = 0; d < 3; d++)
      for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int axis = 0; axis < 2; axis++) {
          if (is_left_out(o, d)) continue;
          int least = o == MOHO_OPERATION_CROSS_ENTROPY ? 2 : 1;
          int most = o == MOHO_OPERATION_LAYER_NORM ? 3 : o >= MOHO_OPERATION_RMS_NORM ? 2 : 1;
          for (int inputs = least; inputs <= most; inputs++)
            check(&(same_case){(moho_operation)o, dtypes[d], dtypes[d], shapes[s][0], shapes[s][1], axis, inputs});
        }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(elementwise), cmocka_unit_test(reductions), cmocka_unit_test(rows)};
  return cmocka_run_group_tests(tests, begin, end);
}
