/* run_quality.c - what is measured and drawn of a run, and the page made of it. */
#include "job/run_quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "job/report_html.h"
#include "job/run_saved.h"
#include "moho/quality.h"
#include "moho/view.h"
#include "survey/quality_draw.h"
#include "survey/quality_image.h"

enum { MOST_COLUMNS = 24, MOST_TIMES = 120, PICTURE_COLUMNS = 300, PICTURE_TIMES = 300 };

static int is_wanted(const moho_run *r) {
  return moho_job_number(r->job, MOHO_KEY_OUTPUT_REPORT) != 0;
}

static moho_status picture_path(const moho_run *r, const char *name, char **path) {
  if (asprintf(path, "%s/pictures/%s", r->outputs.staging, name) >= 0) return MOHO_OK;
  *path = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
}

/* "quality": {name: object of the text}; takes the text. */
static moho_status keep(json_t *quality, const char *name, char *text) {
  json_t *value = json_loads(text, 0, NULL);
  free(text);
  if (value && json_object_set_new(quality, name, value) == 0) return MOHO_OK;
  return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
}

/* ---- the data ---- */

/* In the middle of the grid, half way down: what dips are reckoned with. */
static double middle_velocity(const moho_run_inputs *in) {
  double x, y, v, t = in->grid.first_s + 0.5 * (double)(in->grid.n_time - 1) * in->grid.step_s;
  moho_grid_node(&in->grid, in->grid.n_inline / 2, in->grid.n_crossline / 2, &x, &y);
  if (!moho_velocity_rms(in->velocity, x, y, t, in->grid.step_s, 1, &v)) return v;
  moho_error_take();
  return 0;
}

static moho_status measure_survey(moho_run *r, json_t *quality, moho_spectrum *spectrum) {
  const moho_run_inputs *in = &r->inputs;
  moho_survey_quality_options options = moho_survey_quality_options_default();
  moho_survey_quality q;
  char *directory = NULL, *text;
  options.grid = &in->grid, options.is_coarse_known = 1; /* run_warnings.c tells of that, and better */
  options.velocity_mps = middle_velocity(in);
  options.dip_deg = in->options.aperture_max_dip_deg, options.aperture_m = in->options.aperture_max_m;
  options.memory_bytes = moho_smaller(options.memory_bytes, in->memory_allowed / 8);
  MOHO_TRY(moho_survey_measure(in->traces, &options, &q));
  *spectrum = q.spectrum;
  moho_status status = moho_survey_quality_json(&q, &text);
  if (!status) status = keep(quality, "survey", text);
  if (!status) status = picture_path(r, "survey", &directory);
  if (!status) status = moho_survey_quality_draw(&q, directory);
  free(directory);
  moho_survey_quality_release(&q);
  return status;
}

/* ---- the velocity ---- */

/* Functions of a table as they stand in it; of all else v_rms on a coarse grid: a cube twice in memory would be too much. */
static moho_status velocity_functions(const moho_run *r, moho_velocity_functions *out) {
  const moho_run_inputs *in = &r->inputs;
  if (moho_job_given(r->job, MOHO_KEY_VELOCITY_TABLE)) {
    moho_velocity_options options = moho_run_inputs_velocity_options(r->job, &in->grid);
    return moho_velocity_functions_read(moho_job_text(r->job, MOHO_KEY_VELOCITY_TABLE), &options, out);
  }
  moho_grid coarse;
  MOHO_TRY(moho_grid_copy(&in->grid, &coarse));
  if (coarse.line_x_m) { /* a crooked line: its middle */
    coarse.line_x_m[0] = coarse.line_x_m[coarse.n_crossline / 2], coarse.line_y_m[0] = coarse.line_y_m[coarse.n_crossline / 2];
    coarse.n_crossline = 1;
  }
  size_t di = moho_pieces(coarse.n_inline, MOST_COLUMNS), dj = moho_pieces(coarse.n_crossline, MOST_COLUMNS),
         dt = moho_pieces(coarse.n_time, MOST_TIMES);
  coarse.n_inline = (coarse.n_inline - 1) / di + 1, coarse.inline_spacing_m *= (double)di;
  coarse.n_crossline = (coarse.n_crossline - 1) / dj + 1, coarse.crossline_spacing_m *= (double)dj;
  coarse.n_time = (coarse.n_time - 1) / dt + 1, coarse.step_s *= (double)dt;
  moho_status status = moho_velocity_functions_on_grid(in->velocity, &coarse, out);
  moho_grid_release(&coarse);
  return status;
}

