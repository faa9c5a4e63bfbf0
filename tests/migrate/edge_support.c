/* edge_support.c - random migrations at the edges of what may be asked, compared with the double reference. */
#include "edge_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double DT = 0.004;
static const char *const simds[] = {"scalar", "avx2", "avx512", "neon"};

/* ---- random cases ---- */

static double one_of(uint64_t *random, const double *values, size_t n) {
  return values[(size_t)(test_uniform(random) * (double)n)];
}
#define ONE_OF(...) one_of(random, (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double))

static moho_grid random_grid(uint64_t *random) {
  size_t n_time = (size_t)ONE_OF(1, 2, 15, 16, 17, 70, 300, 300);
  moho_grid grid = grid_of(456000.5, 6780000.25, ONE_OF(0, 33, 270), (size_t)ONE_OF(1, 1, 2, 5), (size_t)ONE_OF(1, 2, 9), 25,
                           n_time, DT * ONE_OF(0.25, 1, 1, 1.7, 5, 40));
  grid.first_s = ONE_OF(0, 0, 0, 0.0137, 0.6);
  return grid;
}

static survey random_case_survey(uint64_t *random, const moho_grid *grid) {
  survey s = survey_create((size_t)ONE_OF(1, 3, 20), (size_t)ONE_OF(2, 3, 40, 200, 200), DT);
  double widest = ONE_OF(0, 100, 100, 3000), reach = ONE_OF(0, 60, 60, 1000), delay = ONE_OF(0, 0, 1);
  for (size_t k = 0; k < s.n; k++) {
    survey_place(&s, k, grid->origin_x_m + reach * (test_uniform(random) - 0.5), grid->origin_y_m + reach * test_uniform(random),
                 widest * test_uniform(random), 360 * test_uniform(random));
    if (delay > 0) s.geometry.first_sample_s[k] = ONE_OF(0, 0.05, -0.05, 0.0137, 0.61, -5, 5);
  }
  survey_fill_with_events(&s, 30, 77);
  return s;
}

static moho_migration_options random_options(uint64_t *random) {
  moho_migration_options o = moho_migration_options_default();
  o.interpolation = (moho_interpolation)ONE_OF(0, 1, 2);
  o.antialias = (moho_antialias)ONE_OF(0, 1);
  o.weight = (moho_weight)ONE_OF(0, 1, 2, 3, 4);
  o.rho_filter = (moho_rho)ONE_OF(0, 1, 1);
  o.antialias_factor = ONE_OF(0.05, 1, 10);
  o.aperture_max_m = ONE_OF(1e-6, 700, 700, 1e6);
  o.aperture_min_m = fmin(o.aperture_max_m, ONE_OF(0, 50, 1e6));
  o.aperture_max_dip_deg = ONE_OF(1e-3, 45, 89, 89);
  o.aperture_taper = ONE_OF(0, 0.1, 1);
  o.stretch_mute = ONE_OF(-1, -1, 0, 0.5);
  o.normalise = (moho_normalise)ONE_OF(0, 1);
  o.refine = (int)ONE_OF(1, 1, 2, 4, 8);
  o.tile_columns = (int)ONE_OF(0, 1, 1000);
  return o;
}

/* Three functions around the grid, three picks each. */
static moho_velocity *velocity_table(const moho_grid *grid, const double picks[3][3]) {
  const char *path = test_path("velocity.txt");
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  const double places[][2] = {{-200, -300}, {400, -100}, {0, 500}};
  for (int place = 0; place < 3; place++)
    for (int pick = 0; pick < 3; pick++)
      fprintf(file, "%.2f %.2f %g %g\n", grid->origin_x_m + places[place][0], grid->origin_y_m + places[place][1], 0.3 * pick,
              picks[place][pick]);
  assert_int_equal(fclose(file), 0);
  moho_velocity_options options = moho_velocity_options_default();
  moho_velocity *velocity;
  options.kind = MOHO_VELOCITY_RMS, options.format = "columns", options.columns = "x,y,time_s,velocity";
  assert_ok(moho_velocity_read_table(path, &options, &velocity));
  return velocity;
}

