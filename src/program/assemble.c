/* assemble.c - text to program (docs/program.md "Text"): one statement a line, declarations before what uses them, functions
 * known from the start.
 */
#include "program/assemble.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const moho_statement_words[MOHO_STATEMENT_WORDS] = {"program", "scalar",   "buffer",    "array",
                                                                "pool",    "register", "predicate", "function"};

/* ---- words ---- */

moho_status moho_assemble_name(moho_assembler *as, const char *what, char name[MOHO_PROGRAM_NAME]) {
  const moho_source_word *word = &as->text.word;
  if (word->kind != MOHO_WORD_NAME) return moho_source_expected(&as->text, NULL, "%s", what);
  size_t length = strlen(word->text);
  if (length >= MOHO_PROGRAM_NAME)
    return moho_source_fail(&as->text, MOHO_ERROR_RANGE, NULL, "a name of %zu characters, expected at most %d", length,
                            MOHO_PROGRAM_NAME - 1);
  memcpy(name, word->text, length + 1);
  return moho_source_next(&as->text);
}

moho_status moho_assemble_sign(moho_assembler *as, const char *sign) {
  if (!moho_source_is(&as->text, sign)) return moho_source_expected(&as->text, NULL, "\"%s\"", sign);
  return moho_source_next(&as->text);
}

moho_status moho_assemble_count(moho_assembler *as, const char *what, uint64_t most, uint64_t *out) {
  const moho_source_word *word = &as->text.word;
  int is_hexadecimal = strncmp(word->text, "0x", 2) == 0 || strncmp(word->text, "0X", 2) == 0;
  if (word->kind != MOHO_WORD_NUMBER) return moho_source_expected(&as->text, NULL, "%s", what);
  char *end;
  errno = 0;
  unsigned long long value = strtoull(word->text, &end, is_hexadecimal ? 16 : 10);
  if (*end || end == word->text || (is_hexadecimal && strlen(word->text) == 2))
    return moho_source_fail(&as->text, MOHO_ERROR_FORMAT, NULL, "\"%s\" is no whole number", word->text);
  if (errno || value > most)
    return moho_source_fail(&as->text, MOHO_ERROR_RANGE, NULL, "%s: %s, expected at most %llu", what, word->text,
                            (unsigned long long)most);
  *out = value;
  return moho_source_next(&as->text);
}

moho_status moho_assemble_type(moho_assembler *as, moho_program_type *out) {
  const moho_source_word *word = &as->text.word;
  for (int t = 0; t < MOHO_PROGRAM_TYPES && word->kind == MOHO_WORD_NAME; t++)
    if (strcmp(word->text, moho_type_words[t]) == 0) {
      *out = (moho_program_type)t;
      return moho_source_next(&as->text);
    }
  return moho_source_expected(&as->text, "i8 i16 i32 i64 u8 u16 u32 u64 f16 bf16 f32 f64", "a type");
}

/* ---- declarations ---- */

/* The builder's own mistake, at the word at hand. */
static moho_status declared(moho_assembler *as, const moho_source_word *at, int number) {
  if (number >= 0) return MOHO_OK;
  as->builder->error.line = at->line, as->builder->error.column = at->column;
  if (as->text.file) snprintf(as->builder->error.file, sizeof as->builder->error.file, "%s", as->text.file);
  return moho_error_set(&as->builder->error);
}

static int is_taken_by(const char *name, const moho_declared *list, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].name, name) == 0) return 1;
  return 0;
}

/* What has this name; NULL: nothing. */
static const char *taken_by(const moho_program *p, const char *name) {
  if (is_taken_by(name, p->registers, p->n_registers)) return "register";
  if (is_taken_by(name, p->scalars, p->n_scalars)) return "scalar";
  if (is_taken_by(name, p->buffers, p->n_buffers)) return "buffer";
  for (size_t i = 0; i < p->n_predicates; i++)
    if (strcmp(p->predicates[i], name) == 0) return "predicate";
  for (size_t i = 0; i < p->n_arrays; i++)
    if (strcmp(p->arrays[i].name, name) == 0) return "group array";
  for (size_t i = 0; i < p->n_pools; i++)
    if (strcmp(p->pools[i].name, name) == 0) return "pool";
  for (size_t i = 1; i < p->n_functions; i++)
    if (strcmp(p->functions[i].name, name) == 0) return "function";
  return NULL;
}

static moho_status new_name(moho_assembler *as, const char *what, char name[MOHO_PROGRAM_NAME]) {
  const char *by = as->text.word.kind == MOHO_WORD_NAME ? taken_by(as->program, as->text.word.text) : NULL;
  if (by)
    return moho_source_fail(&as->text, MOHO_ERROR_EXISTS,
                            "registers, predicates, scalars, buffers, arrays, pools and functions share one space",
                            "the name \"%s\" is taken by a %s", as->text.word.text, by);
  return moho_assemble_name(as, what, name);
}

