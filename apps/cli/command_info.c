/* command_info.c - moho info: what a trace, velocity or image file holds. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "info_traces.h"

static char *headers, *units, *geometry, *scalar, *velocity_type, *columns, *format, *where;

static const struct poptOption options[] = {
    {"headers", '\0', POPT_ARG_STRING, &headers, 0, "read header values from other bytes: source_x=73,cdp=21:i4, or standard, su",
     "MAP"},
    {"units", '\0', POPT_ARG_STRING, &units, 0, "unit of the file's lengths", "auto|m|ft"},
    {"geometry", '\0', POPT_ARG_STRING, &geometry, 0, "where positions come from", "auto|source_receiver|midpoint_offset"},
    {"coordinate-scalar", '\0', POPT_ARG_STRING, &scalar, 0, "replaces bytes 71-72", "N"},
    {"where", '\0', POPT_ARG_STRING, &where, 0,
     "only traces whose headers hold this: offset > 200 and cdp % 2 == 0 (docs/selection.md)", "CONDITION"},
    {"velocity", '\0', POPT_ARG_STRING, &velocity_type, 0, "FILE is a velocity table or cube of this type",
     "rms|interval|average"},
    {"format", '\0', POPT_ARG_STRING, &format, 0, "layout of a velocity table", "opendtect|su|cdp_time_velocity|columns"},
    {"columns", '\0', POPT_ARG_STRING, &columns, 0, "columns of a velocity table: x,y,time_ms,velocity", "LIST"},
    POPT_TABLEEND};

/* ---- what kind of file ---- */

static int exists_in(const char *path, const char *name) {
  char full[1200];
  struct stat status;
  snprintf(full, sizeof full, "%.1000s/%s", path, name);
  return stat(full, &status) == 0;
}

static int ends_with(const char *path, const char *ending) {
  size_t length = strlen(path), end = strlen(ending);
  return length >= end && strcmp(path + length - end, ending) == 0;
}

static int is_text_name(const char *path) {
  static const char *const endings[] = {".txt", ".dat", ".vel", ".csv", ".par", ".asc"};
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
    if (ends_with(path, endings[i])) return 1;
  return 0;
}

/* ---- traces ---- */

static int traces_options(moho_traces_options *o) {
  static moho_selection select;
  int chosen;
  *o = moho_traces_options_default();
  if (headers) o->headers = headers;
  if (units) {
    if ((chosen = choose_word("units", units, "auto|m|ft")) < 0) return EXIT_USAGE;
    o->units = (moho_units)chosen;
  }
  if (geometry) {
    if ((chosen = choose_word("geometry", geometry, "auto|source_receiver|midpoint_offset")) < 0) return EXIT_USAGE;
    o->geometry = (moho_geometry_source)chosen;
  }
  if (scalar) {
    char *end;
    long value = strtol(scalar, &end, 10);
    if (*end || end == scalar || value == 0 || labs(value) > 1000000)
      return usage_error("--coordinate-scalar is \"%s\", expected a whole number such as -100 (divides by 100)", scalar);
    o->coordinate_scalar_given = 1;
    o->coordinate_scalar = (int)value;
  }
  if (where) {
    select = moho_selection_default();
    select.where = where;
    o->select = &select;
  }
  o->progress = progress_step;
  return EXIT_GOOD;
}

static int info_of_traces(const command_line *line, const char *path) {
  moho_traces_options o;
  moho_traces *traces;
  traces_summary summary;
  output_text text;
  int code = traces_options(&o);
  if (code) return code;
  if (moho_traces_open(path, &o, &traces)) return print_error();
  progress_end();
  const moho_traces_info *info = moho_traces_get_info(traces);
  int failed = traces_summarise(info, moho_traces_get_geometry(traces), &summary);
  code = failed ? EXIT_FAILED : output_begin(&text);
  if (!code) {
    if (line->json) failed = traces_print_json(text.out, path, info, &summary);
    else traces_print_text(text.out, path, info, &summary);
    code = output_finish(&text, line);
  }
  if (failed) fprintf(stderr, "moho: out of memory\n");
  traces_summary_release(&summary);
  moho_traces_close(&traces);
  return failed ? EXIT_FAILED : code;
}

/* ---- images ---- */

typedef struct image_figures {
  double least, most, rms;
  size_t nan;
  int32_t fold;
} image_figures;

static image_figures image_measure(const moho_image *image) {
  size_t n = image->grid.n_inline * image->grid.n_crossline * image->grid.n_time;
  image_figures f = {.least = INFINITY, .most = -INFINITY};
  double sum = 0;
  for (size_t i = 0; i < n; i++) {
    double value = (double)image->stack[i];
    if (isnan(value)) f.nan++;
    else f.least = fmin(f.least, value), f.most = fmax(f.most, value), sum += value * value;
    if (image->fold && image->fold[i] > f.fold) f.fold = image->fold[i];
  }
  f.rms = n > f.nan ? sqrt(sum / (double)(n - f.nan)) : 0;
  if (n == f.nan) f.least = f.most = 0;
  return f;
}

