/* view_axis.c - axes: where the ticks go and what is written at them. */
#include "survey/view_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The smallest of 1, 2, 5 times a power of ten that is at least `rough`. */
static double round_step(double rough) {
  double power = pow(10, floor(log10(rough)));
  double digit = rough / power;
  return power * (digit <= 1.0000001 ? 1 : digit <= 2.0000001 ? 2 : digit <= 5.0000001 ? 5 : 10);
}

static int choose_exponent(double largest, double step, double plain) {
  if (largest == 0 || (largest < plain && step >= 0.0009999)) return 0;
  return (int)floor(log10(largest) + 1e-9);
}

static void label_tick(double value, double step, int exponent, char out[24]) {
  double scale = pow(10, exponent);
  int decimals = (int)ceil(-log10(step / scale) - 1e-6);
  decimals = decimals < 0 ? 0 : decimals > 9 ? 9 : decimals;
  char size[20];
  snprintf(size, sizeof size, "%.*f", decimals, fabs(value) / scale);
  int is_zero = strspn(size, "0.") == strlen(size);
  /* A true minus sign is as wide as the digits; zero has none. */
  snprintf(out, 24, "%s%s", value < 0 && !is_zero ? "\xe2\x88\x92" : "", size);
}

moho_ticks moho_ticks_between(double low, double high, size_t most, int whole, double plain) {
  moho_ticks ticks = {0};
  if (low > high) {
    double swap = low;
    low = high, high = swap;
  }
  if (most > MOHO_TICKS - 1) most = MOHO_TICKS - 1;
  if (!(high > low) || !isfinite(high - low) || most < 1) return ticks;
  double step = round_step((high - low) / (double)most);
  if (whole && step < 1) step = 1;
  double slack = 1e-9 * (high - low), first = ceil((low - slack) / step);
  ticks.exponent = choose_exponent(fmax(fabs(low), fabs(high)), step, plain);
  for (double k = first; k * step <= high + slack && ticks.n < MOHO_TICKS; k++) {
    ticks.values[ticks.n] = k * step;
    label_tick(k * step, step, ticks.exponent, ticks.labels[ticks.n]);
    ticks.n++;
  }
  return ticks;
}

static void raise_digits(int exponent, char *out, size_t capacity) {
  static const char *const digits[] = {"\xe2\x81\xb0", "\xc2\xb9",     "\xc2\xb2",     "\xc2\xb3",     "\xe2\x81\xb4",
                                       "\xe2\x81\xb5", "\xe2\x81\xb6", "\xe2\x81\xb7", "\xe2\x81\xb8", "\xe2\x81\xb9"};
  char plain[16];
  snprintf(plain, sizeof plain, "%d", exponent);
  size_t length = (size_t)snprintf(out, capacity, "10");
  for (const char *p = plain; *p; p++)
    length += (size_t)snprintf(out + length, capacity - length, "%s", *p == '-' ? "\xe2\x81\xbb" : digits[*p - '0']);
}

void moho_axis_caption(const char *label, const char *unit, int exponent, char *out, size_t capacity) {
  char power[40] = "";
  if (exponent) raise_digits(exponent, power, sizeof power);
  int has_unit = unit && *unit;
  snprintf(out, capacity, "%s%s%s%s%s%s", label ? label : "", (exponent || has_unit) ? " (" : "", power,
           exponent && has_unit ? " " : "", has_unit ? unit : "", (exponent || has_unit) ? ")" : "");
}
