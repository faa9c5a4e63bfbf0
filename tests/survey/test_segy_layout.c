/* test_segy_layout.c - SEG-Y files of every revision, format and byte order, with headers that contradict each other. */
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "segy_build.h"

static void every_format_and_order(void **state) {
  (void)state;
  const int formats[] = {1, 2, 3, 5, 8};
  const char *const names[] = {"IBM float", "4-byte integer", "2-byte integer", "IEEE float", "1-byte integer"};
  for (int f = 0; f < 5; f++)
    for (int little = 0; little < 2; little++)
      for (int revision = 0; revision < 3; revision++) {
        segy_bytes file = segy_build(
            (segy_recipe){.format = formats[f], .little = little, .revision = revision, .n_traces = 23, .ns = 57, .dt_us = 2000});
        moho_traces *traces = segy_open(&file, "a.sgy");
        const moho_traces_info *info = moho_traces_get_info(traces);
        char expected[64];
        snprintf(expected, sizeof expected, "SEG-Y rev %d, %s, %s endian", revision, names[f], little ? "little" : "big");
        assert_string_equal(info->format, expected);
        assert_int_equal(info->kind, MOHO_TRACE_FILE_SEGY);
        assert_int_equal(info->n_traces, 23);
        assert_int_equal(info->n_samples, 57);
        assert_true(info->dt_s == 0.002);
        assert_int_equal(info->file_bytes, file.n);
        assert_int_equal(info->n_anomalies, 0);
        assert_int_equal(info->units, MOHO_UNITS_M);
        assert_int_equal(info->geometry, MOHO_GEOMETRY_SOURCE_RECEIVER);
        const moho_geometry *g = moho_traces_get_geometry(traces);
        assert_true(g->source_x[3] == 1030 && g->source_y[3] == 500 && g->receiver_x[3] == 1130 && g->receiver_y[3] == 500);
        assert_int_equal(g->cdp[22], 122);
        segy_assert_samples(traces);
        moho_traces_close(&traces);
        assert_null(traces);
        segy_free(&file);
      }
}

/* The value of an IBM number by its definition: fraction/2^24 * 16^(exponent - 64). */
static void ibm_numbers_also_unnormalised(void **state) {
  (void)state;
  const uint32_t bits[] = {0x41100000, 0xc1100000, 0x41000001, 0x42000100, 0x00000000,
                           0x40800000, 0x3f199999, 0x58ffffff, 0x21100000, 0xc276a000};
  segy_bytes file = segy_build((segy_recipe){.format = 1, .n_traces = 1, .ns = 10, .dt_us = 2000});
  for (size_t j = 0; j < 10; j++)
    for (size_t b = 0; b < 4; b++) segy_trace(&file, 0)[240 + 4 * j + b] = (uint8_t)(bits[j] >> (24 - 8 * b));
  moho_traces *traces = segy_open(&file, "ibm.sgy");
  float samples[10];
  assert_ok(moho_traces_read(traces, 0, 1, samples));
  for (int j = 0; j < 10; j++) {
    double value = ldexp((double)(bits[j] & 0xffffff), 4 * ((int)(bits[j] >> 24 & 0x7f) - 64) - 24);
    assert_true(samples[j] == (float)(bits[j] >> 31 ? -value : value));
  }
  assert_true(samples[9] == -118.625f); /* the textbook's example */
  moho_traces_close(&traces);
  segy_free(&file);
}

