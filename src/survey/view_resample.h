/* view_resample.h - data of any size onto the pixels of a plot. */
#ifndef MOHO_SURVEY_VIEW_RESAMPLE_H
#define MOHO_SURVEY_VIEW_RESAMPLE_H

#include "base/fail.h"

/* A plot's data: element (a, d) is data[a*stride_across + d*stride_down]; NaN and Inf mark what is missing. */
typedef struct moho_view_data {
  const float *values;
  size_t n_across, n_down, stride_across, stride_down;
} moho_view_data;

/* Samples are cells; the plot shows them all, edge to edge. Fewer pixels than samples: cells are averaged. More: smooth
 * (cubic, for waves) or crisp (nearest, for counts). out [height, width], NaN where nothing is known. */
moho_status moho_view_resample(const moho_view_data *data, int smooth, int width, int height, float *out);

#endif
