/* fuzz_program_binary.c - any bytes as the binary form of a program, as they are and with length and checksum put right, so that
 * what lies behind them is reached: refused with words, or a program that encodes to just these bytes and whose text makes it
 * again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "program/program_core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD = 16, CHECKSUM = 32 };

static void require(int condition) {
  if (!condition) abort();
}

static void check_program(const moho_program *program, const uint8_t *data, size_t size) {
  void *again;
  size_t bytes;
  char *text;
  moho_program *second;
  require(moho_program_encode(program, &again, &bytes) == MOHO_OK);
  require(bytes == size && memcmp(again, data, size) == 0);
  require(moho_program_disassemble(program, &text) == MOHO_OK);
  require(moho_program_assemble(text, NULL, &second) == MOHO_OK);
  require(memcmp(second->hash, program->hash, sizeof second->hash) == 0);
  moho_program_destroy(&second);
  free(text);
  free(again);
}

static void decode(const uint8_t *data, size_t size) {
  moho_program *program = NULL;
  moho_status status = moho_program_decode(data, size, &program);
  require((status == MOHO_OK) == (program != NULL));
  if (status) require(moho_last_error()->code == status && moho_last_error()->message[0]);
  else check_program(program, data, size);
  moho_program_destroy(&program);
}

static void put_right(uint8_t *data, size_t size) {
  static const uint8_t head[12] = {'M', 'O', 'H', 'O', 'P', 'R', 'O', 'G', 1};
  memcpy(data, head, sizeof head);
  for (unsigned k = 0; k < 4; k++) data[12 + k] = (uint8_t)(size >> 8 * k);
  moho_sha256 hash = moho_sha256_begin();
  moho_sha256_add(&hash, data, size - CHECKSUM);
  moho_sha256_end(&hash, data + size - CHECKSUM);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size > 20000) return 0;
  if (!size) {
    decode((const uint8_t *)"", 0);
    return 0;
  }
  uint8_t *own = malloc(size);
  memcpy(own, data, size);
  decode(own, size);
  if (size >= HEAD + CHECKSUM) {
    put_right(own, size);
    decode(own, size);
  }
  free(own);
  return 0;
}
