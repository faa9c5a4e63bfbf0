/* point_cells.c - points on the ground in square cells. */
#include "migrate/point_cells.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

static long cell_along(double at, double first, double size, long n) {
  double cell = floor((at - first) / size);
  return !(cell > 0) ? 0 : cell < (double)n ? (long)cell : n - 1;
}

static long cell_of(const moho_point_cells *c, moho_point point) {
  return cell_along(point.y, c->y, c->size, c->ny) * c->nx + cell_along(point.x, c->x, c->size, c->nx);
}

void moho_point_cells_release(moho_point_cells *c) {
  free(c->first), free(c->points);
  *c = (moho_point_cells){0};
}

moho_status moho_point_cells_create(const moho_point *points, size_t n, moho_point_cells *out) {
  double low_x = INFINITY, low_y = INFINITY, high_x = -INFINITY, high_y = -INFINITY;
  for (size_t i = 0; i < n; i++) {
    low_x = fmin(low_x, points[i].x), high_x = fmax(high_x, points[i].x);
    low_y = fmin(low_y, points[i].y), high_y = fmax(high_y, points[i].y);
  }
  double wide = high_x - low_x, deep = high_y - low_y;
  *out = (moho_point_cells){.x = low_x, .y = low_y};
  out->size = fmax(fmax(sqrt(2 * wide * deep / (double)n), 2 * fmax(wide, deep) / (double)n), 1);
  out->nx = (long)(wide / out->size) + 1, out->ny = (long)(deep / out->size) + 1;
  moho_status status = moho_allocate((size_t)(out->nx * out->ny) + 2, sizeof *out->first, "midpoints", &out->first);
  if (!status) status = moho_allocate(n, sizeof *out->points, "midpoints", &out->points);
  if (status) {
    moho_point_cells_release(out);
    return status;
  }
  size_t *next = out->first + 1; /* counts, then where each cell goes on; at the end where it ends */
  for (size_t i = 0; i < n; i++) next[cell_of(out, points[i]) + 1]++;
  for (long k = 0; k < out->nx * out->ny; k++) next[k + 1] += next[k];
  for (size_t i = 0; i < n; i++) out->points[next[cell_of(out, points[i])]++] = points[i];
  return MOHO_OK;
}

static double nearest_in_cell(const moho_point_cells *c, long i, long j, double x, double y, double best) {
  if (i < 0 || i >= c->nx || j < 0 || j >= c->ny) return best;
  for (size_t k = c->first[j * c->nx + i]; k < c->first[j * c->nx + i + 1]; k++)
    best = fmin(best, hypot(c->points[k].x - x, c->points[k].y - y));
  return best;
}

/* Ring by ring: what lies in ring r + 1 is at least r cells away. */
double moho_point_cells_nearest(const moho_point_cells *c, double x, double y, double reach) {
  long i = cell_along(x, c->x, c->size, c->nx), j = cell_along(y, c->y, c->size, c->ny);
  long last = c->nx > c->ny ? c->nx : c->ny;
  double best = nearest_in_cell(c, i, j, x, y, INFINITY);
  for (long r = 1; r <= last; r++) {
    double least = (double)(r - 1) * c->size;
    if (best <= least || least > reach) break;
    for (long k = -r; k <= r; k++) {
      best = nearest_in_cell(c, i + k, j - r, x, y, best);
      best = nearest_in_cell(c, i + k, j + r, x, y, best);
      if (k == -r || k == r) continue;
      best = nearest_in_cell(c, i - r, j + k, x, y, best);
      best = nearest_in_cell(c, i + r, j + k, x, y, best);
    }
  }
  return best <= reach ? best : INFINITY;
}

double moho_point_cells_density(const moho_point_cells *c, double x, double y, double radius) {
  long first_i = cell_along(x - radius, c->x, c->size, c->nx), last_i = cell_along(x + radius, c->x, c->size, c->nx);
  long first_j = cell_along(y - radius, c->y, c->size, c->ny), last_j = cell_along(y + radius, c->y, c->size, c->ny);
  double sum = 0;
  for (long j = first_j; j <= last_j; j++)
    for (size_t k = c->first[j * c->nx + first_i]; k < c->first[j * c->nx + last_i + 1]; k++) {
      double dx = (c->points[k].x - x) / radius, dy = (c->points[k].y - y) / radius, past = 1 - dx * dx - dy * dy;
      if (past > 0) sum += past * past;
    }
  return 3 * sum / (3.14159265358979323846 * radius * radius);
}
