/* residual_moveout.c - legs of a flat event on the samples of a gather, and the samples that share a data time. */
#include "migrate/residual_moveout.h"

moho_status moho_moveout_column_create(const moho_travel_law *law, moho_moveout_column *out) {
  *out = (moho_moveout_column){.law = law};
  return moho_travel_column_create(law, &out->at);
}

void moho_moveout_column_release(moho_moveout_column *column) {
  moho_travel_column_release(&column->at);
}

moho_status moho_moveout_column_fill(moho_moveout_column *column, double x_m, double y_m) {
  return moho_travel_column_fill(column->law, x_m, y_m, &column->at);
}

void moho_moveout_legs(const moho_moveout_column *c, double distance_m, double *legs) {
  moho_leg leg = moho_leg_of(c->law, distance_m * distance_m);
  double latest = 0;
  for (size_t k = 0; k < c->law->n; k++) legs[k] = latest = fmax(latest, moho_leg_time(c->law, &c->at, &leg, k));
}

void moho_moveout_legs_of_factors(const moho_moveout_column *c, double distance_m, const double *factor, double *legs) {
  double latest = 0;
  for (size_t k = 0; k < c->law->n; k++) {
    moho_leg leg = moho_leg_of(c->law, distance_m / factor[k] * (distance_m / factor[k]));
    legs[k] = latest = fmax(latest, moho_leg_time(c->law, &c->at, &leg, k));
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
  size_t first = c->law->n;
  for (size_t k = first; k-- > 0; first = k)
    if (legs[k] > (1 + stretch) * (c->law->first_s + (double)k * c->law->step_s) / (2 * c->law->dt_s)) break;
  return first;
}
