/* reduce_native.c - reductions on the cpu: blocks of rows, or blocks of many rows side by side, in the tree of the kernels. */
#include <string.h>

#include "base/memory.h"
#include "kernels/kern.h"
#include "kernels/tensor_reduce.h"
#include "kernels/tensor_tree.h"
#include "tensor/native.h"
#include "tensor/simd/tensor_native.h"

/* Elements that are worth a thread of their own. */
#define WORTH_A_THREAD 65536u

typedef struct reduce_work {
  const tensor_reduce_parameters *p;
  const moho_tensor_loops *loops;
  void *const *buffers;
} reduce_work;

static size_t row_place(const tensor_reduce_parameters *p, uint32_t row, size_t first, const unsigned *stride) {
  return moho_row_place(row, first, p->rank, p->shape, stride);
}

static uint32_t elements_of(const tensor_reduce_parameters *p, uint32_t block) {
  return (uint32_t)moho_smaller(TENSOR_BLOCK, p->n - (size_t)block * TENSOR_BLOCK);
}

/* The words of a block: where they lie, if they are neighbours; else brought to `own`. */
static const moho_word *block_words(const reduce_work *w, size_t start, uint32_t block, uint32_t n, moho_word *own) {
  const tensor_reduce_parameters *p = w->p;
  size_t first = start + (size_t)block * TENSOR_BLOCK * p->axis_stride;
  if (p->axis_stride == 1 && (p->type_in == TENSOR_F32 || p->type_in == TENSOR_I32))
    return (const moho_word *)w->buffers[0] + first;
  w->loops->load[p->type_in](own, w->buffers[0], first, p->axis_stride, n);
  return own;
}

/* ---- results ---- */

static void put(const reduce_work *w, uint32_t row, uint32_t block, moho_word x, uint32_t place) {
  const tensor_reduce_parameters *p = w->p;
  if (!p->is_last) {
    size_t at = (size_t)row * p->blocks_in_all + p->block_first + block;
    ((moho_word *)w->buffers[2])[at] = x;
    if (p->operation == TENSOR_ARGMAX) ((uint32_t *)w->buffers[3])[at] = place;
    return;
  }
  if (p->operation == TENSOR_ARGMAX) x.i = (int32_t)place;
  else if (!p->is_integer) x.f /= p->divisor;
  w->loops->store[p->type_out](w->buffers[2], row_place(p, row, p->first_out, p->stride_out), 1, &x, 1);
}

/* ---- a block ---- */

static void argmax_block(const reduce_work *w, const moho_word *x, size_t start, uint32_t block, uint32_t n, moho_word *best,
                         uint32_t *place) {
  const tensor_reduce_parameters *p = w->p;
  const uint32_t *places = p->has_places ? (const uint32_t *)w->buffers[1] + start + (size_t)block * TENSOR_BLOCK : NULL;
  uint32_t first = p->element_first + block * TENSOR_BLOCK;
  moho_word most = (p->is_integer ? w->loops->tree_int : w->loops->tree_float)[TENSOR_MOST](x, n);
  uint32_t k = 0; /* the first that is the most, or the first NaN */
  if (p->is_integer)
    while (x[k].i != most.i) k++;
  else if (most.f != most.f)
    while (x[k].f == x[k].f) k++;
  else
    while (x[k].f != most.f) k++;
  *best = x[k];
  *place = places ? places[k] : first + k;
}

/* What comes after a block of words that are neighbours: its row's next block, or the next row's first. */
static void fetch_next(const reduce_work *w, uint32_t row, uint32_t block) {
  const tensor_reduce_parameters *p = w->p;
  size_t first = p->first_in, n;
  if (p->axis_stride != 1 || (p->type_in != TENSOR_F32 && p->type_in != TENSOR_I32)) return;
  if (block + 1 < p->blocks) {
    first = row_place(p, row, first, p->stride_in) + (size_t)(block + 1) * TENSOR_BLOCK, n = elements_of(p, block + 1);
  } else {
    if (p->rank != 1 || row + 1 >= p->rows) return;
    first += (size_t)(row + 1) * p->stride_in[0], n = elements_of(p, 0);
  }
  moho_fetch((const moho_word *)w->buffers[0] + first, n * sizeof(moho_word));
}

