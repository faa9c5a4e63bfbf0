/* velocity_between.c - bilinear on a lattice, linear along a line, triangles elsewhere; constant outside. */
#include "survey/velocity_between.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

typedef enum { ONE, LINE, CROOKED, LATTICE, SCATTERED } layout;

struct moho_between {
  layout layout;
  moho_frame frame; /* LINE: u along it; LATTICE: both */
  size_t n_u, n_v;
  double *u, *v;    /* ascending: LINE and CROOKED use u alone */
  size_t *function; /* [n_u, n_v] */
  moho_triangles *triangles;
  moho_grid line; /* CROOKED */
  char text[64];
};

static double u_of(const moho_frame *f, double x, double y) {
  return (x - f->x0) * f->u_x + (y - f->y0) * f->u_y;
}

static double v_of(const moho_frame *f, double x, double y) {
  return (x - f->x0) * f->v_x + (y - f->y0) * f->v_y;
}

moho_frame moho_frame_of_grid(const moho_grid *grid) {
  moho_grid at_zero = *grid;
  at_zero.origin_x_m = at_zero.origin_y_m = 0, at_zero.line_x_m = at_zero.line_y_m = NULL;
  moho_frame frame = {.x0 = grid->origin_x_m, .y0 = grid->origin_y_m};
  moho_grid_locate(&at_zero, 1, 0, &frame.u_x, &frame.v_x);
  moho_grid_locate(&at_zero, 0, 1, &frame.u_y, &frame.v_y);
  return frame;
}

/* ---- axes ---- */

