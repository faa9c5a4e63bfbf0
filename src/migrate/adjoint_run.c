/* adjoint_run.c - batches of traces from an image on the cpu's own loops. */
#include "migrate/adjoint_run.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "device/device_internal.h"
#include "migrate/scatter_copies.h"
#include "migrate/simd/migrate_native.h"

/* Traces a slice: their copies stay in the second-level cache. */
enum { SLICE = 16, SMALLEST_BATCH = 64 };
/* Tables of a slab, and sums of a batch, take at most this much. */
#define SLAB_BYTES ((size_t)128 << 20)
#define BATCH_BYTES ((size_t)64 << 20)

/* ---- create ---- */

/* Floats of a row's copies: those of the trace, then those of the trace integrated twice. */
static void lay_out_rows(const moho_prepared_layout *layout, moho_migrate_parameters *parameters) {
  size_t margin = moho_prepared_margin(layout->k_max), trace = layout->stride;
  if (layout->c0) trace = moho_round_up(layout->x0 + layout->n_samples + MOHO_ROW_PAD, 16);
  size_t doubles = layout->c0 ? moho_round_up(layout->n_samples + 2 * margin, 8) : 0;
  parameters->lane_stride = (int32_t)trace;
  parameters->sums0 = (int32_t)(MOHO_ROW_COPIES * trace + 2 * margin);
  parameters->sums_stride = (int32_t)doubles;
  parameters->row_stride = (int32_t)(MOHO_ROW_COPIES * trace + MOHO_SUM_COPIES * 2 * doubles);
}

static size_t choose_slab(const moho_demigration *d) {
  size_t bytes = moho_tile_columns_bytes(&d->m->law, &d->plan, 0), most = SLAB_BYTES / bytes;
  return most < 1 ? 1 : most > MOHO_SLAB_TILES ? MOHO_SLAB_TILES : most;
}

/* Besides sums and what follows the number of traces. */
static size_t fixed_bytes(const moho_demigration *d) {
  const moho_migration *m = d->m;
  size_t threads = (size_t)m->threads;
  return m->n_columns * m->axis.stride * sizeof(float) +
         threads * SLICE * (size_t)d->frame.parameters.row_stride * sizeof *d->copies +
         (d->slab + threads) * moho_tile_columns_bytes(&m->law, &d->plan, 0);
}

static moho_status create(moho_demigration *d, const moho_geometry *geometry) {
  moho_migration *m = d->m;
  (void)geometry;
  native_run *r = m->run;
  size_t threads = (size_t)m->threads;
  /* The adjoint counts no fold and has rows of its own. */
  free(r->steps), free(r->rows);
  r->steps = NULL, r->rows = NULL;
  d->whole = d->pieces.read ? moho_grid_whole(&m->grid) : m->window;
  d->plan = moho_tile_plan_make(&d->whole, MOHO_ADJOINT_TILE_SIDE, 1);
  d->frame = r->frame;
  d->frame.steps = NULL;
  d->frame.migrate = moho_native_pick(&moho_demigrate_native, moho_device_simd(m->device));
  lay_out_rows(&m->layout, &d->frame.parameters);
  d->slabs = moho_adjoint_slabs_make(&d->plan, choose_slab(d));
  d->slab = d->slabs.down * d->slabs.across;
  d->capacity = BATCH_BYTES / (m->layout.stride * sizeof(double));
  d->capacity = d->capacity < SMALLEST_BATCH ? SMALLEST_BATCH : moho_smaller(d->capacity, m->capacity);
  if (d->pieces.read) MOHO_TRY(moho_adjoint_pieces_size(d, fixed_bytes(d)));
  MOHO_TRY(moho_allocate(d->slab, sizeof(moho_tile_columns *), "tile columns", &d->columns));
  for (size_t k = 0; k < d->slab; k++) MOHO_TRY(moho_tile_columns_create(&d->frame, &d->plan, &d->columns[k]));
  for (int i = 0; i < m->threads; i++) {
    moho_tile_worker_destroy(&r->workers[i]); /* made for the migration's tiles */
    MOHO_TRY(moho_tile_worker_create(&d->frame, &d->plan, &r->workers[i]));
  }
  MOHO_TRY(
      moho_allocate(threads * SLICE * (size_t)d->frame.parameters.row_stride, sizeof *d->copies, "sums of traces", &d->copies));
  d->counts.memory_bytes = fixed_bytes(d) + d->capacity * m->layout.stride * sizeof *d->sums;
  return MOHO_OK;
}

