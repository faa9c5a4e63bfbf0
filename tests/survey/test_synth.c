/* test_synth.c - synthetic surveys: layout, options, noise, slices of a survey. Times and amplitudes: test_synth_physics.c. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "moho/synth.h"
#include "test_support.h"

static moho_synth_options preset(const char *name) {
  moho_synth_options options;
  assert_ok(moho_synth_options_preset(name, &options));
  return options;
}

static void set(moho_synth_options *options, const char *key, const char *value) {
  assert_ok(moho_synth_options_set(options, key, value));
}

static float *generate(const moho_synth_options *options, size_t first, size_t n, moho_geometry *geometry) {
  float *samples = malloc(n * options->n_samples * sizeof *samples);
  assert_non_null(samples);
  assert_ok(moho_synth_generate(options, first, n, geometry, samples));
  return samples;
}

static void presets_are_those_of_the_bench(void **state) {
  (void)state;
  static const struct {
    const char *name;
    double extent, last;
    size_t samples, traces;
  } expected[] = {{"tiny", 500, 400, 501, 21 * 21 * 2 * 2},
                  {"small", 1000, 800, 1001, 41 * 41 * 4 * 2},
                  {"medium", 2000, 1600, 1501, 81 * 81 * 8 * 2},
                  {"large", 4000, 3200, 2001, 161 * 161 * 16 * 2}};
  for (size_t i = 0; i < 4; i++) {
    moho_synth_options o = preset(expected[i].name);
    assert_string_equal(o.preset, expected[i].name);
    assert_int_equal(moho_synth_trace_count(&o), expected[i].traces);
    assert_int_equal(o.n_samples, expected[i].samples);
    assert_true(o.extent_inline_m == expected[i].extent && o.extent_crossline_m == expected[i].extent);
    assert_true(o.midpoint_spacing_m == 25 && o.dt_s == 0.002 && o.v0_mps == 2500 && o.peak_hz == 25 && o.noise == 0.05);
    assert_true(o.offset_first_m == 200 && o.offset_step_m == 200 && o.offset_last_m == expected[i].last);
    assert_true(o.n_azimuths == 2 && o.azimuths_deg[0] == 0 && o.azimuths_deg[1] == 90);
    assert_int_equal(o.n_diffractors, 1);
    assert_true(o.diffractors[0].x_m == expected[i].extent / 2 && o.diffractors[0].y_m == expected[i].extent / 2);
    assert_true(o.diffractors[0].z_m == 800 && o.response == MOHO_RESPONSE_ELEMENT && o.wavelet == MOHO_WAVELET_RICKER);
    moho_grid grid;
    assert_ok(moho_synth_grid(&o, &grid));
    assert_true(grid.n_inline * grid.n_crossline * 2 * (size_t)(expected[i].last / 200) == expected[i].traces);
    assert_true(grid.n_time == o.n_samples && grid.step_s == 0.002 && grid.inline_spacing_m == 25);
    assert_ok(moho_grid_check(&grid));
  }
  moho_synth_options options;
  assert_fails(moho_synth_options_preset("smal", &options), MOHO_ERROR_NOT_FOUND, "no preset \"smal\"");
  assert_non_null(strstr(moho_last_error()->hint, "small"));
}

/* The order that the header promises, offsets and azimuths, and midpoints on the grid's nodes, in a turned survey. */
static void traces_are_where_they_should_be(void **state) {
  (void)state;
  moho_synth_options o = preset("tiny");
  set(&o, "azimuth_deg", "30");
  set(&o, "origin_x_m", "500000");
  set(&o, "origin_y_m", "5100000");
  set(&o, "extent_crossline_m", "300");
  set(&o, "first_sample_s", "0.1");
  moho_geometry geometry;
  moho_grid grid;
  size_t n = moho_synth_trace_count(&o), lattice = 21 * 13;
  assert_int_equal(n, lattice * 4);
  assert_ok(moho_synth_grid(&o, &grid));
  assert_ok(moho_geometry_create(n, &geometry));
  assert_ok(moho_synth_generate(&o, 0, n, &geometry, NULL));
  for (size_t k = 0; k < n; k++) {
    size_t plane = k / lattice, i = k % lattice / 13, j = k % 13;
    double x, y;
    moho_grid_node(&grid, i, j, &x, &y);
    assert_true(fabs(0.5 * (geometry.source_x[k] + geometry.receiver_x[k]) - x) < 1e-6);
    assert_true(fabs(0.5 * (geometry.source_y[k] + geometry.receiver_y[k]) - y) < 1e-6);
    assert_true(fabs(moho_geometry_offset(&geometry, k) - (plane % 2 ? 400 : 200)) < 1e-6);
    assert_true(fabs(moho_geometry_azimuth_deg(&geometry, k) - (plane < 2 ? 30 : 120)) < 1e-6);
    assert_int_equal(geometry.inline_number[k], i + 1);
    assert_int_equal(geometry.crossline_number[k], j + 1);
    assert_int_equal(geometry.cdp[k], k % lattice + 1);
    assert_true(geometry.first_sample_s[k] == 0.1 && moho_geometry_is_live(&geometry, k));
  }
  moho_geometry_release(&geometry);
}

