/* rows_native.c - operations on whole rows on the cpu: a row's words at hand, sums in the tree of the kernels. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/kern.h"
#include "kernels/tensor_row_math.h"
#include "kernels/tensor_tree.h"
#include "tensor/native.h"
#include "tensor/simd/tensor_native.h"

#define WORTH_A_THREAD 16384u

typedef struct row_work {
  const tensor_rows_parameters *p;
  const moho_tensor_loops *loops;
  void *const *buffers;
  const moho_word *gamma, *beta; /* [n] as floats, or NULL */
} row_work;

static size_t row_place(const tensor_rows_parameters *p, uint32_t row, size_t first, const unsigned *stride) {
  return moho_row_place(row, first, p->rank, p->shape, stride);
}

/* Blocks, and their results as a block. */
static float tree(const row_work *w, uint32_t operation, const moho_word *x) {
  const tensor_rows_parameters *p = w->p;
  moho_word parts[TENSOR_LONGEST_ROW / TENSOR_BLOCK];
  for (uint32_t b = 0; b < p->blocks; b++)
    parts[b] = w->loops->tree_float[operation](x + (size_t)b * TENSOR_BLOCK,
                                               moho_smaller(TENSOR_BLOCK, p->n - (size_t)b * TENSOR_BLOCK));
  return p->blocks == 1 ? parts[0].f : w->loops->tree_float[operation](parts, p->blocks).f;
}

/* Terms are made in `own`, a block at a time, and added up; `keep`: they stay there. */
static float tree_of_terms(const row_work *w, uint32_t what, const moho_word *x, float a, moho_word *own, int keep) {
  const tensor_rows_parameters *p = w->p;
  moho_word parts[TENSOR_LONGEST_ROW / TENSOR_BLOCK];
  for (uint32_t b = 0; b < p->blocks; b++) {
    size_t first = (size_t)b * TENSOR_BLOCK, n = moho_smaller(TENSOR_BLOCK, p->n - first);
    moho_word *to = own + (keep ? first : 0);
    w->loops->terms[what](to, x + first, n, a);
    parts[b] = w->loops->tree_float[TENSOR_SUM](to, n);
  }
  return p->blocks == 1 ? parts[0].f : w->loops->tree_float[TENSOR_SUM](parts, p->blocks).f;
}

/* ---- one row ---- */

static void normalize(const row_work *w, const moho_word *x, moho_word *y) {
  const tensor_rows_parameters *p = w->p;
  moho_word block[TENSOR_BLOCK];
  float mean = p->operation == TENSOR_LAYER_NORM ? tree(w, TENSOR_SUM, x) / p->count : 0;
  float square = tree_of_terms(w, TENSOR_TERM_SQUARE, x, mean, block, 0) / p->count;
  w->loops->normalize(y, x, p->n, mean, tensor_inverse_root(square, p->epsilon), w->gamma, w->beta);
}

static void softmax(const row_work *w, const moho_word *x, moho_word *y) {
  const tensor_rows_parameters *p = w->p;
  float shift = tensor_row_shift(tree(w, TENSOR_MOST, x));
  if (p->operation == TENSOR_SOFTMAX) {
    float sum = tree_of_terms(w, TENSOR_TERM_EXP, x, shift, y, 1);
    w->loops->scale(y, y, p->n, tensor_share_of(sum));
  } else {
    moho_word block[TENSOR_BLOCK];
    float sum = tree_of_terms(w, TENSOR_TERM_EXP, x, shift, block, 0);
    w->loops->lower(y, x, p->n, shift, sum == 0 ? 0 : elementary_log(sum));
  }
}

static float cross_entropy(const row_work *w, const moho_word *x, uint32_t row) {
  const tensor_rows_parameters *p = w->p;
  moho_word block[TENSOR_BLOCK];
  uint32_t chosen = ((const uint32_t *)w->buffers[1])[row_place(p, row, p->first_gamma, p->stride_class)];
  float shift = tensor_row_shift(tree(w, TENSOR_MOST, x));
  float sum = tree_of_terms(w, TENSOR_TERM_EXP, x, shift, block, 0);
  return chosen < p->n ? tensor_row_loss(x[chosen].f, shift, elementary_log(sum), p->epsilon) : NAN;
}

