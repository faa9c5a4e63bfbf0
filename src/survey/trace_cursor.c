/* trace_cursor.c - the cells of a region merged by trace number: a heap of cells, each at its next trace.
 *
 * A batch is picked first (numbers and positions are mapped), then read in the order of the disk: its traces of one cell mostly
 * lie side by side. A thread does so while the caller works on the batch before.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/timer.h"
#include "survey/raw_read.h"
#include "survey/trace_region.h"
#include "survey/trace_store_inside.h"

enum { PIECE_BYTES = 1 << 20 };

/* A cell that is not read to its end. */
typedef struct open_cell {
  uint64_t number; /* of the trace at `row` */
  uint64_t row, end;
} open_cell;

typedef struct pick {
  uint64_t row;
  uint32_t slot; /* in the batch */
} pick;

typedef struct batch {
  size_t n;
  moho_geometry geometry;
  uint64_t *numbers;
  float *samples;
} batch;

struct moho_trace_cursor {
  const moho_trace_store *store;
  moho_region region;
  size_t n_cells, batch_traces;
  open_cell *heap;
  pick *picks;
  float *piece;
  size_t piece_traces;
  batch batches[2];
  int turn; /* the batch that is being read */
  pthread_t thread;
  int running, at_end;
  moho_status status;
  moho_error error;
  double seconds;
};

/* ---- which traces ---- */

static int is_wanted(const moho_trace_store *store, const moho_region *region, uint64_t row) {
  const moho_geometry *g = &store->map.geometry;
  return moho_geometry_is_live(g, row) && moho_region_has(region, moho_midpoint_x(g, row), moho_midpoint_y(g, row), 0);
}

/* To the next trace of the cell that is wanted, from the present row on; 0: there is none. */
static int cell_advance(const moho_trace_store *store, const moho_region *region, open_cell *cell) {
  while (cell->row < cell->end && !is_wanted(store, region, cell->row)) cell->row++;
  if (cell->row == cell->end) return 0;
  cell->number = store->map.numbers[cell->row];
  return 1;
}

/* The cell's circle touches the region: a few cells at corners too many, none too few. */
static int cell_may_hold(const moho_trace_store *store, const moho_region *region, size_t c) {
  const moho_store_meta *m = &store->meta;
  const moho_trace_cell *cell = &store->map.cells[c];
  double x = m->origin_x + ((double)cell->ix + 0.5) * m->cell_m, y = m->origin_y + ((double)cell->iy + 0.5) * m->cell_m;
  return moho_region_has(region, x, y, 0.7072 * m->cell_m);
}

static open_cell open_at(const moho_trace_store *store, size_t c) {
  const moho_trace_cell *cell = &store->map.cells[c];
  return (open_cell){.row = cell->first, .end = cell->first + cell->n};
}

moho_status moho_trace_store_count(const moho_trace_store *store, const moho_trace_region *asked, size_t *out) {
  moho_region region;
  size_t n = 0;
  MOHO_TRY(moho_region_create(asked, &region));
#pragma omp parallel for schedule(dynamic, 16) reduction(+ : n)
  for (size_t c = 0; c < store->meta.n_cells; c++) {
    open_cell cell = open_at(store, c);
    if (!cell_may_hold(store, &region, c)) continue;
    for (; cell.row < cell.end; cell.row++) n += (size_t)is_wanted(store, &region, cell.row);
  }
  *out = n;
  moho_store_map_rest(&store->map);
  moho_region_release(&region);
  return MOHO_OK;
}

/* ---- the heap: the least number on top ---- */

static void sift_down(open_cell *heap, size_t n, size_t at) {
  open_cell moved = heap[at];
  for (size_t child; (child = 2 * at + 1) < n; at = child) {
    if (child + 1 < n && heap[child + 1].number < heap[child].number) child++;
    if (moved.number <= heap[child].number) break;
    heap[at] = heap[child];
  }
  heap[at] = moved;
}

static moho_status open_cells(moho_trace_cursor *cursor) {
  const moho_trace_store *store = cursor->store;
  size_t n = 0;
  for (size_t c = 0; c < store->meta.n_cells; c++) n += (size_t)cell_may_hold(store, &cursor->region, c);
  MOHO_TRY(moho_allocate(n, sizeof *cursor->heap, "cells of a window", &cursor->heap));
  for (size_t c = 0; c < store->meta.n_cells; c++) {
    if (!cell_may_hold(store, &cursor->region, c)) continue;
    open_cell cell = open_at(store, c);
    if (cell_advance(store, &cursor->region, &cell)) cursor->heap[cursor->n_cells++] = cell;
  }
  for (size_t at = cursor->n_cells / 2; at-- > 0;) sift_down(cursor->heap, cursor->n_cells, at);
  return MOHO_OK;
}

