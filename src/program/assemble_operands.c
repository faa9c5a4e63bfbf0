/* assemble_operands.c - an instruction of a text: its word, its operands as their form says. Types are checked at the end, with
 * all of the program at hand.
 */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "program/assemble.h"

/* ---- names ---- */

typedef const char *(*name_function)(const moho_program *p, size_t i);

static const char *register_name(const moho_program *p, size_t i) {
  return p->registers[i].name;
}
static const char *predicate_name(const moho_program *p, size_t i) {
  return p->predicates[i];
}
static const char *scalar_name(const moho_program *p, size_t i) {
  return p->scalars[i].name;
}
static const char *buffer_name(const moho_program *p, size_t i) {
  return p->buffers[i].name;
}
static const char *array_name(const moho_program *p, size_t i) {
  return p->arrays[i].name;
}
static const char *pool_name(const moho_program *p, size_t i) {
  return p->pools[i].name;
}
static const char *function_name(const moho_program *p, size_t i) {
  return p->functions[i].name;
}

typedef enum { REGISTER, PREDICATE, SCALAR, BUFFER, ARRAY, POOL, FUNCTION, KINDS } name_kind;

static const struct {
  const char *what;
  name_function name;
} kinds[KINDS] = {[REGISTER] = {"a register", register_name}, [PREDICATE] = {"a predicate", predicate_name},
                  [SCALAR] = {"a scalar", scalar_name},       [BUFFER] = {"a buffer", buffer_name},
                  [ARRAY] = {"a group array", array_name},    [POOL] = {"a pool", pool_name},
                  [FUNCTION] = {"a function", function_name}};

static size_t count_of(const moho_program *p, name_kind kind) {
  const size_t counts[KINDS] = {p->n_registers, p->n_predicates, p->n_scalars,  p->n_buffers,
                                p->n_arrays,    p->n_pools,      p->n_functions};
  return counts[kind];
}

static int find(const moho_program *p, name_kind kind, const char *name) {
  for (size_t i = kind == FUNCTION; i < count_of(p, kind); i++)
    if (strcmp(kinds[kind].name(p, i), name) == 0) return (int)i;
  return -1;
}

/* A name that none of `wanted` has: what it is instead, or which one is near. */
static moho_status unknown_name(const moho_assembler *as, const name_kind *wanted, size_t n, const char *expected) {
  const char *names[MOHO_PROGRAM_REGISTERS + MOHO_PROGRAM_FUNCTIONS], *given = as->text.word.text;
  size_t count = 0;
  for (int kind = 0; kind < KINDS; kind++)
    if (find(as->program, (name_kind)kind, given) >= 0)
      return moho_source_fail(&as->text, MOHO_ERROR_KEY, NULL, "\"%s\" is %s, expected %s", given, kinds[kind].what, expected);
  for (size_t k = 0; k < n; k++)
    for (size_t i = wanted[k] == FUNCTION; i < count_of(as->program, wanted[k]) && count < sizeof names / sizeof *names; i++)
      names[count++] = kinds[wanted[k]].name(as->program, i);
  const char *near = moho_nearest_name(given, names, count);
  char hint[80];
  if (near) snprintf(hint, sizeof hint, "did you mean %s?", near);
  else snprintf(hint, sizeof hint, "declare it above, as `register f32 x` does");
  return moho_source_fail(&as->text, MOHO_ERROR_KEY, hint, "\"%s\" is not declared, expected %s", given, expected);
}

static moho_status named(moho_assembler *as, name_kind kind, uint16_t *number) {
  if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, NULL, "%s", kinds[kind].what);
  int i = find(as->program, kind, as->text.word.text);
  if (i < 0) return unknown_name(as, &kind, 1, kinds[kind].what);
  *number = (uint16_t)i;
  return moho_source_next(&as->text);
}

static moho_status next_named(moho_assembler *as, name_kind kind, uint16_t *number) {
  MOHO_TRY(moho_assemble_sign(as, ","));
  return named(as, kind, number);
}

/* ---- words after a point ---- */

/* "lt", of `words`, into *variant. */
static moho_status one_of(moho_assembler *as, const char *const *words, size_t n, const char *given, const char *what,
                          uint8_t *variant) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(words[i], given) == 0) {
      *variant = (uint8_t)i;
      return MOHO_OK;
    }
  char hint[300] = "";
  for (size_t i = 0, used = 0; i < n && used + 12 < sizeof hint; i++)
    used += (size_t)snprintf(hint + used, sizeof hint - used, i ? " %s" : "%s", words[i]);
  return moho_source_fail(&as->text, MOHO_ERROR_KEY, hint, "\"%s\" is no %s", given, what);
}

