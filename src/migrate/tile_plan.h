/* tile_plan.h - the image, a window of the grid, cut into tiles of neighbouring columns; indices are the window's. */
#ifndef MOHO_MIGRATE_TILE_PLAN_H
#define MOHO_MIGRATE_TILE_PLAN_H

#include "moho/grid.h"

/* Place of a window's column c, counted [inline, crossline] within it; the very one of the grid. */
static inline void moho_window_node(const moho_grid *grid, const moho_window *window, size_t c, double *x_m, double *y_m) {
  moho_grid_node(grid, window->inline_first + c / window->n_crossline, window->crossline_first + c % window->n_crossline, x_m,
                 y_m);
}

typedef struct moho_tile {
  size_t first_inline, n_inline, first_crossline, n_crossline;
} moho_tile;

typedef struct moho_tile_plan {
  size_t side_inline, side_crossline; /* largest tile */
  size_t tiles_inline, tiles_crossline, n_tiles;
} moho_tile_plan;

/* Tiles of about `columns_along_side` squared columns (0: chosen so that every one of `threads` workers gets several);
 * on a line, as many columns in one row. */
moho_tile_plan moho_tile_plan_make(const moho_window *window, int columns_along_side, int threads);
moho_tile moho_tile_plan_tile(const moho_tile_plan *plan, const moho_window *window, size_t index);

#endif
