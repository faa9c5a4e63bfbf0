/* test_matmul.c - matrix products against sums in double: all four transpositions, leading dimensions, batches, alpha and beta,
 * bias and activation, odd sizes; by the library and by our own kernels; on the device that MOHO_DEVICE names. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/matmul.h"
#include "tensor_support.h"

static const size_t odd_sizes[] = {1, 31, 32, 33, 255, 257};
enum { ODD_SIZES = sizeof odd_sizes / sizeof *odd_sizes };

/* A matrix of a batch in memory that is larger than it: `gap` more than a row needs, `head` elements before it. */
typedef struct matrix {
  moho_tensor base, view;
  float *host;
  size_t count;
} matrix;

static void read_back(const matrix *x) {
  assert_ok(moho_tensor_read(&x->base, x->host));
}

static matrix matrix_of(size_t batches, size_t rows, size_t columns, size_t gap, size_t head, int is_transposed) {
  size_t wide = (is_transposed ? rows : columns) + gap, high = is_transposed ? columns : rows;
  size_t batch = high * wide + (batches > 1 ? 5 : 0);
  matrix x = {.count = head + batches * batch + 1};
  x.host = malloc(x.count * sizeof *x.host);
  assert_non_null(x.host);
  for (size_t i = 0; i < x.count; i++) x.host[i] = (float)test_normal(&test_random);
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, &x.count, x.host, MOHO_HOST_COPY, &x.base));
  int64_t row = is_transposed ? 1 : (int64_t)wide, column = is_transposed ? (int64_t)wide : 1;
  assert_ok(moho_tensor_view(x.base.buffer, head, MOHO_DTYPE_F32, 3, (size_t[]){batches, rows, columns},
                             (int64_t[]){(int64_t)batch, row, column}, &x.view));
  return x;
}

static void matrix_free(matrix *x) {
  assert_ok(moho_tensor_destroy(&x->base));
  free(x->host);
}

static double element(const matrix *x, size_t batch, size_t i, size_t j) {
  const int64_t *step = x->view.stride;
  if (x->view.shape[0] == 1) batch = 0;
  return (double)x->host[x->view.offset + batch * (size_t)step[0] + i * (size_t)step[1] + j * (size_t)step[2]];
}

typedef struct product_case {
  size_t m, n, k, batches;
  int a_transposed, b_transposed, share_b;
  size_t gap, head;
  moho_matmul_options options;
} product_case;

/* The sum and the sum of magnitudes, which says how large its rounding may be. */
static double dot(const matrix *a, const matrix *b, size_t g, size_t i, size_t j, size_t k, double *size) {
  double sum = 0;
  *size = 0;
  for (size_t l = 0; l < k; l++) {
    double term = element(a, g, i, l) * element(b, g, l, j);
    sum += term, *size += fabs(term);
  }
  return sum;
}

static double activate(const moho_matmul_options *options, double x) {
  switch (options->activation) {
  case MOHO_OPERATION_RELU: return x < 0 ? 0 : x;
  case MOHO_OPERATION_LEAKY_RELU: return x > 0 ? x : options->scalars[0] * x;
  default: return x;
  }
}

static void check(const product_case *t) {
  matrix a = matrix_of(t->batches, t->m, t->k, t->gap, t->head, t->a_transposed);
  matrix b = matrix_of(t->share_b ? 1 : t->batches, t->k, t->n, t->gap, t->head, t->b_transposed);
  matrix c = matrix_of(t->batches, t->m, t->n, t->gap, t->head, 0);
  matrix bias = matrix_of(1, 1, t->n, 0, t->head, 0);
  moho_matmul_options options = t->options;
  moho_tensor row = bias.view;
  row.rank = 1, row.shape[0] = t->n, row.stride[0] = 1;
  if (options.bias) options.bias = &row;
  if (options.beta == 0) { /* C is not read: NaN must not come through */
    for (size_t i = 0; i < c.count; i++) c.host[i] = NAN;
    assert_ok(moho_tensor_write(&c.base, c.host));
  }
  float *before = malloc(c.count * sizeof *before);
  memcpy(before, c.host, c.count * sizeof *before);
  matrix old = c;
  old.host = before;
  assert_ok(moho_matmul(NULL, &a.view, &b.view, &c.view, &options));
  read_back(&c);
  char *inside = calloc(c.count, 1);
  for (size_t g = 0; g < t->batches; g++)
    for (size_t i = 0; i < t->m; i++)
      for (size_t j = 0; j < t->n; j++) {
        double size, sum = dot(&a, &b, g, i, j, t->k, &size), expected = (double)options.alpha * sum, now = element(&c, g, i, j);
        if (options.beta != 0) expected += (double)options.beta * element(&old, g, i, j), size += fabs(element(&old, g, i, j));
        if (options.bias) expected += element(&bias, 0, 0, j), size += fabs(element(&bias, 0, 0, j));
        expected = activate(&options, expected);
        if (!(fabs(now - expected) <= 6e-7 * (1 + sqrt((double)t->k) / 4) * (size * fabs((double)options.alpha) + size + 1e-3)))
          fail_msg("m %zu n %zu k %zu, a%s b%s, batch %zu: c[%zu, %zu] is %g, expected %g", t->m, t->n, t->k,
                   t->a_transposed ? "'" : "", t->b_transposed ? "'" : "", g, i, j, now, expected);
        inside[c.view.offset + g * (size_t)c.view.stride[0] + i * (size_t)c.view.stride[1] + j] = 1;
      }
  for (size_t i = 0; i < c.count; i++)
    if (!inside[i]) assert_memory_equal(&c.host[i], &before[i], sizeof *before);
  free(before), free(inside);
  matrix_free(&a), matrix_free(&b), matrix_free(&c), matrix_free(&bias);
}

