/* info_print.c - a trace file on one screen, or as JSON. */
#include <jansson.h>
#include <string.h>

#include "command.h"
#include "info_traces.h"

static const char *const unit_names[] = {"auto", "m", "ft"}, *const source_names[] = {"auto", "source and receiver",
                                                                                      "midpoint and offset"};

/* ---- text ---- */

static void print_pair(FILE *out, const char *name, const value_range *x, const value_range *y) {
  if (x->count) fprintf(out, "  %-10s x %.2f .. %.2f   y %.2f .. %.2f m\n", name, x->least, x->most, y->least, y->most);
}

static void print_numbers(FILE *out, const char *name, const value_range *range) {
  if (range->count) fprintf(out, "  %-10s %.0f .. %.0f\n", name, range->least, range->most);
}

/* As a job takes it. */
static void print_axis(FILE *out, const char *name, int first, int step, size_t n, double spacing_m) {
  fprintf(out, "%s{first: %d, ", name, first);
  if (step != 1) fprintf(out, "step: %d, ", step);
  fprintf(out, "n: %zu, spacing_m: %.6g}", n, spacing_m);
}

static void print_suggested_grid(FILE *out, const moho_survey_quality *q) {
  const moho_grid *g = &q->grid;
  if (!q->has_grid) {
    fprintf(out, "  grid       none suggested: %s\n", q->grid_note);
    return;
  }
  fprintf(out, "\nSuggested grid: %s\n", q->grid_note);
  if (g->line_x_m) {
    fprintf(out, "  grid: auto   # a crooked line of %zu CDPs, %g m apart\n", g->n_crossline, g->crossline_spacing_m);
    return;
  }
  fprintf(out, "  grid: {origin_m: [%.3f, %.3f], inline_azimuth_deg: %.6g%s,\n", g->origin_x_m, g->origin_y_m,
          g->inline_azimuth_deg, g->flip ? ", flip: true" : "");
  print_axis(out, "         inline: ", (int)g->inline_first, (int)g->inline_step, g->n_inline, g->inline_spacing_m);
  print_axis(out, ", crossline: ", (int)g->crossline_first, (int)g->crossline_step, g->n_crossline, g->crossline_spacing_m);
  fprintf(out, ",\n");
  fprintf(out, "         time: {first_s: %g, step_s: %g, n: %zu}}\n", g->first_s, g->step_s, g->n_time);
}

static void print_counts(FILE *out, const moho_traces_info *info, const traces_summary *s) {
  fprintf(out, "  traces     %zu of %zu samples, %g s apart: record of %g s\n", info->n_traces, info->n_samples, info->dt_s,
          (double)(info->n_samples - 1) * info->dt_s);
  if (info->n_traces < info->selection.total)
    fprintf(out, "             chosen of the file's %zu; odd headers and elevations are told of all\n", info->selection.total);
  if (s->live < info->n_traces)
    fprintf(out, "             %zu live; %zu dead, %zu not seismic, %zu without coordinates\n", s->live, s->dead, s->not_seismic,
            s->no_position);
  if (s->muted) fprintf(out, "             %zu with a mute in their header\n", s->muted);
  if (s->first_s.count && (s->first_s.least != 0 || s->first_s.most != 0))
    fprintf(out, "  begin      %g .. %g s\n", s->first_s.least, s->first_s.most);
}

static void print_text_header(FILE *out, const char *text) {
  enum { ORDINARY = 40 }; /* extended text headers can take pages */
  int lines = 0;
  if (!text || !*text) return;
  fprintf(out, "\nText header\n");
  while (*text) {
    size_t length = strcspn(text, "\n"), end = length;
    while (end && text[end - 1] == ' ') end--;
    if (end > 3 && ++lines <= ORDINARY) fprintf(out, "  %.*s\n", (int)end, text);
    text += length + (text[length] == '\n');
  }
  if (lines > ORDINARY) fprintf(out, "  and %d lines more: --json prints them all\n", lines - ORDINARY);
}

