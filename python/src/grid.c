/* grid.c - _moho.Grid: the lattice of an image. */
#include <stdlib.h>

#include "arrays.h"
#include "module.h"
#include "status.h"
#include "survey.h"

typedef struct grid_object {
  PyObject_HEAD moho_grid grid;
} grid_object;

int moho_python_grid(PyObject *object, const moho_grid **out) {
  grid_object *self = moho_python_cast(object, MOHO_PYTHON_GRID, "grid");
  if (!self) return -1;
  *out = &self->grid;
  return 0;
}

PyObject *moho_python_grid_object(moho_grid *grid) {
  grid_object *self = moho_python_new(MOHO_PYTHON_GRID);
  if (self) self->grid = *grid;
  else moho_grid_release(grid);
  return (PyObject *)self;
}

static void grid_free(PyObject *self) {
  moho_grid_release(&((grid_object *)self)->grid);
  moho_python_free(self);
}

static PyObject *grid_numbers(PyObject *self, PyObject *unused) {
  const moho_grid *g = &((grid_object *)self)->grid;
  (void)unused;
  return Py_BuildValue("{sdsdsdsOsisisisisnsnsdsdsdsdsnsO}", "origin_x_m", g->origin_x_m, "origin_y_m", g->origin_y_m,
                       "inline_azimuth_deg", g->inline_azimuth_deg, "flip", g->flip ? Py_True : Py_False, "inline_first",
                       g->inline_first, "inline_step", g->inline_step, "crossline_first", g->crossline_first, "crossline_step",
                       g->crossline_step, "n_inline", (Py_ssize_t)g->n_inline, "n_crossline", (Py_ssize_t)g->n_crossline,
                       "inline_spacing_m", g->inline_spacing_m, "crossline_spacing_m", g->crossline_spacing_m, "first_s",
                       g->first_s, "step_s", g->step_s, "n_time", (Py_ssize_t)g->n_time, "crooked",
                       g->line_x_m ? Py_True : Py_False);
}

static PyObject *grid_positions(PyObject *self, PyObject *unused) {
  const moho_grid *g = &((grid_object *)self)->grid;
  const size_t shape[2] = {g->n_inline, g->n_crossline};
  double *x = malloc(shape[0] * shape[1] * sizeof *x), *y = malloc(shape[0] * shape[1] * sizeof *y);
  (void)unused;
  if (!x || !y) {
    free(x), free(y);
    return PyErr_NoMemory();
  }
  for (size_t i = 0; i < shape[0]; i++)
    for (size_t j = 0; j < shape[1]; j++) moho_grid_node(g, i, j, &x[i * shape[1] + j], &y[i * shape[1] + j]);
  PyObject *x_block = moho_python_block(x, MOHO_PYTHON_FLOAT64, 2, shape);
  PyObject *y_block = moho_python_block(y, MOHO_PYTHON_FLOAT64, 2, shape);
  return Py_BuildValue("NN", x_block, y_block);
}

static PyMethodDef methods[] = {
    {"numbers", grid_numbers, METH_NOARGS, "numbers() -> dict: origin, azimuth, counts, spacings, time axis."},
    {"positions", grid_positions, METH_NOARGS, "positions() -> (x, y): Blocks [inline, crossline] of metres."},
    {0}};
static PyType_Slot slots[] = {{Py_tp_doc, "The lattice of an image; Job.grid() makes it."},
                              {Py_tp_dealloc, (void *)grid_free},
                              {Py_tp_methods, methods},
                              {0}};
static PyType_Spec spec = {.name = "moho._moho.Grid",
                           .basicsize = sizeof(grid_object),
                           .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                           .slots = slots};

int moho_python_add_grid(PyObject *module) {
  return moho_python_add_type(module, &spec, MOHO_PYTHON_GRID);
}
