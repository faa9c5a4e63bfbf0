/* check_operands.c - each instruction as written: its operands name something, types agree and are such that the operation takes
 * them, constants fit. Derives the type in which it computes.
 */
#include <stdint.h>

#include "program/program_core.h"

/* Members of moho_instruction that a form uses. */
enum { D = 1, A = 2, B = 4, C = 8, VARIANT = 16, IMMEDIATE = 32 };

static const uint8_t members[] = {
    [MOHO_OPERANDS_NONE] = 0,
    [MOHO_OPERANDS_D_A] = D | A,
    [MOHO_OPERANDS_D_A_B] = D | A | B,
    [MOHO_OPERANDS_D_A_B_C] = D | A | B | C,
    [MOHO_OPERANDS_D_ANY] = D | A,
    [MOHO_OPERANDS_D_IMMEDIATE] = D | IMMEDIATE,
    [MOHO_OPERANDS_D_SPECIAL] = D | VARIANT,
    [MOHO_OPERANDS_D_SCALAR] = D | B,
    [MOHO_OPERANDS_D_BUFFER] = D | B,
    [MOHO_OPERANDS_D_MEMORY] = D | A | B | IMMEDIATE,
    [MOHO_OPERANDS_MEMORY_A] = D | A | B | IMMEDIATE,
    [MOHO_OPERANDS_P_Q] = D | A,
    [MOHO_OPERANDS_P_Q_R] = D | A | B,
    [MOHO_OPERANDS_P_CONDITION_A_B] = D | A | B | VARIANT,
    [MOHO_OPERANDS_D_P_A_B] = D | A | B | C,
    [MOHO_OPERANDS_D_REDUCTION_RANGE] = D | A | B | VARIANT,
    [MOHO_OPERANDS_D_REDUCTION_A] = D | A | VARIANT,
    [MOHO_OPERANDS_POOL] = B,
    [MOHO_OPERANDS_P] = A | VARIANT,
    [MOHO_OPERANDS_N] = A,
    [MOHO_OPERANDS_P_MAXIMUM] = A | VARIANT | IMMEDIATE,
    [MOHO_OPERANDS_FUNCTION] = B,
};

static moho_status check_unused(const moho_program *p, size_t i) {
  const moho_instruction *in = &p->written[i];
  unsigned used = members[moho_operations[in->op].operands];
  if ((!(used & D) && in->d) || (!(used & A) && in->a) || (!(used & B) && in->b) || (!(used & C) && in->c) ||
      (!(used & VARIANT) && in->variant) || (!(used & IMMEDIATE) && in->immediate))
    return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "has operands that it does not take");
  return MOHO_OK;
}

static moho_status check_number(const moho_program *p, size_t i, const char *what, unsigned number, size_t count) {
  if (number < count) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "%s %u, but %zu are declared", what, number, count);
}

static moho_status check_register(const moho_program *p, size_t i, unsigned number) {
  return check_number(p, i, "register", number, p->n_registers);
}

static moho_status check_predicate(const moho_program *p, size_t i, unsigned number) {
  return check_number(p, i, "predicate", number, p->n_predicates);
}

/* The register exists and has the type; what: that of which it follows. */
static moho_status check_typed(const moho_program *p, size_t i, unsigned number, unsigned type, const char *what) {
  MOHO_TRY(check_register(p, i, number));
  if (p->registers[number].type == type) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "convert it first: `convert d, a`", "%s is %s, expected %s as %s has",
                             p->registers[number].name, moho_type_words[p->registers[number].type], moho_type_words[type], what);
}

/* The instruction's type is that of register `number`, and the operation takes it. */
static moho_status derive_type(moho_program *p, size_t i, unsigned number) {
  moho_instruction *in = &p->written[i];
  MOHO_TRY(check_register(p, i, number));
  in->type = p->registers[number].type;
  unsigned types = moho_operations[in->op].types;
  if (types >> in->type & 1) return MOHO_OK;
  const char *expected = types == MOHO_TYPES_REAL    ? "f16, bf16, f32 or f64"
                         : types == MOHO_TYPES_INDEX ? "i32, i64, u32 or u64"
                                                     : "an integer type";
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "%s is %s, expected %s", p->registers[number].name,
                             moho_type_words[in->type], expected);
}

