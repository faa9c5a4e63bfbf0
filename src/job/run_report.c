/* run_report.c - a run as JSON and as words. */
#include "job/run_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "job/job_effective.h"
#include "job/run_adaptive.h"
#include "job/run_statics.h"
#include "job/run_warnings.h"

static moho_status out_of_memory(void) {
  return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
}

static json_int_t whole(size_t number) {
  return (json_int_t)number;
}

json_t *moho_report_software(void) {
#ifdef __clang__
  const char *compiler = __VERSION__;
#else
  const char *compiler = "gcc " __VERSION__;
#endif
  return json_pack("{s:s, s:s, s:s}", "name", "Moho", "version", moho_version(), "compiler", compiler);
}

json_t *moho_report_device(const moho_run_inputs *in) {
  const moho_device_report *d = &in->device_report;
  return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:b, s:I, s:s}", "uri", d->uri, "kind", d->kind, "name", d->name,
                   "architecture", d->architecture, "simd", d->simd, "driver", d->driver, "threads", d->threads, "unified_memory",
                   d->unified_memory, "memory_bytes", whole(d->memory_bytes), "reason", d->reason);
}

/* Text from files may not be UTF-8; then it is left out rather than the whole report. */
static json_t *text_json(const char *text) {
  json_t *string = json_string(text);
  return string ? string : json_null();
}

static json_t *anomalies_json(const moho_traces_info *info) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < info->n_anomalies; i++) {
    const moho_anomaly *a = &info->anomalies[i];
    json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:o}", "name", a->name, "count", whole(a->count), "first_trace",
                                          whole(a->first_trace + 1), "text", text_json(a->text)));
  }
  return list;
}

json_t *moho_report_selection(const moho_run_inputs *in) {
  const moho_selection_counts *c = &in->info->selection;
  if (!c->by_offset && !c->by_azimuth && !c->by_ovt && !c->by_where) return json_null();
  json_t *counts = json_pack("{s:I, s:I}", "total", whole(c->total), "selected", whole(c->selected));
  if (c->by_offset) json_object_set_new(counts, "offset_m", json_integer(whole(c->offset)));
  if (c->by_azimuth) json_object_set_new(counts, "azimuth_deg", json_integer(whole(c->azimuth)));
  if (c->by_ovt) json_object_set_new(counts, "ovt", json_integer(whole(c->ovt)));
  if (c->by_where) json_object_set_new(counts, "where", json_integer(whole(c->where)));
  return counts;
}

json_t *moho_report_input(const moho_job *job, const moho_run_inputs *in) {
  static const char *const units[] = {"auto", "m", "ft"}, *const sources[] = {"auto", "source_receiver", "midpoint_offset"};
  const moho_traces_info *info = in->info;
  const moho_moveout_check *c = &in->moveout;
  json_t *moveout =
      json_pack("{s:I, s:f, s:f}", "gathers", whole(c->gathers), "semblance_flat", c->flat, "semblance_moved", c->moved);
  return json_pack("{s:o, s:o, s:s, s:I, s:I, s:I, s:f, s:s, s:s, s:o, s:o, s:o, s:o}", "traces",
                   text_json(moho_job_text(job, MOHO_KEY_INPUT_TRACES)), "format", text_json(info->format), "hash",
                   info->input_hash, "bytes", (json_int_t)info->file_bytes, "n_traces", whole(info->n_traces), "n_samples",
                   whole(info->n_samples), "dt_s", info->dt_s, "units", units[info->units], "geometry", sources[info->geometry],
                   "anomalies", anomalies_json(info), "selection", moho_report_selection(in), "moveout", moveout, "statics",
                   moho_report_statics(in));
}

json_t *moho_report_grid(const moho_run_inputs *in) {
  const moho_grid *g = &in->grid;
  double x[4], y[4];
  moho_grid_corners(g, x, y);
  json_t *corners = json_array();
  for (int k = 0; corners && k < 4; k++) json_array_append_new(corners, json_pack("[f, f]", x[k], y[k]));
  json_t *grid = json_pack("{s:o, s:[f, f], s:f, s:b}", "corners", corners, "origin_m", g->origin_x_m, g->origin_y_m,
                           "inline_azimuth_deg", g->inline_azimuth_deg, "flip", g->flip);
  if (!grid) return NULL;
  json_object_set_new(grid, "inline",
                      json_pack("{s:i, s:i, s:I, s:f}", "first", (int)g->inline_first, "step", (int)g->inline_step, "n",
                                whole(g->n_inline), "spacing_m", g->inline_spacing_m));
  json_object_set_new(grid, "crossline",
                      json_pack("{s:i, s:i, s:I, s:f}", "first", (int)g->crossline_first, "step", (int)g->crossline_step, "n",
                                whole(g->n_crossline), "spacing_m", g->crossline_spacing_m));
  json_object_set_new(grid, "time",
                      json_pack("{s:f, s:f, s:I}", "first_s", g->first_s, "step_s", g->step_s, "n", whole(g->n_time)));
  json_object_set_new(grid, "is_line", json_boolean(moho_grid_is_line(g)));
  json_object_set_new(grid, "is_crooked", json_boolean(g->line_x_m != NULL));
  json_object_set_new(grid, "note", text_json(in->grid_note));
  return grid;
}

