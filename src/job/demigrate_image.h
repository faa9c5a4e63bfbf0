/* demigrate_image.h - the image that a demigration reads piece by piece, out of an image.zarr.
 */
#ifndef MOHO_JOB_DEMIGRATE_IMAGE_H
#define MOHO_JOB_DEMIGRATE_IMAGE_H

#include "job/run_inputs.h"
#include "survey/image_rows.h"

typedef struct moho_demigrate_image {
  moho_image_rows rows;
  size_t strip;       /* inlines that are read together: the rows of a chunk; 1: as asked for */
  moho_window held;   /* in memory now; empty: nothing */
  const float *stack; /* of it */
  const int32_t *fold;
} moho_demigrate_image;

/* described: moho_image_describe_zarr() (BORROW). *bytes: what it will hold; chunks are read once rather than for every row of
 * tiles where that fits into a quarter of memory_bytes. */
moho_status moho_demigrate_image_open(const char *path, const moho_image *described, int with_fold, size_t memory_bytes,
                                      moho_demigrate_image *out, size_t *bytes);
/* A moho_piece_reader; user: the moho_demigrate_image. */
moho_status moho_demigrate_image_read(void *user, const moho_window *window, const float **image, const int32_t **fold);
void moho_demigrate_image_close(moho_demigrate_image *image);

#endif
