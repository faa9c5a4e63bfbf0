/* fuzz_program_text.c - any bytes as the text of a program: assembled or refused with words and a place; what is assembled comes
 * back from its text and from its bytes as the same program, and small ones run on the reference without a word of the
 * sanitizers.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "program/program_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
  if (!condition) abort();
}

static void require_same(const moho_program *a, const moho_program *b) {
  require(memcmp(a->hash, b->hash, sizeof a->hash) == 0);
  require(a->n_code == b->n_code && a->uses_group == b->uses_group && a->pool_bytes == b->pool_bytes);
}

static void through_text(const moho_program *program) {
  char *text;
  moho_program *again;
  require(moho_program_disassemble(program, &text) == MOHO_OK);
  require(moho_program_assemble(text, NULL, &again) == MOHO_OK);
  require_same(program, again);
  moho_program_destroy(&again);
  free(text);
}

static void through_bytes(const moho_program *program) {
  void *data;
  size_t bytes;
  moho_program *again;
  require(moho_program_encode(program, &data, &bytes) == MOHO_OK);
  require(moho_program_decode(data, bytes, &again) == MOHO_OK);
  require_same(program, again);
  moho_program_destroy(&again);
  free(data);
}

/* Loops could take hours: programs without them alone. */
static int is_quick(const moho_program *program) {
  for (size_t i = 0; i < program->n_code; i++)
    if (program->code[i].in.op == MOHO_PROGRAM_LOOP || program->code[i].in.op == MOHO_PROGRAM_WHILE) return 0;
  return program->n_code < 2000;
}

static void run(const moho_program *program) {
  static uint64_t elements[MOHO_PROGRAM_BUFFERS][16];
  moho_program_memory buffers[MOHO_PROGRAM_BUFFERS];
  moho_program_value scalars[MOHO_PROGRAM_SCALARS] = {{0}};
  moho_program_fault fault;
  if (!is_quick(program)) return;
  for (size_t i = 0; i < program->n_buffers; i++) buffers[i] = (moho_program_memory){elements[i], 3 + i % 14};
  moho_program_reference_launch launch = {.buffers = buffers,
                                          .n_buffers = program->n_buffers,
                                          .scalars = scalars,
                                          .n_scalars = program->n_scalars,
                                          .groups = {2, 1, 2},
                                          .lanes = {3, 2}};
  moho_status status = moho_program_run_reference(program, &launch, &fault);
  require(status == MOHO_OK || status == MOHO_ERROR_RANGE); /* group arrays too large for six lanes */
  if (!status && fault.happened) require(fault.instruction < program->n_written && fault.id < 24);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 20000) return 0;
  char *text = malloc(size + 1);
  memcpy(text, data, size);
  text[size] = '\0';
  moho_program *program = NULL;
  moho_status status = moho_program_assemble(text, "fuzz.mp", &program);
  require((status == MOHO_OK) == (program != NULL));
  if (status) {
    require(moho_last_error()->code == status && moho_last_error()->message[0]);
  } else {
    through_text(program);
    through_bytes(program);
    run(program);
  }
  moho_program_destroy(&program);
  free(text);
  return 0;
}
