/* job_grid.h - the grid that a job names, for records that are known. */
#ifndef MOHO_JOB_JOB_GRID_H
#define MOHO_JOB_JOB_GRID_H

#include "job/job.h"

typedef struct moho_job_records {
  const moho_geometry *geometry;
  size_t n_samples;
  double dt_s;
  int is_shifted; /* statics leave first samples anywhere between the steps of the image */
} moho_job_records;

/* The nodes alone, of a job that gives corners or an origin; else *out stays. */
moho_status moho_job_make_lattice(const moho_job *job, moho_grid *out);
/* Of a checked job. note: how an automatic grid was found. After an error *out must be released. */
moho_status moho_job_make_grid(const moho_job *job, const moho_job_records *records, moho_grid *out, char note[400]);

#endif
