/* velocity_table_su.c - picks from the parameters of Seismic Unix's sunmo: cdp=100,200 tnmo=0,1.5 vnmo=1500,2200 tnmo=...
 * vnmo=... */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/velocity_columns.h"
#include "survey/velocity_picks.h"

typedef struct su_list {
  size_t n;
  double *value;
  int *line, *column;
} su_list;

typedef struct su {
  su_list cdp, time; /* the last tnmo waits for its vnmo */
  size_t functions;
  int has_cdp, has_time;
} su;

static void release_list(su_list *list) {
  free(list->value), free(list->line), free(list->column);
  *list = (su_list){0};
}

/* "0.1,0.6,1.2" beginning at `text`. */
static moho_status read_list(const moho_picks_reader *r, const char *text, size_t length, int line_number, int column,
                             const char *what, su_list *out) {
  size_t n = 1;
  for (size_t i = 0; i < length; i++) n += text[i] == ',';
  *out = (su_list){.n = n};
  moho_status status = moho_allocate(n, sizeof(double), what, &out->value);
  if (!status) status = moho_allocate(n, sizeof(int), what, &out->line);
  if (!status) status = moho_allocate(n, sizeof(int), what, &out->column);
  size_t start = 0;
  for (size_t i = 0; !status && i < n; i++) {
    const char *comma = memchr(text + start, ',', length - start);
    size_t end = comma ? (size_t)(comma - text) : length;
    out->line[i] = line_number, out->column[i] = column + (int)start;
    status = moho_picks_number(r, text + start, end - start, line_number, column + (int)start, what, &out->value[i]);
    start = end + 1;
  }
  if (status) release_list(out);
  return status;
}

/* The picks of one function: tnmo is known, vnmo has just been read. */
static moho_status add_su_function(moho_picks_reader *r, su *s, const su_list *velocity, int line_number, int column) {
  char message[200];
  if (!s->has_time)
    return moho_picks_fail(r, line_number, column,
                           "each function is a tnmo= followed by its vnmo=", "vnmo without a tnmo before it");
  if (s->time.n != velocity->n) {
    snprintf(message, sizeof message, "vnmo has %zu values, its tnmo %zu", velocity->n, s->time.n);
    return moho_picks_fail(r, line_number, column, "give one velocity a time", message);
  }
  if (s->has_cdp && s->functions >= s->cdp.n) {
    snprintf(message, sizeof message, "function %zu, but cdp= lists %zu", s->functions + 1, s->cdp.n);
    return moho_picks_fail(r, line_number, column, "cdp= needs one number a tnmo/vnmo pair", message);
  }
  if (!s->has_cdp && s->functions)
    return moho_picks_fail(r, line_number, column, "list the CDPs of the functions first: cdp=100,200",
                           "a second function, but no cdp=");
  double cdp = s->has_cdp ? s->cdp.value[s->functions] : 0;
  for (size_t i = 0; i < velocity->n; i++)
    MOHO_TRY(moho_picks_add(r, (moho_pick){cdp, 0, s->time.value[i], velocity->value[i], velocity->line[i]}, s->time.column[i],
                            velocity->column[i]));
  s->functions++;
  s->has_time = 0;
  return MOHO_OK;
}

static moho_status take_su(moho_picks_reader *r, su *s, const char *key, su_list *list, int line_number, int column) {
  if (!strcmp(key, "cdp")) {
    if (s->has_cdp) return moho_picks_fail(r, line_number, column, "give one cdp= with all CDPs", "cdp= is given twice");
    for (size_t i = 0; i < list->n; i++)
      if (fabs(list->value[i]) > moho_farthest_m) return moho_picks_fail(r, line_number, list->column[i], NULL, "no CDP number");
    s->cdp = *list, s->has_cdp = 1;
    *list = (su_list){0};
    return MOHO_OK;
  }
  if (!strcmp(key, "vnmo")) return add_su_function(r, s, list, line_number, column);
  if (s->has_time)
    return moho_picks_fail(r, line_number, column,
                           "each function is a tnmo= followed by its vnmo=", "two tnmo without a vnmo between");
  release_list(&s->time);
  s->time = *list, s->has_time = 1;
  *list = (su_list){0};
  return MOHO_OK;
}

/* key=list */
static moho_status read_su_word(moho_picks_reader *r, su *s, const char *word, size_t length, int line_number, int column) {
  static const char *const keys[] = {"cdp", "tnmo", "vnmo"};
  char key[MOHO_FIELD], message[200];
  const char *equal = memchr(word, '=', length);
  size_t n = equal ? (size_t)(equal - word) : length;
  snprintf(key, sizeof key, "%.*s", (int)(n < 40 ? n : 40), word);
  int known = equal && (!strcmp(key, keys[0]) || !strcmp(key, keys[1]) || !strcmp(key, keys[2]));
  if (!known) {
    for (char *c = key; *c; c++) *c = isprint((unsigned char)*c) ? *c : '?';
    snprintf(message, sizeof message, "\"%s\": expected cdp=, tnmo= or vnmo= and a list of numbers without blanks", key);
    return moho_picks_fail(r, line_number, column, "write cdp=100,200 tnmo=0,1.5 vnmo=1500,2200 tnmo=... vnmo=...", message);
  }
  su_list list;
  MOHO_TRY(read_list(r, equal + 1, length - n - 1, line_number, column + (int)n + 1, key, &list));
  moho_status status = take_su(r, s, key, &list, line_number, column);
  release_list(&list);
  return status;
}

static int is_su_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\\' || c == '\0';
}

static moho_status read_su_words(moho_picks_reader *r, su *s, const char *text, size_t length) {
  moho_text_line l = {0};
  size_t at = 0;
  while (moho_text_next_line(text, length, &at, &l)) {
    size_t i = 0;
    while (i < l.length && l.text[i] != '#') {
      size_t start = i;
      while (i < l.length && l.text[i] != '#' && !is_su_blank(l.text[i])) i++;
      if (i > start) MOHO_TRY(read_su_word(r, s, l.text + start, i - start, l.number, (int)start + 1));
      else i++;
    }
  }
  char message[200];
  if (s->has_time)
    return moho_picks_fail(r, l.number, 1, "each function is a tnmo= followed by its vnmo=", "the last tnmo has no vnmo");
  if (s->has_cdp && s->functions < s->cdp.n) {
    snprintf(message, sizeof message, "cdp= lists %zu, but there are %zu functions", s->cdp.n, s->functions);
    return moho_picks_fail(r, l.number, 1, "cdp= needs one number a tnmo/vnmo pair", message);
  }
  return MOHO_OK;
}

moho_status moho_picks_read_su(moho_picks_reader *r, const char *text, size_t length) {
  su s = {0};
  moho_status status = read_su_words(r, &s, text, length);
  r->picks.position = s.has_cdp ? MOHO_PICK_CDP : MOHO_PICK_ANYWHERE;
  release_list(&s.cdp);
  release_list(&s.time);
  return status;
}
