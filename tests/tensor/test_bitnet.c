/* test_bitnet.c - BitNet layers on the device that MOHO_DEVICE names: integer parts against sums of the formula, y against the
 * same bits that plain arrays give on the processor, for odd sizes, strides, scalings, norms; what is wrong is named. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "moho/bitnet.h"
#include "tensor/ternary_parts.h"
#include "tensor_support.h"

static float *normals(size_t count) {
  float *x = malloc((count ? count : 1) * sizeof *x);
  assert_non_null(x);
  for (size_t i = 0; i < count; i++) x[i] = (float)test_normal(&test_random);
  return x;
}

/* A tensor [rows, columns] whose rows lie `columns + gap` apart, `head` elements into its base. */
static moho_tensor rows_of(moho_dtype dtype, float *data, size_t rows, size_t columns, size_t gap, size_t head,
                           moho_tensor *base) {
  size_t count = head + rows * (columns + gap) + 1;
  assert_ok(moho_tensor_create(test_device, dtype, 1, &count, base));
  if (data) assert_ok(moho_tensor_write(base, data));
  moho_tensor view;
  assert_ok(
      moho_tensor_view(base->buffer, head, dtype, 2, (size_t[]){rows, columns}, (int64_t[]){(int64_t)(columns + gap), 1}, &view));
  return view;
}

typedef struct layer_case {
  size_t m, n, k;
  moho_ternary_scaling scaling;
  size_t group;
  int with_bias, rms_norm, with_gain;
  size_t gap;
} layer_case;

/* The formula, number by number. */
static int32_t integer_part(const layer_case *t, const int8_t *q, const float *x, size_t o) {
  float largest = 1e-5f;
  for (size_t i = 0; i < t->k; i++) largest = fmaxf(largest, fabsf(x[i]));
  float s = 127.0f / largest;
  int32_t sum = 0;
  for (size_t i = 0; i < t->k; i++) sum += (int32_t)fmaxf(-128, fminf(127, nearbyintf(x[i] * s))) * q[o * t->k + i];
  return sum;
}

static void check_integers(const layer_case *t, const moho_bitnet_weights *weights, const moho_tensor *x, const float *host_x,
                           const int8_t *q) {
  moho_tensor base, y = rows_of(MOHO_DTYPE_I32, NULL, t->m, t->n, t->gap, 3, &base);
  size_t count = moho_tensor_elements(&base);
  int32_t *now = malloc(count * sizeof *now), marker = 0x5a5a5a5a;
  for (size_t i = 0; i < count; i++) now[i] = marker;
  assert_ok(moho_tensor_write(&base, now));
  assert_ok(moho_bitnet_linear(NULL, weights, x, &y, NULL));
  assert_ok(moho_tensor_read(&base, now));
  size_t checked = 0;
  for (size_t b = 0; b < t->m; b++)
    for (size_t o = 0; o < t->n; o++, checked++) {
      int32_t *at = &now[3 + b * (t->n + t->gap) + o], expected = integer_part(t, q, host_x + 1 + b * (t->k + t->gap), o);
      if (*at != expected)
        fail_msg("m %zu n %zu k %zu: integer [%zu, %zu] is %d, expected %d", t->m, t->n, t->k, b, o, *at, expected);
      *at = marker;
    }
  for (size_t i = 0; i < count; i++) assert_int_equal(now[i], marker);
  free(now);
  assert_ok(moho_tensor_destroy(&base));
}