static moho_matmul_options plain(moho_matmul_method method) {
  moho_matmul_options options = moho_matmul_options_default();
  options.method = method;
  return options;
}

/* ---- */

static void the_example_holds(void **state) {
  (void)state;
  float a[] = {1, 2, 3, 4, 5, 6}, b[] = {7, 8, 9, 10, 11, 12}, expected[] = {58, 64, 139, 154}, now[4];
  moho_tensor x, y, z;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 3}, a, MOHO_HOST_COPY, &x));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){3, 2}, b, MOHO_HOST_COPY, &y));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 2}, &z));
  for (int own = 0; own < 2; own++) {
    moho_matmul_options options = plain(own ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO);
    assert_ok(moho_tensor_write(&z, (float[4]){0}));
    assert_ok(moho_matmul(NULL, &x, &y, &z, &options));
    assert_ok(moho_tensor_read(&z, now));
    assert_memory_equal(now, expected, sizeof now);
  }
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&y)), assert_ok(moho_tensor_destroy(&z));
}

static void transpositions_and_odd_sizes(void **state) {
  (void)state;
  for (size_t i = 0; i < ODD_SIZES; i++)
    for (size_t j = 0; j < ODD_SIZES; j++) {
      size_t k = odd_sizes[(i + 2 * j + 1) % ODD_SIZES];
      if (odd_sizes[i] * odd_sizes[j] * k > 600000 && (i + j) % 3) continue;
      for (int kinds = 0; kinds < 4; kinds++) {
        product_case t = {odd_sizes[i], odd_sizes[j], k, 1, kinds & 1, kinds >> 1, 0, i % 3, j % 5, plain(MOHO_MATMUL_AUTO)};
        check(&t);
        t.options.method = MOHO_MATMUL_OWN;
        check(&t);
      }
    }
}

static void alpha_beta_bias_activation(void **state) {
  (void)state;
  static const moho_operation activations[] = {MOHO_OPERATION_COPY, MOHO_OPERATION_RELU, MOHO_OPERATION_LEAKY_RELU};
  for (int i = 0; i < 24; i++) {
    product_case t = {33, 65, 17, 1, i & 1, 0, 0, 3, 1, plain(i & 1 ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO)};
    t.options.alpha = i & 2 ? 1 : -0.75f;
    t.options.beta = i & 4 ? 0 : i & 1 ? 1 : 2.5f;
    t.options.bias = i & 8 ? NULL : &(moho_tensor){0};
    t.options.activation = activations[i % 3];
    t.options.scalars[0] = 0.125;
    check(&t);
  }
}

