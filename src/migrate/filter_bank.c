/* filter_bank.c - the low-passed copies of a trace that antialias filter_bank reads. */
#include "migrate/filter_bank.h"

#include <math.h>

#include "migrate/real_double.h"

#define PI 3.14159265358979323846

moho_filter_bank moho_filter_bank_make(int n, int refine, int k_max) {
  double range = fmax(log2((double)k_max / refine), 1);
  return (moho_filter_bank){.n = n, .narrowest = refine, .per_octave = (n - 1) / range, .last = n - 1};
}

double moho_filter_bank_response(const moho_filter_bank *bank, int j, double cycles) {
  if (j == 0) return 1;
  double cut_off = 1 / (2 * bank->narrowest * exp2(j / bank->per_octave));
  double past = (cycles / cut_off - (1 - MOHO_FILTER_ROLL_OFF)) / (2 * MOHO_FILTER_ROLL_OFF);
  return past <= 0 ? 1 : past >= 1 ? 0 : 0.5 * (1 + cos(PI * past));
}

double moho_filter_bank_place(const moho_filter_bank *bank, double half_width) {
  int exponent; /* of a mantissa in [1/2, 1) */
  double mantissa = frexp(fmax(half_width / bank->narrowest, 1), &exponent);
  return filter_bank_place(octaves(exponent - 1, 2 * mantissa), bank->per_octave, bank->last);
}
