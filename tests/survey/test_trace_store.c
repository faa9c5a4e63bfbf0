/* test_trace_store.c - what is laid into a store comes out in the order of the file, bit by bit, wherever midpoints lie; and a
 * window gets the traces within its margin, all of them and no others. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_survey.h"

static void check_survey(store_survey survey, const char *name, size_t memory, size_t batch) {
  char place[64];
  snprintf(place, sizeof place, "place-%s", name);
  moho_traces *traces = store_traces(store_survey_save(&survey, name));
  moho_trace_store *store = store_open(traces, place, memory);
  const moho_trace_store_info *info = moho_trace_store_get_info(store);
  assert_int_equal(info->reused, 0);
  assert_int_equal(info->n_samples, survey.ns);
  assert_true(info->n_cells >= 1 && info->n_traces <= survey.n_traces);
  store_assert_traces(store, traces, NULL, NULL, batch);
  moho_trace_store_close(&store);
  store = store_open(traces, place, memory);
  assert_int_equal(moho_trace_store_get_info(store)->reused, 1);
  store_assert_traces(store, traces, NULL, NULL, batch + 1);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
}

static void every_survey_comes_out_as_it_went_in(void **state) {
  (void)state;
  const size_t little = 14 << 20;
  check_survey((store_survey){STORE_SPREAD, 3000, 101, 0, 1}, "spread.sgy", 0, 700);
  check_survey((store_survey){STORE_SPREAD, 3000, 101, 1, 2}, "flawed.sgy", 0, 64);
  check_survey((store_survey){STORE_SKEWED, 2500, 33, 1, 3}, "skewed.sgy", 0, 999);
  check_survey((store_survey){STORE_ONE_PLACE, 1200, 7, 0, 4}, "place.sgy", 0, 100);
  check_survey((store_survey){STORE_LINE, 2000, 50, 1, 5}, "line.sgy", 0, 5000);
  check_survey((store_survey){STORE_SPREAD, 1, 3, 0, 6}, "one.sgy", 0, 1);
  check_survey((store_survey){STORE_SPREAD, 2, 1001, 0, 7}, "two.sgy", 0, 1);
  check_survey((store_survey){STORE_SPREAD, 20000, 501, 1, 8}, "many.sgy", little, 3000); /* 40 MB through a few MiB */
}

/* ---- windows ---- */

/* Distance of a point from the rectangle of a window, by its fractional indices. */
static double distance_from_window(const moho_grid *grid, const moho_window *w, double x, double y) {
  double i, j, x0, y0, angle = grid->inline_azimuth_deg * 3.14159265358979323846 / 180, side = grid->flip ? -1 : 1;
  moho_grid_locate(grid, x, y, &i, &j);
  i = fmin(fmax(i, (double)w->inline_first), (double)(w->inline_first + w->n_inline - 1)) * grid->inline_spacing_m;
  j = fmin(fmax(j, (double)w->crossline_first), (double)(w->crossline_first + w->n_crossline - 1)) * grid->crossline_spacing_m;
  x0 = grid->origin_x_m + side * i * cos(angle) + j * sin(angle);
  y0 = grid->origin_y_m - side * i * sin(angle) + j * cos(angle);
  return hypot(x - x0, y - y0);
}

/* Points along the polyline, `step` metres apart at most. */
static double distance_from_line(const moho_grid *grid, const moho_window *w, double x, double y, double step) {
  double least = INFINITY;
  for (size_t k = w->crossline_first; k < w->crossline_first + w->n_crossline; k++) {
    size_t next = k + 1 < w->crossline_first + w->n_crossline ? k + 1 : k;
    double dx = grid->line_x_m[next] - grid->line_x_m[k], dy = grid->line_y_m[next] - grid->line_y_m[k];
    int parts = (int)(hypot(dx, dy) / step) + 1;
    for (int p = 0; p <= parts; p++)
      least = fmin(least, hypot(x - grid->line_x_m[k] - dx * p / parts, y - grid->line_y_m[k] - dy * p / parts));
  }
  return least;
}

