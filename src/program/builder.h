/* builder.h - the builder as the assembler sees it: instructions with their place in the text, mistakes that are kept. */
#ifndef MOHO_PROGRAM_BUILDER_H
#define MOHO_PROGRAM_BUILDER_H

#include "program/program_core.h"

/* A function's instructions while they are added. */
typedef struct moho_builder_body {
  moho_instruction *instructions;
  moho_source_place *places;
  size_t n, capacity;
} moho_builder_body;

struct moho_program_builder {
  moho_program *program; /* declarations and functions; instructions lie in bodies until the end */
  moho_builder_body bodies[MOHO_PROGRAM_FUNCTIONS];
  unsigned function;       /* whose body grows */
  moho_source_place place; /* of what is added; line 0: not from text */
  moho_status status;      /* of the first mistake */
  moho_error error;
};

/* Add an instruction to the function at hand; operands are checked at the end. */
void moho_builder_append(moho_program_builder *builder, moho_instruction in);
/* Keep the thread's last error as the builder's, unless it has one. Returns -1. */
int moho_builder_keep(moho_program_builder *builder, moho_status status);
#endif
