/* line_direction.h - which way a line of midpoints runs, at every place along it: for offsets without azimuths.
 */
#ifndef MOHO_SURVEY_LINE_DIRECTION_H
#define MOHO_SURVEY_LINE_DIRECTION_H

#include <stddef.h>

enum { MOHO_LINE_PIECES = 64 };

typedef struct moho_line_direction {
  double ux, uy;          /* of the whole: the principal axis, towards the last midpoint; (1, 0) for a single point */
  double spread;          /* width across over length along: 0 a straight line, 1 an area */
  double first_m, step_m; /* pieces along the principal axis */
  size_t n_pieces;        /* 0: too few midpoints, the whole's direction holds everywhere */
  double piece_x[MOHO_LINE_PIECES], piece_y[MOHO_LINE_PIECES]; /* unit vectors */
} moho_line_direction;

/* Midpoints that are (0, 0) are not counted. */
moho_line_direction moho_line_direction_find(const double *x, const double *y, size_t n);
void moho_line_direction_at(const moho_line_direction *line, double x, double y, double *ux, double *uy);

#endif
