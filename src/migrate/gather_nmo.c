/* gather_nmo.c - image gathers with the move-out of the migration velocity put back, and an outer mute.
 *
 *   t^2 = t0^2 + h^2 / v_rms(t0)^2,   out(t) = gather(t0)
 *
 * h: the middle of the bin, which the offset header says, so that whoever takes the move-out off again finds t0 (moveout.h).
 */
#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/moveout.h"
#include "migrate/tile_plan.h"
#include "moho/migration.h"

enum { MUTE_TAPER = 8 }; /* samples below the line */

static moho_status check_gathers(const moho_image *image) {
  if (!image->gathers || !image->gathers_fold) return moho_fail(MOHO_ERROR_ARGUMENT, "the image has no gathers");
  if (image->bins.kind != MOHO_GATHERS_ANGLE) return MOHO_OK;
  return moho_fail_at((moho_place){.key = "gathers.kind"}, "use gathers by offset or by tile", MOHO_ERROR_ARGUMENT,
                      "gathers by angle have no offsets: neither move-out nor an outer mute belongs to them");
}

/* ---- inverse NMO ---- */

/* One thread's: a column's velocity, a bin's places, its fold as it was. */
typedef struct nmo_scratch {
  moho_moveout moveout;
  double *v;
  int32_t *fold;
} nmo_scratch;

/* gather, fold [n]: one bin of one column, in place. */
static void put_back(double offset, nmo_scratch *s, float *gather, int32_t *fold) {
  size_t n = s->moveout.n;
  const double *place = s->moveout.place;
  moho_moveout_find(&s->moveout, s->v, offset);
  moho_moveout_move(&s->moveout, gather);
  memcpy(s->fold, fold, n * sizeof *fold);
  for (size_t j = 0; j < n; j++) fold[j] = place[j] < 0 ? 0 : s->fold[(size_t)(place[j] + 0.5)];
}

/* x, y: of column c. */
static moho_status put_back_column(const moho_velocity *velocity, double x, double y, size_t c, nmo_scratch *s,
                                   moho_image *image) {
  const moho_grid *g = &image->grid;
  size_t bins = moho_gather_bins_count(&image->bins);
  MOHO_TRY(moho_velocity_rms(velocity, x, y, g->first_s, g->step_s, g->n_time, s->v));
  for (size_t b = 0; b < bins; b++) {
    size_t row = (c * bins + b) * g->n_time;
    put_back(fabs(moho_gather_bin_centre(&image->bins, b)), s, image->gathers + row, image->gathers_fold + row);
  }
  return MOHO_OK;
}

static moho_status allocate_scratch(const moho_grid *g, nmo_scratch *s) {
  MOHO_TRY(moho_moveout_create(g->n_time, g->first_s, g->step_s, &s->moveout));
  MOHO_TRY(moho_allocate(g->n_time, sizeof *s->v, "inverse NMO", &s->v));
  return moho_allocate(g->n_time, sizeof *s->fold, "inverse NMO", &s->fold);
}

moho_status moho_image_inverse_nmo(moho_image *image, const moho_velocity *velocity) {
  moho_window whole = moho_grid_whole(&image->grid);
  return moho_image_inverse_nmo_window(image, &image->grid, &whole, velocity);
}

moho_status moho_image_inverse_nmo_window(moho_image *image, const moho_grid *grid, const moho_window *window,
                                          const moho_velocity *velocity) {
  MOHO_TRY(check_gathers(image));
  MOHO_TRY(moho_grid_check_window(grid, window));
  if (window->n_inline != image->grid.n_inline || window->n_crossline != image->grid.n_crossline)
    return moho_fail(MOHO_ERROR_SHAPE, "the image has %zu x %zu columns, expected the window's %zu x %zu", image->grid.n_inline,
                     image->grid.n_crossline, window->n_inline, window->n_crossline);
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel
  {
    nmo_scratch s = {0};
    moho_status own = allocate_scratch(&image->grid, &s);
#pragma omp for schedule(dynamic, 4)
    for (size_t c = 0; c < window->n_inline * window->n_crossline; c++) {
      double x, y;
      moho_window_node(grid, window, c, &x, &y);
      if (!own) own = put_back_column(velocity, x, y, c, &s, image);
    }
    if (own) {
#pragma omp critical(moho_gather_error)
      if (!status) status = own, error = moho_error_take();
    }
    moho_moveout_release(&s.moveout);
    free(s.v), free(s.fold);
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- mute ---- */

/* Piecewise linear through (offset, time), constant beyond either end. */
static double mute_time(const double *offset_m, const double *time_s, size_t n, double offset) {
  if (offset <= offset_m[0]) return time_s[0];
  for (size_t i = 1; i < n; i++)
    if (offset <= offset_m[i])
      return time_s[i - 1] + (time_s[i] - time_s[i - 1]) * (offset - offset_m[i - 1]) / (offset_m[i] - offset_m[i - 1]);
  return time_s[n - 1];
}

static moho_status check_mute(const double *offset_m, const double *time_s, size_t n) {
  static const char *const hint = "write pairs with ascending offsets: [0, 0.1, 1000, 0.6, 3000, 1.8]";
  if (!n) return moho_fail_at((moho_place){.key = "gathers.outer_mute"}, hint, MOHO_ERROR_ARGUMENT, "the mute has no points");
  for (size_t i = 0; i < n; i++)
    if (!isfinite(time_s[i]) || !(offset_m[i] >= 0) || !isfinite(offset_m[i]) || (i && !(offset_m[i] > offset_m[i - 1])))
      return moho_fail_at((moho_place){.key = "gathers.outer_mute"}, hint, MOHO_ERROR_RANGE,
                          "point %zu of the mute is %g m, %g s, expected finite times and ascending offsets from 0 m on", i + 1,
                          offset_m[i], time_s[i]);
  return MOHO_OK;
}

moho_status moho_image_mute_gathers(moho_image *image, const double *offset_m, const double *time_s, size_t n) {
  MOHO_TRY(check_gathers(image));
  MOHO_TRY(check_mute(offset_m, time_s, n));
  const moho_grid *g = &image->grid;
  size_t bins = moho_gather_bins_count(&image->bins);
#pragma omp parallel for schedule(static)
  for (size_t row = 0; row < g->n_inline * g->n_crossline * bins; row++) {
    double offset = fabs(moho_gather_bin_centre(&image->bins, row % bins));
    double above = (mute_time(offset_m, time_s, n, offset) - g->first_s) / g->step_s;
    float *gather = image->gathers + row * g->n_time;
    int32_t *fold = image->gathers_fold + row * g->n_time;
    for (size_t k = 0; k < g->n_time && (double)k < above + MUTE_TAPER; k++) {
      double past = ((double)k - above) / MUTE_TAPER;
      if (past < 0) gather[k] = 0, fold[k] = 0;
      else gather[k] *= (float)(0.5 - 0.5 * cos(3.14159265358979323846 * past));
    }
  }
  return MOHO_OK;
}
