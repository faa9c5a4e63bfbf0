/* test_velocity_functions.c - kinds of velocity into each other against Dix's numbers worked out by hand, and every format
 * written, read, and found to be the same.
 */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "moho/image.h"
#include "moho/velocity_functions.h"

static moho_velocity_options of_kind(moho_velocity_kind kind, const moho_grid *grid) {
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = kind, options.grid = grid;
  return options;
}

static moho_velocity_functions read_text(const char *text, moho_velocity_kind kind, const moho_grid *grid) {
  moho_velocity_functions f;
  moho_velocity_options options = of_kind(kind, grid);
  const char *path = test_path("given.txt");
  assert_ok(moho_file_write_all(path, text, strlen(text)));
  assert_ok(moho_velocity_functions_read(path, &options, &f));
  return f;
}

static moho_velocity_functions turned(const moho_velocity_functions *f, moho_velocity_kind kind) {
  moho_velocity_functions out;
  assert_ok(moho_velocity_functions_convert(f, kind, NULL, &out));
  assert_int_equal(out.kind, kind);
  return out;
}

/* Velocity of a function's knot nearest to a time. */
static double knot_at(const moho_velocity_functions *f, size_t p, double time_s) {
  size_t best = f->start[p];
  for (size_t k = f->start[p]; k < f->start[p + 1]; k++)
    if (fabs(f->time_s[k] - time_s) < fabs(f->time_s[best] - time_s)) best = k;
  assert_true(fabs(f->time_s[best] - time_s) < 1e-12);
  return f->v_mps[best];
}

/* ---- kinds: three layers of 2000, 2600 and 3400 m/s, 0.5, 0.5 and 1 s thick ---- */

static const double layers_mps[] = {2000, 2600, 3400}, base_s[] = {0.5, 1, 2};
/* v_rms^2 = sum v^2 dt / t: 4e6; (4e6 + 6.76e6)/2 = 5.38e6; (2*5.38e6*0.5 + 11.56e6)/2 = 8.47e6. v_avg likewise. */
static const double rms2[] = {4e6, 5.38e6, 8.47e6}, average_mps[] = {2000, 2300, 2850};

static moho_velocity_functions three_layers(void) {
  char text[200];
  snprintf(text, sizeof text, "# Time(s) Vrms\n0.5 %.9f\n1 %.9f\n2 %.9f\n", sqrt(rms2[0]), sqrt(rms2[1]), sqrt(rms2[2]));
  return read_text(text, MOHO_VELOCITY_RMS, NULL);
}

static void dix_gives_the_layers(void **state) {
  (void)state;
  moho_velocity_functions rms = three_layers(), layers = turned(&rms, MOHO_VELOCITY_INTERVAL),
                          average = turned(&rms, MOHO_VELOCITY_AVERAGE), back = turned(&layers, MOHO_VELOCITY_RMS),
                          averaged = turned(&layers, MOHO_VELOCITY_AVERAGE);
  assert_int_equal(layers.n, 1);
  assert_int_equal(layers.start[1], 5); /* the first layer's base; top and base of the others */
  for (int k = 0; k < 3; k++) {
    assert_true(fabs(knot_at(&layers, 0, base_s[k]) - layers_mps[k]) < 1e-5);
    if (k) assert_true(fabs(knot_at(&layers, 0, base_s[k - 1] + 1e-7) - layers_mps[k]) < 1e-5);
    assert_true(fabs(knot_at(&average, 0, base_s[k]) - average_mps[k]) < 1e-5);
    assert_true(fabs(knot_at(&averaged, 0, base_s[k]) - average_mps[k]) < 1e-3);
    assert_true(fabs(knot_at(&back, 0, base_s[k]) - sqrt(rms2[k])) < 1e-3);
  }
  assert_int_equal(back.start[1], 3); /* a boundary is one pick again */
  moho_velocity_functions_release(&rms);
  moho_velocity_functions_release(&layers);
  moho_velocity_functions_release(&average);
  moho_velocity_functions_release(&averaged);
  moho_velocity_functions_release(&back);
}

