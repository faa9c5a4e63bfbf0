/* least_squares.c - least-squares migration by preconditioned conjugate gradients.
 *
 * The normal equations are iterated as they stand, (L* L + lambda/P) x = L* d: a step needs L* L of its direction, which a
 * batch of traces gives on its way through (demigrated, then migrated), so that no residual in data space is kept. The
 * residual's norm follows from |r - a q|^2 = |r|^2 - 2 a <L* r, p> + a^2 |q|^2, q = L p, all sums in double.
 */
#include "moho/least_squares.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/adjoint_run.h"
#include "migrate/migration_options.h"
#include "migrate/trace_mute.h"
#include "migrate/weight.h"

typedef struct solver {
  moho_device *device;
  const moho_grid *grid;
  const moho_velocity *velocity;
  const moho_migration_options *options;
  const moho_geometry *geometry;
  size_t n_samples, batch, columns, cells;
  double dt_s, begin;
  moho_traces_source source;
  void *source_user;
  moho_demigration *demigration;
  moho_image *image;                              /* of each pass; at the end the solution */
  float *solution, *gradient, *direction, *scale; /* [cells]; scale: P */
  float *recorded, *traces;                       /* [batch, n_samples] */
  double *partial;                                /* [columns] of sums */
  double lambda;
  moho_least_squares_counts *counts;
  moho_progress_function progress;
  void *user;
  char stage[64];
} solver;

/* ---- progress ---- */

static int report_progress(void *user, const moho_progress *step) {
  solver *s = user;
  moho_progress progress = *step;
  if (!s->progress) return 0;
  progress.stage = s->stage;
  progress.done += (double)s->counts->contributions;
  progress.seconds = moho_seconds() - s->begin;
  return s->progress(s->user, &progress);
}

/* ---- sums over the image, the same whatever the threads ---- */

/* sum of a b c, c NULL: 1 */
static double sum_product(const solver *s, const float *a, const float *b, const float *c) {
  size_t n = s->grid->n_time;
#pragma omp parallel for schedule(static)
  for (size_t column = 0; column < s->columns; column++) {
    double sum = 0;
    for (size_t k = column * n; k < (column + 1) * n; k++) sum += (double)a[k] * (double)b[k] * (c ? (double)c[k] : 1);
    s->partial[column] = sum;
  }
  double sum = 0;
  for (size_t column = 0; column < s->columns; column++) sum += s->partial[column];
  return sum;
}

/* sum of a^2 / P where P is not zero */
static double sum_unscaled(const solver *s, const float *a) {
  size_t n = s->grid->n_time;
#pragma omp parallel for schedule(static)
  for (size_t column = 0; column < s->columns; column++) {
    double sum = 0;
    for (size_t k = column * n; k < (column + 1) * n; k++)
      if (s->scale[k] > 0) sum += (double)a[k] * (double)a[k] / (double)s->scale[k];
    s->partial[column] = sum;
  }
  double sum = 0;
  for (size_t column = 0; column < s->columns; column++) sum += s->partial[column];
  return sum;
}

/* ---- a pass ---- */

