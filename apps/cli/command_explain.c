/* command_explain.c - moho explain: what a job will do. */
#include <stdlib.h>

#include "command.h"

static int run(const command_line *line) {
  moho_job *job;
  char *text;
  int code = read_job_argument(line, &job);
  if (code) return code;
  if (moho_job_explain(job, line->json, &text)) {
    code = print_error();
  } else {
    code = output_give(text, line);
    if (!code && line->json && !line->output) printf("\n");
    free(text);
  }
  moho_job_destroy(&job);
  return code;
}

const command command_explain = {.name = "explain",
                                 .synopsis = "explain JOB.yaml [KEY=VALUE ...]",
                                 .summary = "show what a job will do: every value, the grid, memory, time",
                                 .teaching = "Prints the effective job (every value with its unit, and whether it was given\n"
                                             "or is the default), the grid with its corners and azimuth, the plan (memory,\n"
                                             "tiles, contributions, time expected) and warnings: an aliasing grid, traces\n"
                                             "outside it, odd headers. Nothing is migrated or written.\n"
                                             "\n"
                                             "    moho explain job.yaml\n"
                                             "    moho explain job.yaml grid.time.step_s=0.004 --json",
                                 .options = NULL,
                                 .output_help = "write it to FILE",
                                 .run = run};
