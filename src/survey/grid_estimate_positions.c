/* grid_estimate_positions.c - grids from positions alone: a lattice of midpoints, a line, or an area. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "survey/grid_estimate.h"

#define DEGREES (180.0 / 3.14159265358979323846)

static double *number_array(size_t n) {
  double *array = NULL;
  return moho_allocate(n, sizeof *array, "midpoints", &array) ? NULL : array;
}

/* ---- a lattice, grown from a patch in the middle ---- */

typedef struct lattice {
  moho_affine fit; /* a: along direction_deg turned 90 degrees clockwise (i), b: along direction_deg (j) */
  double *x, *y, *p, *q;
} lattice;

typedef struct near {
  double distance;
  size_t index;
} near;

static int by_distance(const void *a, const void *b) {
  const near *p = a, *q = b;
  return (p->distance > q->distance) - (p->distance < q->distance);
}

/* Positions in order of their distance from the middle one. */
static near *from_the_middle(const moho_positions *p) {
  near *order = NULL;
  if (moho_allocate(p->n, sizeof *order, "midpoints", &order)) return NULL;
  double x = p->x[p->n / 2], y = p->y[p->n / 2];
  for (size_t i = 0; i < p->n; i++) order[i] = (near){hypot(p->x[i] - x, p->y[i] - y), i};
  qsort(order, p->n, sizeof *order, by_distance);
  return order;
}

/* Spacing along a direction of the first n positions. */
static int spacing_along(const lattice *l, size_t n, double u_x, double u_y, double *first, double *spacing) {
  for (size_t i = 0; i < n; i++) l->p[i] = l->x[i] * u_x + l->y[i] * u_y;
  return moho_lattice_1d(n, l->p, 0.2, first, spacing);
}

/* Indices of the first n positions by the fit so far, then a better fit. Returns the rms misfit in steps. */
static double refit(lattice *l, size_t n) {
  for (size_t i = 0; i < n; i++) {
    moho_affine_invert(&l->fit, l->x[i], l->y[i], &l->p[i], &l->q[i]);
    l->p[i] = rint(l->p[i]), l->q[i] = rint(l->q[i]);
  }
  if (!moho_affine_fit(n, l->x, l->y, l->p, l->q, &l->fit)) return INFINITY;
  double sum_p = 0, sum_q = 0, p, q;
  for (size_t i = 0; i < n; i++) {
    moho_affine_invert(&l->fit, l->x[i], l->y[i], &p, &q);
    sum_p += (p - l->p[i]) * (p - l->p[i]), sum_q += (q - l->q[i]) * (q - l->q[i]);
  }
  return sqrt(fmax(sum_p, sum_q) / (double)n);
}

static int grow_lattice(lattice *l, size_t n, double direction_deg) {
  double a = direction_deg / DEGREES, first_i, first_j, step_i, step_j;
  size_t patch = n < 200 ? n : 200;
  if (!spacing_along(l, patch, cos(a), -sin(a), &first_i, &step_i) || !spacing_along(l, patch, sin(a), cos(a), &first_j, &step_j))
    return 0;
  l->fit = (moho_affine){first_i * cos(a) + first_j * sin(a),
                         -first_i * sin(a) + first_j * cos(a),
                         step_i * cos(a),
                         -step_i * sin(a),
                         step_j * sin(a),
                         step_j * cos(a)};
  for (;; patch = patch > n / 2 ? n : 2 * patch) {
    if (refit(l, patch) > 0.2) return 0;
    if (patch == n) return 1;
  }
}

static void index_range(size_t n, const double *values, double *low, double *high) {
  *low = *high = values[0];
  for (size_t i = 1; i < n; i++) *low = fmin(*low, values[i]), *high = fmax(*high, values[i]);
}

