/* velocity_scan.c - a scan from gathers to the updated velocity: panels, picks, smoothing, limits. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/velocity_scan_inside.h"
#include "survey/velocity_functions_inside.h"

/* ---- the axes ---- */

static moho_status set_axes(moho_scan *s) {
  const moho_velocity_scan_options *o = s->options;
  const moho_grid *g = &s->gathers.grid;
  moho_semblance_axes *a = &s->axes;
  double end = g->first_s + (double)(g->n_time - 1) * g->step_s, first = fmax(o->time_first_s, g->first_s);
  double last = o->time_last_s < 0 ? end : fmin(o->time_last_s, end);
  if (!(last > first))
    return moho_fail_at((moho_place){.key = "time_first_s"}, NULL, MOHO_ERROR_ARGUMENT,
                        "picks from %g to %g s, but the gathers reach from %g to %g s", o->time_first_s, o->time_last_s,
                        g->first_s, end);
  a->n_samples = g->n_time, a->n_offsets = s->gathers.n_offsets;
  a->factor_first = o->factor_min, a->factor_step = o->factor_step;
  a->n_factors = (size_t)floor((o->factor_max - o->factor_min) / o->factor_step + 1e-6) + 1;
  a->every = (size_t)fmax(1, rint(o->time_step_s / g->step_s));
  a->first_sample = (size_t)ceil((first - g->first_s) / g->step_s - 1e-6);
  a->n_times = (size_t)((last - g->first_s) / g->step_s + 1e-6 - (double)a->first_sample) / a->every + 1;
  a->half_window = (size_t)rint(o->window_s / g->step_s / 2);
  a->half_offset_m = s->half_offset_m, a->stretch = o->stretch, a->floor = pow(10, o->floor_db / 10);
  return MOHO_OK;
}

static moho_status choose_offsets(moho_scan *s) {
  size_t n = 0;
  for (size_t k = 0; k < s->gathers.n_offsets; k++) {
    double offset = fabs(s->gathers.offset_m[k]);
    s->half_offset_m[k] = offset / 2;
    s->used[k] = offset >= s->options->offset_min_m && offset <= s->options->offset_max_m;
    n += s->used[k];
  }
  if (n >= 3) return MOHO_OK;
  return moho_fail_at((moho_place){.file = s->gathers.path, .key = "offset_max_m"},
                      "use more and narrower offset bins, or widen offset_min_m to offset_max_m", MOHO_ERROR_ARGUMENT,
                      "%s: %zu of %zu offset bins lie within %g to %g m, expected at least 3", s->gathers.path, n,
                      s->gathers.n_offsets, s->options->offset_min_m, s->options->offset_max_m);
}

/* Legs as the migration had them, the longest at the least factor. */
static moho_status make_law(moho_scan *s) {
  const moho_grid *g = &s->gathers.grid;
  moho_migration_options o = moho_migration_options_default();
  double longest = 0;
  o.traveltime = s->options->traveltime, o.eta = s->options->eta;
  for (size_t k = 0; k < s->gathers.n_offsets; k++)
    if (s->used[k]) longest = fmax(longest, s->half_offset_m[k]);
  return moho_travel_law_create(&o, s->velocity, g->first_s, g->step_s, g->n_time, g->step_s,
                                fmax(longest, 1) / fmin(s->options->factor_min, 1) * 1.0001, &s->law);
}

static moho_status open_scan(const char *image, moho_scan *s) {
  MOHO_TRY(moho_scan_options_check(s->options));
  MOHO_TRY(moho_scan_gathers_open(image, &s->gathers));
  MOHO_TRY(moho_allocate(s->gathers.n_offsets, sizeof(double), "offsets", &s->half_offset_m));
  MOHO_TRY(moho_allocate(s->gathers.n_offsets, 1, "offsets", &s->used));
  MOHO_TRY(choose_offsets(s));
  MOHO_TRY(set_axes(s));
  return make_law(s);
}

