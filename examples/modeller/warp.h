/* warp.h - taking back what steps in time do to frequencies, and resampling, at once.
 *
 * Leapfrog in time replaces w^2 of the wave equation by (4/dt^2) sin^2(w dt/2), exactly and in any medium at rest: what it
 * records at frequency w is the true record at w' = (2/dt) sin(w dt/2). So the record is transformed at w(w') and back at w'
 * (Stork, EAGE 2013; Koene et al., Geophysical Journal International 213, 2018), into samples of any interval.
 */
#ifndef MODELLER_WARP_H
#define MODELLER_WARP_H

#include <stddef.h>

typedef struct warp {
  size_t n_in, n_out;
  float *matrix; /* [n_out, n_in] */
} warp;

/* In: sample k at (k+1)*dt_in - delay. Out: sample k at k*dt_out. Frequencies up to `highest` pass, a fifth more tapers. */
warp warp_create(size_t n_in, double dt_in, double delay, size_t n_out, double dt_out, double highest);
void warp_release(warp *warp);
/* record [n_in, n] -> traces [n, n_out] */
void warp_apply(const warp *warp, const float *record, size_t n, float *traces);

#endif