moho_velocity *velocity_that_varies_sideways(const moho_grid *grid) {
  return velocity_table(grid, (const double[3][3]){{1500, 4500, 1600}, {5000, 2000, 6000}, {2500, 2500, 2500}});
}

static moho_velocity *random_velocity(uint64_t *random, const moho_grid *grid) {
  moho_velocity *velocity;
  switch ((int)ONE_OF(0, 1, 2)) {
  case 0: assert_ok(moho_velocity_create_constant(ONE_OF(600, 2200, 8000), &velocity)); break;
  case 1: assert_ok(moho_velocity_create_linear_z(1500, (double)grid->n_time * grid->step_s < 2 ? 1.5 : 0.05, &velocity)); break;
  default: velocity = velocity_that_varies_sideways(grid);
  }
  return velocity;
}

edge_case edge_case_of_options(unsigned number) {
  uint64_t seed = number * 7919u + 5, *random = &seed;
  edge_case c = {.number = number, .grid = random_grid(random)};
  c.s = random_case_survey(random, &c.grid);
  c.options = random_options(random);
  c.velocity = random_velocity(random, &c.grid);
  return c;
}

/* ---- and of laws ---- */

/* Velocities that a medium has, most of them: laws that need v_int, angles and aperture along rays are not refused. */
static moho_velocity *velocity_of_a_medium(uint64_t *random, const moho_grid *grid, moho_traveltime law) {
  moho_velocity *velocity;
  double length = (double)grid->n_time * grid->step_s, kind = ONE_OF(0, 0, 1, 1, 1, 2, 2, 2, 3);
  if (law == MOHO_TRAVELTIME_CURVED_LINEAR || kind < 1)
    assert_ok(moho_velocity_create_linear_z(1700, length < 2 ? ONE_OF(0.7, -0.2, 1e-6, 0) : ONE_OF(0.05, 0), &velocity));
  else if (kind < 2) assert_ok(moho_velocity_create_constant(ONE_OF(600, 2200, 8000), &velocity));
  else if (kind < 3)
    velocity = velocity_table(grid, (const double[3][3]){{1500, 1700, 2100}, {1800, 2300, 2500}, {2500, 2500, 2500}});
  else velocity = velocity_that_varies_sideways(grid);
  return velocity;
}

static moho_mute_line random_mute(uint64_t *random, int is_outer) {
  switch ((int)ONE_OF(0, 0, 0, 1, 2, 3)) {
  case 1: return (moho_mute_line){.n = 1, .offset_m = {50}, .time_s = {is_outer ? 0.1 : 0.7}};
  case 2: return (moho_mute_line){.n = 2, .offset_m = {0, 120}, .time_s = {is_outer ? 0 : 0.3, is_outer ? 0.4 : 0.9}};
  case 3: /* steps, and more than there are times */
    return (moho_mute_line){.n = 3, .offset_m = {0, 50, 50.001}, .time_s = {is_outer ? 0.05 : 1e5, 0.2, is_outer ? 1e5 : 0}};
  default: return (moho_mute_line){.n = 0};
  }
}

/* Long enough records around the grid. */
static survey tame_survey(uint64_t *random, const moho_grid *grid) {
  survey s = survey_create((size_t)ONE_OF(3, 20), 200, DT);
  double widest = ONE_OF(100, 1000);
  for (size_t k = 0; k < s.n; k++) {
    survey_place(&s, k, grid->origin_x_m + 60 * (test_uniform(random) - 0.5), grid->origin_y_m + 60 * test_uniform(random),
                 widest * test_uniform(random), 360 * test_uniform(random));
    s.geometry.first_sample_s[k] = ONE_OF(0, 0, 0, 0.05, -0.05, 0.0137);
  }
  survey_fill_with_events(&s, 30, 77);
  return s;
}

