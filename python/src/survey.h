/* survey.h - where traces were recorded, where the image is, how fast waves are: objects made once, used by many calls. They do
 * not change after they were made; threads may share them. */
#ifndef MOHO_PYTHON_SURVEY_H
#define MOHO_PYTHON_SURVEY_H

#include "python.h"

/* Each takes an object of its type: 0, or -1 with TypeError naming the argument. BORROW: as long as the object lives. */
int moho_python_job(PyObject *object, const moho_job **out);           /* job.c: _moho.Job */
int moho_python_grid(PyObject *object, const moho_grid **out);         /* grid.c: _moho.Grid */
int moho_python_geometry(PyObject *object, const moho_geometry **out); /* geometry.c: _moho.Geometry */
int moho_python_velocity(PyObject *object, const moho_velocity **out); /* velocity.c: _moho.Velocity */

/* New objects; TAKE, also on failure. */
PyObject *moho_python_grid_object(moho_grid *grid);
PyObject *moho_python_geometry_object(moho_geometry *geometry);
PyObject *moho_python_velocity_object(moho_velocity *velocity);

#endif
