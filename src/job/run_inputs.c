/* run_inputs.c - the job's words into objects: device, traces, grid, velocity, migration options, plan. */
#include "job/run_inputs.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "job/job_grid.h"
#include "job/job_traces.h"
#include "job/moveout_check.h"
#include "job/run_store.h"

/* The last error gets the place in the job file of the key it is about, `id` where it names none. */
static moho_status at_key(const moho_job *job, moho_job_id id, moho_status status) {
  if (!status) return status;
  int named = moho_job_find(moho_last_error()->key);
  if (named < 0) { /* a word of the runtime's, "device": the job's key says it better */
    moho_error error = moho_error_take();
    error.key[0] = '\0';
    moho_error_set(&error);
  }
  moho_place place = moho_job_place(job, named < 0 ? id : (moho_job_id)named);
  if (moho_last_error()->file[0]) place.file = NULL, place.line = place.column = 0; /* the error is about another file */
  return moho_fail_add_place(place, NULL);
}

/* ---- device ---- */

static moho_status open_device(const moho_job *job, moho_run_inputs *in) {
  char uri[128];
  const char *device = moho_job_text(job, MOHO_KEY_DEVICE);
  const char *from_environment = getenv("MOHO_DEVICE");
  if (moho_job_is(job, MOHO_KEY_THREADS, "auto")) {
    snprintf(uri, sizeof uri, "%s", device);
  } else {
    /* The number of threads joins the address, also that from the environment. */
    if (strcmp(device, "auto") == 0 && from_environment && *from_environment) device = from_environment;
    if (strstr(device, "threads="))
      return moho_fail_at(moho_job_place(job, MOHO_KEY_THREADS), "say the number of threads once", MOHO_ERROR_KEY,
                          "execution.threads cannot be combined with MOHO_DEVICE=%s", device);
    snprintf(uri, sizeof uri, "%s%cthreads=%.0f", device, strchr(device, '?') ? '&' : '?',
             moho_job_number(job, MOHO_KEY_THREADS));
  }
  MOHO_TRY(moho_device_open(uri, &in->device));
  return moho_device_describe(in->device, &in->device_report);
}

/* A driver takes part of a second to start: meanwhile the traces' headers are read. */
typedef struct device_opening {
  const moho_job *job;
  moho_run_inputs *in;
  pthread_t thread;
  int running;
  moho_status status;
  moho_error error;
} device_opening;

static void *opening_main(void *argument) {
  device_opening *opening = argument;
  moho_run_inputs *in = opening->in;
  opening->status = in->device_is_given ? moho_device_describe(in->device, &in->device_report)
                                        : at_key(opening->job, MOHO_KEY_DEVICE, open_device(opening->job, in));
  if (opening->status) opening->error = moho_error_take();
  return NULL;
}

static void opening_start(device_opening *opening) {
  opening->running = pthread_create(&opening->thread, NULL, opening_main, opening) == 0;
  if (!opening->running) opening_main(opening); /* no thread to be had: here and now */
}

static moho_status opening_finish(device_opening *opening) {
  if (opening->running) pthread_join(opening->thread, NULL);
  return opening->status ? moho_error_set(&opening->error) : MOHO_OK;
}

static moho_status open_traces(const moho_job *job, moho_progress_function progress, void *user, moho_run_inputs *in) {
  in->statics_chosen = moho_job_given_below(job, MOHO_KEY_INPUT_STATICS);
  MOHO_TRY(moho_job_open_traces(job, progress, user, &in->traces));
  in->info = moho_traces_get_info(in->traces);
  in->geometry = moho_traces_get_geometry(in->traces);
  for (size_t i = 0; i < in->geometry->n; i++) in->n_live += (size_t)moho_geometry_is_live(in->geometry, i);
  if (in->n_live) return MOHO_OK;
  return moho_fail_at((moho_place){.file = moho_job_text(job, MOHO_KEY_INPUT_TRACES), .key = "input.traces"},
                      "moho info shows the headers; input.headers says where coordinates lie", MOHO_ERROR_FORMAT,
                      "%s: none of %zu traces can be migrated: all are dead, not seismic or without coordinates",
                      moho_job_text(job, MOHO_KEY_INPUT_TRACES), in->geometry->n);
}

