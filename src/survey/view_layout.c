/* view_layout.c - the sizes of a picture's parts: margins follow from what must be written in them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "survey/view_font.h"
#include "survey/view_plot.h"

enum { LEAST_PLOT = 48 };

static double widest_label(const moho_ticks *ticks, double font) {
  double widest = 0;
  for (size_t i = 0; i < ticks->n; i++) widest = fmax(widest, moho_text_width(ticks->labels[i], font));
  return widest;
}

/* As many ticks as can be read: labels keep a distance from each other. */
static moho_ticks fit_ticks(double low, double high, int whole, double plain, int pixels, int level, double font) {
  size_t most = (size_t)fmax(2, pixels / (font * (level ? 5 : 3)));
  for (;; most--) {
    moho_ticks ticks = moho_ticks_between(low, high, most, whole, plain);
    double room = ticks.n > 1 ? fabs((ticks.values[1] - ticks.values[0]) / (high - low)) * pixels : pixels;
    double need = level ? widest_label(&ticks, font) + 0.9 * font : 1.6 * font;
    if (most == 1 || need <= room) return ticks;
  }
}

static int is_whole_axis(const moho_view_axis *axis) {
  return (!axis->unit || !*axis->unit) && axis->first == rint(axis->first) && axis->step == rint(axis->step);
}

static void set_edges(const moho_view_axis *axis, size_t n, double *low, double *high) {
  double step = axis->step != 0 && isfinite(axis->step) ? axis->step : 1, first = isfinite(axis->first) ? axis->first : 0;
  *low = first - 0.5 * step;
  *high = first + ((double)n - 0.5) * step;
}

/* ---- sizes that were not given ---- */

static double between(double value, double low, double high) {
  return value < low ? low : value > high ? high : value;
}

/* Waves: at least `least` pixels. Cells: a whole number of pixels each, so that all are equally large. */
static int natural_size(size_t samples, double least, double most, int smooth) {
  if ((double)samples >= most) return (int)most;
  if (smooth) return (int)fmax(least, (double)samples);
  return (int)((double)samples * fmax(1, floor(most / 1.3 / (double)samples)));
}

/* Both axes of one kind (a map): a metre, or a bin, is as long across as down. */
static int is_map(const moho_view_plot *plot) {
  const char *a = plot->options->across.unit, *d = plot->options->down.unit;
  return strcmp(a ? a : "", d ? d : "") == 0 && !(a && (strcmp(a, "s") == 0 || strcmp(a, "ms") == 0));
}

static void choose_plot_size(moho_view_plot *plot, double *width, double *height) {
  size_t na = plot->data.n_across, nd = plot->data.n_down;
  int smooth = plot->options->symmetric;
  *width = natural_size(na, fmin(760, fmax(240, 60 * (double)na)), 1500, smooth);
  *height = natural_size(nd, fmin(640, fmax(200, 60 * (double)nd)), 900, smooth);
  if (!is_map(plot)) return;
  int metric = plot->options->across.unit && *plot->options->across.unit;
  double across = (double)na * (metric ? fabs(plot->options->across.step) : 1),
         down = (double)nd * (metric ? fabs(plot->options->down.step) : 1);
  double ratio = between(across / down, 0.2, 5);
  double scale = fmin(1100 / across, 800 / down);
  if (!smooth && !metric && scale > 1) scale = floor(scale);
  *width = fmax(160, across * scale), *height = fmax(160, across * scale / ratio);
}

static double title_room(const moho_view_plot *plot) {
  double title = plot->options->title ? moho_text_width(plot->options->title, 1.3 * plot->font) : 0;
  double subtitle = plot->options->subtitle ? moho_text_width(plot->options->subtitle, plot->font) : 0;
  return fmin(fmax(title, subtitle), 40 * plot->font);
}

/* ---- margins ---- */

typedef struct margins {
  double left, right, top, bottom;
} margins;

static void set_vertical_margins(const moho_view_plot *plot, margins *m) {
  double f = plot->font;
  m->top = 0.9 * f + (plot->options->title ? 1.75 * f : 0) + (plot->options->subtitle ? 1.45 * f : 0);
  m->bottom = 0.45 * f + 1.25 * f + (plot->across_caption[0] ? 1.6 * f : 0) + 0.7 * f;
}

