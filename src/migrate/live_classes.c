/* live_classes.c - how many offset classes add to an image sample. */
#include "migrate/live_classes.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/aperture.h"
#include "migrate/offset_mute.h"

/* ---- the nearest midpoint of a class ---- */

/* Midpoints in square cells, so that the nearest is found without looking at all. */
typedef struct cells {
  double x, y, size; /* corner of cell (0, 0) */
  long nx, ny;
  size_t *first;       /* [nx*ny + 1] of a cell's points */
  double (*points)[2]; /* [n] cell by cell */
} cells;

static long cell_along(double at, double first, double size, long n) {
  double cell = floor((at - first) / size);
  return !(cell > 0) ? 0 : cell < (double)n ? (long)cell : n - 1;
}

static long cell_of(const cells *c, const double point[2]) {
  return cell_along(point[1], c->y, c->size, c->ny) * c->nx + cell_along(point[0], c->x, c->size, c->nx);
}

static void cells_release(cells *c) {
  free(c->first), free(c->points);
  *c = (cells){0};
}

/* About two points a cell. points [n], n > 0. */
static moho_status cells_create(const double (*points)[2], size_t n, cells *out) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (size_t i = 0; i < n; i++)
    for (int axis = 0; axis < 2; axis++)
      low[axis] = fmin(low[axis], points[i][axis]), high[axis] = fmax(high[axis], points[i][axis]);
  double wide = high[0] - low[0], deep = high[1] - low[1];
  *out = (cells){.x = low[0], .y = low[1]};
  out->size = fmax(fmax(sqrt(2 * wide * deep / (double)n), 2 * fmax(wide, deep) / (double)n), 1);
  out->nx = (long)(wide / out->size) + 1, out->ny = (long)(deep / out->size) + 1;
  MOHO_TRY(moho_allocate((size_t)(out->nx * out->ny) + 2, sizeof *out->first, "offset classes", &out->first));
  MOHO_TRY(moho_allocate(n, sizeof *out->points, "offset classes", &out->points));
  size_t *next = out->first + 1;
  for (size_t i = 0; i < n; i++) next[cell_of(out, points[i]) + 1]++;
  for (long k = 0; k < out->nx * out->ny; k++) next[k + 1] += next[k];
  for (size_t i = 0; i < n; i++) {
    double *to = out->points[next[cell_of(out, points[i])]++];
    to[0] = points[i][0], to[1] = points[i][1];
  }
  return MOHO_OK;
}

static double nearest_in_cell(const cells *c, long i, long j, double x, double y, double best) {
  if (i < 0 || i >= c->nx || j < 0 || j >= c->ny) return best;
  for (size_t k = c->first[j * c->nx + i]; k < c->first[j * c->nx + i + 1]; k++)
    best = fmin(best, hypot(c->points[k][0] - x, c->points[k][1] - y));
  return best;
}

/* Ring by ring: what lies in ring r + 1 is at least r cells away. */
static double nearest_point(const cells *c, double x, double y, double reach) {
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

/* ---- create ---- */

size_t moho_live_classes_bytes(size_t classes, size_t columns) {
  return classes * (columns * sizeof(float) + 3 * sizeof(double));
}

/* Midpoints class by class: points [first[c], first[c + 1]). */
static moho_status sort_midpoints(const moho_offset_classes *classes, const moho_geometry *g, size_t *first,
                                  double (*points)[2]) {
  size_t *next = first + 1;
  for (size_t i = 0; i < g->n; i++)
    if (moho_geometry_is_live(g, i)) next[moho_offset_class_of_trace(classes, g, i) + 1]++;
  for (size_t c = 0; c < classes->n; c++) next[c + 1] += next[c];
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    double *to = points[next[moho_offset_class_of_trace(classes, g, i)]++];
    to[0] = 0.5 * (g->source_x[i] + g->receiver_x[i]), to[1] = 0.5 * (g->source_y[i] + g->receiver_y[i]);
  }
  return MOHO_OK;
}

static moho_status measure_class(const moho_grid *grid, const size_t *columns, size_t n_columns, const double (*points)[2],
                                 size_t n, double reach, size_t class, moho_live_classes *out) {
  cells c = {0};
  moho_status status = n ? cells_create(points, n, &c) : MOHO_OK;
  for (size_t k = 0; !status && k < n_columns; k++) {
    size_t flat = columns ? columns[k] : k;
    double x, y;
    moho_grid_node(grid, flat / grid->n_crossline, flat % grid->n_crossline, &x, &y);
    out->nearest[k * out->n + class] = n ? (float)nearest_point(&c, x, y, reach) : INFINITY;
  }
  cells_release(&c);
  return status;
}

static void describe_records(const moho_offset_classes *classes, const moho_geometry *g, double length_s,
                             moho_live_classes *out) {
  for (size_t c = 0; c < out->n; c++) out->offset_m[c] = INFINITY, out->begin_s[c] = INFINITY, out->end_s[c] = -INFINITY;
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    size_t c = moho_offset_class_of_trace(classes, g, i);
    out->offset_m[c] = fmin(out->offset_m[c], moho_geometry_offset(g, i));
    out->begin_s[c] = fmin(out->begin_s[c], g->first_sample_s[i]);
    out->end_s[c] = fmax(out->end_s[c], g->first_sample_s[i] + length_s);
  }
}

