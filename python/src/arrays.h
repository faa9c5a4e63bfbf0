/* arrays.h - numpy arrays, and all else that speaks the buffer protocol, as memory of known type and shape; and memory of ours
 * given to numpy. Nothing is copied: what does not fit is refused by name, with what would mend it. */
#ifndef MOHO_PYTHON_ARRAYS_H
#define MOHO_PYTHON_ARRAYS_H

#include "python.h"

/* id, numpy's name, bytes, kinds of the struct module's letters: f floating, i signed, u unsigned */
#define MOHO_PYTHON_DTYPES(X)   \
  X(FLOAT32, "float32", 4, 'f') \
  X(FLOAT64, "float64", 8, 'f') \
  X(INT32, "int32", 4, 'i')     \
  X(UINT8, "uint8", 1, 'u')     \
  X(FLOAT16, "float16", 2, 'f') \
  X(INT8, "int8", 1, 'i')       \
  X(UINT16, "uint16", 2, 'u')   \
  X(UINT32, "uint32", 4, 'u')   \
  X(INT64, "int64", 8, 'i')     \
  X(UINT64, "uint64", 8, 'u')   \
  X(INT16, "int16", 2, 'i')     \
  X(BFLOAT16, "bfloat16", 2, 'b') /* numpy has none: no buffer of Python's says so */

typedef enum {
#define MOHO_PYTHON_DTYPE_ENUM(id, name, bytes, kind) MOHO_PYTHON_##id,
  MOHO_PYTHON_DTYPES(MOHO_PYTHON_DTYPE_ENUM)
#undef MOHO_PYTHON_DTYPE_ENUM
      MOHO_PYTHON_N_DTYPES
} moho_python_dtype;

const char *moho_python_dtype_name(moho_python_dtype dtype); /* "float32" */
size_t moho_python_dtype_bytes(moho_python_dtype dtype);
const char *moho_python_dtype_format(moho_python_dtype dtype); /* of the struct module: "f" */
/* Of an element as the buffer protocol tells it: -1 when it is none of these (swapped bytes, records, complex). */
int moho_python_dtype_of(const char *format, Py_ssize_t itemsize);

enum { MOHO_PYTHON_MAX_DIMS = 8 };

enum { /* flags */
       MOHO_PYTHON_READ = 0,
       MOHO_PYTHON_WRITE = 1,   /* must be writable */
       MOHO_PYTHON_STRIDED = 2, /* need not be C-contiguous */
};

/* The memory of an array while it is held: it can be neither resized nor freed. */
typedef struct moho_python_array {
  Py_buffer view;
  int is_held;
  void *data;
  size_t n; /* elements */
} moho_python_array;

/**
 * @param object  numpy.ndarray, memoryview, bytearray, array.array, ...
 * @param name    in errors: "traces", "geometry.source_x"
 * @param n_dims  -1: any
 * @param shape   [n_dims] expected, -1 any; NULL: any
 * @return 0; -1 with TypeError (no array, other dtype) or ValueError (shape, read-only, not contiguous) set
 */
int moho_python_array_get(PyObject *object, const char *name, moho_python_dtype dtype, int n_dims, const Py_ssize_t *shape,
                          int flags, moho_python_array *out);
/* Safe on a zeroed or released array. Needs the GIL. */
void moho_python_array_release(moho_python_array *array);

/* A Block: memory of the library's given to Python, freed with it (TAKE: malloc'ed; also on failure). numpy.asarray(block)
 * shares it. */
PyObject *moho_python_block(void *memory, moho_python_dtype dtype, int n_dims, const size_t *shape);

#endif
