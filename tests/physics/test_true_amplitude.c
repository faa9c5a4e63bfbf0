/* test_true_amplitude.c - what must hold, 3 and 4 (amplitude): reflectors come out of true_amplitude as their reflection
 * coefficient, at every offset, in 3D and 2.5D, from raw and from spreading-corrected data, zero-phase.
 *
 * Recorded: u = R g(t - L/v)/(4 pi L), L the length of the path by the source's image in the plane; corrected data are
 * multiplied by 4 pi v t.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "physics_support.h"

static const double V = 2500, DT = 0.002, HZ = 25, DEPTH = 1000, R = 0.2;
enum { NS = 601, NT = 61, LINE = 241, SIDE = 85 };

typedef struct dipping { /* z = depth + x sin(azimuth) tan(dip) + y cos(azimuth) tan(dip) */
  double depth, dip_deg, azimuth_deg;
} dipping;

static double distance_of(dipping d, double x, double y) {
  double a = d.azimuth_deg * PI / 180, dip = d.dip_deg * PI / 180;
  return cos(dip) * d.depth + (x * sin(a) + y * cos(a)) * sin(dip);
}

static void record(survey *s, dipping d, moho_amplitude amplitude) {
  const moho_geometry *g = &s->geometry;
  for (size_t k = 0; k < s->n; k++) {
    double hs = distance_of(d, g->source_x[k], g->source_y[k]), hr = distance_of(d, g->receiver_x[k], g->receiver_y[k]);
    double apart = moho_geometry_offset(g, k), length = sqrt(4 * hs * hr + apart * apart);
    if (hs <= 0 || hr <= 0) continue;
    survey_add(s, k, ricker, HZ, length / V, R / (4 * PI * length));
    for (size_t j = 0; j < NS && amplitude == MOHO_AMPLITUDE_SPREADING_CORRECTED; j++)
      s->samples[k * NS + j] *= (float)(4 * PI * V * (g->first_sample_s[k] + (double)j * DT));
  }
}

/* Midpoints around (0, 0), sources and receivers along the azimuth. */
static survey survey_around(int is_line, double offset, double azimuth_deg) {
  survey s = survey_create(is_line ? LINE : SIDE * SIDE, NS, DT);
  for (size_t k = 0; k < s.n; k++) {
    if (is_line) survey_place(&s, k, 0, ((double)k - LINE / 2) * 12.5, offset, 0);
    else survey_place(&s, k, ((double)(k / SIDE) - SIDE / 2) * 25, ((double)(k % SIDE) - SIDE / 2) * 25, offset, azimuth_deg);
    s.geometry.first_sample_s[k] = 0.6;
  }
  return s;
}

static moho_grid grid_at(int is_line, double t0) {
  moho_grid grid = grid_of(0, 0, 0, is_line ? 1 : 2, is_line ? 2 : 2, 25, NT, DT);
  grid.first_s = (floor(t0 / DT) - NT / 2) * DT;
  return grid;
}

static moho_migration_options true_options(moho_amplitude amplitude) {
  moho_migration_options options = moho_migration_options_default();
  options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE, options.amplitude = amplitude;
  options.interpolation = MOHO_INTERPOLATION_SINC8;
  options.aperture_max_m = options.aperture_min_m = 1000, options.aperture_taper = 0.6;
  return options;
}

/* Column (0, 0) by the double reference. */
static void reference_column(const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                             const survey *s, double *column) {
  moho_reference *reference;
  size_t flat = 0;
  assert_ok(moho_reference_create(grid, velocity, options, &s->geometry, s->n_samples, s->dt_s, &flat, 1, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_finish(reference, column, NULL));
  moho_reference_destroy(&reference);
}

/* The column's largest value between samples, and how far its even part about t0 is from all of it. */
static double peak_of(const double *column, double *at) {
  size_t peak = 1;
  for (size_t k = 1; k + 1 < NT; k++)
    if (column[k] > column[peak]) peak = k;
  double before = column[peak - 1], here = column[peak], after = column[peak + 1], bend = before - 2 * here + after;
  double shift = 0.5 * (before - after) / bend;
  *at = (double)peak + shift;
  return here - 0.25 * (before - after) * shift;
}

static double image_peak(int is_line, dipping d, double offset, double azimuth_deg, moho_amplitude amplitude,
                         double *off_samples) {
  survey s = survey_around(is_line, offset, azimuth_deg);
  double t0 = 2 * d.depth / V, column[NT], at;
  moho_grid grid = grid_at(is_line, t0);
  moho_migration_options options = true_options(amplitude);
  moho_velocity *velocity;
  record(&s, d, amplitude);
  assert_ok(moho_velocity_create_constant(V, &velocity));
  reference_column(&grid, velocity, &options, &s, column);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  double peak = peak_of(column, &at);
  *off_samples = grid.first_s / DT + at - t0 / DT;
  return peak;
}

static void flat(int is_line, double offset_over_depth, moho_amplitude amplitude) {
  double off, peak = image_peak(is_line, (dipping){DEPTH, 0, 0}, offset_over_depth * DEPTH, 30, amplitude, &off);
  print_message("%s offset/z %g %s: %.4f of R, %.3f samples off\n", is_line ? "2.5D" : "3D", offset_over_depth,
                amplitude == MOHO_AMPLITUDE_RAW ? "raw" : "corrected", peak / R, off);
  assert_true(fabs(peak / R - 1) < 0.02);
  assert_true(fabs(off) < 0.25);
}

static void flat_reflectors_on_a_line(void **state) {
  (void)state;
  for (int k = 0; k <= 3; k++) flat(1, 0.5 * k, MOHO_AMPLITUDE_RAW), flat(1, 0.5 * k, MOHO_AMPLITUDE_SPREADING_CORRECTED);
}

static void flat_reflectors_in_3d(void **state) {
  (void)state;
  for (int k = 0; k <= 3; k++) flat(0, 0.5 * k, MOHO_AMPLITUDE_RAW), flat(0, 0.5 * k, MOHO_AMPLITUDE_SPREADING_CORRECTED);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flat_reflectors_on_a_line),
      cmocka_unit_test(flat_reflectors_in_3d),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
