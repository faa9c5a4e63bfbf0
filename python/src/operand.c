/* operand.c - Buffers, arrays and numbers become tensors for one call. */
#include "operand.h"

#include <string.h>

#include "device.h"
#include "module.h"
#include "status.h"

/* ---- dtypes ---- */

static const moho_python_dtype python_dtypes[MOHO_DTYPE_COUNT] = {
    [MOHO_DTYPE_F32] = MOHO_PYTHON_FLOAT32, [MOHO_DTYPE_F16] = MOHO_PYTHON_FLOAT16, [MOHO_DTYPE_BF16] = MOHO_PYTHON_BFLOAT16,
    [MOHO_DTYPE_I32] = MOHO_PYTHON_INT32,   [MOHO_DTYPE_I8] = MOHO_PYTHON_INT8,     [MOHO_DTYPE_U8] = MOHO_PYTHON_UINT8};

moho_python_dtype moho_python_dtype_of_tensor(moho_dtype dtype) {
  return python_dtypes[dtype];
}

int moho_python_tensor_dtype(moho_python_dtype dtype, const char *operation, const char *name) {
  for (int i = 0; i < MOHO_DTYPE_TERNARY; i++)
    if (python_dtypes[i] == dtype) return i;
  PyErr_Format(PyExc_TypeError,
               "%s: %s is %s, expected float32, float16, bfloat16, int32, int8 or uint8: %s.astype(numpy.float32) converts",
               operation, name, moho_python_dtype_name(dtype), name);
  return -1;
}

/* ---- the device ---- */

static int speaks_dlpack_alone(PyObject *object) {
  if (!object || object == Py_None || PyFloat_Check(object) || PyLong_Check(object) || moho_python_is_buffer(object)) return 0;
  if (moho_python_is_host_array(object)) return 0;
  return PyObject_HasAttrString(object, "__dlpack__");
}

/* The first Buffer's. NULL: there is none. */
static PyObject *device_of_buffers(PyObject **objects, int n) {
  for (int i = 0; i < n; i++)
    if (objects[i] && moho_python_is_buffer(objects[i])) return Py_NewRef(moho_python_buffer_of(objects[i])->device);
  return NULL;
}

PyObject *moho_python_call_device(PyObject **objects, int n, int n_out, PyObject *asked, int *any_buffer) {
  int is_asked = asked && asked != Py_None;
  PyObject *device = is_asked ? moho_python_device(asked, "device", NULL) : device_of_buffers(objects, n);
  if (is_asked && !device) return NULL;
  *any_buffer = 0;
  for (int i = 0; i < n; i++) {
    if (speaks_dlpack_alone(objects[i])) {
      PyObject *brought = moho_python_from_dlpack(objects[i], device, is_asked && i < n - n_out ? -1 : 0);
      if (!brought) {
        Py_XDECREF(device);
        return NULL;
      }
      moho_python_replace(&objects[i], brought);
    }
    if (!objects[i] || !moho_python_is_buffer(objects[i])) continue;
    *any_buffer = 1;
    if (!device) device = Py_NewRef(moho_python_buffer_of(objects[i])->device);
  }
  return device ? device : moho_python_device(Py_None, "device", NULL);
}

/* ---- one argument ---- */

static int fail(moho_status status) {
  moho_python_raise(status);
  return -1;
}

static int set_tensor(moho_buffer *buffer, size_t offset, int dtype, int rank, const size_t *shape, const int64_t *stride,
                      moho_python_operand *out) {
  moho_status status = moho_tensor_view(buffer, offset * 8 / moho_dtype_bits((moho_dtype)dtype), (moho_dtype)dtype, rank, shape,
                                        stride, &out->tensor);
  return status ? fail(status) : 0;
}

static int use_buffer(PyObject *object, const char *operation, const char *name, moho_python_operand *out) {
  const moho_python_buffer *b = moho_python_buffer_of(object);
  moho_buffer_place place;
  int dtype = moho_python_tensor_dtype(b->dtype, operation, name);
  if (dtype < 0) return -1;
  if (moho_python_buffer_place(b, &place)) return -1;
  out->address = (place.device ? place.device : (uint64_t)(uintptr_t)place.host) + b->offset;
  return set_tensor(b->buffer, b->offset, dtype, b->rank, b->shape, b->stride, out);
}

