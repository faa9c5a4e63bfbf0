/* run_report.h - what a run was made of and what came of it, as JSON: report.json, the image's attributes, parts of explain. */
#ifndef MOHO_JOB_RUN_REPORT_H
#define MOHO_JOB_RUN_REPORT_H

#include <jansson.h>

#include "job/run_inputs.h"
#include "moho/quality.h"

/* Wall seconds of a run's stages. */
typedef struct moho_run_seconds {
  double open;    /* headers, grid, velocity, plan */
  double store;   /* of a run by blocks: its traces sorted on disk, or found there */
  double create;  /* tables, memory */
  double migrate; /* reading and migrating together */
  double read;    /* within it, in the reader's thread */
  double write;
  double total;
} moho_run_seconds;

/* New references. */
json_t *moho_report_software(void);
json_t *moho_report_device(const moho_run_inputs *inputs);
json_t *moho_report_input(const moho_job *job, const moho_run_inputs *inputs);
/* How many traces hold each criterion by itself, and all of them; null where none is given. */
json_t *moho_report_selection(const moho_run_inputs *inputs);
json_t *moho_report_grid(const moho_run_inputs *inputs);
json_t *moho_report_settled(const moho_run_inputs *inputs);

/* Attributes of image.zarr: software, job, input; statistics, of a finished image (NULL: none yet). malloc'ed text. */
moho_status moho_report_attributes(const moho_job *job, const moho_run_inputs *inputs, const moho_image_quality *quality,
                                   char **text);
/* report.json, with the members of `extra` (may be NULL). malloc'ed text. */
moho_status moho_report_text(const moho_job *job, const moho_run_inputs *inputs, const moho_migration_counts *counts,
                             const moho_run_seconds *seconds, const json_t *extra, char **text);
/* Lines on how the image was made, for the SEG-Y text header. malloc'ed text. */
moho_status moho_report_processing(const moho_job *job, const moho_run_inputs *inputs, char **text);

/* Kind, bins with their traces, memory of the gathers; null without. */
json_t *moho_report_bins(const moho_run_inputs *in);
/* `processing` with lines on the gathers, for their text header; NULL without gathers. */
moho_status moho_report_gathers(const moho_job *job, const moho_run_inputs *in, const char *processing, char **text);

#endif
