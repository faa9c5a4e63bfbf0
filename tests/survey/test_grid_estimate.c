/* test_grid_estimate.c - grids estimated from midpoints: the bins that made them come back, the headers' numbers are kept. */
#include "test_support.h"

#include <math.h>
#include <string.h>

#include "moho/grid.h"
#include "moho/synth.h"

static char report[400];

/* A trace with its midpoint at (x, y) and a half offset. */
static void place(moho_geometry *g, size_t trace, double x, double y, double half, double azimuth_deg) {
  double dx = half * sin(azimuth_deg / 57.29577951308232), dy = half * cos(azimuth_deg / 57.29577951308232);
  g->source_x[trace] = x - dx, g->source_y[trace] = y - dy, g->receiver_x[trace] = x + dx, g->receiver_y[trace] = y + dy;
}

static void shuffle(size_t *order, size_t n, uint64_t *random) {
  for (size_t i = 0; i < n; i++) order[i] = i;
  for (size_t i = n; i > 1; i--) {
    size_t k = (size_t)((double)i * test_uniform(random)), t = order[k];
    order[k] = order[i - 1], order[i - 1] = t;
  }
}

/* The largest distance of a midpoint from its node, in bins; every midpoint must be on the grid. */
static double worst_miss(const moho_geometry *g, const moho_grid *grid) {
  double worst = 0;
  for (size_t t = 0; t < g->n; t++) {
    if (!moho_geometry_is_live(g, t)) continue;
    double i, j;
    moho_grid_locate(grid, (g->source_x[t] + g->receiver_x[t]) / 2, (g->source_y[t] + g->receiver_y[t]) / 2, &i, &j);
    worst = fmax(worst, fmax(fabs(i - rint(i)), fabs(j - rint(j))));
    assert_true(rint(i) >= 0 && rint(i) < (double)grid->n_inline && rint(j) >= 0 && rint(j) < (double)grid->n_crossline);
  }
  return worst;
}

typedef struct survey {
  double azimuth, spacing_i, spacing_j; /* j along azimuth, i 90 degrees clockwise of it */
  size_t n_i, n_j;
  double jitter; /* of a bin */
  double missing;
  double east;
} survey;

/* Traces of a lattice in random order, three offsets each; numbers as the caller likes. */
static moho_geometry lattice_survey(const survey *s, uint64_t *random) {
  moho_geometry g;
  size_t n = 3 * s->n_i * s->n_j, kept = 0;
  static size_t order[200000];
  static double jitter[200000];
  assert_true(n <= 200000);
  assert_ok(moho_geometry_create(n, &g));
  shuffle(order, n, random);
  for (size_t t = 0; t < n; t++) jitter[t] = s->jitter * (2 * test_uniform(random) - 1);
  double a = s->azimuth / 57.29577951308232;
  for (size_t t = 0; t < n; t++) {
    size_t node = order[t] / 3, i = node / s->n_j, j = node % s->n_j;
    int corner = (i == 0 || i == s->n_i - 1) && (j == 0 || j == s->n_j - 1);
    if (!corner && test_uniform(random) < s->missing) continue;
    double p = (double)i + jitter[2 * node], q = (double)j + jitter[2 * node + 1];
    double x = s->east + p * s->spacing_i * cos(a) + q * s->spacing_j * sin(a);
    double y = s->east - p * s->spacing_i * sin(a) + q * s->spacing_j * cos(a);
    place(&g, kept, x, y, 100.0 * (double)(order[t] % 3), 17);
    g.inline_number[kept] = (int32_t)i, g.crossline_number[kept] = (int32_t)j;
    kept++;
  }
  g.n = kept;
  return g;
}

static void forget_numbers(moho_geometry *g) {
  for (size_t t = 0; t < g->n; t++) g->inline_number[t] = g->crossline_number[t] = g->cdp[t] = 0;
}

