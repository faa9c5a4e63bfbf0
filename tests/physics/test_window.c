/* test_window.c - a window of the grid holds the bits that the whole image holds there: one migration, moved from window to
 * window, over every option; its counts and the traces that it used, added up, are the whole one's.
 *
 * v2 and v3 add the traces that reach a tile of columns in blocks: where a window cuts a tile other traces meet in a block, and
 * sums are the same to rounding, the fold to the bit. Windows along tiles are the same bits.
 *
 * Kernels run on the device that MOHO_DEVICE names, else as C on the cpu.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios.h"

enum { WINDOWS = 5 };

/* Uneven parts that cover the grid; of a line five pieces. With edges on a kernel's tiles of 2 x 4 columns, of a line 8, or
 * anywhere. */
static void cut_grid(const moho_grid *grid, int on_tiles, moho_window windows[WINDOWS]) {
  static const size_t line_edges[2][WINDOWS + 1] = {{0, 3, 4, 17, 29, 40}, {0, 8, 16, 24, 32, 40}};
  static const moho_window parts[2][WINDOWS] = {{{0, 3, 0, 5}, {0, 1, 5, 3}, {1, 2, 5, 3}, {3, 4, 7, 1}, {3, 4, 0, 7}},
                                                {{0, 2, 0, 4}, {0, 4, 4, 4}, {2, 2, 0, 4}, {4, 3, 0, 4}, {4, 3, 4, 4}}};
  const size_t *edges = line_edges[on_tiles];
  if (grid->n_inline != 1) {
    assert_true(grid->n_inline == 7 && grid->n_crossline == 8);
    memcpy(windows, parts[on_tiles], sizeof parts[on_tiles]);
    return;
  }
  assert_true(grid->n_crossline == 40);
  for (int k = 0; k < WINDOWS; k++) windows[k] = (moho_window){0, 1, edges[k], edges[k + 1] - edges[k]};
}

static float largest_of(const float *values, size_t n) {
  float largest = 0;
  for (size_t k = 0; k < n; k++) largest = fmaxf(largest, fabsf(values[k]));
  return largest;
}

/* Part and whole as floats or counts, `row` values a column; bound: of what floats differ by, over the largest; 0: the same
 * bits. */
static int is_part(const void *part, const void *whole, const moho_grid *grid, const moho_window *w, size_t row, float bound) {
  const char *a = part, *b = whole;
  float allowed = bound > 0 ? bound * largest_of(whole, grid->n_inline * grid->n_crossline * row) : 0;
  for (size_t i = 0; i < w->n_inline; i++) {
    size_t from = ((w->inline_first + i) * grid->n_crossline + w->crossline_first) * row, n = w->n_crossline * row;
    if (bound > 0) {
      const float *x = (const float *)part + i * n, *y = (const float *)whole + from;
      for (size_t k = 0; k < n; k++)
        if (!(fabsf(x[k] - y[k]) <= allowed)) return 0;
    } else if (memcmp(a + i * n * 4, b + from * 4, n * 4) != 0) {
      return 0;
    }
  }
  return 1;
}

typedef struct summed {
  uint64_t contributions;
  uint8_t used[SCENARIO_TRACES], once[SCENARIO_TRACES];
} summed;

static void add_all(moho_migration *m, const survey *s, size_t batch) {
  for (size_t first = 0; first < s->n; first += batch) {
    moho_geometry part = moho_geometry_slice(&s->geometry, first, s->n - first < batch ? s->n - first : batch);
    assert_ok(moho_migration_add(m, &part, s->samples + first * s->n_samples, NULL, NULL));
  }
}

/* 1 when the window's image is that part of the whole. */
static int check_window(moho_migration *m, const physics_case *c, const moho_window *w, size_t batch, const moho_image *whole,
                        float bound, summed *sum) {
  moho_grid grid;
  moho_image part;
  size_t n = c->grid.n_time, bins = moho_gather_bins_count(&whole->bins);
  memset(sum->once, 0xff, sizeof sum->once);
  moho_migration_watch_used(m, sum->once);
  add_all(m, &c->survey, batch);
  assert_ok(moho_grid_cut(&c->grid, w, &grid));
  assert_ok(moho_image_create(&grid, &part));
  if (bins) assert_ok(moho_image_add_gathers(&part, c->options.gathers));
  assert_ok(moho_migration_finish(m, &part));
  moho_migration_counts counts = moho_migration_get_counts(m);
  sum->contributions += counts.contributions;
  uint64_t used = 0;
  for (size_t k = 0; k < c->survey.n; k++) {
    assert_true(sum->once[k] <= 1);
    used += sum->once[k], sum->used[k] |= sum->once[k];
  }
  assert_int_equal(used, counts.traces_used);
  assert_int_equal(counts.traces_added, c->survey.n);
  int same = is_part(part.stack, whole->stack, &c->grid, w, n, bound) && is_part(part.fold, whole->fold, &c->grid, w, n, 0);
  if (bins)
    same = same && is_part(part.gathers, whole->gathers, &c->grid, w, n * bins, bound) &&
           is_part(part.gathers_fold, whole->gathers_fold, &c->grid, w, n * bins, 0);
  moho_image_release(&part);
  moho_grid_release(&grid);
  return same;
}

