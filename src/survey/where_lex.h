/* where_lex.h - the words of a condition: numbers, names, signs.
 */
#ifndef MOHO_SURVEY_WHERE_LEX_H
#define MOHO_SURVEY_WHERE_LEX_H

#include "base/fail.h"

typedef enum {
  MOHO_TOKEN_END,
  MOHO_TOKEN_NUMBER,
  MOHO_TOKEN_NAME,
  MOHO_TOKEN_AND,
  MOHO_TOKEN_OR,
  MOHO_TOKEN_NOT,
  MOHO_TOKEN_IN,
  MOHO_TOKEN_SIGN /* an operator, bracket or comma: its characters */
} moho_token_kind;

typedef struct moho_token {
  moho_token_kind kind;
  char text[64]; /* as written, cut */
  int column;    /* 1-based */
  int is_whole;
  int64_t whole;
  double real;
} moho_token;

typedef struct moho_lexer {
  const char *text, *at;
  moho_token token; /* the next one, not yet taken */
} moho_lexer;

/* Move to the next token. */
moho_status moho_lexer_next(moho_lexer *lexer);
moho_status moho_lexer_begin(moho_lexer *lexer, const char *text);
int moho_lexer_is(const moho_lexer *lexer, const char *sign);
/* "column 7 of the condition: expected ..., found ..." about the token at hand. */
moho_status moho_lexer_expected(const moho_lexer *lexer, const char *expected, const char *hint);
/* The same about another place, with free words. */
moho_status moho_where_fail(moho_status code, int column, const char *hint, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
