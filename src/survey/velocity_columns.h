/* velocity_columns.h - what the columns of a velocity table are, from a declaration or from the file's own heading. */
#ifndef MOHO_SURVEY_VELOCITY_COLUMNS_H
#define MOHO_SURVEY_VELOCITY_COLUMNS_H

#include "moho/velocity.h"
#include "survey/velocity_table_text.h"

enum { MOHO_COLUMNS = 32, MOHO_FIELD = 64 };

/* A field of a line: where it is, and whether it was parted from the last by a comma without blanks or by blanks alone. */
typedef struct moho_field {
  const char *text;
  size_t length;
  int column; /* 1-based */
} moho_field;

typedef struct moho_fields {
  size_t n;
  moho_field field[MOHO_COLUMNS];
  int too_many;
  int thousands; /* column of a comma that may part thousands ("3,000" on a line of blanks), 0: none */
} moho_fields;

/* Split a line at blanks, tabs, commas, semicolons. */
moho_fields moho_fields_split(const char *line, size_t length);

typedef struct moho_columns {
  size_t n;
  int x, y, inline_number, crossline_number, cdp, time, velocity; /* column index, -1: not there */
  double time_scale, velocity_scale;                              /* to s, to m/s */
  moho_pick_position position;
} moho_columns;

/* "x,y,time_ms,velocity"; MOHO_ERROR_KEY names the nearest name, or what is missing. */
moho_status moho_columns_declared(const char *declaration, moho_columns *out);

/* A heading such as "CDP-X CDP-Y Time(ms) Vrms Vint". *recognised: 0 no heading, 1 a complete one; MOHO_ERROR_FORMAT when it is
 * clearly one but lacks a column that is needed, or names units that are not understood. `kind` picks Vrms, Vint or Vavg. */
moho_status moho_columns_from_heading(const moho_fields *names, moho_velocity_kind kind, int *recognised, moho_columns *out);

#endif
