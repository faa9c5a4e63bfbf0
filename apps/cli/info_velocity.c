/* info_velocity.c - moho info of a velocity table or cube: functions, range, what looks wrong. */
#include <jansson.h>
#include <stdlib.h>

#include "info_image.h"
#include "info_traces.h"

/* All that is read of a file. */
typedef struct velocity_file {
  moho_velocity *velocity; /* NULL: out of the accepted range, problem says why */
  moho_velocity_functions functions;
  moho_velocity_quality quality;
  char problem[700];
} velocity_file;

static json_t *quality_json(const moho_velocity_quality *q) {
  char *text = NULL;
  json_t *quality = moho_velocity_quality_json(q, &text) ? json_null() : json_loads(text, 0, NULL);
  free(text);
  return quality ? quality : json_null();
}

static void print_json(FILE *out, const char *path, const velocity_file *f) {
  json_t *root = json_pack("{s:s, s:s, s:s, s:b, s:o}", "kind", "velocity", "file", path, "description",
                           f->velocity ? moho_velocity_describe(f->velocity) : f->problem, "uniform",
                           f->velocity && moho_velocity_is_uniform(f->velocity), "quality", quality_json(&f->quality));
  json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
  fprintf(out, "\n");
  json_decref(root);
}

static void print_text(FILE *out, const char *path, const velocity_file *f) {
  const moho_velocity_quality *q = &f->quality;
  int uniform = f->velocity && moho_velocity_is_uniform(f->velocity);
  if (f->velocity)
    fprintf(out, "%s: %s\n  %s\n", path, moho_velocity_describe(f->velocity),
            uniform ? "the same everywhere" : "varies from place to place");
  else fprintf(out, "%s: %zu functions; a job would refuse them:\n  %s\n", path, q->n_functions, f->problem);
  for (int k = 0; uniform && k <= 8; k++) {
    double v;
    if (!moho_velocity_rms(f->velocity, 0, 0, 0.5 * k, 0.5, 1, &v)) fprintf(out, "  t0 %.1f s   v_rms %.1f m/s\n", 0.5 * k, v);
  }
  fprintf(out, "\nQuality (docs/quality.md)\n");
  fprintf(out, "  picks      %zu in %zu functions, %.1f .. %.1f m/s, %.4g .. %.4g s, the shortest function to %.4g s\n",
          q->n_knots, q->n_functions, q->v_least, q->v_most, q->first_s, q->last_s, q->shortest_s);
  fprintf(out, "  layers     %.1f .. %.1f m/s; %zu impossible ones; %zu inversions, at worst %.1f m/s\n", q->interval_least,
          q->interval_most, q->negative, q->inversions, q->worst_inversion_mps);
  fprintf(out, "  laterally  %zu abrupt jumps between neighbours", q->jumps);
  if (q->jumps) fprintf(out, ", at worst %.0f %% at %.4g s", 100 * q->worst_jump, q->jump_time_s);
  fprintf(out, "\n");
  if (q->has_places) fprintf(out, "  places     x %.2f .. %.2f   y %.2f .. %.2f\n", q->x_least, q->x_most, q->y_least, q->y_most);
  if (q->grid_columns)
    fprintf(out, "  coverage   %zu of %zu columns of the grid lie outside the functions\n", q->grid_columns_outside,
            q->grid_columns);
  findings_print(out, &q->findings);
}

/* Functions in a wide range, so that feet a second can be told of; then as a job takes them. */
static moho_status read_file(const char *path, const velocity_info *options, moho_velocity_options o, const moho_grid *grid,
                             velocity_file *f) {
  moho_velocity_options wide = o;
  wide.min_mps = 0.1, wide.max_mps = 60000;
  if (!options->grid_image) wide.grid = NULL; /* numbers stay numbers */
  moho_status status = moho_velocity_functions_read(path, &wide, &f->functions);
  if (!status) status = moho_velocity_measure(&f->functions, options->grid_image ? grid : NULL, &f->quality);
  if (!status && options->pictures) status = moho_velocity_functions_draw(&f->functions, options->pictures);
  return status;
}

static void try_as_a_job(const char *path, const moho_velocity_options *o, int is_cube, velocity_file *f) {
  if (!(is_cube ? moho_velocity_read_cube(path, o, &f->velocity) : moho_velocity_read_table(path, o, &f->velocity))) return;
  f->velocity = NULL;
  snprintf(f->problem, sizeof f->problem, "%s", moho_last_error()->message);
}

int info_of_velocity(const command_line *line, const char *path, const velocity_info *options, int is_cube) {
  moho_velocity_options o = moho_velocity_options_default();
  velocity_file f = {0};
  output_text text;
  int kind = options->type ? choose_word("velocity", options->type, "rms|interval|average") : 0;
  if (kind < 0) return EXIT_USAGE;
  o.kind = (moho_velocity_kind)kind;
  moho_grid grid = moho_grid_default(); /* without an image CDPs, inlines and crosslines stand for positions */
  if (options->grid_image && moho_grid_read_zarr(options->grid_image, &grid)) return print_error();
  o.grid = &grid;
  o.columns = options->columns;
  o.format = options->format ? options->format : options->columns ? "columns" : NULL;
  int code = read_file(path, options, o, &grid, &f) ? print_error() : output_begin(&text);
  if (!code) {
    try_as_a_job(path, &o, is_cube, &f);
    if (line->json) print_json(text.out, path, &f);
    else print_text(text.out, path, &f);
    code = output_finish(&text, line);
  }
  moho_velocity_destroy(&f.velocity);
  moho_velocity_functions_release(&f.functions);
  moho_grid_release(&grid);
  return code;
}
