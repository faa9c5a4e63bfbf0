/* test_view.c - pictures: they decode, have the right size and colours in the right places, and fail cleanly. */
#include <errno.h>
#include <math.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "moho/view.h"
#include "survey/view_axis.h"
#include "survey/view_colours.h"
#include "survey/view_font.h"
#include "survey/view_plot.h"
#include "survey/view_range.h"
#include "survey/view_resample.h"
#include "test_support.h"

typedef struct picture {
  int width, height;
  png_bytep rgb;
} picture;

static picture read_picture(const char *path) {
  png_image image = {.version = PNG_IMAGE_VERSION};
  assert_int_equal(png_image_begin_read_from_file(&image, path), 1);
  image.format = PNG_FORMAT_RGB;
  picture p = {.width = (int)image.width, .height = (int)image.height, .rgb = malloc(PNG_IMAGE_SIZE(image))};
  assert_int_equal(png_image_finish_read(&image, NULL, p.rgb, 0, NULL), 1);
  return p;
}

static moho_colour pixel(const picture *p, int x, int y) {
  const png_byte *at = p->rgb + 3 * ((size_t)y * (size_t)p->width + (size_t)x);
  return (moho_colour){at[0], at[1], at[2]};
}

static int same_colour(moho_colour a, moho_colour b) {
  return a.r == b.r && a.g == b.g && a.b == b.b;
}

/* Where the plot lies in the picture of these data. */
static moho_view_plot lay_out(const float *data, size_t na, size_t nd, const moho_view_options *options) {
  moho_view_plot plot = {.options = options, .data = {data, na, nd, nd, 1}};
  assert_ok(moho_view_find_range(&plot.data, options, &plot.range));
  assert_ok(moho_view_lay_out(&plot));
  return plot;
}

static void pictures_have_the_size_asked_for(void **state) {
  (void)state;
  const size_t sizes[][2] = {{21, 501}, {161, 2001}, {1, 100}, {100, 1}, {1, 1}, {3000, 150}};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    size_t n = sizes[s][0] * sizes[s][1];
    float *data = malloc(n * sizeof *data);
    for (size_t i = 0; i < n; i++) data[i] = (float)sin(0.37 * (double)i);
    moho_view_options options = moho_view_options_default();
    options.title = "A title", options.subtitle = "and what is below it";
    for (int given = 0; given < 2; given++) {
      if (given) options.width = 800, options.height = 600;
      moho_view_plot plot = lay_out(data, sizes[s][0], sizes[s][1], &options);
      assert_ok(moho_view_write_png(test_path("size.png"), data, sizes[s][0], sizes[s][1], sizes[s][1], 1, &options));
      picture p = read_picture(test_path("size.png"));
      assert_true(p.width == plot.width && p.height == plot.height);
      if (given) assert_true(p.width == 800 && p.height == 600);
      assert_true(p.width >= 300 && p.width < 2400 && p.height >= 200 && p.height < 1500);
      /* Nothing touches the rim: no caption is clipped. */
      for (int x = 0; x < p.width; x++) assert_true(pixel(&p, x, 0).g == 255 && pixel(&p, x, p.height - 1).g == 255);
      for (int y = 0; y < p.height; y++) assert_true(pixel(&p, 0, y).g == 255 && pixel(&p, p.width - 1, y).g == 255);
      free(p.rgb);
    }
    free(data);
  }
}

/* Sample (a, d) of crisp data is seen at the middle of its cell, time downwards, whatever the strides. */
static void samples_are_where_they_belong(void **state) {
  (void)state;
  enum { NA = 5, ND = 8 };
  float data[NA][ND], turned[ND][NA];
  moho_colour table[256];
  for (int a = 0; a < NA; a++)
    for (int d = 0; d < ND; d++) turned[d][a] = data[a][d] = (float)(a * ND + d);
  moho_view_options options = moho_view_options_default();
  options.symmetric = 0, options.colours = MOHO_VIEW_SEQUENTIAL;
  moho_colours_fill(options.colours, table);
  moho_view_plot plot = lay_out(&data[0][0], NA, ND, &options);
  for (int round = 0; round < 2; round++) {
    if (round == 0) assert_ok(moho_view_write_png(test_path("cells.png"), &data[0][0], NA, ND, ND, 1, &options));
    else assert_ok(moho_view_write_png(test_path("cells.png"), &turned[0][0], NA, ND, 1, NA, &options));
    picture p = read_picture(test_path("cells.png"));
    for (int a = 0; a < NA; a++)
      for (int d = 0; d < ND; d++) {
        int x = plot.x + (int)((a + 0.5) * plot.plot_width / NA), y = plot.y + (int)((d + 0.5) * plot.plot_height / ND);
        assert_true(same_colour(pixel(&p, x, y), table[lrint(255.0 * data[a][d] / (NA * ND - 1))]));
      }
    free(p.rgb);
  }
}