static void text_in_both_encodings(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 2, .ns = 10, .dt_us = 4000});
  moho_traces *traces = segy_open(&file, "text.sgy");
  assert_string_equal(moho_traces_get_info(traces)->text_header, "C 1 A test\n");
  moho_traces_close(&traces);
  memset(file.data, ' ', 3200);
  memcpy(file.data, "C 1 LINE 12", 11);
  memcpy(file.data + 160, "C 3 50\xb0 N", 9);
  traces = segy_open(&file, "text.sgy");
  assert_string_equal(moho_traces_get_info(traces)->text_header, "C 1 LINE 12\n\nC 3 50\xc2\xb0 N\n");
  moho_traces_close(&traces);
  memset(file.data, 0, 3200);
  traces = segy_open(&file, "text.sgy");
  assert_string_equal(moho_traces_get_info(traces)->text_header, "");
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void extended_headers_counted_and_not(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 5, .ns = 20, .dt_us = 4000, .revision = 1, .extended = 3});
  memcpy(file.data + 3600, "\xc5\x98\xa3\xd9\x81", 5); /* "ExtRa" in EBCDIC */
  moho_traces *traces = segy_open(&file, "ext.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_anomalies, 0);
  assert_non_null(strstr(moho_traces_get_info(traces)->text_header, "EqtRa"));
  segy_assert_samples(traces);
  moho_traces_close(&traces);

  segy_set_binary(&file, 3505, 2, -1);
  memcpy(file.data + 3600 + 2 * 3200, "((SEG: EndText))", 16);
  traces = segy_open(&file, "ext.sgy");
  segy_assert_anomaly(traces, "extended_headers_uncounted", 1, 0, "3 were found");
  assert_int_equal(moho_traces_get_info(traces)->n_traces, 5);
  segy_assert_samples(traces);
  moho_traces_close(&traces);

  /* The same words in EBCDIC, without the blank, as the standard also prints them. */
  memset(file.data + 3600 + 2 * 3200, 0x40, 16);
  memcpy(file.data + 3600 + 3200 + 80, "\x4d\x4d\xe2\xc5\xc7\x7a\xc5\x95\x84\xe3\x85\xa7\xa3\x5d\x5d", 15);
  file.data[3600 + 2 * 3200] = 0x40;
  memmove(file.data + 3600 + 2 * 3200, file.data + 3600 + 3 * 3200, file.n - 3600 - 3 * 3200);
  file.n -= 3200, file.recipe.extended = 2;
  traces = segy_open(&file, "ext.sgy");
  segy_assert_anomaly(traces, "extended_headers_uncounted", 1, 0, "2 were found");
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void extended_headers_that_lie(void **state) {
  (void)state;
  moho_traces *traces;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 5, .ns = 2000, .dt_us = 4000, .revision = 1});
  segy_set_binary(&file, 3505, 2, 2); /* promised, not there: the traces say where they begin */
  traces = segy_open(&file, "lie.sgy");
  segy_assert_anomaly(traces, "first_trace_conflict", 1, 0, "byte 3600, not at 10000");
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_set_binary(&file, 3505, 2, 999);
  assert_fails(moho_traces_open(segy_save(&file, "lie.sgy"), NULL, &traces), MOHO_ERROR_FORMAT, "999 extended headers");
  segy_set_binary(&file, 3505, 2, -1);
  assert_fails(moho_traces_open(segy_save(&file, "lie.sgy"), NULL, &traces), MOHO_ERROR_FORMAT, "EndText");
  assert_non_null(strstr(moho_last_error()->hint, "3505"));
  file.data[3500] = 0; /* rev 0 knows none: whatever stands there is ignored */
  segy_set_binary(&file, 3505, 2, 77);
  traces = segy_open(&file, "lie.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_anomalies, 0);
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void samples_conflict(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 6, .ns = 60, .dt_us = 4000});
  segy_set_all(&file, 115, 2, 150);
  moho_traces *traces = segy_open(&file, "ns.sgy");
  segy_assert_anomaly(traces, "ns_conflict", 6, 0,
                      "trace headers say 150 samples, the binary header 60: 60 is used, it fits the file");
  segy_assert_samples(traces);
  moho_traces_close(&traces);

  segy_set_all(&file, 115, 2, 60);
  segy_set_binary(&file, 3221, 2, 150);
  segy_set_binary(&file, 3217, 2, 1000); /* the header that is wrong about ns is not believed about dt either */
  traces = segy_open(&file, "ns.sgy");
  segy_assert_anomaly(traces, "ns_conflict", 1, 0, "the binary header says 150 samples, the trace headers 60: 60 is used");
  segy_assert_anomaly(traces, "dt_conflict", 1, 0, "4000 us is used");
  segy_assert_samples(traces);
  moho_traces_close(&traces);

  segy_set_binary(&file, 3221, 2, 0);
  traces = segy_open(&file, "ns.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_samples, 60);
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void interval_conflict(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 6, .ns = 60, .dt_us = 4000});
  segy_set(&file, 4, 117, 2, 2000);
  segy_set(&file, 5, 117, 2, 2000);
  moho_traces *traces = segy_open(&file, "dt.sgy");
  segy_assert_anomaly(traces, "dt_conflict", 2, 4, "trace headers say dt 2000 us, the binary header 4000 us: 4000 us is used");
  moho_traces_close(&traces);
  segy_set_all(&file, 117, 2, 2000);
  segy_set_binary(&file, 3217, 2, 0);
  traces = segy_open(&file, "dt.sgy");
  assert_true(moho_traces_get_info(traces)->dt_s == 0.002);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void many_samples(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 3, .ns = 50001, .dt_us = 40000, .format = 3});
  moho_traces *traces = segy_open(&file, "long.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_samples, 50001);
  assert_true(moho_traces_get_info(traces)->dt_s == 0.04);
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void revision_2_sizes(void **state) {
  (void)state;
  for (int little = 0; little < 2; little++) {
    segy_bytes file =
        segy_build((segy_recipe){.n_traces = 3, .ns = 70000, .dt_us = 2000, .format = 8, .revision = 2, .little = little});
    double dt_us = 62.5;
    int64_t bits;
    memcpy(&bits, &dt_us, 8);
    segy_set_binary(&file, 3221, 2, 0);
    segy_set_binary(&file, 3269, 4, 70000);
    segy_set_binary(&file, 3273, 8, bits);
    segy_set_binary(&file, 3297, 4, 16909060);
    segy_set_binary(&file, 3521, 8, 3600);
    segy_set_all(&file, 115, 2, 0);
    segy_set_all(&file, 117, 2, 0);
    moho_traces *traces = segy_open(&file, "two.sgy");
    assert_int_equal(moho_traces_get_info(traces)->n_samples, 70000);
    assert_true(fabs(moho_traces_get_info(traces)->dt_s - 62.5e-6) < 1e-18);
    assert_int_equal(moho_traces_get_info(traces)->n_anomalies, 0);
    segy_assert_samples(traces);
    moho_traces_close(&traces);
    segy_free(&file);
  }
}

/* Rev 2: one more 240-byte header a trace, and a data trailer of 3200 bytes. */
static void revision_2_more_headers(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 4, .ns = 25, .dt_us = 2000, .revision = 2});
  size_t trace = 240 + 100, n = 3600 + 4 * (trace + 240) + 3200;
  uint8_t *wide = calloc(n, 1);
  assert_non_null(wide);
  memcpy(wide, file.data, 3600);
  for (size_t k = 0; k < 4; k++) {
    memcpy(wide + 3600 + k * (trace + 240), segy_trace(&file, k), 240);
    memcpy(wide + 3600 + k * (trace + 240) + 232, "SEG00000", 8);
    memcpy(wide + 3600 + k * (trace + 240) + 480, segy_trace(&file, k) + 240, 100);
  }
  free(file.data);
  file.data = wide, file.n = n;
  segy_set_binary(&file, 3507, 4, 1);
  segy_set_binary(&file, 3529, 4, 1);
  moho_traces *traces = segy_open(&file, "wide.sgy");
  assert_int_equal(moho_traces_get_info(traces)->n_traces, 4);
  segy_assert_anomaly(traces, "trailing_bytes", 1, 3, "3200 bytes");
  segy_assert_samples(traces);
  moho_traces_close(&traces);
  segy_free(&file);
}

