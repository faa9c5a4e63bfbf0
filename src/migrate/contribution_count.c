/* contribution_count.c - how many contributions an image has, by the very intervals that the migration finds, without samples. */
#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/migration_setup.h"
#include "migrate/offset_mute.h"
#include "migrate/runs.h"

/* Cells of midpoints along the largest aperture; columns that a thread takes at once, and at least where a sample is taken. */
enum { CELLS_A_REACH = 4, MOST_CELLS = 2000, COLUMNS_AT_ONCE = 8, LEAST_COLUMNS = 64 };

/* A trace as columns see it: positions relative to the grid's origin, as tile_run.h has them. */
typedef struct placed_trace {
  double source[2], receiver[2], midpoint[2];
  moho_trace_window window;
} placed_trace;

typedef struct counter {
  const moho_grid *grid;
  const moho_travel_law *law;
  const moho_migration_options *options;
  moho_column_table *tables; /* [threads], of uniform laws the first only */
  moho_interval *intervals;  /* [threads, n / 2 + 1] */
  placed_trace *traces;      /* [n] cell by cell */
  size_t n, columns;
  double reach, low[2], size; /* largest aperture; corner and side of the cells */
  size_t cells[2], *first;    /* [cells + 2] of a cell's traces */
  int threads;
} counter;

/* ---- traces in cells ---- */

static placed_trace place(const counter *k, const moho_geometry *g, size_t i, size_t n_samples) {
  placed_trace t;
  double origin[2] = {k->grid->origin_x_m, k->grid->origin_y_m}, offset = moho_geometry_offset(g, i);
  double source[2] = {g->source_x[i], g->source_y[i]}, receiver[2] = {g->receiver_x[i], g->receiver_y[i]};
  for (int axis = 0; axis < 2; axis++) {
    t.source[axis] = source[axis] - origin[axis];
    t.receiver[axis] = receiver[axis] - origin[axis];
    t.midpoint[axis] = (t.source[axis] + t.receiver[axis]) / 2;
  }
  t.window = moho_trace_window_of(k->law, n_samples, g->first_sample_s[i] / k->law->dt_s, offset * offset / 4);
  moho_mute_window mute = moho_mute_window_of(k->options, offset);
  moho_mute_samples(&mute, k->law->first_s, k->law->step_s, (int32_t)k->law->n, &t.window.first, &t.window.end);
  return t;
}

static size_t cell_along(const counter *k, double x, int axis) {
  double c = floor((x - k->low[axis]) / k->size);
  return c > 0 ? moho_smaller((size_t)c, k->cells[axis] - 1) : 0;
}

static size_t cell_of(const counter *k, const double at[2]) {
  return cell_along(k, at[0], 0) * k->cells[1] + cell_along(k, at[1], 1);
}

static int takes_part(const counter *k, const moho_geometry *g, size_t i) {
  const moho_gather_bins *bins = k->options->gathers;
  if (!moho_geometry_is_live(g, i)) return 0;
  return !bins || (bins->kind != MOHO_GATHERS_OFFSET && bins->kind != MOHO_GATHERS_OVT) ||
         moho_gather_bin_of_trace(bins, k->grid, g, i) >= 0;
}

static void midpoint_of(const counter *k, const moho_geometry *g, size_t i, double at[2]) {
  at[0] = (g->source_x[i] + g->receiver_x[i]) / 2 - k->grid->origin_x_m;
  at[1] = (g->source_y[i] + g->receiver_y[i]) / 2 - k->grid->origin_y_m;
}

