/* tile_run.c - a batch of prepared traces into one tile of the image. */
#include "migrate/tile_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "migrate/aperture.h"
#include "migrate/runs.h"

/* Traces a block: with 1000 samples 256 KiB, half of a small second-level cache. Columns a group: their image rows and
 * tables stay in the first-level cache while the block passes. */
enum { TRACES_PER_BLOCK = 64, COLUMNS_PER_GROUP = 4, RUNS_PER_LAUNCH = 128, PARTS_PER_RUN = 16 };
/* Of intervals to be cut by the opening angle. */
enum { PAIRS_WAITING = 16, JOBS_WAITING = 2 * PAIRS_WAITING };

struct moho_tile_columns {
  moho_column_table *tables; /* [capacity], or NULL when one is shared by all tiles */
  moho_loop_tables loops;    /* the same for the loops */
  moho_angle_column *angles; /* [capacity] the same for the opening angle; or NULL */
  size_t *flat;              /* [capacity] index in the image */
  size_t capacity, n;
};

/* An interval that waits to be cut by the opening angle: its run but the samples, its row of the first bin. */
typedef struct angle_pair {
  moho_run run;
  size_t image_row;
  moho_angle_query query;
  size_t first_job, n_jobs;
} angle_pair;

typedef struct angle_buffers {
  angle_pair *pairs;    /* [PAIRS_WAITING] */
  moho_angle_job *jobs; /* [room_for_jobs()] */
  int32_t *found;       /* [room_for_jobs(), edge_stride] */
  int32_t *scratch;     /* [n, in whole vectors] */
  moho_angle_run *runs; /* [n + bins] of one interval */
  moho_run_part *parts; /* [room_for_parts()] of the runs of a launch */
  int32_t *first_part;  /* [RUNS_PER_LAUNCH + 1] */
  size_t n_pairs, n_jobs;
} angle_buffers;

struct moho_tile_worker {
  moho_tile_columns *columns; /* of the tile that it is at */
  int32_t *ends;              /* [columns] where the last interval ended */
  moho_run *runs;             /* [RUNS_PER_LAUNCH] */
  moho_interval *intervals;   /* [n / 2 + 1] of one trace and column */
  moho_interval *clipped;     /* the same, of them what a mask leaves */
  angle_buffers *angles;      /* or NULL */
  int32_t *hits;              /* [TRACES_PER_BLOCK] rows that may reach the tile */
};

/* ---- a tile's columns ---- */

moho_status moho_tile_columns_create(const moho_tile_frame *frame, const moho_tile_plan *plan, moho_tile_columns **out) {
  size_t capacity = plan->side_inline * plan->side_crossline;
  moho_tile_columns *columns;
  MOHO_TRY(moho_allocate(1, sizeof *columns, "tile columns", &columns));
  columns->capacity = capacity;
  moho_status status = moho_allocate(capacity, sizeof *columns->flat, "tile columns", &columns->flat);
  if (!status && !frame->shared_table) {
    status = moho_allocate(capacity, sizeof *columns->tables, "column tables", &columns->tables);
    if (!status) status = moho_loop_tables_create(frame->law, capacity, &columns->loops);
    for (size_t i = 0; !status && i < capacity; i++)
      status = moho_column_table_create(frame->law, frame->options->stretch_mute >= 0, &columns->tables[i]);
    if (!status && frame->angles) status = moho_allocate(capacity, sizeof *columns->angles, "column tables", &columns->angles);
    for (size_t i = 0; !status && frame->angles && i < capacity; i++)
      status = moho_angle_column_create(frame->law, &columns->angles[i]);
  }
  if (status) moho_tile_columns_destroy(&columns);
  *out = columns;
  return status;
}

void moho_tile_columns_destroy(moho_tile_columns **columns_pointer) {
  moho_tile_columns *columns = *columns_pointer;
  if (!columns) return;
  for (size_t i = 0; columns->tables && i < columns->capacity; i++) moho_column_table_release(&columns->tables[i]);
  for (size_t i = 0; columns->angles && i < columns->capacity; i++) moho_angle_column_release(&columns->angles[i]);
  moho_loop_tables_release(&columns->loops);
  free(columns->angles), free(columns->tables), free(columns->flat), free(columns);
  *columns_pointer = NULL;
}

