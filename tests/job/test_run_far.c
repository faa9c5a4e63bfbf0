/* test_run_far.c - a run by blocks on a device with memory of its own: what it may take there makes the blocks, and a block is
 * written while the next is migrated. The far device is the cpu behind a wall (tests/device/far_backend.h).
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/disk_calls.h"
#include "base/file_writer.h"
#include "far_backend.h"
#include "moho/job.h"
#include "moho/synth.h"
#include "test_support.h"

/* 64 x 96 columns of 101 samples: up to 6 blocks of 32 x 32, stack and fold 5 MB. */
/* Pinned memory counts as held by this device too. */
#define PIECE_BYTES ((double)(16 << 20))

static const char job_text[] =
    "input: {traces: %s, resample: none}\nvelocity: {constant_mps: 2500}\n"
    "grid: {origin_m: [5, 10], inline_azimuth_deg: 0, inline: {n: 64, spacing_m: 1.5}, crossline: {n: 96, spacing_m: 1.5},\n"
    "  time: {first_s: 0, step_s: 0.002, n: 101}}\n"
    "migration: {aperture: {max_m: 25, max_dip_deg: 45}, rho_filter: none}\n"
    "output: {directory: %s, formats: [zarr], png: false, report: false}\n"
    "execution: {kernel: v1, checkpoint_s: none, device_memory_gb: %s}\n";

/* What a run's progress shows of its journal. */
typedef struct watcher {
  char journal[600];
  uint64_t calls;     /* to the disk, before the first block was migrated */
  double first_block; /* contributions of it, by the journal */
  int overlapped;     /* some of a second block was migrated while the journal named none */
} watcher;

/* Contributions of the first block that the journal names; 0: it names none. */
static double first_saved(const char *path) {
  char *text;
  size_t bytes;
  double contributions = 0;
  if (moho_file_read_all(path, (size_t)1 << 24, &text, &bytes)) return 0;
  const char *line = strstr(text, "\"event\":\"done\""), *at = line ? strstr(line, "\"contributions\":") : NULL;
  if (at) contributions = strtod(at + strlen("\"contributions\":"), NULL);
  free(text);
  return contributions;
}

static int watch(void *user, const moho_progress *progress) {
  watcher *w = user;
  if (!progress->unit || strcmp(progress->unit, "contributions") != 0) return 0;
  double saved = first_saved(w->journal);
  if (!w->calls) w->calls = moho_disk_calls();
  if (saved > 0) w->first_block = saved;
  if (saved == 0 && w->first_block > 0 && progress->done > 1.001 * w->first_block) w->overlapped = 1;
  return 0;
}

static json_t *run(moho_device *device, const char *output, const char *memory, watcher *w) {
  char text[2000], directory[500], *report = NULL;
  moho_job *job;
  snprintf(directory, sizeof directory, "%s", test_path(output));
  snprintf(text, sizeof text, job_text, test_path("survey.sgy"), directory, memory);
  assert_ok(moho_job_parse(text, strlen(text), "", &job));
  moho_job_run_options options = {.device = device, .overwrite = 1, .progress = w ? watch : NULL, .user = w};
  assert_ok(moho_job_run(job, &options, &report));
  moho_job_destroy(&job);
  json_t *json = json_loads(report, 0, NULL);
  assert_non_null(json);
  free(report);
  return json;
}

static double figure(const json_t *report, const char *section, const char *name) {
  const json_t *value = json_object_get(section ? json_object_get(report, section) : report, name);
  assert_non_null(value);
  return json_number_value(value);
}

static void write_survey(void) {
  moho_synth_options synth;
  assert_ok(moho_synth_options_preset("tiny", &synth));
  const char *const settings[][2] = {{"extent_inline_m", "150"}, {"extent_crossline_m", "200"}, {"midpoint_spacing_m", "25"},
                                     {"offset_last_m", "200"},   {"n_samples", "301"},          {"noise", "0.1"}};
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    assert_ok(moho_synth_options_set(&synth, settings[i][0], settings[i][1]));
  assert_ok(moho_synth_write(&synth, test_path("survey.sgy"), NULL, NULL));
}

