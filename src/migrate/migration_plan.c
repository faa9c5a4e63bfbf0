/* migration_plan.c - what a migration will take, without doing it: memory, tiles, contributions from a sample. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "migrate/migration_setup.h"
#include "migrate/offset_mute.h"
#include "migrate/runs.h"

/* Pairs looked at for a plan: enough for a few per cent where apertures cover a hundredth of the survey. */
enum { SAMPLED_TRACES = 500, SAMPLED_COLUMNS = 1000 };

typedef struct sampler {
  const moho_grid *grid;
  const moho_window *window;
  const moho_geometry *geometry;
  const moho_migration_options *options;
  const moho_travel_law *law;
  moho_column_table table;
  moho_interval *intervals;
  size_t n_samples; /* refined */
} sampler;

static uint64_t contributions_of_pair(const sampler *s, size_t trace, double x, double y) {
  const moho_geometry *g = s->geometry;
  double sx = x - g->source_x[trace], sy = y - g->source_y[trace], rx = x - g->receiver_x[trace], ry = y - g->receiver_y[trace];
  double offset = moho_geometry_offset(g, trace);
  moho_trace_window window =
      moho_trace_window_of(s->law, s->n_samples, g->first_sample_s[trace] / s->law->dt_s, offset * offset / 4);
  moho_run_query query = {.window = &window,
                          .distance = hypot((sx + rx) / 2, (sy + ry) / 2),
                          .source2 = sx * sx + sy * sy,
                          .receiver2 = rx * rx + ry * ry};
  moho_mute_window mute = moho_mute_window_of(s->options, offset);
  moho_mute_samples(&mute, s->law->first_s, s->law->step_s, (int32_t)s->law->n, &window.first, &window.end);
  int32_t near = (int32_t)s->law->n;
  uint64_t contributions = 0;
  size_t count = moho_runs_find(&s->table, s->law, &query, &near, s->intervals);
  for (size_t i = 0; i < count; i++) contributions += (uint64_t)(s->intervals[i].end - s->intervals[i].first);
  return contributions;
}

/* Mean over a lattice of columns and every so-manieth trace, times the number of pairs. */
static moho_status sample_contributions(sampler *s, size_t sampled_traces, size_t sampled_columns, double *out) {
  size_t columns = s->window->n_inline * s->window->n_crossline, traces = s->geometry->n, pairs = 0;
  size_t column_step = columns / sampled_columns + 1, trace_step = traces / sampled_traces + 1;
  /* Steps that share no factor with the row length wander over all crosslines. */
  while (column_step > 1 && s->window->n_crossline % column_step == 0) column_step++;
  uint64_t sum = 0;
  for (size_t c = 0; c < columns; c += column_step) {
    double x, y;
    moho_window_node(s->grid, s->window, c, &x, &y);
    if (c == 0 || !s->law->is_uniform) MOHO_TRY(moho_column_table_fill(&s->table, s->law, s->options, x, y));
    for (size_t t = c / column_step % trace_step; t < traces; t += trace_step, pairs++)
      if (moho_geometry_is_live(s->geometry, t)) sum += contributions_of_pair(s, t, x, y);
  }
  *out = pairs ? (double)sum / (double)pairs * (double)columns * (double)traces : 0;
  return MOHO_OK;
}

moho_status moho_migration_estimate(const moho_grid *grid, const moho_window *window, const moho_travel_law *law,
                                    const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                    size_t sampled_traces, size_t sampled_columns, double *out) {
  sampler s = {.grid = grid,
               .window = window,
               .law = law,
               .geometry = geometry,
               .options = options,
               .n_samples = (n_samples - 1) * (size_t)options->refine + 1};
  moho_status status = moho_column_table_create(law, options->stretch_mute >= 0, &s.table);
  if (!status) status = moho_allocate(grid->n_time / 2 + 1, sizeof(moho_interval), "intervals", &s.intervals);
  if (!status) status = sample_contributions(&s, sampled_traces, sampled_columns, out);
  free(s.intervals);
  moho_column_table_release(&s.table);
  return status;
}

/* docs/physics.md: above f_max = v/(4 dx sin dip) dipping events alias on the image grid itself. */
static double grid_alias_hz(const moho_grid *grid, const moho_migration_options *options, double v_min) {
  double dx = grid->n_crossline > 1 ? grid->crossline_spacing_m : 0;
  if (grid->n_inline > 1) dx = fmax(dx, grid->inline_spacing_m);
  double sine = sin(options->aperture_max_dip_deg * (3.14159265358979323846 / 180));
  return dx > 0 && sine > 0 ? v_min / (4 * dx * sine) : INFINITY;
}

