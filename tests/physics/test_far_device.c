/* test_far_device.c - a migration on a device whose memory the host does not reach: traces go up and sums come down in pieces;
 * little memory, commands that fail and a device that is lost in the midst of it. The far device is the cpu behind a wall
 * (tests/device/far_backend.h), so everything but the speed is a real device's.
 */
#include <stdlib.h>
#include <string.h>

#include "far_backend.h"
#include "scenarios.h"

static const moho_migration_kernel ladder[] = {MOHO_KERNEL_BASELINE, MOHO_KERNEL_V1, MOHO_KERNEL_V2, MOHO_KERNEL_V3};
enum { LADDER = sizeof ladder / sizeof *ladder, VARIED = 2 /* a scenario whose tables differ from column to column */ };

static physics_case the_case;

static int make_case(void **state) {
  (void)state;
  the_case = case_of_scenario(&scenarios[VARIED]);
  return 0;
}

static int drop_case(void **state) {
  (void)state;
  case_release(&the_case);
  return 0;
}

static moho_migration_options options_of(moho_migration_kernel kernel, const char *constants) {
  moho_migration_options options = the_case.options;
  options.kernel = kernel, options.constants = constants;
  return options;
}

static moho_status create(moho_device *device, const moho_migration_options *options, moho_migration **out) {
  const survey *s = &the_case.survey;
  return moho_migration_create(device, &the_case.grid, the_case.velocity, options, &s->geometry, s->n_samples, s->dt_s, out);
}

static moho_status add(moho_migration *m, size_t first, size_t n) {
  const survey *s = &the_case.survey;
  moho_geometry part = moho_geometry_slice(&s->geometry, first, n);
  return moho_migration_add(m, &part, s->samples + first * s->n_samples, NULL, NULL);
}

static double bound_of(moho_migration_kernel kernel) {
  return kernel == MOHO_KERNEL_V3 ? 1e-3 : the_case.bound;
}

/* A whole migration, right in the end. */
static void check_whole(moho_device *device, moho_migration_kernel kernel, const char *constants, size_t an_add) {
  moho_migration_options options = options_of(kernel, constants);
  moho_migration *m;
  moho_image image;
  size_t n = the_case.survey.n;
  assert_ok(create(device, &options, &m));
  for (size_t first = 0; first < n; first += an_add) assert_ok(add(m, first, n - first < an_add ? n - first : an_add));
  assert_ok(moho_image_create(&the_case.grid, &image));
  assert_ok(moho_migration_finish(m, &image));
  assert_true(case_agrees(constants, an_add, &the_case, &image, bound_of(kernel), 0));
  moho_migration_counts counts = moho_migration_get_counts(m);
  assert_true(counts.device_bytes > 0 && counts.transfer_seconds > 0 && counts.traces_added == n);
  moho_migration_destroy(&m);
  moho_image_release(&image);
}

/* ---- pieces ---- */

static void any_pieces_give_the_image(void **state) {
  (void)state;
  static const char *const cuts[] = {"PIECE_TRACES=1000", "PIECE_TRACES=1", "PIECE_TRACES=10,BATCH_TRACES=32",
                                     "PIECE_TRACES=7,BATCH_TRACES=17,SLAB_SAMPLES=5000"};
  far_reset();
  moho_device *device = far_open(0);
  for (int k = 0; k < LADDER; k++)
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) check_whole(device, ladder[k], cuts[i], i % 2 ? 5 : SCENARIO_TRACES);
  assert_ok(moho_device_close(&device));
  assert_int_equal(far.live_states, 0);
}

static moho_image gathers_of(moho_device *device, const moho_migration_options *options) {
  moho_migration *m;
  moho_image image;
  assert_ok(create(device, options, &m));
  for (size_t first = 0; first < the_case.survey.n; first += 5)
    assert_ok(add(m, first, the_case.survey.n - first < 5 ? the_case.survey.n - first : 5));
  assert_ok(moho_image_create(&the_case.grid, &image));
  assert_ok(moho_image_add_gathers(&image, options->gathers));
  assert_ok(moho_migration_finish(m, &image));
  moho_migration_destroy(&m);
  return image;
}

