/* midpoint_area.h - how densely a set of midpoints covers the ground. */
#ifndef MOHO_MIGRATE_MIDPOINT_AREA_H
#define MOHO_MIGRATE_MIDPOINT_AREA_H

#include <math.h>

#include "base/fail.h"

typedef struct moho_point {
  double x, y;
} moho_point;

/* The cell of 1 m that a coordinate lies in, counted from `first`. Cells begin off the round numbers on which lattices lie, where
 * rounding errors would deal the points of one node to two cells. */
static inline double moho_midpoint_cell(double coordinate, double first) {
  return floor(coordinate - first + 0.3217);
}

/* Convex hull of n points, which are sorted and replaced by the hull's corners, counter-clockwise; scratch [n + 1].
 * Returns how many corners there are (Andrew 1979, monotone chain). */
size_t moho_convex_hull(moho_point *points, size_t n, moho_point *scratch);

/*
 * sqrt(covered area / n), 0 when the points do not say (fewer than two places).
 *
 * Covered: the hull grown by half the distance s between neighbouring places, with square corners, so that an n x n lattice
 * of spacing s covers (n s)^2 and a row of n covers n s * s. Hull of area A and circumference P over N places:
 *   N s^2 = A + P s/2 + s^2
 * Points of one lattice node share a place (a cell of 1 m): m of them make the spacing s/sqrt(m). points are reordered;
 * scratch [n + 1].
 */
double moho_midpoint_spacing(moho_point *points, size_t n, moho_point *scratch);

/*
 * The same from the density where most of the points are, for a survey with gaps or hollows, which a hull covers too: the median
 * density about up to 512 of the points, each within six times `guess`. On lattices, also of 1 : 4 spacings, within 0.2 %; a
 * strip narrower than that looks sparser than it is.
 */
moho_status moho_local_spacing(const moho_point *points, size_t n, double guess, double *out);

/* Along a line, from positions along it (sorted here): (covered length + one spacing) / n; 0 as above. Gaps, steps of more than
 * five times the mean of those that are none, are not covered. scratch [n]. */
double moho_line_spacing(double *positions, size_t n, double *scratch);

#endif
