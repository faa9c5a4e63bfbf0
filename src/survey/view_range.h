/* view_range.h - which values get the ends of the colour scale. */
#ifndef MOHO_SURVEY_VIEW_RANGE_H
#define MOHO_SURVEY_VIEW_RANGE_H

#include "moho/view.h"
#include "survey/view_resample.h"

typedef struct moho_view_range {
  double low, high; /* low < high always */
  int any;          /* 0: no finite value at all */
  int whole;        /* 1: every value is a whole number */
} moho_view_range;

/* symmetric: -clip .. clip with the percentile of |value| (of four million samples at most, evenly taken); else min .. max. */
moho_status moho_view_find_range(const moho_view_data *data, const moho_view_options *options, moho_view_range *out);

#endif
