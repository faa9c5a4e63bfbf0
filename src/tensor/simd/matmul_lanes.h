/* matmul_lanes.h - the blocked matrix product, one text for all instruction sets. Before it: LANES floats of a vector, ROWS of
 * C and two vectors of its columns kept in registers, and NAME of the function.
 *
 * As BLIS has it: panels of B (DEPTH by 2 LANES) and of A (DEPTH by ROWS) are copied in the order that the inner loop reads them,
 * which then adds products to ROWS by 2 LANES sums; loops outside keep A's panels in the second cache, B's in the third.
 * (Van Zee and van de Geijn, "BLIS: A Framework for Rapidly Instantiating BLAS Functionality", 2015.) */
#include <stdlib.h>
#include <string.h>

#include "tensor/matmul_block.h"

enum { COLUMNS = 2 * LANES, DEPTH = 256, BLOCK_ROWS = 16 * ROWS, BLOCK_COLUMNS = 32 * COLUMNS };

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

static inline size_t smaller(size_t a, size_t b) {
  return a < b ? a : b;
}

/* `wide` of rows (or columns) first ..., DEPTH of the other way; beyond the edge zeros. */
static void copy_panel(const float *from, size_t step, size_t depth_step, size_t there, size_t wide, size_t depth, float *to) {
  for (size_t k = 0; k < depth; k++) {
    const float *source = from + k * depth_step;
    for (size_t i = 0; i < there; i++) to[k * wide + i] = source[i * step];
    for (size_t i = there; i < wide; i++) to[k * wide + i] = 0;
  }
}

static void add_products(const float *a, const float *b, size_t depth, lanes sums[ROWS][2]) {
  lanes sum[ROWS][2];
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) sum[i][0] = sum[i][1] = (lanes){0};
  for (size_t k = 0; k < depth; k++) {
    lanes low = *(const lanes *)(b + k * COLUMNS), high = *(const lanes *)(b + k * COLUMNS + LANES);
#pragma GCC unroll 16
    for (int i = 0; i < ROWS; i++) {
      float x = a[k * ROWS + (size_t)i];
      sum[i][0] += x * low;
      sum[i][1] += x * high;
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < ROWS; i++) sums[i][0] = sum[i][0], sums[i][1] = sum[i][1];
}

static void add_tile(const matmul_block *p, const float *a, const float *b, size_t depth, size_t row, size_t column) {
  lanes sums[ROWS][2];
  float line[COLUMNS];
  add_products(a, b, depth, sums);
  size_t rows = smaller(ROWS, p->m - row), columns = smaller(COLUMNS, p->n - column);
  for (size_t i = 0; i < rows; i++) {
    float *c = p->c + (row + i) * p->c_row + column;
    memcpy(line, sums[i], sizeof line);
    for (size_t j = 0; j < columns; j++) c[j] += p->alpha * line[j];
  }
}

/* Where there is no memory for panels: slowly, without. */
static void add_plainly(const matmul_block *p) {
  for (size_t i = 0; i < p->m; i++)
    for (size_t k = 0; k < p->k; k++) {
      float x = p->alpha * p->a[i * p->a_row + k * p->a_column];
      for (size_t j = 0; j < p->n; j++) p->c[i * p->c_row + j] += x * p->b[k * p->b_row + j * p->b_column];
    }
}

static void add_block(const matmul_block *p, size_t first_k, size_t depth, size_t first_column, size_t columns, float *a_panels,
                      float *b_panels) {
  for (size_t j = 0; j < columns; j += COLUMNS)
    copy_panel(p->b + first_k * p->b_row + (first_column + j) * p->b_column, p->b_column, p->b_row, smaller(COLUMNS, columns - j),
               COLUMNS, depth, b_panels + j * DEPTH);
  for (size_t i = 0; i < p->m; i += BLOCK_ROWS) {
    size_t rows = smaller(BLOCK_ROWS, p->m - i);
    for (size_t r = 0; r < rows; r += ROWS)
      copy_panel(p->a + (i + r) * p->a_row + first_k * p->a_column, p->a_row, p->a_column, smaller(ROWS, rows - r), ROWS, depth,
                 a_panels + r * DEPTH);
    for (size_t j = 0; j < columns; j += COLUMNS)
      for (size_t r = 0; r < rows; r += ROWS)
        add_tile(p, a_panels + r * DEPTH, b_panels + j * DEPTH, depth, i + r, first_column + j);
  }
}

void NAME(const matmul_block *p) {
  float *panels = malloc((BLOCK_ROWS + BLOCK_COLUMNS) * DEPTH * sizeof *panels);
  if (!panels) {
    add_plainly(p);
    return;
  }
  for (size_t j = 0; j < p->n; j += BLOCK_COLUMNS)
    for (size_t k = 0; k < p->k; k += DEPTH)
      add_block(p, k, smaller(DEPTH, p->k - k), j, smaller(BLOCK_COLUMNS, p->n - j), panels, panels + BLOCK_ROWS * DEPTH);
  free(panels);
}
