/* view_font.c - a stroke font drawn for Moho: every glyph is a pen's path in a small notation.
 *
 * Units: capitals 14 high, small letters 10, descenders to -4, y up from the base line; the em is 20.
 *   M x y  move      L x y  line      D x y  dot      U  pen up
 *   A cx cy rx ry from to  arc of an ellipse, degrees from +x towards +y; joined to where the pen is when it is down
 */
#include "survey/view_font.h"

#include <math.h>
#include <string.h>

#define EM 20.0
#define GAP 3.4 /* between glyphs */
#define RADIANS (3.14159265358979323846 / 180)

typedef struct glyph {
  double width;
  const char *path;
} glyph;

static const glyph ascii[] = {
    {4.0, ""}, /* space */
    {0.4, "M.2 14 L.2 4.5 U D.2 .4"},
    {3.6, "M.2 14 L.2 10 U M3.4 14 L3.4 10"},
    {10, "M3.4 14 L1.6 0 U M8.4 14 L6.6 0 U M.4 9.4 L10 9.4 U M0 4.6 L9.6 4.6"},
    {9, "A4.5 9.7 4 2.7 35 270 A4.5 3.7 4.5 3.3 90 -148 U M4.5 15.4 L4.5 -1.6"},
    {13, "A2.8 11 2.8 3 0 360 U A10.2 3 2.8 3 0 360 U M10.8 14 L2.2 0"},
    {11.5, "M11.3 0 L2.6 9.4 A4.8 11.1 2.9 2.9 216 -35 L2.2 6.6 A4.5 3.7 4.2 3.8 130 330 L10.6 7"},
    {0.4, "M.2 14 L.2 10"},
    {3.2, "A8 5.5 8 10.4 123 237"},
    {3.2, "A-4.8 5.5 8 10.4 57 -57"},
    {7, "M3.5 14 L3.5 7 U M.4 12.2 L6.6 8.8 U M.4 8.8 L6.6 12.2"},
    {9, "M4.5 11 L4.5 2 U M0 6.5 L9 6.5"},
    {1.4, "M1 .6 L.2 -2.6"},
    {5, "M0 5.6 L5 5.6"},
    {0.4, "D.2 .4"},
    {6.4, "M0 -2 L6.4 15"},
    {8.6, "A4.3 7 4.2 7 0 360"},
    {8.6, "M1.2 11.2 L5 14 L5 0"},
    {8.6, "A4.2 9.9 4 4.1 165 -38 L.2 0 L8.5 0"},
    {8.6, "A4.1 10.6 3.6 3.4 155 -90 L3 7.2 U M4.1 7.2 A4.1 3.6 4.3 3.6 90 -155"},
    {8.6, "M6.4 0 L6.4 14 L0 4.2 L8.7 4.2"},
    {8.6, "M7.7 14 L1.4 14 L.8 7.3 A4.1 4.6 4.4 4.6 138 -152"},
    {8.6, "A4.3 4.4 4.2 4.4 0 360 U A8 4.4 7.9 9.6 180 101"},
    {8.6, "M0 14 L8.5 14 L3 0"},
    {8.6, "A4.3 10.6 3.5 3.4 0 360 U A4.3 3.6 4.2 3.6 0 360"},
    {8.6, "A4.3 9.6 4.2 4.4 0 360 U A.6 9.6 7.9 9.6 0 -79"},
    {0.4, "D.2 .4 U D.2 9"},
    {1.4, "M1 .6 L.2 -2.6 U D.9 9"},
    {8, "M8 11.5 L0 6.5 L8 1.5"},
    {9, "M0 8.8 L9 8.8 U M0 4.2 L9 4.2"},
    {8, "M0 11.5 L8 6.5 L0 1.5"},
    {7.4, "A3.7 10.4 3.5 3.6 165 -50 A6.4 5.4 2.9 2.9 120 180 L3.5 4.4 U D3.5 .4"},
    {13, "A6.6 5.2 2.9 3.2 0 360 U M9.6 8.4 L9.3 3.6 A11 3.8 1.9 1.8 190 340 A6.5 5.6 6.5 7 -6 300"},
    {10.4, "M0 0 L5.2 14 L10.4 0 U M1.9 4.9 L8.5 4.9"},
    {9.2, "M0 0 L0 14 L5 14 A5 10.7 3.4 3.3 90 -90 L0 7.4 U M5 7.4 A5 3.7 4.2 3.7 90 -90 L0 0"},
    {10, "A5.8 7 5.8 7 47 313"},
    {10.2, "M0 0 L0 14 L4 14 A4 7 6.2 7 90 -90 L0 0"},
    {8, "M8 14 L0 14 L0 0 L8 0 U M0 7.3 L7 7.3"},
    {7.8, "M7.8 14 L0 14 L0 0 U M0 7.2 L6.8 7.2"},
    {10.8, "A5.8 7 5.8 7 47 330 L10.8 6.6 L6.6 6.6"},
    {9.8, "M0 0 L0 14 U M9.8 0 L9.8 14 U M0 7.3 L9.8 7.3"},
    {0.4, "M.2 0 L.2 14"},
    {6, "M6 14 L6 4 A3 4 3 4 0 -168"},
    {9.2, "M0 0 L0 14 U M8.8 14 L0 5.4 U M3.2 8.5 L9.2 0"},
    {7.6, "M0 14 L0 0 L7.6 0"},
    {12, "M0 0 L0 14 L6 3.6 L12 14 L12 0"},
    {10, "M0 0 L0 14 L10 0 L10 14"},
    {11.8, "A5.9 7 5.9 7 0 360"},
    {9, "M0 0 L0 14 L5 14 A5 10.2 4 3.8 90 -90 L0 6.4"},
    {11.8, "A5.9 7 5.9 7 0 360 U M7.4 3.6 L11.6 -1"},
    {9.4, "M0 0 L0 14 L5 14 A5 10.3 4 3.7 90 -90 L0 6.6 U M4.6 6.6 L9.4 0"},
    {9, "A4.5 10.5 4.1 3.5 32 270 A4.5 3.5 4.5 3.5 90 -150"},
    {10, "M0 14 L10 14 U M5 14 L5 0"},
    {9.6, "M0 14 L0 4.8 A4.8 4.8 4.8 4.8 180 360 L9.6 14"},
    {10.4, "M0 14 L5.2 0 L10.4 14"},
    {14.4, "M0 14 L3.7 0 L7.2 12.6 L10.7 0 L14.4 14"},
    {9.6, "M0 0 L9.6 14 U M0 14 L9.6 0"},
    {10, "M0 14 L5 6.8 L10 14 U M5 6.8 L5 0"},
    {9, "M0 14 L9 14 L0 0 L9 0"},
    {3, "M3 15.4 L0 15.4 L0 -3 L3 -3"},
    {6.4, "M0 15 L6.4 -2"},
    {3, "M0 15.4 L3 15.4 L3 -3 L0 -3"},
    {7.6, "M0 9 L3.8 14 L7.6 9"},
    {9, "M0 -3 L9 -3"},
    {2.6, "M0 14.4 L2.4 11.6"},
    {8, "A4 5 4 5 0 360 U M8 10 L8 0"},
    {8, "M0 14 L0 0 U A4 5 4 5 0 360"},
    {7.2, "A4.1 5 4.1 5 46 314"},
    {8, "M8 14 L8 0 U A4 5 4 5 0 360"},
    {8.2, "M.1 5.1 L8.1 5.1 A4.1 5 4.1 5 0 316"},
    {5.4, "A5.2 11 3.1 3 72 180 L2.1 0 U M0 9.8 L5.2 9.8"},
    {8, "A4 5 4 5 0 360 U M8 10 L8 -.4 A4.1 -.4 3.9 3.7 0 -152"},
    {7.4, "M0 14 L0 0 U A3.7 6 3.7 4 180 0 L7.4 0"},
    {0.4, "M.2 10 L.2 0 U D.2 13.7"},
    {2.6, "M2.4 10 L2.4 -1.6 A-.2 -1.6 2.6 2.5 0 -78 U D2.4 13.7"},
    {7.2, "M0 14 L0 0 U M6.9 10 L0 3.7 U M2.6 6.1 L7.2 0"},
    {2, "M.2 14 L.2 2.2 A2.3 2.2 2.1 2.2 180 275"},
    {12.4, "M0 10 L0 0 U A3.1 6.3 3.1 3.7 180 0 L6.2 0 U A9.3 6.3 3.1 3.7 180 0 L12.4 0"},
    {7.4, "M0 10 L0 0 U A3.7 6 3.7 4 180 0 L7.4 0"},
    {8.4, "A4.2 5 4.2 5 0 360"},
    {8, "M0 10 L0 -4 U A4 5 4 5 0 360"},
    {8, "M8 10 L8 -4 U A4 5 4 5 0 360"},
    {4.4, "M0 10 L0 0 U A4 5.4 4 4.6 180 78"},
    {6.8, "A3.4 7.5 3 2.5 32 270 A3.4 2.5 3.4 2.5 90 -150"},
    {5, "M2 13.2 L2 2.6 A4.4 2.6 2.4 2.6 180 282 U M0 9.8 L5 9.8"},
    {7.4, "M0 10 L0 4 A3.7 4 3.7 4 180 360 U M7.4 10 L7.4 0"},
    {7.8, "M0 10 L3.9 0 L7.8 10"},
    {11.2, "M0 10 L2.9 0 L5.6 9.2 L8.3 0 L11.2 10"},
    {7.4, "M0 0 L7.4 10 U M0 10 L7.4 0"},
    {7.8, "M0 10 L3.9 0 U M7.8 10 L2.4 -4"},
    {7, "M0 10 L7 10 L0 0 L7 0"},
    {4, "M4 15.4 A3.6 13 1.6 2.4 90 180 L2 8.4 A0 8.4 2 2.2 0 -90 U A0 4 2 2.2 90 0 L2 -.6 A3.6 -.6 1.6 2.4 180 270"},
    {0.4, "M.2 15.4 L.2 -3"},
    {4, "M0 15.4 A.4 13 1.6 2.4 90 0 L2 8.4 A4 8.4 2 2.2 180 270 U A4 4 2 2.2 90 180 L2 -.6 A.4 -.6 1.6 2.4 0 -90"},
    {9, "A2.4 5.6 2.4 1.9 180 20 A6.7 7.2 2.4 1.9 200 360"}};