static moho_status point_word(moho_assembler *as, const char *const *words, size_t n, const char *what, uint8_t *variant) {
  MOHO_TRY(moho_assemble_sign(as, "."));
  if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, NULL, "a %s", what);
  MOHO_TRY(one_of(as, words, n, as->text.word.text, what, variant));
  return moho_source_next(&as->text);
}

/* id, id.x, lanes ... */
static moho_status special(moho_assembler *as, uint8_t *variant) {
  char given[140];
  MOHO_TRY(moho_assemble_sign(as, ","));
  if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, "id.x, lane, group ...", "a special value");
  moho_source before = as->text;
  snprintf(given, sizeof given, "%s", as->text.word.text);
  MOHO_TRY(moho_source_next(&as->text));
  if (moho_source_is(&as->text, ".")) {
    MOHO_TRY(moho_source_next(&as->text));
    if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, NULL, "x, y or z");
    snprintf(given + strlen(given), sizeof given - strlen(given), ".%s", as->text.word.text);
    MOHO_TRY(moho_source_next(&as->text));
  }
  moho_source after = as->text;
  as->text = before;
  MOHO_TRY(one_of(as, moho_special_words, MOHO_PROGRAM_SPECIALS, given, "special value", variant));
  as->text = after;
  return MOHO_OK;
}

/* ---- constants ---- */

static moho_status real_constant(moho_assembler *as, int type, int is_negative, uint64_t *bits) {
  double value = 0;
  const moho_source_word *word = &as->text.word;
  int is_word = word->kind == MOHO_WORD_NAME;
  uint64_t infinite = type == MOHO_PROGRAM_F16    ? 0x7c00
                      : type == MOHO_PROGRAM_BF16 ? 0x7f80
                      : type == MOHO_PROGRAM_F32  ? 0x7f800000
                                                  : 0x7ffull << 52;
  uint64_t sign = 1ull << (8 * moho_program_type_bytes((moho_program_type)type) - 1);
  if (is_word && strcmp(word->text, "inf") == 0) {
    *bits = infinite;
  } else if (is_word && strcmp(word->text, "nan") == 0) {
    *bits = infinite | (infinite & ~(infinite << 1)) >> 1;
  } else {
    if (word->kind != MOHO_WORD_NUMBER)
      return moho_source_expected(&as->text, "1, -2.5, 1e-3, inf, nan or bits 0x7fc00001", "a number");
    if (moho_parse_double(word->text, "a constant", &value))
      return moho_source_fail(&as->text, MOHO_ERROR_FORMAT, "1, -2.5, 1e-3, inf, nan or bits 0x7fc00001", "\"%s\" is no number",
                              word->text);
    *bits = moho_real_bits(type, value);
    if (*bits == infinite)
      return moho_source_fail(&as->text, MOHO_ERROR_RANGE, "infinity is written inf", "%s is too large for %s", word->text,
                              moho_type_words[type]);
  }
  if (is_negative) *bits |= sign;
  return moho_source_next(&as->text);
}

static moho_status whole_constant(moho_assembler *as, int type, int is_negative, uint64_t *bits) {
  moho_source before = as->text;
  uint64_t magnitude;
  MOHO_TRY(moho_assemble_count(as, "a whole number", UINT64_MAX, &magnitude));
  unsigned width = 8 * (unsigned)moho_program_type_bytes((moho_program_type)type);
  uint64_t most = moho_type_is_signed(type) ? (1ull << (width - 1)) - !is_negative : is_negative ? 0 : ~0ull >> (64 - width);
  if (magnitude > most) {
    as->text = before;
    return moho_source_fail(&as->text, MOHO_ERROR_RANGE, NULL, "%s%s does not fit %s", is_negative ? "-" : "", before.word.text,
                            moho_type_words[type]);
  }
  *bits = (is_negative ? 0 - magnitude : magnitude) & ~0ull >> (64 - width);
  return MOHO_OK;
}

static moho_status constant(moho_assembler *as, moho_instruction *in) {
  int type = as->program->registers[in->d].type;
  MOHO_TRY(moho_assemble_sign(as, ","));
  if (moho_source_is(&as->text, "bits")) {
    MOHO_TRY(moho_source_next(&as->text));
    uint64_t most = ~0ull >> (64 - 8 * moho_program_type_bytes((moho_program_type)type));
    return moho_assemble_count(as, "bits", most, &in->immediate);
  }
  int is_negative = moho_source_is(&as->text, "-");
  if (is_negative) MOHO_TRY(moho_source_next(&as->text));
  if (moho_type_is_real(type)) return real_constant(as, type, is_negative, &in->immediate);
  return whole_constant(as, type, is_negative, &in->immediate);
}

