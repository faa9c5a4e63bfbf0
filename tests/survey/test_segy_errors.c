/* test_segy_errors.c - files that cannot be read: each error names the place and how to mend it. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segy_build.h"

static segy_bytes small(void) {
  return segy_build((segy_recipe){.n_traces = 10, .ns = 50, .dt_us = 4000});
}

static void refused(const char *path, int code, const char *words, const char *hint) {
  moho_traces *traces = (moho_traces *)1;
  assert_fails(moho_traces_open(path, NULL, &traces), code, words);
  assert_null(traces);
  assert_non_null(strstr(moho_last_error()->message, path));
  assert_string_equal(moho_last_error()->file, path);
  if (!strstr(moho_last_error()->hint, hint)) fail_msg("hint \"%s\", expected \"%s\"", moho_last_error()->hint, hint);
}

static void no_file(void **state) {
  (void)state;
  moho_traces *traces;
  refused(test_path("absent.sgy"), MOHO_ERROR_NOT_FOUND, "no such file", "path");
  assert_fails(moho_traces_open("", NULL, &traces), MOHO_ERROR_ARGUMENT, "no trace file");
  const char *directory = test_path("folder.sgy");
  assert_int_equal(mkdir(directory, 0777), 0);
  assert_true(moho_traces_open(directory, NULL, &traces) > 0);
}

static void empty_and_foreign_files(void **state) {
  (void)state;
  segy_bytes file = small();
  refused(segy_save_part(&file, "empty.sgy", 0), MOHO_ERROR_FORMAT, "empty file", "copy it again");
  refused(segy_save_part(&file, "short.sgy", 3599), MOHO_ERROR_FORMAT, "3599 bytes, they take 3600", "copy it again");
  refused(segy_save_part(&file, "headers.sgy", 3600), MOHO_ERROR_FORMAT, "no traces", "copy");
  uint64_t state_of_noise = 1;
  for (size_t i = 0; i < file.n; i++) file.data[i] = (uint8_t)(test_uniform(&state_of_noise) * 256);
  refused(segy_save(&file, "noise.sgy"), MOHO_ERROR_FORMAT, "neither SEG-Y nor SU", "right file");
  memset(file.data, 'a', file.n);
  refused(segy_save(&file, "letters.txt"), MOHO_ERROR_FORMAT, "unknown sample format", "binary header");
  segy_free(&file);
}

static void formats_that_are_not_read(void **state) {
  (void)state;
  const struct {
    int code;
    const char *words;
  } codes[] = {
      {4, "format 4 (fixed point with gain, obsolete"}, {6, "format 6 (8-byte IEEE float"}, {16, "format 16 (1-byte unsigned"}};
  segy_bytes file = small();
  for (int i = 0; i < 3; i++) {
    segy_set_binary(&file, 3225, 2, codes[i].code);
    refused(segy_save(&file, "format.sgy"), MOHO_ERROR_FORMAT, codes[i].words, "format 5");
    assert_int_equal(moho_last_error()->byte, 3224);
  }
  segy_set_binary(&file, 3225, 2, 77);
  refused(segy_save(&file, "format.sgy"), MOHO_ERROR_FORMAT,
          "unknown sample format 77 (bytes 3225-3226), expected 1, 2, 3, 5 or 8", "true format");
  segy_free(&file);
}

static void pairs_of_bytes_swapped(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 2, .ns = 50, .dt_us = 4000, .revision = 2});
  segy_set_binary(&file, 3297, 4, 33620995);
  refused(segy_save(&file, "pairs.sgy"), MOHO_ERROR_FORMAT, "pairs of bytes are swapped", "convert");
  segy_free(&file);
}

static void cut_files(void **state) {
  (void)state;
  const size_t trace = 240 + 200, at = 3600 + 6 * trace;
  const struct {
    size_t n;
    const char *words;
  } cuts[] = {{at + 8, "header of trace 7"},
              {at + 100, "header of trace 7"},
              {at + 239, "header of trace 7"},
              {at + 240, "samples of trace 7"},
              {at + 439, "samples of trace 7"}};
  for (int little = 0; little < 2; little++) {
    segy_bytes file = segy_build((segy_recipe){.n_traces = 10, .ns = 50, .dt_us = 4000, .little = little});
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
      refused(segy_save_part(&file, "cut.sgy", cuts[i].n), MOHO_ERROR_FORMAT, cuts[i].words,
              "keep its 6 whole traces: truncate -s 6240");
      assert_int_equal(moho_last_error()->trace, 7);
      assert_int_equal(moho_last_error()->byte, cuts[i].n);
    }
    refused(segy_save_part(&file, "cut.sgy", 3600 + 100), MOHO_ERROR_FORMAT, "header of trace 1", "copy the file again");
    refused(segy_save_part(&file, "cut.sgy", 3600 + 300), MOHO_ERROR_FORMAT, "samples of trace 1", "copy the file again");
    segy_free(&file);
  }
}

static void absurd_axes(void **state) {
  (void)state;
  segy_bytes file = small();
  segy_set_binary(&file, 3221, 2, 0), segy_set_all(&file, 115, 2, 0);
  refused(segy_save(&file, "ns.sgy"), MOHO_ERROR_FORMAT, "0 samples by its headers (bytes 3221-3222), expected 2 or more",
          "number of samples");
  segy_set_binary(&file, 3221, 2, 1), segy_set_all(&file, 115, 2, 1);
  refused(segy_save(&file, "ns.sgy"), MOHO_ERROR_FORMAT, "1 samples", "number of samples");
  segy_set_binary(&file, 3221, 2, 65535), segy_set_all(&file, 115, 2, 65535);
  refused(segy_save(&file, "ns.sgy"), MOHO_ERROR_FORMAT,
          "trace 1: it ends at byte 8000, the trace (65535 samples) at byte 265980", "3221-3222");
  segy_set_binary(&file, 3221, 2, 33), segy_set_all(&file, 115, 2, 47);
  refused(segy_save(&file, "ns.sgy"), MOHO_ERROR_FORMAT, "no whole number of traces of 33 samples (binary header) or of 47",
          "3221-3222");
  segy_set_binary(&file, 3221, 2, 50), segy_set_all(&file, 115, 2, 50);
  segy_set_binary(&file, 3217, 2, 0), segy_set_all(&file, 117, 2, 0);
  refused(segy_save(&file, "dt.sgy"), MOHO_ERROR_FORMAT, "the sample interval is 0 microseconds", "4000 for 4 ms");
  segy_set_binary(&file, 3217, 2, 4), segy_set_all(&file, 117, 2, 4);
  refused(segy_save(&file, "dt.sgy"), MOHO_ERROR_FORMAT, "the sample interval is 4 microseconds", "4000 for 4 ms");
  assert_int_equal(moho_last_error()->byte, 3216);
  segy_free(&file);
}

static void set_sample(segy_bytes *file, size_t trace, size_t sample, uint32_t bits) {
  segy_set(file, trace, (int)(241 + 4 * sample), 4, bits);
}

static void bad_samples(void **state) {
  (void)state;
  segy_bytes file = small();
  float samples[500];
  set_sample(&file, 3, 7, 0x7fc00000);
  set_sample(&file, 3, 9, 0xff800000);
  set_sample(&file, 8, 49, 0x7f800000);
  memset(segy_trace(&file, 5) + 240, 0, 200);
  moho_traces *traces = segy_open(&file, "bad.sgy");
  assert_fails(moho_traces_read(traces, 0, 10, samples), MOHO_ERROR_FORMAT, "trace 4, sample 8 is NaN");
  assert_int_equal(moho_last_error()->trace, 4);
  assert_non_null(strstr(moho_last_error()->hint, "bad_samples: zero"));
  assert_fails(moho_traces_read(traces, 8, 2, samples), MOHO_ERROR_FORMAT, "trace 9, sample 50 is infinite");
  assert_ok(moho_traces_read(traces, 4, 4, samples));
  segy_assert_anomaly(traces, "zero_traces", 1, 5, "dead");
  moho_traces_close(&traces);
  moho_traces_options options = moho_traces_options_default();
  options.bad_samples = MOHO_BAD_SAMPLES_ZERO;
  traces = segy_open_with(&file, "bad.sgy", &options);
  for (int again = 0; again < 2; again++) assert_ok(moho_traces_read(traces, 0, 10, samples));
  segy_assert_anomaly(traces, "bad_samples", 2, 3, "set to zero");
  segy_assert_anomaly(traces, "zero_traces", 1, 5, "dead");
  const moho_geometry *g = moho_traces_get_geometry(traces);
  assert_true(g->flags[3] == MOHO_TRACE_BAD && g->flags[8] == MOHO_TRACE_BAD && g->flags[5] == MOHO_TRACE_DEAD &&
              g->flags[0] == 0);
  assert_true(moho_geometry_is_live(g, 3) && !moho_geometry_is_live(g, 5));
  assert_true(samples[3 * 50 + 7] == 0 && samples[3 * 50 + 9] == 0 && samples[3 * 50 + 8] == segy_sample_of(3, 8));
  assert_fails(moho_traces_read(traces, 9, 2, samples), MOHO_ERROR_RANGE, "traces 10 to 11 were asked for, there are 10");
  assert_fails(moho_traces_read(traces, (size_t)-1, 2, samples), MOHO_ERROR_RANGE, "there are 10");
  moho_traces_close(&traces);
  segy_free(&file);
}

/* A trace that takes no part anyway does not stop the others. */
static void bad_samples_of_dead_traces(void **state) {
  (void)state;
  segy_bytes file = small();
  float samples[500];
  set_sample(&file, 3, 7, 0x7fc00000);
  segy_set(&file, 3, 29, 2, 2);
  moho_traces *traces = segy_open(&file, "dead.sgy");
  assert_ok(moho_traces_read(traces, 0, 10, samples));
  assert_true(samples[3 * 50 + 7] == 0);
  segy_assert_anomaly(traces, "bad_samples", 1, 3, "set to zero");
  moho_traces_close(&traces);
  segy_free(&file);
}

