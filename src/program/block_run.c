/* block_run.c - one block of lanes through a program, instruction by instruction. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "program/block.h"

/* Bytes of registers that stay in the first cache beside what they are read from. */
enum { REGISTER_BYTES = 24576, FEWEST_LANES = 128, MOST_LANES = 1024, PAD = 64 };

/* ---- making ---- */

static size_t register_bytes(const moho_program *program) {
  size_t bytes = 0;
  for (size_t i = 0; i < program->n_registers; i++) bytes += (size_t)1 << moho_type_width(program->registers[i].type);
  return bytes;
}

size_t moho_block_capacity(const moho_block_launch *launch) {
  if (launch->program->uses_group) return launch->grid.group_lanes;
  size_t bytes = register_bytes(launch->program), lanes = MOST_LANES;
  while (lanes > FEWEST_LANES && lanes * bytes > REGISTER_BYTES) lanes /= 2;
  uint64_t all = launch->grid.n_groups * launch->grid.group_lanes;
  return all < lanes ? (size_t)all : lanes;
}

static size_t deepest(const moho_program *program) {
  size_t depth = 0;
  for (size_t i = 0; i < program->n_code; i++)
    if (program->code[i].depth + 1u > depth) depth = program->code[i].depth + 1u;
  return depth;
}

/* Pieces of one memory: taken when `base` is there, else only counted. */
typedef struct pieces {
  unsigned char *base;
  size_t used;
} pieces;

static void *take(pieces *from, size_t bytes) {
  void *piece = from->base ? from->base + from->used : NULL;
  from->used += moho_round_up(bytes, PAD) + PAD; /* the same lane of all registers must not meet in one set of the cache */
  return piece;
}

static void lay_out(moho_block *block, pieces *memory) {
  const moho_program *program = block->launch->program;
  size_t lanes = block->capacity;
  for (size_t i = 0; i < program->n_registers; i++)
    block->registers[i] = take(memory, lanes << moho_type_width(program->registers[i].type));
  for (size_t i = 0; i < program->n_predicates; i++) block->predicates[i] = take(memory, lanes);
  block->mask = take(memory, lanes);
  block->alive = take(memory, lanes);
  for (size_t i = 0, depth = deepest(program); i < depth; i++) {
    block->frames[i].entry = take(memory, lanes);
    block->frames[i].live = take(memory, lanes);
    block->frames[i].counts = take(memory, lanes * sizeof(uint64_t));
  }
  block->result = take(memory, lanes * sizeof(uint64_t));
  for (int i = 0; i < 3; i++) block->wide[i] = take(memory, lanes * sizeof(float));
  block->addresses = take(memory, lanes * sizeof(uint64_t));
  block->bytes = take(memory, lanes);
  for (int i = 0; i < MOHO_BLOCK_TREE_DEPTH; i++) block->tree[i] = take(memory, lanes * sizeof(uint64_t));
  block->arrays = take(memory, block->array_bytes);
  block->pools = take(memory, program->pool_bytes);
}

moho_status moho_block_create(const moho_block_launch *launch, size_t capacity, moho_block **out) {
  moho_block *block;
  MOHO_TRY(moho_allocate(1, sizeof *block, "lanes of a program", &block));
  block->launch = launch;
  block->loops = launch->loops;
  block->capacity = moho_round_up(capacity, PAD);
  block->array_bytes = moho_program_group_bytes(launch->program, launch->grid.group_lanes, block->where);
  block->fault_key = MOHO_BLOCK_NO_FAULT;
  pieces memory = {0};
  lay_out(block, &memory);
  moho_status status = moho_allocate(memory.used, 1, "registers of a program's lanes", &block->memory);
  if (status) {
    free(block);
    return status;
  }
  lay_out(block, &(pieces){.base = block->memory});
  *out = block;
  return MOHO_OK;
}

void moho_block_destroy(moho_block *block) {
  if (!block) return;
  free(block->memory);
  free(block);
}

/* ---- what an instruction writes ---- */

void *moho_block_target(moho_block *block, unsigned reg) {
  return moho_block_is_full(block) ? block->registers[reg] : block->result;
}

