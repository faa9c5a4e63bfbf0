/* trace_store_build.h - a survey laid into the files of a store, in one pass over its samples.
 */
#ifndef MOHO_SURVEY_TRACE_STORE_BUILD_H
#define MOHO_SURVEY_TRACE_STORE_BUILD_H

#include "survey/trace_store_file.h"

/* How a build divides its memory. */
typedef struct moho_store_budget {
  size_t cells_wanted, cells_most;
  size_t batch_traces;
  size_t bytes; /* of all: cells, a batch, what threads hold */
} moho_store_budget;

/* MOHO_ERROR_TOO_LARGE: memory_bytes is too little; says how much is needed. */
moho_status moho_store_budget_make(const moho_trace_source *source, const moho_trace_store_options *options,
                                   moho_store_budget *out);

/* Write samples.bin, geometry.bin and meta.json into an empty directory; meta: identity, source and state are given. */
moho_status moho_store_build(const moho_trace_source *source, const moho_trace_store_options *options,
                             const moho_store_budget *budget, const char *directory, moho_store_meta *meta);

#endif
