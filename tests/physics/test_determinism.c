/* test_determinism.c - what must hold, 8: any number of threads, any tile and any batch gives bitwise the same image. */
#include <stdio.h>
#include <string.h>

#include "physics_support.h"

/* The OpenMP runtime keeps the memory of a team that changed its size; it is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libomp.so\nleak:libgomp.so\n";
}

enum { NS = 301, TRACES = 80 };
static const double DT = 0.002;

static survey random_survey(void) {
  survey s = survey_create(TRACES, NS, DT);
  uint64_t seed = 3;
  for (size_t k = 0; k < s.n; k++)
    survey_place(&s, k, 500 * test_uniform(&seed), 400 * test_uniform(&seed), 600 * test_uniform(&seed),
                 360 * test_uniform(&seed));
  survey_fill_with_events(&s, 60, 4);
  s.geometry.flags[17] = MOHO_TRACE_DEAD;
  memset(s.samples + 30 * NS, 0, NS * sizeof(float));
  return s;
}

static void check_all_ways(moho_migration_options options) {
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 13, 15, 30, NS, DT);
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  options.tile_columns = 0;
  moho_image first = migrate("cpu?threads=1", &grid, velocity, &options, &s, 0);
  static const int threads[] = {1, 2, 5}, tiles[] = {1, 3, 8, 0}, batches[] = {1, 7, 0};
  for (int t = 0; t < 3; t++)
    for (int c = 0; c < 4; c++) {
      int b = (t + c) % 3; /* every pair of thread count, tile and batch */
      char uri[40];
      snprintf(uri, sizeof uri, "cpu?threads=%d", threads[t]);
      options.tile_columns = tiles[c];
      moho_image image = migrate(uri, &grid, velocity, &options, &s, (size_t)batches[b]);
      if (memcmp(image.stack, first.stack, image_size(&image) * sizeof(float)))
        print_error("threads %d, tile %d, batch %d differ\n", threads[t], tiles[c], batches[b]);
      assert_memory_equal(image.stack, first.stack, image_size(&image) * sizeof(float));
      assert_memory_equal(image.fold, first.fold, image_size(&image) * sizeof(int32_t));
      moho_image_release(&image);
    }
  assert_true(relative_difference(first.stack, first.stack, image_size(&first)) == 0); /* and it is not empty */
  moho_image_release(&first);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

static void the_plain_image_is_the_same_bits(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 250;
  check_all_ways(options);
}

static void the_antialiased_image_is_the_same_bits(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 250, options.antialias = MOHO_ANTIALIAS_TRIANGLE, options.normalise = MOHO_NORMALISE_FOLD;
  check_all_ways(options);
}

static void the_sinc_interpolated_image_is_the_same_bits(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 250, options.interpolation = MOHO_INTERPOLATION_SINC8, options.stretch_mute = 0.5, options.refine = 2;
  check_all_ways(options);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_plain_image_is_the_same_bits),
      cmocka_unit_test(the_antialiased_image_is_the_same_bits),
      cmocka_unit_test(the_sinc_interpolated_image_is_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