moho_status moho_run_inputs_read(const moho_run_inputs *in, size_t first, size_t n, float *out) {
  MOHO_TRY(moho_traces_read(in->traces, first, n, out));
  if (!in->nmo_velocity) return MOHO_OK;
  moho_geometry slice = moho_geometry_slice(in->geometry, first, n);
  return moho_traces_inverse_nmo(in->nmo_velocity, &slice, out, in->info->n_samples, in->info->dt_s, 1);
}

enum { SAMPLED_TRACES = 256 };

/* The spectrum of a few live traces spread over the file tells how finely they must be sampled. */
static moho_status sample_spectrum(const moho_job *job, moho_run_inputs *in) {
  size_t n = in->geometry->n, ns = in->info->n_samples, wanted = n < SAMPLED_TRACES ? n : SAMPLED_TRACES, got = 0;
  float *samples;
  MOHO_TRY(moho_allocate(wanted * ns, sizeof *samples, "sampled traces", &samples));
  moho_status status = MOHO_OK;
  for (size_t k = 0; !status && k < wanted; k++) {
    size_t trace = k * n / wanted;
    if (!moho_geometry_is_live(in->geometry, trace)) continue;
    status = moho_run_inputs_read(in, trace, 1, samples + got * ns);
    got += !status && moho_geometry_is_live(in->geometry, trace); /* reading may find it all zero */
  }
  if (!status)
    in->refine_needed = moho_migration_refine_factor(in->options.interpolation, samples, got, ns, in->info->dt_s, &in->f_max_hz);
  free(samples);
  if (status) return status;
  in->options.refine = moho_job_is(job, MOHO_KEY_INPUT_RESAMPLE, "auto")   ? in->refine_needed
                       : moho_job_is(job, MOHO_KEY_INPUT_RESAMPLE, "none") ? 1
                                                                           : atoi(moho_job_text(job, MOHO_KEY_INPUT_RESAMPLE));
  return MOHO_OK;
}

/* ---- grid ---- */

static moho_status make_grid(const moho_job *job, moho_run_inputs *in) {
  moho_job_records records = {in->geometry, in->info->n_samples, in->info->dt_s, in->info->statics.n > 0};
  return moho_job_make_grid(job, &records, &in->grid, in->grid_note);
}

/* Lateral lines of two grids agree to a millimetre. */
static int same_nodes(const moho_grid *a, const moho_grid *b) {
  const size_t ends[2] = {0, 1};
  if (a->n_inline != b->n_inline || a->n_crossline != b->n_crossline) return 0;
  for (size_t k = 0; k < 4; k++) {
    size_t i = ends[k / 2] * (a->n_inline - 1), j = ends[k % 2] * (a->n_crossline - 1);
    double x, y, other_x, other_y;
    moho_grid_node(a, i, j, &x, &y);
    moho_grid_node(b, i, j, &other_x, &other_y);
    if (hypot(x - other_x, y - other_y) > 1e-3) return 0;
  }
  return 1;
}

/* The image's grid; a grid that the job gives must be the same. */
static moho_status take_grid(const moho_job *job, const moho_grid *given, moho_run_inputs *in) {
  if (moho_job_given(job, MOHO_KEY_GRID_CORNERS) || moho_job_given(job, MOHO_KEY_GRID_ORIGIN)) {
    MOHO_TRY(make_grid(job, in));
    if (!same_nodes(&in->grid, given))
      return moho_fail_at(moho_job_place(job, MOHO_KEY_GRID), "leave grid out: an image knows its own", MOHO_ERROR_SHAPE,
                          "the job's grid of %zu x %zu nodes from (%.1f, %.1f) is not the image's of %zu x %zu from (%.1f, %.1f)",
                          in->grid.n_inline, in->grid.n_crossline, in->grid.origin_x_m, in->grid.origin_y_m, given->n_inline,
                          given->n_crossline, given->origin_x_m, given->origin_y_m);
    moho_grid_release(&in->grid);
  }
  return moho_grid_copy(given, &in->grid);
}

/* ---- velocity, options ---- */

