/* statics_apply.c - the selected traces shifted, and how far: least, median and most of every source of shift. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/statics.h"

static const double unlikely_s = 2;

/* The k-th smallest (Hoare's algorithm FIND); the array is left in another order. */
static double find_kth(double *x, size_t n, size_t at) {
  ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, k = (ptrdiff_t)at;
  while (low < high) {
    double pivot = x[k];
    ptrdiff_t i = low, j = high;
    while (i <= j) {
      while (x[i] < pivot) i++;
      while (pivot < x[j]) j--;
      if (i > j) break;
      double kept = x[i];
      x[i++] = x[j], x[j--] = kept;
    }
    if (j < k) low = i;
    if (k < i) high = j;
  }
  return x[k];
}

/* Of n values, which are used up. */
static moho_shift_range describe(const char *name, double *x, size_t n) {
  moho_shift_range range = {.name = name};
  if (!n) return range;
  range.least_s = range.most_s = x[0];
  for (size_t i = 0; i < n; i++) {
    range.traces += x[i] != 0;
    range.least_s = fmin(range.least_s, x[i]), range.most_s = fmax(range.most_s, x[i]);
  }
  range.median_s = find_kth(x, n, (n - 1) / 2);
  return range;
}

static size_t in_file(const size_t *taken, size_t trace) {
  return taken ? taken[trace] : trace;
}

/* The shifts of the live traces among the selected, one after the other; NULL: their sum. */
static size_t gather(const moho_statics_scan *scan, const double *shifts, const size_t *taken, const moho_geometry *g,
                     double *out) {
  size_t n = 0;
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    double sum = 0;
    for (int k = 0; !shifts && k < MOHO_SHIFT_COUNT; k++)
      if (scan->shifts[k]) sum += scan->shifts[k][in_file(taken, i)];
    out[n++] = shifts ? shifts[in_file(taken, i)] : sum;
  }
  return n;
}

static moho_status refuse_shift(const moho_statics_scan *scan, const char *path, moho_shift_kind kind, size_t trace) {
  moho_place place = {.file = path, .key = "input.statics", .trace = (int64_t)trace + 1};
  if (!scan->asked.replacement_from_header)
    return moho_fail_at(place, "moho info shows the ranges; is input.headers right?", MOHO_ERROR_FORMAT,
                        "%s: trace %zu: its %s gives no finite shift", path, trace + 1, moho_shift_name(kind));
  place.key = "input.statics.replacement_mps";
  return moho_fail_at(
      place, "give replacement_mps as a number, or tell where the header lies: input.headers: {subweathering_velocity: 93}",
      MOHO_ERROR_FORMAT, "%s: trace %zu: no replacement velocity in its header (bytes 93-94)", path, trace + 1);
}

/* A replacement velocity may be missing from a header; headers read as floats may hold anything. */
static moho_status check_told(const moho_statics_scan *scan, const char *path, const size_t *taken, const moho_geometry *g) {
  for (size_t i = 0; i < g->n; i++)
    for (int k = 0; k < MOHO_SHIFT_COUNT && moho_geometry_is_live(g, i); k++)
      if (scan->shifts[k] && !(fabs(scan->shifts[k][in_file(taken, i)]) < 1e6))
        return refuse_shift(scan, path, (moho_shift_kind)k, in_file(taken, i));
  return MOHO_OK;
}

static moho_status check_heights(const moho_statics_scan *scan, const char *path, moho_anomalies *anomalies) {
  const moho_header_range *r = scan->file.ranges;
  moho_statics_elevation from = scan->asked.elevation;
  if (from == MOHO_STATICS_SURFACE && !r[MOHO_LAND_SOURCE_ELEVATION].filled && !r[MOHO_LAND_RECEIVER_ELEVATION].filled)
    return moho_fail_at(
        (moho_place){.file = path, .key = "input.statics.elevation"},
        "tell where they are: input.headers: {source_elevation: 45, receiver_elevation: 41}; one shift for all: shift_s",
        MOHO_ERROR_FORMAT, "%s: elevations (bytes 41-48) are zero in all traces", path);
  if (from == MOHO_STATICS_FLOATING_DATUM && !r[MOHO_LAND_SOURCE_DATUM].filled && !r[MOHO_LAND_RECEIVER_DATUM].filled)
    moho_anomalies_add(anomalies, "datum_zero", scan->n, 0,
                       "datum elevations (bytes 53-60) are zero in all traces: the data lie at 0 m");
  return MOHO_OK;
}

static void shift_traces(const moho_statics_scan *scan, const size_t *taken, moho_geometry *g) {
  for (int k = 0; k < MOHO_SHIFT_COUNT; k++)
    for (size_t i = 0; scan->shifts[k] && i < g->n; i++) {
      double shift = scan->shifts[k][in_file(taken, i)];
      if (!(fabs(shift) < 1e6)) continue; /* a dead trace */
      g->first_sample_s[i] += shift;
      if (g->mute_end_s[i] <= 0) continue;
      g->mute_start_s[i] += (float)shift, g->mute_end_s[i] += (float)shift;
    }
}

moho_status moho_statics_apply(const moho_statics_scan *scan, const char *path, const size_t *taken, moho_geometry *g,
                               moho_anomalies *anomalies, moho_statics_report *report) {
  double *x;
  *report = (moho_statics_report){0};
  if (!moho_statics_trace_bytes(&scan->asked)) return MOHO_OK;
  MOHO_TRY(check_heights(scan, path, anomalies));
  MOHO_TRY(check_told(scan, path, taken, g));
  MOHO_TRY(moho_allocate(g->n, sizeof *x, "statics", &x));
  for (int k = 0; k < MOHO_SHIFT_COUNT; k++)
    if (scan->shifts[k])
      report->shifts[report->n++] = describe(moho_shift_name((moho_shift_kind)k), x, gather(scan, scan->shifts[k], taken, g, x));
  report->sum = describe("sum", x, gather(scan, NULL, taken, g, x));
  free(x);
  double largest = fmax(fabs(report->sum.least_s), fabs(report->sum.most_s));
  if (largest > unlikely_s)
    moho_anomalies_add(
        anomalies, "statics_large", g->n, 0,
        "traces are shifted by up to %.3g s: check datum, replacement velocity and the scalars of bytes 69-70, 215-216", largest);
  shift_traces(scan, taken, g);
  return MOHO_OK;
}
