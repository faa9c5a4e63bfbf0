/* column_table.h - what a column's samples need and no trace changes: legs, aperture radius, limits.
 *
 * One table serves all columns where velocity and eta depend on t0 only; else each column of a tile has its own. Doubles
 * decide the runs; loop_tables.h holds what the loops read. Times in refined trace samples.
 */
#ifndef MOHO_MIGRATE_COLUMN_TABLE_H
#define MOHO_MIGRATE_COLUMN_TABLE_H

#include "migrate/travel_time.h"
#include "moho/migration.h"

enum { MOHO_RADIUS_BUCKETS = 1024, MOHO_TABLE_BLOCK = 64 };

/* What all columns share. */
typedef struct moho_time_axis {
  size_t n;                     /* image samples */
  size_t stride;                /* n rounded up to whole vectors: floats between image columns */
  size_t table;                 /* floats of a table: the loops read some vectors past the end */
  double first_s, step_s, dt_s; /* image axis; refined trace interval */
  double t1_first, t1_step;     /* of the samples' vertical leg times, in refined trace samples */
  double *t1sq;                 /* [n] */
} moho_time_axis;

/* Bounds on a block of MOHO_TABLE_BLOCK samples: every leg of squared length d2 takes a + t(base + d2*s2), t the law's time of
 * what stands under its root, somewhere between the smallest and the largest of each. */
typedef struct moho_leg_bounds {
  double base_min, base_max, s2_min, s2_max, a_min, a_max;
} moho_leg_bounds;

/* The same of a row of leg times: squared times. */
typedef struct moho_row_bounds {
  float min, max;
} moho_row_bounds;

/* What under the root of a leg is the sample's: base + d2*s2. Of the terms the two that runs along straight rays and circles
 * look at, again, in half the cache. */
typedef struct moho_leg_root {
  double base, s2;
} moho_leg_root;

typedef struct moho_column_table {
  moho_travel_column legs;     /* v, terms, rows of leg times */
  moho_leg_root *roots;        /* [n] of these terms; or NULL */
  double *radius;              /* [n] widened running maximum of A(t0) */
  double *largest;             /* [n] the same, not widened */
  double *h2_limit;            /* [n] largest squared half-offset that the stretch mute lets pass, or NULL */
  int h2_limit_grows;          /* 1: non-decreasing, as for real r.m.s. velocities */
  double *leg2_limit;          /* [n] from here on a leg of this squared length grows with t0: non-decreasing; or NULL */
  double leg2_least;           /* the first of them; of rows of leg times -1 */
  int32_t *node_grows;         /* [nodes] with rows: from this sample on the node's row grows; or NULL */
  moho_leg_bounds *bounds;     /* [n / block, rounded up]; or NULL */
  moho_row_bounds *row_bounds; /* [nodes, n / block, rounded up]; or NULL */
  double t1_first, t1_step;    /* vertical leg times of the samples */
  double t1_step_inverse;      /* for guesses */
  double bucket_per_m, largest_radius;
  int32_t first_in_bucket[MOHO_RADIUS_BUCKETS + 1]; /* first sample whose radius reaches the bucket's lower edge */
} moho_column_table;

/* The members stride and table of an axis of n samples. */
size_t moho_time_axis_stride(size_t n);
size_t moho_time_axis_table(size_t n);

moho_status moho_time_axis_create(const moho_grid *grid, double dt_s, moho_time_axis *out);
void moho_time_axis_release(moho_time_axis *axis);

/* Allocate once; fill for any column. */
moho_status moho_column_table_create(const moho_travel_law *law, int with_mute, moho_column_table *out);
void moho_column_table_release(moho_column_table *table);
size_t moho_column_table_bytes(const moho_travel_law *law);
/* @return MOHO_ERROR_RANGE of velocity or eta, which names the place */
moho_status moho_column_table_fill(moho_column_table *table, const moho_travel_law *law, const moho_migration_options *options,
                                   double x_m, double y_m);

/* First sample whose widened radius is at least d; n where none is. */
static inline int32_t moho_column_first_within(const moho_column_table *table, int32_t n, double d) {
  if (d > table->largest_radius) return n;
  /* With as many buckets as a column has samples one step nearly always suffices: no branch to mispredict. */
  int32_t i = table->first_in_bucket[(int)(d * table->bucket_per_m)];
  i += table->radius[i] < d;
  while (table->radius[i] < d) i++;
  return i;
}

#endif
