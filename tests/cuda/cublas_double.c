/* cublas_double.c - a strict double of cuBLAS over the double of libcuda: multiplies by the definition, column-major, in double;
 * tells what NVIDIA's would refuse or leave undefined. MOHO_CUBLAS names it. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/small_float.h"
#include "device/cuda/cuda_blas.h"

#define EXPORT __attribute__((visibility("default")))
#define DECLARE(name, parameters) EXPORT moho_cublas_status name parameters;
MOHO_CUBLAS_TABLE(DECLARE)
EXPORT const char *cublasGetStatusString(moho_cublas_status status);

enum { NOT_INITIALIZED = 1, INVALID_VALUE = 7 };

struct cublasContext {
  int has_stream, has_workspace, keeps_f32;
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
static void *here(const void *address) {
  return (void *)((uintptr_t)address & ~((uintptr_t)1 << 60));
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

moho_cublas_status cublasSetMathMode(moho_cublas handle, moho_cublas_math mode) {
  handle->keeps_f32 = mode == MOHO_CUBLAS_SUMS_STAY_F32;
  return mode ? 0 : refuse("a mode that was not expected");
}

/* ---- halves ---- */

static double number_at(const void *x, moho_cublas_type type, long long i) {
  if (type == MOHO_CUDA_F32) return (double)((const float *)x)[i];
  uint16_t bits = ((const uint16_t *)x)[i];
  return (double)(type == MOHO_CUDA_F16 ? moho_f16_to_float(bits) : moho_bf16_to_float(bits));
}

static void put(void *x, moho_cublas_type type, long long i, double value) {
  float once = (float)value;
  if (type == MOHO_CUDA_F32) ((float *)x)[i] = once;
  else ((uint16_t *)x)[i] = type == MOHO_CUDA_F16 ? moho_float_to_f16(once) : moho_float_to_bf16(once);
}

static moho_cublas_status check_types(moho_cublas handle, moho_cublas_type a, moho_cublas_type b, moho_cublas_type c,
                                      moho_cublas_compute compute, moho_cublas_algorithm algorithm) {
  if (a != b || (a != MOHO_CUDA_F16 && a != MOHO_CUDA_BF16)) return refuse("types of A and B");
  if (c != a && c != MOHO_CUDA_F32) return refuse("the type of C");
  if (compute != MOHO_CUBLAS_IN_F32 || !handle->keeps_f32) return refuse("sums are not in f32");
  return algorithm == MOHO_CUBLAS_ANY_ALGORITHM ? 0 : refuse("an algorithm");
}

moho_cublas_status cublasGemmEx(moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m, int n, int k,
                                const void *alpha, const void *a, moho_cublas_type a_type, int lda, const void *b,
                                moho_cublas_type b_type, int ldb, const void *beta, void *c, moho_cublas_type c_type, int ldc,
                                moho_cublas_compute compute, moho_cublas_algorithm algorithm) {
  moho_cublas_status status = check(handle, a_is, b_is, m, n, k, lda, ldb, ldc);
  if (!status) status = check_types(handle, a_type, b_type, c_type, compute, algorithm);
  if (status) return status;
  double times = (double)*(const float *)alpha, keep = (double)*(const float *)beta;
  a = here(a), b = here(b), c = here(c);
  for (int j = 0; j < n; j++)
    for (int i = 0; i < m; i++) {
      double sum = 0;
      for (int l = 0; l < k; l++)
        sum += number_at(a, a_type, a_is ? l + i * lda : i + l * lda) * number_at(b, b_type, b_is ? j + l * ldb : l + j * ldb);
      long long at = i + (long long)j * ldc;
      put(c, c_type, at, times * sum + (keep != 0 ? keep * number_at(c, c_type, at) : 0));
    }
  return 0;
}

moho_cublas_status cublasGemmStridedBatchedEx(moho_cublas handle, moho_cublas_operation a_is, moho_cublas_operation b_is, int m,
                                              int n, int k, const void *alpha, const void *a, moho_cublas_type a_type, int lda,
                                              long long a_step, const void *b, moho_cublas_type b_type, int ldb, long long b_step,
                                              const void *beta, void *c, moho_cublas_type c_type, int ldc, long long c_step,
                                              int count, moho_cublas_compute compute, moho_cublas_algorithm algorithm) {
  long long width = 2, c_width = c_type == MOHO_CUDA_F32 ? 4 : 2;
  for (int i = 0; i < count; i++) {
    moho_cublas_status status = cublasGemmEx(handle, a_is, b_is, m, n, k, alpha, (const char *)a + i * a_step * width, a_type,
                                             lda, (const char *)b + i * b_step * width, b_type, ldb, beta,
                                             (char *)c + i * c_step * c_width, c_type, ldc, compute, algorithm);
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
