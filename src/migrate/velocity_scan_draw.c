/* velocity_scan_draw.c - pictures of a scan at one location: the panel with its picks, the gather before and after. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "migrate/velocity_scan_inside.h"
#include "moho/view.h"

typedef struct drawing {
  const moho_scan *scan;
  const moho_velocity_scan_result *result;
  size_t i, j, location; /* of the result */
  const char *prefix;
  char where[80];
} drawing;

static moho_status file_name(const drawing *d, const char *end, char **out) {
  if (asprintf(out, "%s_%s.png", d->prefix, end) >= 0) return MOHO_OK;
  *out = NULL;
  return moho_fail(MOHO_ERROR_MEMORY, "pictures: out of memory");
}

/* ---- semblance ---- */

/* Picks with less than this of the location's greatest weight are drawn grey. */
static const float least_share = 0.02f;

/* Columns of n_time numbers: times, picks that count, those that hardly do, the smoothed factor. */
static void fill_numbers(const drawing *d, double *numbers) {
  const moho_velocity_scan_result *r = d->result;
  size_t n = r->n_time, first = d->location * n;
  float most = 0;
  for (size_t k = 0; k < n; k++) most = fmaxf(most, r->weight[first + k]);
  for (size_t k = 0; k < n; k++) {
    float weight = r->weight[first + k];
    double pick = (double)r->picked[first + k];
    numbers[k] = r->first_s + (double)k * r->step_s;
    numbers[n + k] = weight > 0 && weight >= least_share * most ? pick : NAN;
    numbers[2 * n + k] = weight > 0 && weight < least_share * most ? pick : NAN;
    numbers[3 * n + k] = (double)r->factor[first + k];
  }
}

static moho_status draw_panel(const drawing *d, const float *panel) {
  const moho_velocity_scan_result *r = d->result;
  const moho_semblance_axes *a = &d->scan->axes;
  size_t n = r->n_time;
  double *numbers;
  char *path = NULL;
  MOHO_TRY(moho_allocate(4 * n, sizeof *numbers, "picture", &numbers));
  fill_numbers(d, numbers);
  const moho_view_line lines[] = {
      {.n = n, .across = numbers + 3 * n, .down = numbers, .red = 200, .green = 30, .blue = 60},
      {.n = n, .across = numbers + 2 * n, .down = numbers, .red = 150, .green = 150, .blue = 150, .dots = 1},
      {.n = n, .across = numbers + n, .down = numbers, .dots = 1}};
  moho_view_options o = moho_view_options_default();
  o.title = "Semblance of the residual move-out", o.subtitle = d->where, o.value_label = "semblance";
  o.colours = MOHO_VIEW_SEQUENTIAL, o.symmetric = 0, o.width = 760, o.height = 900;
  o.across = (moho_view_axis){.label = "factor of the velocity", .unit = "", .first = a->factor_first, .step = a->factor_step};
  o.down = (moho_view_axis){.label = "time", .unit = "s", .first = r->first_s, .step = r->step_s};
  o.lines = lines, o.n_lines = 3;
  moho_status status = file_name(d, "semblance", &path);
  if (!status) status = moho_view_write_png(path, panel, a->n_factors, a->n_times, a->n_times, 1, &o);
  free(path), free(numbers);
  return status;
}

/* ---- gathers ---- */

/* With the factor of every time taken out: T0 reads what lies at t0. worker->column is the location's. */
static moho_status flatten(const drawing *d, const moho_scan_worker *w, const float *gather, float *flat) {
  const moho_scan *s = d->scan;
  size_t n = s->axes.n_samples;
  double *numbers;
  float *place = NULL;
  MOHO_TRY(moho_allocate(3 * n, sizeof *numbers, "gather", &numbers));
  double *factor = numbers, *legs = numbers + n, *trial = numbers + 2 * n;
  moho_status status = moho_allocate(n, sizeof *place, "gather", &place);
  for (size_t k = 0; k < n; k++)
    factor[k] = moho_scan_factor_at(d->result, d->location, s->law.first_s + (double)k * s->law.step_s);
  for (size_t o = 0; !status && o < s->axes.n_offsets; o++) {
    moho_moveout_legs(&w->column, s->half_offset_m[o], legs);
    moho_moveout_legs_of_factors(&w->column, s->half_offset_m[o], factor, trial);
    moho_moveout_places(n, legs, trial, place);
    for (size_t k = 0; k < n; k++) flat[o * n + k] = moho_moveout_sample(gather + o * n, n, place[k]);
  }
  free(place), free(numbers);
  return status;
}

