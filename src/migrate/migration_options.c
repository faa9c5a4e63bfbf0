/* migration_options.c - the options of a migration: defaults, checks, and `auto` settled. */
#include "migrate/migration_options.h"

#include <math.h>

#include "base/fail.h"

moho_migration_options moho_migration_options_default(void) {
  return (moho_migration_options){.traveltime = MOHO_TRAVELTIME_STRAIGHT,
                                  .aperture_max_m = 3000,
                                  .aperture_min_m = 0,
                                  .aperture_max_dip_deg = 60,
                                  .aperture_taper = 0.1,
                                  .interpolation = MOHO_INTERPOLATION_LINEAR,
                                  .antialias = MOHO_ANTIALIAS_NONE,
                                  .antialias_factor = 1,
                                  .antialias_filters = 8,
                                  .weight = MOHO_WEIGHT_AUTO,
                                  .amplitude = MOHO_AMPLITUDE_SPREADING_CORRECTED,
                                  .rho_filter = MOHO_RHO_AUTO,
                                  .stretch_mute = -1,
                                  .normalise = MOHO_NORMALISE_NONE,
                                  .refine = 1};
}

/* A name of an enum is 0 .. last. */
static moho_status check_choice(const char *key, int value, int last) {
  if (value >= 0 && value <= last) return MOHO_OK;
  return moho_fail_at((moho_place){.key = key},
                      "use one of the enum's names, or leave the default of moho_migration_options_default()",
                      MOHO_ERROR_ARGUMENT, "%s is %d, expected one of its names (0 to %d)", key, value, last);
}

static moho_status check_choices(const moho_migration_options *o) {
  MOHO_TRY(check_choice("migration.traveltime", (int)o->traveltime, MOHO_TRAVELTIME_VTI_RATIONAL));
  MOHO_TRY(check_choice("migration.aperture.rule", (int)o->aperture_rule, MOHO_APERTURE_RAY));
  MOHO_TRY(check_choice("migration.interpolation", (int)o->interpolation, MOHO_INTERPOLATION_SINC8));
  MOHO_TRY(check_choice("migration.antialias", (int)o->antialias, MOHO_ANTIALIAS_FILTER_BANK));
  MOHO_TRY(check_choice("migration.weight", (int)o->weight, MOHO_WEIGHT_TRUE_AMPLITUDE));
  MOHO_TRY(check_choice("input.amplitude", (int)o->amplitude, MOHO_AMPLITUDE_RAW));
  MOHO_TRY(check_choice("migration.rho_filter", (int)o->rho_filter, MOHO_RHO_3D));
  MOHO_TRY(check_choice("migration.normalise", (int)o->normalise, MOHO_NORMALISE_FOLD));
  MOHO_TRY(check_choice("execution.kernel", (int)o->kernel, MOHO_KERNEL_V3));
  return check_choice("storage", (int)o->storage, MOHO_STORAGE_HALF);
}

/* NaN fails every comparison, so it is refused with the rest. */
static moho_status refuse(const char *key, double value, const char *expected, const char *hint) {
  return moho_fail_at((moho_place){.key = key}, hint, MOHO_ERROR_RANGE, "%s is %g, expected %s", key, value, expected);
}

static moho_status check_aperture(const moho_migration_options *o) {
  if (!(o->aperture_max_m > 0 && o->aperture_max_m <= 1e6))
    return refuse("migration.aperture.max_m", o->aperture_max_m, "a length above 0 and up to 1e6 m",
                  "give the largest midpoint distance in metres, e.g. 3000");
  if (!(o->aperture_min_m >= 0 && o->aperture_min_m <= o->aperture_max_m))
    return refuse("migration.aperture.min_m", o->aperture_min_m, "a length from 0 to migration.aperture.max_m",
                  "give the smallest radius in metres, 0 for none");
  if (!(o->aperture_max_dip_deg > 0 && o->aperture_max_dip_deg <= 89))
    return refuse("migration.aperture.max_dip_deg", o->aperture_max_dip_deg, "an angle above 0 and up to 89 degrees",
                  "give the steepest dip to image in degrees, e.g. 60");
  if (!(o->aperture_taper >= 0 && o->aperture_taper <= 1))
    return refuse("migration.aperture.taper", o->aperture_taper, "a fraction of the radius, 0 to 1",
                  "use 0.1, or 0 for no taper");
  return MOHO_OK;
}

