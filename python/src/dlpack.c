/* dlpack.c - memory passed to and from other libraries by DLPack (https://dmlc.github.io/dlpack), versions 0 and 1.
 *
 * Order on a device: Moho's calls have ended when they return, so that what is handed out may be used on any stream. What comes
 * in on CUDA is asked for on the default stream (stream=1): its library makes that stream wait for what it still does, and
 * moho_buffer_wrap_device() waits for the stream.
 */
#include <stdlib.h>
#include <string.h>

#include "buffer.h"
#include "device.h"
#include "module.h"
#include "status.h"

/* ---- the interchange's structs ---- */

enum { DL_CPU = 1, DL_CUDA = 2, DL_CUDA_HOST = 3 };
enum { DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BFLOAT = 4 };
enum { DL_READ_ONLY = 1, DL_COPIED = 2 };

typedef struct dl_tensor {
  void *data;
  int32_t device_type, device_id;
  int32_t rank;
  uint8_t code, bits;
  uint16_t lanes;
  int64_t *shape, *strides; /* elements; strides NULL: contiguous */
  uint64_t byte_offset;
} dl_tensor;

typedef struct dl_managed { /* "dltensor" */
  dl_tensor tensor;
  void *context;
  void (*deleter)(struct dl_managed *self);
} dl_managed;

typedef struct dl_versioned { /* "dltensor_versioned" */
  uint32_t major, minor;
  void *context;
  void (*deleter)(struct dl_versioned *self);
  uint64_t flags;
  dl_tensor tensor;
} dl_versioned;

static const struct {
  moho_python_dtype dtype;
  uint8_t code, bits;
} dtypes[] = {{MOHO_PYTHON_FLOAT32, DL_FLOAT, 32},   {MOHO_PYTHON_FLOAT64, DL_FLOAT, 64}, {MOHO_PYTHON_FLOAT16, DL_FLOAT, 16},
              {MOHO_PYTHON_BFLOAT16, DL_BFLOAT, 16}, {MOHO_PYTHON_INT8, DL_INT, 8},       {MOHO_PYTHON_INT16, DL_INT, 16},
              {MOHO_PYTHON_INT32, DL_INT, 32},       {MOHO_PYTHON_INT64, DL_INT, 64},     {MOHO_PYTHON_UINT8, DL_UINT, 8},
              {MOHO_PYTHON_UINT16, DL_UINT, 16},     {MOHO_PYTHON_UINT32, DL_UINT, 32},   {MOHO_PYTHON_UINT64, DL_UINT, 64}};
enum { N_DTYPES = sizeof dtypes / sizeof *dtypes };

/* ---- handing out ---- */

/* What a capsule holds: one of the two forms, and the Buffer. */
typedef struct export {
  union {
    dl_managed managed;
    dl_versioned versioned;
  } as;
  PyObject *buffer;
  int64_t shape[MOHO_PYTHON_MAX_DIMS], strides[MOHO_PYTHON_MAX_DIMS];
}
export;

/* From any thread of any library; after Python's end the memory goes with the process. */
static void end_export(export *e) {
  if (!Py_IsInitialized()) return;
  PyGILState_STATE state = PyGILState_Ensure();
  Py_DECREF(e->buffer);
  PyGILState_Release(state);
  free(e);
}

static void delete_managed(dl_managed *self) {
  end_export(self->context);
}

static void delete_versioned(dl_versioned *self) {
  end_export(self->context);
}

/* Of a capsule that nobody took. */
static void drop_capsule(PyObject *capsule) {
  const char *name = PyCapsule_GetName(capsule);
  if (!name || (strcmp(name, "dltensor") && strcmp(name, "dltensor_versioned"))) return;
  if (name[strlen("dltensor")]) {
    dl_versioned *v = PyCapsule_GetPointer(capsule, name);
    if (v) v->deleter(v);
  } else {
    dl_managed *m = PyCapsule_GetPointer(capsule, name);
    if (m) m->deleter(m);
  }
}

