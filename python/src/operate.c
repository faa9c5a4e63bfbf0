/* operate.c - one operation on its operands: the library's table checks it, numpy's rules give the result's shape. */
#include <string.h>

#include "device.h"
#include "module.h"
#include "operand.h"
#include "status.h"

/* What an operation makes of shapes. */
typedef enum { ELEMENTWISE, LOSS, REDUCTION, ROWS, CROSS_ENTROPY } family;

static family family_of(moho_operation operation) {
  switch (operation) {
  case MOHO_OPERATION_SQUARED_ERROR:
  case MOHO_OPERATION_BINARY_CROSS_ENTROPY: return LOSS;
  case MOHO_OPERATION_SUM:
  case MOHO_OPERATION_MEAN:
  case MOHO_OPERATION_PROD:
  case MOHO_OPERATION_REDUCE_MIN:
  case MOHO_OPERATION_REDUCE_MAX:
  case MOHO_OPERATION_ARGMAX: return REDUCTION;
  case MOHO_OPERATION_SOFTMAX:
  case MOHO_OPERATION_LOG_SOFTMAX:
  case MOHO_OPERATION_LAYER_NORM:
  case MOHO_OPERATION_RMS_NORM: return ROWS;
  case MOHO_OPERATION_CROSS_ENTROPY: return CROSS_ENTROPY;
  default: return ELEMENTWISE;
  }
}

/* A call as it is taken apart; objects are owned: inputs, then out. */
typedef struct call {
  moho_operation operation;
  const char *word;
  PyObject *objects[MOHO_CALL_INPUTS + 1];
  moho_python_operand operands[MOHO_CALL_INPUTS + 1];
  int n;
  double scalars[MOHO_CALL_SCALARS];
  int axis; /* of the library: >= 0 or MOHO_ALL_AXES */
  moho_loss loss;
  int dtype; /* of the output; -1: the inputs' */
  int keep_axes;
  PyObject *device;
} call;

/* ---- arguments ---- */

static int take_scalars(PyObject *scalars, call *c) {
  Py_ssize_t n = PyTuple_Size(scalars);
  if (n < 0 || n > MOHO_CALL_SCALARS) {
    if (n > 0) PyErr_SetString(PyExc_ValueError, "scalars: too many");
    return -1;
  }
  for (Py_ssize_t i = 0; i < n; i++) {
    c->scalars[i] = PyFloat_AsDouble(PyTuple_GetItem(scalars, i));
    if (c->scalars[i] == -1 && PyErr_Occurred()) return -1;
  }
  return 0;
}

static int take_inputs(PyObject *inputs, PyObject *out, call *c) {
  Py_ssize_t n = PyTuple_Size(inputs);
  if (n < 0 || n > MOHO_CALL_INPUTS) {
    if (n > 0) PyErr_SetString(PyExc_ValueError, "inputs: too many");
    return -1;
  }
  c->n = (int)n;
  for (int i = 0; i < c->n; i++) c->objects[i] = Py_NewRef(PyTuple_GetItem(inputs, i));
  c->objects[c->n] = out == Py_None ? NULL : Py_NewRef(out);
  return 0;
}

static int take_operands(call *c) {
  static const char *const names[MOHO_CALL_INPUTS] = {"a", "b", "c"};
  int numbers = c->n == 2 && c->operation <= MOHO_OPERATION_MAX;
  for (int i = 0; i < c->n; i++)
    if (c->objects[i] != Py_None &&
        moho_python_operand_in(c->objects[i], c->word, c->n == 1 ? "x" : names[i], c->device, numbers, &c->operands[i]))
      return -1;
  if (!numbers || !c->operands[0].is_number || !c->operands[1].is_number) return 0;
  PyErr_Format(PyExc_TypeError, "%s: two numbers, expected an array among them", c->word);
  return -1;
}

/* Python's axis: None all, negative from the end. */
static int take_axis(PyObject *axis, call *c) {
  c->axis = MOHO_ALL_AXES;
  if (axis == Py_None) return 0;
  PyObject *number = PyNumber_Index(axis);
  long given = number ? PyLong_AsLong(number) : -1;
  Py_XDECREF(number);
  if (given == -1 && PyErr_Occurred()) return -1;
  int rank = c->operands[0].tensor.rank;
  if (given < -rank || given >= rank) {
    PyErr_Format(PyExc_ValueError, "%s: axis %ld of an array with %d", c->word, given, rank);
    return -1;
  }
  c->axis = (int)(given < 0 ? given + rank : given);
  return 0;
}

