/* ray_fan.h - exact leg times in a velocity v(z) that depends on depth alone: first arrivals of a fan of rays from the surface.
 *
 * Between nodes the velocity is linear in depth, so that every ray is a chain of circular arcs in closed form. A ray of
 * parameter p gives, at every depth that it passes on its way down and, after its turning point, up again, a distance X, a time T
 * and the slope dT/dX = p; between neighbouring rays T^2 is a cubic of X^2 with those values and slopes.
 */
#ifndef MOHO_MIGRATE_RAY_FAN_H
#define MOHO_MIGRATE_RAY_FAN_H

#include "moho/status.h"

#include <stddef.h>

typedef struct moho_ray_medium {
  size_t n;            /* nodes, the first at the surface */
  const double *t0_s;  /* [n] two-way vertical times, ascending from 0 */
  const double *v_mps; /* [n] interval velocities there */
  size_t n_samples;
  const size_t *nodes; /* [n_samples] ascending: the nodes whose times are wanted */
} moho_ray_medium;

/* t2: squared leg times in s2, [n_d], of sample `sample`. */
typedef void (*moho_ray_row_function)(void *to, size_t sample, const double *t2);

/**
 * First arrivals from the surface at horizontal distances sqrt(d2[j]), ascending, at every sample, in ascending order.
 * Beyond the last ray that turns within the medium the time grows along that ray's slope; where nothing turns, T^2 along its
 * last slope in X^2.
 * @param tolerance_s  about what a time may err by: it says how many rays there are
 * @return MOHO_OK; MOHO_ERROR_MEMORY. Cost: about 20 ns a ray and node. Accuracy: tests/migrate/test_leg_time_table.c
 */
moho_status moho_ray_fan_times(const moho_ray_medium *medium, double tolerance_s, size_t n_d, const double *d2,
                               moho_ray_row_function row, void *to);

#endif
