/* test_migration_edges.c - migrations at the edges of what may be asked: grids of one column, image axes of one sample, records
 * of two, times before zero and far beyond the record, the steepest dips, the widest triangles. Every case against the
 * reference on every instruction set, the fold identical, the bits the same for other threads, tiles and batches; built with the
 * address sanitizer it watches the loops' reach.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "../physics/physics_support.h"

/* The OpenMP runtime keeps the memory of a team that changed its size; it is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libomp.so\nleak:libgomp.so\n";
}

static const double DT = 0.004;
static const char *const simds[] = {"scalar", "avx2", "avx512", "neon"};

/* ---- random cases ---- */

static double one_of(uint64_t *random, const double *values, size_t n) {
  return values[(size_t)(test_uniform(random) * (double)n)];
}
#define ONE_OF(...) one_of(random, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static moho_grid random_grid(uint64_t *random) {
  size_t n_time = (size_t)ONE_OF(1, 2, 15, 16, 17, 70, 300, 300);
  moho_grid grid = grid_of(456000.5, 6780000.25, ONE_OF(0, 33, 270), (size_t)ONE_OF(1, 1, 2, 5), (size_t)ONE_OF(1, 2, 9), 25,
                           n_time, DT * ONE_OF(0.25, 1, 1, 1.7, 5, 40));
  grid.first_s = ONE_OF(0, 0, 0, 0.0137, 0.6);
  return grid;
}

static survey random_case_survey(uint64_t *random, const moho_grid *grid) {
  survey s = survey_create((size_t)ONE_OF(1, 3, 20), (size_t)ONE_OF(2, 3, 40, 200, 200), DT);
  double widest = ONE_OF(0, 100, 100, 3000), reach = ONE_OF(0, 60, 60, 1000), delay = ONE_OF(0, 0, 1);
  for (size_t k = 0; k < s.n; k++) {
    survey_place(&s, k, grid->origin_x_m + reach * (test_uniform(random) - 0.5), grid->origin_y_m + reach * test_uniform(random),
                 widest * test_uniform(random), 360 * test_uniform(random));
    if (delay > 0) s.geometry.first_sample_s[k] = ONE_OF(0, 0.05, -0.05, 0.0137, 0.61, -5, 5);
  }
  survey_fill_with_events(&s, 30, 77);
  return s;
}

static moho_migration_options random_options(uint64_t *random) {
  moho_migration_options o = moho_migration_options_default();
  o.interpolation = (moho_interpolation)ONE_OF(0, 1, 2);
  o.antialias = (moho_antialias)ONE_OF(0, 1);
  o.weight = (moho_weight)ONE_OF(0, 1, 2, 3, 4);
  o.rho_filter = (moho_rho)ONE_OF(0, 1, 1);
  o.antialias_factor = ONE_OF(0.05, 1, 10);
  o.aperture_max_m = ONE_OF(1e-6, 700, 700, 1e6);
  o.aperture_min_m = fmin(o.aperture_max_m, ONE_OF(0, 50, 1e6));
  o.aperture_max_dip_deg = ONE_OF(1e-3, 45, 89, 89);
  o.aperture_taper = ONE_OF(0, 0.1, 1);
  o.stretch_mute = ONE_OF(-1, -1, 0, 0.5);
  o.normalise = (moho_normalise)ONE_OF(0, 1);
  o.refine = (int)ONE_OF(1, 1, 2, 4, 8);
  o.tile_columns = (int)ONE_OF(0, 1, 1000);
  return o;
}

/* Where three functions lie around the grid; two of them change fast, up and down. */
static moho_velocity *velocity_that_varies_sideways(const moho_grid *grid) {
  const char *path = test_path("velocity.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  const double places[][2] = {{-200, -300}, {400, -100}, {0, 500}},
               picks[][3] = {{1500, 4500, 1600}, {5000, 2000, 6000}, {2500, 2500, 2500}};
  for (int place = 0; place < 3; place++)
    for (int pick = 0; pick < 3; pick++)
      fprintf(file, "%.2f %.2f %g %g\n", grid->origin_x_m + places[place][0], grid->origin_y_m + places[place][1], 0.3 * pick,
              picks[place][pick]);
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = MOHO_VELOCITY_RMS, options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &velocity));
  return velocity;
}

