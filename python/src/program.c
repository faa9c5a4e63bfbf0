/* program.c - Program: from text, bytes or a file, and what it says of itself. */
#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "module.h"
#include "status.h"

/* ---- made and freed ---- */

/* TAKE. */
static PyObject *make(PyTypeObject *type, moho_program *program) {
  moho_python_program *made = (void *)((allocfunc)PyType_GetSlot(type, Py_tp_alloc))(type, 0);
  if (!made) {
    moho_program_destroy(&program);
    return NULL;
  }
  made->program = program;
  moho_status status = moho_program_describe(program, &made->report);
  if (!status) return (PyObject *)made;
  moho_python_raise(status);
  Py_DECREF(made);
  return NULL;
}

static PyObject *program_new(PyTypeObject *type, PyObject *arguments, PyObject *words) {
  static char *names[] = {"text", "file", NULL};
  const char *text, *file = NULL;
  moho_program *program = NULL;
  if (!PyArg_ParseTupleAndKeywords(arguments, words, "s|z:Program", names, &text, &file)) return NULL;
  moho_status status = moho_program_assemble(text, file, &program);
  return status ? moho_python_raise(status) : make(type, program);
}

static PyObject *from_bytes(PyObject *type, PyObject *data) {
  Py_buffer view;
  moho_program *program = NULL;
  if (PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)) return NULL;
  moho_status status = moho_program_decode(view.buf, (size_t)view.len, &program);
  PyBuffer_Release(&view);
  return status ? moho_python_raise(status) : make((PyTypeObject *)type, program);
}

static PyObject *load(PyObject *type, PyObject *path) {
  moho_program *program = NULL;
  PyObject *bytes = NULL;
  if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
  moho_status status = moho_program_load(PyBytes_AsString(bytes), &program);
  Py_DECREF(bytes);
  return status ? moho_python_raise(status) : make((PyTypeObject *)type, program);
}

static void program_free(PyObject *self) {
  moho_python_program *p = moho_python_program_of(self);
  for (size_t i = 0; i < p->n_executables; i++) {
    moho_program_executable_destroy(&p->executables[i].executable);
    Py_DECREF(p->executables[i].device);
  }
  free(p->executables);
  moho_program_destroy(&p->program);
  moho_python_free(self);
}

/* ---- executables ---- */

static moho_program_executable *find(const moho_python_program *program, const PyObject *device) {
  for (size_t i = 0; i < program->n_executables; i++)
    if (program->executables[i].device == device) return program->executables[i].executable;
  return NULL;
}

moho_program_executable *moho_python_executable_for(moho_python_program *program, PyObject *device, moho_device *on) {
  moho_program_executable *made = find(program, device);
  if (made) return made;
  moho_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = moho_program_prepare(program->program, on, &made);
  Py_END_ALLOW_THREADS;
  if (status) {
    moho_python_raise(status);
    return NULL;
  }
  moho_program_executable *other = find(program, device); /* another thread was quicker */
  moho_python_executable *more = other ? NULL : realloc(program->executables, (program->n_executables + 1) * sizeof *more);
  if (!more) {
    moho_program_executable_destroy(&made);
    return other ? other : (void *)PyErr_NoMemory();
  }
  program->executables = more;
  program->executables[program->n_executables++] = (moho_python_executable){Py_NewRef(device), made};
  return made;
}

/* ---- asking ---- */

static PyObject *text(PyObject *self, PyObject *unused) {
  (void)unused;
  char *words = NULL;
  moho_status status = moho_program_disassemble(moho_python_program_of(self)->program, &words);
  if (status) return moho_python_raise(status);
  PyObject *made = PyUnicode_FromString(words);
  free(words);
  return made;
}

static PyObject *to_bytes(PyObject *self, PyObject *unused) {
  (void)unused;
  void *data = NULL;
  size_t bytes = 0;
  moho_status status = moho_program_encode(moho_python_program_of(self)->program, &data, &bytes);
  if (status) return moho_python_raise(status);
  PyObject *made = PyBytes_FromStringAndSize(data, (Py_ssize_t)bytes);
  free(data);
  return made;
}

static PyObject *save(PyObject *self, PyObject *path) {
  PyObject *bytes = NULL;
  if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
  moho_status status = moho_program_save(moho_python_program_of(self)->program, PyBytes_AsString(bytes));
  Py_DECREF(bytes);
  if (status) return moho_python_raise(status);
  Py_RETURN_NONE;
}