void moho_block_merge(moho_block *block, unsigned reg, void *target) {
  void *d = block->registers[reg];
  if (target != d)
    block->loops->select[moho_type_width(block->launch->program->registers[reg].type)](d, block->mask, target, d, block->padded);
}

static void write_predicate(moho_block *block, unsigned number, const uint8_t *value) {
  uint8_t *p = block->predicates[number];
  if (value != p) block->loops->select[0](p, block->mask, value, p, block->padded);
}

static uint8_t *predicate_target(moho_block *block, unsigned number) {
  return moho_block_is_full(block) ? block->predicates[number] : block->bytes;
}

/* ---- instructions ---- */

static const void *widened(moho_block *block, unsigned reg, int type, int i) {
  block->loops->convert[type][MOHO_PROGRAM_F32](block->wide[i], block->registers[reg], NULL, NULL, block->padded);
  return block->wide[i];
}

static int operands_of(const moho_instruction *in) {
  moho_operands form = moho_operations[in->op].operands;
  return form == MOHO_OPERANDS_D_A_B_C ? 3 : form == MOHO_OPERANDS_D_A_B ? 2 : 1;
}

/* f16 and bf16: as f32, rounded once. */
static void small_arithmetic(moho_block *block, const moho_instruction *in, void *target) {
  const uint16_t numbers[3] = {in->a, in->b, in->c};
  const void *from[3] = {0};
  for (int i = 0, n = operands_of(in); i < n; i++) from[i] = widened(block, numbers[i], in->type, i);
  block->loops->arithmetic[in->op][MOHO_PROGRAM_F32](block->wide[0], from[0], from[1], from[2], block->padded);
  block->loops->convert[MOHO_PROGRAM_F32][in->type](target, block->wide[0], NULL, NULL, block->padded);
}

static void check_division(moho_block *block, const moho_instruction *in, size_t pc) {
  block->loops->is_zero[in->type](block->bytes, block->registers[in->b], NULL, NULL, block->padded);
  block->loops->both(block->bytes, block->bytes, block->mask, NULL, block->padded);
  if (block->loops->count(block->bytes, block->n)) moho_block_fault_first(block, block->bytes, pc);
}

static void arithmetic(moho_block *block, const moho_instruction *in, size_t pc) {
  if (in->op == MOHO_PROGRAM_DIV && !moho_type_is_real(in->type)) check_division(block, in, pc);
  void *target = moho_block_target(block, in->d);
  if (moho_type_is_small(in->type)) {
    small_arithmetic(block, in, target);
  } else {
    int n = operands_of(in);
    block->loops->arithmetic[in->op][in->type](target, block->registers[in->a], n > 1 ? block->registers[in->b] : NULL,
                                               n > 2 ? block->registers[in->c] : NULL, block->padded);
  }
  moho_block_merge(block, in->d, target);
}

static void compare(moho_block *block, const moho_instruction *in) {
  uint8_t *target = predicate_target(block, in->d);
  int small = moho_type_is_small(in->type), type = small ? MOHO_PROGRAM_F32 : in->type;
  const void *a = small ? widened(block, in->a, in->type, 0) : block->registers[in->a];
  const void *b = small ? widened(block, in->b, in->type, 1) : block->registers[in->b];
  block->loops->compare[in->variant][type](target, a, b, NULL, block->padded);
  write_predicate(block, in->d, target);
}

static void predicate_logic(moho_block *block, const moho_instruction *in) {
  uint8_t *target = predicate_target(block, in->d);
  moho_block_loop loop = in->op == MOHO_PROGRAM_PREDICATE_AND  ? block->loops->both
                         : in->op == MOHO_PROGRAM_PREDICATE_OR ? block->loops->either
                                                               : block->loops->opposite;
  loop(target, block->predicates[in->a], in->op == MOHO_PROGRAM_PREDICATE_NOT ? NULL : block->predicates[in->b], NULL,
       block->padded);
  write_predicate(block, in->d, target);
}

