/* angle_runs.h - a run of samples cut where the opening angle passes from one bin to the next, decided in double.
 *
 * For straight rays a fast pass in floats (angle_kernel.h) looks at every sixteenth sample, and closely only where an edge of a
 * bin is near; samples too near for floats are decided in double. Other laws are all decided in double.
 */
#ifndef MOHO_MIGRATE_ANGLE_RUNS_H
#define MOHO_MIGRATE_ANGLE_RUNS_H

#include "migrate/angle_kernel.h"
#include "migrate/opening_angle.h"
#include "migrate/runs.h"

/* A column's. */
typedef struct moho_angle_column {
  double *v_dt;    /* [n] v_int * dt */
  float *tables;   /* straight rays only, else NULL: of samples and nodes, as the fast pass takes them */
  size_t n, nodes; /* floats of each */
} moho_angle_column;

moho_status moho_angle_column_create(const moho_travel_law *law, moho_angle_column *out);
void moho_angle_column_release(moho_angle_column *column);
size_t moho_angle_column_bytes(const moho_travel_law *law);
moho_status moho_angle_column_fill(const moho_travel_law *law, const moho_travel_column *legs, double x_m, double y_m,
                                   moho_angle_column *column);

/* A pair of trace and column. */
typedef struct moho_angle_query {
  const moho_opening_angles *angles;
  const moho_travel_law *law;
  const moho_travel_column *legs;
  const moho_angle_column *column;
  moho_native_function cut; /* of moho_angle_cut */
  moho_opening_pair pair;
  double source2, receiver2;
} moho_angle_query;

/* The parts of an interval that fall into one bin each, in order: out [its samples]; what falls into none is left out. */
size_t moho_angle_runs_find(const moho_angle_query *query, moho_interval interval, moho_angle_run *out);

#endif
