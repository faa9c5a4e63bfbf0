/* text_lex.c - see text_lex.h. A comment goes from # to the end of its line. */
#include "program/text_lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static moho_status fail_words(const moho_source *text, moho_status code, const char *hint, const char *words) {
  return moho_fail_at((moho_place){.file = text->file, .line = text->word.line, .column = text->word.column}, hint, code, "%s",
                      words);
}

moho_status moho_source_fail(const moho_source *text, moho_status code, const char *hint, const char *format, ...) {
  char words[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(words, sizeof words, format, arguments);
  va_end(arguments);
  return fail_words(text, code, hint, words);
}

moho_status moho_source_expected(const moho_source *text, const char *hint, const char *format, ...) {
  char expected[300], words[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(expected, sizeof expected, format, arguments);
  va_end(arguments);
  if (text->word.kind == MOHO_WORD_END_OF_LINE) snprintf(words, sizeof words, "expected %s, found the end of the line", expected);
  else snprintf(words, sizeof words, "expected %s, found \"%s\"", expected, text->word.text);
  return fail_words(text, MOHO_ERROR_FORMAT, hint, words);
}

static int is_letter(char c) {
  unsigned char u = (unsigned char)c;
  return u < 128 && (isalnum(u) || c == '_');
}

static size_t name_length(const char *at) {
  size_t n = 0;
  while (is_letter(at[n])) n++;
  return n;
}

/* Digits, hexadecimal behind 0x, a fraction (not the two points of a range), an exponent. */
static size_t number_length(const char *at) {
  const char *c = at;
  if (c[0] == '0' && (c[1] == 'x' || c[1] == 'X')) return 2 + name_length(c + 2);
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
  return (size_t)(c - at) + name_length(c);
}

static moho_status take(moho_source *text, moho_source_word_kind kind, size_t length) {
  text->word.kind = kind;
  if (length >= sizeof text->word.text)
    return moho_source_fail(text, MOHO_ERROR_RANGE, NULL, "a word of %zu characters, expected at most %zu", length,
                            sizeof text->word.text - 1);
  memcpy(text->word.text, text->at, length);
  text->word.text[length] = '\0';
  text->at += length;
  return MOHO_OK;
}

moho_status moho_source_next(moho_source *text) {
  while (*text->at == ' ' || *text->at == '\t' || *text->at == '\r') text->at++;
  if (*text->at == '#') text->at += strcspn(text->at, "\n");
  text->word = (moho_source_word){.line = text->line, .column = (int)(text->at - text->line_start) + 1};
  unsigned char c = (unsigned char)*text->at;
  if (!c || c == '\n') return MOHO_OK;
  if (c < 128 && (isalpha(c) || c == '_')) return take(text, MOHO_WORD_NAME, name_length(text->at));
  if (isdigit(c) || (c == '.' && isdigit((unsigned char)text->at[1])))
    return take(text, MOHO_WORD_NUMBER, number_length(text->at));
  if (c == '.' && text->at[1] == '.') return take(text, MOHO_WORD_SIGN, 2);
  if (strchr(",.[]+-!", c)) return take(text, MOHO_WORD_SIGN, 1);
  const char *hint = "a program is made of words, numbers and , . .. [ ] + - !; # begins a comment";
  if (c >= 32 && c < 127) return moho_source_fail(text, MOHO_ERROR_FORMAT, hint, "\"%c\" has no meaning here", c);
  return moho_source_fail(text, MOHO_ERROR_FORMAT, hint, "a byte 0x%02X has no meaning here", c);
}

moho_status moho_source_next_line(moho_source *text) {
  while (text->word.kind == MOHO_WORD_END_OF_LINE && *text->at == '\n') {
    text->at++;
    text->line++;
    text->line_start = text->at;
    MOHO_TRY(moho_source_next(text));
  }
  text->is_finished = text->word.kind == MOHO_WORD_END_OF_LINE && !*text->at;
  return MOHO_OK;
}

moho_status moho_source_begin(moho_source *text, const char *characters, const char *file) {
  *text = (moho_source){.file = file, .at = characters, .line_start = characters, .line = 1};
  MOHO_TRY(moho_source_next(text));
  return moho_source_next_line(text);
}

int moho_source_is(const moho_source *text, const char *word) {
  return (text->word.kind == MOHO_WORD_NAME || text->word.kind == MOHO_WORD_SIGN) && strcmp(text->word.text, word) == 0;
}
