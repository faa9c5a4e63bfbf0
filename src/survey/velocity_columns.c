/* velocity_columns.c - names of columns to their meaning: declared ones strictly, those of foreign headings by their habits. */
#include "survey/velocity_columns.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/fail.h"
#include "survey/velocity_model.h"

/* ---- splitting ---- */

static int is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\0';
}

static int is_mark(char c) {
  return c == ',' || c == ';';
}

moho_fields moho_fields_split(const char *line, size_t length) {
  moho_fields fields = {0};
  size_t i = 0;
  int tight = 0, loose = 0;
  while (i < length) {
    size_t gap = i, marks = 0;
    while (i < length && (is_blank(line[i]) || is_mark(line[i]))) marks += (size_t)is_mark(line[i++]);
    if (i == length) break;
    if (gap > 0) {
      if (marks == 0) loose = 1;
      else if (i - gap == marks && !tight) tight = (int)i;
    }
    size_t start = i;
    while (i < length && !is_blank(line[i]) && !is_mark(line[i])) i++;
    if (fields.n == MOHO_COLUMNS) {
      fields.too_many = 1;
      break;
    }
    fields.field[fields.n++] = (moho_field){line + start, i - start, (int)start + 1};
  }
  fields.thousands = loose ? tight : 0;
  return fields;
}

/* ---- meanings ---- */

typedef enum { SKIP, X, Y, INLINE, CROSSLINE, CDP, TIME, VELOCITY, RMS, INTERVAL, AVERAGE, ETA } meaning;

static moho_columns no_columns(size_t n) {
  return (moho_columns){n, -1, -1, -1, -1, -1, -1, -1, 1, 1, MOHO_PICK_ANYWHERE};
}

static int *slot_of(moho_columns *c, meaning m) {
  switch (m) {
  case X: return &c->x;
  case Y: return &c->y;
  case INLINE: return &c->inline_number;
  case CROSSLINE: return &c->crossline_number;
  case CDP: return &c->cdp;
  case TIME: return &c->time;
  case VELOCITY: return &c->velocity;
  default: return NULL;
  }
}

/* What is needed and not there, NULL when the columns suffice; settles which position is used. */
static const char *missing(moho_columns *c) {
  if (c->time < 0) return "time";
  if (c->velocity < 0) return "velocity";
  if (c->x >= 0 && c->y >= 0) c->position = MOHO_PICK_XY;
  else if (c->inline_number >= 0 && c->crossline_number >= 0) c->position = MOHO_PICK_INLINE_CROSSLINE;
  else if (c->cdp >= 0) c->position = MOHO_PICK_CDP;
  else if (c->x >= 0) return "y";
  else if (c->y >= 0) return "x";
  else if (c->inline_number >= 0) return "crossline";
  else if (c->crossline_number >= 0) return "inline";
  return NULL;
}

/* ---- declared ---- */

static const struct declared_name {
  const char *name;
  meaning meaning;
  double scale;
} declared_names[] = {{"x", X, 1},
                      {"y", Y, 1},
                      {"inline", INLINE, 1},
                      {"crossline", CROSSLINE, 1},
                      {"cdp", CDP, 1},
                      {"time_s", TIME, 1},
                      {"time_ms", TIME, 1e-3},
                      {"velocity", VELOCITY, 1},
                      {"velocity_fps", VELOCITY, 0.3048},
                      {"eta", VELOCITY, 1},
                      {"skip", SKIP, 1}};

enum { DECLARED = sizeof declared_names / sizeof *declared_names };

static moho_status unknown_name(const char *name) {
  const char *names[DECLARED], *nearest;
  for (size_t i = 0; i < DECLARED; i++) names[i] = declared_names[i].name;
  nearest = strcmp(name, "time") == 0 ? "time_s or time_ms" : moho_nearest_name(name, names, DECLARED);
  return moho_fail_at((moho_place){.key = "columns"},
                      "names: x y inline crossline cdp time_s time_ms velocity velocity_fps, and skip for what is not needed",
                      MOHO_ERROR_KEY, "velocity table columns: \"%s\" is not a column's name%s%s", name,
                      nearest ? "; did you mean " : "", nearest ? nearest : "");
}

static moho_status declare(moho_columns *c, const char *name, int index) {
  for (size_t i = 0; i < DECLARED; i++) {
    if (strcmp(name, declared_names[i].name)) continue;
    int *slot = slot_of(c, declared_names[i].meaning);
    if (!slot) return MOHO_OK;
    if (*slot >= 0)
      return moho_fail_at((moho_place){.key = "columns"}, "name each column once; skip for those not needed", MOHO_ERROR_KEY,
                          "velocity table columns: \"%s\" says again what column %d is", name, *slot + 1);
    *slot = index;
    if (declared_names[i].meaning == TIME) c->time_scale = declared_names[i].scale;
    if (declared_names[i].meaning == VELOCITY) c->velocity_scale = declared_names[i].scale;
    return MOHO_OK;
  }
  return unknown_name(name);
}

