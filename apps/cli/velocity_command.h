/* velocity_command.h - the two works of moho velocity. */
#ifndef MOHO_CLI_VELOCITY_COMMAND_H
#define MOHO_CLI_VELOCITY_COMMAND_H

#include "command.h"

typedef struct velocity_arguments {
  char *from, *to, *format, *columns, *input_format, *input_columns, *grid, *pictures, *at, *report;
  int on_grid;
  double first_s, step_s, last_s; /* NAN: not given */
  double min_mps, max_mps;
} velocity_arguments;

int velocity_scan(const command_line *line, const velocity_arguments *arguments);
int velocity_convert(const command_line *line, const velocity_arguments *a);

#endif
