/* test_gathers.c - what must hold, 9: bins sum to the stack, their folds to its fold; and each bin is the image of its traces. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "physics_support.h"

enum { NS = 251, TRACES = 120 };
static const double DT = 0.002;

/* Offsets 0 to 900 m in all directions; one trace dead, one all zero. */
static survey random_survey(void) {
  survey s = survey_create(TRACES, NS, DT);
  uint64_t seed = 11;
  for (size_t k = 0; k < s.n; k++)
    survey_place(&s, k, 500 * test_uniform(&seed), 400 * test_uniform(&seed), 900 * test_uniform(&seed),
                 360 * test_uniform(&seed));
  survey_fill_with_events(&s, 60, 12);
  s.geometry.flags[17] = MOHO_TRACE_DEAD;
  memset(s.samples + 30 * NS, 0, NS * sizeof(float));
  return s;
}

/* The traces of one bin alone. `bin_of` [traces]. */
static survey traces_of_bin(const survey *all, const long *bin_of, long bin) {
  size_t n = 0;
  for (size_t k = 0; k < all->n; k++) n += bin_of[k] == bin;
  survey s = survey_create(n ? n : 1, all->n_samples, all->dt_s);
  s.geometry.flags[0] = MOHO_TRACE_DEAD; /* of an empty bin: a trace that counts nowhere */
  n = 0;
  for (size_t k = 0; k < all->n; k++) {
    if (bin_of[k] != bin) continue;
    s.geometry.source_x[n] = all->geometry.source_x[k], s.geometry.source_y[n] = all->geometry.source_y[k];
    s.geometry.receiver_x[n] = all->geometry.receiver_x[k], s.geometry.receiver_y[n] = all->geometry.receiver_y[k];
    s.geometry.flags[n] = all->geometry.flags[k];
    memcpy(s.samples + n * all->n_samples, all->samples + k * all->n_samples, all->n_samples * sizeof(float));
    n++;
  }
  return s;
}

static const float *bin_of_column(const moho_image *image, size_t c, size_t bin) {
  return image->gathers + (c * moho_gather_bins_count(&image->bins) + bin) * image->grid.n_time;
}

/* The image of each bin is, to the bit, what its traces give alone. */
static void check_bins(const moho_image *image, const moho_velocity *velocity, moho_migration_options options, const survey *s,
                       const long *bin_of) {
  size_t n = image->grid.n_time, bins = moho_gather_bins_count(&image->bins);
  options.gathers = NULL;
  for (size_t bin = 0; bin < bins; bin++) {
    survey own = traces_of_bin(s, bin_of, (long)bin);
    moho_image alone = migrate("cpu?threads=2", &image->grid, velocity, &options, &own, 0);
    for (size_t c = 0; c < image->grid.n_inline * image->grid.n_crossline; c++) {
      assert_memory_equal(bin_of_column(image, c, bin), alone.stack + c * n, n * sizeof(float));
      assert_memory_equal(image->gathers_fold + (c * bins + bin) * n, alone.fold + c * n, n * sizeof(int32_t));
    }
    moho_image_release(&alone);
    survey_release(&own);
  }
}

/* Sums over bins against the image made of all these traces without bins. */
static void check_sums(const moho_image *image, const moho_image *stack) {
  size_t n = image->grid.n_time, bins = moho_gather_bins_count(&image->bins), columns = image_size(image) / n;
  float *sums = calloc(columns * n, sizeof *sums);
  assert_non_null(sums);
  for (size_t c = 0; c < columns; c++)
    for (size_t k = 0; k < n; k++) {
      int32_t fold = 0;
      double sum = 0;
      for (size_t bin = 0; bin < bins; bin++) {
        sum += (double)bin_of_column(image, c, bin)[k];
        fold += image->gathers_fold[(c * bins + bin) * n + k];
      }
      sums[c * n + k] = (float)sum;
      assert_int_equal(fold, stack->fold[c * n + k]);
      assert_int_equal(image->fold[c * n + k], stack->fold[c * n + k]);
    }
  assert_true(relative_difference(sums, stack->stack, columns * n) < 1e-6);
  assert_true(relative_difference(image->stack, stack->stack, columns * n) < 1e-6);
  free(sums);
}

