/* demigrate_image.c - the pieces of an image as its demigration asks for them: slab after slab of a strip of inlines. */
#include "job/demigrate_image.h"

#include "base/memory.h"
#include "migrate/adjoint_slabs.h"
#include "survey/image_zarr.h"

/* Columns of a slab, at most: 32 tiles of 64 (adjoint_run.h); a strip has four rows of such slabs. */
enum { SLAB_COLUMNS = 2048, STRIP_COLUMNS = 4 * SLAB_COLUMNS, CHUNK_BYTES = 4 << 20 };

moho_status moho_demigrate_image_open(const char *path, const moho_image *described, int with_fold, size_t memory_bytes,
                                      moho_demigrate_image *out, size_t *bytes) {
  const moho_grid *grid = &described->grid;
  size_t column = grid->n_time * (with_fold ? 8 : 4), across, all = grid->n_inline * grid->n_crossline;
  size_t strip = moho_smaller(all, STRIP_COLUMNS) * column, slab = moho_smaller(all, SLAB_COLUMNS) * column;
  *out = (moho_demigrate_image){.strip = 1};
  if (strip <= memory_bytes / 4) moho_image_zarr_sides(grid, NULL, &out->strip, &across);
  *bytes = (strip <= memory_bytes / 4 ? strip : slab) + 2 * CHUNK_BYTES;
  return moho_image_rows_open(path, described, *bytes, &out->rows);
}

void moho_demigrate_image_close(moho_demigrate_image *image) {
  moho_image_rows_close(&image->rows);
}

static int holds(const moho_window *held, const moho_window *w) {
  return held->n_inline && w->inline_first >= held->inline_first &&
         w->inline_first + w->n_inline <= held->inline_first + held->n_inline && w->crossline_first == held->crossline_first &&
         w->n_crossline == held->n_crossline;
}

/* The inlines of its strips whole: the next slabs lie there too. */
static moho_window widen(const moho_demigrate_image *image, const moho_window *w) {
  moho_window wide = *w;
  size_t end = moho_smaller(moho_round_up(w->inline_first + w->n_inline, image->strip), image->rows.grid->n_inline);
  wide.inline_first -= wide.inline_first % image->strip;
  wide.n_inline = end - wide.inline_first;
  return wide;
}

moho_status moho_demigrate_image_read(void *user, const moho_window *window, const float **stack, const int32_t **fold) {
  moho_demigrate_image *image = user;
  size_t nt = image->rows.grid->n_time;
  if (!holds(&image->held, window)) {
    moho_window wide = widen(image, window);
    image->held = (moho_window){0};
    MOHO_TRY(image->rows.read(image->rows.user, &wide, 0, &image->stack, fold ? &image->fold : NULL));
    image->held = wide;
  }
  size_t first = (window->inline_first - image->held.inline_first) * window->n_crossline * nt;
  *stack = image->stack + first;
  if (fold) *fold = image->fold ? image->fold + first : NULL;
  return MOHO_OK;
}
