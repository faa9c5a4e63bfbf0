/* report_html.h - report.json as a page for people: one file with all pictures in it, nothing from elsewhere, no scripts. */
#ifndef MOHO_JOB_REPORT_HTML_H
#define MOHO_JOB_REPORT_HTML_H

#include <jansson.h>
#include <stdio.h>

#include "base/fail.h"

typedef struct moho_report_picture {
  const char *path; /* a PNG; passed over where there is none */
  const char *caption;
} moho_report_picture;

/* report: of report.json, with the member "quality" of run_quality.h. *html: malloc'ed. */
moho_status moho_report_html(const json_t *report, const moho_report_picture *pictures, size_t n, char **html);

/* ---- report_words.c ---- */

/* Text with & < > " escaped. */
void moho_html_text(FILE *out, const char *text);
/* What was done, on what, how long, is it good: the sections of the page before its pictures, and the details after them. */
void moho_report_summary(FILE *out, const json_t *report);
void moho_report_details(FILE *out, const json_t *report);

#endif
