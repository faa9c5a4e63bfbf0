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
/* f16 or bf16 by such a function, stored past the caches: operand k is half[k], or where that is NULL one number, over and over
 * in word[k]; n: a multiple of MOHO_HALF_CHUNK, out: of 64 bytes. */
typedef void (*moho_half_function)(uint16_t *out, const uint16_t *const half[3], const moho_word *const word[3], size_t n,
                                   moho_block_function function, moho_word s, moho_word t);
enum { MOHO_HALF_CHUNK = 64 };
/* Elements `stride` apart, from element `first` on. */
typedef void (*moho_load_function)(moho_word *to, const void *from, size_t first, size_t stride, size_t n);
typedef void (*moho_store_function)(void *to, size_t first, size_t stride, const moho_word *from, size_t n);

/* Reductions: kernels/tensor_reduce.h's numbers. */
enum { MOHO_TREES = 4, MOHO_TREE_COLUMNS = 1024, MOHO_TREE_LEVELS = 7, MOHO_ROW_TERMS = 3 };
/* n <= 1024 words in the fixed tree. */
typedef moho_word (*moho_tree_function)(const moho_word *x, size_t n);
/* n <= 1024 rows `stride` elements apart, each of neighbours from element `first` on. */
typedef struct moho_columns {
  const void *from;
  size_t first, stride, n;
  moho_load_function load; /* NULL: they are words */
} moho_columns;
/* Each of `columns` <= 1024 columns by itself in the tree; levels: [7 * columns], what waits for its other half. */
typedef void (*moho_column_tree_function)(moho_word *out, moho_word *levels, const moho_columns *x, size_t columns);

/* Lines that will be needed soon: asked for, not waited for. */
static inline void moho_fetch(const void *from, size_t bytes) {
  for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char *)from + at, 0, 2);
}

typedef struct moho_tensor_loops {
  moho_block_function of_float[MOHO_OPERATION_COUNT];
  moho_block_function of_int[MOHO_OPERATION_COUNT];
  /* The same stored past the caches, of operations that take less time than their memory; out: a multiple of 64 bytes. Others
   * see it after end_stream(). */
  moho_block_function past_float[MOHO_OPERATION_COUNT];
  moho_half_function past_half[2]; /* f16, bf16 */
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
  void (*scale)(moho_word *y, const moho_word *x, size_t n, float by);
  void (*lower)(moho_word *y, const moho_word *x, size_t n, float shift, float log_sum);
  void (*normalize)(moho_word *y, const moho_word *x, size_t n, float mean, float scale, const moho_word *gamma,
                    const moho_word *beta);
  /* Past the caches; `to` a multiple of 64 bytes. Others see it after end_stream(). */
  void (*stream)(void *to, const void *from, size_t bytes);
  void (*end_stream)(void);
} moho_tensor_loops;

extern const moho_tensor_loops moho_tensor_loops_scalar, moho_tensor_loops_avx2, moho_tensor_loops_avx512, moho_tensor_loops_neon;

/* Of a moho_simd that this processor runs. */
const moho_tensor_loops *moho_tensor_loops_of(uint32_t simd);

#endif
