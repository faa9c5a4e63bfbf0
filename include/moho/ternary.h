/* ternary.h - weights of -1, 0, 1: BitNet b1.58 on the processor, on plain arrays.
 *
 *   weights      g = max(mean|W|, 1e-5)               Wq = clamp(round(W / g), -1, 1)          W [n, k], n outputs of k inputs
 *   activations  s = 127 / max(max|x|, 1e-5)          xq = clamp(round(x s), -128, 127)        of each row of x [m, k]
 *   BitLinear    y[b,o] = (g / s_b) sum_i xq[b,i] Wq[o,i] + bias[o]
 *
 * round is to the nearest, halves to even; the mean is accumulated in double; the sum is exact in 32 bits, so it is the same on
 * every processor and GPU (k <= MOHO_TERNARY_LARGEST_K sees to it). (Ma and others, "The Era of 1-bit LLMs: All Large Language
 * Models are in 1.58 Bits", arXiv:2402.17764; the threshold form: Li and others, "Ternary Weight Networks", arXiv:1605.04711.)
 *
 * A row of activations that holds NaN or an infinity has s = NaN and xq = 0, so its outputs are NaN and others' are not touched.
 * Weights that are not finite are refused. Any n and k, 0 included. All arrays are the caller's, rows are contiguous unless a
 * stride is asked for. Functions may be called from several threads at once.
 */
#ifndef MOHO_TERNARY_H
#define MOHO_TERNARY_H

#include "moho/status.h"

