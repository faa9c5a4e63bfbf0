/* tile.c - _moho.tile_is_plain: one look at the arrays of pstm_metal.migrate_tile, the common case in microseconds. What it does
 * not like is looked at again in Python (pstm_metal/_check.py), which copies, or says what is wrong. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "arrays.h"
#include "module.h"

enum { AMPLITUDES, SOURCE_X, SOURCE_Y, RECEIVER_X, RECEIVER_Y, MIDPOINT_X, MIDPOINT_Y, N_ARRAYS };

static int get_arrays(PyObject *const objects[N_ARRAYS], moho_python_array arrays[N_ARRAYS]) {
  if (moho_python_array_get(objects[AMPLITUDES], "amplitudes", MOHO_PYTHON_FLOAT32, 2, NULL, MOHO_PYTHON_READ, arrays)) return -1;
  const Py_ssize_t n = arrays[AMPLITUDES].view.shape[0];
  for (int i = SOURCE_X; i < N_ARRAYS; i++)
    if (moho_python_array_get(objects[i], "place", MOHO_PYTHON_FLOAT64, 1, &n, MOHO_PYTHON_READ, &arrays[i])) return -1;
  return 0;
}

/* Exponents of ones are infinities and what is no number; the loop is of integers, so that it goes many at a time. */
static int amplitudes_are_finite(const float *values, size_t n) {
  uint32_t bad = 0;
  for (size_t i = 0; i < n; i++) {
    uint32_t bits;
    memcpy(&bits, &values[i], sizeof bits);
    bad |= (bits & 0x7f800000u) == 0x7f800000u;
  }
  return !bad;
}

/* Midpoints halfway; then all six are finite. */
static int places_agree(const moho_python_array arrays[N_ARRAYS], double tolerance_m) {
  size_t n = arrays[SOURCE_X].n;
  for (int axis = 0; axis < 2; axis++) {
    const double *s = arrays[SOURCE_X + axis].data, *r = arrays[RECEIVER_X + axis].data, *m = arrays[MIDPOINT_X + axis].data;
    for (size_t i = 0; i < n; i++)
      if (!(fabs(m[i] - (s[i] + r[i]) / 2) <= tolerance_m)) return 0;
  }
  return 1;
}

static PyObject *tile_is_plain(PyObject *module, PyObject *args) {
  PyObject *objects[N_ARRAYS];
  moho_python_array arrays[N_ARRAYS];
  double tolerance_m;
  int plain = 0;
  (void)module;
  memset(arrays, 0, sizeof arrays);
  if (!PyArg_ParseTuple(args, "OOOOOOOd:tile_is_plain", &objects[0], &objects[1], &objects[2], &objects[3], &objects[4],
                        &objects[5], &objects[6], &tolerance_m))
    return NULL;
  if (get_arrays(objects, arrays)) PyErr_Clear();
  else if (arrays[AMPLITUDES].n > 0) {
    Py_BEGIN_ALLOW_THREADS;
    plain = places_agree(arrays, tolerance_m) && amplitudes_are_finite(arrays[AMPLITUDES].data, arrays[AMPLITUDES].n);
    Py_END_ALLOW_THREADS;
  }
  for (int i = 0; i < N_ARRAYS; i++) moho_python_array_release(&arrays[i]);
  return PyBool_FromLong(plain);
}

static PyMethodDef functions[] = {
    {"tile_is_plain", tile_is_plain, METH_VARARGS,
     "tile_is_plain(amplitudes, source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y,\n"
     "  tolerance_m) -> bool: dtypes, shapes, finite numbers, midpoints halfway, all C-contiguous."},
    {0}};

int moho_python_add_tile(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