moho_status moho_scan_open(const char *image, const moho_velocity *velocity, const moho_velocity_scan_options *options,
                           moho_scan *out) {
  *out = (moho_scan){.velocity = velocity, .options = options};
  moho_status status = open_scan(image, out);
  if (status) moho_scan_close(out);
  return status;
}

void moho_scan_close(moho_scan *s) {
  moho_scan_gathers_close(&s->gathers);
  moho_travel_law_release(&s->law);
  free(s->half_offset_m), free(s->used);
  s->half_offset_m = NULL, s->used = NULL;
}

/* ---- panels ---- */

void moho_scan_worker_release(moho_scan_worker *w) {
  moho_moveout_column_release(&w->column);
  moho_semblance_destroy(&w->sums);
  free(w->panel), free(w->power);
  *w = (moho_scan_worker){0};
}

moho_status moho_scan_worker_create(const moho_scan *s, moho_scan_worker *out) {
  size_t cells = s->axes.n_factors * s->axes.n_times;
  *out = (moho_scan_worker){0};
  moho_status status = moho_moveout_column_create(&s->law, &out->column);
  if (!status) status = moho_semblance_create(&s->axes, &out->sums);
  if (!status) status = moho_allocate(cells, sizeof(float), "semblance", &out->panel);
  if (!status) status = moho_allocate(cells, sizeof(float), "semblance", &out->power);
  return status; /* the caller releases what there is */
}

moho_status moho_scan_column(const moho_scan *s, size_t i, size_t j, moho_scan_worker *worker) {
  double x, y;
  moho_grid_node(&s->gathers.grid, i, j, &x, &y);
  return moho_moveout_column_fill(&worker->column, x, y);
}

static void neighbours(size_t at, int radius, size_t n, size_t *first, size_t *count) {
  size_t r = (size_t)radius, last = at + r < n ? at + r : n - 1;
  *first = at > r ? at - r : 0;
  *count = last - *first + 1;
}

void moho_scan_inlines(const moho_scan *s, size_t i, size_t *first, size_t *n) {
  neighbours(i, s->options->radius_inline, s->gathers.grid.n_inline, first, n);
}

moho_status moho_scan_panel(const moho_scan *s, const float *block, size_t first_inline, size_t n_block, size_t i, size_t j,
                            moho_scan_worker *w) {
  const moho_grid *g = &s->gathers.grid;
  size_t first_i, n_i, first_j, n_j, gather = s->gathers.n_offsets * g->n_time;
  moho_scan_inlines(s, i, &first_i, &n_i);
  neighbours(j, s->options->radius_crossline, g->n_crossline, &first_j, &n_j);
  if (first_i < first_inline || first_i + n_i > first_inline + n_block)
    return moho_fail(MOHO_ERROR_INTERNAL, "inlines %zu to %zu are not at hand", first_i, first_i + n_i);
  moho_semblance_clear(w->sums);
  for (size_t a = first_i; a < first_i + n_i; a++)
    for (size_t b = first_j; b < first_j + n_j; b++) {
      MOHO_TRY(moho_scan_column(s, a, b, w));
      moho_semblance_add(w->sums, &w->column, block + ((a - first_inline) * g->n_crossline + b) * gather, s->used);
    }
  moho_semblance_finish(w->sums, w->panel, w->power);
  return MOHO_OK;
}

/* ---- locations ---- */

/* Every so many nodes, the rest shared by both ends. Chosen: about 20, and no closer than panels of three gathers do not share
 * them. */
static moho_status choose_nodes(size_t n, int every, size_t *count, size_t **nodes) {
  size_t least = n >= 9 ? 3 : 1, step = every > 0 ? (size_t)every : n / 20 > least ? n / 20 : least;
  *count = (n - 1) / step + 1;
  MOHO_TRY(moho_allocate(*count, sizeof **nodes, "locations", nodes));
  for (size_t k = 0; k < *count; k++) (*nodes)[k] = ((n - 1) % step) / 2 + k * step;
  return MOHO_OK;
}

