/* velocity_mesh.h - the triangles as they lie in memory: built by velocity_triangles.c, asked by velocity_triangles_at.c. */
#ifndef MOHO_SURVEY_VELOCITY_MESH_H
#define MOHO_SURVEY_VELOCITY_MESH_H

#include <stdint.h>

#include "survey/velocity_triangles.h"

enum { GHOST = -1, NONE = -1 };

/* Counter-clockwise corners; neighbour k lies across the edge opposite corner k. A ghost triangle (corner 2 is GHOST) lies
 * outside the hull edge corner 0 -> corner 1, so its inside is left of that edge as in any triangle. */
typedef struct triangle {
  int32_t corner[3], neighbour[3];
} triangle;

/* A hull edge from -> to (inside on its left) and the points that lie along it within a hair: rounding of coordinates leaves
 * points of a straight border a little inside, and slivers between. There and outside, values follow the whole chain. */
typedef struct chord {
  int32_t from, to;
  size_t first, n; /* its part of chain_point and chain_at, ends included */
} chord;

struct moho_triangles {
  size_t n;
  double x0, y0;    /* subtracted from everything */
  double *x, *y;    /* [n] relative to x0, y0 */
  int32_t *ix, *iy; /* [n] on the lattice */
  triangle *all;    /* [2n]: n points have 2n - 2 triangles, ghosts included */
  int32_t count;
  int32_t *start; /* [cells * cells] a triangle near each cell of the extent, where walks begin */
  size_t cells;
  double cell_x, cell_y; /* m a cell */
  double slack;          /* m2: rounding of an area, so that a place on an edge is in either triangle, never in none */
  size_t n_chords, n_chain;
  chord *chords;        /* [hull edges] */
  int32_t *chain_point; /* [n_chain] */
  double *chain_at;     /* [n_chain] place along the chord: 0 at its start, 1 at its end, ascending */
  int32_t *sliver;      /* [count] chord that the triangle is a sliver of, NONE for others */
};

/* Which neighbour of `outside` lies across its edge to -> from. */
static inline int slot_of_edge(const triangle *outside, int32_t from, int32_t to) {
  for (int k = 0; k < 3; k++)
    if (outside->corner[(k + 1) % 3] == to && outside->corner[(k + 2) % 3] == from) return k;
  return 0;
}

/* After the triangles: the chains along the hull, and where walks begin. */
moho_status moho_triangles_prepare_places(moho_triangles *triangles);

#endif
