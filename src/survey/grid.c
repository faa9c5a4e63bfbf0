/* grid.c - where the image is computed: node positions and their inverse, corners, and what a grid must not be.
 *
 * Every position is origin + index*spacing in one expression: no accumulation, so tiles and threads agree to the bit.
 */
#include "moho/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define DEGREES (180.0 / 3.14159265358979323846)

moho_grid moho_grid_default(void) {
  return (moho_grid){.inline_first = 1,
                     .inline_step = 1,
                     .crossline_first = 1,
                     .crossline_step = 1,
                     .n_inline = 1,
                     .n_crossline = 1,
                     .inline_spacing_m = 1,
                     .crossline_spacing_m = 1};
}

void moho_grid_release(moho_grid *grid) {
  if (!grid) return;
  free(grid->line_x_m), free(grid->line_y_m);
  *grid = (moho_grid){0};
}

moho_status moho_grid_copy(const moho_grid *from, moho_grid *to) {
  moho_grid copy = *from;
  copy.line_x_m = copy.line_y_m = NULL;
  if (from->line_x_m && from->line_y_m) {
    moho_status status = moho_allocate(from->n_crossline, sizeof(double), "grid line", &copy.line_x_m);
    if (!status) status = moho_allocate(from->n_crossline, sizeof(double), "grid line", &copy.line_y_m);
    if (status) {
      moho_grid_release(&copy);
      return status;
    }
    memcpy(copy.line_x_m, from->line_x_m, from->n_crossline * sizeof(double));
    memcpy(copy.line_y_m, from->line_y_m, from->n_crossline * sizeof(double));
  }
  *to = copy;
  return MOHO_OK;
}

/* ---- what a grid must be ---- */

static moho_status check_axis(const char *name, size_t n, double spacing, int32_t first, int32_t step) {
  if (n == 0) return moho_fail(MOHO_ERROR_RANGE, "grid: no %ss, expected at least 1", name);
  if (!(spacing > 0) || !isfinite(spacing))
    return moho_fail(MOHO_ERROR_RANGE, "grid: %s spacing is %g m, expected more than 0", name, spacing);
  if (step == 0) return moho_fail(MOHO_ERROR_RANGE, "grid: %s numbers step by 0, expected for example 1", name);
  double last = first + (double)(n - 1) * step;
  if (fabs(last) > INT32_MAX)
    return moho_fail(MOHO_ERROR_RANGE, "grid: the last of %zu %s numbers would be %.0f, expected at most %d", n, name, last,
                     INT32_MAX);
  return MOHO_OK;
}

static moho_status check_line(const moho_grid *grid) {
  if (!grid->line_x_m && !grid->line_y_m) return MOHO_OK;
  if (!grid->line_x_m || !grid->line_y_m || grid->n_inline != 1)
    return moho_fail(MOHO_ERROR_ARGUMENT, "grid: a crooked line has x and y of every node and one inline, got %zu inlines",
                     grid->n_inline);
  for (size_t j = 0; j < grid->n_crossline; j++)
    if (!isfinite(grid->line_x_m[j]) || !isfinite(grid->line_y_m[j]))
      return moho_fail(MOHO_ERROR_RANGE, "grid: node %zu of the line has no finite position", j);
  return MOHO_OK;
}

