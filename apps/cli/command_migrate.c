/* command_migrate.c - moho migrate: run a job. */
#include <jansson.h>
#include <stdlib.h>

#include "command.h"

static int overwrite, show_keys;

static const struct poptOption options[] = {
    {"overwrite", '\0', POPT_ARG_NONE, &overwrite, 0, "replace earlier results in output.directory (only Moho's own files)",
     NULL},
    {"keys", '\0', POPT_ARG_NONE, &show_keys, 0, "list every key of the job file with its meaning", NULL},
    POPT_TABLEEND};

static double number_at(const json_t *root, const char *section, const char *key) {
  const json_t *object = section ? json_object_get(root, section) : root;
  return json_number_value(json_object_get(object, key));
}

static void print_outputs(FILE *out, const json_t *root) {
  size_t index;
  json_t *name;
  fprintf(out, "  written to %s:", json_string_value(json_object_get(root, "directory")));
  json_array_foreach(json_object_get(root, "outputs"), index, name) fprintf(out, " %s", json_string_value(name));
  fprintf(out, "\n");
}

static void print_selection(FILE *out, const json_t *root) {
  static const char *const criteria[] = {"offset_m", "azimuth_deg", "ovt", "where"};
  const json_t *selection = json_object_get(json_object_get(root, "input"), "selection");
  if (!json_is_object(selection)) return;
  fprintf(out, "  selected %.0f of the file's %.0f traces", number_at(selection, NULL, "selected"),
          number_at(selection, NULL, "total"));
  for (size_t i = 0, any = 0; i < sizeof criteria / sizeof *criteria; i++)
    if (json_object_get(selection, criteria[i]))
      fprintf(out, "%s%s holds for %.0f", any++ ? ", " : ": ", criteria[i], number_at(selection, NULL, criteria[i]));
  fprintf(out, "\n");
}

static void print_statics(FILE *out, const json_t *root) {
  const json_t *sum = json_object_get(json_object_get(json_object_get(root, "input"), "statics"), "sum");
  if (!sum) return;
  fprintf(out, "  traces shifted by %.3f .. %.3f ms, median %.3f\n", 1e3 * number_at(sum, NULL, "least_s"),
          1e3 * number_at(sum, NULL, "most_s"), 1e3 * number_at(sum, NULL, "median_s"));
}

/* What adaptive migration or coarser time sampling saved. */
static void print_saved(FILE *out, const json_t *root) {
  if (json_object_get(root, "adaptive"))
    fprintf(out, "  adaptive: the mask holds %.1f %% of the image%s; with the coarse pass %.2f of the whole image's work\n",
            100 * number_at(root, "adaptive", "mask_share"),
            json_is_true(json_object_get(json_object_get(root, "adaptive"), "mask_used")) ? ", the rest was skipped"
                                                                                          : ": all of it was computed",
            number_at(root, "adaptive", "work"));
  if (json_object_get(root, "time_sampling"))
    fprintf(out, "  time sampling: %zu zones, %.2f of the work of a uniform axis\n",
            json_array_size(json_object_get(json_object_get(root, "time_sampling"), "zones")),
            number_at(root, "time_sampling", "work"));
}

static void print_traces(FILE *out, const json_t *root) {
  static const char *const others[] = {"outside", "dead", "not_seismic", "no_position", "bad", "muted"};
  static const char *const words[] = {"reach no image sample", "dead", "not seismic", "without coordinates",
                                      "with bad samples",      "muted"};
  fprintf(out, "  traces %.0f used of %.0f", number_at(root, "traces", "used"), number_at(root, "traces", "total"));
  for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
    double count = number_at(root, "traces", others[i]);
    if (count > 0) fprintf(out, ", %.0f %s", count, words[i]);
  }
  fprintf(out, "\n");
}

static const char *word_at(const json_t *root, const char *section, const char *key) {
  const char *text = json_string_value(json_object_get(json_object_get(root, section), key));
  return text ? text : "";
}

