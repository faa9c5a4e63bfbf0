/* block_plan.h - a grid cut into blocks of columns, each migrated by itself.
 *
 * A block is a rectangle of columns whose edges lie on the chunks of the image's file, so that it writes whole chunks. Strips
 * along the crosslines are cut into blocks of equal expected contributions that memory can hold; strip after strip is walked
 * there and back, so that a block shares most of its border's traces with the one before it.
 *
 * Expected contributions of a cell of the lattice: the live midpoints around it, each by how much of an aperture that grows
 * with time reaches the cell's middle, times its columns.
 */
#ifndef MOHO_JOB_BLOCK_PLAN_H
#define MOHO_JOB_BLOCK_PLAN_H

#include "moho/grid.h"

typedef struct moho_block_request {
  const moho_grid *grid;
  const moho_geometry *geometry;            /* of the survey */
  double reach_m;                           /* the largest aperture */
  size_t lattice_inline, lattice_crossline; /* block edges are multiples of these, or the grid's ends */
  size_t most_columns;                      /* of a block: what memory holds; at least one cell of the lattice */
  size_t least_blocks;                      /* wanted, about */
} moho_block_request;

typedef struct moho_block_plan {
  size_t n;
  moho_window *windows; /* [n] in the order of the run */
  double *share;        /* [n] of all expected contributions */
  double *traces;       /* [n] live traces within reach, expected */
  size_t most_columns;  /* of the largest block */
} moho_block_plan;

/* @return MOHO_ERROR_TOO_LARGE: one cell of the lattice has more than most_columns; MOHO_ERROR_MEMORY
 * Cost: a pass over at most a million traces; seconds for millions of traces and columns (tests/job/test_block_plan.c) */
moho_status moho_block_plan_make(const moho_block_request *request, moho_block_plan *out);
void moho_block_plan_release(moho_block_plan *plan);

#endif