/* A pick at time 0 says nothing of a layer, and is kept. */
static void kinds_mean_the_same_velocity(void **state) {
  (void)state;
  const char *const texts[] = {"# X Y Time(ms) Vrms\n0 0 0 1500\n0 0 500 2000\n0 0 1100 2400\n100 0 300 1800\n100 0 1500 2600\n",
                               "# X Y Time(ms) Vint\n0 0 0 1500\n0 0 500 2500\n0 0 1100 2400\n100 0 300 1800\n100 0 1500 2600\n",
                               "# X Y Time(ms) Vavg\n0 0 0 1500\n0 0 500 2000\n0 0 1100 2300\n100 0 300 1800\n100 0 1500 2500\n"};
  for (int from = 0; from < 3; from++)
    for (int to = 0; to < 3; to++) {
      moho_velocity_functions f = read_text(texts[from], (moho_velocity_kind)from, NULL), g = turned(&f, (moho_velocity_kind)to);
      double at_knots, between;
      assert_ok(moho_velocity_functions_compare(&f, &g, &at_knots, &between));
      if (!(at_knots < (to == MOHO_VELOCITY_AVERAGE ? 0.1 : 0.001))) fail_msg("%d to %d: %g m/s", from, to, at_knots);
      /* Averages are linear pieces of v_int, which interval knots hold exactly. */
      if (from == MOHO_VELOCITY_AVERAGE && to == MOHO_VELOCITY_INTERVAL) assert_true(between < 0.01);
      moho_velocity_functions_release(&f);
      moho_velocity_functions_release(&g);
    }
}

static void impossible_pick_is_named(void **state) {
  (void)state;
  moho_velocity_functions out,
      f = read_text("# X Y Time(ms) Vrms\n5 5 500 2000\n\n7 7 500 3000\n7 7 1000 1900\n", MOHO_VELOCITY_RMS, NULL);
  for (int kind = 1; kind < 3; kind++) {
    assert_fails(moho_velocity_functions_convert(&f, (moho_velocity_kind)kind, NULL, &out), MOHO_ERROR_RANGE, "negative");
    assert_int_equal(moho_last_error()->line, 5);
    assert_non_null(strstr(moho_last_error()->message, "1900 m/s at 1 s after 3000 m/s at 0.5 s"));
  }
  assert_fails(moho_velocity_functions_sample(&f, MOHO_VELOCITY_INTERVAL, NULL, 0, 0.5, 3, &out), MOHO_ERROR_RANGE, "negative");
  moho_velocity_functions_release(&f);
  /* A layer that is possible, but slower than accepted. */
  f = read_text("# Time(ms) Vrms\n500 3000\n1000 2150\n", MOHO_VELOCITY_RMS, NULL);
  assert_fails(moho_velocity_functions_convert(&f, MOHO_VELOCITY_INTERVAL, NULL, &out), MOHO_ERROR_RANGE, "expected 500 to 9000");
  assert_int_equal(moho_last_error()->line, 3);
  moho_velocity_functions_release(&f);
}

/* ---- formats ---- */

/* A rotated lattice far from the origin, functions at some of its nodes. */
static moho_grid far_grid(size_t n_inline) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 612345.67, grid.origin_y_m = 6098765.43, grid.inline_azimuth_deg = 33.3;
  grid.inline_first = 100, grid.inline_step = 2, grid.crossline_first = 500;
  grid.n_inline = n_inline, grid.n_crossline = 30, grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5;
  grid.step_s = 0.02, grid.n_time = 76;
  return grid;
}

static moho_velocity_functions picks_on(const moho_grid *grid) {
  char text[4000] = "# Inline Crossline Time(ms) Vrms\n";
  for (size_t i = 0; i < grid->n_inline; i += 2)
    for (int j = 0; j < 30; j += 7)
      for (int k = 1; k <= 5; k++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d %d %g %.4f\n", 100 + 2 * (int)i, 500 + j, k * 300.0,
                 1800 + 150 * k + 13.2345 * j + 7.1 * (double)i);
  return read_text(text, MOHO_VELOCITY_RMS, grid);
}