static void lattices_come_back_at_any_azimuth(void **state) {
  (void)state;
  uint64_t random = 1;
  for (int azimuth = -75; azimuth <= 90; azimuth += 15)
    for (int kind = 0; kind < 4; kind++) {
      survey s = {azimuth, kind == 1 ? 25 : 12.5, kind == 2 ? 6.25 : 25, kind == 3 ? 60 : 31, 41,
                  0,       kind == 3 ? 0.4 : 0,   kind ? 5e6 : 0};
      moho_geometry g = lattice_survey(&s, &random);
      forget_numbers(&g);
      moho_grid grid;
      assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
      assert_non_null(strstr(report, "lattice of midpoints"));
      assert_true(worst_miss(&g, &grid) < 1e-4);
      size_t small = s.n_i < s.n_j ? s.n_i : s.n_j, large = s.n_i < s.n_j ? s.n_j : s.n_i;
      assert_int_equal(grid.n_inline < grid.n_crossline ? grid.n_inline : grid.n_crossline, small);
      assert_int_equal(grid.n_inline < grid.n_crossline ? grid.n_crossline : grid.n_inline, large);
      double low = fmin(s.spacing_i, s.spacing_j), high = fmax(s.spacing_i, s.spacing_j);
      assert_true(fmin(grid.inline_spacing_m, grid.crossline_spacing_m) == low);
      assert_true(fmax(grid.inline_spacing_m, grid.crossline_spacing_m) == high);
      double turn = fmod(grid.inline_azimuth_deg - azimuth + 720, 90); /* an axis of the lattice, exactly */
      assert_true(turn == 0 && !signbit(grid.inline_azimuth_deg));
      moho_geometry_release(&g);
      moho_grid_release(&grid);
    }
}

static void scattered_midpoints_still_show_their_lattice(void **state) {
  (void)state;
  uint64_t random = 2;
  survey s = {33, 25, 25, 60, 80, 0.12, 0.2, 5e5};
  moho_geometry g = lattice_survey(&s, &random);
  forget_numbers(&g);
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
  assert_true(worst_miss(&g, &grid) < 0.2);
  assert_int_equal(grid.n_inline * grid.n_crossline, 4800);
  assert_true(grid.inline_spacing_m == 25 && grid.crossline_spacing_m == 25);
  moho_geometry_release(&g);
}

/* Headers hold whole steps (a centimetre, a decimetre, a metre): midpoints of a bin then differ, by offset. */
static void rounded_coordinates_still_show_their_lattice(void **state) {
  (void)state;
  static const double steps[] = {0.01, 0.1, 0.3048, 1};
  uint64_t random = 9;
  for (size_t k = 0; k < 4; k++)
    for (int azimuth = 0; azimuth <= 80; azimuth += 40) {
      survey s = {azimuth, 25, 12.5, 31, 41, 0, 0, 431234.5};
      moho_geometry g = lattice_survey(&s, &random);
      forget_numbers(&g);
      for (size_t t = 0; t < g.n; t++) {
        double *values[] = {&g.source_x[t], &g.source_y[t], &g.receiver_x[t], &g.receiver_y[t]};
        for (int v = 0; v < 4; v++) *values[v] = rint(*values[v] / steps[k]) * steps[k];
      }
      moho_grid grid;
      assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
      assert_non_null(strstr(report, "lattice of midpoints"));
      assert_int_equal(grid.n_inline * grid.n_crossline, 31 * 41);
      assert_true(fabs(fmin(grid.inline_spacing_m, grid.crossline_spacing_m) - 12.5) < 0.02);
      assert_true(fabs(fmax(grid.inline_spacing_m, grid.crossline_spacing_m) - 25) < 0.04);
      double turn = fmod(grid.inline_azimuth_deg - azimuth + 720, 90);
      assert_true(fmin(turn, 90 - turn) < 0.1);
      moho_geometry_release(&g);
      moho_grid_release(&grid);
    }
}

