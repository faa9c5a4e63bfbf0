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
#define PHYSICS_FUNCTION static inline __attribute__((unused))

#include "kernels/interpolate.h"
#include "kernels/physics.h"

#endif
