/* test_ternary.c - ternary weights on the processor: values, packing and products against integers and doubles, by every
 * instruction set that this processor runs; and faults that others had, each by itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "moho/ternary.h"
#include "test_support.h"

static const size_t odd_sizes[] = {0, 1, 3, 31, 32, 33, 64, 65, 127, 129, 255, 257};
enum { ODD_SIZES = sizeof odd_sizes / sizeof *odd_sizes };

static uint64_t seed = 20240227;

static void *array(size_t count, size_t size) {
  void *out = calloc(count ? count : 1, size);
  assert_non_null(out);
  return out;
}

static float *normals(size_t count) {
  float *x = array(count, sizeof *x);
  for (size_t i = 0; i < count; i++) x[i] = (float)test_normal(&seed);
  return x;
}

static int8_t *random_values(size_t count) {
  int8_t *q = array(count, 1);
  for (size_t i = 0; i < count; i++) q[i] = (int8_t)((int)(3 * test_uniform(&seed)) - 1);
  return q;
}

static int8_t *random_bytes(size_t count) {
  int8_t *x = array(count, 1);
  for (size_t i = 0; i < count; i++) x[i] = (int8_t)((int)(256 * test_uniform(&seed)) - 128);
  return x;
}

/* ---- values ---- */

static void quantize_is_the_formula(void **state) {
  (void)state;
  for (size_t i = 0; i < ODD_SIZES; i++)
    for (size_t j = 0; j < ODD_SIZES; j += 2) {
      size_t n = odd_sizes[j], k = odd_sizes[i];
      float *w = normals(n * k), g;
      int8_t *q = array(n * k, 1);
      assert_ok(moho_ternary_quantize(w, n, k, &(moho_ternary_options){0}, q, &g));
      double mean = 0;
      for (size_t e = 0; e < n * k; e++) mean += fabs((double)w[e]);
      mean = n && k ? mean / (double)(n * k) : 0;
      assert_true(g == (float)fmax(mean, 1e-5));
      for (size_t e = 0; e < n * k; e++) assert_int_equal(q[e], (int)fmax(-1, fmin(1, nearbyint((double)(w[e] / g)))));
      free(w), free(q);
    }
}

static void halves_go_to_even(void **state) {
  (void)state;
  const float half[] = {4, 1, -1, 2, -2, 2, 2, 2}; /* mean 2: 1/2 -> 0, 2/2 -> 1 */
  const int8_t expected[] = {1, 0, 0, 1, -1, 1, 1, 1};
  int8_t q[8];
  float g;
  assert_ok(moho_ternary_quantize(half, 2, 4, &(moho_ternary_options){0}, q, &g));
  assert_true(g == 2);
  assert_memory_equal(q, expected, sizeof expected);
  const float zeros[3] = {0};
  assert_ok(moho_ternary_quantize(zeros, 1, 3, &(moho_ternary_options){0}, q, &g));
  assert_true(g == 1e-5f && !q[0] && !q[1] && !q[2]);
}

static void rows_and_groups_have_their_own_scales(void **state) {
  (void)state;
  enum { N = 5, K = 27, GROUP = 8, PIECES = 4 };
  float *w = normals(N * K), rows[N], groups[N * PIECES];
  for (size_t o = 0; o < N; o++)
    for (size_t i = 0; i < K; i++) w[o * K + i] *= (float)(o + 1) * (i < 8 ? 100 : 1);
  int8_t q[N * K];
  size_t count;
  moho_ternary_options per_group = {.scaling = MOHO_TERNARY_PER_GROUP, .group = GROUP};
  assert_ok(moho_ternary_scale_count(&per_group, N, K, &count));
  assert_int_equal(count, N * PIECES);
  assert_ok(moho_ternary_quantize(w, N, K, &per_group, q, groups));
  for (size_t o = 0; o < N; o++)
    for (size_t p = 0; p < PIECES; p++) {
      double mean = 0;
      size_t end = p == PIECES - 1 ? K : (p + 1) * GROUP;
      for (size_t i = p * GROUP; i < end; i++) mean += fabs((double)w[o * K + i]);
      float g = (float)(mean / (double)(end - p * GROUP));
      assert_true(groups[o * PIECES + p] == g);
      for (size_t i = p * GROUP; i < end; i++) assert_int_equal(q[o * K + i], (int)fmaxf(-1, fminf(1, rintf(w[o * K + i] / g))));
    }
  assert_ok(moho_ternary_quantize(w, N, K, &(moho_ternary_options){.scaling = MOHO_TERNARY_PER_ROW}, q, rows));
  for (size_t o = 0; o < N; o++) {
    double mean = 0;
    for (size_t i = 0; i < K; i++) mean += fabs((double)w[o * K + i]);
    assert_true(rows[o] == (float)(mean / K));
  }
  free(w);
}

