/* gpu_abreast.c - which programs run abreast, and which of their instructions must look at the mask. */
#include "program/gpu_abreast.h"

#include <stdlib.h>

#include "base/memory.h"

/* Instructions and words of registers, so that MOHO_GPU_ABREAST times as many do not leave the chip. */
enum { MOST_INSTRUCTIONS = 200, MOST_WORDS = 24 };

int moho_gpu_may_run_abreast(const moho_program *program) {
  size_t words = 0, accesses = 0;
  if (program->uses_group || program->n_code > MOST_INSTRUCTIONS) return 0;
  for (size_t i = 0; i < program->n_registers; i++)
    words += moho_pieces(moho_program_type_bytes((moho_program_type)program->registers[i].type), 4);
  for (size_t i = 0; i < program->n_code; i++) {
    moho_program_operation op = (moho_program_operation)program->code[i].in.op;
    if (op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE) return 0;
    accesses += op == MOHO_PROGRAM_LOAD || op == MOHO_PROGRAM_STORE;
  }
  return words <= MOST_WORDS && accesses;
}

/* Parts of ifs as a tree: part 0 is the program, `above` its parent, `depth` its distance from it. */
enum { NAMES = MOHO_PROGRAM_REGISTERS + MOHO_PROGRAM_PREDICATES, NOWHERE = -1 };
typedef struct parts {
  int above[MOST_INSTRUCTIONS + 1], depth[MOST_INSTRUCTIONS + 1], n;
  int now;         /* the part of the instruction that is looked at */
  int home[NAMES]; /* the least part that has all uses of a register or predicate; NOWHERE: unused */
  int writes_away; /* the instruction writes something whose home is another part */
} parts;

static int common_part(const parts *p, int a, int b) {
  while (a != b) {
    if (p->depth[a] >= p->depth[b]) a = p->above[a];
    else b = p->above[b];
  }
  return a;
}

static int name_of(int is_predicate, unsigned number) {
  return (int)number + (is_predicate ? MOHO_PROGRAM_REGISTERS : 0);
}

static void widen_home(void *user, int is_predicate, unsigned number, int is_write) {
  parts *p = user;
  int *home = &p->home[name_of(is_predicate, number)];
  (void)is_write;
  *home = *home == NOWHERE ? p->now : common_part(p, *home, p->now);
}

static void look_at_writes(void *user, int is_predicate, unsigned number, int is_write) {
  parts *p = user;
  p->writes_away |= is_write && p->home[name_of(is_predicate, number)] != p->now;
}

static void enter(parts *p, int above) {
  p->above[p->n] = above;
  p->depth[p->n] = p->depth[above] + 1;
  p->now = p->n++;
}

/* An if is of the part around it. */
static void step(parts *p, const moho_instruction *in, moho_use_function use) {
  if (in->op == MOHO_PROGRAM_ELSE || in->op == MOHO_PROGRAM_END) p->now = p->above[p->now];
  moho_instruction_uses(in, use, p);
  if (in->op == MOHO_PROGRAM_IF || in->op == MOHO_PROGRAM_ELSE) enter(p, p->now);
}

moho_status moho_gpu_masks_find(const moho_program *program, uint8_t *needs_mask) {
  parts *p;
  MOHO_TRY(moho_allocate(1, sizeof *p, "parts of a program", &p));
  p->n = 1;
  for (int i = 0; i < NAMES; i++) p->home[i] = NOWHERE;
  for (size_t i = 0; i < program->n_code; i++) step(p, &program->code[i].in, widen_home);
  p->n = 1, p->now = 0;
  for (size_t i = 0; i < program->n_code; i++) {
    p->writes_away = 0;
    step(p, &program->code[i].in, look_at_writes);
    needs_mask[i] = (uint8_t)p->writes_away;
  }
  free(p);
  return MOHO_OK;
}
