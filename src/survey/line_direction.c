/* line_direction.c - the way a line of midpoints runs: its principal axis, and along that axis from piece to piece. */
#include "survey/line_direction.h"

#include <math.h>

typedef struct centre {
  double x, y;
  size_t n;
} centre;

static int is_empty(double x, double y) {
  return x == 0 && y == 0;
}

static void centre_add(centre *of, double x, double y) {
  of->n++;
  of->x += (x - of->x) / (double)of->n;
  of->y += (y - of->y) / (double)of->n;
}

/* Eigenvector of the larger eigenvalue of the 2 x 2 covariance. */
static void find_axis(const double *x, const double *y, size_t n, moho_line_direction *line) {
  centre all = {0};
  double xx = 0, xy = 0, yy = 0;
  size_t first = 0, last = 0;
  for (size_t i = 0; i < n; i++) {
    if (is_empty(x[i], y[i])) continue;
    if (!all.n) first = i;
    last = i;
    centre_add(&all, x[i], y[i]);
  }
  for (size_t i = 0; i < n; i++) {
    if (is_empty(x[i], y[i])) continue;
    double dx = x[i] - all.x, dy = y[i] - all.y;
    xx += dx * dx, xy += dx * dy, yy += dy * dy;
  }
  double angle = 0.5 * atan2(2 * xy, xx - yy), middle = 0.5 * (xx + yy), radius = hypot(0.5 * (xx - yy), xy);
  line->ux = cos(angle), line->uy = sin(angle);
  line->spread = middle + radius > 0 ? sqrt(fmax(middle - radius, 0) / (middle + radius)) : 0;
  if (n && (x[last] - x[first]) * line->ux + (y[last] - y[first]) * line->uy < 0) line->ux = -line->ux, line->uy = -line->uy;
}

static size_t piece_of(const moho_line_direction *line, double x, double y) {
  double piece = (x * line->ux + y * line->uy - line->first_m) / line->step_m;
  if (!(piece > 0)) return 0;
  return piece < (double)line->n_pieces ? (size_t)piece : line->n_pieces - 1;
}

/* A piece's direction is that from the filled piece before it to the one after it. */
static void find_pieces(const double *x, const double *y, size_t n, moho_line_direction *line) {
  centre centres[MOHO_LINE_PIECES] = {0};
  for (size_t i = 0; i < n; i++)
    if (!is_empty(x[i], y[i])) centre_add(&centres[piece_of(line, x[i], y[i])], x[i], y[i]);
  for (size_t p = 0; p < line->n_pieces; p++) {
    size_t before = p ? p - 1 : 0, after = p + 1 < line->n_pieces ? p + 1 : p;
    while (before > 0 && !centres[before].n) before--;
    while (after + 1 < line->n_pieces && !centres[after].n) after++;
    double dx = centres[after].x - centres[before].x, dy = centres[after].y - centres[before].y, length = hypot(dx, dy);
    int known = centres[before].n && centres[after].n && length > 0;
    line->piece_x[p] = known ? dx / length : line->ux;
    line->piece_y[p] = known ? dy / length : line->uy;
  }
}

moho_line_direction moho_line_direction_find(const double *x, const double *y, size_t n) {
  moho_line_direction line = {.ux = 1};
  double low = INFINITY, high = -INFINITY;
  size_t count = 0;
  find_axis(x, y, n, &line);
  for (size_t i = 0; i < n; i++) {
    if (is_empty(x[i], y[i])) continue;
    double along = x[i] * line.ux + y[i] * line.uy;
    low = fmin(low, along), high = fmax(high, along);
    count++;
  }
  size_t pieces = count / 8 < MOHO_LINE_PIECES ? count / 8 : MOHO_LINE_PIECES;
  if (pieces < 3 || !(high > low)) return line;
  line.n_pieces = pieces, line.first_m = low, line.step_m = (high - low) / (double)pieces;
  find_pieces(x, y, n, &line);
  return line;
}

void moho_line_direction_at(const moho_line_direction *line, double x, double y, double *ux, double *uy) {
  size_t piece = line->n_pieces ? piece_of(line, x, y) : 0;
  *ux = line->n_pieces ? line->piece_x[piece] : line->ux;
  *uy = line->n_pieces ? line->piece_y[piece] : line->uy;
}
