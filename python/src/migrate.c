/* migrate.c - moho.migrate: traces in memory into an image in memory, by the calls that a run makes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "arrays.h"
#include "device.h"
#include "module.h"
#include "status.h"
#include "survey.h"
#include "work.h"

/* One call: what it was given, what it needs besides, what it makes. */
typedef struct migration_call {
  const moho_job *job;
  moho_device *device;
  const moho_geometry *geometry;
  const moho_velocity *velocity;
  const moho_grid *grid;
  const float *traces;
  size_t n_samples;
  double dt_s;
  moho_python_work work;
  double planned; /* contributions expected; 0: nobody asks */

  moho_migration_options options;
  moho_least_squares_options least_squares;
  moho_gather_bins bins;
  moho_eta *eta;
  moho_migration *migration;

  moho_image image;
  moho_migration_counts counts;
  moho_least_squares_step *steps; /* [n_steps] */
  int n_steps;
  double refine_f_max_hz, seconds; /* of the library's calls */
  moho_error error;
} migration_call;

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#define TRY(call)                      \
  do {                                 \
    moho_status try_status = (call);   \
    if (try_status) return try_status; \
  } while (0)

/* ---- before ---- */

enum { SAMPLED_TRACES = 256 };

static int is_all_zero(const float *trace, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (trace[i] != 0) return 0;
  return 1;
}

/* How finely traces must be sampled is told by the spectrum of a few live ones, those that a run would look at. */
static moho_status settle_refine(migration_call *c) {
  size_t n = c->geometry->n, ns = c->n_samples, wanted = n < SAMPLED_TRACES ? n : SAMPLED_TRACES, got = 0;
  if (c->options.refine) return MOHO_OK;
  float *sample = malloc(wanted * ns * sizeof *sample);
  if (!sample) return MOHO_ERROR_MEMORY;
  for (size_t k = 0; k < wanted; k++) {
    size_t trace = k * n / wanted;
    const float *from = c->traces + trace * ns;
    if (!moho_geometry_is_live(c->geometry, trace) || is_all_zero(from, ns)) continue;
    memcpy(sample + got++ * ns, from, ns * sizeof *sample);
  }
  c->options.refine = moho_migration_refine_factor(c->options.interpolation, sample, got, ns, c->dt_s, &c->refine_f_max_hz);
  free(sample);
  return MOHO_OK;
}

/* As a run refuses them by default: a single NaN would spread over a whole image. */
static moho_status check_samples(migration_call *c) {
  for (size_t trace = 0; trace < c->geometry->n; trace++) {
    const float *samples = c->traces + trace * c->n_samples;
    float sum = 0; /* of zeros, or NaN */
    if (!moho_geometry_is_live(c->geometry, trace)) continue;
    for (size_t i = 0; i < c->n_samples; i++) sum += samples[i] * 0.0F;
    if (sum == 0) continue;
    size_t bad = 0;
    while (isfinite(samples[bad])) bad++;
    c->error = (moho_error){.code = MOHO_ERROR_ARGUMENT, .trace = (int64_t)trace + 1, .byte = -1, .line = -1, .column = -1};
    snprintf(c->error.message, sizeof c->error.message, "traces[%zu, %zu] is %g, expected finite samples", trace, bad,
             (double)samples[bad]);
    snprintf(c->error.hint, sizeof c->error.hint, "numpy.nan_to_num(traces, posinf=0, neginf=0) sets such samples to zero");
    return MOHO_ERROR_ARGUMENT;
  }
  return MOHO_OK;
}

static moho_status plan(migration_call *c) {
  moho_migration_plan plan;
  if (!c->work.callback) return MOHO_OK;
  TRY(moho_migration_make_plan(c->device, c->grid, c->velocity, &c->options, c->geometry, c->n_samples, c->dt_s, &plan));
  c->planned = plan.contributions;
  return MOHO_OK;
}

static moho_status prepare(migration_call *c) {
  size_t outside;
  TRY(moho_job_migration_options(c->job, &c->options, &c->bins, &c->least_squares));
  TRY(moho_job_travel_time(c->job, c->grid, &c->options.traveltime, &c->eta));
  c->options.eta = c->eta;
  if (c->options.gathers) TRY(moho_gather_bins_measure(&c->bins, c->grid, c->geometry, &outside));
  TRY(check_samples(c));
  TRY(settle_refine(c));
  TRY(plan(c));
  TRY(moho_image_create(c->grid, &c->image));
  return c->options.gathers ? moho_image_add_gathers(&c->image, c->options.gathers) : MOHO_OK;
}

