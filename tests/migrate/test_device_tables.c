/* test_device_tables.c - what device kernels are given: split numbers, the order of columns, tables, sizes of the plan. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../physics/physics_support.h"
#include "migrate/aperture.h"
#include "migrate/device_run.h"

static const double DT = 0.002;
enum { NS = 301 };

/* ---- a migration to ask ---- */

typedef struct asked {
  moho_device *device;
  moho_velocity *velocity;
  survey s;
  moho_migration *m;
} asked;

static asked ask(const moho_grid *grid, moho_migration_options options, size_t n_traces) {
  asked a = {.s = survey_create(n_traces, NS, DT)};
  for (size_t k = 0; k < n_traces; k++) survey_place(&a.s, k, grid->origin_x_m + 10 * (double)k, grid->origin_y_m, 300, 30);
  options.kernel = MOHO_KERNEL_V2;
  assert_ok(moho_device_open("cpu?threads=2", &a.device));
  assert_ok(moho_velocity_create_linear_t0(1700, 900, &a.velocity));
  assert_ok(moho_migration_create(a.device, grid, a.velocity, &options, &a.s.geometry, NS, DT, &a.m));
  return a;
}

static void forget(asked *a) {
  moho_migration_destroy(&a->m);
  assert_ok(moho_device_close(&a->device)); /* nothing of it is left */
  moho_velocity_destroy(&a->velocity);
  survey_release(&a->s);
}

/* ---- split numbers ---- */

static void a_split_number_keeps_48_bits(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int i = 0; i < 10000; i++) {
    double x = ldexp(test_normal(&seed), (int)(80 * test_uniform(&seed)) - 40);
    float high, low;
    moho_split(x, &high, &low);
    assert_true(high == (float)x);
    assert_true(fabs((double)high + (double)low - x) <= ldexp(fabs(x), -48));
  }
}

/* Easting and northing of a real survey: positions relative to the origin stay exact to a micrometre. */
static void far_positions_stay_exact(void **state) {
  (void)state;
  moho_grid grid = grid_of(456000.123, 6780000.456, 30, 4, 5, 12.5, 200, DT);
  asked a = ask(&grid, moho_migration_options_default(), 40);
  migrate_trace traces[40];
  uint8_t live[40];
  memset(live, 1, sizeof live);
  live[3] = 0;
  moho_device_fill_traces(a.m, &a.s.geometry, live, NULL, 100, traces);
  for (unsigned k = 0; k < 40; k++) {
    assert_int_equal(traces[k].row, 100 + k);
    assert_int_equal(traces[k].live, k != 3);
    if (k == 3) continue;
    double x = (double)traces[k].source_x + traces[k].source_x_low + grid.origin_x_m;
    assert_true(fabs(x - a.s.geometry.source_x[k]) < 2e-9);
    assert_true(fabs((double)traces[k].half_offset2 + traces[k].half_offset2_low - 150.0 * 150.0) < 1e-6);
    assert_true(traces[k].scale == 1);
  }
  moho_window window = moho_grid_whole(&grid);
  migrate_column column = moho_device_column(&grid, &window, 2 * 5 + 3, 9);
  double x, y;
  moho_grid_node(&grid, 2, 3, &x, &y);
  assert_true(fabs((double)column.x + column.x_low + grid.origin_x_m - x) < 1e-9);
  assert_true(fabs((double)column.y + column.y_low + grid.origin_y_m - y) < 2e-9);
  assert_int_equal(column.row, 9);
  forget(&a);
}

/* ---- tables ---- */

static void slowness_and_radius_are_the_reference_s(void **state) {
  (void)state;
  moho_grid grid = grid_of(0, 0, 0, 3, 3, 25, 500, DT);
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = 700, options.aperture_min_m = 30, options.refine = 2;
  asked a = ask(&grid, options, 3);
  migrate_slowness *table = calloc(2 * 500, sizeof *table);
  double *v = malloc(500 * sizeof *v), radius = 0, dt = DT / 2;
  assert_true(table && v);
  assert_ok(moho_device_fill_slowness(a.m, (uint32_t[]){4, 8}, 2, table));
  assert_ok(moho_velocity_rms(a.velocity, 0, 0, 0, DT, 500, v));
  for (size_t i = 0; i < 500; i++) {
    radius = fmax(radius, moho_aperture_radius(v[i], (double)i * DT / 2, tan(60 * PI / 180), 30, 700));
    double s2 = 1 / (v[i] * dt * v[i] * dt), r2 = moho_aperture_widened(radius) * moho_aperture_widened(radius);
    for (size_t c = 0; c < 2; c++) {
      const migrate_slowness *t = &table[c * 500 + i];
      assert_true(fabs((double)t->s2 + t->s2_low - s2) <= 1e-13 * s2);
      assert_true(fabs((double)t->radius2 + t->radius2_low - r2) <= 1e-13 * r2);
    }
  }
  free(table), free(v);
  forget(&a);
}

