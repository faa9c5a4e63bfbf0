/* buffer.h - Buffer: an array in a device's memory, as Python holds it.
 *
 * Memory is the device's own, that of an array it was made from without a copy (the array is held), that of another library
 * (its DLPack tensor is held), or that of the Buffer it is a view of. It goes before what it was borrowed from, and before its
 * device. Every call of Moho's has ended when it returns: what another library finds at a Buffer's address is complete.
 */
#ifndef MOHO_PYTHON_BUFFER_H
#define MOHO_PYTHON_BUFFER_H

#include "arrays.h"

typedef struct moho_python_buffer {
  PyObject_HEAD PyObject *device; /* Device */
  PyObject *base;                 /* the Buffer that this is a view of; NULL: none */
  moho_buffer *buffer;            /* its own where base is NULL */
  Py_buffer lent;                 /* the array whose memory it is, where is_lent */
  int is_lent;
  void (*give_back)(void *managed); /* of memory that came by DLPack; NULL: none did */
  void *managed;
  moho_python_dtype dtype;
  size_t offset; /* bytes, of the first element in `buffer` */
  int rank;
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  int64_t stride[MOHO_PYTHON_MAX_DIMS]; /* elements, >= 0 */
  int is_read_only;
  Py_ssize_t view_shape[MOHO_PYTHON_MAX_DIMS], view_strides[MOHO_PYTHON_MAX_DIMS]; /* of the buffer protocol: bytes */
} moho_python_buffer;

/* *at := with, whose reference is taken; then the old one goes. */
static inline void moho_python_replace(PyObject **at, PyObject *with) {
  PyObject *old = *at;
  *at = with;
  Py_XDECREF(old);
}

/* The Buffer's parts of an object that is one. */
static inline moho_python_buffer *moho_python_buffer_of(PyObject *object) {
  return (moho_python_buffer *)(void *)object;
}
int moho_python_is_buffer(PyObject *object);

/* A Buffer without memory yet, of this device, dtype and contiguous shape. */
moho_python_buffer *moho_python_buffer_new(PyObject *device, moho_python_dtype dtype, int rank, const size_t *shape);
/* The same with fresh memory; contents undefined. */
PyObject *moho_python_buffer_create(PyObject *device, moho_python_dtype dtype, int rank, const size_t *shape, moho_memory memory);
size_t moho_python_buffer_elements(const moho_python_buffer *buffer);
size_t moho_python_buffer_bytes(const moho_python_buffer *buffer);
int moho_python_buffer_is_contiguous(const moho_python_buffer *buffer);
/* Where its memory lies, when what the device still does with it has ended; others run meanwhile. 0; -1 with an exception. */
int moho_python_buffer_place(const moho_python_buffer *buffer, moho_buffer_place *place);

/* "float32" or anything whose str() is it, as numpy.dtype("float32"): -1 with TypeError and the names there are. */
int moho_python_dtype_find(PyObject *object);
/* A shape from an int or a sequence of them: rank, or -1 with an exception. */
int moho_python_shape(PyObject *object, size_t shape[MOHO_PYTHON_MAX_DIMS]);
PyObject *moho_python_shape_tuple(int rank, const size_t *shape);

/* ---- buffer_numpy.c ---- */

/**
 * The memory of a host array as a buffer of a device, without a copy.
 *
 * The rest of the alignment granules at both ends is taken in, and never touched.
 * @param offset  bytes to the array's first element
 * @return 0; 1: it cannot be, with the reason in words; -1 with an exception set
 */
int moho_python_lend(PyObject *device, const Py_buffer *view, moho_buffer **out, size_t *offset, char reason[200]);
/* Shape and strides in elements of a view; 0 where strides are negative or no multiples of the element. */
int moho_python_strides(const Py_buffer *view, size_t shape[MOHO_PYTHON_MAX_DIMS], int64_t stride[MOHO_PYTHON_MAX_DIMS]);

/* numpy.empty(shape, dtype): new reference. bfloat16: uint16. */
PyObject *moho_python_numpy_empty(int rank, const size_t *shape, moho_python_dtype dtype);
/* numpy.copyto(to, from). */
int moho_python_numpy_copy(PyObject *to, PyObject *from);
/* numpy.ascontiguousarray(object): new reference. */
PyObject *moho_python_numpy_contiguous(PyObject *object);

/* copy=True, False or None: 1, 0, -1; -2 with an exception. */
int moho_python_copy_word(PyObject *word);

/* Methods and slots of the type. */
PyObject *moho_python_from_numpy(PyObject *type, PyObject *arguments, PyObject *words);
PyObject *moho_python_to_numpy(PyObject *self, PyObject *arguments, PyObject *words);
PyObject *moho_python_write_array(PyObject *self, PyObject *array);
int moho_python_get_buffer(PyObject *self, Py_buffer *view, int flags);

/* ---- dlpack_export.c, dlpack_import.c ---- */

/* Speaks the buffer protocol, and does not say by DLPack that it lies elsewhere, as CuPy's and JAX' arrays on a GPU do. */
int moho_python_is_host_array(PyObject *object);

/* A Buffer of what speaks DLPack. @param device  Device or NULL: the one where the memory is  @param copy  1 always, 0 never, -1
 * where needed */
PyObject *moho_python_from_dlpack(PyObject *object, PyObject *device, int copy);
PyObject *moho_python_dlpack_device(PyObject *buffer, PyObject *unused);
PyObject *moho_python_dlpack(PyObject *buffer, PyObject *arguments, PyObject *words);

#endif