static moho_grid random_grid(uint64_t *random, int crooked) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 6000 * test_uniform(random) - 5000, grid.origin_y_m = 4000 * test_uniform(random) - 1500;
  grid.inline_azimuth_deg = 720 * test_uniform(random) - 360;
  grid.flip = test_uniform(random) < 0.5;
  grid.n_inline = crooked ? 1 : 1 + (size_t)(60 * test_uniform(random));
  grid.n_crossline = 1 + (size_t)(90 * test_uniform(random));
  grid.inline_spacing_m = 5 + 40 * test_uniform(random), grid.crossline_spacing_m = 5 + 40 * test_uniform(random);
  grid.step_s = 0.004, grid.n_time = 10;
  if (!crooked) return grid;
  grid.line_x_m = malloc(grid.n_crossline * sizeof(double)), grid.line_y_m = malloc(grid.n_crossline * sizeof(double));
  assert_true(grid.line_x_m && grid.line_y_m);
  for (size_t k = 0; k < grid.n_crossline; k++) {
    grid.line_x_m[k] = (k ? grid.line_x_m[k - 1] : grid.origin_x_m) + 60 * test_uniform(random);
    grid.line_y_m[k] = (k ? grid.line_y_m[k - 1] : grid.origin_y_m) + 80 * test_uniform(random) - 40;
  }
  return grid;
}

static moho_window random_window(const moho_grid *grid, uint64_t *random) {
  moho_window w;
  w.inline_first = (size_t)((double)grid->n_inline * test_uniform(random));
  w.crossline_first = (size_t)((double)grid->n_crossline * test_uniform(random));
  w.n_inline = 1 + (size_t)((double)(grid->n_inline - w.inline_first) * test_uniform(random));
  w.n_crossline = 1 + (size_t)((double)(grid->n_crossline - w.crossline_first) * test_uniform(random));
  return w;
}

/* Brute force over all traces; those whose distance is the margin to a rounding are not judged, so the margin avoids them. */
static size_t find_wanted(const moho_geometry *g, const moho_trace_region *region, char *wanted, double step, size_t *unclear) {
  size_t n = 0;
  for (size_t i = 0; i < g->n; i++) {
    double x = (g->source_x[i] + g->receiver_x[i]) / 2, y = (g->source_y[i] + g->receiver_y[i]) / 2;
    int crooked = region->grid->line_x_m != NULL;
    double distance = crooked ? distance_from_line(region->grid, &region->window, x, y, step)
                              : distance_from_window(region->grid, &region->window, x, y);
    wanted[i] = distance <= region->margin_m;
    *unclear += fabs(distance - region->margin_m) < (crooked ? step * step / region->margin_m : 1e-6);
    n += wanted[i] && moho_geometry_is_live(g, i);
  }
  return n;
}

static void windows_get_what_lies_within_their_margin(void **state) {
  (void)state;
  const store_survey survey = {STORE_SKEWED, 4000, 5, 1, 11};
  moho_traces *traces = store_traces(store_survey_save(&survey, "windows.sgy"));
  const moho_geometry *g = moho_traces_get_geometry(traces);
  moho_trace_store *store;
  moho_trace_store_options options = moho_trace_store_options_default();
  options.directory = test_path("windows"), options.cell_m = 150;
  assert_ok(moho_trace_store_open(&(moho_trace_source){.traces = traces}, &options, &store));
  assert_true(moho_trace_store_get_info(store)->n_cells > 300);
  assert_true(moho_trace_store_get_info(store)->cell_m == 150);
  char *wanted = malloc(g->n);
  assert_non_null(wanted);
  uint64_t random = 12;
  size_t some = 0, judged = 0;
  for (int round = 0; round < 80; round++) {
    moho_grid grid = random_grid(&random, round % 4 == 3);
    moho_trace_region region = {&grid, random_window(&grid, &random), 20 + 1200 * test_uniform(&random)};
    size_t unclear = 0, n = find_wanted(g, &region, wanted, 0.25, &unclear);
    if (!unclear) {
      store_assert_traces(store, traces, &region, wanted, 300);
      some += n > 0 && n < survey.n_traces / 2, judged++;
    }
    moho_grid_release(&grid);
  }
  assert_true(judged > 60 && some > 20);
  free(wanted);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
}

