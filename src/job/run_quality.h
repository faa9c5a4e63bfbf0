/* run_quality.h - the quality of a run's data, velocity and image: figures for report.json, pictures for report.html. Nothing
 * that goes wrong here costs the image: it is told in the report.
 */
#ifndef MOHO_JOB_RUN_QUALITY_H
#define MOHO_JOB_RUN_QUALITY_H

#include "job/run.h"

/* The finished image, in memory or in the file of the blocks: run->quality, whose figures go into the image's attributes too. */
moho_status moho_run_measure_image(moho_run *run);

/* With output.report: adds "quality" to the report's extra members and draws into the staging directory. Before
 * moho_report_text(). */
moho_status moho_run_measure_quality(moho_run *run);

/* With output.report: report.html from the text of report.json, into the staging directory; the pictures are dropped with it.
 * After moho_run_outputs_write(). */
moho_status moho_run_write_page(const moho_run *run, const char *report);

#endif
