/* test_kernel_support.c - what each kernel does and does not on a device (MOHO_DEVICE, else the cpu): moho_migration_supports()
 * names the option that is missing and the kernels that have it.
 */
#include <stdio.h>
#include <string.h>

#include "physics_support.h"

static const moho_migration_kernel ladder[] = {MOHO_KERNEL_BASELINE, MOHO_KERNEL_V1, MOHO_KERNEL_V2, MOHO_KERNEL_V3};
enum { LADDER = sizeof ladder / sizeof *ladder };

static void what_a_kernel_lacks_is_named(void **state) {
  (void)state;
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  moho_migration_options options = moho_migration_options_default();
  for (int k = 0; k < LADDER; k++) {
    options.kernel = ladder[k];
    assert_ok(moho_migration_supports(device, &options));
  }
  options.kernel = MOHO_KERNEL_BASELINE, options.storage = MOHO_STORAGE_HALF;
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "baseline does not do storage half");
  assert_non_null(strstr(moho_last_error()->message, "v1, v2, v3"));
  options.kernel = MOHO_KERNEL_V2, options.antialias = MOHO_ANTIALIAS_TRIANGLE;
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "are: none");
  options.kernel = MOHO_KERNEL_AUTO;
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "storage half with migration.antialias");
  assert_string_equal(moho_last_error()->hint, "set execution.storage to float");
  options = moho_migration_options_default(), options.kernel = MOHO_KERNEL_NATIVE;
  if (report.has_native) assert_ok(moho_migration_supports(device, &options));
  else assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "native");
  options.kernel = (moho_migration_kernel)17;
  assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_ARGUMENT, "execution.kernel");
  assert_ok(moho_device_close(&device));
}

/* Baseline and v1 stay as they are: what came later is refused by its name, v2 and v3 do it. */
static void plain_kernels_refuse_laws_and_what_came_with_them(void **state) {
  (void)state;
  static const char *const words[] = {"migration.traveltime curved_linear",
                                      "migration.traveltime curved_rms",
                                      "migration.traveltime curved_ray",
                                      "migration.traveltime vti",
                                      "migration.traveltime vti_rational",
                                      "migration.antialias filter_bank",
                                      "migration.weight true_amplitude",
                                      "migration.mute",
                                      "migration.mute"};
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  for (int i = 0; i < 9; i++) {
    moho_migration_options options = moho_migration_options_default();
    char expected[100];
    if (i < 5) options.traveltime = (moho_traveltime)(i + 1);
    else if (i == 5) options.antialias = MOHO_ANTIALIAS_FILTER_BANK;
    else if (i == 6) options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE;
    else *(i == 7 ? &options.outer_mute : &options.inner_mute) = (moho_mute_line){.n = 1, .offset_m = {100}, .time_s = {1}};
    for (int k = 0; k < LADDER; k++) {
      options.kernel = ladder[k];
      if (ladder[k] >= MOHO_KERNEL_V2) {
        assert_ok(moho_migration_supports(device, &options));
        continue;
      }
      snprintf(expected, sizeof expected, "kernel %s does not do %s; ", moho_migration_kernel_name(ladder[k]), words[i]);
      assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, expected);
      assert_non_null(strstr(moho_last_error()->message, report.has_native ? "are: native, v2, v3" : "are: v2, v3"));
    }
    options.kernel = MOHO_KERNEL_AUTO;
    assert_ok(moho_migration_supports(device, &options));
  }
  assert_ok(moho_device_close(&device));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_a_kernel_lacks_is_named),
      cmocka_unit_test(plain_kernels_refuse_laws_and_what_came_with_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
