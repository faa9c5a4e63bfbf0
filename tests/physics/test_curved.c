/* test_curved.c - what must hold, 5: data with exact ray times of v(z) = V0 + k z, and of VTI, through every law.
 *
 * Times come from formulas written here: circles by the textbook's acosh, acoustic VTI by its slowness surface (Alkhalifah 1998).
 */
#include <math.h>

#include "physics_support.h"

static const double DT = 0.002, V0 = 1800, K = 0.6, HZ = 25;
enum { NT = 1101 };

/* (1/k) acosh(1 + k^2 (d^2 + z^2)/(2 V0 v(z))) */
static double circle_time(double d, double z) {
  return acosh(1 + K * K * (d * d + z * z) / (2 * V0 * (V0 + K * z))) / K;
}

static double vertical_time(double z) {
  return 2 * log(1 + K * z / V0) / K;
}

static double depth_of(double t0) {
  return V0 * expm1(K * t0 / 2) / K;
}

/* A ray of slowness p through depth z: g = p_z v, g^2 = 1 - q/(1 - 2 eta q), q = (p v)^2; v vertical and NMO velocity. */
static double vti_time(double v, double eta, double d, double z) {
  double low = 0, high = 1 / (v * sqrt(1 + 2 * eta)), time = z / v;
  for (int round = 0; round < 100; round++) {
    double p = (low + high) / 2, q = p * p * v * v, h = 1 - 2 * eta * q, g = sqrt(fmax(1 - q / h, 0));
    double x = z * p * v / (g * h * h);
    time = z / v * g + p * x;
    if (x > d) high = p;
    else low = p;
  }
  return time;
}

/* ---- one trace, one column above the point ---- */

typedef struct medium {
  moho_velocity *velocity;
  moho_eta *eta;
  double (*leg)(double d, double z); /* exact */
  double (*t0_of)(double z), (*z_of)(double t0);
} medium;

/* Where a trace with the point's exact time puts it in the column above it, in s of two-way time t: the difference in t0 times
 * dt/dt0. */
static double time_error(const medium *m, moho_traveltime law, double z, double midpoint, double offset) {
  survey s = survey_create(1, 2 * NT, DT);
  double source = fabs(midpoint - offset / 2), receiver = fabs(midpoint + offset / 2);
  survey_place(&s, 0, midpoint, 0, offset, 90);
  survey_add(&s, 0, ricker, HZ, m->leg(source, z) + m->leg(receiver, z), 1);
  moho_grid grid = grid_of(0, 0, 90, 1, 1, 25, NT, DT);
  moho_migration_options options = plain_options(6000);
  options.traveltime = law, options.eta = law >= MOHO_TRAVELTIME_VTI ? m->eta : NULL;
  options.interpolation = MOHO_INTERPOLATION_SINC8;
  moho_reference *reference;
  double image[NT];
  float column[NT];
  assert_ok(moho_reference_create(&grid, m->velocity, &options, &s.geometry, s.n_samples, DT, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s.geometry, s.samples));
  assert_ok(moho_reference_finish(reference, image, NULL));
  moho_reference_destroy(&reference);
  for (int k = 0; k < NT; k++) column[k] = (float)image[k];
  moho_image migrated = migrate(physics_device(), &grid, m->velocity, &options, &s, 0); /* puts it there too */
  assert_true(fabs(pick_peak(column, NT, NULL) - pick_peak(image_column(&migrated, 0, 0), NT, NULL)) < 0.01);
  moho_image_release(&migrated);
  double found = pick_peak(column, NT, NULL) * DT, t0 = m->t0_of(z), h = 0.001;
  double later = m->leg(source, m->z_of(t0 + h)) + m->leg(receiver, m->z_of(t0 + h)),
         earlier = m->leg(source, m->z_of(t0 - h)) + m->leg(receiver, m->z_of(t0 - h));
  survey_release(&s);
  return (t0 - found) * (later - earlier) / (2 * h);
}

static medium linear_medium(void) {
  medium m = {.leg = circle_time, .t0_of = vertical_time, .z_of = depth_of};
  assert_ok(moho_velocity_create_linear_z(V0, K, &m.velocity));
  return m;
}

/* 45 degrees at z = 2 km: both legs 2 km wide at offset 0, and with offsets. */
static void laws_at_their_errors_in_a_gradient(void **state) {
  (void)state;
  static const double offsets[] = {0, 800, 1600};
  medium m = linear_medium();
  for (int i = 0; i < 3; i++) {
    double straight = time_error(&m, MOHO_TRAVELTIME_STRAIGHT, 2000, 2000, offsets[i]);
    double linear = time_error(&m, MOHO_TRAVELTIME_CURVED_LINEAR, 2000, 2000, offsets[i]);
    double ray = time_error(&m, MOHO_TRAVELTIME_CURVED_RAY, 2000, 2000, offsets[i]);
    double castle = time_error(&m, MOHO_TRAVELTIME_CURVED_RMS, 2000, 2000, offsets[i]);
    print_message("offset %g m: straight %.2f ms, curved_linear %.3f, curved_ray %.3f, curved_rms %.2f\n", offsets[i],
                  1e3 * straight, 1e3 * linear, 1e3 * ray, 1e3 * castle);
    assert_true(fabs(linear) < DT / 2 && fabs(ray) < DT / 2);
    if (i == 0) assert_true(fabs(castle) < 4e-3 && fabs(castle) > 2e-3 && fabs(straight) > 8e-3);
    assert_true(fabs(straight) > 2 * fabs(castle));
  }
  moho_velocity_destroy(&m.velocity);
}

