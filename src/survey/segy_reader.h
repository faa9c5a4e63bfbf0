/* segy_reader.h - an open SEG-Y or SU file: layout, headers scanned, samples read by any thread.
 */
#ifndef MOHO_SURVEY_SEGY_READER_H
#define MOHO_SURVEY_SEGY_READER_H

#include "survey/anomalies.h"
#include "survey/header_columns.h"
#include "survey/statics.h"

typedef struct moho_segy_reader moho_segy_reader;

/* Opens and scans; fills `info` but its anomalies, `geometry` (created), the columns asked for and `statics` (begun here, to be
 * released). The reader borrows path. */
moho_status moho_segy_reader_open(const char *path, const moho_traces_options *options, moho_anomalies *anomalies,
                                  moho_header_columns *columns, moho_statics_scan *statics, moho_traces_info *info,
                                  moho_geometry *geometry, moho_segy_reader **out);
void moho_segy_reader_close(moho_segy_reader **reader);
/* Bytes of scratch that reading n traces takes. */
size_t moho_segy_reader_trace_bytes(const moho_segy_reader *reader);
moho_status moho_segy_reader_read(const moho_segy_reader *reader, size_t first, size_t n, uint8_t *scratch, float *out);
moho_status moho_segy_reader_header(const moho_segy_reader *reader, const char *name, size_t first, size_t n, double *out);

#endif
