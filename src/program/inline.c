/* inline.c - the flat code: calls replaced by their functions, ends of blocks resolved. Sizes are known before anything is
 * copied, so that functions which call functions cannot take more time than the code they make.
 */
#include <stdlib.h>

#include "base/memory.h"
#include "program/program_core.h"

enum { NOT_SEEN, UNDER_WAY, SEEN };

typedef struct inline_sizes {
  size_t whole[MOHO_PROGRAM_FUNCTIONS]; /* instructions of a function with its calls inlined */
  uint8_t state[MOHO_PROGRAM_FUNCTIONS];
} inline_sizes;

/* Depth of calls is at most MOHO_PROGRAM_FUNCTIONS, since none is under way twice. */
static moho_status measure(const moho_program *p, unsigned f, inline_sizes *sizes) {
  const moho_function *function = &p->functions[f];
  size_t sum = 0;
  sizes->state[f] = UNDER_WAY;
  for (size_t i = function->first; i < function->first + function->count; i++) {
    const moho_instruction *in = &p->written[i];
    if (in->op != MOHO_PROGRAM_CALL) {
      sum++;
    } else {
      if (sizes->state[in->b] == UNDER_WAY)
        return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "calls are inlined: write a `while` or `loop`",
                                   "calls form a cycle through %s", p->functions[in->b].name);
      if (sizes->state[in->b] == NOT_SEEN) MOHO_TRY(measure(p, in->b, sizes));
      sum += sizes->whole[in->b];
    }
    if (sum > MOHO_PROGRAM_INSTRUCTIONS)
      return moho_program_refuse(p, i, MOHO_ERROR_RANGE, "calls are inlined: each one counts with all of its function",
                                 "here %s passes %d instructions", function->name, MOHO_PROGRAM_INSTRUCTIONS);
  }
  sizes->whole[f] = sum;
  sizes->state[f] = SEEN;
  return MOHO_OK;
}

static void copy_function(moho_program *p, unsigned f, const inline_sizes *sizes) {
  const moho_function *function = &p->functions[f];
  for (size_t i = function->first; i < function->first + function->count; i++) {
    const moho_instruction *in = &p->written[i];
    if (in->op != MOHO_PROGRAM_CALL) p->code[p->n_code++] = (moho_code){.in = *in, .origin = (uint32_t)i};
    else if (sizes->whole[in->b]) copy_function(p, in->b, sizes);
  }
}

/* Heads, elses and breaks of the blocks that are open while code is passed through. */
typedef struct open_blocks {
  uint32_t heads[MOHO_PROGRAM_DEPTH];
  uint32_t breaks; /* of all loops that are open: a list through their targets, UINT32_MAX ends it */
  unsigned depth;
} open_blocks;

static void close_block(moho_program *p, uint32_t end, open_blocks *open) {
  uint32_t head = open->heads[--open->depth];
  moho_code *code = p->code;
  code[end].target = head;
  code[end].in.variant = code[head].in.op;
  if (code[head].in.op == MOHO_PROGRAM_IF) {
    if (code[head].target) code[code[head].target].target = end; /* its else */
    else code[head].target = end;
    return;
  }
  code[head].target = end;
  while (open->breaks != UINT32_MAX && open->breaks > head) {
    uint32_t next = code[open->breaks].target;
    code[open->breaks].target = end;
    open->breaks = next;
  }
}

static moho_status resolve(moho_program *p) {
  open_blocks open = {.breaks = UINT32_MAX};
  for (uint32_t i = 0; i < p->n_code; i++) {
    moho_code *code = &p->code[i];
    unsigned op = code->in.op;
    if (op == MOHO_PROGRAM_END) close_block(p, i, &open);
    if (op == MOHO_PROGRAM_ELSE) p->code[open.heads[open.depth - 1]].target = i;
    code->depth = (uint16_t)(op == MOHO_PROGRAM_ELSE ? open.depth - 1 : open.depth);
    if (op == MOHO_PROGRAM_BREAK) {
      code->target = open.breaks;
      open.breaks = i;
    }
    if (op != MOHO_PROGRAM_IF && op != MOHO_PROGRAM_LOOP && op != MOHO_PROGRAM_WHILE) continue;
    if (open.depth == MOHO_PROGRAM_DEPTH)
      return moho_program_refuse(p, code->origin, MOHO_ERROR_RANGE, NULL, "more than %d blocks in blocks, with calls inlined",
                                 MOHO_PROGRAM_DEPTH);
    open.heads[open.depth++] = i;
  }
  return MOHO_OK;
}

moho_status moho_program_inline(moho_program *program) {
  inline_sizes sizes = {.whole = {0}};
  for (unsigned f = 0; f < program->n_functions; f++)
    if (sizes.state[f] == NOT_SEEN) MOHO_TRY(measure(program, f, &sizes));
  MOHO_TRY(moho_allocate(sizes.whole[0] + 1, sizeof *program->code, "the program's code", &program->code));
  program->n_code = 0;
  copy_function(program, 0, &sizes);
  return resolve(program);
}
