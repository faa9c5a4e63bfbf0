/* offset_class.h - classes of |offset| and the midpoint spacing of each (docs/physics.md "Image, contribution, fold").
 *
 * Without gather bins a class is a bin of |offset| as wide as the survey's median offset step. Its spacing is
 * sqrt(covered area / its traces), along a line length / its traces (midpoint_area.h); live traces only.
 */
#ifndef MOHO_MIGRATE_OFFSET_CLASS_H
#define MOHO_MIGRATE_OFFSET_CLASS_H

#include "moho/grid.h"

typedef struct moho_offset_classes {
  double first_m, width_m; /* class c holds |offset| in [first + c*width, first + (c+1)*width) */
  size_t n;
  double *spacing_m; /* [n]; a class of fewer than 3 traces, or all at one place, has the nearest class's */
  size_t *traces;    /* [n] */
} moho_offset_classes;

moho_status moho_offset_classes_create(const moho_geometry *geometry, const moho_grid *grid, moho_offset_classes *out);
void moho_offset_classes_release(moho_offset_classes *classes);
/* Class of an offset, clamped to [0, n). */
size_t moho_offset_class_of(const moho_offset_classes *classes, double offset_m);

#endif