/* Where DLPack says that the memory is: what the host reaches of the cpu and of metal is the host's. */
static int dl_device_of(const moho_python_buffer *b, int32_t *number, void **address) {
  const moho_python_device_object *device = moho_python_device_of(b->device);
  moho_buffer_place place;
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_locate(b->buffer, &place);
  Py_END_ALLOW_THREADS;
  if (status) {
    moho_python_raise(status);
    return -1;
  }
  int is_cuda = strcmp(device->report.kind, "cuda") == 0;
  *number = 0;
  if (is_cuda && !place.host) {
    *number = (int32_t)strtol(device->report.uri + strlen("cuda:"), NULL, 10);
    *address = (void *)(uintptr_t)place.device;
    return DL_CUDA;
  }
  *address = place.host;
  return is_cuda ? DL_CUDA_HOST : DL_CPU;
}

PyObject *moho_python_dlpack_device(PyObject *self, PyObject *unused) {
  (void)unused;
  int32_t number;
  void *address;
  int type = dl_device_of(moho_python_buffer_of(self), &number, &address);
  return type < 0 ? NULL : Py_BuildValue("(ii)", type, (int)number);
}

static int fill_tensor(const moho_python_buffer *b, export *e, dl_tensor *t) {
  int type = dl_device_of(b, &t->device_id, &t->data);
  if (type < 0) return -1;
  t->device_type = type;
  t->rank = b->rank;
  t->lanes = 1;
  for (size_t i = 0; i < N_DTYPES; i++)
    if (dtypes[i].dtype == b->dtype) t->code = dtypes[i].code, t->bits = dtypes[i].bits;
  for (int i = 0; i < b->rank; i++) e->shape[i] = (int64_t)b->shape[i], e->strides[i] = b->stride[i];
  t->shape = e->shape, t->strides = e->strides;
  t->data = (char *)t->data + b->offset; /* byte_offset is left 0: some libraries forget it */
  return 0;
}

static PyObject *export_capsule(PyObject *self, int is_versioned, int is_copy) {
  const moho_python_buffer *b = moho_python_buffer_of(self);
  export *e = calloc(1, sizeof *e);
  if (!e) return PyErr_NoMemory();
  if (fill_tensor(b, e, is_versioned ? &e->as.versioned.tensor : &e->as.managed.tensor)) {
    free(e);
    return NULL;
  }
  if (is_versioned) {
    dl_versioned *v = &e->as.versioned;
    v->major = 1, v->minor = 0, v->context = e, v->deleter = delete_versioned;
    v->flags = (b->is_read_only ? DL_READ_ONLY : 0) | (is_copy ? DL_COPIED : 0);
  } else {
    e->as.managed.context = e, e->as.managed.deleter = delete_managed;
  }
  PyObject *capsule = PyCapsule_New(&e->as, is_versioned ? "dltensor_versioned" : "dltensor", drop_capsule);
  if (capsule) e->buffer = Py_NewRef(self);
  else free(e);
  return capsule;
}

/* A stream's number means nothing on the host. On CUDA any will do: what Moho did is done, no stream need be told of it. (The
 * standard leaves 0 out, since it could be either default stream; some libraries send it all the same.) */
static int check_stream(PyObject *stream, int type) {
  if (!stream || stream == Py_None) return 0;
  long number = PyLong_AsLong(stream);
  if (number == -1 && PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
    PyErr_Clear(); /* an address */
    number = 3;
  }
  if (type == DL_CUDA && number < -1)
    PyErr_Format(PyExc_ValueError,
                 "__dlpack__: stream %ld on CUDA, expected None, -1, 1 (default), 2 (of the thread) or a stream's "
                 "address",
                 number);
  else if (type != DL_CUDA && number != -1)
    PyErr_SetString(PyExc_ValueError, "__dlpack__: a stream, expected None: the memory is the host's");
  else return 0;
  return -1;
}

/* The numbers of a tuple of two; 0: None. */
static int pair_of(PyObject *object, const char *name, int pair[2]) {
  if (!object || object == Py_None) return 0;
  if (PyTuple_Check(object) && PyArg_ParseTuple(object, "ii", &pair[0], &pair[1])) return 1;
  if (!PyErr_Occurred()) PyErr_Format(PyExc_TypeError, "__dlpack__: %s: %R, expected a tuple of two ints", name, object);
  return -1;
}

