/* test_block_plan.c - blocks cover the grid once, on the lattice, within memory, balanced, each beside the one before it; and
 * millions of traces and columns are planned in seconds.
 */
#include "test_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "job/block_plan.h"

static moho_grid grid_of_size(size_t n_inline, size_t n_crossline, double azimuth_deg) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 430000, grid.origin_y_m = 6100000, grid.inline_azimuth_deg = azimuth_deg;
  grid.n_inline = n_inline, grid.n_crossline = n_crossline;
  grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5;
  grid.n_time = 501, grid.step_s = 0.004;
  return grid;
}

/* Midpoints all over the grid; `crowded`: nine of ten in its first quarter of the crosslines. */
static moho_geometry midpoints(const moho_grid *grid, size_t n, int crowded) {
  moho_geometry g;
  uint64_t seed = 5;
  assert_ok(moho_geometry_create(n, &g));
  for (size_t k = 0; k < n; k++) {
    double u = test_uniform(&seed), v = test_uniform(&seed), x, y, x1, y1, x2, y2;
    if (crowded && k % 10) v *= 0.25;
    moho_grid_node(grid, 0, 0, &x, &y);
    moho_grid_node(grid, grid->n_inline - 1, 0, &x1, &y1);
    moho_grid_node(grid, 0, grid->n_crossline - 1, &x2, &y2);
    g.source_x[k] = g.receiver_x[k] = x + u * (x1 - x) + v * (x2 - x);
    g.source_y[k] = g.receiver_y[k] = y + u * (y1 - y) + v * (y2 - y);
  }
  return g;
}

static size_t columns_of(const moho_window *w) {
  return w->n_inline * w->n_crossline;
}

static int on_lattice(size_t first, size_t n, size_t all, size_t lattice) {
  return first % lattice == 0 && ((first + n) % lattice == 0 || first + n == all);
}

/* Windows that follow one another share an edge or a corner. */
static int touches(const moho_window *a, const moho_window *b) {
  return a->inline_first <= b->inline_first + b->n_inline && b->inline_first <= a->inline_first + a->n_inline &&
         a->crossline_first <= b->crossline_first + b->n_crossline && b->crossline_first <= a->crossline_first + a->n_crossline;
}

static void check_cover(const moho_block_request *q, const moho_block_plan *plan) {
  size_t ni = q->grid->n_inline, nj = q->grid->n_crossline, far = 0;
  uint8_t *seen = calloc(ni * nj, 1);
  double share = 0;
  assert_non_null(seen);
  for (size_t k = 0; k < plan->n; k++) {
    const moho_window *w = &plan->windows[k];
    assert_ok(moho_grid_check_window(q->grid, w));
    assert_true(columns_of(w) <= q->most_columns && columns_of(w) <= plan->most_columns);
    assert_true(on_lattice(w->inline_first, w->n_inline, ni, q->lattice_inline));
    assert_true(on_lattice(w->crossline_first, w->n_crossline, nj, q->lattice_crossline));
    for (size_t i = w->inline_first; i < w->inline_first + w->n_inline; i++)
      for (size_t j = w->crossline_first; j < w->crossline_first + w->n_crossline; j++) assert_int_equal(seen[i * nj + j]++, 0);
    share += plan->share[k];
    far += k && !touches(w, &plan->windows[k - 1]);
  }
  for (size_t c = 0; c < ni * nj; c++) assert_int_equal(seen[c], 1);
  assert_true(fabs(share - 1) < 1e-9);
  assert_int_equal(far, 0);
  free(seen);
}

static double unbalance(const moho_block_plan *plan) {
  double largest = 0;
  for (size_t k = 0; k < plan->n; k++) largest = fmax(largest, plan->share[k]);
  return largest * (double)plan->n;
}

