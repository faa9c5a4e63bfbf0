/* program_command.h - moho program: its options, and what running one needs. */
#ifndef MOHO_CLI_PROGRAM_COMMAND_H
#define MOHO_CLI_PROGRAM_COMMAND_H

#include "command.h"
#include "moho/program.h"

typedef struct program_arguments {
  char *device, *groups, *lanes;
} program_arguments;

/* A buffer or scalar by its NAME=VALUE: elements as the program's type. */
typedef struct program_values {
  moho_program_parameter parameter;
  int is_given;
  void *data; /* [length] elements; NULL where there are none */
  size_t length;
  moho_program_value value; /* a scalar's */
  const char *file;         /* a buffer's raw elements go there after the run; NULL: they are shown */
} program_values;

/* moho program run FILE NAME=VALUE ...; gives the exit code. */
int program_run(const command_line *line, const program_arguments *given);

/* ---- program_values.c ---- */

/* 0, or the exit code after an error was printed. */
int program_read_scalar(program_values *scalar, const char *text);
int program_read_buffer(program_values *buffer, const char *text);
/* Its elements, raw, to its file. */
int program_write_buffer(const program_values *buffer);
/* An element as text: 12, -0.5, inf, nan. */
const char *program_element_text(const program_values *buffer, size_t i, char text[48]);

#endif