static moho_status sort_traces(counter *k, const moho_geometry *g, size_t n_samples) {
  double high[2] = {-INFINITY, -INFINITY}, at[2];
  k->low[0] = k->low[1] = INFINITY;
  for (size_t i = 0; i < g->n; i++) {
    if (!takes_part(k, g, i)) continue;
    midpoint_of(k, g, i, at);
    for (int axis = 0; axis < 2; axis++) k->low[axis] = fmin(k->low[axis], at[axis]), high[axis] = fmax(high[axis], at[axis]);
    k->n++;
  }
  if (!k->n) return MOHO_OK;
  double longest = fmax(high[0] - k->low[0], high[1] - k->low[1]);
  k->size = fmax(k->reach / CELLS_A_REACH, longest / MOST_CELLS);
  for (int axis = 0; axis < 2; axis++) k->cells[axis] = (size_t)((high[axis] - k->low[axis]) / k->size) + 1;
  size_t cells = k->cells[0] * k->cells[1];
  MOHO_TRY(moho_allocate(cells + 2, sizeof *k->first, "count of contributions", &k->first));
  MOHO_TRY(moho_allocate(k->n, sizeof *k->traces, "count of contributions", &k->traces));
  for (size_t i = 0; i < g->n; i++) {
    if (!takes_part(k, g, i)) continue;
    midpoint_of(k, g, i, at);
    k->first[cell_of(k, at) + 2]++;
  }
  for (size_t c = 0; c < cells; c++) k->first[c + 2] += k->first[c + 1];
  for (size_t i = 0; i < g->n; i++) {
    if (!takes_part(k, g, i)) continue;
    midpoint_of(k, g, i, at);
    k->traces[k->first[cell_of(k, at) + 1]++] = place(k, g, i, n_samples); /* first[c + 1] ends where cell c does */
  }
  return MOHO_OK;
}

/* ---- columns ---- */

/* Cells that the largest aperture about a place touches, one more to either side for what rounding does. */
typedef struct cell_range {
  size_t first[2], end[2];
} cell_range;

static cell_range cells_about(const counter *k, const double at[2]) {
  cell_range r;
  for (int axis = 0; axis < 2; axis++) {
    r.first[axis] = cell_along(k, at[axis] - k->reach * 1.0001 - 1, axis);
    r.end[axis] = cell_along(k, at[axis] + k->reach * 1.0001 + 1, axis) + 1;
  }
  return r;
}

static void position_of(const counter *k, size_t column, double at[2], double *x, double *y) {
  moho_grid_node(k->grid, column / k->grid->n_crossline, column % k->grid->n_crossline, x, y);
  at[0] = *x - k->grid->origin_x_m, at[1] = *y - k->grid->origin_y_m;
}

/* Traces in the cells about a column: what its count goes with. */
static uint64_t traces_about(const counter *k, size_t column) {
  double at[2], x, y;
  position_of(k, column, at, &x, &y);
  cell_range r = cells_about(k, at);
  uint64_t sum = 0;
  for (size_t a = r.first[0]; a < r.end[0]; a++)
    sum += k->first[a * k->cells[1] + r.end[1]] - k->first[a * k->cells[1] + r.first[1]];
  return sum;
}

static uint64_t count_pair(const counter *k, const moho_column_table *table, const double at[2], const placed_trace *t,
                           int32_t *near, moho_interval *intervals) {
  double m[2] = {at[0] - t->midpoint[0], at[1] - t->midpoint[1]}, s[2] = {at[0] - t->source[0], at[1] - t->source[1]},
         r[2] = {at[0] - t->receiver[0], at[1] - t->receiver[1]};
  moho_run_query query = {.window = &t->window, .distance = sqrt(m[0] * m[0] + m[1] * m[1])};
  if (query.distance > table->largest_radius) return 0;
  query.source2 = s[0] * s[0] + s[1] * s[1], query.receiver2 = r[0] * r[0] + r[1] * r[1];
  size_t count = moho_runs_find(table, k->law, &query, near, intervals);
  uint64_t sum = 0;
  for (size_t i = 0; i < count; i++) sum += (uint64_t)(intervals[i].end - intervals[i].first);
  return sum;
}

static moho_status count_column(const counter *k, size_t column, uint64_t *sum) {
  double at[2], x, y;
  size_t thread = (size_t)omp_get_thread_num();
  moho_column_table *table = &k->tables[k->law->is_uniform ? 0 : thread];
  moho_interval *intervals = k->intervals + thread * (k->law->n / 2 + 1);
  position_of(k, column, at, &x, &y);
  if (!k->law->is_uniform) MOHO_TRY(moho_column_table_fill(table, k->law, k->options, x, y));
  cell_range r = cells_about(k, at);
  int32_t near = (int32_t)k->law->n;
  for (size_t a = r.first[0]; a < r.end[0]; a++)
    for (size_t t = k->first[a * k->cells[1] + r.first[1]]; t < k->first[a * k->cells[1] + r.end[1]]; t++)
      *sum += count_pair(k, table, at, &k->traces[t], &near, intervals);
  return MOHO_OK;
}

/* Column number i of so many that are looked at: spread over both axes of the grid by multiples of two irrational numbers that
 * share none (the plastic constant's). */
