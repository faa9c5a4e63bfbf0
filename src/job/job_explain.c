/* job_explain.c - `moho explain`: every value and where it comes from, the grid, the plan, and what looks wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "job/job_effective.h"
#include "job/planned_passes.h"
#include "job/run_forecast.h"
#include "job/run_inputs.h"
#include "job/run_report.h"
#include "job/run_statics.h"
#include "job/run_warnings.h"

/* ---- JSON ---- */

static json_t *plan_json(const moho_run_inputs *in, const moho_planned_passes *passes, const moho_run_forecast *f) {
  const moho_migration_plan *p = &in->plan;
  double rate = f->rate;
  json_t *more = moho_run_forecast_json(f);
  json_t *plan = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:o}", "kernel", p->kernel,
                           "storage", in->options.storage == MOHO_STORAGE_HALF ? "half" : "float", "device_bytes",
                           (json_int_t)p->device_bytes, "memory_needed_bytes", (json_int_t)in->memory_needed,
                           "memory_allowed_bytes", (json_int_t)in->memory_allowed, "image_bytes", (json_int_t)p->image_bytes,
                           "batch_traces", (json_int_t)p->batch_traces, "tiles", (json_int_t)p->tiles, "tile_columns",
                           (json_int_t)p->tile_columns, "offset_classes", (json_int_t)p->offset_classes, "class_spacing_min_m",
                           p->class_spacing_min_m, "class_spacing_max_m", p->class_spacing_max_m, "grid_alias_hz",
                           isfinite(p->grid_alias_hz) ? p->grid_alias_hz : 0.0, "passes", moho_planned_passes_json(passes, rate));
  if (plan && more) json_object_update(plan, more);
  json_decref(more);
  return plan;
}

/* What looks wrong, and what would be refused. */
static json_t *warnings_of(const moho_run_inputs *in, const moho_run_forecast *f) {
  json_t *warnings = moho_run_warnings(in);
  if (f->refusal[0]) json_array_append_new(warnings, json_string(f->refusal));
  return warnings;
}

static json_t *explain_json(const moho_job *job, const moho_run_inputs *in, const moho_planned_passes *passes,
                            const moho_run_forecast *f) {
  return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "gathers", moho_report_bins(in), "software",
                   moho_report_software(), "job", moho_job_effective_json(job), "device", moho_report_device(in), "input",
                   moho_report_input(job, in), "grid", moho_report_grid(in), "settled", moho_report_settled(in), "plan",
                   plan_json(in, passes, f), "warnings", warnings_of(in, f));
}

/* ---- text ---- */

static void print_value(FILE *out, const moho_job *job, moho_job_id id) {
  const moho_job_key *key = &moho_job_keys[id];
  const moho_job_value *value = &job->values[id];
  if (key->type == MOHO_JOB_LATER) return;
  if (key->type == MOHO_JOB_SECTION && !(key->words[0] && value->is_word && value->given)) return;
  if (!value->given && !key->fallback) return;
  char *text = moho_job_value_text(job, id);
  char unit[32] = "";
  if (key->unit[0] && !value->is_word) snprintf(unit, sizeof unit, " %s", key->unit);
  char shown[200];
  snprintf(shown, sizeof shown, "%s%s", text ? text : "?", unit);
  fprintf(out, "  %-34s %-28s %s\n", key->path, shown,
          !value->given ? "default"
          : value->line ? "given"
                        : "given on the command line");
  free(text);
}

static void print_job(FILE *out, const moho_job *job) {
  fprintf(out, "Job %s\n", job->name);
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) print_value(out, job, (moho_job_id)id);
}

static void print_selection(FILE *out, const moho_selection_counts *c) {
  const struct {
    int asked;
    const char *name;
    size_t count;
  } criteria[] = {{c->by_offset, "offset_m", c->offset},
                  {c->by_azimuth, "azimuth_deg", c->azimuth},
                  {c->by_ovt, "ovt", c->ovt},
                  {c->by_where, "where", c->where}};
  int any = 0;
  for (size_t i = 0; i < 4; i++)
    if (criteria[i].asked)
      fprintf(out, "%s%s holds for %zu", any++ ? ", " : "  selection: ", criteria[i].name, criteria[i].count);
  if (any) fprintf(out, "; together %zu of the file's %zu traces\n", c->selected, c->total);
}

static void print_input(FILE *out, const moho_run_inputs *in) {
  fprintf(out, "\nInput\n  %s, %zu traces (%zu live) of %zu samples, %g s apart\n  data reach %.1f Hz; traces refined by %d\n",
          in->info->format, in->info->n_traces, in->n_live, in->info->n_samples, in->info->dt_s, in->f_max_hz,
          in->options.refine);
  print_selection(out, &in->info->selection);
  fprintf(out, "  velocity: %s\n", moho_velocity_describe(in->velocity));
  if (in->eta) fprintf(out, "  eta: %s\n", moho_eta_describe(in->eta));
}