/* Contiguous on the device: numbers of `view` where it is an input. */
static int use_copy(PyObject *object, PyObject *device, int dtype, int is_input, moho_python_operand *out) {
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  for (int i = 0; i < out->view.ndim; i++) shape[i] = (size_t)out->view.shape[i];
  moho_status status =
      moho_tensor_create(moho_python_device_of(device)->device, (moho_dtype)dtype, out->view.ndim, shape, &out->tensor);
  if (status) return fail(status);
  out->made = out->tensor.buffer;
  out->tensor.owns = 0;
  if (!is_input || !out->view.len) return 0;
  Py_buffer packed = out->view;
  if (!PyBuffer_IsContiguous(&out->view, 'C')) {
    out->packed = moho_python_numpy_contiguous(object);
    if (!out->packed || PyObject_GetBuffer(out->packed, &packed, PyBUF_SIMPLE)) return -1;
  }
  Py_BEGIN_ALLOW_THREADS;
  status = moho_tensor_write(&out->tensor, packed.buf);
  Py_END_ALLOW_THREADS;
  if (out->packed) PyBuffer_Release(&packed);
  return status ? fail(status) : 0;
}

static int use_array(PyObject *object, const char *operation, const char *name, PyObject *device, int is_input,
                     moho_python_operand *out) {
  char reason[200];
  size_t shape[MOHO_PYTHON_MAX_DIMS], offset;
  int64_t stride[MOHO_PYTHON_MAX_DIMS];
  if (PyObject_GetBuffer(object, &out->view, PyBUF_FORMAT | PyBUF_STRIDES)) return -1;
  out->has_view = 1;
  int given = moho_python_dtype_of(out->view.format, out->view.itemsize);
  if (given < 0) {
    PyErr_Format(PyExc_TypeError, "%s: %s has elements of format \"%s\", expected numbers: %s.astype(numpy.float32) converts",
                 operation, name, out->view.format ? out->view.format : "B", name);
    return -1;
  }
  int dtype = moho_python_tensor_dtype((moho_python_dtype)given, operation, name);
  if (dtype < 0) return -1;
  if (out->view.ndim > MOHO_PYTHON_MAX_DIMS) {
    PyErr_Format(PyExc_ValueError, "%s: %s has %d dimensions, expected at most %d", operation, name, out->view.ndim,
                 MOHO_PYTHON_MAX_DIMS);
    return -1;
  }
  if (!is_input && out->view.readonly) {
    PyErr_Format(PyExc_ValueError, "%s: %s is read-only, expected a writable array", operation, name);
    return -1;
  }
  int cannot = 1;
  if (moho_python_strides(&out->view, shape, stride)) cannot = moho_python_lend(device, &out->view, &out->made, &offset, reason);
  if (cannot < 0) return -1;
  if (cannot) return use_copy(object, device, dtype, is_input, out);
  out->address = (uint64_t)(uintptr_t)out->view.buf;
  return set_tensor(out->made, offset, dtype, out->view.ndim, shape, stride, out);
}

static int refuse(PyObject *object, const char *operation, const char *name, int numbers) {
  PyObject *given = PyType_GetName(Py_TYPE(object));
  if (given)
    PyErr_Format(PyExc_TypeError, "%s: %s is a %U, expected a numpy array, a Buffer or what speaks DLPack%s", operation, name,
                 given, numbers ? ", or a number" : "");
  Py_XDECREF(given);
  return -1;
}

int moho_python_operand_in(PyObject *object, const char *operation, const char *name, PyObject *device, int numbers,
                           moho_python_operand *out) {
  if (numbers && (PyFloat_Check(object) || PyLong_Check(object))) {
    out->is_number = 1;
    out->number = PyFloat_AsDouble(object);
    return out->number == -1 && PyErr_Occurred() ? -1 : 0;
  }
  if (moho_python_is_buffer(object)) return use_buffer(object, operation, name, out);
  if (PyObject_CheckBuffer(object)) return use_array(object, operation, name, device, 1, out);
  return refuse(object, operation, name, numbers);
}

