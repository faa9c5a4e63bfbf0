/* bench_case.c - one case: a preset's survey generated in memory, migrated onto its midpoint lattice, timed. */
#include "bench_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"

/* Surveys up to this size are generated once and kept; larger ones batch by batch, outside the clock. */
#define KEPT_BYTES ((double)1e9)

typedef struct bench_data {
  moho_synth_options survey;
  moho_geometry geometry; /* of all traces */
  moho_grid grid;
  moho_velocity *velocity;
  float *all; /* NULL: too large to keep */
} bench_data;

static moho_status out_of_memory(void) {
  fprintf(stderr, "moho: bench: out of memory\n");
  return MOHO_ERROR_MEMORY;
}

static void data_release(bench_data *d) {
  moho_geometry_release(&d->geometry);
  moho_grid_release(&d->grid);
  moho_velocity_destroy(&d->velocity);
  free(d->all);
  *d = (bench_data){0};
}

static moho_status data_create(const bench_case *c, bench_data *d) {
  moho_status status = moho_synth_options_preset(c->dataset, &d->survey);
  size_t n = status ? 0 : moho_synth_trace_count(&d->survey);
  double bytes = (double)n * (double)d->survey.n_samples * sizeof(float);
  if (!status) status = moho_synth_grid(&d->survey, &d->grid);
  if (!status) status = moho_velocity_create_constant(d->survey.v0_mps, &d->velocity);
  if (!status) status = moho_geometry_create(n, &d->geometry);
  if (!status && bytes <= KEPT_BYTES) {
    d->all = malloc((size_t)bytes);
    if (!d->all) return out_of_memory();
  }
  return status ? status : moho_synth_generate(&d->survey, 0, n, &d->geometry, d->all);
}

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* All traces through the migration; the clock of the processor runs only while it works. */
static moho_status add_all(const bench_data *d, moho_migration *m, double *processor) {
  size_t ns = d->survey.n_samples, batch = moho_migration_batch_traces(m), n = d->geometry.n;
  float *buffer = d->all ? NULL : malloc(batch * ns * sizeof *buffer);
  if (!d->all && !buffer) return out_of_memory();
  moho_status status = MOHO_OK;
  for (size_t first = 0; !status && first < n; first += batch) {
    size_t count = n - first < batch ? n - first : batch;
    moho_geometry slice = moho_geometry_slice(&d->geometry, first, count);
    if (buffer) status = moho_synth_generate(&d->survey, first, count, NULL, buffer);
    double begin = processor_seconds();
    if (!status) status = moho_migration_add(m, &slice, buffer ? buffer : d->all + first * ns, progress_step, NULL);
    *processor += processor_seconds() - begin;
  }
  free(buffer);
  return status;
}

static moho_status run_once(const bench_case *c, const bench_data *d, moho_device *device, int run, bench_result *out) {
  moho_migration *m;
  moho_status status =
      moho_migration_create(device, &d->grid, d->velocity, &c->options, &d->geometry, d->survey.n_samples, d->survey.dt_s, &m);
  if (status) return status;
  status = add_all(d, m, &out->processor_seconds[run]);
  moho_migration_counts counts = moho_migration_get_counts(m);
  out->seconds[run] = counts.kernel_seconds;
  out->contributions = counts.contributions;
  moho_migration_destroy(&m);
  return status;
}

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double sort_and_median(double *seconds, int n) {
  qsort(seconds, (size_t)n, sizeof *seconds, compare_seconds);
  return n % 2 ? seconds[n / 2] : 0.5 * (seconds[n / 2 - 1] + seconds[n / 2]);
}

moho_status bench_run(const bench_case *c, bench_result *out) {
  bench_data d = {0};
  moho_device *device = NULL;
  *out = (bench_result){0};
  moho_status status = moho_device_open(c->device_uri, &device);
  if (!status) status = moho_device_describe(device, &out->device);
  if (!status) status = data_create(c, &d);
  out->traces = d.geometry.n, out->samples = d.survey.n_samples;
  out->n_inline = d.grid.n_inline, out->n_crossline = d.grid.n_crossline, out->n_time = d.grid.n_time;
  for (int run = 0; !status && run < c->runs; run++) status = run_once(c, &d, device, run, out);
  if (!status) {
    out->median = sort_and_median(out->seconds, c->runs);
    out->processor_median = sort_and_median(out->processor_seconds, c->runs);
  }
  data_release(&d);
  if (device) moho_device_close(&device);
  return status;
}

json_t *bench_json(const bench_case *c, const bench_result *r) {
  const moho_migration_options *o = &c->options;
  double contributions = (double)r->contributions;
  double rate = r->median > 0 ? contributions / r->median : 0;
  json_t *chosen = json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f}", "interpolation", c->interpolation, "antialias",
                             c->antialias, "weight", c->weight, "rho_filter", "none", "refine", o->refine, "max_m",
                             o->aperture_max_m, "max_dip_deg", o->aperture_max_dip_deg, "taper", o->aperture_taper);
  return json_pack(
      "{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:o, s:I, s:I, s:[I, I, I], s:i, s:I, s:{s:f, s:f, s:f}, s:f, s:f, s:f, s:i, s:s, s:s}",
      "bench", "migrate", "device", "uri", r->device.uri, "name", r->device.name, "simd", r->device.simd, "kernel", "auto",
      "dataset", c->dataset, "options", chosen, "traces", (json_int_t)r->traces, "samples", (json_int_t)r->samples, "grid",
      (json_int_t)r->n_inline, (json_int_t)r->n_crossline, (json_int_t)r->n_time, "threads", r->device.threads, "contributions",
      (json_int_t)r->contributions, "seconds", "min", r->seconds[0], "median", r->median, "max", r->seconds[c->runs - 1],
      "contributions_per_s", rate, "ns_per_contribution", rate > 0 ? 1e9 / rate : 0.0, "processor_seconds", r->processor_median,
      "runs", c->runs, "version", moho_version(), "compiler",
#ifdef __clang__
      __VERSION__
#else
      "gcc " __VERSION__
#endif
  );
}
