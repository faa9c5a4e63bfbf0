/* work.h - long calls: without the GIL, with progress, stopped by Ctrl-C.
 *
 *   moho_python_work work;
 *   if (moho_python_work_begin(&work, callback)) return NULL;       from here on no Python
 *   status = moho_migration_wait(migration, moho_python_work_step, &work);
 *   moho_python_work_end(&work);                                    the GIL is back
 *   if (status) return moho_python_raise(status);                   KeyboardInterrupt, the callback's own, or the status's
 */
#ifndef MOHO_PYTHON_WORK_H
#define MOHO_PYTHON_WORK_H

#include "python.h"

typedef struct moho_python_work {
  PyObject *callback; /* BORROW; NULL: none */
  PyThreadState *saved;
  unsigned long thread;
  double next_s;     /* when Python is looked at again */
  const char *stage; /* that was told last */
  int is_stopped;
} moho_python_work;

/* callback: called as callback(stage, unit, done, total, seconds) some twenty times a second; what returns False, or raises,
 * stops the work. Py_None: none. 0, or -1 with TypeError. */
int moho_python_work_begin(moho_python_work *work, PyObject *callback);
/* A moho_progress_function; user is the work. */
int moho_python_work_step(void *work, const moho_progress *progress);
void moho_python_work_end(moho_python_work *work);

#endif
