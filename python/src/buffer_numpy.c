/* buffer_numpy.c - Buffers from arrays and arrays from Buffers: one memory where both sides reach it, else a copy. */
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "device.h"
#include "status.h"

/* ---- host arrays ---- */

int moho_python_strides(const Py_buffer *view, size_t shape[MOHO_PYTHON_MAX_DIMS], int64_t stride[MOHO_PYTHON_MAX_DIMS]) {
  for (int i = 0; i < view->ndim; i++) {
    shape[i] = (size_t)view->shape[i];
    if (view->strides[i] < 0 || view->strides[i] % view->itemsize) return 0;
    stride[i] = view->strides[i] / view->itemsize;
  }
  return 1;
}

/* From the first byte to the end of the last element; strides are not negative. */
static size_t reach_of(const Py_buffer *view) {
  size_t reach = (size_t)view->itemsize;
  for (int i = 0; i < view->ndim; i++) {
    if (!view->shape[i]) return 0;
    reach += (size_t)(view->shape[i] - 1) * (size_t)view->strides[i];
  }
  return reach;
}

int moho_python_lend(PyObject *device, const Py_buffer *view, moho_buffer **out, size_t *offset, char reason[200]) {
  static const size_t page = 4096; /* the least there is: within one nothing is unmapped */
  const moho_python_device_object *d = moho_python_device_of(device);
  size_t reach = reach_of(view), grain = d->report.wrap_alignment ? d->report.wrap_alignment : 1;
  uintptr_t address = (uintptr_t)view->buf, begin = address / grain * grain, end = (address + reach + grain - 1) / grain * grain;
  const char *why = NULL;
  if (!d->report.unified_memory || !d->report.zero_copy) why = "its memory is apart from the host's";
  else if (d->is_checking) why = "the checking mode guards memory of its own";
  else if (!reach) why = "the array is empty";
  else if ((address - begin) % (size_t)view->itemsize) why = "its elements are not aligned";
  else if (grain > page && (begin != address || end != address + reach)) why = "address and length are no multiples of its pages";
  if (why) {
    snprintf(reason, 200, "%.90s: %.80s", d->report.uri, why);
    return 1;
  }
  moho_status status = moho_buffer_wrap(d->device, (void *)begin, end - begin, out);
  if (status == MOHO_ERROR_NOT_AVAILABLE) {
    snprintf(reason, 200, "%.199s", moho_last_error()->message);
    return 1;
  }
  if (status) {
    moho_python_raise(status);
    return -1;
  }
  *offset = address - begin;
  return 0;
}

static PyObject *call_numpy(const char *function, const char *format, PyObject *a, PyObject *b) {
  PyObject *numpy = PyImport_ImportModule("numpy");
  PyObject *made = numpy ? PyObject_CallMethod(numpy, function, format, a, b) : NULL;
  Py_XDECREF(numpy);
  return made;
}

PyObject *moho_python_numpy_empty(int rank, const size_t *shape, moho_python_dtype dtype) {
  const char *name = dtype == MOHO_PYTHON_BFLOAT16 ? "uint16" : moho_python_dtype_name(dtype);
  PyObject *sizes = moho_python_shape_tuple(rank, shape), *word = sizes ? PyUnicode_InternFromString(name) : NULL;
  PyObject *made = word ? call_numpy("empty", "OO", sizes, word) : NULL;
  Py_XDECREF(sizes);
  Py_XDECREF(word);
  return made;
}

int moho_python_numpy_copy(PyObject *to, PyObject *from) {
  PyObject *none = call_numpy("copyto", "OO", to, from);
  Py_XDECREF(none);
  return none ? 0 : -1;
}

PyObject *moho_python_numpy_contiguous(PyObject *object) {
  return call_numpy("ascontiguousarray", "O", object, NULL);
}

/* ---- from numpy ---- */