static void check_written(const moho_velocity_functions *f, const char *name, const char *format, const char *columns,
                          const moho_grid *grid, double slack) {
  moho_velocity_write_options write = moho_velocity_write_options_default();
  moho_velocity_options read = of_kind(f->kind, grid);
  moho_velocity_functions again;
  moho_velocity *velocity;
  double at_knots, between;
  write.format = format, write.columns = columns, write.description = "from a test\nsecond line";
  read.columns = columns;
  assert_ok(moho_velocity_functions_write(f, test_path(name), &write));
  assert_ok(moho_velocity_functions_read(test_path(name), &read, &again));
  assert_ok(moho_velocity_functions_compare(f, &again, &at_knots, &between));
  if (!(at_knots <= slack && between <= slack)) fail_msg("%s: %g and %g m/s", name, at_knots, between);
  moho_velocity_functions_release(&again);
  /* And as the migration reads it: the same velocity at a place between the functions. */
  double want[40], got[40], x = (f->x_m[0] + f->x_m[f->n - 1]) / 2 + 3, y = (f->y_m[0] + f->y_m[f->n - 1]) / 2 - 4;
  int is_cube = strstr(name, ".sgy") || strstr(name, ".zarr");
  assert_ok(moho_velocity_create_functions(f, &read, &velocity));
  assert_ok(moho_velocity_rms(velocity, x, y, 0, 0.04, 40, want));
  moho_velocity_destroy(&velocity);
  if (is_cube) assert_ok(moho_velocity_read_cube(test_path(name), &read, &velocity));
  else assert_ok(moho_velocity_read_table(test_path(name), &read, &velocity));
  assert_ok(moho_velocity_rms(velocity, x, y, 0, 0.04, 40, got));
  moho_velocity_destroy(&velocity);
  for (int k = 0; k < 40; k++)
    if (!(fabs(got[k] - want[k]) < slack + 0.02)) fail_msg("%s: %g m/s, expected %g", name, got[k], want[k]);
}

static void every_format_comes_back(void **state) {
  (void)state;
  moho_grid volume = far_grid(9), line = far_grid(1);
  for (int kind = 0; kind < 3; kind++) {
    moho_velocity_functions rms = picks_on(&volume), on_line = picks_on(&line), even, f = turned(&rms, (moho_velocity_kind)kind),
                            l = turned(&on_line, (moho_velocity_kind)kind);
    assert_int_equal(rms.n, 25);
    check_written(&f, "a.txt", NULL, NULL, &volume, 0.001);
    check_written(&f, "b.txt", "columns", "skip,crossline,inline,velocity_fps,time_s", &volume, 0.001);
    check_written(&f, "c.txt", "columns", "x,y,time_ms,velocity", NULL, 0.001);
    check_written(&l, "d.txt", "cdp_time_velocity", NULL, &line, 0.001);
    check_written(&l, "e.par", "su", NULL, &line, 0.001);
    assert_ok(moho_velocity_functions_sample(&rms, (moho_velocity_kind)kind, NULL, 0.02, 0.02, 75, &even));
    check_written(&even, "f.sgy", NULL, NULL, NULL, 0.001);
    check_written(&even, "g.zarr", NULL, NULL, NULL, 0.001);
    moho_velocity_functions_release(&even);
    moho_velocity_functions_release(&rms);
    moho_velocity_functions_release(&on_line);
    moho_velocity_functions_release(&f);
    moho_velocity_functions_release(&l);
  }
}

