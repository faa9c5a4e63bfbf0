/* where_lex.c - a condition's text cut into numbers, names and signs. */
#include "survey/where_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"

static const char key[] = "input.select.where";

moho_status moho_where_fail(moho_status code, int column, const char *hint, const char *format, ...) {
  char words[500];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  return moho_fail_at((moho_place){.key = key}, hint, code, "condition, column %d: %s", column, words);
}

moho_status moho_lexer_expected(const moho_lexer *lexer, const char *expected, const char *hint) {
  const moho_token *t = &lexer->token;
  if (t->kind == MOHO_TOKEN_END)
    return moho_where_fail(MOHO_ERROR_FORMAT, t->column, hint, "expected %s, found the end", expected);
  return moho_where_fail(MOHO_ERROR_FORMAT, t->column, hint, "expected %s, found \"%s\"", expected, t->text);
}

static int is_name(char c) {
  return isalnum((unsigned char)c) || c == '_';
}

/* Digits, a fraction (not the two points of a range), an exponent. */
static size_t number_length(const char *at) {
  const char *c = at;
  while (isdigit((unsigned char)*c)) c++;
  if (*c == '.' && c[1] != '.') {
    c++;
    while (isdigit((unsigned char)*c)) c++;
  }
  if ((*c == 'e' || *c == 'E') &&
      (isdigit((unsigned char)c[1]) || ((c[1] == '-' || c[1] == '+') && isdigit((unsigned char)c[2])))) {
    c += 2;
    while (isdigit((unsigned char)*c)) c++;
  }
  return (size_t)(c - at);
}

static moho_status take_number(moho_lexer *lexer, moho_token *t) {
  size_t length = number_length(lexer->at);
  t->kind = MOHO_TOKEN_NUMBER;
  snprintf(t->text, sizeof t->text, "%.*s", (int)(length < 60 ? length : 60), lexer->at);
  if (is_name(lexer->at[length]))
    return moho_where_fail(MOHO_ERROR_FORMAT, t->column + (int)length, "numbers are written without units",
                           "expected an operator after %s, found \"%.20s\"", t->text, lexer->at + length);
  if (length >= sizeof t->text)
    return moho_where_fail(MOHO_ERROR_FORMAT, t->column, NULL, "a number of %zu characters, expected at most %zu", length,
                           sizeof t->text - 1);
  t->is_whole = strspn(t->text, "0123456789") == length;
  if (t->is_whole && moho_parse_int(t->text, "a number", &t->whole))
    return moho_where_fail(MOHO_ERROR_RANGE, t->column, NULL, "%s is larger than a whole number of 64 bits", t->text);
  if (!t->is_whole && moho_parse_double(t->text, "a number", &t->real))
    return moho_where_fail(MOHO_ERROR_FORMAT, t->column, "write 12, 12.5 or 1.2e3", "\"%s\" is no number", t->text);
  if (t->is_whole) t->real = (double)t->whole;
  lexer->at += length;
  return MOHO_OK;
}

static moho_status take_name(moho_lexer *lexer, moho_token *t) {
  static const struct {
    const char *word;
    moho_token_kind kind;
  } words[] = {{"and", MOHO_TOKEN_AND}, {"or", MOHO_TOKEN_OR}, {"not", MOHO_TOKEN_NOT}, {"in", MOHO_TOKEN_IN}};
  size_t length = 0;
  while (is_name(lexer->at[length])) length++;
  t->kind = MOHO_TOKEN_NAME;
  snprintf(t->text, sizeof t->text, "%.*s", (int)(length < 60 ? length : 60), lexer->at);
  if (length >= 60) return moho_where_fail(MOHO_ERROR_KEY, t->column, NULL, "no trace header has a name of %zu letters", length);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (strcasecmp(t->text, words[i].word) == 0) t->kind = words[i].kind;
  lexer->at += length;
  return MOHO_OK;
}

static moho_status take_sign(moho_lexer *lexer, moho_token *t) {
  static const char *const signs[] = {"..", "<=", ">=", "==", "!=", "<>", "&&", "||", "<", ">", "+", "-",
                                      "*",  "/",  "%",  "(",  ")",  "[",  "]",  ",",  "!", "=", "|", "&"};
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
    size_t length = strlen(signs[i]);
    if (strncmp(lexer->at, signs[i], length) != 0) continue;
    memcpy(t->text, signs[i], length + 1);
    t->kind = strcmp(signs[i], "&&") == 0   ? MOHO_TOKEN_AND
              : strcmp(signs[i], "||") == 0 ? MOHO_TOKEN_OR
              : strcmp(signs[i], "!") == 0  ? MOHO_TOKEN_NOT
                                            : MOHO_TOKEN_SIGN;
    lexer->at += length;
    return MOHO_OK;
  }
  unsigned char c = (unsigned char)*lexer->at;
  const char *hint = "a condition is made of header names, numbers, comparisons, and, or, not, in and + - * / %";
  if (isprint(c)) return moho_where_fail(MOHO_ERROR_FORMAT, t->column, hint, "\"%c\" has no meaning here", c);
  return moho_where_fail(MOHO_ERROR_FORMAT, t->column, hint, "a byte 0x%02X has no meaning here", c);
}

moho_status moho_lexer_next(moho_lexer *lexer) {
  while (isspace((unsigned char)*lexer->at)) lexer->at++;
  moho_token *t = &lexer->token;
  *t = (moho_token){.kind = MOHO_TOKEN_END, .column = (int)(lexer->at - lexer->text) + 1};
  char c = *lexer->at;
  if (!c) return MOHO_OK;
  if (isdigit((unsigned char)c) || (c == '.' && isdigit((unsigned char)lexer->at[1]))) return take_number(lexer, t);
  if (isalpha((unsigned char)c) || c == '_') return take_name(lexer, t);
  return take_sign(lexer, t);
}

moho_status moho_lexer_begin(moho_lexer *lexer, const char *text) {
  *lexer = (moho_lexer){.text = text, .at = text};
  return moho_lexer_next(lexer);
}

int moho_lexer_is(const moho_lexer *lexer, const char *sign) {
  return lexer->token.kind == MOHO_TOKEN_SIGN && strcmp(lexer->token.text, sign) == 0;
}
