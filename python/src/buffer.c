/* buffer.c - Buffer: made, asked, seen from other sides, moved to and from numpy. */
#include "buffer.h"

#include <stdio.h>
#include <string.h>

#include "device.h"
#include "module.h"
#include "status.h"

int moho_python_is_buffer(PyObject *object) {
  moho_python_state *state = moho_python_state_here();
  return state && PyObject_TypeCheck(object, (PyTypeObject *)state->types[MOHO_PYTHON_BUFFER]);
}

/* ---- sizes ---- */

size_t moho_python_buffer_elements(const moho_python_buffer *buffer) {
  size_t n = 1;
  for (int i = 0; i < buffer->rank; i++) n *= buffer->shape[i];
  return n;
}

int moho_python_buffer_is_contiguous(const moho_python_buffer *buffer) {
  int64_t stride = 1;
  for (int i = buffer->rank; i-- > 0;) {
    if (buffer->shape[i] != 1 && buffer->stride[i] != stride && moho_python_buffer_elements(buffer)) return 0;
    stride *= (int64_t)buffer->shape[i];
  }
  return 1;
}

int moho_python_buffer_place(const moho_python_buffer *buffer, moho_buffer_place *place) {
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_locate(buffer->buffer, place);
  Py_END_ALLOW_THREADS;
  if (!status) return 0;
  moho_python_raise(status);
  return -1;
}

size_t moho_python_buffer_bytes(const moho_python_buffer *buffer) {
  return moho_python_buffer_elements(buffer) * moho_python_dtype_bytes(buffer->dtype);
}

static void set_contiguous(moho_python_buffer *buffer) {
  int64_t stride = 1;
  for (int i = buffer->rank; i-- > 0; stride *= (int64_t)(buffer->shape[i] ? buffer->shape[i] : 1)) buffer->stride[i] = stride;
}

static moho_device *device_of(const moho_python_buffer *buffer) {
  return moho_python_device_of(buffer->device)->device;
}

/* ---- made and freed ---- */

moho_python_buffer *moho_python_buffer_new(PyObject *device, moho_python_dtype dtype, int rank, const size_t *shape) {
  moho_python_buffer *made = moho_python_new(MOHO_PYTHON_BUFFER);
  if (!made) return NULL;
  made->device = Py_NewRef(device);
  made->dtype = dtype;
  made->rank = rank;
  for (int i = 0; i < rank; i++) made->shape[i] = shape[i];
  set_contiguous(made);
  return made;
}

PyObject *moho_python_buffer_create(PyObject *device, moho_python_dtype dtype, int rank, const size_t *shape,
                                    moho_memory memory) {
  moho_python_buffer *made = moho_python_buffer_new(device, dtype, rank, shape);
  if (!made) return NULL;
  size_t bytes = (moho_python_buffer_bytes(made) + 15) / 16 * 16; /* kernels read whole words; what is empty has a place too */
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_create(device_of(made), bytes ? bytes : 16, memory, &made->buffer);
  Py_END_ALLOW_THREADS;
  if (!status) return (PyObject *)made;
  moho_python_raise(status);
  Py_DECREF(made);
  return NULL;
}

static void buffer_free(PyObject *self) {
  moho_python_buffer *b = moho_python_buffer_of(self);
  if (b->buffer && !b->base) moho_buffer_destroy(&b->buffer);
  if (b->is_lent) PyBuffer_Release(&b->lent);
  if (b->give_back) b->give_back(b->managed);
  Py_XDECREF(b->base);
  Py_XDECREF(b->device);
  moho_python_free(self);
}

/* A view of the whole Buffer, to be cut down by the caller. */
static moho_python_buffer *view_of(PyObject *self) {
  moho_python_buffer *from = moho_python_buffer_of(self);
  moho_python_buffer *made = moho_python_buffer_new(from->device, from->dtype, from->rank, from->shape);
  if (!made) return NULL;
  made->base = Py_NewRef(from->base ? from->base : self);
  made->buffer = from->buffer;
  made->offset = from->offset;
  made->is_read_only = from->is_read_only;
  memcpy(made->stride, from->stride, sizeof made->stride);
  return made;
}

/* ---- words of Python ---- */

