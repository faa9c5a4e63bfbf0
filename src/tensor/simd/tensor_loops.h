/* tensor_loops.h - the loops themselves, from the formulas of kernels/tensor_math.h; included once for each instruction set.
 *
 * The compiler vectorises them: no branch on data, no call. Halves are converted by arithmetic on their bits, in all lanes alike.
 */
#include <string.h>

#include "kernels/kern.h"

/* The formulas must vanish into the loops. */
#undef DEVICE_FUNCTION
#define DEVICE_FUNCTION static inline __attribute__((always_inline, unused))
#include "kernels/tensor_math.h"
#include "kernels/tensor_row_math.h"
#include "kernels/tensor_tree.h"

#include "tensor/simd/tensor_native.h"

#include "tensor/simd/half_words.h"

/* Outputs may be inputs, element for element: no iteration waits for another. */
#define EACH_ALONE _Pragma("omp simd")

/* ---- past the caches ---- */

/* bytes: a multiple of 64; `to` begins at one. */
static inline void stream_lines(void *to, const void *from, size_t bytes) {
#if defined(__AVX512F__)
  for (size_t k = 0; k < bytes; k += 64)
    _mm512_stream_si512((void *)((char *)to + k), _mm512_loadu_si512((const char *)from + k));
#elif defined(__AVX2__)
  for (size_t k = 0; k < bytes; k += 32)
    _mm256_stream_si256((void *)((char *)to + k), _mm256_loadu_si256((const void *)((const char *)from + k)));
#else
  memcpy(to, from, bytes);
#endif
}

static void stream(void *to, const void *from, size_t bytes) {
  size_t lines = bytes / 64 * 64;
  stream_lines(to, from, lines);
  memcpy((char *)to + lines, (const char *)from + lines, bytes - lines);
}

static void end_stream(void) {
#if defined(__AVX512F__) || defined(__AVX2__)
  _mm_sfence();
#endif
}

/* ---- formulas ---- */