moho_velocity_options moho_run_inputs_velocity_options(const moho_job *job, const moho_grid *grid) {
  moho_velocity_options options = moho_velocity_options_default();
  options.min_mps = moho_job_number(job, MOHO_KEY_VELOCITY_MIN);
  options.max_mps = moho_job_number(job, MOHO_KEY_VELOCITY_MAX);
  options.grid = grid;
  if (moho_job_given(job, MOHO_KEY_VELOCITY_TYPE))
    options.kind = (moho_velocity_kind)moho_job_word_index(job, MOHO_KEY_VELOCITY_TYPE, "rms|interval|average");
  if (!moho_job_is(job, MOHO_KEY_VELOCITY_FORMAT, "auto")) options.format = moho_job_text(job, MOHO_KEY_VELOCITY_FORMAT);
  options.columns = moho_job_text(job, MOHO_KEY_VELOCITY_COLUMNS);
  if (options.columns && !options.format) options.format = "columns";
  return options;
}

moho_status moho_run_inputs_velocity(const moho_job *job, const moho_grid *grid, moho_velocity **out) {
  moho_velocity_options options = moho_run_inputs_velocity_options(job, grid);
  if (moho_job_given(job, MOHO_KEY_VELOCITY_CONSTANT))
    return moho_velocity_create_constant(moho_job_number(job, MOHO_KEY_VELOCITY_CONSTANT), out);
  if (moho_job_given(job, MOHO_KEY_VELOCITY_LINEAR_T0_V0))
    return moho_velocity_create_linear_t0(moho_job_number(job, MOHO_KEY_VELOCITY_LINEAR_T0_V0),
                                          moho_job_number(job, MOHO_KEY_VELOCITY_LINEAR_T0_SLOPE), out);
  if (moho_job_given(job, MOHO_KEY_VELOCITY_LINEAR_Z_V0))
    return moho_velocity_create_linear_z(moho_job_number(job, MOHO_KEY_VELOCITY_LINEAR_Z_V0),
                                         moho_job_number(job, MOHO_KEY_VELOCITY_LINEAR_Z_GRADIENT), out);
  if (moho_job_given(job, MOHO_KEY_VELOCITY_TABLE))
    return moho_velocity_read_table(moho_job_text(job, MOHO_KEY_VELOCITY_TABLE), &options, out);
  return moho_velocity_read_cube(moho_job_text(job, MOHO_KEY_VELOCITY_CUBE), &options, out);
}

/* R.m.s. velocities in any layout that is recognised. */
static moho_status make_nmo_velocity(const moho_job *job, const moho_grid *grid, moho_velocity **out) {
  if (!moho_job_given(job, MOHO_KEY_INPUT_NMO_APPLIED)) return MOHO_OK;
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = MOHO_VELOCITY_RMS, options.grid = grid;
  return moho_velocity_read_table(moho_job_text(job, MOHO_KEY_INPUT_NMO_APPLIED), &options, out);
}

static moho_mute_line mute_line(const moho_job *job, moho_job_id id) {
  const moho_job_value *value = &job->values[id];
  moho_mute_line line = {.n = value->n_points};
  for (size_t i = 0; i < line.n; i++) line.offset_m[i] = value->points[i][0], line.time_s[i] = value->points[i][1];
  return line;
}

/* NULL where the job has none. */
static moho_status make_eta(const moho_job *job, const moho_grid *grid, moho_eta **out) {
  moho_velocity_options options = moho_velocity_options_default();
  moho_eta_kind kind = (moho_eta_kind)moho_job_word_index(job, MOHO_KEY_ETA_TYPE, "effective|interval");
  options.grid = grid;
  options.columns = moho_job_text(job, MOHO_KEY_ETA_COLUMNS);
  if (options.columns) options.format = "columns";
  if (moho_job_given(job, MOHO_KEY_ETA_CONSTANT))
    return moho_eta_create_constant(kind, moho_job_number(job, MOHO_KEY_ETA_CONSTANT), out);
  if (moho_job_given(job, MOHO_KEY_ETA_TABLE))
    return moho_eta_read_table(moho_job_text(job, MOHO_KEY_ETA_TABLE), kind, &options, out);
  if (moho_job_given(job, MOHO_KEY_ETA_CUBE))
    return moho_eta_read_cube(moho_job_text(job, MOHO_KEY_ETA_CUBE), kind, &options, out);
  return MOHO_OK;
}

static moho_traveltime law_of(const moho_job *job) {
  return (moho_traveltime)moho_job_word_index(job, MOHO_KEY_TRAVELTIME,
                                              "straight|curved_linear|curved_rms|curved_ray|vti|vti_rational");
}

