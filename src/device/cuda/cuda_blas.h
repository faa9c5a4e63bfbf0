/* cuda_blas.h - cuBLAS, found at run time, as one of the device's library calls. No header of NVIDIA's is used; tests/cuda
 * compares the declarations with a toolkit's where there is one. */
#ifndef MOHO_DEVICE_CUDA_BLAS_H
#define MOHO_DEVICE_CUDA_BLAS_H

#include "device/cuda/cuda_state.h"

typedef struct cublasContext *moho_cublas;

/* X(symbol, (parameters)); operations: 0 as it is, 1 transposed; all matrices column-major. */
#define MOHO_CUBLAS_TABLE(X)                                                                                                     \
  X(cublasCreate_v2, (moho_cublas * handle))                                                                                     \
  X(cublasDestroy_v2, (moho_cublas handle))                                                                                      \
  X(cublasGetVersion_v2, (moho_cublas handle, int *version))                                                                     \
  X(cublasSetStream_v2, (moho_cublas handle, moho_cu_stream stream))                                                             \
  X(cublasSetWorkspace_v2, (moho_cublas handle, void *workspace, size_t bytes))                                                  \
  X(cublasSgemm_v2,                                                                                                              \
    (moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k, const float *alpha,        \
     const float *a, int lda, const float *b, int ldb, const float *beta, float *c, int ldc))                                    \
  X(cublasSetMathMode, (moho_cublas handle, moho_cublas_math mode))                                                              \
  X(cublasGemmEx,                                                                                                                \
    (moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k, const void *alpha,         \
     const void *a, moho_cublas_type a_type, int lda, const void *b, moho_cublas_type b_type, int ldb, const void *beta,         \
     void *c, moho_cublas_type c_type, int ldc, moho_cublas_compute compute, moho_cublas_algorithm algorithm))                   \
  X(cublasGemmStridedBatchedEx,                                                                                                  \
    (moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k, const void *alpha,         \
     const void *a, moho_cublas_type a_type, int lda, long long a_step, const void *b, moho_cublas_type b_type, int ldb,         \
     long long b_step, const void *beta, void *c, moho_cublas_type c_type, int ldc, long long c_step, int count,                 \
     moho_cublas_compute compute, moho_cublas_algorithm algorithm))                                                              \
  X(cublasSgemmStridedBatched, (moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k, \
                                const float *alpha, const float *a, int lda, long long a_step, const float *b, int ldb,          \
                                long long b_step, const float *beta, float *c, int ldc, long long c_step, int count))

/* Enums there. Algorithm -1: the library chooses. */
typedef unsigned int moho_cublas_operation, moho_cublas_status, moho_cublas_type, moho_cublas_compute, moho_cublas_math;
typedef int moho_cublas_algorithm;
enum {
  MOHO_CUDA_F32 = 0,
  MOHO_CUDA_F16 = 2,
  MOHO_CUDA_BF16 = 14,
  MOHO_CUBLAS_IN_F32 = 68,
  MOHO_CUBLAS_SUMS_STAY_F32 = 16, /* no sums of parts in a narrow C's type */
  MOHO_CUBLAS_ANY_ALGORITHM = -1
};

/* NULL with the reason. */
const char *moho_cuda_library(void *state, const char *name, const char **why);
/* MOHO_LIBRARY_SGEMM as a pipeline, whose launches call the library. */
moho_status moho_cuda_blas_load(moho_cuda_state *state, moho_cuda_kernel *kernel, moho_pipeline *out);
/* With the device's context current. */
void moho_cuda_blas_close(moho_cuda_state *state);

#endif
