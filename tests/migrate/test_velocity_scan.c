/* test_velocity_scan.c - a scan of gathers whose events were put where a known velocity has them. */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "migrate/scan_picks.h"
#include "moho/image.h"
#include "moho/velocity_scan.h"

enum { NI = 3, NX = 12, NT = 401, NO = 15 };
static const double dt = 0.004, events_s[] = {0.4, 0.7, 1.0, 1.35};

/* The true velocity over the one that was migrated with: a slope along the crosslines, another in time. */
static double true_factor(size_t j, double t) {
  return 1.02 + 0.004 * (double)j + 0.02 * t;
}

static double migrated_mps(double t) {
  return 2000 + 400 * t;
}

static moho_grid grid(void) {
  moho_grid g = moho_grid_default();
  g.n_inline = NI, g.n_crossline = NX, g.n_time = NT, g.step_s = dt;
  g.inline_spacing_m = g.crossline_spacing_m = 50;
  g.origin_x_m = 400000, g.origin_y_m = 5000000, g.inline_azimuth_deg = 40, g.inline_first = 11, g.crossline_first = 101;
  return g;
}

/* Where the event of T0 lies at offset x: t0^2 + x^2/v(t0)^2 = T0^2 + x^2/(f v(T0))^2, by bisection. */
static double event_at(size_t j, double time_s, double offset) {
  double v = true_factor(j, time_s) * migrated_mps(time_s), data2 = time_s * time_s + offset * offset / (v * v);
  double low = 0, high = 3;
  for (int k = 0; k < 60; k++) {
    double t = (low + high) / 2, w = migrated_mps(t);
    if (t * t + offset * offset / (w * w) < data2) low = t;
    else high = t;
  }
  return low;
}

static float ricker(double t) {
  double a = 3.14159265358979 * 25 * t;
  return (float)((1 - 2 * a * a) * exp(-a * a));
}

/* Offsets of 100, 200 ... m; trace [bin 3] of one column is empty. */
static const char *write_image(const char *name, double noise) {
  moho_image image;
  moho_gather_bins bins;
  double edges[NO + 1];
  moho_grid g = grid();
  uint64_t seed = 5;
  for (int e = 0; e <= NO; e++) edges[e] = 50 + 100 * e;
  assert_ok(moho_image_create(&g, &image));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, NO + 1, NULL, 0, &bins));
  assert_ok(moho_image_add_gathers(&image, &bins));
  for (size_t p = 0; p < NI * NX * NO; p++) {
    size_t j = p / NO % NX, o = p % NO;
    float *trace = image.gathers + p * NT;
    for (size_t k = 0; k < NT; k++) image.gathers_fold[p * NT + k] = !(p / NO == 5 && o == 3);
    for (size_t k = 0; k < NT; k++) trace[k] = (float)(noise * test_normal(&seed));
    for (size_t e = 0; e < 4; e++) {
      double at = event_at(j, events_s[e], 100 * (double)(o + 1));
      for (size_t k = 0; k < NT; k++) trace[k] += (e % 2 ? -1.0f : 0.6f) * ricker((double)k * dt - at);
    }
  }
  assert_ok(moho_image_write_zarr(&image, test_path(name)));
  moho_image_release(&image);
  moho_gather_bins_release(&bins);
  return test_path(name);
}

static moho_velocity *migrated_with(void) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_linear_t0(2000, 400, &velocity));
  return velocity;
}

static double worst_at_events(const moho_velocity_scan_result *r) {
  double worst = 0;
  for (size_t p = 0; p < r->n_inline * r->n_crossline; p++)
    for (size_t e = 0; e < 4; e++) {
      size_t k = (size_t)lrint((events_s[e] - r->first_s) / r->step_s);
      double want = true_factor(r->crossline_node[p % r->n_crossline], events_s[e]);
      worst = fmax(worst, fabs((double)r->factor[p * r->n_time + k] / want - 1));
    }
  return worst;
}