static moho_status draw_gather(const drawing *d, const float *gather, const char *end, const char *title) {
  const moho_grid *g = &d->scan->gathers.grid;
  size_t n = d->scan->gathers.n_offsets;
  const double *offset = d->scan->gathers.offset_m;
  char *path = NULL;
  moho_view_options o = moho_view_options_default();
  o.title = title, o.subtitle = d->where, o.width = 760, o.height = 900;
  o.across = (moho_view_axis){
      .label = "offset", .unit = "m", .first = offset[0], .step = n > 1 ? (offset[n - 1] - offset[0]) / (double)(n - 1) : 1};
  o.down = (moho_view_axis){.label = "time", .unit = "s", .first = g->first_s, .step = g->step_s};
  moho_status status = file_name(d, end, &path);
  if (!status) status = moho_view_write_png(path, gather, n, g->n_time, g->n_time, 1, &o);
  free(path);
  return status;
}

static moho_status draw_gathers(const drawing *d, const moho_scan_worker *w, const float *gather) {
  float *flat;
  MOHO_TRY(draw_gather(d, gather, "before", "Image gather, as migrated"));
  MOHO_TRY(moho_allocate(d->scan->axes.n_offsets * d->scan->axes.n_samples, sizeof *flat, "gather", &flat));
  moho_status status = flatten(d, w, gather, flat);
  if (!status) status = draw_gather(d, flat, "after", "Image gather, residual move-out taken out");
  free(flat);
  return status;
}

/* ---- both ---- */

static moho_status draw_all(const drawing *d, const float *block, size_t first, size_t n, moho_scan_worker *w) {
  const moho_scan *s = d->scan;
  size_t i = d->result->inline_node[d->i], j = d->result->crossline_node[d->j];
  MOHO_TRY(moho_scan_panel(s, block, first, n, i, j, w));
  MOHO_TRY(draw_panel(d, w->panel));
  MOHO_TRY(moho_scan_column(s, i, j, w));
  return draw_gathers(d, w, block + ((i - first) * s->gathers.grid.n_crossline + j) * s->axes.n_offsets * s->axes.n_samples);
}

static moho_status draw_location(const drawing *d) {
  size_t first, n;
  float *block = NULL;
  moho_scan_worker worker = {0};
  moho_scan_inlines(d->scan, d->result->inline_node[d->i], &first, &n);
  moho_status status = moho_scan_gathers_read(&d->scan->gathers, first, n, &block);
  if (!status) status = moho_scan_worker_create(d->scan, &worker);
  if (!status) status = draw_all(d, block, first, n, &worker);
  moho_scan_worker_release(&worker);
  free(block);
  return status;
}

static moho_status make_directory(const char *prefix) {
  const char *slash = strrchr(prefix, '/');
  if (!slash || slash == prefix) return MOHO_OK;
  char *directory = strndup(prefix, (size_t)(slash - prefix));
  if (!directory) return moho_fail(MOHO_ERROR_MEMORY, "pictures: out of memory");
  moho_status status = moho_directory_make(directory);
  free(directory);
  return status;
}

moho_status moho_velocity_scan_draw(const char *image, const moho_velocity *velocity, const moho_velocity_scan_options *options,
                                    const moho_velocity_scan_result *result, size_t i, size_t j, const char *prefix) {
  moho_velocity_scan_options defaults = moho_velocity_scan_options_default();
  moho_scan s;
  if (i >= result->n_inline || j >= result->n_crossline)
    return moho_fail(MOHO_ERROR_ARGUMENT, "location %zu, %zu of %zu x %zu", i, j, result->n_inline, result->n_crossline);
  MOHO_TRY(moho_scan_open(image, velocity, options ? options : &defaults, &s));
  const moho_grid *g = &s.gathers.grid;
  drawing d = {.scan = &s, .result = result, .i = i, .j = j, .location = i * result->n_crossline + j, .prefix = prefix};
  snprintf(d.where, sizeof d.where, "inline %d, crossline %d",
           (int)(g->inline_first + (int)result->inline_node[i] * g->inline_step),
           (int)(g->crossline_first + (int)result->crossline_node[j] * g->crossline_step));
  moho_status status = s.axes.n_times == result->n_time ? make_directory(prefix)
                                                        : moho_fail(MOHO_ERROR_ARGUMENT, "the options are not those of the scan");
  if (!status) status = draw_location(&d);
  moho_scan_close(&s);
  return status;
}
