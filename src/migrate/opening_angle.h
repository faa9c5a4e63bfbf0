/* opening_angle.h - the angle at an image point between the ray to the source and the ray to the receiver, and its bin.
 *
 * A leg of slope p in a layer of velocity v_int is inclined by asin(v_int p) to the vertical (docs/physics.md "Travel-time
 * laws"); the angle follows from both inclinations and the azimuths of the legs. It is decided in double, as the fold is, for
 * the reference and for the runs.
 */
#ifndef MOHO_MIGRATE_OPENING_ANGLE_H
#define MOHO_MIGRATE_OPENING_ANGLE_H

#include "migrate/travel_time.h"

typedef struct moho_opening_angles {
  size_t n;       /* bins */
  double *limits; /* [n + 1] cosines of the edges, descending, each a little wider; of the edge 0 above 1 */
  float *edges;   /* [MOHO_ANGLE_EDGE_ROWS, edge_stride] what the fast pass reads of them (angle_kernel.h) */
  size_t edge_stride;
} moho_opening_angles;

/* Of bins by angle; others give none. */
moho_status moho_opening_angles_create(const moho_gather_bins *bins, moho_opening_angles *out);
void moho_opening_angles_release(moho_opening_angles *angles);

/* v_int * dt of a column's samples: times a slope (samples/m) the sine of the leg's inclination. @return as
 * moho_velocity_interval() */
moho_status moho_opening_velocity(const moho_travel_law *law, double x_m, double y_m, double *v_dt);

/* The bin of a cosine; -1 outside all. */
static inline long moho_opening_bin(const moho_opening_angles *angles, double cosine) {
  if (!(cosine <= angles->limits[0]) || cosine <= angles->limits[angles->n]) return -1;
  size_t low = 0, high = angles->n;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (cosine <= angles->limits[middle]) low = middle;
    else high = middle;
  }
  return (long)low;
}

/* A trace as a column sees it: how far source and receiver are, and the cosine of the angle between them on the ground. */
typedef struct moho_opening_pair {
  double source, receiver, cosine;
} moho_opening_pair;

static inline moho_opening_pair moho_opening_pair_of(const double source[2], const double receiver[2]) {
  moho_opening_pair pair = {.source = sqrt(source[0] * source[0] + source[1] * source[1]),
                            .receiver = sqrt(receiver[0] * receiver[0] + receiver[1] * receiver[1])};
  double product = pair.source * pair.receiver;
  pair.cosine = product > 0 ? (source[0] * receiver[0] + source[1] * receiver[1]) / product : 1;
  return pair;
}

/* At sample i; t_s, t_r of moho_leg_time(). */
static inline double moho_opening_cosine(const moho_travel_law *law, const moho_travel_column *column, const double *v_dt,
                                         const moho_opening_pair *pair, const moho_leg *source, const moho_leg *receiver,
                                         size_t i, double t_s, double t_r) {
  double a = fabs(v_dt[i] * moho_leg_slope(law, column, source, i, pair->source, t_s));
  double b = fabs(v_dt[i] * moho_leg_slope(law, column, receiver, i, pair->receiver, t_r));
  return opening_cosine(MIN(a, 1.0), MIN(b, 1.0), pair->cosine);
}

#endif
