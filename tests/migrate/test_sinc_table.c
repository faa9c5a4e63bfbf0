/* test_sinc_table.c - the 8-tap interpolator: exact on samples, symmetric, unit gain, accurate to half of Nyquist. */
#include "test_support.h"

#include <math.h>

#include "migrate/sinc_table.h"

#define PI 3.14159265358979323846

static double table[MOHO_SINC_ROWS][MOHO_SINC_TAPS];
static float table_float[MOHO_SINC_ROWS][MOHO_SINC_TAPS];

static int fill(void **state) {
  (void)state;
  moho_sinc_table_double(table);
  moho_sinc_table_float(table_float);
  return 0;
}

static void samples_are_kept(void **state) {
  (void)state;
  for (int j = 0; j < MOHO_SINC_TAPS; j++) {
    assert_true(table[0][j] == (j == 3));
    assert_true(table[MOHO_SINC_ROWS - 1][j] == (j == 4));
  }
}

static void taps_are_symmetric_and_sum_to_one(void **state) {
  (void)state;
  for (int row = 0; row < MOHO_SINC_ROWS; row++) {
    double sum = 0;
    for (int j = 0; j < MOHO_SINC_TAPS; j++) {
      assert_true(table[row][j] == table[MOHO_SINC_ROWS - 1 - row][MOHO_SINC_TAPS - 1 - j]);
      assert_true(table_float[row][j] == (float)table[row][j]);
      sum += table[row][j];
    }
    assert_true(fabs(sum - 1) < 1e-15 * 8);
  }
}

/* Largest error of sinusoids of a frequency in cycles a sample, any phase, rows blended linearly. */
static double largest_error(double frequency) {
  double worst = 0;
  for (double f = 0; f < 1; f += 0.00137) {
    double position = f * MOHO_SINC_FRACTIONS, g = position - floor(position), re = 0, im = 0;
    int row = (int)position;
    for (int j = 0; j < MOHO_SINC_TAPS; j++) {
      double h = (1 - g) * table[row][j] + g * table[row + 1][j];
      re += h * cos(2 * PI * frequency * (j - 3)), im += h * sin(2 * PI * frequency * (j - 3));
    }
    worst = fmax(worst, hypot(re - cos(2 * PI * frequency * f), im - sin(2 * PI * frequency * f)));
  }
  return worst;
}

static void sinusoids_are_accurate(void **state) {
  (void)state;
  for (double frequency = 0.01; frequency <= 0.25; frequency += 0.01) assert_true(largest_error(frequency) < 1.5e-3);
  assert_true(largest_error(0.3) < 0.03);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(samples_are_kept), cmocka_unit_test(taps_are_symmetric_and_sum_to_one),
                                     cmocka_unit_test(sinusoids_are_accurate)};
  return cmocka_run_group_tests(tests, fill, NULL);
}
