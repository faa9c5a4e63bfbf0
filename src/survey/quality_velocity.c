/* quality_velocity.c - velocity functions measured: range, inversions, layers that Dix makes impossible, jumps between
 * neighbours, coverage of a grid.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/quality_parts.h"

/* An inversion worth a word; a difference of neighbours: at least so much, and so much a kilometre; where the distance is not
 * known; slower than any rock or water is in feet a second, faster than sediments near the surface are in metres. */
static const double inversion_share = 0.03, jump_share = 0.05, jump_share_a_km = 0.10, jump_share_unknown = 0.15,
                    feet_from = 4600;

/* ---- one function ---- */

/* v_int^2 of the layer above knot k; interval velocities as they are. */
static double layer_square(const moho_velocity_functions *f, size_t first, size_t k) {
  double t = f->time_s[k], v = f->v_mps[k], t0 = k > first ? f->time_s[k - 1] : 0, v0 = k > first ? f->v_mps[k - 1] : 0;
  if (f->kind == MOHO_VELOCITY_INTERVAL || !(t > t0)) return v * v;
  if (f->kind == MOHO_VELOCITY_RMS) return (t * v * v - t0 * v0 * v0) / (t - t0);
  double average = (t * v - t0 * v0) / (t - t0);
  return average > 0 ? average * average : -1;
}

static void measure_function(const moho_velocity_functions *f, size_t p, moho_velocity_quality *q) {
  size_t first = f->start[p], end = f->start[p + 1];
  for (size_t k = first; k < end; k++) {
    double v = f->v_mps[k], fall = k > first ? f->v_mps[k - 1] - v : 0, square = layer_square(f, first, k);
    q->v_least = fmin(q->v_least, v), q->v_most = fmax(q->v_most, v);
    if (fall > 1e-6 * v) {
      q->inversions++;
      if (fall > q->worst_inversion_mps) q->worst_inversion_mps = fall, q->inversion_time_s = f->time_s[k];
    }
    if (square <= 0) {
      if (!q->negative++) q->negative_function = p, q->negative_time_s = f->time_s[k];
    } else {
      q->interval_least = fmin(q->interval_least, sqrt(square)), q->interval_most = fmax(q->interval_most, sqrt(square));
    }
  }
  if (first == end) return;
  q->first_s = fmin(q->first_s, f->time_s[first]);
  q->last_s = fmax(q->last_s, f->time_s[end - 1]), q->shortest_s = fmin(q->shortest_s, f->time_s[end - 1]);
}

/* ---- neighbours ---- */

typedef struct keyed {
  double major, minor;
  size_t function;
} keyed;

static int compare_keys(const void *left, const void *right) {
  const keyed *a = left, *b = right;
  if (a->major != b->major) return a->major < b->major ? -1 : 1;
  return (a->minor > b->minor) - (a->minor < b->minor);
}

static double value_at(const moho_velocity_functions *f, size_t p, double t) {
  size_t low = f->start[p], high = f->start[p + 1] - 1;
  if (t <= f->time_s[low]) return f->v_mps[low];
  if (t >= f->time_s[high]) return f->v_mps[high];
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (f->time_s[middle] <= t) low = middle;
    else high = middle;
  }
  double w = (t - f->time_s[low]) / (f->time_s[high] - f->time_s[low]);
  return f->v_mps[low] + w * (f->v_mps[high] - f->v_mps[low]);
}

/* At the knots of a that b reaches too. */
static void compare_functions(const moho_velocity_functions *f, size_t a, size_t b, moho_velocity_quality *q) {
  double distance = f->x_m ? hypot(f->x_m[a] - f->x_m[b], f->y_m[a] - f->y_m[b]) : 0, worst = 0, time = 0;
  double limit = f->x_m ? fmax(jump_share, jump_share_a_km * distance / 1000) : jump_share_unknown;
  if (f->start[a] == f->start[a + 1] || f->start[b] == f->start[b + 1]) return;
  double from = f->time_s[f->start[b]], to = f->time_s[f->start[b + 1] - 1];
  for (size_t k = f->start[a]; k < f->start[a + 1]; k++) {
    double t = f->time_s[k], v = f->v_mps[k], other = value_at(f, b, t), share = fabs(v - other) / fmin(v, other);
    if (t >= from && t <= to && share > worst) worst = share, time = t;
  }
  if (worst <= limit) return;
  q->jumps++;
  if (worst > q->worst_jump) q->worst_jump = worst, q->jump_time_s = time, q->jump_distance_m = distance;
}

/* Along one order: the next function with the same major key; where places are scattered (no key is shared) the nearest of the
 * next few. */
