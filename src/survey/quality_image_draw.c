/* quality_image_draw.c - the pictures of an image: its middle section, its fold, its spectrum. */
#include <stdlib.h>

#include "base/file_writer.h"
#include "survey/image_pictures.h"
#include "survey/quality_draw.h"
#include "survey/quality_image.h"

moho_status moho_image_rows_draw(const moho_image_rows *rows, const moho_image_quality *quality, const char *directory) {
  const moho_spectrum *spectrum = &quality->spectrum;
  const char *const names[] = {"stack.png", "fold.png", "spectrum.png"};
  const int wanted[] = {1, quality->has_fold, spectrum->traces > 0};
  MOHO_TRY(moho_directory_make(directory));
  for (int i = 0; i < 3; i++) {
    char *path;
    if (!wanted[i]) continue;
    MOHO_TRY(moho_quality_path(directory, names[i], &path));
    moho_status status = i == 0   ? moho_draw_stack(rows, path, "Stack")
                         : i == 1 ? moho_draw_fold(rows, path)
                                  : moho_spectrum_draw(&spectrum, NULL, 1, "Mean amplitude spectrum of the image", path);
    free(path);
    if (status) return status;
  }
  return MOHO_OK;
}

moho_status moho_image_quality_draw(const moho_image *image, const moho_image_quality *quality, const char *directory) {
  moho_image_rows rows = moho_image_rows_of(image);
  return moho_image_rows_draw(&rows, quality, directory);
}

moho_status moho_image_quality_draw_zarr(const char *path, size_t memory_bytes, const moho_image_quality *quality,
                                         const char *directory) {
  moho_image image;
  moho_image_rows rows;
  MOHO_TRY(moho_image_describe_zarr(path, &image));
  moho_status status = moho_image_rows_open(path, &image, memory_bytes, &rows);
  if (!status) status = moho_image_rows_draw(&rows, quality, directory);
  moho_image_rows_close(&rows);
  moho_image_release(&image);
  return status;
}
