/* scenarios.c - what every instruction set, backend and kernel is compared on with the double reference. */
#include "scenarios.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINEAR MOHO_INTERPOLATION_LINEAR
#define CUBIC MOHO_INTERPOLATION_CUBIC
#define SINC8 MOHO_INTERPOLATION_SINC8
#define NONE MOHO_ANTIALIAS_NONE
#define TRIANGLE MOHO_ANTIALIAS_TRIANGLE

const scenario scenarios[SCENARIOS] = {
    {LINEAR, NONE, MOHO_WEIGHT_NONE, .rho = MOHO_RHO_NONE, .placing = ON_LATTICE, .azimuth_deg = 30},
    {LINEAR, TRIANGLE, MOHO_WEIGHT_SPREADING, V_LINEAR_T0, .azimuth_deg = 30, .taper = 0.1},
    {LINEAR, NONE, MOHO_WEIGHT_OBLIQUITY, V_TABLE, .is_delayed = 1, .taper = 0.3, .stretch_mute = 0.3},
    {LINEAR, TRIANGLE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_TABLE, .is_line = 1, .azimuth_deg = 70, .taper = 0.1, .is_muted = 1,
     .high_cut_hz = 45},
    {LINEAR, NONE, MOHO_WEIGHT_AUTO, V_LINEAR_Z, .normalise = MOHO_NORMALISE_FOLD, .step_s = 0.003, .taper = 0.1, .is_muted = 1},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_NONE, V_LINEAR_Z, ON_LATTICE, .azimuth_deg = 30, .rho = MOHO_RHO_2D, .step_s = 0.001},
    {CUBIC, NONE, MOHO_WEIGHT_SPREADING, V_CONSTANT, ON_LATTICE, .is_line = 1, .taper = 1, .is_delayed = 1},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_OBLIQUITY, V_LINEAR_T0, .normalise = MOHO_NORMALISE_FOLD, .stretch_mute = 0.8,
     .antialias_factor = 0.5},
    {CUBIC, NONE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_TABLE, .azimuth_deg = 200, .rho = MOHO_RHO_3D, .refine = 2, .min_m = 80},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_AUTO, V_TABLE, .amplitude = MOHO_AMPLITUDE_RAW, .is_delayed = 1, .taper = 0.1, .refine = 2},
    {SINC8, NONE, MOHO_WEIGHT_NONE, V_LINEAR_T0, .is_line = 1, .azimuth_deg = 10, .step_s = 0.0047, .taper = 0.1},
    {SINC8, TRIANGLE, MOHO_WEIGHT_SPREADING, V_LINEAR_Z, ON_LATTICE, .azimuth_deg = 30, .rho = MOHO_RHO_NONE, .high_cut_hz = 30,
     .taper = 0.1, .is_muted = 1},
    {SINC8, NONE, MOHO_WEIGHT_OBLIQUITY, V_CONSTANT, .max_dip_deg = 85, .rho = MOHO_RHO_3D, .is_delayed = 1},
    {SINC8, TRIANGLE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_CONSTANT, .azimuth_deg = 330, .antialias_factor = 2, .taper = 0.2},
    {SINC8, NONE, MOHO_WEIGHT_AUTO, V_TABLE, .amplitude = MOHO_AMPLITUDE_RAW, .is_line = 1, .refine = 4, .stretch_mute = 0.5},
    {LINEAR, NONE, MOHO_WEIGHT_AUTO, V_LINEAR_T0, .refine = 8, .taper = 0.1, .azimuth_deg = 90, .rho = MOHO_RHO_2D},
};

scenario law_scenario(size_t number) {
  static const moho_weight weights[] = {MOHO_WEIGHT_TRUE_AMPLITUDE, MOHO_WEIGHT_NONE,      MOHO_WEIGHT_SPREADING,
                                        MOHO_WEIGHT_TRUE_AMPLITUDE, MOHO_WEIGHT_OBLIQUITY, MOHO_WEIGHT_SPREADING_OBLIQUITY};
  static const double etas[] = {0.2, -0.1, 0.05};
  size_t law = number % 6, weight = number / 6;
  scenario c = {.law = (moho_traveltime)law,
                .weight = weights[weight],
                .antialias = (moho_antialias)((law + weight) % 3),
                .interpolation = (moho_interpolation)((law + weight / 2) % 3),
                .velocity = number % 5 < 2   ? V_TABLE
                            : number % 5 < 4 ? V_LINEAR_T0
                                             : V_LINEAR_Z,
                .amplitude = weight >= 2 ? MOHO_AMPLITUDE_RAW : MOHO_AMPLITUDE_SPREADING_CORRECTED,
                .is_line = number % 4 == 1,
                .azimuth_deg = 10.0 * (double)number,
                .taper = number % 3 ? 0.1 : 0,
                .stretch_mute = number % 4 == 2 ? 0.5 : 0,
                .step_s = number % 7 == 3 ? 0.003 : 0,
                .refine = number % 9 == 4 ? 2 : 0,
                .is_delayed = number % 6 == 5 || number % 5 == 4,
                .has_ray_aperture = number % 5 == 1,
                .has_mutes = number % 4 == 3};
  if (law == MOHO_TRAVELTIME_CURVED_LINEAR) c.velocity = V_LINEAR_Z;
  if (law == MOHO_TRAVELTIME_VTI || law == MOHO_TRAVELTIME_VTI_RATIONAL) c.eta = etas[weight % 3];
  return c;
}

