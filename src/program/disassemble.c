/* disassemble.c - a program as text: declarations of one kind and type together, then the main program, then the functions. */
#include <stdio.h>
#include <string.h>

#include "program/byte_text.h"
#include "program/program_core.h"

enum { LINE_FULL = 100 }; /* characters after which a declaration goes on in another line */

/* "register f32 a, b, c": names are added to the line while `head` stays the same. */
typedef struct declaration {
  moho_byte_text *out;
  char head[64];
  size_t used; /* characters of the line at hand; 0: none */
} declaration;

static void declaration_end(declaration *line) {
  if (line->used) moho_byte_text_print(line->out, "\n");
  line->used = 0;
}

static void declaration_add(declaration *line, const char *head, const char *name) {
  if (line->used && (strcmp(line->head, head) != 0 || line->used > LINE_FULL)) declaration_end(line);
  if (!line->used) {
    snprintf(line->head, sizeof line->head, "%s", head);
    moho_byte_text_print(line->out, "%s %s", head, name);
    line->used = strlen(head) + 1 + strlen(name);
    return;
  }
  moho_byte_text_print(line->out, ", %s", name);
  line->used += 2 + strlen(name);
}

static void put_declared(declaration *line, const char *word, const moho_declared *declared, size_t n) {
  static const char *const accesses[] = {"", " in", " out", " inout"};
  char head[64];
  for (size_t i = 0; i < n; i++) {
    snprintf(head, sizeof head, "%s%s %s", word, accesses[declared[i].access], moho_type_words[declared[i].type]);
    declaration_add(line, head, declared[i].name);
  }
  declaration_end(line);
}

static void put_memories(moho_byte_text *out, const char *word, const moho_declared_memory *memories, size_t n) {
  for (size_t i = 0; i < n; i++) {
    const moho_declared_memory *m = &memories[i];
    moho_byte_text_print(out, "%s %s %s[", word, moho_type_words[m->type], m->name);
    if (m->count || !m->per_lane) moho_byte_text_print(out, m->per_lane ? "%u + " : "%u", m->count);
    if (m->per_lane) moho_byte_text_print(out, "%u lanes", m->per_lane);
    moho_byte_text_print(out, "]\n");
  }
}

static void put_declarations(moho_byte_text *out, const moho_program *p) {
  declaration line = {.out = out};
  put_declared(&line, "scalar", p->scalars, p->n_scalars);
  put_declared(&line, "buffer", p->buffers, p->n_buffers);
  put_memories(out, "array", p->arrays, p->n_arrays);
  put_memories(out, "pool", p->pools, p->n_pools);
  put_declared(&line, "register", p->registers, p->n_registers);
  for (size_t i = 0; i < p->n_predicates; i++) declaration_add(&line, "predicate", p->predicates[i]);
  declaration_end(&line);
}

static void put_instructions(moho_byte_text *out, const moho_program *p, const moho_function *function, int depth) {
  char text[400];
  for (size_t i = function->first; i < function->first + function->count; i++) {
    unsigned op = p->written[i].op;
    if (op == MOHO_PROGRAM_END || op == MOHO_PROGRAM_ELSE) depth--;
    for (int k = 0; k < depth; k++) moho_byte_text_print(out, "  ");
    moho_byte_text_print(out, "%s\n", moho_instruction_text(p, &p->written[i], text, sizeof text));
    if (op == MOHO_PROGRAM_IF || op == MOHO_PROGRAM_LOOP || op == MOHO_PROGRAM_WHILE || op == MOHO_PROGRAM_ELSE) depth++;
  }
}

moho_status moho_program_disassemble(const moho_program *program, char **text) {
  if (!program || !text) return moho_fail(MOHO_ERROR_ARGUMENT, "program or text is NULL");
  moho_byte_text out = {.used = 0};
  moho_byte_text_print(&out, "program %s\n", program->functions[0].name);
  put_declarations(&out, program);
  moho_byte_text_print(&out, "\n");
  put_instructions(&out, program, &program->functions[0], 1);
  for (size_t f = 1; f < program->n_functions; f++) {
    moho_byte_text_print(&out, "\nfunction %s\n", program->functions[f].name);
    put_instructions(&out, program, &program->functions[f], 1);
    moho_byte_text_print(&out, "end\n");
  }
  return moho_byte_text_finish(&out, text, NULL);
}
