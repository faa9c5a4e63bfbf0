/* migration_setup.c - what a migration will need, worked out before anything large is allocated. */
#include "migrate/migration_setup.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/device_internal.h"
#include "migrate/antialias.h"
#include "migrate/migration_options.h"
#include "migrate/tile_run.h"

/* A batch of prepared traces takes at most this much; more does not make it faster. */
#define BATCH_BYTES ((size_t)64 << 20)
enum { SMALLEST_BATCH = 64, LARGEST_BATCH = 65536 };

/* The smallest velocity that any column sees. */
static moho_status smallest_velocity(const moho_grid *grid, const moho_velocity *velocity, double *out) {
  double *v;
  MOHO_TRY(moho_allocate(grid->n_time, sizeof *v, "velocity", &v));
  size_t columns = moho_velocity_is_uniform(velocity) ? 1 : grid->n_inline * grid->n_crossline;
  moho_status status = MOHO_OK;
  *out = INFINITY;
  for (size_t c = 0; !status && c < columns; c++) {
    double x, y;
    moho_grid_node(grid, c / grid->n_crossline, c % grid->n_crossline, &x, &y);
    status = moho_velocity_rms(velocity, x, y, grid->first_s, grid->step_s, grid->n_time, v);
    for (size_t i = 0; !status && i < grid->n_time; i++) *out = fmin(*out, v[i]);
  }
  free(v);
  return status;
}

static size_t row_stride(const moho_migration_options *options, size_t n_samples, int k_max) {
  size_t refined = (n_samples - 1) * (size_t)options->refine + 1, padded = refined + 2 * MOHO_ROW_PAD;
  return options->antialias == MOHO_ANTIALIAS_NONE ? padded : 2 * padded + 2 * (size_t)k_max;
}

static moho_status check_sizes(const moho_grid *grid, const moho_migration_options *options, size_t n_samples, double dt_s) {
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_migration_options_check(options));
  if (n_samples < 2 || n_samples > (1u << 24) / (size_t)options->refine)
    return moho_fail(MOHO_ERROR_RANGE, "traces have %zu samples, expected 2 to %u", n_samples,
                     (1u << 24) / (unsigned)options->refine);
  if (!(dt_s > 1e-6 && dt_s < 1)) return moho_fail(MOHO_ERROR_RANGE, "the sample interval is %g s, expected 1e-6 to 1", dt_s);
  if (grid->first_s < 0) return moho_fail(MOHO_ERROR_RANGE, "the image begins at %g s, expected 0 or later", grid->first_s);
  if (grid->n_time > (1u << 24))
    return moho_fail(MOHO_ERROR_RANGE, "the image has %zu time samples, expected at most %u", grid->n_time, 1u << 24);
  if (grid->n_inline * grid->n_crossline > INT32_MAX)
    return moho_fail(MOHO_ERROR_RANGE, "the image has %zu columns, expected at most %d", grid->n_inline * grid->n_crossline,
                     INT32_MAX);
  return MOHO_OK;
}

static void count_bytes(moho_migration_setup *s, const moho_grid *grid, const moho_migration_options *options, size_t n_samples,
                        size_t n_traces) {
  size_t stride = (grid->n_time + 15) / 16 * 16;
  size_t row = row_stride(options, n_samples, s->k_max) * sizeof(float) + sizeof(moho_batch_trace) + 2;
  moho_time_axis axis = {.n = grid->n_time, .stride = stride, .table = stride + 80};
  size_t image = s->columns * (stride * sizeof(float) + (grid->n_time + 1) * sizeof(int32_t) + sizeof(moho_column));
  size_t workers = (size_t)s->threads * moho_tile_worker_bytes(&axis, &s->plan, s->is_uniform);
  s->capacity = BATCH_BYTES / row;
  if (s->capacity > LARGEST_BATCH) s->capacity = LARGEST_BATCH;
  if (s->capacity > n_traces) s->capacity = n_traces;
  if (s->capacity < SMALLEST_BATCH) s->capacity = SMALLEST_BATCH;
  s->bytes = image + workers + s->capacity * row;
}

moho_status moho_migration_set_up(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                  double dt_s, moho_migration_setup *s) {
  *s = (moho_migration_setup){.threads = moho_device_threads(device), .is_uniform = moho_velocity_is_uniform(velocity)};
  MOHO_TRY(check_sizes(grid, options, n_samples, dt_s));
  MOHO_TRY(smallest_velocity(grid, velocity, &s->v_min));
  MOHO_TRY(moho_offset_classes_create(geometry, grid, &s->classes));
  double widest = 0, refined_dt = dt_s / options->refine;
  for (size_t c = 0; c < s->classes.n; c++) widest = fmax(widest, s->classes.spacing_m[c]);
  if (options->antialias == MOHO_ANTIALIAS_TRIANGLE)
    s->k_max = moho_antialias_k_max(options->antialias_factor, widest, s->v_min, refined_dt,
                                    (n_samples - 1) * (size_t)options->refine + 1);
  s->columns = grid->n_inline * grid->n_crossline;
  s->plan = moho_tile_plan_make(grid, options->tile_columns, s->threads);
  count_bytes(s, grid, options, n_samples, geometry->n);
  return MOHO_OK;
}