/* "t[4]" declares t0, t1, t2, t3; *most 0: no brackets follow. */
static moho_status repeated(moho_assembler *as, uint64_t *count) {
  *count = 0;
  if (!moho_source_is(&as->text, "[")) return MOHO_OK;
  MOHO_TRY(moho_source_next(&as->text));
  MOHO_TRY(moho_assemble_count(as, "a number of registers", MOHO_PROGRAM_REGISTERS, count));
  if (!*count) return moho_source_fail(&as->text, MOHO_ERROR_RANGE, NULL, "no register at all, expected 1 or more");
  return moho_assemble_sign(as, "]");
}

static moho_status declare_registers(moho_assembler *as, moho_program_type type) {
  moho_source_word at = as->text.word;
  char name[MOHO_PROGRAM_NAME], numbered[MOHO_PROGRAM_NAME + 24];
  uint64_t count;
  MOHO_TRY(new_name(as, "a register's name", name));
  MOHO_TRY(repeated(as, &count));
  if (!count) return declared(as, &at, moho_program_add_register(as->builder, type, name));
  for (uint64_t i = 0; i < count; i++) {
    snprintf(numbered, sizeof numbered, "%s%llu", name, (unsigned long long)i);
    const char *by = taken_by(as->program, numbered);
    if (by) return moho_source_fail(&as->text, MOHO_ERROR_EXISTS, NULL, "the name \"%s\" is taken by a %s", numbered, by);
    MOHO_TRY(declared(as, &at, moho_program_add_register(as->builder, type, numbered)));
  }
  return MOHO_OK;
}

/* array f32 tile[64 + 2 lanes]      pool f32 scratch[1024] */
static moho_status declare_memory(moho_assembler *as, moho_program_type type, int is_array) {
  moho_source_word at = as->text.word;
  char name[MOHO_PROGRAM_NAME];
  uint64_t count = 0, per_lane = 0;
  MOHO_TRY(new_name(as, is_array ? "a group array's name" : "a pool's name", name));
  MOHO_TRY(moho_assemble_sign(as, "["));
  MOHO_TRY(moho_assemble_count(as, "a number of elements", MOHO_PROGRAM_POOL_BYTES, &count));
  if (is_array && moho_source_is(&as->text, "lanes")) {
    per_lane = count, count = 0;
    MOHO_TRY(moho_source_next(&as->text));
  } else if (is_array && moho_source_is(&as->text, "+")) {
    MOHO_TRY(moho_source_next(&as->text));
    MOHO_TRY(moho_assemble_count(as, "a number of elements for each lane", MOHO_PROGRAM_POOL_BYTES, &per_lane));
    MOHO_TRY(moho_assemble_sign(as, "lanes"));
  }
  MOHO_TRY(moho_assemble_sign(as, "]"));
  return declared(as, &at,
                  is_array ? moho_program_add_group_array(as->builder, type, (size_t)count, (size_t)per_lane, name)
                           : moho_program_add_pool(as->builder, type, (size_t)count, name));
}

static moho_status declare_named(moho_assembler *as, const char *kind, moho_program_type type, moho_program_access access) {
  moho_source_word at = as->text.word;
  char name[MOHO_PROGRAM_NAME];
  if (strcmp(kind, "register") == 0) return declare_registers(as, type);
  if (strcmp(kind, "array") == 0) return declare_memory(as, type, 1);
  if (strcmp(kind, "pool") == 0) return declare_memory(as, type, 0);
  MOHO_TRY(new_name(as, "a name", name));
  int number = strcmp(kind, "scalar") == 0   ? moho_program_add_scalar(as->builder, type, name)
               : strcmp(kind, "buffer") == 0 ? moho_program_add_buffer(as->builder, type, access, name)
                                             : moho_program_add_predicate(as->builder, name);
  return declared(as, &at, number);
}

static moho_status read_access(moho_assembler *as, moho_program_access *access) {
  static const char *const words[] = {"in", "out", "inout"};
  for (int i = 0; i < 3; i++)
    if (moho_source_is(&as->text, words[i])) {
      *access = (moho_program_access)(i + 1);
      return moho_source_next(&as->text);
    }
  return moho_source_expected(&as->text, "buffer in f32 x", "in, out or inout");
}

static moho_status declaration(moho_assembler *as) {
  char kind[64];
  moho_program_type type = MOHO_PROGRAM_F32;
  moho_program_access access = MOHO_PROGRAM_INOUT;
  memcpy(kind, as->text.word.text, sizeof kind);
  MOHO_TRY(moho_source_next(&as->text));
  if (strcmp(kind, "buffer") == 0) MOHO_TRY(read_access(as, &access));
  if (strcmp(kind, "predicate") != 0) MOHO_TRY(moho_assemble_type(as, &type));
  MOHO_TRY(declare_named(as, kind, type, access));
  while (moho_source_is(&as->text, ",")) {
    MOHO_TRY(moho_source_next(&as->text));
    MOHO_TRY(declare_named(as, kind, type, access));
  }
  return MOHO_OK;
}

