/* synth.c - synthetic surveys: the acquisition's layout, and its traces.
 *
 * Traces are planes of one azimuth and one offset (azimuth slowest), each over the whole midpoint lattice (crossline
 * fastest): source = midpoint - half offset, receiver = midpoint + half offset. Everything in a trace follows from its number.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/synth_plan.h"

/* Sine and cosine of a bearing, exact at multiples of 90 degrees, so that lattices stay lattices. */
static void bearing(double deg, double *east, double *north) {
  double quarter = fmod(deg, 360.0) / 90.0;
  if (quarter == floor(quarter)) {
    static const double sines[4] = {0, 1, 0, -1};
    int i = ((int)quarter + 4) % 4;
    *east = sines[i], *north = sines[(i + 1) % 4];
  } else {
    *east = sin(deg * (3.14159265358979323846 / 180)), *north = cos(deg * (3.14159265358979323846 / 180));
  }
}

/* ---- layout ---- */

typedef struct trace_place {
  size_t azimuth, offset, inline_index, crossline_index;
} trace_place;

static trace_place place_of(const moho_synth_plan *plan, size_t trace) {
  size_t lattice = plan->n_inline * plan->n_crossline, in_plane = trace % lattice, plane = trace / lattice;
  return (trace_place){plane / plan->n_offsets, plane % plan->n_offsets, in_plane / plan->n_crossline,
                       in_plane % plan->n_crossline};
}

static moho_shot shot_at(const moho_synth_plan *plan, trace_place place) {
  const moho_synth_options *o = plan->options;
  double along_x, along_y, azimuth_x, azimuth_y;
  bearing(o->azimuth_deg, &along_x, &along_y);
  bearing(o->azimuth_deg + o->azimuths_deg[place.azimuth], &azimuth_x, &azimuth_y);
  double i = (double)place.inline_index * o->midpoint_spacing_m, j = (double)place.crossline_index * o->midpoint_spacing_m;
  double x = o->origin_x_m + i * along_y + j * along_x, y = o->origin_y_m - i * along_x + j * along_y;
  double half = 0.5 * (o->offset_first_m + (double)place.offset * o->offset_step_m);
  return (moho_shot){x - half * azimuth_x, y - half * azimuth_y, x + half * azimuth_x, y + half * azimuth_y};
}

static moho_status lay_out(const moho_synth_options *o, moho_synth_plan *plan) {
  size_t lattice, planes;
  MOHO_TRY(moho_synth_nodes("extent_inline_m", o->extent_inline_m, o->midpoint_spacing_m, &plan->n_inline));
  MOHO_TRY(moho_synth_nodes("extent_crossline_m", o->extent_crossline_m, o->midpoint_spacing_m, &plan->n_crossline));
  MOHO_TRY(moho_synth_nodes("offset_last_m", o->offset_last_m - o->offset_first_m, o->offset_step_m, &plan->n_offsets));
  MOHO_TRY(moho_multiply(plan->n_inline, plan->n_crossline, "midpoints", &lattice));
  MOHO_TRY(moho_multiply(plan->n_offsets, o->n_azimuths, "offset planes", &planes));
  MOHO_TRY(moho_multiply(lattice, planes, "traces", &plan->n_traces));
  if (plan->n_traces > INT32_MAX)
    return moho_fail_at((moho_place){.key = "midpoint_spacing_m"}, "a smaller extent, a wider spacing or fewer offsets",
                        MOHO_ERROR_RANGE, "the survey would have %zu traces, expected at most %d", plan->n_traces, INT32_MAX);
  plan->two_d = o->two_d < 0 ? plan->n_inline == 1 || plan->n_crossline == 1 : o->two_d;
  return MOHO_OK;
}

size_t moho_synth_trace_count(const moho_synth_options *options) {
  moho_synth_plan plan = {.options = options};
  return moho_synth_check(options) || lay_out(options, &plan) ? 0 : plan.n_traces;
}

moho_status moho_synth_grid(const moho_synth_options *o, moho_grid *out) {
  moho_synth_plan plan = {.options = o};
  MOHO_TRY(moho_synth_check(o));
  MOHO_TRY(lay_out(o, &plan));
  *out = (moho_grid){.origin_x_m = o->origin_x_m,
                     .origin_y_m = o->origin_y_m,
                     .inline_azimuth_deg = o->azimuth_deg,
                     .inline_first = 1,
                     .inline_step = 1,
                     .crossline_first = 1,
                     .crossline_step = 1,
                     .n_inline = plan.n_inline,
                     .n_crossline = plan.n_crossline,
                     .inline_spacing_m = o->midpoint_spacing_m,
                     .crossline_spacing_m = o->midpoint_spacing_m,
                     .first_s = o->first_sample_s,
                     .step_s = o->dt_s,
                     .n_time = o->n_samples};
  return MOHO_OK;
}

