/* dispatch_figures.c - measured figures as JSON: kept between runs in the cache folder, shown, given.
 *
 *   {"format": "moho-dispatch-1", "devices": [{"uri": "cpu?threads=2&simd=avx512", "name": "...", "driver": "", "moho": "0.1.0",
 *     "to_device": [[bytes, seconds], ...], "to_host": ...,
 *     "groups": {"elementwise": [[size, seconds alone, seconds among many], ...], ...}}]}
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cache_folder.h"
#include "base/file_writer.h"
#include "base/sha256.h"
#include "tensor/dispatcher.h"

#define FORMAT "moho-dispatch-1"
enum { LONGEST_FILE = 1 << 20 };

/* ---- out ---- */

static json_t *curve_json(const dispatch_curve *curve, int columns) {
  json_t *list = json_array();
  for (int i = 0; i < curve->n; i++) {
    json_t *point = json_pack("[f, f]", curve->size[i], curve->alone_s[i]);
    if (columns == 3) json_array_append_new(point, json_real(curve->among_many_s[i]));
    json_array_append_new(list, point);
  }
  return list;
}

static json_t *device_json(const dispatch_device *device) {
  const dispatch_figures *f = &device->figures;
  json_t *groups = json_object();
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++)
    json_object_set_new(groups, moho_dispatch_group_name((moho_dispatch_group)g), curve_json(&f->groups[g], 3));
  return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "uri", device->report.uri, "name", device->report.name, "driver",
                   device->report.driver, "moho", moho_version(), "to_device", curve_json(&f->to_device, 2), "to_host",
                   curve_json(&f->to_host, 2), "groups", groups);
}

static char *text_of(json_t *devices, size_t flags) {
  json_t *all = json_pack("{s:s, s:o}", "format", FORMAT, "devices", devices);
  char *text = json_dumps(all, flags | JSON_REAL_PRECISION(6));
  json_decref(all);
  return text;
}

char *moho_dispatcher_figures(const moho_dispatcher *dispatcher) {
  if (dispatch_check(dispatcher)) return NULL;
  json_t *devices = json_array();
  for (int i = 0; i < dispatcher->n; i++)
    if (dispatch_figures_complete(&dispatcher->devices[i].figures))
      json_array_append_new(devices, device_json(&dispatcher->devices[i]));
  return text_of(devices, JSON_COMPACT);
}

/* ---- in ---- */

static moho_status wrong(const char *what, const char *why) {
  return moho_fail(MOHO_ERROR_FORMAT, "dispatch figures: %s: %s", what, why);
}

static moho_status parse_point(const json_t *point, const char *what, int columns, int i, dispatch_curve *out) {
  double numbers[3] = {0};
  if (!json_is_array(point) || json_array_size(point) != (size_t)columns)
    return wrong(what, "a point has not as many numbers as it should");
  for (int c = 0; c < columns; c++) {
    const json_t *number = json_array_get(point, (size_t)c);
    numbers[c] = json_number_value(number);
    if (!json_is_number(number) || !(numbers[c] > 0) || !isfinite(numbers[c]))
      return wrong(what, "sizes and seconds are numbers above 0");
  }
  if (i && !(numbers[0] > out->size[i - 1])) return wrong(what, "sizes do not ascend");
  out->size[i] = numbers[0], out->alone_s[i] = numbers[1], out->among_many_s[i] = columns == 3 ? numbers[2] : numbers[1];
  return MOHO_OK;
}

static moho_status parse_curve(const json_t *list, const char *what, int columns, dispatch_curve *out) {
  *out = (dispatch_curve){.n = 0};
  if (!json_is_array(list) || !json_array_size(list)) return wrong(what, "a list of points is missing");
  if (json_array_size(list) > DISPATCH_POINTS) return wrong(what, "too many points");
  for (; out->n < (int)json_array_size(list); out->n++)
    MOHO_TRY(parse_point(json_array_get(list, (size_t)out->n), what, columns, out->n, out));
  return MOHO_OK;
}

static moho_status parse_device(const json_t *device, dispatch_figures *out) {
  MOHO_TRY(parse_curve(json_object_get(device, "to_device"), "to_device", 2, &out->to_device));
  MOHO_TRY(parse_curve(json_object_get(device, "to_host"), "to_host", 2, &out->to_host));
  for (int g = 0; g < MOHO_DISPATCH_GROUPS; g++) {
    const char *name = moho_dispatch_group_name((moho_dispatch_group)g);
    MOHO_TRY(parse_curve(json_object_get(json_object_get(device, "groups"), name), name, 3, &out->groups[g]));
  }
  return MOHO_OK;
}

