/* run_store.c - which store a job's traces belong into. */
#include "job/run_store.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "survey/grid_json.h"

enum { WORDS_BYTES = 256 };

static const size_t largest_table = (size_t)1 << 30;

moho_status moho_run_store_place(const moho_job *job, char **out) {
  const char *given = moho_job_text(job, MOHO_KEY_STORE), *output = moho_job_text(job, MOHO_KEY_OUTPUT_DIRECTORY);
  size_t length = strlen(output);
  *out = NULL;
  if (!moho_job_is(job, MOHO_KEY_STORE, "auto")) {
    *out = strdup(given);
  } else {
    while (length > 1 && output[length - 1] == '/') length--; /* of "out/" */
    while (length && output[length - 1] != '/') length--;     /* its name */
    if (asprintf(out, "%.*s.moho-store", (int)length, output) < 0) *out = NULL;
  }
  return *out ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "execution.store: out of memory");
}

moho_status moho_run_store_check(const moho_job *job) {
  if (!moho_job_given(job, MOHO_KEY_STORE) || moho_job_is(job, MOHO_KEY_STORE, "auto")) return MOHO_OK;
  if (!moho_trace_store_check_place(moho_job_text(job, MOHO_KEY_STORE))) return MOHO_OK;
  return moho_fail_add_place(moho_job_place(job, MOHO_KEY_STORE),
                             "name a directory that can be written, on a disk that holds the traces once more; or leave it auto");
}

static void add_text(moho_sha256 *hash, const char *text) {
  moho_sha256_add(hash, text, strlen(text) + 1);
}

/* The velocities of a move-out that is put back: the table as it is, and the grid that places it. */
static moho_status add_nmo(const moho_job *job, const moho_run_inputs *in, moho_sha256 *hash) {
  char *table, *grid;
  size_t bytes;
  json_t *json = moho_grid_to_json(&in->grid);
  grid = json ? json_dumps(json, JSON_SORT_KEYS | JSON_COMPACT) : NULL;
  json_decref(json);
  if (!grid) return moho_fail(MOHO_ERROR_MEMORY, "grid: out of memory");
  add_text(hash, grid);
  free(grid);
  MOHO_TRY(moho_file_read_all(moho_job_text(job, MOHO_KEY_INPUT_NMO_APPLIED), largest_table, &table, &bytes));
  moho_sha256_add(hash, table, bytes);
  free(table);
  return MOHO_OK;
}

/* What samples depend on beside file and geometry. */
static moho_status make_words(const moho_job *job, const moho_run_inputs *in, char words[WORDS_BYTES]) {
  moho_sha256 hash = moho_sha256_begin();
  uint8_t digest[32];
  char text[65] = "none";
  if (in->nmo_velocity) {
    MOHO_TRY(add_nmo(job, in, &hash));
    moho_sha256_end(&hash, digest);
    moho_sha256_text(digest, text);
  }
  snprintf(words, WORDS_BYTES, "bad_samples=%s nmo=%s", moho_job_text(job, MOHO_KEY_INPUT_BAD_SAMPLES), text);
  return MOHO_OK;
}

static moho_status read_traces(void *user, size_t first, size_t n, float *out) {
  return moho_run_inputs_read(user, first, n, out);
}

/* Opens (store) or plans (plan). */
static moho_status with_source(const moho_job *job, const moho_run_inputs *in, const moho_trace_store_options *given,
                               moho_trace_store_plan *plan, moho_trace_store **store) {
  char words[WORDS_BYTES], *place;
  moho_trace_store_options options = *given;
  MOHO_TRY(make_words(job, in, words));
  MOHO_TRY(moho_run_store_place(job, &place));
  moho_trace_source source = {.traces = in->traces, .read = read_traces, .user = (void *)(uintptr_t)in, .words = words};
  options.directory = place;
  moho_status status =
      store ? moho_trace_store_open(&source, &options, store) : moho_trace_store_make_plan(&source, &options, plan);
  free(place);
  if (!status || strcmp(moho_last_error()->key, "execution.store") != 0) return status;
  return moho_fail_add_place(moho_job_place(job, MOHO_KEY_STORE), NULL);
}

moho_status moho_run_store_samples(const moho_run_inputs *in, uint64_t *checksum) {
  uint64_t sums[MOHO_SAMPLED_TRACES] = {0};
  size_t n;
  moho_trace_source source = {.traces = in->traces, .read = read_traces, .user = (void *)(uintptr_t)in};
  MOHO_TRY(moho_trace_source_checksums(&source, sums, &n));
  *checksum = moho_checksum(sums, n * sizeof *sums, n);
  return MOHO_OK;
}

moho_status moho_run_store_plan(const moho_job *job, const moho_run_inputs *in, size_t memory_bytes, moho_trace_store_plan *out) {
  moho_trace_store_options options = moho_trace_store_options_default();
  options.memory_bytes = memory_bytes;
  return with_source(job, in, &options, out, NULL);
}

moho_status moho_run_store_open(const moho_job *job, const moho_run_inputs *in, size_t memory_bytes,
                                moho_progress_function progress, void *user, moho_trace_store **out) {
  moho_trace_store_options options = moho_trace_store_options_default();
  options.memory_bytes = memory_bytes;
  options.progress = progress, options.progress_user = user;
  *out = NULL;
  return with_source(job, in, &options, NULL, out);
}
