/* job_check.c - what no single key can tell: keys that are missing, and keys that exclude each other. */
#include <stdio.h>
#include <string.h>

#include "job/job.h"
#include "job/run_statics.h"
#include "moho/traces.h"

static moho_status missing(const moho_job *job, moho_job_id id, const char *why, const char *hint) {
  moho_place place = {.file = job->name, .key = moho_job_keys[id].path};
  char why_text[100] = "";
  if (why[0]) snprintf(why_text, sizeof why_text, ": %s", why);
  return moho_fail_at(place, hint, MOHO_ERROR_KEY, "%s: key %s is missing%s", job->name, moho_job_keys[id].path, why_text);
}

/* Two keys that cannot both be given; the place is that of the second. */
static moho_status exclude(const moho_job *job, moho_job_id first, moho_job_id second, const char *hint) {
  char here[400];
  const moho_job_value *other = &job->values[first];
  char line[32] = "";
  if (other->line) snprintf(line, sizeof line, " (line %d)", other->line);
  return moho_fail_at(moho_job_place(job, second), hint, MOHO_ERROR_KEY, "%s cannot be combined with %s%s",
                      moho_job_where(job, second, here), moho_job_keys[first].path, line);
}

static moho_status need_all(const moho_job *job, const moho_job_id *ids, size_t count, const char *why, const char *hint) {
  for (size_t i = 0; i < count; i++)
    if (!moho_job_given(job, ids[i])) return missing(job, ids[i], why, hint);
  return MOHO_OK;
}

static moho_status refuse_any(const moho_job *job, moho_job_id with, const moho_job_id *ids, size_t count, const char *hint) {
  for (size_t i = 0; i < count; i++)
    if (moho_job_given(job, ids[i])) return exclude(job, with, ids[i], hint);
  return MOHO_OK;
}

static moho_status check_file(const moho_job *job) {
  if (!moho_job_given(job, MOHO_KEY_INPUT_TRACES))
    return missing(job, MOHO_KEY_INPUT_TRACES, "", "name the trace file: \"input: {traces: line.sgy}\"");
  if (moho_job_given(job, MOHO_KEY_INPUT_COORDINATE_SCALAR) && !moho_job_is(job, MOHO_KEY_INPUT_COORDINATE_SCALAR, "auto") &&
      moho_job_number(job, MOHO_KEY_INPUT_COORDINATE_SCALAR) == 0) {
    char here[400];
    return moho_fail_at(moho_job_place(job, MOHO_KEY_INPUT_COORDINATE_SCALAR),
                        "1 leaves coordinates as they are, -100 divides by 100", MOHO_ERROR_RANGE,
                        "%s is 0, which scales nothing", moho_job_where(job, MOHO_KEY_INPUT_COORDINATE_SCALAR, here));
  }
  return MOHO_OK;
}

static moho_status check_select(const moho_job *job) {
  if (moho_job_given(job, MOHO_KEY_SELECT_AZIMUTH_FOLDED) && !moho_job_given(job, MOHO_KEY_SELECT_AZIMUTH))
    return missing(job, MOHO_KEY_SELECT_AZIMUTH, "azimuth_folded says how it is meant", "azimuth_deg: [[80, 100]]");
  int is_ovt = moho_job_given(job, MOHO_KEY_SELECT_OVT_INLINE) || moho_job_given(job, MOHO_KEY_SELECT_OVT_CROSSLINE);
  if (!is_ovt && moho_job_given_below(job, MOHO_KEY_SELECT_OVT))
    return missing(job, MOHO_KEY_SELECT_OVT_INLINE, "a tile needs a range",
                   "ovt: {inline_m: [0, 200], crossline_m: [-100, 100]}");
  int has_axes = moho_job_given(job, MOHO_KEY_GRID_CORNERS) || moho_job_given(job, MOHO_KEY_GRID_ORIGIN) ||
                 !moho_job_is(job, MOHO_KEY_SELECT_OVT_AZIMUTH, "auto");
  if (is_ovt && !has_axes)
    return missing(job, MOHO_KEY_SELECT_OVT_AZIMUTH, "the grid is automatic, and is found from the traces selected",
                   "say in which direction the inlines run, or give the grid; moho info suggests one");
  if (!moho_job_given(job, MOHO_KEY_SELECT_WHERE)) return MOHO_OK;
  if (!moho_selection_check_where(moho_job_text(job, MOHO_KEY_SELECT_WHERE))) return MOHO_OK;
  return moho_fail_add_place(moho_job_place(job, MOHO_KEY_SELECT_WHERE), NULL);
}