/* Bins that nothing falls into are among them, and bins that leave most traces out. */
static moho_gather_bins random_bins(uint64_t *random) {
  static const double far[] = {0, 40, 40.001, 100, 2000, 9000}, either[] = {-3000, -50, 0, 50, 3000}, one[] = {5000, 5001},
                      along[] = {-3000, -20, 20, 3000}, across[] = {-3000, 0, 1e-3, 3000}, angles[] = {0, 5, 5.01, 60, 120, 180},
                      wide[] = {150, 180}, all[] = {0, 180};
  moho_gather_bins bins = {.kind = MOHO_GATHERS_NONE};
  switch ((int)ONE_OF(0, 0, 0, 1, 2, 3, 4, 5, 5, 6, 7)) {
  case 1: assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, far, 6, NULL, 0, &bins)); break;
  case 2: assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 1, either, 5, NULL, 0, &bins)); break;
  case 3: assert_ok(moho_gather_bins_create(MOHO_GATHERS_OFFSET, 0, one, 2, NULL, 0, &bins)); break;
  case 4: assert_ok(moho_gather_bins_create(MOHO_GATHERS_OVT, 0, along, 4, across, 4, &bins)); break;
  case 5: assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, angles, 6, NULL, 0, &bins)); break;
  case 6: assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, wide, 2, NULL, 0, &bins)); break;
  case 7: assert_ok(moho_gather_bins_create(MOHO_GATHERS_ANGLE, 0, all, 2, NULL, 0, &bins)); break;
  default: break;
  }
  return bins;
}

/* All samples, none, every second, or pieces. */
static uint8_t *random_mask(uint64_t *random, const moho_grid *grid) {
  size_t n = grid->n_inline * grid->n_crossline * grid->n_time;
  int kind = (int)ONE_OF(0, 0, 0, 0, 1, 2, 3, 4, 4);
  if (!kind) return NULL;
  uint8_t *mask = calloc(n, 1);
  assert_non_null(mask);
  for (size_t k = 0; k < n; k++) mask[k] = kind == 1 || (kind == 3 && k % 2) || (kind == 4 && test_uniform(random) < 0.9);
  return mask;
}

edge_case edge_case_of_laws(unsigned number) {
  uint64_t seed = number * 104729u + 17, *random = &seed;
  edge_case c = {.number = number, .grid = random_grid(random)};
  int is_tame = test_uniform(random) < 0.8; /* so that most cases have contributions: one edge at a time */
  if (is_tame) c.grid.n_time = (size_t)ONE_OF(17, 70, 300), c.grid.step_s = DT * ONE_OF(0.7, 1), c.grid.first_s = 0.02;
  c.s = is_tame ? tame_survey(random, &c.grid) : random_case_survey(random, &c.grid);
  c.options = random_options(random);
  moho_migration_options *o = &c.options;
  if (is_tame) {
    o->aperture_max_m = 700, o->aperture_max_dip_deg = ONE_OF(45, 70), o->aperture_min_m = ONE_OF(50, 700);
    o->stretch_mute = ONE_OF(-1, -1, 2);
  }
  o->traveltime = (moho_traveltime)(number % 6);
  if (o->traveltime >= MOHO_TRAVELTIME_VTI)
    assert_ok(moho_eta_create_constant((moho_eta_kind)ONE_OF(0, 0, 1), ONE_OF(0, 0.1, -0.1, -0.2, 1), &c.eta));
  o->antialias = (moho_antialias)ONE_OF(0, 1, 2, 2), o->antialias_filters = (int)ONE_OF(2, 8, 32);
  o->weight = (moho_weight)ONE_OF(0, 1, 2, 3, 4, 5, 5, 5);
  o->amplitude = (moho_amplitude)ONE_OF(0, 1);
  if (o->weight == MOHO_WEIGHT_TRUE_AMPLITUDE) o->normalise = MOHO_NORMALISE_NONE;
  o->rho_filter = (moho_rho)ONE_OF(0, 1, 2, 3);
  o->aperture_rule = (moho_aperture_rule)ONE_OF(0, 1);
  o->outer_mute = random_mute(random, 1), o->inner_mute = random_mute(random, 0);
  c.velocity = velocity_of_a_medium(random, &c.grid, o->traveltime);
  c.bins = random_bins(random);
  c.mask = random_mask(random, &c.grid);
  return c;
}