static moho_status check_arithmetic(moho_program *p, size_t i, unsigned n) {
  const moho_instruction *in = &p->written[i];
  const uint16_t read[3] = {in->a, in->b, in->c};
  MOHO_TRY(derive_type(p, i, in->d));
  for (unsigned k = 0; k < n; k++) MOHO_TRY(check_typed(p, i, read[k], in->type, p->registers[in->d].name));
  return MOHO_OK;
}

static moho_status check_immediate(moho_program *p, size_t i) {
  MOHO_TRY(derive_type(p, i, p->written[i].d));
  size_t bits = 8 * moho_program_type_bytes((moho_program_type)p->written[i].type);
  if (bits == 64 || p->written[i].immediate >> bits == 0) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "the constant has more than %zu bits", bits);
}

/* The memory's type is `type`, and the program may do this with it. */
static moho_status check_memory(const moho_program *p, size_t i, unsigned type) {
  const moho_instruction *in = &p->written[i];
  int is_load = moho_operations[in->op].operands == MOHO_OPERANDS_D_MEMORY;
  const char *name;
  unsigned has;
  if (in->op == MOHO_PROGRAM_LOAD || in->op == MOHO_PROGRAM_STORE) {
    MOHO_TRY(check_number(p, i, "buffer", in->b, p->n_buffers));
    name = p->buffers[in->b].name, has = p->buffers[in->b].type;
    if (!(p->buffers[in->b].access & (is_load ? MOHO_PROGRAM_IN : MOHO_PROGRAM_OUT)))
      return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "declare it inout", "buffer %s is declared %s", name,
                                 is_load ? "out: it is not read" : "in: it is not written");
  } else {
    int is_array = in->op == MOHO_PROGRAM_LOAD_GROUP || in->op == MOHO_PROGRAM_STORE_GROUP;
    const moho_declared_memory *memories = is_array ? p->arrays : p->pools;
    MOHO_TRY(check_number(p, i, is_array ? "group array" : "pool", in->b, is_array ? p->n_arrays : p->n_pools));
    name = memories[in->b].name, has = memories[in->b].type;
  }
  if (has == type) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "load and store do not convert: `convert` does",
                             "%s has elements of %s, the register is %s", name, moho_type_words[has], moho_type_words[type]);
}

static moho_status check_address(moho_program *p, size_t i, unsigned value, unsigned index) {
  moho_instruction *in = &p->written[i];
  MOHO_TRY(derive_type(p, i, value));
  MOHO_TRY(check_memory(p, i, in->type));
  int64_t offset = (int64_t)in->immediate;
  if (offset < INT32_MIN || offset > INT32_MAX)
    return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "offset %lld, expected one of 32 bits", (long long)offset);
  if (index == MOHO_NO_REGISTER) return MOHO_OK;
  MOHO_TRY(check_register(p, i, index));
  in->source = p->registers[index].type;
  if (!moho_type_is_real(in->source)) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, "convert it to i32, i64, u32 or u64 first",
                             "the index %s is %s, expected an integer", p->registers[index].name, moho_type_words[in->source]);
}

static moho_status check_reduction(moho_program *p, size_t i) {
  const moho_instruction *in = &p->written[i];
  MOHO_TRY(derive_type(p, i, in->d));
  MOHO_TRY(check_number(p, i, "reduction", in->variant, MOHO_PROGRAM_REDUCTIONS));
  if (in->variant >= MOHO_PROGRAM_REDUCE_AND && moho_type_is_real(in->type))
    return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "%s is %s, expected an integer type", p->registers[in->d].name,
                               moho_type_words[in->type]);
  unsigned count = in->op == MOHO_PROGRAM_REDUCE ? in->b : 1;
  if (!count) return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "the range has no register");
  for (unsigned k = 0; k < count; k++) MOHO_TRY(check_typed(p, i, (unsigned)in->a + k, in->type, p->registers[in->d].name));
  return MOHO_OK;
}

static moho_status check_while(const moho_program *p, size_t i) {
  uint64_t maximum = p->written[i].immediate;
  if (maximum >= 1 && maximum <= UINT32_MAX) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_RANGE, NULL, "max %llu, expected 1 to 4294967295", (unsigned long long)maximum);
}