moho_status moho_job_check_input(const moho_job *job) {
  MOHO_TRY(check_file(job));
  MOHO_TRY(check_select(job));
  return moho_run_statics_check(job);
}

/* ---- velocity ---- */

static const moho_job_id velocity_sources[] = {MOHO_KEY_VELOCITY_CONSTANT, MOHO_KEY_VELOCITY_LINEAR_T0,
                                               MOHO_KEY_VELOCITY_LINEAR_Z, MOHO_KEY_VELOCITY_TABLE, MOHO_KEY_VELOCITY_CUBE};

static int source_given(const moho_job *job, moho_job_id id) {
  return moho_job_given(job, id) || moho_job_given_below(job, id);
}

static moho_status check_one_source(const moho_job *job, moho_job_id *source) {
  const moho_job_id *found = NULL;
  for (size_t i = 0; i < sizeof velocity_sources / sizeof *velocity_sources; i++) {
    if (!source_given(job, velocity_sources[i])) continue;
    if (found) return exclude(job, *found, velocity_sources[i], "keep one of constant_mps, linear_t0, linear_z, table, cube");
    found = &velocity_sources[i];
  }
  if (!found)
    return missing(job, MOHO_KEY_VELOCITY, "no velocity is given",
                   "give one of constant_mps, linear_t0, linear_z, table, cube: \"velocity: {constant_mps: 2500}\"");
  *source = *found;
  return MOHO_OK;
}

/* A velocity in km/s or ft/s shows by its size. */
static moho_status check_velocity_range(const moho_job *job, moho_job_id id) {
  double v = moho_job_number(job, id), least = moho_job_number(job, MOHO_KEY_VELOCITY_MIN),
         most = moho_job_number(job, MOHO_KEY_VELOCITY_MAX);
  if (v >= least && v <= most) return MOHO_OK;
  char here[400], hint[200] = "velocities are in m/s";
  if (v * 1000 >= least && v * 1000 <= most)
    snprintf(hint, sizeof hint, "velocities are in m/s: %.10g km/s is %.10g", v, v * 1000);
  else if (v > most && v * 0.3048 <= most)
    snprintf(hint, sizeof hint, "velocities are in m/s: %.10g ft/s is %.10g", v, v * 0.3048);
  return moho_fail_at(moho_job_place(job, id), hint, MOHO_ERROR_RANGE, "%s is %.10g m/s, expected %.10g to %.10g",
                      moho_job_where(job, id, here), v, least, most);
}

static moho_status check_law(const moho_job *job, moho_job_id v0, moho_job_id growth, const char *type) {
  if (!moho_job_given(job, v0)) return missing(job, v0, "", "both numbers of the law are needed");
  if (!moho_job_given(job, growth)) return missing(job, growth, "", "both numbers of the law are needed");
  if (moho_job_given(job, MOHO_KEY_VELOCITY_TYPE) && !moho_job_is(job, MOHO_KEY_VELOCITY_TYPE, type)) {
    char here[400];
    return moho_fail_at(moho_job_place(job, MOHO_KEY_VELOCITY_TYPE), "leave velocity.type out: the law says it", MOHO_ERROR_KEY,
                        "%s is %s, but this law is one of %s velocity", moho_job_where(job, MOHO_KEY_VELOCITY_TYPE, here),
                        moho_job_text(job, MOHO_KEY_VELOCITY_TYPE), type);
  }
  return check_velocity_range(job, v0);
}

