/* test_offset_class.c - offset classes and their midpoint spacing: full lattices are exact, odd surveys are sane. */
#include "test_support.h"

#include <math.h>

#include "migrate/midpoint_area.h"
#include "migrate/offset_class.h"

#define PI 3.14159265358979323846

static void place(moho_geometry *g, size_t i, double mx, double my, double offset, double azimuth_deg) {
  double hx = 0.5 * offset * sin(azimuth_deg * PI / 180), hy = 0.5 * offset * cos(azimuth_deg * PI / 180);
  g->source_x[i] = mx - hx, g->source_y[i] = my - hy;
  g->receiver_x[i] = mx + hx, g->receiver_y[i] = my + hy;
}

static moho_grid grid_of(size_t n_inline, size_t n_crossline, double spacing) {
  moho_grid grid = moho_grid_default();
  grid.n_inline = n_inline, grid.n_crossline = n_crossline;
  grid.inline_spacing_m = grid.crossline_spacing_m = spacing;
  grid.n_time = 10, grid.step_s = 0.002;
  return grid;
}

/* side x side midpoints `spacing` apart, turned by `turn_deg` about (x0, y0), offsets 200 400 600, azimuths spread. */
static moho_geometry lattice(size_t side, double spacing, double turn_deg, double x0, double y0, size_t azimuths) {
  moho_geometry g;
  assert_ok(moho_geometry_create(side * side * 3 * azimuths, &g));
  double c = cos(turn_deg * PI / 180), s = sin(turn_deg * PI / 180);
  size_t k = 0;
  for (size_t i = 0; i < side; i++)
    for (size_t j = 0; j < side; j++)
      for (size_t o = 1; o <= 3; o++)
        for (size_t a = 0; a < azimuths; a++) {
          double u = (double)i * spacing, v = (double)j * spacing;
          place(&g, k++, x0 + u * c + v * s, y0 - u * s + v * c, 200.0 * (double)o,
                turn_deg + 180.0 * (double)a / (double)azimuths);
        }
  return g;
}

static void full_lattices_are_exact(void **state) {
  (void)state;
  const double spacings[] = {25, 12.5, 8.0 + 1.0 / 3}, turns[] = {0, 30, 77}, origins[] = {0, 5e6};
  moho_grid grid = grid_of(9, 9, 25);
  for (int s = 0; s < 3; s++)
    for (int t = 0; t < 3; t++)
      for (int o = 0; o < 2; o++)
        for (size_t azimuths = 1; azimuths <= 3; azimuths++) {
          moho_geometry g = lattice(11, spacings[s], turns[t], origins[o], -origins[o], azimuths);
          moho_offset_classes classes;
          assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
          assert_int_equal(classes.n, 3);
          assert_true(classes.width_m == 200 && classes.first_m == 100);
          for (size_t c = 0; c < 3; c++) {
            assert_int_equal(classes.traces[c], 121 * azimuths);
            assert_true(fabs(classes.spacing_m[c] - spacings[s] / sqrt((double)azimuths)) < 1e-6 * spacings[s]);
            assert_int_equal(moho_offset_class_of(&classes, 200.0 * (double)(c + 1) + 1e-7), c);
            assert_int_equal(moho_offset_class_of(&classes, 200.0 * (double)(c + 1) - 60), c);
          }
          assert_int_equal(moho_offset_class_of(&classes, 0), 0);
          assert_int_equal(moho_offset_class_of(&classes, 1e9), 2);
          moho_offset_classes_release(&classes);
          moho_geometry_release(&g);
        }
}

/* Offsets 100, 150, .. 300 along x, midpoints every 20 m, `hits` traces each. */
static void lines_count_length(void **state) {
  (void)state;
  for (size_t hits = 1; hits <= 2; hits++) {
    moho_geometry g;
    moho_grid grid = grid_of(1, 50, 10);
    grid.inline_azimuth_deg = 90;
    assert_ok(moho_geometry_create(5 * 30 * hits, &g));
    for (size_t i = 0; i < g.n; i++) place(&g, i, 20.0 * (double)(i / (5 * hits)), 0, 100 + 50.0 * (double)(i % 5), 90);
    moho_offset_classes classes;
    assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
    assert_int_equal(classes.n, 5);
    for (size_t c = 0; c < 5; c++) assert_true(fabs(classes.spacing_m[c] - 20.0 / (double)hits) < 1e-9);
    moho_offset_classes_release(&classes);
    grid = grid_of(50, 1, 10); /* the same line as fifty inlines of one crossline */
    assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
    for (size_t c = 0; c < 5; c++) assert_true(fabs(classes.spacing_m[c] - 20.0 / (double)hits) < 1e-9);
    moho_offset_classes_release(&classes);
    moho_geometry_release(&g);
  }
}

