/* velocity_table_text.c - picks of velocity functions from text: lines of columns, and SU's cdp= tnmo= vnmo=. */
#include "survey/velocity_table_text.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "survey/velocity_columns.h"
#include "survey/velocity_model.h"

/* Later than any seismic record in s; coordinates beyond this are no metres on Earth. */
static const double latest_s = 30, farthest_m = 1e8;

typedef struct reader {
  const char *name;
  const moho_velocity_options *options;
  moho_picks picks;
  size_t capacity;
} reader;

typedef struct line {
  const char *text;
  size_t length;
  int number;
} line;

/* ---- picks ---- */

static moho_status fail_here(const reader *r, int line_number, int column, const char *hint, const char *message) {
  return moho_fail_at((moho_place){.file = r->name, .line = line_number, .column = column}, hint, MOHO_ERROR_FORMAT,
                      "%s:%d:%d: %s", r->name, line_number, column, message);
}

static moho_status grow(reader *r) {
  if (r->picks.n < r->capacity) return MOHO_OK;
  size_t capacity = r->capacity ? 2 * r->capacity : 256;
  moho_pick *more = NULL;
  MOHO_TRY(moho_allocate(capacity, sizeof *more, "velocity picks", &more));
  if (r->picks.n) memcpy(more, r->picks.pick, r->picks.n * sizeof *more);
  free(r->picks.pick);
  r->picks.pick = more, r->capacity = capacity;
  return MOHO_OK;
}

static moho_status check_time(const reader *r, double time_s, int line_number, int column) {
  char message[160];
  if (time_s >= 0 && time_s <= latest_s) return MOHO_OK;
  snprintf(message, sizeof message, "time %.6g s, expected 0 to %g s", time_s, latest_s);
  return fail_here(r, line_number, column,
                   time_s > latest_s
                       ? "the times look like ms: declare it, velocity.columns: cdp,time_ms,velocity (or x,y,time_ms,velocity)"
                       : "two-way times start at 0",
                   message);
}

static moho_status check_velocity(const reader *r, double v, int line_number, int column) {
  char what[400];
  if (v >= r->options->min_mps && v <= r->options->max_mps) return MOHO_OK;
  snprintf(what, sizeof what, "%s:%d:%d: velocity", r->name, line_number, column);
  moho_velocity_check_value(v, r->options->min_mps, r->options->max_mps, what);
  return moho_fail_add_place((moho_place){.file = r->name, .line = line_number, .column = column}, NULL);
}

static moho_status add_pick(reader *r, moho_pick pick, int time_column, int velocity_column) {
  MOHO_TRY(check_time(r, pick.time_s, pick.line, time_column));
  MOHO_TRY(check_velocity(r, pick.v_mps, pick.line, velocity_column));
  MOHO_TRY(grow(r));
  r->picks.pick[r->picks.n++] = pick;
  return MOHO_OK;
}

