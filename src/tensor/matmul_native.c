/* matmul_native.c - matrix products on the cpu: by the library, else by our own blocks; stripes of C over threads. */
#include "tensor/matmul_native.h"

#include <string.h>

#include "base/memory.h"
#include "device/device_internal.h"
#include "kernels/kern.h"
#include "kernels/elementary.h"
#include "kernels/matmul.h"
#include "kernels/tensor_map.h"
#include "kernels/tensor_math.h"
#include "tensor/blas.h"
#include "tensor/matmul_block.h"
#include "tensor/matmul_layout.h"

/* Multiply-adds below which a second thread costs more than it brings. */
#define WORTH_A_THREAD 1e6

static matmul_block_function block_of(moho_simd simd) {
  switch (simd) {
#if defined(__x86_64__)
  case MOHO_SIMD_AVX512: return matmul_block_avx512;
  case MOHO_SIMD_AVX2: return matmul_block_avx2;
#elif defined(__aarch64__)
  case MOHO_SIMD_NEON: return matmul_block_neon;
#endif
  default: return matmul_block_scalar;
  }
}

/* Rows or columns of C: what one thread computes. */
typedef struct stripe {
  const matmul_parameters *p;
  const float *a, *b, *bias; /* first elements */
  float *c;
  size_t m, n;
} stripe;

/* ---- by the library ---- */

static int by_library(const stripe *s) {
  const matmul_parameters *p = s->p;
  const moho_blas *blas = p->may_use_library ? moho_blas_get(NULL) : NULL;
  matmul_layout a = matmul_layout_of(s->m, p->k, p->a_row, p->a_column), b = matmul_layout_of(p->k, s->n, p->b_row, p->b_column);
  if (!blas || !p->k || !a.leading || !b.leading) return 0;
  int a_is = a.is_transposed ? BLAS_TRANSPOSED : BLAS_AS_IT_IS, b_is = b.is_transposed ? BLAS_TRANSPOSED : BLAS_AS_IT_IS;
  int m = (int)s->m, n = (int)s->n, k = (int)p->k, ldc = (int)(s->m > 1 ? p->c_row : s->n);
  if (n == 1)
    blas->sgemv(BLAS_ROW_MAJOR, a_is, a.is_transposed ? k : m, a.is_transposed ? m : k, p->alpha, s->a, (int)a.leading, s->b,
                k > 1 ? (int)p->b_row : 1, p->beta, s->c, m > 1 ? (int)p->c_row : 1);
  else blas->sgemm(BLAS_ROW_MAJOR, a_is, b_is, m, n, k, p->alpha, s->a, (int)a.leading, s->b, (int)b.leading, p->beta, s->c, ldc);
  return 1;
}

/* ---- by ourselves ---- */

static void by_blocks(const stripe *s) {
  const matmul_parameters *p = s->p;
  for (size_t i = 0; i < s->m; i++) {
    float *row = s->c + i * p->c_row;
    if (p->beta == 0) memset(row, 0, s->n * sizeof *row);
    else
      for (size_t j = 0; j < s->n; j++) row[j] *= p->beta;
  }
  const matmul_block block = {.m = s->m,
                              .n = s->n,
                              .k = p->k,
                              .alpha = p->alpha,
                              .a = s->a,
                              .b = s->b,
                              .a_row = p->a_row,
                              .a_column = p->a_column,
                              .b_row = p->b_row,
                              .b_column = p->b_column,
                              .c = s->c,
                              .c_row = p->c_row};
  block_of((moho_simd)p->simd)(&block);
}

/* ---- what comes after the product ---- */

static void finish(const stripe *s) {
  const matmul_parameters *p = s->p;
  if (!p->has_bias && p->activation == TENSOR_COPY) return;
  for (size_t i = 0; i < s->m; i++) {
    float *row = s->c + i * p->c_row;
    for (size_t j = 0; p->has_bias && j < s->n; j++) row[j] += s->bias[j];
    if (p->activation == TENSOR_COPY) continue;
    for (size_t j = 0; j < s->n; j++) row[j] = tensor_apply(p->activation, row[j], 0, 0, p->scalar[0], p->scalar[1]);
  }
}

static void run_stripe(const stripe *s) {
  if (!s->m || !s->n) return;
  if (!by_library(s)) by_blocks(s);
  finish(s);
}

/* Part `which` of `parts` of the longer side, cut at multiples of 16. */
static stripe part_of(const stripe *whole, size_t which, size_t parts) {
  stripe s = *whole;
  int by_rows = whole->m >= whole->n;
  size_t length = by_rows ? whole->m : whole->n, size = moho_round_up(moho_pieces(length, parts), 16);
  size_t first = moho_smaller(which * size, length), count = moho_smaller(size, length - first);
  if (by_rows) s.m = count, s.a += first * s.p->a_row, s.c += first * s.p->c_row;
  else s.n = count, s.b += first * s.p->b_column, s.c += first, s.bias += s.p->has_bias ? first : 0;
  return s;
}

static size_t parts_of(const matmul_parameters *p) {
  const moho_blas *blas = p->may_use_library ? moho_blas_get(NULL) : NULL;
  if (p->threads < 2 || (blas && blas->has_own_threads)) return 1;
  double work = (double)p->m * (double)p->n * (double)p->k;
  size_t worth = work / WORTH_A_THREAD < p->threads ? (size_t)(work / WORTH_A_THREAD) : p->threads;
  return worth ? worth : 1;
}

static void run_piece(void *const *buffers, const matmul_parameters *p, size_t piece, size_t parts) {
  size_t batch = piece / parts;
  const stripe whole = {.p = p,
                        .a = (const float *)buffers[0] + p->a_first + batch * p->a_batch,
                        .b = (const float *)buffers[1] + p->b_first + batch * p->b_batch,
                        .bias = (const float *)buffers[2] + (p->has_bias ? p->bias_first : 0),
                        .c = (float *)buffers[3] + p->c_first + batch * p->c_batch,
                        .m = p->m,
                        .n = p->n};
  stripe own = parts > 1 ? part_of(&whole, piece % parts, parts) : whole;
  run_stripe(&own);
}

void moho_native_matmul(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const matmul_parameters *p = parameters;
  size_t parts = p->batches >= p->threads && p->batches > 1 ? 1 : parts_of(p), pieces = parts * p->batches;
  int threads = (int)(parts > 1 ? parts : (double)p->m * p->n * p->k * p->batches < WORTH_A_THREAD ? 1 : p->threads);
  if (threads < 2 || pieces < 2) { /* a parallel loop of one thread costs microseconds */
    for (size_t piece = 0; piece < pieces; piece++) run_piece(buffers, p, piece, parts);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(threads)
  for (size_t piece = 0; piece < pieces; piece++) run_piece(buffers, p, piece, parts);
}
