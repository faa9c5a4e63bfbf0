/* matmul.h - what the kernels of matrix products are given: C = f(alpha op(A) op(B) + beta C + bias).
 *
 * Element (i, k) of op(A) is a[a_first + i a_row + k a_column], of op(B) (k, j) likewise, of C (i, j) c[c_first + i c_row + j];
 * matrix g of a batch lies g *_batch elements on. Indices stay below 2^31, which the host sees to.
 */
#ifndef MOHO_KERNELS_MATMUL_H
#define MOHO_KERNELS_MATMUL_H

#define MATMUL_LANES 256u
#define MATMUL_DEPTH 8u   /* of op(A)'s columns at once */
#define MATMUL_PITCH 132u /* of a panel's rows in group memory: 128 and what keeps lanes out of each other's banks */
/* Two pairs of panels, one being filled while the other is read. */
#define MATMUL_GROUP_FLOATS (4u * MATMUL_DEPTH * MATMUL_PITCH)

typedef struct matmul_parameters {
  unsigned int m, n, k, batches;
  unsigned int a_first, b_first, c_first, bias_first;
  unsigned int a_row, a_column, b_row, b_column, c_row;
  unsigned int a_batch, b_batch, c_batch;
  unsigned int has_bias, activation;           /* an operation of tensor_math.h; TENSOR_COPY: none */
  float alpha, beta, scalar[2];                /* the activation's */
  unsigned int finish_groups;                  /* of matmul_finish in a row of C */
  unsigned int simd, threads, may_use_library; /* of the cpu's native function */
} matmul_parameters;

#endif
