/* quality_parts.h - the parts of moho_survey_measure, one a file. */
#ifndef MOHO_SURVEY_QUALITY_PARTS_H
#define MOHO_SURVEY_QUALITY_PARTS_H

#include <jansson.h>

#include "base/fail.h"
#include "moho/quality.h"

/* Beyond this many bins maps are left out: a grid that large comes from wrong coordinates, or is better looked at in parts. */
#define MOHO_QUALITY_MOST_BINS ((size_t)1 << 26)

/* The next finding, its text made from a format; drops it when the list is full. advice is a plain string. */
void moho_findings_add(moho_findings *findings, const char *name, double value, double limit, const char *advice,
                       const char *format, ...) __attribute__((format(printf, 6, 7)));
json_t *moho_findings_json(const moho_findings *findings);
json_t *moho_spectrum_json(const moho_spectrum *spectrum);
/* The object as malloc'ed text; takes the reference. */
moho_status moho_quality_text(json_t *root, char **text);

/* A spectrum trace by trace, as moho_spectrum_measure() makes it of all at once. out NULL: drop it. */
typedef struct moho_spectrum_sums moho_spectrum_sums;
moho_status moho_spectrum_begin(size_t n_samples, double dt_s, moho_spectrum_sums **out);
void moho_spectrum_add(moho_spectrum_sums *sums, const float *trace);
void moho_spectrum_end(moho_spectrum_sums **sums, moho_spectrum *out);

void moho_odd_traces_add(moho_odd_traces *odd, size_t trace);

/* n + 1 edges from 0 that hold `most`, with a round step, in at most `classes`. */
moho_histogram moho_histogram_from_zero(double most, size_t classes);
/* The class of a value; SIZE_MAX outside. */
size_t moho_histogram_class(const moho_histogram *histogram, double value);

/* Grid, fold, offsets, azimuths, holes (quality_geometry.c). */
moho_status moho_quality_geometry(const moho_geometry *geometry, const moho_traces_info *info,
                                  const moho_survey_quality_options *options, moho_survey_quality *out);
/* Midpoints far from all others (quality_stray.c). */
moho_status moho_quality_stray(const moho_geometry *geometry, moho_survey_quality *out);
/* Repeated pairs of source and receiver (quality_duplicates.c). */
moho_status moho_quality_duplicates(moho_traces *traces, size_t memory_bytes, moho_survey_quality *out);
/* Dead, weak, strong, spiky traces; spectrum; first arrivals (quality_samples.c). */
moho_status moho_quality_samples(moho_traces *traces, size_t sampled_traces, moho_survey_quality *out);
/* What one trace looks like by itself (quality_trace.c). */
typedef struct moho_trace_look {
  double rms;
  size_t bad;             /* NaN or Inf */
  int constant, spiky;    /* no signal: all samples the same; a single sample that stands out */
  double first_arrival_s; /* from sample 0; < 0: not clear */
} moho_trace_look;
moho_trace_look moho_trace_look_at(float *trace, size_t n, double dt_s); /* sets bad samples to 0 */
/* All findings of a survey (quality_warnings.c). */
void moho_quality_warn(const moho_traces_info *info, const moho_geometry *geometry, const moho_survey_quality_options *options,
                       moho_survey_quality *quality);

#endif