/* The array's memory itself, held by the Buffer. @return 1: it cannot be, with the reason */
static int borrow(PyObject *device, Py_buffer *view, moho_python_dtype dtype, moho_python_buffer **out, char reason[200]) {
  size_t shape[MOHO_PYTHON_MAX_DIMS], offset;
  int64_t stride[MOHO_PYTHON_MAX_DIMS];
  moho_buffer *memory;
  if (!moho_python_strides(view, shape, stride)) {
    snprintf(reason, 200, "its strides are negative, or no multiples of an element");
    return 1;
  }
  int cannot = moho_python_lend(device, view, &memory, &offset, reason);
  if (cannot) return cannot;
  moho_python_buffer *made = moho_python_buffer_new(device, dtype, view->ndim, shape);
  if (!made) {
    moho_buffer_destroy(&memory);
    return -1;
  }
  memcpy(made->stride, stride, sizeof stride[0] * (size_t)view->ndim);
  made->buffer = memory;
  made->offset = offset;
  made->is_read_only = view->readonly;
  made->lent = *view;
  made->is_lent = 1;
  *out = made;
  return 0;
}

static int write_from(moho_python_buffer *buffer, const Py_buffer *view) {
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_write(buffer->buffer, buffer->offset, view->buf, (size_t)view->len);
  Py_END_ALLOW_THREADS;
  if (!status) return 0;
  moho_python_raise(status);
  return -1;
}

/* A copy on the device. */
static PyObject *copy_of(PyObject *device, PyObject *array, moho_python_dtype dtype, int rank, const size_t *shape) {
  Py_buffer view;
  PyObject *made = moho_python_buffer_create(device, dtype, rank, shape, MOHO_MEMORY_DEVICE);
  PyObject *packed = made ? moho_python_numpy_contiguous(array) : NULL;
  if (!packed || PyObject_GetBuffer(packed, &view, PyBUF_SIMPLE)) {
    Py_XDECREF(packed);
    Py_XDECREF(made);
    return NULL;
  }
  if (view.len && write_from(moho_python_buffer_of(made), &view)) Py_CLEAR(made);
  PyBuffer_Release(&view);
  Py_DECREF(packed);
  return made;
}

static int check_dtype(const Py_buffer *view) {
  int dtype = moho_python_dtype_of(view->format, view->itemsize);
  if (dtype < 0)
    PyErr_Format(PyExc_TypeError,
                 "array: elements of format \"%s\", expected numbers of the machine's own byte order and at most 8 "
                 "bytes: array.astype(numpy.float32) converts",
                 view->format ? view->format : "B");
  else if (view->ndim > MOHO_PYTHON_MAX_DIMS)
    PyErr_Format(PyExc_ValueError, "array: %d dimensions, expected at most %d", view->ndim, MOHO_PYTHON_MAX_DIMS);
  else return dtype;
  return -1;
}

static PyObject *from_array(PyObject *array, PyObject *device, int copy) {
  Py_buffer view;
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  char reason[200] = "";
  moho_python_buffer *lent = NULL;
  if (PyObject_GetBuffer(array, &view, PyBUF_FORMAT | PyBUF_STRIDES)) return NULL;
  int dtype = check_dtype(&view), cannot = dtype < 0 ? -1 : 1;
  if (dtype >= 0 && copy != 1) cannot = borrow(device, &view, (moho_python_dtype)dtype, &lent, reason);
  if (!cannot) return (PyObject *)lent; /* it holds the view now */
  PyObject *made = NULL;
  if (cannot > 0 && copy == 0) {
    PyErr_Format(PyExc_ValueError, "array: copy=False, and it cannot be used in place: %s; copy=None copies where it must",
                 reason);
  } else if (cannot > 0) {
    for (int i = 0; i < view.ndim; i++) shape[i] = (size_t)view.shape[i];
    made = copy_of(device, array, (moho_python_dtype)dtype, view.ndim, shape);
  }
  PyBuffer_Release(&view);
  return made;
}