/* ---- the result's shape ---- */

/* As numpy repeats axes of 1 and those that are missing in front. */
static int broadcast(const call *c, int *rank, size_t *shape) {
  *rank = 0;
  for (int i = 0; i < c->n; i++)
    if (c->operands[i].tensor.buffer && c->operands[i].tensor.rank > *rank) *rank = c->operands[i].tensor.rank;
  for (int axis = 0; axis < *rank; axis++) shape[axis] = 1;
  for (int i = 0; i < c->n; i++) {
    const moho_tensor *t = &c->operands[i].tensor;
    if (!t->buffer) continue;
    for (int k = 0; k < t->rank; k++) {
      size_t *at = &shape[*rank - t->rank + k];
      if (t->shape[k] != 1 && *at != 1 && *at != t->shape[k]) {
        PyErr_Format(PyExc_ValueError, "%s: shapes do not go together: axis %d of operand %d has %zu, another has %zu", c->word,
                     k, i + 1, t->shape[k], *at);
        return -1;
      }
      if (t->shape[k] != 1) *at = t->shape[k];
    }
  }
  return 0;
}

static void without_axis(const call *c, int *rank, size_t *shape) {
  const moho_tensor *t = &c->operands[0].tensor;
  *rank = 0;
  for (int i = 0; i < t->rank; i++) {
    int goes = c->axis == MOHO_ALL_AXES || c->axis == i;
    if (!goes || c->keep_axes) shape[(*rank)++] = goes ? 1 : t->shape[i];
  }
}

static int shape_result(const call *c, int *rank, size_t *shape) {
  const moho_tensor *t = &c->operands[0].tensor;
  family of = family_of(c->operation);
  *rank = 0;
  if ((of == LOSS || of == CROSS_ENTROPY) && c->loss != MOHO_LOSS_NONE) return 0;
  if (of == REDUCTION || of == CROSS_ENTROPY) {
    without_axis(c, rank, shape);
    return 0;
  }
  if (of != ROWS) return broadcast(c, rank, shape);
  *rank = t->rank;
  memcpy(shape, t->shape, sizeof t->shape);
  return 0;
}

static PyObject *make_result(const call *c, int any_buffer) {
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  int rank;
  moho_dtype dtype = c->operands[0].is_number ? c->operands[1].tensor.dtype : c->operands[0].tensor.dtype;
  if (c->dtype >= 0) dtype = (moho_dtype)c->dtype;
  if (c->operation == MOHO_OPERATION_ARGMAX) dtype = MOHO_DTYPE_I32;
  return shape_result(c, &rank, shape) ? NULL : moho_python_result(c->device, any_buffer, dtype, rank, shape);
}

/* ---- running ---- */

static moho_status run(const call *c, const moho_tensor *out) {
  moho_tensor_call made = {.operation = c->operation, .output = out, .axis = c->axis, .loss = c->loss};
  memcpy(made.scalars, c->scalars, sizeof made.scalars);
  for (int i = 0; i < c->n; i++) {
    if (c->operands[i].is_number) made.scalars[0] = c->operands[i].number;
    else if (c->operands[i].tensor.buffer) made.inputs[i] = &c->operands[i].tensor;
  }
  return moho_tensor_run(NULL, &made);
}

