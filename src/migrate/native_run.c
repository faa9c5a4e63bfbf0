/* native_run.c - the migration on the cpu's own loops: every batch through the tiles of the image, a tile a worker. */
#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/device_internal.h"
#include "migrate/antialias.h"
#include "migrate/native_run.h"
#include "migrate/offset_mute.h"
#include "migrate/simd/migrate_native.h"

/* A batch of prepared traces takes at most this much; more does not make it faster. */
#define BATCH_BYTES ((size_t)64 << 20)
enum { SMALLEST_BATCH = 64, LARGEST_BATCH = 65536 };

/* ---- sizes ---- */

/* Floats between the rows of the image. A sample's rows of several bins are wanted at once: an odd number of lines apart they lie
 * in different sets of the cache. */
static size_t row_stride(size_t n, size_t bins) {
  enum { LINE = 16 };
  const size_t stride = moho_time_axis_stride(n);
  return bins > 1 && stride / LINE % 2 == 0 ? stride + LINE : stride;
}

static moho_status native_size(moho_migration_setup *s, const moho_migration_size_query *q) {
  size_t stride = row_stride(q->grid->n_time, s->bins);
  size_t row = moho_prepared_layout_make(q->options, q->n_samples, 1, s->k_max).stride * sizeof(float) +
               sizeof(moho_batch_trace) + sizeof(int32_t) + 2;
  s->plan = moho_tile_plan_make(q->window, q->options->tile_columns, s->threads);
  int has_angles = q->options->gathers && q->options->gathers->kind == MOHO_GATHERS_ANGLE;
  size_t fold = moho_fold_rows(s->bins, has_angles) * (q->grid->n_time + 1) * sizeof(int32_t);
  size_t image = s->columns * (s->bins * stride * sizeof(float) + fold + sizeof(moho_column));
  size_t workers = (size_t)s->threads * (moho_tile_worker_bytes(&s->law, &s->plan, has_angles ? s->bins : 0) +
                                         moho_trace_workspace_bytes(q->options, q->n_samples, s->k_max));
  s->capacity = BATCH_BYTES / row;
  if (s->capacity > LARGEST_BATCH) s->capacity = LARGEST_BATCH;
  if (s->capacity > q->geometry->n) s->capacity = q->geometry->n;
  /* Little memory: smaller batches, which cost some speed. */
  size_t room = s->allowed > image + workers ? (s->allowed - image - workers) / row : 0;
  if (s->capacity > room) s->capacity = room;
  if (s->capacity < SMALLEST_BATCH) s->capacity = SMALLEST_BATCH;
  s->bytes = image + workers + s->capacity * row;
  s->batch_trace_bytes = row;
  return MOHO_OK;
}

/* ---- create ---- */

void moho_native_place_columns(const moho_migration *m, moho_column *columns) {
  for (size_t c = 0; c < m->n_columns; c++) {
    size_t i = m->window.inline_first + c / m->window.n_crossline, j = m->window.crossline_first + c % m->window.n_crossline;
    double x, y;
    moho_grid_node(&m->grid, i, j, &x, &y);
    columns[c].position[0] = x - m->grid.origin_x_m;
    columns[c].position[1] = y - m->grid.origin_y_m;
    moho_antialias_axes(&m->grid, i, j, columns[c].along, columns[c].across);
  }
}

static moho_status make_shared_tables(const moho_migration *m, native_run *r) {
  double x, y;
  MOHO_TRY(moho_column_table_create(&m->law, m->options.stretch_mute >= 0, &r->shared_table));
  MOHO_TRY(moho_loop_tables_create(&m->law, 1, &r->shared_loops));
  moho_grid_node(&m->grid, 0, 0, &x, &y);
  MOHO_TRY(moho_column_table_fill(&r->shared_table, &m->law, &m->options, x, y));
  moho_loop_tables_fill(&r->shared_loops, &m->law, 0, &r->shared_table);
  if (!r->angles.n) return MOHO_OK;
  MOHO_TRY(moho_angle_column_create(&m->law, &r->shared_angles));
  return moho_angle_column_fill(&m->law, &r->shared_table.legs, x, y, &r->shared_angles);
}

