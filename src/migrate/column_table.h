/* column_table.h - what a column's samples need and no trace changes: slowness, aperture radius, limits.
 *
 * One table serves all columns where the velocity depends on t0 only; else each column of a tile has its own. Doubles
 * decide the runs, floats feed the loops. Times in refined trace samples.
 */
#ifndef MOHO_MIGRATE_COLUMN_TABLE_H
#define MOHO_MIGRATE_COLUMN_TABLE_H

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
  float *t1sq_f;                /* [table] */
} moho_time_axis;

typedef struct moho_column_table {
  double *s2;                          /* [n] 1/(v*dt)^2 */
  double *radius;                      /* [n] widened running maximum of A(t0) */
  float *s2_f, *inverse_radius_f;      /* [table] */
  double *h2_limit;                    /* [n] largest squared half-offset that the stretch mute lets pass; NULL: no mute */
  int h2_limit_grows;                  /* 1: non-decreasing, as for real r.m.s. velocities */
  double *leg2_limit;                  /* [n] from here on a leg of this squared length grows with t0 */
  double *block_s2_min, *block_s2_max; /* [n / block, rounded up] */
  double bucket_per_m, largest_radius;
  int32_t first_in_bucket[MOHO_RADIUS_BUCKETS + 1]; /* first sample whose radius reaches the bucket's lower edge */
} moho_column_table;

/* The members stride and table of an axis of n samples. */
size_t moho_time_axis_stride(size_t n);
size_t moho_time_axis_table(size_t n);

moho_status moho_time_axis_create(const moho_grid *grid, double dt_s, moho_time_axis *out);
void moho_time_axis_release(moho_time_axis *axis);

/* Allocate once; fill for any column. */
moho_status moho_column_table_create(const moho_time_axis *axis, int with_mute, moho_column_table *out);
void moho_column_table_release(moho_column_table *table);
size_t moho_column_table_bytes(const moho_time_axis *axis);
/* From v_mps [n] at the column (scratch of the caller); s2_f and inverse_radius_f of `table` are written too. */
void moho_column_table_fill(moho_column_table *table, const moho_time_axis *axis, const moho_migration_options *options,
                            const double *v_mps);

/* First sample whose widened radius is at least d; n where none is. */
int32_t moho_column_first_within(const moho_column_table *table, int32_t n, double d);

#endif
