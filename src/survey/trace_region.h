/* trace_region.h - how far a midpoint is from the nodes of a window of a grid.
 */
#ifndef MOHO_SURVEY_TRACE_REGION_H
#define MOHO_SURVEY_TRACE_REGION_H

#include "survey/trace_store.h"

/* A rectangle, its sides possibly 0, in any direction; or a polyline. */
typedef struct moho_region {
  int everywhere;
  double margin_m;
  double x, y;                  /* a corner */
  double ux, uy, along, across; /* direction of one side, length of it and of the other (to the left: -uy, ux) */
  size_t n_points;              /* > 0: a polyline */
  double *point_x, *point_y;
} moho_region;

/* region NULL: everywhere. MOHO_ERROR_RANGE: a window not inside its grid, a margin that is no length. */
moho_status moho_region_create(const moho_trace_region *region, moho_region *out);
void moho_region_release(moho_region *region);
/* 1 when the point is in the region, or within more_m of it. */
int moho_region_has(const moho_region *region, double x, double y, double more_m);

#endif
