/* matmul_layout.h - strides of a matrix as matrix libraries want them. */
#ifndef MOHO_TENSOR_MATMUL_LAYOUT_H
#define MOHO_TENSOR_MATMUL_LAYOUT_H

#include <stddef.h>

/* Row-major, or transposed, with this leading dimension; 0: neither, elements of a row and of a column lie apart. */
typedef struct matmul_layout {
  int is_transposed;
  size_t leading;
} matmul_layout;

/* Of `rows` by `columns` elements that lie `row` and `column` apart. */
static inline matmul_layout matmul_layout_of(size_t rows, size_t columns, size_t row, size_t column) {
  matmul_layout x = {.is_transposed = columns > 1 && column != 1};
  if (x.is_transposed && rows > 1 && row != 1) return x;
  size_t lines = x.is_transposed ? columns : rows, length = x.is_transposed ? rows : columns;
  size_t apart = x.is_transposed ? column : row, least = length ? length : 1;
  x.leading = lines > 1 ? apart : least;
  if (x.leading < least) x.leading = 0; /* lines that overlap, or are one */
  return x;
}

#endif