static moho_status make_result(const moho_scan *s, moho_velocity_scan_result *r) {
  const moho_grid *g = &s->gathers.grid;
  MOHO_TRY(choose_nodes(g->n_inline, s->options->every_inline, &r->n_inline, &r->inline_node));
  MOHO_TRY(choose_nodes(g->n_crossline, s->options->every_crossline, &r->n_crossline, &r->crossline_node));
  r->n_time = s->axes.n_times;
  r->first_s = g->first_s + (double)s->axes.first_sample * g->step_s;
  r->step_s = (double)s->axes.every * g->step_s;
  size_t n = r->n_inline * r->n_crossline * r->n_time;
  MOHO_TRY(moho_allocate(n, sizeof(float), "picks", &r->picked));
  MOHO_TRY(moho_allocate(n, sizeof(float), "picks", &r->semblance));
  MOHO_TRY(moho_allocate(n, sizeof(float), "picks", &r->weight));
  return moho_allocate(n, sizeof(float), "picks", &r->factor);
}

void moho_velocity_scan_release(moho_velocity_scan_result *r) {
  moho_velocity_functions_release(&r->updated);
  free(r->inline_node), free(r->crossline_node), free(r->picked), free(r->semblance), free(r->weight), free(r->factor);
  free(r->report);
  *r = (moho_velocity_scan_result){0};
}

/* What a location counts; added up in their order, so that the report is the same on any number of threads. */
typedef struct tally {
  size_t at_limit, outliers, count;
  double before; /* semblance of factor 1 at the picks that count */
} tally;

static moho_status pick_location(const moho_scan *s, const moho_scan_worker *w, moho_velocity_scan_result *r, size_t location,
                                 tally *t) {
  size_t at = location * r->n_time, n = r->n_time;
  const moho_semblance_axes *a = &s->axes;
  moho_scan_pick_limits limits = {.slope = s->options->slope_per_s * s->gathers.grid.step_s,
                                  .least = s->options->least_semblance,
                                  .wide = (size_t)rint(3 * s->options->smooth_time_s / r->step_s)};
  MOHO_TRY(moho_scan_pick(a, w->panel, w->power, &limits, r->picked + at, r->semblance + at, r->weight + at, &t->at_limit));
  size_t one = (size_t)fmin(fmax(rint((1 - a->factor_first) / a->factor_step), 0), (double)(a->n_factors - 1));
  for (size_t k = 0; k < n; k++)
    if (r->weight[at + k] > 0) t->before += (double)w->panel[one * n + k], t->count++;
  return MOHO_OK;
}

/* The panels of one row of locations, on all cores. */
static moho_status scan_row(const moho_scan *s, size_t row, moho_velocity_scan_result *r, tally *tallies) {
  float *block;
  size_t first, n, i = r->inline_node[row];
  moho_error error = {.code = MOHO_OK};
  moho_scan_inlines(s, i, &first, &n);
  MOHO_TRY(moho_scan_gathers_read(&s->gathers, first, n, &block));
#pragma omp parallel
  {
    moho_scan_worker worker;
    moho_status status = moho_scan_worker_create(s, &worker);
#pragma omp for schedule(dynamic)
    for (size_t k = 0; k < r->n_crossline; k++) {
      size_t location = row * r->n_crossline + k;
      if (!status) status = moho_scan_panel(s, block, first, n, i, r->crossline_node[k], &worker);
      if (!status) status = pick_location(s, &worker, r, location, &tallies[location]);
    }
#pragma omp critical(moho_scan_row)
    if (status && !error.code) error = moho_error_take();
    moho_scan_worker_release(&worker);
  }
  free(block);
  return error.code ? moho_error_set(&error) : MOHO_OK;
}

static moho_status scan_rows(const moho_scan *s, moho_progress_function progress, void *user, moho_velocity_scan_result *r,
                             tally *total) {
  double begun = moho_seconds();
  size_t locations = r->n_inline * r->n_crossline;
  tally *tallies;
  MOHO_TRY(moho_allocate(locations, sizeof *tallies, "picks", &tallies));
  moho_status status = MOHO_OK;
  for (size_t row = 0; !status && row < r->n_inline; row++) {
    status = scan_row(s, row, r, tallies);
    moho_progress p = {"scanning", "gathers", (double)((row + 1) * r->n_crossline), (double)locations, moho_seconds() - begun};
    if (!status && progress && progress(user, &p)) status = moho_fail(MOHO_ERROR_INTERRUPTED, "the scan was interrupted");
  }
  for (size_t k = 0; k < locations; k++)
    total->at_limit += tallies[k].at_limit, total->count += tallies[k].count, total->before += tallies[k].before;
  free(tallies);
  return status;
}

