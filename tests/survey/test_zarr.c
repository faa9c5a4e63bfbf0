/* test_zarr.c - the Zarr v2 store: what is written is read back, what is damaged is refused with a word. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "survey/zarr_layout.h"
#include "survey/zarr_store.h"
#include "survey/zarr_traces.h"
#include "test_support.h"

/* ---- groups made by hand ---- */

static void put_file(const char *group, const char *name, const void *data, size_t bytes) {
  char path[700];
  snprintf(path, sizeof path, "%s/%s", group, name);
  assert_ok(moho_file_write_all(path, data, bytes));
}

static void put_text(const char *group, const char *name, const char *text) {
  put_file(group, name, text, strlen(text));
}

/* A group with one array "a" whose .zarray is given. */
static const char *group_with(const char *name, const char *zarray) {
  const char *group = test_path(name);
  char directory[700];
  snprintf(directory, sizeof directory, "%s/a", group);
  assert_ok(moho_directory_make(directory));
  put_text(group, ".zgroup", "{\"zarr_format\": 2}");
  put_text(group, "a/.zarray", zarray);
  return group;
}

static const char *zarray(const char *shape, const char *chunks, const char *dtype, const char *compressor, const char *fill,
                          const char *order) {
  static char text[600];
  snprintf(text, sizeof text,
           "{\"zarr_format\": 2, \"shape\": %s, \"chunks\": %s, \"dtype\": %s, \"compressor\": %s, \"fill_value\": %s, "
           "\"order\": \"%s\", \"filters\": null}",
           shape, chunks, dtype, compressor, fill, order);
  return text;
}

static void refuses(const char *name, const char *text, const char *words) {
  float *values;
  const char *group = group_with(name, text);
  assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values), MOHO_ERROR_FORMAT, words);
  assert_null(values);
  assert_true(moho_last_error()->file[0] != '\0');
}

static void absurd_metadata_is_refused(void **state) {
  (void)state;
  const char *f4 = "\"<f4\"", *raw = "null";
  refuses("no-json", "{\"zarr_format\": 2,", "is not JSON");
  refuses("list", "[1, 2]", "no object");
  refuses("v3", "{\"zarr_format\": 3}", "zarr_format is not 2");
  refuses("empty-object", "{}", "zarr_format is not 2");
  refuses("dtype", zarray("[4]", "[4]", "\"<c8\"", raw, "0", "C"), "dtype is <c8");
  refuses("dtype-list", zarray("[4]", "[4]", "[[\"x\", \"<f4\"]]", raw, "0", "C"), "not a string");
  refuses("negative", zarray("[-4]", "[4]", f4, raw, "0", "C"), "shape of axis 0");
  refuses("fraction", zarray("[4.5]", "[4]", f4, raw, "0", "C"), "shape of axis 0");
  refuses("no-axes", zarray("[]", "[]", f4, raw, "0", "C"), "no list of 1 to 4");
  refuses("five-axes", zarray("[1,1,1,1,1]", "[1,1,1,1,1]", f4, raw, "0", "C"), "no list of 1 to 4");
  refuses("axes", zarray("[4, 4]", "[4]", f4, raw, "0", "C"), "shape has 2 axes, chunks has 1");
  refuses("zero-chunk", zarray("[4]", "[0]", f4, raw, "0", "C"), "chunks of axis 0");
  refuses("huge", zarray("[4000000000, 4000000000, 4000000000]", "[1, 1, 1]", f4, raw, "0", "C"),
          "more than this machine can count");
  refuses("huge-chunk", zarray("[4]", "[3000000000]", f4, raw, "0", "C"), "2 GiB");
  refuses("codec", zarray("[4]", "[4]", f4, "{\"id\": \"bz2\"}", "0", "C"), "compressor is \"bz2\"");
  refuses("codec-text", zarray("[4]", "[4]", f4, "\"blosc\"", "0", "C"), "not an object with an id");
  refuses("fill", zarray("[4]", "[4]", f4, raw, "\"zero\"", "C"), "fill_value");
  refuses("fill-integer", zarray("[4]", "[4]", "\"<i4\"", raw, "\"NaN\"", "C"), "fill_value");
  refuses("order", zarray("[4, 4]", "[4, 4]", f4, raw, "0", "F"), "order is \"F\"");
}

static void an_array_larger_than_memory_is_refused(void **state) {
  (void)state;
  float *values;
  const char *group = group_with("large", zarray("[1000000, 1000000, 100]", "[100, 100, 100]", "\"<f4\"", "null", "0", "C"));
  assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values), MOHO_ERROR_TOO_LARGE, "of memory are free");
  assert_true(moho_last_error()->hint[0] != '\0');
}

