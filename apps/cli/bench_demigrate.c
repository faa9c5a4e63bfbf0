/* bench_demigrate.c - the adjoint timed: a preset's image demigrated into its survey's traces, checked by the dot product. */
#include <math.h>
#include <stdlib.h>

#include "bench_case.h"
#include "command.h"

/* Sums of the dot product test, over the traces of one run. */
typedef struct dot_sums {
  double both, modelled2, recorded2;
} dot_sums;

static moho_status add_dots(const bench_survey *s, size_t first, size_t n, float *buffer, const float *modelled, dot_sums *sums) {
  const float *recorded;
  moho_status status = bench_survey_traces(s, first, n, buffer, &recorded);
  for (size_t i = 0; !status && i < n * s->options.n_samples; i++) {
    sums->both += (double)modelled[i] * (double)recorded[i];
    sums->modelled2 += (double)modelled[i] * (double)modelled[i];
    sums->recorded2 += (double)recorded[i] * (double)recorded[i];
  }
  return status;
}

/* sums: NULL where nothing is to be compared */
static moho_status demigrate(const bench_survey *s, moho_demigration *d, bench_run_seconds *seconds, dot_sums *sums) {
  size_t batch = moho_demigration_batch_traces(d), samples = batch * s->options.n_samples;
  float *modelled = malloc(samples * sizeof *modelled), *buffer = malloc(samples * sizeof *buffer);
  moho_demigration_counts before = moho_demigration_get_counts(d);
  double begin = bench_seconds();
  moho_status status = modelled && buffer ? MOHO_OK : MOHO_ERROR_MEMORY;
  for (size_t first = 0; !status && first < s->geometry.n; first += batch) {
    size_t n = s->geometry.n - first < batch ? s->geometry.n - first : batch;
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, n);
    status = moho_demigration_run(d, &slice, NULL, modelled, progress_step, NULL);
    if (!status && sums) status = add_dots(s, first, n, buffer, modelled, sums);
  }
  moho_demigration_counts after = moho_demigration_get_counts(d);
  *seconds = (bench_run_seconds){.kernel = after.kernel_seconds - before.kernel_seconds,
                                 .prepare = after.prepare_seconds - before.prepare_seconds,
                                 .transfer = after.transfer_seconds - before.transfer_seconds,
                                 .wall = bench_seconds() - begin};
  free(modelled), free(buffer);
  return status;
}

/* <L I, d> = <I, I> for the image I = L* d of the survey. A sum of K floats errs by about sqrt(K)/3 roundings where all have one
 * sign, as at the peaks of I, which weigh most here (docs/demigration.md). */
static void compare(const bench_survey *s, const moho_image *image, const dot_sums *sums, bench_result *out) {
  double image2 = 0;
  size_t cells = s->grid.n_inline * s->grid.n_crossline * s->grid.n_time;
  for (size_t i = 0; i < cells; i++) image2 += (double)image->stack[i] * (double)image->stack[i];
  double error = fabs(sums->both - image2) / sqrt(sums->modelled2 * sums->recorded2);
  double bound = fmax(1e-6, 2e-8 * sqrt((double)out->contributions / (double)cells));
  out->check = (image_check){.n_columns = s->grid.n_inline * s->grid.n_crossline, .error = error, .tolerance = bound};
  out->check.passed = error <= out->check.tolerance && out->contributions == out->counted;
}

moho_status bench_demigrate(const bench_case *c, moho_device *device, const bench_survey *s, const moho_image *image,
                            bench_result *out) {
  moho_demigration *d = NULL;
  dot_sums sums = {0};
  double begin = bench_seconds();
  int *made = &out->runs_made;
  moho_status status = moho_demigration_create(device, &s->grid, s->velocity, &c->options, &s->geometry, s->options.n_samples,
                                               s->options.dt_s, &d);
  if (!status) status = moho_demigration_set_image(d, image->stack, image->fold);
  if (!status) status = demigrate(s, d, &out->first, c->is_checked ? &sums : NULL);
  if (!status) out->counted = moho_demigration_get_counts(d).contributions;
  if (!status) out->first.compile = moho_demigration_get_counts(d).compile_seconds;
  while (!status && *made < c->runs && (!*made || bench_seconds() - begin < c->seconds))
    status = demigrate(s, d, &out->runs[(*made)++], NULL);
  if (!status && c->is_checked) compare(s, image, &sums, out);
  if (!status) out->memory_bytes = moho_demigration_get_counts(d).memory_bytes;
  moho_demigration_destroy(&d);
  return status;
}