static void threshold_keeps_what_is_above(void **state) {
  (void)state;
  const float w[] = {1, -1, 0.7f, 0.71f, -3, 0.2f, 0.39f, 1}; /* mean 1, threshold 0.7 */
  const int8_t expected[] = {1, -1, 0, 1, -1, 0, 0, 1};
  int8_t q[8];
  float g;
  assert_ok(moho_ternary_quantize(w, 2, 4, &(moho_ternary_options){.scheme = MOHO_TERNARY_THRESHOLD}, q, &g));
  assert_memory_equal(q, expected, sizeof expected);
  assert_true(fabs(g - (1 + 1 + 0.71 + 3 + 1) / 5) < 1e-6);
}

static void names_are_known(void **state) {
  (void)state;
  moho_ternary_scheme scheme;
  moho_ternary_scaling scaling;
  assert_ok(moho_ternary_scheme_named("threshold", &scheme));
  assert_int_equal(scheme, MOHO_TERNARY_THRESHOLD);
  assert_ok(moho_ternary_scaling_named("group", &scaling));
  assert_int_equal(scaling, MOHO_TERNARY_PER_GROUP);
  assert_fails(moho_ternary_scheme_named("absmax", &scheme), MOHO_ERROR_ARGUMENT, "absmax");
}

static void bad_weights_are_refused(void **state) {
  (void)state;
  float w[] = {1, 2, NAN, 4}, g = 7;
  int8_t q[4] = {9, 9, 9, 9};
  assert_fails(moho_ternary_quantize(w, 2, 2, &(moho_ternary_options){0}, q, &g), MOHO_ERROR_RANGE, "output 1, input 0");
  assert_true(g == 7 && q[0] == 9);
  moho_ternary_options per_group = {.scaling = MOHO_TERNARY_PER_GROUP, .group = 6};
  assert_fails(moho_ternary_quantize(w, 1, 2, &per_group, q, &g), MOHO_ERROR_ARGUMENT, "multiple of 4");
  size_t count;
  assert_fails(moho_ternary_scale_count(&(moho_ternary_options){0}, 1, MOHO_TERNARY_LARGEST_K + 1, &count), MOHO_ERROR_RANGE,
               "16777215");
}

static void activations_are_the_formula(void **state) {
  (void)state;
  for (size_t i = 0; i < ODD_SIZES; i++) {
    size_t k = odd_sizes[i], stride = moho_ternary_row_bytes(k) + 8;
    enum { M = 4 };
    float *x = normals(M * k), s[M];
    int32_t sums[M];
    for (size_t e = 0; e < k; e++) x[e] = 0, x[k + e] *= 1e-9f, x[2 * k + e] *= 1e20f; /* row 3 as it is */
    int8_t *xq = array(M * stride, 1);
    memset(xq, 77, M * stride);
    assert_ok(moho_ternary_activations(x, M, k, k, xq, stride, s, sums));
    for (size_t b = 0; b < M; b++) {
      float largest = 1e-5f;
      int sum = 0;
      for (size_t e = 0; e < k; e++) largest = fmaxf(largest, fabsf(x[b * k + e]));
      assert_true(s[b] == 127.0f / largest);
      for (size_t e = 0; e < k; e++) {
        int q = (int)fmaxf(-128, fminf(127, nearbyintf(x[b * k + e] * s[b])));
        assert_int_equal(xq[b * stride + e], q);
        sum += q;
      }
      assert_int_equal(sums[b], sum);
      for (size_t e = k; e < stride; e++) assert_int_equal(xq[b * stride + e], 0);
    }
    free(x), free(xq);
  }
}

