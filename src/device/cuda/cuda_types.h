/* cuda_types.h - the types and numbers of the CUDA driver API and of NVRTC that Moho uses, in our own words: no toolkit at build
 * time. From the public references: NVIDIA "CUDA Driver API", modules "Data types used by CUDA driver" and those of each
 * function; "NVRTC" chapter "User Interface". tests/cuda/test_cuda_declarations.c compares all of it with cuda.h and nvrtc.h
 * where a toolkit is there. Enumerations are passed as unsigned int, which is what C compilers make of theirs.
 */
#ifndef MOHO_CUDA_TYPES_H
#define MOHO_CUDA_TYPES_H

#include <stddef.h>

typedef unsigned int moho_cu_result;
typedef int moho_cu_device;
typedef unsigned long long moho_cu_pointer; /* CUdeviceptr_v2 */
typedef struct CUctx_st *moho_cu_context;
typedef struct CUmod_st *moho_cu_module;
typedef struct CUfunc_st *moho_cu_function;
typedef struct CUstream_st *moho_cu_stream;
typedef struct CUevent_st *moho_cu_event;

typedef unsigned int moho_nvrtc_result;
typedef struct _nvrtcProgram *moho_nvrtc_program;

/* CUresult: ours, theirs, number. */
#define MOHO_CU_RESULT_TABLE(X)                                                        \
  X(CU_OK, CUDA_SUCCESS, 0)                                                            \
  X(CU_INVALID_VALUE, CUDA_ERROR_INVALID_VALUE, 1)                                     \
  X(CU_OUT_OF_MEMORY, CUDA_ERROR_OUT_OF_MEMORY, 2)                                     \
  X(CU_NOT_INITIALIZED, CUDA_ERROR_NOT_INITIALIZED, 3)                                 \
  X(CU_DEINITIALIZED, CUDA_ERROR_DEINITIALIZED, 4)                                     \
  X(CU_STUB_LIBRARY, CUDA_ERROR_STUB_LIBRARY, 34)                                      \
  X(CU_DEVICE_UNAVAILABLE, CUDA_ERROR_DEVICE_UNAVAILABLE, 46)                          \
  X(CU_NO_DEVICE, CUDA_ERROR_NO_DEVICE, 100)                                           \
  X(CU_INVALID_DEVICE, CUDA_ERROR_INVALID_DEVICE, 101)                                 \
  X(CU_INVALID_IMAGE, CUDA_ERROR_INVALID_IMAGE, 200)                                   \
  X(CU_INVALID_CONTEXT, CUDA_ERROR_INVALID_CONTEXT, 201)                               \
  X(CU_NO_BINARY_FOR_GPU, CUDA_ERROR_NO_BINARY_FOR_GPU, 209)                           \
  X(CU_ECC_UNCORRECTABLE, CUDA_ERROR_ECC_UNCORRECTABLE, 214)                           \
  X(CU_INVALID_PTX, CUDA_ERROR_INVALID_PTX, 218)                                       \
  X(CU_NVLINK_UNCORRECTABLE, CUDA_ERROR_NVLINK_UNCORRECTABLE, 220)                     \
  X(CU_UNSUPPORTED_PTX_VERSION, CUDA_ERROR_UNSUPPORTED_PTX_VERSION, 222)               \
  X(CU_CONTAINED, CUDA_ERROR_CONTAINED, 226)                                           \
  X(CU_INVALID_HANDLE, CUDA_ERROR_INVALID_HANDLE, 400)                                 \
  X(CU_NOT_FOUND, CUDA_ERROR_NOT_FOUND, 500)                                           \
  X(CU_NOT_READY, CUDA_ERROR_NOT_READY, 600)                                           \
  X(CU_ILLEGAL_ADDRESS, CUDA_ERROR_ILLEGAL_ADDRESS, 700)                               \
  X(CU_LAUNCH_OUT_OF_RESOURCES, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, 701)               \
  X(CU_LAUNCH_TIMEOUT, CUDA_ERROR_LAUNCH_TIMEOUT, 702)                                 \
  X(CU_CONTEXT_IS_DESTROYED, CUDA_ERROR_CONTEXT_IS_DESTROYED, 709)                     \
  X(CU_ASSERT, CUDA_ERROR_ASSERT, 710)                                                 \
  X(CU_HOST_MEMORY_ALREADY_REGISTERED, CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED, 712) \
  X(CU_HARDWARE_STACK_ERROR, CUDA_ERROR_HARDWARE_STACK_ERROR, 714)                     \
  X(CU_ILLEGAL_INSTRUCTION, CUDA_ERROR_ILLEGAL_INSTRUCTION, 715)                       \
  X(CU_MISALIGNED_ADDRESS, CUDA_ERROR_MISALIGNED_ADDRESS, 716)                         \
  X(CU_INVALID_ADDRESS_SPACE, CUDA_ERROR_INVALID_ADDRESS_SPACE, 717)                   \
  X(CU_INVALID_PC, CUDA_ERROR_INVALID_PC, 718)                                         \
  X(CU_LAUNCH_FAILED, CUDA_ERROR_LAUNCH_FAILED, 719)                                   \
  X(CU_NOT_SUPPORTED, CUDA_ERROR_NOT_SUPPORTED, 801)                                   \
  X(CU_EXTERNAL_DEVICE, CUDA_ERROR_EXTERNAL_DEVICE, 911)                               \
  X(CU_UNKNOWN, CUDA_ERROR_UNKNOWN, 999)