/* ---- survey, grid, velocity ---- */

/* Around the grid's nodes: on them and on half-way points of the lattice, with apertures of whole bins (ties), or anywhere. */
static survey survey_for(const scenario *c, const moho_grid *grid) {
  survey s = survey_create(SCENARIO_TRACES, SCENARIO_NS, SCENARIO_DT);
  uint64_t seed = 21;
  double ni = (double)grid->n_inline - 1, nj = (double)grid->n_crossline - 1, a = c->azimuth_deg * PI / 180;
  for (size_t k = 0; k < s.n; k++) {
    double i = c->is_line ? 0 : (1.2 * test_uniform(&seed) - 0.1) * ni, j = (1.2 * test_uniform(&seed) - 0.1) * nj;
    double offset = 50 * (double)(k % 12), azimuth = c->is_line ? c->azimuth_deg : 360 * test_uniform(&seed);
    if (c->placing == ON_LATTICE) i = floor(2 * i) / 2, j = floor(2 * j) / 2, azimuth = c->azimuth_deg + 90 * (double)(k % 2);
    double x = grid->origin_x_m + 25 * (i * cos(a) + j * sin(a)), y = grid->origin_y_m + 25 * (-i * sin(a) + j * cos(a));
    survey_place(&s, k, x, y, c->placing == ON_LATTICE ? offset : offset + 20 * test_uniform(&seed), azimuth);
    if (c->is_delayed) s.geometry.first_sample_s[k] = (double[]){0, 0.1, 0.0133, -0.05}[k % 4];
    if (c->is_muted && k % 3 == 0) s.geometry.mute_end_s[k] = 0.1F;
  }
  survey_fill_with_events(&s, 60, 9);
  s.geometry.flags[5] = MOHO_TRACE_DEAD;
  s.geometry.flags[6] = MOHO_TRACE_NOT_SEISMIC;
  memset(s.samples + 7 * SCENARIO_NS, 0, SCENARIO_NS * sizeof(float)); /* dead without saying so */
  memset(s.samples + 11 * SCENARIO_NS, 0, 60 * sizeof(float));         /* muted without saying so */
  return s;
}

static moho_grid grid_for(const scenario *c) {
  double step = c->step_s > 0 ? c->step_s : SCENARIO_DT;
  moho_grid grid =
      grid_of(456000.5, 6780000.25, c->azimuth_deg, c->is_line ? 1 : 7, c->is_line ? 40 : 8, 25, (size_t)(0.5 / step), step);
  if (c->is_delayed) grid.first_s = 0.06;
  return grid;
}

/* Four functions at the corners of the grid's surroundings; two of them fall with time, so that the operator is steep. */
static moho_velocity *velocity_table(const moho_grid *grid) {
  const char *path = test_path("velocity.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  for (int corner = 0; corner < 4; corner++) {
    double x = grid->origin_x_m + (corner & 1 ? 300 : -300), y = grid->origin_y_m + (corner & 2 ? 300 : -300);
    double first = 1600 + 150 * corner, bend = corner % 2 ? 2600 : 2100, last = corner % 2 ? 2300 : 2900;
    fprintf(file, "%.2f %.2f 0.0 %g\n%.2f %.2f 0.2 %g\n%.2f %.2f 0.6 %g\n", x, y, first, x, y, bend, x, y, last);
  }
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = MOHO_VELOCITY_RMS, options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &velocity));
  return velocity;
}

static moho_velocity *velocity_for(const scenario *c, const moho_grid *grid) {
  moho_velocity *velocity;
  switch (c->velocity) {
  case V_CONSTANT: assert_ok(moho_velocity_create_constant(2200, &velocity)); break;
  case V_LINEAR_T0: assert_ok(moho_velocity_create_linear_t0(1700, 900, &velocity)); break;
  case V_LINEAR_Z: assert_ok(moho_velocity_create_linear_z(1800, 0.6, &velocity)); break;
  default: velocity = velocity_table(grid);
  }
  return velocity;
}

