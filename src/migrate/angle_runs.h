/* angle_runs.h - a run of samples cut where the opening angle passes from one bin to the next, decided in double.
 *
 * A fast pass in floats (angle_kernel.h) tells what it can be sure of; samples too near to an edge for floats are decided in
 * double. So that an edge need not be looked for sample by sample the column says where the angle falls with t0.
 *
 * Of a ray that leaves the point at horizontal distance d inclined by alpha let Z = d cot(alpha), the depth from which a straight
 * ray would be as steep, and l > 0 its growth, d(ln Z)/di. With tangents S >= R of source and receiver side and c the cosine
 * between their azimuths the angle between both falls exactly where
 *   (S^2 - c S R) l_s/(1 + S^2) + (R^2 - c S R) l_r/(1 + R^2) >= 0.
 * Were both l alike this would be |S - R|^2 (1 - c S R) + 2 S^2 R^2 (1 - c^2) >= 0, |S - R| of the vectors along the ground.
 * Where l shrinks with distance at most like d^-K, and Z grows with it at most like d^(1/2), l_r - l_s is at most
 * 2 K (S - R)/R of l_s, and it suffices that
 *   c S R + 2 K (1 + S^2) <= 1.
 * Tangents shrink with t0, so what holds at a sample holds from there on. For every transition from one sample to the next the
 * column keeps up to which distance l grows, or shrinks no faster with one of four K, looked at at 16 distances; in straight rays
 * through constant velocity l is the same at all. Where the interval velocity jumps up, angles grow, and a new piece of the
 * column begins.
 */
#ifndef MOHO_MIGRATE_ANGLE_RUNS_H
#define MOHO_MIGRATE_ANGLE_RUNS_H

#include "migrate/angle_kernel.h"
#include "migrate/column_table.h"
#include "migrate/loop_tables.h"
#include "migrate/opening_angle.h"
#include "migrate/runs.h"

enum { MOHO_ANGLE_REACHES = 4 };

/* From a sample on to the end of its piece: rays from squared distances up to reach2 grow steeper as above, with one K, a larger
 * one the further they reach; at the sample itself their Z^2 is at least depth2 - fall * d^2. */
typedef struct moho_angle_fall {
  double reach2[MOHO_ANGLE_REACHES], depth2, fall;
  int32_t piece_end;
} moho_angle_fall;

/* A column's. */
typedef struct moho_angle_column {
  double *v_dt;           /* [n] v_int * dt */
  float *v_dt_f;          /* [time axis's table] */
  float *depth;           /* [MOHO_ANGLE_DEPTHS + 2] sample whose Z of short rays is so many steps */
  moho_angle_fall *falls; /* [n] */
  double depths_per_m;
  double first_depth, depth_step; /* of straight rays through constant velocity, else 0 */
} moho_angle_column;

moho_status moho_angle_column_create(const moho_travel_law *law, moho_angle_column *out);
void moho_angle_column_release(moho_angle_column *column);
size_t moho_angle_column_bytes(const moho_travel_law *law);
moho_status moho_angle_column_fill(const moho_travel_law *law, const moho_travel_column *legs, double x_m, double y_m,
                                   moho_angle_column *column);

typedef struct moho_angle_run {
  int32_t first, end, bin;
} moho_angle_run;

/* What all searches of a migration share. */
typedef struct moho_angle_search {
  const moho_opening_angles *angles;
  const moho_travel_law *law;
  moho_native_function cut; /* of moho_angle_cut */
} moho_angle_search;

/* A pair of trace and column. */
typedef struct moho_angle_query {
  const moho_travel_column *legs;
  const moho_loop_tables *loops; /* the column's are its number `loop_column` */
  size_t loop_column;
  const moho_angle_column *column;
  moho_opening_pair pair;
  double source2, receiver2;
} moho_angle_query;

/* At most so many jobs does an interval of n samples make. */
size_t moho_angle_jobs_most(size_t n);

/* What has to be searched of an interval that is not empty: jobs[0], [1] .. one after the other in time.
 * @param found  [jobs, angles->edge_stride] in whole vectors, for the searches: of job k at k times the stride
 * @return jobs written, moho_angle_jobs_most() at most */
size_t moho_angle_jobs_make(const moho_angle_search *search, const moho_angle_query *query, moho_interval interval,
                            int32_t *found, moho_angle_job *jobs);

/* The searches of any number of jobs, of any pairs. */
void moho_angle_jobs_search(const moho_angle_search *search, moho_angle_job *jobs, size_t n);

/* The edges of a searched job that falls: found[k] is the first sample whose angle is below edge k, or its end. */
void moho_angle_edges_settle(const moho_angle_search *search, const moho_angle_query *query, moho_angle_job *job);

/* The parts of an interval that fall into one bin each, in order; what falls into none is left out.
 * @param jobs     all n of the interval, searched
 * @param scratch  [samples of the column, rounded up to whole vectors]
 * @param out      [samples of the interval and bins]
 * @return parts */
size_t moho_angle_runs_of(const moho_angle_search *search, const moho_angle_query *query, moho_angle_job *jobs, size_t n,
                          int32_t *scratch, moho_angle_run *out);

#endif
