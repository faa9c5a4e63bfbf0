/* bench_survey.c - the survey of a bench dataset, generated once a call, and the double reference on some of its columns. */
#include "bench_survey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"

enum { COLUMNS_A_SIDE = 8, TRACES_AT_ONCE = 16384 };

double bench_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static moho_status out_of_memory(void) {
  fprintf(stderr, "moho: bench: out of memory\n");
  return MOHO_ERROR_MEMORY;
}

/* ---- the survey ---- */

void bench_survey_release(bench_survey *s) {
  moho_geometry_release(&s->geometry);
  moho_grid_release(&s->grid);
  moho_velocity_destroy(&s->velocity);
  moho_eta_destroy(&s->eta);
  free(s->all);
  *s = (bench_survey){0};
}

/* Kept when it takes at most half of the memory that is free. */
static moho_status fits_in_memory(double bytes, int *fits) {
  moho_device *device;
  moho_device_report report;
  moho_status status = moho_device_open("cpu", &device);
  if (status) return status;
  status = moho_device_describe(device, &report);
  moho_device_close(&device);
  *fits = !status && bytes <= 0.5 * (double)report.memory_free_bytes;
  return status;
}

static moho_status create(const char *dataset, bench_survey *s) {
  int keep = 0;
  snprintf(s->dataset, sizeof s->dataset, "%s", dataset);
  moho_status status = moho_synth_options_preset(dataset, &s->options);
  s->options.noise = 0; /* the bound on the difference from the reference is one for band-limited data */
  size_t n = status ? 0 : moho_synth_trace_count(&s->options);
  double bytes = (double)n * (double)s->options.n_samples * sizeof(float);
  if (!status) status = moho_synth_grid(&s->options, &s->grid);
  if (!status) status = moho_geometry_create(n, &s->geometry);
  if (!status) status = fits_in_memory(bytes, &keep);
  if (!status && keep) {
    s->all = malloc((size_t)bytes);
    if (!s->all) return out_of_memory();
  }
  return status ? status : moho_synth_generate(&s->options, 0, n, &s->geometry, s->all);
}

moho_status bench_survey_use(const char *dataset, const char *velocity, bench_survey *s, bench_reference *reference) {
  moho_status status = MOHO_OK;
  if (strcmp(s->dataset, dataset) != 0) {
    moho_eta *eta = s->eta; /* the case's, whatever the survey */
    s->eta = NULL;
    bench_survey_release(s);
    bench_reference_release(reference);
    double begin = bench_seconds();
    status = create(dataset, s);
    s->eta = eta;
    s->generate_seconds = bench_seconds() - begin;
  }
  if (!status && strcmp(s->velocity_word, velocity) != 0) {
    moho_velocity_destroy(&s->velocity);
    bench_reference_release(reference);
    snprintf(s->velocity_word, sizeof s->velocity_word, "%s", velocity);
    if (strcmp(velocity, "linear_z") == 0) status = moho_velocity_create_linear_z(1800, 0.6, &s->velocity);
    else status = moho_velocity_create_constant(s->options.v0_mps, &s->velocity);
  }
  if (status) bench_survey_release(s);
  return status;
}

moho_status bench_survey_eta(moho_migration_options *options, bench_survey *s) {
  if (options->traveltime != MOHO_TRAVELTIME_VTI && options->traveltime != MOHO_TRAVELTIME_VTI_RATIONAL) return MOHO_OK;
  moho_status status = s->eta ? MOHO_OK : moho_eta_create_constant(MOHO_ETA_EFFECTIVE, 0.1, &s->eta);
  options->eta = s->eta;
  return status;
}

moho_status bench_survey_traces(const bench_survey *s, size_t first, size_t count, float *buffer, const float **out) {
  *out = s->all ? s->all + first * s->options.n_samples : buffer;
  return s->all ? MOHO_OK : moho_synth_generate(&s->options, first, count, NULL, buffer);
}

/* ---- the reference ---- */

void bench_reference_release(bench_reference *r) {
  free(r->columns);
  free(r->image);
  free(r->fold);
  *r = (bench_reference){.side = r->side};
}

static moho_status choose_columns(const bench_survey *s, bench_reference *r) {
  size_t ni = s->grid.n_inline, nj = s->grid.n_crossline, side = r->side ? r->side : COLUMNS_A_SIDE;
  int all = !r->side && strcmp(s->dataset, "tiny") == 0;
  r->n_columns = all ? ni * nj : side * side;
  r->columns = calloc(r->n_columns, sizeof *r->columns);
  r->image = calloc(r->n_columns * s->grid.n_time, sizeof *r->image);
  r->fold = calloc(r->n_columns * s->grid.n_time, sizeof *r->fold);
  if (!r->columns || !r->image || !r->fold) return out_of_memory();
  for (size_t k = 0; k < r->n_columns; k++) {
    size_t i = (2 * (k / side) + 1) * ni / (2 * side), j = (2 * (k % side) + 1) * nj / (2 * side);
    r->columns[k] = all ? k : i * nj + j;
  }
  return MOHO_OK;
}

static moho_status add_all(const bench_survey *s, moho_reference *reference) {
  float *buffer = s->all ? NULL : malloc(TRACES_AT_ONCE * s->options.n_samples * sizeof *buffer);
  moho_status status = s->all || buffer ? MOHO_OK : out_of_memory();
  double begin = bench_seconds();
  for (size_t first = 0; !status && first < s->geometry.n; first += TRACES_AT_ONCE) {
    size_t count = s->geometry.n - first < TRACES_AT_ONCE ? s->geometry.n - first : TRACES_AT_ONCE;
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, count);
    const float *traces;
    moho_progress progress = {.stage = "reference",
                              .unit = "traces",
                              .done = (double)first,
                              .total = (double)s->geometry.n,
                              .seconds = bench_seconds() - begin};
    status = bench_survey_traces(s, first, count, buffer, &traces);
    if (!status) status = moho_reference_add(reference, &slice, traces);
    if (!status && progress_step(NULL, &progress)) status = MOHO_ERROR_INTERRUPTED;
  }
  free(buffer);
  return status;
}

/* The reference knows neither kernel nor storage. */
static int is_made_for(const bench_reference *r, const moho_migration_options *o) {
  return r->is_made && r->options.traveltime == o->traveltime && r->options.interpolation == o->interpolation &&
         r->options.antialias == o->antialias && r->options.weight == o->weight && r->options.gathers == o->gathers;
}

static moho_status make(const bench_survey *s, const moho_migration_options *options, bench_reference *r) {
  moho_reference *reference;
  double begin = bench_seconds();
  bench_reference_release(r);
  moho_status status = choose_columns(s, r);
  if (status) return status;
  status = moho_reference_create(&s->grid, s->velocity, options, &s->geometry, s->options.n_samples, s->options.dt_s, r->columns,
                                 r->n_columns, &reference);
  if (status) return status;
  status = add_all(s, reference);
  if (!status) status = moho_reference_finish(reference, r->image, r->fold);
  moho_reference_destroy(&reference);
  r->is_made = !status, r->options = *options, r->seconds = bench_seconds() - begin;
  return status;
}

moho_status bench_check_image(const bench_survey *s, const moho_migration_options *options, const moho_image *image,
                              double tolerance, bench_reference *r, image_check *out) {
  moho_status status = is_made_for(r, options) ? MOHO_OK : make(s, options, r);
  if (status) return status;
  image_compare(image, s->grid.n_time, r->columns, r->n_columns, r->image, r->fold, tolerance, out);
  return MOHO_OK;
}
