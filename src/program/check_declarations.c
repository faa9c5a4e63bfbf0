/* check_declarations.c - a program's declarations: names that are names and stand once, known types, sizes within bounds. Gives
 * each pool its place.
 */
#include <ctype.h>
#include <string.h>

#include "base/memory.h"
#include "program/program_core.h"

static int is_name(const char *name) {
  size_t length = strnlen(name, MOHO_PROGRAM_NAME);
  if (!length || length == MOHO_PROGRAM_NAME || isdigit((unsigned char)name[0])) return 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char c = (unsigned char)name[i];
    if (c >= 128 || (!isalnum(c) && c != '_')) return 0;
  }
  return 1;
}

/* All names of a program, each with what it names. */
typedef struct name_list {
  const char *names[MOHO_PROGRAM_REGISTERS + MOHO_PROGRAM_PREDICATES + MOHO_PROGRAM_SCALARS + MOHO_PROGRAM_BUFFERS +
                    MOHO_PROGRAM_GROUP_ARRAYS + MOHO_PROGRAM_POOLS + MOHO_PROGRAM_FUNCTIONS];
  size_t n;
} name_list;

static moho_status add_name(name_list *list, const char *what, const char *name) {
  if (!is_name(name))
    return moho_fail_at((moho_place){0}, "a name has letters, digits and _, at most 31, and begins with no digit",
                        MOHO_ERROR_FORMAT, "%s \"%.31s\" has no name that can be written", what, name);
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->names[i], name) == 0)
      return moho_fail_at((moho_place){0}, "registers, predicates, scalars, buffers, arrays, pools and functions share one space",
                          MOHO_ERROR_EXISTS, "%s \"%s\": the name is taken already", what, name);
  list->names[list->n++] = name;
  return MOHO_OK;
}

static moho_status check_type(const char *what, const char *name, unsigned type) {
  if (type < MOHO_PROGRAM_TYPES) return MOHO_OK;
  return moho_fail(MOHO_ERROR_FORMAT, "%s \"%s\" has type %u, expected 0 to %d", what, name, type, MOHO_PROGRAM_TYPES - 1);
}

static moho_status check_declared(name_list *list, const char *what, const moho_declared *declared, size_t n) {
  for (size_t i = 0; i < n; i++) {
    MOHO_TRY(add_name(list, what, declared[i].name));
    MOHO_TRY(check_type(what, declared[i].name, declared[i].type));
  }
  return MOHO_OK;
}

static moho_status check_count(const char *what, size_t count, size_t most) {
  if (count <= most) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%zu %s, expected at most %zu", count, what, most);
}

static moho_status check_counts(const moho_program *p) {
  MOHO_TRY(check_count("registers", p->n_registers, MOHO_PROGRAM_REGISTERS));
  MOHO_TRY(check_count("predicates", p->n_predicates, MOHO_PROGRAM_PREDICATES));
  MOHO_TRY(check_count("scalars", p->n_scalars, MOHO_PROGRAM_SCALARS));
  MOHO_TRY(check_count("buffers", p->n_buffers, MOHO_PROGRAM_BUFFERS));
  MOHO_TRY(check_count("group arrays", p->n_arrays, MOHO_PROGRAM_GROUP_ARRAYS));
  MOHO_TRY(check_count("pools", p->n_pools, MOHO_PROGRAM_POOLS));
  return check_count("functions", p->n_functions, MOHO_PROGRAM_FUNCTIONS);
}

/* Elements, and bytes that they may be of all memories of the kind together; returns bytes so far in *sum. */
static moho_status check_memory(name_list *list, const char *what, const moho_declared_memory *m, size_t most, size_t *sum) {
  MOHO_TRY(add_name(list, what, m->name));
  MOHO_TRY(check_type(what, m->name, m->type));
  size_t elements = (size_t)m->count + m->per_lane, bytes = elements * moho_program_type_bytes((moho_program_type)m->type);
  if (!elements) return moho_fail(MOHO_ERROR_RANGE, "%s \"%s\" has no elements, expected 1 or more", what, m->name);
  *sum += moho_round_up(bytes, 16);
  if (*sum <= most) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "%s \"%s\": %zu bytes of a group in all, expected at most %zu", what, m->name, *sum, most);
}

static moho_status check_memories(name_list *list, moho_program *p) {
  size_t group = 0;
  for (size_t i = 0; i < p->n_arrays; i++)
    MOHO_TRY(check_memory(list, "group array", &p->arrays[i], MOHO_PROGRAM_GROUP_BYTES, &group));
  p->pool_bytes = 0;
  for (size_t i = 0; i < p->n_pools; i++) {
    if (p->pools[i].per_lane) return moho_fail(MOHO_ERROR_FORMAT, "pool \"%s\" has elements per lane", p->pools[i].name);
    p->pools[i].offset = (uint32_t)p->pool_bytes;
    MOHO_TRY(check_memory(list, "pool", &p->pools[i], MOHO_PROGRAM_POOL_BYTES, &p->pool_bytes));
  }
  return MOHO_OK;
}

static void note_types(moho_program *p) {
  p->types_used = 0;
  for (size_t i = 0; i < p->n_registers; i++) p->types_used |= 1u << p->registers[i].type;
  for (size_t i = 0; i < p->n_scalars; i++) p->types_used |= 1u << p->scalars[i].type;
  for (size_t i = 0; i < p->n_buffers; i++) p->types_used |= 1u << p->buffers[i].type;
  for (size_t i = 0; i < p->n_arrays; i++) p->types_used |= 1u << p->arrays[i].type;
  for (size_t i = 0; i < p->n_pools; i++) p->types_used |= 1u << p->pools[i].type;
}

moho_status moho_program_check_declarations(moho_program *p) {
  name_list list = {.n = 0};
  MOHO_TRY(check_counts(p));
  MOHO_TRY(check_declared(&list, "register", p->registers, p->n_registers));
  for (size_t i = 0; i < p->n_predicates; i++) MOHO_TRY(add_name(&list, "predicate", p->predicates[i]));
  MOHO_TRY(check_declared(&list, "scalar", p->scalars, p->n_scalars));
  MOHO_TRY(check_declared(&list, "buffer", p->buffers, p->n_buffers));
  for (size_t i = 0; i < p->n_buffers; i++)
    if (p->buffers[i].access < MOHO_PROGRAM_IN || p->buffers[i].access > MOHO_PROGRAM_INOUT)
      return moho_fail(MOHO_ERROR_FORMAT, "buffer \"%s\" has access %u, expected in, out or inout", p->buffers[i].name,
                       p->buffers[i].access);
  MOHO_TRY(check_memories(&list, p));
  if (!is_name(p->functions[0].name))
    return moho_fail(MOHO_ERROR_FORMAT, "program \"%.31s\" has no name that can be written", p->functions[0].name);
  for (size_t i = 1; i < p->n_functions; i++) MOHO_TRY(add_name(&list, "function", p->functions[i].name));
  note_types(p);
  return MOHO_OK;
}
