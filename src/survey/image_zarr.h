/* image_zarr.h - how an image.zarr is laid out, for those who write one whole and for those who let it grow.
 */
#ifndef MOHO_SURVEY_IMAGE_ZARR_H
#define MOHO_SURVEY_IMAGE_ZARR_H

#include "moho/image.h"
#include "survey/zarr_store.h"

/* Nodes along the sides of a chunk of stack and fold, before the grid's ends cut it. bins: NULL or kind none without gathers,
 * whose chunks' sides divide these. */
void moho_image_zarr_sides(const moho_grid *grid, const moho_gather_bins *bins, size_t *n_inline, size_t *n_crossline);
/* Of stack and fold. */
moho_zarr_layout moho_image_zarr_layout(const moho_grid *grid, const moho_gather_bins *bins, moho_zarr_type type);

/* Attributes of the group: those of the image, its grid and bins, and whether it is complete. path: for errors. */
moho_status moho_image_zarr_attributes(const char *path, const moho_image *image, int is_complete, json_t **out);

/* The whole group. is_empty: the image has no arrays but is to get all that its grid, its bins and `attributes` say: floats
 * without chunks, counts as zeros, "complete": false. */
moho_status moho_image_zarr_write(const moho_image *image, int is_empty, const char *path);

/* An array of the group: its data, or empty. TAKE: attributes. */
moho_status moho_image_zarr_put(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout, json_t *attributes,
                                const void *data, int is_empty);

#endif
