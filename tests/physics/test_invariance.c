/* test_invariance.c - what must hold, 7: turning survey and grid leaves the image; so does adding 5 000 000 m to every
 * coordinate (to 1e-6). */
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

static moho_migration_options options_of(moho_antialias antialias) {
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 300, options.aperture_max_dip_deg = 50, options.antialias = antialias;
  return options;
}

static moho_image migrate_moved(double turn_deg, double x, double y, moho_antialias antialias) {
  survey s = areal_survey();
  moho_grid grid = grid_of(0, 0, 0, 18, 21, 25, NS, DT);
  moho_migration_options options = options_of(antialias);
  survey_move(&s, turn_deg, x, y);
  grid_move(&grid, turn_deg, x, y);
  moho_image image = migrate_constant(&grid, 2500, &options, &s);
  survey_release(&s);
  return image;
}

static void compare_moved(double turn_deg, double x, double y, moho_antialias antialias, double tolerance) {
  moho_image here = migrate_moved(0, 0, 0, antialias), there = migrate_moved(turn_deg, x, y, antialias);
  double difference = relative_difference(there.stack, here.stack, image_size(&here));
  if (!(difference <= tolerance)) print_error("turn %g move %g %g: %g\n", turn_deg, x, y, difference);
  assert_true(difference <= tolerance);
  assert_memory_equal(there.fold, here.fold, image_size(&here) * sizeof *here.fold);
  moho_image_release(&here), moho_image_release(&there);
}

/* Both agree with exact arithmetic to 2e-8*ns (test_backends), so with each other to twice that. */
static void turning_the_survey_turns_the_image(void **state) {
  (void)state;
  for (int i = 0; i < 3; i++)
    for (int a = 0; a < 2; a++)
      compare_moved((double[]){30, 90, 137}[i], 0, 0, a ? MOHO_ANTIALIAS_TRIANGLE : MOHO_ANTIALIAS_NONE, a ? 2e-4 : 4e-8 * NS);
}

static void far_coordinates_give_the_same_image(void **state) {
  (void)state;
  for (int a = 0; a < 2; a++) {
    moho_antialias antialias = a ? MOHO_ANTIALIAS_TRIANGLE : MOHO_ANTIALIAS_NONE;
    compare_moved(0, 5e6, 5e6, antialias, 1e-6);
    compare_moved(0, -5e6, 5e6, antialias, 1e-6);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(turning_the_survey_turns_the_image),
      cmocka_unit_test(far_coordinates_give_the_same_image),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
