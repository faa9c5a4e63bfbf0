/* test_rows.c - softmax, norms and losses along any axis, and quantisation, against formulas in double. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensor_support.h"

static double draw(moho_dtype dtype) {
  double x = test_draw_any(dtype);
  return fabs(x) > 40 ? x / 10 : x;
}

/* The linear place of element i of axis `axis` in the row that holds element `linear`. */
static size_t along(const moho_tensor *view, int axis, size_t linear, size_t i) {
  size_t unit = 1;
  for (int k = view->rank; --k > axis;) unit *= view->shape[k];
  size_t here = linear / unit % view->shape[axis];
  return linear - here * unit + i * unit;
}

/* What x[linear] becomes, and how far a float may be from it. */
typedef struct expectation {
  double exact, allowed;
} expectation;

static expectation expect_softmax(moho_operation operation, const double *row, size_t n, size_t at) {
  double most = -INFINITY, sum = 0;
  for (size_t i = 0; i < n; i++) most = fmax(most, row[i]);
  for (size_t i = 0; i < n; i++) sum += exp(row[i] - most);
  double depth = most - row[at], share = exp(-depth) / sum, low = -depth - log(sum);
  if (operation == MOHO_OPERATION_SOFTMAX) return (expectation){share, share * (40 + depth) * 0x1p-24 + 0x1p-126};
  return (expectation){low, (40 + 3 * fabs(low)) * 0x1p-24};
}

static expectation expect_norm(moho_operation operation, const double *row, size_t n, size_t at, double gamma, double beta,
                               double epsilon) {
  double mean = 0, square = 0, sizes = 0;
  for (size_t i = 0; i < n; i++) sizes += fabs(row[i]) / (double)n;
  for (size_t i = 0; i < n && operation == MOHO_OPERATION_LAYER_NORM; i++) mean += row[i] / (double)n;
  for (size_t i = 0; i < n; i++) square += (row[i] - mean) * (row[i] - mean) / (double)n;
  double scale = 1 / sqrt(square + epsilon), y = (row[at] - mean) * scale * gamma;
  double size = (fabs(row[at]) + sizes) * scale * fabs(gamma);
  return (expectation){y + beta, (60 * size + fabs(beta) + 1e-3) * 0x1p-23};
}

static void check(const char *what, moho_dtype dtype, double got, expectation e) {
  double allowed = e.allowed + (dtype == MOHO_DTYPE_F32 ? 0 : 0.5001 * test_ulp(dtype, e.exact));
  if (!(fabs(got - e.exact) <= allowed))
    fail_msg("%s %s: %.9g, expected %.9g within %.2g", what, moho_dtype_name(dtype), got, e.exact, allowed);
}

/* ---- softmax and norms, every axis and pattern ---- */

static moho_tensor weights(moho_dtype dtype, size_t n, double *values) {
  moho_tensor t;
  void *data = calloc(n + 1, 4);
  for (size_t i = 0; i < n; i++) {
    test_put(dtype, data, i, test_normal(&test_random));
    values[i] = test_get(dtype, data, i);
  }
  assert_ok(moho_tensor_from_host(test_device, dtype, 1, &n, data, MOHO_HOST_COPY, &t));
  free(data);
  return t;
}

static void check_rows(moho_operation operation, moho_dtype dtype, const test_operand *in, const test_operand *out, int axis,
                       const double *gamma, const double *beta, double epsilon) {
  const moho_tensor *view = &in->view;
  size_t n = view->shape[axis];
  void *now = test_read_outside_unchanged(out);
  double *row = malloc((n + 1) * sizeof *row);
  for (size_t k = 0; k < moho_tensor_elements(view); k++) {
    size_t unit = 1;
    for (int a = view->rank; --a > axis;) unit *= view->shape[a];
    size_t at = k / unit % n;
    for (size_t i = 0; i < n; i++) row[i] = test_at(in, along(view, axis, k, i));
    int is_norm = operation == MOHO_OPERATION_LAYER_NORM || operation == MOHO_OPERATION_RMS_NORM;
    expectation e =
        is_norm ? expect_norm(operation, row, n, at, gamma[at], beta[at], epsilon) : expect_softmax(operation, row, n, at);
    check(moho_operation_name(operation), dtype, test_get(dtype, now, test_place(&out->view, k)), e);
  }
  free(row);
  free(now);
}

