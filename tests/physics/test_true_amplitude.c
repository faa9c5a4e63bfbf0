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
enum { NS = 651, NT = 61, LINE = 321, SIDE = 85 };

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
    s.geometry.first_sample_s[k] = 0.4;
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

/* The same on the device under test; on the cpu it must be the reference's. */
static void migrated_column(const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                            const survey *s, int compare, double *column) {
  double expected[NT], difference = 0, norm = 0;
  moho_image image = migrate(physics_device(), grid, velocity, options, s, 0);
  for (size_t i = 0; i < NT; i++) column[i] = image.stack[i];
  moho_image_release(&image);
  if (!compare) return;
  reference_column(grid, velocity, options, s, expected);
  for (size_t i = 0; i < NT; i++) {
    difference += (column[i] - expected[i]) * (column[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  assert_true(difference <= 3e-5 * 3e-5 * norm); /* 2e-8 of 651 samples is 1.3e-5, and the shift of their times is large */
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

static double image_peak(int is_line, dipping d, double offset, double azimuth_deg, moho_amplitude amplitude, double aperture_m,
                         int compare, double *off_samples) {
  survey s = survey_around(is_line, offset, azimuth_deg);
  double t0 = 2 * d.depth / V, column[NT], at;
  moho_grid grid = grid_at(is_line, t0);
  moho_migration_options options = true_options(amplitude);
  moho_velocity *velocity;
  options.aperture_max_m = options.aperture_min_m = aperture_m, options.aperture_taper = 500 / aperture_m;
  record(&s, d, amplitude);
  assert_ok(moho_velocity_create_constant(V, &velocity));
  migrated_column(&grid, velocity, &options, &s, compare, column);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  double peak = peak_of(column, &at);
  *off_samples = grid.first_s / DT + at - t0 / DT;
  return peak;
}

static void flat(int is_line, double offset_over_depth, moho_amplitude amplitude) {
  double off, peak = image_peak(is_line, (dipping){DEPTH, 0, 0}, offset_over_depth * DEPTH, 30, amplitude, 1000,
                                is_line || offset_over_depth == 1.5, &off);
  print_message("%s offset/z %g %s: %.4f of R, %.3f samples off\n", is_line ? "2.5D" : "3D", offset_over_depth,
                amplitude == MOHO_AMPLITUDE_RAW ? "raw" : "corrected", peak / R, off);
  assert_true(fabs(peak / R - 1) < 0.02);
  assert_true(fabs(off) < 0.25);
}

static void flat_reflectors_on_a_line(void **state) {
  (void)state;
  for (int k = 0; k <= 3; k += physics_is_small() ? 3 : 1)
    flat(1, 0.5 * k, MOHO_AMPLITUDE_RAW), flat(1, 0.5 * k, MOHO_AMPLITUDE_SPREADING_CORRECTED);
}

static void flat_reflectors_in_3d(void **state) {
  (void)state;
  for (int k = 0; k <= 3; k += physics_is_small() ? 3 : 1)
    flat(0, 0.5 * k, MOHO_AMPLITUDE_RAW), flat(0, 0.5 * k, MOHO_AMPLITUDE_SPREADING_CORRECTED);
}

/* ---- dipping reflectors ---- */

static void dip(int is_line, double dip_deg, double azimuth_deg, double offset, moho_amplitude amplitude) {
  dipping d = {is_line ? DEPTH : 650, dip_deg, azimuth_deg};
  double off, peak = image_peak(is_line, d, offset, 30, amplitude, is_line ? 1900 : 1050, is_line, &off);
  print_message("%s dip %g offset %g %s: %.4f of R, %.3f samples off\n", is_line ? "2.5D" : "3D", dip_deg, offset,
                amplitude == MOHO_AMPLITUDE_RAW ? "raw" : "corrected", peak / R, off);
  assert_true(fabs(peak / R - 1) < 0.02);
  assert_true(fabs(off) < 0.25);
}

static void dipping_reflectors(void **state) {
  (void)state;
  for (int deg = physics_is_small() ? 45 : 15; deg <= 45; deg += 15)
    for (int far = 0; far <= 1; far++) {
      dip(1, deg, 0, 600 * far, MOHO_AMPLITUDE_RAW);
      dip(1, deg, 180, 600 * far, MOHO_AMPLITUDE_SPREADING_CORRECTED);
    }
  dip(0, 15, 137, 600, MOHO_AMPLITUDE_RAW);
  dip(0, 30, 60, 600, MOHO_AMPLITUDE_SPREADING_CORRECTED);
}

/* ---- velocity growing with depth ---- */

static const double V0 = 2000, K = 0.5;

/* Time and spreading of a flat reflector's wave in v = V0 + K z: rays are circles, x(p) = (c0 - cz)/(K p) down to depth z with
 * c = sqrt(1 - p^2 v^2); L^2 = X dX/dp cos^2(a) / (V0^2 p), X = 2x, a the angle at the surface (energy in a tube of rays). */
static double wave_in_gradient(double depth, double offset, double *spreading) {
  double x = fmax(offset, 1e-3 * depth) / 2, vz = V0 + K * depth;
  double centre = (x * x + depth * depth + 2 * depth * V0 / K) / (2 * x), p = 1 / (K * hypot(centre, V0 / K));
  double c0 = sqrt(1 - p * p * V0 * V0), cz = sqrt(1 - p * p * vz * vz);
  double growth = 2 * (-(c0 - cz) / (K * p * p) + (vz * vz / cz - V0 * V0 / c0) / K);
  *spreading = sqrt(2 * x * growth * c0 * c0 / (V0 * V0 * p));
  return 2 / K * acosh(1 + K * K * (offset * offset / 4 + depth * depth) / (2 * V0 * vz));
}

static double amplitude_in_gradient(moho_traveltime law, double depth, double offset) {
  survey s = survey_around(1, offset, 0);
  double column[NT], at, spreading, t0 = wave_in_gradient(depth, 0, &spreading),
                                    time = wave_in_gradient(depth, offset, &spreading);
  for (size_t k = 0; k < s.n; k++) {
    s.geometry.first_sample_s[k] = time - 0.3;
    survey_add(&s, k, ricker, HZ, time, R / (4 * PI * spreading));
  }
  moho_grid grid = grid_at(1, t0);
  moho_migration_options options = true_options(MOHO_AMPLITUDE_RAW);
  moho_velocity *velocity;
  options.traveltime = law;
  assert_ok(moho_velocity_create_linear_z(V0, K, &velocity));
  migrated_column(&grid, velocity, &options, &s, 1, column);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  return peak_of(column, &at) / R;
}

static void amplitudes_in_a_gradient_of_velocity(void **state) {
  (void)state;
  /* The factor v_rms/V0 is that of zero offset: farther out amplitudes fall (docs/physics.md "Weights"). */
  static const double expected[2][4] = {{1, 0.987, 0.956, 0.90}, {1, 0.990, 0.964, 0.923}};
  for (int law = 0; law < 2; law++)
    for (int k = 0; k <= 3; k += physics_is_small() ? 3 : 1) {
      double share = amplitude_in_gradient(law ? MOHO_TRAVELTIME_CURVED_LINEAR : MOHO_TRAVELTIME_STRAIGHT, 1500, 0.5 * k * 1500);
      print_message("V0 + K z, %s, offset/z %g: %.4f of R\n", law ? "curved_linear" : "straight", 0.5 * k, share);
      assert_true(fabs(share - expected[law][k]) < 0.01);
    }
}

/* ---- stacks over offset classes ---- */

enum { OFFSETS = 4, MIDPOINTS = 121 };

/* Offsets 0, 500, 1000, 1500 at every midpoint; the largest only where the line has begun for 600 m. */
static survey line_of_classes(moho_amplitude amplitude) {
  survey s = survey_create(OFFSETS * MIDPOINTS, NS, DT);
  for (size_t k = 0; k < s.n; k++) {
    double y = ((double)(k / OFFSETS) - MIDPOINTS / 2) * 25;
    survey_place(&s, k, 0, y, 500.0 * (double)(k % OFFSETS), 0);
    s.geometry.first_sample_s[k] = 0.4;
    if (k % OFFSETS == 3 && y < -900) s.geometry.flags[k] = MOHO_TRACE_DEAD;
  }
  record(&s, (dipping){DEPTH, 0, 0}, amplitude);
  return s;
}

/* By the reference, and by the device under test, which must agree. */
static void reference_line(const moho_migration_options *options, const survey *s, size_t n, double *image, int32_t *fold) {
  moho_grid grid = grid_of(0, -1500, 0, 1, n, 100, NT, DT);
  moho_velocity *velocity;
  moho_reference *reference;
  grid.first_s = grid_at(1, 2 * DEPTH / V).first_s;
  if (options->traveltime == MOHO_TRAVELTIME_STRAIGHT) assert_ok(moho_velocity_create_constant(V, &velocity));
  else assert_ok(moho_velocity_create_linear_z(2000, 0.6, &velocity));
  assert_ok(moho_reference_create(&grid, velocity, options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_finish(reference, image, fold));
  moho_image migrated = migrate(physics_device(), &grid, velocity, options, s, 100);
  double difference = 0, norm = 0;
  for (size_t i = 0; i < n * NT; i++) {
    difference += (migrated.stack[i] - image[i]) * (migrated.stack[i] - image[i]), norm += image[i] * image[i];
    if (fold) assert_int_equal(fold[i], migrated.fold[i]);
  }
  assert_true(difference <= 3e-5 * 3e-5 * norm);
  moho_image_release(&migrated);
  moho_reference_destroy(&reference);
  moho_velocity_destroy(&velocity);
}

static void check_mean(const char *what, const moho_migration_options *options, const survey *s) {
  enum { COLUMNS = 31 };
  static double image[COLUMNS * NT], at;
  reference_line(options, s, COLUMNS, image, NULL);
  double peak = peak_of(image + COLUMNS / 2 * NT, &at);
  print_message("%s: %.4f of R\n", what, peak / R);
  assert_true(fabs(peak / R - 1) < 0.02);
}

static void stacks_are_the_mean_of_live_classes(void **state) {
  (void)state;
  moho_migration_options options = true_options(MOHO_AMPLITUDE_SPREADING_CORRECTED);
  options.aperture_max_m = options.aperture_min_m = 800;
  survey s = line_of_classes(MOHO_AMPLITUDE_SPREADING_CORRECTED);
  check_mean("four classes", &options, &s);
  options.outer_mute = (moho_mute_line){.n = 2, .offset_m = {1200, 1300}, .time_s = {0, 2}};
  check_mean("the widest muted", &options, &s);
  options.inner_mute = (moho_mute_line){.n = 2, .offset_m = {200, 300}, .time_s = {0, 2}};
  check_mean("the narrowest muted too", &options, &s);
  options.outer_mute.n = options.inner_mute.n = 0;
  options.stretch_mute = 0.1; /* 2 leg = 1.12 t0 at 1000 m */
  check_mean("two stretched", &options, &s);
  survey_release(&s);
}

/* Half of the line was shot three times: amplitudes are as if it had been shot once. */
static void repeated_shots_do_not_count_twice(void **state) {
  (void)state;
  enum { REPEATED = MIDPOINTS / 2, COLUMNS = 31 };
  static double image[COLUMNS * NT];
  survey s = survey_create(MIDPOINTS + 2 * REPEATED, NS, DT);
  for (size_t k = 0; k < s.n; k++) {
    double at = k < MIDPOINTS ? (double)k : (double)((k - MIDPOINTS) % REPEATED);
    survey_place(&s, k, 0, (at - MIDPOINTS / 2) * 25, 500, 0);
    s.geometry.first_sample_s[k] = 0.4;
  }
  record(&s, (dipping){DEPTH, 0, 0}, MOHO_AMPLITUDE_RAW);
  moho_migration_options options = true_options(MOHO_AMPLITUDE_RAW);
  options.aperture_max_m = options.aperture_min_m = 500;
  reference_line(&options, &s, COLUMNS, image, NULL);
  for (size_t c = 6; c <= 24; c++) {
    double at, peak = peak_of(image + c * NT, &at);
    if (fabs(peak / R - 1) > 0.02) print_error("column %zu: %.4f of R\n", c, peak / R);
    assert_true(fabs(peak / R - 1) < 0.02);
  }
  survey_release(&s);
}

/* Gathers whose bins are the classes say by their folds which are live: the same everywhere, also at the line's ends. */
static void live_classes_are_those_with_a_fold(void **state) {
  (void)state;
  enum { COLUMNS = 31 };
  static double image[COLUMNS * NT], binned[COLUMNS * NT];
  static int32_t fold[COLUMNS * NT], binned_fold[COLUMNS * NT];
  static const moho_traveltime laws[] = {MOHO_TRAVELTIME_STRAIGHT, MOHO_TRAVELTIME_CURVED_RMS, MOHO_TRAVELTIME_CURVED_RAY};
  const double edges[] = {-250, 250, 750, 1250, 1750};
  survey s = line_of_classes(MOHO_AMPLITUDE_RAW);
  moho_gather_bins bins;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 1, edges, 5, NULL, 0, &bins));
  for (int law = 0; law < 3; law++) {
    moho_migration_options options = true_options(MOHO_AMPLITUDE_RAW);
    options.aperture_max_m = 500, options.aperture_min_m = 0, options.aperture_max_dip_deg = 26.5, options.stretch_mute = 0.2;
    options.traveltime = laws[law], options.aperture_rule = law == 2 ? MOHO_APERTURE_RAY : MOHO_APERTURE_STRAIGHT;
    reference_line(&options, &s, COLUMNS, image, fold);
    options.gathers = &bins;
    reference_line(&options, &s, COLUMNS, binned, binned_fold);
    for (size_t i = 0; i < COLUMNS * NT; i++) {
      assert_int_equal(fold[i], binned_fold[i]);
      if (fabs(image[i] - binned[i]) > 1e-12)
        print_error("law %d, column %zu sample %zu: %g %g\n", law, i / NT, i % NT, image[i], binned[i]);
      assert_true(fabs(image[i] - binned[i]) <= 1e-12);
    }
  }
  moho_gather_bins_release(&bins);
  survey_release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(flat_reflectors_on_a_line),
      cmocka_unit_test(flat_reflectors_in_3d),
      cmocka_unit_test(dipping_reflectors),
      cmocka_unit_test(amplitudes_in_a_gradient_of_velocity),
      cmocka_unit_test(stacks_are_the_mean_of_live_classes),
      cmocka_unit_test(repeated_shots_do_not_count_twice),
      cmocka_unit_test(live_classes_are_those_with_a_fold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
