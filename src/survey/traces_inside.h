/* traces_inside.h - what the trace store needs of open traces beside include/moho/traces.h.
 */
#ifndef MOHO_SURVEY_TRACES_INSIDE_H
#define MOHO_SURVEY_TRACES_INSIDE_H

#include "base/file_state.h"
#include "moho/traces.h"

const char *moho_traces_path(const moho_traces *traces); /* BORROW */
/* Of the file, before its headers were read. */
moho_file_state moho_traces_state_at_open(const moho_traces *traces);

/* Flags that an earlier reading of a trace found (MOHO_TRACE_DEAD: all zero, MOHO_TRACE_BAD: set to zero), as if it were read. */
void moho_traces_found(moho_traces *traces, size_t trace, uint8_t flags);

#endif
