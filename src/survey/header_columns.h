/* header_columns.h - raw values of a few trace headers of all traces, kept while the headers are scanned.
 *
 * As they stand in the file, 2, 4 or 8 bytes each; decoded by blocks when they are needed.
 */
#ifndef MOHO_SURVEY_HEADER_COLUMNS_H
#define MOHO_SURVEY_HEADER_COLUMNS_H

#include "survey/trace_header_map.h"

enum { MOHO_HEADER_COLUMNS = 48 };

typedef struct moho_header_columns {
  size_t n; /* columns */
  const char *names[MOHO_HEADER_COLUMNS];
  moho_header_place places[MOHO_HEADER_COLUMNS];
  uint8_t *values[MOHO_HEADER_COLUMNS];
  int little;
} moho_header_columns;

/* Ask for a header before the scan, by a name that moho_header_known() gave; returns its column. Each is kept once. */
moho_status moho_header_columns_want(moho_header_columns *columns, const char *name, size_t *column);
/* The scan's part: find the places, MOHO_ERROR_KEY where the file has none; make room; keep trace by trace. */
moho_status moho_header_columns_place(moho_header_columns *columns, const moho_header_map *map, const char *path);
moho_status moho_header_columns_allocate(moho_header_columns *columns, size_t n_traces, int little);
void moho_header_columns_keep(moho_header_columns *columns, size_t trace, const uint8_t *header);
size_t moho_header_columns_trace_bytes(const moho_header_columns *columns);
void moho_header_columns_release(moho_header_columns *columns);

/* Integer types are whole. */
int moho_header_columns_is_whole(const moho_header_columns *columns, size_t column, int64_t *least, int64_t *most);
void moho_header_columns_whole(const moho_header_columns *columns, size_t column, size_t first, size_t n, int64_t *out);
void moho_header_columns_real(const moho_header_columns *columns, size_t column, size_t first, size_t n, double *out);
/* One value. */
double moho_header_columns_at(const moho_header_columns *columns, size_t column, size_t trace);

#endif
