/* tensor_reduce.h - what the kernels of reductions are given, and the one tree in which they add.
 *
 * Elements of a row are taken in blocks of 1024. In a block leaf l of 64 goes through elements l, l + 64, ... l + 960 in this
 * order, beginning with the identity; then the leaves are halved: leaf l with l + 32, 16, 8, 4, 2, 1. The blocks' results are a
 * row that is reduced in the same way, until one is left. The order depends on the row's length alone: the same bits on every
 * device, with any number of threads, whatever the strides.
 */
#ifndef MOHO_KERNELS_TENSOR_REDUCE_H
#define MOHO_KERNELS_TENSOR_REDUCE_H

#include "tensor_map.h"

#define TENSOR_BLOCK 1024u
#define TENSOR_LEAVES 64u

#define TENSOR_SUM 0u
#define TENSOR_PROD 1u
#define TENSOR_LEAST 2u
#define TENSOR_MOST 3u
#define TENSOR_ARGMAX 4u

typedef struct tensor_reduce_parameters {
  unsigned int operation, is_integer, type_in, type_out;
  unsigned int n, axis_stride;             /* elements of a row here, and how far apart */
  unsigned int rows, blocks;               /* of this launch: a SIMD group, or a lane by_columns, takes a block of a row */
  unsigned int block_first, blocks_in_all; /* where the launch's blocks stand among the row's */
  unsigned int element_first;              /* of the row, for argmax */
  unsigned int is_last;                    /* the result goes to the output; else to [row, block] */
  unsigned int has_places;                 /* argmax: the input is [value], [place] of a pass before */
  unsigned int rank, first_in, first_out;  /* the rows' axes, from the fastest */
  unsigned int shape[TENSOR_RANK], stride_in[TENSOR_RANK], stride_out[TENSOR_RANK];
  float divisor;           /* mean: the row's whole length; else 1 */
  unsigned int by_columns; /* neighbouring rows lie side by side: lanes go along them */
  unsigned int simd, threads;
} tensor_reduce_parameters;

#endif
