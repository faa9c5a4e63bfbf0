/* test_su.c - SU files: no file headers, either byte order, told from SEG-Y by their content. */
#include <string.h>

#include "segy_build.h"

static segy_bytes small(int little) {
  return segy_build((segy_recipe){.su = 1, .little = little, .n_traces = 12, .ns = 80, .dt_us = 2000});
}

static void both_byte_orders(void **state) {
  (void)state;
  const char *const names[] = {"a.su", "a.bin"}; /* the name does not matter */
  for (int little = 0; little < 2; little++)
    for (int i = 0; i < 2; i++) {
      segy_bytes file = small(little);
      segy_set_all(&file, 71, 2, -10);
      segy_set(&file, 5, 109, 2, 150);
      segy_set_all(&file, 37, 4, 10);
      moho_traces *traces = segy_open(&file, names[i]);
      const moho_traces_info *info = moho_traces_get_info(traces);
      assert_string_equal(info->format, little ? "SU, little endian" : "SU, big endian");
      assert_int_equal(info->kind, MOHO_TRACE_FILE_SU);
      assert_int_equal(info->n_traces, 12);
      assert_int_equal(info->n_samples, 80);
      assert_true(info->dt_s == 0.002);
      assert_int_equal(info->n_anomalies, 0);
      assert_string_equal(info->text_header, "");
      const moho_geometry *g = moho_traces_get_geometry(traces);
      assert_true(g->source_x[2] == 102 && g->receiver_x[2] == 112 && g->source_y[2] == 50);
      assert_true(g->first_sample_s[5] == 0.15 && g->first_sample_s[4] == 0);
      assert_int_equal(g->cdp[11], 111);
      segy_assert_samples(traces);
      moho_traces_close(&traces);
      segy_free(&file);
    }
}

/* Bytes 181-240 hold d1, f1, ... in SU: never positions or time scalars. */
static void its_own_last_bytes(void **state) {
  (void)state;
  segy_bytes file = small(1);
  for (int byte = 181; byte < 240; byte += 4) segy_set_all(&file, byte, 4, 0x3b03126f);
  segy_set_all(&file, 109, 2, 100);
  moho_traces *traces = segy_open(&file, "d1.su");
  assert_int_equal(moho_traces_get_info(traces)->n_anomalies, 0);
  assert_true(moho_traces_get_geometry(traces)->first_sample_s[0] == 0.1);
  assert_int_equal(moho_traces_get_geometry(traces)->inline_number[0], 0);
  moho_traces_close(&traces);
  for (int byte = 73; byte <= 85; byte += 4) segy_set_all(&file, byte, 4, 0);
  assert_fails(moho_traces_open(segy_save(&file, "d1.su"), NULL, &traces), MOHO_ERROR_FORMAT, "no coordinates");
  segy_free(&file);
}

static void one_trace(void **state) {
  (void)state;
  for (int little = 0; little < 2; little++) {
    segy_bytes file = segy_build((segy_recipe){.su = 1, .little = little, .n_traces = 1, .ns = 1501, .dt_us = 4000});
    moho_traces *traces = segy_open(&file, "one.su");
    assert_int_equal(moho_traces_get_info(traces)->n_samples, 1501);
    segy_assert_samples(traces);
    moho_traces_close(&traces);
    segy_free(&file);
  }
}

static void cut_and_absurd(void **state) {
  (void)state;
  moho_traces *traces;
  const size_t trace = 240 + 320;
  for (int little = 0; little < 2; little++) {
    segy_bytes file = small(little);
    assert_fails(moho_traces_open(segy_save_part(&file, "cut.su", 4 * trace + 100), NULL, &traces), MOHO_ERROR_FORMAT,
                 "cut short in the header of trace 5: it ends at byte 2340");
    assert_non_null(strstr(moho_last_error()->hint, "4 whole traces: truncate -s 2240"));
    assert_fails(moho_traces_open(segy_save_part(&file, "cut.su", 4 * trace + 300), NULL, &traces), MOHO_ERROR_FORMAT,
                 "cut short in the samples of trace 5");
    assert_int_equal(moho_last_error()->trace, 5);
    assert_fails(moho_traces_open(segy_save_part(&file, "cut.su", 300), NULL, &traces), MOHO_ERROR_FORMAT, "samples of trace 1");
    assert_fails(moho_traces_open(segy_save_part(&file, "cut.su", 100), NULL, &traces), MOHO_ERROR_FORMAT, "header of trace 1");
    assert_fails(moho_traces_open(segy_save_part(&file, "cut.su", 0), NULL, &traces), MOHO_ERROR_FORMAT, "empty");
    segy_set_all(&file, 117, 2, 0);
    assert_fails(moho_traces_open(segy_save(&file, "dt.su"), NULL, &traces), MOHO_ERROR_FORMAT, "bytes 117-118 of trace 1");
    segy_set_all(&file, 115, 2, 0);
    assert_fails(moho_traces_open(segy_save(&file, "ns.su"), NULL, &traces), MOHO_ERROR_FORMAT, "bytes 115-116 of trace 1");
    segy_free(&file);
  }
}

/* A SEG-Y file stays one under a wrong name, also with a text header that is blank. */
static void segy_under_another_name(void **state) {
  (void)state;
  for (int blank = 0; blank < 2; blank++) {
    segy_bytes file = segy_build((segy_recipe){.n_traces = 12, .ns = 80, .dt_us = 2000});
    if (blank) memset(file.data, 0, 3200);
    moho_traces *traces = segy_open(&file, blank ? "line.bin" : "line.su");
    assert_int_equal(moho_traces_get_info(traces)->kind, MOHO_TRACE_FILE_SEGY);
    segy_assert_samples(traces);
    moho_traces_close(&traces);
    segy_free(&file);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(both_byte_orders), cmocka_unit_test(its_own_last_bytes),
                                     cmocka_unit_test(one_trace), cmocka_unit_test(cut_and_absurd),
                                     cmocka_unit_test(segy_under_another_name)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
