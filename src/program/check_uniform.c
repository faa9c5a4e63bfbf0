/* check_uniform.c - where the lanes of a group are together, and what is the same in all of them; group operations stand only
 * there. A register varies after a write that depends on a lane or stands where lanes may differ; where ways meet it varies when
 * it does on one of them. Rounds over the code until no loop begins with more that varies than the round before knew: what is
 * known only grows, so this ends.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "program/program_core.h"

/* Why lanes are not together: an instruction of the flat code; NONE: they are. */
enum { NONE = UINT32_MAX, PREDICATES_FROM = MOHO_PROGRAM_REGISTERS, WORDS = PREDICATES_FROM / 64 + 1 };

/* A bit for each register and predicate: it may differ between lanes. Where nothing arrives none is set. */
typedef struct varying {
  uint64_t word[WORDS];
} varying;

/* What rounds have found about a loop, at its head's place. */
typedef struct loop_knowledge {
  varying again;   /* at its end: with what it begins again */
  uint32_t parted; /* the break by which lanes leave it one by one, or NONE */
  uint32_t left;   /* the exit in it by which single lanes may have left, or NONE */
} loop_knowledge;

typedef struct open_block {
  uint32_t head; /* its instruction */
  uint32_t why;  /* lanes differ in it, or NONE */
  varying other; /* if: at the head, after else at the end of the first part; loop: at its ends so far */
} open_block;

typedef struct uniform_check {
  moho_program *program;
  loop_knowledge *loops; /* [n_code] */
  open_block open[MOHO_PROGRAM_DEPTH];
  unsigned depth;
  varying now;
  uint32_t gone;                /* the exit by which single lanes may have left by now, or NONE */
  int found;                    /* something new in this round */
  uint32_t refused, refused_by; /* the first group operation that is not where it may be, and why; NONE */
} uniform_check;

static uint32_t why_here(const uniform_check *check) {
  return check->depth ? check->open[check->depth - 1].why : NONE;
}

static int has(const varying *set, unsigned bit) {
  return set->word[bit / 64] >> bit % 64 & 1;
}

/* a := a or b; 1 when it grew. */
static int join(varying *a, const varying *b) {
  int grew = 0;
  for (unsigned w = 0; w < WORDS; w++) {
    grew |= (b->word[w] & ~a->word[w]) != 0;
    a->word[w] |= b->word[w];
  }
  return grew;
}

/* ---- values ---- */

static int special_varies(unsigned special) {
  switch (special) {
  case MOHO_PROGRAM_ID:
  case MOHO_PROGRAM_ID_X:
  case MOHO_PROGRAM_ID_Y:
  case MOHO_PROGRAM_ID_Z:
  case MOHO_PROGRAM_LANE:
  case MOHO_PROGRAM_LANE_X:
  case MOHO_PROGRAM_LANE_Y:
  case MOHO_PROGRAM_LANE_Z: return 1;
  default: return 0;
  }
}

/* By what the instruction is, whatever it reads. */
static int source_varies(const moho_program *p, const moho_instruction *in) {
  switch (in->op) {
  case MOHO_PROGRAM_GET: return special_varies(in->variant);
  case MOHO_PROGRAM_LOAD: return p->buffers[in->b].access != MOHO_PROGRAM_IN; /* others may be writing it */
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_LOAD_POOL: return 1;
  default: return 0;
  }
}

typedef struct use_state {
  uniform_check *check;
  int varies; /* what was read, so far */
} use_state;

static void use(void *user, int is_predicate, unsigned number, int is_write) {
  use_state *state = user;
  moho_program *p = state->check->program;
  unsigned bit = is_predicate ? PREDICATES_FROM + number : number;
  uint64_t *word = &state->check->now.word[bit / 64];
  if (!is_write) {
    state->varies |= has(&state->check->now, bit);
    return;
  }
  *word = (*word & ~(1ull << bit % 64)) | (uint64_t)state->varies << bit % 64;
  if (state->varies) *(is_predicate ? &p->predicate_varies[number] : &p->varies[number]) = 1;
}

static void pass_values(uniform_check *check, const moho_instruction *in) {
  use_state state = {check, why_here(check) != NONE || source_varies(check->program, in)};
  moho_instruction_uses(in, use, &state);
}

/* A group's reduction is the same in all its lanes, which come together for it. */
static void pass_reduction(uniform_check *check, const moho_instruction *in) {
  check->now.word[in->d / 64] &= ~(1ull << in->d % 64);
}

/* ---- blocks ---- */

static int is_loop(unsigned op) {
  return op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE;
}

static void begin_block(uniform_check *check, uint32_t i) {
  const moho_instruction *in = &check->program->code[i].in;
  uint32_t why = why_here(check);
  if (is_loop(in->op)) {
    join(&check->now, &check->loops[i].again);
    if (check->gone == NONE) check->gone = check->loops[i].left;
  }
  unsigned bit = in->op == MOHO_PROGRAM_LOOP ? in->a : PREDICATES_FROM + in->a;
  if (why == NONE && has(&check->now, bit)) why = i;
  if (why == NONE && is_loop(in->op)) why = check->loops[i].parted;
  check->open[check->depth++] = (open_block){i, why, check->now};
}