/* Traces are sorted by bin behind the wall: the same gathers as the cpu's own loops, from any pieces. */
static void gathers_go_up_and_come_down_in_any_pieces(void **state) {
  (void)state;
  static const char *const cuts[] = {"PIECE_TRACES=1", "PIECE_TRACES=10,BATCH_TRACES=32", "PIECE_TRACES=7,SLAB_SAMPLES=5000"};
  static const double edges[] = {0, 100, 200, 201, 400, 5000};
  moho_gather_bins bins;
  moho_device *cpu;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, edges, 6, NULL, 0, &bins));
  moho_migration_options options = options_of(MOHO_KERNEL_NATIVE, NULL);
  options.gathers = &bins;
  assert_ok(moho_device_open("cpu", &cpu));
  moho_image expected = gathers_of(cpu, &options);
  size_t samples = moho_gather_bins_count(&bins) * image_size(&expected);
  far_reset();
  moho_device *device = far_open(0);
  for (int k = 0; k < LADDER; k++)
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
      options.kernel = ladder[k], options.constants = cuts[i];
      moho_image image = gathers_of(device, &options);
      assert_memory_equal(image.gathers_fold, expected.gathers_fold, samples * sizeof(int32_t));
      assert_true(relative_difference(image.gathers, expected.gathers, samples) < 2 * bound_of(ladder[k]));
      moho_image_release(&image);
    }
  assert_ok(moho_device_close(&device));
  assert_int_equal(far.live_states, 0);
  assert_ok(moho_device_close(&cpu));
  moho_image_release(&expected);
  moho_gather_bins_release(&bins);
}

/* Kernels leave the traces' starts out where the survey's geometry has none: then no trace may come with one. */
static void a_start_that_was_not_told_is_refused(void **state) {
  (void)state;
  physics_case delayed = the_case;
  the_case = case_of_scenario(&scenarios[0]); /* all of its traces begin at 0 */
  far_reset();
  moho_device *device = far_open(0);
  moho_geometry *g = &the_case.survey.geometry;
  for (int k = 0; k < LADDER; k++) {
    moho_migration_options options = options_of(ladder[k], NULL);
    moho_migration *m;
    assert_ok(create(device, &options, &m));
    assert_ok(add(m, 0, 7));
    double before = g->first_sample_s[9];
    g->first_sample_s[9] = 0.004;
    assert_fails(add(m, 7, 10), MOHO_ERROR_ARGUMENT, "a trace begins at 0.004 s; by the survey's geometry all begin at 0 s");
    assert_int_equal(moho_last_error()->trace, 10);
    g->first_sample_s[9] = before;
    moho_migration_destroy(&m);
  }
  assert_ok(moho_device_close(&device));
  case_release(&the_case);
  the_case = delayed;
}

/* ---- little memory ---- */

/* What batches of the whole survey and of 256 traces, the fewest, take; the survey has fewer, so batches are told to shrink. */
static void little_memory_makes_small_batches_or_is_told(void **state) {
  (void)state;
  far_reset();
  moho_device *device = far_open(0);
  moho_migration_options options = options_of(MOHO_KERNEL_V2, NULL);
  const survey *s = &the_case.survey;
  moho_migration_plan plan;
  moho_migration *m;
  assert_ok(
      moho_migration_make_plan(device, &the_case.grid, the_case.velocity, &options, &s->geometry, s->n_samples, s->dt_s, &plan));
  assert_true(plan.device_bytes > 0 && plan.batch_traces >= s->n);
  /* Nine tenths of what is free are taken: with a little more than the plan it runs, and is right. */
  far.memory = plan.device_bytes / 9 * 10 + plan.memory_bytes + 4096;
  check_whole(device, MOHO_KERNEL_V2, "PIECE_TRACES=10", 50);
  assert_ok(moho_device_pool_trim(device));
  far.memory = plan.device_bytes / 2;
  assert_fails(create(device, &options, &m), MOHO_ERROR_TOO_LARGE, "on the device");
  assert_null(m);
  assert_non_null(strstr(moho_last_error()->message, "allowed are"));
  assert_ok(moho_device_close(&device));
}

