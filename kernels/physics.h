/* physics.h - the formulas, once: for the double reference, the SIMD loops and the GPUs (docs/physics.md).
 *
 * Written in REAL, R(x), FMA, MIN, MAX, ABS without branches or loops, so that double, float and vector types compile.
 * Whoever includes it defines those macros first (src/migrate/real_double.h, src/migrate/simd/lanes_*.h) and
 * PHYSICS_FUNCTION (static inline ...). Times are in trace samples, lengths in metres, squared slowness s2 in samples^2/m^2:
 *   s2 = 1/(v*dt)^2,  t1 = t0/(2*dt)
 */
#ifndef MOHO_KERNELS_PHYSICS_H
#define MOHO_KERNELS_PHYSICS_H

/* Squared vertical time of a leg, t1^2. Never zero, so that the inverse root of a leg is finite: 1e-12 samples^2 is a leg of
 * a millionth of a sample. */
PHYSICS_FUNCTION REAL vertical_squared(REAL t1) {
  return MAX(t1 * t1, R(1e-12));
}

/* Squared leg time of the straight ray; d2: squared horizontal distance; t1sq of vertical_squared(). */
PHYSICS_FUNCTION REAL leg_squared_straight(REAL t1sq, REAL d2, REAL s2) {
  return FMA(d2, s2, t1sq);
}

/* Slope dt_leg/dd along one axis: straight d/(v^2 t); inv_t = 1/t_leg. */
PHYSICS_FUNCTION REAL leg_slope_straight(REAL d_axis, REAL s2, REAL inv_t) {
  return d_axis * (s2 * inv_t);
}

/* Argument of the aperture taper, clamped to [0, 1]: (d - A(1-f)) / (f A). inv_f = 1/f. */
PHYSICS_FUNCTION REAL taper_argument(REAL distance, REAL inv_radius, REAL inv_f) {
  return MIN(MAX(FMA(FMA(distance, inv_radius, R(-1.0)), inv_f, R(1.0)), R(0.0)), R(1.0));
}

/* Half-width of the antialias triangle in samples: factor*spacing*max(|p_x|, |p_y|), p = p_s + p_r. */
PHYSICS_FUNCTION REAL triangle_half_width(REAL px, REAL py, REAL spacing) {
  return spacing * MAX(ABS(px), ABS(py));
}

#endif