static void reduce_block(const reduce_work *w, uint32_t row, uint32_t block) {
  const tensor_reduce_parameters *p = w->p;
  moho_word own[TENSOR_BLOCK], x;
  uint32_t n = elements_of(p, block), place = 0;
  size_t start = row_place(p, row, p->first_in, p->stride_in);
  fetch_next(w, row, block);
  const moho_word *words = block_words(w, start, block, n, own);
  if (p->operation == TENSOR_ARGMAX) argmax_block(w, words, start, block, n, &x, &place);
  else x = (p->is_integer ? w->loops->tree_int : w->loops->tree_float)[p->operation](words, n);
  put(w, row, block, x, place);
}

/* ---- rows side by side ---- */

/* Rows `row` ... that are neighbours in memory, at most 1024: their block as columns. */
static uint32_t neighbours(const tensor_reduce_parameters *p, uint32_t row) {
  if (!p->by_columns || p->stride_in[0] != 1 || p->operation == TENSOR_ARGMAX) return 1;
  return (uint32_t)moho_smaller(MOHO_TREE_COLUMNS, p->shape[0] - row % p->shape[0]);
}

static void reduce_columns(const reduce_work *w, uint32_t row, uint32_t columns, uint32_t block) {
  const tensor_reduce_parameters *p = w->p;
  moho_word levels[MOHO_TREE_LEVELS * MOHO_TREE_COLUMNS], out[MOHO_TREE_COLUMNS];
  int are_words = p->type_in == TENSOR_F32 || p->type_in == TENSOR_I32;
  const moho_columns x = {.from = w->buffers[0],
                          .first = row_place(p, row, p->first_in, p->stride_in) + (size_t)block * TENSOR_BLOCK * p->axis_stride,
                          .stride = p->axis_stride,
                          .n = elements_of(p, block),
                          .load = are_words ? NULL : w->loops->load[p->type_in]};
  (p->is_integer ? w->loops->columns_int : w->loops->columns_float)[p->operation](out, levels, &x, columns);
  for (uint32_t k = 0; k < columns; k++) put(w, row + k, block, out[k], 0);
}

/* ---- */

static void run_rows(const reduce_work *w, uint32_t begin, uint32_t end) {
  const tensor_reduce_parameters *p = w->p;
  for (uint32_t row = begin; row < end;) {
    uint32_t columns = (uint32_t)moho_smaller(neighbours(p, row), end - row);
    for (uint32_t block = 0; block < p->blocks; block++) {
      if (columns > 1) reduce_columns(w, row, columns, block);
      else reduce_block(w, row, block);
    }
    row += columns;
  }
}

/* Threads take rows; of few rows, blocks. */
void moho_native_reduce(void *const *buffers, const void *parameters, const uint32_t groups[2], uint32_t lanes) {
  (void)groups, (void)lanes;
  const tensor_reduce_parameters *p = parameters;
  reduce_work w = {.p = p, .loops = moho_tensor_loops_of(p->simd), .buffers = buffers};
  size_t worth = (size_t)p->rows * p->n / WORTH_A_THREAD;
  uint32_t threads = (uint32_t)moho_smaller(p->threads, worth ? worth : 1);
  if (threads <= 1) {
    run_rows(&w, 0, p->rows);
  } else if (p->rows < 4 * threads && !p->by_columns) {
    uint32_t items = p->rows * p->blocks;
#pragma omp parallel for num_threads((int)threads) schedule(static)
    for (uint32_t i = 0; i < items; i++) reduce_block(&w, i / p->blocks, i % p->blocks);
  } else {
    uint32_t share = (uint32_t)moho_pieces(p->rows, threads);
#pragma omp parallel for num_threads((int)threads) schedule(static)
    for (uint32_t t = 0; t < threads; t++)
      if ((uint64_t)t * share < p->rows) run_rows(&w, t * share, (uint32_t)moho_smaller(p->rows, ((size_t)t + 1) * share));
  }
}
