/* job_value.c - one value of the job file typed: numbers with units, words, paths, points, header maps.
 *
 * "3 km" and "3,000" are errors whose hint says what was probably meant.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "job/job.h"

typedef struct value_reader {
  const char *name, *directory;
  const moho_job_key *key;
  const moho_yaml_node *node;
} value_reader;

void moho_job_value_clear(moho_job_value *value) {
  free(value->text);
  free(value->list);
  *value = (moho_job_value){0};
}

static moho_place place_of(const value_reader *reader) {
  moho_place place = {.file = reader->name, .key = reader->key->path};
  if (reader->name[0]) place.line = reader->node->line, place.column = reader->node->column;
  return place;
}

/* "job.yaml:3:5: key", or "key" on the command line. */
static const char *where(const value_reader *reader, char buffer[400]) {
  if (reader->name[0])
    snprintf(buffer, 400, "%s:%d:%d: %s", reader->name, reader->node->line, reader->node->column, reader->key->path);
  else snprintf(buffer, 400, "%s", reader->key->path);
  return buffer;
}

/* What the file has, for "got". */
static const char *shown(const moho_yaml_node *node, char buffer[120]) {
  if (node->kind == MOHO_YAML_LIST) return node->first ? "a list" : "an empty list";
  if (node->kind == MOHO_YAML_MAP) return node->first ? "a map" : "an empty map";
  if (!node->quoted && !node->text[0]) return "empty";
  snprintf(buffer, 120, "\"%.100s\"", node->text);
  return buffer;
}

static moho_status wrong_type(const value_reader *reader, const char *hint) {
  char got[120], expected[300], here[400];
  return moho_fail_at(place_of(reader), hint, MOHO_ERROR_FORMAT, "%s is %s, expected %s", where(reader, here),
                      shown(reader->node, got), moho_job_type_text(reader->key, expected));
}

static moho_status not_available(const value_reader *reader, const char *what) {
  char here[400], words[200], hint[400];
  moho_words_text(reader->key->words, words);
  if (words[0]) snprintf(hint, sizeof hint, "available now: %s", words);
  else if (reader->key->type == MOHO_JOB_TEXT) snprintf(hint, sizeof hint, "available now: %s", reader->key->help);
  else snprintf(hint, sizeof hint, "leave it out: it comes with \"%s\"", reader->key->later);
  return moho_fail_at(place_of(reader), hint, MOHO_ERROR_NOT_AVAILABLE, "%s%s%s is not yet available", where(reader, here),
                      what[0] ? ": " : "", what);
}

static moho_status keep_text(moho_job_value *out, const char *text) {
  out->text = strdup(text);
  return out->text ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
}

/* ---- numbers ---- */

/* Factors from units that people write to the unit of a key. */
static const struct {
  const char *written, *unit;
  double factor;
} conversions[] = {
    {"m", "m", 1},      {"km", "m", 1000},     {"ft", "m", 0.3048},       {"s", "s", 1},
    {"ms", "s", 0.001}, {"m/s", "m/s", 1},     {"km/s", "m/s", 1000},     {"ft/s", "m/s", 0.3048},
    {"mps", "m/s", 1},  {"deg", "degrees", 1}, {"degrees", "degrees", 1}, {"%", "fraction", 0.01},
    {"gb", "GB", 1},    {"mb", "GB", 0.001},
};

/* What was probably meant by text that is not a number; "" when unknown. */
static const char *number_hint(const moho_job_key *key, const char *text, char hint[200]) {
  char plain[64], *rest;
  size_t length = 0, commas = 0;
  hint[0] = '\0';
  for (const char *c = text; *c && length + 1 < sizeof plain; c++) {
    if (*c == ',' || *c == '_') commas++;
    else plain[length++] = *c;
  }
  plain[length] = '\0';
  double number = strtod(plain, &rest);
  if (rest == plain || !isfinite(number)) return hint;
  while (*rest == ' ') rest++;
  for (size_t i = 0; i < sizeof conversions / sizeof *conversions; i++)
    if (strcasecmp(rest, conversions[i].written) == 0 && strcmp(key->unit, conversions[i].unit) == 0) {
      snprintf(hint, 200, "write %.10g: the unit is %s and is not written", number * conversions[i].factor, key->unit);
      return hint;
    }
  if (commas && !*rest) snprintf(hint, 200, "write %.15g: digits are not grouped", number);
  else if (*rest) snprintf(hint, 200, "write the number alone%s%s", key->unit[0] ? ", in " : "", key->unit);
  return hint;
}

