/* view_canvas.c - drawing on an RGB picture. Coverage of a stroke is taken from a pixel's distance to it. */
#include "survey/view_canvas.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"

moho_status moho_canvas_create(int width, int height, moho_colour background, moho_canvas *out) {
  *out = (moho_canvas){.width = width, .height = height};
  MOHO_TRY(moho_allocate((size_t)width * (size_t)height, 3, "picture", &out->rgb));
  moho_canvas_fill(out, 0, 0, width, height, background, 1);
  return MOHO_OK;
}

void moho_canvas_release(moho_canvas *canvas) {
  free(canvas->rgb);
  *canvas = (moho_canvas){0};
}

static uint8_t mix(uint8_t under, uint8_t over, float alpha) {
  return (uint8_t)lrintf((float)under + alpha * ((float)over - (float)under));
}

void moho_canvas_blend(moho_canvas *canvas, int x, int y, moho_colour colour, float alpha) {
  if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height || !(alpha > 0)) return;
  uint8_t *pixel = canvas->rgb + 3 * ((size_t)y * (size_t)canvas->width + (size_t)x);
  if (alpha > 1) alpha = 1;
  pixel[0] = mix(pixel[0], colour.r, alpha), pixel[1] = mix(pixel[1], colour.g, alpha), pixel[2] = mix(pixel[2], colour.b, alpha);
}

/* How much of [n, n + 1] lies in [low, high]. */
static double overlap(int n, double low, double high) {
  double covered = fmin(n + 1, high) - fmax(n, low);
  return covered > 0 ? covered : 0;
}

void moho_canvas_fill(moho_canvas *canvas, double x0, double y0, double x1, double y1, moho_colour colour, float alpha) {
  x0 = fmax(x0, 0), y0 = fmax(y0, 0), x1 = fmin(x1, canvas->width), y1 = fmin(y1, canvas->height);
  for (int y = (int)floor(y0); y < y1; y++)
    for (int x = (int)floor(x0); x < x1; x++)
      moho_canvas_blend(canvas, x, y, colour, alpha * (float)(overlap(x, x0, x1) * overlap(y, y0, y1)));
}

moho_status moho_stroke_begin(const moho_canvas *canvas, double x0, double y0, double x1, double y1, moho_stroke *out) {
  x0 = fmax(floor(x0) - 2, 0), y0 = fmax(floor(y0) - 2, 0), x1 = fmin(ceil(x1) + 2, canvas->width),
  y1 = fmin(ceil(y1) + 2, canvas->height);
  *out =
      (moho_stroke){.x0 = (int)x0, .y0 = (int)y0, .width = x1 > x0 ? (int)(x1 - x0) : 0, .height = y1 > y0 ? (int)(y1 - y0) : 0};
  return moho_allocate((size_t)out->width * (size_t)out->height, sizeof(float), "stroke", &out->coverage);
}

static double distance_to_segment(double px, double py, double x0, double y0, double x1, double y1) {
  double dx = x1 - x0, dy = y1 - y0, length2 = dx * dx + dy * dy;
  double t = length2 > 0 ? ((px - x0) * dx + (py - y0) * dy) / length2 : 0;
  t = t < 0 ? 0 : t > 1 ? 1 : t;
  return hypot(px - x0 - t * dx, py - y0 - t * dy);
}

static int clamp_int(double value, int low, int high) {
  return value < low ? low : value > high ? high : (int)value;
}

void moho_stroke_line(moho_stroke *stroke, double x0, double y0, double x1, double y1, double line_width) {
  double reach = line_width / 2 + 1;
  int left = clamp_int(floor(fmin(x0, x1) - reach) - stroke->x0, 0, stroke->width);
  int right = clamp_int(ceil(fmax(x0, x1) + reach) - stroke->x0, 0, stroke->width);
  int top = clamp_int(floor(fmin(y0, y1) - reach) - stroke->y0, 0, stroke->height);
  int bottom = clamp_int(ceil(fmax(y0, y1) + reach) - stroke->y0, 0, stroke->height);
  for (int y = top; y < bottom; y++)
    for (int x = left; x < right; x++) {
      double distance = distance_to_segment(stroke->x0 + x + 0.5, stroke->y0 + y + 0.5, x0, y0, x1, y1);
      float covered = (float)fmin(fmin(1, line_width), line_width / 2 + 0.5 - distance);
      float *at = &stroke->coverage[(size_t)y * (size_t)stroke->width + (size_t)x];
      if (covered > *at) *at = covered;
    }
}

void moho_stroke_paint(moho_stroke *stroke, moho_canvas *canvas, moho_colour colour) {
  for (int y = 0; y < stroke->height; y++)
    for (int x = 0; x < stroke->width; x++)
      moho_canvas_blend(canvas, stroke->x0 + x, stroke->y0 + y, colour,
                        stroke->coverage[(size_t)y * (size_t)stroke->width + (size_t)x]);
  free(stroke->coverage);
  stroke->coverage = NULL;
}
