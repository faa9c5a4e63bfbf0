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

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Outputs may be inputs, element for element: no iteration waits for another. */
#define EACH_ALONE _Pragma("omp simd")

/* ---- formulas ---- */

#define FLOAT_LOOP(OPERATION)                                                                                         \
  static void float_##OPERATION(moho_word *out, const moho_word *a, const moho_word *b, const moho_word *c, size_t n, \
                                moho_word s, moho_word t) {                                                           \
    EACH_ALONE                                                                                                        \
    for (size_t k = 0; k < n; k++) out[k].f = tensor_apply(TENSOR_##OPERATION, a[k].f, b[k].f, c[k].f, s.f, t.f);     \
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
FLOAT_LOOPS(FLOAT_LOOP)
INT_LOOPS(INT_LOOP)

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

/* ---- halves, by their bits ---- */

/* A half's bits moved into a float's are the number times 2^-112, subnormal halves too; infinities and NaN get their exponent. */
static inline float float_of_half(uint16_t half) {
  uint32_t bits = (uint32_t)(half & 0x7fffu) << 13;
  float scaled = AS_FLOAT(bits) * 0x1p112f;
  uint32_t magnitude = bits >= 0x0f800000u ? bits | 0x7f800000u : AS_UINT(scaled);
  return AS_FLOAT(magnitude | (uint32_t)(half & 0x8000u) << 16);
}

/* Rounded to nearest even; below the least normal half an addition rounds at its last place. */
static inline uint16_t half_of_float(float x) {
  uint32_t bits = AS_UINT(x), magnitude = bits & 0x7fffffffu;
  uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - 0x38000000u) >> 13;
  uint32_t small = AS_UINT(AS_FLOAT(magnitude) + 0.5f) - 0x3f000000u;
  uint32_t finite = magnitude < 0x38800000u ? small : normal;
  uint32_t large = magnitude > 0x7f800000u ? 0x7e00u : 0x7c00u;
  return (uint16_t)((magnitude >= 0x477ff000u ? large : finite) | (bits >> 16 & 0x8000u));
}

static inline float float_of_bfloat(uint16_t bfloat) {
  return AS_FLOAT((uint32_t)bfloat << 16);
}

static inline uint16_t bfloat_of_float(float x) {
  uint32_t bits = AS_UINT(x), rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16;
  return (uint16_t)((bits & 0x7fffffffu) > 0x7f800000u ? bits >> 16 | 0x40u : rounded);
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
LOAD_LOOP(load_f16, uint16_t, f, float_of_half)
LOAD_LOOP(load_bf16, uint16_t, f, float_of_bfloat)
LOAD_LOOP(load_i8, int8_t, i, (int32_t))
LOAD_LOOP(load_u8, uint8_t, i, (int32_t))
STORE_LOOP(store_f16, uint16_t, f, half_of_float)
STORE_LOOP(store_bf16, uint16_t, f, bfloat_of_float)
STORE_LOOP(store_i8, int8_t, i, (int8_t))
STORE_LOOP(store_u8, uint8_t, i, (uint8_t))

/* ---- the fixed tree ---- */

/* Leaves that a short row reaches, a power of two: joining with the identity of the others changes no bit. */
static inline size_t leaves_used(size_t n) {
  size_t used = 1;
  while (used < n && used < TENSOR_LEAVES) used *= 2;
  return used;
}

#define TREE_LOOPS(kind, OPERATION, member, type, join, identity)                                                          \
  static moho_word tree_##kind##_##OPERATION(const moho_word *x, size_t n) {                                               \
    type leaf[TENSOR_LEAVES];                                                                                              \
    size_t whole = n / TENSOR_LEAVES * TENSOR_LEAVES;                                                                      \
    for (size_t l = 0; l < TENSOR_LEAVES; l++) leaf[l] = identity(TENSOR_##OPERATION);                                     \
    for (size_t j = 0; j < whole; j += TENSOR_LEAVES)                                                                      \
      for (size_t l = 0; l < TENSOR_LEAVES; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], x[j + l].member);             \
    for (size_t l = 0; l < n - whole; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], x[whole + l].member);               \
    for (size_t half = TENSOR_LEAVES / 2; half; half /= 2)                                                                 \
      for (size_t l = 0; l < half; l++) leaf[l] = join(TENSOR_##OPERATION, leaf[l], leaf[l + half]);                       \
    return (moho_word){.member = leaf[0]};                                                                                 \
  }                                                                                                                        \
  static void columns_##kind##_##OPERATION(moho_word *out, moho_word *leaves, const moho_word *x, size_t stride, size_t n, \
                                           size_t columns) {                                                               \
    size_t used = leaves_used(n);                                                                                          \
    for (size_t l = 0; l < used * columns; l++) leaves[l].member = identity(TENSOR_##OPERATION);                           \
    for (size_t i = 0; i < n; i++) {                                                                                       \
      moho_word *leaf = leaves + i % TENSOR_LEAVES * columns;                                                              \
      const moho_word *row = x + i * stride;                                                                               \
      for (size_t k = 0; k < columns; k++) leaf[k].member = join(TENSOR_##OPERATION, leaf[k].member, row[k].member);       \
    }                                                                                                                      \
    for (size_t half = used / 2; half; half /= 2)                                                                          \
      for (size_t k = 0; k < half * columns; k++)                                                                          \
        leaves[k].member = join(TENSOR_##OPERATION, leaves[k].member, leaves[k + half * columns].member);                  \
    memcpy(out, leaves, columns * sizeof *out);                                                                            \
  }
#define TREES(X) X(SUM) X(PROD) X(LEAST) X(MOST)
#define FLOAT_TREE(OPERATION) TREE_LOOPS(float, OPERATION, f, float, tensor_join, tensor_identity)
#define INT_TREE(OPERATION) TREE_LOOPS(int, OPERATION, i, int32_t, tensor_join_int, tensor_identity_int)
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

static void share(moho_word *y, const moho_word *e, size_t n, float sum) {
#pragma omp simd
  for (size_t k = 0; k < n; k++) y[k].f = tensor_share(e[k].f, sum);
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

static void stream(void *to, const void *from, size_t bytes) {
  size_t done = 0;
#if defined(__AVX512F__)
  for (; done + 64 <= bytes; done += 64)
    _mm512_stream_si512((void *)((char *)to + done), _mm512_loadu_si512((const char *)from + done));
  _mm_sfence();
#elif defined(__AVX2__)
  for (; done + 32 <= bytes; done += 32)
    _mm256_stream_si256((void *)((char *)to + done), _mm256_loadu_si256((const void *)((const char *)from + done)));
  _mm_sfence();
#endif
  memcpy((char *)to + done, (const char *)from + done, bytes - done);
}

/* ---- */

#define FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = float_##OPERATION,
#define INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = int_##OPERATION,
#define TREE_FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = tree_float_##OPERATION,
#define TREE_INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = tree_int_##OPERATION,
#define COLUMNS_FLOAT_ENTRY(OPERATION) [TENSOR_##OPERATION] = columns_float_##OPERATION,
#define COLUMNS_INT_ENTRY(OPERATION) [TENSOR_##OPERATION] = columns_int_##OPERATION,
const moho_tensor_loops TENSOR_LOOPS = {
    .of_float = {FLOAT_LOOPS(FLOAT_ENTRY)},
    .of_int = {INT_LOOPS(INT_ENTRY)},
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
    .share = share,
    .lower = lower,
    .normalize = normalize,
    .stream = stream,
};
