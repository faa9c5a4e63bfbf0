/* dlpack_export.c - a Buffer's memory handed to another library: capsules, and who lets go of them. */
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "dlpack.h"
#include "module.h"
#include "status.h"

const dl_dtype moho_python_dl_dtypes[DL_DTYPES] = {
    {MOHO_PYTHON_FLOAT32, DL_FLOAT, 32},   {MOHO_PYTHON_FLOAT64, DL_FLOAT, 64}, {MOHO_PYTHON_FLOAT16, DL_FLOAT, 16},
    {MOHO_PYTHON_BFLOAT16, DL_BFLOAT, 16}, {MOHO_PYTHON_INT8, DL_INT, 8},       {MOHO_PYTHON_INT16, DL_INT, 16},
    {MOHO_PYTHON_INT32, DL_INT, 32},       {MOHO_PYTHON_INT64, DL_INT, 64},     {MOHO_PYTHON_UINT8, DL_UINT, 8},
    {MOHO_PYTHON_UINT16, DL_UINT, 16},     {MOHO_PYTHON_UINT32, DL_UINT, 32},   {MOHO_PYTHON_UINT64, DL_UINT, 64}};

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
  if (moho_python_buffer_place(b, &place)) return -1;
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
  for (size_t i = 0; i < DL_DTYPES; i++)
    if (moho_python_dl_dtypes[i].dtype == b->dtype)
      t->code = moho_python_dl_dtypes[i].code, t->bits = moho_python_dl_dtypes[i].bits;
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
