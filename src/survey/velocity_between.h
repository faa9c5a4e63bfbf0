/* velocity_between.h - which velocity functions a place is interpolated from, and with which weights.
 *
 * Functions on a complete lattice (any azimuth, uneven steps too): bilinear. On one line: linear along it. Scattered: Delaunay
 * triangles. Outside: the nearest place inside. Immutable, thread safe.
 */
#ifndef MOHO_SURVEY_VELOCITY_BETWEEN_H
#define MOHO_SURVEY_VELOCITY_BETWEEN_H

#include "moho/grid.h"
#include "survey/velocity_triangles.h"

typedef struct moho_between moho_between;

/* Positions along two perpendicular axes: u = (x - x0)*u_x + (y - y0)*u_y, v likewise. */
typedef struct moho_frame {
  double x0, y0, u_x, u_y, v_x, v_y;
} moho_frame;

/* The frame of a grid: u = node index i, v = node index j (straight grids). */
moho_frame moho_frame_of_grid(const moho_grid *grid);

/**
 * Functions at (x, y), all different (MOHO_ERROR_ARGUMENT; see moho_points_find_equal). Where frame is given with the
 * functions' own u and v in it (numbers, so free of rounding), a lattice is looked for there, else in the positions. COPY.
 */
moho_status moho_between_create(size_t n, const double *x, const double *y, const moho_frame *frame, const double *u,
                                const double *v, moho_between **out);

/* Functions at nodes `position` (fractional crossline index) of a crooked line: linear along the line. COPY. */
moho_status moho_between_create_along(size_t n, const double *position, const moho_grid *line, moho_between **out);

void moho_between_destroy(moho_between **between);

moho_weights moho_between_at(const moho_between *between, double x, double y);

/* "lattice 3 x 4", "line", "scattered", "one function". */
const char *moho_between_describe(const moho_between *between);

#endif