moho_status moho_job_check_velocity(const moho_job *job) {
  moho_job_id source = MOHO_KEY_VELOCITY;
  MOHO_TRY(check_one_source(job, &source));
  if (moho_job_number(job, MOHO_KEY_VELOCITY_MIN) >= moho_job_number(job, MOHO_KEY_VELOCITY_MAX))
    return exclude(job, MOHO_KEY_VELOCITY_MIN, MOHO_KEY_VELOCITY_MAX, "min_mps must be less than max_mps");
  int from_file = source == MOHO_KEY_VELOCITY_TABLE || source == MOHO_KEY_VELOCITY_CUBE;
  const moho_job_id range[] = {MOHO_KEY_VELOCITY_MIN, MOHO_KEY_VELOCITY_MAX};
  if (!from_file) MOHO_TRY(refuse_any(job, source, range, 2, "the accepted range belongs to a table or cube"));
  if (source != MOHO_KEY_VELOCITY_TABLE && moho_job_given(job, MOHO_KEY_VELOCITY_FORMAT))
    return exclude(job, source, MOHO_KEY_VELOCITY_FORMAT, "format belongs to velocity.table");
  if (source != MOHO_KEY_VELOCITY_TABLE && moho_job_given(job, MOHO_KEY_VELOCITY_COLUMNS))
    return exclude(job, source, MOHO_KEY_VELOCITY_COLUMNS, "columns belong to velocity.table");
  if (moho_job_is(job, MOHO_KEY_VELOCITY_FORMAT, "columns") && !moho_job_given(job, MOHO_KEY_VELOCITY_COLUMNS))
    return missing(job, MOHO_KEY_VELOCITY_COLUMNS, "format columns needs them", "columns: \"x,y,time_ms,velocity\"");
  switch (source) {
  case MOHO_KEY_VELOCITY_CONSTANT: return check_velocity_range(job, source);
  case MOHO_KEY_VELOCITY_LINEAR_T0:
    return check_law(job, MOHO_KEY_VELOCITY_LINEAR_T0_V0, MOHO_KEY_VELOCITY_LINEAR_T0_SLOPE, "rms");
  case MOHO_KEY_VELOCITY_LINEAR_Z:
    return check_law(job, MOHO_KEY_VELOCITY_LINEAR_Z_V0, MOHO_KEY_VELOCITY_LINEAR_Z_GRADIENT, "interval");
  default:
    if (moho_job_given(job, MOHO_KEY_VELOCITY_TYPE)) return MOHO_OK;
    return missing(job, MOHO_KEY_VELOCITY_TYPE, "a file of velocities does not say what they are",
                   "velocity.type: rms, interval or average");
  }
}

/* ---- eta ---- */

static moho_status check_eta(const moho_job *job) {
  static const moho_job_id sources[] = {MOHO_KEY_ETA_CONSTANT, MOHO_KEY_ETA_TABLE, MOHO_KEY_ETA_CUBE};
  const char *law = moho_job_text(job, MOHO_KEY_TRAVELTIME);
  const moho_job_id *found = NULL;
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
    if (!moho_job_given(job, sources[i])) continue;
    if (found) return exclude(job, *found, sources[i], "keep one of constant, table, cube");
    found = &sources[i];
  }
  int is_vti = strncmp(law, "vti", 3) == 0;
  if (is_vti && !found)
    return missing(job, MOHO_KEY_ETA, "migration.traveltime vti needs it",
                   "for example \"eta: {type: effective, constant: 0.1}\"");
  if (found && !is_vti)
    return exclude(job, MOHO_KEY_TRAVELTIME, *found, "eta belongs to migration.traveltime vti and vti_rational");
  if (!found && moho_job_given(job, MOHO_KEY_ETA_TYPE))
    return missing(job, MOHO_KEY_ETA, "only its type is given", "add constant, table or cube");
  if (moho_job_given(job, MOHO_KEY_ETA_COLUMNS) && (!found || *found != MOHO_KEY_ETA_TABLE))
    return exclude(job, MOHO_KEY_ETA, MOHO_KEY_ETA_COLUMNS, "columns belong to eta.table");
  return MOHO_OK;
}

/* curved_linear is the law of one kind of velocity. A job without any has its velocity elsewhere: the migration looks at it. */
static moho_status check_traveltime(const moho_job *job) {
  int any = 0;
  for (size_t i = 0; i < sizeof velocity_sources / sizeof *velocity_sources; i++) any |= source_given(job, velocity_sources[i]);
  if (!any) return MOHO_OK;
  if (!moho_job_is(job, MOHO_KEY_TRAVELTIME, "curved_linear") || source_given(job, MOHO_KEY_VELOCITY_LINEAR_Z) ||
      moho_job_given(job, MOHO_KEY_VELOCITY_CONSTANT))
    return MOHO_OK;
  return missing(job, MOHO_KEY_VELOCITY_LINEAR_Z, "migration.traveltime curved_linear needs it",
                 "give velocity.linear_z, or use migration.traveltime curved_ray: it takes any velocity");
}

moho_status moho_job_check_travel_time(const moho_job *job) {
  MOHO_TRY(check_eta(job));
  return check_traveltime(job);
}

/* ---- grid ---- */

