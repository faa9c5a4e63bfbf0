/* arrays.c - the buffer protocol, checked: dtype, dimensions, shape, order, with names in every complaint. */
#include "arrays.h"

#include <stdio.h>
#include <string.h>

#include "module.h"

/* ---- dtypes ---- */

typedef struct dtype_row {
  const char *name;
  size_t bytes;
  char kind;
} dtype_row;

static const dtype_row dtypes[MOHO_PYTHON_N_DTYPES] = {
#define MOHO_PYTHON_DTYPE_ROW(id, name, bytes, kind) {name, bytes, kind},
    MOHO_PYTHON_DTYPES(MOHO_PYTHON_DTYPE_ROW)
#undef MOHO_PYTHON_DTYPE_ROW
};

const char *moho_python_dtype_name(moho_python_dtype dtype) {
  return dtypes[dtype].name;
}

size_t moho_python_dtype_bytes(moho_python_dtype dtype) {
  return dtypes[dtype].bytes;
}

const char *moho_python_dtype_format(moho_python_dtype dtype) {
  static const char *const formats[MOHO_PYTHON_N_DTYPES] = {
      [MOHO_PYTHON_FLOAT32] = "f", [MOHO_PYTHON_FLOAT64] = "d", [MOHO_PYTHON_INT32] = "i",  [MOHO_PYTHON_UINT8] = "B",
      [MOHO_PYTHON_FLOAT16] = "e", [MOHO_PYTHON_INT8] = "b",    [MOHO_PYTHON_UINT16] = "H", [MOHO_PYTHON_UINT32] = "I",
      [MOHO_PYTHON_INT64] = "q",   [MOHO_PYTHON_UINT64] = "Q",  [MOHO_PYTHON_INT16] = "h"};
  return formats[dtype];
}

static char kind_of_letter(char letter) {
  if (strchr("efd", letter)) return 'f';
  if (strchr("bhilqn", letter)) return 'i';
  if (strchr("BHILQN?", letter)) return 'u';
  return 0;
}

int moho_python_dtype_of(const char *format, Py_ssize_t itemsize) {
  const char *letter = format ? format : "B";
  const unsigned probe = 1;
  char native;
  memcpy(&native, &probe, 1);
  if (*letter == (native ? '<' : '>') || *letter == '=' || *letter == '@') letter++;
  if (!letter[0] || letter[1]) return -1;
  char kind = kind_of_letter(letter[0]);
  for (int i = 0; kind && i < MOHO_PYTHON_N_DTYPES; i++)
    if (dtypes[i].kind == kind && (Py_ssize_t)dtypes[i].bytes == itemsize) return i;
  return -1;
}

/* ---- complaints ---- */

static void shape_text(int n_dims, const Py_ssize_t *shape, char text[200]) {
  int used = snprintf(text, 200, "(");
  for (int i = 0; i < n_dims && used < 170; i++)
    used += shape[i] < 0 ? snprintf(text + used, 200 - (size_t)used, "%sany", i ? ", " : "")
                         : snprintf(text + used, 200 - (size_t)used, "%s%zd", i ? ", " : "", shape[i]);
  snprintf(text + used, 200 - (size_t)used, n_dims == 1 ? ",)" : ")");
}

static int refuse_dtype(const char *name, const Py_buffer *view, const char *expected) {
  int given = moho_python_dtype_of(view->format, view->itemsize);
  if (given >= 0)
    PyErr_Format(PyExc_TypeError, "%s: %s, expected %s: %s.astype(numpy.%s) converts", name, dtypes[given].name, expected, name,
                 expected);
  else
    PyErr_Format(PyExc_TypeError, "%s: elements of format \"%s\", expected %s: %s.astype(numpy.%s) converts", name,
                 view->format ? view->format : "B", expected, name, expected);
  return -1;
}

static int check_shape(const char *name, const Py_buffer *view, int n_dims, const Py_ssize_t *shape) {
  int fits = n_dims < 0 || view->ndim == n_dims;
  for (int i = 0; fits && shape && i < n_dims; i++) fits = shape[i] < 0 || view->shape[i] == shape[i];
  if (fits) return 0;
  char given[200], expected[200];
  shape_text(view->ndim, view->shape, given);
  if (shape) {
    shape_text(n_dims, shape, expected);
    PyErr_Format(PyExc_ValueError, "%s: shape %s, expected %s", name, given, expected);
  } else {
    PyErr_Format(PyExc_ValueError, "%s: shape %s, expected %d dimension%s", name, given, n_dims, n_dims == 1 ? "" : "s");
  }
  return -1;
}

static int check(const char *name, const Py_buffer *view, moho_python_dtype dtype, int n_dims, const Py_ssize_t *shape,
                 int flags) {
  if (moho_python_dtype_of(view->format, view->itemsize) != (int)dtype) return refuse_dtype(name, view, dtypes[dtype].name);
  if (check_shape(name, view, n_dims, shape)) return -1;
  if (flags & MOHO_PYTHON_WRITE && view->readonly) {
    PyErr_Format(PyExc_ValueError, "%s: is read-only, expected a writable array: %s.copy() makes one", name, name);
    return -1;
  }
  if (!(flags & MOHO_PYTHON_STRIDED) && !PyBuffer_IsContiguous(view, 'C')) {
    PyErr_Format(PyExc_ValueError, "%s: is not C-contiguous (the last axis fastest): numpy.ascontiguousarray(%s) copies it", name,
                 name);
    return -1;
  }
  return 0;
}

/* ---- arrays ---- */

int moho_python_array_get(PyObject *object, const char *name, moho_python_dtype dtype, int n_dims, const Py_ssize_t *shape,
                          int flags, moho_python_array *out) {
  memset(out, 0, sizeof *out);
  if (PyObject_GetBuffer(object, &out->view, PyBUF_FORMAT | PyBUF_STRIDES)) {
    PyErr_Clear();
    PyObject *type = PyType_GetName(Py_TYPE(object));
    if (type)
      PyErr_Format(PyExc_TypeError, "%s: a %U, expected an array of %s (numpy.ndarray, or what speaks the buffer protocol)", name,
                   type, dtypes[dtype].name);
    Py_XDECREF(type);
    return -1;
  }
  out->is_held = 1;
  if (check(name, &out->view, dtype, n_dims, shape, flags)) {
    moho_python_array_release(out);
    return -1;
  }
  out->data = out->view.buf;
  out->n = (size_t)(out->view.len / out->view.itemsize);
  return 0;
}

void moho_python_array_release(moho_python_array *array) {
  if (array->is_held) PyBuffer_Release(&array->view);
  memset(array, 0, sizeof *array);
}
