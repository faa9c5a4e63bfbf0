/* physics.h - the formulas, once: for the double reference, the SIMD loops and the GPUs (docs/physics.md).
 *
 * Written in REAL, R(x), FMA, MIN, MAX, ABS, SQRT, RSQRT, RECIPROCAL without branches or loops, so that double, float and
 * vector types compile. Whoever includes it defines those macros first (src/migrate/real_double.h, src/migrate/simd/lanes_*.h)
 * and PHYSICS_FUNCTION (static inline ...). Times are in trace samples, lengths in metres, squared slowness s2 in
 * samples^2/m^2:
 *   s2 = 1/(v*dt)^2,  t1 = t0/(2*dt)
 *
 * Laws of the leg time at squared horizontal distance d2. What of them depends on the image sample alone, its leg terms
 * {base, s2, a, b}, is made once a sample in double (src/migrate/travel_time.c); a leg then is
 *
 *   law            base               s2                     a             b           time t of a leg
 *   straight       t1^2               1/(v dt)^2                                       sqrt(q),  q = base + d2 s2
 *   curved_linear  (sinh(c t1)/c)^2   e^(-2 c t1)/(V0 dt)^2                            leg_time_linear(q, c^2),  c = k dt/2
 *   curved_rms     (t1/S)^2           1/(S (v dt)^2)         t1 (1 - 1/S)              a + sqrt(q)
 *   vti            t1^2               1/((1+2 eta)(v dt)^2)  1/(4 (1+eta)) (i)           sqrt(leg_squared_vti)
 *   vti_rational   t1^2               1/(v dt)^2             2 eta                     sqrt(leg_squared_vti_rational)
 *
 * (i) 16 eta (1+eta) base s2. base is held above 0 by vertical_squared().
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

/* The root in what follows, where a few ulp are meant. */
#ifndef ROOT
#define ROOT(x) SQRT(x)
#endif

/* ---- curved_linear: v(z) = V0 + k z, rays are circles; q = base + d2 s2, c2 = (k dt/2)^2 ---- */

/* root * asinh(s)/s, s^2 = y. Whose REAL has more digits than a float defines ARC itself, by log1p(s + s^2/(1 + sqrt(1 + s^2))).
 * Else 1 - y N(y)/D(y), exact where k goes to 0: 3.1e-8 up to y = 25, which is k t = 4.6 (tests/migrate/test_travel_time.c). */
#ifndef ARC
#define ARC(root, y) FMA(-(root), arc_shortfall(y), root)
#define ARC_NEAR(root, y) FMA(-(root), arc_shortfall_near(y), root)
PHYSICS_FUNCTION REAL arc_shortfall(REAL y) {
  REAL above = FMA(FMA(R(2.486736145e-05), y, R(2.419033003e-03)), y, R(3.995084552e-02));
  above = FMA(FMA(above, y, R(1.647733644e-01)), y, R(1.666654359e-01));
  REAL below = FMA(FMA(R(2.903859029e-05), y, R(3.749819538e-03)), y, R(8.946654211e-02));
  below = FMA(FMA(FMA(below, y, R(6.195526355e-01)), y, R(1.438554209)), y, R(1.0));
  return y * above * RECIPROCAL(below);
}
/* The same up to y = 2.25, k t = 2.4, in half the operations: 2.0e-8. */
PHYSICS_FUNCTION REAL arc_above_near(REAL y) {
  return y * FMA(FMA(R(1.377605745e-02), y, R(1.232285649e-01)), y, R(1.666656588e-01));
}
PHYSICS_FUNCTION REAL arc_below_near(REAL y) {
  return FMA(FMA(FMA(R(2.016106979e-02), y, R(3.504451138e-01)), y, R(1.189281038)), y, R(1.0));
}
PHYSICS_FUNCTION REAL arc_shortfall_near(REAL y) {
  return arc_above_near(y) * RECIPROCAL(arc_below_near(y));
}
/* ARC_NEAR(a, y) + ARC_NEAR(b, z) - shift with one reciprocal for both. */
PHYSICS_FUNCTION REAL arc_sum_near(REAL a, REAL y, REAL b, REAL z, REAL shift) {
  REAL below_y = arc_below_near(y), below_z = arc_below_near(z);
  REAL shortfall = FMA(a * arc_above_near(y), below_z, b * arc_above_near(z) * below_y) * RECIPROCAL(below_y * below_z);
  return (a + (b - shift)) - shortfall;
}
#else
#define ARC_NEAR(root, y) ARC(root, y)
#define arc_sum_near(a, y, b, z, shift) (ARC(a, y) + (ARC(b, z) - (shift)))
#endif

PHYSICS_FUNCTION REAL leg_time_linear(REAL q, REAL c2) {
  return ARC(ROOT(q), c2 * q);
}

/* Where c2 q is at most 2.25. */
PHYSICS_FUNCTION REAL leg_time_linear_near(REAL q, REAL c2) {
  return ARC_NEAR(ROOT(q), c2 * q);
}

/* Two legs less a shift. */
PHYSICS_FUNCTION REAL leg_sum_linear_near(REAL q_source, REAL q_receiver, REAL c2, REAL shift) {
  return arc_sum_near(ROOT(q_source), c2 * q_source, ROOT(q_receiver), c2 * q_receiver, shift);
}

