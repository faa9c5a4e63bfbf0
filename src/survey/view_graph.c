/* view_graph.c - curves and bars over two axes: histograms, spectra, fold along a line, velocity functions. */
#include <math.h>
#include <stdlib.h>

#include "survey/view_axis.h"
#include "survey/view_font.h"
#include "survey/view_plot.h"

#define GRID_INK ((moho_colour){224, 227, 232})
#define BAND_INK ((moho_colour){226, 238, 226})

static const double font = 18;

typedef struct graph_plot {
  const moho_view_graph *graph;
  moho_canvas *canvas;
  double x, y, width, height; /* of the plot, pixels */
  double x_low, x_high, y_low, y_high;
  moho_ticks across, down;
  char x_caption[160], y_caption[160];
} graph_plot;

static double pixel_x(const graph_plot *p, double value) {
  return p->x + (value - p->x_low) / (p->x_high - p->x_low) * p->width;
}

static double pixel_y(const graph_plot *p, double value) {
  return p->y + p->height - (value - p->y_low) / (p->y_high - p->y_low) * p->height;
}

static double clamp(double value, double low, double high) {
  return value < low ? low : value > high ? high : value;
}

/* ---- ranges ---- */

static double bar_width(const moho_view_series *s) {
  return s->n > 1 ? fabs(s->x[1] - s->x[0]) : 1;
}

static void find_ranges(graph_plot *p) {
  const moho_view_graph *g = p->graph;
  double x_low = INFINITY, x_high = -INFINITY, y_low = INFINITY, y_high = -INFINITY;
  for (size_t i = 0; i < g->n_series; i++) {
    const moho_view_series *s = &g->series[i];
    double half = s->bars ? 0.5 * bar_width(s) : 0;
    for (size_t k = 0; k < s->n; k++) {
      if (!isfinite(s->x[k]) || !isfinite(s->y[k])) continue;
      x_low = fmin(x_low, s->x[k] - half), x_high = fmax(x_high, s->x[k] + half);
      y_low = fmin(y_low, s->bars ? fmin(0, s->y[k]) : s->y[k]), y_high = fmax(y_high, s->y[k]);
    }
  }
  if (!(x_high > x_low)) x_low = isfinite(x_low) ? x_low - 0.5 : 0, x_high = x_low + 1;
  if (!isfinite(y_low)) y_low = 0, y_high = 1;
  if (!(y_high > y_low)) y_low = fmin(0, y_low), y_high = fmax(y_high, y_low + 1);
  else if (y_low >= 0 && y_low < 0.5 * y_high) y_low = 0;
  y_high += 0.04 * (y_high - y_low);
  p->x_low = g->x_low != g->x_high ? g->x_low : x_low, p->x_high = g->x_low != g->x_high ? g->x_high : x_high;
  p->y_low = g->y_low != g->y_high ? g->y_low : y_low, p->y_high = g->y_low != g->y_high ? g->y_high : y_high;
}

/* ---- layout ---- */

static double widest_label(const moho_ticks *ticks) {
  double widest = 0;
  for (size_t i = 0; i < ticks->n; i++) widest = fmax(widest, moho_text_width(ticks->labels[i], font));
  return widest;
}

static void lay_out(graph_plot *p) {
  const moho_view_graph *g = p->graph;
  p->y = 0.8 * font + (g->title ? 1.75 * font : 0) + (g->subtitle ? 1.45 * font : 0);
  p->height = p->canvas->height - p->y - 4.3 * font;
  p->down = moho_ticks_between(p->y_low, p->y_high, (size_t)fmax(2, p->height / (3 * font)), 0, MOHO_PLAIN_COORDINATES);
  p->x = 3.1 * font + widest_label(&p->down);
  p->width = p->canvas->width - p->x - 1.6 * font;
  p->across = moho_ticks_between(p->x_low, p->x_high, (size_t)fmax(2, p->width / (5 * font)), 0, MOHO_PLAIN_COORDINATES);
  moho_axis_caption(g->x_label, g->x_unit, p->across.exponent, p->x_caption, sizeof p->x_caption);
  moho_axis_caption(g->y_label, g->y_unit, p->down.exponent, p->y_caption, sizeof p->y_caption);
}

