/* interpreter.h - the reference execution with functions of the caller's: comparisons with executions that share
 * kernels/elementary.h bring those, and compare bits. moho_program_run_reference() takes moho_elementary_exact. */
#ifndef MOHO_PROGRAM_INTERPRETER_H
#define MOHO_PROGRAM_INTERPRETER_H

#include "program/evaluate.h"

moho_status moho_program_interpret(const moho_program *program, const moho_program_reference_launch *launch,
                                   const moho_elementary functions, moho_program_fault *fault);

#endif
