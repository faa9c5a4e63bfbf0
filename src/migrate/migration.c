/* migration.c - a migration: created for a grid and a survey, fed with traces in order, finished into an image. */
#include "moho/migration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/migration_internal.h"
#include "migrate/migration_options.h"
#include "migrate/weight.h"

/* ---- create ---- */

static moho_status refuse_too_large(const moho_migration_setup *s, const moho_grid *grid, size_t bytes, size_t allowed,
                                    const char *where, const char *hint) {
  char need[32], have[32], bins[64] = "";
  if (s->bins > 1) snprintf(bins, sizeof bins, " in each of %zu bins of the gathers", s->bins);
  return moho_fail_at(
      (moho_place){.key = s->bins > 1 ? "gathers" : "grid"},
      s->bins > 1 ? "use fewer bins, a smaller grid or fewer time samples" : hint, MOHO_ERROR_TOO_LARGE,
      "the migration needs %s%s (image of %zu x %zu x %zu samples%s, its fold and a batch of %zu traces), allowed are %s",
      moho_bytes_text((double)bytes, need), where, grid->n_inline, grid->n_crossline, grid->n_time, bins, s->capacity,
      moho_bytes_text((double)allowed, have));
}

static moho_status check_memory(const moho_migration_setup *s, const moho_grid *grid) {
  if (s->bytes > s->allowed)
    return refuse_too_large(s, grid, s->bytes, s->allowed, "",
                            "use a smaller grid, coarser spacing or fewer time samples, or raise execution.memory_gb");
  if (s->device_bytes > s->device_allowed)
    return refuse_too_large(s, grid, s->device_bytes, s->device_allowed, " on the device",
                            "use a smaller grid, coarser spacing or fewer time samples, or free memory of the device");
  return MOHO_OK;
}

static moho_status find_live_classes(moho_migration *m, const moho_grid *grid, const moho_geometry *geometry, double dt_s) {
  size_t *flat;
  MOHO_TRY(moho_allocate(m->n_columns, sizeof *flat, "live classes", &flat));
  for (size_t c = 0; c < m->n_columns; c++)
    flat[c] = (m->window.inline_first + c / m->window.n_crossline) * grid->n_crossline + m->window.crossline_first +
              c % m->window.n_crossline;
  moho_status status =
      moho_live_classes_create(&m->classes, geometry, grid, flat, m->n_columns, &m->options, m->input_samples, dt_s, &m->live);
  free(flat);
  MOHO_TRY(status);
  if (!m->law.is_uniform) return MOHO_OK;
  double x, y;
  moho_grid_node(grid, 0, 0, &x, &y);
  MOHO_TRY(moho_travel_column_create(&m->law, &m->live_travel));
  return moho_travel_column_fill(&m->law, x, y, &m->live_travel);
}

static moho_status build(moho_migration *m, const moho_grid *grid, const moho_geometry *geometry, const moho_migration_setup *s,
                         double dt_s) {
  size_t unbinned; /* counted again as traces are added */
  MOHO_TRY(moho_device_describe(m->device, &m->report));
  MOHO_TRY(moho_grid_copy(grid, &m->grid));
  MOHO_TRY(moho_gather_bins_copy(m->options.gathers, &m->bins));
  m->options.gathers = m->bins.kind ? &m->bins : NULL;
  if (m->classes.bins) m->classes.bins = &m->bins;
  if (moho_weight_counts_classes(&m->options)) MOHO_TRY(find_live_classes(m, grid, geometry, dt_s));
  MOHO_TRY(moho_gather_bins_measure(&m->bins, grid, geometry, &unbinned));
  MOHO_TRY(moho_trace_preparer_create(&m->options, m->is_line, m->input_samples, dt_s, s->k_max, &m->preparer));
  moho_trace_preparer_weigh(m->preparer, &m->classes);
  m->layout = moho_trace_preparer_layout(m->preparer);
  MOHO_TRY(moho_time_axis_create(grid, m->layout.dt_s, &m->axis));
  return m->method->create(m, s);
}