/* ---- the update ---- */

static double spacing_of(const size_t *nodes, size_t n, double spacing_m) {
  return n > 1 ? (double)(nodes[1] - nodes[0]) * spacing_m : spacing_m;
}

/* Without the picks that lie far off what their lateral neighbours say at the same time: for that, time is smoothed over the
 * length of the window only. */
static moho_status smooth_picks(const moho_scan *s, moho_velocity_scan_result *r, size_t *outliers) {
  const moho_grid *g = &s->gathers.grid;
  const size_t shape[3] = {r->n_inline, r->n_crossline, r->n_time};
  double across = spacing_of(r->inline_node, r->n_inline, g->inline_spacing_m),
         along = spacing_of(r->crossline_node, r->n_crossline, g->crossline_spacing_m), lateral = s->options->smooth_lateral_m;
  double sigma[3] = {lateral < 0 ? 1 : lateral / across, lateral < 0 ? 1 : lateral / along,
                     s->options->smooth_time_s / r->step_s};
  double narrow[3] = {fmax(2, 2 * sigma[0]), fmax(2, 2 * sigma[1]), fmin(s->options->window_s / r->step_s / 2, sigma[2])};
  for (int pass = 0; pass < 2 && s->options->outlier > 0; pass++) {
    size_t lost;
    MOHO_TRY(moho_scan_smooth(shape, narrow, r->picked, r->weight, r->factor));
    MOHO_TRY(
        moho_scan_drop_outliers(shape[0] * shape[1] * shape[2], s->options->outlier, r->picked, r->factor, r->weight, &lost));
    *outliers += lost;
    if (!lost) break;
  }
  return moho_scan_smooth(shape, sigma, r->picked, r->weight, r->factor);
}

double moho_scan_factor_at(const moho_velocity_scan_result *r, size_t location, double time_s) {
  double u = (time_s - r->first_s) / r->step_s, last = (double)(r->n_time - 1);
  u = fmin(fmax(u, 0), last);
  size_t k = u < last ? (size_t)u : r->n_time - 1;
  const float *f = r->factor + location * r->n_time;
  return k + 1 < r->n_time ? (double)f[k] + (u - (double)k) * ((double)f[k + 1] - (double)f[k]) : (double)f[k];
}

/* Knots of the result: the times of the picks, and on to both ends of the gathers. */
static size_t find_knots(const moho_scan *s, size_t every, size_t *first) {
  *first = s->axes.first_sample % every;
  return (s->gathers.grid.n_time - 1 - *first) / every + 1;
}

/* Layers between knots whose interval velocity leaves the range get its end; v_rms below follows. Returns how many. */
static size_t keep_interval_range(const double *t, size_t n, double low, double high, double *v) {
  double sum = t[0] * v[0] * v[0], given = sum;
  size_t limited = 0;
  for (size_t k = 1; k < n; k++) {
    double next = t[k] * v[k] * v[k], layer2 = (next - given) / (t[k] - t[k - 1]);
    given = next;
    if (!(layer2 >= low * low)) layer2 = low * low, limited++;
    else if (!(layer2 <= high * high)) layer2 = high * high, limited++;
    sum += layer2 * (t[k] - t[k - 1]);
    if (limited) v[k] = sqrt(sum / t[k]);
  }
  return limited;
}