/* Every operation of one input can be applied: the same as the operation by itself on the product, to a few units. */
static void any_activation_is_fused(void **state) {
  (void)state;
  enum { M = 5, N = 33, K = 3 };
  int found = 0;
  for (int o = 0; o < MOHO_OPERATION_COUNT; o++)
    for (int own = 0; own < 2; own++) {
      matrix a = matrix_of(1, M, K, 0, 0, 0), b = matrix_of(1, K, N, 0, 0, 0), c = matrix_of(1, M, N, 0, 0, 0);
      matrix y = matrix_of(1, M, N, 0, 0, 0);
      moho_matmul_options options = plain(own ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO);
      assert_ok(moho_matmul(NULL, &a.view, &b.view, &c.view, &options));
      moho_tensor_call alone = {.operation = (moho_operation)o, .inputs = {&c.view}, .output = &y.view, .scalars = {-0.5, 0.75}};
      options.activation = alone.operation, options.scalars[0] = -0.5, options.scalars[1] = 0.75;
      int is_of_one = o >= MOHO_OPERATION_ABS && o <= MOHO_OPERATION_GELU_ERF;
      if (o == MOHO_OPERATION_COPY || is_of_one) {
        assert_ok(moho_tensor_run(NULL, &alone));
        assert_ok(moho_matmul(NULL, &a.view, &b.view, &c.view, &options));
        read_back(&c), read_back(&y);
        for (size_t i = 0; i < M * N; i++)
          if (!(fabsf(c.host[i] - y.host[i]) <= 1e-6f * fabsf(y.host[i]) || (isnan(c.host[i]) && isnan(y.host[i]))))
            fail_msg("%s of a product is %g, expected %g", moho_operation_name(alone.operation), (double)c.host[i],
                     (double)y.host[i]);
        found++;
      } else {
        assert_fails(moho_matmul(NULL, &a.view, &b.view, &c.view, &options), MOHO_ERROR_NOT_AVAILABLE, "activation");
      }
      matrix_free(&a), matrix_free(&b), matrix_free(&c), matrix_free(&y);
    }
  assert_int_equal(found, 2 * 14);
}

/* options.transpose_a and _b turn the views as given: NN, NT, TN, TT. */
static void options_turn_the_views(void **state) {
  (void)state;
  enum { M = 7, N = 9, K = 11 };
  for (int kinds = 0; kinds < 4; kinds++) {
    int turn_a = kinds & 1, turn_b = kinds >> 1;
    matrix a = matrix_of(1, turn_a ? K : M, turn_a ? M : K, 2, 1, 0), b = matrix_of(1, turn_b ? N : K, turn_b ? K : N, 1, 0, 0);
    matrix c = matrix_of(1, M, N, 3, 0, 0);
    moho_matmul_options options = plain(kinds % 2 ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO);
    options.transpose_a = turn_a, options.transpose_b = turn_b;
    assert_ok(moho_matmul(NULL, &a.view, &b.view, &c.view, &options));
    read_back(&c);
    for (size_t i = 0; i < M; i++)
      for (size_t j = 0; j < N; j++) {
        double sum = 0;
        for (size_t k = 0; k < K; k++)
          sum += (turn_a ? element(&a, 0, k, i) : element(&a, 0, i, k)) * (turn_b ? element(&b, 0, j, k) : element(&b, 0, k, j));
        assert_true(fabs(element(&c, 0, i, j) - sum) <= 1e-5);
      }
    matrix_free(&a), matrix_free(&b), matrix_free(&c);
  }
}

static void batches_by_strides(void **state) {
  (void)state;
  for (int i = 0; i < 8; i++) {
    product_case t = {i & 2 ? 33 : 5, 34, 31, 3, i & 1, i & 1, i >> 2, 2, 1, plain(i & 1 ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO)};
    t.options.beta = i & 2 ? 0.5f : 0;
    check(&t);
  }
}

static void large_tiles(void **state) {
  (void)state;
  if (getenv("MOHO_METAL_LIBRARY")) skip(); /* minutes on the double; small tiles have the same text */
  product_case t = {1500, 1430, 9, 1, 0, 0, 0, 1, 3, plain(MOHO_MATMUL_OWN)};
  check(&t);
}

/* Tiles of 128, which the plan takes for many of them only: a batch of small matrices. */
static void many_tiles(void **state) {
  (void)state;
  for (int kinds = 0; kinds < 4; kinds += 3) {
    product_case t = {65, 67, 10, 128, kinds & 1, kinds >> 1, 0, 1, 3, plain(MOHO_MATMUL_OWN)};
    check(&t);
  }
}