/* What a migration keeps of its options: the caller's text and mask are read now. */
static moho_status keep_options(moho_migration *m, const moho_migration_options *options) {
  m->options = *options;
  m->options.constants = NULL;
  if (!options->constants) return MOHO_OK;
  m->options.constants = m->constants = strdup(options->constants);
  return m->constants ? MOHO_OK : moho_fail(MOHO_ERROR_MEMORY, "migration: out of memory");
}

/* What differs from window to window. */
static void take_setup(moho_migration *m, const moho_migration_setup *s) {
  m->setup = *s;
  m->capacity = s->capacity, m->n_columns = s->columns, m->n_bins = s->bins, m->window = s->window;
  m->counts.memory_bytes = s->bytes, m->counts.device_bytes = s->device_bytes;
  m->counts.kernel = moho_kernel_choice_name(&s->choice);
  snprintf(m->counts.kernel_reason, sizeof m->counts.kernel_reason, "%s", s->choice.reason);
}

static moho_status create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                          const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples, double dt_s,
                          int is_adjoint, moho_migration **out) {
  *out = NULL;
  moho_migration_setup s;
  moho_status status = moho_migration_set_up(device, grid, velocity, options, geometry, n_samples, dt_s, is_adjoint, &s);
  if (!status) status = check_memory(&s, grid);
  moho_migration *m = NULL;
  if (!status) status = moho_allocate(1, sizeof *m, "migration", &m);
  if (status) {
    moho_migration_setup_release(&s);
    return status;
  }
  m->device = device, m->velocity = velocity, m->classes = s.classes, m->law = s.law, m->threads = s.threads;
  status = keep_options(m, options);
  m->is_line = moho_grid_is_line(grid), m->t_part = moho_weight_t_part(options, m->is_line);
  m->input_samples = n_samples, m->input_dt_s = dt_s, m->n_traces = geometry->n;
  take_setup(m, &s);
  m->method = s.choice.candidates[0]->method;
  if (!status) status = build(m, grid, geometry, &s, dt_s);
  m->has_mask = m->options.mask != NULL;
  m->options.mask = NULL; /* the caller's, read by now */
  if (status) moho_migration_destroy(&m);
  *out = m;
  return status;
}

moho_status moho_migration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                  double dt_s, moho_migration **out) {
  return create(device, grid, velocity, options, geometry, n_samples, dt_s, 0, out);
}

moho_status moho_migration_create_adjoint(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                          const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                          double dt_s, moho_migration **out) {
  return create(device, grid, velocity, options, geometry, n_samples, dt_s, 1, out);
}

void moho_migration_destroy(moho_migration **migration) {
  moho_migration *m = *migration;
  if (!m) return;
  if (m->run) m->method->destroy(m);
  moho_trace_preparer_destroy(&m->preparer);
  moho_time_axis_release(&m->axis);
  moho_live_classes_release(&m->live);
  moho_travel_column_release(&m->live_travel);
  moho_offset_classes_release(&m->classes);
  moho_travel_law_release(&m->law);
  moho_grid_release(&m->grid);
  moho_gather_bins_release(&m->bins);
  free(m->constants), free(m);
  *migration = NULL;
}

moho_status moho_migration_supports(const moho_device *device, const moho_migration_options *options) {
  moho_device_report report;
  moho_kernel_choice choice;
  MOHO_TRY(moho_migration_options_check(options));
  MOHO_TRY(moho_device_describe(device, &report));
  return moho_kernel_choose(&report, options, &choice);
}

/* ---- another window ---- */

/* Of the kernels that were measured the one that was found faster: it is not measured again. */
static void keep_kernel(moho_migration *m) {
  moho_kernel_choice *choice = &m->setup.choice;
  moho_migration_counts counts = moho_migration_get_counts(m);
  for (int k = 0; k < choice->n && choice->n > 1; k++) {
    if (strcmp(moho_migration_kernel_name(choice->candidates[k]->kernel), counts.kernel) != 0) continue;
    choice->candidates[0] = choice->candidates[k], choice->n = 1;
    snprintf(choice->reason, sizeof choice->reason, "%s", counts.kernel_reason);
  }
}

static void drop_window(moho_migration *m) {
  if (m->run) m->method->destroy(m);
  m->run = NULL;
  moho_live_classes_release(&m->live);
  moho_travel_column_release(&m->live_travel);
  m->counts = (moho_migration_counts){0};
  m->used = NULL;
}

