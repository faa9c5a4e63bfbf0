/* grid_estimate.h - the ways in which a grid is estimated from midpoints; each says whether it applies. */
#ifndef MOHO_SURVEY_GRID_ESTIMATE_H
#define MOHO_SURVEY_GRID_ESTIMATE_H

#include "moho/grid.h"

/* Midpoints of live traces, relative to (x0, y0), in trace order; numbers point into the geometry order of the same traces. */
typedef struct moho_midpoints {
  size_t n;
  double x0, y0;
  double *x, *y;
  double *source_x, *source_y, *receiver_x, *receiver_y;
  int32_t *cdp, *inline_number, *crossline_number;
} moho_midpoints;

/* Different positions, sorted by x, then y. */
typedef struct moho_positions {
  size_t n;
  double *x, *y;
} moho_positions;

moho_status moho_positions_distinct(size_t n, const double *x, const double *y, moho_positions *out);
void moho_positions_release(moho_positions *positions);

/* Joins positions that differ only by the rounding of their headers (distinct ones are joined so already). */
moho_status moho_positions_join_rounded(moho_positions *positions);

/* Vector from position i to the nearest other one; 0 when there is none. */
int moho_positions_nearest(const moho_positions *positions, size_t i, double *dx, double *dy);

/* Median distance of a position to its nearest (of a sample), 0 when there is one position only. *direction_deg: the common
 * direction of the vectors modulo 90 (clockwise from north); *agreement: 0 (none) to 1 (all the same). */
moho_status moho_positions_spacing(const moho_positions *positions, double *spacing, double *direction_deg, double *agreement);

/* Values on a 1D lattice: spacing and the position of value index 0; rms: of the misfit over spacing. Sorts `values`. Returns 1
 * when there are at least two steps and the misfit is at most `most`. */
int moho_lattice_1d(size_t n, double *values, double most, double *first, double *spacing);

/* x = x0 + a_x*p + b_x*q, y likewise, by least squares; p, q whole numbers. Returns 0 when p, q do not span a plane. */
typedef struct moho_affine {
  double x0, y0, a_x, a_y, b_x, b_y;
} moho_affine;

int moho_affine_fit(size_t n, const double *x, const double *y, const double *p, const double *q, moho_affine *out);
/* (p, q) of a position, not rounded. */
void moho_affine_invert(const moho_affine *affine, double x, double y, double *p, double *q);

/* A straight grid from an affine fit of node indices i (a), j (b), its spacings and azimuth rounded where that moves no node
 * by a twentieth of a bin; the origin is set so that the mean of the given nodes (mean p, q at mean x, y) is kept. */
void moho_grid_from_affine(const moho_affine *affine, double mean_p, double mean_q, moho_grid *grid);

/* ---- the ways, in the order they are tried: *done = 1 when one applies; grid positions are relative to (x0, y0) ---- */

moho_status moho_grid_estimate_by_numbers(const moho_midpoints *m, moho_grid *grid, int *done, char *words, size_t size);
moho_status moho_grid_estimate_line_by_numbers(const moho_midpoints *m, moho_grid *grid, int *done, char *words, size_t size);
moho_status moho_grid_estimate_lattice(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, int *done, char *words,
                                       size_t size);
moho_status moho_grid_estimate_line(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, int *done, char *words,
                                    size_t size);
moho_status moho_grid_estimate_area(const moho_midpoints *m, const moho_positions *p, moho_grid *grid, char *words, size_t size);

#endif
