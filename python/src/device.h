/* device.h - moho.Device: an open device, and how arguments name one. */
#ifndef MOHO_PYTHON_DEVICE_H
#define MOHO_PYTHON_DEVICE_H

#include "python.h"

/* The device that an argument names: a Device object, a URI, or None for "auto". A new reference to the Device, to be held while
 * *out is used; NULL with TypeError, ValueError (bad URI) or DeviceError set. */
PyObject *moho_python_device(PyObject *object, const char *name, moho_device **out);

#endif