static moho_velocity *random_velocity(uint64_t *random, const moho_grid *grid) {
  moho_velocity *velocity;
  switch ((int)ONE_OF(0, 1, 2)) {
  case 0: assert_ok(moho_velocity_create_constant(ONE_OF(600, 2200, 8000), &velocity)); break;
  case 1: assert_ok(moho_velocity_create_linear_z(1500, (double)grid->n_time * grid->step_s < 2 ? 1.5 : 0.05, &velocity)); break;
  default: velocity = velocity_that_varies_sideways(grid);
  }
  return velocity;
}

/* ---- comparison ---- */

static int is_available(const char *uri) {
  moho_device *device;
  if (moho_device_open(uri, &device)) return 0;
  moho_device_close(&device);
  return 1;
}

/* Delays of thousands of samples cost a float some digits. Largest difference over the largest value expected. */
static double largest_difference(const float *image, const double *expected, size_t n) {
  double difference = 0, largest = 0;
  for (size_t k = 0; k < n; k++) {
    difference = fmax(difference, fabs((double)image[k] - expected[k]));
    largest = fmax(largest, fabs(expected[k]));
  }
  return largest > 0 ? difference / largest : difference;
}

static size_t compare(unsigned number, const moho_grid *grid, const moho_velocity *velocity,
                      const moho_migration_options *options, const survey *s, int32_t *largest_fold) {
  size_t n = grid->n_inline * grid->n_crossline * grid->n_time, failures = 0;
  double *expected = malloc(n * sizeof *expected);
  int32_t *fold = malloc(n * sizeof *fold);
  moho_reference *reference;
  assert_true(expected && fold);
  assert_ok(moho_reference_create(grid, velocity, options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_finish(reference, expected, fold));
  moho_reference_destroy(&reference);
  for (size_t k = 0; k < n; k++) *largest_fold = fold[k] > *largest_fold ? fold[k] : *largest_fold;
  for (size_t i = 0; i < sizeof simds / sizeof *simds; i++) {
    char uri[60];
    snprintf(uri, sizeof uri, "cpu?threads=1&simd=%s", simds[i]);
    if (!is_available(uri)) continue;
    moho_image image = migrate(uri, grid, velocity, options, s, 7);
    double difference = largest_difference(image.stack, expected, n);
    int same_fold = !memcmp(image.fold, fold, n * sizeof *fold);
    /* The twice integrated trace in float is right to so much of its largest value, the image may hold its smallest. */
    double bound = options->antialias == MOHO_ANTIALIAS_TRIANGLE ? 2e-2 : 3e-3;
    if (!(difference < bound) || !same_fold) {
      print_error("case %u, %s: differs by %.3g of the largest value, fold %s\n", number, simds[i], difference,
                  same_fold ? "the same" : "not the same");
      failures++;
    }
    snprintf(uri, sizeof uri, "cpu?threads=3&simd=%s", simds[i]);
    moho_migration_options other = *options;
    other.tile_columns = 2;
    moho_image again = migrate(uri, grid, velocity, &other, s, 5);
    if (memcmp(image.stack, again.stack, n * sizeof *image.stack)) {
      print_error("case %u, %s: threads, tiles or batches change the bits\n", number, simds[i]);
      failures++;
    }
    moho_image_release(&again);
    moho_image_release(&image);
  }
  free(expected), free(fold);
  return failures;
}

static void whatever_may_be_asked_agrees_with_the_reference(void **state) {
  (void)state;
  const char *text = getenv("MOHO_TEST_CASES");
  unsigned cases = text ? (unsigned)atoi(text) : 120, with_contributions = 0;
  size_t failures = 0;
  for (unsigned number = 0; number < cases; number++) {
    uint64_t seed = number * 7919u + 5, *random = &seed;
    moho_grid grid = random_grid(random);
    survey s = random_case_survey(random, &grid);
    moho_migration_options options = random_options(random);
    moho_velocity *velocity = random_velocity(random, &grid);
    int32_t largest_fold = 0;
    failures += compare(number, &grid, velocity, &options, &s, &largest_fold);
    with_contributions += largest_fold > 0;
    moho_velocity_destroy(&velocity);
    survey_release(&s);
  }
  assert_int_equal(failures, 0);
  print_message("%u of %u cases have contributions\n", with_contributions, cases);
  assert_true(with_contributions > cases / 5);
}

/* ---- what is refused, and what is promised ---- */

typedef struct small_job {
  moho_device *device;
  moho_velocity *velocity;
  moho_grid grid;
  survey s;
  moho_migration_options options;
} small_job;

static small_job small_job_create(size_t traces, size_t n_samples) {
  small_job job = {.grid = grid_of(0, 0, 0, 2, 3, 25, 50, DT), .s = survey_create(traces, n_samples, DT)};
  job.options = moho_migration_options_default();
  for (size_t k = 0; k < traces; k++) survey_place(&job.s, k, 10 + (double)k, 20, 100, 90);
  survey_fill_with_events(&job.s, 30, 5);
  assert_ok(moho_device_open("cpu?threads=2", &job.device));
  assert_ok(moho_velocity_create_constant(2000, &job.velocity));
  return job;
}

static void small_job_release(small_job *job) {
  moho_device_close(&job->device);
  moho_velocity_destroy(&job->velocity);
  survey_release(&job->s);
}

static moho_status create(const small_job *job, const moho_migration_options *options, moho_migration **migration) {
  return moho_migration_create(job->device, &job->grid, job->velocity, options, &job->s.geometry, job->s.n_samples, DT,
                               migration);
}

static void options_must_be_given(void **state) {
  (void)state;
  small_job job = small_job_create(2, 50);
  moho_migration *migration;
  assert_fails(create(&job, NULL, &migration), MOHO_ERROR_ARGUMENT, "moho_migration_options_default()");
  assert_null(migration);
  small_job_release(&job);
}

/* `value` where a number must be: refused for the survey, for a batch that comes later, and by the reference. */
static void check_place_is_refused(double *place, small_job *job, double value, const char *words) {
  moho_migration *migration;
  moho_reference *reference;
  double before = *place;
  assert_ok(create(job, &job->options, &migration));
  assert_ok(moho_reference_create(&job->grid, job->velocity, &job->options, &job->s.geometry, job->s.n_samples, DT, NULL, 0,
                                  &reference));
  *place = value;
  moho_geometry rest = moho_geometry_slice(&job->s.geometry, 1, job->s.n - 1),
                first = moho_geometry_slice(&job->s.geometry, 0, 1);
  assert_ok(moho_migration_add(migration, &first, job->s.samples, NULL, NULL));
  assert_fails(moho_migration_add(migration, &rest, job->s.samples + job->s.n_samples, NULL, NULL), MOHO_ERROR_RANGE, words);
  assert_int_equal(moho_last_error()->trace, 3);
  assert_true(moho_last_error()->hint[0]);
  assert_fails(moho_reference_add(reference, &job->s.geometry, job->s.samples), MOHO_ERROR_RANGE, words);
  moho_reference_destroy(&reference);
  moho_migration_destroy(&migration);
  assert_fails(create(job, &job->options, &migration), MOHO_ERROR_RANGE, words);
  assert_int_equal(moho_last_error()->trace, 3);
  *place = before;
}

static void places_and_times_that_are_no_numbers_are_refused(void **state) {
  (void)state;
  small_job job = small_job_create(4, 50);
  moho_geometry *g = &job.s.geometry;
  check_place_is_refused(&g->source_x[2], &job, NAN, "expected finite coordinates");
  check_place_is_refused(&g->receiver_y[2], &job, INFINITY, "expected finite coordinates");
  check_place_is_refused(&g->first_sample_s[2], &job, NAN, "begins at nan s");
  check_place_is_refused(&g->first_sample_s[2], &job, 1e9, "begins at 1e+09 s, expected within");
  g->source_x[2] = NAN, g->flags[2] = MOHO_TRACE_NO_POSITION; /* it says so itself: left out */
  moho_image image = migrate("cpu", &job.grid, job.velocity, &job.options, &job.s, 0);
  assert_int_equal(image.fold[40], 3);
  moho_image_release(&image);
  small_job_release(&job);
}

static void traces_longer_than_a_float_counts_are_refused(void **state) {
  (void)state;
  small_job job = small_job_create(1, 50);
  moho_migration *migration;
  job.options.refine = 8;
  job.s.n_samples = (1 << 22) / 8 + 1;
  assert_fails(create(&job, &job.options, &migration), MOHO_ERROR_RANGE, "expected 2 to 524288");
  job.s.n_samples = 50;
  small_job_release(&job);
}

/* The sizes are told at once, whatever the velocity: no pass over columns that no memory holds. */
static void a_grid_beyond_all_memory_is_planned_at_once(void **state) {
  (void)state;
  small_job job = small_job_create(4, 50);
  moho_migration_plan plan;
  moho_migration *migration;
  job.grid.n_inline = job.grid.n_crossline = 40000, job.grid.n_time = 2000;
  moho_velocity_destroy(&job.velocity);
  job.velocity = velocity_that_varies_sideways(&job.grid);
  assert_ok(moho_migration_make_plan(job.device, &job.grid, job.velocity, &job.options, &job.s.geometry, 50, DT, &plan));
  assert_true((double)plan.memory_bytes > 8.0 * 40000 * 40000 * 2000);
  assert_fails(create(&job, &job.options, &migration), MOHO_ERROR_TOO_LARGE, "image of 40000 x 40000 x 2000 samples");
  small_job_release(&job);
}

/* ---- memory ---- */

/* Bytes that the allocator has given out; 0 where it does not tell. */
static double allocated(void) {
#ifdef __GLIBC__
  struct mallinfo2 info = mallinfo2();
  return (double)info.uordblks + (double)info.hblkhd;
#else
  return 0;
#endif
}

/* Large arrays are rounded up to large pages (16 MB for all of them). */
static void check_memory(int refine, moho_antialias antialias, size_t n_samples, int lateral) {
  small_job job = small_job_create(300, n_samples);
  moho_migration *migration;
  job.options.refine = refine, job.options.antialias = antialias;
  job.grid.n_inline = 30, job.grid.n_crossline = 40, job.grid.n_time = 700;
  if (lateral) moho_velocity_destroy(&job.velocity), job.velocity = velocity_that_varies_sideways(&job.grid);
  double before = allocated();
  assert_ok(create(&job, &job.options, &migration));
  assert_ok(moho_migration_add(migration, &job.s.geometry, job.s.samples, NULL, NULL));
  double held = allocated() - before, told = (double)moho_migration_get_counts(migration).memory_bytes;
  if (held > 0 && (held > 1.05 * told + 1.6e7 || held < 0.8 * told))
    fail_msg("refine %d, antialias %d, %zu samples: %.0f bytes held, %.0f told", refine, (int)antialias, n_samples, held, told);
  moho_migration_destroy(&migration);
  small_job_release(&job);
}

static void as_much_memory_is_held_as_is_told(void **state) {
  (void)state;
  if (!(allocated() > 0)) skip(); /* an allocator of a sanitizer or of another system */
  check_memory(1, MOHO_ANTIALIAS_NONE, 200, 0);
  check_memory(1, MOHO_ANTIALIAS_TRIANGLE, 200, 1);
  check_memory(8, MOHO_ANTIALIAS_NONE, 3000, 1);
  check_memory(2, MOHO_ANTIALIAS_TRIANGLE, 100000, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(whatever_may_be_asked_agrees_with_the_reference),
      cmocka_unit_test(options_must_be_given),
      cmocka_unit_test(places_and_times_that_are_no_numbers_are_refused),
      cmocka_unit_test(traces_longer_than_a_float_counts_are_refused),
      cmocka_unit_test(a_grid_beyond_all_memory_is_planned_at_once),
      cmocka_unit_test(as_much_memory_is_held_as_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
