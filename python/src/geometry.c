/* geometry.c - _moho.Geometry: where traces were recorded. Of numpy's arrays, which it holds and does not copy, or of a file's.
 */
#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "module.h"
#include "status.h"
#include "survey.h"

/* member, name, dtype, needed */
#define COLUMNS(X)                                  \
  X(source_x, "source_x", FLOAT64, 1)               \
  X(source_y, "source_y", FLOAT64, 1)               \
  X(receiver_x, "receiver_x", FLOAT64, 1)           \
  X(receiver_y, "receiver_y", FLOAT64, 1)           \
  X(first_sample_s, "first_sample_s", FLOAT64, 0)   \
  X(mute_start_s, "mute_start_s", FLOAT32, 0)       \
  X(mute_end_s, "mute_end_s", FLOAT32, 0)           \
  X(cdp, "cdp", INT32, 0)                           \
  X(inline_number, "inline_number", INT32, 0)       \
  X(crossline_number, "crossline_number", INT32, 0) \
  X(flags, "flags", UINT8, 0)

enum {
#define COLUMN_ENUM(member, name, dtype, needed) COLUMN_##member,
  COLUMNS(COLUMN_ENUM)
#undef COLUMN_ENUM
      N_COLUMNS
};

typedef struct geometry_object {
  PyObject_HEAD moho_geometry geometry;
  moho_python_array held[N_COLUMNS];
  void *zeros; /* of what was left out */
  int is_owned;
} geometry_object;

int moho_python_geometry(PyObject *object, const moho_geometry **out) {
  geometry_object *self = moho_python_cast(object, MOHO_PYTHON_GEOMETRY, "geometry");
  if (!self) return -1;
  *out = &self->geometry;
  return 0;
}

PyObject *moho_python_geometry_object(moho_geometry *geometry) {
  geometry_object *self = moho_python_new(MOHO_PYTHON_GEOMETRY);
  if (self) self->geometry = *geometry, self->is_owned = 1;
  else moho_geometry_release(geometry);
  return (PyObject *)self;
}

static void geometry_free(PyObject *object) {
  geometry_object *self = (geometry_object *)object;
  if (self->is_owned) moho_geometry_release(&self->geometry);
  for (int i = 0; i < N_COLUMNS; i++) moho_python_array_release(&self->held[i]);
  free(self->zeros);
  moho_python_free(object);
}

/* ---- of arrays ---- */

static const struct column {
  const char *name, *argument;
  moho_python_dtype dtype;
  int is_needed;
} columns[N_COLUMNS] = {
#define COLUMN_ROW(member, name, dtype, needed) {name, "geometry[\"" name "\"]", MOHO_PYTHON_##dtype, needed},
    COLUMNS(COLUMN_ROW)
#undef COLUMN_ROW
};

/* One column of the dict, n long (-1: any), or the zeros. */
static int take_column(geometry_object *self, PyObject *dict, int i, Py_ssize_t n) {
  PyObject *given = PyDict_GetItemString(dict, columns[i].name);
  if (given && given != Py_None)
    return moho_python_array_get(given, columns[i].argument, columns[i].dtype, 1, &n, MOHO_PYTHON_READ, &self->held[i]);
  if (!columns[i].is_needed) return 0;
  PyErr_Format(PyExc_ValueError, "%s is missing: expected an array [trace] of %s", columns[i].argument,
               moho_python_dtype_name(columns[i].dtype));
  return -1;
}

static int take_columns(geometry_object *self, PyObject *dict) {
  if (take_column(self, dict, COLUMN_source_x, -1)) return -1;
  Py_ssize_t n = (Py_ssize_t)self->held[COLUMN_source_x].n;
  for (int i = 1; i < N_COLUMNS; i++)
    if (take_column(self, dict, i, n)) return -1;
  self->zeros = calloc(n ? (size_t)n : 1, sizeof(double));
  if (!self->zeros) {
    PyErr_NoMemory();
    return -1;
  }
  self->geometry.n = (size_t)n;
#define COLUMN_SET(member, name, dtype, needed) \
  self->geometry.member = self->held[COLUMN_##member].data ? self->held[COLUMN_##member].data : self->zeros;
  COLUMNS(COLUMN_SET)
#undef COLUMN_SET
  return 0;
}

static int is_column(const char *name) {
  for (int i = 0; i < N_COLUMNS; i++)
    if (strcmp(columns[i].name, name) == 0) return 1;
  return 0;
}

/* A word that is none of the columns is a slip: an array that is not looked at would be a silent surprise. */
static int refuse_unknown(PyObject *dict) {
  PyObject *key, *value;
  Py_ssize_t at = 0;
  const char *names[N_COLUMNS];
  for (int i = 0; i < N_COLUMNS; i++) names[i] = columns[i].name;
  while (PyDict_Next(dict, &at, &key, &value)) {
    const char *name = PyUnicode_Check(key) ? PyUnicode_AsUTF8AndSize(key, NULL) : NULL;
    if (name && is_column(name)) continue;
    const char *near = name ? moho_nearest_name(name, names, N_COLUMNS) : NULL;
    if (PyErr_Occurred()) return -1;
    PyErr_Format(PyExc_ValueError, "geometry: unknown column %R%s%s%s", key, near ? ": did you mean \"" : "", near ? near : "",
                 near ? "\"?" : "");
    return -1;
  }
  return 0;
}

static PyObject *geometry_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  PyObject *dict;
  static char *names[] = {"columns", NULL};
  (void)type;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O!:Geometry", names, &PyDict_Type, &dict) || refuse_unknown(dict)) return NULL;
  PyObject *self = moho_python_new(MOHO_PYTHON_GEOMETRY);
  if (!self) return NULL;
  if (!take_columns((geometry_object *)self, dict)) return self;
  Py_DECREF(self);
  return NULL;
}

static Py_ssize_t geometry_length(PyObject *self) {
  return (Py_ssize_t)((geometry_object *)self)->geometry.n;
}

static PyType_Slot slots[] = {{Py_tp_doc,
                               "Geometry(columns): a dict of arrays [trace]: source_x, source_y, receiver_x,\n"
                               "receiver_y (float64, m), first_sample_s (float64, s), mute_start_s, mute_end_s (float32,\n"
                               "s), cdp, inline_number, crossline_number (int32), flags (uint8). Held, not copied."},
                              {Py_tp_new, (void *)geometry_new},
                              {Py_tp_dealloc, (void *)geometry_free},
                              {Py_sq_length, (void *)geometry_length},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Geometry",
                           .basicsize = sizeof(geometry_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int moho_python_add_geometry(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_GEOMETRY);
}
