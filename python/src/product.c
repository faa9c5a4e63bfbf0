/* product.c - matrix products: gemm and matvec on Buffers and arrays. */
#include <string.h>

#include "device.h"
#include "module.h"
#include "operand.h"
#include "status.h"

enum { A, B, BIAS, OUT, N_OPERANDS };

typedef struct product {
  const char *word;
  int is_matvec;
  PyObject *objects[N_OPERANDS]; /* owned */
  moho_python_operand operands[N_OPERANDS];
  moho_matmul_options options;
  PyObject *device;
} product;

static int check_rank(const product *p, const char *name, const moho_tensor *t, int least, int most) {
  if (t->rank >= least && t->rank <= most) return 0;
  PyErr_Format(PyExc_ValueError, "%s: %s has %d axes, expected %d%s", p->word, name, t->rank, least,
               most > least ? " (or a batch of them: 3)" : "");
  return -1;
}

/* [batch,] m, n of the result. */
static int shape_result(const product *p, int *rank, size_t *shape) {
  const moho_tensor *a = &p->operands[A].tensor, *b = &p->operands[B].tensor;
  if (check_rank(p, "a", a, 2, p->is_matvec ? 2 : 3) ||
      check_rank(p, p->is_matvec ? "x" : "b", b, p->is_matvec ? 1 : 2, p->is_matvec ? 1 : 3))
    return -1;
  *rank = 0;
  if (a->rank == 3 || b->rank == 3) {
    size_t of_a = a->rank == 3 ? a->shape[0] : 1, of_b = b->rank == 3 ? b->shape[0] : 1;
    shape[(*rank)++] = of_a > of_b ? of_a : of_b;
  }
  shape[(*rank)++] = a->shape[a->rank - (p->options.transpose_a ? 1 : 2)];
  if (!p->is_matvec) shape[(*rank)++] = b->shape[b->rank - (p->options.transpose_b ? 2 : 1)];
  return 0;
}

static PyObject *make_result(const product *p, int any_buffer, int dtype) {
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  int rank;
  if (p->options.beta != 0) {
    PyErr_Format(PyExc_ValueError, "%s: beta is not 0 and there is no out, expected the array that is added to", p->word);
    return NULL;
  }
  if (shape_result(p, &rank, shape)) return NULL;
  return moho_python_result(p->device, any_buffer, dtype < 0 ? p->operands[A].tensor.dtype : (moho_dtype)dtype, rank, shape);
}

static moho_status run(product *p) {
  const moho_tensor *a = &p->operands[A].tensor, *b = &p->operands[B].tensor;
  moho_tensor *c = &p->operands[OUT].tensor;
  if (p->operands[BIAS].tensor.buffer) p->options.bias = &p->operands[BIAS].tensor;
  return p->is_matvec ? moho_matvec(NULL, a, b, c, &p->options) : moho_matmul(NULL, a, b, c, &p->options);
}

/* An output that is added to is read too: arrays that are copied go there first. */
static int take_out(product *p) {
  PyObject *object = p->objects[OUT];
  moho_python_operand *out = &p->operands[OUT];
  if (moho_python_operand_out(object, p->word, p->device, p->operands, OUT, out)) return -1;
  if (p->options.beta == 0 || !out->has_view || out->address || !out->view.len) return 0;
  Py_buffer packed;
  PyObject *array = moho_python_numpy_contiguous(object);
  if (!array || PyObject_GetBuffer(array, &packed, PyBUF_SIMPLE)) {
    Py_XDECREF(array);
    return -1;
  }
  moho_status status = moho_tensor_write(&out->tensor, packed.buf);
  PyBuffer_Release(&packed);
  Py_DECREF(array);
  if (status) moho_python_raise(status);
  return status ? -1 : 0;
}

static PyObject *multiply_on(product *p, PyObject *asked, int dtype) {
  static const char *const names[2][OUT] = {{"a", "b", "bias"}, {"a", "x", "bias"}};
  int any_buffer;
  moho_status status;
  p->device = moho_python_call_device(p->objects, N_OPERANDS, 1, asked, &any_buffer);
  if (!p->device) return NULL;
  for (int i = 0; i < OUT; i++)
    if (p->objects[i] && moho_python_operand_in(p->objects[i], p->word, names[p->is_matvec][i], p->device, 0, &p->operands[i]))
      return NULL;
  if (!p->objects[OUT]) p->objects[OUT] = make_result(p, any_buffer, dtype);
  if (!p->objects[OUT] || take_out(p)) return NULL;
  Py_BEGIN_ALLOW_THREADS;
  status = run(p);
  Py_END_ALLOW_THREADS;
  if (status) return moho_python_raise(status);
  return moho_python_operand_finish(p->objects[OUT], &p->operands[OUT]) ? NULL : p->objects[OUT];
}

static int take_method(const char *word, moho_matmul_method *out) {
  static const char *const words[] = {[MOHO_MATMUL_AUTO] = "auto", [MOHO_MATMUL_LIBRARY] = "library", [MOHO_MATMUL_OWN] = "own"};
  for (int i = 0; i < 3; i++)
    if (strcmp(words[i], word) == 0) {
      *out = (moho_matmul_method)i;
      return 0;
    }
  PyErr_Format(PyExc_ValueError, "method: \"%s\", expected \"auto\", \"library\" or \"own\"", word);
  return -1;
}

static PyObject *multiply(PyObject *module, PyObject *arguments) {
  product p = {.options = moho_matmul_options_default()};
  const char *activation, *method;
  PyObject *a, *b, *bias, *out, *asked, *dtype_word;
  (void)module;
  if (!PyArg_ParseTuple(arguments, "spOOOOOffppsddsO:multiply", &p.word, &p.is_matvec, &a, &b, &bias, &out, &asked,
                        &p.options.alpha, &p.options.beta, &p.options.transpose_a, &p.options.transpose_b, &activation,
                        &p.options.scalars[0], &p.options.scalars[1], &method, &dtype_word))
    return NULL;
  int dtype = -1;
  if (dtype_word != Py_None) {
    int given = moho_python_dtype_find(dtype_word);
    dtype = given < 0 ? -1 : moho_python_tensor_dtype((moho_python_dtype)given, p.word, "dtype");
    if (dtype < 0) return NULL;
  }
  moho_status status = moho_operation_find(activation, &p.options.activation);
  if (status) return moho_python_raise(status);
  if (take_method(method, &p.options.method)) return NULL;
  PyObject *given[N_OPERANDS] = {a, b, bias, out};
  for (int i = 0; i < N_OPERANDS; i++) p.objects[i] = given[i] == Py_None ? NULL : Py_NewRef(given[i]);
  PyObject *made = multiply_on(&p, asked, dtype), *result = !made ? NULL : Py_NewRef(out == Py_None ? made : out);
  for (int i = 0; i < N_OPERANDS; i++) {
    moho_python_operand_release(&p.operands[i]);
    Py_XDECREF(p.objects[i]);
  }
  Py_XDECREF(p.device);
  return result;
}

static PyMethodDef functions[] = {{"multiply", multiply, METH_VARARGS,
                                   "multiply(word, is_matvec, a, b, bias, out, device, alpha, beta, transpose_a, transpose_b, "
                                   "activation, s, t, method, dtype) -> out"},
                                  {0}};

int moho_python_add_product(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