/* Forms with predicates. */
static moho_status check_predicates(moho_program *p, size_t i) {
  moho_instruction *in = &p->written[i];
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_P_Q_R: MOHO_TRY(check_predicate(p, i, in->b)); /* fall through */
  case MOHO_OPERANDS_P_Q: MOHO_TRY(check_predicate(p, i, in->d)); return check_predicate(p, i, in->a);
  case MOHO_OPERANDS_P_CONDITION_A_B:
    MOHO_TRY(check_predicate(p, i, in->d));
    MOHO_TRY(check_number(p, i, "condition", in->variant, MOHO_PROGRAM_CONDITIONS));
    MOHO_TRY(derive_type(p, i, in->a));
    return check_typed(p, i, in->b, in->type, p->registers[in->a].name);
  case MOHO_OPERANDS_D_P_A_B:
    MOHO_TRY(check_predicate(p, i, in->a));
    MOHO_TRY(derive_type(p, i, in->d));
    MOHO_TRY(check_typed(p, i, in->b, in->type, p->registers[in->d].name));
    return check_typed(p, i, in->c, in->type, p->registers[in->d].name);
  default:
    MOHO_TRY(check_predicate(p, i, in->a));
    if (in->variant > 1) return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "variant %u, expected 0 or 1", in->variant);
    return in->op == MOHO_PROGRAM_WHILE ? check_while(p, i) : MOHO_OK;
  }
}

static moho_status check_call(const moho_program *p, size_t i) {
  MOHO_TRY(check_number(p, i, "function", p->written[i].b, p->n_functions));
  if (p->written[i].b) return MOHO_OK;
  return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "the main program cannot be called");
}

static moho_status check_instruction(moho_program *p, size_t i) {
  moho_instruction *in = &p->written[i];
  if (in->op >= MOHO_PROGRAM_OPERATIONS)
    return moho_program_refuse(p, i, MOHO_ERROR_FORMAT, NULL, "expected an operation of 0 to %d", MOHO_PROGRAM_OPERATIONS - 1);
  in->type = in->source = MOHO_PROGRAM_TYPES;
  MOHO_TRY(check_unused(p, i));
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_NONE: return MOHO_OK;
  case MOHO_OPERANDS_D_A: return check_arithmetic(p, i, 1);
  case MOHO_OPERANDS_D_A_B: return check_arithmetic(p, i, 2);
  case MOHO_OPERANDS_D_A_B_C: return check_arithmetic(p, i, 3);
  case MOHO_OPERANDS_D_ANY:
    MOHO_TRY(derive_type(p, i, in->d));
    MOHO_TRY(check_register(p, i, in->a));
    in->source = p->registers[in->a].type;
    return MOHO_OK;
  case MOHO_OPERANDS_D_IMMEDIATE: return check_immediate(p, i);
  case MOHO_OPERANDS_D_SPECIAL:
    MOHO_TRY(derive_type(p, i, in->d));
    return check_number(p, i, "special value", in->variant, MOHO_PROGRAM_SPECIALS);
  case MOHO_OPERANDS_D_SCALAR:
    MOHO_TRY(derive_type(p, i, in->d));
    MOHO_TRY(check_number(p, i, "scalar", in->b, p->n_scalars));
    return check_typed(p, i, in->d, p->scalars[in->b].type, p->scalars[in->b].name);
  case MOHO_OPERANDS_D_BUFFER: MOHO_TRY(derive_type(p, i, in->d)); return check_number(p, i, "buffer", in->b, p->n_buffers);
  case MOHO_OPERANDS_D_MEMORY: return check_address(p, i, in->d, in->a);
  case MOHO_OPERANDS_MEMORY_A: return check_address(p, i, in->a, in->d);
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
  case MOHO_OPERANDS_D_REDUCTION_A: return check_reduction(p, i);
  case MOHO_OPERANDS_POOL: return check_number(p, i, "pool", in->b, p->n_pools);
  case MOHO_OPERANDS_N: return derive_type(p, i, in->a);
  case MOHO_OPERANDS_FUNCTION: return check_call(p, i);
  case MOHO_OPERANDS_P_Q:
  case MOHO_OPERANDS_P_Q_R:
  case MOHO_OPERANDS_P_CONDITION_A_B:
  case MOHO_OPERANDS_D_P_A_B:
  case MOHO_OPERANDS_P:
  case MOHO_OPERANDS_P_MAXIMUM: return check_predicates(p, i);
  }
  return moho_fail(MOHO_ERROR_INTERNAL, "operation %u has a form that nothing checks", in->op);
}

moho_status moho_program_check_operands(moho_program *program) {
  for (size_t i = 0; i < program->n_written; i++) MOHO_TRY(check_instruction(program, i));
  return MOHO_OK;
}
