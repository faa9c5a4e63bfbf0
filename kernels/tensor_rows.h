/* tensor_rows.h - operations on whole rows along an axis: softmax, norms, cross-entropy. Sums are in the tree of tensor_reduce.h.
 */
#ifndef MOHO_KERNELS_TENSOR_ROWS_H
#define MOHO_KERNELS_TENSOR_ROWS_H

#include "tensor_reduce.h"

#define TENSOR_SOFTMAX 0u
#define TENSOR_LOG_SOFTMAX 1u
#define TENSOR_LAYER_NORM 2u
#define TENSOR_RMS_NORM 3u
#define TENSOR_CROSS_ENTROPY 4u /* `gamma` holds the rows' classes; one number a row comes out */

/* Elements of a row at most: the second level of the tree is one block. */
#define TENSOR_LONGEST_ROW 1048576u

typedef struct tensor_rows_parameters {
  unsigned int operation, type_in, type_out, type_gamma;
  unsigned int n, blocks, rows;
  unsigned int stride_x, stride_y; /* along the row */
  unsigned int rank, first_x, first_y, first_gamma, first_beta;
  unsigned int shape[TENSOR_RANK], stride_in[TENSOR_RANK], stride_out[TENSOR_RANK], stride_class[TENSOR_RANK];
  unsigned int stride_gamma, stride_beta, has_gamma, has_beta;
  unsigned int is_staged; /* group memory holds a row */
  float epsilon, count;   /* count: n */
  unsigned int simd, threads;
} tensor_rows_parameters;

#endif
