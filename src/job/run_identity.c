/* run_identity.c - what an image depends on. */
#include "job/run_identity.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file_state.h"
#include "base/file_writer.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "job/job_effective.h"
#include "job/run_store.h"

/* Up to this many bytes a file's fingerprint is of its whole content. */
#define WHOLE_FILE ((size_t)64 << 20)

/* Keys that change how long a run takes, or what else is written, and no bit of the image. The traces have their own entry; the
 * device too, by what it is. */
static int is_left_out(moho_job_id id) {
  static const moho_job_id keys[] = {
      MOHO_KEY_INPUT_TRACES, MOHO_KEY_OUTPUT_DIRECTORY, MOHO_KEY_OUTPUT_FORMATS, MOHO_KEY_OUTPUT_PNG, MOHO_KEY_DEVICE,
      MOHO_KEY_THREADS,      MOHO_KEY_MEMORY,           MOHO_KEY_TILE,           MOHO_KEY_CHECKPOINT, MOHO_KEY_STORE,
      MOHO_KEY_RESUME,       MOHO_KEY_DEVICE_MEMORY};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    if (keys[i] == id) return 1;
  return strncmp(moho_job_keys[id].path, "output.", 7) == 0;
}

static moho_status out_of_memory(void) {
  return moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
}

/* "71 bytes, sha256 3f2a...", or of a large file or a directory (Zarr) "9.1e9 bytes, changed 2026-11-22T..." in nanoseconds. */
static moho_status fingerprint(const char *path, json_t **out) {
  char *data, text[160], digits[65];
  uint8_t digest[32];
  size_t bytes;
  struct stat status;
  if (stat(path, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size <= WHOLE_FILE) {
    MOHO_TRY(moho_file_read_all(path, WHOLE_FILE, &data, &bytes));
    moho_sha256 hash = moho_sha256_begin();
    moho_sha256_add(&hash, data, bytes);
    moho_sha256_end(&hash, digest);
    moho_sha256_text(digest, digits);
    free(data);
    snprintf(text, sizeof text, "%zu bytes, sha256 %.16s", bytes, digits);
  } else {
    moho_file_state state = moho_file_state_of(path);
    snprintf(text, sizeof text, "%llu bytes, changed at %lld ns", (unsigned long long)state.bytes, (long long)state.changed_ns);
  }
  *out = json_string(text);
  return *out ? MOHO_OK : out_of_memory();
}

static moho_status add_key(const moho_job *job, moho_job_id id, json_t *identity) {
  const moho_job_key *key = &moho_job_keys[id];
  json_t *value = NULL;
  if (is_left_out(id) || key->type == MOHO_JOB_LATER || (key->type == MOHO_JOB_SECTION && !key->words[0])) return MOHO_OK;
  if (!moho_job_given(job, id) && !key->fallback) return MOHO_OK;
  if (key->type == MOHO_JOB_PATH && !job->values[id].is_word && moho_job_text(job, id))
    MOHO_TRY(fingerprint(moho_job_text(job, id), &value));
  else if (key->type == MOHO_JOB_SECTION) value = moho_job_text(job, id) ? json_string(moho_job_text(job, id)) : NULL;
  else value = moho_job_value_json(job, id);
  if (!value || json_is_null(value)) {
    json_decref(value);
    return MOHO_OK;
  }
  return json_object_set_new(identity, key->path, value) ? out_of_memory() : MOHO_OK;
}

/* Headers by their hash; samples, which are too many to be read twice, by the time the file was changed and by some dozens of
 * traces, as a file may be changed and given its old time again (rsync --times, cp -p over it). */
static moho_status add_traces(const moho_job *job, const moho_run_inputs *in, json_t *identity) {
  char text[240];
  uint64_t samples;
  moho_file_state state = moho_file_state_of(moho_job_text(job, MOHO_KEY_INPUT_TRACES));
  MOHO_TRY(moho_run_store_samples(in, &samples));
  snprintf(text, sizeof text, "%zu traces of %zu samples, %llu bytes, headers %.16s, samples %016llx, changed at %lld ns",
           in->info->n_traces, in->info->n_samples, (unsigned long long)state.bytes, in->info->input_hash,
           (unsigned long long)samples, (long long)state.changed_ns);
  return json_object_set_new(identity, "input.traces", json_string(text)) ? out_of_memory() : MOHO_OK;
}

static moho_status add_all(const moho_job *job, const moho_run_inputs *in, json_t *identity) {
  const moho_device_report *d = &in->device_report;
  MOHO_TRY(add_traces(job, in, identity));
  for (int id = 0; id < MOHO_JOB_KEY_COUNT; id++) MOHO_TRY(add_key(job, (moho_job_id)id, identity));
  int failed = json_object_set_new(identity, "execution.device",
                                   json_sprintf("%s, %s, %s, %s", d->kind, d->name, d->architecture, d->simd));
  failed |= json_object_set_new(identity, "version", json_sprintf("Moho %s", moho_version()));
  /* What was settled from the data: the grid of `grid: auto`, refinement. */
  failed |= json_object_set_new(identity, "refine", json_integer(in->options.refine));
  failed |= json_object_set_new(identity, "grid nodes",
                                json_sprintf("%zu x %zu x %zu", in->grid.n_inline, in->grid.n_crossline, in->grid.n_time));
  return failed ? out_of_memory() : MOHO_OK;
}

moho_status moho_run_identity(const moho_job *job, const moho_run_inputs *inputs, json_t **out) {
  *out = json_object();
  if (!*out) return out_of_memory();
  moho_status status = add_all(job, inputs, *out);
  if (status) json_decref(*out), *out = NULL;
  return status;
}