/* copy=True, False or None: 1, 0, -1; -2 with an exception. */
int moho_python_copy_word(PyObject *word) {
  if (!word || word == Py_None) return -1;
  int is = PyObject_IsTrue(word);
  return is < 0 ? -2 : is;
}

PyObject *moho_python_from_numpy(PyObject *type, PyObject *arguments, PyObject *words) {
  static char *names[] = {"array", "device", "copy", NULL};
  PyObject *array, *device = Py_None, *copy = Py_True;
  (void)type;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "O|OO:from_numpy", names, &array, &device, &copy)) return NULL;
  int how = moho_python_copy_word(copy);
  if (how < -1) return NULL;
  PyObject *on = moho_python_device(device, "device", NULL);
  if (!on) return NULL;
  PyObject *made = NULL;
  if (moho_python_is_host_array(array)) {
    made = from_array(array, on, how);
  } else if (PyObject_HasAttrString(array, "__dlpack__")) {
    made = moho_python_from_dlpack(array, on, how);
  } else {
    PyObject *given = PyType_GetName(Py_TYPE(array));
    if (given) PyErr_Format(PyExc_TypeError, "array: a %U, expected a numpy.ndarray: numpy.asarray(...) makes one", given);
    Py_XDECREF(given);
  }
  Py_DECREF(on);
  return made;
}

/* ---- to numpy ---- */

int moho_python_get_buffer(PyObject *self, Py_buffer *view, int flags) {
  moho_python_buffer *b = moho_python_buffer_of(self);
  moho_buffer_place place;
  view->obj = NULL;
  if (moho_python_buffer_place(b, &place)) return -1;
  const char *format = moho_python_dtype_format(b->dtype);
  const char *why = NULL;
  if (!place.host) why = "the host does not reach this device's memory: to_numpy() copies it";
  else if (!format) why = "numpy has no bfloat16: view(\"uint16\") shows the bits, ops.convert(buffer, \"float32\") converts";
  else if ((flags & PyBUF_WRITABLE) && b->is_read_only) why = "it is read-only";
  size_t itemsize = moho_python_dtype_bytes(b->dtype);
  for (int i = 0; i < b->rank; i++)
    b->view_shape[i] = (Py_ssize_t)b->shape[i], b->view_strides[i] = (Py_ssize_t)b->stride[i] * (Py_ssize_t)itemsize;
  Py_buffer made = {.buf = place.host ? (char *)place.host + b->offset : NULL,
                    .len = (Py_ssize_t)moho_python_buffer_bytes(b),
                    .itemsize = (Py_ssize_t)itemsize,
                    .readonly = b->is_read_only,
                    .ndim = b->rank,
                    .format = (char *)(uintptr_t)format,
                    .shape = b->view_shape,
                    .strides = b->view_strides};
  int order = (flags & PyBUF_F_CONTIGUOUS) == PyBUF_F_CONTIGUOUS                                               ? 'F'
              : (flags & PyBUF_ANY_CONTIGUOUS) == PyBUF_ANY_CONTIGUOUS                                         ? 'A'
              : (flags & PyBUF_C_CONTIGUOUS) == PyBUF_C_CONTIGUOUS || (flags & PyBUF_STRIDES) != PyBUF_STRIDES ? 'C'
                                                                                                               : 0;
  if (!why && order && !PyBuffer_IsContiguous(&made, (char)order)) why = "its elements do not lie together";
  if (why) {
    PyErr_Format(PyExc_BufferError, "Buffer on %s: %s", moho_python_device_of(b->device)->report.uri, why);
    return -1;
  }
  if (!(flags & PyBUF_FORMAT)) made.format = NULL;
  if (!(flags & PyBUF_ND)) made.shape = NULL;
  if ((flags & PyBUF_STRIDES) != PyBUF_STRIDES) made.strides = NULL;
  made.obj = Py_NewRef(self);
  *view = made;
  return 0;
}

