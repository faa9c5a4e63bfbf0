/* adjoint_slabs.h - the image of a demigration cut into slabs: rectangles of tiles, in an order that the grid alone settles.
 *
 * A trace's sums are those of its slabs in this order, so that an image in memory and one that is read slab by slab give the same
 * bits. Slabs go in strips of four rows of tiles, which are the rows of a chunk of image.zarr; within a strip block by block
 * across, each from its first row to its last: what is read of the chunks for one slab serves the next ones too.
 */
#ifndef MOHO_MIGRATE_ADJOINT_SLABS_H
#define MOHO_MIGRATE_ADJOINT_SLABS_H

#include "migrate/tile_plan.h"

typedef struct moho_adjoint_slabs {
  size_t down, across; /* tiles a slab, at most */
  size_t n;
} moho_adjoint_slabs;

/* Tiles [first_inline, first_inline + n_inline) x [first_crossline, ...), as tiles of the plan. */
typedef struct moho_adjoint_slab {
  size_t first_inline, n_inline, first_crossline, n_crossline;
} moho_adjoint_slab;

/* most: tiles that a slab may have. Fewer make slabs no longer along any side. */
moho_adjoint_slabs moho_adjoint_slabs_make(const moho_tile_plan *plan, size_t most);
moho_adjoint_slab moho_adjoint_slabs_slab(const moho_adjoint_slabs *slabs, const moho_tile_plan *plan, size_t index);
/* Its columns, of `whole`, which the plan is of. */
moho_window moho_adjoint_slab_window(const moho_adjoint_slab *slab, const moho_tile_plan *plan, const moho_window *whole);
/* Tile k of the slab; its columns as of `whole`. */
moho_tile moho_adjoint_slab_tile(const moho_adjoint_slab *slab, const moho_tile_plan *plan, const moho_window *whole, size_t k);

#endif