static void trailing_bytes(void **state) {
  (void)state;
  for (int kind = 0; kind < 4; kind++) {
    segy_bytes file = segy_build((segy_recipe){.n_traces = 4, .ns = 100, .dt_us = 2000});
    size_t more = kind == 3 ? 3000 : 512; /* the last: zeros for four traces more */
    file.data = realloc(file.data, file.n + more);
    memset(file.data + file.n, kind == 1 ? ' ' : kind == 2 ? 0xe5 : 0, more);
    if (kind == 1) memcpy(file.data + file.n, "end of line", 11);
    file.n += more;
    moho_traces *traces = segy_open(&file, "tail.sgy");
    segy_assert_anomaly(traces, "trailing_bytes", 1, 3, kind == 3 ? "3000 bytes" : "512 bytes");
    assert_int_equal(moho_traces_get_info(traces)->n_traces, 4);
    segy_assert_samples(traces);
    moho_traces_close(&traces);
    segy_free(&file);
  }
}

/* 3 GiB of holes with a few traces written in: positions are 64-bit. */
static void larger_than_2_gib(void **state) {
  (void)state;
  const size_t ns = 60000, n = 13000, marked[] = {0, 8947, 8948, n - 1};
  const uint64_t trace_bytes = 240 + 4 * (uint64_t)ns;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 1, .ns = (unsigned)ns, .dt_us = 2000});
  const char *path = segy_save(&file, "big.sgy");
  int to = open(path, O_WRONLY);
  assert_true(to >= 0);
  if (ftruncate(to, (off_t)(3600 + n * trace_bytes))) {
    close(to);
    print_message("skipped: this disk holds no file of 3 GiB\n");
    skip();
  }
  for (size_t k = 0; k < n; k++) {
    segy_set(&file, 0, 73, 4, 1000 + (int64_t)k);
    segy_set(&file, 0, 81, 4, 1100 + (int64_t)k);
    ssize_t wrote = pwrite(to, segy_trace(&file, 0), 240, (off_t)(3600 + k * trace_bytes));
    assert_int_equal(wrote, 240);
  }
  for (int i = 0; i < 4; i++) {
    float value = (float)(i + 1);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    bits = __builtin_bswap32(bits);
    ssize_t wrote = pwrite(to, &bits, 4, (off_t)(3600 + marked[i] * trace_bytes + 240 + 4 * (ns - 1)));
    assert_int_equal(wrote, 4);
  }
  close(to);
  moho_traces *traces;
  assert_ok(moho_traces_open(path, NULL, &traces));
  assert_int_equal(moho_traces_get_info(traces)->n_traces, n);
  assert_true(moho_traces_get_info(traces)->file_bytes > 3000000000u);
  assert_true(moho_traces_get_geometry(traces)->source_x[n - 1] == 1000.0 + (double)(n - 1));
  float *samples = malloc(ns * sizeof *samples);
  assert_non_null(samples);
  for (int i = 0; i < 4; i++) {
    assert_ok(moho_traces_read(traces, marked[i], 1, samples));
    assert_true(samples[ns - 1] == (float)(i + 1));
  }
  free(samples);
  moho_traces_close(&traces);
  unlink(path);
  segy_free(&file);
}

