/* device_trial.c - which of two kernels is faster here: both run on a piece of the first batch, into sums that nobody keeps.
 *
 * Kernels differ in the last bits, and a measurement in its last per cents: the first candidate is left only for one that is
 * clearly faster, so that the same job nearly always gives the same bits.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/timer.h"
#include "migrate/device_run.h"

/* The piece: enough groups to fill the device a few times, few enough traces to last milliseconds. */
enum { TRIAL_TRACES = 1024, TRIAL_TILES = 32, ROUNDS = 3, TRACES_A_STEP = 64 };
/* So much faster the second candidate must be to be taken. */
#define CLEARLY_FASTER 1.15

/* Sums and columns of the trial. */
typedef struct trial {
  moho_device_part part;
  moho_buffer *image, *fold, *columns;
} trial;

/* The live trace nearest to the middle of the part's. */
static moho_status read_middle(const trial *t, size_t traces_offset, migrate_trace *out) {
  migrate_trace *traces;
  size_t n = t->part.n_traces, offset = traces_offset + t->part.first_trace * sizeof *traces;
  MOHO_TRY(moho_allocate(n, sizeof *traces, "traces", &traces));
  moho_status status = moho_buffer_read(t->part.slot->data, offset, traces, n * sizeof *traces);
  size_t nearest = n / 2;
  for (size_t i = 0; !status && i < n && !traces[nearest].live; i++)
    nearest = n / 2 + i < n && traces[n / 2 + i].live ? n / 2 + i : n / 2 >= i && traces[n / 2 - i].live ? n / 2 - i : nearest;
  *out = traces[nearest];
  free(traces);
  return status;
}

/* The entry whose column is nearest to the trace's midpoint: where the batch has work. */
static size_t nearest_entry(const moho_device_run *r, const migrate_trace *t) {
  float x = 0.5f * (t->source_x + t->receiver_x), y = 0.5f * (t->source_y + t->receiver_y), least = INFINITY;
  size_t nearest = 0;
  for (size_t e = 0; e < r->plan.entries; e++) {
    const migrate_column *c = &r->columns[e];
    float dx = c->x - x, dy = c->y - y, d2 = dx * dx + dy * dy;
    if (c->row != MOHO_PADDING && d2 < least) least = d2, nearest = e;
  }
  return nearest;
}

/* Tiles around the entry, within its slab. */
static const moho_device_slab *choose_columns(const moho_device_run *r, size_t entry, size_t *first, size_t *n) {
  const moho_device_slab *slab = &r->slabs[entry / r->plan.slab_entries];
  size_t tile = r->plan.tile, wanted = TRIAL_TILES * tile, end = slab->first_entry + slab->n_entries;
  *n = wanted < slab->n_entries ? wanted : slab->n_entries;
  *first = entry / tile * tile;
  *first = *first > slab->first_entry + *n / 2 / tile * tile ? *first - *n / 2 / tile * tile : slab->first_entry;
  if (*first + *n > end) *first = end - *n;
  return slab;
}

/* The columns with rows counted from 0, and sums for them. */
static moho_status make_sums(moho_device_run *r, trial *t, const moho_device_slab *slab, size_t first, size_t n) {
  migrate_column *columns;
  MOHO_TRY(moho_allocate(n, sizeof *columns, "image columns", &columns));
  uint32_t first_row = r->columns[first].row, rows = 0;
  for (size_t e = 0; e < n; e++) {
    columns[e] = r->columns[first + e];
    if (columns[e].row != MOHO_PADDING) columns[e].row = rows++;
  }
  size_t bytes = rows * r->plan.image_stride * sizeof(float);
  static const char hint[] = "there is no memory left to measure kernels: name one by execution.kernel";
  moho_status status = moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, hint, &t->image);
  if (!status) status = moho_device_buffer(r, bytes, MOHO_MEMORY_DEVICE, hint, &t->fold);
  if (!status) status = moho_device_buffer(r, n * sizeof *columns, MOHO_MEMORY_DEVICE, hint, &t->columns);
  if (!status) status = moho_buffer_fill(t->image, 0, bytes, 0);
  if (!status) status = moho_buffer_fill(t->fold, 0, bytes, 0);
  if (!status) status = moho_buffer_write(t->columns, 0, columns, n * sizeof *columns);
  free(columns);
  t->part.n_entries = n, t->part.columns = t->columns, t->part.image = t->image, t->part.fold = t->fold;
  t->part.table = slab->table ? slab->table : r->constant.table;
  t->part.table_offset = slab->table ? first_row * r->plan.n_time * r->plan.table_entries * sizeof(migrate_slowness) : 0;
  return status;
}

