/* dlpack_import.c - memory of another library as a Buffer: in place where it is on the device, else copied or refused. */
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "dlpack.h"
#include "module.h"
#include "status.h"

static void give_back_managed(void *pointer) {
  dl_managed *m = pointer;
  if (m->deleter) m->deleter(m);
}

static void give_back_versioned(void *pointer) {
  dl_versioned *v = pointer;
  if (v->deleter) v->deleter(v);
}

static PyObject *call_dlpack(PyObject *array, int is_cuda, int has_version) {
  PyObject *method = PyObject_GetAttrString(array, "__dlpack__"), *none = PyTuple_New(0), *words = PyDict_New(), *made = NULL;
  int bad = !method || !none || !words;
  if (!bad && is_cuda) {
    PyObject *one = PyLong_FromLong(1);
    bad = !one || PyDict_SetItemString(words, "stream", one);
    Py_XDECREF(one);
  }
  if (!bad && has_version) {
    PyObject *version = Py_BuildValue("(ii)", 1, 0);
    bad = !version || PyDict_SetItemString(words, "max_version", version);
    Py_XDECREF(version);
  }
  if (!bad) made = PyObject_Call(method, none, words);
  Py_XDECREF(method);
  Py_XDECREF(none);
  Py_XDECREF(words);
  return made;
}

/* Libraries of before DLPack 1 do not know max_version. */
static PyObject *capsule_of(PyObject *array, int is_cuda) {
  PyObject *capsule = call_dlpack(array, is_cuda, 1);
  if (capsule || !PyErr_ExceptionMatches(PyExc_TypeError)) return capsule;
  PyErr_Clear();
  return call_dlpack(array, is_cuda, 0);
}

static int dtype_of(const dl_tensor *t) {
  for (size_t i = 0; i < DL_DTYPES; i++)
    if (moho_python_dl_dtypes[i].code == t->code && moho_python_dl_dtypes[i].bits == t->bits && t->lanes == 1)
      return (int)moho_python_dl_dtypes[i].dtype;
  PyErr_Format(PyExc_TypeError, "array: DLPack type code %d of %d bits and %d lanes, expected integers or floats", t->code,
               t->bits, t->lanes);
  return -1;
}

/* Shape and strides into the Buffer's. -1 with an exception. */
static int layout(const dl_tensor *t, moho_python_buffer *b) {
  int64_t stride = 1;
  for (int i = t->rank; i-- > 0;) {
    b->shape[i] = (size_t)t->shape[i];
    b->stride[i] = t->strides ? t->strides[i] : stride;
    stride *= t->shape[i] ? t->shape[i] : 1;
    if (b->stride[i] >= 0) continue;
    PyErr_SetString(PyExc_ValueError, "array: negative strides, expected none: a copy in its own library has none");
    return -1;
  }
  return 0;
}

static size_t reach_of(const moho_python_buffer *b) {
  size_t reach = 1;
  for (int i = 0; i < b->rank; i++) {
    if (!b->shape[i]) return 0;
    reach += (b->shape[i] - 1) * (size_t)b->stride[i];
  }
  return reach * moho_python_dtype_bytes(b->dtype);
}

/* The memory becomes the Buffer's. 0; 1: it cannot in place, with the reason; -1 with an exception. */
static int attach(moho_python_buffer *b, const dl_tensor *t, char reason[200]) {
  uintptr_t address = (uintptr_t)t->data + t->byte_offset;
  size_t reach = reach_of(b), element = moho_python_dtype_bytes(b->dtype);
  if (t->device_type != DL_CUDA) {
    Py_ssize_t length = (Py_ssize_t)reach, one = 1; /* as bytes from the first element to the end of the last */
    Py_buffer view = {.buf = (void *)address, .len = length, .itemsize = 1, .ndim = 1, .shape = &length, .strides = &one};
    if (address % element) {
      strcpy(reason, "its elements are not aligned");
      return 1;
    }
    return moho_python_lend(b->device, &view, &b->buffer, &b->offset, reason);
  }
  uintptr_t begin = address / 16 * 16, end = (address + reach + 15) / 16 * 16;
  if (!reach || (address - begin) % element) {
    strcpy(reason, reach ? "its elements are not aligned" : "the array is empty");
    return 1;
  }
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_wrap_device(moho_python_device_of(b->device)->device, begin, end - begin, &b->buffer);
  Py_END_ALLOW_THREADS;
  b->offset = address - begin;
  if (!status) return 0;
  moho_python_raise(status);
  return -1;
}

/* The Device where the tensor is, or the one that was asked for. */
static PyObject *device_for(const dl_tensor *t, PyObject *asked) {
  if (asked) return Py_NewRef(asked);
  PyObject *uri = t->device_type == DL_CUDA ? PyUnicode_FromFormat("cuda:%d", (int)t->device_id) : PyUnicode_FromString("cpu");
  PyObject *devices = uri ? PyImport_ImportModule("moho._devices") : NULL;
  PyObject *device = devices ? PyObject_CallMethod(devices, "at", "O", uri) : NULL;
  Py_XDECREF(devices);
  Py_XDECREF(uri);
  return device;
}

/* 1: the tensor's memory is the device's (or may be). */
static int is_on(const dl_tensor *t, const moho_device_report *report) {
  if (t->device_type != DL_CUDA) return report->unified_memory;
  return strcmp(report->kind, "cuda") == 0 && strtol(report->uri + strlen("cuda:"), NULL, 10) == t->device_id;
}

