/* check_uniform.c - where the lanes of a group are together, and what is the same in all of them; group operations stand only
 * there. A register varies as soon as one of its writes does: what is written depends on a lane, or stands where lanes may
 * differ. Rounds over the code until nothing more is found to vary: each round but the last finds one of finitely many things.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "program/program_core.h"

/* Why lanes are not together: an instruction of the flat code; NONE: they are. */
enum { NONE = UINT32_MAX };

typedef struct uniform_check {
  moho_program *program;
  uint32_t *parted; /* [n_code] of a loop's head: the break by which lanes leave it one by one, or NONE */
  uint32_t *left;   /* [n_code] of a loop's head: the exit in it by which single lanes may have left, or NONE */
  uint32_t now[MOHO_PROGRAM_DEPTH + 1]; /* [depth] why lanes differ in the block, NONE: they do not */
  uint32_t heads[MOHO_PROGRAM_DEPTH];   /* of the open blocks */
  unsigned depth;
  uint32_t gone; /* the exit by which single lanes may have left by now, or NONE */
  int found;     /* something new in this round */
} uniform_check;

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
  uint8_t *varies = is_predicate ? &p->predicate_varies[number] : &p->varies[number];
  if (!is_write) {
    state->varies |= *varies;
  } else if (state->varies && !*varies) {
    *varies = 1;
    state->check->found = 1;
  }
}

/* The registers written vary where what is read does; a group's reduction is the same in all its lanes. */
static void pass_values(uniform_check *check, const moho_instruction *in) {
  int is_together = check->now[check->depth] == NONE;
  if (in->op == MOHO_PROGRAM_GROUP_REDUCE) return; /* refused where lanes are not together */
  use_state state = {check, !is_together || source_varies(check->program, in)};
  moho_instruction_uses(in, use, &state);
}

static int is_loop(unsigned op) {
  return op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE;
}

/* Single lanes leave the innermost loop, or the program: all that follows in loops around is then run without them. */
static void lanes_part(uniform_check *check, uint32_t i) {
  int is_exit = check->program->code[i].in.op == MOHO_PROGRAM_EXIT;
  uint32_t *reasons = is_exit ? check->left : check->parted;
  if (check->now[check->depth] == NONE) return;
  for (unsigned k = check->depth; k-- > 0;) {
    uint32_t head = check->heads[k];
    if (!is_loop(check->program->code[head].in.op)) continue;
    if (reasons[head] == NONE) reasons[head] = i, check->found = 1;
    if (!is_exit) return;
  }
  if (is_exit && check->gone == NONE) check->gone = i;
}

static void open_block(uniform_check *check, uint32_t i) {
  const moho_instruction *in = &check->program->code[i].in;
  const moho_program *p = check->program;
  uint32_t why = check->now[check->depth];
  int varies = in->op == MOHO_PROGRAM_LOOP ? p->varies[in->a] : p->predicate_varies[in->a];
  if (why == NONE && varies) why = i;
  if (why == NONE && is_loop(in->op)) why = check->parted[i];
  if (is_loop(in->op) && check->gone == NONE) check->gone = check->left[i];
  check->heads[check->depth++] = i;
  check->now[check->depth] = why;
}

static void pass(uniform_check *check) {
  moho_program *p = check->program;
  check->depth = 0, check->gone = NONE, check->found = 0;
  check->now[0] = NONE;
  for (uint32_t i = 0; i < p->n_code; i++) {
    moho_code *code = &p->code[i];
    if (code->in.op == MOHO_PROGRAM_END) check->depth--;
    code->is_uniform = check->now[code->in.op == MOHO_PROGRAM_ELSE ? check->depth - 1 : check->depth] == NONE;
    pass_values(check, &code->in);
    switch (code->in.op) {
    case MOHO_PROGRAM_IF:
    case MOHO_PROGRAM_LOOP:
    case MOHO_PROGRAM_WHILE: open_block(check, i); break;
    case MOHO_PROGRAM_BREAK:
    case MOHO_PROGRAM_EXIT: lanes_part(check, i); break;
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

/* The last round again, now that all is known: refuse the first group operation that is not where it may be. */
static moho_status check_group_operations(uniform_check *check) {
  const moho_program *p = check->program;
  check->depth = 0, check->gone = NONE;
  for (uint32_t i = 0; i < p->n_code; i++) {
    const moho_instruction *in = &p->code[i].in;
    if (in->op == MOHO_PROGRAM_END) check->depth--;
    if (in->op == MOHO_PROGRAM_IF || is_loop(in->op)) open_block(check, i);
    if (in->op == MOHO_PROGRAM_EXIT) lanes_part(check, i);
    if (!moho_instruction_is_group(in)) continue;
    if (check->now[check->depth] != NONE) return refuse(p, i, check->now[check->depth]);
    if (check->gone != NONE) return refuse(p, i, check->gone);
  }
  return MOHO_OK;
}

moho_status moho_program_check_uniform(moho_program *program) {
  uniform_check check = {.program = program};
  for (size_t i = 0; i < program->n_registers; i++) program->varies[i] = 0;
  for (size_t i = 0; i < program->n_predicates; i++) program->predicate_varies[i] = 0;
  MOHO_TRY(moho_allocate(2 * program->n_code + 1, sizeof *check.parted, "the check of a program", &check.parted));
  check.left = check.parted + program->n_code;
  for (size_t i = 0; i < 2 * program->n_code; i++) check.parted[i] = NONE;
  do pass(&check);
  while (check.found);
  moho_status status = check_group_operations(&check);
  free(check.parted);
  program->uses_group = program->n_arrays || program->n_pools;
  for (size_t i = 0; i < program->n_code; i++) program->uses_group |= moho_instruction_is_group(&program->code[i].in);
  return status;
}
