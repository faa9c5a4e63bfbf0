/* info_traces.h - figures of a trace file, for moho info. */
#ifndef MOHO_CLI_INFO_TRACES_H
#define MOHO_CLI_INFO_TRACES_H

#include <stdio.h>

#include "moho/moho.h"

typedef struct value_range {
  double least, most;
  size_t count; /* values seen */
} value_range;

typedef struct traces_summary {
  size_t live, dead, not_seismic, no_position, muted;
  value_range source_x, source_y, receiver_x, receiver_y, midpoint_x, midpoint_y, offset, azimuth, first_s, cdp, inline_number,
      crossline_number;
  double usual_azimuth_deg; /* the middle of the fullest 5-degree class */
  int has_grid;
  moho_grid grid; /* suggested */
  char grid_note[400], grid_problem[700];
  size_t fold_least, fold_median, fold_most, bins_filled, bins;
} traces_summary;

/* 0, or -1 when out of memory. */
int traces_summarise(const moho_traces_info *info, const moho_geometry *geometry, traces_summary *out);
void traces_summary_release(traces_summary *summary);

void traces_print_text(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s);
/* 0, or -1 when out of memory. */
int traces_print_json(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s);

#endif
