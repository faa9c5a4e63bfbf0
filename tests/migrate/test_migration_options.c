/* test_migration_options.c - defaults are good, every bad option is named with its remedy, auto is settled. */
#include "test_support.h"

#include <math.h>
#include <string.h>

#include "migrate/migration_options.h"

static void defaults_pass(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_migration_options_check(&options));
  assert_true(options.aperture_max_m == 3000 && options.aperture_max_dip_deg == 60 && options.aperture_taper == 0.1);
  assert_true(options.refine == 1 && options.antialias_factor == 1 && options.stretch_mute < 0);
}

static void expect_refusal(moho_migration_options options, moho_status code, const char *key) {
  assert_fails(moho_migration_options_check(&options), code, key);
  assert_string_equal(moho_last_error()->key, key);
  assert_true(strlen(moho_last_error()->hint) > 10);
  assert_non_null(strstr(moho_last_error()->message, "expected"));
}

#define REFUSED(code, key, member, value)                              \
  do {                                                                 \
    moho_migration_options changed = moho_migration_options_default(); \
    changed.member = (value);                                          \
    expect_refusal(changed, code, key);                                \
  } while (0)

static void bad_values_are_named(void **state) {
  (void)state;
  const double bad_lengths[] = {0, -5, NAN, INFINITY};
  for (size_t i = 0; i < 4; i++) REFUSED(MOHO_ERROR_RANGE, "migration.aperture.max_m", aperture_max_m, bad_lengths[i]);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.min_m", aperture_min_m, -1);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.min_m", aperture_min_m, 3001);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.min_m", aperture_min_m, NAN);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.max_dip_deg", aperture_max_dip_deg, 0);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.max_dip_deg", aperture_max_dip_deg, 90);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.taper", aperture_taper, -0.1);
  REFUSED(MOHO_ERROR_RANGE, "migration.aperture.taper", aperture_taper, 1.5);
  REFUSED(MOHO_ERROR_RANGE, "migration.antialias_factor", antialias_factor, 0);
  REFUSED(MOHO_ERROR_RANGE, "migration.stretch_mute", stretch_mute, NAN);
  REFUSED(MOHO_ERROR_RANGE, "input.resample", refine, 3);
  REFUSED(MOHO_ERROR_RANGE, "input.resample", refine, 0);
  REFUSED(MOHO_ERROR_RANGE, "input.resample", refine, 16);
  REFUSED(MOHO_ERROR_RANGE, "execution.tile", tile_columns, -1);
  assert_fails(moho_migration_options_check(NULL), MOHO_ERROR_ARGUMENT, "NULL");
}

static void bad_choices_are_named(void **state) {
  (void)state;
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.traveltime", traveltime, (moho_traveltime)6);
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.interpolation", interpolation, (moho_interpolation)3);
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.antialias", antialias, (moho_antialias)3);
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.weight", weight, (moho_weight)6);
  REFUSED(MOHO_ERROR_ARGUMENT, "input.amplitude", amplitude, (moho_amplitude)2);
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.rho_filter", rho_filter, (moho_rho)4);
  REFUSED(MOHO_ERROR_ARGUMENT, "migration.normalise", normalise, (moho_normalise)2);
}

static void auto_is_settled(void **state) {
  (void)state;
  assert_int_equal(moho_weight_resolve(MOHO_WEIGHT_AUTO, MOHO_AMPLITUDE_SPREADING_CORRECTED), MOHO_WEIGHT_SPREADING_OBLIQUITY);
  assert_int_equal(moho_weight_resolve(MOHO_WEIGHT_AUTO, MOHO_AMPLITUDE_RAW), MOHO_WEIGHT_OBLIQUITY);
  for (int w = MOHO_WEIGHT_NONE; w <= MOHO_WEIGHT_SPREADING_OBLIQUITY; w++)
    assert_int_equal(moho_weight_resolve((moho_weight)w, MOHO_AMPLITUDE_RAW), w);
  assert_int_equal(moho_rho_resolve(MOHO_RHO_AUTO, 1), MOHO_RHO_2D);
  assert_int_equal(moho_rho_resolve(MOHO_RHO_AUTO, 0), MOHO_RHO_3D);
  for (int rho = MOHO_RHO_NONE; rho <= MOHO_RHO_3D; rho++) assert_int_equal(moho_rho_resolve((moho_rho)rho, rho % 2), rho);
  assert_true(moho_weight_has_spreading(MOHO_WEIGHT_SPREADING) && moho_weight_has_spreading(MOHO_WEIGHT_SPREADING_OBLIQUITY));
  assert_false(moho_weight_has_spreading(MOHO_WEIGHT_OBLIQUITY) || moho_weight_has_spreading(MOHO_WEIGHT_NONE));
  assert_true(moho_weight_has_obliquity(MOHO_WEIGHT_OBLIQUITY) && moho_weight_has_obliquity(MOHO_WEIGHT_SPREADING_OBLIQUITY));
  assert_false(moho_weight_has_obliquity(MOHO_WEIGHT_SPREADING) || moho_weight_has_obliquity(MOHO_WEIGHT_NONE));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(defaults_pass), cmocka_unit_test(bad_values_are_named),
                                     cmocka_unit_test(bad_choices_are_named), cmocka_unit_test(auto_is_settled)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
