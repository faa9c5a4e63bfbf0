/* zarr_store.h - Zarr v2 groups on disk: metadata by jansson, chunks by c-blosc or zlib, nothing else in between.
 *
 * Reads arrays of 1 to 4 axes in C order: floats of 4 and 8 bytes, integers of 1 to 8, both byte orders; chunks raw, or by
 * blosc (any inner codec), zlib or gzip; separators "." and "/". Writes native little-endian arrays with consolidated
 * metadata and _ARRAY_DIMENSIONS, so that xarray opens them. A missing chunk reads as the fill value.
 */
#ifndef MOHO_SURVEY_ZARR_STORE_H
#define MOHO_SURVEY_ZARR_STORE_H

#include <jansson.h>
#include <stdint.h>

#include "base/fail.h"

enum { MOHO_ZARR_AXES = 4, MOHO_ZARR_NAME = 48 };

typedef enum {
  MOHO_ZARR_F4,
  MOHO_ZARR_F8,
  MOHO_ZARR_I1,
  MOHO_ZARR_I2,
  MOHO_ZARR_I4,
  MOHO_ZARR_I8,
  MOHO_ZARR_U1,
  MOHO_ZARR_U2,
  MOHO_ZARR_U4
} moho_zarr_type;

typedef enum { MOHO_ZARR_RAW, MOHO_ZARR_BLOSC, MOHO_ZARR_ZLIB } moho_zarr_codec; /* ZLIB: gzip too */

/* What .zarray and _ARRAY_DIMENSIONS say. */
typedef struct moho_zarr_layout {
  moho_zarr_type type;
  int big_endian;
  size_t n_axes, shape[MOHO_ZARR_AXES], chunk[MOHO_ZARR_AXES];
  char axes[MOHO_ZARR_AXES][MOHO_ZARR_NAME]; /* "" where the file names none */
  int has_fill;                              /* 0: fill_value null (read as 0) */
  double fill;                               /* may be NaN */
  char separator;                            /* '.' or '/' */
  moho_zarr_codec codec;
} moho_zarr_layout;

size_t moho_zarr_type_bytes(moho_zarr_type type);

/* ---- reading ---- */

/* The attributes (.zattrs) of the group at `path`; a new reference (json_decref it), {} where there are none. Refuses with the
 * remedy what is no Zarr v2 group: MOHO_ERROR_NOT_FOUND, MOHO_ERROR_FORMAT. */
moho_status moho_zarr_group_read_attributes(const char *path, json_t **out);

/* 1 when the group holds an array of that name. */
int moho_zarr_group_has(const char *path, const char *name);

typedef struct moho_zarr_array moho_zarr_array; /* open for reading; threads may read it at once */

moho_status moho_zarr_array_open(const char *path, const char *name, moho_zarr_array **out);
void moho_zarr_array_close(moho_zarr_array **array);
const moho_zarr_layout *moho_zarr_array_get_layout(const moho_zarr_array *array);
const json_t *moho_zarr_array_get_attributes(const moho_zarr_array *array); /* BORROW; never NULL */

/* Elements [first[a], first[a] + count[a]) of every axis into out (C order), converted to `as`. Numbers that do not fit an
 * integer type and floats asked for as integers are MOHO_ERROR_FORMAT. */
moho_status moho_zarr_array_read(moho_zarr_array *array, const size_t *first, const size_t *count, moho_zarr_type as, void *out);

/* The whole array in fresh memory (free() it); *out is a pointer to elements of type `as`. MOHO_ERROR_TOO_LARGE when it would
 * not fit the free memory. `layout` (may be NULL) receives the layout. */
moho_status moho_zarr_read_whole(const char *path, const char *name, moho_zarr_type as, moho_zarr_layout *layout, void *out);

/* A 3D array with the coordinates of its axes, as an image or a velocity cube has them. */
typedef struct moho_zarr_cube {
  size_t shape[3];
  float *values;                 /* [shape[0], shape[1], shape[2]] */
  char axes[3][MOHO_ZARR_NAME];  /* "inline", "crossline", "time"; "" where not named */
  double *coordinates[3];        /* [shape[a]] of the 1D array named as the axis; NULL where there is none */
  char units[3][MOHO_ZARR_NAME]; /* of the coordinates: "s"; "" where not said */
  double *cdp_x, *cdp_y;         /* [shape[0], shape[1]] m; NULL where there are none */
  char value_unit[MOHO_ZARR_NAME];
} moho_zarr_cube;

moho_status moho_zarr_cube_read(const char *path, const char *name, moho_zarr_cube *out);
/* All but the values, which stay NULL. */
moho_status moho_zarr_cube_describe(const char *path, const char *name, moho_zarr_cube *out);
void moho_zarr_cube_release(moho_zarr_cube *cube);

/* ---- writing ---- */

typedef struct moho_zarr_writer moho_zarr_writer; /* a group under a temporary name beside its path */

/* An existing group at `path` is replaced at the end; anything else there is MOHO_ERROR_EXISTS. */
moho_status moho_zarr_writer_create(const char *path, moho_zarr_writer **out);

/* TAKE: attributes (an object; NULL: none) belong to the writer afterwards, also on failure. */
moho_status moho_zarr_writer_set_attributes(moho_zarr_writer *writer, json_t *attributes);

/* Announce an array. Of the layout type, n_axes, shape, chunk, axes and fill are used; codec and byte order are ours.
 * TAKE: attributes (may be NULL). */
moho_status moho_zarr_writer_add_array(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes);

/* Rows [first, first + n) along the first axis from data (C order, the array's own type), all their chunks, in parallel.
 * first is a multiple of the chunk; n too, unless the array ends there. */
moho_status moho_zarr_writer_put_rows(moho_zarr_writer *writer, const char *name, size_t first, size_t n, const void *data);

/* Announce and write at once. TAKE: attributes. */
moho_status moho_zarr_writer_put_array(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes, const void *data);

/* Announce, and write every chunk as zeros. TAKE: attributes. */
moho_status moho_zarr_writer_put_zeros(moho_zarr_writer *writer, const char *name, const moho_zarr_layout *layout,
                                       json_t *attributes);

/* Write the metadata and rename to the final name; the writer is destroyed, also on failure. */
moho_status moho_zarr_writer_finish(moho_zarr_writer **writer);
void moho_zarr_writer_discard(moho_zarr_writer **writer);

#endif