static moho_status allocate_buffers(const moho_migration *m, native_run *r) {
  MOHO_TRY(moho_allocate(m->n_columns, sizeof *r->columns, "image columns", &r->columns));
  MOHO_TRY(moho_allocate(m->n_columns * m->n_bins * row_stride(m->axis.n, m->n_bins), sizeof *r->image, "the image", &r->image));
  MOHO_TRY(moho_allocate(m->n_columns * moho_fold_rows(m->n_bins, r->angles.n > 0) * (m->axis.n + 1), sizeof *r->steps,
                         "the fold", &r->steps));
  MOHO_TRY(moho_allocate(MOHO_SINC_ROWS, sizeof *r->sinc, "sinc table", &r->sinc));
  MOHO_TRY(moho_allocate(m->capacity * m->layout.stride, sizeof *r->rows, "prepared traces", &r->rows));
  MOHO_TRY(moho_allocate(m->capacity, sizeof *r->traces, "prepared traces", &r->traces));
  MOHO_TRY(moho_allocate(m->capacity, sizeof *r->bins, "prepared traces", &r->bins));
  MOHO_TRY(moho_allocate(m->n_bins + 2, sizeof *r->first_of_bin, "bins", &r->first_of_bin));
  MOHO_TRY(moho_allocate(m->capacity, 1, "prepared traces", &r->live));
  MOHO_TRY(moho_allocate(m->capacity, 1, "prepared traces", &r->used));
  return moho_allocate((size_t)m->threads, sizeof(moho_tile_worker *), "tile workers", &r->workers);
}

static void fill_frame(moho_migration *m, native_run *r) {
  const int is_uniform = m->law.is_uniform;
  const moho_filter_bank *bank = &m->layout.bank;
  r->angle_search = (moho_angle_search){
      .angles = &r->angles, .law = &m->law, .cut = moho_native_pick(&moho_angle_cut, moho_device_simd(m->device))};
  r->frame = (moho_tile_frame){
      .grid = &m->grid,
      .window = &m->window,
      .law = &m->law,
      .options = &m->options,
      .axis = &m->axis,
      .shared_table = is_uniform ? &r->shared_table : NULL,
      .shared_loops = is_uniform ? &r->shared_loops : NULL,
      .angles = r->angles.n ? &r->angle_search : NULL,
      .shared_angles = is_uniform ? &r->shared_angles : NULL,
      .columns = r->columns,
      .mask = m->options.mask ? &r->mask : NULL,
      .layout = m->layout,
      .migrate = moho_native_pick(&moho_migrate_native, moho_device_simd(m->device)),
      .parameters = {.row_stride = (int32_t)m->layout.stride,
                     .x0 = (int32_t)m->layout.x0,
                     .c0 = (int32_t)m->layout.c0,
                     .image_stride = (int32_t)row_stride(m->axis.n, m->n_bins),
                     .table_stride = is_uniform ? 0 : (int32_t)m->axis.table,
                     .n_samples = (int32_t)m->layout.n_samples,
                     .k_max = m->layout.k_max,
                     .node_stride = (int32_t)m->axis.table,
                     .nodes = m->law.leg_times ? (int32_t)m->law.leg_times->n_nodes : 0,
                     .bank_stride = (int32_t)m->layout.bank_stride,
                     .bank_last = bank->n ? (int32_t)bank->last : 0,
                     .bank_inverse_narrowest = bank->n ? (float)(1 / bank->narrowest) : 0.0f,
                     .bank_per_octave = (float)bank->per_octave,
                     .c2 = (float)m->law.c2,
                     .interpolation = (int32_t)m->options.interpolation,
                     .traveltime = m->law.kind == MOHO_TRAVELTIME_CURVED_LINEAR && m->law.largest_arc <= MOHO_NEAR_ARC
                                       ? MOHO_LOOP_LINEAR_NEAR
                                       : (int32_t)m->law.kind,
                     .antialias = (int32_t)m->options.antialias,
                     .t_part = m->t_part,
                     .taper_inv_fraction = m->options.aperture_taper > 0 ? (float)(1 / m->options.aperture_taper) : 0.0f,
                     .shortest_time = (float)m->options.refine},
      .sinc = &r->sinc[0][0],
      .n_bins = m->n_bins,
      .image = r->image,
      .steps = r->steps};
}

