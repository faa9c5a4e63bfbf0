/* trace_store_file.h - the files of a trace store: what lies where, and whether it is what was written.
 */
#ifndef MOHO_SURVEY_TRACE_STORE_FILE_H
#define MOHO_SURVEY_TRACE_STORE_FILE_H

#include "base/file_state.h"
#include "survey/trace_cells.h"
#include "survey/trace_store.h"

enum { MOHO_STORE_VERSION = 1 };

/* meta.json. */
typedef struct moho_store_meta {
  char identity[65];
  char source[1024];     /* the trace file, absolute */
  moho_file_state state; /* of that file then */
  uint64_t n_traces, n_samples, n_cells;
  double dt_s, origin_x, origin_y, cell_m;
  uint64_t geometry_checksum;
} moho_store_meta;

moho_status moho_store_meta_write(const char *directory, const moho_store_meta *meta);
/* *found 0: there is none. MOHO_ERROR_FORMAT: damaged, or of another version. */
moho_status moho_store_meta_read(const char *directory, moho_store_meta *meta, int *found);

/* The columns of geometry.bin, in this order, each beginning on a multiple of 64 bytes. */
typedef enum {
  MOHO_STORE_NUMBERS, /* uint64_t */
  MOHO_STORE_SOURCE_X,
  MOHO_STORE_SOURCE_Y,
  MOHO_STORE_RECEIVER_X,
  MOHO_STORE_RECEIVER_Y,
  MOHO_STORE_FIRST_SAMPLE,
  MOHO_STORE_MUTE_START,
  MOHO_STORE_MUTE_END,
  MOHO_STORE_CDP,
  MOHO_STORE_INLINE,
  MOHO_STORE_CROSSLINE,
  MOHO_STORE_CHECKS, /* uint32_t: of a trace's samples */
  MOHO_STORE_FLAGS,
  MOHO_STORE_CELLS, /* moho_trace_cell, n_cells of them */
  MOHO_STORE_COLUMNS
} moho_store_column;

size_t moho_store_column_size(moho_store_column column); /* bytes of an element */
/* Where a column begins; of MOHO_STORE_COLUMNS: the bytes of the file. */
uint64_t moho_store_column_at(moho_store_column column, uint64_t n_traces, uint64_t n_cells);
/* The array of a geometry that a column holds; NULL: none. */
const void *moho_store_geometry_array(const moho_geometry *geometry, moho_store_column column);
size_t moho_store_trace_bytes(void); /* of all columns */

/* The check that a trace's samples are kept with. */
uint32_t moho_store_check(const float *samples, size_t n_samples, uint64_t number);

/* geometry.bin mapped. */
typedef struct moho_store_map {
  const void *base;
  size_t bytes;
  moho_geometry geometry;
  const uint64_t *numbers;
  const uint32_t *checks;
  const moho_trace_cell *cells;
} moho_store_map;

moho_status moho_store_map_open(const char *directory, uint64_t n_traces, uint64_t n_cells, moho_store_map *out);
void moho_store_map_close(moho_store_map *map);
/* Pages that were looked at count as the process's no longer; they come back, mostly from the system's memory, when looked at. */
void moho_store_map_rest(const moho_store_map *map);
/* Of the file geometry.bin as it is. */
moho_status moho_store_geometry_checksum(const char *directory, uint64_t *out);

/* "<directory>/<name>", malloc. */
moho_status moho_store_path(const char *directory, const char *name, char **out);

#endif
