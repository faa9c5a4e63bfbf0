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

/* Numbers up to this are written out on axes: coordinates have seven digits. Amplitudes are easier with a power of ten sooner. */
#define MOHO_PLAIN_COORDINATES 5e7
#define MOHO_PLAIN_AMPLITUDES 1e5

/* At most `most` ticks at multiples of 1, 2 or 5 times a power of ten in [low, high] (either order). whole: no fractions.
 * plain: numbers below it, and steps of at least 0.001, are written without a power of ten. */
moho_ticks moho_ticks_between(double low, double high, size_t most, int whole, double plain);

/* "amplitude (10⁻⁷ m/s)": label, unit and exponent as a caption. */
void moho_axis_caption(const char *label, const char *unit, int exponent, char *out, size_t capacity);

#endif