static uint64_t take_least(moho_trace_cursor *cursor) {
  open_cell *top = &cursor->heap[0];
  uint64_t row = top->row++;
  if (!cell_advance(cursor->store, &cursor->region, top)) *top = cursor->heap[--cursor->n_cells];
  if (cursor->n_cells) sift_down(cursor->heap, cursor->n_cells, 0);
  return row;
}

/* ---- reading ---- */

static void copy_geometry(const moho_trace_store *store, uint64_t row, batch *into, size_t slot) {
  const moho_geometry *from = &store->map.geometry, *to = &into->geometry;
  to->source_x[slot] = from->source_x[row], to->source_y[slot] = from->source_y[row];
  to->receiver_x[slot] = from->receiver_x[row], to->receiver_y[slot] = from->receiver_y[row];
  to->first_sample_s[slot] = from->first_sample_s[row];
  to->mute_start_s[slot] = from->mute_start_s[row], to->mute_end_s[slot] = from->mute_end_s[row];
  to->cdp[slot] = from->cdp[row];
  to->inline_number[slot] = from->inline_number[row], to->crossline_number[slot] = from->crossline_number[row];
  to->flags[slot] = from->flags[row];
  into->numbers[slot] = store->map.numbers[row];
}

static int by_row(const void *a, const void *b) {
  uint64_t p = ((const pick *)a)->row, q = ((const pick *)b)->row;
  return p < q ? -1 : p > q;
}

static moho_status not_as_stored(const moho_trace_store *store, uint64_t row) {
  return moho_fail_at((moho_place){.file = store->samples_path,
                                   .has_byte = 1,
                                   .byte = (int64_t)(row * store->meta.n_samples * sizeof(float)),
                                   .trace = (int64_t)store->map.numbers[row] + 1},
                      "check the disk; remove the directory of this store, then it is built again", MOHO_ERROR_FORMAT,
                      "%s: the samples of trace %llu are not what was stored (checksum)", store->samples_path,
                      (unsigned long long)store->map.numbers[row] + 1);
}

/* n rows side by side, from picks[0] on, each to its slot. */
static moho_status read_run(moho_trace_cursor *cursor, const pick *picks, size_t n, batch *into) {
  const moho_trace_store *store = cursor->store;
  size_t ns = store->meta.n_samples, trace = ns * sizeof(float);
  MOHO_TRY(moho_raw_read(store->file, store->samples_path, picks[0].row * trace, cursor->piece, n * trace));
  for (size_t i = 0; i < n; i++) {
    const float *samples = cursor->piece + i * ns;
    if (moho_store_check(samples, ns, store->map.numbers[picks[i].row]) != store->map.checks[picks[i].row])
      return not_as_stored(store, picks[i].row);
    memcpy(into->samples + picks[i].slot * ns, samples, trace);
  }
  return MOHO_OK;
}

static size_t run_length(const moho_trace_cursor *cursor, size_t first, size_t n) {
  size_t length = 1;
  while (first + length < n && length < cursor->piece_traces &&
         cursor->picks[first + length].row == cursor->picks[first].row + length)
    length++;
  return length;
}

/* Disks that work on several requests at once are told what comes. */
static void announce(const moho_trace_cursor *cursor, size_t n) {
#ifdef POSIX_FADV_WILLNEED
  size_t trace = cursor->store->meta.n_samples * sizeof(float);
  for (size_t first = 0, length; first < n; first += length) {
    length = run_length(cursor, first, n);
    posix_fadvise(cursor->store->file, (off_t)(cursor->picks[first].row * trace), (off_t)(length * trace), POSIX_FADV_WILLNEED);
  }
#else
  (void)cursor, (void)n;
#endif
}

static moho_status fill(moho_trace_cursor *cursor, batch *into) {
  size_t n = 0;
  for (; n < cursor->batch_traces && cursor->n_cells; n++) {
    cursor->picks[n] = (pick){take_least(cursor), (uint32_t)n};
    copy_geometry(cursor->store, cursor->picks[n].row, into, n);
  }
  qsort(cursor->picks, n, sizeof *cursor->picks, by_row);
  announce(cursor, n);
  for (size_t first = 0, length; first < n; first += length) {
    length = run_length(cursor, first, n);
    MOHO_TRY(read_run(cursor, cursor->picks + first, length, into));
  }
  moho_store_map_rest(&cursor->store->map);
  into->n = into->geometry.n = n;
  return MOHO_OK;
}