static void destroy(moho_demigration *d) {
  for (size_t k = 0; d->columns && k < d->slab; k++) moho_tile_columns_destroy(&d->columns[k]);
  free(d->columns), free(d->copies);
}

/* ---- the image ---- */

moho_status moho_adjoint_weigh(moho_demigration *d, const float *image, const int32_t *fold) {
  const moho_migration *m = d->m;
  native_run *r = m->run;
  moho_status status = MOHO_OK;
  moho_error error = {0};
#pragma omp parallel for num_threads(m->threads) schedule(static)
  for (size_t column = 0; column < m->n_columns; column++) {
    double *weight = d->weights + (size_t)omp_get_thread_num() * m->axis.n;
    moho_status own = moho_demigration_column(m, column, image, fold, weight, r->image + column * m->axis.stride);
    if (own) {
#pragma omp critical(moho_migration_error)
      if (!status) status = own, error = moho_error_take();
    }
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* ---- slabs ---- */

/* Columns of its tiles. An error of a worker is brought to the caller's thread. */
static moho_status enter_slab(moho_demigration *d, const moho_adjoint_slab *slab, const moho_window *window) {
  moho_status status = MOHO_OK;
  moho_error error = {0};
  if (d->pieces.read) MOHO_TRY(moho_adjoint_pieces_enter(d, window));
  size_t i0 = d->m->window.inline_first - d->whole.inline_first, j0 = d->m->window.crossline_first - d->whole.crossline_first;
#pragma omp parallel for num_threads(d->m->threads) schedule(dynamic, 1)
  for (size_t k = 0; k < slab->n_inline * slab->n_crossline; k++) {
    moho_tile tile = moho_adjoint_slab_tile(slab, &d->plan, &d->whole, k);
    tile.first_inline -= i0, tile.first_crossline -= j0; /* the frame's columns are those of m's window */
    moho_status tile_status = moho_tile_columns_enter(d->columns[k], &d->frame, &tile);
    if (tile_status) {
#pragma omp critical(moho_migration_error)
      if (!status) status = tile_status, error = moho_error_take();
    }
  }
  return status ? moho_error_set(&error) : MOHO_OK;
}

/* The copies of one row onto its sums, in their order; they are zero again then. */
static void collect(const moho_demigration *d, float *copies, double *sums) {
  const moho_prepared_layout *l = &d->m->layout;
  const moho_migrate_parameters *p = &d->frame.parameters;
  size_t margin = moho_prepared_margin(l->k_max);
  for (size_t copy = 0; copy < MOHO_ROW_COPIES; copy++) {
    const float *from = copies + copy * (size_t)p->lane_stride;
    for (size_t j = 0; j < (size_t)p->lane_stride; j++) sums[j] += (double)from[j];
  }
  const double *integrated = (const double *)(const void *)(copies + p->sums0) - margin;
  for (size_t copy = 0; l->c0 && copy < MOHO_SUM_COPIES; copy++) {
    const double *from = integrated + copy * (size_t)p->sums_stride;
    for (size_t j = 0; j < l->n_samples + 2 * margin; j++) sums[l->c0 - margin + j] += from[j];
  }
  memset(copies, 0, (size_t)p->row_stride * sizeof *copies);
}

/* The slab's tiles into traces [first, first + n) of the batch. @return contributions */
static uint64_t run_slice(moho_demigration *d, size_t tiles, size_t first, size_t n) {
  native_run *r = d->m->run;
  size_t thread = (size_t)omp_get_thread_num(), stride = (size_t)d->frame.parameters.row_stride;
  float *copies = d->copies + thread * SLICE * stride;
  moho_batch_trace traces[SLICE];
  uint8_t used[SLICE] = {0};
  uint64_t contributions = 0;
  for (size_t i = 0; i < n; i++) {
    traces[i] = r->traces[first + i];
    traces[i].row = (int32_t)i;
  }
  moho_batch batch = {.n = n, .traces = traces, .rows = copies, .used = used};
  for (size_t k = 0; k < tiles; k++) moho_tile_pass(r->workers[thread], d->columns[k], &d->frame, &batch, &contributions);
  for (size_t i = 0; i < n; i++) {
    if (!used[i]) continue;
    collect(d, copies + i * stride, d->sums + (first + i) * d->m->layout.stride);
    r->used[first + i] = 1;
  }
  return contributions;
}

/* Progress comes from thread 0 only. @return 1 when the caller wants to stop. */
static int run_slab(moho_demigration *d, size_t tiles, size_t traces, const moho_reporter *reporter) {
  uint64_t contributions = 0;
  int stop = 0;
#pragma omp parallel for num_threads(d->m->threads) schedule(dynamic, 1) reduction(+ : contributions)
  for (size_t slice = 0; slice < moho_pieces(traces, SLICE); slice++) {
    int stopped;
#pragma omp atomic read
    stopped = stop;
    if (stopped) continue;
    contributions += run_slice(d, tiles, slice * SLICE, moho_smaller(SLICE, traces - slice * SLICE));
    if (omp_get_thread_num() == 0 && moho_reporter_stops(reporter, (double)(d->counts.contributions + contributions))) {
#pragma omp atomic write
      stop = 1;
    }
  }
  d->counts.contributions += contributions;
  return stop || moho_reporter_stops(reporter, (double)d->counts.contributions);
}

static moho_status run_slabs(moho_demigration *d, size_t traces, const moho_reporter *reporter) {
  for (size_t k = 0; k < d->slabs.n; k++) {
    moho_adjoint_slab slab = moho_adjoint_slabs_slab(&d->slabs, &d->plan, k);
    moho_window window = moho_adjoint_slab_window(&slab, &d->plan, &d->whole);
    if (d->pieces.read && !moho_adjoint_pieces_reach(d, &window)) continue;
    MOHO_TRY(enter_slab(d, &slab, &window));
    if (run_slab(d, slab.n_inline * slab.n_crossline, traces, reporter))
      return moho_fail(MOHO_ERROR_INTERRUPTED, "the demigration was interrupted");
  }
  return MOHO_OK;
}

static moho_status run(moho_demigration *d, const moho_geometry *geometry, const float *like, float *traces,
                       const moho_reporter *reporter) {
  moho_migration *m = d->m;
  native_run *r = m->run;
  double begin = moho_seconds();
  MOHO_TRY(moho_trace_unprepare_live(d->unpreparer, geometry, like, m->threads, r->live));
  moho_native_place_traces(m, r, geometry);
  if (d->pieces.read) moho_adjoint_pieces_place(d, geometry->n);
  memset(r->used, 0, geometry->n);
  memset(d->sums, 0, geometry->n * m->layout.stride * sizeof *d->sums);
  double prepared = moho_seconds();
  MOHO_TRY(run_slabs(d, geometry->n, reporter));
  double summed = moho_seconds();
  MOHO_TRY(moho_trace_unprepare(d->unpreparer, geometry, like, m->threads, d->sums, traces));
  d->counts.kernel_seconds += summed - prepared;
  d->counts.prepare_seconds += prepared - begin + moho_seconds() - summed;
  d->counts.traces += geometry->n;
  for (size_t i = 0; i < geometry->n; i++) d->counts.traces_live += r->live[i], d->counts.traces_reached += r->used[i];
  return MOHO_OK;
}

const moho_adjoint_method moho_native_adjoint_method = {
    .create = create, .set_image = moho_adjoint_weigh, .run = run, .destroy = destroy};