/* The product's side of the limit is the root's side of the stretch, for whatever half-offset. */
static void the_mute_decides_as_the_reference(void **state) {
  (void)state;
  moho_grid grid = grid_of(0, 0, 0, 2, 2, 25, 400, DT);
  moho_migration_options options = moho_migration_options_default();
  options.stretch_mute = 0.4;
  asked a = ask(&grid, options, 3);
  migrate_sample *axis = calloc(400, sizeof *axis);
  assert_non_null(axis);
  moho_device_fill_axis(a.m, axis, NULL);
  uint64_t seed = 3;
  int muted = 0;
  for (int i = 0; i < 20000; i++) {
    size_t k = (size_t)(400 * test_uniform(&seed));
    double t1 = (double)k / 2, h2_s2 = 2 * t1 * t1 * test_uniform(&seed);
    int expected = moho_is_stretched(t1, sqrt(t1 * t1 + h2_s2), 1.4), got = h2_s2 > (double)axis[k].mute + axis[k].mute_low;
    assert_int_equal(got, expected);
    muted += got;
    assert_true(fabs((double)axis[k].t1sq + axis[k].t1sq_low - fmax(t1 * t1, 1e-12)) <= 1e-13 * fmax(t1 * t1, 1e-12));
  }
  assert_true(muted > 5000 && muted < 15000);
  free(axis);
  forget(&a);
}

/* The largest value becomes 2^13 .. 2^14 and the scale is a power of two, whatever the trace's size. */
static void half_rows_are_scaled_by_powers_of_two(void **state) {
  (void)state;
  moho_grid grid = grid_of(0, 0, 0, 2, 2, 25, 100, DT);
  moho_migration_options options = moho_migration_options_default();
  options.storage = MOHO_STORAGE_HALF;
  asked a = ask(&grid, options, 4);
  size_t stride = a.m->layout.stride;
  float *rows = calloc(4 * stride, sizeof *rows);
  assert_non_null(rows);
  rows[100] = 3e-7f, rows[stride + 7] = -1, rows[2 * stride + 200] = 8.9e20f; /* row 3 is zero */
  uint8_t live[4] = {1, 1, 1, 1};
  migrate_trace traces[4];
  moho_device_fill_traces(a.m, &a.s.geometry, live, rows, 0, traces);
  const double largest[] = {3e-7, 1, 8.9e20};
  for (int i = 0; i < 3; i++) {
    int exponent;
    assert_true(frexpf(traces[i].scale, &exponent) == 0.5f);
    assert_true(largest[i] / traces[i].scale >= 8192 && largest[i] / traces[i].scale <= 16384);
  }
  assert_true(traces[3].scale == 1);
  free(rows);
  forget(&a);
}

/* ---- order of columns ---- */

static void check_order(size_t n_inline, size_t n_crossline, size_t tile_across, size_t tile_along) {
  moho_window window = {.n_inline = n_inline, .n_crossline = n_crossline};
  moho_device_plan p = {.tile = tile_across * tile_along, .tile_along = tile_along, .tile_across = tile_across};
  p.tiles_along = (n_crossline + tile_along - 1) / tile_along, p.tiles_across = (n_inline + tile_across - 1) / tile_across;
  p.entries = p.tiles_along * p.tiles_across * p.tile;
  uint32_t *flat = malloc(p.entries * sizeof *flat);
  uint8_t *seen = calloc(n_inline * n_crossline, 1);
  assert_true(flat && seen);
  moho_device_order(&p, &window, flat);
  size_t real = 0;
  for (size_t e = 0; e < p.entries; e++) {
    assert_true(e % p.tile || flat[e] != MOHO_PADDING); /* a tile's first column is there */
    if (flat[e] == MOHO_PADDING) continue;
    assert_true(flat[e] < n_inline * n_crossline && !seen[flat[e]]);
    seen[flat[e]] = 1, real++;
    uint32_t first = flat[e / p.tile * p.tile];
    assert_true(flat[e] / n_crossline - first / n_crossline < tile_across);
    assert_true(flat[e] % n_crossline - first % n_crossline < tile_along);
  }
  assert_int_equal(real, n_inline * n_crossline);
  free(flat), free(seen);
}

static void columns_lie_in_compact_tiles(void **state) {
  (void)state;
  check_order(7, 9, 2, 4);
  check_order(1, 40, 1, 8);
  check_order(13, 1, 8, 1);
  check_order(5, 6, 1, 1);
  check_order(1, 1, 2, 4);
}

/* ---- constants, sizes ---- */