/* ---- functions ---- */

static moho_status begin_function(moho_assembler *as) {
  char name[MOHO_PROGRAM_NAME];
  if (as->depth || as->builder->function)
    return moho_source_fail(&as->text, MOHO_ERROR_FORMAT, "each if, loop, while and function has an `end`",
                            "a function begins within another block");
  MOHO_TRY(moho_source_next(&as->text));
  moho_source_word at = as->text.word;
  MOHO_TRY(moho_assemble_name(as, "a function's name", name));
  for (size_t f = 1; f < as->program->n_functions; f++)
    if (strcmp(as->program->functions[f].name, name) == 0) moho_program_begin_function(as->builder, (int)f);
  return declared(as, &at, as->builder->status ? -1 : 0);
}

/* Functions may be called before they are written: all their names, first of all. */
static moho_status find_functions(moho_assembler *as) {
  for (; !as->text.is_finished;) {
    int is_function = moho_source_is(&as->text, "function");
    MOHO_TRY(moho_source_next(&as->text));
    if (is_function) {
      moho_source_word at = as->text.word;
      char name[MOHO_PROGRAM_NAME];
      MOHO_TRY(new_name(as, "a function's name", name));
      MOHO_TRY(declared(as, &at, moho_program_add_function(as->builder, name)));
    }
    while (as->text.word.kind != MOHO_WORD_END_OF_LINE) MOHO_TRY(moho_source_next(&as->text));
    MOHO_TRY(moho_source_next_line(&as->text));
  }
  return MOHO_OK;
}

/* ---- statements ---- */

static int is_declaration(const moho_source *text) {
  for (int i = 1; i + 1 < MOHO_STATEMENT_WORDS; i++)
    if (moho_source_is(text, moho_statement_words[i])) return 1;
  return 0;
}

static moho_status end_function(moho_assembler *as) {
  moho_program_end_function(as->builder);
  return moho_source_next(&as->text);
}

static moho_status statement(moho_assembler *as) {
  as->builder->place = (moho_source_place){as->text.word.line, as->text.word.column};
  if (is_declaration(&as->text)) MOHO_TRY(declaration(as));
  else if (moho_source_is(&as->text, "function")) MOHO_TRY(begin_function(as));
  else if (moho_source_is(&as->text, "end") && !as->depth && as->builder->function) MOHO_TRY(end_function(as));
  else MOHO_TRY(moho_assemble_instruction(as));
  if (as->text.word.kind != MOHO_WORD_END_OF_LINE)
    return moho_source_expected(&as->text, "one statement a line", "the end of the line");
  return moho_source_next_line(&as->text);
}

static moho_status assemble(moho_assembler *as) {
  while (!as->text.is_finished) MOHO_TRY(statement(as));
  if (as->builder->function)
    return moho_source_fail(&as->text, MOHO_ERROR_FORMAT, "each function has an `end`", "function %s has no end",
                            as->program->functions[as->builder->function].name);
  return MOHO_OK;
}

/* "program NAME" is the first statement. */
static moho_status begin(moho_assembler *as, char name[MOHO_PROGRAM_NAME]) {
  if (!moho_source_is(&as->text, "program"))
    return moho_source_expected(&as->text, "a text begins with `program NAME`", "\"program\"");
  MOHO_TRY(moho_source_next(&as->text));
  MOHO_TRY(moho_assemble_name(as, "the program's name", name));
  if (as->text.word.kind != MOHO_WORD_END_OF_LINE)
    return moho_source_expected(&as->text, "one statement a line", "the end of the line");
  return moho_source_next_line(&as->text);
}

static moho_status keep_file(moho_program *program, const char *file) {
  if (!file) return MOHO_OK;
  program->file = strdup(file);
  return program->file ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "no memory for a file's name");
}

moho_status moho_program_assemble(const char *text, const char *file, moho_program **out) {
  if (!text || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "text or out is NULL");
  *out = NULL;
  moho_assembler as = {.builder = NULL};
  char name[MOHO_PROGRAM_NAME];
  MOHO_TRY(moho_source_begin(&as.text, text, file));
  MOHO_TRY(begin(&as, name));
  MOHO_TRY(moho_program_builder_create(name, &as.builder));
  as.program = as.builder->program;
  moho_source start = as.text;
  moho_status status = keep_file(as.program, file);
  if (!status) status = find_functions(&as);
  as.text = start;
  if (!status) status = assemble(&as);
  if (!status) return moho_program_builder_finish(&as.builder, out);
  moho_program_builder_destroy(&as.builder);
  return status;
}
