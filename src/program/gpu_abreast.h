/* gpu_abreast.h - lanes of several groups in one lane of a GPU: each instruction for all of them before the next, so that their
 * loads are under way together. A lane with one element in flight leaves a large GPU waiting for its memory.
 *
 * For programs whose lanes do not meet and that have no loop: their blocks become masks. MOHO_GPU_ABREAST groups of the launch
 * run as one.
 */
#ifndef MOHO_PROGRAM_GPU_ABREAST_H
#define MOHO_PROGRAM_GPU_ABREAST_H

#include "program/program_core.h"

enum { MOHO_GPU_ABREAST = 4 };

/* 1: it has loads or stores of buffers, no loops and no group operations, and registers for so many lanes. */
int moho_gpu_may_run_abreast(const moho_program *program);

/* needs_mask[i], of each instruction of the flat code: what it writes is seen by lanes that do not take part in it, since the
 * register or predicate is used outside of its block too. */
moho_status moho_gpu_masks_find(const moho_program *program, uint8_t *needs_mask);

#endif
