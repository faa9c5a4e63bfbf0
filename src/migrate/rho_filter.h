/* rho_filter.h - the rho filter's response, defined once for the float path and the double reference.
 *
 * docs/physics.md "Rho filter", in the convention u(t) = sum U e^{+iwt}:
 *   3D  -d/dt, H = -iw;   2D  the anticausal half-derivative, H = sqrt(|w|) e^{-i pi/4 sgn w};   none  H = 1
 * 2D and 3D are multiplied by a cosine roll-off from MOHO_RHO_ROLL_OFF of the Nyquist frequency to zero at it.
 */
#ifndef MOHO_MIGRATE_RHO_FILTER_H
#define MOHO_MIGRATE_RHO_FILTER_H

#include "moho/migration.h"

#define MOHO_RHO_ROLL_OFF 0.8

/* A multiple of 4 with the prime factors 2, 3 and 5 only, at least twice the trace: the half-derivative's long tail then comes
 * round to the trace's other end from a full trace length away. */
size_t moho_filter_length(size_t n_samples);

/* A filter follows, which would smear a mute's edge: mutes are tapered before. rho must not be auto. */
static inline int moho_trace_is_filtered(const moho_migration_options *options, moho_rho rho) {
  return rho != MOHO_RHO_NONE || options->high_cut_hz > 0;
}

/* H at frequencies k/(length*dt), k = 0 .. length/2: response[k] = {real, imaginary}. rho must not be auto. */
void moho_rho_response(moho_rho rho, size_t length, double dt_s, double (*response)[2]);

/* Times the response of a low-pass: 1 up to 0.8 high_cut_hz, a cosine to 0 at it; 0: none. */
void moho_high_cut_apply(double high_cut_hz, size_t length, double dt_s, double (*response)[2]);

#endif