/* ---- drawing ---- */

static moho_status draw_axes(const graph_plot *p) {
  double bottom = p->y + p->height;
  moho_text_style style = {.size = font, .align = MOHO_ALIGN_MIDDLE, .colour = MOHO_VIEW_INK};
  for (size_t i = 0; i < p->across.n; i++) {
    double x = rint(pixel_x(p, p->across.values[i]));
    moho_canvas_fill(p->canvas, x, p->y, x + 1, bottom + 0.4 * font, GRID_INK, 1);
    MOHO_TRY(moho_text_draw(p->canvas, x, bottom + 1.45 * font, p->across.labels[i], &style));
  }
  MOHO_TRY(moho_text_draw(p->canvas, p->x + 0.5 * p->width, bottom + 3.2 * font, p->x_caption, &style));
  style.align = MOHO_ALIGN_END;
  for (size_t i = 0; i < p->down.n; i++) {
    double y = rint(pixel_y(p, p->down.values[i]));
    moho_canvas_fill(p->canvas, p->x - 0.4 * font, y, p->x + p->width, y + 1, GRID_INK, 1);
    MOHO_TRY(moho_text_draw(p->canvas, p->x - 0.65 * font, y + 0.35 * font, p->down.labels[i], &style));
  }
  style.align = MOHO_ALIGN_MIDDLE, style.upright = 1;
  return moho_text_draw(p->canvas, 1.5 * font, p->y + 0.5 * p->height, p->y_caption, &style);
}

static void draw_bars(const graph_plot *p, const moho_view_series *s) {
  double each = bar_width(s) / (p->x_high - p->x_low) * p->width; /* pixels; gaps between narrow bars would flicker */
  double half = (each > 6 ? 0.46 : 0.5) * bar_width(s), zero = clamp(pixel_y(p, 0), p->y, p->y + p->height);
  for (size_t k = 0; k < s->n; k++) {
    if (!isfinite(s->y[k]) || s->y[k] == 0) continue;
    double left = pixel_x(p, s->x[k] - half), right = pixel_x(p, s->x[k] + half),
           top = clamp(pixel_y(p, s->y[k]), p->y, p->y + p->height);
    if (right < p->x || left > p->x + p->width) continue;
    if (fabs(top - zero) < 1.5) top = zero - 1.5; /* what is not 0 shows */
    moho_canvas_fill(p->canvas, clamp(left, p->x, right), fmin(top, zero), fmin(right, p->x + p->width), fmax(top, zero),
                     (moho_colour){s->red, s->green, s->blue}, 1);
  }
}

static moho_status draw_curve(const graph_plot *p, const moho_view_series *s) {
  moho_stroke stroke;
  MOHO_TRY(moho_stroke_begin(p->canvas, p->x, p->y, p->x + p->width, p->y + p->height, &stroke));
  for (size_t k = 1; k < s->n; k++) {
    double x0 = pixel_x(p, s->x[k - 1]), x1 = pixel_x(p, s->x[k]), y0 = pixel_y(p, s->y[k - 1]), y1 = pixel_y(p, s->y[k]);
    if (!isfinite(x0 + x1 + y0 + y1) || fmax(x0, x1) < p->x || fmin(x0, x1) > p->x + p->width) continue;
    moho_stroke_line(&stroke, clamp(x0, p->x, p->x + p->width), clamp(y0, p->y, p->y + p->height),
                     clamp(x1, p->x, p->x + p->width), clamp(y1, p->y, p->y + p->height), 2.5);
  }
  moho_stroke_paint(&stroke, p->canvas, (moho_colour){s->red, s->green, s->blue});
  return MOHO_OK;
}

