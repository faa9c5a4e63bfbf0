/* store_survey.h - surveys for the tests of the trace store: as skewed as a test wants them, every sample known.
 */
#ifndef MOHO_TESTS_STORE_SURVEY_H
#define MOHO_TESTS_STORE_SURVEY_H

#include "segy_build.h"
#include "survey/trace_store.h"

typedef enum {
  STORE_SPREAD,    /* midpoints anywhere in 8 km x 6 km about (-2000, 1000) */
  STORE_SKEWED,    /* nine of ten in one place of 40 m, the others anywhere, one 3000 km away */
  STORE_ONE_PLACE, /* all the same midpoint */
  STORE_LINE       /* along x, in order */
} store_layout;

typedef struct store_survey {
  store_layout layout;
  size_t n_traces;
  unsigned ns;
  int flawed; /* 1: every 11th dead by its header, every 13th all zero, every 17th without position, every 19th not seismic,
               * every 23rd a copy of the trace before */
  uint64_t seed;
} store_survey;

/* Sample j of trace k is a number that no other trace has there. Saved under `name`; the path. */
const char *store_survey_save(const store_survey *survey, const char *name);

/* A store of the file in <test_directory>/<place>; asserts that it can be had. memory 0: the default. */
moho_trace_store *store_open(moho_traces *traces, const char *place, size_t memory);
moho_traces *store_traces(const char *path);

/* The traces of a region (NULL: all) in batches are exactly those of `wanted` [n_traces] (NULL: every live one), in ascending
 * number, with the geometry and the bits that the file gives. */
void store_assert_traces(const moho_trace_store *store, moho_traces *traces, const moho_trace_region *region, const char *wanted,
                         size_t batch);
/* How many entries a directory has. */
size_t store_count_files(const char *directory);

#endif