/* Every node of a grid: the cube has the grid with it, and gives what the picks gave. */
static void picks_fill_a_grid(void **state) {
  (void)state;
  moho_grid grid = far_grid(9);
  moho_velocity_functions f = picks_on(&grid), all;
  moho_velocity *velocity;
  moho_velocity_options options = of_kind(MOHO_VELOCITY_RMS, &grid);
  assert_ok(moho_velocity_create_functions(&f, &options, &velocity));
  assert_ok(moho_velocity_functions_on_grid(velocity, &grid, &all));
  assert_int_equal(all.n, 9 * 30);
  double v[76], x, y;
  moho_grid_node(&grid, 4, 11, &x, &y);
  assert_ok(moho_velocity_rms(velocity, x, y, 0, 0.02, 76, v));
  for (int k = 0; k < 76; k++) assert_true(fabs(v[k] - all.v_mps[(4 * 30 + 11) * 76 + k]) < 1e-9);
  assert_true(all.inline_number[4 * 30 + 11] == 108 && all.crossline_number[4 * 30 + 11] == 511);
  check_written(&all, "all.zarr", NULL, NULL, NULL, 0.001);
  check_written(&all, "all.sgy", NULL, NULL, NULL, 0.001);
  moho_grid again;
  assert_ok(moho_grid_read_zarr(test_path("all.zarr"), &again));
  assert_true(again.n_inline == 9 && again.n_crossline == 30 && again.n_time == 76 && again.inline_azimuth_deg == 33.3);
  moho_grid_release(&again);
  moho_velocity_destroy(&velocity);
  moho_velocity_functions_release(&all);
  moho_velocity_functions_release(&f);
}

/* ---- what cannot be ---- */

static void refusals_name_the_remedy(void **state) {
  (void)state;
  moho_grid grid = far_grid(9);
  moho_velocity_functions f = picks_on(&grid),
                          numbers = read_text("# Inline Crossline Time(ms) Vrms\n1 2 500 2000\n1 3 700 2000\n", MOHO_VELOCITY_RMS,
                                              NULL);
  moho_velocity_write_options o = moho_velocity_write_options_default();
  const char *path = test_path("refused.txt");
  o.format = "su";
  assert_fails(moho_velocity_functions_write(&f, path, &o), MOHO_ERROR_ARGUMENT, "needs CDP numbers");
  o.format = "segy";
  assert_fails(moho_velocity_functions_write(&numbers, path, &o), MOHO_ERROR_ARGUMENT, "one time axis");
  o.format = "sgy";
  assert_fails(moho_velocity_functions_write(&f, path, &o), MOHO_ERROR_KEY, "did you mean segy");
  o.format = "columns";
  assert_fails(moho_velocity_functions_write(&f, path, &o), MOHO_ERROR_KEY, "not declared");
  o.columns = "x,y,time_s,velocity";
  assert_fails(moho_velocity_functions_write(&numbers, path, &o), MOHO_ERROR_ARGUMENT, "needs x and y");
  char *text;
  size_t bytes;
  assert_fails(moho_file_read_all(path, 1000, &text, &bytes), MOHO_ERROR_NOT_FOUND, "refused.txt");
  moho_velocity_functions_release(&f);
  moho_velocity_functions_release(&numbers);
}

/* A disk that fills up leaves the old file as it was. */
static void failed_writing_leaves_nothing(void **state) {
  (void)state;
  moho_velocity_functions f = three_layers();
  char *text;
  size_t bytes;
  const char *path = test_path("kept.txt");
  assert_ok(moho_file_write_all(path, "old", 3));
  moho_file_writer_set_fault(28, 10);
  assert_fails(moho_velocity_functions_write(&f, path, NULL), MOHO_ERROR_IO, "kept.txt");
  moho_file_writer_set_fault(0, -1);
  assert_ok(moho_file_read_all(path, 1000, &text, &bytes));
  assert_string_equal(text, "old");
  free(text);
  moho_velocity_functions_release(&f);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(dix_gives_the_layers),
                                     cmocka_unit_test(kinds_mean_the_same_velocity),
                                     cmocka_unit_test(impossible_pick_is_named),
                                     cmocka_unit_test(every_format_comes_back),
                                     cmocka_unit_test(picks_fill_a_grid),
                                     cmocka_unit_test(refusals_name_the_remedy),
                                     cmocka_unit_test(failed_writing_leaves_nothing)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