static moho_status native_create(moho_migration *m, const moho_migration_setup *s) {
  native_run *r;
  MOHO_TRY(moho_allocate(1, sizeof *r, "migration", &r));
  m->run = r;
  r->plan = s->plan;
  MOHO_TRY(moho_opening_angles_create(&m->bins, &r->angles));
  if (m->law.is_uniform) MOHO_TRY(make_shared_tables(m, r));
  MOHO_TRY(allocate_buffers(m, r));
  if (m->options.interpolation == MOHO_INTERPOLATION_SINC8) moho_sinc_table_float(r->sinc); /* half a millisecond */
  if (m->options.mask) MOHO_TRY(moho_sample_mask_create(m->options.mask, m->n_columns, m->axis.n, &r->mask));
  moho_native_place_columns(m, r->columns);
  fill_frame(m, r);
  for (int i = 0; i < m->threads; i++) MOHO_TRY(moho_tile_worker_create(&r->frame, &r->plan, &r->workers[i]));
  return MOHO_OK;
}

static void native_destroy(moho_migration *m) {
  native_run *r = m->run;
  for (int i = 0; r->workers && i < m->threads; i++) moho_tile_worker_destroy(&r->workers[i]);
  moho_column_table_release(&r->shared_table);
  moho_angle_column_release(&r->shared_angles);
  moho_opening_angles_release(&r->angles);
  moho_sample_mask_release(&r->mask);
  moho_loop_tables_release(&r->shared_loops);
  free(r->workers), free(r->columns), free(r->rows), free(r->image), free(r->sinc), free(r->steps), free(r->traces),
      free(r->bins), free(r->first_of_bin), free(r->live), free(r->used);
  free(r);
}

/* ---- add ---- */

/* Where each trace lies in the order of the batch: by bin, so that a bin's rows of the image stay in the cache while its traces
 * pass, ascending within it. Traces outside all bins come last. */
static void order_by_bin(const moho_migration *m, const moho_geometry *geometry, size_t *first_of_bin, int32_t *bins) {
  memset(first_of_bin, 0, (m->n_bins + 2) * sizeof *first_of_bin);
  for (size_t i = 0; i < geometry->n; i++) {
    long bin = moho_migration_bin_of(m, geometry, i);
    bins[i] = bin < 0 ? (int32_t)m->n_bins : (int32_t)bin;
    first_of_bin[bins[i] + 1]++;
  }
  for (size_t b = 0; b <= m->n_bins; b++) first_of_bin[b + 1] += first_of_bin[b];
}

void moho_native_place_traces(const moho_migration *m, native_run *r, const moho_geometry *geometry) {
  double origin[2] = {m->grid.origin_x_m, m->grid.origin_y_m}, dt = m->layout.dt_s;
  order_by_bin(m, geometry, r->first_of_bin, r->bins);
  for (size_t i = 0; i < geometry->n; i++) {
    moho_batch_trace *trace = &r->traces[r->first_of_bin[r->bins[i]]++];
    double source[2] = {geometry->source_x[i], geometry->source_y[i]},
           receiver[2] = {geometry->receiver_x[i], geometry->receiver_y[i]};
    for (int axis = 0; axis < 2; axis++) {
      trace->source[axis] = source[axis] - origin[axis];
      trace->receiver[axis] = receiver[axis] - origin[axis];
      trace->midpoint[axis] = (trace->source[axis] + trace->receiver[axis]) / 2;
    }
    double offset = moho_geometry_offset(geometry, i);
    double shift = geometry->first_sample_s[i] / dt;
    trace->window = moho_trace_window_of(&m->law, m->layout.n_samples, shift, offset * offset / 4);
    trace->shift = (float)shift;
    trace->spacing =
        (float)(m->options.antialias_factor * m->classes.spacing_m[moho_offset_class_of_trace(&m->classes, geometry, i)]);
    moho_mute_window mute = moho_mute_window_of(&m->options, offset);
    moho_mute_samples(&mute, m->axis.first_s, m->axis.step_s, (int32_t)m->axis.n, &trace->window.first, &trace->window.end);
    trace->row = (int32_t)i;
    trace->bin = r->bins[i];
    trace->live = r->live[i] && trace->bin < (int32_t)m->n_bins;
  }
}