static void begin_else(uniform_check *check) {
  open_block *block = &check->open[check->depth - 1];
  varying head = block->other;
  block->other = check->now;
  check->now = head;
}

static void end_block(uniform_check *check) {
  open_block *block = &check->open[--check->depth];
  if (is_loop(check->program->code[block->head].in.op)) {
    check->found |= join(&check->loops[block->head].again, &check->now);
    check->now = block->other;
  } else {
    join(&check->now, &block->other);
  }
}

static void note(uniform_check *check, uint32_t *reason, uint32_t i) {
  if (*reason != NONE || why_here(check) == NONE) return;
  *reason = i;
  check->found = 1;
}

/* The way goes on behind the innermost loop; where lanes differ they leave it one by one. */
static void pass_break(uniform_check *check, uint32_t i) {
  unsigned k = check->depth;
  while (!is_loop(check->program->code[check->open[k - 1].head].in.op)) k--;
  join(&check->open[k - 1].other, &check->now);
  note(check, &check->loops[check->open[k - 1].head].parted, i);
  check->now = (varying){{0}};
}

/* Where lanes differ single ones are gone from here on, and in loops around from their beginning. */
static void pass_exit(uniform_check *check, uint32_t i) {
  for (unsigned k = 0; k < check->depth; k++)
    if (is_loop(check->program->code[check->open[k].head].in.op)) note(check, &check->loops[check->open[k].head].left, i);
  if (check->gone == NONE && why_here(check) != NONE) check->gone = i;
  check->now = (varying){{0}};
}

/* ---- rounds ---- */

static void pass_group_operation(uniform_check *check, uint32_t i) {
  uint32_t why = why_here(check) != NONE ? why_here(check) : check->gone;
  if (check->refused == NONE && why != NONE) check->refused = i, check->refused_by = why;
}

static void pass(uniform_check *check) {
  moho_program *p = check->program;
  check->depth = 0, check->found = 0, check->gone = check->refused = NONE;
  check->now = (varying){{0}};
  for (uint32_t i = 0; i < p->n_code; i++) {
    moho_code *code = &p->code[i];
    if (code->in.op == MOHO_PROGRAM_END) end_block(check);
    uint32_t why = code->in.op != MOHO_PROGRAM_ELSE ? why_here(check)
                   : check->depth > 1               ? check->open[check->depth - 2].why
                                                    : NONE;
    code->is_uniform = why == NONE;
    if (moho_instruction_is_group(&code->in)) pass_group_operation(check, i);
    if (code->in.op == MOHO_PROGRAM_GROUP_REDUCE) pass_reduction(check, &code->in);
    else pass_values(check, &code->in);
    switch (code->in.op) {
    case MOHO_PROGRAM_IF:
    case MOHO_PROGRAM_LOOP:
    case MOHO_PROGRAM_WHILE: begin_block(check, i); break;
    case MOHO_PROGRAM_ELSE: begin_else(check); break;
    case MOHO_PROGRAM_BREAK: pass_break(check, i); break;
    case MOHO_PROGRAM_EXIT: pass_exit(check, i); break;
    default: break;
    }
  }
}

static moho_status refuse(const moho_program *p, uint32_t i, uint32_t why) {
  const moho_code *cause = &p->code[why];
  char text[120], words[260];
  const char *rule = "group operations stand where all lanes of a group come together, and none can have left";
  moho_instruction_text(p, &cause->in, text, sizeof text);
  if (cause->in.op == MOHO_PROGRAM_EXIT) snprintf(words, sizeof words, "single lanes may have left by the `exit`");
  else if (cause->in.op == MOHO_PROGRAM_BREAK)
    snprintf(words, sizeof words, "single lanes may have left the loop by the `break`");
  else snprintf(words, sizeof words, "lanes of a group may differ about `%s`", text);
  return moho_program_refuse(p, p->code[i].origin, MOHO_ERROR_FORMAT, rule, "%s of instruction %u", words, cause->origin);
}

moho_status moho_program_check_uniform(moho_program *program) {
  uniform_check check = {.program = program};
  MOHO_TRY(moho_allocate(program->n_code + 1, sizeof *check.loops, "the check of a program", &check.loops));
  for (size_t i = 0; i < program->n_code; i++) check.loops[i].parted = check.loops[i].left = NONE;
  do pass(&check);
  while (check.found);
  free(check.loops);
  program->uses_group = program->n_arrays || program->n_pools;
  for (size_t i = 0; i < program->n_code; i++) program->uses_group |= moho_instruction_is_group(&program->code[i].in);
  return check.refused == NONE ? MOHO_OK : refuse(program, check.refused, check.refused_by);
}
