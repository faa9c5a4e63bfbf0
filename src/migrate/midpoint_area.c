/* midpoint_area.c - how densely a set of midpoints covers the ground. */
#include "migrate/midpoint_area.h"

#include <math.h>
#include <stdlib.h>

#include "migrate/point_cells.h"

enum { PROBES = 512, LINE_GAP = 5 };

static int compare_points(const void *left, const void *right) {
  const moho_point *a = left, *b = right;
  if (a->x != b->x) return a->x < b->x ? -1 : 1;
  return (a->y > b->y) - (a->y < b->y);
}

static int compare_doubles(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

/* Twice the area of the triangle a b c, positive when it turns left. */
static double turn(moho_point a, moho_point b, moho_point c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

size_t moho_convex_hull(moho_point *points, size_t n, moho_point *scratch) {
  qsort(points, n, sizeof *points, compare_points);
  size_t count = 0;
  for (size_t i = 0; i < n; i++) { /* the lower chain */
    while (count >= 2 && turn(scratch[count - 2], scratch[count - 1], points[i]) <= 0) count--;
    scratch[count++] = points[i];
  }
  size_t lower = count;
  for (size_t i = n; i-- > 1;) { /* the upper chain, back to the first point */
    while (count > lower && turn(scratch[count - 2], scratch[count - 1], points[i - 1]) <= 0) count--;
    scratch[count++] = points[i - 1];
  }
  if (count > 1) count--; /* the first point again */
  for (size_t i = 0; i < count; i++) points[i] = scratch[i];
  return count;
}

static void measure_hull(const moho_point *corners, size_t n, double *area, double *circumference) {
  *area = *circumference = 0;
  for (size_t i = 0; i < n; i++) {
    moho_point a = corners[i], b = corners[(i + 1) % n];
    *area += 0.5 * turn(corners[0], a, b);
    *circumference += hypot(b.x - a.x, b.y - a.y);
  }
}

/* Places that the points occupy. scratch receives their cells. */
static size_t count_places(const moho_point *points, size_t n, moho_point *scratch) {
  double first_x = points[0].x, first_y = points[0].y;
  for (size_t i = 1; i < n; i++) first_x = fmin(first_x, points[i].x), first_y = fmin(first_y, points[i].y);
  for (size_t i = 0; i < n; i++)
    scratch[i] = (moho_point){moho_midpoint_cell(points[i].x, first_x), moho_midpoint_cell(points[i].y, first_y)};
  qsort(scratch, n, sizeof *scratch, compare_points);
  size_t places = 1;
  for (size_t i = 1; i < n; i++) places += compare_points(&scratch[i - 1], &scratch[i]) != 0;
  return places;
}

double moho_midpoint_spacing(moho_point *points, size_t n, moho_point *scratch) {
  if (n < 2) return 0;
  double places = (double)count_places(points, n, scratch), area, circumference;
  if (places < 2) return 0;
  size_t corners = moho_convex_hull(points, n, scratch);
  measure_hull(points, corners, &area, &circumference);
  double half = 0.25 * circumference;
  double spacing = (half + sqrt(half * half + (places - 1) * area)) / (places - 1);
  return spacing * sqrt(places / (double)n);
}

moho_status moho_local_spacing(const moho_point *points, size_t n, double guess, double *out) {
  moho_point_cells cells;
  double density[PROBES];
  size_t probes = n < PROBES ? n : PROBES;
  MOHO_TRY(moho_point_cells_create(points, n, &cells));
  for (size_t k = 0; k < probes; k++) {
    const moho_point *at = &cells.points[k * n / probes];
    density[k] = moho_point_cells_density(&cells, at->x, at->y, 6 * guess);
  }
  moho_point_cells_release(&cells);
  qsort(density, probes, sizeof *density, compare_doubles);
  *out = 1 / sqrt(density[probes / 2]);
  return MOHO_OK;
}

/* Steps between places into `steps`; their count. */
static size_t steps_between_places(const double *positions, size_t n, double *steps) {
  size_t count = 0;
  double last = positions[0];
  for (size_t i = 1; i < n; i++) {
    if (moho_midpoint_cell(positions[i], positions[0]) == moho_midpoint_cell(last, positions[0])) continue;
    steps[count++] = positions[i] - last;
    last = positions[i];
  }
  return count;
}

double moho_line_spacing(double *positions, size_t n, double *scratch) {
  if (n < 2) return 0;
  qsort(positions, n, sizeof *positions, compare_doubles);
  size_t steps = steps_between_places(positions, n, scratch);
  if (!steps) return 0;
  qsort(scratch, steps, sizeof *scratch, compare_doubles);
  double covered = positions[n - 1] - positions[0];
  size_t inside = steps;
  while (scratch[inside - 1] > LINE_GAP * covered / (double)inside) covered -= scratch[--inside];
  /* Each stretch between gaps is longer by a spacing than from its first place to its last. */
  return covered / (double)inside * (double)(steps + 1) / (double)n;
}
