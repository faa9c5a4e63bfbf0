/* quality_image_draw.c - the pictures of an image: its middle section, its fold, its spectrum. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "moho/view.h"
#include "survey/quality_draw.h"

static moho_view_axis column_axis(const moho_grid *g, int along) {
  if (along)
    return (moho_view_axis){
        .label = moho_grid_is_line(g) ? "CDP" : "crossline", .unit = "", .first = g->crossline_first, .step = g->crossline_step};
  return (moho_view_axis){.label = "inline", .unit = "", .first = g->inline_first, .step = g->inline_step};
}

static moho_status draw_stack(const moho_image *image, const char *path) {
  const moho_grid *g = &image->grid;
  int along = g->n_crossline > 1 || g->n_inline == 1;
  size_t middle = along ? g->n_inline / 2 : 0;
  moho_view_options options = moho_view_options_default();
  char subtitle[60];
  snprintf(subtitle, sizeof subtitle, "inline %d", (int)(g->inline_first + (int32_t)middle * g->inline_step));
  options.title = "Stack", options.subtitle = along && !moho_grid_is_line(g) ? subtitle : NULL;
  options.across = column_axis(g, along);
  options.down = (moho_view_axis){.label = "time", .unit = "s", .first = g->first_s, .step = g->step_s};
  return moho_view_write_png(path, image->stack + middle * g->n_crossline * g->n_time, along ? g->n_crossline : g->n_inline,
                             g->n_time, g->n_time, 1, &options);
}

/* The largest fold of each column, as a map or along a line. */
static moho_status draw_fold(const moho_image *image, const char *path) {
  const moho_grid *g = &image->grid;
  size_t columns = g->n_inline * g->n_crossline;
  float *values;
  MOHO_TRY(moho_allocate(columns, sizeof *values, "fold picture", &values));
  for (size_t c = 0; c < columns; c++)
    for (size_t k = 0; k < g->n_time; k++) {
      float fold = (float)image->fold[c * g->n_time + k];
      values[c] = fold > values[c] ? fold : values[c];
    }
  moho_view_options options = moho_view_options_default();
  options.title = "Fold (largest over time)", options.value_label = "traces";
  options.colours = MOHO_VIEW_SEQUENTIAL, options.symmetric = 0;
  options.across = column_axis(g, 1), options.down = column_axis(g, 0);
  moho_status status = moho_view_write_png(path, values, g->n_crossline, g->n_inline, 1, g->n_crossline, &options);
  free(values);
  return status;
}

moho_status moho_image_quality_draw(const moho_image *image, const moho_image_quality *quality, const char *directory) {
  const moho_spectrum *spectrum = &quality->spectrum;
  const char *const names[] = {"stack.png", "fold.png", "spectrum.png"};
  const int wanted[] = {1, image->fold != NULL, spectrum->traces > 0};
  MOHO_TRY(moho_directory_make(directory));
  for (int i = 0; i < 3; i++) {
    char *path;
    if (!wanted[i]) continue;
    MOHO_TRY(moho_quality_path(directory, names[i], &path));
    moho_status status = i == 0   ? draw_stack(image, path)
                         : i == 1 ? draw_fold(image, path)
                                  : moho_spectrum_draw(&spectrum, NULL, 1, "Mean amplitude spectrum of the image", path);
    free(path);
    if (status) return status;
  }
  return MOHO_OK;
}
