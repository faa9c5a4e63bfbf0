/* quality_findings.c - what all quality measures share: findings, histograms, JSON. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "survey/quality_parts.h"

void moho_findings_add(moho_findings *findings, const char *name, double value, double limit, const char *advice,
                       const char *format, ...) {
  if (findings->n == MOHO_FINDINGS) return;
  moho_finding *added = &findings->list[findings->n++];
  *added = (moho_finding){.name = name, .value = value, .limit = limit};
  snprintf(added->advice, sizeof added->advice, "%s", advice);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(added->text, sizeof added->text, format, arguments);
  va_end(arguments);
}

static json_t *number_json(double value) {
  return isfinite(value) ? json_real(value) : json_null();
}

json_t *moho_findings_json(const moho_findings *findings) {
  json_t *list = json_array();
  for (size_t i = 0; list && i < findings->n; i++) {
    const moho_finding *f = &findings->list[i];
    json_array_append_new(list, json_pack("{s:s, s:o, s:o, s:s, s:s}", "name", f->name, "value", number_json(f->value), "limit",
                                          number_json(f->limit), "text", f->text, "advice", f->advice));
  }
  return list;
}

json_t *moho_spectrum_json(const moho_spectrum *s) {
  json_t *amplitudes = json_array();
  for (size_t k = 0; amplitudes && k < s->n; k++) json_array_append_new(amplitudes, json_real(s->amplitude[k]));
  return json_pack("{s:f, s:f, s:f, s:f, s:f, s:I, s:o}", "step_hz", s->step_hz, "low_hz", s->low_hz, "high_hz", s->high_hz,
                   "peak_hz", s->peak_hz, "floor", s->floor, "traces", (json_int_t)s->traces, "amplitude", amplitudes);
}

moho_status moho_quality_text(json_t *root, char **text) {
  *text = root ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(9)) : NULL;
  json_decref(root);
  return *text ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "quality: out of memory");
}

void moho_odd_traces_add(moho_odd_traces *odd, size_t trace) {
  if (odd->count < MOHO_QUALITY_EXAMPLES) odd->first[odd->count] = trace;
  odd->count++;
}

moho_histogram moho_histogram_from_zero(double most, size_t classes) {
  if (!(most > 0) || !isfinite(most)) return (moho_histogram){.step = 1, .n = 1};
  double power = pow(10, floor(log10(most / (double)classes)));
  const double digits[] = {1, 2, 5, 10, 20};
  moho_histogram h = {0};
  for (size_t i = 0; i < 5; i++) {
    h.step = digits[i] * power;
    h.n = (size_t)floor(most / h.step) + 1; /* the largest value lies inside */
    if (h.n <= classes) break;
  }
  return h;
}

size_t moho_histogram_class(const moho_histogram *h, double value) {
  double k = floor((value - h->first) / h->step);
  return k >= 0 && k < (double)h->n ? (size_t)k : SIZE_MAX;
}
