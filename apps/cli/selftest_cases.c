/* selftest_cases.c - what moho selftest migrates: small generated surveys, and every option that matters. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "selftest.h"

static moho_migration_options plain(void) {
  moho_migration_options o = moho_migration_options_default();
  o.aperture_max_m = 200;
  o.aperture_max_dip_deg = 50;
  o.weight = MOHO_WEIGHT_NONE;
  o.rho_filter = MOHO_RHO_NONE;
  o.refine = 1;
  return o;
}

static moho_mute_line outer_mute(void) {
  return (moho_mute_line){.n = 2, .offset_m = {0, 250}, .time_s = {0.03, 0.12}};
}

static moho_mute_line inner_mute(void) {
  return (moho_mute_line){.n = 2, .offset_m = {0, 250}, .time_s = {0.3, 0.45}};
}

static size_t list_all(selftest_case cases[SELFTEST_MAX_CASES]) {
  size_t n = 0;
#define CASE(words, where, quick, change)                                          \
  do {                                                                             \
    cases[n] = (selftest_case){.name = words, .survey = where, .is_quick = quick}; \
    moho_migration_options *o = &cases[n++].options;                               \
    *o = plain();                                                                  \
    change;                                                                        \
  } while (0)
  CASE("linear", SELFTEST_SPACE, 1, (void)o);
  CASE("cubic", SELFTEST_SPACE, 0, o->interpolation = MOHO_INTERPOLATION_CUBIC);
  CASE("sinc8", SELFTEST_SPACE, 0, o->interpolation = MOHO_INTERPOLATION_SINC8);
  CASE("linear, refined by 4", SELFTEST_SPACE, 0, o->refine = 4);
  CASE("spreading", SELFTEST_SPACE, 0, o->weight = MOHO_WEIGHT_SPREADING);
  CASE("obliquity", SELFTEST_SPACE, 0, o->weight = MOHO_WEIGHT_OBLIQUITY);
  CASE("spreading and obliquity, cubic", SELFTEST_SPACE, 0, o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY;
       o->interpolation = MOHO_INTERPOLATION_CUBIC);
  CASE("rho filter 3d, no taper", SELFTEST_SPACE, 0, o->rho_filter = MOHO_RHO_3D; o->aperture_taper = 0);
  CASE("wide taper, inner radius", SELFTEST_SPACE, 0, o->aperture_taper = 0.6; o->aperture_min_m = 60);
  CASE("stretch mute, over fold", SELFTEST_SPACE, 0, o->stretch_mute = 0.3; o->normalise = MOHO_NORMALISE_FOLD);
  CASE("stretch mute, weights", SELFTEST_LATERAL, 1, o->stretch_mute = 0.2; o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("triangle antialias", SELFTEST_SPACE, 0, o->antialias = MOHO_ANTIALIAS_TRIANGLE);
  CASE("triangle antialias, cubic, weights", SELFTEST_LATERAL, 0, o->antialias = MOHO_ANTIALIAS_TRIANGLE;
       o->interpolation = MOHO_INTERPOLATION_CUBIC; o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("triangle antialias, sinc8", SELFTEST_DELAYED, 1, o->antialias = MOHO_ANTIALIAS_TRIANGLE;
       o->interpolation = MOHO_INTERPOLATION_SINC8);
  CASE("lateral velocity", SELFTEST_LATERAL, 0, (void)o);
  CASE("lateral velocity, sinc8", SELFTEST_LATERAL, 0, o->interpolation = MOHO_INTERPOLATION_SINC8);
  CASE("delays and mutes", SELFTEST_DELAYED, 0, (void)o);
  CASE("delays and mutes, cubic, rho 3d", SELFTEST_DELAYED, 0, o->interpolation = MOHO_INTERPOLATION_CUBIC;
       o->rho_filter = MOHO_RHO_3D);
  CASE("line: 2.5D weights, rho 2d", SELFTEST_LINE, 1, o->weight = MOHO_WEIGHT_AUTO; o->rho_filter = MOHO_RHO_AUTO);
  CASE("line: triangle antialias", SELFTEST_LINE, 0, o->antialias = MOHO_ANTIALIAS_TRIANGLE);
  CASE("filter bank", SELFTEST_SPACE, 0, o->antialias = MOHO_ANTIALIAS_FILTER_BANK);
  CASE("filter bank, cubic, weights", SELFTEST_LATERAL, 0, o->antialias = MOHO_ANTIALIAS_FILTER_BANK;
       o->interpolation = MOHO_INTERPOLATION_CUBIC; o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("true amplitude", SELFTEST_LATERAL, 1, o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE; o->rho_filter = MOHO_RHO_AUTO);
  CASE("true amplitude of raw data, triangle", SELFTEST_SPACE, 0, o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE;
       o->amplitude = MOHO_AMPLITUDE_RAW; o->antialias = MOHO_ANTIALIAS_TRIANGLE; o->rho_filter = MOHO_RHO_AUTO);
  CASE("line: true amplitude", SELFTEST_LINE, 0, o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE; o->rho_filter = MOHO_RHO_AUTO);
  CASE("line: true amplitude of raw data", SELFTEST_LINE, 0, o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE;
       o->amplitude = MOHO_AMPLITUDE_RAW; o->rho_filter = MOHO_RHO_AUTO);
  CASE("deep, true amplitude", SELFTEST_DEEP, 0, o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE; o->rho_filter = MOHO_RHO_AUTO);
  CASE("deep, filter bank", SELFTEST_DEEP, 0, o->antialias = MOHO_ANTIALIAS_FILTER_BANK);
  CASE("mutes by offset", SELFTEST_LATERAL, 1, o->outer_mute = outer_mute(); o->inner_mute = inner_mute());
  CASE("deep, curved_linear", SELFTEST_DEPTH, 1, o->traveltime = MOHO_TRAVELTIME_CURVED_LINEAR);
  CASE("deep, curved_linear, triangle, mute", SELFTEST_DEPTH, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_LINEAR;
       o->antialias = MOHO_ANTIALIAS_TRIANGLE; o->stretch_mute = 0.3);
  CASE("deep, curved_linear, true amplitude, rule ray", SELFTEST_DEPTH, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_LINEAR;
       o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE; o->rho_filter = MOHO_RHO_AUTO; o->aperture_rule = MOHO_APERTURE_RAY);
  CASE("deep, curved_rms", SELFTEST_DEEP, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_RMS);
  CASE("curved_rms, lateral, triangle", SELFTEST_RISING, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_RMS;
       o->antialias = MOHO_ANTIALIAS_TRIANGLE);
  CASE("deep, curved_ray", SELFTEST_DEEP, 1, o->traveltime = MOHO_TRAVELTIME_CURVED_RAY);
  CASE("curved_ray, lateral, filter bank", SELFTEST_RISING, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_RAY;
       o->antialias = MOHO_ANTIALIAS_FILTER_BANK);
  CASE("curved_ray, lateral, mute, weights", SELFTEST_RISING, 0, o->traveltime = MOHO_TRAVELTIME_CURVED_RAY;
       o->stretch_mute = 0.3; o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("deep, vti", SELFTEST_DEEP, 0, o->traveltime = MOHO_TRAVELTIME_VTI);
  CASE("vti, lateral, triangle, mute", SELFTEST_RISING, 0, o->traveltime = MOHO_TRAVELTIME_VTI;
       o->antialias = MOHO_ANTIALIAS_TRIANGLE; o->stretch_mute = 0.3);
  CASE("deep, vti_rational", SELFTEST_DEEP, 0, o->traveltime = MOHO_TRAVELTIME_VTI_RATIONAL);
  CASE("vti_rational, lateral, true amplitude", SELFTEST_RISING, 1, o->traveltime = MOHO_TRAVELTIME_VTI_RATIONAL;
       o->weight = MOHO_WEIGHT_TRUE_AMPLITUDE; o->rho_filter = MOHO_RHO_AUTO);
  CASE("half storage", SELFTEST_SPACE, 0, o->storage = MOHO_STORAGE_HALF);
  CASE("half storage, weights, delays", SELFTEST_DELAYED, 0, o->storage = MOHO_STORAGE_HALF;
       o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY);
  CASE("deep", SELFTEST_DEEP, 1, (void)o);
  CASE("deep, weights, cubic", SELFTEST_DEEP, 0, o->weight = MOHO_WEIGHT_SPREADING_OBLIQUITY;
       o->interpolation = MOHO_INTERPOLATION_CUBIC);
  CASE("deep, half storage", SELFTEST_DEEP, 0, o->storage = MOHO_STORAGE_HALF);
  CASE("small batches", SELFTEST_LATERAL, 0, o->constants = "BATCH_TRACES=40,LAUNCH_TRACES=32,LAUNCH_COLUMNS=16");
#undef CASE
  return n;
}

size_t selftest_list_cases(int quick, selftest_case cases[SELFTEST_MAX_CASES]) {
  size_t n = list_all(cases), kept = 0;
  for (size_t i = 0; i < n; i++)
    if (!quick || cases[i].is_quick) cases[kept++] = cases[i];
  return kept;
}

/* ---- surveys ---- */

