/* grid_estimate.c - a grid from the midpoints of a survey: numbers of the headers first, then positions; never a refusal that a
 * larger grid would spare, since an area over all midpoints is always right.
 */
#include "survey/grid_estimate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

/* Where nothing says how far apart bins are (one midpoint). */
static const double default_spacing_m = 25;

static void release_midpoints(moho_midpoints *m) {
  free(m->x), free(m->y), free(m->source_x), free(m->source_y), free(m->receiver_x), free(m->receiver_y);
  free(m->cdp), free(m->inline_number), free(m->crossline_number);
  *m = (moho_midpoints){0};
}

static moho_status allocate_midpoints(size_t n, moho_midpoints *m) {
  double **numbers[] = {&m->x, &m->y, &m->source_x, &m->source_y, &m->receiver_x, &m->receiver_y};
  int32_t **integers[] = {&m->cdp, &m->inline_number, &m->crossline_number};
  for (size_t i = 0; i < 6; i++) MOHO_TRY(moho_allocate(n, sizeof(double), "midpoints", numbers[i]));
  for (size_t i = 0; i < 3; i++) MOHO_TRY(moho_allocate(n, sizeof(int32_t), "midpoints", integers[i]));
  return MOHO_OK;
}

static int has_position(const moho_geometry *g, size_t i) {
  return moho_geometry_is_live(g, i) && isfinite(g->source_x[i]) && isfinite(g->source_y[i]) && isfinite(g->receiver_x[i]) &&
         isfinite(g->receiver_y[i]);
}

/* Relative to whole metres near the first midpoint, so that nothing depends on how far away the origin is. */
static moho_status collect(const moho_geometry *g, moho_midpoints *m) {
  size_t live = 0, first = 0;
  for (size_t i = g->n; i-- > 0;)
    if (has_position(g, i)) live++, first = i;
  if (live == 0)
    return moho_fail_at((moho_place){0},
                        "check the coordinates of the headers (moho info shows them), or name their bytes in input.headers",
                        MOHO_ERROR_RANGE, "the grid cannot be estimated: none of %zu traces is live and has a position", g->n);
  MOHO_TRY(allocate_midpoints(live, m));
  m->x0 = rint((g->source_x[first] + g->receiver_x[first]) / 2), m->y0 = rint((g->source_y[first] + g->receiver_y[first]) / 2);
  for (size_t i = first; i < g->n; i++) {
    if (!has_position(g, i)) continue;
    size_t k = m->n++;
    m->source_x[k] = g->source_x[i] - m->x0, m->source_y[k] = g->source_y[i] - m->y0;
    m->receiver_x[k] = g->receiver_x[i] - m->x0, m->receiver_y[k] = g->receiver_y[i] - m->y0;
    m->x[k] = (m->source_x[k] + m->receiver_x[k]) / 2, m->y[k] = (m->source_y[k] + m->receiver_y[k]) / 2;
    m->cdp[k] = g->cdp[i], m->inline_number[k] = g->inline_number[i], m->crossline_number[k] = g->crossline_number[i];
  }
  return MOHO_OK;
}

/* ---- the way that applies ---- */

static void one_node(const moho_midpoints *m, moho_grid *grid, char *words, size_t size) {
  grid->origin_x_m = m->x[0], grid->origin_y_m = m->y[0];
  grid->inline_spacing_m = grid->crossline_spacing_m = default_spacing_m;
  if (m->cdp[0]) grid->crossline_first = m->cdp[0];
  if (m->inline_number[0] && m->crossline_number[0])
    grid->inline_first = m->inline_number[0], grid->crossline_first = m->crossline_number[0];
  snprintf(words, size, "one node: all %zu midpoints are at one place", m->n);
}

static moho_status estimate_from_positions(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, char *words,
                                           size_t size) {
  int done = 0;
  MOHO_TRY(moho_grid_estimate_lattice(m, p, grid, &done, words, size));
  if (!done) MOHO_TRY(moho_grid_estimate_line(m, p, grid, &done, words, size));
  if (!done) MOHO_TRY(moho_grid_estimate_area(m, p, grid, words, size));
  return MOHO_OK;
}