moho_status moho_run_inputs_travel_time(const moho_job *job, const moho_grid *grid, moho_traveltime *law, moho_eta **eta) {
  *law = law_of(job);
  return make_eta(job, grid, eta);
}

moho_migration_options moho_run_inputs_options(const moho_job *job) {
  moho_migration_options options = moho_migration_options_default();
  options.traveltime = law_of(job);
  options.aperture_rule = (moho_aperture_rule)moho_job_word_index(job, MOHO_KEY_APERTURE_RULE, "straight|ray");
  options.aperture_max_m = moho_job_number(job, MOHO_KEY_APERTURE_MAX);
  options.aperture_min_m = moho_job_number(job, MOHO_KEY_APERTURE_MIN);
  options.aperture_max_dip_deg = moho_job_number(job, MOHO_KEY_APERTURE_DIP);
  options.aperture_taper = moho_job_number(job, MOHO_KEY_APERTURE_TAPER);
  options.interpolation = (moho_interpolation)moho_job_word_index(job, MOHO_KEY_INTERPOLATION, "linear|cubic|sinc8");
  options.antialias = (moho_antialias)moho_job_word_index(job, MOHO_KEY_ANTIALIAS, "none|triangle|filter_bank");
  options.antialias_factor = moho_job_number(job, MOHO_KEY_ANTIALIAS_FACTOR);
  options.antialias_filters = (int)moho_job_number(job, MOHO_KEY_ANTIALIAS_FILTERS);
  options.weight =
      (moho_weight)moho_job_word_index(job, MOHO_KEY_WEIGHT, "auto|none|spreading|obliquity|spreading_obliquity|true_amplitude");
  options.amplitude = (moho_amplitude)moho_job_word_index(job, MOHO_KEY_INPUT_AMPLITUDE, "spreading_corrected|raw");
  options.rho_filter = (moho_rho)moho_job_word_index(job, MOHO_KEY_RHO_FILTER, "auto|none|2d|3d");
  options.stretch_mute = moho_job_is(job, MOHO_KEY_STRETCH_MUTE, "none") ? -1 : moho_job_number(job, MOHO_KEY_STRETCH_MUTE);
  options.high_cut_hz = moho_job_is(job, MOHO_KEY_HIGH_CUT, "none") ? 0 : moho_job_number(job, MOHO_KEY_HIGH_CUT);
  options.outer_mute = mute_line(job, MOHO_KEY_MUTE_OUTER);
  options.inner_mute = mute_line(job, MOHO_KEY_MUTE_INNER);
  options.normalise = (moho_normalise)moho_job_word_index(job, MOHO_KEY_NORMALISE, "none|fold");
  options.kernel = (moho_migration_kernel)moho_job_word_index(job, MOHO_KEY_KERNEL, "auto|native|baseline|v1|v2|v3");
  options.storage = (moho_storage)moho_job_word_index(job, MOHO_KEY_STORAGE, "float|half");
  options.tile_columns = moho_job_is(job, MOHO_KEY_TILE, "auto") ? 0 : (int)moho_job_number(job, MOHO_KEY_TILE);
  return options;
}

/* ---- gathers ---- */

static moho_status count_traces(moho_run_inputs *in) {
  if (in->bins.kind == MOHO_GATHERS_ANGLE) return MOHO_OK;
  MOHO_TRY(moho_allocate(moho_gather_bins_count(&in->bins), sizeof *in->traces_of_bin, "traces of bins", &in->traces_of_bin));
  for (size_t i = 0; i < in->geometry->n; i++) {
    long bin = moho_geometry_is_live(in->geometry, i) ? moho_gather_bin_of_trace(&in->bins, &in->grid, in->geometry, i) : -1;
    if (bin >= 0) in->traces_of_bin[bin]++;
  }
  return MOHO_OK;
}

