/* header_columns.c - raw values of a few trace headers, kept during the scan and decoded by blocks. */
#include "survey/header_columns.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/raw_read.h"

moho_status moho_header_columns_want(moho_header_columns *columns, const char *name, size_t *column) {
  for (*column = 0; *column < columns->n; ++*column)
    if (columns->names[*column] == name) return MOHO_OK;
  if (columns->n == MOHO_HEADER_COLUMNS)
    return moho_fail(MOHO_ERROR_TOO_LARGE, "more than %d different trace headers are asked for", MOHO_HEADER_COLUMNS);
  columns->names[columns->n++] = name;
  return MOHO_OK;
}

moho_status moho_header_columns_place(moho_header_columns *columns, const moho_header_map *map, const char *path) {
  for (size_t c = 0; c < columns->n; c++) {
    const char *name = columns->names[c];
    MOHO_TRY(moho_header_map_find(map, name, &columns->places[c]));
    if (columns->places[c].byte) continue;
    char hint[120];
    snprintf(hint, sizeof hint, "tell its first byte, as input.headers: {%s: 225}", name);
    return moho_fail_at((moho_place){.file = path, .key = "input.select.where"}, hint, MOHO_ERROR_KEY,
                        "%s: header %s has no place in this file", path, name);
  }
  return MOHO_OK;
}

size_t moho_header_columns_trace_bytes(const moho_header_columns *columns) {
  size_t bytes = 0;
  for (size_t c = 0; c < columns->n; c++) bytes += moho_header_type_size((moho_header_type)columns->places[c].type);
  return bytes;
}

moho_status moho_header_columns_allocate(moho_header_columns *columns, size_t n_traces, int little) {
  columns->little = little;
  for (size_t c = 0; c < columns->n; c++)
    MOHO_TRY(moho_allocate(n_traces, moho_header_type_size((moho_header_type)columns->places[c].type), "trace headers",
                           &columns->values[c]));
  return MOHO_OK;
}

void moho_header_columns_keep(moho_header_columns *columns, size_t trace, const uint8_t *header) {
  for (size_t c = 0; c < columns->n; c++) {
    size_t size = moho_header_type_size((moho_header_type)columns->places[c].type);
    memcpy(columns->values[c] + trace * size, header + columns->places[c].byte - 1, size);
  }
}

void moho_header_columns_release(moho_header_columns *columns) {
  for (size_t c = 0; c < columns->n; c++) free(columns->values[c]);
  *columns = (moho_header_columns){0};
}

int moho_header_columns_is_whole(const moho_header_columns *columns, size_t column, int64_t *least, int64_t *most) {
  static const struct {
    int64_t least, most;
  } ranges[] = {[MOHO_HEADER_I2] = {INT16_MIN, INT16_MAX},
                [MOHO_HEADER_I4] = {INT32_MIN, INT32_MAX},
                [MOHO_HEADER_U2] = {0, UINT16_MAX},
                [MOHO_HEADER_U4] = {0, UINT32_MAX}};
  unsigned type = columns->places[column].type;
  if (type > MOHO_HEADER_U4) return 0;
  *least = ranges[type].least, *most = ranges[type].most;
  return 1;
}

void moho_header_columns_whole(const moho_header_columns *columns, size_t column, size_t first, size_t n, int64_t *out) {
  moho_header_type type = (moho_header_type)columns->places[column].type;
  const uint8_t *at = columns->values[column] + first * moho_header_type_size(type);
  int little = columns->little;
  switch (type) {
  case MOHO_HEADER_I2:
    for (size_t i = 0; i < n; i++) out[i] = moho_raw_i2(at + 2 * i, little);
    break;
  case MOHO_HEADER_U2:
    for (size_t i = 0; i < n; i++) out[i] = moho_raw_u2(at + 2 * i, little);
    break;
  case MOHO_HEADER_I4:
    for (size_t i = 0; i < n; i++) out[i] = moho_raw_i4(at + 4 * i, little);
    break;
  default:
    for (size_t i = 0; i < n; i++) out[i] = moho_raw_u4(at + 4 * i, little);
  }
}

double moho_header_columns_at(const moho_header_columns *columns, size_t column, size_t trace) {
  moho_header_place place = {.byte = 1, .type = columns->places[column].type};
  size_t size = moho_header_type_size((moho_header_type)place.type);
  return moho_header_value(columns->values[column] + trace * size, place, columns->little);
}

void moho_header_columns_real(const moho_header_columns *columns, size_t column, size_t first, size_t n, double *out) {
  for (size_t i = 0; i < n; i++) out[i] = moho_header_columns_at(columns, column, first + i);
}
