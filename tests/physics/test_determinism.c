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

/* Takes the velocity. */
static void check_all_ways_in(moho_migration_options options, moho_velocity *velocity) {
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 13, 15, 30, NS, DT);
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

static void check_all_ways(moho_migration_options options) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  check_all_ways_in(options, velocity);
}

/* A function at either end of the grid. */
static moho_velocity *varying_velocity(void) {
  const char *path = test_path("velocity.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fprintf(file, "0 0 0.0 1700\n0 0 0.6 2300\n450 400 0.0 1900\n450 400 0.6 2200\n");
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &velocity));
  assert_false(moho_velocity_is_uniform(velocity));
  return velocity;
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

/* Exact rays, true amplitudes, a filter bank and mutes; the velocity of check_all_ways() depends on t0 only. */
static void the_image_along_rays_is_the_same_bits(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 250, options.traveltime = MOHO_TRAVELTIME_CURVED_RAY, options.aperture_rule = MOHO_APERTURE_RAY;
  options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE, options.antialias = MOHO_ANTIALIAS_FILTER_BANK, options.stretch_mute = 0.6;
  options.outer_mute = (moho_mute_line){.n = 2, .offset_m = {0, 600}, .time_s = {0.02, 0.2}};
  check_all_ways(options);
}

/* Tables that differ from column to column. */
static void the_image_of_a_varying_law_is_the_same_bits(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  moho_eta *eta;
  assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, 0.15, &eta));
  options.aperture_max_m = 250, options.traveltime = MOHO_TRAVELTIME_VTI, options.eta = eta;
  options.weight = MOHO_WEIGHT_TRUE_AMPLITUDE, options.amplitude = MOHO_AMPLITUDE_RAW;
  check_all_ways_in(options, varying_velocity());
  moho_eta_destroy(&eta);
  options.traveltime = MOHO_TRAVELTIME_CURVED_RAY, options.eta = NULL;
  check_all_ways_in(options, varying_velocity());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_plain_image_is_the_same_bits),
      cmocka_unit_test(the_antialiased_image_is_the_same_bits),
      cmocka_unit_test(the_sinc_interpolated_image_is_the_same_bits),
      cmocka_unit_test(the_image_along_rays_is_the_same_bits),
      cmocka_unit_test(the_image_of_a_varying_law_is_the_same_bits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
