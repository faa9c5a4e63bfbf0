/* test_filter_bank.c - antialias: a filter bank and the triangle take away the noise of aliased operators, and leave events
 * that are not aliased as they are; what a bank passes at a half-width.
 */
#include <math.h>
#include <stdlib.h>

#include "migrate/filter_bank.h"
#include "physics_support.h"

static const double V = 2000, DT = 0.002;
enum { NS = 601, COLUMNS = 9 };

/* ---- the bank itself ---- */

/* Gain of frequency f (times T) at half-width T: the two copies around it, blended. */
static double gain(const moho_filter_bank *bank, double half_width, double cycles) {
  double place = moho_filter_bank_place(bank, half_width), past = place - floor(place);
  int j = (int)place;
  double low = moho_filter_bank_response(bank, j, cycles);
  return past > 0 ? (1 - past) * low + past * moho_filter_bank_response(bank, j + 1, cycles) : low;
}

static void copies_pass_what_is_not_aliased(void **state) {
  (void)state;
  static const int refines[] = {1, 4}, widest[] = {7, 30, 200};
  for (int r = 0; r < 2; r++)
    for (int w = 0; w < 3; w++)
      for (int n = 6; n <= 12; n += 6) {
        int refine = refines[r], k_max = widest[w] * refine;
        moho_filter_bank bank = moho_filter_bank_make(n, refine, k_max);
        double step = exp2(1 / bank.per_octave); /* between cut-offs */
        assert_true(moho_filter_bank_place(&bank, 0.3) == 0 && moho_filter_bank_place(&bank, refine) == 0);
        assert_true(fabs(moho_filter_bank_place(&bank, k_max) - (n - 1)) < 1e-9);
        for (double k = refine * 1.01, last = 0; k < k_max; k *= 1.03) {
          double place = moho_filter_bank_place(&bank, k);
          assert_true(place > last); /* wider is lower */
          assert_true(fabs(place - bank.per_octave * log2(k / refine)) < 0.009 * bank.per_octave);
          last = place;
          assert_true(fabs(gain(&bank, k, 0.5 * 0.74 / step / k) - 1) < 1e-9);                     /* half of 1/T */
          if (k > refine * step * 1.01) assert_true(gain(&bank, k, 0.5 * 1.26 * step / k) < 1e-9); /* below 1/T */
        }
      }
}

/* ---- a flat reflector under sparse midpoints ---- */

static survey flat_line(double spacing, size_t n, double t0, double hz) {
  survey s = survey_create(n, NS, DT);
  for (size_t k = 0; k < n; k++) {
    survey_place(&s, k, 0, ((double)k - (double)(n / 2)) * spacing, 0, 0);
    survey_add(&s, k, ricker, hz, t0, 1);
  }
  return s;
}

/* What is promised of the device under test (docs/physics.md "What must hold", 10): kernels may interpolate leg times. */
static double promised_error(void) {
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  assert_ok(moho_device_close(&device));
  return report.has_native ? 1e-4 : 1e-3;
}

/* By the reference, and by the device under test, which must agree. */
static void reference_image(const moho_grid *grid, moho_antialias antialias, int filters, const survey *s, double *image) {
  moho_migration_options options = moho_migration_options_default();
  moho_velocity *velocity;
  moho_reference *reference;
  options.aperture_max_m = options.aperture_min_m = 1500, options.aperture_taper = 0.3;
  options.interpolation = MOHO_INTERPOLATION_SINC8, options.antialias = antialias, options.antialias_filters = filters;
  options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE;
  assert_ok(moho_velocity_create_constant(V, &velocity));
  assert_ok(moho_reference_create(grid, velocity, &options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_finish(reference, image, NULL));
  moho_reference_destroy(&reference);
  moho_image migrated = migrate(physics_device(), grid, velocity, &options, s, 0);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < COLUMNS * NS; i++)
    difference += (migrated.stack[i] - image[i]) * (migrated.stack[i] - image[i]), norm += image[i] * image[i];
  print_message("%s: %.2g from the reference\n", physics_device(), sqrt(difference / norm));
  assert_true(sqrt(difference) <= promised_error() * sqrt(norm));
  moho_image_release(&migrated);
  moho_velocity_destroy(&velocity);
}