static void known_velocity_is_found(void **state) {
  (void)state;
  const double noises[] = {0, 0.1};
  moho_velocity *velocity = migrated_with();
  for (int n = 0; n < 2; n++) {
    moho_velocity_scan_options o = moho_velocity_scan_options_default();
    moho_velocity_scan_result r;
    const char *path = write_image("image.zarr", noises[n]);
    o.every_crossline = 2, o.smooth_lateral_m = 50;
    assert_ok(moho_velocity_scan(path, velocity, &o, NULL, NULL, &r));
    assert_true(r.n_inline == 3 && r.n_crossline == 6);
    double worst = worst_at_events(&r);
    if (!(worst < (n ? 0.006 : 0.004))) fail_msg("noise %g: factor off by %g", noises[n], worst);
    /* The result is the velocity times the factor, at the nodes, from 0 to the end. */
    const moho_velocity_functions *f = &r.updated;
    assert_true(f->n == 18 && f->kind == MOHO_VELOCITY_RMS && f->on_grid);
    assert_true(f->inline_number[17] == 13 && f->crossline_number[17] == 101 + (double)r.crossline_node[5]);
    assert_true(f->time_s[0] == 0 && f->time_s[f->start[1] - 1] == (NT - 1) * dt);
    double x, y;
    moho_grid g = grid();
    moho_grid_node(&g, 2, r.crossline_node[5], &x, &y);
    assert_true(fabs(f->x_m[17] - x) < 1e-6 && fabs(f->y_m[17] - y) < 1e-6);
    for (size_t k = 0; k < r.n_time; k++)
      assert_true(fabs(f->v_mps[f->start[7] + k] - (double)r.factor[7 * r.n_time + k] * migrated_mps(f->time_s[k])) < 1e-3);
    assert_non_null(strstr(r.report, "\"at_limit\": 0"));
    moho_velocity_scan_release(&r);
  }
  moho_velocity_destroy(&velocity);
}

/* Whatever the number of threads, tiles or neighbours: a smaller survey part of a scan is the same scan. */
static void result_does_not_depend_on_what_is_beside(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_options o = moho_velocity_scan_options_default();
  moho_velocity_scan_result a, b;
  const char *path = write_image("image.zarr", 0.05);
  o.every_crossline = 1, o.every_inline = 1, o.radius_inline = 0, o.radius_crossline = 0;
  assert_ok(moho_velocity_scan(path, velocity, &o, NULL, NULL, &a));
  o.every_crossline = 11;
  assert_ok(moho_velocity_scan(path, velocity, &o, NULL, NULL, &b));
  assert_true(b.n_crossline == 2 && b.crossline_node[1] == 11);
  for (size_t i = 0; i < NI; i++)
    assert_memory_equal(b.picked + (i * 2 + 1) * b.n_time, a.picked + (i * NX + 11) * a.n_time, a.n_time * sizeof(float));
  moho_velocity_scan_release(&a);
  moho_velocity_scan_release(&b);
  moho_velocity_destroy(&velocity);
}

/* A crooked line: the functions are at its nodes, numbered as CDPs. */
static void crooked_line_keeps_its_places(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_options o = moho_velocity_scan_options_default();
  moho_velocity_scan_result r;
  moho_image image;
  moho_gather_bins bins;
  double edges[NO + 1], bend[2][NX];
  moho_grid g = grid();
  for (int e = 0; e <= NO; e++) edges[e] = 50 + 100 * e;
  for (size_t j = 0; j < NX; j++) bend[0][j] = 1000 + 40 * (double)j, bend[1][j] = 30 * (double)(j < 6 ? j : 12 - j);
  g.n_inline = 1, g.line_x_m = bend[0], g.line_y_m = bend[1];
  assert_ok(moho_image_create(&g, &image));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, NO + 1, NULL, 0, &bins));
  assert_ok(moho_image_add_gathers(&image, &bins));
  for (size_t p = 0; p < NX * NO; p++)
    for (size_t k = 0; k < NT; k++) {
      image.gathers_fold[p * NT + k] = 1;
      image.gathers[p * NT + k] = ricker((double)k * dt - event_at(p / NO, 0.7, 100 * (double)(p % NO + 1)));
    }
  assert_ok(moho_image_write_zarr(&image, test_path("crooked.zarr")));
  o.every_crossline = 4;
  assert_ok(moho_velocity_scan(test_path("crooked.zarr"), velocity, &o, NULL, NULL, &r));
  assert_int_equal(r.updated.n, 3);
  for (size_t p = 0; p < 3; p++) {
    size_t j = 1 + 4 * p;
    assert_true(r.updated.x_m[p] == bend[0][j] && r.updated.y_m[p] == bend[1][j] && r.updated.cdp[p] == 101 + (double)j);
    size_t k = (size_t)lrint(0.7 / r.step_s);
    assert_true(fabs((double)r.picked[p * r.n_time + k] / true_factor(j, 0.7) - 1) < 0.002);
  }
  assert_ok(moho_velocity_functions_write(&r.updated, test_path("crooked.par"), NULL)); /* SU's lists: by CDP */
  moho_velocity_options by_line = moho_velocity_options_default();
  moho_velocity_functions again;
  double at_knots, between;
  by_line.grid = &g;
  assert_ok(moho_velocity_functions_read(test_path("crooked.par"), &by_line, &again));
  assert_ok(moho_velocity_functions_compare(&r.updated, &again, &at_knots, &between));
  assert_true(at_knots < 1e-3 && fabs(again.x_m[1] - bend[0][5]) < 1e-6 && fabs(again.y_m[1] - bend[1][5]) < 1e-6);
  moho_velocity_functions_release(&again);
  moho_velocity_scan_release(&r);
  moho_image_release(&image);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
}