static void numbers_of_the_headers_are_kept(void **state) {
  (void)state;
  uint64_t random = 3;
  for (int flip = 0; flip < 2; flip++)
    for (int jittered = 0; jittered < 2; jittered++) {
      survey s = {210, 25, 12.5, 40, 90, jittered ? 0.5 : 0, 0.3, 4e5};
      moho_geometry g = lattice_survey(&s, &random);
      for (size_t t = 0; t < g.n; t++) {
        int32_t i = g.inline_number[t];
        g.inline_number[t] = 1000 + 2 * (flip ? 39 - i : i), g.crossline_number[t] = 500 + 3 * g.crossline_number[t];
      }
      moho_grid grid;
      assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
      assert_non_null(strstr(report, "inline and crossline numbers"));
      assert_int_equal(grid.flip, flip);
      assert_int_equal(grid.inline_first, 1000);
      assert_int_equal(grid.inline_step, 2);
      assert_int_equal(grid.crossline_first, 500);
      assert_int_equal(grid.crossline_step, 3);
      assert_int_equal(grid.n_inline, 40);
      assert_int_equal(grid.n_crossline, 90);
      assert_true(fabs(grid.inline_azimuth_deg - 210) < (jittered ? 0.2 : 1e-12));
      assert_true(grid.inline_spacing_m == 25 && grid.crossline_spacing_m == 12.5);
      for (size_t t = 0; t < g.n; t++) {
        double i, j;
        moho_grid_locate(&grid, (g.source_x[t] + g.receiver_x[t]) / 2, (g.source_y[t] + g.receiver_y[t]) / 2, &i, &j);
        assert_true(fabs(i - (g.inline_number[t] - 1000) / 2) < (jittered ? 0.6 : 1e-4));
        assert_true(fabs(j - (g.crossline_number[t] - 500) / 3) < (jittered ? 0.6 : 1e-4));
      }
      moho_geometry_release(&g);
    }
}

static void numbers_that_do_not_fit_are_not_believed(void **state) {
  (void)state;
  uint64_t random = 4;
  survey s = {0, 25, 25, 30, 30, 0, 0, 0};
  moho_geometry g = lattice_survey(&s, &random);
  for (size_t t = 0; t < g.n; t++)
    g.inline_number[t] = 1 + (int32_t)(30 * test_uniform(&random)),
    g.crossline_number[t] = 1 + (int32_t)(30 * test_uniform(&random)), g.cdp[t] = (int32_t)(t % 96) + 1;
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
  assert_non_null(strstr(report, "lattice of midpoints"));
  assert_true(worst_miss(&g, &grid) < 1e-4);
  moho_geometry_release(&g);
}

/* Crossline numbers alone lie on a line, but their midpoints fill an area. */
static void one_axis_of_an_area_is_no_line(void **state) {
  (void)state;
  uint64_t random = 14;
  survey s = {30, 25, 25, 30, 50, 0, 0, 0};
  for (int kind = 0; kind < 2; kind++) {
    moho_geometry g = lattice_survey(&s, &random);
    for (size_t t = 0; t < g.n; t++) {
      if (kind) g.cdp[t] = g.crossline_number[t] + 1, g.crossline_number[t] = 0;
      g.inline_number[t] = 0;
    }
    moho_grid grid;
    assert_ok(moho_grid_estimate(&g, 0.002, 501, &grid, report));
    assert_int_equal(grid.n_inline * grid.n_crossline, 1500);
    assert_true(worst_miss(&g, &grid) < 1e-4);
    moho_geometry_release(&g);
  }
}

static void synthetic_surveys_give_their_own_grid(void **state) {
  (void)state;
  const char *const presets[] = {"tiny", "small"};
  for (int p = 0; p < 2; p++)
    for (int forget = 0; forget < 2; forget++) {
      moho_synth_options options;
      assert_ok(moho_synth_options_preset(presets[p], &options));
      moho_grid want, got;
      assert_ok(moho_synth_grid(&options, &want));
      moho_geometry g;
      size_t n = moho_synth_trace_count(&options);
      assert_ok(moho_geometry_create(n, &g));
      assert_ok(moho_synth_generate(&options, 0, n, &g, NULL));
      if (forget) forget_numbers(&g);
      assert_ok(moho_grid_estimate(&g, options.dt_s, options.n_samples, &got, report));
      assert_true(got.origin_x_m == want.origin_x_m && got.origin_y_m == want.origin_y_m);
      assert_true(got.inline_azimuth_deg == want.inline_azimuth_deg && got.flip == want.flip);
      assert_true(got.inline_spacing_m == want.inline_spacing_m && got.crossline_spacing_m == want.crossline_spacing_m);
      assert_int_equal(got.n_inline, want.n_inline);
      assert_int_equal(got.n_crossline, want.n_crossline);
      assert_int_equal(got.n_time, want.n_time);
      assert_true(got.step_s == want.step_s && got.first_s == want.first_s);
      moho_geometry_release(&g);
    }
}

