/* angle_kernel.h - an interval of samples cut by the opening angle, straight rays, for every instruction set. Shared by host and
 * loops.
 *
 * The cosine is computed, in floats with a bound on their error, at every sixteenth sample, a node. Between two nodes bounds on
 * it follow from how fast it can bend at all; only where they do not tell the bin of all sixteen are the samples looked at.
 *
 * With x = t1^2/s2 (a squared depth) and g = (v_int/v_rms)^2 the inclinations of the legs of a pair are a^2 = g s^2,
 * s^2 = d^2/(x + d^2) of one, b^2 = g r^2 of the other. Of A^2 = 1 - a^2, B^2 = 1 - b^2, c the cosine between the azimuths,
 *   E = 2 (1 - cos) = g (s - r)^2 + (A - B)^2 + 2 (1 - c) g s r,
 * where none is negative. u: the larger of a^2 and b^2; p >= 1, 1/g, (g - u)/(1 - u). Along ln x at constant g
 * (s^2)' = -s^2 (1 - s^2), and the three, T, bend by T'' = ((T'/T)^2 + (T'/T)') T:
 *   T = s r:        T'/T = (s^2 + r^2)/2 - 1, which falls:                               -0.25 T <= T'' <= T
 *   T = (s - r)^2:  T'/T = s^2 + s r + r^2 - 1, which falls, by 0.885 at most:           |T''| <= (1 + 3 p u) T
 *   T = (A - B)^2 = g^2 (s^2 - r^2)^2/(A + B)^2:  T'/T = 2 (s^2 + r^2 - 1) - 2 W, W the mean, weighted by A and B, of
 *                   w = g s^2 (1 - s^2)/(2 A^2) <= p s^2/2, w' = w (2 s^2 - 1 - 2 w): T'/T is 2 p at most, its growth between
 *                   -1 - p and p + p^2:                                                  |T''| <= 6 p^2 T
 * The last is at most u/(1 - u) times g (s - r)^2, so u of E: |E''| <= (1 + 9 p^2 u) E. Between nodes D apart E leaves its chord
 * by an eighth of D^2 times that. It grows with g, d(ln E)/d(ln g) <= (1 - u) + u (1 + 1/(1 - u)) = 1/(1 - u).
 */
#ifndef MOHO_MIGRATE_ANGLE_KERNEL_H
#define MOHO_MIGRATE_ANGLE_KERNEL_H

#include "device/device_internal.h"

enum {
  MOHO_ANGLE_STEP = 16,    /* samples between nodes */
  MOHO_ANGLE_GAPS = 64,    /* gaps between nodes looked at together */
  MOHO_ANGLE_UNKNOWN = -2, /* in the place of a bin: too near an edge for floats */
  MOHO_ANGLE_PAD = 96      /* that many more nodes, and so many more samples, can be read */
};

typedef struct moho_angle_run {
  int32_t first, end, bin;
} moho_angle_run;

/* What floats make of an interval. */
typedef struct moho_angle_parts {
  moho_angle_run *runs; /* [samples] */
  int32_t n, unknown;   /* how many; how many of them MOHO_ANGLE_UNKNOWN */
} moho_angle_parts;

/* Buffers. IN: of samples base, s2, steepness = (v_int s2)^2; of nodes the same; of gaps 12.5/8 D^2, ln(largest g/least g), and
 * by how much the largest g is above 1; limits of the cosine, descending. OUT: moho_angle_parts. */
enum {
  MOHO_ANGLE_BASE,
  MOHO_ANGLE_S2,
  MOHO_ANGLE_STEEPNESS,
  MOHO_ANGLE_NODE_BASE,
  MOHO_ANGLE_NODE_S2,
  MOHO_ANGLE_NODE_STEEPNESS,
  MOHO_ANGLE_BEND,
  MOHO_ANGLE_CHANGE,
  MOHO_ANGLE_EXCESS,
  MOHO_ANGLE_LIMITS,
  MOHO_ANGLE_PARTS,
  MOHO_ANGLE_BUFFERS
};

typedef struct moho_angle_parameters {
  int32_t first, end; /* the interval, not empty */
  int32_t n_limits;
  float source2, receiver2, cosine;
} moho_angle_parameters;

extern const moho_native_kernel moho_angle_cut;

#endif
