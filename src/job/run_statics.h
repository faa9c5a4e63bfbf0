/* run_statics.h - input.statics: what a job asks for, and what is said of it in the report, by explain and in warnings.
 */
#ifndef MOHO_JOB_RUN_STATICS_H
#define MOHO_JOB_RUN_STATICS_H

#include <jansson.h>
#include <stdio.h>

#include "job/run_inputs.h"

/* What cannot be combined. */
moho_status moho_run_statics_check(const moho_job *job);
moho_statics moho_run_statics_read(const moho_job *job);
/* Each source of shift with least, median and most; null where nothing is shifted. */
json_t *moho_report_statics(const moho_run_inputs *inputs);
void moho_explain_statics(FILE *out, const moho_run_inputs *inputs);
/* What the headers hold and is not applied, where it matters; how far vertical shifts are from the truth. */
void moho_warn_of_statics(json_t *warnings, const moho_run_inputs *inputs);

#endif
