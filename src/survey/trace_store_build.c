/* trace_store_build.c - one pass over the samples, and one or a few over the geometry that the open traces hold.
 *
 * A counting sort: how many traces each cell has is known before the first sample is read, so every trace has its place. A batch
 * of traces as they lie in the file falls into few cells, and its traces of one cell lie side by side in the store: they go there
 * with one write. Cells are made so large that such a write is long wherever traces come in any order at all.
 */
#include "survey/trace_store_build.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

#include "base/file_writer.h"
#include "base/memory.h"
#include "base/timer.h"

enum {
  CELL_BYTES = 4 << 20,   /* of samples, wanted */
  RUN_BYTES = 64 << 10,   /* a batch spread over all cells still writes so much to each */
  PIECE_BYTES = 1 << 20,  /* written at once by a thread */
  READER_BYTES = 2 << 20, /* what a thread holds while traces are read */
  ZARR_READER_BYTES = 32 << 20
};

typedef struct build {
  const moho_trace_source *source;
  const moho_trace_store_options *options;
  const moho_geometry *geometry; /* of the open traces */
  size_t n_samples, batch;
  moho_trace_cells cells;
  uint64_t *next;  /* [cells] the row that the cell's next trace goes to */
  size_t *begin;   /* [cells + 1] where a cell's traces of the batch lie in `order` */
  uint32_t *order; /* [batch] traces of the batch by cell, then number */
  char *buffer;    /* a batch of samples, later a block of geometry */
  size_t buffer_bytes;
  moho_file_writer *samples, *columns;
  double began;
} build;

/* ---- memory ---- */

static size_t bytes_of_trace(const moho_trace_source *source) {
  return moho_traces_get_info(source->traces)->n_samples * sizeof(float);
}

/* A batch of no more than the survey; cells fewer in number than a batch has runs. */
moho_status moho_store_budget_make(const moho_trace_source *source, const moho_trace_store_options *options,
                                   moho_store_budget *out) {
  const moho_geometry *g = moho_traces_get_geometry(source->traces);
  size_t trace = bytes_of_trace(source), allowed = options->memory_bytes;
  int is_zarr = moho_traces_get_info(source->traces)->kind == MOHO_TRACE_FILE_ZARR;
  size_t reader = is_zarr ? ZARR_READER_BYTES : READER_BYTES;
  size_t threads = (size_t)omp_get_max_threads() * (PIECE_BYTES + reader + 2 * trace);
  double survey = (double)g->n * (double)trace;
  out->cells_most = allowed / 2 / RUN_BYTES;
  if (out->cells_most > g->n) out->cells_most = g->n;
  if (out->cells_most < 1) out->cells_most = 1;
  out->cells_wanted = survey / CELL_BYTES < (double)out->cells_most ? (size_t)(survey / CELL_BYTES) + 1 : out->cells_most;
  size_t fixed = threads + moho_trace_cells_memory(g->n, out->cells_most) + (out->cells_most + 1) * 2 * sizeof(uint64_t);
  size_t per_trace = trace + sizeof(uint32_t), least = moho_smaller(g->n, moho_pieces(PIECE_BYTES, trace));
  if (allowed < fixed + least * per_trace) {
    char there[32], needed[32];
    return moho_fail_at((moho_place){.key = "execution.memory_gb"}, "allow more memory", MOHO_ERROR_TOO_LARGE,
                        "sorting %zu traces of %zu bytes into a store takes %s, %s are allowed", g->n, trace,
                        moho_bytes_text((double)fixed + (double)least * (double)per_trace, needed),
                        moho_bytes_text((double)allowed, there));
  }
  out->batch_traces = moho_smaller(g->n, (allowed - fixed) / per_trace);
  if (out->batch_traces > UINT32_MAX) out->batch_traces = UINT32_MAX;
  out->bytes = fixed + out->batch_traces * per_trace;
  return MOHO_OK;
}

/* ---- samples ---- */

static moho_status tell(const build *b, size_t done) {
  if (!b->options->progress) return MOHO_OK;
  moho_progress progress = {.stage = "building the trace store",
                            .unit = "traces",
                            .done = (double)done,
                            .total = (double)b->geometry->n,
                            .seconds = moho_seconds() - b->began};
  if (b->options->progress(b->options->progress_user, &progress) == 0) return MOHO_OK;
  return moho_fail(MOHO_ERROR_INTERRUPTED, "building the trace store was interrupted");
}

/* Traces of the batch by cell; those of a cell keep their order. */
static void sort_batch(build *b, size_t first, size_t n) {
  const uint32_t *of_trace = b->cells.of_trace + first;
  memset(b->begin, 0, (b->cells.n + 1) * sizeof *b->begin);
  for (size_t i = 0; i < n; i++)
    if (of_trace[i] != MOHO_NO_CELL) b->begin[of_trace[i] + 1]++;
  for (size_t c = 0; c < b->cells.n; c++) b->begin[c + 1] += b->begin[c];
  for (size_t i = 0; i < n; i++)
    if (of_trace[i] != MOHO_NO_CELL) b->order[b->begin[of_trace[i]]++] = (uint32_t)i;
  memmove(b->begin + 1, b->begin, b->cells.n * sizeof *b->begin); /* each was moved to the next one's begin */
  b->begin[0] = 0;
}