static void odd_regions(void **state) {
  (void)state;
  const store_survey survey = {STORE_SPREAD, 300, 5, 0, 21};
  moho_traces *traces = store_traces(store_survey_save(&survey, "odd.sgy"));
  moho_trace_store *store = store_open(traces, "odd", 0);
  moho_trace_cursor *cursor;
  moho_trace_batch batch;
  moho_grid grid = moho_grid_default();
  grid.n_inline = 10, grid.n_crossline = 10, grid.step_s = 0.004, grid.n_time = 1;
  moho_trace_region region = {&grid, {0, 0, 0, 0}, 1e9}; /* the whole grid, with a margin round the world */
  store_assert_traces(store, traces, &region, NULL, 1000);
  grid.origin_x_m = 1e7, region.margin_m = 10; /* nothing there */
  size_t n = 1;
  assert_ok(moho_trace_store_count(store, &region, &n));
  assert_int_equal(n, 0);
  assert_ok(moho_trace_cursor_create(store, &region, 10, &cursor));
  assert_ok(moho_trace_cursor_next(cursor, &batch));
  assert_int_equal(batch.n, 0);
  moho_trace_cursor_destroy(&cursor);
  region.margin_m = (double)NAN;
  assert_fails(moho_trace_cursor_create(store, &region, 10, &cursor), MOHO_ERROR_RANGE, "margin");
  region.margin_m = 1, region.window = (moho_window){5, 6, 0, 10};
  assert_fails(moho_trace_store_count(store, &region, &n), MOHO_ERROR_RANGE, "window");
  assert_fails(moho_trace_cursor_create(store, NULL, 0, &cursor), MOHO_ERROR_ARGUMENT, "batches of 0");
  moho_trace_cursor_destroy(&cursor);
  assert_ok(moho_trace_cursor_create(store, NULL, 7, &cursor)); /* left in the middle, with a batch on its way */
  assert_ok(moho_trace_cursor_next(cursor, &batch));
  moho_trace_cursor_destroy(&cursor);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
}

/* ---- sources ---- */

/* Selected traces, shifted; samples as the caller makes them. */
static moho_status read_doubled(void *user, size_t first, size_t n, float *out) {
  moho_traces *traces = user;
  moho_status status = moho_traces_read(traces, first, n, out);
  for (size_t i = 0; !status && i < n * moho_traces_get_info(traces)->n_samples; i++) out[i] *= 2;
  return status;
}

static void selections_and_changed_samples_have_stores_of_their_own(void **state) {
  (void)state;
  const store_survey survey = {STORE_SPREAD, 900, 11, 1, 31};
  char path[700], directory[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&survey, "select.sgy"));
  snprintf(directory, sizeof directory, "%s", test_path("select"));
  moho_selection select = moho_selection_default();
  moho_traces_options traces_options = moho_traces_options_default();
  select.by_offset = 1, select.offset_m[1] = 300;
  traces_options.select = &select;
  moho_traces *all = store_traces(path), *some;
  assert_ok(moho_traces_open(path, &traces_options, &some));
  assert_true(moho_traces_get_info(some)->n_traces < 800);
  moho_trace_store_options options = moho_trace_store_options_default();
  moho_trace_store_plan plan;
  moho_trace_store *store;
  options.directory = directory;
  moho_trace_source sources[] = {{.traces = all},
                                 {.traces = some},
                                 {.traces = all, .read = read_doubled, .user = all},
                                 {.traces = all, .words = "bad_samples=zero"}};
  for (size_t i = 0; i < 4; i++) {
    assert_ok(moho_trace_store_make_plan(&sources[i], &options, &plan));
    assert_int_equal(plan.exists, 0);
    assert_ok(moho_trace_store_open(&sources[i], &options, &store));
    const moho_trace_store_info *info = moho_trace_store_get_info(store);
    assert_int_equal(info->reused, 0);
    assert_string_equal(info->path, plan.path);
    assert_int_equal(info->n_traces, plan.n_traces);
    assert_true(info->disk_bytes <= plan.disk_bytes && plan.free_bytes > plan.disk_bytes);
    if (!sources[i].read) store_assert_traces(store, sources[i].traces, NULL, NULL, 100);
    moho_trace_store_close(&store);
    assert_ok(moho_trace_store_make_plan(&sources[i], &options, &plan));
    assert_int_equal(plan.exists, 1);
  }
  assert_int_equal(store_count_files(directory), 4);
  assert_ok(moho_trace_store_open(&sources[2], &options, &store));
  moho_trace_cursor *cursor;
  moho_trace_batch batch;
  assert_ok(moho_trace_cursor_create(store, NULL, 1, &cursor));
  assert_ok(moho_trace_cursor_next(cursor, &batch));
  assert_int_equal(batch.numbers[0], 0);
  assert_true(batch.samples[0] == 2 && batch.samples[1] == 2.5f);
  moho_trace_cursor_destroy(&cursor);
  moho_trace_store_close(&store);
  moho_traces_close(&all);
  moho_traces_close(&some);
}

