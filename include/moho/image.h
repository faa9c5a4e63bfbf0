/* image.h - the migrated image: stack, fold and gathers on a grid, written as Zarr and SEG-Y, read back.
 */
#ifndef MOHO_IMAGE_H
#define MOHO_IMAGE_H

#include "moho/gathers.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_image {
  moho_grid grid;
  float *stack;          /* [inline, crossline, time] */
  int32_t *fold;         /* [inline, crossline, time], contributions per sample; NULL where a file has none */
  char *attributes;      /* JSON object: the effective job, versions, input hash, ... (no members "grid", "gathers",
                            "complete"); may be NULL; owned, malloc */
  moho_gather_bins bins; /* kind none: no gathers */
  float *gathers;        /* [inline, crossline, bin, time]; NULL: none */
  int32_t *gathers_fold; /* the same */
  int is_partial;        /* 1: read from a run that has not ended: NaN, fold 0 where nothing is yet */
} moho_image;

/** Zeroed stack and fold for a grid (COPY). */
MOHO_API moho_status moho_image_create(const moho_grid *grid, moho_image *out);
MOHO_API void moho_image_release(moho_image *image);
/** Zeroed gathers and their fold, for these bins (COPY). @return MOHO_ERROR_MEMORY, MOHO_ERROR_RANGE */
MOHO_API moho_status moho_image_add_gathers(moho_image *image, const moho_gather_bins *bins);

/** Write image.zarr (Zarr v2, consolidated; arrays stack, fold, gathers, gathers_fold; coordinates inline, crossline, time,
 * cdp_x, cdp_y; grid, job and "complete" in attributes). Built beside `path` and renamed at the end; an existing `path` is
 * replaced only then. */
MOHO_API moho_status moho_image_write_zarr(const moho_image *image, const char *path);

/** Write the stack as SEG-Y rev 1, IEEE float; il/xl at 189/193, cdp_x/y 181/185 with scalar; `description`: lines for the
 *  text header (how it was processed). */
MOHO_API moho_status moho_image_write_segy(const moho_image *image, const char *path, const char *description);

/** Write the gathers as SEG-Y rev 1, sorted by inline, crossline and bin: a trace a bin, its middle in the offset header (bytes
 *  37-40; whole metres; of an angle hundredths of a degree), its number from 1 in bytes 25-28; source and receiver at the ends of
 *  the bin's offset vector around the node, along the inline for offsets. @return MOHO_ERROR_ARGUMENT without gathers */
MOHO_API moho_status moho_image_write_gathers_segy(const moho_image *image, const char *path, const char *description);

/** Read an image.zarr (also a foreign Zarr v2 group with the same names). The bins of its gathers are read, not the gathers. */
MOHO_API moho_status moho_image_read_zarr(const char *path, moho_image *out);
/** The same without its arrays (stack and fold are NULL), of any size at once: grid, attributes, bins, whether it is partial. */
MOHO_API moho_status moho_image_describe_zarr(const char *path, moho_image *out);
/** One gather [bin, time] of node (i, j) and its fold (may be NULL), of an image.zarr read before.
 *  @return MOHO_ERROR_NOT_FOUND where there are none */
MOHO_API moho_status moho_image_read_gather(const char *path, const moho_image *image, size_t i, size_t j, float *gather,
                                            int32_t *fold);

#ifdef __cplusplus
}
#endif
#endif