/* Elevations, statics, lags: those that the headers hold. Seconds are shown as milliseconds, as headers have them. */
static void print_land(FILE *out, const moho_traces_info *info) {
  int any = 0;
  for (int i = 0; i < MOHO_LAND_COUNT; i++) {
    const moho_header_range *r = &info->land[i];
    int is_time = strcmp(moho_land_unit((moho_land_value)i), "s") == 0;
    double factor = is_time ? 1000 : 1;
    if (!r->filled) continue;
    if (!any++) fprintf(out, "\nElevations, statics (docs/land.md)\n");
    fprintf(out, "  %-22s %.6g .. %.6g %s", moho_land_name((moho_land_value)i), r->least * factor, r->most * factor,
            is_time ? "ms" : moho_land_unit((moho_land_value)i));
    if (r->filled < info->selection.total) fprintf(out, "   not zero in %zu traces", r->filled);
    fprintf(out, "\n");
  }
}

void traces_print_text(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s,
                       const moho_survey_quality *q) {
  char size[32];
  fprintf(out, "%s: %s, %s\n", path, info->format, bytes_text((double)info->file_bytes, size));
  print_counts(out, info, s);
  print_pair(out, "source", &s->source_x, &s->source_y);
  print_pair(out, "receiver", &s->receiver_x, &s->receiver_y);
  print_pair(out, "midpoint", &s->midpoint_x, &s->midpoint_y);
  if (s->offset.count) fprintf(out, "  offset     %.2f .. %.2f m\n", s->offset.least, s->offset.most);
  if (s->azimuth.count) fprintf(out, "  azimuth    %.1f .. %.1f degrees", s->azimuth.least, s->azimuth.most);
  if (s->azimuth.count && s->azimuth.most - s->azimuth.least > 5) fprintf(out, ", most often about %.0f", s->usual_azimuth_deg);
  if (s->azimuth.count) fprintf(out, "\n");
  print_numbers(out, "cdp", &s->cdp);
  print_numbers(out, "inline", &s->inline_number);
  print_numbers(out, "crossline", &s->crossline_number);
  fprintf(out, "  geometry   from %s; the file's lengths are in %s\n", source_names[info->geometry], unit_names[info->units]);
  if (q->fold)
    fprintf(out, "  fold       %zu .. %zu, median %zu, in %zu of %zu bins of the suggested grid\n", q->fold_least, q->fold_most,
            q->fold_median, q->bins_filled, q->bins);
  print_land(out, info);
  if (info->n_anomalies) fprintf(out, "\nOdd headers\n");
  for (size_t i = 0; i < info->n_anomalies; i++)
    fprintf(out, "  - %s (%zu traces, the first is %zu)\n", info->anomalies[i].text, info->anomalies[i].count,
            info->anomalies[i].first_trace + 1);
  survey_quality_print(out, q);
  print_suggested_grid(out, q);
  print_text_header(out, info->text_header);
}

/* ---- JSON ---- */

static json_t *range_json(const value_range *range) {
  return range->count ? json_pack("[f, f]", range->least, range->most) : json_null();
}

static json_t *text_json(const char *text) {
  json_t *string = json_string(text ? text : "");
  return string ? string : json_null();
}

static json_t *anomalies_json(const moho_traces_info *info) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < info->n_anomalies; i++) {
    const moho_anomaly *a = &info->anomalies[i];
    json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o}", "name", a->name, "count", (json_int_t)a->count, "first_trace",
                                          (json_int_t)a->first_trace + 1, "text", text_json(a->text)));
  }
  return list;
}

