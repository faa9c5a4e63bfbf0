/* job_effective.c - the effective job as JSON, nested as the job file is. */
#include "job/job_effective.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *number_json(double number) {
  return number == rint(number) && fabs(number) < 9e15 ? json_integer((json_int_t)number) : json_real(number);
}

static json_t *point_json(const double point[2]) {
  return json_pack("[o, o]", number_json(point[0]), number_json(point[1]));
}

/* "zarr,segy" as ["zarr", "segy"]. */
static json_t *list_json(const char *text) {
  json_t *list = json_array();
  while (list && *text) {
    size_t length = strcspn(text, ",");
    json_array_append_new(list, json_stringn(text, length));
    text += length + (text[length] == ',');
  }
  return list;
}

/* "source_x=73,cdp=21:i4" as {"source_x": "73", "cdp": "21:i4"}; a preset stays a word. */
static json_t *headers_json(const char *text) {
  if (!strchr(text, '=')) return json_string(text);
  json_t *map = json_object();
  while (map && *text) {
    size_t name = strcspn(text, "="), length = strcspn(text, ",");
    json_object_setn_new(map, text, name, json_stringn(text + name + 1, length - name - 1));
    text += length + (text[length] == ',');
  }
  return map;
}

json_t *moho_job_value_json(const moho_job *job, moho_job_id id) {
  const moho_job_value *value = &job->values[id];
  const moho_job_key *key = &moho_job_keys[id];
  if (!value->given && !key->fallback) return json_null();
  if (value->is_word && key->type != MOHO_JOB_HEADERS) return json_string(value->text);
  switch (key->type) {
  case MOHO_JOB_NUMBER:
  case MOHO_JOB_WHOLE: return number_json(value->number);
  case MOHO_JOB_FLAG: return json_boolean(value->number != 0);
  case MOHO_JOB_WORDS: return list_json(value->text);
  case MOHO_JOB_HEADERS: return headers_json(value->text);
  case MOHO_JOB_NUMBERS: {
    json_t *list = json_array();
    for (size_t i = 0; list && i < value->n_list; i++) json_array_append_new(list, number_json(value->list[i]));
    return list;
  }
  case MOHO_JOB_RANGE:
  case MOHO_JOB_POINT: return point_json(value->points[0]);
  case MOHO_JOB_RANGES:
  case MOHO_JOB_POINTS: {
    json_t *list = json_array();
    for (size_t i = 0; list && i < value->n_points; i++) json_array_append_new(list, point_json(value->points[i]));
    return list;
  }
  default: return json_null();
  }
}

/* The object of a section within `root`, made when it is new. */
static json_t *section_of(json_t *root, const char *path) {
  json_t *object = root;
  const char *dot;
  while (object && (dot = strchr(path, '.'))) {
    size_t length = (size_t)(dot - path);
    json_t *below = json_object_getn(object, path, length);
    if (!below) {
      json_object_setn_new(object, path, length, json_object());
      below = json_object_getn(object, path, length);
    }
    object = below;
    path = dot + 1;
  }
  return object;
}

/* A section appears by its keys; as a word ("grid: auto") it appears as "mode" when nothing else replaces it. */
static void add_key(json_t *root, const moho_job *job, moho_job_id id) {
  const moho_job_key *key = &moho_job_keys[id];
  if (key->type == MOHO_JOB_LATER || (key->type == MOHO_JOB_SECTION && !key->words[0])) return;
  int section = key->type == MOHO_JOB_SECTION;
  if (section && (moho_job_given(job, MOHO_KEY_GRID_CORNERS) || moho_job_given(job, MOHO_KEY_GRID_ORIGIN))) return;
  char path[160];
  snprintf(path, sizeof path, "%s%s", key->path, section ? ".mode" : "");
  json_t *value = section ? json_string("auto") : moho_job_value_json(job, id);
  json_t *entry = json_pack("{s:o, s:s, s:b}", "value", value, "unit", key->unit, "given", job->values[id].given);
  json_object_set_new(section_of(root, path), moho_job_last_name(path), entry);
}

json_t *moho_job_effective_json(const moho_job *job) {
  json_t *root = json_object();
  for (int id = 0; root && id < MOHO_JOB_KEY_COUNT; id++) add_key(root, job, (moho_job_id)id);
  return root;
}

char *moho_job_value_text(const moho_job *job, moho_job_id id) {
  const moho_job_value *value = &job->values[id];
  if (!value->given && !moho_job_keys[id].fallback) return strdup("-");
  if (value->text) return strdup(value->text);
  json_t *json = moho_job_value_json(job, id);
  char *text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_REAL_PRECISION(12)) : NULL;
  json_decref(json);
  return text;
}

MOHO_API moho_status moho_job_effective(const moho_job *job, char **text) {
  json_t *root = moho_job_effective_json(job);
  *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(root);
  return *text ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
}