/* ---- limits ---- */

static void picks_at_the_range_do_not_count(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_options o = moho_velocity_scan_options_default();
  moho_velocity_scan_result r;
  const char *path = write_image("image.zarr", 0);
  o.factor_min = 0.85, o.factor_max = 1.0; /* all true factors lie above */
  moho_status status = moho_velocity_scan(path, velocity, &o, NULL, NULL, &r);
  if (!status) assert_non_null(strstr(r.report, "widen it"));
  else assert_int_equal(status, MOHO_ERROR_NOT_FOUND);
  moho_velocity_scan_release(&r);
  /* Interval velocities within limits that the true ones leave. */
  o = moho_velocity_scan_options_default();
  o.interval_max_mps = 2700;
  assert_ok(moho_velocity_scan(path, velocity, &o, NULL, NULL, &r));
  moho_velocity_functions layers;
  moho_velocity_options wide = moho_velocity_options_default();
  assert_ok(moho_velocity_functions_convert(&r.updated, MOHO_VELOCITY_INTERVAL, &wide, &layers));
  for (size_t k = 0; k < layers.start[layers.n]; k++) assert_true(layers.v_mps[k] < 2700.001);
  assert_non_null(strstr(r.report, "kept within"));
  moho_velocity_functions_release(&layers);
  moho_velocity_scan_release(&r);
  moho_velocity_destroy(&velocity);
}

/* Nothing but noise, or nothing at all: no velocity comes out of it. */
static void silence_gives_no_velocity(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_result r;
  moho_image image;
  moho_gather_bins bins;
  const double edges[] = {0, 100, 200, 300, 400};
  moho_grid g = grid();
  assert_ok(moho_image_create(&g, &image));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 5, NULL, 0, &bins));
  assert_ok(moho_image_add_gathers(&image, &bins));
  assert_ok(moho_image_write_zarr(&image, test_path("silent.zarr")));
  assert_fails(moho_velocity_scan(test_path("silent.zarr"), velocity, NULL, NULL, NULL, &r), MOHO_ERROR_NOT_FOUND,
               "no pick is reliable");
  moho_image_release(&image);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
}

/* A panel with one maximum, and one time where a false one is far away: the path does not jump. */
static void path_is_limited_in_slope(void **state) {
  (void)state;
  enum { F = 31, T = 40 };
  float panel[F * T], power[F * T], picked[T], semblance[T], weight[T];
  size_t at_limit;
  moho_semblance_axes a = {.n_factors = F, .n_times = T, .factor_first = 0.85, .factor_step = 0.01, .every = 5, .half_window = 5};
  moho_scan_pick_limits limits = {.slope = 0.3 * 0.004, .least = 0.3, .wide = 10};
  for (int f = 0; f < F; f++)
    for (int k = 0; k < T; k++) {
      double centre = k == 20 ? 27 : 10.3, d = f - centre;
      panel[f * T + k] = (float)exp(-d * d / 8), power[f * T + k] = 1;
    }
  assert_ok(moho_scan_pick(&a, panel, power, &limits, picked, semblance, weight, &at_limit));
  for (int k = 0; k < T; k++)
    if (k != 20) assert_true(fabs((double)picked[k] - 0.953) < 5e-4 && weight[k] > 0);
  assert_true(picked[20] < 1.0f && weight[20] == 0);
  assert_int_equal(at_limit, 0);
}

