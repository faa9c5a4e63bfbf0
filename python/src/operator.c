/* operator.c - moho._moho.Operator: a demigration L and the migration L* that is its adjoint, prepared once, applied to arrays
 * any number of times, by one thread at a time (others wait).
 *
 * Both see their arrays as a matrix does: zeros in traces are data (options.zeros_are_data), headers alone mute.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "device.h"
#include "module.h"
#include "status.h"
#include "survey.h"
#include "work.h"

typedef struct operator_object {
  PyObject_HEAD PyObject *owners[4]; /* device, grid, velocity, geometry: kept as long as they are read */
  moho_device *device;
  const moho_grid *grid;
  const moho_velocity *velocity;
  const moho_geometry *geometry;
  moho_eta *eta;
  moho_migration_options options;
  size_t n_samples;
  double dt_s;
  moho_demigration *demigration;
  moho_migration *migration; /* NULL after a failure: made again when it is needed */
  int is_broken;             /* the migration can only be destroyed */
  moho_image image;          /* fold, and the shape that a migration is finished into */
  int has_fold;              /* image.fold is that of all traces */
  uint64_t migrations, demigrations;
  PyThread_type_lock lock;
  unsigned long user; /* thread that holds the lock; 0: none */
} operator_object;

/* ---- one caller at a time ---- */

static int refuse_nested(const operator_object *o) {
  if (o->user != PyThread_get_thread_ident()) return 0;
  PyErr_SetString(PyExc_RuntimeError, "progress: the function uses the operator that is calling it");
  return -1;
}

/* Begins the work and waits for the operator, without the GIL. */
static int enter(operator_object *o, moho_python_work *work, PyObject *progress) {
  if (refuse_nested(o) || moho_python_work_begin(work, progress)) return -1;
  PyThread_acquire_lock(o->lock, WAIT_LOCK);
  o->user = PyThread_get_thread_ident();
  return 0;
}

static void leave(operator_object *o, moho_python_work *work) {
  o->user = 0;
  PyThread_release_lock(o->lock);
  moho_python_work_end(work);
}

/* ---- apply ---- */

#define TRY(call)                      \
  do {                                 \
    moho_status try_status = (call);   \
    if (try_status) return try_status; \
  } while (0)

static moho_status empty_migration(operator_object *o) {
  moho_window whole = moho_grid_whole(o->grid);
  if (o->is_broken) moho_migration_destroy(&o->migration);
  o->is_broken = 1; /* until an image is finished */
  if (o->migration) return o->migrations ? moho_migration_move(o->migration, &whole, o->geometry) : MOHO_OK;
  return moho_migration_create(o->device, o->grid, o->velocity, &o->options, o->geometry, o->n_samples, o->dt_s, &o->migration);
}

/* One past the end where all are finite. */
static size_t first_that_is_not_finite(const float *values, size_t n) {
  size_t i = 0;
  while (i < n && isfinite(values[i])) i++;
  return i;
}

/* L* traces into stack. */
static moho_status migrate(operator_object *o, const float *traces, float *stack, moho_python_work *work) {
  float *own = o->image.stack;
  TRY(empty_migration(o));
  TRY(moho_migration_add(o->migration, o->geometry, traces, moho_python_work_step, work));
  TRY(moho_migration_wait(o->migration, moho_python_work_step, work));
  o->image.stack = stack;
  moho_status status = moho_migration_finish(o->migration, &o->image);
  o->image.stack = own;
  o->is_broken = status != MOHO_OK;
  o->has_fold = !status, o->migrations += !status;
  return status;
}

/* What normalise fold divides by follows from places alone: a migration of zeros finds it. */
static moho_status find_fold(operator_object *o, moho_python_work *work) {
  if (o->has_fold) return MOHO_OK;
  float *zeros = calloc(o->geometry->n * o->n_samples, sizeof *zeros);
  moho_status status = zeros ? migrate(o, zeros, o->image.stack, work) : MOHO_ERROR_MEMORY;
  free(zeros);
  return status;
}

/* L image into traces. */
static moho_status demigrate(operator_object *o, const float *image, float *traces, moho_python_work *work) {
  int divides = o->options.normalise == MOHO_NORMALISE_FOLD;
  if (divides) TRY(find_fold(o, work));
  TRY(moho_demigration_set_image(o->demigration, image, divides ? o->image.fold : NULL));
  TRY(moho_demigration_run(o->demigration, o->geometry, NULL, traces, moho_python_work_step, work));
  o->demigrations++;
  return MOHO_OK;
}