#ifdef __cplusplus
extern "C" {
#endif

#define MOHO_TERNARY_LARGEST_K ((size_t)16777215) /* 128 k < 2^31 */

typedef enum {
  MOHO_TERNARY_ABSMEAN,  /* b1.58, above */
  MOHO_TERNARY_THRESHOLD /* q = sign(w) where |w| > 0.7 mean|W|, else 0; g = max(mean of those |w|, 1e-5) */
} moho_ternary_scheme;

/* What shares one g. */
typedef enum {
  MOHO_TERNARY_PER_TENSOR, /* all of W: scales[1] */
  MOHO_TERNARY_PER_ROW,    /* an output: scales[n] */
  MOHO_TERNARY_PER_GROUP   /* `group` inputs of an output, the last group may be shorter: scales[n, pieces] */
} moho_ternary_scaling;

typedef struct moho_ternary_options {
  moho_ternary_scheme scheme;
  moho_ternary_scaling scaling;
  size_t group; /* MOHO_TERNARY_PER_GROUP: a multiple of 4; else not looked at */
} moho_ternary_options;

/** "absmean", "threshold"; "tensor", "row", "group". @return MOHO_ERROR_ARGUMENT (no such name; the hint lists them) */
MOHO_API moho_status moho_ternary_scheme_named(const char *name, moho_ternary_scheme *out);
MOHO_API moho_status moho_ternary_scaling_named(const char *name, moho_ternary_scaling *out);

/** How many scales the options ask for. */
MOHO_API moho_status moho_ternary_scale_count(const moho_ternary_options *options, size_t n, size_t k, size_t *count);

/** W -> Wq and its scales. q [n, k], scales [count]. @return MOHO_ERROR_RANGE (a weight that is not finite, k too large), nothing
 *  written then; MOHO_ERROR_ARGUMENT (group 0 or no multiple of 4). */
MOHO_API moho_status moho_ternary_quantize(const float *w, size_t n, size_t k, const moho_ternary_options *options, int8_t *q,
                                           float *scales);

/* ---- packing ---- */

typedef enum {
  MOHO_TERNARY_2BIT,  /* a row: pieces(k, 4) bytes; value i is code q+1 in bits 2(i mod 4) of byte i/4; padded with value 0 */
  MOHO_TERNARY_BASE3, /* a row: pieces(k, 5) bytes; sum over j of 3^j (q+1) of value 5 i + j; padded with value 0 */
  MOHO_TERNARY_LANES  /* what kernels read: 64 outputs by 4 inputs in 64 bytes: output 16 t + j/4, input j mod 4 is code q+1 in
                       * bits 2 t of byte j; [pieces(n, 64), pieces(k, 4), 64]; padded with value 0 */
} moho_ternary_layout;

/** Bytes of n by k values. MOHO_ERROR_RANGE where they are no size_t. */
MOHO_API moho_status moho_ternary_packed_bytes(moho_ternary_layout layout, size_t n, size_t k, size_t *bytes);
/** @return MOHO_ERROR_RANGE (a value that is not -1, 0, 1: says where; too few bytes), nothing written then */
MOHO_API moho_status moho_ternary_pack(moho_ternary_layout layout, const int8_t *q, size_t n, size_t k, void *packed,
                                       size_t bytes);
/** @return MOHO_ERROR_FORMAT (a byte that packing never makes: says where), q undefined then; MOHO_ERROR_RANGE (too few bytes) */
MOHO_API moho_status moho_ternary_unpack(moho_ternary_layout layout, const void *packed, size_t bytes, size_t n, size_t k,
                                         int8_t *q);

/* ---- activations ---- */

/* A row's bytes lie k_stride apart: at least k rounded up to 4; what is between is 0. */
static inline size_t moho_ternary_row_bytes(size_t k) {
  return (k + 3) / 4 * 4;
}

/** x [m, k], x_stride apart -> xq [m, k_stride], s [m], sums [m] (of xq, which kernels take off again); s, sums may be NULL. */
MOHO_API moho_status moho_ternary_activations(const float *x, size_t m, size_t k, size_t x_stride, int8_t *xq, size_t k_stride,
                                              float *s, int32_t *sums);

/* ---- products ---- */

/* Weights ready for use. */
typedef struct moho_ternary_weights {
  size_t n, k;
  const void *lanes;   /* MOHO_TERNARY_LANES */
  const float *scales; /* as counted by scaling and group */
  moho_ternary_scaling scaling;
  size_t group;
} moho_ternary_weights;

/* How to compute; zeros are good. */
typedef struct moho_ternary_run {
  const char *simd; /* "scalar", "avx2", "vnni", "neon"; NULL: the best that this processor runs */
  int threads;      /* 0, 1: the caller's alone */
} moho_ternary_run;

/** The instruction sets that this processor and build run, best first, NULL after the last. */
MOHO_API const char *const *moho_ternary_simd_names(void);

/** The integer part: out[b,o] = sum_i xq[b,i] Wq[o,i], out [m, n]. Scales are not looked at.
 *  Cost: with AVX-512 VNNI about 128 multiplies and adds a cycle and more; memory for the packed weights once where m <= 6. */
MOHO_API moho_status moho_ternary_multiply(const moho_ternary_weights *weights, const int8_t *xq, size_t m, size_t k_stride,
                                           int32_t *out, const moho_ternary_run *run);

typedef struct moho_bitlinear_input {
  const float *x; /* [m, k], x_stride apart (0: k) */
  size_t m, x_stride;
  const float *bias;     /* [n] or NULL */
  int rms_norm;          /* 1: x := x / sqrt(mean(x^2) + epsilon) * gain before it is quantised */
  const float *rms_gain; /* [k] or NULL: 1 */
  float rms_epsilon;     /* > 0 where rms_norm is on */
  void *workspace;       /* moho_bitlinear_workspace() bytes, 64-byte aligned; NULL: allocated in the call */
  size_t workspace_bytes;
} moho_bitlinear_input;

MOHO_API moho_status moho_bitlinear_workspace(size_t m, size_t k, size_t *bytes);

/** y [m, n], y_stride apart (0: n). @return MOHO_ERROR_RANGE (workspace too small: says how much is needed; strides),
 *  MOHO_ERROR_ARGUMENT, MOHO_ERROR_NOT_AVAILABLE (simd that this processor does not run). */
MOHO_API moho_status moho_bitlinear(const moho_ternary_weights *weights, const moho_bitlinear_input *input, float *y,
                                    size_t y_stride, const moho_ternary_run *run);

#ifdef __cplusplus
}
#endif
#endif
