/* module.c - moho._moho: made by multi-phase initialisation, a state an interpreter. */
#include "module.h"

#include "status.h"

static const char *const type_names[MOHO_PYTHON_N_TYPES] = {
#define MOHO_PYTHON_NAME(type) [MOHO_PYTHON_##type] = #type,
    MOHO_PYTHON_TYPES(MOHO_PYTHON_NAME)
#undef MOHO_PYTHON_NAME
};

/* ---- state ---- */

moho_python_state *moho_python_state_of(PyObject *module) {
  return PyModule_GetState(module);
}

moho_python_state *moho_python_state_here(void) {
  PyObject *name = PyUnicode_InternFromString("moho._moho"), *module = name ? PyImport_GetModule(name) : NULL;
  Py_XDECREF(name);
  if (!module) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_ImportError, "moho._moho is not imported");
    return NULL;
  }
  moho_python_state *state = moho_python_state_of(module);
  Py_DECREF(module); /* sys.modules holds it, or the object whose method this is */
  return state;
}

static int traverse(PyObject *module, visitproc visit, void *arg) {
  moho_python_state *state = moho_python_state_of(module);
  for (int i = 0; i < MOHO_PYTHON_N_TYPES; i++) Py_VISIT(state->types[i]);
  return 0;
}

static int clear(PyObject *module) {
  moho_python_state *state = moho_python_state_of(module);
  for (int i = 0; i < MOHO_PYTHON_N_TYPES; i++) Py_CLEAR(state->types[i]);
  return 0;
}

static void release(void *module) {
  clear(module);
}

/* ---- types ---- */

int moho_python_add_type(PyObject *module, PyType_Spec *spec, moho_python_type type) {
  PyObject *made = PyType_FromModuleAndSpec(module, spec, NULL);
  if (!made) return -1;
  moho_python_state_of(module)->types[type] = made;
  return PyModule_AddType(module, (PyTypeObject *)made);
}

void *moho_python_new(moho_python_type type) {
  moho_python_state *state = moho_python_state_here();
  if (!state) return NULL;
  PyTypeObject *of = (PyTypeObject *)state->types[type];
  return ((allocfunc)PyType_GetSlot(of, Py_tp_alloc))(of, 0);
}

void moho_python_free(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(object);
  Py_DECREF(type);
}

void *moho_python_cast(PyObject *object, moho_python_type type, const char *name) {
  moho_python_state *state = moho_python_state_here();
  if (!state) return NULL;
  if (PyObject_TypeCheck(object, (PyTypeObject *)state->types[type])) return object;
  PyObject *given = PyType_GetName(Py_TYPE(object)), *expected = PyType_GetName((PyTypeObject *)state->types[type]);
  if (given && expected) PyErr_Format(PyExc_TypeError, "%s: a %U, expected a %U", name, given, expected);
  Py_XDECREF(given), Py_XDECREF(expected);
  return NULL;
}

/* ---- module ---- */

static PyObject *version(PyObject *module, PyObject *unused) {
  (void)module, (void)unused;
  return PyUnicode_FromString(moho_version());
}

static PyMethodDef methods[] = {{"version", version, METH_NOARGS, "version() -> str: of the library."}, {0}};

static int execute(PyObject *module) {
#define MOHO_PYTHON_ADD(room) \
  if (moho_python_add_##room(module)) return -1;
  MOHO_PYTHON_ROOMS(MOHO_PYTHON_ADD)
#undef MOHO_PYTHON_ADD
  for (int i = 0; i < MOHO_PYTHON_N_TYPES; i++)
    if (!moho_python_state_of(module)->types[i]) {
      PyErr_Format(PyExc_SystemError, "moho._moho: no room made the type %s", type_names[i]);
      return -1;
    }
  return 0;
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)execute}, {0}};

static PyModuleDef definition = {.m_base = PyModuleDef_HEAD_INIT,
                                 .m_name = "moho._moho",
                                 .m_doc = "What the package moho calls of libmoho; use the package.",
                                 .m_size = sizeof(moho_python_state),
                                 .m_methods = methods,
                                 .m_slots = slots,
                                 .m_traverse = traverse,
                                 .m_clear = clear,
                                 .m_free = release};

PyMODINIT_FUNC PyInit__moho(void);
PyMODINIT_FUNC PyInit__moho(void) {
  return PyModuleDef_Init(&definition);
}