static moho_status update_location(const moho_scan *s, moho_velocity_scan_result *r, size_t location, size_t first, size_t knots,
                                   double *given, size_t *limited) {
  const moho_grid *g = &s->gathers.grid;
  size_t at = location * knots;
  double *t = r->updated.time_s + at, *v = r->updated.v_mps + at;
  double x, y;
  moho_grid_node(g, r->inline_node[location / r->n_crossline], r->crossline_node[location % r->n_crossline], &x, &y);
  MOHO_TRY(moho_velocity_rms(s->velocity, x, y, g->first_s, g->step_s, g->n_time, given));
  r->updated.start[location + 1] = at + knots;
  for (size_t k = 0; k < knots; k++) {
    size_t sample = first + k * s->axes.every;
    t[k] = g->first_s + (double)sample * g->step_s;
    v[k] = moho_scan_factor_at(r, location, t[k]) * given[sample];
  }
  *limited += keep_interval_range(t, knots, s->options->interval_min_mps, s->options->interval_max_mps, v);
  return MOHO_OK;
}

/* The grid of the locations: the image's, every so many nodes. */
static moho_status place_locations(const moho_scan *s, moho_velocity_scan_result *r) {
  const moho_grid *g = &s->gathers.grid;
  moho_velocity_functions *f = &r->updated;
  if (!g->line_x_m) {
    moho_grid coarse = *g;
    int32_t step_i = r->n_inline > 1 ? (int32_t)(r->inline_node[1] - r->inline_node[0]) : 1,
            step_x = r->n_crossline > 1 ? (int32_t)(r->crossline_node[1] - r->crossline_node[0]) : 1;
    moho_grid_node(g, r->inline_node[0], r->crossline_node[0], &coarse.origin_x_m, &coarse.origin_y_m);
    coarse.inline_first += (int32_t)r->inline_node[0] * g->inline_step, coarse.inline_step *= step_i;
    coarse.crossline_first += (int32_t)r->crossline_node[0] * g->crossline_step, coarse.crossline_step *= step_x;
    coarse.inline_spacing_m *= step_i, coarse.crossline_spacing_m *= step_x;
    coarse.n_inline = r->n_inline, coarse.n_crossline = r->n_crossline;
    return moho_functions_place_on_grid(&coarse, f);
  }
  MOHO_TRY(moho_velocity_functions_add_places(f, 1, 1, 1));
  for (size_t k = 0; k < f->n; k++) {
    size_t j = r->crossline_node[k % r->n_crossline];
    moho_grid_node(g, 0, j, &f->x_m[k], &f->y_m[k]);
    f->inline_number[k] = g->inline_first;
    f->crossline_number[k] = f->cdp[k] = (double)g->crossline_first + (double)j * g->crossline_step;
  }
  return MOHO_OK;
}

static moho_status update(const moho_scan *s, moho_velocity_scan_result *r, size_t *limited) {
  size_t locations = r->n_inline * r->n_crossline, first, knots = find_knots(s, s->axes.every, &first);
  double *v;
  MOHO_TRY(moho_velocity_functions_create(locations, locations * knots, &r->updated));
  MOHO_TRY(place_locations(s, r));
  MOHO_TRY(moho_allocate(s->gathers.grid.n_time, sizeof *v, "velocity", &v));
  moho_status status = MOHO_OK;
  for (size_t k = 0; !status && k < locations; k++) status = update_location(s, r, k, first, knots, v, limited);
  free(v);
  return status;
}

moho_status moho_velocity_scan(const char *image, const moho_velocity *velocity, const moho_velocity_scan_options *options,
                               moho_progress_function progress, void *user, moho_velocity_scan_result *out) {
  moho_velocity_scan_options defaults = moho_velocity_scan_options_default();
  moho_scan s;
  tally total = {0};
  size_t limited = 0;
  *out = (moho_velocity_scan_result){0};
  MOHO_TRY(moho_scan_open(image, velocity, options ? options : &defaults, &s));
  moho_status status = make_result(&s, out);
  if (!status) status = scan_rows(&s, progress, user, out, &total);
  if (!status) status = smooth_picks(&s, out, &total.outliers);
  if (!status) status = update(&s, out, &limited);
  if (!status)
    status =
        moho_scan_report(&s, out, total.at_limit, total.outliers, limited, total.count ? total.before / (double)total.count : 0);
  moho_scan_close(&s);
  if (status) moho_velocity_scan_release(out);
  return status;
}
