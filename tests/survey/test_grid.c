/* test_grid.c - node positions and their inverse, corners, and the grids that are refused. */
#include "test_support.h"

#include <math.h>
#include <string.h>

#include "moho/grid.h"

static moho_grid timed(moho_grid grid) {
  grid.n_time = 101, grid.step_s = 0.004;
  return grid;
}

static void positions_are_origin_plus_index_times_spacing(void **state) {
  (void)state;
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 431000.5, grid.origin_y_m = 5100000.25;
  grid.inline_spacing_m = 12.5, grid.crossline_spacing_m = 6.25;
  grid.n_inline = 1000, grid.n_crossline = 2000;
  double x, y;
  moho_grid_node(&grid, 999, 1999, &x, &y); /* azimuth 0: crosslines run north, inlines number east */
  assert_true(x == 431000.5 + 999 * 12.5 && y == 5100000.25 + 1999 * 6.25);
  grid.inline_azimuth_deg = 90; /* crosslines run east, inlines number south */
  moho_grid_node(&grid, 999, 1999, &x, &y);
  assert_true(x == 431000.5 + 1999 * 6.25 && y == 5100000.25 - 999 * 12.5);
  grid.flip = 1;
  moho_grid_node(&grid, 999, 1999, &x, &y);
  assert_true(x == 431000.5 + 1999 * 6.25 && y == 5100000.25 + 999 * 12.5);
  grid.inline_azimuth_deg = 270;
  moho_grid_node(&grid, 1, 1, &x, &y);
  assert_true(x == 431000.5 - 6.25 && y == 5100000.25 - 12.5);
}

static void azimuth_is_clockwise_from_north(void **state) {
  (void)state;
  moho_grid grid = moho_grid_default();
  grid.inline_azimuth_deg = 30, grid.n_inline = grid.n_crossline = 3, grid.inline_spacing_m = 10, grid.crossline_spacing_m = 20;
  double x, y;
  moho_grid_node(&grid, 0, 1, &x, &y);
  assert_true(fabs(x - 10) < 1e-12 && fabs(y - 17.320508075688775) < 1e-12);
  moho_grid_node(&grid, 1, 0, &x, &y);
  assert_true(fabs(x - 8.660254037844387) < 1e-12 && fabs(y + 5) < 1e-12);
}

static void locating_inverts_the_node(void **state) {
  (void)state;
  uint64_t random = 7;
  for (int trial = 0; trial < 400; trial++) {
    moho_grid grid = moho_grid_default();
    grid.inline_azimuth_deg = -360 + 720 * test_uniform(&random), grid.flip = trial % 2;
    grid.inline_spacing_m = 5 + 45 * test_uniform(&random), grid.crossline_spacing_m = 5 + 45 * test_uniform(&random);
    grid.n_inline = grid.n_crossline = 4000;
    double x, y, i, j;
    moho_grid_node(&grid, 3999, 1234, &x, &y);
    moho_grid_locate(&grid, x, y, &i, &j);
    assert_true(fabs(i - 3999) < 1e-9 && fabs(j - 1234) < 1e-9);
    grid.origin_x_m = 5e6, grid.origin_y_m = -5e6; /* a double there steps by 9e-10 m, 2e-10 of a bin */
    moho_grid_node(&grid, 17, 3999, &x, &y);
    moho_grid_locate(&grid, x, y, &i, &j);
    assert_true(fabs(i - 17) < 1e-9 && fabs(j - 3999) < 1e-9);
  }
}

static void crooked_line_is_its_nodes(void **state) {
  (void)state;
  double line_x[] = {0, 100, 200, 200}, line_y[] = {0, 0, 0, 100};
  moho_grid grid = timed(moho_grid_default()), copy;
  grid.n_crossline = 4, grid.line_x_m = line_x, grid.line_y_m = line_y, grid.inline_spacing_m = 10;
  assert_ok(moho_grid_check(&grid));
  assert_ok(moho_grid_copy(&grid, &copy));
  double x, y, i, j;
  for (size_t node = 0; node < 4; node++) {
    moho_grid_node(&copy, 0, node, &x, &y);
    assert_true(x == line_x[node] && y == line_y[node]);
    moho_grid_locate(&copy, x, y, &i, &j);
    assert_true(fabs(j - (double)node) < 1e-12 && i == 0);
  }
  moho_grid_locate(&copy, 150, -30, &i, &j); /* right of an eastward line: where inline numbers grow */
  assert_true(fabs(j - 1.5) < 1e-12 && fabs(i - 3) < 1e-12);
  moho_grid_locate(&copy, 150, 20, &i, &j);
  assert_true(fabs(j - 1.5) < 1e-12 && fabs(i + 2) < 1e-12);
  moho_grid_locate(&copy, 230, 400, &i, &j); /* beyond the end: the last node is nearest */
  assert_true(j == 3);
  assert_true(moho_grid_is_line(&copy));
  moho_grid_release(&copy);
  assert_null(copy.line_x_m);
  grid.n_inline = 2;
  assert_fails(moho_grid_check(&grid), MOHO_ERROR_ARGUMENT, "crooked line");
}

