/* bench_compare.c - figures against those kept in bench/results: 5 % slower is said. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "bench_case.h"

/* The same machine, dataset, options and threads. */
static int is_same_case(const json_t *a, const json_t *b) {
  static const char *const keys[] = {"bench", "dataset", "options", "threads", "kernel"};
  const json_t *device_a = json_object_get(a, "device"), *device_b = json_object_get(b, "device");
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (!json_equal(json_object_get(a, keys[i]), json_object_get(b, keys[i]))) return 0;
  return json_equal(json_object_get(device_a, "name"), json_object_get(device_b, "name")) &&
         json_equal(json_object_get(device_a, "simd"), json_object_get(device_b, "simd"));
}

static void compare_one(const json_t *kept, const json_t *fresh, const char *path, char words[400]) {
  double old = json_number_value(json_object_get(kept, "contributions_per_s"));
  double now = json_number_value(json_object_get(fresh, "contributions_per_s"));
  if (!json_is_object(kept) || !is_same_case(kept, fresh) || old <= 0 || now >= 0.95 * old) return;
  snprintf(words, 400, "%.1f %% slower than in %.200s: %.3g against %.3g G contributions/s", 100 * (1 - now / old), path,
           now / 1e9, old / 1e9);
}

/* A file holds one case, a list of them, an object with "cases", or a case a line. */
static void compare_value(const json_t *value, const json_t *fresh, const char *path, char words[400]) {
  const json_t *list = json_is_array(value) ? value : json_object_get(value, "cases");
  size_t index;
  json_t *each;
  if (!list) compare_one(value, fresh, path, words);
  else json_array_foreach(list, index, each) compare_one(each, fresh, path, words);
}

static void compare_file(const char *path, const json_t *fresh, char words[400]) {
  FILE *file = fopen(path, "r");
  if (!file) return;
  json_t *value;
  while ((value = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
    compare_value(value, fresh, path, words);
    json_decref(value);
  }
  fclose(file);
}

void bench_compare(const char *path, const json_t *fresh, char words[400]) {
  glob_t found;
  words[0] = '\0';
  if (glob(path ? path : "bench/results/*.json", 0, NULL, &found)) return;
  for (size_t i = 0; i < found.gl_pathc; i++) compare_file(found.gl_pathv[i], fresh, words);
  globfree(&found);
}