/* The double reference sorts alike. */
static void check_reference(const moho_image *image, const moho_velocity *velocity, const moho_migration_options *options,
                            const survey *s, double bound) {
  size_t bins = moho_gather_bins_count(&image->bins), samples = image_size(image) * bins;
  moho_reference *reference;
  double *gathers = malloc(samples * sizeof *gathers), *stack = malloc(image_size(image) * sizeof *stack);
  int32_t *fold = malloc(samples * sizeof *fold);
  float *expected = malloc(samples * sizeof *expected);
  assert_true(gathers && fold && expected && stack);
  assert_ok(moho_reference_create(&image->grid, velocity, options, &s->geometry, NS, DT, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_gathers(reference, gathers, fold));
  assert_memory_equal(image->gathers_fold, fold, samples * sizeof *fold);
  for (size_t i = 0; i < samples; i++) expected[i] = (float)gathers[i];
  assert_true(relative_difference(image->gathers, expected, samples) < bound);
  assert_ok(moho_reference_finish(reference, stack, fold));
  assert_memory_equal(image->fold, fold, image_size(image) * sizeof *fold);
  for (size_t i = 0; i < image_size(image); i++) expected[i] = (float)stack[i];
  assert_true(relative_difference(image->stack, expected, image_size(image)) < bound);
  moho_reference_destroy(&reference);
  free(gathers), free(stack), free(fold), free(expected);
}

/* ---- which bin, by a few lines of its own ---- */

typedef long (*bin_rule)(double dx, double dy, double azimuth_deg);

static long absolute_bin(double dx, double dy, double azimuth_deg) {
  (void)azimuth_deg;
  double h = sqrt(dx * dx + dy * dy);
  return h < 100 ? -1 : h < 250 ? 0 : h < 300 ? 1 : h < 301 ? 2 : h < 800 ? 3 : -1; /* one of them empty, or nearly */
}
static const double absolute_edges[] = {100, 250, 300, 301, 800};

static long signed_bin(double dx, double dy, double azimuth_deg) {
  double along = dx * sin(azimuth_deg * PI / 180) + dy * cos(azimuth_deg * PI / 180), h = sqrt(dx * dx + dy * dy);
  if (along < 0) h = -h;
  return h < -600 ? -1 : h < -200 ? 0 : h < 0 ? 1 : h < 450 ? 2 : h < 1000 ? 3 : -1;
}
static const double signed_edges[] = {-600, -200, 0, 450, 1000};

/* Tiles of 300 m along an inline x 400 m across, from -600 and -800 m on. */
static long tile_bin(double dx, double dy, double azimuth_deg) {
  double a = azimuth_deg * PI / 180, along = dx * sin(a) + dy * cos(a), across = dx * cos(a) - dy * sin(a);
  long i = (long)floor((along + 600) / 300), j = (long)floor((across + 800) / 400);
  return i < 0 || i >= 4 || j < 0 || j >= 4 ? -1 : 4 * i + j;
}
static const double tile_along_edges[] = {-600, -300, 0, 300, 600}, tile_across_edges[] = {-800, -400, 0, 400, 800};

static void check_kind(const moho_gather_bins *bins, bin_rule rule, moho_antialias antialias) {
  survey s = random_survey(), inside;
  long bin_of[TRACES], any[TRACES];
  size_t unbinned = 0;
  moho_grid grid = grid_of(0, 0, 20, 7, 9, 60, NS, DT);
  moho_velocity *velocity;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  options.aperture_max_m = 300, options.gathers = bins, options.antialias = antialias;
  for (size_t k = 0; k < TRACES; k++) {
    const moho_geometry *g = &s.geometry;
    bin_of[k] = rule(g->receiver_x[k] - g->source_x[k], g->receiver_y[k] - g->source_y[k], grid.inline_azimuth_deg);
    any[k] = bin_of[k] < 0 ? -1 : 0;
    unbinned += bin_of[k] < 0 && k != 17 && k != 30;
  }
  moho_migration_counts counts;
  moho_image image = migrate_counted("cpu?threads=2", &grid, velocity, &options, &s, 0, &counts);
  assert_int_equal(counts.traces_unbinned, unbinned);
  assert_true(unbinned > 0);
  assert_int_equal(counts.traces_dead, 2);
  assert_int_equal(counts.traces_used + counts.traces_outside + counts.traces_unbinned + counts.traces_dead, TRACES);
  if (!antialias) { /* whose spacing is measured on all the traces that a survey has */
    check_bins(&image, velocity, options, &s, bin_of);
    inside = traces_of_bin(&s, any, 0);
    options.gathers = NULL;
    moho_image stack = migrate("cpu?threads=2", &grid, velocity, &options, &inside, 0);
    check_sums(&image, &stack);
    moho_image_release(&stack);
    survey_release(&inside);
  }
  options.gathers = bins;
  check_reference(&image, velocity, &options, &s, 1e-4);
  moho_image batched = migrate_counted("cpu?threads=1", &grid, velocity, &options, &s, 7, NULL);
  size_t samples = image_size(&image) * moho_gather_bins_count(bins);
  assert_memory_equal(batched.gathers, image.gathers, samples * sizeof(float));
  assert_memory_equal(batched.gathers_fold, image.gathers_fold, samples * sizeof(int32_t));
  assert_memory_equal(batched.stack, image.stack, image_size(&image) * sizeof(float));
  moho_image_release(&image), moho_image_release(&batched);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

static void offset_bins_are_the_images_of_their_traces(void **state) {
  (void)state;
  moho_gather_bins bins;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, absolute_edges, 5, NULL, 0, &bins));
  check_kind(&bins, absolute_bin, MOHO_ANTIALIAS_NONE);
  check_kind(&bins, absolute_bin, MOHO_ANTIALIAS_TRIANGLE);
  moho_gather_bins_release(&bins);
}

