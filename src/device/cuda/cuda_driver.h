/* cuda_driver.h - the functions of libcuda that Moho calls, found at run time.
 *
 * The table names each symbol as the library exports it: cuMemAlloc_v2 is today's function, plain cuMemAlloc that of CUDA 3.
 * (NVIDIA, "CUDA Driver API"; the header's own #defines map the plain names to the versioned ones.)
 */
#ifndef MOHO_CUDA_DRIVER_H
#define MOHO_CUDA_DRIVER_H

#include <stddef.h>

#include "base/fail.h"
#include "device/cuda/cuda_types.h"

/* X(symbol, (parameters)) */
#define MOHO_CUDA_DRIVER_TABLE(X)                                                                                    \
  X(cuInit, (unsigned int flags))                                                                                    \
  X(cuDriverGetVersion, (int *version))                                                                              \
  X(cuGetErrorName, (moho_cu_result result, const char **name))                                                      \
  X(cuGetErrorString, (moho_cu_result result, const char **text))                                                    \
  X(cuDeviceGetCount, (int *count))                                                                                  \
  X(cuDeviceGet, (moho_cu_device * device, int ordinal))                                                             \
  X(cuDeviceGetName, (char *name, int capacity, moho_cu_device device))                                              \
  X(cuDeviceTotalMem_v2, (size_t * bytes, moho_cu_device device))                                                    \
  X(cuDeviceGetAttribute, (int *value, unsigned int attribute, moho_cu_device device))                               \
  X(cuDevicePrimaryCtxRetain, (moho_cu_context * context, moho_cu_device device))                                    \
  X(cuDevicePrimaryCtxRelease_v2, (moho_cu_device device))                                                           \
  X(cuCtxPushCurrent_v2, (moho_cu_context context))                                                                  \
  X(cuCtxPopCurrent_v2, (moho_cu_context * context))                                                                 \
  X(cuMemGetInfo_v2, (size_t * free_bytes, size_t * total_bytes))                                                    \
  X(cuMemAlloc_v2, (moho_cu_pointer * address, size_t bytes))                                                        \
  X(cuMemFree_v2, (moho_cu_pointer address))                                                                         \
  X(cuMemHostAlloc, (void **host, size_t bytes, unsigned int flags))                                                 \
  X(cuMemFreeHost, (void *host))                                                                                     \
  X(cuMemHostRegister_v2, (void *host, size_t bytes, unsigned int flags))                                            \
  X(cuMemHostUnregister, (void *host))                                                                               \
  X(cuMemHostGetDevicePointer_v2, (moho_cu_pointer * address, void *host, unsigned int flags))                       \
  X(cuPointerGetAttribute, (void *value, unsigned int attribute, moho_cu_pointer address))                           \
  X(cuMemcpyAsync, (moho_cu_pointer to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream))                  \
  X(cuMemcpyHtoDAsync_v2, (moho_cu_pointer to, const void *from, size_t bytes, moho_cu_stream stream))               \
  X(cuMemcpyDtoHAsync_v2, (void *to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream))                     \
  X(cuMemcpyDtoDAsync_v2, (moho_cu_pointer to, moho_cu_pointer from, size_t bytes, moho_cu_stream stream))           \
  X(cuMemsetD32Async, (moho_cu_pointer to, unsigned int word, size_t words, moho_cu_stream stream))                  \
  X(cuModuleLoadDataEx,                                                                                              \
    (moho_cu_module * module, const void *image, unsigned int n_options, unsigned int *options, void **values))      \
  X(cuModuleUnload, (moho_cu_module module))                                                                         \
  X(cuModuleGetFunction, (moho_cu_function * function, moho_cu_module module, const char *name))                     \
  X(cuFuncGetAttribute, (int *value, unsigned int attribute, moho_cu_function function))                             \
  X(cuFuncSetAttribute, (moho_cu_function function, unsigned int attribute, int value))                              \
  X(cuLaunchKernel, (moho_cu_function function, unsigned int groups_x, unsigned int groups_y, unsigned int groups_z, \
                     unsigned int lanes_x, unsigned int lanes_y, unsigned int lanes_z, unsigned int group_memory,    \
                     moho_cu_stream stream, void **parameters, void **extra))                                        \
  X(cuStreamCreate, (moho_cu_stream * stream, unsigned int flags))                                                   \
  X(cuStreamDestroy_v2, (moho_cu_stream stream))                                                                     \
  X(cuStreamSynchronize, (moho_cu_stream stream))                                                                    \
  X(cuStreamWaitEvent, (moho_cu_stream stream, moho_cu_event event, unsigned int flags))                             \
  X(cuEventCreate, (moho_cu_event * event, unsigned int flags))                                                      \
  X(cuEventDestroy_v2, (moho_cu_event event))                                                                        \
  X(cuEventRecord, (moho_cu_event event, moho_cu_stream stream))                                                     \
  X(cuEventQuery, (moho_cu_event event))                                                                             \
  X(cuEventElapsedTime, (float *milliseconds, moho_cu_event begin, moho_cu_event end))

/* Since CUDA 12.4; NULL in older drivers: then a kernel's parameters are not compared with what a launch brings. */
#define MOHO_CUDA_DRIVER_OPTIONAL_TABLE(X) \
  X(cuFuncGetParamInfo, (moho_cu_function function, size_t index, size_t * offset, size_t * bytes))

typedef struct moho_cuda_driver {
#define MOHO_CUDA_MEMBER(name, parameters) moho_cu_result(*name) parameters;
  MOHO_CUDA_DRIVER_TABLE(MOHO_CUDA_MEMBER)
  MOHO_CUDA_DRIVER_OPTIONAL_TABLE(MOHO_CUDA_MEMBER)
#undef MOHO_CUDA_MEMBER
  int version; /* CUDA version that the driver knows: 13000 is 13.0 */
  int devices;
} moho_cuda_driver;

/* libcuda, loaded and initialised once in a process; NULL with the reason in words. MOHO_CUDA_LIBRARY names another library
 * in its place (the tests' double). */
const moho_cuda_driver *moho_cuda_driver_get(char *reason, size_t capacity);

/* "CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered"; returns buffer. */
const char *moho_cuda_result_text(const moho_cuda_driver *cu, moho_cu_result result, char buffer[200]);

#endif
