/* adjoint_slabs.c - which tiles a slab has. */
#include "migrate/adjoint_slabs.h"

#include "base/memory.h"

enum { STRIP = 4 }; /* rows of tiles */

static size_t slabs_of_strip(const moho_adjoint_slabs *slabs, const moho_tile_plan *plan, size_t rows) {
  return moho_pieces(plan->tiles_crossline, slabs->across) * moho_pieces(rows, slabs->down);
}

moho_adjoint_slabs moho_adjoint_slabs_make(const moho_tile_plan *plan, size_t most) {
  moho_adjoint_slabs slabs = {.down = STRIP, .across = moho_smaller(most ? most : 1, plan->tiles_crossline)};
  while (slabs.down > 1 && slabs.down * slabs.across > most) slabs.down /= 2;
  size_t strips = plan->tiles_inline / STRIP, rest = plan->tiles_inline % STRIP;
  slabs.n = strips * slabs_of_strip(&slabs, plan, STRIP) + (rest ? slabs_of_strip(&slabs, plan, rest) : 0);
  return slabs;
}

moho_adjoint_slab moho_adjoint_slabs_slab(const moho_adjoint_slabs *slabs, const moho_tile_plan *plan, size_t index) {
  size_t a_strip = slabs_of_strip(slabs, plan, STRIP), strip = index / a_strip, first = strip * STRIP;
  size_t rows = moho_smaller(STRIP, plan->tiles_inline - first), groups = moho_pieces(rows, slabs->down);
  size_t group = index % a_strip % groups, block = index % a_strip / groups;
  moho_adjoint_slab slab = {.first_inline = first + group * slabs->down, .first_crossline = block * slabs->across};
  slab.n_inline = moho_smaller(slabs->down, first + rows - slab.first_inline);
  slab.n_crossline = moho_smaller(slabs->across, plan->tiles_crossline - slab.first_crossline);
  return slab;
}

moho_window moho_adjoint_slab_window(const moho_adjoint_slab *slab, const moho_tile_plan *plan, const moho_window *whole) {
  size_t i = slab->first_inline * plan->side_inline, j = slab->first_crossline * plan->side_crossline;
  return (moho_window){.inline_first = whole->inline_first + i,
                       .n_inline = moho_smaller(slab->n_inline * plan->side_inline, whole->n_inline - i),
                       .crossline_first = whole->crossline_first + j,
                       .n_crossline = moho_smaller(slab->n_crossline * plan->side_crossline, whole->n_crossline - j)};
}

moho_tile moho_adjoint_slab_tile(const moho_adjoint_slab *slab, const moho_tile_plan *plan, const moho_window *whole, size_t k) {
  size_t i = slab->first_inline + k / slab->n_crossline, j = slab->first_crossline + k % slab->n_crossline;
  return moho_tile_plan_tile(plan, whole, i * plan->tiles_crossline + j);
}