/* The plan fits, and somebody else takes the memory meanwhile: whichever allocation fails, it is told and nothing is left. */
static void memory_that_ends_is_told(void **state) {
  (void)state;
  int failures = 0, whole = 0;
  for (int k = 0; k < LADDER; k += LADDER - 1)
    for (size_t memory = 0; !whole; memory = memory ? memory + memory / 3 : 2000) {
      far_reset();
      moho_device *device = far_open(0);
      moho_migration_options options = options_of(ladder[k], "BATCH_TRACES=40,PIECE_TRACES=16");
      options.device_memory_bytes = (size_t)1 << 30;
      moho_migration *m;
      moho_image image;
      far.memory = memory;
      assert_ok(moho_image_create(&the_case.grid, &image));
      moho_status status = create(device, &options, &m);
      if (!status) status = add(m, 0, the_case.survey.n);
      if (!status) status = moho_migration_finish(m, &image);
      if (status) {
        assert_int_equal(status, MOHO_ERROR_MEMORY);
        assert_non_null(strstr(moho_last_error()->message, "no room on the shelf"));
        assert_true(moho_last_error()->hint[0]);
        failures++;
      } else {
        assert_true(case_agrees("memory", memory, &the_case, &image, bound_of(ladder[k]), 0));
        whole = 1;
      }
      moho_migration_destroy(&m);
      moho_image_release(&image);
      assert_ok(moho_device_close(&device)); /* and nothing is left */
      assert_int_equal(far.held, 0);
      if (whole && k == 0) {
        whole = 0;
        break;
      }
    }
  assert_true(failures > 10 && whole);
}

/* ---- the device fails ---- */

typedef enum { KILLED, REFUSED, LOST } misfortune;

static void befall(misfortune what) {
  far.kill = what == KILLED, far.refuse_submit = what == REFUSED, far.lose = what == LOST;
}

/* Batches of 32 traces; after `before` traces the device meets its misfortune: the migration fails in its words, by the end at
 * the latest, and the traces are untouched. */
static void check_misfortune(moho_device *device, moho_migration_kernel kernel, misfortune what, size_t before,
                             moho_status expected, const char *words) {
  const survey *s = &the_case.survey;
  moho_migration_options options = options_of(kernel, "BATCH_TRACES=32,PIECE_TRACES=10");
  moho_migration *m;
  moho_image image;
  size_t bytes = s->n * s->n_samples * sizeof *s->samples;
  float *copy = malloc(bytes);
  assert_non_null(copy);
  memcpy(copy, s->samples, bytes);
  assert_ok(moho_image_create(&the_case.grid, &image));
  assert_ok(create(device, &options, &m));
  moho_status status = add(m, 0, before);
  assert_ok(moho_migration_wait(m, NULL, NULL));
  befall(what);
  if (!status) status = add(m, before, s->n - before);
  if (!status) status = moho_migration_finish(m, &image);
  assert_int_equal(status, expected);
  assert_non_null(strstr(moho_last_error()->message, words));
  assert_memory_equal(copy, s->samples, bytes);
  assert_fails(add(m, before, s->n - before), MOHO_ERROR_ARGUMENT, "can only be destroyed");
  assert_fails(moho_migration_finish(m, &image), MOHO_ERROR_ARGUMENT, "not complete");
  moho_migration_get_counts(m);
  moho_migration_destroy(&m);
  moho_image_release(&image);
  free(copy);
}

static void a_failing_command_fails_its_migration_alone(void **state) {
  (void)state;
  for (int k = 0; k < LADDER; k++)
    for (size_t before = 0; before <= 64; before += 32) {
      far_reset();
      moho_device *device = far_open(0);
      check_misfortune(device, ladder[k], KILLED, before, MOHO_ERROR_DEVICE, "far: the command was killed");
      check_misfortune(device, ladder[k], REFUSED, before, MOHO_ERROR_DEVICE, "far: the line is busy");
      befall(KILLED + 3); /* in good health again */
      check_whole(device, ladder[k], "BATCH_TRACES=32,PIECE_TRACES=10", 96);
      assert_ok(moho_device_close(&device));
      assert_int_equal(far.held, 0);
    }
}

static void a_lost_device_is_told_by_every_later_call(void **state) {
  (void)state;
  for (int k = 0; k < LADDER; k++) {
    far_reset();
    moho_device *device = far_open(0);
    moho_migration_options options = options_of(ladder[k], NULL);
    moho_migration *m;
    check_misfortune(device, ladder[k], LOST, 32, MOHO_ERROR_LOST, "fallen off the bus");
    assert_fails(create(device, &options, &m), MOHO_ERROR_LOST, "fallen off the bus");
    assert_null(m);
    assert_ok(moho_device_close(&device));
    assert_int_equal(far.held, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(any_pieces_give_the_image),
      cmocka_unit_test(gathers_go_up_and_come_down_in_any_pieces),
      cmocka_unit_test(a_start_that_was_not_told_is_refused),
      cmocka_unit_test(little_memory_makes_small_batches_or_is_told),
      cmocka_unit_test(memory_that_ends_is_told),
      cmocka_unit_test(a_failing_command_fails_its_migration_alone),
      cmocka_unit_test(a_lost_device_is_told_by_every_later_call),
  };
  return cmocka_run_group_tests(tests, make_case, drop_case);
}
