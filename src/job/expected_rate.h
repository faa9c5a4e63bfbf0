/* expected_rate.h - how fast a job will go, by round figures: for choices that must not cost time. */
#ifndef MOHO_JOB_EXPECTED_RATE_H
#define MOHO_JOB_EXPECTED_RATE_H

#include "job/run_inputs.h"

/* Contributions a second. On a GPU a fraction of a second is spent measuring its arithmetic. */
moho_status moho_expected_rate(const moho_run_inputs *inputs, double *rate);
/* That the contributions of one image take; at least, where they are too few to matter. */
moho_status moho_expected_seconds(const moho_run_inputs *inputs, double *seconds);

#endif