static moho_status check_mute(const char *key, const moho_mute_line *line) {
  if (line->n > MOHO_MUTE_POINTS)
    return moho_fail_at((moho_place){.key = key}, "leave out points that lie on a line between others", MOHO_ERROR_RANGE,
                        "%s has %zu points, expected at most %d", key, line->n, MOHO_MUTE_POINTS);
  for (size_t i = 0; i < line->n; i++) {
    if (!(line->offset_m[i] >= 0 && line->offset_m[i] <= 1e6 && (i == 0 || line->offset_m[i] > line->offset_m[i - 1])))
      return refuse(key, line->offset_m[i], "offsets in metres, from 0 to 1e6, each larger than the one before",
                    "a point is [offset, time]: [[0, 0], [3000, 1.5]]");
    if (!(line->time_s[i] >= 0 && line->time_s[i] <= 1e6))
      return refuse(key, line->time_s[i], "two-way times in seconds, 0 or more",
                    "a point is [offset, time]: [[0, 0], [3000, 1.5]]");
  }
  return MOHO_OK;
}

static moho_status check_amplitudes(const moho_migration_options *o) {
  if (o->antialias_filters < 2 || o->antialias_filters > MOHO_FILTERS_MAX)
    return refuse("migration.antialias_filters", o->antialias_filters, "2 to 32 copies of a trace", "8 serve most surveys");
  if (o->weight == MOHO_WEIGHT_TRUE_AMPLITUDE && o->normalise == MOHO_NORMALISE_FOLD)
    return moho_fail_at((moho_place){.key = "migration.normalise"},
                        "leave migration.normalise at none: true amplitudes are a mean over offset classes already",
                        MOHO_ERROR_ARGUMENT, "migration.normalise fold cannot be combined with migration.weight true_amplitude");
  MOHO_TRY(check_mute("migration.mute.outer", &o->outer_mute));
  return check_mute("migration.mute.inner", &o->inner_mute);
}

moho_status moho_migration_options_check(const moho_migration_options *o) {
  if (!o)
    return moho_fail(MOHO_ERROR_ARGUMENT,
                     "migration options are NULL, expected moho_migration_options_default() or changed from it");
  MOHO_TRY(check_choices(o));
  MOHO_TRY(check_aperture(o));
  if (!(o->antialias_factor > 0 && o->antialias_factor <= 10))
    return refuse("migration.antialias_factor", o->antialias_factor, "a factor above 0 and up to 10",
                  "1 puts the first null of the filter at the first aliased frequency; use antialias none for no filter");
  MOHO_TRY(check_amplitudes(o));
  if (!(o->stretch_mute < 0 || (o->stretch_mute >= 0 && o->stretch_mute <= 1e6)))
    return refuse("migration.stretch_mute", o->stretch_mute, "a stretch such as 0.5, or a negative number for none",
                  "use -1 for no stretch mute");
  if (!(o->high_cut_hz >= 0 && o->high_cut_hz <= 1e6))
    return refuse("migration.high_cut_hz", o->high_cut_hz, "a frequency above 0, or 0 for none", "give it in Hz, e.g. 60");
  if (o->gathers) MOHO_TRY(moho_gather_bins_check(o->gathers));
  if (o->refine != 1 && o->refine != 2 && o->refine != 4 && o->refine != 8)
    return refuse("input.resample", o->refine, "a refinement of 1, 2, 4 or 8",
                  "moho_migration_refine_factor() tells what the data need");
  if (o->tile_columns < 0)
    return refuse("execution.tile", o->tile_columns, "columns along a tile's side, 0 or more", "use 0 to have it chosen");
  return MOHO_OK;
}

moho_weight moho_weight_resolve(moho_weight weight, moho_amplitude amplitude) {
  if (weight != MOHO_WEIGHT_AUTO) return weight;
  return amplitude == MOHO_AMPLITUDE_RAW ? MOHO_WEIGHT_OBLIQUITY : MOHO_WEIGHT_SPREADING_OBLIQUITY;
}

moho_rho moho_rho_resolve(moho_rho rho, int is_line) {
  if (rho != MOHO_RHO_AUTO) return rho;
  return is_line ? MOHO_RHO_2D : MOHO_RHO_3D;
}
