/* physics_support.c - small surveys, wavelets and migrations for the physics tests. */
#include "physics_support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void turn(double deg, double *x, double *y) {
  double s = sin(deg * PI / 180), c = cos(deg * PI / 180), east = *x, north = *y;
  *x = c * east + s * north;
  *y = -s * east + c * north;
}

const char *physics_device(void) {
  const char *uri = getenv("MOHO_DEVICE");
  return uri && *uri ? uri : "cpu?threads=2";
}

int physics_is_small(void) {
  const char *text = getenv("MOHO_TEST_SMALL");
  return text && *text;
}

/* ---- surveys ---- */

survey survey_create(size_t n, size_t n_samples, double dt_s) {
  survey s = {.n = n, .n_samples = n_samples, .dt_s = dt_s};
  assert_ok(moho_geometry_create(n, &s.geometry));
  s.samples = calloc(n * n_samples, sizeof *s.samples);
  assert_non_null(s.samples);
  return s;
}

void survey_release(survey *s) {
  moho_geometry_release(&s->geometry);
  free(s->samples);
  *s = (survey){0};
}

void survey_place(survey *s, size_t k, double x, double y, double offset, double azimuth_deg) {
  double half_x = 0.5 * offset * sin(azimuth_deg * PI / 180), half_y = 0.5 * offset * cos(azimuth_deg * PI / 180);
  s->geometry.source_x[k] = x - half_x, s->geometry.source_y[k] = y - half_y;
  s->geometry.receiver_x[k] = x + half_x, s->geometry.receiver_y[k] = y + half_y;
}

void survey_move(survey *s, double turn_deg, double x, double y) {
  for (size_t k = 0; k < s->n; k++) {
    turn(turn_deg, &s->geometry.source_x[k], &s->geometry.source_y[k]);
    turn(turn_deg, &s->geometry.receiver_x[k], &s->geometry.receiver_y[k]);
    s->geometry.source_x[k] += x, s->geometry.source_y[k] += y;
    s->geometry.receiver_x[k] += x, s->geometry.receiver_y[k] += y;
  }
}

double distance_to(double x, double y, double point_x, double point_y, double point_z) {
  return sqrt((x - point_x) * (x - point_x) + (y - point_y) * (y - point_y) + point_z * point_z);
}

/* ---- wavelets ---- */

double ricker(double hz, double t) {
  double a = PI * hz * t;
  return (1 - 2 * a * a) * exp(-a * a);
}

double ricker_derivative(double hz, double t) {
  double a = PI * hz * t;
  return PI * hz * (4 * a * a - 6) * a * exp(-a * a);
}

enum { TABLE = 40001 };
static const double table_step = 5e-5; /* -0.5 ... 1.5 s */

/* 2/sqrt(pi) * integral of g'(t - s^2) ds, s > 0: the convolution of g' with the kernel 1/sqrt(pi*t) of half an integration. */
static double half_derivative_at(double hz, double t) {
  double sum = 0, ds = 5e-4, last = sqrt(fmax(0, t + 2 / hz));
  for (int i = 0; i * ds < last; i++) sum += (i ? 1 : 0.5) * ricker_derivative(hz, t - i * ds * (i * ds));
  return 2 / sqrt(PI) * ds * sum;
}

double ricker_half_derivative(double hz, double t) {
  static double *table, table_hz;
  if (!table) table = malloc(TABLE * sizeof *table);
  assert_non_null(table);
  if (table_hz != hz)
    for (int i = 0; i < TABLE; i++) table[i] = half_derivative_at(hz, i * table_step - 0.5);
  table_hz = hz;
  double place = (t + 0.5) / table_step;
  if (place < 0 || place >= TABLE - 1) return 0;
  size_t i = (size_t)place;
  return table[i] + (place - (double)i) * (table[i + 1] - table[i]);
}

void survey_add(survey *s, size_t k, wavelet_function w, double hz, double time, double amplitude) {
  float *trace = s->samples + k * s->n_samples;
  for (size_t j = 0; j < s->n_samples; j++)
    trace[j] += (float)(amplitude * w(hz, s->geometry.first_sample_s[k] + (double)j * s->dt_s - time));
}

void survey_fill_with_events(survey *s, double max_hz, uint64_t seed) {
  for (size_t k = 0; k < s->n; k++)
    for (int event = 0; event < 12; event++) {
      double time = s->geometry.first_sample_s[k] + test_uniform(&seed) * (double)s->n_samples * s->dt_s;
      double hz = max_hz / 3 * (0.4 + 0.6 * test_uniform(&seed));
      survey_add(s, k, ricker, hz, time, test_normal(&seed));
    }
}