static void signed_offset_bins_are_the_images_of_their_traces(void **state) {
  (void)state;
  moho_gather_bins bins;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 1, signed_edges, 5, NULL, 0, &bins));
  check_kind(&bins, signed_bin, MOHO_ANTIALIAS_NONE);
  moho_gather_bins_release(&bins);
}

static void tiles_are_the_images_of_their_traces(void **state) {
  (void)state;
  moho_gather_bins bins;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OVT, 0, tile_along_edges, 5, tile_across_edges, 5, &bins));
  assert_int_equal(moho_gather_bins_count(&bins), 16);
  check_kind(&bins, tile_bin, MOHO_ANTIALIAS_NONE);
  moho_gather_bins_release(&bins);
}

/* ---- opening angles ---- */

/* At constant velocity rays are straight: the angle at (x, y, z = v t0/2) between source and receiver, from the vectors. */
static double straight_angle_deg(const moho_geometry *g, size_t k, double x, double y, double z) {
  double s[3] = {g->source_x[k] - x, g->source_y[k] - y, -z}, r[3] = {g->receiver_x[k] - x, g->receiver_y[k] - y, -z};
  double product = sqrt(s[0] * s[0] + s[1] * s[1] + z * z) * sqrt(r[0] * r[0] + r[1] * r[1] + z * z);
  return acos(fmin((s[0] * r[0] + s[1] * r[1] + z * z) / product, 1)) * 180 / PI;
}

static const double angle_edges[] = {0, 10, 25, 26, 60, 90};

static void the_reference_sorts_by_the_opening_angle(void **state) {
  (void)state;
  static const double v = 2000;
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 3, 3, 150, NS, DT);
  moho_velocity *velocity;
  moho_gather_bins bins;
  moho_reference *reference;
  moho_migration_options options = plain_options(5000);
  assert_ok(moho_velocity_create_constant(v, &velocity));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, angle_edges, 6, NULL, 0, &bins));
  options.gathers = &bins;
  int32_t *fold = malloc(9 * 5 * NS * sizeof *fold);
  double *gathers = malloc(9 * 5 * NS * sizeof *gathers);
  assert_true(fold && gathers);
  assert_ok(moho_reference_create(&grid, velocity, &options, &s.geometry, NS, DT, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s.geometry, s.samples));
  assert_ok(moho_reference_gathers(reference, gathers, fold));
  size_t outside = 0;
  for (size_t c = 0; c < 9; c++)
    for (size_t i = 0; i < NS; i++) {
      int32_t expected[5] = {0};
      double x, y, z = v * (double)i * DT / 2;
      moho_grid_node(&grid, c / 3, c % 3, &x, &y);
      for (size_t k = 0; k < TRACES; k++) {
        const moho_geometry *g = &s.geometry;
        double t =
            (distance_to(g->source_x[k], g->source_y[k], x, y, z) + distance_to(g->receiver_x[k], g->receiver_y[k], x, y, z)) / v;
        double angle = straight_angle_deg(g, k, x, y, z);
        if (k == 17 || k == 30 || t > (NS - 1 + 4e-6 * NS) * DT) continue; /* the widened record */
        int bin = angle < 10 ? 0 : angle < 25 ? 1 : angle < 26 ? 2 : angle < 60 ? 3 : angle < 90 ? 4 : -1;
        if (bin >= 0) expected[bin]++;
        else outside++;
      }
      for (size_t b = 0; b < 5; b++) assert_int_equal(fold[(c * 5 + b) * NS + i], expected[b]);
    }
  assert_true(outside > 1000);
  moho_reference_destroy(&reference);
  free(fold), free(gathers);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

/* Native loops against the reference, and any batch and number of threads to the bit; edges that hold all angles sum to the
 * stack. */
static void angles_are_sorted_as_the_reference_does(void **state) {
  (void)state;
  static const struct {
    moho_traveltime traveltime;
    moho_antialias antialias;
    int is_linear_z;
    double stretch_mute;
  } ways[] = {{MOHO_TRAVELTIME_STRAIGHT, MOHO_ANTIALIAS_NONE, 0, -1},
              {MOHO_TRAVELTIME_STRAIGHT, MOHO_ANTIALIAS_TRIANGLE, 1, 0.6},
              {MOHO_TRAVELTIME_CURVED_LINEAR, MOHO_ANTIALIAS_NONE, 1, -1}};
  static const double all_angles[] = {0, 5, 10, 20, 20.5, 40, 180};
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 5, 6, 80, NS, DT);
  moho_gather_bins some, all;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, angle_edges, 6, NULL, 0, &some));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, all_angles, 7, NULL, 0, &all));
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    moho_velocity *velocity;
    moho_migration_options options = moho_migration_options_default();
    assert_ok(ways[w].is_linear_z ? moho_velocity_create_linear_z(1800, 0.6, &velocity)
                                  : moho_velocity_create_constant(2000, &velocity));
    options.aperture_max_m = 400, options.traveltime = ways[w].traveltime, options.antialias = ways[w].antialias;
    options.stretch_mute = ways[w].stretch_mute, options.gathers = &some;
    moho_image image = migrate_counted("cpu?threads=2", &grid, velocity, &options, &s, 0, NULL);
    check_reference(&image, velocity, &options, &s, 1e-4);
    moho_image batched = migrate_counted("cpu?threads=1&simd=scalar", &grid, velocity, &options, &s, 7, NULL);
    size_t samples = image_size(&image) * moho_gather_bins_count(&some);
    assert_memory_equal(batched.gathers_fold, image.gathers_fold, samples * sizeof(int32_t));
    assert_true(relative_difference(batched.gathers, image.gathers, samples) < 1e-5);
    moho_image_release(&batched);
    batched = migrate_counted("cpu?threads=1", &grid, velocity, &options, &s, 7, NULL);
    assert_memory_equal(batched.gathers, image.gathers, samples * sizeof(float));
    moho_image_release(&batched), moho_image_release(&image);
    options.gathers = &all;
    image = migrate_counted("cpu?threads=2", &grid, velocity, &options, &s, 0, NULL);
    options.gathers = NULL;
    moho_image stack = migrate("cpu?threads=2", &grid, velocity, &options, &s, 0);
    check_sums(&image, &stack);
    moho_image_release(&image), moho_image_release(&stack);
    moho_velocity_destroy(&velocity);
  }
  moho_gather_bins_release(&some), moho_gather_bins_release(&all);
  survey_release(&s);
}