static moho_status out_of_range(const value_reader *reader, double number) {
  char here[400];
  const moho_job_key *key = reader->key;
  const char *space = key->unit[0] ? " " : "";
  return moho_fail_at(place_of(reader), "check the value and its unit", MOHO_ERROR_RANGE,
                      "%s is %.15g%s%s, expected %.10g to %.10g", where(reader, here), number, space, key->unit, key->min,
                      key->max);
}

/* A near miss of a word beside a number: "autp". */
static moho_status wrong_number(const value_reader *reader) {
  char hint[200], nearest[64];
  const char *text = reader->node->text;
  if (reader->node->quoted) return wrong_type(reader, "remove the quotes: a number is written plainly");
  if (moho_words_nearest(reader->key->words, text, nearest)) snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
  else if (!text[0]) snprintf(hint, sizeof hint, "give a value, or leave the key out");
  else number_hint(reader->key, text, hint);
  return wrong_type(reader, hint);
}

static moho_status read_number(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  if (node->kind != MOHO_YAML_SCALAR) return wrong_type(reader, "give a single value");
  if (moho_words_have(reader->key->words, node->text)) {
    out->is_word = 1;
    return keep_text(out, node->text);
  }
  int64_t whole = 0;
  int failed = node->quoted;
  if (!failed && reader->key->type == MOHO_JOB_WHOLE) {
    failed = moho_parse_int(node->text, reader->key->path, &whole) != MOHO_OK;
    out->number = (double)whole;
  } else if (!failed) {
    failed = moho_parse_double(node->text, reader->key->path, &out->number) != MOHO_OK;
  }
  if (failed) return wrong_number(reader);
  if (!(out->number >= reader->key->min && out->number <= reader->key->max)) return out_of_range(reader, out->number);
  return MOHO_OK;
}

/* ---- words, flags, text, paths ---- */

static moho_status read_word_text(const value_reader *reader, const moho_yaml_node *node) {
  char nearest[64], hint[200] = "";
  if (node->kind == MOHO_YAML_SCALAR) {
    if (moho_words_have(reader->key->words, node->text)) return MOHO_OK;
    if (moho_words_have(reader->key->later, node->text)) return not_available(reader, node->text);
    if (moho_words_nearest(reader->key->words, node->text, nearest)) snprintf(hint, sizeof hint, "did you mean \"%s\"?", nearest);
    else if (moho_words_nearest(reader->key->later, node->text, nearest))
      snprintf(hint, sizeof hint, "\"%s\" is not yet available", nearest);
  } else if (node->kind == MOHO_YAML_MAP && node->first && moho_words_have(reader->key->later, node->first->key)) {
    return not_available(reader, node->first->key);
  }
  return wrong_type(reader, hint[0] ? hint : "choose one of them");
}

static moho_status read_word(const value_reader *reader, moho_job_value *out) {
  MOHO_TRY(read_word_text(reader, reader->node));
  out->is_word = 1;
  return keep_text(out, reader->node->text);
}

/* [zarr, segy] as "zarr,segy"; each at most once. */
static moho_status read_words(const value_reader *reader, moho_job_value *out) {
  char joined[200] = "";
  size_t used = 0;
  if (reader->node->kind != MOHO_YAML_LIST || !reader->node->first) return wrong_type(reader, "write a list: [zarr, segy]");
  for (const moho_yaml_node *child = reader->node->first; child; child = child->next) {
    value_reader each = {reader->name, reader->directory, reader->key, child};
    MOHO_TRY(read_word_text(&each, child));
    if (strstr(joined, child->text)) return wrong_type(&each, "name each format once");
    used += (size_t)snprintf(joined + used, sizeof joined - used, "%s%s", used ? "," : "", child->text);
  }
  return keep_text(out, joined);
}