static json_t *grid_json(const moho_survey_quality *q) {
  const moho_grid *g = &q->grid;
  if (!q->has_grid) return json_pack("{s:o}", "problem", text_json(q->grid_note));
  return json_pack("{s:o, s:b, s:[f, f], s:f, s:b, s:{s:i, s:i, s:I, s:f}, s:{s:i, s:i, s:I, s:f}, "
                   "s:{s:f, s:f, s:I}, s:{s:I, s:I, s:I, s:I, s:I}}",
                   "note", text_json(q->grid_note), "crooked", g->line_x_m != NULL, "origin_m", g->origin_x_m, g->origin_y_m,
                   "inline_azimuth_deg", g->inline_azimuth_deg, "flip", g->flip, "inline", "first", (int)g->inline_first, "step",
                   (int)g->inline_step, "n", (json_int_t)g->n_inline, "spacing_m", g->inline_spacing_m, "crossline", "first",
                   (int)g->crossline_first, "step", (int)g->crossline_step, "n", (json_int_t)g->n_crossline, "spacing_m",
                   g->crossline_spacing_m, "time", "first_s", g->first_s, "step_s", g->step_s, "n", (json_int_t)g->n_time, "fold",
                   "least", (json_int_t)q->fold_least, "median", (json_int_t)q->fold_median, "most", (json_int_t)q->fold_most,
                   "bins_filled", (json_int_t)q->bins_filled, "bins", (json_int_t)q->bins);
}

static json_t *geometry_json(const traces_summary *s) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o}", "source_x_m", range_json(&s->source_x),
                   "source_y_m", range_json(&s->source_y), "receiver_x_m", range_json(&s->receiver_x), "receiver_y_m",
                   range_json(&s->receiver_y), "midpoint_x_m", range_json(&s->midpoint_x), "midpoint_y_m",
                   range_json(&s->midpoint_y), "offset_m", range_json(&s->offset), "azimuth_deg", range_json(&s->azimuth),
                   "usual_azimuth_deg", s->usual_azimuth_deg, "first_sample_s", range_json(&s->first_s), "cdp",
                   range_json(&s->cdp), "inline", range_json(&s->inline_number), "crossline", range_json(&s->crossline_number));
}

/* "source_elevation_m": [least, most], of what the headers hold. */
static json_t *land_json(const moho_traces_info *info) {
  json_t *land = json_object();
  for (int i = 0; i < MOHO_LAND_COUNT; i++) {
    const moho_header_range *r = &info->land[i];
    const char *unit = moho_land_unit((moho_land_value)i);
    char name[64];
    snprintf(name, sizeof name, "%s_%s", moho_land_name((moho_land_value)i), strcmp(unit, "m/s") == 0 ? "mps" : unit);
    if (r->filled) json_object_set_new(land, name, json_pack("[f, f]", r->least, r->most));
  }
  return land;
}

static json_t *quality_json(const moho_survey_quality *q) {
  char *text = NULL;
  json_t *quality = moho_survey_quality_json(q, &text) ? NULL : json_loads(text, 0, NULL);
  free(text);
  return quality;
}

int traces_print_json(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s,
                      const moho_survey_quality *q) {
  json_t *root =
      json_pack("{s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:f, s:s, s:s, s:s}", "kind", "traces", "file", path, "format",
                text_json(info->format), "text_header", text_json(info->text_header), "bytes", (json_int_t)info->file_bytes,
                "n_traces", (json_int_t)info->n_traces, "n_traces_in_file", (json_int_t)info->selection.total, "n_samples",
                (json_int_t)info->n_samples, "dt_s", info->dt_s, "units", unit_names[info->units], "geometry_from",
                source_names[info->geometry], "hash", info->input_hash);
  json_t *rest =
      json_pack("{s:{s:I, s:I, s:I, s:I, s:I}, s:o, s:o, s:o, s:o, s:o}", "traces", "live", (json_int_t)s->live, "dead",
                (json_int_t)s->dead, "not_seismic", (json_int_t)s->not_seismic, "no_position", (json_int_t)s->no_position,
                "muted", (json_int_t)s->muted, "geometry", geometry_json(s), "anomalies", anomalies_json(info), "suggested_grid",
                grid_json(q), "land", land_json(info), "quality", quality_json(q));
  int failed =
      !root || !rest || json_object_update(root, rest) || json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  fprintf(out, "\n");
  json_decref(root);
  json_decref(rest);
  return failed ? -1 : 0;
}