/* A number from part of a line; column is where it begins. */
static moho_status number(const reader *r, const char *text, size_t length, int line_number, int column, const char *what,
                          double *out) {
  char copy[MOHO_FIELD], message[256];
  size_t kept = length < sizeof copy ? length : sizeof copy - 1;
  for (size_t i = 0; i < kept; i++) copy[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
  copy[kept] = '\0';
  if (length < sizeof copy && moho_parse_double(copy, what, out) == MOHO_OK) return MOHO_OK;
  snprintf(message, sizeof message, "%s: got \"%s\", expected a plain number such as 12.5 (no unit)", what, copy);
  return fail_here(r, line_number, column, "comments begin with #; declare other columns in velocity.columns", message);
}

static moho_status position(const reader *r, const moho_field *field, int line_number, const char *what, double *out) {
  MOHO_TRY(number(r, field->text, field->length, line_number, field->column, what, out));
  if (fabs(*out) <= farthest_m) return MOHO_OK;
  char message[160];
  snprintf(message, sizeof message, "%s is %.6g, expected at most %g", what, *out, farthest_m);
  return fail_here(r, line_number, field->column, "check the order of the columns and the units (m)", message);
}

/* ---- lines of columns ---- */

/* The next line of text after `at`; 0 at the end. Comments stay in it. */
static int next_line(const char *text, size_t length, size_t *at, line *out) {
  if (*at >= length) return 0;
  const char *start = text + *at, *end = memchr(start, '\n', length - *at);
  size_t taken = end ? (size_t)(end - start) : length - *at;
  *out = (line){start, taken, out->number + 1};
  *at += taken + 1;
  return 1;
}

static moho_fields data_fields(const line *l) {
  size_t length = 0;
  while (length < l->length && l->text[length] != '#' && l->text[length] != '!') length++;
  return moho_fields_split(l->text, length);
}

static int begins_a_number(const moho_field *field) {
  return isdigit((unsigned char)field->text[0]) || strchr("+-.", field->text[0]);
}

/* The first line that is data: neither empty, a comment, nor words. */
static int first_data(const char *text, size_t length, line *out, moho_fields *fields) {
  size_t at = 0;
  *out = (line){0};
  while (next_line(text, length, &at, out)) {
    *fields = data_fields(out);
    if (fields->n && begins_a_number(&fields->field[0])) return 1;
  }
  return 0;
}

/* Declared columns may begin with words (a line's name): the first line with as many fields, of which the time is a number. */
static int first_declared(const char *text, size_t length, const moho_columns *c, line *out, moho_fields *fields) {
  size_t at = 0;
  *out = (line){0};
  while (next_line(text, length, &at, out)) {
    *fields = data_fields(out);
    if (fields->n == c->n && begins_a_number(&fields->field[c->time])) return 1;
  }
  return first_data(text, length, out, fields);
}

/* The last line of words or comment before the data that names as many columns as the data have. */
static moho_status find_heading(const reader *r, const char *text, size_t length, const line *data, size_t n_fields, int *found,
                                moho_columns *columns) {
  line l = {0};
  size_t at = 0;
  *found = 0;
  while (next_line(text, length, &at, &l) && l.number < data->number) {
    size_t skip = 0;
    while (skip < l.length && strchr("#! \t", l.text[skip])) skip++;
    moho_fields names = moho_fields_split(l.text + skip, l.length - skip);
    moho_columns c;
    int recognised;
    moho_status status = moho_columns_from_heading(&names, r->options->kind, &recognised, &c);
    int comment = skip < l.length && memchr(l.text, '#', skip) != NULL;
    if (status && comment && names.n != n_fields) continue; /* a remark that happens to use such words */
    if (status) return moho_fail_add_place((moho_place){.file = r->name, .line = l.number, .column = (int)skip + 1}, NULL);
    if (recognised && c.n == n_fields) *found = 1, *columns = c;
  }
  return MOHO_OK;
}

static moho_status read_row(reader *r, const moho_columns *c, const line *l, const moho_fields *f) {
  moho_pick pick = {.line = l->number};
  char message[160];
  if (f->thousands)
    return fail_here(r, l->number, f->thousands, "write 3000, not 3,000; part all columns by commas, or all by blanks",
                     "a comma within a line that is parted by blanks");
  if (f->n != c->n || f->too_many) {
    snprintf(message, sizeof message, "%zu columns%s, expected %zu", f->n, f->too_many ? " or more" : "", c->n);
    return fail_here(r, l->number, 1, "every line has the same columns; name those not needed \"skip\" in velocity.columns",
                     message);
  }
  switch (c->position) {
  case MOHO_PICK_ANYWHERE: break;
  case MOHO_PICK_XY:
    MOHO_TRY(position(r, &f->field[c->x], l->number, "x", &pick.a));
    MOHO_TRY(position(r, &f->field[c->y], l->number, "y", &pick.b));
    break;
  case MOHO_PICK_INLINE_CROSSLINE:
    MOHO_TRY(position(r, &f->field[c->inline_number], l->number, "inline", &pick.a));
    MOHO_TRY(position(r, &f->field[c->crossline_number], l->number, "crossline", &pick.b));
    break;
  case MOHO_PICK_CDP: MOHO_TRY(position(r, &f->field[c->cdp], l->number, "cdp", &pick.a)); break;
  }
  const moho_field *time = &f->field[c->time], *velocity = &f->field[c->velocity];
  MOHO_TRY(number(r, time->text, time->length, l->number, time->column, "time", &pick.time_s));
  MOHO_TRY(number(r, velocity->text, velocity->length, l->number, velocity->column, "velocity", &pick.v_mps));
  pick.time_s *= c->time_scale, pick.v_mps *= c->velocity_scale;
  return add_pick(r, pick, time->column, velocity->column);
}

/* Times declared as ms that all lie within 30 ms were seconds. */
static moho_status check_milliseconds(const reader *r, const moho_columns *c) {
  double latest = 0;
  for (size_t i = 0; i < r->picks.n; i++) latest = fmax(latest, r->picks.pick[i].time_s);
  if (c->time_scale == 1 || latest == 0 || latest > 1e-3 * latest_s) return MOHO_OK;
  char message[160];
  snprintf(message, sizeof message, "the latest time of all is %.6g ms, expected more", 1e3 * latest);
  return fail_here(r, r->picks.pick[0].line, 1, "the times look like s: name the column time_s", message);
}

static moho_status read_rows(reader *r, const char *text, size_t length, const moho_columns *c, int from_line) {
  line l = {0};
  size_t at = 0;
  r->picks.position = c->position;
  while (next_line(text, length, &at, &l)) {
    moho_fields fields = data_fields(&l);
    if (l.number >= from_line && fields.n) MOHO_TRY(read_row(r, c, &l, &fields));
  }
  return check_milliseconds(r, c);
}

/* ---- SU ---- */

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
static moho_status read_list(const reader *r, const char *text, size_t length, int line_number, int column, const char *what,
                             su_list *out) {
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
    status = number(r, text + start, end - start, line_number, column + (int)start, what, &out->value[i]);
    start = end + 1;
  }
  if (status) release_list(out);
  return status;
}

