/* zarr_layout.h - the metadata of one Zarr v2 array (.zarray), from and to JSON, and its chunks' codecs. */
#ifndef MOHO_SURVEY_ZARR_LAYOUT_H
#define MOHO_SURVEY_ZARR_LAYOUT_H

#include "survey/zarr_store.h"

/* Of zstd and zlib: on floats the higher levels save a few per cent and cost several times the time. */
enum { MOHO_ZARR_BLOSC_LEVEL = 1, MOHO_ZARR_ZLIB_LEVEL = 1 };

/* file: the .zarray that `metadata` was parsed from, for errors. Axes are not in it. */
moho_status moho_zarr_layout_parse(const json_t *metadata, const char *file, moho_zarr_layout *out);

/* .zarray of an array that Moho writes (native byte order, our codec); NULL when out of memory. */
json_t *moho_zarr_layout_to_json(const moho_zarr_layout *layout);

/* A JSON object in a file; MOHO_ERROR_FORMAT with line and column when it is none. */
moho_status moho_zarr_read_json(const char *file, json_t **out);

/* "<path>/<name>/<rest>", malloc. */
moho_status moho_zarr_join(const char *path, const char *name, const char *rest, char **out);

size_t moho_zarr_chunk_elements(const moho_zarr_layout *layout);
/* Chunks along an axis. */
size_t moho_zarr_chunk_count(const moho_zarr_layout *layout, size_t axis);
/* Indices of the n-th chunk (last axis fastest), and their file name "0.3.1". */
void moho_zarr_chunk_index(const moho_zarr_layout *layout, size_t n, size_t index[MOHO_ZARR_AXES]);
void moho_zarr_chunk_name(const moho_zarr_layout *layout, const size_t index[MOHO_ZARR_AXES], char name[96]);

/* What new chunks are compressed with: blosc with zstd when the blosc at hand has it, else zlib. */
moho_zarr_codec moho_zarr_codec_for_writing(void);

/* One chunk of `bytes` uncompressed bytes; *out malloc'ed. */
moho_status moho_zarr_encode(moho_zarr_codec codec, size_t type_bytes, const void *chunk, size_t bytes, void **out,
                             size_t *out_bytes);
/* Into chunk [bytes]; anything but exactly `bytes` is MOHO_ERROR_FORMAT naming the file. */
moho_status moho_zarr_decode(moho_zarr_codec codec, const void *from, size_t from_bytes, void *chunk, size_t bytes,
                             const char *file);

#endif
