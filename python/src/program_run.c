/* program_run.c - a Program on Buffers and arrays: bound in place where they can be, else copied there and back. */
#include <stdio.h>
#include <string.h>

#include "buffer.h"
#include "device.h"
#include "module.h"
#include "program.h"
#include "status.h"

/* An argument while the program runs. */
typedef struct bound {
  PyObject *object; /* owned */
  Py_buffer view;
  int has_view;
  moho_buffer *made; /* for this run alone */
  PyObject *packed;  /* a contiguous copy; owned */
  int comes_back;    /* what `made` holds goes to the array */
  moho_program_binding binding;
  moho_program_memory memory; /* for the reference */
  uint64_t address, bytes;    /* for comparing */
} bound;

typedef struct launch {
  moho_python_program *program;
  moho_program_parameter parameters[MOHO_PROGRAM_BUFFERS];
  bound buffers[MOHO_PROGRAM_BUFFERS];
  moho_program_value scalars[MOHO_PROGRAM_SCALARS];
  size_t n_buffers, n_scalars;
  uint32_t groups[3], lanes[3];
  PyObject *device; /* NULL: the reference */
} launch;

static int fail(moho_status status) {
  moho_python_raise(status);
  return -1;
}

/* ---- buffers ---- */

static moho_python_dtype dtype_of(moho_program_type type) {
  static const moho_python_dtype dtypes[MOHO_PROGRAM_TYPES] = {MOHO_PYTHON_INT8,     MOHO_PYTHON_INT16,   MOHO_PYTHON_INT32,
                                                               MOHO_PYTHON_INT64,    MOHO_PYTHON_UINT8,   MOHO_PYTHON_UINT16,
                                                               MOHO_PYTHON_UINT32,   MOHO_PYTHON_UINT64,  MOHO_PYTHON_FLOAT16,
                                                               MOHO_PYTHON_BFLOAT16, MOHO_PYTHON_FLOAT32, MOHO_PYTHON_FLOAT64};
  return dtypes[type];
}

static int check_dtype(const moho_program_parameter *parameter, moho_python_dtype given) {
  moho_python_dtype expected = dtype_of(parameter->type);
  int is_bits = expected == MOHO_PYTHON_BFLOAT16 && given == MOHO_PYTHON_UINT16; /* numpy has no bfloat16 */
  if (given == expected || is_bits) return 0;
  PyErr_Format(PyExc_TypeError, "%s: %s, expected %s", parameter->name, moho_python_dtype_name(given),
               moho_python_dtype_name(expected));
  return -1;
}

static int bind_buffer(const launch *l, const moho_program_parameter *parameter, bound *b) {
  const moho_python_buffer *from = moho_python_buffer_of(b->object);
  moho_buffer_place place;
  if (check_dtype(parameter, from->dtype)) return -1;
  const char *why = NULL;
  if (!moho_python_buffer_is_contiguous(from)) why = "its elements do not lie together";
  else if (from->offset % 16) why = "it begins at no multiple of 16 bytes";
  else if (parameter->access != MOHO_PROGRAM_IN && from->is_read_only) why = "it is read-only, and the program writes it";
  if (moho_python_buffer_place(from, &place)) return -1;
  if (!l->device && !place.host) why = "the reference runs on the host, which does not reach it";
  if (why) {
    PyErr_Format(PyExc_ValueError, "%s: %s", parameter->name, why);
    return -1;
  }
  size_t n = moho_python_buffer_elements(from);
  b->binding = (moho_program_binding){from->buffer, from->offset, n};
  b->memory = (moho_program_memory){place.host ? (char *)place.host + from->offset : NULL, n};
  b->address = (place.device ? place.device : (uint64_t)(uintptr_t)place.host) + from->offset;
  b->bytes = n * moho_python_dtype_bytes(from->dtype);
  return 0;
}

