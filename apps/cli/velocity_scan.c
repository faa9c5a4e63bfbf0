/* velocity_scan.c - moho velocity scan: gathers in, a better velocity out. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "velocity_command.h"

typedef struct scan_call {
  const char *image;
  moho_job *job; /* what the gathers were migrated with */
  moho_grid grid;
  moho_velocity *velocity;
  moho_eta *eta;
  moho_velocity_scan_options options;
  moho_velocity_scan_result result;
} scan_call;

static int print_keys(void) {
  const char *help;
  printf("  %-17s %-6s %-6s %s\n", "key", "unit", "value", "meaning");
  for (size_t i = 0; (help = moho_velocity_scan_option_help(i)); i++) printf("  %s\n", help);
  return fflush(stdout) ? EXIT_FAILED : EXIT_GOOD;
}

/* ---- what is given ---- */

static int is_below(const char *key, const char *section) {
  size_t length = strlen(section);
  return strncmp(key, section, length) == 0 && (key[length] == '.' || key[length] == '\0');
}

/* What the gathers were migrated with. A velocity on the command line replaces the image's own as a whole. */
static int take_job_key(scan_call *c, const char *key, const char *value, int *replaced) {
  moho_status status = MOHO_OK;
  int velocity = is_below(key, "velocity");
  if (velocity && !*replaced) status = moho_job_set(c->job, "velocity", "{}"), *replaced = 1;
  if (!status) status = moho_job_set(c->job, key, value);
  if (!status) return EXIT_GOOD;
  print_error();
  return EXIT_USAGE;
}

static int take_keys(const command_line *line, scan_call *c) {
  int replaced = 0;
  for (size_t i = 2; i < line->n_arguments; i++) {
    char key[160];
    const char *value;
    if (!split_assignment(line->arguments[i], key, &value))
      return usage_error("velocity: \"%s\" is not key=value, as window_s=0.08", line->arguments[i]);
    int code = EXIT_GOOD;
    if (is_below(key, "velocity") || is_below(key, "eta") || strcmp(key, "migration.traveltime") == 0)
      code = take_job_key(c, key, value, &replaced);
    else if (moho_velocity_scan_options_set(&c->options, key, value)) code = (print_error(), EXIT_USAGE);
    if (code) return code;
  }
  return EXIT_GOOD;
}

static int open_all(const command_line *line, scan_call *c) {
  c->options = moho_velocity_scan_options_default();
  if (moho_job_read_image(c->image, &c->job) || moho_grid_read_zarr(c->image, &c->grid)) return print_error();
  int code = take_keys(line, c);
  if (code) return code;
  if (moho_job_velocity(c->job, &c->grid, &c->velocity) ||
      moho_job_travel_time(c->job, &c->grid, &c->options.traveltime, &c->eta))
    return print_error();
  c->options.eta = c->eta;
  return EXIT_GOOD;
}

/* ---- pictures ---- */

/* The location nearest to a line number. */
static size_t nearest(const size_t *nodes, size_t n, double node) {
  size_t best = 0;
  for (size_t k = 1; k < n; k++)
    if (fabs((double)nodes[k] - node) < fabs((double)nodes[best] - node)) best = k;
  return best;
}

static int draw_at(const scan_call *c, const char *directory, double inline_node, double crossline_node) {
  const moho_velocity_scan_result *r = &c->result;
  size_t i = nearest(r->inline_node, r->n_inline, inline_node), j = nearest(r->crossline_node, r->n_crossline, crossline_node);
  char prefix[600];
  int length = snprintf(prefix, sizeof prefix, "%s/%ld_%ld", directory,
                        (long)c->grid.inline_first + (long)r->inline_node[i] * c->grid.inline_step,
                        (long)c->grid.crossline_first + (long)r->crossline_node[j] * c->grid.crossline_step);
  if (length >= (int)sizeof prefix) return usage_error("velocity: the name of --pictures is too long");
  return moho_velocity_scan_draw(c->image, c->velocity, &c->options, r, i, j, prefix) ? print_error() : EXIT_GOOD;
}