int moho_python_dtype_find(PyObject *object) {
  PyObject *text = PyUnicode_Check(object) ? Py_NewRef(object) : NULL;
  if (!text) { /* numpy.dtype has a name, numpy.float32 a __name__ */
    text = PyObject_GetAttrString(object, PyType_Check(object) ? "__name__" : "name");
    if (!text) PyErr_Clear();
  }
  const char *word = text && PyUnicode_Check(text) ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  for (int i = 0; word && i < MOHO_PYTHON_N_DTYPES; i++)
    if (strcmp(word, moho_python_dtype_name((moho_python_dtype)i)) == 0) {
      Py_DECREF(text);
      return i;
    }
  PyErr_Format(
      PyExc_TypeError,
      "dtype: %R, expected one of float32, float64, float16, bfloat16, int8, int16, int32, int64, uint8, uint16, uint32, "
      "uint64",
      object);
  Py_XDECREF(text);
  return -1;
}

static int size_at(PyObject *object, size_t *out) {
  PyObject *number = PyNumber_Index(object);
  if (!number) return -1;
  Py_ssize_t n = PyLong_AsSsize_t(number);
  Py_DECREF(number);
  if (n < 0 && !PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "shape: an axis of %zd, expected 0 or more", n);
  *out = (size_t)n;
  return n < 0 ? -1 : 0;
}

int moho_python_shape(PyObject *object, size_t shape[MOHO_PYTHON_MAX_DIMS]) {
  if (PyIndex_Check(object)) return size_at(object, shape) ? -1 : 1;
  PyObject *sizes = PySequence_Tuple(object);
  if (!sizes) return -1;
  Py_ssize_t rank = PyTuple_Size(sizes);
  int bad = rank > MOHO_PYTHON_MAX_DIMS;
  if (bad) PyErr_Format(PyExc_ValueError, "shape: %zd dimensions, expected at most %d", rank, MOHO_PYTHON_MAX_DIMS);
  for (Py_ssize_t i = 0; !bad && i < rank; i++) bad = size_at(PyTuple_GetItem(sizes, i), &shape[i]);
  Py_DECREF(sizes);
  return bad ? -1 : (int)rank;
}

PyObject *moho_python_shape_tuple(int rank, const size_t *shape) {
  PyObject *made = PyTuple_New(rank);
  for (int i = 0; made && i < rank; i++) {
    PyObject *n = PyLong_FromSize_t(shape[i]);
    if (!n || PyTuple_SetItem(made, i, n)) Py_CLEAR(made);
  }
  return made;
}

/* ---- fresh memory ---- */

static PyObject *allocate(PyObject *type, PyObject *arguments, PyObject *words) {
  static char *names[] = {"shape", "dtype", "device", "memory", NULL};
  PyObject *shape_word, *dtype_word = NULL, *device = Py_None;
  const char *memory = "device";
  size_t shape[MOHO_PYTHON_MAX_DIMS];
  (void)type;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "O|OOs:allocate", names, &shape_word, &dtype_word, &device, &memory))
    return NULL;
  int rank = moho_python_shape(shape_word, shape), dtype = dtype_word ? moho_python_dtype_find(dtype_word) : MOHO_PYTHON_FLOAT32;
  if (rank < 0 || dtype < 0) return NULL;
  int is_host = strcmp(memory, "host") == 0;
  if (!is_host && strcmp(memory, "device")) {
    PyErr_Format(PyExc_ValueError, "memory: \"%s\", expected \"device\" or \"host\"", memory);
    return NULL;
  }
  PyObject *on = moho_python_device(device, "device", NULL);
  if (!on) return NULL;
  PyObject *made =
      moho_python_buffer_create(on, (moho_python_dtype)dtype, rank, shape, is_host ? MOHO_MEMORY_HOST : MOHO_MEMORY_DEVICE);
  Py_DECREF(on);
  return made;
}

/* ---- views ---- */