static void print_bins(FILE *out, const moho_gather_bins *b) {
  size_t bins = moho_gather_bins_count(b), last = b->n_edges - 1;
  if (!bins) return;
  if (b->kind == MOHO_GATHERS_OVT)
    fprintf(out, "  gathers    %zu tiles: along inlines %zu from %g to %g m, across %zu from %g to %g m\n", bins, last,
            b->edges[0], b->edges[last], b->n_across_edges - 1, b->across_edges[0], b->across_edges[b->n_across_edges - 1]);
  else
    fprintf(out, "  gathers    %zu bins of %s%s from %g to %g %s\n", bins, b->is_signed ? "signed " : "",
            moho_gathers_name(b->kind), b->edges[0], b->edges[last], b->kind == MOHO_GATHERS_ANGLE ? "degrees" : "m");
}

static json_t *bins_json(const moho_gather_bins *b) {
  size_t bins = moho_gather_bins_count(b);
  if (!bins) return json_null();
  json_t *middles = json_array();
  for (size_t k = 0; k < bins; k++) {
    double along, across;
    moho_gather_bin_vector(b, k, &along, &across);
    json_array_append_new(middles, b->kind == MOHO_GATHERS_OVT ? json_pack("[f, f]", along, across) : json_real(along));
  }
  return json_pack("{s:s, s:b, s:I, s:o}", "kind", moho_gathers_name(b->kind), "signed", b->is_signed, "n_bins", (json_int_t)bins,
                   "middles", middles);
}

static void print_image_json(FILE *out, const char *path, const moho_image *image, const image_figures *f) {
  const moho_grid *g = &image->grid;
  json_t *attributes = image->attributes ? json_loads(image->attributes, 0, NULL) : NULL;
  json_t *root = json_pack(
      "{s:s, s:s, s:[f, f], s:f, s:b, s:{s:i, s:i, s:I, s:f}, s:{s:i, s:i, s:I, s:f}, s:{s:f, s:f, s:I},"
      " s:{s:f, s:f, s:f, s:I}, s:i, s:o, s:o}",
      "kind", "image", "file", path, "origin_m", g->origin_x_m, g->origin_y_m, "inline_azimuth_deg", g->inline_azimuth_deg,
      "flip", g->flip, "inline", "first", (int)g->inline_first, "step", (int)g->inline_step, "n", (json_int_t)g->n_inline,
      "spacing_m", g->inline_spacing_m, "crossline", "first", (int)g->crossline_first, "step", (int)g->crossline_step, "n",
      (json_int_t)g->n_crossline, "spacing_m", g->crossline_spacing_m, "time", "first_s", g->first_s, "step_s", g->step_s, "n",
      (json_int_t)g->n_time, "stack", "least", f->least, "most", f->most, "rms", f->rms, "nan", (json_int_t)f->nan, "fold_most",
      (int)f->fold, "attributes", attributes ? attributes : json_null(), "gathers", bins_json(&image->bins));
  json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
  fprintf(out, "\n");
  json_decref(root);
}

/* Where the image came from: what a few of its attributes say. */
static void print_origin(FILE *out, const moho_image *image) {
  json_t *root = image->attributes ? json_loads(image->attributes, 0, NULL) : NULL;
  const char *version = json_string_value(json_object_get(json_object_get(root, "software"), "version"));
  json_t *input = json_object_get(root, "input"), *settled = json_object_get(root, "settled");
  const char *traces = json_string_value(json_object_get(input, "traces")),
             *hash = json_string_value(json_object_get(input, "hash"));
  const char *velocity = json_string_value(json_object_get(settled, "velocity"));
  if (version) fprintf(out, "  made by    Moho %s\n", version);
  if (traces) fprintf(out, "  from       %s%s%.16s\n", traces, hash ? ", hash " : "", hash ? hash : "");
  if (velocity) fprintf(out, "  velocity   %s\n", velocity);
  json_decref(root);
}

