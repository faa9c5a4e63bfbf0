/* binary.c - the binary form (docs/program.md "Binary"): numbers least significant byte first, a version, and at the end the
 * SHA-256 of all before it, so that a changed or missing byte is refused before anything else is read.
 *
 *   "MOHOPROG"  version u32  bytes u32 (of all)  counts u16 x 7: registers predicates scalars buffers arrays pools functions
 *   names and types of each in this order;  functions with their count of instructions u32;  instructions;  checksum
 * Only the one encoding of a program is accepted: decoding and encoding gives the same bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "program/byte_text.h"
#include "program/program_core.h"

enum {
  VERSION = 1,
  HEAD_BYTES = 8 + 4 + 4 + 7 * 2,
  INSTRUCTION_BYTES = 1 + 1 + 4 * 2 + 8,
  CHECKSUM_BYTES = 32,
  FILE_MOST = 16 << 20
};

static const char magic[8] = {'M', 'O', 'H', 'O', 'P', 'R', 'O', 'G'};

/* ---- writing ---- */

static void put_name(moho_byte_text *out, const char *name) {
  size_t length = strlen(name);
  moho_byte_text_number(out, length, 1);
  moho_byte_text_add(out, name, length);
}

static void put_declared(moho_byte_text *out, const moho_declared *declared, size_t n, int has_access) {
  for (size_t i = 0; i < n; i++) {
    put_name(out, declared[i].name);
    moho_byte_text_number(out, declared[i].type, 1);
    if (has_access) moho_byte_text_number(out, declared[i].access, 1);
  }
}

static void put_memories(moho_byte_text *out, const moho_declared_memory *memories, size_t n, int has_per_lane) {
  for (size_t i = 0; i < n; i++) {
    put_name(out, memories[i].name);
    moho_byte_text_number(out, memories[i].type, 1);
    moho_byte_text_number(out, memories[i].count, 4);
    if (has_per_lane) moho_byte_text_number(out, memories[i].per_lane, 4);
  }
}

static void put_instruction(moho_byte_text *out, const moho_instruction *in) {
  moho_byte_text_number(out, in->op, 1);
  moho_byte_text_number(out, in->variant, 1);
  moho_byte_text_number(out, in->d, 2);
  moho_byte_text_number(out, in->a, 2);
  moho_byte_text_number(out, in->b, 2);
  moho_byte_text_number(out, in->c, 2);
  moho_byte_text_number(out, in->immediate, 8);
}

static void put_checksum(moho_byte_text *out) {
  if (out->failed) return;
  for (unsigned i = 0; i < 4; i++) out->data[12 + i] = (char)((out->used + CHECKSUM_BYTES) >> 8 * i & 0xff);
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, out->data, out->used);
  moho_sha256_end(&hash, digest);
  moho_byte_text_add(out, digest, sizeof digest);
}

moho_status moho_program_encode(const moho_program *program, void **data, size_t *bytes) {
  if (!program || !data || !bytes) return moho_fail(MOHO_ERROR_ARGUMENT, "program, data or bytes is NULL");
  const moho_program *p = program;
  const size_t counts[7] = {p->n_registers, p->n_predicates, p->n_scalars, p->n_buffers, p->n_arrays, p->n_pools, p->n_functions};
  moho_byte_text out = {.used = 0};
  moho_byte_text_add(&out, magic, sizeof magic);
  moho_byte_text_number(&out, VERSION, 4);
  moho_byte_text_number(&out, 0, 4);
  for (unsigned i = 0; i < 7; i++) moho_byte_text_number(&out, counts[i], 2);
  put_declared(&out, p->registers, p->n_registers, 0);
  for (size_t i = 0; i < p->n_predicates; i++) put_name(&out, p->predicates[i]);
  put_declared(&out, p->scalars, p->n_scalars, 0);
  put_declared(&out, p->buffers, p->n_buffers, 1);
  put_memories(&out, p->arrays, p->n_arrays, 1);
  put_memories(&out, p->pools, p->n_pools, 0);
  for (size_t i = 0; i < p->n_functions; i++) {
    put_name(&out, p->functions[i].name);
    moho_byte_text_number(&out, p->functions[i].count, 4);
  }
  for (size_t i = 0; i < p->n_written; i++) put_instruction(&out, &p->written[i]);
  put_checksum(&out);
  char *made;
  MOHO_TRY(moho_byte_text_finish(&out, &made, bytes));
  *data = made;
  return MOHO_OK;
}

