/* gpu_instructions.h - one instruction as a statement of kernel text. */
#ifndef MOHO_PROGRAM_GPU_INSTRUCTIONS_H
#define MOHO_PROGRAM_GPU_INSTRUCTIONS_H

#include "program/byte_text.h"
#include "program/program_core.h"

/* How an instruction is written. `abreast`: for all lanes that run abreast, in the words PROGRAM_EACH (the statement for each)
 * and PROGRAM_ON (this one takes part); `masked`: what it writes changes only where the lane takes part. */
typedef struct moho_gpu_form {
  int abreast, masked;
} moho_gpu_form;

/* Instruction pc of the flat code; `place`: its number among those that can fault. */
void moho_gpu_instruction(moho_byte_text *out, const moho_program *program, size_t pc, size_t place, moho_gpu_form form);

#endif