static void dead_traces_do_not_count(void **state) {
  (void)state;
  moho_geometry g = lattice(6, 25, 0, 0, 0, 2);
  moho_grid grid = grid_of(6, 6, 25);
  for (size_t i = 1; i < g.n; i += 2) g.flags[i] = MOHO_TRACE_DEAD; /* the second azimuth */
  g.source_x[1] = 1e7;
  g.flags[0] = MOHO_TRACE_BAD; /* bad samples were set to zero: it stays */
  moho_offset_classes classes;
  assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
  assert_int_equal(classes.n, 3);
  assert_int_equal(classes.traces[0], 36);
  assert_true(fabs(classes.spacing_m[0] - 25) < 1e-6);
  moho_offset_classes_release(&classes);
  moho_geometry_release(&g);
}

static void few_traces_borrow(void **state) {
  (void)state;
  moho_geometry g = lattice(5, 30, 0, 0, 0, 1);
  moho_grid grid = grid_of(5, 5, 15);
  size_t kept = 0;
  for (size_t i = 0; i < g.n; i++)
    if (i % 3 == 2 && kept++ >= 2) g.flags[i] = MOHO_TRACE_DEAD; /* two traces of offset 600 stay */
  moho_offset_classes classes;
  assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
  assert_int_equal(classes.traces[2], 2);
  assert_true(fabs(classes.spacing_m[2] - 30) < 1e-6);
  moho_offset_classes_release(&classes);
  for (size_t i = 1; i < g.n; i++) g.flags[i] = MOHO_TRACE_DEAD; /* one trace: the grid's own spacing */
  assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
  assert_int_equal(classes.n, 1);
  assert_true(fabs(classes.spacing_m[0] - 15) < 1e-9);
  moho_offset_classes_release(&classes);
  g.flags[0] = MOHO_TRACE_DEAD; /* none at all */
  assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
  assert_int_equal(classes.n, 1);
  assert_true(classes.spacing_m[0] > 0);
  moho_offset_classes_release(&classes);
  moho_geometry_release(&g);
}

static void irregular_offsets_make_few_classes(void **state) {
  (void)state;
  moho_geometry g;
  moho_grid grid = grid_of(20, 20, 25);
  uint64_t random = 5;
  assert_ok(moho_geometry_create(20000, &g));
  for (size_t i = 0; i < g.n; i++)
    place(&g, i, 500 * test_uniform(&random), 500 * test_uniform(&random), 3000 * test_uniform(&random),
          360 * test_uniform(&random));
  moho_offset_classes classes;
  assert_ok(moho_offset_classes_create(&g, &grid, moho_grid_is_line(&grid), NULL, &classes));
  assert_true(classes.n <= 258 && classes.n >= 250);
  size_t total = 0;
  for (size_t c = 0; c < classes.n; c++) {
    double expected = 500 / sqrt((double)classes.traces[c]); /* the hull of some 80 points is somewhat smaller, its rim larger */
    total += classes.traces[c];
    if (classes.traces[c] >= 20) assert_true(classes.spacing_m[c] > 0.8 * expected && classes.spacing_m[c] < 1.15 * expected);
  }
  assert_int_equal(total, g.n);
  moho_offset_classes_release(&classes);
  moho_geometry_release(&g);
}

/* A lattice of 25 m with a third cut out: the hull covers half as much again. Two lengths of a line with a gap between. */
static void gaps_are_not_covered(void **state) {
  (void)state;
  enum { SIDE = 60 };
  for (int turn = 0; turn <= 30; turn += 30) {
    moho_geometry g;
    moho_grid grid = grid_of(SIDE, SIDE, 25);
    assert_ok(moho_geometry_create(SIDE * SIDE, &g));
    double c = cos(turn * PI / 180), s = sin(turn * PI / 180);
    size_t n = 0;
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++)
        if (i < 20 || j < 30) place(&g, n++, 25 * (i * c + j * s), 25 * (j * c - i * s), 300, 40);
    for (size_t i = n; i < g.n; i++) g.flags[i] = MOHO_TRACE_DEAD;
    moho_offset_classes classes;
    assert_ok(moho_offset_classes_create(&g, &grid, 0, NULL, &classes));
    assert_true(fabs(classes.spacing_m[0] - 25) < 0.15);
    moho_offset_classes_release(&classes);
    moho_geometry_release(&g);
  }
  double positions[200], scratch[200];
  for (int i = 0; i < 200; i++) positions[i] = 12.5 * i + (i < 120 ? 0 : 3000);
  assert_true(fabs(moho_line_spacing(positions, 200, scratch) - 12.5) < 0.07);
  for (int i = 0; i < 200; i++) positions[i] = 12.5 * i + (i % 2 ? -10 : 0); /* in pairs: no gaps */
  assert_true(fabs(moho_line_spacing(positions, 200, scratch) - 12.5) < 0.07);
}

