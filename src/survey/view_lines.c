/* view_lines.c - lines and dots over a picture: picks, boundaries. */
#include <math.h>

#include "survey/view_plot.h"

typedef struct point {
  double x, y;
} point;

static point place(const moho_view_plot *plot, double across, double down) {
  return (point){plot->x + (across - plot->across_low) / (plot->across_high - plot->across_low) * plot->plot_width,
                 plot->y + (down - plot->down_low) / (plot->down_high - plot->down_low) * plot->plot_height};
}

static int is_inside(const moho_view_plot *plot, point p) {
  return p.x >= plot->x && p.x <= plot->x + plot->plot_width && p.y >= plot->y && p.y <= plot->y + plot->plot_height;
}

/* White beneath and wider, so that a line shows on every colour. */
static moho_status draw_line(const moho_view_plot *plot, moho_canvas *canvas, const moho_view_line *line, double width,
                             moho_colour colour) {
  moho_stroke stroke;
  MOHO_TRY(moho_stroke_begin(canvas, plot->x, plot->y, plot->x + plot->plot_width, plot->y + plot->plot_height, &stroke));
  for (size_t k = 0; k < line->n; k++) {
    point here = place(plot, line->across[k], line->down[k]), before = here;
    if (!line->dots && k) before = place(plot, line->across[k - 1], line->down[k - 1]);
    if (!isfinite(here.x + here.y) || !isfinite(before.x + before.y) || !is_inside(plot, here) || !is_inside(plot, before))
      continue;
    if (line->dots || k) moho_stroke_line(&stroke, before.x, before.y, here.x, here.y, line->dots ? 2.5 * width : width);
  }
  moho_stroke_paint(&stroke, canvas, colour);
  return MOHO_OK;
}

moho_status moho_view_draw_lines(const moho_view_plot *plot, moho_canvas *canvas) {
  double width = fmax(1.5, plot->font / 8);
  for (size_t i = 0; i < plot->options->n_lines; i++) {
    const moho_view_line *line = &plot->options->lines[i];
    MOHO_TRY(draw_line(plot, canvas, line, width + fmax(1.5, plot->font / 12), (moho_colour){255, 255, 255}));
    MOHO_TRY(draw_line(plot, canvas, line, width, (moho_colour){line->red, line->green, line->blue}));
  }
  return MOHO_OK;
}