/* ---- reading ---- */

typedef struct byte_reader {
  const uint8_t *data;
  size_t at, end;
  int is_short; /* more was asked for than there is */
} byte_reader;

static uint64_t take_number(byte_reader *in, unsigned bytes) {
  uint64_t value = 0;
  if (in->end - in->at < bytes) {
    in->is_short = 1;
    return 0;
  }
  for (unsigned i = 0; i < bytes; i++) value |= (uint64_t)in->data[in->at++] << 8 * i;
  return value;
}

static void take_name(byte_reader *in, char name[MOHO_PROGRAM_NAME]) {
  size_t length = (size_t)take_number(in, 1);
  if (length >= MOHO_PROGRAM_NAME || in->end - in->at < length) {
    in->is_short = 1;
    return;
  }
  memcpy(name, in->data + in->at, length);
  name[length] = '\0'; /* a NUL within it shortens it: then encoding gives other bytes, which is refused */
  in->at += length;
}

static void take_declared(byte_reader *in, moho_declared *declared, size_t n, int has_access) {
  for (size_t i = 0; i < n; i++) {
    take_name(in, declared[i].name);
    declared[i].type = (uint8_t)take_number(in, 1);
    if (has_access) declared[i].access = (uint8_t)take_number(in, 1);
  }
}

static void take_memories(byte_reader *in, moho_declared_memory *memories, size_t n, int has_per_lane) {
  for (size_t i = 0; i < n; i++) {
    take_name(in, memories[i].name);
    memories[i].type = (uint8_t)take_number(in, 1);
    memories[i].count = (uint32_t)take_number(in, 4);
    if (has_per_lane) memories[i].per_lane = (uint32_t)take_number(in, 4);
  }
}

static moho_status take_counts(byte_reader *in, moho_program *p) {
  static const size_t most[7] = {MOHO_PROGRAM_REGISTERS,    MOHO_PROGRAM_PREDICATES, MOHO_PROGRAM_SCALARS,  MOHO_PROGRAM_BUFFERS,
                                 MOHO_PROGRAM_GROUP_ARRAYS, MOHO_PROGRAM_POOLS,      MOHO_PROGRAM_FUNCTIONS};
  size_t *const counts[7] = {&p->n_registers, &p->n_predicates, &p->n_scalars,  &p->n_buffers,
                             &p->n_arrays,    &p->n_pools,      &p->n_functions};
  for (unsigned i = 0; i < 7; i++) {
    *counts[i] = (size_t)take_number(in, 2);
    if (*counts[i] > most[i])
      return moho_fail(MOHO_ERROR_FORMAT, "count %u of a program's binary form is %zu, expected at most %zu", i, *counts[i],
                       most[i]);
  }
  if (!p->n_functions) return moho_fail(MOHO_ERROR_FORMAT, "a program's binary form has no main program");
  return MOHO_OK;
}

static moho_status take_functions(byte_reader *in, moho_program *p) {
  MOHO_TRY(moho_allocate(p->n_functions, sizeof *p->functions, "functions of a program", &p->functions));
  for (size_t i = 0; i < p->n_functions; i++) {
    take_name(in, p->functions[i].name);
    p->functions[i].first = p->n_written;
    p->functions[i].count = (size_t)take_number(in, 4);
    p->n_written += p->functions[i].count;
  }
  if (!in->is_short && p->n_written * INSTRUCTION_BYTES == in->end - in->at) return MOHO_OK;
  return moho_fail(MOHO_ERROR_FORMAT, "a program's binary form has not the length that its counts say");
}

static moho_status take_instructions(byte_reader *in, moho_program *p) {
  MOHO_TRY(moho_allocate(p->n_written + 1, sizeof *p->written, "instructions of a program", &p->written));
  for (size_t i = 0; i < p->n_written; i++) {
    moho_instruction *instruction = &p->written[i];
    instruction->op = (uint8_t)take_number(in, 1);
    instruction->variant = (uint8_t)take_number(in, 1);
    instruction->d = (uint16_t)take_number(in, 2);
    instruction->a = (uint16_t)take_number(in, 2);
    instruction->b = (uint16_t)take_number(in, 2);
    instruction->c = (uint16_t)take_number(in, 2);
    instruction->immediate = take_number(in, 8);
  }
  return MOHO_OK;
}

