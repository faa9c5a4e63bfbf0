/* grid_json.h - a grid as the JSON object that image files carry, and grids of files that carry none. */
#ifndef MOHO_SURVEY_GRID_JSON_H
#define MOHO_SURVEY_GRID_JSON_H

#include "moho/grid.h"
#include "survey/zarr_store.h"

/* All members, exactly; NULL when out of memory. */
json_t *moho_grid_to_json(const moho_grid *grid);

/* file: for errors. The grid is checked. */
moho_status moho_grid_from_json(const json_t *json, const char *file, moho_grid *out);

/* From coordinates and positions, for groups that others wrote. MOHO_ERROR_FORMAT where the nodes are no regular lattice. */
moho_status moho_grid_from_cube(const moho_zarr_cube *cube, const char *file, moho_grid *out);

#endif