static void vectors(void **state) {
  (void)state;
  for (size_t i = 0; i < ODD_SIZES; i++)
    for (int kinds = 0; kinds < 4; kinds++) {
      product_case t = {odd_sizes[i],
                        1,
                        odd_sizes[ODD_SIZES - 1 - i],
                        1,
                        kinds & 1,
                        0,
                        0,
                        2,
                        1,
                        plain(kinds & 2 ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO)};
      t.options.beta = kinds & 1 ? 2.0f : 0.0f;
      check(&t);
      t.m = 1, t.n = odd_sizes[i];
      check(&t);
    }
  float a[] = {1, 2, 3, 4, 5, 6}, x[] = {7, 9, 11}, now[2];
  moho_tensor matrix_a, vector_x, vector_y;
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 3}, a, MOHO_HOST_COPY, &matrix_a));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 1, (size_t[]){3}, x, MOHO_HOST_COPY, &vector_x));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, (size_t[]){2}, &vector_y));
  assert_ok(moho_matvec(NULL, &matrix_a, &vector_x, &vector_y, NULL));
  assert_ok(moho_tensor_read(&vector_y, now));
  assert_true(now[0] == 58 && now[1] == 139);
  assert_fails(moho_matvec(NULL, &matrix_a, &vector_y, &vector_y, NULL), MOHO_ERROR_SHAPE, "m 2, n 1, k 3");
  assert_ok(moho_tensor_destroy(&matrix_a)), assert_ok(moho_tensor_destroy(&vector_x)), assert_ok(moho_tensor_destroy(&vector_y));
}

static void nothing_in_gives_zero(void **state) {
  (void)state;
  moho_tensor a, b, c;
  float now[6];
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 0}, &a));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){0, 3}, &b));
  assert_ok(
      moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 3}, (float[]){1, 2, 3, 4, 5, 6}, MOHO_HOST_COPY, &c));
  for (int own = 0; own < 2; own++) {
    moho_matmul_options options = plain(own ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO);
    options.beta = 2;
    assert_ok(moho_tensor_write(&c, (float[]){1, 2, 3, 4, 5, 6}));
    assert_ok(moho_matmul(NULL, &a, &b, &c, &options));
    assert_ok(moho_tensor_read(&c, now));
    for (int i = 0; i < 6; i++) assert_true(now[i] == 2 * (float)(i + 1));
    options.beta = 0;
    assert_ok(moho_matmul(NULL, &a, &b, &c, &options));
    assert_ok(moho_tensor_read(&c, now));
    for (int i = 0; i < 6; i++) assert_true(now[i] == 0);
  }
  moho_tensor none, empty;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){0, 4}, &none));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){0, 0}, &empty));
  moho_tensor turned;
  assert_ok(moho_tensor_transpose(&none, 0, 1, &turned));
  assert_ok(moho_matmul(NULL, &none, &turned, &empty, NULL));
  assert_ok(moho_tensor_destroy(&a)), assert_ok(moho_tensor_destroy(&b)), assert_ok(moho_tensor_destroy(&c));
  assert_ok(moho_tensor_destroy(&none)), assert_ok(moho_tensor_destroy(&empty));
}

static void wrong_operands_are_named(void **state) {
  (void)state;
  moho_tensor a, b, c, whole;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 3}, &a));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 5}, &b));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){2, 5}, &c));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_I32, 2, (size_t[]){3, 5}, &whole));
  assert_fails(moho_matmul(NULL, &a, &b, &c, NULL), MOHO_ERROR_SHAPE, "operand b is [1, 4, 5], expected [1, 3, 5]");
  assert_fails(moho_matmul(NULL, &a, &whole, &c, NULL), MOHO_ERROR_NOT_AVAILABLE, "operand b is i32, expected f32, f16 or bf16");
  assert_fails(moho_matmul(NULL, NULL, &b, &c, NULL), MOHO_ERROR_ARGUMENT, "operand a is missing");
  moho_matmul_options options = moho_matmul_options_default();
  options.transpose_a = 1;
  assert_fails(moho_matmul(NULL, &c, &c, &c, &options), MOHO_ERROR_SHAPE, "operand a");
  moho_tensor square;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){3, 3}, &square));
  assert_fails(moho_matmul(NULL, &square, &square, &square, NULL), MOHO_ERROR_ARGUMENT, "overlaps");
  options = moho_matmul_options_default();
  options.activation = MOHO_OPERATION_ADD;
  moho_tensor turned;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){3, 5}, &turned));
  assert_fails(moho_matmul(NULL, &a, &turned, &c, &options), MOHO_ERROR_NOT_AVAILABLE, "activation add");
  options = moho_matmul_options_default();
  options.method = MOHO_MATMUL_LIBRARY;
  const char *why;
  if (moho_matmul_library(test_device, &why)) assert_ok(moho_matmul(NULL, &a, &turned, &c, &options));
  else assert_fails(moho_matmul(NULL, &a, &turned, &c, &options), MOHO_ERROR_NOT_AVAILABLE, "by a library");
  moho_tensor *all[] = {&a, &b, &c, &whole, &square, &turned};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) assert_ok(moho_tensor_destroy(all[i]));
}