static void corners_make_the_grid(void **state) {
  (void)state;
  for (int flip = 0; flip < 2; flip++)
    for (int azimuth = 0; azimuth < 360; azimuth += 15) {
      moho_grid want = moho_grid_default(), got;
      want.origin_x_m = 500000, want.origin_y_m = 5000000, want.inline_azimuth_deg = azimuth, want.flip = flip;
      want.n_inline = 41, want.n_crossline = 81, want.inline_spacing_m = 25, want.crossline_spacing_m = 12.5;
      double x[4], y[4], x_again[4], y_again[4];
      moho_grid_corners(&want, x, y);
      double corners[4][2] = {{x[0], y[0]}, {x[1], y[1]}, {x[2], y[2]}, {x[3], y[3]}};
      for (size_t n = 3; n <= 4; n++) {
        assert_ok(moho_grid_from_corners((const double(*)[2])corners, n, 25, 12.5, &got));
        assert_int_equal(got.n_inline, 41);
        assert_int_equal(got.n_crossline, 81);
        assert_int_equal(got.flip, flip);
        assert_true(got.inline_spacing_m == 25 && got.crossline_spacing_m == 12.5);
        moho_grid_corners(&got, x_again, y_again);
        for (int c = 0; c < 4; c++) assert_true(hypot(x[c] - x_again[c], y[c] - y_again[c]) < 1e-5);
      }
    }
}

static void two_corners_make_a_line(void **state) {
  (void)state;
  const double corners[2][2] = {{0, 0}, {300, 400}};
  moho_grid grid;
  assert_ok(moho_grid_from_corners(corners, 2, 0, 12.5, &grid));
  assert_int_equal(grid.n_inline, 1);
  assert_int_equal(grid.n_crossline, 41);
  assert_true(moho_grid_is_line(&grid));
  double x, y;
  moho_grid_node(&grid, 0, 40, &x, &y);
  assert_true(hypot(x - 300, y - 400) < 1e-9);
}

static void lengths_that_are_no_whole_bins_are_refused(void **state) {
  (void)state;
  const double corners[3][2] = {{0, 0}, {0, 1003.2}, {500, 1003.2}};
  const double near[3][2] = {{0, 0}, {0, 1000.02}, {500, 1000.02}};
  moho_grid grid = {.n_time = 77};
  assert_fails(moho_grid_from_corners(corners, 3, 25, 25, &grid), MOHO_ERROR_RANGE,
               "1003.200 m, not a whole number of 25 m bins");
  assert_non_null(strstr(moho_last_error()->message, "1000 m and 1025 m"));
  assert_non_null(strstr(moho_last_error()->hint, "change the spacing"));
  assert_int_equal(grid.n_time, 77);                         /* untouched */
  assert_ok(moho_grid_from_corners(near, 3, 25, 25, &grid)); /* 8e-4 of a bin */
  assert_int_equal(grid.n_crossline, 41);
  /* As a survey's report gives them: azimuth 37, 30 x 12.5 m, 20 x 25 m, to the decimetre (a side of 375.02 m). */
  const double rounded[3][2] = {{431234.5, 6779012.3}, {431460.2, 6779311.8}, {431859.5, 6779010.9}};
  assert_ok(moho_grid_from_corners(rounded, 3, 25, 12.5, &grid));
  assert_int_equal(grid.n_crossline, 31);
  assert_int_equal(grid.n_inline, 21);
  assert_true(grid.crossline_spacing_m == 12.5 && fabs(grid.inline_azimuth_deg - 37) < 0.02);
}

static void wrong_corners_are_refused(void **state) {
  (void)state;
  moho_grid grid;
  const double open[4][2] = {{0, 0}, {0, 1000}, {500, 1000}, {500, 5}};
  assert_fails(moho_grid_from_corners(open, 4, 25, 25, &grid), MOHO_ERROR_RANGE, "fourth corner");
  assert_non_null(strstr(moho_last_error()->hint, "order"));
  const double closed[4][2] = {{0, 0}, {0, 1000}, {500, 1000}, {500, 2}};
  assert_ok(moho_grid_from_corners(closed, 4, 25, 25, &grid));
  const double skewed[3][2] = {{0, 0}, {0, 1000}, {300, 1400}};
  assert_fails(moho_grid_from_corners(skewed, 3, 25, 25, &grid), MOHO_ERROR_RANGE, "not a rectangle");
  assert_fails(moho_grid_from_corners(open, 1, 25, 25, &grid), MOHO_ERROR_ARGUMENT, "got 1 corners");
  assert_fails(moho_grid_from_corners(open, 3, -25, 25, &grid), MOHO_ERROR_RANGE, "-25 m");
  const double infinite[2][2] = {{0, 0}, {0, INFINITY}};
  assert_fails(moho_grid_from_corners(infinite, 2, 25, 25, &grid), MOHO_ERROR_RANGE, "corner 2");
}

