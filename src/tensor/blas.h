/* blas.h - the system's matrix library, found at run time: OpenBLAS, or Apple's Accelerate. */
#ifndef MOHO_TENSOR_BLAS_H
#define MOHO_TENSOR_BLAS_H

#include <stddef.h>

enum { BLAS_ROW_MAJOR = 101, BLAS_AS_IT_IS = 111, BLAS_TRANSPOSED = 112, BLAS_MOST = 2147483647 };

typedef struct moho_blas {
  void (*sgemm)(int order, int transpose_a, int transpose_b, int m, int n, int k, float alpha, const float *a, int lda,
                const float *b, int ldb, float beta, float *c, int ldc);
  void (*sgemv)(int order, int transpose, int m, int n, float alpha, const float *a, int lda, const float *x, int x_step,
                float beta, float *y, int y_step);
  int has_own_threads; /* 1: it spreads a call over threads by itself; 0: it was told to use one, the caller spreads */
  char words[120];     /* "OpenBLAS 0.3.21 (SkylakeX)" */
} moho_blas;

/* NULL where there is none, with the reason in *why. Looked for once in a process. MOHO_BLAS names a library in its place, or
 * "none". */
const moho_blas *moho_blas_get(const char **why);

#endif
