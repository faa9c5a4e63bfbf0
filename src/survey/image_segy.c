/* image_segy.c - the stack of an image as SEG-Y: a trace a column, inline after inline. */
#include "moho/image.h"
#include "base/fail.h"
#include "survey/segy_writer.h"

static void place_trace(const moho_image *image, size_t i, size_t j, moho_geometry *g) {
  const moho_grid *grid = &image->grid;
  double x, y;
  moho_grid_node(grid, i, j, &x, &y);
  g->source_x[j] = g->receiver_x[j] = x;
  g->source_y[j] = g->receiver_y[j] = y;
  g->first_sample_s[j] = grid->first_s;
  g->inline_number[j] = (int32_t)(grid->inline_first + (int64_t)i * grid->inline_step);
  g->crossline_number[j] = (int32_t)(grid->crossline_first + (int64_t)j * grid->crossline_step);
  size_t count = i * grid->n_crossline + j + 1;
  g->cdp[j] = moho_grid_is_line(grid) ? g->crossline_number[j] : count <= INT32_MAX ? (int32_t)count : 0;
}

/* A column that no trace reached is a dead trace. */
static uint8_t column_flags(const moho_image *image, size_t column) {
  size_t n = image->grid.n_time;
  for (size_t k = 0; image->fold && k < n; k++)
    if (image->fold[column * n + k]) return 0;
  return image->fold ? MOHO_TRACE_DEAD : 0;
}

moho_status moho_image_write_segy(const moho_image *image, const char *path, const char *description) {
  const moho_grid *grid = &image->grid;
  moho_segy_writer_options options = {.stacked = 1,
                                      .n_traces = grid->n_inline * grid->n_crossline,
                                      .n_samples = grid->n_time,
                                      .dt_s = grid->step_s,
                                      .description = description};
  moho_segy_writer *writer;
  moho_geometry line;
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_geometry_create(grid->n_crossline, &line));
  moho_status status = moho_segy_writer_create(path, &options, &writer);
  for (size_t i = 0; !status && i < grid->n_inline; i++) {
    for (size_t j = 0; j < grid->n_crossline; j++) {
      place_trace(image, i, j, &line);
      line.flags[j] = column_flags(image, i * grid->n_crossline + j);
    }
    status = moho_segy_writer_append(writer, &line, image->stack + i * grid->n_crossline * grid->n_time);
  }
  moho_geometry_release(&line);
  if (!status) return moho_segy_writer_finish(&writer);
  moho_segy_writer_discard(&writer);
  return status;
}