/* ---- the migration ---- */

/* It does not know how much is still to come: the plan does. */
static int report(void *user, const moho_progress *step) {
  migration_call *c = user;
  moho_progress progress = *step;
  if (progress.total <= 0 && c->planned > 0) progress.total = c->planned > progress.done ? c->planned : progress.done;
  return moho_python_work_step(&c->work, &progress);
}

static moho_status migrate(migration_call *c) {
  TRY(moho_migration_create(c->device, c->grid, c->velocity, &c->options, c->geometry, c->n_samples, c->dt_s, &c->migration));
  size_t batch = moho_migration_batch_traces(c->migration);
  for (size_t first = 0; first < c->geometry->n; first += batch) {
    size_t left = c->geometry->n - first;
    moho_geometry slice = moho_geometry_slice(c->geometry, first, left < batch ? left : batch);
    TRY(moho_migration_add(c->migration, &slice, c->traces + first * c->n_samples, report, c));
  }
  TRY(moho_migration_wait(c->migration, report, c));
  TRY(moho_migration_finish(c->migration, &c->image));
  c->counts = moho_migration_get_counts(c->migration);
  return MOHO_OK;
}

static moho_status copy_traces(void *user, size_t first, size_t n, float *traces) {
  const migration_call *c = user;
  memcpy(traces, c->traces + first * c->n_samples, n * c->n_samples * sizeof *traces);
  return MOHO_OK;
}

static moho_status fit(migration_call *c) {
  moho_least_squares_counts counts;
  c->steps = calloc((size_t)c->least_squares.iterations + 1, sizeof *c->steps);
  if (!c->steps) return MOHO_ERROR_MEMORY;
  TRY(moho_least_squares_migrate(c->device, c->grid, c->velocity, &c->options, &c->least_squares, c->geometry, c->n_samples,
                                 c->dt_s, copy_traces, c, &c->image, c->steps, &counts, moho_python_work_step, &c->work));
  c->n_steps = counts.iterations + 1;
  c->counts = counts.migration;
  c->counts.contributions = counts.contributions, c->counts.kernel_seconds = counts.kernel_seconds;
  return MOHO_OK;
}

static moho_status run(migration_call *c) {
  double begin = seconds_now();
  moho_status status = prepare(c);
  if (!status) status = c->least_squares.iterations ? fit(c) : migrate(c);
  moho_error error = *moho_last_error();
  moho_migration_destroy(&c->migration);
  moho_eta_destroy(&c->eta);
  if (status && !c->error.code) c->error = error.code == status ? error : (moho_error){.code = status, .trace = -1, .byte = -1};
  c->seconds = seconds_now() - begin;
  return status;
}

static void release(migration_call *c) {
  moho_gather_bins_release(&c->bins);
  moho_image_release(&c->image);
  free(c->steps);
}

/* ---- what it made ---- */

/* The memory goes to the block: the image keeps nothing of it. */
static PyObject *take(void *member, moho_python_dtype dtype, int n_dims, const size_t *shape) {
  void **memory = member, *taken = *memory;
  *memory = NULL;
  return taken ? moho_python_block(taken, dtype, n_dims, shape) : Py_NewRef(Py_None);
}

static PyObject *bin_centres(const moho_gather_bins *bins) {
  size_t n = moho_gather_bins_count(bins);
  double *centres = n ? malloc(n * sizeof *centres) : NULL;
  if (!centres) return n ? PyErr_NoMemory() : Py_NewRef(Py_None);
  for (size_t i = 0; i < n; i++) centres[i] = moho_gather_bin_centre(bins, i);
  return moho_python_block(centres, MOHO_PYTHON_FLOAT64, 1, &n);
}

