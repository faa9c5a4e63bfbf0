/* command_view.c - moho view: a picture of an image's inline, crossline, time slice or one of its gathers. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

static char *inline_text, *crossline_text, *time_text, *colours_text, *title;
static double clip = 99, clip_value;
static int wiggles, show_fold, width, height;

static const struct poptOption options[] = {
    {"inline", '\0', POPT_ARG_STRING, &inline_text, 0, "the section of this inline number", "N"},
    {"crossline", '\0', POPT_ARG_STRING, &crossline_text, 0, "the section of this crossline number", "N"},
    {"time", '\0', POPT_ARG_STRING, &time_text, 0, "the slice nearest to this time, in seconds", "T"},
    {"fold", '\0', POPT_ARG_NONE, &show_fold, 0, "draw the fold in place of the stack", NULL},
    {"clip", '\0', POPT_ARG_DOUBLE, &clip, 0, "percentile of |amplitude| at which colours saturate [99]", "P"},
    {"clip-value", '\0', POPT_ARG_DOUBLE, &clip_value, 0, "amplitude at which colours saturate, in place of --clip", "A"},
    {"wiggles", '\0', POPT_ARG_NONE, &wiggles, 0, "wiggle traces over the colours", NULL},
    {"colours", '\0', POPT_ARG_STRING, &colours_text, 0, "colour scale [grey; fold: sequential]", "grey|red_blue|sequential"},
    {"width", '\0', POPT_ARG_INT, &width, 0, "pixels of the whole picture [chosen]", "N"},
    {"height", '\0', POPT_ARG_INT, &height, 0, "pixels of the whole picture [chosen]", "N"},
    {"title", '\0', POPT_ARG_STRING, &title, 0, "title of the picture [the file's name]", "TEXT"},
    POPT_TABLEEND};

/* A slice of [inline, crossline, time]: where it begins, and the strides of its two axes. */
typedef struct slice {
  size_t begin, n_across, n_down, stride_across, stride_down;
  moho_view_axis across, down;
  char subtitle[80];
} slice;

/* The index of a line number; -1 with a usage error. */
static long line_index(const char *name, const char *text, int32_t first, int32_t step, size_t n) {
  char *end;
  long number = strtol(text, &end, 10);
  long index = step ? (number - first) / step : 0;
  long last = first + (long)(n - 1) * step;
  if (*end || end == text) return usage_error("view: --%s is \"%s\", expected a whole number", name, text), -1;
  if (index >= 0 && (size_t)index < n && first + index * step == number) return index;
  usage_error("view: there is no %s %ld: they are %d to %ld, step %d", name, number, (int)first, last, (int)step);
  return -1;
}

static moho_view_axis inline_axis(const moho_grid *g) {
  return (moho_view_axis){.label = "inline", .unit = "", .first = g->inline_first, .step = g->inline_step};
}

static moho_view_axis crossline_axis(const moho_grid *g) {
  return (moho_view_axis){
      .label = moho_grid_is_line(g) ? "CDP" : "crossline", .unit = "", .first = g->crossline_first, .step = g->crossline_step};
}

static moho_view_axis time_axis(const moho_grid *g) {
  return (moho_view_axis){.label = "time", .unit = "s", .first = g->first_s, .step = g->step_s};
}

static int cut_inline(const moho_grid *g, slice *s) {
  long i = line_index("inline", inline_text, g->inline_first, g->inline_step, g->n_inline);
  if (i < 0) return EXIT_USAGE;
  *s = (slice){.begin = (size_t)i * g->n_crossline * g->n_time,
               .n_across = g->n_crossline,
               .n_down = g->n_time,
               .stride_across = g->n_time,
               .stride_down = 1,
               .across = crossline_axis(g),
               .down = time_axis(g)};
  snprintf(s->subtitle, sizeof s->subtitle, "inline %s", inline_text);
  return EXIT_GOOD;
}

static int cut_crossline(const moho_grid *g, slice *s) {
  long j = line_index("crossline", crossline_text, g->crossline_first, g->crossline_step, g->n_crossline);
  if (j < 0) return EXIT_USAGE;
  *s = (slice){.begin = (size_t)j * g->n_time,
               .n_across = g->n_inline,
               .n_down = g->n_time,
               .stride_across = g->n_crossline * g->n_time,
               .stride_down = 1,
               .across = inline_axis(g),
               .down = time_axis(g)};
  snprintf(s->subtitle, sizeof s->subtitle, "crossline %s", crossline_text);
  return EXIT_GOOD;
}

