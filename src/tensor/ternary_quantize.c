/* ternary_quantize.c - weights to -1, 0, 1 with their scales; rows of activations to bytes. */
#include "moho/ternary.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/ternary_parts.h"

static const char *const scheme_names[] = {"absmean", "threshold"}, *const scaling_names[] = {"tensor", "row", "group"};

static moho_status find_name(const char *name, const char *what, const char *const *names, size_t n, int *out) {
  for (size_t i = 0; i < n; i++)
    if (name && !strcmp(name, names[i])) {
      *out = (int)i;
      return MOHO_OK;
    }
  return moho_fail_at((moho_place){0}, n == 2 ? "absmean, threshold" : "tensor, row, group", MOHO_ERROR_ARGUMENT,
                      "unknown ternary %s '%s'", what, name ? name : "(null)");
}

moho_status moho_ternary_scheme_named(const char *name, moho_ternary_scheme *out) {
  int found;
  MOHO_TRY(find_name(name, "scheme", scheme_names, 2, &found));
  *out = (moho_ternary_scheme)found;
  return MOHO_OK;
}

moho_status moho_ternary_scaling_named(const char *name, moho_ternary_scaling *out) {
  int found;
  MOHO_TRY(find_name(name, "scaling", scaling_names, 3, &found));
  *out = (moho_ternary_scaling)found;
  return MOHO_OK;
}

/* ---- weights ---- */

/* Weights that share a scale: `rows` runs of `length`, `stride` apart. */
typedef struct weight_set {
  const float *w;
  size_t rows, length, stride;
} weight_set;

static double mean_magnitude(const weight_set *set) {
  double sum = 0;
  for (size_t r = 0; r < set->rows; r++)
    for (size_t i = 0; i < set->length; i++) sum += fabs((double)set->w[r * set->stride + i]);
  size_t count = set->rows * set->length;
  return count ? sum / (double)count : 0;
}

static float at_least(double g) {
  return (float)(g > 1e-5 ? g : 1e-5);
}

static float quantize_absmean(const weight_set *set, int8_t *q) {
  float g = at_least(mean_magnitude(set));
  for (size_t r = 0; r < set->rows; r++)
    for (size_t i = 0; i < set->length; i++) {
      float x = set->w[r * set->stride + i] / g;
      /* round to even: a half goes to 0, three halves to 2, which is clamped to 1. */
      q[r * set->stride + i] = (int8_t)((x > 0.5f) - (x < -0.5f));
    }
  return g;
}

static float quantize_threshold(const weight_set *set, int8_t *q) {
  double threshold = 0.7 * mean_magnitude(set), sum = 0;
  size_t kept = 0;
  for (size_t r = 0; r < set->rows; r++)
    for (size_t i = 0; i < set->length; i++) {
      double x = set->w[r * set->stride + i];
      int is_kept = fabs(x) > threshold;
      q[r * set->stride + i] = (int8_t)(is_kept ? (x > 0) - (x < 0) : 0);
      sum += is_kept ? fabs(x) : 0;
      kept += (size_t)is_kept;
    }
  return at_least(kept ? sum / (double)kept : 0);
}

static float quantize_set(const weight_set *set, moho_ternary_scheme scheme, int8_t *q) {
  return scheme == MOHO_TERNARY_THRESHOLD ? quantize_threshold(set, q) : quantize_absmean(set, q);
}

moho_status ternary_check_scaling(moho_ternary_scaling scaling, size_t group, size_t k) {
  if (scaling > MOHO_TERNARY_PER_GROUP)
    return moho_fail(MOHO_ERROR_ARGUMENT, "ternary scaling %d, expected 0 to 2", (int)scaling);
  if (scaling == MOHO_TERNARY_PER_GROUP && (group == 0 || group % 4))
    return moho_fail(MOHO_ERROR_ARGUMENT, "ternary group of %zu inputs, expected a multiple of 4", group);
  if (k > MOHO_TERNARY_LARGEST_K)
    return moho_fail_at((moho_place){0}, "cut the inputs into parts and add the parts' results", MOHO_ERROR_RANGE,
                        "%zu inputs, at most %zu: their sum would not fit 32 bits", k, MOHO_TERNARY_LARGEST_K);
  return MOHO_OK;
}

size_t ternary_group_length(moho_ternary_scaling scaling, size_t group, size_t k) {
  return scaling == MOHO_TERNARY_PER_GROUP && group < k ? group : k;
}

static moho_status check_weights(const float *w, size_t n, size_t k, const moho_ternary_options *options) {
  if (!options) return moho_fail(MOHO_ERROR_ARGUMENT, "ternary options are missing");
  if (options->scheme > MOHO_TERNARY_THRESHOLD)
    return moho_fail(MOHO_ERROR_ARGUMENT, "ternary scheme %d, expected 0 or 1", (int)options->scheme);
  MOHO_TRY(ternary_check_scaling(options->scaling, options->group, k));
  size_t values;
  MOHO_TRY(moho_multiply(n, k, "ternary weights", &values));
  for (size_t i = 0; w && i < values; i++)
    if (!isfinite(w[i]))
      return moho_fail(MOHO_ERROR_RANGE, "ternary weight of output %zu, input %zu is %g, expected a finite number", i / k, i % k,
                       (double)w[i]);
  return MOHO_OK;
}