/* A flat reflector z deep reflects an offset h with tan(angle/2) = h/2z: each offset's event lies in the bin of its angle alone.
 */
static void a_flat_reflector_falls_into_the_bins_of_its_angles(void **state) {
  (void)state;
  enum { MIDPOINTS = 161, OFFSETS = 3 };
  static const double z = 1200, v = 2400, edges[] = {0, 15, 30, 45, 60, 75},
                      offsets[OFFSETS] = {450, 1050, 1900}; /* 21, 47, 77 */
  static const int bin_of[OFFSETS] = {1, 3, -1};
  moho_gather_bins bins;
  moho_velocity *velocity;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, edges, 6, NULL, 0, &bins));
  assert_ok(moho_velocity_create_constant(v, &velocity));
  for (int o = 0; o < OFFSETS; o++) {
    survey s = survey_create(MIDPOINTS, 751, DT);
    for (size_t k = 0; k < s.n; k++) {
      survey_place(&s, k, 20 * (double)k, 0, offsets[o], 90);
      survey_add(&s, k, ricker, 25, sqrt(4 * z * z + offsets[o] * offsets[o]) / v, 1);
    }
    moho_grid grid = grid_of(1600, 0, 90, 1, 1, 20, 751, DT);
    moho_migration_options options = moho_migration_options_default();
    options.aperture_max_m = 1500, options.interpolation = MOHO_INTERPOLATION_SINC8, options.gathers = &bins;
    moho_image image = migrate_counted("cpu", &grid, velocity, &options, &s, 0, NULL);
    double peaks[5], largest = 0;
    for (size_t b = 0; b < 5; b++) {
      const float *trace = bin_of_column(&image, 0, b);
      double place = pick_peak(trace, 751, &peaks[b]);
      peaks[b] = fabs((double)trace[500]); /* t0 = 2*1200/2400 s */
      if ((int)b == bin_of[o]) assert_true(fabs(place - 500) < 0.5);
      largest = fmax(largest, peaks[b]);
    }
    for (int b = 0; b < 5 && bin_of[o] >= 0; b++)
      if (b != bin_of[o]) assert_true(peaks[b] < 0.1 * largest); /* the ends of the operator only */
    if (bin_of[o] >= 0) assert_true(peaks[bin_of[o]] == largest);
    moho_image_release(&image);
    survey_release(&s);
  }
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
}

static void plain_kernels_refuse_angles_by_name(void **state) {
  (void)state;
  moho_gather_bins bins;
  moho_device *device;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, angle_edges, 6, NULL, 0, &bins));
  assert_ok(moho_device_open("cpu", &device));
  options.gathers = &bins;
  assert_ok(moho_migration_supports(device, &options));
  for (moho_migration_kernel k = MOHO_KERNEL_BASELINE; k <= MOHO_KERNEL_V1; k++) {
    options.kernel = k;
    assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "does not do gathers by angle");
    assert_fails(moho_migration_supports(device, &options), MOHO_ERROR_NOT_AVAILABLE, "that can are: native, v2, v3");
  }
  assert_ok(moho_device_close(&device));
  moho_gather_bins_release(&bins);
}

/* ---- kernels ---- */

/* Item 9 on the device: the bins that it made sum to the stack that it makes of the traces that have a bin. */
static void check_sums_of_kernels(const moho_image *image, const moho_velocity *velocity, moho_migration_options options,
                                  const survey *s) {
  long any[TRACES];
  for (size_t k = 0; k < TRACES; k++)
    any[k] = moho_gather_bin_of_trace(options.gathers, &image->grid, &s->geometry, k) < 0 ? -1 : 0;
  survey inside = traces_of_bin(s, any, 0);
  options.gathers = NULL;
  moho_image stack = migrate(physics_device(), &image->grid, velocity, &options, &inside, 0);
  check_sums(image, &stack);
  moho_image_release(&stack);
  survey_release(&inside);
}