moho_status moho_run_inputs_bins(const moho_job *job, moho_gather_bins *out) {
  moho_gathers kind = (moho_gathers)moho_job_word_index(job, MOHO_KEY_GATHERS_KIND, "none|offset|ovt|angle");
  int is_ovt = kind == MOHO_GATHERS_OVT;
  const moho_job_value *edges = &job->values[is_ovt                       ? MOHO_KEY_GATHERS_EDGES_INLINE
                                             : kind == MOHO_GATHERS_ANGLE ? MOHO_KEY_GATHERS_EDGES_DEG
                                                                          : MOHO_KEY_GATHERS_EDGES],
                       *across = &job->values[MOHO_KEY_GATHERS_EDGES_CROSSLINE];
  *out = (moho_gather_bins){0};
  if (kind == MOHO_GATHERS_NONE) return MOHO_OK;
  return moho_gather_bins_create(kind, moho_job_number(job, MOHO_KEY_GATHERS_SIGNED) != 0, edges->list, edges->n_list,
                                 across->list, across->n_list, out);
}

static moho_status make_bins(const moho_job *job, moho_run_inputs *in) {
  MOHO_TRY(moho_run_inputs_bins(job, &in->bins));
  if (in->bins.kind == MOHO_GATHERS_NONE) return MOHO_OK;
  in->options.gathers = &in->bins;
  size_t outside; /* what an image's file tells of its bins is there before the image */
  MOHO_TRY(moho_gather_bins_measure(&in->bins, &in->grid, in->geometry, &outside));
  return count_traces(in);
}

/* ---- plan ---- */

/* Of a device with memory of its own; where it is shared execution.memory_gb bounds all. */
static moho_status limit_device(const moho_job *job, moho_run_inputs *in) {
  const moho_device_report *d = &in->device_report;
  if (moho_job_is(job, MOHO_KEY_DEVICE_MEMORY, "auto")) return MOHO_OK;
  if (d->unified_memory)
    return moho_fail_at(
        moho_job_place(job, MOHO_KEY_DEVICE_MEMORY), "leave it out: execution.memory_gb bounds all of it", MOHO_ERROR_KEY,
        "execution.device_memory_gb is for a device with memory of its own; %s (%s) shares the host's", d->uri, d->name);
  double given = 1e9 * moho_job_number(job, MOHO_KEY_DEVICE_MEMORY), most = 0.9 * (double)d->memory_free_bytes;
  in->options.device_memory_bytes = (size_t)fmin(given, most);
  return MOHO_OK;
}

/* A run holds, besides program, positions and migration, the finished stack, fold and gathers and two batches of traces as read.
 */
static moho_status make_plan(const moho_job *job, moho_run_inputs *in) {
  MOHO_TRY(limit_device(job, in));
  MOHO_TRY(moho_migration_make_plan(in->device, &in->grid, in->velocity, &in->options, in->geometry, in->info->n_samples,
                                    in->info->dt_s, &in->plan));
  double cells = (double)in->grid.n_inline * (double)in->grid.n_crossline * (double)in->grid.n_time;
  double reading = 2.0 * (double)in->plan.batch_traces * (double)in->info->n_samples * sizeof(float);
  double held = MOHO_PROGRAM_BYTES + (double)in->geometry->n * MOHO_GEOMETRY_BYTES;
  double sorting = held + (double)in->geometry->n * MOHO_CLASS_BYTES; /* before anything else is there */
  double beside = held + cells * (sizeof(float) + sizeof(int32_t)) + (double)in->plan.gathers_bytes + reading;
  double allowed = moho_job_is(job, MOHO_KEY_MEMORY, "auto") ? 0.8 * (double)moho_machine_memory_free()
                                                             : 1e9 * moho_job_number(job, MOHO_KEY_MEMORY);
  double needed = fmax((double)in->plan.memory_bytes + beside, sorting);
  in->memory_allowed = (size_t)allowed;
  in->memory_needed = needed < (double)SIZE_MAX / 2 ? (size_t)needed : SIZE_MAX / 2;
  in->options.memory_bytes = allowed > beside ? (size_t)(allowed - beside) : 1;
  return MOHO_OK;
}

