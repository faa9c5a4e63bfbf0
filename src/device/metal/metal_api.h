/* metal_api.h - every message that Moho sends to Metal and Foundation, in one table.
 *
 * A row is X(owner, need, name, selector, result, parameter types...). From the table come:
 *   - the calls: metal->call.name is objc_msgSend cast to exactly result (*)(metal_id, metal_sel, parameters...), so that the
 *     compiler checks every argument and no variadic prototype is ever used (on arm64 it would pass arguments elsewhere);
 *   - the selectors: metal->sel.name;
 *   - the check at open that every owner answers its REQUIRED selectors (metal_runtime.c);
 *   - the implementation table of the test double (tests/metal).
 * No row has a struct as its result (that would need another entry than objc_msgSend on some machines), a block or a
 * variadic method.
 *
 * Selectors, types and numbers were compared, row by row, with Apple's public declarations as metal-cpp gives them
 * (developer.apple.com/metal/cpp, Apache-2.0): Foundation/NSString.hpp, NSError.hpp, NSProcessInfo.hpp;
 * Metal/MTLDevice.hpp (families, limits, new...), MTLResource.hpp (storage modes), MTLBuffer.hpp, MTLEvent.hpp,
 * MTLLibrary.hpp (language versions, math modes), MTLComputePipeline.hpp, MTLCommandQueue.hpp, MTLCommandBuffer.hpp (statuses,
 * errors), MTLComputeCommandEncoder.hpp, MTLBlitCommandEncoder.hpp, MTLCommandEncoder.hpp; names in MTLHeaderBridge.hpp.
 * stringWithUTF8String:, instancesRespondToSelector: and waitUntilSignaledValue:timeoutMS: are not in those of 2021: they are as
 * developer.apple.com documents them.
 */
#ifndef MOHO_DEVICE_METAL_API_H
#define MOHO_DEVICE_METAL_API_H

#include <stdbool.h>
#include <stdint.h>

typedef struct metal_object *metal_id;    /* id, Class */
typedef struct metal_selector *metal_sel; /* SEL */
typedef unsigned long metal_uint;         /* NSUInteger */
typedef long metal_int;                   /* NSInteger */
typedef bool metal_bool;                  /* BOOL of arm64 */
typedef struct metal_size {               /* MTLSize, passed by value */
  metal_uint width, height, depth;
} metal_size;

/* The C functions: name, result, parameters. On macOS they come from libobjc, Metal, and (loaded beside) Foundation and
 * CoreGraphics; the library that MOHO_METAL_LIBRARY names has them all. */
#define MOHO_METAL_FUNCTIONS(X)                      \
  X(objc_getClass, metal_id, (const char *name))     \
  X(sel_registerName, metal_sel, (const char *name)) \
  X(objc_msgSend, void, (void))                      \
  X(objc_autoreleasePoolPush, void *, (void))        \
  X(objc_autoreleasePoolPop, void, (void *pool))     \
  X(MTLCreateSystemDefaultDevice, metal_id, (void))  \
  X(getpagesize, int, (void))

/* Owners: name, class to ask of the runtime ("" where the class is private: an object at hand is asked), how it is asked:
 * CLASS (its methods are the class object's own), INSTANCES (of a class known by name), OBJECT (a live object). */
#define MOHO_METAL_OWNERS(X)                   \
  X(string_class, "NSString", CLASS)           \
  X(string, "NSString", INSTANCES)             \
  X(error, "NSError", INSTANCES)               \
  X(process_class, "NSProcessInfo", CLASS)     \
  X(process, "NSProcessInfo", INSTANCES)       \
  X(options_class, "MTLCompileOptions", CLASS) \
  X(options, "MTLCompileOptions", INSTANCES)   \
  X(device, "", OBJECT)                        \
  X(buffer, "", OBJECT)                        \
  X(event, "", OBJECT)                         \
  X(library, "", OBJECT)                       \
  X(pipeline, "", OBJECT)                      \
  X(queue, "", OBJECT)                         \
  X(commands, "", OBJECT)                      \
  X(compute, "", OBJECT)                       \
  X(blit, "", OBJECT)

/* REQUIRED: without it the device is not available. OPTIONAL: metal->has.name says whether it is there. Rows of `object` are
 * NSObject's own: every class and every object has them. */