/* f16 and bf16: whole numbers, so that sums are exact in f32 and C is rounded once. */
static void check_mixed(moho_dtype dtype, moho_dtype of_c, moho_dtype of_bias, int turned, int shared,
                        moho_matmul_method method) {
  enum { BATCHES = 2, M = 33, N = 17, K = 70 };
  const size_t a_shape[3] = {BATCHES, turned ? K : M, turned ? M : K}, b_shape[3] = {shared ? 1 : BATCHES, K, N + 3};
  const size_t c_shape[3] = {BATCHES, M, N + 5}, n = N;
  uint32_t a[BATCHES * M * K], b[BATCHES * K * (N + 3)], c[BATCHES * M * (N + 5)], bias[N], got[BATCHES * M * (N + 5)];
  moho_tensor x, y, whole_y, z, whole_z, row;
  for (size_t i = 0; i < BATCHES * M * K; i++) test_put(dtype, a, i, floor(9 * test_uniform(&test_random)) - 4);
  for (size_t i = 0; i < BATCHES * K * (N + 3); i++) test_put(dtype, b, i, floor(17 * test_uniform(&test_random)) - 8);
  for (size_t i = 0; i < BATCHES * M * (N + 5); i++) test_put(of_c, c, i, floor(100 * test_uniform(&test_random)));
  for (size_t i = 0; i < N; i++) test_put(of_bias, bias, i, floor(100 * test_uniform(&test_random)) - 50);
  assert_ok(moho_tensor_from_host(test_device, dtype, 3, a_shape, a, MOHO_HOST_COPY, &x));
  assert_ok(moho_tensor_from_host(test_device, dtype, 3, b_shape, b, MOHO_HOST_COPY, &whole_y));
  assert_ok(moho_tensor_slice(&whole_y, 2, 0, N, 1, &y));
  assert_ok(moho_tensor_from_host(test_device, of_c, 3, c_shape, c, MOHO_HOST_COPY, &whole_z));
  assert_ok(moho_tensor_slice(&whole_z, 2, 0, N, 1, &z));
  assert_ok(moho_tensor_from_host(test_device, of_bias, 1, &n, bias, MOHO_HOST_COPY, &row));
  moho_matmul_options options = plain(method);
  options.transpose_a = turned, options.alpha = 0.5f, options.beta = 2, options.bias = &row;
  options.activation = MOHO_OPERATION_RELU;
  assert_ok(moho_matmul(NULL, &x, &y, &z, &options));
  assert_ok(moho_tensor_read(&whole_z, got));
  for (size_t i = 0; i < BATCHES * M * (N + 5); i++) {
    size_t g = i / (M * (N + 5)), r = i / (N + 5) % M, j = i % (N + 5);
    double want = test_get(of_c, c, i), sum = 0;
    for (size_t k = 0; j < N && k < K; k++)
      sum += test_get(dtype, a, turned ? (g * K + k) * M + r : (g * M + r) * K + k) *
             test_get(dtype, b, ((shared ? 0 : g) * K + k) * (N + 3) + j);
    if (j < N) want = test_round(of_c, fmax(0, 0.5 * sum + 2 * want + test_get(of_bias, bias, j)));
    if (test_get(of_c, got, i) != want)
      fail_msg("%s to %s, element %zu: %g, expected %g", moho_dtype_name(dtype), moho_dtype_name(of_c), i, test_get(of_c, got, i),
               want);
  }
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&whole_y)), assert_ok(moho_tensor_destroy(&whole_z));
  assert_ok(moho_tensor_destroy(&row));
}

