/* test_angle_runs.c - runs cut by the opening angle are, sample by sample, what the doubles alone decide: on every instruction
 * set, for velocities in which the angle falls, jumps and grows with time, for every law.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "device/cpu/cpu_features.h"
#include "migrate/angle_runs.h"
#include "test_support.h"

enum { N = 700, LOOP_COLUMN = 1 };
static const double STEP = 0.004, DT = 0.002;

typedef struct angle_case {
  moho_velocity *velocity;
  moho_travel_law law;
  moho_column_table table;
  moho_loop_tables loops;
  moho_angle_column column;
  moho_opening_angles angles;
} angle_case;

static angle_case make_case(moho_velocity *velocity, moho_traveltime traveltime, const double *edges, size_t n_edges) {
  angle_case c = {.velocity = velocity};
  moho_gather_bins bins;
  moho_migration_options options = moho_migration_options_default();
  options.traveltime = traveltime;
  assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, edges, n_edges, NULL, 0, &bins));
  assert_ok(moho_opening_angles_create(&bins, &c.angles));
  assert_ok(moho_travel_law_create(&options, velocity, 0, STEP, N, DT, 6000, &c.law));
  assert_ok(moho_column_table_create(&c.law, 0, &c.table));
  assert_ok(moho_column_table_fill(&c.table, &c.law, &options, 0, 0));
  assert_ok(moho_loop_tables_create(&c.law, 2, &c.loops));
  moho_loop_tables_fill(&c.loops, &c.law, LOOP_COLUMN, &c.table);
  assert_ok(moho_angle_column_create(&c.law, &c.column));
  assert_ok(moho_angle_column_fill(&c.law, &c.table.legs, 0, 0, &c.column));
  moho_gather_bins_release(&bins);
  return c;
}

static void drop_case(angle_case *c) {
  moho_angle_column_release(&c->column);
  moho_loop_tables_release(&c->loops);
  moho_column_table_release(&c->table);
  moho_travel_law_release(&c->law);
  moho_opening_angles_release(&c->angles);
  moho_velocity_destroy(&c->velocity);
}

static long exact(const angle_case *c, const moho_angle_query *q, size_t i) {
  moho_leg source = moho_leg_of(&c->law, q->source2), receiver = moho_leg_of(&c->law, q->receiver2);
  double t_s = moho_leg_time(&c->law, q->legs, &source, i), t_r = moho_leg_time(&c->law, q->legs, &receiver, i);
  return moho_opening_bin(&c->angles,
                          moho_opening_cosine(&c->law, q->legs, q->column->v_dt, &q->pair, &source, &receiver, i, t_s, t_r));
}

/* How many samples fell into bins; *searched grows by the samples of edges that were searched for. */
static size_t check_pair(const angle_case *c, moho_native_function cut, const double source[2], const double receiver[2],
                         moho_interval interval, size_t *searched) {
  enum { MOST = 2 * N / 32 + 1 };
  static moho_angle_run runs[N + 20];
  static moho_angle_job jobs[MOST];
  static _Alignas(64) int32_t scratch[N + 64], edges[MOST * 32];
  const moho_angle_search search = {.angles = &c->angles, .law = &c->law, .cut = cut};
  moho_angle_query q = {.legs = &c->table.legs,
                        .loops = &c->loops,
                        .loop_column = LOOP_COLUMN,
                        .column = &c->column,
                        .pair = moho_opening_pair_of(source, receiver),
                        .source2 = source[0] * source[0] + source[1] * source[1],
                        .receiver2 = receiver[0] * receiver[0] + receiver[1] * receiver[1]};
  assert_true(c->angles.edge_stride <= 32 && moho_angle_jobs_most(N) <= MOST);
  size_t n_jobs = moho_angle_jobs_make(&search, &q, interval, edges, jobs), at = 0, binned = 0;
  assert_true(n_jobs <= moho_angle_jobs_most((size_t)(interval.end - interval.first)));
  moho_angle_jobs_search(&search, jobs, n_jobs);
  size_t n = moho_angle_runs_of(&search, &q, jobs, n_jobs, scratch, runs);
  for (size_t k = 0; k < n_jobs; k++) { /* they follow one another */
    assert_int_equal(jobs[k].first, k ? jobs[k - 1].end : interval.first);
    if (jobs[k].falls) *searched += (size_t)(jobs[k].end - jobs[k].first);
  }
  for (int32_t i = interval.first; i < interval.end; i++) {
    long expected = exact(c, &q, (size_t)i), found = -1;
    while (at < n && runs[at].end <= i) at++;
    if (at < n && runs[at].first <= i) found = runs[at].bin;
    if (expected != found) print_error("sample %d: bin %ld, expected %ld\n", i, found, expected);
    assert_int_equal(found, expected);
    binned += found >= 0;
  }
  for (size_t k = 0; k < n; k++) { /* none is empty, neighbours differ */
    assert_true(runs[k].first < runs[k].end && runs[k].first >= interval.first && runs[k].end <= interval.end);
    if (k) assert_true(runs[k - 1].end < runs[k].first || (runs[k - 1].end == runs[k].first && runs[k - 1].bin != runs[k].bin));
  }
  return binned;
}