/* ---- memory ---- */

/* x[i], x[i + 4], x[i - 1], x[7]; turns the operation into that of the memory's kind. */
static moho_status memory(moho_assembler *as, moho_instruction *in, uint16_t *index) {
  static const name_kind wanted[] = {BUFFER, ARRAY, POOL};
  int number = -1;
  if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, "x[i + 1]", "a buffer, group array or pool");
  for (unsigned k = 0; k < 3 && number < 0; k++) {
    number = find(as->program, wanted[k], as->text.word.text);
    if (number >= 0) in->op = (uint8_t)(in->op + 2 * k);
  }
  if (number < 0) return unknown_name(as, wanted, 3, "a buffer, group array or pool");
  in->b = (uint16_t)number;
  MOHO_TRY(moho_source_next(&as->text));
  MOHO_TRY(moho_assemble_sign(as, "["));
  *index = MOHO_NO_REGISTER;
  int is_negative = 0, has_offset = 1;
  if (as->text.word.kind == MOHO_WORD_NAME) {
    MOHO_TRY(named(as, REGISTER, index));
    has_offset = moho_source_is(&as->text, "+") || moho_source_is(&as->text, "-");
  }
  if (has_offset && (moho_source_is(&as->text, "-") || (*index != MOHO_NO_REGISTER && moho_source_is(&as->text, "+")))) {
    is_negative = moho_source_is(&as->text, "-");
    MOHO_TRY(moho_source_next(&as->text));
  }
  uint64_t offset = 0;
  if (has_offset) MOHO_TRY(moho_assemble_count(as, "an offset", is_negative ? 1ull << 31 : INT32_MAX, &offset));
  in->immediate = is_negative ? 0 - offset : offset;
  if (!moho_source_is(&as->text, "]")) return moho_source_expected(&as->text, "x[i], x[i + 4], x[i - 1] or x[7]", "\"]\"");
  return moho_source_next(&as->text);
}

static moho_status range(moho_assembler *as, moho_instruction *in) {
  uint16_t last;
  MOHO_TRY(next_named(as, REGISTER, &in->a));
  MOHO_TRY(moho_assemble_sign(as, ".."));
  moho_source at = as->text;
  MOHO_TRY(named(as, REGISTER, &last));
  if (last < in->a)
    return moho_source_fail(&at, MOHO_ERROR_RANGE, NULL, "%s is declared before %s", at.word.text,
                            as->program->registers[in->a].name);
  in->b = (uint16_t)(last - in->a + 1);
  return MOHO_OK;
}

static moho_status condition_of(moho_assembler *as, moho_instruction *in) {
  in->variant = (uint8_t)moho_source_is(&as->text, "!");
  if (in->variant) MOHO_TRY(moho_source_next(&as->text));
  return named(as, PREDICATE, &in->a);
}

static moho_status maximum(moho_assembler *as, moho_instruction *in) {
  MOHO_TRY(condition_of(as, in));
  if (!moho_source_is(&as->text, "max"))
    return moho_source_expected(&as->text, "while p max 100: so every program ends", "\"max\"");
  MOHO_TRY(moho_source_next(&as->text));
  return moho_assemble_count(as, "the most times", UINT32_MAX, &in->immediate);
}

/* ---- forms ---- */

static moho_status registers(moho_assembler *as, moho_instruction *in, unsigned n, name_kind kind) {
  uint16_t *const to[] = {&in->d, &in->a, &in->b, &in->c};
  MOHO_TRY(named(as, kind, to[0]));
  for (unsigned i = 1; i < n; i++) MOHO_TRY(next_named(as, kind, to[i]));
  return MOHO_OK;
}

static moho_status compare(moho_assembler *as, moho_instruction *in) {
  MOHO_TRY(point_word(as, moho_condition_words, MOHO_PROGRAM_CONDITIONS, "condition", &in->variant));
  MOHO_TRY(named(as, PREDICATE, &in->d));
  MOHO_TRY(next_named(as, REGISTER, &in->a));
  return next_named(as, REGISTER, &in->b);
}

static moho_status reduction(moho_assembler *as, moho_instruction *in) {
  MOHO_TRY(point_word(as, moho_reduction_words, MOHO_PROGRAM_REDUCTIONS, "reduction", &in->variant));
  MOHO_TRY(named(as, REGISTER, &in->d));
  return in->op == MOHO_PROGRAM_REDUCE ? range(as, in) : next_named(as, REGISTER, &in->a);
}

