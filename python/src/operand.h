/* operand.h - arguments of an operation as tensors of one device, for the time of a call.
 *
 * A Buffer is used as it is. An array of the host is used in place where the device shares the host's memory, else copied there,
 * and back when it is the output. What speaks DLPack alone (CuPy, PyTorch) is used in place where it is on the device.
 */
#ifndef MOHO_PYTHON_OPERAND_H
#define MOHO_PYTHON_OPERAND_H

#include "buffer.h"

typedef struct moho_python_operand {
  moho_tensor tensor;
  int is_number; /* a Python number: `number` instead of the tensor */
  double number;
  moho_buffer *made; /* of this call alone */
  Py_buffer view;    /* of an array, while has_view */
  int has_view;
  PyObject *packed; /* what the array was copied to; owned */
  uint64_t address; /* of the first element, for comparing */
} moho_python_operand;

/**
 * The Device that a call runs on, and the arguments with their DLPack forms made Buffers.
 *
 * @param objects  [n] owned references, replaced where they speak DLPack alone; NULL and None are passed over
 * @param n_out    objects from n - n_out on are outputs: never copied
 * @param asked    a Device or URI, to which inputs are copied from elsewhere; or None: that of the arguments, which all lie
 *                 there, else the current one
 * @param any_buffer  set to 1 where one is a Buffer
 * @return a new reference; NULL with an exception
 */
PyObject *moho_python_call_device(PyObject **objects, int n, int n_out, PyObject *asked, int *any_buffer);

/* An input: name is "a". numbers: Python's are taken too. 0; -1 with an exception. */
int moho_python_operand_in(PyObject *object, const char *operation, const char *name, PyObject *device, int numbers,
                           moho_python_operand *out);
/* An output that the caller gave. What it shares with an input to the last element is made the same tensor; any other overlap is
 * refused. */
int moho_python_operand_out(PyObject *object, const char *operation, PyObject *device, moho_python_operand *inputs, int n_inputs,
                            moho_python_operand *out);
/* Numbers of an output that was copied go back. 0; -1 with an exception. */
int moho_python_operand_finish(PyObject *object, moho_python_operand *out);
/* Safe on a zeroed one. */
void moho_python_operand_release(moho_python_operand *operand);

/* What a result is made as: a Buffer where an argument is one, else a numpy array. */
PyObject *moho_python_result(PyObject *device, int any_buffer, moho_dtype dtype, int rank, const size_t *shape);

/* -1 with TypeError: no dtype of tensors. */
int moho_python_tensor_dtype(moho_python_dtype dtype, const char *operation, const char *name);
moho_python_dtype moho_python_dtype_of_tensor(moho_dtype dtype);

#endif