size_t moho_tile_columns_bytes(const moho_travel_law *law, const moho_tile_plan *plan, int has_angles) {
  size_t columns = plan->side_inline * plan->side_crossline;
  size_t tables = law->is_uniform ? 0 : columns * moho_column_table_bytes(law) + moho_loop_tables_bytes(law, columns);
  if (has_angles && !law->is_uniform) tables += columns * moho_angle_column_bytes(law);
  return columns * sizeof(size_t) + tables;
}

moho_status moho_tile_columns_enter(moho_tile_columns *columns, const moho_tile_frame *frame, const moho_tile *tile) {
  columns->n = 0;
  for (size_t i = 0; i < tile->n_inline; i++)
    for (size_t j = 0; j < tile->n_crossline; j++)
      columns->flat[columns->n++] = (tile->first_inline + i) * frame->window->n_crossline + tile->first_crossline + j;
  for (size_t c = 0; columns->tables && c < columns->n; c++) {
    double x, y;
    moho_window_node(frame->grid, frame->window, columns->flat[c], &x, &y);
    MOHO_TRY(moho_column_table_fill(&columns->tables[c], frame->law, frame->options, x, y));
    moho_loop_tables_fill(&columns->loops, frame->law, c, &columns->tables[c]);
    if (columns->angles) MOHO_TRY(moho_angle_column_fill(frame->law, &columns->tables[c].legs, x, y, &columns->angles[c]));
  }
  return MOHO_OK;
}

/* ---- a worker ---- */

/* Of a launch: runs of some bins each, but at least those of one interval. */
static size_t room_for_parts(size_t n, size_t n_bins) {
  const size_t least = n > n_bins ? n : n_bins;
  return least > RUNS_PER_LAUNCH * PARTS_PER_RUN ? least : RUNS_PER_LAUNCH * PARTS_PER_RUN;
}

static size_t room_for_jobs(size_t n) {
  return JOBS_WAITING + moho_angle_jobs_most(n);
}

static moho_status create_angle_buffers(const moho_tile_frame *frame, angle_buffers **out) {
  size_t n = frame->axis->n, jobs = room_for_jobs(n);
  angle_buffers *a;
  MOHO_TRY(moho_allocate(1, sizeof *a, "tile worker", &a));
  *out = a;
  MOHO_TRY(moho_allocate(PAIRS_WAITING, sizeof *a->pairs, "tile worker", &a->pairs));
  MOHO_TRY(moho_allocate(jobs, sizeof *a->jobs, "tile worker", &a->jobs));
  MOHO_TRY(moho_allocate(jobs * frame->angles->angles->edge_stride, sizeof *a->found, "tile worker", &a->found));
  MOHO_TRY(moho_allocate(frame->axis->table, sizeof *a->scratch, "tile worker", &a->scratch));
  MOHO_TRY(moho_allocate(n + frame->n_bins, sizeof *a->runs, "tile worker", &a->runs));
  MOHO_TRY(moho_allocate(room_for_parts(n, frame->n_bins), sizeof *a->parts, "tile worker", &a->parts));
  return moho_allocate(RUNS_PER_LAUNCH + 1, sizeof *a->first_part, "tile worker", &a->first_part);
}

static void destroy_angle_buffers(angle_buffers *a) {
  if (!a) return;
  free(a->pairs), free(a->jobs), free(a->found), free(a->scratch), free(a->runs), free(a->parts), free(a->first_part);
  free(a);
}

static size_t angle_bytes(size_t n, size_t n_bins) {
  return PAIRS_WAITING * sizeof(angle_pair) +
         room_for_jobs(n) * (sizeof(moho_angle_job) + moho_round_up(n_bins + 1, MOHO_ANGLE_WIDEST) * sizeof(int32_t)) +
         n * (sizeof(moho_angle_run) + sizeof(int32_t)) + room_for_parts(n, n_bins) * sizeof(moho_run_part);
}

