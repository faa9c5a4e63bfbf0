/* test_migration_edges.c - migrations at the edges of what may be asked: grids of one column, image axes of one sample, records
 * of two, times before zero and far beyond the record, the steepest dips, the widest triangles; and of laws: eta at its ends,
 * bins that nothing falls into, mutes beyond the image, masks of single samples. Every case against the reference on every
 * instruction set (edge_support.h); built with the address sanitizer it watches the loops' reach.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "edge_support.h"

/* The OpenMP runtime keeps the memory of a team that changed its size; it is not ours. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) {
  return "leak:libomp.so\nleak:libgomp.so\n";
}

static const double DT = 0.004;

/* How many of some cases are compared; MOHO_TEST_CASES: as many of each. */
static unsigned cases_of(unsigned usual) {
  const char *text = getenv("MOHO_TEST_CASES");
  return text ? (unsigned)atoi(text) : usual;
}

static void whatever_may_be_asked_agrees_with_the_reference(void **state) {
  (void)state;
  unsigned cases = cases_of(120), with_contributions = 0;
  size_t failures = 0;
  for (unsigned number = 0; number < cases; number++) {
    edge_case c = edge_case_of_options(number);
    edge_outcome outcome = edge_case_compare(&c);
    failures += outcome.failures + (size_t)outcome.is_refused;
    with_contributions += (unsigned)outcome.has_contributions;
    edge_case_release(&c);
  }
  assert_int_equal(failures, 0);
  print_message("%u of %u cases have contributions\n", with_contributions, cases);
  assert_true(with_contributions > cases / 5);
}

static void whatever_may_be_asked_of_laws_agrees_with_the_reference(void **state) {
  (void)state;
  unsigned cases = cases_of(90), with_contributions = 0, refused = 0;
  size_t failures = 0;
  for (unsigned number = 0; number < cases; number++) {
    edge_case c = edge_case_of_laws(number);
    edge_outcome outcome = edge_case_compare(&c);
    failures += outcome.failures;
    with_contributions += (unsigned)outcome.has_contributions, refused += (unsigned)outcome.is_refused;
    edge_case_release(&c);
  }
  assert_int_equal(failures, 0);
  print_message("%u of %u cases have contributions, %u are refused\n", with_contributions, cases, refused);
  assert_true(with_contributions > cases / 5 && refused < cases / 4);
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
      cmocka_unit_test(whatever_may_be_asked_of_laws_agrees_with_the_reference),
      cmocka_unit_test(options_must_be_given),
      cmocka_unit_test(places_and_times_that_are_no_numbers_are_refused),
      cmocka_unit_test(traces_longer_than_a_float_counts_are_refused),
      cmocka_unit_test(a_grid_beyond_all_memory_is_planned_at_once),
      cmocka_unit_test(as_much_memory_is_held_as_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
