/* migration.c - a migration: created for a grid and a survey, fed with traces in order, finished into an image. */
#include "moho/migration.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/antialias.h"
#include "migrate/aperture.h"
#include "migrate/migration_options.h"
#include "migrate/migration_setup.h"
#include "migrate/offset_class.h"
#include "migrate/simd/migrate_native.h"
#include "migrate/sinc_table.h"
#include "migrate/tile_run.h"

struct moho_migration {
  moho_grid grid;
  const moho_velocity *velocity;
  moho_migration_options options;
  moho_offset_classes classes;
  moho_time_axis axis;
  moho_column_table shared_table;
  moho_tile_plan plan;
  moho_tile_frame frame;
  moho_trace_preparer *preparer;
  moho_tile_worker **workers; /* [threads] */
  int threads;
  size_t input_samples, capacity; /* of a recorded trace; traces a batch */
  moho_column *columns;
  float *rows, *image, (*sinc)[MOHO_SINC_TAPS];
  int32_t *steps;
  moho_batch_trace *traces;
  uint8_t *live, *used;
  moho_migration_counts counts;
  int is_broken; /* an add failed: the image is not complete */
};

/* ---- create ---- */

static moho_status refuse_too_large(const moho_migration_setup *s, const moho_grid *grid, size_t allowed) {
  char need[32], have[32];
  return moho_fail_at(
      (moho_place){.key = "grid"}, "use a smaller grid, coarser spacing or fewer time samples, or raise execution.memory_gb",
      MOHO_ERROR_TOO_LARGE,
      "the migration needs %s (image of %zu x %zu x %zu samples, its fold and a batch of %zu traces), allowed are %s",
      moho_bytes_text((double)s->bytes, need), grid->n_inline, grid->n_crossline, grid->n_time, s->capacity,
      moho_bytes_text((double)allowed, have));
}

static void place_columns(moho_migration *m) {
  for (size_t c = 0; c < m->grid.n_inline * m->grid.n_crossline; c++) {
    size_t i = c / m->grid.n_crossline, j = c % m->grid.n_crossline;
    double x, y;
    moho_grid_node(&m->grid, i, j, &x, &y);
    moho_column *column = &m->columns[c];
    column->position[0] = x - m->grid.origin_x_m;
    column->position[1] = y - m->grid.origin_y_m;
    moho_antialias_axes(&m->grid, i, j, column->along, column->across);
  }
}

static moho_status make_tables(moho_migration *m, int is_uniform) {
  if (!is_uniform) return MOHO_OK;
  double *v, x, y;
  MOHO_TRY(moho_column_table_create(&m->axis, m->options.stretch_mute >= 0, &m->shared_table));
  MOHO_TRY(moho_allocate(m->axis.n, sizeof *v, "velocity", &v));
  moho_grid_node(&m->grid, 0, 0, &x, &y);
  moho_status status = moho_velocity_rms(m->velocity, x, y, m->axis.first_s, m->axis.step_s, m->axis.n, v);
  if (!status) moho_column_table_fill(&m->shared_table, &m->axis, &m->options, v);
  free(v);
  return status;
}

/* t^-p inside the loop; what depends on the column alone is multiplied in at the end (column_weight). */
static int weight_power(const moho_migration_options *options, int is_line) {
  moho_weight weight = moho_weight_resolve(options->weight, options->amplitude);
  return (moho_weight_has_spreading(weight) ? (is_line ? 1 : 2) : 0) + (moho_weight_has_obliquity(weight) ? 2 : 0);
}

static moho_status allocate_buffers(moho_migration *m, const moho_migration_setup *s) {
  MOHO_TRY(moho_allocate(s->columns, sizeof *m->columns, "image columns", &m->columns));
  MOHO_TRY(moho_allocate(s->columns * m->axis.stride, sizeof *m->image, "the image", &m->image));
  MOHO_TRY(moho_allocate(s->columns * (m->axis.n + 1), sizeof *m->steps, "the fold", &m->steps));
  MOHO_TRY(moho_allocate(MOHO_SINC_ROWS, sizeof *m->sinc, "sinc table", &m->sinc));
  MOHO_TRY(moho_allocate(s->capacity * m->frame.layout.stride, sizeof *m->rows, "prepared traces", &m->rows));
  MOHO_TRY(moho_allocate(s->capacity, sizeof *m->traces, "prepared traces", &m->traces));
  MOHO_TRY(moho_allocate(s->capacity, 1, "prepared traces", &m->live));
  MOHO_TRY(moho_allocate(s->capacity, 1, "prepared traces", &m->used));
  return moho_allocate((size_t)m->threads, sizeof(moho_tile_worker *), "tile workers", &m->workers);
}

