/* quality_draw.h - what the pictures of surveys, velocities and images share. */
#ifndef MOHO_SURVEY_QUALITY_DRAW_H
#define MOHO_SURVEY_QUALITY_DRAW_H

#include "moho/quality.h"

/* "<directory>/<name>", malloc'ed. */
moho_status moho_quality_path(const char *directory, const char *name, char **path);
/* Up to four spectra in one graph; the band of the first is shaded. */
moho_status moho_spectrum_draw(const moho_spectrum *const *spectra, const char *const *labels, size_t n, const char *title,
                               const char *path);

/* bins.csv of a survey that has a fold map. */
moho_status moho_quality_write_table(const moho_survey_quality *q, const char *path);

#endif