static void missing_chunks_read_as_the_fill_value(void **state) {
  (void)state;
  float *values;
  const char *group = group_with("missing", zarray("[4]", "[2]", "\">f4\"", "null", "\"NaN\"", "C"));
  const unsigned char big_endian[8] = {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0}; /* 1, -2 */
  put_file(group, "a/1", big_endian, sizeof big_endian);
  assert_ok(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values));
  assert_true(isnan(values[0]) && isnan(values[1]));
  assert_true(values[2] == 1 && values[3] == -2);
  free(values);
  group = group_with("null-fill", zarray("[3]", "[2]", "\"<i2\"", "null", "null", "C"));
  assert_ok(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values));
  assert_true(values[0] == 0 && values[2] == 0);
  free(values);
}

static void damaged_chunks_are_refused(void **state) {
  (void)state;
  float *values;
  const char *const codecs[] = {"null", "{\"id\": \"zlib\", \"level\": 1}", "{\"id\": \"blosc\", \"cname\": \"lz4\"}"};
  for (size_t c = 0; c < 3; c++) {
    const char *group = group_with("damaged", zarray("[64]", "[64]", "\"<f4\"", codecs[c], "0", "C"));
    float samples[64] = {0};
    void *packed;
    size_t bytes;
    for (int i = 0; i < 64; i++) samples[i] = (float)sin(i);
    moho_zarr_codec codec = c == 0 ? MOHO_ZARR_RAW : c == 1 ? MOHO_ZARR_ZLIB : MOHO_ZARR_BLOSC;
    assert_ok(moho_zarr_encode(codec, 4, samples, sizeof samples, &packed, &bytes));
    put_file(group, "a/0", packed, bytes);
    assert_ok(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values));
    assert_memory_equal(values, samples, sizeof samples);
    free(values);
    for (size_t cut = 0; cut < bytes; cut += 7) {
      put_file(group, "a/0", packed, cut);
      assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values), MOHO_ERROR_FORMAT, "a/0");
      assert_non_null(strstr(moho_last_error()->hint, "write or copy the group again"));
    }
    free(packed);
    /* A whole chunk of another size. */
    assert_ok(moho_zarr_encode(codec, 4, samples, 32 * 4, &packed, &bytes));
    put_file(group, "a/0", packed, bytes);
    assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_F4, NULL, &values), MOHO_ERROR_FORMAT, "holds 128 bytes of samples");
    free(packed);
  }
}

static void what_is_no_group_is_named(void **state) {
  (void)state;
  json_t *attributes;
  assert_fails(moho_zarr_group_read_attributes(test_path("nothing-here"), &attributes), MOHO_ERROR_NOT_FOUND, "no such file");
  assert_ok(moho_file_write_all(test_path("plain-file"), "x", 1));
  assert_fails(moho_zarr_group_read_attributes(test_path("plain-file"), &attributes), MOHO_ERROR_FORMAT, "is a file");
  assert_ok(moho_directory_make(test_path("plain-directory")));
  assert_fails(moho_zarr_group_read_attributes(test_path("plain-directory"), &attributes), MOHO_ERROR_FORMAT, "holds no .zgroup");
  put_text(test_path("plain-directory"), "zarr.json", "{}");
  assert_fails(moho_zarr_group_read_attributes(test_path("plain-directory"), &attributes), MOHO_ERROR_FORMAT, "Zarr v3");
  float *values;
  const char *group = group_with("one-array", zarray("[4]", "[4]", "\"<f4\"", "null", "0", "C"));
  assert_fails(moho_zarr_read_whole(group, "b", MOHO_ZARR_F4, NULL, &values), MOHO_ERROR_NOT_FOUND, "no array \"b\"");
}

static void numbers_that_do_not_fit_are_refused(void **state) {
  (void)state;
  int32_t *values;
  const char *group = group_with("wide", zarray("[2]", "[2]", "\"<i8\"", "null", "0", "C"));
  const int64_t fits[2] = {-2147483648LL, 2147483647}, wide[2] = {1, 2147483648LL};
  put_file(group, "a/0", fits, sizeof fits);
  assert_ok(moho_zarr_read_whole(group, "a", MOHO_ZARR_I4, NULL, &values));
  assert_true(values[0] == INT32_MIN && values[1] == INT32_MAX);
  free(values);
  put_file(group, "a/0", wide, sizeof wide);
  assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_I4, NULL, &values), MOHO_ERROR_FORMAT, "do not fit");
  group = group_with("reals", zarray("[1]", "[1]", "\"<f4\"", "null", "0", "C"));
  assert_fails(moho_zarr_read_whole(group, "a", MOHO_ZARR_I4, NULL, &values), MOHO_ERROR_FORMAT, "not whole");
}

