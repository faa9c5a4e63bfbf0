/* gpu_text.h - a program as kernel text for cuda and metal: one function of one lane, in the words of kern.h, elementary.h and
 * lane_words.h. Made of the program alone, so that whoever compiles it may keep it for all bindings and launches.
 *
 * Registers become variables, blocks if and for, group memory the launch's block, faults the smallest id at each place that can
 * fault. Constants that whoever compiles defines: PROGRAM_LANES, the most lanes of a group; PROGRAM_LINE, 1 where groups and
 * lanes lie along x alone, which spares the divisions; PROGRAM_ABREAST, how many groups run as one (gpu_abreast.h; else 1).
 * Parameters: words, in the order of moho_gpu_words.
 */
#ifndef MOHO_PROGRAM_GPU_TEXT_H
#define MOHO_PROGRAM_GPU_TEXT_H

#include "program/program_core.h"

#define MOHO_GPU_KERNEL "moho_program"

/* Places that can fault, numbered in the order of the flat code: element i of the launch's last buffer gets the lowest id. */
size_t moho_gpu_fault_places(const moho_program *program);
/* The instruction of the flat code at fault place `i`. */
size_t moho_gpu_fault_instruction(const moho_program *program, size_t i);

/* The whole text, to be freed. */
moho_status moho_gpu_text_make(const moho_program *program, char **text);

/* ---- what a launch gives ---- */

enum { MOHO_GPU_WORDS = 6 + 2 * MOHO_PROGRAM_BUFFERS + 2 * MOHO_PROGRAM_SCALARS + MOHO_PROGRAM_GROUP_ARRAYS + 2 };

/* groups[3], lanes[3]; of each buffer its length, of each scalar its bits, low word first; of each array the byte where it
 * begins; where the pools begin, where the room for reductions. */
typedef struct moho_gpu_words {
  uint32_t words[MOHO_GPU_WORDS];
  size_t n;
  size_t group_memory; /* bytes */
} moho_gpu_words;
void moho_gpu_words_of(const moho_program *program, const moho_program_grid *grid, const uint64_t *lengths,
                       const uint64_t *scalars, moho_gpu_words *out);

#endif