moho_status moho_grid_check(const moho_grid *grid) {
  MOHO_TRY(check_axis("inline", grid->n_inline, grid->inline_spacing_m, grid->inline_first, grid->inline_step));
  MOHO_TRY(check_axis("crossline", grid->n_crossline, grid->crossline_spacing_m, grid->crossline_first, grid->crossline_step));
  if (!isfinite(grid->origin_x_m) || !isfinite(grid->origin_y_m))
    return moho_fail(MOHO_ERROR_RANGE, "grid: the origin is (%g, %g), expected finite coordinates in metres", grid->origin_x_m,
                     grid->origin_y_m);
  if (!isfinite(grid->inline_azimuth_deg) || fabs(grid->inline_azimuth_deg) > 360)
    return moho_fail(MOHO_ERROR_RANGE, "grid: the inline azimuth is %g, expected -360 to 360 degrees", grid->inline_azimuth_deg);
  if (grid->n_time == 0) return moho_fail(MOHO_ERROR_RANGE, "grid: no time samples, expected at least 1");
  if (!(grid->step_s > 0) || !isfinite(grid->step_s))
    return moho_fail(MOHO_ERROR_RANGE, "grid: the time step is %g s, expected more than 0", grid->step_s);
  if (!(grid->first_s >= 0) || !isfinite(grid->first_s))
    return moho_fail(MOHO_ERROR_RANGE, "grid: the first time is %g s, expected 0 or later (two-way vertical time)",
                     grid->first_s);
  MOHO_TRY(check_line(grid));
  size_t size = sizeof(double);
  MOHO_TRY(moho_multiply(size, grid->n_inline, "grid", &size));
  MOHO_TRY(moho_multiply(size, grid->n_crossline, "grid", &size));
  return moho_multiply(size, grid->n_time, "grid", &size);
}

/* ---- windows ---- */

moho_window moho_grid_whole(const moho_grid *grid) {
  return (moho_window){.n_inline = grid->n_inline, .n_crossline = grid->n_crossline};
}

moho_status moho_grid_check_window(const moho_grid *grid, const moho_window *w) {
  if (!w->n_inline && !w->n_crossline) return MOHO_OK;
  if (w->n_inline && w->n_crossline && w->inline_first < grid->n_inline && w->crossline_first < grid->n_crossline &&
      w->n_inline <= grid->n_inline - w->inline_first && w->n_crossline <= grid->n_crossline - w->crossline_first)
    return MOHO_OK;
  return moho_fail(
      MOHO_ERROR_RANGE,
      "grid: a window of %zu inlines from %zu and %zu crosslines from %zu, expected at least one column of %zu x %zu",
      w->n_inline, w->inline_first, w->n_crossline, w->crossline_first, grid->n_inline, grid->n_crossline);
}

moho_status moho_grid_cut(const moho_grid *grid, const moho_window *window, moho_grid *out) {
  moho_window whole = moho_grid_whole(grid), w = window->n_inline || window->n_crossline ? *window : whole;
  *out = (moho_grid){0};
  MOHO_TRY(moho_grid_check_window(grid, &w));
  MOHO_TRY(moho_grid_copy(grid, out));
  moho_grid_node(grid, w.inline_first, w.crossline_first, &out->origin_x_m, &out->origin_y_m);
  out->inline_first = (int32_t)((int64_t)grid->inline_first + (int64_t)w.inline_first * grid->inline_step);
  out->crossline_first = (int32_t)((int64_t)grid->crossline_first + (int64_t)w.crossline_first * grid->crossline_step);
  out->n_inline = w.n_inline, out->n_crossline = w.n_crossline;
  if (!out->line_x_m) return MOHO_OK;
  memmove(out->line_x_m, out->line_x_m + w.crossline_first, w.n_crossline * sizeof(double));
  memmove(out->line_y_m, out->line_y_m + w.crossline_first, w.n_crossline * sizeof(double));
  return MOHO_OK;
}

/* ---- positions ---- */

typedef struct axes {
  double inline_x, inline_y, crossline_x, crossline_y;
} axes;

/* Unit vectors of the two axes; multiples of 90 degrees are exact, which sin and cos of radians are not. */
static axes grid_axes(const moho_grid *grid) {
  double a = fmod(grid->inline_azimuth_deg, 360.0);
  if (a < 0) a += 360.0;
  double sine = sin(a / DEGREES), cosine = cos(a / DEGREES);
  if (a == 0 || a == 360) sine = 0, cosine = 1;
  else if (a == 90) sine = 1, cosine = 0;
  else if (a == 180) sine = 0, cosine = -1;
  else if (a == 270) sine = -1, cosine = 0;
  double sign = grid->flip ? -1.0 : 1.0;
  return (axes){.inline_x = sign * cosine, .inline_y = -sign * sine, .crossline_x = sine, .crossline_y = cosine};
}