/* What else scientific captions need; others fall back on an ASCII letter or "?". */
static const struct {
  uint32_t code;
  glyph drawn;
} more[] = {{0xb0, {4.4, "A2.2 11.8 2.2 2.2 0 360"}},                                /* degree */
            {0xb5, {8, "M0 10 L0 -4 U M0 4 A3.7 4 3.7 4 180 360 U M7.4 10 L7.4 0"}}, /* micro */
            {0xd7, {7.6, "M.4 2.6 L7.2 9.4 U M.4 9.4 L7.2 2.6"}},                    /* times */
            {0xb7, {0.4, "D.2 6.4"}},                                                /* middle dot */
            {0xb1, {9, "M4.5 12 L4.5 4 U M0 8 L9 8 U M0 .6 L9 .6"}},                 /* plus-minus */
            {0x2212, {9, "M0 6.5 L9 6.5"}},                                          /* minus */
            {0x2013, {8, "M0 5.6 L8 5.6"}},                                          /* en dash */
            {0x2014, {14, "M0 5.6 L14 5.6"}}};                                       /* em dash */

/* Raised digits and minus: the ASCII glyph at a smaller scale. */
static const struct {
  uint32_t code;
  char base;
} raised[] = {{0x2070, '0'}, {0xb9, '1'},   {0xb2, '2'},   {0xb3, '3'},   {0x2074, '4'}, {0x2075, '5'},
              {0x2076, '6'}, {0x2077, '7'}, {0x2078, '8'}, {0x2079, '9'}, {0x207b, '-'}};

