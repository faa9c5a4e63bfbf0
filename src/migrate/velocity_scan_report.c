/* velocity_scan_report.c - what a scan found, as JSON. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/velocity_scan_inside.h"

static json_t *options_json(const moho_velocity_scan_options *options) {
  json_t *all = json_object();
  for (size_t i = 0; all && i < MOHO_SCAN_OPTIONS; i++) {
    const moho_scan_option *o = &moho_scan_options[i];
    json_object_set_new(all, o->name, json_pack("{s:f, s:s}", "value", moho_scan_option_value(options, o), "unit", o->unit));
  }
  return all;
}

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* Least, median and largest. */
static json_t *spread_json(const float *values, size_t n) {
  float *sorted;
  if (moho_allocate(n, sizeof *sorted, "report", &sorted)) return NULL;
  for (size_t k = 0; k < n; k++) sorted[k] = values[k];
  qsort(sorted, n, sizeof *sorted, by_value);
  json_t *json =
      json_pack("{s:f, s:f, s:f}", "least", (double)sorted[0], "median", (double)sorted[n / 2], "largest", (double)sorted[n - 1]);
  free(sorted);
  return json;
}

/* A row a time: the picks that count, their mean factor and semblance. */
static json_t *times_json(const moho_velocity_scan_result *r) {
  json_t *rows = json_array();
  size_t locations = r->n_inline * r->n_crossline;
  for (size_t k = 0; rows && k < r->n_time; k++) {
    double weight = 0, factor = 0, smooth = 0, semblance = 0;
    size_t picks = 0;
    for (size_t p = 0; p < locations; p++) {
      size_t at = p * r->n_time + k;
      double w = (double)r->weight[at];
      picks += w > 0;
      weight += w, factor += w * (double)r->picked[at], semblance += w * (double)r->semblance[at];
      smooth += (double)r->factor[at] / (double)locations;
    }
    json_t *row =
        json_pack("{s:f, s:I, s:f}", "time_s", r->first_s + (double)k * r->step_s, "picks", (json_int_t)picks, "factor", smooth);
    if (weight > 0)
      json_object_set_new(row, "picked", json_real(factor / weight)),
          json_object_set_new(row, "semblance", json_real(semblance / weight));
    json_array_append_new(rows, row);
  }
  return rows;
}

static json_t *gathers_json(const moho_scan *s) {
  const moho_grid *g = &s->gathers.grid;
  json_t *offsets = json_array();
  for (size_t k = 0; offsets && k < s->gathers.n_offsets; k++)
    if (s->used[k]) json_array_append_new(offsets, json_real(2 * s->half_offset_m[k]));
  return json_pack("{s:s, s:I, s:I, s:I, s:o}", "file", s->gathers.path, "inlines", (json_int_t)g->n_inline, "crosslines",
                   (json_int_t)g->n_crossline, "samples", (json_int_t)g->n_time, "offsets_m", offsets);
}

moho_status moho_scan_report(const moho_scan *s, moho_velocity_scan_result *r, size_t at_limit, size_t outliers, size_t limited,
                             double semblance_before) {
  static const char *const laws[] = {"straight", "curved_linear", "curved_rms", "curved_ray", "vti", "vti_rational"};
  size_t n = r->n_inline * r->n_crossline * r->n_time, counted = 0;
  double after = 0;
  for (size_t k = 0; k < n; k++)
    if (r->weight[k] > 0) counted++, after += (double)r->semblance[k];
  json_t *warnings = json_array();
  if (10 * at_limit > n / 10 + counted)
    json_array_append_new(warnings,
                          json_string("more than a tenth of the picks lie at an end of the range of factors: widen it"));
  if (limited)
    json_array_append_new(
        warnings,
        json_string("interval velocities were kept within their limits: see layers_limited, smooth more if they are many"));
  json_t *root =
      json_pack("{s:o, s:s, s:s, s:o, s:I, s:{s:I, s:I, s:I, s:I}, s:{s:f, s:f}, s:o, s:I, s:o, s:o}", "gathers", gathers_json(s),
                "velocity", moho_velocity_describe(s->velocity), "traveltime", laws[s->options->traveltime], "options",
                options_json(s->options), "functions", (json_int_t)r->updated.n, "picks", "all", (json_int_t)n, "counted",
                (json_int_t)counted, "at_limit", (json_int_t)at_limit, "outliers", (json_int_t)outliers, "semblance", "before",
                semblance_before, "picked", counted ? after / (double)counted : 0, "factor", spread_json(r->factor, n),
                "layers_limited", (json_int_t)limited, "times", times_json(r), "warnings", warnings);
  r->report = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(8)) : NULL;
  json_decref(root);
  return r->report ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "velocity scan: out of memory");
}
