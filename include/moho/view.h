/* view.h - pictures for a report: a section, a time slice or a map as PNG, with axes, units, title and colour bar;
 * graphs with curves and bars.
 */
#ifndef MOHO_VIEW_H
#define MOHO_VIEW_H

#include "moho/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { MOHO_VIEW_GREY, MOHO_VIEW_RED_BLUE, MOHO_VIEW_SEQUENTIAL } moho_view_colours;

typedef struct moho_view_axis {
  const char *label;  /* "crossline", "time" */
  const char *unit;   /* "", "s", "m" */
  double first, step; /* value of sample 0, and between samples */
} moho_view_axis;

/* A line or dots over the picture, in values of its axes; NaN parts it. */
typedef struct moho_view_line {
  size_t n;
  const double *across, *down;
  unsigned char red, green, blue;
  int dots; /* 1: a dot at every point; 0: a line through them */
} moho_view_line;

typedef struct moho_view_options {
  int width, height;       /* pixels of the whole picture; 0: chosen from the data */
  const char *title;       /* NULL: none */
  const char *subtitle;    /* NULL: none */
  const char *value_label; /* beside the colour bar: "amplitude", "fold" */
  moho_view_colours colours;
  double clip_percentile; /* of |value|, symmetric; 99 */
  double clip_value;      /* > 0: that value in place of the percentile */
  int symmetric;          /* 1: -clip..clip (amplitudes); 0: min..max (fold) */
  int wiggles;            /* 1: wiggle traces over the colours, filled on the positive side */
  moho_view_axis across, down;
  const moho_view_line *lines; /* over the samples, the first one lowest */
  size_t n_lines;
} moho_view_options;

MOHO_API moho_view_options moho_view_options_default(void);

/**
 * Draw data [across, down] (down fastest, as [crossline, time] of a section) into a PNG.
 * A time slice passes [crossline or inline, ...] transposed by stride: element (a, d) is data[a*stride_across + d*stride_down].
 * NaN is drawn grey-blue. Written through a temporary name.
 */
MOHO_API moho_status moho_view_write_png(const char *path, const float *data, size_t n_across, size_t n_down,
                                         size_t stride_across, size_t stride_down, const moho_view_options *options);

/* ---- graphs ---- */

/* Values over an axis: a curve through (x, y), NaN parts it; or bars, as wide as x is apart. */
typedef struct moho_view_series {
  size_t n;
  const double *x, *y;
  unsigned char red, green, blue;
  int bars;
  const char *label; /* in the legend; NULL: not in it */
} moho_view_series;

typedef struct moho_view_graph {
  int width, height;            /* pixels; 1000 x 560 when 0 */
  const char *title, *subtitle; /* NULL: none */
  const char *x_label, *x_unit, *y_label, *y_unit;
  double x_low, x_high, y_low, y_high; /* equal: chosen from the data; y_high < y_low: downwards */
  double band_low, band_high;          /* a part of the x axis to shade; equal: none */
  const moho_view_series *series;
  size_t n_series;
} moho_view_graph;

/** Draw curves and bars over axes into a PNG. Written through a temporary name. */
MOHO_API moho_status moho_view_write_graph_png(const char *path, const moho_view_graph *graph);

#ifdef __cplusplus
}
#endif
#endif