static void constants_are_read(void **state) {
  (void)state;
  moho_device_constants c;
  assert_ok(moho_device_constants_parse(NULL, &c));
  assert_int_equal(c.n, 0);
  assert_ok(moho_device_constants_parse("COLUMNS=16,BATCH_TRACES=4096,TOGETHER=2,GROUPS=4", &c));
  assert_int_equal(c.columns, 16);
  assert_int_equal(c.batch_traces, 4096);
  assert_int_equal(c.groups, 4);
  assert_int_equal(c.n, 2); /* the plan's own stay out of the text */
  assert_string_equal(c.names[0], "COLUMNS");
  assert_string_equal(c.names[1], "TOGETHER");
  assert_true(c.values[1] == 2 && c.changes_text);
  assert_fails(moho_device_constants_parse("COLUMNS=16,,", &c), MOHO_ERROR_ARGUMENT, "NAME=whole number");
  assert_fails(moho_device_constants_parse("A=1,B=1,C=1,D=1,E=1,F=1,G=1,H=1,I=1,J=1,K=1,L=1,M=1,N=1,O=1,P=1,Q=1", &c),
               MOHO_ERROR_ARGUMENT, "at most 16");
}

static moho_migration_plan plan_of(size_t memory, moho_migration_kernel kernel, moho_storage storage, size_t n_traces) {
  moho_grid grid = grid_of(0, 0, 0, 20, 20, 25, 500, DT);
  survey s = survey_create(n_traces, 4, DT);
  moho_device *device;
  moho_velocity *velocity;
  moho_migration_plan plan;
  moho_migration_options options = moho_migration_options_default();
  options.memory_bytes = options.device_memory_bytes = memory, options.kernel = kernel, options.storage = storage;
  assert_ok(moho_device_open("cpu?threads=1", &device));
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  assert_ok(moho_migration_make_plan(device, &grid, velocity, &options, &s.geometry, 1000, DT, &plan));
  assert_ok(moho_device_close(&device));
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  return plan;
}

static void batches_shrink_with_the_memory(void **state) {
  (void)state;
  size_t wide = (size_t)4 << 30, tight = (size_t)60 << 20;
  moho_migration_plan v2 = plan_of(wide, MOHO_KERNEL_V2, MOHO_STORAGE_FLOAT, 50000),
                      half = plan_of(wide, MOHO_KERNEL_V2, MOHO_STORAGE_HALF, 50000),
                      small = plan_of(tight, MOHO_KERNEL_V2, MOHO_STORAGE_FLOAT, 50000),
                      few = plan_of(wide, MOHO_KERNEL_V2, MOHO_STORAGE_FLOAT, 1000);
  assert_true(v2.batch_traces > small.batch_traces && small.batch_traces >= 256);
  assert_true(small.memory_bytes <= tight);
  assert_true(half.memory_bytes < v2.memory_bytes);
  assert_int_equal(few.batch_traces, 1000);
  assert_true(v2.memory_bytes > v2.batch_traces * 2 * 1192 * sizeof(float));              /* two batches at least */
  assert_int_equal(plan_of(1, MOHO_KERNEL_V2, MOHO_STORAGE_FLOAT, 50000).kernel[1], '2'); /* planned all the same */
}

/* ---- auto ---- */

/* Kernels differ in the last bits: what measures a little faster today and a little slower tomorrow must not be changed for. */
static void only_a_clearly_faster_kernel_is_changed_for(void **state) {
  (void)state;
  static const char *const names[] = {"v3", "v2"};
  static const struct {
    double seconds[2];
    int chosen;
    const char *words;
  } cases[] = {{{1.0, 1.5}, 0, "v3: 1.50 times as fast as v2 on 700 traces"},
               {{1.0, 1.0}, 0, "v3: 1.00 times as fast as v2"},
               {{1.14, 1.0}, 0, "v3: v2 is 1.14 times as fast on 700 traces, it is taken from 1.15 on"},
               {{1.2, 1.0}, 1, "v2: 1.20 times as fast as v3 on 700 traces"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char reason[160];
    assert_int_equal(moho_device_choose_candidate(names, cases[i].seconds, 700, reason), cases[i].chosen);
    assert_non_null(strstr(reason, cases[i].words));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_split_number_keeps_48_bits),
      cmocka_unit_test(far_positions_stay_exact),
      cmocka_unit_test(slowness_and_radius_are_the_reference_s),
      cmocka_unit_test(the_mute_decides_as_the_reference),
      cmocka_unit_test(half_rows_are_scaled_by_powers_of_two),
      cmocka_unit_test(columns_lie_in_compact_tiles),
      cmocka_unit_test(constants_are_read),
      cmocka_unit_test(batches_shrink_with_the_memory),
      cmocka_unit_test(only_a_clearly_faster_kernel_is_changed_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