static void check_case(moho_operation operation, moho_dtype dtype, test_pattern pattern, size_t n, int axis, moho_queue *on) {
  test_operand in = test_operand_make(dtype, pattern, n, 0, draw), out = test_operand_make(dtype, pattern, n, 1, draw);
  size_t length = in.view.shape[axis];
  double epsilon = 1e-5, *gamma = calloc(2 * length + 2, sizeof *gamma), *beta = gamma + length + 1;
  moho_tensor g = weights(dtype, length, gamma), b = weights(dtype, length, beta);
  moho_tensor_call call = {.operation = operation, .inputs = {&in.view}, .output = &out.view, .axis = axis};
  if (operation == MOHO_OPERATION_LAYER_NORM || operation == MOHO_OPERATION_RMS_NORM) {
    call.inputs[1] = &g;
    call.scalars[0] = epsilon;
  }
  if (operation == MOHO_OPERATION_LAYER_NORM) call.inputs[2] = &b;
  else memset(beta, 0, (length + 1) * sizeof *beta);
  assert_ok(test_run(on, &call));
  check_rows(operation, dtype, &in, &out, axis, gamma, beta, (double)(float)epsilon);
  assert_ok(moho_tensor_destroy(&g));
  assert_ok(moho_tensor_destroy(&b));
  test_operand_free(&in);
  test_operand_free(&out);
  free(gamma);
}

static const moho_operation operations[] = {MOHO_OPERATION_SOFTMAX, MOHO_OPERATION_LOG_SOFTMAX, MOHO_OPERATION_LAYER_NORM,
                                            MOHO_OPERATION_RMS_NORM};

static void every_row_operation(void **state) {
  static const size_t sizes[] = {0, 1, 31, 32, 33, 255, 257};
  (void)state;
  for (int o = 0; o < 4; o++)
    for (int d = 0; d < 3; d++) {
      if (!test_on_cpu() && d && (o + d + (int)(test_random % 3)) % 3) continue; /* where each case is a kernel to compile */
      for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int p = 0; p < TEST_PATTERNS; p++) {
          int rank = p <= TEST_STEPS ? 1 : p == TEST_INNER ? 3 : 2;
          if (p == TEST_REPEATED && sizes[s] > 33) continue;
          for (int axis = 0; axis < rank; axis++)
            check_case(operations[o], (moho_dtype)d, (test_pattern)p, sizes[s], axis, (axis + p) % 3 ? NULL : test_queue);
        }
    }
}

/* Rows of one block and more, staged and not, on the stack and not. */
static void long_rows(void **state) {
  static const size_t sizes[] = {1024, 1025, 8192, 20011};
  (void)state;
  for (int o = 0; o < 4; o++)
    for (size_t s = 0; s < 4; s++) {
      test_operand in = test_operand_make(MOHO_DTYPE_F32, TEST_CONTIGUOUS, sizes[s], 0, draw);
      size_t shape[2] = {1, sizes[s]}, n = sizes[s];
      moho_tensor x, y;
      float *got = malloc(n * sizeof *got);
      double *row = malloc(n * sizeof *row);
      assert_ok(moho_tensor_reshape(&in.view, 2, shape, &x));
      assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, shape, &y));
      moho_tensor_call call = {.operation = operations[o], .inputs = {&x}, .output = &y, .axis = 1};
      assert_ok(moho_tensor_run(NULL, &call));
      assert_ok(moho_tensor_read(&y, got));
      for (size_t i = 0; i < n; i++) row[i] = test_at(&in, i);
      for (size_t i = 0; i < n; i += 1 + n / 50) {
        expectation e = o < 2 ? expect_softmax(operations[o], row, n, i) : expect_norm(operations[o], row, n, i, 1, 0, 0);
        check(moho_operation_name(operations[o]), MOHO_DTYPE_F32, (double)got[i], e);
      }
      free(got);
      free(row);
      assert_ok(moho_tensor_destroy(&y));
      test_operand_free(&in);
    }
}

