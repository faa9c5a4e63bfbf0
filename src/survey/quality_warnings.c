/* quality_warnings.c - what a survey's figures mean for its image, in words with the number and advice. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "survey/quality_parts.h"

#define DEGREES (180.0 / 3.14159265358979323846)

static double share(size_t part, size_t whole) {
  return whole ? (double)part / (double)whole : 0;
}

/* "17, 40, 41, ...": trace numbers as people count them. */
static const char *examples(const moho_odd_traces *odd, char text[120]) {
  size_t length = 0;
  text[0] = '\0';
  for (size_t k = 0; k < odd->count && k < MOHO_QUALITY_EXAMPLES && length < 90; k++)
    length += (size_t)snprintf(text + length, 120 - length, "%s%zu", k ? ", " : "", odd->first[k] + 1);
  if (length < 110 && odd->count > 4) snprintf(text + length, 120 - length, ", ...");
  return text;
}

/* ---- sampling and reach ---- */

static void warn_of_aliasing(const moho_survey_quality_options *o, moho_survey_quality *q) {
  const moho_grid *g = &q->grid;
  double f = q->spectrum.high_hz, sine = sin(o->dip_deg / DEGREES);
  if (!(o->velocity_mps > 0) || !(f > 0) || !(sine > 0)) return;
  q->alias_spacing_m = o->velocity_mps / (4 * f * sine);
  if (!q->has_grid || o->is_coarse_known) return;
  if (q->is_suggested && q->stray.count) return; /* the spacing is that of the strays: they are warned of */
  double widest = fmax(g->n_inline > 1 ? g->inline_spacing_m : 0, g->n_crossline > 1 ? g->crossline_spacing_m : 0);
  if (widest <= q->alias_spacing_m * 1.0001) return;
  char advice[280];
  snprintf(
      advice, sizeof advice,
      "dips up to %.0f degrees show without aliasing at this spacing, or frequencies up to %.0f Hz: set migration.antialias, "
      "lower migration.aperture.max_dip_deg, or interpolate the traces",
      DEGREES * asin(fmin(1, o->velocity_mps / (4 * f * widest))), o->velocity_mps / (4 * widest * sine));
  moho_findings_add(
      &q->findings, "spatial_aliasing", widest, q->alias_spacing_m, advice,
      "spatial aliasing: midpoints are %.4g m apart; a dip of %g degrees at %.0f Hz and %g m/s needs %.3g m or less", widest,
      o->dip_deg, f, o->velocity_mps, q->alias_spacing_m);
}

/* Half of the longest side of the survey: what a point in its middle sees at most. */
static double widest_aperture(const moho_survey_quality *q) {
  const moho_grid *g = &q->grid;
  return 0.5 * fmax((double)(g->n_inline - 1) * g->inline_spacing_m, (double)(g->n_crossline - 1) * g->crossline_spacing_m);
}

/* Zero-offset time of a dipping reflector under its image point: t0/cos(dip) <= T; its distance: (v t0/2) tan(dip) <= A. */
static void warn_of_reach(const moho_survey_quality_options *o, moho_survey_quality *q) {
  double a = o->aperture_m > 0 ? o->aperture_m : widest_aperture(q), dip = o->dip_deg / DEGREES;
  if (!(o->velocity_mps > 0) || !(dip > 0) || !q->has_grid || !(q->record_end_s > 0)) return;
  double by_record = q->record_end_s * cos(dip), by_aperture = 2 * a / (o->velocity_mps * tan(dip));
  q->reach_s = fmin(by_record, by_aperture);
  if (q->reach_s >= 0.5 * q->record_end_s) return;
  const char *limiter = by_record < by_aperture ? "record" : o->aperture_m > 0 ? "aperture" : "survey";
  char advice[280], what[80];
  if (by_record < by_aperture) snprintf(what, sizeof what, "the record ends at %.3g s", q->record_end_s);
  else snprintf(what, sizeof what, "the %s reaches %.4g m", limiter, a);
  snprintf(advice, sizeof advice, "%s: below %.3g s expect dips of at most %.0f degrees at %.3g s (half the record)",
           by_record < by_aperture ? "longer records would be needed"
           : o->aperture_m > 0     ? "widen migration.aperture.max_m"
                                   : "the survey is too small for such dips",
           q->reach_s, DEGREES * fmin(acos(0.5), atan(4 * a / (o->velocity_mps * q->record_end_s))), 0.5 * q->record_end_s);
  moho_findings_add(&q->findings, "dip_out_of_reach", q->reach_s, 0.5 * q->record_end_s, advice,
                    "dips out of reach: %g degrees at %g m/s can be imaged down to %.3g s only, of a record of %.3g s: %s",
                    o->dip_deg, o->velocity_mps, q->reach_s, q->record_end_s, what);
}