static void any_slice_gives_the_same_bits(void **state) {
  (void)state;
  moho_synth_options o = preset("tiny");
  set(&o, "diffractors", "250:250:800:1,100:50:300:-0.5");
  set(&o, "reflectors", "0:0:500:10:30:0.2");
  set(&o, "gradient_per_s", "0.4");
  size_t n = moho_synth_trace_count(&o), sizes[] = {1, 7, 100, 1000};
  float *all = generate(&o, 0, n, NULL);
  for (size_t s = 0; s < 4; s++)
    for (size_t first = s == 0 ? n - 20 : 0; first < n; first += sizes[s]) {
      size_t count = n - first < sizes[s] ? n - first : sizes[s];
      if (s == 1 && first > 300) break;
      float *part = generate(&o, first, count, NULL);
      assert_memory_equal(part, all + first * o.n_samples, count * o.n_samples * sizeof *part);
      free(part);
    }
  free(all);
}

/* Mean, variance, fourth moment, neighbours, seeds; and that noise is added to the same traces. */
static void noise_is_normal_white_and_seeded(void **state) {
  (void)state;
  moho_synth_options o = preset("tiny"), quiet = o, other = o;
  quiet.noise = 0, other.seed = 2;
  size_t n = 400, count = n * o.n_samples;
  float *noisy = generate(&o, 0, n, NULL), *clean = generate(&quiet, 0, n, NULL), *reseeded = generate(&other, 0, n, NULL);
  double sum = 0, square = 0, fourth = 0, neighbours = 0, traces = 0, seeds = 0, largest = 0, widest = 0;
  for (size_t i = 0; i < count; i++) {
    double x = (double)noisy[i] - clean[i], y = (double)reseeded[i] - clean[i];
    sum += x, square += x * x, fourth += x * x * x * x, seeds += x * y;
    if (i) neighbours += x * ((double)noisy[i - 1] - clean[i - 1]);
    if (i >= o.n_samples) traces += x * ((double)noisy[i - o.n_samples] - clean[i - o.n_samples]);
    widest = fmax(widest, fabs(x));
  }
  float *whole = generate(&quiet, 0, moho_synth_trace_count(&quiet), NULL);
  for (size_t i = 0; i < moho_synth_trace_count(&quiet) * o.n_samples; i++) largest = fmax(largest, fabs((double)whole[i]));
  double rms = sqrt(square / (double)count), root = sqrt((double)count);
  assert_true(fabs(rms / (0.05 * largest) - 1) < 0.01); /* the peak between samples is a little higher than the largest sample */
  assert_true(fabs(sum / (double)count) < 5 * rms / root);
  assert_true(fabs(fourth / (double)count / pow(rms, 4) - 3) < 5 * sqrt(96.0) / root + 0.01);
  assert_true(fabs(neighbours / square) < 5 / root && fabs(traces / square) < 5 / root && fabs(seeds / square) < 5 / root);
  assert_true(widest > 4 * rms && widest < 6 * rms);
  free(noisy), free(clean), free(reseeded), free(whole);
}

