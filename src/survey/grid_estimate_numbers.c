/* grid_estimate_numbers.c - grids whose numbers are those of the headers: inline and crossline, or the CDPs of a line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/grid_estimate.h"

#define DEGREES (180.0 / 3.14159265358979323846)

/* ---- numbers ---- */

typedef struct axis_numbers {
  int64_t first, last, step; /* step: the greatest that divides all differences */
  size_t count;              /* traces that have a number */
} axis_numbers;

static int64_t common_divisor(int64_t a, int64_t b) {
  while (b) {
    int64_t rest = a % b;
    a = b, b = rest;
  }
  return a;
}

static axis_numbers numbers_of(size_t n, const int32_t *number) {
  axis_numbers a = {INT64_MAX, INT64_MIN, 0, 0};
  int64_t any = 0;
  for (size_t i = 0; i < n; i++) {
    if (number[i] == 0) continue;
    if (a.count++ == 0) any = number[i];
    a.first = number[i] < a.first ? number[i] : a.first, a.last = number[i] > a.last ? number[i] : a.last;
    a.step = common_divisor(a.step, llabs(number[i] - any));
  }
  return a;
}

static size_t nodes_of(const axis_numbers *a) {
  return a->step ? (size_t)((a->last - a->first) / a->step) + 1 : 1;
}

/* ---- inlines and crosslines ---- */

typedef struct fit_points {
  size_t n;
  double *x, *y, *p, *q;
} fit_points;

static moho_status allocate_points(size_t n, fit_points *f) {
  f->n = 0;
  MOHO_TRY(moho_allocate(n, sizeof(double), "midpoints", &f->x));
  MOHO_TRY(moho_allocate(n, sizeof(double), "midpoints", &f->y));
  MOHO_TRY(moho_allocate(n, sizeof(double), "midpoints", &f->p));
  return moho_allocate(n, sizeof(double), "midpoints", &f->q);
}

/* Keep the points within `reach` steps of the fit; returns their rms misfit in steps, the worse axis. */
static double keep_near(fit_points *f, const moho_affine *fit, double reach) {
  size_t kept = 0;
  double sum_p = 0, sum_q = 0, p, q;
  for (size_t i = 0; i < f->n; i++) {
    moho_affine_invert(fit, f->x[i], f->y[i], &p, &q);
    p -= f->p[i], q -= f->q[i];
    if (fabs(p) > reach || fabs(q) > reach) continue;
    f->x[kept] = f->x[i], f->y[kept] = f->y[i], f->p[kept] = f->p[i], f->q[kept] = f->q[i];
    sum_p += p * p, sum_q += q * q;
    kept++;
  }
  f->n = kept;
  return kept ? sqrt(fmax(sum_p, sum_q) / (double)kept) : INFINITY;
}

/* The numbers fit the positions when midpoints lie within their bins (uniform scatter in a bin is 0.29 of it) but for 2 % of the
 * traces, and the axes are perpendicular. */
static int numbers_fit(fit_points *f, moho_affine *fit) {
  size_t all = f->n;
  if (!moho_affine_fit(f->n, f->x, f->y, f->p, f->q, fit)) return 0;
  double misfit = keep_near(f, fit, 3);
  if (f->n < all) {
    if ((double)f->n < 0.98 * (double)all || !moho_affine_fit(f->n, f->x, f->y, f->p, f->q, fit)) return 0;
    misfit = keep_near(f, fit, INFINITY);
  }
  double a = hypot(fit->a_x, fit->a_y), b = hypot(fit->b_x, fit->b_y);
  return misfit <= 0.6 && fabs(fit->a_x * fit->b_x + fit->a_y * fit->b_y) <= 0.03 * a * b;
}

static void grid_of_numbers(const axis_numbers *il, const axis_numbers *xl, const fit_points *f, const moho_affine *fit,
                            moho_grid *grid) {
  double p = 0, q = 0;
  for (size_t i = 0; i < f->n; i++) p += f->p[i], q += f->q[i];
  grid->inline_first = (int32_t)il->first, grid->inline_step = (int32_t)il->step, grid->n_inline = nodes_of(il);
  grid->crossline_first = (int32_t)xl->first, grid->crossline_step = (int32_t)xl->step, grid->n_crossline = nodes_of(xl);
  moho_grid_from_affine(fit, p / (double)f->n, q / (double)f->n, grid);
}