static double sum_of_squares(const float *x, size_t n) {
  double sum = 0;
  for (size_t i = 0; i < n; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}

/* The data themselves, tapered by their mutes: what lies before a mute cannot be fitted. */
static moho_status taper_recorded(const solver *s, const moho_geometry *slice) {
  int filter_follows = moho_rho_resolve(s->options->rho_filter, moho_grid_is_line(s->grid)) != MOHO_RHO_NONE;
  double *weights;
  MOHO_TRY(moho_allocate(s->n_samples, sizeof *weights, "mutes", &weights));
  for (size_t i = 0; i < slice->n; i++) {
    const float *from = s->recorded + i * s->n_samples;
    float *to = s->traces + i * s->n_samples;
    int live =
        moho_trace_mute(slice, i, s->options->zeros_are_data ? NULL : from, s->n_samples, s->dt_s, filter_follows, weights);
    for (size_t j = 0; j < s->n_samples; j++) to[j] = live ? (float)(weights[j] * (double)from[j]) : 0;
  }
  free(weights);
  return MOHO_OK;
}

/* The migration finds a trace's mute from its leading zeros: those of the model are to be those of the data. */
static void keep_mutes(const solver *s, size_t n) {
  for (size_t i = 0; i < n * s->n_samples; i++)
    if (s->recorded[i] != 0 && s->traces[i] == 0) s->traces[i] = FLT_MIN;
}

static moho_status fill_batch(solver *s, const float *model, size_t first, const moho_geometry *slice) {
  MOHO_TRY(s->source(s->source_user, first, slice->n, s->recorded));
  if (!model) return taper_recorded(s, slice);
  MOHO_TRY(moho_demigration_run(s->demigration, slice, s->recorded, s->traces, report_progress, s));
  keep_mutes(s, slice->n);
  return MOHO_OK;
}

static moho_status run_batches(solver *s, const float *model, moho_migration *m, double *energy) {
  for (size_t first = 0; first < s->geometry->n; first += s->batch) {
    moho_geometry slice = moho_geometry_slice(s->geometry, first, moho_smaller(s->batch, s->geometry->n - first));
    MOHO_TRY(fill_batch(s, model, first, &slice));
    *energy += sum_of_squares(s->traces, slice.n * s->n_samples);
    MOHO_TRY(moho_migration_add(m, &slice, s->traces, report_progress, s));
  }
  return MOHO_OK;
}

/* s->image = L* q of the traces q = L model, or of the data where there is no model; *energy = |q|^2. */
static moho_status run_pass(solver *s, const float *model, double *energy) {
  moho_migration *m = NULL;
  moho_demigration_counts before = moho_demigration_get_counts(s->demigration);
  *energy = 0;
  MOHO_TRY(moho_migration_create(s->device, s->grid, s->velocity, s->options, s->geometry, s->n_samples, s->dt_s, &m));
  moho_status status = model ? moho_demigration_set_image(s->demigration, model, NULL) : MOHO_OK;
  if (!status) status = run_batches(s, model, m, energy);
  if (!status) status = moho_migration_finish(m, s->image);
  moho_migration_counts migration = moho_migration_get_counts(m);
  moho_demigration_counts after = moho_demigration_get_counts(s->demigration);
  if (!model) s->counts->migration = migration;
  s->counts->contributions += migration.contributions + after.contributions - before.contributions;
  s->counts->kernel_seconds += migration.kernel_seconds + after.kernel_seconds - before.kernel_seconds;
  moho_migration_destroy(&m);
  return status;
}

/* ---- the preconditioner ---- */

/* P of a column: one over the fold and the squared weight that a zero-offset trace over the column has. */
static moho_status scale_column(const solver *s, size_t column, double *weight) {
  const moho_migration *m = s->demigration->m;
  size_t n = s->grid->n_time;
  MOHO_TRY(moho_migration_column_weights(m, column, weight));
  for (size_t k = 0; k < n; k++) {
    size_t at = column * n + k;
    double leg = (s->grid->first_s + (double)k * s->grid->step_s) / (2 * m->layout.dt_s);
    double w = weight[k] * moho_weight_of_times(m->t_part, leg, leg, (double)s->options->refine);
    double power = (double)s->image->fold[at] * w * w, scale = power > 0 ? 1 / power : 0;
    s->scale[at] = scale < FLT_MAX ? (float)scale : 0;
  }
  return MOHO_OK;
}

static moho_status make_scale(const solver *s) {
  double *weight;
  MOHO_TRY(moho_allocate(s->grid->n_time, sizeof *weight, "weights", &weight));
  moho_status status = MOHO_OK;
  for (size_t column = 0; !status && column < s->columns; column++) status = scale_column(s, column, weight);
  free(weight);
  return status;
}

/* ---- the iteration ---- */

/* b += a x */
static void add_scaled(const solver *s, double a, const float *x, float *b) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < s->cells; i++) b[i] = (float)((double)b[i] + a * (double)x[i]);
}

/* The gradient with damping, scaled: z = P (g - lambda x / P) = P g - lambda x, where there is any P. */
static double scaled_gradient(const solver *s, size_t i) {
  return s->scale[i] > 0 ? (double)s->scale[i] * (double)s->gradient[i] - s->lambda * (double)s->solution[i] : 0;
}

/* <g', P g'> of the gradient g' with damping. */
static double gradient_norm2(const solver *s) {
  size_t n = s->grid->n_time;
#pragma omp parallel for schedule(static)
  for (size_t column = 0; column < s->columns; column++) {
    double sum = 0;
    for (size_t i = column * n; i < (column + 1) * n; i++)
      if (s->scale[i] > 0) sum += scaled_gradient(s, i) * scaled_gradient(s, i) / (double)s->scale[i];
    s->partial[column] = sum;
  }
  double sum = 0;
  for (size_t column = 0; column < s->columns; column++) sum += s->partial[column];
  return sum;
}

static void turn_direction(const solver *s, double beta) {
#pragma omp parallel for schedule(static)
  for (size_t i = 0; i < s->cells; i++) s->direction[i] = (float)(scaled_gradient(s, i) + beta * (double)s->direction[i]);
}