void selftest_survey_release(selftest_survey *s) {
  moho_geometry_release(&s->geometry);
  moho_grid_release(&s->grid);
  moho_velocity_destroy(&s->velocity);
  moho_eta_destroy(&s->eta);
  free(s->traces);
  *s = (selftest_survey){0};
}

/* 5 x 6 midpoints (deep: 3 x 3), two offsets, two azimuths; data below 80 Hz. */
static moho_status survey_options(selftest_survey_kind kind, moho_synth_options *o) {
  typedef const char *const setting[2];
  static setting common[] = {{"extent_inline_m", "100"},     {"extent_crossline_m", "125"},
                             {"n_samples", "251"},           {"noise", "0"},
                             {"diffractors", "50:62:220:1"}, {"reflectors", "50:62:160:15:60:0.3"}};
  static setting line[] = {{"extent_inline_m", "0"}};
  static setting deep[] = {
      {"extent_inline_m", "50"}, {"extent_crossline_m", "50"}, {"n_samples", "751"}, {"diffractors", "25:25:900:1"}};
  int is_deep = kind == SELFTEST_DEEP || kind == SELFTEST_DEPTH;
  moho_status status = moho_synth_options_preset("tiny", o);
  for (size_t i = 0; !status && i < sizeof common / sizeof *common; i++)
    status = moho_synth_options_set(o, common[i][0], common[i][1]);
  for (size_t i = 0; !status && kind == SELFTEST_LINE && i < sizeof line / sizeof *line; i++)
    status = moho_synth_options_set(o, line[i][0], line[i][1]);
  for (size_t i = 0; !status && is_deep && i < sizeof deep / sizeof *deep; i++)
    status = moho_synth_options_set(o, deep[i][0], deep[i][1]);
  return status;
}

