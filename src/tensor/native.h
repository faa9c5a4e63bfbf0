/* native.h - the cpu's functions for the kernels of tensors: called with a launch's buffers and parameters, on any thread. */
#ifndef MOHO_TENSOR_NATIVE_H
#define MOHO_TENSOR_NATIVE_H

#include <stddef.h>
#include <stdint.h>

/* moho_native_launch; grids are not looked at, parameters say all. */
void moho_native_map(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);
void moho_native_rows(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);
/* Words of a row that a native function keeps on the stack. */
enum { MOHO_ROW_ON_STACK = 8192 };
void moho_native_reduce(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes);

/* Where a row begins: its number, taken apart along the axes that are not its own. */
static inline size_t moho_row_place(uint32_t row, size_t first, uint32_t rank, const unsigned *shape, const unsigned *stride) {
  size_t place = first;
  for (uint32_t axis = 0; axis < rank; axis++) {
    place += (size_t)(row % shape[axis]) * stride[axis];
    row /= shape[axis];
  }
  return place;
}

#endif
