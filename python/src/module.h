/* module.h - the extension module moho._moho: its rooms, its types, its state.
 *
 * The module holds what Python cannot do: objects of the library, buffers without copies, long calls without the GIL. Its
 * functions take arguments by position and check types and shapes; defaults, keyword arguments and words for people are the
 * package's (python/moho/). A room is one file that adds its functions and types; it may be used in any interpreter, several
 * times: nothing of it is static but tables.
 */
#ifndef MOHO_PYTHON_MODULE_H
#define MOHO_PYTHON_MODULE_H

#include "python.h"

/* The rooms, in the order that they are added: int moho_python_add_<room>(PyObject *module), -1 with an exception set. */
#define MOHO_PYTHON_ROOMS(X) \
  X(block)                   \
  X(device)                  \
  X(buffer)                  \
  X(operate)                 \
  X(product)                 \
  X(program)                 \
  X(job)                     \
  X(grid)                    \
  X(geometry)                \
  X(velocity)                \
  X(operator)                \
  X(view)                    \
  X(migrate)                 \
  X(synth)                   \
  X(traces)                  \
  X(tile)

#define MOHO_PYTHON_DECLARE(room) int moho_python_add_##room(PyObject *module);
MOHO_PYTHON_ROOMS(MOHO_PYTHON_DECLARE)
#undef MOHO_PYTHON_DECLARE

/* Types that are met again after they were made: as arguments, or to make objects of. */
#define MOHO_PYTHON_TYPES(X) \
  X(BLOCK)                   \
  X(DEVICE)                  \
  X(BUFFER)                  \
  X(PROGRAM)                 \
  X(JOB)                     \
  X(GRID)                    \
  X(GEOMETRY)                \
  X(VELOCITY)                \
  X(OPERATOR)                \
  X(TRACES)

typedef enum {
#define MOHO_PYTHON_ENUM(type) MOHO_PYTHON_##type,
  MOHO_PYTHON_TYPES(MOHO_PYTHON_ENUM)
#undef MOHO_PYTHON_ENUM
      MOHO_PYTHON_N_TYPES
} moho_python_type;

typedef struct moho_python_state {
  PyObject *types[MOHO_PYTHON_N_TYPES];
} moho_python_state;

/* Of the module, which is `self` of its functions. */
moho_python_state *moho_python_state_of(PyObject *module);
/* Of this interpreter's module, where none is at hand (slots of types). NULL with an exception set before it is imported. */
moho_python_state *moho_python_state_here(void);

/* Make the type, keep it in the state and show it in the module. 0, or -1 with an exception set. */
int moho_python_add_type(PyObject *module, PyType_Spec *spec, moho_python_type type);
/* A new object of a type, zeroed after its head. NULL with an exception set. */
void *moho_python_new(moho_python_type type);
/* What tp_dealloc ends with. */
void moho_python_free(PyObject *object);
/* The object, when it is of the type; else NULL and TypeError: "grid: a dict, expected a Grid". */
void *moho_python_cast(PyObject *object, moho_python_type type, const char *name);

#endif