static void set_horizontal_margins(const moho_view_plot *plot, margins *m) {
  double f = plot->font;
  m->left = 0.7 * f + (plot->down_caption[0] ? 1.6 * f : 0) + widest_label(&plot->down, f) + 0.75 * f;
  m->right = 1.0 * f + 1.0 * f + 0.65 * f + widest_label(&plot->bar, f) + (plot->bar_caption[0] ? 1.8 * f : 0) + 0.5 * f;
}

static void set_down_ticks(moho_view_plot *plot) {
  const moho_view_options *o = plot->options;
  plot->down = fit_ticks(plot->down_low, plot->down_high, is_whole_axis(&o->down), MOHO_PLAIN_COORDINATES, plot->plot_height, 0,
                         plot->font);
  int counts = plot->range.whole && plot->range.high - plot->range.low >= 2;
  plot->bar = fit_ticks(plot->range.low, plot->range.high, counts, counts ? MOHO_PLAIN_COORDINATES : MOHO_PLAIN_AMPLITUDES,
                        plot->plot_height, 0, plot->font);
  if (!plot->range.any) plot->bar.n = 0;
  moho_axis_caption(o->down.label, o->down.unit, plot->down.exponent, plot->down_caption, sizeof plot->down_caption);
  moho_axis_caption(o->value_label, NULL, plot->bar.exponent, plot->bar_caption, sizeof plot->bar_caption);
}

static void set_across_ticks(moho_view_plot *plot) {
  const moho_view_axis *axis = &plot->options->across;
  plot->across = fit_ticks(plot->across_low, plot->across_high, is_whole_axis(axis), MOHO_PLAIN_COORDINATES, plot->plot_width, 1,
                           plot->font);
  moho_axis_caption(axis->label, axis->unit, plot->across.exponent, plot->across_caption, sizeof plot->across_caption);
}

static moho_status too_small(const moho_view_plot *plot) {
  return moho_fail_at((moho_place){0}, "give a larger width and height, or 0 to have them chosen", MOHO_ERROR_ARGUMENT,
                      "a picture of %d x %d pixels leaves no room for its axes", plot->width, plot->height);
}

moho_status moho_view_lay_out(moho_view_plot *plot) {
  const moho_view_options *o = plot->options;
  margins m;
  double width, height;
  plot->font = 20;
  if (o->width > 0) plot->font = between(o->width / 62.0, 9, 44);
  if (o->height > 0) plot->font = fmin(o->width > 0 ? plot->font : 44, between(o->height / 42.0, 9, 44));
  set_edges(&o->across, plot->data.n_across, &plot->across_low, &plot->across_high);
  set_edges(&o->down, plot->data.n_down, &plot->down_low, &plot->down_high);
  choose_plot_size(plot, &width, &height);
  moho_axis_caption(o->across.label, o->across.unit, 0, plot->across_caption, sizeof plot->across_caption);
  set_vertical_margins(plot, &m);
  plot->plot_height = (int)(o->height > 0 ? o->height - m.top - m.bottom : height);
  plot->width = o->width, plot->height = o->height;
  if (plot->plot_height < LEAST_PLOT) return too_small(plot);
  set_down_ticks(plot);
  set_horizontal_margins(plot, &m);
  if (o->width <= 0) width = fmax(width, title_room(plot) + 0.6 * plot->font - m.right);
  plot->plot_width = (int)(o->width > 0 ? o->width - m.left - m.right : width);
  if (plot->plot_width < LEAST_PLOT) return too_small(plot);
  set_across_ticks(plot);
  plot->x = (int)lrint(m.left), plot->y = (int)lrint(m.top);
  if (o->width <= 0) plot->width = (int)ceil(plot->x + plot->plot_width + m.right);
  if (o->height <= 0) plot->height = (int)ceil(plot->y + plot->plot_height + m.bottom);
  plot->bar_x = (int)lrint(plot->x + plot->plot_width + 1.0 * plot->font), plot->bar_width = (int)lrint(plot->font);
  return MOHO_OK;
}
