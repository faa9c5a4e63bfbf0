/* migration_setup.c - what a migration will need, worked out before anything large is allocated. */
#include "migrate/migration_setup.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "device/device_internal.h"
#include "migrate/antialias.h"
#include "migrate/migration_internal.h"
#include "migrate/migration_options.h"
#include "migrate/weight.h"

/* Looked at for a device's progress, where contributions are only known at the end. */
enum { PROGRESS_TRACES = 100, PROGRESS_COLUMNS = 100 };
/* Refined samples of a trace: the record's widened ends and a loop's windows then stay within a row's pads (MOHO_ROW_PAD). */
enum { LONGEST_TRACE = 1 << 22 };
/* Samples by which a trace may begin before or after time zero: a float still counts them one by one. */
#define LATEST_START 0x1p24

/* Columns looked at for the smallest velocity where that is only told to people. */
enum { SAMPLED_COLUMNS = 10000 };

/* Of columns c = thread, thread + threads, ..., step apart. */
static moho_status smallest_of(const moho_grid *grid, const moho_velocity *velocity, size_t columns, size_t step, double *out) {
  double *v, least = INFINITY;
  MOHO_TRY(moho_allocate(grid->n_time, sizeof *v, "velocity", &v));
  size_t begin = (size_t)omp_get_thread_num() * step, stride = (size_t)omp_get_num_threads() * step;
  moho_status status = MOHO_OK;
  for (size_t c = begin; !status && c < columns; c += stride) {
    double x, y;
    moho_grid_node(grid, c / grid->n_crossline, c % grid->n_crossline, &x, &y);
    status = moho_velocity_rms(velocity, x, y, grid->first_s, grid->step_s, grid->n_time, v);
    for (size_t i = 0; !status && i < grid->n_time; i++) least = fmin(least, v[i]);
  }
  free(v);
  *out = least;
  return status;
}

/* The smallest velocity that any column of the whole grid sees; of a large grid from a sample of columns, unless the antialias'
 * widest filter follows from it. */
static moho_status smallest_velocity(const moho_grid *grid, const moho_velocity *velocity, int is_exact, int threads,
                                     double *out) {
  size_t columns = moho_velocity_is_uniform(velocity) ? 1 : grid->n_inline * grid->n_crossline;
  size_t step = is_exact || columns < 10 * SAMPLED_COLUMNS ? 1 : columns / SAMPLED_COLUMNS + 1;
  moho_status status = MOHO_OK;
  moho_error error = {0};
  double least = INFINITY;
#pragma omp parallel num_threads(threads) if (columns > 1)
  {
    double of_thread;
    moho_status own = smallest_of(grid, velocity, columns, step, &of_thread);
#pragma omp critical(moho_migration_error)
    {
      if (own && !status) status = own, error = moho_error_take();
      if (!own) least = fmin(least, of_thread);
    }
  }
  *out = least;
  return status ? moho_error_set(&error) : MOHO_OK;
}

moho_status moho_migration_check_geometry(const moho_geometry *geometry, uint64_t first, double refined_dt_s) {
  for (size_t i = 0; i < geometry->n; i++) {
    if (!moho_geometry_is_live(geometry, i)) continue;
    moho_place place = {.trace = (int64_t)(first + i + 1)};
    double start = geometry->first_sample_s[i];
    if (!isfinite(geometry->source_x[i] + geometry->source_y[i] + geometry->receiver_x[i] + geometry->receiver_y[i]))
      return moho_fail_at(
          place, "flag the trace MOHO_TRACE_NO_POSITION, or check where its coordinates come from", MOHO_ERROR_RANGE,
          "trace %lld: source (%g, %g), receiver (%g, %g), expected finite coordinates in metres", (long long)place.trace,
          geometry->source_x[i], geometry->source_y[i], geometry->receiver_x[i], geometry->receiver_y[i]);
    if (!(fabs(start / refined_dt_s) <= LATEST_START))
      return moho_fail_at(place, "check the delay recording time (bytes 109-110) and its scalar, or give input.first_sample_s",
                          MOHO_ERROR_RANGE, "trace %lld begins at %g s, expected within %g s of time zero",
                          (long long)place.trace, start, LATEST_START * refined_dt_s);
  }
  return MOHO_OK;
}