/* How many windows differ. */
static size_t count_differing(const char *uri, const physics_case *c, size_t batch, int on_tiles, float bound) {
  moho_device *device;
  moho_migration *m = NULL;
  moho_migration_counts counts;
  moho_migration_options options = c->options;
  moho_window windows[WINDOWS];
  summed sum = {0};
  size_t differing = 0;
  moho_image whole = migrate_counted(uri, &c->grid, c->velocity, &options, &c->survey, batch, &counts);
  cut_grid(&c->grid, on_tiles, windows);
  assert_ok(moho_device_open(uri, &device));
  for (int k = 0; k < WINDOWS; k++) {
    options.window = windows[k];
    if (k) assert_ok(moho_migration_move(m, &windows[k], &c->survey.geometry));
    else
      assert_ok(moho_migration_create(device, &c->grid, c->velocity, &options, &c->survey.geometry, c->survey.n_samples,
                                      c->survey.dt_s, &m));
    differing += !check_window(m, c, &windows[k], batch, &whole, bound, &sum);
  }
  assert_true(counts.contributions > 0);
  assert_int_equal(sum.contributions, counts.contributions);
  uint64_t used = 0;
  for (size_t k = 0; k < c->survey.n; k++) used += sum.used[k];
  assert_int_equal(used, counts.traces_used);
  moho_migration_destroy(&m);
  moho_device_close(&device);
  moho_image_release(&whole);
  return differing;
}

/* Under sanitizers every fourth case. */
static size_t stride(void) {
  return getenv("MOHO_TEST_BRIEF") ? 4 : 1;
}

static const char *device_of_kernels(void) {
  const char *uri = getenv("MOHO_DEVICE");
  return uri && *uri ? uri : "cpu?threads=2";
}

static size_t check_kernels(const char *what, size_t number, physics_case c, int first_kernel) {
  static const moho_migration_kernel kernels[] = {MOHO_KERNEL_BASELINE, MOHO_KERNEL_V1, MOHO_KERNEL_V2, MOHO_KERNEL_V3};
  size_t failures = 0;
  for (int k = first_kernel; k < 4; k++) {
    c.options.kernel = kernels[k];
    size_t differing = count_differing(device_of_kernels(), &c, 64, kernels[k] >= MOHO_KERNEL_V2, 0);
    if (kernels[k] >= MOHO_KERNEL_V2) differing += count_differing(device_of_kernels(), &c, 64, 0, 1e-6F);
    if (differing)
      print_error("%s %zu, %s: %zu windows differ\n", what, number, moho_migration_kernel_name(kernels[k]), differing);
    failures += differing;
  }
  case_release(&c);
  return failures;
}

static void windows_are_the_same_bits(void **state) {
  (void)state;
  size_t failures = 0;
  for (size_t i = 0; i < SCENARIOS + LAW_SCENARIOS; i += i < SCENARIOS ? stride() : 5 * stride()) { /* 5: every law */
    scenario law = law_scenario(i < SCENARIOS ? 0 : i - SCENARIOS);
    physics_case c = case_of_scenario(i < SCENARIOS ? &scenarios[i] : &law);
    size_t differing = count_differing("cpu?threads=2", &c, 29, 0, 0);
    if (differing) print_error("case %zu: %zu windows differ\n", i, differing);
    failures += differing;
    case_release(&c);
  }
  assert_int_equal(failures, 0);
}

static void windows_of_kernels_are_the_same_bits(void **state) {
  (void)state;
  static const size_t cases[] = {0, 2, 3, 11};
  size_t failures = 0;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i += stride())
    failures += check_kernels("scenario", cases[i], case_of_scenario(&scenarios[cases[i]]), 0);
  scenario law = law_scenario(9); /* curved_ray */
  failures += check_kernels("law", 9, case_of_scenario(&law), 2);
  assert_int_equal(failures, 0);
}

