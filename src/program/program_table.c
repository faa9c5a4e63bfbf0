/* program_table.c - what each operation is: its word, operands and types, from the one table of program.h; which registers an
 * instruction reads and writes, whether it can fault.
 */
#include "program/program_core.h"

#define ENTRY(op, spelled, form, accepted) [op] = {#op, spelled, form, MOHO_TYPES_##accepted},
const moho_operation_entry moho_operations[MOHO_PROGRAM_OPERATIONS] = {MOHO_PROGRAM_OPERATION_TABLE(ENTRY)};
#undef ENTRY

#define WORD(name, spelled) [name] = spelled,
const char *const moho_condition_words[MOHO_PROGRAM_CONDITIONS] = {MOHO_PROGRAM_CONDITION_TABLE(WORD)};
const char *const moho_reduction_words[MOHO_PROGRAM_REDUCTIONS] = {MOHO_PROGRAM_REDUCTION_TABLE(WORD)};
const char *const moho_special_words[MOHO_PROGRAM_SPECIALS] = {MOHO_PROGRAM_SPECIAL_TABLE(WORD)};
#undef WORD

#define WORD(name, spelled, bytes) [name] = spelled,
const char *const moho_type_words[MOHO_PROGRAM_TYPES] = {MOHO_PROGRAM_TYPE_TABLE(WORD)};
#undef WORD

const char *moho_program_type_name(moho_program_type type) {
  return (unsigned)type < MOHO_PROGRAM_TYPES ? moho_type_words[type] : NULL;
}

size_t moho_program_type_bytes(moho_program_type type) {
#define BYTES(name, spelled, bytes) [name] = bytes,
  static const uint8_t sizes[MOHO_PROGRAM_TYPES] = {MOHO_PROGRAM_TYPE_TABLE(BYTES)};
#undef BYTES
  return (unsigned)type < MOHO_PROGRAM_TYPES ? sizes[type] : 0;
}

int moho_instruction_faults(const moho_instruction *in) {
  switch (in->op) {
  case MOHO_PROGRAM_DIV: return !moho_type_is_real(in->type);
  case MOHO_PROGRAM_LOAD:
  case MOHO_PROGRAM_STORE:
  case MOHO_PROGRAM_LOAD_GROUP:
  case MOHO_PROGRAM_STORE_GROUP:
  case MOHO_PROGRAM_LOAD_POOL:
  case MOHO_PROGRAM_STORE_POOL:
  case MOHO_PROGRAM_WHILE: return 1;
  default: return 0;
  }
}

int moho_instruction_is_group(const moho_instruction *in) {
  return in->op == MOHO_PROGRAM_GROUP_REDUCE || in->op == MOHO_PROGRAM_ALLOC || in->op == MOHO_PROGRAM_BARRIER ||
         in->op == MOHO_PROGRAM_FENCE;
}

/* Registers (r) and predicates (p), read first, in the order that d is written last. */
static void use_registers(const uint16_t *numbers, unsigned n, moho_use_function use, void *user) {
  for (unsigned i = 0; i < n; i++)
    if (numbers[i] != MOHO_NO_REGISTER) use(user, 0, numbers[i], 0);
}

static void use_reads(const moho_instruction *in, moho_use_function use, void *user) {
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_D_A:
  case MOHO_OPERANDS_D_ANY:
  case MOHO_OPERANDS_D_REDUCTION_A:
  case MOHO_OPERANDS_N:
  case MOHO_OPERANDS_D_MEMORY: use_registers((uint16_t[]){in->a}, 1, use, user); break;
  case MOHO_OPERANDS_D_A_B:
  case MOHO_OPERANDS_P_CONDITION_A_B: use_registers((uint16_t[]){in->a, in->b}, 2, use, user); break;
  case MOHO_OPERANDS_D_A_B_C: use_registers((uint16_t[]){in->a, in->b, in->c}, 3, use, user); break;
  case MOHO_OPERANDS_MEMORY_A: use_registers((uint16_t[]){in->d, in->a}, 2, use, user); break;
  case MOHO_OPERANDS_D_P_A_B:
    use(user, 1, in->a, 0);
    use_registers((uint16_t[]){in->b, in->c}, 2, use, user);
    break;
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
    for (unsigned i = 0; i < in->b; i++) use(user, 0, in->a + i, 0);
    break;
  case MOHO_OPERANDS_P_Q_R: use(user, 1, in->b, 0); /* fall through */
  case MOHO_OPERANDS_P_Q:
  case MOHO_OPERANDS_P:
  case MOHO_OPERANDS_P_MAXIMUM: use(user, 1, in->a, 0); break;
  default: break;
  }
}

void moho_instruction_uses(const moho_instruction *in, moho_use_function use, void *user) {
  use_reads(in, use, user);
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_D_A:
  case MOHO_OPERANDS_D_A_B:
  case MOHO_OPERANDS_D_A_B_C:
  case MOHO_OPERANDS_D_ANY:
  case MOHO_OPERANDS_D_IMMEDIATE:
  case MOHO_OPERANDS_D_SPECIAL:
  case MOHO_OPERANDS_D_SCALAR:
  case MOHO_OPERANDS_D_BUFFER:
  case MOHO_OPERANDS_D_MEMORY:
  case MOHO_OPERANDS_D_P_A_B:
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
  case MOHO_OPERANDS_D_REDUCTION_A: use(user, 0, in->d, 1); break;
  case MOHO_OPERANDS_P_Q:
  case MOHO_OPERANDS_P_Q_R:
  case MOHO_OPERANDS_P_CONDITION_A_B: use(user, 1, in->d, 1); break;
  default: break;
  }
}
