/* device.c - moho.Device. */
#include "device.h"

#include "module.h"
#include "status.h"

typedef struct device_object {
  PyObject_HEAD moho_device *device;
} device_object;

static PyObject *open_device(const char *uri) {
  moho_device *device = NULL;
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_device_open(uri, &device);
  Py_END_ALLOW_THREADS;
  if (status) return moho_python_raise(status);
  device_object *self = moho_python_new(MOHO_PYTHON_DEVICE);
  if (self) self->device = device;
  else moho_device_close(&device);
  return (PyObject *)self;
}

PyObject *moho_python_device(PyObject *object, const char *name, moho_device **out) {
  const char *uri = object == Py_None ? "auto" : PyUnicode_Check(object) ? PyUnicode_AsUTF8AndSize(object, NULL) : NULL;
  if (PyErr_Occurred()) return NULL;
  device_object *self = uri ? (device_object *)open_device(uri) : moho_python_cast(object, MOHO_PYTHON_DEVICE, name);
  if (!self) return NULL;
  *out = self->device;
  return uri ? (PyObject *)self : Py_NewRef(object);
}

static PyObject *device_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  const char *uri = "auto";
  static char *names[] = {"uri", NULL};
  (void)type;
  return PyArg_ParseTupleAndKeywords(args, kwargs, "|s:Device", names, &uri) ? open_device(uri) : NULL;
}

static void device_free(PyObject *self) {
  moho_device_close(&((device_object *)self)->device);
  moho_python_free(self);
}

static PyObject *get_uri(PyObject *self, void *unused) {
  moho_device_report report;
  (void)unused;
  moho_status status = moho_device_describe(((device_object *)self)->device, &report);
  return status ? moho_python_raise(status) : PyUnicode_FromString(report.uri);
}

static PyGetSetDef properties[] = {{"uri", get_uri, NULL, "str: that opens it again", NULL}, {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "Device(uri=\"auto\"): a machine that computes."},
                              {Py_tp_new, (void *)device_new},
                              {Py_tp_dealloc, (void *)device_free},
                              {Py_tp_getset, properties},
                              {0}};
static PyType_Spec spec = {.name = "moho.Device",
                           .basicsize = sizeof(device_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int moho_python_add_device(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_DEVICE);
}
