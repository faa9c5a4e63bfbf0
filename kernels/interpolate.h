/* interpolate.h - values between samples, once for all (macros as in physics.h). f in [0, 1): fraction past sample y0. */
#ifndef MOHO_KERNELS_INTERPOLATE_H
#define MOHO_KERNELS_INTERPOLATE_H

PHYSICS_FUNCTION REAL interpolate_linear(REAL y0, REAL y1, REAL f) {
  return FMA(f, y1 - y0, y0);
}

/* Catmull-Rom through y0 and y1. */
PHYSICS_FUNCTION REAL interpolate_cubic(REAL ym, REAL y0, REAL y1, REAL y2, REAL f) {
  REAL c1 = R(0.5) * (y1 - ym);
  REAL c2 = ym - R(2.5) * y0 + R(2.0) * y1 - R(0.5) * y2;
  REAL c3 = R(0.5) * (y2 - ym) + R(1.5) * (y0 - y1);
  return FMA(FMA(FMA(c3, f, c2), f, c1), f, y0);
}

/* One triangle of whole half-width k on the trace integrated twice (c'' = -x): (-c[i-k] + 2c[i] - c[i+k])/k^2.
 * Between k and k+1 the two results are blended; at k = 1 it is the trace itself. */
PHYSICS_FUNCTION REAL triangle_of(REAL c_before, REAL c_here, REAL c_after, REAL inv_k2) {
  return (R(2.0) * c_here - c_before - c_after) * inv_k2;
}

#endif
