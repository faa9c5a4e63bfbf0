/* instruction_text.c - an instruction as the assembler would read it, for the disassembler and for errors. Numbers that name
 * nothing are written as ?7, since errors are about such instructions too.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "program/program_core.h"

/* Text that grows in a fixed space and is cut at its end. */
typedef struct line_text {
  char *text;
  size_t bytes, used;
} line_text;

static void put(line_text *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(line_text *line, const char *format, ...) {
  if (line->used + 1 >= line->bytes) return;
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line->text + line->used, line->bytes - line->used, format, arguments);
  va_end(arguments);
  if (n > 0) line->used = line->used + (size_t)n < line->bytes ? line->used + (size_t)n : line->bytes - 1;
}

static void put_name(line_text *line, const char *before, const char *name, unsigned number, size_t count) {
  if (number < count) put(line, "%s%s", before, name);
  else put(line, "%s?%u", before, number);
}

static void put_register(line_text *line, const moho_program *p, const char *before, unsigned number) {
  put_name(line, before, number < p->n_registers ? p->registers[number].name : "", number, p->n_registers);
}

static void put_predicate(line_text *line, const moho_program *p, const char *before, unsigned number) {
  put_name(line, before, number < p->n_predicates ? p->predicates[number] : "", number, p->n_predicates);
}

static void put_memory(line_text *line, const moho_program *p, const char *before, const moho_instruction *in) {
  int is_array = in->op == MOHO_PROGRAM_LOAD_GROUP || in->op == MOHO_PROGRAM_STORE_GROUP;
  int is_pool = in->op == MOHO_PROGRAM_LOAD_POOL || in->op == MOHO_PROGRAM_STORE_POOL || in->op == MOHO_PROGRAM_ALLOC;
  size_t count = is_array ? p->n_arrays : is_pool ? p->n_pools : p->n_buffers;
  const char *name = in->b >= count ? ""
                     : is_array     ? p->arrays[in->b].name
                     : is_pool      ? p->pools[in->b].name
                                    : p->buffers[in->b].name;
  put_name(line, before, name, in->b, count);
}

static void put_address(line_text *line, const moho_program *p, const char *before, const moho_instruction *in, unsigned index) {
  long long offset = (long long)(int64_t)in->immediate;
  put_memory(line, p, before, in);
  if (index == MOHO_NO_REGISTER) {
    put(line, "[%lld]", offset);
    return;
  }
  put_register(line, p, "[", index);
  if (offset)
    put(line, offset < 0 ? " - %llu]" : " + %llu]", offset < 0 ? 0ull - (unsigned long long)offset : (unsigned long long)offset);
  else put(line, "]");
}

static const char *word_of(const char *const *words, unsigned count, unsigned i) {
  return i < count ? words[i] : "?";
}

/* The fewest digits that read back to the same bits. */
static void shortest(int type, uint64_t bits, double value, char text[48]) {
  for (int digits = 1; digits <= 17; digits++) {
    double again;
    snprintf(text, 48, "%.*g", digits, value);
    for (char *c = text; *c; c++)
      if (*c == ',') *c = '.'; /* a locale's point */
    if (moho_parse_double(text, "a constant", &again) == MOHO_OK && moho_real_bits(type, again) == bits) return;
  }
}

void moho_immediate_text(int type, uint64_t bits, char text[48]) {
  unsigned width = 8 * (unsigned)moho_program_type_bytes((moho_program_type)type);
  if (!width || !moho_type_is_real(type)) {
    int64_t extended = width ? (int64_t)(bits << (64 - width)) >> (64 - width) : 0;
    if (width && moho_type_is_signed(type)) snprintf(text, 48, "%lld", (long long)extended);
    else snprintf(text, 48, "%llu", (unsigned long long)bits);
    return;
  }
  double value = moho_real_of_bits(type, bits);
  if (isnan(value)) snprintf(text, 48, "bits 0x%0*llx", (int)width / 4, (unsigned long long)bits);
  else if (isinf(value)) snprintf(text, 48, value < 0 ? "-inf" : "inf");
  else shortest(type, bits, value, text);
}

static void put_head(line_text *line, const moho_instruction *in) {
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_P_CONDITION_A_B:
    put(line, "compare.%s", word_of(moho_condition_words, MOHO_PROGRAM_CONDITIONS, in->variant));
    break;
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
  case MOHO_OPERANDS_D_REDUCTION_A:
    put(line, "%s.%s", moho_operations[in->op].word, word_of(moho_reduction_words, MOHO_PROGRAM_REDUCTIONS, in->variant));
    break;
  default: put(line, "%s", moho_operations[in->op].word);
  }
}

