/* tensor_map.h - what the kernels of element-wise operations are given: out[i] = f(a[i], b[i], c[i]), each operand with strides.
 *
 * Operands are a, b, c, out. Axes are counted from the fastest. Where an operand is a number of the call its type is
 * TENSOR_NUMBER and the number is `scalar` or `integer` 0. The host cuts work so that all indices stay below 2^31.
 */
#ifndef MOHO_KERNELS_TENSOR_MAP_H
#define MOHO_KERNELS_TENSOR_MAP_H

/* moho_dtype's numbers. */
#define TENSOR_F32 0u
#define TENSOR_F16 1u
#define TENSOR_BF16 2u
#define TENSOR_I32 3u
#define TENSOR_I8 4u
#define TENSOR_U8 5u
#define TENSOR_NUMBER 7u /* no tensor: a number of the call */

#define TENSOR_RANK 8
#define TENSOR_OPERANDS 4
#define TENSOR_OUT 3

typedef struct tensor_map_parameters {
  unsigned int n, operation, rank;
  unsigned int is_integer; /* computed in int; where it is 0 integers of the inputs are made floats */
  unsigned int is_flat;    /* one axis; strides 1, or 0 of an operand that is one element */
  unsigned int is_aligned; /* flat, and each operand begins at a multiple of 4 elements */
  unsigned int type[TENSOR_OPERANDS];
  unsigned int first[TENSOR_OPERANDS]; /* element in its binding */
  unsigned int shape[TENSOR_RANK];
  unsigned int stride[TENSOR_OPERANDS * TENSOR_RANK]; /* [operand][axis] */
  float scalar[4];                                    /* s, t, ... */
  int integer[4];
  unsigned int simd, threads; /* of the cpu's native function; GPUs do not read them */
  unsigned int is_streamed;   /* larger than the caches: the cpu stores past them */
} tensor_map_parameters;

#endif
