/* moveout_check.c - do the input's events look as if their move-out had been taken off already? */
#include "job/moveout_check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { GATHERS = 16, FOLD = 48, LEAST_FOLD = 6, MOST_CANDIDATES = 4096 };
static const double periods = 2, longest_stretch = 1.5;

/* A trace that may join a gather. */
typedef struct candidate {
  size_t trace;
  double offset;
} candidate;

typedef struct sums {
  double coherent, energy, traces; /* sum s^2, sum n e, sum n over samples counted */
  size_t samples;
} sums;

static int compare_offsets(const void *left, const void *right) {
  const candidate *a = left, *b = right;
  if (a->offset != b->offset) return a->offset < b->offset ? -1 : 1;
  return (a->trace > b->trace) - (a->trace < b->trace);
}

static void midpoint(const moho_geometry *g, size_t i, double out[2]) {
  out[0] = 0.5 * (g->source_x[i] + g->receiver_x[i]), out[1] = 0.5 * (g->source_y[i] + g->receiver_y[i]);
}

/* Traces about the midpoint of `seed`, up to FOLD of them spread over the offsets, ascending. */
static size_t choose_traces(const moho_run_inputs *in, size_t seed, candidate *candidates) {
  const moho_geometry *g = in->geometry;
  double at[2], spacing = in->grid.n_crossline > 1 ? in->grid.crossline_spacing_m : in->grid.inline_spacing_m;
  double reach = 0.71 * spacing;
  size_t n = 0;
  midpoint(g, seed, at);
  for (size_t i = 0; i < g->n && n < MOST_CANDIDATES; i++) {
    double here[2];
    if (!moho_geometry_is_live(g, i)) continue;
    midpoint(g, i, here);
    if (fabs(here[0] - at[0]) <= reach && fabs(here[1] - at[1]) <= reach)
      candidates[n++] = (candidate){i, moho_geometry_offset(g, i)};
  }
  qsort(candidates, n, sizeof *candidates, compare_offsets);
  if (n <= FOLD) return n;
  for (size_t k = 0; k < FOLD; k++) candidates[k] = candidates[k * (n - 1) / (FOLD - 1)];
  return FOLD;
}

/* Without its mean, its energy 1; 0 when it is empty. */
static int normalise(float *trace, size_t n) {
  double mean = 0, energy = 0;
  for (size_t j = 0; j < n; j++) mean += (double)trace[j] / (double)n;
  for (size_t j = 0; j < n; j++) {
    trace[j] = trace[j] == 0 ? 0 : (float)((double)trace[j] - mean); /* mutes stay mutes */
    energy += (double)trace[j] * (double)trace[j];
  }
  for (size_t j = 0; j < n && energy > 0; j++) trace[j] = (float)((double)trace[j] / sqrt(energy));
  return energy > 0;
}

static size_t read_gather(moho_run_inputs *in, candidate *chosen, size_t n, float *samples, moho_status *status) {
  size_t ns = in->info->n_samples, got = 0;
  for (size_t k = 0; k < n && !*status; k++) {
    float *trace = samples + got * ns;
    *status = moho_run_inputs_read(in, chosen[k].trace, 1, trace);
    if (*status || !moho_geometry_is_live(in->geometry, chosen[k].trace) || !normalise(trace, ns)) continue;
    chosen[got++] = chosen[k];
  }
  return got;
}

/* A trace at a time, linearly; 0 and *inside = 0 beyond its ends. */
static double sample_at(const moho_run_inputs *in, const candidate *c, const float *trace, double time, int *inside) {
  double u = (time - in->geometry->first_sample_s[c->trace]) / in->info->dt_s;
  *inside = u >= 0 && u < (double)(in->info->n_samples - 1);
  if (!*inside) return 0;
  size_t i = (size_t)u;
  return (double)trace[i] + (u - (double)i) * ((double)trace[i + 1] - (double)trace[i]);
}

/* One t0 of a gather, stacked flat and along the move-out over the same traces. */
static void add_time(const moho_run_inputs *in, const candidate *c, const float *samples, size_t n, double t0, double v,
                     sums *flat, sums *moved) {
  double stack[2] = {0}, energy[2] = {0}, traces = 0;
  double least = hypot(t0, c[0].offset / v), most = least;
  for (size_t k = 0; k < n; k++) {
    double t = hypot(t0, c[k].offset / v);
    int inside, inside_moved;
    if (t > longest_stretch * t0) break;
    double x = sample_at(in, &c[k], samples + k * in->info->n_samples, t0, &inside),
           y = sample_at(in, &c[k], samples + k * in->info->n_samples, t, &inside_moved);
    if (!inside || !inside_moved) continue;
    stack[0] += x, energy[0] += x * x, stack[1] += y, energy[1] += y * y, traces++, most = t;
  }
  if (traces < LEAST_FOLD || most - least < periods * 2.5 / in->f_max_hz) return;
  flat->coherent += stack[0] * stack[0], flat->energy += traces * energy[0], flat->traces += traces, flat->samples++;
  moved->coherent += stack[1] * stack[1], moved->energy += traces * energy[1], moved->traces += traces, moved->samples++;
}

static moho_status add_gather(const moho_run_inputs *in, const candidate *c, const float *samples, size_t n, double *v,
                              sums *flat, sums *moved) {
  double at[2], first = 0, step = in->info->dt_s;
  size_t nt = in->info->n_samples;
  midpoint(in->geometry, c[0].trace, at);
  MOHO_TRY(moho_velocity_rms(in->velocity, at[0], at[1], first, step, nt, v));
  for (size_t k = 1; k < nt; k++) add_time(in, c, samples, n, first + (double)k * step, v[k], flat, moved);
  return MOHO_OK;
}

moho_status moho_moveout_check_measure(moho_run_inputs *in, moho_moveout_check *out) {
  sums flat = {0}, moved = {0};
  candidate *chosen = NULL;
  float *samples = NULL;
  double *v = NULL;
  size_t ns = in->info->n_samples;
  *out = (moho_moveout_check){0};
  if (!(in->f_max_hz > 0)) return MOHO_OK;
  moho_status status = moho_allocate(MOST_CANDIDATES, sizeof *chosen, "move-out check", &chosen);
  if (!status) status = moho_allocate(FOLD * ns, sizeof *samples, "move-out check", &samples);
  if (!status) status = moho_allocate(ns, sizeof *v, "move-out check", &v);
  for (size_t k = 0; k < GATHERS && !status; k++) {
    size_t seed = (2 * k + 1) * in->geometry->n / (2 * GATHERS), before = flat.samples;
    if (!moho_geometry_is_live(in->geometry, seed)) continue;
    size_t n = choose_traces(in, seed, chosen);
    if (n < LEAST_FOLD) continue;
    n = read_gather(in, chosen, n, samples, &status);
    if (!status && n >= LEAST_FOLD) status = add_gather(in, chosen, samples, n, v, &flat, &moved);
    out->gathers += flat.samples > before;
  }
  free(chosen), free(samples), free(v);
  if (status || !(flat.energy > 0) || !(moved.energy > 0)) {
    out->gathers = 0;
    return status;
  }
  out->flat = flat.coherent / flat.energy, out->moved = moved.coherent / moved.energy;
  out->fold = flat.traces / (double)flat.samples;
  return MOHO_OK;
}

int moho_moveout_check_is_flat(const moho_moveout_check *check) {
  return check->gathers > 0 && check->flat > 2 * check->moved && check->flat > 1 / check->fold + 0.08;
}