/* y of plain arrays on the processor: the same bits. */
static void check_floats(const layer_case *t, const moho_bitnet_weights *weights, const moho_tensor *x, const float *host_x,
                         const int8_t *q, const float *scales) {
  size_t bytes, gap = t->gap;
  float *bias = normals(t->n + 4), *gain = normals(t->k + 4), *expected = normals(t->m * t->n);
  assert_ok(moho_ternary_packed_bytes(MOHO_TERNARY_LANES, t->n, t->k, &bytes));
  void *lanes = malloc(bytes + 1);
  assert_ok(moho_ternary_pack(MOHO_TERNARY_LANES, q, t->n, t->k, lanes, bytes));
  const moho_ternary_weights plain = {t->n, t->k, lanes, scales, t->scaling, t->group};
  const moho_bitlinear_input input = {.x = host_x + 1,
                                      .m = t->m,
                                      .x_stride = t->k + gap,
                                      .bias = t->with_bias ? bias + 1 : NULL,
                                      .rms_norm = t->rms_norm,
                                      .rms_gain = t->with_gain ? gain + 1 : NULL,
                                      .rms_epsilon = 1e-6f};
  assert_ok(moho_bitlinear(&plain, &input, expected, 0, NULL));
  moho_tensor bases[3], y = rows_of(MOHO_DTYPE_F32, NULL, t->m, t->n, gap, 2, &bases[0]);
  moho_tensor bias_row = rows_of(MOHO_DTYPE_F32, bias, 1, t->n, 1, 1, &bases[1]);
  moho_tensor gain_row = rows_of(MOHO_DTYPE_F32, gain, 1, t->k, 1, 1, &bases[2]);
  bias_row.rank = gain_row.rank = 1;
  bias_row.shape[0] = t->n, gain_row.shape[0] = t->k, bias_row.stride[0] = gain_row.stride[0] = 1;
  const moho_bitnet_options options = {.bias = t->with_bias ? &bias_row : NULL,
                                       .rms_norm = t->rms_norm,
                                       .rms_gain = t->with_gain ? &gain_row : NULL,
                                       .rms_epsilon = 1e-6f};
  assert_ok(moho_bitnet_linear(NULL, weights, x, &y, &options));
  float *now = malloc((t->m * (t->n + gap) + 4) * sizeof *now);
  assert_ok(moho_tensor_read(&bases[0], now));
  for (size_t b = 0; b < t->m; b++)
    for (size_t o = 0; o < t->n; o++)
      if (memcmp(&now[2 + b * (t->n + gap) + o], &expected[b * t->n + o], sizeof *now))
        fail_msg("m %zu n %zu k %zu: y[%zu, %zu] is %.9g, expected %.9g", t->m, t->n, t->k, b, o,
                 (double)now[2 + b * (t->n + gap) + o], (double)expected[b * t->n + o]);
  for (int i = 0; i < 3; i++) assert_ok(moho_tensor_destroy(&bases[i]));
  free(bias), free(gain), free(expected), free(lanes), free(now);
}

static void check(const layer_case *t) {
  float *w = normals(t->n * t->k), *host_x = normals(t->m * (t->k + t->gap) + 2);
  const moho_ternary_options options = {.scaling = t->scaling, .group = t->group};
  size_t count;
  assert_ok(moho_ternary_scale_count(&options, t->n, t->k, &count));
  float *scales = calloc(count ? count : 1, sizeof *scales);
  int8_t *q = calloc(t->n * t->k + 1, 1);
  assert_ok(moho_ternary_quantize(w, t->n, t->k, &options, q, scales));
  moho_bitnet_weights weights;
  assert_ok(moho_bitnet_weights_create(test_device, w, t->n, t->k, &options, &weights));
  moho_tensor base, x = rows_of(MOHO_DTYPE_F32, host_x, t->m, t->k, t->gap, 1, &base);
  check_integers(t, &weights, &x, host_x, q);
  check_floats(t, &weights, &x, host_x, q, scales);
  assert_ok(moho_tensor_destroy(&base));
  assert_ok(moho_bitnet_weights_destroy(&weights));
  free(w), free(host_x), free(scales), free(q);
}

/* ---- */

static void odd_sizes(void **state) {
  (void)state;
  static const size_t sizes[] = {1, 31, 32, 33, 255, 257}, rows[] = {1, 2, 3, 4, 5, 9};
  for (size_t i = 0; i < 6; i++)
    for (size_t j = 0; j < 6; j++) {
      layer_case t = {.m = rows[(i + j) % 6], .n = sizes[i], .k = sizes[j], .gap = i % 3, .with_bias = (int)(j & 1)};
      check(&t);
    }
}

static void scalings(void **state) {
  (void)state;
  for (size_t i = 0; i < 6; i++) {
    check(&(layer_case){.m = i + 1, .n = 70, .k = 260 + i, .scaling = MOHO_TERNARY_PER_ROW, .with_bias = 1});
    check(&(layer_case){
        .m = i + 1, .n = 65, .k = 300 + i, .scaling = MOHO_TERNARY_PER_GROUP, .group = 64, .gap = 2, .with_bias = 1});
    check(&(layer_case){.m = 2, .n = 3, .k = 33, .scaling = MOHO_TERNARY_PER_GROUP, .group = 4 + 4 * i});
  }
}

static void norms(void **state) {
  (void)state;
  for (size_t i = 0; i < 4; i++)
    check(&(layer_case){
        .m = 3, .n = 40, .k = i ? 255 + 130 * i : 1, .rms_norm = 1, .with_gain = (int)(i & 1), .with_bias = (int)(i & 2)});
}

/* Longer than a group's stride over steps, 256 inputs, several times. */
static void long_rows(void **state) {
  (void)state;
  check(&(layer_case){.m = 5, .n = 66, .k = 1999, .gap = 1});
}

