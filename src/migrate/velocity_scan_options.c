/* velocity_scan_options.c - the options of a scan, by name: one table for the command line, its help and the report. */
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "migrate/velocity_scan_inside.h"

#define AT(member) offsetof(moho_velocity_scan_options, member)

const moho_scan_option moho_scan_options[MOHO_SCAN_OPTIONS] = {
    {"factor_min", "", AT(factor_min), 0, 0.5, 1, "least factor of the velocity that is tried"},
    {"factor_max", "", AT(factor_max), 0, 1, 2, "largest factor of the velocity that is tried"},
    {"factor_step", "", AT(factor_step), 0, 1e-4, 0.1, "from one factor to the next"},
    {"time_first_s", "s", AT(time_first_s), 0, 0, 100, "first pick"},
    {"time_last_s", "s", AT(time_last_s), 0, -1, 100, "last pick; -1: the gathers' end"},
    {"time_step_s", "s", AT(time_step_s), 0, 1e-4, 10, "from one pick to the next"},
    {"window_s", "s", AT(window_s), 0, 0, 10, "length of the semblance window"},
    {"offset_min_m", "m", AT(offset_min_m), 0, 0, 1e6, "offset bins below are left out"},
    {"offset_max_m", "m", AT(offset_max_m), 0, 0, 1e6, "offset bins above are left out"},
    {"stretch", "", AT(stretch), 0, 0, 100, "samples count while their data time is at most (1 + stretch) times the image time"},
    {"every_inline", "nodes", AT(every_inline), 1, 0, 1e6, "a function every so many inlines; 0: about 20 in all"},
    {"every_crossline", "nodes", AT(every_crossline), 1, 0, 1e6, "a function every so many crosslines; 0: about 20 in all"},
    {"radius_inline", "nodes", AT(radius_inline), 1, 0, 100, "gathers to each side that share a panel"},
    {"radius_crossline", "nodes", AT(radius_crossline), 1, 0, 100, "gathers to each side that share a panel"},
    {"floor_db", "dB", AT(floor_db), 0, -200, 0, "windows this far below the strongest one count as noise"},
    {"least_semblance", "", AT(least_semblance), 0, 0, 1, "picks below have no weight"},
    {"slope_per_s", "1/s", AT(slope_per_s), 0, 1e-6, 1000, "largest change of the factor with time"},
    {"outlier", "", AT(outlier), 0, 0, 100,
     "picks so many median distances off their lateral neighbours lose their weight; 0: none"},
    {"smooth_time_s", "s", AT(smooth_time_s), 0, 0, 100, "standard deviation of the smoothing in time"},
    {"smooth_lateral_m", "m", AT(smooth_lateral_m), 0, -1, 1e6, "of the lateral smoothing; -1: the distance between functions"},
    {"interval_min_mps", "m/s", AT(interval_min_mps), 0, 1, 1e5, "interval velocities of the result are kept above"},
    {"interval_max_mps", "m/s", AT(interval_max_mps), 0, 1, 1e5, "interval velocities of the result are kept below"}};

moho_velocity_scan_options moho_velocity_scan_options_default(void) {
  return (moho_velocity_scan_options){.factor_min = 0.85,
                                      .factor_max = 1.15,
                                      .factor_step = 0.01,
                                      .time_last_s = -1,
                                      .time_step_s = 0.02,
                                      .window_s = 0.06,
                                      .offset_max_m = 1e6,
                                      .stretch = 0.5,
                                      .radius_inline = 1,
                                      .radius_crossline = 1,
                                      .floor_db = -40,
                                      .least_semblance = 0.3,
                                      .slope_per_s = 0.3,
                                      .outlier = 6,
                                      .smooth_time_s = 0.1,
                                      .smooth_lateral_m = -1,
                                      .interval_min_mps = 500,
                                      .interval_max_mps = 9000};
}

double moho_scan_option_value(const moho_velocity_scan_options *options, const moho_scan_option *option) {
  const char *at = (const char *)options + option->offset;
  return option->whole ? *(const int *)(const void *)at : *(const double *)(const void *)at;
}

const char *moho_velocity_scan_option_help(size_t index) {
  static _Thread_local char text[200];
  moho_velocity_scan_options defaults = moho_velocity_scan_options_default();
  if (index >= MOHO_SCAN_OPTIONS) return NULL;
  const moho_scan_option *o = &moho_scan_options[index];
  snprintf(text, sizeof text, "%-17s %-6s %-6g %s", o->name, o->unit, moho_scan_option_value(&defaults, o), o->meaning);
  return text;
}

static moho_status check_value(const moho_scan_option *o, double value) {
  if (value >= o->low && value <= o->high && (!o->whole || value == rint(value))) return MOHO_OK;
  return moho_fail_at((moho_place){.key = o->name}, o->meaning, MOHO_ERROR_ARGUMENT, "%s is %g%s%s, expected %s%g to %g", o->name,
                      value, *o->unit ? " " : "", o->unit, o->whole ? "a whole number, " : "", o->low, o->high);
}

moho_status moho_velocity_scan_options_set(moho_velocity_scan_options *options, const char *key, const char *value) {
  const char *names[MOHO_SCAN_OPTIONS];
  double number;
  for (size_t i = 0; i < MOHO_SCAN_OPTIONS; i++) {
    const moho_scan_option *o = &moho_scan_options[i];
    names[i] = o->name;
    if (strcmp(key, o->name) != 0) continue;
    MOHO_TRY(moho_parse_double(value, o->name, &number));
    MOHO_TRY(check_value(o, number));
    char *at = (char *)options + o->offset;
    if (o->whole) *(int *)(void *)at = (int)number;
    else *(double *)(void *)at = number;
    return MOHO_OK;
  }
  const char *nearest = moho_nearest_name(key, names, MOHO_SCAN_OPTIONS);
  return moho_fail_at((moho_place){.key = key}, "moho velocity scan keys lists them", MOHO_ERROR_KEY,
                      "\"%.100s\" is no option of a velocity scan%s%s", key, nearest ? "; did you mean " : "",
                      nearest ? nearest : "");
}

moho_status moho_scan_options_check(const moho_velocity_scan_options *options) {
  for (size_t i = 0; i < MOHO_SCAN_OPTIONS; i++)
    MOHO_TRY(check_value(&moho_scan_options[i], moho_scan_option_value(options, &moho_scan_options[i])));
  if (!(options->factor_max - options->factor_min >= 4 * options->factor_step) ||
      (options->factor_max - options->factor_min) / options->factor_step > 10000)
    return moho_fail_at((moho_place){.key = "factor_step"}, "0.85 to 1.15 in steps of 0.01", MOHO_ERROR_ARGUMENT,
                        "factors %g to %g in steps of %g, expected 5 to 10000 of them", options->factor_min, options->factor_max,
                        options->factor_step);
  if (!(options->interval_max_mps > options->interval_min_mps))
    return moho_fail_at((moho_place){.key = "interval_max_mps"}, NULL, MOHO_ERROR_ARGUMENT,
                        "interval velocities from %g to %g m/s, expected the first below the second", options->interval_min_mps,
                        options->interval_max_mps);
  return MOHO_OK;
}