moho_status moho_columns_declared(const char *declaration, moho_columns *out) {
  moho_fields names = moho_fields_split(declaration, strlen(declaration));
  moho_columns c = no_columns(names.n);
  if (names.n == 0 || names.too_many)
    return moho_fail_at((moho_place){.key = "columns"}, "for example x,y,time_ms,velocity", MOHO_ERROR_KEY,
                        "velocity table columns: %s, expected 2 to %d names", names.n ? "too many" : "none named", MOHO_COLUMNS);
  for (size_t i = 0; i < names.n; i++) {
    char name[MOHO_FIELD];
    snprintf(name, sizeof name, "%.*s", (int)(names.field[i].length < 60 ? names.field[i].length : 60), names.field[i].text);
    MOHO_TRY(declare(&c, name, (int)i));
  }
  const char *lack = missing(&c);
  if (lack)
    return moho_fail_at((moho_place){.key = "columns"},
                        "a table needs time_s or time_ms, velocity or velocity_fps, and x,y or inline,crossline or cdp",
                        MOHO_ERROR_KEY, "velocity table columns \"%.200s\": %s is missing", declaration, lack);
  *out = c;
  return MOHO_OK;
}

/* ---- headings ---- */

static const struct heading_name {
  const char *name; /* lower case, letters and digits only */
  meaning meaning;
} heading_names[] = {{"x", X},
                     {"cdpx", X},
                     {"cmpx", X},
                     {"xcoord", X},
                     {"xcoordinate", X},
                     {"coordx", X},
                     {"easting", X},
                     {"y", Y},
                     {"cdpy", Y},
                     {"cmpy", Y},
                     {"ycoord", Y},
                     {"ycoordinate", Y},
                     {"coordy", Y},
                     {"northing", Y},
                     {"inline", INLINE},
                     {"inl", INLINE},
                     {"iline", INLINE},
                     {"il", INLINE},
                     {"crossline", CROSSLINE},
                     {"crl", CROSSLINE},
                     {"xline", CROSSLINE},
                     {"xl", CROSSLINE},
                     {"crossl", CROSSLINE},
                     {"cdp", CDP},
                     {"cmp", CDP},
                     {"tracenr", CDP},
                     {"tracenumber", CDP},
                     {"trace", CDP},
                     {"time", TIME},
                     {"t", TIME},
                     {"t0", TIME},
                     {"twt", TIME},
                     {"tnmo", TIME},
                     {"z", TIME},
                     {"velocity", VELOCITY},
                     {"vel", VELOCITY},
                     {"v", VELOCITY},
                     {"vrms", RMS},
                     {"rms", RMS},
                     {"vnmo", RMS},
                     {"vstk", RMS},
                     {"vstack", RMS},
                     {"rmsvelocity", RMS},
                     {"vint", INTERVAL},
                     {"interval", INTERVAL},
                     {"intervalvelocity", INTERVAL},
                     {"vavg", AVERAGE},
                     {"vave", AVERAGE},
                     {"average", AVERAGE},
                     {"averagevelocity", AVERAGE},
                     {"eta", ETA},
                     {"etaeff", ETA},
                     {"etaint", ETA}};

enum { HEADINGS = sizeof heading_names / sizeof *heading_names };

typedef struct heading {
  char name[MOHO_FIELD], unit[MOHO_FIELD]; /* "time", "ms" */
} heading;

/* "CDP-X" -> cdpx; "Time(ms)", "time[ms]", "time_ms" -> time, ms. */
static heading read_heading(const moho_field *field) {
  heading h = {{0}, {0}};
  size_t n = 0, m = 0;
  int in_unit = 0;
  for (size_t i = 0; i < field->length && n + 1 < MOHO_FIELD && m + 1 < MOHO_FIELD; i++) {
    char c = (char)tolower((unsigned char)field->text[i]);
    if (c == '(' || c == '[') in_unit = 1;
    else if (c == ')' || c == ']') in_unit = 0;
    else if (in_unit) h.unit[m++] = c;
    else if (isalnum((unsigned char)c)) h.name[n++] = c;
    else if (c == '_' && n) { /* a unit when one follows to the end */
      static const char *const units[] = {"s", "ms", "mps", "fps", "m"};
      for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (field->length - i - 1 == strlen(units[u]) && !strncasecmp(field->text + i + 1, units[u], strlen(units[u])))
          in_unit = 1;
    }
  }
  return h;
}

