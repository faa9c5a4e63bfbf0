/* python.h - Python's limited API from 3.11 on (one build serves every later version), and Moho's public interface. Included
 * first: Python.h sets what the C library's headers show. */
#ifndef MOHO_PYTHON_PYTHON_H
#define MOHO_PYTHON_PYTHON_H

#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030b0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <moho/moho.h>

#endif