/* ---- noise level ---- */

/* The event's amplitude in a trace, 0 when its time is outside the record. */
static double amplitude_in(const moho_synth_plan *plan, size_t event, moho_shot shot) {
  const moho_synth_options *o = plan->options;
  int is_reflector = event >= o->n_diffractors, found = 1;
  moho_arrival arrival = is_reflector ? moho_reflector_arrival(o, &o->reflectors[event - o->n_diffractors], shot, &found)
                                      : moho_diffractor_arrival(o, plan->two_d, &o->diffractors[event], shot);
  double last = o->first_sample_s + (double)(o->n_samples - 1) * o->dt_s;
  int is_recorded = found && arrival.time_s >= o->first_sample_s && arrival.time_s <= last;
  return is_recorded ? fabs(arrival.amplitude) * (is_reflector ? plan->reflector_wavelet.peak : plan->diffractor_wavelet.peak)
                     : 0;
}

static size_t nearest_node(double distance, double spacing, size_t n) {
  double node = round(distance / spacing);
  return node < 0 ? 0 : node > (double)(n - 1) ? n - 1 : (size_t)node;
}

/* The lattice node nearest to a point. */
static trace_place node_below(const moho_synth_plan *plan, double x, double y) {
  const moho_synth_options *o = plan->options;
  double along_x, along_y, dx = x - o->origin_x_m, dy = y - o->origin_y_m;
  bearing(o->azimuth_deg, &along_x, &along_y);
  return (trace_place){.inline_index = nearest_node(dx * along_y - dy * along_x, o->midpoint_spacing_m, plan->n_inline),
                       .crossline_index = nearest_node(dx * along_x + dy * along_y, o->midpoint_spacing_m, plan->n_crossline)};
}

/* The largest noise-free amplitude, without looking at all traces: an event is strongest at the smallest offset, a diffraction
 * at the midpoint nearest to it, a reflection (its length is linear in the midpoint) at a corner. 1 when nothing is recorded. */
static double largest_amplitude(const moho_synth_plan *plan) {
  const moho_synth_options *o = plan->options;
  double largest = 0;
  for (size_t event = 0; event < o->n_diffractors + o->n_reflectors; event++) {
    trace_place candidates[5] = {{0, 0, 0, 0},
                                 {0, 0, plan->n_inline - 1, 0},
                                 {0, 0, 0, plan->n_crossline - 1},
                                 {0, 0, plan->n_inline - 1, plan->n_crossline - 1}};
    candidates[4] =
        event < o->n_diffractors ? node_below(plan, o->diffractors[event].x_m, o->diffractors[event].y_m) : candidates[0];
    for (size_t azimuth = 0; azimuth < o->n_azimuths; azimuth++)
      for (size_t i = 0; i < 5; i++) {
        candidates[i].azimuth = azimuth;
        largest = fmax(largest, amplitude_in(plan, event, shot_at(plan, candidates[i])));
      }
  }
  return largest > 0 ? largest : 1;
}

/* ---- the plan ---- */

static moho_status prepare_wavelets(moho_synth_plan *plan) {
  const moho_synth_options *o = plan->options;
  moho_wavelet_shape shape = o->response == MOHO_RESPONSE_DIFFRACTOR ? MOHO_SHAPE_PLAIN
                             : plan->two_d                           ? MOHO_SHAPE_HALF_DERIVATIVE
                                                                     : MOHO_SHAPE_DERIVATIVE;
  if (o->n_reflectors) MOHO_TRY(moho_wavelet_table_create(o, MOHO_SHAPE_PLAIN, &plan->reflector_wavelet));
  if (o->n_diffractors) MOHO_TRY(moho_wavelet_table_create(o, shape, &plan->diffractor_wavelet));
  if (o->noise > 0) MOHO_TRY(moho_noise_table_create(&plan->noise_quantiles));
  plan->noise_rms = o->noise > 0 ? o->noise * largest_amplitude(plan) : 0;
  return MOHO_OK;
}

