/* test_zero_phase.c - what must hold, 3 (phase): a flat reflector comes out of both rho filters as a symmetric wavelet whose
 * peak is at t0, positive for R > 0, negative for R < 0; without the filter, or with the other one, it does not. */
#include <math.h>

#include "physics_support.h"

static const double V = 2500, DT = 0.002, HZ = 25, DEPTH = 1001.3;
enum { NT = 601 };

/* |odd part| / |even part| of a column about t0, over 40 ms to both sides, by linear interpolation at the exact place. */
static double asymmetry(const float *column, double t0) {
  double even = 0, odd = 0;
  for (double lag = 0; lag < 0.04; lag += DT / 2) {
    double value[2];
    for (int side = 0; side < 2; side++) {
      double place = (t0 + (side ? lag : -lag)) / DT, f = place - floor(place);
      const float *y = column + (size_t)place;
      /* cubic through four samples */
      value[side] = y[0] + f * (0.5 * (y[1] - y[-1]) + f * (y[-1] - 2.5 * y[0] + 2.0 * y[1] - 0.5 * y[2] +
                                                            f * (0.5 * (y[2] - y[-1]) + 1.5 * (y[0] - y[1]))));
    }
    even += (value[0] + value[1]) * (value[0] + value[1]), odd += (value[0] - value[1]) * (value[0] - value[1]);
  }
  return sqrt(odd / even);
}

static void record_flat(survey *s, double reflectivity) {
  for (size_t k = 0; k < s->n; k++) {
    double offset = moho_geometry_offset(&s->geometry, k);
    survey_add(s, k, ricker, HZ, sqrt(4 * DEPTH * DEPTH + offset * offset) / V, reflectivity);
  }
}

static survey line_survey(void) {
  survey s = survey_create(161 * 2, NT, DT);
  for (size_t k = 0; k < s.n; k++) survey_place(&s, k, 0, ((double)(k % 161) - 80) * 12.5, k < 161 ? 0 : 300, 0);
  return s;
}

static survey areal_survey(void) {
  const size_t n = physics_is_small() ? 41 : 81;
  const double spacing = 2000 / (double)(n - 1);
  survey s = survey_create(n * n, NT, DT);
  for (size_t k = 0; k < s.n; k++)
    survey_place(&s, k, (double)(k / n) * spacing - 1000, (double)(k % n) * spacing - 1000, 200, 0);
  return s;
}

static void migrate_flat(int is_line, moho_rho rho, double reflectivity, double *peak_s, double *peak, double *odd) {
  survey s = is_line ? line_survey() : areal_survey();
  record_flat(&s, reflectivity);
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = options.aperture_min_m = 900, options.aperture_taper = 0.5, options.rho_filter = rho;
  moho_grid grid = grid_of(0, 0, 0, is_line ? 1 : 2, 2, 25, 151, DT);
  grid.first_s = 0.65;
  moho_image image = migrate_constant(&grid, V, &options, &s);
  const float *column = image_column(&image, 0, 0);
  *peak_s = grid.first_s + pick_peak(column, grid.n_time, peak) * DT;
  *odd = asymmetry(column, 2 * DEPTH / V - grid.first_s);
  moho_image_release(&image);
  survey_release(&s);
}

static void check_zero_phase(int is_line, moho_rho right, moho_rho wrong) {
  double peak_s, peak, odd, t0 = 2 * DEPTH / V;
  for (int sign = -1; sign <= 1; sign += 2) {
    migrate_flat(is_line, right, sign * 0.3, &peak_s, &peak, &odd);
    if (!(fabs(peak_s - t0) < DT / 2 && peak * sign > 0 && odd < 0.05))
      print_error("peak %g at %g s, expected %g s; odd part %g\n", peak, peak_s, t0, odd);
    assert_true(fabs(peak_s - t0) < DT / 2);
    assert_true(peak * sign > 0);
    assert_true(odd < 0.05);
  }
  migrate_flat(is_line, MOHO_RHO_NONE, 0.3, &peak_s, &peak, &odd);
  assert_true(odd > 0.3);
  migrate_flat(is_line, wrong, 0.3, &peak_s, &peak, &odd);
  assert_true(odd > 0.3);
}

static void flat_reflectors_are_zero_phase_on_a_line(void **state) {
  (void)state;
  check_zero_phase(1, MOHO_RHO_2D, MOHO_RHO_3D);
  check_zero_phase(1, MOHO_RHO_AUTO, MOHO_RHO_3D);
}

static void flat_reflectors_are_zero_phase_in_3d(void **state) {
  (void)state;
  check_zero_phase(0, MOHO_RHO_3D, MOHO_RHO_2D);
  check_zero_phase(0, MOHO_RHO_AUTO, MOHO_RHO_2D);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flat_reflectors_are_zero_phase_on_a_line),
      cmocka_unit_test(flat_reflectors_are_zero_phase_in_3d),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