static moho_status fill(const moho_offset_classes *classes, const moho_geometry *g, const moho_grid *grid, const size_t *columns,
                        size_t n_columns, double reach, moho_live_classes *out) {
  size_t *first = NULL;
  double(*points)[2] = NULL;
  moho_error error = {0};
  moho_status status = moho_allocate(out->n + 2, sizeof *first, "offset classes", &first);
  if (!status) status = moho_allocate(g->n + 1, sizeof *points, "offset classes", &points);
  if (!status) status = sort_midpoints(classes, g, first, points);
  if (!status) {
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t c = 0; c < out->n; c++) {
      moho_status own =
          measure_class(grid, columns, n_columns, (const double(*)[2])points + first[c], first[c + 1] - first[c], reach, c, out);
      if (own) {
#pragma omp critical(moho_migration_error)
        if (!status) status = own, error = moho_error_take();
      }
    }
    if (status) status = moho_error_set(&error);
  }
  free(first), free(points);
  return status;
}

moho_status moho_live_classes_create(const moho_offset_classes *classes, const moho_geometry *geometry, const moho_grid *grid,
                                     const size_t *columns, size_t n_columns, const moho_migration_options *options,
                                     size_t n_samples, double dt_s, moho_live_classes *out) {
  *out = (moho_live_classes){.n = classes->n};
  size_t all;
  moho_status status = moho_multiply(n_columns, out->n, "offset classes", &all);
  if (!status) status = moho_allocate(all, sizeof *out->nearest, "offset classes", &out->nearest);
  if (!status) status = moho_allocate(out->n, sizeof *out->offset_m, "offset classes", &out->offset_m);
  if (!status) status = moho_allocate(out->n, sizeof *out->begin_s, "offset classes", &out->begin_s);
  if (!status) status = moho_allocate(out->n, sizeof *out->end_s, "offset classes", &out->end_s);
  if (!status) {
    describe_records(classes, geometry, (double)(n_samples - 1) * dt_s, out);
    status = fill(classes, geometry, grid, columns, n_columns, moho_aperture_widened(options->aperture_max_m), out);
  }
  if (status) moho_live_classes_release(out);
  return status;
}

void moho_live_classes_release(moho_live_classes *live) {
  free(live->nearest), free(live->offset_m), free(live->begin_s), free(live->end_s);
  *live = (moho_live_classes){0};
}

/* ---- count ---- */

/* What of a column a class must pass. */
typedef struct column_axis {
  const moho_migration_options *options;
  double first_s, step_s;
  size_t n;
  const double *v;
  double tan_dip;
} column_axis;

static double leg_s(const column_axis *a, size_t i, double distance_m) {
  double t1 = 0.5 * (a->first_s + (double)i * a->step_s), across = distance_m / a->v[i];
  return sqrt(t1 * t1 + across * across);
}

static double aperture_at(const column_axis *a, size_t i) {
  const moho_migration_options *o = a->options;
  return moho_aperture_widened(moho_aperture_radius(a->v[i], 0.5 * (a->first_s + (double)i * a->step_s), a->tan_dip,
                                                    o->aperture_min_m, o->aperture_max_m));
}

static int is_stretched(const column_axis *a, size_t i, double half_offset) {
  double t1 = 0.5 * (a->first_s + (double)i * a->step_s), s2 = 1 / (a->v[i] * a->v[i]);
  return a->options->stretch_mute >= 0 &&
         moho_is_stretched(t1, sqrt(t1 * t1 + half_offset * half_offset * s2), 1 + a->options->stretch_mute);
}

/* Apertures grow with time (their running maximum does), and so do legs: what passes is one interval, whose ends are searched
 * by halving. */
static size_t first_reached(const column_axis *a, double nearest, double half_offset, double begin_s, size_t low, size_t high) {
  while (low < high) {
    size_t i = low + (high - low) / 2;
    if (aperture_at(a, i) >= nearest && !is_stretched(a, i, half_offset) && 2 * leg_s(a, i, half_offset) >= begin_s) high = i;
    else low = i + 1;
  }
  return low;
}

static size_t first_past(const column_axis *a, double half_offset, double end_s, size_t low, size_t high) {
  while (low < high) {
    size_t i = low + (high - low) / 2;
    if (2 * leg_s(a, i, half_offset) > end_s) high = i;
    else low = i + 1;
  }
  return low;
}

void moho_live_classes_count(const moho_live_classes *live, size_t column, const moho_migration_options *options, double first_s,
                             double step_s, size_t n, const double *v_mps, double *count) {
  column_axis a = {options, first_s, step_s, n, v_mps, tan(options->aperture_max_dip_deg * (3.14159265358979323846 / 180))};
  for (size_t i = 0; i < n; i++) count[i] = 0;
  for (size_t c = 0; c < live->n; c++) {
    double nearest = live->nearest[column * live->n + c], half_offset = live->offset_m[c] / 2;
    if (!(nearest < INFINITY)) continue;
    moho_mute_window window = moho_mute_window_of(options, live->offset_m[c]);
    int32_t begin, end;
    moho_mute_samples(&window, first_s, step_s, (int32_t)n, &begin, &end);
    size_t first = first_reached(&a, nearest, half_offset, live->begin_s[c], (size_t)begin, (size_t)end);
    size_t past = first_past(&a, half_offset, live->end_s[c], first, (size_t)end);
    if (first >= past) continue;
    count[first]++; /* differences, summed below */
    if (past < n) count[past]--;
  }
  for (size_t i = 1; i < n; i++) count[i] += count[i - 1];
  for (size_t i = 0; i < n; i++) count[i] = fmax(count[i], 1);
}
