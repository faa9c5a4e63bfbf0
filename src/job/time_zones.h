/* time_zones.h - parts of an image's time axis that need only every second, fourth or eighth sample, and the way back.
 *
 * A zone with f_max below 0.8 of the Nyquist frequency of a step takes that step: its traces are low-passed between the two, and
 * a windowed sinc of 32 samples brings the image back to the uniform axis.
 */
#ifndef MOHO_JOB_TIME_ZONES_H
#define MOHO_JOB_TIME_ZONES_H

#include "moho/image.h"

enum { MOHO_MOST_ZONES = 8 };

typedef struct moho_time_zone {
  size_t first, end;  /* samples of the uniform axis that it is responsible for */
  size_t factor;      /* 1, 2, 4, 8: its step in them */
  size_t origin, n;   /* computed: n samples from sample `origin` on, factor apart; more than [first, end) for the way back */
  double high_cut_hz; /* of its traces; 0: none (factor 1) */
} moho_time_zone;

/* f_max_hz: of every sample of the axis. Returns how many zones there are, in ascending time. */
size_t moho_time_zones_make(const moho_grid *grid, const double *f_max_hz, moho_time_zone zones[MOHO_MOST_ZONES]);
/* The zone's own time axis; columns as in `grid`. The caller releases it. */
moho_status moho_time_zone_grid(const moho_time_zone *zone, const moho_grid *grid, moho_grid *out);
/* Zones' images onto the uniform axis of `image`, with its gathers where it has them; across a border over 16 samples from one
 * into the other. Fold: that of the nearest sample computed. */
moho_status moho_time_zones_join(const moho_time_zone *zones, const moho_image *parts, size_t n, moho_image *image);

#endif
