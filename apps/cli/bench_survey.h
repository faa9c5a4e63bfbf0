/* bench_survey.h - the survey of a bench dataset, generated once a call, and the double reference on some of its columns. */
#ifndef MOHO_CLI_BENCH_SURVEY_H
#define MOHO_CLI_BENCH_SURVEY_H

#include "image_check.h"

typedef struct bench_survey {
  char dataset[64], velocity_word[64]; /* "": none yet */
  moho_synth_options options;
  moho_geometry geometry; /* of all traces */
  moho_grid grid;
  moho_velocity *velocity;
  moho_eta *eta; /* of the vti laws; NULL until one is asked for */
  float *all;    /* [traces, samples]; NULL: too large to keep, generated batch by batch */
  double generate_seconds;
} bench_survey;

/* Columns of the image in double precision, for one set of options. */
typedef struct bench_reference {
  size_t side; /* side * side columns; 0: 8, of the tiny survey all */
  int is_made;
  moho_migration_options options;
  size_t *columns, n_columns; /* flat indices */
  double *image;              /* [n_columns, n_time] */
  int32_t *fold;
  double seconds;
} bench_reference;

/* The dataset's survey, migrated with velocity "constant" or "linear_z": kept from the call before where it is the same. The
 * reference of another survey or velocity goes. */
moho_status bench_survey_use(const char *dataset, const char *velocity, bench_survey *survey, bench_reference *reference);
/* Gives the options eta where their law needs it. */
moho_status bench_survey_eta(moho_migration_options *options, bench_survey *survey);
void bench_survey_release(bench_survey *survey);

/* Traces first .. first+count-1: kept ones, or made into the buffer [count, samples]. */
moho_status bench_survey_traces(const bench_survey *survey, size_t first, size_t count, float *buffer, const float **out);

/* The image of these options against the reference, on columns that lie evenly. */
moho_status bench_check_image(const bench_survey *survey, const moho_migration_options *options, const moho_image *image,
                              double tolerance, bench_reference *reference, image_check *out);
void bench_reference_release(bench_reference *reference);

double bench_seconds(void); /* of the wall clock */

#endif
