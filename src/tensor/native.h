/* native.h - the cpu's functions for the kernels of tensors: called with a launch's buffers and parameters, on any thread. */
#ifndef MOHO_TENSOR_NATIVE_H
#define MOHO_TENSOR_NATIVE_H

#include <stdint.h>

/* moho_native_launch; grids are not looked at, parameters say all. */
void moho_native_map(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);
void moho_native_rows(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);
/* Words of a row that a native function keeps on the stack. */
enum { MOHO_ROW_ON_STACK = 8192 };
void moho_native_reduce(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

#endif
