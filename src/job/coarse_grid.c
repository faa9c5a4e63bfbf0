/* coarse_grid.c - every so-manieth column and time of a grid. */
#include "job/coarse_grid.h"

#include "base/fail.h"

static size_t thinned(size_t n, size_t every) {
  return (n - 1) / every + 1;
}

moho_status moho_grid_coarsen(const moho_grid *grid, size_t columns, size_t times, moho_grid *out) {
  MOHO_TRY(moho_grid_copy(grid, out));
  out->n_inline = thinned(grid->n_inline, columns), out->n_crossline = thinned(grid->n_crossline, columns);
  out->n_time = thinned(grid->n_time, times);
  /* An axis of one node keeps its spacing: it is that of a bin. */
  if (grid->n_inline > 1) out->inline_spacing_m *= (double)columns, out->inline_step *= (int32_t)columns;
  out->crossline_spacing_m *= (double)columns, out->crossline_step *= (int32_t)columns;
  out->step_s *= (double)times;
  for (size_t j = 0; out->line_x_m && j < out->n_crossline; j++) {
    out->line_x_m[j] = grid->line_x_m[j * columns];
    out->line_y_m[j] = grid->line_y_m[j * columns];
  }
  return MOHO_OK;
}
