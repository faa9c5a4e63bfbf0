/* scan_picks.h - picks through a semblance panel, and their smoothing in time and across locations. */
#ifndef MOHO_MIGRATE_SCAN_PICKS_H
#define MOHO_MIGRATE_SCAN_PICKS_H

#include "migrate/semblance.h"

typedef struct moho_scan_pick_limits {
  double slope; /* largest change of the factor, per image sample */
  double least; /* semblance of picks that count */
  size_t wide;  /* picks to each side whose power is compared */
} moho_scan_pick_limits;

/*
 * The path of factors, one a time, along which the semblance adds up to most, changing by at most `slope`: found by dynamic
 * programming, each pick then refined by the parabola through its neighbours. The weight of a pick is the square root of (its
 * semblance above `least` times the sharpness of its maximum), times its power over the strongest within `wide` (the ends of
 * apertures leave weak events of their own), times the square of its power over the strongest that overlaps it (at an event's
 * rim stretched lobes lean to one side); 0 at the ends of the range, where the maximum may lie beyond (counted).
 * picked, semblance, weight [n_times].
 */
moho_status moho_scan_pick(const moho_semblance_axes *axes, const float *panel, const float *power,
                           const moho_scan_pick_limits *limits, float *picked, float *semblance, float *weight, size_t *at_limit);

/*
 * Weighted mean of picks [n_inline, n_crossline, n_time] under a Gaussian of these standard deviations (in steps of each axis).
 * Where no weight is near, wider Gaussians (twice, four times ...) count a hundredth each: the nearest reliable picks decide.
 * MOHO_ERROR_NOT_FOUND when no pick has weight.
 */
moho_status moho_scan_smooth(const size_t shape[3], const double sigma[3], const float *picked, const float *weight,
                             float *smooth);

/* Takes the weight of picks that are farther from the smoothed factor than `most` times the (weighted) median distance of all;
 * *lost: how many. */
moho_status moho_scan_drop_outliers(size_t n, double most, const float *picked, const float *smooth, float *weight, size_t *lost);

#endif