static void blocks_cover_the_grid_within_memory(void **state) {
  (void)state;
  static const struct {
    size_t ni, nj, li, lj, most, least;
    double azimuth;
  } cases[] = {{200, 300, 32, 32, 5000, 0, 30}, {200, 300, 32, 32, 1024, 0, 0}, {201, 333, 16, 16, 100000, 24, 200},
               {1, 4000, 1, 256, 700, 0, 70},   {33, 31, 32, 32, 1024, 0, 0},   {10, 900, 32, 32, 400, 3, 15},
               {64, 64, 32, 32, 4096, 0, 0}};
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
    moho_grid grid = grid_of_size(cases[k].ni, cases[k].nj, cases[k].azimuth);
    moho_geometry g = midpoints(&grid, 20000, k % 2);
    moho_block_request q = {.grid = &grid,
                            .geometry = &g,
                            .reach_m = 400,
                            .lattice_inline = cases[k].li,
                            .lattice_crossline = cases[k].lj,
                            .most_columns = cases[k].most,
                            .least_blocks = cases[k].least};
    moho_block_plan plan;
    assert_ok(moho_block_plan_make(&q, &plan));
    check_cover(&q, &plan);
    if (k == 6) assert_int_equal(plan.n, 1); /* all of it fits */
    double by_memory = (double)(cases[k].ni * cases[k].nj) / (double)cases[k].most;
    print_message("case %zu: %zu blocks, memory asks for %.1f, largest over mean %.2f\n", k, plan.n, by_memory, unbalance(&plan));
    assert_true((double)plan.n >= by_memory && (double)plan.n <= 3 * fmax(by_memory, (double)cases[k].least) + 3);
    moho_block_plan_release(&plan);
    moho_geometry_release(&g);
  }
}

static void work_is_balanced(void **state) {
  (void)state;
  moho_grid grid = grid_of_size(640, 640, 45);
  for (int crowded = 0; crowded < 2; crowded++) {
    moho_geometry g = midpoints(&grid, 100000, crowded);
    moho_block_request q = {.grid = &grid,
                            .geometry = &g,
                            .reach_m = 500,
                            .lattice_inline = 16,
                            .lattice_crossline = 16,
                            .most_columns = 640 * 640,
                            .least_blocks = 16};
    moho_block_plan plan;
    assert_ok(moho_block_plan_make(&q, &plan));
    check_cover(&q, &plan);
    print_message("%s: %zu blocks, largest over mean %.2f\n", crowded ? "crowded" : "even", plan.n, unbalance(&plan));
    assert_true(plan.n >= 12 && plan.n <= 24 && unbalance(&plan) < 1.5);
    double narrow = 1e9, wide = 0; /* where nine of ten traces lie blocks are narrow */
    for (size_t k = 0; k < plan.n; k++) {
      double n = (double)plan.windows[k].n_crossline;
      if (plan.windows[k].crossline_first == 0) narrow = fmin(narrow, n);
      wide = fmax(wide, n);
    }
    assert_true(!crowded || wide >= 2 * narrow);
    moho_block_plan_release(&plan);
    moho_geometry_release(&g);
  }
}

static void too_little_memory_is_refused(void **state) {
  (void)state;
  moho_grid grid = grid_of_size(100, 100, 0);
  moho_geometry g = midpoints(&grid, 100, 0);
  moho_block_request q = {
      .grid = &grid, .geometry = &g, .reach_m = 500, .lattice_inline = 32, .lattice_crossline = 32, .most_columns = 1023};
  moho_block_plan plan;
  assert_int_equal(moho_block_plan_make(&q, &plan), MOHO_ERROR_TOO_LARGE);
  moho_geometry_release(&g);
}

/* 3 million traces, 16 million columns. */
static void large_surveys_are_planned_in_seconds(void **state) {
  (void)state;
  moho_grid grid = grid_of_size(4000, 4000, 12);
  moho_geometry g = midpoints(&grid, 3000000, 1);
  moho_block_request q = {.grid = &grid,
                          .geometry = &g,
                          .reach_m = 3000,
                          .lattice_inline = 32,
                          .lattice_crossline = 32,
                          .most_columns = 100000,
                          .least_blocks = 500};
  moho_block_plan plan;
  struct timespec begin, end;
  clock_gettime(CLOCK_MONOTONIC, &begin);
  assert_ok(moho_block_plan_make(&q, &plan));
  clock_gettime(CLOCK_MONOTONIC, &end);
  double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
  print_message("%zu blocks in %.2f s, largest over mean %.2f\n", plan.n, seconds, unbalance(&plan));
  assert_true(plan.n >= 400 && seconds < 10);
  moho_block_plan_release(&plan);
  moho_geometry_release(&g);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(blocks_cover_the_grid_within_memory),
      cmocka_unit_test(work_is_balanced),
      cmocka_unit_test(too_little_memory_is_refused),
      cmocka_unit_test(large_surveys_are_planned_in_seconds),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