static void missing_samples_are_grey_blue(void **state) {
  (void)state;
  float data[100];
  for (int i = 0; i < 100; i++) data[i] = i % 2 ? 1.0f : -1.0f;
  data[55] = NAN, data[54] = INFINITY;
  moho_view_options options = moho_view_options_default();
  moho_view_plot plot = lay_out(data, 10, 10, &options);
  assert_true(plot.range.high == 1);
  assert_ok(moho_view_write_png(test_path("nan.png"), data, 10, 10, 10, 1, &options));
  picture p = read_picture(test_path("nan.png"));
  int x = plot.x + plot.plot_width * 11 / 20;
  assert_true(same_colour(pixel(&p, x, plot.y + plot.plot_height * 11 / 20), MOHO_VIEW_MISSING));
  assert_true(same_colour(pixel(&p, x, plot.y + plot.plot_height * 9 / 20), MOHO_VIEW_MISSING));
  assert_true(same_colour(pixel(&p, x, plot.y + plot.plot_height * 3 / 20), (moho_colour){0, 0, 0}));
  free(p.rgb);
  for (int i = 0; i < 100; i++) data[i] = NAN;
  assert_ok(moho_view_write_png(test_path("nan.png"), data, 10, 10, 10, 1, &options));
  p = read_picture(test_path("nan.png"));
  assert_true(same_colour(pixel(&p, x, plot.y + plot.plot_height / 5), MOHO_VIEW_MISSING));
  free(p.rgb);
}

static moho_view_range range_of(const float *data, size_t n, const moho_view_options *options) {
  moho_view_data view = {data, 1, n, n, 1};
  moho_view_range range;
  assert_ok(moho_view_find_range(&view, options, &range));
  assert_true(range.low < range.high);
  return range;
}

static void clips_are_percentiles(void **state) {
  (void)state;
  float data[1000];
  moho_view_options options = moho_view_options_default();
  for (int i = 0; i < 1000; i++) data[i] = (float)((i * 617) % 1000 + 1) * (i % 3 ? 1.0f : -1.0f);
  assert_true(range_of(data, 1000, &options).high == 990);
  options.clip_percentile = 50;
  assert_true(range_of(data, 1000, &options).high == 500 && range_of(data, 1000, &options).low == -500);
  options.clip_percentile = 100;
  assert_true(range_of(data, 1000, &options).high == 1000);
  options.clip_value = 7;
  assert_true(range_of(data, 1000, &options).high == 7);
  options = moho_view_options_default();
  memset(data, 0, sizeof data);
  assert_true(range_of(data, 1000, &options).high == 1);
  data[500] = -3; /* nearly all zero: the rest must show */
  assert_true(range_of(data, 1000, &options).high == 3);
  options.symmetric = 0;
  assert_true(range_of(data, 1000, &options).low == -3 && range_of(data, 1000, &options).high == 0);
  data[500] = 0;
  assert_true(range_of(data, 1000, &options).whole && range_of(data, 1000, &options).any);
  data[0] = NAN;
  assert_false(range_of(data, 1, &options).any);
}

static void resampling_keeps_what_it_should(void **state) {
  (void)state;
  float ramp[40], out[400];
  for (int i = 0; i < 40; i++) ramp[i] = (float)i;
  moho_view_data data = {ramp, 1, 40, 40, 1};
  assert_ok(moho_view_resample(&data, 1, 1, 400, out)); /* smooth: a ramp stays a ramp, away from the ends */
  for (int y = 20; y < 380; y++) assert_true(fabs(out[y] - ((y + 0.5) / 10 - 0.5)) < 1e-4);
  assert_ok(moho_view_resample(&data, 0, 1, 400, out)); /* crisp: cells */
  for (int y = 0; y < 400; y++) assert_true(out[y] == (float)(y / 10));
  assert_ok(moho_view_resample(&data, 1, 1, 16, out)); /* averages of 2.5 cells: the mean is kept */
  double sum = 0;
  for (int y = 0; y < 16; y++) sum += out[y];
  assert_true(fabs(sum / 16 - 19.5) < 1e-4 && fabs(out[0] - (0 + 1 + 0.5 * 2) / 2.5) < 1e-5);
}