/* At least `least` of the samples lie where edges are searched for, so that both ways are tried. */
static void check_case(angle_case c, double least) {
  uint64_t seed = 5;
  size_t binned = 0, samples = 0, searched = 0;
  for (moho_simd simd = MOHO_SIMD_SCALAR; simd < MOHO_SIMD_COUNT; simd++) {
    if (!moho_cpu_has_simd(simd)) continue;
    moho_native_function cut = moho_native_pick(&moho_angle_cut, simd);
    for (int pair = 0; pair < 150; pair++) {
      const double spread = pair % 2 ? 3000 : 700;
      double source[2] = {spread * test_normal(&seed), spread * test_normal(&seed)};
      double receiver[2] = {source[0] + 0.3 * spread * test_normal(&seed), source[1] + 0.3 * spread * test_normal(&seed)};
      if (pair % 10 == 0) source[0] = source[1] = 0;                          /* above the column */
      if (pair % 10 == 1) receiver[0] = source[0], receiver[1] = source[1];   /* no offset: no angle */
      if (pair % 10 == 2) receiver[0] = -source[0], receiver[1] = -source[1]; /* on either side */
      moho_interval interval = {(int32_t)(100 * test_uniform(&seed)), N - (int32_t)(100 * test_uniform(&seed))};
      if (pair % 10 == 3) interval = (moho_interval){0, N};
      binned += check_pair(&c, cut, source, receiver, interval, &searched);
      samples += (size_t)(interval.end - interval.first);
    }
  }
  print_message("  %s: %.2f of the samples by edges\n", moho_velocity_describe(c.velocity), (double)searched / (double)samples);
  assert_true(binned > samples / 10 && binned < samples);
  assert_true((double)searched >= least * (double)samples);
  drop_case(&c);
}

static const double wide[] = {0, 10, 20, 30, 45, 60}, narrow[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 40, 80, 160};

static moho_velocity *constant(void) {
  moho_velocity *v;
  assert_ok(moho_velocity_create_constant(2500, &v));
  return v;
}

static moho_velocity *linear(void) {
  moho_velocity *v;
  assert_ok(moho_velocity_create_linear_z(1800, 0.6, &v));
  return v;
}

/* Layers whose interval velocity jumps up and down: the angle grows at each step up. */
static moho_velocity *layered(void) {
  static const char picks[] = "0 0 0 1600\n0 0 500 1600\n0 0 1000 2600\n0 0 1500 2100\n0 0 2000 3800\n0 0 4000 3000\n";
  const char *path = test_path("layers.txt");
  FILE *file = fopen(path, "w");
  moho_velocity *v;
  assert_non_null(file);
  fputs(picks, file);
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = MOHO_VELOCITY_INTERVAL, options.format = "columns", options.columns = "x,y,time_ms,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &v));
  return v;
}

static void straight_rays_at_constant_velocity(void **state) {
  (void)state;
  check_case(make_case(constant(), MOHO_TRAVELTIME_STRAIGHT, wide, 6), 0.4);
  check_case(make_case(constant(), MOHO_TRAVELTIME_STRAIGHT, narrow, 15), 0.4);
}

static void straight_rays_where_velocity_grows(void **state) {
  (void)state;
  check_case(make_case(linear(), MOHO_TRAVELTIME_STRAIGHT, narrow, 15), 0.3);
}

static void layers_that_turn_the_angle_round(void **state) {
  (void)state;
  check_case(make_case(layered(), MOHO_TRAVELTIME_STRAIGHT, narrow, 15), 0.15);
}

static void curved_rays(void **state) {
  (void)state;
  check_case(make_case(linear(), MOHO_TRAVELTIME_CURVED_LINEAR, wide, 6), 0.3);
  check_case(make_case(linear(), MOHO_TRAVELTIME_CURVED_RMS, wide, 6), 0.3);
  check_case(make_case(layered(), MOHO_TRAVELTIME_CURVED_RAY, wide, 6), 0.1);
}

/* Rays of a constant gradient are circles: a leg that comes down at horizontal distance d to depth z leaves the vertical there by
 * the angle of the circle through both ends, centred at the depth -V0/k. */
static void angles_in_a_gradient_are_those_of_circles(void **state) {
  (void)state;
  static const double v0 = 1800, k = 0.6, edges[] = {0, 180};
  angle_case c = make_case(linear(), MOHO_TRAVELTIME_CURVED_LINEAR, edges, 2);
  for (double d = 100; d < 3000; d += 290)
    for (size_t i = 100; i < N; i += 60) {
      double z = v0 * expm1(k * (double)i * STEP / 2) / k, top = v0 / k;
      /* centre (x, -top): equally far from (0, 0) and (d, z), x from the source to the point */
      double x = (d * d + (z + top) * (z + top) - top * top) / (2 * d), radius = hypot(d - x, z + top);
      double sine = (z + top) / radius, angle = 2 * asin(fmin(sine, 1));
      moho_leg leg = moho_leg_of(&c.law, d * d);
      double t = moho_leg_time(&c.law, &c.table.legs, &leg, i), at_source[2] = {d, 0}, at_receiver[2] = {-d, 0};
      moho_opening_pair pair = moho_opening_pair_of(at_source, at_receiver);
      double cosine = moho_opening_cosine(&c.law, &c.table.legs, c.column.v_dt, &pair, &leg, &leg, i, t, t);
      if (d > x) continue; /* the ray turned before: the upgoing branch, whose sine is the same */
      assert_true(fabs(acos(cosine) - angle) < 2e-3);
    }
  drop_case(&c);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(straight_rays_at_constant_velocity),        cmocka_unit_test(straight_rays_where_velocity_grows),
      cmocka_unit_test(layers_that_turn_the_angle_round),          cmocka_unit_test(curved_rays),
      cmocka_unit_test(angles_in_a_gradient_are_those_of_circles),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