/* The picks of one function: tnmo is known, vnmo has just been read. */
static moho_status add_su_function(reader *r, su *s, const su_list *velocity, int line_number, int column) {
  char message[200];
  if (!s->has_time)
    return fail_here(r, line_number, column, "each function is a tnmo= followed by its vnmo=", "vnmo without a tnmo before it");
  if (s->time.n != velocity->n) {
    snprintf(message, sizeof message, "vnmo has %zu values, its tnmo %zu", velocity->n, s->time.n);
    return fail_here(r, line_number, column, "give one velocity a time", message);
  }
  if (s->has_cdp && s->functions >= s->cdp.n) {
    snprintf(message, sizeof message, "function %zu, but cdp= lists %zu", s->functions + 1, s->cdp.n);
    return fail_here(r, line_number, column, "cdp= needs one number a tnmo/vnmo pair", message);
  }
  if (!s->has_cdp && s->functions)
    return fail_here(r, line_number, column, "list the CDPs of the functions first: cdp=100,200",
                     "a second function, but no cdp=");
  double cdp = s->has_cdp ? s->cdp.value[s->functions] : 0;
  for (size_t i = 0; i < velocity->n; i++)
    MOHO_TRY(add_pick(r, (moho_pick){cdp, 0, s->time.value[i], velocity->value[i], velocity->line[i]}, s->time.column[i],
                      velocity->column[i]));
  s->functions++;
  s->has_time = 0;
  return MOHO_OK;
}

static moho_status take_su(reader *r, su *s, const char *key, su_list *list, int line_number, int column) {
  if (!strcmp(key, "cdp")) {
    if (s->has_cdp) return fail_here(r, line_number, column, "give one cdp= with all CDPs", "cdp= is given twice");
    for (size_t i = 0; i < list->n; i++)
      if (fabs(list->value[i]) > farthest_m) return fail_here(r, line_number, list->column[i], NULL, "no CDP number");
    s->cdp = *list, s->has_cdp = 1;
    *list = (su_list){0};
    return MOHO_OK;
  }
  if (!strcmp(key, "vnmo")) return add_su_function(r, s, list, line_number, column);
  if (s->has_time)
    return fail_here(r, line_number, column, "each function is a tnmo= followed by its vnmo=", "two tnmo without a vnmo between");
  release_list(&s->time);
  s->time = *list, s->has_time = 1;
  *list = (su_list){0};
  return MOHO_OK;
}