/* v_rms along the middle inline, as it was used. */
static moho_status draw_velocity(const moho_run *r) {
  const moho_grid *g = &r->inputs.grid;
  int along = g->n_crossline > 1 || g->n_inline == 1;
  size_t all = along ? g->n_crossline : g->n_inline, n = moho_smaller(all, PICTURE_COLUMNS),
         nt = moho_smaller(g->n_time, PICTURE_TIMES);
  double step = nt > 1 ? (double)(g->n_time - 1) * g->step_s / (double)(nt - 1) : g->step_s, *v = NULL, x, y;
  float *values = NULL;
  char *path = NULL;
  moho_status status = moho_allocate(nt, sizeof *v, "velocity picture", &v);
  if (!status) status = moho_allocate(n * nt, sizeof *values, "velocity picture", &values);
  for (size_t k = 0; k < n && !status; k++) {
    size_t column = n > 1 ? k * (all - 1) / (n - 1) : 0;
    moho_grid_node(g, along ? g->n_inline / 2 : column, along ? column : 0, &x, &y);
    status = moho_velocity_rms(r->inputs.velocity, x, y, g->first_s, step, nt, v);
    for (size_t j = 0; j < nt && !status; j++) values[k * nt + j] = (float)v[j];
  }
  moho_view_options options = moho_view_options_default();
  options.title = "Velocity of the migration (v_rms), middle of the image", options.value_label = "m/s";
  options.colours = MOHO_VIEW_SEQUENTIAL, options.symmetric = 0;
  int32_t first = along ? g->crossline_first : g->inline_first, each = along ? g->crossline_step : g->inline_step;
  options.across = (moho_view_axis){.label = along ? (moho_grid_is_line(g) ? "CDP" : "crossline") : "inline",
                                    .unit = "",
                                    .first = first,
                                    .step = n > 1 ? (double)each * (double)(all - 1) / (double)(n - 1) : each};
  options.down = (moho_view_axis){.label = "time", .unit = "s", .first = g->first_s, .step = step};
  if (!status) status = picture_path(r, "velocity.png", &path);
  if (!status) status = moho_view_write_png(path, values, n, nt, nt, 1, &options);
  free(v), free(values), free(path);
  return status;
}

static moho_status measure_velocity(const moho_run *r, json_t *quality) {
  moho_velocity_functions functions;
  moho_velocity_quality q;
  char *text;
  MOHO_TRY(velocity_functions(r, &functions));
  moho_status status = moho_velocity_measure(&functions, &r->inputs.grid, &q);
  moho_velocity_functions_release(&functions);
  if (!status) status = moho_velocity_quality_json(&q, &text);
  if (!status) status = keep(quality, "velocity", text);
  return status ? status : draw_velocity(r);
}

/* ---- the image ---- */

/* A run of blocks has its image in a file that may be larger than memory. */
static moho_status open_rows(const moho_run *r, moho_image_rows *rows) {
  if (r->saved) return moho_image_file_open_rows(moho_run_saved_image(r->saved), r->inputs.memory_allowed / 4, rows);
  *rows = moho_image_rows_of(&r->image);
  return MOHO_OK;
}

static void close_rows(const moho_run *r, moho_image_rows *rows) {
  if (r->saved) moho_image_rows_close(rows);
}

moho_status moho_run_measure_image(moho_run *r) {
  moho_image_rows rows;
  MOHO_TRY(open_rows(r, &rows));
  moho_status status = moho_image_rows_measure(&rows, &r->quality);
  close_rows(r, &rows);
  r->is_measured = status == MOHO_OK;
  return status;
}

static moho_status draw_image(const moho_run *r) {
  moho_image_rows rows;
  char *directory;
  MOHO_TRY(picture_path(r, "image", &directory));
  moho_status status = open_rows(r, &rows);
  if (!status) status = moho_image_rows_draw(&rows, &r->quality, directory);
  close_rows(r, &rows);
  free(directory);
  return status;
}

static moho_status tell_image(const moho_run *r, json_t *quality, moho_spectrum *spectrum) {
  char *text;
  if (!r->is_measured) return MOHO_OK;
  *spectrum = r->quality.spectrum;
  MOHO_TRY(moho_image_quality_json(&r->quality, &text));
  MOHO_TRY(keep(quality, "image", text));
  return r->outputs.png ? MOHO_OK : draw_image(r); /* stack.png and fold.png are there */
}