/* All tiles over one batch. An error of a worker is brought to the caller's thread. Progress comes from thread 0 only. */
static moho_status run_tiles(moho_migration *m, native_run *r, const moho_batch *batch, const moho_reporter *reporter) {
  moho_status status = MOHO_OK;
  moho_error error = {0};
  uint64_t contributions = 0;
  int stop = 0;
#pragma omp parallel num_threads(m->threads) reduction(+ : contributions)
  {
    moho_tile_worker *worker = r->workers[omp_get_thread_num()];
#pragma omp for schedule(dynamic, 1)
    for (size_t index = 0; index < r->plan.n_tiles; index++) {
      int stopped;
#pragma omp atomic read
      stopped = stop;
      if (stopped) continue;
      moho_tile tile = moho_tile_plan_tile(&r->plan, &m->window, index);
      moho_status tile_status = moho_tile_run(worker, &r->frame, &tile, batch, &contributions);
      if (tile_status) {
#pragma omp critical(moho_migration_error)
        if (!status) status = tile_status, error = moho_error_take();
      }
      if (tile_status ||
          (omp_get_thread_num() == 0 && moho_reporter_stops(reporter, (double)(m->counts.contributions + contributions)))) {
#pragma omp atomic write
        stop = 1;
      }
    }
  }
  m->counts.contributions += contributions;
  if (status) return moho_error_set(&error);
  /* Thread 0 may have had no tile of a short batch: the caller hears of every batch. */
  if (!stop && moho_reporter_stops(reporter, (double)m->counts.contributions)) stop = 1;
  return stop ? moho_fail(MOHO_ERROR_INTERRUPTED, "the migration was interrupted") : MOHO_OK;
}

static moho_status native_add(moho_migration *m, const moho_geometry *geometry, const float *traces,
                              const moho_reporter *reporter) {
  native_run *r = m->run;
  double begin = moho_seconds();
  MOHO_TRY(moho_trace_prepare(m->preparer, geometry, traces, m->threads, r->rows, r->live));
  moho_native_place_traces(m, r, geometry);
  memset(r->used, 0, geometry->n);
  moho_batch batch = {.n = geometry->n, .traces = r->traces, .rows = r->rows, .used = r->used};
  double prepared = moho_seconds();
  MOHO_TRY(run_tiles(m, r, &batch, reporter));
  m->counts.prepare_seconds += prepared - begin;
  m->counts.kernel_seconds += moho_seconds() - prepared;
  for (size_t i = 0; i < geometry->n; i++) {
    int is_used = r->live[i] && r->bins[i] != (int32_t)m->n_bins && r->used[i];
    if (m->used) m->used[m->counts.traces_added - m->used_from + i] = (uint8_t)is_used;
    if (!r->live[i]) m->counts.traces_dead++;
    else if (r->bins[i] == (int32_t)m->n_bins) m->counts.traces_unbinned++;
    else if (is_used) m->counts.traces_used++;
    else m->counts.traces_outside++;
  }
  return MOHO_OK;
}

static moho_status native_wait(moho_migration *m, const moho_reporter *reporter) {
  (void)m, (void)reporter; /* add returned when the traces were migrated */
  return MOHO_OK;
}

/* ---- finish ---- */

static size_t read_column(const moho_migration *m, const void *from, size_t k, size_t bin, const float **sums, int32_t *fold) {
  const native_run *r = from;
  size_t row = k * m->n_bins + bin;
  const int has_angles = r->angles.n > 0;
  const int32_t *steps = r->steps + (k * moho_fold_rows(m->n_bins, has_angles) + bin) * (m->axis.n + 1),
                *next = steps + m->axis.n + 1;
  int32_t sum = 0;
  *sums = r->image + row * row_stride(m->axis.n, m->n_bins);
  for (size_t i = 0; i < m->axis.n; i++) fold[i] = sum += has_angles ? next[i] - steps[i] : steps[i];
  return k;
}

static moho_status native_finish(moho_migration *m, moho_image *image) {
  uint64_t contributions = 0; /* counted by add */
  return moho_migration_finish_columns(m, &(moho_unfinished){.n = m->n_columns, .from = m->run, .read = read_column}, image,
                                       &contributions);
}

static void native_count(const moho_migration *m, moho_migration_counts *counts) {
  (void)m, (void)counts; /* add keeps them */
}

const moho_migration_method moho_native_method = {.size = native_size,
                                                  .create = native_create,
                                                  .add = native_add,
                                                  .wait = native_wait,
                                                  .finish = native_finish,
                                                  .count = native_count,
                                                  .destroy = native_destroy};
