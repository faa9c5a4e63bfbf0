/* test_velocity_table.c - every format of velocity tables, and every way in which one can be wrong: place and remedy are named.
 */
#include "test_support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "moho/velocity.h"
#include "survey/velocity_tables.h"

static moho_velocity_options defaults(void) {
  return moho_velocity_options_default();
}

static double rms_at(const moho_velocity *velocity, double x, double y, double t) {
  double v = 0;
  assert_ok(moho_velocity_rms(velocity, x, y, t, 0.001, 1, &v));
  return v;
}

static moho_velocity *read(const char *text, moho_velocity_options options) {
  moho_velocity *velocity;
  assert_ok(moho_velocity_table_from_text(text, strlen(text), "v.txt", &options, &velocity));
  return velocity;
}

/* A table that must fail at a line and column, with words in the message and in the hint. */
static void refuse(const char *text, moho_velocity_options options, int code, int line, int column, const char *words,
                   const char *hint) {
  moho_velocity *velocity = (moho_velocity *)1;
  assert_fails(moho_velocity_table_from_text(text, strlen(text), "v.txt", &options, &velocity), code, words);
  const moho_error *error = moho_last_error();
  if (!strstr(error->hint, hint) || error->line != line || (column && error->column != column))
    fail_msg("\"%s\": line %d column %d hint \"%s\", expected %d, %d, \"%s\"", error->message, error->line, error->column,
             error->hint, line, column, hint);
  assert_null(velocity);
}

static moho_grid line_grid(void) {
  moho_grid grid = moho_grid_default();
  grid.inline_azimuth_deg = 90, grid.n_crossline = 201, grid.crossline_first = 100, grid.crossline_spacing_m = 10;
  return grid;
}

/* ---- formats ---- */

static void opendtect_heading_names_columns(void **state) {
  (void)state;
  const char *const texts[] = {"CDP-X CDP-Y Time(ms) Vrms Vint Vavg Depth(m)\n600000 6000000 500 2000 2000 2000 500\n"
                               "600000 6000000 1500 3000 3400 2900 2200\n"
                               "601000 6000000 500 2200 2200 2200 550\n",
                               "# \"X\" \"Y\"\tTWT (ms)\tVrms\r\n\r\n"
                               "600000\t6000000\t500\t2000\r\n600000\t6000000\t1500\t3000\r\n601000\t6000000\t500\t2200\r\n",
                               "! picks of line 7, from a workstation\n! x, y, time_s, vrms\n"
                               "600000, 6000000, 0.5, 2000 # first\n600000, 6000000, 1.5, 3000\n\n"
                               "601000,6000000,.5,2.2e3\n",
                               "600000;6000000;0.5;2000\n600000;6000000;1.5;3000\n601000;6000000;0.5;2200"};
  for (size_t i = 0; i < 4; i++) {
    moho_velocity_options options = defaults();
    options.format = i == 3 ? "opendtect" : NULL;
    moho_velocity *velocity = read(texts[i], options);
    assert_true(fabs(rms_at(velocity, 600000, 6000000, 1) - 2500) < 1e-9);
    assert_true(fabs(rms_at(velocity, 601000, 6000000, 3) - 2200) < 1e-9);
    assert_non_null(strstr(moho_velocity_describe(velocity), "(opendtect): 2 rms functions"));
    assert_non_null(strstr(moho_velocity_describe(velocity), "2000..3000 m/s"));
    moho_velocity_destroy(&velocity);
  }
}

static void kind_chooses_among_named_velocities(void **state) {
  (void)state;
  const char *text = "X Y Time(s) Vrms Vint Vavg\n0 0 1 2000 2100 1900\n";
  const double want[] = {2000, 2100, 1900};
  for (int kind = 0; kind < 3; kind++) {
    moho_velocity_options options = defaults();
    options.kind = (moho_velocity_kind)kind;
    moho_velocity *velocity = read(text, options);
    assert_true(fabs(rms_at(velocity, 0, 0, 0.5) - want[kind]) < 1e-9);
    moho_velocity_destroy(&velocity);
  }
  moho_velocity_options options = defaults();
  options.kind = MOHO_VELOCITY_AVERAGE;
  refuse("X Y Time(s) Vint\n0 0 1 2000\n", options, MOHO_ERROR_FORMAT, 1, 1, "names interval velocities, expected average",
         "velocity.type");
}

