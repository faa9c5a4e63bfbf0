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
} traces_summary;

void traces_summarise(const moho_geometry *geometry, traces_summary *out);

/* With what was measured: grid, fold, samples, warnings (moho/quality.h). */
void traces_print_text(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s,
                       const moho_survey_quality *q);
/* 0, or -1 when out of memory. */
int traces_print_json(FILE *out, const char *path, const moho_traces_info *info, const traces_summary *s,
                      const moho_survey_quality *q);

/* ---- info_quality.c ---- */

void findings_print(FILE *out, const moho_findings *findings);
void spectrum_print(FILE *out, const moho_spectrum *spectrum);
/* What was seen in the samples, and what follows for imaging. */
void survey_quality_print(FILE *out, const moho_survey_quality *q);

#endif