static moho_status write_checks(const build *b, const uint32_t *checks, uint64_t row, size_t n) {
  uint64_t at = moho_store_column_at(MOHO_STORE_CHECKS, b->cells.n_stored, b->cells.n) + row * sizeof *checks;
  return moho_file_writer_write_at(b->columns, at, checks, n * sizeof *checks);
}

/* The batch's traces of one cell to their rows; piece and checks have room for piece_traces. */
static moho_status write_cell(const build *b, size_t first, size_t cell, size_t piece_traces, float *piece, uint32_t *checks) {
  const float *samples = (const float *)(const void *)b->buffer;
  size_t ns = b->n_samples, end = b->begin[cell + 1];
  uint64_t row = b->next[cell];
  for (size_t k = b->begin[cell]; k < end; k += piece_traces, row += piece_traces) {
    size_t n = moho_smaller(end - k, piece_traces);
    for (size_t i = 0; i < n; i++) {
      size_t trace = b->order[k + i];
      memcpy(piece + i * ns, samples + trace * ns, ns * sizeof *piece);
      checks[i] = moho_store_check(piece + i * ns, ns, first + trace);
    }
    MOHO_TRY(moho_file_writer_write_at(b->samples, row * ns * sizeof *piece, piece, n * ns * sizeof *piece));
    MOHO_TRY(write_checks(b, checks, row, n));
  }
  b->next[cell] += end - b->begin[cell];
  return MOHO_OK;
}

static moho_status write_batch(build *b, size_t first) {
  size_t trace = b->n_samples * sizeof(float), piece_traces = moho_pieces(PIECE_BYTES, trace);
  int failed = 0;
  moho_error error = {0};
#pragma omp parallel
  {
    float *piece = NULL;
    uint32_t *checks = NULL;
    moho_status status = moho_allocate(piece_traces, trace, "a run of traces", &piece);
    if (!status) status = moho_allocate(piece_traces, sizeof *checks, "a run of traces", &checks);
#pragma omp for schedule(dynamic, 1)
    for (size_t c = 0; c < b->cells.n; c++)
      if (!status && b->begin[c + 1] > b->begin[c]) status = write_cell(b, first, c, piece_traces, piece, checks);
    if (status) {
#pragma omp critical(moho_store_build_error)
      error = moho_error_take(), failed = 1;
    }
    free(piece);
    free(checks);
  }
  return failed ? moho_error_set(&error) : MOHO_OK;
}

static moho_status read_batch(const build *b, size_t first, size_t n) {
  float *samples = (float *)(void *)b->buffer;
  if (b->source->read) return b->source->read(b->source->user, first, n, samples);
  return moho_traces_read(b->source->traces, first, n, samples);
}

static moho_status lay_samples(build *b) {
  MOHO_TRY(tell(b, 0));
  for (size_t first = 0; first < b->geometry->n; first += b->batch) {
    size_t n = moho_smaller(b->geometry->n - first, b->batch);
    MOHO_TRY(read_batch(b, first, n));
    sort_batch(b, first, n);
    MOHO_TRY(write_batch(b, first));
    MOHO_TRY(tell(b, first + n));
  }
  return MOHO_OK;
}

/* ---- geometry ---- */

/* Rows [begin, begin + n) of all columns but the checks, picked from all traces. */
static moho_status lay_rows(build *b, uint64_t begin, size_t n) {
  char *at[MOHO_STORE_CELLS];
  const char *from[MOHO_STORE_CELLS];
  size_t used = 0, sizes[MOHO_STORE_CELLS];
  for (int c = 0; c < MOHO_STORE_CELLS; c++) {
    at[c] = b->buffer + used;
    from[c] = moho_store_geometry_array(b->geometry, (moho_store_column)c);
    sizes[c] = moho_store_column_size((moho_store_column)c);
    used += n * sizes[c];
  }
  for (size_t c = 0; c < b->cells.n; c++) b->next[c] = b->cells.list[c].first;
  for (size_t i = 0; i < b->geometry->n; i++) {
    if (b->cells.of_trace[i] == MOHO_NO_CELL) continue;
    uint64_t row = b->next[b->cells.of_trace[i]]++, number = i;
    if (row < begin || row - begin >= n) continue;
    memcpy(at[MOHO_STORE_NUMBERS] + (row - begin) * sizeof number, &number, sizeof number);
    for (int c = 0; c < MOHO_STORE_CELLS; c++)
      if (from[c]) memcpy(at[c] + (row - begin) * sizes[c], from[c] + i * sizes[c], sizes[c]);
  }
  for (int c = 0; c < MOHO_STORE_CELLS; c++) {
    if (c == MOHO_STORE_CHECKS) continue;
    uint64_t to = moho_store_column_at((moho_store_column)c, b->cells.n_stored, b->cells.n) + begin * sizes[c];
    MOHO_TRY(moho_file_writer_write_at(b->columns, to, at[c], n * sizes[c]));
  }
  return MOHO_OK;
}

