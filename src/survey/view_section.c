/* view_section.c - the picture of a section, a time slice or a map, put together. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/view_colours.h"
#include "survey/view_plot.h"

enum { MOST_PIXELS = 20000 };

moho_view_options moho_view_options_default(void) {
  return (moho_view_options){.value_label = "amplitude",
                             .colours = MOHO_VIEW_GREY,
                             .clip_percentile = 99,
                             .symmetric = 1,
                             .across = {.label = "trace", .unit = "", .first = 1, .step = 1},
                             .down = {.label = "time", .unit = "s", .first = 0, .step = 1}};
}

moho_status moho_view_draw_samples(const moho_view_plot *plot, moho_canvas *canvas) {
  moho_colour table[256];
  size_t pixels = (size_t)plot->plot_width * (size_t)plot->plot_height;
  float *values;
  MOHO_TRY(moho_allocate(pixels, sizeof *values, "picture", &values));
  moho_status status = moho_view_resample(&plot->data, plot->options->symmetric, plot->plot_width, plot->plot_height, values);
  moho_colours_fill(plot->options->colours, table);
  for (int y = 0; !status && y < plot->plot_height; y++)
    for (int x = 0; x < plot->plot_width; x++) {
      double value = values[(size_t)y * (size_t)plot->plot_width + (size_t)x];
      double t = fmin(fmax((value - plot->range.low) / (plot->range.high - plot->range.low), 0), 1);
      moho_canvas_blend(canvas, plot->x + x, plot->y + y, isfinite(value) ? table[lrint(255 * t)] : MOHO_VIEW_MISSING, 1);
    }
  free(values);
  return status;
}

static moho_status check_options(const char *path, const float *data, size_t n_across, size_t n_down,
                                 const moho_view_options *o) {
  moho_place place = {.file = path};
  if (!data || n_across < 1 || n_down < 1)
    return moho_fail_at(place, NULL, MOHO_ERROR_ARGUMENT, "%s: %zu x %zu samples, expected at least one to draw", path, n_across,
                        n_down);
  if (!(o->clip_percentile > 0 && o->clip_percentile <= 100))
    return moho_fail_at(place, "99 clips one sample in a hundred", MOHO_ERROR_RANGE,
                        "%s: clip percentile %g, expected above 0 and at most 100", path, o->clip_percentile);
  if (o->width < 0 || o->height < 0 || o->width > MOST_PIXELS || o->height > MOST_PIXELS)
    return moho_fail_at(place, "0 has the size chosen from the data", MOHO_ERROR_RANGE,
                        "%s: %d x %d pixels, expected 0 to %d each", path, o->width, o->height, (int)MOST_PIXELS);
  return MOHO_OK;
}

static moho_status draw_picture(moho_view_plot *plot, moho_canvas *canvas) {
  MOHO_TRY(moho_view_draw_samples(plot, canvas));
  if (plot->options->wiggles) MOHO_TRY(moho_view_draw_wiggles(plot, canvas));
  MOHO_TRY(moho_view_draw_lines(plot, canvas));
  return moho_view_draw_frame(plot, canvas);
}

moho_status moho_view_write_png(const char *path, const float *data, size_t n_across, size_t n_down, size_t stride_across,
                                size_t stride_down, const moho_view_options *options) {
  moho_view_plot plot = {.options = options, .data = {data, n_across, n_down, stride_across, stride_down}};
  moho_canvas canvas;
  MOHO_TRY(check_options(path, data, n_across, n_down, options));
  MOHO_TRY(moho_view_find_range(&plot.data, options, &plot.range));
  moho_status status = moho_view_lay_out(&plot);
  if (status) return moho_fail_add_place((moho_place){.file = path}, NULL);
  MOHO_TRY(moho_canvas_create(plot.width, plot.height, (moho_colour){255, 255, 255}, &canvas));
  status = draw_picture(&plot, &canvas);
  if (!status) status = moho_canvas_write_png(&canvas, path, options->title);
  moho_canvas_release(&canvas);
  return status;
}