/* Shots every 50 m, 24 receivers every 25 m: midpoints every 12.5 m on a straight line at 60 degrees. */
static moho_geometry straight_line(double east, int numbers, double scatter) {
  moho_geometry g;
  uint64_t random = 8;
  assert_ok(moho_geometry_create(40 * 24, &g));
  for (size_t t = 0; t < g.n; t++) {
    double shot = 50.0 * (double)(t / 24), receiver = shot - 100 - 25.0 * (double)(t % 24);
    double ux = sin(60 / 57.29577951308232), uy = cos(60 / 57.29577951308232), aside = scatter * (2 * test_uniform(&random) - 1);
    g.source_x[t] = east + shot * ux, g.source_y[t] = east + shot * uy;
    g.receiver_x[t] = east + receiver * ux + aside * uy, g.receiver_y[t] = east + receiver * uy - aside * ux;
    if (numbers) g.cdp[t] = 1000 + (int32_t)lrint((shot + receiver) / 25);
  }
  return g;
}

static void straight_lines_become_one_inline(void **state) {
  (void)state;
  for (int numbers = 0; numbers < 2; numbers++)
    for (int scattered = 0; scattered < 2; scattered++) {
      moho_geometry g = straight_line(5e6, numbers, scattered ? 4 : 0);
      moho_grid grid;
      assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
      assert_true(moho_grid_is_line(&grid) && grid.n_inline == 1);
      assert_null(grid.line_x_m);
      assert_true(grid.crossline_spacing_m == 12.5);
      assert_int_equal(grid.n_crossline, 4 * 39 + 23 + 1); /* 50 m are four of them */
      assert_true(fabs(grid.inline_azimuth_deg - 60) < (scattered ? 0.3 : 1e-9));
      for (size_t t = 0; t < g.n; t++) {
        double i, j;
        moho_grid_locate(&grid, (g.source_x[t] + g.receiver_x[t]) / 2, (g.source_y[t] + g.receiver_y[t]) / 2, &i, &j);
        assert_true(fabs(j - rint(j)) < (scattered ? 0.1 : 1e-4));
        if (numbers) assert_int_equal(grid.crossline_first + (int32_t)rint(j) * grid.crossline_step, g.cdp[t]);
      }
      moho_geometry_release(&g);
    }
}

/* A line that bends: along east, then to the north-east, then north, then back west. */
static void bend_at(double s, double *x, double *y) {
  if (s < 1000) *x = s, *y = 0;
  else if (s < 2000) *x = 1000 + 0.6 * (s - 1000), *y = 0.8 * (s - 1000);
  else if (s < 3000) *x = 1600, *y = 800 + (s - 2000);
  else *x = 1600 - (s - 3000), *y = 1800;
}

static void crooked_lines_follow_their_cdps(void **state) {
  (void)state;
  moho_geometry g;
  assert_ok(moho_geometry_create(321 * 4, &g));
  for (size_t t = 0; t < g.n; t++) {
    double x, y;
    size_t cdp = t / 4;
    bend_at(12.5 * (double)cdp, &x, &y);
    place(&g, t, 600000 + x, 5000000 + y, 50.0 * (double)(t % 4), 40);
    g.cdp[t] = 2001 + 2 * (int32_t)cdp;
    if (cdp == 100) g.flags[t] = MOHO_TRACE_DEAD; /* one CDP without traces */
  }
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_non_null(strstr(report, "crooked line from the CDP numbers"));
  assert_int_equal(grid.n_crossline, 321);
  assert_int_equal(grid.crossline_first, 2001);
  assert_int_equal(grid.crossline_step, 2);
  assert_true(fabs(grid.crossline_spacing_m - 12.5) < 1e-6);
  for (size_t j = 0; j < 321; j++) {
    double x, y, want_x, want_y;
    moho_grid_node(&grid, 0, j, &x, &y);
    bend_at(12.5 * (double)j, &want_x, &want_y);
    assert_true(hypot(x - 600000 - want_x, y - 5000000 - want_y) < 1e-6);
  }
  moho_geometry_release(&g);
  moho_grid_release(&grid);
}

