/* column_table.c - what a column's samples need and no trace changes. */
#include "migrate/column_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/aperture.h"
#include "migrate/real_double.h"

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
  moho_status status = moho_allocate(out->n, sizeof(double), "time axis", &out->t1sq);
  if (!status) status = moho_allocate(out->table, sizeof(float), "time axis", &out->t1sq_f);
  if (status) {
    moho_time_axis_release(out);
    return status;
  }
  for (size_t i = 0; i < out->table; i++) {
    double t1 = out->t1_first + (double)i * out->t1_step;
    if (i < out->n) out->t1sq[i] = vertical_squared(t1);
    out->t1sq_f[i] = (float)vertical_squared(t1);
  }
  return MOHO_OK;
}

void moho_time_axis_release(moho_time_axis *axis) {
  free(axis->t1sq);
  free(axis->t1sq_f);
  *axis = (moho_time_axis){0};
}

static size_t block_count(const moho_time_axis *axis) {
  return (axis->n + MOHO_TABLE_BLOCK - 1) / MOHO_TABLE_BLOCK;
}

size_t moho_column_table_bytes(const moho_time_axis *axis) {
  return axis->n * 4 * sizeof(double) + axis->table * 2 * sizeof(float) + block_count(axis) * 2 * sizeof(double) +
         sizeof(moho_column_table);
}

moho_status moho_column_table_create(const moho_time_axis *axis, int with_mute, moho_column_table *out) {
  *out = (moho_column_table){0};
  struct {
    void *array;
    size_t count, size;
  } arrays[] = {{&out->s2, axis->n, sizeof(double)},
                {&out->radius, axis->n, sizeof(double)},
                {&out->leg2_limit, axis->n, sizeof(double)},
                {&out->block_s2_min, block_count(axis), sizeof(double)},
                {&out->block_s2_max, block_count(axis), sizeof(double)},
                {&out->s2_f, axis->table, sizeof(float)},
                {&out->inverse_radius_f, axis->table, sizeof(float)},
                {&out->h2_limit, with_mute ? axis->n : 0, sizeof(double)}};
  moho_status status = MOHO_OK;
  for (size_t i = 0; !status && i < sizeof arrays / sizeof *arrays; i++)
    status = moho_allocate(arrays[i].count, arrays[i].size, "column tables", arrays[i].array);
  if (status) moho_column_table_release(out);
  else if (!with_mute) free(out->h2_limit), out->h2_limit = NULL;
  return status;
}

void moho_column_table_release(moho_column_table *table) {
  free(table->s2), free(table->radius), free(table->leg2_limit), free(table->block_s2_min), free(table->block_s2_max);
  free(table->s2_f), free(table->inverse_radius_f), free(table->h2_limit);
  *table = (moho_column_table){0};
}

/* A leg of squared length d2 grows from sample i to i+1 when t1sq grows by more than d2 times the fall of s2. */
static void fill_leg_limits(moho_column_table *table, const moho_time_axis *axis) {
  double limit = INFINITY;
  for (size_t i = axis->n; i-- > 0;) {
    if (i + 1 < axis->n && table->s2[i + 1] < table->s2[i])
      limit = fmin(limit, (axis->t1sq[i + 1] - axis->t1sq[i]) / (table->s2[i] - table->s2[i + 1]));
    table->leg2_limit[i] = limit;
  }
}

/* sqrt(t1^2 + h^2 s2) <= (1+s) t1 (1+4e-6), moho_is_stretched() solved for h^2. */
static void fill_mute_limits(moho_column_table *table, const moho_time_axis *axis, double stretch) {
  double factor = (1 + stretch) * (1 + 4e-6);
  table->h2_limit_grows = 1;
  for (size_t i = 0; i < axis->n; i++) {
    double t1 = axis->t1_first + (double)i * axis->t1_step;
    table->h2_limit[i] = (factor * factor - 1) * t1 * t1 / table->s2[i];
    if (i && table->h2_limit[i] < table->h2_limit[i - 1]) table->h2_limit_grows = 0;
  }
}

static void fill_buckets(moho_column_table *table, const moho_time_axis *axis) {
  table->largest_radius = table->radius[axis->n - 1];
  table->bucket_per_m = MOHO_RADIUS_BUCKETS / table->largest_radius;
  int32_t first = 0;
  for (int bucket = 0; bucket <= MOHO_RADIUS_BUCKETS; bucket++) {
    /* A little early: the look-up walks on from here, so rounding cannot pass the first sample by. */
    double edge = (bucket - 1e-6) / table->bucket_per_m;
    while (first < (int32_t)axis->n && table->radius[first] < edge) first++;
    table->first_in_bucket[bucket] = first;
  }
}

static void fill_blocks(moho_column_table *table, const moho_time_axis *axis) {
  for (size_t block = 0; block < block_count(axis); block++) {
    double low = INFINITY, high = 0;
    for (size_t i = block * MOHO_TABLE_BLOCK; i < axis->n && i < (block + 1) * MOHO_TABLE_BLOCK; i++)
      low = fmin(low, table->s2[i]), high = fmax(high, table->s2[i]);
    table->block_s2_min[block] = low;
    table->block_s2_max[block] = high;
  }
}

void moho_column_table_fill(moho_column_table *table, const moho_time_axis *axis, const moho_migration_options *options,
                            const double *v_mps) {
  double tan_dip = tan(options->aperture_max_dip_deg * (3.14159265358979323846 / 180)), radius = 0;
  for (size_t i = 0; i < axis->n; i++) {
    double v = v_mps[i], t1_s = (axis->first_s + (double)i * axis->step_s) / 2;
    table->s2[i] = 1 / (v * axis->dt_s * (v * axis->dt_s));
    table->s2_f[i] = (float)table->s2[i];
    radius = fmax(radius, moho_aperture_radius(v, t1_s, tan_dip, options->aperture_min_m, options->aperture_max_m));
    table->radius[i] = moho_aperture_widened(radius);
    /* Where A is 0 only d = 0 is inside; its taper argument must be 0: 0 * inverse = 0 < 1 - f. */
    table->inverse_radius_f[i] = radius > 0 ? (float)(1 / radius) : 0.0f;
  }
  for (size_t i = axis->n; i < axis->table; i++) {
    table->s2_f[i] = table->s2_f[axis->n - 1];
    table->inverse_radius_f[i] = table->inverse_radius_f[axis->n - 1];
  }
  fill_leg_limits(table, axis);
  if (table->h2_limit) fill_mute_limits(table, axis, options->stretch_mute);
  fill_blocks(table, axis);
  fill_buckets(table, axis);
}

int32_t moho_column_first_within(const moho_column_table *table, int32_t n, double d) {
  if (d > table->largest_radius) return n;
  /* With as many buckets as a column has samples one step nearly always suffices: no branch to mispredict. */
  int32_t i = table->first_in_bucket[(int)(d * table->bucket_per_m)];
  i += table->radius[i] < d;
  while (table->radius[i] < d) i++;
  return i;
}
