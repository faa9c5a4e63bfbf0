/* residual_moveout.c - legs of a flat event on the samples of a gather, and the samples that share a data time. */
#include "migrate/residual_moveout.h"

#include "migrate/real_double.h"

void moho_moveout_legs(const moho_moveout_column *c, double distance_m, double *squared) {
  double d2 = distance_m * distance_m, latest = 0;
  for (size_t k = 0; k < c->n; k++) {
    double t1 = (c->first_s + (double)k * c->step_s) / (2 * c->step_s), slowness = 1 / (c->v_mps[k] * c->step_s);
    double leg = leg_squared_straight(vertical_squared(t1), d2, slowness * slowness);
    latest = MAX(latest, leg);
    squared[k] = latest;
  }
}

void moho_moveout_places(size_t n, const double *legs, const double *trial, float *place) {
  size_t below = 0; /* legs[below] <= trial[k] < legs[below + 1] */
  for (size_t k = 0; k < n; k++) {
    if (trial[k] < legs[0]) {
      place[k] = -1;
      continue;
    }
    while (below + 1 < n && legs[below + 1] <= trial[k]) below++;
    if (below + 1 == n) place[k] = trial[k] > legs[n - 1] ? (float)n : (float)(n - 1);
    else place[k] = (float)((double)below + (trial[k] - legs[below]) / (legs[below + 1] - legs[below]));
  }
}

float moho_moveout_sample(const float *trace, size_t n, float place) {
  if (!(place >= 0) || place > (float)(n - 1)) return NAN;
  size_t k = (size_t)place;
  if (k + 1 >= n) return trace[n - 1];
  size_t before = k ? k - 1 : 0, after = k + 2 < n ? k + 2 : n - 1;
  return (float)interpolate_cubic((double)trace[before], (double)trace[k], (double)trace[k + 1], (double)trace[after],
                                  (double)place - (double)k);
}

size_t moho_moveout_first(const moho_moveout_column *c, const double *legs, double stretch) {
  size_t first = c->n;
  for (size_t k = c->n; k-- > 0; first = k) {
    double t1 = (c->first_s + (double)k * c->step_s) / (2 * c->step_s);
    if (legs[k] > (1 + stretch) * (1 + stretch) * t1 * t1) break;
  }
  return first;
}