static void ticks_are_round_and_few(void **state) {
  (void)state;
  moho_ticks ticks = moho_ticks_between(0, 4, 9, 0, MOHO_PLAIN_COORDINATES);
  assert_int_equal(ticks.n, 9);
  assert_string_equal(ticks.labels[1], "0.5");
  ticks = moho_ticks_between(161.5, 0.5, 8, 1, MOHO_PLAIN_COORDINATES); /* a falling axis */
  assert_int_equal(ticks.n, 3);
  assert_string_equal(ticks.labels[2], "150");
  ticks = moho_ticks_between(0.5, 2.5, 10, 1, MOHO_PLAIN_COORDINATES);
  assert_int_equal(ticks.n, 2);
  assert_string_equal(ticks.labels[0], "1");
  ticks = moho_ticks_between(-3e-9, 3e-9, 6, 0, MOHO_PLAIN_COORDINATES);
  assert_int_equal(ticks.exponent, -9);
  assert_string_equal(ticks.labels[ticks.n - 1], "3");
  assert_string_equal(ticks.labels[ticks.n / 2], "0");
  assert_string_equal(ticks.labels[0], "\xe2\x88\x92"
                                       "3");
  assert_int_equal(moho_ticks_between(NAN, 1, 5, 0, MOHO_PLAIN_COORDINATES).n, 0);
  assert_int_equal(moho_ticks_between(1, 1, 5, 0, MOHO_PLAIN_COORDINATES).n, 0);
  for (double high = 1e-30; high < 1e30; high *= 3.7)
    assert_in_range(moho_ticks_between(0, high, 7, 0, MOHO_PLAIN_COORDINATES).n, 3, 8);
  assert_int_equal(moho_ticks_between(0, 8e5, 5, 0, MOHO_PLAIN_COORDINATES).exponent, 0);
  assert_int_equal(moho_ticks_between(0, 8e5, 5, 0, MOHO_PLAIN_AMPLITUDES).exponent, 5);
  char caption[80];
  moho_axis_caption("amplitude", "m/s", -7, caption, sizeof caption);
  assert_string_equal(caption, "amplitude (10\xe2\x81\xbb\xe2\x81\xb7 m/s)");
  moho_axis_caption("crossline", "", 0, caption, sizeof caption);
  assert_string_equal(caption, "crossline");
}

static double luminance(moho_colour c) {
  return 0.2126 * pow(c.r / 255.0, 2.2) + 0.7152 * pow(c.g / 255.0, 2.2) + 0.0722 * pow(c.b / 255.0, 2.2);
}

static void colour_scales_are_even(void **state) {
  (void)state;
  moho_colour table[256];
  moho_colours_fill(MOHO_VIEW_SEQUENTIAL, table);
  for (int i = 1; i < 256; i++) {
    if (i >= 3) assert_true(luminance(table[i]) > luminance(table[i - 3])); /* neighbours may be equal when rounded */
    assert_true(abs(table[i].r - table[i - 1].r) < 8 && abs(table[i].g - table[i - 1].g) < 8 &&
                abs(table[i].b - table[i - 1].b) < 8);
    assert_true(table[i].r > 0 && table[i].g > 0 && table[i].b > 0); /* not clipped */
  }
  moho_colours_fill(MOHO_VIEW_RED_BLUE, table);
  assert_true(table[0].b > table[0].r && table[255].r > table[255].b);
  assert_true(table[127].r > 240 && table[127].g > 240 && table[128].b > 240);
  for (int i = 0; i < 125; i++) assert_true(luminance(table[i]) < luminance(table[i + 3]));
  for (int i = 128; i < 253; i++) assert_true(luminance(table[i]) > luminance(table[i + 3]));
  moho_colours_fill(MOHO_VIEW_GREY, table);
  assert_true(table[0].g == 255 && table[255].g == 0);
}

/* Every printable character leaves ink, and no two look alike. */
static void the_font_has_every_character(void **state) {
  (void)state;
  enum { SIZE = 30, FIRST = '!', LAST = '~', BYTES = 3 * 2 * SIZE * 2 * SIZE };
  static uint8_t drawn[LAST + 1][BYTES];
  for (int c = FIRST; c <= LAST; c++) {
    moho_canvas canvas;
    const char text[2] = {(char)c, 0};
    moho_text_style style = {.size = SIZE, .colour = {0, 0, 0}};
    assert_ok(moho_canvas_create(2 * SIZE, 2 * SIZE, (moho_colour){255, 255, 255}, &canvas));
    assert_ok(moho_text_draw(&canvas, SIZE / 2.0, 1.4 * SIZE, text, &style));
    memcpy(drawn[c], canvas.rgb, BYTES);
    int darkest = 255;
    for (int i = 0; i < BYTES; i++) darkest = drawn[c][i] < darkest ? drawn[c][i] : darkest;
    assert_true(darkest < 60);
    for (int other = FIRST; other < c; other++) assert_memory_not_equal(drawn[c], drawn[other], BYTES);
    moho_canvas_release(&canvas);
  }
  assert_true(moho_text_width("iii", 20) < moho_text_width("mmm", 20));
  assert_true(fabs(moho_text_width("aa", 40) - 2 * moho_text_width("aa", 20)) < 1e-9);
  assert_true(moho_text_width("", 20) == 0);
  assert_true(moho_text_width("\xc3\xa4", 20) == moho_text_width("a", 20));
  assert_true(moho_text_width("\xff\xc3", 20) > 0); /* broken UTF-8 */
}

