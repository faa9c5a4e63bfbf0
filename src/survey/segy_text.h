/* segy_text.h - textual headers: 40 lines of 80 characters, in EBCDIC (code page 037) or ASCII.
 */
#ifndef MOHO_SURVEY_SEGY_TEXT_H
#define MOHO_SURVEY_SEGY_TEXT_H

#include "base/fail.h"

enum { MOHO_SEGY_TEXT_BYTES = 3200, MOHO_SEGY_TEXT_LINES = 40, MOHO_SEGY_TEXT_COLUMNS = 80 };

typedef enum {
  MOHO_TEXT_BLANK,
  MOHO_TEXT_EBCDIC,
  MOHO_TEXT_ASCII,
  MOHO_TEXT_NONE
} moho_text_encoding; /* NONE: this is no text */

moho_text_encoding moho_segy_text_encoding(const uint8_t *bytes, size_t n);
/* Adds a header as UTF-8 lines without trailing blanks to `out` (NUL-terminated; at least 2*3200 + 41 bytes); "" when blank. */
void moho_segy_text_decode(const uint8_t bytes[MOHO_SEGY_TEXT_BYTES], moho_text_encoding encoding, char *out);
/* Lines "C 1 ..." from text (lines split by \n, cut at 76 characters, at most 40) into EBCDIC; C39 and C40 as rev 1 asks. */
void moho_segy_text_encode(const char *text, uint8_t bytes[MOHO_SEGY_TEXT_BYTES]);
/* 1 when "((SEG: EndText))" stands in these bytes, in either encoding, blanks and case aside. */
int moho_segy_text_is_end(const uint8_t *bytes, size_t n);

#endif
