/* ternary_parts.h - what the files of ternary weights share. */
#ifndef MOHO_TENSOR_TERNARY_PARTS_H
#define MOHO_TENSOR_TERNARY_PARTS_H

#include "device/device_internal.h"
#include "tensor/ternary_kernel.h"

/* Group and number of inputs are what can be computed with. */
moho_status ternary_check_scaling(moho_ternary_scaling scaling, size_t group, size_t k);
/* How many inputs of a row share a scale. */
size_t ternary_group_length(moho_ternary_scaling scaling, size_t group, size_t k);
/* x := x / sqrt(mean(x^2) + epsilon) * gain */
typedef struct ternary_norm {
  int is_on;
  const float *gain; /* NULL: 1 */
  float epsilon;
} ternary_norm;

/* Rows of activations and what becomes of them. */
typedef struct ternary_rows {
  const float *x;
  size_t m, k, x_stride, k_stride;
  int8_t *xq;
  float *s;
  int32_t *sums;
} ternary_rows;

/* One row of activations: its s. */
float ternary_quantize_row(const ternary_kernel *kernel, const ternary_norm *norm, const float *x, size_t k, int8_t *xq,
                           int32_t *sum);
void ternary_quantize_rows(const ternary_kernel *kernel, const ternary_norm *norm, const ternary_rows *rows, int threads);

/* A product: all that the threads share. `out` for integers, or `y` for BitLinear. */
typedef struct ternary_list {
  const moho_ternary_weights *weights;
  const ternary_kernel *kernel;
  const int8_t *xq;
  size_t m, k_stride, length; /* inputs that share a scale */
  const int32_t *x_sums;      /* of xq over all inputs; used where they share a scale; or NULL */
  int32_t *out;
  size_t out_stride;
  float *y;
  size_t y_stride;
  const float *s, *bias;
} ternary_list;
void ternary_run_list(const ternary_list *list, int threads);

/* The kernel for a device's instruction set. */
const ternary_kernel *ternary_kernel_for(moho_simd simd);

/* bitnet.c, for tests: how many groups are enough for a GPU (0: what suits large ones); MMA_BYTES where it is no tensor core's.
 */
void ternary_tiles_set(size_t groups, int by_mma);

#endif
