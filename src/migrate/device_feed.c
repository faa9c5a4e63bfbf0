/* device_feed.c - a run on a device, the caller's side: traces are prepared into the batch that is filled next.
 *
 * Where the device has memory of its own they are prepared into small pinned pieces, each of which is uploaded as soon as it
 * is full: pinning memory costs more than using it, and so the device's copy of a batch is complete when its last trace is
 * prepared.
 */
#include <stdlib.h>
#include <string.h>

#include "base/fail.h"
#include "base/memory.h"
#include "base/timer.h"
#include "migrate/device_run.h"

/* ---- pieces ---- */

static moho_device_piece *piece_of(moho_device_run *r) {
  return r->upload ? &r->pieces[r->piece] : NULL;
}

/* The piece as the host sees it, when what it held is on the device. */
static moho_status open_piece(moho_device_run *r, moho_device_piece *piece) {
  void *host;
  if (piece->rows) return MOHO_OK; /* and partly filled */
  MOHO_TRY(moho_queue_wait(r->upload, piece->uploaded, -1));
  MOHO_TRY(moho_buffer_map(piece->buffer, MOHO_MAP_WRITE, &host));
  piece->rows = host;
  piece->traces = (migrate_trace *)(void *)((char *)host + r->plan.piece_traces_offset);
  piece->n = 0;
  return MOHO_OK;
}

/* Its traces are the slot's last ones. The upload begins at once, beside what the device computes. */
static moho_status send_piece(moho_device_run *r, moho_device_slot *slot) {
  moho_device_piece *piece = piece_of(r);
  if (!piece || !piece->rows) return MOHO_OK;
  size_t first = slot->n - piece->n, row = r->plan.row_floats * sizeof(float), trace = sizeof(migrate_trace);
  MOHO_TRY(moho_buffer_unmap(piece->buffer));
  piece->rows = NULL, piece->traces = NULL;
  MOHO_TRY(moho_queue_copy(r->upload, slot->data, first * row, piece->buffer, 0, piece->n * row));
  MOHO_TRY(moho_queue_copy(r->upload, slot->data, r->plan.traces_offset + first * trace, piece->buffer,
                           r->plan.piece_traces_offset, piece->n * trace));
  MOHO_TRY(moho_queue_submit(r->upload, &piece->uploaded));
  if (!slot->first_upload) slot->first_upload = piece->uploaded;
  slot->uploaded = piece->uploaded;
  r->piece = (r->piece + 1) % MOHO_DEVICE_PIECES;
  return MOHO_OK;
}

/* ---- gathers ---- */

void moho_device_sort_traces(const moho_device_run *r, moho_device_slot *slot, const migrate_trace *from, migrate_trace *to) {
  size_t *first = slot->first_of_bin, *end = slot->end_of_bin, at = 0;
  memset(end, 0, r->plan.trace_bins * sizeof *end);
  for (size_t i = 0; i < slot->n; i++) end[slot->bins[i]]++;
  for (size_t b = 0; b < r->plan.trace_bins; b++) {
    size_t n = end[b];
    first[b] = end[b] = at; /* the end grows below */
    at = moho_round_up(at + n, MOHO_SORTED_STEP);
  }
  memset(to, 0, at * sizeof *to);
  for (size_t i = 0; i < slot->n; i++) to[end[slot->bins[i]]++] = from[i];
  slot->n_sorted = at;
}

/* The bin of each trace from the slot's `n` on. Those outside all bins are marked, and lie where they do no harm. */
static void fill_bins(const moho_device_run *r, const moho_geometry *geometry, moho_device_slot *slot) {
  for (size_t i = 0; i < geometry->n; i++) {
    uint8_t *live = &slot->live[slot->n + i];
    long bin = *live ? moho_migration_bin_of(r->m, geometry, i) : -1;
    if (*live && bin < 0) *live = MOHO_PLACE_UNBINNED;
    if (slot->bins) slot->bins[slot->n + i] = (int32_t)(bin < 0 ? (long)r->plan.trace_bins - 1 : bin);
  }
}

/* The sorted traces go up through pieces, after the rows. */
static moho_status send_sorted(moho_device_run *r, moho_device_slot *slot) {
  size_t most = r->plan.piece_bytes / sizeof(migrate_trace);
  migrate_trace *sorted;
  MOHO_TRY(moho_allocate(r->plan.sorted_traces, sizeof *sorted, "traces by bin", &sorted));
  moho_device_sort_traces(r, slot, slot->places, sorted);
  moho_status status = MOHO_OK;
  for (size_t first = 0, n; !status && first < slot->n_sorted; first += n) {
    moho_device_piece *piece = piece_of(r);
    n = moho_smaller(slot->n_sorted - first, most);
    status = open_piece(r, piece);
    if (status) break;
    memcpy(piece->rows, sorted + first, n * sizeof *sorted);
    status = moho_buffer_unmap(piece->buffer);
    piece->rows = NULL, piece->traces = NULL;
    if (!status)
      status = moho_queue_copy(r->upload, slot->data, r->plan.sorted_offset + first * sizeof *sorted, piece->buffer, 0,
                               n * sizeof *sorted);
    if (!status) status = moho_queue_submit(r->upload, &piece->uploaded);
    slot->uploaded = piece->uploaded;
    r->piece = (r->piece + 1) % MOHO_DEVICE_PIECES;
  }
  free(sorted);
  return status;
}

/* ---- slots ---- */