void edge_case_release(edge_case *c) {
  moho_velocity_destroy(&c->velocity);
  moho_eta_destroy(&c->eta);
  moho_gather_bins_release(&c->bins);
  survey_release(&c->s);
  free(c->mask);
  *c = (edge_case){0};
}

/* ---- comparison ---- */

static int is_available(const char *uri) {
  moho_device *device;
  if (moho_device_open(uri, &device)) return 0;
  moho_device_close(&device);
  return 1;
}

/* Delays of thousands of samples cost a float some digits. Largest difference over the largest value expected. */
static double largest_difference(const float *image, const double *expected, size_t n) {
  double difference = 0, largest = 0;
  for (size_t k = 0; k < n; k++) {
    difference = fmax(difference, fabs((double)image[k] - expected[k]));
    largest = fmax(largest, fabs(expected[k]));
  }
  return largest > 0 ? difference / largest : difference;
}

/* What the reference gives, nothing outside the mask. */
typedef struct expectation {
  size_t n, n_gathers; /* samples; 0: no gathers */
  double *image, *gathers;
  int32_t *fold, *gathers_fold;
} expectation;

static size_t bins_of(const edge_case *c) {
  return c->bins.kind == MOHO_GATHERS_NONE ? 0 : moho_gather_bins_count(&c->bins);
}

static void mask_expectation(const edge_case *c, expectation *e) {
  size_t bins = bins_of(c), n_time = c->grid.n_time;
  for (size_t k = 0; c->mask && k < e->n; k++) {
    if (c->mask[k]) continue;
    e->image[k] = 0, e->fold[k] = 0;
    for (size_t b = 0; b < bins; b++) {
      size_t at = (k / n_time * bins + b) * n_time + k % n_time;
      e->gathers[at] = 0, e->gathers_fold[at] = 0;
    }
  }
}

static moho_status expect(const edge_case *c, const moho_migration_options *options, expectation *e) {
  moho_reference *reference;
  moho_migration_options unmasked = *options;
  unmasked.mask = NULL;
  moho_status status =
      moho_reference_create(&c->grid, c->velocity, &unmasked, &c->s.geometry, c->s.n_samples, c->s.dt_s, NULL, 0, &reference);
  if (status) return status;
  e->n = c->grid.n_inline * c->grid.n_crossline * c->grid.n_time, e->n_gathers = e->n * bins_of(c);
  e->image = malloc(e->n * sizeof *e->image), e->fold = malloc(e->n * sizeof *e->fold);
  e->gathers = malloc((e->n_gathers + 1) * sizeof *e->gathers);
  e->gathers_fold = malloc((e->n_gathers + 1) * sizeof *e->gathers_fold);
  assert_true(e->image && e->fold && e->gathers && e->gathers_fold);
  assert_ok(moho_reference_add(reference, &c->s.geometry, c->s.samples));
  if (e->n_gathers) assert_ok(moho_reference_gathers(reference, e->gathers, e->gathers_fold));
  assert_ok(moho_reference_finish(reference, e->image, e->fold));
  moho_reference_destroy(&reference);
  mask_expectation(c, e);
  return MOHO_OK;
}

static void expectation_release(expectation *e) {
  free(e->image), free(e->fold), free(e->gathers), free(e->gathers_fold);
}

