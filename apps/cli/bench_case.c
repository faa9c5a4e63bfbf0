/* bench_case.c - one case: a preset's survey migrated onto its midpoint lattice, timed, compared with the reference. */
#include "bench_case.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command.h"

static moho_status out_of_memory(void) {
  fprintf(stderr, "moho: bench: out of memory\n");
  return MOHO_ERROR_MEMORY;
}

static double processor_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- a run ---- */

/* The first n traces through the migration; the clock of the processor runs only while it works. */
static moho_status add_traces(const bench_survey *s, moho_migration *m, size_t n, double *processor) {
  size_t batch = moho_migration_batch_traces(m);
  float *buffer = s->all ? NULL : malloc(batch * s->options.n_samples * sizeof *buffer);
  moho_status status = s->all || buffer ? MOHO_OK : out_of_memory();
  for (size_t first = 0; !status && first < n; first += batch) {
    size_t count = n - first < batch ? n - first : batch;
    moho_geometry slice = moho_geometry_slice(&s->geometry, first, count);
    const float *traces;
    status = bench_survey_traces(s, first, count, buffer, &traces);
    double begin = processor_seconds();
    if (!status) status = moho_migration_add(m, &slice, traces, progress_step, NULL);
    *processor += processor_seconds() - begin;
  }
  free(buffer);
  return status;
}

static uint64_t sum_fold(const moho_image *image, const moho_grid *grid) {
  uint64_t sum = 0;
  for (size_t i = 0; i < grid->n_inline * grid->n_crossline * grid->n_time; i++) sum += (uint64_t)image->fold[i];
  return sum;
}

static void take_counts(const moho_migration *m, bench_run_seconds *seconds, bench_result *out) {
  moho_migration_counts counts = moho_migration_get_counts(m);
  seconds->kernel = counts.kernel_seconds, seconds->prepare = counts.prepare_seconds;
  seconds->transfer = counts.transfer_seconds, seconds->allocation = counts.allocation_seconds;
  seconds->compile = counts.compile_seconds;
  out->counted = counts.contributions, out->launches = counts.launches;
  out->memory_bytes = counts.memory_bytes, out->device_bytes = counts.device_bytes;
  snprintf(out->kernel, sizeof out->kernel, "%s", counts.kernel ? counts.kernel : "");
  snprintf(out->kernel_reason, sizeof out->kernel_reason, "%s", counts.kernel_reason);
}

static moho_status migrate(const bench_case *c, moho_device *device, const bench_survey *s, size_t n, moho_image *image,
                           bench_run_seconds *seconds, bench_result *out) {
  moho_migration *m = NULL;
  double begin = bench_seconds();
  *seconds = (bench_run_seconds){0};
  moho_status status =
      moho_migration_create(device, &s->grid, s->velocity, &c->options, &s->geometry, s->options.n_samples, s->options.dt_s, &m);
  if (!status) status = add_traces(s, m, n, &seconds->processor);
  if (!status) status = moho_migration_wait(m, progress_step, NULL);
  if (!status) status = moho_migration_finish(m, image);
  seconds->wall = bench_seconds() - begin;
  if (!status) take_counts(m, seconds, out);
  moho_migration_destroy(&m);
  return status;
}

/* Fills caches and pools: on a GPU the whole survey, but a part of the largest, and little for the two that take their time; the
 * processor has little to warm. */
static size_t warm_up_traces(const bench_case *c, const bench_survey *s, const bench_result *r) {
  int is_slow = c->options.kernel == MOHO_KERNEL_BASELINE || c->options.kernel == MOHO_KERNEL_V1;
  size_t most = r->device.has_native ? 512 : is_slow ? (size_t)1 << 13 : (size_t)1 << 17;
  return s->geometry.n < most ? s->geometry.n : most;
}

/* ---- medians ---- */