static void activation_halves_go_to_even(void **state) {
  (void)state;
  const float x[] = {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, -126.5f};
  const int8_t expected[] = {127, 0, 2, 2, 0, -2, -2, -126};
  int8_t xq[8];
  float s;
  assert_ok(moho_ternary_activations(x, 1, 8, 8, xq, 8, &s, NULL));
  assert_true(s == 1);
  assert_memory_equal(xq, expected, sizeof expected);
}

/* ---- packing ---- */

static void packing_loses_nothing(void **state) {
  (void)state;
  for (int layout = MOHO_TERNARY_2BIT; layout <= MOHO_TERNARY_LANES; layout++)
    for (size_t i = 0; i < ODD_SIZES; i++)
      for (size_t j = 0; j < ODD_SIZES; j++) {
        size_t n = odd_sizes[i], k = odd_sizes[j], bytes;
        int8_t *q = random_values(n * k), *back = array(n * k, 1);
        assert_ok(moho_ternary_packed_bytes((moho_ternary_layout)layout, n, k, &bytes));
        size_t expected = layout == MOHO_TERNARY_2BIT    ? n * ((k + 3) / 4)
                          : layout == MOHO_TERNARY_BASE3 ? n * ((k + 4) / 5)
                                                         : (n + 63) / 64 * ((k + 3) / 4) * 64;
        assert_int_equal(bytes, expected);
        uint8_t *packed = array(bytes + 1, 1);
        packed[bytes] = 0x5a;
        assert_ok(moho_ternary_pack((moho_ternary_layout)layout, q, n, k, packed, bytes));
        assert_int_equal(packed[bytes], 0x5a);
        assert_ok(moho_ternary_unpack((moho_ternary_layout)layout, packed, bytes, n, k, back));
        assert_memory_equal(q, back, n * k);
        free(q), free(back), free(packed);
      }
}

static void packed_bytes_are_as_said(void **state) {
  (void)state;
  const int8_t q[] = {-1, 0, 1, 1, 0};
  uint8_t two_bits[2], base3[1], lanes[128];
  assert_ok(moho_ternary_pack(MOHO_TERNARY_2BIT, q, 1, 5, two_bits, 2));
  assert_int_equal(two_bits[0], 0 | 1 << 2 | 2 << 4 | 2 << 6);
  assert_int_equal(two_bits[1], 0x55);
  assert_ok(moho_ternary_pack(MOHO_TERNARY_BASE3, q, 1, 5, base3, 1));
  assert_int_equal(base3[0], 0 + 3 * 1 + 9 * 2 + 27 * 2 + 81 * 1);
  int8_t tall[20 * 5] = {0};
  tall[17 * 5 + 4] = 1; /* output 17 = 16 + 1, input 4 = 4 + 0: step 1, byte 4, bits 2 */
  assert_ok(moho_ternary_pack(MOHO_TERNARY_LANES, tall, 20, 5, lanes, 128));
  for (size_t i = 0; i < 128; i++) assert_int_equal(lanes[i], i == 64 + 4 ? 0x59 : 0x55);
}

static void damage_is_told(void **state) {
  (void)state;
  int8_t q[5] = {0, 1, 2, 0, 0};
  uint8_t packed[64];
  assert_fails(moho_ternary_pack(MOHO_TERNARY_2BIT, q, 1, 5, packed, 2), MOHO_ERROR_RANGE, "input 2 is 2");
  assert_fails(moho_ternary_pack(MOHO_TERNARY_2BIT, q, 1, 5, packed, 1), MOHO_ERROR_RANGE, "1 bytes, expected at least 2");
  uint8_t bad[2] = {0x57, 0x55}, beyond[1] = {243}, padding[2] = {0x55, 0x95};
  assert_fails(moho_ternary_unpack(MOHO_TERNARY_2BIT, bad, 2, 1, 5, q), MOHO_ERROR_FORMAT, "byte 0 of row 0 is 87");
  assert_fails(moho_ternary_unpack(MOHO_TERNARY_2BIT, padding, 2, 1, 5, q), MOHO_ERROR_FORMAT, "byte 1 of row 0");
  assert_fails(moho_ternary_unpack(MOHO_TERNARY_BASE3, beyond, 1, 1, 5, q), MOHO_ERROR_FORMAT, "243");
  memset(packed, 0x55, sizeof packed);
  packed[5] = 0xd5;
  assert_fails(moho_ternary_unpack(MOHO_TERNARY_LANES, packed, 64, 64, 4, (int8_t[256]){0}), MOHO_ERROR_FORMAT, "byte 5 is 213");
}