/* ---- the output ---- */

/* Bytes from the first element to the end of the last. */
static uint64_t reach_of(const moho_tensor *t) {
  size_t reach = 1;
  for (int i = 0; i < t->rank; i++) {
    if (!t->shape[i]) return 0;
    reach += (t->shape[i] - 1) * (size_t)t->stride[i];
  }
  return (uint64_t)reach * moho_dtype_bits(t->dtype) / 8;
}

static int is_same_view(const moho_tensor *a, const moho_tensor *b) {
  int same = a->dtype == b->dtype && a->rank == b->rank;
  for (int i = 0; same && i < a->rank; i++)
    same = a->shape[i] == b->shape[i] && (a->stride[i] == b->stride[i] || a->shape[i] == 1);
  return same;
}

/* The library compares views of one buffer; here are buffers that may have one memory. */
static int settle_overlap(const char *operation, moho_python_operand *in, const moho_python_operand *out) {
  if (in->is_number || !in->address || !out->address || in->tensor.buffer == out->tensor.buffer) return 0;
  uint64_t in_end = in->address + reach_of(&in->tensor), out_end = out->address + reach_of(&out->tensor);
  if (in_end <= out->address || out_end <= in->address) return 0;
  if (in->address == out->address && is_same_view(&in->tensor, &out->tensor)) {
    in->tensor = out->tensor;
    return 0;
  }
  PyErr_Format(PyExc_ValueError, "%s: out overlaps an operand, expected the very same array or memory apart", operation);
  return -1;
}

int moho_python_operand_out(PyObject *object, const char *operation, PyObject *device, moho_python_operand *inputs, int n_inputs,
                            moho_python_operand *out) {
  if (moho_python_is_buffer(object)) {
    if (moho_python_buffer_of(object)->is_read_only) {
      PyErr_Format(PyExc_ValueError, "%s: out is a read-only Buffer", operation);
      return -1;
    }
    if (use_buffer(object, operation, "out", out)) return -1;
  } else if (!PyObject_CheckBuffer(object)) {
    return refuse(object, operation, "out", 0);
  } else if (use_array(object, operation, "out", device, 0, out)) {
    return -1;
  }
  for (int i = 0; i < n_inputs; i++)
    if (settle_overlap(operation, &inputs[i], out)) return -1;
  return 0;
}

int moho_python_operand_finish(PyObject *object, moho_python_operand *out) {
  if (!out->has_view || out->address || !out->view.len) return 0;
  moho_status status;
  if (PyBuffer_IsContiguous(&out->view, 'C')) {
    Py_BEGIN_ALLOW_THREADS;
    status = moho_tensor_read(&out->tensor, out->view.buf);
    Py_END_ALLOW_THREADS;
    return status ? fail(status) : 0;
  }
  Py_buffer packed;
  out->packed = moho_python_numpy_empty(out->tensor.rank, out->tensor.shape, python_dtypes[out->tensor.dtype]);
  if (!out->packed || PyObject_GetBuffer(out->packed, &packed, PyBUF_WRITABLE)) return -1;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_tensor_read(&out->tensor, packed.buf);
  Py_END_ALLOW_THREADS;
  PyBuffer_Release(&packed);
  return status ? fail(status) : moho_python_numpy_copy(object, out->packed);
}

void moho_python_operand_release(moho_python_operand *operand) {
  if (operand->made) moho_buffer_destroy(&operand->made);
  if (operand->has_view) PyBuffer_Release(&operand->view);
  operand->has_view = 0;
  Py_CLEAR(operand->packed);
}

PyObject *moho_python_result(PyObject *device, int any_buffer, moho_dtype dtype, int rank, const size_t *shape) {
  moho_python_dtype as = python_dtypes[dtype];
  return any_buffer ? moho_python_buffer_create(device, as, rank, shape, MOHO_MEMORY_DEVICE)
                    : moho_python_numpy_empty(rank, shape, as);
}