static double rms(const double *image, size_t n_time, double from_s, double to_s) {
  double sum = 0, count = 0;
  for (size_t c = 0; c < COLUMNS; c++)
    for (size_t i = (size_t)(from_s / DT); i < (size_t)(to_s / DT); i++, count++)
      sum += image[c * n_time + i] * image[c * n_time + i];
  return sqrt(sum / count);
}

static double largest(const double *image, size_t n_time, double from_s, double to_s) {
  double value = 0;
  for (size_t i = (size_t)(from_s / DT); i < (size_t)(to_s / DT); i++) value = fmax(value, image[COLUMNS / 2 * n_time + i]);
  return value;
}

/* Above the reflector there is nothing: what an image has there is the noise of aliased operators. */
static void noise_of_aliased_operators(void **state) {
  (void)state;
  static double image[COLUMNS * NS];
  survey s = flat_line(50, 101, 1.0, 30);
  moho_grid grid = grid_of(0, -100, 0, 1, COLUMNS, 25, NS, DT);
  double noise[4], peak[4];
  for (int k = 0; k < 4; k++) {
    reference_image(&grid,
                    k == 0   ? MOHO_ANTIALIAS_NONE
                    : k == 1 ? MOHO_ANTIALIAS_TRIANGLE
                             : MOHO_ANTIALIAS_FILTER_BANK,
                    k == 3 ? 16 : 8, &s, image);
    noise[k] = rms(image, NS, 0.2, 0.9), peak[k] = largest(image, NS, 0.9, 1.1);
  }
  print_message("50 m: noise %.5f none, %.5f triangle, %.5f bank of 8, %.5f of 16; peak %.4f %.4f %.4f %.4f\n", noise[0],
                noise[1], noise[2], noise[3], peak[0], peak[1], peak[2], peak[3]);
  assert_true(noise[1] < 0.02 * noise[0] && noise[2] < 0.02 * noise[0] && noise[3] < 0.02 * noise[0]);
  assert_true(fabs(peak[1] - 1) < 0.03 && fabs(peak[2] - 1) < 0.01 && fabs(peak[3] - 1) < 0.01);
  survey_release(&s);
}

/* A reflector that dips by 30 degrees, up to 75 Hz where 1/(2T) is 80: a bank leaves it as it is, a triangle weakens it. */
static void dips_that_are_not_aliased(void **state) {
  (void)state;
  static double image[COLUMNS * NS];
  survey s = flat_line(12.5, 161, 0, 25);
  double dip = 30 * PI / 180, depth = 600, peak[3];
  for (size_t k = 0; k < s.n; k++) {
    double distance = cos(dip) * depth + s.geometry.source_y[k] * sin(dip);
    for (size_t j = 0; j < NS; j++) s.samples[k * NS + j] = 0;
    if (distance > 50) survey_add(&s, k, ricker, 25, 2 * distance / V, 1);
  }
  moho_grid grid = grid_of(0, -50, 0, 1, COLUMNS, 12.5, NS, DT);
  for (int k = 0; k < 3; k++) {
    reference_image(&grid, (moho_antialias)k, 8, &s, image);
    peak[k] = largest(image, NS, 0.5, 0.7);
  }
  print_message("30 degrees, 12.5 m: peak %.4f none, %.4f triangle, %.4f bank\n", peak[0], peak[1], peak[2]);
  assert_true(fabs(peak[2] / peak[0] - 1) < 0.03);
  assert_true(peak[1] / peak[0] < 0.95);
  survey_release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(copies_pass_what_is_not_aliased),
      cmocka_unit_test(noise_of_aliased_operators),
      cmocka_unit_test(dips_that_are_not_aliased),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
