/* bitnet.h - BitNet b1.58 layers on tensors: on the cpu, on CUDA and on Metal, from one text.
 *
 *   y[m, n] = (g / s_b) sum_i xq[b, i] Wq[o, i] + bias[o]              moho/ternary.h has the formulas and the packing
 *
 * Weights are quantised on the host, packed at 2 bits and kept on the device; activations are quantised where they are. The
 * integer sums are exact and the floats around them are computed in one order, each rounded the same: y is the same bits on all
 * devices that keep denormal numbers. GPUs read the packed weights once for up to 4 rows of activations; more
 * rows are multiplied 64 at a time, on tensor cores where CUDA has them.
 */
#ifndef MOHO_BITNET_H
#define MOHO_BITNET_H

#include "moho/tensor.h"
#include "moho/ternary.h"

#ifdef __cplusplus
extern "C" {
#endif

/* W [n, k] on a device. */
typedef struct moho_bitnet_weights {
  size_t n, k;
  moho_ternary_scaling scaling;
  size_t group;
  moho_tensor lanes;  /* u8: MOHO_TERNARY_LANES */
  moho_tensor scales; /* f32 */
} moho_bitnet_weights;

/** Quantise W [n, k] of the host and upload it. @return what moho_ternary_quantize() refuses, and MOHO_ERROR_MEMORY. */
MOHO_API moho_status moho_bitnet_weights_create(moho_device *device, const float *w, size_t n, size_t k,
                                                const moho_ternary_options *options, moho_bitnet_weights *out);
/** From values -1, 0, 1 [n, k] and their scales, as a file has them. */
MOHO_API moho_status moho_bitnet_weights_from_values(moho_device *device, const int8_t *q, const float *scales, size_t n,
                                                     size_t k, const moho_ternary_options *options, moho_bitnet_weights *out);
/** Leaves all zero; NULL is fine. */
MOHO_API moho_status moho_bitnet_weights_destroy(moho_bitnet_weights *weights);

typedef struct moho_bitnet_options {
  const moho_tensor *bias;     /* f32 [n] or NULL */
  int rms_norm;                /* 1: x := x / sqrt(mean(x^2) + epsilon) * gain first */
  const moho_tensor *rms_gain; /* f32 [k] or NULL: 1 */
  float rms_epsilon;           /* > 0 where rms_norm is on */
} moho_bitnet_options;

/** x f32 [m, k], y f32 [m, n]; inputs (and outputs) of a row lie together, rows may lie apart. y may be i32: then the integer
 * part alone, without scales and bias. @param queue NULL: now, done on return; else recorded.  @param options NULL: none
 *  @return MOHO_ERROR_SHAPE, MOHO_ERROR_ARGUMENT (overlap, devices), MOHO_ERROR_NOT_AVAILABLE (dtypes, strides), RANGE (epsilon).
 */
MOHO_API moho_status moho_bitnet_linear(moho_queue *queue, const moho_bitnet_weights *weights, const moho_tensor *x,
                                        moho_tensor *y, const moho_bitnet_options *options);
/** Checked and planned once, for moho_prepared_run(); the activations' bytes are its own memory. */
MOHO_API moho_status moho_bitnet_prepare(const moho_bitnet_weights *weights, const moho_tensor *x, const moho_tensor *y,
                                         const moho_bitnet_options *options, moho_prepared **out);

#ifdef __cplusplus
}
#endif
#endif
