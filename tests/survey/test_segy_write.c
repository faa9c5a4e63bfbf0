/* test_segy_write.c - SEG-Y, SU and Zarr written and read back; what the headers cannot hold; disks that fill up. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file_writer.h"
#include "moho/image.h"
#include "segy_build.h"

enum { N = 23, NS = 61 };

static moho_geometry slanted(double origin) {
  moho_geometry g;
  assert_ok(moho_geometry_create(N, &g));
  for (size_t k = 0; k < N; k++) {
    g.source_x[k] = origin + 12.5 * (double)k, g.source_y[k] = origin + 3.25 * (double)k;
    g.receiver_x[k] = g.source_x[k] + 300.75, g.receiver_y[k] = g.source_y[k] + 400;
    g.first_sample_s[k] = 0.1;
    g.cdp[k] = 1000 + (int32_t)k, g.inline_number[k] = 7, g.crossline_number[k] = 90 + (int32_t)k;
  }
  g.mute_start_s[4] = 0.1f, g.mute_end_s[4] = 0.2f;
  g.flags[5] = MOHO_TRACE_DEAD, g.flags[6] = MOHO_TRACE_NOT_SEISMIC;
  return g;
}

static void fill(float *samples) {
  uint64_t seed = 7;
  for (size_t i = 0; i < (size_t)N * NS; i++) samples[i] = (float)test_normal(&seed);
  memset(samples + 4 * NS, 0, 51 * sizeof *samples); /* muted */
  memset(samples + 5 * NS, 0, NS * sizeof *samples); /* dead */
}

static const char *write_all(const char *name, const moho_geometry *g, const float *samples) {
  const char *path = test_path(name);
  moho_traces_writer *writer;
  assert_ok(moho_traces_writer_create(path, N, NS, 0.002, "first line\nsecond line", &writer));
  moho_geometry part = moho_geometry_slice(g, 0, 10), rest = moho_geometry_slice(g, 10, N - 10);
  assert_ok(moho_traces_writer_append(writer, &part, samples));
  assert_int_equal(access(path, F_OK), -1); /* nothing under the final name yet */
  assert_ok(moho_traces_writer_append(writer, &rest, samples + 10 * NS));
  assert_ok(moho_traces_writer_finish(&writer));
  assert_null(writer);
  return path;
}

static void back_to_the_bit(void **state) {
  (void)state;
  const char *const names[] = {"w.sgy", "w.segy", "w.su", "w.zarr"};
  const moho_trace_file kinds[] = {MOHO_TRACE_FILE_SEGY, MOHO_TRACE_FILE_SEGY, MOHO_TRACE_FILE_SU, MOHO_TRACE_FILE_ZARR};
  float samples[N * NS], got[N * NS];
  moho_geometry g = slanted(4000000);
  fill(samples);
  for (int i = 0; i < 4; i++) {
    moho_traces *traces;
    assert_ok(moho_traces_open(write_all(names[i], &g, samples), NULL, &traces));
    const moho_traces_info *info = moho_traces_get_info(traces);
    const moho_geometry *back = moho_traces_get_geometry(traces);
    assert_int_equal(info->kind, kinds[i]);
    assert_true(info->n_traces == N && info->n_samples == NS && fabs(info->dt_s - 0.002) < 1e-12);
    assert_int_equal(strlen(info->input_hash), 64);
    assert_true(info->file_bytes > 0);
    for (size_t k = 0; k < N; k++) {
      assert_true(back->source_x[k] == g.source_x[k] && back->source_y[k] == g.source_y[k]);
      assert_true(back->receiver_x[k] == g.receiver_x[k] && back->receiver_y[k] == g.receiver_y[k]);
      assert_true(fabs(back->first_sample_s[k] - 0.1) < 1e-12);
      assert_true(back->mute_start_s[k] == g.mute_start_s[k] && back->mute_end_s[k] == g.mute_end_s[k]);
      assert_int_equal(back->flags[k], g.flags[k]);
      assert_int_equal(back->cdp[k], g.cdp[k]);
      if (kinds[i] == MOHO_TRACE_FILE_SU) continue; /* has no place for them */
      assert_int_equal(back->inline_number[k], 7);
      assert_int_equal(back->crossline_number[k], g.crossline_number[k]);
    }
    assert_ok(moho_traces_read(traces, 0, N, got));
    assert_memory_equal(got, samples, sizeof got);
    if (kinds[i] == MOHO_TRACE_FILE_SEGY) assert_non_null(strstr(info->text_header, "C 1 first line\nC 2 second line\n"));
    if (kinds[i] != MOHO_TRACE_FILE_ZARR) assert_null(segy_anomaly(traces, "offset_conflict"));
    moho_traces_close(&traces);
  }
  moho_geometry_release(&g);
}