static int draw(const scan_call *c, const velocity_arguments *a) {
  const moho_grid *g = &c->grid;
  char item[64], rest;
  const char *list = a->at;
  if (!list) return draw_at(c, a->pictures, (double)(g->n_inline - 1) / 2, (double)(g->n_crossline - 1) / 2);
  while ((list = next_item(list, item))) {
    long in, cross;
    if (sscanf(item, "%ld:%ld%c", &in, &cross, &rest) != 2)
      return usage_error("velocity: --at is \"%s\", expected INLINE:CROSSLINE,...", a->at);
    int code = draw_at(c, a->pictures, (double)(in - g->inline_first) / g->inline_step,
                       (double)(cross - g->crossline_first) / g->crossline_step);
    if (code) return code;
  }
  return EXIT_GOOD;
}

/* ---- what is told ---- */

static double at(const json_t *root, const char *section, const char *key) {
  return json_number_value(json_object_get(json_object_get(root, section), key));
}

static void print_summary(FILE *out, const scan_call *c, const char *output) {
  json_t *root = json_loads(c->result.report, 0, NULL), *warning;
  size_t index;
  if (!root) return;
  fprintf(out, "%s: %zu functions; picks %.0f counted of %.0f; semblance %.2f before, %.2f as picked\n", output,
          c->result.updated.n, at(root, "picks", "counted"), at(root, "picks", "all"), at(root, "semblance", "before"),
          at(root, "semblance", "picked"));
  fprintf(out, "  factor of the velocity %.4f to %.4f, median %.4f\n", at(root, "factor", "least"), at(root, "factor", "largest"),
          at(root, "factor", "median"));
  json_array_foreach(json_object_get(root, "warnings"), index, warning)
      fprintf(out, "  warning: %s\n", json_string_value(warning));
  json_decref(root);
}

static int tell(const command_line *line, const scan_call *c, const velocity_arguments *a) {
  command_line to_stdout = *line;
  to_stdout.output = NULL; /* --output is the velocity's */
  if (a->report && moho_write_text(a->report, c->result.report)) return print_error();
  output_text text;
  int code = output_begin(&text);
  if (code) return code;
  if (line->json) fprintf(text.out, "%s\n", c->result.report);
  else print_summary(text.out, c, line->output);
  return output_finish(&text, &to_stdout);
}

static int scan(const command_line *line, const velocity_arguments *a, scan_call *c) {
  moho_velocity_write_options write = moho_velocity_write_options_default();
  int code = open_all(line, c);
  if (code) return code;
  if (moho_velocity_scan(c->image, c->velocity, &c->options, progress_step, NULL, &c->result)) return print_error();
  progress_end();
  write.format = a->format, write.columns = a->columns;
  write.description = "Updated by moho velocity scan";
  if (moho_velocity_functions_write(&c->result.updated, line->output, &write)) return print_error();
  if (a->pictures) code = draw(c, a);
  return code ? code : tell(line, c, a);
}

int velocity_scan(const command_line *line, const velocity_arguments *a) {
  if (line->n_arguments == 2 && strcmp(line->arguments[1], "keys") == 0) return print_keys();
  if (line->n_arguments < 2) return usage_error("velocity: scan which image? moho velocity scan out/image.zarr --output v.txt");
  if (!line->output) return usage_error("velocity: where to? Give --output v.txt (or .sgy, .zarr)");
  if (a->at && !a->pictures) return usage_error("velocity: --at needs --pictures DIRECTORY");
  scan_call c = {.image = line->arguments[1], .grid = moho_grid_default()};
  int code = scan(line, a, &c);
  moho_velocity_scan_release(&c.result);
  moho_velocity_destroy(&c.velocity);
  moho_eta_destroy(&c.eta);
  moho_grid_release(&c.grid);
  if (c.job) moho_job_destroy(&c.job);
  return code;
}
