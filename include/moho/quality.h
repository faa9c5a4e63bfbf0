/* quality.h - what is wrong with data, told before anybody waits for an image of them: surveys, velocities, images.
 *
 * Each measure_ function looks at one thing and returns figures, histograms, maps and findings. A finding is a warning with its
 * number, the number it is held against, and advice; what is in order is not mentioned. docs/quality.md defines every measure.
 *
 *   spatial aliasing   dx <= v/(4 f sin dip)            dips in reach   t0 <= min(T cos dip, 2A/(v tan dip))
 *
 * Geometry (fold, offsets, azimuths, duplicates) is exact over all traces, in O(n). Samples are looked at in runs of neighbouring
 * traces spread over the file: how many is in the results.
 */
#ifndef MOHO_QUALITY_H
#define MOHO_QUALITY_H

#include "moho/image.h"
#include "moho/velocity_functions.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- findings ---- */

typedef struct moho_finding {
  const char *name;    /* "spatial_aliasing" */
  double value, limit; /* what was measured, and what it is held against */
  char text[320];      /* what is wrong, with its number */
  char advice[280];    /* what to do */
} moho_finding;

enum { MOHO_FINDINGS = 24 };

typedef struct moho_findings {
  size_t n;
  moho_finding list[MOHO_FINDINGS];
} moho_findings;

/* ---- histograms, spectra ---- */

enum { MOHO_HISTOGRAM = 80, MOHO_SPECTRUM = 256 };

/* Class k holds values in [first + k*step, first + (k+1)*step). */
typedef struct moho_histogram {
  double first, step;
  size_t n;
  size_t count[MOHO_HISTOGRAM];
} moho_histogram;

/* Mean amplitude spectrum of traces, each scaled to the same energy; amplitude[k] at k*step_hz, the largest is 1. */
typedef struct moho_spectrum {
  size_t n, traces;
  double step_hz, amplitude[MOHO_SPECTRUM];
  double low_hz, high_hz, peak_hz; /* usable band: within 20 dB of the largest and 2 dB above the floor; 0 without signal */
  double floor;                    /* median amplitude of the highest tenth of the frequencies: white noise, or aliased signal */
} moho_spectrum;

/** Spectrum of samples [n_traces, n_samples]; NaN counts as 0. O(n_traces n_samples log n_samples). */
MOHO_API moho_status moho_spectrum_measure(const float *samples, size_t n_traces, size_t n_samples, double dt_s,
                                           moho_spectrum *out);

/* ---- surveys ---- */

typedef struct moho_survey_quality_options {
  const moho_grid *grid; /* NULL: one is suggested. BORROW */
  double velocity_mps;   /* for aliasing and reach; 0: neither is looked at */
  double dip_deg;        /* steepest dip that is to be imaged */
  double aperture_m;     /* 0: half of the survey's longest side */
  int is_coarse_known;   /* 1: the caller tells of aliasing itself */
  size_t memory_bytes;   /* for the search for duplicates; with less only some places are looked at */
  size_t sampled_traces; /* whose samples are read; SIZE_MAX: all; 0: none */
} moho_survey_quality_options;

/** 2000 m/s, 45 degrees, 2048 traces, 2 GiB. */
MOHO_API moho_survey_quality_options moho_survey_quality_options_default(void);

enum { MOHO_QUALITY_EXAMPLES = 12 };

/* Traces with something in common: how many, and the first of them (0-based, of the traces that are selected). */
typedef struct moho_odd_traces {
  size_t count, first[MOHO_QUALITY_EXAMPLES];
} moho_odd_traces;

typedef struct moho_survey_quality {
  size_t n_traces, n_live;
  /* The grid, and what lies in it. */
  int has_grid, is_suggested;
  moho_grid grid;
  char grid_note[700];   /* how it was found, or why there is none */
  moho_odd_traces stray; /* midpoints farther than stray_m from the middle: ten times as far as 95 % of them */
  double stray_m;
  size_t n_outside; /* live traces beyond half a bin from the outermost nodes */
  size_t bins, bins_filled;
  size_t holes; /* empty bins between filled ones along both axes */
  size_t thin;  /* bins with a quarter of the median fold at most, between ones with half of it along both axes */
  size_t fold_least, fold_median, fold_most; /* of filled bins */
  uint32_t *fold;                            /* [n_inline, n_crossline]; NULL: too many bins, or no grid */
  float *offset_least_m, *offset_most_m;     /* the same; NaN where empty */
  float *azimuth_deg;                        /* the same; the usual direction modulo 180 */
  uint32_t *chart; /* [n_crossline, offset_histogram.n] of a line: traces by CDP and offset; else NULL */
  moho_histogram fold_histogram, offset_histogram, azimuth_histogram; /* of bins; of live traces; azimuths from -5 by 10 */
  /* Live traces with the source and the receiver of an earlier one, to a centimetre. */
  moho_odd_traces duplicates;
  size_t duplicates_one_in;                            /* 1: all places were looked at, else one in so many */
  size_t duplicate_of;                                 /* the trace that the first duplicate repeats */
  size_t duplicates_compared, duplicates_same_samples; /* pairs whose samples were looked at, and are equal */
  /* Samples. */
  size_t sampled;                                 /* live traces read */
  moho_odd_traces dead, bad, weak, strong, spiky; /* no signal; NaN or Inf; against neighbours; single samples that stand out */
  double level_limit;                             /* weak, strong: this many times the neighbours' r.m.s. */
  moho_spectrum spectrum;
  double first_arrival_mps; /* median of offset/first arrival; 0: not clear */
  /* What follows for imaging. */
  double alias_spacing_m;       /* v/(4 f sin dip); 0: not looked at */
  double reach_s, record_end_s; /* the latest image time at which the dip is in reach; 0: not looked at */
  moho_findings findings;
} moho_survey_quality;