static PyObject *reshape(PyObject *self, PyObject *arguments) {
  moho_python_buffer *b = moho_python_buffer_of(self);
  size_t shape[MOHO_PYTHON_MAX_DIMS], n = 1;
  PyObject *sizes = PyTuple_Size(arguments) == 1 ? PyTuple_GetItem(arguments, 0) : arguments;
  int rank = moho_python_shape(sizes, shape);
  if (rank < 0) return NULL;
  for (int i = 0; i < rank; i++) n *= shape[i];
  if (n != moho_python_buffer_elements(b) || !moho_python_buffer_is_contiguous(b)) {
    PyObject *has = moho_python_shape_tuple(b->rank, b->shape), *asked = moho_python_shape_tuple(rank, shape);
    if (has && asked)
      PyErr_Format(PyExc_ValueError,
                   n != moho_python_buffer_elements(b) ? "reshape: shape %S, cannot become %S: other count"
                                                       : "reshape: shape %S with strides cannot become %S "
                                                         "without a copy: ops.copy() makes one",
                   has, asked);
    Py_XDECREF(has);
    Py_XDECREF(asked);
    return NULL;
  }
  moho_python_buffer *made = view_of(self);
  if (!made) return NULL;
  made->rank = rank;
  for (int i = 0; i < rank; i++) made->shape[i] = shape[i];
  set_contiguous(made);
  return (PyObject *)made;
}

static PyObject *transposed(PyObject *self, void *closure) {
  (void)closure;
  moho_python_buffer *from = moho_python_buffer_of(self), *made = view_of(self);
  for (int i = 0; made && i < from->rank; i++) {
    made->shape[i] = from->shape[from->rank - 1 - i];
    made->stride[i] = from->stride[from->rank - 1 - i];
  }
  return (PyObject *)made;
}

static PyObject *view_as(PyObject *self, PyObject *word) {
  int dtype = moho_python_dtype_find(word);
  if (dtype < 0) return NULL;
  moho_python_buffer *from = moho_python_buffer_of(self);
  if (moho_python_dtype_bytes((moho_python_dtype)dtype) != moho_python_dtype_bytes(from->dtype)) {
    PyErr_Format(PyExc_ValueError, "view: elements of %s are not as long as those of %s",
                 moho_python_dtype_name((moho_python_dtype)dtype), moho_python_dtype_name(from->dtype));
    return NULL;
  }
  moho_python_buffer *made = view_of(self);
  if (made) made->dtype = (moho_python_dtype)dtype;
  return (PyObject *)made;
}

/* One index or slice of an axis; the axis goes where it is an index. @return axes that stay: 1 or 0; -1 with an exception */
static int cut(moho_python_buffer *b, int axis, PyObject *index) {
  Py_ssize_t length = (Py_ssize_t)b->shape[axis], begin, end, step;
  size_t itemsize = moho_python_dtype_bytes(b->dtype);
  if (PySlice_Check(index)) {
    if (PySlice_Unpack(index, &begin, &end, &step)) return -1;
    if (step < 1) {
      PyErr_SetString(PyExc_ValueError, "Buffer: a slice's step is at least 1");
      return -1;
    }
    b->shape[axis] = (size_t)PySlice_AdjustIndices(length, &begin, &end, step);
    b->offset += b->shape[axis] ? (size_t)begin * (size_t)b->stride[axis] * itemsize : 0;
    b->stride[axis] *= step;
    return 1;
  }
  Py_ssize_t at = PyNumber_AsSsize_t(index, PyExc_IndexError);
  if (at == -1 && PyErr_Occurred()) return -1;
  if (at < -length || at >= length) {
    PyErr_Format(PyExc_IndexError, "Buffer: index %zd of an axis of %zd", at, length);
    return -1;
  }
  b->offset += (size_t)(at < 0 ? at + length : at) * (size_t)b->stride[axis] * itemsize;
  return 0;
}

static PyObject *subscript(PyObject *self, PyObject *key) {
  PyObject *indices = PyTuple_Check(key) ? Py_NewRef(key) : PyTuple_Pack(1, key);
  moho_python_buffer *made = indices ? view_of(self) : NULL;
  Py_ssize_t n = made ? PyTuple_Size(indices) : 0;
  if (made && n > made->rank) {
    PyErr_Format(PyExc_IndexError, "Buffer: %zd indices of %d axes", n, made->rank);
    Py_CLEAR(made);
  }
  int kept = 0;
  for (int axis = 0; made && axis < made->rank; axis++) {
    int stays = axis < n ? cut(made, axis, PyTuple_GetItem(indices, axis)) : 1;
    if (stays < 0) Py_CLEAR(made);
    if (stays < 1) continue;
    made->shape[kept] = made->shape[axis], made->stride[kept] = made->stride[axis];
    kept++;
  }
  if (made) made->rank = kept;
  Py_XDECREF(indices);
  return (PyObject *)made;
}

