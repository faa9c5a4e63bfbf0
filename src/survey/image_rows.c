/* image_rows.c - an image in the order of its SEG-Y files. */
#include "survey/image_rows.h"

#include "base/memory.h"
#include "survey/image_zarr.h"

static moho_status read_from_memory(void *user, const moho_window *w, int gathers, const float **values, const int32_t **fold) {
  const moho_image *image = user;
  size_t row = image->grid.n_time * (gathers ? moho_gather_bins_count(&image->bins) : 1);
  size_t first = (w->inline_first * image->grid.n_crossline + w->crossline_first) * row;
  const int32_t *counts = gathers ? image->gathers_fold : image->fold;
  if (values) *values = (gathers ? image->gathers : image->stack) + first;
  if (fold) *fold = counts ? counts + first : NULL;
  return MOHO_OK;
}

moho_image_rows moho_image_rows_of(const moho_image *image) {
  return (moho_image_rows){.grid = &image->grid,
                           .bins = &image->bins,
                           .memory_bytes = SIZE_MAX,
                           .read = read_from_memory,
                           .user = (void *)(uintptr_t)image};
}

/* Columns of a piece. Where chunks are read, a piece of inlines reads each of them once when it is as thick as they are; thicker
 * ones gain nothing. From memory too pieces are small: the headers of a piece are made at once. */
static size_t piece_columns(const moho_image_rows *rows, int gathers) {
  const moho_grid *grid = rows->grid;
  size_t column = 8 * grid->n_time * (gathers ? moho_gather_bins_count(rows->bins) : 1), side, across;
  moho_image_zarr_sides(grid, rows->bins, &side, &across);
  size_t columns = moho_smaller(rows->memory_bytes / column, side * grid->n_crossline);
  return columns ? columns : 1;
}

int moho_image_rows_next(const moho_image_rows *rows, int gathers, const moho_window *all, size_t *next, moho_window *window) {
  size_t row = all->n_crossline, i = *next / row, j = *next % row, most = piece_columns(rows, gathers);
  int is_whole = row == rows->grid->n_crossline;
  if (i >= all->n_inline) return 0;
  *window = (moho_window){.inline_first = all->inline_first + i, .n_inline = 1, .crossline_first = all->crossline_first + j};
  window->n_crossline = moho_smaller(most, row - j);
  if (is_whole && j == 0 && most >= row) window->n_inline = moho_smaller(most / row, all->n_inline - i);
  *next += window->n_inline * window->n_crossline;
  return 1;
}

uint8_t moho_image_trace_flags(const int32_t *fold, size_t n) {
  for (size_t k = 0; k < n; k++)
    if (fold[k]) return 0;
  return MOHO_TRACE_DEAD;
}
