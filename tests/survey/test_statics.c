/* test_statics.c - shifts to the datum, each convention against numbers worked out by hand; odd headers are told. */
#include <math.h>
#include <string.h>

#include "segy_build.h"

/* Ten traces of 50 samples at 4 ms. */
static segy_bytes small(void) {
  return segy_build((segy_recipe){.n_traces = 10, .ns = 50, .dt_us = 4000, .revision = 1});
}

enum {
  GELEV = 41,
  SELEV = 45,
  SDEPTH = 49,
  GDEL = 53,
  SDEL = 57,
  SCALEL = 69,
  WEVEL = 91,
  SWEVEL = 93,
  SUT = 95,
  SSTAT = 99,
  GSTAT = 101,
  TSTAT = 103,
  LAGA = 105,
  LAGB = 107,
  DELRT = 109,
  TIME_SCALAR = 215
};

static void near(double got, double expected) {
  if (!(fabs(got - expected) <= 1e-12)) fail_msg("%.15g, expected %.15g", got, expected);
}

static moho_traces *shifted(const segy_bytes *file, moho_statics statics) {
  moho_traces_options options = moho_traces_options_default();
  options.statics = &statics;
  return segy_open_with(file, "statics.sgy", &options);
}

/* The first samples of traces 0... */
static void assert_firsts(const segy_bytes *file, moho_statics statics, const double *expected, size_t n) {
  moho_traces *traces = shifted(file, statics);
  for (size_t k = 0; k < n; k++) near(moho_traces_get_geometry(traces)->first_sample_s[k], expected[k]);
  moho_traces_close(&traces);
}

/* A source at 450 m, 12 m deep, a receiver at 380 m, the datum at 300 m, 2000 m/s between: the source stands 138 m above the
 * datum, the receiver 80 m. */
static void set_heights(segy_bytes *file) {
  segy_set_all(file, SELEV, 4, 450);
  segy_set_all(file, GELEV, 4, 380);
  segy_set_all(file, SDEPTH, 4, 12);
  segy_set_all(file, SCALEL, 2, 1);
}

