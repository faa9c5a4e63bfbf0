/* matmul.h - matrix products of tensors.
 *
 *   C[m, n] = f(alpha op(A)[m, k] op(B)[k, n] + beta C[m, n] + bias[n])
 *
 * The order of sizes is (m, n, k) in every function and message. Matrices are tensors [rows, columns] of f32, f16 or bf16, A and
 * B of one dtype, C and the bias of that or f32. cuBLAS multiplies f16 and bf16 as they are, else they are brought to f32 first
 * (memory for that is the call's); products are added up in f32, bias and activation applied there, and C is rounded once. A
 * leading dimension is the stride of rows, a transposed view is what BLAS calls T: NN, NT, TN, TT are views, without a copy. A
 * and B may have any strides, C's columns lie together. Tensors of rank 3 are batches [batch, rows, columns]; a stride of 0, or a
 * batch of one, shares one matrix.
 *
 * On the cpu OpenBLAS or Accelerate computes where it is there (moho_matmul_library()), on cuda cuBLAS; else, and on metal,
 * kernels of our own. The library's order of sums is its own; our tiled kernel adds in the order of k by FMA, the same bits on
 * each GPU. Where beta is 0, C is written and not read. Where k is 0 the product is 0.
 */
#ifndef MOHO_MATMUL_H
#define MOHO_MATMUL_H

#include "moho/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  MOHO_MATMUL_AUTO,    /* the library where there is one */
  MOHO_MATMUL_LIBRARY, /* refused where there is none: MOHO_ERROR_NOT_AVAILABLE with the reason */
  MOHO_MATMUL_OWN      /* our own kernels */
} moho_matmul_method;

typedef struct moho_matmul_options {
  float alpha, beta;
  int transpose_a, transpose_b; /* of the views as given */
  const moho_tensor *bias;      /* [n], contiguous or not; NULL: none */
  moho_operation activation;    /* of one input, in f32; MOHO_OPERATION_COPY: none */
  double scalars[2];            /* its s and t */
  moho_matmul_method method;
} moho_matmul_options;

/** alpha 1, beta 0, all else 0, the activation none. */
MOHO_API moho_matmul_options moho_matmul_options_default(void);

/** @param queue NULL: now, done on return; else recorded.  @param options NULL: the default
 *  @return MOHO_ERROR_SHAPE (with operand, expected, actual), MOHO_ERROR_ARGUMENT (C overlaps an operand, other devices),
 *  MOHO_ERROR_NOT_AVAILABLE (other dtypes; C's columns apart; on a GPU a matrix beyond 2^30 elements).
 *  Cost: on the cpu the library's own and less than 1 us; our tiled kernel is made for m, n >= 256. */
MOHO_API moho_status moho_matmul(moho_queue *queue, const moho_tensor *a, const moho_tensor *b, moho_tensor *c,
                                 const moho_matmul_options *options);
/** y[m] = alpha op(A)[m, k] x[k] + beta y[m]; a bias is one number for all. */
MOHO_API moho_status moho_matvec(moho_queue *queue, const moho_tensor *a, const moho_tensor *x, moho_tensor *y,
                                 const moho_matmul_options *options);
/** Checked and planned once, for moho_prepared_run(). */
MOHO_API moho_status moho_matmul_prepare(const moho_tensor *a, const moho_tensor *b, const moho_tensor *c,
                                         const moho_matmul_options *options, moho_prepared **out);

/** "OpenBLAS 0.3.21 (SkylakeX)": what computes on this device; NULL: our own kernels, *why (may be NULL) says why. */
MOHO_API const char *moho_matmul_library(const moho_device *device, const char **why);

#ifdef __cplusplus
}
#endif
#endif
