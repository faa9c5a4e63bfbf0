/* zarr_traces_headers.c - the table of trace headers in Zarr trace files. */
#include "survey/zarr_traces_headers.h"

#include <string.h>

#define HEADER(name, unit, type, required) \
  { #name, unit, type, offsetof(moho_geometry, name), required }

const moho_zarr_header moho_zarr_headers[MOHO_ZARR_HEADERS] = {
    HEADER(source_x, "m", MOHO_ZARR_F8, 1),       HEADER(source_y, "m", MOHO_ZARR_F8, 1),
    HEADER(receiver_x, "m", MOHO_ZARR_F8, 1),     HEADER(receiver_y, "m", MOHO_ZARR_F8, 1),
    HEADER(first_sample_s, "s", MOHO_ZARR_F8, 0), HEADER(mute_start_s, "s", MOHO_ZARR_F4, 0),
    HEADER(mute_end_s, "s", MOHO_ZARR_F4, 0),     HEADER(cdp, "1", MOHO_ZARR_I4, 0),
    HEADER(inline_number, "1", MOHO_ZARR_I4, 0),  HEADER(crossline_number, "1", MOHO_ZARR_I4, 0),
    HEADER(flags, "1", MOHO_ZARR_U1, 0)};

void *moho_zarr_header_values(const moho_geometry *geometry, size_t header) {
  void *values;
  memcpy(&values, (const char *)geometry + moho_zarr_headers[header].offset, sizeof values);
  return values;
}