moho_status moho_synth_plan_create(const moho_synth_options *options, moho_synth_plan *out) {
  *out = (moho_synth_plan){.options = options};
  MOHO_TRY(moho_synth_check(options));
  MOHO_TRY(lay_out(options, out));
  moho_status status = prepare_wavelets(out);
  if (status) moho_synth_plan_release(out);
  return status;
}

void moho_synth_plan_release(moho_synth_plan *plan) {
  moho_wavelet_table_release(&plan->reflector_wavelet);
  moho_wavelet_table_release(&plan->diffractor_wavelet);
  free(plan->noise_quantiles);
  *plan = (moho_synth_plan){0};
}

/* ---- traces ---- */

/* 0, or 1 when a reflection point was not found. */
static int make_samples(const moho_synth_plan *plan, size_t trace, moho_shot shot, float *samples) {
  const moho_synth_options *o = plan->options;
  int all_found = 1, found;
  for (size_t j = 0; j < o->n_samples; j++) samples[j] = 0;
  for (size_t i = 0; i < o->n_diffractors; i++) {
    moho_arrival a = moho_diffractor_arrival(o, plan->two_d, &o->diffractors[i], shot);
    moho_wavelet_add(&plan->diffractor_wavelet, a.time_s, a.amplitude, o->first_sample_s, o->dt_s, o->n_samples, samples);
  }
  for (size_t i = 0; i < o->n_reflectors; i++) {
    moho_arrival a = moho_reflector_arrival(o, &o->reflectors[i], shot, &found);
    all_found &= found;
    if (a.amplitude != 0)
      moho_wavelet_add(&plan->reflector_wavelet, a.time_s, a.amplitude, o->first_sample_s, o->dt_s, o->n_samples, samples);
  }
  if (plan->noise_rms > 0) moho_noise_add(plan->noise_quantiles, o->seed, trace, plan->noise_rms, o->n_samples, samples);
  return !all_found;
}

static void make_geometry(const moho_synth_plan *plan, trace_place place, moho_shot shot, moho_geometry *geometry, size_t at) {
  geometry->source_x[at] = shot.source_x, geometry->source_y[at] = shot.source_y;
  geometry->receiver_x[at] = shot.receiver_x, geometry->receiver_y[at] = shot.receiver_y;
  geometry->first_sample_s[at] = plan->options->first_sample_s;
  geometry->mute_start_s[at] = geometry->mute_end_s[at] = 0;
  geometry->inline_number[at] = (int32_t)place.inline_index + 1,
  geometry->crossline_number[at] = (int32_t)place.crossline_index + 1;
  geometry->cdp[at] = (int32_t)(place.inline_index * plan->n_crossline + place.crossline_index) + 1;
  geometry->flags[at] = 0;
}

moho_status moho_synth_plan_generate(const moho_synth_plan *plan, size_t first, size_t n, moho_geometry *geometry,
                                     float *samples) {
  if (first > plan->n_traces || n > plan->n_traces - first)
    return moho_fail(MOHO_ERROR_RANGE, "traces %zu to %zu are asked for, the survey has %zu", first + 1, first + n,
                     plan->n_traces);
  if (geometry && geometry->n < n)
    return moho_fail(MOHO_ERROR_SHAPE, "the geometry has room for %zu traces, expected %zu", geometry->n, n);
  size_t lost = SIZE_MAX; /* the first trace without a reflection point */
#pragma omp parallel for schedule(static) reduction(min : lost)
  for (size_t i = 0; i < n; i++) {
    trace_place place = place_of(plan, first + i);
    moho_shot shot = shot_at(plan, place);
    if (geometry) make_geometry(plan, place, shot, geometry, i);
    if (samples && make_samples(plan, first + i, shot, samples + i * plan->options->n_samples) && first + i < lost)
      lost = first + i;
  }
  if (lost == SIZE_MAX) return MOHO_OK;
  return moho_fail_at((moho_place){.trace = (int64_t)lost + 1, .key = "reflectors"}, "a smaller gradient, dip or offset",
                      MOHO_ERROR_RANGE, "no reflection point was found for trace %zu: no ray of this medium reflects there",
                      lost + 1);
}

moho_status moho_synth_generate(const moho_synth_options *options, size_t first, size_t n, moho_geometry *geometry,
                                float *samples) {
  moho_synth_plan plan;
  MOHO_TRY(moho_synth_plan_create(options, &plan));
  moho_status status = moho_synth_plan_generate(&plan, first, n, geometry, samples);
  moho_synth_plan_release(&plan);
  return status;
}