static int is_string(const json_t *object, const char *key, const char *value) {
  const char *text = json_string_value(json_object_get(object, key));
  return text && strcmp(text, value) == 0;
}

/* The same device and the same Moho: others' seconds are not its own. */
static int is_of(const json_t *json, const dispatch_device *device) {
  return is_string(json, "uri", device->report.uri) && is_string(json, "name", device->report.name) &&
         is_string(json, "driver", device->report.driver) && is_string(json, "moho", moho_version());
}

static moho_status parse_all(const char *text, json_t **root) {
  json_error_t error;
  *root = text ? json_loads(text, 0, &error) : NULL;
  if (!text) return moho_fail(MOHO_ERROR_ARGUMENT, "dispatch: no figures, got NULL");
  if (!*root)
    return moho_fail_at((moho_place){.line = error.line, .column = error.column}, NULL, MOHO_ERROR_FORMAT,
                        "dispatch figures, line %d: %s", error.line, error.text);
  if (is_string(*root, "format", FORMAT) && json_is_array(json_object_get(*root, "devices"))) return MOHO_OK;
  json_decref(*root);
  return wrong("the whole", "expected {\"format\": \"" FORMAT "\", \"devices\": [...]}");
}

/* All are parsed before any is taken. */
static moho_status take(moho_dispatcher *dispatcher, const json_t *devices) {
  dispatch_figures found[MOHO_DISPATCH_DEVICES];
  int is_found[MOHO_DISPATCH_DEVICES] = {0}, any = 0;
  for (size_t k = 0; k < json_array_size(devices); k++)
    for (int i = 0; i < dispatcher->n; i++) {
      const json_t *one = json_array_get(devices, k);
      if (!is_string(one, "uri", dispatcher->devices[i].report.uri)) continue;
      MOHO_TRY(parse_device(one, &found[i]));
      is_found[i] = any = 1;
    }
  if (!any)
    return moho_fail(MOHO_ERROR_NOT_FOUND, "dispatch figures: of none of the %d devices; the first is %s", dispatcher->n,
                     dispatcher->devices[0].report.uri);
  for (int i = 0; i < dispatcher->n; i++)
    if (is_found[i]) dispatcher->devices[i].figures = found[i];
  return MOHO_OK;
}

moho_status moho_dispatcher_give(moho_dispatcher *dispatcher, const char *text) {
  json_t *root;
  MOHO_TRY(dispatch_check(dispatcher));
  MOHO_TRY(parse_all(text, &root));
  moho_status status = take(dispatcher, json_object_get(root, "devices"));
  json_decref(root);
  return status;
}

/* ---- kept: saves time, so what fails here is no error ---- */

static int path_of(const dispatch_device *device, char *path, size_t capacity) {
  char folder[1100], key[17];
  uint8_t digest[32];
  moho_sha256 hash = moho_sha256_begin();
  const char *const parts[] = {device->report.uri, device->report.name, device->report.driver, moho_version()};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) moho_sha256_add(&hash, parts[i], strlen(parts[i]) + 1);
  moho_sha256_end(&hash, digest);
  for (int i = 0; i < 8; i++) snprintf(key + 2 * i, 3, "%02x", digest[i]);
  return moho_cache_folder(folder, sizeof folder) && snprintf(path, capacity, "%s/dispatch-%s.json", folder, key) < (int)capacity;
}

static int load(dispatch_device *device) {
  char path[1200], *text;
  size_t bytes;
  json_t *root;
  if (!path_of(device, path, sizeof path) || moho_file_read_all(path, LONGEST_FILE, &text, &bytes)) return 0;
  moho_status status = parse_all(text, &root);
  free(text);
  if (status) return 0;
  dispatch_figures figures;
  const json_t *one = json_array_get(json_object_get(root, "devices"), 0);
  int good = is_of(one, device) && parse_device(one, &figures) == MOHO_OK;
  if (good) device->figures = figures;
  json_decref(root);
  return good;
}

int dispatch_load(dispatch_device *device) {
  const moho_error before = *moho_last_error();
  int found = load(device);
  if (!found) moho_error_set(&before);
  return found;
}

void dispatch_keep(const dispatch_device *device) {
  char path[1200];
  const moho_error before = *moho_last_error();
  json_t *list = json_array();
  json_array_append_new(list, device_json(device));
  char *text = text_of(list, JSON_INDENT(0));
  if (text && path_of(device, path, sizeof path) && moho_file_write_all(path, text, strlen(text))) moho_error_set(&before);
  free(text);
}