/* On the device under test. The stack beside it is of the same kernel without gathers. */
static void kernels_give_the_gathers(void **state) {
  (void)state;
  static const struct {
    moho_migration_kernel kernel;
    moho_storage storage;
    const char *constants;
    double bound;
  } ways[] = {
      {MOHO_KERNEL_BASELINE, MOHO_STORAGE_FLOAT, NULL, 1e-5},
      {MOHO_KERNEL_BASELINE, MOHO_STORAGE_FLOAT, "BATCH_TRACES=17,SLAB_SAMPLES=5000", 1e-5},
      {MOHO_KERNEL_V1, MOHO_STORAGE_FLOAT, "BATCH_TRACES=33", 1e-5},
      {MOHO_KERNEL_V1, MOHO_STORAGE_HALF, NULL, 2e-3},
      {MOHO_KERNEL_V2, MOHO_STORAGE_FLOAT, "SLAB_SAMPLES=5000", 1e-5},
      {MOHO_KERNEL_V2, MOHO_STORAGE_HALF, "BATCH_TRACES=40", 2e-3},
      {MOHO_KERNEL_V3, MOHO_STORAGE_FLOAT, "LAUNCH_TRACES=64,BATCH_TRACES=100", 1e-3},
      {MOHO_KERNEL_AUTO, MOHO_STORAGE_HALF, NULL, 2e-3},
  };
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 7, 9, 60, NS, DT);
  moho_velocity *velocity;
  moho_gather_bins bins;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_velocity_create_linear_t0(1800, 600, &velocity));
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OVT, 0, tile_along_edges, 5, tile_across_edges, 5, &bins));
  options.aperture_max_m = 300, options.gathers = &bins;
  moho_migration_counts native, counts;
  moho_image expected = migrate_counted("cpu?threads=2", &grid, velocity, &options, &s, 0, &native);
  size_t samples = image_size(&expected) * moho_gather_bins_count(&bins);
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    options.kernel = ways[w].kernel, options.storage = ways[w].storage, options.constants = ways[w].constants;
    moho_image image = migrate_counted(physics_device(), &grid, velocity, &options, &s, w % 2 ? 23 : 0, &counts);
    assert_memory_equal(image.gathers_fold, expected.gathers_fold, samples * sizeof(int32_t));
    assert_memory_equal(image.fold, expected.fold, image_size(&image) * sizeof(int32_t));
    assert_true(relative_difference(image.gathers, expected.gathers, samples) < ways[w].bound);
    assert_true(relative_difference(image.stack, expected.stack, image_size(&image)) < ways[w].bound);
    assert_int_equal(counts.traces_unbinned, native.traces_unbinned);
    assert_int_equal(counts.traces_dead, native.traces_dead);
    assert_int_equal(counts.traces_used, native.traces_used);
    assert_int_equal(counts.contributions, native.contributions);
    if (w == 0 || ways[w].kernel == MOHO_KERNEL_V3) check_sums_of_kernels(&image, velocity, options, &s);
    moho_image_release(&image);
  }
  moho_image_release(&expected);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

/* Folds are the reference's; launches and slabs change no bit, batches nothing but the order of some sums. */
static void check_angles(const char *uri, const moho_grid *grid, const moho_velocity *velocity, moho_migration_options options,
                         const survey *s, double bound) {
  moho_image image = migrate_counted(uri, grid, velocity, &options, s, 0, NULL);
  size_t samples = image_size(&image) * moho_gather_bins_count(options.gathers);
  check_reference(&image, velocity, &options, s, bound);
  options.constants = "SLAB_SAMPLES=2500,LAUNCH_COLUMNS=8";
  moho_image cut = migrate_counted(uri, grid, velocity, &options, s, 50, NULL);
  assert_memory_equal(cut.gathers, image.gathers, samples * sizeof(float));
  assert_memory_equal(cut.gathers_fold, image.gathers_fold, samples * sizeof(int32_t));
  moho_image_release(&cut);
  options.constants = "BATCH_TRACES=17";
  cut = migrate_counted(uri, grid, velocity, &options, s, 0, NULL);
  assert_memory_equal(cut.gathers_fold, image.gathers_fold, samples * sizeof(int32_t));
  assert_true(relative_difference(cut.gathers, image.gathers, samples) < 1e-6);
  moho_image_release(&cut), moho_image_release(&image);
}