#define FLOAT_LOOP(OPERATION)                                                                                         \
  static void float_##OPERATION(moho_word *out, const moho_word *a, const moho_word *b, const moho_word *c, size_t n, \
                                moho_word s, moho_word t) {                                                           \
    EACH_ALONE                                                                                                        \
    for (size_t k = 0; k < n; k++) out[k].f = tensor_apply(TENSOR_##OPERATION, a[k].f, b[k].f, c[k].f, s.f, t.f);     \
  }
/* A few vectors stay in registers between the formula and the store. */
enum { CHUNK = MOHO_HALF_CHUNK };
#define PAST_LOOP(OPERATION)                                                                                                    \
  static void past_##OPERATION(moho_word *out, const moho_word *a, const moho_word *b, const moho_word *c, size_t n,            \
                               moho_word s, moho_word t) {                                                                      \
    size_t k = 0;                                                                                                               \
    for (; k + CHUNK <= n; k += CHUNK) {                                                                                        \
      float y[CHUNK];                                                                                                           \
      for (size_t i = 0; i < CHUNK; i++) y[i] = tensor_apply(TENSOR_##OPERATION, a[k + i].f, b[k + i].f, c[k + i].f, s.f, t.f); \
      stream_lines(out + k, y, sizeof y);                                                                                       \
    }                                                                                                                           \
    float_##OPERATION(out + k, a + k, b + k, c + k, n - k, s, t);                                                               \
  }
#define INT_LOOP(OPERATION)                                                                                                      \
  static void int_##OPERATION(moho_word *out, const moho_word *a, const moho_word *b, const moho_word *c, size_t n, moho_word s, \
                              moho_word t) {                                                                                     \
    EACH_ALONE                                                                                                                   \
    for (size_t k = 0; k < n; k++) out[k].i = tensor_apply_int(TENSOR_##OPERATION, a[k].i, b[k].i, c[k].i, s.i, t.i);            \
  }
/* Operations with a loop of their own; copy and convert change no word. */
#define ARITHMETIC(X) X(ADD) X(SUB) X(MUL) X(DIV) X(MIN) X(MAX) X(FMA) X(FILL) X(ABS) X(NEG) X(SQRT) X(EXP) X(LOG) X(CLIP)
#define ACTIVATIONS(X) X(RELU) X(LEAKY_RELU) X(SIGMOID) X(TANH) X(SILU) X(GELU_TANH) X(GELU_ERF)
#define SLOPES_A(X) X(RELU_BACKWARD) X(LEAKY_RELU_BACKWARD) X(SIGMOID_BACKWARD) X(TANH_BACKWARD)
#define SLOPES_B(X) X(SILU_BACKWARD) X(GELU_TANH_BACKWARD) X(GELU_ERF_BACKWARD)
#define OTHERS(X) X(SQUARED_ERROR) X(BINARY_CROSS_ENTROPY) X(QUANTIZE) X(DEQUANTIZE)
#define FLOAT_LOOPS(X) ARITHMETIC(X) ACTIVATIONS(X) SLOPES_A(X) SLOPES_B(X) OTHERS(X)
#define INT_LOOPS(X) X(ADD) X(SUB) X(MUL) X(DIV) X(MIN) X(MAX) X(FMA) X(FILL) X(ABS) X(NEG) X(CLIP) X(RELU)
#define MOVERS(X) X(ADD) X(SUB) X(MUL) X(DIV) X(MIN) X(MAX) X(FMA) X(FILL) X(ABS) X(NEG) X(SQRT) X(CLIP) X(RELU) X(LEAKY_RELU)
FLOAT_LOOPS(FLOAT_LOOP)
INT_LOOPS(INT_LOOP)
MOVERS(PAST_LOOP)

/* ---- conversions of a block ---- */

static void floats_to_ints(moho_word *x, size_t n, int low, int high) {
#pragma omp simd
  for (size_t k = 0; k < n; k++) {
    int i = tensor_float_to_int(x[k].f);
    x[k].i = i < low ? low : (i > high ? high : i);
  }
}

static void clamp_ints(moho_word *x, size_t n, int low, int high) {
#pragma omp simd
  for (size_t k = 0; k < n; k++) x[k].i = x[k].i < low ? low : (x[k].i > high ? high : x[k].i);
}

static void ints_to_floats(moho_word *x, size_t n, int is_odd) {
  if (is_odd) {
#pragma omp simd
    for (size_t k = 0; k < n; k++) x[k].f = tensor_int_to_float_odd(x[k].i);
  } else {
#pragma omp simd
    for (size_t k = 0; k < n; k++) x[k].f = (float)x[k].i;
  }
}

/* ---- loads and stores ---- */

static void load_words(moho_word *to, const void *from, size_t first, size_t stride, size_t n) {
  const moho_word *at = (const moho_word *)from + first;
  if (stride == 1) memcpy(to, at, n * sizeof *to);
  else
    for (size_t k = 0; k < n; k++) to[k] = at[k * stride];
}

static void store_words(void *to, size_t first, size_t stride, const moho_word *from, size_t n) {
  moho_word *at = (moho_word *)to + first;
  if (stride == 1) memcpy(at, from, n * sizeof *from);
  else
    for (size_t k = 0; k < n; k++) at[k * stride] = from[k];
}

/* A loop for neighbours, which vectorises, and one for any stride. */
#define LOAD_LOOP(name, type, member, convert)                                               \
  static void name(moho_word *to, const void *from, size_t first, size_t stride, size_t n) { \
    const type *at = (const type *)from + first;                                             \
    if (stride == 1)                                                                         \
      for (size_t k = 0; k < n; k++) to[k].member = convert(at[k]);                          \
    else                                                                                     \
      for (size_t k = 0; k < n; k++) to[k].member = convert(at[k * stride]);                 \
  }
#define STORE_LOOP(name, type, member, convert)                                              \
  static void name(void *to, size_t first, size_t stride, const moho_word *from, size_t n) { \
    type *at = (type *)to + first;                                                           \
    if (stride == 1)                                                                         \
      for (size_t k = 0; k < n; k++) at[k] = convert(from[k].member);                        \
    else                                                                                     \
      for (size_t k = 0; k < n; k++) at[k * stride] = convert(from[k].member);               \
  }
LOAD_LOOP(load_i8, int8_t, i, (int32_t))
LOAD_LOOP(load_u8, uint8_t, i, (int32_t))
STORE_LOOP(store_i8, int8_t, i, (int8_t))
STORE_LOOP(store_u8, uint8_t, i, (uint8_t))

/* ---- halves past the caches ---- */

/* Halves as floats, the formula's loop, halves again: so few at a time that the processor asks memory for the next ones
 * meanwhile. (The formula written into this loop is slower: clang 14 peels and unrolls short loops before it makes vectors of
 * them.) */
enum { HALF_BLOCK = 256 };
_Static_assert(MOHO_HALF_CHUNK % (2 * HALVES) == 0, "whole pairs");
#define HALF_LOOP(kind)                                                                                          \
  static void past_##kind(uint16_t *to, const uint16_t *const half[3], const moho_word *const word[3], size_t n, \
                          moho_block_function function, moho_word s, moho_word t) {                              \
    moho_word own[3][HALF_BLOCK], out[HALF_BLOCK];                                                               \
    const moho_word *x[3];                                                                                       \
    for (int o = 0; o < 3; o++) x[o] = half[o] ? own[o] : word[o];                                               \
    for (size_t k = 0; k < n; k += HALF_BLOCK) {                                                                 \
      size_t m = n - k < HALF_BLOCK ? n - k : HALF_BLOCK;                                                        \
      for (int o = 0; o < 3; o++)                                                                                \
        for (size_t i = 0; half[o] && i < m; i += 2 * HALVES) {                                                  \
          wide_ahead(half[o] + k + i);                                                                           \
          wide_pair_##kind(&own[o][i].f, half[o] + k + i);                                                       \
        }                                                                                                        \
      function(out, x[0], x[1], x[2], m, s, t);                                                                  \
      for (size_t i = 0; i < m; i += 2 * HALVES) stream_pair_##kind(to + k + i, &out[i].f);                      \
    }                                                                                                            \
  }
