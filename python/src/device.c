/* device.c - Device and devices(): opened without the GIL, described by the fields of the library's report. */
#include "device.h"

#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "status.h"

typedef enum { TEXT, INTEGER, TRUTH, BYTES, SECONDS } field_kind;

/* name, kind, doc */
#define FIELDS(X)                                                                                           \
  X(uri, TEXT, "str: opens it again: \"cuda:0\", \"cpu?threads=2&simd=avx512\".")                           \
  X(kind, TEXT, "str: \"cpu\", \"cuda\" or \"metal\".")                                                     \
  X(name, TEXT, "str: the maker's name: \"NVIDIA H200\".")                                                  \
  X(architecture, TEXT, "str: \"x86_64\", \"sm_90\", \"apple8\".")                                          \
  X(simd, TEXT, "str: instruction set in use on the cpu, else empty.")                                      \
  X(driver, TEXT, "str: versions of driver and compiler, empty on the cpu.")                                \
  X(reason, TEXT, "str: why it is unavailable, or why \"auto\" chose it.")                                  \
  X(available, TRUTH, "bool: it can be opened.")                                                            \
  X(threads, INTEGER, "int: worker threads on the host.")                                                   \
  X(unified_memory, TRUTH, "bool: host and device share one memory.")                                       \
  X(zero_copy, TRUTH, "bool: host memory can be used in place.")                                            \
  X(max_lanes, INTEGER, "int: lanes of a group at most.")                                                   \
  X(multiprocessors, INTEGER, "int: multiprocessors; on the cpu threads; 0: not told.")                     \
  X(has_double, TRUTH, "bool: computes in float64.")                                                        \
  X(has_half, TRUTH, "bool: float16 in hardware.")                                                          \
  X(has_bfloat, TRUTH, "bool: bfloat16 in hardware.")                                                       \
  X(group_memory, BYTES, "int, bytes: memory of a group at most.")                                          \
  X(wrap_alignment, BYTES, "int, bytes: what address and length of memory used in place are multiples of.") \
  X(memory_bytes, BYTES, "int, bytes: memory of the device.")                                               \
  X(memory_free_bytes, BYTES, "int, bytes: what is free now.")                                              \
  X(working_set_bytes, BYTES, "int, bytes: more than this at once is slow or refused.")                     \
  X(largest_buffer, BYTES, "int, bytes: the largest buffer.")                                               \
  X(launch_seconds, SECONDS, "float, s: a launch should last at most this; 0: not told.")

typedef struct field {
  const char *name;
  field_kind kind;
  size_t place;
} field;

static const field fields[] = {
#define ROW(name, kind, doc) {#name, kind, offsetof(moho_device_report, name)},
    FIELDS(ROW)
#undef ROW
};
enum {
#define NUMBER(name, kind, doc) FIELD_##name,
  FIELDS(NUMBER)
#undef NUMBER
      N_FIELDS
};

static PyObject *value_of(const field *f, const moho_device_report *report) {
  const void *at = (const char *)report + f->place;
  switch (f->kind) {
  case TEXT: return PyUnicode_DecodeUTF8(at, (Py_ssize_t)strlen(at), "replace");
  case INTEGER: return PyLong_FromLong(*(const int *)at);
  case TRUTH: return PyBool_FromLong(*(const int *)at);
  case BYTES: return PyLong_FromSize_t(*(const size_t *)at);
  case SECONDS: return PyFloat_FromDouble(*(const double *)at);
  }
  Py_RETURN_NONE;
}

static PyObject *dictionary_of(const moho_device_report *report) {
  PyObject *made = PyDict_New();
  for (size_t i = 0; made && i < N_FIELDS; i++) {
    PyObject *value = value_of(&fields[i], report);
    if (!value || PyDict_SetItemString(made, fields[i].name, value)) Py_CLEAR(made);
    Py_XDECREF(value);
  }
  return made;
}

/* ---- opening and closing ---- */

static PyObject *device_new(PyTypeObject *type, PyObject *arguments, PyObject *words) {
  static char *names[] = {"uri", NULL};
  const char *uri = "auto";
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "|s:Device", names, &uri)) return NULL;
  moho_python_device_object *made = (void *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
  if (!made) return NULL;
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_device_open(uri, &made->device);
  if (!status) status = moho_device_describe(made->device, &made->report);
  Py_END_ALLOW_THREADS;
  if (status) {
    moho_python_raise(status);
    Py_DECREF(made);
    return NULL;
  }
  made->is_checking = strstr(made->report.uri, "check=1") != NULL;
  return (PyObject *)made;
}

static void device_free(PyObject *self) {
  moho_device *device = ((moho_python_device_object *)self)->device;
  if (device) {
    Py_BEGIN_ALLOW_THREADS;
    moho_device_close(&device);
    Py_END_ALLOW_THREADS;
  }
  moho_python_free(self);
}

PyObject *moho_python_device(PyObject *object, const char *name, moho_device **out) {
  moho_python_state *state = moho_python_state_here();
  if (!state) return NULL;
  PyObject *device;
  if (object && PyObject_TypeCheck(object, (PyTypeObject *)state->types[MOHO_PYTHON_DEVICE])) {
    device = Py_NewRef(object);
  } else {
    PyObject *devices = PyImport_ImportModule("moho._devices");
    device = devices ? PyObject_CallMethod(devices, "find", "Os", object ? object : Py_None, name) : NULL;
    Py_XDECREF(devices);
  }
  if (device && out) *out = moho_python_device_of(device)->device;
  return device;
}