static void kernels_sort_angles_as_the_reference_does(void **state) {
  (void)state;
  static const struct {
    moho_migration_kernel kernel;
    moho_traveltime traveltime;
    moho_antialias antialias;
    moho_interpolation interpolation;
    int is_linear_z;
    double stretch_mute, eta;
    moho_storage storage;
    double bound;
  } ways[] = {
      {MOHO_KERNEL_V3, MOHO_TRAVELTIME_STRAIGHT, MOHO_ANTIALIAS_NONE, MOHO_INTERPOLATION_LINEAR, 0, -1, 0, 0, 1e-4},
      {MOHO_KERNEL_V2, MOHO_TRAVELTIME_STRAIGHT, MOHO_ANTIALIAS_TRIANGLE, MOHO_INTERPOLATION_LINEAR, 1, 0.6, 0, 0, 1e-4},
      {MOHO_KERNEL_V3, MOHO_TRAVELTIME_CURVED_LINEAR, MOHO_ANTIALIAS_NONE, MOHO_INTERPOLATION_CUBIC, 1, -1, 0, 0, 1e-4},
      {MOHO_KERNEL_V2, MOHO_TRAVELTIME_CURVED_RMS, MOHO_ANTIALIAS_FILTER_BANK, MOHO_INTERPOLATION_LINEAR, 1, -1, 0, 0, 1e-4},
      {MOHO_KERNEL_V3, MOHO_TRAVELTIME_CURVED_RAY, MOHO_ANTIALIAS_NONE, MOHO_INTERPOLATION_SINC8, 1, 0.6, 0, 0, 1e-4},
      {MOHO_KERNEL_V3, MOHO_TRAVELTIME_VTI, MOHO_ANTIALIAS_TRIANGLE, MOHO_INTERPOLATION_LINEAR, 1, -1, 0.15, 0, 1e-4},
      {MOHO_KERNEL_V2, MOHO_TRAVELTIME_VTI_RATIONAL, MOHO_ANTIALIAS_NONE, MOHO_INTERPOLATION_LINEAR, 0, -1, -0.1, 0, 1e-4},
      {MOHO_KERNEL_V3, MOHO_TRAVELTIME_STRAIGHT, MOHO_ANTIALIAS_NONE, MOHO_INTERPOLATION_LINEAR, 1, -1, 0, 1, 1e-3},
  };
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 5, 6, 80, NS, DT);
  moho_gather_bins bins;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, angle_edges, 6, NULL, 0, &bins));
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    moho_velocity *velocity;
    moho_eta *eta = NULL;
    moho_migration_options options = moho_migration_options_default();
    assert_ok(ways[w].is_linear_z ? moho_velocity_create_linear_z(1800, 0.6, &velocity)
                                  : moho_velocity_create_constant(2000, &velocity));
    if (ways[w].eta != 0) assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, ways[w].eta, &eta));
    options.kernel = ways[w].kernel, options.traveltime = ways[w].traveltime, options.antialias = ways[w].antialias;
    options.interpolation = ways[w].interpolation, options.stretch_mute = ways[w].stretch_mute, options.eta = eta;
    options.aperture_max_m = 400, options.gathers = &bins, options.storage = ways[w].storage;
    check_angles(physics_device(), &grid, velocity, options, &s, ways[w].bound);
    moho_velocity_destroy(&velocity);
    moho_eta_destroy(&eta);
  }
  moho_gather_bins_release(&bins);
  survey_release(&s);
}

/* Whole metres and image depths of whole metres: right angles and no angle at all are met exactly, at many samples, and so are
 * legs straight down. */
static void kernels_sort_angles_on_edges_alike(void **state) {
  (void)state;
  static const double edges[] = {0, 60, 90, 120, 180}, none_at_0[] = {10, 90, 180};
  survey s = survey_create(TRACES, NS, DT);
  for (size_t k = 0; k < s.n; k++) { /* northwards, so that no sine rounds a position */
    s.geometry.source_y[k] = 20 * (double)(2 * (k % 10) + k / 10),
    s.geometry.receiver_y[k] = 20 * (double)(2 * (k % 10)) - 20 * (double)(k / 10);
  }
  survey_fill_with_events(&s, 60, 12);
  moho_grid grid = grid_of(0, 0, 0, 1, 12, 20, NS, DT);
  grid.first_s = 0.01; /* the angle at a leg's own end is undetermined */
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  for (int w = 0; w < 4; w++) {
    moho_gather_bins bins;
    moho_migration_options options = moho_migration_options_default();
    assert_ok(w / 2 ? moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, none_at_0, 3, NULL, 0, &bins)
                    : moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, edges, 5, NULL, 0, &bins));
    options.gathers = &bins, options.kernel = w % 2 ? MOHO_KERNEL_V2 : MOHO_KERNEL_V3;
    options.aperture_max_m = 400, options.aperture_min_m = 100;
    check_angles(physics_device(), &grid, velocity, options, &s, 1e-4);
    moho_gather_bins_release(&bins);
  }
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

/* ---- normalised by the fold ---- */

static void a_normalised_bin_is_divided_by_its_own_fold(void **state) {
  (void)state;
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 20, 3, 3, 100, NS, DT);
  moho_velocity *velocity;
  moho_gather_bins bins;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, absolute_edges, 5, NULL, 0, &bins));
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  options.gathers = &bins;
  moho_image sums = migrate_counted("cpu", &grid, velocity, &options, &s, 0, NULL);
  options.normalise = MOHO_NORMALISE_FOLD;
  moho_image means = migrate_counted("cpu", &grid, velocity, &options, &s, 0, NULL);
  size_t folded = 0;
  for (size_t i = 0; i < 4 * image_size(&sums); i++) {
    int32_t fold = sums.gathers_fold[i] > 1 ? sums.gathers_fold[i] : 1;
    folded += fold > 1;
    assert_float_equal(means.gathers[i], sums.gathers[i] / (float)fold, 1e-6f * fabsf(means.gathers[i]));
  }
  assert_true(folded > 1000);
  for (size_t i = 0; i < image_size(&sums); i++) {
    int32_t fold = sums.fold[i] > 1 ? sums.fold[i] : 1;
    assert_float_equal(means.stack[i], sums.stack[i] / (float)fold, 1e-6f * fabsf(means.stack[i]));
  }
  moho_image_release(&sums), moho_image_release(&means);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