/* k d e^(-k t1)/(V0^2 sinh(k t)) = d s2/sqrt(q (1 + c2 q)) */
PHYSICS_FUNCTION REAL leg_slope_linear(REAL d_axis, REAL s2, REAL q, REAL c2) {
  return d_axis * (s2 * RSQRT(q * FMA(c2, q, R(1.0))));
}

/* ---- vti (Fomel 2004): H = base + d2 s2, t^2 = H + a (sqrt(H^2 + b d2) - H) ---- */

PHYSICS_FUNCTION REAL leg_squared_vti(REAL base, REAL d2, REAL s2, REAL a, REAL b) {
  REAL h = FMA(d2, s2, base);
  return FMA(a, ROOT(FMA(h, h, b * d2)) - h, h);
}

/* d(t^2)/d(d2) = s2 + a ((H s2 + b/2)/sqrt(H^2 + b d2) - s2) */
PHYSICS_FUNCTION REAL leg_slope_vti(REAL d_axis, REAL base, REAL d2, REAL s2, REAL a, REAL b, REAL inv_t) {
  REAL h = FMA(d2, s2, base);
  REAL growth = FMA(h, s2, b * R(0.5)) * RSQRT(FMA(h, h, b * d2));
  return d_axis * inv_t * FMA(a, growth - s2, s2);
}

/* ---- vti_rational (Alkhalifah & Tsvankin 1995): t^2 = T + D - a D^2/(T + (1 + a) D), T = base, D = d2 s2, a = 2 eta ---- */

PHYSICS_FUNCTION REAL leg_squared_vti_rational(REAL base, REAL d2, REAL s2, REAL a) {
  REAL d2s2 = d2 * s2, share = d2s2 * RECIPROCAL(FMA(a, d2s2, base + d2s2));
  return FMA(d2s2, FMA(-a, share, R(1.0)), base);
}

PHYSICS_FUNCTION REAL leg_slope_vti_rational(REAL d_axis, REAL base, REAL d2, REAL s2, REAL a, REAL inv_t) {
  REAL d2s2 = d2 * s2, inverse = RECIPROCAL(FMA(a, d2s2, base + d2s2));
  return d_axis * (s2 * inv_t) * FMA(-a * (d2s2 * inverse), FMA(base, inverse, R(1.0)), R(1.0));
}

/* Argument of the aperture taper, clamped to [0, 1]: (d - A(1-f)) / (f A). inv_f = 1/f. */
PHYSICS_FUNCTION REAL taper_argument(REAL distance, REAL inv_radius, REAL inv_f) {
  return MIN(MAX(FMA(FMA(distance, inv_radius, R(-1.0)), inv_f, R(1.0)), R(0.0)), R(1.0));
}

/* The part of a true amplitude weight that depends on the trace; inv_s, inv_r: inverse leg times, each leg at least one input
 * interval. For spreading-corrected data; raw data are weighted by t = t_s + t_r more (docs/physics.md "Weights").
 * In 3D 1/t_s^2 + 1/t_r^2. */
PHYSICS_FUNCTION REAL true_amplitude_3d(REAL inv_s, REAL inv_r) {
  return FMA(inv_s, inv_s, inv_r * inv_r);
}

/* In 2.5D (t_s^2 + t_r^2)/(sqrt(t) (t_s t_r)^(3/2)). */
PHYSICS_FUNCTION REAL true_amplitude_2d(REAL inv_s, REAL inv_r, REAL t) {
  return true_amplitude_3d(inv_s, inv_r) * RSQRT(inv_s * inv_r * t);
}

/* Cosine of the angle between two rays that are inclined to the vertical by angles of sines a and b (v_int times the leg's
 * slope, at most 1); c: cosine of the angle between their azimuths. */
PHYSICS_FUNCTION REAL opening_cosine(REAL a, REAL b, REAL c) {
  return FMA(a * b, c, SQRT(MAX((R(1.0) - a * a) * (R(1.0) - b * b), R(0.0))));
}

/* log2(x) of x = mantissa * 2^exponent, mantissa in [1, 2), within 0.008; continuous, exact at powers of two. */
PHYSICS_FUNCTION REAL octaves(REAL exponent, REAL mantissa) {
  return FMA(mantissa + R(-1.0), FMA(R(2.0) - mantissa, R(0.34), R(1.0)), exponent);
}

/* Place in a filter bank of copies 0 .. last: copies floor(place) and the next are blended by its fraction. octaves of
 * half-width T over the input interval, at least 0; per_octave: copies an octave. */
PHYSICS_FUNCTION REAL filter_bank_place(REAL octaves_of_width, REAL per_octave, REAL last) {
  return MIN(octaves_of_width * per_octave, last);
}

/* Half-width of the antialias triangle in samples: factor*spacing*max(|p_x|, |p_y|), p = p_s + p_r. */
PHYSICS_FUNCTION REAL triangle_half_width(REAL px, REAL py, REAL spacing) {
  return spacing * MAX(ABS(px), ABS(py));
}

#endif
