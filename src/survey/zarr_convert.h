/* zarr_convert.h - elements of a Zarr array to and from C types. */
#ifndef MOHO_SURVEY_ZARR_CONVERT_H
#define MOHO_SURVEY_ZARR_CONVERT_H

#include "survey/zarr_store.h"

/* n elements of the array's type and byte order to `as` (F4, F8, I4, I8, U1); 0 when a number does not fit. */
int moho_zarr_convert(const moho_zarr_layout *layout, const void *from, size_t n, moho_zarr_type as, void *to);

/* All elements set to the fill value (null: 0), in the array's type and byte order. */
void moho_zarr_fill_chunk(const moho_zarr_layout *layout, void *chunk, size_t elements);

#endif