static int compare_seconds(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void settle_figure(bench_result *r, int n, size_t offset) {
  double sorted[BENCH_MAX_RUNS];
  for (int i = 0; i < n; i++) memcpy(&sorted[i], (const char *)&r->runs[i] + offset, sizeof(double));
  qsort(sorted, (size_t)n, sizeof *sorted, compare_seconds);
  double median = n % 2 ? sorted[n / 2] : 0.5 * (sorted[n / 2 - 1] + sorted[n / 2]);
  memcpy((char *)&r->median + offset, &median, sizeof median);
  memcpy((char *)&r->least + offset, &sorted[0], sizeof(double));
  memcpy((char *)&r->most + offset, &sorted[n - 1], sizeof(double));
}

/* The struct of a run's seconds is nothing but doubles. */
static void settle_figures(bench_result *r, int n) {
  for (size_t offset = 0; offset < sizeof(bench_run_seconds); offset += sizeof(double)) settle_figure(r, n, offset);
}

/* ---- the case ---- */

static moho_status check(const bench_case *c, const bench_survey *s, const moho_image *image, bench_reference *reference,
                         bench_result *out) {
  if (!c->is_checked) return MOHO_OK;
  double tolerance = image_tolerance(&c->options, out->kernel, s->options.n_samples);
  moho_status status = bench_check_image(s, &c->options, image, tolerance, reference, &out->check);
  if (out->contributions != out->counted) out->check.passed = 0;
  return status;
}

static moho_status time_demigration(const bench_case *c, moho_device *device, const bench_survey *s, moho_image *image,
                                    bench_result *out) {
  moho_status status = migrate(c, device, s, s->geometry.n, image, &out->first, out);
  if (status) return status;
  out->contributions = sum_fold(image, &s->grid);
  status = bench_demigrate(c, device, s, image, out);
  if (!status) settle_figures(out, out->runs_made);
  return status;
}

static moho_status time_migration(const bench_case *c, moho_device *device, const bench_survey *s, bench_reference *reference,
                                  moho_image *image, bench_result *out) {
  moho_status status = migrate(c, device, s, warm_up_traces(c, s, out), image, &out->first, out);
  double begin = bench_seconds();
  int *made = &out->runs_made;
  while (!status && *made < c->runs && (!*made || bench_seconds() - begin < c->seconds))
    status = migrate(c, device, s, s->geometry.n, image, &out->runs[(*made)++], out);
  if (!status) {
    settle_figures(out, *made);
    out->contributions = sum_fold(image, &s->grid);
    status = check(c, s, image, reference, out);
  }
  return status;
}

moho_status bench_run(const bench_case *c, moho_device *device, const bench_survey *s, bench_reference *reference,
                      bench_result *out) {
  moho_image image = {0};
  *out = (bench_result){0};
  moho_status status = moho_device_describe(device, &out->device);
  if (!status) status = moho_image_create(&s->grid, &image);
  if (!status && c->is_adjoint) status = time_demigration(c, device, s, &image, out);
  else if (!status) status = time_migration(c, device, s, reference, &image, out);
  moho_image_release(&image);
  return status;
}

double bench_rate(const bench_result *r) {
  return r->median.kernel > 0 ? (double)r->contributions / r->median.kernel : 0;
}

/* ---- JSON ---- */

/* What was asked, as it is compared with kept figures: what is not asked is left out. */
static json_t *options_json(const bench_case *c) {
  const moho_migration_options *o = &c->options;
  json_t *options = json_pack("{s:s, s:s, s:s, s:s, s:i, s:f, s:f, s:f}", "interpolation", c->interpolation, "antialias",
                              c->antialias, "weight", c->weight, "rho_filter", "none", "refine", o->refine, "max_m",
                              o->aperture_max_m, "max_dip_deg", o->aperture_max_dip_deg, "taper", o->aperture_taper);
  if (strcmp(c->velocity, "constant") != 0) json_object_set_new(options, "velocity", json_string(c->velocity));
  if (o->gathers) json_object_set_new(options, "gathers", json_string(c->gathers));
  if (o->traveltime != MOHO_TRAVELTIME_STRAIGHT) json_object_set_new(options, "traveltime", json_string(c->traveltime));
  if (o->storage != MOHO_STORAGE_FLOAT) json_object_set_new(options, "storage", json_string(c->storage));
  if (c->is_adjoint) json_object_set_new(options, "adjoint", json_true());
  if (c->constants[0]) json_object_set_new(options, "constants", json_string(c->constants));
  return options;
}

static json_t *device_json(const moho_device_report *d) {
  return json_pack("{s:s, s:s, s:s, s:s, s:s}", "uri", d->uri, "name", d->name, "simd", d->simd, "architecture", d->architecture,
                   "driver", d->driver);
}

static json_t *check_json(const bench_case *c, const bench_result *r) {
  if (!c->is_checked) return json_null();
  return json_pack("{s:I, s:f, s:f, s:I, s:b}", "columns", (json_int_t)r->check.n_columns, "relative_l2",
                   r->check.error < 1e300 ? r->check.error : -1.0, "tolerance", r->check.tolerance, "fold_differs",
                   (json_int_t)r->check.fold_differs, "passed", r->check.passed);
}

static json_t *software_json(void) {
#ifdef __clang__
  const char *compiler = __VERSION__;
#else
  const char *compiler = "gcc " __VERSION__;
#endif
  return json_pack("{s:s, s:s}", "version", moho_version(), "compiler", compiler);
}

json_t *bench_json(const bench_case *c, const bench_survey *s, const bench_result *r) {
  double rate = bench_rate(r);
  json_t *root =
      json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:o, s:I, s:I, s:[I, I, I], s:i, s:I, s:I}", "bench",
                c->is_adjoint ? "demigrate" : "migrate", "device", device_json(&r->device), "kernel", c->kernel, "kernel_used",
                r->kernel, "kernel_reason", r->kernel_reason, "dataset", c->dataset, "options", options_json(c), "traces",
                (json_int_t)s->geometry.n, "samples", (json_int_t)s->options.n_samples, "grid", (json_int_t)s->grid.n_inline,
                (json_int_t)s->grid.n_crossline, (json_int_t)s->grid.n_time, "threads", r->device.threads, "contributions",
                (json_int_t)r->contributions, "contributions_counted", (json_int_t)r->counted);
  json_t *figures =
      json_pack("{s:{s:f, s:f, s:f}, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:{s:f, s:f, s:f}, s:I, s:I, s:I, s:o, s:i}", "seconds",
                "min", r->least.kernel, "median", r->median.kernel, "max", r->most.kernel, "contributions_per_s", rate,
                "ns_per_contribution", rate > 0 ? 1e9 / rate : 0.0, "transfer_seconds", r->median.transfer, "allocation_seconds",
                r->median.allocation, "prepare_seconds", r->median.prepare, "wall_seconds", r->median.wall, "processor_seconds",
                r->median.processor, "first", "allocation_seconds", r->first.allocation, "compile_seconds", r->first.compile,
                "wall_seconds", r->first.wall, "launches", (json_int_t)r->launches, "memory_bytes", (json_int_t)r->memory_bytes,
                "device_bytes", (json_int_t)r->device_bytes, "check", check_json(c, r), "runs", r->runs_made);
  json_object_update_new(root, figures);
  json_object_update_new(root, software_json());
  return root;
}