static void rows_at_the_edge(void **state) {
  const float low = -INFINITY;
  const float x[] = {low, low, low, 1, low, 2, NAN, 0, 0, 300, 300, 200};
  float got[12];
  moho_tensor t;
  (void)state;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 3}, (void *)(uintptr_t)x, MOHO_HOST_COPY, &t));
  assert_ok(moho_tensor_softmax(NULL, MOHO_OPERATION_SOFTMAX, &t, 1, &t)); /* in place */
  assert_ok(moho_tensor_read(&t, got));
  assert_true(got[0] == 0 && got[1] == 0 && got[2] == 0); /* a row of -infinity has no weight */
  assert_true(got[4] == 0 && fabsf(got[3] + got[5] - 1) < 1e-6f);
  assert_true(isnan(got[6]) && isnan(got[7]));
  assert_true(got[9] == 0.5f && got[10] == 0.5f && got[11] < 1e-37f);
  assert_ok(moho_tensor_write(&t, x));
  assert_ok(moho_tensor_softmax(NULL, MOHO_OPERATION_LOG_SOFTMAX, &t, 1, &t));
  assert_ok(moho_tensor_read(&t, got));
  assert_true(got[0] == low && got[2] == low && got[4] == low && isnan(got[8]));
  assert_ok(moho_tensor_destroy(&t));
}

/* ---- losses ---- */

static double draw_share(moho_dtype dtype) {
  double kind = test_uniform(&test_random);
  return (void)dtype, kind < 0.1 ? 0 : kind < 0.2 ? 1 : test_uniform(&test_random);
}

static double loss_of(moho_operation operation, double x, double y, double epsilon) {
  if (operation == MOHO_OPERATION_SQUARED_ERROR) return (x - y) * (x - y);
  return -(y * log(fmax(x, epsilon)) + (1 - y) * log(fmax(1 - x, epsilon)));
}

static void check_loss(moho_operation operation, moho_dtype dtype, test_pattern pattern, size_t n) {
  test_operand x = test_operand_make(dtype, pattern, n, 0, draw_share), y = test_operand_make(dtype, pattern, n, 0, draw_share);
  test_operand each = test_operand_make(dtype, pattern, n, 1, draw_share);
  size_t count = moho_tensor_elements(&x.view);
  double epsilon = 1e-4, total = 0, share;
  moho_tensor one;
  uint32_t word = 0;
  assert_ok(moho_tensor_create(test_device, dtype, 0, NULL, &one));
  moho_tensor_call call = {
      .operation = operation, .inputs = {&x.view, &y.view}, .output = &each.view, .scalars = {epsilon}, .loss = MOHO_LOSS_NONE};
  assert_ok(moho_tensor_run(NULL, &call));
  void *now = test_read_outside_unchanged(&each);
  for (size_t i = 0; i < count; i++) {
    double exact = loss_of(operation, test_at(&x, i), test_at(&y, i), (double)(float)epsilon);
    check(moho_operation_name(operation), dtype, test_get(dtype, now, test_place(&each.view, i)),
          (expectation){exact, 4e-7 * (1 + fabs(exact))});
    total += exact;
  }
  free(now);
  call.output = &one;
  for (int loss = MOHO_LOSS_MEAN; loss <= MOHO_LOSS_SUM; loss++) {
    call.loss = (moho_loss)loss;
    assert_ok(moho_tensor_run(NULL, &call));
    assert_ok(moho_tensor_read(&one, &word));
    share = loss == MOHO_LOSS_MEAN ? total / (double)count : total;
    if (!count && loss == MOHO_LOSS_MEAN) assert_true(isnan(test_get(dtype, &word, 0)));
    else check("a loss' sum", dtype, test_get(dtype, &word, 0), (expectation){share, 4e-6 * (1 + fabs(share))});
  }
  assert_ok(moho_tensor_destroy(&one));
  test_operand_free(&x);
  test_operand_free(&y);
  test_operand_free(&each);
}

