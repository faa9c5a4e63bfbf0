/* float_physics.c - kernels/physics.h in plain float: what float costs, without vectors (test_travel_time.c). */
#include <math.h>

#define REAL float
#define R(x) x##f
#define FMA(a, b, c) fmaf(a, b, c)
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define ABS(x) fabsf(x)
#define SQRT(x) sqrtf(x)
#define RSQRT(x) (1.0f / sqrtf(x))
#define RECIPROCAL(x) (1.0f / (x))
#define PHYSICS_FUNCTION static inline __attribute__((unused))
#include "kernels/physics.h"

float float_leg_time_linear(float d2, float base, float s2, float c2);
float float_leg_time_linear_near(float d2, float base, float s2, float c2);

float float_leg_time_linear(float d2, float base, float s2, float c2) {
  return leg_time_linear(leg_squared_straight(base, d2, s2), c2);
}

float float_leg_time_linear_near(float d2, float base, float s2, float c2) {
  return leg_time_linear_near(leg_squared_straight(base, d2, s2), c2);
}