/* The device, the kernel, and why these where they were chosen. */
static void print_where(FILE *out, const json_t *root) {
  const char *why = word_at(root, "device", "reason"), *why_kernel = word_at(root, "kernel", "reason");
  double transfer = number_at(root, "seconds", "transfer"), allocation = number_at(root, "seconds", "allocation"),
         compile = number_at(root, "seconds", "compile");
  char seconds[32];
  fprintf(out, "  on %s, %s%s%s%s; kernel %s", word_at(root, "device", "uri"), word_at(root, "device", "name"),
          why[0] ? " (" : "", why, why[0] ? ")" : "", why_kernel[0] ? why_kernel : word_at(root, "kernel", "used"));
  if (transfer > 0) fprintf(out, "; transfers %s", seconds_text(transfer, seconds));
  if (allocation > 0) fprintf(out, ", allocation %s", seconds_text(allocation, seconds));
  if (compile > 0) fprintf(out, ", compilation %s", seconds_text(compile, seconds));
  fprintf(out, "\n");
}

static void print_summary(FILE *out, const char *report) {
  char count[32], rate[32], total[32], kernel[32], peak[32];
  json_t *root = json_loads(report, 0, NULL);
  if (!root) return;
  fprintf(out, "migrated %s contributions in %s (kernel %s, %s/s), peak memory %s\n",
          count_text(number_at(root, NULL, "contributions"), count), seconds_text(number_at(root, "seconds", "total"), total),
          seconds_text(number_at(root, "seconds", "kernel"), kernel),
          count_text(number_at(root, NULL, "contributions_per_s"), rate),
          bytes_text(number_at(root, "memory", "peak_bytes"), peak));
  print_where(out, root);
  print_selection(out, root);
  print_statics(out, root);
  print_traces(out, root);
  print_saved(out, root);
  size_t index;
  json_t *warning;
  json_array_foreach(json_object_get(root, "warnings"), index, warning)
      fprintf(out, "  warning: %s\n", json_string_value(warning));
  print_outputs(out, root);
  json_decref(root);
}

static int run(const command_line *line) {
  if (show_keys) return output_give(moho_job_keys_help(), line);
  moho_job *job;
  int code = read_job_argument(line, &job);
  if (code) return code;
  moho_job_run_options run_options = {.overwrite = overwrite, .progress = progress_step};
  char *report = NULL;
  if (moho_job_run(job, &run_options, &report)) code = print_error();
  moho_job_destroy(&job);
  if (code) return code;
  progress_end();
  if (line->json) {
    code = output_give(report, line);
    if (!code && !line->output) printf("\n");
  } else {
    output_text text;
    code = output_begin(&text);
    if (!code) print_summary(text.out, report);
    if (!code) code = output_finish(&text, line);
  }
  free(report);
  return code;
}

const command command_migrate = {.name = "migrate",
                                 .synopsis = "migrate JOB.yaml [KEY=VALUE ...] [--overwrite]",
                                 .summary = "migrate traces into an image",
                                 .teaching = "Runs a job: reads the traces, migrates them and writes image.zarr, stack.sgy,\n"
                                             "stack.png, fold.png and report.json into output.directory. Everything appears\n"
                                             "there at the very end. A run in several blocks (docs/large-surveys.md)\n"
                                             "saves each of them: stopped, it goes on with the same command.\n"
                                             "\n"
                                             "A job is a few lines of YAML:\n"
                                             "    input:     {traces: line.sgy}\n"
                                             "    velocity:  {type: rms, linear_t0: {v0_mps: 1800, slope_mps_per_s: 600}}\n"
                                             "    grid:      auto\n"
                                             "    migration: {aperture: {max_m: 3000, max_dip_deg: 60}}\n"
                                             "    output:    {directory: out}\n"
                                             "\n"
                                             "Any key can be overridden by its path:\n"
                                             "    moho migrate job.yaml migration.aperture.max_m=1500 output.directory=narrow\n"
                                             "\n"
                                             "moho explain job.yaml shows what a job will do; moho migrate --keys lists all\n"
                                             "keys (also docs/job.md).",
                                 .options = options,
                                 .output_help = "write the summary (with --json: the report) to FILE",
                                 .is_long = 1,
                                 .run = run};