/* What reading finds is known to a run that finds the store and reads nothing. */
static void flags_are_found_again(void **state) {
  (void)state;
  const store_survey survey = {STORE_SPREAD, 400, 11, 1, 41};
  char path[700];
  snprintf(path, sizeof path, "%s", store_survey_save(&survey, "flags.sgy"));
  moho_traces *first = store_traces(path), *second = store_traces(path);
  assert_null(segy_anomaly(second, "zero_traces"));
  moho_trace_store *store = store_open(first, "flags", 0);
  moho_trace_store_close(&store);
  store = store_open(second, "flags", 0);
  assert_int_equal(moho_trace_store_get_info(store)->reused, 1);
  const moho_anomaly *a = segy_anomaly(first, "zero_traces"), *b = segy_anomaly(second, "zero_traces");
  assert_true(a && b && a->count > 10);
  /* The first run read traces without position, too. */
  size_t unplaced = 0;
  const moho_geometry *g = moho_traces_get_geometry(first);
  for (size_t i = 0; i < g->n; i++) {
    int stored = !(g->flags[i] & (MOHO_TRACE_NOT_SEISMIC | MOHO_TRACE_NO_POSITION));
    if (stored) assert_int_equal(g->flags[i], moho_traces_get_geometry(second)->flags[i]);
    unplaced += !stored && (g->flags[i] & MOHO_TRACE_DEAD);
  }
  assert_int_equal(a->count, b->count + unplaced);
  moho_trace_store_close(&store);
  moho_traces_close(&first);
  moho_traces_close(&second);
}

/* Chunks of a Zarr file are read by several threads, and its traces may be anywhere. */
static void a_zarr_survey(void **state) {
  (void)state;
  enum { TRACES = 700, NS = 33 };
  moho_traces_writer *writer;
  moho_geometry g;
  uint64_t random = 51;
  char path[700];
  float *samples = malloc(TRACES * NS * sizeof *samples);
  snprintf(path, sizeof path, "%s", test_path("survey.zarr"));
  assert_non_null(samples);
  assert_ok(moho_geometry_create(TRACES, &g));
  for (size_t i = 0; i < TRACES; i++) {
    g.source_x[i] = -5000 * test_uniform(&random), g.source_y[i] = 1e7 + 3000 * test_uniform(&random);
    g.receiver_x[i] = g.source_x[i] + 0.1, g.receiver_y[i] = g.source_y[i] - 900 * test_uniform(&random);
    for (size_t j = 0; j < NS; j++) samples[i * NS + j] = (float)test_normal(&random);
  }
  assert_ok(moho_traces_writer_create(path, TRACES, NS, 0.002, "a test", &writer));
  assert_ok(moho_traces_writer_append(writer, &g, samples));
  assert_ok(moho_traces_writer_finish(&writer));
  moho_traces *traces = store_traces(path);
  moho_trace_store *store = store_open(traces, "zarr", 0);
  assert_int_equal(moho_trace_store_get_info(store)->n_traces, TRACES);
  store_assert_traces(store, traces, NULL, NULL, 77);
  moho_trace_store_close(&store);
  moho_traces_close(&traces);
  moho_geometry_release(&g);
  free(samples);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_survey_comes_out_as_it_went_in),
                                     cmocka_unit_test(windows_get_what_lies_within_their_margin),
                                     cmocka_unit_test(odd_regions),
                                     cmocka_unit_test(selections_and_changed_samples_have_stores_of_their_own),
                                     cmocka_unit_test(flags_are_found_again),
                                     cmocka_unit_test(a_zarr_survey)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
