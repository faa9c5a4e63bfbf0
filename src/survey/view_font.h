/* view_font.h - text in a stroke font of our own, at any size, level or standing upright. UTF-8. */
#ifndef MOHO_SURVEY_VIEW_FONT_H
#define MOHO_SURVEY_VIEW_FONT_H

#include "survey/view_canvas.h"

typedef enum { MOHO_ALIGN_START, MOHO_ALIGN_MIDDLE, MOHO_ALIGN_END } moho_align;

typedef struct moho_text_style {
  double size;       /* pixels; capitals are 0.7 of it high */
  int bold, upright; /* upright: read from bottom to top */
  moho_align align;  /* of (x, y) along the text */
  moho_colour colour;
} moho_text_style;

double moho_text_width(const char *text, double size);
/* (x, y): a point on the base line. */
moho_status moho_text_draw(moho_canvas *canvas, double x, double y, const char *text, const moho_text_style *style);

#endif
