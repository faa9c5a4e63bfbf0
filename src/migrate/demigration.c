/* demigration.c - a demigration: created as a migration, given an image, run for batches of traces. */
#include "moho/demigration.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/adjoint_run.h"

/* ---- what can be done ---- */

moho_status moho_demigration_supports(const moho_device *device, const moho_migration_options *options) {
  moho_device_report report;
  moho_kernel_choice choice;
  MOHO_TRY(moho_migration_supports(device, options));
  MOHO_TRY(moho_device_describe(device, &report));
  MOHO_TRY(moho_kernel_choose(&report, options, &choice));
  if (!report.has_native)
    return moho_fail_at((moho_place){.key = "execution.device"}, "set execution.device to cpu", MOHO_ERROR_NOT_AVAILABLE,
                        "device %s does not demigrate: only the cpu's own loops do", report.uri);
  if (choice.candidates[0]->method != &moho_native_method)
    return moho_fail_at((moho_place){.key = "execution.kernel"}, "set execution.kernel to native, or leave it auto",
                        MOHO_ERROR_NOT_AVAILABLE, "kernel %s does not demigrate, expected native",
                        moho_migration_kernel_name(options->kernel));
  if (options->gathers && options->gathers->kind != MOHO_GATHERS_NONE)
    return moho_fail_at((moho_place){.key = "gathers.kind"}, "set gathers.kind to none: the stack is demigrated",
                        MOHO_ERROR_NOT_AVAILABLE, "image gathers cannot be demigrated");
  return MOHO_OK;
}

/* ---- create ---- */

moho_status moho_demigration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                    const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                    double dt_s, moho_demigration **out) {
  moho_demigration *d;
  *out = NULL;
  MOHO_TRY(moho_demigration_supports(device, options));
  MOHO_TRY(moho_allocate(1, sizeof *d, "demigration", &d));
  moho_status status = moho_migration_create(device, grid, velocity, options, geometry, n_samples, dt_s, &d->m);
  if (!status) status = moho_adjoint_create(d, dt_s);
  if (status) moho_demigration_destroy(&d);
  *out = d;
  return status;
}

void moho_demigration_destroy(moho_demigration **demigration) {
  moho_demigration *d = *demigration;
  if (!d) return;
  moho_adjoint_destroy(d);
  moho_migration_destroy(&d->m);
  free(d);
  *demigration = NULL;
}

/* ---- the image ---- */

static moho_status refuse_sample(const moho_migration *m, size_t column, size_t k, double value) {
  const moho_grid *g = &m->grid;
  return moho_fail_at((moho_place){0}, "the image to be demigrated must be finite everywhere", MOHO_ERROR_RANGE,
                      "the image is %g at inline %ld, crossline %ld, %g s", value,
                      (long)g->inline_first + (long)(column / g->n_crossline) * g->inline_step,
                      (long)g->crossline_first + (long)(column % g->n_crossline) * g->crossline_step,
                      g->first_s + (double)k * g->step_s);
}

/* c(x, t0) I / N into the loops' image. weight: scratch [time]. */
static moho_status set_column(const moho_migration *m, size_t column, const float *image, const int32_t *fold, double *weight) {
  const native_run *r = m->run;
  size_t n = m->axis.n;
  float *out = r->image + column * m->axis.stride;
  MOHO_TRY(moho_migration_column_weights(m, column, weight));
  for (size_t k = 0; k < n; k++) {
    double value = (double)image[column * n + k];
    if (!isfinite(value)) return refuse_sample(m, column, k, value);
    if (fold && fold[column * n + k] > 1) value /= fold[column * n + k];
    out[k] = (float)(weight[k] * value);
  }
  return MOHO_OK;
}

moho_status moho_demigration_set_image(moho_demigration *d, const float *image, const int32_t *fold) {
  const moho_migration *m = d->m;
  moho_status status = MOHO_OK;
  moho_error error = {0};
  int divides = m->options.normalise == MOHO_NORMALISE_FOLD;
  d->has_image = 0;
  if (divides && !fold)
    return moho_fail_at((moho_place){.key = "migration.normalise"}, "give the fold that the migration found", MOHO_ERROR_ARGUMENT,
                        "the adjoint of a migration divided by its fold needs that fold");
#pragma omp parallel for num_threads(m->threads) schedule(static)
  for (size_t column = 0; column < m->n_columns; column++) {
    double *weight = d->weights + (size_t)omp_get_thread_num() * m->axis.n;
    moho_status column_status = set_column(m, column, image, divides ? fold : NULL, weight);
    if (column_status) {
#pragma omp critical(moho_migration_error)
      if (!status) status = column_status, error = moho_error_take();
    }
  }
  d->has_image = status == MOHO_OK;
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- run ---- */

moho_status moho_demigration_run(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                                 moho_progress_function progress, void *user) {
  size_t ns = d->m->input_samples;
  moho_reporter reporter = {.function = progress, .user = user, .begin = moho_seconds(), .stage = "demigrating"};
  if (!d->has_image)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this demigration has no image: moho_demigration_set_image() comes before it runs");
  for (size_t first = 0; first < geometry->n; first += d->capacity) {
    moho_geometry slice = moho_geometry_slice(geometry, first, moho_smaller(d->capacity, geometry->n - first));
    MOHO_TRY(moho_migration_check_geometry(&slice, first, d->m->layout.dt_s));
    MOHO_TRY(moho_adjoint_run(d, &slice, like ? like + first * ns : NULL, traces + first * ns, &reporter));
  }
  return MOHO_OK;
}

moho_demigration_counts moho_demigration_get_counts(const moho_demigration *d) {
  return d->counts;
}

size_t moho_demigration_batch_traces(const moho_demigration *d) {
  return d->capacity;
}
