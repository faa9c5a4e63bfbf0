/* synth.c - _moho.synth: synthetic surveys with exact travel times, into memory or into a file. */
#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "module.h"
#include "status.h"
#include "work.h"

/* ---- options ---- */

/* preset: a name or None; pairs: a list of (key, value), both str. */
static int take_options(PyObject *preset, PyObject *pairs, moho_synth_options *options) {
  const char *name = preset == Py_None ? NULL : PyUnicode_AsUTF8AndSize(preset, NULL);
  if (PyErr_Occurred()) return -1;
  moho_status status = moho_synth_options_preset(name, options);
  Py_ssize_t n = PyList_Size(pairs);
  for (Py_ssize_t i = 0; !status && i < n; i++) {
    const char *key, *value;
    if (!PyArg_ParseTuple(PyList_GetItem(pairs, i), "ss:option", &key, &value)) return -1;
    status = moho_synth_options_set(options, key, value);
  }
  if (status) moho_python_raise(status);
  return status || n < 0 ? -1 : 0;
}

/* ---- into memory ---- */

static PyObject *copy_column(const void *column, size_t n, moho_python_dtype dtype) {
  size_t bytes = n * moho_python_dtype_bytes(dtype);
  void *copy = malloc(bytes ? bytes : 1);
  if (!copy) return PyErr_NoMemory();
  memcpy(copy, column, bytes);
  return moho_python_block(copy, dtype, 1, &n);
}

static PyObject *columns_of(const moho_geometry *g) {
  const struct {
    const char *name;
    const void *column;
    moho_python_dtype dtype;
  } columns[] = {{"source_x", g->source_x, MOHO_PYTHON_FLOAT64},
                 {"source_y", g->source_y, MOHO_PYTHON_FLOAT64},
                 {"receiver_x", g->receiver_x, MOHO_PYTHON_FLOAT64},
                 {"receiver_y", g->receiver_y, MOHO_PYTHON_FLOAT64},
                 {"first_sample_s", g->first_sample_s, MOHO_PYTHON_FLOAT64},
                 {"cdp", g->cdp, MOHO_PYTHON_INT32},
                 {"inline_number", g->inline_number, MOHO_PYTHON_INT32},
                 {"crossline_number", g->crossline_number, MOHO_PYTHON_INT32}};
  PyObject *made = PyDict_New();
  for (size_t i = 0; made && i < sizeof columns / sizeof *columns; i++) {
    PyObject *block = copy_column(columns[i].column, g->n, columns[i].dtype);
    if (!block || PyDict_SetItemString(made, columns[i].name, block)) Py_CLEAR(made);
    Py_XDECREF(block);
  }
  return made;
}

/* synth(preset, pairs) -> (traces, columns, dt_s) */
static PyObject *synth(PyObject *module, PyObject *args) {
  PyObject *preset, *pairs;
  moho_synth_options options;
  moho_geometry geometry = {0};
  (void)module;
  if (!PyArg_ParseTuple(args, "OO:synth", &preset, &pairs) || take_options(preset, pairs, &options)) return NULL;
  const size_t shape[2] = {moho_synth_trace_count(&options), options.n_samples};
  float *samples = calloc(shape[0] + 1, shape[1] * sizeof *samples);
  moho_status status = samples ? MOHO_OK : MOHO_ERROR_MEMORY;
  Py_BEGIN_ALLOW_THREADS;
  if (!status) status = moho_geometry_create(shape[0], &geometry);
  if (!status) status = moho_synth_generate(&options, 0, shape[0], &geometry, samples);
  Py_END_ALLOW_THREADS;
  PyObject *columns = status ? moho_python_raise(status) : columns_of(&geometry);
  moho_geometry_release(&geometry);
  if (!columns) {
    free(samples);
    return NULL;
  }
  return Py_BuildValue("NNd", moho_python_block(samples, MOHO_PYTHON_FLOAT32, 2, shape), columns, options.dt_s);
}

/* ---- into a file ---- */

/* synth_write(preset, pairs, path, progress) */
static PyObject *synth_write(PyObject *module, PyObject *args) {
  PyObject *preset, *pairs, *progress;
  const char *path;
  moho_synth_options options;
  moho_python_work work;
  (void)module;
  if (!PyArg_ParseTuple(args, "OOsO:synth_write", &preset, &pairs, &path, &progress) || take_options(preset, pairs, &options) ||
      moho_python_work_begin(&work, progress))
    return NULL;
  moho_status status = moho_synth_write(&options, path, moho_python_work_step, &work);
  moho_python_work_end(&work);
  return status ? moho_python_raise(status) : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {
    {"synth", synth, METH_VARARGS, "synth(preset, pairs) -> (traces, columns, dt_s): Blocks."},
    {"synth_write", synth_write, METH_VARARGS, "synth_write(preset, pairs, path, progress): a trace file."},
    {0}};

int moho_python_add_synth(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
