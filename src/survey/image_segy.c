/* image_segy.c - the stack of an image as SEG-Y: a trace a column, inline after inline. */
#include "survey/image_rows.h"

#include "base/fail.h"
#include "survey/segy_writer.h"
#include "survey/trace_header_write.h"

static void place_trace(const moho_grid *grid, size_t i, size_t j, moho_geometry *g, size_t t) {
  double x, y;
  moho_grid_node(grid, i, j, &x, &y);
  g->source_x[t] = g->receiver_x[t] = x;
  g->source_y[t] = g->receiver_y[t] = y;
  g->first_sample_s[t] = grid->first_s;
  g->inline_number[t] = (int32_t)(grid->inline_first + (int64_t)i * grid->inline_step);
  g->crossline_number[t] = (int32_t)(grid->crossline_first + (int64_t)j * grid->crossline_step);
  size_t count = i * grid->n_crossline + j + 1;
  g->cdp[t] = moho_grid_is_line(grid) ? g->crossline_number[t] : count <= INT32_MAX ? (int32_t)count : 0;
}

static void place_window(const moho_grid *grid, const moho_window *w, moho_geometry *g) {
  for (size_t t = 0; t < g->n; t++)
    place_trace(grid, w->inline_first + t / w->n_crossline, w->crossline_first + t % w->n_crossline, g, t);
}

/* From the first inline, however the image is cut into pieces. */
static moho_status find_divisor(const moho_grid *grid, int *divisor) {
  moho_geometry line;
  const moho_window first = {.n_inline = 1, .n_crossline = grid->n_crossline};
  MOHO_TRY(moho_geometry_create(grid->n_crossline, &line));
  place_window(grid, &first, &line);
  *divisor = moho_trace_header_divisor(&line);
  moho_geometry_release(&line);
  return MOHO_OK;
}

static moho_status append_window(const moho_image_rows *rows, const moho_window *w, moho_segy_writer *writer) {
  const float *stack;
  const int32_t *fold;
  moho_geometry geometry;
  MOHO_TRY(rows->read(rows->user, w, 0, &stack, &fold));
  MOHO_TRY(moho_geometry_create(w->n_inline * w->n_crossline, &geometry));
  place_window(rows->grid, w, &geometry);
  for (size_t t = 0; fold && t < geometry.n; t++)
    geometry.flags[t] = moho_image_trace_flags(fold + t * rows->grid->n_time, rows->grid->n_time);
  moho_status status = moho_segy_writer_append(writer, &geometry, stack);
  moho_geometry_release(&geometry);
  return status;
}

moho_status moho_image_rows_write_segy(const moho_image_rows *rows, const char *path, const char *description) {
  const moho_grid *grid = rows->grid;
  moho_segy_writer_options options = {.stacked = 1,
                                      .n_traces = grid->n_inline * grid->n_crossline,
                                      .n_samples = grid->n_time,
                                      .dt_s = grid->step_s,
                                      .description = description};
  moho_segy_writer *writer;
  moho_window window, all = moho_grid_whole(grid);
  size_t next = 0;
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(find_divisor(grid, &options.coordinate_divisor));
  moho_status status = moho_segy_writer_create(path, &options, &writer);
  while (!status && moho_image_rows_next(rows, 0, &all, &next, &window)) status = append_window(rows, &window, writer);
  if (!status) return moho_segy_writer_finish(&writer);
  moho_segy_writer_discard(&writer);
  return status;
}

moho_status moho_image_write_segy(const moho_image *image, const char *path, const char *description) {
  moho_image_rows rows = moho_image_rows_of(image);
  return moho_image_rows_write_segy(&rows, path, description);
}
