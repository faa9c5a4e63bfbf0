/* column_table.c - what a column's samples need and no trace changes. */
#include "migrate/column_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/aperture.h"

/* The widest vector, and how many of them a loop may run on past a run's end (VECTORS in simd/lanes_*.h). */
enum { VECTOR = 16, VECTORS_PAST_END = 5 };

size_t moho_time_axis_stride(size_t n) {
  return (n + VECTOR - 1) / VECTOR * VECTOR;
}

size_t moho_time_axis_table(size_t n) {
  return moho_time_axis_stride(n) + VECTORS_PAST_END * VECTOR;
}

moho_status moho_time_axis_create(const moho_grid *grid, double dt_s, moho_time_axis *out) {
  *out = (moho_time_axis){.n = grid->n_time, .first_s = grid->first_s, .step_s = grid->step_s, .dt_s = dt_s};
  out->stride = moho_time_axis_stride(out->n);
  out->table = moho_time_axis_table(out->n);
  out->t1_first = grid->first_s / (2 * dt_s);
  out->t1_step = grid->step_s / (2 * dt_s);
  MOHO_TRY(moho_allocate(out->n, sizeof(double), "time axis", &out->t1sq));
  for (size_t i = 0; i < out->n; i++) out->t1sq[i] = vertical_squared(out->t1_first + (double)i * out->t1_step);
  return MOHO_OK;
}

void moho_time_axis_release(moho_time_axis *axis) {
  free(axis->t1sq);
  *axis = (moho_time_axis){0};
}

/* ---- create ---- */

static size_t block_count(size_t n) {
  return (n + MOHO_TABLE_BLOCK - 1) / MOHO_TABLE_BLOCK;
}

size_t moho_column_table_bytes(const moho_travel_law *law) {
  size_t nodes = law->leg_times ? law->leg_times->n_nodes : 0;
  return law->n * (4 * sizeof(double) + sizeof(moho_leg_root)) +
         block_count(law->n) * (sizeof(moho_leg_bounds) + nodes * sizeof(moho_row_bounds)) + nodes * sizeof(int32_t) +
         sizeof(moho_column_table) + moho_travel_column_bytes(law);
}

moho_status moho_column_table_create(const moho_travel_law *law, int with_mute, moho_column_table *out) {
  *out = (moho_column_table){.t1_first = law->first_s / (2 * law->dt_s),
                             .t1_step = law->step_s / (2 * law->dt_s),
                             .t1_step_inverse = 2 * law->dt_s / law->step_s};
  size_t nodes = law->leg_times ? law->leg_times->n_nodes : 0, blocks = block_count(law->n);
  struct {
    void *array;
    size_t count, size;
  } arrays[] = {{&out->radius, law->n, sizeof(double)},
                {&out->largest, law->n, sizeof(double)},
                {&out->h2_limit, with_mute ? law->n : 0, sizeof(double)},
                {&out->leg2_limit, nodes ? 0 : law->n, sizeof(double)},
                {&out->roots, nodes ? 0 : law->n, sizeof(moho_leg_root)},
                {&out->bounds, nodes ? 0 : blocks, sizeof(moho_leg_bounds)},
                {&out->node_grows, nodes, sizeof(int32_t)},
                {&out->row_bounds, nodes * blocks, sizeof(moho_row_bounds)}};
  moho_status status = moho_travel_column_create(law, &out->legs);
  for (size_t i = 0; !status && i < sizeof arrays / sizeof *arrays; i++)
    if (arrays[i].count) status = moho_allocate(arrays[i].count, arrays[i].size, "column tables", arrays[i].array);
  if (status) moho_column_table_release(out);
  return status;
}

void moho_column_table_release(moho_column_table *table) {
  moho_travel_column_release(&table->legs);
  free(table->radius), free(table->largest), free(table->h2_limit), free(table->leg2_limit), free(table->bounds),
      free(table->roots);
  free(table->node_grows), free(table->row_bounds);
  *table = (moho_column_table){0};
}

/* ---- where legs grow with t0 ---- */

/* Where base + d2*s2 grows from sample i to the next: base grows by more than d2 times the fall of s2. */
static double limit_under_root(const moho_leg_terms *now, const moho_leg_terms *next) {
  return next->s2 < now->s2 ? (next->base - now->base) / (now->s2 - next->s2) : INFINITY;
}

/* Of the other laws looked at: at a length and at shorter ones, between which growth changes little. */
static int grows_at(const moho_travel_law *law, const moho_travel_column *legs, size_t i, double leg2) {
  const moho_leg_terms *now = &legs->terms[i], *next = now + 1;
  if (law->kind == MOHO_TRAVELTIME_CURVED_RMS && next->a >= now->a && limit_under_root(now, next) >= leg2) return 1;
  static const double shares[] = {1, 0.5, 0.2};
  for (size_t k = 0; k < sizeof shares / sizeof *shares; k++) {
    moho_leg leg = moho_leg_of(law, leg2 * shares[k]);
    if (!(moho_leg_time(law, legs, &leg, i + 1) > moho_leg_time(law, legs, &leg, i))) return 0;
  }
  return 1;
}

static double limit_by_looking(const moho_travel_law *law, const moho_travel_column *legs, size_t i, double limit) {
  while (limit > 1 && !grows_at(law, legs, i, limit)) limit *= 0.93;
  return limit > 1 ? limit * 0.98 : -1;
}

