/* view_wiggle.c - wiggle traces over the colours: a line for each, filled on the positive side. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "survey/view_plot.h"

/* A trace leans at most this many spacings aside. */
#define MOST_LEAN 1.4

static moho_status draw_trace(const moho_view_plot *plot, moho_canvas *canvas, const float *amplitudes, double base, double reach,
                              double line_width) {
  moho_stroke stroke;
  double left = plot->x, right = plot->x + plot->plot_width, last = NAN;
  MOHO_TRY(moho_stroke_begin(canvas, base - MOST_LEAN * reach, plot->y, base + MOST_LEAN * reach, plot->y + plot->plot_height,
                             &stroke));
  for (int y = 0; y < plot->plot_height; y++) {
    if (!isfinite(amplitudes[y])) {
      last = NAN;
      continue;
    }
    double lean = amplitudes[y] / plot->range.high;
    lean = lean > MOST_LEAN ? MOST_LEAN : lean < -MOST_LEAN ? -MOST_LEAN : lean;
    double x = fmin(fmax(base + lean * reach, left), right);
    if (x > base) moho_canvas_fill(canvas, base, plot->y + y, x, plot->y + y + 1, MOHO_VIEW_INK, 0.85f);
    if (isfinite(last)) moho_stroke_line(&stroke, last, plot->y + y - 0.5, x, plot->y + y + 0.5, line_width);
    last = x;
  }
  moho_stroke_paint(&stroke, canvas, MOHO_VIEW_INK);
  return MOHO_OK;
}

moho_status moho_view_draw_wiggles(const moho_view_plot *plot, moho_canvas *canvas) {
  double spacing = (double)plot->plot_width / (double)plot->data.n_across, least = 0.5 * plot->font;
  size_t every = spacing >= least ? 1 : (size_t)ceil(least / spacing); /* too dense to be seen: every second, third ... */
  float *amplitudes;
  moho_status status = moho_allocate((size_t)plot->plot_height, sizeof *amplitudes, "wiggles", &amplitudes);
  for (size_t a = every / 2; !status && a < plot->data.n_across; a += every) {
    moho_view_data one = plot->data;
    one.values += a * one.stride_across;
    one.n_across = 1;
    status = moho_view_resample(&one, 1, 1, plot->plot_height, amplitudes);
    if (!status)
      status = draw_trace(plot, canvas, amplitudes, plot->x + ((double)a + 0.5) * spacing,
                          fmin(spacing * (double)every * 0.9, plot->plot_width / 3.0), fmax(0.7, plot->font / 24));
  }
  free(amplitudes);
  return status;
}