void moho_grid_node(const moho_grid *grid, size_t i, size_t j, double *x_m, double *y_m) {
  if (grid->line_x_m) {
    *x_m = grid->line_x_m[j], *y_m = grid->line_y_m[j];
    return;
  }
  axes u = grid_axes(grid);
  double along_i = (double)i * grid->inline_spacing_m, along_j = (double)j * grid->crossline_spacing_m;
  *x_m = grid->origin_x_m + along_i * u.inline_x + along_j * u.crossline_x;
  *y_m = grid->origin_y_m + along_i * u.inline_y + along_j * u.crossline_y;
}

/* Nearest point of the polyline; i is the distance from it, positive on the side to which the inline number grows. */
static void locate_on_line(const moho_grid *grid, double x, double y, double *i, double *j) {
  const double *line_x = grid->line_x_m, *line_y = grid->line_y_m;
  double best = hypot(x - line_x[0], y - line_y[0]), best_j = 0, side = 1;
  for (size_t k = 0; k + 1 < grid->n_crossline; k++) {
    double dx = line_x[k + 1] - line_x[k], dy = line_y[k + 1] - line_y[k], square = dx * dx + dy * dy;
    double px = x - line_x[k], py = y - line_y[k];
    double f = square > 0 ? fmin(fmax((px * dx + py * dy) / square, 0), 1) : 0;
    double distance = hypot(px - f * dx, py - f * dy);
    if (distance < best || k == 0) {
      best = distance, best_j = (double)k + f;
      side = px * dy - py * dx < 0 ? -1 : 1; /* clockwise of the line is right of it */
    }
  }
  *i = best * (grid->flip ? -side : side) / grid->inline_spacing_m;
  *j = best_j;
}

void moho_grid_locate(const moho_grid *grid, double x_m, double y_m, double *i, double *j) {
  if (grid->line_x_m) {
    locate_on_line(grid, x_m, y_m, i, j);
    return;
  }
  axes u = grid_axes(grid);
  double dx = x_m - grid->origin_x_m, dy = y_m - grid->origin_y_m;
  *i = (dx * u.inline_x + dy * u.inline_y) / grid->inline_spacing_m;
  *j = (dx * u.crossline_x + dy * u.crossline_y) / grid->crossline_spacing_m;
}

int moho_grid_is_line(const moho_grid *grid) {
  return grid->n_inline == 1 || grid->n_crossline == 1;
}

void moho_grid_corners(const moho_grid *grid, double x_m[4], double y_m[4]) {
  size_t last_i = grid->n_inline - 1, last_j = grid->n_crossline - 1;
  moho_grid_node(grid, 0, 0, &x_m[0], &y_m[0]);
  moho_grid_node(grid, 0, last_j, &x_m[1], &y_m[1]);
  moho_grid_node(grid, last_i, last_j, &x_m[2], &y_m[2]);
  moho_grid_node(grid, last_i, 0, &x_m[3], &y_m[3]);
}

/* ---- from corners ---- */

/* Nodes along a side: round(L/dx) + 1, where L is a whole number of dx to a tenth of dx: corners are given in whole
 * decimetres or metres. The spacing is kept as given, so the far corners move by what the rounding was. */
static moho_status count_nodes(const char *side, double length, double spacing, size_t *n) {
  if (!(spacing > 0) || !isfinite(spacing))
    return moho_fail(MOHO_ERROR_RANGE, "grid: the spacing along %s is %g m, expected more than 0", side, spacing);
  double bins = length / spacing, whole = round(bins);
  if (whole > INT32_MAX)
    return moho_fail(MOHO_ERROR_RANGE, "grid: %s is %.3f m, %.0f bins of %g m; expected fewer", side, length, whole, spacing);
  *n = (size_t)whole + 1;
  if (fabs(bins - whole) <= 0.1) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "grid.corners"}, "move the corners to one of these lengths, or change the spacing",
                      MOHO_ERROR_RANGE,
                      "grid: %s is %.3f m, not a whole number of %g m bins; the nearest lengths are %.10g m and %.10g m", side,
                      length, spacing, floor(bins) * spacing, ceil(bins) * spacing);
}

