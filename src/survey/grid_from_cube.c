/* grid_from_cube.c - the grid of an image that another program wrote, from its coordinates and positions. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "survey/grid_json.h"

#define DEGREES (180.0 / 3.14159265358979323846)

static moho_status not_regular(const char *file, const char *what, const char *hint) {
  return moho_fail_at((moho_place){.file = file}, hint, MOHO_ERROR_FORMAT, "%s: %s", file, what);
}

static moho_status take_time(const moho_zarr_cube *cube, const char *file, moho_grid *grid) {
  const double *time = cube->coordinates[2];
  size_t n = cube->shape[2];
  double scale = strcmp(cube->units[2], "ms") == 0 ? 1e-3 : 1;
  if (!time || n < 2) return not_regular(file, "no coordinate \"time\" with at least two values", "add the array time [s]");
  grid->n_time = n;
  grid->first_s = time[0] * scale;
  grid->step_s = (time[n - 1] - time[0]) / (double)(n - 1) * scale;
  for (size_t k = 0; k < n; k++)
    if (!(fabs(time[k] * scale - (grid->first_s + (double)k * grid->step_s)) <= 1e-3 * grid->step_s))
      return not_regular(file, "the coordinate \"time\" is not evenly spaced or does not grow", "resample the image in time");
  return MOHO_OK;
}

/* Line numbers where they are whole and evenly spaced, else 1, 2, 3 ... */
static void take_numbers(const double *values, size_t n, int32_t *first, int32_t *step) {
  *first = *step = 1;
  if (!values || !(fabs(values[0]) < 1e9) || (n > 1 && !(fabs(values[1]) < 1e9))) return;
  double a = values[0], b = n > 1 ? values[1] - values[0] : 1;
  if (b == 0 || a != rint(a)) return;
  for (size_t i = 0; i < n; i++)
    if (values[i] != a + (double)i * b || values[i] != rint(values[i])) return;
  *first = (int32_t)a, *step = (int32_t)b;
}

/* Direction and spacing from the first row and column of nodes; the others are held against them afterwards. */
static void take_lattice(const moho_zarr_cube *cube, moho_grid *grid) {
  const double *x = cube->cdp_x, *y = cube->cdp_y;
  size_t ni = grid->n_inline, nx = grid->n_crossline, last = (ni - 1) * nx;
  double along_x = x[nx - 1] - x[0], along_y = y[nx - 1] - y[0], across_x = x[last] - x[0], across_y = y[last] - y[0];
  grid->origin_x_m = x[0], grid->origin_y_m = y[0];
  if (nx > 1) grid->crossline_spacing_m = hypot(along_x, along_y) / (double)(nx - 1);
  grid->inline_spacing_m = ni > 1 ? hypot(across_x, across_y) / (double)(ni - 1) : grid->crossline_spacing_m;
  if (nx == 1) grid->crossline_spacing_m = grid->inline_spacing_m;
  double a = nx > 1 ? atan2(along_x, along_y) : ni > 1 ? atan2(-across_y, across_x) : 0;
  grid->flip = across_x * cos(a) - across_y * sin(a) < 0;
  grid->inline_azimuth_deg = a * DEGREES < 0 ? a * DEGREES + 360 : a * DEGREES;
}

/* The largest distance of a node from where the grid has it, in spacings. */
static double lattice_misfit(const moho_zarr_cube *cube, const moho_grid *grid) {
  double worst = 0;
  for (size_t i = 0; i < grid->n_inline; i++)
    for (size_t j = 0; j < grid->n_crossline; j++) {
      double x, y;
      moho_grid_node(grid, i, j, &x, &y);
      double miss = hypot(x - cube->cdp_x[i * grid->n_crossline + j], y - cube->cdp_y[i * grid->n_crossline + j]);
      if (!isfinite(miss)) return INFINITY;
      worst = fmax(worst, miss);
    }
  return worst / fmin(grid->inline_spacing_m, grid->crossline_spacing_m);
}

static moho_status take_crooked_line(const moho_zarr_cube *cube, moho_grid *grid) {
  MOHO_TRY(moho_allocate(grid->n_crossline, sizeof(double), "line positions", &grid->line_x_m));
  MOHO_TRY(moho_allocate(grid->n_crossline, sizeof(double), "line positions", &grid->line_y_m));
  memcpy(grid->line_x_m, cube->cdp_x, grid->n_crossline * sizeof(double));
  memcpy(grid->line_y_m, cube->cdp_y, grid->n_crossline * sizeof(double));
  return MOHO_OK;
}

static moho_status fill_from_cube(const moho_zarr_cube *cube, const char *file, moho_grid *grid) {
  static const char *const names[] = {"inline", "crossline", "time"};
  for (size_t a = 0; a < 3; a++)
    if (cube->axes[a][0] && strcmp(cube->axes[a], names[a]) != 0)
      return not_regular(file, "the axes are not inline, crossline, time in this order", "transpose the array");
  grid->n_inline = cube->shape[0], grid->n_crossline = cube->shape[1];
  MOHO_TRY(take_time(cube, file, grid));
  take_numbers(cube->coordinates[0], grid->n_inline, &grid->inline_first, &grid->inline_step);
  take_numbers(cube->coordinates[1], grid->n_crossline, &grid->crossline_first, &grid->crossline_step);
  if (!cube->cdp_x || !cube->cdp_y)
    return not_regular(file, "neither an attribute \"grid\" nor arrays \"cdp_x\" and \"cdp_y\" say where the columns are",
                       "add cdp_x and cdp_y [inline, crossline] in metres");
  take_lattice(cube, grid);
  double misfit = lattice_misfit(cube, grid);
  if (!(misfit <= 0.01) && grid->n_inline == 1 && isfinite(misfit)) return take_crooked_line(cube, grid);
  if (!(misfit <= 0.01)) return not_regular(file, "cdp_x and cdp_y are no regular lattice with right angles", "regrid the image");
  return moho_grid_check(grid);
}

moho_status moho_grid_from_cube(const moho_zarr_cube *cube, const char *file, moho_grid *out) {
  *out = moho_grid_default();
  moho_status status = fill_from_cube(cube, file, out);
  if (status) moho_grid_release(out);
  return status;
}
