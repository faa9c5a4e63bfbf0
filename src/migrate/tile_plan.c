/* tile_plan.c - the image cut into tiles of neighbouring columns. */
#include "migrate/tile_plan.h"

#include "base/memory.h"

enum { LARGEST_SIDE = 8, TILES_PER_THREAD = 8 };

static moho_tile_plan plan_of_side(const moho_window *window, size_t side) {
  size_t in_line = window->n_inline == 1 || window->n_crossline == 1 ? side * side : side;
  moho_tile_plan plan = {.side_inline = moho_smaller(in_line, window->n_inline),
                         .side_crossline = moho_smaller(in_line, window->n_crossline)};
  plan.tiles_inline = moho_pieces(window->n_inline, plan.side_inline);
  plan.tiles_crossline = moho_pieces(window->n_crossline, plan.side_crossline);
  plan.n_tiles = plan.tiles_inline * plan.tiles_crossline;
  return plan;
}

moho_tile_plan moho_tile_plan_make(const moho_window *window, int columns_along_side, int threads) {
  if (columns_along_side > 0) return plan_of_side(window, (size_t)columns_along_side);
  size_t side = LARGEST_SIDE;
  while (side > 2 && plan_of_side(window, side).n_tiles < (size_t)threads * TILES_PER_THREAD) side /= 2;
  return plan_of_side(window, side);
}

moho_tile moho_tile_plan_tile(const moho_tile_plan *plan, const moho_window *window, size_t index) {
  moho_tile tile = {.first_inline = index / plan->tiles_crossline * plan->side_inline,
                    .first_crossline = index % plan->tiles_crossline * plan->side_crossline};
  tile.n_inline = moho_smaller(plan->side_inline, window->n_inline - tile.first_inline);
  tile.n_crossline = moho_smaller(plan->side_crossline, window->n_crossline - tile.first_crossline);
  return tile;
}