static void read_image(const char *output, moho_image *image) {
  char path[600];
  snprintf(path, sizeof path, "%s/image.zarr", test_path(output));
  assert_ok(moho_image_read_zarr(path, image));
}

static void same_image(const char *one, const char *other) {
  moho_image a, b;
  double difference = 0, norm = 0;
  read_image(one, &a);
  read_image(other, &b);
  size_t samples = a.grid.n_inline * a.grid.n_crossline * a.grid.n_time;
  assert_memory_equal(a.fold, b.fold, samples * sizeof *a.fold);
  for (size_t i = 0; i < samples; i++) difference += pow(a.stack[i] - b.stack[i], 2), norm += pow(a.stack[i], 2);
  assert_true(norm > 0);
  assert_true(sqrt(difference / norm) < 1e-6);
  moho_image_release(&a);
  moho_image_release(&b);
}

static void the_devices_memory_makes_the_blocks(void **state) {
  (void)state;
  char memory[32];
  write_survey();
  far_reset();
  moho_device *device = far_open(0);
  json_t *whole = run(device, "whole", "auto", NULL);
  double planned = figure(whole, "memory", "device_bytes"), all = figure(whole, NULL, "contributions");
  assert_true(planned > 5e6 && figure(whole, "memory", "device_peak_bytes") > 0.5 * planned);
  assert_ok(moho_device_pool_trim(device));
  assert_int_equal(far.held, 0);
  snprintf(memory, sizeof memory, "%.6f", 0.55 * planned * 1e-9);
  far.most = 0;
  json_t *blocks = run(device, "blocks", memory, NULL);
  assert_true(figure(blocks, "memory", "device_bytes") <= 0.55 * planned);

  assert_true((double)far.most <= 0.55 * planned + 2 * PIECE_BYTES);
  same_image("whole", "blocks");
  assert_true(figure(blocks, NULL, "contributions") == all);
  assert_true(json_equal(json_object_get(blocks, "traces"), json_object_get(whole, "traces")));
  json_decref(blocks);
  json_decref(whole);
  assert_ok(moho_device_close(&device));
  assert_int_equal(far.held, 0);
}

/* The first block's chunk takes two seconds longer on its way to the disk: meanwhile the next one is migrated. */
static void a_block_is_written_while_the_next_is_migrated(void **state) {
  (void)state;
  watcher w = {.calls = 0};
  char fault[40];
  snprintf(w.journal, sizeof w.journal, "%s/.moho/journal", test_path("watched"));
  far_reset();
  moho_device *device = far_open(0);
  moho_disk_set_fault(NULL);
  json_decref(run(device, "watched", "0.004", &w));
  assert_true(w.calls > 0 && w.first_block > 0);
  snprintf(fault, sizeof fault, "WAIT@%llu", (unsigned long long)w.calls + 6);
  moho_disk_set_fault(fault);
  w.overlapped = 0;
  json_decref(run(device, "watched", "0.004", &w));
  assert_true(w.overlapped);
  moho_disk_set_fault(NULL);
  assert_ok(moho_device_close(&device));
  same_image("blocks", "watched");
}

static void the_hosts_memory_is_not_the_devices(void **state) {
  (void)state;
  char text[2000];
  moho_job *job;
  snprintf(text, sizeof text, job_text, test_path("survey.sgy"), test_path("none"), "1");
  assert_ok(moho_job_parse(text, strlen(text), "", &job));
  assert_ok(moho_job_set(job, "execution.device", "cpu"));
  assert_fails(moho_job_run(job, NULL, NULL), MOHO_ERROR_KEY,
               "execution.device_memory_gb is for a device with memory of its own");
  moho_job_destroy(&job);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(the_devices_memory_makes_the_blocks),
                                     cmocka_unit_test(a_block_is_written_while_the_next_is_migrated),
                                     cmocka_unit_test(the_hosts_memory_is_not_the_devices)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
