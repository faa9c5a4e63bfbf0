/* view_canvas.h - an RGB picture in memory: rectangles, antialiased strokes, text. Origin top left, y down, pixels 1 x 1. */
#ifndef MOHO_SURVEY_VIEW_CANVAS_H
#define MOHO_SURVEY_VIEW_CANVAS_H

#include "base/fail.h"

typedef struct moho_colour {
  uint8_t r, g, b;
} moho_colour;

typedef struct moho_canvas {
  int width, height;
  uint8_t *rgb; /* [height, width, 3] */
} moho_canvas;

moho_status moho_canvas_create(int width, int height, moho_colour background, moho_canvas *out);
void moho_canvas_release(moho_canvas *canvas);

/* Outside the canvas nothing happens. alpha 0..1. */
void moho_canvas_blend(moho_canvas *canvas, int x, int y, moho_colour colour, float alpha);
/* Edges between pixels are antialiased. */
void moho_canvas_fill(moho_canvas *canvas, double x0, double y0, double x1, double y1, moho_colour colour, float alpha);

/* Strokes are collected as coverage first and painted once, so that joints and crossings are not darker than the rest. */
typedef struct moho_stroke {
  int x0, y0, width, height; /* the part of the canvas that is covered */
  float *coverage;
} moho_stroke;

moho_status moho_stroke_begin(const moho_canvas *canvas, double x0, double y0, double x1, double y1, moho_stroke *out);
/* A segment with round ends. */
void moho_stroke_line(moho_stroke *stroke, double x0, double y0, double x1, double y1, double line_width);
/* Paints and releases. */
void moho_stroke_paint(moho_stroke *stroke, moho_canvas *canvas, moho_colour colour);

/* PNG under a temporary name, then renamed. title may be NULL. */
moho_status moho_canvas_write_png(const moho_canvas *canvas, const char *path, const char *title);

#endif
