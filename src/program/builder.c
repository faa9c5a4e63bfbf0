/* builder.c - a program made call by call: its declarations, and the end where it is checked. The first mistake is kept; what
 * follows it does nothing. builder_instructions.c has the instructions.
 */
#include "program/builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

int moho_builder_keep(moho_program_builder *builder, moho_status status) {
  if (builder->status || !status) return -1;
  builder->status = status;
  builder->error = moho_error_take();
  return -1;
}

/* The first call that fails is told; nothing is done after it. */
static int is_stopped(const moho_program_builder *builder) {
  return !builder || builder->status;
}

static moho_status take_name(char to[MOHO_PROGRAM_NAME], const char *name, const char *letter, size_t number) {
  if (!name) {
    snprintf(to, MOHO_PROGRAM_NAME, "%s%zu", letter, number);
    return MOHO_OK;
  }
  if (strlen(name) >= MOHO_PROGRAM_NAME)
    return moho_fail(MOHO_ERROR_RANGE, "name \"%.40s\" has more than %d characters", name, MOHO_PROGRAM_NAME - 1);
  memcpy(to, name, strlen(name) + 1);
  return MOHO_OK;
}

moho_status moho_program_builder_create(const char *name, moho_program_builder **out) {
  if (!name || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "name or out is NULL");
  *out = NULL;
  moho_program_builder *builder;
  MOHO_TRY(moho_allocate(1, sizeof *builder, "a program's builder", &builder));
  moho_status status = moho_allocate(1, sizeof *builder->program, "a program", &builder->program);
  if (!status) {
    moho_program *p = builder->program;
    status = moho_allocate(MOHO_PROGRAM_FUNCTIONS, sizeof *p->functions, "functions of a program", &p->functions);
    if (!status) status = take_name(p->functions[0].name, name, "", 0);
    p->n_functions = 1;
  }
  if (status) moho_program_builder_destroy(&builder);
  *out = builder;
  return status;
}

void moho_program_builder_destroy(moho_program_builder **builder) {
  if (!builder || !*builder) return;
  for (size_t f = 0; f < MOHO_PROGRAM_FUNCTIONS; f++) {
    free((*builder)->bodies[f].instructions);
    free((*builder)->bodies[f].places);
  }
  moho_program_destroy(&(*builder)->program);
  free(*builder);
  *builder = NULL;
}

/* ---- declarations ---- */

static moho_status check_room(const char *what, size_t n, size_t most) {
  if (n < most) return MOHO_OK;
  return moho_fail(MOHO_ERROR_RANGE, "more than %zu %s", most, what);
}

static moho_status check_type(moho_program_type type) {
  if ((unsigned)type < MOHO_PROGRAM_TYPES) return MOHO_OK;
  return moho_fail(MOHO_ERROR_ARGUMENT, "type %d, expected MOHO_PROGRAM_I8 to MOHO_PROGRAM_F64", (int)type);
}

static int declare(moho_program_builder *builder, const char *what, const char *letter, moho_declared *list, size_t *n,
                   size_t most, moho_declared declared, const char *name) {
  moho_status status = check_room(what, *n, most);
  if (!status) status = check_type((moho_program_type)declared.type);
  if (!status) status = take_name(declared.name, name, letter, *n);
  if (status) return moho_builder_keep(builder, status);
  list[*n] = declared;
  return (int)(*n)++;
}

int moho_program_add_register(moho_program_builder *builder, moho_program_type type, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  return declare(builder, "registers", "r", p->registers, &p->n_registers, MOHO_PROGRAM_REGISTERS,
                 (moho_declared){.type = (uint8_t)type}, name);
}

int moho_program_add_scalar(moho_program_builder *builder, moho_program_type type, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  return declare(builder, "scalars", "s", p->scalars, &p->n_scalars, MOHO_PROGRAM_SCALARS, (moho_declared){.type = (uint8_t)type},
                 name);
}

int moho_program_add_buffer(moho_program_builder *builder, moho_program_type type, moho_program_access access, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  return declare(builder, "buffers", "b", p->buffers, &p->n_buffers, MOHO_PROGRAM_BUFFERS,
                 (moho_declared){.type = (uint8_t)type, .access = (uint8_t)access}, name);
}