static void fill_frame(moho_migration *m, moho_device *device, const moho_migration_setup *s) {
  moho_prepared_layout layout = m->frame.layout;
  m->frame = (moho_tile_frame){
      .grid = &m->grid,
      .velocity = m->velocity,
      .options = &m->options,
      .axis = &m->axis,
      .shared_table = s->is_uniform ? &m->shared_table : NULL,
      .columns = m->columns,
      .layout = layout,
      .migrate = moho_native_pick(&moho_migrate_native, moho_device_simd(device)),
      .parameters = {.row_stride = (int32_t)layout.stride,
                     .x0 = (int32_t)layout.x0,
                     .c0 = (int32_t)layout.c0,
                     .image_stride = (int32_t)m->axis.stride,
                     .table_stride = s->is_uniform ? 0 : (int32_t)m->axis.table,
                     .n_samples = (int32_t)layout.n_samples,
                     .k_max = layout.k_max,
                     .interpolation = (int32_t)m->options.interpolation,
                     .antialias = (int32_t)m->options.antialias,
                     .weight_power = weight_power(&m->options, moho_grid_is_line(&m->grid)),
                     .taper_inv_fraction = m->options.aperture_taper > 0 ? (float)(1 / m->options.aperture_taper) : 0.0f,
                     .shortest_time = (float)m->options.refine},
      .sinc = &m->sinc[0][0],
      .band = moho_record_band(layout.n_samples),
      .image = m->image,
      .steps = m->steps};
}

static moho_status build(moho_migration *m, moho_device *device, const moho_grid *grid, moho_migration_setup *s, double dt_s) {
  MOHO_TRY(moho_grid_copy(grid, &m->grid));
  MOHO_TRY(moho_trace_preparer_create(&m->options, moho_grid_is_line(grid), m->input_samples, dt_s, s->k_max, &m->preparer));
  m->frame.layout = moho_trace_preparer_layout(m->preparer);
  MOHO_TRY(moho_time_axis_create(grid, m->frame.layout.dt_s, &m->axis));
  MOHO_TRY(make_tables(m, s->is_uniform));
  MOHO_TRY(allocate_buffers(m, s));
  moho_sinc_table_float(m->sinc);
  place_columns(m);
  fill_frame(m, device, s);
  for (int i = 0; i < m->threads; i++) MOHO_TRY(moho_tile_worker_create(&m->frame, &m->plan, &m->workers[i]));
  return MOHO_OK;
}

moho_status moho_migration_create(moho_device *device, const moho_grid *grid, const moho_velocity *velocity,
                                  const moho_migration_options *options, const moho_geometry *geometry, size_t n_samples,
                                  double dt_s, moho_migration **out) {
  *out = NULL;
  moho_migration_setup s;
  moho_status status = moho_migration_set_up(device, grid, velocity, options, geometry, n_samples, dt_s, &s);
  if (!status) {
    size_t allowed = options->memory_bytes ? options->memory_bytes : moho_machine_memory_free() / 5 * 4;
    if (s.bytes > allowed) status = refuse_too_large(&s, grid, allowed);
  }
  moho_migration *m = NULL;
  if (!status) status = moho_allocate(1, sizeof *m, "migration", &m);
  if (status) {
    moho_offset_classes_release(&s.classes);
    return status;
  }
  m->velocity = velocity, m->options = *options, m->classes = s.classes, m->plan = s.plan, m->threads = s.threads;
  m->input_samples = n_samples, m->capacity = s.capacity, m->counts.memory_bytes = s.bytes;
  status = build(m, device, grid, &s, dt_s);
  if (status) moho_migration_destroy(&m);
  *out = m;
  return status;
}