static moho_status open_all(const moho_job *job, const moho_grid *given, moho_progress_function progress, void *user,
                            moho_run_inputs *in) {
  device_opening opening = {.job = job, .in = in};
  MOHO_TRY(moho_job_check(job));
  opening_start(&opening);
  moho_status status = at_key(job, MOHO_KEY_INPUT_TRACES, open_traces(job, progress, user, in));
  moho_error error = moho_error_take();
  MOHO_TRY(opening_finish(&opening)); /* of two errors the device's is told */
  if (status) return moho_error_set(&error);
  MOHO_TRY(at_key(job, MOHO_KEY_GRID, given ? take_grid(job, given, in) : make_grid(job, in)));
  MOHO_TRY(at_key(job, MOHO_KEY_VELOCITY, moho_run_inputs_velocity(job, &in->grid, &in->velocity)));
  MOHO_TRY(at_key(job, MOHO_KEY_INPUT_NMO_APPLIED, make_nmo_velocity(job, &in->grid, &in->nmo_velocity)));
  MOHO_TRY(at_key(job, MOHO_KEY_ETA, make_eta(job, &in->grid, &in->eta)));
  in->options = moho_run_inputs_options(job);
  in->options.eta = in->eta;
  MOHO_TRY(at_key(job, MOHO_KEY_GATHERS, make_bins(job, in)));
  MOHO_TRY(at_key(job, MOHO_KEY_KERNEL, moho_migration_supports(in->device, &in->options)));
  MOHO_TRY(at_key(job, MOHO_KEY_INPUT_TRACES, sample_spectrum(job, in)));
  MOHO_TRY(at_key(job, MOHO_KEY_INPUT_TRACES, moho_moveout_check_measure(in, &in->moveout)));
  return at_key(job, MOHO_KEY_MIGRATION, make_plan(job, in));
}

static moho_status open_or_close(const moho_job *job, const moho_grid *grid, moho_progress_function progress, void *user,
                                 moho_run_inputs *out) {
  MOHO_TRY(moho_run_store_check(job));
  double begin = moho_seconds();
  moho_status status = open_all(job, grid, progress, user, out);
  out->open_seconds = moho_seconds() - begin;
  if (!status) return MOHO_OK;
  moho_error error = moho_error_take();
  moho_run_inputs_close(out);
  return moho_error_set(&error);
}

moho_status moho_run_inputs_open_on(const moho_job *job, const moho_grid *grid, moho_progress_function progress, void *user,
                                    moho_run_inputs *out) {
  *out = (moho_run_inputs){.grid = moho_grid_default()};
  return open_or_close(job, grid, progress, user, out);
}

moho_status moho_run_inputs_open(const moho_job *job, moho_device *device, moho_progress_function progress, void *user,
                                 moho_run_inputs *out) {
  *out = (moho_run_inputs){.grid = moho_grid_default(), .device = device, .device_is_given = device != NULL};
  return open_or_close(job, NULL, progress, user, out);
}

void moho_run_inputs_close(moho_run_inputs *inputs) {
  moho_velocity_destroy(&inputs->velocity);
  moho_velocity_destroy(&inputs->nmo_velocity);
  moho_eta_destroy(&inputs->eta);
  moho_grid_release(&inputs->grid);
  moho_gather_bins_release(&inputs->bins);
  free(inputs->traces_of_bin);
  if (inputs->traces) moho_traces_close(&inputs->traces);
  if (inputs->device && !inputs->device_is_given) moho_device_close(&inputs->device);
  *inputs = (moho_run_inputs){0};
}

/* ---- traces outside ---- */

/* Distance of a midpoint from the nearest node, to half a bin. */
static double distance_from_grid(const moho_grid *grid, double x, double y) {
  double i, j, node_x, node_y;
  moho_grid_locate(grid, x, y, &i, &j);
  i = fmin(fmax(rint(i), 0), (double)(grid->n_inline - 1));
  j = fmin(fmax(rint(j), 0), (double)(grid->n_crossline - 1));
  moho_grid_node(grid, (size_t)i, (size_t)j, &node_x, &node_y);
  return hypot(x - node_x, y - node_y);
}

size_t moho_run_inputs_outside(const moho_run_inputs *in) {
  const moho_geometry *g = in->geometry;
  size_t most = in->grid.line_x_m ? 10000 : 100000; /* on a crooked line each search passes its nodes */
  size_t step = g->n / most + 1, live = 0, outside = 0;
  for (size_t k = 0; k < g->n; k += step) {
    if (!moho_geometry_is_live(g, k)) continue;
    live++;
    double x = (g->source_x[k] + g->receiver_x[k]) / 2, y = (g->source_y[k] + g->receiver_y[k]) / 2;
    outside += distance_from_grid(&in->grid, x, y) > in->options.aperture_max_m;
  }
  if (!live) return 0;
  return outside == live ? in->n_live : (size_t)((double)in->n_live * (double)outside / (double)live);
}