static void put_immediate(line_text *line, const moho_program *p, const moho_instruction *in) {
  char text[48];
  moho_immediate_text(in->d < p->n_registers ? p->registers[in->d].type : MOHO_PROGRAM_U64, in->immediate, text);
  put(line, ", %s", text);
}

/* What follows d, for the forms that begin with a register d. */
static void put_after_d(line_text *line, const moho_program *p, const moho_instruction *in, moho_operands form) {
  put_register(line, p, " ", in->d);
  switch (form) {
  case MOHO_OPERANDS_D_IMMEDIATE: put_immediate(line, p, in); return;
  case MOHO_OPERANDS_D_SPECIAL: put(line, ", %s", word_of(moho_special_words, MOHO_PROGRAM_SPECIALS, in->variant)); return;
  case MOHO_OPERANDS_D_SCALAR:
    put_name(line, ", ", in->b < p->n_scalars ? p->scalars[in->b].name : "", in->b, p->n_scalars);
    return;
  case MOHO_OPERANDS_D_BUFFER: put_memory(line, p, ", ", in); return;
  case MOHO_OPERANDS_D_MEMORY: put_address(line, p, ", ", in, in->a); return;
  case MOHO_OPERANDS_D_P_A_B:
    put_predicate(line, p, ", ", in->a);
    put_register(line, p, ", ", in->b);
    put_register(line, p, ", ", in->c);
    return;
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
    put_register(line, p, ", ", in->a);
    put_register(line, p, "..", (unsigned)in->a + in->b - 1);
    return;
  default: break;
  }
  put_register(line, p, ", ", in->a);
  if (form == MOHO_OPERANDS_D_A_B || form == MOHO_OPERANDS_D_A_B_C) put_register(line, p, ", ", in->b);
  if (form == MOHO_OPERANDS_D_A_B_C) put_register(line, p, ", ", in->c);
}

static void put_operands(line_text *line, const moho_program *p, const moho_instruction *in) {
  moho_operands form = moho_operations[in->op].operands;
  switch (form) {
  case MOHO_OPERANDS_NONE: break;
  case MOHO_OPERANDS_MEMORY_A:
    put_address(line, p, " ", in, in->d);
    put_register(line, p, ", ", in->a);
    break;
  case MOHO_OPERANDS_P_Q:
  case MOHO_OPERANDS_P_Q_R:
    put_predicate(line, p, " ", in->d);
    put_predicate(line, p, ", ", in->a);
    if (form == MOHO_OPERANDS_P_Q_R) put_predicate(line, p, ", ", in->b);
    break;
  case MOHO_OPERANDS_P_CONDITION_A_B:
    put_predicate(line, p, " ", in->d);
    put_register(line, p, ", ", in->a);
    put_register(line, p, ", ", in->b);
    break;
  case MOHO_OPERANDS_POOL: put_memory(line, p, " ", in); break;
  case MOHO_OPERANDS_P:
  case MOHO_OPERANDS_P_MAXIMUM:
    put_predicate(line, p, in->variant ? " !" : " ", in->a);
    if (form == MOHO_OPERANDS_P_MAXIMUM) put(line, " max %llu", (unsigned long long)in->immediate);
    break;
  case MOHO_OPERANDS_N: put_register(line, p, " ", in->a); break;
  case MOHO_OPERANDS_FUNCTION:
    put_name(line, " ", in->b < p->n_functions ? p->functions[in->b].name : "", in->b, p->n_functions);
    break;
  default: put_after_d(line, p, in, form);
  }
}

const char *moho_instruction_text(const moho_program *program, const moho_instruction *in, char *text, size_t bytes) {
  line_text line = {.text = text, .bytes = bytes};
  if (bytes) text[0] = '\0';
  if (in->op >= MOHO_PROGRAM_OPERATIONS) {
    put(&line, "operation %u", in->op);
    return text;
  }
  put_head(&line, in);
  put_operands(&line, program, in);
  return text;
}

moho_status(moho_program_refuse)(const moho_program *program, size_t i, moho_status code, const char *hint, const char *format,
                                 ...) {
  char words[400], text[160];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  moho_place place = {.file = program->file};
  if (program->places) place.line = program->places[i].line, place.column = program->places[i].column;
  return moho_fail_at(place, hint, code, "instruction %zu (%s): %s", i,
                      moho_instruction_text(program, &program->written[i], text, sizeof text), words);
}