static void every_key_can_be_set(void **state) {
  (void)state;
  moho_synth_options o = preset(NULL);
  static const char *const values[][2] = {{"origin_x_m", "10"},
                                          {"origin_y_m", "-20.5"},
                                          {"azimuth_deg", "45"},
                                          {"extent_inline_m", "100"},
                                          {"extent_crossline_m", "50"},
                                          {"midpoint_spacing_m", "12.5"},
                                          {"offset_first_m", "0"},
                                          {"offset_last_m", "300"},
                                          {"offset_step_m", "100"},
                                          {"azimuths_deg", "0,45,90"},
                                          {"dt_s", "0.004"},
                                          {"first_sample_s", "0.1"},
                                          {"n_samples", "300"},
                                          {"v0_mps", "1800"},
                                          {"gradient_per_s", "0.6"},
                                          {"eta", "0.15"},
                                          {"wavelet", "ormsby"},
                                          {"peak_hz", "30"},
                                          {"ormsby_hz", "4,8,40,60"},
                                          {"response", "diffractor"},
                                          {"two_d", "auto"},
                                          {"spreading", "1"},
                                          {"noise", "0.1"},
                                          {"seed", "7"},
                                          {"diffractors", "1:2:3,4:5:6:0.5"},
                                          {"reflectors", "1:2:300:10:20:0.3,0:0:500"}};
  size_t n = sizeof values / sizeof *values;
  for (size_t i = 0; i < n; i++) {
    set(&o, values[i][0], values[i][1]);
    int is_helped = 0;
    for (size_t h = 0; moho_synth_option_help(h); h++)
      is_helped |= !strncmp(moho_synth_option_help(h), values[i][0], strlen(values[i][0]));
    assert_true(is_helped);
  }
  assert_null(moho_synth_option_help(n)); /* no key is left out above */
  assert_true(o.origin_x_m == 10 && o.origin_y_m == -20.5 && o.azimuth_deg == 45 && o.extent_inline_m == 100);
  assert_true(o.eta == 0.15 && o.extent_crossline_m == 50 && o.midpoint_spacing_m == 12.5 && o.offset_first_m == 0 &&
              o.offset_last_m == 300);
  assert_true(o.offset_step_m == 100 && o.n_azimuths == 3 && o.azimuths_deg[1] == 45 && o.dt_s == 0.004 &&
              o.first_sample_s == 0.1);
  assert_true(o.n_samples == 300 && o.v0_mps == 1800 && o.gradient_per_s == 0.6 && o.wavelet == MOHO_WAVELET_ORMSBY &&
              o.peak_hz == 30);
  assert_true(o.ormsby_hz[0] == 4 && o.ormsby_hz[3] == 60 && o.response == MOHO_RESPONSE_DIFFRACTOR && o.two_d == -1 &&
              o.spreading == 1);
  assert_true(o.noise == 0.1 && o.seed == 7 && o.n_diffractors == 2 && o.diffractors[0].amplitude == 1 &&
              o.diffractors[1].z_m == 6);
  assert_true(o.diffractors[1].amplitude == 0.5 && o.n_reflectors == 2 && o.reflectors[0].azimuth_deg == 20);
  assert_true(o.reflectors[0].reflectivity == 0.3 && o.reflectors[1].reflectivity == 1 && o.reflectors[1].depth_m == 500);
  set(&o, "diffractors", "none");
  assert_int_equal(o.n_diffractors, 0);
  set(&o, "eta", "0"); /* goes with neither gradient nor dip */
  assert_int_equal(moho_synth_trace_count(&o), 9 * 5 * 4 * 3);
}

