/* velocity_triangles.h - Delaunay triangles of scattered points, and the linear weights of their corners at any place. */
#ifndef MOHO_SURVEY_VELOCITY_TRIANGLES_H
#define MOHO_SURVEY_VELOCITY_TRIANGLES_H

#include "base/fail.h"

typedef struct moho_triangles moho_triangles;

/* Points a place is interpolated from: sum of weight = 1, none negative. */
typedef struct moho_weights {
  size_t n, index[4];
  double weight[4];
} moho_weights;

/* Points closer than about 2^-29 of the extent are equal here. Returns 1 and two of them when there are any. */
moho_status moho_points_find_equal(size_t n, const double *x, const double *y, int *found, size_t pair[2]);

/* Triangulate points of which no two are equal and that are not all on one line (MOHO_ERROR_ARGUMENT); COPY. n < 2^30. */
moho_status moho_triangles_create(size_t n, const double *x, const double *y, moho_triangles **out);
void moho_triangles_destroy(moho_triangles **triangles);

/* Inside: the three corners around (x, y); outside: the nearest point of the hull, so the weights are continuous everywhere and
 * constant outside. Thread safe. */
moho_weights moho_triangles_at(const moho_triangles *triangles, double x, double y);

#endif