/* As many passes over the traces as blocks of rows; flags are known now that all samples were read. */
static moho_status lay_geometry(build *b) {
  size_t rows = b->buffer_bytes / moho_store_trace_bytes(), n = b->cells.n_stored;
  for (uint64_t begin = 0; begin < n; begin += rows) MOHO_TRY(lay_rows(b, begin, moho_smaller(n - begin, rows)));
  uint64_t at = moho_store_column_at(MOHO_STORE_CELLS, n, b->cells.n),
           end = moho_store_column_at(MOHO_STORE_COLUMNS, n, b->cells.n);
  size_t bytes = b->cells.n * sizeof *b->cells.list;
  static const char zeros[64];
  MOHO_TRY(moho_file_writer_write_at(b->columns, at, b->cells.list, bytes));
  return moho_file_writer_write_at(b->columns, at + bytes, zeros, (size_t)(end - at - bytes));
}

/* ---- all of it ---- */

static moho_status open_writer(const char *directory, const char *name, moho_file_writer **out) {
  char *path;
  MOHO_TRY(moho_store_path(directory, name, &path));
  moho_status status = moho_file_writer_open(path, out);
  free(path);
  return status;
}

static moho_status prepare(build *b, const moho_store_budget *budget, const char *directory) {
  size_t trace = b->n_samples * sizeof(float);
  MOHO_TRY(moho_trace_cells_create(b->geometry, b->options->cell_m, budget->cells_wanted, budget->cells_most, &b->cells));
  MOHO_TRY(moho_allocate(b->cells.n, sizeof *b->next, "cells of midpoints", &b->next));
  MOHO_TRY(moho_allocate(b->cells.n + 1, sizeof *b->begin, "cells of midpoints", &b->begin));
  MOHO_TRY(moho_allocate(b->batch, sizeof *b->order, "a batch of traces", &b->order));
  b->buffer_bytes = b->batch * trace;
  if (b->buffer_bytes < moho_store_trace_bytes()) b->buffer_bytes = moho_store_trace_bytes();
  MOHO_TRY(moho_allocate(b->buffer_bytes, 1, "a batch of traces", &b->buffer));
  for (size_t c = 0; c < b->cells.n; c++) b->next[c] = b->cells.list[c].first;
  MOHO_TRY(open_writer(directory, "samples.bin", &b->samples));
  return open_writer(directory, "geometry.bin", &b->columns);
}

/* The file is what it was when its headers were read, else the store is of two files. */
static moho_status check_unchanged(const build *b, const moho_store_meta *meta) {
  moho_file_state now = moho_file_state_of(meta->source);
  if (moho_file_state_equal(now, meta->state)) return MOHO_OK;
  return moho_fail_at((moho_place){.file = meta->source}, "wait until it is whole, then run again", MOHO_ERROR_FORMAT,
                      "%s changed while its %zu traces were read", meta->source, b->geometry->n);
}

static moho_status finish(build *b, const char *directory, moho_store_meta *meta) {
  MOHO_TRY(lay_geometry(b));
  MOHO_TRY(check_unchanged(b, meta));
  MOHO_TRY(moho_file_writer_commit(&b->samples));
  MOHO_TRY(moho_file_writer_commit(&b->columns));
  meta->n_traces = b->cells.n_stored, meta->n_samples = b->n_samples, meta->n_cells = b->cells.n;
  meta->dt_s = moho_traces_get_info(b->source->traces)->dt_s;
  meta->origin_x = b->cells.origin_x, meta->origin_y = b->cells.origin_y, meta->cell_m = b->cells.cell_m;
  MOHO_TRY(moho_store_geometry_checksum(directory, &meta->geometry_checksum));
  return moho_store_meta_write(directory, meta);
}

moho_status moho_store_build(const moho_trace_source *source, const moho_trace_store_options *options,
                             const moho_store_budget *budget, const char *directory, moho_store_meta *meta) {
  build b = {.source = source,
             .options = options,
             .geometry = moho_traces_get_geometry(source->traces),
             .n_samples = moho_traces_get_info(source->traces)->n_samples,
             .batch = budget->batch_traces,
             .began = moho_seconds()};
  moho_status status = prepare(&b, budget, directory);
  if (!status) status = lay_samples(&b);
  if (!status) status = finish(&b, directory, meta);
  if (b.samples) moho_file_writer_discard(&b.samples);
  if (b.columns) moho_file_writer_discard(&b.columns);
  moho_trace_cells_release(&b.cells);
  free(b.next), free(b.begin), free(b.order), free(b.buffer);
  return status;
}
