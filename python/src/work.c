/* work.c - progress and signals of a long call. Python is asked some twenty times a second: the GIL may be others'. */
#include "work.h"

#include <time.h>

static const double interval_s = 0.05;

static double seconds_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int moho_python_work_begin(moho_python_work *work, PyObject *callback) {
  *work = (moho_python_work){0};
  if (callback && callback != Py_None) {
    if (!PyCallable_Check(callback)) {
      PyErr_SetString(PyExc_TypeError, "progress: is not callable, expected a function");
      return -1;
    }
    work->callback = callback;
  }
  work->thread = PyThread_get_thread_ident();
  work->saved = PyEval_SaveThread();
  return 0;
}

void moho_python_work_end(moho_python_work *work) {
  if (work->saved) PyEval_RestoreThread(work->saved);
  work->saved = NULL;
}

/* 1 when the work is to stop. With the GIL. */
static int ask(const moho_python_work *work, const moho_progress *p) {
  if (PyErr_CheckSignals()) return 1;
  if (!work->callback) return 0;
  PyObject *answer = PyObject_CallFunction(work->callback, "ssddd", p->stage, p->unit, p->done, p->total, p->seconds);
  int stop = !answer || answer == Py_False;
  Py_XDECREF(answer);
  return stop;
}

int moho_python_work_step(void *user, const moho_progress *progress) {
  moho_python_work *work = user;
  if (work->is_stopped || PyThread_get_thread_ident() != work->thread) return work->is_stopped;
  double now = seconds_now();
  int is_last = progress->total > 0 && progress->done >= progress->total;
  if (now < work->next_s && progress->stage == work->stage && !is_last) return 0;
  work->stage = progress->stage;
  PyEval_RestoreThread(work->saved);
  work->is_stopped = ask(work, progress);
  work->saved = PyEval_SaveThread();
  work->next_s = seconds_now() + interval_s;
  return work->is_stopped;
}
