/* info_quality.c - moho info: what was measured of a survey's samples, and what is wrong with it, in words. */
#include <stdio.h>

#include "info_traces.h"

void findings_print(FILE *out, const moho_findings *findings) {
  if (!findings->n) {
    fprintf(out, "\nWarnings: none\n");
    return;
  }
  fprintf(out, "\nWarnings\n");
  for (size_t i = 0; i < findings->n; i++) fprintf(out, "  ! %s\n    %s\n", findings->list[i].text, findings->list[i].advice);
}

void spectrum_print(FILE *out, const moho_spectrum *s) {
  if (s->traces)
    fprintf(out, "  spectrum   usable from %.3g to %.3g Hz, the largest at %.3g Hz\n", s->low_hz, s->high_hz, s->peak_hz);
}

static void print_odd(FILE *out, const char *name, const moho_odd_traces *odd, int *any) {
  if (!odd->count) return;
  fprintf(out, "%s%zu %s", (*any)++ ? ", " : "", odd->count, name);
}

void survey_quality_print(FILE *out, const moho_survey_quality *q) {
  int any = 0;
  fprintf(out, "\nQuality (docs/quality.md)\n");
  fprintf(out, "  samples    of %zu of %zu live traces: ", q->sampled, q->n_live);
  print_odd(out, "dead", &q->dead, &any);
  print_odd(out, "with NaN", &q->bad, &any);
  print_odd(out, "spiky", &q->spiky, &any);
  print_odd(out, "too strong", &q->strong, &any);
  print_odd(out, "too weak", &q->weak, &any);
  fprintf(out, "%s\n", !q->sampled ? "not looked at" : any ? "" : "all in order");
  spectrum_print(out, &q->spectrum);
  if (q->duplicates.count) fprintf(out, "  duplicates %zu\n", q->duplicates.count);
  if (q->holes) fprintf(out, "  holes      %zu empty bins within the survey\n", q->holes);
  if (q->alias_spacing_m > 0) fprintf(out, "  alias      none up to %.4g m between midpoints\n", q->alias_spacing_m);
  if (q->reach_s > 0) fprintf(out, "  reach      the dip can be imaged down to %.3g s\n", q->reach_s);
  findings_print(out, &q->findings);
}
