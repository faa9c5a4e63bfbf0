/* interpreter.c - the reference execution: group after group; in a group each lane runs until lanes meet, then the next one; when
 * all have come the meeting is held. Nothing is shared with the fast executions but the flat code.
 */
#include "program/interpreter.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

typedef struct lane_state {
  uint64_t *registers;
  uint64_t counts[MOHO_PROGRAM_DEPTH]; /* of loops, by depth: times that are left (loop), that were begun (while) */
  uint32_t at;                         /* in the code */
  uint16_t predicates;
  uint8_t is_done;
  uint32_t place[3]; /* in the group */
} lane_state;

typedef struct interpreter {
  const moho_program *program;
  const moho_program_reference_launch *launch;
  const moho_elementary *functions;
  moho_program_grid grid;
  uint64_t scalars[MOHO_PROGRAM_SCALARS];
  lane_state *lanes; /* [grid.group_lanes] */
  uint64_t *registers, *values;
  uint8_t *group, *pool; /* memory of the group at hand */
  size_t group_bytes, arrays[MOHO_PROGRAM_GROUP_ARRAYS];
  uint32_t place[3]; /* of the group at hand */
  /* The first fault so far; code NONE: there was none. */
  uint64_t fault_id;
  uint32_t fault_code;
} interpreter;

enum { NONE = UINT32_MAX };

/* ---- what lanes find ---- */

static uint64_t linear(const uint32_t place[3], const uint32_t size[3]) {
  return ((uint64_t)place[2] * size[1] + place[1]) * size[0] + place[0];
}

static uint64_t lane_id(const interpreter *in, const lane_state *lane) {
  uint32_t place[3], size[3];
  for (unsigned k = 0; k < 3; k++) {
    place[k] = in->place[k] * in->grid.lanes[k] + lane->place[k];
    size[k] = in->grid.groups[k] * in->grid.lanes[k];
  }
  return linear(place, size);
}

static uint64_t special(const interpreter *in, const lane_state *lane, unsigned which) {
  const moho_program_grid *g = &in->grid;
  unsigned k = which % 4 ? which % 4 - 1 : 0; /* whole, x, y, z */
  switch (which) {
  case MOHO_PROGRAM_ID: return lane_id(in, lane);
  case MOHO_PROGRAM_SIZE: return g->n_groups * g->group_lanes;
  case MOHO_PROGRAM_LANE: return linear(lane->place, g->lanes);
  case MOHO_PROGRAM_LANES: return g->group_lanes;
  case MOHO_PROGRAM_GROUP: return linear(in->place, g->groups);
  case MOHO_PROGRAM_GROUPS: return g->n_groups;
  default: break;
  }
  switch (which - which % 4) {
  case MOHO_PROGRAM_ID: return (uint64_t)in->place[k] * g->lanes[k] + lane->place[k];
  case MOHO_PROGRAM_SIZE: return (uint64_t)g->groups[k] * g->lanes[k];
  case MOHO_PROGRAM_LANE: return lane->place[k];
  case MOHO_PROGRAM_LANES: return g->lanes[k];
  case MOHO_PROGRAM_GROUP: return in->place[k];
  default: return g->groups[k];
  }
}

/* ---- faults ---- */

static void note_fault(interpreter *in, const lane_state *lane) {
  uint64_t id = lane_id(in, lane);
  if (in->fault_code != NONE && (id > in->fault_id || (id == in->fault_id && lane->at >= in->fault_code))) return;
  in->fault_id = id;
  in->fault_code = lane->at;
}

/* ---- memory ---- */

typedef struct place_in_memory {
  uint8_t *data;
  uint64_t length;
} place_in_memory;

static place_in_memory memory_of(const interpreter *in, const moho_instruction *i) {
  const moho_program *p = in->program;
  switch (i->op) {
  case MOHO_PROGRAM_LOAD:
  case MOHO_PROGRAM_STORE: return (place_in_memory){in->launch->buffers[i->b].data, in->launch->buffers[i->b].length};
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_STORE_GROUP:
    return (place_in_memory){in->group + in->arrays[i->b], moho_program_array_length(&p->arrays[i->b], in->grid.group_lanes)};
  default: return (place_in_memory){in->pool + p->pools[i->b].offset, p->pools[i->b].count};
  }
}

/* The element's address, or NULL and a fault. */
static uint8_t *element(interpreter *in, const lane_state *lane, const moho_instruction *i, unsigned index) {
  place_in_memory memory = memory_of(in, i);
  uint64_t at = i->immediate;
  if (index != MOHO_NO_REGISTER) {
    uint64_t value = lane->registers[index];
    unsigned unused = 64 - 8 * (unsigned)moho_program_type_bytes((moho_program_type)i->source);
    at += moho_type_is_signed(i->source) ? (uint64_t)((int64_t)(value << unused) >> unused) : value;
  }
  if (at < memory.length) return memory.data + at * moho_program_type_bytes((moho_program_type)i->type);
  note_fault(in, lane);
  return NULL;
}