/* Without numbers: a line that only goes one way is followed through its scattered midpoints. */
static void crooked_lines_are_found_without_numbers(void **state) {
  (void)state;
  moho_geometry g;
  assert_ok(moho_geometry_create(200 * 48, &g));
  for (size_t t = 0; t < g.n; t++) {
    double s = 50.0 * (double)(t / 48), r = s - 100 - 50.0 * (double)(t % 48);
    double aside = 10 * sin(r); /* stations off the line, each at its own place */
    g.source_x[t] = 5e5 + s, g.source_y[t] = 5e6 + 600 * sin(s / 2500);
    g.receiver_x[t] = 5e5 + r, g.receiver_y[t] = 5e6 + 600 * sin(r / 2500) + aside;
  }
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_non_null(strstr(report, "crooked line"));
  assert_non_null(grid.line_x_m);
  assert_true(grid.crossline_spacing_m == 25);
  size_t near = 0;
  for (size_t t = 0; t < g.n; t++) {
    double i, j, x = (g.source_x[t] + g.receiver_x[t]) / 2, y = (g.source_y[t] + g.receiver_y[t]) / 2;
    moho_grid_locate(&grid, x, y, &i, &j);
    near += fabs(i) * grid.inline_spacing_m < 150;
  }
  assert_true(near == g.n);
  for (size_t j = 0; j + 1 < grid.n_crossline; j++) {
    double x, y, next_x, next_y;
    moho_grid_node(&grid, 0, j, &x, &y);
    moho_grid_node(&grid, 0, j + 1, &next_x, &next_y);
    assert_true(fabs(hypot(next_x - x, next_y - y) - 25) < 0.5);
  }
  moho_geometry_release(&g);
  moho_grid_release(&grid);
}

static void irregular_areas_are_covered(void **state) {
  (void)state;
  uint64_t random = 10;
  moho_geometry g;
  assert_ok(moho_geometry_create(20000, &g));
  for (size_t t = 0; t < g.n; t++) { /* random shots, receivers on lines at 20 degrees, 50 m apart */
    double line = 200 * floor(10 * test_uniform(&random)), station = 50 * floor(60 * test_uniform(&random));
    double ux = sin(20 / 57.29577951308232), uy = cos(20 / 57.29577951308232);
    g.receiver_x[t] = 5e5 + station * ux + line * uy, g.receiver_y[t] = 6e6 + station * uy - line * ux;
    double p = 3000 * test_uniform(&random), q = 2000 * test_uniform(&random);
    g.source_x[t] = 5e5 + p * ux + q * uy, g.source_y[t] = 6e6 + p * uy - q * ux;
    if (t % 500 == 0 && t) place(&g, t, (g.source_x[0] + g.receiver_x[0]) / 2, (g.source_y[0] + g.receiver_y[0]) / 2, 10, 0);
  }
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_non_null(strstr(report, "irregular midpoints"));
  assert_true(fabs(grid.inline_azimuth_deg - 20) < 0.5);
  assert_true(grid.n_inline > 1 && grid.n_crossline > 1 && grid.n_inline * grid.n_crossline < 10 * g.n);
  worst_miss(&g, &grid); /* all midpoints lie on the grid */
  moho_geometry_release(&g);
}

static void one_place_is_one_node(void **state) {
  (void)state;
  moho_geometry g;
  moho_grid grid;
  assert_ok(moho_geometry_create(50, &g));
  for (size_t t = 0; t < 50; t++) place(&g, t, 512345.5, 6123456.25, 20.0 * (double)t, 33), g.cdp[t] = 77;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_int_equal(grid.n_inline * grid.n_crossline, 1);
  assert_true(fabs(grid.origin_x_m - 512345.5) < 1e-3 && fabs(grid.origin_y_m - 6123456.25) < 1e-3);
  assert_int_equal(grid.crossline_first, 77);
  g.n = 1;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, NULL));
  assert_int_equal(grid.n_crossline, 1);
  g.n = 2;
  place(&g, 1, 512395.5, 6123456.25, 5, 0);
  g.cdp[0] = g.cdp[1] = 0;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_int_equal(grid.n_crossline, 2);
  assert_true(grid.crossline_spacing_m == 50);
  g.n = 3;
  place(&g, 2, 512395.5, 6123496.25, 5, 0);
  g.cdp[2] = 0;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  for (size_t t = 0; t < 3; t++) {
    double i, j;
    moho_grid_locate(&grid, (g.source_x[t] + g.receiver_x[t]) / 2, (g.source_y[t] + g.receiver_y[t]) / 2, &i, &j);
    assert_true(i > -0.51 && i < (double)grid.n_inline - 0.49 && j > -0.51 && j < (double)grid.n_crossline - 0.49);
  }
  g.n = 50;
  moho_geometry_release(&g);
}