/* key=list */
static moho_status read_su_word(reader *r, su *s, const char *word, size_t length, int line_number, int column) {
  static const char *const keys[] = {"cdp", "tnmo", "vnmo"};
  char key[MOHO_FIELD], message[200];
  const char *equal = memchr(word, '=', length);
  size_t n = equal ? (size_t)(equal - word) : length;
  snprintf(key, sizeof key, "%.*s", (int)(n < 40 ? n : 40), word);
  int known = equal && (!strcmp(key, keys[0]) || !strcmp(key, keys[1]) || !strcmp(key, keys[2]));
  if (!known) {
    for (char *c = key; *c; c++) *c = isprint((unsigned char)*c) ? *c : '?';
    snprintf(message, sizeof message, "\"%s\": expected cdp=, tnmo= or vnmo= and a list of numbers without blanks", key);
    return fail_here(r, line_number, column, "write cdp=100,200 tnmo=0,1.5 vnmo=1500,2200 tnmo=... vnmo=...", message);
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

static moho_status read_su_words(reader *r, su *s, const char *text, size_t length) {
  line l = {0};
  size_t at = 0;
  while (next_line(text, length, &at, &l)) {
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
    return fail_here(r, l.number, 1, "each function is a tnmo= followed by its vnmo=", "the last tnmo has no vnmo");
  if (s->has_cdp && s->functions < s->cdp.n) {
    snprintf(message, sizeof message, "cdp= lists %zu, but there are %zu functions", s->cdp.n, s->functions);
    return fail_here(r, l.number, 1, "cdp= needs one number a tnmo/vnmo pair", message);
  }
  return MOHO_OK;
}

static moho_status read_su(reader *r, const char *text, size_t length) {
  su s = {0};
  moho_status status = read_su_words(r, &s, text, length);
  r->picks.position = s.has_cdp ? MOHO_PICK_CDP : MOHO_PICK_ANYWHERE;
  release_list(&s.cdp);
  release_list(&s.time);
  return status;
}

/* ---- formats ---- */

static const char *const formats[] = {"opendtect", "su", "cdp_time_velocity", "columns"};

static moho_status check_format(const char *format) {
  for (size_t i = 0; format && i < sizeof formats / sizeof *formats; i++)
    if (!strcmp(format, formats[i])) return MOHO_OK;
  if (!format) return MOHO_OK;
  const char *nearest = moho_nearest_name(format, formats, sizeof formats / sizeof *formats);
  return moho_fail_at((moho_place){.key = "format"}, "formats: opendtect, su, cdp_time_velocity, columns", MOHO_ERROR_KEY,
                      "velocity table format \"%.100s\" is not known%s%s", format, nearest ? "; did you mean " : "",
                      nearest ? nearest : "");
}

static moho_status fail_unnamed(const reader *r, const line *data, size_t n) {
  char message[200];
  snprintf(message, sizeof message, "%zu columns and no line that names them", n);
  return fail_here(
      r, data->number, 1,
      "declare them, velocity.columns: x,y,time_ms,velocity - or begin the file with a line such as: X Y Time(ms) Vrms", message);
}

/* Lines of columns: as declared, by the file's heading, or by the format's own order. */
static moho_status read_columns(reader *r, const char *text, size_t length, const char *format) {
  line data;
  moho_fields fields;
  moho_columns c;
  int found = 0, declared = format && !strcmp(format, "columns");
  if (declared) MOHO_TRY(moho_columns_declared(r->options->columns, &c));
  if (declared ? !first_declared(text, length, &c, &data, &fields) : !first_data(text, length, &data, &fields))
    return fail_here(r, 1, 1, "lines such as: 100 1.2 2350", "no line of numbers in the velocity table");
  if (!declared) MOHO_TRY(find_heading(r, text, length, &data, fields.n, &found, &c));
  const char *plain = fields.n == 3 ? "cdp_time_velocity" : NULL;
  if (!format) format = found ? "opendtect" : plain;
  if (!format) return fail_unnamed(r, &data, fields.n);
  if (!declared && !found)
    MOHO_TRY(moho_columns_declared(strcmp(format, "opendtect") ? "cdp,time_s,velocity" : "x,y,time_s,velocity", &c));
  snprintf(r->picks.format, sizeof r->picks.format, "%s", format);
  return read_rows(r, text, length, &c, data.number);
}

static int has_su_keys(const char *text, size_t length) {
  return memmem(text, length, "tnmo=", 5) || memmem(text, length, "vnmo=", 5);
}

static moho_status parse(reader *r, const char *text, size_t length) {
  const char *format = r->options->format;
  MOHO_TRY(check_format(format));
  if (!format && r->options->columns) format = "columns";
  if (format && !strcmp(format, "columns") && !r->options->columns)
    return moho_fail_at((moho_place){.key = "columns"}, "velocity.columns: x,y,time_ms,velocity", MOHO_ERROR_KEY,
                        "velocity table format columns: the columns are not declared");
  if (!format && has_su_keys(text, length)) format = "su";
  if (!format || strcmp(format, "su")) return read_columns(r, text, length, format);
  snprintf(r->picks.format, sizeof r->picks.format, "su");
  return read_su(r, text, length);
}

moho_status moho_picks_parse(const char *text, size_t length, const char *name, const moho_velocity_options *options,
                             moho_picks *out) {
  reader r = {.name = name, .options = options};
  *out = (moho_picks){0};
  moho_status status = parse(&r, text, length);
  if (!status && r.picks.n == 0) status = fail_here(&r, 1, 1, "lines such as: 100 1.2 2350", "the velocity table has no picks");
  if (status) moho_picks_release(&r.picks);
  else *out = r.picks;
  return status;
}

void moho_picks_release(moho_picks *picks) {
  free(picks->pick);
  *picks = (moho_picks){0};
}
