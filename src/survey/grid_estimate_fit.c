/* grid_estimate_fit.c - what all estimates of a grid share: distinct positions, their spacing, lattices in one and two axes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/grid_estimate.h"

#define DEGREES (180.0 / 3.14159265358979323846)

/* Positions nearer than this, in metres, are one: coordinates in headers have no more digits. */
static const double same_m = 1e-3;
/* Positions that are asked for their nearest neighbour. */
enum { SAMPLE = 2000 };

/* ---- distinct positions ---- */

typedef struct point {
  double x, y;
} point;

static int by_x_then_y(const void *a, const void *b) {
  const point *p = a, *q = b;
  if (p->x != q->x) return p->x < q->x ? -1 : 1;
  return (p->y > q->y) - (p->y < q->y);
}

moho_status moho_positions_distinct(size_t n, const double *x, const double *y, moho_positions *out) {
  point *points;
  *out = (moho_positions){0};
  MOHO_TRY(moho_allocate(n, sizeof *points, "positions", &points));
  for (size_t i = 0; i < n; i++) points[i] = (point){same_m * rint(x[i] / same_m), same_m * rint(y[i] / same_m)};
  qsort(points, n, sizeof *points, by_x_then_y);
  size_t m = 0;
  for (size_t i = 0; i < n; i++)
    if (m == 0 || points[i].x != points[m - 1].x || points[i].y != points[m - 1].y) points[m++] = points[i];
  moho_status status = moho_allocate(m, sizeof(double), "positions", &out->x);
  if (!status) status = moho_allocate(m, sizeof(double), "positions", &out->y);
  for (size_t i = 0; !status && i < m; i++) out->x[i] = points[i].x, out->y[i] = points[i].y;
  out->n = status ? 0 : m;
  free(points);
  if (!status) status = moho_positions_join_rounded(out);
  if (status) moho_positions_release(out);
  return status;
}

void moho_positions_release(moho_positions *positions) {
  free(positions->x), free(positions->y);
  *positions = (moho_positions){0};
}

/* Sorted by x: neighbours are looked for left and right until x alone is farther than the best. */
int moho_positions_nearest(const moho_positions *p, size_t i, double *dx, double *dy) {
  double best = INFINITY;
  *dx = *dy = 0;
  for (int side = -1; side <= 1; side += 2)
    for (size_t k = i + (size_t)side; k < p->n && fabs(p->x[k] - p->x[i]) < best; k += (size_t)side) {
      double distance = hypot(p->x[k] - p->x[i], p->y[k] - p->y[i]);
      if (distance < best && distance > 3 * same_m) best = distance, *dx = p->x[k] - p->x[i], *dy = p->y[k] - p->y[i];
    }
  return isfinite(best);
}

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

moho_status moho_positions_spacing(const moho_positions *p, double *spacing, double *direction_deg, double *agreement) {
  size_t count = p->n < SAMPLE ? p->n : SAMPLE, found = 0;
  double *distance, cosine = 0, sine = 0, dx, dy;
  *spacing = *direction_deg = *agreement = 0;
  MOHO_TRY(moho_allocate(count, sizeof *distance, "positions", &distance));
  for (size_t s = 0; s < count; s++) {
    size_t i = (size_t)((double)s * (double)p->n / (double)count);
    if (!moho_positions_nearest(p, i, &dx, &dy)) continue;
    double angle = atan2(dx, dy);
    cosine += cos(4 * angle), sine += sin(4 * angle);
    distance[found++] = hypot(dx, dy);
  }
  if (found) {
    qsort(distance, found, sizeof *distance, ascending);
    *spacing = distance[found / 2];
    *direction_deg = atan2(sine, cosine) / 4 * DEGREES;
    *agreement = hypot(sine, cosine) / (double)found;
  }
  free(distance);
  return MOHO_OK;
}

/* ---- one axis ---- */

/* Means of the groups of sorted values that lie nearer than `threshold` to the next; in place. *widest: of the groups. */
static size_t group(size_t n, double *values, double threshold, double *widest) {
  size_t groups = 0, start = 0;
  *widest = 0;
  for (size_t i = 1; i <= n; i++) {
    if (i < n && values[i] - values[i - 1] <= threshold) continue;
    double sum = 0;
    *widest = fmax(*widest, values[i - 1] - values[start]);
    for (size_t k = start; k < i; k++) sum += values[k] - values[start];
    values[groups++] = values[start] + sum / (double)(i - start);
    start = i;
  }
  return groups;
}

