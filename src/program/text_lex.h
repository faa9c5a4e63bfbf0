/* text_lex.h - a program's text cut into words, numbers and signs, line by line. */
#ifndef MOHO_PROGRAM_TEXT_LEX_H
#define MOHO_PROGRAM_TEXT_LEX_H

#include "base/fail.h"

typedef enum { MOHO_WORD_END_OF_LINE, MOHO_WORD_NAME, MOHO_WORD_NUMBER, MOHO_WORD_SIGN } moho_source_word_kind;

typedef struct moho_source_word {
  moho_source_word_kind kind;
  char text[64];    /* as written */
  int line, column; /* 1-based */
} moho_source_word;

typedef struct moho_source {
  const char *file; /* for errors; may be NULL */
  const char *at;   /* behind the word at hand */
  const char *line_start;
  int line;
  moho_source_word word; /* the next one, not yet taken */
  int is_finished;       /* the end of the text, not of a line */
} moho_source;

moho_status moho_source_begin(moho_source *text, const char *characters, const char *file);
/* Move to the next word; stays at the end of a line. */
moho_status moho_source_next(moho_source *text);
/* From the end of a line to the first word of the next line that has one, or is_finished. */
moho_status moho_source_next_line(moho_source *text);
int moho_source_is(const moho_source *text, const char *word); /* the word at hand is this name or sign */
/* "expected ..., found ..." at the word at hand. */
moho_status moho_source_expected(const moho_source *text, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Free words about the word at hand. */
moho_status moho_source_fail(const moho_source *text, moho_status code, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