/* ---- products ---- */

typedef struct layer {
  size_t n, k;
  int8_t *q;
  void *lanes;
  moho_ternary_weights weights;
} layer;

static layer layer_of(size_t n, size_t k, int8_t *q, const float *scales) {
  size_t bytes;
  assert_ok(moho_ternary_packed_bytes(MOHO_TERNARY_LANES, n, k, &bytes));
  layer out = {n, k, q, array(bytes, 1), {0}};
  assert_ok(moho_ternary_pack(MOHO_TERNARY_LANES, q, n, k, out.lanes, bytes));
  out.weights = (moho_ternary_weights){.n = n, .k = k, .lanes = out.lanes, .scales = scales};
  return out;
}

static void layer_free(layer *l) {
  free(l->q), free(l->lanes);
}

static int64_t exact(const layer *l, const int8_t *x, size_t o) {
  int64_t sum = 0;
  for (size_t i = 0; i < l->k; i++) sum += x[i] * l->q[o * l->k + i];
  return sum;
}

static void check_products(const layer *l, const int8_t *x, size_t m, size_t stride, const moho_ternary_run *run) {
  int32_t *out = array(m * l->n + 1, sizeof *out);
  out[m * l->n] = 12345;
  assert_ok(moho_ternary_multiply(&l->weights, x, m, stride, out, run));
  assert_int_equal(out[m * l->n], 12345);
  for (size_t b = 0; b < m; b++)
    for (size_t o = 0; o < l->n; o++)
      if (out[b * l->n + o] != exact(l, x + b * stride, o))
        fail_msg("%s [%zu, %zu] x [%zu, %zu]: row %zu, output %zu is %d, expected %lld", run->simd, m, l->k, l->n, l->k, b, o,
                 out[b * l->n + o], (long long)exact(l, x + b * stride, o));
  free(out);
}

/* Every m up to what kernels take at once and beyond, odd n and k, rows farther apart than they must be, threads. */
static void products_are_exact(void **state) {
  (void)state;
  static const size_t ms[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 97};
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++)
    for (size_t i = 0; i < ODD_SIZES; i++)
      for (size_t j = 0; j < ODD_SIZES; j++) {
        size_t n = odd_sizes[i], k = odd_sizes[j], stride = moho_ternary_row_bytes(k) + 4 * (j % 3);
        layer l = layer_of(n, k, random_values(n * k), NULL);
        int8_t *x = random_bytes(97 * stride);
        for (size_t b = 0; b < 97; b++) memset(x + b * stride + k, 0, stride - k);
        for (size_t a = (i + j) % 4; a < sizeof ms / sizeof *ms; a += 4)
          check_products(&l, x, ms[a], stride, &(moho_ternary_run){*simd, (int)(j % 3)});
        layer_free(&l), free(x);
      }
}

/* 16-bit sums wrap where pairs of 2 * -128 or 2 * 127 are added more than 63 times without widening. */
static void fault_16_bit_sums_overflow(void **state) {
  (void)state;
  static const size_t ks[] = {252, 256, 260, 4096, 20000};
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++)
    for (size_t i = 0; i < 5; i++)
      for (int value = -128; value <= 127; value += 255) {
        int8_t *q = array(70 * ks[i], 1), *x = array(7 * ks[i], 1);
        memset(q, 1, 70 * ks[i]), memset(x, value, 7 * ks[i]);
        layer l = layer_of(70, ks[i], q, NULL);
        for (size_t m = 1; m <= 7; m += 3) check_products(&l, x, m, ks[i], &(moho_ternary_run){*simd, 1});
        layer_free(&l), free(x);
      }
}