/* The mean of the gaps that are one step: those not half as long again as the shortest. */
static double one_step(size_t n, const double *steps) {
  double shortest = INFINITY, sum = 0;
  size_t count = 0;
  for (size_t i = 0; i + 1 < n; i++) shortest = fmin(shortest, steps[i + 1] - steps[i]);
  for (size_t i = 0; i + 1 < n; i++)
    if (steps[i + 1] - steps[i] < 1.5 * shortest) sum += steps[i + 1] - steps[i], count++;
  return sum / (double)count;
}

/* Line through (index, value) with indices counted in steps; returns rms misfit in steps. */
static double fit_steps(size_t n, const double *values, double *first, double *spacing) {
  double index = 0, si = 0, sv = 0, sii = 0, siv = 0, step = *spacing;
  for (size_t i = 0; i < n; i++) {
    if (i) index += fmax(rint((values[i] - values[i - 1]) / step), 1);
    double v = values[i] - values[0];
    si += index, sv += v, sii += index * index, siv += index * v;
  }
  double m = (double)n, slope = (m * siv - si * sv) / (m * sii - si * si), start = (sv - slope * si) / m, sum = 0;
  index = 0;
  for (size_t i = 0; i < n; i++) {
    if (i) index += fmax(rint((values[i] - values[i - 1]) / step), 1);
    double miss = values[i] - values[0] - start - slope * index;
    sum += miss * miss;
  }
  *first = values[0] + start, *spacing = slope;
  return sqrt(sum / m) / slope;
}

/* One guess of what parts the steps: gaps above the threshold. scratch: [n]. */
static int try_threshold(size_t n, const double *values, double threshold, double most, double *scratch, double *first,
                         double *spacing) {
  memcpy(scratch, values, n * sizeof *scratch);
  double widest;
  size_t groups = group(n, scratch, threshold, &widest);
  if (groups < 2) return 0;
  *spacing = one_step(groups, scratch);
  if (widest > 0.6 * *spacing) return 0; /* a group that is wider than a step is no step */
  if (!(fit_steps(groups, scratch, first, spacing) <= most && *spacing > same_m)) return 0;
  /* Mostly holes: differences within the rounding of coordinates, of which anything is a multiple. */
  return values[n - 1] - values[0] <= 5 * (double)groups * *spacing;
}

/* Scatter within a step and the gap to the next are parted by a jump in the sorted gaps; so are steps from holes. The finest
 * jump whose groups make a lattice is it. */
int moho_lattice_1d(size_t n, double *values, double most, double *first, double *spacing) {
  if (n < 2) return 0;
  qsort(values, n, sizeof *values, ascending);
  double length = values[n - 1] - values[0], smallest = fmax(1e-9 * length, same_m), *gaps = NULL, *scratch = NULL;
  int found = 0;
  if (!(length > 0) || moho_allocate(n, sizeof *gaps, "gaps", &gaps)) return 0;
  if (!moho_allocate(n, sizeof *scratch, "gaps", &scratch)) {
    for (size_t i = 0; i + 1 < n; i++) gaps[i] = fmax(values[i + 1] - values[i], smallest);
    qsort(gaps, n - 1, sizeof *gaps, ascending);
    found = try_threshold(n, values, smallest, most, scratch, first, spacing);
    for (size_t i = 0; !found && i + 2 < n; i++)
      if (gaps[i + 1] > 3 * gaps[i]) found = try_threshold(n, values, sqrt(gaps[i] * gaps[i + 1]), most, scratch, first, spacing);
  }
  free(gaps), free(scratch);
  return found;
}

/* ---- two axes ---- */