static void dead_traces_do_not_count(void **state) {
  (void)state;
  uint64_t random = 12;
  survey s = {0, 25, 25, 10, 12, 0, 0, 1e5};
  moho_geometry g = lattice_survey(&s, &random);
  forget_numbers(&g);
  for (size_t t = 0; t < 5; t++) {
    place(&g, t, 0, 0, 0, 0);
    g.flags[t] = t % 2 ? MOHO_TRACE_NO_POSITION : MOHO_TRACE_NOT_SEISMIC;
  }
  g.source_x[5] = NAN;
  moho_grid grid;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_int_equal(grid.n_inline * grid.n_crossline, 120);
  for (size_t t = 0; t < g.n; t++) g.flags[t] = MOHO_TRACE_DEAD;
  assert_fails(moho_grid_estimate(&g, 0.004, 1001, &grid, report), MOHO_ERROR_RANGE, "none of 360 traces is live");
  assert_non_null(strstr(moho_last_error()->hint, "headers"));
  moho_geometry_release(&g);
}

static void times_cover_the_traces(void **state) {
  (void)state;
  moho_geometry g = straight_line(0, 1, 0);
  moho_grid grid;
  g.first_sample_s[3] = 0.1;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_true(grid.first_s == 0 && grid.step_s == 0.004);
  assert_int_equal(grid.n_time, 1026);
  for (size_t t = 0; t < g.n; t++) g.first_sample_s[t] = -0.05;
  assert_ok(moho_grid_estimate(&g, 0.004, 1001, &grid, report));
  assert_true(grid.first_s >= 0 && grid.first_s < 0.004);
  assert_true(grid.first_s + (double)(grid.n_time - 1) * 0.004 <= 4 - 0.05 + 1e-9);
  assert_fails(moho_grid_estimate(&g, 0, 1001, &grid, report), MOHO_ERROR_ARGUMENT, "samples");
  moho_geometry_release(&g);
}

static void far_coordinates_change_nothing(void **state) {
  (void)state;
  for (int scattered = 0; scattered < 2; scattered++) {
    moho_geometry near = straight_line(0, 0, scattered ? 8 : 0), far = straight_line(0, 0, scattered ? 8 : 0);
    for (size_t t = 0; t < far.n; t++)
      far.source_x[t] += 5e6, far.source_y[t] += 5e6, far.receiver_x[t] += 5e6, far.receiver_y[t] += 5e6;
    moho_grid a, b;
    assert_ok(moho_grid_estimate(&near, 0.004, 1001, &a, report));
    assert_ok(moho_grid_estimate(&far, 0.004, 1001, &b, report));
    assert_true(a.inline_azimuth_deg == b.inline_azimuth_deg && a.crossline_spacing_m == b.crossline_spacing_m);
    assert_int_equal(a.n_crossline, b.n_crossline);
    assert_true(fabs(b.origin_x_m - a.origin_x_m - 5e6) < 2e-4 && fabs(b.origin_y_m - a.origin_y_m - 5e6) < 2e-4);
    moho_geometry_release(&near);
    moho_geometry_release(&far);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lattices_come_back_at_any_azimuth),
      cmocka_unit_test(scattered_midpoints_still_show_their_lattice),
      cmocka_unit_test(rounded_coordinates_still_show_their_lattice),
      cmocka_unit_test(numbers_of_the_headers_are_kept),
      cmocka_unit_test(numbers_that_do_not_fit_are_not_believed),
      cmocka_unit_test(one_axis_of_an_area_is_no_line),
      cmocka_unit_test(synthetic_surveys_give_their_own_grid),
      cmocka_unit_test(straight_lines_become_one_inline),
      cmocka_unit_test(crooked_lines_follow_their_cdps),
      cmocka_unit_test(crooked_lines_are_found_without_numbers),
      cmocka_unit_test(irregular_areas_are_covered),
      cmocka_unit_test(one_place_is_one_node),
      cmocka_unit_test(dead_traces_do_not_count),
      cmocka_unit_test(times_cover_the_traces),
      cmocka_unit_test(far_coordinates_change_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