static void half_inputs_are_summed_in_floats(void **state) {
  (void)state;
  for (moho_dtype dtype = MOHO_DTYPE_F16; dtype <= MOHO_DTYPE_BF16; dtype++)
    for (int which = 0; which < 8; which++)
      check_mixed(dtype, which & 1 ? MOHO_DTYPE_F32 : dtype, which & 2 ? MOHO_DTYPE_F32 : dtype, which & 4, which & 2,
                  which & 1 ? MOHO_MATMUL_OWN : MOHO_MATMUL_AUTO);
  /* 1 + 2^-10 summed 4096 times: in f16 it would stay at 2048. */
  const size_t k = 4096, one = 1;
  moho_tensor x, w, y;
  float sum;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F16, 2, (size_t[]){one, k}, &x));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F16, 1, &k, &w));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 1, &one, &y));
  assert_ok(moho_tensor_fill(NULL, &x, 1));
  assert_ok(moho_tensor_fill(NULL, &w, 1 + 1.0 / 1024));
  assert_ok(moho_matvec(NULL, &x, &w, &y, NULL));
  assert_ok(moho_tensor_read(&y, &sum));
  assert_true(sum == 4100);
  assert_ok(moho_tensor_destroy(&y));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_BF16, 1, &one, &y));
  assert_fails(moho_matvec(NULL, &x, &w, &y, NULL), MOHO_ERROR_NOT_AVAILABLE, "operand c is bf16, expected f16 as a, or f32");
  assert_fails(moho_matvec(NULL, &x, &y, &w, NULL), MOHO_ERROR_NOT_AVAILABLE, "operand b is bf16, expected f16 as a");
  assert_ok(moho_tensor_destroy(&x)), assert_ok(moho_tensor_destroy(&w)), assert_ok(moho_tensor_destroy(&y));
}

/* Planned once: each run reads what the operands hold then, f16 through its temporaries too. */
static void prepared_runs_again(void **state) {
  (void)state;
  for (moho_dtype dtype = MOHO_DTYPE_F32; dtype <= MOHO_DTYPE_F16; dtype++) {
    moho_tensor a, b, c;
    moho_prepared *prepared;
    uint32_t got[4];
    assert_ok(moho_tensor_create(test_device, dtype, 2, (size_t[]){2, 3}, &a));
    assert_ok(moho_tensor_create(test_device, dtype, 2, (size_t[]){3, 2}, &b));
    assert_ok(moho_tensor_create(test_device, dtype, 2, (size_t[]){2, 2}, &c));
    assert_ok(moho_matmul_prepare(&a, &b, &c, NULL, &prepared));
    for (int k = 1; k <= 3; k++) {
      assert_ok(moho_tensor_fill(NULL, &a, k));
      assert_ok(moho_tensor_fill(NULL, &b, 2));
      assert_ok(moho_prepared_run(prepared, NULL));
      assert_ok(moho_tensor_read(&c, got));
      for (size_t i = 0; i < 4; i++) assert_true(test_get(dtype, got, i) == 6 * k);
    }
    assert_ok(moho_prepared_destroy(&prepared));
    assert_ok(moho_tensor_destroy(&a)), assert_ok(moho_tensor_destroy(&b)), assert_ok(moho_tensor_destroy(&c));
  }
}

/* Our own kernels give the same bits again and again, recorded or at once. */
static void recorded_is_the_same(void **state) {
  (void)state;
  matrix a = matrix_of(1, 70, 90, 1, 1, 0), b = matrix_of(1, 90, 66, 2, 2, 1), c = matrix_of(1, 70, 66, 0, 0, 0);
  moho_matmul_options options = plain(MOHO_MATMUL_OWN);
  float *first = malloc(c.count * sizeof *first);
  assert_ok(moho_matmul(NULL, &a.view, &b.view, &c.view, &options));
  assert_ok(moho_tensor_read(&c.base, first));
  moho_ticket ticket;
  assert_ok(moho_matmul(test_queue, &a.view, &b.view, &c.view, &options));
  assert_ok(moho_queue_submit(test_queue, &ticket));
  assert_ok(moho_queue_wait(test_queue, ticket, -1));
  read_back(&c);
  assert_memory_equal(first, c.host, c.count * sizeof *first);
  free(first), matrix_free(&a), matrix_free(&b), matrix_free(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_example_holds),
                                     cmocka_unit_test(transpositions_and_odd_sizes),
                                     cmocka_unit_test(alpha_beta_bias_activation),
                                     cmocka_unit_test(any_activation_is_fused),
                                     cmocka_unit_test(options_turn_the_views),
                                     cmocka_unit_test(batches_by_strides),
                                     cmocka_unit_test(many_tiles),
                                     cmocka_unit_test(large_tiles),
                                     cmocka_unit_test(vectors),
                                     cmocka_unit_test(nothing_in_gives_zero),
                                     cmocka_unit_test(wrong_operands_are_named),
                                     cmocka_unit_test(half_inputs_are_summed_in_floats),
                                     cmocka_unit_test(prepared_runs_again),
                                     cmocka_unit_test(recorded_is_the_same)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
