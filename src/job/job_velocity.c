/* job_velocity.c - the velocity of a job alone, and the job that made an image. */
#include <stdlib.h>
#include <string.h>

#include "job/job.h"
#include "job/run_inputs.h"
#include "survey/zarr_store.h"

MOHO_API moho_status moho_job_velocity(const moho_job *job, const moho_grid *grid, moho_velocity **out) {
  *out = NULL;
  MOHO_TRY(moho_job_check_velocity(job));
  return moho_run_inputs_velocity(job, grid, out);
}

MOHO_API moho_status moho_job_travel_time(const moho_job *job, const moho_grid *grid, moho_traveltime *law, moho_eta **eta) {
  *eta = NULL;
  MOHO_TRY(moho_job_check_travel_time(job));
  return moho_run_inputs_travel_time(job, grid, law, eta);
}

/* ---- from an image ---- */

/* {"value": ..., "given": true} of "migration.aperture.max_m" in the nested object; NULL where it was not given. */
static const json_t *given_value(const json_t *job, const char *path) {
  const json_t *at = job;
  while (at && *path) {
    size_t length = strcspn(path, ".");
    at = json_object_getn(at, path, length);
    path += length + (path[length] == '.');
  }
  return json_is_true(json_object_get(at, "given")) ? json_object_get(at, "value") : NULL;
}

static moho_status take_key(moho_job *job, const char *path, const json_t *value) {
  char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
  if (!text) return moho_fail(MOHO_ERROR_MEMORY, "job: out of memory");
  moho_status status = moho_job_set(job, path, text);
  free(text);
  return status;
}

static int is_below(const char *path, const char *section) {
  size_t length = strlen(section);
  return strncmp(path, section, length) == 0 && path[length] == '.';
}

MOHO_API moho_status moho_job_read_image(const char *path, moho_job **out) {
  static const char nothing[] = "";
  json_t *attributes;
  *out = NULL;
  MOHO_TRY(moho_zarr_group_read_attributes(path, &attributes));
  const json_t *made_by = json_object_get(attributes, "job");
  moho_job *job = NULL;
  moho_status status = moho_job_parse(nothing, 0, path, &job);
  for (int id = 0; !status && made_by && id < MOHO_JOB_KEY_COUNT; id++) {
    const char *key = moho_job_keys[id].path;
    const json_t *value =
        is_below(key, "velocity") || is_below(key, "eta") || is_below(key, "migration") ? given_value(made_by, key) : NULL;
    if (value && !json_is_object(value)) status = take_key(job, key, value);
  }
  json_decref(attributes);
  if (status) moho_job_destroy(&job);
  *out = job;
  return status;
}
