/* test_runs.c - the intervals that the fast path finds are those that a test of every sample finds, for every law. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "migrate/aperture.h"
#include "migrate/runs.h"
#include "test_support.h"

enum { N = 701, QUERIES = 2500 };
static const double STEP = 0.004, DT = 0.002;

typedef enum { OF_T0, OF_Z, WAVY } shape;

/* Straight rays: v_rms rising so fast that far legs fall with t0; falling; wavy: v*t0 not even growing. */
typedef struct medium {
  const char *name;
  moho_traveltime law;
  shape shape;
  double v0, slope, eta;
} medium;

static const medium media[] = {{"constant", MOHO_TRAVELTIME_STRAIGHT, OF_T0, 2500, 0, 0},
                               {"rising", MOHO_TRAVELTIME_STRAIGHT, OF_T0, 1800, 600, 0},
                               {"rising fast", MOHO_TRAVELTIME_STRAIGHT, OF_T0, 1500, 2400, 0},
                               {"falling", MOHO_TRAVELTIME_STRAIGHT, OF_T0, 4000, -900, 0},
                               {"wavy", MOHO_TRAVELTIME_STRAIGHT, WAVY, 3000, 1400, 0},
                               {"circles", MOHO_TRAVELTIME_CURVED_LINEAR, OF_Z, 1800, 0.6, 0},
                               {"circles, steep", MOHO_TRAVELTIME_CURVED_LINEAR, OF_Z, 1500, 1.2, 0},
                               {"circles, falling", MOHO_TRAVELTIME_CURVED_LINEAR, OF_Z, 3000, -0.2, 0},
                               {"shifted hyperbola", MOHO_TRAVELTIME_CURVED_RMS, OF_Z, 1800, 0.6, 0},
                               {"shifted hyperbola, rising", MOHO_TRAVELTIME_CURVED_RMS, OF_T0, 1800, 600, 0},
                               {"rays", MOHO_TRAVELTIME_CURVED_RAY, OF_Z, 1800, 0.6, 0},
                               {"rays, rising", MOHO_TRAVELTIME_CURVED_RAY, OF_T0, 1700, 900, 0},
                               {"vti", MOHO_TRAVELTIME_VTI, OF_T0, 1800, 900, 0.2},
                               {"vti, eta < 0", MOHO_TRAVELTIME_VTI, OF_T0, 1800, 900, -0.2},
                               {"vti rational", MOHO_TRAVELTIME_VTI_RATIONAL, OF_T0, 1800, 900, 0.3},
                               {"vti rational, eta < 0", MOHO_TRAVELTIME_VTI_RATIONAL, OF_T0, 1800, 900, -0.2}};

static moho_velocity *wavy_velocity(const medium *m) {
  const char *path = test_path("wavy.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int i = 0; i <= N + 100; i++) fprintf(file, "0 0 %.3f %.6f\n", i * STEP, m->v0 + m->slope * sin(9 * i * STEP));
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &velocity));
  return velocity;
}

static moho_velocity *velocity_of(const medium *m) {
  moho_velocity *velocity;
  if (m->shape == WAVY) return wavy_velocity(m);
  if (m->shape == OF_Z) assert_ok(moho_velocity_create_linear_z(m->v0, m->slope, &velocity));
  else assert_ok(moho_velocity_create_linear_t0(m->v0, m->slope, &velocity));
  return velocity;
}

static int is_inside(const moho_column_table *table, const moho_travel_law *law, const moho_run_query *query,
                     const moho_migration_options *options, int i) {
  double t1 = (law->first_s + i * STEP) / (2 * DT);
  moho_leg source = moho_leg_of(law, query->source2), receiver = moho_leg_of(law, query->receiver2),
           half = moho_leg_of(law, query->window->half_offset2);
  if (query->distance > table->radius[i] || i < query->window->first || i >= query->window->end) return 0;
  if (options->stretch_mute >= 0 &&
      moho_is_stretched(t1, moho_leg_time(law, &table->legs, &half, (size_t)i), 1 + options->stretch_mute))
    return 0;
  double t = moho_leg_time(law, &table->legs, &source, (size_t)i) + moho_leg_time(law, &table->legs, &receiver, (size_t)i);
  return t >= query->window->low && t <= query->window->high;
}