/* The largest sum there can be fits 32 bits. */
static void the_largest_k_is_exact(void **state) {
  (void)state;
  size_t k = MOHO_TERNARY_LARGEST_K, stride = moho_ternary_row_bytes(k), steps = stride / 4;
  uint8_t *lanes = aligned_alloc(64, steps * 64);
  int8_t *x = malloc(stride);
  assert_true(lanes && x);
  memset(lanes, 0xaa, steps * 64), memset(x, -128, k), x[k] = 0; /* every weight 1 */
  moho_ternary_weights weights = {.n = 2, .k = k, .lanes = lanes};
  int32_t out[2];
  for (const char *const *simd = moho_ternary_simd_names(); *simd && strcmp(*simd, "scalar"); simd++) {
    assert_ok(moho_ternary_multiply(&weights, x, 1, stride, out, &(moho_ternary_run){*simd, 1}));
    assert_true(out[0] == -2147483520 && out[1] == -2147483520);
  }
  free(lanes), free(x);
}

/* Where the widest instructions are missing, others must compute, not nothing. */
static void fault_no_kernel_without_avx2(void **state) {
  (void)state;
  int found = 0;
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++) found += !strcmp(*simd, "scalar");
  assert_int_equal(found, 1);
  layer l = layer_of(3, 5, random_values(15), NULL);
  int8_t x[8] = {1, 2, 3, 4, 5};
  check_products(&l, x, 1, 8, &(moho_ternary_run){"scalar", 1});
  int32_t out[3];
  assert_fails(moho_ternary_multiply(&l.weights, x, 1, 8, out, &(moho_ternary_run){"mmx", 1}), MOHO_ERROR_NOT_AVAILABLE, "mmx");
  layer_free(&l);
}

/* Packed weights and activations that end where memory ends (sanitizers see a read beyond). */
static void fault_k_of_any_size(void **state) {
  (void)state;
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++)
    for (size_t k = 1; k <= 140; k += 1 + k / 20) {
      layer l = layer_of(k % 7 + 1, k, random_values((k % 7 + 1) * k), NULL);
      size_t stride = moho_ternary_row_bytes(k);
      int8_t *x = random_bytes(3 * stride);
      for (size_t b = 0; b < 3; b++) memset(x + b * stride + k, 0, stride - k);
      check_products(&l, x, 3, stride, &(moho_ternary_run){*simd, 1});
      layer_free(&l), free(x);
    }
}

/* ---- BitLinear ---- */

/* In double, from the formula; integers as they must be. */
static double bitlinear_of(const layer *l, const float *x, size_t o, size_t group, const float *scales, size_t pieces) {
  float largest = 1e-5f;
  for (size_t i = 0; i < l->k; i++) largest = fmaxf(largest, fabsf(x[i]));
  float s = 127.0f / largest;
  double y = 0;
  for (size_t p = 0; p < pieces; p++) {
    int64_t sum = 0;
    for (size_t i = p * group; i < l->k && i < (p + 1) * group; i++)
      sum += (int64_t)fmaxf(-128, fminf(127, nearbyintf(x[i] * s))) * l->q[o * l->k + i];
    y += (double)scales[p] / (double)s * (double)sum;
  }
  return y;
}

static void check_bitlinear(size_t m, size_t n, size_t k, moho_ternary_scaling scaling, size_t group) {
  float *w = normals(n * k), *x = normals(m * (k + 3)), *bias = normals(n), *first = NULL;
  moho_ternary_options options = {.scaling = scaling, .group = group};
  size_t count;
  assert_ok(moho_ternary_scale_count(&options, n, k, &count));
  float *scales = array(count, sizeof *scales);
  int8_t *q = array(n * k, 1);
  assert_ok(moho_ternary_quantize(w, n, k, &options, q, scales));
  layer l = layer_of(n, k, q, scales);
  l.weights.scaling = scaling, l.weights.group = group;
  size_t length = scaling == MOHO_TERNARY_PER_GROUP ? group : k, pieces = k ? (k + length - 1) / length : 0;
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++) {
    float *y = array(m * (n + 2), sizeof *y);
    for (size_t e = 0; e < m * (n + 2); e++) y[e] = 99;
    moho_bitlinear_input input = {.x = x, .m = m, .x_stride = k + 3, .bias = bias};
    assert_ok(moho_bitlinear(&l.weights, &input, y, n + 2, &(moho_ternary_run){*simd, 2}));
    for (size_t b = 0; b < m; b++) {
      for (size_t o = 0; o < n; o++) {
        const float *own = scaling == MOHO_TERNARY_PER_TENSOR ? scales
                           : scaling == MOHO_TERNARY_PER_ROW  ? scales + o
                                                              : scales + o * pieces;
        double expected = bitlinear_of(&l, x + b * (k + 3), o, length, own, pieces) + (double)bias[o];
        assert_true(fabs(y[b * (n + 2) + o] - expected) <= 1e-6 * (fabs(expected) + sqrt((double)k) + 1));
      }
      assert_true(y[b * (n + 2) + n] == 99 && y[b * (n + 2) + n + 1] == 99);
    }
    if (first) assert_memory_equal(first, y, m * (n + 2) * sizeof *y); /* the same bits by every instruction set */
    else first = y, y = NULL;
    free(y);
  }
  free(w), free(x), free(bias), free(scales), free(first), layer_free(&l);
}