moho_status moho_grid_estimate_by_numbers(const moho_midpoints *m, moho_grid *grid, int *done, char *words, size_t size) {
  axis_numbers il = numbers_of(m->n, m->inline_number), xl = numbers_of(m->n, m->crossline_number);
  *done = 0;
  if ((double)il.count < 0.99 * (double)m->n || (double)xl.count < 0.99 * (double)m->n || !il.step || !xl.step) return MOHO_OK;
  if ((double)nodes_of(&il) * (double)nodes_of(&xl) > 100 * (double)m->n + 1e4) return MOHO_OK;
  fit_points f = {0};
  moho_affine fit;
  moho_status status = allocate_points(m->n, &f);
  for (size_t i = 0; !status && i < m->n; i++) {
    if (!m->inline_number[i] || !m->crossline_number[i]) continue;
    f.x[f.n] = m->x[i], f.y[f.n] = m->y[i];
    f.p[f.n] = (double)(m->inline_number[i] - il.first) / (double)il.step,
    f.q[f.n] = (double)(m->crossline_number[i] - xl.first) / (double)xl.step;
    f.n++;
  }
  if (!status && numbers_fit(&f, &fit)) {
    grid_of_numbers(&il, &xl, &f, &fit, grid);
    *done = 1;
    snprintf(words, size, "3D grid from the inline and crossline numbers of the headers");
  }
  free(f.x), free(f.y), free(f.p), free(f.q);
  return status;
}

/* ---- CDPs of a line ---- */

/* Mean position of each CDP; nodes without traces have count 0. */
typedef struct cdps {
  size_t n;
  double *x, *y, *count;
  double scatter; /* rms distance of a midpoint from its CDP's mean */
} cdps;

static void release_cdps(cdps *c) {
  free(c->x), free(c->y), free(c->count);
  *c = (cdps){0};
}

static moho_status allocate_cdps(size_t n, cdps *c) {
  *c = (cdps){.n = n};
  MOHO_TRY(moho_allocate(n, sizeof(double), "CDPs", &c->x));
  MOHO_TRY(moho_allocate(n, sizeof(double), "CDPs", &c->y));
  return moho_allocate(n, sizeof(double), "CDPs", &c->count);
}

static moho_status mean_positions(const moho_midpoints *m, const int32_t *number, const axis_numbers *a, cdps *c) {
  MOHO_TRY(allocate_cdps(nodes_of(a), c));
  double sum = 0;
  for (size_t i = 0; i < m->n; i++) {
    if (!number[i]) continue;
    size_t k = (size_t)((number[i] - a->first) / a->step);
    c->x[k] += m->x[i], c->y[k] += m->y[i], c->count[k]++;
  }
  for (size_t k = 0; k < c->n; k++)
    if (c->count[k] > 0) c->x[k] /= c->count[k], c->y[k] /= c->count[k];
  for (size_t i = 0; i < m->n; i++) {
    if (!number[i]) continue;
    size_t k = (size_t)((number[i] - a->first) / a->step);
    sum += (m->x[i] - c->x[k]) * (m->x[i] - c->x[k]) + (m->y[i] - c->y[k]) * (m->y[i] - c->y[k]);
  }
  c->scatter = sqrt(sum / (double)a->count);
  return MOHO_OK;
}

/* Straight pieces between the CDPs that have traces. */
static void bridge_gaps(cdps *c) {
  size_t last = 0;
  for (size_t k = 1; k < c->n; k++) {
    if (c->count[k] == 0) continue;
    for (size_t g = last + 1; g < k; g++) {
      double f = (double)(g - last) / (double)(k - last);
      c->x[g] = c->x[last] + f * (c->x[k] - c->x[last]), c->y[g] = c->y[last] + f * (c->y[k] - c->y[last]);
    }
    last = k;
  }
}

/* Local straight lines over 2*reach + 1 CDPs, weighted by their traces. */
static moho_status smooth(cdps *c, size_t reach) {
  cdps s;
  moho_status status = allocate_cdps(c->n, &s);
  for (size_t k = 0; !status && k < c->n; k++) {
    size_t from = k > reach ? k - reach : 0, to = k + reach < c->n ? k + reach : c->n - 1;
    double w = 0, u = 0, uu = 0, x = 0, y = 0, ux = 0, uy = 0;
    for (size_t g = from; g <= to; g++) {
      double weight = c->count[g] + 0.01, d = (double)g - (double)k;
      w += weight, u += weight * d, uu += weight * d * d;
      x += weight * c->x[g], y += weight * c->y[g], ux += weight * d * c->x[g], uy += weight * d * c->y[g];
    }
    double determinant = w * uu - u * u;
    s.x[k] = determinant > 0 ? (uu * x - u * ux) / determinant : c->x[k];
    s.y[k] = determinant > 0 ? (uu * y - u * uy) / determinant : c->y[k];
  }
  if (!status) memcpy(c->x, s.x, c->n * sizeof(double)), memcpy(c->y, s.y, c->n * sizeof(double));
  release_cdps(&s);
  return status;
}

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* Do the CDPs follow one another along a line? Its length may not be many times its extent (numbers that run through an area,
 * or that are no positions at all), and no step may be a leap. */