static moho_status draw_legend(const graph_plot *p) {
  double y = p->y + 1.1 * font, right = p->x + p->width - 0.8 * font;
  for (size_t i = 0; i < p->graph->n_series; i++) {
    const moho_view_series *s = &p->graph->series[i];
    if (!s->label) continue;
    double left = right - moho_text_width(s->label, font) - 1.6 * font;
    moho_text_style style = {.size = font, .align = MOHO_ALIGN_END, .colour = MOHO_VIEW_INK};
    moho_canvas_fill(p->canvas, left - 0.4 * font, y - 0.95 * font, right + 0.4 * font, y + 0.45 * font,
                     (moho_colour){255, 255, 255}, 0.85f);
    moho_canvas_fill(p->canvas, left, y - 0.5 * font, left + 1.2 * font, y - 0.2 * font, (moho_colour){s->red, s->green, s->blue},
                     1);
    MOHO_TRY(moho_text_draw(p->canvas, right, y, s->label, &style));
    y += 1.5 * font;
  }
  return MOHO_OK;
}

static moho_status draw_titles(const graph_plot *p) {
  const moho_view_graph *g = p->graph;
  double y = 0.9 * font, room = p->canvas->width - p->x - 0.5 * font;
  moho_text_style title = {.size = 1.3 * font, .bold = 1, .colour = MOHO_VIEW_INK},
                  subtitle = {.size = font, .colour = MOHO_VIEW_MUTED};
  if (g->title) {
    title.size *= fmin(1, room / fmax(1, moho_text_width(g->title, title.size)));
    MOHO_TRY(moho_text_draw(p->canvas, p->x, y + font, g->title, &title));
    y += 1.75 * font;
  }
  if (!g->subtitle) return MOHO_OK;
  subtitle.size *= fmin(1, room / fmax(1, moho_text_width(g->subtitle, subtitle.size)));
  return moho_text_draw(p->canvas, p->x, y + 0.75 * font, g->subtitle, &subtitle);
}

static void draw_box(const graph_plot *p) {
  double x = rint(p->x), y = rint(p->y), right = rint(p->x + p->width), bottom = rint(p->y + p->height);
  moho_canvas_fill(p->canvas, x - 1, y - 1, right + 1, y, MOHO_VIEW_INK, 1);
  moho_canvas_fill(p->canvas, x - 1, bottom, right + 1, bottom + 1, MOHO_VIEW_INK, 1);
  moho_canvas_fill(p->canvas, x - 1, y, x, bottom, MOHO_VIEW_INK, 1);
  moho_canvas_fill(p->canvas, right, y, right + 1, bottom, MOHO_VIEW_INK, 1);
}

static moho_status draw(graph_plot *p) {
  const moho_view_graph *g = p->graph;
  find_ranges(p);
  lay_out(p);
  if (g->band_high > g->band_low)
    moho_canvas_fill(p->canvas, clamp(pixel_x(p, g->band_low), p->x, p->x + p->width), p->y,
                     clamp(pixel_x(p, g->band_high), p->x, p->x + p->width), p->y + p->height, BAND_INK, 1);
  MOHO_TRY(draw_axes(p));
  for (size_t i = 0; i < g->n_series; i++) {
    if (g->series[i].bars) draw_bars(p, &g->series[i]);
    else MOHO_TRY(draw_curve(p, &g->series[i]));
  }
  draw_box(p);
  MOHO_TRY(draw_legend(p));
  return draw_titles(p);
}

moho_status moho_view_write_graph_png(const char *path, const moho_view_graph *graph) {
  moho_canvas canvas;
  graph_plot plot = {.graph = graph, .canvas = &canvas};
  int width = graph->width > 0 ? graph->width : 1000, height = graph->height > 0 ? graph->height : 560;
  if (width < 240 || height < 180 || width > 20000 || height > 20000)
    return moho_fail_at((moho_place){.file = path}, "0 has the size chosen", MOHO_ERROR_RANGE,
                        "%s: a graph of %d x %d pixels, expected 240 x 180 to 20000 x 20000", path, width, height);
  MOHO_TRY(moho_canvas_create(width, height, (moho_colour){255, 255, 255}, &canvas));
  moho_status status = draw(&plot);
  if (!status) status = moho_canvas_write_png(&canvas, path, graph->title);
  moho_canvas_release(&canvas);
  return status;
}