static void coordinates_as_fine_as_they_fit(void **state) {
  (void)state;
  float samples[N * NS];
  double scalar;
  moho_traces *traces;
  fill(samples);
  moho_geometry g = slanted(1000.0 / 3);
  assert_ok(moho_traces_open(write_all("fine.sgy", &g, samples), NULL, &traces));
  assert_ok(moho_traces_header(traces, "scalco", 0, 1, &scalar));
  assert_true(scalar == -10000);
  for (size_t k = 0; k < N; k++) assert_true(fabs(moho_traces_get_geometry(traces)->source_x[k] - g.source_x[k]) <= 0.5001e-4);
  moho_traces_close(&traces);
  moho_geometry_release(&g);
  g = slanted(6123456.789);
  assert_ok(moho_traces_open(write_all("far.sgy", &g, samples), NULL, &traces));
  assert_ok(moho_traces_header(traces, "scalco", 0, 1, &scalar));
  assert_true(scalar == -100);
  moho_traces_close(&traces);
  moho_geometry_release(&g);
}

static void what_headers_cannot_hold(void **state) {
  (void)state;
  moho_traces_writer *writer;
  float samples[N * NS];
  moho_geometry g = slanted(0);
  fill(samples);
  const char *path = test_path("no.sgy");
  assert_fails(moho_traces_writer_create(path, N, 70000, 0.002, NULL, &writer), MOHO_ERROR_RANGE, "70000 samples a trace");
  assert_non_null(strstr(moho_last_error()->hint, ".zarr"));
  assert_fails(moho_traces_writer_create(path, N, NS, 0.0000625, NULL, &writer), MOHO_ERROR_RANGE, "whole microseconds");
  assert_fails(moho_traces_writer_create(path, N, NS, 0.1, NULL, &writer), MOHO_ERROR_RANGE, "65535 whole microseconds");
  assert_fails(moho_traces_writer_create(test_path("no.txt"), N, NS, 0.002, NULL, &writer), MOHO_ERROR_ARGUMENT, "ending");
  assert_non_null(strstr(moho_last_error()->hint, ".sgy"));
  assert_null(writer);
  assert_ok(moho_traces_writer_create(path, N, NS, 0.002, NULL, &writer));
  g.first_sample_s[3] = 40;
  assert_fails(moho_traces_writer_append(writer, &g, samples), MOHO_ERROR_RANGE, "trace 4: a delay or mute time of 40000 ms");
  g.first_sample_s[3] = 0.1, g.source_x[9] = 1e9;
  moho_traces_writer_discard(&writer);
  assert_ok(moho_traces_writer_create(path, N, NS, 0.002, NULL, &writer));
  moho_geometry part = moho_geometry_slice(&g, 0, 9), rest = moho_geometry_slice(&g, 9, 1);
  assert_ok(moho_traces_writer_append(writer, &part, samples));
  assert_fails(moho_traces_writer_append(writer, &rest, samples), MOHO_ERROR_RANGE, "trace 10: coordinate 1000000000 m");
  assert_string_equal(moho_last_error()->file, path);
  moho_traces_writer_discard(&writer);
  g.source_x[9] = 0, g.first_sample_s[0] = 0.0005;
  assert_ok(moho_traces_writer_create(test_path("no.su"), N, NS, 0.002, NULL, &writer));
  assert_fails(moho_traces_writer_append(writer, &g, samples), MOHO_ERROR_RANGE, "SU headers hold whole milliseconds");
  moho_traces_writer_discard(&writer);
  assert_int_equal(access(path, F_OK), -1);
  moho_geometry_release(&g);
}

