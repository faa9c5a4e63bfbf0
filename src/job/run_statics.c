/* run_statics.c - input.statics: read, checked, reported. */
#include "job/run_statics.h"

#include <math.h>
#include <string.h>

/* ---- the job ---- */

static moho_status refuse(const moho_job *job, moho_job_id id, const char *hint, const char *why) {
  char here[400];
  return moho_fail_at(moho_job_place(job, id), hint, MOHO_ERROR_KEY, "%s %s", moho_job_where(job, id, here), why);
}

static moho_status check_elevation_keys(const moho_job *job) {
  static const moho_job_id belong[] = {MOHO_KEY_STATICS_DATUM, MOHO_KEY_STATICS_REPLACEMENT, MOHO_KEY_STATICS_DEPTH};
  for (size_t i = 0; i < sizeof belong / sizeof *belong; i++)
    if (moho_job_given(job, belong[i]))
      return refuse(job, belong[i], "say which: elevation: surface, or floating_datum",
                    "is given, but no elevation is corrected");
  return MOHO_OK;
}

moho_status moho_run_statics_check(const moho_job *job) {
  static const char example[] = "elevation: surface, datum_m: 0, replacement_mps: 2000";
  if (moho_job_is(job, MOHO_KEY_STATICS_ELEVATION, "none")) return check_elevation_keys(job);
  if (!moho_job_given(job, MOHO_KEY_STATICS_DATUM))
    return refuse(job, MOHO_KEY_STATICS_ELEVATION, example, "needs input.statics.datum_m: to which elevation?");
  if (!moho_job_given(job, MOHO_KEY_STATICS_REPLACEMENT))
    return refuse(job, MOHO_KEY_STATICS_ELEVATION, example, "needs input.statics.replacement_mps: at which velocity?");
  if (!moho_job_is(job, MOHO_KEY_STATICS_ELEVATION, "floating_datum")) return MOHO_OK;
  if (moho_job_given(job, MOHO_KEY_STATICS_DEPTH))
    return refuse(job, MOHO_KEY_STATICS_DEPTH, "leave it out",
                  "belongs to elevation: surface: data at a floating datum have no depths");
  if (moho_job_is(job, MOHO_KEY_STATICS_DATUM, "header"))
    return refuse(job, MOHO_KEY_STATICS_DATUM, "give the elevation of the final datum in metres",
                  "is header: from the floating datum of the headers to the datum of the headers is no way");
  return MOHO_OK;
}

moho_statics moho_run_statics_read(const moho_job *job) {
  moho_statics s = moho_statics_default();
  s.header = (moho_statics_header)moho_job_word(job, MOHO_KEY_STATICS_HEADER);
  s.elevation = (moho_statics_elevation)moho_job_word(job, MOHO_KEY_STATICS_ELEVATION);
  s.source_depth = (moho_statics_depth)moho_job_word(job, MOHO_KEY_STATICS_DEPTH);
  s.lag = moho_job_is(job, MOHO_KEY_STATICS_LAG, "apply");
  s.shift_s = moho_job_number(job, MOHO_KEY_STATICS_SHIFT);
  if (s.elevation == MOHO_STATICS_ELEVATION_NONE) return s;
  s.datum_from_header = moho_job_is(job, MOHO_KEY_STATICS_DATUM, "header");
  s.datum_m = moho_job_number(job, MOHO_KEY_STATICS_DATUM);
  s.replacement_from_header = moho_job_is(job, MOHO_KEY_STATICS_REPLACEMENT, "header");
  s.replacement_mps = moho_job_number(job, MOHO_KEY_STATICS_REPLACEMENT);
  return s;
}

/* ---- the report ---- */

static json_t *shift_json(const moho_shift_range *r) {
  return json_pack("{s:s, s:I, s:f, s:f, s:f}", "name", r->name, "traces", (json_int_t)r->traces, "least_s", r->least_s,
                   "median_s", r->median_s, "most_s", r->most_s);
}

json_t *moho_report_statics(const moho_run_inputs *in) {
  const moho_statics_report *s = &in->info->statics;
  if (!s->n) return json_null();
  json_t *list = json_array();
  for (size_t i = 0; list && i < s->n; i++) json_array_append_new(list, shift_json(&s->shifts[i]));
  return json_pack("{s:o, s:o}", "shifts", list, "sum", shift_json(&s->sum));
}

