/* block.h - the vectorised cpu execution: many lanes an instruction.
 *
 * A block is a run of lanes that one thread takes through the program together: whole groups where lanes of a group meet (then a
 * block is one group), else as many lanes as the nearest cache holds the registers of, of any groups. Each instruction is one
 * loop over the block's lanes; where some lanes do not take part, a mask of bytes says which do, and what the loop made is
 * merged under it. if, loop and while keep masks on a stack; break and exit take lanes out of them.
 *
 *   block_launch.c    blocks on threads            block_control.c   if, loop, while, break, exit
 *   block_run.c       one block, every instruction block_memory.c    loads, stores, faults
 *   block_reduce.c    fixed trees                  block_lanes.h     the loops
 */
#ifndef MOHO_PROGRAM_BLOCK_H
#define MOHO_PROGRAM_BLOCK_H

#include "program/block_loops.h"
#include "program/program_core.h"

/* What all threads of a launch read. */
typedef struct moho_block_launch {
  const moho_program *program;
  const moho_block_loops *loops;
  moho_program_grid grid;
  int threads;
  unsigned char *buffers[MOHO_PROGRAM_BUFFERS];
  uint64_t lengths[MOHO_PROGRAM_BUFFERS]; /* elements */
  uint64_t scalars[MOHO_PROGRAM_SCALARS]; /* bits */
} moho_block_launch;

/* Run it. *fault_key: the smallest moho_block_fault_key() met, MOHO_BLOCK_NO_FAULT when none. MOHO_ERROR_MEMORY: nothing ran, or
 * a part did. */
#define MOHO_BLOCK_NO_FAULT UINT64_MAX
moho_status moho_block_run(const moho_block_launch *launch, uint64_t *fault_key);
/* id of the lane above, number in the flat code below: the order in which faults are told. */
static inline uint64_t moho_block_fault_key(uint64_t id, size_t pc) {
  return id << 32 | pc;
}

/* ---- inside ---- */

/* An if, loop or while under way. */
typedef struct moho_block_frame {
  uint8_t *entry;        /* lanes that came in */
  uint8_t *live;         /* loops: those that go on; if: those that took the first part */
  uint64_t *counts;      /* loop: turns of each lane */
  uint64_t turn, fewest; /* of lanes that came in */
  int is_loop;
} moho_block_frame;

enum { MOHO_BLOCK_TREE_DEPTH = 9 };

typedef struct moho_block {
  const moho_block_launch *launch;
  const moho_block_loops *loops;
  uint64_t first;   /* place of lane 0 among all lanes, group after group */
  size_t n, padded; /* lanes; rounded up, for the loops */
  size_t capacity;
  void *registers[MOHO_PROGRAM_REGISTERS];
  uint8_t *predicates[MOHO_PROGRAM_PREDICATES];
  uint8_t *mask, *alive; /* lanes that take part now; that have not left the program */
  size_t active;         /* ones in mask */
  moho_block_frame frames[MOHO_PROGRAM_DEPTH + 1];
  size_t depth;
  void *result, *wide[3]; /* of 8 and 4 bytes a lane: under a mask; f16 and bf16 as f32 */
  uint64_t *addresses;
  uint8_t *bytes;
  void *tree[MOHO_BLOCK_TREE_DEPTH];
  unsigned char *arrays, *pools; /* of the group */
  size_t where[MOHO_PROGRAM_GROUP_ARRAYS], array_bytes;
  uint64_t fault_key;
  void *memory;
} moho_block;

moho_status moho_block_create(const moho_block_launch *launch, size_t capacity, moho_block **out);
void moho_block_destroy(moho_block *block);
/* Lanes that a block of this launch should have. */
size_t moho_block_capacity(const moho_block_launch *launch);
/* The lanes from `first` on, through the whole program. */
void moho_block_execute(moho_block *block, uint64_t first, size_t n);

static inline int moho_block_is_full(const moho_block *block) {
  return block->active == block->n;
}
static inline int moho_type_width(int type) { /* log2 of its bytes */
  static const uint8_t widths[MOHO_PROGRAM_TYPES] = {0, 1, 2, 3, 0, 1, 2, 3, 1, 1, 2, 3};
  return widths[type];
}
static inline int moho_type_is_small(int type) {
  return type == MOHO_PROGRAM_F16 || type == MOHO_PROGRAM_BF16;
}

/* Where an instruction writes a register: itself when all lanes take part, else `result`, to be merged. */
void *moho_block_target(moho_block *block, unsigned reg);
void moho_block_merge(moho_block *block, unsigned reg, void *target);
/* The special value of each lane. */
void moho_block_special(moho_block *block, const moho_instruction *in, void *target);
/* id of a lane in the launch. */
uint64_t moho_block_id(const moho_block *block, size_t lane);
void moho_block_fault(moho_block *block, size_t lane, size_t pc);
/* The first lane of a mask faults, where it has one. */
void moho_block_fault_first(moho_block *block, const uint8_t *faulting, size_t pc);

void moho_block_load(moho_block *block, const moho_instruction *in, size_t pc);
void moho_block_store(moho_block *block, const moho_instruction *in, size_t pc);
void moho_block_reduce_range(moho_block *block, const moho_instruction *in, void *target);
void moho_block_reduce_group(moho_block *block, const moho_instruction *in, void *target);
/* Control flow: the next instruction. */
size_t moho_block_control(moho_block *block, const moho_code *code, size_t pc);

#endif