static Py_ssize_t length_of(PyObject *self) {
  const moho_python_buffer *b = moho_python_buffer_of(self);
  if (b->rank) return (Py_ssize_t)b->shape[0];
  PyErr_SetString(PyExc_TypeError, "Buffer: one number has no length");
  return -1;
}

/* ---- asking ---- */

typedef enum { SHAPE, STRIDES, DTYPE, NDIM, SIZE, NBYTES, DEVICE, IS_READ_ONLY, IS_SHARED, ADDRESS } question;

static PyObject *address_of(const moho_python_buffer *b) {
  moho_buffer_place place;
  if (moho_python_buffer_place(b, &place)) return NULL;
  uint64_t address = place.device ? place.device : (uint64_t)(uintptr_t)place.host;
  return PyLong_FromUnsignedLongLong(address + b->offset);
}

static PyObject *strides_of(const moho_python_buffer *b) {
  size_t bytes[MOHO_PYTHON_MAX_DIMS];
  for (int i = 0; i < b->rank; i++) bytes[i] = (size_t)b->stride[i] * moho_python_dtype_bytes(b->dtype);
  return moho_python_shape_tuple(b->rank, bytes);
}

static PyObject *answer(PyObject *self, void *closure) {
  const moho_python_buffer *b = moho_python_buffer_of(self);
  switch ((question)(uintptr_t)closure) {
  case SHAPE: return moho_python_shape_tuple(b->rank, b->shape);
  case STRIDES: return strides_of(b);
  case DTYPE: return PyUnicode_FromString(moho_python_dtype_name(b->dtype));
  case NDIM: return PyLong_FromLong(b->rank);
  case SIZE: return PyLong_FromSize_t(moho_python_buffer_elements(b));
  case NBYTES: return PyLong_FromSize_t(moho_python_buffer_bytes(b));
  case DEVICE: return Py_NewRef(b->device);
  case IS_READ_ONLY: return PyBool_FromLong(b->is_read_only);
  case IS_SHARED: {
    const moho_python_buffer *owner = b->base ? moho_python_buffer_of(b->base) : b;
    return PyBool_FromLong(owner->is_lent || owner->give_back);
  }
  case ADDRESS: return address_of(b);
  }
  Py_RETURN_NONE;
}

static PyObject *repr(PyObject *self) {
  const moho_python_buffer *b = moho_python_buffer_of(self);
  PyObject *shape = moho_python_shape_tuple(b->rank, b->shape);
  PyObject *made = shape ? PyUnicode_FromFormat("<moho.Buffer %S %s on %s>", shape, moho_python_dtype_name(b->dtype),
                                                moho_python_device_of(b->device)->report.uri)
                         : NULL;
  Py_XDECREF(shape);
  return made;
}

#define QUESTION(name, which, doc) \
  { name, answer, NULL, doc, (void *)(uintptr_t)(which) }
static PyGetSetDef getters[] = {
    QUESTION("shape", SHAPE, "tuple of int, the last axis fastest where it is contiguous."),
    QUESTION("strides", STRIDES, "tuple of int, bytes."),
    QUESTION("dtype", DTYPE, "str: \"float32\", \"bfloat16\", ..."),
    QUESTION("ndim", NDIM, "int: axes."),
    QUESTION("size", SIZE, "int: elements."),
    QUESTION("nbytes", NBYTES, "int: bytes of its elements."),
    QUESTION("device", DEVICE, "Device: where it is; kept open by it."),
    QUESTION("read_only", IS_READ_ONLY, "bool: operations refuse to write to it."),
    QUESTION("shared", IS_SHARED, "bool: the memory is an array's or another library's."),
    QUESTION("address", ADDRESS, "int: of the first element: a CUDA device address, else the host's. Waits for running work."),
    {"T", transposed, NULL, "Buffer: a view with the axes in reverse order.", NULL},
    {0}};