static int cut_time(const moho_grid *g, slice *s) {
  char *end;
  double t = strtod(time_text, &end), last = g->first_s + (double)(g->n_time - 1) * g->step_s;
  if (*end || end == time_text || !isfinite(t)) return usage_error("view: --time is \"%s\", expected seconds", time_text);
  double k = rint((t - g->first_s) / g->step_s);
  if (k < 0 || k >= (double)g->n_time)
    return usage_error("view: there is no time %g s: they are %g to %g s", t, g->first_s, last);
  *s = (slice){.begin = (size_t)k,
               .n_across = g->n_crossline,
               .n_down = g->n_inline,
               .stride_across = g->n_time,
               .stride_down = g->n_crossline * g->n_time,
               .across = crossline_axis(g),
               .down = inline_axis(g)};
  snprintf(s->subtitle, sizeof s->subtitle, "time %g s", g->first_s + k * g->step_s);
  return EXIT_GOOD;
}

static int cut(const moho_grid *g, slice *s) {
  if (inline_text) return cut_inline(g, s);
  return crossline_text ? cut_crossline(g, s) : cut_time(g, s);
}

static int view_options(const command_line *line, const slice *s, moho_view_options *o) {
  const char *name = strrchr(line->arguments[0], '/');
  *o = moho_view_options_default();
  o->title = title ? title : name && name[1] ? name + 1 : line->arguments[0];
  o->subtitle = s->subtitle;
  o->value_label = show_fold ? "traces" : "amplitude";
  o->colours = show_fold ? MOHO_VIEW_SEQUENTIAL : MOHO_VIEW_GREY;
  o->symmetric = !show_fold;
  if (colours_text) {
    int chosen = choose_word("colours", colours_text, "grey|red_blue|sequential");
    if (chosen < 0) return EXIT_USAGE;
    o->colours = (moho_view_colours)chosen;
  }
  if (!(clip > 0 && clip <= 100)) return usage_error("view: --clip is %g, expected a percentile above 0 and up to 100", clip);
  if (clip_value < 0) return usage_error("view: --clip-value is %g, expected an amplitude above 0", clip_value);
  if (width < 0 || height < 0 || width > 20000 || height > 20000)
    return usage_error("view: a picture is up to 20000 pixels wide and high");
  o->clip_percentile = clip, o->clip_value = clip_value, o->wiggles = wiggles, o->width = width, o->height = height;
  o->across = s->across, o->down = s->down;
  return EXIT_GOOD;
}

/* Fold as float; NULL when out of memory. */
static float *fold_values(const moho_image *image) {
  size_t n = image->grid.n_inline * image->grid.n_crossline * image->grid.n_time;
  float *values = malloc((n ? n : 1) * sizeof *values);
  for (size_t i = 0; values && i < n; i++) values[i] = (float)image->fold[i];
  return values;
}

static int draw(const command_line *line, const moho_image *image) {
  slice s;
  moho_view_options o;
  float *fold = NULL;
  int code = cut(&image->grid, &s);
  if (!code) code = view_options(line, &s, &o);
  if (code) return code;
  if (show_fold && !image->fold) {
    fprintf(stderr, "moho: %s holds no fold\n", line->arguments[0]);
    return EXIT_FAILED;
  }
  if (show_fold && !(fold = fold_values(image))) {
    fprintf(stderr, "moho: out of memory\n");
    return EXIT_FAILED;
  }
  const float *data = (fold ? fold : image->stack) + s.begin;
  if (moho_view_write_png(line->output, data, s.n_across, s.n_down, s.stride_across, s.stride_down, &o)) code = print_error();
  free(fold);
  return code;
}

/* ---- a gather ---- */

