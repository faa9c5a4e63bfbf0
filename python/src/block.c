/* block.c - memory of the library's that Python owns: a buffer of one dtype and shape, numpy.asarray(block) shares it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arrays.h"
#include "module.h"

typedef struct block {
  PyObject_HEAD void *memory;
  moho_python_dtype dtype;
  int n_dims;
  Py_ssize_t shape[MOHO_PYTHON_MAX_DIMS], strides[MOHO_PYTHON_MAX_DIMS];
  Py_ssize_t bytes;
} block;

PyObject *moho_python_block(void *memory, moho_python_dtype dtype, int n_dims, const size_t *shape) {
  block *made = moho_python_new(MOHO_PYTHON_BLOCK);
  if (!made) {
    free(memory);
    return NULL;
  }
  made->memory = memory, made->dtype = dtype, made->n_dims = n_dims;
  made->bytes = (Py_ssize_t)moho_python_dtype_bytes(dtype);
  for (int i = n_dims - 1; i >= 0; i--) {
    made->shape[i] = (Py_ssize_t)shape[i], made->strides[i] = made->bytes;
    made->bytes *= made->shape[i];
  }
  return (PyObject *)made;
}

static void block_free(PyObject *self) {
  free(((block *)self)->memory);
  moho_python_free(self);
}

static int get_buffer(PyObject *self, Py_buffer *view, int flags) {
  block *b = (block *)self;
  static char nothing;
  *view = (Py_buffer){.buf = b->memory ? b->memory : &nothing,
                      .obj = Py_NewRef(self),
                      .len = b->bytes,
                      .itemsize = (Py_ssize_t)moho_python_dtype_bytes(b->dtype),
                      .ndim = b->n_dims,
                      .format = flags & PyBUF_FORMAT ? (char *)(uintptr_t)moho_python_dtype_format(b->dtype) : NULL,
                      .shape = flags & PyBUF_ND ? b->shape : NULL,
                      .strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? b->strides : NULL};
  return 0;
}

static PyType_Slot slots[] = {
    {Py_tp_doc, "Memory that the library made, of one dtype and shape: numpy.asarray(block) shares it."},
    {Py_tp_dealloc, (void *)block_free},
    {Py_bf_getbuffer, (void *)get_buffer},
    {0}};

static PyType_Spec spec = {.name = "moho._moho.Block",
                           .basicsize = sizeof(block),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int moho_python_add_block(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_BLOCK);
}
