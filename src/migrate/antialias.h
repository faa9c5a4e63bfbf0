/* antialias.h - what both paths share of the triangle antialias: the largest half-width, and the axes of the slope.
 *
 * docs/physics.md "Interpolation, antialias": T = factor*max(|p_x|, |p_y|)*spacing of the trace's offset class.
 */
#ifndef MOHO_MIGRATE_ANTIALIAS_H
#define MOHO_MIGRATE_ANTIALIAS_H

#include <math.h>

#include "moho/grid.h"

/* Largest half-width in refined samples: no leg's slope exceeds 1/v, two legs 2/v; two samples are added for rounding, so
 * only the length of the trace ever cuts a half-width. */
static inline int moho_antialias_k_max(double factor, double spacing_max_m, double v_min_mps, double dt_s, size_t n_samples) {
  double k = floor(factor * spacing_max_m * 2.0 / (v_min_mps * dt_s)) + 2.0;
  return k < (double)n_samples ? (int)k : (int)n_samples;
}

/* Unit vectors at node (i, j) in which a slope is resolved: `along` u_x (crossline number grows), `across` u_i. On a line
 * only the component along it counts: `across` is zero, and `along` is u_i where the line has one crossline, on a crooked
 * line the direction from the node before to the node after. */
static inline void moho_antialias_axes(const moho_grid *grid, size_t i, size_t j, double along[2], double across[2]) {
  double a = grid->inline_azimuth_deg * (3.14159265358979323846 / 180.0);
  int is_line = moho_grid_is_line(grid);
  along[0] = sin(a), along[1] = cos(a);
  across[0] = cos(a), across[1] = -sin(a);
  if (!is_line) return;
  if (grid->n_inline > 1) along[0] = across[0], along[1] = across[1];
  across[0] = across[1] = 0.0;
  if (!grid->line_x_m || grid->n_crossline < 2) return;
  double x0, y0, x1, y1;
  moho_grid_node(grid, i, j > 0 ? j - 1 : 0, &x0, &y0);
  moho_grid_node(grid, i, j + 1 < grid->n_crossline ? j + 1 : j, &x1, &y1);
  double length = hypot(x1 - x0, y1 - y0);
  if (length > 0) along[0] = (x1 - x0) / length, along[1] = (y1 - y0) / length;
}

#endif