/* Memory of the device for the time of the run; an output is filled too, since a program may leave elements as they were. */
static int bind_copy(const launch *l, const moho_program_parameter *parameter, bound *b) {
  size_t bytes = ((size_t)b->view.len + 15) / 16 * 16;
  const void *from = b->view.buf;
  if (!PyBuffer_IsContiguous(&b->view, 'C')) {
    Py_buffer packed;
    b->packed = moho_python_numpy_contiguous(b->object);
    if (!b->packed || PyObject_GetBuffer(b->packed, &packed, PyBUF_SIMPLE)) return -1;
    from = packed.buf;
    PyBuffer_Release(&packed); /* `packed` holds it */
  }
  moho_status status =
      moho_buffer_create(moho_python_device_of(l->device)->device, bytes ? bytes : 16, MOHO_MEMORY_DEVICE, &b->made);
  if (!status && b->view.len) {
    Py_BEGIN_ALLOW_THREADS;
    status = moho_buffer_write(b->made, 0, from, (size_t)b->view.len);
    Py_END_ALLOW_THREADS;
  }
  if (status) return fail(status);
  b->comes_back = parameter->access != MOHO_PROGRAM_IN && b->view.len;
  b->binding = (moho_program_binding){b->made, 0, (size_t)(b->view.len / b->view.itemsize)};
  return 0;
}

static int check_array(const moho_program_parameter *parameter, const bound *b) {
  int given = moho_python_dtype_of(b->view.format, b->view.itemsize);
  if (given < 0) {
    PyErr_Format(PyExc_TypeError, "%s: elements of format \"%s\", expected %s", parameter->name,
                 b->view.format ? b->view.format : "B", moho_python_dtype_name(dtype_of(parameter->type)));
    return -1;
  }
  if (check_dtype(parameter, (moho_python_dtype)given)) return -1;
  if (b->view.readonly && parameter->access != MOHO_PROGRAM_IN) {
    PyErr_Format(PyExc_ValueError, "%s: a read-only array, and the program writes it", parameter->name);
    return -1;
  }
  return 0;
}

static int bind_array(const launch *l, const moho_program_parameter *parameter, bound *b) {
  char reason[200];
  size_t offset = 0;
  if (PyObject_GetBuffer(b->object, &b->view, PyBUF_FORMAT | PyBUF_STRIDES)) return -1;
  b->has_view = 1;
  if (check_array(parameter, b)) return -1;
  int lies_together = PyBuffer_IsContiguous(&b->view, 'C');
  if (!l->device) {
    if (!lies_together || (uintptr_t)b->view.buf % (size_t)b->view.itemsize) {
      PyErr_Format(PyExc_ValueError, "%s: is not contiguous and aligned, which the reference needs", parameter->name);
      return -1;
    }
    b->memory = (moho_program_memory){b->view.buf, (size_t)(b->view.len / b->view.itemsize)};
  } else if (!lies_together || (uintptr_t)b->view.buf % 16) {
    return bind_copy(l, parameter, b);
  } else {
    int cannot = moho_python_lend(l->device, &b->view, &b->made, &offset, reason);
    if (cannot) return cannot < 0 ? -1 : bind_copy(l, parameter, b);
    b->binding = (moho_program_binding){b->made, offset, (size_t)(b->view.len / b->view.itemsize)};
  }
  b->address = (uint64_t)(uintptr_t)b->view.buf, b->bytes = (uint64_t)b->view.len;
  return 0;
}

static int bind(const launch *l, const moho_program_parameter *parameter, bound *b) {
  if (!moho_python_is_buffer(b->object) && !moho_python_is_host_array(b->object) &&
      PyObject_HasAttrString(b->object, "__dlpack__")) {
    PyObject *brought = moho_python_from_dlpack(b->object, l->device, parameter->access == MOHO_PROGRAM_IN ? -1 : 0);
    if (!brought) return -1;
    moho_python_replace(&b->object, brought);
  }
  if (moho_python_is_buffer(b->object)) return bind_buffer(l, parameter, b);
  if (PyObject_CheckBuffer(b->object)) return bind_array(l, parameter, b);
  PyObject *given = PyType_GetName(Py_TYPE(b->object));
  if (given)
    PyErr_Format(PyExc_TypeError, "%s: a %U, expected a numpy array, a Buffer or what speaks DLPack", parameter->name, given);
  Py_XDECREF(given);
  return -1;
}