/* An element as zero-extended bits, in the host's order of bytes. */
static uint64_t read_element(const uint8_t *from, unsigned type) {
  uint8_t b1;
  uint16_t b2;
  uint32_t b4;
  uint64_t b8;
  switch (moho_program_type_bytes((moho_program_type)type)) {
  case 1: memcpy(&b1, from, 1); return b1;
  case 2: memcpy(&b2, from, 2); return b2;
  case 4: memcpy(&b4, from, 4); return b4;
  default: memcpy(&b8, from, 8); return b8;
  }
}

static void write_element(uint8_t *to, unsigned type, uint64_t bits) {
  uint8_t b1 = (uint8_t)bits;
  uint16_t b2 = (uint16_t)bits;
  uint32_t b4 = (uint32_t)bits;
  switch (moho_program_type_bytes((moho_program_type)type)) {
  case 1: memcpy(to, &b1, 1); break;
  case 2: memcpy(to, &b2, 2); break;
  case 4: memcpy(to, &b4, 4); break;
  default: memcpy(to, &bits, 8); break;
  }
}

static void load(interpreter *in, lane_state *lane, const moho_instruction *i) {
  const uint8_t *from = element(in, lane, i, i->a);
  lane->registers[i->d] = from ? read_element(from, i->type) : 0;
}

static void store(interpreter *in, lane_state *lane, const moho_instruction *i) {
  uint8_t *to = element(in, lane, i, i->d);
  if (to) write_element(to, i->type, lane->registers[i->a]);
}

/* ---- control ---- */

static int predicate(const lane_state *lane, unsigned p) {
  return lane->predicates >> p & 1;
}

static void set_predicate(lane_state *lane, unsigned p, int value) {
  lane->predicates = (uint16_t)((lane->predicates & ~(1u << p)) | (unsigned)value << p);
}

/* At a while's head, on the way in or again: into its body, or behind its end. */
static void test_while(interpreter *in, lane_state *lane, uint32_t head) {
  const moho_code *code = &in->program->code[head];
  lane->at = head;
  int goes_on = predicate(lane, code->in.a) != code->in.variant;
  if (goes_on && lane->counts[code->depth] == code->in.immediate) {
    note_fault(in, lane);
    goes_on = 0;
  }
  lane->counts[code->depth] += (uint64_t)goes_on;
  lane->at = goes_on ? head + 1 : code->target + 1;
}

static void begin_loop(lane_state *lane, const moho_code *code) {
  uint64_t bits = lane->registers[code->in.a];
  unsigned width = 8 * (unsigned)moho_program_type_bytes((moho_program_type)code->in.type);
  int is_negative = moho_type_is_signed(code->in.type) && bits >> (width - 1) & 1;
  lane->counts[code->depth] = is_negative ? 0 : bits;
  lane->at = lane->counts[code->depth] ? lane->at + 1 : code->target + 1;
}

static void end_block(interpreter *in, lane_state *lane, const moho_code *code) {
  unsigned depth = in->program->code[code->target].depth;
  if (code->in.variant == MOHO_PROGRAM_WHILE) test_while(in, lane, code->target);
  else if (code->in.variant == MOHO_PROGRAM_LOOP && --lane->counts[depth]) lane->at = code->target + 1;
  else lane->at++;
}

/* Into the part that holds, or behind it. */
static void choose_part(const interpreter *in, lane_state *lane, const moho_code *code) {
  int holds = predicate(lane, code->in.a) != code->in.variant;
  if (holds) {
    lane->at++;
    return;
  }
  int has_else = in->program->code[code->target].in.op == MOHO_PROGRAM_ELSE;
  lane->at = code->target + (has_else ? 1 : 0); /* an end is passed through */
}

static int is_control(unsigned op) {
  return op >= MOHO_PROGRAM_IF && op <= MOHO_PROGRAM_EXIT;
}

static void control(interpreter *in, lane_state *lane, const moho_code *code) {
  switch (code->in.op) {
  case MOHO_PROGRAM_IF: choose_part(in, lane, code); break;
  case MOHO_PROGRAM_ELSE: lane->at = code->target; break; /* its first part is done */
  case MOHO_PROGRAM_LOOP: begin_loop(lane, code); break;
  case MOHO_PROGRAM_WHILE:
    lane->counts[code->depth] = 0;
    test_while(in, lane, lane->at);
    break;
  case MOHO_PROGRAM_END: end_block(in, lane, code); break;
  case MOHO_PROGRAM_BREAK: lane->at = code->target + 1; break;
  default: lane->is_done = 1; break; /* exit */
  }
}

/* ---- one instruction of one lane ---- */