int moho_affine_fit(size_t n, const double *x, const double *y, const double *p, const double *q, moho_affine *out) {
  double mp = 0, mq = 0, mx = 0, my = 0, pp = 0, pq = 0, qq = 0, px = 0, qx = 0, py = 0, qy = 0;
  for (size_t i = 0; i < n; i++) mp += p[i], mq += q[i], mx += x[i], my += y[i];
  double m = (double)n;
  mp /= m, mq /= m, mx /= m, my /= m;
  for (size_t i = 0; i < n; i++) {
    double dp = p[i] - mp, dq = q[i] - mq, dx = x[i] - mx, dy = y[i] - my;
    pp += dp * dp, pq += dp * dq, qq += dq * dq;
    px += dp * dx, qx += dq * dx, py += dp * dy, qy += dq * dy;
  }
  double determinant = pp * qq - pq * pq;
  if (!(determinant > 1e-9 * pp * qq) || !(pp > 0) || !(qq > 0)) return 0;
  out->a_x = (px * qq - qx * pq) / determinant, out->b_x = (qx * pp - px * pq) / determinant;
  out->a_y = (py * qq - qy * pq) / determinant, out->b_y = (qy * pp - py * pq) / determinant;
  out->x0 = mx - out->a_x * mp - out->b_x * mq, out->y0 = my - out->a_y * mp - out->b_y * mq;
  return fabs(out->a_x * out->b_y - out->a_y * out->b_x) > 1e-6 * hypot(out->a_x, out->a_y) * hypot(out->b_x, out->b_y);
}

void moho_affine_invert(const moho_affine *f, double x, double y, double *p, double *q) {
  double determinant = f->a_x * f->b_y - f->a_y * f->b_x, dx = x - f->x0, dy = y - f->y0;
  *p = (dx * f->b_y - dy * f->b_x) / determinant;
  *q = (dy * f->a_x - dx * f->a_y) / determinant;
}

/* The number of fewest decimals (from `least` to `most`) within `tolerance` of value, else value. */
static double rounded(double value, double tolerance, int least, int most) {
  for (int digits = least; digits <= most; digits++) {
    double scale = pow(10, digits), candidate = rint(value * scale) / scale;
    if (fabs(candidate - value) <= tolerance) return candidate;
  }
  return value;
}

void moho_grid_from_affine(const moho_affine *f, double mean_p, double mean_q, moho_grid *grid) {
  double a = hypot(f->a_x, f->a_y), b = hypot(f->b_x, f->b_y);
  double steps_i = fmax((double)grid->n_inline - 1, 1), steps_j = fmax((double)grid->n_crossline - 1, 1);
  grid->flip = f->a_x * f->b_y - f->a_y * f->b_x < 0;
  /* Direction along the inline from both axes, each as sure as it is long: a turned by 90 degrees is along b. */
  double sign = grid->flip ? -1 : 1, weight_a = a * steps_i, weight_b = b * steps_j;
  double along_x = f->b_x / b * weight_b - sign * f->a_y / a * weight_a;
  double along_y = f->b_y / b * weight_b + sign * f->a_x / a * weight_a;
  double azimuth = atan2(along_x, along_y) * DEGREES;
  grid->inline_spacing_m = fmax(rounded(a, 0.05 * a / steps_i, 0, 4), 1e-3);
  grid->crossline_spacing_m = fmax(rounded(b, 0.05 * b / steps_j, 0, 4), 1e-3);
  if (grid->n_inline == 1) grid->inline_spacing_m = grid->crossline_spacing_m; /* a line: bins are square */
  double reach = fmax(a * steps_i, b * steps_j), bin = fmin(a, b);
  azimuth = rounded(azimuth, 0.02 * bin / reach * DEGREES, 0, 6);
  grid->inline_azimuth_deg = azimuth < 0 ? azimuth + 360 : azimuth;
  if (grid->inline_azimuth_deg >= 360 || grid->inline_azimuth_deg == 0) grid->inline_azimuth_deg = 0; /* never -0 */

  double x, y, mean_x = f->x0 + f->a_x * mean_p + f->b_x * mean_q, mean_y = f->y0 + f->a_y * mean_p + f->b_y * mean_q;
  moho_grid unit = *grid;
  unit.origin_x_m = unit.origin_y_m = 0, unit.inline_spacing_m *= mean_p, unit.crossline_spacing_m *= mean_q;
  unit.line_x_m = unit.line_y_m = NULL;
  moho_grid_node(&unit, 1, 1, &x, &y);
  grid->origin_x_m = mean_x - x, grid->origin_y_m = mean_y - y;
}
