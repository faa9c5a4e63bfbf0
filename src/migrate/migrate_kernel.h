/* migrate_kernel.h - what the migration kernel is given: buffers, runs, parameters. Shared by host and loops.
 *
 * A run is the part of one image column that one trace contributes to: samples [first, end), of which [first, full) lie
 * in the aperture's taper. Runs are decided on the host in double (runs.c), so the loops have no tests:
 *
 *   image[column, i] += T * t^-p * D(t),   t = t_s + t_r,   i = first .. end-1
 *
 * The adjoint takes the same runs and adds the image to the rows, which it has in copies for neighbouring samples.
 *
 * Buffers: 0 rows (IN), 1 runs (IN), 2 t1sq (IN), 3 s2 (IN), 4 inverse radius (IN), 5 sinc table (IN), 6 image (INOUT); of the
 * adjoint the image is IN and the rows are INOUT. Times in (refined) trace samples, lengths in metres.
 */
#ifndef MOHO_MIGRATE_KERNEL_H
#define MOHO_MIGRATE_KERNEL_H

#include <stdint.h>

enum {
  MOHO_BUFFER_ROWS,
  MOHO_BUFFER_RUNS,
  MOHO_BUFFER_T1SQ,
  MOHO_BUFFER_S2,
  MOHO_BUFFER_INVERSE_RADIUS,
  MOHO_BUFFER_SINC,
  MOHO_BUFFER_IMAGE,
  MOHO_BUFFER_COUNT
};

typedef struct moho_run {
  int32_t row;                                      /* of the batch of prepared traces */
  int32_t column, table;                            /* row of the image; row of s2 and inverse radius */
  int32_t first, full, end;                         /* samples of the column */
  float source2, receiver2;                         /* squared horizontal distances to source and receiver */
  float distance;                                   /* to the midpoint */
  float shift;                                      /* time of the row's first sample */
  float spacing;                                    /* antialias: factor times the spacing of the trace's offset class */
  float source_x, source_y, receiver_x, receiver_y; /* x - s and x - r along the grid's axes (0 in y on a line) */
  int32_t unused;                                   /* to 64 bytes */
} moho_run;

typedef struct moho_migrate_parameters {
  int32_t n_runs;
  int32_t row_stride, x0, c0; /* of prepared rows, in floats */
  int32_t image_stride;       /* floats between columns */
  int32_t table_stride;       /* floats between the columns of s2 and inverse radius; 0: one for all */
  int32_t n_samples, k_max;
  int32_t interpolation;    /* moho_interpolation */
  int32_t antialias;        /* moho_antialias */
  int32_t weight_power;     /* 2p: 0..4 */
  float taper_inv_fraction; /* 1/f */
  float shortest_time;      /* one input dt, for weights */
  int32_t lane_stride;      /* adjoint: floats between the copies of a row (demigrate_lanes.h) */
  int32_t sums0;            /* adjoint: floats from a row's beginning to its doubles for the trace integrated twice, and */
  int32_t sums_stride;      /* doubles between their copies */
} moho_migrate_parameters;

_Static_assert(sizeof(moho_run) == 64, "a run is one cache line");
_Static_assert(sizeof(moho_migrate_parameters) <= 4096, "parameters fit a constant block");

#endif