/* ---- move-out: what must hold, 3 ---- */

/* A flat reflector 1200 m deep under 2400 m/s, offsets 0 to 1800 m on a line; picks the event in each bin of the middle column,
 * in samples. A plane reflects like its image source: t = sqrt(4 z^2 + h^2)/v. */
static void pick_flat_reflector(double v_migration, double picks[6]) {
  enum { MIDPOINTS = 161, OFFSETS = 18 };
  static const double edges[] = {0, 300, 600, 900, 1200, 1500, 1800}, z = 1200, v = 2400;
  survey s = survey_create(MIDPOINTS * OFFSETS, 751, DT);
  for (size_t k = 0; k < s.n; k++) {
    double h = 50 + 100 * (double)(k % OFFSETS);
    survey_place(&s, k, 20 * (double)(k / OFFSETS), 0, h, 90);
    survey_add(&s, k, ricker, 25, sqrt(4 * z * z + h * h) / v, 1);
  }
  moho_grid grid = grid_of(1600, 0, 90, 1, 1, 20, 751, DT);
  moho_migration_options options = moho_migration_options_default();
  moho_gather_bins bins;
  moho_velocity *velocity;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 7, NULL, 0, &bins));
  assert_ok(moho_velocity_create_constant(v_migration, &velocity));
  options.aperture_max_m = 1500, options.interpolation = MOHO_INTERPOLATION_SINC8, options.gathers = &bins;
  moho_image image = migrate(physics_device(), &grid, velocity, &options, &s, 0);
  for (size_t b = 0; b < 6; b++) picks[b] = pick_peak(bin_of_column(&image, 0, b), 751, NULL);
  moho_image_release(&image);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
}

static void kernels_make_gathers_flat_at_the_right_velocity_and_bent_at_a_wrong_one(void **state) {
  (void)state;
  double right[6], slow[6], fast[6];
  pick_flat_reflector(2400, right);
  pick_flat_reflector(2200, slow);
  pick_flat_reflector(2600, fast);
  for (int b = 0; b < 6; b++) assert_true(fabs(right[b] - 500) < 0.5); /* t0 = 2*1200/2400 s */
  for (int b = 1; b < 6; b++) {
    assert_true(slow[b] < slow[b - 1]); /* over-corrected: upwards */
    assert_true(fast[b] > fast[b - 1]);
  }
  for (int b = 0; b < 6; b++) { /* t0^2 + h^2/vm^2 = T0^2 + h^2/v^2 at the middle of the bin */
    double h2 = (150.0 + 300 * b) * (150.0 + 300 * b);
    assert_true(fabs(slow[b] - 500 * sqrt(1 + h2 / (2400.0 * 2400) - h2 / (2200.0 * 2200))) < 1.5);
    assert_true(fabs(fast[b] - 500 * sqrt(1 + h2 / (2400.0 * 2400) - h2 / (2600.0 * 2600))) < 1.5);
  }
}

/* ---- edges ---- */

static void an_offset_on_an_edge_belongs_to_the_bin_that_begins_there(void **state) {
  (void)state;
  static const double edges[] = {0, 500, 1000};
  moho_gather_bins bins;
  survey s = survey_create(1, 2, DT);
  moho_grid grid = moho_grid_default();
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 3, NULL, 0, &bins));
  for (int turn = 0; turn < 360; turn += 7) { /* whatever the azimuth, far from the origin */
    static const double offsets[] = {0, 499.99, 500, 999.99, 1000};
    static const long expected[] = {0, 0, 1, 1, -1};
    for (int k = 0; k < 5; k++) {
      survey_place(&s, 0, 512345.67, 5698765.43, offsets[k], turn);
      assert_int_equal(moho_gather_bin_of_trace(&bins, &grid, &s.geometry, 0), expected[k]);
    }
  }
  survey_release(&s);
  moho_gather_bins_release(&bins);
}