static moho_status check_corners(const moho_job *job) {
  const moho_job_id excluded[] = {MOHO_KEY_GRID_ORIGIN, MOHO_KEY_GRID_AZIMUTH, MOHO_KEY_GRID_FLIP, MOHO_KEY_GRID_INLINE_N,
                                  MOHO_KEY_GRID_CROSSLINE_N};
  MOHO_TRY(refuse_any(job, MOHO_KEY_GRID_CORNERS, excluded, 5, "the corners and spacings say it; moho explain prints it"));
  const moho_job_id needed[] = {MOHO_KEY_GRID_CROSSLINE_SPACING, MOHO_KEY_GRID_INLINE_SPACING};
  size_t count = job->values[MOHO_KEY_GRID_CORNERS].n_points == 2 ? 1 : 2;
  return need_all(job, needed, count, "a grid by corners needs it", "crossline: {spacing_m: 25}, inline: {spacing_m: 25}");
}

static moho_status check_origin(const moho_job *job) {
  const moho_job_id needed[] = {MOHO_KEY_GRID_INLINE_N, MOHO_KEY_GRID_CROSSLINE_N, MOHO_KEY_GRID_CROSSLINE_SPACING};
  const char *hint = "inline: {first: 1, n: 80, spacing_m: 25}, crossline: {first: 1, n: 120, spacing_m: 25}";
  MOHO_TRY(need_all(job, needed, 3, "a grid by origin needs it", hint));
  if (moho_job_number(job, MOHO_KEY_GRID_INLINE_N) > 1 && !moho_job_given(job, MOHO_KEY_GRID_INLINE_SPACING))
    return missing(job, MOHO_KEY_GRID_INLINE_SPACING, "a grid by origin needs it", hint);
  return MOHO_OK;
}

static moho_status check_auto_grid(const moho_job *job) {
  const moho_job_id excluded[] = {MOHO_KEY_GRID_AZIMUTH,          MOHO_KEY_GRID_FLIP,           MOHO_KEY_GRID_INLINE_FIRST,
                                  MOHO_KEY_GRID_INLINE_STEP,      MOHO_KEY_GRID_INLINE_N,       MOHO_KEY_GRID_INLINE_SPACING,
                                  MOHO_KEY_GRID_CROSSLINE_FIRST,  MOHO_KEY_GRID_CROSSLINE_STEP, MOHO_KEY_GRID_CROSSLINE_N,
                                  MOHO_KEY_GRID_CROSSLINE_SPACING};
  for (size_t i = 0; i < sizeof excluded / sizeof *excluded; i++)
    if (moho_job_given(job, excluded[i])) {
      char here[400];
      return moho_fail_at(moho_job_place(job, excluded[i]),
                          "give grid.corners or grid.origin_m too; \"moho info\" suggests a grid", MOHO_ERROR_KEY,
                          "%s is given, but the grid has neither corners nor origin_m", moho_job_where(job, excluded[i], here));
    }
  return MOHO_OK;
}

moho_status moho_job_check_grid(const moho_job *job) {
  const moho_job_id steps[] = {MOHO_KEY_GRID_INLINE_STEP, MOHO_KEY_GRID_CROSSLINE_STEP};
  for (size_t i = 0; i < 2; i++)
    if (moho_job_number(job, steps[i]) == 0) {
      char here[400];
      return moho_fail_at(moho_job_place(job, steps[i]), "1 numbers nodes one by one", MOHO_ERROR_RANGE, "%s is 0",
                          moho_job_where(job, steps[i], here));
    }
  if (moho_job_given(job, MOHO_KEY_GRID_CORNERS)) return check_corners(job);
  if (moho_job_given(job, MOHO_KEY_GRID_ORIGIN)) return check_origin(job);
  return check_auto_grid(job);
}

/* ---- migration, execution ---- */

