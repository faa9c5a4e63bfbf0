/* live_classes.c - how many offset classes add to an image sample. */
#include "migrate/live_classes.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/aperture.h"
#include "migrate/offset_mute.h"
#include "migrate/point_cells.h"

/* ---- create ---- */

size_t moho_live_classes_bytes(size_t classes, size_t columns) {
  return classes * (columns * sizeof(float) + 3 * sizeof(double));
}

/* Midpoints class by class: points [first[c], first[c + 1]). */
static moho_status sort_midpoints(const moho_offset_classes *classes, const moho_geometry *g, size_t *first, moho_point *points) {
  size_t *next = first + 1;
  for (size_t i = 0; i < g->n; i++)
    if (moho_geometry_is_live(g, i)) next[moho_offset_class_of_trace(classes, g, i) + 1]++;
  for (size_t c = 0; c < classes->n; c++) next[c + 1] += next[c];
  for (size_t i = 0; i < g->n; i++) {
    if (!moho_geometry_is_live(g, i)) continue;
    points[next[moho_offset_class_of_trace(classes, g, i)]++] =
        (moho_point){0.5 * (g->source_x[i] + g->receiver_x[i]), 0.5 * (g->source_y[i] + g->receiver_y[i])};
  }
  return MOHO_OK;
}

static moho_status measure_class(const moho_grid *grid, const size_t *columns, size_t n_columns, const moho_point *points,
                                 size_t n, double reach, size_t class, moho_live_classes *out) {
  moho_point_cells c = {0};
  moho_status status = n ? moho_point_cells_create(points, n, &c) : MOHO_OK;
  for (size_t k = 0; !status && k < n_columns; k++) {
    size_t flat = columns ? columns[k] : k;
    double x, y;
    moho_grid_node(grid, flat / grid->n_crossline, flat % grid->n_crossline, &x, &y);
    out->nearest[k * out->n + class] = n ? (float)moho_point_cells_nearest(&c, x, y, reach) : INFINITY;
  }
  moho_point_cells_release(&c);
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
  moho_point *points = NULL;
  moho_error error = {0};
  moho_status status = moho_allocate(out->n + 2, sizeof *first, "offset classes", &first);
  if (!status) status = moho_allocate(g->n + 1, sizeof *points, "offset classes", &points);
  if (!status) status = sort_midpoints(classes, g, first, points);
  if (!status) {
#pragma omp parallel for schedule(dynamic, 1)
    for (size_t c = 0; c < out->n; c++) {
      moho_status own = measure_class(grid, columns, n_columns, points + first[c], first[c + 1] - first[c], reach, c, out);
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
  const moho_travel_law *law;
  const moho_travel_column *travel;
} column_axis;

/* Two-way time of a flat reflector's wave, s. */
static double flat_time(const column_axis *a, size_t i, const moho_leg *half_offset) {
  return 2 * moho_leg_time(a->law, a->travel, half_offset, i) * a->law->dt_s;
}

static int is_stretched(const column_axis *a, size_t i, const moho_leg *half_offset) {
  double t1 = (a->law->first_s + (double)i * a->law->step_s) / (2 * a->law->dt_s);
  return a->options->stretch_mute >= 0 &&
         moho_is_stretched(t1, moho_leg_time(a->law, a->travel, half_offset, i), 1 + a->options->stretch_mute);
}

/* Apertures grow with time (their running maximum does), and so do legs: what passes is one interval, whose ends are searched
 * by halving. */
static size_t first_reached(const column_axis *a, double nearest, const moho_leg *half_offset, double begin_s, size_t low,
                            size_t high) {
  while (low < high) {
    size_t i = low + (high - low) / 2;
    if (moho_aperture_widened(a->travel->radius[i]) >= nearest && !is_stretched(a, i, half_offset) &&
        flat_time(a, i, half_offset) >= begin_s)
      high = i;
    else low = i + 1;
  }
  return low;
}

static size_t first_past(const column_axis *a, const moho_leg *half_offset, double end_s, size_t low, size_t high) {
  while (low < high) {
    size_t i = low + (high - low) / 2;
    if (flat_time(a, i, half_offset) > end_s) high = i;
    else low = i + 1;
  }
  return low;
}

void moho_live_classes_count(const moho_live_classes *live, size_t column, const moho_migration_options *options,
                             const moho_travel_law *law, const moho_travel_column *travel, double *count) {
  column_axis a = {options, law, travel};
  size_t n = law->n;
  for (size_t i = 0; i < n; i++) count[i] = 0;
  for (size_t c = 0; c < live->n; c++) {
    double nearest = live->nearest[column * live->n + c];
    if (!(nearest < INFINITY)) continue;
    moho_leg half_offset = moho_leg_of(law, live->offset_m[c] * live->offset_m[c] / 4);
    moho_mute_window window = moho_mute_window_of(options, live->offset_m[c]);
    int32_t begin, end;
    moho_mute_samples(&window, law->first_s, law->step_s, (int32_t)n, &begin, &end);
    size_t first = first_reached(&a, nearest, &half_offset, live->begin_s[c], (size_t)begin, (size_t)end);
    size_t past = first_past(&a, &half_offset, live->end_s[c], first, (size_t)end);
    if (first >= past) continue;
    count[first]++; /* differences, summed below */
    if (past < n) count[past]--;
  }
  for (size_t i = 1; i < n; i++) count[i] += count[i - 1];
  for (size_t i = 0; i < n; i++) count[i] = fmax(count[i], 1);
}
