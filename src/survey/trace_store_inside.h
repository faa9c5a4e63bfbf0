/* trace_store_inside.h - an open trace store as its own files see it.
 */
#ifndef MOHO_SURVEY_TRACE_STORE_INSIDE_H
#define MOHO_SURVEY_TRACE_STORE_INSIDE_H

#include "survey/trace_store_file.h"

struct moho_trace_store {
  char *path, *samples_path;
  moho_store_meta meta;
  moho_store_map map;
  int file; /* samples.bin */
  moho_trace_store_info info;
};

#endif
