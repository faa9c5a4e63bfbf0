/* test_velocity_cube.c - velocity cubes from SEG-Y and Zarr: their functions come back at their places, bilinear between. */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "moho/image.h"
#include "moho/velocity.h"
#include "survey/grid_json.h"
#include "survey/zarr_store.h"

enum { NI = 5, NJ = 7, NT = 51 };

static double made(double i, double j, double t) {
  return 1600 + 20 * i + 10 * j + 700 * t;
}

static moho_grid lattice(double azimuth) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 512000, grid.origin_y_m = 6123000, grid.inline_azimuth_deg = azimuth;
  grid.n_inline = NI, grid.n_crossline = NJ, grid.inline_spacing_m = 100, grid.crossline_spacing_m = 50;
  grid.inline_first = 200, grid.inline_step = 4, grid.crossline_first = 1000, grid.crossline_step = 2;
  grid.step_s = 0.04, grid.n_time = NT;
  return grid;
}

static double rms_at(const moho_velocity *velocity, const moho_grid *grid, double i, double j, double t) {
  double x0, y0, x1, y1, x2, y2, v = 0;
  moho_grid_node(grid, 0, 0, &x0, &y0);
  moho_grid_node(grid, 1, 0, &x1, &y1);
  moho_grid_node(grid, 0, 1, &x2, &y2);
  assert_ok(moho_velocity_rms(velocity, x0 + i * (x1 - x0) + j * (x2 - x0), y0 + i * (y1 - y0) + j * (y2 - y0), t, 0.004, 1, &v));
  return v;
}

/* Functions at the nodes, half-way between four of them, and beyond the corner. */
static void check_cube(const moho_velocity *velocity, const moho_grid *grid) {
  for (int i = 0; i < NI; i++)
    for (int j = 0; j < NJ; j++)
      for (double t = 0; t < 2; t += 0.13) assert_true(fabs(rms_at(velocity, grid, i, j, t) - made(i, j, t)) < 0.05);
  double sum = 0;
  for (int c = 0; c < 4; c++) sum += 0.25 / pow(made(2 + c / 2, 3 + c % 2, 1), 2);
  assert_true(fabs(rms_at(velocity, grid, 2.5, 3.5, 1) - 1 / sqrt(sum)) < 0.05);
  assert_true(fabs(rms_at(velocity, grid, -3, NJ + 2, 1) - made(0, NJ - 1, 1)) < 0.05);
  assert_true(fabs(rms_at(velocity, grid, 1, 1, 5) - made(1, 1, 2)) < 0.05);
}

/* What cubes hold is made() times this: 1e-4 for eta. */
static double unit = 1;

static void fill_trace(float *trace, double i, double j) {
  for (int k = 0; k < NT; k++) trace[k] = (float)(unit * made(i, j, 0.04 * k));
}

/* with: 1 positions, 2 numbers, 3 both; the last trace twice when `twice`; the first dead when `dead`. */
static const char *write_segy(const char *name, const moho_grid *grid, int with, int twice, int dead) {
  const char *path = test_path(name);
  size_t n = NI * NJ + (twice ? 1 : 0);
  moho_geometry g;
  moho_traces_writer *writer;
  float *samples = calloc(n * NT, sizeof *samples);
  assert_non_null(samples);
  assert_ok(moho_geometry_create(n, &g));
  for (size_t t = 0; t < n; t++) {
    size_t node = t < NI * NJ ? t : NI * NJ - 1, i = node / NJ, j = node % NJ;
    double x, y;
    moho_grid_node(grid, i, j, &x, &y);
    if (with & 1) g.source_x[t] = g.receiver_x[t] = x, g.source_y[t] = g.receiver_y[t] = y;
    if (with & 2) g.inline_number[t] = grid->inline_first + (int32_t)i * grid->inline_step;
    if (with & 2) g.crossline_number[t] = grid->crossline_first + (int32_t)j * grid->crossline_step;
    if (!dead || t) fill_trace(samples + t * NT, (double)i, (double)j);
  }
  assert_ok(moho_traces_writer_create(path, n, NT, 0.04, "velocities", &writer));
  assert_ok(moho_traces_writer_append(writer, &g, samples));
  assert_ok(moho_traces_writer_finish(&writer));
  moho_geometry_release(&g);
  free(samples);
  return path;
}

static void segy_is_read_by_position(void **state) {
  (void)state;
  const double azimuths[] = {0, 37};
  for (int a = 0; a < 2; a++)
    for (int with = 1; with <= 3; with += 2) {
      moho_grid grid = lattice(azimuths[a]);
      moho_velocity *velocity;
      assert_ok(moho_velocity_read_cube(write_segy("v.sgy", &grid, with, 0, 0), NULL, &velocity));
      if (with == 3 || a == 0) { /* turned positions are rounded by the headers: the numbers show the lattice */
        assert_non_null(strstr(moho_velocity_describe(velocity), "35 rms functions, lattice 5 x 7"));
        check_cube(velocity, &grid);
      }
      for (int i = 0; i < NI; i++)
        for (int j = 0; j < NJ; j++) assert_true(fabs(rms_at(velocity, &grid, i, j, 1) - made(i, j, 1)) < 0.05);
      moho_velocity_destroy(&velocity);
    }
}