static void losses(void **state) {
  (void)state;
  for (int d = 0; d < 3; d++)
    for (int p = 0; p < TEST_PATTERNS; p++) {
      if (!test_on_cpu() && d) continue;
      check_loss(MOHO_OPERATION_SQUARED_ERROR, (moho_dtype)d, (test_pattern)p, 257);
      check_loss(MOHO_OPERATION_BINARY_CROSS_ENTROPY, (moho_dtype)d, (test_pattern)p, 33);
    }
  check_loss(MOHO_OPERATION_SQUARED_ERROR, MOHO_DTYPE_F32, TEST_CONTIGUOUS, 0);
}

/* Classes along either axis, of every dtype; each, mean and sum. */
static void check_cross_entropy(moho_dtype dtype, int axis, double epsilon) {
  enum { ROWS = 33, CLASSES = 31, N = ROWS * CLASSES };
  const size_t shape[2] = {axis ? ROWS : CLASSES, axis ? CLASSES : ROWS}, rows = ROWS;
  uint32_t x[N], each[ROWS], one_word = 0;
  int32_t classes[ROWS];
  double total = 0, row[CLASSES];
  moho_tensor logits, wanted, losses_out, one;
  for (size_t i = 0; i < N; i++) test_put(dtype, x, i, 3 * test_normal(&test_random));
  for (int i = 0; i < ROWS; i++) classes[i] = (int32_t)(test_uniform(&test_random) * CLASSES);
  assert_ok(moho_tensor_from_host(test_device, dtype, 2, shape, x, MOHO_HOST_COPY, &logits));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_I32, 1, &rows, classes, MOHO_HOST_COPY, &wanted));
  assert_ok(moho_tensor_create(test_device, dtype, 1, &rows, &losses_out));
  assert_ok(moho_tensor_create(test_device, dtype, 0, NULL, &one));
  moho_tensor_call call = {.operation = MOHO_OPERATION_CROSS_ENTROPY,
                           .inputs = {&logits, &wanted},
                           .output = &losses_out,
                           .axis = axis,
                           .scalars = {epsilon},
                           .loss = MOHO_LOSS_NONE};
  assert_ok(moho_tensor_run(NULL, &call));
  assert_ok(moho_tensor_read(&losses_out, each));
  for (size_t r = 0; r < ROWS; r++) {
    for (size_t i = 0; i < CLASSES; i++) row[i] = test_get(dtype, x, axis ? r * CLASSES + i : i * ROWS + r);
    double loss = -expect_softmax(MOHO_OPERATION_LOG_SOFTMAX, row, CLASSES, (size_t)classes[r]).exact;
    loss = fmin(loss, -log(epsilon));
    check("cross_entropy", dtype, test_get(dtype, each, r), (expectation){loss, 1e-5});
    total += loss;
  }
  call.output = &one;
  for (int loss = MOHO_LOSS_MEAN; loss <= MOHO_LOSS_SUM; loss++) {
    double share = loss == MOHO_LOSS_MEAN ? total / ROWS : total;
    call.loss = (moho_loss)loss;
    assert_ok(moho_tensor_run(NULL, &call));
    assert_ok(moho_tensor_read(&one, &one_word));
    check("cross_entropy, mean or sum", dtype, test_get(dtype, &one_word, 0), (expectation){share, 1e-5 * (1 + share)});
  }
  classes[3] = CLASSES; /* no such class */
  assert_ok(moho_tensor_write(&wanted, classes));
  assert_ok(moho_tensor_run(NULL, &call));
  assert_ok(moho_tensor_read(&one, &one_word));
  assert_true(isnan(test_get(dtype, &one_word, 0)));
  moho_tensor *const made[] = {&logits, &wanted, &losses_out, &one};
  for (int i = 0; i < 4; i++) assert_ok(moho_tensor_destroy(made[i]));
}

