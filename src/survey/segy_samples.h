/* segy_samples.h - the samples of traces as float, from any of the formats read.
 */
#ifndef MOHO_SURVEY_SEGY_SAMPLES_H
#define MOHO_SURVEY_SEGY_SAMPLES_H

#include "survey/segy_layout.h"

/* What a trace's samples are like. */
typedef struct moho_sample_check {
  int all_zero;
  size_t first_bad; /* first NaN, Inf or beyond 1.3e30; SIZE_MAX: none */
} moho_sample_check;

moho_sample_check moho_sample_check_run(const float *samples, size_t n);

/* Traces [first, first+n) into out [n, n_samples]; thread safe, one thread, `scratch` of n*trace_bytes. */
moho_status moho_segy_samples_read(int file, const char *path, const moho_segy_layout *layout, size_t first, size_t n,
                                   uint8_t *scratch, float *out);

#endif