static void reduce_range(interpreter *in, lane_state *lane, const moho_instruction *i) {
  memcpy(in->values, lane->registers + i->a, i->b * sizeof *in->values);
  lane->registers[i->d] = moho_evaluate_tree(i->variant, i->type, in->values, i->b);
}

static void compute(interpreter *in, lane_state *lane, const moho_instruction *i) {
  uint64_t *r = lane->registers;
  int fault = 0;
  switch (i->op) {
  case MOHO_PROGRAM_SET: r[i->d] = i->immediate; break;
  case MOHO_PROGRAM_GET: {
    uint64_t bits = special(in, lane, i->variant);
    r[i->d] = moho_program_type_bytes((moho_program_type)i->type) == 4 ? bits & 0xffffffffu : bits;
    break;
  }
  case MOHO_PROGRAM_SCALAR: r[i->d] = in->scalars[i->b]; break;
  case MOHO_PROGRAM_LENGTH: {
    uint64_t length = in->launch->buffers[i->b].length;
    r[i->d] = moho_program_type_bytes((moho_program_type)i->type) == 4 ? length & 0xffffffffu : length;
    break;
  }
  case MOHO_PROGRAM_CONVERT: r[i->d] = moho_evaluate_convert(i->type, i->source, r[i->a]); break;
  case MOHO_PROGRAM_PREDICATE_AND: set_predicate(lane, i->d, predicate(lane, i->a) && predicate(lane, i->b)); break;
  case MOHO_PROGRAM_PREDICATE_OR: set_predicate(lane, i->d, predicate(lane, i->a) || predicate(lane, i->b)); break;
  case MOHO_PROGRAM_PREDICATE_NOT: set_predicate(lane, i->d, !predicate(lane, i->a)); break;
  case MOHO_PROGRAM_COMPARE: set_predicate(lane, i->d, moho_evaluate_compare(i->variant, i->type, r[i->a], r[i->b])); break;
  case MOHO_PROGRAM_SELECT: r[i->d] = r[predicate(lane, i->a) ? i->b : i->c]; break;
  case MOHO_PROGRAM_REDUCE: reduce_range(in, lane, i); break;
  default: r[i->d] = moho_evaluate(*in->functions, i->op, i->type, r[i->a], r[i->b], r[i->c], &fault); break;
  }
  if (fault) note_fault(in, lane);
}

/* Run until the lane is done or has come to a group operation. */
static void run_lane(interpreter *in, lane_state *lane) {
  const moho_program *p = in->program;
  while (!lane->is_done) {
    if (lane->at == p->n_code) {
      lane->is_done = 1;
      return;
    }
    const moho_code *code = &p->code[lane->at];
    if (moho_instruction_is_group(&code->in)) return;
    if (is_control(code->in.op)) {
      control(in, lane, code);
      continue;
    }
    moho_operands form = moho_operations[code->in.op].operands;
    if (form == MOHO_OPERANDS_D_MEMORY) load(in, lane, &code->in);
    else if (form == MOHO_OPERANDS_MEMORY_A) store(in, lane, &code->in);
    else compute(in, lane, &code->in);
    lane->at++;
  }
}

/* ---- a group ---- */

/* All lanes stand at the same group operation. */
static void meet(interpreter *in) {
  const moho_instruction *i = &in->program->code[in->lanes[0].at].in;
  uint32_t n = in->grid.group_lanes;
  uint64_t result = 0;
  if (i->op == MOHO_PROGRAM_GROUP_REDUCE) {
    for (uint32_t k = 0; k < n; k++) in->values[k] = in->lanes[k].registers[i->a];
    result = moho_evaluate_tree(i->variant, i->type, in->values, n);
  } else if (i->op == MOHO_PROGRAM_ALLOC) {
    const moho_declared_memory *pool = &in->program->pools[i->b];
    memset(in->pool + pool->offset, 0, pool->count * moho_program_type_bytes((moho_program_type)pool->type));
  }
  for (uint32_t k = 0; k < n; k++) {
    if (i->op == MOHO_PROGRAM_GROUP_REDUCE) in->lanes[k].registers[i->d] = result;
    in->lanes[k].at++;
  }
}

/* The checks saw to it that lanes meet; were they wrong, this says so. */
static moho_status check_meeting(const interpreter *in) {
  for (uint32_t k = 1; k < in->grid.group_lanes; k++)
    if (in->lanes[k].is_done != in->lanes[0].is_done || (!in->lanes[k].is_done && in->lanes[k].at != in->lanes[0].at))
      return moho_fail(MOHO_ERROR_INTERNAL, "lanes of a group stand at instructions %u and %u of program %s", in->lanes[0].at,
                       in->lanes[k].at, in->program->functions[0].name);
  return MOHO_OK;
}