static void cross_entropy(void **state) {
  (void)state;
  for (int d = 0; d < 3; d++)
    for (int axis = 0; axis < 2; axis++) check_cross_entropy((moho_dtype)d, axis, axis ? 0.01 : 1e-6);
}

/* ---- quantisation ---- */

static void check_quantization(moho_dtype to, moho_quantize_kind kind, test_pattern pattern, size_t n) {
  test_operand x = test_operand_make(MOHO_DTYPE_F32, pattern, n, 0, draw),
               q = test_operand_make(to, pattern, n, 1, test_draw_any);
  size_t count = moho_tensor_elements(&x.view);
  moho_quantization how;
  moho_quantization_error error;
  double low = 0, high = 0, least = to == MOHO_DTYPE_I8 ? -128 : 0, square = 0, signal = 0, largest = 0, mean = 0;
  assert_ok(moho_tensor_quantization(&x.view, to, kind, &how));
  for (size_t i = 0; i < count; i++) low = fmin(low, test_at(&x, i)), high = fmax(high, test_at(&x, i));
  double scale = kind == MOHO_QUANTIZE_SYMMETRIC ? fmax(-low, high) / 127 : (high - low) / 255;
  if (count) assert_true(fabs(how.scale - (scale > 0 ? scale : 1)) <= 1e-12 * how.scale);
  assert_int_equal(how.zero, kind == MOHO_QUANTIZE_SYMMETRIC ? 0 : (int)(nearbyint(-low / how.scale) + least));
  assert_ok(moho_tensor_quantize(NULL, &x.view, how, &q.view));
  void *now = test_read_outside_unchanged(&q);
  for (size_t i = 0; i < count; i++) {
    double v = test_at(&x, i), got = test_get(to, now, test_place(&q.view, i));
    double expected = test_round(to, nearbyint((double)((float)v / (float)how.scale)) + how.zero);
    if (got != expected) fail_msg("quantize %.9g by %.9g, %d is %g, expected %g", v, how.scale, how.zero, got, expected);
    double lost = v - (got - how.zero) * (double)(float)how.scale;
    square += lost * lost, signal += v * v, mean += fabs(lost), largest = fmax(largest, fabs(lost));
  }
  free(now);
  assert_ok(moho_tensor_quantization_error(&x.view, &q.view, how, &error));
  double near = 1e-5 * how.scale + 1e-6 * fmax(-low, high);
  if (count) {
    check("largest error", MOHO_DTYPE_F32, error.largest, (expectation){largest, near});
    check("mean error", MOHO_DTYPE_F32, error.mean, (expectation){mean / (double)count, near});
    check("rms error", MOHO_DTYPE_F32, error.rms, (expectation){sqrt(square / (double)count), near});
    if (square > 1e-6)
      check("signal to noise", MOHO_DTYPE_F32, error.signal_to_noise_db, (expectation){10 * log10(signal / square), 0.01});
    assert_true(largest <= how.scale * 1.001);
  }
  test_operand_free(&x);
  test_operand_free(&q);
}

/* From and to every float, and back: (q - zero) scale, rounded once. */
static void check_halves(moho_dtype dtype, moho_dtype to, moho_quantize_kind kind, test_pattern pattern) {
  test_operand x = test_operand_make(dtype, pattern, 65, 0, draw), q = test_operand_make(to, pattern, 65, 1, test_draw_any),
               back = test_operand_make(dtype, pattern, 65, 1, draw);
  moho_quantization how;
  assert_ok(moho_tensor_quantization(&x.view, to, kind, &how));
  assert_ok(moho_tensor_quantize(NULL, &x.view, how, &q.view));
  assert_ok(moho_tensor_dequantize(NULL, &q.view, how, &back.view));
  void *whole = test_read_outside_unchanged(&q), *now = test_read_outside_unchanged(&back);
  for (size_t i = 0; i < moho_tensor_elements(&x.view); i++) {
    double v = test_at(&x, i), got = test_get(to, whole, test_place(&q.view, i));
    double expected = test_round(to, nearbyint((double)((float)v / (float)how.scale)) + how.zero);
    double again = test_round(dtype, (double)((float)(got - how.zero) * (float)how.scale));
    if (got != expected) fail_msg("quantize %s %.9g is %g, expected %g", moho_dtype_name(dtype), v, got, expected);
    if (test_get(dtype, now, test_place(&back.view, i)) != again)
      fail_msg("dequantize %g to %s is %.9g, expected %.9g", got, moho_dtype_name(dtype),
               test_get(dtype, now, test_place(&back.view, i)), again);
  }
  free(whole), free(now);
  test_operand_free(&x), test_operand_free(&q), test_operand_free(&back);
}

