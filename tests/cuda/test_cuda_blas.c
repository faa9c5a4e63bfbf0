/* test_cuda_blas.c - matrix products by cuBLAS, on the doubles of libcuda and cuBLAS: which matrix goes where, transposed or not,
 * with which leading dimension; queues one after another; what is said where there is none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/small_float.h"
#include "moho/matmul.h"
#include "test_support.h"

static moho_device *device;
static uint64_t seed = 5;

static int setup(void **state) {
  (void)state;
  assert_ok(moho_device_open("cuda", &device));
  return 0;
}

static int teardown(void **state) {
  (void)state;
  assert_ok(moho_device_close(&device));
  return 0;
}

static float rounded(moho_dtype dtype, double x) {
  if (dtype == MOHO_DTYPE_F32) return (float)x;
  return dtype == MOHO_DTYPE_F16 ? moho_f16_to_float(moho_double_to_f16(x)) : moho_bf16_to_float(moho_double_to_bf16(x));
}

/* count floats, which the dtype holds exactly, to a tensor of it, and back. */
static void upload(moho_dtype dtype, size_t count, float *host, moho_tensor *base) {
  void *bytes = malloc(4 * count);
  for (size_t i = 0; i < count; i++) {
    if (dtype == MOHO_DTYPE_F32) ((float *)bytes)[i] = host[i];
    else ((uint16_t *)bytes)[i] = dtype == MOHO_DTYPE_F16 ? moho_float_to_f16(host[i]) : moho_float_to_bf16(host[i]);
  }
  assert_ok(moho_tensor_from_host(device, dtype, 1, &count, bytes, MOHO_HOST_COPY, base));
  free(bytes);
}

static float *download(const moho_tensor *base) {
  size_t count = base->shape[0];
  void *bytes = malloc(4 * count);
  float *host = malloc(4 * count);
  assert_ok(moho_tensor_read(base, bytes));
  for (size_t i = 0; i < count; i++) {
    if (base->dtype == MOHO_DTYPE_F32) host[i] = ((float *)bytes)[i];
    else
      host[i] =
          base->dtype == MOHO_DTYPE_F16 ? moho_f16_to_float(((uint16_t *)bytes)[i]) : moho_bf16_to_float(((uint16_t *)bytes)[i]);
  }
  free(bytes);
  return host;
}

/* [batches, rows, columns], 3 elements into its base, rows (or columns) 2 farther apart than they must be. */
static moho_tensor matrix(moho_dtype dtype, size_t batches, size_t rows, size_t columns, int is_transposed, moho_tensor *base,
                          float **host) {
  size_t lead = (is_transposed ? rows : columns) + 2, batch = (is_transposed ? columns : rows) * lead,
         count = batches * batch + 3;
  *host = malloc(count * sizeof **host);
  for (size_t i = 0; i < count; i++) (*host)[i] = rounded(dtype, test_normal(&seed));
  upload(dtype, count, *host, base);
  int64_t stride[] = {(int64_t)batch, is_transposed ? 1 : (int64_t)lead, is_transposed ? (int64_t)lead : 1};
  moho_tensor view;
  assert_ok(moho_tensor_view(base->buffer, 3, dtype, 3, (size_t[]){batches, rows, columns}, stride, &view));
  return view;
}

static double at(const moho_tensor *x, const float *host, size_t g, size_t i, size_t j) {
  return (double)host[3 + g * (size_t)x->stride[0] + i * (size_t)x->stride[1] + j * (size_t)x->stride[2]];
}

static void check_types(moho_dtype dtype, moho_dtype c_dtype, size_t m, size_t n, size_t k, size_t batches, int kinds,
                        moho_queue *queue) {
  moho_tensor bases[3], a, b, c;
  float *hosts[3];
  a = matrix(dtype, batches, m, k, kinds & 1, &bases[0], &hosts[0]);
  b = matrix(dtype, batches, k, n, kinds >> 1, &bases[1], &hosts[1]);
  c = matrix(c_dtype, batches, m, n, 0, &bases[2], &hosts[2]);
  moho_matmul_options options = moho_matmul_options_default();
  options.alpha = 0.5f, options.beta = kinds ? -2.0f : 0.0f, options.method = MOHO_MATMUL_LIBRARY;
  assert_ok(moho_matmul(queue, &a, &b, &c, &options));
  if (queue) {
    moho_ticket ticket;
    assert_ok(moho_queue_submit(queue, &ticket));
    assert_ok(moho_queue_wait(queue, ticket, 10));
  }
  float *now = download(&bases[2]);
  double unit = c_dtype == MOHO_DTYPE_F32 ? 1e-6 : c_dtype == MOHO_DTYPE_F16 ? 0x1p-11 : 0x1p-8; /* rounded once */
  for (size_t g = 0; g < batches; g++)
    for (size_t i = 0; i < m; i++)
      for (size_t j = 0; j < n; j++) {
        double sum = 0;
        for (size_t l = 0; l < k; l++) sum += at(&a, hosts[0], g, i, l) * at(&b, hosts[1], g, l, j);
        double expected = 0.5 * sum + (double)options.beta * at(&c, hosts[2], g, i, j);
        assert_true(fabs(at(&c, now, g, i, j) - expected) <=
                    unit * 1.001 * (c_dtype == MOHO_DTYPE_F32 ? 1 + fabs(expected) : fabs(expected)) + 1e-6);
      }
  free(now);
  for (int i = 0; i < 3; i++) {
    assert_ok(moho_tensor_destroy(&bases[i]));
    free(hosts[i]);
  }
}

