/* data_frequencies.h - the highest frequency of the traces as a function of record time. */
#ifndef MOHO_JOB_DATA_FREQUENCIES_H
#define MOHO_JOB_DATA_FREQUENCIES_H

#include "job/run_inputs.h"

/* The highest frequency whose amplitude, over a sample of the traces in windows of 0.4 s, is above 1/20 of the window's largest,
 * at times first_s + k*step_s, k < n: the largest of all windows that end later, since what an image time gathers was recorded at
 * that time or after. */
moho_status moho_data_frequencies(const moho_run_inputs *inputs, double first_s, double step_s, size_t n, double *f_max_hz);

#endif