/* Bins of one width are drawn to scale, others numbered. */
static moho_view_axis bin_axis(const moho_gather_bins *bins) {
  static const char *const labels[] = {"", "offset", "tile", "opening angle"}, *const numbered[] = {"", "offset bin", "tile",
                                                                                                    "angle bin"};
  double step = bins->edges[1] - bins->edges[0];
  int is_even = bins->kind != MOHO_GATHERS_OVT;
  for (size_t k = 1; k < bins->n_edges; k++)
    if (fabs(bins->edges[k] - bins->edges[k - 1] - step) > 1e-9 * step) is_even = 0;
  if (!is_even) return (moho_view_axis){.label = numbered[bins->kind], .unit = "", .first = 1, .step = 1};
  return (moho_view_axis){.label = labels[bins->kind],
                          .unit = bins->kind == MOHO_GATHERS_ANGLE ? "degrees" : "m",
                          .first = moho_gather_bin_centre(bins, 0),
                          .step = step};
}

/* What nothing reached is left blank. */
static int draw_values(const command_line *line, const moho_image *image, float *gather, const int32_t *fold) {
  size_t bins = moho_gather_bins_count(&image->bins), n = image->grid.n_time;
  slice s = {.across = bin_axis(&image->bins), .down = time_axis(&image->grid)};
  moho_view_options o;
  snprintf(s.subtitle, sizeof s.subtitle, "inline %.20s, crossline %.20s", inline_text, crossline_text);
  int code = view_options(line, &s, &o);
  if (code) return code;
  for (size_t i = 0; i < bins * n; i++) gather[i] = show_fold ? (float)fold[i] : fold[i] ? gather[i] : NAN;
  return moho_view_write_png(line->output, gather, bins, n, n, 1, &o) ? print_error() : EXIT_GOOD;
}

static int draw_gather(const command_line *line, const moho_image *image) {
  const moho_grid *g = &image->grid;
  long i = line_index("inline", inline_text, g->inline_first, g->inline_step, g->n_inline);
  long j = i < 0 ? -1 : line_index("crossline", crossline_text, g->crossline_first, g->crossline_step, g->n_crossline);
  size_t samples = moho_gather_bins_count(&image->bins) * g->n_time;
  if (j < 0) return EXIT_USAGE;
  float *gather = malloc((samples ? samples : 1) * sizeof *gather);
  int32_t *fold = malloc((samples ? samples : 1) * sizeof *fold);
  int code = EXIT_FAILED;
  if (!gather || !fold) fprintf(stderr, "moho: out of memory\n");
  else if (moho_image_read_gather(line->arguments[0], image, (size_t)i, (size_t)j, gather, fold)) code = print_error();
  else code = draw_values(line, image, gather, fold);
  free(gather), free(fold);
  return code;
}

static int run(const command_line *line) {
  if (line->n_arguments != 1) return usage_error("view: name one image.zarr, %zu are given", line->n_arguments);
  int is_gather = inline_text && crossline_text && !time_text;
  if (!is_gather && (inline_text != NULL) + (crossline_text != NULL) + (time_text != NULL) != 1)
    return usage_error("view: give one of --inline N, --crossline N, --time T, or both lines for a gather");
  if (!line->output) return usage_error("view: where to? Give --output F.png");
  moho_image image;
  if (moho_image_read_zarr(line->arguments[0], &image)) return print_error();
  int code = is_gather ? draw_gather(line, &image) : draw(line, &image);
  moho_image_release(&image);
  if (!code && line->json) {
    json_t *root = json_pack("{s:s}", "output", line->output);
    json_dumpf(root, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(root);
  }
  return code;
}

const command command_view = {.name = "view",
                              .synopsis = "view image.zarr --inline N|--crossline N|--time T --output F.png",
                              .summary = "draw a section, a time slice or a gather of an image",
                              .teaching = "Draws variable density with a symmetric clip, axes with units, title and\n"
                                          "colour bar, as PNG.\n"
                                          "\n"
                                          "    moho view out/image.zarr --inline 40 --output inline40.png\n"
                                          "    moho view out/image.zarr --time 0.64 --colours red_blue --output slice.png\n"
                                          "    moho view out/image.zarr --crossline 12 --wiggles --clip 98 --output x12.png\n"
                                          "    moho view out/image.zarr --inline 40 --fold --output fold40.png\n"
                                          "\n"
                                          "Both lines together draw the gather of that node:\n"
                                          "\n"
                                          "    moho view out/image.zarr --inline 40 --crossline 12 --output gather.png",
                              .options = options,
                              .output_help = "the PNG to write",
                              .run = run};
