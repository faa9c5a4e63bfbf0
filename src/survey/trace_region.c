/* trace_region.c - distances from rectangles in any direction and from polylines. */
#include "survey/trace_region.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static moho_status copy_line(const moho_grid *grid, const moho_window *window, moho_region *out) {
  size_t n = window->n_crossline;
  MOHO_TRY(moho_allocate(n, sizeof *out->point_x, "a window's line", &out->point_x));
  MOHO_TRY(moho_allocate(n, sizeof *out->point_y, "a window's line", &out->point_y));
  memcpy(out->point_x, grid->line_x_m + window->crossline_first, n * sizeof *out->point_x);
  memcpy(out->point_y, grid->line_y_m + window->crossline_first, n * sizeof *out->point_y);
  out->n_points = n;
  return MOHO_OK;
}

/* The side along an inline gives the direction; the other lies to its left or right (flip), and the corner is chosen so that it
 * lies to the left. */
static void set_rectangle(const moho_grid *grid, const moho_window *w, moho_region *out) {
  double x0, y0, x1, y1, angle = grid->inline_azimuth_deg * (3.14159265358979323846 / 180);
  moho_grid_node(grid, w->inline_first, w->crossline_first, &x0, &y0);
  moho_grid_node(grid, w->inline_first + w->n_inline - 1, w->crossline_first, &x1, &y1);
  out->ux = sin(angle), out->uy = cos(angle);
  out->along = (double)(w->n_crossline - 1) * grid->crossline_spacing_m;
  out->across = (double)(w->n_inline - 1) * grid->inline_spacing_m;
  int to_the_left = (x1 - x0) * -out->uy + (y1 - y0) * out->ux >= 0;
  out->x = to_the_left ? x0 : x1, out->y = to_the_left ? y0 : y1;
}

moho_status moho_region_create(const moho_trace_region *region, moho_region *out) {
  *out = (moho_region){.everywhere = !region};
  if (!region) return MOHO_OK;
  if (!(region->margin_m >= 0))
    return moho_fail(MOHO_ERROR_RANGE, "the margin about a window is %g m, expected a length", region->margin_m);
  MOHO_TRY(moho_grid_check_window(region->grid, &region->window));
  int whole = region->window.n_inline == 0 && region->window.n_crossline == 0;
  moho_window window = whole ? moho_grid_whole(region->grid) : region->window;
  out->margin_m = region->margin_m;
  if (!region->grid->line_x_m) {
    set_rectangle(region->grid, &window, out);
    return MOHO_OK;
  }
  moho_status status = copy_line(region->grid, &window, out);
  if (status) moho_region_release(out);
  return status;
}

void moho_region_release(moho_region *region) {
  free(region->point_x);
  free(region->point_y);
  *region = (moho_region){0};
}

static double outside(double at, double length) {
  return at < 0 ? -at : at > length ? at - length : 0;
}

/* Squares throughout: this is asked of every trace of every window. */
static double squared(double x, double y) {
  return x * x + y * y;
}

static double squared_from_segment(const moho_region *r, size_t k, double x, double y) {
  double dx = r->point_x[k + 1] - r->point_x[k], dy = r->point_y[k + 1] - r->point_y[k];
  double px = x - r->point_x[k], py = y - r->point_y[k], length = squared(dx, dy);
  double part = length > 0 ? fmin(fmax((px * dx + py * dy) / length, 0), 1) : 0;
  return squared(px - part * dx, py - part * dy);
}

int moho_region_has(const moho_region *r, double x, double y, double more_m) {
  if (r->everywhere) return 1;
  double reach = (r->margin_m + more_m) * (r->margin_m + more_m);
  if (r->n_points == 1) return squared(x - r->point_x[0], y - r->point_y[0]) <= reach;
  for (size_t k = 0; k + 1 < r->n_points; k++)
    if (squared_from_segment(r, k, x, y) <= reach) return 1;
  if (r->n_points) return 0;
  double px = x - r->x, py = y - r->y;
  return squared(outside(px * r->ux + py * r->uy, r->along), outside(py * r->ux - px * r->uy, r->across)) <= reach;
}