static void nothing_is_shifted_unless_it_is_asked(void **state) {
  (void)state;
  segy_bytes file = small();
  set_heights(&file);
  segy_set_all(&file, SSTAT, 2, -20), segy_set_all(&file, GSTAT, 2, -7), segy_set_all(&file, LAGA, 2, 5);
  const double none[10] = {0};
  assert_firsts(&file, moho_statics_default(), none, 10);
  moho_traces *traces = segy_open(&file, "none.sgy");
  const moho_traces_info *info = moho_traces_get_info(traces);
  assert_int_equal(info->statics.n, 0);
  near(info->land[MOHO_LAND_SOURCE_ELEVATION].least, 450);
  near(info->land[MOHO_LAND_RECEIVER_STATIC].most, -0.007);
  assert_int_equal(info->land[MOHO_LAND_SOURCE_UPHOLE].filled, 0);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void from_the_surface(void **state) {
  (void)state;
  segy_bytes file = small();
  set_heights(&file);
  segy_set(&file, 1, GELEV, 4, 250);                                   /* below the datum: later */
  segy_set(&file, 2, DELRT, 2, 100);                                   /* on top of the delay */
  segy_set(&file, 3, SUT, 2, 8);                                       /* not looked at here */
  segy_set(&file, 4, SELEV, 4, -60), segy_set(&file, 4, SDEPTH, 4, 0); /* below the sea */
  moho_statics s = {.elevation = MOHO_STATICS_SURFACE, .datum_m = 300, .replacement_mps = 2000};
  /* -138/2000 - 80/2000 = -0.069 - 0.040; receiver 250: +50/2000; source -60: +360/2000 */
  const double depth[] = {-0.109, -0.069 + 0.025, 0.1 - 0.109, -0.109, 0.18 - 0.04};
  assert_firsts(&file, s, depth, 5);
  s.source_depth = MOHO_STATICS_DEPTH_NONE; /* -150/2000 = -0.075 */
  const double flat[] = {-0.115, -0.05, -0.015, -0.115, 0.14};
  assert_firsts(&file, s, flat, 5);
  s.source_depth = MOHO_STATICS_DEPTH_UPHOLE; /* trace 4: the surface is 8 ms above the source */
  const double uphole[] = {-0.115, -0.05, -0.015, -0.107, 0.14};
  assert_firsts(&file, s, uphole, 5);
  moho_traces *traces = shifted(&file, s);
  const moho_statics_report *r = &moho_traces_get_info(traces)->statics;
  assert_int_equal(r->n, 3);
  assert_string_equal(r->shifts[0].name, "source elevation");
  near(r->shifts[0].least_s, -0.075), near(r->shifts[0].most_s, 0.18), near(r->shifts[0].median_s, -0.075);
  assert_string_equal(r->shifts[1].name, "receiver elevation");
  near(r->shifts[1].least_s, -0.04), near(r->shifts[1].most_s, 0.025), near(r->shifts[1].median_s, -0.04);
  assert_string_equal(r->shifts[2].name, "uphole");
  assert_int_equal(r->shifts[2].traces, 1);
  near(r->sum.least_s, -0.115), near(r->sum.most_s, 0.14), near(r->sum.median_s, -0.115);
  segy_assert_anomaly(traces, "uphole_missing", 8, 0, "12 m deep has no uphole time");
  moho_traces_close(&traces);
  segy_free(&file);
}

static void between_datums(void **state) {
  (void)state;
  segy_bytes file = small();
  set_heights(&file);
  segy_set_all(&file, SDEL, 4, 410), segy_set_all(&file, GDEL, 4, 400);
  /* From the floating datum to the final one at 300 m: -110/2500 - 100/2500. */
  const double final[] = {-0.044 - 0.040};
  assert_firsts(&file, (moho_statics){.elevation = MOHO_STATICS_FLOATING_DATUM, .datum_m = 300, .replacement_mps = 2500}, final,
                1);
  /* From the surface to the floating datum of the headers: -(450-12-410)/2000 - (380-400)/2000. */
  const double floating[] = {-0.014 + 0.010};
  assert_firsts(&file, (moho_statics){.elevation = MOHO_STATICS_SURFACE, .datum_from_header = 1, .replacement_mps = 2000},
                floating, 1);
  moho_statics circle = {.elevation = MOHO_STATICS_FLOATING_DATUM, .datum_from_header = 1, .replacement_mps = 2000};
  moho_traces_options options = moho_traces_options_default();
  moho_traces *traces = NULL;
  options.statics = &circle;
  assert_fails(moho_traces_open(segy_save(&file, "circle.sgy"), &options, &traces), MOHO_ERROR_ARGUMENT, "is no way");
  segy_free(&file);
}

static void scalars_and_units(void **state) {
  (void)state;
  segy_bytes file = small();
  const int scalars[] = {-100, 10, 0, 1, -10, -1000};
  const double factors[] = {0.01, 10, 1, 1, 0.1, 0.001};
  for (size_t k = 0; k < 6; k++) {
    segy_set(&file, k, SCALEL, 2, scalars[k]);
    segy_set(&file, k, SELEV, 4, 500), segy_set(&file, k, GELEV, 4, -200), segy_set(&file, k, SDEPTH, 4, 30);
  }
  double expected[6];
  for (int k = 0; k < 6; k++) expected[k] = -(500 - 30) * factors[k] / 1600 + 200 * factors[k] / 1600;
  moho_statics s = {.elevation = MOHO_STATICS_SURFACE, .replacement_mps = 1600};
  assert_firsts(&file, s, expected, 6);
  moho_traces *traces = shifted(&file, s);
  segy_assert_anomaly(traces, "elevation_scalar_zero", 1, 2, "read as 1");
  segy_assert_anomaly(traces, "elevation_scalar_mixed", 5, 1, "each trace has its own");
  moho_traces_close(&traces);
  /* Feet: elevations, and the velocity of the headers (6000 ft/s); datum_m is in metres always. */
  segy_set_binary(&file, 3255, 2, 2);
  segy_set_all(&file, SWEVEL, 2, 6000);
  for (int k = 0; k < 6; k++) expected[k] = -(470 * factors[k] - 200 * factors[k]) / 6000;
  s.replacement_from_header = 1;
  assert_firsts(&file, s, expected, 6);
  s.datum_m = 30.48; /* 100 ft */
  for (int k = 0; k < 6; k++) expected[k] = (100 - 470 * factors[k]) / 6000 + (100 + 200 * factors[k]) / 6000;
  assert_firsts(&file, s, expected, 6);
  segy_set(&file, 4, SWEVEL, 2, 0);
  moho_traces_options options = moho_traces_options_default();
  options.statics = &s;
  assert_fails(moho_traces_open(segy_save(&file, "none.sgy"), &options, &traces), MOHO_ERROR_FORMAT,
               "trace 5: no replacement velocity in its header");
  segy_set(&file, 4, 29, 2, 2); /* a dead trace needs none */
  traces = shifted(&file, s);
  near(moho_traces_get_geometry(traces)->first_sample_s[3], expected[3]);
  near(moho_traces_get_geometry(traces)->first_sample_s[4], 0);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void statics_of_the_headers(void **state) {
  (void)state;
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) {
    segy_set(&file, k, SSTAT, 2, -20 + (int)k), segy_set(&file, k, GSTAT, 2, 7);
    segy_set(&file, k, TSTAT, 2, -13 + (int)k);
  }
  segy_set(&file, 1, TIME_SCALAR, 2, -10);
  segy_set(&file, 2, TIME_SCALAR, 2, 10);
  segy_set(&file, 6, TSTAT, 2, 0);
  segy_set(&file, 7, TSTAT, 2, 100);
  const double both[] = {-0.013, -0.0012, -0.11, -0.010, -0.009, -0.008, -0.007, -0.006};
  assert_firsts(&file, (moho_statics){.header = MOHO_STATICS_SOURCE_RECEIVER}, both, 8);
  const double total[] = {-0.013, -0.0012, -0.11, -0.010, -0.009, -0.008, 0, 0.1};
  assert_firsts(&file, (moho_statics){.header = MOHO_STATICS_TOTAL}, total, 8);
  double undone[8];
  for (int k = 0; k < 8; k++) undone[k] = -total[k];
  assert_firsts(&file, (moho_statics){.header = MOHO_STATICS_UNDO_TOTAL}, undone, 8);
  moho_traces *traces = shifted(&file, (moho_statics){.header = MOHO_STATICS_SOURCE_RECEIVER});
  segy_assert_anomaly(traces, "statics_conflict", 1, 7, "by 106 ms");
  segy_assert_anomaly(traces, "statics_applied_before", 9, 0, "a static of -13 ms has been applied already");
  moho_traces_close(&traces);
  traces = shifted(&file, (moho_statics){.header = MOHO_STATICS_UNDO_TOTAL});
  segy_assert_anomaly(traces, "statics_not_applied", 1, 6, "none was applied");
  assert_null(segy_anomaly(traces, "statics_applied_before"));
  moho_traces_close(&traces);
  segy_free(&file);
}

static void lags_and_a_constant(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set_all(&file, LAGA, 2, 30), segy_set_all(&file, LAGB, 2, -4);
  segy_set(&file, 3, DELRT, 2, 12);
  const double lag[] = {-0.026, -0.026, -0.026, 0.012 - 0.026};
  assert_firsts(&file, (moho_statics){.lag = 1}, lag, 4);
  moho_traces *traces = shifted(&file, (moho_statics){.lag = 1});
  segy_assert_anomaly(traces, "lag_and_delay", 1, 3, "a delay of 12");
  moho_traces_close(&traces);
  const double constant[] = {0.0123 - 0.026};
  assert_firsts(&file, (moho_statics){.lag = 1, .shift_s = 0.0123}, constant, 1);
  segy_free(&file);
}

/* Mutes lie on samples, and move with them. */
static void mutes_move_along(void **state) {
  (void)state;
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) segy_set(&file, k, 113, 2, 40), memset(segy_trace(&file, k) + 240, 0, 11 * 4);
  moho_traces *traces = shifted(&file, (moho_statics){.shift_s = 0.25});
  const moho_geometry *g = moho_traces_get_geometry(traces);
  near((double)g->mute_end_s[5], (double)(0.04f + 0.25f));
  near((double)g->mute_start_s[5], 0.25);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void odd_headers_are_told(void **state) {
  (void)state;
  segy_bytes file = small();
  set_heights(&file);
  segy_set(&file, 3, SDEPTH, 4, -5);
  segy_set(&file, 4, GELEV, 4, 45000), segy_set(&file, 4, SCALEL, 2, 1);
  segy_set(&file, 5, SCALEL, 2, 7);
  moho_traces *traces = shifted(&file, (moho_statics){.elevation = MOHO_STATICS_SURFACE, .replacement_mps = 2000});
  segy_assert_anomaly(traces, "source_depth_negative", 1, 3, "is -5 m");
  segy_assert_anomaly(traces, "elevation_unlikely", 1, 4, "45000");
  segy_assert_anomaly(traces, "elevation_scalar_unusual", 1, 5, "7");
  segy_assert_anomaly(traces, "statics_large", 10, 0, "22.7 s");
  moho_traces_close(&traces);
  segy_set_all(&file, SELEV, 4, 0), segy_set_all(&file, GELEV, 4, 0);
  moho_statics s = {.elevation = MOHO_STATICS_SURFACE, .replacement_mps = 2000};
  moho_traces_options options = moho_traces_options_default();
  options.statics = &s;
  assert_fails(moho_traces_open(segy_save(&file, "zero.sgy"), &options, &traces), MOHO_ERROR_FORMAT,
               "elevations (bytes 41-48) are zero in all traces");
  s.elevation = MOHO_STATICS_FLOATING_DATUM;
  traces = shifted(&file, s);
  segy_assert_anomaly(traces, "datum_zero", 10, 0, "the data lie at 0 m");
  moho_traces_close(&traces);
  segy_free(&file);
}

/* Shifts belong to their traces when some are left out. */
static void with_a_selection(void **state) {
  (void)state;
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) segy_set(&file, k, SSTAT, 2, (int)(k * k));
  moho_selection select = moho_selection_default();
  select.where = "sstat in [9, 49..64]";
  moho_statics statics = {.header = MOHO_STATICS_SOURCE_RECEIVER};
  moho_traces_options options = moho_traces_options_default();
  options.select = &select, options.statics = &statics;
  moho_traces *traces = segy_open_with(&file, "select.sgy", &options);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  assert_int_equal(g->n, 3);
  near(g->first_sample_s[0], 0.009), near(g->first_sample_s[1], 0.049), near(g->first_sample_s[2], 0.064);
  near(moho_traces_get_info(traces)->statics.sum.median_s, 0.049);
  assert_int_equal(moho_traces_index_in_file(traces, 1), 7);
  double header[3];
  assert_ok(moho_traces_header(traces, "sstat", 0, 3, header));
  near(header[1], 49);
  float samples[3 * 50];
  assert_ok(moho_traces_read(traces, 0, 3, samples));
  const size_t numbers[] = {3, 7, 8};
  for (size_t k = 0; k < 3; k++)
    for (size_t j = 0; j < 50; j++) assert_true(samples[k * 50 + j] == segy_sample_of(numbers[k], j));
  moho_traces_close(&traces);
  segy_free(&file);
}