/* What the program writes lies apart from all else: the library sees buffers, here they may share memory. */
static int check_apart(const launch *l) {
  for (size_t i = 0; i < l->n_buffers; i++)
    for (size_t k = 0; k < l->n_buffers; k++) {
      const bound *a = &l->buffers[i], *b = &l->buffers[k];
      if (i == k || l->parameters[i].access == MOHO_PROGRAM_IN || !a->address || !b->address) continue;
      if (a->address + a->bytes <= b->address || b->address + b->bytes <= a->address) continue;
      PyErr_Format(PyExc_ValueError, "%s: the program writes it, and it shares memory with %s", l->parameters[i].name,
                   l->parameters[k].name);
      return -1;
    }
  return 0;
}

/* ---- scalars and sizes ---- */

static int take_scalar(const moho_program_parameter *parameter, PyObject *number, moho_program_value *out) {
  char word = moho_program_type_name(parameter->type)[0]; /* i, u, f or b of bf16 */
  if (word == 'i') out->i = PyLong_AsLongLong(number);
  else if (word == 'u') out->u = PyLong_AsUnsignedLongLong(number);
  else out->f = PyFloat_AsDouble(number);
  if (!PyErr_Occurred()) return 0;
  if (PyErr_ExceptionMatches(PyExc_TypeError))
    PyErr_Format(PyExc_TypeError, "%s: %R, expected %s", parameter->name, number,
                 word == 'i' || word == 'u' ? "an int" : "a number");
  else if (PyErr_ExceptionMatches(PyExc_OverflowError))
    PyErr_Format(PyExc_ValueError, "%s: %R does not fit %s", parameter->name, number, moho_program_type_name(parameter->type));
  return -1;
}

static int take_scalars(launch *l, PyObject *numbers) {
  for (size_t i = 0; i < l->n_scalars; i++) {
    moho_program_parameter parameter;
    moho_status status = moho_program_scalar(l->program->program, i, &parameter);
    if (status) return fail(status);
    if (take_scalar(&parameter, PyTuple_GetItem(numbers, (Py_ssize_t)i), &l->scalars[i])) return -1;
  }
  return 0;
}

static int take_buffers(launch *l, PyObject *objects) {
  for (size_t i = 0; i < l->n_buffers; i++) {
    moho_status status = moho_program_buffer(l->program->program, i, &l->parameters[i]);
    if (status) return fail(status);
    l->buffers[i].object = Py_NewRef(PyTuple_GetItem(objects, (Py_ssize_t)i));
    if (bind(l, &l->parameters[i], &l->buffers[i])) return -1;
  }
  return check_apart(l);
}

/* ---- running ---- */

static moho_status run_on_device(const launch *l, moho_program_executable *executable, moho_program_fault *fault,
                                 moho_error *error) {
  moho_program_binding bindings[MOHO_PROGRAM_BUFFERS];
  moho_program_launch_options options = {
      .buffers = bindings, .n_buffers = l->n_buffers, .scalars = l->scalars, .n_scalars = l->n_scalars};
  for (size_t i = 0; i < l->n_buffers; i++) bindings[i] = l->buffers[i].binding;
  memcpy(options.groups, l->groups, sizeof options.groups);
  memcpy(options.lanes, l->lanes, sizeof options.lanes);
  moho_queue *queue;
  moho_program_run *run = NULL;
  moho_ticket ticket;
  moho_status status = moho_queue_create(moho_python_device_of(l->device)->device, &queue);
  *error = *moho_last_error();
  if (status) return status;
  status = moho_program_launch(executable, queue, &options, &run);
  if (!status) status = moho_queue_submit(queue, &ticket);
  if (!status) status = moho_program_wait(&run, -1, fault);
  *error = *moho_last_error();
  moho_queue_destroy(&queue);
  return status;
}

