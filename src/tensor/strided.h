/* strided.h - operands over one common shape, in as few axes as their strides allow, cut into pieces of 32-bit indices. */
#ifndef MOHO_TENSOR_STRIDED_H
#define MOHO_TENSOR_STRIDED_H

#include "moho/tensor.h"

enum { MOHO_STRIDED_OPERANDS = 6 };

/* Axes from the fastest; an operand without a tensor (NULL buffer) has strides 0. */
typedef struct moho_strided {
  int rank, n_operands;
  size_t shape[MOHO_TENSOR_RANK];
  int64_t stride[MOHO_STRIDED_OPERANDS][MOHO_TENSOR_RANK];
  moho_tensor at[MOHO_STRIDED_OPERANDS]; /* where each operand begins: buffer, offset, dtype */
} moho_strided;

/* Of tensors [n] that have one shape (NULL: none); the last one's strides choose the order of the axes. */
moho_strided moho_strided_of(const moho_tensor *const *tensors, int n);
size_t moho_strided_elements(const moho_strided *all);

/* How many elements a launch's indices may reach over: 2^30, so that they and a lane's few more fit 32 bits. Tests ask for less,
 * to see work cut that is not large; 0: 2^30 again. */
size_t moho_launch_reach(void);
void moho_launch_reach_set(size_t elements);

typedef moho_status (*moho_strided_function)(const moho_strided *piece, void *user);
/* `function` for pieces of at most `most` elements whose operands reach no further than `reach` elements; both the same. */
moho_status moho_strided_cut_rows(const moho_strided *all, size_t most, size_t reach, moho_strided_function function, void *user);
moho_status moho_strided_cut(const moho_strided *all, size_t most, moho_strided_function function, void *user);

#endif
