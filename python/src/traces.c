/* traces.c - _moho.Traces: an open trace file, of a job's input; read in pieces, so that Ctrl-C stops it. */
#include "traces.h"

#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "module.h"
#include "status.h"
#include "work.h"

typedef struct traces_object {
  PyObject_HEAD moho_traces *traces;
} traces_object;

PyObject *moho_python_traces_object(moho_traces *traces) {
  traces_object *self = moho_python_new(MOHO_PYTHON_TRACES);
  if (self) self->traces = traces;
  else moho_traces_close(&traces);
  return (PyObject *)self;
}

static moho_traces *traces_of(PyObject *self) {
  return ((traces_object *)self)->traces;
}

static void traces_free(PyObject *self) {
  moho_traces_close(&((traces_object *)self)->traces);
  moho_python_free(self);
}

/* ---- what is there ---- */

static Py_ssize_t traces_length(PyObject *self) {
  return (Py_ssize_t)moho_traces_get_info(traces_of(self))->n_traces;
}

static PyObject *anomalies(const moho_traces_info *info) {
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < info->n_anomalies; i++) {
    const moho_anomaly *a = &info->anomalies[i];
    PyObject *one = Py_BuildValue("{sssnsnss}", "name", a->name, "count", (Py_ssize_t)a->count, "first_trace",
                                  (Py_ssize_t)a->first_trace, "text", a->text);
    if (!one || PyList_Append(list, one)) Py_CLEAR(list);
    Py_XDECREF(one);
  }
  return list;
}

static PyObject *traces_info(PyObject *self, PyObject *unused) {
  const moho_traces_info *info = moho_traces_get_info(traces_of(self));
  (void)unused;
  return Py_BuildValue("{sssnsnsdsKsssssssnsN}", "format", info->format, "n_traces", (Py_ssize_t)info->n_traces, "n_samples",
                       (Py_ssize_t)info->n_samples, "dt_s", info->dt_s, "file_bytes", (unsigned long long)info->file_bytes,
                       "units", info->units == MOHO_UNITS_FT ? "ft" : "m", "text_header", info->text_header, "input_hash",
                       info->input_hash, "traces_in_file", (Py_ssize_t)info->selection.total, "anomalies", anomalies(info));
}

static PyObject *column(const void *from, moho_python_dtype dtype, size_t n) {
  size_t bytes = n * moho_python_dtype_bytes(dtype);
  void *copy = malloc(bytes ? bytes : 1);
  if (!copy) return PyErr_NoMemory();
  memcpy(copy, from, bytes);
  return moho_python_block(copy, dtype, 1, &n);
}

PyObject *moho_python_geometry_columns(const moho_geometry *g) {
  return Py_BuildValue(
      "{sNsNsNsNsNsNsNsNsNsNsN}", "source_x", column(g->source_x, MOHO_PYTHON_FLOAT64, g->n), "source_y",
      column(g->source_y, MOHO_PYTHON_FLOAT64, g->n), "receiver_x", column(g->receiver_x, MOHO_PYTHON_FLOAT64, g->n),
      "receiver_y", column(g->receiver_y, MOHO_PYTHON_FLOAT64, g->n), "first_sample_s",
      column(g->first_sample_s, MOHO_PYTHON_FLOAT64, g->n), "mute_start_s", column(g->mute_start_s, MOHO_PYTHON_FLOAT32, g->n),
      "mute_end_s", column(g->mute_end_s, MOHO_PYTHON_FLOAT32, g->n), "cdp", column(g->cdp, MOHO_PYTHON_INT32, g->n),
      "inline_number", column(g->inline_number, MOHO_PYTHON_INT32, g->n), "crossline_number",
      column(g->crossline_number, MOHO_PYTHON_INT32, g->n), "flags", column(g->flags, MOHO_PYTHON_UINT8, g->n));
}

static PyObject *traces_geometry(PyObject *self, PyObject *args) {
  Py_ssize_t first, n;
  if (!PyArg_ParseTuple(args, "nn:geometry", &first, &n)) return NULL;
  if (first < 0 || n < 0 || first + n > traces_length(self)) {
    PyErr_Format(PyExc_ValueError, "geometry: traces %zd to %zd, expected of %zd", first, first + n, traces_length(self));
    return NULL;
  }
  moho_geometry slice = moho_geometry_slice(moho_traces_get_geometry(traces_of(self)), (size_t)first, (size_t)n);
  return moho_python_geometry_columns(&slice);
}