static moho_status run_reference(const launch *l, moho_program_fault *fault, moho_error *error) {
  moho_program_memory memory[MOHO_PROGRAM_BUFFERS];
  moho_program_reference_launch options = {
      .buffers = memory, .n_buffers = l->n_buffers, .scalars = l->scalars, .n_scalars = l->n_scalars};
  for (size_t i = 0; i < l->n_buffers; i++) memory[i] = l->buffers[i].memory;
  memcpy(options.groups, l->groups, sizeof options.groups);
  memcpy(options.lanes, l->lanes, sizeof options.lanes);
  moho_status status = moho_program_run_reference(l->program->program, &options, fault);
  *error = *moho_last_error();
  return status;
}

static int bring_back(bound *b) {
  moho_status status;
  Py_buffer packed = b->view;
  if (b->packed && PyObject_GetBuffer(b->packed, &packed, PyBUF_WRITABLE)) return -1;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_buffer_read(b->made, 0, packed.buf, (size_t)b->view.len);
  Py_END_ALLOW_THREADS;
  if (b->packed) PyBuffer_Release(&packed);
  if (status) return fail(status);
  return b->packed ? moho_python_numpy_copy(b->object, b->packed) : 0;
}

static int run(launch *l, moho_program_fault *fault) {
  moho_status status;
  moho_error error;
  moho_program_executable *executable = NULL;
  if (l->device) {
    executable = moho_python_executable_for(l->program, l->device, moho_python_device_of(l->device)->device);
    if (!executable) return -1;
  }
  Py_BEGIN_ALLOW_THREADS;
  status = executable ? run_on_device(l, executable, fault, &error) : run_reference(l, fault, &error);
  Py_END_ALLOW_THREADS;
  if (status) {
    moho_python_raise_error(&error);
    return -1;
  }
  for (size_t i = 0; i < l->n_buffers; i++)
    if (l->buffers[i].comes_back && bring_back(&l->buffers[i])) return -1;
  return 0;
}

static void release(launch *l) {
  for (size_t i = 0; i < l->n_buffers; i++) {
    bound *b = &l->buffers[i];
    if (b->made) moho_buffer_destroy(&b->made);
    if (b->has_view) PyBuffer_Release(&b->view);
    Py_XDECREF(b->packed);
    Py_XDECREF(b->object);
  }
  Py_XDECREF(l->device);
}

PyObject *moho_python_program_run(PyObject *self, PyObject *arguments) {
  static const char *const words[] = {
#define WORD(name, word, operands, types) [name] = word,
      MOHO_PROGRAM_OPERATION_TABLE(WORD)
#undef WORD
  };
  PyObject *buffers, *scalars, *device;
  launch l = {.program = moho_python_program_of(self)};
  moho_program_fault fault = {0};
  if (!PyArg_ParseTuple(arguments, "O!O!(III)(III)O:run", &PyTuple_Type, &buffers, &PyTuple_Type, &scalars, &l.groups[0],
                        &l.groups[1], &l.groups[2], &l.lanes[0], &l.lanes[1], &l.lanes[2], &device))
    return NULL;
  l.n_buffers = l.program->report.buffers, l.n_scalars = l.program->report.scalars;
  if ((size_t)PyTuple_Size(buffers) != l.n_buffers || (size_t)PyTuple_Size(scalars) != l.n_scalars) {
    PyErr_Format(PyExc_ValueError, "run: %zd buffers and %zd scalars, expected %zu and %zu", PyTuple_Size(buffers),
                 PyTuple_Size(scalars), l.n_buffers, l.n_scalars);
    return NULL;
  }
  int is_reference = PyUnicode_Check(device) && PyUnicode_CompareWithASCIIString(device, "reference") == 0;
  if (!is_reference && !(l.device = moho_python_device(device, "device", NULL))) return NULL;
  int failed = take_scalars(&l, scalars) || take_buffers(&l, buffers) || run(&l, &fault);
  release(&l);
  if (failed) return NULL;
  if (!fault.happened) Py_RETURN_NONE;
  return Py_BuildValue("(nKs)", (Py_ssize_t)fault.instruction, (unsigned long long)fault.id, words[fault.kind]);
}
