/* quality_stray.c - midpoints far from all others: a wrong coordinate, a scalar that differs, a zero. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

/* Medians and the 95th percentile come from so many traces, spread over all. */
enum { SAMPLE = 20000 };
static const double percentile = 0.95, far_off = 10;

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

static void midpoint(const moho_geometry *g, size_t i, double *x, double *y) {
  *x = 0.5 * (g->source_x[i] + g->receiver_x[i]), *y = 0.5 * (g->source_y[i] + g->receiver_y[i]);
}

static double median(double *values, size_t n) {
  qsort(values, n, sizeof *values, ascending);
  return values[n / 2];
}

moho_status moho_quality_stray(const moho_geometry *g, moho_survey_quality *out) {
  size_t every = moho_pieces(g->n, SAMPLE), n = 0;
  double *x = NULL, *y = NULL;
  moho_status status = moho_allocate(SAMPLE, sizeof *x, "midpoints", &x);
  if (!status) status = moho_allocate(SAMPLE, sizeof *y, "midpoints", &y);
  for (size_t i = 0; i < g->n && !status; i += every)
    if (moho_geometry_is_live(g, i)) midpoint(g, i, &x[n], &y[n]), n++;
  if (!status && n >= 20) {
    double mx = median(x, n), my = median(y, n), here_x, here_y;
    n = 0; /* x and y are in no order that belongs together now: the distances are taken anew */
    for (size_t i = 0; i < g->n; i += every)
      if (moho_geometry_is_live(g, i)) midpoint(g, i, &here_x, &here_y), x[n++] = hypot(here_x - mx, here_y - my);
    qsort(x, n, sizeof *x, ascending);
    out->stray_m = far_off * x[(size_t)(percentile * (double)(n - 1))];
    for (size_t i = 0; i < g->n && out->stray_m > 0; i++) {
      if (!moho_geometry_is_live(g, i)) continue;
      midpoint(g, i, &here_x, &here_y);
      if (hypot(here_x - mx, here_y - my) > out->stray_m) moho_odd_traces_add(&out->stray, i);
    }
  }
  free(x), free(y);
  return status;
}