static PyObject *counts_dict(const migration_call *c) {
  const moho_migration_counts *k = &c->counts;
  return Py_BuildValue("{sKsKsKsKsKsKsdsdsdsdsdsdsKsssssisd}", "traces_added", (unsigned long long)k->traces_added, "traces_used",
                       (unsigned long long)k->traces_used, "traces_outside", (unsigned long long)k->traces_outside, "traces_dead",
                       (unsigned long long)k->traces_dead, "traces_unbinned", (unsigned long long)k->traces_unbinned,
                       "contributions", (unsigned long long)k->contributions, "seconds", c->seconds, "kernel_seconds",
                       k->kernel_seconds, "prepare_seconds", k->prepare_seconds, "transfer_seconds", k->transfer_seconds,
                       "allocation_seconds", k->allocation_seconds, "compile_seconds", k->compile_seconds, "launches",
                       (unsigned long long)k->launches, "kernel", k->kernel ? k->kernel : "", "kernel_reason", k->kernel_reason,
                       "refine", c->options.refine, "f_max_hz", c->refine_f_max_hz);
}

static PyObject *steps_list(const migration_call *c) {
  PyObject *list = PyList_New(0);
  for (int i = 0; list && i < c->n_steps; i++) {
    const moho_least_squares_step *s = &c->steps[i];
    PyObject *step = Py_BuildValue("{sdsdsd}", "residual", s->residual, "gradient", s->gradient, "seconds", s->seconds);
    if (!step || PyList_Append(list, step)) Py_CLEAR(list);
    Py_XDECREF(step);
  }
  return list;
}

/* (stack, fold, gathers, gathers_fold, bins, counts, steps, device): what is not there is None. */
static PyObject *results(migration_call *c, PyObject *device) {
  const moho_grid *g = c->grid;
  const size_t stack[3] = {g->n_inline, g->n_crossline, g->n_time};
  const size_t gathers[4] = {g->n_inline, g->n_crossline, moho_gather_bins_count(&c->bins), g->n_time};
  PyObject *parts[7] = {take(&c->image.stack, MOHO_PYTHON_FLOAT32, 3, stack),
                        take(&c->image.fold, MOHO_PYTHON_INT32, 3, stack),
                        take(&c->image.gathers, MOHO_PYTHON_FLOAT32, 4, gathers),
                        take(&c->image.gathers_fold, MOHO_PYTHON_INT32, 4, gathers),
                        bin_centres(&c->bins),
                        counts_dict(c),
                        c->n_steps ? steps_list(c) : Py_NewRef(Py_None)};
  return Py_BuildValue("NNNNNNNO", parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], parts[6], device);
}

/* ---- the function ---- */

/* Without Python from begin to end of the work. */
static PyObject *call(migration_call *c, PyObject *device, PyObject *callback) {
  if (moho_python_work_begin(&c->work, callback)) return NULL;
  moho_status status = run(c);
  moho_python_work_end(&c->work);
  PyObject *made = status ? moho_python_raise_error(&c->error) : results(c, device);
  if (status == MOHO_OK && PyErr_Occurred()) Py_CLEAR(made);
  return made;
}

static PyObject *python_migrate(PyObject *module, PyObject *args) {
  PyObject *job, *device, *geometry, *velocity, *grid, *traces, *callback = Py_None;
  migration_call c = {0};
  moho_python_array array;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOOOOOd|O:migrate", &job, &device, &geometry, &velocity, &grid, &traces, &c.dt_s, &callback))
    return NULL;
  if (moho_python_job(job, &c.job) || moho_python_geometry(geometry, &c.geometry) ||
      moho_python_velocity(velocity, &c.velocity) || moho_python_grid(grid, &c.grid))
    return NULL;
  const Py_ssize_t shape[2] = {(Py_ssize_t)c.geometry->n, -1};
  if (moho_python_array_get(traces, "traces", MOHO_PYTHON_FLOAT32, 2, shape, MOHO_PYTHON_READ, &array)) return NULL;
  c.traces = array.data, c.n_samples = (size_t)array.view.shape[1];
  PyObject *held = moho_python_device(device, "device", &c.device);
  PyObject *made = held ? call(&c, held, callback) : NULL;
  release(&c);
  Py_XDECREF(held);
  moho_python_array_release(&array);
  return made;
}

static PyMethodDef functions[] = {
    {"migrate", python_migrate, METH_VARARGS,
     "migrate(job, device, geometry, velocity, grid, traces, dt_s, progress=None)\n"
     "  -> (stack, fold, gathers, gathers_fold, bins, counts, steps, device): Blocks, or None where there are none"},
    {0}};

int moho_python_add_migrate(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
