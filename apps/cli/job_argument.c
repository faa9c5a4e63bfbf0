/* job_argument.c - "job.yaml key=value ...": the job of a command line. */
#include <string.h>

#include "command.h"

static int apply_overrides(const command_line *line, moho_job *job) {
  for (size_t i = 1; i < line->n_arguments; i++) {
    char key[160];
    const char *value;
    if (!split_assignment(line->arguments[i], key, &value))
      return usage_error("%s: \"%s\" is not key=value, as migration.aperture.max_m=3000", line->command->name,
                         line->arguments[i]);
    moho_status status = moho_job_set(job, key, value);
    if (!status) continue;
    int code = print_error();
    /* What is not yet available is no slip of the command line. */
    return status > 0 && status != MOHO_ERROR_NOT_AVAILABLE ? EXIT_USAGE : code;
  }
  return EXIT_GOOD;
}

int read_job_argument(const command_line *line, moho_job **job) {
  *job = NULL;
  if (line->n_arguments < 1) return usage_error("%s: which job? Name the job file", line->command->name);
  if (moho_job_read(line->arguments[0], job)) return print_error();
  int code = apply_overrides(line, *job);
  if (code) moho_job_destroy(job);
  return code;
}