/* ---- methods ---- */

static PyObject *apply(operator_object *o, PyObject *args, int from_image) {
  PyObject *from_object, *to_object, *progress = Py_None;
  const moho_grid *g = o->grid;
  const Py_ssize_t nodes[3] = {(Py_ssize_t)g->n_inline, (Py_ssize_t)g->n_crossline, (Py_ssize_t)g->n_time};
  const Py_ssize_t samples[2] = {(Py_ssize_t)o->geometry->n, (Py_ssize_t)o->n_samples};
  moho_python_array image = {0}, traces = {0};
  moho_python_work work;
  if (!PyArg_ParseTuple(args, "OO|O", &from_object, &to_object, &progress)) return NULL;
  PyObject *image_object = from_image ? from_object : to_object, *traces_object = from_image ? to_object : from_object;
  if (moho_python_array_get(image_object, "image", MOHO_PYTHON_FLOAT32, 3, nodes,
                            from_image ? MOHO_PYTHON_READ : MOHO_PYTHON_WRITE, &image) ||
      moho_python_array_get(traces_object, "traces", MOHO_PYTHON_FLOAT32, 2, samples,
                            from_image ? MOHO_PYTHON_WRITE : MOHO_PYTHON_READ, &traces) ||
      enter(o, &work, progress)) {
    moho_python_array_release(&image), moho_python_array_release(&traces);
    return NULL;
  }
  size_t bad = from_image ? traces.n : first_that_is_not_finite(traces.data, traces.n);
  moho_status status = bad < traces.n ? MOHO_ERROR_RANGE
                       : from_image   ? demigrate(o, image.data, traces.data, &work)
                                      : migrate(o, traces.data, image.data, &work);
  leave(o, &work);
  if (bad < traces.n)
    PyErr_Format(PyExc_ValueError, "traces[%zu, %zu]: not a number or infinite, expected finite numbers", bad / o->n_samples,
                 bad % o->n_samples);
  moho_python_array_release(&image), moho_python_array_release(&traces);
  if (status) return moho_python_raise(status);
  Py_RETURN_NONE;
}

static PyObject *demigrate_method(PyObject *self, PyObject *args) {
  return apply((operator_object *)self, args, 1);
}

static PyObject *migrate_method(PyObject *self, PyObject *args) {
  return apply((operator_object *)self, args, 0);
}

static PyObject *fold_method(PyObject *self, PyObject *progress) {
  operator_object *o = (operator_object *)self;
  const size_t shape[3] = {o->grid->n_inline, o->grid->n_crossline, o->grid->n_time};
  size_t bytes = shape[0] * shape[1] * shape[2] * sizeof(int32_t);
  int32_t *copy = malloc(bytes);
  moho_python_work work;
  if (!copy) return PyErr_NoMemory();
  if (enter(o, &work, progress)) {
    free(copy);
    return NULL;
  }
  moho_status status = find_fold(o, &work);
  if (!status) memcpy(copy, o->image.fold, bytes);
  leave(o, &work);
  if (!status) return moho_python_block(copy, MOHO_PYTHON_INT32, 3, shape);
  free(copy);
  return moho_python_raise(status);
}

static PyObject *counts_method(PyObject *self, PyObject *unused) {
  const operator_object *o = (const operator_object *)self;
  moho_demigration_counts demigration = moho_demigration_get_counts(o->demigration);
  (void)unused;
  return Py_BuildValue("{s:K,s:K,s:s,s:d,s:K}", "migrations", (unsigned long long)o->migrations, "demigrations",
                       (unsigned long long)o->demigrations, "kernel", moho_migration_kernel_name(o->options.kernel),
                       "demigration_seconds", demigration.kernel_seconds, "demigration_contributions",
                       (unsigned long long)demigration.contributions);
}

/* ---- create ---- */

/* Both by one kernel: auto might find one faster whose adjoint there is not. */
static moho_status pair_kernels(operator_object *o) {
  moho_device_report report;
  TRY(moho_device_describe(o->device, &report));
  if (o->options.kernel == MOHO_KERNEL_AUTO) o->options.kernel = report.has_native ? MOHO_KERNEL_NATIVE : MOHO_KERNEL_V3;
  return MOHO_OK;
}

