/* builder_instructions.c - the instructions that a builder adds: a call each. Numbers are noted as given and checked at the end.
 */
#include <stdlib.h>

#include "program/builder.h"

/* ---- adding ---- */

static moho_status grow(moho_builder_body *body) {
  size_t capacity = body->capacity ? 2 * body->capacity : 64;
  moho_instruction *instructions = realloc(body->instructions, capacity * sizeof *instructions);
  if (instructions) body->instructions = instructions;
  moho_source_place *places = realloc(body->places, capacity * sizeof *places);
  if (places) body->places = places;
  if (!instructions || !places) return moho_fail(MOHO_ERROR_MEMORY, "no memory for %zu instructions", capacity);
  body->capacity = capacity;
  return MOHO_OK;
}

void moho_builder_append(moho_program_builder *builder, moho_instruction in) {
  if (!builder || builder->status) return;
  moho_builder_body *body = &builder->bodies[builder->function];
  moho_status status = MOHO_OK;
  if (body->n == MOHO_PROGRAM_INSTRUCTIONS)
    status = moho_fail(MOHO_ERROR_RANGE, "more than %d instructions", MOHO_PROGRAM_INSTRUCTIONS);
  else if (body->n == body->capacity) status = grow(body);
  if (status) {
    moho_builder_keep(builder, status);
    return;
  }
  body->places[body->n] = builder->place;
  body->instructions[body->n++] = in;
}

/* What no number of the program can be stays such: it is refused at the end, with the instruction's name. */
static uint16_t number(int n) {
  return n < 0 || n >= MOHO_NO_REGISTER ? MOHO_NO_REGISTER - 1 : (uint16_t)n;
}

static uint8_t small(unsigned n) {
  return n > UINT8_MAX ? UINT8_MAX : (uint8_t)n;
}

static void plain(moho_program_builder *builder, moho_program_operation op) {
  moho_builder_append(builder, (moho_instruction){.op = (uint8_t)op});
}

static unsigned registers_of(moho_operands form) {
  switch (form) {
  case MOHO_OPERANDS_D_A:
  case MOHO_OPERANDS_D_ANY:
  case MOHO_OPERANDS_P_Q: return 2;
  case MOHO_OPERANDS_D_A_B:
  case MOHO_OPERANDS_P_Q_R: return 3;
  case MOHO_OPERANDS_D_A_B_C: return 4;
  default: return 0;
  }
}

void moho_program_emit(moho_program_builder *builder, moho_program_operation op, int d, int a, int b, int c) {
  if (!builder || builder->status) return;
  unsigned n = (unsigned)op < MOHO_PROGRAM_OPERATIONS ? registers_of(moho_operations[op].operands) : 0;
  if (!n) {
    moho_builder_keep(
        builder, moho_fail(MOHO_ERROR_ARGUMENT, "operation %d takes more than registers: it has a function of its own", (int)op));
    return;
  }
  if ((n < 3 && b != -1) || (n < 4 && c != -1)) {
    moho_builder_keep(
        builder, moho_fail(MOHO_ERROR_ARGUMENT, "%s takes %u operands: give -1 for the others", moho_operations[op].word, n));
    return;
  }
  moho_builder_append(
      builder, (moho_instruction){
                   .op = (uint8_t)op, .d = number(d), .a = number(a), .b = n > 2 ? number(b) : 0, .c = n > 3 ? number(c) : 0});
}

static int type_of(const moho_program_builder *builder, int d) {
  return d >= 0 && (size_t)d < builder->program->n_registers ? builder->program->registers[d].type : MOHO_PROGRAM_TYPES;
}

static void set(moho_program_builder *builder, int d, uint64_t bits) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_SET, .d = number(d), .immediate = bits});
}

void moho_program_set_integer(moho_program_builder *builder, int d, int64_t value) {
  if (!builder || builder->status) return;
  int type = type_of(builder, d);
  uint64_t bits = 0;
  moho_status status = MOHO_OK;
  if (type != MOHO_PROGRAM_TYPES && moho_type_is_real(type))
    status = moho_fail(MOHO_ERROR_ARGUMENT, "register %s is %s: moho_program_set_real()", builder->program->registers[d].name,
                       moho_type_words[type]);
  else if (type != MOHO_PROGRAM_TYPES) status = moho_integer_bits(type, value, &bits);
  if (status) moho_builder_keep(builder, status);
  else set(builder, d, bits);
}

void moho_program_set_real(moho_program_builder *builder, int d, double value) {
  if (!builder || builder->status) return;
  int type = type_of(builder, d);
  if (type != MOHO_PROGRAM_TYPES && !moho_type_is_real(type)) {
    moho_builder_keep(builder, moho_fail(MOHO_ERROR_ARGUMENT, "register %s is %s: moho_program_set_integer()",
                                         builder->program->registers[d].name, moho_type_words[type]));
    return;
  }
  set(builder, d, moho_real_bits(type, value));
}

void moho_program_set_bits(moho_program_builder *builder, int d, uint64_t bits) {
  set(builder, d, bits);
}