/* Into a contiguous host array of as many bytes; strides by a copy on the device. */
static moho_status read_into(const moho_python_buffer *b, void *to) {
  if (moho_python_buffer_is_contiguous(b)) return moho_buffer_read(b->buffer, b->offset, to, moho_python_buffer_bytes(b));
  static const moho_dtype by_size[9] = {[1] = MOHO_DTYPE_U8, [2] = MOHO_DTYPE_F16, [4] = MOHO_DTYPE_I32}; /* bits are moved */
  size_t size = moho_python_dtype_bytes(b->dtype), pieces = size == 8 ? 2 : 1;
  size_t shape[MOHO_PYTHON_MAX_DIMS + 1];
  int64_t stride[MOHO_PYTHON_MAX_DIMS + 1];
  for (int i = 0; i < b->rank; i++) shape[i] = b->shape[i], stride[i] = b->stride[i] * (int64_t)pieces;
  shape[b->rank] = pieces, stride[b->rank] = 1;
  moho_tensor view;
  moho_dtype as = by_size[size == 8 ? 4 : size];
  moho_status status = moho_tensor_view(b->buffer, b->offset / (size / pieces), as, b->rank + (pieces > 1), shape, stride, &view);
  return status ? status : moho_tensor_read(&view, to);
}

static PyObject *to_new_numpy(const moho_python_buffer *b) {
  Py_buffer view;
  PyObject *made = moho_python_numpy_empty(b->rank, b->shape, b->dtype);
  if (!made || PyObject_GetBuffer(made, &view, PyBUF_WRITABLE)) {
    Py_XDECREF(made);
    return NULL;
  }
  moho_status status = MOHO_OK;
  Py_BEGIN_ALLOW_THREADS;
  if (view.len) status = read_into(b, view.buf);
  Py_END_ALLOW_THREADS;
  PyBuffer_Release(&view);
  if (!status) return made;
  moho_python_raise(status);
  Py_DECREF(made);
  return NULL;
}

PyObject *moho_python_to_numpy(PyObject *self, PyObject *arguments, PyObject *words) {
  static char *names[] = {"copy", NULL};
  PyObject *copy = Py_True;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "|O:to_numpy", names, &copy)) return NULL;
  int how = moho_python_copy_word(copy);
  if (how < -1) return NULL;
  if (how < 1) {
    PyObject *view = PyMemoryView_FromObject(self), *shared = view ? call_numpy("asarray", "(N)", view, NULL) : NULL;
    if (shared || how == 0) return shared;
    if (!PyErr_ExceptionMatches(PyExc_BufferError)) return NULL;
    PyErr_Clear();
  }
  return to_new_numpy(moho_python_buffer_of(self));
}

PyObject *moho_python_write_array(PyObject *self, PyObject *array) {
  moho_python_buffer *b = moho_python_buffer_of(self);
  Py_ssize_t shape[MOHO_PYTHON_MAX_DIMS];
  moho_python_array from;
  for (int i = 0; i < b->rank; i++) shape[i] = (Py_ssize_t)b->shape[i];
  if (b->is_read_only || !moho_python_buffer_is_contiguous(b)) {
    PyErr_SetString(PyExc_ValueError, b->is_read_only
                                          ? "write: the Buffer is read-only"
                                          : "write: the Buffer's elements do not lie together: ops.copy(array, out=buffer)");
    return NULL;
  }
  moho_python_dtype as = b->dtype == MOHO_PYTHON_BFLOAT16 ? MOHO_PYTHON_UINT16 : b->dtype;
  if (moho_python_array_get(array, "array", as, b->rank, shape, MOHO_PYTHON_READ, &from)) return NULL;
  int failed = from.n ? write_from(b, &from.view) : 0;
  moho_python_array_release(&from);
  if (failed) return NULL;
  Py_RETURN_NONE;
}