static moho_status prepare(operator_object *o, const moho_job *job) {
  moho_traveltime law;
  TRY(moho_job_migration_options(job, &o->options, NULL, NULL));
  TRY(moho_job_travel_time(job, o->grid, &law, &o->eta));
  o->options.eta = o->eta;
  o->options.zeros_are_data = 1;
  if (!o->options.refine) o->options.refine = 1; /* auto: there are no data to tell */
  TRY(pair_kernels(o));
  TRY(moho_image_create(o->grid, &o->image));
  TRY(moho_demigration_create(o->device, o->grid, o->velocity, &o->options, o->geometry, o->n_samples, o->dt_s, &o->demigration));
  o->is_broken = 1;
  TRY(moho_migration_create(o->device, o->grid, o->velocity, &o->options, o->geometry, o->n_samples, o->dt_s, &o->migration));
  o->is_broken = 0;
  return MOHO_OK;
}

static void operator_free(PyObject *self) {
  operator_object *o = (operator_object *)self;
  moho_migration_destroy(&o->migration);
  moho_demigration_destroy(&o->demigration);
  moho_image_release(&o->image);
  moho_eta_destroy(&o->eta);
  if (o->lock) PyThread_free_lock(o->lock);
  for (size_t i = 0; i < sizeof o->owners / sizeof *o->owners; i++) Py_CLEAR(o->owners[i]);
  moho_python_free(self);
}

/* What the arguments name, into the object, which keeps their owners. */
static int take_arguments(operator_object *o, PyObject *args, const moho_job **job) {
  PyObject *job_object, *device_object, *geometry_object, *velocity_object, *grid_object;
  Py_ssize_t n_samples;
  if (!PyArg_ParseTuple(args, "OOOOOnd:Operator", &job_object, &device_object, &geometry_object, &velocity_object, &grid_object,
                        &n_samples, &o->dt_s))
    return -1;
  if (n_samples < 1) {
    PyErr_Format(PyExc_ValueError, "n_samples: %zd, expected at least 1", n_samples);
    return -1;
  }
  o->n_samples = (size_t)n_samples;
  if (moho_python_job(job_object, job) || moho_python_geometry(geometry_object, &o->geometry) ||
      moho_python_velocity(velocity_object, &o->velocity) || moho_python_grid(grid_object, &o->grid))
    return -1;
  o->owners[0] = moho_python_device(device_object, "device", &o->device);
  o->owners[1] = Py_NewRef(geometry_object), o->owners[2] = Py_NewRef(velocity_object), o->owners[3] = Py_NewRef(grid_object);
  return o->owners[0] ? 0 : -1;
}

static PyObject *operator_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  operator_object *o = moho_python_new(MOHO_PYTHON_OPERATOR);
  const moho_job *job;
  moho_status status = MOHO_OK;
  (void)type, (void)kwargs;
  int bad = !o || take_arguments(o, args, &job);
  if (!bad && !(o->lock = PyThread_allocate_lock())) bad = 1, PyErr_NoMemory();
  if (!bad) {
    Py_BEGIN_ALLOW_THREADS;
    status = prepare(o, job);
    Py_END_ALLOW_THREADS;
    if (status) moho_python_raise(status);
  }
  if (!bad && !status) return (PyObject *)o;
  Py_XDECREF((PyObject *)o);
  return NULL;
}

/* ---- type ---- */

static PyMethodDef methods[] = {
    {"demigrate", demigrate_method, METH_VARARGS,
     "demigrate(image, traces, progress=None): float32 [inline, crossline, time] into float32 [trace, time]."},
    {"migrate", migrate_method, METH_VARARGS, "migrate(traces, image, progress=None): the adjoint."},
    {"fold", fold_method, METH_O, "fold(progress) -> Block: int32 [inline, crossline, time]."},
    {"counts", counts_method, METH_NOARGS, "counts() -> dict: what was done so far."},
    {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "Operator(job, device, geometry, velocity, grid, n_samples, dt_s)"},
                              {Py_tp_new, (void *)operator_new},
                              {Py_tp_dealloc, (void *)operator_free},
                              {Py_tp_methods, methods},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Operator",
                           .basicsize = sizeof(operator_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int moho_python_add_operator(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_OPERATOR);
}