/* Turn the axes by quarter turns: inlines run along the longer side, else (within a tenth) near north; directions -90 to 90. */
static void orient(moho_affine *f, double *n_i, double *n_j) {
  double length_i = hypot(f->a_x, f->a_y) * (*n_i - 1), length_j = hypot(f->b_x, f->b_y) * (*n_j - 1);
  int northward = fabs(f->a_y) > fabs(f->b_y) * (1 + 1e-9) && length_i > 0.9 * length_j;
  if (length_i > 1.1 * length_j || northward) {
    moho_affine t = *f;
    double n = *n_i;
    f->a_x = t.b_x, f->a_y = t.b_y, f->b_x = t.a_x, f->b_y = t.a_y;
    *n_i = *n_j, *n_j = n;
  }
  /* Each axis is reversed about the lattice's own ends: b towards north (or east), a to its right. */
  if (f->b_y < -1e-9 * fabs(f->b_x) || (fabs(f->b_y) <= 1e-9 * fabs(f->b_x) && f->b_x < 0)) {
    f->x0 += f->b_x * (*n_j - 1), f->y0 += f->b_y * (*n_j - 1);
    f->b_x = -f->b_x, f->b_y = -f->b_y;
  }
  if (f->a_x * f->b_y - f->a_y * f->b_x < 0) {
    f->x0 += f->a_x * (*n_i - 1), f->y0 += f->a_y * (*n_i - 1);
    f->a_x = -f->a_x, f->a_y = -f->a_y;
  }
}

/* Moves the fit's origin to the lattice's first corner; 0 when fewer than a fifth of the nodes have a midpoint. */
static int settle_lattice(lattice *l, size_t n, moho_grid *grid) {
  double low_p, high_p, low_q, high_q;
  index_range(n, l->p, &low_p, &high_p);
  index_range(n, l->q, &low_q, &high_q);
  double n_i = high_p - low_p + 1, n_j = high_q - low_q + 1;
  if (n_i < 2 || n_j < 2 || n_i * n_j > 5 * (double)n) return 0;
  moho_affine *f = &l->fit;
  f->x0 += low_p * f->a_x + low_q * f->b_x, f->y0 += low_p * f->a_y + low_q * f->b_y;
  orient(f, &n_i, &n_j);
  grid->n_inline = (size_t)n_i, grid->n_crossline = (size_t)n_j;
  moho_grid_from_affine(f, (n_i - 1) / 2, (n_j - 1) / 2, grid);
  return 1;
}

moho_status moho_grid_estimate_lattice(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, int *done, char *words,
                                       size_t size) {
  (void)m;
  double spacing, direction, agreement;
  *done = 0;
  if (p->n < 4) return MOHO_OK;
  MOHO_TRY(moho_positions_spacing(p, &spacing, &direction, &agreement));
  if (agreement < 0.6) return MOHO_OK;
  near *order = from_the_middle(p);
  lattice l = {.x = number_array(p->n), .y = number_array(p->n), .p = number_array(p->n), .q = number_array(p->n)};
  moho_status status = order && l.x && l.y && l.p && l.q ? MOHO_OK : moho_last_error()->code;
  for (size_t i = 0; !status && i < p->n; i++) l.x[i] = p->x[order[i].index], l.y[i] = p->y[order[i].index];
  if (!status && grow_lattice(&l, p->n, direction) && settle_lattice(&l, p->n, grid)) {
    *done = 1;
    snprintf(words, size, "3D grid from the lattice of midpoints");
  }
  free(order), free(l.x), free(l.y), free(l.p), free(l.q);
  return status;
}

/* ---- lines and areas: the main direction, and what bins the acquisition makes ---- */

typedef struct spread {
  double x, y;        /* mean */
  double u_x, u_y;    /* main direction */
  double low, high;   /* along it */
  double left, right; /* across it, right of it positive */
} spread;

static void along_and_across(const spread *s, double x, double y, double *along, double *across) {
  *along = (x - s->x) * s->u_x + (y - s->y) * s->u_y;
  *across = (x - s->x) * s->u_y - (y - s->y) * s->u_x;
}

