/* byte_text.c - see byte_text.h. */
#include "program/byte_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int make_room(moho_byte_text *text, size_t bytes) {
  if (text->failed) return 0;
  size_t needed = text->used + bytes + 1;
  if (needed <= text->capacity) return 1;
  size_t capacity = needed < 2048 ? 4096 : 2 * needed;
  char *data = realloc(text->data, capacity);
  if (!data) {
    text->failed = 1;
    return 0;
  }
  text->data = data;
  text->capacity = capacity;
  return 1;
}

void moho_byte_text_add(moho_byte_text *text, const void *data, size_t bytes) {
  if (!make_room(text, bytes)) return;
  if (bytes) memcpy(text->data + text->used, data, bytes);
  text->used += bytes;
}

void moho_byte_text_number(moho_byte_text *text, uint64_t value, unsigned bytes) {
  uint8_t least_first[8];
  for (unsigned i = 0; i < 8; i++) least_first[i] = (uint8_t)(value >> 8 * i);
  moho_byte_text_add(text, least_first, bytes);
}

void moho_byte_text_print(moho_byte_text *text, const char *format, ...) {
  char line[600];
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  if (n > 0) moho_byte_text_add(text, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

moho_status moho_byte_text_finish(moho_byte_text *text, char **data, size_t *bytes) {
  if (!make_room(text, 0)) {
    free(text->data);
    return moho_fail(MOHO_ERROR_MEMORY, "no memory for %zu bytes", text->used);
  }
  text->data[text->used] = '\0';
  *data = text->data;
  if (bytes) *bytes = text->used;
  return MOHO_OK;
}