/* The first bad trace of the file is named, whatever the threads did. */
static void the_first_bad_trace_is_named(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 4000, .ns = 500, .dt_us = 4000});
  float *samples = malloc(4000 * 500 * sizeof *samples);
  assert_non_null(samples);
  for (size_t k = 1201; k < 4000; k += 100) set_sample(&file, k, 3, 0x7fc00000);
  moho_traces *traces = segy_open(&file, "many.sgy");
  for (int again = 0; again < 5; again++)
    assert_fails(moho_traces_read(traces, 0, 4000, samples), MOHO_ERROR_FORMAT, "trace 1202, sample 4 is NaN");
  moho_traces_close(&traces);
  free(samples);
  segy_free(&file);
}

static void file_shrinks_while_open(void **state) {
  (void)state;
  segy_bytes file = small();
  float samples[500];
  moho_traces *traces = segy_open(&file, "shrink.sgy");
  segy_save_part(&file, "shrink.sgy", 5000);
  assert_fails(moho_traces_read(traces, 0, 10, samples), MOHO_ERROR_FORMAT, "ends at byte 5000");
  moho_traces_close(&traces);
  segy_free(&file);
}

/* Thousands of millions of traces in a file of holes: refused before anything is allocated. */
static void more_traces_than_memory(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 2, .ns = 2, .dt_us = 4000, .format = 8});
  const char *path = segy_save(&file, "huge.sgy");
  const off_t bytes = 3600 + (off_t)30000000000 * 242;
  int to = open(path, O_WRONLY);
  assert_true(to >= 0);
  int made = ftruncate(to, bytes) == 0 && pwrite(to, segy_trace(&file, 1), 242, bytes - 242) == 242;
  close(to);
  if (made) refused(path, MOHO_ERROR_TOO_LARGE, "the geometry of 30000000000 traces takes 2.8 TiB", "split the file");
  unlink(path);
  segy_free(&file);
  if (made) return;
  print_message("skipped: this disk holds no file of 7 TB\n");
  skip();
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(no_file),
                                     cmocka_unit_test(empty_and_foreign_files),
                                     cmocka_unit_test(formats_that_are_not_read),
                                     cmocka_unit_test(pairs_of_bytes_swapped),
                                     cmocka_unit_test(cut_files),
                                     cmocka_unit_test(absurd_axes),
                                     cmocka_unit_test(bad_samples),
                                     cmocka_unit_test(bad_samples_of_dead_traces),
                                     cmocka_unit_test(the_first_bad_trace_is_named),
                                     cmocka_unit_test(file_shrinks_while_open),
                                     cmocka_unit_test(more_traces_than_memory)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