/* SU, of the other byte order, and a header in another place. */
static void su_and_other_places(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 10, .ns = 50, .dt_us = 4000, .su = 1, .little = 1});
  for (size_t k = 0; k < 10; k++) segy_set(&file, k, SSTAT, 2, -3), segy_set(&file, k, 233, 2, 5 * (int)k);
  moho_selection select = moho_selection_default();
  select.where = "gstat % 10 == 5 and sstat < 0";
  moho_statics statics = {.header = MOHO_STATICS_SOURCE_RECEIVER};
  moho_traces_options options = moho_traces_options_default();
  options.headers = "receiver_static=233:i2";
  options.select = &select, options.statics = &statics;
  moho_traces *traces = segy_open_with(&file, "places.su", &options);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  assert_int_equal(g->n, 5);
  for (size_t k = 0; k < 5; k++) near(g->first_sample_s[k], 0.005 * (2 * (double)k + 1) - 0.003);
  moho_traces_close(&traces);
  segy_free(&file);
}

/* The median of an even and an odd number of values, many of them alike. */
static void medians(void **state) {
  (void)state;
  segy_bytes file = small();
  const int statics[] = {5, 1, 5, 5, 9, 1, 2, 5, 8, 1}; /* sorted: 1 1 1 2 5 5 5 5 8 9 */
  for (size_t k = 0; k < 10; k++) segy_set(&file, k, SSTAT, 2, statics[k]);
  moho_traces *traces = shifted(&file, (moho_statics){.header = MOHO_STATICS_SOURCE_RECEIVER});
  near(moho_traces_get_info(traces)->statics.sum.median_s, 0.005);
  moho_traces_close(&traces);
  segy_set(&file, 4, 29, 2, 2), segy_set(&file, 0, 29, 2, 2), segy_set(&file, 2, 29, 2, 2); /* 1 1 1 2 5 5 8 */
  traces = shifted(&file, (moho_statics){.header = MOHO_STATICS_SOURCE_RECEIVER});
  near(moho_traces_get_info(traces)->statics.sum.median_s, 0.002);
  near(moho_traces_get_info(traces)->statics.sum.most_s, 0.008);
  moho_traces_close(&traces);
  segy_free(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(nothing_is_shifted_unless_it_is_asked),
      cmocka_unit_test(from_the_surface),
      cmocka_unit_test(between_datums),
      cmocka_unit_test(scalars_and_units),
      cmocka_unit_test(statics_of_the_headers),
      cmocka_unit_test(lags_and_a_constant),
      cmocka_unit_test(mutes_move_along),
      cmocka_unit_test(odd_headers_are_told),
      cmocka_unit_test(with_a_selection),
      cmocka_unit_test(su_and_other_places),
      cmocka_unit_test(medians),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
