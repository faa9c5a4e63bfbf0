/* test_runs.c - the intervals that the fast path finds are those that a test of every sample finds. */
#include <math.h>
#include <stdlib.h>

#include "migrate/aperture.h"
#include "migrate/runs.h"
#include "test_support.h"

enum { N = 701 };

typedef struct medium {
  const char *name;
  double v0, slope, wave; /* v = v0 + slope*t0 + wave*sin(9*t0), m/s */
} medium;

/* Rising so fast that far legs fall with t0; falling; wavy: v*t0 not even growing. */
static const medium media[] = {{"constant", 2500, 0, 0},
                               {"rising", 1800, 600, 0},
                               {"rising fast", 1500, 2500, 0},
                               {"falling", 4000, -900, 0},
                               {"wavy", 3000, 0, 1400}};

static int is_inside(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query,
                     const moho_migration_options *options, int i) {
  double t1 = axis->t1_first + i * axis->t1_step, s2 = table->s2[i];
  if (query->distance > table->radius[i]) return 0;
  if (options->stretch_mute >= 0 && moho_is_stretched(t1, sqrt(t1 * t1 + query->half_offset2 * s2), 1 + options->stretch_mute))
    return 0;
  double u = sqrt(t1 * t1 + query->source2 * s2) + sqrt(t1 * t1 + query->receiver2 * s2) - query->shift;
  return u >= query->low && u <= query->high;
}

static void compare(const moho_column_table *table, const moho_time_axis *axis, const moho_run_query *query,
                    const moho_migration_options *options, int32_t *near) {
  moho_interval found[N / 2 + 1];
  char inside[N] = {0};
  size_t count = moho_runs_find(table, axis, query, near, found);
  for (size_t k = 0; k < count; k++) {
    assert_true(found[k].first < found[k].end);
    assert_true(k == 0 || found[k].first > found[k - 1].end);
    for (int i = found[k].first; i < found[k].end; i++) inside[i] = 1;
  }
  for (int i = 0; i < N; i++) assert_int_equal(inside[i], is_inside(table, axis, query, options, i));
}

static moho_run_query random_query(uint64_t *random, double samples, double latest_start) {
  double h = 2500 * test_uniform(random) * test_uniform(random), x = 6000 * (test_uniform(random) - 0.5) * test_uniform(random);
  double y = 4000 * (test_uniform(random) - 0.5) * test_uniform(random), band = moho_record_band((size_t)samples);
  return (moho_run_query){.distance = hypot(x, y),
                          .source2 = (x - h) * (x - h) + y * y,
                          .receiver2 = (x + h) * (x + h) + y * y,
                          .half_offset2 = h * h,
                          .shift = test_uniform(random) < 0.5 ? 0 : latest_start * (test_uniform(random) - 0.2),
                          .low = -band,
                          .high = samples - 1 + band};
}

static void check_medium(const medium *m, double stretch, double first_s) {
  moho_grid grid = moho_grid_default();
  grid.n_time = N, grid.first_s = first_s, grid.step_s = 0.004;
  moho_migration_options options = moho_migration_options_default();
  options.stretch_mute = stretch;
  double v[N];
  for (int i = 0; i < N; i++) {
    double t0 = first_s + i * grid.step_s;
    v[i] = m->v0 + m->slope * t0 + m->wave * sin(9 * t0);
  }
  moho_time_axis axis;
  moho_column_table table;
  assert_ok(moho_time_axis_create(&grid, 0.002, &axis));
  assert_ok(moho_column_table_create(&axis, stretch >= 0, &table));
  moho_column_table_fill(&table, &axis, &options, v);
  uint64_t random = 7;
  int32_t near = N;
  for (int trial = 0; trial < 4000; trial++) {
    moho_run_query query = random_query(&random, 900 + 900 * test_uniform(&random), 600);
    compare(&table, &axis, &query, &options, &near);
  }
  moho_column_table_release(&table);
  moho_time_axis_release(&axis);
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
  moho_grid grid = moho_grid_default();
  grid.n_time = N, grid.step_s = 0.004;
  moho_migration_options options = moho_migration_options_default();
  options.aperture_min_m = 75;
  double v[N];
  for (int i = 0; i < N; i++) v[i] = 2000 + 300 * sin(0.05 * i);
  moho_time_axis axis;
  moho_column_table table;
  assert_ok(moho_time_axis_create(&grid, 0.004, &axis));
  assert_ok(moho_column_table_create(&axis, 0, &table));
  moho_column_table_fill(&table, &axis, &options, v);
  for (int i = 1; i < N; i++) assert_true(table.radius[i] >= table.radius[i - 1]);
  for (double d = 0; d < 3300; d += 0.37) {
    int32_t expected = 0;
    while (expected < N && table.radius[expected] < d) expected++;
    assert_int_equal(moho_column_first_within(&table, N, d), expected);
  }
  moho_column_table_release(&table);
  moho_time_axis_release(&axis);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(runs_are_what_every_sample_says),
                                     cmocka_unit_test(radius_lookup_finds_the_first_sample)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