void moho_migration_destroy(moho_migration **migration) {
  moho_migration *m = *migration;
  if (!m) return;
  for (int i = 0; m->workers && i < m->threads; i++) moho_tile_worker_destroy(&m->workers[i]);
  moho_trace_preparer_destroy(&m->preparer);
  moho_column_table_release(&m->shared_table);
  moho_time_axis_release(&m->axis);
  moho_offset_classes_release(&m->classes);
  moho_grid_release(&m->grid);
  free(m->workers), free(m->columns), free(m->rows), free(m->image), free(m->sinc), free(m->steps), free(m->traces),
      free(m->live), free(m->used);
  free(m);
  *migration = NULL;
}

/* ---- add ---- */

static void place_traces(moho_migration *m, const moho_geometry *geometry) {
  double origin[2] = {m->grid.origin_x_m, m->grid.origin_y_m}, dt = m->frame.layout.dt_s;
  for (size_t i = 0; i < geometry->n; i++) {
    moho_batch_trace *trace = &m->traces[i];
    double source[2] = {geometry->source_x[i], geometry->source_y[i]},
           receiver[2] = {geometry->receiver_x[i], geometry->receiver_y[i]};
    for (int axis = 0; axis < 2; axis++) {
      trace->source[axis] = source[axis] - origin[axis];
      trace->receiver[axis] = receiver[axis] - origin[axis];
      trace->midpoint[axis] = (trace->source[axis] + trace->receiver[axis]) / 2;
    }
    double offset = moho_geometry_offset(geometry, i);
    trace->half_offset2 = offset * offset / 4;
    trace->shift = geometry->first_sample_s[i] / dt;
    trace->spacing = (float)(m->options.antialias_factor * m->classes.spacing_m[moho_offset_class_of(&m->classes, offset)]);
    trace->live = m->live[i];
  }
}

typedef struct reporter {
  moho_progress_function function;
  void *user;
  double begin, total;
} reporter;

static int is_stopped(const reporter *r, double done) {
  moho_progress progress = {
      .stage = "migrating", .unit = "contributions", .done = done, .total = r->total, .seconds = moho_seconds() - r->begin};
  return r->function && r->function(r->user, &progress);
}

/* All tiles over one batch. An error of a worker is brought to the caller's thread. Progress comes from thread 0 only. */
static moho_status run_tiles(moho_migration *m, const moho_batch *batch, const reporter *r) {
  moho_status status = MOHO_OK;
  moho_error error = {0};
  uint64_t contributions = 0;
  int stop = 0;
#pragma omp parallel num_threads(m->threads) reduction(+ : contributions)
  {
    moho_tile_worker *worker = m->workers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1)
    for (size_t index = 0; index < m->plan.n_tiles; index++) {
      int stopped;
#pragma omp atomic read
      stopped = stop;
      if (stopped) continue;
      moho_tile tile = moho_tile_plan_tile(&m->plan, &m->grid, index);
      moho_status tile_status = moho_tile_run(worker, &m->frame, &tile, batch, &contributions);
      if (tile_status) {
#pragma omp critical(moho_migration_error)
        if (!status) status = tile_status, error = moho_error_take();
      }
      if (tile_status || (omp_get_thread_num() == 0 && is_stopped(r, (double)(m->counts.contributions + contributions)))) {
#pragma omp atomic write
        stop = 1;
      }
    }
  }
  m->counts.contributions += contributions;
  if (status) return moho_error_set(&error);
  /* Thread 0 may have had no tile of a short batch: the caller hears of every batch. */
  if (!stop && is_stopped(r, (double)m->counts.contributions)) stop = 1;
  return stop ? moho_fail(MOHO_ERROR_INTERRUPTED, "the migration was interrupted") : MOHO_OK;
}

static moho_status add_batch(moho_migration *m, const moho_geometry *geometry, const float *traces, const reporter *r) {
  double begin = moho_seconds();
  MOHO_TRY(moho_migration_check_geometry(geometry, m->counts.traces_added, m->frame.layout.dt_s));
  MOHO_TRY(moho_trace_prepare(m->preparer, geometry, traces, m->threads, m->rows, m->live));
  place_traces(m, geometry);
  memset(m->used, 0, geometry->n);
  moho_batch batch = {.n = geometry->n, .traces = m->traces, .rows = m->rows, .used = m->used};
  double prepared = moho_seconds();
  MOHO_TRY(run_tiles(m, &batch, r));
  m->counts.prepare_seconds += prepared - begin;
  m->counts.kernel_seconds += moho_seconds() - prepared;
  m->counts.traces_added += geometry->n;
  for (size_t i = 0; i < geometry->n; i++) {
    if (!m->live[i]) m->counts.traces_dead++;
    else if (m->used[i]) m->counts.traces_used++;
    else m->counts.traces_outside++;
  }
  return MOHO_OK;
}