static void print_image_text(FILE *out, const char *path, const moho_image *image, const image_figures *f) {
  const moho_grid *g = &image->grid;
  double x[4], y[4];
  moho_grid_corners(g, x, y);
  fprintf(out, "%s: image of %zu inlines x %zu crosslines x %zu times\n", path, g->n_inline, g->n_crossline, g->n_time);
  fprintf(out, "  inline     %d .. %d, %g m apart\n", (int)g->inline_first,
          (int)g->inline_first + (int)(g->n_inline - 1) * (int)g->inline_step, g->inline_spacing_m);
  fprintf(out, "  crossline  %d .. %d, %g m apart, azimuth %g degrees%s\n", (int)g->crossline_first,
          (int)g->crossline_first + (int)(g->n_crossline - 1) * (int)g->crossline_step, g->crossline_spacing_m,
          g->inline_azimuth_deg, g->line_x_m ? ", a crooked line" : "");
  fprintf(out, "  time       %g .. %g s, %g s apart\n", g->first_s, g->first_s + (double)(g->n_time - 1) * g->step_s, g->step_s);
  int ends = moho_grid_is_line(g) ? 2 : 4;
  fprintf(out, "  %s   ", ends == 2 ? "ends   " : "corners");
  for (int k = 0; k < ends; k++) fprintf(out, " (%.2f, %.2f)", x[k], y[k]);
  fprintf(out, " m\n");
  fprintf(out, "  stack      %.4g .. %.4g, r.m.s. %.4g%s\n", f->least, f->most, f->rms, f->nan ? ", with NaN" : "");
  if (image->fold) fprintf(out, "  fold       up to %d\n", (int)f->fold);
  print_bins(out, &image->bins);
  print_origin(out, image);
}

static int info_of_image(const command_line *line, const char *path) {
  moho_image image;
  output_text text;
  if (moho_image_read_zarr(path, &image)) return print_error();
  image_figures figures = image_measure(&image);
  int code = output_begin(&text);
  if (!code) {
    if (line->json) print_image_json(text.out, path, &image, &figures);
    else print_image_text(text.out, path, &image, &figures);
    code = output_finish(&text, line);
  }
  moho_image_release(&image);
  return code;
}

/* ---- velocities ---- */

static void print_velocity(FILE *out, const command_line *line, const char *path, const moho_velocity *velocity) {
  int uniform = moho_velocity_is_uniform(velocity);
  if (line->json) {
    json_t *root = json_pack("{s:s, s:s, s:s, s:b}", "kind", "velocity", "file", path, "description",
                             moho_velocity_describe(velocity), "uniform", uniform);
    json_dumpf(root, out, JSON_INDENT(2));
    fprintf(out, "\n");
    json_decref(root);
    return;
  }
  fprintf(out, "%s: %s\n  %s\n", path, moho_velocity_describe(velocity),
          uniform ? "the same everywhere" : "varies from place to place");
  for (int k = 0; uniform && k <= 8; k++) {
    double v;
    if (!moho_velocity_rms(velocity, 0, 0, 0.5 * k, 0.5, 1, &v)) fprintf(out, "  t0 %.1f s   v_rms %.1f m/s\n", 0.5 * k, v);
  }
}

static int info_of_velocity(const command_line *line, const char *path, int is_cube) {
  moho_velocity_options o = moho_velocity_options_default();
  moho_velocity *velocity;
  output_text text;
  int kind = velocity_type ? choose_word("velocity", velocity_type, "rms|interval|average") : 0;
  if (kind < 0) return EXIT_USAGE;
  o.kind = (moho_velocity_kind)kind;
  moho_grid numbers = moho_grid_default(); /* there is no image yet: CDPs, inlines and crosslines stand for positions */
  o.grid = &numbers;
  o.columns = columns;
  o.format = format ? format : columns ? "columns" : NULL;
  if (is_cube ? moho_velocity_read_cube(path, &o, &velocity) : moho_velocity_read_table(path, &o, &velocity))
    return print_error();
  int code = output_begin(&text);
  if (!code) {
    print_velocity(text.out, line, path, velocity);
    code = output_finish(&text, line);
  }
  moho_velocity_destroy(&velocity);
  return code;
}

static int run(const command_line *line) {
  if (line->n_arguments != 1) return usage_error("info: name one file, %zu are given", line->n_arguments);
  const char *path = line->arguments[0];
  int is_binary = ends_with(path, ".sgy") || ends_with(path, ".segy") || ends_with(path, ".zarr") || exists_in(path, ".zgroup");
  if (velocity_type || columns || format) return info_of_velocity(line, path, is_binary);
  if (exists_in(path, "stack/.zarray")) return info_of_image(line, path);
  if (exists_in(path, "velocity/.zarray")) return info_of_velocity(line, path, 1);
  if (is_text_name(path)) return info_of_velocity(line, path, 0);
  return info_of_traces(line, path);
}

const command command_info = {
    .name = "info",
    .synopsis = "info FILE",
    .summary = "show what a trace, velocity or image file holds",
    .teaching = "Traces (SEG-Y, SU, Zarr): format, coordinate ranges in metres, offsets,\n"
                "azimuths, fold, record, elevations and statics, odd headers and what was\n"
                "decided about them, a grid to copy into a job, the text header. Images (image.zarr): axes, corners,\n"
                "amplitudes, where it came from. Velocities (.txt tables; with --velocity any\n"
                "table or cube): functions and range.\n"
                "\n"
                "    moho info line.sgy\n"
                "    moho info line.sgy --headers source_x=181,source_y=185 --json\n"
                "    moho info picks.txt --velocity rms --columns x,y,time_ms,velocity",
    .options = options,
    .output_help = "write it to FILE",
    .is_long = 1,
    .run = run};