static moho_status read_flag(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  static const char *const yes = "true|True|TRUE|yes|Yes|YES|on|On|ON", *const no = "false|False|FALSE|no|No|NO|off|Off|OFF";
  if (node->kind != MOHO_YAML_SCALAR || node->quoted) return wrong_type(reader, "write true or false");
  if (!moho_words_have(yes, node->text) && !moho_words_have(no, node->text)) return wrong_type(reader, "write true or false");
  out->number = moho_words_have(yes, node->text);
  return MOHO_OK;
}

static moho_status read_path(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  if (node->kind != MOHO_YAML_SCALAR || !node->text[0]) return wrong_type(reader, "give the path of a file or directory");
  out->is_word = 1;
  if (!node->quoted && moho_words_have(reader->key->words, node->text)) return keep_text(out, node->text);
  if (node->text[0] == '/' || !reader->directory[0]) return keep_text(out, node->text);
  if (asprintf(&out->text, "%s/%s", reader->directory, node->text) < 0) {
    out->text = NULL;
    return moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
  }
  return MOHO_OK;
}

/* Text may begin with words that belong to later backends: "cuda:0". */
static moho_status read_text(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  if (node->kind != MOHO_YAML_SCALAR || !node->text[0]) return wrong_type(reader, NULL);
  char first[64];
  snprintf(first, sizeof first, "%.*s", (int)strcspn(node->text, ":?"), node->text);
  if (moho_words_have(reader->key->later, first)) return not_available(reader, first);
  out->is_word = 1;
  return keep_text(out, node->text);
}

/* ---- points ---- */

static moho_status read_coordinate(const value_reader *reader, const moho_yaml_node *node, double *out) {
  value_reader each = {reader->name, reader->directory, reader->key, node};
  if (node->kind != MOHO_YAML_SCALAR) return wrong_type(&each, "write [[x, y], [x, y], ...]");
  if (node->quoted || moho_parse_double(node->text, reader->key->path, out)) return wrong_number(&each);
  return MOHO_OK;
}

static moho_status read_point(const value_reader *reader, const moho_yaml_node *node, double point[2]) {
  value_reader each = {reader->name, reader->directory, reader->key, node};
  if (node->kind != MOHO_YAML_LIST || !node->first || !node->first->next || node->first->next->next)
    return wrong_type(&each, "a point is [x, y], in metres");
  MOHO_TRY(read_coordinate(reader, node->first, &point[0]));
  return read_coordinate(reader, node->first->next, &point[1]);
}

static moho_status read_points(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  if (node->kind != MOHO_YAML_LIST) return wrong_type(reader, "write [[x, y], [x, y], [x, y]]");
  size_t count = 0;
  for (const moho_yaml_node *child = node->first; child; child = child->next) count++;
  if (count < (size_t)reader->key->min || count > (size_t)reader->key->max) {
    char here[400];
    const char *hint = reader->key->max > 4 ? "leave out points that lie on a line between others"
                                            : "give three or four corners, or two for a line";
    return moho_fail_at(place_of(reader), hint, MOHO_ERROR_FORMAT, "%s has %zu points, expected %g to %g", where(reader, here),
                        count, reader->key->min, reader->key->max);
  }
  for (const moho_yaml_node *child = node->first; child; child = child->next)
    MOHO_TRY(read_point(reader, child, out->points[out->n_points++]));
  return MOHO_OK;
}

/* ---- ranges ---- */

static int is_pair(const moho_yaml_node *node) {
  return node->kind == MOHO_YAML_LIST && node->first && node->first->next && !node->first->next->next;
}

static moho_status read_range_end(const value_reader *reader, const moho_yaml_node *node, double *out) {
  value_reader each = {reader->name, reader->directory, reader->key, node};
  if (node->kind != MOHO_YAML_SCALAR || node->quoted || moho_parse_double(node->text, reader->key->path, out)) {
    char got[120], here[400], hint[200] = "";
    if (node->kind == MOHO_YAML_SCALAR && !node->quoted) number_hint(reader->key, node->text, hint);
    return moho_fail_at(place_of(&each), hint[0] ? hint : "each end of a range is a plain number; no end: a large one",
                        MOHO_ERROR_FORMAT, "%s is %s, expected a number in %s", where(&each, here), shown(node, got),
                        reader->key->unit);
  }
  return *out >= reader->key->min && *out <= reader->key->max ? MOHO_OK : out_of_range(&each, *out);
}