static spread measure(const moho_positions *p, double u_x, double u_y, double x, double y) {
  spread s = {x, y, u_x, u_y, INFINITY, -INFINITY, INFINITY, -INFINITY};
  double along, across;
  for (size_t i = 0; i < p->n; i++) {
    along_and_across(&s, p->x[i], p->y[i], &along, &across);
    s.low = fmin(s.low, along), s.high = fmax(s.high, along), s.left = fmin(s.left, across), s.right = fmax(s.right, across);
  }
  return s;
}

/* Along the direction of the greatest variance. */
static spread main_spread(const moho_positions *p) {
  double x = 0, y = 0, xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < p->n; i++) x += p->x[i], y += p->y[i];
  x /= (double)p->n, y /= (double)p->n;
  for (size_t i = 0; i < p->n; i++) {
    double dx = p->x[i] - x, dy = p->y[i] - y;
    xx += dx * dx, xy += dx * dy, yy += dy * dy;
  }
  double angle = 0.5 * atan2(2 * xy, xx - yy);
  return measure(p, cos(angle), sin(angle), x, y);
}

/* Midpoints lie half a station apart: half the smaller of source and receiver intervals. 0 when there is none. */
static moho_status natural_bin(const moho_midpoints *m, double *bin, double *direction_deg, double *agreement) {
  const double *xs[2] = {m->receiver_x, m->source_x}, *ys[2] = {m->receiver_y, m->source_y};
  *bin = *direction_deg = *agreement = 0;
  for (int k = 0; k < 2; k++) {
    moho_positions stations;
    double spacing, direction, agree;
    MOHO_TRY(moho_positions_distinct(m->n, xs[k], ys[k], &stations));
    moho_status status = moho_positions_spacing(&stations, &spacing, &direction, &agree);
    moho_positions_release(&stations);
    if (status) return status;
    if (spacing > 0 && (*bin == 0 || spacing / 2 < *bin)) *bin = spacing / 2;
    if (agree > *agreement) *agreement = agree, *direction_deg = direction;
  }
  return MOHO_OK;
}

/* Stations scattered by some metres have no interval; a bin then holds a few midpoints at least. */
static double sensible_bin(double bin, double least) {
  bin = fmax(bin, least);
  double scale = bin < 20 ? 4 : 1; /* quarters of a metre, then whole metres */
  return fmax(rint(bin * scale) / scale, 0.25);
}

enum { PIECES = 64 };

typedef struct path {
  size_t n;
  double along[PIECES + 2], across[PIECES + 2];
  double width; /* median range across of a piece */
} path;

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* Mean position of each piece of the length, and how wide the pieces are. */
static path trace_path(const moho_positions *p, const spread *s) {
  double sum[PIECES] = {0}, sum_along[PIECES] = {0}, count[PIECES] = {0}, low[PIECES], high[PIECES], width[PIECES],
         length = s->high - s->low;
  path t = {0};
  size_t pieces = p->n / 8 < 1        ? 1
                  : p->n / 8 > PIECES ? PIECES
                                      : p->n / 8; /* with few midpoints each, an area would look narrow */
  for (size_t i = 0; i < p->n; i++) {
    double along, across;
    along_and_across(s, p->x[i], p->y[i], &along, &across);
    size_t k = (size_t)fmin(fmax((along - s->low) / length * (double)pieces, 0), (double)pieces - 1);
    low[k] = count[k] > 0 ? fmin(low[k], across) : across, high[k] = count[k] > 0 ? fmax(high[k], across) : across;
    sum[k] += across, sum_along[k] += along, count[k]++;
  }
  for (size_t k = 0; k < pieces; k++)
    if (count[k] > 0) {
      width[t.n] = high[k] - low[k];
      t.along[t.n] = sum_along[k] / count[k], t.across[t.n++] = sum[k] / count[k];
    }
  qsort(width, t.n, sizeof *width, ascending);
  t.width = t.n ? width[t.n / 2] : 0;
  return t;
}

