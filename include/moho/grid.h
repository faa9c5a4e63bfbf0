/* grid.h - where the image is computed: a lattice of columns and a time axis.
 *
 *   node(i, j) = origin + i*inline_spacing*u_i + j*crossline_spacing*u_x,   u_x = (sin a, cos a), u_i = (cos a, -sin a)
 *
 * a: the direction along an inline (in which the crossline number grows), clockwise from north (+y); the inline number
 * grows 90 degrees clockwise of it; `flip` turns that round. A 2D line is one inline whose crosslines are its CDPs; where
 * it is crooked, line_x/line_y give every node. Lengths in metres, double. Image axes: [inline, crossline, time], last fastest.
 */
#ifndef MOHO_GRID_H
#define MOHO_GRID_H

#include "moho/traces.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct moho_grid {
  double origin_x_m, origin_y_m;     /* of node (0, 0) */
  double inline_azimuth_deg;         /* a */
  int flip;                          /* 1: the inline number grows 90 degrees counter-clockwise of a */
  int32_t inline_first, inline_step; /* numbers shown to people: number(i) = first + i*step */
  int32_t crossline_first, crossline_step;
  size_t n_inline, n_crossline; /* nodes */
  double inline_spacing_m, crossline_spacing_m;
  double first_s, step_s; /* time axis: t0(k) = first_s + k*step_s */
  size_t n_time;
  double *line_x_m, *line_y_m; /* [n_crossline] of a crooked 2D line (n_inline = 1), else NULL; owned by the grid */
} moho_grid;

/* A rectangle of columns of a grid: nodes [inline_first, inline_first + n_inline) x [crossline_first, crossline_first +
 * n_crossline), indices from 0. Both counts 0: the whole grid. */
typedef struct moho_window {
  size_t inline_first, n_inline;
  size_t crossline_first, n_crossline;
} moho_window;

/** All zero but numbers and steps 1; n_inline = n_crossline = 1, spacings 1 m. */
MOHO_API moho_grid moho_grid_default(void);
/** Frees what the grid owns and clears it. */
MOHO_API void moho_grid_release(moho_grid *grid);
MOHO_API moho_status moho_grid_copy(const moho_grid *from, moho_grid *to);

/** Refuses a grid that cannot be: no nodes, spacing <= 0, not finite, sizes that overflow. */
MOHO_API moho_status moho_grid_check(const moho_grid *grid);

/** The whole grid as a window. */
MOHO_API moho_window moho_grid_whole(const moho_grid *grid);

/** Refuses a window that is empty or not inside the grid (MOHO_ERROR_RANGE); one of no inlines and no crosslines is the whole. */
MOHO_API moho_status moho_grid_check_window(const moho_grid *grid, const moho_window *window);

/** The grid of a window's columns alone: its nodes are where the whole grid has them, to the rounding of a new origin; numbers
 *  are the whole grid's. To describe an image of the window: what computes positions that must be the same bits takes the whole
 *  grid and the window. Release it. */
MOHO_API moho_status moho_grid_cut(const moho_grid *grid, const moho_window *window, moho_grid *out);

/** Position of node (i, j), exactly origin + i*spacing (no accumulation). */
MOHO_API void moho_grid_node(const moho_grid *grid, size_t i, size_t j, double *x_m, double *y_m);

/** Fractional node indices of a point (inverse of moho_grid_node); on a crooked line the nearest point of the polyline. */
MOHO_API void moho_grid_locate(const moho_grid *grid, double x_m, double y_m, double *i, double *j);

/** 1 when the grid is a single line (then 2D filters and weights are meant). */
MOHO_API int moho_grid_is_line(const moho_grid *grid);

/* Corners: c1 = (first inline, first crossline), c2 = (first inline, last crossline), c3 = (last inline, last crossline),
 * c4 = (last inline, first crossline). */
MOHO_API void moho_grid_corners(const moho_grid *grid, double x_m[4], double y_m[4]);

/**
 * Grid from three or four corner points in the order above (a fourth must close the parallelogram within a tenth of a bin).
 * inline_spacing_m, crossline_spacing_m: distances between nodes; a side must be a whole number of them (to a tenth
 * of a spacing: corners are rounded; nodes keep the spacing given), else MOHO_ERROR_RANGE with the two nearest lengths. With two
 * corners: a 2D line from c1 to c2.
 */
MOHO_API moho_status moho_grid_from_corners(const double (*corners)[2], size_t n_corners, double inline_spacing_m,
                                            double crossline_spacing_m, moho_grid *out);

/**
 * Grid estimated from the midpoints of a survey: line direction and bin size; a line (crooked too) becomes one inline whose
 * crosslines are its CDPs. Time axis from the traces (first sample, dt, n). Dead and non-seismic traces are left out.
 * report: a few words on what was found (BORROW until the thread's next call), may be NULL.
 */
MOHO_API moho_status moho_grid_estimate(const moho_geometry *geometry, double dt_s, size_t n_samples, moho_grid *out,
                                        char report[400]);

#ifdef __cplusplus
}
#endif
#endif