/* Tiles of 8, 16, 32 and 64 rows, with the inputs shared out among eight, four or two SIMD groups and by one alone. */
static void many_rows(void **state) {
  (void)state;
  static const layer_case cases[] = {
      {.m = 8, .n = 130, .k = 1100, .with_bias = 1, .gap = 1},
      {.m = 13, .n = 66, .k = 300, .scaling = MOHO_TERNARY_PER_ROW},
      {.m = 17, .n = 70, .k = 129, .scaling = MOHO_TERNARY_PER_GROUP, .group = 20, .with_bias = 1, .gap = 3},
      {.m = 70, .n = 65, .k = 200, .scaling = MOHO_TERNARY_PER_GROUP, .group = 128},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    for (size_t enough = 0; enough <= i % 2; enough++) { /* each way is a text to compile */
      ternary_tiles_set(enough, 0);
      check(&cases[i]);
    }
  ternary_tiles_set(0, 1); /* which lane has what where tensor cores multiply */
  check(&(layer_case){.m = 11, .n = 65, .k = 150, .with_bias = 1});
  ternary_tiles_set(0, 0);
}

static void nothing_in(void **state) {
  (void)state;
  check(&(layer_case){.m = 2, .n = 5, .k = 0, .with_bias = 1});
  check(&(layer_case){.m = 0, .n = 5, .k = 7});
  check(&(layer_case){.m = 3, .n = 0, .k = 7});
}

static void what_is_not_finite_stays_in_its_row(void **state) {
  (void)state;
  float w[8] = {1, -1, 0.1f, 2, 1, 1, 1, -3}, x[12] = {1, 2, 3, 4, 1, NAN, 3, 4, 1, -INFINITY, 0, 0}, y[6];
  moho_bitnet_weights weights;
  moho_tensor in, out;
  assert_ok(moho_bitnet_weights_create(test_device, w, 2, 4, &(moho_ternary_options){0}, &weights));
  assert_ok(moho_tensor_from_host(test_device, MOHO_DTYPE_F32, 2, (size_t[]){3, 4}, x, MOHO_HOST_COPY, &in));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){3, 2}, &out));
  assert_ok(moho_bitnet_linear(NULL, &weights, &in, &out, NULL));
  assert_ok(moho_tensor_read(&out, y));
  assert_true(isfinite(y[0]) && isfinite(y[1]) && isnan(y[2]) && isnan(y[3]) && isnan(y[4]) && isnan(y[5]));
  assert_ok(moho_tensor_destroy(&in)), assert_ok(moho_tensor_destroy(&out)), assert_ok(moho_bitnet_weights_destroy(&weights));
}

static void wrong_operands_are_named(void **state) {
  (void)state;
  float w[6] = {1, -1, 0, 1, 1, 1};
  moho_bitnet_weights weights;
  moho_tensor x, y, wrong;
  assert_ok(moho_bitnet_weights_create(test_device, w, 2, 3, &(moho_ternary_options){0}, &weights));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 3}, &x));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 2}, &y));
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_U8, 2, (size_t[]){4, 3}, &wrong));
  assert_fails(moho_bitnet_linear(NULL, &weights, &y, &x, NULL), MOHO_ERROR_SHAPE, "operand x is [4, 2], expected [4, 3]");
  assert_fails(moho_bitnet_linear(NULL, &weights, &wrong, &y, NULL), MOHO_ERROR_NOT_AVAILABLE, "operand x is u8, expected f32");
  assert_fails(moho_bitnet_linear(NULL, &weights, &x, NULL, NULL), MOHO_ERROR_ARGUMENT, "operand y is missing");
  assert_fails(moho_bitnet_linear(NULL, &weights, &x, &y, &(moho_bitnet_options){.rms_norm = 1}), MOHO_ERROR_RANGE, "epsilon");
  moho_bitnet_weights cut = weights;
  cut.n = 70;
  moho_tensor wide;
  assert_ok(moho_tensor_create(test_device, MOHO_DTYPE_F32, 2, (size_t[]){4, 70}, &wide));
  assert_fails(moho_bitnet_linear(NULL, &cut, &x, &wide, NULL), MOHO_ERROR_SHAPE, "packed weights [70, 3] have 64 bytes");
  moho_tensor *all[] = {&x, &y, &wrong, &wide};
  for (size_t i = 0; i < 4; i++) assert_ok(moho_tensor_destroy(all[i]));
  assert_ok(moho_bitnet_weights_destroy(&weights));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(odd_sizes),
                                     cmocka_unit_test(scalings),
                                     cmocka_unit_test(norms),
                                     cmocka_unit_test(long_rows),
                                     cmocka_unit_test(many_rows),
                                     cmocka_unit_test(nothing_in),
                                     cmocka_unit_test(what_is_not_finite_stays_in_its_row),
                                     cmocka_unit_test(wrong_operands_are_named)};
  return cmocka_run_group_tests(tests, test_tensor_begin, test_tensor_end);
}
