/* command_demigrate.c - moho demigrate: an image back into traces. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static char *image, *mutes;

static const struct poptOption options[] = {
    {"image", '\0', POPT_ARG_STRING, &image, 0, "the image to demigrate [image.zarr of output.directory]", "FILE.zarr"},
    {"mutes", '\0', POPT_ARG_STRING, &mutes, 0,
     "data: zeros of the input mute and kill its traces, as migrate does; headers: only what the headers say", "data|headers"},
    POPT_TABLEEND};

static double number_at(const json_t *root, const char *section, const char *key) {
  const json_t *object = section ? json_object_get(root, section) : root;
  return json_number_value(json_object_get(object, key));
}

static void print_summary(FILE *out, const char *report) {
  char count[32], rate[32], total[32], kernel[32], peak[32];
  json_t *root = json_loads(report, 0, NULL);
  if (!root) return;
  fprintf(out, "demigrated %s contributions in %s (kernel %s, %s/s), peak memory %s\n",
          count_text(number_at(root, NULL, "contributions"), count), seconds_text(number_at(root, "seconds", "total"), total),
          seconds_text(number_at(root, "seconds", "kernel"), kernel),
          count_text(number_at(root, NULL, "contributions_per_s"), rate),
          bytes_text(number_at(root, "memory", "peak_bytes"), peak));
  fprintf(out, "  traces %.0f, %.0f live, %.0f reached by the image %s\n", number_at(root, "traces", "total"),
          number_at(root, "traces", "live"), number_at(root, "traces", "reached"),
          json_string_value(json_object_get(root, "image")));
  fprintf(out, "  written to %s\n", json_string_value(json_object_get(root, "output")));
  json_decref(root);
}

static int run(const command_line *line) {
  moho_job *job;
  int mute = mutes ? choose_word("--mutes", mutes, "data|headers") : 0;
  if (mute < 0) return EXIT_USAGE;
  if (!line->output) return usage_error("demigrate: where to? Name a trace file: --output modelled.sgy");
  int code = read_job_argument(line, &job);
  if (code) return code;
  moho_job_demigrate_options demigrate = {
      .image = image, .output = line->output, .mutes_from_data = mute == 0, .progress = progress_step};
  char *report = NULL;
  if (moho_job_demigrate(job, &demigrate, &report)) code = print_error();
  moho_job_destroy(&job);
  if (code) return code;
  progress_end();
  if (line->json) printf("%s\n", report);
  else print_summary(stdout, report);
  free(report);
  return fflush(stdout) ? EXIT_FAILED : EXIT_GOOD;
}

const command command_demigrate = {.name = "demigrate",
                                   .synopsis = "demigrate JOB.yaml [KEY=VALUE ...] --output FILE.sgy [--image FILE.zarr]",
                                   .summary = "model the traces that an image explains",
                                   .teaching = "The exact adjoint of moho migrate: from an image to traces at the places of the\n"
                                               "job's input traces, with the job's velocity, aperture, weight and filters. What\n"
                                               "the image explains of the data can then be compared with them, or traces be\n"
                                               "made where none were shot (input.traces: a file with their geometry, and\n"
                                               "--mutes headers).\n"
                                               "\n"
                                               "    moho migrate job.yaml\n"
                                               "    moho demigrate job.yaml --output modelled.sgy\n"
                                               "    moho demigrate job.yaml --image edited.zarr --output edited.sgy\n"
                                               "\n"
                                               "It runs on the device of the job, as migrate does. Least-squares migration,\n"
                                               "which uses it, is a key of migrate: migration.iterations=10.",
                                   .options = options,
                                   .output_help = "the trace file to write: .sgy, .segy, .su or .zarr",
                                   .is_long = 1,
                                   .run = run};