int moho_program_add_predicate(moho_program_builder *builder, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  moho_status status = check_room("predicates", p->n_predicates, MOHO_PROGRAM_PREDICATES);
  if (!status) status = take_name(p->predicates[p->n_predicates], name, "p", p->n_predicates);
  return status ? moho_builder_keep(builder, status) : (int)p->n_predicates++;
}

static int declare_memory(moho_program_builder *builder, const char *what, const char *letter, moho_declared_memory *list,
                          size_t *n, size_t most, moho_declared_memory declared, const size_t elements[2], const char *name) {
  moho_status status = check_room(what, *n, most);
  if (!status) status = check_type((moho_program_type)declared.type);
  if (!status) status = take_name(declared.name, name, letter, *n);
  if (!status && (elements[0] > MOHO_PROGRAM_POOL_BYTES || elements[1] > MOHO_PROGRAM_POOL_BYTES))
    status = moho_fail(MOHO_ERROR_RANGE, "%s of %zu elements, expected at most %d", what, elements[0], MOHO_PROGRAM_POOL_BYTES);
  if (status) return moho_builder_keep(builder, status);
  declared.count = (uint32_t)elements[0], declared.per_lane = (uint32_t)elements[1];
  list[*n] = declared;
  return (int)(*n)++;
}

int moho_program_add_group_array(moho_program_builder *builder, moho_program_type type, size_t count, size_t per_lane,
                                 const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  return declare_memory(builder, "group arrays", "a", p->arrays, &p->n_arrays, MOHO_PROGRAM_GROUP_ARRAYS,
                        (moho_declared_memory){.type = (uint8_t)type}, (size_t[]){count, per_lane}, name);
}

int moho_program_add_pool(moho_program_builder *builder, moho_program_type type, size_t count, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  return declare_memory(builder, "pools", "m", p->pools, &p->n_pools, MOHO_PROGRAM_POOLS,
                        (moho_declared_memory){.type = (uint8_t)type}, (size_t[]){count, 0}, name);
}

int moho_program_add_function(moho_program_builder *builder, const char *name) {
  if (is_stopped(builder)) return -1;
  moho_program *p = builder->program;
  moho_status status = check_room("functions", p->n_functions, MOHO_PROGRAM_FUNCTIONS);
  if (!status) status = take_name(p->functions[p->n_functions].name, name, "f", p->n_functions);
  return status ? moho_builder_keep(builder, status) : (int)p->n_functions++;
}

/* ---- the end ---- */

/* One body after the other, in the order of the functions. */
static moho_status join_bodies(moho_program_builder *builder) {
  moho_program *p = builder->program;
  for (size_t f = 0; f < p->n_functions; f++) p->n_written += builder->bodies[f].n;
  MOHO_TRY(moho_allocate(p->n_written + 1, sizeof *p->written, "instructions of a program", &p->written));
  MOHO_TRY(moho_allocate(p->n_written + 1, sizeof *p->places, "instructions of a program", &p->places));
  size_t at = 0;
  for (size_t f = 0; f < p->n_functions; f++) {
    const moho_builder_body *body = &builder->bodies[f];
    p->functions[f].first = at;
    p->functions[f].count = body->n;
    if (!body->n) continue;
    memcpy(p->written + at, body->instructions, body->n * sizeof *p->written);
    memcpy(p->places + at, body->places, body->n * sizeof *p->places);
    at += body->n;
  }
  return MOHO_OK;
}

static moho_status finish(moho_program_builder *builder) {
  if (builder->status) return moho_error_set(&builder->error);
  if (builder->function)
    return moho_fail(MOHO_ERROR_FORMAT, "function %s has no end", builder->program->functions[builder->function].name);
  MOHO_TRY(join_bodies(builder));
  return moho_program_complete(builder->program);
}

moho_status moho_program_builder_finish(moho_program_builder **builder, moho_program **out) {
  if (!builder || !*builder || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "builder or out is NULL");
  moho_status status = finish(*builder);
  *out = status ? NULL : (*builder)->program;
  if (!status) (*builder)->program = NULL;
  moho_program_builder_destroy(builder);
  return status;
}