/* ---- eta = 0.2 ---- */

static const double V_VTI = 2000, ETA = 0.2;
static double vti_leg(double d, double z) {
  return vti_time(V_VTI, ETA, d, z);
}
static double vti_t0(double z) {
  return 2 * z / V_VTI;
}
static double vti_depth(double t0) {
  return t0 * V_VTI / 2;
}

/* A leg at d = z = 1350 m errs 0.24 ms by Fomel's law and 5.3 ms by the rational one; eta left out is off by far more. */
static void vti_laws_at_their_errors(void **state) {
  (void)state;
  medium m = {.leg = vti_leg, .t0_of = vti_t0, .z_of = vti_depth};
  assert_ok(moho_velocity_create_constant(V_VTI, &m.velocity));
  assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, ETA, &m.eta));
  double straight = time_error(&m, MOHO_TRAVELTIME_STRAIGHT, 1350, 1350, 0);
  double fomel = time_error(&m, MOHO_TRAVELTIME_VTI, 1350, 1350, 0);
  double rational = time_error(&m, MOHO_TRAVELTIME_VTI_RATIONAL, 1350, 1350, 0);
  print_message("straight %.2f ms, vti %.2f ms, vti_rational %.2f ms\n", 1e3 * straight, 1e3 * fomel, 1e3 * rational);
  assert_true(fabs(fomel) < 1e-3);
  assert_true(fabs(fabs(rational) - 2 * 5.3e-3) < 1e-3);
  assert_true(fabs(straight) > 0.05);
  moho_velocity_destroy(&m.velocity);
  moho_eta_destroy(&m.eta);
}

/* ---- a line over a diffractor: focus ---- */

enum { MIDPOINTS = 201, OFFSETS = 4 };
static const double SPACING = 25, DEPTH = 1500;

static survey line_over_diffractor(void) {
  survey s = survey_create(MIDPOINTS * OFFSETS, 2 * NT, DT);
  for (size_t k = 0; k < s.n; k++) {
    double midpoint = SPACING * ((double)(k / OFFSETS) - MIDPOINTS / 2), offset = 400 * (double)(k % OFFSETS);
    survey_place(&s, k, midpoint, 0, offset, 90);
    survey_add(&s, k, ricker, HZ,
               circle_time(fabs(midpoint - offset / 2), DEPTH) + circle_time(fabs(midpoint + offset / 2), DEPTH), 1);
  }
  return s;
}

/* Largest value of the image, its column and time. */
static double focus(const survey *s, const moho_velocity *velocity, moho_traveltime law, double *x, double *t0) {
  enum { COLUMNS = 9 };
  moho_grid grid = grid_of(-100, 0, 90, 1, COLUMNS, SPACING, 200, DT);
  grid.first_s = vertical_time(DEPTH) - 0.2;
  moho_migration_options options = plain_options(2500);
  options.traveltime = law, options.interpolation = MOHO_INTERPOLATION_SINC8;
  moho_image image = migrate(physics_device(), &grid, velocity, &options, s, 0);
  double largest = 0;
  for (size_t c = 0; c < COLUMNS; c++) {
    double value, at = pick_peak(image_column(&image, 0, c), 200, &value);
    if (value > largest) largest = value, *x = -100 + SPACING * (double)c, *t0 = grid.first_s + at * DT;
  }
  moho_image_release(&image);
  return largest / (double)s->n; /* 1: every trace adds its peak */
}

static void curved_laws_focus(void **state) {
  (void)state;
  survey s = line_over_diffractor();
  medium m = linear_medium();
  double x = NAN, t0 = NAN, exact = vertical_time(DEPTH), values[MOHO_TRAVELTIME_CURVED_RAY + 1];
  for (int law = MOHO_TRAVELTIME_STRAIGHT; law <= MOHO_TRAVELTIME_CURVED_RAY; law++) {
    values[law] = focus(&s, m.velocity, (moho_traveltime)law, &x, &t0);
    print_message("law %d: %.3f of all traces in phase, at %g m and %.2f ms off\n", law, values[law], x, 1e3 * (t0 - exact));
    if (law == MOHO_TRAVELTIME_CURVED_LINEAR || law == MOHO_TRAVELTIME_CURVED_RAY)
      assert_true(fabs(x) <= SPACING && fabs(t0 - exact) <= DT / 2 && values[law] > 0.99);
  }
  assert_true(values[MOHO_TRAVELTIME_STRAIGHT] < 0.6 * values[MOHO_TRAVELTIME_CURVED_RAY]);
  assert_true(values[MOHO_TRAVELTIME_CURVED_RMS] > values[MOHO_TRAVELTIME_STRAIGHT]);
  moho_velocity_destroy(&m.velocity);
  survey_release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(laws_at_their_errors_in_a_gradient),
      cmocka_unit_test(vti_laws_at_their_errors),
      cmocka_unit_test(curved_laws_focus),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