static PyObject *instruction(PyObject *self, PyObject *number) {
  char words[256];
  int line = 0;
  Py_ssize_t i = PyNumber_AsSsize_t(number, PyExc_IndexError);
  if (i == -1 && PyErr_Occurred()) return NULL;
  moho_status status = moho_program_instruction(moho_python_program_of(self)->program, (size_t)i, words, sizeof words, &line);
  return status ? moho_python_raise(status) : Py_BuildValue("(si)", words, line);
}

static const char *numpy_name(moho_program_type type) {
  static const char *const names[MOHO_PROGRAM_TYPES] = {"int8",   "int16",  "int32",   "int64",    "uint8",   "uint16",
                                                        "uint32", "uint64", "float16", "bfloat16", "float32", "float64"};
  return names[type];
}

/* ((name, dtype, access), ...) of buffers, ((name, dtype), ...) of scalars. */
static PyObject *parameters(PyObject *self, void *closure) {
  static const char *const accesses[] = {"", "in", "out", "inout"};
  const moho_python_program *p = moho_python_program_of(self);
  int of_buffers = closure != NULL;
  size_t n = of_buffers ? p->report.buffers : p->report.scalars;
  PyObject *made = PyTuple_New((Py_ssize_t)n);
  for (size_t i = 0; made && i < n; i++) {
    moho_program_parameter one;
    moho_status status = of_buffers ? moho_program_buffer(p->program, i, &one) : moho_program_scalar(p->program, i, &one);
    PyObject *row = status       ? moho_python_raise(status)
                    : of_buffers ? Py_BuildValue("(sss)", one.name, numpy_name(one.type), accesses[one.access])
                                 : Py_BuildValue("(ss)", one.name, numpy_name(one.type));
    if (!row || PyTuple_SetItem(made, (Py_ssize_t)i, row)) Py_CLEAR(made);
  }
  return made;
}

static PyObject *report(PyObject *self, PyObject *unused) {
  (void)unused;
  const moho_program_report *r = &moho_python_program_of(self)->report;
  return Py_BuildValue("{ss,ss,sn,sn,sn,sn,sn,sn,sO}", "name", r->name, "hash", r->hash, "registers", (Py_ssize_t)r->registers,
                       "instructions", (Py_ssize_t)r->instructions, "instructions_inlined", (Py_ssize_t)r->instructions_whole,
                       "group_bytes", (Py_ssize_t)r->group_bytes, "group_bytes_per_lane", (Py_ssize_t)r->group_bytes_per_lane,
                       "pool_bytes", (Py_ssize_t)r->pool_bytes, "uses_group", r->uses_group ? Py_True : Py_False);
}

static PyMethodDef methods[] = {
    {"from_bytes", from_bytes, METH_O | METH_CLASS, "from_bytes(data) -> Program: of the binary form."},
    {"load", load, METH_O | METH_CLASS, "load(path) -> Program: a file of either form."},
    {"save", save, METH_O, "save(path): the binary form into a file."},
    {"to_bytes", to_bytes, METH_NOARGS, "to_bytes() -> bytes: the binary form."},
    {"text", text, METH_NOARGS, "text() -> str: assembling it gives the same program."},
    {"instruction", instruction, METH_O, "instruction(number) -> (str, line)"},
    {"report", report, METH_NOARGS, "report() -> dict: name, hash, sizes."},
    {"run", moho_python_program_run, METH_VARARGS, "run(buffers, scalars, groups, lanes, device) -> fault or None"},
    {0}};

static PyGetSetDef getters[] = {
    {"buffers", parameters, NULL, "tuple of (name, dtype, access): access is \"in\", \"out\" or \"inout\".", (void *)1},
    {"scalars", parameters, NULL, "tuple of (name, dtype).", NULL},
    {0}};

static PyType_Slot slots[] = {{Py_tp_doc, "A portable program; moho.Program is its face."},
                              {Py_tp_new, (void *)program_new},
                              {Py_tp_dealloc, (void *)program_free},
                              {Py_tp_methods, methods},
                              {Py_tp_getset, getters},
                              {0}};

static PyType_Spec spec = {.name = "moho._moho.Program",
                           .basicsize = sizeof(moho_python_program),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
                           .slots = slots};

int moho_python_add_program(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_PROGRAM);
}
