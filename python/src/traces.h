/* traces.h - traces and their geometry as Python's objects. */
#ifndef MOHO_PYTHON_TRACES_H
#define MOHO_PYTHON_TRACES_H

#include "python.h"

/* An open trace file; TAKE, also on failure. */
PyObject *moho_python_traces_object(moho_traces *traces);
/* A dict of Blocks [trace], copies: the columns that geometry.c takes. */
PyObject *moho_python_geometry_columns(const moho_geometry *geometry);

#endif
