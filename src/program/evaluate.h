/* evaluate.h - what each operation computes, one value at a time: the exact meaning that docs/program.md states. Values are bits,
 * zero-extended to 64.
 */
#ifndef MOHO_PROGRAM_EVALUATE_H
#define MOHO_PROGRAM_EVALUATE_H

#include "program/program_core.h"

/* Functions of f32, f16 and bf16 (computed in f32). The reference's are double's, rounded once; comparisons with executions that
 * share kernels/elementary.h bring those. In the order of MOHO_PROGRAM_EXP to MOHO_PROGRAM_SIGMOID; sqrt's is not asked. */
enum { MOHO_ELEMENTARY_FUNCTIONS = MOHO_PROGRAM_SIGMOID - MOHO_PROGRAM_EXP + 1 };
typedef float (*moho_elementary[MOHO_ELEMENTARY_FUNCTIONS])(float x);
extern const moho_elementary moho_elementary_exact;

/* d of a b c, for MOVE, ADD to SHR, and EXP to SIGMOID. *fault is set to 1 where an integer is divided by zero. */
uint64_t moho_evaluate(const moho_elementary functions, unsigned op, unsigned type, uint64_t a, uint64_t b, uint64_t c,
                       int *fault);
uint64_t moho_evaluate_convert(unsigned to, unsigned from, uint64_t a);
int moho_evaluate_compare(unsigned condition, unsigned type, uint64_t a, uint64_t b);
/* values[n] by the fixed tree: r[i] = r[i] op r[i + half] for half = the greatest power of two below n, then half of that ...;
 * f16 and bf16 as f32, rounded at the end. values are lost. n >= 1. */
uint64_t moho_evaluate_tree(unsigned reduction, unsigned type, uint64_t *values, size_t n);

#endif