moho_status moho_tile_worker_create(const moho_tile_frame *frame, const moho_tile_plan *plan, moho_tile_worker **out) {
  size_t columns = plan->side_inline * plan->side_crossline, n = frame->axis->n;
  moho_tile_worker *worker;
  MOHO_TRY(moho_allocate(1, sizeof *worker, "tile worker", &worker));
  moho_status status = moho_tile_columns_create(frame, plan, &worker->columns);
  if (!status) status = moho_allocate(columns, sizeof(int32_t), "tile worker", &worker->ends);
  if (!status) status = moho_allocate(RUNS_PER_LAUNCH, sizeof(moho_run), "tile worker", &worker->runs);
  if (!status) status = moho_allocate(n / 2 + 1, sizeof(moho_interval), "tile worker", &worker->intervals);
  if (!status && frame->mask) status = moho_allocate(n / 2 + 1, sizeof(moho_interval), "tile worker", &worker->clipped);
  if (!status && frame->angles) status = create_angle_buffers(frame, &worker->angles);
  if (!status) status = moho_allocate(TRACES_PER_BLOCK, sizeof(int32_t), "tile worker", &worker->hits);
  if (status) moho_tile_worker_destroy(&worker);
  *out = worker;
  return status;
}

void moho_tile_worker_destroy(moho_tile_worker **worker_pointer) {
  moho_tile_worker *worker = *worker_pointer;
  if (!worker) return;
  moho_tile_columns_destroy(&worker->columns);
  free(worker->ends), free(worker->runs), free(worker->intervals), free(worker->hits), free(worker->clipped);
  destroy_angle_buffers(worker->angles);
  free(worker);
  *worker_pointer = NULL;
}

size_t moho_tile_worker_bytes(const moho_travel_law *law, const moho_tile_plan *plan, size_t angle_bins) {
  return RUNS_PER_LAUNCH * sizeof(moho_run) + law->n * sizeof(moho_interval) +
         (angle_bins ? angle_bytes(law->n, angle_bins) : 0) + moho_tile_columns_bytes(law, plan, angle_bins > 0);
}

/* ---- a pass ---- */

/* Rows of the block whose midpoint lies within the largest radius of the tile's bounding box. */
static size_t find_hits(moho_tile_worker *worker, const moho_tile_columns *columns, const moho_tile_frame *frame,
                        const moho_batch *batch, size_t first, size_t end) {
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY}, reach = 0;
  for (size_t c = 0; c < columns->n; c++) {
    for (int axis = 0; axis < 2; axis++) {
      double at = frame->columns[columns->flat[c]].position[axis];
      low[axis] = fmin(low[axis], at), high[axis] = fmax(high[axis], at);
    }
    reach = fmax(reach, columns->tables ? columns->tables[c].largest_radius : frame->shared_table->largest_radius);
  }
  size_t hits = 0;
  for (size_t row = first; row < end; row++) {
    const moho_batch_trace *trace = &batch->traces[row];
    double dx = fmax(0, fmax(low[0] - trace->midpoint[0], trace->midpoint[0] - high[0]));
    double dy = fmax(0, fmax(low[1] - trace->midpoint[1], trace->midpoint[1] - high[1]));
    if (trace->live && dx * dx + dy * dy <= reach * reach * (1 + 1e-9)) worker->hits[hits++] = (int32_t)row;
  }
  return hits;
}

/* Runs are collected in order and handed to the native loop a launch at a time. */
typedef struct launch_queue {
  moho_tile_worker *worker;
  const moho_tile_columns *columns;
  const moho_tile_frame *frame;
  const moho_batch *batch;
  int32_t n_runs;
  uint64_t added; /* contributions */
} launch_queue;

static void launch(launch_queue *queue) {
  const moho_tile_worker *worker = queue->worker;
  const moho_tile_columns *columns = queue->columns;
  const moho_tile_frame *frame = queue->frame;
  moho_migrate_parameters parameters = frame->parameters;
  parameters.n_runs = queue->n_runs;
  /* Kernels take all buffers as void *; the IN ones are not written. */
  void *buffers[MOHO_BUFFER_COUNT] = {[MOHO_BUFFER_ROWS] = (void *)(uintptr_t)queue->batch->rows,
                                      [MOHO_BUFFER_RUNS] = worker->runs,
                                      [MOHO_BUFFER_SINC] = (void *)(uintptr_t)frame->sinc,
                                      [MOHO_BUFFER_IMAGE] = frame->image,
                                      [MOHO_BUFFER_PARTS] = worker->angles ? worker->angles->parts : NULL,
                                      [MOHO_BUFFER_FIRST_PART] = worker->angles ? worker->angles->first_part : NULL};
  moho_loop_tables_bind(columns->tables ? &columns->loops : frame->shared_loops, buffers);
  if (queue->n_runs) frame->migrate(buffers, &parameters);
  queue->n_runs = 0;
}