/* What `auto` became. */
static const char *settled_weight(const moho_migration_options *o) {
  static const char *const names[] = {"auto", "none", "spreading", "obliquity", "spreading_obliquity", "true_amplitude"};
  if (o->weight != MOHO_WEIGHT_AUTO) return names[o->weight];
  return o->amplitude == MOHO_AMPLITUDE_RAW ? "obliquity" : "spreading_obliquity";
}

static const char *settled_rho(const moho_run_inputs *in) {
  static const char *const names[] = {"auto", "none", "2d", "3d"};
  if (in->options.rho_filter != MOHO_RHO_AUTO) return names[in->options.rho_filter];
  return moho_grid_is_line(&in->grid) ? "2d" : "3d";
}

json_t *moho_report_settled(const moho_run_inputs *in) {
  return json_pack("{s:i, s:i, s:f, s:s, s:s, s:s}", "refine", in->options.refine, "refine_needed", in->refine_needed, "f_max_hz",
                   in->f_max_hz, "weight", settled_weight(&in->options), "rho_filter", settled_rho(in), "velocity",
                   moho_velocity_describe(in->velocity));
}

/* The figures of the image, by the names that moho info and the report have for them. */
static json_t *statistics_json(const moho_image_quality *quality) {
  char *text;
  if (!quality || moho_image_quality_json(quality, &text)) return NULL;
  json_t *statistics = json_loads(text, 0, NULL);
  free(text);
  json_object_del(statistics, "spectrum"), json_object_del(statistics, "findings");
  return statistics;
}

moho_status moho_report_attributes(const moho_job *job, const moho_run_inputs *in, const moho_image_quality *quality,
                                   char **text) {
  json_t *statistics = statistics_json(quality);
  if (quality && !statistics) return out_of_memory();
  json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o*}", "software", moho_report_software(), "job", moho_job_effective_json(job),
                           "input", moho_report_input(job, in), "settled", moho_report_settled(in), "statistics", statistics);
  *text = root ? json_dumps(root, JSON_REAL_PRECISION(15)) : NULL;
  json_decref(root);
  return *text ? MOHO_OK : out_of_memory();
}

/* ---- report.json ---- */

static json_t *traces_json(const moho_run_inputs *in, const moho_migration_counts *counts) {
  const moho_geometry *g = in->geometry;
  size_t dead = 0, not_seismic = 0, no_position = 0, bad = 0, muted = 0;
  for (size_t i = 0; i < g->n; i++) {
    dead += (g->flags[i] & MOHO_TRACE_DEAD) != 0;
    not_seismic += (g->flags[i] & MOHO_TRACE_NOT_SEISMIC) != 0;
    no_position += (g->flags[i] & MOHO_TRACE_NO_POSITION) != 0;
    bad += (g->flags[i] & MOHO_TRACE_BAD) != 0;
    muted += g->mute_end_s[i] > 0;
  }
  return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "total", whole(g->n), "used", (json_int_t)counts->traces_used,
                   "outside", (json_int_t)counts->traces_outside, "outside_bins", (json_int_t)counts->traces_unbinned, "dead",
                   whole(dead), "not_seismic", whole(not_seismic), "no_position", whole(no_position), "muted", whole(muted),
                   "bad", whole(bad));
}

/* Which version of the kernel ran, and why that one. */
static json_t *kernel_json(const moho_run_inputs *in, const moho_migration_counts *counts) {
  return json_pack("{s:s, s:s, s:s, s:s, s:I}", "asked", moho_migration_kernel_name(in->options.kernel), "used", counts->kernel,
                   "reason", counts->kernel_reason, "storage", in->options.storage == MOHO_STORAGE_HALF ? "half" : "float",
                   "launches", (json_int_t)counts->launches);
}

static json_t *seconds_json(const moho_run_seconds *s, const moho_migration_counts *counts) {
  return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "open", s->open, "store", s->store, "create",
                   s->create, "migrate", s->migrate, "kernel", counts->kernel_seconds, "transfer", counts->transfer_seconds,
                   "allocation", counts->allocation_seconds, "compile", counts->compile_seconds, "prepare",
                   counts->prepare_seconds, "read", s->read, "write", s->write, "total", s->total);
}

