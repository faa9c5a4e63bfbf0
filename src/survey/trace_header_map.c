/* trace_header_map.c - the map of trace headers: presets, SU's key names, and the user's own places. */
#include "survey/trace_header_map.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "base/number.h"
#include "survey/raw_read.h"

static const struct {
  const char *name, *su;
  moho_header_place standard, su_place;
} fields[] = {
#define MOHO_HEADER_ROW(field, name, su, byte, type, su_byte) \
  {name, su, {byte, MOHO_HEADER_##type}, {su_byte, MOHO_HEADER_##type}},
    MOHO_HEADER_TABLE(MOHO_HEADER_ROW)
#undef MOHO_HEADER_ROW
};

static const struct {
  const char *name;
  size_t size;
} types[] = {{"i2", 2}, {"i4", 4}, {"u2", 2}, {"u4", 4}, {"f4", 4}, {"ibm4", 4}, {"f8", 8}};

/* Headers that only people look at, by their names in SU. */
static const struct {
  const char *name;
  moho_header_place place;
} others[] = {{"tracl", {1, MOHO_HEADER_I4}},    {"tracr", {5, MOHO_HEADER_I4}},  {"fldr", {9, MOHO_HEADER_I4}},
              {"tracf", {13, MOHO_HEADER_I4}},   {"ep", {17, MOHO_HEADER_I4}},    {"cdpt", {25, MOHO_HEADER_I4}},
              {"nvs", {31, MOHO_HEADER_I2}},     {"nhs", {33, MOHO_HEADER_I2}},   {"duse", {35, MOHO_HEADER_I2}},
              {"swdep", {61, MOHO_HEADER_I4}},   {"gwdep", {65, MOHO_HEADER_I4}}, {"gain", {119, MOHO_HEADER_I2}},
              {"igc", {121, MOHO_HEADER_I2}},    {"igi", {123, MOHO_HEADER_I2}},  {"corr", {125, MOHO_HEADER_I2}},
              {"sfs", {127, MOHO_HEADER_I2}},    {"sfe", {129, MOHO_HEADER_I2}},  {"slen", {131, MOHO_HEADER_I2}},
              {"year", {157, MOHO_HEADER_I2}},   {"day", {159, MOHO_HEADER_I2}},  {"hour", {161, MOHO_HEADER_I2}},
              {"minute", {163, MOHO_HEADER_I2}}, {"sec", {165, MOHO_HEADER_I2}},  {"shotpoint", {197, MOHO_HEADER_I4}}};

enum {
  FIELD_COUNT = sizeof fields / sizeof *fields,
  TYPE_COUNT = sizeof types / sizeof *types,
  OTHER_COUNT = sizeof others / sizeof *others
};

const char *moho_header_field_name(moho_header_field field) {
  return fields[field].name;
}

size_t moho_header_type_size(moho_header_type type) {
  return types[type].size;
}

static int find_field(const char *name) {
  for (int i = 0; i < FIELD_COUNT; i++)
    if (strcasecmp(name, fields[i].name) == 0 || strcasecmp(name, fields[i].su) == 0) return i;
  return -1;
}

static int find_other(const char *name) {
  for (int i = 0; i < OTHER_COUNT; i++)
    if (strcasecmp(name, others[i].name) == 0) return i;
  return -1;
}

const char *moho_header_known(const char *name) {
  int field = find_field(name), other = find_other(name);
  return field >= 0 ? fields[field].name : other >= 0 ? others[other].name : NULL;
}

static size_t add_field_names(const char **names, size_t capacity) {
  size_t count = 0;
  for (size_t i = 0; i < FIELD_COUNT && count + 2 <= capacity; i++)
    names[count++] = fields[i].name, names[count++] = fields[i].su;
  return count;
}

size_t moho_header_names(const char **names, size_t capacity) {
  size_t count = add_field_names(names, capacity);
  for (size_t i = 0; i < OTHER_COUNT && count < capacity; i++) names[count++] = others[i].name;
  return count;
}

static moho_status unknown_name(const char *name, int with_others) {
  const char *names[2 * FIELD_COUNT + OTHER_COUNT];
  size_t capacity = sizeof names / sizeof *names;
  size_t count = with_others ? moho_header_names(names, capacity) : add_field_names(names, capacity);
  const char *near = moho_nearest_name(name, names, count);
  char hint[400];
  int used = near ? snprintf(hint, sizeof hint, "did you mean %s? ", near) : 0;
  used += snprintf(hint + used, sizeof hint - (size_t)used, "Names:");
  for (int i = 0; i < FIELD_COUNT && used < (int)sizeof hint - 24; i++)
    used += snprintf(hint + used, sizeof hint - (size_t)used, " %s", fields[i].name);
  return moho_fail_at((moho_place){.key = name}, hint, MOHO_ERROR_KEY, "unknown trace header \"%s\"", name);
}

static void use_preset(moho_header_map *map, int su) {
  for (int i = 0; i < FIELD_COUNT; i++) map->places[i] = su ? fields[i].su_place : fields[i].standard;
}

static moho_status parse_type(const char *name, const char *text, uint8_t *type) {
  const char *names[TYPE_COUNT];
  for (int i = 0; i < TYPE_COUNT; i++) {
    names[i] = types[i].name;
    if (strcasecmp(text, types[i].name) == 0) {
      *type = (uint8_t)i;
      return MOHO_OK;
    }
  }
  char hint[80];
  const char *near = moho_nearest_name(text, names, TYPE_COUNT);
  snprintf(hint, sizeof hint, near ? "did you mean %s?" : "write it as 73:i4", near);
  return moho_fail_at((moho_place){.key = name}, hint, MOHO_ERROR_KEY,
                      "header %s: type \"%s\", expected i2, i4, u2, u4, f4, ibm4 or f8", name, text);
}

/* "73", "73:i4" or "none"; a type not given stays. */
static moho_status parse_place(const char *name, char *text, moho_header_place *place) {
  int64_t byte;
  if (strcasecmp(text, "none") == 0) {
    place->byte = 0;
    return MOHO_OK;
  }
  char *colon = strchr(text, ':');
  if (colon) *colon = '\0';
  if (moho_parse_int(text, name, &byte))
    return moho_fail_at((moho_place){.key = name}, "write it as 73, 73:i4 or none", MOHO_ERROR_KEY,
                        "header %s: \"%s\" is no byte position", name, text);
  if (colon) MOHO_TRY(parse_type(name, colon + 1, &place->type));
  int64_t last = 241 - (int64_t)types[place->type].size;
  if (byte < 1 || byte > last)
    return moho_fail_at((moho_place){.key = name}, "bytes are counted from 1, as in the SEG-Y standard", MOHO_ERROR_KEY,
                        "header %s: byte %lld, expected 1 to %lld for %s in the 240 bytes of a trace header", name,
                        (long long)byte, (long long)last, types[place->type].name);
  place->byte = (uint8_t)byte;
  return MOHO_OK;
}

static char *trim(char *text) {
  while (isspace((unsigned char)*text)) text++;
  char *end = text + strlen(text);
  while (end > text && isspace((unsigned char)end[-1])) *--end = '\0';
  return text;
}

static moho_status parse_entry(char *entry, moho_header_map *map) {
  char *equals = strchr(entry, '=');
  if (!equals) {
    if (strcasecmp(entry, "standard") == 0) return use_preset(map, 0), MOHO_OK;
    if (strcasecmp(entry, "su") == 0) return use_preset(map, 1), MOHO_OK;
    return moho_fail_at((moho_place){.key = entry}, "write name=byte, name=byte:type, standard or su", MOHO_ERROR_KEY,
                        "headers: \"%s\" is neither a preset nor name=byte", entry);
  }
  *equals = '\0';
  char *name = trim(entry);
  int field = find_field(name);
  if (field < 0) return unknown_name(name, 0);
  return parse_place(fields[field].name, trim(equals + 1), &map->places[field]);
}

moho_status moho_header_map_parse(const char *text, int su, moho_header_map *out) {
  use_preset(out, su);
  if (!text) return MOHO_OK;
  char *copy = strdup(text), *rest = copy;
  if (!copy) return moho_fail(MOHO_ERROR_MEMORY, "headers: out of memory");
  moho_status status = MOHO_OK;
  for (char *entry; !status && (entry = strsep(&rest, ",;")) != NULL;) {
    entry = trim(entry);
    if (*entry) status = parse_entry(entry, out);
  }
  free(copy);
  return status;
}

moho_status moho_header_map_find(const moho_header_map *map, const char *name, moho_header_place *out) {
  int field = find_field(name);
  if (field >= 0) {
    *out = map->places[field];
    return MOHO_OK;
  }
  int other = find_other(name);
  if (other < 0) return unknown_name(name, 1);
  *out = others[other].place;
  return MOHO_OK;
}

double moho_header_value(const uint8_t *header, moho_header_place place, int little) {
  if (!place.byte) return 0;
  const uint8_t *p = header + place.byte - 1;
  switch (place.type) {
  case MOHO_HEADER_I2: return moho_raw_i2(p, little);
  case MOHO_HEADER_I4: return moho_raw_i4(p, little);
  case MOHO_HEADER_U2: return moho_raw_u2(p, little);
  case MOHO_HEADER_U4: return moho_raw_u4(p, little);
  case MOHO_HEADER_F4: return moho_raw_f4(p, little);
  case MOHO_HEADER_IBM4: return moho_ibm_to_double(moho_raw_u4(p, little));
  default: return moho_raw_f8(p, little);
  }
}