static moho_status check_sizes(const moho_grid *grid, const moho_migration_options *options, size_t n_samples, double dt_s) {
  MOHO_TRY(moho_grid_check(grid));
  MOHO_TRY(moho_migration_options_check(options));
  MOHO_TRY(moho_grid_check_window(grid, &options->window));
  if (n_samples < 2 || n_samples > LONGEST_TRACE / (size_t)options->refine)
    return moho_fail(MOHO_ERROR_RANGE, "traces have %zu samples, expected 2 to %d", n_samples, LONGEST_TRACE / options->refine);
  if (!(dt_s > 1e-6 && dt_s < 1)) return moho_fail(MOHO_ERROR_RANGE, "the sample interval is %g s, expected 1e-6 to 1", dt_s);
  if (grid->first_s < 0) return moho_fail(MOHO_ERROR_RANGE, "the image begins at %g s, expected 0 or later", grid->first_s);
  if (grid->n_time > (1u << 24))
    return moho_fail(MOHO_ERROR_RANGE, "the image has %zu time samples, expected at most %u", grid->n_time, 1u << 24);
  if (grid->n_inline * grid->n_crossline > INT32_MAX)
    return moho_fail_at((moho_place){.key = "grid"}, "use wider spacing or a smaller grid; one axis may be in the wrong unit",
                        MOHO_ERROR_RANGE, "the image has %zu columns, expected at most %d", grid->n_inline * grid->n_crossline,
                        INT32_MAX);
  return MOHO_OK;
}

moho_status moho_migration_set_up(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                  double dt_s, int is_adjoint, moho_migration_setup *s) {
  *s = (moho_migration_setup){.threads = moho_device_threads(device), .is_adjoint = is_adjoint};
  moho_device_report report;
  MOHO_TRY(check_sizes(grid, options, n_samples, dt_s));
  MOHO_TRY(moho_device_describe(device, &report));
  MOHO_TRY((is_adjoint ? moho_kernel_choose_adjoint : moho_kernel_choose)(&report, options, &s->choice));
  MOHO_TRY(moho_migration_check_geometry(geometry, 0, dt_s / options->refine));
  MOHO_TRY(smallest_velocity(grid, velocity, options->antialias != MOHO_ANTIALIAS_NONE, s->threads, &s->v_min));
  MOHO_TRY(moho_weight_classes(options, geometry, grid, &s->classes));
  double widest = 0, refined_dt = dt_s / options->refine;
  MOHO_TRY(moho_travel_law_create(options, velocity, grid->first_s, grid->step_s, grid->n_time, refined_dt,
                                  moho_travel_longest(options, geometry), &s->law));
  s->is_uniform = s->law.is_uniform;
  for (size_t c = 0; c < s->classes.n; c++) widest = fmax(widest, s->classes.spacing_m[c]);
  if (options->antialias != MOHO_ANTIALIAS_NONE)
    s->k_max = moho_antialias_k_max(options->antialias_factor, widest, s->v_min / moho_travel_steepest(s->law.kind), refined_dt,
                                    (n_samples - 1) * (size_t)options->refine + 1);
  s->allowed = options->memory_bytes ? options->memory_bytes : moho_machine_memory_free() / 5 * 4;
  size_t free_bytes = report.memory_free_bytes;
  if (report.working_set_bytes && report.working_set_bytes < free_bytes) free_bytes = report.working_set_bytes;
  s->device_allowed = options->device_memory_bytes ? options->device_memory_bytes : free_bytes / 10 * 9;
  return moho_migration_size_window(&report, grid, options, geometry, n_samples, s);
}

moho_status moho_migration_size_window(const moho_device_report *report, const moho_grid *grid,
                                       const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                       moho_migration_setup *s) {
  s->window = options->window.n_inline || options->window.n_crossline ? options->window : moho_grid_whole(grid);
  s->columns = s->window.n_inline * s->window.n_crossline;
  s->bins = moho_gather_bins_count(options->gathers);
  if (!s->bins) s->bins = 1;
  if (s->columns > INT32_MAX / s->bins)
    return moho_fail_at((moho_place){.key = "gathers"}, "use fewer bins or a smaller grid", MOHO_ERROR_RANGE,
                        "%zu columns of %zu bins each, expected at most %d together", s->columns, s->bins, INT32_MAX);
  moho_migration_size_query query = {
      .report = report, .grid = grid, .window = &s->window, .options = options, .geometry = geometry, .n_samples = n_samples};
  if (s->choice.candidates[0]->function && geometry->n) {
    MOHO_TRY(moho_migration_estimate(grid, &s->window, &s->law, options, geometry, n_samples, PROGRESS_TRACES, PROGRESS_COLUMNS,
                                     &s->contributions_a_trace));
    s->contributions_a_trace /= (double)geometry->n;
  }
  MOHO_TRY(s->choice.candidates[0]->method->size(s, &query));
  if (moho_weight_counts_classes(options)) s->bytes += moho_live_classes_bytes(s->classes.n, s->columns);
  return MOHO_OK;
}

void moho_migration_setup_release(moho_migration_setup *s) {
  moho_offset_classes_release(&s->classes);
  moho_travel_law_release(&s->law);
}