static void windows_of_gathers_are_the_same_bits(void **state) {
  (void)state;
  static const double metres[] = {0, 120, 300, 480}, degrees[] = {0, 8, 20, 60};
  size_t failures = 0;
  for (int kind = 0; kind < 2; kind++) {
    moho_gather_bins bins;
    assert_ok(
        moho_gather_bins_create(kind ? MOHO_GATHERS_ANGLE : MOHO_GATHERS_OFFSET, 0, kind ? degrees : metres, 4, NULL, 0, &bins));
    for (size_t i = 2; i < 4; i += stride()) {
      physics_case c = case_of_scenario(&scenarios[i]);
      c.options.gathers = &bins;
      failures += count_differing("cpu?threads=2", &c, 40, 0, 0);
      failures += check_kernels("gathers", i, c, kind ? 2 : 0);
    }
    moho_gather_bins_release(&bins);
  }
  assert_int_equal(failures, 0);
}

/* What is counted without samples is what a migration does; of a sample of columns it is near that. A trace that holds nothing
 * is not known before it is read. */
static void contributions_are_counted_without_samples(void **state) {
  (void)state;
  for (size_t i = 0; i < SCENARIOS + LAW_SCENARIOS; i += i < SCENARIOS ? stride() : 7 * stride()) {
    scenario law = law_scenario(i < SCENARIOS ? 0 : i - SCENARIOS);
    physics_case c = case_of_scenario(i < SCENARIOS ? &scenarios[i] : &law);
    moho_migration_counts counts;
    moho_contribution_count count;
    moho_device *device;
    static const double metres[] = {0, 120, 300, 480};
    moho_gather_bins bins;
    assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, metres, 4, NULL, 0, &bins));
    if (i % 3 == 0) c.options.gathers = &bins;
    c.survey.geometry.flags[7] = MOHO_TRACE_DEAD;
    moho_image image = migrate_counted("cpu?threads=2", &c.grid, c.velocity, &c.options, &c.survey, 0, &counts);
    assert_ok(moho_device_open("cpu?threads=2", &device));
    assert_ok(moho_migration_count_contributions(device, &c.grid, c.velocity, &c.options, &c.survey.geometry, c.survey.n_samples,
                                                 c.survey.dt_s, 1e9, &count));
    assert_true(count.is_exact && count.columns == c.grid.n_inline * c.grid.n_crossline);
    assert_true(count.contributions > 0 && count.contributions == (double)counts.contributions);
    moho_device_close(&device);
    moho_image_release(&image);
    moho_gather_bins_release(&bins);
    case_release(&c);
  }
}

static void windows_that_cannot_be_are_refused(void **state) {
  (void)state;
  physics_case c = case_of_scenario(&scenarios[0]);
  moho_device *device;
  moho_migration *m;
  moho_reference *reference;
  assert_ok(moho_device_open("cpu?threads=1", &device));
  c.options.window = (moho_window){0, 8, 0, 1};
  assert_int_equal(
      moho_migration_create(device, &c.grid, c.velocity, &c.options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m),
      MOHO_ERROR_RANGE);
  c.options.window = (moho_window){0, 2, 0, 1};
  assert_int_equal(moho_reference_create(&c.grid, c.velocity, &c.options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s,
                                         NULL, 0, &reference),
                   MOHO_ERROR_NOT_AVAILABLE);
  assert_ok(
      moho_migration_create(device, &c.grid, c.velocity, &c.options, &c.survey.geometry, c.survey.n_samples, c.survey.dt_s, &m));
  assert_int_equal(moho_migration_move(m, &(moho_window){6, 1, 0, 9}, &c.survey.geometry), MOHO_ERROR_RANGE);
  moho_image image;
  assert_ok(moho_image_create(&c.grid, &image));
  assert_int_equal(moho_migration_finish(m, &image), MOHO_ERROR_SHAPE); /* the whole grid's */
  moho_image_release(&image);
  moho_migration_destroy(&m);
  moho_device_close(&device);
  case_release(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(windows_are_the_same_bits),
      cmocka_unit_test(windows_of_kernels_are_the_same_bits),
      cmocka_unit_test(windows_of_gathers_are_the_same_bits),
      cmocka_unit_test(contributions_are_counted_without_samples),
      cmocka_unit_test(windows_that_cannot_be_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