/* Every trace has its share of the ground: where three traces were shot for one, each has a third; all together have it all. */
static void traces_share_their_place(void **state) {
  (void)state;
  enum { SIDE = 20, EXTRA = 60 };
  for (int azimuths = 1; azimuths <= 2; azimuths++) {
    moho_geometry g;
    moho_grid grid = grid_of(SIDE, SIDE, 25);
    size_t n = 0;
    assert_ok(moho_geometry_create(SIDE * SIDE * 2 + EXTRA, &g));
    for (int i = 0; i < SIDE; i++)
      for (int j = 0; j < SIDE; j++)
        for (int a = 0; a < azimuths; a++) place(&g, n++, 1e6 + 25 * i, 25 * j, 300, 90 * a);
    for (size_t k = 0; k < EXTRA; k++)
      place(&g, n++, 1e6 + 25 * (double)(k % 30), 100, 300, 20); /* two more at 20 of the places */
    for (size_t k = n; k < g.n; k++) g.flags[k] = MOHO_TRACE_DEAD;
    for (size_t k = 0; k < n; k++)
      if (0.5 * (g.source_x[k] + g.receiver_x[k]) > 1e6 + 25 * SIDE - 12) g.flags[k] = MOHO_TRACE_DEAD;
    moho_offset_classes classes;
    assert_ok(moho_offset_classes_create(&g, &grid, 0, NULL, &classes));
    assert_ok(moho_offset_classes_find_places(&classes, &g));
    assert_int_equal(classes.places[0].n, SIDE * SIDE);
    assert_int_equal(classes.places[0].usual, azimuths);
    assert_int_equal(classes.places[0].n_others, SIDE);
    double sum = 0, area = 25 * 25;
    for (size_t k = 0; k < n; k++) {
      if (!moho_geometry_is_live(&g, k)) continue;
      double share = moho_offset_class_share(&classes, &g, k), y = 0.5 * (g.source_y[k] + g.receiver_y[k]);
      double expected = area / (fabs(y - 100) < 1 ? azimuths + 2 : azimuths);
      assert_true(fabs(share - expected) < 1e-6 * area);
      sum += share;
    }
    assert_true(fabs(sum / (SIDE * SIDE * area) - 1) < 1e-6);
    moho_offset_classes_release(&classes);
    moho_geometry_release(&g);
  }
}

static void hull_of_a_square(void **state) {
  (void)state;
  moho_point points[] = {{0, 0}, {2, 0}, {1, 1}, {2, 2}, {0, 2}, {1, 0}, {0, 0}, {2, 1}}, scratch[9];
  assert_int_equal(moho_convex_hull(points, 8, scratch), 4);
  moho_point row[] = {{0, 0}, {3, 3}, {1, 1}, {2, 2}};
  assert_int_equal(moho_convex_hull(row, 4, scratch), 2);
  moho_point diagonal[] = {{0, 0}, {30, 40}, {60, 80}};
  assert_true(fabs(moho_midpoint_spacing(diagonal, 3, scratch) - 50) < 1e-9);
  moho_point same[] = {{7, 7}, {7, 7}, {7, 7}};
  assert_true(moho_midpoint_spacing(same, 3, scratch) == 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(full_lattices_are_exact),
                                     cmocka_unit_test(lines_count_length),
                                     cmocka_unit_test(dead_traces_do_not_count),
                                     cmocka_unit_test(few_traces_borrow),
                                     cmocka_unit_test(irregular_offsets_make_few_classes),
                                     cmocka_unit_test(gaps_are_not_covered),
                                     cmocka_unit_test(traces_share_their_place),
                                     cmocka_unit_test(hull_of_a_square)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