/* The device is done with what the slot held. Memory that both sides reach is filled where it lies. */
static moho_status open_slot(moho_device_run *r, moho_device_slot *slot, const moho_reporter *reporter) {
  if (r->is_open) return MOHO_OK; /* and partly filled */
  MOHO_TRY(moho_device_wait(r, slot, reporter));
  slot->first_upload = slot->uploaded = 0;
  if (r->plan.is_kept && r->plan.is_unified) {
    void *host;
    MOHO_TRY(moho_buffer_map(slot->data, MOHO_MAP_WRITE, &host));
    slot->rows = host;
    slot->traces = (migrate_trace *)(void *)((char *)host + r->plan.traces_offset);
  }
  r->is_open = 1;
  return MOHO_OK;
}

static moho_status close_slot(moho_device_run *r, moho_device_slot *slot) {
  if (!r->plan.is_unified) {
    MOHO_TRY(send_piece(r, slot));
    return slot->bins ? send_sorted(r, slot) : MOHO_OK;
  }
  if (slot->bins)
    moho_device_sort_traces(r, slot, slot->traces, (migrate_trace *)(void *)((char *)slot->rows + r->plan.sorted_offset));
  slot->rows = NULL, slot->traces = NULL;
  return moho_buffer_unmap(slot->data);
}

static moho_status hand_over(moho_device_run *r, const moho_reporter *reporter) {
  moho_device_slot *slot = &r->slots[r->filling];
  if (!r->is_open) return MOHO_OK;
  r->is_open = 0;
  r->filling = (r->filling + 1) % (int)r->plan.slots;
  if (!r->plan.is_kept) {
    r->reporter = reporter;
    moho_status status = moho_device_run_batch(r, slot);
    r->reporter = NULL;
    return !status && r->is_stopped ? moho_device_interrupted() : status;
  }
  MOHO_TRY(close_slot(r, slot));
  pthread_mutex_lock(&r->lock);
  slot->state = MOHO_SLOT_HANDED_OVER;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
  return MOHO_OK;
}

/* ---- traces ---- */

/* Kernels were compiled for what the survey's geometry said. */
static moho_status check_starts(const moho_device_run *r, const moho_geometry *geometry) {
  for (size_t i = 0; r->plan.begins_at_zero && i < geometry->n; i++)
    if (geometry->first_sample_s[i] != 0 && moho_geometry_is_live(geometry, i))
      return moho_fail_at((moho_place){.trace = (int64_t)(r->m->counts.traces_added + i + 1)},
                          "create the migration with the geometry of all traces that will be added", MOHO_ERROR_ARGUMENT,
                          "a trace begins at %g s; by the survey's geometry all begin at 0 s", geometry->first_sample_s[i]);
  return MOHO_OK;
}

/* All of the traces, which slot and piece have room for. */
static moho_status fill(moho_device_run *r, const moho_geometry *geometry, const float *traces, moho_device_slot *slot) {
  moho_migration *m = r->m;
  moho_device_piece *piece = piece_of(r);
  double begin = moho_seconds();
  size_t at = piece ? piece->n : slot->n;
  float *rows = (piece ? piece->rows : slot->rows) + at * r->plan.row_floats;
  migrate_trace *places = (piece ? piece->traces : slot->traces) + at;
  uint8_t *live = slot->live + slot->n;
  MOHO_TRY(moho_trace_prepare(m->preparer, geometry, traces, m->threads, rows, live));
  fill_bins(r, geometry, slot);
  moho_device_fill_traces(m, geometry, live, rows, slot->n, places);
  if (slot->places && r->plan.is_kept) memcpy(slot->places + slot->n, places, geometry->n * sizeof *places);
  if (!slot->n) slot->first = r->n_filled;
  slot->n += geometry->n, r->n_filled += geometry->n;
  slot->n_sorted = slot->n; /* unless it is sorted */
  if (piece) piece->n += geometry->n;
  m->counts.prepare_seconds += moho_seconds() - begin;
  return MOHO_OK;
}

/* As many of the traces as find room at once: *taken. */
static moho_status take(moho_device_run *r, const moho_geometry *geometry, const float *traces, const moho_reporter *reporter,
                        size_t *taken) {
  moho_device_slot *slot = &r->slots[r->filling];
  moho_device_piece *piece = piece_of(r);
  MOHO_TRY(open_slot(r, slot, reporter));
  if (piece) MOHO_TRY(open_piece(r, piece));
  size_t n = geometry->n;
  if (n > r->m->capacity - slot->n) n = r->m->capacity - slot->n;
  if (piece && n > r->plan.piece_traces - piece->n) n = r->plan.piece_traces - piece->n;
  moho_geometry part = moho_geometry_slice(geometry, 0, n);
  MOHO_TRY(fill(r, &part, traces, slot));
  if (piece && piece->n == r->plan.piece_traces) MOHO_TRY(send_piece(r, slot));
  *taken = n;
  return slot->n == r->m->capacity ? hand_over(r, reporter) : MOHO_OK;
}

moho_status moho_device_add(moho_migration *m, const moho_geometry *geometry, const float *traces,
                            const moho_reporter *reporter) {
  moho_device_run *r = m->run;
  MOHO_TRY(check_starts(r, geometry));
  for (size_t first = 0, n; first < geometry->n; first += n) {
    moho_geometry rest = moho_geometry_slice(geometry, first, geometry->n - first);
    MOHO_TRY(take(r, &rest, traces + first * m->input_samples, reporter, &n));
  }
  return moho_device_report_progress(r, reporter);
}

moho_status moho_device_flush(moho_migration *m, const moho_reporter *reporter) {
  moho_device_run *r = m->run;
  MOHO_TRY(hand_over(r, reporter));
  MOHO_TRY(moho_device_wait(r, NULL, reporter));
  return moho_device_report_progress(r, reporter);
}
