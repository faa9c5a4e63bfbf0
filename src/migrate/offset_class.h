/* offset_class.h - classes of |offset| and the midpoint spacing of each (docs/physics.md "Image, contribution, fold").
 *
 * Where gathers sort by offset or tile a class is one of their bins, else a bin of |offset| as wide as the survey's median
 * offset step. Its spacing is
 * sqrt(covered area / its traces), along a line length / its traces (midpoint_area.h); live traces only.
 */
#ifndef MOHO_MIGRATE_OFFSET_CLASS_H
#define MOHO_MIGRATE_OFFSET_CLASS_H

#include "migrate/class_places.h"
#include "moho/gathers.h"

typedef struct moho_offset_classes {
  const moho_gather_bins *bins; /* BORROW; NULL: none of offsets or tiles */
  moho_grid axes;               /* directions only: tells signed offsets and tiles */
  int is_line;                  /* spacings are along a line */
  double first_m, width_m;      /* without bins: class c holds |offset| in [first + c*width, first + (c+1)*width) */
  size_t n;
  double *spacing_m;         /* [n]; a class of fewer than 3 traces, or all at one place, has the nearest class's */
  size_t *traces;            /* [n] */
  moho_class_places *places; /* [n], or NULL until moho_offset_classes_find_places() */
} moho_offset_classes;

/* is_line: spacings along the grid's line; else of an area. bins: of the gathers, kept by the caller as long as the classes;
 * NULL: none. */
moho_status moho_offset_classes_create(const moho_geometry *geometry, const moho_grid *grid, int is_line,
                                       const moho_gather_bins *bins, moho_offset_classes *out);
moho_status moho_offset_classes_find_places(moho_offset_classes *classes, const moho_geometry *geometry);
/* Ground of a trace, m^2, along a line m: what its class covers a place, divided among the traces there. With places only. */
double moho_offset_class_share(const moho_offset_classes *classes, const moho_geometry *geometry, size_t trace);
void moho_offset_classes_release(moho_offset_classes *classes);
/* Class of a trace; one outside all bins has class 0, it takes no part. */
size_t moho_offset_class_of_trace(const moho_offset_classes *classes, const moho_geometry *geometry, size_t trace);
/* Without bins: class of an offset, clamped to [0, n). */
size_t moho_offset_class_of(const moho_offset_classes *classes, double offset_m);

#endif