static double dot(const double a[2], const double b[2]) {
  return a[0] * b[0] + a[1] * b[1];
}

/* Where the taper ends: first sample with A(1-f) >= d. */
static int32_t end_of_taper(const moho_tile_frame *frame, const moho_column_table *table, double distance) {
  double taper = frame->options->aperture_taper;
  if (taper <= 0) return 0;
  if (taper >= 1) return (int32_t)frame->axis->n;
  return moho_column_first_within(table, (int32_t)frame->axis->n, moho_aperture_widened(distance / (1 - taper)));
}

static uint16_t node_of(const moho_travel_law *law, double d2) {
  return law->leg_times ? (uint16_t)moho_leg_time_place(law->leg_times, d2).node : 0;
}

/* All but the samples, and the row of the image. `full`: where the taper ends, if need be outside the samples. */
static void describe_run(moho_run *run, const moho_tile_frame *frame, const moho_batch_trace *trace, const moho_column *column,
                         const moho_run_query *query, const double source[2], const double receiver[2], int32_t full) {
  run->row = trace->row;
  run->full = full;
  run->source2 = (float)query->source2, run->receiver2 = (float)query->receiver2;
  run->distance = (float)query->distance;
  run->shift = trace->shift;
  run->spacing = trace->spacing;
  run->source_x = (float)dot(source, column->along), run->source_y = (float)dot(source, column->across);
  run->receiver_x = (float)dot(receiver, column->along), run->receiver_y = (float)dot(receiver, column->across);
  run->source_node = node_of(frame->law, query->source2);
  run->receiver_node = node_of(frame->law, query->receiver2);
}

/* One more in the fold of samples [first, end) of a row. */
static void count_in_fold(const moho_tile_frame *frame, size_t image_row, int32_t first, int32_t end) {
  if (!frame->steps) return;
  int32_t *steps = frame->steps + image_row * (frame->axis->n + 1);
  steps[first]++, steps[end]--;
}

/* The run that was described last, where the next one goes, is samples [first, end). */
static void append_run(launch_queue *queue, int32_t first, int32_t end) {
  moho_run *run = &queue->worker->runs[queue->n_runs];
  run->first = first, run->end = end;
  run->full = run->full < first ? first : run->full > end ? end : run->full;
  queue->added += (uint64_t)(end - first);
  if (++queue->n_runs == RUNS_PER_LAUNCH) launch(queue);
}

/* The same into one row of the image. */
static void append_to_row(launch_queue *queue, size_t image_row, int32_t first, int32_t end) {
  queue->worker->runs[queue->n_runs].column = (int32_t)image_row;
  count_in_fold(queue->frame, image_row, first, end);
  append_run(queue, first, end);
}

/* ---- bins by opening angle ---- */

static int32_t *fold_of_edges(const moho_tile_frame *frame, const angle_pair *pair) {
  const size_t column = pair->image_row / frame->n_bins, rows = moho_fold_rows(frame->n_bins, 1);
  return frame->steps + column * rows * (frame->axis->n + 1);
}

/* One more in the fold of samples [first, end) of a bin: the rows of all edges from its upper on. */
static void count_in_bin(const moho_tile_frame *frame, const angle_pair *pair, const moho_angle_run *part) {
  if (!frame->steps) return;
  int32_t *steps = fold_of_edges(frame, pair);
  for (size_t k = (size_t)part->bin + 1; k <= frame->n_bins; k++) {
    int32_t *row = steps + k * (frame->axis->n + 1);
    row[part->first]++, row[part->end]--;
  }
}

/* The same of all bins between edges. Edges that lie together cancel out. */
static void count_edges(const moho_tile_frame *frame, const angle_pair *pair, const int32_t *edges) {
  if (!frame->steps) return;
  int32_t *row = fold_of_edges(frame, pair);
  for (size_t k = 0; k <= frame->n_bins; k++, row += frame->axis->n + 1) row[edges[k]]++;
}

/* Where the parts of the next run go. Launches what waits if there is no room for n more. */
static moho_run_part *next_parts(launch_queue *queue, size_t n) {
  const angle_buffers *a = queue->worker->angles;
  if ((size_t)a->first_part[queue->n_runs] + n > room_for_parts(queue->frame->axis->n, queue->frame->n_bins)) launch(queue);
  return a->parts + a->first_part[queue->n_runs];
}