/* ---- writing ---- */

static void any_slice_of_four_axes_comes_back(void **state) {
  (void)state;
  enum { A = 5, B = 4, C = 7, D = 11 };
  static int32_t all[A][B][C][D], some[A * B * C * D];
  moho_zarr_layout layout = {
      .type = MOHO_ZARR_I4, .n_axes = 4, .shape = {A, B, C, D}, .chunk = {2, 3, 3, 4}, .axes = {"a", "b", "c", "d"}};
  moho_zarr_writer *writer;
  moho_zarr_array *array;
  int32_t next = -700;
  for (int32_t *p = &all[0][0][0][0]; p < &all[0][0][0][0] + A * B * C * D; p++) *p = next++;
  assert_ok(moho_zarr_writer_create(test_path("four.zarr/"), &writer)); /* the slash is taken off */
  assert_ok(moho_zarr_writer_put_array(writer, "all", &layout, json_pack("{s:s}", "units", "1"), all));
  assert_ok(moho_zarr_writer_finish(&writer));
  assert_ok(moho_zarr_array_open(test_path("four.zarr"), "all", &array));
  assert_string_equal(moho_zarr_array_get_layout(array)->axes[3], "d");
  assert_string_equal(json_string_value(json_object_get(moho_zarr_array_get_attributes(array), "units")), "1");
  uint64_t seed = 3;
  for (int round = 0; round < 300; round++) {
    size_t first[4], count[4], n = 0;
    for (int a = 0; a < 4; a++) {
      first[a] = (size_t)(test_uniform(&seed) * (double)layout.shape[a]);
      count[a] = 1 + (size_t)(test_uniform(&seed) * (double)(layout.shape[a] - first[a]));
    }
    assert_ok(moho_zarr_array_read(array, first, count, MOHO_ZARR_I4, some));
    for (size_t a = 0; a < count[0]; a++)
      for (size_t b = 0; b < count[1]; b++)
        for (size_t c = 0; c < count[2]; c++)
          for (size_t d = 0; d < count[3]; d++)
            assert_int_equal(some[n++], all[first[0] + a][first[1] + b][first[2] + c][first[3] + d]);
  }
  const size_t first[4] = {0, 0, 0, 8}, count[4] = {1, 1, 1, 4};
  assert_fails(moho_zarr_array_read(array, first, count, MOHO_ZARR_I4, some), MOHO_ERROR_RANGE, "axis 3 of length 11");
  moho_zarr_array_close(&array);
}

static void only_a_zarr_group_is_replaced(void **state) {
  (void)state;
  moho_zarr_writer *writer;
  float one = 1, *values;
  moho_zarr_layout layout = {.type = MOHO_ZARR_F4, .n_axes = 1, .shape = {1}, .chunk = {1}, .axes = {"x"}};
  assert_ok(moho_directory_make(test_path("precious")));
  put_text(test_path("precious"), "thesis.txt", "years of work");
  assert_fails(moho_zarr_writer_create(test_path("precious"), &writer), MOHO_ERROR_EXISTS, "is no Zarr group");
  assert_int_equal(access(test_path("precious/thesis.txt"), F_OK), 0);
  for (int round = 0; round < 2; round++, one++) {
    assert_ok(moho_zarr_writer_create(test_path("again.zarr"), &writer));
    assert_ok(moho_zarr_writer_put_array(writer, "a", &layout, NULL, &one));
    assert_ok(moho_zarr_writer_finish(&writer));
  }
  assert_ok(moho_zarr_read_whole(test_path("again.zarr"), "a", MOHO_ZARR_F4, NULL, &values));
  assert_true(values[0] == 2);
  free(values);
}