static void compare(const char *name, const moho_column_table *table, const moho_travel_law *law, const moho_run_query *query,
                    const moho_migration_options *options, int32_t *near) {
  moho_interval found[N / 2 + 1];
  char inside[N] = {0};
  size_t count = moho_runs_find(table, law, query, near, found);
  for (size_t k = 0; k < count; k++) {
    assert_true(found[k].first < found[k].end);
    assert_true(k == 0 || found[k].first > found[k - 1].end);
    for (int i = found[k].first; i < found[k].end; i++) inside[i] = 1;
  }
  for (int i = 0; i < N; i++)
    if (inside[i] != is_inside(table, law, query, options, i))
      fail_msg("%s: sample %d is %s, legs of %.1f and %.1f m", name, i, inside[i] ? "in a run" : "in no run",
               sqrt(query->source2), sqrt(query->receiver2));
}

static moho_run_query random_query(uint64_t *random, const moho_travel_law *law, moho_trace_window *window) {
  double h = 2500 * test_uniform(random) * test_uniform(random), x = 6000 * (test_uniform(random) - 0.5) * test_uniform(random);
  double y = 4000 * (test_uniform(random) - 0.5) * test_uniform(random), samples = 900 + 900 * test_uniform(random);
  *window =
      moho_trace_window_of(law, (size_t)samples, test_uniform(random) < 0.5 ? 0 : 600 * (test_uniform(random) - 0.2), h * h);
  if (test_uniform(random) < 0.2) {
    window->first = (int32_t)(300 * test_uniform(random));
    window->end = (int32_t)(300 + 400 * test_uniform(random));
  }
  return (moho_run_query){
      .window = window, .distance = hypot(x, y), .source2 = (x - h) * (x - h) + y * y, .receiver2 = (x + h) * (x + h) + y * y};
}

static void check_medium(const medium *m, double stretch, double first_s) {
  moho_migration_options options = moho_migration_options_default();
  options.stretch_mute = stretch, options.traveltime = m->law;
  moho_velocity *velocity = velocity_of(m);
  moho_eta *eta = NULL;
  if (m->eta < 0 || m->eta > 0) assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, m->eta, &eta));
  options.eta = eta;
  moho_travel_law law;
  moho_column_table table;
  assert_ok(moho_travel_law_create(&options, velocity, first_s, STEP, N, DT, 7000, &law));
  assert_ok(moho_column_table_create(&law, stretch >= 0, &table));
  assert_ok(moho_column_table_fill(&table, &law, &options, 0, 0));
  uint64_t random = 7;
  int32_t near = N;
  for (int trial = 0; trial < QUERIES; trial++) {
    moho_trace_window window;
    moho_run_query query = random_query(&random, &law, &window);
    compare(m->name, &table, &law, &query, &options, &near);
  }
  moho_column_table_release(&table);
  moho_travel_law_release(&law);
  moho_eta_destroy(&eta);
  moho_velocity_destroy(&velocity);
}

static void runs_are_what_every_sample_says(void **state) {
  (void)state;
  for (size_t m = 0; m < sizeof media / sizeof *media; m++) {
    check_medium(&media[m], -1, 0);
    check_medium(&media[m], 0.4, 0);
    check_medium(&media[m], 0.4, 0.3);
  }
}

static void radius_lookup_finds_the_first_sample(void **state) {
  (void)state;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_min_m = 75;
  moho_velocity *velocity = wavy_velocity(&(medium){.v0 = 2000, .slope = 300});
  moho_travel_law law;
  moho_column_table table;
  assert_ok(moho_travel_law_create(&options, velocity, 0, STEP, N, DT, 7000, &law));
  assert_ok(moho_column_table_create(&law, 0, &table));
  assert_ok(moho_column_table_fill(&table, &law, &options, 0, 0));
  for (int i = 1; i < N; i++) assert_true(table.radius[i] >= table.radius[i - 1]);
  for (double d = 0; d < 3300; d += 0.37) {
    int32_t expected = 0;
    while (expected < N && table.radius[expected] < d) expected++;
    assert_int_equal(moho_column_first_within(&table, N, d), expected);
  }
  moho_column_table_release(&table);
  moho_travel_law_release(&law);
  moho_velocity_destroy(&velocity);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_are_what_every_sample_says),
                                     cmocka_unit_test(radius_lookup_finds_the_first_sample)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