static moho_migration_options options_for(const scenario *c) {
  moho_migration_options options = moho_migration_options_default();
  options.interpolation = c->interpolation, options.antialias = c->antialias, options.weight = c->weight;
  options.amplitude = c->amplitude, options.rho_filter = c->rho, options.normalise = c->normalise;
  options.stretch_mute = c->stretch_mute > 0 ? c->stretch_mute : -1;
  options.aperture_taper = c->taper, options.aperture_min_m = c->min_m;
  options.aperture_max_m = c->placing == ON_LATTICE ? 100 : 260; /* whole bins: many ties */
  if (c->max_dip_deg > 0) options.aperture_max_dip_deg = c->max_dip_deg;
  if (c->antialias_factor > 0) options.antialias_factor = c->antialias_factor;
  if (c->refine) options.refine = c->refine;
  options.high_cut_hz = c->high_cut_hz;
  options.traveltime = c->law;
  if (c->has_ray_aperture) options.aperture_rule = MOHO_APERTURE_RAY;
  if (c->has_mutes) {
    options.outer_mute = (moho_mute_line){.n = 2, .offset_m = {100, 600}, .time_s = {0.02, 0.2}};
    options.inner_mute = (moho_mute_line){.n = 3, .offset_m = {0, 150, 500}, .time_s = {0.3, 0.4, 0.6}};
  }
  return options;
}

/* ---- cases ---- */

static void run_reference(physics_case *c) {
  size_t n = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time;
  moho_reference *reference;
  double norm = 0;
  c->expected = malloc(n * sizeof *c->expected);
  c->fold = malloc(n * sizeof *c->fold);
  assert_true(c->expected && c->fold);
  assert_ok(moho_reference_create(&c->grid, c->velocity, &c->options, &c->survey.geometry, c->survey.n_samples, c->survey.dt_s,
                                  NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &c->survey.geometry, c->survey.samples));
  assert_ok(moho_reference_finish(reference, c->expected, c->fold));
  moho_reference_destroy(&reference);
  for (size_t k = 0; k < n; k++) norm += c->expected[k] * c->expected[k];
  assert_true(norm > 0);
}

physics_case case_of_scenario(const scenario *s) {
  physics_case c = {.grid = grid_for(s), .options = options_for(s)};
  c.survey = survey_for(s, &c.grid);
  c.velocity = velocity_for(s, &c.grid);
  if (s->eta < 0 || s->eta > 0) assert_ok(moho_eta_create_constant(MOHO_ETA_EFFECTIVE, s->eta, &c.eta));
  c.options.eta = c.eta;
  c.bound = s->antialias == NONE ? 2e-8 * SCENARIO_NS : 1e-4;
  run_reference(&c);
  return c;
}

physics_case case_of_length(size_t n_samples) {
  physics_case c = {.grid = grid_of(1000, 2000, 0, 2, 3, 25, n_samples, SCENARIO_DT),
                    .survey = survey_create(6, n_samples, SCENARIO_DT),
                    .options = moho_migration_options_default(),
                    .bound = 2e-8 * (double)n_samples};
  for (size_t k = 0; k < c.survey.n; k++)
    survey_place(&c.survey, k, 1010 + 30 * (double)k, 2020 + 25 * (double)k, 300 * (double)k, 40 * (double)k);
  for (size_t part = 0; part < n_samples / SCENARIO_NS; part++) survey_fill_with_events(&c.survey, 60, part);
  assert_ok(moho_velocity_create_linear_t0(1800, 300, &c.velocity));
  run_reference(&c);
  return c;
}

void case_release(physics_case *c) {
  moho_velocity_destroy(&c->velocity);
  moho_eta_destroy(&c->eta);
  survey_release(&c->survey);
  free(c->expected), free(c->fold);
  *c = (physics_case){0};
}

int case_agrees(const char *what, size_t number, const physics_case *c, const moho_image *image, double bound, size_t differing) {
  size_t n = image_size(image), found = 0;
  for (size_t k = 0; k < n; k++) found += image->fold[k] != c->fold[k];
  double error = test_relative_l2(image->stack, c->expected, n);
  int good = error <= bound && found <= differing;
  if (!good)
    print_error("%s %zu: relative L2 %.3g, expected <= %.3g; fold differs at %zu of %zu samples, expected <= %zu\n", what, number,
                error, bound, found, n, differing);
  return good;
}
