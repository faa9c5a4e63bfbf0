/* velocity.c - _moho.Velocity: of a job's words (Job.velocity), or of arrays of functions. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "arrays.h"
#include "module.h"
#include "status.h"
#include "survey.h"

typedef struct velocity_object {
  PyObject_HEAD moho_velocity *velocity;
} velocity_object;

int moho_python_velocity(PyObject *object, const moho_velocity **out) {
  velocity_object *self = moho_python_cast(object, MOHO_PYTHON_VELOCITY, "velocity");
  if (!self) return -1;
  *out = self->velocity;
  return 0;
}

PyObject *moho_python_velocity_object(moho_velocity *velocity) {
  velocity_object *self = moho_python_new(MOHO_PYTHON_VELOCITY);
  if (self) self->velocity = velocity;
  else moho_velocity_destroy(&velocity);
  return (PyObject *)self;
}

static void velocity_free(PyObject *self) {
  moho_velocity_destroy(&((velocity_object *)self)->velocity);
  moho_python_free(self);
}

/* ---- of functions ---- */

/* One function a node of the grid (NULL: one for all), all with the same times. */
static moho_status fill(const double *times, const double *values, size_t n, const moho_grid *grid,
                        moho_velocity_functions *out) {
  size_t n_functions = grid ? grid->n_inline * grid->n_crossline : 1;
  moho_status status = moho_velocity_functions_create(n_functions, n_functions * n, out);
  if (status) return status;
  for (size_t p = 0; p <= n_functions; p++) out->start[p] = p * n;
  for (size_t p = 0; p < n_functions; p++) memcpy(out->time_s + p * n, times, n * sizeof *times);
  memcpy(out->v_mps, values, n_functions * n * sizeof *values);
  if (!grid) return MOHO_OK;
  out->on_grid = 1;
  status = moho_grid_copy(grid, &out->grid);
  if (!status) status = moho_velocity_functions_add_places(out, 1, 0, 0);
  for (size_t p = 0; !status && p < n_functions; p++)
    moho_grid_node(grid, p / grid->n_crossline, p % grid->n_crossline, &out->x_m[p], &out->y_m[p]);
  return status;
}

static moho_status make(const double *times, const double *values, size_t n, int kind, const moho_grid *grid, double min_mps,
                        double max_mps, moho_velocity **out) {
  moho_velocity_functions functions;
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = (moho_velocity_kind)kind, options.min_mps = min_mps, options.max_mps = max_mps, options.grid = grid;
  moho_status status = fill(times, values, n, grid, &functions);
  if (status) return status;
  functions.kind = options.kind;
  status = moho_velocity_create_functions(&functions, &options, out);
  moho_velocity_functions_release(&functions);
  return status;
}

/* Times that do not grow would be read as another function without a word. */
static int check_times(const double *times, size_t n) {
  char words[160];
  if (!n) {
    PyErr_SetString(PyExc_ValueError, "velocity: time_s is empty, expected at least one time");
    return -1;
  }
  for (size_t i = 0; i < n; i++) {
    if (isfinite(times[i]) && (!i || times[i] > times[i - 1])) continue;
    snprintf(words, sizeof words, "velocity: time_s[%zu] is %g s%s, expected times that grow, in seconds", i, times[i],
             i ? " after an equal or later one" : "");
    PyErr_SetString(PyExc_ValueError, words);
    return -1;
  }
  return 0;
}

/* velocity_functions(times [n], values [n] or [inline, crossline, n], kind, grid or None, min_mps, max_mps) */
static PyObject *velocity_functions(PyObject *module, PyObject *args) {
  PyObject *times_object, *values_object, *grid_object;
  int kind;
  double min_mps, max_mps;
  const moho_grid *grid = NULL;
  moho_python_array times = {0}, values = {0};
  moho_velocity *velocity = NULL;
  moho_status status = MOHO_OK;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOiOdd:velocity_functions", &times_object, &values_object, &kind, &grid_object, &min_mps,
                        &max_mps))
    return NULL;
  if (grid_object != Py_None && moho_python_grid(grid_object, &grid)) return NULL;
  if (moho_python_array_get(times_object, "times", MOHO_PYTHON_FLOAT64, 1, NULL, MOHO_PYTHON_READ, &times)) return NULL;
  Py_ssize_t n = (Py_ssize_t)times.n, shape[3] = {n, 0, n};
  if (grid) shape[0] = (Py_ssize_t)grid->n_inline, shape[1] = (Py_ssize_t)grid->n_crossline;
  int bad =
      moho_python_array_get(values_object, "velocity", MOHO_PYTHON_FLOAT64, grid ? 3 : 1, shape, MOHO_PYTHON_READ, &values) ||
      check_times(times.data, times.n);
  if (!bad) {
    Py_BEGIN_ALLOW_THREADS;
    status = make(times.data, values.data, times.n, kind, grid, min_mps, max_mps, &velocity);
    Py_END_ALLOW_THREADS;
    if (status) moho_python_raise(status);
  }
  moho_python_array_release(&times), moho_python_array_release(&values);
  return bad || status ? NULL : moho_python_velocity_object(velocity);
}

/* ---- asked ---- */

static PyObject *velocity_describe(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyUnicode_FromString(moho_velocity_describe(((velocity_object *)self)->velocity));
}

/* rms(x, y, first_s, step_s, out [n]) */
static PyObject *velocity_rms(PyObject *self, PyObject *args) {
  double x, y, first, step;
  PyObject *out;
  moho_python_array v;
  if (!PyArg_ParseTuple(args, "ddddO:rms", &x, &y, &first, &step, &out) ||
      moho_python_array_get(out, "out", MOHO_PYTHON_FLOAT64, 1, NULL, MOHO_PYTHON_WRITE, &v))
    return NULL;
  moho_status status = moho_velocity_rms(((velocity_object *)self)->velocity, x, y, first, step, v.n, v.data);
  moho_python_array_release(&v);
  return status ? moho_python_raise(status) : Py_NewRef(Py_None);
}

static PyMethodDef methods[] = {
    {"describe", velocity_describe, METH_NOARGS, "describe() -> str: \"constant 2500 m/s\""},
    {"rms", velocity_rms, METH_VARARGS, "rms(x, y, first_s, step_s, out): v_rms at a place for times, into out [n] float64."},
    {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "A velocity; Job.velocity() and velocity_functions() make it."},
                              {Py_tp_dealloc, (void *)velocity_free},
                              {Py_tp_methods, methods},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Velocity",
                           .basicsize = sizeof(velocity_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};
static PyMethodDef functions[] = {{"velocity_functions", velocity_functions, METH_VARARGS,
                                   "velocity_functions(times, values, kind, grid, min_mps, max_mps) -> Velocity"},
                                  {0}};

int moho_python_add_velocity(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_VELOCITY) || PyModule_AddFunctions(module, functions) ? -1 : 0;
}