#define FUNCTION(name) (PyCFunction)(void (*)(void))(name)
static PyMethodDef methods[] = {
    {"from_numpy", FUNCTION(moho_python_from_numpy), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "from_numpy(array, device=None, copy=True) -> Buffer\n--\n\n"
     "A numpy array (or what speaks the buffer protocol or DLPack) on a device.\n\n"
     "copy=True copies. copy=False uses the array's memory itself, where the device shares the host's (cpu; metal: whole\n"
     "pages): writes on either side are seen on the other, the array is held as long as the Buffer; ValueError with the\n"
     "reason where it cannot be. copy=None shares where it can and copies where it must. device: a Device, a URI, or None:\n"
     "the innermost Executor's, else \"auto\"."},
    {"allocate", FUNCTION(allocate), METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "allocate(shape, dtype=\"float32\", device=None, memory=\"device\") -> Buffer\n--\n\n"
     "Fresh memory, contents undefined. memory=\"host\": memory that both sides reach (pinned on cuda). MemoryError where there\n"
     "is none, with what is free."},
    {"to_numpy", FUNCTION(moho_python_to_numpy), METH_VARARGS | METH_KEYWORDS,
     "to_numpy(copy=True) -> numpy.ndarray\n--\n\n"
     "copy=True: a new array. copy=False: the memory itself, where the host reaches it, else BufferError. copy=None: shared\n"
     "where it can be. bfloat16 comes as its bits, uint16."},
    {"write", moho_python_write_array, METH_O, "write(array): copy an array of this shape and dtype into the Buffer."},
    {"reshape", reshape, METH_VARARGS, "reshape(*shape) -> Buffer: a view of the same elements in the same order."},
    {"view", view_as, METH_O, "view(dtype) -> Buffer: the same bits as another dtype of as many bytes."},
    {"__dlpack__", FUNCTION(moho_python_dlpack), METH_VARARGS | METH_KEYWORDS,
     "__dlpack__(*, stream=None, max_version=None, dl_device=None, copy=None): the memory as a DLPack tensor, without a copy.\n\n"
     "Nothing runs on it any more when this returns, so that any stream may use it."},
    {"__dlpack_device__", moho_python_dlpack_device, METH_NOARGS, "__dlpack_device__() -> (type, number) of DLPack."},
    {0}};

static PyType_Slot slots[] = {
    {Py_tp_doc,
     "An array in a device's memory: shape, dtype, strides.\n\n"
     "Made by Buffer.from_numpy(), Buffer.allocate(), Executor.allocate(), from_dlpack() and by operations (moho.ops). Seen\n"
     "by numpy without a copy where the host reaches it (numpy.asarray(buffer)), by CuPy, PyTorch and JAX on the same\n"
     "device through DLPack. Indices and slices with steps >= 1, reshape(), T and view() are views of the same memory."},
    {Py_tp_dealloc, (void *)buffer_free},
    {Py_tp_repr, (void *)repr},
    {Py_tp_methods, methods},
    {Py_tp_getset, getters},
    {Py_mp_subscript, (void *)subscript},
    {Py_mp_length, (void *)length_of},
    {Py_bf_getbuffer, (void *)moho_python_get_buffer},
    {0}};

static PyType_Spec spec = {.name = "moho._moho.Buffer",
                           .basicsize = sizeof(moho_python_buffer),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

static PyObject *from_dlpack(PyObject *module, PyObject *arguments, PyObject *words) {
  static char *names[] = {"array", "device", "copy", NULL};
  PyObject *array, *device = Py_None, *copy = Py_None;
  (void)module;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "O|OO:from_dlpack", names, &array, &device, &copy)) return NULL;
  int how = moho_python_copy_word(copy);
  if (how < -1) return NULL;
  PyObject *on = device == Py_None ? NULL : moho_python_device(device, "device", NULL);
  if (device != Py_None && !on) return NULL;
  PyObject *made = moho_python_from_dlpack(array, on, how);
  Py_XDECREF(on);
  return made;
}

static PyMethodDef functions[] = {
    {"from_dlpack", FUNCTION(from_dlpack), METH_VARARGS | METH_KEYWORDS,
     "from_dlpack(array, device=None, copy=None) -> Buffer\n--\n\n"
     "The memory of an array that speaks DLPack (CuPy, PyTorch, JAX, numpy), without a copy, on the device where it is.\n\n"
     "What its library handed to its current stream is waited for. Later work of that library on the array must be waited for\n"
     "by its user before the next call of Moho's, or the array be handed over again. copy=False: never a copy (ValueError with\n"
     "the reason); True: always; None: where device names another one."},
    {0}};

int moho_python_add_buffer(PyObject *module) {
  if (PyModule_AddFunctions(module, functions)) return -1;
  return moho_python_add_type(module, &spec, MOHO_PYTHON_BUFFER);
}
