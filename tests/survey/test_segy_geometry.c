/* test_segy_geometry.c - positions, times and flags from trace headers, honest and not. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "segy_build.h"

static segy_bytes small(void) {
  return segy_build((segy_recipe){.n_traces = 10, .ns = 50, .dt_us = 4000, .revision = 1});
}

static void near(double got, double expected) {
  if (!(fabs(got - expected) <= 1e-9)) fail_msg("%.12g, expected %.12g", got, expected);
}

static void scalars_of_every_kind(void **state) {
  (void)state;
  const int scalars[] = {-100, 100, 0, 1, -1000, -1, -10000, 10, 7, 1};
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) {
    segy_set(&file, k, 71, 2, scalars[k]);
    segy_set(&file, k, 37, 4, 0);
  }
  moho_traces *traces = segy_open(&file, "scalar.sgy");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  const double factors[] = {0.01, 100, 1, 1, 0.001, 1, 0.0001, 10, 7, 1};
  for (size_t k = 0; k < 10; k++) {
    near(g->source_x[k], (1000 + 10 * (double)k) * factors[k]);
    near(g->receiver_y[k], 500 * factors[k]);
  }
  segy_assert_anomaly(traces, "scalar_zero", 1, 2, "read as 1");
  segy_assert_anomaly(traces, "scalar_mixed", 9, 1, "each trace has its own");
  segy_assert_anomaly(traces, "scalar_unusual", 1, 8, "7");
  moho_traces_close(&traces);
  moho_traces_options options = moho_traces_options_default();
  options.coordinate_scalar_given = 1, options.coordinate_scalar = -10;
  traces = segy_open_with(&file, "scalar.sgy", &options);
  near(moho_traces_get_geometry(traces)->source_x[7], 107);
  assert_null(segy_anomaly(traces, "scalar_mixed"));
  moho_traces_close(&traces);
  segy_free(&file);
}

static void delay_with_its_scalar(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set(&file, 1, 109, 2, 250);
  segy_set(&file, 2, 109, 2, -40);
  segy_set(&file, 3, 109, 2, 25), segy_set(&file, 3, 215, 2, -10);
  segy_set(&file, 4, 109, 2, 3), segy_set(&file, 4, 215, 2, 10);
  segy_set(&file, 5, 109, 2, 8), segy_set(&file, 5, 215, 2, 33);
  moho_traces *traces = segy_open(&file, "delay.sgy");
  const double *first = moho_traces_get_geometry(traces)->first_sample_s;
  const double expected[] = {0, 0.25, -0.04, 0.0025, 0.03, 0.008};
  for (int k = 0; k < 6; k++) near(first[k], expected[k]);
  segy_assert_anomaly(traces, "time_scalar_unusual", 1, 5, "33");
  moho_traces_close(&traces);
  moho_traces_options options = moho_traces_options_default();
  options.first_sample_given = 1, options.first_sample_s = 0.5;
  traces = segy_open_with(&file, "delay.sgy", &options);
  for (int k = 0; k < 10; k++) near(moho_traces_get_geometry(traces)->first_sample_s[k], 0.5);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void mutes_true_and_not(void **state) {
  (void)state;
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) {
    segy_set(&file, k, 113, 2, 40);
    memset(segy_trace(&file, k) + 240, 0, 11 * 4); /* samples to 40 ms are zero: the mute is true */
  }
  segy_set(&file, 2, 111, 2, 60);
  segy_set(&file, 3, 111, 2, 100), segy_set(&file, 3, 113, 2, 400), segy_set(&file, 3, 215, 2, -10);
  moho_traces *traces = segy_open(&file, "mute.sgy");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  near((double)g->mute_end_s[0], (double)0.04f);
  near((double)g->mute_start_s[3], (double)0.01f);
  near((double)g->mute_end_s[3], (double)0.04f);
  assert_true(g->mute_end_s[2] <= 0);
  segy_assert_anomaly(traces, "mute_untrue", 1, 2, "not after its start");
  assert_null(segy_anomaly(traces, "mute_not_applied"));
  moho_traces_close(&traces);
  segy_free(&file);
  file = small(); /* and now the samples there are alive */
  segy_set_all(&file, 113, 2, 48);
  traces = segy_open(&file, "mute.sgy");
  segy_assert_anomaly(traces, "mute_not_applied", 10, 0, "muted to 48 ms");
  assert_true(moho_traces_get_geometry(traces)->mute_end_s[0] <= 0);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void trace_identification(void **state) {
  (void)state;
  const int ids[] = {1, 0, -1, 2, 3, 6, 11, 12, 2, 9};
  const unsigned flags[] = {
      0, 0, 0, MOHO_TRACE_DEAD, MOHO_TRACE_NOT_SEISMIC, MOHO_TRACE_NOT_SEISMIC, 0, 0, MOHO_TRACE_DEAD, MOHO_TRACE_NOT_SEISMIC};
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) segy_set(&file, k, 29, 2, ids[k]);
  moho_traces *traces = segy_open(&file, "id.sgy");
  for (size_t k = 0; k < 10; k++) {
    assert_int_equal(moho_traces_get_geometry(traces)->flags[k], flags[k]);
    assert_int_equal(moho_geometry_is_live(moho_traces_get_geometry(traces), k), flags[k] == 0);
  }
  segy_assert_anomaly(traces, "dead", 2, 3, "bytes 29-30");
  segy_assert_anomaly(traces, "not_seismic", 3, 4, "trace_id: none");
  moho_traces_close(&traces);
  moho_traces_options options = moho_traces_options_default();
  options.headers = "trace_id=none";
  traces = segy_open_with(&file, "id.sgy", &options);
  for (size_t k = 0; k < 10; k++) assert_int_equal(moho_traces_get_geometry(traces)->flags[k], 0);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void geographic_coordinates(void **state) {
  (void)state;
  moho_traces *traces;
  segy_bytes file = small();
  segy_set_all(&file, 89, 2, 3);
  traces = segy_open(&file, "geo.sgy"); /* values beyond 180: lengths after all */
  segy_assert_anomaly(traces, "geographic_units", 10, 0, "read as lengths");
  moho_traces_close(&traces);
  segy_set_all(&file, 89, 2, 2);
  segy_set_all(&file, 71, 2, -100); /* 10.0 to 11.9, 5.0 */
  assert_fails(moho_traces_open(segy_save(&file, "geo.sgy"), NULL, &traces), MOHO_ERROR_FORMAT, "geographic");
  assert_non_null(strstr(moho_last_error()->hint, "units: m"));
  moho_traces_options options = moho_traces_options_default();
  options.units = MOHO_UNITS_M;
  traces = segy_open_with(&file, "geo.sgy", &options);
  segy_assert_anomaly(traces, "geographic_units", 10, 0, "units code 2");
  near(moho_traces_get_geometry(traces)->source_x[0], 10);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void feet_become_metres_once(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set_binary(&file, 3255, 2, 2);
  moho_traces *traces = segy_open(&file, "feet.sgy");
  assert_int_equal(moho_traces_get_info(traces)->units, MOHO_UNITS_FT);
  segy_assert_anomaly(traces, "feet", 10, 0, "3255");
  assert_null(segy_anomaly(traces, "offset_conflict"));
  near(moho_traces_get_geometry(traces)->source_x[1], 1010 * 0.3048);
  near(moho_geometry_offset(moho_traces_get_geometry(traces), 1), 30.48);
  moho_traces_close(&traces);
  moho_traces_options options = moho_traces_options_default();
  options.units = MOHO_UNITS_M;
  traces = segy_open_with(&file, "feet.sgy", &options);
  segy_assert_anomaly(traces, "units_conflict", 1, 0, "as told");
  near(moho_traces_get_geometry(traces)->source_x[1], 1010);
  moho_traces_close(&traces);
  segy_set_binary(&file, 3255, 2, 1);
  options.units = MOHO_UNITS_FT;
  traces = segy_open_with(&file, "feet.sgy", &options);
  near(moho_traces_get_geometry(traces)->receiver_y[1], 500 * 0.3048);
  segy_assert_anomaly(traces, "feet", 10, 0, "as told");
  moho_traces_close(&traces);
  segy_free(&file);
}

static void offsets_that_contradict(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set_all(&file, 37, 4, -100); /* the sign is a matter of taste */
  segy_set(&file, 6, 37, 4, 350);
  moho_traces *traces = segy_open(&file, "offset.sgy");
  segy_assert_anomaly(traces, "offset_conflict", 1, 6, "trace 7: header 350, coordinates 100): coordinates are used");
  near(moho_geometry_offset(moho_traces_get_geometry(traces), 6), 100);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void wrapped_coordinates(void **state) {
  (void)state;
  segy_bytes file = small();
  for (size_t k = 0; k < 10; k++) {
    segy_set(&file, k, 73, 4, (int16_t)(32500 + 60 * k));
    segy_set(&file, k, 81, 4, (int16_t)(32400 + 60 * k));
  }
  moho_traces *traces = segy_open(&file, "wrap.sgy");
  segy_assert_anomaly(traces, "wrapped_coordinates", 2, 5, "16 bits");
  moho_traces_close(&traces);
  segy_set(&file, 0, 77, 4, 70000); /* what does not fit into 16 bits did not go through them */
  traces = segy_open(&file, "wrap.sgy");
  assert_null(segy_anomaly(traces, "wrapped_coordinates"));
  moho_traces_close(&traces);
  segy_free(&file);
}

static void clear_positions(segy_bytes *file) {
  for (int byte = 73; byte <= 85; byte += 4) segy_set_all(file, byte, 4, 0);
}

static void no_coordinates_at_all(void **state) {
  (void)state;
  moho_traces *traces;
  segy_bytes file = small();
  clear_positions(&file);
  assert_fails(moho_traces_open(segy_save(&file, "none.sgy"), NULL, &traces), MOHO_ERROR_FORMAT, "no coordinates");
  assert_non_null(strstr(moho_last_error()->hint, "headers: {source_x: 73"));
  segy_set_all(&file, 73, 4, 5000); /* sources alone are not enough */
  assert_fails(moho_traces_open(segy_save(&file, "none.sgy"), NULL, &traces), MOHO_ERROR_FORMAT, "receivers are zero");
  moho_traces_options options = moho_traces_options_default();
  options.headers = "cdp_x=73,cdp_y=77,offset=none";
  options.geometry = MOHO_GEOMETRY_MIDPOINT_OFFSET;
  traces = segy_open_with(&file, "none.sgy", &options);
  near(moho_traces_get_geometry(traces)->receiver_x[4], 5000);
  moho_traces_close(&traces);
  options = moho_traces_options_default();
  options.geometry = MOHO_GEOMETRY_MIDPOINT_OFFSET;
  assert_fails(moho_traces_open(segy_save(&file, "none.sgy"), &options, &traces), MOHO_ERROR_FORMAT, "cdp_x and cdp_y are zero");
  segy_free(&file);
}

static void some_positions_missing(void **state) {
  (void)state;
  segy_bytes file = small();
  for (int byte = 73; byte <= 85; byte += 4) segy_set(&file, 3, byte, 4, 0);
  segy_set(&file, 8, 81, 4, 0), segy_set(&file, 8, 85, 4, 0);
  moho_traces *traces = segy_open(&file, "some.sgy");
  segy_assert_anomaly(traces, "no_position", 2, 3, "far from the others");
  assert_int_equal(moho_traces_get_geometry(traces)->flags[3], MOHO_TRACE_NO_POSITION);
  assert_int_equal(moho_traces_get_geometry(traces)->flags[8], MOHO_TRACE_NO_POSITION);
  assert_int_equal(moho_traces_get_geometry(traces)->flags[4], 0);
  moho_traces_close(&traces);
  for (size_t k = 0; k < 10; k++) { /* a line through the origin: (0, 0) is a position there */
    segy_set(&file, k, 73, 4, 100 * ((int64_t)k - 5)), segy_set(&file, k, 77, 4, 0);
    segy_set(&file, k, 81, 4, 100 * ((int64_t)k - 4)), segy_set(&file, k, 85, 4, 0);
  }
  traces = segy_open(&file, "some.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_anomalies, 0);
  assert_int_equal(moho_traces_get_geometry(traces)->flags[5], 0);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void positions_from_midpoint_and_offset(void **state) {
  (void)state;
  segy_bytes file = small();
  clear_positions(&file);
  for (size_t k = 0; k < 10; k++) { /* a line along (3, 4)/5 */
    segy_set(&file, k, 181, 4, 60000 + 30 * (int64_t)k), segy_set(&file, k, 185, 4, 80000 + 40 * (int64_t)k);
    segy_set(&file, k, 37, 4, k % 2 ? -200 : 200), segy_set(&file, k, 71, 2, -10);
  }
  moho_traces *traces = segy_open(&file, "mid.sgy");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  assert_int_equal(moho_traces_get_info(traces)->geometry, MOHO_GEOMETRY_MIDPOINT_OFFSET);
  segy_assert_anomaly(traces, "midpoint_offset", 10, 0, "the line's direction");
  for (size_t k = 0; k < 10; k++) {
    double sign = k % 2 ? -1 : 1, x = 6000 + 3 * (double)k, y = 8000 + 4 * (double)k;
    assert_true(fabs(g->source_x[k] - (x - sign * 60)) < 1e-6 && fabs(g->source_y[k] - (y - sign * 80)) < 1e-6);
    assert_true(fabs(g->receiver_x[k] - (x + sign * 60)) < 1e-6 && fabs(g->receiver_y[k] - (y + sign * 80)) < 1e-6);
  }
  moho_traces_close(&traces);
  segy_set_all(&file, 201, 2, 90); /* azimuth by a header of the user's */
  moho_traces_options options = moho_traces_options_default();
  options.headers = "azimuth=201:i2";
  traces = segy_open_with(&file, "mid.sgy", &options);
  g = moho_traces_get_geometry(traces);
  near(g->source_x[0], 5900), near(g->source_y[0], 8000), near(g->receiver_x[0], 6100);
  near(moho_geometry_azimuth_deg(g, 0), 90);
  moho_traces_close(&traces);
  segy_free(&file);
}

/* A quarter of a circle of radius 2 km: the direction follows it, to a piece's length. */
static void a_crooked_line(void **state) {
  (void)state;
  enum { TRACES = 2000 };
  segy_bytes file = segy_build((segy_recipe){.n_traces = TRACES, .ns = 4, .dt_us = 4000});
  clear_positions(&file);
  segy_set_all(&file, 37, 4, 400);
  segy_set_all(&file, 71, 2, -10);
  for (size_t k = 0; k < TRACES; k++) {
    double angle = 1.5707963 * (double)k / TRACES;
    segy_set(&file, k, 181, 4, lround(10 * (5000 + 2000 * sin(angle)))),
        segy_set(&file, k, 185, 4, lround(10 * (9000 + 2000 * cos(angle))));
  }
  moho_traces *traces = segy_open(&file, "crooked.sgy");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  for (size_t k = 0; k < TRACES; k++) {
    double angle = 1.5707963 * (double)k / TRACES, ux = (g->receiver_x[k] - g->source_x[k]) / 400,
           uy = (g->receiver_y[k] - g->source_y[k]) / 400;
    assert_true(ux * cos(angle) - uy * sin(angle) >
                cos(0.06)); /* along the tangent, not the chord (45 degrees off at the ends) */
    assert_true(fabs(ux * ux + uy * uy - 1) < 1e-9);
  }
  moho_traces_close(&traces);
  segy_free(&file);
}

static void stacked_data(void **state) {
  (void)state;
  segy_bytes file = small();
  clear_positions(&file);
  segy_set_all(&file, 37, 4, 0);
  for (size_t k = 0; k < 10; k++) {
    segy_set(&file, k, 181, 4, 400000 + 25 * (int64_t)(k % 5)), segy_set(&file, k, 185, 4, 5000000 + 25 * (int64_t)(k / 5));
    segy_set(&file, k, 189, 4, 10 + (int64_t)(k / 5)), segy_set(&file, k, 193, 4, 200 + (int64_t)(k % 5));
  }
  moho_traces *traces = segy_open(&file, "stack.sgy");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  segy_assert_anomaly(traces, "stacked", 10, 0, "stacked data at cdp_x, cdp_y");
  near(g->source_x[6], 400025), near(g->receiver_x[6], 400025), near(g->source_y[6], 5000025);
  near(moho_geometry_offset(g, 6), 0);
  assert_int_equal(g->inline_number[6], 11);
  assert_int_equal(g->crossline_number[6], 201);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void own_header_map(void **state) {
  (void)state;
  segy_bytes file = small();
  double northing = 5123456.789;
  int64_t bits;
  memcpy(&bits, &northing, 8);
  segy_set_all(&file, 225, 8, bits);
  segy_set_all(&file, 181, 4, 0x42640000); /* 100 as IBM float */
  segy_set_all(&file, 201, 2, 60000);      /* beyond i2 */
  segy_set_all(&file, 205, 4, 0x44fa0000); /* 2000 as IEEE float */
  moho_traces_options options = moho_traces_options_default();
  options.headers = " standard, source_y = 225:f8, sx=205:f4 ,GX=181:ibm4,cdp=201:u2, receiver_y=none, offset=none";
  moho_traces *traces = segy_open_with(&file, "map.sgy", &options);
  const moho_geometry *g = moho_traces_get_geometry(traces);
  near(g->source_y[0], northing), near(g->source_x[0], 2000), near(g->receiver_x[0], 100), near(g->receiver_y[0], 0);
  assert_int_equal(g->cdp[0], 60000);
  double values[10];
  assert_ok(moho_traces_header(traces, "cdp", 0, 10, values));
  near(values[9], 60000);
  assert_ok(moho_traces_header(traces, "fldr", 2, 3, values));
  near(values[2], 7);
  assert_fails(moho_traces_header(traces, "fdlr", 0, 1, values), MOHO_ERROR_KEY, "unknown trace header \"fdlr\"");
  assert_non_null(strstr(moho_last_error()->hint, "fldr"));
  assert_fails(moho_traces_header(traces, "receiver_y", 0, 1, values), MOHO_ERROR_KEY, "no place");
  assert_fails(moho_traces_header(traces, "cdp", 9, 2, values), MOHO_ERROR_RANGE, "traces 10 to 11");
  moho_traces_close(&traces);

  const struct {
    const char *headers, *words, *hint;
  } wrong[] = {{"sorce_x=73", "unknown trace header \"sorce_x\"", "source_x"},
               {"source_x=73:i3", "type \"i3\"", "i"},
               {"source_x=238", "expected 1 to 237", "from 1"},
               {"source_x=0", "expected 1 to 237", "from 1"},
               {"source_x=", "no byte position", "73:i4"},
               {"cdp_x=seventy", "no byte position", "none"},
               {"standart", "neither a preset", "standard or su"}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    options.headers = wrong[i].headers;
    assert_fails(moho_traces_open(segy_save(&file, "map.sgy"), &options, &traces), MOHO_ERROR_KEY, wrong[i].words);
    assert_non_null(strstr(moho_last_error()->hint, wrong[i].hint));
  }
  segy_free(&file);
}

static void coordinates_that_are_no_numbers(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set_all(&file, 205, 4, 0x44fa0000);
  segy_set(&file, 4, 205, 4, 0x7fc00000);
  moho_traces_options options = moho_traces_options_default();
  options.headers = "source_x=205:f4,offset=none";
  moho_traces *traces = segy_open_with(&file, "nan.sgy", &options);
  segy_assert_anomaly(traces, "not_finite_position", 1, 4, "NaN");
  assert_int_equal(moho_traces_get_geometry(traces)->flags[4], MOHO_TRACE_NO_POSITION);
  moho_traces_close(&traces);
  segy_free(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(scalars_of_every_kind),
                                     cmocka_unit_test(delay_with_its_scalar),
                                     cmocka_unit_test(mutes_true_and_not),
                                     cmocka_unit_test(trace_identification),
                                     cmocka_unit_test(geographic_coordinates),
                                     cmocka_unit_test(feet_become_metres_once),
                                     cmocka_unit_test(offsets_that_contradict),
                                     cmocka_unit_test(wrapped_coordinates),
                                     cmocka_unit_test(no_coordinates_at_all),
                                     cmocka_unit_test(some_positions_missing),
                                     cmocka_unit_test(positions_from_midpoint_and_offset),
                                     cmocka_unit_test(a_crooked_line),
                                     cmocka_unit_test(stacked_data),
                                     cmocka_unit_test(own_header_map),
                                     cmocka_unit_test(coordinates_that_are_no_numbers)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