/* Latin letters with accents, U+00C0 to U+00FF, by the letter below; the mark follows in accents[]. */
static const char latin[] = "AAAAAAACEEEEIIIIDNOOOOO?OUUUUYPsaaaaaaaceeeeiiiidnooooo?ouuuuypy";
static const char accents[] = "`'^~:o- `'^:`'^:-~`'^~:?/`'^:'  `'^~:o- `'^:`'^:-~`'^~:?/`'^:' :";

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One glyph set: what to draw and how it sits. */
typedef struct placed {
  glyph drawn;
  double scale, raise;
  char accent;
  int capital;
} placed;

static placed find_glyph(uint32_t code) {
  placed p = {.drawn = ascii['?' - ' '], .scale = 1};
  if (code >= ' ' && code < ' ' + COUNT(ascii)) p.drawn = ascii[code - ' '];
  if (code >= 0xc0 && code <= 0xff && latin[code - 0xc0] != '?') {
    char base = latin[code - 0xc0];
    p.drawn = ascii[base - ' '], p.accent = accents[code - 0xc0], p.capital = base < 'a';
  }
  for (size_t i = 0; i < COUNT(more); i++)
    if (more[i].code == code) p.drawn = more[i].drawn;
  for (size_t i = 0; i < COUNT(raised); i++)
    if (raised[i].code == code) p = (placed){.drawn = ascii[raised[i].base - ' '], .scale = 0.62, .raise = 7.6};
  return p;
}