/* Ends of the path at the ends of the midpoints, in the direction of its outer pieces. */
static void extend_path(path *t, double low, double high) {
  if (t->n < 2) return;
  double first = (t->across[1] - t->across[0]) / (t->along[1] - t->along[0]);
  double last = (t->across[t->n - 1] - t->across[t->n - 2]) / (t->along[t->n - 1] - t->along[t->n - 2]);
  memmove(t->along + 1, t->along, t->n * sizeof *t->along), memmove(t->across + 1, t->across, t->n * sizeof *t->across);
  t->n += 2;
  t->along[0] = low, t->across[0] = t->across[1] + first * (low - t->along[1]);
  t->along[t->n - 1] = high, t->across[t->n - 1] = t->across[t->n - 2] + last * (high - t->along[t->n - 2]);
}

static moho_status crooked_line(const spread *s, path *t, double bin, moho_grid *grid) {
  double length = 0;
  extend_path(t, s->low, s->high);
  for (size_t k = 0; k + 1 < t->n; k++) length += hypot(t->along[k + 1] - t->along[k], t->across[k + 1] - t->across[k]);
  grid->n_crossline = (size_t)(length / bin) + 1;
  MOHO_TRY(moho_allocate(grid->n_crossline, sizeof(double), "grid line", &grid->line_x_m));
  moho_status status = moho_allocate(grid->n_crossline, sizeof(double), "grid line", &grid->line_y_m);
  if (status) {
    moho_grid_release(grid);
    return status;
  }
  size_t k = 0;
  double passed = 0;
  for (size_t j = 0; j < grid->n_crossline; j++) {
    double place = (double)j * bin, step = hypot(t->along[k + 1] - t->along[k], t->across[k + 1] - t->across[k]);
    while (k + 2 < t->n && passed + step < place) {
      passed += step, k++;
      step = hypot(t->along[k + 1] - t->along[k], t->across[k + 1] - t->across[k]);
    }
    double f = step > 0 ? (place - passed) / step : 0;
    double along = t->along[k] + f * (t->along[k + 1] - t->along[k]),
           across = t->across[k] + f * (t->across[k + 1] - t->across[k]);
    grid->line_x_m[j] = s->x + along * s->u_x + across * s->u_y;
    grid->line_y_m[j] = s->y + along * s->u_y - across * s->u_x;
  }
  grid->origin_x_m = grid->line_x_m[0], grid->origin_y_m = grid->line_y_m[0];
  return MOHO_OK;
}

/* CDPs number in the direction in which the traces come. */
static void turn_with_traces(const moho_midpoints *m, spread *s) {
  double early = 0, late = 0, along, across;
  size_t half = m->n / 2;
  for (size_t i = 0; i < half; i++) {
    along_and_across(s, m->x[i], m->y[i], &along, &across);
    early += along;
    along_and_across(s, m->x[m->n - 1 - i], m->y[m->n - 1 - i], &along, &across);
    late += along;
  }
  if (late >= early) return;
  *s = (spread){s->x, s->y, -s->u_x, -s->u_y, -s->high, -s->low, -s->right, -s->left};
}

static moho_status straight_line(const moho_positions *p, const spread *s, const path *t, double bin, int exact, double first,
                                 moho_grid *grid) {
  double across = 0, length = s->high - s->low, start = exact ? first : s->low;
  for (size_t k = 0; k < t->n; k++) across += t->across[k] / (double)t->n;
  grid->n_crossline = (size_t)(length / bin + (exact ? 0.5 : 1e-6)) + 1;
  (void)p;
  if (!exact) start += (length - (double)(grid->n_crossline - 1) * bin) / 2; /* what is over, on both ends */
  moho_affine f = {.a_x = s->u_y * bin, .a_y = -s->u_x * bin, .b_x = s->u_x * bin, .b_y = s->u_y * bin};
  f.x0 = s->x + start * s->u_x + across * s->u_y, f.y0 = s->y + start * s->u_y - across * s->u_x;
  moho_grid_from_affine(&f, 0, 0, grid);
  return MOHO_OK;
}

