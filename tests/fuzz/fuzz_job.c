/* fuzz_job.c - any bytes as a job file: a job or an error with words, never a crash; a job survives override and printing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "moho/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition) {
  if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  moho_job *job = NULL;
  moho_status status = moho_job_parse((const char *)data, size, "fuzz.yaml", &job);
  require((status == MOHO_OK) == (job != NULL));
  if (status) {
    require(moho_last_error()->code == status && moho_last_error()->message[0]);
    return 0;
  }
  char *text = NULL;
  require(moho_job_effective(job, &text) == MOHO_OK && text && text[0] == '{');
  free(text);
  moho_job_check(job);
  /* The same bytes as the value of an override. */
  char *value = malloc(size + 1);
  if (value) {
    memcpy(value, data, size);
    value[size] = '\0';
    moho_job_set(job, "migration", value);
    moho_job_set(job, "grid", value);
    free(value);
  }
  moho_job_destroy(&job);
  return 0;
}