static PyObject *operate_on(call *c, PyObject *axis, PyObject *asked) {
  int any_buffer;
  moho_status status;
  moho_python_operand *out = &c->operands[c->n];
  c->device = moho_python_call_device(c->objects, c->n + 1, 1, asked, &any_buffer);
  if (!c->device || take_operands(c) || take_axis(axis, c)) return NULL;
  if (!c->objects[c->n]) c->objects[c->n] = make_result(c, any_buffer);
  PyObject *result = c->objects[c->n];
  if (!result || moho_python_operand_out(result, c->word, c->device, c->operands, c->n, out)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = run(c, &out->tensor);
  Py_END_ALLOW_THREADS;
  if (status) return moho_python_raise(status);
  return moho_python_operand_finish(result, out) ? NULL : result;
}

static void clear(call *c) {
  for (int i = 0; i <= c->n; i++) {
    moho_python_operand_release(&c->operands[i]);
    Py_CLEAR(c->objects[i]);
  }
  Py_CLEAR(c->device);
}

static int take_loss(const char *word) {
  static const char *const words[] = {[MOHO_LOSS_MEAN] = "mean", [MOHO_LOSS_SUM] = "sum", [MOHO_LOSS_NONE] = "none"};
  for (int i = 0; i < 3; i++)
    if (strcmp(words[i], word) == 0) return i;
  PyErr_Format(PyExc_ValueError, "reduction: \"%s\", expected \"mean\", \"sum\" or \"none\"", word);
  return -1;
}

static PyObject *operate(PyObject *module, PyObject *arguments) {
  call c = {.dtype = -1};
  const char *loss = "mean";
  PyObject *inputs, *out, *asked, *scalars, *axis = Py_None, *dtype = Py_None;
  (void)module;
  if (!PyArg_ParseTuple(arguments, "sO!OOO!|OOsp:operate", &c.word, &PyTuple_Type, &inputs, &out, &asked, &PyTuple_Type, &scalars,
                        &axis, &dtype, &loss, &c.keep_axes))
    return NULL;
  moho_status status = moho_operation_find(c.word, &c.operation);
  if (status) return moho_python_raise(status);
  int reduction = take_loss(loss);
  if (reduction < 0 || take_scalars(scalars, &c)) return NULL;
  c.loss = (moho_loss)reduction;
  if (dtype != Py_None) {
    int given = moho_python_dtype_find(dtype);
    c.dtype = given < 0 ? -1 : moho_python_tensor_dtype((moho_python_dtype)given, c.word, "dtype");
    if (c.dtype < 0) return NULL;
  }
  if (take_inputs(inputs, out, &c)) return NULL;
  /* What the caller gave as out is returned itself, also where a Buffer of its memory stood for it. */
  PyObject *made = operate_on(&c, axis, asked);
  PyObject *result = !made ? NULL : Py_NewRef(out == Py_None ? made : out);
  clear(&c);
  return result;
}

/* ---- quantisation ---- */

static PyObject *quantization(PyObject *module, PyObject *arguments) {
  const char *kind;
  PyObject *x, *dtype_word, *asked;
  (void)module;
  if (!PyArg_ParseTuple(arguments, "OOsO:quantization", &x, &dtype_word, &kind, &asked)) return NULL;
  int given = moho_python_dtype_find(dtype_word), any;
  int dtype = given < 0 ? -1 : moho_python_tensor_dtype((moho_python_dtype)given, "quantization", "dtype");
  int is_affine = strcmp(kind, "affine") == 0;
  if (dtype < 0) return NULL;
  if (!is_affine && strcmp(kind, "symmetric")) {
    PyErr_Format(PyExc_ValueError, "kind: \"%s\", expected \"symmetric\" or \"affine\"", kind);
    return NULL;
  }
  PyObject *objects[1] = {Py_NewRef(x)}, *device = moho_python_call_device(objects, 1, 0, asked, &any);
  moho_python_operand operand = {0};
  moho_quantization how = {0};
  moho_status status = MOHO_OK;
  int failed = !device || moho_python_operand_in(objects[0], "quantization", "x", device, 0, &operand);
  if (!failed) {
    Py_BEGIN_ALLOW_THREADS;
    status = moho_tensor_quantization(&operand.tensor, (moho_dtype)dtype,
                                      is_affine ? MOHO_QUANTIZE_AFFINE : MOHO_QUANTIZE_SYMMETRIC, &how);
    Py_END_ALLOW_THREADS;
  }
  if (status) moho_python_raise(status);
  moho_python_operand_release(&operand);
  Py_DECREF(objects[0]);
  Py_XDECREF(device);
  return failed || status ? NULL : Py_BuildValue("(di)", how.scale, how.zero);
}

static PyMethodDef functions[] = {
    {"operate", operate, METH_VARARGS,
     "operate(operation, inputs, out, device, scalars, axis=None, dtype=None, reduction=\"mean\", keepdims=False) -> out"},
    {"quantization", quantization, METH_VARARGS, "quantization(x, dtype, kind, device) -> (scale, zero)"},
    {0}};

int moho_python_add_operate(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