#define MOHO_METAL_TABLE(X)                                                                                                     \
  X(object, REQUIRED, responds, "respondsToSelector:", metal_bool, metal_sel)                                                   \
  X(object, REQUIRED, retain, "retain", metal_id)                                                                               \
  X(object, REQUIRED, release, "release", void)                                                                                 \
  X(object, REQUIRED, instances_respond, "instancesRespondToSelector:", metal_bool, metal_sel) /* to a class */                 \
  X(string_class, REQUIRED, string_make, "stringWithUTF8String:", metal_id, const char *)                                       \
  X(string, REQUIRED, string_text, "UTF8String", const char *)                                                                  \
  X(error, REQUIRED, error_domain, "domain", metal_id)                                                                          \
  X(error, REQUIRED, error_code, "code", metal_int)                                                                             \
  X(error, REQUIRED, error_words, "localizedDescription", metal_id)                                                             \
  X(process_class, REQUIRED, process_info, "processInfo", metal_id)                                                             \
  X(process, REQUIRED, system_version, "operatingSystemVersionString", metal_id)                                                \
  X(options_class, REQUIRED, options_new, "new", metal_id)                                                                      \
  X(options, REQUIRED, set_language, "setLanguageVersion:", void, metal_uint)                                                   \
  X(options, OPTIONAL, set_fast_math, "setFastMathEnabled:", void, metal_bool)                                                  \
  X(options, OPTIONAL, set_math_mode, "setMathMode:", void, metal_int)                        /* macOS 15 */                    \
  X(options, OPTIONAL, set_math_functions, "setMathFloatingPointFunctions:", void, metal_int) /* macOS 15 */                    \
  X(device, REQUIRED, device_name, "name", metal_id)                                                                            \
  X(device, REQUIRED, has_unified_memory, "hasUnifiedMemory", metal_bool)                                                       \
  X(device, REQUIRED, supports_family, "supportsFamily:", metal_bool, metal_int)                                                \
  X(device, REQUIRED, working_set, "recommendedMaxWorkingSetSize", uint64_t)                                                    \
  X(device, REQUIRED, largest_buffer, "maxBufferLength", metal_uint)                                                            \
  X(device, REQUIRED, allocated, "currentAllocatedSize", metal_uint)                                                            \
  X(device, REQUIRED, group_memory, "maxThreadgroupMemoryLength", metal_uint)                                                   \
  X(device, REQUIRED, new_buffer, "newBufferWithLength:options:", metal_id, metal_uint, metal_uint)                             \
  X(device, REQUIRED, new_buffer_no_copy, "newBufferWithBytesNoCopy:length:options:deallocator:", metal_id, void *, metal_uint, \
    metal_uint, void *)                                                                                                         \
  X(device, REQUIRED, new_event, "newSharedEvent", metal_id)                                                                    \
  X(device, REQUIRED, new_queue, "newCommandQueueWithMaxCommandBufferCount:", metal_id, metal_uint)                             \
  X(device, REQUIRED, new_library, "newLibraryWithSource:options:error:", metal_id, metal_id, metal_id, metal_id *)             \
  X(device, REQUIRED, new_pipeline, "newComputePipelineStateWithFunction:error:", metal_id, metal_id, metal_id *)               \
  X(buffer, REQUIRED, buffer_contents, "contents", void *)                                                                      \
  X(buffer, REQUIRED, buffer_length, "length", metal_uint)                                                                      \
  X(event, REQUIRED, event_value, "signaledValue", uint64_t)                                                                    \
  X(event, REQUIRED, event_set, "setSignaledValue:", void, uint64_t)                                                            \
  X(event, REQUIRED, event_wait, "waitUntilSignaledValue:timeoutMS:", metal_bool, uint64_t, uint64_t) /* macOS 12 */            \
  X(library, REQUIRED, new_function, "newFunctionWithName:", metal_id, metal_id)                                                \
  X(pipeline, REQUIRED, simd_width, "threadExecutionWidth", metal_uint)                                                         \
  X(pipeline, REQUIRED, max_lanes, "maxTotalThreadsPerThreadgroup", metal_uint)                                                 \
  X(pipeline, REQUIRED, static_memory, "staticThreadgroupMemoryLength", metal_uint)                                             \
  X(queue, REQUIRED, command_buffer, "commandBuffer", metal_id)                                                                 \
  X(commands, REQUIRED, compute_encoder, "computeCommandEncoder", metal_id)                                                     \
  X(commands, REQUIRED, blit_encoder, "blitCommandEncoder", metal_id)                                                           \
  X(commands, REQUIRED, signal_event, "encodeSignalEvent:value:", void, metal_id, uint64_t)                                     \
  X(commands, REQUIRED, wait_for_event, "encodeWaitForEvent:value:", void, metal_id, uint64_t)                                  \
  X(commands, REQUIRED, commit, "commit", void)                                                                                 \
  X(commands, REQUIRED, status, "status", metal_uint)                                                                           \
  X(commands, REQUIRED, commands_error, "error", metal_id)                                                                      \
  X(commands, REQUIRED, gpu_start, "GPUStartTime", double)                                                                      \
  X(commands, REQUIRED, gpu_end, "GPUEndTime", double)                                                                          \
  X(compute, REQUIRED, set_pipeline, "setComputePipelineState:", void, metal_id)                                                \
  X(compute, REQUIRED, set_buffer, "setBuffer:offset:atIndex:", void, metal_id, metal_uint, metal_uint)                         \
  X(compute, REQUIRED, set_bytes, "setBytes:length:atIndex:", void, const void *, metal_uint, metal_uint)                       \
  X(compute, REQUIRED, set_group_memory, "setThreadgroupMemoryLength:atIndex:", void, metal_uint, metal_uint)                   \
  X(compute, REQUIRED, dispatch, "dispatchThreadgroups:threadsPerThreadgroup:", void, metal_size, metal_size)                   \
  X(compute, REQUIRED, end_compute, "endEncoding", void)                                                                        \
  X(blit, REQUIRED, copy, "copyFromBuffer:sourceOffset:toBuffer:destinationOffset:size:", void, metal_id, metal_uint, metal_id, \
    metal_uint, metal_uint)                                                                                                     \
  X(blit, REQUIRED, end_blit, "endEncoding", void)