static void impossible_grids_are_refused(void **state) {
  (void)state;
  moho_grid good = timed(moho_grid_default()), bad;
  assert_ok(moho_grid_check(&good));
  bad = good, bad.n_inline = 0;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "no inlines");
  bad = good, bad.crossline_spacing_m = 0;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "crossline spacing is 0 m");
  bad = good, bad.inline_spacing_m = NAN;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "inline spacing");
  bad = good, bad.origin_x_m = INFINITY;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "origin");
  bad = good, bad.n_time = 0;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "no time samples");
  bad = good, bad.step_s = -0.004;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "time step");
  bad = good, bad.first_s = -1;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "first time");
  bad = good, bad.inline_step = 0;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "step by 0");
  bad = good, bad.n_inline = bad.n_crossline = 2000000000, bad.n_time = 4000;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "more than this machine can count");
  bad = good, bad.crossline_first = 2000000000, bad.n_crossline = 2000000000;
  assert_fails(moho_grid_check(&bad), MOHO_ERROR_RANGE, "the last of 2000000000 crossline numbers");
}

static void windows_keep_places_and_numbers(void **state) {
  (void)state;
  moho_grid grid = timed(moho_grid_default()), cut;
  grid.origin_x_m = 431000.5, grid.origin_y_m = 5100000.25, grid.inline_azimuth_deg = 33;
  grid.n_inline = 40, grid.n_crossline = 50, grid.inline_spacing_m = 12.5, grid.crossline_spacing_m = 6.25;
  grid.inline_first = 100, grid.inline_step = 2, grid.crossline_first = -7, grid.crossline_step = -3;
  moho_window window = {.inline_first = 11, .n_inline = 4, .crossline_first = 23, .n_crossline = 27};
  assert_ok(moho_grid_cut(&grid, &window, &cut));
  assert_true(cut.n_inline == 4 && cut.n_crossline == 27 && cut.n_time == 101);
  assert_true(cut.inline_first == 122 && cut.inline_step == 2 && cut.crossline_first == -76 && cut.crossline_step == -3);
  double x, y, x_cut, y_cut;
  moho_grid_node(&grid, 14, 49, &x, &y);
  moho_grid_node(&cut, 3, 26, &x_cut, &y_cut);
  assert_true(fabs(x - x_cut) < 1e-8 && fabs(y - y_cut) < 1e-8);
  moho_grid_release(&cut);
  const moho_window none = {0}, refused[] = {{.n_inline = 4}, {0, 40, 1, 50}, {40, 1, 0, 1}, {1, SIZE_MAX, 0, 1}};
  assert_ok(moho_grid_cut(&grid, &none, &cut));
  assert_true(cut.n_inline == 40 && cut.n_crossline == 50);
  moho_grid_release(&cut);
  for (size_t k = 0; k < sizeof refused / sizeof *refused; k++)
    assert_int_equal(moho_grid_cut(&grid, &refused[k], &cut), MOHO_ERROR_RANGE);

  double line_x[] = {0, 10, 19, 27}, line_y[] = {0, 1, 4, 9};
  moho_grid line = timed(moho_grid_default());
  line.n_crossline = 4, line.crossline_spacing_m = 10, line.line_x_m = line_x, line.line_y_m = line_y;
  assert_ok(moho_grid_cut(&line, &(moho_window){0, 1, 2, 2}, &cut));
  assert_true(cut.line_x_m[0] == 19 && cut.line_y_m[1] == 9 && cut.n_crossline == 2 && cut.crossline_first == 3);
  moho_grid_release(&cut);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(positions_are_origin_plus_index_times_spacing),
      cmocka_unit_test(azimuth_is_clockwise_from_north),
      cmocka_unit_test(locating_inverts_the_node),
      cmocka_unit_test(crooked_line_is_its_nodes),
      cmocka_unit_test(corners_make_the_grid),
      cmocka_unit_test(two_corners_make_a_line),
      cmocka_unit_test(lengths_that_are_no_whole_bins_are_refused),
      cmocka_unit_test(wrong_corners_are_refused),
      cmocka_unit_test(impossible_grids_are_refused),
      cmocka_unit_test(windows_keep_places_and_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
