/* sinc_table.c - the weights of the 8-tap interpolator.
 *
 * Kaiser window with beta = 6: the error of a sinusoid stays below 1.5e-3 up to half the Nyquist frequency (0.25 cycles a
 * sample); a smaller beta is worse below that, a larger one near it.
 */
#include "migrate/sinc_table.h"

#include <math.h>

#define PI 3.14159265358979323846

static const double kaiser_beta = 6.0;

/* Modified Bessel function of order 0 by its power series (Abramowitz & Stegun 9.6.12). */
static double bessel_i0(double x) {
  double sum = 1, term = 1, quarter = x * x / 4;
  for (int k = 1; term > 1e-18 * sum; k++) {
    term *= quarter / ((double)k * (double)k);
    sum += term;
  }
  return sum;
}

/* Unscaled weight of a sample at distance x. */
static double windowed_sinc(double x) {
  double edge = 1 - (x / 4) * (x / 4);
  double window = bessel_i0(kaiser_beta * sqrt(edge > 0 ? edge : 0)) / bessel_i0(kaiser_beta);
  return x == 0 ? 1 : sin(PI * x) / (PI * x) * window;
}

static void fill_row(int row, double weights[MOHO_SINC_TAPS]) {
  double fraction = (double)row / MOHO_SINC_FRACTIONS, sum = 0;
  for (int j = 0; j < MOHO_SINC_TAPS; j++) {
    double x = (double)(j - 3) - fraction;
    int is_whole = row == 0; /* sin(pi*x) is not exactly zero in floating point */
    weights[j] = is_whole ? (j == 3) : windowed_sinc(x);
    sum += weights[j];
  }
  for (int j = 0; j < MOHO_SINC_TAPS; j++) weights[j] /= sum;
}

/* Rows past the middle mirror those before it, and the middle one itself, so that the taps are symmetric to the last bit. */
static void exact_row(int row, double weights[MOHO_SINC_TAPS]) {
  double half[MOHO_SINC_TAPS];
  int mirrored = row > MOHO_SINC_FRACTIONS / 2;
  fill_row(mirrored ? MOHO_SINC_FRACTIONS - row : row, half);
  for (int j = 0; j < MOHO_SINC_TAPS; j++) {
    int opposite = MOHO_SINC_TAPS - 1 - j;
    weights[j] = half[mirrored ? opposite : j];
    if (2 * row == MOHO_SINC_FRACTIONS) weights[j] = 0.5 * (half[j] + half[opposite]);
  }
}

void moho_sinc_table_double(double table[MOHO_SINC_ROWS][MOHO_SINC_TAPS]) {
  for (int row = 0; row < MOHO_SINC_ROWS; row++) exact_row(row, table[row]);
}

/* The same values rounded; each row in turn, so that no table in double is needed beside it. */
void moho_sinc_table_float(float table[MOHO_SINC_ROWS][MOHO_SINC_TAPS]) {
  for (int row = 0; row < MOHO_SINC_ROWS; row++) {
    double weights[MOHO_SINC_TAPS];
    exact_row(row, weights);
    for (int j = 0; j < MOHO_SINC_TAPS; j++) table[row][j] = (float)weights[j];
  }
}
