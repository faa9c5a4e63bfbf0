/* class_places.h - how many traces of an offset class share a midpoint, so that each can be given its part of the ground.
 *
 * Midpoints in one cell of 1 m are one place. Most places of a class have the same hits (one, or one an azimuth); the others
 * are kept in a list.
 */
#ifndef MOHO_MIGRATE_CLASS_PLACES_H
#define MOHO_MIGRATE_CLASS_PLACES_H

#include "migrate/midpoint_area.h"

typedef struct moho_midpoint_place {
  double x, y; /* cell */
  size_t hits;
} moho_midpoint_place;

typedef struct moho_class_places {
  double first_x, first_y;     /* that cells are counted from */
  size_t n, usual;             /* places; hits of most of them */
  moho_midpoint_place *others; /* [n_others] with other hits, ascending */
  size_t n_others;
} moho_class_places;

/* scratch [n]. */
moho_status moho_class_places_create(const moho_point *points, size_t n, moho_point *scratch, moho_class_places *out);
void moho_class_places_release(moho_class_places *places);

size_t moho_class_places_hits(const moho_class_places *places, moho_point at);

#endif
