/* zarr_traces_headers.h - the table of trace headers that a Zarr trace file holds, one array each. */
#ifndef MOHO_SURVEY_ZARR_TRACES_HEADERS_H
#define MOHO_SURVEY_ZARR_TRACES_HEADERS_H

#include "moho/traces.h"
#include "survey/zarr_store.h"

typedef struct moho_zarr_header {
  const char *name, *unit;
  moho_zarr_type type;
  size_t offset; /* of the array's pointer in moho_geometry */
  int required;
} moho_zarr_header;

enum { MOHO_ZARR_HEADERS = 11 };
extern const moho_zarr_header moho_zarr_headers[MOHO_ZARR_HEADERS];

/* The geometry's array of a header. */
void *moho_zarr_header_values(const moho_geometry *geometry, size_t header);

#endif