static moho_status count_unbinned(const moho_grid *grid, const moho_gather_bins *gathers, const moho_geometry *geometry,
                                  size_t *out) {
  moho_gather_bins bins;
  MOHO_TRY(moho_gather_bins_copy(gathers, &bins));
  moho_status status = moho_gather_bins_measure(&bins, grid, geometry, out);
  moho_gather_bins_release(&bins);
  return status;
}

/* About so many columns, as square as the grid allows. */
static moho_window window_of(const moho_grid *grid, size_t columns) {
  moho_window w = {.n_inline = moho_smaller(grid->n_inline, (size_t)sqrt((double)columns))};
  w.n_crossline = moho_smaller(grid->n_crossline, columns / w.n_inline);
  return w;
}

/* Two sizes of window tell what a column takes. By kernels large ones: tables go to the device in pieces, so that on the host
 * they grow with small windows alone. */
static moho_status plan_windows(const moho_device *device, const moho_grid *grid, const moho_migration_options *options,
                                const moho_geometry *geometry, size_t n_samples, moho_migration_setup *s,
                                moho_migration_plan *out) {
  moho_device_report report;
  moho_migration_options small = *options;
  size_t columns[2], bytes[2], device_bytes[2], side = s->choice.candidates[0]->function ? 512 : 96;
  size_t most = moho_smaller(side * side, grid->n_inline * grid->n_crossline);
  MOHO_TRY(moho_device_describe(device, &report));
  out->device_allowed_bytes = s->device_allowed;
  s->allowed = s->device_allowed = 0; /* the smallest batch */
  for (int k = 0; k < 2; k++) {
    small.window = window_of(grid, k || most < 9 ? most : most / 9);
    MOHO_TRY(moho_migration_size_window(&report, grid, &small, geometry, n_samples, s));
    columns[k] = s->columns, bytes[k] = s->bytes, device_bytes[k] = s->device_bytes;
  }
  if (columns[1] > columns[0]) {
    out->window_column_bytes = (bytes[1] - bytes[0]) / (columns[1] - columns[0]) + 1;
    out->window_column_device_bytes = (device_bytes[1] - device_bytes[0]) / (columns[1] - columns[0]) + 1;
  }
  size_t of_columns = columns[1] * out->window_column_bytes, of_device = columns[1] * out->window_column_device_bytes;
  out->window_fixed_bytes = bytes[1] > of_columns ? bytes[1] - of_columns : 0;
  out->window_fixed_device_bytes = device_bytes[1] > of_device ? device_bytes[1] - of_device : 0;
  out->batch_trace_bytes = s->batch_trace_bytes, out->batch_trace_device_bytes = s->batch_trace_device_bytes;
  return MOHO_OK;
}

moho_status moho_migration_make_plan(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                     const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                     double dt_s, moho_migration_plan *out) {
  moho_migration_setup s;
  *out = (moho_migration_plan){0};
  moho_status status = moho_migration_set_up(device, grid, velocity, options, geometry, n_samples, dt_s, 0, &s);
  if (!status)
    status = moho_migration_estimate(grid, &s.window, &s.law, options, geometry, n_samples, SAMPLED_TRACES, SAMPLED_COLUMNS,
                                     &out->contributions);
  if (!status) status = count_unbinned(grid, options->gathers, geometry, &out->unbinned_traces);
  if (!status) {
    out->memory_bytes = s.bytes;
    out->device_bytes = s.device_bytes;
    out->kernel = moho_kernel_choice_name(&s.choice);
    out->image_bytes = s.columns * grid->n_time * (sizeof(float) + sizeof(int32_t));
    out->gather_bins = moho_gather_bins_count(options->gathers);
    out->gathers_bytes = out->gather_bins * out->image_bytes;
    out->batch_traces = s.capacity;
    out->tiles = s.plan.n_tiles;
    out->tile_columns = s.plan.side_inline * s.plan.side_crossline;
    out->offset_classes = s.classes.n;
    out->class_spacing_min_m = INFINITY;
    for (size_t c = 0; c < s.classes.n; c++) {
      out->class_spacing_min_m = fmin(out->class_spacing_min_m, s.classes.spacing_m[c]);
      out->class_spacing_max_m = fmax(out->class_spacing_max_m, s.classes.spacing_m[c]);
    }
    out->grid_alias_hz = grid_alias_hz(grid, options, s.v_min);
    status = plan_windows(device, grid, options, geometry, n_samples, &s, out);
  }
  moho_migration_setup_release(&s);
  return status;
}