static void print_shift(FILE *out, const moho_shift_range *r) {
  fprintf(out, "  %-18s %.3f .. %.3f ms, median %.3f (not zero in %zu traces)\n", r->name, 1e3 * r->least_s, 1e3 * r->most_s,
          1e3 * r->median_s, r->traces);
}

void moho_explain_statics(FILE *out, const moho_run_inputs *in) {
  const moho_statics_report *s = &in->info->statics;
  if (!s->n) return;
  fprintf(out, "\nStatics: traces are shifted to the datum that the image begins at\n");
  for (size_t i = 0; i < s->n; i++) print_shift(out, &s->shifts[i]);
  if (s->n > 1) print_shift(out, &s->sum);
}

/* ---- warnings ---- */

static double span(const moho_header_range *r) {
  return r->filled ? r->most - r->least : 0;
}

static double size(const moho_header_range *r) {
  return r->filled ? fmax(fabs(r->least), fabs(r->most)) : 0;
}

/* A vertical shift is right for vertical rays: from a datum h away a ray at an angle needs h cos(angle)/v. */
static void warn_of_topography(json_t *warnings, const moho_run_inputs *in) {
  const double angle_deg = 30, too_much = 1 - cos(angle_deg * 3.14159265358979323846 / 180);
  double largest = 0;
  for (size_t i = 0; i < in->info->statics.n; i++) {
    const moho_shift_range *r = &in->info->statics.shifts[i];
    if (strstr(r->name, "elevation")) largest += fmax(fabs(r->least_s), fabs(r->most_s));
  }
  if (largest * too_much > in->info->dt_s)
    json_array_append_new(
        warnings, json_sprintf("migration begins at a flat datum, not at the topography: shifts are vertical, and a ray %g "
                               "degrees off the vertical is shifted by %.0f %% too much, here up to %.1f ms; a datum nearer to "
                               "the surface makes it less (docs/land.md)",
                               angle_deg, 100 * too_much, 1e3 * largest * too_much));
}

static void warn_of_heights(json_t *warnings, const moho_run_inputs *in) {
  const moho_header_range *l = in->info->land;
  const moho_header_range *source = &l[MOHO_LAND_SOURCE_ELEVATION], *receiver = &l[MOHO_LAND_RECEIVER_ELEVATION];
  const double velocity = 2000; /* to judge by */
  double relief_s = (span(source) + span(receiver)) / velocity;
  if (relief_s < in->info->dt_s) return;
  json_array_append_new(
      warnings, json_sprintf("elevations differ (sources %.6g to %.6g m, receivers %.6g to %.6g m), at 2000 m/s by %.1f ms, and "
                             "are not corrected; if the data are not at a datum yet: input.statics.elevation, else "
                             "input.statics: {elevation: none} ends this warning",
                             source->least, source->most, receiver->least, receiver->most, 1e3 * relief_s));
}

void moho_warn_of_statics(json_t *warnings, const moho_run_inputs *in) {
  const moho_header_range *l = in->info->land, *source = &l[MOHO_LAND_SOURCE_STATIC], *receiver = &l[MOHO_LAND_RECEIVER_STATIC];
  warn_of_topography(warnings, in);
  if (in->statics_chosen || l[MOHO_LAND_TOTAL_STATIC].filled) return; /* told, or in the data already as the headers say */
  if (size(source) + size(receiver) >= in->info->dt_s / 2)
    json_array_append_new(
        warnings, json_sprintf("headers hold statics that are not applied (sources %g to %g ms, receivers %g to %g ms; bytes "
                               "99-102), and say of none that it was applied: input.statics: {header: source_receiver} applies "
                               "them, {header: none} ends this warning",
                               1e3 * source->least, 1e3 * source->most, 1e3 * receiver->least, 1e3 * receiver->most));
  else warn_of_heights(warnings, in);
  const moho_header_range *a = &l[MOHO_LAND_LAG_A], *b = &l[MOHO_LAND_LAG_B];
  if (size(a) + size(b) >= in->info->dt_s / 2)
    json_array_append_new(warnings,
                          json_sprintf("headers hold lag times that are not applied (A %g to %g ms, B %g to %g ms; bytes "
                                       "105-108): input.statics: {lag: apply}, or {lag: none}",
                                       1e3 * a->least, 1e3 * a->most, 1e3 * b->least, 1e3 * b->most));
}