moho_status moho_migration_move(moho_migration *m, const moho_window *window, const moho_geometry *geometry) {
  MOHO_TRY(moho_grid_check_window(&m->grid, window));
  if (m->has_mask) return moho_fail(MOHO_ERROR_ARGUMENT, "a migration of some samples only stays where its mask is");
  keep_kernel(m);
  drop_window(m);
  m->is_broken = 1; /* until all is there */
  moho_migration_setup *s = &m->setup;
  m->options.window = *window;
  MOHO_TRY(moho_migration_size_window(&m->report, &m->grid, &m->options, geometry, m->input_samples, s));
  MOHO_TRY(check_memory(s, &m->grid));
  moho_migration_setup taken = *s;
  take_setup(m, &taken);
  if (moho_weight_counts_classes(&m->options)) MOHO_TRY(find_live_classes(m, &m->grid, geometry, m->input_dt_s));
  MOHO_TRY(m->method->create(m, &m->setup));
  m->is_broken = 0;
  return MOHO_OK;
}

void moho_migration_watch_used(moho_migration *m, uint8_t *used) {
  m->used = used;
  m->used_from = m->counts.traces_added;
}

/* ---- add, finish ---- */

int moho_reporter_stops(const moho_reporter *r, double done) {
  moho_progress progress = {
      .stage = r->stage ? r->stage : "migrating", .unit = "contributions", .done = done, .seconds = moho_seconds() - r->begin};
  return r->function && r->function(r->user, &progress);
}

moho_status moho_migration_add(moho_migration *m, const moho_geometry *geometry, const float *traces,
                               moho_progress_function progress, void *user) {
  if (m->is_broken)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this migration failed or was interrupted before; it can only be destroyed");
  moho_reporter reporter = {.function = progress, .user = user, .begin = moho_seconds()};
  for (size_t first = 0; first < geometry->n; first += m->capacity) {
    size_t n = geometry->n - first < m->capacity ? geometry->n - first : m->capacity;
    moho_geometry slice = moho_geometry_slice(geometry, first, n);
    moho_status status = moho_migration_check_geometry(&slice, m->counts.traces_added, m->layout.dt_s);
    if (!status) status = m->method->add(m, &slice, traces + first * m->input_samples, &reporter);
    m->is_broken = status != MOHO_OK;
    if (status) return status;
    m->counts.traces_added += n;
  }
  return MOHO_OK;
}

moho_status moho_migration_wait(moho_migration *m, moho_progress_function progress, void *user) {
  if (m->is_broken)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this migration failed or was interrupted before; its image is not complete");
  moho_reporter reporter = {.function = progress, .user = user, .begin = moho_seconds()};
  moho_status status = m->method->wait(m, &reporter);
  m->is_broken = status != MOHO_OK;
  return status;
}

moho_status moho_migration_finish(moho_migration *m, moho_image *image) {
  if (image->grid.n_inline != m->window.n_inline || image->grid.n_crossline != m->window.n_crossline ||
      image->grid.n_time != m->grid.n_time)
    return moho_fail(MOHO_ERROR_SHAPE, "the image is %zu x %zu x %zu, expected the migration's %zu x %zu x %zu",
                     image->grid.n_inline, image->grid.n_crossline, image->grid.n_time, m->window.n_inline, m->window.n_crossline,
                     m->grid.n_time);
  if (image->gathers && moho_gather_bins_count(&image->bins) != m->n_bins)
    return moho_fail(MOHO_ERROR_SHAPE, "the image's gathers have %zu bins, expected the migration's %zu",
                     moho_gather_bins_count(&image->bins), m->n_bins);
  MOHO_TRY(moho_migration_wait(m, NULL, NULL));
  if (image->gathers) {
    moho_gather_bins_release(&image->bins);
    MOHO_TRY(moho_gather_bins_copy(&m->bins, &image->bins));
  }
  moho_status status = m->method->finish(m, image);
  if (status < 0) m->is_broken = 1;
  return status;
}

moho_migration_counts moho_migration_get_counts(const moho_migration *m) {
  moho_migration_counts counts = m->counts;
  m->method->count(m, &counts);
  return counts;
}

size_t moho_migration_batch_traces(const moho_migration *m) {
  return m->capacity;
}