static moho_status check_iterations(const moho_job *job) {
  if (!(moho_job_number(job, MOHO_KEY_ITERATIONS) > 0)) {
    if (moho_job_given(job, MOHO_KEY_DAMPING) && moho_job_number(job, MOHO_KEY_DAMPING) > 0)
      return exclude(job, MOHO_KEY_DAMPING, MOHO_KEY_ITERATIONS, "damping belongs to migration.iterations above 0");
    return MOHO_OK;
  }
  if (moho_job_is(job, MOHO_KEY_NORMALISE, "fold"))
    return exclude(job, MOHO_KEY_ITERATIONS, MOHO_KEY_NORMALISE,
                   "the amplitudes of a least-squares image do not grow with the fold: leave normalise at none");
  if (!moho_job_is(job, MOHO_KEY_GATHERS_KIND, "none"))
    return exclude(job, MOHO_KEY_ITERATIONS, MOHO_KEY_GATHERS_KIND, "least squares gives a stack: set gathers.kind to none");
  if (moho_job_given(job, MOHO_KEY_LEVELS) && strcmp(moho_job_text(job, MOHO_KEY_LEVELS), "1") != 0)
    return exclude(job, MOHO_KEY_ITERATIONS, MOHO_KEY_LEVELS, "leave migration.levels out");
  if (moho_job_is(job, MOHO_KEY_TIME_SAMPLING, "auto") || moho_job_given(job, MOHO_KEY_TIME_SAMPLING_F_MAX))
    return exclude(job, MOHO_KEY_ITERATIONS, MOHO_KEY_TIME_SAMPLING, "leave migration.time_sampling at uniform");
  if (moho_job_is(job, MOHO_KEY_ADAPTIVE, "on") || moho_job_given_below(job, MOHO_KEY_ADAPTIVE))
    return exclude(job, MOHO_KEY_ITERATIONS, MOHO_KEY_ADAPTIVE, "leave migration.adaptive off");
  return MOHO_OK;
}

static moho_status check_migration(const moho_job *job) {
  if (moho_job_number(job, MOHO_KEY_APERTURE_MIN) > moho_job_number(job, MOHO_KEY_APERTURE_MAX))
    return exclude(job, MOHO_KEY_APERTURE_MAX, MOHO_KEY_APERTURE_MIN, "min_m must not exceed max_m");
  if (moho_job_given(job, MOHO_KEY_ANTIALIAS_FACTOR) && moho_job_is(job, MOHO_KEY_ANTIALIAS, "none"))
    return exclude(job, MOHO_KEY_ANTIALIAS, MOHO_KEY_ANTIALIAS_FACTOR,
                   "antialias is none: choose triangle or filter_bank, or leave the factor out");
  if (moho_job_given(job, MOHO_KEY_ANTIALIAS_FILTERS) && !moho_job_is(job, MOHO_KEY_ANTIALIAS, "filter_bank"))
    return exclude(job, MOHO_KEY_ANTIALIAS, MOHO_KEY_ANTIALIAS_FILTERS, "antialias_filters belongs to antialias: filter_bank");
  if (moho_job_is(job, MOHO_KEY_WEIGHT, "true_amplitude") && moho_job_is(job, MOHO_KEY_NORMALISE, "fold"))
    return exclude(job, MOHO_KEY_WEIGHT, MOHO_KEY_NORMALISE,
                   "true amplitudes are a mean over offset classes already: leave normalise at none");
  return check_iterations(job);
}

/* ---- gathers ---- */

/* Edges that the kind of gathers has none of. */
static moho_status refuse_gather_keys(const moho_job *job, const moho_job_id *ids, size_t count) {
  char hint[120];
  snprintf(hint, sizeof hint, "leave it out, or choose another gathers.kind than %s", moho_job_text(job, MOHO_KEY_GATHERS_KIND));
  return refuse_any(job, MOHO_KEY_GATHERS_KIND, ids, count, hint);
}

static moho_status check_mute(const moho_job *job) {
  enum { MOST_POINTS = 256 };
  size_t n = job->values[MOHO_KEY_GATHERS_MUTE].n_list;
  char here[400];
  if (n % 2 == 0 && n <= 2 * MOST_POINTS) return MOHO_OK;
  return moho_fail_at(moho_job_place(job, MOHO_KEY_GATHERS_MUTE), "write offset, time, offset, time: [0, 0.1, 3000, 1.8]",
                      MOHO_ERROR_FORMAT, "%s has %zu numbers, expected pairs, at most %d",
                      moho_job_where(job, MOHO_KEY_GATHERS_MUTE, here), n, MOST_POINTS);
}