static void hash_tells_headers_apart(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 9000, .ns = 4, .dt_us = 2000}); /* three blocks of headers */
  moho_traces *traces = segy_open(&file, "hash.sgy");
  char first[65];
  memcpy(first, moho_traces_get_info(traces)->input_hash, 65);
  assert_int_equal(strlen(first), 64);
  moho_traces_close(&traces);
  traces = segy_open(&file, "other_name.sgy");
  assert_string_equal(first, moho_traces_get_info(traces)->input_hash);
  moho_traces_close(&traces);
  segy_set(&file, 8999, 25, 4, 5);
  traces = segy_open(&file, "hash.sgy");
  assert_string_not_equal(first, moho_traces_get_info(traces)->input_hash);
  moho_traces_close(&traces);
  segy_free(&file);
}

typedef struct watch {
  int calls, stop_at;
  double last, total;
} watch;

static int watch_progress(void *user, const moho_progress *progress) {
  watch *seen = user;
  assert_string_equal(progress->stage, "reading headers");
  assert_true(progress->done >= seen->last);
  seen->last = progress->done, seen->total = progress->total;
  return ++seen->calls == seen->stop_at;
}

static void scan_tells_progress_and_stops(void **state) {
  (void)state;
  segy_bytes file = segy_build((segy_recipe){.n_traces = 9000, .ns = 4, .dt_us = 2000});
  watch seen = {0};
  moho_traces_options options = moho_traces_options_default();
  options.progress = watch_progress, options.progress_user = &seen;
  moho_traces *traces = segy_open_with(&file, "progress.sgy", &options);
  assert_true(seen.calls >= 2 && seen.last == 9000 && seen.total == 9000);
  moho_traces_close(&traces);
  seen = (watch){.stop_at = 1};
  assert_fails(moho_traces_open(segy_save(&file, "progress.sgy"), &options, &traces), MOHO_ERROR_INTERRUPTED, "interrupted");
  assert_null(traces);
  segy_free(&file);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_format_and_order),
                                     cmocka_unit_test(ibm_numbers_also_unnormalised),
                                     cmocka_unit_test(text_in_both_encodings),
                                     cmocka_unit_test(extended_headers_counted_and_not),
                                     cmocka_unit_test(extended_headers_that_lie),
                                     cmocka_unit_test(samples_conflict),
                                     cmocka_unit_test(interval_conflict),
                                     cmocka_unit_test(many_samples),
                                     cmocka_unit_test(revision_2_sizes),
                                     cmocka_unit_test(revision_2_more_headers),
                                     cmocka_unit_test(trailing_bytes),
                                     cmocka_unit_test(larger_than_2_gib),
                                     cmocka_unit_test(hash_tells_headers_apart),
                                     cmocka_unit_test(scan_tells_progress_and_stops)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