static void compare_along(const moho_velocity_functions *f, const keyed *keys, moho_velocity_quality *q) {
  enum { WINDOW = 8 };
  for (size_t k = 0; k + 1 < f->n; k++) {
    size_t nearest = k + 1;
    if (keys[k].major != keys[k + 1].major) {
      double best = INFINITY;
      if (!f->x_m || (k > 0 && keys[k].major == keys[k - 1].major)) continue; /* the end of a row */
      for (size_t m = k + 1; m < f->n && m <= k + WINDOW; m++) {
        double d = hypot(keys[m].major - keys[k].major, keys[m].minor - keys[k].minor);
        if (d < best) best = d, nearest = m;
      }
    }
    compare_functions(f, keys[k].function, keys[nearest].function, q);
  }
}

/* The best keys there are: numbers of a lattice, CDPs, positions (to a centimetre). */
static moho_status compare_neighbours(const moho_velocity_functions *f, moho_velocity_quality *q) {
  keyed *keys;
  int numbers = f->inline_number && f->crossline_number;
  if (f->n < 2 || (!numbers && !f->x_m && !f->cdp)) return MOHO_OK;
  MOHO_TRY(moho_allocate(f->n, sizeof *keys, "velocity functions", &keys));
  for (int order = 0; order < 2; order++) {
    for (size_t p = 0; p < f->n; p++) {
      double a = numbers             ? f->inline_number[p]
                 : f->x_m && !f->cdp ? rint(100 * f->x_m[p]) / 100
                                     : 0,
             b = numbers             ? f->crossline_number[p]
                 : f->x_m && !f->cdp ? rint(100 * f->y_m[p]) / 100
                                     : f->cdp[p];
      keys[p] = order ? (keyed){b, a, p} : (keyed){a, b, p};
    }
    if (order && !numbers && f->cdp) break; /* a line has one order */
    qsort(keys, f->n, sizeof *keys, compare_keys);
    compare_along(f, keys, q);
  }
  free(keys);
  return MOHO_OK;
}

/* ---- coverage ---- */

static void measure_places(const moho_velocity_functions *f, moho_velocity_quality *q) {
  if (!f->x_m || !f->n) return;
  q->has_places = 1;
  q->x_least = q->x_most = f->x_m[0], q->y_least = q->y_most = f->y_m[0];
  for (size_t p = 0; p < f->n; p++) {
    q->x_least = fmin(q->x_least, f->x_m[p]), q->x_most = fmax(q->x_most, f->x_m[p]);
    q->y_least = fmin(q->y_least, f->y_m[p]), q->y_most = fmax(q->y_most, f->y_m[p]);
  }
}

/* Nodes of an axis within [low - 1, high + 1]. */
static size_t covered(size_t n, double low, double high) {
  double first = fmax(0, ceil(low - 1)), last = fmin((double)n - 1, floor(high + 1));
  return last >= first ? (size_t)(last - first) + 1 : 0;
}

/* The rectangle of the functions in the axes of the grid; one function covers all. */
static void measure_coverage(const moho_velocity_functions *f, const moho_grid *g, moho_velocity_quality *q) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  if (!g) return;
  q->grid_columns = g->n_inline * g->n_crossline;
  if (!f->x_m || f->n < 2) return;
  for (size_t p = 0; p < f->n; p++) {
    double at[2];
    moho_grid_locate(g, f->x_m[p], f->y_m[p], &at[0], &at[1]);
    for (int a = 0; a < 2; a++) low[a] = fmin(low[a], at[a]), high[a] = fmax(high[a], at[a]);
  }
  size_t across = g->n_inline == 1 ? 1 : covered(g->n_inline, low[0], high[0]);
  q->grid_columns_outside = q->grid_columns - across * covered(g->n_crossline, low[1], high[1]);
}

/* ---- findings ---- */

static void warn_of_layers(const moho_velocity_functions *f, moho_velocity_quality *q) {
  if (q->negative)
    moho_findings_add(
        &q->findings, "negative_interval", (double)q->negative, 0,
        "these picks fall too steeply: no layer has such a velocity. Re-pick or smooth them; laws that bend rays refuse them",
        "%zu picks imply a negative squared interval velocity (Dix), the first in function %zu at %.4g s", q->negative,
        q->negative_function + 1, q->negative_time_s);
  if (q->worst_inversion_mps > inversion_share * q->v_least)
    moho_findings_add(&q->findings, "inversion", q->worst_inversion_mps, inversion_share * q->v_least,
                      f->kind == MOHO_VELOCITY_INTERVAL
                          ? "slow layers exist (overpressure, gas), but look whether this one is meant"
                          : "r.m.s. velocities fall only below strong inversions: look at these picks",
                      "velocities fall with time at %zu picks, at worst by %.0f m/s at %.4g s", q->inversions,
                      q->worst_inversion_mps, q->inversion_time_s);
  if (q->interval_most > 9000)
    moho_findings_add(&q->findings, "fast_interval", q->interval_most, 9000,
                      "picks too close in time, or one too fast: smooth them",
                      "a layer has an interval velocity of %.0f m/s, faster than rock", q->interval_most);
}

