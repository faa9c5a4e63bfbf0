/* quality_survey.c - a survey measured: its parts in turn, and all of it as JSON. */
#include <math.h>
#include <stdlib.h>

#include "survey/quality_parts.h"

moho_survey_quality_options moho_survey_quality_options_default(void) {
  return (moho_survey_quality_options){
      .velocity_mps = 2000, .dip_deg = 45, .sampled_traces = 2048, .memory_bytes = (size_t)2 << 30};
}

moho_status moho_survey_measure(moho_traces *traces, const moho_survey_quality_options *options, moho_survey_quality *out) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  *out = (moho_survey_quality){.grid = moho_grid_default()};
  moho_status status = moho_quality_geometry(g, info, options, out);
  if (!status) status = moho_quality_stray(g, out);
  if (!status) status = moho_quality_duplicates(traces, options->memory_bytes, out);
  if (!status) status = moho_quality_samples(traces, options->sampled_traces, out);
  if (status) moho_survey_quality_release(out);
  else moho_quality_warn(info, g, options, out);
  return status;
}

void moho_survey_quality_release(moho_survey_quality *q) {
  moho_grid_release(&q->grid);
  free(q->fold), free(q->offset_least_m), free(q->offset_most_m), free(q->azimuth_deg), free(q->chart);
  *q = (moho_survey_quality){0};
}

/* ---- JSON ---- */

static json_t *histogram_json(const moho_histogram *h) {
  json_t *counts = json_array();
  for (size_t k = 0; counts && k < h->n; k++) json_array_append_new(counts, json_integer((json_int_t)h->count[k]));
  return json_pack("{s:f, s:f, s:o}", "first", h->first, "step", h->step, "count", counts);
}

static json_t *odd_json(const moho_odd_traces *odd) {
  json_t *first = json_array();
  for (size_t k = 0; first && k < odd->count && k < MOHO_QUALITY_EXAMPLES; k++)
    json_array_append_new(first, json_integer((json_int_t)odd->first[k] + 1));
  return json_pack("{s:I, s:o}", "count", (json_int_t)odd->count, "first", first);
}

static json_t *bins_json(const moho_survey_quality *q) {
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "bins", (json_int_t)q->bins, "filled", (json_int_t)q->bins_filled,
                   "holes", (json_int_t)q->holes, "thin", (json_int_t)q->thin, "least", (json_int_t)q->fold_least, "median",
                   (json_int_t)q->fold_median, "most", (json_int_t)q->fold_most, "traces_outside", (json_int_t)q->n_outside);
}

static json_t *samples_json(const moho_survey_quality *q) {
  return json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:o}", "traces_read", (json_int_t)q->sampled, "dead",
                   odd_json(&q->dead), "bad", odd_json(&q->bad), "weak", odd_json(&q->weak), "strong", odd_json(&q->strong),
                   "spiky", odd_json(&q->spiky), "level_limit", q->level_limit, "first_arrival_mps", q->first_arrival_mps,
                   "spectrum", moho_spectrum_json(&q->spectrum));
}

moho_status moho_survey_quality_json(const moho_survey_quality *q, char **text) {
  json_t *duplicates =
      json_pack("{s:o, s:I, s:I, s:I}", "traces", odd_json(&q->duplicates), "one_in", (json_int_t)q->duplicates_one_in,
                "compared", (json_int_t)q->duplicates_compared, "same_samples", (json_int_t)q->duplicates_same_samples);
  json_t *root = json_pack("{s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f, s:f, s:f, s:o}", "n_live", (json_int_t)q->n_live,
                           "stray", odd_json(&q->stray), "fold", bins_json(q), "fold_histogram",
                           histogram_json(&q->fold_histogram), "offset_histogram", histogram_json(&q->offset_histogram),
                           "azimuth_histogram", histogram_json(&q->azimuth_histogram), "duplicates", duplicates, "samples",
                           samples_json(q), "alias_spacing_m", q->alias_spacing_m, "reach_s", q->reach_s, "record_end_s",
                           q->record_end_s, "findings", moho_findings_json(&q->findings));
  return moho_quality_text(root, text);
}
