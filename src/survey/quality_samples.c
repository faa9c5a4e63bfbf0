/* quality_samples.c - dead, weak, strong and spiky traces, the spectrum and the first arrivals, from runs of neighbouring traces
 * spread over the file: a trace is odd by itself or against those beside it, and disks read runs faster than single traces.
 */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

enum { RUN = 32, BESIDE = 7, SPECTRA = 1024 };
static const double least_factor = 4, deviations = 6; /* of r.m.s. values; of the spread between neighbours */

typedef struct sample_set {
  size_t n, capacity;
  size_t *trace, *run;  /* [n] indices; the run that each belongs to */
  double *level, *miss; /* [n] log10 of the r.m.s., NAN where there is no signal; from the neighbours */
  double *arrival_mps;  /* [n_arrivals] */
  size_t n_arrivals;
  float *spectra;          /* traces for the spectrum */
  size_t n_spectra, every; /* of traces with signal, every so many-th */
  size_t live;
} sample_set;

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* ---- reading ---- */

static void look(const moho_geometry *g, size_t i, float *samples, const moho_traces_info *info, size_t run, sample_set *s,
                 moho_survey_quality *out) {
  size_t k = s->n++;
  s->trace[k] = i, s->run[k] = run, s->level[k] = NAN;
  moho_trace_look seen = moho_trace_look_at(samples, info->n_samples, info->dt_s);
  if (seen.bad || (g->flags[i] & MOHO_TRACE_BAD)) moho_odd_traces_add(&out->bad, i);
  if (seen.constant) {
    moho_odd_traces_add(&out->dead, i);
    return;
  }
  s->level[k] = log10(seen.rms);
  if (seen.spiky) moho_odd_traces_add(&out->spiky, i);
  double offset = moho_geometry_offset(g, i), arrival = g->first_sample_s[i] + seen.first_arrival_s;
  if (seen.first_arrival_s >= 0 && offset >= 100 && arrival > 0) s->arrival_mps[s->n_arrivals++] = offset / arrival;
  if (!seen.spiky && s->live++ % s->every == 0 && s->n_spectra < SPECTRA) {
    float *to = s->spectra + s->n_spectra++ * info->n_samples;
    for (size_t j = 0; j < info->n_samples; j++) to[j] = samples[j];
  }
}

/* Traces first .. first + n, n <= RUN, at once. Reading flags what is all zero as dead: those that were before are no news. */
static moho_status look_at_run(moho_traces *traces, size_t first, size_t n, float *samples, size_t run, sample_set *s,
                               moho_survey_quality *out) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  int live[RUN];
  for (size_t k = 0; k < n; k++) live[k] = moho_geometry_is_live(g, first + k);
  MOHO_TRY(moho_traces_read(traces, first, n, samples));
  for (size_t k = 0; k < n; k++)
    if (live[k]) look(g, first + k, samples + k * info->n_samples, info, run, s, out);
  return MOHO_OK;
}

/* n_runs runs spread evenly. */
static moho_status read_runs(moho_traces *traces, size_t n_runs, size_t length, float *samples, sample_set *s,
                             moho_survey_quality *out) {
  size_t n = moho_traces_get_geometry(traces)->n;
  for (size_t r = 0; r < n_runs; r++) {
    size_t first = n_runs == 1 ? 0 : (size_t)((double)r * (double)(n - length) / (double)(n_runs - 1));
    MOHO_TRY(look_at_run(traces, first, length, samples, r, s, out));
  }
  return MOHO_OK;
}

/* One run after the other without gaps, as if they were one. */
static moho_status read_all(moho_traces *traces, float *samples, sample_set *s, moho_survey_quality *out) {
  size_t n = moho_traces_get_geometry(traces)->n;
  for (size_t first = 0; first < n; first += RUN)
    MOHO_TRY(look_at_run(traces, first, moho_smaller(RUN, n - first), samples, 0, s, out));
  return MOHO_OK;
}

/* ---- levels against the neighbours ---- */