static void add_stem(json_t *list, const moho_job *job, const char *zarr_stem, const char *stem) {
  const char *formats = moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS);
  if (strstr(formats, "zarr")) json_array_append_new(list, json_sprintf("%s.zarr", zarr_stem));
  if (strstr(formats, "segy")) json_array_append_new(list, json_sprintf("%s.sgy", stem));
  if (moho_job_number(job, MOHO_KEY_OUTPUT_PNG) != 0) json_array_append_new(list, json_sprintf("%s.png", stem));
}

static json_t *outputs_json(const moho_job *job) {
  json_t *list = json_array();
  const char *levels = moho_job_text(job, MOHO_KEY_LEVELS);
  if (strchr(levels, '4')) add_stem(list, job, "image_x4", "stack_x4");
  if (strchr(levels, '2')) add_stem(list, job, "image_x2", "stack_x2");
  if (moho_run_is_adaptive(job)) add_stem(list, job, "mask", "mask");
  add_stem(list, job, "image", "stack");
  int segy = strstr(moho_job_text(job, MOHO_KEY_OUTPUT_FORMATS), "segy") != NULL,
      png = moho_job_number(job, MOHO_KEY_OUTPUT_PNG) != 0, gathers = !moho_job_is(job, MOHO_KEY_GATHERS_KIND, "none");
  if (png) json_array_append_new(list, json_string("fold.png"));
  if (segy && gathers) json_array_append_new(list, json_string("gathers.sgy"));
  if (png && gathers) json_array_append_new(list, json_string("gathers.png"));
  if (moho_job_number(job, MOHO_KEY_OUTPUT_REPORT) != 0) json_array_append_new(list, json_string("report.html"));
  json_array_append_new(list, json_string("report.json"));
  return list;
}

/* All that was ever handed out at once on a device with memory of its own, pinned memory of the host among it. */
static size_t device_peak(const moho_run_inputs *in) {
  moho_metrics metrics;
  if (in->device_report.unified_memory || moho_device_metrics_get(in->device, &metrics)) return 0;
  return metrics.pool.peak_bytes;
}

moho_status moho_report_text(const moho_job *job, const moho_run_inputs *in, const moho_migration_counts *counts,
                             const moho_run_seconds *seconds, const json_t *extra, char **text) {
  char now[32] = "";
  time_t clock = time(NULL);
  struct tm utc;
  if (gmtime_r(&clock, &utc)) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
  double rate = counts->kernel_seconds > 0 ? (double)counts->contributions / counts->kernel_seconds : 0;
  json_t *root = json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "software", moho_report_software(), "finished", now, "job_file",
                           text_json(job->name), "job", moho_job_effective_json(job), "device", moho_report_device(in), "input",
                           moho_report_input(job, in));
  json_t *results = json_pack(
      "{s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:f, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I}, s:o, s:o}", "warnings",
      moho_run_warnings(in), "kernel", kernel_json(in, counts), "grid", moho_report_grid(in), "settled", moho_report_settled(in),
      "gathers", moho_report_bins(in), "traces", traces_json(in, counts), "contributions", (json_int_t)counts->contributions,
      "contributions_per_s", rate, "seconds", seconds_json(seconds, counts), "memory", "allowed_bytes", whole(in->memory_allowed),
      "planned_bytes", whole(in->memory_needed), "migration_bytes", whole(counts->memory_bytes), "device_bytes",
      whole(counts->device_bytes), "device_peak_bytes", whole(device_peak(in)), "peak_bytes", whole(moho_process_memory_peak()),
      "directory", text_json(moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY)), "outputs", outputs_json(job));
  int complete = root && results && json_object_update(root, results) == 0;
  if (complete && extra) complete = json_object_update(root, (json_t *)(uintptr_t)extra) == 0;
  *text = complete ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : NULL;
  json_decref(root);
  json_decref(results);
  return *text ? MOHO_OK : out_of_memory();
}

/* ---- words ---- */

/* What was done to the input before: lines of their own, where there is something to say. */
static void describe_choice(const moho_traces_info *info, char selected[100], char shifted[100]) {
  const moho_selection_counts *c = &info->selection;
  const moho_shift_range *r = &info->statics.sum;
  selected[0] = shifted[0] = '\0';
  if (c->by_offset || c->by_azimuth || c->by_ovt || c->by_where)
    snprintf(selected, 100, "SELECTED %zu OF %zu TRACES BY%s%s%s%s\n", c->selected, c->total, c->by_offset ? " OFFSET" : "",
             c->by_azimuth ? " AZIMUTH" : "", c->by_ovt ? " OVT" : "", c->by_where ? " HEADERS" : "");
  if (info->statics.n)
    snprintf(shifted, 100, "TRACES SHIFTED TO DATUM BY %.3f TO %.3f MS, MEDIAN %.3f\n", 1e3 * r->least_s, 1e3 * r->most_s,
             1e3 * r->median_s);
}