/* Flags, device attributes (CUdevice_attribute), function attributes (CUfunction_attribute), options of the linker
 * (CUjit_option). */
#define MOHO_CU_NUMBER_TABLE(X)                                                                 \
  X(CU_STREAM_NOT_BLOCKING, CU_STREAM_NON_BLOCKING, 1)                                          \
  X(CU_EVENT_TIMED, CU_EVENT_DEFAULT, 0)                                                        \
  X(CU_EVENT_UNTIMED, CU_EVENT_DISABLE_TIMING, 2)                                               \
  X(CU_HOST_ALLOC_PORTABLE, CU_MEMHOSTALLOC_PORTABLE, 1)                                        \
  X(CU_HOST_ALLOC_MAPPED, CU_MEMHOSTALLOC_DEVICEMAP, 2)                                         \
  X(CU_HOST_REGISTER_PORTABLE, CU_MEMHOSTREGISTER_PORTABLE, 1)                                  \
  X(CU_HOST_REGISTER_MAPPED, CU_MEMHOSTREGISTER_DEVICEMAP, 2)                                   \
  X(CU_ATTRIBUTE_LANES, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 1)                           \
  X(CU_ATTRIBUTE_GROUPS_Y, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_Y, 6)                               \
  X(CU_ATTRIBUTE_GROUP_MEMORY, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK, 8)              \
  X(CU_ATTRIBUTE_WARP, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 10)                                       \
  X(CU_ATTRIBUTE_MULTIPROCESSORS, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 16)                 \
  X(CU_ATTRIBUTE_INTEGRATED, CU_DEVICE_ATTRIBUTE_INTEGRATED, 18)                                \
  X(CU_ATTRIBUTE_UNIFIED_ADDRESSES, CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 41)                 \
  X(CU_ATTRIBUTE_MAJOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 75)                       \
  X(CU_ATTRIBUTE_MINOR, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, 76)                       \
  X(CU_ATTRIBUTE_GROUP_MEMORY_OPTIN, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 97) \
  X(CU_ATTRIBUTE_HOST_REGISTER, CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED, 99)                \
  X(CU_FUNCTION_LANES, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, 0)                              \
  X(CU_FUNCTION_GROUP_MEMORY, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES, 1)                           \
  X(CU_FUNCTION_LOCAL_BYTES, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES, 3)                             \
  X(CU_FUNCTION_REGISTERS, CU_FUNC_ATTRIBUTE_NUM_REGS, 4)                                       \
  X(CU_FUNCTION_DYNAMIC_GROUP_MEMORY, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 8)       \
  X(CU_POINTER_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, 2)                                \
  X(CU_POINTER_ORDINAL, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL, 9)                                 \
  X(CU_MEMORY_DEVICE, CU_MEMORYTYPE_DEVICE, 2)                                                  \
  X(CU_JIT_LOG, CU_JIT_ERROR_LOG_BUFFER, 5)                                                     \
  X(CU_JIT_LOG_BYTES, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, 6)

/* nvrtcResult. */
#define MOHO_NVRTC_RESULT_TABLE(X)                       \
  X(NVRTC_OK, NVRTC_SUCCESS, 0)                          \
  X(NVRTC_INVALID_OPTION, NVRTC_ERROR_INVALID_OPTION, 5) \
  X(NVRTC_COMPILATION, NVRTC_ERROR_COMPILATION, 6)       \
  X(NVRTC_BUILTIN_OPERATION, NVRTC_ERROR_BUILTIN_OPERATION_FAILURE, 7)

enum {
#define MOHO_CU_ENUM(ours, theirs, number) MOHO_##ours = (number),
  MOHO_CU_RESULT_TABLE(MOHO_CU_ENUM) MOHO_CU_NUMBER_TABLE(MOHO_CU_ENUM) MOHO_NVRTC_RESULT_TABLE(MOHO_CU_ENUM)
#undef MOHO_CU_ENUM
};

#endif