static moho_status estimate_lattice(const moho_midpoints *m, moho_grid *grid, char *words, size_t size) {
  int done = 0;
  MOHO_TRY(moho_grid_estimate_by_numbers(m, grid, &done, words, size));
  if (done) return MOHO_OK;
  moho_positions p;
  MOHO_TRY(moho_positions_distinct(m->n, m->x, m->y, &p));
  moho_status status = MOHO_OK;
  if (p.n == 1) one_node(m, grid, words, size), done = 1;
  if (!done) status = moho_grid_estimate_line_by_numbers(m, grid, &done, words, size);
  if (!status && !done) status = estimate_from_positions(m, &p, grid, words, size);
  moho_positions_release(&p);
  return status;
}

/* ---- time ---- */

/* From the earliest sample of any live trace (not before 0) to the latest. */
static moho_status time_axis(const moho_geometry *g, double dt_s, size_t n_samples, moho_grid *grid) {
  double first = INFINITY, last = -INFINITY;
  if (!(dt_s > 0) || !isfinite(dt_s) || n_samples == 0)
    return moho_fail(MOHO_ERROR_ARGUMENT, "the grid's times need samples: got %zu samples of %g s", n_samples, dt_s);
  for (size_t i = 0; i < g->n; i++) {
    if (!has_position(g, i) || !isfinite(g->first_sample_s[i])) continue;
    first = fmin(first, g->first_sample_s[i]), last = fmax(last, g->first_sample_s[i]);
  }
  if (!isfinite(first)) first = last = 0;
  last += (double)(n_samples - 1) * dt_s;
  if (first < 0) first += dt_s * ceil(-first / dt_s - 1e-9);
  if (fabs(first) < 1e-9 * dt_s) first = 0;
  double steps = rint((last - first) / dt_s);
  grid->first_s = first, grid->step_s = dt_s;
  grid->n_time = steps >= 0 && steps < 1e9 ? (size_t)steps + 1 : 1;
  return MOHO_OK;
}

/* ---- together ---- */

static void make_absolute(const moho_midpoints *m, moho_grid *grid) {
  /* Origins to a tenth of a millimetre: rounding errors of the fits must not show in the outputs. */
  grid->origin_x_m = m->x0 + rint(grid->origin_x_m * 1e4) / 1e4, grid->origin_y_m = m->y0 + rint(grid->origin_y_m * 1e4) / 1e4;
  for (size_t j = 0; grid->line_x_m && j < grid->n_crossline; j++) grid->line_x_m[j] += m->x0, grid->line_y_m[j] += m->y0;
}

static void write_report(const moho_grid *grid, size_t live, const char *words, char report[400]) {
  if (!report) return;
  if (moho_grid_is_line(grid))
    snprintf(report, 400, "%s: %zu CDPs %d to %.0f, %.6g m apart, towards azimuth %.6g degrees; %zu live traces", words,
             grid->n_crossline, grid->crossline_first,
             grid->crossline_first + (double)(grid->n_crossline - 1) * grid->crossline_step, grid->crossline_spacing_m,
             grid->inline_azimuth_deg, live);
  else
    snprintf(report, 400,
             "%s: %zu inlines %.6g m apart, %zu crosslines %.6g m apart, inline azimuth %.6g degrees%s; %zu live traces", words,
             grid->n_inline, grid->inline_spacing_m, grid->n_crossline, grid->crossline_spacing_m, grid->inline_azimuth_deg,
             grid->flip ? ", flipped" : "", live);
}

moho_status moho_grid_estimate(const moho_geometry *geometry, double dt_s, size_t n_samples, moho_grid *out, char report[400]) {
  moho_grid grid = moho_grid_default();
  moho_midpoints m = {0};
  char words[160] = "";
  moho_status status = collect(geometry, &m);
  if (!status) status = time_axis(geometry, dt_s, n_samples, &grid);
  if (!status) status = estimate_lattice(&m, &grid, words, sizeof words);
  if (!status) {
    make_absolute(&m, &grid);
    status = moho_grid_check(&grid);
  }
  if (!status) {
    write_report(&grid, m.n, words, report);
    *out = grid;
  } else {
    moho_grid_release(&grid);
  }
  release_midpoints(&m);
  return status;
}