static int check_tensor(const dl_tensor *t) {
  if (t->device_type != DL_CPU && t->device_type != DL_CUDA && t->device_type != DL_CUDA_HOST)
    PyErr_Format(PyExc_ValueError, "array: on a device of DLPack's type %d, expected the host's memory (1, 3) or CUDA's (2)",
                 (int)t->device_type);
  else if (t->rank < 0 || t->rank > MOHO_PYTHON_MAX_DIMS)
    PyErr_Format(PyExc_ValueError, "array: %d dimensions, expected at most %d", (int)t->rank, MOHO_PYTHON_MAX_DIMS);
  else return dtype_of(t);
  return -1;
}

typedef struct taken {
  dl_tensor *tensor;
  void (*give_back)(void *managed);
  void *managed;
  int is_read_only;
} taken;

static int take(PyObject *capsule, taken *out) {
  if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
    dl_versioned *v = PyCapsule_GetPointer(capsule, "dltensor_versioned");
    if (v->major != 1) {
      PyErr_Format(PyExc_BufferError, "array: DLPack version %u, expected 0 or 1", (unsigned)v->major);
      return -1;
    }
    *out = (taken){&v->tensor, give_back_versioned, v, (v->flags & DL_READ_ONLY) != 0};
    return PyCapsule_SetName(capsule, "used_dltensor_versioned");
  }
  if (!PyCapsule_IsValid(capsule, "dltensor")) {
    PyErr_SetString(PyExc_TypeError, "array: __dlpack__() gave no capsule named \"dltensor\" or \"dltensor_versioned\"");
    return -1;
  }
  dl_managed *m = PyCapsule_GetPointer(capsule, "dltensor");
  *out = (taken){&m->tensor, give_back_managed, m, 0};
  return PyCapsule_SetName(capsule, "used_dltensor");
}

/* A Buffer that holds the tensor and has no memory yet; the tensor is given back with it in every case. */
static moho_python_buffer *hold(const taken *t, PyObject *device, int dtype) {
  size_t shape[MOHO_PYTHON_MAX_DIMS] = {0};
  moho_python_buffer *made = moho_python_buffer_new(device, (moho_python_dtype)dtype, t->tensor->rank, shape);
  if (!made) {
    t->give_back(t->managed);
    return NULL;
  }
  made->give_back = t->give_back, made->managed = t->managed, made->is_read_only = t->is_read_only;
  if (layout(t->tensor, made)) Py_CLEAR(made);
  return made;
}

/* By way of the host: the Buffer where the tensor is, its numbers, and a Buffer of those. */
static PyObject *copy_to(moho_python_buffer *held, const dl_tensor *t, PyObject *device) {
  char reason[200];
  if (!reach_of(held)) return moho_python_buffer_create(device, held->dtype, held->rank, held->shape, MOHO_MEMORY_DEVICE);
  PyObject *near = device_for(t, NULL);
  if (!near) return NULL;
  moho_python_replace(&held->device, near);
  int cannot = attach(held, t, reason);
  if (cannot > 0) PyErr_Format(PyExc_ValueError, "array: %s", reason);
  PyObject *numbers = cannot ? NULL : PyObject_CallMethod((PyObject *)held, "to_numpy", NULL);
  PyObject *made = numbers ? PyObject_CallMethod((PyObject *)held, "from_numpy", "OO", numbers, device) : NULL;
  if (made) moho_python_buffer_of(made)->dtype = held->dtype; /* bfloat16 went as its bits */
  Py_XDECREF(numbers);
  return made;
}

static PyObject *bring(const taken *t, PyObject *device, int dtype, int copy) {
  char reason[200] = "its memory is not the device's";
  moho_python_buffer *held = hold(t, device, dtype);
  if (!held) return NULL;
  int cannot = 1;
  if (copy != 1 && is_on(t->tensor, &moho_python_device_of(device)->report)) cannot = attach(held, t->tensor, reason);
  if (!cannot) return (PyObject *)held;
  PyObject *made = NULL;
  if (cannot > 0 && copy) made = copy_to(held, t->tensor, device);
  if (cannot > 0 && !copy) PyErr_Format(PyExc_ValueError, "array: copy=False, and it cannot be used in place: %s", reason);
  Py_DECREF(held);
  return made;
}

/* Where it lies, in DLPack's numbers. 0; -1 with an exception. */
static int place_of(PyObject *array, int *type, int *number) {
  PyObject *where = PyObject_CallMethod(array, "__dlpack_device__", NULL), *pair = where ? PySequence_Tuple(where) : NULL;
  int known = pair && PyArg_ParseTuple(pair, "ii", type, number);
  Py_XDECREF(where);
  Py_XDECREF(pair);
  return known ? 0 : -1;
}

int moho_python_is_host_array(PyObject *object) {
  int type = DL_CPU, number;
  if (!PyObject_CheckBuffer(object)) return 0;
  if (PyObject_HasAttrString(object, "__dlpack_device__") && place_of(object, &type, &number)) PyErr_Clear();
  return type == DL_CPU;
}

PyObject *moho_python_from_dlpack(PyObject *array, PyObject *asked, int copy) {
  int type, number;
  taken t;
  if (!PyObject_HasAttrString(array, "__dlpack__")) {
    PyObject *given = PyType_GetName(Py_TYPE(array));
    if (given) PyErr_Format(PyExc_TypeError, "array: a %U, expected one that speaks DLPack (has __dlpack__)", given);
    Py_XDECREF(given);
    return NULL;
  }
  if (place_of(array, &type, &number)) return NULL;
  PyObject *capsule = capsule_of(array, type == DL_CUDA);
  if (!capsule || take(capsule, &t)) {
    Py_XDECREF(capsule);
    return NULL;
  }
  Py_DECREF(capsule);
  int dtype = check_tensor(t.tensor);
  PyObject *device = dtype < 0 ? NULL : device_for(t.tensor, asked);
  PyObject *made = device ? bring(&t, device, dtype, copy) : NULL;
  if (!device) t.give_back(t.managed);
  Py_XDECREF(device);
  return made;
}
