/* residual_moveout.h - where an event of an image gather would lie had the velocity been another.
 *
 * Derivation, for the straight law with one-way time tau = t0/2. The double square root
 *
 *   t = l_s + l_r,   l_s^2 = tau^2 + (y + h)^2/v^2,   l_r^2 = tau^2 + (y - h)^2/v^2        (y: midpoint - image point)
 *
 * holds along an event, and the image's slope is that of the surface: tau_x = t_y/t_tau. The data stay, v changes: the image
 * follows d(tau)/dv = -t_v/t_tau. With a = l_r/t, b = l_s/t (a + b = 1), A = y + h, B = y - h:
 *
 *   tau*v^3 * d(tau)/dv = a*A^2 + b*B^2 = (a*A + b*B)^2 + a*b*(A - B)^2 = (v^2*tau*tau_x)^2 + 4ab*h^2
 *
 * The first term is the same at every offset: it moves a dipping reflector, and needs the next migration. The second bends the
 * gather. l_s^2 - l_r^2 = 4yh/v^2 gives 4ab = 1 - (4yh/(v^2 t^2))^2: 1 for a flat event, and for a dip theta about
 * 1 - (h sin(theta) cos(theta)/(v tau))^2, so near offsets bend alike at any dip (30 degrees, h = z/2: 5 % less). With 4ab = 1,
 * tau*d(tau) = h^2 dv/v^3 integrates to tau^2 + h^2/v^2 = constant, in two-way times
 *
 *   t0^2(h) + 4h^2/v^2 = T0^2 + 4h^2/v'^2:     both sides are the square of the data time of a flat event.
 *
 * In this form it holds for v(t0) and every law whose leg depends on distance/velocity (all of Moho's do: multiplying every
 * velocity by f is dividing distances by f): 2*leg(h, t0) = 2*leg(h/f, T0). tests/migrate/test_residual_moveout.c checks it by
 * migrating flat and dipping reflectors.
 */
#ifndef MOHO_MIGRATE_RESIDUAL_MOVEOUT_H
#define MOHO_MIGRATE_RESIDUAL_MOVEOUT_H

#include "migrate/travel_time.h"

/* What a column was migrated with: its law's legs at every sample. */
typedef struct moho_moveout_column {
  const moho_travel_law *law;
  moho_travel_column at; /* owned */
} moho_moveout_column;

/* For the columns of a law, filled one after another with moho_travel_column_fill(). */
moho_status moho_moveout_column_create(const moho_travel_law *law, moho_moveout_column *out);
void moho_moveout_column_release(moho_moveout_column *column);
moho_status moho_moveout_column_fill(moho_moveout_column *column, double x_m, double y_m);

/* Times of a leg at horizontal distance d for every sample, in samples, made non-decreasing (an event cannot come from before
 * one above it). */
void moho_moveout_legs(const moho_moveout_column *column, double distance_m, double *legs);
/* The same where every sample has its own factor of the velocity: distance d/factor[k]. */
void moho_moveout_legs_of_factors(const moho_moveout_column *column, double distance_m, const double *factor, double *legs);

/* For every sample T0 of `trial` (legs at h/f) the sample t0, with its fraction, at which `legs` (at h) has the same time: -1
 * before the first sample, n past the last. */
void moho_moveout_places(size_t n, const double *legs, const double *trial, float *place);

/* Catmull-Rom in a trace of n samples; NaN where a sample that it needs is missing or the place outside. */
float moho_moveout_sample(const float *trace, size_t n, float place);

/* First sample from which on 2*leg(h, T0) <= (1 + stretch)*T0 holds. */
size_t moho_moveout_first(const moho_moveout_column *column, const double *legs, double stretch);

#endif