static void wrong_values_are_refused_with_the_reason(void **state) {
  (void)state;
  moho_synth_options o = preset("tiny"), before = o;
  static const struct {
    const char *key, *value;
    int code;
    const char *words;
  } wrong[] = {{"offset_lst_m", "3", MOHO_ERROR_KEY, "offset_lst_m"},
               {"dt_s", "2 ms", MOHO_ERROR_FORMAT, "dt_s: got \"2 ms\""},
               {"n_samples", "1.5", MOHO_ERROR_FORMAT, "whole number"},
               {"n_samples", "-1", MOHO_ERROR_RANGE, "n_samples"},
               {"wavelet", "gabor", MOHO_ERROR_ARGUMENT, "ricker or ormsby"},
               {"two_d", "2", MOHO_ERROR_ARGUMENT, "0, 1 or auto"},
               {"azimuths_deg", "0,1,2,3,4,5,6,7,8", MOHO_ERROR_RANGE, "more than 8"},
               {"ormsby_hz", "1,2,3", MOHO_ERROR_FORMAT, "expected four"},
               {"diffractors", "1:2", MOHO_ERROR_FORMAT, "holds 2 numbers"},
               {"diffractors", "1:2:3:4:5", MOHO_ERROR_RANGE, "more than 4"},
               {"reflectors", "0:0:nan", MOHO_ERROR_FORMAT, "nan"},
               {"spreading", "yes", MOHO_ERROR_ARGUMENT, "0 or 1"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_fails(moho_synth_options_set(&o, wrong[i].key, wrong[i].value), wrong[i].code, wrong[i].words);
    assert_string_equal(moho_last_error()->key, wrong[i].key);
    assert_memory_equal(&o, &before, sizeof o);
  }
  assert_fails(moho_synth_options_set(&o, "offset_lst_m", "3"), MOHO_ERROR_KEY, "offset_lst_m");
  assert_non_null(strstr(moho_last_error()->hint, "offset_last_m"));
}

static void impossible_surveys_are_refused_with_the_reason(void **state) {
  (void)state;
  static const struct {
    const char *key, *value, *words;
  } wrong[] = {{"dt_s", "0", "dt_s is 0"},
               {"dt_s", "-0.002", "dt_s is -0.002"},
               {"offset_first_m", "-1", "offset_first_m is -1"},
               {"offset_last_m", "100", "offset_last_m is 100, expected 200"},
               {"offset_last_m", "450", "not a whole number of steps"},
               {"extent_inline_m", "510", "not a whole number of steps of 25 m"},
               {"midpoint_spacing_m", "0", "midpoint_spacing_m is 0"},
               {"n_samples", "0", "n_samples is 0"},
               {"v0_mps", "-1", "v0_mps is -1"},
               {"noise", "-1", "noise is -1"},
               {"peak_hz", "250", "Nyquist frequency 250 Hz"},
               {"diffractors", "0:0:-5", "diffractors: depth is -5"},
               {"reflectors", "0:0:-5", "reflectors: depth is -5"},
               {"reflectors", "0:0:500:95", "reflectors: dip is 95"},
               {"gradient_per_s", "-4", "velocity is"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    moho_synth_options o = preset("tiny");
    set(&o, wrong[i].key, wrong[i].value);
    float sample;
    assert_fails(moho_synth_generate(&o, 0, 1, NULL, &sample), MOHO_ERROR_RANGE, wrong[i].words);
    assert_true(moho_last_error()->key[0]);
    assert_int_equal(moho_synth_trace_count(&o), 0);
  }
  moho_synth_options o = preset("tiny");
  o.n_azimuths = 9;
  assert_fails(moho_synth_generate(&o, 0, 0, NULL, NULL), MOHO_ERROR_RANGE, "9 azimuths");
  o = preset("tiny"), o.origin_x_m = NAN;
  assert_fails(moho_synth_generate(&o, 0, 0, NULL, NULL), MOHO_ERROR_RANGE, "origin_x_m is nan");
  o = preset("tiny"), o.wavelet = MOHO_WAVELET_ORMSBY, o.ormsby_hz[1] = 5;
  assert_fails(moho_synth_generate(&o, 0, 0, NULL, NULL), MOHO_ERROR_RANGE, "four growing frequencies");
  o = preset("tiny"), o.n_diffractors = 65;
  assert_fails(moho_synth_generate(&o, 0, 0, NULL, NULL), MOHO_ERROR_RANGE, "65 diffractors");
  o = preset("tiny");
  float samples[501];
  assert_fails(moho_synth_generate(&o, 1764, 1, NULL, samples), MOHO_ERROR_RANGE, "the survey has 1764");
  moho_geometry none = {0};
  assert_fails(moho_synth_generate(&o, 0, 1, &none, samples), MOHO_ERROR_SHAPE, "room for 0 traces");
}

/* ---- files ---- */

typedef struct watch {
  size_t calls, stop_at;
  double last, total;
} watch;

static int on_progress(void *user, const moho_progress *progress) {
  watch *w = user;
  assert_true(progress->done >= w->last);
  w->last = progress->done, w->total = progress->total;
  return ++w->calls == w->stop_at;
}

/* What is read back is what was generated: samples to the bit, coordinates to the header's centimetre. */
static void check_file(const char *name) {
  moho_synth_options o = preset("tiny");
  set(&o, "azimuth_deg", "30");
  set(&o, "first_sample_s", "0.1");
  size_t n = moho_synth_trace_count(&o);
  moho_geometry expected;
  assert_ok(moho_geometry_create(n, &expected));
  float *samples = generate(&o, 0, n, &expected), *read = malloc(n * o.n_samples * sizeof *read);
  watch progress = {0};
  assert_ok(moho_synth_write(&o, test_path(name), on_progress, &progress));
  assert_true(progress.calls >= 2 && progress.last == (double)n && progress.total == (double)n);
  moho_traces *traces;
  moho_traces_options options = moho_traces_options_default();
  assert_ok(moho_traces_open(test_path(name), &options, &traces));
  const moho_traces_info *info = moho_traces_get_info(traces);
  const moho_geometry *got = moho_traces_get_geometry(traces);
  assert_true(info->n_traces == n && info->n_samples == o.n_samples && fabs(info->dt_s - o.dt_s) < 1e-9);
  assert_ok(moho_traces_read(traces, 0, n, read));
  assert_memory_equal(read, samples, n * o.n_samples * sizeof *read);
  for (size_t k = 0; k < n; k++) {
    assert_true(fabs(got->source_x[k] - expected.source_x[k]) < 0.0051 && fabs(got->source_y[k] - expected.source_y[k]) < 0.0051);
    assert_true(fabs(got->receiver_x[k] - expected.receiver_x[k]) < 0.0051 &&
                fabs(got->receiver_y[k] - expected.receiver_y[k]) < 0.0051);
    assert_true(fabs(got->first_sample_s[k] - 0.1) < 1e-9 && got->cdp[k] == expected.cdp[k]);
    if (strstr(name, ".su")) continue; /* its headers know no lines */
    assert_true(got->inline_number[k] == expected.inline_number[k] && got->crossline_number[k] == expected.crossline_number[k]);
  }
  if (strstr(name, ".sgy")) assert_non_null(strstr(info->text_header, "Synthetic survey tiny"));
  moho_traces_close(&traces);
  free(samples), free(read);
  moho_geometry_release(&expected);
}

static void files_hold_what_was_generated(void **state) {
  (void)state;
  check_file("survey.sgy");
  check_file("survey.su");
  check_file("survey.zarr");
}

static void an_interrupted_or_failed_write_leaves_nothing(void **state) {
  (void)state;
  moho_synth_options o = preset("small");
  for (int i = 0; i < 2; i++) {
    const char *path = test_path(i ? "stopped.zarr" : "stopped.sgy");
    watch progress = {.stop_at = 2};
    assert_fails(moho_synth_write(&o, path, on_progress, &progress), MOHO_ERROR_INTERRUPTED, "interrupted after");
    assert_int_not_equal(access(path, F_OK), 0);
    moho_file_writer_set_fault(ENOSPC, 100000);
    assert_fails(moho_synth_write(&o, path, NULL, NULL), MOHO_ERROR_IO, "No space left");
    moho_file_writer_set_fault(0, -1);
    assert_int_not_equal(access(path, F_OK), 0);
  }
  DIR *directory = opendir(test_directory());
  assert_non_null(directory);
  for (struct dirent *entry; (entry = readdir(directory));) assert_null(strstr(entry->d_name, "stopped"));
  closedir(directory);
  assert_fails(moho_synth_write(&o, test_path("survey.txt"), NULL, NULL), MOHO_ERROR_ARGUMENT, "survey.txt");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(presets_are_those_of_the_bench),
      cmocka_unit_test(traces_are_where_they_should_be),
      cmocka_unit_test(any_slice_gives_the_same_bits),
      cmocka_unit_test(noise_is_normal_white_and_seeded),
      cmocka_unit_test(every_key_can_be_set),
      cmocka_unit_test(wrong_values_are_refused_with_the_reason),
      cmocka_unit_test(impossible_surveys_are_refused_with_the_reason),
      cmocka_unit_test(files_hold_what_was_generated),
      cmocka_unit_test(an_interrupted_or_failed_write_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