/* The median level of up to BESIDE traces of the same run on one side; NAN without any. */
static double median_beside(const sample_set *s, size_t k, int side) {
  double levels[BESIDE];
  size_t n = 0;
  for (size_t step = 1; n < BESIDE && step <= 2 * BESIDE; step++) {
    size_t at = side < 0 ? k - step : k + step;
    if ((side < 0 && step > k) || at >= s->n || s->run[at] != s->run[k]) break;
    if (!isnan(s->level[at])) levels[n++] = s->level[at];
  }
  if (!n) return NAN;
  qsort(levels, n, sizeof *levels, ascending);
  return levels[n / 2];
}

/* How far a trace is from the nearer of the two sides: at the border between two gathers it is like one, or in between. */
static double miss_of(double before, double after) {
  if (isnan(before) || isnan(after)) return isnan(before) ? after : before;
  if ((before > 0) != (after > 0)) return 0;
  return fabs(before) < fabs(after) ? before : after;
}

static void compare_levels(sample_set *s, double *sizes, moho_survey_quality *out) {
  size_t n = 0;
  for (size_t k = 0; k < s->n; k++) {
    double before = s->level[k] - median_beside(s, k, -1), after = s->level[k] - median_beside(s, k, 1);
    s->miss[k] = miss_of(before, after);
    if (!isnan(s->miss[k])) sizes[n++] = fabs(s->miss[k]);
  }
  if (!n) return;
  qsort(sizes, n, sizeof *sizes, ascending);
  double limit = fmax(log10(least_factor), deviations * 1.4826 * sizes[n / 2]);
  out->level_limit = pow(10, limit);
  for (size_t k = 0; k < s->n; k++) {
    if (s->miss[k] < -limit) moho_odd_traces_add(&out->weak, s->trace[k]);
    if (s->miss[k] > limit) moho_odd_traces_add(&out->strong, s->trace[k]);
  }
}

/* ---- together ---- */

static moho_status allocate(sample_set *s, size_t n_samples, size_t run_length, float **samples) {
  MOHO_TRY(moho_allocate(s->capacity, sizeof *s->trace, "sampled traces", &s->trace));
  MOHO_TRY(moho_allocate(s->capacity, sizeof *s->run, "sampled traces", &s->run));
  MOHO_TRY(moho_allocate(s->capacity, sizeof *s->level, "sampled traces", &s->level));
  MOHO_TRY(moho_allocate(s->capacity, sizeof *s->miss, "sampled traces", &s->miss));
  MOHO_TRY(moho_allocate(s->capacity, sizeof *s->arrival_mps, "sampled traces", &s->arrival_mps));
  MOHO_TRY(moho_allocate(moho_smaller(SPECTRA, s->capacity) * n_samples, sizeof **samples, "sampled traces", &s->spectra));
  return moho_allocate(run_length * n_samples, sizeof **samples, "sampled traces", samples);
}

static void release(sample_set *s) {
  free(s->trace), free(s->run), free(s->level), free(s->miss), free(s->arrival_mps), free(s->spectra);
}

moho_status moho_quality_samples(moho_traces *traces, size_t sampled_traces, moho_survey_quality *out) {
  const moho_traces_info *info = moho_traces_get_info(traces);
  size_t n = moho_traces_get_geometry(traces)->n, length = moho_smaller(RUN, n);
  if (!n || !sampled_traces) return MOHO_OK;
  int all = sampled_traces >= n;
  size_t runs = all ? 0 : moho_smaller(moho_pieces(sampled_traces, length), n / length);
  sample_set s = {.capacity = all ? n : runs * length};
  float *samples = NULL;
  s.every = moho_pieces(s.capacity, SPECTRA);
  moho_status status = allocate(&s, info->n_samples, length, &samples);
  if (!status) status = all ? read_all(traces, samples, &s, out) : read_runs(traces, runs, length, samples, &s, out);
  if (!status) {
    out->sampled = s.n;
    if (s.n_arrivals >= 20 && 2 * s.n_arrivals >= s.n) {
      qsort(s.arrival_mps, s.n_arrivals, sizeof *s.arrival_mps, ascending);
      out->first_arrival_mps = s.arrival_mps[s.n_arrivals / 2];
    }
    compare_levels(&s, s.arrival_mps, out);
    status = moho_spectrum_measure(s.spectra, s.n_spectra, info->n_samples, info->dt_s, &out->spectrum);
  }
  release(&s);
  free(samples);
  return status;
}