/* What fills a register: a constant, a scalar, a length, another register, lanes' places, values converted, chosen, reduced. */
static void produce(moho_block *block, const moho_instruction *in) {
  const moho_block_loops *loops = block->loops;
  int width = moho_type_width(in->type);
  void *target = moho_block_target(block, in->d);
  size_t n = block->padded;
  switch (in->op) {
  case MOHO_PROGRAM_MOVE: memmove(target, block->registers[in->a], n << width); break;
  case MOHO_PROGRAM_SET: loops->fill[width](target, &in->immediate, NULL, NULL, n); break;
  case MOHO_PROGRAM_SCALAR: loops->fill[width](target, &block->launch->scalars[in->b], NULL, NULL, n); break;
  case MOHO_PROGRAM_LENGTH: loops->fill[width](target, &block->launch->lengths[in->b], NULL, NULL, n); break;
  case MOHO_PROGRAM_GET: moho_block_special(block, in, target); break;
  case MOHO_PROGRAM_CONVERT:
    if (in->source == in->type) memmove(target, block->registers[in->a], n << width);
    else loops->convert[in->source][in->type](target, block->registers[in->a], NULL, NULL, n);
    break;
  case MOHO_PROGRAM_SELECT:
    loops->select[width](target, block->predicates[in->a], block->registers[in->b], block->registers[in->c], n);
    break;
  case MOHO_PROGRAM_REDUCE: moho_block_reduce_range(block, in, target); break;
  default: moho_block_reduce_group(block, in, target); break;
  }
  moho_block_merge(block, in->d, target);
}

static void allocate_pool(moho_block *block, const moho_instruction *in) {
  const moho_declared_memory *pool = &block->launch->program->pools[in->b];
  memset(block->pools + pool->offset, 0, (size_t)pool->count << moho_type_width(pool->type));
}

/* One instruction that is not control flow. */
static void step(moho_block *block, const moho_instruction *in, size_t pc) {
  switch (in->op) {
  case MOHO_PROGRAM_MOVE:
  case MOHO_PROGRAM_SET:
  case MOHO_PROGRAM_SCALAR:
  case MOHO_PROGRAM_LENGTH:
  case MOHO_PROGRAM_GET:
  case MOHO_PROGRAM_CONVERT:
  case MOHO_PROGRAM_SELECT:
  case MOHO_PROGRAM_REDUCE:
  case MOHO_PROGRAM_GROUP_REDUCE: produce(block, in); break;
  case MOHO_PROGRAM_LOAD:
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_LOAD_POOL: moho_block_load(block, in, pc); break;
  case MOHO_PROGRAM_STORE:
  case MOHO_PROGRAM_STORE_GROUP:
  case MOHO_PROGRAM_STORE_POOL: moho_block_store(block, in, pc); break;
  case MOHO_PROGRAM_COMPARE: compare(block, in); break;
  case MOHO_PROGRAM_PREDICATE_AND:
  case MOHO_PROGRAM_PREDICATE_OR:
  case MOHO_PROGRAM_PREDICATE_NOT: predicate_logic(block, in); break;
  case MOHO_PROGRAM_ALLOC: allocate_pool(block, in); break;
  case MOHO_PROGRAM_BARRIER: /* the block is the group, and all of it is here */
  case MOHO_PROGRAM_FENCE: break;
  default: arithmetic(block, in, pc); break;
  }
}

static int is_control(int op) {
  return op == MOHO_PROGRAM_IF || op == MOHO_PROGRAM_ELSE || op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE ||
         op == MOHO_PROGRAM_END || op == MOHO_PROGRAM_BREAK || op == MOHO_PROGRAM_EXIT;
}

static void begin(moho_block *block, uint64_t first, size_t n) {
  block->first = first;
  block->n = block->active = n;
  block->padded = moho_round_up(n, PAD);
  block->depth = 0;
  memset(block->mask, 1, n);
  memset(block->mask + n, 0, block->padded - n);
  memcpy(block->alive, block->mask, block->padded);
  if (block->array_bytes) memset(block->arrays, 0, block->array_bytes);
}

void moho_block_execute(moho_block *block, uint64_t first, size_t n) {
  const moho_code *code = block->launch->program->code;
  size_t n_code = block->launch->program->n_code, pc = 0;
  begin(block, first, n);
  while (pc < n_code && (block->active || block->depth)) {
    if (is_control(code[pc].in.op)) {
      pc = moho_block_control(block, code, pc);
    } else {
      if (block->active) step(block, &code[pc].in, pc);
      pc++;
    }
  }
}