/**
 * Measure a survey. Reads the samples of options->sampled_traces live traces; open the traces with bad_samples zero to have NaN
 * counted rather than refused.
 * @return MOHO_OK; MOHO_ERROR_MEMORY, and whatever reading gives
 * Cost: up to 32 bytes a trace and 24 a bin of memory beside the geometry; seconds for millions of traces
 */
MOHO_API moho_status moho_survey_measure(moho_traces *traces, const moho_survey_quality_options *options,
                                         moho_survey_quality *out);
MOHO_API void moho_survey_quality_release(moho_survey_quality *quality);
/** All of it but the maps as a JSON object; malloc'ed. */
MOHO_API moho_status moho_survey_quality_json(const moho_survey_quality *quality, char **text);
/** fold.png, offset_least.png, offset_most.png, azimuth.png (of a line: fold.png, stacking_chart.png), fold_histogram.png,
 *  offset_histogram.png, azimuth_histogram.png, spectrum.png: those that there are data for, into a directory that is made; and
 *  bins.csv, a line for every filled bin (of up to four million). */
MOHO_API moho_status moho_survey_quality_draw(const moho_survey_quality *quality, const char *directory);

/* ---- velocities ---- */

typedef struct moho_velocity_quality {
  moho_velocity_kind kind;
  size_t n_functions, n_knots;
  double v_least, v_most, first_s, last_s; /* of all knots; earliest last knot in `shortest_s` */
  double shortest_s;
  size_t inversions; /* knots slower than the one above */
  double worst_inversion_mps, inversion_time_s;
  size_t negative; /* knots where Dix gives v_int^2 <= 0 */
  size_t negative_function;
  double negative_time_s;
  double interval_least, interval_most; /* of the layers that have one */
  size_t jumps;                         /* neighbouring functions that differ by more than 10 % per kilometre, and 5 % */
  double worst_jump, jump_time_s, jump_distance_m; /* as a fraction of the slower */
  double x_least, x_most, y_least, y_most;         /* of the functions; all 0 where they have no places */
  int has_places;
  size_t grid_columns_outside; /* columns of the grid farther than a bin outside the rectangle of the functions */
  size_t grid_columns;         /* 0: no grid was given */
  moho_findings findings;
} moho_velocity_quality;

/** Measure functions against a grid (NULL: none), in O(knots + functions log functions). */
MOHO_API moho_status moho_velocity_measure(const moho_velocity_functions *functions, const moho_grid *grid,
                                           moho_velocity_quality *out);
MOHO_API moho_status moho_velocity_quality_json(const moho_velocity_quality *quality, char **text);
/** velocity.png: the functions beside each other (up to 400 of them), and functions.png: curves of up to 8. */
MOHO_API moho_status moho_velocity_functions_draw(const moho_velocity_functions *functions, const char *directory);

/* ---- images ---- */

typedef struct moho_image_quality {
  size_t n, n_nan, n_infinite, n_zero, n_columns, empty_columns; /* samples; columns with no sample but 0 and NaN */
  double least, most, mean, rms;
  double kurtosis; /* m4/m2^2: 3 of Gaussian noise, more the fewer samples hold the energy */
  double varimax;  /* mean over columns of n sum a^4/(sum a^2)^2: the same, blind to how loud a column is */
  double entropy;  /* -sum p ln p/ln n, p = a^2/sum a^2: 1 spread evenly, 0 in one sample */
  size_t fold_least, fold_median, fold_most; /* of columns' largest fold; 0 where there is none */
  int has_fold;
  moho_spectrum spectrum; /* of up to 1024 columns */
  moho_findings findings;
} moho_image_quality;

MOHO_API moho_status moho_image_measure(const moho_image *image, moho_image_quality *out);
/** The same figures, bit for bit, of an image.zarr of any size, read in pieces in about memory_bytes (0: 512 MiB, or a quarter of
 *  what is free) beside 4 bytes a column. @return what reading gives */
MOHO_API moho_status moho_image_measure_zarr(const char *path, size_t memory_bytes, moho_image_quality *out);
MOHO_API moho_status moho_image_quality_json(const moho_image_quality *quality, char **text);
/** stack.png, fold.png, spectrum.png. */
MOHO_API moho_status moho_image_quality_draw(const moho_image *image, const moho_image_quality *quality, const char *directory);
MOHO_API moho_status moho_image_quality_draw_zarr(const char *path, size_t memory_bytes, const moho_image_quality *quality,
                                                  const char *directory);

#ifdef __cplusplus
}
#endif
#endif