static void a_cube_comes_with_its_coordinates(void **state) {
  (void)state;
  moho_zarr_writer *writer;
  moho_zarr_cube cube;
  const float values[6] = {1500, 1600, 1700, 1800, 1900, 2000};
  const double time[3] = {0, 0.5, 1}, x[2] = {10, 20};
  const int64_t numbers[2] = {7, 9};
  moho_zarr_layout layout = {
      .type = MOHO_ZARR_F4, .n_axes = 3, .shape = {1, 2, 3}, .chunk = {1, 1, 2}, .axes = {"inline", "crossline", "time"}};
  moho_zarr_layout line = {.type = MOHO_ZARR_I8, .n_axes = 1, .shape = {2}, .chunk = {2}, .axes = {"crossline"}};
  moho_zarr_layout times = {.type = MOHO_ZARR_F8, .n_axes = 1, .shape = {3}, .chunk = {3}, .axes = {"time"}};
  moho_zarr_layout place = {.type = MOHO_ZARR_F8, .n_axes = 2, .shape = {1, 2}, .chunk = {1, 2}, .axes = {"inline", "crossline"}};
  assert_ok(moho_zarr_writer_create(test_path("cube.zarr"), &writer));
  assert_ok(moho_zarr_writer_put_array(writer, "velocity", &layout, json_pack("{s:s}", "units", "m/s"), values));
  assert_ok(moho_zarr_writer_put_array(writer, "crossline", &line, NULL, numbers));
  assert_ok(moho_zarr_writer_put_array(writer, "time", &times, json_pack("{s:s}", "units", "s"), time));
  assert_ok(moho_zarr_writer_put_array(writer, "cdp_x", &place, NULL, x));
  assert_ok(moho_zarr_writer_finish(&writer));
  assert_ok(moho_zarr_cube_read(test_path("cube.zarr"), "velocity", &cube));
  assert_memory_equal(cube.values, values, sizeof values);
  assert_true(cube.shape[0] == 1 && cube.shape[1] == 2 && cube.shape[2] == 3);
  assert_null(cube.coordinates[0]);
  assert_true(cube.coordinates[1][1] == 9 && cube.coordinates[2][1] == 0.5);
  assert_true(cube.cdp_x[1] == 20 && !cube.cdp_y);
  assert_string_equal(cube.units[2], "s");
  assert_string_equal(cube.value_unit, "m/s");
  assert_string_equal(cube.axes[1], "crossline");
  moho_zarr_cube_release(&cube);
  assert_fails(moho_zarr_cube_read(test_path("cube.zarr"), "time", &cube), MOHO_ERROR_FORMAT, "has 1 axes, expected 3");
}

/* ---- trace files ---- */

static float sample_value(size_t trace, size_t sample) {
  return (float)trace + (float)sample / 4096;
}

static void fill_traces(moho_geometry *geometry, float *samples, size_t first, size_t n, size_t n_samples) {
  for (size_t t = 0; t < n; t++) {
    geometry->source_x[t] = 1e6 + 0.125 * (double)(first + t), geometry->receiver_y[t] = -(double)(first + t);
    geometry->first_sample_s[t] = 0.1, geometry->mute_end_s[t] = (float)(first + t), geometry->cdp[t] = (int32_t)(first + t);
    geometry->flags[t] = (uint8_t)((first + t) % 16);
    for (size_t j = 0; j < n_samples; j++) samples[t * n_samples + j] = sample_value(first + t, j);
  }
}

/* More traces than a chunk of samples and than a chunk of headers. */
static void write_traces(const char *path, size_t n, size_t n_samples, size_t batch) {
  moho_geometry geometry;
  moho_zarr_traces_writer *writer;
  float *samples = malloc(batch * n_samples * sizeof *samples);
  assert_ok(moho_geometry_create(batch, &geometry));
  assert_ok(moho_zarr_traces_writer_create(path, n, n_samples, 0.002, "by hand", &writer));
  for (size_t first = 0; first < n; first += batch) {
    moho_geometry part = moho_geometry_slice(&geometry, 0, n - first < batch ? n - first : batch);
    fill_traces(&geometry, samples, first, part.n, n_samples);
    assert_ok(moho_zarr_traces_writer_append(writer, &part, samples));
  }
  assert_ok(moho_zarr_traces_writer_finish(&writer));
  assert_null(writer);
  moho_geometry_release(&geometry);
  free(samples);
}

