/* image_rows.c - an image in the order of its SEG-Y files. */
#include "survey/image_rows.h"

#include "base/memory.h"

static moho_status read_from_memory(void *user, const moho_window *w, int gathers, const float **values, const int32_t **fold) {
  const moho_image *image = user;
  size_t row = image->grid.n_time * (gathers ? moho_gather_bins_count(&image->bins) : 1);
  size_t first = (w->inline_first * image->grid.n_crossline + w->crossline_first) * row;
  const int32_t *counts = gathers ? image->gathers_fold : image->fold;
  *values = (gathers ? image->gathers : image->stack) + first;
  *fold = counts ? counts + first : NULL;
  return MOHO_OK;
}

moho_image_rows moho_image_rows_of(const moho_image *image) {
  return (moho_image_rows){.grid = &image->grid,
                           .bins = &image->bins,
                           .piece_columns = SIZE_MAX,
                           .read = read_from_memory,
                           .user = (void *)(uintptr_t)image};
}

int moho_image_rows_next(const moho_image_rows *rows, size_t *next, moho_window *window) {
  size_t row = rows->grid->n_crossline, i = *next / row, j = *next % row;
  if (i >= rows->grid->n_inline) return 0;
  *window = (moho_window){.inline_first = i, .n_inline = 1, .crossline_first = j};
  if (j == 0 && rows->piece_columns >= row) {
    /* A file's headers are made for a piece at once: a few thousand columns are as good as all. */
    size_t most = moho_smaller(rows->piece_columns, row > 4096 ? row : 4096) / row;
    window->n_inline = moho_smaller(most, rows->grid->n_inline - i);
    window->n_crossline = row;
  } else {
    window->n_crossline = moho_smaller(rows->piece_columns ? rows->piece_columns : 1, row - j);
  }
  *next += window->n_inline * window->n_crossline;
  return 1;
}

uint8_t moho_image_trace_flags(const int32_t *fold, size_t n) {
  for (size_t k = 0; k < n; k++)
    if (fold[k]) return 0;
  return MOHO_TRACE_DEAD;
}