static void bitlinear_is_the_formula(void **state) {
  (void)state;
  for (size_t i = 0; i < ODD_SIZES; i++)
    for (size_t j = 0; j < ODD_SIZES; j += 3) {
      check_bitlinear(1 + i, odd_sizes[i], odd_sizes[j], MOHO_TERNARY_PER_TENSOR, 0);
      check_bitlinear(7, odd_sizes[i], odd_sizes[j], MOHO_TERNARY_PER_ROW, 0);
      check_bitlinear(1 + i % 3, odd_sizes[j], odd_sizes[i], MOHO_TERNARY_PER_GROUP, 32);
    }
}

/* Several tokens: each row is what it is alone; a wrong stride or shared sums would show. */
static void fault_several_tokens(void **state) {
  (void)state;
  enum { M = 9, N = 70, K = 133, STRIDE = 140 };
  float *w = normals(N * K), *x = normals(M * STRIDE), g, together[M * N], alone[N];
  for (size_t b = 0; b < M; b++)
    for (size_t i = 0; i < K; i++) x[b * STRIDE + i] *= (float)(b * b + 1);
  int8_t *q = array(N * K, 1);
  assert_ok(moho_ternary_quantize(w, N, K, &(moho_ternary_options){0}, q, &g));
  layer l = layer_of(N, K, q, &g);
  for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++) {
    moho_ternary_run run = {*simd, 1};
    assert_ok(moho_bitlinear(&l.weights, &(moho_bitlinear_input){.x = x, .m = M, .x_stride = STRIDE}, together, 0, &run));
    for (size_t b = 0; b < M; b++) {
      assert_ok(moho_bitlinear(&l.weights, &(moho_bitlinear_input){.x = x + b * STRIDE, .m = 1}, alone, 0, &run));
      assert_memory_equal(alone, together + b * N, sizeof alone);
    }
  }
  free(w), free(x), layer_free(&l);
}

static void fault_workspace_too_small(void **state) {
  (void)state;
  enum { M = 5, N = 33, K = 31 };
  float *w = normals(N * K), *x = normals(M * K), g, y[M * N], expected[M * N];
  int8_t *q = array(N * K, 1);
  assert_ok(moho_ternary_quantize(w, N, K, &(moho_ternary_options){0}, q, &g));
  layer l = layer_of(N, K, q, &g);
  size_t needed;
  assert_ok(moho_bitlinear_workspace(M, K, &needed));
  char *work = aligned_alloc(64, (needed + 127) / 64 * 64);
  assert_non_null(work);
  memset(work, 0x5a, needed + 64);
  moho_bitlinear_input input = {
      .x = x, .m = M, .rms_norm = 1, .rms_epsilon = 1e-6f, .workspace = work, .workspace_bytes = needed - 1};
  for (size_t i = 0; i < M * N; i++) y[i] = 99;
  assert_fails(moho_bitlinear(&l.weights, &input, y, 0, NULL), MOHO_ERROR_RANGE, "workspace");
  assert_true(y[0] == 99);
  input.workspace_bytes = needed;
  assert_ok(moho_bitlinear(&l.weights, &input, y, 0, NULL));
  for (size_t i = needed; i < needed + 64; i++) assert_int_equal(work[i], 0x5a);
  input.workspace = NULL;
  assert_ok(moho_bitlinear(&l.weights, &input, expected, 0, NULL));
  assert_memory_equal(y, expected, sizeof y);
  free(w), free(x), free(work), layer_free(&l);
}

