/* view_colours.c - colour scales, even to the eye: interpolated in Oklab (B. Ottosson, "A perceptual color space for image
 * processing", 2020), where equal steps look equal. */
#include "survey/view_colours.h"

#include <math.h>

typedef struct oklch {
  double lightness, chroma, hue_deg;
} oklch; /* cylindrical Oklab */

static uint8_t to_srgb(double linear) {
  double value = linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1 / 2.4) - 0.055;
  return (uint8_t)lrint(255 * (value < 0 ? 0 : value > 1 ? 1 : value));
}

static double cube(double x) {
  return x * x * x;
}

static moho_colour from_oklab(double lightness, double a, double b) {
  double l = cube(lightness + 0.3963377774 * a + 0.2158037573 * b);
  double m = cube(lightness - 0.1055613458 * a - 0.0638541728 * b);
  double s = cube(lightness - 0.0894841775 * a - 1.2914855480 * b);
  return (moho_colour){to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
                       to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
                       to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

static moho_colour from_oklch(oklch c) {
  double hue = c.hue_deg * (3.14159265358979323846 / 180);
  return from_oklab(c.lightness, c.chroma * cos(hue), c.chroma * sin(hue));
}

static double between(double a, double b, double t) {
  return a + (b - a) * t;
}

/* From the middle's near-white to a saturated and then a dark end. */
static moho_colour diverging(double t) {
  double hue = t < 0 ? 257 : 25, reach = fabs(t);
  double lightness = reach < 0.7 ? between(0.98, 0.56, reach / 0.7) : between(0.56, 0.36, (reach - 0.7) / 0.3);
  double chroma = reach < 0.7 ? between(0, 0.18, pow(reach / 0.7, 0.9)) : between(0.18, 0.125, (reach - 0.7) / 0.3);
  return from_oklch((oklch){lightness, chroma, hue});
}

/* Lightness grows evenly while the hue turns from blue-violet over green to yellow; the chroma stays within sRGB all the way
 * (tests/survey/test_view.c), since clipping would show as an edge where the data have none. */
static moho_colour sequential(double t) {
  double late = t < 0.55 ? 0 : fmin((t - 0.55) / 0.35, 1);
  double chroma = between(0.095, 0.165, late * late * (3 - 2 * late));
  return from_oklch((oklch){between(0.22, 0.92, t), chroma, between(288, 103, pow(t, 1.3))});
}

void moho_colours_fill(moho_view_colours colours, moho_colour table[256]) {
  for (int i = 0; i < 256; i++) {
    double t = i / 255.0;
    uint8_t grey = (uint8_t)(255 - i);
    if (colours == MOHO_VIEW_GREY) table[i] = (moho_colour){grey, grey, grey};
    else if (colours == MOHO_VIEW_RED_BLUE) table[i] = diverging(2 * t - 1);
    else table[i] = sequential(t);
  }
}