/* `own`: n words. Contiguous floats are read and written where they are. */
static void run_row(const row_work *w, uint32_t row, moho_word *own) {
  const tensor_rows_parameters *p = w->p;
  size_t from = row_place(p, row, p->first_x, p->stride_in), to = row_place(p, row, p->first_y, p->stride_out);
  const moho_word *x = own;
  if (p->type_in == TENSOR_F32 && p->stride_x == 1) x = (const moho_word *)w->buffers[0] + from;
  else w->loops->load[p->type_in](own, w->buffers[0], from, p->stride_x, p->n);
  if (p->operation == TENSOR_CROSS_ENTROPY) {
    moho_word loss = {.f = cross_entropy(w, x, row)};
    w->loops->store[p->type_out](w->buffers[3], to, 1, &loss, 1);
    return;
  }
  int lands = p->type_out == TENSOR_F32 && p->stride_y == 1;
  moho_word *y = lands ? (moho_word *)w->buffers[3] + to : own;
  if (p->operation == TENSOR_SOFTMAX || p->operation == TENSOR_LOG_SOFTMAX) softmax(w, x, y);
  else normalize(w, x, y);
  if (!lands) w->loops->store[p->type_out](w->buffers[3], to, p->stride_y, y, p->n);
}

/* ---- threads ---- */

/* The next row's floats, where rows follow each other in memory. */
static void fetch_row(const row_work *w, uint32_t row) {
  const tensor_rows_parameters *p = w->p;
  if (p->type_in != TENSOR_F32 || p->stride_x != 1 || p->rank != 1 || p->n > MOHO_ROW_ON_STACK) return;
  moho_fetch((const moho_word *)w->buffers[0] + p->first_x + (size_t)row * p->stride_in[0], p->n * sizeof(moho_word));
}

static void run_share(const row_work *w, uint32_t begin, uint32_t end, int thread) {
  moho_word own[MOHO_ROW_ON_STACK], *row_words = own;
  if (w->p->n > MOHO_ROW_ON_STACK) row_words = (moho_word *)w->buffers[4] + (size_t)thread * w->p->n;
  for (uint32_t row = begin; row < end; row++) {
    if (row + 1 < end) fetch_row(w, row + 1);
    run_row(w, row, row_words);
  }
}

static void run_rows(const row_work *w) {
  const tensor_rows_parameters *p = w->p;
  size_t worth = (size_t)p->rows * p->n / WORTH_A_THREAD;
  uint32_t threads = (uint32_t)moho_smaller(moho_smaller(p->threads, p->rows), worth ? worth : 1);
  if (threads <= 1) {
    run_share(w, 0, p->rows, 0);
    return;
  }
  uint32_t share = (uint32_t)moho_pieces(p->rows, threads);
#pragma omp parallel for num_threads((int)threads) schedule(static)
  for (uint32_t t = 0; t < threads; t++)
    if ((uint64_t)t * share < p->rows) run_share(w, t * share, (uint32_t)moho_smaller(p->rows, ((size_t)t + 1) * share), (int)t);
}

/* Weights as floats: where they lie, or in `own`; of long rows behind the threads' words. */
static const moho_word *weights(const row_work *w, int which, uint32_t first, uint32_t stride, moho_word *own) {
  const tensor_rows_parameters *p = w->p;
  const void *from = w->buffers[1 + which];
  if (p->type_gamma == TENSOR_F32 && stride == 1) return (const moho_word *)from + first;
  if (p->n > MOHO_ROW_ON_STACK) own = (moho_word *)w->buffers[4] + (size_t)(p->threads + (uint32_t)which) * p->n;
  w->loops->load[p->type_gamma](own, from, first, stride, p->n);
  return own;
}

void moho_native_rows(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const tensor_rows_parameters *p = parameters;
  row_work w = {.p = p, .loops = moho_tensor_loops_of(p->simd), .buffers = buffers};
  moho_word gamma[MOHO_ROW_ON_STACK], beta[MOHO_ROW_ON_STACK];
  if (p->has_gamma) w.gamma = weights(&w, 0, p->first_gamma, p->stride_gamma, gamma);
  if (p->has_beta) w.beta = weights(&w, 1, p->first_beta, p->stride_beta, beta);
  run_rows(&w);
}