/* Four functions around the grid. The library reads velocity tables from files. */
static const char falling[] = /* two of them fall with time */ "-200 -200 0.0 1700\n-200 -200 0.2 2300\n-200 -200 0.5 2700\n"
                                                               "-200 300 0.0 1900\n-200 300 0.2 2600\n-200 300 0.5 2400\n"
                                                               "300 -200 0.0 2000\n300 -200 0.2 2200\n300 -200 0.5 2900\n"
                                                               "300 300 0.0 2100\n300 300 0.2 2700\n300 300 0.5 2500\n";
static const char rising[] = "-200 -200 0.0 1700\n-200 -200 0.2 2000\n-200 -200 0.5 2400\n"
                             "-200 300 0.0 1900\n-200 300 0.2 2100\n-200 300 0.5 2400\n"
                             "300 -200 0.0 2000\n300 -200 0.2 2200\n300 -200 0.5 2600\n"
                             "300 300 0.0 2100\n300 300 0.2 2400\n300 300 0.5 2900\n";

static moho_status lateral_velocity(const char *table, const moho_grid *grid, moho_velocity **out) {
  const char *folder = getenv("TMPDIR");
  char path[1024];
  snprintf(path, sizeof path, "%.900s/moho-selftest-%ld.txt", folder && *folder ? folder : "/tmp", (long)getpid());
  moho_velocity_options options = moho_velocity_options_default();
  options.kind = MOHO_VELOCITY_RMS, options.format = "columns", options.columns = "x,y,time_s,velocity", options.grid = grid;
  moho_status status = moho_write_text(path, table);
  if (!status) status = moho_velocity_read_table(path, &options, out);
  unlink(path);
  return status;
}

static void delay(moho_geometry *g) {
  static const double first_s[] = {0, 0.1, 0.0133, -0.05};
  for (size_t i = 0; i < g->n; i++) {
    g->first_sample_s[i] = first_s[i % 4];
    if (i % 3 == 0) g->mute_end_s[i] = (float)(g->first_sample_s[i] + 0.08);
  }
}

moho_status selftest_survey_create(selftest_survey_kind kind, selftest_survey *s) {
  *s = (selftest_survey){0};
  moho_status status = survey_options(kind, &s->options);
  size_t n = status ? 0 : moho_synth_trace_count(&s->options);
  if (!status) status = moho_synth_grid(&s->options, &s->grid);
  if (!status) status = moho_geometry_create(n, &s->geometry);
  if (!status && kind == SELFTEST_LATERAL) status = lateral_velocity(falling, &s->grid, &s->velocity);
  else if (!status && kind == SELFTEST_RISING) status = lateral_velocity(rising, &s->grid, &s->velocity);
  else if (!status && kind == SELFTEST_DEPTH) status = moho_velocity_create_linear_z(1800, 0.8, &s->velocity);
  else if (!status) status = moho_velocity_create_linear_t0(2200, 500, &s->velocity);
  if (!status) status = moho_eta_create_constant(MOHO_ETA_EFFECTIVE, 0.12, &s->eta);
  s->traces = status ? NULL : malloc(n * s->options.n_samples * sizeof *s->traces);
  if (!status && !s->traces) return MOHO_ERROR_MEMORY;
  if (!status) status = moho_synth_generate(&s->options, 0, n, &s->geometry, s->traces);
  if (!status && kind == SELFTEST_DELAYED) delay(&s->geometry);
  return status;
}