static void warn_of_time_sampling(const moho_traces_info *info, moho_survey_quality *q) {
  static const double loud = 0.3; /* -10 dB */
  if (!(q->spectrum.floor > loud)) return;
  moho_findings_add(
      &q->findings, "nyquist", q->spectrum.floor, loud,
      "the traces are aliased in time, or mostly white noise: filter them (migration.high_cut_hz), or go back to finer "
      "sampled data",
      "the spectrum does not fall off: at the end, %.0f Hz, it is only %.1f dB below its largest", 0.5 / info->dt_s,
      -20 * log10(q->spectrum.floor));
}

/* ---- geometry ---- */

static void warn_of_grid(moho_survey_quality *q) {
  if (!q->has_grid) {
    moho_findings_add(&q->findings, "no_grid", 0, 0, "check the bytes of the coordinates (--headers), their scalar and unit",
                      "no grid could be suggested: %.200s", q->grid_note);
    return;
  }
  if (q->bins > MOHO_QUALITY_MOST_BINS) {
    moho_findings_add(
        &q->findings, "huge_grid", (double)q->bins, (double)MOHO_QUALITY_MOST_BINS,
        "one trace with wrong coordinates is enough for that: look at the coordinate ranges, leave it out with --where",
        "the grid has %zu bins for %zu traces: maps and fold are left out", q->bins, q->n_live);
    return;
  }
  if (q->n_outside)
    moho_findings_add(&q->findings, "outside_grid", (double)q->n_outside, 0,
                      q->is_suggested
                          ? "their numbers or coordinates disagree with the others: look at them, or give a grid by corners"
                          : "enlarge the grid, or check coordinates and units; those within the aperture still help",
                      "%zu of %zu live traces (%.2g %%) have their midpoint outside the grid", q->n_outside, q->n_live,
                      100 * share(q->n_outside, q->n_live));
}

static void warn_of_fold(moho_survey_quality *q) {
  size_t inside = q->bins_filled + q->holes;
  if (share(q->holes, inside) > 0.02)
    moho_findings_add(&q->findings, "fold_holes", share(q->holes, inside), 0.02,
                      "gaps image as stripes and smiles: use wider bins, regularise the data, or set migration.normalise: fold",
                      "%zu of %zu bins within the survey (%.0f %%) are empty", q->holes, inside, 100 * share(q->holes, inside));
  if (share(q->thin, q->bins_filled) > 0.05 && q->thin)
    moho_findings_add(
        &q->findings, "uneven_fold", share(q->thin, q->bins_filled), 0.05,
        "amplitudes will follow the fold: set migration.normalise: fold, and look at the fold map before trusting them",
        "%zu of %zu filled bins (%.0f %%) hold a quarter of the median fold of %zu, or less", q->thin, q->bins_filled,
        100 * share(q->thin, q->bins_filled), q->fold_median);
  if (q->n_live > 1 && q->offset_histogram.n == 1)
    moho_findings_add(
        &q->findings, "zero_offset", 0, 0,
        "this looks like a stack: migrating it is a poststack migration; check the bytes of source and receiver if not",
        "all %zu live traces have offset 0", q->n_live);
}

static void warn_of_duplicates(const moho_survey_quality *q, moho_findings *findings) {
  const moho_odd_traces *d = &q->duplicates;
  int copies = q->duplicates_same_samples * 2 > q->duplicates_compared;
  if (!d->count) return;
  moho_findings_add(
      findings, "duplicates", (double)d->count, 0,
      copies ? "the same traces twice weigh twice: leave them out with input.select.where, or mend the file"
             : "their samples differ: repeated shots or other components? choose one with input.select.where",
      "%zu traces have the source and receiver of an earlier one (trace %zu that of %zu); of %zu pairs looked at %zu "
      "have the same samples",
      d->count, d->first[0] + 1, q->duplicate_of + 1, q->duplicates_compared, q->duplicates_same_samples);
}

/* ---- samples ---- */

