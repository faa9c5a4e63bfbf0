/* edge_support.h - random migrations at the edges of what may be asked, and what each must agree on: with the double reference
 * on every instruction set, the folds identical; the same bits for other threads, tiles and batches; refused alike by both.
 */
#ifndef MOHO_EDGE_SUPPORT_H
#define MOHO_EDGE_SUPPORT_H

#include "../physics/physics_support.h"

typedef struct edge_case {
  unsigned number; /* of the case: the seed */
  moho_grid grid;
  survey s;
  moho_velocity *velocity;
  moho_eta *eta;         /* or NULL */
  moho_gather_bins bins; /* kind none: no gathers */
  uint8_t *mask;         /* or NULL */
  moho_migration_options options;
} edge_case;

/* Straight rays and weights that are powers of t. */
edge_case edge_case_of_options(unsigned number);
/* Every law with eta, every weight, antialias and aperture rule, mutes by offset, gathers of every kind, masks. */
edge_case edge_case_of_laws(unsigned number);
void edge_case_release(edge_case *c);

/* Where three functions lie around the grid; two of them change fast, up and down. */
moho_velocity *velocity_that_varies_sideways(const moho_grid *grid);

typedef struct edge_outcome {
  size_t failures;
  int has_contributions, is_refused;
} edge_outcome;

/* What disagrees is printed. */
edge_outcome edge_case_compare(const edge_case *c);

#endif
