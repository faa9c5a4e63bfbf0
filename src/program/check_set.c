/* check_set.c - no register, predicate or pool is read before it is set on every way there. One pass over the flat code: what is
 * set at an `end` is what all ways to it have set; a loop may run no time at all.
 */
#include "program/program_core.h"

enum { PREDICATES_FROM = MOHO_PROGRAM_REGISTERS, POOLS_FROM = PREDICATES_FROM + 64, WORDS = POOLS_FROM / 64 + 1 };

/* One bit for each register, predicate and pool. Where nothing arrives all are set. */
typedef struct set_bits {
  uint64_t word[WORDS];
} set_bits;

typedef struct set_check {
  const moho_program *program;
  set_bits now, before[MOHO_PROGRAM_DEPTH]; /* at the head of each open block; after an else: at the end of its first part */
  size_t i;                                 /* in the code */
  moho_status status;
} set_check;

static set_bits everything(void) {
  set_bits all;
  for (unsigned w = 0; w < WORDS; w++) all.word[w] = ~0ull;
  return all;
}

static set_bits both(set_bits a, set_bits b) {
  for (unsigned w = 0; w < WORDS; w++) a.word[w] &= b.word[w];
  return a;
}

static void need(set_check *check, unsigned bit, const char *what, const char *name) {
  if (check->status || check->now.word[bit / 64] >> bit % 64 & 1) return;
  check->status =
      moho_program_refuse(check->program, check->program->code[check->i].origin, MOHO_ERROR_FORMAT,
                          "set it on every way there: before an if, or in both of its parts; a loop may run no time",
                          "%s %s may not have been %s", what, name, *what == 'p' && what[1] == 'o' ? "allocated" : "set");
}

static void use(void *user, int is_predicate, unsigned number, int is_write) {
  set_check *check = user;
  const moho_program *p = check->program;
  unsigned bit = is_predicate ? PREDICATES_FROM + number : number;
  if (is_write) check->now.word[bit / 64] |= 1ull << bit % 64;
  else
    need(check, bit, is_predicate ? "predicate" : "register", is_predicate ? p->predicates[number] : p->registers[number].name);
}

static void step(set_check *check, const moho_code *code) {
  set_bits *before = &check->before[code->depth];
  switch (code->in.op) {
  case MOHO_PROGRAM_IF:
  case MOHO_PROGRAM_LOOP:
  case MOHO_PROGRAM_WHILE: *before = check->now; break;
  case MOHO_PROGRAM_ELSE: {
    set_bits head = *before;
    *before = check->now;
    check->now = head;
    break;
  }
  case MOHO_PROGRAM_END:
    if (code->in.variant == MOHO_PROGRAM_IF) check->now = both(check->now, *before);
    else check->now = *before; /* a break's way has at least that set too */
    break;
  case MOHO_PROGRAM_BREAK:
  case MOHO_PROGRAM_EXIT: check->now = everything(); break;
  case MOHO_PROGRAM_LOAD_POOL:
  case MOHO_PROGRAM_STORE_POOL: need(check, POOLS_FROM + code->in.b, "pool", check->program->pools[code->in.b].name); break;
  case MOHO_PROGRAM_ALLOC: check->now.word[POOLS_FROM / 64] |= 1ull << code->in.b; break;
  default: break;
  }
}

moho_status moho_program_check_set(const moho_program *program) {
  set_check check = {.program = program};
  for (check.i = 0; check.i < program->n_code && !check.status; check.i++) {
    moho_instruction_uses(&program->code[check.i].in, use, &check);
    if (!check.status) step(&check, &program->code[check.i]);
  }
  return check.status;
}
