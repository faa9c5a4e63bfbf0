/* program_complete.c - a draft becomes a program: every check in its order, then the hash. Also what a program says of itself.
 */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/sha256.h"
#include "program/program_core.h"

static moho_status take_hash(moho_program *program) {
  void *data;
  size_t bytes;
  MOHO_TRY(moho_program_encode(program, &data, &bytes));
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, data, bytes);
  moho_sha256_end(&hash, program->hash);
  free(data);
  return MOHO_OK;
}

moho_status moho_program_complete(moho_program *program) {
  if (program->n_written > MOHO_PROGRAM_INSTRUCTIONS)
    return moho_fail_at((moho_place){.file = program->file}, NULL, MOHO_ERROR_RANGE, "%zu instructions, expected at most %d",
                        program->n_written, MOHO_PROGRAM_INSTRUCTIONS);
  MOHO_TRY(moho_program_check_declarations(program));
  MOHO_TRY(moho_program_check_operands(program));
  MOHO_TRY(moho_program_check_blocks(program));
  MOHO_TRY(moho_program_inline(program));
  MOHO_TRY(moho_program_check_set(program));
  MOHO_TRY(moho_program_check_uniform(program));
  return take_hash(program);
}

void moho_program_destroy(moho_program **program) {
  if (!program || !*program) return;
  moho_program *p = *program;
  free(p->functions);
  free(p->written);
  free(p->places);
  free(p->file);
  free(p->code);
  free(p);
  *program = NULL;
}

static moho_status check_here(const moho_program *program, const void *out) {
  if (!program) return moho_fail(MOHO_ERROR_ARGUMENT, "program is NULL");
  if (!out) return moho_fail(MOHO_ERROR_ARGUMENT, "out is NULL");
  return MOHO_OK;
}

static size_t array_bytes(const moho_program *p, size_t i, int per_lane) {
  size_t elements = per_lane ? p->arrays[i].per_lane : p->arrays[i].count;
  return elements * moho_program_type_bytes((moho_program_type)p->arrays[i].type);
}

moho_status moho_program_describe(const moho_program *program, moho_program_report *out) {
  MOHO_TRY(check_here(program, out));
  *out = (moho_program_report){.name = program->functions[0].name,
                               .registers = program->n_registers,
                               .predicates = program->n_predicates,
                               .scalars = program->n_scalars,
                               .buffers = program->n_buffers,
                               .instructions = program->n_written,
                               .instructions_whole = program->n_code,
                               .pool_bytes = program->pool_bytes,
                               .uses_group = program->uses_group};
  for (size_t i = 0; i < program->n_arrays; i++) {
    out->group_bytes += array_bytes(program, i, 0);
    out->group_bytes_per_lane += array_bytes(program, i, 1);
  }
  moho_sha256_text(program->hash, out->hash);
  return MOHO_OK;
}

static moho_status describe_parameter(const char *what, const moho_declared *declared, size_t n, size_t i,
                                      moho_program_parameter *out) {
  if (i >= n) return moho_fail(MOHO_ERROR_RANGE, "%s %zu, but the program has %zu", what, i, n);
  *out = (moho_program_parameter){declared[i].name, (moho_program_type)declared[i].type, (moho_program_access)declared[i].access};
  return MOHO_OK;
}

moho_status moho_program_buffer(const moho_program *program, size_t i, moho_program_parameter *out) {
  MOHO_TRY(check_here(program, out));
  return describe_parameter("buffer", program->buffers, program->n_buffers, i, out);
}

moho_status moho_program_scalar(const moho_program *program, size_t i, moho_program_parameter *out) {
  MOHO_TRY(check_here(program, out));
  return describe_parameter("scalar", program->scalars, program->n_scalars, i, out);
}

moho_status moho_program_instruction(const moho_program *program, size_t i, char *text, size_t bytes, int *line) {
  MOHO_TRY(check_here(program, text));
  if (i >= program->n_written)
    return moho_fail(MOHO_ERROR_RANGE, "instruction %zu, but the program has %zu", i, program->n_written);
  moho_instruction_text(program, &program->written[i], text, bytes);
  if (line) *line = program->places ? program->places[i].line : 0;
  return MOHO_OK;
}
