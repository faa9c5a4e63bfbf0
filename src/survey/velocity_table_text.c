/* velocity_table_text.c - picks of velocity functions from text: which format it is, and lines of columns. */
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
#include "survey/velocity_picks.h"

/* ---- picks ---- */

moho_status moho_picks_fail(const moho_picks_reader *r, int line_number, int column, const char *hint, const char *message) {
  return moho_fail_at((moho_place){.file = r->name, .line = line_number, .column = column}, hint, MOHO_ERROR_FORMAT,
                      "%s:%d:%d: %s", r->name, line_number, column, message);
}

static moho_status grow(moho_picks_reader *r) {
  if (r->picks.n < r->capacity) return MOHO_OK;
  size_t capacity = r->capacity ? 2 * r->capacity : 256;
  moho_pick *more = NULL;
  MOHO_TRY(moho_allocate(capacity, sizeof *more, "velocity picks", &more));
  if (r->picks.n) memcpy(more, r->picks.pick, r->picks.n * sizeof *more);
  free(r->picks.pick);
  r->picks.pick = more, r->capacity = capacity;
  return MOHO_OK;
}

static moho_status check_time(const moho_picks_reader *r, double time_s, int line_number, int column) {
  char message[160];
  if (time_s >= 0 && time_s <= moho_latest_s) return MOHO_OK;
  snprintf(message, sizeof message, "time %.6g s, expected 0 to %g s", time_s, moho_latest_s);
  return moho_picks_fail(
      r, line_number, column,
      time_s > moho_latest_s
          ? "the times look like ms: declare it, velocity.columns: cdp,time_ms,velocity (or x,y,time_ms,velocity)"
          : "two-way times start at 0",
      message);
}

static moho_status check_velocity(const moho_picks_reader *r, double v, int line_number, int column) {
  char what[400];
  if (v >= r->options->min_mps && v <= r->options->max_mps) return MOHO_OK;
  if (r->options->kind == MOHO_VELOCITY_ETA)
    return moho_fail_at((moho_place){.file = r->name, .line = line_number, .column = column},
                        "eta has no unit; check the order of the columns, or name them: \"x,y,time_s,eta\"", MOHO_ERROR_RANGE,
                        "%s:%d:%d: eta is %.6g, expected %g to %g", r->name, line_number, column, v, r->options->min_mps,
                        r->options->max_mps);
  snprintf(what, sizeof what, "%s:%d:%d: velocity", r->name, line_number, column);
  moho_velocity_check_value(v, r->options->min_mps, r->options->max_mps, what);
  return moho_fail_add_place((moho_place){.file = r->name, .line = line_number, .column = column}, NULL);
}

moho_status moho_picks_add(moho_picks_reader *r, moho_pick pick, int time_column, int velocity_column) {
  MOHO_TRY(check_time(r, pick.time_s, pick.line, time_column));
  MOHO_TRY(check_velocity(r, pick.v_mps, pick.line, velocity_column));
  MOHO_TRY(grow(r));
  r->picks.pick[r->picks.n++] = pick;
  return MOHO_OK;
}

moho_status moho_picks_number(const moho_picks_reader *r, const char *text, size_t length, int line_number, int column,
                              const char *what, double *out) {
  char copy[MOHO_FIELD], message[256];
  size_t kept = length < sizeof copy ? length : sizeof copy - 1;
  for (size_t i = 0; i < kept; i++) copy[i] = isprint((unsigned char)text[i]) ? text[i] : '?';
  copy[kept] = '\0';
  if (length < sizeof copy && moho_parse_double(copy, what, out) == MOHO_OK) return MOHO_OK;
  snprintf(message, sizeof message, "%s: got \"%s\", expected a plain number such as 12.5 (no unit)", what, copy);
  return moho_picks_fail(r, line_number, column, "comments begin with #; declare other columns in velocity.columns", message);
}

static moho_status position(const moho_picks_reader *r, const moho_field *field, int line_number, const char *what, double *out) {
  MOHO_TRY(moho_picks_number(r, field->text, field->length, line_number, field->column, what, out));
  if (fabs(*out) <= moho_farthest_m) return MOHO_OK;
  char message[160];
  snprintf(message, sizeof message, "%s is %.6g, expected at most %g", what, *out, moho_farthest_m);
  return moho_picks_fail(r, line_number, field->column, "check the order of the columns and the units (m)", message);
}

/* ---- lines of columns ---- */

int moho_text_next_line(const char *text, size_t length, size_t *at, moho_text_line *out) {
  if (*at >= length) return 0;
  const char *start = text + *at, *end = memchr(start, '\n', length - *at);
  size_t taken = end ? (size_t)(end - start) : length - *at;
  *out = (moho_text_line){start, taken, out->number + 1};
  *at += taken + 1;
  return 1;
}

static moho_fields data_fields(const moho_text_line *l) {
  size_t length = 0;
  while (length < l->length && l->text[length] != '#' && l->text[length] != '!') length++;
  return moho_fields_split(l->text, length);
}

static int begins_a_number(const moho_field *field) {
  return isdigit((unsigned char)field->text[0]) || strchr("+-.", field->text[0]);
}

/* The first line that is data: neither empty, a comment, nor words. */
static int first_data(const char *text, size_t length, moho_text_line *out, moho_fields *fields) {
  size_t at = 0;
  *out = (moho_text_line){0};
  while (moho_text_next_line(text, length, &at, out)) {
    *fields = data_fields(out);
    if (fields->n && begins_a_number(&fields->field[0])) return 1;
  }
  return 0;
}

