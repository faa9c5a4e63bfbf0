/* velocity_picks.h - what the readers of velocity text share: lines, numbers, picks checked as they come, errors with their
 * place. */
#ifndef MOHO_SURVEY_VELOCITY_PICKS_H
#define MOHO_SURVEY_VELOCITY_PICKS_H

#include "survey/velocity_table_text.h"

/* Later than any seismic record in s; coordinates beyond this are no metres on Earth. */
static const double moho_latest_s = 30, moho_farthest_m = 1e8;

typedef struct moho_picks_reader {
  const char *name;
  const moho_velocity_options *options;
  moho_picks picks;
  size_t capacity;
} moho_picks_reader;

typedef struct moho_text_line {
  const char *text;
  size_t length;
  int number; /* 1-based; 0 before the first */
} moho_text_line;

/* The next line of text after `at`; 0 at the end. Comments stay in it. */
int moho_text_next_line(const char *text, size_t length, size_t *at, moho_text_line *out);

/* MOHO_ERROR_FORMAT at a line and column. */
moho_status moho_picks_fail(const moho_picks_reader *r, int line_number, int column, const char *hint, const char *message);

/* A number from part of a line; column is where it begins. */
moho_status moho_picks_number(const moho_picks_reader *r, const char *text, size_t length, int line_number, int column,
                              const char *what, double *out);

/* Add a pick whose time and velocity are in range; the columns are those of its two numbers. */
moho_status moho_picks_add(moho_picks_reader *r, moho_pick pick, int time_column, int velocity_column);

moho_status moho_picks_read_su(moho_picks_reader *r, const char *text, size_t length);

#endif