static void print_grid(FILE *out, const moho_run_inputs *in) {
  static const char *const names[] = {"first inline, first crossline", "first inline, last crossline",
                                      "last inline, last crossline", "last inline, first crossline"};
  const moho_grid *g = &in->grid;
  double x[4], y[4];
  moho_grid_corners(g, x, y);
  fprintf(out, "\nGrid%s%s\n", in->grid_note[0] ? ": " : "", in->grid_note);
  int corners = moho_grid_is_line(g) ? 2 : 4;
  for (int k = 0; k < corners; k++) fprintf(out, "  corner %-32s x %.2f m, y %.2f m\n", names[k], x[k], y[k]);
  fprintf(out, "  inline azimuth %.4f degrees%s%s\n", g->inline_azimuth_deg, g->flip ? ", flipped" : "",
          g->line_x_m ? "; a crooked line: every node has its own position" : "");
  fprintf(out, "  inlines    %zu from %d step %d", g->n_inline, (int)g->inline_first, (int)g->inline_step);
  if (g->n_inline > 1) fprintf(out, ", %g m apart", g->inline_spacing_m);
  fprintf(out, "\n");
  fprintf(out, "  crosslines %zu from %d step %d, %g m apart\n", g->n_crossline, (int)g->crossline_first, (int)g->crossline_step,
          g->crossline_spacing_m);
  fprintf(out, "  time       %zu from %g s, %g s apart\n", g->n_time, g->first_s, g->step_s);
}

enum { BINS_SHOWN = 40 };

static void print_gathers(FILE *out, const moho_run_inputs *in) {
  const moho_gather_bins *b = &in->bins;
  size_t bins = moho_gather_bins_count(b);
  char bytes[32];
  if (!bins) return;
  fprintf(out, "\nGathers\n  by %s%s, %zu bins, %s finished, %zu live traces outside all bins\n", b->is_signed ? "signed " : "",
          moho_gathers_name(b->kind), bins, moho_bytes_text((double)in->plan.gathers_bytes, bytes), in->plan.unbinned_traces);
  for (size_t k = 0; k < bins && k < BINS_SHOWN; k++) {
    double along, across;
    moho_gather_bin_vector(b, k, &along, &across);
    if (b->kind == MOHO_GATHERS_OVT) fprintf(out, "  tile %-4zu along inlines %g m, across %g m", k + 1, along, across);
    else
      fprintf(out, "  bin %-4zu [%g, %g) %s", k + 1, b->edges[k], b->edges[k + 1],
              b->kind == MOHO_GATHERS_ANGLE ? "degrees" : "m");
    if (in->traces_of_bin) fprintf(out, ": %zu traces", in->traces_of_bin[k]);
    fprintf(out, "\n");
  }
  if (bins > BINS_SHOWN) fprintf(out, "  ... and %zu more (--json tells all)\n", bins - BINS_SHOWN);
}

static void print_plan(FILE *out, const moho_run_inputs *in, const moho_planned_passes *passes, const moho_run_forecast *f) {
  const moho_migration_plan *p = &in->plan;
  const moho_device_report *d = &in->device_report;
  char device[32], device_free[32];
  fprintf(out, "\nPlan\n  device        %s: %s%s%s\n", d->uri, d->name, d->reason[0] ? "; " : "", d->reason);
  if (strcmp(p->kernel, "auto") == 0) fprintf(out, "  kernel        v2 or v3, measured with the first batch\n");
  else fprintf(out, "  kernel        %s\n", p->kernel);
  if (p->device_bytes)
    fprintf(out, "  device memory %s of %s free\n", moho_bytes_text((double)p->device_bytes, device),
            moho_bytes_text((double)d->memory_free_bytes, device_free));
  fprintf(out, "  tiles         %zu of %zu columns a side; batches of %zu traces\n", p->tiles, p->tile_columns, p->batch_traces);
  fprintf(out, "  offsets       %zu classes, midpoints of one class %.3g to %.3g m apart\n", p->offset_classes,
          p->class_spacing_min_m, p->class_spacing_max_m);
  moho_planned_passes_print(passes, f->rate, out);
  moho_run_forecast_print(in, f, out);
}

static void print_warnings(FILE *out, const moho_run_inputs *in, const moho_run_forecast *f) {
  json_t *warnings = warnings_of(in, f), *each;
  size_t index;
  if (json_array_size(warnings)) fprintf(out, "\nWarnings\n");
  json_array_foreach(warnings, index, each) fprintf(out, "  - %s\n", json_string_value(each));
  json_decref(warnings);
}

static char *explain_text(const moho_job *job, const moho_run_inputs *in, const moho_planned_passes *passes,
                          const moho_run_forecast *f) {
  char *text = NULL;
  size_t size;
  FILE *out = open_memstream(&text, &size);
  if (!out) return NULL;
  print_job(out, job);
  print_input(out, in);
  moho_explain_statics(out, in);
  print_grid(out, in);
  print_gathers(out, in);
  print_plan(out, in, passes, f);
  print_warnings(out, in, f);
  return fclose(out) ? NULL : text;
}

MOHO_API moho_status moho_job_explain(const moho_job *job, int json, char **text) {
  moho_run_inputs inputs;
  *text = NULL;
  MOHO_TRY(moho_run_inputs_open(job, NULL, NULL, NULL, &inputs));
  moho_planned_passes passes;
  moho_run_forecast forecast = {0};
  moho_status status = moho_plan_passes(job, &inputs, &passes);
  if (!status) status = moho_run_forecast_make(job, &inputs, &passes, &forecast);
  if (!status && json) {
    json_t *root = explain_json(job, &inputs, &passes, &forecast);
    *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
    json_decref(root);
  } else if (!status) {
    *text = explain_text(job, &inputs, &passes, &forecast);
  }
  moho_error error = moho_error_take();
  moho_run_forecast_release(&forecast);
  moho_run_inputs_close(&inputs);
  if (status) return moho_error_set(&error);
  return *text ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "explain: out of memory");
}
