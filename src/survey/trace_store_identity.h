/* trace_store_identity.h - what a store is of, as a hash: file, selected geometry, samples, words.
 */
#ifndef MOHO_SURVEY_TRACE_STORE_IDENTITY_H
#define MOHO_SURVEY_TRACE_STORE_IDENTITY_H

#include "survey/trace_store_file.h"

/* Fills identity, source and state of `meta`; reads a few dozen traces. */
moho_status moho_store_identify(const moho_trace_source *source, moho_store_meta *meta);

#endif
