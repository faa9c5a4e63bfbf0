/* coarse_grid.h - every so-manieth column and time of a grid. */
#ifndef MOHO_JOB_COARSE_GRID_H
#define MOHO_JOB_COARSE_GRID_H

#include "moho/grid.h"

/* Nodes (0, 0), (columns, 0) ...: positions, numbers and times are those of the full grid. The caller releases it. */
moho_status moho_grid_coarsen(const moho_grid *grid, size_t columns, size_t times, moho_grid *out);

#endif
