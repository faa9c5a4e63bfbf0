/* image_pictures.c - a section of the stack, and the fold, as PNG. */
#include "survey/image_pictures.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "moho/view.h"

static moho_view_axis column_axis(const moho_grid *grid, int along_inline) {
  if (along_inline)
    return (moho_view_axis){.label = moho_grid_is_line(grid) ? "CDP" : "crossline",
                            .unit = "",
                            .first = grid->crossline_first,
                            .step = grid->crossline_step};
  return (moho_view_axis){.label = "inline", .unit = "", .first = grid->inline_first, .step = grid->inline_step};
}

static moho_view_axis time_axis(const moho_grid *grid) {
  return (moho_view_axis){.label = "time", .unit = "s", .first = grid->first_s, .step = grid->step_s};
}

static moho_status read_section(const moho_image_rows *rows, const moho_window *all, float *section) {
  moho_window window;
  const float *stack;
  for (size_t next = 0, done = 0; moho_image_rows_next(rows, 0, all, &next, &window); done = next) {
    MOHO_TRY(rows->read(rows->user, &window, 0, &stack, NULL));
    memcpy(section + done * rows->grid->n_time, stack, (next - done) * rows->grid->n_time * sizeof *section);
  }
  return MOHO_OK;
}

moho_status moho_draw_stack(const moho_image_rows *rows, const char *path, const char *title) {
  const moho_grid *grid = rows->grid;
  moho_view_options options = moho_view_options_default();
  int along = grid->n_crossline > 1 || grid->n_inline == 1;
  size_t middle = along ? grid->n_inline / 2 : 0, across = along ? grid->n_crossline : grid->n_inline;
  moho_window all = {.inline_first = middle, .n_inline = along ? 1 : across, .n_crossline = along ? across : 1};
  char subtitle[80];
  float *section;
  MOHO_TRY(moho_allocate(across * grid->n_time, sizeof *section, "picture of the stack", &section));
  snprintf(subtitle, sizeof subtitle, "inline %d", (int)(grid->inline_first + (int32_t)middle * grid->inline_step));
  options.title = title;
  options.subtitle = along && !moho_grid_is_line(grid) ? subtitle : NULL;
  options.value_label = "amplitude";
  options.across = column_axis(grid, along);
  options.down = time_axis(grid);
  moho_status status = read_section(rows, &all, section);
  if (!status) status = moho_view_write_png(path, section, across, grid->n_time, grid->n_time, 1, &options);
  free(section);
  return status;
}

/* Fold of a line as it is, else its maximum over time, column after column. */
static moho_status read_fold(const moho_image_rows *rows, int line, float *values) {
  const moho_window all = moho_grid_whole(rows->grid);
  size_t n = rows->grid->n_time;
  moho_window window;
  const int32_t *fold;
  for (size_t next = 0, done = 0; moho_image_rows_next(rows, 0, &all, &next, &window);) {
    MOHO_TRY(rows->read(rows->user, &window, 0, NULL, &fold));
    for (; done < next; done++, fold += n) {
      int32_t most = 0;
      for (size_t k = 0; k < n; k++) {
        if (line) values[done * n + k] = (float)fold[k];
        most = fold[k] > most ? fold[k] : most;
      }
      if (!line) values[done] = (float)most;
    }
  }
  return MOHO_OK;
}

moho_status moho_draw_fold(const moho_image_rows *rows, const char *path) {
  const moho_grid *grid = rows->grid;
  size_t columns = grid->n_inline * grid->n_crossline;
  int line = moho_grid_is_line(grid);
  float *values;
  MOHO_TRY(moho_allocate(line ? columns * grid->n_time : columns, sizeof *values, "fold picture", &values));
  moho_view_options options = moho_view_options_default();
  options.title = line ? "Fold" : "Fold (largest over time)";
  options.value_label = "traces";
  options.colours = MOHO_VIEW_SEQUENTIAL;
  options.symmetric = 0;
  options.across = column_axis(grid, grid->n_crossline > 1 || !line);
  options.down = line ? time_axis(grid) : column_axis(grid, 0);
  moho_status status = read_fold(rows, line, values);
  if (!status)
    status = line ? moho_view_write_png(path, values, columns, grid->n_time, grid->n_time, 1, &options)
                  : moho_view_write_png(path, values, grid->n_crossline, grid->n_inline, 1, grid->n_crossline, &options);
  free(values);
  return status;
}