static moho_status read_range_pair(const value_reader *reader, const moho_yaml_node *node, const char *hint, double range[2]) {
  value_reader each = {reader->name, reader->directory, reader->key, node};
  if (!is_pair(node)) return wrong_type(&each, hint);
  MOHO_TRY(read_range_end(reader, node->first, &range[0]));
  return read_range_end(reader, node->first->next, &range[1]);
}

static moho_status read_range(const value_reader *reader, moho_job_value *out) {
  char here[400];
  out->n_points = 1;
  MOHO_TRY(read_range_pair(reader, reader->node, "write [0, 3000]", out->points[0]));
  if (out->points[0][0] <= out->points[0][1]) return MOHO_OK;
  return moho_fail_at(place_of(reader), "the smaller number stands first", MOHO_ERROR_RANGE,
                      "%s is [%.15g, %.15g], which holds nothing", where(reader, here), out->points[0][0], out->points[0][1]);
}

/* One range may stand without the outer brackets. */
static moho_status read_ranges(const value_reader *reader, moho_job_value *out) {
  static const char hint[] = "write [[80, 100], [260, 280]]";
  const moho_yaml_node *node = reader->node;
  char here[400];
  if (node->kind != MOHO_YAML_LIST || !node->first) return wrong_type(reader, hint);
  if (node->first->kind == MOHO_YAML_SCALAR) {
    out->n_points = 1;
    return read_range_pair(reader, node, hint, out->points[0]);
  }
  for (const moho_yaml_node *child = node->first; child; child = child->next) {
    if (out->n_points == MOHO_JOB_MAX_POINTS)
      return moho_fail_at(place_of(reader), "join neighbours", MOHO_ERROR_FORMAT, "%s has more than %d ranges",
                          where(reader, here), MOHO_JOB_MAX_POINTS);
    MOHO_TRY(read_range_pair(reader, child, hint, out->points[out->n_points]));
    out->n_points++;
  }
  return MOHO_OK;
}

/* ---- lists of numbers ---- */

enum { MOST_NUMBERS = 20000 };

static moho_status read_list_number(const value_reader *reader, const moho_yaml_node *node, double *out) {
  value_reader each = {reader->name, reader->directory, reader->key, node};
  if (node->kind != MOHO_YAML_SCALAR) return wrong_type(&each, "write plain numbers: [0, 500, 1000]");
  if (node->quoted || moho_parse_double(node->text, reader->key->path, out)) return wrong_number(&each);
  if (!(*out >= reader->key->min && *out <= reader->key->max)) return out_of_range(&each, *out);
  return MOHO_OK;
}

static moho_status take_list(moho_job_value *out, size_t n) {
  out->n_list = n;
  out->list = calloc(n ? n : 1, sizeof *out->list);
  return out->list ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
}

/* {first: 0, last: 3000, step: 100}: last is one of them. */
static moho_status read_steps(const value_reader *reader, moho_job_value *out) {
  static const char *const names[] = {"first", "last", "step"}, *const hint = "write {first: 0, last: 3000, step: 100}";
  double given[3];
  int seen = 0;
  for (const moho_yaml_node *child = reader->node->first; child; child = child->next) {
    int which = 0;
    while (which < 3 && strcmp(child->key, names[which]) != 0) which++;
    if (which == 3 || seen >> which & 1) return wrong_type(reader, hint);
    MOHO_TRY(read_list_number(reader, child, &given[which]));
    seen |= 1 << which;
  }
  if (seen != 7 || !(given[2] > 0) || !(given[1] > given[0])) return wrong_type(reader, hint);
  double steps = (given[1] - given[0]) / given[2];
  if (fabs(steps - rint(steps)) > 1e-6 * steps || steps >= MOST_NUMBERS)
    return wrong_type(reader, "last - first must be a whole number of steps, at most 20000");
  MOHO_TRY(take_list(out, (size_t)rint(steps) + 1));
  for (size_t i = 0; i < out->n_list; i++) out->list[i] = given[0] + (double)i * given[2];
  return MOHO_OK;
}

