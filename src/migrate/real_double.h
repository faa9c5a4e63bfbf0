/* real_double.h - physics.h in double precision (the reference). */
#ifndef MOHO_MIGRATE_REAL_DOUBLE_H
#define MOHO_MIGRATE_REAL_DOUBLE_H

#include <math.h>

#define REAL double
#define R(x) (x)
#define FMA(a, b, c) ((a) * (b) + (c))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ABS(x) fabs(x)
#define SQRT(x) sqrt(x)
#define RSQRT(x) (1.0 / sqrt(x))
#define RECIPROCAL(x) (1.0 / (x))
#define ARC(root, y) ((root)*real_arc(y))
#define PHYSICS_FUNCTION static inline __attribute__((unused))

/* asinh(s)/s, s^2 = y */
PHYSICS_FUNCTION double real_arc(double y) {
  double s = sqrt(y);
  return s > 0 ? log1p(s + y / (1.0 + sqrt(1.0 + y))) / s : 1.0;
}

#include "kernels/interpolate.h"
#include "kernels/physics.h"

#endif