/* The same elements in memory of its own, on the host where that is asked for. */
static PyObject *clone(PyObject *self, int on_host) {
  PyObject *array = PyObject_CallMethod(self, "to_numpy", NULL), *made = NULL;
  const moho_python_buffer *b = moho_python_buffer_of(self);
  PyObject *device = on_host ? moho_python_device(Py_None, "dl_device", NULL) : Py_NewRef(b->device);
  if (array && on_host) {
    Py_XDECREF(device);
    PyObject *cpu = PyUnicode_FromString("cpu");
    device = cpu ? moho_python_device(cpu, "dl_device", NULL) : NULL;
    Py_XDECREF(cpu);
  }
  if (array && device) made = PyObject_CallMethod(self, "from_numpy", "OO", array, device);
  if (made) moho_python_buffer_of(made)->dtype = b->dtype; /* bfloat16 went as its bits */
  Py_XDECREF(array);
  Py_XDECREF(device);
  return made;
}

PyObject *moho_python_dlpack(PyObject *self, PyObject *arguments, PyObject *words) {
  static char *names[] = {"stream", "max_version", "dl_device", "copy", NULL};
  PyObject *stream = NULL, *version_word = NULL, *device_word = NULL, *copy = Py_None;
  int version[2] = {0, 0}, device[2], is_copied = 0;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "|$OOOO:__dlpack__", names, &stream, &version_word, &device_word, &copy))
    return NULL;
  int32_t number;
  void *address;
  int type = dl_device_of(moho_python_buffer_of(self), &number, &address);
  int has_device = pair_of(device_word, "dl_device", device);
  if (type < 0 || has_device < 0 || pair_of(version_word, "max_version", version) < 0) return NULL;
  int is_elsewhere = has_device && (device[0] != type || device[1] != number), on_host = is_elsewhere && device[0] == DL_CPU;
  if ((is_elsewhere && !on_host) || (is_elsewhere && copy == Py_False)) {
    PyErr_Format(PyExc_BufferError, "__dlpack__: the memory is on device (%d, %d), expected (%d, %d)%s", type, (int)number,
                 device[0], device[1], on_host ? " and copy=False" : "");
    return NULL;
  }
  if (check_stream(stream, on_host ? DL_CPU : type)) return NULL;
  if (moho_python_buffer_of(self)->is_read_only && version[0] < 1 && copy != Py_True && !on_host) {
    PyErr_SetString(PyExc_BufferError, "__dlpack__: the Buffer is read-only, which DLPack before version 1 cannot say");
    return NULL;
  }
  PyObject *from = Py_NewRef(self);
  if (on_host || copy == Py_True) {
    moho_python_replace(&from, clone(self, on_host));
    if (!from) return NULL;
    is_copied = 1;
  }
  PyObject *capsule = export_capsule(from, version[0] >= 1, is_copied);
  Py_DECREF(from);
  return capsule;
}

/* ---- taking in ---- */

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
  for (size_t i = 0; i < N_DTYPES; i++)
    if (dtypes[i].code == t->code && dtypes[i].bits == t->bits && t->lanes == 1) return (int)dtypes[i].dtype;
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

PyObject *moho_python_from_dlpack(PyObject *array, PyObject *asked, int copy) {
  int type, number;
  taken t;
  if (!PyObject_HasAttrString(array, "__dlpack__")) {
    PyObject *given = PyType_GetName(Py_TYPE(array));
    if (given) PyErr_Format(PyExc_TypeError, "array: a %U, expected one that speaks DLPack (has __dlpack__)", given);
    Py_XDECREF(given);
    return NULL;
  }
  PyObject *where = PyObject_CallMethod(array, "__dlpack_device__", NULL), *pair = where ? PySequence_Tuple(where) : NULL;
  int known = pair && PyArg_ParseTuple(pair, "ii", &type, &number);
  Py_XDECREF(where);
  Py_XDECREF(pair);
  if (!known) return NULL;
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