/* ---- ahead ---- */

static void *read_ahead(void *argument) {
  moho_trace_cursor *cursor = argument;
  double began = moho_seconds();
  cursor->status = fill(cursor, &cursor->batches[cursor->turn]);
  if (cursor->status) cursor->error = moho_error_take();
  cursor->seconds += moho_seconds() - began;
  return NULL;
}

static void start(moho_trace_cursor *cursor) {
  cursor->running = pthread_create(&cursor->thread, NULL, read_ahead, cursor) == 0;
  if (!cursor->running) read_ahead(cursor); /* no thread to be had: read here and now */
}

static void join(moho_trace_cursor *cursor) {
  if (cursor->running) pthread_join(cursor->thread, NULL);
  cursor->running = 0;
}

/* After an error or the end it stays there. */
moho_status moho_trace_cursor_next(moho_trace_cursor *cursor, moho_trace_batch *out) {
  *out = (moho_trace_batch){0};
  join(cursor);
  if (cursor->status) return moho_error_set(&cursor->error);
  const batch *b = &cursor->batches[cursor->turn];
  if (cursor->at_end || !b->n) {
    cursor->at_end = 1;
    return MOHO_OK;
  }
  *out = (moho_trace_batch){b->n, b->geometry, b->numbers, b->samples};
  cursor->turn ^= 1;
  start(cursor);
  return MOHO_OK;
}

/* ---- life ---- */

static moho_status allocate(moho_trace_cursor *cursor) {
  size_t n = cursor->batch_traces, trace = cursor->store->meta.n_samples * sizeof(float);
  for (int i = 0; i < 2; i++) {
    batch *b = &cursor->batches[i];
    MOHO_TRY(moho_geometry_create(n, &b->geometry));
    MOHO_TRY(moho_allocate(n, sizeof *b->numbers, "a batch of traces", &b->numbers));
    MOHO_TRY(moho_allocate(n, trace, "a batch of traces", &b->samples));
  }
  MOHO_TRY(moho_allocate(n, sizeof *cursor->picks, "a batch of traces", &cursor->picks));
  return moho_allocate(cursor->piece_traces, trace, "a run of traces", &cursor->piece);
}

moho_status moho_trace_cursor_create(const moho_trace_store *store, const moho_trace_region *region, size_t batch_traces,
                                     moho_trace_cursor **out) {
  moho_trace_cursor *cursor;
  *out = NULL;
  if (!batch_traces || batch_traces > UINT32_MAX)
    return moho_fail(MOHO_ERROR_ARGUMENT, "batches of %zu traces, expected 1 to 4294967295", batch_traces);
  MOHO_TRY(moho_allocate(1, sizeof *cursor, "a reader of the trace store", &cursor));
  cursor->store = store;
  cursor->batch_traces = moho_smaller(batch_traces, store->meta.n_traces);
  if (!cursor->batch_traces) cursor->batch_traces = 1;
  cursor->piece_traces = moho_pieces(PIECE_BYTES, store->meta.n_samples * sizeof(float));
  moho_status status = moho_region_create(region, &cursor->region);
  if (!status) status = open_cells(cursor);
  if (!status) status = allocate(cursor);
  if (status) {
    moho_trace_cursor_destroy(&cursor);
    return status;
  }
  start(cursor);
  *out = cursor;
  return MOHO_OK;
}

void moho_trace_cursor_destroy(moho_trace_cursor **cursor_pointer) {
  moho_trace_cursor *cursor = *cursor_pointer;
  if (!cursor) return;
  join(cursor);
  for (int i = 0; i < 2; i++) {
    moho_geometry_release(&cursor->batches[i].geometry);
    free(cursor->batches[i].numbers);
    free(cursor->batches[i].samples);
  }
  moho_region_release(&cursor->region);
  free(cursor->heap);
  free(cursor->picks);
  free(cursor->piece);
  free(cursor);
  *cursor_pointer = NULL;
}

size_t moho_trace_cursor_memory(const moho_trace_store *store, size_t batch_traces) {
  size_t trace = store->meta.n_samples * sizeof(float), n = moho_smaller(batch_traces, store->meta.n_traces);
  return n * (2 * (trace + moho_store_trace_bytes()) + sizeof(pick)) + store->meta.n_cells * sizeof(open_cell) + PIECE_BYTES +
         trace;
}

double moho_trace_cursor_seconds(const moho_trace_cursor *cursor) {
  return cursor->seconds;
}