/* ---- grids ---- */

moho_grid grid_of(double x, double y, double azimuth_deg, size_t n_inline, size_t n_crossline, double spacing, size_t n_time,
                  double dt_s) {
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = x, grid.origin_y_m = y, grid.inline_azimuth_deg = azimuth_deg;
  grid.n_inline = n_inline, grid.n_crossline = n_crossline, grid.n_time = n_time;
  grid.inline_spacing_m = grid.crossline_spacing_m = spacing, grid.step_s = dt_s;
  return grid;
}

void grid_move(moho_grid *grid, double turn_deg, double x, double y) {
  turn(turn_deg, &grid->origin_x_m, &grid->origin_y_m);
  grid->inline_azimuth_deg = fmod(grid->inline_azimuth_deg + turn_deg, 360);
  grid->origin_x_m += x, grid->origin_y_m += y;
}

/* ---- migrations ---- */

moho_migration_options plain_options(double radius_m) {
  moho_migration_options options = moho_migration_options_default();
  options.aperture_max_m = options.aperture_min_m = radius_m;
  options.aperture_taper = 0;
  options.weight = MOHO_WEIGHT_NONE;
  options.rho_filter = MOHO_RHO_NONE;
  return options;
}

moho_image migrate_counted(const char *uri, const moho_grid *grid, const moho_velocity *velocity,
                           const moho_migration_options *options, const survey *s, size_t batch, moho_migration_counts *counts) {
  moho_device *device;
  moho_migration *migration;
  moho_image image;
  moho_device_report report;
  moho_migration_options chosen = *options;
  assert_ok(moho_device_open(uri, &device));
  assert_ok(moho_device_describe(device, &report));
  if (physics_is_small() && !report.has_native && chosen.kernel == MOHO_KERNEL_AUTO) chosen.kernel = MOHO_KERNEL_V3;
  assert_ok(moho_migration_create(device, grid, velocity, &chosen, &s->geometry, s->n_samples, s->dt_s, &migration));
  if (!batch) batch = s->n;
  for (size_t first = 0; first < s->n; first += batch) {
    moho_geometry part = moho_geometry_slice(&s->geometry, first, s->n - first < batch ? s->n - first : batch);
    assert_ok(moho_migration_add(migration, &part, s->samples + first * s->n_samples, NULL, NULL));
  }
  assert_ok(moho_image_create(grid, &image));
  if (options->gathers) assert_ok(moho_image_add_gathers(&image, options->gathers));
  assert_ok(moho_migration_finish(migration, &image));
  moho_migration_counts done = moho_migration_get_counts(migration);
  if (physics_is_small() && !report.has_native) assert_true(done.contributions <= PHYSICS_SMALL_CONTRIBUTIONS);
  if (counts) *counts = done;
  moho_migration_destroy(&migration);
  moho_device_close(&device);
  return image;
}

moho_image migrate(const char *uri, const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                   const survey *s, size_t batch) {
  return migrate_counted(uri, grid, velocity, options, s, batch, NULL);
}

moho_image migrate_constant(const moho_grid *grid, double v_mps, const moho_migration_options *options, const survey *s) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_create_constant(v_mps, &velocity));
  moho_image image = migrate(physics_device(), grid, velocity, options, s, 0);
  moho_velocity_destroy(&velocity);
  return image;
}

size_t image_size(const moho_image *image) {
  return image->grid.n_inline * image->grid.n_crossline * image->grid.n_time;
}

const float *image_column(const moho_image *image, size_t i, size_t j) {
  return image->stack + (i * image->grid.n_crossline + j) * image->grid.n_time;
}

double pick_peak(const float *column, size_t n, double *value) {
  size_t peak = 1;
  for (size_t k = 1; k + 1 < n; k++)
    if (fabsf(column[k]) > fabsf(column[peak])) peak = k;
  double before = column[peak - 1], here = column[peak], after = column[peak + 1], bend = before - 2 * here + after;
  if (value) *value = here;
  return (double)peak + (bend != 0 ? 0.5 * (before - after) / bend : 0);
}

double relative_difference(const float *a, const float *b, size_t n) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < n; i++) {
    difference += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    norm += (double)b[i] * b[i];
  }
  assert_true(norm > 0);
  return sqrt(difference / norm);
}
