/* view_axis.h - round ticks between two values, and their labels. */
#ifndef MOHO_SURVEY_VIEW_AXIS_H
#define MOHO_SURVEY_VIEW_AXIS_H

#include <stddef.h>

enum { MOHO_TICKS = 64 };

typedef struct moho_ticks {
  size_t n;
  double values[MOHO_TICKS];
  char labels[MOHO_TICKS][24];
  int exponent; /* labels are in units of 10^exponent; 0 for ordinary numbers */
} moho_ticks;

/* At most `most` ticks at multiples of 1, 2 or 5 times a power of ten in [low, high] (either order). whole: no fractions. */
moho_ticks moho_ticks_between(double low, double high, size_t most, int whole);

/* "amplitude (10⁻⁷ m/s)": label, unit and exponent as a caption. */
void moho_axis_caption(const char *label, const char *unit, int exponent, char *out, size_t capacity);

#endif