static void a_lattice_turned_with_its_survey_fills_the_same_tiles(void **state) {
  (void)state;
  static const double along[] = {-300, -100, 100, 300}, across[] = {-200, 0, 200};
  moho_gather_bins bins;
  survey s = survey_create(1, 2, DT);
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OVT, 0, along, 4, across, 3, &bins));
  for (int flip = 0; flip < 2; flip++)
    for (int turn = 0; turn < 360; turn += 11) {
      double a = turn * PI / 180;
      moho_grid grid = grid_of(0, 0, turn, 3, 3, 20, 3, DT);
      grid.flip = flip;
      for (int i = -4; i <= 4; i++) /* many lie on edges */
        for (int j = -3; j <= 3; j++) {
          double u = 100 * i, w = 100 * j * (flip ? -1 : 1);
          s.geometry.source_x[0] = 4.5e5, s.geometry.source_y[0] = 6.1e6;
          s.geometry.receiver_x[0] = 4.5e5 + u * sin(a) + w * cos(a);
          s.geometry.receiver_y[0] = 6.1e6 + u * cos(a) - w * sin(a);
          long x = i < -3 ? -1 : i < -1 ? 0 : i < 1 ? 1 : i < 3 ? 2 : -1, y = j < -2 ? -1 : j < 0 ? 0 : j < 2 ? 1 : -1;
          assert_int_equal(moho_gather_bin_of_trace(&bins, &grid, &s.geometry, 0), x < 0 || y < 0 ? -1 : 2 * x + y);
        }
    }
  survey_release(&s);
  moho_gather_bins_release(&bins);
}

static void bad_edges_are_refused(void **state) {
  (void)state;
  static const double falling[] = {0, 500, 400}, negative[] = {-100, 0, 100}, wide[] = {0, 90, 181}, nan_edge[] = {0, NAN};
  moho_gather_bins bins;
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, falling, 3, NULL, 0, &bins), MOHO_ERROR_RANGE, "400 after 500");
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, negative, 3, NULL, 0, &bins), MOHO_ERROR_RANGE, "edge 1 is -100");
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 1, negative, 3, NULL, 0, &bins));
  moho_gather_bins_release(&bins);
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, wide, 3, NULL, 0, &bins), MOHO_ERROR_RANGE, "edge 3 is 181");
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, nan_edge, 2, NULL, 0, &bins), MOHO_ERROR_RANGE, "edge 2");
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, falling, 1, NULL, 0, &bins), MOHO_ERROR_ARGUMENT, "1 edges");
  assert_fails(moho_gather_bins_create(MOHO_GATHERS_OVT, 0, negative, 3, NULL, 0, &bins), MOHO_ERROR_ARGUMENT,
               "edges_crossline_m");
}

static void gathers_that_do_not_fit_are_refused_with_sizes(void **state) {
  (void)state;
  static const double edges[] = {0, 100, 200, 300};
  survey s = random_survey();
  moho_grid grid = grid_of(0, 0, 0, 200, 200, 10, NS, DT);
  moho_gather_bins bins;
  moho_device *device;
  moho_velocity *velocity;
  moho_migration *migration;
  moho_migration_plan plan;
  moho_migration_options options = moho_migration_options_default();
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 4, NULL, 0, &bins));
  assert_ok(moho_device_open("cpu?threads=1", &device));
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  options.memory_bytes = (size_t)150 << 20; /* the image alone takes 80 MiB */
  assert_ok(moho_migration_create(device, &grid, velocity, &options, &s.geometry, NS, DT, &migration));
  moho_migration_destroy(&migration);
  options.gathers = &bins;
  assert_fails(moho_migration_create(device, &grid, velocity, &options, &s.geometry, NS, DT, &migration), MOHO_ERROR_TOO_LARGE,
               "in each of 3 bins");
  assert_ok(moho_migration_make_plan(device, &grid, velocity, &options, &s.geometry, NS, DT, &plan));
  assert_int_equal(plan.gather_bins, 3);
  assert_int_equal(plan.gathers_bytes, 3 * (size_t)200 * 200 * NS * 8);
  assert_true(plan.memory_bytes > options.memory_bytes && plan.unbinned_traces > 0);
  moho_gather_bins_release(&bins);
  moho_velocity_destroy(&velocity);
  moho_device_close(&device);
  survey_release(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(offset_bins_are_the_images_of_their_traces),
      cmocka_unit_test(signed_offset_bins_are_the_images_of_their_traces),
      cmocka_unit_test(tiles_are_the_images_of_their_traces),
      cmocka_unit_test(the_reference_sorts_by_the_opening_angle),
      cmocka_unit_test(angles_are_sorted_as_the_reference_does),
      cmocka_unit_test(a_flat_reflector_falls_into_the_bins_of_its_angles),
      cmocka_unit_test(plain_kernels_refuse_angles_by_name),
      cmocka_unit_test(kernels_give_the_gathers),
      cmocka_unit_test(kernels_sort_angles_as_the_reference_does),
      cmocka_unit_test(kernels_sort_angles_on_edges_alike),
      cmocka_unit_test(a_normalised_bin_is_divided_by_its_own_fold),
      cmocka_unit_test(kernels_make_gathers_flat_at_the_right_velocity_and_bent_at_a_wrong_one),
      cmocka_unit_test(an_offset_on_an_edge_belongs_to_the_bin_that_begins_there),
      cmocka_unit_test(a_lattice_turned_with_its_survey_fills_the_same_tiles),
      cmocka_unit_test(bad_edges_are_refused),
      cmocka_unit_test(gathers_that_do_not_fit_are_refused_with_sizes),
  };
  if (getenv("MOHO_DEVICE")) cmocka_set_test_filter("kernels_*"); /* the rest concerns no device */
  return cmocka_run_group_tests(tests, NULL, NULL);
}