static moho_status run_group(interpreter *in) {
  const uint32_t *size = in->grid.lanes;
  memset(in->group, 0, in->group_bytes);
  memset(in->registers, 0, in->grid.group_lanes * (in->program->n_registers + 1) * sizeof *in->registers);
  for (uint32_t k = 0; k < in->grid.group_lanes; k++) {
    uint64_t *registers = in->registers + k * (in->program->n_registers + 1);
    in->lanes[k] = (lane_state){.registers = registers, .place = {k % size[0], k / size[0] % size[1], k / size[0] / size[1]}};
  }
  for (;;) {
    for (uint32_t k = 0; k < in->grid.group_lanes; k++) run_lane(in, &in->lanes[k]);
    if (in->program->uses_group) MOHO_TRY(check_meeting(in));
    if (in->lanes[0].is_done || !in->program->uses_group) return MOHO_OK;
    meet(in);
  }
}

/* ---- a launch ---- */

static moho_status run_groups(interpreter *in) {
  for (uint64_t g = 0; g < in->grid.n_groups; g++) {
    in->place[0] = (uint32_t)(g % in->grid.groups[0]);
    in->place[1] = (uint32_t)(g / in->grid.groups[0] % in->grid.groups[1]);
    in->place[2] = (uint32_t)(g / in->grid.groups[0] / in->grid.groups[1]);
    MOHO_TRY(run_group(in));
  }
  return MOHO_OK;
}

static moho_status allocate(interpreter *in) {
  const moho_program *p = in->program;
  size_t lanes = in->grid.group_lanes, values = lanes > MOHO_PROGRAM_REGISTERS ? lanes : MOHO_PROGRAM_REGISTERS;
  in->group_bytes = moho_program_group_bytes(p, in->grid.group_lanes, in->arrays);
  MOHO_TRY(moho_allocate(lanes, sizeof *in->lanes, "lanes of a program", &in->lanes));
  MOHO_TRY(moho_allocate(lanes * (p->n_registers + 1), sizeof *in->registers, "registers of a program", &in->registers));
  MOHO_TRY(moho_allocate(values, sizeof *in->values, "values of a program", &in->values));
  MOHO_TRY(moho_allocate(in->group_bytes + 1, 1, "group memory of a program", &in->group));
  return moho_allocate(p->pool_bytes + 1, 1, "the pool of a program", &in->pool);
}

static void give_back(interpreter *in) {
  free(in->lanes);
  free(in->registers);
  free(in->values);
  free(in->group);
  free(in->pool);
}

static moho_status check_buffers(const moho_program *p, const moho_program_reference_launch *launch) {
  if (launch->n_buffers != p->n_buffers || launch->n_scalars != p->n_scalars)
    return moho_fail(MOHO_ERROR_ARGUMENT, "%zu buffers and %zu scalars, program %s has %zu and %zu", launch->n_buffers,
                     launch->n_scalars, p->functions[0].name, p->n_buffers, p->n_scalars);
  if ((p->n_buffers && !launch->buffers) || (p->n_scalars && !launch->scalars))
    return moho_fail(MOHO_ERROR_ARGUMENT, "buffers or scalars are NULL");
  for (size_t i = 0; i < p->n_buffers; i++)
    if (!launch->buffers[i].data && launch->buffers[i].length)
      return moho_fail(MOHO_ERROR_ARGUMENT, "buffer %s is NULL, but has %zu elements", p->buffers[i].name,
                       launch->buffers[i].length);
  return MOHO_OK;
}

moho_status moho_program_interpret(const moho_program *program, const moho_program_reference_launch *launch,
                                   const moho_elementary functions, moho_program_fault *fault) {
  if (!program || !launch || !fault) return moho_fail(MOHO_ERROR_ARGUMENT, "program, launch or fault is NULL");
  interpreter in = {.program = program, .launch = launch, .functions = (const moho_elementary *)functions, .fault_code = NONE};
  *fault = (moho_program_fault){0};
  MOHO_TRY(check_buffers(program, launch));
  MOHO_TRY(moho_program_grid_of(program, launch->groups, launch->lanes, MOHO_PROGRAM_GROUP_BYTES, &in.grid));
  for (size_t i = 0; i < program->n_scalars; i++)
    MOHO_TRY(moho_program_scalar_bits(program, i, launch->scalars[i], &in.scalars[i]));
  moho_status status = allocate(&in);
  if (!status) status = run_groups(&in);
  give_back(&in);
  if (!status && in.fault_code != NONE) {
    const moho_code *code = &program->code[in.fault_code];
    *fault = (moho_program_fault){1, code->origin, in.fault_id, (moho_program_operation)code->in.op};
  }
  return status;
}

moho_status moho_program_run_reference(const moho_program *program, const moho_program_reference_launch *launch,
                                       moho_program_fault *fault) {
  return moho_program_interpret(program, launch, moho_elementary_exact, fault);
}