static moho_status spacing_on_line(const moho_midpoints *m, const moho_positions *p, const spread *s, double *bin, double *first,
                                   int *exact) {
  double *along = number_array(p->n), across, direction, agreement;
  if (!along) return moho_last_error()->code;
  for (size_t i = 0; i < p->n; i++) along_and_across(s, p->x[i], p->y[i], &along[i], &across);
  *exact = moho_lattice_1d(p->n, along, 0.1, first, bin) && (s->high - s->low) / *bin <= 5 * (double)p->n;
  free(along);
  if (*exact) return MOHO_OK;
  MOHO_TRY(natural_bin(m, bin, &direction, &agreement));
  *bin = sensible_bin(*bin, (s->high - s->low) / (4 * (double)p->n));
  return MOHO_OK;
}

/* A line: what lies within a piece of it is narrow against its length. */
moho_status moho_grid_estimate_line(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, int *done, char *words,
                                    size_t size) {
  spread s = main_spread(p);
  double bin, first, length = s.high - s.low, bend = 0;
  int exact = 0;
  turn_with_traces(m, &s);
  path t = trace_path(p, &s);
  *done = t.width <= 0.05 * length;
  if (!*done) return MOHO_OK;
  MOHO_TRY(spacing_on_line(m, p, &s, &bin, &first, &exact));
  for (size_t k = 0; k < t.n; k++) bend = fmax(bend, fabs(t.across[k]));
  grid->n_inline = 1;
  int straight = bend <= fmax(2 * bin, 2 * t.width) || t.n < 3;
  snprintf(words, size, "%s line through the midpoints, %s", straight ? "straight" : "crooked",
           straight && exact ? "CDPs at the midpoints" : "CDPs at half the station interval");
  if (straight) return straight_line(p, &s, &t, bin, exact, first, grid);
  grid->inline_azimuth_deg = atan2(s.u_x, s.u_y) * DEGREES;
  if (grid->inline_azimuth_deg < 0) grid->inline_azimuth_deg += 360;
  if (exact) bin = sensible_bin(bin, 0);
  grid->inline_spacing_m = grid->crossline_spacing_m = bin;
  return crooked_line(&s, &t, bin, grid);
}

moho_status moho_grid_estimate_area(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, char *words, size_t size) {
  double bin, direction, agreement;
  spread s = main_spread(p);
  MOHO_TRY(natural_bin(m, &bin, &direction, &agreement));
  int stations = agreement > 0.7; /* else: the direction of the greatest variance */
  if (stations) {
    spread turned = measure(p, sin(direction / DEGREES), cos(direction / DEGREES), s.x, s.y);
    if (turned.high - turned.low < turned.right - turned.left)
      turned = measure(p, sin(direction / DEGREES + 1.5707963267948966), cos(direction / DEGREES + 1.5707963267948966), s.x, s.y);
    s = turned;
  }
  double length = s.high - s.low, width = s.right - s.left;
  bin = sensible_bin(bin, sqrt(length * width / (4 * (double)p->n)));
  grid->n_crossline = (size_t)ceil(length / bin) + 1, grid->n_inline = (size_t)ceil(width / bin) + 1;
  double low = (s.low + s.high - (double)(grid->n_crossline - 1) * bin) / 2,
         left = (s.left + s.right - (double)(grid->n_inline - 1) * bin) / 2;
  moho_affine f = {.a_x = s.u_y * bin, .a_y = -s.u_x * bin, .b_x = s.u_x * bin, .b_y = s.u_y * bin};
  f.x0 = s.x + low * s.u_x + left * s.u_y, f.y0 = s.y + low * s.u_y - left * s.u_x;
  double n_i = (double)grid->n_inline, n_j = (double)grid->n_crossline;
  orient(&f, &n_i, &n_j);
  grid->n_inline = (size_t)n_i, grid->n_crossline = (size_t)n_j;
  moho_grid_from_affine(&f, 0, 0, grid);
  snprintf(words, size, "3D grid over irregular midpoints, bins of half the station interval, along the %s",
           stations ? "station lines" : "longest extent");
  return MOHO_OK;
}
