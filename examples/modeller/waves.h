/* waves.h - acoustic waves in a vertical plane by finite differences.
 *
 *   dv/dt = -(1/rho) grad p        dp/dt = -rho c^2 (div v - s)                    s: the source, at one node
 *
 * on a staggered grid, eighth order in space (Taylor coefficients), second in time; what leapfrog in time does to frequencies is
 * taken back afterwards (warp.h). All four edges absorb: convolutional perfectly matched layers (Komatitsch & Martin,
 * Geophysics 72, SM155, 2007), so there is no free surface, no ghost and no surface multiple.
 *
 * A line source whose s is the half-integral of a wavelet g gives p = g(t - r/c) / (2 sqrt(2 pi r/c)) far away: a reflector
 * records g itself, as a 3D survey does.
 */
#ifndef MODELLER_WAVES_H
#define MODELLER_WAVES_H

#include "earth.h"

/* The grid of one earth: what all shots share. */
typedef struct medium {
  size_t nx, nz;          /* nodes with absorbing strips and halo */
  double h, dt;           /* m, s */
  float *stiffness;       /* [nz, nx] dt rho c^2 / h at nodes */
  float *ease_x, *ease_z; /* [nz, nx] dt / (rho h), half a node to the right, half below */
  float *decay, *gain;    /* [strip] of the absorbing layers at whole nodes, from their inner edge on */
  float *decay_half, *gain_half;
} medium;

/* dt of all media of a survey: stable for the fastest rock. Stops with words where the grid cannot carry the wavelet. */
double waves_step(const earth *earth, const survey *survey);
medium medium_create(const earth *earth, double spacing, double dt, double peak_hz);
void medium_release(medium *medium);

/* One shot: p at the receivers of [n] x, z = 0, after every step, into record [n_steps, n]: sample k is at (k+1)*dt. source
 * [n_steps]: s at (k+1/2)*dt. Shot and receivers lie on nodes. */
void waves_shoot(const medium *medium, double shot_x, const double *receiver_x, size_t n, const double *source, size_t n_steps,
                 float *record);

#endif
