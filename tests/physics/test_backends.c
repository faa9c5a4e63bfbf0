/* test_backends.c - what must hold, 10: the fast path of every instruction set against the double reference.
 *
 * Relative L2 <= 2e-8*ns (triangle antialias 1e-4), fold identical, on data below 80 Hz at 2 ms. Every value of every option at
 * least once, every pair of (interpolation, antialias, weight); the machine's instruction sets, the others are named as skipped.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "physics_support.h"

enum { NS = 251, TRACES = 96, LONGEST = 4001 };
static const double DT = 0.002;

typedef enum { V_CONSTANT, V_LINEAR_T0, V_LINEAR_Z, V_TABLE } velocity_case;
typedef enum { AT_RANDOM, ON_LATTICE } placing;

typedef struct scenario {
  moho_interpolation interpolation;
  moho_antialias antialias;
  moho_weight weight;
  velocity_case velocity;
  placing placing;
  int is_line;
  double azimuth_deg;
  moho_amplitude amplitude;
  moho_rho rho;
  moho_normalise normalise;
  double stretch_mute;                         /* 0: none */
  double taper;                                /* 0: none */
  double step_s;                               /* of the image; 0: the traces' */
  int refine;                                  /* 0: 1 */
  double min_m, max_dip_deg, antialias_factor; /* 0: the default */
  int is_delayed, is_muted;
} scenario;

#define LINEAR MOHO_INTERPOLATION_LINEAR
#define CUBIC MOHO_INTERPOLATION_CUBIC
#define SINC8 MOHO_INTERPOLATION_SINC8
#define NONE MOHO_ANTIALIAS_NONE
#define TRIANGLE MOHO_ANTIALIAS_TRIANGLE

static const scenario scenarios[] = {
    {LINEAR, NONE, MOHO_WEIGHT_NONE, .rho = MOHO_RHO_NONE, .placing = ON_LATTICE, .azimuth_deg = 30},
    {LINEAR, TRIANGLE, MOHO_WEIGHT_SPREADING, V_LINEAR_T0, .azimuth_deg = 30, .taper = 0.1},
    {LINEAR, NONE, MOHO_WEIGHT_OBLIQUITY, V_TABLE, .is_delayed = 1, .taper = 0.3, .stretch_mute = 0.3},
    {LINEAR, TRIANGLE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_TABLE, .is_line = 1, .azimuth_deg = 70, .taper = 0.1, .is_muted = 1},
    {LINEAR, NONE, MOHO_WEIGHT_AUTO, V_LINEAR_Z, .normalise = MOHO_NORMALISE_FOLD, .step_s = 0.003, .taper = 0.1, .is_muted = 1},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_NONE, V_LINEAR_Z, ON_LATTICE, .azimuth_deg = 30, .rho = MOHO_RHO_2D, .step_s = 0.001},
    {CUBIC, NONE, MOHO_WEIGHT_SPREADING, V_CONSTANT, ON_LATTICE, .is_line = 1, .taper = 1, .is_delayed = 1},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_OBLIQUITY, V_LINEAR_T0, .normalise = MOHO_NORMALISE_FOLD, .stretch_mute = 0.8,
     .antialias_factor = 0.5},
    {CUBIC, NONE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_TABLE, .azimuth_deg = 200, .rho = MOHO_RHO_3D, .refine = 2, .min_m = 80},
    {CUBIC, TRIANGLE, MOHO_WEIGHT_AUTO, V_TABLE, .amplitude = MOHO_AMPLITUDE_RAW, .is_delayed = 1, .taper = 0.1, .refine = 2},
    {SINC8, NONE, MOHO_WEIGHT_NONE, V_LINEAR_T0, .is_line = 1, .azimuth_deg = 10, .step_s = 0.0047, .taper = 0.1},
    {SINC8, TRIANGLE, MOHO_WEIGHT_SPREADING, V_LINEAR_Z, ON_LATTICE, .azimuth_deg = 30, .taper = 0.1, .is_muted = 1},
    {SINC8, NONE, MOHO_WEIGHT_OBLIQUITY, V_CONSTANT, .max_dip_deg = 85, .rho = MOHO_RHO_3D, .is_delayed = 1},
    {SINC8, TRIANGLE, MOHO_WEIGHT_SPREADING_OBLIQUITY, V_CONSTANT, .azimuth_deg = 330, .antialias_factor = 2, .taper = 0.2},
    {SINC8, NONE, MOHO_WEIGHT_AUTO, V_TABLE, .amplitude = MOHO_AMPLITUDE_RAW, .is_line = 1, .refine = 4, .stretch_mute = 0.5},
    {LINEAR, NONE, MOHO_WEIGHT_AUTO, V_LINEAR_T0, .refine = 8, .taper = 0.1, .azimuth_deg = 90, .rho = MOHO_RHO_2D},
};
enum { SCENARIOS = sizeof scenarios / sizeof *scenarios };