/* Far from all picks the nearest decide; among them their weights do. */
static void smoothing_reaches_everywhere(void **state) {
  (void)state;
  const size_t shape[3] = {2, 40, 30};
  const double sigma[3] = {1, 1, 2};
  size_t n = 2 * 40 * 30;
  float *picked = calloc(n, sizeof *picked), *weight = calloc(n, sizeof *weight), *smooth = calloc(n, sizeof *smooth);
  assert_fails(moho_scan_smooth(shape, sigma, picked, weight, smooth), MOHO_ERROR_NOT_FOUND, "no pick is reliable");
  picked[0 * 30 + 5] = 1.1f, weight[0 * 30 + 5] = 1;
  picked[39 * 30 + 5] = 0.9f, weight[39 * 30 + 5] = 1;
  assert_ok(moho_scan_smooth(shape, sigma, picked, weight, smooth));
  for (size_t t = 0; t < 30; t++) {
    assert_true(fabs((double)smooth[t] - 1.1) < 1e-3 && fabs((double)smooth[39 * 30 + t] - 0.9) < 1e-3);
    assert_true(smooth[(40 + 3) * 30 + t] > 1.05f && smooth[36 * 30 + t] < 0.95f);
  }
  free(picked), free(weight), free(smooth);
}

/* A column whose events are elsewhere than all its neighbours': without outliers being dropped it pulls them along. */
static void outliers_lose_their_weight(void **state) {
  (void)state;
  enum { LOCATIONS = 25, TIMES = 8 };
  const size_t shape[3] = {1, LOCATIONS, TIMES};
  const double sigma[3] = {1, 1.5, 1};
  float picked[LOCATIONS * TIMES], weight[LOCATIONS * TIMES], smooth[LOCATIONS * TIMES];
  uint64_t seed = 3;
  size_t lost, dropped = 0;
  for (size_t k = 0; k < LOCATIONS * TIMES; k++) {
    int wrong = k / TIMES == 12;
    picked[k] = (float)(1.05 + 0.002 * test_normal(&seed) - (wrong ? 0.1 : 0)), weight[k] = 1;
  }
  assert_ok(moho_scan_smooth(shape, sigma, picked, weight, smooth));
  assert_true(fabs((double)smooth[12 * TIMES + 4] - 1.05) > 0.02);
  for (int pass = 0; pass < 2; pass++) {
    assert_ok(moho_scan_drop_outliers(LOCATIONS * TIMES, 4, picked, smooth, weight, &lost));
    assert_ok(moho_scan_smooth(shape, sigma, picked, weight, smooth));
    dropped += lost;
  }
  for (size_t k = 0; k < LOCATIONS * TIMES; k++) assert_true(fabs((double)smooth[k] - 1.05) < 0.006);
  assert_true(dropped >= TIMES && dropped < 60 && weight[12 * TIMES + 3] == 0);
}

/* ---- options, files, pictures ---- */

