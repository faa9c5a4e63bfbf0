/* aperture.h - which image samples a trace contributes to: radius, stretch mute, record, with widened edges.
 *
 * docs/physics.md "Image, contribution, fold" and "Aperture, taper, mutes". Decided in double, once per trace and column.
 * All conditions are written here once, for the reference (sample by sample) and for the fast path (intervals).
 */
#ifndef MOHO_MIGRATE_APERTURE_H
#define MOHO_MIGRATE_APERTURE_H

#include <math.h>
#include <stddef.h>

/* A(t0) before the running maximum: clip(v*t1*tan(dip), min, max). */
static inline double moho_aperture_radius(double v_mps, double t1_s, double tan_dip, double min_m, double max_m) {
  double a = v_mps * t1_s * tan_dip;
  return a < min_m ? min_m : a > max_m ? max_m : a;
}

/* The same along a ray: sin(dip) v_rms^2 t1/sqrt(v_int^2 - v_rms^2 sin^2(dip)); the largest where no such ray comes up. */
static inline double moho_aperture_radius_ray(double v_rms_mps, double v_int_mps, double t1_s, double sin_dip, double min_m,
                                              double max_m) {
  double rest = v_int_mps * v_int_mps - v_rms_mps * v_rms_mps * sin_dip * sin_dip;
  double a = rest > 0 ? sin_dip * v_rms_mps * v_rms_mps * t1_s / sqrt(rest) : t1_s > 0 ? max_m : 0;
  return a < min_m ? min_m : a > max_m ? max_m : a;
}

/* The widened radius: lattice ties count as inside. */
static inline double moho_aperture_widened(double radius_m) {
  return radius_m * (1.0 + 4e-6) + 1e-3;
}

/* Half-width of the band by which the record's ends are widened, in samples. */
static inline double moho_record_band(size_t n_samples) {
  return 4e-6 * (double)n_samples;
}

/* Stretch mute on the zero-dip time, without division: outside when 2*leg(h,t0) > (1+s)*t0 (widened by 4e-6, and by the
 * millionth of a sample that no leg is shorter than). Times in samples. */
static inline double moho_longest_unstretched(double t1, double one_plus_s) {
  return one_plus_s * t1 * (1.0 + 4e-6) + 2e-6;
}
static inline int moho_is_stretched(double t1, double leg, double one_plus_s) {
  return leg > moho_longest_unstretched(t1, one_plus_s);
}

#endif