static void fill_leg_limits(moho_column_table *table, const moho_travel_law *law) {
  const moho_leg_terms *terms = table->legs.terms;
  int is_plain = law->kind == MOHO_TRAVELTIME_STRAIGHT || law->kind == MOHO_TRAVELTIME_CURVED_LINEAR;
  double limit = is_plain ? INFINITY : law->longest_m * law->longest_m;
  for (size_t i = law->n; i-- > 0;) {
    if (i + 1 < law->n)
      limit = is_plain                                              ? fmin(limit, limit_under_root(&terms[i], &terms[i + 1]))
              : limit > 0 && !grows_at(law, &table->legs, i, limit) ? limit_by_looking(law, &table->legs, i, limit)
                                                                    : limit;
    table->leg2_limit[i] = limit;
  }
  table->leg2_least = table->leg2_limit[0];
}

/* Between two rows that grow every leg does. */
static void fill_node_limits(moho_column_table *table, const moho_travel_law *law) {
  const moho_leg_time_model *model = law->leg_times;
  for (size_t node = 0; node < model->n_nodes; node++) {
    const float *row = table->legs.rows + node * model->row_stride;
    size_t i = law->n - 1;
    while (i > 0 && row[i] >= row[i - 1]) i--;
    table->node_grows[node] = (int32_t)i;
  }
  table->leg2_least = -1;
}

/* ---- bounds ---- */

/* What s2 lies between if t^2 is to lie between base + d2*s2: of vti laws the limits of near and of far offsets. */
static void spread_of(const moho_travel_law *law, const moho_leg_terms *terms, double eta, double *low, double *high) {
  *low = *high = terms->s2;
  double far = 1 + 2 * eta;
  if (law->kind == MOHO_TRAVELTIME_VTI) *low = terms->s2 * fmin(1, far), *high = terms->s2 * fmax(1, far);
  if (law->kind == MOHO_TRAVELTIME_VTI_RATIONAL) *low = terms->s2 / fmax(1, far), *high = terms->s2 / fmin(1, far);
}

static void fill_bounds(moho_column_table *table, const moho_travel_law *law) {
  int has_lead = law->kind == MOHO_TRAVELTIME_CURVED_RMS;
  for (size_t block = 0; block < block_count(law->n); block++) {
    moho_leg_bounds b = {INFINITY, 0, INFINITY, 0, INFINITY, -INFINITY};
    for (size_t i = block * MOHO_TABLE_BLOCK; i < law->n && i < (block + 1) * MOHO_TABLE_BLOCK; i++) {
      const moho_leg_terms *m = &table->legs.terms[i];
      double low, high, a = has_lead ? m->a : 0;
      spread_of(law, m, table->legs.extra[i], &low, &high);
      b.base_min = fmin(b.base_min, m->base), b.base_max = fmax(b.base_max, m->base);
      b.s2_min = fmin(b.s2_min, low), b.s2_max = fmax(b.s2_max, high);
      b.a_min = fmin(b.a_min, a), b.a_max = fmax(b.a_max, a);
    }
    table->bounds[block] = b;
  }
}

static void fill_row_bounds(moho_column_table *table, const moho_travel_law *law) {
  const moho_leg_time_model *model = law->leg_times;
  moho_row_bounds *out = table->row_bounds;
  for (size_t node = 0; node < model->n_nodes; node++) {
    const float *row = table->legs.rows + node * model->row_stride;
    for (size_t block = 0; block < block_count(law->n); block++) {
      moho_row_bounds b = {INFINITY, 0};
      for (size_t i = block * MOHO_TABLE_BLOCK; i < law->n && i < (block + 1) * MOHO_TABLE_BLOCK; i++)
        b.min = row[i] < b.min ? row[i] : b.min, b.max = row[i] > b.max ? row[i] : b.max;
      *out++ = b;
    }
  }
}

/* ---- mute, radius ---- */

/* moho_is_stretched() solved for the half-offset. */
static void fill_mute_limits(moho_column_table *table, const moho_travel_law *law, double stretch) {
  table->h2_limit_grows = 1;
  for (size_t i = 0; i < law->n; i++) {
    double t1 = (law->first_s + (double)i * law->step_s) / (2 * law->dt_s);
    table->h2_limit[i] = moho_leg_reach2(law, &table->legs, i, moho_longest_unstretched(t1, 1 + stretch));
    if (i && table->h2_limit[i] < table->h2_limit[i - 1]) table->h2_limit_grows = 0;
  }
}

static void fill_radius(moho_column_table *table, size_t n) {
  double radius = 0;
  for (size_t i = 0; i < n; i++) {
    table->largest[i] = radius = fmax(radius, table->legs.radius[i]);
    table->radius[i] = moho_aperture_widened(radius);
  }
  table->largest_radius = table->radius[n - 1];
  table->bucket_per_m = MOHO_RADIUS_BUCKETS / table->largest_radius;
  int32_t first = 0;
  for (int bucket = 0; bucket <= MOHO_RADIUS_BUCKETS; bucket++) {
    /* A little early: the look-up walks on from here, so rounding cannot pass the first sample by. */
    double edge = (bucket - 1e-6) / table->bucket_per_m;
    while (first < (int32_t)n && table->radius[first] < edge) first++;
    table->first_in_bucket[bucket] = first;
  }
}

moho_status moho_column_table_fill(moho_column_table *table, const moho_travel_law *law, const moho_migration_options *options,
                                   double x_m, double y_m) {
  MOHO_TRY(moho_travel_column_fill(law, x_m, y_m, &table->legs));
  fill_radius(table, law->n);
  if (law->leg_times) {
    fill_node_limits(table, law);
    fill_row_bounds(table, law);
  } else {
    for (size_t i = 0; i < law->n; i++) table->roots[i] = (moho_leg_root){table->legs.terms[i].base, table->legs.terms[i].s2};
    fill_leg_limits(table, law);
    fill_bounds(table, law);
  }
  if (table->h2_limit) fill_mute_limits(table, law, options->stretch_mute);
  return MOHO_OK;
}
