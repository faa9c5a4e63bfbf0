/* assemble.h - the assembler's files: statements and declarations (assemble.c), operands of instructions (assemble_operands.c).
 */
#ifndef MOHO_PROGRAM_ASSEMBLE_H
#define MOHO_PROGRAM_ASSEMBLE_H

#include "program/builder.h"
#include "program/text_lex.h"

typedef struct moho_assembler {
  moho_source text;
  moho_program_builder *builder;
  moho_program *program; /* the builder's draft */
  unsigned depth;        /* open blocks of the function at hand */
} moho_assembler;

/* The word at hand is an instruction's: read its operands and add it. */
moho_status moho_assemble_instruction(moho_assembler *as);

/* A name, taken. `what` says which for "expected a name of ...". */
moho_status moho_assemble_name(moho_assembler *as, const char *what, char name[MOHO_PROGRAM_NAME]);
/* The sign, taken. */
moho_status moho_assemble_sign(moho_assembler *as, const char *sign);
/* A whole number without sign, of at most 64 bits, taken. */
moho_status moho_assemble_count(moho_assembler *as, const char *what, uint64_t most, uint64_t *out);
/* A type's word, taken. */
moho_status moho_assemble_type(moho_assembler *as, moho_program_type *out);

/* Words that a line may begin with besides instructions, for "did you mean". */
enum { MOHO_STATEMENT_WORDS = 8 };
extern const char *const moho_statement_words[MOHO_STATEMENT_WORDS];

#endif
