/* job.c - _moho.Job: the words of a job file, typed, checked, and made into grid, velocity or a whole run. */
#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "status.h"
#include "survey.h"
#include "traces.h"
#include "work.h"

typedef struct job_object {
  PyObject_HEAD moho_job *job;
} job_object;

int moho_python_job(PyObject *object, const moho_job **out) {
  job_object *self = moho_python_cast(object, MOHO_PYTHON_JOB, "job");
  if (!self) return -1;
  *out = self->job;
  return 0;
}

static const moho_job *job_of(PyObject *self) {
  return ((job_object *)self)->job;
}

/* ---- made, changed ---- */

static PyObject *job_object_new(moho_job *job) {
  job_object *self = moho_python_new(MOHO_PYTHON_JOB);
  if (self) self->job = job;
  else moho_job_destroy(&job);
  return (PyObject *)self;
}

static PyObject *job_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static char *names[] = {"text", "name", NULL};
  const char *text = "{}", *name = "job";
  moho_job *job = NULL;
  (void)type;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|ss:Job", names, &text, &name)) return NULL;
  moho_status status = moho_job_parse(text, strlen(text), name, &job);
  return status ? moho_python_raise(status) : job_object_new(job);
}

static PyObject *job_read(PyObject *unused, PyObject *path) {
  PyObject *bytes = NULL;
  moho_job *job = NULL;
  moho_status status;
  (void)unused;
  if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_job_read(PyBytes_AsString(bytes), &job);
  Py_END_ALLOW_THREADS;
  if (status) moho_python_raise(status);
  Py_DECREF(bytes);
  return status ? NULL : job_object_new(job);
}

static PyObject *job_set(PyObject *self, PyObject *args) {
  const char *key, *value;
  if (!PyArg_ParseTuple(args, "ss:set", &key, &value)) return NULL;
  moho_status status = moho_job_set(((job_object *)self)->job, key, value);
  return status ? moho_python_raise(status) : Py_NewRef(Py_None);
}

static void job_free(PyObject *self) {
  moho_job_destroy(&((job_object *)self)->job);
  moho_python_free(self);
}

/* ---- asked ---- */

/* TAKE. */
static PyObject *text_object(char *text) {
  PyObject *made = PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
  free(text);
  return made;
}

static PyObject *job_effective(PyObject *self, PyObject *unused) {
  char *text = NULL;
  (void)unused;
  moho_status status = moho_job_effective(job_of(self), &text);
  return status ? moho_python_raise(status) : text_object(text);
}

static PyObject *job_explain(PyObject *self, PyObject *args) {
  int json = 0;
  char *text = NULL;
  moho_status status;
  if (!PyArg_ParseTuple(args, "|p:explain", &json)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_job_explain(job_of(self), json, &text);
  Py_END_ALLOW_THREADS;
  return status ? moho_python_raise(status) : text_object(text);
}

/* ---- made into ---- */

static PyObject *job_grid(PyObject *self, PyObject *args) {
  PyObject *of;
  const moho_geometry *geometry;
  Py_ssize_t n_samples;
  double dt_s;
  moho_grid grid;
  moho_status status;
  if (!PyArg_ParseTuple(args, "Ond:grid", &of, &n_samples, &dt_s) || moho_python_geometry(of, &geometry)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_job_grid(job_of(self), geometry, n_samples > 0 ? (size_t)n_samples : 0, dt_s, &grid);
  Py_END_ALLOW_THREADS;
  return status ? moho_python_raise(status) : moho_python_grid_object(&grid);
}

static PyObject *job_velocity(PyObject *self, PyObject *of) {
  const moho_grid *grid;
  moho_velocity *velocity = NULL;
  moho_status status;
  if (moho_python_grid(of, &grid)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_job_velocity(job_of(self), grid, &velocity);
  Py_END_ALLOW_THREADS;
  return status ? moho_python_raise(status) : moho_python_velocity_object(velocity);
}

static PyObject *job_traces(PyObject *self, PyObject *args) {
  PyObject *callback = Py_None;
  moho_traces *traces = NULL;
  moho_python_work work;
  if (!PyArg_ParseTuple(args, "|O:traces", &callback) || moho_python_work_begin(&work, callback)) return NULL;
  moho_status status = moho_job_traces(job_of(self), moho_python_work_step, &work, &traces);
  moho_python_work_end(&work);
  return status ? moho_python_raise(status) : moho_python_traces_object(traces);
}

static PyObject *job_run(PyObject *self, PyObject *args) {
  int overwrite = 0;
  PyObject *callback = Py_None;
  char *report = NULL;
  moho_python_work work;
  if (!PyArg_ParseTuple(args, "|pO:run", &overwrite, &callback) || moho_python_work_begin(&work, callback)) return NULL;
  moho_job_run_options options = {.overwrite = overwrite, .progress = moho_python_work_step, .user = &work};
  moho_status status = moho_job_run(job_of(self), &options, &report);
  moho_python_work_end(&work);
  return status ? moho_python_raise(status) : text_object(report);
}

/* ---- type ---- */

static PyMethodDef methods[] = {
    {"read", job_read, METH_O | METH_STATIC, "read(path) -> Job: of a job file; relative paths in it are relative to it."},
    {"set", job_set, METH_VARARGS, "set(key, value): a key by its path, the value in YAML or JSON."},
    {"effective", job_effective, METH_NOARGS, "effective() -> str: JSON, every key with its value, unit, and whether given."},
    {"explain", job_explain, METH_VARARGS, "explain(json=False) -> str: the effective job and the plan; opens the input."},
    {"grid", job_grid, METH_VARARGS, "grid(geometry, n_samples, dt_s) -> Grid"},
    {"velocity", job_velocity, METH_O, "velocity(grid) -> Velocity"},
    {"traces", job_traces, METH_VARARGS, "traces(progress=None) -> Traces: the input, opened and selected."},
    {"run", job_run, METH_VARARGS, "run(overwrite=False, progress=None) -> str: the report's JSON."},
    {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "Job(text='{}', name='job'): a job in YAML or JSON."},
                              {Py_tp_new, (void *)job_new},
                              {Py_tp_dealloc, (void *)job_free},
                              {Py_tp_methods, methods},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Job",
                           .basicsize = sizeof(job_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int moho_python_add_job(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_JOB);
}