void moho_program_get(moho_program_builder *builder, int d, moho_program_special special) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_GET, .d = number(d), .variant = small(special)});
}

void moho_program_get_scalar(moho_program_builder *builder, int d, int scalar) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_SCALAR, .d = number(d), .b = number(scalar)});
}

void moho_program_get_length(moho_program_builder *builder, int d, int buffer) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_LENGTH, .d = number(d), .b = number(buffer)});
}

/* Loads and stores of buffers, group arrays and pools follow each other in the table of operations. */
static void access_memory(moho_program_builder *builder, moho_program_operation first, moho_program_address at, int value,
                          int is_load) {
  if (!builder || builder->status) return;
  if ((unsigned)at.space > MOHO_PROGRAM_POOL) {
    moho_builder_keep(builder, moho_fail(MOHO_ERROR_ARGUMENT, "space %d, expected a buffer, group array or pool", (int)at.space));
    return;
  }
  uint16_t index = at.index == -1 ? MOHO_NO_REGISTER : number(at.index);
  moho_builder_append(builder, (moho_instruction){.op = (uint8_t)(first + 2 * at.space),
                                                  .d = is_load ? number(value) : index,
                                                  .a = is_load ? index : number(value),
                                                  .b = number(at.memory),
                                                  .immediate = (uint64_t)(int64_t)at.offset});
}

void moho_program_load_element(moho_program_builder *builder, int d, moho_program_address from) {
  access_memory(builder, MOHO_PROGRAM_LOAD, from, d, 1);
}

void moho_program_store_element(moho_program_builder *builder, moho_program_address to, int a) {
  access_memory(builder, MOHO_PROGRAM_STORE, to, a, 0);
}

void moho_program_compare(moho_program_builder *builder, int p, moho_program_condition condition, int a, int b) {
  moho_builder_append(
      builder, (moho_instruction){
                   .op = MOHO_PROGRAM_COMPARE, .variant = small(condition), .d = number(p), .a = number(a), .b = number(b)});
}

void moho_program_select(moho_program_builder *builder, int d, int p, int a, int b) {
  moho_builder_append(
      builder, (moho_instruction){.op = MOHO_PROGRAM_SELECT, .d = number(d), .a = number(p), .b = number(a), .c = number(b)});
}

void moho_program_reduce(moho_program_builder *builder, moho_program_reduction reduction, int d, int first, int count) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_REDUCE,
                                                  .variant = small(reduction),
                                                  .d = number(d),
                                                  .a = number(first),
                                                  .b = count < 0 || count > MOHO_PROGRAM_REGISTERS ? 0 : (uint16_t)count});
}

void moho_program_group_reduce(moho_program_builder *builder, moho_program_reduction reduction, int d, int a) {
  moho_builder_append(
      builder, (moho_instruction){.op = MOHO_PROGRAM_GROUP_REDUCE, .variant = small(reduction), .d = number(d), .a = number(a)});
}

void moho_program_alloc(moho_program_builder *builder, int pool) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_ALLOC, .b = number(pool)});
}

void moho_program_barrier(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_BARRIER);
}

void moho_program_fence(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_FENCE);
}

void moho_program_if(moho_program_builder *builder, int p, int negated) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_IF, .variant = negated != 0, .a = number(p)});
}

void moho_program_else(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_ELSE);
}

void moho_program_loop(moho_program_builder *builder, int n) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_LOOP, .a = number(n)});
}

void moho_program_while(moho_program_builder *builder, int p, int negated, uint32_t maximum) {
  moho_builder_append(
      builder, (moho_instruction){.op = MOHO_PROGRAM_WHILE, .variant = negated != 0, .a = number(p), .immediate = maximum});
}

void moho_program_end(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_END);
}

void moho_program_break(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_BREAK);
}

void moho_program_exit(moho_program_builder *builder) {
  plain(builder, MOHO_PROGRAM_EXIT);
}

void moho_program_call(moho_program_builder *builder, int function) {
  moho_builder_append(builder, (moho_instruction){.op = MOHO_PROGRAM_CALL, .b = number(function)});
}

void moho_program_begin_function(moho_program_builder *builder, int function) {
  if (!builder || builder->status) return;
  moho_status status = MOHO_OK;
  if (function < 1 || (size_t)function >= builder->program->n_functions)
    status = moho_fail(MOHO_ERROR_ARGUMENT, "function %d, but %zu are declared", function, builder->program->n_functions - 1);
  else if (builder->function)
    status = moho_fail(MOHO_ERROR_FORMAT, "a function begins within %s", builder->program->functions[builder->function].name);
  else if (builder->bodies[function].n)
    status = moho_fail(MOHO_ERROR_EXISTS, "function %s is written twice", builder->program->functions[function].name);
  if (status) moho_builder_keep(builder, status);
  else builder->function = (unsigned)function;
}

void moho_program_end_function(moho_program_builder *builder) {
  if (!builder || builder->status) return;
  if (!builder->function) moho_builder_keep(builder, moho_fail(MOHO_ERROR_FORMAT, "there is no function to end"));
  builder->function = 0;
}