static void segy_is_read_by_number(void **state) {
  (void)state;
  moho_grid grid = lattice(37);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  const char *path = write_segy("numbers.sgy", &grid, 2, 0, 0);
  assert_fails(moho_velocity_read_cube(path, &options, &velocity), MOHO_ERROR_ARGUMENT, "numbers but no positions");
  options.grid = &grid;
  assert_ok(moho_velocity_read_cube(path, &options, &velocity));
  check_cube(velocity, &grid);
  moho_velocity_destroy(&velocity);
}

static void dead_traces_are_left_out_and_twins_refused(void **state) {
  (void)state;
  moho_grid grid = lattice(0);
  moho_velocity *velocity;
  assert_ok(moho_velocity_read_cube(write_segy("dead.sgy", &grid, 3, 0, 1), NULL, &velocity));
  assert_non_null(strstr(moho_velocity_describe(velocity), "34 rms functions, 34 scattered"));
  assert_true(fabs(rms_at(velocity, &grid, 2, 3, 1) - made(2, 3, 1)) < 0.05);
  moho_velocity_destroy(&velocity);
  assert_fails(moho_velocity_read_cube(write_segy("twice.sgy", &grid, 1, 1, 0), NULL, &velocity), MOHO_ERROR_FORMAT,
               "traces 35 and 36 have one position");
}

/* As velocities, but linear between places; a function of zeros is isotropic, not dead. */
static void eta_cubes_keep_their_zeros(void **state) {
  (void)state;
  moho_grid grid = lattice(0);
  moho_velocity *velocity;
  moho_eta *eta;
  double x0, y0, x1, y1, value[2];
  unit = 1e-4;
  const char *path = write_segy("eta.sgy", &grid, 3, 0, 1);
  unit = 1;
  assert_ok(moho_velocity_create_constant(2000, &velocity));
  assert_ok(moho_eta_read_cube(path, MOHO_ETA_EFFECTIVE, NULL, &eta));
  assert_non_null(strstr(moho_eta_describe(eta), "35 eta functions, lattice 5 x 7"));
  moho_grid_node(&grid, 0, 0, &x0, &y0);
  moho_grid_node(&grid, 0, 1, &x1, &y1);
  for (int place = 0; place <= 2; place++) {
    assert_ok(moho_eta_effective(eta, velocity, x0 + place * (x1 - x0) / 2, y0 + place * (y1 - y0) / 2, 0.4, 0.5, 2, value));
    for (int k = 0; k < 2; k++) assert_true(fabs(value[k] - place * 0.5e-4 * made(0, 1, 0.4 + 0.5 * k)) < 1e-7);
  }
  moho_eta_destroy(&eta);
  unit = 1e-3;
  path = write_segy("large_eta.sgy", &grid, 3, 0, 0);
  unit = 1;
  assert_fails(moho_eta_read_cube(path, MOHO_ETA_EFFECTIVE, NULL, &eta), MOHO_ERROR_RANGE, "eta is 1.6, expected -0.2 to 1");
  assert_null(eta);
  moho_velocity_destroy(&velocity);
}

