/* status.c - errors of the library as exceptions. */
#include "status.h"

PyObject *moho_python_raise_error(const moho_error *error) {
  if (PyErr_Occurred()) return NULL;
  PyObject *errors = PyImport_ImportModule("moho._errors");
  if (!errors) return NULL;
  const char *message = error->message[0] ? error->message : moho_status_text(error->code);
  PyObject *made =
      PyObject_CallMethod(errors, "make", "issssLLiis", error->code, moho_status_name(error->code), message, error->hint,
                          error->file, (long long)error->trace, (long long)error->byte, error->line, error->column, error->key);
  Py_DECREF(errors);
  if (!made) return NULL;
  PyErr_SetObject((PyObject *)Py_TYPE(made), made);
  Py_DECREF(made);
  return NULL;
}

PyObject *moho_python_raise(moho_status status) {
  moho_error error = *moho_last_error();
  if (error.code != status) error = (moho_error){.code = status, .trace = -1, .byte = -1, .line = -1, .column = -1};
  return moho_python_raise_error(&error);
}