/* A run of the parts up to `end` that were written where the next go. */
static void append_parts(launch_queue *queue, const angle_pair *pair, int32_t first, const moho_run_part *end) {
  const angle_buffers *a = queue->worker->angles;
  a->first_part[queue->n_runs + 1] = (int32_t)(end - a->parts);
  queue->worker->runs[queue->n_runs] = pair->run;
  append_run(queue, first, end[-1].end);
}

/* A run into the rows of consecutive bins from parts[0] on that leave no sample out. @return how many */
static size_t append_to_rows(launch_queue *queue, const angle_pair *pair, const moho_angle_run *parts, size_t n) {
  moho_run_part *part = next_parts(queue, n);
  size_t k = 0;
  do {
    part[k] = (moho_run_part){(int32_t)(pair->image_row + (size_t)parts[k].bin), parts[k].end};
    count_in_bin(queue->frame, pair, &parts[k]);
  } while (++k < n && parts[k].first == parts[k - 1].end);
  append_parts(queue, pair, parts[0].first, part + k);
  return k;
}

/* Where the angle falls the bins follow each other downwards from edge to edge. */
static void append_between_edges(launch_queue *queue, const angle_pair *pair, const int32_t *edges) {
  const size_t n = queue->frame->n_bins;
  if (edges[n] >= edges[0]) return;
  moho_run_part *next = next_parts(queue, n);
  for (size_t k = n; k-- > 0;) { /* written in any case, kept where it is not empty: no branch to mispredict */
    *next = (moho_run_part){(int32_t)(pair->image_row + k), edges[k]};
    next += edges[k + 1] < edges[k];
  }
  count_edges(queue->frame, pair, edges);
  append_parts(queue, pair, edges[n], next);
}

static void append_cut(launch_queue *queue, const angle_pair *pair) {
  const angle_buffers *a = queue->worker->angles;
  const moho_angle_search *search = queue->frame->angles;
  moho_angle_job *jobs = a->jobs + pair->first_job;
  if (pair->n_jobs == 1 && jobs->falls) {
    moho_angle_edges_settle(search, &pair->query, jobs);
    append_between_edges(queue, pair, jobs->found);
  } else {
    size_t n = moho_angle_runs_of(search, &pair->query, jobs, pair->n_jobs, a->scratch, a->runs);
    for (size_t k = 0; k < n;) k += append_to_rows(queue, pair, a->runs + k, n - k);
  }
}

/* The edges of all intervals that wait, together: searches wait long for each of their steps, and not for each other. */
static void cut_by_angles(launch_queue *queue) {
  angle_buffers *a = queue->worker->angles;
  moho_angle_jobs_search(queue->frame->angles, a->jobs, a->n_jobs);
  for (const angle_pair *pair = a->pairs; pair < a->pairs + a->n_pairs; pair++) {
    const uint64_t before = queue->added;
    append_cut(queue, pair);
    if (queue->added > before) __atomic_store_n(&queue->batch->used[pair->run.row], 1, __ATOMIC_RELAXED);
  }
  a->n_pairs = a->n_jobs = 0;
  launch(queue); /* while they and the rows of their bins are in the first-level cache */
}

/* Intervals of the described run wait until there are enough. */
static void append_angles(launch_queue *queue, const moho_run *described, const moho_column_table *table,
                          const moho_run_query *query, const double source[2], const double receiver[2], size_t image_row,
                          const moho_interval *intervals, size_t count) {
  const moho_tile_frame *frame = queue->frame;
  const moho_tile_columns *columns = queue->columns;
  angle_buffers *a = queue->worker->angles;
  const size_t c = columns->tables ? (size_t)described->table : 0;
  for (size_t i = 0; i < count; i++) {
    angle_pair *pair = &a->pairs[a->n_pairs++];
    *pair = (angle_pair){.run = *described,
                         .image_row = image_row,
                         .first_job = a->n_jobs,
                         .query = {.legs = &table->legs,
                                   .loops = columns->tables ? &columns->loops : frame->shared_loops,
                                   .loop_column = c,
                                   .column = columns->angles ? &columns->angles[c] : frame->shared_angles,
                                   .pair = moho_opening_pair_of(source, receiver),
                                   .source2 = query->source2,
                                   .receiver2 = query->receiver2}};
    pair->n_jobs = moho_angle_jobs_make(frame->angles, &pair->query, intervals[i],
                                        a->found + a->n_jobs * frame->angles->angles->edge_stride, a->jobs + a->n_jobs);
    a->n_jobs += pair->n_jobs;
    if (a->n_pairs == PAIRS_WAITING || a->n_jobs > JOBS_WAITING) cut_by_angles(queue);
  }
}

