/* view_plot.h - where the parts of a picture lie, and the parts themselves. */
#ifndef MOHO_SURVEY_VIEW_PLOT_H
#define MOHO_SURVEY_VIEW_PLOT_H

#include "moho/view.h"
#include "survey/view_axis.h"
#include "survey/view_canvas.h"
#include "survey/view_range.h"

typedef struct moho_view_plot {
  const moho_view_options *options;
  moho_view_data data;
  moho_view_range range;
  int width, height; /* of the picture */
  double font;       /* size, pixels */
  int x, y, plot_width, plot_height;
  double across_low, across_high, down_low, down_high; /* values at the edges */
  moho_ticks across, down, bar;
  char across_caption[160], down_caption[160], bar_caption[160];
  int bar_x, bar_width;
} moho_view_plot;

#define MOHO_VIEW_INK ((moho_colour){32, 34, 40})
#define MOHO_VIEW_MUTED ((moho_colour){92, 97, 106})
#define MOHO_VIEW_MISSING ((moho_colour){178, 191, 206})

/* Sizes, margins and ticks for the options and data in `plot`. MOHO_ERROR_ARGUMENT when the picture is too small for them. */
moho_status moho_view_lay_out(moho_view_plot *plot);

moho_status moho_view_draw_samples(const moho_view_plot *plot, moho_canvas *canvas);
moho_status moho_view_draw_wiggles(const moho_view_plot *plot, moho_canvas *canvas);
moho_status moho_view_draw_lines(const moho_view_plot *plot, moho_canvas *canvas);
moho_status moho_view_draw_frame(const moho_view_plot *plot, moho_canvas *canvas); /* axes, titles, colour bar */

#endif
