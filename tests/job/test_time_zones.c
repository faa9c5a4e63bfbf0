/* test_time_zones.c - zones of larger time steps: never coarser than the table allows, and the way back to the uniform axis. */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "job/time_zones.h"

#define PI 3.14159265358979323846
enum { N = 1500 };
static const double STEP = 0.002;

static moho_grid axis(void) {
  moho_grid grid = moho_grid_default();
  grid.n_time = N, grid.step_s = STEP;
  return grid;
}

/* Zones follow each other from 0 to N; every sample's frequency lies below 0.8 of its zone's Nyquist frequency, or the step is 1;
 * what is computed reaches over both ends as far as the taps and the overlap do. */
static void check_zones(const moho_grid *grid, const double *f_max_hz) {
  moho_time_zone zones[MOHO_MOST_ZONES];
  size_t n = moho_time_zones_make(grid, f_max_hz, zones), at = 0;
  assert_in_range(n, 1, MOHO_MOST_ZONES);
  for (size_t i = 0; i < n; i++) {
    assert_int_equal(zones[i].first, at);
    at = zones[i].end;
    assert_true(zones[i].end > zones[i].first && (n == 1 || zones[i].end - zones[i].first >= 100));
    assert_true(i == 0 || zones[i].factor != zones[i - 1].factor);
    for (size_t k = zones[i].first; k < zones[i].end; k++)
      assert_true(zones[i].factor == 1 || f_max_hz[k] <= 0.8 * 0.5 / ((double)zones[i].factor * STEP));
    size_t last = zones[i].origin + (zones[i].n - 1) * zones[i].factor;
    assert_true(zones[i].origin <= zones[i].first && last + 1 >= zones[i].end);
    if (i) assert_true(zones[i].origin + 8 <= zones[i].first);
    if (i + 1 < n) assert_true(last >= zones[i].end + 7);
  }
  assert_int_equal(at, N);
}

static void no_sample_is_too_coarse(void **state) {
  (void)state;
  moho_grid grid = axis();
  uint64_t seed = 3;
  double *f_max = malloc(N * sizeof *f_max);
  for (int table = 0; table < 300; table++) {
    double f = 200 * test_uniform(&seed);
    for (size_t k = 0; k < N; k++) {
      if (test_uniform(&seed) < (table % 3 ? 0.004 : 0.03)) f = 200 * test_uniform(&seed);
      f_max[k] = f;
    }
    check_zones(&grid, f_max);
  }
  free(f_max);
}

/* Sums of cosines below f_max, which falls from 90 to 20 Hz, sampled on the zones' axes, come back within 1e-3 of 5. */
static void the_way_back_is_exact_enough(void **state) {
  (void)state;
  static const double hz[] = {12, 19, 37, 61, 88};
  static const size_t last[] = {N, N, 700, 350, 300}; /* samples after which a frequency has gone */
  moho_grid grid = axis();
  moho_time_zone zones[MOHO_MOST_ZONES];
  moho_image parts[MOHO_MOST_ZONES], image;
  double *f_max = malloc(N * sizeof *f_max), worst = 0;
  for (size_t k = 0; k < N; k++) f_max[k] = k < 400 ? 90 : k < 700 ? 62 : k < 1100 ? 40 : 20;
  size_t n = moho_time_zones_make(&grid, f_max, zones), coarsest = 1;
  for (size_t i = 0; i < n; i++) {
    moho_grid own;
    assert_ok(moho_time_zone_grid(&zones[i], &grid, &own));
    assert_ok(moho_image_create(&own, &parts[i]));
    coarsest = zones[i].factor > coarsest ? zones[i].factor : coarsest;
  }
  assert_true(n >= 3 && coarsest == 8);
  assert_ok(moho_image_create(&grid, &image));
  double *expected = calloc(N, sizeof *expected);
  for (size_t i = 0; i <= n; i++) /* the zones, then what they must give */
    for (size_t k = 0; k < (i < n ? parts[i].grid.n_time : N); k++) {
      double sample = i < n ? (double)zones[i].origin + (double)(k * zones[i].factor) : (double)k, sum = 0;
      for (size_t f = 0; f < 5; f++) {
        double left = ((double)last[f] - sample) / 40, fade = left > 12 || last[f] == N ? 1 : 1 / (1 + exp(-2 * left));
        sum += fade * cos(2 * PI * hz[f] * sample * STEP + (double)f);
      }
      if (i < n) parts[i].stack[k] = (float)sum, parts[i].fold[k] = (int32_t)sample;
      else expected[k] = sum;
    }
  assert_ok(moho_time_zones_join(zones, parts, n, &image));
  for (size_t k = 150; k + 150 < N; k++) {
    worst = fmax(worst, fabs((double)image.stack[k] - expected[k]));
    assert_true(abs(image.fold[k] - (int32_t)k) <= 4);
  }
  print_message("%zu zones, error %.2g of 5\n", n, worst);
  assert_true(worst < 1e-3);
  for (size_t i = 0; i < n; i++) moho_image_release(&parts[i]);
  moho_image_release(&image);
  free(f_max), free(expected);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_sample_is_too_coarse), cmocka_unit_test(the_way_back_is_exact_enough)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
