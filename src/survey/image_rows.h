/* image_rows.h - an image in the order of its SEG-Y files, piece by piece: from memory, or from the chunks of an image.zarr that
 * is larger than memory.
 */
#ifndef MOHO_SURVEY_IMAGE_ROWS_H
#define MOHO_SURVEY_IMAGE_ROWS_H

#include "moho/image.h"

typedef struct moho_image_rows {
  const moho_grid *grid;
  const moho_gather_bins *bins; /* kind none: no gathers */
  size_t memory_bytes;          /* what a piece and its fold may take; SIZE_MAX: it is in memory already */
  /* Stack or (gathers: 1) gathers of a window, and their fold (NULL without): BORROW until the next call. Either may be NULL: not
   * wanted. The window is whole inlines, or part of one inline. */
  moho_status (*read)(void *user, const moho_window *window, int gathers, const float **values, const int32_t **fold);
  void *user;
} moho_image_rows;

/* All of an image in memory; needs no closing. */
moho_image_rows moho_image_rows_of(const moho_image *image);

/* Of an image.zarr, in about memory_bytes (0: 512 MiB, or a quarter of what is free). described: by moho_image_describe_zarr() or
 * the same (BORROW: grid and bins). */
moho_status moho_image_rows_open(const char *path, const moho_image *described, size_t memory_bytes, moho_image_rows *out);
void moho_image_rows_close(moho_image_rows *rows);

/* The windows that cover `all` (whole inlines, or part of one), one after the other in the order of inline and crossline, as
 * large as memory allows: whole inlines, or parts of one. *next: columns before it, 0 at first; 0 is returned at the end. */
int moho_image_rows_next(const moho_image_rows *rows, int gathers, const moho_window *all, size_t *next, moho_window *window);

/* A trace of counts that are all zero is dead. */
uint8_t moho_image_trace_flags(const int32_t *fold, size_t n);

moho_status moho_image_rows_write_segy(const moho_image_rows *rows, const char *path, const char *description);
moho_status moho_image_rows_write_gathers_segy(const moho_image_rows *rows, const char *path, const char *description);

#endif
