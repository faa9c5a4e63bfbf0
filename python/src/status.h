/* status.h - a moho_status and its record become a Python exception; the classes are the package's (python/moho/_errors.py). */
#ifndef MOHO_PYTHON_STATUS_H
#define MOHO_PYTHON_STATUS_H

#include "python.h"

/* Raise what the thread's last error tells, with code, hint, file, trace, byte, line, column and key. An exception that is set
 * already (KeyboardInterrupt, one of a callback) stays. Always NULL, so that a function can return it. Needs the GIL. */
PyObject *moho_python_raise(moho_status status);
/* The same of a record that was taken: another thread's, or before clean-up. */
PyObject *moho_python_raise_error(const moho_error *error);

#endif