static void inline_and_crossline_need_the_grid(void **state) {
  (void)state;
  const char *text = "Inl Crl Z(ms) Vel\n10 100 0 2000\n10 300 0 3000\n20 100 0 2400\n20 300 0 3400\n";
  moho_velocity_options options = defaults();
  refuse(text, options, MOHO_ERROR_ARGUMENT, -1, 0, "inline and crossline need the image grid", "x and y");
  moho_grid grid = moho_grid_default();
  grid.inline_first = 10, grid.n_inline = 11, grid.crossline_first = 100, grid.n_crossline = 201;
  grid.inline_spacing_m = 50, grid.crossline_spacing_m = 10; /* azimuth 0: crosslines north, inlines east */
  options.grid = &grid;
  moho_velocity *velocity = read(text, options);
  assert_true(fabs(rms_at(velocity, 500, 0, 1) - 2400) < 1e-9 && fabs(rms_at(velocity, 0, 2000, 1) - 3000) < 1e-9);
  moho_velocity_destroy(&velocity);
}

static void su_parameters_are_read(void **state) {
  (void)state;
  moho_grid grid = line_grid();
  moho_velocity_options options = defaults();
  options.grid = &grid;
  const char *const texts[] = {"cdp=100,300\ntnmo=0.5,1.5\nvnmo=2000,3000\ntnmo=1\nvnmo=2200\n",
                               "# velan\ncdp=100,300 tnmo=0.5,1.5 \\\n vnmo=2000,3000 tnmo=1 vnmo=2200"};
  for (int i = 0; i < 2; i++) {
    moho_velocity *velocity = read(texts[i], options);
    assert_true(fabs(rms_at(velocity, 0, 0, 1) - 2500) < 1e-9);
    assert_true(fabs(rms_at(velocity, 2000, 0, 1) - 2200) < 1e-9);
    assert_true(fabs(rms_at(velocity, 1000, 0, 1) - 1 / sqrt(0.5 / 6.25e6 + 0.5 / 4.84e6)) < 1e-9);
    moho_velocity_destroy(&velocity);
  }
  moho_velocity *velocity = read("tnmo=0,1 vnmo=1500,2500\n", defaults()); /* one function for all CDPs */
  assert_true(moho_velocity_is_uniform(velocity));
  assert_true(fabs(rms_at(velocity, 1e6, 5, 0.5) - 2000) < 1e-9);
  moho_velocity_destroy(&velocity);
}

static void cdp_time_velocity_is_read(void **state) {
  (void)state;
  moho_grid grid = line_grid();
  moho_velocity_options options = defaults();
  options.grid = &grid;
  const char *const texts[] = {"100 0.5 2000\n100 1.5 3000\n300 1.0 2200\n",
                               "cdp time(ms) velocity\n100 500 2000\n100 1500 3000\n300 1000 2200\n",
                               "300,1.0,2200\n100,0.5,2000\n100,1.5,3000\n"};
  for (int i = 0; i < 3; i++) {
    moho_velocity *velocity = read(texts[i], options);
    assert_true(fabs(rms_at(velocity, 0, 0, 1) - 2500) < 1e-9 && fabs(rms_at(velocity, 2000, 0, 1) - 2200) < 1e-9);
    moho_velocity_destroy(&velocity);
  }
  /* sorted by time: functions are gathered */
  moho_velocity *velocity = read("100 0.5 2000\n300 0.5 2100\n100 1.5 3000\n300 1.5 3100\n", options);
  assert_true(fabs(rms_at(velocity, 0, 0, 1) - 2500) < 1e-9 && fabs(rms_at(velocity, 2000, 0, 1) - 2600) < 1e-9);
  moho_velocity_destroy(&velocity);
}

static void declared_columns_are_read(void **state) {
  (void)state;
  moho_velocity_options options = defaults();
  options.columns = "skip, velocity_fps, time_ms, y, x";
  moho_velocity *velocity = read("these are words\nA 10000 500 6000000 600000\nB 8000 500 6000000 601000\n", options);
  assert_true(fabs(rms_at(velocity, 600000, 6000000, 1) - 3048) < 1e-9 && fabs(rms_at(velocity, 601000, 6e6, 1) - 2438.4) < 1e-9);
  moho_velocity_destroy(&velocity);
}

static void files_are_read(void **state) {
  (void)state;
  const char *path = test_path("picks.txt"), *text = "1 0.5 2000\n1 1.5 3000\n";
  moho_velocity *velocity;
  assert_ok(moho_file_write_all(path, text, strlen(text)));
  assert_ok(moho_velocity_read_table(path, NULL, &velocity));
  assert_string_equal(moho_velocity_describe(velocity),
                      "table picks.txt (cdp_time_velocity): 1 rms function, one function, 2000..3000 m/s");
  moho_velocity_destroy(&velocity);
  assert_fails(moho_velocity_read_table(test_path("absent.txt"), NULL, &velocity), MOHO_ERROR_NOT_FOUND, "no such file");
}

/* ---- errors ---- */

