/* trace_header_write.h - one trace's 240 header bytes from its geometry.
 */
#ifndef MOHO_SURVEY_TRACE_HEADER_WRITE_H
#define MOHO_SURVEY_TRACE_HEADER_WRITE_H

#include "base/fail.h"
#include "moho/traces.h"

typedef struct moho_trace_header_style {
  int su, stacked;
  size_t ensemble;                 /* traces a gather; 0: none */
  const int32_t *ensemble_offsets; /* [ensemble] or NULL */
  int coordinate_divisor;          /* 1, 10, 100, 1000, 10000: header = coordinate * divisor, scalar = -divisor */
  uint16_t n_samples, dt_us;
} moho_trace_header_style;

/* The divisor that keeps all coordinates of these traces exact, else the finest that leaves room for others twice as far. */
int moho_trace_header_divisor(const moho_geometry *geometry);
/* number: of the trace in the file, from 1. Big endian for SEG-Y, little for SU. MOHO_ERROR_RANGE names what does not fit. */
moho_status moho_trace_header_write(const moho_trace_header_style *style, const moho_geometry *geometry, size_t trace,
                                    uint64_t number, uint8_t header[240]);

#endif