HALF_LOOP(f16)
HALF_LOOP(bf16)

/* ---- the fixed tree ---- */

/* Leaves that a short row reaches, a power of two: joining with the identity of the others changes no bit. */
static inline size_t leaves_used(size_t n) {
  size_t used = 1;
  while (used < n && used < TENSOR_LEAVES) used *= 2;
  return used;
}

/* The leaf that is taken as the k-th, and how many levels of halves are whole with it. */
typedef struct leaf_place {
  size_t place, level;
} leaf_place;

static inline leaf_place place_of_leaf(size_t k, size_t used) {
  leaf_place leaf = {0, (size_t)__builtin_ctzll(~(unsigned long long)k)};
  for (size_t bit = 1; bit < used; bit *= 2) leaf.place += k & bit ? used / 2 / bit : 0;
  return leaf;
}

#define TREE_LOOPS(kind, OPERATION, member, type, join, identity)                                              \
  static moho_word tree_##kind##_##OPERATION(const moho_word *x, size_t n) {                                   \
    type leaf[TENSOR_LEAVES];                                                                                  \
    size_t whole = n / TENSOR_LEAVES * TENSOR_LEAVES;                                                          \
    for (size_t l = 0; l < TENSOR_LEAVES; l++) leaf[l] = identity(TENSOR_##OPERATION);                         \
    for (size_t j = 0; j < whole; j += TENSOR_LEAVES)                                                          \
      for (size_t l = 0; l < TENSOR_LEAVES; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], x[j + l].member); \
    for (size_t l = 0; l < n - whole; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], x[whole + l].member);   \
    for (size_t half = TENSOR_LEAVES / 2; half; half /= 2)                                                     \
      for (size_t l = 0; l < half; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], leaf[l + half]);           \
    return (moho_word){.member = leaf[0]};                                                                     \
  }
/* Columns of a panel: the leaves in the order in which halving joins them, so that few partial results wait, one a level; of a
 * leaf all its rows at once, CHUNK columns in registers. */
