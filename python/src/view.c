/* view.c - _moho.write_png: a section, a slice or a panel of an array as a picture, with axes, units and a colour bar. */
#include <string.h>

#include "arrays.h"
#include "module.h"
#include "status.h"

enum { MOST_LINES = 16 };

typedef struct picture {
  moho_python_array data;
  moho_view_options options;
  moho_view_line lines[MOST_LINES];
  moho_python_array across[MOST_LINES], down[MOST_LINES];
} picture;

static void release(picture *p) {
  moho_python_array_release(&p->data);
  for (int i = 0; i < MOST_LINES; i++) moho_python_array_release(&p->across[i]), moho_python_array_release(&p->down[i]);
}

/* (across, down, red, green, blue, dots) */
static int take_line(picture *p, PyObject *tuple, int i) {
  PyObject *across, *down;
  Py_ssize_t n = -1;
  moho_view_line *line = &p->lines[i];
  if (!PyArg_ParseTuple(tuple, "OObbbp:line", &across, &down, &line->red, &line->green, &line->blue, &line->dots) ||
      moho_python_array_get(across, "lines: across", MOHO_PYTHON_FLOAT64, 1, &n, MOHO_PYTHON_READ, &p->across[i]))
    return -1;
  n = (Py_ssize_t)p->across[i].n;
  if (moho_python_array_get(down, "lines: down", MOHO_PYTHON_FLOAT64, 1, &n, MOHO_PYTHON_READ, &p->down[i])) return -1;
  line->n = (size_t)n, line->across = p->across[i].data, line->down = p->down[i].data;
  return 0;
}

static int take_lines(picture *p, PyObject *list) {
  Py_ssize_t n = PyList_Size(list);
  if (n < 0) return -1;
  if (n > MOST_LINES) {
    PyErr_Format(PyExc_ValueError, "lines: %zd, expected at most %d", n, MOST_LINES);
    return -1;
  }
  for (Py_ssize_t i = 0; i < n; i++)
    if (take_line(p, PyList_GetItem(list, i), (int)i)) return -1;
  p->options.lines = p->lines, p->options.n_lines = (size_t)n;
  return 0;
}

/* write_png(path, data [across, down], colours, symmetric, wiggles, clip_percentile, clip_value, width, height, title, subtitle,
 * value_label, (label, unit, first, step) across, the same down, lines) */
static PyObject *write_png(PyObject *module, PyObject *args) {
  const char *path;
  PyObject *data, *lines;
  int colours;
  moho_status status = MOHO_OK;
  picture p = {.options = moho_view_options_default()};
  moho_view_options *o = &p.options;
  (void)module;
  if (!PyArg_ParseTuple(args, "sOippddiizzz(ssdd)(ssdd)O:write_png", &path, &data, &colours, &o->symmetric, &o->wiggles,
                        &o->clip_percentile, &o->clip_value, &o->width, &o->height, &o->title, &o->subtitle, &o->value_label,
                        &o->across.label, &o->across.unit, &o->across.first, &o->across.step, &o->down.label, &o->down.unit,
                        &o->down.first, &o->down.step, &lines))
    return NULL;
  o->colours = (moho_view_colours)colours;
  int bad = moho_python_array_get(data, "data", MOHO_PYTHON_FLOAT32, 2, NULL, MOHO_PYTHON_READ, &p.data) || take_lines(&p, lines);
  if (!bad) {
    size_t n_across = (size_t)p.data.view.shape[0], n_down = (size_t)p.data.view.shape[1];
    Py_BEGIN_ALLOW_THREADS;
    status = moho_view_write_png(path, p.data.data, n_across, n_down, n_down, 1, o);
    Py_END_ALLOW_THREADS;
  }
  if (status) moho_python_raise(status);
  release(&p);
  return bad || status ? NULL : Py_NewRef(Py_None);
}

static PyMethodDef functions[] = {{"write_png", write_png, METH_VARARGS, "write_png(path, data, ...): moho.write_png()."}, {0}};

int moho_python_add_view(PyObject *module) {
  return PyModule_AddFunctions(module, functions);
}