static void check(size_t m, size_t n, size_t k, size_t batches, int kinds, moho_queue *queue) {
  check_types(MOHO_DTYPE_F32, MOHO_DTYPE_F32, m, n, k, batches, kinds, queue);
}

/* Halves as they are: one call, no launch that would bring them to f32 (the double of libcuda runs none). */
static void products_of_halves_are_right(void **state) {
  (void)state;
  for (moho_dtype dtype = MOHO_DTYPE_F16; dtype <= MOHO_DTYPE_BF16; dtype++)
    for (int kinds = 0; kinds < 4; kinds++)
      for (int wide = 0; wide < 2; wide++) {
        check_types(dtype, wide ? MOHO_DTYPE_F32 : dtype, 5, 7, 33, 1, kinds, NULL);
        check_types(dtype, wide ? MOHO_DTYPE_F32 : dtype, 4, 6, 5, 3, kinds, NULL);
      }
}

static void products_are_right(void **state) {
  (void)state;
  const char *why, *words = moho_matmul_library(device, &why);
  assert_non_null(words);
  assert_string_equal(words, "cuBLAS 13.1");
  for (int kinds = 0; kinds < 4; kinds++) {
    check(5, 7, 3, 1, kinds, NULL);
    check(7, 1, 5, 1, kinds, NULL);
    check(1, 6, 4, 1, kinds, NULL);
    check(4, 6, 5, 3, kinds, NULL);
  }
}

static void queues_follow_each_other(void **state) {
  (void)state;
  moho_queue *first, *second;
  assert_ok(moho_queue_create(device, &first));
  assert_ok(moho_queue_create(device, &second));
  for (int i = 0; i < 3; i++) {
    check(3, 4, 5, 1, i, first);
    check(4, 3, 2, 2, i, second);
  }
  assert_ok(moho_queue_destroy(&first));
  assert_ok(moho_queue_destroy(&second));
}

static void what_it_does_not_take_is_said(void **state) {
  (void)state;
  moho_tensor base, x, c;
  assert_ok(moho_tensor_create(device, MOHO_DTYPE_F32, 1, (size_t[]){64}, &base));
  assert_ok(moho_tensor_view(base.buffer, 0, MOHO_DTYPE_F32, 2, (size_t[]){3, 3}, (int64_t[]){7, 2}, &x));
  assert_ok(moho_tensor_create(device, MOHO_DTYPE_F32, 2, (size_t[]){3, 3}, &c));
  moho_matmul_options options = moho_matmul_options_default();
  options.method = MOHO_MATMUL_LIBRARY;
  assert_fails(moho_matmul(NULL, &x, &x, &c, &options), MOHO_ERROR_NOT_AVAILABLE, "strides");
  assert_ok(moho_tensor_destroy(&base));
  assert_ok(moho_tensor_destroy(&c));
}

static void without_it(void **state) {
  (void)state;
  const char *why;
  assert_null(moho_matmul_library(device, &why));
  assert_string_equal(why, "MOHO_CUBLAS is none");
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(products_are_right), cmocka_unit_test(products_of_halves_are_right),
                                     cmocka_unit_test(queues_follow_each_other), cmocka_unit_test(what_it_does_not_take_is_said)};
  const struct CMUnitTest none[] = {cmocka_unit_test(without_it)};
  const char *named = getenv("MOHO_CUBLAS");
  if (named && !strcmp(named, "none")) return cmocka_run_group_tests(none, setup, teardown);
  return cmocka_run_group_tests(tests, setup, teardown);
}