static moho_status check_corners(const double (*c)[2], size_t n) {
  if (n < 2 || n > 4)
    return moho_fail_at((moho_place){.key = "grid.corners"}, "give 2 (a line), 3 or 4 points [x, y]", MOHO_ERROR_ARGUMENT,
                        "grid: got %zu corners, expected 2, 3 or 4", n);
  for (size_t k = 0; k < n; k++)
    if (!isfinite(c[k][0]) || !isfinite(c[k][1]))
      return moho_fail(MOHO_ERROR_RANGE, "grid: corner %zu is (%g, %g), expected finite coordinates", k + 1, c[k][0], c[k][1]);
  return MOHO_OK;
}

static moho_status check_fourth(const double (*c)[2], double bin) {
  double x = c[0][0] + c[2][0] - c[1][0], y = c[0][1] + c[2][1] - c[1][1];
  double miss = hypot(c[3][0] - x, c[3][1] - y);
  if (miss <= 0.1 * bin) return MOHO_OK;
  return moho_fail_at(
      (moho_place){.key = "grid.corners"},
      "order: first inline first crossline, first inline last crossline, last inline last crossline, last inline first crossline",
      MOHO_ERROR_RANGE,
      "grid: the fourth corner (%.2f, %.2f) is %.2f m from (%.2f, %.2f), where it would close the parallelogram", c[3][0],
      c[3][1], miss, x, y);
}

moho_status moho_grid_from_corners(const double (*corners)[2], size_t n_corners, double inline_spacing_m,
                                   double crossline_spacing_m, moho_grid *out) {
  MOHO_TRY(check_corners(corners, n_corners));
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = corners[0][0], grid.origin_y_m = corners[0][1];
  grid.crossline_spacing_m = crossline_spacing_m;
  grid.inline_spacing_m = n_corners == 2 && !(inline_spacing_m > 0) ? crossline_spacing_m : inline_spacing_m;
  double along_x = corners[1][0] - corners[0][0], along_y = corners[1][1] - corners[0][1];
  double across_x = 0, across_y = 0;
  if (n_corners > 2) across_x = corners[2][0] - corners[1][0], across_y = corners[2][1] - corners[1][1];
  double along = hypot(along_x, along_y), across = hypot(across_x, across_y);
  MOHO_TRY(count_nodes("the side from corner 1 to corner 2", along, crossline_spacing_m, &grid.n_crossline));
  if (n_corners > 2) MOHO_TRY(count_nodes("the side from corner 2 to corner 3", across, inline_spacing_m, &grid.n_inline));
  if (n_corners == 4) MOHO_TRY(check_fourth(corners, fmin(inline_spacing_m, crossline_spacing_m)));

  if (along > 0) grid.inline_azimuth_deg = atan2(along_x, along_y) * DEGREES;
  else if (across > 0) grid.inline_azimuth_deg = atan2(across_x, across_y) * DEGREES - 90.0;
  if (grid.inline_azimuth_deg < 0) grid.inline_azimuth_deg += 360.0;
  if (along > 0 && across > 0) {
    grid.flip = across_x * along_y - across_y * along_x < 0;
    double skew = fabs(across_x * along_x + across_y * along_y) / along;
    if (skew > 0.1 * crossline_spacing_m)
      return moho_fail_at(
          (moho_place){.key = "grid.corners"}, "give corners of a rectangle, or origin and azimuth", MOHO_ERROR_RANGE,
          "grid: the corners are not a rectangle: corner 3 lies %.2f m aside of the perpendicular at corner 2", skew);
  }
  *out = grid;
  return MOHO_OK;
}
