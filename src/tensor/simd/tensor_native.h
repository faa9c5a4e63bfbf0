/* tensor_native.h - loops over contiguous words, compiled for each instruction set; which runs is chosen at run time.
 *
 * A word is a float or an int. Whatever the operands' dtypes and strides, they are loaded as blocks of words, computed, stored.
 */
#ifndef MOHO_TENSOR_NATIVE_LOOPS_H
#define MOHO_TENSOR_NATIVE_LOOPS_H

#include <stddef.h>
#include <stdint.h>

#include "moho/tensor.h"

typedef union moho_word {
  float f;
  int32_t i;
} moho_word;

/* out[k] = f(a[k], b[k], c[k]) for k < n; s, t: the call's numbers. out may be an input. */
typedef void (*moho_block_function)(moho_word *out, const moho_word *a, const moho_word *b, const moho_word *c, size_t n,
                                    moho_word s, moho_word t);
/* Elements `stride` apart, from element `first` on. */
typedef void (*moho_load_function)(moho_word *to, const void *from, size_t first, size_t stride, size_t n);
typedef void (*moho_store_function)(void *to, size_t first, size_t stride, const moho_word *from, size_t n);

/* Reductions: kernels/tensor_reduce.h's numbers. */
enum { MOHO_TREES = 4, MOHO_TREE_COLUMNS = 64, MOHO_ROW_TERMS = 3 };
/* n <= 1024 words in the fixed tree. */
typedef moho_word (*moho_tree_function)(const moho_word *x, size_t n);
/* n <= 1024 rows of `columns` <= 64 words, `stride` words apart, each column by itself in the tree; leaves: [64 * 64]. */
typedef void (*moho_column_tree_function)(moho_word *out, moho_word *leaves, const moho_word *x, size_t stride, size_t n,
                                          size_t columns);

typedef struct moho_tensor_loops {
  moho_block_function of_float[MOHO_OPERATION_COUNT];
  moho_block_function of_int[MOHO_OPERATION_COUNT];
  /* Conversions in a block: from computed floats or ints to what is stored: saturating, rounded once. */
  void (*floats_to_ints)(moho_word *x, size_t n, int low, int high);
  void (*clamp_ints)(moho_word *x, size_t n, int low, int high);
  void (*ints_to_floats)(moho_word *x, size_t n, int is_odd);
  moho_load_function load[MOHO_DTYPE_COUNT];
  moho_store_function store[MOHO_DTYPE_COUNT];
  moho_tree_function tree_float[MOHO_TREES], tree_int[MOHO_TREES];
  moho_column_tree_function columns_float[MOHO_TREES], columns_int[MOHO_TREES];
  /* Rows: kernels/tensor_row_math.h's terms and formulas; y may be x. */
  void (*terms[MOHO_ROW_TERMS])(moho_word *y, const moho_word *x, size_t n, float a);
  void (*share)(moho_word *y, const moho_word *e, size_t n, float sum);
  void (*lower)(moho_word *y, const moho_word *x, size_t n, float shift, float log_sum);
  void (*normalize)(moho_word *y, const moho_word *x, size_t n, float mean, float scale, const moho_word *gamma,
                    const moho_word *beta);
  /* Past the caches; `to` a multiple of 64 bytes; ends with a fence of its own. */
  void (*stream)(void *to, const void *from, size_t bytes);
} moho_tensor_loops;

extern const moho_tensor_loops moho_tensor_loops_scalar, moho_tensor_loops_avx2, moho_tensor_loops_avx512, moho_tensor_loops_neon;

/* Of a moho_simd that this processor runs. */
const moho_tensor_loops *moho_tensor_loops_of(uint32_t simd);

#endif