static void rms_norm_comes_before(void **state) {
  (void)state;
  enum { M = 3, N = 20, K = 517 };
  float *w = normals(N * K), *x = normals(M * K), *gain = normals(K), *before = array(M * K, sizeof *before), g, y[M * N],
        expected[M * N];
  for (size_t b = 0; b < M; b++) {
    double sum = 0;
    for (size_t i = 0; i < K; i++) sum += (double)x[b * K + i] * (double)x[b * K + i];
    for (size_t i = 0; i < K; i++) before[b * K + i] = (float)((double)x[b * K + i] / sqrt(sum / K + 0.01) * (double)gain[i]);
  }
  int8_t *q = array(N * K, 1);
  assert_ok(moho_ternary_quantize(w, N, K, &(moho_ternary_options){0}, q, &g));
  layer l = layer_of(N, K, q, &g);
  moho_bitlinear_input input = {.x = x, .m = M, .rms_norm = 1, .rms_gain = gain, .rms_epsilon = 0.01f};
  assert_ok(moho_bitlinear(&l.weights, &input, y, 0, NULL));
  assert_ok(moho_bitlinear(&l.weights, &(moho_bitlinear_input){.x = before, .m = M}, expected, 0, NULL));
  /* A rounding of the norm may move an activation by one step: of K of them a few do. */
  double off = 0, size = 0;
  for (size_t i = 0; i < M * N; i++) off += pow((double)(y[i] - expected[i]), 2), size += pow((double)expected[i], 2);
  assert_true(off <= 4e-6 * size);
  input.rms_epsilon = 0;
  assert_fails(moho_bitlinear(&l.weights, &input, y, 0, NULL), MOHO_ERROR_RANGE, "epsilon");
  free(w), free(x), free(gain), free(before), layer_free(&l);
}

static void what_is_not_finite_stays_in_its_row(void **state) {
  (void)state;
  enum { M = 3, N = 4, K = 70 };
  float *w = normals(N * K), *x = normals(M * K), g, y[M * N], clean[M * N];
  int8_t *q = array(N * K, 1);
  assert_ok(moho_ternary_quantize(w, N, K, &(moho_ternary_options){0}, q, &g));
  layer l = layer_of(N, K, q, &g);
  assert_ok(moho_bitlinear(&l.weights, &(moho_bitlinear_input){.x = x, .m = M}, clean, 0, NULL));
  for (int bad = 0; bad < 2; bad++) {
    x[K + 3] = bad ? NAN : -INFINITY;
    for (const char *const *simd = moho_ternary_simd_names(); *simd; simd++) {
      assert_ok(moho_bitlinear(&l.weights, &(moho_bitlinear_input){.x = x, .m = M}, y, 0, &(moho_ternary_run){*simd, 1}));
      for (size_t o = 0; o < N; o++) assert_true(isnan(y[N + o]) && y[o] == clean[o] && y[2 * N + o] == clean[2 * N + o]);
    }
  }
  free(w), free(x), layer_free(&l);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(quantize_is_the_formula),
                                     cmocka_unit_test(halves_go_to_even),
                                     cmocka_unit_test(rows_and_groups_have_their_own_scales),
                                     cmocka_unit_test(threshold_keeps_what_is_above),
                                     cmocka_unit_test(names_are_known),
                                     cmocka_unit_test(bad_weights_are_refused),
                                     cmocka_unit_test(activations_are_the_formula),
                                     cmocka_unit_test(activation_halves_go_to_even),
                                     cmocka_unit_test(packing_loses_nothing),
                                     cmocka_unit_test(packed_bytes_are_as_said),
                                     cmocka_unit_test(damage_is_told),
                                     cmocka_unit_test(products_are_exact),
                                     cmocka_unit_test(fault_16_bit_sums_overflow),
                                     cmocka_unit_test(the_largest_k_is_exact),
                                     cmocka_unit_test(fault_no_kernel_without_avx2),
                                     cmocka_unit_test(fault_k_of_any_size),
                                     cmocka_unit_test(bitlinear_is_the_formula),
                                     cmocka_unit_test(fault_several_tokens),
                                     cmocka_unit_test(fault_workspace_too_small),
                                     cmocka_unit_test(rms_norm_comes_before),
                                     cmocka_unit_test(what_is_not_finite_stays_in_its_row)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