static void announced_and_written(void **state) {
  (void)state;
  moho_traces_writer *writer;
  float samples[N * NS];
  moho_geometry g = slanted(0);
  fill(samples);
  const char *path = test_path("count.sgy");
  assert_ok(moho_traces_writer_create(path, N + 1, NS, 0.002, NULL, &writer));
  assert_ok(moho_traces_writer_append(writer, &g, samples));
  assert_fails(moho_traces_writer_finish(&writer), MOHO_ERROR_ARGUMENT, "23 traces were written, 24 announced");
  assert_null(writer);
  assert_int_equal(access(path, F_OK), -1);
  assert_ok(moho_traces_writer_create(path, N - 1, NS, 0.002, NULL, &writer));
  assert_fails(moho_traces_writer_append(writer, &g, samples), MOHO_ERROR_ARGUMENT, "announced were 22");
  moho_traces_writer_discard(&writer);
  moho_traces_writer_discard(&writer);                                     /* NULL is fine */
  assert_ok(moho_traces_writer_create(path, 0, NS, 0.002, NULL, &writer)); /* not known */
  assert_ok(moho_traces_writer_append(writer, &g, samples));
  assert_ok(moho_traces_writer_finish(&writer));
  assert_int_equal(access(path, F_OK), 0);
  moho_geometry_release(&g);
}

static void full_disk(void **state) {
  (void)state;
  moho_traces_writer *writer;
  float samples[N * NS];
  moho_geometry g = slanted(0);
  fill(samples);
  const char *path = test_path("full.sgy");
  moho_file_writer_set_fault(ENOSPC, 5000);
  assert_ok(moho_traces_writer_create(path, N, NS, 0.002, NULL, &writer));
  assert_fails(moho_traces_writer_append(writer, &g, samples), MOHO_ERROR_IO, "No space left on device");
  moho_traces_writer_discard(&writer);
  moho_file_writer_set_fault(0, -1);
  assert_int_equal(access(path, F_OK), -1);
  moho_geometry_release(&g);
}

static void image_as_segy(void **state) {
  (void)state;
  moho_image image;
  moho_grid grid = moho_grid_default();
  grid.origin_x_m = 450000.25, grid.origin_y_m = 6700000.5, grid.inline_azimuth_deg = 30;
  grid.n_inline = 5, grid.n_crossline = 7, grid.n_time = 40;
  grid.inline_spacing_m = 25, grid.crossline_spacing_m = 12.5;
  grid.inline_first = 100, grid.inline_step = 2, grid.crossline_first = 300, grid.crossline_step = 1;
  grid.first_s = 0.5, grid.step_s = 0.004;
  assert_ok(moho_image_create(&grid, &image));
  for (size_t i = 0; i < 5 * 7 * 40; i++) image.stack[i] = (float)i * 0.5f, image.fold[i] = i >= 40; /* nothing in column 0 */
  const char *path = test_path("image.sgy");
  assert_ok(moho_image_write_segy(&image, path, "Moho image"));
  moho_traces *traces;
  assert_ok(moho_traces_open(path, NULL, &traces));
  const moho_geometry *g = moho_traces_get_geometry(traces);
  float samples[5 * 7 * 40];
  assert_int_equal(moho_traces_get_info(traces)->n_traces, 35);
  assert_ok(moho_traces_read(traces, 0, 35, samples));
  assert_memory_equal(samples, image.stack, sizeof samples);
  assert_int_equal(g->flags[0], MOHO_TRACE_DEAD);
  for (size_t i = 0; i < 5; i++)
    for (size_t j = 0; j < 7; j++) {
      double x, y, header;
      size_t k = i * 7 + j;
      moho_grid_node(&grid, i, j, &x, &y);
      assert_true(fabs(g->source_x[k] - x) <= 0.00501 && fabs(g->receiver_y[k] - y) <= 0.00501);
      assert_int_equal(g->inline_number[k], 100 + 2 * (int)i);
      assert_int_equal(g->crossline_number[k], 300 + (int)j);
      assert_true(g->first_sample_s[k] == 0.5);
      assert_ok(moho_traces_header(traces, "cdp_x", k, 1, &header));
      assert_true(fabs(header / 100 - x) <= 0.00501);
    }
  moho_traces_close(&traces);
  moho_file_writer_set_fault(ENOSPC, 4000);
  assert_fails(moho_image_write_segy(&image, test_path("never.sgy"), NULL), MOHO_ERROR_IO, "No space left");
  moho_file_writer_set_fault(0, -1);
  assert_int_equal(access(test_path("never.sgy"), F_OK), -1);
  moho_image_release(&image);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(back_to_the_bit),
                                     cmocka_unit_test(coordinates_as_fine_as_they_fit),
                                     cmocka_unit_test(what_headers_cannot_hold),
                                     cmocka_unit_test(announced_and_written),
                                     cmocka_unit_test(full_disk),
                                     cmocka_unit_test(image_as_segy)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
