/* gpu_instructions.h - one instruction as a statement of kernel text. */
#ifndef MOHO_PROGRAM_GPU_INSTRUCTIONS_H
#define MOHO_PROGRAM_GPU_INSTRUCTIONS_H

#include "program/byte_text.h"
#include "program/program_core.h"

/* Instruction pc of the flat code; `place`: its number among those that can fault. */
void moho_gpu_instruction(moho_byte_text *out, const moho_program *program, size_t pc, size_t place);

#endif
