/* view_frame.c - what surrounds the samples of a picture: frame, axes, titles, colour bar. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "survey/view_colours.h"
#include "survey/view_font.h"
#include "survey/view_plot.h"

static int line_pixels(const moho_view_plot *plot) {
  return plot->font >= 28 ? 2 : 1;
}

static void draw_box(const moho_view_plot *plot, moho_canvas *canvas, int x, int y, int width, int height) {
  int t = line_pixels(plot);
  moho_canvas_fill(canvas, x - t, y - t, x + width + t, y, MOHO_VIEW_INK, 1);
  moho_canvas_fill(canvas, x - t, y + height, x + width + t, y + height + t, MOHO_VIEW_INK, 1);
  moho_canvas_fill(canvas, x - t, y, x, y + height, MOHO_VIEW_INK, 1);
  moho_canvas_fill(canvas, x + width, y, x + width + t, y + height, MOHO_VIEW_INK, 1);
}

/* Text that must fit: smaller first, then cut with an ellipsis. */
static moho_status draw_fitted(moho_canvas *canvas, double x, double y, const char *text, moho_text_style style, double room) {
  char cut[400];
  double width = moho_text_width(text, style.size);
  if (width > room) style.size = fmax(0.7 * style.size, style.size * room / width);
  snprintf(cut, sizeof cut, "%s", text);
  for (size_t keep = strlen(cut); moho_text_width(cut, style.size) > room && keep > 1;) {
    do keep--;
    while (keep > 1 && ((unsigned char)text[keep] & 0xc0) == 0x80);
    if (keep > sizeof cut - 4) continue;
    memcpy(cut + keep, "...", 4);
  }
  return moho_text_draw(canvas, x, y, cut, &style);
}

static moho_status draw_across(const moho_view_plot *plot, moho_canvas *canvas) {
  double f = plot->font, bottom = plot->y + plot->plot_height;
  moho_text_style style = {.size = f, .align = MOHO_ALIGN_MIDDLE, .colour = MOHO_VIEW_INK};
  for (size_t i = 0; i < plot->across.n; i++) {
    double t = (plot->across.values[i] - plot->across_low) / (plot->across_high - plot->across_low);
    double x = rint(plot->x + t * plot->plot_width - 0.5);
    moho_canvas_fill(canvas, x, bottom, x + line_pixels(plot), bottom + 0.4 * f, MOHO_VIEW_INK, 1);
    MOHO_TRY(moho_text_draw(canvas, x + 0.5, bottom + 1.4 * f, plot->across.labels[i], &style));
  }
  return draw_fitted(canvas, plot->x + 0.5 * plot->plot_width, bottom + 3.0 * f, plot->across_caption, style, plot->plot_width);
}

/* An upright scale's ticks to the left (side -1) or right (+1) of x. */
static moho_status draw_upright_ticks(const moho_view_plot *plot, moho_canvas *canvas, const moho_ticks *ticks, double low,
                                      double high, double x, int side) {
  double f = plot->font;
  moho_text_style style = {.size = f, .align = side < 0 ? MOHO_ALIGN_END : MOHO_ALIGN_START, .colour = MOHO_VIEW_INK};
  for (size_t i = 0; i < ticks->n; i++) {
    double y = rint(plot->y + (ticks->values[i] - low) / (high - low) * plot->plot_height - 0.5);
    moho_canvas_fill(canvas, side < 0 ? x - 0.4 * f : x, y, side < 0 ? x : x + 0.3 * f, y + line_pixels(plot), MOHO_VIEW_INK, 1);
    MOHO_TRY(moho_text_draw(canvas, x + side * 0.65 * f, y + 0.5 + 0.35 * f, ticks->labels[i], &style));
  }
  return MOHO_OK;
}

static moho_status draw_down(const moho_view_plot *plot, moho_canvas *canvas) {
  moho_text_style style = {.size = plot->font, .align = MOHO_ALIGN_MIDDLE, .upright = 1, .colour = MOHO_VIEW_INK};
  MOHO_TRY(draw_upright_ticks(plot, canvas, &plot->down, plot->down_low, plot->down_high, plot->x - line_pixels(plot), -1));
  return draw_fitted(canvas, 1.55 * plot->font, plot->y + 0.5 * plot->plot_height, plot->down_caption, style, plot->plot_height);
}

static moho_status draw_bar(const moho_view_plot *plot, moho_canvas *canvas) {
  moho_colour table[256];
  moho_colours_fill(plot->options->colours, table);
  for (int y = 0; y < plot->plot_height; y++) {
    long index = lrint(255.0 * (1 - (y + 0.5) / plot->plot_height));
    moho_canvas_fill(canvas, plot->bar_x, plot->y + y, plot->bar_x + plot->bar_width, plot->y + y + 1, table[index], 1);
  }
  draw_box(plot, canvas, plot->bar_x, plot->y, plot->bar_width, plot->plot_height);
  MOHO_TRY(draw_upright_ticks(plot, canvas, &plot->bar, plot->range.high, plot->range.low,
                              plot->bar_x + plot->bar_width + line_pixels(plot), 1));
  moho_text_style style = {.size = plot->font, .align = MOHO_ALIGN_MIDDLE, .upright = 1, .colour = MOHO_VIEW_INK};
  return draw_fitted(canvas, plot->width - 0.85 * plot->font, plot->y + 0.5 * plot->plot_height, plot->bar_caption, style,
                     plot->plot_height);
}

static moho_status draw_titles(const moho_view_plot *plot, moho_canvas *canvas) {
  double f = plot->font, room = plot->width - plot->x - 0.5 * f, y = 0.9 * f;
  moho_text_style title = {.size = 1.3 * f, .bold = 1, .colour = MOHO_VIEW_INK},
                  subtitle = {.size = f, .colour = MOHO_VIEW_MUTED};
  if (plot->options->title) MOHO_TRY(draw_fitted(canvas, plot->x, y + f, plot->options->title, title, room));
  if (plot->options->title) y += 1.75 * f;
  if (!plot->options->subtitle) return MOHO_OK;
  return draw_fitted(canvas, plot->x, y + 0.75 * f, plot->options->subtitle, subtitle, room);
}

static moho_status draw_no_data(const moho_view_plot *plot, moho_canvas *canvas) {
  moho_text_style style = {.size = 1.3 * plot->font, .align = MOHO_ALIGN_MIDDLE, .colour = MOHO_VIEW_INK};
  return draw_fitted(canvas, plot->x + 0.5 * plot->plot_width, plot->y + 0.5 * plot->plot_height, "no data", style,
                     plot->plot_width);
}

moho_status moho_view_draw_frame(const moho_view_plot *plot, moho_canvas *canvas) {
  draw_box(plot, canvas, plot->x, plot->y, plot->plot_width, plot->plot_height);
  MOHO_TRY(draw_across(plot, canvas));
  MOHO_TRY(draw_down(plot, canvas));
  MOHO_TRY(draw_bar(plot, canvas));
  if (!plot->range.any) MOHO_TRY(draw_no_data(plot, canvas));
  return draw_titles(plot, canvas);
}