/* ---- asking ---- */

/* Free memory changes. */
static int refresh(PyObject *self, moho_device_report *report) {
  moho_status status;
  moho_device *device = ((moho_python_device_object *)self)->device;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_device_describe(device, report);
  Py_END_ALLOW_THREADS;
  if (!status) return 0;
  moho_python_raise(status);
  return -1;
}

static PyObject *get_field(PyObject *self, void *closure) {
  const field *f = closure;
  moho_device_report now;
  if (strcmp(f->name, "memory_free_bytes")) return value_of(f, &moho_python_device_of(self)->report);
  return refresh(self, &now) ? NULL : value_of(f, &now);
}

static PyObject *report(PyObject *self, PyObject *unused) {
  (void)unused;
  moho_device_report now;
  return refresh(self, &now) ? NULL : dictionary_of(&now);
}

static PyObject *metrics(PyObject *self, PyObject *unused) {
  (void)unused;
  moho_metrics figures;
  moho_status status = moho_device_metrics_get(((moho_python_device_object *)self)->device, &figures);
  if (status) return moho_python_raise(status);
  char *text = moho_metrics_json(&figures);
  if (!text) return PyErr_NoMemory();
  PyObject *json = PyImport_ImportModule("json"), *made = json ? PyObject_CallMethod(json, "loads", "s", text) : NULL;
  Py_XDECREF(json);
  free(text);
  return made;
}

static PyObject *trim(PyObject *self, PyObject *unused) {
  (void)unused;
  moho_status status;
  moho_device *device = ((moho_python_device_object *)self)->device;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_device_pool_trim(device);
  Py_END_ALLOW_THREADS;
  if (status) return moho_python_raise(status);
  Py_RETURN_NONE;
}

static PyObject *matmul_library(PyObject *self, PyObject *unused) {
  (void)unused;
  const char *name = moho_matmul_library(((moho_python_device_object *)self)->device, NULL);
  return name ? PyUnicode_FromString(name) : Py_NewRef(Py_None);
}

static PyObject *repr(PyObject *self) {
  const moho_device_report *r = &moho_python_device_of(self)->report;
  return PyUnicode_FromFormat("<moho.Device \"%s\": %s>", r->uri, r->name);
}

static PyMethodDef methods[] = {
    {"report", report, METH_NOARGS, "report() -> dict: all that is known of the device, its free memory of this moment."},
    {"metrics", metrics, METH_NOARGS,
     "metrics() -> dict: launches, bytes moved, seconds, and the pool's bytes (active, peak, cached) since it was opened."},
    {"trim", trim, METH_NOARGS, "trim(): give back the memory that is kept for reuse."},
    {"matmul_library", matmul_library, METH_NOARGS,
     "matmul_library() -> str or None: what computes matrix products; None: kernels of our own."},
    {0}};

static PyGetSetDef getters[] = {
#define GETTER(name, kind, doc) {#name, get_field, NULL, doc, (void *)(uintptr_t)&fields[FIELD_##name]},
    FIELDS(GETTER)
#undef GETTER
        {0}};

static PyType_Slot slots[] = {
    {Py_tp_doc, "Device(uri=\"auto\")\n--\n\n"
                "A machine that computes, open until the last reference to it is gone; each Buffer holds one.\n\n"
                "uri: \"auto\" (what MOHO_DEVICE names, else the first of metal, cuda, cpu that opens), \"cpu\",\n"
                "\"cpu?threads=8&simd=avx2\", \"cuda\", \"cuda:1\", \"metal\"; \"?check=1\" turns the checking mode on.\n"
                "Raises ValueError for a bad name, with the nearest one; DeviceError with the reason where it is not there.\n"
                "Nothing falls back in silence. Threads may share a device; a forked child opens its own."},
    {Py_tp_new, (void *)device_new},
    {Py_tp_dealloc, (void *)device_free},
    {Py_tp_repr, (void *)repr},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {0}};

static PyType_Spec spec = {.name = "moho._moho.Device",
                           .basicsize = sizeof(moho_python_device_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

/* ---- all of them ---- */

static PyObject *devices(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  enum { MOST = 64 };
  size_t n = 0;
  moho_status status;
  moho_device_report *reports = calloc(MOST, sizeof *reports);
  if (!reports) return PyErr_NoMemory();
  Py_BEGIN_ALLOW_THREADS;
  status = moho_device_list(reports, MOST, &n);
  Py_END_ALLOW_THREADS;
  PyObject *made = status ? moho_python_raise(status) : PyList_New(0);
  for (size_t i = 0; made && i < n && i < MOST; i++) {
    PyObject *one = dictionary_of(&reports[i]);
    if (!one || PyList_Append(made, one)) Py_CLEAR(made);
    Py_XDECREF(one);
  }
  free(reports);
  return made;
}

static PyMethodDef functions[] = {
    {"devices", devices, METH_NOARGS, "devices() -> list of dict: one a device or unusable backend."}, {0}};

int moho_python_add_device(PyObject *module) {
  if (PyModule_AddFunctions(module, functions)) return -1;
  return moho_python_add_type(module, &spec, MOHO_PYTHON_DEVICE);
}