static void wiggles_add_ink_on_the_positive_side(void **state) {
  (void)state;
  float data[3 * 50];
  for (int i = 0; i < 150; i++) data[i] = 1;
  moho_view_options options = moho_view_options_default();
  options.colours = MOHO_VIEW_RED_BLUE, options.wiggles = 1;
  moho_view_plot plot = lay_out(data, 3, 50, &options);
  assert_ok(moho_view_write_png(test_path("wiggle.png"), data, 3, 50, 50, 1, &options));
  picture p = read_picture(test_path("wiggle.png"));
  int y = plot.y + plot.plot_height / 2, spacing = plot.plot_width / 3, base = plot.x + spacing / 2;
  assert_true(pixel(&p, base + spacing / 4, y).r < 70); /* filled */
  assert_true(pixel(&p, base - spacing / 4, y).r > 90); /* colour */
  free(p.rgb);
}

static void what_cannot_be_drawn_is_refused(void **state) {
  (void)state;
  float data[4] = {1, 2, 3, 4};
  moho_view_options options = moho_view_options_default();
  assert_fails(moho_view_write_png(test_path("x.png"), data, 0, 4, 4, 1, &options), MOHO_ERROR_ARGUMENT, "0 x 4 samples");
  assert_fails(moho_view_write_png(test_path("no/such/x.png"), data, 2, 2, 2, 1, &options), MOHO_ERROR_IO, "No such file");
  options.width = 90, options.height = 90;
  assert_fails(moho_view_write_png(test_path("x.png"), data, 2, 2, 2, 1, &options), MOHO_ERROR_ARGUMENT, "no room");
  assert_non_null(strstr(moho_last_error()->hint, "larger"));
  options.width = 1 << 20;
  assert_fails(moho_view_write_png(test_path("x.png"), data, 2, 2, 2, 1, &options), MOHO_ERROR_RANGE, "expected 0 to 20000");
  options = moho_view_options_default();
  options.clip_percentile = 0;
  assert_fails(moho_view_write_png(test_path("x.png"), data, 2, 2, 2, 1, &options), MOHO_ERROR_RANGE, "clip percentile 0");
  assert_int_equal(access(test_path("x.png"), F_OK), -1);
}

static void a_failed_write_leaves_nothing_behind(void **state) {
  (void)state;
  float data[400];
  char partial[600];
  moho_view_options options = moho_view_options_default();
  options.title = "Stack";
  for (int i = 0; i < 400; i++) data[i] = (float)sin(i);
  snprintf(partial, sizeof partial, "%s.partial-%ld", test_path("fault.png"), (long)getpid());
  for (int64_t bytes = 0; bytes < 5000; bytes += 700) {
    moho_file_writer_set_fault(ENOSPC, bytes);
    moho_status status = moho_view_write_png(test_path("fault.png"), data, 20, 20, 20, 1, &options);
    moho_file_writer_set_fault(0, -1);
    assert_fails(status, MOHO_ERROR_IO, "No space left on device");
    assert_int_equal(access(test_path("fault.png"), F_OK), -1);
    assert_int_equal(access(partial, F_OK), -1);
  }
  assert_ok(moho_view_write_png(test_path("fault.png"), data, 20, 20, 20, 1, &options));
  assert_int_equal(access(test_path("fault.png"), F_OK), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_have_the_size_asked_for),
                                     cmocka_unit_test(samples_are_where_they_belong),
                                     cmocka_unit_test(missing_samples_are_grey_blue),
                                     cmocka_unit_test(clips_are_percentiles),
                                     cmocka_unit_test(resampling_keeps_what_it_should),
                                     cmocka_unit_test(ticks_are_round_and_few),
                                     cmocka_unit_test(colour_scales_are_even),
                                     cmocka_unit_test(the_font_has_every_character),
                                     cmocka_unit_test(wiggles_add_ink_on_the_positive_side),
                                     cmocka_unit_test(what_cannot_be_drawn_is_refused),
                                     cmocka_unit_test(a_failed_write_leaves_nothing_behind)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