static int agrees(const edge_case *c, const char *simd, const expectation *e, const moho_image *image) {
  /* The twice integrated trace in float is right to so much of its largest value, the image may hold its smallest. */
  double bound = c->options.antialias == MOHO_ANTIALIAS_TRIANGLE ? 2e-2 : 3e-3;
  double difference = largest_difference(image->stack, e->image, e->n), of_gathers = 0;
  int same_fold = !memcmp(image->fold, e->fold, e->n * sizeof *e->fold), same_gathers_fold = 1;
  if (e->n_gathers) {
    of_gathers = largest_difference(image->gathers, e->gathers, e->n_gathers);
    same_gathers_fold = !memcmp(image->gathers_fold, e->gathers_fold, e->n_gathers * sizeof *e->gathers_fold);
  }
  if (difference < bound && of_gathers < bound && same_fold && same_gathers_fold) return 1;
  print_error("case %u, %s: differs by %.3g of the largest value, gathers by %.3g; fold %s, of gathers %s\n", c->number, simd,
              difference, of_gathers, same_fold ? "the same" : "not the same", same_gathers_fold ? "the same" : "not the same");
  return 0;
}

static int is_the_same(const edge_case *c, const char *simd, const expectation *e, const moho_image *a, const moho_image *b) {
  if (!memcmp(a->stack, b->stack, e->n * sizeof *a->stack) &&
      (!e->n_gathers || (!memcmp(a->gathers, b->gathers, e->n_gathers * sizeof *a->gathers) &&
                         !memcmp(a->gathers_fold, b->gathers_fold, e->n_gathers * sizeof *a->gathers_fold))))
    return 1;
  print_error("case %u, %s: threads, tiles or batches change the bits\n", c->number, simd);
  return 0;
}

static size_t compare_on(const edge_case *c, const moho_migration_options *options, const char *simd, const expectation *e) {
  char uri[60];
  snprintf(uri, sizeof uri, "cpu?threads=1&simd=%s", simd);
  if (!is_available(uri)) return 0;
  moho_image image = migrate(uri, &c->grid, c->velocity, options, &c->s, 7);
  snprintf(uri, sizeof uri, "cpu?threads=3&simd=%s", simd);
  moho_migration_options other = *options;
  other.tile_columns = 2;
  moho_image again = migrate(uri, &c->grid, c->velocity, &other, &c->s, 5);
  size_t failures = !agrees(c, simd, e, &image);
  failures += !is_the_same(c, simd, e, &image, &again);
  moho_image_release(&again), moho_image_release(&image);
  return failures;
}

/* The migration refuses too, with the same code, when it is made or where it first meets a column with such a velocity. */
static size_t compare_refusals(const edge_case *c, const moho_migration_options *options, moho_status status) {
  moho_error expected = *moho_last_error();
  moho_device *device;
  moho_migration *migration = NULL;
  assert_ok(moho_device_open("cpu?threads=2", &device));
  moho_status found =
      moho_migration_create(device, &c->grid, c->velocity, options, &c->s.geometry, c->s.n_samples, c->s.dt_s, &migration);
  if (!found) found = moho_migration_add(migration, &c->s.geometry, c->s.samples, NULL, NULL);
  if (found != status)
    print_error("case %u: the reference says %d, %s\nthe migration says %d, %s\n", c->number, status, expected.message, found,
                found ? moho_last_error()->message : "good");
  moho_migration_destroy(&migration);
  moho_device_close(&device);
  return found != status;
}

edge_outcome edge_case_compare(const edge_case *c) {
  edge_outcome out = {0};
  expectation e = {0};
  moho_migration_options options = c->options;
  options.eta = c->eta, options.mask = c->mask, options.gathers = bins_of(c) ? &c->bins : NULL;
  moho_status status = expect(c, &options, &e);
  if (status) return (edge_outcome){.is_refused = 1, .failures = compare_refusals(c, &options, status)};
  for (size_t k = 0; k < e.n; k++) out.has_contributions |= e.fold[k] > 0;
  for (size_t i = 0; i < sizeof simds / sizeof *simds; i++) out.failures += compare_on(c, &options, simds[i], &e);
  expectation_release(&e);
  return out;
}