/* The next character of UTF-8 text; bytes that are none count as one "?" each. */
static uint32_t next_code(const char **text) {
  const unsigned char *t = (const unsigned char *)*text;
  size_t extra = t[0] >= 0xf0 ? 3 : t[0] >= 0xe0 ? 2 : t[0] >= 0xc0 ? 1 : 0;
  uint32_t code = extra == 3 ? t[0] & 7u : extra == 2 ? t[0] & 15u : extra == 1 ? t[0] & 31u : t[0];
  (*text)++;
  if (t[0] >= 0x80 && t[0] < 0xc0) return '?';
  for (size_t i = 1; i <= extra; i++, (*text)++) {
    if ((t[i] & 0xc0) != 0x80) return '?';
    code = code << 6 | (t[i] & 0x3fu);
  }
  return code;
}

double moho_text_width(const char *text, double size) {
  double width = 0;
  while (*text) {
    placed p = find_glyph(next_code(&text));
    width += (p.drawn.width + GAP) * p.scale;
  }
  return width > 0 ? (width - GAP) * size / EM : 0;
}

/* ---- the pen ---- */

typedef struct pen {
  moho_stroke *stroke;
  double x, y, unit, line_width; /* where the glyph's (0, 0) lies, pixels a unit */
  int upright, down;
  double last_x, last_y;
} pen;

static void to_pixels(const pen *p, double gx, double gy, double *x, double *y) {
  *x = p->x + p->unit * (p->upright ? -gy : gx);
  *y = p->y - p->unit * (p->upright ? gx : gy);
}

static void pen_line(pen *p, double gx, double gy) {
  double x0, y0, x1, y1;
  to_pixels(p, p->down ? p->last_x : gx, p->down ? p->last_y : gy, &x0, &y0);
  to_pixels(p, gx, gy, &x1, &y1);
  if (p->down) moho_stroke_line(p->stroke, x0, y0, x1, y1, p->line_width);
  p->last_x = gx, p->last_y = gy, p->down = 1;
}

static void pen_arc(pen *p, const double a[6]) {
  int steps = 2 + (int)(fabs(a[5] - a[4]) / 12);
  for (int s = 0; s <= steps; s++) {
    double angle = (a[4] + (a[5] - a[4]) * s / steps) * RADIANS;
    pen_line(p, a[0] + a[2] * cos(angle), a[1] + a[3] * sin(angle));
  }
}

static void pen_dot(pen *p, double gx, double gy) {
  double x, y;
  to_pixels(p, gx, gy, &x, &y);
  moho_stroke_line(p->stroke, x, y, x, y, fmax(p->line_width * 1.35, 1.6));
}