/* ---- survey, grid, velocity ---- */

/* Around the grid's nodes: on them and on half-way points of the lattice, with apertures of whole bins (ties), or anywhere. */
static survey survey_for(const scenario *c, const moho_grid *grid) {
  survey s = survey_create(TRACES, NS, DT);
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
  memset(s.samples + 7 * NS, 0, NS * sizeof(float));  /* dead without saying so */
  memset(s.samples + 11 * NS, 0, 60 * sizeof(float)); /* muted without saying so */
  return s;
}

static moho_grid grid_for(const scenario *c) {
  double step = c->step_s > 0 ? c->step_s : DT;
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
  return options;
}

/* ---- comparison ---- */

static void run_reference(const moho_grid *grid, const moho_velocity *velocity, const moho_migration_options *options,
                          const survey *s, double *image, int32_t *fold) {
  moho_reference *reference;
  assert_ok(moho_reference_create(grid, velocity, options, &s->geometry, s->n_samples, s->dt_s, NULL, 0, &reference));
  assert_ok(moho_reference_add(reference, &s->geometry, s->samples));
  assert_ok(moho_reference_finish(reference, image, fold));
  moho_reference_destroy(&reference);
}

/* 1 when image and fold agree with the reference's. */
static int agrees(const char *what, size_t number, double bound, const moho_image *image, const double *expected,
                  const int32_t *fold) {
  size_t n = image_size(image), differing = 0;
  for (size_t k = 0; k < n; k++) differing += image->fold[k] != fold[k];
  double error = test_relative_l2(image->stack, expected, n);
  int good = error <= bound && !differing;
  if (!good)
    print_error("%s %zu: relative L2 %.3g, expected <= %.3g; fold differs at %zu of %zu\n", what, number, error, bound, differing,
                n);
  return good;
}

static int is_available(const char *uri) {
  moho_device *device;
  moho_status status = moho_device_open(uri, &device);
  if (status) assert_int_equal(status, MOHO_ERROR_NOT_AVAILABLE);
  else moho_device_close(&device);
  return !status;
}

static const char *const simds[] = {"scalar", "avx2", "avx512", "neon"};

/* On every instruction set of this machine; how many disagree. */
static size_t compare_all(const char *what, size_t number, double bound, const moho_grid *grid, const moho_velocity *velocity,
                          const moho_migration_options *options, const survey *s) {
  size_t n = grid->n_inline * grid->n_crossline * grid->n_time, failures = 0, ran = 0;
  double *expected = malloc(n * sizeof *expected), norm = 0;
  int32_t *fold = malloc(n * sizeof *fold);
  assert_true(expected && fold);
  run_reference(grid, velocity, options, s, expected, fold);
  for (size_t k = 0; k < n; k++) norm += expected[k] * expected[k];
  assert_true(norm > 0);
  for (size_t i = 0; i < 4; i++) {
    char uri[60], name[60];
    snprintf(uri, sizeof uri, "cpu?simd=%s&threads=2", simds[i]);
    snprintf(name, sizeof name, "%s, %s", simds[i], what);
    if (!is_available(uri)) continue;
    moho_image image = migrate(uri, grid, velocity, options, s, 40);
    failures += !agrees(name, number, bound, &image, expected, fold);
    ran++;
    moho_image_release(&image);
  }
  assert_true(ran >= 1);
  free(expected), free(fold);
  return failures;
}