static void numbers_must_be_numbers(void **state) {
  (void)state;
  refuse("1 0.5 2000\n1 1.0 fast\n", defaults(), MOHO_ERROR_FORMAT, 2, 7, "velocity: got \"fast\"", "#");
  refuse("1 0.5 2000\n1 1,000 3000\n", defaults(), MOHO_ERROR_FORMAT, 2, 4, "comma", "not 3,000");
  refuse("1 0.5 2000\n1 1.0 2.1km/s\n", defaults(), MOHO_ERROR_FORMAT, 2, 7, "2.1km/s", "declare");
  refuse("1 0.5 nan\n", defaults(), MOHO_ERROR_FORMAT, 1, 7, "nan", "");
  refuse("1 0.5 2000\n1 0x1 2000\n", defaults(), MOHO_ERROR_FORMAT, 2, 3, "0x1", "");
}

static void columns_must_be_there(void **state) {
  (void)state;
  refuse("1 0.5 2000\n1 1.0\n", defaults(), MOHO_ERROR_FORMAT, 2, 1, "2 columns, expected 3", "same columns");
  refuse("1 2 0.5 2000 3\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "5 columns and no line that names them",
         "x,y,time_ms,velocity");
  refuse("1 2 0.5 2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "4 columns", "velocity.columns");
  refuse("X Y Time(ms)\n1 2 500\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no velocity column", "heading");
  refuse("X Y Vrms\n1 2 500\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no time column", "heading");
  refuse("X Time Vrms\n1 2 500\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no y column", "heading");
  refuse("Inline time velocity\n1 2 500\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no crossline column", "heading");
  refuse("X Y Time(h) Vrms\n1 2 1 2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "in \"h\"; expected s or ms", "velocity.columns");
  refuse("X(ft) Y(ft) Time(s) Vrms\n1 2 1 2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "\"ft\"", "convert");
}

static void declarations_must_be_right(void **state) {
  (void)state;
  moho_velocity_options options = defaults();
  options.columns = "cdp,time_s,velocty";
  refuse("1 1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "did you mean velocity", "velocity_fps");
  options.columns = "cdp,time,velocity";
  refuse("1 1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "time_s or time_ms", "names");
  options.columns = "cdp,velocity";
  refuse("1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "time is missing", "needs");
  options.columns = "x,time_s,velocity";
  refuse("1 1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "y is missing", "needs");
  options.columns = "cdp,time_s,velocity,cdp";
  refuse("1 1 2000 1\n", options, MOHO_ERROR_KEY, -1, 0, "again", "once");
  options.columns = "";
  refuse("1 1 2000 1\n", options, MOHO_ERROR_KEY, -1, 0, "none named", "for example");
  options.columns = NULL, options.format = "columns";
  refuse("1 1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "not declared", "velocity.columns");
  options.format = "opentect";
  refuse("1 1 2000\n", options, MOHO_ERROR_KEY, -1, 0, "did you mean opendtect", "formats");
}

static void units_are_guessed_from_values(void **state) {
  (void)state;
  refuse("1 500 2000\n1 1500 3000\n", defaults(), MOHO_ERROR_FORMAT, 1, 3, "time 500 s, expected 0 to 30", "look like ms");
  refuse("1 -0.5 2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 3, "time -0.5 s", "start at 0");
  refuse("1 0.5 2000\n1 1.5 2.1\n", defaults(), MOHO_ERROR_RANGE, 2, 7, "v.txt:2:7: velocity is 2.1 m/s, expected 500 to 9000",
         "km/s");
  refuse("1 0.5 12000\n", defaults(), MOHO_ERROR_RANGE, 1, 7, "12000 m/s", "velocity_fps");
  refuse("1 2000 0.5\n", defaults(), MOHO_ERROR_FORMAT, 1, 3, "time 2000 s", "ms");
  moho_velocity_options options = defaults();
  options.columns = "cdp,time_ms,velocity";
  refuse("1 0.5 2000\n1 1.5 3000\n", options, MOHO_ERROR_FORMAT, 1, 1, "latest time of all is 1.5 ms", "time_s");
  options = defaults();
  options.max_mps = 13000;
  moho_velocity *velocity = read("1 0.5 12000\n", options);
  assert_true(fabs(rms_at(velocity, 0, 0, 0) - 12000) < 1e-6);
  moho_velocity_destroy(&velocity);
  options.min_mps = 20000;
  refuse("1 0.5 12000\n", options, MOHO_ERROR_ARGUMENT, -1, 0, "0 < min < max", "");
}

static void functions_must_be_functions(void **state) {
  (void)state;
  moho_grid grid = line_grid();
  moho_velocity_options options = defaults();
  options.grid = &grid;
  refuse("1 0.5 2000\n1 0.5 2100\n", options, MOHO_ERROR_FORMAT, 2, 0, "does not follow 0.5 s (line 1)", "ascend");
  refuse("1 0.5 2000\n1 0.4 2100\n", options, MOHO_ERROR_FORMAT, 2, 0, "0.4 s does not follow", "once");
  refuse("1 0.5 2000\n1 1 2100\n2 0.5 2000\n1 0.5 2000\n1 1 2100\n", options, MOHO_ERROR_FORMAT, 4, 0, "line 2", "once");
  refuse("tnmo=1,0.5 vnmo=2000,2100\n", options, MOHO_ERROR_FORMAT, 1, 0, "0.5 s does not follow 1 s", "ascend");
  refuse("X Y Time(s) Vrms\n0 0 1 2000\n1e-9 0 1 2000\n5000 0 1 2000\n", defaults(), MOHO_ERROR_FORMAT, 3, 0,
         "lines 2 and 3 have one position", "remove");
  refuse("X Y Time(s) Vrms\n1e12 0 1 2000\n", defaults(), MOHO_ERROR_FORMAT, 2, 1, "x is 1e+12", "units");
  options.kind = MOHO_VELOCITY_AVERAGE; /* v_int = 3000 + 2*... falls below 0 */
  refuse("1 0.5 3000\n1 0.6 2000\n", options, MOHO_ERROR_RANGE, 1, 0, "imply an interval velocity of", "check this pick");
}

static void cdps_need_a_line(void **state) {
  (void)state;
  const char *text = "100 1 2000\n200 1 2100\n";
  refuse(text, defaults(), MOHO_ERROR_ARGUMENT, -1, 0, "CDP need the image grid", "x and y");
  moho_grid grid = line_grid();
  grid.n_inline = 5;
  moho_velocity_options options = defaults();
  options.grid = &grid;
  refuse(text, options, MOHO_ERROR_FORMAT, 1, 0, "for a line, but the grid has 5 inlines", "inline and crossline");
  grid.crossline_step = 0;
  refuse(text, options, MOHO_ERROR_ARGUMENT, -1, 0, "no spacing or no numbers", "");
}

static void su_must_be_in_order(void **state) {
  (void)state;
  refuse("cdp=1,2 tnmo=1 vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 0, "cdp= lists 2, but there are 1", "one number");
  refuse("cdp=1\ntnmo=1 vnmo=2000 tnmo=1 vnmo=2100\n", defaults(), MOHO_ERROR_FORMAT, 2, 25, "function 2, but cdp= lists 1", "");
  refuse("tnmo=1 vnmo=2000\ntnmo=1 vnmo=2100\n", defaults(), MOHO_ERROR_FORMAT, 2, 8, "no cdp=", "cdp=100,200");
  refuse("tnmo=1,2 vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 10, "vnmo has 1 values, its tnmo 2", "one velocity a time");
  refuse("vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "without a tnmo", "followed");
  refuse("tnmo=1 tnmo=2 vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 8, "two tnmo", "");
  refuse("tnmo=1 vnmo=2000 tnmo=2\n", defaults(), MOHO_ERROR_FORMAT, 1, 0, "last tnmo has no vnmo", "");
  refuse("tnmo=1,,2 vnmo=2000,1,2\n", defaults(), MOHO_ERROR_FORMAT, 1, 8, "tnmo: got \"\"", "");
  refuse("tnmo=1, 2 vnmo=2000,2100\n", defaults(), MOHO_ERROR_FORMAT, 1, 8, "tnmo: got \"\"", "");
  refuse("cdp=1 cdp=2 tnmo=1 vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 7, "twice", "");
  refuse("tnm=1 vnmo=2000\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "\"tnm\"", "cdp=100,200");
}

static void empty_tables_are_refused(void **state) {
  (void)state;
  refuse("", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no line of numbers", "lines such as");
  refuse("# nothing\n\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no line of numbers", "lines such as");
  refuse("words only\n", defaults(), MOHO_ERROR_FORMAT, 1, 1, "no line of numbers", "");
  moho_velocity_options options = defaults();
  options.format = "su";
  refuse("# nothing\n", options, MOHO_ERROR_FORMAT, 1, 1, "no picks", "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(opendtect_heading_names_columns),
      cmocka_unit_test(kind_chooses_among_named_velocities),
      cmocka_unit_test(inline_and_crossline_need_the_grid),
      cmocka_unit_test(su_parameters_are_read),
      cmocka_unit_test(cdp_time_velocity_is_read),
      cmocka_unit_test(declared_columns_are_read),
      cmocka_unit_test(files_are_read),
      cmocka_unit_test(numbers_must_be_numbers),
      cmocka_unit_test(columns_must_be_there),
      cmocka_unit_test(declarations_must_be_right),
      cmocka_unit_test(units_are_guessed_from_values),
      cmocka_unit_test(functions_must_be_functions),
      cmocka_unit_test(cdps_need_a_line),
      cmocka_unit_test(su_must_be_in_order),
      cmocka_unit_test(empty_tables_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