static void quantization(void **state) {
  (void)state;
  for (int d = 0; d < 3; d++) {
    check_halves((moho_dtype)d, MOHO_DTYPE_I8, MOHO_QUANTIZE_SYMMETRIC, TEST_STEPS);
    check_halves((moho_dtype)d, MOHO_DTYPE_I8, MOHO_QUANTIZE_AFFINE, TEST_TRANSPOSED);
    check_halves((moho_dtype)d, MOHO_DTYPE_U8, MOHO_QUANTIZE_AFFINE, TEST_INNER);
  }
  for (int p = 0; p < TEST_PATTERNS; p++) {
    if (p == TEST_REPEATED) continue;
    check_quantization(MOHO_DTYPE_I8, MOHO_QUANTIZE_SYMMETRIC, (test_pattern)p, 257);
    check_quantization(MOHO_DTYPE_I8, MOHO_QUANTIZE_AFFINE, (test_pattern)p, 33);
    check_quantization(MOHO_DTYPE_U8, MOHO_QUANTIZE_AFFINE, (test_pattern)p, 31);
  }
  check_quantization(MOHO_DTYPE_I8, MOHO_QUANTIZE_SYMMETRIC, TEST_CONTIGUOUS, 0);
  moho_tensor x;
  moho_quantization how;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, (size_t[]){2}, (float[]){1, INFINITY}, MOHO_HOST_COPY, &x));
  assert_fails(moho_tensor_quantization(&x, MOHO_DTYPE_I8, MOHO_QUANTIZE_SYMMETRIC, &how), MOHO_ERROR_RANGE, "expected finite");
  assert_fails(moho_tensor_quantization(&x, MOHO_DTYPE_U8, MOHO_QUANTIZE_SYMMETRIC, &how), MOHO_ERROR_NOT_AVAILABLE,
               "expected i8");
  assert_ok(moho_tensor_destroy(&x));
}

static void wrong_calls(void **state) {
  (void)state;
  moho_tensor x, y, gamma;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 6}, &x));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 5}, &y));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){4}, &gamma));
  assert_fails(moho_tensor_softmax(NULL, MOHO_OPERATION_SOFTMAX, &x, 1, &y), MOHO_ERROR_SHAPE,
               "softmax: operand out has shape [4, 5]");
  assert_fails(moho_tensor_softmax(NULL, MOHO_OPERATION_SOFTMAX, &x, 2, &x), MOHO_ERROR_RANGE, "softmax: axis 2");
  assert_fails(moho_tensor_norm(NULL, MOHO_OPERATION_LAYER_NORM, &x, 1, &gamma, NULL, 1e-5, &x), MOHO_ERROR_SHAPE,
               "layer_norm: operand gamma has shape [4], expected [6]");
  moho_tensor_call call = {.operation = MOHO_OPERATION_CROSS_ENTROPY, .inputs = {&x, &gamma}, .output = &gamma, .axis = 1};
  assert_fails(moho_tensor_run(NULL, &call), MOHO_ERROR_NOT_AVAILABLE, "cross_entropy: operand classes is f32, expected i32");
  assert_ok(moho_tensor_destroy(&x));
  assert_ok(moho_tensor_destroy(&y));
  assert_ok(moho_tensor_destroy(&gamma));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_row_operation), cmocka_unit_test(long_rows),
      cmocka_unit_test(rows_at_the_edge),    cmocka_unit_test(losses),
      cmocka_unit_test(cross_entropy),       cmocka_unit_test(quantization),
      cmocka_unit_test(wrong_calls),
  };
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