static void traces_come_back_in_any_slice(void **state) {
  (void)state;
  enum { N = 70000, SAMPLES = 37 };
  moho_zarr_traces *traces;
  moho_geometry geometry;
  size_t n, n_samples;
  double dt;
  write_traces(test_path("traces.zarr"), N, SAMPLES, 997);
  assert_ok(moho_zarr_traces_open(test_path("traces.zarr"), &traces));
  moho_zarr_traces_shape(traces, &n, &n_samples, &dt);
  assert_true(n == N && n_samples == SAMPLES && dt == 0.002);
  assert_ok(moho_zarr_traces_geometry(traces, &geometry));
  for (size_t t = 0; t < N; t++) {
    assert_true(geometry.source_x[t] == 1e6 + 0.125 * (double)t && geometry.receiver_y[t] == -(double)t);
    assert_true(geometry.mute_end_s[t] == (float)t && geometry.cdp[t] == (int32_t)t && geometry.flags[t] == t % 16);
    assert_true(geometry.first_sample_s[t] == 0.1 && geometry.source_y[t] == 0 && geometry.inline_number[t] == 0);
  }
  moho_geometry_release(&geometry);
  int wrong = 0;
#pragma omp parallel for reduction(+ : wrong)
  for (int part = 0; part < 64; part++) {
    size_t first = (size_t)part * 1093, count = part == 63 ? N - first : 1500;
    float *out = malloc(count * SAMPLES * sizeof *out);
    wrong += moho_zarr_traces_read(traces, first, count, out) != MOHO_OK;
    for (size_t t = 0; t < count; t++)
      for (size_t j = 0; j < SAMPLES; j++) wrong += out[t * SAMPLES + j] != sample_value(first + t, j);
    free(out);
  }
  assert_int_equal(wrong, 0);
  float one[SAMPLES];
  assert_fails(moho_zarr_traces_read(traces, N, 1, one), MOHO_ERROR_RANGE, "asked for along axis 0");
  moho_zarr_traces_close(&traces);
}

static void the_number_of_traces_is_kept(void **state) {
  (void)state;
  moho_zarr_traces_writer *writer;
  moho_geometry geometry;
  float samples[2 * 5] = {0};
  assert_ok(moho_geometry_create(2, &geometry));
  assert_fails(moho_zarr_traces_writer_create(test_path("none.zarr"), 0, 5, 0.002, NULL, &writer), MOHO_ERROR_ARGUMENT,
               "0 traces");
  assert_ok(moho_zarr_traces_writer_create(test_path("three.zarr"), 3, 5, 0.002, NULL, &writer));
  assert_ok(moho_zarr_traces_writer_append(writer, &geometry, samples));
  assert_fails(moho_zarr_traces_writer_append(writer, &geometry, samples), MOHO_ERROR_ARGUMENT, "more than the 3");
  assert_fails(moho_zarr_traces_writer_finish(&writer), MOHO_ERROR_ARGUMENT, "2 traces were appended, 3 announced");
  assert_null(writer);
  assert_int_equal(access(test_path("three.zarr"), F_OK), -1);
  moho_geometry_release(&geometry);
}

static void trace_files_that_lack_something_are_refused(void **state) {
  (void)state;
  moho_zarr_traces *traces;
  moho_geometry geometry;
  char path[700], other[700];
  write_traces(test_path("lacking.zarr"), 5, 4, 5);
  snprintf(path, sizeof path, "%s/cdp", test_path("lacking.zarr"));
  snprintf(other, sizeof other, "%s/gone", test_path("lacking.zarr"));
  assert_int_equal(rename(path, other), 0); /* not needed: reads as 0 */
  assert_ok(moho_zarr_traces_open(test_path("lacking.zarr"), &traces));
  assert_ok(moho_zarr_traces_geometry(traces, &geometry));
  assert_int_equal(geometry.cdp[4], 0);
  moho_geometry_release(&geometry);
  snprintf(path, sizeof path, "%s/source_x", test_path("lacking.zarr"));
  snprintf(other, sizeof other, "%s/gone_too", test_path("lacking.zarr"));
  assert_int_equal(rename(path, other), 0);
  assert_fails(moho_zarr_traces_geometry(traces, &geometry), MOHO_ERROR_NOT_FOUND, "no array \"source_x\"");
  moho_zarr_traces_close(&traces);
  put_text(test_path("lacking.zarr"), ".zattrs", "{\"dt_s\": -0.002}");
  assert_fails(moho_zarr_traces_open(test_path("lacking.zarr"), &traces), MOHO_ERROR_FORMAT, "dt_s");
  assert_non_null(strstr(moho_last_error()->hint, "sample interval"));
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(absurd_metadata_is_refused),
                                     cmocka_unit_test(an_array_larger_than_memory_is_refused),
                                     cmocka_unit_test(missing_chunks_read_as_the_fill_value),
                                     cmocka_unit_test(damaged_chunks_are_refused),
                                     cmocka_unit_test(what_is_no_group_is_named),
                                     cmocka_unit_test(numbers_that_do_not_fit_are_refused),
                                     cmocka_unit_test(any_slice_of_four_axes_comes_back),
                                     cmocka_unit_test(only_a_zarr_group_is_replaced),
                                     cmocka_unit_test(a_cube_comes_with_its_coordinates),
                                     cmocka_unit_test(traces_come_back_in_any_slice),
                                     cmocka_unit_test(the_number_of_traces_is_kept),
                                     cmocka_unit_test(trace_files_that_lack_something_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
