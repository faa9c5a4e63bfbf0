/* migrate_kernel.h - what the native loops are given: buffers, runs, parameters. Shared by host and loops.
 *
 * A run is the part of one image row that one trace contributes to: samples [first, end), of which [first, full) lie in the
 * aperture's taper. Runs are decided on the host in double (runs.c), so the loops have no tests:
 *
 *   image[row, i] += T * t-part * D(t),   t = t_s + t_r,   i = first .. end-1                 (weight.h, docs/physics.md)
 *
 * Of gathers by opening angle a run goes into several rows, part by part, its times found and its trace read once.
 *
 * The adjoint takes the same runs and adds the image to the rows, which it has in copies for neighbouring samples.
 *
 * A leg's time comes from the terms of its law (kernels/physics.h), or from a leg-time table (leg_time_table.h): squared leg
 * times, a row of the time axis for each node of squared distance. Times in (refined) trace samples, lengths in metres.
 */
#ifndef MOHO_MIGRATE_KERNEL_H
#define MOHO_MIGRATE_KERNEL_H

#include <stdint.h>

/* All IN but the image, which of the adjoint is IN and the rows are INOUT. Those in [] are rows of the time axis's `table`
 * floats, one a column or one for all; NULL where the law has none. */
enum {
  MOHO_BUFFER_ROWS, /* prepared traces */
  MOHO_BUFFER_RUNS,
  MOHO_BUFFER_BASE, /* [] terms of the law: base, s2, a, b */
  MOHO_BUFFER_S2,
  MOHO_BUFFER_A,
  MOHO_BUFFER_B,
  MOHO_BUFFER_LEG_ROWS,       /* [nodes] of them a column: the leg-time table */
  MOHO_BUFFER_LEG_NODES,      /* [nodes] squared distances, m^2 */
  MOHO_BUFFER_INVERSE_RADIUS, /* [] 1/A(t0) */
  MOHO_BUFFER_SINC,
  MOHO_BUFFER_IMAGE,
  MOHO_BUFFER_PARTS,      /* of runs that go into several rows: those of run i are [first_part[i], first_part[i + 1]); or NULL */
  MOHO_BUFFER_FIRST_PART, /* [runs + 1], or NULL */
  MOHO_BUFFER_COUNT
};

typedef struct moho_run {
  int32_t row;                                      /* of the batch of prepared traces */
  int32_t column, table;                            /* row of the image, without parts; column of the tables */
  int32_t first, full, end;                         /* samples of the column */
  float source2, receiver2;                         /* squared horizontal distances to source and receiver */
  float distance;                                   /* to the midpoint */
  float shift;                                      /* time of the row's first sample */
  float spacing;                                    /* antialias: factor times the spacing of the trace's offset class */
  float source_x, source_y, receiver_x, receiver_y; /* x - s and x - r along the grid's axes (0 in y on a line) */
  uint16_t source_node, receiver_node;              /* leg-time table: the node at or before source2, receiver2 */
} moho_run;

/* The part of a run from where the one before ends up to sample `end`; the last ends where the run does. */
typedef struct moho_run_part {
  int32_t column; /* row of the image */
  int32_t end;
} moho_run_part;

/* After the laws: curved_linear where every leg's c2 q is at most MOHO_NEAR_ARC (physics.h). */
enum { MOHO_LOOP_LINEAR_NEAR = 6 };
#define MOHO_NEAR_ARC 2.25

typedef struct moho_migrate_parameters {
  int32_t n_runs;
  int32_t row_stride, x0, c0; /* of prepared rows, in floats */
  int32_t image_stride;       /* floats between columns */
  int32_t table_stride;       /* floats between the columns of tables; 0: one for all */
  int32_t node_stride;        /* floats between the nodes' rows of a leg-time table */
  int32_t nodes;
  int32_t n_samples, k_max;
  int32_t bank_stride, bank_last; /* filter bank: floats between copies; the last copy's number */
  float bank_inverse_narrowest, bank_per_octave;
  int32_t traveltime;       /* moho_traveltime, or MOHO_LOOP_LINEAR_NEAR */
  int32_t interpolation;    /* moho_interpolation */
  int32_t antialias;        /* moho_antialias */
  int32_t t_part;           /* weight.h */
  float c2;                 /* curved_linear: (k dt/2)^2 */
  float taper_inv_fraction; /* 1/f */
  float shortest_time;      /* one input dt, for weights */
  int32_t lane_stride;      /* adjoint: floats between the copies of a row (demigrate_lanes.h) */
  int32_t sums0;            /* adjoint: floats from a row's beginning to its doubles for the trace integrated twice, and */
  int32_t sums_stride;      /* doubles between their copies */
} moho_migrate_parameters;

_Static_assert(sizeof(moho_run) == 64, "a run is one cache line");
_Static_assert(sizeof(moho_migrate_parameters) <= 4096, "parameters fit a constant block");

#endif
