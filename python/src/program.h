/* program.h - Program: a portable program and its executables, one a device it has run on. */
#ifndef MOHO_PYTHON_PROGRAM_H
#define MOHO_PYTHON_PROGRAM_H

#include "python.h"

/* Ready for a device that is kept open. */
typedef struct moho_python_executable {
  PyObject *device;
  moho_program_executable *executable;
} moho_python_executable;

typedef struct moho_python_program {
  PyObject_HEAD moho_program *program;
  moho_program_report report;
  moho_python_executable *executables;
  size_t n_executables;
} moho_python_program;

static inline moho_python_program *moho_python_program_of(PyObject *object) {
  return (moho_python_program *)(void *)object;
}

/* Made when first asked for, kept by the Program. NULL with an exception. */
moho_program_executable *moho_python_executable_for(moho_python_program *program, PyObject *device, moho_device *on);

/* program_run.c: run(buffers, scalars, groups, lanes, device) -> None, or (instruction, lane, operation) of the first fault. */
PyObject *moho_python_program_run(PyObject *self, PyObject *arguments);

#endif
