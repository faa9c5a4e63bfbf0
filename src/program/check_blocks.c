/* check_blocks.c - the structure of each function as written: every if, loop and while has its end, else stands once and in an
 * if, break in a loop of the same function, and nothing follows break or exit in their block.
 */
#include "program/program_core.h"

/* Blocks that are open. */
typedef struct block_stack {
  size_t heads[MOHO_PROGRAM_DEPTH];
  uint8_t has_else[MOHO_PROGRAM_DEPTH];
  size_t n;
} block_stack;

static int opens(unsigned op) {
  return op == MOHO_PROGRAM_IF || op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE;
}

static moho_status check_else(const moho_program *p, size_t i, block_stack *open) {
  if (!open->n || p->written[open->heads[open->n - 1]].op != MOHO_PROGRAM_IF)
    return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "there is no `if` that it belongs to");
  if (open->has_else[open->n - 1])
    return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "the `if` of instruction %zu has an `else` already",
                               open->heads[open->n - 1]);
  open->has_else[open->n - 1] = 1;
  return MOHO_OK;
}

static moho_status check_break(const moho_program *p, size_t i, const block_stack *open) {
  for (size_t k = 0; k < open->n; k++)
    if (p->written[open->heads[k]].op != MOHO_PROGRAM_IF) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "`exit` ends the lane", "there is no loop around it in its function");
}

static moho_status check_last(const moho_program *p, size_t i, size_t end) {
  if (i + 1 == end) return MOHO_OK;
  unsigned next = p->written[i + 1].op;
  if (next == MOHO_PROGRAM_ELSE || next == MOHO_PROGRAM_END) return MOHO_OK;
  return moho_program_refuse(p, i + 1, MOHO_ERROR_FORMAT, "put what comes before into an `if`",
                             "is never reached, it follows `%s` in the same block", moho_operations[p->written[i].op].word);
}

static moho_status check_step(const moho_program *p, size_t i, size_t end, block_stack *open) {
  unsigned op = p->written[i].op;
  if (opens(op)) {
    if (open->n == MOHO_PROGRAM_DEPTH)
      return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "more than %d blocks in blocks", MOHO_PROGRAM_DEPTH);
    open->has_else[open->n] = 0;
    open->heads[open->n++] = i;
    return MOHO_OK;
  }
  switch (op) {
  case MOHO_PROGRAM_ELSE: return check_else(p, i, open);
  case MOHO_PROGRAM_END:
    if (!open->n) return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "there is no block that it ends");
    open->n--;
    return MOHO_OK;
  case MOHO_PROGRAM_BREAK: MOHO_TRY(check_break(p, i, open)); return check_last(p, i, end);
  case MOHO_PROGRAM_EXIT: return check_last(p, i, end);
  default: return MOHO_OK;
  }
}

static moho_status check_function(const moho_program *p, const moho_function *function) {
  block_stack open = {.n = 0};
  size_t end = function->first + function->count;
  for (size_t i = function->first; i < end; i++) MOHO_TRY(check_step(p, i, end, &open));
  if (!open.n) return MOHO_OK;
  return moho_program_refuse(p, open.heads[open.n - 1], MOHO_ERROR_FORMAT, "each if, loop and while has an `end`",
                             "has no `end`");
}

moho_status moho_program_check_blocks(const moho_program *program) {
  for (size_t f = 0; f < program->n_functions; f++) MOHO_TRY(check_function(program, &program->functions[f]));
  return MOHO_OK;
}
