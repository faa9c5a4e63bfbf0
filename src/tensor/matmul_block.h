/* matmul_block.h - our own matrix product on the processor, where no library is there: C += alpha op(A) op(B). */
#ifndef MOHO_TENSOR_MATMUL_BLOCK_H
#define MOHO_TENSOR_MATMUL_BLOCK_H

#include <stddef.h>

/* Element (i, k) of op(A) is a[i a_row + k a_column], and so on; C's columns lie together. */
typedef struct matmul_block {
  size_t m, n, k;
  float alpha;
  const float *a, *b;
  size_t a_row, a_column, b_row, b_column;
  float *c;
  size_t c_row;
} matmul_block;

typedef void (*matmul_block_function)(const matmul_block *product);

/* One an instruction set (simd/matmul_*.c). */
void matmul_block_scalar(const matmul_block *product);
void matmul_block_neon(const matmul_block *product);
void matmul_block_avx2(const matmul_block *product);
void matmul_block_avx512(const matmul_block *product);

#endif