moho_status moho_migration_add(moho_migration *m, const moho_geometry *geometry, const float *traces,
                               moho_progress_function progress, void *user) {
  if (m->is_broken)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this migration failed or was interrupted before; it can only be destroyed");
  reporter r = {.function = progress, .user = user, .begin = moho_seconds()};
  for (size_t first = 0; first < geometry->n; first += m->capacity) {
    size_t n = geometry->n - first < m->capacity ? geometry->n - first : m->capacity;
    moho_geometry slice = moho_geometry_slice(geometry, first, n);
    moho_status status = add_batch(m, &slice, traces + first * m->input_samples, &r);
    m->is_broken = status != MOHO_OK;
    if (status) return status;
  }
  return MOHO_OK;
}

/* ---- finish ---- */

/* c(x, t0): the part of the weight that no trace changes. Loops weigh by t in samples, so dt^-p is made good here. */
static double column_weight(const moho_migration *m, double t0_s, double v_mps, int is_line) {
  moho_weight weight = moho_weight_resolve(m->options.weight, m->options.amplitude);
  double c = pow(m->frame.layout.dt_s, -0.5 * m->frame.parameters.weight_power);
  if (moho_weight_has_spreading(weight)) c /= is_line ? sqrt(v_mps) : v_mps;
  if (moho_weight_has_obliquity(weight)) c *= t0_s;
  return c;
}

static moho_status finish_column(const moho_migration *m, size_t c, double *v, moho_image *image) {
  size_t n = m->axis.n;
  double x, y;
  moho_grid_node(&m->grid, c / m->grid.n_crossline, c % m->grid.n_crossline, &x, &y);
  MOHO_TRY(moho_velocity_rms(m->velocity, x, y, m->axis.first_s, m->axis.step_s, n, v));
  const float *from = m->image + c * m->axis.stride;
  const int32_t *steps = m->steps + c * (n + 1);
  int is_line = moho_grid_is_line(&m->grid);
  int32_t fold = 0;
  for (size_t i = 0; i < n; i++) {
    fold += steps[i];
    double scale =
        m->frame.parameters.weight_power ? column_weight(m, m->axis.first_s + (double)i * m->axis.step_s, v[i], is_line) : 1;
    if (m->options.normalise == MOHO_NORMALISE_FOLD && fold > 1) scale /= fold;
    image->stack[c * n + i] = (float)(scale * (double)from[i]);
    if (image->fold) image->fold[c * n + i] = fold;
  }
  return MOHO_OK;
}

moho_status moho_migration_finish(moho_migration *m, moho_image *image) {
  if (m->is_broken)
    return moho_fail(MOHO_ERROR_ARGUMENT, "this migration failed or was interrupted before; its image is not complete");
  if (image->grid.n_inline != m->grid.n_inline || image->grid.n_crossline != m->grid.n_crossline ||
      image->grid.n_time != m->grid.n_time)
    return moho_fail(MOHO_ERROR_SHAPE, "the image is %zu x %zu x %zu, expected the migration's grid of %zu x %zu x %zu",
                     image->grid.n_inline, image->grid.n_crossline, image->grid.n_time, m->grid.n_inline, m->grid.n_crossline,
                     m->grid.n_time);
  double *v;
  MOHO_TRY(moho_allocate((size_t)m->threads * m->axis.n, sizeof *v, "velocity", &v));
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel for num_threads(m->threads) schedule(static)
  for (size_t c = 0; c < m->grid.n_inline * m->grid.n_crossline; c++) {
    moho_status column_status = finish_column(m, c, v + (size_t)omp_get_thread_num() * m->axis.n, image);
    if (column_status) {
#pragma omp critical(moho_migration_error)
      if (!status) status = column_status, error = moho_error_take();
    }
  }
  free(v);
  return status ? moho_error_set(&error) : MOHO_OK;
}

moho_migration_counts moho_migration_get_counts(const moho_migration *m) {
  return m->counts;
}

size_t moho_migration_batch_traces(const moho_migration *m) {
  return m->capacity;
}