static moho_status take_program(byte_reader *in, moho_program *p) {
  MOHO_TRY(take_counts(in, p));
  take_declared(in, p->registers, p->n_registers, 0);
  for (size_t i = 0; i < p->n_predicates; i++) take_name(in, p->predicates[i]);
  take_declared(in, p->scalars, p->n_scalars, 0);
  take_declared(in, p->buffers, p->n_buffers, 1);
  take_memories(in, p->arrays, p->n_arrays, 1);
  take_memories(in, p->pools, p->n_pools, 0);
  MOHO_TRY(take_functions(in, p));
  MOHO_TRY(take_instructions(in, p));
  return moho_program_complete(p);
}

static moho_status check_frame(const uint8_t *data, size_t bytes) {
  byte_reader in = {data, sizeof magic, bytes, 0};
  if (bytes < HEAD_BYTES + CHECKSUM_BYTES || memcmp(data, magic, sizeof magic) != 0)
    return moho_fail(MOHO_ERROR_FORMAT, "these %zu bytes are no program: they do not begin with MOHOPROG", bytes);
  uint64_t version = take_number(&in, 4), length = take_number(&in, 4);
  if (version != VERSION)
    return moho_fail(MOHO_ERROR_FORMAT, "a program of version %llu, this library reads version %d", (unsigned long long)version,
                     VERSION);
  if (length != bytes)
    return moho_fail(MOHO_ERROR_FORMAT, "a program of %llu bytes, here are %zu", (unsigned long long)length, bytes);
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, data, bytes - CHECKSUM_BYTES);
  moho_sha256_end(&hash, digest);
  if (memcmp(digest, data + bytes - CHECKSUM_BYTES, sizeof digest) == 0) return MOHO_OK;
  return moho_fail_at((moho_place){0}, "assemble it again from its text", MOHO_ERROR_FORMAT,
                      "the program's checksum is wrong: its bytes were changed");
}

/* Encoding what was decoded gives these bytes again, so that one program has one hash. */
static moho_status check_same(const moho_program *program, const void *data, size_t bytes) {
  void *again;
  size_t n;
  MOHO_TRY(moho_program_encode(program, &again, &n));
  int is_same = n == bytes && memcmp(again, data, n) == 0;
  free(again);
  return is_same ? MOHO_OK : moho_fail(MOHO_ERROR_FORMAT, "the program's bytes are not the form that encoding gives");
}

moho_status moho_program_decode(const void *data, size_t bytes, moho_program **out) {
  if (!data || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "data or out is NULL");
  *out = NULL;
  MOHO_TRY(check_frame(data, bytes));
  moho_program *program;
  MOHO_TRY(moho_allocate(1, sizeof *program, "a program", &program));
  byte_reader in = {data, sizeof magic + 8, bytes - CHECKSUM_BYTES, 0};
  moho_status status = take_program(&in, program);
  if (!status) status = check_same(program, data, bytes);
  if (status) moho_program_destroy(&program);
  else *out = program;
  return status;
}

/* ---- files ---- */

moho_status moho_program_save(const moho_program *program, const char *path) {
  if (!path) return moho_fail(MOHO_ERROR_ARGUMENT, "path is NULL");
  void *data;
  size_t bytes;
  MOHO_TRY(moho_program_encode(program, &data, &bytes));
  moho_status status = moho_file_write_all(path, data, bytes);
  free(data);
  return status;
}

moho_status moho_program_load(const char *path, moho_program **out) {
  if (!path || !out) return moho_fail(MOHO_ERROR_ARGUMENT, "path or out is NULL");
  *out = NULL;
  char *data;
  size_t bytes;
  MOHO_TRY(moho_file_read_all(path, FILE_MOST, &data, &bytes));
  moho_status status;
  if (bytes >= sizeof magic && memcmp(data, magic, sizeof magic) == 0) status = moho_program_decode(data, bytes, out);
  else if (memchr(data, '\0', bytes)) status = moho_fail(MOHO_ERROR_FORMAT, "neither a program's text nor its binary form");
  else status = moho_program_assemble(data, path, out);
  free(data);
  return status ? moho_fail_add_place((moho_place){.file = path}, NULL), status : MOHO_OK;
}
