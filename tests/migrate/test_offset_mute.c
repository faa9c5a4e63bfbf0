/* test_offset_mute.c - mutes by offset and image time: the lines, their windows in samples, and what an image keeps of a trace.
 */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>

#include "migrate/offset_mute.h"

/* Outer: 0.2 s up to 500 m, then rising to 1.2 s at 2500 m. Inner: 2 s up to 300 m, 6 s from 400 m on. */
static moho_migration_options muted(void) {
  moho_migration_options options = moho_migration_options_default();
  options.outer_mute = (moho_mute_line){.n = 2, .offset_m = {500, 2500}, .time_s = {0.2, 1.2}};
  options.inner_mute = (moho_mute_line){.n = 2, .offset_m = {300, 400}, .time_s = {2, 6}};
  return options;
}

static void lines_are_piecewise_linear(void **state) {
  (void)state;
  static const struct {
    double offset, outer, inner;
  } expected[] = {{0, 0.2, 2},   {300, 0.2, 2},  {325, 0.2, 3},  {400, 0.2, 6},
                  {500, 0.2, 6}, {1500, 0.7, 6}, {2500, 1.2, 6}, {9000, 1.2, 6}};
  moho_migration_options options = muted();
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    moho_mute_window window = moho_mute_window_of(&options, expected[i].offset);
    assert_true(fabs(window.earliest_s - expected[i].outer) < 1e-5 && window.earliest_s <= expected[i].outer);
    assert_true(fabs(window.latest_s - expected[i].inner) < 1e-4 && window.latest_s >= expected[i].inner);
  }
  options = moho_migration_options_default();
  moho_mute_window open = moho_mute_window_of(&options, 1000);
  assert_true(moho_is_in_mute_window(&open, 0) && moho_is_in_mute_window(&open, 1e9));
}

/* Hand-computed: 4 ms from 0.1 s; a sample on a line is inside. */
static void windows_in_samples(void **state) {
  (void)state;
  static const struct {
    double earliest, latest;
    int32_t first, end;
  } cases[] = {{0.2, 2, 25, 476}, {0.201, 1.999, 26, 475}, {-INFINITY, INFINITY, 0, 501}, {0, 0.05, 0, 0},
               {3, 4, 501, 501},  {0.1, 0.1, 0, 1},        {0.3, 0.2999, 50, 50},         {2.1, INFINITY, 500, 501}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    moho_mute_window window = {cases[i].earliest * (1 - 4e-6), cases[i].latest * (1 + 4e-6)};
    int32_t first, end;
    moho_mute_samples(&window, 0.1, 0.004, 501, &first, &end);
    assert_int_equal(first, cases[i].first);
    assert_int_equal(end, cases[i].end);
    for (int32_t k = 0; k < 501; k++) assert_int_equal(moho_is_in_mute_window(&window, 0.1 + k * 0.004), k >= first && k < end);
  }
}

/* Traces of offsets 0, 1500 and 2500 above one column: the fold tells what is left of each. */
static void images_keep_what_is_not_muted(void **state) {
  (void)state;
  enum { NS = 500 };
  static const double offsets[] = {0, 1500, 2500};
  moho_geometry g;
  assert_ok(moho_geometry_create(3, &g));
  float *samples = calloc(3 * NS, sizeof *samples);
  for (size_t k = 0; k < 3; k++) {
    g.source_x[k] = -offsets[k] / 2, g.receiver_x[k] = offsets[k] / 2;
    samples[k * NS + 250] = 1;
  }
  moho_grid grid = moho_grid_default();
  grid.n_inline = grid.n_crossline = 1, grid.n_time = 300, grid.step_s = 0.01;
  moho_migration_options options = muted();
  moho_velocity *velocity;
  moho_reference *reference;
  int32_t fold[300];
  options.rho_filter = MOHO_RHO_NONE;
  assert_ok(moho_velocity_create_constant(4000, &velocity));
  assert_ok(moho_reference_create(&grid, velocity, &options, &g, NS, 0.01, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &g, samples));
  assert_ok(moho_reference_finish(reference, NULL, fold));
  for (int i = 0; i < 300; i++) {
    int first = i >= 20 && i <= 200, second = i >= 70, third = i >= 120; /* 0.2..2 s, from 0.7 s, from 1.2 s */
    assert_int_equal(fold[i], first + second + third);
  }
  moho_reference_destroy(&reference);
  moho_velocity_destroy(&velocity);
  free(samples);
  moho_geometry_release(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(lines_are_piecewise_linear), cmocka_unit_test(windows_in_samples),
                                     cmocka_unit_test(images_keep_what_is_not_muted)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