static moho_status time_candidate(moho_device_run *r, int candidate, const trial *t, double *seconds) {
  moho_ticket ticket;
  MOHO_TRY(moho_device_record_launch(r, candidate, &t->part));
  double begin = moho_seconds();
  MOHO_TRY(moho_queue_submit(r->queue, &ticket));
  MOHO_TRY(moho_queue_wait(r->queue, ticket, -1));
  *seconds = moho_seconds() - begin;
  moho_device_advance(r, &(moho_device_progress){.launches = 1});
  return MOHO_OK;
}

/* In turn, so that both meet the same clock; the first round warms up. */
static moho_status time_all(moho_device_run *r, const trial *t, double best[MOHO_MOST_CANDIDATES]) {
  for (int c = 0; c < r->choice.n; c++) best[c] = INFINITY;
  for (int round = 0; round <= ROUNDS; round++)
    for (int c = 0; c < r->choice.n; c++) {
      double seconds;
      MOHO_TRY(time_candidate(r, c, t, &seconds));
      if (round) best[c] = fmin(best[c], seconds);
    }
  return MOHO_OK;
}

int moho_device_choose_candidate(const char *const names[MOHO_MOST_CANDIDATES], const double seconds[MOHO_MOST_CANDIDATES],
                                 size_t n_traces, char reason[160]) {
  double ratio = seconds[0] / seconds[1];
  int chosen = ratio > CLEARLY_FASTER;
  if (chosen) snprintf(reason, 160, "%s: %.2f times as fast as %s on %zu traces", names[1], ratio, names[0], n_traces);
  else if (ratio <= 1)
    snprintf(reason, 160, "%s: %.2f times as fast as %s on %zu traces", names[0], 1 / ratio, names[1], n_traces);
  else
    snprintf(reason, 160, "%s: %s is %.2f times as fast on %zu traces, it is taken from %.2f on", names[0], names[1], ratio,
             n_traces, CLEARLY_FASTER);
  return chosen;
}

static void choose(moho_device_run *r, size_t n_traces, const double best[MOHO_MOST_CANDIDATES]) {
  const char *names[MOHO_MOST_CANDIDATES];
  for (int c = 0; c < r->choice.n; c++) names[c] = moho_migration_kernel_name(r->choice.candidates[c]->kernel);
  pthread_mutex_lock(&r->lock);
  r->chosen = moho_device_choose_candidate(names, best, n_traces, r->counts.kernel_reason);
  r->counts.kernel = names[r->chosen];
  pthread_mutex_unlock(&r->lock);
}

moho_status moho_device_try_candidates(moho_device_run *r, const moho_device_slot *slot) {
  trial t = {.part = {.slot = slot, .n_traces = slot->n < TRIAL_TRACES ? slot->n : TRIAL_TRACES}};
  double best[MOHO_MOST_CANDIDATES];
  size_t first, n;
  migrate_trace middle;
  moho_ticket ticket;
  MOHO_TRY(moho_queue_submit(r->queue, &ticket)); /* what the batch needs before its launches */
  MOHO_TRY(moho_queue_wait(r->queue, ticket, -1));
  size_t before = (slot->n - t.part.n_traces) / 2;
  t.part.first_trace = before / TRACES_A_STEP * TRACES_A_STEP;
  MOHO_TRY(read_middle(&t, r->plan.traces_offset, &middle));
  const moho_device_slab *slab = choose_columns(r, nearest_entry(r, &middle), &first, &n);
  moho_status status = make_sums(r, &t, slab, first, n);
  if (!status) status = time_all(r, &t, best);
  if (!status) choose(r, t.part.n_traces, best);
  moho_error error = moho_error_take();
  moho_buffer_destroy(&t.image), moho_buffer_destroy(&t.fold), moho_buffer_destroy(&t.columns);
  return status ? moho_error_set(&error) : MOHO_OK;
}
