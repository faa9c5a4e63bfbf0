/* gathers_zarr.h - image gathers in an image.zarr: what image_zarr.c puts beside stack and fold.
 */
#ifndef MOHO_SURVEY_GATHERS_ZARR_H
#define MOHO_SURVEY_GATHERS_ZARR_H

#include "moho/image.h"
#include "survey/zarr_store.h"

/* The arrays gathers and gathers_fold with the coordinates of their bins; nothing where the image has none. is_empty: as
 * moho_image_zarr_write(). */
moho_status moho_gathers_zarr_put(const moho_image *image, int is_empty, moho_zarr_writer *writer);
/* Of gathers and gathers_fold. */
moho_zarr_layout moho_gathers_zarr_layout(const moho_grid *grid, const moho_gather_bins *bins, moho_zarr_type type);

/* Kind and edges, as the attribute "gathers" of the group holds them. */
json_t *moho_gather_bins_to_json(const moho_gather_bins *bins);
moho_status moho_gather_bins_from_json(const json_t *json, const char *path, moho_gather_bins *out);

#endif
