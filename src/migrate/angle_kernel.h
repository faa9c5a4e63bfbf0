/* angle_kernel.h - an interval of samples cut by the opening angle, for every instruction set. Shared by host and loops.
 *
 * What is compared is the squared chord E = 2 (1 - cos) of the angle between the rays, of sines a and b to the vertical,
 *   E = (a - b)^2 + (A - B)^2 + 2 (1 - c) a b,   A^2 = 1 - a^2, B^2 = 1 - b^2, c the cosine between the azimuths,
 * of terms none of which is negative, so that floats err by little of it: the chord by at most `error`/(A B).
 *
 * Where the angle is known to fall with t0 (angle_runs.c) an edge of a bin is passed once. All edges are searched at once, one a
 * lane, from where straight rays would pass them at depth z: with s, r the distances, o the offset, q the edge's squared sine
 *   q z^4 - (o^2 - q (s^2 + r^2)) z^2 - s^2 r^2 (1 - c^2 - q) = 0,
 * by steps of Newton in the inverse chord, which is nearly linear in t0, until the samples on either side tell that the edge is
 * between them. So the guess does not matter to what is found. Elsewhere every sample is looked at.
 *
 * Through constant velocity straight rays pass the edge where that equation says. Its left side G = (z^2 + c s r)^2 - cos^2 (z^2
 * + s^2) (z^2 + r^2), for edges below 90 degrees with z^2 + c s r > 0, tells of the samples on either side on which they are.
 */
#ifndef MOHO_MIGRATE_ANGLE_KERNEL_H
#define MOHO_MIGRATE_ANGLE_KERNEL_H

#include "device/device_internal.h"

enum {
  MOHO_ANGLE_WIDEST = 16,    /* lanes of the widest vector */
  MOHO_ANGLE_OPEN = 1 << 16, /* of a sample's count: nearer to this many edges than floats tell, times the number */
  MOHO_ANGLE_DEPTHS = 512    /* places in a column's table of samples by depth */
};

/* What is kept of an edge of a bin, rows of floats. */
enum {
  MOHO_ANGLE_EDGE_SQUARED, /* E; of the edge 0 below all */
  MOHO_ANGLE_EDGE_CHORD,   /* its root */
  MOHO_ANGLE_EDGE_INVERSE, /* 1/root */
  MOHO_ANGLE_EDGE_SINE2,   /* squared sine */
  MOHO_ANGLE_EDGE_SIGN,    /* of its cosine */
  MOHO_ANGLE_EDGE_Q,       /* squared sine, not held above 0: 1 - cos^2; of the edge 0, that nothing is below, negative */
  MOHO_ANGLE_EDGE_ROWS
};

typedef struct moho_angle_leg {
  float d, d2;
  float node_fraction, node_inverse; /* leg-time table: d2 between the nodes; 1/their distance in d2 */
  const float *rows;                 /* leg-time table: the row before d2, the next after it */
} moho_angle_leg;

/* Samples of one trace in one column. Jobs do not depend on each other, so that of many one's work hides the other's waiting. */
typedef struct moho_angle_job {
  int32_t first, end;                    /* samples, not none */
  int32_t falls;                         /* 1: the angle falls: find edges; 0: count the edges at or below each sample's angle */
  float apart;                           /* 2 (1 - c) */
  float offset2, sum2, product2, cross2; /* o^2, s^2 + r^2, s^2 r^2, s^2 r^2 (1 - c^2) */
  float across;                          /* c s r */
  float depths_per_m;
  float first_depth,
      depth_step; /* straight rays through constant velocity: sample i is at first_depth + i * depth_step; else 0 */
  moho_angle_leg source, receiver;
  const float *base, *s2, *a, *b; /* the loops' terms of the column, NULL where the law has none (migrate_kernel.h) */
  const float *v_dt;              /* [time axis's table] v_int dt */
  const float *depth;             /* [MOHO_ANGLE_DEPTHS + 2] sample by depth */
  int32_t open;                   /* OUT of edges: 1: floats do not tell all */
  int32_t *found; /* OUT of edges: [edge_stride] the first sample whose angle is below each, or, where floats do not
                     tell, -1 less a sample near it. Of samples: [end - first, rounded up] how many edges surely
                     are at or below the angle, plus MOHO_ANGLE_OPEN for each that may be */
} moho_angle_job;

/* Buffers: jobs INOUT, edges IN. */
enum {
  MOHO_ANGLE_JOBS,
  MOHO_ANGLE_EDGES, /* [MOHO_ANGLE_EDGE_ROWS, edge_stride] */
  MOHO_ANGLE_BUFFERS
};

typedef struct moho_angle_parameters {
  int32_t n_jobs, falls; /* only jobs of this `falls` are done */
  int32_t n_limits, edge_stride;
  int32_t traveltime; /* moho_traveltime */
  int32_t row_stride; /* floats between the rows of a leg-time table */
  float c2;           /* curved_linear */
  float error;        /* of a chord, times A B */
} moho_angle_parameters;

extern const moho_native_kernel moho_angle_cut;

#endif
