/* image.c - the migrated image in memory. */
#include "moho/image.h"

#include <stdlib.h>

#include "base/memory.h"

moho_status moho_image_create(const moho_grid *grid, moho_image *out) {
  size_t columns, samples;
  *out = (moho_image){0};
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_multiply(grid->n_inline, grid->n_crossline, "image columns", &columns));
  MOHO_TRY(moho_multiply(columns, grid->n_time, "image samples", &samples));
  moho_status status = moho_grid_copy(grid, &out->grid);
  if (!status) status = moho_allocate(samples, sizeof *out->stack, "image stack", &out->stack);
  if (!status) status = moho_allocate(samples, sizeof *out->fold, "image fold", &out->fold);
  if (status) moho_image_release(out);
  return status;
}

moho_status moho_image_add_gathers(moho_image *image, const moho_gather_bins *bins) {
  size_t columns = image->grid.n_inline * image->grid.n_crossline, samples;
  moho_gather_bins_release(&image->bins);
  free(image->gathers), free(image->gathers_fold);
  image->gathers = NULL, image->gathers_fold = NULL;
  MOHO_TRY(moho_gather_bins_copy(bins, &image->bins));
  MOHO_TRY(moho_multiply(columns * image->grid.n_time, moho_gather_bins_count(bins), "image gathers", &samples));
  if (!samples) return MOHO_OK;
  MOHO_TRY(moho_allocate(samples, sizeof *image->gathers, "image gathers", &image->gathers));
  return moho_allocate(samples, sizeof *image->gathers_fold, "the gathers' fold", &image->gathers_fold);
}

void moho_image_release(moho_image *image) {
  moho_grid_release(&image->grid);
  moho_gather_bins_release(&image->bins);
  free(image->gathers);
  free(image->gathers_fold);
  free(image->stack);
  free(image->fold);
  free(image->attributes);
  *image = (moho_image){0};
}