static moho_status iterate(solver *s, const moho_least_squares_options *o, moho_least_squares_step *steps) {
  double data2, residual2, gradient2, first_gradient2;
  snprintf(s->stage, sizeof s->stage, "migrating");
  MOHO_TRY(run_pass(s, NULL, &data2));
  MOHO_TRY(make_scale(s));
  memcpy(s->gradient, s->image->stack, s->cells * sizeof *s->gradient);
  residual2 = data2;
  gradient2 = first_gradient2 = gradient_norm2(s);
  turn_direction(s, 0);
  steps[0] = (moho_least_squares_step){.residual = 1, .gradient = 1, .seconds = moho_seconds() - s->begin};
  for (int k = 0; k < o->iterations && gradient2 > 1e-14 * first_gradient2; k++) {
    double model2, projection = sum_product(s, s->gradient, s->direction, NULL), size2 = sum_unscaled(s, s->direction);
    snprintf(s->stage, sizeof s->stage, "iteration %d of %d", k + 1, o->iterations);
    MOHO_TRY(run_pass(s, s->direction, &model2));
    if (k == 0) s->lambda = o->damping * model2 / size2;
    double curvature = model2 + s->lambda * size2;
    if (!(curvature > 0)) break;
    double alpha = gradient2 / curvature;
    add_scaled(s, alpha, s->direction, s->solution);
    add_scaled(s, -alpha, s->image->stack, s->gradient);
    residual2 += alpha * (alpha * model2 - 2 * projection);
    double next2 = gradient_norm2(s);
    turn_direction(s, next2 / gradient2);
    gradient2 = next2;
    steps[k + 1] = (moho_least_squares_step){.residual = sqrt(fmax(residual2, 0) / data2),
                                             .gradient = sqrt(gradient2 / first_gradient2),
                                             .seconds = moho_seconds() - s->begin};
    s->counts->iterations = k + 1;
  }
  memcpy(s->image->stack, s->solution, s->cells * sizeof *s->solution);
  return MOHO_OK;
}

/* ---- the whole ---- */

static moho_status check(const moho_migration_options *options, const moho_least_squares_options *o) {
  if (o->iterations < 1 || o->iterations > 10000)
    return moho_fail_at((moho_place){.key = "migration.iterations"}, "5 to 20 serve most surveys", MOHO_ERROR_RANGE,
                        "migration.iterations is %d, expected 1 to 10000", o->iterations);
  if (!(o->damping >= 0 && o->damping <= 1e6))
    return moho_fail_at((moho_place){.key = "migration.damping"}, "0 is no damping, 0.01 a little, 1 strong", MOHO_ERROR_RANGE,
                        "migration.damping is %g, expected 0 to 1e6", o->damping);
  if (options->window.n_inline || options->window.n_crossline)
    return moho_fail(MOHO_ERROR_NOT_AVAILABLE, "least-squares migration is of the whole grid, a window is not available");
  if (options->normalise != MOHO_NORMALISE_NONE)
    return moho_fail_at((moho_place){.key = "migration.normalise"},
                        "set migration.normalise to none: the amplitudes of a least-squares image do not grow with the fold",
                        MOHO_ERROR_NOT_AVAILABLE, "migration.iterations does not go with migration.normalise fold");
  return MOHO_OK;
}

/* The migration by the kernel whose adjoint the demigration is: auto might find another one faster. */
static moho_status pair_kernels(const moho_device *device, moho_migration_options *options) {
  moho_device_report report;
  moho_kernel_choice choice;
  MOHO_TRY(moho_device_describe(device, &report));
  MOHO_TRY(moho_kernel_choose_adjoint(&report, options, &choice));
  options->kernel = choice.candidates[0]->kernel;
  return MOHO_OK;
}

static moho_status allocate(solver *s) {
  static const char what[] = "least-squares migration";
  MOHO_TRY(moho_allocate(s->cells, sizeof(float), what, &s->solution));
  MOHO_TRY(moho_allocate(s->cells, sizeof(float), what, &s->gradient));
  MOHO_TRY(moho_allocate(s->cells, sizeof(float), what, &s->direction));
  MOHO_TRY(moho_allocate(s->cells, sizeof(float), what, &s->scale));
  MOHO_TRY(moho_allocate(s->columns, sizeof(double), what, &s->partial));
  MOHO_TRY(moho_allocate(s->batch * s->n_samples, sizeof(float), what, &s->recorded));
  return moho_allocate(s->batch * s->n_samples, sizeof(float), what, &s->traces);
}

moho_status moho_least_squares_migrate(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                       const moho_migration_options *options, const moho_least_squares_options *least_squares,
                                       const moho_geometry *geometry, size_t n_samples, double dt_s, moho_traces_source source,
                                       void *source_user, moho_image *image, moho_least_squares_step *steps,
                                       moho_least_squares_counts *counts, moho_progress_function progress, void *user) {
  moho_migration_options paired = *options;
  solver s = {.device = device,
              .grid = grid,
              .velocity = velocity,
              .options = &paired,
              .geometry = geometry,
              .n_samples = n_samples,
              .dt_s = dt_s,
              .begin = moho_seconds(),
              .source = source,
              .source_user = source_user,
              .image = image,
              .counts = counts,
              .progress = progress,
              .user = user,
              .columns = grid->n_inline * grid->n_crossline};
  *counts = (moho_least_squares_counts){0};
  MOHO_TRY(check(options, least_squares));
  MOHO_TRY(pair_kernels(device, &paired));
  s.cells = s.columns * grid->n_time;
  moho_status status = moho_demigration_create(device, grid, velocity, options, geometry, n_samples, dt_s, &s.demigration);
  if (!status) s.batch = moho_smaller(moho_demigration_batch_traces(s.demigration), geometry->n ? geometry->n : 1);
  if (!status) status = allocate(&s);
  if (!status) status = iterate(&s, least_squares, steps);
  moho_demigration_destroy(&s.demigration);
  free(s.solution), free(s.gradient), free(s.direction), free(s.scale), free(s.partial), free(s.recorded), free(s.traces);
  return status;
}