static void options_are_checked_by_name(void **state) {
  (void)state;
  moho_velocity_scan_options o = moho_velocity_scan_options_default();
  assert_ok(moho_velocity_scan_options_set(&o, "window_s", "0.1"));
  assert_true(o.window_s == 0.1);
  assert_ok(moho_velocity_scan_options_set(&o, "every_inline", "3"));
  assert_true(o.every_inline == 3);
  assert_fails(moho_velocity_scan_options_set(&o, "windows", "1"), MOHO_ERROR_KEY, "did you mean window_s");
  assert_fails(moho_velocity_scan_options_set(&o, "every_inline", "2.5"), MOHO_ERROR_ARGUMENT, "whole number");
  assert_fails(moho_velocity_scan_options_set(&o, "stretch", "50 %"), MOHO_ERROR_FORMAT, "stretch");
  assert_fails(moho_velocity_scan_options_set(&o, "factor_max", "20"), MOHO_ERROR_ARGUMENT, "expected 1 to 2");
  size_t n = 0;
  while (moho_velocity_scan_option_help(n)) n++;
  assert_int_equal(n, 22);
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_result r;
  const char *path = write_image("image.zarr", 0);
  o = moho_velocity_scan_options_default();
  o.factor_step = 0.1;
  assert_fails(moho_velocity_scan(path, velocity, &o, NULL, NULL, &r), MOHO_ERROR_ARGUMENT, "5 to 10000");
  o = moho_velocity_scan_options_default();
  o.offset_max_m = 250;
  assert_fails(moho_velocity_scan(path, velocity, &o, NULL, NULL, &r), MOHO_ERROR_ARGUMENT, "2 of 15 offset bins");
  o = moho_velocity_scan_options_default();
  o.time_first_s = 5;
  assert_fails(moho_velocity_scan(path, velocity, &o, NULL, NULL, &r), MOHO_ERROR_ARGUMENT, "the gathers reach from 0 to 1.6");
  moho_velocity_destroy(&velocity);
}

static int stop_at_once(void *user, const moho_progress *progress) {
  (void)progress;
  *(int *)user += 1;
  return 1;
}

static void files_without_gathers_are_refused(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_result r;
  moho_image image;
  moho_grid g = grid();
  int calls = 0;
  assert_ok(moho_image_create(&g, &image));
  assert_ok(moho_image_write_zarr(&image, test_path("stack.zarr")));
  moho_image_release(&image);
  assert_fails(moho_velocity_scan(test_path("stack.zarr"), velocity, NULL, NULL, NULL, &r), MOHO_ERROR_FORMAT, "has no gathers");
  assert_fails(moho_velocity_scan(test_path("none.zarr"), velocity, NULL, NULL, NULL, &r), MOHO_ERROR_NOT_FOUND, "none.zarr");
  assert_fails(moho_velocity_scan(write_image("image.zarr", 0), velocity, NULL, stop_at_once, &calls, &r), MOHO_ERROR_INTERRUPTED,
               "");
  assert_int_equal(calls, 1);
  moho_velocity_destroy(&velocity);
}

static void pictures_are_drawn(void **state) {
  (void)state;
  moho_velocity *velocity = migrated_with();
  moho_velocity_scan_result r;
  char prefix[600], file[700], *bytes;
  const char *path = write_image("image.zarr", 0.05);
  assert_ok(moho_velocity_scan(path, velocity, NULL, NULL, NULL, &r));
  snprintf(prefix, sizeof prefix, "%s/pictures/at", test_directory());
  assert_ok(moho_velocity_scan_draw(path, velocity, NULL, &r, 1, 3, prefix));
  const char *const ends[] = {"semblance", "before", "after"};
  for (int i = 0; i < 3; i++) {
    size_t n;
    snprintf(file, sizeof file, "%s_%s.png", prefix, ends[i]);
    assert_ok(moho_file_read_all(file, 1 << 24, &bytes, &n));
    assert_true(n > 10000 && memcmp(bytes, "\x89PNG", 4) == 0);
    free(bytes);
  }
  assert_fails(moho_velocity_scan_draw(path, velocity, NULL, &r, 3, 0, prefix), MOHO_ERROR_ARGUMENT, "location 3, 0 of 3 x 4");
  moho_velocity_scan_release(&r);
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(known_velocity_is_found),
                                     cmocka_unit_test(result_does_not_depend_on_what_is_beside),
                                     cmocka_unit_test(picks_at_the_range_do_not_count),
                                     cmocka_unit_test(silence_gives_no_velocity),
                                     cmocka_unit_test(crooked_line_keeps_its_places),
                                     cmocka_unit_test(path_is_limited_in_slope),
                                     cmocka_unit_test(smoothing_reaches_everywhere),
                                     cmocka_unit_test(outliers_lose_their_weight),
                                     cmocka_unit_test(options_are_checked_by_name),
                                     cmocka_unit_test(files_without_gathers_are_refused),
                                     cmocka_unit_test(pictures_are_drawn)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