static moho_status draw_spectra(const moho_run *r, const moho_spectrum *before, const moho_spectrum *after) {
  const moho_spectrum *const spectra[] = {before, after};
  static const char *const labels[] = {"traces, before", "image, after"};
  char *path;
  if (!before->traces) return MOHO_OK;
  MOHO_TRY(picture_path(r, "spectra.png", &path));
  moho_status status = moho_spectrum_draw(spectra, labels, after->traces ? 2 : 1, "Amplitude spectrum before and after", path);
  free(path);
  return status;
}

/* ---- together ---- */

static moho_status measure_all(moho_run *r, json_t *quality) {
  moho_spectrum before = {0}, after = {0};
  char *directory;
  MOHO_TRY(picture_path(r, "", &directory));
  moho_status status = moho_directory_make(directory);
  free(directory);
  if (!status) status = measure_survey(r, quality, &before);
  if (!status) status = measure_velocity(r, quality);
  if (!status) status = tell_image(r, quality, &after);
  return status ? status : draw_spectra(r, &before, &after);
}

/* What cannot be measured is told and costs no run; a disk that fails does: the results are to be whole. */
moho_status moho_run_measure_quality(moho_run *r) {
  if (!is_wanted(r)) return MOHO_OK;
  json_t *quality = json_object();
  if (!r->extra) r->extra = json_object();
  moho_status status = measure_all(r, quality);
  if (status == MOHO_ERROR_IO) {
    json_decref(quality);
    return status;
  }
  if (status) {
    moho_error error = moho_error_take();
    json_object_set_new(quality, "problem", json_string(error.message));
  }
  return json_object_set_new(r->extra, "quality", quality) ? moho_fail(MOHO_ERROR_MEMORY, "report: out of memory") : MOHO_OK;
}

/* ---- the page ---- */

static const struct {
  const char *name, *caption; /* in the staging directory */
} pictures[] = {
    {"stack.png", "The image: the middle section of the stack"},
    {"pictures/image/stack.png", "The image: the middle section of the stack"}, /* without output.png */
    {"gathers.png", "Image gathers: events should be flat where the velocity is right"},
    {"pictures/spectra.png", "Frequencies before (traces) and after (image); the usable band of the traces is shaded"},
    {"pictures/velocity.png", "The velocity that was used"},
    {"pictures/survey/fold.png", "Fold of the survey: how many traces each place has"},
    {"fold.png", "Fold of the image: how many traces were added up at each place"},
    {"pictures/image/fold.png", "Fold of the image: how many traces were added up at each place"},
    {"pictures/survey/stacking_chart.png", "Traces by place and by distance from source to receiver"},
    {"pictures/survey/offset_least.png", "Least distance from source to receiver at each place"},
    {"pictures/survey/offset_most.png", "Largest distance from source to receiver at each place"},
    {"pictures/survey/azimuth.png", "Usual direction from source to receiver at each place"},
    {"pictures/survey/offset_histogram.png", "Distances from source to receiver"},
    {"pictures/survey/azimuth_histogram.png", "Directions from source to receiver"},
    {"pictures/survey/fold_histogram.png", "How many places have which fold"},
};
enum { N_PICTURES = sizeof pictures / sizeof *pictures };

/* Of two pictures of one thing the first that is there. */
static size_t choose_pictures(const moho_run *r, char *paths[N_PICTURES], moho_report_picture chosen[N_PICTURES]) {
  size_t n = 0;
  for (size_t i = 0; i < N_PICTURES; i++) {
    int twin = strncmp(pictures[i].name, "pictures/image/", 15) == 0;
    if (twin && r->outputs.png) continue;
    if (asprintf(&paths[n], "%s/%s", r->outputs.staging, pictures[i].name) < 0) break;
    chosen[n] = (moho_report_picture){paths[n], pictures[i].caption};
    n++;
  }
  return n;
}

moho_status moho_run_write_page(const moho_run *r, const char *report) {
  char *paths[N_PICTURES], *html = NULL, *path = NULL;
  moho_report_picture chosen[N_PICTURES];
  if (!is_wanted(r)) return MOHO_OK;
  json_t *root = json_loads(report, 0, NULL);
  if (!root) return moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  size_t n = choose_pictures(r, paths, chosen);
  moho_status status = moho_report_html(root, chosen, n, &html);
  if (!status && asprintf(&path, "%s/report.html", r->outputs.staging) < 0)
    path = NULL, status = moho_fail(MOHO_ERROR_MEMORY, "report: out of memory");
  if (!status) status = moho_file_write_all(path, html, strlen(html));
  for (size_t i = 0; i < n; i++) free(paths[i]);
  free(html), free(path);
  json_decref(root);
  return status;
}
