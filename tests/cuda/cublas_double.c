/* cublas_double.c - a strict double of cuBLAS over the double of libcuda: multiplies by the definition, column-major, in double;
 * tells what NVIDIA's would refuse or leave undefined. MOHO_CUBLAS names it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "device/cuda/cuda_blas.h"

#define EXPORT __attribute__((visibility("default")))
#define DECLARE(name, parameters) EXPORT moho_cublas_status name parameters;
MOHO_CUBLAS_TABLE(DECLARE)
EXPORT const char *cublasGetStatusString(moho_cublas_status status);

enum { NOT_INITIALIZED = 1, INVALID_VALUE = 7 };

struct cublasContext {
  int has_stream, has_workspace;
};
static int alive;

static moho_cublas_status refuse(const char *words) {
  fprintf(stderr, "double of cuBLAS: %s\n", words);
  return INVALID_VALUE;
}

moho_cublas_status cublasCreate_v2(moho_cublas *handle) {
  *handle = calloc(1, sizeof **handle);
  alive += *handle != NULL;
  return *handle ? 0 : NOT_INITIALIZED;
}

moho_cublas_status cublasDestroy_v2(moho_cublas handle) {
  alive--;
  free(handle);
  return 0;
}

moho_cublas_status cublasGetVersion_v2(moho_cublas handle, int *version) {
  (void)handle;
  *version = 130100;
  return 0;
}

/* As NVIDIA's: the workspace is the library's own again. */
moho_cublas_status cublasSetStream_v2(moho_cublas handle, moho_cu_stream stream) {
  handle->has_stream = stream != NULL, handle->has_workspace = 0;
  return 0;
}

moho_cublas_status cublasSetWorkspace_v2(moho_cublas handle, void *workspace, size_t bytes) {
  if (!workspace || !bytes) return refuse("an empty workspace");
  handle->has_workspace = 1;
  return 0;
}

/* Device addresses are the host's with a bit on top (cuda_double.c). */
static float *here(const float *address) {
  return (float *)((uintptr_t)address & ~((uintptr_t)1 << 60));
}

static moho_cublas_status check(moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k,
                                int lda, int ldb, int ldc) {
  if (!handle->has_stream) return refuse("no stream was set");
  if (!handle->has_workspace) return refuse("no workspace was set after the stream");
  if (a_is > 1 || b_is > 1 || m < 0 || n < 0 || k < 0) return refuse("operation or size");
  if (lda < (a_is ? k : m) || lda < 1) return refuse("lda is too small");
  if (ldb < (b_is ? n : k) || ldb < 1) return refuse("ldb is too small");
  return ldc < m || ldc < 1 ? refuse("ldc is too small") : 0;
}

moho_cublas_status cublasSgemm_v2(moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k,
                                  const float *alpha, const float *a, int lda, const float *b, int ldb, const float *beta,
                                  float *c, int ldc) {
  moho_cublas_status status = check(handle, a_is, b_is, m, n, k, lda, ldb, ldc);
  if (status) return status;
  a = here(a), b = here(b), c = here(c);
  for (int j = 0; j < n; j++)
    for (int i = 0; i < m; i++) {
      double sum = 0;
      for (int l = 0; l < k; l++)
        sum += (double)(a_is ? a[l + i * lda] : a[i + l * lda]) * (double)(b_is ? b[j + l * ldb] : b[l + j * ldb]);
      float *at = &c[i + j * ldc];
      *at = *beta != 0 ? (float)((double)*alpha * sum + (double)*beta * (double)*at) : (float)((double)*alpha * sum);
    }
  return 0;
}

moho_cublas_status cublasSgemmStridedBatched(moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m,
                                             int n, int k, const float *alpha, const float *a, int lda, long long a_step,
                                             const float *b, int ldb, long long b_step, const float *beta, float *c, int ldc,
                                             long long c_step, int count) {
  for (int i = 0; i < count; i++) {
    moho_cublas_status status =
        cublasSgemm_v2(handle, a_is, b_is, m, n, k, alpha, a + i * a_step, lda, b + i * b_step, ldb, beta, c + i * c_step, ldc);
    if (status) return status;
  }
  return 0;
}

const char *cublasGetStatusString(moho_cublas_status status) {
  return status == INVALID_VALUE ? "CUBLAS_STATUS_INVALID_VALUE" : "an error of the double";
}

__attribute__((destructor)) static void verdict(void) {
  if (!alive) return;
  fprintf(stderr, "double of cuBLAS: %d handles were left\n", alive);
  _Exit(3);
}