#define COLUMN_LOOPS(kind, OPERATION, member, type, join, identity)                                                    \
  static inline __attribute__((always_inline)) void chunk_##kind##_##OPERATION(                                        \
      moho_word *level, const moho_columns *x, size_t columns, size_t at, size_t m, leaf_place leaf) {                 \
    type v[CHUNK];                                                                                                     \
    moho_word own[CHUNK];                                                                                              \
    for (size_t k = 0; k < m; k++) v[k] = identity(TENSOR_##OPERATION);                                                \
    for (size_t i = leaf.place; i < x->n; i += TENSOR_LEAVES) {                                                        \
      size_t first = x->first + i * x->stride + at;                                                                    \
      const moho_word *row = (const moho_word *)x->from + first;                                                       \
      if (x->load) x->load(own, x->from, first, 1, m), row = own;                                                      \
      for (size_t k = 0; k < m; k++) v[k] = join(TENSOR_##OPERATION, v[k], row[k].member);                             \
    }                                                                                                                  \
    for (size_t up = 0; up < leaf.level; up++)                                                                         \
      for (size_t k = 0; k < m; k++) v[k] = join(TENSOR_##OPERATION, level[up * columns + at + k].member, v[k]);       \
    for (size_t k = 0; k < m; k++) level[leaf.level * columns + at + k].member = v[k];                                 \
  }                                                                                                                    \
  static void columns_##kind##_##OPERATION(moho_word *out, moho_word *levels, const moho_columns *x, size_t columns) { \
    size_t used = leaves_used(x->n), whole = columns / CHUNK * CHUNK;                                                  \
    leaf_place leaf = {0, 0};                                                                                          \
    for (size_t k = 0; k < used; k++) {                                                                                \
      leaf = place_of_leaf(k, used);                                                                                   \
      for (size_t at = 0; at < whole; at += CHUNK) chunk_##kind##_##OPERATION(levels, x, columns, at, CHUNK, leaf);    \
      if (whole < columns) chunk_##kind##_##OPERATION(levels, x, columns, whole, columns - whole, leaf);               \
    }                                                                                                                  \
    memcpy(out, levels + leaf.level * columns, columns * sizeof *out);                                                 \
  }
#define TREES(X) X(SUM) X(PROD) X(LEAST) X(MOST)
#define FLOAT_TREE(OPERATION)                                          \
  TREE_LOOPS(float, OPERATION, f, float, tensor_join, tensor_identity) \
  COLUMN_LOOPS(float, OPERATION, f, float, tensor_join, tensor_identity)
#define INT_TREE(OPERATION)                                                    \
  TREE_LOOPS(int, OPERATION, i, int32_t, tensor_join_int, tensor_identity_int) \
  COLUMN_LOOPS(int, OPERATION, i, int32_t, tensor_join_int, tensor_identity_int)
TREES(FLOAT_TREE)
TREES(INT_TREE)

/* ---- rows ---- */

#define TERM_LOOP(name, what)                                             \
  static void name(moho_word *y, const moho_word *x, size_t n, float a) { \
    EACH_ALONE                                                            \
    for (size_t k = 0; k < n; k++) y[k].f = tensor_term(what, x[k].f, a); \
  }
TERM_LOOP(terms_itself, TENSOR_TERM_ITSELF)
TERM_LOOP(terms_exp, TENSOR_TERM_EXP)
TERM_LOOP(terms_square, TENSOR_TERM_SQUARE)

static void scale(moho_word *y, const moho_word *x, size_t n, float by) {
#pragma omp simd
  for (size_t k = 0; k < n; k++) y[k].f = x[k].f * by;
}

static void lower(moho_word *y, const moho_word *x, size_t n, float shift, float log_sum) {
#pragma omp simd
  for (size_t k = 0; k < n; k++) y[k].f = x[k].f - shift - log_sum;
}

static void normalize(moho_word *y, const moho_word *x, size_t n, float mean, float scale, const moho_word *gamma,
                      const moho_word *beta) {
  if (gamma && beta) {
#pragma omp simd
    for (size_t k = 0; k < n; k++) y[k].f = tensor_normalized(x[k].f, mean, scale, gamma[k].f, beta[k].f);
  } else if (gamma) {
#pragma omp simd
    for (size_t k = 0; k < n; k++) y[k].f = tensor_normalized(x[k].f, mean, scale, gamma[k].f, 0.0f);
  } else {
    for (size_t k = 0; k < n; k++) y[k].f = tensor_normalized(x[k].f, mean, scale, 1.0f, beta ? beta[k].f : 0.0f);
  }
}

/* ---- */

#define FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = float_##OPERATION,
#define PAST_ENTRY(OPERATION) [TENSOR_##OPERATION] = past_##OPERATION,
#define INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = int_##OPERATION,
#define TREE_FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = tree_float_##OPERATION,
#define TREE_INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = tree_int_##OPERATION,
#define COLUMNS_FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = columns_float_##OPERATION,
#define COLUMNS_INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = columns_int_##OPERATION,
const moho_tensor_loops TENSOR_LOOPS = {
    .of_float = {FLOAT_LOOPS(FLOAT_ENTRY)},
    .of_int = {INT_LOOPS(INT_ENTRY)},
    .past_float = {MOVERS(PAST_ENTRY)},
    .past_half = {past_f16, past_bf16},
    .floats_to_ints = floats_to_ints,
    .clamp_ints = clamp_ints,
    .ints_to_floats = ints_to_floats,
    .load = {load_words, load_f16, load_bf16, load_words, load_i8, load_u8},
    .store = {store_words, store_f16, store_bf16, store_words, store_i8, store_u8},
    .tree_float = {TREES(TREE_FLOAT_ENTRY)},
    .tree_int = {TREES(TREE_INT_ENTRY)},
    .columns_float = {TREES(COLUMNS_FLOAT_ENTRY)},
    .columns_int = {TREES(COLUMNS_INT_ENTRY)},
    .terms = {terms_itself, terms_exp, terms_square},
    .scale = scale,
    .lower = lower,
    .normalize = normalize,
    .stream = stream,
    .end_stream = end_stream,
};