/* A number as the notation has them: "-12.5"; never the locale's. */
static double read_number(const char **path) {
  double value = 0, place = 1;
  int negative = 0, after_point = 0;
  while (**path == ' ') (*path)++;
  for (; strchr("-.0123456789", **path) && **path; (*path)++) {
    if (**path == '-') negative = 1;
    else if (**path == '.') after_point = 1;
    else if (after_point) value += (**path - '0') * (place /= 10);
    else value = 10 * value + (**path - '0');
  }
  return negative ? -value : value;
}

static void draw_path(pen *p, const char *path) {
  while (*path) {
    char command = *path++;
    double a[6] = {0};
    int numbers = command == 'A' ? 6 : command == 'U' || command == ' ' ? 0 : 2;
    for (int n = 0; n < numbers; n++) a[n] = read_number(&path);
    if (command == 'U') p->down = 0;
    if (command == 'M') p->down = 0, pen_line(p, a[0], a[1]);
    if (command == 'L') pen_line(p, a[0], a[1]);
    if (command == 'A') pen_arc(p, a);
    if (command == 'D') pen_dot(p, a[0], a[1]);
  }
  p->down = 0;
}

static void draw_accent(pen *p, const placed *g) {
  static const struct {
    char mark;
    const char *path;
  } marks[] = {{'`', "M-1.8 4 L.8 1.6"}, {'\'', "M1.8 4 L-.8 1.6"},   {'^', "M-2.2 1.6 L0 4 L2.2 1.6"},
               {':', "D-2 2.6 D2 2.6"},  {'o', "A0 3 1.5 1.5 0 360"}, {'~', "A-1.3 2.4 1.3 1 180 10 A1.3 3 1.3 1 190 360"}};
  pen above = *p;
  to_pixels(p, g->drawn.width / 2, g->capital ? 14 : 10, &above.x, &above.y);
  for (size_t i = 0; i < COUNT(marks); i++)
    if (marks[i].mark == g->accent) draw_path(&above, marks[i].path);
  above = *p;
  to_pixels(p, g->drawn.width / 2, g->capital ? 7 : 5, &above.x, &above.y);
  if (g->accent == '/') draw_path(&above, g->capital ? "M-5 -7.6 L5 7.6" : "M-3.8 -5.4 L3.8 5.4");
}

/* The base line goes through pixel centres: level strokes are then as sharp as they can be. */
static double through_centre(double coordinate) {
  return floor(coordinate) + 0.5;
}

moho_status moho_text_draw(moho_canvas *canvas, double x, double y, const char *text, const moho_text_style *style) {
  double size = style->size, width = moho_text_width(text, size);
  double back = style->align == MOHO_ALIGN_START ? 0 : style->align == MOHO_ALIGN_MIDDLE ? width / 2 : width;
  double x0 = style->upright ? through_centre(x) : x - back, y0 = style->upright ? y + back : through_centre(y);
  moho_stroke stroke;
  MOHO_TRY(style->upright ? moho_stroke_begin(canvas, x0 - size, y0 - width - size, x0 + size, y0 + size, &stroke)
                          : moho_stroke_begin(canvas, x0 - size, y0 - size, x0 + width + size, y0 + size, &stroke));
  double along = 0;
  while (*text) {
    placed g = find_glyph(next_code(&text));
    pen p = {.stroke = &stroke,
             .unit = size / EM,
             .upright = style->upright,
             .line_width = fmax(1.05, size * (style->bold ? 0.105 : 0.078)) * (g.scale < 1 ? 0.85 : 1)};
    p.x = x0 + (style->upright ? -g.raise * p.unit : along), p.y = y0 - (style->upright ? along : g.raise * p.unit);
    p.unit *= g.scale;
    draw_path(&p, g.drawn.path);
    if (g.accent && g.accent != ' ' && g.accent != '-') draw_accent(&p, &g);
    along += (g.drawn.width + GAP) * p.unit;
  }
  moho_stroke_paint(&stroke, canvas, style->colour);
  return MOHO_OK;
}
