/* demigration.c - a demigration: created as a migration, given an image, run for batches of traces. */
#include "moho/demigration.h"

#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/adjoint_run.h"

/* ---- what can be done ---- */

static moho_status refuse_option(const char *key, const char *hint, const char *what) {
  return moho_fail_at((moho_place){.key = key}, hint, MOHO_ERROR_NOT_AVAILABLE, "%s", what);
}

moho_status moho_demigration_supports(const moho_device *device, const moho_migration_options *options) {
  moho_device_report report;
  moho_kernel_choice choice;
  MOHO_TRY(moho_migration_supports(device, options));
  MOHO_TRY(moho_device_describe(device, &report));
  MOHO_TRY(moho_kernel_choose_adjoint(&report, options, &choice));
  if (options->gathers && options->gathers->kind != MOHO_GATHERS_NONE)
    return refuse_option("gathers.kind", "set gathers.kind to none: the stack is demigrated",
                         "image gathers cannot be demigrated");
  if (options->storage == MOHO_STORAGE_HALF)
    return refuse_option("execution.storage", "set execution.storage to float", "storage half cannot be demigrated");
  if (options->mask && choice.candidates[0]->function)
    return refuse_option("execution.device", "set execution.device to cpu", "a mask of samples cannot be demigrated on a device");
  return MOHO_OK;
}

/* ---- create ---- */

static moho_status allocate_shared(moho_demigration *d, double dt_s) {
  const moho_migration *m = d->m;
  size_t threads = (size_t)m->threads;
  MOHO_TRY(moho_allocate(threads * m->axis.n, sizeof *d->weights, "weights", &d->weights));
  MOHO_TRY(moho_allocate(threads * m->axis.stride, sizeof *d->column, "weights", &d->column));
  MOHO_TRY(moho_allocate(d->capacity * m->layout.stride, sizeof *d->sums, "sums of traces", &d->sums));
  return moho_trace_unpreparer_create(&m->options, m->is_line, m->input_samples, dt_s, m->layout.k_max, &m->classes,
                                      &d->unpreparer);
}

moho_status moho_demigration_build(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                   const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                   double dt_s, const moho_adjoint_pieces *pieces, moho_demigration **out) {
  moho_demigration *d;
  *out = NULL;
  MOHO_TRY(moho_demigration_supports(device, options));
  MOHO_TRY(moho_allocate(1, sizeof *d, "demigration", &d));
  if (pieces) d->pieces = *pieces;
  moho_status status = moho_migration_create_adjoint(device, grid, velocity, options, geometry, n_samples, dt_s, &d->m);
  if (!status) d->method = d->m->method == &moho_native_method ? &moho_native_adjoint_method : &moho_device_adjoint_method;
  if (!status && pieces && d->method != &moho_native_adjoint_method)
    status = refuse_option("execution.kernel", "set execution.device to cpu and execution.kernel to auto",
                           "an image larger than memory is demigrated by the processor's own loops alone");
  if (!status) status = d->method->create(d, geometry);
  if (!status) status = allocate_shared(d, dt_s);
  if (status) moho_demigration_destroy(&d);
  *out = d;
  return status;
}

moho_status moho_demigration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                    const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                    double dt_s, moho_demigration **out) {
  return moho_demigration_build(device, grid, velocity, options, geometry, n_samples, dt_s, NULL, out);
}

void moho_demigration_destroy(moho_demigration **demigration) {
  moho_demigration *d = *demigration;
  if (!d) return;
  if (d->method) d->method->destroy(d);
  moho_trace_unpreparer_destroy(&d->unpreparer);
  moho_live_classes_release(&d->pieces.live);
  free(d->weights), free(d->column), free(d->sums);
  moho_migration_destroy(&d->m);
  free(d);
  *demigration = NULL;
}

/* ---- the image ---- */

static moho_status refuse_sample(const moho_migration *m, size_t column, size_t k, double value) {
  const moho_grid *g = &m->grid;
  const moho_window *w = &m->window;
  return moho_fail_at((moho_place){0}, "the image to be demigrated must be finite everywhere", MOHO_ERROR_RANGE,
                      "the image is %g at inline %ld, crossline %ld, %g s", value,
                      (long)g->inline_first + (long)(w->inline_first + column / w->n_crossline) * g->inline_step,
                      (long)g->crossline_first + (long)(w->crossline_first + column % w->n_crossline) * g->crossline_step,
                      g->first_s + (double)k * g->step_s);
}

moho_status moho_demigration_column(const moho_migration *m, size_t column, const float *image, const int32_t *fold,
                                    double *weight, float *out) {
  size_t n = m->axis.n;
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
  int divides = d->m->options.normalise == MOHO_NORMALISE_FOLD;
  if (d->pieces.read) return moho_fail(MOHO_ERROR_ARGUMENT, "this demigration reads its image piece by piece");
  d->has_image = 0;
  if (divides && !fold)
    return moho_fail_at((moho_place){.key = "migration.normalise"}, "give the fold that the migration found", MOHO_ERROR_ARGUMENT,
                        "the adjoint of a migration divided by its fold needs that fold");
  moho_status status = d->method->set_image(d, image, divides ? fold : NULL);
  d->has_image = status == MOHO_OK;
  return status;
}

/* ---- run ---- */

moho_status moho_demigration_run(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                                 moho_progress_function progress, void *user) {
  size_t ns = d->m->input_samples;
  moho_reporter reporter = {.function = progress, .user = user, .begin = moho_seconds(), .stage = "demigrating"};
  if (!d->has_image && !d->pieces.read)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this demigration has no image: moho_demigration_set_image() comes before it runs");
  for (size_t first = 0; first < geometry->n; first += d->capacity) {
    moho_geometry slice = moho_geometry_slice(geometry, first, moho_smaller(d->capacity, geometry->n - first));
    MOHO_TRY(moho_migration_check_geometry(&slice, first, d->m->layout.dt_s));
    MOHO_TRY(d->method->run(d, &slice, like ? like + first * ns : NULL, traces + first * ns, &reporter));
  }
  return MOHO_OK;
}

moho_demigration_counts moho_demigration_get_counts(const moho_demigration *d) {
  return d->counts;
}

size_t moho_demigration_batch_traces(const moho_demigration *d) {
  return d->capacity;
}