static moho_status check_gathers(const moho_job *job) {
  const moho_job_id offset[] = {MOHO_KEY_GATHERS_EDGES, MOHO_KEY_GATHERS_SIGNED},
                    tiles[] = {MOHO_KEY_GATHERS_EDGES_INLINE, MOHO_KEY_GATHERS_EDGES_CROSSLINE},
                    angle[] = {MOHO_KEY_GATHERS_EDGES_DEG}, after[] = {MOHO_KEY_GATHERS_INVERSE_NMO, MOHO_KEY_GATHERS_MUTE};
  static const char *const edges = "edges_m: [0, 500, 1000], or {first: 0, last: 3000, step: 100}";
  int is_offset = moho_job_is(job, MOHO_KEY_GATHERS_KIND, "offset"), is_ovt = moho_job_is(job, MOHO_KEY_GATHERS_KIND, "ovt");
  int is_angle = moho_job_is(job, MOHO_KEY_GATHERS_KIND, "angle");
  if (!is_offset) MOHO_TRY(refuse_gather_keys(job, offset, 2));
  if (!is_angle) MOHO_TRY(refuse_gather_keys(job, angle, 1));
  if (is_angle) MOHO_TRY(need_all(job, angle, 1, "gathers by angle need it", "edges_deg: {first: 0, last: 60, step: 5}"));
  if (!is_ovt) MOHO_TRY(refuse_gather_keys(job, tiles, 2));
  if (!is_offset && !is_ovt) MOHO_TRY(refuse_gather_keys(job, after, 2));
  MOHO_TRY(check_mute(job));
  if (is_offset) MOHO_TRY(need_all(job, offset, 1, "gathers by offset need it", edges));
  if (is_ovt) MOHO_TRY(need_all(job, tiles, 2, "gathers by tile need it", "edges_inline_m: [-600, 0, 600]"));
  return MOHO_OK;
}

/* Levels, zones and a mask each have grids of their own: one of them at a time. */
static moho_status check_less_work(const moho_job *job) {
  int levels = strpbrk(moho_job_text(job, MOHO_KEY_LEVELS), "24") != NULL;
  const moho_job_value *table = &job->values[MOHO_KEY_TIME_SAMPLING_F_MAX];
  int zones = table->given || moho_job_is(job, MOHO_KEY_TIME_SAMPLING, "auto");
  moho_job_id zones_key = table->given ? MOHO_KEY_TIME_SAMPLING_F_MAX : MOHO_KEY_TIME_SAMPLING;
  int adaptive = moho_job_is(job, MOHO_KEY_ADAPTIVE, "on") || moho_job_given_below(job, MOHO_KEY_ADAPTIVE);
  if (levels && !strchr(moho_job_text(job, MOHO_KEY_LEVELS), '1')) {
    char here[400];
    return moho_fail_at(moho_job_place(job, MOHO_KEY_LEVELS), "add 1, or choose a coarser grid", MOHO_ERROR_KEY,
                        "%s is [%s], without 1, the image itself", moho_job_where(job, MOHO_KEY_LEVELS, here),
                        moho_job_text(job, MOHO_KEY_LEVELS));
  }
  if (levels && zones) return exclude(job, MOHO_KEY_LEVELS, zones_key, "coarse levels have one step for all times");
  if (adaptive && levels) return exclude(job, MOHO_KEY_LEVELS, MOHO_KEY_ADAPTIVE, "a mask belongs to one grid");
  if (adaptive && zones) return exclude(job, zones_key, MOHO_KEY_ADAPTIVE, "a mask needs a uniform time axis");
  for (size_t i = 0; i < table->n_points; i++)
    if (!(table->points[i][1] > 0) || (i && !(table->points[i][0] > table->points[i - 1][0]))) {
      char here[400];
      return moho_fail_at(moho_job_place(job, MOHO_KEY_TIME_SAMPLING_F_MAX), "[[0, 80], [2.0, 40]]: seconds, Hz",
                          MOHO_ERROR_RANGE, "%s: point %zu is [%g, %g], expected times that grow and frequencies above 0",
                          moho_job_where(job, MOHO_KEY_TIME_SAMPLING_F_MAX, here), i + 1, table->points[i][0],
                          table->points[i][1]);
    }
  return MOHO_OK;
}

moho_status moho_job_check_migration(const moho_job *job) {
  MOHO_TRY(check_migration(job));
  MOHO_TRY(check_gathers(job));
  return check_less_work(job);
}

static moho_status check_execution(const moho_job *job) {
  if (moho_job_given(job, MOHO_KEY_THREADS) && strstr(moho_job_text(job, MOHO_KEY_DEVICE), "threads="))
    return exclude(job, MOHO_KEY_DEVICE, MOHO_KEY_THREADS, "say the number of threads once");
  return MOHO_OK;
}

MOHO_API moho_status moho_job_check(const moho_job *job) {
  MOHO_TRY(moho_job_check_input(job));
  MOHO_TRY(moho_job_check_velocity(job));
  MOHO_TRY(moho_job_check_travel_time(job));
  MOHO_TRY(moho_job_check_grid(job));
  MOHO_TRY(moho_job_check_migration(job));
  return check_execution(job);
}