static size_t sampled_column(const moho_grid *grid, size_t i) {
  double u = fmod(0.5 + 0.7548776662466927 * (double)i, 1), v = fmod(0.5 + 0.5698402909980532 * (double)i, 1);
  size_t a = (size_t)(u * (double)grid->n_inline), b = (size_t)(v * (double)grid->n_crossline);
  return a * grid->n_crossline + b;
}

/* All columns where `looked` is their number, else a sample of them. */
static moho_status count_columns(const counter *k, size_t looked, double *contributions, double *about) {
  moho_status status = MOHO_OK;
  moho_error error = {0};
  uint64_t sum = 0, traces = 0;
#pragma omp parallel for num_threads(k->threads) schedule(dynamic, COLUMNS_AT_ONCE) reduction(+ : sum, traces)
  for (size_t i = 0; i < looked; i++) {
    size_t column = looked == k->columns ? i : sampled_column(k->grid, i);
    moho_status own = count_column(k, column, &sum);
    traces += traces_about(k, column);
    if (own) {
#pragma omp critical(moho_migration_error)
      if (!status) status = own, error = moho_error_take();
    }
  }
  *contributions = (double)sum, *about = (double)traces;
  return status ? moho_error_set(&error) : MOHO_OK;
}

static double all_about(const counter *k) {
  double sum = 0;
#pragma omp parallel for num_threads(k->threads) schedule(static) reduction(+ : sum)
  for (size_t c = 0; c < k->columns; c++) sum += (double)traces_about(k, c);
  return sum;
}

static moho_status make_tables(counter *k) {
  size_t tables = k->law->is_uniform ? 1 : (size_t)k->threads;
  double x, y;
  MOHO_TRY(moho_allocate(tables, sizeof *k->tables, "count of contributions", &k->tables));
  MOHO_TRY(
      moho_allocate((size_t)k->threads * (k->law->n / 2 + 1), sizeof *k->intervals, "count of contributions", &k->intervals));
  for (size_t i = 0; i < tables; i++) MOHO_TRY(moho_column_table_create(k->law, k->options->stretch_mute >= 0, &k->tables[i]));
  moho_grid_node(k->grid, 0, 0, &x, &y);
  return moho_column_table_fill(&k->tables[0], k->law, k->options, x, y);
}

static void release(counter *k) {
  for (size_t i = 0; k->tables && i < (k->law->is_uniform ? 1 : (size_t)k->threads); i++)
    moho_column_table_release(&k->tables[i]);
  free(k->tables), free(k->intervals), free(k->traces), free(k->first);
}

static moho_status count(counter *k, const moho_geometry *geometry, size_t n_samples, double most_pairs,
                         moho_contribution_count *out) {
  MOHO_TRY(make_tables(k));
  MOHO_TRY(sort_traces(k, geometry, n_samples));
  if (!k->n) return MOHO_OK;
  double about, all = all_about(k);
  size_t looked = k->columns;
  if (all > most_pairs) looked = (size_t)fmin(fmax(most_pairs / all * (double)k->columns, LEAST_COLUMNS), (double)k->columns);
  MOHO_TRY(count_columns(k, looked, &out->contributions, &about));
  out->columns = looked;
  if (looked < k->columns) out->contributions = about > 0 ? out->contributions / about * all : 0;
  return MOHO_OK;
}

moho_status moho_migration_count_contributions(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                               const moho_migration_options *options, const moho_geometry *geometry,
                                               size_t n_samples, double dt_s, double most_pairs, moho_contribution_count *out) {
  moho_migration_setup s;
  counter k;
  *out = (moho_contribution_count){0};
  moho_status status = moho_migration_set_up(device, grid, velocity, options, geometry, n_samples, dt_s, 0, &s);
  k = (counter){.grid = grid,
                .law = &s.law,
                .options = options,
                .columns = grid->n_inline * grid->n_crossline,
                .reach = options->aperture_max_m,
                .threads = s.threads};
  if (!status) status = count(&k, geometry, (n_samples - 1) * (size_t)options->refine + 1, most_pairs, out);
  out->is_exact = out->columns == k.columns && !(options->gathers && options->gathers->kind == MOHO_GATHERS_ANGLE);
  if (!k.n) out->is_exact = 1;
  release(&k);
  moho_migration_setup_release(&s);
  return status;
}
