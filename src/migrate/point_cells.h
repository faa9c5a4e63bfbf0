/* point_cells.h - points on the ground in square cells, so that those near a place are found without looking at all. */
#ifndef MOHO_MIGRATE_POINT_CELLS_H
#define MOHO_MIGRATE_POINT_CELLS_H

#include "migrate/midpoint_area.h"

typedef struct moho_point_cells {
  double x, y, size; /* corner of cell (0, 0); about two points a cell */
  long nx, ny;
  size_t *first;      /* [nx*ny + 2] of a cell's points */
  moho_point *points; /* [n] cell by cell */
} moho_point_cells;

/* n > 0. */
moho_status moho_point_cells_create(const moho_point *points, size_t n, moho_point_cells *out);
void moho_point_cells_release(moho_point_cells *cells);

/* Distance of the nearest point; infinite where that is beyond `reach`. */
double moho_point_cells_nearest(const moho_point_cells *cells, double x, double y, double reach);

/* Points an area about a place, weighed by (1 - (d/radius)^2)^2: smooth enough that a lattice does not show in it. */
double moho_point_cells_density(const moho_point_cells *cells, double x, double y, double radius);

#endif