/* ---- samples, headers ---- */

enum { PIECE_BYTES = 1 << 26 };

static moho_status read_pieces(moho_traces *traces, size_t first, size_t n, float *out, moho_python_work *work) {
  size_t n_samples = moho_traces_get_info(traces)->n_samples;
  size_t piece = PIECE_BYTES / (n_samples * sizeof *out) + 1;
  for (size_t done = 0; done < n; done += piece) {
    size_t now = n - done < piece ? n - done : piece;
    moho_progress progress = {.stage = "reading traces", .unit = "traces", .done = (double)done, .total = (double)n};
    if (moho_python_work_step(work, &progress)) return MOHO_ERROR_INTERRUPTED;
    moho_status status = moho_traces_read(traces, first + done, now, out + done * n_samples);
    if (status) return status;
  }
  moho_progress last = {.stage = "reading traces", .unit = "traces", .done = (double)n, .total = (double)n};
  return moho_python_work_step(work, &last) ? MOHO_ERROR_INTERRUPTED : MOHO_OK;
}

/* read(first, n, progress) */
static PyObject *traces_read(PyObject *self, PyObject *args) {
  PyObject *callback = Py_None;
  Py_ssize_t first, n;
  moho_python_work work;
  if (!PyArg_ParseTuple(args, "nn|O:read", &first, &n, &callback)) return NULL;
  if (first < 0 || n < 0 || first + n > traces_length(self)) {
    PyErr_Format(PyExc_ValueError, "read: traces %zd to %zd, expected of %zd", first, first + n, traces_length(self));
    return NULL;
  }
  size_t shape[2] = {(size_t)n, moho_traces_get_info(traces_of(self))->n_samples};
  float *samples = malloc(shape[0] && shape[1] ? shape[0] * shape[1] * sizeof *samples : 1);
  if (!samples) return PyErr_NoMemory();
  if (moho_python_work_begin(&work, callback)) {
    free(samples);
    return NULL;
  }
  moho_status status = read_pieces(traces_of(self), (size_t)first, shape[0], samples, &work);
  moho_python_work_end(&work);
  if (!status) return moho_python_block(samples, MOHO_PYTHON_FLOAT32, 2, shape);
  free(samples);
  return moho_python_raise(status);
}

/* header(name, first, n) */
static PyObject *traces_header(PyObject *self, PyObject *args) {
  const char *name;
  Py_ssize_t first, n;
  moho_status status;
  if (!PyArg_ParseTuple(args, "snn:header", &name, &first, &n)) return NULL;
  size_t count = n > 0 ? (size_t)n : 0;
  double *values = malloc(count ? count * sizeof *values : 1);
  if (!values) return PyErr_NoMemory();
  Py_BEGIN_ALLOW_THREADS;
  status = moho_traces_header(traces_of(self), name, first > 0 ? (size_t)first : 0, count, values);
  Py_END_ALLOW_THREADS;
  if (!status) return moho_python_block(values, MOHO_PYTHON_FLOAT64, 1, &count);
  free(values);
  return moho_python_raise(status);
}

static PyMethodDef methods[] = {
    {"info", traces_info, METH_NOARGS, "info() -> dict: format, n_traces, n_samples, dt_s, text_header, anomalies, ..."},
    {"geometry", traces_geometry, METH_VARARGS, "geometry(first, n) -> dict of Blocks [n]; reading adds flags: ask afterwards."},
    {"read", traces_read, METH_VARARGS, "read(first, n, progress=None) -> Block [n, n_samples] float32"},
    {"header", traces_header, METH_VARARGS, "header(name, first, n) -> Block [n] float64: as it stands in the file."},
    {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "An open trace file; Job.traces() makes it."},
                              {Py_tp_dealloc, (void *)traces_free},
                              {Py_tp_methods, methods},
                              {Py_sq_length, (void *)traces_length},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Traces",
                           .basicsize = sizeof(traces_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int moho_python_add_traces(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_TRACES);
}
