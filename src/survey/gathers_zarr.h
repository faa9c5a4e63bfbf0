/* gathers_zarr.h - image gathers in an image.zarr: what image_zarr.c puts beside stack and fold.
 */
#ifndef MOHO_SURVEY_GATHERS_ZARR_H
#define MOHO_SURVEY_GATHERS_ZARR_H

#include "moho/image.h"
#include "survey/zarr_store.h"

/* The arrays gathers and gathers_fold with the coordinates of their bins; nothing where the image has none. */
moho_status moho_gathers_zarr_put(const moho_image *image, moho_zarr_writer *writer);

/* Kind and edges, as the attribute "gathers" of the group holds them. */
json_t *moho_gather_bins_to_json(const moho_gather_bins *bins);
moho_status moho_gather_bins_from_json(const json_t *json, const char *path, moho_gather_bins *out);

#endif
