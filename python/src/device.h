/* device.h - Device: a device of the library that Python holds open. It is closed with the last reference, and each Buffer holds
 * one: whatever order Python drops things in, memory goes before its device. */
#ifndef MOHO_PYTHON_DEVICE_H
#define MOHO_PYTHON_DEVICE_H

#include "python.h"

typedef struct moho_python_device_object {
  PyObject_HEAD moho_device *device;
  moho_device_report report; /* as it was opened */
  int is_checking;           /* "?check=1": memory is looked at from end to end */
} moho_python_device_object;

/**
 * The device that an argument names.
 *
 * @param object  a Device, a URI ("cuda:0": opened once and kept), or None: that of the innermost Executor, else "auto"
 * @param out     may be NULL
 * @return a new reference to the Device, to be held while *out is used; NULL with TypeError, ValueError or DeviceError set
 */
PyObject *moho_python_device(PyObject *object, const char *name, moho_device **out);

static inline const moho_python_device_object *moho_python_device_of(PyObject *device) {
  return (const moho_python_device_object *)(void *)device;
}

#endif