static moho_status operands(moho_assembler *as, moho_instruction *in) {
  switch (moho_operations[in->op].operands) {
  case MOHO_OPERANDS_NONE: return MOHO_OK;
  case MOHO_OPERANDS_D_A:
  case MOHO_OPERANDS_D_ANY: return registers(as, in, 2, REGISTER);
  case MOHO_OPERANDS_D_A_B: return registers(as, in, 3, REGISTER);
  case MOHO_OPERANDS_D_A_B_C: return registers(as, in, 4, REGISTER);
  case MOHO_OPERANDS_D_IMMEDIATE: MOHO_TRY(named(as, REGISTER, &in->d)); return constant(as, in);
  case MOHO_OPERANDS_D_SPECIAL: MOHO_TRY(named(as, REGISTER, &in->d)); return special(as, &in->variant);
  case MOHO_OPERANDS_D_SCALAR: MOHO_TRY(named(as, REGISTER, &in->d)); return next_named(as, SCALAR, &in->b);
  case MOHO_OPERANDS_D_BUFFER: MOHO_TRY(named(as, REGISTER, &in->d)); return next_named(as, BUFFER, &in->b);
  case MOHO_OPERANDS_D_MEMORY:
    MOHO_TRY(named(as, REGISTER, &in->d));
    MOHO_TRY(moho_assemble_sign(as, ","));
    return memory(as, in, &in->a);
  case MOHO_OPERANDS_MEMORY_A: MOHO_TRY(memory(as, in, &in->d)); return next_named(as, REGISTER, &in->a);
  case MOHO_OPERANDS_P_Q: return registers(as, in, 2, PREDICATE);
  case MOHO_OPERANDS_P_Q_R: return registers(as, in, 3, PREDICATE);
  case MOHO_OPERANDS_P_CONDITION_A_B: return compare(as, in);
  case MOHO_OPERANDS_D_P_A_B:
    MOHO_TRY(named(as, REGISTER, &in->d));
    MOHO_TRY(next_named(as, PREDICATE, &in->a));
    MOHO_TRY(next_named(as, REGISTER, &in->b));
    return next_named(as, REGISTER, &in->c);
  case MOHO_OPERANDS_D_REDUCTION_RANGE:
  case MOHO_OPERANDS_D_REDUCTION_A: return reduction(as, in);
  case MOHO_OPERANDS_POOL: return named(as, POOL, &in->b);
  case MOHO_OPERANDS_P: return condition_of(as, in);
  case MOHO_OPERANDS_N: return named(as, REGISTER, &in->a);
  case MOHO_OPERANDS_P_MAXIMUM: return maximum(as, in);
  case MOHO_OPERANDS_FUNCTION: return named(as, FUNCTION, &in->b);
  }
  return moho_fail(MOHO_ERROR_INTERNAL, "operation %u has a form that nothing reads", in->op);
}

static moho_status unknown_word(const moho_assembler *as) {
  const char *names[MOHO_PROGRAM_OPERATIONS + MOHO_STATEMENT_WORDS];
  for (int i = 0; i < MOHO_PROGRAM_OPERATIONS; i++) names[i] = moho_operations[i].word;
  for (int i = 0; i < MOHO_STATEMENT_WORDS; i++) names[MOHO_PROGRAM_OPERATIONS + i] = moho_statement_words[i];
  const char *near = moho_nearest_name(as->text.word.text, names, sizeof names / sizeof *names);
  char hint[80];
  snprintf(hint, sizeof hint, "did you mean %s?", near ? near : "");
  return moho_source_fail(&as->text, MOHO_ERROR_KEY, near ? hint : "docs/program.md has all instructions",
                          "\"%s\" is neither an instruction nor a declaration", as->text.word.text);
}

moho_status moho_assemble_instruction(moho_assembler *as) {
  moho_instruction in = {.op = MOHO_PROGRAM_OPERATIONS};
  if (as->text.word.kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, NULL, "an instruction or a declaration");
  for (unsigned op = MOHO_PROGRAM_OPERATIONS; op-- > 0;)
    if (strcmp(moho_operations[op].word, as->text.word.text) == 0) in.op = (uint8_t)op;
  if (in.op == MOHO_PROGRAM_OPERATIONS) return unknown_word(as);
  MOHO_TRY(moho_source_next(&as->text));
  MOHO_TRY(operands(as, &in));
  if (in.op == MOHO_PROGRAM_IF || in.op == MOHO_PROGRAM_LOOP || in.op == MOHO_PROGRAM_WHILE) as->depth++;
  if (in.op == MOHO_PROGRAM_END && as->depth) as->depth--;
  moho_builder_append(as->builder, in);
  return as->builder->status ? moho_error_set(&as->builder->error) : MOHO_OK;
}