static int ascending(const void *a, const void *b) {
  double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* Distinct values of `from`, ascending, into fresh *out; values within `tolerance` of the first of a group are one. */
static moho_status distinct(size_t n, const double *from, double tolerance, double **out, size_t *count) {
  double *sorted;
  MOHO_TRY(moho_allocate(n, sizeof *sorted, "velocity positions", &sorted));
  for (size_t i = 0; i < n; i++) sorted[i] = from[i];
  qsort(sorted, n, sizeof *sorted, ascending);
  size_t m = 1;
  for (size_t i = 1; i < n; i++)
    if (sorted[i] - sorted[m - 1] > tolerance) sorted[m++] = sorted[i];
  *out = sorted, *count = m;
  return MOHO_OK;
}

/* Index of the last value <= place (0 at least, n - 2 at most, for n >= 2). */
static size_t interval_of(const double *values, size_t n, double place) {
  size_t low = 0, high = n - 1;
  while (high - low > 1) {
    size_t middle = (low + high) / 2;
    if (values[middle] <= place) low = middle;
    else high = middle;
  }
  return low;
}

/* Fraction of the way through interval k, clamped: constant outside. */
static double fraction(const double *values, size_t k, double place) {
  return fmin(fmax((place - values[k]) / (values[k + 1] - values[k]), 0), 1);
}

static size_t nearest_of(const double *values, size_t n, double place) {
  if (n == 1) return 0;
  size_t k = interval_of(values, n, place);
  return k + (fraction(values, k, place) > 0.5);
}

/* ---- lines ---- */

static moho_status keep_line(moho_between *b, size_t n, const double *u) {
  MOHO_TRY(distinct(n, u, 0, &b->u, &b->n_u));
  if (b->n_u != n) return moho_fail(MOHO_ERROR_ARGUMENT, "two velocity functions have one position");
  b->n_v = 1;
  MOHO_TRY(moho_allocate(n, sizeof *b->function, "velocity positions", &b->function));
  for (size_t i = 0; i < n; i++) b->function[nearest_of(b->u, n, u[i])] = i;
  return MOHO_OK;
}

/* The direction of the point farthest from the first, as frame. */
static moho_frame longest_direction(size_t n, const double *x, const double *y) {
  size_t far = 0;
  double longest = 0;
  for (size_t i = 1; i < n; i++) {
    double distance = hypot(x[i] - x[0], y[i] - y[0]);
    if (distance > longest) longest = distance, far = i;
  }
  double c = (x[far] - x[0]) / longest, s = (y[far] - y[0]) / longest;
  return (moho_frame){x[0], y[0], c, s, -s, c};
}

/* On one line: no function aside of it by more than a twentieth of the smallest step along it. Triangles of such points would be
 * slivers, and the hull's long edge would pass the functions between its ends. */
static moho_status try_line(moho_between *b, size_t n, const double *x, const double *y, int *done) {
  double *u, *steps = NULL, aside = 0, smallest = INFINITY;
  size_t m = 0;
  *done = 0;
  b->frame = longest_direction(n, x, y);
  MOHO_TRY(moho_allocate(n, sizeof *u, "velocity positions", &u));
  for (size_t i = 0; i < n; i++) {
    u[i] = u_of(&b->frame, x[i], y[i]);
    aside = fmax(aside, fabs(v_of(&b->frame, x[i], y[i])));
  }
  moho_status status = distinct(n, u, 0, &steps, &m);
  for (size_t i = 0; i + 1 < m; i++) smallest = fmin(smallest, steps[i + 1] - steps[i]);
  if (!status && m == n && aside <= 0.05 * smallest) {
    status = keep_line(b, n, u);
    b->layout = LINE;
    *done = !status;
    snprintf(b->text, sizeof b->text, "%zu along a line", n);
  }
  free(u), free(steps);
  return status;
}

/* ---- lattices ---- */

/* Complete when every crossing of the distinct u and v has one function. */
static moho_status try_lattice(moho_between *b, size_t n, const double *u, const double *v, double tolerance, int *done) {
  *done = 0;
  moho_status status = distinct(n, u, tolerance, &b->u, &b->n_u);
  if (!status) status = distinct(n, v, tolerance, &b->v, &b->n_v);
  if (!status && b->n_u > 1 && b->n_v > 1 && n / b->n_u == b->n_v && n % b->n_u == 0) {
    status = moho_allocate(n, sizeof *b->function, "velocity positions", &b->function);
    for (size_t k = 0; !status && k < n; k++) b->function[k] = n;
    size_t placed = 0;
    for (size_t i = 0; !status && i < n; i++) {
      size_t *slot = &b->function[nearest_of(b->u, b->n_u, u[i]) * b->n_v + nearest_of(b->v, b->n_v, v[i])];
      placed += *slot == n;
      *slot = i;
    }
    *done = !status && placed == n;
  }
  if (*done) {
    b->layout = LATTICE;
    snprintf(b->text, sizeof b->text, "lattice %zu x %zu", b->n_u, b->n_v);
    return MOHO_OK;
  }
  free(b->u), free(b->v), free(b->function);
  b->u = b->v = NULL, b->function = NULL;
  return status;
}

/* A lattice in the positions themselves: along x and y, else along the direction from the first to its nearest. */
static moho_status find_lattice(moho_between *b, size_t n, const double *x, const double *y, int *done) {
  size_t near = 0;
  double nearest = INFINITY, size = 0;
  for (size_t i = 1; i < n; i++) {
    double distance = hypot(x[i] - x[0], y[i] - y[0]);
    if (distance < nearest) nearest = distance, near = i;
    size = fmax(size, distance);
  }
  double c = (x[near] - x[0]) / nearest, s = (y[near] - y[0]) / nearest;
  moho_frame frames[2] = {{x[0], y[0], 1, 0, 0, 1}, {x[0], y[0], c, s, -s, c}};
  double *u, *v = NULL;
  MOHO_TRY(moho_allocate(n, sizeof *u, "velocity positions", &u));
  moho_status status = moho_allocate(n, sizeof *v, "velocity positions", &v);
  *done = 0;
  for (int f = 0; f < 2 && !status && !*done; f++) {
    b->frame = frames[f];
    for (size_t i = 0; i < n; i++) u[i] = u_of(&b->frame, x[i], y[i]), v[i] = v_of(&b->frame, x[i], y[i]);
    status = try_lattice(b, n, u, v, 1e-8 * size, done);
  }
  free(u), free(v);
  return status;
}

/* ---- making ---- */

static moho_status arrange(moho_between *b, size_t n, const double *x, const double *y, const moho_frame *frame, const double *u,
                           const double *v) {
  int done = 0;
  snprintf(b->text, sizeof b->text, "one function");
  if (n == 1) return MOHO_OK;
  if (frame && u && v) {
    b->frame = *frame;
    MOHO_TRY(try_lattice(b, n, u, v, 0, &done));
  }
  if (!done) MOHO_TRY(try_line(b, n, x, y, &done));
  if (!done) MOHO_TRY(find_lattice(b, n, x, y, &done));
  if (done) return MOHO_OK;
  b->layout = SCATTERED;
  snprintf(b->text, sizeof b->text, "%zu scattered", n);
  return moho_triangles_create(n, x, y, &b->triangles);
}

moho_status moho_between_create(size_t n, const double *x, const double *y, const moho_frame *frame, const double *u,
                                const double *v, moho_between **out) {
  *out = NULL;
  int equal;
  size_t pair[2];
  if (n == 0) return moho_fail(MOHO_ERROR_ARGUMENT, "no velocity functions");
  MOHO_TRY(moho_points_find_equal(n, x, y, &equal, pair));
  if (equal)
    return moho_fail(MOHO_ERROR_ARGUMENT, "velocity functions %zu and %zu have one position (%.2f, %.2f)", pair[0] + 1,
                     pair[1] + 1, x[pair[0]], y[pair[0]]);
  moho_between *b;
  MOHO_TRY(moho_allocate(1, sizeof *b, "velocity positions", &b));
  moho_status status = arrange(b, n, x, y, frame, u, v);
  if (status) moho_between_destroy(&b);
  *out = b;
  return status;
}

moho_status moho_between_create_along(size_t n, const double *position, const moho_grid *line, moho_between **out) {
  *out = NULL;
  moho_between *b;
  if (n == 0) return moho_fail(MOHO_ERROR_ARGUMENT, "no velocity functions");
  MOHO_TRY(moho_allocate(1, sizeof *b, "velocity positions", &b));
  moho_status status = moho_grid_copy(line, &b->line);
  snprintf(b->text, sizeof b->text, "%zu along the line", n);
  if (!status && n > 1) {
    b->layout = CROOKED;
    status = keep_line(b, n, position);
  }
  if (status) moho_between_destroy(&b);
  *out = b;
  return status;
}

void moho_between_destroy(moho_between **between) {
  moho_between *b = *between;
  if (!b) return;
  free(b->u), free(b->v), free(b->function);
  moho_triangles_destroy(&b->triangles);
  moho_grid_release(&b->line);
  free(b);
  *between = NULL;
}

const char *moho_between_describe(const moho_between *between) {
  return between->text;
}

/* ---- places ---- */

static moho_weights at_line(const moho_between *b, double place) {
  size_t k = interval_of(b->u, b->n_u, place);
  double f = fraction(b->u, k, place);
  return (moho_weights){.n = 2, .index = {b->function[k], b->function[k + 1]}, .weight = {1 - f, f}};
}

static moho_weights at_lattice(const moho_between *b, double u, double v) {
  size_t i = interval_of(b->u, b->n_u, u), j = interval_of(b->v, b->n_v, v);
  double f = fraction(b->u, i, u), g = fraction(b->v, j, v);
  const size_t *row = b->function + i * b->n_v + j, *next = row + b->n_v;
  return (moho_weights){
      .n = 4, .index = {row[0], row[1], next[0], next[1]}, .weight = {(1 - f) * (1 - g), (1 - f) * g, f * (1 - g), f * g}};
}

moho_weights moho_between_at(const moho_between *b, double x, double y) {
  double i, j;
  switch (b->layout) {
  case ONE: break;
  case LINE: return at_line(b, u_of(&b->frame, x, y));
  case CROOKED: moho_grid_locate(&b->line, x, y, &i, &j); return at_line(b, j);
  case LATTICE: return at_lattice(b, u_of(&b->frame, x, y), v_of(&b->frame, x, y));
  case SCATTERED: return moho_triangles_at(b->triangles, x, y);
  }
  return (moho_weights){.n = 1, .weight = {1}};
}
