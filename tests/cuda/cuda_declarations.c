/* cuda_declarations.c - our own declarations of the driver API and of NVRTC against those of a toolkit. Compiling it is the test.
 */
#include <cuda.h>
#include <nvrtc.h>

#include "device/cuda/cuda_driver.h"
#include "device/cuda/cuda_nvrtc.h"

#define SAME_TYPE(a, b) __builtin_types_compatible_p(a, b)
#define SAME_NUMBER(ours, theirs, number) \
  _Static_assert((int)(theirs) == (number) && (int)MOHO_##ours == (number), #theirs " is not " #number);
MOHO_CU_RESULT_TABLE(SAME_NUMBER)
MOHO_CU_NUMBER_TABLE(SAME_NUMBER)
MOHO_NVRTC_RESULT_TABLE(SAME_NUMBER)

#define SAME_FUNCTION(name, parameters) \
  _Static_assert(SAME_TYPE(moho_cu_result(*) parameters, __typeof__(&name)), #name " is declared otherwise");
MOHO_CUDA_DRIVER_TABLE(SAME_FUNCTION)
#if CUDA_VERSION >= 12040
MOHO_CUDA_DRIVER_OPTIONAL_TABLE(SAME_FUNCTION)
#endif
MOHO_NVRTC_TABLE(SAME_FUNCTION)

_Static_assert(SAME_TYPE(moho_cu_pointer, CUdeviceptr), "CUdeviceptr");
_Static_assert(SAME_TYPE(moho_cu_device, CUdevice), "CUdevice");
_Static_assert(SAME_TYPE(__typeof__(((moho_nvrtc *)0)->nvrtcGetErrorString), __typeof__(&nvrtcGetErrorString)),
               "nvrtcGetErrorString is declared otherwise");

#if __has_include(<cublas_v2.h>)
#include <cublas_api.h>
#include "device/cuda/cuda_blas.h"

/* Enums of a toolkit count as their unsigned integers, pointers to its structs as ours. */
#define SAME_CUBLAS(name, parameters) \
  _Static_assert(SAME_TYPE(moho_cublas_status(*) parameters, __typeof__(&name)), #name " is declared otherwise");
MOHO_CUBLAS_TABLE(SAME_CUBLAS)
_Static_assert(CUDA_R_32F == (int)MOHO_CUDA_F32 && CUDA_R_16F == (int)MOHO_CUDA_F16 && CUDA_R_16BF == (int)MOHO_CUDA_BF16 &&
                   CUBLAS_COMPUTE_32F == (int)MOHO_CUBLAS_IN_F32 && CUBLAS_GEMM_DEFAULT == (int)MOHO_CUBLAS_ANY_ALGORITHM &&
                   CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION == (int)MOHO_CUBLAS_SUMS_STAY_F32,
               "cuBLAS's types");
_Static_assert(CUBLAS_OP_N == 0 && CUBLAS_OP_T == 1 && CUBLAS_STATUS_SUCCESS == 0, "cuBLAS's numbers");
_Static_assert(SAME_TYPE(__typeof__(&cublasGetStatusString), const char *(*)(cublasStatus_t)), "cublasGetStatusString");
#endif