static meaning meaning_of(const heading *h) {
  for (size_t i = 0; i < HEADINGS; i++)
    if (!strcmp(h->name, heading_names[i].name)) return heading_names[i].meaning;
  return SKIP;
}

static int one_of(const char *text, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (!strcmp(text, names[i])) return 1;
  return 0;
}

/* The scale to s, m/s or m; 0 when the unit is not understood. */
static double scale_of(meaning m, const char *unit) {
  static const char *const s[] = {"", "s", "sec", "seconds"}, *const ms[] = {"ms", "msec", "milliseconds"};
  static const char *const mps[] = {"", "m/s", "mps", "m/sec"}, *const fps[] = {"ft/s", "fps", "ft/sec"},
                           *const metres[] = {"", "m"};
  if (m == TIME) return one_of(unit, s, 4) ? 1 : one_of(unit, ms, 3) ? 1e-3 : 0;
  if (m == VELOCITY) return one_of(unit, mps, 4) ? 1 : one_of(unit, fps, 3) ? 0.3048 : 0;
  return m == X || m == Y ? one_of(unit, metres, 2) : 1;
}

/* A unit parted from its name by a blank, "Time (ms)", is no column of its own. */
static size_t join_units(const moho_fields *fields, heading *headings) {
  size_t n = 0;
  for (size_t i = 0; i < fields->n; i++) {
    heading h = read_heading(&fields->field[i]);
    if (!h.name[0] && h.unit[0] && n) memcpy(headings[n - 1].unit, h.unit, sizeof h.unit);
    else headings[n++] = h;
  }
  return n;
}

static const char *kind_name(moho_velocity_kind kind) {
  if (kind == MOHO_VELOCITY_ETA) return "eta";
  return kind == MOHO_VELOCITY_RMS ? "rms" : kind == MOHO_VELOCITY_INTERVAL ? "interval" : "average";
}

/* Of several velocities the one asked for; one of another kind alone is a mistake, not a fallback. */
static meaning settle(meaning m, moho_velocity_kind kind, meaning *other) {
  if (kind == MOHO_VELOCITY_ETA) return m == ETA ? VELOCITY : m == VELOCITY || (m >= RMS && m <= AVERAGE) ? SKIP : m;
  if (m == ETA) return SKIP;
  meaning wanted = kind == MOHO_VELOCITY_RMS ? RMS : kind == MOHO_VELOCITY_INTERVAL ? INTERVAL : AVERAGE;
  if (m == wanted) return VELOCITY;
  if (m == RMS || m == INTERVAL || m == AVERAGE) {
    *other = m;
    return SKIP;
  }
  return m;
}

static moho_status use_heading(moho_columns *c, const heading *h, meaning m, int index) {
  int *slot = slot_of(c, m);
  if (!slot || *slot >= 0) return MOHO_OK; /* the first of two of one meaning counts */
  double scale = scale_of(m, h->unit);
  if (scale == 0)
    return moho_fail_at((moho_place){0}, "convert the column, or declare the columns in velocity.columns", MOHO_ERROR_FORMAT,
                        "column %d, \"%s\", is in \"%s\"; expected s or ms, m/s or ft/s, m", index + 1, h->name, h->unit);
  *slot = index;
  if (m == TIME) c->time_scale = scale;
  if (m == VELOCITY) c->velocity_scale = scale;
  return MOHO_OK;
}

moho_status moho_columns_from_heading(const moho_fields *names, moho_velocity_kind kind, int *recognised, moho_columns *out) {
  heading headings[MOHO_COLUMNS];
  size_t n = join_units(names, headings), known = 0;
  moho_columns c = no_columns(n);
  meaning other = SKIP;
  *recognised = 0;
  for (size_t i = 0; i < n; i++) known += meaning_of(&headings[i]) != SKIP;
  if (known < 2 || names->too_many) return MOHO_OK;
  for (size_t i = 0; i < n; i++) MOHO_TRY(use_heading(&c, &headings[i], settle(meaning_of(&headings[i]), kind, &other), (int)i));
  const char *lack = missing(&c);
  if (lack && !strcmp(lack, "velocity") && kind == MOHO_VELOCITY_ETA) lack = "eta";
  if (lack && !strcmp(lack, "velocity") && other != SKIP)
    return moho_fail_at((moho_place){0}, "set velocity.type to what the column is: rms, interval or average", MOHO_ERROR_FORMAT,
                        "the heading names %s velocities, expected %s",
                        other == RMS        ? "rms"
                        : other == INTERVAL ? "interval"
                                            : "average",
                        kind_name(kind));
  if (lack)
    return moho_fail_at((moho_place){0}, "name the column in the heading, or declare all in velocity.columns", MOHO_ERROR_FORMAT,
                        "the heading names no %s column", lack);
  *recognised = 1;
  *out = c;
  return MOHO_OK;
}
