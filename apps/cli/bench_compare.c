/* bench_compare.c - figures against those kept in bench/results: 5 % slower is said; how much faster than the baseline. */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "bench_case.h"

/* What neither has is the same. */
static int have_same(const json_t *a, const json_t *b, const char *const *keys, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);
    if ((x || y) && !json_equal(x, y)) return 0;
  }
  return 1;
}

/* The same machine, dataset, options and threads; the kernel is not looked at. */
static int is_same_work(const json_t *a, const json_t *b) {
  static const char *const keys[] = {"bench", "dataset", "threads"}, *const of_device[] = {"name", "simd"},
                           *const of_options[] = {"interpolation", "antialias", "weight",   "rho_filter", "refine", "max_m",
                                                  "max_dip_deg",   "taper",     "velocity", "traveltime", "gathers"};
  return have_same(a, b, keys, 3) && have_same(json_object_get(a, "device"), json_object_get(b, "device"), of_device, 2) &&
         have_same(json_object_get(a, "options"), json_object_get(b, "options"), of_options, 11);
}

static int is_same_case(const json_t *a, const json_t *b) {
  static const char *const keys[] = {"options", "kernel"};
  return is_same_work(a, b) && have_same(a, b, keys, 2);
}

/* ---- every kept case ---- */

typedef void (*visit_function)(void *user, const json_t *kept, const char *path);

/* A file holds one case, a list of them, an object with "cases", or a case a line. */
static void visit_value(const json_t *value, const char *path, visit_function visit, void *user) {
  const json_t *list = json_is_array(value) ? value : json_object_get(value, "cases");
  size_t index;
  json_t *each;
  if (!list && json_is_object(value)) visit(user, value, path);
  json_array_foreach(list, index, each) if (json_is_object(each)) visit(user, each, path);
}

static void visit_file(const char *path, visit_function visit, void *user) {
  FILE *file = fopen(path, "r");
  if (!file) return;
  json_t *value;
  while ((value = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
    visit_value(value, path, visit, user);
    json_decref(value);
  }
  fclose(file);
}

static void visit_kept(const char *path, visit_function visit, void *user) {
  glob_t found;
  if (glob(path ? path : "bench/results/*.json", 0, NULL, &found)) return;
  for (size_t i = 0; i < found.gl_pathc; i++) visit_file(found.gl_pathv[i], visit, user);
  globfree(&found);
}

/* ---- slower than before ---- */

typedef struct slower {
  const json_t *fresh;
  char *words; /* [400] */
} slower;

static void compare_one(void *user, const json_t *kept, const char *path) {
  slower *s = user;
  double old = json_number_value(json_object_get(kept, "contributions_per_s"));
  double now = json_number_value(json_object_get(s->fresh, "contributions_per_s"));
  if (!is_same_case(kept, s->fresh) || old <= 0 || now >= 0.95 * old) return;
  snprintf(s->words, 400, "%.1f %% slower than in %.200s: %.3g against %.3g G contributions/s", 100 * (1 - now / old), path,
           now / 1e9, old / 1e9);
}

void bench_compare(const char *path, const json_t *fresh, char words[400]) {
  slower s = {.fresh = fresh, .words = words};
  words[0] = '\0';
  visit_kept(path, compare_one, &s);
}

/* ---- faster than the baseline ---- */

typedef struct baseline {
  const json_t *fresh;
  double kernel_seconds, wall_seconds;
  char from[256];
} baseline;

static void take_baseline(void *user, const json_t *kept, const char *path) {
  baseline *b = user;
  const char *kernel = json_string_value(json_object_get(kept, "kernel"));
  if (!kernel || strcmp(kernel, "baseline") != 0 || !is_same_work(kept, b->fresh)) return;
  b->kernel_seconds = json_number_value(json_object_get(json_object_get(kept, "seconds"), "median"));
  b->wall_seconds = json_number_value(json_object_get(kept, "wall_seconds"));
  snprintf(b->from, sizeof b->from, "%s", path);
}

void bench_set_speedup(const json_t *cases, const char *path, json_t *fresh) {
  baseline b = {.fresh = fresh};
  visit_value(cases, "this call", take_baseline, &b);
  if (!b.from[0]) visit_kept(path, take_baseline, &b);
  double kernel = json_number_value(json_object_get(json_object_get(fresh, "seconds"), "median"));
  double wall = json_number_value(json_object_get(fresh, "wall_seconds"));
  if (!b.from[0] || kernel <= 0 || wall <= 0) return;
  json_object_set_new(
      fresh, "speedup_over_baseline",
      json_pack("{s:f, s:f, s:s}", "kernel", b.kernel_seconds / kernel, "wall", b.wall_seconds / wall, "from", b.from));
}