static void bad_velocities_name_their_place(void **state) {
  (void)state;
  moho_grid grid = lattice(0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.max_mps = 3135;
  const char *path = write_segy("range.sgy", &grid, 1, 0, 0);
  assert_fails(moho_velocity_read_cube(path, &options, &velocity), MOHO_ERROR_RANGE,
               "trace 35 (x 512400.00 m, y 6123300.00 m), time 2 s: velocity");
  assert_int_equal(moho_last_error()->trace, 35);
  assert_null(velocity);
  assert_fails(moho_velocity_read_cube(test_path("absent.sgy"), NULL, &velocity), MOHO_ERROR_NOT_FOUND, "absent");
}

static void interval_cubes_become_rms(void **state) {
  (void)state;
  moho_grid grid = lattice(0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = MOHO_VELOCITY_INTERVAL;
  assert_ok(moho_velocity_read_cube(write_segy("interval.sgy", &grid, 3, 0, 0), &options, &velocity));
  for (double t = 0.02; t < 2; t += 0.17) { /* (1/t) integral of (a + 700 t)^2 */
    double a = made(3, 4, 0), want = sqrt(a * a + a * 700 * t + 700. * 700 * t * t / 3);
    assert_true(fabs(rms_at(velocity, &grid, 3, 4, t) - want) < 0.05);
  }
  moho_velocity_destroy(&velocity);
}

/* ---- Zarr ---- */

enum { WITH_GRID = 1, WITH_POSITIONS = 2, WITH_NUMBERS = 4, WITH_TIME = 8, IN_MS = 16 };

static moho_zarr_layout layout_of(moho_zarr_type type, size_t n_axes, const size_t *shape, const char *const *axes) {
  moho_zarr_layout layout = {.type = type, .n_axes = n_axes, .has_fill = 1, .fill = NAN};
  for (size_t a = 0; a < n_axes; a++) {
    layout.shape[a] = layout.chunk[a] = shape[a];
    snprintf(layout.axes[a], MOHO_ZARR_NAME, "%s", axes[a]);
  }
  return layout;
}

static void put(moho_zarr_writer *writer, const char *name, size_t n_axes, const size_t *shape, const char *const *axes,
                json_t *attributes, moho_zarr_type type, const void *data) {
  moho_zarr_layout layout = layout_of(type, n_axes, shape, axes);
  assert_ok(moho_zarr_writer_put_array(writer, name, &layout, attributes, data));
}

static const char *write_zarr(const char *file, const char *array, const moho_grid *grid, int with) {
  const char *path = test_path(file), *const axes[] = {"inline", "crossline", "time"};
  const size_t shape[] = {NI, NJ, NT};
  static float values[NI * NJ * NT];
  static double x[NI * NJ], y[NI * NJ], number_i[NI], number_j[NJ], time[NT];
  moho_zarr_writer *writer;
  for (size_t node = 0; node < NI * NJ; node++) {
    fill_trace(values + node * NT, (double)(node / NJ), (double)(node % NJ));
    moho_grid_node(grid, node / NJ, node % NJ, &x[node], &y[node]);
  }
  for (size_t i = 0; i < NI; i++) number_i[i] = grid->inline_first + (double)i * grid->inline_step;
  for (size_t j = 0; j < NJ; j++) number_j[j] = grid->crossline_first + (double)j * grid->crossline_step;
  for (size_t k = 0; k < NT; k++) time[k] = (with & IN_MS ? 40 : 0.04) * (double)k;
  assert_ok(moho_zarr_writer_create(path, &writer));
  if (with & WITH_GRID) assert_ok(moho_zarr_writer_set_attributes(writer, json_pack("{s:o}", "grid", moho_grid_to_json(grid))));
  put(writer, array, 3, shape, axes, NULL, MOHO_ZARR_F4, values);
  if (with & WITH_POSITIONS) put(writer, "cdp_x", 2, shape, axes, NULL, MOHO_ZARR_F8, x);
  if (with & WITH_POSITIONS) put(writer, "cdp_y", 2, shape, axes, NULL, MOHO_ZARR_F8, y);
  if (with & WITH_NUMBERS) put(writer, "inline", 1, shape, axes, NULL, MOHO_ZARR_F8, number_i);
  if (with & WITH_NUMBERS) put(writer, "crossline", 1, shape + 1, axes + 1, NULL, MOHO_ZARR_F8, number_j);
  if (with & WITH_TIME)
    put(writer, "time", 1, shape + 2, axes + 2, json_pack("{s:s}", "units", with & IN_MS ? "ms" : "s"), MOHO_ZARR_F8, time);
  assert_ok(moho_zarr_writer_finish(&writer));
  return path;
}

static void zarr_is_read_by_grid_position_or_number(void **state) {
  (void)state;
  moho_grid grid = lattice(127);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  const int ways[] = {WITH_GRID | WITH_TIME, WITH_GRID, WITH_POSITIONS | WITH_TIME | IN_MS, WITH_NUMBERS | WITH_TIME};
  for (int w = 0; w < 4; w++) {
    const char *path = write_zarr("v.zarr", w % 2 ? "velocity" : "anything", &grid, ways[w]);
    options.grid = w == 3 ? &grid : NULL;
    assert_ok(moho_velocity_read_cube(path, &options, &velocity));
    assert_non_null(strstr(moho_velocity_describe(velocity), "lattice 5 x 7"));
    check_cube(velocity, &grid);
    moho_velocity_destroy(&velocity);
  }
}

static void zarr_without_places_or_times_is_refused(void **state) {
  (void)state;
  moho_grid grid = lattice(0);
  moho_velocity *velocity;
  assert_fails(moho_velocity_read_cube(write_zarr("a.zarr", "velocity", &grid, WITH_TIME), NULL, &velocity), MOHO_ERROR_FORMAT,
               "nothing says where");
  assert_fails(moho_velocity_read_cube(write_zarr("b.zarr", "velocity", &grid, WITH_POSITIONS), NULL, &velocity),
               MOHO_ERROR_FORMAT, "no times");
  assert_fails(moho_velocity_read_cube(write_zarr("c.zarr", "velocity", &grid, WITH_NUMBERS | WITH_TIME), NULL, &velocity),
               MOHO_ERROR_ARGUMENT, "numbers but no positions");
  assert_fails(moho_velocity_read_cube(test_directory(), NULL, &velocity), MOHO_ERROR_FORMAT, "no Zarr group");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(segy_is_read_by_position),
      cmocka_unit_test(segy_is_read_by_number),
      cmocka_unit_test(dead_traces_are_left_out_and_twins_refused),
      cmocka_unit_test(eta_cubes_keep_their_zeros),
      cmocka_unit_test(bad_velocities_name_their_place),
      cmocka_unit_test(interval_cubes_become_rms),
      cmocka_unit_test(zarr_is_read_by_grid_position_or_number),
      cmocka_unit_test(zarr_without_places_or_times_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
