/* segy_writer.h - SEG-Y rev 1 (IEEE float, big endian) and SU (little endian) files, trace by trace.
 */
#ifndef MOHO_SURVEY_SEGY_WRITER_H
#define MOHO_SURVEY_SEGY_WRITER_H

#include "moho/traces.h"

typedef struct moho_segy_writer moho_segy_writer;

typedef struct moho_segy_writer_options {
  int su;                          /* no file headers, ns and dt in the trace headers only */
  int stacked;                     /* an image: sorting code 4, CDP numbers count on */
  size_t ensemble;                 /* traces a gather of an image; 0: an image's stack or field traces, one by one */
  const int32_t *ensemble_offsets; /* [ensemble] what the offset header says; NULL: |source - receiver| */
  size_t n_traces;                 /* 0: not known */
  size_t n_samples;
  double dt_s;
  int coordinate_divisor;  /* 0: as fine as the first traces' coordinates allow */
  const char *description; /* lines of the textual header; NULL: none */
} moho_segy_writer_options;

/* MOHO_ERROR_RANGE: what 2 bytes cannot hold (ns > 65535, dt no whole number of microseconds). */
moho_status moho_segy_writer_create(const char *path, const moho_segy_writer_options *options, moho_segy_writer **out);
/* MOHO_ERROR_RANGE: a coordinate or time that the headers cannot hold; names the trace. */
moho_status moho_segy_writer_append(moho_segy_writer *writer, const moho_geometry *geometry, const float *traces);
/* The writer is destroyed, also on failure. MOHO_ERROR_ARGUMENT when fewer traces came than were announced. */
moho_status moho_segy_writer_finish(moho_segy_writer **writer);
void moho_segy_writer_discard(moho_segy_writer **writer);

#endif
