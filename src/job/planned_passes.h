/* planned_passes.h - the migrations that a job makes, one after another or at once, as `explain` tells them. */
#ifndef MOHO_JOB_PLANNED_PASSES_H
#define MOHO_JOB_PLANNED_PASSES_H

#include <jansson.h>
#include <stdio.h>

#include "job/run_inputs.h"

enum { MOHO_MOST_PLANNED = 12 };

typedef struct moho_planned_pass {
  char name[64];
  moho_migration_plan plan;
  int times;          /* over the traces; 0: once */
  int is_upper_bound; /* contributions are not known before the run */
} moho_planned_pass;

typedef struct moho_planned_passes {
  moho_planned_pass passes[MOHO_MOST_PLANNED];
  size_t n;
  int are_at_once;      /* their memory adds up */
  double contributions; /* of all passes */
} moho_planned_passes;

/* @return as the run itself would fail on a pass that its device does not do */
moho_status moho_plan_passes(const moho_job *job, const moho_run_inputs *inputs, moho_planned_passes *out);

/* Both nothing where the job makes one plain image. rate: contributions a second. */
void moho_planned_passes_print(const moho_planned_passes *passes, double rate, FILE *out);
json_t *moho_planned_passes_json(const moho_planned_passes *passes, double rate);

#endif
