/* rho_filter.c - the rho filter's response, defined once for the float path and the double reference. */
#include "migrate/rho_filter.h"

#include <math.h>

#define PI 3.14159265358979323846

static int has_small_factors(size_t n) {
  const size_t factors[] = {2, 3, 5};
  for (size_t i = 0; i < 3; i++)
    while (n % factors[i] == 0) n /= factors[i];
  return n == 1;
}

size_t moho_filter_length(size_t n_samples) {
  size_t quarter = n_samples > 8 ? (n_samples + 1) / 2 : 4;
  while (!has_small_factors(quarter)) quarter++;
  return 4 * quarter;
}

/* 1 below the roll-off, 0 at its end; x = f / f_end. */
static double roll_off(double x) {
  if (x <= MOHO_RHO_ROLL_OFF) return 1;
  if (x >= 1) return 0;
  return 0.5 * (1 + cos(PI * (x - MOHO_RHO_ROLL_OFF) / (1 - MOHO_RHO_ROLL_OFF)));
}

void moho_rho_response(moho_rho rho, size_t length, double dt_s, double (*response)[2]) {
  for (size_t k = 0; k <= length / 2; k++) {
    double omega = 2 * PI * (double)k / ((double)length * dt_s);
    double fade = roll_off((double)k / (double)(length / 2));
    if (rho == MOHO_RHO_3D) {
      response[k][0] = 0;
      response[k][1] = -omega * fade;
    } else if (rho == MOHO_RHO_2D) { /* e^{-i pi/4} = (1 - i)/sqrt 2 */
      response[k][0] = sqrt(omega / 2) * fade;
      response[k][1] = -sqrt(omega / 2) * fade;
    } else {
      response[k][0] = 1;
      response[k][1] = 0;
    }
  }
}

void moho_high_cut_apply(double high_cut_hz, size_t length, double dt_s, double (*response)[2]) {
  for (size_t k = 0; high_cut_hz > 0 && k <= length / 2; k++) {
    double fade = roll_off((double)k / ((double)length * dt_s * high_cut_hz));
    response[k][0] *= fade;
    response[k][1] *= fade;
  }
}
