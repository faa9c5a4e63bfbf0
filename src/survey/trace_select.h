/* trace_select.h - which traces of a file take part: by offset, azimuth, offset vector and a condition on headers.
 *
 * Decided after the headers are scanned and positions are known, before anything else sees the traces.
 */
#ifndef MOHO_SURVEY_TRACE_SELECT_H
#define MOHO_SURVEY_TRACE_SELECT_H

#include "moho/traces.h"
#include "survey/header_columns.h"
#include "survey/where.h"

/* Names of conditions: trace headers, and the quantities of moho_geometry in metres and seconds. */
extern const moho_where_vocabulary moho_trace_vocabulary;

typedef struct moho_trace_selector {
  const moho_selection *selection;
  moho_where *where; /* NULL: no condition */
} moho_trace_selector;

/* Checks the ranges and parses the condition. */
moho_status moho_trace_selector_create(const moho_selection *selection, moho_trace_selector *out);
void moho_trace_selector_release(moho_trace_selector *selector);
/* The headers that its condition reads; before the scan. */
moho_status moho_trace_selector_want(const moho_trace_selector *selector, moho_header_columns *columns);

/* The numbers (from 0, ascending) of the traces that are taken into *taken (counts->selected of them; malloc).
 * columns: NULL where the file has no headers of that kind (Zarr). MOHO_ERROR_RANGE when none is taken. */
moho_status moho_trace_selector_run(const moho_trace_selector *selector, const char *path, const moho_geometry *geometry,
                                    const moho_header_columns *columns, moho_selection_counts *counts, size_t **taken);

#endif
