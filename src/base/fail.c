/* fail.c - the thread's last error. */
#include "base/fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"

static _Thread_local moho_error last_error = {.trace = -1, .byte = -1, .line = -1, .column = -1};

static void copy_text(char *to, size_t capacity, const char *from) {
  if (from) snprintf(to, capacity, "%s", from);
}

static void fill_place(moho_place place, const char *hint) {
  if (!last_error.file[0]) copy_text(last_error.file, sizeof last_error.file, place.file);
  if (!last_error.key[0]) copy_text(last_error.key, sizeof last_error.key, place.key);
  if (!last_error.hint[0]) copy_text(last_error.hint, sizeof last_error.hint, hint);
  if (place.trace > 0 && last_error.trace < 0) last_error.trace = place.trace;
  if (place.has_byte && last_error.byte < 0) last_error.byte = place.byte;
  if (place.line > 0 && last_error.line < 0) last_error.line = place.line;
  if (place.column > 0 && last_error.column < 0) last_error.column = place.column;
}

/* The new record is written aside: an argument may point into the old one (wrapping an error's own message). */
static moho_status fail_with(moho_place place, const char *hint, moho_status code, const char *format, va_list arguments) {
  moho_error fresh = {.code = code, .trace = -1, .byte = -1, .line = -1, .column = -1};
  vsnprintf(fresh.message, sizeof fresh.message, format, arguments);
  copy_text(fresh.file, sizeof fresh.file, place.file);
  copy_text(fresh.key, sizeof fresh.key, place.key);
  copy_text(fresh.hint, sizeof fresh.hint, hint);
  place.file = place.key = NULL;
  last_error = fresh;
  fill_place(place, NULL);
  return code;
}

moho_status(moho_fail)(moho_status code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with((moho_place){0}, NULL, code, format, arguments);
  va_end(arguments);
  return code;
}

moho_status(moho_fail_at)(moho_place place, const char *hint, moho_status code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fail_with(place, hint, code, format, arguments);
  va_end(arguments);
  return code;
}

moho_status moho_fail_add_place(moho_place place, const char *hint) {
  fill_place(place, hint);
  return last_error.code;
}

moho_error moho_error_take(void) {
  return last_error;
}

moho_status moho_error_set(const moho_error *error) {
  last_error = *error;
  return error->code;
}

const moho_error *moho_last_error(void) {
  return &last_error;
}

const char *moho_status_name(moho_status status) {
#define MOHO_STATUS_CASE(name, value, text) \
  case value: return #name;
  switch (status) { MOHO_STATUS_TABLE(MOHO_STATUS_CASE) }
#undef MOHO_STATUS_CASE
  return "unknown status";
}

const char *moho_status_text(moho_status status) {
#define MOHO_STATUS_CASE(name, value, text) \
  case value: return text;
  switch (status) { MOHO_STATUS_TABLE(MOHO_STATUS_CASE) }
#undef MOHO_STATUS_CASE
  return "unknown status";
}

const char *moho_version(void) {
  return MOHO_VERSION_STRING;
}

static int same_letter(char a, char b) {
  return strncasecmp(&a, &b, 1) == 0;
}

/* Levenshtein distance in which two neighbours that changed places count once ("cdua" for "cuda"); letters folded to lower
 * case; names are short. Three rows of the table are kept. */
static size_t edit_distance(const char *a, const char *b) {
  size_t m = strlen(a), n = strlen(b);
  if (m > 63 || n > 63) return 64;
  size_t rows[3][64];
  for (size_t j = 0; j <= n; j++) rows[0][j] = j;
  for (size_t i = 1; i <= m; i++) {
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= n; j++) {
      size_t change = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
      row[j] = moho_smaller(change, moho_smaller(above[j], row[j - 1]) + 1);
      int swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
      if (swapped) row[j] = moho_smaller(row[j], second[j - 2] + 1);
    }
  }
  return rows[m % 3][n];
}

const char *moho_nearest_name(const char *given, const char *const *names, size_t count) {
  const char *best = NULL;
  size_t best_distance = strlen(given) / 2 + 2;
  for (size_t i = 0; i < count; i++) {
    size_t distance = edit_distance(given, names[i]);
    if (distance < best_distance) best_distance = distance, best = names[i];
  }
  return best;
}