static size_t check_scenario(size_t number) {
  const scenario *c = &scenarios[number];
  moho_grid grid = grid_for(c);
  survey s = survey_for(c, &grid);
  moho_velocity *velocity = velocity_for(c, &grid);
  moho_migration_options options = options_for(c);
  size_t failures = compare_all("scenario", number, c->antialias == TRIANGLE ? 1e-4 : 2e-8 * NS, &grid, velocity, &options, &s);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  return failures;
}

/* Errors grow with the sample number: traces as long as surveys have them. */
static size_t check_length(size_t n_samples) {
  survey s = survey_create(6, n_samples, DT);
  moho_grid grid = grid_of(1000, 2000, 0, 2, 3, 25, n_samples, DT);
  moho_velocity *velocity;
  moho_migration_options options = moho_migration_options_default();
  for (size_t k = 0; k < s.n; k++)
    survey_place(&s, k, 1010 + 30 * (double)k, 2020 + 25 * (double)k, 300 * (double)k, 40 * (double)k);
  for (size_t part = 0; part < n_samples / NS; part++) survey_fill_with_events(&s, 60, part);
  assert_ok(moho_velocity_create_linear_t0(1800, 300, &velocity));
  size_t failures = compare_all("samples", n_samples, 2e-8 * (double)n_samples, &grid, velocity, &options, &s);
  moho_velocity_destroy(&velocity);
  survey_release(&s);
  return failures;
}

static void instruction_sets_are_named(void **state) {
  (void)state;
  for (size_t i = 0; i < 4; i++) {
    char uri[60];
    snprintf(uri, sizeof uri, "cpu?simd=%s", simds[i]);
    print_message("%s: %s\n", simds[i], is_available(uri) ? "compared" : "skipped, not on this machine");
  }
}

static void long_traces_agree_with_the_reference(void **state) {
  (void)state;
  size_t failures = check_length(1001) + check_length(LONGEST);
  assert_int_equal(failures, 0);
}

static void every_instruction_set_agrees_with_the_reference(void **state) {
  (void)state;
  size_t failures = 0;
  for (size_t i = 0; i < SCENARIOS; i++) failures += check_scenario(i);
  assert_int_equal(failures, 0);
}

/* The table above really holds what its heading says. */
static void every_pair_of_options_is_tried(void **state) {
  (void)state;
  unsigned pairs[3][2][5] = {{{0}}};
  for (size_t i = 0; i < SCENARIOS; i++) pairs[scenarios[i].interpolation][scenarios[i].antialias][scenarios[i].weight] = 1;
  for (int p = 0; p < 3; p++)
    for (int a = 0; a < 2; a++) {
      unsigned found = 0;
      for (int w = 0; w < 5; w++) found |= pairs[p][a][w];
      assert_true(found);
    }
  for (int w = 0; w < 5; w++) {
    for (int p = 0; p < 3; p++) assert_true(pairs[p][0][w] | pairs[p][1][w]);
    for (int a = 0; a < 2; a++) assert_true(pairs[0][a][w] | pairs[1][a][w] | pairs[2][a][w]);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_pair_of_options_is_tried),
      cmocka_unit_test(instruction_sets_are_named),
      cmocka_unit_test(every_instruction_set_agrees_with_the_reference),
      cmocka_unit_test(long_traces_agree_with_the_reference),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
