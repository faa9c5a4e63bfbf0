/* byte_text.h - bytes that grow, for what is written piece by piece: the binary form, the disassembler's text. A failed
 * allocation is kept; what follows does nothing.
 */
#ifndef MOHO_PROGRAM_BYTE_TEXT_H
#define MOHO_PROGRAM_BYTE_TEXT_H

#include "base/fail.h"

typedef struct moho_byte_text {
  char *data;
  size_t used, capacity;
  int failed;
} moho_byte_text;

void moho_byte_text_add(moho_byte_text *text, const void *data, size_t bytes);
void moho_byte_text_number(moho_byte_text *text, uint64_t value, unsigned bytes); /* least significant byte first */
void moho_byte_text_print(moho_byte_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Hand it over, a NUL behind its end; on failure it is freed and MOHO_ERROR_MEMORY told. */
moho_status moho_byte_text_finish(moho_byte_text *text, char **data, size_t *bytes);

#endif
