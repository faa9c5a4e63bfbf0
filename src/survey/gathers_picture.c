/* gathers_picture.c - the picture of a few gathers, side by side with a gap between them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/image_pictures.h"
#include "moho/view.h"

/* Traces of the whole picture, and gathers in it, at most. */
enum { MOST_TRACES = 360, MOST_GATHERS = 8 };

/* Columns of the middle inline, or of the only crossline, in equal steps. */
typedef struct chosen_gathers {
  size_t n, columns[MOST_GATHERS];
  char subtitle[160];
} chosen_gathers;

static chosen_gathers choose(const moho_grid *grid, size_t bins) {
  int along = grid->n_crossline > 1 || grid->n_inline == 1;
  size_t nodes = along ? grid->n_crossline : grid->n_inline, inline_index = grid->n_inline / 2;
  chosen_gathers chosen = {.n = MOST_TRACES / (bins + 1)};
  if (chosen.n < 1) chosen.n = 1;
  chosen.n = moho_smaller(moho_smaller(chosen.n, MOST_GATHERS), nodes);
  int length = 0;
  if (along && !moho_grid_is_line(grid))
    length = snprintf(chosen.subtitle, sizeof chosen.subtitle, "inline %d, ",
                      (int)(grid->inline_first + (int32_t)inline_index * grid->inline_step));
  length += snprintf(chosen.subtitle + length, sizeof chosen.subtitle - (size_t)length, "%s",
                     !along                    ? "inlines"
                     : moho_grid_is_line(grid) ? "CDPs"
                                               : "crosslines");
  for (size_t k = 0; k < chosen.n; k++) {
    size_t node = (2 * k + 1) * nodes / (2 * chosen.n);
    chosen.columns[k] = along ? inline_index * grid->n_crossline + node : node;
    int number = along ? (int)(grid->crossline_first + (int32_t)node * grid->crossline_step)
                       : (int)(grid->inline_first + (int32_t)node * grid->inline_step);
    length += snprintf(chosen.subtitle + length, sizeof chosen.subtitle - (size_t)length, " %d", number);
  }
  return chosen;
}

static moho_status read_gathers(const moho_image_rows *rows, const chosen_gathers *chosen, float *traces) {
  size_t bins = moho_gather_bins_count(rows->bins), n = rows->grid->n_time;
  for (size_t g = 0; g < chosen->n; g++, traces += (bins + 1) * n) {
    moho_window window = {.inline_first = chosen->columns[g] / rows->grid->n_crossline,
                          .n_inline = 1,
                          .crossline_first = chosen->columns[g] % rows->grid->n_crossline,
                          .n_crossline = 1};
    const float *values;
    const int32_t *fold;
    MOHO_TRY(rows->read(rows->user, &window, 1, &values, &fold));
    for (size_t s = 0; s < bins * n; s++) traces[s] = fold[s] > 0 ? values[s] : NAN;
    for (size_t s = bins * n; g + 1 < chosen->n && s < (bins + 1) * n; s++) traces[s] = NAN; /* the gap */
  }
  return MOHO_OK;
}

moho_status moho_draw_gathers(const moho_image_rows *rows, const char *path, const char *title) {
  const moho_grid *grid = rows->grid;
  size_t bins = moho_gather_bins_count(rows->bins), n = grid->n_time;
  chosen_gathers chosen = choose(grid, bins);
  size_t across = chosen.n * (bins + 1) - 1;
  static const char *const labels[] = {"", "offset bin", "tile", "angle bin"};
  char label[80];
  float *traces;
  MOHO_TRY(moho_allocate(across * n, sizeof *traces, "picture of gathers", &traces));
  snprintf(label, sizeof label, "%s (%zu a gather)", labels[rows->bins->kind], bins);
  moho_view_options options = moho_view_options_default();
  options.title = title;
  options.subtitle = chosen.subtitle;
  options.across = (moho_view_axis){.label = label, .unit = "", .first = 1, .step = 1};
  options.down = (moho_view_axis){.label = "time", .unit = "s", .first = grid->first_s, .step = grid->step_s};
  moho_status status = read_gathers(rows, &chosen, traces);
  if (!status) status = moho_view_write_png(path, traces, across, n, n, 1, &options);
  free(traces);
  return status;
}