static moho_status read_numbers(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  size_t count = 0;
  if (node->kind == MOHO_YAML_MAP && node->first) return read_steps(reader, out);
  if (node->kind != MOHO_YAML_LIST || !node->first) return wrong_type(reader, "write a list: [0, 500, 1000]");
  for (const moho_yaml_node *child = node->first; child; child = child->next) count++;
  if (count > MOST_NUMBERS) return wrong_type(reader, "at most 20000 numbers");
  MOHO_TRY(take_list(out, count));
  count = 0;
  for (const moho_yaml_node *child = node->first; child; child = child->next)
    MOHO_TRY(read_list_number(reader, child, &out->list[count++]));
  return MOHO_OK;
}

/* ---- headers ---- */

/* {source_x: 73, cdp: "21:i4"} as "source_x=73,cdp=21:i4"; the survey checks names and bytes. */
static moho_status read_headers(const value_reader *reader, moho_job_value *out) {
  const moho_yaml_node *node = reader->node;
  char joined[2000];
  size_t used = 0;
  if (node->kind == MOHO_YAML_SCALAR) return read_word(reader, out);
  if (node->kind != MOHO_YAML_MAP || !node->first) return wrong_type(reader, "write {source_x: 73, cdp: \"21:i4\"}");
  for (const moho_yaml_node *child = node->first; child; child = child->next) {
    value_reader each = {reader->name, reader->directory, reader->key, child};
    if (child->kind != MOHO_YAML_SCALAR || !child->text[0] || strpbrk(child->text, ",=") || strpbrk(child->key, ",="))
      return wrong_type(&each, "each header is name: byte or name: \"byte:type\"");
    int length = snprintf(joined + used, sizeof joined - used, "%s%s=%s", used ? "," : "", child->key, child->text);
    if (length < 0 || (size_t)length >= sizeof joined - used) return wrong_type(&each, "fewer headers, please");
    used += (size_t)length;
  }
  return keep_text(out, joined);
}

/* A section given as a word: grid: auto. Its map is read key by key elsewhere. */
static moho_status read_section(const value_reader *reader, moho_job_value *out) {
  if (reader->node->kind == MOHO_YAML_MAP) return MOHO_OK;
  if (reader->key->words[0]) return read_word(reader, out);
  return wrong_type(reader, "a section holds keys: write \"section: {key: value}\" or indent the keys below it");
}

static moho_status read_typed(const value_reader *reader, moho_job_value *out) {
  switch (reader->key->type) {
  case MOHO_JOB_SECTION: return read_section(reader, out);
  case MOHO_JOB_NUMBER:
  case MOHO_JOB_WHOLE: return read_number(reader, out);
  case MOHO_JOB_WORD: return read_word(reader, out);
  case MOHO_JOB_WORDS: return read_words(reader, out);
  case MOHO_JOB_FLAG: return read_flag(reader, out);
  case MOHO_JOB_PATH: return read_path(reader, out);
  case MOHO_JOB_TEXT: return read_text(reader, out);
  case MOHO_JOB_POINT: out->n_points = 1; return read_point(reader, reader->node, out->points[0]);
  case MOHO_JOB_POINTS: return read_points(reader, out);
  case MOHO_JOB_RANGE: return read_range(reader, out);
  case MOHO_JOB_RANGES: return read_ranges(reader, out);
  case MOHO_JOB_NUMBERS: return read_numbers(reader, out);
  case MOHO_JOB_HEADERS: return read_headers(reader, out);
  case MOHO_JOB_LATER: return not_available(reader, "");
  }
  return moho_fail(MOHO_ERROR_INTERNAL, "job: key %s has no type", reader->key->path);
}

moho_status moho_job_value_read(const char *name, const char *directory, moho_job_id id, const moho_yaml_node *node,
                                moho_job_value *out) {
  value_reader reader = {name, directory, &moho_job_keys[id], node};
  moho_job_value fresh = {.given = 1, .line = name[0] ? node->line : 0, .column = name[0] ? node->column : 0};
  moho_status status = read_typed(&reader, &fresh);
  if (status) {
    moho_job_value_clear(&fresh);
    return status;
  }
  moho_job_value_clear(out);
  *out = fresh;
  return MOHO_OK;
}
