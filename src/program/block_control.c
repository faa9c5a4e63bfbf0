/* block_control.c - structured control flow as masks: which lanes of a block take part in what follows.
 *
 * A frame remembers who came in. A loop also keeps who goes on: break takes lanes out of the innermost loop, exit out of all of
 * them and out of the program; at an end those come back who came in and have not left what lies around.
 */
#include <string.h>

#include "program/block.h"

static void set_mask(moho_block *block, const uint8_t *mask) {
  if (mask != block->mask) memcpy(block->mask, mask, block->padded);
  block->active = block->loops->count(block->mask, block->n);
}

static moho_block_frame *innermost_loop(moho_block *block) {
  for (size_t i = block->depth; i-- > 0;)
    if (block->frames[i].is_loop) return &block->frames[i];
  return NULL;
}

/* Behind an end: those who came in and are still there. The frame is gone. */
static void leave(moho_block *block) {
  const moho_block_frame *frame = &block->frames[--block->depth], *around = innermost_loop(block);
  block->loops->both(block->mask, frame->entry, around ? around->live : block->alive, NULL, block->padded);
  set_mask(block, block->mask);
}

static moho_block_frame *enter(moho_block *block, int is_loop) {
  moho_block_frame *frame = &block->frames[block->depth++];
  memcpy(frame->entry, block->mask, block->padded);
  memcpy(frame->live, block->mask, block->padded);
  frame->is_loop = is_loop;
  frame->turn = 0;
  return frame;
}

/* Lanes of `live` for which the predicate holds (or not, where it is negated). */
static void keep_where(moho_block *block, const moho_instruction *in, uint8_t *live) {
  moho_block_loop loop = in->variant ? block->loops->without : block->loops->both;
  loop(live, live, block->predicates[in->a], NULL, block->padded);
}

static size_t begin_if(moho_block *block, const moho_code *code, size_t pc) {
  moho_block_frame *frame = enter(block, 0);
  keep_where(block, &code[pc].in, frame->live);
  set_mask(block, frame->live);
  return block->active ? pc + 1 : code[pc].target;
}

static size_t begin_else(moho_block *block, const moho_code *code, size_t pc) {
  const moho_block_frame *frame = &block->frames[block->depth - 1];
  block->loops->without(block->mask, frame->entry, frame->live, NULL, block->padded);
  set_mask(block, block->mask);
  return block->active ? pc + 1 : code[pc].target;
}

/* The next turn of the loop whose head is at `head`, or behind its end. */
static size_t turn_or_leave(moho_block *block, const moho_code *code, size_t head) {
  moho_block_frame *frame = &block->frames[block->depth - 1];
  set_mask(block, frame->live);
  if (block->active) return head + 1;
  leave(block);
  return code[head].target + 1;
}

/* At an end those take part who go on: the mask is `live` already, and while no lane's turns are over it stays so. */
static size_t next_turn_of_loop(moho_block *block, const moho_code *code, size_t head) {
  moho_block_frame *frame = &block->frames[block->depth - 1];
  const uint64_t turn = frame->turn++;
  if (turn < frame->fewest && block->active) return head + 1;
  block->loops->still(frame->live, frame->live, frame->counts, &turn, block->n);
  return turn_or_leave(block, code, head);
}

static size_t next_turn_of_while(moho_block *block, const moho_code *code, size_t head) {
  moho_block_frame *frame = &block->frames[block->depth - 1];
  keep_where(block, &code[head].in, frame->live);
  if (frame->turn++ == code[head].in.immediate) {
    moho_block_fault_first(block, frame->live, head);
    memset(frame->live, 0, block->padded);
  }
  return turn_or_leave(block, code, head);
}

/* How many turns each lane wants: read once, none where negative. */
static size_t begin_loop(moho_block *block, const moho_code *code, size_t pc) {
  const moho_instruction *in = &code[pc].in;
  moho_block_frame *frame = enter(block, 1);
  const uint64_t zero = 0;
  block->loops->address[in->type](frame->counts, block->registers[in->a], &zero, NULL, block->n);
  if (moho_type_is_signed(in->type))
    for (size_t i = 0; i < block->n; i++) frame->counts[i] = (int64_t)frame->counts[i] < 0 ? 0 : frame->counts[i];
  frame->fewest = UINT64_MAX;
  for (size_t i = 0; i < block->n; i++)
    if (frame->live[i] && frame->counts[i] < frame->fewest) frame->fewest = frame->counts[i];
  return next_turn_of_loop(block, code, pc);
}

static size_t end_block(moho_block *block, const moho_code *code, size_t pc) {
  size_t head = code[pc].target;
  if (code[pc].in.variant == MOHO_PROGRAM_LOOP) return next_turn_of_loop(block, code, head);
  if (code[pc].in.variant == MOHO_PROGRAM_WHILE) return next_turn_of_while(block, code, head);
  leave(block);
  return pc + 1;
}

static void take_out(moho_block *block, uint8_t *from) {
  block->loops->without(from, from, block->mask, NULL, block->padded);
}

static void leave_loop(moho_block *block) {
  take_out(block, innermost_loop(block)->live);
  memset(block->mask, 0, block->padded);
  block->active = 0;
}

static void leave_program(moho_block *block) {
  for (size_t i = 0; i < block->depth; i++)
    if (block->frames[i].is_loop) take_out(block, block->frames[i].live);
  take_out(block, block->alive);
  memset(block->mask, 0, block->padded);
  block->active = 0;
}

/* Behind a block that no lane enters. */
static size_t pass_over(const moho_code *code, size_t pc) {
  size_t end = code[pc].target;
  return (code[end].in.op == MOHO_PROGRAM_ELSE ? code[end].target : end) + 1;
}

size_t moho_block_control(moho_block *block, const moho_code *code, size_t pc) {
  switch (code[pc].in.op) {
  case MOHO_PROGRAM_IF: return block->active ? begin_if(block, code, pc) : pass_over(code, pc);
  case MOHO_PROGRAM_LOOP: return block->active ? begin_loop(block, code, pc) : pass_over(code, pc);
  case MOHO_PROGRAM_WHILE:
    if (!block->active) return pass_over(code, pc);
    enter(block, 1);
    return next_turn_of_while(block, code, pc);
  case MOHO_PROGRAM_ELSE: return begin_else(block, code, pc);
  case MOHO_PROGRAM_END: return end_block(block, code, pc);
  case MOHO_PROGRAM_BREAK: leave_loop(block); return pc + 1;
  default: leave_program(block); return pc + 1;
  }
}