/* Declared columns may begin with words (a line's name): the first line with as many fields, of which the time is a number. */
static int first_declared(const char *text, size_t length, const moho_columns *c, moho_text_line *out, moho_fields *fields) {
  size_t at = 0;
  *out = (moho_text_line){0};
  while (moho_text_next_line(text, length, &at, out)) {
    *fields = data_fields(out);
    if (fields->n == c->n && begins_a_number(&fields->field[c->time])) return 1;
  }
  return first_data(text, length, out, fields);
}

/* The last line of words or comment before the data that names as many columns as the data have. */
static moho_status find_heading(const moho_picks_reader *r, const char *text, size_t length, const moho_text_line *data,
                                size_t n_fields, int *found, moho_columns *columns) {
  moho_text_line l = {0};
  size_t at = 0;
  *found = 0;
  while (moho_text_next_line(text, length, &at, &l) && l.number < data->number) {
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

static moho_status read_row(moho_picks_reader *r, const moho_columns *c, const moho_text_line *l, const moho_fields *f) {
  moho_pick pick = {.line = l->number};
  char message[160];
  if (f->thousands)
    return moho_picks_fail(r, l->number, f->thousands, "write 3000, not 3,000; part all columns by commas, or all by blanks",
                           "a comma within a line that is parted by blanks");
  if (f->n != c->n || f->too_many) {
    snprintf(message, sizeof message, "%zu columns%s, expected %zu", f->n, f->too_many ? " or more" : "", c->n);
    return moho_picks_fail(r, l->number, 1, "every line has the same columns; name those not needed \"skip\" in velocity.columns",
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
  MOHO_TRY(moho_picks_number(r, time->text, time->length, l->number, time->column, "time", &pick.time_s));
  MOHO_TRY(moho_picks_number(r, velocity->text, velocity->length, l->number, velocity->column, "velocity", &pick.v_mps));
  pick.time_s *= c->time_scale, pick.v_mps *= c->velocity_scale;
  return moho_picks_add(r, pick, time->column, velocity->column);
}

/* Times declared as ms that all lie within 30 ms were seconds. */
static moho_status check_milliseconds(const moho_picks_reader *r, const moho_columns *c) {
  double latest = 0;
  for (size_t i = 0; i < r->picks.n; i++) latest = fmax(latest, r->picks.pick[i].time_s);
  if (c->time_scale == 1 || latest == 0 || latest > 1e-3 * moho_latest_s) return MOHO_OK;
  char message[160];
  snprintf(message, sizeof message, "the latest time of all is %.6g ms, expected more", 1e3 * latest);
  return moho_picks_fail(r, r->picks.pick[0].line, 1, "the times look like s: name the column time_s", message);
}

static moho_status read_rows(moho_picks_reader *r, const char *text, size_t length, const moho_columns *c, int from_line) {
  moho_text_line l = {0};
  size_t at = 0;
  r->picks.position = c->position;
  while (moho_text_next_line(text, length, &at, &l)) {
    moho_fields fields = data_fields(&l);
    if (l.number >= from_line && fields.n) MOHO_TRY(read_row(r, c, &l, &fields));
  }
  return check_milliseconds(r, c);
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

static moho_status fail_unnamed(const moho_picks_reader *r, const moho_text_line *data, size_t n) {
  char message[200];
  snprintf(message, sizeof message, "%zu columns and no line that names them", n);
  return moho_picks_fail(
      r, data->number, 1,
      "declare them, velocity.columns: x,y,time_ms,velocity - or begin the file with a line such as: X Y Time(ms) Vrms", message);
}

/* Lines of columns: as declared, by the file's heading, or by the format's own order. */
static moho_status read_columns(moho_picks_reader *r, const char *text, size_t length, const char *format) {
  moho_text_line data;
  moho_fields fields;
  moho_columns c;
  int found = 0, declared = format && !strcmp(format, "columns");
  if (declared) MOHO_TRY(moho_columns_declared(r->options->columns, &c));
  if (declared ? !first_declared(text, length, &c, &data, &fields) : !first_data(text, length, &data, &fields))
    return moho_picks_fail(r, 1, 1, "lines such as: 100 1.2 2350", "no line of numbers in the velocity table");
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

static moho_status parse(moho_picks_reader *r, const char *text, size_t length) {
  const char *format = r->options->format;
  MOHO_TRY(check_format(format));
  if (!format && r->options->columns) format = "columns";
  if (format && !strcmp(format, "columns") && !r->options->columns)
    return moho_fail_at((moho_place){.key = "columns"}, "velocity.columns: x,y,time_ms,velocity", MOHO_ERROR_KEY,
                        "velocity table format columns: the columns are not declared");
  if (!format && has_su_keys(text, length)) format = "su";
  if (!format || strcmp(format, "su")) return read_columns(r, text, length, format);
  snprintf(r->picks.format, sizeof r->picks.format, "su");
  return moho_picks_read_su(r, text, length);
}

moho_status moho_picks_parse(const char *text, size_t length, const char *name, const moho_velocity_options *options,
                             moho_picks *out) {
  moho_picks_reader r = {.name = name, .options = options};
  *out = (moho_picks){0};
  moho_status status = parse(&r, text, length);
  if (!status && r.picks.n == 0)
    status = moho_picks_fail(&r, 1, 1, "lines such as: 100 1.2 2350", "the velocity table has no picks");
  if (status) moho_picks_release(&r.picks);
  else *out = r.picks;
  return status;
}

void moho_picks_release(moho_picks *picks) {
  free(picks->pick);
  *picks = (moho_picks){0};
}