moho_status moho_report_processing(const moho_job *job, const moho_run_inputs *in, char **text) {
  const moho_migration_options *o = &in->options;
  const char *input = strrchr(moho_job_text(job, MOHO_KEY_INPUT_TRACES), '/');
  input = input ? input + 1 : moho_job_text(job, MOHO_KEY_INPUT_TRACES);
  char selected[100], shifted[100];
  describe_choice(in->info, selected, shifted);
  int length =
      asprintf(text,
               "KIRCHHOFF PRESTACK TIME MIGRATION, MOHO %s\n"
               "INPUT %.60s\n"
               "INPUT HASH %.32s\n"
               "%s%s"
               "VELOCITY %.66s\n"
               "TRAVEL TIME %s  INTERPOLATION %s  REFINED BY %d\n"
               "APERTURE %g M TO %g M, MAX DIP %g DEG, TAPER %g\n"
               "ANTIALIAS %s  WEIGHT %s  RHO FILTER %s  NORMALISE %s\n",
               moho_version(), input, in->info->input_hash, selected, shifted, moho_velocity_describe(in->velocity),
               moho_job_text(job, MOHO_KEY_TRAVELTIME), moho_job_text(job, MOHO_KEY_INTERPOLATION), o->refine, o->aperture_min_m,
               o->aperture_max_m, o->aperture_max_dip_deg, o->aperture_taper, moho_job_text(job, MOHO_KEY_ANTIALIAS),
               settled_weight(o), settled_rho(in), moho_job_text(job, MOHO_KEY_NORMALISE));
  if (length >= 0) return MOHO_OK;
  *text = NULL;
  return out_of_memory();
}

/* What the offset header of gathers.sgy holds, and what was done to gathers. */
moho_status moho_report_gathers(const moho_job *job, const moho_run_inputs *in, const char *processing, char **text) {
  const moho_gather_bins *b = &in->bins;
  static const char *const kinds[] = {"", "OFFSET", "OFFSET-VECTOR TILE", "OPENING ANGLE"};
  static const char *const headers[] = {"", "MIDDLE OF THE BIN, M", "LENGTH OF THE OFFSET VECTOR IN THE MIDDLE OF THE TILE, M",
                                        "OPENING ANGLE, MIDDLE OF THE BIN, 1/100 DEGREE"};
  *text = NULL;
  if (!b->kind) return MOHO_OK;
  int length =
      asprintf(text,
               "%s"
               "IMAGE GATHERS BY %s%s, %zu BINS, SORTED BY INLINE, CROSSLINE, BIN\n"
               "BYTES 37-40: %s; BYTES 25-28: NUMBER OF THE BIN\n"
               "%s%s",
               processing, b->is_signed ? "SIGNED " : "", kinds[b->kind], moho_gather_bins_count(b), headers[b->kind],
               moho_job_number(job, MOHO_KEY_GATHERS_INVERSE_NMO) != 0 ? "MOVE-OUT OF THE MIGRATION VELOCITY PUT BACK\n" : "",
               job->values[MOHO_KEY_GATHERS_MUTE].n_list ? "OUTER MUTE APPLIED\n" : "");
  if (length >= 0) return MOHO_OK;
  *text = NULL;
  return out_of_memory();
}

json_t *moho_report_bins(const moho_run_inputs *in) {
  const moho_gather_bins *b = &in->bins;
  if (!b->kind) return json_null();
  json_t *list = json_array();
  for (size_t k = 0; k < moho_gather_bins_count(b); k++) {
    double along, across;
    moho_gather_bin_vector(b, k, &along, &across);
    json_t *bin = b->kind == MOHO_GATHERS_OVT ? json_pack("{s:f, s:f}", "inline_m", along, "crossline_m", across)
                                              : json_pack("{s:f, s:f}", "low", b->edges[k], "high", b->edges[k + 1]);
    if (in->traces_of_bin) json_object_set_new(bin, "traces", json_integer(whole(in->traces_of_bin[k])));
    json_array_append_new(list, bin);
  }
  return json_pack("{s:s, s:b, s:I, s:I, s:I, s:o}", "kind", moho_gathers_name(b->kind), "signed", b->is_signed, "n_bins",
                   whole(moho_gather_bins_count(b)), "bytes", whole(in->plan.gathers_bytes), "traces_outside_bins",
                   whole(in->plan.unbinned_traces), "bins", list);
}