static moho_status follow_a_line(const cdps *c, int *follow, double *spacing) {
  double *steps, length = 0, low_x = c->x[0], high_x = c->x[0], low_y = c->y[0], high_y = c->y[0];
  MOHO_TRY(moho_allocate(c->n, sizeof *steps, "CDPs", &steps));
  for (size_t k = 0; k + 1 < c->n; k++) {
    steps[k] = hypot(c->x[k + 1] - c->x[k], c->y[k + 1] - c->y[k]);
    length += steps[k];
    low_x = fmin(low_x, c->x[k + 1]), high_x = fmax(high_x, c->x[k + 1]);
    low_y = fmin(low_y, c->y[k + 1]), high_y = fmax(high_y, c->y[k + 1]);
  }
  qsort(steps, c->n - 1, sizeof *steps, ascending);
  double extent = hypot(high_x - low_x, high_y - low_y), leap = steps[c->n - 2];
  *spacing = steps[(c->n - 1) / 2];
  /* midpoints far from their CDP: the numbers are those of one axis of an area */
  *follow =
      c->scatter <= 0.1 * extent && length <= 4 * extent && *spacing > 0 && (leap <= 20 * *spacing || leap <= 0.05 * extent);
  free(steps);
  return MOHO_OK;
}

/* The straight line through the CDPs, x = x0 + a*k; the largest distance of a CDP from its place on it. */
static double straight_line(const cdps *c, moho_affine *line) {
  double w = 0, u = 0, uu = 0, x = 0, y = 0, ux = 0, uy = 0, worst = 0;
  for (size_t k = 0; k < c->n; k++) {
    double d = (double)k;
    w++, u += d, uu += d * d, x += c->x[k], y += c->y[k], ux += d * c->x[k], uy += d * c->y[k];
  }
  double determinant = w * uu - u * u;
  line->b_x = (w * ux - u * x) / determinant, line->b_y = (w * uy - u * y) / determinant;
  line->x0 = (x - u * line->b_x) / w, line->y0 = (y - u * line->b_y) / w;
  line->a_x = line->b_y, line->a_y = -line->b_x; /* inline numbers grow 90 degrees clockwise */
  for (size_t k = 0; k < c->n; k++)
    worst = fmax(worst, hypot(c->x[k] - line->x0 - line->b_x * (double)k, c->y[k] - line->y0 - line->b_y * (double)k));
  return worst;
}

static moho_status crooked_grid(cdps *c, double spacing, moho_grid *grid) {
  double end_x = c->x[c->n - 1] - c->x[0], end_y = c->y[c->n - 1] - c->y[0];
  grid->origin_x_m = c->x[0], grid->origin_y_m = c->y[0];
  grid->inline_azimuth_deg = atan2(end_x, end_y) * DEGREES;
  if (grid->inline_azimuth_deg < 0) grid->inline_azimuth_deg += 360;
  grid->inline_spacing_m = grid->crossline_spacing_m = spacing;
  grid->line_x_m = c->x, grid->line_y_m = c->y;
  c->x = c->y = NULL;
  return MOHO_OK;
}

static moho_status line_of_cdps(cdps *c, const axis_numbers *a, moho_grid *grid, int *done, char *words, size_t size) {
  double spacing, fold = (double)a->count / (double)c->n;
  bridge_gaps(c);
  /* Where midpoints scatter about their CDPs the means wobble by scatter/sqrt(fold): smooth that away, but not exact positions.
   */
  MOHO_TRY(follow_a_line(c, done, &spacing));
  if (c->scatter / sqrt(fmax(fold, 1)) > 0.05 * spacing) {
    MOHO_TRY(smooth(c, c->n > 40 ? 10 : c->n / 4));
    MOHO_TRY(follow_a_line(c, done, &spacing));
  }
  if (!*done) return MOHO_OK;
  moho_affine line;
  double worst = straight_line(c, &line);
  grid->n_inline = 1, grid->n_crossline = c->n;
  grid->crossline_first = (int32_t)a->first, grid->crossline_step = (int32_t)a->step;
  int straight = worst <= 0.5 * spacing;
  snprintf(words, size, "%s line from the CDP numbers of the headers", straight ? "straight" : "crooked");
  if (!straight) return crooked_grid(c, spacing, grid);
  moho_grid_from_affine(&line, 0, (double)(c->n - 1) / 2, grid);
  return MOHO_OK;
}

static moho_status line_by(const moho_midpoints *m, const int32_t *number, moho_grid *grid, int *done, char *words, size_t size) {
  axis_numbers a = numbers_of(m->n, number);
  if ((double)a.count < 0.99 * (double)m->n || !a.step || (double)nodes_of(&a) > 20 * (double)a.count) return MOHO_OK;
  cdps c;
  moho_status status = mean_positions(m, number, &a, &c);
  if (!status) status = line_of_cdps(&c, &a, grid, done, words, size);
  release_cdps(&c);
  return status;
}

moho_status moho_grid_estimate_line_by_numbers(const moho_midpoints *m, moho_grid *grid, int *done, char *words, size_t size) {
  axis_numbers il = numbers_of(m->n, m->inline_number), xl = numbers_of(m->n, m->crossline_number);
  *done = 0;
  MOHO_TRY(line_by(m, m->cdp, grid, done, words, size));
  if (*done) return MOHO_OK;
  if (xl.step && !il.step) MOHO_TRY(line_by(m, m->crossline_number, grid, done, words, size));
  if (*done && il.count) grid->inline_first = (int32_t)il.first;
  if (!*done && il.step && !xl.step) MOHO_TRY(line_by(m, m->inline_number, grid, done, words, size));
  return MOHO_OK;
}
