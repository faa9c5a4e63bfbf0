/* run_gathers.h - what is done to the gathers of an image once the stack is made of them. */
#ifndef MOHO_JOB_RUN_GATHERS_H
#define MOHO_JOB_RUN_GATHERS_H

#include "job/run.h"

/* Inverse move-out and mute, as the job asks; of an image of a window of the run's grid. */
moho_status moho_run_finish_gathers(const moho_run *run, const moho_window *window, moho_image *image);

#endif