/* Numbers of Apple's enumerations. */
enum {
  METAL_STORAGE_SHARED = 0, /* MTLResourceStorageModeShared, default cache mode, default (automatic) hazard tracking */

  METAL_LANGUAGE_3_0 = 3 << 16, /* MTLLanguageVersion3_0, macOS 13 */
  METAL_MATH_SAFE = 0,          /* MTLMathModeSafe */
  METAL_MATH_PRECISE = 1,       /* MTLMathFloatingPointFunctionsPrecise */

  METAL_FAMILY_APPLE_1 = 1001, /* MTLGPUFamilyApple1; Apple7 (M1) is 1007 */
  METAL_FAMILY_METAL_3 = 5001, /* MTLGPUFamilyMetal3, macOS 13 */

  METAL_STATUS_COMPLETED = 4, /* MTLCommandBufferStatusCompleted */
  METAL_STATUS_ERROR = 5,     /* MTLCommandBufferStatusError */

  METAL_ERROR_INTERNAL = 1, /* MTLCommandBufferError..., domain "MTLCommandBufferErrorDomain" */
  METAL_ERROR_TIMEOUT = 2,
  METAL_ERROR_PAGE_FAULT = 3,
  METAL_ERROR_ACCESS_REVOKED = 4,
  METAL_ERROR_NOT_PERMITTED = 7,
  METAL_ERROR_OUT_OF_MEMORY = 8,
  METAL_ERROR_INVALID_RESOURCE = 9,
  METAL_ERROR_MEMORYLESS = 10,
  METAL_ERROR_DEVICE_REMOVED = 11,
  METAL_ERROR_STACK_OVERFLOW = 12
};

/* Limits of Metal that no query tells. */
enum {
  METAL_SET_BYTES_LIMIT = 4096, /* setBytes:length:atIndex: */
  METAL_ARGUMENT_BUFFERS = 31,  /* indices 0 .. 30 */
  METAL_COPY_ALIGNMENT = 4,     /* offsets and size of a blit copy on macOS */
  METAL_GROUP_MEMORY_MULTIPLE = 16
};

#endif