moho_status moho_ternary_scale_count(const moho_ternary_options *options, size_t n, size_t k, size_t *count) {
  MOHO_TRY(check_weights(NULL, n, k, options));
  if (options->scaling == MOHO_TERNARY_PER_TENSOR) *count = 1;
  else if (options->scaling == MOHO_TERNARY_PER_ROW) *count = n;
  else return moho_multiply(n, moho_pieces(k, options->group), "ternary scales", count);
  return MOHO_OK;
}

moho_status moho_ternary_quantize(const float *w, size_t n, size_t k, const moho_ternary_options *options, int8_t *q,
                                  float *scales) {
  if (!scales || ((!w || !q) && n && k)) return moho_fail(MOHO_ERROR_ARGUMENT, "ternary weights: an array is NULL");
  MOHO_TRY(check_weights(w, n, k, options));
  if (options->scaling == MOHO_TERNARY_PER_TENSOR) {
    scales[0] = quantize_set(&(weight_set){w, n, k, k}, options->scheme, q);
    return MOHO_OK;
  }
  size_t length = ternary_group_length(options->scaling, options->group, k);
  if (options->scaling == MOHO_TERNARY_PER_ROW)
    for (size_t o = 0; o < n; o++) scales[o] = quantize_set(&(weight_set){w + o * k, 1, k, k}, options->scheme, q + o * k);
  else
    for (size_t o = 0; o < n; o++)
      for (size_t first = 0; first < k; first += length) {
        weight_set set = {w + o * k + first, 1, moho_smaller(length, k - first), k};
        *scales++ = quantize_set(&set, options->scheme, q + o * k + first);
      }
  return MOHO_OK;
}

/* ---- activations ---- */

enum { CHUNK = 1024 };

/* Inputs first ... of a row, normalised where that is asked for: into `chunk`, or where they are. */
static const float *normalised(const ternary_norm *norm, const float *x, size_t first, size_t n, float root, float *chunk) {
  if (!norm->is_on) return x + first;
  for (size_t i = 0; i < n; i++) chunk[i] = x[first + i] / root;
  for (size_t i = 0; norm->gain && i < n; i++) chunk[i] *= norm->gain[first + i];
  return chunk;
}

float ternary_quantize_row(const ternary_kernel *kernel, const ternary_norm *norm, const float *x, size_t k, int8_t *xq,
                           int32_t *sum) {
  float chunk[CHUNK], largest = 0, root = norm->is_on && k ? sqrtf(kernel->mean_square(x, k) + norm->epsilon) : 1;
  size_t size = norm->is_on ? CHUNK : k;
  for (size_t i = 0; i < k; i += size) {
    size_t n = moho_smaller(size, k - i);
    largest = fmaxf(largest, kernel->largest(normalised(norm, x, i, n, root, chunk), n));
  }
  *sum = 0;
  if (isinf(largest)) {
    memset(xq, 0, k);
    return NAN;
  }
  float s = 127.0f / (largest > 1e-5f ? largest : 1e-5f);
  for (size_t i = 0; i < k; i += size) {
    size_t n = moho_smaller(size, k - i);
    *sum += kernel->quantize(normalised(norm, x, i, n, root, chunk), n, s, xq + i);
  }
  return s;
}

static void quantize_one(const ternary_kernel *kernel, const ternary_norm *norm, const ternary_rows *rows, size_t b) {
  int8_t *xq = rows->xq + b * rows->k_stride;
  rows->s[b] = ternary_quantize_row(kernel, norm, rows->x + b * rows->x_stride, rows->k, xq, &rows->sums[b]);
  memset(xq + rows->k, 0, rows->k_stride - rows->k);
}

void ternary_quantize_rows(const ternary_kernel *kernel, const ternary_norm *norm, const ternary_rows *rows, int threads) {
  if (threads < 2 || rows->m < 2) {
    for (size_t b = 0; b < rows->m; b++) quantize_one(kernel, norm, rows, b);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t b = 0; b < rows->m; b++) quantize_one(kernel, norm, rows, b);
}

moho_status moho_ternary_activations(const float *x, size_t m, size_t k, size_t x_stride, int8_t *xq, size_t k_stride, float *s,
                                     int32_t *sums) {
  if (x_stride < k || k_stride < moho_ternary_row_bytes(k))
    return moho_fail(MOHO_ERROR_RANGE, "ternary activations: rows of %zu lie %zu and %zu apart, expected at least %zu and %zu", k,
                     x_stride, k_stride, k, moho_ternary_row_bytes(k));
  MOHO_TRY(ternary_check_scaling(MOHO_TERNARY_PER_TENSOR, 0, k));
  if ((!x || !xq) && m && k) return moho_fail(MOHO_ERROR_ARGUMENT, "ternary activations: an array is NULL");
  const ternary_kernel *kernel;
  MOHO_TRY(ternary_kernel_pick(NULL, &kernel));
  for (size_t b = 0; b < m; b++) {
    int32_t sum;
    float scale = ternary_quantize_row(kernel, &(ternary_norm){0}, x + b * x_stride, k, xq + b * k_stride, &sum);
    memset(xq + b * k_stride + k, 0, k_stride - k);
    if (s) s[b] = scale;
    if (sums) sums[b] = sum;
  }
  return MOHO_OK;
}
