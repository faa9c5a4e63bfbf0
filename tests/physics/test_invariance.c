/* test_invariance.c - what must hold, 7: turning survey and grid leaves the image; so does adding 5 000 000 m to every
 * coordinate (to 1e-6). On the device of MOHO_DEVICE, each kernel that it has compared with itself. */
#include <math.h>
#include <string.h>

#include "physics_support.h"

static const double DT = 0.002;
enum { NS = 301 };

static survey areal_survey(void) {
  survey s = survey_create(240, NS, DT);
  uint64_t seed = 11;
  for (size_t k = 0; k < s.n; k++) {
    /* half of them on the lattice's nodes and edges of apertures, half anywhere */
    double x = k % 2 ? 25 * floor(20 * test_uniform(&seed)) : 500 * test_uniform(&seed);
    double y = k % 2 ? 25 * floor(20 * test_uniform(&seed)) : 500 * test_uniform(&seed);
    survey_place(&s, k, x, y, 100 * (double)(k % 8), 360 * test_uniform(&seed));
  }
  survey_fill_with_events(&s, 60, 5);
  return s;
}

static const moho_migration_kernel kernels[] = {MOHO_KERNEL_NATIVE, MOHO_KERNEL_BASELINE, MOHO_KERNEL_V1, MOHO_KERNEL_V2,
                                                MOHO_KERNEL_V3};
enum { KERNELS = sizeof kernels / sizeof *kernels };

static moho_migration_options options_of(moho_migration_kernel kernel, moho_antialias antialias) {
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 300, options.aperture_max_dip_deg = 50, options.antialias = antialias, options.kernel = kernel;
  return options;
}

static moho_image migrate_moved(double turn_deg, double x, double y, const moho_migration_options *options) {
  survey s = areal_survey();
  moho_grid grid = physics_is_small() ? grid_of(0, 0, 0, 4, 5, 100, NS, DT) : grid_of(0, 0, 0, 18, 21, 25, NS, DT);
  survey_move(&s, turn_deg, x, y);
  grid_move(&grid, turn_deg, x, y);
  moho_image image = migrate_constant(&grid, 2500, options, &s);
  survey_release(&s);
  return image;
}

static void compare_moved(double turn_deg, double x, double y, const moho_migration_options *options, double tolerance) {
  moho_image here = migrate_moved(0, 0, 0, options), there = migrate_moved(turn_deg, x, y, options);
  double difference = relative_difference(there.stack, here.stack, image_size(&here));
  if (!(difference <= tolerance))
    print_error("%s, turn %g move %g %g: %g\n", moho_migration_kernel_name(options->kernel), turn_deg, x, y, difference);
  assert_true(difference <= tolerance);
  assert_memory_equal(there.fold, here.fold, image_size(&here) * sizeof *here.fold);
  moho_image_release(&here), moho_image_release(&there);
}

/* 1: the kernel is one that users of the device meet: on the cpu its own loops, not the texts as C. Small: only the newest. */
static int is_for_this_device(moho_migration_kernel kernel) {
  moho_migration_options options = options_of(kernel, MOHO_ANTIALIAS_NONE);
  moho_device *device;
  moho_device_report report;
  assert_ok(moho_device_open(physics_device(), &device));
  assert_ok(moho_device_describe(device, &report));
  int is_there = !moho_migration_supports(device, &options) && (kernel == MOHO_KERNEL_NATIVE || !report.has_native);
  if (physics_is_small() && kernel != MOHO_KERNEL_NATIVE) is_there &= kernel == MOHO_KERNEL_V3;
  assert_ok(moho_device_close(&device));
  return is_there;
}

/* Both agree with exact arithmetic to 2e-8*ns (test_backends, test_ladder; v3 to 1e-3), so with each other to twice that. */
static void turning_the_survey_turns_the_image(void **state) {
  (void)state;
  for (int k = 0; k < KERNELS; k++)
    for (int i = 0; is_for_this_device(kernels[k]) && i < 3; i += physics_is_small() ? 2 : 1) {
      moho_migration_options plain = options_of(kernels[k], MOHO_ANTIALIAS_NONE),
                             smooth = options_of(kernels[k], MOHO_ANTIALIAS_TRIANGLE);
      double angle = (double[]){30, 90, 137}[i], table = kernels[k] == MOHO_KERNEL_V3 ? 2e-3 : 0;
      compare_moved(angle, 0, 0, &plain, fmax(4e-8 * NS, table));
      compare_moved(angle, 0, 0, &smooth, fmax(2e-4, table));
    }
}

static void far_coordinates_give_the_same_image(void **state) {
  (void)state;
  int compared = 0;
  for (int k = 0; k < KERNELS; k++)
    for (int a = 0; is_for_this_device(kernels[k]) && a < 2; a++, compared++) {
      moho_migration_options options = options_of(kernels[k], a ? MOHO_ANTIALIAS_TRIANGLE : MOHO_ANTIALIAS_NONE);
      compare_moved(0, 5e6, 5e6, &options, 1e-6);
      compare_moved(0, -5e6, 5e6, &options, 1e-6);
    }
  assert_true(compared >= 2);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(turning_the_survey_turns_the_image),
      cmocka_unit_test(far_coordinates_give_the_same_image),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