static void warn_of_traces(moho_survey_quality *q) {
  char numbers[120];
  const char *of = q->sampled < q->n_live ? "looked at (a sample)" : "looked at (all)";
  if (q->dead.count)
    moho_findings_add(&q->findings, "dead_traces", (double)q->dead.count, 0,
                      "they are left out by themselves; many in one place leave a hole in the image",
                      "%zu of %zu traces %s are dead, without any signal: %s", q->dead.count, q->sampled, of,
                      examples(&q->dead, numbers));
  if (q->bad.count)
    moho_findings_add(
        &q->findings, "bad_samples", (double)q->bad.count, 0, "input.bad_samples: zero sets them to 0; find out what wrote them",
        "%zu of %zu traces %s hold NaN or infinite samples: %s", q->bad.count, q->sampled, of, examples(&q->bad, numbers));
  if (q->spiky.count)
    moho_findings_add(&q->findings, "spiky_traces", (double)q->spiky.count, 0,
                      "a spike becomes a smile over the whole aperture: despike, or leave the traces out with input.select.where",
                      "%zu of %zu traces %s hold single samples far above those around them: %s", q->spiky.count, q->sampled, of,
                      examples(&q->spiky, numbers));
  if (q->strong.count)
    moho_findings_add(&q->findings, "strong_traces", (double)q->strong.count, 0,
                      "one loud trace outweighs all the others around it: scale it, or leave it out with input.select.where",
                      "%zu of %zu traces %s are more than %.2g times as loud as their neighbours: %s", q->strong.count,
                      q->sampled, of, q->level_limit, examples(&q->strong, numbers));
  if (q->weak.count)
    moho_findings_add(&q->findings, "weak_traces", (double)q->weak.count, 0,
                      "badly coupled or wrongly scaled receivers? where neighbours are scaled alike, they should be too",
                      "%zu of %zu traces %s are less than 1/%.2g as loud as their neighbours: %s", q->weak.count, q->sampled, of,
                      q->level_limit, examples(&q->weak, numbers));
}

/* ---- feet ---- */

static int says_feet(const char *text) {
  static const char *const words[] = {"FEET", "FT", "FOOT"};
  for (size_t w = 0; text && w < 3; w++) {
    size_t length = strlen(words[w]);
    for (const char *at = text; *at; at++) {
      size_t k = 0;
      while (k < length && toupper((unsigned char)at[k]) == words[w][k]) k++;
      if (k == length && !isalnum((unsigned char)at[length]) && (at == text || !isalpha((unsigned char)at[-1]))) return 1;
    }
  }
  return 0;
}

/* Bins of 27.5, 55, 82.5, 110, 165 are usual in feet; in metres they are multiples of 12.5, 10 or 6.25. */
static int is_feet_spacing(double spacing) {
  double feet = spacing / 13.75,
         metres = fmin(fabs(spacing / 6.25 - rint(spacing / 6.25)), fabs(spacing / 10 - rint(spacing / 10)));
  return feet > 1.9 && fabs(feet - rint(feet)) < 1e-3 && metres > 0.01;
}

static void warn_of_feet(const moho_traces_info *info, moho_survey_quality *q) {
  static const double fastest = 7500;
  char why[240] = "";
  double spacing = q->has_grid ? q->grid.crossline_spacing_m : 0;
  if (info->units == MOHO_UNITS_FT) return;
  if (q->first_arrival_mps > fastest)
    snprintf(why, sizeof why, "first arrivals run at %.0f m/s, faster than rock carries them", q->first_arrival_mps);
  else if (says_feet(info->text_header)) snprintf(why, sizeof why, "the text header speaks of feet");
  else if (q->has_grid && is_feet_spacing(spacing))
    snprintf(why, sizeof why, "bins of %.6g are usual in feet, not in metres", spacing);
  if (!why[0]) return;
  moho_findings_add(
      &q->findings, "looks_like_feet", q->first_arrival_mps > fastest ? q->first_arrival_mps : spacing, fastest,
      "if they are feet, say input.units: ft (moho info --units ft): every length, and with it the image, is 3.28 times "
      "too large otherwise",
      "the lengths are read as metres but may be feet: %s", why);
}

void moho_quality_warn(const moho_traces_info *info, const moho_geometry *g, const moho_survey_quality_options *options,
                       moho_survey_quality *q) {
  double last = 0;
  char numbers[120];
  for (size_t i = 0; i < g->n; i++) last = fmax(last, isfinite(g->first_sample_s[i]) ? g->first_sample_s[i] : 0);
  q->record_end_s = last + (double)(info->n_samples - 1) * info->dt_s;
  warn_of_feet(info, q);
  if (q->stray.count)
    moho_findings_add(&q->findings, "stray_positions", (double)q->stray.count, 0,
                      "wrong coordinates spoil a suggested grid: mend them, or leave the traces out with input.select.where",
                      "%zu traces lie more than %.3g km from the middle of the survey, ten times as far as nearly all others: %s",
                      q->stray.count, q->stray_m / 1000, examples(&q->stray, numbers));
  warn_of_grid(q);
  if (q->has_grid && q->fold) warn_of_fold(q);
  warn_of_aliasing(options, q);
  warn_of_reach(options, q);
  warn_of_duplicates(q, &q->findings);
  warn_of_traces(q);
  warn_of_time_sampling(info, q);
}