/* One trace into one column. */
static void add_runs(launch_queue *queue, const moho_batch_trace *trace, size_t c) {
  moho_tile_worker *worker = queue->worker;
  const moho_tile_columns *columns = queue->columns;
  const moho_tile_frame *frame = queue->frame;
  const moho_column *column = &frame->columns[columns->flat[c]];
  const moho_column_table *table = columns->tables ? &columns->tables[c] : frame->shared_table;
  double midpoint[2], source[2], receiver[2];
  for (int axis = 0; axis < 2; axis++) {
    midpoint[axis] = column->position[axis] - trace->midpoint[axis];
    source[axis] = column->position[axis] - trace->source[axis];
    receiver[axis] = column->position[axis] - trace->receiver[axis];
  }
  moho_run_query query = {.window = &trace->window,
                          .distance = sqrt(dot(midpoint, midpoint)),
                          .source2 = dot(source, source),
                          .receiver2 = dot(receiver, receiver)};
  size_t count = moho_runs_find(table, frame->law, &query, &worker->ends[c], worker->intervals);
  const moho_interval *intervals = worker->intervals;
  if (frame->mask) {
    count = moho_sample_mask_clip(frame->mask, columns->flat[c], worker->intervals, count, worker->clipped);
    intervals = worker->clipped;
  }
  if (!count) return;
  size_t image_row = columns->flat[c] * frame->n_bins + (size_t)trace->bin;
  moho_run *run = &worker->runs[queue->n_runs];
  describe_run(run, frame, trace, column, &query, source, receiver, end_of_taper(frame, table, query.distance));
  run->table = (int32_t)c;
  const moho_run described = *run;
  if (frame->angles) {
    append_angles(queue, &described, table, &query, source, receiver, image_row, intervals, count);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    if (i) worker->runs[queue->n_runs] = described;
    append_to_row(queue, image_row, intervals[i].first, intervals[i].end);
  }
}

void moho_tile_pass(moho_tile_worker *worker, const moho_tile_columns *columns, const moho_tile_frame *frame,
                    const moho_batch *batch, uint64_t *contributions) {
  launch_queue queue = {.worker = worker, .columns = columns, .frame = frame, .batch = batch};
  for (size_t c = 0; c < columns->n; c++) worker->ends[c] = (int32_t)frame->axis->n;
  for (size_t first = 0; first < batch->n; first += TRACES_PER_BLOCK) {
    size_t end = first + TRACES_PER_BLOCK < batch->n ? first + TRACES_PER_BLOCK : batch->n;
    size_t hits = find_hits(worker, columns, frame, batch, first, end);
    for (size_t group = 0; group < columns->n; group += COLUMNS_PER_GROUP)
      for (size_t hit = 0; hit < hits; hit++) {
        const moho_batch_trace *trace = &batch->traces[worker->hits[hit]];
        const uint64_t before = queue.added;
        for (size_t c = group; c < group + COLUMNS_PER_GROUP && c < columns->n; c++)
          if (!frame->mask || !moho_sample_mask_is_empty(frame->mask, columns->flat[c])) add_runs(&queue, trace, c);
        if (queue.added > before) __atomic_store_n(&batch->used[trace->row], 1, __ATOMIC_RELAXED);
      }
  }
  if (frame->angles) cut_by_angles(&queue);
  launch(&queue);
  *contributions += queue.added;
}

moho_status moho_tile_run(moho_tile_worker *worker, const moho_tile_frame *frame, const moho_tile *tile, const moho_batch *batch,
                          uint64_t *contributions) {
  MOHO_TRY(moho_tile_columns_enter(worker->columns, frame, tile));
  moho_tile_pass(worker, worker->columns, frame, batch, contributions);
  return MOHO_OK;
}