static void warn_of_units(moho_velocity_quality *q) {
  if (q->v_least >= feet_from)
    moho_findings_add(&q->findings, "looks_like_feet", q->v_least, feet_from,
                      "name the column velocity_fps (--columns), or convert the file: moho velocity convert",
                      "the slowest velocity is %.0f: these look like feet per second", q->v_least);
  else if (q->v_most <= 30)
    moho_findings_add(&q->findings, "looks_like_km", q->v_most, 30, "multiply by 1000",
                      "the fastest velocity is %.3g: these look like km/s", q->v_most);
}

static void warn_of_coverage(const moho_grid *g, moho_velocity_quality *q) {
  if (q->jumps)
    moho_findings_add(&q->findings, "lateral_jump", q->worst_jump, jump_share,
                      "time migration takes velocity as even within an aperture: smooth, or look for a bust pick",
                      "%zu pairs of neighbouring functions differ abruptly, at worst by %.0f %% at %.4g s over %.0f m", q->jumps,
                      100 * q->worst_jump, q->jump_time_s, q->jump_distance_m);
  if (!g) return;
  double end = g->first_s + (double)(g->n_time - 1) * g->step_s;
  if (q->grid_columns_outside * 20 > q->grid_columns)
    moho_findings_add(&q->findings, "outside_functions", (double)q->grid_columns_outside, (double)q->grid_columns / 20,
                      "there the nearest function is carried on as it is: check coordinates, or add functions",
                      "%zu of %zu columns of the grid (%.0f %%) lie outside the functions", q->grid_columns_outside,
                      q->grid_columns, 100 * (double)q->grid_columns_outside / (double)q->grid_columns);
  if (q->shortest_s < 0.8 * end && q->n_knots > q->n_functions)
    moho_findings_add(&q->findings, "short_functions", q->shortest_s, 0.8 * end,
                      "below its last pick a function is carried on as it is: add picks, or image fewer times",
                      "the shortest function ends at %.4g s, the grid at %.4g s", q->shortest_s, end);
}

moho_status moho_velocity_measure(const moho_velocity_functions *f, const moho_grid *grid, moho_velocity_quality *out) {
  *out = (moho_velocity_quality){.kind = f->kind,
                                 .n_functions = f->n,
                                 .n_knots = f->start[f->n],
                                 .v_least = INFINITY,
                                 .first_s = INFINITY,
                                 .shortest_s = INFINITY,
                                 .interval_least = INFINITY};
  for (size_t p = 0; p < f->n; p++) measure_function(f, p, out);
  if (!out->n_knots) return moho_fail(MOHO_ERROR_ARGUMENT, "velocity: no function holds a value");
  if (!isfinite(out->interval_least)) out->interval_least = 0;
  measure_places(f, out);
  measure_coverage(f, grid, out);
  MOHO_TRY(compare_neighbours(f, out));
  warn_of_units(out);
  warn_of_layers(f, out);
  warn_of_coverage(grid, out);
  return MOHO_OK;
}

moho_status moho_velocity_quality_json(const moho_velocity_quality *q, char **text) {
  static const char *const kinds[] = {"rms", "interval", "average"};
  json_t *places =
      q->has_places ? json_pack("{s:[f, f], s:[f, f]}", "x_m", q->x_least, q->x_most, "y_m", q->y_least, q->y_most) : json_null();
  json_t *root = json_pack(
      "{s:s, s:I, s:I, s:[f, f], s:[f, f], s:f, s:{s:I, s:f, s:f}, s:{s:I, s:f, s:[f, f]}, s:{s:I, s:f, s:f, s:f}, s:o, s:I, "
      "s:I, s:o}",
      "type", kinds[q->kind], "functions", (json_int_t)q->n_functions, "knots", (json_int_t)q->n_knots, "velocity_mps",
      q->v_least, q->v_most, "time_s", q->first_s, q->last_s, "shortest_s", q->shortest_s, "inversions", "count",
      (json_int_t)q->inversions, "worst_mps", q->worst_inversion_mps, "time_s", q->inversion_time_s, "interval", "negative",
      (json_int_t)q->negative, "first_negative_s", q->negative_time_s, "velocity_mps", q->interval_least, q->interval_most,
      "lateral_jumps", "count", (json_int_t)q->jumps, "worst", q->worst_jump, "time_s", q->jump_time_s, "distance_m",
      q->jump_distance_m, "places", places, "grid_columns", (json_int_t)q->grid_columns, "grid_columns_outside",
      (json_int_t)q->grid_columns_outside, "findings", moho_findings_json(&q->findings));
  return moho_quality_text(root, text);
}
